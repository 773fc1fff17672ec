/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keeps every EC2NodeClass of a cluster as Karpenter v1.14 does: finalizer, hash, instance profile,
 * status; and removes what was made for a class when it goes.
 *
 * A state machine without I/O and clocks. It is told of objects as they come, change and go, says
 * what to ask AWS and what to write, and is told what came of that. A class is looked at when its
 * spec changes, and again every refresh_ms, sooner after failures. In order:
 *   claims      NodeClaims with a hash of another version get this one's, unless they have drifted;
 *   metadata    finalizer and hash are written;
 *   cluster     EKS is asked for the range of Services, which AL2023 needs: once for all classes;
 *   profile     the instance profile of a role is found or made (upkeep.h);
 *   resolving   selectors are asked (resolver.h);
 *   dry run     EC2 is asked whether it would launch (dryrun.h), unless that is known already;
 *   status      what came of it is written, when it is not what the object says (status_patch.h).
 * Once an hour, then, what it needs no more is removed: profiles of roles before that no NodeClaim
 * is annotated with, and launch templates that are older. As long as a NodeClaim does not say which
 * profile its instance has, none is.
 * A class that is deleted waits for its NodeClaims, then instance profiles and launch templates go,
 * then its finalizer. Every write of a class names the version that it rests on; when another was
 * faster the class is looked at again. A look ends at once, and what is under way for it counts no
 * more, when the spec changes, the object goes, or keeper_drop says so. All of it may be done
 * twice: nothing is kept that is not in the cluster or in AWS.
 *
 * What goes wrong is said once, and again after it went well; that it goes well again is said too.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "awsapi/operation.h"
#include "base/str.h"
#include "base/units.h"

struct keeper; /* opaque */

struct arena;
struct nodeclass_type;

/* A NodeClaim of a class. */
struct keeper_claim {
    struct str name, hash_version, profile; /* annotations; empty: none */
    bool drifted;                           /* has the condition */
};

struct keeper_settings {
    struct str cluster_name, region;
    struct str ca;      /* the certificate authority for the hash, in base64; may be empty */
    int64_t refresh_ms; /* > 0 */
    bool isolated_vpc, reserved_capacity;
    bool dry_run;        /* ask EC2 whether it would launch */
    struct str endpoint; /* dry_run: of the cluster, "https://..." */
    /* Walks over the NodeClaims of a class: *at begins with 0; false at the end. All are known, or
     * there is no such kind (keeper_claims_absent). */
    bool (*claim_next)(void *ctx, struct str class_name, uint32_t *at, struct keeper_claim *ret);
    /* dry_run: the types that NodePools of a class may buy, the one to be tried rather first, in
     * `arena`; gives how many. NodePools are known. */
    uint32_t (*types_of)(void *ctx, struct str class_name, struct arena *arena,
                         const struct nodeclass_type **ret_types);
    void *ctx;
};

/* Texts of the settings must outlive it. */
struct keeper *keeper_new(const struct keeper_settings *settings);
void keeper_free(struct keeper *keeper); /* NULL is fine; what is under way is forgotten */

/* The version of Kubernetes, "1.33"; must be known before keeper_next. */
void keeper_set_version(struct keeper *keeper, struct str version);

/* An EC2NodeClass as it is now; copied. */
void keeper_class(struct keeper *keeper, const json_t *object);
void keeper_class_gone(struct keeper *keeper, struct str name);
/* All classes will be told of anew; those that are not are gone. */
void keeper_restart(struct keeper *keeper);
void keeper_claim_gone(struct keeper *keeper, struct str class_name);
/* Whether the cluster is said to have no kind NodeClaim at all. Meanwhile nothing is removed of a
 * class that was seen with NodeClaims: their nodes may live. */
void keeper_claims_absent(struct keeper *keeper, bool absent);

/* Ends all looks; every class will be looked at again. For a replica that may not act any more:
 * somebody else may act meanwhile, and what AWS had said before counts no more. */
void keeper_drop(struct keeper *keeper);

struct keeper_moment {
    wall_t wall;
    mono_t mono;
};

enum keeper_want_type {
    KEEPER_ASK,   /* ask AWS: pages to keeper_page, the end to keeper_end */
    KEEPER_PATCH, /* a merge patch: what became of it to keeper_patched */
    KEEPER_SAY    /* a line for the log */
};
enum keeper_target { KEEPER_CLASS, KEEPER_CLASS_STATUS, KEEPER_CLAIM };

struct keeper_want {
    enum keeper_want_type type;
    uint32_t id;                           /* ASK, PATCH */
    const struct aws_operation *operation; /* ASK; lives until the end, as `input` does */
    const void *input;
    enum keeper_target target; /* PATCH */
    struct str name, version; /* PATCH: of the object; version empty: any. SAY: name of the class */
    struct str body;          /* PATCH */
    bool is_error;            /* SAY */
    const char *message;      /* SAY; static */
    struct str text;          /* SAY; may be empty. SAY's texts are valid until the next call */
};

/* The next thing to do; false: nothing now. */
MUST_CHECK bool keeper_next(struct keeper *keeper, struct keeper_moment now,
                            struct keeper_want *ret_want);
mono_t keeper_due(const struct keeper *keeper); /* when to ask again; INT64_MAX: when told */

void keeper_page(struct keeper *keeper, uint32_t id, const void *output, struct keeper_moment now);
/* `text` says of a fault what a person should know. */
void keeper_end(struct keeper *keeper, uint32_t id, const struct aws_fault *fault, struct str text,
                struct keeper_moment now);

enum keeper_outcome {
    KEEPER_DONE,
    KEEPER_GONE,  /* there is no such object any more */
    KEEPER_AGAIN, /* somebody else was faster */
    KEEPER_FAILED
};
/* `version`: of the object now, when done. `text`: why not. */
void keeper_patched(struct keeper *keeper, uint32_t id, enum keeper_outcome outcome,
                    struct str version, struct str text, struct keeper_moment now);
