/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the environment and the shared files say about where and who we are for AWS. */
#pragma once

#include <stdbool.h>

#include "awsapi/credentials.h"
#include "base/err.h"

struct arena;

struct live_aws_place {
    struct str region; /* empty: nothing names one */
    struct str url;    /* AWS_ENDPOINT_URL; empty: none */
    struct str ca_pem; /* what AWS_CA_BUNDLE holds; empty: the system's certificates */
    bool use_fips, use_dualstack;
    const char *region_option;          /* see live_aws_settings */
    struct aws_environment environment; /* for the keys */
};

/* `region` and `profile` go before the environment; empty: they are not given. As AWS tools have
 * it, a profile that is named goes before keys of the environment. Texts are views of the arguments
 * and of the environment, or in `arena`. Errors: see live_aws_open, but for a region that nothing
 * names. */
MUST_CHECK bool live_aws_find_place(struct str region, struct str profile, struct arena *arena,
                                    struct live_aws_place *ret_place, struct err *err);

/* "no AWS region: ..." and `also`; returns false. */
bool live_aws_no_region(const struct live_aws_place *place, const char *also, struct err *err);

/* AWS_ENDPOINT_URL_<NAME> of a service ("EC2", "Pricing"); empty: not set. */
struct str live_aws_service_url(const char *name);
