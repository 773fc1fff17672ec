/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The chain of credentials: each row is a world (environment, files, servers) and what comes of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "awsapi/credentials.h"
#include "awsapi/profile.h"
#include "base/arena.h"

enum { ANSWERS = 6, NOW = 1787218200 };
static const wall_t now = INT64_C(1000) * NOW; /* 2026-08-20T09:30:00Z */

struct answer {
    const char *what; /* path of a file, or "METHOD host/path" */
    int status;       /* of a server; 0: no answer, and for files that there is one */
    const char *text;
};

#define STS_REPLY(operation, until)                                                                \
    "<" operation "Response><" operation                                                           \
    "Result><Credentials><AccessKeyId>STSID</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"     \
    "<SessionToken>t</SessionToken><Expiration>" until "</Expiration></Credentials></" operation   \
    "Result></" operation "Response>"
#define AGENT(id, until)                                                                           \
    "{\"AccessKeyId\":\"" id                                                                       \
    "\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"" until "\"}"
#define IMDS  "169.254.169.254/latest/"
#define ROLES IMDS "meta-data/iam/security-credentials/"

static const struct row {
    const char *name;
    struct aws_environment environment;
    struct answer answers[ANSWERS];
    const char *id, *source; /* NULL: it fails */
    const char *error;       /* part of its text */
} rows[] = {
    {"environment",
     {.access_key_id = {"ENVID", 5}, .secret_access_key = {"s", 1}},
     .id = "ENVID",
     .source = "environment"},
    {"web identity",
     {.role_arn = {"arn:aws:iam::1:role/r", 21},
      .web_identity_token_file = {"/token", 6},
      .region = {"eu-west-1", 9}},
     {{"/token", 0, "jwt\n"},
      {"POST sts.eu-west-1.amazonaws.com/", 200,
       STS_REPLY("AssumeRoleWithWebIdentity", "2026-08-20T10:30:00Z")}},
     "STSID",
     "web identity"},
    {"web identity without its token",
     {.role_arn = {"arn:aws:iam::1:role/r", 21}, .web_identity_token_file = {"/token", 6}},
     .error = "web identity: no token in /token"},
    {"web identity refused",
     {.role_arn = {"arn:aws:iam::1:role/r", 21}, .web_identity_token_file = {"/token", 6}},
     {{"/token", 0, "jwt"},
      {"POST sts.us-east-1.amazonaws.com/", 403,
       "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></"
       "ErrorResponse>"}},
     .error = "unauthorized: AccessDenied no"},
    {"credentials file",
     {.home = {"/h", 2}},
     {{"/h/.aws/credentials", 0,
       "# mine\n[default]\naws_access_key_id = FILEID\n"
       "AWS_SECRET_ACCESS_KEY=s\n\n[other]\naws_access_key_id=x\n"}},
     "FILEID",
     "shared files"},
    {"config file, named profile",
     {.home = {"/h", 2}, .profile = {"p", 1}},
     {{"/h/.aws/config", 0,
       "[default]\nregion=x\n[profile p]\naws_access_key_id=CFGID\naws_secret_access_key=s\n"
       "s3 =\n  aws_access_key_id = nested\n"}},
     "CFGID",
     "shared files"},
    {"role with source profile",
     {.home = {"/h", 2}, .profile = {"p", 1}, .region = {"eu-west-1", 9}},
     {{"/h/.aws/config", 0, "[profile p]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=base\n"},
      {"/h/.aws/credentials", 0, "[base]\naws_access_key_id=B\naws_secret_access_key=s\n"},
      {"POST sts.eu-west-1.amazonaws.com/", 200, STS_REPLY("AssumeRole", "2026-08-20T10:30:00Z")}},
     "STSID",
     "shared files"},
    {"a profile that is not there",
     {.home = {"/h", 2}, .profile = {"p", 1}},
     .error = "there is no profile \"p\""},
    {"a sign-in",
     {.home = {"/h", 2}},
     {{"/h/.aws/config", 0, "[default]\nsso_session = x\n"}},
     .error = "needs a program or a sign-in"},
    {"a broken file names its line and not its text",
     {.home = {"/h", 2}},
     {{"/h/.aws/credentials", 0, "[default]\nSECRET\n"}},
     .error = "credentials file: line 2: neither"},
    {"Pod Identity",
     {.container_full_uri = {"http://169.254.170.23/v1/credentials", 36},
      .container_token_file = {"/pod", 4}},
     {{"/pod", 0, "tok\n"},
      {"GET 169.254.170.23/v1/credentials", 200, AGENT("PODID", "2026-08-20T15:30:00Z")}},
     "PODID",
     "container"},
    {"ECS",
     {.container_relative_uri = {"/v2/x", 5}},
     {{"GET 169.254.170.2/v2/x", 200, AGENT("ECSID", "2026-08-20T15:30:00Z")}},
     "ECSID",
     "container"},
    {"a container agent somewhere else",
     {.container_full_uri = {"http://evil.example/c", 21}},
     .error = "\"evil.example\" is neither this machine"},
    {"a host that begins like an agent's",
     {.container_full_uri = {"http://169.254.170.2.evil.example/c", 35}},
     .error = "is neither this machine"},
    {"instance metadata",
     {.home = {"/h", 2}},
     {{"PUT " IMDS "api/token", 200, "imdstoken"},
      {"GET " ROLES, 200, "node-role\n"},
      {"GET " ROLES "node-role", 200, AGENT("IMDSID", "2026-08-20T15:30:00Z")}},
     "IMDSID",
     "instance metadata"},
    {"instance metadata in an outage gives expired keys",
     {.home = {"/h", 2}},
     {{"PUT " IMDS "api/token", 200, "imdstoken"},
      {"GET " ROLES, 200, "node-role"},
      {"GET " ROLES "node-role", 200, AGENT("IMDSID", "2026-08-20T09:00:00Z")}},
     "IMDSID",
     "instance metadata"},
    {"no role on the instance",
     {.home = {"/h", 2}},
     {{"PUT " IMDS "api/token", 200, "imdstoken"}, {"GET " ROLES, 404, ""}},
     .error = "answers 404"},
    {"a role that leads elsewhere",
     {.home = {"/h", 2}},
     {{"PUT " IMDS "api/token", 200, "imdstoken"}, {"GET " ROLES, 200, "../../../x?y"}},
     .error = "name of the role"},
    {"a metadata token with a line break",
     {.home = {"/h", 2}},
     {{"PUT " IMDS "api/token", 200, "a\r\nX-Evil: b"}},
     .error = "session token"},
    {"HTML for keys",
     {.container_relative_uri = {"/v2/x", 5}},
     {{"GET 169.254.170.2/v2/x", 200, "<html>"}},
     .error = "no JSON"},
    {"keys without an end",
     {.container_relative_uri = {"/v2/x", 5}},
     {{"GET 169.254.170.2/v2/x", 200, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\"}"}},
     .error = "Expiration"},
    {"not on EC2", {.home = {"/h", 2}}, .error = "no AWS credentials: none in the environment"},
    {"metadata switched off on the instance",
     {.home = {"/h", 2}, .profile = {"default", 7}},
     {{"/h/.aws/config", 0, "[default]\nregion = x\n"}, {"PUT " IMDS "api/token", 403, ""}},
     .error = "instance metadata refuses to answer"},
    {"metadata that is ill",
     {.home = {"/h", 2}},
     {{"PUT " IMDS "api/token", 503, ""}},
     .error = "answers 503"},
    {"metadata switched off",
     {.home = {"/h", 2}, .metadata_disabled = {"True", 4}},
     {{"PUT " IMDS "api/token", 200, "imdstoken"}},
     .error = "no AWS credentials"},
};

static const struct answer *find(const struct row *row, const char *what)
{
    for (size_t i = 0; i < ANSWERS && row->answers[i].what != NULL; i++) {
        if (strcmp(row->answers[i].what, what) == 0) {
            return &row->answers[i];
        }
    }
    return NULL;
}

/* Brings what is wanted until nothing is. */
static void run(struct aws_credentials *credentials, const struct row *row, wall_t at)
{
    for (unsigned i = 0; aws_credentials_next(credentials)->kind != AWS_WANT_NOTHING; i++) {
        const struct aws_want *want = aws_credentials_next(credentials);
        auto_arena arena = ARENA_INIT;
        struct strbuf name = strbuf_new(&arena, 4096);
        assert_in_range(i, 0, 9);
        if (want->kind == AWS_WANT_FILE) {
            const struct answer *answer = find(row, str_cstr(&arena, want->path));
            aws_credentials_file(credentials, answer != NULL,
                                 str_of(answer == NULL ? NULL : answer->text), at);
            continue;
        }
        const struct aws_http_request *request = &want->request;
        strbuf_addf(&name, STR_FMT " " STR_FMT STR_FMT, STR_ARG(request->method),
                    STR_ARG(request->host), STR_ARG(request->path));
        const struct answer *answer = find(row, str_cstr(&arena, strbuf_str(&name)));
        struct aws_http_reply reply = {.status = answer == NULL ? 0 : answer->status,
                                       .body = str_of(answer == NULL ? NULL : answer->text)};
        aws_credentials_reply(credentials, answer == NULL ? NULL : &reply, STR("no answer"), at);
    }
}

static void test_chain(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct aws_credentials *credentials = aws_credentials_new(&row->environment);
        struct aws_keys keys = {.access_key_id = STR_EMPTY};
        struct err err = {.code = ERR_NONE};
        assert_true(aws_credentials_is_due(credentials, now));
        aws_credentials_begin(credentials, now);
        run(credentials, row, now);
        bool good = aws_credentials_get(credentials, now, &keys, &err);
        if (good != (row->id != NULL) || !str_eq(keys.access_key_id, str_of(row->id)) ||
            !str_eq(aws_credentials_source(credentials), str_of(row->source)) ||
            (!good && strstr(err.text, row->error) == NULL) || strstr(err.text, "SECRET") != NULL) {
            fail_msg("%s: have \"" STR_FMT "\" from \"" STR_FMT "\", %s", row->name,
                     STR_ARG(keys.access_key_id), STR_ARG(aws_credentials_source(credentials)),
                     err.text);
        }
        /* A failure is not repeated at once; a success is not repeated while fresh. */
        assert_false(aws_credentials_is_due(credentials, now + 1000));
        aws_credentials_free(credentials);
    }
    aws_credentials_free(NULL);
}

/* Keys of one hour: renewed five minutes early; a failure then leaves the old ones until they end;
 * a second begin within a round changes nothing. */
static void test_refresh(void **state)
{
    const struct row *row = &rows[1];
    const struct row nowhere = {.name = "nowhere"};
    struct aws_credentials *credentials = aws_credentials_new(&row->environment);
    struct aws_keys keys;
    struct err err = {.code = ERR_NONE};
    const wall_t hour = 60 * 60 * 1000;
    const wall_t minute = 60 * 1000;
    (void)state;
    assert_false(aws_credentials_get(credentials, now, &keys, &err));
    aws_credentials_begin(credentials, now);
    assert_false(aws_credentials_is_due(credentials, now));
    const struct aws_want *want = aws_credentials_next(credentials);
    aws_credentials_begin(credentials, now);
    assert_ptr_equal(aws_credentials_next(credentials), want);
    assert_true(str_eq(want->path, STR("/token")));
    run(credentials, row, now);
    assert_true(aws_credentials_get(credentials, now, &keys, &err));
    assert_false(aws_credentials_is_due(credentials, now + hour - 6 * minute));
    wall_t early = now + hour - 5 * minute;
    assert_true(aws_credentials_is_due(credentials, early));
    aws_credentials_begin(credentials, early);
    run(credentials, &nowhere, early);
    assert_true(aws_credentials_get(credentials, early, &keys, &err));
    assert_true(str_eq(keys.access_key_id, STR("STSID")));
    assert_false(aws_credentials_is_due(credentials, early + 1000));
    assert_true(aws_credentials_is_due(credentials, early + AWS_CREDENTIALS_PAUSE_MS));
    assert_false(aws_credentials_get(credentials, now + hour, &keys, &err));
    assert_non_null(strstr(err.text, "no token in /token"));
    aws_credentials_begin(credentials, now + hour);
    run(credentials, row, now + hour - minute);
    aws_credentials_reject(credentials);
    assert_false(aws_credentials_get(credentials, now, &keys, &err));
    assert_true(aws_credentials_is_due(credentials, now));
    aws_credentials_free(credentials);
}

static void test_what_is_sent(void **state)
{
    struct aws_credentials *credentials = aws_credentials_new(&rows[10].environment);
    struct str value;
    (void)state;
    aws_credentials_begin(credentials, now);
    while (aws_credentials_next(credentials)->kind == AWS_WANT_FILE) {
        const struct aws_want *want = aws_credentials_next(credentials);
        bool found = str_eq(want->path, STR("/pod"));
        aws_credentials_file(credentials, found, found ? STR(" tok\n") : STR_EMPTY, now);
    }
    const struct aws_http_request *request = &aws_credentials_next(credentials)->request;
    assert_true(
        aws_header_find(request->headers, request->n_headers, STR("authorization"), &value));
    assert_true(str_eq(value, STR("tok")));
    aws_credentials_free(credentials);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_refresh),
        cmocka_unit_test(test_what_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
