/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The chain of credentials against a hostile world: every file and every server answers with the
 * same bytes, or the pieces between NUL bytes in turn. The first byte chooses what is configured.
 * However it goes, a round ends after few questions, with keys that may stand in a header or with a
 * reason. */
#include <string.h>

#include "awsapi/credentials.h"
#include "base/arena.h"
#include "check.h"

enum { QUESTIONS_MAX = 8, MODES = 4 };

static struct str next_piece(struct str *rest, struct str whole)
{
    if (rest->n == 0) {
        *rest = whole;
    }
    size_t end = str_find(*rest, '\0');
    struct str piece = str_sub(*rest, 0, end);
    *rest = str_sub(*rest, end + 1, rest->n);
    return piece;
}

static void check_printable(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        MUST(text.p[i] > ' ' && text.p[i] < 127);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct aws_environment environments[MODES] = {
        {.home = {"/h", 2}},
        {.home = {"/h", 2}, .profile = {"p", 1}, .metadata_disabled = {"true", 4}},
        {.container_full_uri = {"http://169.254.170.23/v1", 24}, .container_token_file = {"/t", 2}},
        {.role_arn = {"arn:aws:iam::1:role/r", 21}, .web_identity_token_file = {"/t", 2}},
    };
    if (size == 0) {
        return 0;
    }
    struct str whole = {.p = (const char *)data + 1, .n = size - 1};
    struct str rest = whole;
    struct aws_credentials *credentials = aws_credentials_new(&environments[data[0] % MODES]);
    struct aws_keys keys;
    struct err err = {.code = ERR_NONE};
    unsigned n = 0;
    aws_credentials_begin(credentials, 0);
    while (aws_credentials_next(credentials)->kind != AWS_WANT_NOTHING) {
        struct str piece = next_piece(&rest, whole);
        struct aws_http_reply reply = {.status = 200, .body = piece};
        MUST(n++ < QUESTIONS_MAX);
        if (aws_credentials_next(credentials)->kind == AWS_WANT_FILE) {
            aws_credentials_file(credentials, true, piece, 0);
        } else {
            aws_credentials_reply(credentials, &reply, STR_EMPTY, 0);
        }
    }
    if (aws_credentials_get(credentials, 0, &keys, &err)) {
        check_printable(keys.access_key_id);
        check_printable(keys.secret_access_key);
        check_printable(keys.session_token);
    } else {
        MUST(err.code != ERR_NONE);
    }
    aws_credentials_free(credentials);
    return 0;
}
