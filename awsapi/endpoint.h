/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a service answers, and under which region requests to it are signed.
 *
 * https://<service>.<region>.<suffix of the partition>, with "-fips" behind the service and the
 * dual-stack suffix on demand; IAM has one endpoint per partition; prices are served from a few
 * regions only. AWS_ENDPOINT_URL_<SERVICE> and AWS_ENDPOINT_URL override all of that. */
#pragma once

#include <stdbool.h>

#include "awsapi/message.h"
#include "base/err.h"

struct arena;
struct aws_service;

struct aws_endpoint {
    struct str scheme, host; /* as in struct aws_http_request */
    struct str base_path;    /* "/custom", before every path; empty: none */
    struct str signing_region;
};

struct aws_endpoint_settings {
    struct str region;      /* "us-east-1" */
    bool use_fips;          /* AWS_USE_FIPS_ENDPOINT */
    bool use_dualstack;     /* AWS_USE_DUALSTACK_ENDPOINT */
    struct str url;         /* AWS_ENDPOINT_URL, empty: none */
    struct str service_url; /* AWS_ENDPOINT_URL_<SERVICE>, which wins; empty: none */
};

/* The partition ("aws", "aws-cn", "aws-us-gov", ...) of a region, also of regions that are newer
 * than this table, by the look of their name; "aws" when nothing fits. Static. */
struct str aws_partition_of(struct str region);

/* Errors: ERR_INVALID for a region that is no host label, or a URL that is not http(s)://host. */
MUST_CHECK bool aws_endpoint_find(const struct aws_service *service,
                                  const struct aws_endpoint_settings *settings, struct arena *arena,
                                  struct aws_endpoint *ret_endpoint, struct err *err);

/* "http://127.0.0.1:5000/base" to its parts; errors as above. */
MUST_CHECK bool aws_endpoint_parse(struct str url, struct aws_endpoint *ret_endpoint,
                                   struct err *err);

/* Fills scheme, host and the beginning of the path of a request made by aws_request_make. */
void aws_endpoint_apply(const struct aws_endpoint *endpoint, struct str host_prefix,
                        struct aws_http_request *request, struct arena *arena);
