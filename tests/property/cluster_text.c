/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The same instance as a person would write it: objects in YAML and a catalogue. */
#include <inttypes.h>

#include "base/arena.h"
#include "tests/property/cluster_model.h"

enum { TEXT_MAX = 1024 * 1024 };
static const char *const caps[] = {"on-demand", "spot"};

static const char *zone_name(uint32_t zone)
{
    static const char *const zones[] = {"a", "b", "c"};
    return zones[zone];
}

static void add_zones(struct strbuf *out, uint32_t set)
{
    const char *comma = "";
    for (uint32_t z = 0; z < MAX_ZONES; z++) {
        if (((set >> z) & 1U) != 0) {
            strbuf_addf(out, "%s%s", comma, zone_name(z));
            comma = ", ";
        }
    }
}

static void add_caps(struct strbuf *out, uint32_t set)
{
    const char *comma = "";
    for (uint32_t c = 0; c < MAX_CAPS; c++) {
        if (((set >> c) & 1U) != 0) {
            strbuf_addf(out, "%s%s", comma, caps[c]);
            comma = ", ";
        }
    }
}

static void add_pools(const struct instance *at, struct strbuf *out)
{
    strbuf_addf(out, "apiVersion: karpenter.k8s.aws/v1\nkind: EC2NodeClass\nmetadata: {name: "
                     "default}\nspec: {amiSelectorTerms: [{alias: al2023@latest}]}\nstatus: "
                     "{subnets: [");
    for (uint32_t z = 0; z < at->n_zones; z++) {
        strbuf_addf(out, "%s{id: s%" PRIu32 ", zone: %s, zoneID: z%" PRIu32 "}", z > 0 ? ", " : "",
                    z, zone_name(z), z);
    }
    strbuf_addf(out, "]}\n");
    for (uint32_t p = 0; p < at->n_pools; p++) {
        const struct pool *pool = &at->pools[p];
        strbuf_addf(out,
                    "---\napiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: p%" PRIu32
                    "}\nspec:\n",
                    p);
        if (pool->weight > 0) {
            strbuf_addf(out, "  weight: %" PRIu32 "\n", pool->weight);
        }
        if (pool->limit_cpu > 0 || pool->limit_nodes > 0) {
            strbuf_addf(out, "  limits:\n");
        }
        if (pool->limit_cpu > 0) {
            strbuf_addf(out, "    cpu: %" PRIu32 "\n", pool->limit_cpu);
        }
        if (pool->limit_nodes > 0) {
            strbuf_addf(out, "    nodes: %" PRIu32 "\n", pool->limit_nodes);
        }
        strbuf_addf(out,
                    "  template:\n    metadata: {labels: {%s}}\n    spec:\n      nodeClassRef: "
                    "{group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}\n"
                    "      requirements:\n      - {key: topology.kubernetes.io/zone, operator: In, "
                    "values: [",
                    pool->ssd ? "disk: ssd" : "");
        add_zones(out, pool->zones);
        strbuf_addf(out, "]}\n      - {key: karpenter.sh/capacity-type, operator: In, values: [");
        add_caps(out, pool->caps);
        strbuf_addf(out, "]}\n");
        if (pool->tainted) {
            strbuf_addf(out, "      taints: [{key: team, value: x, effect: NoSchedule}]\n");
        }
    }
}

static void add_running(const struct instance *at, struct strbuf *out)
{
    for (uint32_t i = 0; i < at->n_running; i++) {
        const struct running *node = &at->running[i];
        strbuf_addf(out,
                    "---\napiVersion: v1\nkind: Node\nmetadata: {name: n%" PRIu32
                    ", labels: {kubernetes.io/hostname: n%" PRIu32
                    ", topology.kubernetes.io/zone: %s, karpenter.sh/capacity-type: %s, "
                    "kubernetes.io/arch: amd64, kubernetes.io/os: linux, "
                    "karpenter.k8s.aws/instance-cpu: \"2\"%s}}\n",
                    i, i, zone_name(node->zone), caps[node->cap], node->ssd ? ", disk: ssd" : "");
        strbuf_addf(out, "spec: {%s}\n",
                    node->tainted ? "taints: [{key: team, value: x, effect: NoSchedule}]" : "");
        strbuf_addf(out,
                    "status: {allocatable: {cpu: %" PRIu32 "m, memory: %" PRIu32
                    "Mi, pods: %" PRIu32 "}}\n",
                    node->cpu, node->memory, node->pods);
        if (node->attach != UINT32_MAX) {
            strbuf_addf(out,
                        "---\napiVersion: storage.k8s.io/v1\nkind: CSINode\nmetadata: {name: "
                        "n%" PRIu32 "}\nspec: {drivers: [{name: ebs.csi.aws.com, nodeID: n%" PRIu32
                        ", allocatable: {count: %" PRIu32 "}}]}\n",
                        i, i, node->attach);
        }
    }
}

static void add_term(const struct instance *at, const struct node_term *term, struct strbuf *out)
{
    const char *comma = "";
    strbuf_addf(out, "{matchExpressions: [");
    if (term->zones != (1U << at->n_zones) - 1) {
        strbuf_addf(out, "{key: topology.kubernetes.io/zone, operator: %s, values: [",
                    term->zones_by_not_in ? "NotIn" : "In");
        add_zones(out,
                  term->zones_by_not_in ? ((1U << at->n_zones) - 1) & ~term->zones : term->zones);
        strbuf_addf(out, "]}");
        comma = ", ";
    }
    if (term->cpu_above > 0) {
        strbuf_addf(
            out, "%s{key: karpenter.k8s.aws/instance-cpu, operator: Gt, values: [\"%" PRIu32 "\"]}",
            comma, term->cpu_above);
        comma = ", ";
    }
    if (term->ssd) {
        strbuf_addf(out, "%s{key: disk, operator: In, values: [ssd]}", comma);
        comma = ", ";
    }
    strbuf_addf(out, "%s{key: karpenter.sh/capacity-type, operator: In, values: [", comma);
    add_caps(out, term->caps);
    strbuf_addf(out, "]}]}");
}

static void add_selector(uint32_t targets, struct strbuf *out)
{
    const char *comma = "";
    strbuf_addf(out, "labelSelector: {matchExpressions: [{key: app, operator: In, values: [");
    for (uint32_t w = 0; w < MAX_WORKLOADS; w++) {
        if (((targets >> w) & 1U) != 0) {
            strbuf_addf(out, "%sw%" PRIu32, comma, w);
            comma = ", ";
        }
    }
    strbuf_addf(out, "]}]}");
}

static const char *key_name(enum key key)
{
    switch (key) {
    case KEY_HOST:
        return "kubernetes.io/hostname";
    case KEY_ZONE:
        return "topology.kubernetes.io/zone";
    case KEY_CAP:
        break;
    }
    return "karpenter.sh/capacity-type";
}

static void add_pod_terms(const struct workload *w, enum rule_kind kind, const char *name,
                          struct strbuf *out)
{
    bool any = false;
    for (uint32_t r = 0; r < w->n_rules; r++) {
        if (w->rules[r].kind != kind) {
            continue;
        }
        if (!any) {
            strbuf_addf(out, "    %s:\n      requiredDuringSchedulingIgnoredDuringExecution:\n",
                        name);
        }
        any = true;
        strbuf_addf(out, "      - {topologyKey: %s, ", key_name(w->rules[r].key));
        add_selector(w->rules[r].targets, out);
        strbuf_addf(out, "}\n");
    }
}

static void add_rules(const struct instance *at, const struct workload *w, struct strbuf *out)
{
    strbuf_addf(out, "  affinity:\n    x: {}\n");
    if (w->n_terms > 0) {
        strbuf_addf(out, "    nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
                         "{nodeSelectorTerms: [");
        for (uint32_t t = 0; t < w->n_terms; t++) {
            strbuf_addf(out, t > 0 ? ", " : "");
            add_term(at, &w->terms[t], out);
        }
        strbuf_addf(out, "]}}\n");
    }
    add_pod_terms(w, RULE_TOGETHER, "podAffinity", out);
    add_pod_terms(w, RULE_APART, "podAntiAffinity", out);
    bool any = false;
    for (uint32_t r = 0; r < w->n_rules; r++) {
        const struct rule *rule = &w->rules[r];
        if (rule->kind != RULE_SPREAD) {
            continue;
        }
        strbuf_addf(out, any ? "" : "  topologySpreadConstraints:\n");
        any = true;
        strbuf_addf(
            out, "  - {whenUnsatisfiable: DoNotSchedule, maxSkew: %" PRIu32 ", topologyKey: %s, ",
            rule->max_skew, key_name(rule->key));
        if (rule->min_domains > 0) {
            strbuf_addf(out, "minDomains: %" PRIu32 ", ", rule->min_domains);
        }
        if (rule->honor_taints) {
            strbuf_addf(out, "nodeTaintsPolicy: Honor, ");
        }
        add_selector(rule->targets, out);
        strbuf_addf(out, "}\n");
    }
}

/* Claims of one pod: a bound one, or one by a class with topologies, and those that only count. */
static void add_claims(const struct workload *w, uint32_t w_i, uint32_t i, struct strbuf *out)
{
    if (w->volume_zones != 0) {
        strbuf_addf(out, "---\napiVersion: v1\nkind: PersistentVolumeClaim\n");
        strbuf_addf(out,
                    w->volume_is_unbound ? "metadata: {name: v%" PRIu32 "-%" PRIu32
                                           ", namespace: default}\n"
                                         : "metadata: {name: v%" PRIu32 "-%" PRIu32
                                           ", namespace: default, annotations: "
                                           "{pv.kubernetes.io/bind-completed: \"yes\"}}\n",
                    w_i, i);
        if (w->volume_is_unbound) {
            strbuf_addf(out, "spec: {storageClassName: zones%" PRIu32 "}\n", w_i);
        } else {
            strbuf_addf(out,
                        "spec: {storageClassName: x, volumeName: pv%" PRIu32 "-%" PRIu32
                        "}\nstatus: {phase: Bound}\n---\napiVersion: v1\nkind: PersistentVolume\n"
                        "metadata: {name: pv%" PRIu32 "-%" PRIu32
                        "}\nspec: {capacity: {storage: 1Gi}, csi: {driver: efs.csi.aws.com, "
                        "volumeHandle: h}, "
                        "nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: "
                        "topology.kubernetes.io/zone, operator: In, values: [",
                        w_i, i, w_i, i);
            add_zones(out, w->volume_zones);
            strbuf_addf(out, "]}]}]}}}\n");
        }
    }
    for (uint32_t k = 0; k < w->n_attach; k++) {
        strbuf_addf(out,
                    "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: e%" PRIu32
                    "-%" PRIu32 "-%" PRIu32
                    ", namespace: default}\nspec: {storageClassName: ebs}\n",
                    w_i, i, k);
    }
}

static void add_volumes(const struct workload *w, uint32_t w_i, uint32_t i, struct strbuf *out)
{
    if (w->volume_zones == 0 && w->n_attach == 0 && !w->shares_claim) {
        return;
    }
    strbuf_addf(out, "  volumes:\n");
    if (w->shares_claim) {
        strbuf_addf(out, "  - {name: s, persistentVolumeClaim: {claimName: s%" PRIu32 "}}\n", w_i);
    }
    if (w->volume_zones != 0) {
        strbuf_addf(out,
                    "  - {name: v, persistentVolumeClaim: {claimName: v%" PRIu32 "-%" PRIu32 "}}\n",
                    w_i, i);
    }
    for (uint32_t k = 0; k < w->n_attach; k++) {
        strbuf_addf(out,
                    "  - {name: e%" PRIu32 ", persistentVolumeClaim: {claimName: e%" PRIu32
                    "-%" PRIu32 "-%" PRIu32 "}}\n",
                    k, w_i, i, k);
    }
}

static void add_pending(const struct instance *at, uint32_t w_i, struct strbuf *out)
{
    const struct workload *w = &at->workloads[w_i];
    if (w->volume_zones != 0 && w->volume_is_unbound) {
        strbuf_addf(out,
                    "---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: "
                    "zones%" PRIu32 "}\nprovisioner: efs.csi.aws.com\nvolumeBindingMode: "
                    "WaitForFirstConsumer\nallowedTopologies: [{matchLabelExpressions: [{key: "
                    "topology.kubernetes.io/zone, values: [",
                    w_i);
        add_zones(out, w->volume_zones);
        strbuf_addf(out, "]}]}]\n");
    }
    if (w->shares_claim) {
        strbuf_addf(out,
                    "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: s%" PRIu32
                    ", namespace: default}\nspec: {storageClassName: ebs}\n",
                    w_i);
    }
    for (uint32_t i = 0; i < w->n; i++) {
        add_claims(w, w_i, i, out);
        strbuf_addf(out,
                    "---\napiVersion: v1\nkind: Pod\nmetadata: {name: w%" PRIu32 "-%" PRIu32
                    ", namespace: default, labels: {app: w%" PRIu32
                    "}}\nspec:\n  containers: [{name: c, resources: {requests: {cpu: %" PRIu32
                    "m, memory: %" PRIu32 "Mi}}",
                    w_i, i, w_i, w->cpu, w->memory);
        if (w->port > 0) {
            strbuf_addf(out, ", ports: [{containerPort: 80, hostPort: %" PRIu32 ", protocol: %s}]",
                        w->port, w->udp ? "UDP" : "TCP");
        }
        strbuf_addf(out, "}]\n");
        if (w->tolerates) {
            strbuf_addf(out, "  tolerations: [{key: team, operator: Exists}]\n");
        }
        add_rules(at, w, out);
        add_volumes(w, w_i, i, out);
        strbuf_addf(out, "status: {phase: Pending, conditions: [{type: PodScheduled, status: "
                         "\"False\", reason: Unschedulable}]}\n");
    }
}

/* Running pods carry the same rules between pods as those of their workload that wait. */
static void add_bound(const struct instance *at, struct strbuf *out)
{
    for (uint32_t i = 0; i < at->n_running; i++) {
        for (uint32_t w = 0; w < at->n_workloads; w++) {
            for (uint32_t k = 0; k < at->running[i].n[w]; k++) {
                const struct workload *workload = &at->workloads[w];
                strbuf_addf(out,
                            "---\napiVersion: v1\nkind: Pod\nmetadata: {name: r%" PRIu32 "-%" PRIu32
                            "-%" PRIu32 ", namespace: default, labels: {app: w%" PRIu32
                            "}}\nspec:\n  nodeName: n%" PRIu32 "\n  containers: [{name: c, "
                            "resources: {requests: {cpu: %dm, memory: %dMi}}",
                            i, w, k, w, i, RUNNING_CPU, RUNNING_MEMORY);
                if (workload->port > 0) {
                    strbuf_addf(
                        out, ", ports: [{containerPort: 80, hostPort: %" PRIu32 ", protocol: %s}]",
                        workload->port, workload->udp ? "UDP" : "TCP");
                }
                strbuf_addf(out, "}]\n");
                add_rules(at, workload, out);
                strbuf_addf(out, "status: {phase: Running}\n");
            }
        }
    }
}

struct str instance_cluster(const struct instance *at, struct arena *arena)
{
    struct strbuf out = strbuf_new(arena, TEXT_MAX);
    add_pools(at, &out);
    strbuf_addf(&out, "---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: "
                      "ebs}\nprovisioner: ebs.csi.aws.com\nvolumeBindingMode: "
                      "WaitForFirstConsumer\n");
    add_running(at, &out);
    add_bound(at, &out);
    for (uint32_t w = 0; w < at->n_workloads; w++) {
        add_pending(at, w, &out);
    }
    if (at->daemon.exists) {
        strbuf_addf(&out,
                    "---\napiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: d, namespace: "
                    "default}\nspec:\n  selector: {matchLabels: {app: d}}\n  template:\n    "
                    "metadata: {labels: {app: d}}\n    spec:\n      containers: [{name: c, "
                    "resources: {requests: {cpu: %" PRIu32 "m}}}]\n",
                    at->daemon.cpu);
        if (at->daemon.tolerates) {
            strbuf_addf(&out, "      tolerations: [{operator: Exists}]\n");
        }
        if (at->daemon.caps != (1U << MAX_CAPS) - 1) {
            strbuf_addf(&out, "      nodeSelector: {karpenter.sh/capacity-type: %s}\n",
                        caps[at->daemon.caps == 1 ? 0 : 1]);
        }
    }
    return strbuf_str(&out);
}

struct str instance_catalog(const struct instance *at, struct arena *arena)
{
    struct strbuf out = strbuf_new(arena, TEXT_MAX);
    strbuf_addf(&out, "apiVersion: binpack/v1\nkind: Catalog\nname: tiny\nregion: r\nzones:\n");
    for (uint32_t z = 0; z < at->n_zones; z++) {
        strbuf_addf(&out, "- {name: %s, id: z%" PRIu32 "}\n", zone_name(z), z);
    }
    strbuf_addf(&out, "instanceTypes:\n");
    for (uint32_t t = 0; t < at->n_types; t++) {
        const struct type *type = &at->types[t];
        strbuf_addf(&out,
                    "- name: t%" PRIu32 "\n  arch: amd64\n  os: [linux]\n  vcpu: %" PRIu32
                    "\n  memoryMiB: %" PRIu32 "\n  labels: {karpenter.k8s.aws/instance-cpu: "
                    "\"%" PRIu32 "\"}\n  attachLimits: {ebs.csi.aws.com: %" PRIu32 "}\n",
                    t, type->cpu, type->memory, type->cpu, type->attach);
        for (int twice = 0; twice < 2; twice++) {
            strbuf_addf(
                &out,
                "  %s: {cpu: \"%" PRIu32 "\", memory: %" PRIu32 "Mi, pods: \"%" PRIu32 "\"}\n",
                twice == 0 ? "capacity" : "allocatable", type->cpu, type->memory, type->pods);
        }
        strbuf_addf(&out, "  offerings:\n");
        for (uint32_t z = 0; z < at->n_zones; z++) {
            for (uint32_t c = 0; c < MAX_CAPS; c++) {
                strbuf_addf(&out,
                            "  - {zone: %s, capacityType: %s, usdPerHour: %" PRIu32 ".%03" PRIu32
                            ", available: %s}\n",
                            zone_name(z), caps[c], type->price[z][c] / 1000,
                            type->price[z][c] % 1000, type->sold_out[z][c] ? "false" : "true");
            }
        }
    }
    return strbuf_str(&out);
}
