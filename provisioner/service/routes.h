/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is served: /healthz, /readyz; /metrics, /debug/plan, /debug/explain, /debug/state. */
#pragma once

#include "io/serve.h"

struct service;

enum { ROUTES_HEALTH = 1, ROUTES_METRICS = 2 };

struct routes {
    struct service *service;
    struct io_serve *serve;
    unsigned which; /* ROUTES_HEALTH | ROUTES_METRICS */
};

/* An io_serve_fn; ctx is a struct routes. */
bool routes_answer(void *ctx, const struct io_request *request, struct io_answer *ret_answer);
