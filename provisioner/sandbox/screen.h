/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A world on a terminal, as it is now: what runs and what it costs, what waits, what has happened
 * last, and which keys there are. */
#pragma once

#include "provisioner/sandbox/sandbox.h"

struct screen {
    int width, height; /* of the terminal */
    bool color, paused, over;
    int64_t speed; /* of the world's clock, times ours */
};

/* Lines separated by "\r\n", each cleared to its end; from the upper left corner. */
void screen_draw(const struct sandbox *sandbox, const struct sandbox_options *options,
                 const struct screen *screen, struct strbuf *out);
