/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the keeper share (keeper.h). Internal to it. */
#pragma once

#include "base/arena.h"
#include "base/vec.h"
#include "provisioner/nodeclass/dryrun.h"
#include "provisioner/nodeclass/keeper.h"
#include "provisioner/nodeclass/memo.h"
#include "provisioner/nodeclass/resolver.h"
#include "provisioner/nodeclass/upkeep.h"

/* What a line is about. */
enum subject {
    ABOUT_AWS,
    ABOUT_TRIES,
    ABOUT_SWEEPS,
    ABOUT_WRITES,
    ABOUT_CLAIMS,
    ABOUT_STATE,
    N_SUBJECTS
};

enum { VERSION_MAX = 128, CIDR_MAX = 64, REASON_MAX = 64, MESSAGE_MAX = 512 };

enum stage {
    IDLE,
    CLAIMS,
    META,
    CLUSTER,
    PROFILE,
    RESOLVE,
    TRY, /* a dry run */
    STATUS,
    SWEEP,  /* of what it needs no more */
    CLEAN,  /* of a class that goes */
    RELEASE /* the finalizer */
};

/* What a dry run has said, as long as it holds. */
struct tried {
    uint64_t of; /* hash of what it was about */
    mono_t until;
    enum nodeclass_truth status;
    size_t n_reason, n_message;
    char reason[REASON_MAX], message[MESSAGE_MAX];
};

/* A class, from the first word of it until it is gone and nothing is under way for it. */
struct kept {
    struct kept *next;
    struct keeper *keeper;
    struct arena arena; /* its name */
    struct str name;
    json_t *object;  /* as it is now; NULL: gone */
    bool dirty;      /* to be looked at whatever `due` says */
    bool had_claims; /* NodeClaims of it have been seen */
    mono_t due;
    uint32_t n_failures;       /* in a row */
    uint64_t said[N_SUBJECTS]; /* hashes of the last lines about it, so as not to say them again */
    struct tried tried;
    mono_t sweep_at; /* 0: not since the start */

    /* ---- of the look that is under way ---- */
    enum stage stage;
    struct arena run;
    json_t *run_object;        /* that `class` was decoded from */
    char version[VERSION_MAX]; /* of run_object, and of it with what this look has written */
    size_t n_version;
    struct nodeclass class;
    enum nodeclass_family family;
    struct str hash;
    VEC(struct keeper_claim) claims;
    size_t claim_i;
    bool handed;       /* what the stage wants has been handed out */
    bool failed;       /* a question has no answer */
    bool claim_failed; /* a NodeClaim could not be written: the hash waits for it */
    struct nodeclass_upkeep *upkeep;
    struct nodeclass_resolver *resolver;
    struct nodeclass_dryrun *dryrun;
    struct nodeclass_trial trial;           /* what it tries */
    bool try_failed;                        /* a question of it, in whatever way */
    struct nodeclass_status before, status; /* as it was, and from TRY on as it is */
    struct str profile, profile_failure;
    uint32_t n_under_way;
};

struct under_way {
    uint32_t id;
    struct kept *kept;
    enum stage stage;
    uint32_t question;    /* RESOLVE: of the resolver */
    struct str parameter; /* RESOLVE: that is asked for; empty: another question */
};

struct keeper {
    struct arena arena, say_arena;
    struct keeper_settings settings;
    struct str version;
    struct kept *first;
    VEC(struct under_way) under_way;
    uint32_t n_ids;
    VEC(struct keeper_want) says;
    size_t say_i;
    char cidr[CIDR_MAX]; /* of Services */
    size_t n_cidr;
    bool ipv6;        /* so their addresses are of IPv6 */
    struct memo memo; /* of parameters that name images */
    bool claims_absent;
};

/* A line for the log, unless the last one about the subject said the same. */
void keeper_say(struct kept *kept, enum subject subject, bool is_error, const char *message,
                struct str text);

/* It goes well: says so with `message` when something else was said before. */
void keeper_well(struct kept *kept, enum subject subject, const char *message);

/* The end of a look, and its next stage. */
void kept_finish(struct kept *kept, struct keeper_moment now, bool good);
void kept_go(struct kept *kept, enum stage stage);

/* The NodeClaims of the class as they are now. */
void keeper_gather_claims(struct kept *kept);

/* metadata.generation; 0 when absent. */
json_int_t kept_generation(const json_t *object);

/* ---- keeper_stage.c ---- */

/* What the stage wants now. False with another stage: ask again; false with the same: it waits. */
bool kept_want(struct kept *kept, struct keeper_moment now, struct keeper_want *ret_want);
