/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the service share. Internal to provisioner/service. */
#pragma once

#include "base/arena.h"
#include "base/parallel.h"
#include "io/loop.h"
#include "live/session.h"
#include "provisioner/engine/engine.h"
#include "provisioner/provisioning/round.h"
#include "provisioner/service/routes.h"
#include "provisioner/service/service.h"

struct acting;
struct cluster;
struct deeds;
struct io_append;
struct io_worker;
struct io_workers;
struct k8s_roster;
struct k8s_watch;
struct catalog;
struct nodeclasses;

/* A kind of objects that is followed. */
struct followed {
    struct service *service;
    const struct k8s_kind *kind;
    struct k8s_roster *roster;
    enum kind_stage stage;
    bool said_failing;
};

/* A step of the engine: its actions, and what they point to. Whoever needs that longer takes a
 * reference. */
struct step {
    struct arena arena;
    uint32_t n_users;
};
void step_ref(struct step *step);
void step_unref(struct step *step);

/* The text of observe/cluster.h, which answers that are being sent read too. */
struct shared_text {
    struct arena arena; /* with this */
    struct str text;
    uint32_t n_users;
};
void shared_text_drop(void *shared); /* one user less; NULL is fine */

struct service {
    struct arena arena;
    struct arena answers; /* of the answer at hand */
    const struct settings *settings;
    struct log *log;
    struct live_session session;
    struct engine *engine;
    struct metrics *metrics;   /* the engine's */
    struct io_append *journal; /* NULL: none is written */
    struct followed *kinds;    /* [k8s_n_kinds] */
    struct io_timer timer, stop_timer;
    struct io_worker *worker;
    struct io_workers *workers;
    struct parallel parallel;
    struct round_job *job;
    struct round_result result;
    struct routes routes[2];
    struct arena plan_arena, disruption_arena;
    struct str plan, disruption;         /* the last ones as JSON; empty: none yet */
    struct shared_text *cluster_metrics; /* of the last whole plan; NULL: none */
    struct arena catalog_arena;          /* of the catalogue that the engine plans with */
    struct acting *acting;               /* NULL: --mode=observe; so are these: */
    struct cluster *cluster;
    struct nodeclasses *nodeclasses;
    struct deeds *deeds; /* NULL: but for --mode=full */
    bool told_leads;     /* what the engine was told last */
    bool stopping, over, restart, too_late;
};

struct moment service_now(const struct service *service);
void service_step(struct service *service, const struct event *event);
