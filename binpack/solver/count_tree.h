/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A lower bound that knows that nodes are whole: branching on the number of nodes of each kind.
 *
 * The cuts of counts.h say what any plan's numbers of nodes y have to satisfy. Their relaxation is
 * split where it buys part of a node: at most so many of a kind, or more. Every leaf has
 * multipliers of the cuts that prove its bound by adding up (see struct bp_count_proof), so the
 * whole tree is checked without an LP. The leaf of the lowest bound comes first: as long as its
 * numbers of nodes cannot hold everything even in fractions, that makes one more cut; then it is
 * split. Where its numbers are whole, they are packed: that is the best plan, or the end of what
 * cuts can prove. */
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
    double *weight;                 /* [room of cuts] of a leaf, 0 behind n_solved */
    uint32_t n_solved;              /* cuts that its bound knows */
    uint32_t n_holds;               /* cuts made for it */
    bool held;                      /* no further cut is to be found here */
};

enum bp_tree_state { BP_TREE_SPLIT, BP_TREE_HOLD, BP_TREE_PACK };

struct bp_tree {
    const struct bp_red *red;
    struct arena *arena;
    struct bp_counts *counts; /* finds cuts, packs */
    struct bp_glp *glp;
    enum bp_tree_state state;
    uint32_t at; /* the leaf that y belongs to */
    uint32_t n_cuts;
    double *need;    /* [n_cuts] */
    double **value;  /* [n_cuts][n_kinds] share of the need, at most 1 */
    double **pi;     /* [n_cuts][n_classes] */
    double **proven; /* [n_cuts][n_kinds] what a node holds at those prices */
    struct bp_tree_node *nodes;
    uint32_t n_nodes, room;
    double cost;
    bool holds; /* leaves make cuts; else they are split, which is quicker as long as it helps */
    double *lo, *hi, *y, *dual; /* [n_kinds], [n_kinds], [n_kinds + 1], [n_cuts] */
    bool failed;
    struct err err;
};

/* Takes over the cuts; `counts` makes more. Only plans below `cost` (units of cost) are to be ruled
 * out. */
void bp_tree_init(struct bp_tree *tree, struct arena *arena, struct bp_counts *counts, double cost);

/* Works on leaves for about `work` units. True while there is more to do. *ret_plan: counts->plan
 * is one, perhaps with units left out. */
bool bp_tree_step(struct bp_tree *tree, uint64_t work, uint64_t *spent, bool *ret_plan);

/* A better plan has been found: only cheaper ones matter from now on. */
void bp_tree_set_cost(struct bp_tree *tree, double cost);

/* The smallest bound of a leaf. */
double bp_tree_bound(const struct bp_tree *tree);

/* The tree for the certificate, in terms of the problem's classes and offerings; NULL when its
 * numbers do not fit. */
const struct bp_count_proof *bp_tree_proof(const struct bp_tree *tree, struct arena *arena);

void bp_tree_done(struct bp_tree *tree);
