/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The questions to AWS that the selectors of an EC2NodeClass come to, as requests of awsapi/.
 *
 * Terms by id are one question together, and so are terms by the name of a security group; each
 * term by tags is a question of its own, and an object that several find counts once. The tag value
 * "*" asks for the key alone. Karpenter asks the same (pkg/providers, v1.14). Texts are those of
 * the class. */
#pragma once

#include "awsapi/operation.h"
#include "provisioner/nodeclass/class.h"
#include "provisioner/nodeclass/status.h"

struct nodeclass_query {
    const struct aws_operation *operation;
    void *input;
};
struct nodeclass_queries {
    uint32_t n;
    struct nodeclass_query *v; /* [n] */
};

struct nodeclass_queries nodeclass_subnet_queries(const struct nodeclass *class,
                                                  struct arena *arena);
struct nodeclass_queries nodeclass_group_queries(const struct nodeclass *class,
                                                 struct arena *arena);
struct nodeclass_queries nodeclass_reservation_queries(const struct nodeclass *class,
                                                       struct arena *arena);
/* None without a selector. */
struct nodeclass_queries nodeclass_placement_queries(const struct nodeclass *class,
                                                     struct arena *arena);

/* A parameter of SSM that holds the id of an image. One that does not exist is passed over.
 * (Karpenter passes over every failure for an alias: one throttled answer leaves its GPU nodes
 * without image.) */
struct nodeclass_parameter {
    struct str name;
    unsigned variants; /* bit per enum nodeclass_variant that the image serves */
    struct str windows_build;
};
struct nodeclass_parameters {
    uint32_t n;
    const struct nodeclass_parameter *v; /* [n] */
};

/* The parameters of an alias under a version of Kubernetes ("1.33"), or those that terms name.
 * ERR_UNSUPPORTED, in Karpenter's words, for an alias that EKS has no images for. */
MUST_CHECK bool nodeclass_image_parameters(const struct nodeclass *class, struct str version,
                                           struct arena *arena,
                                           struct nodeclass_parameters *ret_parameters,
                                           struct err *err);

/* Images by the ids that parameters gave ([n_ids], none empty) and by the terms. */
struct nodeclass_queries nodeclass_image_queries(const struct nodeclass *class,
                                                 const struct str *ids, uint32_t n_ids,
                                                 struct arena *arena);
