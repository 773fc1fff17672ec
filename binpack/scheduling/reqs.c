/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/reqs.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/arena.h"

enum { REQ_TEXT_VALUES = 5 };

static int cmp_strid(const void *a, const void *b)
{
    const strid x = *(const strid *)a;
    const strid y = *(const strid *)b;
    return x < y ? -1 : x > y;
}

/* A copy of the values, ascending and distinct. */
static struct k8s_strids values_sorted(struct arena *arena, struct k8s_strids values)
{
    if (values.n == 0) {
        return (struct k8s_strids){0};
    }
    strid *sorted = ARENA_ARRAY(arena, strid, values.n);
    uint32_t n = 0;
    for (uint32_t i = 0; i < values.n; i++) {
        sorted[i] = values.v[i];
    }
    qsort(sorted, values.n, sizeof sorted[0], cmp_strid);
    for (uint32_t i = 0; i < values.n; i++) {
        if (n == 0 || sorted[n - 1] != sorted[i]) {
            sorted[n++] = sorted[i];
        }
    }
    return (struct k8s_strids){.n = n, .v = sorted};
}

static bool values_have(const struct k8s_strids *values, strid value)
{
    for (uint32_t i = 0; values->n <= 8 && i < values->n; i++) {
        if (values->v[i] == value) {
            return true;
        }
    }
    return values->n > 8 && bsearch(&value, values->v, values->n, sizeof value, cmp_strid) != NULL;
}

static bool within(const struct sched_vocab *vocab, strid value, struct opt_i64 gte,
                   struct opt_i64 lte)
{
    if (!gte.has && !lte.has) {
        return true;
    }
    int64_t number;
    if (!str_to_i64(strtab_str(vocab->tab, value), &number)) {
        return false;
    }
    return (!gte.has || number >= gte.v) && (!lte.has || number <= lte.v);
}

static struct sched_req req_nothing(strid key, struct opt_i32 min_values)
{
    return (struct sched_req){.key = key, .complement = false, .min_values = min_values};
}

/* Gt, Lt, Gte or Lte as bounds; a bound that is no integer, or that nothing can pass, leaves no
 * value. */
static struct sched_req req_bounded(const struct sched_vocab *vocab, strid key,
                                    const struct k8s_requirement *requirement)
{
    int64_t bound;
    struct sched_req req = {.key = key, .complement = true, .min_values = requirement->min_values};
    if (requirement->values.n != 1 ||
        !str_to_i64(strtab_str(vocab->tab, requirement->values.v[0]), &bound)) {
        return req_nothing(key, requirement->min_values);
    }
    if ((requirement->op == K8S_GT && bound == INT64_MAX) ||
        (requirement->op == K8S_LT && bound == INT64_MIN)) {
        return req_nothing(key, requirement->min_values);
    }
    if (requirement->op == K8S_GT || requirement->op == K8S_GTE) {
        req.gte = (struct opt_i64){.has = true, .v = requirement->op == K8S_GT ? bound + 1 : bound};
    } else {
        req.lte = (struct opt_i64){.has = true, .v = requirement->op == K8S_LT ? bound - 1 : bound};
    }
    return req;
}

struct sched_req sched_req_of(const struct sched_vocab *vocab, struct arena *arena,
                              const struct k8s_requirement *requirement)
{
    const strid key = sched_key(vocab, requirement->key);
    struct sched_req req = {.key = key, .min_values = requirement->min_values};
    switch (requirement->op) {
    case K8S_IN:
        req.values = values_sorted(arena, requirement->values);
        break;
    case K8S_NOT_IN:
        req.complement = true;
        req.values = values_sorted(arena, requirement->values);
        break;
    case K8S_EXISTS:
        req.complement = true;
        break;
    case K8S_DOES_NOT_EXIST:
        break;
    case K8S_GT:
    case K8S_LT:
    case K8S_GTE:
    case K8S_LTE:
        return req_bounded(vocab, key, requirement);
    }
    return req;
}

struct sched_req sched_req_of_field(const struct sched_vocab *vocab, struct arena *arena,
                                    const struct k8s_requirement *field)
{
    struct k8s_requirement named = *field;
    named.key = vocab->name_field;
    return sched_req_of(vocab, arena, &named);
}

struct sched_req sched_req_is(const struct sched_vocab *vocab, struct arena *arena, strid key,
                              strid value)
{
    strid *values = ARENA_ARRAY(arena, strid, 1);
    values[0] = value;
    return (struct sched_req){.key = sched_key(vocab, key), .values = {.n = 1, .v = values}};
}

enum k8s_operator sched_req_operator(const struct sched_req *req)
{
    if (req->complement) {
        return req->values.n > 0 ? K8S_NOT_IN : K8S_EXISTS;
    }
    return req->values.n > 0 ? K8S_IN : K8S_DOES_NOT_EXIST;
}

bool sched_req_has(const struct sched_vocab *vocab, const struct sched_req *req, strid value)
{
    return values_have(&req->values, value) != req->complement &&
           within(vocab, value, req->gte, req->lte);
}

/* The tighter of both bounds. */
static struct opt_i64 bound_and(struct opt_i64 a, struct opt_i64 b, bool larger)
{
    if (!a.has || !b.has) {
        return a.has ? a : b;
    }
    return (a.v > b.v) == larger ? a : b;
}

static bool bounds_contradict(struct opt_i64 gte, struct opt_i64 lte)
{
    return gte.has && lte.has && gte.v > lte.v;
}

/* The listed values of a and b, each kept when the other side agrees (or all of both for two
 * complements), within the bounds. */
static struct k8s_strids values_and(const struct sched_vocab *vocab, struct arena *arena,
                                    const struct sched_req *a, const struct sched_req *b,
                                    struct opt_i64 gte, struct opt_i64 lte)
{
    strid *kept = ARENA_ARRAY(arena, strid, a->values.n + b->values.n);
    uint32_t n = 0;
    uint32_t i = 0;
    uint32_t j = 0;
    while (i < a->values.n || j < b->values.n) {
        const bool take_a =
            j >= b->values.n || (i < a->values.n && a->values.v[i] <= b->values.v[j]);
        const bool take_b =
            i >= a->values.n || (j < b->values.n && b->values.v[j] <= a->values.v[i]);
        const strid value = take_a ? a->values.v[i] : b->values.v[j];
        i += take_a;
        j += take_b;
        const bool in_a = take_a != a->complement;
        const bool in_b = take_b != b->complement;
        const bool keep = a->complement && b->complement ? true : in_a && in_b;
        if (keep && within(vocab, value, gte, lte)) {
            kept[n++] = value;
        }
    }
    return (struct k8s_strids){.n = n, .v = kept};
}

struct sched_req sched_req_and(const struct sched_vocab *vocab, struct arena *arena,
                               const struct sched_req *a, const struct sched_req *b)
{
    struct sched_req req = {.key = a->key, .complement = a->complement && b->complement};
    const struct opt_i64 gte = bound_and(a->gte, b->gte, /* larger= */ true);
    const struct opt_i64 lte = bound_and(a->lte, b->lte, /* larger= */ false);
    req.min_values = !a->min_values.has || (b->min_values.has && b->min_values.v > a->min_values.v)
                         ? b->min_values
                         : a->min_values;
    if (bounds_contradict(gte, lte)) {
        return req_nothing(a->key, req.min_values);
    }
    req.values = values_and(vocab, arena, a, b, gte, lte);
    if (req.complement) {
        req.gte = gte;
        req.lte = lte;
    }
    return req;
}

bool sched_req_overlaps(const struct sched_vocab *vocab, const struct sched_req *a,
                        const struct sched_req *b)
{
    const struct opt_i64 gte = bound_and(a->gte, b->gte, /* larger= */ true);
    const struct opt_i64 lte = bound_and(a->lte, b->lte, /* larger= */ false);
    if (bounds_contradict(gte, lte)) {
        return false;
    }
    if (a->complement && b->complement) {
        return true;
    }
    const struct sched_req *listed = a->complement ? b : a;
    const struct sched_req *other = a->complement ? a : b;
    for (uint32_t i = 0; i < listed->values.n; i++) {
        const strid value = listed->values.v[i];
        if (values_have(&other->values, value) != other->complement &&
            within(vocab, value, gte, lte)) {
            return true;
        }
    }
    return false;
}

/* Selects the next value by text: the least one above `*last`. */
static bool next_by_text(const struct sched_vocab *vocab, struct k8s_strids values, strid *last)
{
    strid best = STRID_NONE;
    for (uint32_t i = 0; i < values.n; i++) {
        if ((*last == STRID_NONE || strtab_cmp(vocab->tab, values.v[i], *last) > 0) &&
            (best == STRID_NONE || strtab_cmp(vocab->tab, values.v[i], best) < 0)) {
            best = values.v[i];
        }
    }
    *last = best;
    return best != STRID_NONE;
}

void sched_req_text(const struct sched_vocab *vocab, const struct sched_req *req,
                    struct strbuf *out)
{
    static const char *const names[] = {
        [K8S_IN] = "In",         [K8S_NOT_IN] = "NotIn",
        [K8S_EXISTS] = "Exists", [K8S_DOES_NOT_EXIST] = "DoesNotExist",
        [K8S_GT] = "Gt",         [K8S_LT] = "Lt",
        [K8S_GTE] = "Gte",       [K8S_LTE] = "Lte"};
    const bool bounds_only =
        (req->gte.has || req->lte.has) && sched_req_operator(req) == K8S_EXISTS;
    strbuf_add(out, strtab_str(vocab->tab, req->key));
    if (!bounds_only) {
        strbuf_addf(out, " %s", names[sched_req_operator(req)]);
    }
    strid value = STRID_NONE;
    uint32_t shown = 0;
    while (shown < REQ_TEXT_VALUES && shown < req->values.n &&
           next_by_text(vocab, req->values, &value)) {
        strbuf_add(out, shown == 0 ? STR(" [") : STR(" "));
        strbuf_add(out, strtab_str(vocab->tab, value));
        shown++;
    }
    if (req->values.n > REQ_TEXT_VALUES) {
        strbuf_addf(out, " and %" PRIu32 " others", req->values.n - REQ_TEXT_VALUES);
    }
    if (shown > 0) {
        strbuf_addc(out, ']');
    }
    if (req->gte.has) {
        strbuf_addf(out, " >= %" PRId64, req->gte.v);
    }
    if (req->lte.has) {
        strbuf_addf(out, "%s <= %" PRId64, req->gte.has ? " and" : "", req->lte.v);
    }
    if (req->min_values.has) {
        strbuf_addf(out, " minValues %" PRId32, req->min_values.v);
    }
}

const struct sched_req *sched_reqs_find(struct sched_reqs reqs, strid key)
{
    uint32_t low = 0;
    uint32_t high = reqs.n;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (reqs.v[middle].key < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < reqs.n && reqs.v[low].key == key ? &reqs.v[low] : NULL;
}

struct sched_reqs sched_reqs_and(const struct sched_vocab *vocab, struct arena *arena,
                                 struct sched_reqs a, struct sched_reqs b)
{
    if (a.n == 0 || b.n == 0) {
        return a.n == 0 ? b : a;
    }
    struct sched_req *merged = ARENA_ARRAY(arena, struct sched_req, a.n + b.n);
    uint32_t n = 0;
    uint32_t i = 0;
    uint32_t j = 0;
    while (i < a.n || j < b.n) {
        if (j >= b.n || (i < a.n && a.v[i].key < b.v[j].key)) {
            merged[n++] = a.v[i++];
        } else if (i >= a.n || b.v[j].key < a.v[i].key) {
            merged[n++] = b.v[j++];
        } else {
            merged[n++] = sched_req_and(vocab, arena, &a.v[i++], &b.v[j++]);
        }
    }
    return (struct sched_reqs){.n = n, .v = merged};
}

struct sched_reqs sched_reqs_add(const struct sched_vocab *vocab, struct arena *arena,
                                 struct sched_reqs reqs, const struct sched_req *more)
{
    struct sched_req *one = ARENA_NEW(arena, struct sched_req);
    *one = *more;
    return sched_reqs_and(vocab, arena, reqs, (struct sched_reqs){.n = 1, .v = one});
}

struct sched_reqs sched_reqs_of(const struct sched_vocab *vocab, struct arena *arena, uint32_t n,
                                const struct k8s_requirement *requirements)
{
    struct sched_reqs reqs = {0};
    for (uint32_t i = 0; i < n; i++) {
        const struct sched_req req = sched_req_of(vocab, arena, &requirements[i]);
        reqs = sched_reqs_add(vocab, arena, reqs, &req);
    }
    return reqs;
}

struct sched_reqs sched_reqs_of_labels(const struct sched_vocab *vocab, struct arena *arena,
                                       const struct k8s_pairs *labels)
{
    struct sched_reqs reqs = {0};
    for (uint32_t i = 0; i < labels->n; i++) {
        const struct sched_req req =
            sched_req_is(vocab, arena, labels->v[i].key, labels->v[i].value);
        reqs = sched_reqs_add(vocab, arena, reqs, &req);
    }
    return reqs;
}

void sched_reqs_text(const struct sched_vocab *vocab, struct sched_reqs reqs, struct strbuf *out)
{
    strid last = STRID_NONE;
    for (uint32_t shown = 0; shown < reqs.n; shown++) {
        const struct sched_req *next = NULL;
        for (uint32_t i = 0; i < reqs.n; i++) {
            if ((last == STRID_NONE || strtab_cmp(vocab->tab, reqs.v[i].key, last) > 0) &&
                (next == NULL || strtab_cmp(vocab->tab, reqs.v[i].key, next->key) < 0)) {
                next = &reqs.v[i];
            }
        }
        if (next == NULL) {
            break; /* keys are distinct, so each round shows one */
        }
        last = next->key;
        if (shown > 0) {
            strbuf_add(out, STR(", "));
        }
        sched_req_text(vocab, next, out);
    }
}

static bool is_negative(const struct sched_req *req)
{
    const enum k8s_operator op = sched_req_operator(req);
    return op == K8S_NOT_IN || op == K8S_DOES_NOT_EXIST;
}

static bool clash(struct sched_conflict *ret_conflict, enum sched_clash kind, strid key)
{
    if (ret_conflict != NULL) {
        *ret_conflict = (struct sched_conflict){.clash = kind, .key = key};
    }
    return false;
}

bool sched_reqs_intersect(const struct sched_vocab *vocab, struct sched_reqs a, struct sched_reqs b,
                          struct sched_conflict *ret_conflict)
{
    uint32_t j = 0;
    strid worst = STRID_NONE; /* the first key by text, so that the answer does not depend on ids */
    for (uint32_t i = 0; i < a.n; i++) {
        while (j < b.n && b.v[j].key < a.v[i].key) {
            j++;
        }
        if (j >= b.n || b.v[j].key != a.v[i].key || sched_req_overlaps(vocab, &a.v[i], &b.v[j]) ||
            (is_negative(&a.v[i]) && is_negative(&b.v[j]))) {
            continue;
        }
        if (worst == STRID_NONE || strtab_cmp(vocab->tab, a.v[i].key, worst) < 0) {
            worst = a.v[i].key;
        }
    }
    if (worst != STRID_NONE) {
        return clash(ret_conflict, SCHED_CLASH_VALUES, worst);
    }
    if (ret_conflict != NULL) {
        *ret_conflict = (struct sched_conflict){.clash = SCHED_CLASH_NONE, .key = STRID_NONE};
    }
    return true;
}

bool sched_reqs_compatible(const struct sched_vocab *vocab, struct sched_reqs node,
                           struct sched_reqs pod, bool allow_well_known,
                           struct sched_conflict *ret_conflict)
{
    strid worst = STRID_NONE;
    for (uint32_t i = 0; i < pod.n; i++) {
        const strid key = pod.v[i].key;
        if ((allow_well_known && sched_key_well_known(vocab, key)) || is_negative(&pod.v[i]) ||
            sched_reqs_find(node, key) != NULL) {
            continue;
        }
        if (worst == STRID_NONE || strtab_cmp(vocab->tab, key, worst) < 0) {
            worst = key;
        }
    }
    if (worst != STRID_NONE) {
        return clash(ret_conflict, SCHED_CLASH_UNDEFINED, worst);
    }
    return sched_reqs_intersect(vocab, node, pod, ret_conflict);
}
