/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the command line to a cluster and a catalogue: reads the files, makes the pods of workloads
 * that have none, puts a built-in NodePool in when there is none, chooses clock and mode, and says
 * what it assumed. */
#pragma once

#include "base/err.h"
#include "binpack/catalog/catalog.h"
#include "binpack/cli/console.h"
#include "binpack/cli/options.h"
#include "binpack/plan/blame.h"
#include "binpack/plan/disrupt.h"
#include "binpack/plan/make.h"
#include "binpack/whatif/change.h"
#include "k8s/cluster.h"

struct arena;

struct input_left_out { /* an object that broke a rule of its kind */
    struct str kind, ns, name;
    struct str why;     /* the first rule; begins with kind and name */
    bool needs_a_place; /* a pod, or what makes pods: without it a plan is too cheap */
};

struct input {
    struct strtab *tab;
    struct k8s_words words;
    const struct k8s_cluster *cluster;
    const struct catalog *catalog;
    wall_t now;
    enum plan_mode mode;
    uint64_t n_objects, n_bytes;
    uint32_t n_rejected;                   /* objects that broke a rule of their kind */
    uint32_t n_homeless;                   /* those of them that would need a place */
    const struct input_left_out *left_out; /* [n_rejected] in the order read */
    uint32_t n_unreadable;                 /* kinds of a running cluster that could not be read */
    uint32_t n_made_pods;                  /* of workloads without pods */
    bool default_pool;                     /* the built-in NodePool was put in */
    uint32_t n_changes;                    /* what-if: what was changed, in sentences */
    const struct str *changes;
    uint32_t n_blames; /* what-if options that took offerings away */
    const struct blame_change *blames;
    const struct catalog *given_catalog; /* without those */
};

/* Everything lives in `arena`. Warnings and assumptions go to the console. `paths` are files,
 * directories or "-". Errors: those of reading and of the catalogue (exit 1), ERR_CANCELLED after
 * an interrupt. */
MUST_CHECK bool input_read(const struct options *options, const struct option_texts *paths,
                           struct console *console, struct arena *arena, struct input *ret_input,
                           struct err *err);

/* The catalogue of --catalog, or the built-in one. */
MUST_CHECK bool input_catalog(const struct options *options, struct console *console,
                              struct arena *arena, struct strtab *tab,
                              const struct catalog **ret_catalog, struct err *err);

/* Applies what-if changes to an input: cluster, catalogue and the list of changes. */
MUST_CHECK bool input_change(struct input *input, const struct whatif_change *changes, uint32_t n,
                             struct arena *arena, struct err *err);

/* NodePools, node classes and overlays of a file in place of those of the input; of a kind that the
 * file has none of those of the input stay. ERR_NOT_FOUND: no NodePool in it. */
MUST_CHECK bool input_replace_pools(struct input *input, struct str file, struct console *console,
                                    struct arena *arena, struct err *err);

/* --algorithm, as settings. */
/* Whose plan an algorithm imitates. */
enum plan_planner input_planner(enum option_algorithm algorithm);
void input_set_algorithm(struct make_settings *settings, enum option_algorithm algorithm);

/* --min-pools, --max-per-pool, --spot-max. */
struct plan_spot_rules input_spot_rules(const struct options *options);

/* The settings that the command line asks for, over those that the input implies. */
struct make_settings input_settings(const struct options *options, const struct input *input);

/* Whoever asks a question waits for the answer: where `n_plans` plans of the input together are
 * about many pods, each gets less effort than a plan by itself, unless the command line says how
 * much, and that is said. */
void input_ask_effort(const struct options *options, const struct input *input, uint32_t n_plans,
                      struct console *console, struct make_settings *settings);

/* What --mode=disrupt may do, from the command line alone. */
struct disrupt_options input_disrupt_options(const struct options *options);
