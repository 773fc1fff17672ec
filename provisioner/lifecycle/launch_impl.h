/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of a launch share: the request, its answer and what is next. Internal to
 * provisioner/lifecycle. */
#pragma once

#include "awsapi/service_ec2.h"
#include "provisioner/lifecycle/lifecycle_impl.h"
#include "provisioner/nodeclass/status.h"

/* ---- request.c ---- */

struct launch_config { /* one launch template, for one image and number of pods */
    struct str image_id;
    int64_t max_pods;
    struct ec2_create_launch_template_request *template;
    VEC(struct ec2_fleet_launch_template_overrides_request) overrides;
};

struct launch_type { /* that the claim may be launched as */
    const struct cat_type *type;
    uint64_t zones; /* where it is offered to the claim: bit i for zone i of the catalogue */
    usd_t price;    /* of the cheapest of them */
    int64_t max_pods;
};

struct request {
    const struct lifecycle_view *view;
    const struct karp_nodeclaim *claim;
    struct arena *arena;
    const struct aws_nodeclass *known; /* as the rules read it */
    struct nodeclass class;
    enum nodeclass_family family;
    struct nodeclass_status status;
    struct str pool, capacity_type;
    VEC(struct launch_type) types; /* of suits.c */
    bool nothing;                  /* no type suits the claim, and none will */
    VEC(struct launch_config) configs;
    struct ec2_create_fleet_request fleet; /* without its token */
    struct str digest;                     /* of all this, 16 hexadecimal digits */
    int64_t attempt;                       /* launch.c: that the claim has noted; 0: none */
};

/* From `view`, `claim` and `arena`. Errors: ERR_NOT_FOUND when the class is not there, no type
 * suits the claim or the class has no image for those that do; ERR_INVALID of the class. */
MUST_CHECK bool request_make(const struct lifecycle *lifecycle, struct request *request,
                             struct err *err);

/* The EC2NodeClass of the claim; NULL: not there. */
const json_t *request_class(const struct lifecycle *lifecycle, const struct karp_nodeclaim *claim);

/* "spot" when a type suits the claim as spot, else "on-demand". */
struct str request_capacity_type(const struct lifecycle *lifecycle,
                                 const struct lifecycle_view *view,
                                 const struct karp_nodeclaim *claim);
struct str request_text(const struct request *request, strid id);

/* ---- suits.c ---- */

/* Sets `capacity_type` and `types` of a request whose class is known: the types of the catalogue
 * that all requirements of the claim allow and that hold its requests, with the zones where they
 * are offered and the class has a subnet; 60 at most. Reserved, where the claim names it, before
 * spot before on-demand. A list of types keeps the claim's order, so that the request does not
 * change with the prices; without one, and when more than 60 suit, the cheapest come first. */
void suits_choose(struct request *request);
bool suits_has_label(const struct request *request, const struct cat_type *type, const char *key);

/* ---- fleet.c ---- */

/* Nothing suits the claim: it says so and goes, as when nothing can be had. */
void fleet_nothing_suits(struct lifecycle *lifecycle, const struct request *request,
                         struct life *life, struct str message);

/* True, and the claim goes, when nothing of the request can be had as far as is known. */
bool fleet_is_hopeless(struct lifecycle *lifecycle, const struct request *request,
                       struct life *life);
void fleet_reply(struct lifecycle *lifecycle, const struct lifecycle_view *view, struct life *life,
                 const struct karp_nodeclaim *claim, const struct event *event);
/* Says on the claim why there is no instance, when that is news. */
void fleet_say_failure(const struct lifecycle_view *view, struct life *life,
                       const struct karp_nodeclaim *claim, struct str reason, struct str message);
