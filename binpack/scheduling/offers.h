/* SPDX-License-Identifier: GPL-3.0-or-later */
/* New-node offerings and their cells.
 *
 * An offering is one thing that can be bought: a variant of a NodePool, an instance type, a zone, a
 * capacity type, and a reservation where it is reserved. Offerings that no requirement and no
 * topology key can tell apart by labels form a *cell*; what a need may use is decided per cell, so
 * its cost does not grow with the catalogue. The DaemonSets that run on a node follow from its
 * labels and taints, so they belong to the cell as well.
 *
 * Offers depend on the pods' shapes but not on how far their preferences have been dropped: they
 * are made once per snapshot. */
#pragma once

#include "binpack/catalog/overlays.h"
#include "binpack/scheduling/variants.h"

struct sched_offer {
    uint32_t cell_i;
    uint32_t type_i; /* catalog->types */
    uint32_t room_i; /* rooms */
    uint32_t zone_i; /* catalog->zones */
    enum cat_capacity_type capacity_type;
    strid reservation_id; /* STRID_EMPTY unless reserved */
    uint32_t reservation_count;
    usd_t price;
};

struct sched_cell {
    uint32_t variant_i, kind_i; /* kind: types with the same answers */
    uint32_t zone_i;
    enum cat_capacity_type capacity_type;
    strid reservation_id;
    uint32_t overhead_i; /* overheads */
};

/* What DaemonSets take of a node. */
struct sched_overhead {
    struct k8s_resources requests;
    uint32_t n_ports;
    const struct k8s_host_port *ports;
};

/* A type under a node class. */
struct sched_room {
    uint32_t type_i;
    struct cat_room room;
};

struct sched_offers {
    const struct sched_snapshot *snapshot;
    struct sched_probes *probes;
    struct sched_variants variants;
    uint32_t n, n_cells, n_kinds, n_overheads, n_rooms;
    const struct sched_offer *v; /* [n] by pool, variant, type, zone, capacity type, reservation */
    const struct sched_cell *cells; /* [n_cells] in order of first use */
    const uint32_t *kind_type;      /* [n_kinds] a type of each kind */
    const struct sched_overhead *overheads;
    const struct sched_room *rooms;
    const struct cat_overlays *overlays; /* NULL: none, or their gate is off */
    struct k8s_strids
        topology_keys; /* keys of all spread constraints and affinity terms in sight */
};

MUST_CHECK bool sched_offers_new(const struct sched_snapshot *snapshot, struct arena *arena,
                                 struct sched_offers **ret_offers, struct err *err);

/* The value of a label on the nodes of a cell; STRID_NONE: absent. Exact for topology keys and for
 * keys of probes that are not of the type part; other type labels give those of one type of the
 * cell. */
strid sched_cell_label(const struct sched_offers *offers, const struct sched_cell *cell, strid key);

/* Which cells do these alternatives admit? `ret_cells` is [bits_words(n_cells)], overwritten.
 * Labels only. */
void sched_cells_admitted(const struct sched_offers *offers, uint32_t n_alternatives,
                          const struct sched_conj *alternatives, struct arena *scratch,
                          uint64_t *ret_cells);

/* Which cells pass the filter of a topology spread constraint that `need` carries: its topology
 * alternatives (honor_affinity) and its tolerations (honor_taints). As above otherwise. */
void sched_cells_filtered(const struct sched_offers *offers, const struct sched_need *need,
                          bool honor_affinity, bool honor_taints, struct arena *scratch,
                          uint64_t *ret_cells);

/* A set of label values, sorted by text. */
struct sched_values {
    uint32_t n;
    const strid *v;
};

/* The values of `key` that new nodes could open for `need`: of all variants of usable pools that
 * are not exhausted, with every instance type, zone and capacity type they offer, filtered by the
 * need's topology alternatives (honor_affinity) and its tolerations (honor_taints). Resources,
 * prices and stock play no part. */
void sched_offers_values(const struct sched_offers *offers, const struct sched_need *need,
                         strid key, bool honor_affinity, bool honor_taints, struct arena *arena,
                         struct sched_values *ret_values);

/* Does a running node pass the same filters for `need` (labels by exact kube-scheduler rules)? */
bool sched_node_admits(const struct sched_snapshot *snapshot, const struct sched_node *node,
                       const struct sched_need *need, bool honor_affinity, bool honor_taints);

/* Do the labels of a running node satisfy one of the alternatives? */
bool sched_node_matches(const struct sched_snapshot *snapshot, const struct k8s_pairs *labels,
                        uint32_t n_alternatives, const struct sched_conj *alternatives);
