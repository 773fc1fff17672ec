/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/provisioning/launch_budget.h"

enum { MINUTE_MS = 60 * 1000 };

bool launch_budget_take(struct launch_budget *b, usd_t price, mono_t now, mono_t *ret_at)
{
    if (b->n == 0 || now - b->began >= MINUTE_MS) {
        b->began = now;
        b->n = 0;
        b->price = 0;
    }
    const usd_t all = sat_add(b->price, price);
    if (b->n > 0 &&
        ((b->n_most > 0 && b->n >= b->n_most) || (b->price_most > 0 && all > b->price_most))) {
        *ret_at = sat_add(b->began, MINUTE_MS);
        return false;
    }
    b->n++;
    b->price = all;
    return true;
}
