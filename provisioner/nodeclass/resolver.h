/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Resolves an EC2NodeClass: which questions to ask AWS, and what status the answers come to.
 *
 * A state machine without I/O. The owner asks for the next question until there is none, sends them
 * in any order or side by side, and hands back every page and every end; answers may bring new
 * questions (the ids of images are in parameters of SSM). When nothing is under way and nothing is
 * left to ask, the status stands. What it says is what Karpenter v1.14 says
 * (pkg/controllers/nodeclass), and so are reasons and messages of conditions. An answer that fails
 * for another reason than that a thing does not exist leaves its condition Unknown: the selector
 * has not been answered, and a Ready class must not lose its nodes for that.
 *
 * Only questions: a role's instance profile is looked for, not made. Who makes it (upkeep.h) does
 * so first and says what came of it. */
#pragma once

#include "awsapi/fault.h"
#include "provisioner/nodeclass/queries.h"
#include "provisioner/nodeclass/status.h"

struct nodeclass_resolver; /* opaque, lives in its arena */

/* What the class alone does not say. Class and texts must live as long as the resolver. */
struct nodeclass_resolver_facts {
    enum nodeclass_family family;
    struct str cluster_name;
    struct str version;         /* of Kubernetes: "1.33" */
    struct str profile;         /* the instance profile that the status names; empty: none */
    bool profile_is_settled;    /* it is known to carry the role: nobody need be asked */
    struct str profile_failure; /* p set: why there is none that does; nobody is asked either */
    /* What the object says, or NULL. While a question fails its list, or the profile, stays as it
     * was, and so does a condition that is True of the spec as it is now. */
    const struct nodeclass_status *before;
    wall_t now;
};
struct nodeclass_resolver *nodeclass_resolver_new(const struct nodeclass *class,
                                                  const struct nodeclass_resolver_facts *facts,
                                                  struct arena *arena);

struct nodeclass_question {
    uint32_t id; /* counts from 0 */
    const struct aws_operation *operation;
    const void *input; /* lives as long as the resolver */
};

/* The next question; false: none at the moment. */
MUST_CHECK bool nodeclass_resolver_next(struct nodeclass_resolver *resolver,
                                        struct nodeclass_question *ret_question);

/* A page of the answer to question `id`; what is kept is copied. */
void nodeclass_resolver_page(struct nodeclass_resolver *resolver, uint32_t id, const void *output);

/* The end of that answer; a fault of kind AWS_FAULT_NONE is success. `text` says of a fault what a
 * person should know. */
void nodeclass_resolver_end(struct nodeclass_resolver *resolver, uint32_t id,
                            const struct aws_fault *fault, struct str text);

/* Whether all that was asked is answered and nothing is left to ask. */
bool nodeclass_resolver_done(const struct nodeclass_resolver *resolver);

/* The status; NULL before it is done. In the resolver's arena. */
const struct nodeclass_status *nodeclass_resolver_status(struct nodeclass_resolver *resolver);
