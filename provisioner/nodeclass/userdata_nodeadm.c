/* SPDX-License-Identifier: GPL-3.0-or-later */
/* User data of AL2023: a NodeConfig for nodeadm (node.eks.aws/v1alpha1,
 * https://awslabs.github.io/amazon-eks-ami/nodeadm/). */
#include <jansson.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/docs.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "provisioner/nodeclass/mime.h"
#include "provisioner/nodeclass/userdata_parts.h"

/* ---- the NodeConfig ---- */

static json_t *text_json(struct str text)
{
    return json_stringn(text.p == NULL ? "" : text.p, text.n);
}

static json_t *taints_json(const struct userdata_facts *facts)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < facts->n_taints; i++) {
        json_t *taint = json_object();
        json_object_set_new(taint, "key", text_json(facts->taints[i].key));
        json_object_set_new(taint, "effect", text_json(facts->taints[i].effect));
        if (facts->taints[i].value.n > 0) {
            json_object_set_new(taint, "value", text_json(facts->taints[i].value));
        }
        json_array_append_new(list, taint);
    }
    return list;
}

/* Every setting as given, and what a node cannot do without. */
static json_t *kubelet_json(const struct userdata_facts *facts)
{
    const struct userdata_kubelet *k = &facts->kubelet;
    json_t *config = k->all == NULL ? json_object() : json_deep_copy(k->all);
    if (json_array_size(json_object_get(config, "clusterDNS")) == 0 && k->dns_ip.n > 0) {
        json_object_set_new(config, "clusterDNS", json_pack("[o]", text_json(k->dns_ip)));
    }
    json_object_set_new(config, "maxPods", json_integer(k->max_pods));
    json_object_set_new(config, "registerWithTaints", taints_json(facts));
    return config;
}

static void put_cluster(struct jsonw *w, const struct userdata_cluster *cluster)
{
    jsonw_key_object(w, "cluster");
    jsonw_key_str(w, "apiServerEndpoint", cluster->endpoint);
    if (cluster->ca.n > 0) {
        jsonw_key_str(w, "certificateAuthority", cluster->ca);
    }
    jsonw_key_str(w, "cidr", cluster->cidr);
    jsonw_key_str(w, "name", cluster->name);
    jsonw_object_end(w);
}

static void put_empty(struct jsonw *w, const char *key)
{
    jsonw_key_object(w, key);
    jsonw_object_end(w);
}

static struct str node_config(const struct userdata_facts *facts, struct arena *arena)
{
    struct strbuf out = strbuf_new(arena, 512 * 1024);
    struct strbuf labels = strbuf_new(arena, 256 * 1024);
    struct jsonw w = jsonw_new(&out, JSONW_YAML);
    auto_json *config = kubelet_json(facts);
    userdata_put_labels(facts, &labels);
    strbuf_add(&out, STR("# Karpenter Generated NodeConfig\n"));
    jsonw_object_begin(&w);
    jsonw_key_str(&w, "apiVersion", STR("node.eks.aws/v1alpha1"));
    jsonw_key_str(&w, "kind", STR("NodeConfig"));
    put_empty(&w, "metadata");
    jsonw_key_object(&w, "spec");
    put_cluster(&w, &facts->cluster);
    put_empty(&w, "containerd");
    jsonw_key_object(&w, "instance");
    jsonw_key_object(&w, "localStorage");
    if (facts->raid0) {
        jsonw_key_str(&w, "strategy", STR("RAID0"));
    }
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    jsonw_key_object(&w, "kubelet");
    jsonw_key(&w, STR("config"));
    jsonw_json(&w, config);
    if (labels.n > 0) {
        jsonw_key_array(&w, "flags");
        jsonw_str(&w, strbuf_str(&labels));
        jsonw_array_end(&w);
    }
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    return strbuf_str(&out);
}

/* ---- the person's own ---- */

/* Whether a text is a YAML map and not a script: nodeadm is given it as another NodeConfig. */
static bool is_yaml_map(struct str text)
{
    auto_arena arena = ARENA_INIT;
    struct byte_memory memory = {.rest = text, .step = SIZE_MAX};
    struct docs *docs = docs_new(&arena, byte_memory_source(&memory), NULL);
    struct err ignored;
    enum docs_kind kind = DOCS_END;
    auto_json *value = NULL;
    bool good = docs_peek(docs, &kind, &ignored) && kind != DOCS_END &&
                docs_value(docs, &value, &ignored) && json_is_object(value);
    docs_free(docs);
    return good;
}

bool userdata_al2023(const struct userdata_facts *facts, struct arena *arena, struct strbuf *out,
                     struct err *err)
{
    static const struct str config_type = STR("Content-Type: application/node.eks.aws\n");
    struct str custom = facts->class->user_data;
    const struct mime_part *given = NULL;
    uint32_t n = 0;
    struct mime_part one = {.body = custom};
    if (facts->cluster.cidr.n == 0) {
        return err_set(err, ERR_INVALID,
                       "AL2023 needs the range of addresses of Services (resolving cluster CIDR)");
    }
    if (mime_is_archive(custom)) {
        if (!mime_read(str_trim(custom), arena, &given, &n, err)) {
            return err_wrap(err, "spec.userData");
        }
    } else if (custom.n > 0) {
        one.headers = is_yaml_map(custom)
                          ? config_type
                          : STR("Content-Type: text/x-shellscript; charset=\"us-ascii\"\n");
        given = &one;
        n = 1;
    }
    struct mime_part *parts = ARENA_ARRAY(arena, struct mime_part, (size_t)n + 1);
    for (uint32_t i = 0; i < n; i++) {
        parts[i] = given[i];
    }
    parts[n] = (struct mime_part){.headers = config_type, .body = node_config(facts, arena)};
    return mime_write(parts, n + 1, out, err) || err_wrap(err, "spec.userData");
}
