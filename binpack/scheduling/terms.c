/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/terms.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/bitset.h"
#include "base/vec.h"
#include "binpack/scheduling/eligibility.h"
#include "binpack/scheduling/rule_text.h"
#include "binpack/scheduling/volumes.h"
#include "k8s/selector.h"

enum { RULE_TEXT_MAX = 16 * 1024 * 1024 };

/* One condition on a pod; a rule counts the pods that meet all of its conditions. */
struct finder {
    struct k8s_strids namespaces;
    const struct k8s_selector *ns_selector; /* NULL: namespaces only */
    const struct k8s_selector *selector;
    uint32_t n_extra;
    const struct sched_extra *extra;
};

/* A rule while it is put together. */
struct draft {
    struct sched_rule rule;
    struct str text; /* canonical: what tells rules apart and orders them */
    uint32_t n_finders;
    const struct finder *finders;
    uint32_t volume; /* SCHED_NONE, or the shared volume whose users are carriers and targets */
    uint64_t *carriers, *targets;
    uint32_t *targets_at, *carriers_at;
    bool has_targets, has_carriers; /* among the needs */
};

/* What a running pod declares, per shape. */
struct declared {
    bool known;
    strid ns;
    uint32_t n;
    const uint32_t *drafts;
};

/* What counts a pod, per distinct namespace and values of the labels that some rule looks at. */
struct seen {
    const uint64_t *counts; /* [bits_words(n_drafts)] */
};
struct seen_of_shape {
    bool known;
    strid ns;
    uint32_t seen_i;
};

struct rules_builder {
    const struct sched_snapshot *s;
    const struct sched_needs *needs;
    struct arena *arena;
    struct strtab *by_text; /* canonical text -> draft + 1 */
    VEC(struct draft) drafts;
    struct k8s_strids looked_at; /* label keys of all selectors, ascending by id */
    struct strtab *by_view;      /* namespace and values -> seen + 1 */
    VEC(struct seen) seen;
    struct seen_of_shape *seen_of_shape; /* [n_shapes] */
    struct declared *declared_by_shape;  /* [n_shapes] */
};

/* ---- matching ---- */

static bool namespace_selected(const struct sched_vocab *vocab, const struct k8s_cluster *cluster,
                               const struct k8s_selector *selector, strid ns)
{
    const struct str name = strtab_str(vocab->tab, ns);
    const struct k8s_pairs *labels = NULL;
    for (uint32_t i = 0; i < cluster->n_namespaces && labels == NULL; i++) {
        if (str_eq(cluster->namespaces[i].meta.name, name)) {
            labels = &cluster->namespaces[i].meta.labels;
        }
    }
    /* Every namespace carries its name as a label, whether the input shows the object or not. */
    const struct k8s_pair own = {.key = vocab->namespace_name, .value = ns};
    struct k8s_pair both[64];
    uint32_t n = 0;
    bool placed = false;
    for (uint32_t i = 0; labels != NULL && i < labels->n && n < 62; i++) {
        if (labels->v[i].key == own.key) {
            continue;
        }
        if (!placed && labels->v[i].key > own.key) {
            both[n++] = own;
            placed = true;
        }
        both[n++] = labels->v[i];
    }
    if (!placed) {
        both[n++] = own;
    }
    const struct k8s_pairs all = {.n = n, .v = both};
    return k8s_selector_matches(selector, &all);
}

static bool finder_matches(const struct sched_vocab *vocab, const struct k8s_cluster *cluster,
                           const struct finder *finder, strid ns, const struct k8s_pairs *labels)
{
    bool in_namespace = false;
    for (uint32_t i = 0; i < finder->namespaces.n && !in_namespace; i++) {
        in_namespace = finder->namespaces.v[i] == ns;
    }
    if (!k8s_selector_matches(finder->selector, labels)) {
        return false;
    }
    for (uint32_t i = 0; i < finder->n_extra; i++) {
        const bool same = k8s_pairs_get(labels, finder->extra[i].key) == finder->extra[i].value;
        if (same == finder->extra[i].differs) {
            return false;
        }
    }
    return in_namespace || (finder->ns_selector != NULL &&
                            namespace_selected(vocab, cluster, finder->ns_selector, ns));
}

/* matchLabelKeys and mismatchLabelKeys with the carrier's values; keys that it lacks are ignored.
 */
static uint32_t extras_of(struct arena *arena, struct k8s_strids match, struct k8s_strids mismatch,
                          const struct k8s_pairs *owner, const struct sched_extra **ret_extra)
{
    struct sched_extra *extra = ARENA_ARRAY(arena, struct sched_extra, match.n + mismatch.n);
    uint32_t n = 0;
    for (uint32_t i = 0; i < match.n + mismatch.n; i++) {
        const bool differs = i >= match.n;
        const strid key = differs ? mismatch.v[i - match.n] : match.v[i];
        const strid value = k8s_pairs_get(owner, key);
        if (value != STRID_NONE) {
            extra[n++] = (struct sched_extra){.key = key, .value = value, .differs = differs};
        }
    }
    *ret_extra = extra;
    return n;
}

static struct finder finder_of_term(struct arena *arena, const struct k8s_pod_term *term,
                                    strid owner_ns, const struct k8s_pairs *owner)
{
    struct finder finder = {.namespaces = term->namespaces, .selector = &term->selector};
    if (term->ns_selector.present) {
        finder.ns_selector = &term->ns_selector;
    } else if (term->namespaces.n == 0) {
        strid *own = ARENA_ARRAY(arena, strid, 1);
        own[0] = owner_ns;
        finder.namespaces = (struct k8s_strids){.n = 1, .v = own};
    }
    finder.n_extra =
        extras_of(arena, term->match_label_keys, term->mismatch_label_keys, owner, &finder.extra);
    return finder;
}

static struct finder finder_of_spread(struct arena *arena, const struct k8s_spread *spread,
                                      strid owner_ns, const struct k8s_pairs *owner)
{
    strid *own = ARENA_ARRAY(arena, strid, 1);
    own[0] = owner_ns;
    struct finder finder = {.namespaces = {.n = 1, .v = own}, .selector = &spread->selector};
    finder.n_extra =
        extras_of(arena, spread->match_label_keys, (struct k8s_strids){0}, owner, &finder.extra);
    return finder;
}

/* ---- drafts ---- */

static void put_finder(const struct rules_builder *b, const struct finder *finder,
                       struct strbuf *out)
{
    strbuf_add(out, STR(" ns("));
    sched_text_words(b->s->tab, b->arena, finder->namespaces, out);
    if (finder->ns_selector != NULL) {
        strbuf_addc(out, '|');
        sched_text_selector(b->s->tab, b->arena, finder->ns_selector, 0, NULL, out);
    }
    strbuf_add(out, STR(") "));
    sched_text_selector(b->s->tab, b->arena, finder->selector, finder->n_extra, finder->extra, out);
}

/* The draft of that rule, new or known. `text` holds everything that tells it from other rules.
 * When the rule is known, everything taken from the arena since `mark` is given back. */
static uint32_t draft_add(struct rules_builder *b, struct arena_mark mark, struct str text,
                          const struct sched_rule *rule, uint32_t n_finders,
                          const struct finder *finders, uint32_t volume)
{
    const strid known = strtab_find(b->by_text, text);
    if (known != STRID_NONE) {
        arena_rewind(b->arena, mark);
        return known - 1;
    }
    const strid id = strtab_add(b->by_text, text);
    struct draft draft = {.rule = *rule,
                          .text = strtab_str(b->by_text, id),
                          .n_finders = n_finders,
                          .finders = finders,
                          .volume = volume};
    draft.carriers = ARENA_ARRAY(b->arena, uint64_t, bits_words(b->needs->n));
    draft.targets = ARENA_ARRAY(b->arena, uint64_t, bits_words(b->needs->n));
    VEC_PUSH(b->arena, &b->drafts, draft);
    return id - 1;
}

static void put_head(const struct rules_builder *b, const struct sched_rule *rule,
                     struct strbuf *out)
{
    strbuf_addf(out, "%d ", (int)rule->kind);
    strbuf_add(out, strtab_str(b->s->tab, rule->key));
    strbuf_add(out, rule->required ? STR(" required") : STR(" preferred"));
}

static uint32_t draft_of_spread(struct rules_builder *b, const struct sched_spread_use *use,
                                uint32_t need_i)
{
    const struct sched_need *need = &b->needs->v[need_i];
    const struct k8s_spread *spread = use->spread;
    const struct sched_rule rule = {
        .kind = SCHED_SPREAD,
        .key = sched_key(b->s->vocab, spread->key),
        .required = use->required,
        .max_skew = spread->max_skew > 0 ? (uint32_t)spread->max_skew : 1,
        .min_domains = spread->min_domains.has && spread->min_domains.v > 0
                           ? (uint32_t)spread->min_domains.v
                           : 0,
        .affinity_honor = spread->affinity_honor,
        .taints_honor = spread->taints_honor,
        .filter_need = need_i,
        .volume = SCHED_NONE};
    const struct arena_mark mark = arena_mark(b->arena);
    struct finder *finder = ARENA_NEW(b->arena, struct finder);
    *finder = finder_of_spread(b->arena, spread, need->ns, &need->shape->labels);
    struct strbuf text = strbuf_new(b->arena, RULE_TEXT_MAX);
    put_head(b, &rule, &text);
    strbuf_addf(&text, " skew %010" PRIu32 " domains %010" PRIu32, rule.max_skew, rule.min_domains);
    put_finder(b, finder, &text);
    if (rule.affinity_honor) {
        strbuf_add(&text, STR(" on "));
        sched_text_node_filter(b->s->vocab, b->arena, need->shape, &text);
    }
    if (rule.taints_honor) {
        strbuf_add(&text, STR(" tolerating "));
        sched_text_tolerations(b->s->tab, b->arena, need->shape, &text);
    }
    return draft_add(b, mark, strbuf_str(&text), &rule, 1, finder, SCHED_NONE);
}

static uint32_t draft_of_term(struct rules_builder *b, const struct k8s_pod_term *term, bool anti,
                              bool required, strid ns, const struct k8s_pairs *labels)
{
    const struct sched_rule rule = {.kind = anti ? SCHED_APART : SCHED_TOGETHER,
                                    .key = sched_key(b->s->vocab, term->key),
                                    .required = required,
                                    .filter_need = SCHED_NONE,
                                    .volume = SCHED_NONE};
    const struct arena_mark mark = arena_mark(b->arena);
    struct finder *finder = ARENA_NEW(b->arena, struct finder);
    *finder = finder_of_term(b->arena, term, ns, labels);
    struct strbuf text = strbuf_new(b->arena, RULE_TEXT_MAX);
    put_head(b, &rule, &text);
    put_finder(b, finder, &text);
    return draft_add(b, mark, strbuf_str(&text), &rule, 1, finder, SCHED_NONE);
}

static void carry(struct rules_builder *b, uint32_t draft_i, uint32_t need_i)
{
    struct draft *draft = &b->drafts.v[draft_i];
    bits_set(draft->carriers, need_i);
    draft->has_carriers = true;
    /* The representative that filters must not depend on the order in which drafts came about. */
    if (draft->rule.filter_need != SCHED_NONE && need_i < draft->rule.filter_need) {
        draft->rule.filter_need = need_i;
    }
}

/* Required affinity: for each topology key one rule, which counts the pods that meet every term of
 * the pod. */
static void add_affinity(struct rules_builder *b, uint32_t need_i)
{
    const struct sched_need *need = &b->needs->v[need_i];
    struct finder *finders = ARENA_ARRAY(b->arena, struct finder, need->n_terms);
    struct strbuf all = strbuf_new(b->arena, RULE_TEXT_MAX);
    VEC(struct str) texts = {0};
    uint32_t n = 0;
    for (uint32_t t = 0; t < need->n_terms; t++) {
        if (need->terms[t].anti || !need->terms[t].required) {
            continue;
        }
        finders[n] = finder_of_term(b->arena, need->terms[t].term, need->ns, &need->shape->labels);
        struct strbuf text = strbuf_new(b->arena, RULE_TEXT_MAX);
        put_finder(b, &finders[n], &text);
        size_t at = texts.n;
        VEC_PUSH(b->arena, &texts, STR_EMPTY);
        for (; at > 0 && str_cmp(texts.v[at - 1], strbuf_str(&text)) > 0; at--) {
            texts.v[at] = texts.v[at - 1];
        }
        texts.v[at] = strbuf_str(&text);
        n++;
    }
    for (size_t i = 0; i < texts.n; i++) {
        if (i == 0 || !str_eq(texts.v[i], texts.v[i - 1])) {
            strbuf_add(&all, texts.v[i]);
        }
    }
    for (uint32_t t = 0; t < need->n_terms; t++) {
        if (need->terms[t].anti || !need->terms[t].required) {
            continue;
        }
        const struct sched_rule rule = {.kind = SCHED_TOGETHER,
                                        .key = sched_key(b->s->vocab, need->terms[t].term->key),
                                        .required = true,
                                        .filter_need = SCHED_NONE,
                                        .volume = SCHED_NONE};
        const struct arena_mark mark = arena_mark(b->arena);
        struct strbuf text = strbuf_new(b->arena, RULE_TEXT_MAX);
        put_head(b, &rule, &text);
        strbuf_add(&text, strbuf_str(&all));
        carry(b, draft_add(b, mark, strbuf_str(&text), &rule, n, finders, SCHED_NONE), need_i);
    }
}

/* The volume of an unbound zonal claim will exist in one zone: its users are tied. */
static void add_claims(struct rules_builder *b, uint32_t need_i)
{
    const struct sched_need *need = &b->needs->v[need_i];
    for (uint32_t c = 0; c < need->n_claims; c++) {
        if (!need->claims[c].zonal) {
            continue;
        }
        const struct sched_rule rule = {.kind = SCHED_TOGETHER,
                                        .key = b->s->words->zone,
                                        .required = true,
                                        .filter_need = SCHED_NONE,
                                        .volume = need->claims[c].volume};
        const struct arena_mark mark = arena_mark(b->arena);
        struct strbuf text = strbuf_new(b->arena, RULE_TEXT_MAX);
        put_head(b, &rule, &text);
        strbuf_add(&text, STR(" volume "));
        strbuf_add(&text, sched_volume_text(b->s->volumes, need->claims[c].volume, b->arena));
        const uint32_t draft =
            draft_add(b, mark, strbuf_str(&text), &rule, 0, NULL, need->claims[c].volume);
        carry(b, draft, need_i);
        bits_set(b->drafts.v[draft].targets, need_i);
        b->drafts.v[draft].has_targets = true;
    }
}

static void add_need(struct rules_builder *b, uint32_t need_i)
{
    const struct sched_need *need = &b->needs->v[need_i];
    for (uint32_t i = 0; i < need->n_spread; i++) {
        carry(b, draft_of_spread(b, &need->spread[i], need_i), need_i);
    }
    bool has_affinity = false;
    for (uint32_t t = 0; t < need->n_terms; t++) {
        const struct sched_term_use *use = &need->terms[t];
        if (use->anti || !use->required) {
            carry(b,
                  draft_of_term(b, use->term, use->anti, use->required, need->ns,
                                &need->shape->labels),
                  need_i);
        } else {
            has_affinity = true;
        }
    }
    if (has_affinity) {
        add_affinity(b, need_i);
    }
    if (need->n_claims > 0) {
        add_claims(b, need_i);
    }
}

/* ---- running pods ---- */

/* The rules that a running pod declares: its required anti-affinity. */
static const struct declared *declared_by(struct rules_builder *b, const struct k8s_pod *pod,
                                          struct declared *scratch)
{
    const struct k8s_pod_shape *shape = pod->shape;
    struct declared *declared =
        shape->id < b->s->cluster->n_shapes ? &b->declared_by_shape[shape->id] : scratch;
    if (declared->known && declared->ns == pod->ns) {
        return declared;
    }
    uint32_t *drafts = ARENA_ARRAY(b->arena, uint32_t, shape->n_anti_affinity);
    for (uint32_t t = 0; t < shape->n_anti_affinity; t++) {
        drafts[t] = draft_of_term(b, &shape->anti_affinity[t], /* anti= */ true,
                                  /* required= */ true, pod->ns, &shape->labels);
    }
    *declared = (struct declared){
        .known = true, .ns = pod->ns, .n = shape->n_anti_affinity, .drafts = drafts};
    return declared;
}

static void add_running(struct rules_builder *b)
{
    const struct sched_snapshot *s = b->s;
    for (uint32_t n = 0; n < s->n_nodes; n++) {
        for (uint32_t p = 0; p < s->nodes[n].n_pods; p++) {
            const struct k8s_pod *pod = &s->cluster->pods[s->nodes[n].pods[p]];
            if (pod->shape->n_anti_affinity == 0) {
                continue;
            }
            struct declared scratch = {0};
            const struct declared *declared = declared_by(b, pod, &scratch);
            for (uint32_t i = 0; i < declared->n; i++) {
                struct draft *draft = &b->drafts.v[declared->drafts[i]];
                if (draft->carriers_at == NULL) {
                    draft->carriers_at = ARENA_ARRAY(b->arena, uint32_t, s->n_nodes);
                }
                draft->carriers_at[n]++;
            }
        }
    }
}

/* ---- counting ---- */

static int cmp_strid(const void *a, const void *b)
{
    const strid x = *(const strid *)a;
    const strid y = *(const strid *)b;
    return x < y ? -1 : x > y;
}

static void collect_keys(struct rules_builder *b)
{
    VEC(strid) keys = {0};
    for (size_t d = 0; d < b->drafts.n; d++) {
        for (uint32_t f = 0; f < b->drafts.v[d].n_finders; f++) {
            const struct finder *finder = &b->drafts.v[d].finders[f];
            for (uint32_t i = 0; i < finder->selector->match_labels.n; i++) {
                VEC_PUSH(b->arena, &keys, finder->selector->match_labels.v[i].key);
            }
            for (uint32_t i = 0; i < finder->selector->n_expressions; i++) {
                VEC_PUSH(b->arena, &keys, finder->selector->expressions[i].key);
            }
            for (uint32_t i = 0; i < finder->n_extra; i++) {
                VEC_PUSH(b->arena, &keys, finder->extra[i].key);
            }
        }
    }
    if (keys.n > 0) {
        qsort(keys.v, keys.n, sizeof keys.v[0], cmp_strid);
    }
    uint32_t n = 0;
    for (size_t i = 0; i < keys.n; i++) {
        if (n == 0 || keys.v[n - 1] != keys.v[i]) {
            keys.v[n++] = keys.v[i];
        }
    }
    b->looked_at = (struct k8s_strids){.n = n, .v = keys.v};
}

/* Which drafts count a pod of this namespace with these labels. */
static const uint64_t *counts_of(struct rules_builder *b, strid ns, const struct k8s_pairs *labels)
{
    uint64_t *counts = ARENA_ARRAY(b->arena, uint64_t, bits_words(b->drafts.n));
    for (size_t d = 0; d < b->drafts.n; d++) {
        const struct draft *draft = &b->drafts.v[d];
        bool all = draft->n_finders > 0;
        for (uint32_t f = 0; all && f < draft->n_finders; f++) {
            all = finder_matches(b->s->vocab, b->s->cluster, &draft->finders[f], ns, labels);
        }
        if (all) {
            bits_set(counts, d);
        }
    }
    return counts;
}

/* The same, looked up by what of the labels any rule can see. */
static const uint64_t *counts_seen(struct rules_builder *b, const struct k8s_pod_shape *shape,
                                   strid ns)
{
    struct seen_of_shape scratch = {0};
    struct seen_of_shape *of =
        shape->id < b->s->cluster->n_shapes ? &b->seen_of_shape[shape->id] : &scratch;
    if (of->known && of->ns == ns) {
        return b->seen.v[of->seen_i].counts;
    }
    struct arena_mark mark = arena_mark(b->arena);
    strid *view = ARENA_ARRAY(b->arena, strid, b->looked_at.n + 1);
    view[0] = ns;
    for (uint32_t k = 0; k < b->looked_at.n; k++) {
        view[k + 1] = k8s_pairs_get(&shape->labels, b->looked_at.v[k]);
    }
    const struct str bytes = {.p = (const char *)view, .n = (b->looked_at.n + 1) * sizeof view[0]};
    strid id = strtab_find(b->by_view, bytes);
    if (id == STRID_NONE) {
        id = strtab_add(b->by_view, bytes);
        VEC_PUSH(b->arena, &b->seen, (struct seen){.counts = counts_of(b, ns, &shape->labels)});
    } else {
        arena_rewind(b->arena, mark);
    }
    *of = (struct seen_of_shape){.known = true, .ns = ns, .seen_i = id - 1};
    return b->seen.v[id - 1].counts;
}

/* A pod that has given up a preference comes after those that still have it: it does not stand in
 * their way, as they would not in its. */
static bool comes_later(const struct sched_snapshot *s, const struct draft *draft, uint32_t need_i,
                        const struct sched_need *need)
{
    if (draft->rule.required || draft->rule.kind == SCHED_TOGETHER ||
        bits_get(draft->carriers, need_i)) {
        return false;
    }
    if (need->loose || need->rung == 0) {
        return need->loose;
    }
    const struct k8s_pod_shape *shape = need->shape;
    for (uint32_t i = 0; i < shape->n_preferred_anti_affinity && draft->rule.kind == SCHED_APART;
         i++) {
        if (sched_key(s->vocab, shape->preferred_anti_affinity[i].key) == draft->rule.key) {
            return true;
        }
    }
    for (uint32_t i = 0; i < shape->n_spread && draft->rule.kind == SCHED_SPREAD; i++) {
        if (shape->spread[i].schedule_anyway &&
            sched_key(s->vocab, shape->spread[i].key) == draft->rule.key) {
            return true;
        }
    }
    return false;
}

static void count_needs(struct rules_builder *b)
{
    for (uint32_t i = 0; i < b->needs->n; i++) {
        const uint64_t *counts = counts_seen(b, b->needs->v[i].shape, b->needs->v[i].ns);
        for (size_t d = bits_next(counts, b->drafts.n, 0); d < b->drafts.n;
             d = bits_next(counts, b->drafts.n, d + 1)) {
            if (!comes_later(b->s, &b->drafts.v[d], i, &b->needs->v[i])) {
                bits_set(b->drafts.v[d].targets, i);
                b->drafts.v[d].has_targets = true;
            }
        }
    }
}

static void count_at(struct rules_builder *b, struct draft *draft, uint32_t node_i)
{
    if (draft->targets_at == NULL) {
        draft->targets_at = ARENA_ARRAY(b->arena, uint32_t, b->s->n_nodes);
    }
    draft->targets_at[node_i]++;
}

/* Running users of shared volumes. */
static void count_volume_users(struct rules_builder *b, const struct k8s_pod *pod, uint32_t node_i)
{
    bool any = false;
    for (size_t d = 0; d < b->drafts.n && !any; d++) {
        any = b->drafts.v[d].volume != SCHED_NONE;
    }
    if (!any) {
        return;
    }
    const struct sched_pod_volumes volumes = sched_volumes_of(b->s->volumes, b->arena, pod);
    for (size_t d = 0; d < b->drafts.n; d++) {
        for (uint32_t v = 0; v < volumes.n_unbound; v++) {
            if (b->drafts.v[d].volume == volumes.unbound[v]) {
                count_at(b, &b->drafts.v[d], node_i);
            }
        }
    }
}

static void count_running(struct rules_builder *b)
{
    const struct sched_snapshot *s = b->s;
    for (uint32_t n = 0; n < s->n_nodes; n++) {
        for (uint32_t p = 0; p < s->nodes[n].n_pods; p++) {
            const struct k8s_pod *pod = &s->cluster->pods[s->nodes[n].pods[p]];
            const uint64_t *counts = counts_seen(b, pod->shape, pod->ns);
            /* Terminating pods are not spread any more, but keep others away and attract them until
             * they are gone. */
            const bool terminating = pod->deleted.has;
            for (size_t d = bits_next(counts, b->drafts.n, 0); d < b->drafts.n;
                 d = bits_next(counts, b->drafts.n, d + 1)) {
                if (!terminating || b->drafts.v[d].rule.kind != SCHED_SPREAD) {
                    count_at(b, &b->drafts.v[d], n);
                }
            }
            if (pod->shape->n_volumes > 0) {
                count_volume_users(b, pod, n);
            }
        }
    }
}

static int cmp_drafts(const void *a, const void *b)
{
    return str_cmp(((const struct draft *)a)->text, ((const struct draft *)b)->text);
}

void sched_rules_new(const struct sched_snapshot *snapshot, const struct sched_needs *needs,
                     struct arena *arena, struct sched_rules *ret_rules)
{
    struct rules_builder b = {.s = snapshot, .needs = needs, .arena = arena};
    const uint32_t n_shapes = snapshot->cluster->n_shapes;
    b.by_text = strtab_new(arena);
    b.by_view = strtab_new(arena);
    b.seen_of_shape = ARENA_ARRAY(arena, struct seen_of_shape, n_shapes);
    b.declared_by_shape = ARENA_ARRAY(arena, struct declared, n_shapes);
    for (uint32_t i = 0; i < needs->n; i++) {
        if (needs->v[i].n_spread + needs->v[i].n_terms + needs->v[i].n_claims > 0) {
            add_need(&b, i);
        }
    }
    add_running(&b);
    if (b.drafts.n == 0) {
        *ret_rules = (struct sched_rules){0};
        return;
    }
    collect_keys(&b);
    count_needs(&b);
    count_running(&b);
    qsort(b.drafts.v, b.drafts.n, sizeof b.drafts.v[0], cmp_drafts);
    struct sched_rule *rules = ARENA_ARRAY(arena, struct sched_rule, b.drafts.n);
    uint32_t n = 0;
    for (size_t d = 0; d < b.drafts.n; d++) {
        const struct draft *draft = &b.drafts.v[d];
        /* A running pod's rule matters only to newcomers it counts. */
        if (!draft->has_carriers && !(draft->carriers_at != NULL && draft->has_targets)) {
            continue;
        }
        rules[n] = draft->rule;
        rules[n].carriers = draft->carriers;
        rules[n].targets = draft->targets;
        rules[n].targets_at = draft->targets_at;
        rules[n].carriers_at = draft->carriers_at;
        n++;
    }
    *ret_rules = (struct sched_rules){.n = n, .v = rules};
}

/* ---- for reasons, certificates and other modules ---- */

struct k8s_strids sched_rules_keys(const struct sched_snapshot *snapshot,
                                   const struct sched_rules *rules, struct arena *arena)
{
    strid *keys = ARENA_ARRAY(arena, strid, rules->n);
    uint32_t n = 0;
    for (uint32_t r = 0; r < rules->n; r++) {
        const strid key = rules->v[r].key;
        uint32_t at = 0;
        while (at < n && strtab_cmp(snapshot->tab, keys[at], key) < 0) {
            at++;
        }
        if (key == snapshot->words->hostname || (at < n && keys[at] == key)) {
            continue;
        }
        for (uint32_t i = n++; i > at; i--) {
            keys[i] = keys[i - 1];
        }
        keys[at] = key;
    }
    return (struct k8s_strids){.n = n, .v = keys};
}

void sched_rule_classes(const struct sched_classes *classes, const struct sched_rule *rule,
                        struct arena *arena, uint64_t **ret_carriers, uint64_t **ret_targets)
{
    uint64_t *carriers = ARENA_ARRAY(arena, uint64_t, bits_words(classes->n));
    uint64_t *targets = ARENA_ARRAY(arena, uint64_t, bits_words(classes->n));
    for (uint32_t i = 0; i < classes->n; i++) {
        if (sched_class_carries(classes, i, rule)) {
            bits_set(carriers, i);
        }
        if (sched_class_counts(classes, i, rule)) {
            bits_set(targets, i);
        }
    }
    *ret_carriers = carriers;
    *ret_targets = targets;
}

const char *sched_rule_family(const struct sched_vocab *vocab, const struct sched_rule *rule)
{
    static const char *const names[4][3] = {
        {"hostname-spread", "hostname-affinity", "hostname-anti-affinity"},
        {"zone-spread", "zone-affinity", "zone-anti-affinity"},
        {"capacity-type-spread", "capacity-type-affinity", "capacity-type-anti-affinity"},
        {"label-spread", "label-affinity", "label-anti-affinity"},
    };
    const struct k8s_words *words = vocab->words;
    const uint32_t row = rule->key == words->hostname        ? 0
                         : rule->key == words->zone          ? 1
                         : rule->key == words->capacity_type ? 2
                                                             : 3;
    return names[row][rule->kind];
}

struct str sched_rule_text(const struct sched_vocab *vocab, const struct sched_rule *rule,
                           struct arena *arena)
{
    static const char *const names[] = {[SCHED_SPREAD] = "topology spread",
                                        [SCHED_TOGETHER] = "pod affinity",
                                        [SCHED_APART] = "pod anti-affinity"};
    struct strbuf text = strbuf_new(arena, 1024);
    const struct str key = strtab_str(vocab->tab, rule->key);
    strbuf_addf(&text, "%s%s on " STR_FMT, rule->required ? "" : "preferred ", names[rule->kind],
                STR_ARG(key));
    if (rule->kind == SCHED_SPREAD) {
        strbuf_addf(&text, " (maxSkew %" PRIu32, rule->max_skew);
        if (rule->min_domains > 0) {
            strbuf_addf(&text, ", minDomains %" PRIu32, rule->min_domains);
        }
        strbuf_addc(&text, ')');
    }
    return strbuf_str(&text);
}

static bool finds(const struct sched_vocab *vocab, const struct k8s_cluster *cluster,
                  const struct k8s_strids *namespaces, strid default_ns,
                  const struct k8s_selector *ns_selector, const struct k8s_selector *selector,
                  struct k8s_strids match, struct k8s_strids mismatch,
                  const struct k8s_pairs *owner, strid ns, const struct k8s_pairs *labels)
{
    const struct k8s_strids own = {.n = 1, .v = &default_ns};
    const struct finder finder = {.namespaces =
                                      ns_selector == NULL && namespaces->n == 0 ? own : *namespaces,
                                  .ns_selector = ns_selector,
                                  .selector = selector};
    if (!finder_matches(vocab, cluster, &finder, ns, labels)) {
        return false;
    }
    for (uint32_t i = 0; i < match.n + mismatch.n; i++) {
        const bool differs = i >= match.n;
        const strid key = differs ? mismatch.v[i - match.n] : match.v[i];
        const strid value = k8s_pairs_get(owner, key);
        if (value != STRID_NONE && (k8s_pairs_get(labels, key) == value) == differs) {
            return false;
        }
    }
    return true;
}

bool sched_term_matches(const struct sched_vocab *vocab, const struct k8s_cluster *cluster,
                        const struct k8s_pod_term *term, strid owner_ns,
                        const struct k8s_pairs *owner, strid ns, const struct k8s_pairs *labels)
{
    return finds(vocab, cluster, &term->namespaces, owner_ns,
                 term->ns_selector.present ? &term->ns_selector : NULL, &term->selector,
                 term->match_label_keys, term->mismatch_label_keys, owner, ns, labels);
}

bool sched_spread_matches(const struct k8s_spread *spread, strid owner_ns,
                          const struct k8s_pairs *owner, strid ns, const struct k8s_pairs *labels)
{
    const struct k8s_strids none = {0};
    return finds(NULL, NULL, &none, owner_ns, NULL, &spread->selector, spread->match_label_keys,
                 none, owner, ns, labels);
}
