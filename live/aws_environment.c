/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "live/aws_environment.h"

#include <stdio.h>

#include "awsapi/profile.h"
#include "base/arena.h"
#include "base/limits.h"
#include "io/environment.h"
#include "io/files.h"

/* https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html */
static const struct {
    const char *name;
    size_t offset;
} variables[] = {
#define VARIABLE(name, field)                                                                      \
    {                                                                                              \
        name, offsetof(struct aws_environment, field)                                              \
    }
    VARIABLE("AWS_ACCESS_KEY_ID", access_key_id),
    VARIABLE("AWS_SECRET_ACCESS_KEY", secret_access_key),
    VARIABLE("AWS_SESSION_TOKEN", session_token),
    VARIABLE("AWS_ROLE_ARN", role_arn),
    VARIABLE("AWS_WEB_IDENTITY_TOKEN_FILE", web_identity_token_file),
    VARIABLE("AWS_ROLE_SESSION_NAME", role_session_name),
    VARIABLE("AWS_PROFILE", profile),
    VARIABLE("AWS_SHARED_CREDENTIALS_FILE", shared_credentials_file),
    VARIABLE("AWS_CONFIG_FILE", config_file),
    VARIABLE("HOME", home),
    VARIABLE("AWS_CONTAINER_CREDENTIALS_FULL_URI", container_full_uri),
    VARIABLE("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", container_relative_uri),
    VARIABLE("AWS_CONTAINER_AUTHORIZATION_TOKEN", container_token),
    VARIABLE("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", container_token_file),
    VARIABLE("AWS_EC2_METADATA_DISABLED", metadata_disabled),
    VARIABLE("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata_endpoint),
#undef VARIABLE
};

struct str live_aws_service_url(const char *name)
{
    char variable[64];
    int n = snprintf(variable, sizeof variable, "AWS_ENDPOINT_URL_%s", name);
    for (int i = 0; i < n && i < (int)sizeof variable; i++) {
        char c = variable[i];
        variable[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    return io_environment(variable);
}

static bool is_true(const char *name)
{
    return aws_header_name_eq(io_environment(name), STR("true"));
}

/* region of the profile, empty when it has none. A file that is not there has none. */
static bool profile_region(const struct aws_environment *env, struct arena *arena,
                           struct str *ret_region, struct err *err)
{
    struct aws_profile profile = {.found = false};
    struct str text = STR_EMPTY;
    struct strbuf path = strbuf_new(arena, LIMIT_VALUE_BYTES);
    strbuf_add(&path, env->config_file.n > 0 ? env->config_file : env->home);
    strbuf_add(&path, env->config_file.n > 0 ? STR_EMPTY : STR("/.aws/config"));
    const char *file = str_cstr(arena, strbuf_str(&path));
    if (!io_file_read(file, LIMIT_CREDENTIAL_BYTES, arena, &text, err)) {
        *ret_region = STR_EMPTY;
        return err->code == ERR_NOT_FOUND || err_wrap(err, "AWS config file");
    }
    if (!aws_profile_read(text, AWS_PROFILE_CONFIG,
                          env->profile.n > 0 ? env->profile : STR("default"), &profile, err)) {
        return err_wrap(err, "%s", file);
    }
    *ret_region = profile.region;
    return true;
}

static bool find_region(struct str given, struct arena *arena, struct live_aws_place *place,
                        struct err *err)
{
    struct str first = io_environment("AWS_REGION"), second = io_environment("AWS_DEFAULT_REGION");
    place->region = given.n > 0 ? given : first.n > 0 ? first : second;
    return place->region.n > 0 || profile_region(&place->environment, arena, &place->region, err);
}

bool live_aws_no_region(const struct live_aws_place *place, const char *also, struct err *err)
{
    return err_set(
        err, ERR_NOT_FOUND,
        "no AWS region: %s%sAWS_REGION and AWS_DEFAULT_REGION are "
        "not set, profile \"" STR_FMT
        "\" of the AWS config file names none, and instance metadata %s",
        place->region_option == NULL ? "" : place->region_option,
        place->region_option == NULL ? "" : " is not given, ",
        STR_ARG(place->environment.profile.n > 0 ? place->environment.profile : STR("default")),
        also);
}

bool live_aws_find_place(struct str region, struct str profile, struct arena *arena,
                         struct live_aws_place *ret_place, struct err *err)
{
    struct live_aws_place place = {.url = io_environment("AWS_ENDPOINT_URL"),
                                   .use_fips = is_true("AWS_USE_FIPS_ENDPOINT"),
                                   .use_dualstack = is_true("AWS_USE_DUALSTACK_ENDPOINT")};
    struct aws_environment *env = &place.environment;
    struct str bundle = io_environment("AWS_CA_BUNDLE");
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        *(struct str *)(void *)((char *)env + variables[i].offset) =
            io_environment(variables[i].name);
    }
    if (profile.n > 0) {
        env->profile = profile;
        env->access_key_id = env->secret_access_key = env->session_token = STR_EMPTY;
        env->role_arn = STR_EMPTY;
    }
    if (bundle.n > 0 &&
        !io_file_read(str_cstr(arena, bundle), LIMIT_CREDENTIAL_BYTES, arena, &place.ca_pem, err)) {
        return err_wrap(err, "AWS_CA_BUNDLE");
    }
    if (!find_region(region, arena, &place, err)) {
        return false;
    }
    env->region = place.region;
    env->sts_url = live_aws_service_url("STS");
    env->sts_url = env->sts_url.n > 0 ? env->sts_url : place.url;
    *ret_place = place;
    return true;
}
