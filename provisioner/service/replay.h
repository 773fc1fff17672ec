/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `provisioner replay FILE`: a journal through the engine again. */
#pragma once

#include "base/err.h"
#include "provisioner/service/settings.h"

struct replay_count {
    uint64_t n_events, n_actions, n_rounds;
    uint64_t n_starts;        /* of the program: each has a header */
    uint64_t n_cut, cut_line; /* lines that a killed program left cut; the last of them */
};

/* Each header starts the engine anew. A line that is no whole value is left out, with the actions
 * that are missing before it, when a header or the end follows.
 *
 * True when every event gave the actions that the journal has, byte for byte. Errors: those of
 * reading; ERR_CONFLICT names the line of the journal, what it has and what came now. */
MUST_CHECK bool replay_run(const struct settings *settings, struct replay_count *ret_count,
                           struct err *err);
