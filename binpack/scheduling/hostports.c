/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/hostports.h"

static bool unspecified(const struct sched_vocab *vocab, strid ip)
{
    const struct str text = strtab_str(vocab->tab, ip);
    return text.n == 0 || str_eq(text, STR("0.0.0.0")) || str_eq(text, STR("::"));
}

bool sched_ports_conflict(const struct sched_vocab *vocab, const struct k8s_host_port *a,
                          const struct k8s_host_port *b)
{
    return a->port == b->port && a->protocol == b->protocol &&
           (a->ip == b->ip || unspecified(vocab, a->ip) || unspecified(vocab, b->ip));
}

bool sched_port_lists_conflict(const struct sched_vocab *vocab, const struct k8s_host_port *a,
                               uint32_t n_a, const struct k8s_host_port *b, uint32_t n_b,
                               const struct k8s_host_port **ret_port)
{
    for (uint32_t i = 0; i < n_a; i++) {
        for (uint32_t j = 0; j < n_b; j++) {
            if (sched_ports_conflict(vocab, &a[i], &b[j])) {
                if (ret_port != NULL) {
                    *ret_port = &a[i];
                }
                return true;
            }
        }
    }
    return false;
}
