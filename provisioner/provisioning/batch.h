/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The window in which waiting pods are gathered before a plan is made (karp: Batcher): it opens
 * with the first pod, and closes when none has come for `idle_ms`, or `max_ms` after the first. */
#pragma once

#include <stdbool.h>

#include "base/units.h"

struct batch {
    int64_t idle_ms, max_ms; /* 0 < idle_ms <= max_ms */
    bool open;
    mono_t first, last; /* while open: when pods came */
};

void batch_add(struct batch *batch, mono_t now); /* a pod has come */
mono_t batch_due(const struct batch *batch);     /* when the window closes; INT64_MAX: not open */
void batch_close(struct batch *batch);
