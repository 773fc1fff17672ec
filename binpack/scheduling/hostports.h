/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Host ports: two pods on one node conflict when protocol and port are equal and one address is
 * unspecified or both are equal.
 * "", 0.0.0.0 and :: are unspecified. */
#pragma once

#include "binpack/scheduling/vocab.h"

bool sched_ports_conflict(const struct sched_vocab *vocab, const struct k8s_host_port *a,
                          const struct k8s_host_port *b);

/* Do any two of the lists conflict? The first conflicting port of `a` goes to *ret_port (may be
 * NULL). */
bool sched_port_lists_conflict(const struct sched_vocab *vocab, const struct k8s_host_port *a,
                               uint32_t n_a, const struct k8s_host_port *b, uint32_t n_b,
                               const struct k8s_host_port **ret_port);

/* Can two pods with this list share a node? */
static inline bool sched_ports_conflict_with_self(uint32_t n)
{
    return n > 0;
}
