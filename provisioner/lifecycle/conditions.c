/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/lifecycle/conditions.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/rfc3339.h"

static const char *const of_claim[] = {"Launched", "Registered", "Initialized"};
static const char *const of_pool[] = {"ValidationSucceeded", "NodeClassReady"};
const struct condition_set conditions_of_claim = {.types = of_claim, .n = 3};
const struct condition_set conditions_of_pool = {.types = of_pool, .n = 2};

enum { MESSAGE_MAX = 256 };

#define READY    STR("Ready")
#define TRUE     STR("True")
#define FALSE    STR("False")
#define UNKNOWN  STR("Unknown")
#define AWAITING STR("AwaitingReconciliation")

static struct condition *find(struct conditions *c, struct str type)
{
    for (uint32_t i = 0; i < c->n; i++) {
        if (str_eq(c->v[i].type, type)) {
            return &c->v[i];
        }
    }
    return NULL;
}

struct conditions conditions_read(const struct condition_set *set, const struct strtab *tab,
                                  const struct k8s_conditions *of, wall_t created,
                                  int64_t generation, wall_t now)
{
    struct conditions c = {.set = set, .now = now, .generation = generation};
    for (uint32_t i = 0; i < of->n; i++) {
        const struct k8s_condition *from = &of->v[i];
        const struct condition condition = {.type = strtab_str(tab, from->type),
                                            .status = strtab_str(tab, from->status),
                                            .reason = strtab_str(tab, from->reason),
                                            .message = from->message,
                                            .changed =
                                                from->changed.has ? from->changed.v : created,
                                            .generation = from->observed_generation};
        if (str_eq(condition.type, READY)) {
            c.ready = condition;
        } else if (c.n < CONDITIONS_MAX) {
            c.v[c.n++] = condition;
        }
    }
    for (uint32_t i = 0; i < set->n; i++) {
        if (find(&c, str_of(set->types[i])) == NULL && c.n < CONDITIONS_MAX) {
            c.changed = true;
            c.v[c.n++] = (struct condition){.type = str_of(set->types[i]),
                                            .status = UNKNOWN,
                                            .reason = AWAITING,
                                            .message = STR("object is awaiting reconciliation"),
                                            .changed = created,
                                            .generation = generation};
        }
    }
    return c;
}

void conditions_set(struct conditions *c, struct str type, struct str status, struct str reason,
                    struct str message)
{
    struct condition *at = find(c, type);
    if (at == NULL) {
        if (c->n == CONDITIONS_MAX) {
            return;
        }
        at = &c->v[c->n++];
        *at = (struct condition){.type = type};
    }
    if (!str_eq(at->status, status)) {
        at->changed = c->now;
    }
    c->changed = c->changed || !str_eq(at->status, status) || !str_eq(at->reason, reason) ||
                 !str_eq(at->message, message) || at->generation != c->generation;
    at->status = status;
    at->reason = reason;
    at->message = message;
    at->generation = c->generation;
}

void conditions_set_true(struct conditions *c, struct str type)
{
    conditions_set(c, type, TRUE, type, STR_EMPTY);
}

const struct condition *conditions_find(const struct conditions *c, struct str type)
{
    for (uint32_t i = 0; i < c->n; i++) {
        if (str_eq(c->v[i].type, type)) {
            return &c->v[i];
        }
    }
    return NULL;
}

struct str conditions_status(const struct conditions *c, struct str type)
{
    const struct condition *condition = conditions_find(c, type);
    return condition == NULL ? UNKNOWN : condition->status;
}

struct str conditions_reason(const struct conditions *c, struct str type)
{
    const struct condition *condition = conditions_find(c, type);
    return condition == NULL ? STR_EMPTY : condition->reason;
}

/* ---- writing ---- */

static int by_change(const void *a, const void *b)
{
    const struct condition *x = a, *y = b;
    const int by_time = (x->changed > y->changed) - (x->changed < y->changed);
    return by_time != 0 ? by_time : str_cmp(x->type, y->type);
}

static void put(struct jsonw *w, const struct condition *condition)
{
    char time[RFC3339_TEXT_MAX];
    jsonw_object_begin(w);
    jsonw_key_str(w, "type", condition->type);
    jsonw_key_str(w, "status", condition->status);
    jsonw_key_str(w, "reason", condition->reason);
    jsonw_key_str(w, "message", condition->message);
    jsonw_key_i64(w, "observedGeneration", condition->generation);
    jsonw_key_str(w, "lastTransitionTime", rfc3339_format(condition->changed / 1000 * 1000, time));
    jsonw_object_end(w);
}

/* Ready as it follows from the others; the message names those that are not True. */
static struct condition root(const struct conditions *c, struct strbuf *message)
{
    bool all = true, any_false = false;
    for (uint32_t i = 0; i < c->set->n; i++) {
        const char *type = c->set->types[i];
        const struct str status = conditions_status(c, str_of(type));
        if (!str_eq(status, TRUE)) {
            strbuf_addf(message, "%s%s=" STR_FMT, all ? "" : ", ", type, STR_ARG(status));
            all = false;
        }
        any_false = any_false || str_eq(status, FALSE);
    }
    struct condition ready = {.type = READY,
                              .status = all         ? TRUE
                                        : any_false ? FALSE
                                                    : UNKNOWN,
                              .reason = all         ? READY
                                        : any_false ? STR("UnhealthyDependents")
                                                    : STR("ReconcilingDependents"),
                              .message = strbuf_str(message),
                              .changed = c->now,
                              .generation = c->generation};
    if (str_eq(c->ready.status, ready.status)) {
        ready.changed = c->ready.changed;
    }
    return ready;
}

bool conditions_differ(const struct conditions *conditions)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf message = strbuf_new(&arena, MESSAGE_MAX);
    const struct condition ready = root(conditions, &message);
    const struct condition *was = &conditions->ready;
    return conditions->changed || !str_eq(was->status, ready.status) ||
           !str_eq(was->reason, ready.reason) || !str_eq(was->message, ready.message) ||
           was->generation != ready.generation;
}

void conditions_write(const struct conditions *conditions, struct jsonw *w)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf message = strbuf_new(&arena, MESSAGE_MAX);
    struct conditions sorted = *conditions;
    const struct condition ready = root(conditions, &message);
    qsort(sorted.v, sorted.n, sizeof *sorted.v, by_change);
    jsonw_array_begin(w);
    for (uint32_t i = 0; i < sorted.n; i++) {
        put(w, &sorted.v[i]);
    }
    put(w, &ready);
    jsonw_array_end(w);
}
