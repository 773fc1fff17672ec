/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/provisioning/scheduler_config.h"

#include "base/arena.h"
#include "base/docs.h"
#include "base/json.h"
#include "binpack/scheduling/terms.h"
#include "k8s/syntax.h"

enum { CONSTRAINTS_MAX = 16 };

/* Every member of the object is one of `names`. */
static bool only(const struct json_at *at, const char *const *names, struct err *err)
{
    const char *key = NULL;
    json_t *value = NULL;
    if (!json_is_object(at->v)) {
        return json_fail(err, ERR_INVALID, at, "expected an object, got %s", json_type_text(at->v));
    }
    json_object_foreach((json_t *)(uintptr_t)at->v, key, value)
    {
        bool known = false;
        for (size_t i = 0; names[i] != NULL; i++) {
            known = known || str_eq(str_of(key), str_of(names[i]));
        }
        if (!known) {
            const struct json_at member = json_at_named(at, str_of(key), value);
            return json_fail(err, ERR_INVALID, &member, "is not known here");
        }
    }
    return true;
}

struct constraint {
    struct str key;
    int64_t max_skew;
    bool anyway;
};

static bool read_constraint(const struct json_at *at, struct constraint *ret, struct err *err)
{
    static const char *const names[] = {"maxSkew", "topologyKey", "whenUnsatisfiable", NULL};
    const struct json_at skew = json_at_member(at, "maxSkew");
    const struct json_at key = json_at_member(at, "topologyKey");
    const struct json_at when = json_at_member(at, "whenUnsatisfiable");
    struct str action;
    if (!only(at, names, err) || !json_read_i64(&skew, 1, INT32_MAX, NULL, &ret->max_skew, err) ||
        !json_read_str(&key, NULL, &ret->key, err) || !json_read_str(&when, NULL, &action, err)) {
        return false;
    }
    const char *fault = k8s_label_key_fault(ret->key);
    if (fault != NULL) {
        return json_fail(err, ERR_INVALID, &key, "%s", fault);
    }
    ret->anyway = str_eq(action, STR("ScheduleAnyway"));
    return ret->anyway || str_eq(action, STR("DoNotSchedule")) ||
           json_fail(err, ERR_INVALID, &when, "neither ScheduleAnyway nor DoNotSchedule");
}

static bool read_constraints(const struct json_at *root, struct constraint *list, uint32_t *ret_n,
                             struct err *err)
{
    static const char *const roots[] = {"podTopologySpread", NULL};
    static const char *const spreads[] = {"defaultConstraints", NULL};
    const struct json_at spread = json_at_member(root, "podTopologySpread");
    const struct json_at constraints = json_at_member(&spread, "defaultConstraints");
    if (!only(root, roots, err) || (spread.v != NULL && !only(&spread, spreads, err)) ||
        !json_want_array(&constraints, err)) {
        return false;
    }
    const size_t n = json_at_count(&constraints);
    if (n > CONSTRAINTS_MAX) {
        return json_fail(err, ERR_LIMIT, &constraints, "more than %d", (int)CONSTRAINTS_MAX);
    }
    for (size_t i = 0; i < n; i++) {
        const struct json_at at = json_at_element(&constraints, i);
        if (!read_constraint(&at, &list[i], err)) {
            return false;
        }
        for (size_t k = 0; k < i; k++) {
            if (list[k].anyway == list[i].anyway && str_eq(list[k].key, list[i].key)) {
                return json_fail(err, ERR_INVALID, &at, "the same as an earlier one");
            }
        }
    }
    *ret_n = (uint32_t)n;
    return true;
}

bool scheduler_config_apply(struct str text, const struct k8s_cluster **cluster,
                            struct arena *arena, struct err *err)
{
    auto_json *value = NULL;
    struct constraint list[CONSTRAINTS_MAX];
    uint32_t n = 0;
    if (text.n == 0) {
        return true;
    }
    if (!docs_read_one(text, &value, err)) {
        return err_wrap(err, "scheduler-config");
    }
    const struct json_at root = json_at_root(value);
    if (!read_constraints(&root, list, &n, err)) {
        return err_wrap(err, "scheduler-config");
    }
    if (cluster == NULL) {
        return true;
    }
    struct k8s_spread *spread = ARENA_ARRAY(arena, struct k8s_spread, n);
    for (uint32_t i = 0; i < n; i++) {
        spread[i] = (struct k8s_spread){.key = strtab_add((*cluster)->tab, list[i].key),
                                        .max_skew = (int32_t)list[i].max_skew,
                                        .schedule_anyway = list[i].anyway,
                                        .affinity_honor = true};
    }
    *cluster = sched_cluster_spread(*cluster, n, spread, arena);
    return true;
}
