/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clock skew: AWS refuses signatures whose time is more than five minutes (EC2, STS and others) off
 * its own. The state is how far the server's clock is ahead of ours, learned from the header Date
 * of a reply that refused us for its time, and added to the clock of later signatures. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "base/units.h"

struct aws_skew {
    int64_t ahead_ms; /* server minus local; 0 until learned */
};

/* The least difference worth correcting: below it another reason must explain the refusal. */
enum { AWS_SKEW_LEAST_MS = 4 * 60 * 1000 };

wall_t aws_skew_now(const struct aws_skew *skew, wall_t local);

/* From the Date header of a refusal. True when the state changed by at least AWS_SKEW_LEAST_MS, so
 * that signing again can help; false when `date` is no date or the clocks agree, so that it
 * cannot and must not be tried. */
bool aws_skew_learn(struct aws_skew *skew, wall_t local, struct str date);
