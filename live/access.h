/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way to an API server: finds the kubeconfig or the service account, reads what they point to,
 * runs exec plugins, and keeps credentials fresh.
 *
 * Order, as kubectl has it: the file that was asked for, $KUBECONFIG (a list of files; those that
 * are not there are passed over), ~/.kube/config, the service account of the pod. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "base/units.h"

struct io_http;
struct io_http_server;
struct io_loop;
struct live_access; /* opaque */

struct live_access_settings {
    struct str kubeconfig; /* empty: the order above */
    struct str context;    /* empty: current-context */
    struct str folder;     /* of the service account; empty: where Kubernetes mounts it */
    bool may_ask;          /* a person is there whom an exec plugin may ask */
};

/* Errors: those of k8s/kubeconfig.h, of reading files and of the exec plugin, each naming where it
 * comes from; ERR_NOT_FOUND when there is no kubeconfig at all says what was looked for. */
MUST_CHECK bool live_access_open(struct io_loop *loop, struct io_http *http,
                                 const struct live_access_settings *settings,
                                 struct live_access **ret_access, struct err *err);
void live_access_free(struct live_access *access); /* NULL is fine */

/* The server with the credentials as they are now; to be asked for before each request. */
struct io_http_server *live_access_server(const struct live_access *access);

/* Reads tokens again and runs the exec plugin again. Turns the loop meanwhile, so it may not be
 * called from a callback. On errors the old credentials stay. */
MUST_CHECK bool live_access_renew(struct live_access *access, struct err *err);

/* When to renew next: tokens in files change, and plugins say when theirs end. INT64_MAX: never. */
mono_t live_access_renew_at(const struct live_access *access);

struct str live_access_source(const struct live_access *access);    /* "context prod of FILE" */
struct str live_access_address(const struct live_access *access);   /* "https://host:6443" */
struct str live_access_ca(const struct live_access *access);        /* PEM; empty: the system's */
struct str live_access_namespace(const struct live_access *access); /* of the context, or empty */
