/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The service: feeds the engine what happens, and does what it says. */
#pragma once

#include "base/err.h"
#include "provisioner/service/settings.h"

struct log;
struct service; /* opaque */

/* With what the settings name on this machine: catalogue, journal, the address to serve on. Errors:
 * those of them; each names what is wrong. */
MUST_CHECK bool service_new(const struct settings *settings, struct log *log,
                            struct service **ret_service, struct err *err);

/* Connects it: kubeconfig, ports, AWS. Errors: theirs. To be freed in any case. */
MUST_CHECK bool service_connect(struct service *service, struct err *err);

/* Until it is asked to end (SIGINT, SIGTERM). Errors: ERR_IO of the loop. */
MUST_CHECK bool service_run(struct service *service, struct err *err);

/* False: a plan is still being made; to be ended with the process. NULL is fine. */
bool service_free(struct service *service);
