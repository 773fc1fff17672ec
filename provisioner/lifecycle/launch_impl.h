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

struct request {
    const struct lifecycle_view *view;
    const struct karp_nodeclaim *claim;
    struct arena *arena;
    const struct aws_nodeclass *known; /* as the rules read it */
    struct nodeclass class;
    enum nodeclass_family family;
    struct nodeclass_status status;
    struct str pool, capacity_type;
    VEC(struct launch_config) configs;
    struct ec2_create_fleet_request fleet; /* without its token */
    struct str digest;                     /* of all this, 16 hexadecimal digits */
    int64_t attempt;                       /* launch.c: that the claim has noted; 0: none */
};

/* From `view`, `claim` and `arena`. Errors: ERR_NOT_FOUND when the class is not there or nothing of
 * the claim is offered where it has a subnet and an image; ERR_INVALID of the class. */
MUST_CHECK bool request_make(const struct lifecycle *lifecycle, struct request *request,
                             struct err *err);

/* The EC2NodeClass of the claim; NULL: not there. */
const json_t *request_class(const struct lifecycle *lifecycle, const struct karp_nodeclaim *claim);

/* "spot" where the claim allows it, else "on-demand". */
struct str request_capacity_type(const struct lifecycle_view *view,
                                 const struct karp_nodeclaim *claim);
struct str request_text(const struct request *request, strid id);

/* ---- fleet.c ---- */

/* True, and the claim goes, when nothing of the request can be had as far as is known. */
bool fleet_is_hopeless(struct lifecycle *lifecycle, const struct request *request,
                       struct life *life);
void fleet_reply(struct lifecycle *lifecycle, const struct lifecycle_view *view, struct life *life,
                 const struct karp_nodeclaim *claim, const struct event *event);
/* Says on the claim why there is no instance, when that is news. */
void fleet_say_failure(const struct lifecycle_view *view, struct life *life,
                       const struct karp_nodeclaim *claim, struct str reason, struct str message);
