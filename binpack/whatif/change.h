/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What if: a cluster and a catalogue as they might be.
 *
 * A change is a sentence about the world ("this node is gone", "no spot", "20 replicas"), parsed
 * once from text and applied to cluster and catalogue before anything is planned. So every command
 * that plans sees the same world, `-o snapshot` shows it, and the plan, its bound and its checks
 * are about it. Nothing of the given cluster and catalogue is written to: what a change touches is
 * copied. Prices change before NodeOverlays are applied; an absolute price of an overlay stands,
 * but the surcharge of nodes is added to it, too. */
#pragma once

#include "base/err.h"
#include "binpack/catalog/catalog.h"
#include "binpack/whatif/rules.h"
#include "k8s/cluster.h"
#include "k8s/selector_text.h"

struct arena;

enum whatif_kind {                     /* and what its text is */
                   WHATIF_REMOVE_NODE, /* NAME: the node is gone, its pods wait for another place */
                   WHATIF_ZONE_DOWN,   /* ZONE: nothing can be bought there, its nodes are gone */
                   WHATIF_SCALE,       /* [KIND/]NAMESPACE/NAME=N: a workload with N pods */
                   WHATIF_DENY_TYPE,   /* TYPE, "*" stands for any text: not to be bought */
                   WHATIF_DENY_ARCH,   /* amd64 or arm64: not to be bought */
                   WHATIF_NO_SPOT,     /* no text: spot is not to be bought */
                   WHATIF_UNAVAILABLE, /* TYPE:ZONE:CAPACITY_TYPE, each may have "*" */
                   WHATIF_ONLY_ZONES,  /* ZONE,...: nothing is bought elsewhere; nodes there stay */
                   WHATIF_ONLY_FAMILIES,  /* FAMILY,...: nothing else is bought */
                   WHATIF_PRICE_ADJUST,   /* SELECTOR: PCT, as in "family in (m7g,c7g): -28%" */
                   WHATIF_NODE_SURCHARGE, /* USD: every node costs so much more an hour */
                   WHATIF_WITHOUT_RULES,  /* names of rules.h, comma-separated */
                   WHATIF_N_KINDS
};

/* Whether changes of that kind take offerings away, and whether they change the catalogue at all.
 */
bool whatif_closes(enum whatif_kind kind);
bool whatif_is_of_catalog(enum whatif_kind kind);

extern const char *const whatif_kind_names[WHATIF_N_KINDS]; /* "remove-node", as options have it */

struct whatif_change {
    enum whatif_kind kind;
    struct str text;           /* as written */
    struct str name, ns, zone; /* node, workload or type; namespace; zone */
    struct str workload_kind;  /* SCALE: "" for any */
    struct str capacity_type;  /* UNAVAILABLE */
    uint32_t n_list;           /* ONLY_ZONES, ONLY_FAMILIES */
    const struct str *list;
    int64_t number;                 /* SCALE: pods; PRICE_ADJUST: parts per million to add, may be
                                       negative; NODE_SURCHARGE: nano-dollars per hour */
    struct label_selector selector; /* PRICE_ADJUST */
    uint32_t rules;                 /* WITHOUT_RULES: bit per enum whatif_rule */
};

struct whatif_world {
    const struct k8s_cluster *cluster;
    const struct catalog *catalog;
    uint32_t n_notes;        /* what was changed, one sentence a change */
    const struct str *notes; /* [n_notes] */
};

/* ERR_INVALID says what is wrong with the text and what it should look like; whether the things it
 * names exist shows when it is applied. Texts stay views of `text`. */
MUST_CHECK bool whatif_parse(enum whatif_kind kind, struct str text, struct arena *arena,
                             struct whatif_change *ret_change, struct err *err);

/* Applies the changes in their order to `*world` and adds a note for each; everything new lives in
 * `arena`. Errors: ERR_NOT_FOUND (a node, workload, zone or type that is not there), ERR_CONFLICT
 * (a name that several workloads have), ERR_LIMIT (too many pods); each begins with the kind's
 * name. */
MUST_CHECK bool whatif_apply(const struct whatif_change *changes, uint32_t n, struct arena *arena,
                             struct whatif_world *world, struct err *err);
