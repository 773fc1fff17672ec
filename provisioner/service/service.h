/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The service: feeds the engine what happens, and does what it says. */
#pragma once

#include "base/err.h"
#include "provisioner/service/settings.h"

struct log;
struct service; /* opaque */

/* Errors: those of the kubeconfig, of the addresses to serve on, of the catalogue; each names what
 * is wrong. Nothing is open then. */
MUST_CHECK bool service_open(const struct settings *settings, struct log *log,
                             struct service **ret_service, struct err *err);

/* Until it is asked to end (SIGINT, SIGTERM). Errors: ERR_IO of the loop. */
MUST_CHECK bool service_run(struct service *service, struct err *err);

/* False: a plan is still being made; to be ended with the process. NULL is fine. */
bool service_close(struct service *service);
