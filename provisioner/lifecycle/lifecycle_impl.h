/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of lifecycle share. Internal to provisioner/lifecycle. */
#pragma once

#include <jansson.h>

#include "base/arena.h"
#include "base/vec.h"
#include "binpack/scheduling/vocab.h"
#include "provisioner/lifecycle/conditions.h"
#include "provisioner/lifecycle/lifecycle.h"
#include "provisioner/lifecycle/pause.h"
#include "provisioner/lifecycle/unavailable.h"

#define TERMINATION_FINALIZER "karpenter.sh/termination"
#define CLAIM_TAG             "karpenter.sh/nodeclaim"
#define CLAIM_UID_TAG         "binpack/nodeclaim-uid" /* what only this program writes: see gc.h */

enum {
    LIFE_TEXT_MAX = 256,
    LOOK_AGAIN_MS = 5 * 1000,         /* DescribeInstances while something must show or vanish */
    DRAIN_AGAIN_MS = 1000,            /* (karp: requeue of awaitDrain) */
    NEXT_POD_MS = 200,                /* for the state to show that the one before is going */
    DRAIN_BACKOFF_MAX_MS = 10 * 1000, /* (karp: eviction queue) */
    BACKOFF_MIN_MS = 1000,            /* (karp: nodeclaim.lifecycle) */
    BACKOFF_MAX_MS = 60 * 1000,
    UNSEEN_MS = 120 * 1000, /* so long DescribeInstances may not know what was launched */
    LAUNCH_TIMEOUT_MS = 5 * 60 * 1000,        /* (karp: LaunchTimeout) */
    REGISTRATION_TIMEOUT_MS = 15 * 60 * 1000, /* (karp: registration timeout) */
    STUCK_POD_MS = 60 * 1000                  /* a pod that should have gone so long ago */
};

/* Text with a cap, by value. */
struct life_text {
    uint16_t n;
    char p[LIFE_TEXT_MAX];
};
struct life_text life_text_of(struct str text);
struct str life_str(const struct life_text *text); /* as long as the text is */

enum life_wait {
    LIFE_FREE,      /* nothing is under way */
    LIFE_WRITE,     /* a write, whose effect the state will show */
    LIFE_DRAIN,     /* a pod is being evicted or deleted */
    LIFE_NOTE,      /* the annotation of the attempt is being written */
    LIFE_LOOK,      /* DescribeInstances by the claim's tag */
    LIFE_LOOK_GONE, /* the same by id, until it is gone */
    LIFE_TEMPLATE,  /* CreateLaunchTemplate */
    LIFE_FLEET,     /* CreateFleet */
    LIFE_TERMINATE  /* TerminateInstances */
};

/* What this run of the program knows of a claim beyond the objects. */
struct life {
    struct life_text name, uid;
    uint64_t id;      /* of the action under way */
    uint64_t version; /* that the write under way changes; 0: any */
    enum life_wait wait;
    mono_t due; /* look at it again then */
    int64_t backoff_ms;
    int64_t retry_ms;   /* between calls that launch */
    mono_t retry_at;    /* no call that launches before */
    bool sure;          /* no call of the attempt was made by another run, or it was asked after */
    bool uncalled;      /* the attempt is of this run, and no call of it was made yet */
    bool used_up;       /* the attempt failed for good: the next one */
    bool none;          /* there is no instance, for certain */
    uint32_t n_missing; /* lists in a row without its instance */
    bool given_up;      /* nothing can be had for it: it is to go */
    bool terminating;   /* TerminateInstances has been answered */
    mono_t looking_since;  /* INT64_MAX: not looking */
    mono_t nodeless_since; /* registered, and its Node is not there since; 0: it is */
    bool has_instance;     /* of CreateFleet or DescribeInstances: */
    struct life_text instance_id, type, zone, image_id, capacity_type;
    struct life_text template; /* that is being made */
    struct life_text node;     /* name of its Node, once it had one */
    const char *reason;        /* why this run has deleted it; NULL: it has not */
};

/* Of gc.c: an instance of the list that is being read. */
struct gc_instance {
    struct aws_instance of;
    struct str claim_uid; /* empty for what others have launched */
    bool going;
};
struct gc {
    uint64_t id; /* of the call under way; 0: none */
    mono_t due;  /* 0: not begun */
    struct arena arena;
    VEC(struct gc_instance) seen; /* in `arena` */
    struct arena listed_arena;    /* of the last list that was read to its end: */
    uint32_t n_listed;
    const struct gc_instance *listed; /* [n_listed] sorted by id */
    VEC(struct life_text) orphans;    /* of the last list: instances whose claim was not there */
};

struct class_object {
    struct life_text name;
    json_t *object;
};

struct lifecycle {
    struct arena arena;
    struct unavailable *unavailable;
    struct pause *pause;
    VEC(struct life) lives;
    VEC(struct class_object) classes;
    VEC(struct life_text) templates; /* names that EC2 has */
    struct gc gc;
    struct lifecycle_counts counts;
};

/* ---- lifecycle.c ---- */

/* One action for the claim; its end comes back to it. `write.name` and so on must be set. */
void life_write(const struct lifecycle_view *view, struct life *life, enum life_wait wait,
                const struct k8s_write *write);
/* Of the object that `meta` names, in the version that was seen; `patch` need not say either. */
void life_patch(const struct lifecycle_view *view, struct life *life, enum life_wait wait,
                const struct k8s_meta *meta, const struct k8s_write *patch);
void life_patch_claim(const struct lifecycle_view *view, struct life *life, enum life_wait wait,
                      const struct karp_nodeclaim *claim, struct str subresource, struct str body);
void life_call(const struct lifecycle_view *view, struct life *life, enum life_wait wait,
               const struct aws_operation *operation, const void *request);
/* What failed again, each time twice as late. */
void life_back_off(const struct lifecycle_view *view, struct life *life);
const struct k8s_kind *life_kind(const char *name);
const struct k8s_node *life_node(const struct lifecycle_view *view, struct str provider_id);
/* {"status": {"conditions": [...]}} of the claim. */
void life_write_conditions(const struct lifecycle_view *view, struct life *life,
                           const struct karp_nodeclaim *claim, const struct conditions *conditions);
struct conditions life_conditions(const struct lifecycle_view *view,
                                  const struct karp_nodeclaim *claim);
bool life_is_true(const struct lifecycle_view *view, const struct karp_nodeclaim *claim,
                  const char *type);
void life_delete(const struct lifecycle_view *view, struct life *life, const char *kind,
                 const struct k8s_meta *meta);
/* Deletes the claim, for a reason in the words of Karpenter's metrics; static. */
void life_end(const struct lifecycle_view *view, struct life *life,
              const struct karp_nodeclaim *claim, const char *reason);
/* The claim that it is of; NULL: it is not there any more. */
const struct karp_nodeclaim *life_claim(const struct lifecycle_view *view, const struct life *life);
/* "i-..." of "aws:///zone/i-...". */
struct str life_instance_id(struct str provider_id);
/* The name of its NodePool; empty: it has none. */
struct str life_pool(const struct lifecycle_view *view, const struct karp_nodeclaim *claim);
struct str life_effect(enum k8s_effect effect);

/* ---- launch.c ---- */

void launch_next(struct lifecycle *lifecycle, const struct lifecycle_view *view, struct life *life,
                 const struct karp_nodeclaim *claim);
void launch_reply(struct lifecycle *lifecycle, const struct lifecycle_view *view, struct life *life,
                  const struct karp_nodeclaim *claim, const struct event *event);
/* DescribeInstances by the claim's tag. */
void launch_look(const struct lifecycle_view *view, struct life *life);
bool launch_was_tried(const struct lifecycle_view *view, const struct karp_nodeclaim *claim);

/* ---- register.c ---- */

void register_next(struct lifecycle *lifecycle, const struct lifecycle_view *view,
                   struct life *life, const struct karp_nodeclaim *claim);
void initialize_next(struct lifecycle *lifecycle, const struct lifecycle_view *view,
                     struct life *life, const struct karp_nodeclaim *claim);

/* ---- terminate.c ---- */

void terminate_next(struct lifecycle *lifecycle, const struct lifecycle_view *view,
                    struct life *life, const struct karp_nodeclaim *claim);
/* Leaves its node before the machine ends: not static, not at home on a node that is going, not one
 * that should have gone long ago. */
bool terminate_drains(const struct lifecycle_view *view, const struct k8s_pod *pod);
void terminate_reply(struct lifecycle *lifecycle, const struct lifecycle_view *view,
                     struct life *life, const struct event *event);

/* ---- detach.c: what the claim says of its end, and its volumes; each true: it is being written */

bool detach_say_draining(const struct lifecycle_view *view, struct life *life,
                         const struct karp_nodeclaim *claim);
bool detach_say_terminating(const struct lifecycle_view *view, struct life *life,
                            const struct karp_nodeclaim *claim);
/* True: the drained node has no volume to wait for, and the claim says so. False: something was
 * begun towards that, or it is looked at again soon. */
bool detach_is_done(const struct lifecycle_view *view, struct life *life,
                    const struct karp_nodeclaim *claim, const struct k8s_node *node,
                    struct opt_wall deadline);
