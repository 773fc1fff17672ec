/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/lifecycle/unavailable.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/vec.h"

enum {
    FIRST_MS = 3 * 60 * 1000,
    MOST_MS = 30 * 60 * 1000,
    MANY_FAMILIES = 8,
    EXPECTED_PART = 3,
    EXPECTED_SIZES = 4,
    FAMILY_TYPES = 2,      /* so many types of a family, and the family has none */
    CLASS_FAMILIES = 3,    /* so many families, and the class has none */
    KEY_MAX = 160,         /* what is longer is no offering */
    MARKS_MAX = 16 * 1024, /* more than types x zones x capacity types of the largest region */
    FAMILIES_MAX = 256
};

struct key {
    uint16_t n;
    char p[KEY_MAX];
};

struct mark {
    struct key key;
    mono_t until;
    int64_t hold_ms;
    int64_t vcpu; /* covers sizes from here on */
};

struct unavailable {
    struct arena arena;
    VEC(struct mark *) marks; /* by key */
    VEC(struct mark *) spare;
    uint64_t version;
};

struct unavailable *unavailable_new(void)
{
    struct arena arena = ARENA_INIT;
    struct unavailable *u = ARENA_NEW(&arena, struct unavailable);
    u->arena = arena;
    return u;
}

void unavailable_free(struct unavailable *u)
{
    if (u != NULL) {
        struct arena arena = u->arena;
        arena_done(&arena);
    }
}

/* ---- places ---- */

enum place { PLACE_OFFERING, PLACE_FAMILY, PLACE_CLASS, PLACE_QUOTA, PLACE_ALL, N_PLACES };

static struct str family_of(struct str type)
{
    return str_sub(type, 0, str_find(type, '.'));
}

/* What EC2 counts under one quota, by the letters that the name begins with:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-quotas.html */
static struct str class_of(struct str type)
{
    static const char *const standard[] = {"a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"};
    size_t n = 0;
    while (n < type.n && type.p[n] >= 'a' && type.p[n] <= 'z') {
        n++;
    }
    const struct str letters = str_sub(type, 0, n);
    for (size_t i = 0; i < sizeof standard / sizeof standard[0]; i++) {
        if (str_eq(letters, str_of(standard[i]))) {
            return STR("standard");
        }
    }
    return str_eq(letters, STR("vt")) ? STR("g") : letters;
}

/* False: too long to be one. */
static bool key_of(const struct unavailable_offering *o, enum place place, struct key *ret_key)
{
    const struct str what[N_PLACES] = {[PLACE_OFFERING] = o->type,
                                       [PLACE_FAMILY] = family_of(o->type),
                                       [PLACE_CLASS] = class_of(o->type),
                                       [PLACE_QUOTA] = class_of(o->type),
                                       [PLACE_ALL] = STR_EMPTY};
    static const char letters[N_PLACES] = {'o', 'f', 'c', 'q', 'a'};
    const bool zonal = place == PLACE_OFFERING || place == PLACE_FAMILY || place == PLACE_CLASS;
    const struct str parts[] = {what[place], zonal ? o->zone : STR_EMPTY, o->capacity_type};
    ret_key->n = 1;
    ret_key->p[0] = letters[place];
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (ret_key->n + 1 + parts[i].n > KEY_MAX) {
            return false;
        }
        ret_key->p[ret_key->n++] = '/';
        if (parts[i].n > 0) {
            memcpy(ret_key->p + ret_key->n, parts[i].p, parts[i].n);
            ret_key->n = (uint16_t)(ret_key->n + parts[i].n);
        }
    }
    return true;
}

static int key_cmp(const struct key *a, const struct key *b)
{
    return str_cmp((struct str){.p = a->p, .n = a->n}, (struct str){.p = b->p, .n = b->n});
}

/* The place of the key, or where it would be. */
static size_t place_of(const struct unavailable *u, const struct key *key)
{
    size_t low = 0, high = u->marks.n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (key_cmp(&u->marks.v[middle]->key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct mark *find(const struct unavailable *u, const struct key *key)
{
    const size_t i = place_of(u, key);
    return i < u->marks.n && key_cmp(&u->marks.v[i]->key, key) == 0 ? u->marks.v[i] : NULL;
}

/* ---- marks ---- */

static bool is_forgotten(const struct mark *mark, mono_t now)
{
    return now - mark->until > mark->hold_ms;
}

static void forget(struct unavailable *u, mono_t now)
{
    size_t kept = 0;
    for (size_t i = 0; i < u->marks.n; i++) {
        if (is_forgotten(u->marks.v[i], now)) {
            VEC_PUSH(&u->arena, &u->spare, u->marks.v[i]);
        } else {
            u->marks.v[kept++] = u->marks.v[i];
        }
    }
    u->marks.n = kept;
}

static struct mark *insert(struct unavailable *u, const struct key *key, mono_t now)
{
    if (u->marks.n == MARKS_MAX) {
        forget(u, now);
    }
    if (u->marks.n == MARKS_MAX) {
        return NULL;
    }
    const size_t i = place_of(u, key);
    struct mark *mark =
        u->spare.n > 0 ? u->spare.v[--u->spare.n] : ARENA_NEW(&u->arena, struct mark);
    *mark = (struct mark){.key = *key, .until = INT64_MIN / 2};
    VEC_PUSH(&u->arena, &u->marks, mark);
    memmove(u->marks.v + i + 1, u->marks.v + i, (u->marks.n - 1 - i) * sizeof(struct mark *));
    u->marks.v[i] = mark;
    return mark;
}

static void strike(struct unavailable *u, const struct unavailable_offering *o, enum place place,
                   mono_t now)
{
    struct key key;
    if (!key_of(o, place, &key)) {
        return;
    }
    struct mark *mark = find(u, &key);
    mark = mark != NULL ? mark : insert(u, &key, now);
    if (mark == NULL) {
        return;
    }
    if (mark->until > now) {
        u->version += o->vcpu < mark->vcpu;
        mark->vcpu = o->vcpu < mark->vcpu ? o->vcpu : mark->vcpu;
        return;
    }
    const bool expected = place == PLACE_FAMILY || place == PLACE_CLASS;
    const int64_t first = expected ? FIRST_MS / EXPECTED_PART : FIRST_MS;
    const int64_t most = expected ? MOST_MS / EXPECTED_PART : MOST_MS;
    mark->hold_ms = is_forgotten(mark, now)    ? first
                    : mark->hold_ms * 2 < most ? mark->hold_ms * 2
                                               : most;
    mark->until = sat_add(now, mark->hold_ms);
    mark->vcpu = o->vcpu;
    u->version++;
}

void unavailable_mark(struct unavailable *u, const struct unavailable_offering *o,
                      enum unavailable_why why, mono_t now)
{
    if (why == UNAVAILABLE_ROLE) {
        const struct unavailable_offering all = {.capacity_type = o->capacity_type};
        strike(u, &all, PLACE_ALL, now);
        return;
    }
    strike(u, o, PLACE_OFFERING, now);
    if (why == UNAVAILABLE_QUOTA) {
        strike(u, o, PLACE_QUOTA, now);
    }
}

/* ---- neighbours ---- */

struct family {
    struct str type; /* one of its types; a view into its mark */
    uint32_t n_types;
    int64_t vcpu, most_vcpu; /* the smallest and the largest that are marked */
};

/* The type of an offering's mark; empty when it is none of that zone and capacity type. */
static struct str type_in(const struct mark *mark, struct str zone, struct str capacity_type)
{
    const struct str key = {.p = mark->key.p, .n = mark->key.n};
    const struct str rest = str_sub(key, 2, key.n);
    const size_t end = str_find(rest, '/');
    const struct str where = str_sub(rest, end + 1, rest.n);
    const size_t slash = str_find(where, '/');
    const bool same = str_starts(key, STR("o/")) && str_eq(str_sub(where, 0, slash), zone) &&
                      str_eq(str_sub(where, slash + 1, where.n), capacity_type);
    return same ? str_sub(rest, 0, end) : STR_EMPTY;
}

static uint32_t families_in(const struct unavailable *u, struct str zone, struct str capacity_type,
                            mono_t now, struct family *families)
{
    uint32_t n = 0;
    for (size_t i = 0; i < u->marks.n; i++) {
        const struct mark *mark = u->marks.v[i];
        const struct str type = type_in(mark, zone, capacity_type);
        uint32_t at = 0;
        if (type.n == 0 || mark->until <= now) {
            continue;
        }
        while (at < n && !str_eq(family_of(families[at].type), family_of(type))) {
            at++;
        }
        if (at == n && n < FAMILIES_MAX) {
            families[n++] = (struct family){.type = type, .vcpu = INT64_MAX};
        }
        if (at < n) {
            families[at].n_types++;
            families[at].vcpu = mark->vcpu < families[at].vcpu ? mark->vcpu : families[at].vcpu;
            families[at].most_vcpu =
                mark->vcpu > families[at].most_vcpu ? mark->vcpu : families[at].most_vcpu;
        }
    }
    return n;
}

static int by_class(const void *a, const void *b)
{
    const struct family *x = a, *y = b;
    const int by_name = str_cmp(class_of(x->type), class_of(y->type));
    const int by_size = (x->vcpu > y->vcpu) - (x->vcpu < y->vcpu);
    return by_name != 0 ? by_name : by_size != 0 ? by_size : str_cmp(x->type, y->type);
}

/* [n] families of one class, the smallest sizes first. */
static void strike_class(struct unavailable *u, struct unavailable_offering o,
                         const struct family *families, uint32_t n, mono_t now)
{
    if (n < CLASS_FAMILIES) {
        return;
    }
    int64_t most = 0;
    for (uint32_t i = 0; i < n; i++) {
        most = families[i].most_vcpu > most ? families[i].most_vcpu : most;
    }
    o.type = families[0].type;
    o.vcpu = families[CLASS_FAMILIES - 1].vcpu;
    o.vcpu = o.vcpu < most || n >= MANY_FAMILIES ? o.vcpu / EXPECTED_SIZES : o.vcpu;
    strike(u, &o, PLACE_CLASS, now);
}

void unavailable_spread(struct unavailable *u, struct str zone, struct str capacity_type,
                        mono_t now)
{
    auto_arena scratch = ARENA_INIT;
    struct family *families = ARENA_ARRAY(&scratch, struct family, FAMILIES_MAX);
    const uint32_t n = families_in(u, zone, capacity_type, now, families);
    qsort(families, n, sizeof *families, by_class);
    for (uint32_t i = 0; i < n; i++) { /* marks move when others come */
        families[i].type = str_copy(&scratch, families[i].type);
    }
    for (uint32_t i = 0, begin = 0; i < n; i++) {
        const struct unavailable_offering o = {.type = families[i].type,
                                               .zone = zone,
                                               .capacity_type = capacity_type,
                                               .vcpu = families[i].vcpu};
        if (families[i].n_types >= FAMILY_TYPES) {
            strike(u, &o, PLACE_FAMILY, now);
        }
        if (i + 1 == n || !str_eq(class_of(families[i + 1].type), class_of(o.type))) {
            strike_class(u, o, families + begin, i + 1 - begin, now);
            begin = i + 1;
        }
    }
}

void unavailable_had(struct unavailable *u, const struct unavailable_offering *o, mono_t now)
{
    for (enum place place = PLACE_OFFERING; place < N_PLACES; place++) {
        struct key key;
        struct mark *mark = key_of(o, place, &key) ? find(u, &key) : NULL;
        if (mark != NULL && (place == PLACE_ALL || o->vcpu >= mark->vcpu)) {
            *mark = (struct mark){.key = mark->key, .until = INT64_MIN / 2};
        }
    }
    forget(u, now);
}

mono_t unavailable_until(const struct unavailable *u, const struct unavailable_offering *o,
                         mono_t now)
{
    mono_t until = now;
    for (enum place place = PLACE_OFFERING; u->marks.n > 0 && place < N_PLACES; place++) {
        struct key key;
        const struct mark *mark = key_of(o, place, &key) ? find(u, &key) : NULL;
        if (mark != NULL && mark->until > until && o->vcpu >= mark->vcpu) {
            until = mark->until;
        }
    }
    return until;
}

bool unavailable_is(const struct unavailable *u, const struct unavailable_offering *o, mono_t now)
{
    return unavailable_until(u, o, now) > now;
}

mono_t unavailable_next(const struct unavailable *u, mono_t now)
{
    mono_t next = INT64_MAX;
    for (size_t i = 0; i < u->marks.n; i++) {
        const mono_t until = u->marks.v[i]->until;
        next = until > now && until < next ? until : next;
    }
    return next;
}

uint64_t unavailable_version(const struct unavailable *u)
{
    return u->version;
}
