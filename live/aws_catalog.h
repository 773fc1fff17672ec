/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asks AWS for all that a catalogue is made of: instance types, zones, offerings, on-demand and
 * spot prices, side by side. What comes are documents as the AWS CLI prints them, so that what
 * comes over the network passes the same checks as what comes from files. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/units.h"

struct live_aws;
struct live_aws_catalog; /* opaque */

/* Everything is under way from now on. Ended by live_aws_catalog_free, once it is over or after
 * live_aws_free. */
struct live_aws_catalog *live_aws_catalog_ask(struct live_aws *aws, wall_t now);
void live_aws_catalog_free(struct live_aws_catalog *catalog); /* NULL is fine */

struct live_aws_catalog_progress {
    uint32_t n_questions, n_answered, n_pages;
    bool is_over;  /* all are answered */
    bool is_stuck; /* one failed in a way that goes for all, or there is too much: to be given up */
};
struct live_aws_catalog_progress live_aws_catalog_progress(const struct live_aws_catalog *catalog);

/* Once it is over or stuck: whether all was answered. Else *err is what AWS refused last, and `say`
 * (NULL: nobody) is told of each refusal before that, so that a policy is mended once. */
MUST_CHECK bool live_aws_catalog_judge(const struct live_aws_catalog *catalog,
                                       void (*say)(void *ctx, const char *text), void *ctx,
                                       struct err *err);

/* The replies, and a header with region and day; as long as the catalogue is not freed. */
struct live_aws_documents {
    uint32_t n;
    json_t **v;        /* [n] */
    struct str *names; /* [n] "DescribeInstanceTypes, page 1" */
};
struct live_aws_documents live_aws_catalog_documents(const struct live_aws_catalog *catalog);
