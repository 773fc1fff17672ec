/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/reqs.h"

#include "k8s/selector.h"
#include "k8s/syntax.h"

/* ---- kube-scheduler's plain matching ---- */

bool sched_match_requirement(const struct sched_vocab *vocab,
                             const struct k8s_requirement *requirement,
                             const struct k8s_pairs *labels)
{
    const strid value = sched_label(vocab, labels, requirement->key);
    return k8s_requirement_admits(vocab->tab, requirement, value);
}

/* matchFields know metadata.name only. */
static bool match_field(const struct sched_vocab *vocab, const struct k8s_requirement *field,
                        struct str name)
{
    if (field->key != vocab->metadata_name || name.n == 0) {
        return false;
    }
    bool found = false;
    for (uint32_t i = 0; i < field->values.n; i++) {
        found = found || str_eq(strtab_str(vocab->tab, field->values.v[i]), name);
    }
    return (field->op == K8S_IN && found) || (field->op == K8S_NOT_IN && !found);
}

bool sched_match_term(const struct sched_vocab *vocab, const struct k8s_node_term *term,
                      const struct k8s_pairs *labels, struct str name)
{
    if (term->n_expressions == 0 && term->n_fields == 0) {
        return false;
    }
    for (uint32_t i = 0; i < term->n_expressions; i++) {
        if (!sched_match_requirement(vocab, &term->expressions[i], labels)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < term->n_fields; i++) {
        if (!match_field(vocab, &term->fields[i], name)) {
            return false;
        }
    }
    return true;
}

bool sched_match_node(const struct sched_vocab *vocab, const struct k8s_pod_shape *shape,
                      const struct k8s_pairs *labels, struct str name)
{
    for (uint32_t i = 0; i < shape->node_selector.n; i++) {
        const struct k8s_pair *pair = &shape->node_selector.v[i];
        if (sched_label(vocab, labels, pair->key) != pair->value) {
            return false;
        }
    }
    if (!shape->has_required_node_terms) {
        return true;
    }
    for (uint32_t i = 0; i < shape->n_node_terms; i++) {
        if (sched_match_term(vocab, &shape->node_terms[i], labels, name)) {
            return true;
        }
    }
    return false;
}

/* ---- what may be asked for ---- */

static bool domain_within(struct str domain, struct str restricted)
{
    if (str_eq(domain, restricted)) {
        return true;
    }
    return domain.n > restricted.n && str_ends(domain, restricted) &&
           domain.p[domain.n - restricted.n - 1] == '.';
}

/* Labels that Karpenter manages itself, unless well known (karp: IsRestrictedLabel). Karpenter
 * refuses the host name as well; here it is a label like others, which a running node has and no
 * new node can be asked to have: kube-scheduler will place the pod on the node it names. */
static bool key_restricted(const struct sched_vocab *vocab, strid key)
{
    if (sched_key_well_known(vocab, key)) {
        return false;
    }
    const struct str text = strtab_str(vocab->tab, key);
    const struct str domain = str_sub(text, 0, str_find(text, '/'));
    if (domain.n == text.n) {
        return false; /* no prefix at all */
    }
    return domain_within(domain, STR("karpenter.sh")) ||
           domain_within(domain, STR("karpenter.k8s.aws"));
}

static bool check_values(const struct sched_vocab *vocab, const struct k8s_requirement *requirement,
                         struct str key, struct err *err)
{
    for (uint32_t i = 0; i < requirement->values.n; i++) {
        const struct str value = strtab_str(vocab->tab, requirement->values.v[i]);
        const char *fault = k8s_label_value_fault(value);
        if (fault != NULL) {
            return err_set(err, ERR_INVALID,
                           "invalid value \"" STR_FMT "\" for key " STR_FMT ": %s", STR_ARG(value),
                           STR_ARG(key), fault);
        }
    }
    return true;
}

bool sched_requirement_check(const struct sched_vocab *vocab,
                             const struct k8s_requirement *requirement, struct err *err)
{
    const strid key_id = sched_key(vocab, requirement->key);
    const struct str key = strtab_str(vocab->tab, key_id);
    if (key_restricted(vocab, key_id)) {
        const strid meant = sched_key_typo(vocab, key_id, (struct k8s_strids){.n = 0});
        const struct str likely = meant != STRID_NONE ? strtab_str(vocab->tab, meant) : STR_EMPTY;
        return err_set(err, ERR_INVALID,
                       "label " STR_FMT " is restricted%s" STR_FMT
                       "%s; use a well-known label, or one of your own "
                       "outside karpenter.sh and karpenter.k8s.aws",
                       STR_ARG(key), likely.n > 0 ? " (did you mean " : "", STR_ARG(likely),
                       likely.n > 0 ? "?)" : "");
    }
    const char *fault = k8s_label_key_fault(key);
    if (fault != NULL) {
        return err_set(err, ERR_INVALID, "key \"" STR_FMT "\" is not a qualified name: %s",
                       STR_ARG(key), fault);
    }
    switch (requirement->op) {
    case K8S_IN:
        if (requirement->values.n == 0) {
            return err_set(err, ERR_INVALID, "key " STR_FMT " with operator In must have a value",
                           STR_ARG(key));
        }
        return check_values(vocab, requirement, key, err);
    case K8S_NOT_IN:
        return check_values(vocab, requirement, key, err);
    case K8S_EXISTS:
    case K8S_DOES_NOT_EXIST:
        return true;
    case K8S_GT:
    case K8S_LT:
    case K8S_GTE:
    case K8S_LTE:
        break;
    }
    int64_t bound;
    if (requirement->values.n != 1 ||
        !str_to_i64(strtab_str(vocab->tab, requirement->values.v[0]), &bound) || bound < 0) {
        return err_set(err, ERR_INVALID,
                       "key " STR_FMT " compares numbers and must have one integer of at least 0",
                       STR_ARG(key));
    }
    return true;
}

/* ---- did you mean ---- */

static struct str without_prefix(struct str key)
{
    const size_t slash = str_find(key, '/');
    return slash < key.n ? str_sub(key, slash + 1, key.n) : key;
}

/* 0: not alike; otherwise the better the larger. */
static int likeness(struct str key, struct str known)
{
    const size_t distance = str_distance(key, known);
    const struct str name = without_prefix(key);
    if (str_eq(name, without_prefix(known))) {
        return 4;
    }
    if (distance != SIZE_MAX && distance < known.n / 5) {
        return 3;
    }
    if (key.n > 0 && str_has(known, key)) {
        return 2;
    }
    return name.n > 0 && str_ends(known, name) ? 1 : 0;
}

static void prefer_likelier(const struct sched_vocab *vocab, strid key,
                            struct k8s_strids candidates, strid *best, int *best_likeness)
{
    for (uint32_t i = 0; i < candidates.n; i++) {
        if (candidates.v[i] == key) {
            continue;
        }
        const int alike =
            likeness(strtab_str(vocab->tab, key), strtab_str(vocab->tab, candidates.v[i]));
        if (alike > *best_likeness || (alike > 0 && alike == *best_likeness &&
                                       strtab_cmp(vocab->tab, candidates.v[i], *best) < 0)) {
            *best = candidates.v[i];
            *best_likeness = alike;
        }
    }
}

strid sched_key_typo(const struct sched_vocab *vocab, strid key, struct k8s_strids known)
{
    strid best = STRID_NONE;
    int best_likeness = 0;
    prefer_likelier(vocab, key, vocab->well_known, &best, &best_likeness);
    prefer_likelier(vocab, key, known, &best, &best_likeness);
    return best;
}
