/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "k8s/kinds.h"
#include "k8s/tables.h"

struct entry {
    struct str ns, name;
    const void *object;
};

struct k8s_snapshot k8s_snapshot_begin(const struct k8s_cluster *cluster, struct arena *arena)
{
    return (struct k8s_snapshot){.cluster = cluster, .arena = arena};
}

static int by_name(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = str_cmp(x->ns, y->ns);
    return order != 0 ? order : str_cmp(x->name, y->name);
}

static struct entry entry_of(const struct k8s_cluster *cluster, enum k8s_store store,
                             const void *object)
{
    if (store == STORE_PODS) {
        const struct k8s_pod *pod = object;
        return (struct entry){
            .ns = strtab_str(cluster->tab, pod->ns), .name = pod->name, .object = object};
    }
    const struct k8s_meta *meta =
        (const void *)((const char *)object + k8s_stores[store].meta_offset);
    return (struct entry){
        .ns = strtab_str(cluster->tab, meta->ns), .name = meta->name, .object = object};
}

static void collect(struct k8s_snapshot *snapshot, const struct k8s_kind *kind)
{
    const struct k8s_store_type *type = &k8s_stores[kind->store];
    const char *v = NULL;
    uint32_t n = 0;
    memcpy(&v, (const char *)snapshot->cluster + type->array_offset, sizeof v);
    memcpy(&n, (const char *)snapshot->cluster + type->n_offset, sizeof n);
    struct entry *entries = ARENA_ARRAY(snapshot->arena, struct entry, n);
    snapshot->order = ARENA_ARRAY(snapshot->arena, const void *, n);
    snapshot->n = 0;
    snapshot->at = 0;
    for (uint32_t i = 0; i < n; i++) {
        const void *object = v + (size_t)i * type->size;
        if (kind->workload < 0 ||
            (int)((const struct k8s_workload *)object)->kind == kind->workload) {
            entries[snapshot->n++] = entry_of(snapshot->cluster, kind->store, object);
        }
    }
    qsort(entries, snapshot->n, sizeof *entries, by_name);
    for (uint32_t i = 0; i < snapshot->n; i++) {
        snapshot->order[i] = entries[i].object;
    }
}

/* A pod without status waits for a node; that is what its status says here, in the scheduler's
 * words. */
static void say_pending(json_t *json)
{
    json_t *status = codec_child(json, "status");
    json_t *conditions = json_array(), *condition = json_object();
    (void)json_object_set_new(condition, "type", json_string("PodScheduled"));
    (void)json_object_set_new(condition, "status", json_string("False"));
    (void)json_object_set_new(condition, "reason", json_string("Unschedulable"));
    (void)json_array_append_new(conditions, condition);
    (void)json_object_set_new(status, "phase", json_string("Pending"));
    (void)json_object_set_new(status, "conditions", conditions);
}

static json_t *encode(const struct k8s_snapshot *snapshot, const struct k8s_kind *kind,
                      const void *object)
{
    struct codec_out out = {.arena = snapshot->arena,
                            .tab = snapshot->cluster->tab,
                            .words = &snapshot->cluster->words};
    char version[128];
    int n = snprintf(version, sizeof version, "%s%s%s", kind->group,
                     kind->group[0] == '\0' ? "" : "/", kind->version);
    json_t *json = json_object();
    (void)json_object_set_new(json, "apiVersion", json_stringn(version, (size_t)n));
    (void)json_object_set_new(json, "kind", json_string(kind->name));
    codec_encode(&out, k8s_stores[kind->store].table, object, json);
    if (kind->store == STORE_PODS) {
        const struct k8s_pod *pod = object;
        codec_encode(&out, &k8s_shape_table, pod->shape, json);
        if (!pod->has_status && pod->node_name.n == 0) {
            say_pending(json);
        }
    }
    return json;
}

json_t *k8s_snapshot_next(struct k8s_snapshot *snapshot)
{
    while (snapshot->at == snapshot->n) {
        if (snapshot->kind_i == k8s_n_kinds) {
            return NULL;
        }
        collect(snapshot, &k8s_kinds[snapshot->kind_i++]);
    }
    return encode(snapshot, &k8s_kinds[snapshot->kind_i - 1], snapshot->order[snapshot->at++]);
}
