/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why nodes go, with the names that NodePool budgets, NodeClaim conditions and metrics use. */
#pragma once

#include <stdint.h>

enum disrupt_reason {
    DISRUPT_EMPTY,
    DISRUPT_DRIFTED,
    DISRUPT_UNDERUTILIZED,
    DISRUPT_EXPIRED,
    DISRUPT_N_REASONS,
    DISRUPT_NONE = DISRUPT_N_REASONS /* the node stays */
};

/* "Empty", "Drifted", "Underutilized", "Expired"; static text. */
const char *disrupt_reason_name(enum disrupt_reason reason);
