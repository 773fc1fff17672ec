/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/whatif/usage.h"

#include "base/arena.h"
#include "base/limits.h"
#include "base/qty.h"
#include "base/strtab.h"
#include "base/vec.h"
#include "binpack/whatif/impl.h"

#include <string.h>

enum column { NAMESPACE, POD, CONTAINER, RESOURCE, FIGURE, N_COLUMNS };

enum { CELLS_MAX = 64, CELL_SHOWN = 100 };

/* ---- the table ---- */

/* Takes the first line off `rest`, without its end. */
static struct str take_line(struct str *rest)
{
    const size_t end = str_find(*rest, '\n');
    struct str line = str_sub(*rest, 0, end);
    *rest = end < rest->n ? str_sub(*rest, end + 1, rest->n) : STR_EMPTY;
    return str_ends(line, STR("\r")) ? str_sub(line, 0, line.n - 1) : line;
}

/* The cells of a line; quotes around a cell are taken off. False: too many. */
static bool split(struct str line, struct str *cells, uint32_t *ret_n)
{
    uint32_t n = 0;
    for (size_t at = 0; at <= line.n;) {
        const struct str rest = str_sub(line, at, line.n);
        const size_t comma = str_find(rest, ',');
        struct str cell = str_trim(str_sub(rest, 0, comma));
        if (cell.n >= 2 && cell.p[0] == '"' && cell.p[cell.n - 1] == '"') {
            cell = str_sub(cell, 1, cell.n - 2);
        }
        if (n == CELLS_MAX) {
            return false;
        }
        cells[n++] = cell;
        at += comma + 1;
    }
    *ret_n = n;
    return true;
}

static bool find_columns(struct str head, struct str percentile, uint32_t *columns, struct err *err)
{
    const struct str names[N_COLUMNS] = {STR("namespace"), STR("pod"), STR("container"),
                                         STR("resource"), percentile};
    struct str cells[CELLS_MAX] = {0};
    uint32_t n = 0;
    if (!split(head, cells, &n)) {
        return err_set(err, ERR_LIMIT, "line 1: more than %d columns", CELLS_MAX);
    }
    if (str_trim(head).n == 0) {
        return err_set(
            err, ERR_INVALID,
            "line 1: there is no heading, such as namespace,pod,container,resource," STR_FMT,
            STR_ARG(str_sub(percentile, 0, CELL_SHOWN)));
    }
    for (int c = 0; c < N_COLUMNS; c++) {
        columns[c] = 0;
        while (columns[c] < n && !str_eq(cells[columns[c]], names[c])) {
            columns[c]++;
        }
        if (columns[c] == n) {
            return err_set(err, c == FIGURE ? ERR_NOT_FOUND : ERR_INVALID,
                           "line 1: there is no column \"" STR_FMT "\", only " STR_FMT,
                           STR_ARG(str_sub(names[c], 0, CELL_SHOWN)),
                           STR_ARG(str_sub(head, 0, 4 * CELL_SHOWN)));
        }
    }
    return true;
}

static bool read_row(const struct str *cells, const uint32_t *columns, struct usage_row *row,
                     bool *ret_any, struct err *err)
{
    const struct str resource = cells[columns[RESOURCE]], figure = cells[columns[FIGURE]];
    struct str *const names[] = {&row->ns, &row->pod, &row->container};
    static const char *const titles[] = {"namespace", "pod", "container"};
    for (int c = NAMESPACE; c <= CONTAINER; c++) {
        *names[c] = cells[columns[c]];
        if (names[c]->n == 0 || names[c]->n > LIMIT_NAME_BYTES) {
            return err_set(err, ERR_INVALID, "%s: \"" STR_FMT "\" is no name", titles[c],
                           STR_ARG(str_sub(*names[c], 0, CELL_SHOWN)));
        }
    }
    row->memory = str_eq(resource, STR("memory"));
    if (!row->memory && !str_eq(resource, STR("cpu"))) {
        return err_set(err, ERR_INVALID, "resource: \"" STR_FMT "\" is not cpu or memory",
                       STR_ARG(str_sub(resource, 0, CELL_SHOWN)));
    }
    *ret_any = figure.n > 0;
    if (figure.n == 0) {
        return true;
    }
    if (!qty_parse(figure, row->memory ? QTY_BASE : QTY_MILLI, QTY_UP, &row->amount, err)) {
        return false;
    }
    return row->amount >= 0 || err_set(err, ERR_INVALID, "\"" STR_FMT "\" is below zero",
                                       STR_ARG(str_sub(figure, 0, CELL_SHOWN)));
}

bool usage_parse(struct str text, struct str percentile, struct arena *arena,
                 struct usage *ret_usage, struct err *err)
{
    VEC(struct usage_row) rows = {0};
    uint32_t columns[N_COLUMNS] = {0}, n = 0, n_head = 0;
    struct str cells[CELLS_MAX] = {0}, rest = text;
    if (str_starts(rest,
                   STR("\xef\xbb\xbf"))) { /* spreadsheets begin UTF-8 with a byte order mark */
        rest = str_sub(rest, 3, rest.n);
    }
    const struct str head = take_line(&rest);
    if (!find_columns(head, percentile, columns, err)) {
        return false;
    }
    (void)split(head, cells, &n_head); /* find_columns has seen that it can be */
    for (uint32_t line_n = 2; rest.n > 0; line_n++) {
        const struct str line = take_line(&rest);
        struct usage_row row = {0};
        bool any = false;
        if (str_trim(line).n == 0) {
            continue;
        }
        if (!split(line, cells, &n) || n != n_head) {
            return err_set(err, ERR_INVALID, "line %u: not %u cells as in the heading", line_n,
                           n_head);
        }
        if (!read_row(cells, columns, &row, &any, err)) {
            return err_wrap(err, "line %u", line_n);
        }
        if (rows.n == USAGE_ROWS_MAX) {
            return err_set(err, ERR_LIMIT, "line %u: more than %d rows", line_n, USAGE_ROWS_MAX);
        }
        if (any) {
            VEC_PUSH(arena, &rows, row);
        }
    }
    *ret_usage = (struct usage){.n = (uint32_t)rows.n, .rows = rows.v};
    return true;
}

/* ---- which rows are about a pod ---- */

#define NO_ROW UINT32_MAX

/* Rows by pod: those that name it are found by its name, those with "*" one by one, by their
 * namespace where they name one. */
struct index {
    const struct usage *usage;
    struct strtab *keys; /* a namespace and a pod, a namespace and any pod, or anything */
    uint32_t *first;     /* [keys] the first row of the key */
    uint32_t *next;      /* [usage->n] the next row of the same key, or NO_ROW */
};

static bool is_pattern(struct str text)
{
    return str_find(text, '*') < text.n;
}

static struct str key_of(struct str ns, struct str pod, char *room)
{
    struct str key = {.p = room, .n = 0};
    const bool any_ns = is_pattern(ns), any_pod = is_pattern(pod);
    const struct str parts[] = {any_ns ? STR("*") : ns, any_ns ? STR_EMPTY : STR("/"),
                                any_ns    ? STR_EMPTY
                                : any_pod ? STR("*")
                                          : pod};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].n > 0 && parts[i].n <= LIMIT_NAME_BYTES) {
            memcpy(room + key.n, parts[i].p, parts[i].n);
            key.n += parts[i].n;
        }
    }
    return key;
}

static struct index index_new(const struct usage *usage, struct arena *arena)
{
    struct index x = {.usage = usage,
                      .keys = strtab_new(arena),
                      .first = ARENA_ARRAY(arena, uint32_t, (size_t)usage->n + 2),
                      .next = ARENA_ARRAY(arena, uint32_t, usage->n)};
    char room[2 * LIMIT_NAME_BYTES + 2];
    for (uint32_t i = 0; i < usage->n + 2; i++) {
        x.first[i] = NO_ROW;
    }
    for (uint32_t i = usage->n; i > 0; i--) { /* so that lists are in the order of the table */
        const struct usage_row *row = &usage->rows[i - 1];
        const strid key = strtab_add(x.keys, key_of(row->ns, row->pod, room));
        x.next[i - 1] = x.first[key];
        x.first[key] = i - 1;
    }
    return x;
}

/* The first row of the key that is about the container and the resource, before row `before`. */
static uint32_t first_of(const struct index *x, struct str key, struct str ns, struct str pod,
                         struct str container, bool memory, uint32_t before)
{
    const strid id = strtab_find(x->keys, key);
    for (uint32_t i = id == STRID_NONE ? NO_ROW : x->first[id]; i < before; i = x->next[i]) {
        const struct usage_row *row = &x->usage->rows[i];
        if (row->memory == memory && whatif_matches(row->container, container) &&
            whatif_matches(row->pod, pod) && whatif_matches(row->ns, ns)) {
            return i;
        }
    }
    return before;
}

static uint32_t find_row(const struct index *x, struct str ns, struct str pod, struct str container,
                         bool memory)
{
    char room[2 * LIMIT_NAME_BYTES + 2];
    uint32_t row = first_of(x, key_of(ns, pod, room), ns, pod, container, memory, NO_ROW);
    row = first_of(x, key_of(ns, STR("*"), room), ns, pod, container, memory, row);
    return first_of(x, STR("*"), ns, pod, container, memory, row);
}

/* ---- the pods ---- */

struct applying_usage {
    const struct index *index;
    const struct k8s_cluster *from;
    struct arena *arena;
    struct strtab *seen;                    /* keys of shapes made so far; scratch */
    VEC(const struct k8s_pod_shape *) made; /* by the id of the key, less one */
    VEC(int64_t) wanted; /* of the pod at hand: container by container cpu, memory; -1: as it is */
};

static void want(struct applying_usage *a, const struct k8s_pod *pod,
                 const struct k8s_container *containers, uint32_t n, struct arena *scratch,
                 bool *any)
{
    const struct str ns = strtab_str(a->from->tab, pod->ns);
    for (uint32_t i = 0; i < n; i++) {
        for (int memory = 0; memory <= 1; memory++) {
            const uint32_t row = find_row(a->index, ns, pod->name, containers[i].name, memory != 0);
            VEC_PUSH(scratch, &a->wanted, row == NO_ROW ? -1 : a->index->usage->rows[row].amount);
            *any = *any || row != NO_ROW;
        }
    }
}

/* `amount` in place of the request; no more than the limit, which the API server holds it to. */
static struct k8s_resources with_request(const struct k8s_container *container, strid resource,
                                         int64_t amount, struct arena *arena)
{
    const struct k8s_resources *from = &container->requests;
    struct k8s_quantity *v = ARENA_ARRAY(arena, struct k8s_quantity, from->n + 1);
    uint32_t n = 0;
    bool put = false;
    for (uint32_t i = 0; i < container->limits.n; i++) {
        const struct k8s_quantity *limit = &container->limits.v[i];
        amount = limit->resource == resource && limit->value < amount ? limit->value : amount;
    }
    for (uint32_t i = 0; i <= from->n; i++) {
        const bool end = i == from->n;
        if (!put && (end || from->v[i].resource >= resource)) {
            v[n++] = (struct k8s_quantity){.resource = resource, .value = amount};
            put = true;
        }
        if (!end && from->v[i].resource != resource) {
            v[n++] = from->v[i];
        }
    }
    return (struct k8s_resources){.n = n, .v = v};
}

static const struct k8s_container *change_all(struct applying_usage *a,
                                              const struct k8s_container *from, uint32_t n,
                                              const int64_t *wanted, bool *changed)
{
    const struct k8s_words *words = &a->from->words;
    struct k8s_container *to = ARENA_ARRAY(a->arena, struct k8s_container, n);
    for (uint32_t i = 0; i < n; i++) {
        to[i] = from[i];
        for (int r = 0; r < 2; r++) {
            const int64_t amount = wanted[(size_t)i * 2 + (size_t)r];
            if (amount >= 0) {
                to[i].requests =
                    with_request(&to[i], r == 0 ? words->cpu : words->memory, amount, a->arena);
                changed[r] = true;
            }
        }
    }
    return to;
}

/* A sum over the pod would stand above what its containers ask for. */
static struct k8s_resources without(const struct k8s_resources *from, strid resource,
                                    struct arena *arena)
{
    struct k8s_quantity *v = ARENA_ARRAY(arena, struct k8s_quantity, from->n);
    uint32_t n = 0;
    for (uint32_t i = 0; i < from->n; i++) {
        if (from->v[i].resource != resource) {
            v[n++] = from->v[i];
        }
    }
    return (struct k8s_resources){.n = n, .v = v};
}

static const struct k8s_pod_shape *make_shape(struct applying_usage *a,
                                              const struct k8s_pod_shape *from)
{
    const struct k8s_words *words = &a->from->words;
    struct k8s_pod_shape *shape = ARENA_NEW(a->arena, struct k8s_pod_shape);
    bool changed[2] = {false, false};
    *shape = *from;
    shape->containers = change_all(a, from->containers, from->n_containers, a->wanted.v, changed);
    shape->init_containers = change_all(a, from->init_containers, from->n_init_containers,
                                        a->wanted.v + (size_t)from->n_containers * 2, changed);
    for (int r = 0; r < 2; r++) {
        if (changed[r]) {
            shape->pod_requests =
                without(&shape->pod_requests, r == 0 ? words->cpu : words->memory, a->arena);
        }
    }
    shape->id = a->from->n_shapes + (uint32_t)a->made.n;
    return shape;
}

/* The shape with what is wanted; pods of one shape that want the same share one. */
static const struct k8s_pod_shape *
shape_for(struct applying_usage *a, const struct k8s_pod_shape *from, struct arena *scratch)
{
    const size_t n = a->wanted.n * sizeof *a->wanted.v;
    char *key = arena_alloc(scratch, sizeof from->id + n);
    memcpy(key, &from->id, sizeof from->id);
    memcpy(key + sizeof from->id, a->wanted.v, n);
    const struct str text = {.p = key, .n = sizeof from->id + n};
    const strid known = strtab_find(a->seen, text);
    if (known != STRID_NONE) {
        return a->made.v[known - 1];
    }
    (void)strtab_add(a->seen, text);
    VEC_PUSH(a->arena, &a->made, make_shape(a, from));
    return a->made.v[a->made.n - 1];
}

static void take_shapes(const struct applying_usage *a, struct k8s_cluster *cluster)
{
    const struct k8s_pod_shape **shapes =
        ARENA_ARRAY(a->arena, const struct k8s_pod_shape *, cluster->n_shapes + a->made.n);
    for (uint32_t i = 0; i < cluster->n_shapes; i++) {
        shapes[i] = cluster->shapes[i];
    }
    for (size_t i = 0; i < a->made.n; i++) {
        shapes[cluster->n_shapes + i] = a->made.v[i];
    }
    cluster->shapes = shapes;
    cluster->n_shapes += (uint32_t)a->made.n;
}

const struct k8s_cluster *usage_apply(const struct usage *usage, const struct k8s_cluster *cluster,
                                      struct arena *arena, uint32_t *ret_n_pods)
{
    auto_arena scratch = ARENA_INIT;
    const struct index index = index_new(usage, &scratch);
    struct applying_usage a = {
        .index = &index, .from = cluster, .arena = arena, .seen = strtab_new(&scratch)};
    struct k8s_cluster *out = ARENA_NEW(arena, struct k8s_cluster);
    struct k8s_pod *pods = ARENA_ARRAY(arena, struct k8s_pod, cluster->n_pods);
    *ret_n_pods = 0;
    for (uint32_t i = 0; i < cluster->n_pods; i++) {
        const struct k8s_pod_shape *shape = cluster->pods[i].shape;
        bool any = false;
        pods[i] = cluster->pods[i];
        a.wanted.n = 0;
        want(&a, &pods[i], shape->containers, shape->n_containers, &scratch, &any);
        want(&a, &pods[i], shape->init_containers, shape->n_init_containers, &scratch, &any);
        if (any) {
            pods[i].shape = shape_for(&a, shape, &scratch);
            ++*ret_n_pods;
        }
    }
    *out = *cluster;
    out->pods = pods;
    take_shapes(&a, out);
    return out;
}
