/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/classes.h"

#include "base/arena.h"
#include "base/vec.h"
#include "binpack/scheduling/prefs.h"
#include "binpack/scheduling/volumes.h"

/* Alternatives of one need; above it the object is refused rather than planned for wrongly. */
enum { ALTERNATIVES_MAX = 4096 };

/* How far one pod has gone down. */
struct step {
    uint32_t rung, tier;
    bool loose;
};

struct needs_builder {
    const struct sched_snapshot *s;
    struct arena *arena;
    struct strtab *keys; /* what tells needs apart -> need + 1 */
    VEC(struct sched_need) needs;
    uint32_t
        *last_of_shape; /* [n_shapes] the last need of that shape without volumes, SCHED_NONE */
};

typedef VEC(struct sched_req) req_list;
typedef VEC(struct sched_conj) conj_list;

static void add_selector(const struct needs_builder *b, const struct k8s_pod_shape *shape,
                         req_list *reqs)
{
    for (uint32_t i = 0; i < shape->node_selector.n; i++) {
        const struct k8s_pair *pair = &shape->node_selector.v[i];
        VEC_PUSH(b->arena, reqs, sched_req_is(b->s->vocab, b->arena, pair->key, pair->value));
    }
}

static void add_expressions(const struct needs_builder *b, const struct k8s_node_term *term,
                            req_list *reqs)
{
    for (uint32_t i = 0; i < term->n_expressions; i++) {
        VEC_PUSH(b->arena, reqs, sched_req_of(b->s->vocab, b->arena, &term->expressions[i]));
    }
    for (uint32_t i = 0; i < term->n_fields; i++) {
        VEC_PUSH(b->arena, reqs, sched_req_of_field(b->s->vocab, b->arena, &term->fields[i]));
    }
}

/* Node selector and required node affinity, with `more` (a preferred term, or NULL) on top. */
static conj_list node_alternatives(const struct needs_builder *b, const struct k8s_pod_shape *shape,
                                   const struct k8s_node_term *more)
{
    conj_list list = {0};
    uint32_t n = shape->has_required_node_terms ? shape->n_node_terms : 1;
    for (uint32_t t = 0; t < n; t++) {
        req_list reqs = {0};
        add_selector(b, shape, &reqs);
        if (shape->has_required_node_terms) {
            const struct k8s_node_term *term = &shape->node_terms[t];
            if (term->n_expressions + term->n_fields == 0) {
                continue; /* An empty term matches nothing. */
            }
            add_expressions(b, term, &reqs);
        }
        if (more != NULL) {
            add_expressions(b, more, &reqs);
        }
        VEC_PUSH(b->arena, &list, (struct sched_conj){.n = (uint32_t)reqs.n, .v = reqs.v});
    }
    return list;
}

/* Each alternative with each of the volumes' alternatives. */
static conj_list with_volumes(const struct needs_builder *b, const conj_list *nodes,
                              const struct sched_pod_volumes *volumes)
{
    if (volumes == NULL || volumes->n_alternatives == 0) {
        return *nodes;
    }
    conj_list list = {0};
    for (size_t i = 0; i < nodes->n; i++) {
        for (uint32_t k = 0; k < volumes->n_alternatives && list.n < ALTERNATIVES_MAX; k++) {
            req_list reqs = {0};
            for (uint32_t r = 0; r < nodes->v[i].n; r++) {
                VEC_PUSH(b->arena, &reqs, nodes->v[i].v[r]);
            }
            for (uint32_t r = 0; r < volumes->alternatives[k].n; r++) {
                VEC_PUSH(b->arena, &reqs, volumes->alternatives[k].v[r]);
            }
            VEC_PUSH(b->arena, &list, (struct sched_conj){.n = (uint32_t)reqs.n, .v = reqs.v});
        }
    }
    return list;
}

int32_t sched_priority_of(const struct k8s_cluster *cluster, const struct k8s_pod_shape *shape)
{
    if (shape->priority.has) {
        return shape->priority.v;
    }
    int32_t value = 0;
    for (uint32_t i = 0; i < cluster->n_priority_classes; i++) {
        const struct k8s_priority_class *class = &cluster->priority_classes[i];
        if (shape->priority_class != STRID_EMPTY && shape->priority_class != STRID_NONE) {
            if (str_eq(class->meta.name, strtab_str(cluster->tab, shape->priority_class))) {
                return class->value;
            }
        } else if (class->global_default) {
            value = class->value;
        }
    }
    return value;
}

static bool in_force(const struct sched_ladder *ladder, uint32_t dropped, enum sched_soft kind,
                     uint32_t term_i)
{
    for (uint32_t i = dropped; i < ladder->n; i++) {
        if (ladder->rungs[i].kind == kind && ladder->rungs[i].term_i == term_i) {
            return true;
        }
    }
    return false;
}

static void set_terms(const struct needs_builder *b, const struct sched_ladder *ladder,
                      struct sched_need *need)
{
    const struct k8s_pod_shape *shape = need->shape;
    VEC(struct sched_term_use) terms = {0};
    VEC(struct sched_spread_use) spread = {0};
    for (uint32_t i = 0; i < shape->n_affinity; i++) {
        VEC_PUSH(b->arena, &terms,
                 (struct sched_term_use){.term = &shape->affinity[i], .required = true});
    }
    for (uint32_t i = 0; i < shape->n_anti_affinity; i++) {
        VEC_PUSH(b->arena, &terms,
                 (struct sched_term_use){
                     .term = &shape->anti_affinity[i], .anti = true, .required = true});
    }
    for (uint32_t i = 0; i < shape->n_preferred_affinity; i++) {
        if (in_force(ladder, need->rung, SCHED_SOFT_AFFINITY, i)) {
            VEC_PUSH(b->arena, &terms,
                     (struct sched_term_use){.term = &shape->preferred_affinity[i]});
        }
    }
    for (uint32_t i = 0; i < shape->n_preferred_anti_affinity; i++) {
        if (in_force(ladder, need->rung, SCHED_SOFT_ANTI_AFFINITY, i)) {
            VEC_PUSH(
                b->arena, &terms,
                (struct sched_term_use){.term = &shape->preferred_anti_affinity[i], .anti = true});
        }
    }
    for (uint32_t i = 0; i < shape->n_spread; i++) {
        bool required = !shape->spread[i].schedule_anyway;
        if (required || in_force(ladder, need->rung, SCHED_SOFT_SPREAD, i)) {
            VEC_PUSH(b->arena, &spread,
                     (struct sched_spread_use){.spread = &shape->spread[i], .required = required});
        }
    }
    need->terms = terms.v;
    need->n_terms = (uint32_t)terms.n;
    need->spread = spread.v;
    need->n_spread = (uint32_t)spread.n;
}

/* Attachments of the pod's own volumes by driver, and the claims it shares with others. */
static void set_volumes(const struct needs_builder *b, const struct sched_pod_volumes *volumes,
                        struct sched_need *need)
{
    VEC(struct cat_attach_limit) attach = {0};
    VEC(struct sched_claim_use) claims = {0};
    for (uint32_t i = 0; volumes != NULL && i < volumes->n_attachments; i++) {
        const struct sched_attachment *a = &volumes->attachments[i];
        if (sched_volume_shared(b->s->volumes, a->volume)) {
            bool zonal = false;
            for (uint32_t k = 0; k < volumes->n_unbound; k++) {
                zonal = zonal || volumes->unbound[k] == a->volume;
            }
            VEC_PUSH(
                b->arena, &claims,
                (struct sched_claim_use){.driver = a->driver, .volume = a->volume, .zonal = zonal});
            continue;
        }
        size_t k = 0;
        while (k < attach.n && attach.v[k].driver != a->driver) {
            k++;
        }
        if (k == attach.n) {
            VEC_PUSH(b->arena, &attach, (struct cat_attach_limit){.driver = a->driver});
        }
        attach.v[k].count++;
    }
    need->attach = attach.v;
    need->n_attach = (uint32_t)attach.n;
    need->claims = claims.v;
    need->n_claims = (uint32_t)claims.n;
}

static bool make_need(struct needs_builder *b, uint32_t pending_i, struct step step,
                      struct sched_need *ret_need, struct err *err)
{
    const struct sched_snapshot *s = b->s;
    const struct k8s_pod *pod = &s->cluster->pods[s->pending[pending_i]];
    const struct k8s_pod_shape *shape = pod->shape;
    const struct sched_pod_volumes *volumes = s->volumes_of[pending_i];
    struct sched_ladder ladder =
        sched_ladder_of(b->arena, shape, s->any_prefer_no_schedule, s->settings.ignore_preferences);
    uint32_t dropped = step.rung < ladder.n ? step.rung : ladder.n;
    struct sched_need need = {.shape = shape,
                              .ns = pod->ns,
                              .pod = s->pending[pending_i],
                              .rung = dropped,
                              .last_rung = dropped == ladder.n,
                              .prefer_taints = sched_ladder_taints_count(&ladder, dropped),
                              .priority = sched_priority_of(s->cluster, shape),
                              .loose = step.loose,
                              .from = s->pods[s->pending[pending_i]].from,
                              .tier = step.tier,
                              .requests = sched_requests_of(s, shape, b->arena),
                              .n_tolerations = shape->n_tolerations,
                              .tolerations = shape->tolerations,
                              .n_ports = shape->n_host_ports,
                              .ports = shape->host_ports};
    conj_list nodes = node_alternatives(b, shape, sched_ladder_node_term(&ladder, shape, dropped));
    conj_list all = with_volumes(b, &nodes, volumes);
    if (all.n >= ALTERNATIVES_MAX) {
        return err_set(err, ERR_LIMIT,
                       "Pod " STR_FMT "/" STR_FMT
                       ": node affinity and volumes give %zu alternatives, at most %d",
                       STR_ARG(strtab_str(s->tab, pod->ns)), STR_ARG(pod->name), all.n,
                       ALTERNATIVES_MAX);
    }
    need.alternatives = all.v;
    need.n_alternatives = (uint32_t)all.n;
    conj_list strict = node_alternatives(b, shape, NULL);
    need.topology_alternatives = strict.v;
    need.n_topology_alternatives = (uint32_t)strict.n;
    set_terms(b, &ladder, &need);
    set_volumes(b, volumes, &need);
    *ret_need = need;
    return true;
}

/* The bytes that tell needs apart. */
static struct str need_key(const struct needs_builder *b, uint32_t pending_i, struct step step,
                           struct strbuf *out)
{
    const struct sched_snapshot *s = b->s;
    const struct k8s_pod *pod = &s->cluster->pods[s->pending[pending_i]];
    const struct sched_pod_volumes *volumes = s->volumes_of[pending_i];
    const void *shape = pod->shape;
    uint32_t numbers[5] = {pod->ns, step.rung, step.tier, step.loose,
                           s->pods[s->pending[pending_i]].from};
    strbuf_add(out, (struct str){.p = (const char *)&shape, .n = sizeof shape});
    strbuf_add(out, (struct str){.p = (const char *)numbers, .n = sizeof numbers});
    if (volumes != NULL) {
        sched_volumes_signature(volumes, out);
        for (uint32_t i = 0; i < volumes->n_attachments; i++) {
            uint32_t volume = volumes->attachments[i].volume;
            if (sched_volume_shared(s->volumes, volume)) {
                strbuf_add(out, (struct str){.p = (const char *)&volume, .n = sizeof volume});
            }
        }
    }
    return strbuf_str(out);
}

static bool need_of(struct needs_builder *b, uint32_t pending_i, struct step step,
                    uint32_t *ret_need, struct err *err)
{
    const struct sched_snapshot *s = b->s;
    const struct k8s_pod *pod = &s->cluster->pods[s->pending[pending_i]];
    const struct k8s_pod_shape *shape = pod->shape;
    bool plain = s->volumes_of[pending_i] == NULL && shape->id < s->cluster->n_shapes;
    if (plain && b->last_of_shape[shape->id] != SCHED_NONE) {
        uint32_t last = b->last_of_shape[shape->id];
        const struct sched_need *need = &b->needs.v[last];
        if (need->shape == shape && need->ns == pod->ns && need->rung == step.rung &&
            need->loose == step.loose && need->tier == step.tier &&
            need->from == s->pods[s->pending[pending_i]].from) {
            *ret_need = last;
            return true;
        }
    }
    struct arena_mark mark = arena_mark(b->arena);
    struct strbuf key = strbuf_new(b->arena, 1024 * 1024);
    struct str bytes = need_key(b, pending_i, step, &key);
    strid id = strtab_find(b->keys, bytes);
    if (id == STRID_NONE) {
        id = strtab_add(b->keys, bytes);
        struct sched_need need;
        if (!make_need(b, pending_i, step, &need, err)) {
            return false;
        }
        VEC_PUSH(b->arena, &b->needs, need);
    } else {
        arena_rewind(b->arena, mark);
    }
    *ret_need = id - 1;
    if (plain) {
        b->last_of_shape[shape->id] = *ret_need;
    }
    return true;
}

bool sched_needs_new(const struct sched_snapshot *snapshot, const struct sched_descent *descent,
                     struct arena *arena, struct sched_needs *ret_needs, struct err *err)
{
    struct needs_builder b = {.s = snapshot, .arena = arena, .keys = strtab_new(arena)};
    b.last_of_shape = ARENA_ARRAY(arena, uint32_t, snapshot->cluster->n_shapes);
    for (uint32_t i = 0; i < snapshot->cluster->n_shapes; i++) {
        b.last_of_shape[i] = SCHED_NONE;
    }
    uint32_t *of_pod = ARENA_ARRAY(arena, uint32_t, snapshot->n_pending);
    for (uint32_t i = 0; i < snapshot->n_pending; i++) {
        if (descent->rung[i] == SCHED_RUNG_OUT) {
            of_pod[i] = SCHED_NONE;
            continue;
        }
        struct step step = {.rung = descent->rung[i],
                            .tier = descent->tier[i],
                            .loose = descent->loose != NULL && descent->loose[i]};
        if (!need_of(&b, i, step, &of_pod[i], err)) {
            return false;
        }
        b.needs.v[of_pod[i]].n_pods++;
    }
    *ret_needs = (struct sched_needs){.n = (uint32_t)b.needs.n, .v = b.needs.v, .of_pod = of_pod};
    return true;
}
