/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/changes.h"

#include "base/arena.h"
#include "base/vec.h"

#define FIELD(f) offsetof(struct options, f)

static const struct {
    const char *option;
    enum whatif_kind kind;
    size_t field; /* a struct option_texts of the options */
} rows[] = {
    {"scale", WHATIF_SCALE, FIELD(scale)},
    {"remove-node", WHATIF_REMOVE_NODE, FIELD(remove_nodes)},
    {"zone-down", WHATIF_ZONE_DOWN, FIELD(zones_down)},
    {"deny-type", WHATIF_DENY_TYPE, FIELD(deny_types)},
    {"unavailable", WHATIF_UNAVAILABLE, FIELD(unavailable)},
    {"price-adjust", WHATIF_PRICE_ADJUST, FIELD(price_adjust)},
    {"node-surcharge", WHATIF_NODE_SURCHARGE, FIELD(node_surcharge)},
};

bool changes_of_options(const struct options *options, struct arena *arena,
                        struct change_list *ret_changes, struct err *err)
{
    VEC(struct whatif_change) all = {0};
    struct whatif_change change;
    if (options->no_spot) {
        VEC_PUSH(arena, &all, ((struct whatif_change){.kind = WHATIF_NO_SPOT}));
    }
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        const struct option_texts *texts =
            (const struct option_texts *)((const char *)options + rows[r].field);
        for (uint32_t i = 0; i < texts->n; i++) {
            if (!whatif_parse(rows[r].kind, texts->v[i], arena, &change, err)) {
                return err_wrap(err, "--%s", rows[r].option);
            }
            VEC_PUSH(arena, &all, change);
        }
    }
    *ret_changes = (struct change_list){.n = (uint32_t)all.n, .v = all.v};
    return true;
}
