/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What differs between two plans: nodes to be bought, dollars, and pods that are new, gone, or have
 * won or lost their place.
 *
 * Plans are compared as documents (docs/plan.md), so that one of last week can be held against one
 * of today without the cluster that either was made from. Nodes have no identity before they are
 * bought: what is compared is how many of each kind (NodePool, instance type, zone, capacity type)
 * there are. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/units.h"

struct arena;
struct json_t;

struct diff_kind { /* nodes of one kind; sorted by pool, type, capacity type, zone */
    struct str pool, type, zone, capacity_type;
    uint32_t n;
    usd_t cost; /* of all of them */
};

struct diff_pod {      /* sorted by name */
    struct str name;   /* "namespace/name" */
    bool placed;       /* on a new or a running node */
    struct str reason; /* why it has no place: the first message; "" when it has one */
};

struct diff_side {
    struct str name;     /* as the command line has it */
    struct str left_out; /* what was refused while reading; "" for nothing */
    usd_t cost, bound, running_cost;
    usd_t after_cost; /* of all nodes once the plan is carried out: those that stay and new ones */
    uint32_t n_nodes, n_running, n_kinds, n_pods, n_placed;
    const struct diff_kind *kinds; /* [n_kinds] */
    const struct diff_pod *pods;   /* [n_pods] that need a place */
};

struct diff_line { /* a kind of node of which the two sides have different numbers or prices */
    struct diff_kind before, after; /* n is 0 on the side that has none */
};

struct diff {
    struct diff_side before, after;
    uint32_t n_lines, n_new, n_gone, n_won, n_lost;
    const struct diff_line *lines; /* [n_lines] sorted as kinds are */
    const struct diff_pod *const *new_pods, *const
                                                *gone_pods; /* needing a place on one side only */
    const struct diff_pod *const *won, *const *lost;        /* a place; as on the side after */
};

/* Everything is copied into `arena`. ERR_INVALID names the field that is no plan's. */
MUST_CHECK bool diff_read(const struct json_t *document, struct str name, struct arena *arena,
                          struct diff_side *ret_side, struct err *err);

/* Lives in `arena`, and in those of the sides. */
struct diff diff_of(const struct diff_side *before, const struct diff_side *after,
                    struct arena *arena);

/* Nothing that a person would see: no node, no pod, no dollar, neither of new nodes nor of those
 * that run. */
bool diff_is_empty(const struct diff *diff);
