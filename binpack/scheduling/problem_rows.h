/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rows of a problem while it is built: rules in terms of classes, nodes and label values become
 * caps, exclusions, limits, varieties and groups over units, offerings and axis values. Part of
 * problem_build.h. */
#pragma once

#include "base/vec.h"
#include "binpack/scheduling/problem_build.h"

/* A topology key, seen through the filter of a spread constraint where that hides targets. */
struct sched_axis {
    strid key;
    const uint64_t *cells, *nodes; /* those that are looked at; NULL: all */
    uint32_t n_values;
    const strid *values; /* by text */
};

struct sched_domain {
    const uint64_t *column; /* [unit_words] */
    const uint32_t *values; /* [n_axes] */
};

struct sched_build {
    struct sched_problem *problem;
    struct arena *arena;
    struct sched_rows rows;
    size_t cell_words, node_words, unit_words;
    uint64_t *cells, *nodes;             /* [classes.n] rows of words: where each class may go */
    uint64_t *unit_cells, *unit_nodes;   /* [n_units] rows of words */
    uint32_t n_units, n_bundles, n_axes; /* bundles are the first units */
    struct sched_axis *axes;             /* [n_axes], room for one a group */
    uint32_t
        *axis_of; /* [rows.groups.n] into axes; SCHED_NONE: given up, its carriers have no place */
    VEC(struct sched_unit) units;
    VEC(uint32_t) demands;
    struct strtab *domain_ids;
    VEC(struct sched_domain) domains;
    VEC(struct bp_offering) offerings;
    VEC(struct sched_problem_offering) refs;
};

/* Host ports of pending pods: necessary caps, and at most one pod of a class per node. */
void sched_port_rows(struct sched_build *build);

/* The axes: one for each key that a group row names, and one more for each filter that matters.
 * Units must know where they may go; beyond BP_MAX_AXES those that carry a row get no place. */
void sched_axes_new(struct sched_build *build);
/* The value of a node on an axis; BP_NO_VALUE: the label is absent, or the node is not looked at.
 */
uint32_t sched_axis_of_cell(const struct sched_build *build, const struct sched_axis *axis,
                            uint32_t cell_i);
uint32_t sched_axis_of_node(const struct sched_build *build, const struct sched_axis *axis,
                            uint32_t node_i);

bool sched_value_listed(const struct sched_value_mask_row *row, strid value);

/* Caps, exclusions, limits, varieties, groups and families of the problem; offerings must be there.
 */
void sched_rows_finish(struct sched_build *build);
