/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything that can happen to the engine. With `now` and the settings, events are all it knows:
 * the same events give the same actions, byte for byte. */
#pragma once

#include "awsapi/fault.h"
#include "base/units.h"
#include "k8s/kinds.h"
#include "k8s/roster.h"
#include "k8s/write.h"
#include "provisioner/nodeclass/userdata.h"

struct aws_operation;
struct round_result;

struct moment {
    wall_t wall;
    mono_t mono;
};

enum event_type {
    EVENT_DELTA,   /* an object came, changed or went */
    EVENT_KIND,    /* how far a kind of objects is known */
    EVENT_TICK,    /* the time of ACTION_TIMER has come */
    EVENT_SOLVED,  /* the round of ACTION_SOLVE is over */
    EVENT_EXPLAIN, /* somebody asks about a pod */
    EVENT_STOP,    /* the program is asked to end */
    EVENT_WRITTEN, /* what became of ACTION_WRITE */
    EVENT_REPLY,   /* what became of ACTION_CALL */
    EVENT_LEAD,    /* this replica may act from now on, or no longer */
    EVENT_CLUSTER  /* what new nodes are to be told of the cluster */
};

/* How far a kind is known. */
enum kind_stage {
    KIND_UNKNOWN, /* its list has not been read to the end */
    KIND_SYNCED,  /* it is followed */
    KIND_ABSENT,  /* the cluster does not have it */
    KIND_REFUSED  /* RBAC does not let us see it */
};

struct event {
    enum event_type type;
    const struct k8s_kind *kind;           /* DELTA, KIND */
    struct k8s_delta delta;                /* DELTA; borrowed */
    enum kind_stage stage;                 /* KIND */
    struct str why;                        /* KIND: of KIND_REFUSED */
    struct round_result *result;           /* SOLVED; the engine does not keep it */
    uint64_t ask;                          /* EXPLAIN: comes back with ACTION_REPLY */
    struct str pod;                        /* EXPLAIN: "namespace/name" */
    uint64_t id;                           /* WRITTEN, REPLY: of the action */
    struct k8s_written written;            /* WRITTEN */
    const struct aws_operation *operation; /* REPLY */
    const void *reply;                     /* REPLY: its output struct; NULL when it failed */
    struct aws_fault fault;                /* REPLY: AWS_FAULT_NONE when it did not */
    bool leads;                            /* LEAD */
    struct userdata_cluster cluster;       /* CLUSTER; borrowed */
};
