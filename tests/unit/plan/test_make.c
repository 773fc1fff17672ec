/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From cluster to plan: what is bought, what goes where, and why pods stay without a place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../scheduling/planner.h"
#include "binpack/plan/check.h"
#include "binpack/plan/make.h"

#define BASE               CLASS("default", ABC) POOL("default", "", ON_DEMAND, "")
#define SELECT(key, value) "  nodeSelector: {" key ": " value "}\n"
#define SPREAD(key, rest)                                                                          \
    "  topologySpreadConstraints: [{maxSkew: 1, topologyKey: " key ", whenUnsatisfiable: " rest    \
    ", labelSelector: {matchLabels: {app: web}}}]\n"
#define AFFINITY(kind, key, app)                                                                   \
    "  affinity: {" kind ": {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: " key  \
    ", labelSelector: {matchLabels: {app: " app "}}}]}}\n"
#define AVOID                                                                                      \
    "  affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: "   \
    "1, "                                                                                          \
    "podAffinityTerm: {topologyKey: " ZONE ", labelSelector: {matchLabels: {app: web}}}}]}}\n"
#define HOST "kubernetes.io/hostname"
#define ZONE "topology.kubernetes.io/zone"

struct outcome {
    struct planner planner;
    struct arena arena;
    struct plan *plan;
};

static void run(struct outcome *o, const char *yaml, struct make_settings settings)
{
    struct err err = {0};
    struct make *make = NULL;
    planner_read(&o->planner, yaml);
    o->arena = ARENA_INIT;
    if (!make_new(o->planner.world.cluster, o->planner.catalog, &settings, &make, &err)) {
        fail_msg("make_new: %s", err.text);
    }
    for (uint32_t i = 0; i < 1000 && make_step(make, 20000); i++) {
    }
    if (!make_finish(make, &o->arena, &o->plan, &err)) {
        fail_msg("make_finish: %s", err.text);
    }
    make_free(make);
    struct check_settings checks = {.respect_strict_min_values =
                                        settings.min_values_policy == MAKE_STRICT,
                                    .catalog = settings.catalog};
    struct arena scratch = ARENA_INIT;
    if (!check_plan(o->plan, &checks, &scratch, &err)) {
        fail_msg("check_plan: %s", err.text);
    }
    arena_done(&scratch);
}

static void done(struct outcome *o)
{
    arena_done(&o->arena);
    planner_close(&o->planner);
}

/* Where a pod is: "new", the node's name, or "out". */
static const char *place_of(const struct outcome *o, const char *name,
                            const struct plan_node **ret_node)
{
    static char text[64];
    uint32_t pod = (uint32_t)(world_pod(&o->planner.world, name) - o->planner.world.cluster->pods);
    *ret_node = NULL;
    for (uint32_t i = 0; i < o->plan->n_nodes; i++) {
        for (uint32_t k = 0; k < o->plan->nodes[i].n_pods; k++) {
            if (o->plan->nodes[i].pods[k] == pod) {
                *ret_node = &o->plan->nodes[i];
                return "new";
            }
        }
    }
    for (uint32_t i = 0; i < o->plan->n_existing; i++) {
        for (uint32_t k = 0; k < o->plan->existing[i].n_pods; k++) {
            if (o->plan->existing[i].pods[k] == pod) {
                (void)snprintf(text, sizeof text, STR_FMT, STR_ARG(o->plan->existing[i].node));
                return text;
            }
        }
    }
    return "out";
}

#define CENT (USD_PER_HOUR / 100)

static void test_outcomes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *yaml;
        uint32_t n_nodes, n_unplaced;
        int64_t cents; /* of new nodes, tenths */
    } rows[] = {
        {"nothing to do", BASE, 0, 0, 0},
        {"one pod", BASE PENDING("p", "", "1", ""), 1, 0, 100},
        {"two share", BASE PENDING("p", "", "1", "") PENDING("q", "", "1", ""), 1, 0, 100},
        {"spot where allowed",
         CLASS("default", ABC)
             POOL("default", "",
                  "      requirements: [{key: "
                  "karpenter.sh/capacity-type, operator: In, values: [on-demand, spot]}]\n",
                  "") PENDING("p", "", "1", ""),
         1, 0, 40},
        {"zone that has no subnet",
         CLASS("default", "{id: s1, zone: a}") POOL("default", "", ON_DEMAND, "")
             PENDING("p", "", "1", SELECT(ZONE, "b")),
         0, 1, 0},
        {"room on a node", BASE NODE("n1", "a", "", "4") PENDING("p", "", "1", ""), 0, 0, 0},
        {"a full node",
         BASE NODE("n1", "a", "", "4") BOUND("old", "", "n1", "3500m", "")
             PENDING("p", "", "1", ""),
         1, 0, 100},
        {"limit of the heavier pool, then the lighter one",
         CLASS("default", ABC) POOL("heavy", "  weight: 10\n  limits: {cpu: 4}\n", ON_DEMAND, "")
             POOL("light", "", ON_DEMAND, "") PENDING("p", "", "3", "") PENDING("q", "", "3", "")
                 PENDING("r", "", "3", ""),
         2, 0, 550},
        {"limit of the only pool",
         CLASS("default", ABC) POOL("default", "  limits: {cpu: 4}\n", ON_DEMAND, "")
             PENDING("p", "", "3", "") PENDING("q", "", "3", ""),
         1, 1, 190},
        {"limit by nodes",
         CLASS("default", ABC) POOL("default", "  limits: {nodes: 1}\n", ON_DEMAND, "")
             PENDING("p", "", "8", "") PENDING("q", "", "8", ""),
         1, 1, 360},
        {"hosts that avoid each other",
         BASE PENDING("p", "app: web", "500m", AFFINITY("podAntiAffinity", HOST, "web"))
             PENDING("q", "app: web", "500m", AFFINITY("podAntiAffinity", HOST, "web")),
         2, 0, 200},
        {"hosts to share",
         BASE PENDING("p", "app: web", "500m", AFFINITY("podAffinity", HOST, "web"))
             PENDING("q", "app: web", "500m", AFFINITY("podAffinity", HOST, "web")),
         1, 0, 100},
        {"nobody to follow",
         BASE PENDING("p", "app: web", "1", AFFINITY("podAffinity", HOST, "db")), 0, 1, 0},
        {"zones in turn",
         BASE PENDING("p", "app: web", "500m", SPREAD(ZONE, "DoNotSchedule"))
             PENDING("q", "app: web", "500m", SPREAD(ZONE, "DoNotSchedule"))
                 PENDING("r", "app: web", "500m", SPREAD(ZONE, "DoNotSchedule")),
         3, 0, 300},
        {"soft spread over hosts is kept",
         BASE PENDING("p", "app: web", "500m", SPREAD(HOST, "ScheduleAnyway"))
             PENDING("q", "app: web", "500m", SPREAD(HOST, "ScheduleAnyway")),
         2, 0, 200},
        {"soft spread over hosts gives way to a limit",
         CLASS("default", ABC) POOL("default", "  limits: {nodes: 1}\n", ON_DEMAND, "")
             PENDING("p", "app: web", "500m", SPREAD(HOST, "ScheduleAnyway"))
                 PENDING("q", "app: web", "500m", SPREAD(HOST, "ScheduleAnyway")),
         1, 0, 100},
        {"preferred anti-affinity by zone gives way in the only zone",
         CLASS("default", "{id: s1, zone: a}") POOL("default", "", ON_DEMAND, "")
             PENDING("p", "app: web", "500m", AVOID) PENDING("q", "app: web", "500m", AVOID)
                 PENDING("r", "app: web", "500m", AVOID),
         1, 0, 100},
        {"preferred anti-affinity by zone is kept where there are zones",
         BASE PENDING("p", "app: web", "500m", AVOID) PENDING("q", "app: web", "500m", AVOID), 2, 0,
         200},
        {"whom others would rather avoid has a place all the same",
         CLASS("default", "{id: s1, zone: a}") POOL("default", "", ON_DEMAND, "")
             PENDING("p", "app: db", "500m", AVOID) PENDING("q", "app: web", "500m", ""),
         1, 0, 100},
        {"who is followed has a place of its own",
         CLASS("default", ABC) POOL("default", "  limits: {nodes: 1}\n", ON_DEMAND, "")
             PENDING("big", "", "8", "") PENDING("db", "app: db", "500m", "")
                 PENDING("web", "app: web", "8", AFFINITY("podAffinity", HOST, "db"))
                     NODE("n1", "a", "", "1"),
         1, 1, 360},
        {"one host port",
         BASE PENDING(
             "p", "",
             "500m",
             "") "---\napiVersion: v1\nkind: Pod\nmetadata: {name: q, namespace: default}\n"
                 "spec: {containers: [{name: c, ports: [{containerPort: 80, hostPort: 80}]}]}\n"
                 "---\napiVersion: v1\nkind: Pod\nmetadata: {name: r, namespace: default}\n"
                 "spec: {containers: [{name: c, ports: [{containerPort: 80, hostPort: 80}]}]}\n",
         2, 0, 200},
        {"custom label decides",
         CLASS("default", ABC) POOL(
             "default", "",
             "      requirements: [{key: karpenter.sh/capacity-type, "
             "operator: In, values: [on-demand]}, {key: ring, operator: In, values: [x, y]}]\n",
             "") PENDING("p", "", "500m", SELECT("ring", "x"))
             PENDING("q", "", "500m", SELECT("ring", "y")) PENDING("r", "", "500m", ""),
         2, 0, 200},
        {"reserved first, then on demand",
         CLASS("default", ABC)
             POOL("default", "",
                  "      requirements: [{key: "
                  "karpenter.sh/capacity-type, operator: In, values: [on-demand, reserved]}]\n",
                  "") PENDING("p", "", "3", "") PENDING("q", "", "3", "") PENDING("r", "", "3", ""),
         3, 0, 190},
        {"static pool",
         CLASS("default", ABC) POOL("default", "  replicas: 3\n", ON_DEMAND, "")
             PENDING("p", "", "1", ""),
         0, 1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct outcome o;
        run(&o, rows[i].yaml, MAKE_SETTINGS_DEFAULT);
        if (o.plan->n_nodes != rows[i].n_nodes || o.plan->n_unplaced != rows[i].n_unplaced ||
            o.plan->cost != rows[i].cents * CENT / 10) {
            fail_msg("%s: %u nodes, %u unplaced, %lld nano-dollars; expected %u, %u, %lld",
                     rows[i].name, o.plan->n_nodes, o.plan->n_unplaced, (long long)o.plan->cost,
                     rows[i].n_nodes, rows[i].n_unplaced, (long long)(rows[i].cents * CENT / 10));
        }
        assert_true(o.plan->bound <= o.plan->cost);
        done(&o);
    }
}

static void test_reasons(void **state)
{
    (void)state;
    static const struct {
        const char *name, *yaml, *code, *words;
    } rows[] = {
        {"no pool", PENDING("p", "", "1", ""), "NO_NODEPOOL", "no NodePool"},
        {"static pool",
         CLASS("default", ABC) POOL("default", "  replicas: 3\n", ON_DEMAND, "")
             PENDING("p", "", "1", ""),
         "POOL_STATIC", "replicas"},
        {"class is missing",
         CLASS("other", ABC) POOL("default", "", ON_DEMAND, "") PENDING("p", "", "1", ""),
         "NODECLASS_MISSING", "default"},
        {"typo in a value",
         BASE PENDING("p", "", "1", SELECT("karpenter.sh/capacity-type", "ondemand")),
         "NO_LABEL_VALUE", "did you mean on-demand"},
        {"typo in a key", BASE PENDING("p", "", "1", SELECT("topology.kubernetes.io/zome", "a")),
         "LABEL_UNDEFINED", "topology.kubernetes.io/zone"},
        {"taint",
         CLASS("default", ABC) POOL(
             "default", "", ON_DEMAND "      taints: [{key: team, value: x, effect: NoSchedule}]\n",
             "") PENDING("p", "", "1", ""),
         "TAINT_NOT_TOLERATED", "team=x:NoSchedule"},
        {"too large", BASE PENDING("p", "", "9", ""), "RESOURCE_NOT_OFFERED", "cpu 9"},
        {"milli forgotten", BASE PENDING("p", "", "500", ""), "RESOURCE_NOT_OFFERED",
         "did you mean 500m"},
        {"limit too small",
         CLASS("default", ABC) POOL("default", "  limits: {cpu: 1}\n", ON_DEMAND, "")
             PENDING("p", "", "1", ""),
         "LIMIT_EXHAUSTED", "cpu 1"},
        {"limit used up",
         CLASS("default", ABC) POOL("default", "  limits: {cpu: 8}\n", ON_DEMAND, "")
             PENDING("o", "", "8", "") PENDING("p", "", "8", ""),
         "LIMIT_USED_UP", "cpu 8"},
        {"nobody to follow",
         BASE PENDING("p", "app: web", "1", AFFINITY("podAffinity", HOST, "db")), "POD_RULES",
         "no pod that runs or that this plan could place matches its required pod affinity "
         "(app=db) on kubernetes.io/hostname"},
        {"selector and affinity contradict each other",
         BASE PENDING(
             "p", "", "1",
             SELECT(
                 ZONE,
                 "a") "  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
                      "{nodeSelectorTerms: [{matchExpressions: [{key: " ZONE
                      ", operator: In, values: [b]}, {key: kubernetes.io/arch, operator: "
                      "Exists}]}]}}}\n"),
         "LABELS_CONTRADICT", ZONE " In [a] and " ZONE " In [b], which no node"},
        {"missing claim",
         BASE PENDING("p", "", "1",
                      "  volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]\n"),
         "VOLUME_CLAIM_MISSING", "data"},
        {"minValues",
         CLASS("default", ABC) POOL("default", "",
                                    "      requirements: [{key: karpenter.k8s.aws/instance-family, "
                                    "operator: Exists, minValues: 3}]\n",
                                    "") PENDING("p", "", "1", ""),
         "MIN_VALUES_NOT_MET", "minValues"},
        {"daemon takes the port",
         BASE "---\napiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: d, namespace: "
              "default}\nspec: "
              "{selector: {matchLabels: {d: d}}, template: {metadata: {labels: {d: d}}, spec: "
              "{containers: [{name: c, ports: "
              "[{containerPort: 80, hostPort: 80}]}]}}}\n---\napiVersion: v1\nkind: Pod\nmetadata: "
              "{name: p, namespace: default}\n"
              "spec: {containers: [{name: c, ports: [{containerPort: 80, hostPort: 80}]}]}\n",
         "HOST_PORT_TAKEN", "port"},
        {"restricted label", BASE PENDING("p", "", "1", SELECT("karpenter.sh/flavour", "x")),
         "BAD_REQUIREMENT", "karpenter.sh"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct outcome o;
        run(&o, rows[i].yaml, MAKE_SETTINGS_DEFAULT);
        if (o.plan->n_unplaced != 1) {
            fail_msg("%s: %u pods without a place", rows[i].name, o.plan->n_unplaced);
        }
        const struct plan_reason *reason = &o.plan->unplaced[0].reasons[0];
        char message[4096];
        (void)snprintf(message, sizeof message, STR_FMT, STR_ARG(reason->message));
        if (!str_eq(reason->code, str_of(rows[i].code)) || strstr(message, rows[i].words) == NULL) {
            fail_msg("%s: " STR_FMT ": %s", rows[i].name, STR_ARG(reason->code), message);
        }
        done(&o);
    }
}

/* Nearest miss first: the pool that only lacks room comes before the one whose taint keeps the pod
 * away. */
static void test_reasons_order(void **state)
{
    (void)state;
    struct outcome o;
    run(&o,
        CLASS("default", ABC) POOL("tainted", "  weight: 9\n",
                                   ON_DEMAND "      taints: [{key: team, effect: NoSchedule}]\n",
                                   "") POOL("open", "", ON_DEMAND, "") PENDING("p", "", "9", ""),
        MAKE_SETTINGS_DEFAULT);
    assert_int_equal(o.plan->unplaced[0].n_reasons, 2);
    assert_true(str_eq(o.plan->unplaced[0].reasons[0].pool, STR("open")));
    assert_true(str_eq(o.plan->unplaced[0].reasons[1].pool, STR("tainted")));
    done(&o);
}

static void test_places(void **state)
{
    (void)state;
    struct outcome o;
    const struct plan_node *node = NULL;
    run(&o,
        CLASS("default", ABC) POOL("heavy", "  weight: 10\n", ON_DEMAND, "tier: gold")
            POOL("light", "", "", "") NODE("n1", "b", "", "1500m")
                PENDING("here", "", "1", SELECT(ZONE, "b"))
                    PENDING("there", "", "1", SELECT(ZONE, "c")),
        MAKE_SETTINGS_DEFAULT);
    assert_string_equal(place_of(&o, "default/here", &node), "n1");
    assert_string_equal(place_of(&o, "default/there", &node), "new");
    assert_true(str_eq(o.plan->cluster->nodepools[node->pool_i].meta.name,
                       STR("heavy"))); /* dearer, but heavier */
    assert_int_equal(k8s_pairs_get(&node->labels, world_id(&o.planner.world, "tier")),
                     world_id(&o.planner.world, "gold"));
    assert_int_equal(node->n_options, 1); /* the next size is more than 10 % dearer */
    assert_ptr_equal(node->options[0], node->type);
    done(&o);
}

/* The plan is the same whatever order the objects come in. */
static void test_order(void **state)
{
    (void)state;
    static const char *const parts[] = {
        CLASS("default", ABC),
        POOL("default", "", "", ""),
        POOL("other", "", ON_DEMAND, ""),
        PENDING("p", "app: web", "500m", SPREAD(ZONE, "DoNotSchedule")),
        PENDING("q", "app: web", "500m", SPREAD(ZONE, "DoNotSchedule")),
        PENDING("r", "app: db", "3", AFFINITY("podAntiAffinity", HOST, "web")),
        PENDING("s", "app: db", "3", ""),
        NODE("n1", "a", "", "2"),
        NODE("n2", "b", "", "2"),
    };
    enum { N = sizeof parts / sizeof *parts };
    struct outcome first;
    for (uint32_t turn = 0; turn < N; turn++) {
        char yaml[16384];
        size_t n = 0;
        for (uint32_t i = 0; i < N; i++) {
            n += (size_t)snprintf(yaml + n, sizeof yaml - n, "%s", parts[(i + turn) % N]);
        }
        struct outcome o;
        run(&o, yaml, MAKE_SETTINGS_DEFAULT);
        if (turn == 0) {
            first = o;
            continue;
        }
        assert_int_equal(o.plan->cost, first.plan->cost);
        assert_int_equal(o.plan->n_nodes, first.plan->n_nodes);
        for (uint32_t i = 0; i < o.plan->n_nodes; i++) {
            const struct plan_node *a = &first.plan->nodes[i], *b = &o.plan->nodes[i];
            assert_int_equal(a->n_pods, b->n_pods);
            for (uint32_t k = 0; k < a->n_pods; k++) {
                assert_true(str_eq(first.plan->cluster->pods[a->pods[k]].name,
                                   o.plan->cluster->pods[b->pods[k]].name));
            }
        }
        done(&o);
    }
    done(&first);
}

static void test_cancelled(void **state)
{
    (void)state;
    struct planner p;
    struct err err = {0};
    struct make *make = NULL;
    struct plan *plan = NULL;
    struct make_settings settings = MAKE_SETTINGS_DEFAULT;
    planner_read(&p, BASE PENDING("p", "", "1", "") PENDING("q", "", "3", ""));
    assert_true(make_new(p.world.cluster, p.catalog, &settings, &make, &err));
    make_cancel(make);
    assert_false(make_step(make, 1000));
    struct arena arena = ARENA_INIT;
    assert_true(make_finish(make, &arena, &plan, &err));
    assert_int_equal(plan->n_unplaced, 0);
    make_free(make);
    make_free(NULL);
    arena_done(&arena);
    planner_close(&p);
}

static void test_unknown_zone(void **state)
{
    (void)state;
    struct planner p;
    struct err err = {0};
    struct make *make = NULL;
    struct make_settings settings = MAKE_SETTINGS_DEFAULT;
    planner_read(&p, BASE NODE("n1", "eu-west-1a", "", "2"));
    assert_false(make_new(p.world.cluster, p.catalog, &settings, &make, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "eu-west-1a"));
    assert_non_null(strstr(err.text, "--catalog"));
    planner_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes),      cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_reasons_order), cmocka_unit_test(test_places),
        cmocka_unit_test(test_order),         cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_unknown_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
