/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an error of a launch means: of CreateFleet itself, or of one offering in its answer.
 *
 * Codes, effects and reasons of Karpenter's AWS provider v1.14 (karp-aws: pkg/errors). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum fleet_effect {
    FLEET_FAILED,       /* asking for the same again may or may not help: later */
    FLEET_NO_CAPACITY,  /* not this offering, not now */
    FLEET_NO_ADDRESSES, /* the same, and not this subnet */
    FLEET_QUOTA,        /* the same, and nothing that shares its quota */
    FLEET_NO_ROLE,      /* nothing of this capacity type */
    FLEET_NO_TEMPLATE   /* launch templates are to be made again, then the same once more */
};

struct fleet_error {
    enum fleet_effect effect;
    struct str reason; /* of the condition Launched; static */
};

struct fleet_error_row {
    const char *code;    /* the whole of it; "AccessDenied*": what begins so */
    const char *message; /* a part of it; empty: any */
    enum fleet_effect effect;
    const char *reason;
};
extern const struct fleet_error_row fleet_error_rows[]; /* the first that fits counts */
extern const uint32_t fleet_error_n_rows;

/* The row's number; fleet_error_n_rows when none fits. */
uint32_t fleet_error_find(struct str code, struct str message);
struct fleet_error fleet_error_of(struct str code, struct str message);

/* Whether another offering may have what this one has not. */
bool fleet_effect_is_capacity(enum fleet_effect effect);
