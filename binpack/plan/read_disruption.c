/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/read_disruption.h"

#include "base/arena.h"
#include "base/number.h"
#include "base/vec.h"

struct reading {
    struct plan *plan;
    struct arena *arena;
    struct strtab *names; /* kind, a blank and the name: "n node-a", "w new-1", "p shop/web-0" */
    uint32_t *index;      /* [count of names] */
};

struct command_list {
    struct plan_command *v;
    size_t n, cap;
};

static struct str key_of(struct arena *arena, char kind, struct str ns, struct str name)
{
    struct strbuf b = strbuf_new(arena, 2048);
    strbuf_addc(&b, kind);
    strbuf_addc(&b, ' ');
    strbuf_add(&b, ns);
    strbuf_add(&b, ns.n > 0 ? STR("/") : STR_EMPTY);
    strbuf_add(&b, name);
    return strbuf_str(&b);
}

static void add_name(struct reading *r, char kind, struct str ns, struct str name, uint32_t i)
{
    r->index[strtab_add(r->names, key_of(r->arena, kind, ns, name))] = i;
}

static void index_names(struct reading *r)
{
    const struct k8s_cluster *c = r->plan->cluster;
    r->names = strtab_new(r->arena);
    r->index =
        ARENA_ARRAY(r->arena, uint32_t, (size_t)c->n_nodes + c->n_pods + r->plan->n_nodes + 1);
    for (uint32_t i = 0; i < c->n_nodes; i++) {
        add_name(r, 'n', STR_EMPTY, c->nodes[i].meta.name, i);
    }
    for (uint32_t i = 0; i < c->n_pods; i++) {
        add_name(r, 'p', strtab_str(c->tab, c->pods[i].ns), c->pods[i].name, i);
    }
    for (uint32_t i = 0; i < r->plan->n_nodes; i++) {
        add_name(r, 'w', STR_EMPTY, r->plan->nodes[i].name, i);
    }
}

static bool find(struct reading *r, const struct json_at *at, char kind, uint32_t *ret_i,
                 struct err *err)
{
    struct str name;
    if (!json_read_str(at, NULL, &name, err)) {
        return false;
    }
    strid id = strtab_find(r->names, key_of(r->arena, kind, STR_EMPTY, name));
    if (id == STRID_NONE) {
        return json_fail(err, ERR_NOT_FOUND, at, "\"" STR_FMT "\" is not in the %s", STR_ARG(name),
                         kind == 'w' ? "plan" : "input");
    }
    *ret_i = r->index[id];
    return true;
}

static bool find_all(struct reading *r, const struct json_at *object, const char *key, char kind,
                     const uint32_t **ret_list, uint32_t *ret_n, struct err *err)
{
    struct json_at list = json_at_member(object, key);
    if (!json_want_array(&list, err)) {
        return false;
    }
    size_t n = json_at_count(&list);
    uint32_t *out = ARENA_ARRAY(r->arena, uint32_t, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct json_at at = json_at_element(&list, i);
        if (!find(r, &at, kind, &out[i], err)) {
            return false;
        }
    }
    *ret_list = out;
    *ret_n = (uint32_t)n;
    return true;
}

static bool read_money(const struct json_at *object, const char *key, usd_t *ret_amount,
                       struct err *err)
{
    struct json_at at = json_at_member(object, key);
    char buffer[NUMBER_TEXT_MAX];
    if (!json_is_number(at.v)) {
        return json_fail(err, ERR_INVALID, &at, "expected a number of US dollars");
    }
    struct str text = number_format_double(json_number_value(at.v), buffer);
    return number_parse_decimal(text, 9, ret_amount) ||
           json_fail(err, ERR_INVALID, &at, "is out of range");
}

static bool read_reason(const struct json_at *object, struct str *ret_reason, struct err *err)
{
    static const struct str reasons[] = {STR("Empty"), STR("Drifted"), STR("Expired"),
                                         STR("Underutilized")};
    struct json_at at = json_at_member(object, "reason");
    struct str text;
    if (!json_read_str(&at, NULL, &text, err)) {
        return false;
    }
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (str_eq(text, reasons[i])) {
            *ret_reason = reasons[i];
            return true;
        }
    }
    return json_fail(err, ERR_INVALID, &at, "\"" STR_FMT "\": no reason of disruption",
                     STR_ARG(text));
}

static bool read_command(struct reading *r, const struct json_at *at, bool replace,
                         struct plan_command *ret_command, struct err *err)
{
    struct plan_command *c = ret_command;
    if (!read_reason(at, &c->reason, err) || !read_money(at, "savingsUsdPerHour", &c->saves, err)) {
        return false;
    }
    if (replace) {
        return find_all(r, at, "nodes", 'n', &c->nodes, &c->n_nodes, err) &&
               find_all(r, at, "with", 'w', &c->with, &c->n_with, err);
    }
    uint32_t *node = ARENA_NEW(r->arena, uint32_t);
    struct json_at name = json_at_member(at, "node");
    c->nodes = node;
    c->n_nodes = 1;
    return find(r, &name, 'n', node, err);
}

static bool read_commands(struct reading *r, const struct json_at *at, const char *key,
                          bool replace, struct command_list *commands, struct err *err)
{
    struct json_at list = json_at_member(at, key);
    if (!json_want_array(&list, err)) {
        return false;
    }
    for (size_t i = 0; i < json_at_count(&list); i++) {
        struct json_at item = json_at_element(&list, i);
        struct plan_command command = {.n_nodes = 0};
        if (!read_command(r, &item, replace, &command, err)) {
            return false;
        }
        if (command.n_nodes == 0) {
            return json_fail(err, ERR_INVALID, &item, "names no node");
        }
        VEC_PUSH(r->arena, commands, command);
    }
    return true;
}

static bool read_steps(struct reading *r, const struct json_at *at, struct plan_disruption *d,
                       struct err *err)
{
    struct json_at list = json_at_member(at, "steps");
    if (!json_want_array(&list, err)) {
        return false;
    }
    size_t n = json_at_count(&list);
    struct plan_step *steps = ARENA_ARRAY(r->arena, struct plan_step, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct json_at item = json_at_element(&list, i), node = json_at_member(&item, "drain");
        if (!find(r, &node, 'n', &steps[i].node, err) ||
            !find_all(r, &item, "launch", 'w', &steps[i].launch, &steps[i].n_launch, err) ||
            !find_all(r, &item, "pods", 'p', &steps[i].pods, &steps[i].n_pods, err)) {
            return false;
        }
        if (json_at_member(&item, "waitsFor").v != NULL &&
            !find_all(r, &item, "waitsFor", 'p', &steps[i].waits, &steps[i].n_waits, err)) {
            return false;
        }
        d->n_moved += steps[i].n_pods;
    }
    d->steps = steps;
    d->n_steps = (uint32_t)n;
    return true;
}

/* The sums that people read first. Those of an older plan may be missing: then they are what they
 * should be. */
static bool read_figures(const struct json_at *at, struct plan_disruption *d, struct err *err)
{
    struct json_at moved = json_at_member(at, "movedPods");
    int64_t n_moved = 0;
    bool has = false;
    usd_t pending = 0;
    if (!read_money(at, "savingsUsdPerHour", &d->saves, err) ||
        !read_money(at, "runningUsdPerHour", &d->running, err) ||
        !read_money(at, "consolidationSavingsUsdPerHour", &d->consolidation_saves, err) ||
        !json_read_i64(&moved, 0, UINT32_MAX, &has, &n_moved, err)) {
        return false;
    }
    d->n_moved = has ? (uint32_t)n_moved : d->n_moved;
    d->figures_known = json_at_member(at, "pendingUsdPerHour").v != NULL;
    if (d->figures_known && (!read_money(at, "pendingUsdPerHour", &pending, err) ||
                             !read_money(at, "afterUsdPerHour", &d->after, err))) {
        return false;
    }
    d->pending_cost = pending;
    return true;
}

bool read_disruption(const struct json_at *root, struct plan *plan, struct arena *arena,
                     struct err *err)
{
    struct json_at at = json_at_member(root, "disruption");
    struct reading r = {.plan = plan, .arena = arena};
    struct command_list commands = {0};
    struct plan_disruption *d = ARENA_NEW(arena, struct plan_disruption);
    if (at.v == NULL) {
        return true;
    }
    if (!json_want_object(&at, err)) {
        return false;
    }
    index_names(&r);
    if (!read_commands(&r, &at, "delete", /* replace= */ false, &commands, err) ||
        !read_commands(&r, &at, "replace", /* replace= */ true, &commands, err) ||
        !read_steps(&r, &at, d, err)) {
        return false;
    }
    d->commands = commands.v;
    d->n_commands = (uint32_t)commands.n;
    plan->disruption = d;
    return read_figures(&at, d, err);
}
