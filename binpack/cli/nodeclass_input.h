/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `binpack nodeclass` is asked about: a node class of the input, the NodePool whose nodes it
 * describes, the instance type, and the cluster that the nodes join. */
#pragma once

#include "binpack/catalog/catalog.h"
#include "binpack/cli/console.h"
#include "binpack/cli/options.h"
#include "k8s/cluster.h"
#include "provisioner/nodeclass/status.h"
#include "provisioner/nodeclass/userdata.h"

struct nodeclass_input {
    const struct k8s_cluster *cluster;
    const struct catalog *catalog;
    json_t *object; /* the EC2NodeClass as read; nodeclass_input_done gives it back */
    struct nodeclass class;
    enum nodeclass_family family;
    struct nodeclass_status stated;        /* what the object says of itself; no conditions */
    struct str kubernetes_version, region; /* "1.34"; region: empty when not given */
    const struct aws_nodeclass *planned;   /* the same, as the planner sees it */
    const struct karp_nodepool *pool;      /* NULL: no NodePool of the input uses the class */
    const struct cat_type *type;
    struct k8s_resources capacity; /* of a node of the type under the class */
    struct str capacity_type;      /* "on-demand" or "spot" */
    struct userdata_input userdata;
};

/* Reads the files of the options and chooses: the class called `name`, or the only one when it is
 * empty. What the options leave open is assumed, and said. Errors: those of reading; ERR_NOT_FOUND
 * for a class, NodePool or type that is not there, with those that are; ERR_INVALID for a class
 * that cannot be read. */
MUST_CHECK bool nodeclass_input_read(const struct options *options, struct str name,
                                     struct console *console, struct arena *arena,
                                     struct nodeclass_input *ret_input, struct err *err);
void nodeclass_input_done(struct nodeclass_input *input);
