/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shared files of the AWS CLI, ~/.aws/credentials and ~/.aws/config: sections of "name = value"
 * lines. https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
 *
 * A section is [name] in the credentials file; [default] or [profile name] in the config file.
 * Lines that begin with '#' or ';' are comments; indented lines below a value (nested settings) are
 * passed over; of a name given twice the last counts. Names are compared without regard to case. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

enum aws_profile_file { AWS_PROFILE_CREDENTIALS, AWS_PROFILE_CONFIG };

/* Views of the file; empty when absent. */
struct aws_profile {
    bool found; /* there is such a section */
    struct str access_key_id, secret_access_key, session_token;
    struct str role_arn, source_profile, credential_source, role_session_name, external_id;
    struct str web_identity_token_file;
    struct str region;
    struct str credential_process, sso_session, sso_start_url; /* not supported: to say so */
};

/* Values of `profile` in the file, put over those that *profile_io already has. Errors: ERR_PARSE
 * with the line for a line that is neither section, setting, comment nor blank (its text is not
 * quoted: it may be a secret); ERR_LIMIT above LIMIT_CREDENTIAL_BYTES. */
MUST_CHECK bool aws_profile_read(struct str text, enum aws_profile_file file, struct str profile,
                                 struct aws_profile *profile_io, struct err *err);
