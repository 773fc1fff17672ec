/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The merge patches of metadata that the keeper makes (keeper.h). Internal to it. */
#pragma once

#include <jansson.h>

#include "base/str.h"
#include "provisioner/nodeclass/hash.h"

#define KEEPER_FINALIZER      STR("karpenter.k8s.aws/termination")
#define KEEPER_HASH           "karpenter.k8s.aws/ec2nodeclass-hash"
#define KEEPER_HASH_VERSION   "karpenter.k8s.aws/ec2nodeclass-hash-version"
#define KEEPER_WRITES_VERSION NODECLASS_HASH_V5 /* that of Karpenter 1.12 to 1.14 */

struct arena;

bool keeper_has_finalizer(const json_t *object);
bool keeper_is_deleted(const json_t *object);
/* A member of metadata; an annotation. Empty: absent. */
struct str keeper_meta_text(const json_t *object, const char *key);
struct str keeper_annotation(const json_t *object, const char *key);

/* Finalizer and hash; `hash` empty: the class has none. False: the object has both. */
MUST_CHECK bool keeper_meta_patch(const json_t *object, struct str hash, struct arena *arena,
                                  struct str *ret_body);
/* Takes the finalizer away. */
struct str keeper_release_patch(const json_t *object, struct arena *arena);
/* Of a NodeClaim: the version of the hash, and the hash unless it has drifted. */
struct str keeper_claim_patch(struct str hash, bool drifted, struct arena *arena);
