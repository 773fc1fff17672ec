/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How each kind of change is applied: each takes the world as it is, gives the world as it might
 * be, and says so in a sentence. */
#pragma once

#include "binpack/whatif/change.h"

struct applying {
    struct arena *arena;
    struct whatif_world *world;
    struct strbuf *note;
};

/* removal.c: REMOVE_NODE; the nodes of a zone. */
MUST_CHECK bool whatif_remove_node(struct applying *a, const struct whatif_change *change,
                                   struct err *err);
void whatif_remove_zone(struct applying *a, strid zone);

/* scale.c */
MUST_CHECK bool whatif_scale(struct applying *a, const struct whatif_change *change,
                             struct err *err);

/* offerings.c: everything about what can be bought and its price. */
MUST_CHECK bool whatif_offerings(struct applying *a, const struct whatif_change *change,
                                 struct err *err);

/* rules.c: WITHOUT_RULES. */
void whatif_drop_rules(struct applying *a, uint32_t rules);

/* "*" stands for any text, also none. */
bool whatif_matches(struct str pattern, struct str text);
