/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Offerings that cannot be had for a while.
 *
 * A mark names a place: an offering (type, zone, capacity type); a family of types in a zone ("m5"
 * of "m5.large"); a class of families in a zone, those that EC2 counts under one quota; the same in
 * the region; or all of a capacity type. EC2 names offerings and quotas. That a family or a class
 * has none either is expected when several of its members have none at the same time. Such a mark
 * covers sizes from the smallest that failed on, as a host without room for a size has none for a
 * larger one; and when a class has failed in two sizes or in many families, down to a quarter of
 * the smaller.
 *
 * What EC2 has named is held for 3 minutes (karp: unavailable offerings). Then it may be tried
 * again; when that fails too, it is held twice as long, up to 30 minutes. Failures meanwhile are
 * the same shortage. What is only expected is held a third of that, so that after a while something
 * is tried that has not failed itself. Whatever is launched ends the wide marks around it and its
 * own; what has not failed again for as long as it was held begins anew. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "base/units.h"

struct unavailable; /* opaque */

struct unavailable_offering {
    struct str type, zone, capacity_type; /* "m5.large", "us-east-1a", "spot" */
    int64_t vcpu;                         /* the size, as families and quotas compare it */
};

enum unavailable_why {
    UNAVAILABLE_CAPACITY, /* this offering has none */
    UNAVAILABLE_QUOTA,    /* the account may have no more of what shares its quota */
    UNAVAILABLE_ROLE      /* the account may not buy this capacity type at all */
};

struct unavailable *unavailable_new(void);
void unavailable_free(struct unavailable *unavailable); /* NULL is fine */

void unavailable_mark(struct unavailable *unavailable, const struct unavailable_offering *offering,
                      enum unavailable_why why, mono_t now);

/* After a fleet that gave nothing: families and classes of the zone and capacity type of which
 * enough is marked. */
void unavailable_spread(struct unavailable *unavailable, struct str zone, struct str capacity_type,
                        mono_t now);

/* It was launched. */
void unavailable_had(struct unavailable *unavailable, const struct unavailable_offering *offering,
                     mono_t now);

bool unavailable_is(const struct unavailable *unavailable,
                    const struct unavailable_offering *offering, mono_t now);

/* The end of the mark of the offering that ends last; `now`: none holds. */
mono_t unavailable_until(const struct unavailable *unavailable,
                         const struct unavailable_offering *offering, mono_t now);

/* The end of the mark that ends next; INT64_MAX: none holds. */
mono_t unavailable_next(const struct unavailable *unavailable, mono_t now);

/* Goes up when something can no longer be had that could before. */
uint64_t unavailable_version(const struct unavailable *unavailable);
