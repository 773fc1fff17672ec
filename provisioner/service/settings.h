/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The settings of `provisioner`: one table from which the parser, --help, the man page and
 * docs/settings.md come.
 *
 * The settings of Karpenter v1.14, core and AWS provider, have the names, variables, defaults and
 * meanings that they have there; ours come on top, with variables that begin with BINPACK_. A
 * variable of the environment stands for the flag that is not given. Spellings: --name=value,
 * --name value, and the same with one dash; a flag of kind SETTING_FLAG takes "=true" and "=false"
 * or nothing. Values are checked while parsing: whatever is in `struct settings` is legal. Unlike
 * Karpenter, which falls back to the default, a malformed variable is an error. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "base/units.h"

struct arena;

enum setting_group {
    GROUP_CORE,   /* Karpenter's own */
    GROUP_AWS,    /* of its AWS provider */
    GROUP_BINPACK /* ours */
};
enum { N_SETTING_GROUPS = GROUP_BINPACK + 1 };
extern const char *const setting_group_titles[N_SETTING_GROUPS];

enum setting_kind {
    SETTING_TEXT,     /* struct str, may be empty */
    SETTING_FLAG,     /* bool */
    SETTING_CHOICE,   /* int: index into `choices` */
    SETTING_NUMBER,   /* int64_t within min..max */
    SETTING_DURATION, /* int64_t: milliseconds within min..max, in Go's syntax */
    SETTING_FRACTION, /* int64_t: parts per million of 1; "0.075" */
    SETTING_PERCENT,  /* int64_t: parts per million of the whole; "0.5%" or "0.5" */
    SETTING_GATES     /* bool[]: NAME=true,NAME=false over the defaults; names in `choices` */
};

/* What a setting does to the modes that there are. */
enum setting_effect {
    EFFECT_USED,    /* in every mode */
    EFFECT_PREPARE, /* in modes that write */
    EFFECT_FULL,    /* when nodes are bought */
    EFFECT_SANDBOX, /* in --sandbox; refused without it */
    EFFECT_LATER,   /* checked; what it is for is not there yet */
    EFFECT_NONE /* accepted so that manifests of Karpenter work; `doc` says why it does nothing */
};

struct setting_row {
    const char *name;  /* without the dashes; NULL: the environment only */
    const char *env;   /* "METRICS_PORT" */
    const char *value; /* "PORT"; NULL for flags */
    enum setting_kind kind;
    size_t offset;              /* of the field in struct settings */
    const char *const *choices; /* NULL-terminated; CHOICE, GATES */
    int64_t min, max;           /* NUMBER; DURATION in ms */
    const char *fallback;       /* the default, as one would write it; "" for none (a number: 0) */
    enum setting_group group;
    enum setting_effect effect;
    const char *help; /* one line without a full stop */
    const char *doc;  /* the rest, for man page and docs; may be NULL */
};
extern const struct setting_row setting_rows[];
extern const size_t n_setting_rows;

enum setting_gate {
    GATE_NODE_REPAIR,
    GATE_RESERVED_CAPACITY,
    GATE_SPOT_TO_SPOT,
    GATE_NODE_OVERLAY,
    GATE_STATIC_CAPACITY,
    GATE_CAPACITY_BUFFER,
    N_SETTING_GATES
};
enum { N_SETTING_AWS_GATES = 1 };
enum { MODE_FULL, MODE_OBSERVE, MODE_PREPARE };
extern const char *const setting_modes[]; /* their names */
enum { LOG_DEBUG, LOG_INFO, LOG_ERROR };
enum { SETTINGS_NOTES_MAX = 64 };

/* What the command line asks for besides a run. */
enum settings_command {
    COMMAND_RUN,
    COMMAND_HELP,
    COMMAND_VERSION,
    COMMAND_REPLAY,
    COMMAND_SANDBOX
};

struct settings {
    enum settings_command command;
    struct str topic;    /* HELP: "", "man", "markdown" or "metrics" */
    struct str replay;   /* REPLAY: the journal */
    struct str scenario; /* SANDBOX: a name or a file; empty: the first that there is */
    /* SANDBOX: hours 0: the scenario's; faults: unless has_faults, the scenario's; runs: worlds */
    int64_t seed, hours, faults, runs;
    bool has_faults;
    bool headless;           /* SANDBOX: only the table, on a terminal, too */
    struct str sandbox_only; /* "--hours": the last of EFFECT_SANDBOX that was given; or empty */

    struct str karpenter_service, leader_election_name, leader_election_namespace;
    struct str log_output_paths, log_error_output_paths, scheduler_config;
    struct str system_namespace, kubernetes_min_version;
    int64_t metrics_port, health_probe_port, kube_client_qps, kube_client_burst;
    int64_t memory_limit, cpu_requests, batch_max_ms, batch_idle_ms;
    bool enable_profiling, disable_controller_warmup, disable_leader_election;
    bool disable_cluster_state_observability, ignore_dra_requests;
    int log_level, preference_policy, min_values_policy; /* choices */
    bool gates[N_SETTING_GATES];

    struct str aws_region, cluster_name, cluster_endpoint, cluster_ca_bundle, interruption_queue;
    bool isolated_vpc, eks_control_plane, disable_dry_run, enable_zonal_shift;
    int64_t vm_memory_overhead_ppm, reserved_enis, ami_refresh_ms, subnet_refresh_ms;
    bool aws_gates[N_SETTING_AWS_GATES];

    int mode, algorithm; /* choices */
    struct str kubeconfig, context, catalog, journal, bind_address;
    int64_t gap_ppm, effort, time_limit_ms, disruption_interval_ms, threads;
    int64_t launches_per_minute, launch_usd_per_minute;
    bool debug_remote;

    /* Worth a line in the log: unknown gates, and settings that have no effect. */
    uint32_t n_notes;
    struct str notes[SETTINGS_NOTES_MAX];
};

/* The value of a variable; empty when it is not set. */
typedef struct str (*settings_env_fn)(void *ctx, const char *name);

/* Texts are views of argv and of what env gives; notes are in `arena`. Errors: ERR_INVALID names
 * flag or variable, value, and what is allowed. */
MUST_CHECK bool settings_parse(int argc, const char *const *argv, settings_env_fn env, void *ctx,
                               struct arena *arena, struct settings *ret_settings, struct err *err);

/* The row of a flag, or NULL. */
const struct setting_row *setting_find(struct str name);

void settings_help(struct strbuf *b);     /* --help, for terminals */
void settings_man(struct strbuf *b);      /* mdoc(7) */
void settings_markdown(struct strbuf *b); /* docs/settings.md */
