/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/lifecycle/conditions.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/rfc3339.h"

static const char *const dependents[] = {"Launched", "Registered", "Initialized"};
enum { N_DEPENDENTS = sizeof dependents / sizeof dependents[0], MESSAGE_MAX = 256 };

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

struct conditions conditions_read(const struct strtab *tab, const struct k8s_conditions *of,
                                  wall_t created, int64_t generation, wall_t now)
{
    struct conditions c = {.now = now, .generation = generation};
    for (uint32_t i = 0; i < of->n; i++) {
        const struct k8s_condition *from = &of->v[i];
        const struct str type = strtab_str(tab, from->type);
        if (str_eq(type, READY)) {
            c.ready = strtab_str(tab, from->status);
            c.ready_changed = from->changed;
        } else if (c.n < CONDITIONS_MAX) {
            const struct str reason = strtab_str(tab, from->reason);
            c.v[c.n++] = (struct condition){
                .type = type,
                .status = strtab_str(tab, from->status),
                .reason = reason,
                .message =
                    str_eq(reason, AWAITING) ? STR("object is awaiting reconciliation") : STR_EMPTY,
                .changed = from->changed.has ? from->changed.v : created,
                .generation = from->observed_generation};
        }
    }
    for (size_t i = 0; i < N_DEPENDENTS; i++) {
        if (find(&c, str_of(dependents[i])) == NULL && c.n < CONDITIONS_MAX) {
            c.v[c.n++] = (struct condition){.type = str_of(dependents[i]),
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
    at->status = status;
    at->reason = reason;
    at->message = message;
    at->generation = c->generation;
}

void conditions_set_true(struct conditions *c, struct str type)
{
    conditions_set(c, type, TRUE, type, STR_EMPTY);
}

struct str conditions_status(const struct conditions *c, struct str type)
{
    for (uint32_t i = 0; i < c->n; i++) {
        if (str_eq(c->v[i].type, type)) {
            return c->v[i].status;
        }
    }
    return UNKNOWN;
}

struct str conditions_reason(const struct conditions *c, struct str type)
{
    for (uint32_t i = 0; i < c->n; i++) {
        if (str_eq(c->v[i].type, type)) {
            return c->v[i].reason;
        }
    }
    return STR_EMPTY;
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

/* Ready as it follows from the three; the message names those that are not True. */
static struct condition root(const struct conditions *c, struct strbuf *message)
{
    bool all = true, any_false = false;
    for (size_t i = 0; i < N_DEPENDENTS; i++) {
        const struct str status = conditions_status(c, str_of(dependents[i]));
        if (!str_eq(status, TRUE)) {
            strbuf_addf(message, "%s%s=" STR_FMT, all ? "" : ", ", dependents[i], STR_ARG(status));
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
    if (c->ready_changed.has && str_eq(c->ready, ready.status)) {
        ready.changed = c->ready_changed.v;
    }
    return ready;
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
