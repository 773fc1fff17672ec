/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A lower bound that knows that nodes are whole: branching on the number of nodes of each kind.
 *
 * The cuts of counts.h say what any plan's numbers of nodes y have to satisfy. Their relaxation is
 * split where it buys part of a node: at most so many of a kind, or more. Every leaf has
 * multipliers of the cuts that prove its bound by adding up (see struct bp_count_proof), so the
 * whole tree is checked without an LP. Leaves of the lowest bound are split first: the bound rises
 * until the best plan is proven, the tree has as many leaves as it may, or a leaf is whole already.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binpack/solver/counts.h"

struct bp_tree_node {
    int32_t parent; /* -1: the root */
    uint32_t child; /* of an inner node: its lower half; the upper one follows */
    uint32_t kind;  /* that the parent was split on */
    bool above;     /* more than `split` nodes of it; else at most so many */
    uint32_t split;
    bool open; /* a leaf that may be split; false: whole, or above the cost */
    bool leaf;
    uint32_t next_kind, next_split; /* where a leaf would be split */
    double bound;                   /* in units of cost */
    double *weight;                 /* [n_cuts] of a leaf */
};

struct bp_tree {
    const struct bp_red *red;
    struct arena *arena;
    struct bp_glp *glp;
    uint32_t n_cuts;
    double *need;    /* [n_cuts] */
    double **value;  /* [n_cuts][n_kinds] share of the need, at most 1 */
    double **pi;     /* [n_cuts][n_classes] */
    double **proven; /* [n_cuts][n_kinds] what a node holds at those prices */
    struct bp_tree_node *nodes;
    uint32_t n_nodes, room;
    double cost;
    double *lo, *hi, *y, *dual; /* [n_kinds], [n_kinds], [n_kinds + 1], [n_cuts] */
    bool failed;
    struct err err;
};

/* Takes over the cuts. Only plans below `cost` (units of cost) are to be ruled out. */
void bp_tree_init(struct bp_tree *tree, struct arena *arena, const struct bp_counts *counts,
                  double cost);

/* Splits leaves for about `work` units. True while there is more to do. */
bool bp_tree_step(struct bp_tree *tree, uint64_t work, uint64_t *spent);

/* The smallest bound of a leaf. */
double bp_tree_bound(const struct bp_tree *tree);

/* The tree for the certificate, in terms of the problem's classes and offerings; NULL when its
 * numbers do not fit. The last thing to do with it. */
const struct bp_count_proof *bp_tree_proof(struct bp_tree *tree, struct arena *arena);

void bp_tree_done(struct bp_tree *tree);
