/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which objects of one kind there are, and how that changes: takes what a watch (k8s/watch.h) hands
 * over, complete lists included, and gives differences, each once.
 *
 * An object is known by namespace and name; another uid under the same name is another object, so
 * one that was deleted and made again while nobody watched is DELETED and then ADDED. What a
 * complete list does not have is DELETED. An object of the resourceVersion that is known is no
 * change. Kept are identities only: 16 bytes and the names per object. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "k8s/watch.h"

struct k8s_roster; /* opaque */

struct k8s_identity {
    struct str ns, name, uid, version; /* ns empty for cluster-scoped kinds; version: its
                                          resourceVersion */
};

enum k8s_change { K8S_ADDED, K8S_MODIFIED, K8S_DELETED };

struct k8s_delta {
    enum k8s_change change;
    struct k8s_identity id; /* of the object that is there now, or that has gone */
    json_t *object; /* borrowed; NULL for a deletion that only shows in what is no longer there */
};

/* Must not change the roster. */
typedef void (*k8s_delta_fn)(void *ctx, const struct k8s_delta *delta);

struct k8s_roster *k8s_roster_new(k8s_delta_fn fn, void *ctx);
void k8s_roster_free(struct k8s_roster *roster); /* NULL is fine */

/* To be given to the watch; valid as long as the roster is. */
struct k8s_receiver k8s_roster_receiver(struct k8s_roster *roster);

uint32_t k8s_roster_count(const struct k8s_roster *roster);
uint64_t k8s_roster_n_refused(const struct k8s_roster *roster); /* objects without a usable name */

/* Walks over all objects in no particular order: *at begins with 0; false at the end. */
bool k8s_roster_next(const struct k8s_roster *roster, uint32_t *at, struct k8s_identity *ret_id);
