/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The conditions of a status, as Karpenter keeps them (karp: operatorpkg condition sets).
 *
 * Those that Ready follows from are always there, Unknown until somebody says otherwise: of a
 * NodeClaim Launched, Registered and Initialized, of a NodePool ValidationSucceeded and
 * NodeClassReady. A transition is a change of the status only: another reason leaves its time
 * alone. Written are Ready last, the others by the time of their transition. */
#pragma once

#include "base/jsonw.h"
#include "k8s/values.h"

enum { CONDITIONS_MAX = 16 };

/* The types that Ready follows from. */
struct condition_set {
    const char *const *types; /* [n] */
    uint32_t n;
};
extern const struct condition_set conditions_of_claim, conditions_of_pool;

struct condition {
    struct str type, status, reason, message;
    wall_t changed;
    int64_t generation;
};

struct conditions {
    struct condition v[CONDITIONS_MAX]; /* [n] without Ready */
    uint32_t n;
    const struct condition_set *set;
    wall_t now;
    int64_t generation;     /* of the object */
    struct condition ready; /* of before; without a type: none */
    bool changed;           /* one of `v` is not as it was read */
};

/* Those of an object that was made at `created`. Texts belong to the table. */
struct conditions conditions_read(const struct condition_set *set, const struct strtab *tab,
                                  const struct k8s_conditions *of, wall_t created,
                                  int64_t generation, wall_t now);

/* True takes its type for the reason (karp: SetTrue). A seventeenth type is left out. */
void conditions_set_true(struct conditions *conditions, struct str type);
void conditions_set(struct conditions *conditions, struct str type, struct str status,
                    struct str reason, struct str message);

/* The status of a type; "Unknown" when it is not there. */
struct str conditions_status(const struct conditions *conditions, struct str type);
struct str conditions_reason(const struct conditions *conditions, struct str type);
/* The condition of a type; NULL: it is not there. */
const struct condition *conditions_find(const struct conditions *conditions, struct str type);

/* Whether what conditions_write gives is not what was read: something was set to what it was not,
 * or Ready does not follow from the others. */
bool conditions_differ(const struct conditions *conditions);

/* As the array that is to be the value now, with Ready. */
void conditions_write(const struct conditions *conditions, struct jsonw *w);
