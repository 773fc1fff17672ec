/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The options of `binpack`: one table from which the parser, --help, the man page, the shell
 * completions and docs/cli.md come.
 *
 * A row says how an option is spelled, what its value may be, which field of `struct options` it
 * fills and which commands take it. A new option is one row and one field. Values are checked while
 * parsing: whatever is in `struct options` is legal. Spellings: --name=value, --name value, -n
 * value, -nvalue, -xyz for flags; no abbreviations; "--" ends the options. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "base/units.h"

struct arena;

enum cli_command {
    CLI_SIMULATE,
    CLI_EXPLAIN,
    CLI_COMPARE,
    CLI_DIFF,
    CLI_RECORD,
    CLI_VERIFY,
    CLI_VALIDATE,
    CLI_CATALOG,
    CLI_NODECLASS,
    CLI_COMPLETION,
    CLI_HELP,
    CLI_VERSION,
    CLI_N_COMMANDS
};

struct command_row {
    enum cli_command command;
    const char *name, *arguments; /* "verify", "PLAN -f FILE..." */
    const char *help;             /* one line without a full stop */
    const char *doc;              /* a paragraph or two */
};
extern const struct command_row command_rows[CLI_N_COMMANDS]; /* by command */

enum option_group {
    GROUP_INPUT,
    GROUP_PLAN,
    GROUP_WHATIF,
    GROUP_DISRUPTION, /* --mode=disrupt */
    GROUP_SOLVER,
    GROUP_OUTPUT,
    GROUP_GATES,
    GROUP_GENERAL,
    N_OPTION_GROUPS
};
extern const char *const option_group_titles[N_OPTION_GROUPS];

enum option_kind {
    OPTION_FLAG,     /* bool; takes no value */
    OPTION_COMMAND,  /* no value: chooses the command `choice_of` */
    OPTION_TEXT,     /* struct str, not empty */
    OPTION_TEXTS,    /* struct option_texts, repeatable */
    OPTION_LIST,     /* struct option_texts from a comma-separated list; repeatable */
    OPTION_CHOICE,   /* int: index into `choices` */
    OPTION_NUMBER,   /* uint64_t within min..max */
    OPTION_PERCENT,  /* struct opt_i64: parts per billion of the whole; "0.5%" or "0.5" */
    OPTION_FRACTION, /* int64_t: parts per million; "0.075" */
    OPTION_USD,      /* int64_t: millionths of a dollar; "0.005" */
    OPTION_DURATION, /* struct opt_i64: milliseconds, > 0; "5s", "1m30s" */
    OPTION_TIME,     /* struct opt_wall: RFC 3339 */
    OPTION_OUTPUTS,  /* struct option_outputs, repeatable: FORMAT or FORMAT=FILE */
    OPTION_GATES,    /* struct option_gates: Name=true,Name=false */
    OPTION_SET       /* uint32_t: bit per name of a comma-separated list of `choices` */
};

/* What shells complete: files, or words that `binpack completion KIND` prints (words.h). */
enum option_hint {
    HINT_NONE,
    HINT_FILE,
    HINT_SUBJECTS,
    HINT_NODES,
    HINT_NAMESPACES,
    HINT_WORKLOADS,
    HINT_ZONES,
    HINT_TYPES,
    HINT_SCENARIOS,
    HINT_BREAKDOWNS,
    N_OPTION_HINTS
};
extern const char *const option_hint_kinds[N_OPTION_HINTS]; /* "nodes"; NULL: no such words */

/* The hint of which that is the kind of words; HINT_NONE when it is none. */
enum option_hint option_hint_of(struct str kind);

struct option_row {
    const char *name;  /* without the dashes */
    char letter;       /* of the short form, or 0 */
    const char *value; /* "FILE"; NULL when it takes none */
    enum option_kind kind;
    size_t offset;              /* of the field in struct options */
    const char *const *choices; /* NULL-terminated; CHOICE, OUTPUTS, GATES */
    uint64_t min, max;          /* NUMBER; PERCENT, in 10^-9, when max > 0 */
    const char *fallback;       /* what holds without the option, for help; NULL: nothing to say */
    enum option_group group;
    uint32_t commands; /* bit per command */
    enum option_hint hint;
    const char *help; /* one line without a full stop */
    const char *doc;  /* the rest, for man page and docs; may be NULL */
};
extern const struct option_row option_rows[];
extern const size_t n_option_rows;

enum output_format {
    OUTPUT_TABLE,
    OUTPUT_WIDE,
    OUTPUT_JSON,
    OUTPUT_YAML,
    OUTPUT_CSV,
    OUTPUT_NODECLAIMS,
    OUTPUT_MARKDOWN,
    OUTPUT_SNAPSHOT,
    N_OUTPUT_FORMATS
};
extern const char *const output_format_names[N_OUTPUT_FORMATS + 1]; /* NULL-terminated */

struct option_texts {
    uint32_t n;
    const struct str *v;
};
struct option_output {
    enum output_format format;
    struct str file; /* empty: standard output */
};
struct option_outputs {
    uint32_t n;
    const struct option_output *v;
};

enum feature_gate {
    GATE_RESERVED_CAPACITY,
    GATE_NODE_OVERLAY,
    GATE_CAPACITY_BUFFER,
    GATE_SPOT_TO_SPOT,
    GATE_STATIC_CAPACITY,
    N_FEATURE_GATES
};
extern const char *const feature_gate_names[N_FEATURE_GATES + 1]; /* NULL-terminated */
struct option_gates {
    struct opt_bool gates[N_FEATURE_GATES];
    struct option_texts unknown; /* names that this program does not know: worth a warning, as the
                                    service would ignore them */
};

enum option_algorithm {
    ALGORITHM_COLGEN,
    ALGORITHM_FFD,
    ALGORITHM_KARPENTER,
    ALGORITHM_CLUSTER_AUTOSCALER
};

enum option_mode { MODE_AUTO, MODE_PROVISION, MODE_DISRUPT, MODE_REPACK };

enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER };

struct options {
    enum cli_command command;
    bool command_given;
    struct option_texts arguments; /* what is no option, without the name of the command */

    struct option_texts files, catalogs;
    struct option_texts explain; /* pods to be explained */
    struct option_texts fail_if; /* conditions, see gate.h */
    /* What if, see changes.h. */
    struct option_texts remove_nodes, scale, deny_types, zones_down, price_adjust, unavailable,
        node_surcharge;
    bool no_spot;
    struct option_texts with; /* scenarios, see scenario.h */
    bool price_constraints, exit_code;
    struct str by; /* see breakdown.h; empty: nothing */
    struct option_texts columns;
    struct str sort_by;
    bool no_headers;
    struct str namespace_name, selector;
    struct str kubeconfig, context, record_file;
    struct str region, profile; /* of AWS; empty: as its own tools find them */
    struct str nodepool,
        instance_type; /* of the node whose class is shown; empty: see nodeclass_input.h */
    int capacity_type; /* index: on-demand, spot */
    bool resolve;      /* ask AWS what selectors come to */
    struct str kubernetes_version; /* empty: see nodeclass_input.c */
    struct str cluster_name, cluster_endpoint, cluster_ca, cluster_cidr, cluster_dns;
    int expand; /* index: auto, never */
    int mode;   /* enum option_mode */
    struct opt_wall now;
    int preference_policy; /* index: Respect, Ignore */
    int min_values_policy; /* index: Strict, BestEffort */
    struct option_gates gates;
    uint32_t reasons; /* bit per enum disrupt_reason, in the order of reason_names; 0: all */
    uint64_t max_disruptions, max_moved_pods; /* UINT64_MAX: as many as the budgets allow */
    int64_t move_cost_micro;                  /* millionths of a dollar per moved pod */
    struct opt_i64 payback;                   /* ms */
    bool detect_drift, respect_safe_to_evict;
    int64_t vm_memory_overhead_ppm;
    uint64_t reserved_enis;
    struct str default_spread; /* as written; empty: none */
    int algorithm;             /* enum option_algorithm */
    uint64_t effort;           /* 0: not given, see input_ask_effort */
    uint64_t seed;
    uint64_t threads; /* 0: as many as there are processors, within reason */
    struct opt_i64 gap, require_gap, options_within; /* parts per billion */
    struct opt_i64 max_per_pool, spot_max;           /* parts per billion */
    uint64_t min_pools;
    struct opt_i64 time_limit; /* ms */
    struct option_outputs outputs;
    struct str certificate;
    int color, progress; /* enum when */
    bool strict, timings, quiet, verbose, help, version, live, watch;
};

/* Parses argv[1..]. Texts are views of argv. Errors: ERR_INVALID, one line that names the option,
 * its value and what is allowed, and the nearest spelling for a slip of the keyboard. The caller
 * prints it and exits 2. */
MUST_CHECK bool options_parse(int argc, const char *const *argv, struct arena *arena,
                              struct options *ret_options, struct err *err);

/* What is to be read: -f and the plain arguments together, "-" (standard input) when there are
 * neither. In `arena`. */
struct option_texts options_paths(const struct options *options,
                                  const struct option_texts *arguments, struct arena *arena);

/* The row of that name, or NULL; of two, the one that is for this command. */
const struct option_row *option_find(struct str name, enum cli_command command);

/* Whether the command prints that format (enum output_format). */
bool option_format_taken(enum cli_command command, int format);

/* " - did you mean X?" with the nearest of the NULL-terminated `names`, or "" when none is near. In
 * `arena`. */
struct str option_suggest(struct str given, const char *const *names, const char *prefix,
                          struct arena *arena);
