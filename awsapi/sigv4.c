/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "awsapi/sigv4.h"

#include <assert.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "awsapi/timestamp.h"
#include "awsapi/uri.h"
#include "base/arena.h"
#include "base/vec.h"

enum { DIGEST_BYTES = 32, TEXT_MAX = 64 * 1024 * 1024, DATE_BYTES = 8, KEY_BYTES = 512 };

struct digest {
    unsigned char bytes[DIGEST_BYTES];
};

struct pair {
    struct str name, value; /* in canonical form */
};

static struct digest sha256(struct str text)
{
    struct digest digest = {{0}};
    unsigned n = 0;
    int good = EVP_Digest(text.p == NULL ? "" : text.p, text.n, digest.bytes, &n, EVP_sha256(),
                          /* engine= */ NULL);
    assert(good == 1 && n == DIGEST_BYTES);
    return digest;
}

static struct digest hmac(const void *key, size_t key_size, struct str text)
{
    struct digest digest = {{0}};
    unsigned n = 0;
    const void *got =
        HMAC(EVP_sha256(), key, (int)key_size,
             (const unsigned char *)(text.p == NULL ? "" : text.p), text.n, digest.bytes, &n);
    assert(got != NULL && n == DIGEST_BYTES);
    return digest;
}

static struct str hex(struct digest digest, struct arena *arena)
{
    static const char digits[] = "0123456789abcdef";
    char *text = arena_alloc(arena, (size_t)2 * DIGEST_BYTES + 1);
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        text[2 * i] = digits[digest.bytes[i] >> 4];
        text[2 * i + 1] = digits[digest.bytes[i] & 15];
    }
    return (struct str){.p = text, .n = (size_t)2 * DIGEST_BYTES};
}

static int by_name_then_value(const void *a, const void *b)
{
    const struct pair *left = a;
    const struct pair *right = b;
    int order = str_cmp(left->name, right->name);
    return order != 0 ? order : str_cmp(left->value, right->value);
}

/* ---- canonical pieces ---- */

/* "/a/./b//../c/" without the segments that mean nothing, encoded. */
static void add_path(struct strbuf *out, struct str path, bool keep, struct arena *arena)
{
    VEC(struct str) segments = {0};
    if (keep || path.n == 0) {
        aws_uri_encode(out, path.n == 0 ? STR("/") : path, AWS_URI_KEEP_SLASH);
        return;
    }
    bool ends_open = false; /* the last segment is a directory */
    for (struct str rest = path; rest.n > 0;) {
        size_t end = str_find(rest, '/');
        struct str segment = str_sub(rest, 0, end);
        bool has_slash = end < rest.n;
        rest = str_sub(rest, end + 1, rest.n);
        bool up = str_eq(segment, STR(".."));
        bool empty = segment.n == 0 || str_eq(segment, STR(".")) || up;
        if (up && segments.n > 0) {
            segments.n--;
        }
        if (!empty) {
            VEC_PUSH(arena, &segments, segment);
        }
        ends_open = has_slash || empty;
    }
    for (size_t i = 0; i < segments.n; i++) {
        strbuf_addc(out, '/');
        aws_uri_encode(out, segments.v[i], AWS_URI_ENCODE_SLASH);
    }
    if (ends_open || segments.n == 0) {
        strbuf_addc(out, '/');
    }
}

static struct str encode(struct arena *arena, struct str text)
{
    struct strbuf out = strbuf_new(arena, TEXT_MAX);
    aws_uri_encode(&out, text, AWS_URI_ENCODE_SLASH);
    return strbuf_str(&out);
}

static void add_query(struct strbuf *out, struct str query, struct arena *arena)
{
    VEC(struct pair) pairs = {0};
    struct str name;
    struct str value;
    while (aws_uri_next_pair(&query, &name, &value)) {
        VEC_PUSH(arena, &pairs,
                 ((struct pair){.name = encode(arena, aws_uri_decode(arena, name)),
                                .value = encode(arena, aws_uri_decode(arena, value))}));
    }
    if (pairs.n > 0) {
        qsort(pairs.v, pairs.n, sizeof pairs.v[0], by_name_then_value);
    }
    for (size_t i = 0; i < pairs.n; i++) {
        strbuf_addf(out, i == 0 ? "" : "&");
        strbuf_add(out, pairs.v[i].name);
        strbuf_addc(out, '=');
        strbuf_add(out, pairs.v[i].value);
    }
}

static struct str lower_name(struct arena *arena, struct str name)
{
    char *text = arena_copy(arena, name.p, name.n);
    for (size_t i = 0; i < name.n; i++) {
        text[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
    }
    return (struct str){.p = text, .n = name.n};
}

/* Blanks at both ends go, runs of blanks inside (line folds too) become one. */
static struct str squeeze(struct arena *arena, struct str value)
{
    char *text = arena_alloc(arena, value.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (!blank) {
            text[n++] = c;
        } else if (n > 0 && text[n - 1] != ' ') {
            text[n++] = ' ';
        }
    }
    n -= n > 0 && text[n - 1] == ' ' ? 1 : 0;
    return (struct str){.p = text, .n = n};
}

struct canonical_headers {
    struct str lines; /* "name:value\n" ... */
    struct str names; /* "host;x-amz-date" */
};

static struct canonical_headers canonical_headers(const struct aws_http_request *request,
                                                  struct arena *arena)
{
    struct pair pairs[AWS_HEADERS_MAX + 1];
    struct strbuf lines = strbuf_new(arena, TEXT_MAX);
    struct strbuf names = strbuf_new(arena, TEXT_MAX);
    size_t n = request->n_headers;
    for (size_t i = 0; i < n; i++) {
        pairs[i] = (struct pair){.name = lower_name(arena, request->headers[i].name),
                                 .value = squeeze(arena, request->headers[i].value)};
    }
    pairs[n] = (struct pair){.name = STR("host"), .value = request->host};
    n++;
    /* A stable order by name alone: values of one name stay in the order they are sent in. */
    for (size_t i = 1; i < n; i++) {
        struct pair moved = pairs[i];
        size_t at = i;
        for (; at > 0 && str_cmp(pairs[at - 1].name, moved.name) > 0; at--) {
            pairs[at] = pairs[at - 1];
        }
        pairs[at] = moved;
    }
    for (size_t i = 0; i < n; i++) {
        bool again = i > 0 && str_eq(pairs[i].name, pairs[i - 1].name);
        if (!again) {
            strbuf_addf(&lines, i == 0 ? "" : "\n");
            strbuf_add(&lines, pairs[i].name);
            strbuf_addf(&names, i == 0 ? "" : ";");
            strbuf_add(&names, pairs[i].name);
        }
        strbuf_addc(&lines, again ? ',' : ':');
        strbuf_add(&lines, pairs[i].value);
    }
    strbuf_addc(&lines, '\n');
    return (struct canonical_headers){.lines = strbuf_str(&lines), .names = strbuf_str(&names)};
}

/* ---- signing ---- */

static struct str scope(const struct aws_sigv4 *sigv4, struct str time, struct arena *arena)
{
    struct strbuf out = strbuf_new(arena, TEXT_MAX);
    strbuf_add(&out, str_sub(time, 0, DATE_BYTES));
    strbuf_addc(&out, '/');
    strbuf_add(&out, sigv4->region);
    strbuf_addc(&out, '/');
    strbuf_add(&out, sigv4->service);
    strbuf_add(&out, STR("/aws4_request"));
    return strbuf_str(&out);
}

static struct digest derive_key(const struct aws_sigv4 *sigv4, struct str date, struct arena *arena)
{
    struct strbuf secret = strbuf_new(arena, KEY_BYTES);
    strbuf_add(&secret, STR("AWS4"));
    strbuf_add(&secret, sigv4->keys.secret_access_key);
    struct digest key = hmac(secret.p, secret.n, date);
    key = hmac(key.bytes, sizeof key.bytes, sigv4->region);
    key = hmac(key.bytes, sizeof key.bytes, sigv4->service);
    key = hmac(key.bytes, sizeof key.bytes, STR("aws4_request"));
    OPENSSL_cleanse(secret.p, secret.n);
    return key;
}

static struct aws_sigv4_trace sign(const struct aws_sigv4 *sigv4,
                                   const struct aws_http_request *request, struct str time,
                                   struct canonical_headers headers, struct str body_digest,
                                   struct arena *arena)
{
    struct strbuf canonical = strbuf_new(arena, TEXT_MAX);
    strbuf_add(&canonical, request->method);
    strbuf_addc(&canonical, '\n');
    add_path(&canonical, request->path, sigv4->keep_path, arena);
    strbuf_addc(&canonical, '\n');
    add_query(&canonical, request->query, arena);
    strbuf_addc(&canonical, '\n');
    strbuf_add(&canonical, headers.lines);
    strbuf_addc(&canonical, '\n');
    strbuf_add(&canonical, headers.names);
    strbuf_addc(&canonical, '\n');
    strbuf_add(&canonical, body_digest);

    struct strbuf text = strbuf_new(arena, TEXT_MAX);
    strbuf_add(&text, STR("AWS4-HMAC-SHA256\n"));
    strbuf_add(&text, time);
    strbuf_addc(&text, '\n');
    strbuf_add(&text, scope(sigv4, time, arena));
    strbuf_addc(&text, '\n');
    strbuf_add(&text, hex(sha256(strbuf_str(&canonical)), arena));

    struct digest key = derive_key(sigv4, str_sub(time, 0, DATE_BYTES), arena);
    struct digest mac = hmac(key.bytes, sizeof key.bytes, strbuf_str(&text));
    OPENSSL_cleanse(key.bytes, sizeof key.bytes);
    return (struct aws_sigv4_trace){.canonical_request = strbuf_str(&canonical),
                                    .string_to_sign = strbuf_str(&text),
                                    .signature = hex(mac, arena)};
}

static struct str time_text(wall_t now, struct arena *arena)
{
    char room[AWS_TIME_TEXT_MAX];
    return str_copy(arena, aws_time_basic(now, room));
}

void aws_sigv4_sign(const struct aws_sigv4 *sigv4, struct aws_http_request *request,
                    struct arena *arena, struct aws_sigv4_trace *ret_trace)
{
    struct str time = time_text(sigv4->now, arena);
    struct str body_digest = hex(sha256(request->body), arena);
    bool has_token = sigv4->keys.session_token.n > 0;
    struct aws_header token = {.name = STR("X-Amz-Security-Token"),
                               .value = sigv4->keys.session_token};
    aws_http_add(request, STR("X-Amz-Date"), time);
    if (has_token && !sigv4->token_unsigned) {
        aws_http_add(request, token.name, token.value);
    }
    if (sigv4->body_header) {
        aws_http_add(request, STR("X-Amz-Content-Sha256"), body_digest);
    }
    struct canonical_headers headers = canonical_headers(request, arena);
    struct aws_sigv4_trace trace = sign(sigv4, request, time, headers, body_digest, arena);
    struct strbuf value = strbuf_new(arena, TEXT_MAX);
    strbuf_add(&value, STR("AWS4-HMAC-SHA256 Credential="));
    strbuf_add(&value, sigv4->keys.access_key_id);
    strbuf_addc(&value, '/');
    strbuf_add(&value, scope(sigv4, time, arena));
    strbuf_add(&value, STR(", SignedHeaders="));
    strbuf_add(&value, headers.names);
    strbuf_add(&value, STR(", Signature="));
    strbuf_add(&value, trace.signature);
    if (has_token && sigv4->token_unsigned) {
        aws_http_add(request, token.name, token.value);
    }
    aws_http_add(request, STR("Authorization"), strbuf_str(&value));
    if (ret_trace != NULL) {
        *ret_trace = trace;
    }
}

static void add_pair(struct strbuf *query, const char *name, struct str value)
{
    strbuf_addf(query, "%s%s=", query->n > 0 ? "&" : "", name);
    aws_uri_encode(query, value, AWS_URI_ENCODE_SLASH);
}

void aws_sigv4_presign(const struct aws_sigv4 *sigv4, struct aws_http_request *request,
                       struct arena *arena, struct aws_sigv4_trace *ret_trace)
{
    struct str time = time_text(sigv4->now, arena);
    struct str body_digest = hex(sha256(request->body), arena);
    struct canonical_headers headers = canonical_headers(request, arena);
    struct strbuf credential = strbuf_new(arena, TEXT_MAX);
    strbuf_add(&credential, sigv4->keys.access_key_id);
    strbuf_addc(&credential, '/');
    strbuf_add(&credential, scope(sigv4, time, arena));

    struct strbuf query = strbuf_new(arena, TEXT_MAX);
    bool has_token = sigv4->keys.session_token.n > 0;
    strbuf_add(&query, request->query);
    add_pair(&query, "X-Amz-Algorithm", STR("AWS4-HMAC-SHA256"));
    add_pair(&query, "X-Amz-Credential", strbuf_str(&credential));
    add_pair(&query, "X-Amz-Date", time);
    add_pair(&query, "X-Amz-SignedHeaders", headers.names);
    strbuf_addf(&query, "&X-Amz-Expires=%lld", (long long)sigv4->expires_s);
    if (has_token && !sigv4->token_unsigned) {
        add_pair(&query, "X-Amz-Security-Token", sigv4->keys.session_token);
    }
    request->query = strbuf_str(&query);
    struct aws_sigv4_trace trace = sign(sigv4, request, time, headers, body_digest, arena);
    if (has_token && sigv4->token_unsigned) {
        add_pair(&query, "X-Amz-Security-Token", sigv4->keys.session_token);
    }
    add_pair(&query, "X-Amz-Signature", trace.signature);
    request->query = strbuf_str(&query);
    if (ret_trace != NULL) {
        *ret_trace = trace;
    }
}
