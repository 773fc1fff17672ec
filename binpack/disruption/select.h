/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which nodes to give up, and how much can be saved at most: the Lagrangian of consolidation.
 *
 * Model. Pods have values: pi_i per pod of class i, such that no node that can be bought holds pods
 * of more value than its price. A node e that may go has a price p_e, pods that would have to move,
 * worth q_e = pi.n_e, and free room for pods worth at most v_e. If it stays it costs p_e and takes
 * pods of others worth at most v_e; if it goes, its pods must be paid for elsewhere. Rows are what
 * limits how many go: sum over nodes that go of use_re <= max_r (moved pods, budgets of a
 * NodePool). For any scale t in [0, 1] of the values and any charge kappa_r >= 0 per unit of a row,
 *
 *   bound = -sum_r kappa_r max_r
 *         + sum over nodes that may go  of min(p_e - t v_e, t q_e + sum_r kappa_r use_re)
 *         + sum over rooms              of stock min(0, c - t v)
 *
 * is at most what any choice leaves to pay: the price of the nodes that stay of those that may go,
 * and of what is bought. Rooms are nodes that stay anyway (price 0) and offerings of finite stock.
 * All sums are integers: values are scaled by 2^BP_DUAL_BITS, rounded so that the bound stays true.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/units.h"

struct arena;

enum select_kind { SELECT_MAY_GO, SELECT_ROOM };

struct select_item {
    enum select_kind kind;
    usd_t price;    /* nano-dollars per hour */
    int64_t room;   /* at least v, scaled by 2^BP_DUAL_BITS */
    int64_t pods;   /* at most q, scaled by 2^BP_DUAL_BITS */
    uint32_t stock; /* of a ROOM, >= 1 */
};

struct select_row {
    int64_t max;         /* >= 0 */
    const uint32_t *use; /* [n_items] */
};

struct select {
    uint32_t n_items, n_rows;
    const struct select_item *items;
    const struct select_row *rows;
};

struct select_answer {
    usd_t bound;     /* may be negative when rooms are worth more than all */
    int64_t scale;   /* t times 2^BP_DUAL_BITS */
    usd_t *charge;   /* [n_rows] kappa, nano-dollars per hour and unit */
    int64_t *value;  /* [n_items] the same without the charges of rows: what it is worth to give up
                        if rows leave room */
    int64_t *profit; /* [n_items] nano-dollars per hour that giving the item up promises at these
                        prices; only of SELECT_MAY_GO */
};

/* The best bound found; what each node promises goes by the scale and the charges of the answer,
 * which balance pods and rows and need not be those of that bound. Arrays of the answer are in
 * `arena`. */
void select_bound(const struct select *select, struct arena *arena,
                  struct select_answer *ret_answer);
