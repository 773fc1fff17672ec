/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Paths of the Kubernetes API, and what its refusals say. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/http.h"
#include "base/str.h"

struct arena;
struct k8s_kind;

/* "/apis/apps/v1/namespaces/shop/deployments/web/scale". `api_version` may be empty: the kind's
 * own. Empty parts are left out; texts are escaped. */
void k8s_path(struct strbuf *b, const struct k8s_kind *kind, struct str api_version, struct str ns,
              struct str name, struct str subresource);

/* "?key=value" or "&key=value", escaped. */
void k8s_query(struct strbuf *b, const char *key, struct str value);

/* metav1.Status, as bodies of refusals and ERROR events carry it. Absent texts are empty. */
struct k8s_status {
    int32_t code;
    struct str reason, message, continue_token;
    struct str cause; /* reason of the first of details.causes */
    int64_t retry_after_ms;
};

/* False when the text is none; texts are in `arena`. */
bool k8s_status_read(struct str body, struct arena *arena, struct k8s_status *ret_status);

/* "cannot list pods: 403 forbidden: <what the server says>"; the code tells what can be done:
 * ERR_NOT_FOUND (404), ERR_CONFLICT (409, 410), ERR_INVALID (other 4xx), ERR_IO (the rest).
 * Returns false. */
bool k8s_refused(struct err *err, const char *verb, const char *resource, int status,
                 struct str body);

/* The same for a request that had no answer. Returns false. */
bool k8s_unanswered(struct err *err, const char *verb, const char *resource, enum http_end end,
                    struct str why);
