/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kube-scheduler's filters that look at one pod and one node:
 * https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins (NodeAffinity,
 * TaintToleration, NodeResourcesFit, NodePorts, NodeVolumeLimits, VolumeBinding). */
#include "binpack/plan/check_world.h"

#include <string.h>

#include "base/arena.h"

int64_t check_amounts_get(const struct check_amounts *amounts, strid resource)
{
    for (uint32_t i = 0; i < amounts->n; i++) {
        if (amounts->v[i].resource == resource) {
            return amounts->v[i].value;
        }
    }
    return 0;
}

bool check_amounts_add(struct check_amounts *amounts, strid resource, int64_t value)
{
    for (uint32_t i = 0; i < amounts->n; i++) {
        if (amounts->v[i].resource == resource) {
            amounts->v[i].value = sat_add(amounts->v[i].value, value);
            return true;
        }
    }
    if (amounts->n == sizeof amounts->v / sizeof amounts->v[0]) {
        return false;
    }
    amounts->v[amounts->n++] = (struct check_amount){.resource = resource, .value = value};
    return true;
}

static void raise_to(struct check_amounts *amounts, const struct check_amounts *other)
{
    for (uint32_t i = 0; i < other->n; i++) {
        int64_t have = check_amounts_get(amounts, other->v[i].resource);
        if (other->v[i].value > have) {
            (void)check_amounts_add(amounts, other->v[i].resource, other->v[i].value - have);
        }
    }
}

static void add_resources(struct check_amounts *amounts, const struct k8s_resources *resources)
{
    for (uint32_t i = 0; i < resources->n; i++) {
        (void)check_amounts_add(amounts, resources->v[i].resource, resources->v[i].value);
    }
}

/* A container without a request for something it limits requests the limit (API server default). */
static void add_container(struct check_amounts *amounts, const struct k8s_container *container)
{
    add_resources(amounts, &container->requests);
    for (uint32_t i = 0; i < container->limits.n; i++) {
        if (!k8s_resources_has(&container->requests, container->limits.v[i].resource)) {
            (void)check_amounts_add(amounts, container->limits.v[i].resource,
                                    container->limits.v[i].value);
        }
    }
}

/* https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
 */
void check_requests(const struct check_world *world, const struct k8s_pod_shape *shape,
                    struct check_amounts *ret_requests)
{
    struct check_amounts sum = {0}, sidecars = {0}, peak = {0};
    for (uint32_t i = 0; i < shape->n_containers; i++) {
        add_container(&sum, &shape->containers[i]);
    }
    for (uint32_t i = 0; i < shape->n_init_containers; i++) {
        struct check_amounts now = sidecars;
        add_container(&now, &shape->init_containers[i]);
        if (shape->init_containers[i].restart_always) {
            sidecars = now;
        } else {
            raise_to(&peak, &now);
        }
    }
    for (uint32_t i = 0; i < sidecars.n; i++) {
        (void)check_amounts_add(&sum, sidecars.v[i].resource, sidecars.v[i].value);
    }
    raise_to(&sum, &peak);
    if (shape->has_pod_resources) {
        struct check_amounts pod_level = {0};
        add_container(&pod_level, &(struct k8s_container){.requests = shape->pod_requests,
                                                          .limits = shape->pod_limits});
        for (uint32_t i = 0; i < pod_level.n; i++) {
            int64_t have = check_amounts_get(&sum, pod_level.v[i].resource);
            (void)check_amounts_add(&sum, pod_level.v[i].resource, pod_level.v[i].value - have);
        }
    }
    add_resources(&sum, &shape->overhead);
    (void)check_amounts_add(&sum, world->words->pods,
                            1 - check_amounts_get(&sum, world->words->pods));
    *ret_requests = sum;
}

bool check_match_expression(const struct check_world *world, const struct k8s_requirement *e,
                            strid have)
{
    bool listed = false;
    for (uint32_t i = 0; i < e->values.n; i++) {
        listed = listed || e->values.v[i] == have;
    }
    int64_t a = 0, b = 0;
    switch (e->op) {
    case K8S_IN:
        return have != STRID_NONE && listed;
    case K8S_NOT_IN:
        return have == STRID_NONE || !listed;
    case K8S_EXISTS:
        return have != STRID_NONE;
    case K8S_DOES_NOT_EXIST:
        return have == STRID_NONE;
    case K8S_GT:
    case K8S_LT:
    case K8S_GTE:
    case K8S_LTE:
        break;
    }
    if (have == STRID_NONE || e->values.n == 0 || !str_to_i64(strtab_str(world->tab, have), &a) ||
        !str_to_i64(strtab_str(world->tab, e->values.v[0]), &b)) {
        return false;
    }
    return e->op == K8S_GT ? a > b : e->op == K8S_LT ? a < b : e->op == K8S_GTE ? a >= b : a <= b;
}

static bool match_term(const struct check_world *world, const struct k8s_node_term *term,
                       const struct k8s_pairs *labels, struct str node_name)
{
    if (term->n_expressions == 0 && term->n_fields == 0) {
        return false;
    }
    for (uint32_t i = 0; i < term->n_expressions; i++) {
        const struct k8s_requirement *e = &term->expressions[i];
        if (!check_match_expression(world, e, k8s_pairs_get(labels, e->key))) {
            return false;
        }
    }
    for (uint32_t i = 0; i < term->n_fields; i++) {
        bool in = false;
        for (uint32_t j = 0; j < term->fields[i].values.n; j++) {
            in = in || str_eq(strtab_str(world->tab, term->fields[i].values.v[j]), node_name);
        }
        if (in != (term->fields[i].op == K8S_IN)) {
            return false;
        }
    }
    return true;
}

bool check_match_pairs(const struct check_world *world, const struct k8s_pod_shape *shape,
                       const struct k8s_pairs *labels, struct str node_name)
{
    for (uint32_t i = 0; i < shape->node_selector.n; i++) {
        if (k8s_pairs_get(labels, shape->node_selector.v[i].key) !=
            shape->node_selector.v[i].value) {
            return false;
        }
    }
    if (!shape->has_required_node_terms) {
        return true;
    }
    for (uint32_t i = 0; i < shape->n_node_terms; i++) {
        if (match_term(world, &shape->node_terms[i], labels, node_name)) {
            return true;
        }
    }
    return false;
}

const struct k8s_taint *check_untolerated(const struct k8s_toleration *tolerations, uint32_t n,
                                          const struct k8s_taint *taints, uint32_t n_taints)
{
    for (uint32_t i = 0; i < n_taints; i++) {
        bool hard = taints[i].effect == K8S_NO_SCHEDULE || taints[i].effect == K8S_NO_EXECUTE;
        if (hard && !k8s_tolerates(tolerations, n, &taints[i])) {
            return &taints[i];
        }
    }
    return NULL;
}

/* ---- volumes ---- */

static const struct k8s_pvc *find_claim(const struct check_world *world, strid ns, struct str name)
{
    uint32_t i = check_index_find(world, &world->claims, strtab_str(world->tab, ns), name);
    return i == UINT32_MAX ? NULL : &world->cluster->pvcs[i];
}

static const struct k8s_pv *find_volume(const struct check_world *world, struct str name)
{
    uint32_t i = check_index_find(world, &world->volumes, STR_EMPTY, name);
    return i == UINT32_MAX ? NULL : &world->cluster->pvs[i];
}

static const struct k8s_storage_class *find_class(const struct check_world *world, strid name)
{
    const struct k8s_storage_class *best = NULL;
    for (uint32_t i = 0; i < world->cluster->n_storage_classes; i++) {
        const struct k8s_storage_class *sc = &world->cluster->storage_classes[i];
        if (name != STRID_NONE && str_eq(sc->meta.name, strtab_str(world->tab, name))) {
            return sc;
        }
        if (name == STRID_NONE && sc->is_default &&
            (best == NULL || (sc->meta.created.has && sc->meta.created.v > best->meta.created.v))) {
            best = sc;
        }
    }
    return best;
}

static bool terms_allow(const struct check_world *world, const struct k8s_node_term *terms,
                        uint32_t n, bool skip_hostname, const struct k8s_pairs *labels)
{
    for (uint32_t i = 0; i < n; i++) {
        bool all = true;
        for (uint32_t j = 0; all && j < terms[i].n_expressions; j++) {
            const struct k8s_requirement *e = &terms[i].expressions[j];
            if (!(skip_hostname && e->key == world->words->hostname)) {
                all = check_match_expression(world, e, k8s_pairs_get(labels, e->key));
            }
        }
        if (all) {
            return true;
        }
    }
    return n == 0;
}

/* Is `part` one of the values that "a__b" names? */
static bool names_value(struct str all, struct str part)
{
    for (size_t at = 0; at + part.n <= all.n; at++) {
        const size_t end = at + part.n;
        const bool begins = at == 0 || str_ends(str_sub(all, 0, at), STR("__"));
        const bool ends = end == all.n || str_starts(str_sub(all, end, all.n), STR("__"));
        if (begins && ends && str_eq(str_sub(all, at, part.n), part)) {
            return true;
        }
    }
    return false;
}

/* https://kubernetes.io/docs/reference/labels-annotations-taints/#topologykubernetesiozone: labels
 * of a volume that say where it is, which the scheduler holds against those of the node. */
static bool zone_labels_allow(const struct check_world *world, const struct k8s_pairs *of_volume,
                              const struct k8s_pairs *labels)
{
    static const struct str keys[] = {STR("topology.kubernetes.io/zone"),
                                      STR("topology.kubernetes.io/region"),
                                      STR("failure-domain.beta.kubernetes.io/zone"),
                                      STR("failure-domain.beta.kubernetes.io/region")};
    for (uint32_t i = 0; i < of_volume->n; i++) {
        const struct str key = strtab_str(world->tab, of_volume->v[i].key);
        bool zonal = false;
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
            zonal = zonal || str_eq(key, keys[k]);
        }
        const strid have = k8s_pairs_get(labels, of_volume->v[i].key);
        if (zonal && have != STRID_NONE &&
            !names_value(strtab_str(world->tab, of_volume->v[i].value),
                         strtab_str(world->tab, have))) {
            return false;
        }
    }
    return true;
}

static strid driver_of(const struct check_world *world, strid provisioner)
{
    strid in_tree = strtab_find(world->tab, STR("kubernetes.io/aws-ebs"));
    strid ebs = strtab_find(world->tab, STR("ebs.csi.aws.com"));
    return provisioner == in_tree && ebs != STRID_NONE ? ebs : provisioner;
}

struct claim_view {
    struct str name;
    const struct k8s_pvc *pvc; /* NULL: an ephemeral claim not made yet */
    strid storage_class;
    strid driver; /* STRID_EMPTY: nothing to attach */
    uint32_t id;
};

/* The claim behind a volume; false: the volume needs none. */
static bool view_claim(const struct check_world *world, const struct k8s_pod *pod,
                       const struct k8s_volume *volume, struct claim_view *view)
{
    *view = (struct claim_view){.storage_class = STRID_NONE, .driver = STRID_EMPTY};
    if (volume->kind == K8S_VOLUME_CLAIM) {
        view->name = volume->claim_name;
    } else if (volume->kind == K8S_VOLUME_EPHEMERAL) {
        struct strbuf name = strbuf_new(world->arena, 1024);
        strbuf_add(&name, pod->name);
        strbuf_addc(&name, '-');
        strbuf_add(&name, volume->name);
        view->name = strbuf_str(&name);
    } else {
        return false;
    }
    view->pvc = find_claim(world, pod->ns, view->name);
    view->storage_class = view->pvc != NULL ? view->pvc->storage_class : volume->storage_class;
    struct strbuf key = strbuf_new(world->arena, 2048);
    const struct k8s_pv *pv = NULL;
    if (view->pvc != NULL && view->pvc->volume_name.n > 0) {
        pv = find_volume(world, view->pvc->volume_name);
        strbuf_addf(&key, "pv:");
        strbuf_add(&key, view->pvc->volume_name);
    } else {
        strbuf_addf(&key, "pvc:");
        strbuf_add(&key, strtab_str(world->tab, pod->ns));
        strbuf_addc(&key, '/');
        strbuf_add(&key, view->name);
    }
    view->id = strtab_add(world->names, strbuf_str(&key));
    if (pv != NULL) {
        view->driver = driver_of(world, pv->driver);
    } else if (view->pvc == NULL || view->pvc->volume_name.n == 0) {
        const struct k8s_storage_class *sc =
            view->storage_class == STRID_EMPTY ? NULL : find_class(world, view->storage_class);
        view->driver = sc == NULL ? STRID_EMPTY : driver_of(world, sc->provisioner);
    }
    return true;
}

#define POD_FMT       STR_FMT "/" STR_FMT
#define POD_ARG(w, p) STR_ARG(strtab_str((w)->tab, (p)->ns)), STR_ARG((p)->name)

static bool volume_static(const struct check_world *world, const struct k8s_pod *pod,
                          const struct k8s_volume *volume, const struct check_node *node,
                          struct err *err)
{
    struct claim_view view;
    if (!view_claim(world, pod, volume, &view)) {
        return true;
    }
    const char *why = NULL;
    const struct k8s_pv *pv = NULL;
    const struct k8s_storage_class *sc = NULL;
    if (view.pvc == NULL && volume->kind == K8S_VOLUME_CLAIM) {
        why = "does not exist";
    } else if (view.pvc != NULL && view.pvc->meta.deleted.has) {
        why = "is being deleted";
    } else if (view.pvc != NULL && str_eq(strtab_str(world->tab, view.pvc->phase), STR("Lost"))) {
        why = "is lost";
    } else if (view.pvc != NULL && view.pvc->volume_name.n > 0) {
        pv = find_volume(world, view.pvc->volume_name);
        if (pv == NULL || pv->meta.deleted.has || !view.pvc->bind_completed) {
            why = "is bound to a volume that is missing, being deleted or not bound yet";
        } else if (!terms_allow(world, pv->terms, pv->n_terms, pv->is_local || pv->is_host_path,
                                &node->labels) ||
                   !zone_labels_allow(world, &pv->meta.labels, &node->labels)) {
            why = "has a volume that cannot be used from this node";
        }
    } else {
        sc = view.storage_class == STRID_EMPTY ? NULL : find_class(world, view.storage_class);
        /* Manifests without any StorageClass: the plan states the assumption that there will be
         * one. */
        bool assumed = world->plan->mode == PLAN_REPACK && world->cluster->n_storage_classes == 0;
        if (assumed) {
            why = NULL;
        } else if (sc == NULL || !sc->wait_for_consumer) {
            why = "is not bound, and no storage class would bind it for its first consumer";
        } else if (!terms_allow(world, sc->topologies, sc->n_topologies, false, &node->labels)) {
            why = "may not be created in the topology of this node";
        }
    }
    if (why == NULL) {
        return true;
    }
    return err_set(err, ERR_INTERNAL, "pod " POD_FMT " on node " STR_FMT ": claim " STR_FMT " %s",
                   POD_ARG(world, pod), STR_ARG(node->name), STR_ARG(view.name), why);
}

bool check_static(const struct check_world *world, uint32_t pod_i, const struct check_node *node,
                  struct err *err)
{
    const struct k8s_pod *pod = &world->cluster->pods[pod_i];
    const struct k8s_pod_shape *shape = pod->shape;
    const struct k8s_taint *taint =
        check_untolerated(shape->tolerations, shape->n_tolerations, node->taints, node->n_taints);
    if (taint != NULL) {
        return err_set(err, ERR_INTERNAL,
                       "pod " POD_FMT " on node " STR_FMT ": taint " STR_FMT " is not tolerated",
                       POD_ARG(world, pod), STR_ARG(node->name),
                       STR_ARG(strtab_str(world->tab, taint->key)));
    }
    if (!check_match_pairs(world, shape, &node->labels, node->name)) {
        return err_set(err, ERR_INTERNAL,
                       "pod " POD_FMT " on node " STR_FMT
                       ": node selector or affinity does not match",
                       POD_ARG(world, pod), STR_ARG(node->name));
    }
    for (uint32_t i = 0; i < shape->n_volumes; i++) {
        if (!volume_static(world, pod, &shape->volumes[i], node, err)) {
            return false;
        }
    }
    return true;
}

/* The zone of each claim that is made for its first pod. */
struct zones_of_claims {
    strid *zone; /* [cap] by id of names: zone + 1, 0: none yet */
    uint32_t cap;
};

static bool note_claims(struct check_world *world, struct zones_of_claims *zones, uint32_t pod_i,
                        uint32_t node, struct err *err)
{
    const struct k8s_pod *pod = &world->cluster->pods[pod_i];
    const strid ebs = strtab_find(world->tab, STR("ebs.csi.aws.com"));
    const strid zone = k8s_pairs_get(&world->nodes[node].labels, world->words->zone);
    for (uint32_t v = 0; zone != STRID_NONE && v < pod->shape->n_volumes; v++) {
        struct claim_view view;
        if (!view_claim(world, pod, &pod->shape->volumes[v], &view) || view.pvc == NULL ||
            view.pvc->volume_name.n > 0 || view.driver != ebs) {
            continue;
        }
        if (view.id >= zones->cap) {
            uint32_t grown = 2 * (view.id + 1);
            zones->zone = arena_grow(world->arena, zones->zone, zones->cap * sizeof *zones->zone,
                                     grown * sizeof *zones->zone);
            zones->cap = grown;
        }
        if (zones->zone[view.id] != 0 && zones->zone[view.id] != zone + 1) {
            return err_set(err, ERR_INTERNAL,
                           "pod " POD_FMT ": claim " STR_FMT
                           " is shared with a pod in another zone",
                           POD_ARG(world, pod), STR_ARG(view.name));
        }
        zones->zone[view.id] = zone + 1;
    }
    return true;
}

bool check_shared_claims(struct check_world *world, const uint32_t *target, bool *ret_stuck,
                         struct err *err)
{
    struct zones_of_claims zones = {.cap = 0};
    for (uint32_t i = 0; i < world->cluster->n_pods; i++) {
        if (target[i] == UINT32_MAX && world->node_of[i] != UINT32_MAX) {
            (void)note_claims(world, &zones, i, world->node_of[i], NULL); /* It ran before us. */
        }
    }
    for (uint32_t i = 0; i < world->cluster->n_pods; i++) {
        if (target[i] != UINT32_MAX && !note_claims(world, &zones, i, target[i], err)) {
            ret_stuck[i] = true;
            return false;
        }
    }
    return true;
}

/* ---- room ---- */

static bool any_address(const struct check_world *world, strid ip)
{
    struct str text = strtab_str(world->tab, ip);
    return text.n == 0 || str_eq(text, STR("0.0.0.0")) || str_eq(text, STR("::"));
}

static bool port_taken(const struct check_world *world, const struct check_node *node,
                       const struct k8s_host_port *port)
{
    for (uint32_t i = 0; i < node->n_ports; i++) {
        const struct check_port *p = &node->ports[i];
        if (p->port == port->port && p->protocol == port->protocol &&
            (p->ip == port->ip || any_address(world, p->ip) || any_address(world, port->ip))) {
            return true;
        }
    }
    return false;
}

void check_add_port(struct check_world *world, struct check_node *node,
                    const struct k8s_host_port *port)
{
    if (node->n_ports == node->cap_ports) {
        uint32_t cap = node->cap_ports == 0 ? 4 : node->cap_ports * 2;
        node->ports = arena_grow(world->arena, node->ports, node->cap_ports * sizeof *node->ports,
                                 cap * sizeof *node->ports);
        node->cap_ports = cap;
    }
    node->ports[node->n_ports++] =
        (struct check_port){.ip = port->ip, .protocol = port->protocol, .port = port->port};
}

static void add_use(struct check_world *world, struct check_node *node, struct check_volume_use use)
{
    for (uint32_t i = 0; i < node->n_uses; i++) {
        if (node->uses[i].driver == use.driver && node->uses[i].volume == use.volume) {
            return;
        }
    }
    if (node->n_uses == node->cap_uses) {
        uint32_t cap = node->cap_uses == 0 ? 4 : node->cap_uses * 2;
        node->uses = arena_grow(world->arena, node->uses, node->cap_uses * sizeof *node->uses,
                                cap * sizeof *node->uses);
        node->cap_uses = cap;
    }
    node->uses[node->n_uses++] = use;
}

static void occupy(struct check_world *world, uint32_t pod_i, struct check_node *node)
{
    const struct k8s_pod *pod = &world->cluster->pods[pod_i];
    const struct check_kind *kind = &world->kinds[world->kind_of[pod_i]];
    for (uint32_t i = 0; i < kind->requests.n; i++) {
        (void)check_amounts_add(&node->used, kind->requests.v[i].resource,
                                kind->requests.v[i].value);
    }
    for (uint32_t i = 0; i < pod->shape->n_host_ports; i++) {
        check_add_port(world, node, &pod->shape->host_ports[i]);
    }
    for (uint32_t i = 0; i < pod->shape->n_volumes; i++) {
        struct claim_view view;
        if (view_claim(world, pod, &pod->shape->volumes[i], &view) && view.driver != STRID_EMPTY) {
            add_use(world, node,
                    (struct check_volume_use){.driver = view.driver, .volume = view.id});
        }
    }
}

void check_occupy(struct check_world *world, uint32_t pod_i, struct check_node *node)
{
    occupy(world, pod_i, node);
}

bool check_take_room(struct check_world *world, uint32_t pod_i, struct check_node *node,
                     struct err *err)
{
    const struct k8s_pod *pod = &world->cluster->pods[pod_i];
    const struct check_kind *kind = &world->kinds[world->kind_of[pod_i]];
    for (uint32_t i = 0; i < kind->requests.n; i++) {
        strid resource = kind->requests.v[i].resource;
        int64_t want = kind->requests.v[i].value, used = check_amounts_get(&node->used, resource);
        int64_t have = k8s_resources_get(&node->alloc, resource);
        if (want > 0 && sat_add(used, want) > have) {
            return err_set(err, ERR_INTERNAL,
                           "pod " POD_FMT " on node " STR_FMT ": not enough " STR_FMT
                           ": needs %lld, %lld allocatable, %lld used",
                           POD_ARG(world, pod), STR_ARG(node->name),
                           STR_ARG(strtab_str(world->tab, resource)), (long long)want,
                           (long long)have, (long long)used);
        }
    }
    for (uint32_t i = 0; i < pod->shape->n_host_ports; i++) {
        if (port_taken(world, node, &pod->shape->host_ports[i])) {
            return err_set(
                err, ERR_INTERNAL, "pod " POD_FMT " on node " STR_FMT ": host port %d is taken",
                POD_ARG(world, pod), STR_ARG(node->name), pod->shape->host_ports[i].port);
        }
    }
    bool has_volume = pod->shape->n_volumes > 0;
    occupy(world, pod_i, node);
    for (uint32_t l = 0; has_volume && l < node->n_limits; l++) {
        int64_t attached = 0;
        for (uint32_t i = 0; i < node->n_uses; i++) {
            attached += node->uses[i].driver == node->limits[l].driver;
        }
        if (attached > node->limits[l].count) {
            return err_set(err, ERR_INTERNAL,
                           "pod " POD_FMT " on node " STR_FMT ": %lld volumes of " STR_FMT
                           ", limit %lld",
                           POD_ARG(world, pod), STR_ARG(node->name), (long long)attached,
                           STR_ARG(strtab_str(world->tab, node->limits[l].driver)),
                           (long long)node->limits[l].count);
        }
    }
    return true;
}
