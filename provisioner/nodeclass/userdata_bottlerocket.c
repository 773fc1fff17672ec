/* SPDX-License-Identifier: GPL-3.0-or-later */
/* User data of Bottlerocket: its settings as TOML (https://bottlerocket.dev/en/os/latest/).
 *
 * The person's settings are kept as they are, but those of [settings.kubernetes]: there only the
 * settings that Karpenter knows pass, with the types it demands, and those that belong to the
 * cluster or the NodeClaim are put over them. Tables beside [settings] are left out, as nothing
 * reads them. */
#include "base/arena.h"
#include "base/toml.h"
#include "provisioner/nodeclass/userdata_parts.h"

enum form { TEXT, NUMBER, BOOLEAN, TEXTS, TEXT_MAP, TEXTS_MAP, TABLES };

/* The settings of settings.kubernetes that pass, in the order in which they are written. */
static const struct {
    struct str key;
    enum form form;
} known[] = {
    {STR("api-server"), TEXT},
    {STR("cloud-provider"), TEXT},
    {STR("cluster-certificate"), TEXT},
    {STR("cluster-name"), TEXT},
    {STR("cluster-dns-ip"), TEXT},
    {STR("credential-providers"), TABLES},
    {STR("node-labels"), TEXT_MAP},
    {STR("node-taints"), TEXTS_MAP},
    {STR("max-pods"), NUMBER},
    {STR("static-pods"), TABLES},
    {STR("eviction-hard"), TEXT_MAP},
    {STR("eviction-soft"), TEXT_MAP},
    {STR("eviction-soft-grace-period"), TEXT_MAP},
    {STR("eviction-max-pod-grace-period"), NUMBER},
    {STR("kube-reserved"), TEXT_MAP},
    {STR("system-reserved"), TEXT_MAP},
    {STR("allowed-unsafe-sysctls"), TEXTS},
    {STR("server-tls-bootstrap"), BOOLEAN},
    {STR("registry-qps"), NUMBER},
    {STR("registry-burst"), NUMBER},
    {STR("event-qps"), NUMBER},
    {STR("event-burst"), NUMBER},
    {STR("kube-api-qps"), NUMBER},
    {STR("kube-api-burst"), NUMBER},
    {STR("container-log-max-size"), TEXT},
    {STR("container-log-max-files"), NUMBER},
    {STR("cpu-manager-policy"), TEXT},
    {STR("cpu-manager-policy-options"), TEXTS},
    {STR("cpu-manager-reconcile-period"), TEXT},
    {STR("memory-manager-policy"), TEXT},
    {STR("memory-manager-reserved-memory"), TABLES},
    {STR("topology-manager-scope"), TEXT},
    {STR("topology-manager-policy"), TEXT},
    {STR("topology-manager-policy-options"), TABLES},
    {STR("image-gc-high-threshold-percent"), TEXT},
    {STR("image-gc-low-threshold-percent"), TEXT},
    {STR("ids-per-pod"), NUMBER},
    {STR("cpu-cfs-quota-enforced"), BOOLEAN},
    {STR("shutdown-grace-period"), TEXT},
    {STR("shutdown-grace-period-for-critical-pods"), TEXT},
    {STR("cluster-domain"), TEXT},
    {STR("seccomp-default"), BOOLEAN},
    {STR("pod-pids-limit"), NUMBER},
    {STR("device-ownership-from-security-context"), BOOLEAN},
    {STR("single-process-oom-kill"), BOOLEAN},
    {STR("container-log-max-workers"), NUMBER},
    {STR("container-log-monitor-interval"), TEXT},
    {STR("hostname-override-source"), TEXT},
    {STR("log-level"), NUMBER},
};

enum { N_KNOWN = sizeof known / sizeof known[0] };

/* ---- the person's own ---- */

static bool all_are(const struct toml *value, enum toml_kind kind)
{
    bool good = true;
    for (const struct toml_entry *e = value->first; e != NULL; e = e->next) {
        good = good && e->value->kind == kind;
    }
    return good;
}

static bool all_are_texts(const struct toml *table)
{
    bool good = true;
    for (const struct toml_entry *e = table->first; e != NULL; e = e->next) {
        good = good && e->value->kind == TOML_ARRAY && all_are(e->value, TOML_STRING);
    }
    return good;
}

static bool has_form(const struct toml *value, enum form form)
{
    switch (form) {
    case TEXT:
        return value->kind == TOML_STRING;
    case NUMBER:
        return value->kind == TOML_INTEGER;
    case BOOLEAN:
        return value->kind == TOML_BOOL;
    case TEXTS:
        return value->kind == TOML_ARRAY && all_are(value, TOML_STRING);
    case TEXT_MAP:
        return value->kind == TOML_TABLE && all_are(value, TOML_STRING);
    case TEXTS_MAP:
        return value->kind == TOML_TABLE && all_are_texts(value);
    case TABLES:
        return value->kind == TOML_TABLE;
    }
    return false;
}

static const char *form_text(enum form form)
{
    static const char *const texts[] = {
        [TEXT] = "a string",
        [NUMBER] = "an integer",
        [BOOLEAN] = "a boolean",
        [TEXTS] = "an array of strings",
        [TEXT_MAP] = "a table of strings",
        [TEXTS_MAP] = "a table of arrays of strings",
        [TABLES] = "a table",
    };
    return texts[form];
}

/* The settings of Kubernetes that pass. */
static bool take_known(const struct toml *given, struct arena *arena, struct toml *ret_settings,
                       struct err *err)
{
    for (int i = 0; i < N_KNOWN; i++) {
        struct toml *value = toml_get(given, known[i].key);
        if (value == NULL) {
            continue;
        }
        if (!has_form(value, known[i].form)) {
            return err_set(err, ERR_INVALID, "settings.kubernetes." STR_FMT ": expected %s, got %s",
                           STR_ARG(known[i].key), form_text(known[i].form),
                           value->kind == TOML_ARRAY || value->kind == TOML_TABLE
                               ? "one of another form"
                               : toml_kind_text(value->kind));
        }
        toml_set(arena, ret_settings, known[i].key, value);
    }
    return true;
}

static bool read_custom(struct str text, struct arena *arena, struct toml **ret_settings,
                        struct toml **ret_kubernetes, struct err *err)
{
    struct toml *root = NULL;
    if (!toml_read(text, arena, &root, err)) {
        return false;
    }
    struct toml *settings = toml_get(root, STR("settings"));
    settings = settings == NULL ? toml_new(arena, TOML_TABLE) : settings;
    struct toml *given =
        settings->kind == TOML_TABLE ? toml_get(settings, STR("kubernetes")) : NULL;
    if (settings->kind != TOML_TABLE || (given != NULL && given->kind != TOML_TABLE)) {
        return err_set(err, ERR_INVALID, "settings and settings.kubernetes must be tables");
    }
    *ret_settings = settings;
    *ret_kubernetes = toml_new(arena, TOML_TABLE);
    return given == NULL || take_known(given, arena, *ret_kubernetes, err);
}

/* ---- what is put over it ---- */

static void set_map(struct toml *kubernetes, struct str key, const struct nodeclass_pairs *pairs,
                    struct arena *arena)
{
    if (pairs->n == 0) {
        return;
    }
    struct toml *map = toml_new(arena, TOML_TABLE);
    for (uint32_t i = 0; i < pairs->n; i++) {
        toml_set(arena, map, pairs->v[i].key, toml_new_text(arena, pairs->v[i].value));
    }
    toml_set(arena, kubernetes, key, map);
}

static void set_number(struct toml *kubernetes, struct str key, struct opt_i64 number, bool as_text,
                       struct arena *arena)
{
    if (!number.has) {
        return;
    }
    struct strbuf text = strbuf_new(arena, 32);
    strbuf_addf(&text, "%lld", (long long)number.v);
    toml_set(arena, kubernetes, key,
             as_text ? toml_new_text(arena, strbuf_str(&text)) : toml_new_integer(arena, number.v));
}

static void set_cluster(struct toml *kubernetes, const struct userdata_facts *facts,
                        struct arena *arena)
{
    const struct userdata_cluster *c = &facts->cluster;
    toml_set(arena, kubernetes, STR("api-server"), toml_new_text(arena, c->endpoint));
    toml_set(arena, kubernetes, STR("cluster-name"), toml_new_text(arena, c->name));
    if (c->ca.n > 0) {
        toml_set(arena, kubernetes, STR("cluster-certificate"), toml_new_text(arena, c->ca));
    }
    if (facts->kubelet.dns_ip.n > 0) {
        toml_set(arena, kubernetes, STR("cluster-dns-ip"),
                 toml_new_text(arena, facts->kubelet.dns_ip));
    }
}

static void set_labels_and_taints(struct toml *kubernetes, const struct userdata_facts *facts,
                                  struct arena *arena)
{
    struct toml *labels = toml_get(kubernetes, STR("node-labels"));
    struct toml *taints = toml_new(arena, TOML_TABLE);
    labels = labels == NULL ? toml_new(arena, TOML_TABLE) : labels;
    for (uint32_t i = 0; i < facts->labels.n; i++) {
        toml_set(arena, labels, facts->labels.v[i].key,
                 toml_new_text(arena, facts->labels.v[i].value));
    }
    for (uint32_t i = 0; i < facts->n_taints; i++) {
        const struct userdata_taint *taint = &facts->taints[i];
        struct toml *list = toml_get(taints, taint->key);
        struct strbuf text = strbuf_new(arena, 8192);
        list = list == NULL ? toml_new(arena, TOML_ARRAY) : list;
        strbuf_addf(&text, STR_FMT ":" STR_FMT, STR_ARG(taint->value), STR_ARG(taint->effect));
        toml_push(arena, list, toml_new_text(arena, strbuf_str(&text)));
        toml_set(arena, taints, taint->key, list);
    }
    toml_set(arena, kubernetes, STR("node-labels"), labels);
    toml_set(arena, kubernetes, STR("node-taints"), taints);
}

static void set_kubelet(struct toml *kubernetes, const struct userdata_kubelet *k,
                        struct arena *arena)
{
    struct opt_i64 max_pods = {.has = true, .v = k->max_pods};
    set_number(kubernetes, STR("max-pods"), max_pods, /* as_text= */ false, arena);
    set_map(kubernetes, STR("system-reserved"), &k->system_reserved, arena);
    set_map(kubernetes, STR("kube-reserved"), &k->kube_reserved, arena);
    set_map(kubernetes, STR("eviction-hard"), &k->eviction_hard, arena);
    set_map(kubernetes, STR("eviction-soft"), &k->eviction_soft, arena);
    set_map(kubernetes, STR("eviction-soft-grace-period"), &k->eviction_soft_grace_period, arena);
    set_number(kubernetes, STR("eviction-max-pod-grace-period"), k->eviction_max_pod_grace_period,
               /* as_text= */ false, arena);
    set_number(kubernetes, STR("image-gc-high-threshold-percent"), k->image_gc_high,
               /* as_text= */ true, arena);
    set_number(kubernetes, STR("image-gc-low-threshold-percent"), k->image_gc_low,
               /* as_text= */ true, arena);
    if (k->cpu_cfs_quota.has) {
        toml_set(arena, kubernetes, STR("cpu-cfs-quota-enforced"),
                 toml_new_bool(arena, k->cpu_cfs_quota.v));
    }
}

/* ---- instance storage ---- */

/* "1.46.0" or newer binds the directories by itself; an unknown version is taken for an old one,
 * for which naming them is right, and no mistake for a new one. */
static bool binds_by_default(struct str version)
{
    uint64_t part[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        struct str digits = str_sub(version, 0, str_find(version, '.'));
        if (!str_to_u64(digits, &part[i])) {
            return false;
        }
        version = str_sub(version, digits.n + 1, version.n);
    }
    return part[0] > 1 || (part[0] == 1 && part[1] >= 46);
}

static struct toml *words(const char *const *list, uint32_t n, struct arena *arena)
{
    struct toml *array = toml_new(arena, TOML_ARRAY);
    for (uint32_t i = 0; i < n; i++) {
        toml_push(arena, array, toml_new_text(arena, str_of(list[i])));
    }
    return array;
}

static bool set_instance_storage(struct toml *settings, const struct userdata_facts *facts,
                                 struct arena *arena, struct err *err)
{
    static const char *const init[] = {"apiclient", "ephemeral-storage", "init"};
    static const char *const bind[] = {"apiclient",    "ephemeral-storage",   "bind",
                                       "--dirs",       "/var/lib/containerd", "/var/lib/kubelet",
                                       "/var/log/pods"};
    struct toml *all = toml_get(settings, STR("bootstrap-commands"));
    struct toml *command = toml_new(arena, TOML_TABLE);
    struct toml *commands = toml_new(arena, TOML_ARRAY);
    all = all == NULL ? toml_new(arena, TOML_TABLE) : all;
    if (all->kind != TOML_TABLE) {
        return err_set(err, ERR_INVALID, "settings.bootstrap-commands must be a table");
    }
    toml_push(arena, commands, words(init, 3, arena));
    toml_push(arena, commands, words(bind, binds_by_default(facts->image_version) ? 3 : 7, arena));
    toml_set(arena, command, STR("commands"), commands);
    toml_set(arena, command, STR("mode"), toml_new_text(arena, STR("always")));
    toml_set(arena, command, STR("essential"), toml_new_bool(arena, /* value= */ true));
    toml_set(arena, all, STR("000-mount-instance-storage"), command);
    toml_set(arena, settings, STR("bootstrap-commands"), all);
    return true;
}

/* ---- all of it ---- */

bool userdata_bottlerocket(const struct userdata_facts *facts, struct arena *arena,
                           struct strbuf *out, struct err *err)
{
    struct toml *settings = NULL;
    struct toml *kubernetes = NULL;
    struct toml *ordered = toml_new(arena, TOML_TABLE);
    struct toml *root = toml_new(arena, TOML_TABLE);
    if (!read_custom(facts->class->user_data, arena, &settings, &kubernetes, err)) {
        return err_wrap(err, "spec.userData");
    }
    set_cluster(kubernetes, facts, arena);
    set_labels_and_taints(kubernetes, facts, arena);
    set_kubelet(kubernetes, &facts->kubelet, arena);
    if (facts->raid0 && !set_instance_storage(settings, facts, arena, err)) {
        return err_wrap(err, "spec.userData");
    }
    for (int i = 0; i < N_KNOWN; i++) {
        struct toml *value = toml_get(kubernetes, known[i].key);
        if (value != NULL) {
            toml_set(arena, ordered, known[i].key, value);
        }
    }
    toml_set(arena, settings, STR("kubernetes"), ordered);
    toml_set(arena, root, STR("settings"), settings);
    toml_write(root, out);
    return true;
}
