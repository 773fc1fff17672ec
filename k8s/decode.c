/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/decode.h"

#include "k8s/shapes.h"
#include "k8s/tables.h"

strid k8s_right_namespace(struct strtab *tab, const struct k8s_kind *type, strid ns)
{
    if (!type->namespaced) {
        return STRID_EMPTY;
    }
    return ns == STRID_EMPTY ? strtab_add(tab, STR("default")) : ns;
}

static struct codec_in codec_of(const struct k8s_decoder *d, struct err *err)
{
    return (struct codec_in){.arena = d->arena,
                             .scratch = d->scratch,
                             .tab = d->tab,
                             .names = d->names,
                             .words = d->words,
                             .user = d->shapes,
                             .newest = d->newest,
                             .err = err};
}

static bool decode_pod(const struct k8s_decoder *d, const struct json_at *at, struct k8s_pod *pod,
                       struct err *err)
{
    struct codec_in codec = codec_of(d, err);
    const struct json_at status = json_at_member(at, "status");
    const enum k8s_origin origin = json_at_count(&status) > 0 ? K8S_ADMITTED : K8S_BARE;
    const struct k8s_pod_shape *shape = NULL;
    if (!k8s_shapes_decode(d->shapes, &codec, at, origin, STRID_NONE, STRID_NONE, &shape) ||
        codec_decode(&codec, &k8s_pod_table, at, pod) == CODEC_FAIL) {
        return false;
    }
    pod->shape = shape;
    pod->source_i = d->source_i;
    return true;
}

static bool decode_object(const struct k8s_decoder *d, const struct k8s_kind *type,
                          struct str api_version, const struct json_at *at, char *object,
                          struct err *err)
{
    const struct k8s_store_type *store = &k8s_stores[type->store];
    struct codec_in codec = codec_of(d, err);
    if (type->store == STORE_PODS) {
        return decode_pod(d, at, (void *)object, err);
    }
    if (type->store == STORE_WORKLOADS) {
        struct k8s_workload *workload = (void *)object;
        workload->kind = (enum k8s_workload_kind)type->workload;
        workload->source_i = d->source_i;
    }
    if (codec_decode(&codec, store->table, at, object) == CODEC_FAIL) {
        return false;
    }
    struct k8s_meta *meta = (void *)(object + store->meta_offset);
    meta->ns = k8s_right_namespace(d->tab, type, meta->ns);
    if (type->store == STORE_NODEPOOLS) {
        ((struct karp_nodepool *)(void *)object)->source_i = d->source_i;
    }
    if (type->store == STORE_PDBS && str_eq(api_version, STR("policy/v1beta1"))) {
        /* There an empty selector selected nothing; in v1 it selects everything. */
        struct k8s_pdb *pdb = (void *)object;
        pdb->selector.present = pdb->selector.present && (pdb->selector.match_labels.n > 0 ||
                                                          pdb->selector.n_expressions > 0);
    }
    return true;
}

static bool decode_closed_pdb(const struct k8s_decoder *d, const struct k8s_kind *type,
                              const struct json_at *at, struct k8s_pdb *pdb)
{
    struct err ignored;
    struct codec_in codec = codec_of(d, &ignored);
    *pdb = (struct k8s_pdb){.observed_generation = 0};
    if (codec_decode(&codec, &k8s_pdb_closed_table, at, pdb) == CODEC_FAIL) {
        return false;
    }
    pdb->meta.ns = k8s_right_namespace(d->tab, type, pdb->meta.ns);
    pdb->disruptions_allowed = (struct opt_i64){.has = true, .v = 0};
    return true;
}

bool k8s_decode(const struct k8s_decoder *decoder, const struct k8s_kind *type,
                struct str api_version, const struct json_at *at, void *object, bool *ret_closed,
                struct err *err)
{
    *ret_closed = false;
    if (decode_object(decoder, type, api_version, at, object, err)) {
        return true;
    }
    if (type->store == STORE_PDBS && decode_closed_pdb(decoder, type, at, object)) {
        *ret_closed = true;
        (void)err_wrap(err, "all but its selector, which now allows no eviction");
    }
    return false;
}
