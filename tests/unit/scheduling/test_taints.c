/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Taints, tolerations, and host ports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "binpack/scheduling/hostports.h"
#include "binpack/scheduling/taints.h"
#include "world.h"

static void test_untolerated(void **state)
{
    (void)state;
    static const struct {
        const char *name, *tolerations, *taint;
        bool prefer_counts, keeps_away;
    } rows[] = {
        {"no toleration", "", "{key: a, value: b, effect: NoSchedule}", false, true},
        {"NoExecute counts", "", "{key: a, value: b, effect: NoExecute}", false, true},
        {"PreferNoSchedule does not", "", "{key: a, value: b, effect: PreferNoSchedule}", false,
         false},
        {"PreferNoSchedule while it is a preference", "",
         "{key: a, value: b, effect: PreferNoSchedule}", true, true},
        {"PreferNoSchedule tolerated", "{key: a, operator: Exists}",
         "{key: a, value: b, effect: PreferNoSchedule}", true, false},
        {"equal", "{key: a, operator: Equal, value: b, effect: NoSchedule}",
         "{key: a, value: b, effect: NoSchedule}", false, false},
        {"equal is the default", "{key: a, value: b}", "{key: a, value: b, effect: NoSchedule}",
         false, false},
        {"other value", "{key: a, value: c}", "{key: a, value: b, effect: NoSchedule}", false,
         true},
        {"other effect", "{key: a, value: b, effect: NoExecute}",
         "{key: a, value: b, effect: NoSchedule}", false, true},
        {"exists", "{key: a, operator: Exists}", "{key: a, value: b, effect: NoSchedule}", false,
         false},
        {"everything", "{operator: Exists}", "{key: a, value: b, effect: NoExecute}", false, false},
        {"everything of one effect", "{operator: Exists, effect: NoSchedule}",
         "{key: a, effect: NoExecute}", false, true},
        {"taint without value", "{key: a, operator: Equal}", "{key: a, effect: NoSchedule}", false,
         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world w;
        char yaml[2048];
        (void)snprintf(
            yaml, sizeof yaml,
            "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}\n"
            "spec: {containers: [{name: a}], tolerations: [%s]}\n"
            "---\napiVersion: v1\nkind: Node\nmetadata: {name: n}\nspec: {taints: [%s]}\n",
            rows[i].tolerations, rows[i].taint);
        world_open(&w, yaml);
        const struct k8s_pod_shape *shape = world_pod(&w, "shop/p")->shape;
        const struct k8s_node *node = &w.cluster->nodes[0];
        const struct k8s_taint *taint =
            sched_untolerated(shape->n_tolerations, shape->tolerations, node->n_taints,
                              node->taints, rows[i].prefer_counts);
        if ((taint != NULL) != rows[i].keeps_away) {
            fail_msg("%s", rows[i].name);
        }
        world_close(&w);
    }
}

#define NODE                                                                                       \
    "apiVersion: v1\nkind: Node\nmetadata: {name: n}\nspec:\n  unschedulable: %s\n  taints:\n"     \
    "  - {key: node.kubernetes.io/not-ready, effect: NoSchedule}\n"                                \
    "  - {key: example.com/agent, value: coming, effect: NoSchedule}\n"                            \
    "  - {key: readiness.k8s.io/net, effect: NoSchedule}\n"                                        \
    "  - {key: team, value: red, effect: NoSchedule}\n"                                            \
    "---\n"
#define CLAIM                                                                                      \
    "apiVersion: karpenter.sh/v1\nkind: NodeClaim\nmetadata: {name: c}\nspec:\n"                   \
    "  taints: [{key: team, value: blue, effect: NoSchedule}]\n"                                   \
    "  startupTaints: [{key: example.com/agent, effect: NoSchedule}]\n  requirements: []\n"        \
    "  nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}\n"

static void test_node_taints(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool has_node, has_claim, registered, initialized, cordoned;
        const char *expected; /* values or keys of what counts */
    } rows[] = {
        {"unmanaged: all count", true, false, true, true, false,
         "node.kubernetes.io/not-ready example.com/agent readiness.k8s.io/net team=red"},
        {"initialized: all count", true, true, true, true, false,
         "node.kubernetes.io/not-ready example.com/agent readiness.k8s.io/net team=red"},
        {"coming up: startup and ephemeral ones do not", true, true, true, false, false,
         "team=red"},
        {"not registered: those of the claim", true, true, false, false, false, "team=blue"},
        {"in flight: those of the claim", false, true, false, false, false, "team=blue"},
        {"cordoned", true, true, true, false, true, "team=red node.kubernetes.io/unschedulable"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world w;
        char yaml[4096];
        (void)snprintf(yaml, sizeof yaml, NODE CLAIM, rows[i].cordoned ? "true" : "false");
        world_open(&w, yaml);
        const struct k8s_taint *taints;
        uint32_t n;
        sched_node_taints(w.vocab, &w.arena, rows[i].has_node ? &w.cluster->nodes[0] : NULL,
                          rows[i].has_claim ? &w.cluster->nodeclaims[0] : NULL, rows[i].registered,
                          rows[i].initialized, &taints, &n);
        struct strbuf out = strbuf_new(&w.arena, 1024);
        for (uint32_t t = 0; t < n; t++) {
            strbuf_add(&out, t == 0 ? STR_EMPTY : STR(" "));
            strbuf_add(&out, strtab_str(w.cluster->tab, taints[t].key));
            if (str_eq(strtab_str(w.cluster->tab, taints[t].key), STR("team"))) {
                strbuf_addc(&out, '=');
                strbuf_add(&out, strtab_str(w.cluster->tab, taints[t].value));
            }
        }
        if (!str_eq(strbuf_str(&out), str_of(rows[i].expected))) {
            const struct str got = strbuf_str(&out);
            fail_msg("%s: \"" STR_FMT "\", expected \"%s\"", rows[i].name, STR_ARG(got),
                     rows[i].expected);
        }
        world_close(&w);
    }
}

static void test_ports(void **state)
{
    (void)state;
    static const struct {
        const char *name, *ip_a, *protocol_a;
        int32_t port_a;
        const char *ip_b, *protocol_b;
        int32_t port_b;
        bool conflict;
    } rows[] = {
        {"same", "", "TCP", 80, "", "TCP", 80, true},
        {"other port", "", "TCP", 80, "", "TCP", 81, false},
        {"other protocol", "", "TCP", 80, "", "UDP", 80, false},
        {"two addresses", "10.0.0.1", "TCP", 80, "10.0.0.2", "TCP", 80, false},
        {"one address twice", "10.0.0.1", "TCP", 80, "10.0.0.1", "TCP", 80, true},
        {"all and one", "0.0.0.0", "TCP", 80, "10.0.0.2", "TCP", 80, true},
        {"one and none given", "10.0.0.1", "TCP", 80, "", "TCP", 80, true},
        {"all of IPv6", "::", "TCP", 80, "10.0.0.2", "TCP", 80, true},
    };
    struct world w;
    world_open(&w, "");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct k8s_host_port a[2] = {
            {.ip = STRID_EMPTY, .protocol = world_id(&w, "TCP"), .port = 9999},
            {.ip = world_id(&w, rows[i].ip_a),
             .protocol = world_id(&w, rows[i].protocol_a),
             .port = rows[i].port_a}};
        const struct k8s_host_port b = {.ip = world_id(&w, rows[i].ip_b),
                                        .protocol = world_id(&w, rows[i].protocol_b),
                                        .port = rows[i].port_b};
        const struct k8s_host_port *port = NULL;
        const bool got = sched_port_lists_conflict(w.vocab, a, 2, &b, 1, &port);
        if (got != rows[i].conflict || got != sched_ports_conflict(w.vocab, &b, &a[1]) ||
            (got && port != &a[1])) {
            fail_msg("%s", rows[i].name);
        }
    }
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_untolerated),
        cmocka_unit_test(test_node_taints),
        cmocka_unit_test(test_ports),
    };
    return cmocka_run_group_tests_name("taints and host ports", tests, NULL, NULL);
}
