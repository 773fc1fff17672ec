/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/diff.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/vec.h"

#include <stdlib.h>

struct side_reading {
    struct arena *arena;
    struct diff_side *side;
    VEC(struct diff_kind) kinds; /* one a node */
    VEC(struct diff_pod) pods;
};

/* ---- reading ---- */

static bool read_text(struct side_reading *r, const struct json_at *object, const char *key,
                      struct str *ret_text, struct err *err)
{
    struct json_at at = json_at_member(object, key);
    if (!json_read_str(&at, NULL, ret_text, err)) {
        return false;
    }
    *ret_text = str_copy(r->arena, *ret_text);
    return true;
}

static bool read_usd(const struct json_at *object, const char *key, usd_t *ret_usd, struct err *err)
{
    struct json_at at = json_at_member(object, key);
    return json_read_decimal(&at, 9, ret_usd, err);
}

static bool push_pod(struct side_reading *r, const struct json_at *at, bool placed,
                     struct str reason, struct err *err)
{
    struct str name;
    if (!json_read_str(at, NULL, &name, err)) {
        return false;
    }
    if (r->pods.n >= LIMIT_PODS) {
        return json_fail(err, ERR_LIMIT, at, "more than %d pods", (int)LIMIT_PODS);
    }
    struct diff_pod pod = {.name = str_copy(r->arena, name), .placed = placed, .reason = reason};
    VEC_PUSH(r->arena, &r->pods, pod);
    return true;
}

static bool read_pods(struct side_reading *r, const struct json_at *place, struct err *err)
{
    struct json_at pods = json_at_member(place, "pods");
    if (!json_want_array(&pods, err)) {
        return false;
    }
    for (size_t i = 0; i < json_at_count(&pods); i++) {
        struct json_at at = json_at_element(&pods, i);
        if (!push_pod(r, &at, true, STR_EMPTY, err)) {
            return false;
        }
    }
    return true;
}

static bool read_node(struct side_reading *r, const struct json_at *at, struct err *err)
{
    struct diff_kind kind = {.n = 1};
    if (!read_text(r, at, "nodePool", &kind.pool, err) ||
        !read_text(r, at, "instanceType", &kind.type, err) ||
        !read_text(r, at, "zone", &kind.zone, err) ||
        !read_text(r, at, "capacityType", &kind.capacity_type, err) ||
        !read_usd(at, "usdPerHour", &kind.cost, err)) {
        return false;
    }
    VEC_PUSH(r->arena, &r->kinds, kind);
    return read_pods(r, at, err);
}

static bool read_unplaced(struct side_reading *r, const struct json_at *at, struct err *err)
{
    struct json_at pod = json_at_member(at, "pod");
    struct json_at reasons = json_at_member(at, "reasons");
    struct json_at first = json_at_element(&reasons, 0);
    struct str reason = STR_EMPTY;
    if (!json_want_array(&reasons, err)) {
        return false;
    }
    if (json_at_count(&reasons) > 0 && !read_text(r, &first, "message", &reason, err)) {
        return false;
    }
    return push_pod(r, &pod, false, reason, err);
}

static bool read_all(struct side_reading *r, const struct json_at *root, const char *key,
                     bool (*read)(struct side_reading *, const struct json_at *, struct err *),
                     struct err *err)
{
    struct json_at list = json_at_member(root, key);
    if (!json_want_array(&list, err)) {
        return false;
    }
    for (size_t i = 0; i < json_at_count(&list); i++) {
        struct json_at at = json_at_element(&list, i);
        if (!json_want_object(&at, err) || !read(r, &at, err)) {
            return false;
        }
    }
    return true;
}

/* A disruption plan says what stays; a repacking keeps nothing; any other plan only adds nodes. */
static bool read_after(struct diff_side *side, const struct json_at *root,
                       const struct json_at *inputs, struct err *err)
{
    struct json_at disruption = json_at_member(root, "disruption");
    struct json_at mode = json_at_member(inputs, "mode");
    bool has_mode = false;
    struct str text = STR_EMPTY;
    if (disruption.v != NULL) {
        return json_want_object(&disruption, err) &&
               read_usd(&disruption, "afterUsdPerHour", &side->after_cost, err);
    }
    if (!json_read_str(&mode, &has_mode, &text, err)) {
        return false;
    }
    side->after_cost = has_mode && str_eq(text, STR("repack"))
                           ? side->cost
                           : sat_add(side->running_cost, side->cost);
    return true;
}

static bool read_figures(struct side_reading *r, const struct json_at *root, struct err *err)
{
    struct diff_side *side = r->side;
    struct json_at totals = json_at_member(root, "totals");
    struct json_at certificate = json_at_member(root, "certificate");
    struct json_at inputs = json_at_member(root, "inputs");
    struct json_at running = json_at_member(&inputs, "nodes");
    int64_t n_running = 0;
    if (!read_usd(&totals, "usdPerHour", &side->cost, err) ||
        !read_usd(&totals, "existingUsdPerHour", &side->running_cost, err) ||
        !read_usd(&certificate, "lowerBoundUsdPerHour", &side->bound, err) ||
        !json_read_i64(&running, 0, UINT32_MAX, NULL, &n_running, err)) {
        return false;
    }
    side->n_running = (uint32_t)n_running;
    return read_after(side, root, &inputs, err);
}

/* The assumption that objects were left out, if the plan has it. */
static bool read_left_out(struct side_reading *r, const struct json_at *at, struct err *err)
{
    struct str code;
    return read_text(r, at, "code", &code, err) &&
           (!str_eq(code, STR("OBJECTS_LEFT_OUT")) ||
            read_text(r, at, "message", &r->side->left_out, err));
}

static int kind_cmp(const void *a, const void *b)
{
    const struct diff_kind *x = a, *y = b;
    int by_pool = str_cmp(x->pool, y->pool);
    int by_type = str_cmp(x->type, y->type);
    int by_capacity = str_cmp(x->capacity_type, y->capacity_type);
    return by_pool != 0       ? by_pool
           : by_type != 0     ? by_type
           : by_capacity != 0 ? by_capacity
                              : str_cmp(x->zone, y->zone);
}

static int pod_cmp(const void *a, const void *b)
{
    const struct diff_pod *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

/* Nodes of one kind together. */
static void fold_kinds(struct side_reading *r)
{
    struct diff_kind *v = r->kinds.v;
    uint32_t n = 0;
    r->side->n_nodes = (uint32_t)r->kinds.n;
    if (r->kinds.n > 0) {
        qsort(v, r->kinds.n, sizeof *v, kind_cmp);
    }
    for (size_t i = 0; i < r->kinds.n; i++) {
        if (n > 0 && kind_cmp(&v[n - 1], &v[i]) == 0) {
            v[n - 1].n++;
            v[n - 1].cost = sat_add(v[n - 1].cost, v[i].cost);
        } else {
            v[n++] = v[i];
        }
    }
    r->side->kinds = v;
    r->side->n_kinds = n;
}

bool diff_read(const json_t *document, struct str name, struct arena *arena,
               struct diff_side *ret_side, struct err *err)
{
    struct diff_side side = {.name = name};
    struct side_reading r = {.arena = arena, .side = &side};
    struct json_at root = json_at_root(document);
    struct json_at kind = json_at_member(&root, "kind");
    struct str text;
    if (!json_want_object(&root, err) || !json_read_str(&kind, NULL, &text, err)) {
        return false;
    }
    if (!str_eq(text, STR("Plan"))) {
        return json_fail(err, ERR_INVALID, &kind, "\"" STR_FMT "\": must be \"Plan\"",
                         STR_ARG(str_sub(text, 0, 100)));
    }
    if (!read_figures(&r, &root, err) || !read_all(&r, &root, "nodes", read_node, err) ||
        !read_all(&r, &root, "existing", read_pods, err) ||
        !read_all(&r, &root, "unschedulable", read_unplaced, err) ||
        (json_object_get(document, "assumptions") != NULL &&
         !read_all(&r, &root, "assumptions", read_left_out, err))) {
        return false;
    }
    fold_kinds(&r);
    if (r.pods.n > 0) {
        qsort(r.pods.v, r.pods.n, sizeof *r.pods.v, pod_cmp);
    }
    side.pods = r.pods.v;
    side.n_pods = (uint32_t)r.pods.n;
    for (uint32_t i = 0; i < side.n_pods; i++) {
        side.n_placed += side.pods[i].placed;
    }
    *ret_side = side;
    return true;
}

/* ---- comparing ---- */

static void diff_kinds(struct diff *d, struct arena *arena)
{
    const struct diff_side *a = &d->before, *b = &d->after;
    struct diff_line *lines = ARENA_ARRAY(arena, struct diff_line, a->n_kinds + b->n_kinds + 1);
    uint32_t i = 0, k = 0;
    while (i < a->n_kinds || k < b->n_kinds) {
        int order = i == a->n_kinds   ? 1
                    : k == b->n_kinds ? -1
                                      : kind_cmp(&a->kinds[i], &b->kinds[k]);
        struct diff_line line;
        line.before = order <= 0 ? a->kinds[i++] : b->kinds[k];
        line.after = order >= 0 ? b->kinds[k++] : line.before;
        if (order > 0) {
            line.before.n = 0;
            line.before.cost = 0;
        } else if (order < 0) {
            line.after.n = 0;
            line.after.cost = 0;
        }
        if (line.before.n != line.after.n || line.before.cost != line.after.cost) {
            lines[d->n_lines++] = line;
        }
    }
    d->lines = lines;
}

static void diff_pods(struct diff *d, struct arena *arena)
{
    const struct diff_side *a = &d->before, *b = &d->after;
    const size_t most = (size_t)a->n_pods + b->n_pods + 1;
    const struct diff_pod **new_pods = ARENA_ARRAY(arena, const struct diff_pod *, most);
    const struct diff_pod **gone = ARENA_ARRAY(arena, const struct diff_pod *, most);
    const struct diff_pod **won = ARENA_ARRAY(arena, const struct diff_pod *, most);
    const struct diff_pod **lost = ARENA_ARRAY(arena, const struct diff_pod *, most);
    uint32_t i = 0, k = 0;
    while (i < a->n_pods || k < b->n_pods) {
        int order = i == a->n_pods   ? 1
                    : k == b->n_pods ? -1
                                     : str_cmp(a->pods[i].name, b->pods[k].name);
        if (order < 0) {
            gone[d->n_gone++] = &a->pods[i++];
        } else if (order > 0) {
            new_pods[d->n_new++] = &b->pods[k++];
        } else {
            if (!a->pods[i].placed && b->pods[k].placed) {
                won[d->n_won++] = &b->pods[k];
            } else if (a->pods[i].placed && !b->pods[k].placed) {
                lost[d->n_lost++] = &b->pods[k];
            }
            i++;
            k++;
        }
    }
    d->new_pods = new_pods;
    d->gone_pods = gone;
    d->won = won;
    d->lost = lost;
}

struct diff diff_of(const struct diff_side *before, const struct diff_side *after,
                    struct arena *arena)
{
    struct diff d = {.before = *before, .after = *after};
    diff_kinds(&d, arena);
    diff_pods(&d, arena);
    return d;
}

bool diff_is_empty(const struct diff *d)
{
    return d->n_lines + d->n_new + d->n_gone + d->n_won + d->n_lost == 0 &&
           d->before.cost == d->after.cost && d->before.n_running == d->after.n_running &&
           d->before.running_cost == d->after.running_cost &&
           d->before.after_cost == d->after.after_cost;
}
