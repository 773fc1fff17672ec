/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/spread.h"

#include "base/arena.h"
#include "base/bitset.h"

#include <string.h>

static bool bit_of(const uint64_t *set, uint32_t i)
{
    return set != NULL && bits_get(set, i);
}

/* ------------------------------------------------------------------ tuples */

static void find_tuples(struct bp_spread *s)
{
    const struct bp_problem *p = s->problem;
    bool *used = ARENA_ARRAY(s->arena, bool, p->n_axes);
    for (uint32_t g = 0; g < p->n_groups; g++) {
        used[p->groups[g].axis] = true;
    }
    s->tuple_of_domain = ARENA_ARRAY(s->arena, uint32_t, p->n_domains);
    s->tuple_value = ARENA_ARRAY(s->arena, uint32_t, (size_t)p->n_domains * p->n_axes);
    uint32_t *value = ARENA_ARRAY(s->arena, uint32_t, p->n_axes);
    for (uint32_t d = 0; d < p->n_domains; d++) {
        for (uint32_t x = 0; x < p->n_axes; x++) {
            value[x] = used[x] ? p->axis_value[(size_t)d * p->n_axes + x] : BP_NO_VALUE;
        }
        uint32_t t = 0;
        while (t < s->n_tuples && memcmp(&s->tuple_value[(size_t)t * p->n_axes], value,
                                         p->n_axes * sizeof *value) != 0) {
            t++;
        }
        if (t == s->n_tuples) {
            memcpy(&s->tuple_value[(size_t)t * p->n_axes], value, p->n_axes * sizeof *value);
            s->n_tuples++;
        }
        s->tuple_of_domain[d] = t;
    }
}

/* ------------------------------------------------------------------ prices */

static bool same_demands(const struct bp_problem *p, uint32_t a, uint32_t b)
{
    size_t n_words = bits_words(p->n_domains);
    return p->classes[a].max_per_node == p->classes[b].max_per_node &&
           memcmp(&p->size[(size_t)a * p->n_dims], &p->size[(size_t)b * p->n_dims],
                  p->n_dims * sizeof *p->size) == 0 &&
           bits_equal(&p->mask[a * n_words], &p->mask[b * n_words], n_words);
}

/* Most units of a class on one node of an offering, by size alone. */
static int64_t units_that_fit(const struct bp_problem *p, uint32_t class_i, uint32_t k)
{
    int64_t most = p->classes[class_i].max_per_node;
    for (uint32_t d = 0; d < p->n_dims; d++) {
        int64_t w = p->size[(size_t)class_i * p->n_dims + d];
        int64_t fit = w > 0 ? p->capacity[(size_t)k * p->n_dims + d] / w : INT64_MAX;
        most = fit < most ? fit : most;
    }
    return most;
}

/* The cheapest share of a node, in each tuple. Free and scarce nodes count only where nothing else
 * holds the class: their room is for the placement to share out. */
static void find_prices(struct bp_spread *s, uint32_t class_i, usd_t *ret_price)
{
    const struct bp_problem *p = s->problem;
    const uint64_t *mask = &p->mask[class_i * bits_words(p->n_domains)];
    uint64_t *plenty = ARENA_ARRAY(s->arena, uint64_t, bits_words(s->n_tuples));
    for (uint32_t t = 0; t < s->n_tuples; t++) {
        ret_price[t] = BP_SPREAD_NO_PRICE;
    }
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        const struct bp_offering *offering = &p->offerings[k];
        int64_t n = bits_get(mask, offering->domain) && offering->stock > 0
                        ? units_that_fit(p, class_i, k)
                        : 0;
        if (n == 0) {
            continue;
        }
        uint32_t t = s->tuple_of_domain[offering->domain];
        usd_t price = (offering->price + n - 1) / n;
        bool unlimited = offering->stock == BP_UNLIMITED;
        if (price < ret_price[t] ? unlimited || !bits_get(plenty, t)
                                 : unlimited && !bits_get(plenty, t)) {
            ret_price[t] = price;
        }
        if (unlimited) {
            bits_set(plenty, t);
        }
    }
}

static void price_classes(struct bp_spread *s)
{
    const struct bp_problem *p = s->problem;
    s->price = ARENA_ARRAY(s->arena, usd_t, (size_t)p->n_classes * s->n_tuples);
    uint32_t n_slots = 16;
    while (n_slots < 2 * p->n_classes) {
        n_slots *= 2;
    }
    uint32_t *slots = ARENA_ARRAY(s->arena, uint32_t, n_slots); /* class + 1 */
    for (uint32_t i = 0; i < p->n_classes; i++) {
        if (!s->tied[i]) {
            continue;
        }
        uint64_t hash = p->classes[i].max_per_node;
        for (uint32_t d = 0; d < p->n_dims; d++) {
            hash = (hash ^ (uint64_t)p->size[(size_t)i * p->n_dims + d]) *
                   UINT64_C(0x9e3779b97f4a7c15);
            hash ^= hash >> 31;
        }
        uint32_t slot = (uint32_t)hash & (n_slots - 1);
        while (slots[slot] != 0 && !same_demands(p, slots[slot] - 1, i)) {
            slot = (slot + 1) & (n_slots - 1);
        }
        usd_t *price = &s->price[(size_t)i * s->n_tuples];
        if (slots[slot] == 0) {
            slots[slot] = i + 1;
            find_prices(s, i, price);
        } else {
            memcpy(price, &s->price[(size_t)(slots[slot] - 1) * s->n_tuples],
                   s->n_tuples * sizeof *price);
        }
    }
}

static void find_room(struct bp_spread *s)
{
    const struct bp_problem *p = s->problem;
    s->room = ARENA_ARRAY(s->arena, int64_t, (size_t)s->n_tuples * p->n_dims);
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        const struct bp_offering *offering = &p->offerings[k];
        if (offering->price > 0 || offering->stock == BP_UNLIMITED) {
            continue;
        }
        int64_t *room = &s->room[(size_t)s->tuple_of_domain[offering->domain] * p->n_dims];
        for (uint32_t d = 0; d < p->n_dims; d++) {
            room[d] =
                sat_add(room[d], sat_mul(p->capacity[(size_t)k * p->n_dims + d], offering->stock));
        }
    }
}

/* ------------------------------------------------------------------ roles and kinds */

static uint64_t word_of(const uint64_t *set, size_t w)
{
    return set == NULL ? 0 : set[w];
}

static void find_roles(struct bp_spread *s)
{
    const struct bp_problem *p = s->problem;
    size_t n_words = bits_words(p->n_classes);
    s->role_at = ARENA_ARRAY(s->arena, uint32_t, p->n_classes + 1);
    s->tied = ARENA_ARRAY(s->arena, bool, p->n_classes);
    uint32_t *fill = ARENA_ARRAY(s->arena, uint32_t, p->n_classes);
    for (int pass = 0; pass < 2; pass++) { /* count, then fill */
        for (uint32_t g = 0; g < p->n_groups; g++) {
            const struct bp_group *group = &p->groups[g];
            for (size_t w = 0; w < n_words; w++) {
                uint64_t word = word_of(group->carriers, w) | word_of(group->targets, w);
                for (; word != 0; word &= word - 1) {
                    uint32_t i = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(word);
                    if (pass == 0) {
                        s->role_at[i + 1]++;
                        s->tied[i] = true;
                        continue;
                    }
                    uint32_t bits = (bit_of(group->carriers, i) ? (uint32_t)BP_SPREAD_CARRIER : 0) |
                                    (bit_of(group->targets, i) ? (uint32_t)BP_SPREAD_TARGET : 0);
                    s->roles[s->role_at[i] + fill[i]++] =
                        (struct bp_spread_role){.group_i = g, .bits = bits};
                }
            }
        }
        if (pass == 0) {
            for (uint32_t i = 0; i < p->n_classes; i++) {
                s->role_at[i + 1] += s->role_at[i];
            }
            s->roles = ARENA_ARRAY(s->arena, struct bp_spread_role, s->role_at[p->n_classes]);
        }
    }
}

static bool same_kind(const struct bp_spread *s, uint32_t a, uint32_t b)
{
    const struct bp_class *x = &s->problem->classes[a];
    const struct bp_class *y = &s->problem->classes[b];
    uint32_t n = s->role_at[a + 1] - s->role_at[a];
    if (x->priority != y->priority || x->weight != y->weight ||
        n != s->role_at[b + 1] - s->role_at[b]) {
        return false;
    }
    for (uint32_t r = 0; r < n; r++) {
        const struct bp_spread_role *u = &s->roles[s->role_at[a] + r];
        const struct bp_spread_role *v = &s->roles[s->role_at[b] + r];
        if (u->group_i != v->group_i || u->bits != v->bits) {
            return false;
        }
    }
    for (uint32_t t = 0; t < s->n_tuples; t++) {
        if ((s->price[(size_t)a * s->n_tuples + t] == BP_SPREAD_NO_PRICE) !=
            (s->price[(size_t)b * s->n_tuples + t] == BP_SPREAD_NO_PRICE)) {
            return false;
        }
    }
    return true;
}

static uint64_t hash_kind(const struct bp_spread *s, uint32_t class_i)
{
    uint64_t hash = (uint64_t)(uint32_t)s->problem->classes[class_i].priority;
    for (uint32_t r = s->role_at[class_i]; r < s->role_at[class_i + 1]; r++) {
        hash =
            (hash ^ (s->roles[r].group_i * 4U + s->roles[r].bits)) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 31;
    }
    return hash;
}

/* kind_of[class]; returns the number of kinds. */
static uint32_t group_classes(const struct bp_spread *s, uint32_t *kind_of)
{
    const struct bp_problem *p = s->problem;
    uint32_t n_tied = 0, n_kinds = 0, n_slots = 16;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        n_tied += s->tied[i];
    }
    while (n_slots < 2 * n_tied) {
        n_slots *= 2;
    }
    uint32_t *slots = ARENA_ARRAY(s->arena, uint32_t, n_slots); /* class + 1 */
    for (uint32_t i = 0; i < p->n_classes; i++) {
        if (!s->tied[i]) {
            continue;
        }
        if (n_tied <= BP_SPREAD_FINE_KINDS) {
            kind_of[i] = n_kinds++;
            continue;
        }
        uint32_t slot = (uint32_t)hash_kind(s, i) & (n_slots - 1);
        while (slots[slot] != 0 && !same_kind(s, slots[slot] - 1, i)) {
            slot = (slot + 1) & (n_slots - 1);
        }
        if (slots[slot] == 0) {
            slots[slot] = i + 1;
            kind_of[i] = n_kinds++;
        } else {
            kind_of[i] = kind_of[slots[slot] - 1];
        }
    }
    return n_kinds;
}

/* Averages over the units of a kind. */
static void fill_kind(struct bp_spread *s, struct bp_spread_kind *kind)
{
    const struct bp_problem *p = s->problem;
    uint32_t first = kind->classes[0];
    kind->roles = &s->roles[s->role_at[first]];
    kind->n_roles = s->role_at[first + 1] - s->role_at[first];
    kind->weight = p->classes[first].weight;
    kind->priority = p->classes[first].priority;
    kind->price = ARENA_ARRAY(s->arena, usd_t, s->n_tuples);
    kind->size = ARENA_ARRAY(s->arena, int64_t, p->n_dims);
    for (uint32_t x = 0; x < kind->n_classes; x++) {
        kind->n_units += p->classes[kind->classes[x]].demand;
    }
    for (uint32_t t = 0; t < s->n_tuples; t++) {
        __int128 sum = 0;
        kind->price[t] = s->price[(size_t)first * s->n_tuples + t];
        if (kind->price[t] == BP_SPREAD_NO_PRICE) {
            continue;
        }
        kind->n_tuples++;
        for (uint32_t x = 0; x < kind->n_classes; x++) {
            uint32_t i = kind->classes[x];
            sum += (__int128)s->price[(size_t)i * s->n_tuples + t] * p->classes[i].demand;
        }
        kind->price[t] = (usd_t)(sum / kind->n_units);
    }
    for (uint32_t d = 0; d < p->n_dims; d++) {
        __int128 sum = 0;
        for (uint32_t x = 0; x < kind->n_classes; x++) {
            uint32_t i = kind->classes[x];
            sum += (__int128)p->size[(size_t)i * p->n_dims + d] * p->classes[i].demand;
        }
        kind->size[d] = (int64_t)((sum + kind->n_units - 1) / kind->n_units);
    }
    for (uint32_t r = 0; r < kind->n_roles; r++) {
        enum bp_group_kind rule = p->groups[kind->roles[r].group_i].kind;
        bool carrier = (kind->roles[r].bits & BP_SPREAD_CARRIER) != 0;
        bool target = (kind->roles[r].bits & BP_SPREAD_TARGET) != 0;
        kind->apart_carrier |= rule == BP_GROUP_APART && carrier;
        kind->spread_carrier |= rule == BP_GROUP_SPREAD && carrier;
        kind->spread_target |= rule == BP_GROUP_SPREAD && target;
        for (uint32_t q = 0; q < kind->n_roles && rule == BP_GROUP_SPREAD && carrier; q++) {
            const struct bp_group *other = &p->groups[kind->roles[q].group_i];
            kind->coupled |= q != r && other->kind == BP_GROUP_SPREAD &&
                             (kind->roles[q].bits & BP_SPREAD_TARGET) != 0 &&
                             other->axis == p->groups[kind->roles[r].group_i].axis;
        }
    }
}

static void find_kinds(struct bp_spread *s)
{
    const struct bp_problem *p = s->problem;
    uint32_t *kind_of = ARENA_ARRAY(s->arena, uint32_t, p->n_classes);
    s->n_kinds = group_classes(s, kind_of);
    s->kinds = ARENA_ARRAY(s->arena, struct bp_spread_kind, s->n_kinds);
    for (uint32_t i = 0; i < p->n_classes; i++) {
        s->kinds[s->tied[i] ? kind_of[i] : 0].n_classes += s->tied[i];
    }
    uint32_t **classes = ARENA_ARRAY(s->arena, uint32_t *, s->n_kinds);
    for (uint32_t k = 0; k < s->n_kinds; k++) {
        classes[k] = ARENA_ARRAY(s->arena, uint32_t, s->kinds[k].n_classes);
        s->kinds[k].classes = classes[k];
        s->kinds[k].n_classes = 0;
    }
    for (uint32_t i = 0; i < p->n_classes; i++) {
        if (s->tied[i]) {
            classes[kind_of[i]][s->kinds[kind_of[i]].n_classes++] = i;
        }
    }
    s->group_kind_at = ARENA_ARRAY(s->arena, uint32_t, p->n_groups + 1);
    for (uint32_t k = 0; k < s->n_kinds; k++) {
        fill_kind(s, &s->kinds[k]);
        for (uint32_t r = 0; r < s->kinds[k].n_roles; r++) {
            s->group_kind_at[s->kinds[k].roles[r].group_i + 1]++;
        }
    }
    for (uint32_t g = 0; g < p->n_groups; g++) {
        s->group_kind_at[g + 1] += s->group_kind_at[g];
    }
    uint32_t *fill = ARENA_ARRAY(s->arena, uint32_t, p->n_groups);
    s->group_kinds = ARENA_ARRAY(s->arena, uint32_t, s->group_kind_at[p->n_groups]);
    for (uint32_t k = 0; k < s->n_kinds; k++) {
        for (uint32_t r = 0; r < s->kinds[k].n_roles; r++) {
            uint32_t g = s->kinds[k].roles[r].group_i;
            s->group_kinds[s->group_kind_at[g] + fill[g]++] = k;
        }
    }
}

/* Groups that choose the same value: same kind and axis, and a carrier in common. */
static void link_groups(struct bp_spread *s)
{
    const struct bp_problem *p = s->problem;
    s->link = ARENA_ARRAY(s->arena, uint32_t, p->n_groups);
    s->chooses = ARENA_ARRAY(s->arena, bool, p->n_groups);
    for (uint32_t g = 0; g < p->n_groups; g++) {
        s->link[g] = g;
        s->chooses[g] = p->groups[g].kind != BP_GROUP_SPREAD;
    }
    for (uint32_t k = 0; k < s->n_kinds; k++) {
        const struct bp_spread_kind *kind = &s->kinds[k];
        for (uint32_t x = 0; x < kind->n_roles; x++) {
            bool spread = p->groups[kind->roles[x].group_i].kind == BP_GROUP_SPREAD;
            s->chooses[kind->roles[x].group_i] |= spread && kind->coupled;
            for (uint32_t y = 0; y < x; y++) {
                uint32_t g = kind->roles[x].group_i;
                uint32_t h = kind->roles[y].group_i;
                bool carrier = (kind->roles[x].bits & kind->roles[y].bits & BP_SPREAD_CARRIER) != 0;
                if (!(spread ? kind->coupled : carrier) || p->groups[g].kind != p->groups[h].kind ||
                    p->groups[g].axis != p->groups[h].axis) {
                    continue;
                }
                while (s->link[g] != g) {
                    g = s->link[g];
                }
                while (s->link[h] != h) {
                    h = s->link[h];
                }
                s->link[g > h ? g : h] = g > h ? h : g;
            }
        }
    }
    for (uint32_t g = 0; g < p->n_groups; g++) {
        s->link[g] = s->link[s->link[g]]; /* ascending: what it points to is final */
    }
}

/* ------------------------------------------------------------------ values to choose from */

#define NO_PLACE ((__int128)1 << 60) /* a unit that cannot be there costs more than any node */

/* Adds what the carriers of a kind cost in each value to the sums of one set of linked groups. */
static void add_carriers(const struct bp_spread *s, const struct bp_spread_kind *kind,
                         uint32_t group_i, __int128 *price)
{
    uint32_t n_values = s->problem->n_axis_values[s->problem->groups[group_i].axis];
    for (uint32_t v = 0; v < n_values; v++) {
        __int128 best = NO_PLACE;
        for (uint32_t t = 0; t < s->n_tuples; t++) {
            if (bp_spread_value(s, t, group_i) == v && kind->price[t] < best) {
                best = kind->price[t];
            }
        }
        price[v] += best * kind->n_units;
    }
}

/* Sorts values by price, then by index. */
static void rank_values(const __int128 *price, uint32_t n_values, uint32_t *ret_ranked)
{
    for (uint32_t v = 0; v < n_values; v++) {
        uint32_t at = v;
        for (; at > 0 && price[ret_ranked[at - 1]] > price[v]; at--) {
            ret_ranked[at] = ret_ranked[at - 1];
        }
        ret_ranked[at] = v;
    }
}

/* Carriers of every kind once for each set of linked groups. */
static void price_kinds(const struct bp_spread *s, __int128 **price)
{
    for (uint32_t k = 0; k < s->n_kinds; k++) {
        const struct bp_spread_kind *kind = &s->kinds[k];
        for (uint32_t r = 0; r < kind->n_roles; r++) {
            uint32_t link = s->link[kind->roles[r].group_i];
            bool counted = (kind->roles[r].bits & BP_SPREAD_CARRIER) == 0;
            for (uint32_t q = 0; q < r && !counted; q++) {
                counted = s->link[kind->roles[q].group_i] == link &&
                          (kind->roles[q].bits & BP_SPREAD_CARRIER) != 0;
            }
            if (!counted) {
                add_carriers(s, kind, link, price[link]);
            }
        }
    }
}

static void price_values(struct bp_spread *s)
{
    const struct bp_problem *p = s->problem;
    __int128 **price = ARENA_ARRAY(s->arena, __int128 *, p->n_groups);
    s->ranked = ARENA_ARRAY(s->arena, uint32_t *, p->n_groups);
    for (uint32_t g = 0; g < p->n_groups; g++) { /* a link is the first of its groups */
        uint32_t n_values = p->n_axis_values[p->groups[g].axis];
        if (s->link[g] == g) {
            price[g] = ARENA_ARRAY(s->arena, __int128, n_values);
            s->ranked[g] = ARENA_ARRAY(s->arena, uint32_t, n_values);
        }
        for (uint32_t v = 0; v < n_values; v++) {
            bool taken = p->groups[g].base != NULL && p->groups[g].base[v] > 0;
            if (taken && p->groups[g].kind == BP_GROUP_APART) {
                price[s->link[g]][v] += NO_PLACE * BP_UNLIMITED;
            }
        }
    }
    price_kinds(s, price);
    for (uint32_t g = 0; g < p->n_groups; g++) {
        if (s->link[g] == g) {
            rank_values(price[g], p->n_axis_values[p->groups[g].axis], s->ranked[g]);
        }
    }
}

uint32_t bp_spread_cheapest_value(const struct bp_spread *spread, uint32_t group_i, uint32_t rank)
{
    const struct bp_problem *p = spread->problem;
    bool exists = rank < p->n_axis_values[p->groups[group_i].axis];
    return exists ? spread->ranked[spread->link[group_i]][rank] : BP_NO_VALUE;
}

void bp_spread_build(struct bp_spread *spread, const struct bp_problem *problem,
                     struct arena *arena)
{
    *spread = (struct bp_spread){.problem = problem, .arena = arena};
    find_tuples(spread);
    find_roles(spread);
    price_classes(spread);
    find_room(spread);
    find_kinds(spread);
    link_groups(spread);
    price_values(spread);
}
