/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/lifecycle/gc.h"

#include <stdlib.h>

#include "awsapi/service_ec2.h"

enum {
    GC_MS = 2 * 60 * 1000, /* (karp: nodeclaim.garbagecollection) */
    FIRST_MS = 30 * 1000,  /* after the start */
    AGAIN_MS = 30 * 1000,  /* after a list that failed */
    PAGE_INSTANCES = 1000, /* (karp-aws: MaxResults) */
    INSTANCES_MAX = 100 * 1000,
    LISTS = 2,         /* that must agree */
    TERMINATE_MAX = 50 /* in one call; the others when the next list is read */
};

/* ---- the list ---- */

static void ask(struct lifecycle *l, const struct lifecycle_view *view, struct str token)
{
    static const char *const alive[] = {"pending", "running", "stopping", "stopped",
                                        "shutting-down"};
    enum { N_ALIVE = sizeof alive / sizeof alive[0] };
    struct arena *arena = view->out->arena;
    struct ec2_describe_instances_request *request =
        ARENA_NEW(arena, struct ec2_describe_instances_request);
    struct ec2_filter *filters = ARENA_ARRAY(arena, struct ec2_filter, 2);
    struct str *values = ARENA_ARRAY(arena, struct str, 1 + N_ALIVE);
    values[0] = view->cluster.name;
    for (size_t i = 0; i < N_ALIVE; i++) {
        values[1 + i] = str_of(alive[i]);
    }
    filters[0] = (struct ec2_filter){.name = STR("tag:eks:eks-cluster-name"),
                                     .values = {.v = values, .n = 1}};
    filters[1] = (struct ec2_filter){.name = STR("instance-state-name"),
                                     .values = {.v = values + 1, .n = N_ALIVE}};
    request->filters.v = filters;
    request->filters.n = 2;
    request->max_results = (struct opt_i64){.has = true, .v = PAGE_INSTANCES};
    request->next_token = str_copy(arena, token);
    l->gc.id = ++*view->last_id;
    VEC_PUSH(arena, &view->out->v,
             ((struct action){.type = ACTION_CALL,
                              .id = l->gc.id,
                              .operation = &aws_ec2_describe_instances,
                              .request = request}));
}

static struct str tag_of(const struct ec2_instance *instance, const char *key)
{
    for (size_t i = 0; i < instance->tags.n; i++) {
        if (str_eq(instance->tags.v[i].key, str_of(key))) {
            return instance->tags.v[i].value;
        }
    }
    return STR_EMPTY;
}

static struct aws_instance instance_of(const struct ec2_instance *instance, struct arena *arena)
{
    const size_t n = instance->security_groups.n;
    struct str *groups = ARENA_ARRAY(arena, struct str, n);
    for (size_t i = 0; i < n; i++) {
        groups[i] = str_copy(arena, instance->security_groups.v[i].group_id);
    }
    return (struct aws_instance){.id = str_copy(arena, instance->instance_id),
                                 .subnet_id = str_copy(arena, instance->subnet_id),
                                 .n_groups = (uint32_t)n,
                                 .groups = groups};
}

/* False: more than there can be. */
static bool take_page(struct lifecycle *l, const struct ec2_describe_instances_result *page)
{
    for (size_t i = 0; i < page->reservations.n; i++) {
        for (size_t k = 0; k < page->reservations.v[i].instances.n; k++) {
            const struct ec2_instance *instance = &page->reservations.v[i].instances.v[k];
            if (l->gc.seen.n == INSTANCES_MAX) {
                return false;
            }
            VEC_PUSH(&l->gc.arena, &l->gc.seen,
                     ((struct gc_instance){
                         .of = instance_of(instance, &l->gc.arena),
                         .claim_uid = str_copy(&l->gc.arena, tag_of(instance, CLAIM_UID_TAG)),
                         .going = instance->state != NULL &&
                                  str_eq(instance->state->name, STR("shutting-down"))}));
        }
    }
    return true;
}

static int by_id(const void *a, const void *b)
{
    return str_cmp(((const struct gc_instance *)a)->of.id, ((const struct gc_instance *)b)->of.id);
}

static bool is_listed(const struct lifecycle *l, struct str id)
{
    const struct gc_instance wanted = {.of = {.id = id}};
    return l->gc.seen.n > 0 &&
           bsearch(&wanted, l->gc.seen.v, l->gc.seen.n, sizeof wanted, by_id) != NULL;
}

/* ---- claims without instance ---- */

static bool node_is_ready(const struct lifecycle_view *view, const struct karp_nodeclaim *claim)
{
    const struct k8s_node *node = life_node(view, claim->provider_id);
    const struct k8s_condition *ready =
        node == NULL ? NULL : k8s_conditions_find(&node->conditions, view->vocab->words->ready);
    return ready != NULL && ready->status == view->vocab->words->s_true;
}

/* As long as EC2 may take to show what it has launched, and a list more. */
static bool is_old(const struct lifecycle_view *view, const struct karp_nodeclaim *claim)
{
    const strid launched = strtab_find(view->tab, STR("Launched"));
    const struct k8s_condition *condition =
        launched == STRID_NONE ? NULL : k8s_conditions_find(&claim->conditions, launched);
    return condition != NULL && condition->status == view->vocab->words->s_true &&
           condition->changed.has && view->now.wall - condition->changed.v > UNSEEN_MS;
}

static void look_at_claims(struct lifecycle *l, const struct lifecycle_view *view)
{
    for (size_t i = 0; i < l->lives.n; i++) {
        struct life *life = &l->lives.v[i];
        const struct karp_nodeclaim *claim = life_claim(view, life);
        if (claim == NULL || claim->provider_id.n == 0 || !is_old(view, claim) ||
            is_listed(l, life_instance_id(claim->provider_id)) || node_is_ready(view, claim)) {
            life->n_missing = 0;
            continue;
        }
        life->n_missing++;
        if (life->n_missing < LISTS) {
            continue;
        }
        life->none = true; /* nothing to drain, nothing to terminate */
        if (life->wait == LIFE_FREE && !claim->meta.deleted.has) {
            l->counts.n_collected++;
            life_end(view, life, claim, "garbage_collected");
        } else if (life->wait == LIFE_FREE) {
            life->due = view->now.mono;
        }
    }
}

/* ---- instances without claim ---- */

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* UIDs of all claims, sorted. */
static const struct str *uids_of(const struct lifecycle_view *view, uint32_t *ret_n)
{
    const uint32_t n = k8s_state_count(view->state, STORE_NODECLAIMS);
    struct str *uids = ARENA_ARRAY(view->out->arena, struct str, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        const struct karp_nodeclaim *claim = k8s_state_at(view->state, STORE_NODECLAIMS, i);
        uids[i] = claim->meta.uid;
    }
    qsort(uids, n, sizeof *uids, by_text);
    *ret_n = n;
    return uids;
}

static bool was_orphan(const struct lifecycle *l, struct str id)
{
    for (size_t i = 0; i < l->gc.orphans.n; i++) {
        if (str_eq(life_str(&l->gc.orphans.v[i]), id)) {
            return true;
        }
    }
    return false;
}

static void look_at_instances(struct lifecycle *l, const struct lifecycle_view *view)
{
    struct arena *arena = view->out->arena;
    VEC(struct life_text) orphans = {0};
    struct str *ids = ARENA_ARRAY(arena, struct str, TERMINATE_MAX);
    uint32_t n_uids = 0;
    const struct str *uids = uids_of(view, &n_uids);
    size_t n = 0;
    for (size_t i = 0; i < l->gc.seen.n; i++) {
        const struct gc_instance *instance = &l->gc.seen.v[i];
        if (instance->claim_uid.n == 0 || instance->going ||
            bsearch(&instance->claim_uid, uids, n_uids, sizeof *uids, by_text) != NULL) {
            continue;
        }
        if (was_orphan(l, instance->of.id) && n < TERMINATE_MAX) {
            ids[n++] = str_copy(arena, instance->of.id);
        }
        VEC_PUSH(arena, &orphans, life_text_of(instance->of.id));
    }
    l->gc.orphans.n = 0;
    for (size_t i = 0; i < orphans.n; i++) {
        VEC_PUSH(&l->arena, &l->gc.orphans, orphans.v[i]);
    }
    if (n > 0) {
        struct ec2_terminate_instances_request *request =
            ARENA_NEW(arena, struct ec2_terminate_instances_request);
        request->instance_ids.v = ids;
        request->instance_ids.n = n;
        l->counts.n_collected += n;
        /* Nobody waits for the end of it: what is still there is on the next list. */
        VEC_PUSH(arena, &view->out->v,
                 ((struct action){.type = ACTION_CALL,
                                  .id = ++*view->last_id,
                                  .operation = &aws_ec2_terminate_instances,
                                  .request = request}));
    }
}

/* ---- what happens ---- */

static void forget_list(struct lifecycle *l)
{
    l->gc.id = 0;
    l->gc.seen.v = NULL;
    l->gc.seen.n = 0;
    l->gc.seen.cap = 0;
    arena_reset(&l->gc.arena);
}

/* It was read to its end. */
static void keep_list(struct lifecycle *l)
{
    arena_done(&l->gc.listed_arena);
    l->gc.listed_arena = l->gc.arena;
    l->gc.listed = l->gc.seen.v;
    l->gc.n_listed = (uint32_t)l->gc.seen.n;
    l->gc.arena = ARENA_INIT;
}

void gc_restart(struct lifecycle *l)
{
    forget_list(l);
    arena_reset(&l->gc.listed_arena);
    l->gc.n_listed = 0;
    l->gc.due = 0;
    l->gc.orphans.n = 0;
}

static void finish(struct lifecycle *l, const struct lifecycle_view *view, int64_t next_ms)
{
    forget_list(l);
    l->gc.due = sat_add(view->now.mono, next_ms);
}

bool gc_answer(struct lifecycle *l, const struct lifecycle_view *view, const struct event *event)
{
    const struct ec2_describe_instances_result *page = event->reply;
    if (l->gc.id == 0 || event->type != EVENT_REPLY || event->id != l->gc.id) {
        return false;
    }
    if (page == NULL || !view->claims_known || !take_page(l, page)) {
        finish(l, view, AGAIN_MS);
    } else if (page->next_token.n > 0) {
        ask(l, view, page->next_token);
    } else {
        if (l->gc.seen.n > 0) {
            qsort(l->gc.seen.v, l->gc.seen.n, sizeof *l->gc.seen.v, by_id);
        }
        look_at_claims(l, view);
        look_at_instances(l, view);
        keep_list(l);
        finish(l, view, GC_MS);
    }
    return true;
}

void gc_step(struct lifecycle *l, const struct lifecycle_view *view)
{
    if (!view->claims_known) {
        l->gc.due = 0;
        return;
    }
    if (l->gc.due == 0) {
        l->gc.due = sat_add(view->now.mono, FIRST_MS);
    }
    if (l->gc.id == 0 && view->now.mono >= l->gc.due) {
        l->gc.due = INT64_MAX;
        ask(l, view, STR_EMPTY);
    }
}

uint32_t lifecycle_instances(const struct lifecycle *l, struct arena *arena,
                             const struct aws_instance **ret_instances)
{
    struct aws_instance *instances = ARENA_ARRAY(arena, struct aws_instance, l->gc.n_listed);
    for (uint32_t i = 0; i < l->gc.n_listed; i++) {
        const struct aws_instance *of = &l->gc.listed[i].of;
        struct str *groups = ARENA_ARRAY(arena, struct str, of->n_groups);
        for (uint32_t g = 0; g < of->n_groups; g++) {
            groups[g] = str_copy(arena, of->groups[g]);
        }
        instances[i] = (struct aws_instance){.id = str_copy(arena, of->id),
                                             .subnet_id = str_copy(arena, of->subnet_id),
                                             .n_groups = of->n_groups,
                                             .groups = groups};
    }
    *ret_instances = instances;
    return l->gc.n_listed;
}
