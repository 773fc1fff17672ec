/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/rule_text.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/vec.h"

enum { FRAGMENT_MAX = 4 * 1024 * 1024 };

typedef VEC(struct str) fragments;

static int cmp_str(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Sorted, without repetitions, joined by `separator`. */
static void join_sorted(fragments *list, char separator, struct strbuf *out)
{
    if (list->n > 1) {
        qsort(list->v, list->n, sizeof list->v[0], cmp_str);
    }
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0 && str_eq(list->v[i], list->v[i - 1])) {
            continue;
        }
        if (i > 0) {
            strbuf_addc(out, separator);
        }
        strbuf_add(out, list->v[i]);
    }
}

void sched_text_words(const struct strtab *tab, struct arena *arena, struct k8s_strids words,
                      struct strbuf *out)
{
    fragments list = {0};
    for (uint32_t i = 0; i < words.n; i++) {
        VEC_PUSH(arena, &list, strtab_str(tab, words.v[i]));
    }
    join_sorted(&list, ' ', out);
}

static struct str pair_text(const struct strtab *tab, struct arena *arena, strid key,
                            const char *sign, strid value)
{
    struct strbuf text = strbuf_new(arena, FRAGMENT_MAX);
    strbuf_add(&text, strtab_str(tab, key));
    strbuf_add(&text, str_of(sign));
    strbuf_add(&text, strtab_str(tab, value));
    return strbuf_str(&text);
}

static struct str requirement_text(const struct strtab *tab, struct arena *arena, strid key,
                                   const struct k8s_requirement *requirement)
{
    static const char *const names[] = {
        [K8S_IN] = " In [",         [K8S_NOT_IN] = " NotIn [",
        [K8S_EXISTS] = " Exists [", [K8S_DOES_NOT_EXIST] = " DoesNotExist [",
        [K8S_GT] = " Gt [",         [K8S_LT] = " Lt [",
        [K8S_GTE] = " Gte [",       [K8S_LTE] = " Lte ["};
    struct strbuf text = strbuf_new(arena, FRAGMENT_MAX);
    strbuf_add(&text, strtab_str(tab, key));
    strbuf_add(&text, str_of(names[requirement->op]));
    sched_text_words(tab, arena, requirement->values, &text);
    strbuf_addc(&text, ']');
    return strbuf_str(&text);
}

void sched_text_selector(const struct strtab *tab, struct arena *arena,
                         const struct k8s_selector *selector, uint32_t n_extra,
                         const struct sched_extra *extra, struct strbuf *out)
{
    if (!selector->present) {
        strbuf_add(out, STR("nil"));
        return;
    }
    fragments list = {0};
    for (uint32_t i = 0; i < selector->match_labels.n; i++) {
        const struct k8s_pair *pair = &selector->match_labels.v[i];
        VEC_PUSH(arena, &list, pair_text(tab, arena, pair->key, "=", pair->value));
    }
    for (uint32_t i = 0; i < selector->n_expressions; i++) {
        const struct k8s_requirement *expression = &selector->expressions[i];
        const bool is_pair = expression->op == K8S_IN && expression->values.n == 1;
        VEC_PUSH(arena, &list,
                 is_pair ? pair_text(tab, arena, expression->key, "=", expression->values.v[0])
                         : requirement_text(tab, arena, expression->key, expression));
    }
    for (uint32_t i = 0; i < n_extra; i++) {
        VEC_PUSH(
            arena, &list,
            pair_text(tab, arena, extra[i].key, extra[i].differs ? "!=" : "=", extra[i].value));
    }
    strbuf_addc(out, '{');
    join_sorted(&list, ',', out);
    strbuf_addc(out, '}');
}

void sched_text_node_filter(const struct sched_vocab *vocab, struct arena *arena,
                            const struct k8s_pod_shape *shape, struct strbuf *out)
{
    fragments pairs = {0};
    for (uint32_t i = 0; i < shape->node_selector.n; i++) {
        const struct k8s_pair *pair = &shape->node_selector.v[i];
        VEC_PUSH(arena, &pairs,
                 pair_text(vocab->tab, arena, sched_key(vocab, pair->key), "=", pair->value));
    }
    join_sorted(&pairs, ',', out);
    if (!shape->has_required_node_terms) {
        return;
    }
    fragments terms = {0};
    for (uint32_t t = 0; t < shape->n_node_terms; t++) {
        const struct k8s_node_term *term = &shape->node_terms[t];
        fragments expressions = {0};
        for (uint32_t e = 0; e < term->n_expressions; e++) {
            const struct k8s_requirement *expression = &term->expressions[e];
            VEC_PUSH(
                arena, &expressions,
                requirement_text(vocab->tab, arena, sched_key(vocab, expression->key), expression));
        }
        for (uint32_t f = 0; f < term->n_fields; f++) {
            VEC_PUSH(arena, &expressions,
                     requirement_text(vocab->tab, arena, vocab->name_field, &term->fields[f]));
        }
        struct strbuf text = strbuf_new(arena, FRAGMENT_MAX);
        join_sorted(&expressions, ',', &text);
        VEC_PUSH(arena, &terms, strbuf_str(&text));
    }
    strbuf_add(out, STR(" any("));
    join_sorted(&terms, ';', out);
    strbuf_addc(out, ')');
}

void sched_text_tolerations(const struct strtab *tab, struct arena *arena,
                            const struct k8s_pod_shape *shape, struct strbuf *out)
{
    fragments list = {0};
    for (uint32_t i = 0; i < shape->n_tolerations; i++) {
        const struct k8s_toleration *toleration = &shape->tolerations[i];
        struct strbuf text = strbuf_new(arena, FRAGMENT_MAX);
        strbuf_add(&text, strtab_str(tab, toleration->key));
        strbuf_addf(&text, "%d=", (int)toleration->op);
        strbuf_add(&text, strtab_str(tab, toleration->value));
        strbuf_addf(&text, ":%d", (int)toleration->effect);
        VEC_PUSH(arena, &list, strbuf_str(&text));
    }
    join_sorted(&list, ',', out);
}
