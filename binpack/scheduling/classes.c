/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/classes.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "base/vec.h"

enum { KEY_BYTES_MAX = 64 * 1024 * 1024 };

static void add_word(struct strbuf *out, uint64_t word)
{
    strbuf_add(out, (struct str){.p = (const char *)&word, .n = sizeof word});
}

/* All that the solver can see of a need. */
static struct str class_key(const struct sched_need *need, const struct sched_rules *rules,
                            uint32_t need_i, uint32_t same, struct strbuf *out)
{
    add_word(out, same);
    add_word(out, need->tier);
    add_word(out, need->loose);
    add_word(out, (uint64_t)(int64_t)need->priority);
    for (uint32_t i = 0; i < need->requests.n; i++) {
        if (need->requests.v[i].value > 0) {
            add_word(out, need->requests.v[i].resource);
            add_word(out, (uint64_t)need->requests.v[i].value);
        }
    }
    add_word(out, UINT64_MAX);
    for (uint32_t i = 0; i < need->n_ports; i++) {
        add_word(out, need->ports[i].ip);
        add_word(out, need->ports[i].protocol);
        add_word(out, (uint64_t)need->ports[i].port);
    }
    add_word(out, UINT64_MAX);
    for (uint32_t i = 0; i < need->n_attach; i++) {
        add_word(out, need->attach[i].driver);
        add_word(out, (uint64_t)need->attach[i].count);
    }
    add_word(out, UINT64_MAX);
    for (uint32_t i = 0; i < need->n_claims; i++) {
        add_word(out, need->claims[i].volume);
    }
    for (uint32_t r = 0; r < rules->n; r += 32) {
        uint64_t bits = 0;
        for (uint32_t k = r; k < rules->n && k < r + 32; k++) {
            bits |= (uint64_t)bits_get(rules->v[k].carriers, need_i) << (2 * (k - r));
            bits |= (uint64_t)bits_get(rules->v[k].targets, need_i) << (2 * (k - r) + 1);
        }
        add_word(out, bits);
    }
    return strbuf_str(out);
}

void sched_classes_new(const struct sched_snapshot *snapshot, const struct sched_needs *needs,
                       const struct sched_rules *rules, const uint32_t *same, struct arena *arena,
                       struct sched_classes *ret_classes)
{
    struct strtab *keys = strtab_new(arena);
    uint32_t *of_need = ARENA_ARRAY(arena, uint32_t, needs->n);
    VEC(struct sched_class) classes = {0};
    for (uint32_t i = 0; i < needs->n; i++) {
        struct arena_mark mark = arena_mark(arena);
        struct strbuf text = strbuf_new(arena, KEY_BYTES_MAX);
        struct str key = class_key(&needs->v[i], rules, i, same[i], &text);
        strid id = strtab_find(keys, key);
        if (id == STRID_NONE) {
            id = strtab_add(keys, key);
            VEC_PUSH(arena, &classes, (struct sched_class){.need = i});
        } else {
            arena_rewind(arena, mark);
        }
        of_need[i] = id - 1;
        classes.v[id - 1].n_pods += needs->v[i].n_pods;
        classes.v[id - 1].n_needs++;
    }
    uint32_t **pods = ARENA_ARRAY(arena, uint32_t *, classes.n);
    uint32_t **members = ARENA_ARRAY(arena, uint32_t *, classes.n);
    for (size_t c = 0; c < classes.n; c++) {
        pods[c] = ARENA_ARRAY(arena, uint32_t, classes.v[c].n_pods);
        members[c] = ARENA_ARRAY(arena, uint32_t, classes.v[c].n_needs);
        classes.v[c].pods = pods[c];
        classes.v[c].needs = members[c];
    }
    for (uint32_t i = 0; i < needs->n; i++) {
        *members[of_need[i]]++ = i;
    }
    /* Pending pods are in order of namespace and name, so each class's are too. */
    for (uint32_t i = 0; i < snapshot->n_pending; i++) {
        if (needs->of_pod[i] != SCHED_NONE) {
            *pods[of_need[needs->of_pod[i]]]++ = snapshot->pending[i];
        }
    }
    *ret_classes = (struct sched_classes){
        .n = (uint32_t)classes.n, .v = classes.v, .needs = needs, .of_need = of_need};
}

bool sched_class_carries(const struct sched_classes *classes, uint32_t class_i,
                         const struct sched_rule *rule)
{
    return bits_get(rule->carriers, classes->v[class_i].need);
}

bool sched_class_counts(const struct sched_classes *classes, uint32_t class_i,
                        const struct sched_rule *rule)
{
    return bits_get(rule->targets, classes->v[class_i].need);
}
