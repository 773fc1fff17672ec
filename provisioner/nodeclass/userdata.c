/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodeclass/userdata.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/json.h"
#include "base/vec.h"
#include "provisioner/nodeclass/userdata_parts.h"

enum {
    MAX_TEXT = 1024 * 1024,
    MAX_VALUE = 4096 /* of one value that a script carries */
};

/* ---- the kubelet's settings ---- */

/* A map of texts; numbers are taken as their text, as `cpu: 1` is. */
static bool read_map(const struct json_at *settings, const char *key, struct arena *arena,
                     struct nodeclass_pairs *ret, struct err *err)
{
    struct json_at at = json_at_member(settings, key);
    VEC(struct nodeclass_pair) pairs = {0};
    const char *name;
    json_t *value;
    if (!json_want_object(&at, err)) {
        return false;
    }
    json_object_foreach((json_t *)at.v, name, value)
    {
        struct json_at member = json_at_named(&at, str_of(name), value);
        struct nodeclass_pair pair = {.key = str_of(name)};
        if (json_is_integer(value)) {
            struct strbuf text = strbuf_new(arena, 32);
            strbuf_addf(&text, "%lld", (long long)json_integer_value(value));
            pair.value = strbuf_str(&text);
        } else if (!json_read_str(&member, NULL, &pair.value, err)) {
            return false;
        }
        VEC_PUSH(arena, &pairs, pair);
    }
    if (pairs.n > 0) {
        qsort(pairs.v, pairs.n, sizeof pairs.v[0], nodeclass_pair_cmp);
    }
    *ret = (struct nodeclass_pairs){.n = (uint32_t)pairs.n, .v = pairs.v};
    return true;
}

static bool read_number(const struct json_at *settings, const char *key, struct opt_i64 *ret,
                        struct err *err)
{
    struct json_at at = json_at_member(settings, key);
    return json_read_i64(&at, 0, INT32_MAX, &ret->has, &ret->v, err);
}

bool userdata_read_kubelet(const struct userdata_input *input, struct arena *arena,
                           struct userdata_kubelet *ret_kubelet, struct err *err)
{
    struct userdata_kubelet k = {.all = input->class->kubelet, .max_pods = input->max_pods};
    struct json_at at = json_at_root(k.all);
    struct json_at dns = json_at_member(&at, "clusterDNS");
    struct json_at first = json_at_element(&dns, 0);
    struct json_at quota = json_at_member(&at, "cpuCFSQuota");
    struct opt_i64 max_pods = {.has = false};
    bool has_dns = false;
    if (!json_want_array(&dns, err) ||
        (json_at_count(&dns) > 0 && !json_read_str(&first, &has_dns, &k.dns_ip, err)) ||
        !json_read_bool(&quota, &k.cpu_cfs_quota.has, &k.cpu_cfs_quota.v, err) ||
        !read_number(&at, "maxPods", &max_pods, err) ||
        !read_number(&at, "podsPerCore", &k.pods_per_core, err) ||
        !read_number(&at, "evictionMaxPodGracePeriod", &k.eviction_max_pod_grace_period, err) ||
        !read_number(&at, "imageGCHighThresholdPercent", &k.image_gc_high, err) ||
        !read_number(&at, "imageGCLowThresholdPercent", &k.image_gc_low, err) ||
        !read_map(&at, "systemReserved", arena, &k.system_reserved, err) ||
        !read_map(&at, "kubeReserved", arena, &k.kube_reserved, err) ||
        !read_map(&at, "evictionHard", arena, &k.eviction_hard, err) ||
        !read_map(&at, "evictionSoft", arena, &k.eviction_soft, err) ||
        !read_map(&at, "evictionSoftGracePeriod", arena, &k.eviction_soft_grace_period, err)) {
        return err_wrap(err, "spec.kubelet");
    }
    k.dns_ip = has_dns ? k.dns_ip : input->cluster.dns_ip;
    k.max_pods = max_pods.has ? max_pods.v : k.max_pods;
    *ret_kubelet = k;
    return true;
}

/* ---- labels and taints ---- */

/* Labels that the admission plugin NodeRestriction keeps a kubelet from setting; a controller adds
 * them to the Node later. */
static bool is_restricted(struct str key)
{
    struct str domain = str_sub(key, 0, str_find(key, '/'));
    return domain.n < key.n &&
           (str_eq(domain, STR("kubernetes.io")) || str_ends(domain, STR(".kubernetes.io")) ||
            str_eq(domain, STR("k8s.io")) || str_ends(domain, STR(".k8s.io")));
}

static struct nodeclass_pairs labels_of(const struct userdata_input *input, struct arena *arena)
{
    static const struct nodeclass_pair no_sync = {STR("karpenter.sh/do-not-sync-taints"),
                                                  STR("true")};
    VEC(struct nodeclass_pair) labels = {0};
    bool has_no_sync = input->family == NODECLASS_CUSTOM;
    for (uint32_t i = 0; i < input->labels.n; i++) {
        bool same = str_eq(input->labels.v[i].key, no_sync.key);
        if (!is_restricted(input->labels.v[i].key)) {
            VEC_PUSH(arena, &labels, same ? no_sync : input->labels.v[i]);
            has_no_sync = has_no_sync || same;
        }
    }
    if (!has_no_sync) {
        VEC_PUSH(arena, &labels, no_sync);
    }
    if (labels.n > 0) {
        qsort(labels.v, labels.n, sizeof labels.v[0], nodeclass_pair_cmp);
    }
    return (struct nodeclass_pairs){.n = (uint32_t)labels.n, .v = labels.v};
}

/* So that nothing runs on the node before the controller has given it its labels. */
static void add_taints(const struct userdata_input *input, struct userdata_facts *facts,
                       struct arena *arena)
{
    static const struct userdata_taint unregistered = {STR("karpenter.sh/unregistered"), STR_EMPTY,
                                                       STR("NoExecute")};
    struct userdata_taint *taints =
        ARENA_ARRAY(arena, struct userdata_taint, (size_t)input->n_taints + 1);
    bool found = false;
    for (uint32_t i = 0; i < input->n_taints; i++) {
        taints[i] = input->taints[i];
        found = found || (str_eq(taints[i].key, unregistered.key) &&
                          str_eq(taints[i].effect, unregistered.effect));
    }
    taints[input->n_taints] = unregistered;
    facts->taints = taints;
    facts->n_taints = input->n_taints + (found ? 0 : 1);
}

void userdata_put_labels(const struct userdata_facts *facts, struct strbuf *out)
{
    strbuf_add(out, facts->labels.n > 0 ? STR("--node-labels=\"") : STR_EMPTY);
    for (uint32_t i = 0; i < facts->labels.n; i++) {
        strbuf_addf(out, "%s" STR_FMT "=" STR_FMT, i > 0 ? "," : "",
                    STR_ARG(facts->labels.v[i].key), STR_ARG(facts->labels.v[i].value));
    }
    strbuf_add(out, facts->labels.n > 0 ? STR("\"") : STR_EMPTY);
}

bool userdata_is_ipv6(struct str address)
{
    return str_find(address, ':') < address.n;
}

/* ---- all of it ---- */

/* Scripts quote these values; a quote or line end inside would end the quotes. No real value has
 * one: names of clusters, labels and quantities do not. */
static bool check_plain(const char *what, struct str text, struct err *err)
{
    if (text.n > MAX_VALUE) {
        return err_set(err, ERR_LIMIT, "%s: %zu bytes, more than %d", what, text.n, MAX_VALUE);
    }
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x20 || c == 0x7f || c == '\'' || c == '"' || c == '\\' || c == '`' || c == '$') {
            return err_set(err, ERR_INVALID,
                           "%s \"" STR_FMT "\": no quotes, backslashes, dollar signs or control "
                           "characters can be passed to a node",
                           what, STR_ARG(text));
        }
    }
    return true;
}

static bool check_pairs(const char *what, const struct nodeclass_pairs *pairs, struct err *err)
{
    for (uint32_t i = 0; i < pairs->n; i++) {
        if (!check_plain(what, pairs->v[i].key, err) ||
            !check_plain(what, pairs->v[i].value, err)) {
            return false;
        }
    }
    return true;
}

static bool check_facts(const struct userdata_facts *f, struct err *err)
{
    for (uint32_t i = 0; i < f->n_taints; i++) {
        if (!check_plain("taint", f->taints[i].key, err) ||
            !check_plain("taint", f->taints[i].value, err)) {
            return false;
        }
    }
    return check_plain("name of the cluster", f->cluster.name, err) &&
           check_plain("endpoint of the cluster", f->cluster.endpoint, err) &&
           check_plain("spec.kubelet.clusterDNS", f->kubelet.dns_ip, err) &&
           check_pairs("label", &f->labels, err) &&
           check_pairs("spec.kubelet.systemReserved", &f->kubelet.system_reserved, err) &&
           check_pairs("spec.kubelet.kubeReserved", &f->kubelet.kube_reserved, err) &&
           check_pairs("spec.kubelet.evictionHard", &f->kubelet.eviction_hard, err) &&
           check_pairs("spec.kubelet.evictionSoft", &f->kubelet.eviction_soft, err) &&
           check_pairs("spec.kubelet.evictionSoftGracePeriod",
                       &f->kubelet.eviction_soft_grace_period, err);
}

static bool make(enum nodeclass_family family, const struct userdata_facts *facts,
                 struct arena *arena, struct strbuf *out, struct err *err)
{
    switch (family) {
    case NODECLASS_AL2:
        return userdata_al2(facts, arena, out, err);
    case NODECLASS_AL2023:
        return userdata_al2023(facts, arena, out, err);
    case NODECLASS_BOTTLEROCKET:
        return userdata_bottlerocket(facts, arena, out, err);
    case NODECLASS_WINDOWS2019:
    case NODECLASS_WINDOWS2022:
    case NODECLASS_WINDOWS2025:
        return userdata_windows(facts, arena, out, err);
    case NODECLASS_CUSTOM:
        strbuf_add(out, facts->class->user_data);
        return true;
    }
    return false;
}

bool userdata_make(const struct userdata_input *input, struct arena *arena, struct str *ret_text,
                   struct err *err)
{
    struct userdata_facts facts = {
        .class = input->class,
        .cluster = input->cluster,
        .labels = labels_of(input, arena),
        .image_version = input->image_version,
        .raid0 = str_eq(input->class->instance_store_policy, STR("RAID0")),
    };
    struct strbuf out = strbuf_new(arena, MAX_TEXT);
    struct str ca;
    add_taints(input, &facts, arena);
    if (!base64_decode(facts.cluster.ca, arena, &ca)) {
        return err_set(err, ERR_INVALID, "certificate authority of the cluster: no base64");
    }
    facts.cluster.ca = base64_encode(ca, arena); /* on one line, whatever it was */
    bool custom = input->family == NODECLASS_CUSTOM;
    if ((!custom && (!userdata_read_kubelet(input, arena, &facts.kubelet, err) ||
                     !check_facts(&facts, err))) ||
        !make(input->family, &facts, arena, &out, err)) {
        return err_wrap(err, "EC2NodeClass " STR_FMT, STR_ARG(input->class->name));
    }
    if (out.overflow) {
        return err_set(err, ERR_LIMIT, "EC2NodeClass " STR_FMT ": user data beyond %d bytes",
                       STR_ARG(input->class->name), MAX_TEXT);
    }
    *ret_text = strbuf_str(&out);
    return true;
}
