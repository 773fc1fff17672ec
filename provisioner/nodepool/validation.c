/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodepool/validation.h"

#include "base/arena.h"
#include "binpack/scheduling/vocab.h"

enum { FAULTS_MAX = 16 * 1024 };

struct faults {
    const struct karp_nodepool *pool;
    const struct sched_vocab *vocab;
    struct strbuf text;
};

static struct str word(const struct faults *f, strid id)
{
    return strtab_str(f->vocab->tab, id);
}

/* The beginning of another one. */
static struct strbuf *next(struct faults *f)
{
    strbuf_add(&f->text, f->text.n > 0 ? STR("; ") : STR_EMPTY);
    return &f->text;
}

/* karp: IsRestrictedLabel, with the domain that the AWS provider adds. */
static bool is_restricted(const struct faults *f, strid key)
{
    static const char *const domains[] = {"karpenter.sh", "karpenter.k8s.aws"};
    const struct str text = word(f, key);
    const struct str domain = str_sub(text, 0, str_find(text, '/'));
    if (sched_key_well_known(f->vocab, key)) {
        return false;
    }
    for (size_t i = 0; domain.n < text.n && i < sizeof domains / sizeof domains[0]; i++) {
        const struct str own = str_of(domains[i]);
        const struct str end =
            domain.n > own.n ? str_sub(domain, domain.n - own.n - 1, domain.n) : STR_EMPTY;
        if (str_eq(domain, own) ||
            (end.n > 0 && end.p[0] == '.' && str_eq(str_sub(end, 1, end.n), own))) {
            return true;
        }
    }
    return key == f->vocab->words->hostname;
}

static void add_restricted(struct strbuf *b, struct str key)
{
    strbuf_addf(b,
                "using label " STR_FMT " is not allowed as it might interfere with the internal "
                "provisioning logic; specify a well known label, or a custom label that does not "
                "use a restricted domain: [karpenter.k8s.aws karpenter.sh]",
                STR_ARG(key));
}

static void check_labels(struct faults *f)
{
    for (uint32_t i = 0; i < f->pool->template_labels.n; i++) {
        const strid key = f->pool->template_labels.v[i].key;
        if (key == f->vocab->words->nodepool) {
            strbuf_addf(next(f), "invalid key name \"" STR_FMT "\" in labels, restricted",
                        STR_ARG(word(f, key)));
        } else if (is_restricted(f, key)) {
            strbuf_addf(next(f), "invalid key name \"" STR_FMT "\" in labels, ",
                        STR_ARG(word(f, key)));
            add_restricted(&f->text, word(f, key));
        }
    }
}

static const struct k8s_taint *taint_at(const struct karp_nodepool *pool, uint32_t i)
{
    return i < pool->n_taints ? &pool->taints[i] : &pool->startup_taints[i - pool->n_taints];
}

static const char *effect_name(enum k8s_effect effect)
{
    static const char *const names[] = {[K8S_EFFECT_ANY] = "",
                                        [K8S_NO_SCHEDULE] = "NoSchedule",
                                        [K8S_PREFER_NO_SCHEDULE] = "PreferNoSchedule",
                                        [K8S_NO_EXECUTE] = "NoExecute"};
    return names[effect];
}

/* Across both lists. */
static void check_taints(struct faults *f)
{
    const uint32_t n = f->pool->n_taints + f->pool->n_startup_taints;
    for (uint32_t i = 0; i < n; i++) {
        const struct k8s_taint *taint = taint_at(f->pool, i);
        bool twice = false;
        for (uint32_t k = 0; k < i; k++) {
            const struct k8s_taint *before = taint_at(f->pool, k);
            twice = twice || (before->key == taint->key && before->effect == taint->effect);
        }
        if (twice) {
            strbuf_addf(next(f), "duplicate taint Key/Effect pair " STR_FMT "=%s",
                        STR_ARG(word(f, taint->key)), effect_name(taint->effect));
        }
    }
}

/* karp: validateWellKnownValues; only capacity types have values that are known. */
static void check_capacity_types(struct faults *f, const struct k8s_requirement *r)
{
    const struct k8s_words *words = f->vocab->words;
    int32_t n = 0;
    for (uint32_t i = 0; i < r->values.n; i++) {
        const strid value = r->values.v[i];
        n += value == words->spot || value == words->on_demand || value == words->reserved;
    }
    if (r->key != words->capacity_type || r->op != K8S_IN ||
        (n > 0 && !(r->min_values.has && n < r->min_values.v))) {
        return;
    }
    struct strbuf *b = next(f);
    strbuf_add(b, STR("invalid value: "));
    strbuf_add(b, n == 0 ? STR("no valid values found in [")
                         : STR("not enough valid values found in ["));
    for (uint32_t i = 0; i < r->values.n; i++) {
        strbuf_add(b, i > 0 ? STR(" ") : STR_EMPTY);
        strbuf_add(b, word(f, r->values.v[i]));
    }
    strbuf_addf(b, "] for " STR_FMT ", expected ", STR_ARG(word(f, r->key)));
    if (n > 0) {
        strbuf_addf(b, "at least %d valid values from: [on-demand reserved spot], got: %d",
                    r->min_values.v, n);
    } else {
        strbuf_add(b, STR("one of: [on-demand reserved spot]"));
    }
    strbuf_add(b, STR(" in requirements, restricted"));
}

static void check_requirements(struct faults *f)
{
    for (uint32_t i = 0; i < f->pool->n_requirements; i++) {
        const struct k8s_requirement *r = &f->pool->requirements[i];
        if (r->key == f->vocab->words->nodepool) {
            strbuf_addf(next(f), "invalid key: \"" STR_FMT "\" in requirements, restricted",
                        STR_ARG(word(f, r->key)));
        } else if (is_restricted(f, sched_key(f->vocab, r->key))) {
            strbuf_add(next(f), STR("invalid value: "));
            add_restricted(&f->text, word(f, r->key));
            strbuf_add(&f->text, STR(" in requirements, restricted"));
        }
        check_capacity_types(f, r);
    }
}

struct str validation_faults(const struct karp_nodepool *pool, const struct sched_vocab *vocab,
                             struct arena *arena)
{
    struct faults faults = {.pool = pool, .vocab = vocab, .text = strbuf_new(arena, FAULTS_MAX)};
    check_labels(&faults);
    check_taints(&faults);
    check_requirements(&faults);
    return strbuf_str(&faults.text);
}
