/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/read_plan.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/bitset.h"
#include "base/json.h"
#include "base/number.h"
#include "base/qty.h"
#include "base/rfc3339.h"
#include "binpack/plan/plan_json.h"
#include "binpack/plan/read_disruption.h"

enum { NODES_MAX = 1000000 };

struct named {
    struct str ns, name;
    uint32_t i;
};

struct reading {
    const struct k8s_cluster *cluster;
    const struct catalog *catalog;
    struct arena *arena;
    const struct named *pods; /* [cluster->n_pods] by namespace and name */
    uint64_t *placed;         /* bit per pod: named by the plan already */
    struct plan *plan;
};

static int named_cmp(const void *a, const void *b)
{
    const struct named *x = a;
    const struct named *y = b;
    int by_ns = str_cmp(x->ns, y->ns);
    return by_ns != 0 ? by_ns : str_cmp(x->name, y->name);
}

static const struct named *sorted_pods(const struct k8s_cluster *cluster, struct arena *arena)
{
    struct named *pods = ARENA_ARRAY(arena, struct named, cluster->n_pods + 1);
    for (uint32_t i = 0; i < cluster->n_pods; i++) {
        pods[i] = (struct named){.ns = strtab_str(cluster->tab, cluster->pods[i].ns),
                                 .name = cluster->pods[i].name,
                                 .i = i};
    }
    qsort(pods, cluster->n_pods, sizeof(pods[0]), named_cmp);
    return pods;
}

/* ---- single values ---- */

static bool read_text(const struct json_at *object, const char *key, struct str *ret_text,
                      struct err *err)
{
    struct json_at at = json_at_member(object, key);
    return json_read_str(&at, NULL, ret_text, err);
}

/* A text that may be absent. */
static bool read_optional(struct reading *r, const struct json_at *object, const char *key,
                          struct str *ret_text, struct err *err)
{
    struct json_at at = json_at_member(object, key);
    bool has = false;
    if (!json_read_str(&at, &has, ret_text, err)) {
        return false;
    }
    *ret_text = str_copy(r->arena, *ret_text);
    return true;
}

static bool read_decimal(const struct json_at *object, const char *key, int digits,
                         int64_t *ret_value, struct err *err)
{
    struct json_at at = json_at_member(object, key);
    return json_read_decimal(&at, digits, ret_value, err);
}

static bool read_usd(const struct json_at *object, const char *key, usd_t *ret_price,
                     struct err *err)
{
    return read_decimal(object, key, 9, ret_price, err);
}

static bool read_pod(struct reading *r, const struct json_at *at, uint32_t *ret_pod,
                     struct err *err)
{
    struct str text;
    if (!json_read_str(at, NULL, &text, err)) {
        return false;
    }
    size_t slash = str_find(text, '/');
    struct named key = {
        .ns = str_sub(text, 0, slash), .name = str_sub(text, slash + 1, text.n), .i = 0};
    const struct named *found =
        bsearch(&key, r->pods, r->cluster->n_pods, sizeof(r->pods[0]), named_cmp);
    if (found == NULL) {
        return json_fail(err, ERR_NOT_FOUND, at, "pod \"" STR_FMT "\" is not in the input",
                         STR_ARG(text));
    }
    if (bits_get(r->placed, found->i)) {
        return json_fail(err, ERR_CONFLICT, at, "pod " STR_FMT " is in two places", STR_ARG(text));
    }
    bits_set(r->placed, found->i);
    *ret_pod = found->i;
    return true;
}

static bool read_pods(struct reading *r, const struct json_at *object, const uint32_t **ret_pods,
                      uint32_t *ret_n, struct err *err)
{
    struct json_at list = json_at_member(object, "pods");
    if (!json_want_array(&list, err)) {
        return false;
    }
    size_t n = json_at_count(&list);
    uint32_t *pods = ARENA_ARRAY(r->arena, uint32_t, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct json_at at = json_at_element(&list, i);
        if (!read_pod(r, &at, &pods[i], err)) {
            return false;
        }
    }
    *ret_pods = pods;
    *ret_n = (uint32_t)n;
    return true;
}

static int quantity_cmp(const void *a, const void *b)
{
    strid x = ((const struct k8s_quantity *)a)->resource;
    strid y = ((const struct k8s_quantity *)b)->resource;
    return x < y ? -1 : x > y;
}

static bool read_resources(struct reading *r, const struct json_at *object, const char *key,
                           enum qty_round round, struct k8s_resources *ret_resources,
                           struct err *err)
{
    struct json_at map = json_at_member(object, key);
    if (!json_want_object(&map, err)) {
        return false;
    }
    json_t *members = (json_t *)(uintptr_t)map.v; /* jansson iterates without const */
    struct k8s_quantity *v = ARENA_ARRAY(r->arena, struct k8s_quantity, json_at_count(&map) + 1);
    uint32_t n = 0;
    for (void *it = json_object_iter(members); it != NULL;
         it = json_object_iter_next(members, it)) {
        struct str name = str_of(json_object_iter_key(it));
        struct json_at at = json_at_named(&map, name, json_object_iter_value(it));
        struct err why;
        v[n].resource = strtab_add(r->cluster->tab, name);
        enum qty_unit unit = v[n].resource == r->cluster->words.cpu ? QTY_MILLI : QTY_BASE;
        if (!qty_parse_json(at.v, unit, round, &v[n].value, &why)) {
            return json_fail(err, why.code, &at, "%s", why.text);
        }
        n++;
    }
    qsort(v, n, sizeof(v[0]), quantity_cmp);
    *ret_resources = (struct k8s_resources){.n = n, .v = v};
    return true;
}

static int pair_cmp(const void *a, const void *b)
{
    strid x = ((const struct k8s_pair *)a)->key;
    strid y = ((const struct k8s_pair *)b)->key;
    return x < y ? -1 : x > y;
}

static bool read_labels(struct reading *r, const struct json_at *object,
                        struct k8s_pairs *ret_labels, struct err *err)
{
    struct json_at map = json_at_member(object, "labels");
    if (!json_want_object(&map, err)) {
        return false;
    }
    json_t *members = (json_t *)(uintptr_t)map.v;
    struct k8s_pair *v = ARENA_ARRAY(r->arena, struct k8s_pair, json_at_count(&map) + 1);
    uint32_t n = 0;
    for (void *it = json_object_iter(members); it != NULL;
         it = json_object_iter_next(members, it)) {
        struct str key = str_of(json_object_iter_key(it));
        struct json_at at = json_at_named(&map, key, json_object_iter_value(it));
        struct str value;
        if (!json_read_str(&at, NULL, &value, err)) {
            return false;
        }
        v[n++] = (struct k8s_pair){.key = strtab_add(r->cluster->tab, key),
                                   .value = strtab_add(r->cluster->tab, value)};
    }
    qsort(v, n, sizeof(v[0]), pair_cmp);
    *ret_labels = (struct k8s_pairs){.n = n, .v = v};
    return true;
}

/* ---- nodes ---- */

static bool find_pool(const struct reading *r, const struct json_at *object, uint32_t *ret_pool,
                      struct err *err)
{
    struct str name;
    if (!read_text(object, "nodePool", &name, err)) {
        return false;
    }
    for (uint32_t i = 0; i < r->cluster->n_nodepools; i++) {
        if (str_eq(r->cluster->nodepools[i].meta.name, name)) {
            *ret_pool = i;
            return true;
        }
    }
    return json_fail(err, ERR_NOT_FOUND, object, "NodePool \"" STR_FMT "\" is not in the input",
                     STR_ARG(name));
}

static bool find_type(const struct reading *r, const struct json_at *at,
                      const struct cat_type **ret_type, struct err *err)
{
    struct str name;
    if (!json_read_str(at, NULL, &name, err)) {
        return false;
    }
    strid id = strtab_find(r->cluster->tab, name);
    const struct cat_type *type =
        id == STRID_NONE ? NULL : cat_find(r->catalog, r->cluster->tab, id);
    if (type == NULL) {
        return json_fail(err, ERR_NOT_FOUND, at,
                         "instance type \"" STR_FMT "\" is not in catalogue " STR_FMT,
                         STR_ARG(name), STR_ARG(r->catalog->name));
    }
    *ret_type = type;
    return true;
}

static bool find_zone(const struct reading *r, const struct json_at *object, uint32_t *ret_zone,
                      struct err *err)
{
    struct str name;
    if (!read_text(object, "zone", &name, err)) {
        return false;
    }
    for (uint32_t i = 0; i < r->catalog->n_zones; i++) {
        if (str_eq(strtab_str(r->cluster->tab, r->catalog->zones[i].name), name)) {
            *ret_zone = i;
            return true;
        }
    }
    return json_fail(err, ERR_NOT_FOUND, object,
                     "zone \"" STR_FMT "\" is not in catalogue " STR_FMT, STR_ARG(name),
                     STR_ARG(r->catalog->name));
}

static bool read_capacity_type(const struct json_at *object, enum cat_capacity_type *ret_type,
                               struct err *err)
{
    struct str name;
    if (!read_text(object, "capacityType", &name, err)) {
        return false;
    }
    static const enum cat_capacity_type types[] = {CAT_RESERVED, CAT_SPOT, CAT_ON_DEMAND};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (str_eq(plan_capacity_type_name(types[i]), name)) {
            *ret_type = types[i];
            return true;
        }
    }
    return json_fail(err, ERR_INVALID, object,
                     "capacityType \"" STR_FMT "\" is not spot, on-demand or reserved",
                     STR_ARG(name));
}

static bool read_options(const struct reading *r, const struct json_at *object,
                         struct plan_node *node, struct err *err)
{
    struct json_at list = json_at_member(object, "instanceTypeOptions");
    if (!json_want_array(&list, err)) {
        return false;
    }
    size_t n = json_at_count(&list);
    const struct cat_type **options = ARENA_ARRAY(r->arena, const struct cat_type *, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct json_at at = json_at_element(&list, i);
        if (!find_type(r, &at, &options[i], err)) {
            return false;
        }
    }
    node->options = options;
    node->n_options = (uint32_t)n;
    return true;
}

static bool read_node(struct reading *r, const struct json_at *at, struct plan_node *node,
                      struct err *err)
{
    struct json_at type = json_at_member(at, "instanceType");
    struct str reservation = STR_EMPTY;
    struct str os = STR_EMPTY;
    if (!read_text(at, "name", &node->name, err) || !find_pool(r, at, &node->pool_i, err) ||
        !find_type(r, &type, &node->type, err) || !find_zone(r, at, &node->zone_i, err) ||
        !read_capacity_type(at, &node->capacity_type, err) ||
        !read_usd(at, "usdPerHour", &node->price, err) || !read_options(r, at, node, err) ||
        !read_optional(r, at, "capacityReservationId", &reservation, err) ||
        !read_optional(r, at, "os", &os, err)) {
        return false;
    }
    node->name = str_copy(r->arena, node->name);
    node->reservation_id = strtab_add(r->cluster->tab, reservation);
    node->os = os.n > 0 ? strtab_add(r->cluster->tab, os) : r->cluster->words.os_linux;
    return read_labels(r, at, &node->labels, err) &&
           read_resources(r, at, "allocatable", QTY_DOWN, &node->allocatable, err) &&
           read_resources(r, at, "requested", QTY_UP, &node->requested, err) &&
           read_resources(r, at, "daemonOverhead", QTY_UP, &node->daemons, err) &&
           read_pods(r, at, &node->pods, &node->n_pods, err);
}

static bool read_list(const struct json_at *root, const char *key, struct json_at *ret_list,
                      size_t *ret_n, struct err *err)
{
    *ret_list = json_at_member(root, key);
    *ret_n = json_at_count(ret_list);
    if (!json_want_array(ret_list, err)) {
        return false;
    }
    return *ret_n <= NODES_MAX ||
           json_fail(err, ERR_LIMIT, ret_list, "more than %d elements", NODES_MAX);
}

static bool read_nodes(struct reading *r, const struct json_at *root, struct err *err)
{
    struct json_at list;
    size_t n;
    if (!read_list(root, "nodes", &list, &n, err)) {
        return false;
    }
    struct plan_node *nodes = ARENA_ARRAY(r->arena, struct plan_node, n + 1);
    usd_t cost = 0;
    for (size_t i = 0; i < n; i++) {
        struct json_at at = json_at_element(&list, i);
        if (!read_node(r, &at, &nodes[i], err)) {
            return false;
        }
        cost = sat_add(cost, nodes[i].price);
    }
    r->plan->nodes = nodes;
    r->plan->n_nodes = (uint32_t)n;
    if (cost != r->plan->cost) {
        return err_set(err, ERR_CONFLICT,
                       "totals.usdPerHour is %lld nano-dollars, but the nodes cost %lld",
                       (long long)r->plan->cost, (long long)cost);
    }
    return true;
}

static bool read_existing(struct reading *r, const struct json_at *root, struct err *err)
{
    struct json_at list;
    size_t n;
    if (!read_list(root, "existing", &list, &n, err)) {
        return false;
    }
    struct plan_placement *existing = ARENA_ARRAY(r->arena, struct plan_placement, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct json_at at = json_at_element(&list, i);
        struct str name;
        if (!read_text(&at, "name", &name, err) ||
            !read_pods(r, &at, &existing[i].pods, &existing[i].n_pods, err)) {
            return false;
        }
        existing[i].node = str_copy(r->arena, name);
    }
    r->plan->existing = existing;
    r->plan->n_existing = (uint32_t)n;
    return true;
}

static bool read_reasons(struct reading *r, const struct json_at *object,
                         struct plan_unplaced *unplaced, struct err *err)
{
    struct json_at list = json_at_member(object, "reasons");
    if (!json_want_array(&list, err)) {
        return false;
    }
    size_t n = json_at_count(&list);
    struct plan_reason *reasons = ARENA_ARRAY(r->arena, struct plan_reason, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct json_at at = json_at_element(&list, i);
        if (!read_optional(r, &at, "nodePool", &reasons[i].pool, err) ||
            !read_optional(r, &at, "code", &reasons[i].code, err) ||
            !read_optional(r, &at, "message", &reasons[i].message, err)) {
            return false;
        }
    }
    unplaced->reasons = reasons;
    unplaced->n_reasons = (uint32_t)n;
    return true;
}

static bool read_unplaced(struct reading *r, const struct json_at *root, struct err *err)
{
    struct json_at list;
    size_t n;
    if (!read_list(root, "unschedulable", &list, &n, err)) {
        return false;
    }
    struct plan_unplaced *unplaced = ARENA_ARRAY(r->arena, struct plan_unplaced, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct json_at at = json_at_element(&list, i);
        struct json_at pod = json_at_member(&at, "pod");
        if (!read_pod(r, &pod, &unplaced[i].pod, err) || !read_reasons(r, &at, &unplaced[i], err)) {
            return false;
        }
    }
    r->plan->unplaced = unplaced;
    r->plan->n_unplaced = (uint32_t)n;
    return true;
}

/* ---- the head ---- */

/* A count; 0 when absent. */
static bool read_count(const struct json_at *object, const char *key, int64_t max,
                       int64_t *ret_count, struct err *err)
{
    struct json_at at = json_at_member(object, key);
    bool has = false;
    return json_read_i64(&at, 0, max, &has, ret_count, err);
}

static bool read_relaxed(struct reading *r, const struct json_at *certificate, struct err *err)
{
    struct json_at list = json_at_member(certificate, "relaxed");
    if (!json_want_array(&list, err)) {
        return false;
    }
    size_t n = json_at_count(&list);
    struct str *relaxed = ARENA_ARRAY(r->arena, struct str, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct json_at at = json_at_element(&list, i);
        struct str text;
        if (!json_read_str(&at, NULL, &text, err)) {
            return false;
        }
        relaxed[i] = str_copy(r->arena, text);
    }
    r->plan->relaxed = relaxed;
    r->plan->n_relaxed = (uint32_t)n;
    return true;
}

static bool read_ignored(struct reading *r, const struct json_at *inputs, struct err *err)
{
    struct json_at map = json_at_member(inputs, "podsWithoutNeed");
    if (!json_want_object(&map, err)) {
        return false;
    }
    json_t *members = (json_t *)(uintptr_t)map.v;
    struct plan_ignored *ignored =
        ARENA_ARRAY(r->arena, struct plan_ignored, json_at_count(&map) + 1);
    uint32_t n = 0;
    for (void *it = json_object_iter(members); it != NULL;
         it = json_object_iter_next(members, it)) {
        struct str key = str_of(json_object_iter_key(it));
        struct json_at at = json_at_named(&map, key, json_object_iter_value(it));
        int64_t count = 0;
        if (!json_read_i64(&at, 0, UINT32_MAX, NULL, &count, err)) {
            return false;
        }
        ignored[n].reason = str_copy(r->arena, key);
        ignored[n].n = (uint32_t)count;
        n++;
    }
    r->plan->ignored = ignored;
    r->plan->n_ignored = n;
    return true;
}

static bool read_notes(struct reading *r, const struct json_at *root, struct err *err)
{
    struct json_at list;
    size_t n;
    if (!read_list(root, "assumptions", &list, &n, err)) {
        return false;
    }
    struct plan_note *notes = ARENA_ARRAY(r->arena, struct plan_note, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct json_at at = json_at_element(&list, i);
        if (!read_optional(r, &at, "code", &notes[i].code, err) ||
            !read_optional(r, &at, "message", &notes[i].message, err)) {
            return false;
        }
    }
    r->plan->notes = notes;
    r->plan->n_notes = (uint32_t)n;
    return true;
}

static bool read_kind(const struct json_at *root, struct err *err)
{
    struct str version;
    struct str kind;
    if (!json_want_object(root, err) || !read_text(root, "apiVersion", &version, err) ||
        !read_text(root, "kind", &kind, err)) {
        return false;
    }
    return (str_eq(version, STR("binpack/v1")) && str_eq(kind, STR("Plan"))) ||
           err_set(err, ERR_INVALID, "expected a Plan of binpack/v1, got a " STR_FMT " of " STR_FMT,
                   STR_ARG(kind), STR_ARG(version));
}

static bool read_mode(struct reading *r, struct str mode, struct err *err)
{
    static const enum plan_mode modes[] = {PLAN_PROVISION, PLAN_DISRUPT, PLAN_REPACK};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (str_eq(plan_mode_name(modes[i]), mode)) {
            r->plan->mode = modes[i];
            return true;
        }
    }
    return err_set(err, ERR_INVALID,
                   "inputs.mode: \"" STR_FMT "\" is not provision, disrupt or repack",
                   STR_ARG(mode));
}

static bool read_inputs(struct reading *r, const struct json_at *root, struct err *err)
{
    struct json_at inputs = json_at_member(root, "inputs");
    struct str mode;
    struct str now;
    int64_t seed = 0;
    if (!read_text(&inputs, "mode", &mode, err) || !read_text(&inputs, "now", &now, err) ||
        !read_count(&inputs, "seed", INT64_MAX, &seed, err) || !read_ignored(r, &inputs, err)) {
        return false;
    }
    r->plan->seed = (uint64_t)seed;
    return (rfc3339_parse(now, &r->plan->now, err) || err_wrap(err, "inputs.now")) &&
           read_mode(r, mode, err);
}

static bool read_totals(struct reading *r, const struct json_at *root, struct err *err)
{
    struct json_at totals = json_at_member(root, "totals");
    int64_t n_unpriced = 0;
    if (!read_usd(&totals, "usdPerHour", &r->plan->cost, err) ||
        !read_usd(&totals, "onDemandUsdPerHour", &r->plan->on_demand_cost, err) ||
        !read_usd(&totals, "existingUsdPerHour", &r->plan->running_cost, err) ||
        !read_count(&totals, "existingNodesWithoutPrice", UINT32_MAX, &n_unpriced, err)) {
        return false;
    }
    r->plan->n_running_unpriced = (uint32_t)n_unpriced;
    return true;
}

static bool read_proof(struct reading *r, const struct json_at *root, struct err *err)
{
    struct json_at certificate = json_at_member(root, "certificate");
    int64_t n_columns = 0;
    if (!read_usd(&certificate, "lowerBoundUsdPerHour", &r->plan->bound, err) ||
        !read_optional(r, &certificate, "status", &r->plan->status, err) ||
        !read_optional(r, &certificate, "method", &r->plan->method, err) ||
        !read_count(&certificate, "columns", UINT32_MAX, &n_columns, err) ||
        !read_relaxed(r, &certificate, err)) {
        return false;
    }
    r->plan->n_columns = (uint32_t)n_columns;
    if (r->plan->bound > r->plan->cost) {
        return err_set(err, ERR_CONFLICT,
                       "certificate.lowerBoundUsdPerHour is above totals.usdPerHour");
    }
    return true;
}

/* One figure that follows from the rest of the plan. */
static bool same_figure(const struct json_at *object, const char *key, int64_t said, int64_t right,
                        int n_decimals, struct err *err)
{
    char a[NUMBER_TEXT_MAX], b[NUMBER_TEXT_MAX];
    struct json_at at = json_at_member(object, key);
    struct str left = number_format_decimal(said, n_decimals, a);
    return said == right ||
           json_fail(err, ERR_CONFLICT, &at, STR_FMT ", but the plan has " STR_FMT, STR_ARG(left),
                     STR_ARG(number_format_decimal(right, n_decimals, b)));
}

/* The figures that people read first. */
static bool check_figures(const struct reading *r, const struct json_at *root, struct err *err)
{
    const struct plan *plan = r->plan;
    struct json_at totals = json_at_member(root, "totals");
    struct json_at inputs = json_at_member(root, "inputs");
    struct json_at certificate = json_at_member(root, "certificate");
    int64_t n_nodes = 0, n_unplaced = 0, n_pending = 0, gap = 0;
    usd_t month = 0;
    return read_count(&totals, "newNodes", UINT32_MAX, &n_nodes, err) &&
           read_count(&totals, "unplacedPods", UINT32_MAX, &n_unplaced, err) &&
           read_count(&inputs, "pendingPods", UINT32_MAX, &n_pending, err) &&
           read_usd(&totals, "usdPerMonth", &month, err) &&
           read_decimal(&certificate, "gap", 9, &gap, err) &&
           same_figure(&totals, "newNodes", n_nodes, plan->n_nodes, 0, err) &&
           same_figure(&totals, "unplacedPods", n_unplaced, plan->n_unplaced, 0, err) &&
           same_figure(&inputs, "pendingPods", n_pending, plan->n_pending, 0, err) &&
           same_figure(&totals, "usdPerMonth", month, sat_mul(plan->cost, HOURS_PER_MONTH), 9,
                       err) &&
           same_figure(&certificate, "gap", gap, plan_gap_ppb(plan), 9, err);
}

bool read_plan(const json_t *document, const struct k8s_cluster *cluster,
               const struct catalog *catalog, struct arena *arena, struct plan **ret_plan,
               struct err *err)
{
    struct reading r = {
        .cluster = cluster,
        .catalog = catalog,
        .arena = arena,
        .pods = sorted_pods(cluster, arena),
        .placed = ARENA_ARRAY(arena, uint64_t, bits_words(cluster->n_pods) + 1),
        .plan = ARENA_NEW(arena, struct plan),
    };
    struct json_at root = json_at_root(document);
    r.plan->cluster = cluster;
    r.plan->catalog = catalog;
    if (!read_kind(&root, err) || !read_inputs(&r, &root, err) || !read_totals(&r, &root, err) ||
        !read_proof(&r, &root, err) || !read_nodes(&r, &root, err) ||
        !read_existing(&r, &root, err) || !read_unplaced(&r, &root, err) ||
        !read_notes(&r, &root, err) || !read_disruption(&root, r.plan, arena, err)) {
        return false;
    }
    r.plan->n_pending = r.plan->n_unplaced;
    for (uint32_t i = 0; i < r.plan->n_nodes; i++) {
        r.plan->n_pending += r.plan->nodes[i].n_pods;
    }
    for (uint32_t i = 0; i < r.plan->n_existing; i++) {
        r.plan->n_pending += r.plan->existing[i].n_pods;
    }
    *ret_plan = r.plan;
    return check_figures(&r, &root, err);
}
