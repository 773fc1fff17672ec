/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules between pods as Karpenter counts them while it places one pod after the other (karp:
 * topology.go).
 *
 * A *place* is a running node or a claim. Over the host name a rule counts per place; over another
 * key per value of the key. A claim has all the values that its cells have left; it counts for
 * spread and affinity once a single one is left, for anti-affinity at once in all of them. Part of
 * karpenter.h. */
#pragma once

#include "binpack/emulate/asks.h"

/* What a place holds for the rules over hosts. */
struct emu_host_count {
    uint32_t counted, carriers;
};

struct emu_domains; /* opaque */

struct emu_domains *emu_domains_new(const struct emu_asks *asks, bool wide, struct arena *arena);

/* Back to what runs already. */
void emu_domains_reset(struct emu_domains *domains);

/* What a place starts with, [number of rules over hosts]: of the running node, or with SCHED_NONE
 * of a new one. */
struct emu_host_count *emu_domains_host(const struct emu_domains *domains, uint32_t node_i,
                                        struct arena *arena);

/* May a pod of the need join the running node? */
bool emu_domains_admit_node(const struct emu_domains *domains, uint32_t node_i,
                            const struct emu_host_count *host, uint32_t need_i);

/* May it join a claim that these cells are left of? `ret_cells` holds the same cells and is
 * narrowed; false when none is left. Each rule chooses by itself and does not look for a choice
 * that suits the others, as in Karpenter. */
bool emu_domains_admit_claim(const struct emu_domains *domains, const struct emu_host_count *host,
                             uint32_t need_i, const uint64_t *cells, uint64_t *ret_cells);

/* A pod of the need is there now; `cells` NULL for a running node. */
void emu_domains_record(struct emu_domains *domains, uint32_t node_i, const uint64_t *cells,
                        struct emu_host_count *host, uint32_t need_i);

/* Undoes a record of the same arguments. */
void emu_domains_take_back(struct emu_domains *domains, uint32_t node_i, const uint64_t *cells,
                           struct emu_host_count *host, uint32_t need_i);

/* All counts but those of the places themselves, and back to them. */
struct emu_domains_counts; /* opaque */
struct emu_domains_counts *emu_domains_save(const struct emu_domains *domains, struct arena *arena);
void emu_domains_restore(struct emu_domains *domains, const struct emu_domains_counts *counts);

uint32_t emu_domains_n_hosts(const struct emu_domains *domains); /* rules over hosts */
