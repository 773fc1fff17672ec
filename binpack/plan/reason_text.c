/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/reason_text.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "base/qty.h"
#include "base/vec.h"

#include <inttypes.h>

enum { VALUES_SHOWN = 6, TEXT_MAX = 8192 };

struct strid_list {
    strid *v;
    size_t n, cap;
};

/* Numbers by size, other values by text. */
static int value_cmp(const struct explainer *x, strid a, strid b)
{
    uint64_t m, n;
    if (str_to_u64(strtab_str(x->s->tab, a), &m) && str_to_u64(strtab_str(x->s->tab, b), &n)) {
        return m < n ? -1 : m > n;
    }
    return strtab_cmp(x->s->tab, a, b);
}

static void add_value(const struct explainer *x, struct strid_list *list, strid value)
{
    if (value == STRID_NONE) {
        return;
    }
    size_t at = list->n;
    for (size_t i = 0; i < list->n; i++) {
        if (list->v[i] == value) {
            return;
        }
    }
    VEC_PUSH(x->scratch, list, value);
    for (; at > 0 && value_cmp(x, list->v[at - 1], value) > 0; at--) {
        list->v[at] = list->v[at - 1];
    }
    list->v[at] = value;
}

/* The values of a label that the pool's nodes can have, by text. */
static struct strid_list values_of_pool(const struct explainer *x, strid key, uint32_t pool_i)
{
    struct strid_list list = {0};
    strid last = STRID_NONE;
    for (uint32_t k = x->dims->pool_from[pool_i]; k < x->dims->pool_from[pool_i + 1]; k++) {
        strid value = sched_offer_label(x->offers, &x->offers->v[k], key);
        if (value != last) {
            add_value(x, &list, value);
            last = value;
        }
    }
    return list;
}

bool reason_key_known(const struct explainer *x, strid key)
{
    for (uint32_t k = 0; k < x->offers->n; k++) {
        if (sched_offer_label(x->offers, &x->offers->v[k], key) != STRID_NONE) {
            return true;
        }
    }
    for (uint32_t i = 0; i < x->s->n_nodes; i++) {
        if (sched_label(x->s->vocab, &x->s->nodes[i].labels, key) != STRID_NONE) {
            return true;
        }
    }
    return false;
}

static void add_values(const struct explainer *x, struct strbuf *text,
                       const struct strid_list *list)
{
    uint64_t least, most;
    if (list->n > VALUES_SHOWN && str_to_u64(strtab_str(x->s->tab, list->v[0]), &least) &&
        str_to_u64(strtab_str(x->s->tab, list->v[list->n - 1]), &most)) {
        strbuf_addf(text, "%zu values from %" PRIu64 " to %" PRIu64, list->n, least, most);
        return;
    }
    for (size_t i = 0; i < list->n && i < VALUES_SHOWN; i++) {
        strbuf_addf(text, "%s" STR_FMT, i == 0 ? "" : ", ",
                    STR_ARG(strtab_str(x->s->tab, list->v[i])));
    }
    if (list->n > VALUES_SHOWN) {
        strbuf_addf(text, " and %zu others", list->n - VALUES_SHOWN);
    }
}

/* Is the value one of those that nodes have somewhere, if not in this pool? Then nothing is
 * misspelt. */
static bool value_exists(const struct explainer *x, strid key, strid value)
{
    const struct sched_snapshot *s = x->s;
    const struct k8s_words *w = s->words;
    const strid known[] = {w->amd64, w->arm64,     w->os_linux, w->os_windows,
                           w->spot,  w->on_demand, w->reserved};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (value == known[i]) {
            return true;
        }
    }
    for (uint32_t t = 0; t < s->catalog->n_types; t++) {
        if (sched_label(s->vocab, &s->catalog->types[t].labels, key) == value) {
            return true;
        }
    }
    for (uint32_t z = 0; z < s->catalog->n_zones; z++) {
        if (value == s->catalog->zones[z].name || value == s->zone_ids[z]) {
            return true;
        }
    }
    for (uint32_t i = 0; i < s->n_nodes; i++) {
        if (sched_label(s->vocab, &s->nodes[i].labels, key) == value) {
            return true;
        }
    }
    for (uint32_t v = 0; v < x->offers->variants.n; v++) {
        if (sched_label(s->vocab, &x->offers->variants.v[v].labels, key) == value) {
            return true;
        }
    }
    return false;
}

/* The offered value that is spelt most like a wanted one, if any is alike at all. */
static strid nearest_value(const struct explainer *x, const struct sched_req *req,
                           const struct strid_list *list)
{
    strid best = STRID_NONE;
    size_t best_distance = 4; /* more edits are another word */
    for (uint32_t w = 0; !req->complement && w < req->values.n; w++) {
        for (size_t i = 0; i < list->n; i++) {
            struct str wanted = strtab_str(x->s->tab, req->values.v[w]);
            if (value_exists(x, req->key, req->values.v[w])) {
                continue;
            }
            size_t distance = str_distance(wanted, strtab_str(x->s->tab, list->v[i]));
            if (distance < best_distance && 2 * distance < wanted.n) {
                best = list->v[i];
                best_distance = distance;
            }
        }
    }
    return best;
}

/* What the pool says of a label that it leaves open: any value may be put there in its sentence,
 * but none is on offer. False when it lists values or does not name the key. */
static bool add_open_label(const struct explainer *x, strid key, uint32_t pool_i,
                           struct strbuf *text)
{
    const struct karp_nodepool *pool = x->s->pools[pool_i].pool;
    struct sched_reqs all = {0};
    for (uint32_t i = 0; i < pool->n_requirements; i++) {
        const struct sched_req req = sched_req_of(x->s->vocab, x->scratch, &pool->requirements[i]);
        if (req.key == key && sched_part_of(x->s, key) == SCHED_PART_VARIANT) {
            all = sched_reqs_add(x->s->vocab, x->scratch, all, &req);
        }
    }
    if (all.n == 0 || !all.v[0].complement) {
        return false;
    }
    struct sched_req open = all.v[0];
    open.min_values.has = false;
    strbuf_addf(text, ", but the NodePool requires ");
    sched_req_text(x->s->vocab, &open, text);
    return true;
}

static struct k8s_strids custom_keys(const struct explainer *x)
{
    struct strid_list list = {0};
    for (uint32_t v = 0; v < x->offers->variants.n; v++) {
        const struct k8s_pairs *labels = &x->offers->variants.v[v].labels;
        for (uint32_t i = 0; i < labels->n; i++) {
            add_value(x, &list, labels->v[i].key);
        }
    }
    return (struct k8s_strids){.n = (uint32_t)list.n, .v = list.v};
}

struct str reason_label_text(const struct explainer *x, const struct sched_req *req,
                             uint32_t pool_i)
{
    struct strbuf text = strbuf_new(x->a->arena, TEXT_MAX);
    struct strid_list offered = values_of_pool(x, req->key, pool_i);
    strbuf_addf(&text, "asks for ");
    sched_req_text(x->s->vocab, req, &text);
    if (offered.n > 0 && add_open_label(x, req->key, pool_i, &text)) {
        return strbuf_str(&text);
    }
    if (offered.n > 0) {
        strbuf_addf(&text, ", but the NodePool offers ");
        add_values(x, &text, &offered);
        strid nearest = nearest_value(x, req, &offered);
        if (nearest != STRID_NONE) {
            strbuf_addf(&text, " (did you mean " STR_FMT "?)",
                        STR_ARG(strtab_str(x->s->tab, nearest)));
        }
        return strbuf_str(&text);
    }
    strbuf_addf(&text, reason_key_known(x, req->key)
                           ? ", a label that its nodes do not have"
                           : ", a label that no node and no NodePool has");
    strid meant = sched_key_typo(x->s->vocab, req->key, custom_keys(x));
    if (meant != STRID_NONE) {
        strbuf_addf(&text, " (did you mean " STR_FMT "?)", STR_ARG(strtab_str(x->s->tab, meant)));
    }
    return strbuf_str(&text);
}

/* The claims of the pod with their volumes. */
static void add_claims(const struct explainer *x, const struct k8s_pod *pod, struct strbuf *text)
{
    const struct k8s_cluster *cluster = x->s->cluster;
    uint32_t n = 0;
    for (uint32_t v = 0; v < pod->shape->n_volumes; v++) {
        const struct k8s_volume *volume = &pod->shape->volumes[v];
        if (volume->kind != K8S_VOLUME_CLAIM) {
            continue;
        }
        strbuf_addf(text, "%s" STR_FMT, n++ > 0 ? ", " : "claim ", STR_ARG(volume->claim_name));
        for (uint32_t i = 0; i < cluster->n_pvcs; i++) {
            const struct k8s_pvc *pvc = &cluster->pvcs[i];
            if (pvc->meta.ns == pod->ns && str_eq(pvc->meta.name, volume->claim_name) &&
                pvc->volume_name.n > 0) {
                strbuf_addf(text, " (volume " STR_FMT ")", STR_ARG(pvc->volume_name));
            }
        }
    }
    if (n == 0) {
        strbuf_addf(text, "its volumes");
    }
}

struct str reason_volume_text(const struct explainer *x, const struct sched_need *need,
                              uint32_t pool_i)
{
    struct strbuf text = strbuf_new(x->a->arena, TEXT_MAX);
    strid zone = x->s->words->zone;
    struct strid_list usable = {0}, offered = values_of_pool(x, zone, pool_i);
    for (uint32_t a = 0; a < need->n_alternatives; a++) {
        for (uint32_t i = 0; i < need->alternatives[a].n; i++) {
            const struct sched_req *req = &need->alternatives[a].v[i];
            for (uint32_t k = 0; req->key == zone && !req->complement && k < req->values.n; k++) {
                add_value(x, &usable, req->values.v[k]);
            }
        }
    }
    add_claims(x, &x->s->cluster->pods[need->pod], &text);
    if (usable.n == 0) {
        strbuf_addf(&text, ": cannot be used from any node that the pod may run on");
        return strbuf_str(&text);
    }
    strbuf_addf(&text, ": usable in zone ");
    add_values(x, &text, &usable);
    strbuf_addf(&text, " only (with what the pod itself asks), but the NodePool offers ");
    add_values(x, &text, &offered);
    return strbuf_str(&text);
}

/* The key that a toleration of the pod spells a little differently; STRID_NONE: none does. */
static strid alike_toleration(const struct explainer *x, const struct sched_need *need,
                              const struct k8s_taint *taint)
{
    struct str wanted = strtab_str(x->s->tab, taint->key);
    for (uint32_t i = 0; i < need->n_tolerations; i++) {
        struct str key = strtab_str(x->s->tab, need->tolerations[i].key);
        size_t distance = str_distance(key, wanted);
        if (key.n > 0 && distance > 0 && distance <= 3 && 2 * distance < wanted.n) {
            return need->tolerations[i].key;
        }
    }
    return STRID_NONE;
}

struct str reason_taint_text(const struct explainer *x, const struct sched_need *need,
                             const struct k8s_taint *taint)
{
    static const char *const effects[] = {[K8S_EFFECT_ANY] = "",
                                          [K8S_NO_SCHEDULE] = ":NoSchedule",
                                          [K8S_PREFER_NO_SCHEDULE] = ":PreferNoSchedule",
                                          [K8S_NO_EXECUTE] = ":NoExecute"};
    struct strbuf text = strbuf_new(x->a->arena, TEXT_MAX);
    strbuf_addf(&text, "does not tolerate the taint " STR_FMT,
                STR_ARG(strtab_str(x->s->tab, taint->key)));
    if (taint->value != STRID_EMPTY && taint->value != STRID_NONE) {
        strbuf_addf(&text, "=" STR_FMT, STR_ARG(strtab_str(x->s->tab, taint->value)));
    }
    strbuf_addf(&text, "%s of the NodePool", effects[taint->effect]);
    strid alike = alike_toleration(x, need, taint);
    if (alike != STRID_NONE) {
        strbuf_addf(&text, "; it tolerates " STR_FMT ": did you mean " STR_FMT "?",
                    STR_ARG(strtab_str(x->s->tab, alike)),
                    STR_ARG(strtab_str(x->s->tab, taint->key)));
    }
    return strbuf_str(&text);
}

static void add_amount(const struct explainer *x, struct strbuf *text, strid resource,
                       int64_t value)
{
    const struct k8s_words *w = x->s->words;
    char buffer[QTY_TEXT_MAX];
    if (resource == w->cpu && value % 1000 == 0) {
        strbuf_addf(text, "%lld", (long long)(value / 1000)); /* "1k" cores would be hard to read */
        return;
    }
    bool binary = resource == w->memory || resource == w->ephemeral_storage ||
                  str_starts(strtab_str(x->s->tab, resource), STR("hugepages-"));
    struct str amount = qty_format(value, resource == w->cpu ? QTY_MILLI : QTY_BASE,
                                   binary ? QTY_BINARY : QTY_DECIMAL, buffer);
    strbuf_add(text, amount);
}

static void add_dim(const struct explainer *x, struct strbuf *text, uint32_t d, int64_t value)
{
    const struct sched_dim *dim = &x->dims->v[d];
    if (dim->attach) {
        strbuf_addf(text, "%lld volumes of " STR_FMT, (long long)value,
                    STR_ARG(strtab_str(x->s->tab, dim->name)));
        return;
    }
    strbuf_addf(text, STR_FMT " ", STR_ARG(strtab_str(x->s->tab, dim->name)));
    add_amount(x, text, dim->name, value);
}

static bool admitted(const struct explainer *x, uint32_t need_i, uint32_t k)
{
    return bits_get(x->masks.v[x->masks.of_need[need_i]].cells, x->offers->v[k].cell_i) &&
           bits_get(x->dims->roomy, k);
}

static struct str type_name(const struct explainer *x, uint32_t k)
{
    return strtab_str(x->s->tab, x->s->catalog->types[x->offers->v[k].type_i].name);
}

/* The admitted offer with most of a dimension. */
static uint32_t largest(const struct explainer *x, uint32_t need_i, uint32_t pool_i, uint32_t d)
{
    uint32_t best = SCHED_NONE;
    for (uint32_t k = x->dims->pool_from[pool_i]; k < x->dims->pool_from[pool_i + 1]; k++) {
        if (admitted(x, need_i, k) &&
            (best == SCHED_NONE || x->dims->offer_capacity[(size_t)k * x->dims->n + d] >
                                       x->dims->offer_capacity[(size_t)best * x->dims->n + d])) {
            best = k;
        }
    }
    return best;
}

/* Millionths of the pod that the offer lacks, summed over dimensions. */
static int64_t shortage(const struct explainer *x, const int64_t *size, uint32_t k)
{
    int64_t sum = 0;
    for (uint32_t d = 0; d < x->dims->n; d++) {
        int64_t has = x->dims->offer_capacity[(size_t)k * x->dims->n + d];
        if (size[d] > has) {
            sum = sat_add(sum, muldiv_ceil(size[d] - has, 1000000, size[d]));
        }
    }
    return sum;
}

static void add_nearest(const struct explainer *x, uint32_t need_i, const int64_t *size,
                        uint32_t pool_i, struct strbuf *text)
{
    uint32_t best = SCHED_NONE;
    for (uint32_t k = x->dims->pool_from[pool_i]; k < x->dims->pool_from[pool_i + 1]; k++) {
        if (admitted(x, need_i, k) &&
            (best == SCHED_NONE || shortage(x, size, k) < shortage(x, size, best))) {
            best = k;
        }
    }
    strbuf_addf(text,
                "no instance type has all it requests together; the nearest, " STR_FMT ", has ",
                STR_ARG(type_name(x, best)));
    bool first = true;
    for (uint32_t d = 0; d < x->dims->n; d++) {
        int64_t has = x->dims->offer_capacity[(size_t)best * x->dims->n + d];
        if (size[d] > has) {
            strbuf_addf(text, "%s", first ? "" : ", ");
            add_dim(x, text, d, has);
            strbuf_addf(text, " of ");
            add_amount(x, text, x->dims->v[d].attach ? STRID_EMPTY : x->dims->v[d].name, size[d]);
            first = false;
        }
    }
}

struct str reason_room_text(const struct explainer *x, uint32_t need_i, const int64_t *size,
                            uint32_t pool_i)
{
    struct strbuf text = strbuf_new(x->a->arena, TEXT_MAX);
    bool any = false;
    for (uint32_t d = 0; d < x->dims->n; d++) {
        uint32_t k = largest(x, need_i, pool_i, d);
        int64_t has = x->dims->offer_capacity[(size_t)k * x->dims->n + d];
        if (size[d] <= has) {
            continue;
        }
        strbuf_addf(&text, "%s", any ? "; " : "");
        any = true;
        strbuf_addf(&text, "requests ");
        add_dim(x, &text, d, size[d]);
        if (has == 0) {
            strbuf_addf(&text, ", which no instance type it may use has");
            continue;
        }
        strbuf_addf(&text, ", but the largest instance type it may use, " STR_FMT ", leaves ",
                    STR_ARG(type_name(x, k)));
        add_amount(x, &text, x->dims->v[d].attach ? STRID_EMPTY : x->dims->v[d].name, has);
        if (x->dims->v[d].name == x->s->words->cpu && size[d] >= 100000 && size[d] % 1000 == 0 &&
            size[d] / 1000 <= has) {
            strbuf_addf(&text, " (did you mean %lldm?)", (long long)(size[d] / 1000));
        }
    }
    if (!any) {
        add_nearest(x, need_i, size, pool_i, &text);
    }
    return strbuf_str(&text);
}

/* The pool's offers that admit and hold the pod and can be had. */
static uint32_t fitting_offers(const struct explainer *x, uint32_t need_i, const int64_t *size,
                               uint32_t pool_i, uint32_t *offers)
{
    uint32_t n = 0;
    for (uint32_t k = x->dims->pool_from[pool_i]; k < x->dims->pool_from[pool_i + 1]; k++) {
        if (admitted(x, need_i, k) && bits_get(x->dims->usable, k) &&
            sched_dims_fit(x->dims, size, x->dims->offer_capacity + (size_t)k * x->dims->n)) {
            offers[n++] = k;
        }
    }
    return n;
}

struct str reason_variety_text(const struct explainer *x, uint32_t need_i, const int64_t *size,
                               uint32_t pool_i)
{
    struct strbuf text = strbuf_new(x->a->arena, TEXT_MAX);
    uint32_t *offers = ARENA_ARRAY(x->scratch, uint32_t, x->offers->n);
    const uint32_t n = fitting_offers(x, need_i, size, pool_i, offers);
    const struct k8s_requirement *req = NULL;
    uint32_t found = 0;
    strbuf_addf(&text, "minValues of the NodePool is not met");
    if (!sched_variety_met(x->offers, x->s->pools[pool_i].pool, offers, n, x->scratch, &req,
                           &found)) {
        strbuf_addf(&text,
                    ": it asks for %d different values of " STR_FMT
                    ", the instance types that hold the pod have %u",
                    (int)req->min_values.v, STR_ARG(strtab_str(x->s->tab, req->key)), found);
    }
    return strbuf_str(&text);
}

struct str reason_reservations(const struct explainer *x, uint32_t need_i, const int64_t *size,
                               uint32_t pool_i)
{
    struct strbuf text = strbuf_new(x->a->arena, TEXT_MAX);
    uint32_t *offers = ARENA_ARRAY(x->scratch, uint32_t, x->offers->n);
    const uint32_t n = fitting_offers(x, need_i, size, pool_i, offers);
    struct strid_list ids = {0};
    for (uint32_t i = 0; i < n; i++) {
        const struct sched_offer *offer = &x->offers->v[offers[i]];
        if (offer->capacity_type != CAT_RESERVED) {
            return STR_EMPTY;
        }
        add_value(x, &ids, offer->reservation_id);
    }
    add_values(x, &text, &ids);
    return strbuf_str(&text);
}

struct str reason_host_text(const struct explainer *x, const struct sched_req *req)
{
    struct strbuf text = strbuf_new(x->a->arena, TEXT_MAX);
    strbuf_addf(&text, "asks for ");
    sched_req_text(x->s->vocab, req, &text);
    strbuf_addf(&text, req->key == x->s->words->hostname
                           ? ", a restricted label that no new node can be asked to have"
                           : ", and no new node can be that one");
    for (uint32_t i = 0; !req->complement && i < req->values.n && i < VALUES_SHOWN; i++) {
        const struct str name = strtab_str(x->s->tab, req->values.v[i]);
        bool runs = false;
        for (uint32_t k = 0; k < x->s->n_nodes; k++) {
            const strid host = sched_label(x->s->vocab, &x->s->nodes[k].labels, req->key);
            runs = runs || host == req->values.v[i];
        }
        strbuf_addf(&text, "; " STR_FMT " %s", STR_ARG(name),
                    runs ? "is running, but does not take the pod" : "is no running node");
    }
    return strbuf_str(&text);
}

struct str reason_limits_left(const struct explainer *x, uint32_t pool_i)
{
    struct strbuf text = strbuf_new(x->a->arena, TEXT_MAX);
    const struct k8s_resources *left = &x->s->pools[pool_i].limits_left;
    struct strid_list names = {0};
    for (uint32_t i = 0; i < left->n; i++) {
        add_value(x, &names, left->v[i].resource);
    }
    for (size_t i = 0; i < names.n; i++) {
        strbuf_addf(&text, "%s" STR_FMT " ", i == 0 ? "" : ", ",
                    STR_ARG(strtab_str(x->s->tab, names.v[i])));
        add_amount(x, &text, names.v[i], k8s_resources_get(left, names.v[i]));
    }
    return strbuf_str(&text);
}

struct str reason_limit_text(const struct explainer *x, uint32_t need_i, const int64_t *size,
                             uint32_t pool_i)
{
    struct strbuf text = strbuf_new(x->a->arena, TEXT_MAX);
    const struct sched_pool *pool = &x->s->pools[pool_i];
    uint32_t cheapest = SCHED_NONE;
    for (uint32_t k = x->dims->pool_from[pool_i]; k < x->dims->pool_from[pool_i + 1]; k++) {
        if (admitted(x, need_i, k) &&
            sched_dims_fit(x->dims, size, x->dims->offer_capacity + (size_t)k * x->dims->n) &&
            (cheapest == SCHED_NONE || x->offers->v[k].price < x->offers->v[cheapest].price)) {
            cheapest = k;
        }
    }
    const struct cat_room *room = &x->offers->rooms[x->offers->v[cheapest].room_i].room;
    strbuf_addf(&text,
                "the limits of the NodePool leave " STR_FMT
                "; the cheapest node for the pod, " STR_FMT ", counts as ",
                STR_ARG(reason_limits_left(x, pool_i)), STR_ARG(type_name(x, cheapest)));
    bool first = true;
    for (uint32_t i = 0; i < pool->limits_left.n; i++) {
        strid resource = pool->limits_left.v[i].resource;
        int64_t use =
            resource == x->s->words->nodes ? 1 : k8s_resources_get(&room->capacity, resource);
        if (use > pool->limits_left.v[i].value) {
            strbuf_addf(&text, "%s" STR_FMT " ", first ? "" : ", ",
                        STR_ARG(strtab_str(x->s->tab, resource)));
            add_amount(x, &text, resource, use);
            first = false;
        }
    }
    return strbuf_str(&text);
}

static void add_term_expressions(const struct explainer *x, const struct k8s_selector *selector,
                                 struct strbuf *text)
{
    static const char *const names[] = {[K8S_IN] = "in", [K8S_NOT_IN] = "notin"};
    const char *separator = selector->match_labels.n > 0 ? "," : "";
    for (uint32_t i = 0; i < selector->n_expressions; i++) {
        const struct k8s_requirement *e = &selector->expressions[i];
        const struct str key = strtab_str(x->s->tab, e->key);
        strbuf_addf(text, "%s%s" STR_FMT, separator, e->op == K8S_DOES_NOT_EXIST ? "!" : "",
                    STR_ARG(key));
        separator = ",";
        if (e->op != K8S_IN && e->op != K8S_NOT_IN) {
            continue;
        }
        strbuf_addf(text, " %s (", names[e->op]);
        for (uint32_t k = 0; k < e->values.n; k++) {
            strbuf_addf(text, "%s" STR_FMT, k == 0 ? "" : ",",
                        STR_ARG(strtab_str(x->s->tab, e->values.v[k])));
        }
        strbuf_addc(text, ')');
    }
}

/* In kubectl's syntax: "app=web,tier in (a,b)". */
static void add_selector(const struct explainer *x, const struct k8s_selector *selector,
                         struct strbuf *text)
{
    for (uint32_t i = 0; i < selector->match_labels.n; i++) {
        const struct k8s_pair *pair = &selector->match_labels.v[i];
        strbuf_addf(text, "%s" STR_FMT "=" STR_FMT, i == 0 ? "" : ",",
                    STR_ARG(strtab_str(x->s->tab, pair->key)),
                    STR_ARG(strtab_str(x->s->tab, pair->value)));
    }
    add_term_expressions(x, selector, text);
}

struct str reason_affinity_text(const struct explainer *x, uint32_t pod, strid key)
{
    const struct k8s_pod_shape *shape = x->s->cluster->pods[pod].shape;
    struct strbuf text = strbuf_new(x->a->arena, TEXT_MAX);
    const char *separator = " (";
    strbuf_add(
        &text,
        STR("no pod that runs or that this plan could place matches its required pod affinity"));
    for (uint32_t i = 0; i < shape->n_affinity; i++) {
        const struct k8s_pod_term *term = &shape->affinity[i];
        if (sched_key(x->s->vocab, term->key) == key) {
            strbuf_addf(&text, "%s", separator);
            separator = "; ";
            add_selector(x, &term->selector, &text);
        }
    }
    strbuf_addf(&text, "%s on " STR_FMT, *separator == ';' ? ")" : "",
                STR_ARG(strtab_str(x->s->tab, key)));
    return strbuf_str(&text);
}
