/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/provisioning/batch.h"

void batch_add(struct batch *batch, mono_t now)
{
    if (!batch->open) {
        batch->open = true;
        batch->first = now;
    }
    batch->last = now;
}

mono_t batch_due(const struct batch *batch)
{
    const mono_t idle = sat_add(batch->last, batch->idle_ms);
    const mono_t max = sat_add(batch->first, batch->max_ms);
    return !batch->open ? INT64_MAX : idle < max ? idle : max;
}

void batch_close(struct batch *batch)
{
    batch->open = false;
}
