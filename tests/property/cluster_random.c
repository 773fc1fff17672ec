/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/property/cluster_model.h"

const char *const kind_names[N_KINDS] = {
    [KIND_SELECT] = "select",
    [KIND_TAINTS] = "taints",
    [KIND_ZONE_SPREAD] = "zone-spread",
    [KIND_HOST_SPREAD] = "host-spread",
    [KIND_ZONE_AFFINITY] = "zone-affinity",
    [KIND_HOST_AFFINITY] = "host-affinity",
    [KIND_ZONE_ANTI] = "zone-anti",
    [KIND_HOST_ANTI] = "host-anti",
    [KIND_VOLUMES] = "volumes",
    [KIND_ATTACH] = "attach",
    [KIND_PORTS] = "ports",
    [KIND_LIMITS] = "limits",
    [KIND_WEIGHTS] = "weights",
    [KIND_EXISTING] = "existing",
    [KIND_DAEMONS] = "daemons",
    [KIND_CAPACITY] = "capacity",
};

static bool one_in(struct rng *rng, uint32_t n)
{
    return rng_below(rng, n) == 0;
}

static bool has(const struct instance *at, enum kind kind)
{
    return ((at->kinds >> kind) & 1U) != 0;
}

/* A set of 1..n-1 of n, or of n when n is 1. */
static uint32_t some_of(struct rng *rng, uint32_t n)
{
    return n == 1 ? 1 : 1 + rng_below(rng, (1U << n) - 2);
}

static uint32_t all_of(uint32_t n)
{
    return (1U << n) - 1;
}

static void make_types(struct rng *rng, struct instance *at)
{
    static const uint32_t sizes[] = {1, 2, 2, 4, 4, 8};
    at->n_zones = one_in(rng, 5) ? 2 : 3;
    at->n_types = 1 + rng_below(rng, MAX_TYPES);
    for (uint32_t t = 0; t < at->n_types; t++) {
        struct type *type = &at->types[t];
        type->cpu = sizes[rng_below(rng, 6)];
        type->memory = type->cpu * 1024 * (1 + rng_below(rng, 3));
        type->pods = one_in(rng, 5) ? 3 : 20;
        type->attach = has(at, KIND_ATTACH) ? 1 + rng_below(rng, 4) : 30;
        uint32_t price = type->cpu * (30 + rng_below(rng, 25)) + type->memory / 256;
        for (uint32_t z = 0; z < at->n_zones; z++) {
            for (uint32_t c = 0; c < MAX_CAPS; c++) {
                uint32_t share = c == 0 ? 95 + rng_below(rng, 10) : 30 + rng_below(rng, 60);
                type->price[z][c] = price * share / 100 + 1;
                type->sold_out[z][c] = has(at, KIND_CAPACITY) && one_in(rng, 5);
            }
        }
    }
}

static void make_pools(struct rng *rng, struct instance *at)
{
    at->n_pools = has(at, KIND_WEIGHTS) || has(at, KIND_TAINTS) || one_in(rng, 4) ? 2 : 1;
    for (uint32_t p = 0; p < at->n_pools; p++) {
        struct pool *pool = &at->pools[p];
        *pool = (struct pool){.zones = all_of(at->n_zones), .caps = all_of(MAX_CAPS)};
        pool->weight = has(at, KIND_WEIGHTS) ? 1 + rng_below(rng, 3) * 10 : 0;
        pool->tainted = has(at, KIND_TAINTS) && one_in(rng, 2);
        pool->ssd = has(at, KIND_SELECT) && one_in(rng, 2);
        if ((has(at, KIND_SELECT) || has(at, KIND_WEIGHTS)) && one_in(rng, 4)) {
            pool->zones = some_of(rng, at->n_zones);
        }
        if (has(at, KIND_CAPACITY) && one_in(rng, 3)) {
            pool->caps = some_of(rng, MAX_CAPS);
        }
        if (has(at, KIND_LIMITS)) {
            pool->limit_cpu = one_in(rng, 2) ? 1 + rng_below(rng, 12) : 0;
            pool->limit_nodes = pool->limit_cpu == 0 || one_in(rng, 4) ? 1 + rng_below(rng, 4) : 0;
        }
    }
}

static void make_running(struct rng *rng, struct instance *at)
{
    at->n_running = has(at, KIND_EXISTING) ? 1 + rng_below(rng, MAX_RUNNING) : 0;
    for (uint32_t i = 0; i < at->n_running; i++) {
        struct running *node = &at->running[i];
        *node = (struct running){.zone = rng_below(rng, at->n_zones),
                                 .cap = rng_below(rng, MAX_CAPS),
                                 .cpu = 500 * (1 + rng_below(rng, 6)),
                                 .memory = 1024 * (1 + rng_below(rng, 4)),
                                 .pods = one_in(rng, 4) ? 3 : 10,
                                 .attach = has(at, KIND_ATTACH) ? rng_below(rng, 3) : UINT32_MAX,
                                 .tainted = has(at, KIND_TAINTS) && one_in(rng, 3),
                                 .ssd = has(at, KIND_SELECT) && one_in(rng, 2)};
        for (uint32_t w = 0; w < at->n_workloads; w++) {
            node->n[w] = one_in(rng, 3) && node->cpu >= 1500 ? 1 : 0;
        }
    }
}

static void make_workloads(struct rng *rng, struct instance *at)
{
    at->n_workloads = 1 + rng_below(rng, 3) + (one_in(rng, 6) ? 1 : 0);
    at->n_pods = at->n_workloads + rng_below(rng, MAX_PODS - at->n_workloads + 1);
    for (uint32_t w = 0; w < at->n_workloads; w++) {
        at->workloads[w] = (struct workload){
            .n = 1, .cpu = 250 * (1 + rng_below(rng, 7)), .memory = 256 * (1 + rng_below(rng, 8))};
    }
    for (uint32_t n = at->n_workloads; n < at->n_pods; n++) {
        at->workloads[rng_below(rng, at->n_workloads)].n++;
    }
}

static struct node_term random_term(struct rng *rng, const struct instance *at)
{
    struct node_term term = {.zones = all_of(at->n_zones), .caps = all_of(MAX_CAPS)};
    uint32_t choice = rng_below(rng, has(at, KIND_SELECT) ? 6 : 1);
    if (choice == 0 && has(at, KIND_CAPACITY)) {
        term.caps = some_of(rng, MAX_CAPS);
    } else if (choice <= 2) {
        term.zones = some_of(rng, at->n_zones);
        term.zones_by_not_in = one_in(rng, 2);
    } else if (choice == 3) {
        term.cpu_above = 1 + rng_below(rng, 3);
    } else if (choice == 4) {
        term.ssd = true;
    } else {
        term.zones = some_of(rng, at->n_zones);
        term.cpu_above = 1 + rng_below(rng, 2);
    }
    return term;
}

/* Whom a rule of workload w counts: mostly itself, or another, or several. */
static uint32_t random_targets(struct rng *rng, const struct instance *at, uint32_t w)
{
    switch (rng_below(rng, 5)) {
    case 0:
        return 1U << rng_below(rng, at->n_workloads);
    case 1:
        return (1U << w) | (1U << rng_below(rng, at->n_workloads));
    case 2:
        return one_in(rng, 2) ? all_of(at->n_workloads) : 1U << w;
    default:
        return 1U << w;
    }
}

static void add_rule(struct rng *rng, struct instance *at, uint32_t w, enum rule_kind kind,
                     enum key key)
{
    struct workload *workload = &at->workloads[w];
    struct rule rule = {.kind = kind, .key = key, .targets = random_targets(rng, at, w)};
    if (kind == RULE_SPREAD) {
        rule.max_skew = 1 + rng_below(rng, 2);
        rule.min_domains = key == KEY_ZONE && one_in(rng, 4) ? 1 + rng_below(rng, 4) : 0;
        rule.honor_taints = has(at, KIND_TAINTS) && one_in(rng, 3);
    }
    workload->rules[workload->n_rules++] = rule;
}

/* Gives the kind to one workload at least; others get it with a chance. */
static void decorate(struct rng *rng, struct instance *at, enum kind kind)
{
    static const struct {
        enum kind kind;
        enum rule_kind rule;
        enum key key;
    } rules[] = {{KIND_ZONE_SPREAD, RULE_SPREAD, KEY_ZONE},
                 {KIND_HOST_SPREAD, RULE_SPREAD, KEY_HOST},
                 {KIND_ZONE_AFFINITY, RULE_TOGETHER, KEY_ZONE},
                 {KIND_HOST_AFFINITY, RULE_TOGETHER, KEY_HOST},
                 {KIND_ZONE_ANTI, RULE_APART, KEY_ZONE},
                 {KIND_HOST_ANTI, RULE_APART, KEY_HOST}};
    uint32_t must = rng_below(rng, at->n_workloads);
    uint32_t port = 8000 + rng_below(rng, 2);
    for (uint32_t w = 0; w < at->n_workloads; w++) {
        struct workload *workload = &at->workloads[w];
        if (w != must && !one_in(rng, 3)) {
            continue;
        }
        for (uint32_t r = 0; r < sizeof rules / sizeof rules[0]; r++) {
            if (rules[r].kind == kind) {
                add_rule(rng, at, w, rules[r].rule, rules[r].key);
            }
        }
        if (kind == KIND_TAINTS) {
            workload->tolerates = true;
        } else if (kind == KIND_SELECT ||
                   (kind == KIND_CAPACITY && workload->n_terms == 0 && one_in(rng, 2))) {
            workload->n_terms = one_in(rng, 4) ? 2 : 1;
            workload->terms[0] = random_term(rng, at);
            workload->terms[1] = random_term(rng, at);
        } else if (kind == KIND_CAPACITY && one_in(rng, 2)) {
            add_rule(rng, at, w, RULE_SPREAD, KEY_CAP);
        } else if (kind == KIND_PORTS) {
            workload->port = port;
            workload->udp = one_in(rng, 4);
        } else if (kind == KIND_VOLUMES) {
            workload->shares_claim = one_in(rng, 3);
            workload->volume_zones = workload->shares_claim ? 0 : some_of(rng, at->n_zones);
            workload->volume_is_unbound = one_in(rng, 3);
        } else if (kind == KIND_ATTACH) {
            workload->n_attach = 1 + rng_below(rng, 2);
        }
    }
}

void instance_random(struct rng *rng, uint32_t kinds, struct instance *ret_instance)
{
    struct instance *at = ret_instance;
    *at = (struct instance){.seed = rng->state, .kinds = kinds};
    make_types(rng, at);
    make_pools(rng, at);
    make_workloads(rng, at);
    for (uint32_t kind = 0; kind < N_KINDS; kind++) {
        if (has(at, (enum kind)kind)) {
            decorate(rng, at, (enum kind)kind);
        }
    }
    make_running(rng, at);
    if (has(at, KIND_DAEMONS)) {
        at->daemon =
            (struct daemon){.exists = true,
                            .tolerates = one_in(rng, 2),
                            .cpu = 100 * (1 + rng_below(rng, 6)),
                            .caps = one_in(rng, 3) ? some_of(rng, MAX_CAPS) : all_of(MAX_CAPS)};
    }
}
