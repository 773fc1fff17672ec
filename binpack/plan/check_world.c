/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/check_world.h"

#include <stdlib.h>

#include "base/arena.h"

/* ---- indexes ---- */

static struct str join(struct arena *arena, struct str ns, struct str name)
{
    struct strbuf b = strbuf_new(arena, 4096);
    strbuf_add(&b, ns);
    strbuf_addc(&b, '/');
    strbuf_add(&b, name);
    return strbuf_str(&b);
}

static void index_init(struct check_world *world, struct check_index *index, uint32_t n)
{
    index->tab = strtab_new(world->arena);
    index->index = ARENA_ARRAY(world->arena, uint32_t, n + 1);
}

/* The last one of a name wins, as in the cluster itself. */
static void index_add(struct check_world *world, struct check_index *index, struct str ns,
                      struct str name, uint32_t i)
{
    strid id = strtab_add(index->tab, join(world->arena, ns, name));
    index->index[id] = i;
}

uint32_t check_index_find(const struct check_world *world, const struct check_index *index,
                          struct str ns, struct str name)
{
    struct arena_mark mark = arena_mark(world->arena);
    strid id = strtab_find(index->tab, join(world->arena, ns, name));
    arena_rewind(world->arena, mark);
    return id == STRID_NONE ? UINT32_MAX : index->index[id];
}

/* ---- labels ---- */

/* https://kubernetes.io/docs/reference/labels-annotations-taints/ (deprecated spellings); the EBS
 * driver's key means the zone. */
static const struct {
    struct str old, now;
} aliases[] = {
    {STR("failure-domain.beta.kubernetes.io/zone"), STR("topology.kubernetes.io/zone")},
    {STR("failure-domain.beta.kubernetes.io/region"), STR("topology.kubernetes.io/region")},
    {STR("beta.kubernetes.io/arch"), STR("kubernetes.io/arch")},
    {STR("beta.kubernetes.io/os"), STR("kubernetes.io/os")},
    {STR("beta.kubernetes.io/instance-type"), STR("node.kubernetes.io/instance-type")},
    {STR("topology.ebs.csi.aws.com/zone"), STR("topology.kubernetes.io/zone")},
};
enum { N_ALIASES = sizeof aliases / sizeof aliases[0] };

static int by_key(const void *a, const void *b)
{
    const struct k8s_pair *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

static strid find_pair(const struct k8s_pair *pairs, uint32_t n, strid key)
{
    for (uint32_t i = 0; i < n; i++) {
        if (pairs[i].key == key) {
            return pairs[i].value;
        }
    }
    return STRID_NONE;
}

struct k8s_pairs check_labels(struct check_world *world, const struct k8s_pair *pairs, uint32_t n,
                              struct str host_name)
{
    struct k8s_pair *out = ARENA_ARRAY(world->arena, struct k8s_pair, n + 2 * N_ALIASES + 1);
    uint32_t n_out = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (find_pair(out, n_out, pairs[i].key) == STRID_NONE) {
            out[n_out++] = pairs[i];
        }
    }
    for (size_t i = 0; i < N_ALIASES; i++) {
        strid old = strtab_find(world->tab, aliases[i].old),
              now = strtab_find(world->tab, aliases[i].now);
        strid old_value = find_pair(out, n_out, old), now_value = find_pair(out, n_out, now);
        if (old != STRID_NONE && old_value == STRID_NONE && now_value != STRID_NONE) {
            out[n_out++] = (struct k8s_pair){.key = old, .value = now_value};
        } else if (now != STRID_NONE && now_value == STRID_NONE && old_value != STRID_NONE) {
            out[n_out++] = (struct k8s_pair){.key = now, .value = old_value};
        }
    }
    if (find_pair(out, n_out, world->words->hostname) == STRID_NONE) {
        /* A host name that no rule of the input spells out needs no entry in the table of words. */
        strid name = strtab_find(world->tab, host_name);
        out[n_out++] = (struct k8s_pair){.key = world->words->hostname,
                                         .value = name == STRID_NONE ? STRID_EMPTY : name};
    }
    qsort(out, n_out, sizeof *out, by_key);
    return (struct k8s_pairs){.n = n_out, .v = out};
}

/* ---- running and in-flight nodes ---- */

static bool is_true(const struct check_world *world, const struct k8s_pairs *labels, strid key)
{
    strid value = k8s_pairs_get(labels, key);
    return value != STRID_NONE && str_eq(strtab_str(world->tab, value), STR("true"));
}

/* Taints of a node that is still starting and that go away by themselves:
 * https://kubernetes.io/docs/reference/labels-annotations-taints/#node-kubernetes-io-not-ready and
 * the taints a cloud provider or network plug-in puts on first. */
static bool is_ephemeral(const struct check_world *world, const struct k8s_taint *taint)
{
    static const struct {
        struct str key;
        bool no_schedule, no_execute;
    } rows[] = {
        {STR("node.kubernetes.io/not-ready"), true, true},
        {STR("node.kubernetes.io/unreachable"), true, false},
        {STR("node.cloudprovider.kubernetes.io/uninitialized"), true, false},
        {STR("node.kubernetes.io/network-unavailable"), true, false},
        {STR("karpenter.sh/unregistered"), false, true},
    };
    struct str key = strtab_str(world->tab, taint->key);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (str_eq(key, rows[i].key)) {
            return (taint->effect == K8S_NO_SCHEDULE && rows[i].no_schedule) ||
                   (taint->effect == K8S_NO_EXECUTE && rows[i].no_execute);
        }
    }
    return str_starts(key, STR("readiness.k8s.io/"));
}

static bool claim_going(const struct check_world *world, const struct karp_nodeclaim *claim)
{
    strid type = strtab_find(world->tab, STR("InstanceTerminating"));
    const struct k8s_condition *c =
        type == STRID_NONE ? NULL : k8s_conditions_find(&claim->conditions, type);
    return claim->meta.deleted.has || (c != NULL && c->status == world->words->s_true);
}

static struct k8s_resources with_claim(struct check_world *world, const struct k8s_resources *node,
                                       const struct k8s_resources *claim)
{
    struct k8s_quantity *out = ARENA_ARRAY(world->arena, struct k8s_quantity, node->n + claim->n);
    uint32_t n = 0, i = 0, j = 0;
    while (i < node->n || j < claim->n) {
        if (j == claim->n || (i < node->n && node->v[i].resource < claim->v[j].resource)) {
            out[n++] = node->v[i++];
        } else if (i == node->n || claim->v[j].resource < node->v[i].resource) {
            out[n++] = claim->v[j++];
        } else {
            out[n++] = node->v[i].value != 0 ? node->v[i] : claim->v[j];
            i++;
            j++;
        }
    }
    return (struct k8s_resources){.n = n, .v = out};
}

static void set_taints(struct check_world *world, struct check_node *out,
                       const struct k8s_taint *taints, uint32_t n,
                       const struct karp_nodeclaim *starting, bool cordoned)
{
    struct k8s_taint *kept = ARENA_ARRAY(world->arena, struct k8s_taint, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        bool startup = false;
        for (uint32_t j = 0; starting != NULL && j < starting->n_startup_taints; j++) {
            startup = startup || (starting->startup_taints[j].key == taints[i].key &&
                                  starting->startup_taints[j].effect == taints[i].effect);
        }
        if (starting == NULL || (!startup && !is_ephemeral(world, &taints[i]))) {
            kept[out->n_taints++] = taints[i];
        }
    }
    strid key = strtab_find(world->tab, STR("node.kubernetes.io/unschedulable"));
    if (cordoned) {
        kept[out->n_taints++] = (struct k8s_taint){.key = key == STRID_NONE ? STRID_EMPTY : key,
                                                   .value = STRID_EMPTY,
                                                   .effect = K8S_NO_SCHEDULE};
    }
    out->taints = kept;
}

static void load_attach_limits(struct check_world *world, struct check_node *node)
{
    for (uint32_t i = 0; i < world->cluster->n_csi_nodes; i++) {
        const struct k8s_csi_node *csi = &world->cluster->csi_nodes[i];
        if (!str_eq(csi->meta.name, node->name)) {
            continue;
        }
        struct cat_attach_limit *limits =
            ARENA_ARRAY(world->arena, struct cat_attach_limit, csi->n_drivers);
        for (uint32_t d = 0; d < csi->n_drivers; d++) {
            if (csi->drivers[d].count.has) {
                limits[node->n_limits++] = (struct cat_attach_limit){
                    .driver = csi->drivers[d].driver, .count = csi->drivers[d].count.v};
            }
        }
        node->limits = limits;
        return;
    }
}

/* A claim whose instance has not said what it has is good for what it was asked for. */
static const struct k8s_resources *claim_alloc(const struct karp_nodeclaim *claim)
{
    return claim->allocatable.n == 0 ? &claim->requests : &claim->allocatable;
}

static void load_node(struct check_world *world, const struct k8s_node *node,
                      const struct karp_nodeclaim *claim, struct check_node *out)
{
    *out =
        (struct check_node){.name = node->meta.name, .managed = claim != NULL, .pool = STRID_EMPTY};
    out->initialized =
        claim == NULL || is_true(world, &node->meta.labels, world->words->initialized);
    bool registered = claim == NULL || is_true(world, &node->meta.labels, world->words->registered);
    out->deleting = node->meta.deleted.has || (claim != NULL && claim_going(world, claim));
    out->alloc = node->allocatable;
    out->capacity = node->capacity.n > 0 ? node->capacity : node->allocatable;
    uint32_t n = node->meta.labels.n, more = claim == NULL ? 0 : claim->meta.labels.n;
    struct k8s_pair *labels = ARENA_ARRAY(world->arena, struct k8s_pair, n + more);
    uint32_t n_labels = 0;
    for (uint32_t i = 0; !registered && i < more; i++) {
        labels[n_labels++] = claim->meta.labels.v[i];
    }
    for (uint32_t i = 0; i < n; i++) {
        labels[n_labels++] = node->meta.labels.v[i];
    }
    out->labels = check_labels(world, labels, n_labels, node->meta.name);
    bool starting = claim != NULL && !out->initialized;
    if (starting) {
        out->alloc = with_claim(world, &out->alloc, claim_alloc(claim));
        out->capacity = with_claim(world, &out->capacity, &claim->capacity);
    }
    set_taints(world, out, starting && !registered ? claim->taints : node->taints,
               starting && !registered ? claim->n_taints : node->n_taints, starting ? claim : NULL,
               node->unschedulable && !(starting && !registered));
    strid pool = k8s_pairs_get(&out->labels, world->words->nodepool);
    out->pool = pool == STRID_NONE ? STRID_EMPTY : pool;
    load_attach_limits(world, out);
}

static void load_in_flight(struct check_world *world, const struct karp_nodeclaim *claim,
                           struct check_node *out)
{
    *out = (struct check_node){.name = claim->meta.name, .managed = true, .pool = STRID_EMPTY};
    out->deleting = claim_going(world, claim);
    out->alloc = *claim_alloc(claim);
    out->capacity = claim->capacity.n > 0 ? claim->capacity : out->alloc;
    uint32_t n = claim->meta.labels.n;
    struct k8s_pair *labels = ARENA_ARRAY(world->arena, struct k8s_pair, n + claim->n_requirements);
    for (uint32_t i = 0; i < n; i++) {
        labels[i] = claim->meta.labels.v[i];
    }
    for (uint32_t i = 0; i < claim->n_requirements; i++) {
        const struct k8s_requirement *r = &claim->requirements[i];
        if (r->op == K8S_IN && r->values.n == 1) {
            labels[n++] = (struct k8s_pair){.key = r->key, .value = r->values.v[0]};
        }
    }
    out->labels = check_labels(world, labels, n, claim->meta.name);
    out->taints = claim->taints;
    out->n_taints = claim->n_taints;
    strid pool = k8s_pairs_get(&out->labels, world->words->nodepool);
    out->pool = pool == STRID_NONE ? STRID_EMPTY : pool;
}

static void load_running(struct check_world *world)
{
    const struct k8s_cluster *c = world->cluster;
    if (world->plan->mode == PLAN_REPACK) {
        return;
    }
    struct check_index by_provider;
    index_init(world, &by_provider, c->n_nodeclaims);
    bool *used = ARENA_ARRAY(world->arena, bool, c->n_nodeclaims);
    for (uint32_t i = 0; i < c->n_nodeclaims; i++) {
        if (c->nodeclaims[i].provider_id.n > 0) {
            index_add(world, &by_provider, STR_EMPTY, c->nodeclaims[i].provider_id, i);
        }
    }
    for (uint32_t i = 0; i < c->n_nodes; i++) {
        uint32_t claim_i =
            c->nodes[i].provider_id.n == 0
                ? UINT32_MAX
                : check_index_find(world, &by_provider, STR_EMPTY, c->nodes[i].provider_id);
        if (claim_i != UINT32_MAX) {
            used[claim_i] = true;
        }
        load_node(world, &c->nodes[i], claim_i == UINT32_MAX ? NULL : &c->nodeclaims[claim_i],
                  &world->nodes[world->n_nodes]);
        index_add(world, &world->running, STR_EMPTY, c->nodes[i].meta.name, world->n_nodes++);
    }
    for (uint32_t i = 0; i < c->n_nodeclaims; i++) {
        if (!used[i]) {
            load_in_flight(world, &c->nodeclaims[i], &world->nodes[world->n_nodes]);
            index_add(world, &world->running, STR_EMPTY, c->nodeclaims[i].meta.name,
                      world->n_nodes++);
        }
    }
    world->n_running = world->n_nodes;
}

/* Nodes that the plan disrupts are on their way out. */
static void take_away(struct check_world *world)
{
    const struct plan_disruption *d = world->plan->disruption;
    for (uint32_t c = 0; d != NULL && c < d->n_commands; c++) {
        for (uint32_t i = 0; i < d->commands[c].n_nodes; i++) {
            if (d->commands[c].nodes[i] < world->cluster->n_nodes) {
                world->nodes[d->commands[c].nodes[i]].deleting = true;
            }
        }
    }
}

uint32_t check_find_node(const struct check_world *world, struct str name)
{
    uint32_t i = check_index_find(world, &world->running, STR_EMPTY, name);
    return i == UINT32_MAX || world->nodes[i].deleting ? UINT32_MAX : i;
}

/* ---- pods ---- */

static void load_kinds(struct check_world *world)
{
    const struct k8s_cluster *c = world->cluster;
    struct kind_key {
        strid ns;
        uint32_t kind, next;
    };
    /* The last chain is of shapes that the cluster does not list: those of virtual pods. */
    uint32_t *head = ARENA_ARRAY(world->arena, uint32_t, c->n_shapes + 1);
    struct kind_key *keys = ARENA_ARRAY(world->arena, struct kind_key, c->n_pods + 1);
    world->kinds = ARENA_ARRAY(world->arena, struct check_kind, c->n_pods);
    world->kind_of = ARENA_ARRAY(world->arena, uint32_t, c->n_pods);
    world->node_of = ARENA_ARRAY(world->arena, uint32_t, c->n_pods);
    uint32_t n_keys = 1;
    for (uint32_t i = 0; i < c->n_pods; i++) {
        const struct k8s_pod *pod = &c->pods[i];
        uint32_t chain = pod->shape->id < c->n_shapes ? pod->shape->id : c->n_shapes;
        uint32_t k = head[chain];
        while (k != 0 &&
               (keys[k].ns != pod->ns || world->kinds[keys[k].kind].shape != pod->shape)) {
            k = keys[k].next;
        }
        if (k == 0) {
            struct check_kind *kind = &world->kinds[world->n_kinds];
            kind->ns = pod->ns;
            kind->shape = pod->shape;
            check_requests(world, pod->shape, &kind->requests);
            kind->relates = pod->shape->n_affinity + pod->shape->n_anti_affinity > 0;
            for (uint32_t s = 0; s < pod->shape->n_spread; s++) {
                kind->spreads = kind->spreads || !pod->shape->spread[s].schedule_anyway;
            }
            keys[n_keys] =
                (struct kind_key){.ns = pod->ns, .kind = world->n_kinds++, .next = head[chain]};
            head[chain] = k = n_keys++;
        }
        world->kind_of[i] = keys[k].kind;
        world->node_of[i] =
            pod->node_name.n == 0 || world->n_running == 0
                ? UINT32_MAX
                : check_index_find(world, &world->running, STR_EMPTY, pod->node_name);
    }
}

static bool finished(const struct k8s_pod *pod)
{
    return pod->phase == K8S_SUCCEEDED || pod->phase == K8S_FAILED;
}

bool check_pod_needs_place(const struct check_world *world, uint32_t pod_i)
{
    const struct k8s_pod *pod = &world->cluster->pods[pod_i];
    if (k8s_pod_of_daemonset(world->words, pod->shape) ||
        k8s_pod_is_static(world->words, pod->shape) || finished(pod)) {
        return false;
    }
    if (pod->node_name.n == 0 && pod->shape->n_scheduling_gates > 0) {
        return false;
    }
    if (world->plan->mode == PLAN_REPACK) {
        return !pod->deleted.has && pod->shape->n_scheduling_gates == 0;
    }
    if (pod->node_name.n > 0) {
        uint32_t node = world->node_of[pod_i];
        bool movable = !pod->deleted.has || k8s_pod_of_statefulset(world->words, pod->shape);
        return node != UINT32_MAX && world->nodes[node].deleting && movable;
    }
    if (pod->nominated_node_name.n > 0) {
        return false;
    }
    return !pod->has_status || (pod->scheduled_status == world->words->s_false &&
                                pod->scheduled_reason == world->words->unschedulable);
}

bool check_refuses_managed(const struct check_world *world, uint32_t pod_i)
{
    const struct k8s_pod_shape *shape = world->cluster->pods[pod_i].shape;
    for (uint32_t i = 0; i < shape->n_node_terms; i++) {
        bool refuses = false;
        for (uint32_t j = 0; j < shape->node_terms[i].n_expressions; j++) {
            const struct k8s_requirement *e = &shape->node_terms[i].expressions[j];
            refuses = refuses || (e->key == world->words->nodepool && e->op == K8S_DOES_NOT_EXIST);
        }
        if (!refuses) {
            return false;
        }
    }
    return shape->n_node_terms > 0;
}

static void occupy_bound(struct check_world *world)
{
    for (uint32_t i = 0; i < world->cluster->n_pods; i++) {
        if (world->node_of[i] != UINT32_MAX && !finished(&world->cluster->pods[i])) {
            check_occupy(world, i, &world->nodes[world->node_of[i]]);
        }
    }
}

/* ---- daemons:
 * https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations ----
 */

static const struct k8s_pod_shape *daemon_shape(struct check_world *world,
                                                const struct k8s_pod_shape *template)
{
    static const struct {
        struct str key;
        enum k8s_effect effect;
    } rows[] = {
        {STR("node.kubernetes.io/not-ready"), K8S_NO_EXECUTE},
        {STR("node.kubernetes.io/unreachable"), K8S_NO_EXECUTE},
        {STR("node.kubernetes.io/disk-pressure"), K8S_NO_SCHEDULE},
        {STR("node.kubernetes.io/memory-pressure"), K8S_NO_SCHEDULE},
        {STR("node.kubernetes.io/pid-pressure"), K8S_NO_SCHEDULE},
        {STR("node.kubernetes.io/unschedulable"), K8S_NO_SCHEDULE},
    };
    enum { N = sizeof rows / sizeof rows[0] };
    struct k8s_pod_shape *shape = ARENA_NEW(world->arena, struct k8s_pod_shape);
    *shape = *template;
    struct k8s_toleration *list =
        ARENA_ARRAY(world->arena, struct k8s_toleration, template->n_tolerations + N);
    uint32_t n = 0;
    for (uint32_t i = 0; i < template->n_tolerations; i++) {
        list[n++] = template->tolerations[i];
    }
    for (size_t i = 0; i < N; i++) {
        strid key = strtab_find(world->tab, rows[i].key);
        if (key != STRID_NONE) {
            list[n++] = (struct k8s_toleration){
                .key = key, .value = STRID_EMPTY, .op = K8S_EXISTS, .effect = rows[i].effect};
        }
    }
    shape->tolerations = list;
    shape->n_tolerations = n;
    return shape;
}

static void load_daemons(struct check_world *world)
{
    const struct k8s_cluster *c = world->cluster;
    world->daemons = ARENA_ARRAY(world->arena, struct check_daemon, c->n_workloads);
    struct check_index sets;
    index_init(world, &sets, c->n_workloads);
    for (uint32_t i = 0; i < c->n_workloads; i++) {
        const struct k8s_workload *w = &c->workloads[i];
        if (w->kind == K8S_DAEMONSET && !w->meta.deleted.has) {
            struct check_daemon *d = &world->daemons[world->n_daemons];
            d->set = w;
            d->shape = daemon_shape(world, w->template_shape);
            check_requests(world, w->template_shape, &d->requests);
            d->n_ports = w->template_shape->n_host_ports;
            d->ports = w->template_shape->host_ports;
            index_add(world, &sets, strtab_str(world->tab, w->meta.ns), w->meta.name,
                      world->n_daemons++);
        }
    }
    /* The newest real pod knows best what one takes (a vertical autoscaler may have changed it). */
    uint32_t *newest = ARENA_ARRAY(world->arena, uint32_t, world->n_daemons);
    for (uint32_t i = 0; i < c->n_pods; i++) {
        const struct k8s_pod *pod = &c->pods[i];
        if (!k8s_pod_of_daemonset(world->words, pod->shape)) {
            continue;
        }
        uint32_t d =
            check_index_find(world, &sets, strtab_str(world->tab, pod->ns), pod->owner_name);
        if (d == UINT32_MAX) {
            continue;
        }
        wall_t mine = pod->created.has ? pod->created.v : INT64_MIN;
        wall_t best = newest[d] != 0 && c->pods[newest[d] - 1].created.has
                          ? c->pods[newest[d] - 1].created.v
                          : INT64_MIN;
        if (newest[d] == 0 || mine > best) {
            newest[d] = i + 1;
            check_requests(world, pod->shape, &world->daemons[d].requests);
        }
    }
}

static bool daemon_runs(const struct check_world *world, const struct check_daemon *daemon,
                        const struct check_node *node)
{
    return check_match_pairs(world, daemon->shape, &node->labels, node->name) &&
           check_untolerated(daemon->shape->tolerations, daemon->shape->n_tolerations, node->taints,
                             node->n_taints) == NULL;
}

/* Room for the daemon pods that will come to each node and are not there yet. */
static void reserve_daemons(struct check_world *world)
{
    struct check_amounts *bound = ARENA_ARRAY(world->arena, struct check_amounts, world->n_running);
    for (uint32_t i = 0; i < world->cluster->n_pods; i++) {
        const struct k8s_pod *pod = &world->cluster->pods[i];
        if (world->node_of[i] != UINT32_MAX && !finished(pod) &&
            k8s_pod_of_daemonset(world->words, pod->shape)) {
            const struct check_amounts *r = &world->kinds[world->kind_of[i]].requests;
            for (uint32_t k = 0; k < r->n; k++) {
                (void)check_amounts_add(&bound[world->node_of[i]], r->v[k].resource, r->v[k].value);
            }
        }
    }
    for (uint32_t i = 0; i < world->n_nodes; i++) {
        struct check_node *node = &world->nodes[i];
        struct check_amounts want = {0};
        for (uint32_t d = 0; d < world->n_daemons; d++) {
            if (!daemon_runs(world, &world->daemons[d], node)) {
                continue;
            }
            const struct check_daemon *daemon = &world->daemons[d];
            for (uint32_t k = 0; k < daemon->requests.n; k++) {
                (void)check_amounts_add(&want, daemon->requests.v[k].resource,
                                        daemon->requests.v[k].value);
            }
            for (uint32_t k = 0; node->planned != NULL && k < daemon->n_ports; k++) {
                check_add_port(world, node, &daemon->ports[k]);
            }
        }
        for (uint32_t k = 0; k < want.n; k++) {
            int64_t there =
                i < world->n_running ? check_amounts_get(&bound[i], want.v[k].resource) : 0;
            if (want.v[k].value > there) {
                (void)check_amounts_add(&node->used, want.v[k].resource, want.v[k].value - there);
            }
        }
    }
}

bool check_world_build(const struct plan *plan, const struct check_settings *settings,
                       struct arena *arena, struct check_world *ret_world, struct err *err)
{
    const struct k8s_cluster *c = plan->cluster;
    struct check_world world = {.plan = plan,
                                .cluster = c,
                                .catalog = plan->catalog,
                                .settings = settings,
                                .tab = c->tab,
                                .words = &c->words,
                                .arena = arena,
                                .slots = check_slots_new(arena),
                                .names = strtab_new(arena)};
    world.nodes =
        ARENA_ARRAY(arena, struct check_node, (size_t)c->n_nodes + c->n_nodeclaims + plan->n_nodes);
    index_init(&world, &world.claims, c->n_pvcs);
    index_init(&world, &world.volumes, c->n_pvs);
    index_init(&world, &world.running, c->n_nodes + c->n_nodeclaims);
    for (uint32_t i = 0; i < c->n_pvcs; i++) {
        index_add(&world, &world.claims, strtab_str(c->tab, c->pvcs[i].meta.ns),
                  c->pvcs[i].meta.name, i);
    }
    for (uint32_t i = 0; i < c->n_pvs; i++) {
        index_add(&world, &world.volumes, STR_EMPTY, c->pvs[i].meta.name, i);
    }
    load_running(&world);
    take_away(&world);
    load_kinds(&world);
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        if (!check_node_of_plan(&world, &plan->nodes[i], &world.nodes[world.n_nodes], err)) {
            return false;
        }
        world.n_nodes++;
    }
    load_daemons(&world);
    occupy_bound(&world);
    reserve_daemons(&world);
    *ret_world = world;
    return true;
}
