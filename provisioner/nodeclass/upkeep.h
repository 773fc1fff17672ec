/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is made in AWS for an EC2NodeClass, and what is removed with it.
 *
 * A class that names a role needs an instance profile that carries it; a class that goes takes its
 * profiles and the launch templates that were made for it along. One question at a time, without
 * I/O: the owner asks AWS and hands back pages and ends, as for a resolver (resolver.h).
 *
 * Profiles are called "<cluster>_<number>" and lie under /karpenter/<region>/<cluster>/<uid>/, with
 * Karpenter's tags, which its IAM policy goes by. Karpenter makes the number from a random UUID, so
 * that a lost answer leaves a profile behind; here it is made from class and role, and what was
 * made and forgotten is found again. A profile that Karpenter made serves as long as it carries the
 * role.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html
 */
#pragma once

#include "awsapi/fault.h"
#include "provisioner/nodeclass/class.h"
#include "provisioner/nodeclass/resolver.h"

struct nodeclass_upkeep; /* opaque, lives in its arena */

/* Class and texts must live as long as the upkeep. */
struct nodeclass_upkeep_facts {
    const struct nodeclass *class; /* with a name and a uid */
    struct str cluster_name, region;
    struct str profile; /* status.instanceProfile; empty: none */
    bool without_iam;   /* an isolated VPC has no way to IAM: nothing is removed there */
    /* Of a sweep: profiles that are in use, and how old a template must be. */
    uint32_t n_used;
    const struct str *used; /* [n_used] */
    wall_t templates_before;
};

/* Finds or makes the profile that carries class->role, which is not empty. */
struct nodeclass_upkeep *nodeclass_upkeep_ensure(const struct nodeclass_upkeep_facts *facts,
                                                 struct arena *arena);
/* Removes all profiles and launch templates of the class. */
struct nodeclass_upkeep *nodeclass_upkeep_remove(const struct nodeclass_upkeep_facts *facts,
                                                 struct arena *arena);
/* Removes what the class needs no more: the profiles of roles before, but for `profile` and those
 * in use, and templates that were made before a moment. One that a launch still counts on is made
 * again: EC2 says that it is not there. */
struct nodeclass_upkeep *nodeclass_upkeep_sweep(const struct nodeclass_upkeep_facts *facts,
                                                struct arena *arena);

/* The next question; false: one is under way, or it is over. */
MUST_CHECK bool nodeclass_upkeep_next(struct nodeclass_upkeep *upkeep,
                                      struct nodeclass_question *ret_question);
/* A page of the answer; what is kept is copied. */
void nodeclass_upkeep_page(struct nodeclass_upkeep *upkeep, const void *output);
/* The end of it; a fault of kind AWS_FAULT_NONE is success, and `text` says of another what a
 * person should know. */
void nodeclass_upkeep_end(struct nodeclass_upkeep *upkeep, const struct aws_fault *fault,
                          struct str text);

bool nodeclass_upkeep_is_over(const struct nodeclass_upkeep *upkeep);
/* Once it is over: why it could not be done; `p` NULL when it was. In the upkeep's arena. */
struct str nodeclass_upkeep_failure(const struct nodeclass_upkeep *upkeep);
/* Once an ensure is over without failure: the profile. */
struct str nodeclass_upkeep_profile(const struct nodeclass_upkeep *upkeep);

/* The name of a role without its path, which is all that IAM says of it. */
struct str nodeclass_role_name(struct str role);
