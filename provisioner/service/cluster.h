/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the service learns of its cluster beyond the objects that it follows: the version of
 * Kubernetes; and, for new nodes, the address of the API server and the range of Services, of which
 * EKS is asked, and the address of kube-dns.
 *
 * What cannot be learned is asked again, and said once until it is known. A range that EKS does not
 * tell holds nothing up where the address is set: only AL2023 needs it. */
#pragma once

#include "base/str.h"

struct acting;
struct cluster; /* opaque */
struct service;
struct userdata_cluster;

/* `for_nodes`: not only the version. The others must outlive it. */
struct cluster *cluster_new(struct service *service, struct acting *acting, bool for_nodes);
void cluster_free(struct cluster *cluster); /* NULL is fine; after acting_close */

/* To be called in every turn of the loop, outside callbacks. */
void cluster_turn(struct cluster *cluster);

struct str cluster_version(const struct cluster *cluster); /* "1.33"; empty: not known yet */

/* True once when there is something new for new nodes; texts live until the next turn. */
bool cluster_news(struct cluster *cluster, struct userdata_cluster *ret);

/* The certificate authority as nodes are told of it, in base64; may be empty. */
struct str cluster_ca(const struct cluster *cluster);
