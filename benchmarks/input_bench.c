/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How fast and in how much memory input is read.
 *
 *   input_bench make json|yaml PODS [SEED]   writes what `kubectl get pods -A -o json|yaml` prints
 * for a cluster of that many pods (about 14 kB each as JSON), a hundred to a workload input_bench
 * read FILE...                 parses and drops the objects input_bench build FILE... decodes them
 * into a cluster
 *
 * read and build print, for each file, objects, megabytes per second of the unpacked bytes, and the
 * peak of resident memory; FILE may be a directory, "-" or gzip. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/jsonw.h"
#include "base/rng.h"
#include "io/clock.h"
#include "io/inputs.h"
#include "k8s/builder.h"
#include "k8s/reader.h"

enum { PODS_PER_WORKLOAD = 100, TEMPLATE_MAX = 1 << 20 };

/* ---- make ---- */

struct maker {
    struct rng rng;
    bool yaml;
    uint64_t n_pods;
};

static json_t *quantities(unsigned milli_cpu, unsigned mebibytes)
{
    char cpu[32], memory[32];
    (void)snprintf(cpu, sizeof cpu, "%um", milli_cpu);
    (void)snprintf(memory, sizeof memory, "%uMi", mebibytes);
    return json_pack("{s:s, s:s}", "cpu", cpu, "memory", memory);
}

static json_t *probe(const char *path)
{
    return json_pack("{s:i, s:{s:s, s:s, s:s}, s:i, s:i, s:i, s:i}", "failureThreshold", 3,
                     "httpGet", "path", path, "port", "http", "scheme", "HTTP",
                     "initialDelaySeconds", 10, "periodSeconds", 10, "successThreshold", 1,
                     "timeoutSeconds", 5);
}

static json_t *environment(struct maker *m)
{
    json_t *list = json_array();
    for (uint32_t i = 0, n = 2 + rng_below(&m->rng, 4); i < n; i++) {
        char name[32], value[64];
        (void)snprintf(name, sizeof name, "SETTING_%u", i);
        (void)snprintf(value, sizeof value, "value-%08" PRIx64 ".svc.cluster.local:8080",
                       rng_next(&m->rng) >> 32);
        (void)json_array_append_new(list, json_pack("{s:s, s:s}", "name", name, "value", value));
    }
    (void)json_array_append_new(list, json_pack("{s:s, s:{s:{s:s, s:s}}}", "name", "POD_NAME",
                                                "valueFrom", "fieldRef", "apiVersion", "v1",
                                                "fieldPath", "metadata.name"));
    return list;
}

static json_t *container(struct maker *m, const char *name)
{
    unsigned cpu = 50 + 50 * rng_below(&m->rng, 40), memory = 64 + 64 * rng_below(&m->rng, 64);
    return json_pack(
        "{s:[s, s, s], s:o, s:s, s:s, s:o, s:s, s:[{s:i, s:s, s:s}], s:o, s:{s:o, "
        "s:o}, s:{s:b, s:b, s:{s:[s]}}, s:s, "
        "s:s, s:[{s:s, s:s}, {s:s, s:s, s:b}]}",
        "args", "--config=/etc/app/config.yaml", "--log-level=info", "--listen=:8080", "env",
        environment(m), "image",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/platform/service:v1.42.7", "imagePullPolicy",
        "IfNotPresent", "livenessProbe", probe("/healthz"), "name", name, "ports", "containerPort",
        8080, "name", "http", "protocol", "TCP", "readinessProbe", probe("/ready"), "resources",
        "limits", quantities(2 * cpu, 2 * memory), "requests", quantities(cpu, memory),
        "securityContext", "allowPrivilegeEscalation", 0, "readOnlyRootFilesystem", 1,
        "capabilities", "drop", "ALL", "terminationMessagePath", "/dev/termination-log",
        "terminationMessagePolicy", "File", "volumeMounts", "mountPath", "/etc/app", "name",
        "config", "mountPath", "/var/run/secrets/kubernetes.io/serviceaccount", "name",
        "kube-api-access-@TAIL@", "readOnly", 1);
}

static json_t *metadata(const char *app, const char *hash, const char *ns)
{
    return json_pack("{s:{s:s, s:s}, s:s, s:s, s:{s:s, s:s, s:s, s:s}, s:s, s:s, s:[{s:s, s:b, "
                     "s:b, s:s, s:s, s:s}], s:s, s:s}",
                     "annotations", "prometheus.io/port", "8080", "prometheus.io/scrape", "true",
                     "creationTimestamp", "2026-08-20T09:30:00Z", "generateName", hash, "labels",
                     "app.kubernetes.io/name", app, "app.kubernetes.io/part-of", "platform",
                     "app.kubernetes.io/version", "1.42.7", "pod-template-hash", hash, "name",
                     "@NAME@", "namespace", ns, "ownerReferences", "apiVersion", "apps/v1",
                     "blockOwnerDeletion", 1, "controller", 1, "kind", "ReplicaSet", "name", hash,
                     "uid", "7b2f2f0e-4c2e-4b5e-9d54-6f3a2f1f0a11", "resourceVersion", "@NUMBER@",
                     "uid", "@UID@");
}

static json_t *toleration(const char *key)
{
    return json_pack("{s:s, s:s, s:s, s:i}", "effect", "NoExecute", "key", key, "operator",
                     "Exists", "tolerationSeconds", 300);
}

static json_t *affinity(const char *app)
{
    return json_pack(
        "{s:{s:{s:[{s:[{s:s, s:s, s:[s, s]}]}]}}, s:{s:[{s:{s:{s:{s:s}}, s:s}, s:i}]}}",
        "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms",
        "matchExpressions", "key", "kubernetes.io/arch", "operator", "In", "values", "amd64",
        "arm64", "podAntiAffinity", "preferredDuringSchedulingIgnoredDuringExecution",
        "podAffinityTerm", "labelSelector", "matchLabels", "app.kubernetes.io/name", app,
        "topologyKey", "kubernetes.io/hostname", "weight", 100);
}

static json_t *spec(struct maker *m, const char *app)
{
    json_t *containers = json_array();
    for (uint32_t i = 0, n = 1 + rng_below(&m->rng, 5) / 4; i < n; i++) {
        (void)json_array_append_new(containers, container(m, i == 0   ? "app"
                                                             : i == 1 ? "proxy"
                                                                      : "metrics"));
    }
    return json_pack(
        "{s:o, s:o, s:s, s:b, s:s, s:s, s:i, s:s, s:s, s:{s:i}, s:s, s:i, s:[o, o], s:[{s:i, s:s, "
        "s:s, s:{s:{s:s}}}], "
        "s:[{s:{s:i, s:s}, s:s}, {s:s, s:{s:i, s:[{s:{s:i, s:s}}, {s:{s:[{s:s, s:s}], s:s}}]}}]}",
        "affinity", affinity(app), "containers", containers, "dnsPolicy", "ClusterFirst",
        "enableServiceLinks", 1, "nodeName", "@NODE@", "preemptionPolicy", "PreemptLowerPriority",
        "priority", 0, "restartPolicy", "Always", "schedulerName", "default-scheduler",
        "securityContext", "fsGroup", 65534, "serviceAccountName", app,
        "terminationGracePeriodSeconds", 30, "tolerations",
        toleration("node.kubernetes.io/not-ready"), toleration("node.kubernetes.io/unreachable"),
        "topologySpreadConstraints", "maxSkew", 1, "topologyKey", "topology.kubernetes.io/zone",
        "whenUnsatisfiable", "DoNotSchedule", "labelSelector", "matchLabels",
        "app.kubernetes.io/name", app, "volumes", "configMap", "defaultMode", 420, "name", app,
        "name", "config", "name", "kube-api-access-@TAIL@", "projected", "defaultMode", 420,
        "sources", "serviceAccountToken", "expirationSeconds", 3607, "path", "token", "configMap",
        "items", "key", "ca.crt", "path", "ca.crt", "name", "kube-root-ca.crt");
}

static json_t *status(const json_t *containers)
{
    static const char *const types[] = {"PodReadyToStartContainers", "Initialized", "Ready",
                                        "ContainersReady", "PodScheduled"};
    json_t *conditions = json_array(), *statuses = json_array();
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        (void)json_array_append_new(
            conditions, json_pack("{s:n, s:s, s:s, s:s}", "lastProbeTime", "lastTransitionTime",
                                  "2026-08-20T09:30:05Z", "status", "True", "type", types[i]));
    }
    for (size_t i = 0; i < json_array_size(containers); i++) {
        const char *name =
            json_string_value(json_object_get(json_array_get(containers, i), "name"));
        (void)json_array_append_new(
            statuses,
            json_pack("{s:s, s:s, s:s, s:{}, s:s, s:b, s:i, s:b, s:{s:{s:s}}}", "containerID",
                      "containerd://5f0c1ad2c1c1b6c7e6a3e7a5c0b2d9f4", "image",
                      "123456789012.dkr.ecr.us-east-1.amazonaws.com/platform/service:v1.42.7",
                      "imageID",
                      "123456789012.dkr.ecr.us-east-1.amazonaws.com/platform/"
                      "service@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
                      "lastState", "name", name, "ready", 1, "restartCount", 0, "started", 1,
                      "state", "running", "startedAt", "2026-08-20T09:30:04Z"));
    }
    return json_pack("{s:o, s:o, s:s, s:[{s:s}], s:s, s:s, s:[{s:s}], s:s, s:s}", "conditions",
                     conditions, "containerStatuses", statuses, "hostIP", "@IP@", "hostIPs", "ip",
                     "@IP@", "phase", "Running", "podIP", "@IP@", "podIPs", "ip", "@IP@",
                     "qosClass", "Burstable", "startTime", "2026-08-20T09:30:00Z");
}

/* A pod of one workload, as text with marks where pods differ. */
static struct str workload_text(struct maker *m, uint64_t workload_i, struct arena *arena)
{
    char app[48], hash[64], ns[32];
    (void)snprintf(app, sizeof app, "service-%05" PRIu64, workload_i);
    (void)snprintf(hash, sizeof hash, "%s-%010" PRIx64, app, rng_next(&m->rng) >> 24);
    (void)snprintf(ns, sizeof ns, "team-%02u", rng_below(&m->rng, 40));
    json_t *inner = spec(m, app);
    json_t *pod = json_pack("{s:s, s:s, s:o, s:o, s:o}", "apiVersion", "v1", "kind", "Pod",
                            "metadata", metadata(app, hash, ns), "status",
                            status(json_object_get(inner, "containers")), "spec", inner);
    struct strbuf text = strbuf_new(arena, TEMPLATE_MAX);
    if (m->yaml) {
        struct jsonw w = jsonw_new(&text, JSONW_YAML);
        jsonw_json(&w, pod);
    } else {
        char *pretty = json_dumps(pod, JSON_INDENT(4) | JSON_SORT_KEYS);
        strbuf_add(&text, str_of(pretty));
        free(pretty);
    }
    json_decref(pod);
    return strbuf_str(&text);
}

static void put_mark(struct maker *m, struct str mark, uint64_t pod_i)
{
    if (str_eq(mark, STR("NAME"))) {
        printf("service-%05" PRIu64 "-%05" PRIx64 "x", pod_i / PODS_PER_WORKLOAD, pod_i);
    } else if (str_eq(mark, STR("NODE"))) {
        printf("ip-10-0-%u-%u.ec2.internal", rng_below(&m->rng, 20), rng_below(&m->rng, 250));
    } else if (str_eq(mark, STR("IP"))) {
        printf("10.0.%u.%u", rng_below(&m->rng, 250), rng_below(&m->rng, 250));
    } else if (str_eq(mark, STR("UID"))) {
        printf("%08" PRIx64 "-4c2e-4b5e-9d54-%012" PRIx64, rng_next(&m->rng) >> 32, pod_i);
    } else if (str_eq(mark, STR("NUMBER"))) {
        printf(m->yaml ? "r%" PRIu64 : "%" PRIu64, 1000 + pod_i);
    } else {
        printf("%05" PRIx64, pod_i & 0xfffff);
    }
}

/* Writes one pod as an item of the list. */
static void put_pod(struct maker *m, struct str text, uint64_t pod_i)
{
    const char *indent = m->yaml ? "  " : "        ";
    fputs(m->yaml ? "- " : indent, stdout);
    while (text.n > 0) {
        size_t n = 0;
        while (n < text.n && text.p[n] != '\n' && text.p[n] != '@') {
            n++;
        }
        (void)fwrite(text.p, 1, n, stdout);
        if (n < text.n && text.p[n] == '@' && str_find(str_sub(text, n + 1, 8), '@') < 8) {
            size_t end = str_find(str_sub(text, n + 1, 8), '@');
            put_mark(m, str_sub(text, n + 1, end), pod_i);
            n += end + 1;
        } else if (n < text.n && text.p[n] == '@') {
            putchar('@');
        } else if (n + 1 < text.n) {
            putchar('\n');
            fputs(indent, stdout);
        }
        text = str_sub(text, n + 1, text.n);
    }
    putchar('\n');
}

static int make(struct maker *m)
{
    auto_arena arena = ARENA_INIT;
    struct str text = STR_EMPTY;
    fputs(m->yaml ? "apiVersion: v1\nitems:\n"
                  : "{\n    \"apiVersion\": \"v1\",\n    \"items\": [\n",
          stdout);
    for (uint64_t i = 0; i < m->n_pods; i++) {
        if (i % PODS_PER_WORKLOAD == 0) {
            arena_reset(&arena);
            text = workload_text(m, i / PODS_PER_WORKLOAD, &arena);
        }
        if (!m->yaml && i > 0) {
            fputs("        ,\n", stdout);
        }
        put_pod(m, text, i);
    }
    fputs(m->yaml ? "kind: List\nmetadata:\n  resourceVersion: \"\"\n"
                  : "    ],\n    \"kind\": \"List\",\n    \"metadata\": {\n        "
                    "\"resourceVersion\": \"\"\n    }\n}\n",
          stdout);
    return fflush(stdout) == 0 ? 0 : 1;
}

/* ---- read and build ---- */

struct reading {
    struct k8s_builder *builder; /* NULL: the objects are dropped */
    uint64_t n_rejected;
};

static bool take(void *ctx, const struct k8s_read_object *object, struct err *err)
{
    struct reading *reading = ctx;
    bool replaced = false;
    struct err why;
    (void)err;
    if (reading->builder != NULL &&
        !k8s_builder_add(reading->builder, object->value, object->list_kind, 0, object->removed,
                         &replaced, &why)) {
        reading->n_rejected++;
    }
    return true;
}

static bool read_input(void *ctx, const struct io_input *input, struct err *err)
{
    struct k8s_read_stats stats;
    struct reading *reading = ctx;
    int64_t begin = io_clock_mono_us(), cpu_begin = io_clock_cpu_us();
    bool good = k8s_read(input->name, input->source, take, reading, &stats, err);
    int64_t us = io_clock_mono_us() - begin, cpu_us = io_clock_cpu_us() - cpu_begin;
    printf("%s: %" PRIu64 " objects (%" PRIu64
           " refused), %.1f MB in %.2f s: %.0f MB/s (%.0f MB per second of processor), peak "
           "%" PRId64 " KiB\n",
           input->name, stats.n_objects, reading->n_rejected, (double)stats.n_bytes / 1e6,
           (double)us / 1e6, (double)stats.n_bytes / (double)(us > 0 ? us : 1),
           (double)stats.n_bytes / (double)(cpu_us > 0 ? cpu_us : 1), io_peak_memory_kib());
    return good;
}

static int read_paths(const char *const *paths, int n, bool build)
{
    auto_arena arena = ARENA_INIT;
    struct reading reading = {.builder = NULL, .n_rejected = 0};
    struct err err;
    if (build) {
        reading.builder = k8s_builder_new(&arena, strtab_new(&arena));
    }
    if (!io_inputs_read(paths, (uint32_t)n, read_input, &reading, NULL, &err)) {
        fprintf(stderr, "input_bench: %s\n", err.text);
        return 1;
    }
    if (build) {
        int64_t begin = io_clock_mono_us();
        const struct k8s_cluster *cluster = k8s_builder_finish(reading.builder);
        printf("cluster: %u pods, %.1f MB of arena, finished in %.2f s, peak %" PRId64 " KiB\n",
               cluster->n_pods, (double)arena.used_bytes / 1e6,
               (double)(io_clock_mono_us() - begin) / 1e6, io_peak_memory_kib());
    }
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t n = 0, seed = 1;
    struct str what = str_of(argc > 1 ? argv[1] : "");
    bool numbers = argc > 3 && str_to_u64(str_of(argv[3]), &n) &&
                   (argc < 5 || str_to_u64(str_of(argv[4]), &seed));
    if (str_eq(what, STR("make")) && numbers) {
        struct maker maker = {
            .rng = {.state = seed}, .yaml = strcmp(argv[2], "yaml") == 0, .n_pods = n};
        return make(&maker);
    }
    if (argc > 2 && (str_eq(what, STR("read")) || str_eq(what, STR("build")))) {
        return read_paths((const char *const *)argv + 2, argc - 2, str_eq(what, STR("build")));
    }
    fputs("usage: input_bench make json|yaml PODS [SEED] | read FILE... | build FILE...\n", stderr);
    return 2;
}
