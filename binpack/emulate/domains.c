/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/emulate/domains.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "base/vec.h"
#include "binpack/scheduling/topology.h"

#include <string.h>

#define NO_VALUE UINT32_MAX

/* A topology key other than the host name. */
struct axis {
    strid key;
    uint32_t n_values;
    const strid *values;               /* by text */
    const uint32_t *of_cell, *of_node; /* NO_VALUE: without the label */
};

/* A rule with its counts. */
struct group {
    const struct sched_rule *rule;
    uint32_t host_i, axis_i;      /* the other is NO_VALUE */
    uint32_t *counted, *carriers; /* [n_values] */
    uint32_t *base_counted, *base_carriers;
    uint32_t n_counted, base_n; /* host affinity: pods counted anywhere */
    const uint64_t *eligible;   /* spread: [n_values] */
    const uint64_t *cells;      /* spread: cells that its filter lets through */
};

struct emu_domains {
    const struct emu_asks *asks;
    uint32_t n_cells, n_hosts, n_axes, max_values;
    struct axis *axes;
    struct group *groups;     /* [rules.n] */
    uint64_t *here, *allowed; /* [max_values] work space */
    bool wide;                /* every value that the rule allows, not Karpenter's choice of one */
};

/* ---- set up */

typedef VEC(strid) strid_list;

static void add_value(struct arena *arena, const struct strtab *tab, strid_list *list, strid value)
{
    if (value == STRID_NONE) {
        return;
    }
    size_t at = list->n;
    while (at > 0 && strtab_cmp(tab, list->v[at - 1], value) > 0) {
        at--;
    }
    if (at > 0 && list->v[at - 1] == value) {
        return;
    }
    VEC_PUSH(arena, list, value);
    for (size_t i = list->n - 1; i > at; i--) {
        list->v[i] = list->v[i - 1];
    }
    list->v[at] = value;
}

static uint32_t value_index(const struct axis *axis, strid value)
{
    for (uint32_t i = 0; i < axis->n_values && value != STRID_NONE; i++) {
        if (axis->values[i] == value) {
            return i;
        }
    }
    return NO_VALUE;
}

static void make_axis(const struct emu_domains *d, strid key, struct arena *arena,
                      struct axis *ret_axis)
{
    const struct sched_offers *o = d->asks->base->offers;
    const struct sched_snapshot *s = o->snapshot;
    strid_list list = {0};
    for (uint32_t c = 0; c < o->n_cells; c++) {
        add_value(arena, s->tab, &list, sched_cell_label(o, &o->cells[c], key));
    }
    for (uint32_t n = 0; n < s->n_nodes; n++) {
        add_value(arena, s->tab, &list, sched_label(s->vocab, &s->nodes[n].labels, key));
    }
    *ret_axis = (struct axis){.key = key, .n_values = (uint32_t)list.n, .values = list.v};
    uint32_t *of_cell = ARENA_ARRAY(arena, uint32_t, o->n_cells);
    uint32_t *of_node = ARENA_ARRAY(arena, uint32_t, s->n_nodes);
    for (uint32_t c = 0; c < o->n_cells; c++) {
        of_cell[c] = value_index(ret_axis, sched_cell_label(o, &o->cells[c], key));
    }
    for (uint32_t n = 0; n < s->n_nodes; n++) {
        of_node[n] = value_index(ret_axis, sched_label(s->vocab, &s->nodes[n].labels, key));
    }
    ret_axis->of_cell = of_cell;
    ret_axis->of_node = of_node;
}

static void count_spread(const struct emu_domains *d, struct group *g, struct arena *arena)
{
    const struct emu_asks *a = d->asks;
    const struct sched_offers *o = a->base->offers;
    const struct axis *axis = &d->axes[g->axis_i];
    const struct sched_group_value *values = NULL;
    uint32_t n = 0;
    uint64_t *eligible = ARENA_ARRAY(arena, uint64_t, bits_words(axis->n_values) + 1);
    uint64_t *cells = ARENA_ARRAY(arena, uint64_t, bits_words(o->n_cells));
    sched_spread_values(o->snapshot, o, &a->needs, g->rule, arena, &values, &n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t v = value_index(axis, values[i].value);
        g->base_counted[v] += values[i].base;
        if (values[i].eligible) {
            bits_set(eligible, v);
        }
    }
    sched_cells_filtered(o, &a->needs.v[g->rule->filter_need], g->rule->affinity_honor,
                         g->rule->taints_honor, arena, cells);
    g->eligible = eligible;
    g->cells = cells;
}

static void count_others(const struct emu_domains *d, struct group *g)
{
    const struct axis *axis = &d->axes[g->axis_i];
    for (uint32_t n = 0; n < d->asks->base->snapshot->n_nodes; n++) {
        uint32_t v = axis->of_node[n];
        if (v != NO_VALUE) {
            g->base_counted[v] += g->rule->targets_at == NULL ? 0 : g->rule->targets_at[n];
            g->base_carriers[v] += g->rule->carriers_at == NULL ? 0 : g->rule->carriers_at[n];
        }
    }
}

static uint32_t axis_of(struct emu_domains *d, strid key, struct arena *arena)
{
    uint32_t at = 0;
    while (at < d->n_axes && d->axes[at].key != key) {
        at++;
    }
    if (at == d->n_axes) {
        make_axis(d, key, arena, &d->axes[at]);
        d->n_axes++;
        d->max_values = d->axes[at].n_values > d->max_values ? d->axes[at].n_values : d->max_values;
    }
    return at;
}

static void make_group(struct emu_domains *d, const struct sched_rule *rule, struct arena *arena,
                       struct group *g)
{
    const struct sched_snapshot *s = d->asks->base->snapshot;
    *g = (struct group){.rule = rule, .host_i = NO_VALUE, .axis_i = NO_VALUE};
    for (uint32_t n = 0; n < s->n_nodes && rule->targets_at != NULL; n++) {
        g->base_n += rule->targets_at[n];
    }
    if (rule->key == s->words->hostname) {
        g->host_i = d->n_hosts++;
        return;
    }
    g->axis_i = axis_of(d, rule->key, arena);
    const uint32_t n = d->axes[g->axis_i].n_values;
    g->counted = ARENA_ARRAY(arena, uint32_t, n);
    g->carriers = ARENA_ARRAY(arena, uint32_t, n);
    g->base_counted = ARENA_ARRAY(arena, uint32_t, n);
    g->base_carriers = ARENA_ARRAY(arena, uint32_t, n);
    if (rule->kind == SCHED_SPREAD && rule->filter_need != SCHED_NONE) {
        count_spread(d, g, arena);
    } else {
        count_others(d, g);
    }
}

struct emu_domains *emu_domains_new(const struct emu_asks *asks, bool wide, struct arena *arena)
{
    struct emu_domains *d = ARENA_NEW(arena, struct emu_domains);
    *d = (struct emu_domains){.asks = asks, .n_cells = asks->base->offers->n_cells, .wide = wide};
    d->axes = ARENA_ARRAY(arena, struct axis, asks->rules.n);
    d->groups = ARENA_ARRAY(arena, struct group, asks->rules.n);
    for (uint32_t r = 0; r < asks->rules.n; r++) {
        make_group(d, &asks->rules.v[r], arena, &d->groups[r]);
    }
    d->here = ARENA_ARRAY(arena, uint64_t, bits_words(d->max_values) + 1);
    d->allowed = ARENA_ARRAY(arena, uint64_t, bits_words(d->max_values) + 1);
    emu_domains_reset(d);
    return d;
}

void emu_domains_reset(struct emu_domains *d)
{
    for (uint32_t r = 0; r < d->asks->rules.n; r++) {
        struct group *g = &d->groups[r];
        g->n_counted = g->base_n;
        for (uint32_t v = 0; g->axis_i != NO_VALUE && v < d->axes[g->axis_i].n_values; v++) {
            g->counted[v] = g->base_counted[v];
            g->carriers[v] = g->base_carriers[v];
        }
    }
}

struct emu_host_count *emu_domains_host(const struct emu_domains *d, uint32_t node_i,
                                        struct arena *arena)
{
    struct emu_host_count *host = ARENA_ARRAY(arena, struct emu_host_count, d->n_hosts);
    for (uint32_t r = 0; r < d->asks->rules.n && node_i != SCHED_NONE; r++) {
        const struct group *g = &d->groups[r];
        const struct sched_rule *rule = g->rule;
        if (g->host_i == NO_VALUE) {
            continue;
        }
        if (rule->kind == SCHED_SPREAD && rule->filter_need != SCHED_NONE) {
            host[g->host_i].counted =
                sched_spread_at(d->asks->base->snapshot, &d->asks->needs, rule, node_i);
        } else {
            host[g->host_i].counted = rule->targets_at == NULL ? 0 : rule->targets_at[node_i];
        }
        host[g->host_i].carriers = rule->carriers_at == NULL ? 0 : rule->carriers_at[node_i];
    }
    return host;
}

/* ---- may a pod go there? */

static bool host_admits(const struct group *g, const struct emu_host_count *host,
                        const struct emu_rule_use *use)
{
    const struct emu_host_count *at = &host[g->host_i];
    switch (g->rule->kind) {
    case SCHED_SPREAD:
        return !use->carries || at->counted + use->counted <= g->rule->max_skew;
    case SCHED_TOGETHER:
        return !use->carries || at->counted > 0 || (use->counted && g->n_counted == 0);
    case SCHED_APART:
        break;
    }
    return (!use->carries || at->counted == 0) &&
           (!use->counted || !g->rule->required || at->carriers == 0);
}

/* The least count over the values that take part; 0 while there are fewer than minDomains. */
static uint32_t least(const struct group *g, uint32_t n_values)
{
    uint32_t min = UINT32_MAX, n = 0;
    for (uint32_t v = 0; v < n_values; v++) {
        if (bits_get(g->eligible, v)) {
            min = g->counted[v] < min ? g->counted[v] : min;
            n++;
        }
    }
    return n == 0 || n < g->rule->min_domains ? 0 : min;
}

/* Of the values in d->here the emptiest that keeps the skew. */
static void choose_spread(const struct emu_domains *d, const struct group *g,
                          const struct emu_rule_use *use)
{
    const uint32_t n = d->axes[g->axis_i].n_values;
    const uint32_t min = least(g, n);
    uint32_t best = NO_VALUE;
    for (uint32_t v = 0; v < n; v++) {
        if (bits_get(d->here, v) && bits_get(g->eligible, v) &&
            g->counted[v] + use->counted <= min + g->rule->max_skew) {
            best = best == NO_VALUE || g->counted[v] < g->counted[best] ? v : best;
            if (d->wide) {
                bits_set(d->allowed, v);
            }
        }
    }
    if (best != NO_VALUE) {
        bits_set(d->allowed, best);
    }
}

/* Values that hold a pod it must join; a pod that may join itself opens the first value there is as
 * long as none of the others holds one. */
static void choose_together(const struct emu_domains *d, const struct group *g,
                            const struct emu_rule_use *use)
{
    const uint32_t n = d->axes[g->axis_i].n_values;
    uint32_t populated = 0;
    for (uint32_t v = 0; v < n; v++) {
        populated += g->counted[v] > 0;
        if (bits_get(d->here, v) && g->counted[v] > 0) {
            bits_set(d->allowed, v);
        }
    }
    bool starts = populated == 0 && use->counted;
    for (uint32_t v = 0; v < n && starts; v++) {
        if (bits_get(d->here, v)) {
            bits_set(d->allowed, v);
            starts = d->wide;
        }
    }
}

static void choose_apart(const struct emu_domains *d, const struct group *g,
                         const struct emu_rule_use *use)
{
    for (uint32_t v = 0; v < d->axes[g->axis_i].n_values; v++) {
        if (bits_get(d->here, v) && (!use->carries || g->counted[v] == 0) &&
            (!use->counted || !g->rule->required || g->carriers[v] == 0)) {
            bits_set(d->allowed, v);
        }
    }
}

/* Does the rule ask anything of a pod with this part in it? */
static bool is_asked(const struct sched_rule *rule, const struct emu_rule_use *use)
{
    return use->carries || (use->counted && rule->kind == SCHED_APART && rule->required);
}

static void choose(const struct emu_domains *d, const struct group *g,
                   const struct emu_rule_use *use)
{
    memset(d->allowed, 0, (bits_words(d->max_values) + 1) * sizeof *d->allowed);
    switch (g->rule->kind) {
    case SCHED_SPREAD:
        choose_spread(d, g, use);
        break;
    case SCHED_TOGETHER:
        choose_together(d, g, use);
        break;
    case SCHED_APART:
        choose_apart(d, g, use);
        break;
    }
}

bool emu_domains_admit_node(const struct emu_domains *d, uint32_t node_i,
                            const struct emu_host_count *host, uint32_t need_i)
{
    for (uint32_t u = d->asks->first_use[need_i]; u < d->asks->first_use[need_i + 1]; u++) {
        const struct emu_rule_use *use = &d->asks->uses[u];
        const struct group *g = &d->groups[use->rule_i];
        if (!is_asked(g->rule, use)) {
            continue;
        }
        if (g->host_i != NO_VALUE) {
            if (!host_admits(g, host, use)) {
                return false;
            }
            continue;
        }
        uint32_t value = d->axes[g->axis_i].of_node[node_i];
        if (value == NO_VALUE) {
            if (g->rule->kind != SCHED_APART) {
                return false;
            }
            continue;
        }
        memset(d->here, 0, (bits_words(d->max_values) + 1) * sizeof *d->here);
        bits_set(d->here, value);
        choose(d, g, use);
        if (!bits_get(d->allowed, value)) {
            return false;
        }
    }
    return true;
}

/* The values of the axis among the cells, into d->here; returns how many. */
static uint32_t values_of(const struct emu_domains *d, const struct axis *axis,
                          const uint64_t *cells)
{
    uint32_t n = 0;
    memset(d->here, 0, (bits_words(d->max_values) + 1) * sizeof *d->here);
    for (size_t c = bits_next(cells, d->n_cells, 0); c < d->n_cells;
         c = bits_next(cells, d->n_cells, c + 1)) {
        uint32_t v = axis->of_cell[c];
        if (v != NO_VALUE && !bits_get(d->here, v)) {
            bits_set(d->here, v);
            n++;
        }
    }
    return n;
}

static bool narrow(const struct emu_domains *d, const struct group *g, uint64_t *cells)
{
    const struct axis *axis = &d->axes[g->axis_i];
    bool any = false;
    for (size_t c = bits_next(cells, d->n_cells, 0); c < d->n_cells;
         c = bits_next(cells, d->n_cells, c + 1)) {
        uint32_t v = axis->of_cell[c];
        bool stays = v == NO_VALUE ? g->rule->kind == SCHED_APART : bits_get(d->allowed, v);
        if (stays) {
            any = true;
        } else {
            bits_clear(cells, c);
        }
    }
    return any;
}

bool emu_domains_admit_claim(const struct emu_domains *d, const struct emu_host_count *host,
                             uint32_t need_i, const uint64_t *cells, uint64_t *ret_cells)
{
    for (uint32_t u = d->asks->first_use[need_i]; u < d->asks->first_use[need_i + 1]; u++) {
        const struct emu_rule_use *use = &d->asks->uses[u];
        const struct group *g = &d->groups[use->rule_i];
        if (!is_asked(g->rule, use)) {
            continue;
        }
        if (g->host_i != NO_VALUE) {
            if (!host_admits(g, host, use)) {
                return false;
            }
            continue;
        }
        (void)values_of(d, &d->axes[g->axis_i], cells);
        choose(d, g, use);
        if (!narrow(d, g, ret_cells)) {
            return false;
        }
    }
    return true;
}

/* ---- counting */

/* Does a spread rule count pods of this claim? Its filter must let through what is left of it. */
static bool passes_filter(const struct emu_domains *d, const struct group *g, uint32_t node_i,
                          const uint64_t *cells)
{
    const struct sched_rule *rule = g->rule;
    if (rule->kind != SCHED_SPREAD || rule->filter_need == SCHED_NONE) {
        return true;
    }
    if (cells == NULL) {
        const struct sched_snapshot *s = d->asks->base->snapshot;
        return sched_node_admits(s, &s->nodes[node_i], &d->asks->needs.v[rule->filter_need],
                                 rule->affinity_honor, rule->taints_honor);
    }
    return g->cells == NULL || bits_intersects(g->cells, cells, bits_words(d->n_cells));
}

/* `step` is 1, or -1 modulo 2^32. */
static void record_values(const struct emu_domains *d, struct group *g, uint32_t n_here,
                          const struct emu_rule_use *use, uint32_t step)
{
    const bool apart = g->rule->kind == SCHED_APART;
    for (uint32_t v = 0; v < d->axes[g->axis_i].n_values; v++) {
        if (!bits_get(d->here, v)) {
            continue;
        }
        g->counted[v] += use->counted && (apart || n_here == 1) ? step : 0;
        g->carriers[v] += use->carries && apart ? step : 0;
    }
}

static void count(struct emu_domains *d, uint32_t node_i, const uint64_t *cells,
                  struct emu_host_count *host, uint32_t need_i, uint32_t step)
{
    for (uint32_t u = d->asks->first_use[need_i]; u < d->asks->first_use[need_i + 1]; u++) {
        const struct emu_rule_use *use = &d->asks->uses[u];
        struct group *g = &d->groups[use->rule_i];
        if (!passes_filter(d, g, node_i, cells)) {
            continue;
        }
        if (g->host_i != NO_VALUE) {
            host[g->host_i].counted += use->counted ? step : 0;
            host[g->host_i].carriers += use->carries ? step : 0;
            g->n_counted += use->counted ? step : 0;
            continue;
        }
        const struct axis *axis = &d->axes[g->axis_i];
        uint32_t n = 0;
        if (cells != NULL) {
            n = values_of(d, axis, cells);
        } else {
            memset(d->here, 0, (bits_words(d->max_values) + 1) * sizeof *d->here);
            if (axis->of_node[node_i] != NO_VALUE) {
                bits_set(d->here, axis->of_node[node_i]);
                n = 1;
            }
        }
        record_values(d, g, n, use, step);
    }
}

void emu_domains_record(struct emu_domains *d, uint32_t node_i, const uint64_t *cells,
                        struct emu_host_count *host, uint32_t need_i)
{
    count(d, node_i, cells, host, need_i, 1);
}

void emu_domains_take_back(struct emu_domains *d, uint32_t node_i, const uint64_t *cells,
                           struct emu_host_count *host, uint32_t need_i)
{
    count(d, node_i, cells, host, need_i, UINT32_MAX);
}

/* ---- counts that come back */

struct emu_domains_counts {
    uint32_t *n_counted;            /* [rules.n] */
    uint32_t **counted, **carriers; /* [rules.n][n_values] */
};

struct emu_domains_counts *emu_domains_save(const struct emu_domains *d, struct arena *arena)
{
    const uint32_t n_rules = d->asks->rules.n;
    struct emu_domains_counts *saved = ARENA_NEW(arena, struct emu_domains_counts);
    *saved = (struct emu_domains_counts){.n_counted = ARENA_ARRAY(arena, uint32_t, n_rules),
                                         .counted = ARENA_ARRAY(arena, uint32_t *, n_rules),
                                         .carriers = ARENA_ARRAY(arena, uint32_t *, n_rules)};
    for (uint32_t r = 0; r < n_rules; r++) {
        const struct group *g = &d->groups[r];
        const uint32_t n = g->axis_i == NO_VALUE ? 0 : d->axes[g->axis_i].n_values;
        saved->n_counted[r] = g->n_counted;
        saved->counted[r] = ARENA_ARRAY(arena, uint32_t, n);
        saved->carriers[r] = ARENA_ARRAY(arena, uint32_t, n);
        for (uint32_t v = 0; v < n; v++) {
            saved->counted[r][v] = g->counted[v];
            saved->carriers[r][v] = g->carriers[v];
        }
    }
    return saved;
}

void emu_domains_restore(struct emu_domains *d, const struct emu_domains_counts *saved)
{
    for (uint32_t r = 0; r < d->asks->rules.n; r++) {
        struct group *g = &d->groups[r];
        const uint32_t n = g->axis_i == NO_VALUE ? 0 : d->axes[g->axis_i].n_values;
        g->n_counted = saved->n_counted[r];
        for (uint32_t v = 0; v < n; v++) {
            g->counted[v] = saved->counted[r][v];
            g->carriers[v] = saved->carriers[r][v];
        }
    }
}

uint32_t emu_domains_n_hosts(const struct emu_domains *d)
{
    return d->n_hosts;
}
