/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The catalogue of the region and account that the service runs in: asked at the start and every 12
 * hours, as Karpenter asks. Until the first answer, and as long as AWS refuses, what there was
 * stays: at first the one built in. */
#pragma once

struct live_aws;
struct live_catalog; /* opaque */
struct service;

struct live_catalog *live_catalog_new(struct service *service, struct live_aws *aws);
void live_catalog_free(struct live_catalog *catalog); /* NULL is fine; after live_aws_free */

/* The state has begun anew, and with it the words of the catalogue: it is asked again. */
void live_catalog_restart(struct live_catalog *catalog);

/* To be called in every turn of the loop, outside callbacks. */
void live_catalog_turn(struct live_catalog *catalog);
