/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads a running cluster: every object of every kind that the planner knows, once, or as they
 * change. */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "base/units.h"
#include "binpack/cli/console.h"
#include "binpack/cli/options.h"
#include "binpack/cli/version.h"
#include "live/session.h"

struct arena;
struct k8s_delta;
struct k8s_kind;

#define LIVE_AGENT "binpack/" BINPACK_VERSION

/* What became of a kind. */
struct live_kind {
    const struct k8s_kind *kind;
    struct str version;     /* resourceVersion of its list; empty when there is none */
    struct str api_version; /* that was read */
    struct str refusal;     /* why it could not be read; empty: it could */
    uint64_t n_objects;
    bool absent; /* the cluster does not have it */
};

struct live_result {
    struct str address, source; /* "https://host:6443", "context prod of /home/ann/.kube/config" */
    uint32_t n_kinds, n_unreadable, n_absent;
    const struct live_kind *kinds; /* [n_kinds] */
    uint64_t n_objects;
    wall_t at; /* when reading began */
};

/* Takes one object (borrowed). False stops the reading. */
typedef bool (*live_object_fn)(void *ctx, json_t *object, struct err *err);

/* Lists all kinds, some at a time. `ns`: of namespaced kinds; empty: all. What RBAC forbids is left
 * out and told in the result and as a warning. Errors name the server and where its address comes
 * from: no kubeconfig, no connection, no trust, 401, or 403 for everything; those of `fn`;
 * ERR_CANCELLED after an interrupt. The result is in `arena`. */
MUST_CHECK bool live_read(const struct options *options, struct str ns, struct console *console,
                          live_object_fn fn, void *ctx, struct arena *arena,
                          struct live_result *ret_result, struct err *err);

/* Takes one change; see k8s/roster.h. False stops. */
typedef bool (*live_delta_fn)(void *ctx, const struct k8s_kind *kind, const struct k8s_delta *delta,
                              struct err *err);

/* Called between changes, when some have come and nothing more is at hand. False stops. */
typedef bool (*live_pause_fn)(void *ctx, struct err *err);

/* Follows all kinds until an interrupt or --time-limit: first every object as ADDED, then what
 * changes. What RBAC forbids is left out with a warning. Connections that break are made again, and
 * what happened meanwhile is told. Errors: as above, before any kind has been read for the first
 * time; those of the functions. */
MUST_CHECK bool live_follow(const struct options *options, struct str ns, struct console *console,
                            live_delta_fn fn, live_pause_fn pause, void *ctx, struct err *err);

/* How the command line says to reach the cluster. */
struct live_access_settings live_settings(const struct options *options);
