/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/plan/assemble.h"

static void *copy(struct arena *arena, const void *from, size_t n, size_t size)
{
    return from == NULL || n == 0 ? NULL : arena_copy(arena, from, n * size);
}

#define COPY(field, n) (to->field = copy(arena, from->field, (n), sizeof *from->field))

static void copy_rules(const struct bp_problem *from, struct arena *arena, struct bp_problem *to)
{
    size_t words = bits_words(from->n_classes);
    struct bp_cap *caps = copy(arena, from->caps, from->n_caps, sizeof *caps);
    for (uint32_t c = 0; c < from->n_caps; c++) {
        caps[c].members = copy(arena, caps[c].members, words, sizeof(uint64_t));
        caps[c].max_at = copy(arena, caps[c].max_at, from->n_offerings, sizeof(uint32_t));
    }
    struct bp_exclusion *exclusions =
        copy(arena, from->exclusions, from->n_exclusions, sizeof *exclusions);
    for (uint32_t e = 0; e < from->n_exclusions; e++) {
        exclusions[e].a = copy(arena, exclusions[e].a, words, sizeof(uint64_t));
        exclusions[e].b = copy(arena, exclusions[e].b, words, sizeof(uint64_t));
    }
    struct bp_limit *limits = copy(arena, from->limits, from->n_limits, sizeof *limits);
    for (uint32_t r = 0; r < from->n_limits; r++) {
        limits[r].use = copy(arena, limits[r].use, from->n_offerings, sizeof(int64_t));
    }
    struct bp_variety *varieties =
        copy(arena, from->varieties, from->n_varieties, sizeof *varieties);
    for (uint32_t v = 0; v < from->n_varieties; v++) {
        varieties[v].value = copy(arena, varieties[v].value, from->n_offerings, sizeof(uint32_t));
    }
    to->caps = caps;
    to->exclusions = exclusions;
    to->limits = limits;
    to->varieties = varieties;
}

static void copy_groups(const struct bp_problem *from, struct arena *arena, struct bp_problem *to)
{
    size_t words = bits_words(from->n_classes);
    struct bp_group *groups = copy(arena, from->groups, from->n_groups, sizeof *groups);
    for (uint32_t g = 0; g < from->n_groups; g++) {
        uint32_t n_values = from->n_axis_values[groups[g].axis];
        groups[g].carriers = copy(arena, groups[g].carriers, words, sizeof(uint64_t));
        groups[g].targets = copy(arena, groups[g].targets, words, sizeof(uint64_t));
        groups[g].base = copy(arena, groups[g].base, n_values, sizeof(uint32_t));
        groups[g].eligible =
            copy(arena, groups[g].eligible, bits_words(n_values), sizeof(uint64_t));
    }
    const char **names = ARENA_ARRAY(arena, const char *, from->n_families);
    for (uint32_t f = 0; f < from->n_families; f++) {
        struct str name = str_of(from->family_names[f]);
        names[f] = str_cstr(arena, name);
    }
    to->groups = groups;
    to->family_names = names;
}

const struct bp_problem *problem_copy(const struct bp_problem *from, struct arena *arena)
{
    struct bp_problem *to = ARENA_NEW(arena, struct bp_problem);
    *to = *from;
    COPY(classes, from->n_classes);
    COPY(size, (size_t)from->n_classes * from->n_dims);
    COPY(mask, from->n_classes * bits_words(from->n_domains));
    COPY(offerings, from->n_offerings);
    COPY(capacity, (size_t)from->n_offerings * from->n_dims);
    COPY(n_axis_values, from->n_axes);
    COPY(axis_value, (size_t)from->n_domains * from->n_axes);
    copy_rules(from, arena, to);
    copy_groups(from, arena, to);
    return to;
}
