/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/certificate_branches.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/solver/verify_branches.h"
#include "binpack/solver/verify_cells.h"

/* ---- writing ---- */

static void put_set(struct jsonw *w, const char *key, const uint64_t *set, uint32_t n)
{
    jsonw_key_array(w, key);
    for (uint32_t i = 0; set != NULL && i < n; i++) {
        if (bits_get(set, i)) {
            jsonw_i64(w, i);
        }
    }
    jsonw_array_end(w);
}

static void put_list(struct jsonw *w, const char *key, const int64_t *values, uint32_t n)
{
    jsonw_key_array(w, key);
    for (uint32_t i = 0; i < n; i++) {
        jsonw_i64(w, values[i]);
    }
    jsonw_array_end(w);
}

static void put_group(const struct bp_problem *p, const struct bp_group *group, struct jsonw *w)
{
    static const char *const names[] = {
        [BP_GROUP_SPREAD] = "spread", [BP_GROUP_TOGETHER] = "together", [BP_GROUP_APART] = "apart"};
    jsonw_object_begin(w);
    jsonw_key_str(w, "kind", str_of(names[group->kind]));
    if (group->kind == BP_GROUP_SPREAD) {
        jsonw_key_i64(w, "maxSkew", group->max_skew);
        jsonw_key_i64(w, "minDomains", group->min_domains);
    }
    if (group->kind == BP_GROUP_TOGETHER) {
        jsonw_key_bool(w, "selfStart", group->self_start);
    }
    put_set(w, "carriers", group->carriers, p->n_classes);
    put_set(w, "targets", group->targets, p->n_classes);
    jsonw_key_array(w, "values");
    for (uint32_t v = 0; v < p->n_axis_values[group->axis]; v++) {
        jsonw_object_begin(w);
        jsonw_key_i64(w, "running", group->base == NULL ? 0 : group->base[v]);
        if (group->kind == BP_GROUP_SPREAD) {
            jsonw_key_bool(w, "eligible", group->eligible != NULL && bits_get(group->eligible, v));
        }
        jsonw_key_array(w, "domains");
        for (uint32_t d = 0; d < p->n_domains; d++) {
            if (p->axis_value[(size_t)d * p->n_axes + group->axis] == v) {
                jsonw_i64(w, d);
            }
        }
        jsonw_array_end(w);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static void put_cells(const struct bp_cells *cells, struct jsonw *w)
{
    const struct bp_problem *p = cells->problem;
    jsonw_key_array(w, "cells");
    for (uint32_t c = 0; c < cells->n_cells; c++) {
        jsonw_object_begin(w);
        jsonw_key_i64(w, "class", cells->class_of[c]);
        if (cells->tuple_of[c] != BP_NO_VALUE) {
            jsonw_key_array(w, "domains");
            for (uint32_t d = 0; d < p->n_domains; d++) {
                if (cells->tuple_of_domain[d] == cells->tuple_of[c]) {
                    jsonw_i64(w, d);
                }
            }
            jsonw_array_end(w);
        }
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void put_leaf(const struct bp_cells *cells, const struct bp_branch_leaf *leaf,
                     struct jsonw *w)
{
    const struct bp_problem *p = cells->problem;
    put_list(w, "duals", leaf->dual, cells->n_cells);
    put_list(w, "limitDuals", leaf->limit_dual, p->n_limits);
    put_list(w, "bestValues", leaf->best_value, bp_n_finite(p));
    jsonw_key_array(w, "rows");
    for (uint32_t r = 0; r < leaf->n_rows; r++) {
        const struct bp_branch_row *row = &leaf->rows[r];
        jsonw_object_begin(w);
        jsonw_key_i64(w, "group", row->group_i);
        jsonw_key_i64(w, "value", row->value);
        if (row->other != BP_NO_VALUE) {
            jsonw_key_i64(w, "other", row->other);
        }
        jsonw_key_i64(w, "dual", row->dual);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

void certificate_branches_write(const struct bp_problem *problem,
                                const struct bp_certificate *certificate, struct jsonw *w,
                                struct arena *scratch)
{
    if (certificate->n_branches == 0) {
        return;
    }
    struct arena_mark mark = arena_mark(scratch);
    struct bp_cells cells;
    bp_cells_build(&cells, problem, scratch);
    jsonw_key_array(w, "groups");
    for (uint32_t g = 0; g < problem->n_groups; g++) {
        put_group(problem, &problem->groups[g], w);
    }
    jsonw_array_end(w);
    put_cells(&cells, w);
    jsonw_key_array(w, "branches");
    for (uint32_t x = 0; x < certificate->n_branches; x++) {
        const struct bp_branch *branch = &certificate->branches[x];
        jsonw_object_begin(w);
        if (branch->cell_i != BP_NO_VALUE) {
            jsonw_key_i64(w, "cell", branch->cell_i);
            jsonw_key_i64(w, "units", branch->units);
        } else if (branch->leaf != NULL) {
            put_leaf(&cells, branch->leaf, w);
        }
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    arena_rewind(scratch, mark);
}

/* ---- reading ---- */

static bool want_elements(const struct json_at *list, size_t n, struct err *err)
{
    if (!json_want_array(list, err)) {
        return false;
    }
    return json_at_count(list) == n ||
           json_fail(err, ERR_CONFLICT, list, "%zu elements, but the input gives %zu",
                     json_at_count(list), n);
}

static bool read_list(const struct json_at *object, const char *key, size_t n, struct arena *arena,
                      const int64_t **ret_values, struct err *err)
{
    struct json_at list = json_at_member(object, key);
    int64_t *values = ARENA_ARRAY(arena, int64_t, n + 1);
    if (!want_elements(&list, n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct json_at at = json_at_element(&list, i);
        if (!json_read_i64(&at, 0, INT64_MAX, NULL, &values[i], err)) {
            return false;
        }
    }
    *ret_values = values;
    return true;
}

static bool read_index(const struct json_at *object, const char *key, bool *ret_has,
                       uint32_t *ret_value, struct err *err)
{
    struct json_at at = json_at_member(object, key);
    int64_t value = BP_NO_VALUE;
    if (!json_read_i64(&at, 0, UINT32_MAX - 1, ret_has, &value, err)) {
        return false;
    }
    *ret_value = (uint32_t)value;
    return true;
}

static bool read_row(const struct json_at *at, struct bp_branch_row *row, struct err *err)
{
    bool has = false;
    struct json_at dual = json_at_member(at, "dual");
    return read_index(at, "group", NULL, &row->group_i, err) &&
           read_index(at, "value", NULL, &row->value, err) &&
           read_index(at, "other", &has, &row->other, err) &&
           (has || (row->other = BP_NO_VALUE) == BP_NO_VALUE) &&
           json_read_i64(&dual, 0, INT64_MAX, NULL, &row->dual, err);
}

static bool read_leaf(const struct bp_cells *cells, const struct json_at *at, struct arena *arena,
                      struct bp_branch_leaf *leaf, struct err *err)
{
    const struct bp_problem *p = cells->problem;
    struct json_at list = json_at_member(at, "rows");
    if (!read_list(at, "duals", cells->n_cells, arena, &leaf->dual, err) ||
        !read_list(at, "limitDuals", p->n_limits, arena, &leaf->limit_dual, err) ||
        !read_list(at, "bestValues", bp_n_finite(p), arena, &leaf->best_value, err) ||
        !json_want_array(&list, err)) {
        return false;
    }
    size_t n = json_at_count(&list);
    struct bp_branch_row *rows = ARENA_ARRAY(arena, struct bp_branch_row, n + 1);
    for (size_t r = 0; r < n; r++) {
        struct json_at row = json_at_element(&list, r);
        if (!read_row(&row, &rows[r], err)) {
            return false;
        }
    }
    leaf->n_rows = (uint32_t)n;
    leaf->rows = rows;
    return true;
}

static bool read_branch(const struct bp_cells *cells, const struct json_at *at, struct arena *arena,
                        struct bp_branch *branch, struct err *err)
{
    bool has = false;
    *branch = (struct bp_branch){.cell_i = BP_NO_VALUE};
    if (!json_want_object(at, err) || !read_index(at, "cell", &has, &branch->cell_i, err)) {
        return false;
    }
    if (has) {
        return read_index(at, "units", NULL, &branch->units, err);
    }
    branch->cell_i = BP_NO_VALUE;
    if (json_object_size(at->v) == 0) {
        return true;
    }
    struct bp_branch_leaf *leaf = ARENA_NEW(arena, struct bp_branch_leaf);
    branch->leaf = leaf;
    return read_leaf(cells, at, arena, leaf, err);
}

bool certificate_branches_read(const struct bp_problem *problem, const struct json_at *root,
                               struct arena *arena, struct bp_certificate *certificate,
                               struct err *err)
{
    struct json_at list = json_at_member(root, "branches"), given = json_at_member(root, "cells");
    if (list.v == NULL) {
        return true;
    }
    struct bp_cells cells;
    bp_cells_build(&cells, problem, arena);
    if (!json_want_array(&list, err) || !want_elements(&given, cells.n_cells, err)) {
        return false;
    }
    size_t n = json_at_count(&list);
    if (n > BP_BRANCHES_MAX) {
        return json_fail(err, ERR_LIMIT, &list, "%zu branches, at most %d", n, BP_BRANCHES_MAX);
    }
    struct bp_branch *branches = ARENA_ARRAY(arena, struct bp_branch, n + 1);
    for (size_t x = 0; x < n; x++) {
        struct json_at at = json_at_element(&list, x);
        if (!read_branch(&cells, &at, arena, &branches[x], err)) {
            return false;
        }
    }
    certificate->n_branches = (uint32_t)n;
    certificate->branches = branches;
    return true;
}
