/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signature Version 4 against the published test suite, which is not part of this project: takes
 * its file as argument and is skipped, loudly, without it. Each case is signed in the header and in
 * the query; canonical request, string to sign and signature must be those of the suite, and a
 * changed secret, time or body must change the signature. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "awsapi/sigv4.h"
#include "awsapi/timestamp.h"
#include "base/arena.h"

enum { SKIPPED = 77, N_CASES = 38 };

static unsigned n_failed;

static struct str text_of(const json_t *object, const char *key)
{
    return str_of(json_string_value(json_object_get(object, key)));
}

static void expect(const char *name, const char *what, struct str have, struct str want)
{
    if (!str_eq(have, want)) {
        n_failed++;
        printf("%s: %s\n  have: " STR_FMT "\n  want: " STR_FMT "\n", name, what, STR_ARG(have),
               STR_ARG(want));
    }
}

static struct str take_line(struct str *rest)
{
    size_t end = str_find(*rest, '\n');
    struct str line = str_sub(*rest, 0, end);
    *rest = str_sub(*rest, end + 1, rest->n);
    return line;
}

static void add_header(struct aws_http_request *request, struct str name, struct str value)
{
    if (aws_header_name_eq(name, STR("host"))) {
        request->host = str_trim(value);
    } else {
        aws_http_add(request, name, value);
    }
}

/* The suite's requests are raw HTTP: request line, headers (folded ones too), blank line, body. */
static struct aws_http_request parse_request(struct str text)
{
    struct aws_http_request request = {.scheme = STR("https")};
    struct str first = take_line(&text);
    size_t space = str_find(first, ' ');
    request.method = str_sub(first, 0, space);
    struct str target = str_sub(first, space + 1, first.n - space - 1 - strlen(" HTTP/1.1"));
    size_t mark = str_find(target, '?');
    request.path = str_sub(target, 0, mark);
    request.query = str_sub(target, mark + 1, target.n);
    while (text.n > 0 && text.p[0] != '\n') {
        struct str line = take_line(&text);
        while (text.n > 0 && (text.p[0] == ' ' || text.p[0] == '\t')) {
            struct str folded = take_line(&text);
            line.n = (size_t)(folded.p + folded.n - line.p);
        }
        size_t colon = str_find(line, ':');
        add_header(&request, str_sub(line, 0, colon), str_sub(line, colon + 1, line.n));
    }
    request.body = str_sub(text, 1, text.n);
    return request;
}

static struct aws_sigv4 signer(const json_t *context)
{
    const json_t *keys = json_object_get(context, "credentials");
    struct aws_sigv4 sigv4 = {
        .keys = {.access_key_id = text_of(keys, "access_key_id"),
                 .secret_access_key = text_of(keys, "secret_access_key"),
                 .session_token = text_of(keys, "token")},
        .region = text_of(context, "region"),
        .service = text_of(context, "service"),
        .keep_path = !json_is_true(json_object_get(context, "normalize")),
        .body_header = json_is_true(json_object_get(context, "sign_body")),
        .token_unsigned = json_is_true(json_object_get(context, "omit_session_token")),
        .expires_s = json_integer_value(json_object_get(context, "expiration_in_seconds")),
    };
    struct err err = {.code = ERR_NONE};
    if (!aws_time_parse(text_of(context, "timestamp"), &sigv4.now, &err)) {
        printf("%s\n", err.text);
        n_failed++;
    }
    return sigv4;
}

static struct str signature_of(struct aws_sigv4 sigv4, struct str text, struct arena *arena)
{
    struct aws_http_request request = parse_request(text);
    struct aws_sigv4_trace trace;
    aws_sigv4_sign(&sigv4, &request, arena, &trace);
    return trace.signature;
}

static void expect_sensitive(const char *name, struct aws_sigv4 sigv4, struct str text,
                             struct str signature, struct arena *arena)
{
    struct aws_sigv4 other = sigv4;
    other.keys.secret_access_key = STR("another");
    bool same = str_eq(signature_of(other, text, arena), signature);
    other = sigv4;
    other.now += 1000;
    same = same || str_eq(signature_of(other, text, arena), signature);
    other = sigv4;
    other.region = STR("eu-west-1");
    same = same || str_eq(signature_of(other, text, arena), signature);
    struct strbuf longer = strbuf_new(arena, text.n + 3);
    strbuf_add(&longer, text);
    strbuf_add(&longer, STR("\nx"));
    same = same || str_eq(signature_of(sigv4, strbuf_str(&longer), arena), signature);
    if (same) {
        n_failed++;
        printf("%s: a changed secret, time, region or body gives the same signature\n", name);
    }
}

static struct str authorization_of(struct str signed_request)
{
    for (struct str rest = signed_request; rest.n > 0;) {
        struct str line = take_line(&rest);
        if (str_starts(line, STR("Authorization:"))) {
            return str_sub(line, strlen("Authorization:"), line.n);
        }
    }
    return STR_EMPTY;
}

static void check_case(const char *name, const json_t *vector)
{
    auto_arena arena = ARENA_INIT;
    struct aws_sigv4 sigv4 = signer(json_object_get(vector, "context"));
    struct str text = text_of(vector, "request");
    struct aws_sigv4_trace trace;
    struct aws_http_request request = parse_request(text);
    struct str authorization;
    aws_sigv4_sign(&sigv4, &request, &arena, &trace);
    aws_header_find(request.headers, request.n_headers, STR("authorization"), &authorization);
    expect(name, "header: canonical request", trace.canonical_request,
           text_of(vector, "header-canonical-request"));
    expect(name, "header: string to sign", trace.string_to_sign,
           text_of(vector, "header-string-to-sign"));
    expect(name, "header: signature", trace.signature, text_of(vector, "header-signature"));
    expect(name, "header: Authorization", authorization,
           authorization_of(text_of(vector, "header-signed-request")));
    expect_sensitive(name, sigv4, text, trace.signature, &arena);

    request = parse_request(text);
    aws_sigv4_presign(&sigv4, &request, &arena, &trace);
    expect(name, "query: canonical request", trace.canonical_request,
           text_of(vector, "query-canonical-request"));
    expect(name, "query: string to sign", trace.string_to_sign,
           text_of(vector, "query-string-to-sign"));
    expect(name, "query: signature", trace.signature, text_of(vector, "query-signature"));
}

int main(int argc, char **argv)
{
    const char *name;
    json_t *vector;
    unsigned n = 0;
    if (argc < 2 || access(argv[1], R_OK) != 0) {
        printf("SKIPPED: %s is not there, so no signature was checked\n",
               argc < 2 ? "(no file)" : argv[1]);
        return SKIPPED;
    }
    json_t *vectors = json_load_file(argv[1], 0, NULL);
    json_object_foreach(vectors, name, vector)
    {
        check_case(name, vector);
        n++;
    }
    json_decref(vectors);
    printf("%u signature vectors, header and query; %u differences\n", n, n_failed);
    return n == N_CASES && n_failed == 0 ? 0 : 1;
}
