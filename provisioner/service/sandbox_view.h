/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A world of the sandbox that somebody watches: on a terminal, at a speed that keys change. */
#pragma once

#include "provisioner/sandbox/sandbox.h"

/* Whether there is a terminal to watch it on. */
bool sandbox_view_possible(void);

/* Until it is over and somebody leaves, or somebody leaves before; what has become of it until
 * then. Errors: those of the scenario; ERR_IO of the terminal. */
MUST_CHECK bool sandbox_view(const struct sandbox_options *options,
                             struct sandbox_report *ret_report, struct err *err);
