/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/check_moments.h"

#include "base/arena.h"

#include <assert.h>
#include <string.h>

enum { TRIES_PER_STEP = 20, TRIES_MIN = 1000 };

struct moments {
    struct replay replay;
    const uint32_t *target; /* [n_pods] node index, UINT32_MAX */
    bool *leaving;          /* [n_nodes] goes with a step that has not come yet */
    uint32_t *from;         /* [n_nodes + 1] into `of_node` */
    uint32_t *of_node;      /* pods on leaving nodes */
    bool *moved;            /* [n_pods] */
    uint32_t *waiting;      /* [n_waiting] pods that no step moves and that have no place yet */
    uint32_t n_waiting;
};

static bool runs(const struct k8s_pod *pod)
{
    return pod->phase != K8S_SUCCEEDED && pod->phase != K8S_FAILED;
}

static bool is_terminating(const struct moments *m, uint32_t pod)
{
    return m->replay.world->cluster->pods[pod].deleted.has;
}

/* ---- set-up ---- */

static void index_pods(struct moments *m)
{
    const struct check_world *world = m->replay.world;
    struct arena *arena = world->arena;
    m->from = ARENA_ARRAY(arena, uint32_t, world->n_nodes + 1);
    for (uint32_t i = 0; i < world->cluster->n_pods; i++) {
        uint32_t node = world->node_of[i];
        if (node != UINT32_MAX && m->leaving[node] && runs(&world->cluster->pods[i])) {
            m->from[node + 1]++;
        }
    }
    for (uint32_t i = 0; i < world->n_nodes; i++) {
        m->from[i + 1] += m->from[i];
    }
    m->of_node = ARENA_ARRAY(arena, uint32_t, m->from[world->n_nodes]);
    uint32_t *at = ARENA_ARRAY(arena, uint32_t, world->n_nodes + 1);
    memcpy(at, m->from, (world->n_nodes + 1) * sizeof *at);
    for (uint32_t i = 0; i < world->cluster->n_pods; i++) {
        uint32_t node = world->node_of[i];
        if (node != UINT32_MAX && m->leaving[node] && runs(&world->cluster->pods[i])) {
            m->of_node[at[node]++] = i;
        }
    }
}

/* The moment before the first step: what runs is where it is. */
static struct moments moments_new(struct check_world *world, const uint32_t *target,
                                  const struct moments_step *steps, uint32_t n_steps)
{
    struct moments m = {.target = target};
    bool *moves = ARENA_ARRAY(world->arena, bool, world->cluster->n_pods);
    replay_start(world, &m.replay);
    m.leaving = ARENA_ARRAY(world->arena, bool, world->n_nodes);
    m.moved = ARENA_ARRAY(world->arena, bool, world->cluster->n_pods);
    m.waiting = ARENA_ARRAY(world->arena, uint32_t, world->cluster->n_pods);
    for (uint32_t s = 0; s < n_steps; s++) {
        m.leaving[steps[s].node] = true;
        for (uint32_t i = 0; i < steps[s].n_pods; i++) {
            moves[steps[s].pods[i]] = true;
        }
    }
    index_pods(&m);
    replay_reset(&m.replay);
    replay_open(&m.replay, m.leaving);
    for (uint32_t i = 0; i < world->n_nodes; i++) {
        for (uint32_t k = m.from[i]; k < m.from[i + 1]; k++) {
            const uint32_t pod = m.of_node[k];
            replay_put(&m.replay, world->kind_of[pod], i, is_terminating(&m, pod));
        }
    }
    for (uint32_t i = 0; i < world->cluster->n_pods; i++) {
        if (target[i] != UINT32_MAX && !moves[i]) {
            m.waiting[m.n_waiting++] = i;
        }
    }
    return m;
}

/* ---- what happens ---- */

/* Evicts the pod if its new place takes it now. */
static bool move(struct moments *m, uint32_t pod)
{
    const struct check_world *world = m->replay.world;
    const uint32_t kind = world->kind_of[pod], home = world->node_of[pod];
    replay_take(&m->replay, kind, home, is_terminating(m, pod));
    if (replay_blocked(&m->replay, kind, m->target[pod]) != NULL) {
        replay_put(&m->replay, kind, home, is_terminating(m, pod));
        return false;
    }
    replay_place(&m->replay, kind, m->target[pod]);
    m->moved[pod] = true;
    return true;
}

static void move_back(struct moments *m, uint32_t pod)
{
    const struct check_world *world = m->replay.world;
    const uint32_t kind = world->kind_of[pod];
    replay_take_back(&m->replay, kind, m->target[pod]);
    replay_put(&m->replay, kind, world->node_of[pod], is_terminating(m, pod));
    m->moved[pod] = false;
}

static void let_in(struct moments *m)
{
    const struct check_world *world = m->replay.world;
    for (bool any = true; any;) {
        uint32_t n = 0;
        any = false;
        for (uint32_t i = 0; i < m->n_waiting; i++) {
            const uint32_t pod = m->waiting[i], kind = world->kind_of[pod];
            if (replay_blocked(&m->replay, kind, m->target[pod]) == NULL) {
                replay_place(&m->replay, kind, m->target[pod]);
                any = true;
            } else {
                m->waiting[n++] = pod;
            }
        }
        m->n_waiting = n;
    }
}

/* The node is gone, and with it the pods that go nowhere; those that a forced step has put out
 * wait.
 */
static void close_node(struct moments *m, uint32_t node)
{
    for (uint32_t k = m->from[node]; k < m->from[node + 1]; k++) {
        const uint32_t pod = m->of_node[k];
        if (m->moved[pod]) {
            continue;
        }
        replay_take(&m->replay, m->replay.world->kind_of[pod], node, is_terminating(m, pod));
        if (m->target[pod] != UINT32_MAX) {
            m->waiting[m->n_waiting++] = pod;
        }
    }
    m->leaving[node] = false;
    replay_close(&m->replay, node, m->leaving);
    let_in(m);
}

/* Evicts as many pods of the step as find their places, whoever can first; those that moved stand
 * in front. Returns how many did. */
static uint32_t drain(struct moments *m, struct moments_step *step)
{
    uint32_t n = 0;
    for (bool any = true; any;) {
        any = false;
        for (uint32_t i = n; i < step->n_pods; i++) {
            const uint32_t pod = step->pods[i];
            if (move(m, pod)) {
                memmove(&step->pods[n + 1], &step->pods[n], (i - n) * sizeof pod);
                step->pods[n++] = pod;
                any = true;
            }
        }
    }
    return n;
}

static bool try_step(struct moments *m, struct moments_step *step, bool *stuck)
{
    const uint32_t n = drain(m, step);
    if (n < step->n_pods && !step->forced) {
        for (uint32_t i = n; i < step->n_pods && stuck != NULL; i++) {
            stuck[step->pods[i]] = true;
        }
        for (uint32_t i = n; i > 0; i--) {
            move_back(m, step->pods[i - 1]);
        }
        return false;
    }
    close_node(m, step->node);
    return true;
}

bool moments_order(struct check_world *world, const uint32_t *target, struct moments_step *steps,
                   uint32_t n_steps, bool *ret_stuck)
{
    struct moments m = moments_new(world, target, steps, n_steps);
    uint32_t tries = 0, done = 0;
    let_in(&m);
    for (bool any = true; any && done < n_steps;) {
        any = false;
        for (uint32_t i = done; i < n_steps; i++) {
            if (i > done && tries++ > TRIES_PER_STEP * n_steps + TRIES_MIN) {
                break;
            }
            if (try_step(&m, &steps[i], /* stuck= */ NULL)) {
                const struct moments_step step = steps[i];
                memmove(&steps[done + 1], &steps[done], (i - done) * sizeof step);
                steps[done++] = step;
                any = true;
            }
        }
    }
    for (uint32_t i = done; i < n_steps; i++) {
        (void)try_step(&m, &steps[i], ret_stuck);
    }
    return done == n_steps;
}

/* ---- the check ---- */

static bool refuse(const struct moments *m, const struct plan_step *step, uint32_t pod_i,
                   const struct rule *rule, struct err *err)
{
    static const char *const names[] = {"topology spread", "pod affinity", "pod anti-affinity"};
    const struct check_world *world = m->replay.world;
    const struct k8s_pod *pod = &world->cluster->pods[pod_i];
    return err_set(err, ERR_INTERNAL,
                   "the step that drains node " STR_FMT " evicts pod " STR_FMT "/" STR_FMT
                   " at a moment when %s on " STR_FMT " keeps it off node " STR_FMT,
                   STR_ARG(world->cluster->nodes[step->node].meta.name),
                   STR_ARG(strtab_str(world->tab, pod->ns)), STR_ARG(pod->name), names[rule->type],
                   STR_ARG(strtab_str(world->tab, m->replay.keys.v[rule->key_i].name)),
                   STR_ARG(world->nodes[m->target[pod_i]].name));
}

static bool is_forced(const struct plan_disruption *d, const struct plan_step *step)
{
    return str_eq(d->commands[step->command_i].reason, STR("Expired"));
}

bool check_moments(struct check_world *world, const uint32_t *target, bool *stuck, struct err *err)
{
    const struct plan_disruption *d = world->plan->disruption;
    if (d == NULL || d->n_steps == 0) {
        return true;
    }
    struct moments_step *steps = ARENA_ARRAY(world->arena, struct moments_step, d->n_steps);
    for (uint32_t s = 0; s < d->n_steps; s++) {
        steps[s] =
            (struct moments_step){.node = d->steps[s].node,
                                  .n_pods = d->steps[s].n_pods,
                                  .pods = ARENA_ARRAY(world->arena, uint32_t, d->steps[s].n_pods)};
        for (uint32_t i = 0; i < d->steps[s].n_pods; i++) {
            steps[s].pods[i] = d->steps[s].pods[i];
        }
    }
    struct moments m = moments_new(world, target, steps, d->n_steps);
    if (m.replay.rules.n == 0) {
        return true;
    }
    let_in(&m);
    for (uint32_t s = 0; s < d->n_steps; s++) {
        const struct plan_step *step = &d->steps[s];
        for (uint32_t i = 0; i < step->n_pods; i++) {
            const uint32_t pod = step->pods[i], kind = world->kind_of[pod];
            if (move(&m, pod)) {
                continue;
            }
            if (!is_forced(d, step)) {
                const uint32_t home = world->node_of[pod];
                replay_take(&m.replay, kind, home, is_terminating(&m, pod));
                const struct rule *rule = replay_blocked(&m.replay, kind, target[pod]);
                assert(rule != NULL); /* `move` has just said so */
                stuck[pod] = true;
                return refuse(&m, step, pod, rule, err);
            }
        }
        close_node(&m, step->node);
    }
    return true;
}
