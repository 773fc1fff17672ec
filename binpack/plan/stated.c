/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/stated.h"

#include "base/json.h"
#include "base/number.h"
#include "binpack/plan/plan_json.h"

static bool same_count(const struct json_at *object, const char *key, int64_t right,
                       struct err *err)
{
    struct json_at at = json_at_member(object, key);
    bool has = false;
    int64_t said = 0;
    if (!json_read_i64(&at, 0, INT64_MAX, &has, &said, err)) {
        return false;
    }
    return !has || said == right ||
           json_fail(err, ERR_CONFLICT, &at, "%lld is stated, %lld is right", (long long)said,
                     (long long)right);
}

static bool same_text(const struct json_at *object, const char *key, struct str right,
                      struct err *err)
{
    struct json_at at = json_at_member(object, key);
    bool has = false;
    struct str said = STR_EMPTY;
    if (!json_read_str(&at, &has, &said, err)) {
        return false;
    }
    return !has || str_eq(said, right) ||
           json_fail(err, ERR_CONFLICT, &at, "\"" STR_FMT "\" is stated, \"" STR_FMT "\" is right",
                     STR_ARG(said), STR_ARG(right));
}

static bool same_usd(const struct json_at *object, const char *key, usd_t said, usd_t right,
                     struct err *err)
{
    struct json_at at = json_at_member(object, key);
    char a[NUMBER_TEXT_MAX], b[NUMBER_TEXT_MAX];
    return at.v == NULL || said == right ||
           json_fail(err, ERR_CONFLICT, &at, STR_FMT " is stated, " STR_FMT " is right",
                     STR_ARG(number_format_decimal(said, 9, a)),
                     STR_ARG(number_format_decimal(right, 9, b)));
}

static bool check_inputs(const struct json_at *root, const struct plan *read,
                         const struct plan *made, struct err *err)
{
    const struct json_at inputs = json_at_member(root, "inputs");
    const struct json_at ignored = json_at_member(&inputs, "podsWithoutNeed");
    for (uint32_t i = 0; i < read->n_ignored; i++) {
        uint32_t right = 0;
        for (uint32_t k = 0; k < made->n_ignored; k++) {
            right +=
                str_eq(made->ignored[k].reason, read->ignored[i].reason) ? made->ignored[k].n : 0;
        }
        if (right != read->ignored[i].n) {
            return json_fail(err, ERR_CONFLICT, &ignored, STR_FMT ": %u is stated, %u is right",
                             STR_ARG(read->ignored[i].reason), read->ignored[i].n, right);
        }
    }
    if (ignored.v != NULL && read->n_ignored != made->n_ignored) {
        return json_fail(err, ERR_CONFLICT, &ignored, "%u reasons are stated, there are %u",
                         read->n_ignored, made->n_ignored);
    }
    return same_count(&inputs, "pods", made->cluster->n_pods, err) &&
           same_count(&inputs, "nodes", made->cluster->n_nodes, err) &&
           same_count(&inputs, "nodePools", made->cluster->n_nodepools, err) &&
           same_text(&inputs, "catalog", made->catalog->name, err);
}

static bool check_totals(const struct json_at *root, const struct plan *read,
                         const struct plan *made, struct err *err)
{
    const struct json_at totals = json_at_member(root, "totals");
    usd_t on_demand = 0;
    for (uint32_t i = 0; i < read->n_nodes; i++) {
        on_demand = sat_add(on_demand, plan_on_demand_price(&read->nodes[i]));
    }
    return same_usd(&totals, "onDemandUsdPerHour", read->on_demand_cost, on_demand, err) &&
           same_usd(&totals, "existingUsdPerHour", read->running_cost, made->running_cost, err) &&
           same_count(&totals, "existingNodesWithoutPrice", made->n_running_unpriced, err);
}

/* Methods, and who uses them. */
static const struct {
    struct str method, algorithm;
    bool emulated;
} methods[] = {
    {STR("column-generation"), STR("colgen"), false},
    {STR("greedy-repair"), STR("colgen"), false},
    {STR("first-fit-decreasing"), STR("ffd"), false},
    {STR("karpenter-emulated"), STR("karpenter"), true},
    {STR("cluster-autoscaler-emulated"), STR("cluster-autoscaler"), true},
};

static bool check_method(const struct json_at *root, const struct json_at *certificate,
                         const struct plan *read, struct err *err)
{
    const struct json_at algorithm = json_at_member(root, "algorithm");
    const struct json_at emulated = json_at_member(&algorithm, "emulated");
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (str_eq(methods[i].method, read->method)) {
            bool has = false, said = false;
            return same_text(&algorithm, "name", methods[i].algorithm, err) &&
                   json_read_bool(&emulated, &has, &said, err) &&
                   (!has || said == methods[i].emulated ||
                    json_fail(err, ERR_CONFLICT, &emulated, "not with method " STR_FMT,
                              STR_ARG(read->method)));
        }
    }
    return json_fail(err, ERR_CONFLICT, certificate, "method: \"" STR_FMT "\" is none",
                     STR_ARG(read->method));
}

/* "optimal" is a claim that the gap shows: no more than a billionth. */
static bool check_status(const struct json_at *certificate, const struct plan *read,
                         struct err *err)
{
    static const struct str known[] = {STR("optimal"), STR("within-gap"), STR("effort-done"),
                                       STR("stopped")};
    bool good = false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        good = good || str_eq(read->status, known[i]);
    }
    if (good && str_eq(read->status, known[0]) && plan_gap_ppb(read) > 1) {
        return json_fail(err, ERR_CONFLICT, certificate,
                         "status: \"optimal\", but the bound is below the cost");
    }
    return good || json_fail(err, ERR_CONFLICT, certificate, "status: \"" STR_FMT "\" is none",
                             STR_ARG(read->status));
}

/* Families of rules have names that are known (docs/plan.md), each once. */
static bool check_relaxed(const struct json_at *certificate, const struct plan *read,
                          struct err *err)
{
    static const struct str keys[] = {STR("hostname-"), STR("zone-"), STR("capacity-type-"),
                                      STR("label-")},
                            rules[] = {STR("spread"), STR("affinity"), STR("anti-affinity")},
                            others[] = {STR("shared-claims"), STR("attach-limits"),
                                        STR("min-values")};
    for (uint32_t i = 0; i < read->n_relaxed; i++) {
        const struct str name = read->relaxed[i];
        bool known = false;
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
            for (size_t r = 0; r < sizeof rules / sizeof rules[0]; r++) {
                known = known || (str_starts(name, keys[k]) &&
                                  str_eq(str_sub(name, keys[k].n, name.n), rules[r]));
            }
        }
        for (size_t k = 0; k < sizeof others / sizeof others[0]; k++) {
            known = known || str_eq(name, others[k]);
        }
        for (uint32_t k = 0; k < i; k++) {
            known = known && !str_eq(name, read->relaxed[k]);
        }
        if (!known) {
            return json_fail(err, ERR_CONFLICT, certificate,
                             "relaxed: \"" STR_FMT "\" is no family of rules, or named twice",
                             STR_ARG(name));
        }
    }
    return true;
}

bool stated_check(const json_t *document, const struct plan *read, const struct plan *made,
                  struct err *err)
{
    const struct json_at root = json_at_root(document);
    const struct json_at certificate = json_at_member(&root, "certificate");
    return check_inputs(&root, read, made, err) && check_totals(&root, read, made, err) &&
           check_relaxed(&certificate, read, err) &&
           (read->method.n == 0 || check_method(&root, &certificate, read, err)) &&
           (read->status.n == 0 || check_status(&certificate, read, err));
}
