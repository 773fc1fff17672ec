/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Topology spread and pod (anti-)affinity as parts of a problem: what rows of pods become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/bitset.h"
#include "planner.h"

#define SPREAD(key, skew, app, rest)                                                               \
    "  topologySpreadConstraints: [{maxSkew: " skew ", topologyKey: " key                          \
    ", whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: " app "}}" rest "}]\n"
#define TERM(kind, key, app)                                                                       \
    "  affinity: {" kind ": {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: " key  \
    ", labelSelector: {matchLabels: {app: " app "}}}]}}\n"
#define NEAR(key, app) TERM("podAffinity", key, app)
#define AWAY(key, app) TERM("podAntiAffinity", key, app)
#define ZONE           "topology.kubernetes.io/zone"
#define HOST           "kubernetes.io/hostname"

static struct str pod_name(const struct planner *p, uint32_t unit)
{
    const uint32_t class_i = p->problem->units[unit].items[0].class_i;
    return p->world.cluster->pods[p->problem->classes.v[class_i].pods[0]].name;
}

static void put_set(const struct planner *p, const uint64_t *set, struct strbuf *out)
{
    strbuf_addc(out, '{');
    for (uint32_t u = 0; u < p->problem->bp.n_classes; u++) {
        if (bits_get(set, u)) {
            strbuf_add(out, pod_name(p, u));
        }
    }
    strbuf_addc(out, '}');
}

/* Running nodes that the unit may use, and "new" when it may use any new one. */
static void put_places(const struct planner *p, uint32_t unit, struct strbuf *out)
{
    const struct bp_problem *bp = &p->problem->bp;
    bool new_node = false;
    for (uint32_t k = 0; k < bp->n_offerings; k++) {
        if (!bits_get(bp->mask + unit * bits_words(bp->n_domains), bp->offerings[k].domain)) {
            continue;
        }
        if (bp->offerings[k].running) {
            strbuf_addc(out, ' ');
            strbuf_add(out, p->snapshot->nodes[p->problem->offerings[k].node_i].name);
        }
        new_node = new_node || !bp->offerings[k].running;
    }
    strbuf_add(out, new_node ? STR(" new") : STR_EMPTY);
}

static struct str describe(struct planner *p)
{
    static const char *const kinds[] = {"spread", "together", "apart"};
    const struct bp_problem *bp = &p->problem->bp;
    struct strbuf out = strbuf_new(&p->world.arena, 65536);
    for (uint32_t c = 0; c < bp->n_caps; c++) {
        strbuf_addf(&out, "cap %u%s ", bp->caps[c].max, bp->caps[c].necessary ? "" : " sufficient");
        put_set(p, bp->caps[c].members, &out);
        strbuf_add(&out, STR("; "));
    }
    for (uint32_t e = 0; e < bp->n_exclusions; e++) {
        strbuf_add(&out, STR("not "));
        put_set(p, bp->exclusions[e].a, &out);
        put_set(p, bp->exclusions[e].b, &out);
        strbuf_add(&out, STR("; "));
    }
    for (uint32_t g = 0; g < bp->n_groups; g++) {
        const struct bp_group *group = &bp->groups[g];
        strbuf_addf(&out, "%s%s ", kinds[group->kind], group->self_start ? " start" : "");
        put_set(p, group->carriers, &out);
        put_set(p, group->targets, &out);
        for (uint32_t v = 0; v < bp->n_axis_values[group->axis]; v++) {
            const bool counts = group->kind != BP_GROUP_SPREAD || bits_get(group->eligible, v);
            strbuf_addf(&out, counts ? " %u" : " (%u)", group->base[v]);
        }
        strbuf_add(&out, STR("; "));
    }
    for (uint32_t u = 0; u < bp->n_classes; u++) {
        strbuf_add(&out, pod_name(p, u));
        if (bp->classes[u].weight > 1) {
            strbuf_addf(&out, "x%u", bp->classes[u].weight);
        }
        if (bp->classes[u].max_per_node != BP_UNLIMITED) {
            strbuf_addf(&out, " max %u", bp->classes[u].max_per_node);
        }
        put_places(p, u, &out);
        strbuf_add(&out, STR("; "));
    }
    return strbuf_str(&out);
}

static const struct {
    const char *name, *yaml, *expected;
} rows[] = {
    {"host spread", PENDING("p", "app: a", "1", SPREAD(HOST, "2", "a", "")), "cap 2 {p}; p new; "},
    {"host spread that does not count its carrier",
     PENDING("p", "app: a", "1", SPREAD(HOST, "2", "b", "")), "p new; "},
    {"host spread and a counted pod that does not carry it",
     PENDING("p", "app: a", "1", SPREAD(HOST, "1", "a", "")) PENDING("q", "app: a", "1", ""),
     "cap 1 {p}; not {p}{q}; p new; q new; "},
    {"host spread and a pod it does not count",
     PENDING("p", "app: a", "1", SPREAD(HOST, "1", "a", "")) PENDING("q", "app: b", "1", ""),
     "cap 1 {p}; p new; q new; "},
    {"two skews of one selector",
     PENDING("p", "app: a", "1", SPREAD(HOST, "1", "a", ""))
         PENDING("q", "app: a", "1", SPREAD(HOST, "3", "a", "")),
     "cap 1 {p}; cap 3 {pq}; not {p}{q}; not {q}{p}; p new; q new; "},
    {"zone spread", PENDING("p", "app: a", "1", SPREAD(ZONE, "1", "a", "")),
     "spread {p}{p} 0 0 0; p new; "},
    {"zone spread, pods that run",
     PENDING("p", "app: a", "1", SPREAD(ZONE, "1", "a", "")) NODE("n", "b", "", "2")
         BOUND("r", "app: a", "n", "1", "") BOUND("s", "app: b", "n", "1", ""),
     "spread {p}{p} 0 1 0; p n new; "},
    {"zone spread of a pod that is tied to two zones",
     PENDING(
         "p", "app: a", "1",
         SPREAD(ZONE, "1", "a",
                "") "  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
                    "{nodeSelectorTerms: [{matchExpressions: [{key: " ZONE
                    ", operator: In, values: [a, b]}]}]}}}\n"),
     "spread {p}{p} 0 0 (0); p new; "},
    {"the same, ignoring it",
     PENDING("p", "app: a", "1",
             SPREAD(ZONE, "1", "a", ", nodeAffinityPolicy: Ignore") "  nodeSelector: {" ZONE
                                                                    ": a}\n"),
     "spread {p}{p} 0 0 0; p new; "},
    {"host anti-affinity to itself", PENDING("p", "app: a", "1", AWAY(HOST, "a")), "p max 1 new; "},
    {"host anti-affinity to another",
     PENDING("p", "app: a", "1", AWAY(HOST, "b")) PENDING("q", "app: b", "1", ""),
     "not {p}{q}; p new; q new; "},
    {"host anti-affinity to pods that run",
     PENDING("p", "app: a", "1", AWAY(HOST, "b")) NODE("m", "a", "", "2") NODE("n", "a", "", "2")
         BOUND("r", "app: b", "n", "1", ""),
     "p m new; "},
    {"host anti-affinity of pods that run",
     PENDING("p", "app: a", "1", "") NODE("m", "a", "", "2") NODE("n", "a", "", "2")
         BOUND("r", "app: b", "n", "1", AWAY(HOST, "a")),
     "p m new; "},
    {"zone anti-affinity to itself", PENDING("p", "app: a", "1", AWAY(ZONE, "a")),
     "apart {p}{p} 0 0 0; p new; "},
    {"zone anti-affinity of pods that run everywhere",
     PENDING("p", "app: a", "1", "") NODE("k", "a", "", "2") NODE("m", "b", "", "2")
         NODE("n", "c", "", "2") BOUND("r", "app: b", "k", "1", AWAY(ZONE, "a"))
             BOUND("s", "app: b", "m", "1", AWAY(ZONE, "a"))
                 BOUND("t", "app: b", "n", "1", AWAY(ZONE, "a")),
     "p; "},
    {"zone affinity to itself", PENDING("p", "app: a", "1", NEAR(ZONE, "a")),
     "together start {p}{p} 0 0 0; p new; "},
    {"zone affinity to a pod that runs",
     PENDING("p", "app: a", "1", NEAR(ZONE, "b")) NODE("m", "a", "", "2") NODE("n", "b", "", "2")
         BOUND("r", "app: b", "n", "1", ""),
     "together {p}{} 0 1 0; p n new; "},
    {"zone affinity to nobody", PENDING("p", "app: a", "1", NEAR(ZONE, "b")),
     "together {p}{} 0 0 0; p; "},
    {"host affinity to a pod that runs",
     PENDING("p", "app: a", "1", NEAR(HOST, "b")) NODE("m", "a", "", "2") NODE("n", "b", "", "2")
         BOUND("r", "app: b", "n", "1", ""),
     "p n; "},
    {"host affinity to itself",
     PENDING("p", "app: a", "1", NEAR(HOST, "a")) PENDING("q", "app: a", "1", NEAR(HOST, "a")),
     "px2 new; "},
    {"host affinity to another",
     PENDING("p", "app: a", "1", NEAR(HOST, "b")) PENDING("q", "app: b", "1", ""), "px2 new; "},
    {"host affinity to nobody", PENDING("p", "app: a", "1", NEAR(HOST, "b")), "p; "},
};

static void test_rows(void **state)
{
    (void)state;
    const struct sched_settings settings = PLANNER_SETTINGS;
    bool failed = false;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct planner p;
        static char yaml[16384];
        (void)snprintf(yaml, sizeof yaml, "%s%s",
                       CLASS("default", ABC) POOL("default", "", ON_DEMAND, ""), rows[i].yaml);
        planner_open(&p, yaml, &settings);
        const struct str got = describe(&p);
        if (!str_eq(got, str_of(rows[i].expected))) {
            print_error("%s:\n  got      " STR_FMT "\n  expected %s\n", rows[i].name, STR_ARG(got),
                        rows[i].expected);
            failed = true;
        }
        planner_close(&p);
    }
    assert_false(failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests_name("rules between pods", tests, NULL, NULL);
}
