/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The region that this machine runs in, asked of the metadata service of EC2, version 2.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-categories.html
 * (placement/region) */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct arena;
struct io_http;
struct io_loop;

/* `url`: of the service; empty: where it is. Turns the loop meanwhile, so not from a callback. The
 * region is in `arena`. Errors: ERR_NOT_FOUND when nobody answers within two seconds or the answer
 * names no region; ERR_INVALID for an address that is none; those of the loop. */
MUST_CHECK bool live_aws_region_ask(struct io_loop *loop, struct io_http *http, struct str url,
                                    struct arena *arena, struct str *ret_region, struct err *err);
