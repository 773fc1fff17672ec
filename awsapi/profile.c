/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "awsapi/profile.h"

#include <stddef.h>

#include "awsapi/message.h"
#include "base/limits.h"

static const struct {
    struct str name;
    size_t offset;
} settings[] = {
    {STR("aws_access_key_id"), offsetof(struct aws_profile, access_key_id)},
    {STR("aws_secret_access_key"), offsetof(struct aws_profile, secret_access_key)},
    {STR("aws_session_token"), offsetof(struct aws_profile, session_token)},
    {STR("role_arn"), offsetof(struct aws_profile, role_arn)},
    {STR("source_profile"), offsetof(struct aws_profile, source_profile)},
    {STR("credential_source"), offsetof(struct aws_profile, credential_source)},
    {STR("role_session_name"), offsetof(struct aws_profile, role_session_name)},
    {STR("external_id"), offsetof(struct aws_profile, external_id)},
    {STR("web_identity_token_file"), offsetof(struct aws_profile, web_identity_token_file)},
    {STR("region"), offsetof(struct aws_profile, region)},
    {STR("credential_process"), offsetof(struct aws_profile, credential_process)},
    {STR("sso_session"), offsetof(struct aws_profile, sso_session)},
    {STR("sso_start_url"), offsetof(struct aws_profile, sso_start_url)},
};

/* Whether "[...]" is the section of the profile. */
static bool is_section(struct str line, enum aws_profile_file file, struct str profile)
{
    struct str name = str_trim(str_sub(line, 1, str_find(line, ']') - 1));
    struct str word = STR("profile");
    bool prefixed = str_starts(name, word) && name.n > word.n &&
                    (name.p[word.n] == ' ' || name.p[word.n] == '\t');
    if (file == AWS_PROFILE_CREDENTIALS) {
        return str_eq(name, profile);
    }
    if (prefixed) {
        return str_eq(str_trim(str_sub(name, word.n, name.n)), profile);
    }
    return str_eq(profile, STR("default")) && str_eq(name, profile);
}

static void set(struct aws_profile *profile, struct str name, struct str value)
{
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (aws_header_name_eq(name, settings[i].name)) {
            *(struct str *)(void *)((char *)profile + settings[i].offset) = value;
        }
    }
}

bool aws_profile_read(struct str text, enum aws_profile_file file, struct str profile,
                      struct aws_profile *profile_io, struct err *err)
{
    bool inside = false;
    unsigned line_i = 0;
    if (text.n > LIMIT_CREDENTIAL_BYTES) {
        return err_set(err, ERR_LIMIT, "%zu bytes, more than %d", text.n, LIMIT_CREDENTIAL_BYTES);
    }
    for (struct str rest = text; rest.n > 0;) {
        size_t end = str_find(rest, '\n');
        struct str raw = str_sub(rest, 0, end);
        struct str line = str_trim(raw);
        rest = str_sub(rest, end + 1, rest.n);
        line_i++;
        if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';') {
            continue;
        }
        bool indented = raw.p[0] == ' ' || raw.p[0] == '\t';
        size_t equals = str_find(line, '=');
        if (line.p[0] == '[' && str_find(line, ']') < line.n) {
            inside = is_section(line, file, profile);
            profile_io->found = profile_io->found || inside;
        } else if (equals == line.n || equals == 0) {
            return err_set(err, ERR_PARSE, "line %u: neither a [section] nor name = value", line_i);
        } else if (inside && !indented) {
            set(profile_io, str_trim(str_sub(line, 0, equals)),
                str_trim(str_sub(line, equals + 1, line.n)));
        }
    }
    return true;
}
