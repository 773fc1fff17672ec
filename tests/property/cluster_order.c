/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does a plan hold? Every node by itself, and the pods placed one after the other in some order by
 * the filters of kube-scheduler. */
#include <string.h>

#include "tests/property/cluster_brute.h"

/* ---- one node ---- */

static bool term_holds(const struct node_term *term, const struct node_view *node)
{
    return ((term->zones >> node->zone) & 1U) != 0 && ((term->caps >> node->cap) & 1U) != 0 &&
           node->cpu_label > term->cpu_above && (!term->ssd || node->ssd);
}

bool selects_node(const struct workload *w, const struct node_view *node)
{
    bool any = w->n_terms == 0;
    for (uint32_t t = 0; t < w->n_terms; t++) {
        /* "Gt" of nothing asked is "> 0", which every node is. */
        any = any || term_holds(&w->terms[t], node);
    }
    return any;
}

struct node_view view_of(const struct instance *at, const struct assigned *node)
{
    if (node->is_running) {
        const struct running *r = &at->running[node->running_i];
        return (struct node_view){r->zone, r->cap, /* cpu_label= */ 2, r->ssd, r->tainted};
    }
    const struct pool *p = &at->pools[node->pool];
    return (struct node_view){node->zone, node->cap, at->types[node->type].cpu, p->ssd, p->tainted};
}

static uint32_t daemon_cpu(const struct instance *at, const struct node_view *view)
{
    const struct daemon *d = &at->daemon;
    bool runs = d->exists && ((d->caps >> view->cap) & 1U) != 0 && (!view->tainted || d->tolerates);
    return runs ? d->cpu : 0;
}

/* Room left for pending pods; false when there is none at all. */
static bool room_of(const struct instance *at, const struct assigned *node, int64_t room[4])
{
    struct node_view view = view_of(at, node);
    uint32_t daemon = daemon_cpu(at, &view);
    if (!node->is_running) {
        const struct type *type = &at->types[node->type];
        room[0] = (int64_t)type->cpu * 1000 - daemon;
        room[1] = type->memory;
        room[2] = (int64_t)type->pods - (daemon > 0);
        room[3] = type->attach;
    } else {
        const struct running *r = &at->running[node->running_i];
        room[0] = (int64_t)r->cpu - daemon;
        room[1] = r->memory;
        room[2] = (int64_t)r->pods - (daemon > 0);
        room[3] = r->attach == UINT32_MAX ? MAX_PODS * 4 : r->attach;
        for (uint32_t w = 0; w < at->n_workloads; w++) {
            room[0] -= (int64_t)r->n[w] * RUNNING_CPU;
            room[1] -= (int64_t)r->n[w] * RUNNING_MEMORY;
            room[2] -= r->n[w];
        }
    }
    return room[0] >= 0 && room[1] >= 0 && room[2] >= 0;
}

static bool fits(const struct instance *at, const struct assigned *node)
{
    int64_t room[4];
    bool open = room_of(at, node, room);
    for (uint32_t w = 0; w < at->n_workloads; w++) {
        const struct workload *of = &at->workloads[w];
        if (node->n[w] > 0 && !open) {
            return false;
        }
        room[0] -= (int64_t)node->n[w] * of->cpu;
        room[1] -= (int64_t)node->n[w] * of->memory;
        room[2] -= node->n[w];
        room[3] -= (int64_t)node->n[w] * of->n_attach + (node->n[w] > 0 && of->shares_claim);
        if (node->n[w] > 0 && (room[0] < 0 || room[1] < 0 || room[2] < 0 || room[3] < 0)) {
            return false;
        }
    }
    return true;
}

static bool ports_clash(const struct instance *at, const struct assigned *node)
{
    for (uint32_t w = 0; w < at->n_workloads; w++) {
        const struct workload *of = &at->workloads[w];
        uint32_t n = 0;
        for (uint32_t v = 0; v < at->n_workloads && of->port > 0 && node->n[w] > 0; v++) {
            const struct workload *other = &at->workloads[v];
            if (other->port == of->port && other->udp == of->udp) {
                n += node->n[v] + (node->is_running ? at->running[node->running_i].n[v] : 0);
            }
        }
        if (n > 1) {
            return true;
        }
    }
    return false;
}

/* Two pods that may not share a host do not, whoever came first. */
static bool hosts_clash(const struct instance *at, const struct assigned *node)
{
    for (uint32_t w = 0; w < at->n_workloads; w++) {
        const struct workload *of = &at->workloads[w];
        uint32_t there = node->is_running ? at->running[node->running_i].n[w] : 0;
        for (uint32_t r = 0; r < of->n_rules && node->n[w] + there > 0; r++) {
            const struct rule *rule = &of->rules[r];
            for (uint32_t v = 0; v < at->n_workloads; v++) {
                uint32_t others =
                    node->n[v] + (node->is_running ? at->running[node->running_i].n[v] : 0);
                bool new_pair = node->n[w] > 0 || node->n[v] > 0;
                if (rule->kind == RULE_APART && rule->key == KEY_HOST && new_pair &&
                    ((rule->targets >> v) & 1U) != 0 && others > (v == w ? 1U : 0U)) {
                    return true;
                }
            }
        }
    }
    return false;
}

const char *node_fault(const struct instance *at, const struct assigned *node)
{
    struct node_view view = view_of(at, node);
    if (!node->is_running) {
        const struct pool *pool = &at->pools[node->pool];
        if (((pool->zones >> node->zone) & 1U) == 0 || ((pool->caps >> node->cap) & 1U) == 0 ||
            at->types[node->type].sold_out[node->zone][node->cap]) {
            return "cannot be bought";
        }
    }
    for (uint32_t w = 0; w < at->n_workloads; w++) {
        const struct workload *of = &at->workloads[w];
        if (node->n[w] == 0) {
            continue;
        }
        if (view.tainted && !of->tolerates) {
            return "taint";
        }
        if (!selects_node(of, &view)) {
            return "node selector";
        }
        if (of->volume_zones != 0 && ((of->volume_zones >> view.zone) & 1U) == 0) {
            return "zone of a volume";
        }
    }
    if (!fits(at, node)) {
        return "does not fit";
    }
    if (ports_clash(at, node)) {
        return "host port";
    }
    return hosts_clash(at, node) ? "anti-affinity over hosts" : NULL;
}

/* ---- an order ---- */

/* The nodes of a plan and what runs, with pods placed so far. */
struct replay {
    const struct instance *at;
    uint32_t n;
    const struct assigned *nodes; /* all running nodes first */
    struct node_view view[MAX_ASSIGNED];
    uint32_t placed[MAX_ASSIGNED][MAX_WORKLOADS]; /* running ones included */
    uint32_t domains[MAX_WORKLOADS][MAX_RULES];   /* set of eligible values */
    bool counts[MAX_WORKLOADS][MAX_RULES][MAX_ASSIGNED];
    uint8_t seen[1 << MAX_PODS]; /* states that lead nowhere; each pod at most doubles them */
};

static uint32_t value_of(const struct replay *p, uint32_t node, enum key key)
{
    return key == KEY_HOST ? node : key == KEY_ZONE ? p->view[node].zone : p->view[node].cap;
}

static bool passes_filter(const struct workload *w, const struct rule *rule,
                          const struct node_view *view)
{
    return selects_node(w, view) && (!rule->honor_taints || !view->tainted || w->tolerates);
}

uint32_t rule_domains(const struct instance *at, const struct workload *w, const struct rule *rule)
{
    uint32_t set = 0;
    for (uint32_t i = 0; i < at->n_running; i++) {
        struct assigned node = {.is_running = true, .running_i = i};
        struct node_view view = view_of(at, &node);
        if (passes_filter(w, rule, &view)) {
            set |= 1U << (rule->key == KEY_ZONE ? view.zone : view.cap);
        }
    }
    for (uint32_t p = 0; p < at->n_pools; p++) {
        for (uint32_t t = 0; t < at->n_types; t++) {
            for (uint32_t z = 0; z < at->n_zones * MAX_CAPS; z++) {
                struct assigned node = {
                    .pool = p, .type = t, .zone = z / MAX_CAPS, .cap = z % MAX_CAPS};
                struct node_view view = view_of(at, &node);
                if (!at->types[t].sold_out[node.zone][node.cap] &&
                    ((at->pools[p].zones >> node.zone) & 1U) != 0 &&
                    ((at->pools[p].caps >> node.cap) & 1U) != 0 && passes_filter(w, rule, &view)) {
                    set |= 1U << (rule->key == KEY_ZONE ? view.zone : view.cap);
                }
            }
        }
    }
    return set;
}

bool rule_counts_node(const struct workload *w, const struct rule *rule,
                      const struct node_view *view)
{
    return rule->kind != RULE_SPREAD || passes_filter(w, rule, view);
}

/* Pods of the set `targets` on nodes with that value. */
static uint32_t count_at(const struct replay *p, const bool *counts, uint32_t targets, enum key key,
                         uint32_t value)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < p->n; k++) {
        for (uint32_t v = 0; v < p->at->n_workloads; v++) {
            if (((targets >> v) & 1U) != 0 && value_of(p, k, key) == value &&
                (counts == NULL || counts[k])) {
                n += p->placed[k][v];
            }
        }
    }
    return n;
}

static bool spread_allows(const struct replay *p, uint32_t w, uint32_t r, uint32_t node)
{
    const struct rule *rule = &p->at->workloads[w].rules[r];
    const bool *counts = p->counts[w][r];
    uint32_t self = (rule->targets >> w) & 1U;
    uint32_t here = count_at(p, counts, rule->targets, rule->key, value_of(p, node, rule->key));
    uint32_t least = 0;
    if (rule->key != KEY_HOST) {
        uint32_t n_domains = 0;
        least = UINT32_MAX;
        for (uint32_t v = 0; v < MAX_ZONES; v++) {
            if (((p->domains[w][r] >> v) & 1U) != 0) {
                uint32_t n = count_at(p, counts, rule->targets, rule->key, v);
                least = n < least ? n : least;
                n_domains++;
            }
        }
        least = n_domains == 0 || n_domains < rule->min_domains ? 0 : least;
    }
    return here + self <= least + rule->max_skew;
}

/* All affinity terms of the pod together: pods that meet every one of them. */
static bool affinity_allows(const struct replay *p, uint32_t w, uint32_t node)
{
    const struct workload *of = &p->at->workloads[w];
    uint32_t targets = UINT32_MAX;
    bool any = false, missing = false;
    for (uint32_t r = 0; r < of->n_rules; r++) {
        if (of->rules[r].kind == RULE_TOGETHER) {
            targets &= of->rules[r].targets;
            any = true;
        }
    }
    for (uint32_t r = 0; any && r < of->n_rules; r++) {
        const struct rule *rule = &of->rules[r];
        missing =
            missing || (rule->kind == RULE_TOGETHER &&
                        count_at(p, NULL, targets, rule->key, value_of(p, node, rule->key)) == 0);
    }
    if (!missing) {
        return true;
    }
    uint32_t anywhere = 0;
    for (uint32_t k = 0; k < p->n; k++) {
        for (uint32_t v = 0; v < p->at->n_workloads; v++) {
            anywhere += ((targets >> v) & 1U) != 0 ? p->placed[k][v] : 0;
        }
    }
    return anywhere == 0 && ((targets >> w) & 1U) != 0;
}

static bool apart_allows(const struct replay *p, uint32_t w, uint32_t node)
{
    for (uint32_t v = 0; v < p->at->n_workloads; v++) {
        for (uint32_t r = 0; r < p->at->workloads[v].n_rules; r++) {
            const struct rule *rule = &p->at->workloads[v].rules[r];
            if (rule->kind != RULE_APART) {
                continue;
            }
            uint32_t value = value_of(p, node, rule->key);
            if ((v == w && count_at(p, NULL, rule->targets, rule->key, value) > 0) ||
                (((rule->targets >> w) & 1U) != 0 &&
                 count_at(p, NULL, 1U << v, rule->key, value) > 0)) {
                return false;
            }
        }
    }
    return true;
}

/* The first pod that uses the claim binds it to a zone, on whatever node. Those that run already
 * are no users of it. */
static bool claim_allows(const struct replay *p, uint32_t w, uint32_t node)
{
    for (uint32_t k = 0; k < p->n && p->at->workloads[w].shares_claim; k++) {
        const struct assigned *on = &p->nodes[k];
        uint32_t ran = on->is_running ? p->at->running[on->running_i].n[w] : 0;
        if (p->placed[k][w] > ran && p->view[k].zone != p->view[node].zone) {
            return false;
        }
    }
    return true;
}

static bool may_place(const struct replay *p, uint32_t w, uint32_t node)
{
    for (uint32_t r = 0; r < p->at->workloads[w].n_rules; r++) {
        if (p->at->workloads[w].rules[r].kind == RULE_SPREAD && !spread_allows(p, w, r, node)) {
            return false;
        }
    }
    return affinity_allows(p, w, node) && apart_allows(p, w, node) && claim_allows(p, w, node);
}

static bool some_order(struct replay *p, const uint32_t (*left)[MAX_WORKLOADS], uint32_t n_left)
{
    if (n_left == 0) {
        return true;
    }
    uint32_t state = 0, radix = 1;
    for (uint32_t k = 0; k < p->n; k++) {
        for (uint32_t w = 0; w < p->at->n_workloads; w++) {
            state += left[k][w] * radix;
            radix *= p->nodes[k].n[w] + 1;
        }
    }
    if (p->seen[state]) {
        return false;
    }
    p->seen[state] = 1;
    uint32_t next[MAX_ASSIGNED][MAX_WORKLOADS];
    memcpy(next, left, sizeof next);
    for (uint32_t k = 0; k < p->n; k++) {
        for (uint32_t w = 0; w < p->at->n_workloads; w++) {
            if (left[k][w] == 0 || !may_place(p, w, k)) {
                continue;
            }
            next[k][w]--;
            p->placed[k][w]++;
            bool good = some_order(p, (const uint32_t(*)[MAX_WORKLOADS])next, n_left - 1);
            p->placed[k][w]--;
            next[k][w]++;
            if (good) {
                return true;
            }
        }
    }
    return false;
}

bool order_exists(const struct instance *at, uint32_t n, const struct assigned *nodes)
{
    struct replay p = {.at = at, .n = n, .nodes = nodes};
    uint32_t left[MAX_ASSIGNED][MAX_WORKLOADS] = {{0}};
    uint32_t n_left = 0;
    for (uint32_t k = 0; k < n; k++) {
        p.view[k] = view_of(at, &nodes[k]);
        for (uint32_t w = 0; w < at->n_workloads; w++) {
            left[k][w] = nodes[k].n[w];
            n_left += nodes[k].n[w];
            p.placed[k][w] = nodes[k].is_running ? at->running[nodes[k].running_i].n[w] : 0;
        }
    }
    for (uint32_t w = 0; w < at->n_workloads; w++) {
        for (uint32_t r = 0; r < at->workloads[w].n_rules; r++) {
            const struct rule *rule = &at->workloads[w].rules[r];
            p.domains[w][r] = rule->key == KEY_HOST ? 0 : rule_domains(at, &at->workloads[w], rule);
            for (uint32_t k = 0; k < n; k++) {
                p.counts[w][r][k] = rule_counts_node(&at->workloads[w], rule, &p.view[k]);
            }
        }
    }
    return some_order(&p, (const uint32_t(*)[MAX_WORKLOADS])left, n_left);
}

bool limits_hold(const struct instance *at, uint32_t n, const struct assigned *nodes)
{
    for (uint32_t p = 0; p < at->n_pools; p++) {
        uint32_t cpu = 0, count = 0;
        for (uint32_t k = 0; k < n; k++) {
            if (!nodes[k].is_running && nodes[k].pool == p) {
                cpu += at->types[nodes[k].type].cpu;
                count++;
            }
        }
        if ((at->pools[p].limit_cpu > 0 && cpu > at->pools[p].limit_cpu) ||
            (at->pools[p].limit_nodes > 0 && count > at->pools[p].limit_nodes)) {
            return false;
        }
    }
    return true;
}

const char *plan_fault(const struct instance *at, uint32_t n, const struct assigned *nodes)
{
    for (uint32_t k = 0; k < n; k++) {
        const char *fault = node_fault(at, &nodes[k]);
        if (fault != NULL) {
            return fault;
        }
    }
    if (!limits_hold(at, n, nodes)) {
        return "limit";
    }
    return order_exists(at, n, nodes) ? NULL : "no order of placement";
}
