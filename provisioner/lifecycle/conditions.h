/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The conditions of a NodeClaim's status, as Karpenter keeps them (karp: operatorpkg condition
 * sets).
 *
 * Launched, Registered and Initialized are always there, Unknown until somebody says otherwise;
 * Ready follows from the three. A transition is a change of the status only: another reason leaves
 * its time alone. Written are Ready last, the others by the time of their transition. */
#pragma once

#include "base/jsonw.h"
#include "k8s/values.h"

enum { CONDITIONS_MAX = 16 };

struct condition {
    struct str type, status, reason, message;
    wall_t changed;
    int64_t generation;
};

struct conditions {
    struct condition v[CONDITIONS_MAX]; /* [n] without Ready */
    uint32_t n;
    wall_t now;
    int64_t generation; /* of the object */
    struct opt_wall ready_changed;
    struct str ready; /* its status of before; empty: none */
};

/* Those of an object that was made at `created`. Texts belong to the table. */
struct conditions conditions_read(const struct strtab *tab, const struct k8s_conditions *of,
                                  wall_t created, int64_t generation, wall_t now);

/* True takes its type for the reason (karp: SetTrue). A seventeenth type is left out. */
void conditions_set_true(struct conditions *conditions, struct str type);
void conditions_set(struct conditions *conditions, struct str type, struct str status,
                    struct str reason, struct str message);

/* The status of a type; "Unknown" when it is not there. */
struct str conditions_status(const struct conditions *conditions, struct str type);
struct str conditions_reason(const struct conditions *conditions, struct str type);

/* As the array that is to be the value now, with Ready. */
void conditions_write(const struct conditions *conditions, struct jsonw *w);
