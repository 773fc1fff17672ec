/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "awsapi/credentials.h"

#include <assert.h>
#include <jansson.h>

#include "awsapi/endpoint.h"
#include "awsapi/profile.h"
#include "awsapi/service_sts.h"
#include "awsapi/timestamp.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/json_decode.h"
#include "base/limits.h"

enum {
    METADATA_TIMEOUT_MS = 2000, /* off EC2 nobody answers */
    TIMEOUT_MS = 10000,
    STALE_MS = 10 * 60 * 1000, /* keys of the metadata service that say they have expired */
    SESSION_NAME_MAX = 64
};

enum source {
    SOURCE_ENVIRONMENT,
    SOURCE_WEB_IDENTITY,
    SOURCE_FILES,
    SOURCE_CONTAINER,
    SOURCE_INSTANCE,
    N_SOURCES
};

/* What the answer under way is about. */
enum step {
    STEP_NONE,
    STEP_IDENTITY_TOKEN,
    STEP_CREDENTIALS_FILE,
    STEP_CONFIG_FILE,
    STEP_ROLE,
    STEP_CONTAINER_TOKEN,
    STEP_CONTAINER,
    STEP_METADATA_TOKEN,
    STEP_METADATA_ROLE,
    STEP_METADATA_KEYS
};

static const struct str source_names[N_SOURCES] = {STR("environment"), STR("web identity"),
                                                   STR("shared files"), STR("container"),
                                                   STR("instance metadata")};

struct aws_credentials {
    struct arena arena; /* this struct and the environment */
    struct arena held;  /* of the keys in use */
    struct arena round; /* of the round under way */
    struct aws_environment environment;
    bool in_round;
    enum source source;
    enum step step;
    struct aws_want want;
    struct str role_arn, session_name, metadata_token, files_text;
    const struct aws_operation *role_operation; /* what STS was asked */
    struct aws_keys keys;
    enum source keys_source;
    bool has_keys;
    struct opt_wall expires; /* of the keys; absent: never */
    wall_t not_before;       /* of the next round */
    struct err err;          /* of the last round; ERR_NONE: it went well */
};

static void start_source(struct aws_credentials *c, enum source source, wall_t now);

/* ---- the ends of a round ---- */

static void end_round(struct aws_credentials *c)
{
    c->in_round = false;
    c->step = STEP_NONE;
    c->want = (struct aws_want){.kind = AWS_WANT_NOTHING};
}

/* Gives up: the source is configured and does not work, so asking the next would hide it. */
static void fail(struct aws_credentials *c, wall_t now)
{
    struct str name = source_names[c->source];
    err_wrap(&c->err, "AWS credentials from " STR_FMT, STR_ARG(name));
    c->not_before = sat_add(now, AWS_CREDENTIALS_PAUSE_MS);
    end_round(c);
}

static bool is_key(struct str text)
{
    bool good = text.n > 0 && text.n <= AWS_KEY_MAX;
    for (size_t i = 0; good && i < text.n; i++) {
        good = text.p[i] > ' ' && text.p[i] < 127;
    }
    return good;
}

static void succeed(struct aws_credentials *c, struct aws_keys keys, struct opt_wall expires,
                    wall_t now)
{
    struct arena old = c->held;
    bool token_good = keys.session_token.n <= LIMIT_VALUE_BYTES;
    for (size_t i = 0; token_good && i < keys.session_token.n; i++) {
        token_good = keys.session_token.p[i] > ' ' && keys.session_token.p[i] < 127;
    }
    if (!is_key(keys.access_key_id) || !is_key(keys.secret_access_key) || !token_good) {
        err_set(&c->err, ERR_INVALID, "a key that is empty, too long or has blanks");
        fail(c, now);
        return;
    }
    c->held = ARENA_INIT;
    c->keys = (struct aws_keys){.access_key_id = str_copy(&c->held, keys.access_key_id),
                                .secret_access_key = str_copy(&c->held, keys.secret_access_key),
                                .session_token = str_copy(&c->held, keys.session_token)};
    arena_done(&old);
    c->has_keys = true;
    c->expires = expires;
    c->keys_source = c->source;
    c->err = (struct err){.code = ERR_NONE};
    c->not_before = now;
    end_round(c);
}

/* ---- what is wanted ---- */

static void want_file(struct aws_credentials *c, enum step step, struct str path)
{
    c->step = step;
    c->want = (struct aws_want){.kind = AWS_WANT_FILE, .path = path};
}

static void want_http(struct aws_credentials *c, enum step step,
                      const struct aws_http_request *request, int64_t timeout_ms)
{
    c->step = step;
    c->want =
        (struct aws_want){.kind = AWS_WANT_HTTP, .request = *request, .timeout_ms = timeout_ms};
}

static struct str joined(struct arena *arena, struct str a, struct str b)
{
    struct strbuf out = strbuf_new(arena, LIMIT_VALUE_BYTES);
    strbuf_add(&out, a);
    strbuf_add(&out, b);
    return strbuf_str(&out);
}

static struct str session_name(struct str given)
{
    return given.n > 0 ? str_sub(given, 0, SESSION_NAME_MAX) : STR("provisioner");
}

/* Sends a request to the STS of the region; signed when there are keys. */
static void want_role(struct aws_credentials *c, const struct aws_operation *operation,
                      const void *input, const struct aws_keys *keys, wall_t now)
{
    struct aws_endpoint_settings settings = {
        .region = c->environment.region.n > 0 ? c->environment.region : STR("us-east-1"),
        .service_url = c->environment.sts_url};
    struct aws_endpoint endpoint;
    struct aws_http_request request;
    struct str prefix;
    if (!aws_request_make(operation, input, STR_EMPTY, &c->round, &request, &prefix, &c->err) ||
        !aws_endpoint_find(&aws_sts, &settings, &c->round, &endpoint, &c->err)) {
        fail(c, now);
        return;
    }
    aws_endpoint_apply(&endpoint, prefix, &request, &c->round);
    if (keys != NULL) {
        struct aws_sigv4 sigv4 = {.keys = *keys,
                                  .region = endpoint.signing_region,
                                  .service = str_of(aws_sts.signing),
                                  .now = now};
        aws_sigv4_sign(&sigv4, &request, &c->round, /* ret_trace= */ NULL);
    }
    c->role_operation = operation;
    want_http(c, STEP_ROLE, &request, TIMEOUT_MS);
}

/* ---- sources ---- */

static void start_web_identity(struct aws_credentials *c, struct str role_arn, struct str path,
                               struct str name)
{
    c->role_arn = role_arn;
    c->session_name = session_name(name);
    want_file(c, STEP_IDENTITY_TOKEN, path);
}

static struct str file_path(struct aws_credentials *c, struct str given, struct str name)
{
    return given.n > 0 ? given : joined(&c->round, c->environment.home, name);
}

static bool is_safe_host(struct str host)
{
    static const struct str hosts[] = {STR("127.0.0.1"),      STR("localhost"),
                                       STR("[::1]"),          STR("169.254.170.2"),
                                       STR("169.254.170.23"), STR("[fd00:ec2::23]")};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct str rest = str_sub(host, hosts[i].n, host.n);
        if (str_starts(host, hosts[i]) && (rest.n == 0 || rest.p[0] == ':')) {
            return true;
        }
    }
    return false;
}

static void start_container_request(struct aws_credentials *c, struct str token, wall_t now)
{
    const struct aws_environment *env = &c->environment;
    struct aws_endpoint endpoint = {.scheme = STR("http"), .host = STR("169.254.170.2")};
    struct aws_http_request request = {.method = STR("GET")};
    struct str uri = env->container_full_uri;
    size_t mark = str_find(uri, '?');
    if (env->container_relative_uri.n > 0) {
        endpoint.base_path = env->container_relative_uri;
    } else if (!aws_endpoint_parse(str_sub(uri, 0, mark), &endpoint, &c->err)) {
        fail(c, now);
        return;
    }
    if (str_eq(endpoint.scheme, STR("http")) && !is_safe_host(endpoint.host)) {
        err_set(&c->err, ERR_INVALID,
                "\"" STR_FMT "\" is neither this machine nor a container agent, nor https",
                STR_ARG(endpoint.host));
        fail(c, now);
        return;
    }
    request.scheme = endpoint.scheme;
    request.host = endpoint.host;
    request.path = endpoint.base_path.n > 0 ? endpoint.base_path : STR("/");
    request.query = env->container_relative_uri.n > 0 ? STR_EMPTY : str_sub(uri, mark + 1, uri.n);
    if (token.n > 0) {
        aws_http_add(&request, STR("Authorization"), token);
    }
    want_http(c, STEP_CONTAINER, &request, TIMEOUT_MS);
}

static void want_metadata(struct aws_credentials *c, enum step step, struct str path, wall_t now)
{
    struct aws_endpoint endpoint = {.scheme = STR("http"), .host = STR("169.254.169.254")};
    struct str url = c->environment.metadata_endpoint;
    bool is_token = step == STEP_METADATA_TOKEN;
    if (url.n > 0 && !aws_endpoint_parse(url, &endpoint, &c->err)) {
        fail(c, now);
        return;
    }
    struct aws_http_request request = {.method = is_token ? STR("PUT") : STR("GET"),
                                       .scheme = endpoint.scheme,
                                       .host = endpoint.host,
                                       .path = joined(&c->round, endpoint.base_path, path)};
    if (is_token) {
        aws_http_add(&request, STR("X-aws-ec2-metadata-token-ttl-seconds"), STR("21600"));
    } else {
        aws_http_add(&request, STR("X-aws-ec2-metadata-token"), c->metadata_token);
    }
    want_http(c, step, &request, METADATA_TIMEOUT_MS);
}

static void start_container(struct aws_credentials *c, wall_t now)
{
    const struct aws_environment *env = &c->environment;
    if (env->container_full_uri.n == 0 && env->container_relative_uri.n == 0) {
        start_source(c, SOURCE_INSTANCE, now);
    } else if (env->container_token_file.n > 0) {
        want_file(c, STEP_CONTAINER_TOKEN, env->container_token_file);
    } else {
        start_container_request(c, env->container_token, now);
    }
}

/* `metadata`: what became of the last source. */
static void nothing_left(struct aws_credentials *c, const char *metadata, wall_t now)
{
    struct str profile = c->environment.profile.n > 0 ? c->environment.profile : STR("default");
    err_set(&c->err, ERR_NOT_FOUND,
            "no AWS credentials: none in the environment (AWS_ACCESS_KEY_ID), no web identity "
            "(AWS_WEB_IDENTITY_TOKEN_FILE), nothing for profile \"" STR_FMT
            "\" in ~/.aws, no container agent, and instance metadata %s",
            STR_ARG(profile), metadata);
    c->not_before = sat_add(now, AWS_CREDENTIALS_PAUSE_MS);
    end_round(c);
}

static void start_source(struct aws_credentials *c, enum source source, wall_t now)
{
    const struct aws_environment *env = &c->environment;
    struct aws_keys keys = {env->access_key_id, env->secret_access_key, env->session_token};
    c->source = source;
    switch (source) {
    case SOURCE_ENVIRONMENT:
        if (keys.access_key_id.n > 0 && keys.secret_access_key.n > 0) {
            succeed(c, keys, (struct opt_wall){.has = false}, now);
            return;
        }
        start_source(c, SOURCE_WEB_IDENTITY, now);
        return;
    case SOURCE_WEB_IDENTITY:
        if (env->role_arn.n > 0 && env->web_identity_token_file.n > 0) {
            start_web_identity(c, env->role_arn, env->web_identity_token_file,
                               env->role_session_name);
            return;
        }
        start_source(c, SOURCE_FILES, now);
        return;
    case SOURCE_FILES:
        want_file(c, STEP_CREDENTIALS_FILE,
                  file_path(c, env->shared_credentials_file, STR("/.aws/credentials")));
        return;
    case SOURCE_CONTAINER:
        start_container(c, now);
        return;
    case SOURCE_INSTANCE:
        if (aws_header_name_eq(env->metadata_disabled, STR("true"))) {
            nothing_left(c, "is turned off (AWS_EC2_METADATA_DISABLED)", now);
            return;
        }
        want_metadata(c, STEP_METADATA_TOKEN, STR("/latest/api/token"), now);
        return;
    case N_SOURCES:
        break;
    }
}

/* ---- shared files ---- */

static bool read_profile(struct aws_credentials *c, struct str config, struct str name,
                         struct aws_profile *ret_profile)
{
    *ret_profile = (struct aws_profile){.found = false};
    return (aws_profile_read(config, AWS_PROFILE_CONFIG, name, ret_profile, &c->err) ||
            err_wrap(&c->err, "config file")) &&
           (aws_profile_read(c->files_text, AWS_PROFILE_CREDENTIALS, name, ret_profile, &c->err) ||
            err_wrap(&c->err, "credentials file"));
}

static bool assume_from(struct aws_credentials *c, struct str config,
                        const struct aws_profile *profile, wall_t now)
{
    struct aws_profile from;
    if (!read_profile(c, config, profile->source_profile, &from)) {
        return false;
    }
    struct aws_keys keys = {from.access_key_id, from.secret_access_key, from.session_token};
    if (!is_key(keys.access_key_id) || !is_key(keys.secret_access_key)) {
        return err_set(&c->err, ERR_UNSUPPORTED, "source_profile \"" STR_FMT "\" has no keys",
                       STR_ARG(profile->source_profile));
    }
    struct sts_assume_role_request input = {.role_arn = profile->role_arn,
                                            .role_session_name =
                                                session_name(profile->role_session_name)};
    input.external_id.p = profile->external_id.n > 0 ? profile->external_id.p : NULL;
    input.external_id.n = profile->external_id.n;
    want_role(c, &aws_sts_assume_role, &input, &keys, now);
    return true;
}

/* What the profile asks for. False: it asks for what cannot be, err is set. */
static bool use_profile(struct aws_credentials *c, struct str config, wall_t now)
{
    const struct aws_environment *env = &c->environment;
    struct aws_profile profile;
    struct str name = env->profile.n > 0 ? env->profile : STR("default");
    if (!read_profile(c, config, name, &profile)) {
        return false;
    }
    if (!profile.found && env->profile.n > 0) {
        return err_set(&c->err, ERR_NOT_FOUND, "there is no profile \"" STR_FMT "\"",
                       STR_ARG(name));
    }
    if (profile.role_arn.n > 0 && profile.web_identity_token_file.n > 0) {
        start_web_identity(c, profile.role_arn, profile.web_identity_token_file,
                           profile.role_session_name);
        return true;
    }
    if (profile.role_arn.n > 0 && profile.source_profile.n > 0) {
        return assume_from(c, config, &profile, now);
    }
    if (profile.access_key_id.n > 0 && profile.secret_access_key.n > 0) {
        struct aws_keys keys = {profile.access_key_id, profile.secret_access_key,
                                profile.session_token};
        succeed(c, keys, (struct opt_wall){.has = false}, now);
        return true;
    }
    if (profile.credential_process.n > 0 || profile.sso_session.n > 0 ||
        profile.sso_start_url.n > 0 || profile.role_arn.n > 0) {
        return err_set(&c->err, ERR_UNSUPPORTED,
                       "profile \"" STR_FMT "\" needs a program or a sign-in; "
                       "`aws configure export-credentials --format env` gives keys",
                       STR_ARG(name));
    }
    start_source(c, SOURCE_CONTAINER, now);
    return true;
}

/* ---- answers ---- */

static void use_identity_token(struct aws_credentials *c, bool found, struct str token, wall_t now)
{
    struct sts_assume_role_with_web_identity_request input = {
        .role_arn = c->role_arn, .role_session_name = c->session_name, .web_identity_token = token};
    if (!found || token.n == 0 || token.n > LIMIT_CREDENTIAL_BYTES) {
        err_set(&c->err, ERR_IO, "no token in " STR_FMT, STR_ARG(c->want.path));
        fail(c, now);
        return;
    }
    want_role(c, &aws_sts_assume_role_with_web_identity, &input, /* keys= */ NULL, now);
}

void aws_credentials_file(struct aws_credentials *c, bool found, struct str text, wall_t now)
{
    struct str copy = found ? str_copy(&c->round, text) : STR_EMPTY;
    assert(c->want.kind == AWS_WANT_FILE);
    switch (c->step) {
    case STEP_IDENTITY_TOKEN:
        use_identity_token(c, found, str_trim(copy), now);
        break;
    case STEP_CREDENTIALS_FILE:
        c->files_text = copy;
        want_file(c, STEP_CONFIG_FILE,
                  file_path(c, c->environment.config_file, STR("/.aws/config")));
        break;
    case STEP_CONFIG_FILE:
        if (!use_profile(c, copy, now)) {
            fail(c, now);
        }
        break;
    case STEP_CONTAINER_TOKEN:
        if (!found || copy.n > LIMIT_CREDENTIAL_BYTES) {
            err_set(&c->err, ERR_IO, "no token in " STR_FMT, STR_ARG(c->want.path));
            fail(c, now);
        } else {
            start_container_request(c, str_trim(copy), now);
        }
        break;
    case STEP_NONE:
    case STEP_ROLE:
    case STEP_CONTAINER:
    case STEP_METADATA_TOKEN:
    case STEP_METADATA_ROLE:
    case STEP_METADATA_KEYS:
        break;
    }
}

static void use_role(struct aws_credentials *c, const struct aws_http_reply *reply, wall_t now)
{
    struct aws_fault fault;
    void *output = NULL;
    bool by_token = c->role_operation == &aws_sts_assume_role_with_web_identity;
    if (!aws_reply_read(c->role_operation, reply, &c->round, &output, &fault, &c->err)) {
        fail(c, now);
        return;
    }
    const struct sts_credentials *got = NULL;
    if (output != NULL && by_token) {
        got = ((struct sts_assume_role_with_web_identity_response *)output)->credentials;
    } else if (output != NULL) {
        got = ((struct sts_assume_role_response *)output)->credentials;
    }
    if (got == NULL || !got->expiration.has) {
        err_set(&c->err, aws_fault_is_retryable(fault.kind) ? ERR_IO : ERR_INVALID,
                "STS: %s: " STR_FMT " " STR_FMT, aws_fault_kind_name(fault.kind),
                STR_ARG(fault.code), STR_ARG(fault.message));
        fail(c, now);
        return;
    }
    struct aws_keys keys = {got->access_key_id, got->secret_access_key, got->session_token};
    succeed(c, keys, got->expiration, now);
}

static struct str text_member(const json_t *json, const char *name)
{
    const json_t *member = json_object_get(json, name);
    return json_is_string(member) ? str_of(json_string_value(member)) : STR_EMPTY;
}

/* {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"} of agents and the metadata service. */
static void use_agent(struct aws_credentials *c, struct str body, wall_t now)
{
    auto_json *json = NULL;
    struct opt_wall expires = {.has = true};
    if (body.n > LIMIT_CREDENTIAL_BYTES || !json_decode_text(body, &c->round, &json, &c->err)) {
        err_set(&c->err, ERR_PARSE, "the answer is no JSON");
        fail(c, now);
        return;
    }
    struct aws_keys keys = {text_member(json, "AccessKeyId"), text_member(json, "SecretAccessKey"),
                            text_member(json, "Token")};
    if (!aws_time_parse(text_member(json, "Expiration"), &expires.v, &c->err)) {
        err_wrap(&c->err, "Expiration");
        fail(c, now);
        return;
    }
    /* During an outage the metadata service gives out keys that say they have expired, and services
     * take them: https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html */
    if (c->source == SOURCE_INSTANCE && expires.v < sat_add(now, STALE_MS)) {
        expires.v = sat_add(now, STALE_MS);
    }
    succeed(c, keys, expires, now);
}

static void use_metadata_role(struct aws_credentials *c, struct str body, wall_t now)
{
    struct str role = str_trim(str_sub(body, 0, str_find(body, '\n')));
    bool good = role.n > 0 && role.n <= 128;
    for (size_t i = 0; good && i < role.n; i++) {
        good = role.p[i] > ' ' && role.p[i] < 127 && role.p[i] != '/' && role.p[i] != '?' &&
               role.p[i] != '#' && role.p[i] != '%';
    }
    if (!good) {
        err_set(&c->err, ERR_INVALID, "the name of the role is not one");
        fail(c, now);
        return;
    }
    want_metadata(c, STEP_METADATA_KEYS,
                  joined(&c->round, STR("/latest/meta-data/iam/security-credentials/"), role), now);
}

static void use_metadata_token(struct aws_credentials *c, struct str body, wall_t now)
{
    struct str token = str_trim(body);
    if (token.n == 0 || token.n > LIMIT_NAME_BYTES || str_find(token, '\n') < token.n ||
        str_find(token, '\r') < token.n) {
        err_set(&c->err, ERR_INVALID, "the session token is not one");
        fail(c, now);
        return;
    }
    c->metadata_token = str_copy(&c->round, token);
    want_metadata(c, STEP_METADATA_ROLE, STR("/latest/meta-data/iam/security-credentials/"), now);
}

/* What the metadata service answers where it is turned off, and what stands in its place off EC2.
 */
static bool is_closed(int status)
{
    return status == 403 || status == 404 || status == 405;
}

void aws_credentials_reply(struct aws_credentials *c, const struct aws_http_reply *reply,
                           struct str why, wall_t now)
{
    assert(c->want.kind == AWS_WANT_HTTP);
    bool good = reply != NULL && reply->status == 200;
    if (c->step == STEP_METADATA_TOKEN && (reply == NULL || is_closed(reply->status))) {
        nothing_left(c, reply == NULL ? "does not answer" : "refuses to answer", now);
        return;
    }
    if (c->step == STEP_ROLE && reply != NULL) {
        use_role(c, reply, now);
        return;
    }
    if (!good) {
        struct str path = c->want.request.path;
        if (reply == NULL) {
            err_set(&c->err, ERR_IO, STR_FMT, STR_ARG(why));
        } else {
            err_set(&c->err, ERR_IO, STR_FMT " answers %d", STR_ARG(path), reply->status);
        }
        fail(c, now);
        return;
    }
    if (c->step == STEP_METADATA_TOKEN) {
        use_metadata_token(c, reply->body, now);
    } else if (c->step == STEP_METADATA_ROLE) {
        use_metadata_role(c, reply->body, now);
    } else {
        use_agent(c, reply->body, now);
    }
}

/* ---- the outside ---- */

struct aws_credentials *aws_credentials_new(const struct aws_environment *environment)
{
    struct arena arena = ARENA_INIT;
    struct aws_credentials *c = ARENA_NEW(&arena, struct aws_credentials);
    /* The struct is nothing but texts. */
    struct aws_environment copy = *environment;
    struct str *texts = (struct str *)(void *)&copy;
    for (size_t i = 0; i < sizeof copy / sizeof texts[0]; i++) {
        texts[i] = texts[i].n == 0 ? STR_EMPTY : str_copy(&arena, texts[i]);
    }
    *c = (struct aws_credentials){
        .arena = arena, .held = ARENA_INIT, .round = ARENA_INIT, .environment = copy};
    c->not_before = INT64_MIN;
    return c;
}

void aws_credentials_free(struct aws_credentials *c)
{
    if (c == NULL) {
        return;
    }
    struct arena arena = c->arena;
    arena_done(&c->held);
    arena_done(&c->round);
    arena_done(&arena);
}

bool aws_credentials_is_due(const struct aws_credentials *c, wall_t now)
{
    bool fresh =
        c->has_keys && (!c->expires.has || sat_sub(c->expires.v, now) > AWS_CREDENTIALS_EARLY_MS);
    return !fresh && now >= c->not_before && !c->in_round;
}

void aws_credentials_begin(struct aws_credentials *c, wall_t now)
{
    if (c->in_round) {
        return;
    }
    arena_reset(&c->round);
    c->files_text = STR_EMPTY;
    c->in_round = true;
    start_source(c, SOURCE_ENVIRONMENT, now);
}

const struct aws_want *aws_credentials_next(const struct aws_credentials *c)
{
    return &c->want;
}

bool aws_credentials_get(const struct aws_credentials *c, wall_t now, struct aws_keys *ret_keys,
                         struct err *err)
{
    if (c->has_keys && (!c->expires.has || now < c->expires.v)) {
        *ret_keys = c->keys;
        return true;
    }
    if (c->err.code == ERR_NONE) {
        return err_set(err, ERR_NOT_FOUND, "AWS credentials have not been fetched");
    }
    *err = c->err;
    return false;
}

bool aws_credentials_failed(const struct aws_credentials *c, struct err *ret_err)
{
    if (c->err.code != ERR_NONE) {
        *ret_err = c->err;
    }
    return c->err.code != ERR_NONE;
}

void aws_credentials_reject(struct aws_credentials *c)
{
    c->has_keys = false;
    c->not_before = INT64_MIN;
}

struct str aws_credentials_source(const struct aws_credentials *c)
{
    return c->has_keys ? source_names[c->keys_source] : STR_EMPTY;
}
