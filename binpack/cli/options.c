/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/options.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/duration.h"
#include "base/gates.h"
#include "base/rfc3339.h"
#include "base/strtab.h"
#include "binpack/cli/changes.h"
#include "binpack/cli/columns.h"
#include "binpack/cli/default_spread.h"
#include "binpack/cli/gate.h"
#include "binpack/plan/breakdown.h"
#include "k8s/selector_text.h"

enum { TEXTS_MAX = 100000, SUGGEST_DISTANCE = 3, OPTIONS_MAX = 160, LIST_MAX = 60 };

struct parser {
    struct arena *arena;
    struct options *options;
    const struct option_row
        *seen[OPTIONS_MAX]; /* rows used, to hold them against the command at the end */
    size_t n_seen;
};

/* Of rows that are spelled the same, the one that the command takes. */
static const struct option_row *better(const struct option_row *best, const struct option_row *row,
                                       enum cli_command command)
{
    return best == NULL || (row->commands & 1U << command) != 0 ? row : best;
}

const struct option_row *option_find(struct str name, enum cli_command command)
{
    const struct option_row *best = NULL;
    for (size_t i = 0; i < n_option_rows; i++) {
        if (str_eq(str_of(option_rows[i].name), name)) {
            best = better(best, &option_rows[i], command);
        }
    }
    return best;
}

static const struct option_row *find_letter(char letter, enum cli_command command)
{
    const struct option_row *best = NULL;
    for (size_t i = 0; i < n_option_rows; i++) {
        if (option_rows[i].letter == letter) {
            best = better(best, &option_rows[i], command);
        }
    }
    return best;
}

enum option_hint option_hint_of(struct str kind)
{
    for (int hint = 0; hint < N_OPTION_HINTS; hint++) {
        if (option_hint_kinds[hint] != NULL && str_eq(kind, str_of(option_hint_kinds[hint]))) {
            return (enum option_hint)hint;
        }
    }
    return HINT_NONE;
}

struct str option_suggest(struct str given, const char *const *names, const char *prefix,
                          struct arena *arena)
{
    size_t best = SUGGEST_DISTANCE + 1;
    const char *nearest = NULL;
    for (; *names != NULL; names++) {
        size_t distance = str_distance(given, str_of(*names));
        if (distance < best && distance * 2 <= strlen(*names)) {
            best = distance;
            nearest = *names;
        }
    }
    struct strbuf b = strbuf_new(arena, 256);
    if (nearest != NULL) {
        strbuf_addf(&b, "; did you mean %s%s?", prefix, nearest);
    }
    return strbuf_str(&b);
}

/* ---- values ---- */

/* How a row is called in messages: "--gap" or "-o". */
static struct str spelling(struct parser *parser, const struct option_row *row)
{
    struct strbuf b = strbuf_new(parser->arena, 128);
    strbuf_addf(&b, "--%s", row->name);
    return strbuf_str(&b);
}

static bool bad_value(struct parser *parser, const struct option_row *row, struct str value,
                      const char *allowed, struct err *err)
{
    return err_set(err, ERR_INVALID, STR_FMT ": \"" STR_FMT "\" is not %s",
                   STR_ARG(spelling(parser, row)), STR_ARG(value), allowed);
}

static struct str list_choices(struct parser *parser, const struct option_row *row)
{
    struct strbuf b = strbuf_new(parser->arena, 1024);
    for (size_t i = 0; row->choices[i] != NULL; i++) {
        strbuf_addf(&b, "%s%s", i == 0 ? "one of " : ", ", row->choices[i]);
    }
    return strbuf_str(&b);
}

static bool find_choice(struct parser *parser, const struct option_row *row, struct str value,
                        int *ret_choice, struct err *err)
{
    for (int i = 0; row->choices[i] != NULL; i++) {
        if (str_eq(str_of(row->choices[i]), value)) {
            *ret_choice = i;
            return true;
        }
    }
    return err_set(err, ERR_INVALID, STR_FMT ": \"" STR_FMT "\" is not " STR_FMT STR_FMT,
                   STR_ARG(spelling(parser, row)), STR_ARG(value),
                   STR_ARG(list_choices(parser, row)),
                   STR_ARG(option_suggest(value, row->choices, "", parser->arena)));
}

/* A decimal without sign or exponent as value * 10^digits; more digits than that are refused. */
static bool parse_decimal(struct str s, unsigned digits, int64_t max, int64_t *ret_value)
{
    size_t dot = str_find(s, '.');
    struct str whole = str_sub(s, 0, dot);
    struct str fraction = dot < s.n ? str_sub(s, dot + 1, s.n) : STR_EMPTY;
    uint64_t value = 0;
    if ((whole.n == 0 && fraction.n == 0) || fraction.n > digits) {
        return false;
    }
    if (whole.n > 0 && (!str_to_u64(whole, &value) || value > (uint64_t)max)) {
        return false;
    }
    uint64_t part = 0;
    if (fraction.n > 0 && !str_to_u64(fraction, &part)) {
        return false;
    }
    for (size_t i = 0; i < digits; i++) {
        value *= 10;
        part *= i >= fraction.n ? 10 : 1;
    }
    *ret_value = (int64_t)(value + part);
    return true;
}

static bool parse_percent(struct parser *parser, const struct option_row *row, struct str value,
                          struct opt_i64 *field, struct err *err)
{
    struct str number = str_ends(value, STR("%")) ? str_sub(value, 0, value.n - 1) : value;
    int64_t ppb = 0;
    if (!parse_decimal(number, 7, 1000000, &ppb)) {
        return bad_value(parser, row, value, "a percentage such as 0.5%", err);
    }
    if (row->max > 0 && ((uint64_t)ppb < row->min || (uint64_t)ppb > row->max)) {
        return bad_value(parser, row, value,
                         row->min > 0 ? "above 0% and at most 100%" : "from 0% to 100%", err);
    }
    *field = (struct opt_i64){.has = true, .v = ppb};
    return true;
}

static bool parse_duration(struct parser *parser, const struct option_row *row, struct str value,
                           struct opt_i64 *field, struct err *err)
{
    int64_t ms = 0;
    if (!duration_parse(value, &ms, NULL) || ms <= 0) {
        return bad_value(parser, row, value, "a time above zero, such as 500ms, 10s or 1m30s", err);
    }
    *field = (struct opt_i64){.has = true, .v = ms};
    return true;
}

static bool parse_number(struct parser *parser, const struct option_row *row, struct str value,
                         uint64_t *field, struct err *err)
{
    uint64_t number = 0;
    if (!str_to_u64(value, &number) || number < row->min || number > row->max) {
        struct strbuf allowed = strbuf_new(parser->arena, 128);
        strbuf_addf(&allowed, "a number from %llu to %llu", (unsigned long long)row->min,
                    (unsigned long long)row->max);
        strbuf_addc(&allowed, '\0');
        return bad_value(parser, row, value, strbuf_str(&allowed).p, err);
    }
    *field = number;
    return true;
}

/* Room doubles when the count is a power of two, so that many files cost no more than few. */
static void texts_push(struct arena *arena, struct option_texts *texts, struct str value)
{
    struct str *v = (struct str *)(uintptr_t)texts->v;
    if ((texts->n & (texts->n - 1)) == 0) {
        v = ARENA_ARRAY(arena, struct str, texts->n == 0 ? 1 : (size_t)texts->n * 2);
        for (uint32_t i = 0; i < texts->n; i++) {
            v[i] = texts->v[i];
        }
    }
    v[texts->n] = value;
    *texts = (struct option_texts){.n = texts->n + 1, .v = v};
}

static bool parse_output(struct parser *parser, const struct option_row *row, struct str value,
                         struct option_outputs *outputs, struct err *err)
{
    int format = 0;
    size_t equals = str_find(value, '=');
    struct str file = equals < value.n ? str_sub(value, equals + 1, value.n) : STR_EMPTY;
    if (!find_choice(parser, row, str_sub(value, 0, equals), &format, err)) {
        return false;
    }
    if (equals < value.n && file.n == 0) {
        return err_set(err, ERR_INVALID,
                       "--output: \"" STR_FMT "\" names no file after the =", STR_ARG(value));
    }
    struct option_output output = {.format = (enum output_format)format,
                                   .file = str_eq(file, STR("-")) ? STR_EMPTY : file};
    for (uint32_t i = 0; i < outputs->n; i++) {
        if (outputs->v[i].file.n > 0 && str_eq(outputs->v[i].file, output.file)) {
            return err_set(err, ERR_INVALID, "--output: two outputs go to " STR_FMT,
                           STR_ARG(output.file));
        }
    }
    struct option_output *v = ARENA_ARRAY(parser->arena, struct option_output, outputs->n + 1);
    for (uint32_t i = 0; i < outputs->n; i++) {
        v[i] = outputs->v[i];
    }
    v[outputs->n] = output;
    *outputs = (struct option_outputs){.n = outputs->n + 1, .v = v};
    return true;
}

static void set_gate(struct parser *parser, const struct gate_text *gate,
                     struct option_gates *gates)
{
    for (size_t i = 0; i < N_FEATURE_GATES; i++) {
        if (str_eq(gate->name, str_of(feature_gate_names[i]))) {
            gates->gates[i] = (struct opt_bool){.has = true, .v = gate->on};
            return;
        }
    }
    texts_push(parser->arena, &gates->unknown, gate->name);
}

static bool parse_gates(struct parser *parser, const struct option_row *row, struct str value,
                        struct option_gates *gates, struct err *err)
{
    struct gate_text gate;
    enum gates_read read;
    while ((read = gates_next(&value, &gate)) == GATES_ONE) {
        set_gate(parser, &gate, gates);
    }
    return read == GATES_END || bad_value(parser, row, gate.pair, "NAME=true or NAME=false", err);
}

static bool parse_set(struct parser *parser, const struct option_row *row, struct str value,
                      uint32_t *bits, struct err *err)
{
    for (size_t at = 0; at <= value.n;) {
        struct str rest = str_sub(value, at, value.n);
        size_t comma = str_find(rest, ',');
        int choice = 0;
        if (!find_choice(parser, row, str_trim(str_sub(rest, 0, comma)), &choice, err)) {
            return false;
        }
        *bits |= 1U << choice;
        at += comma + 1;
    }
    return true;
}

static bool parse_list(struct parser *parser, const struct option_row *row, struct str value,
                       struct option_texts *texts, struct err *err)
{
    for (size_t at = 0; at <= value.n;) {
        struct str rest = str_sub(value, at, value.n);
        size_t comma = str_find(rest, ',');
        struct str item = str_trim(str_sub(rest, 0, comma));
        if (item.n == 0 || texts->n >= LIST_MAX) {
            return bad_value(parser, row, value, "a list such as a,b", err);
        }
        for (uint32_t i = 0; i < texts->n; i++) {
            if (str_eq(texts->v[i], item)) {
                return err_set(err, ERR_INVALID, STR_FMT ": \"" STR_FMT "\" is named twice",
                               STR_ARG(spelling(parser, row)), STR_ARG(item));
            }
        }
        texts_push(parser->arena, texts, item);
        at += comma + 1;
    }
    return true;
}

static bool parse_value(struct parser *parser, const struct option_row *row, struct str value,
                        struct err *err)
{
    void *field = (char *)parser->options + row->offset;
    switch (row->kind) {
    case OPTION_TEXT:
        if (value.n == 0) {
            return bad_value(parser, row, value, "a value: it is empty", err);
        }
        *(struct str *)field = value;
        return true;
    case OPTION_TEXTS:
        if (value.n == 0) {
            return bad_value(parser, row, value, "a name: it is empty", err);
        }
        texts_push(parser->arena, field, value);
        return true;
    case OPTION_LIST:
        return parse_list(parser, row, value, field, err);
    case OPTION_CHOICE:
        return find_choice(parser, row, value, field, err);
    case OPTION_NUMBER:
        return parse_number(parser, row, value, field, err);
    case OPTION_PERCENT:
        return parse_percent(parser, row, value, field, err);
    case OPTION_FRACTION:
        if (!parse_decimal(value, 6, 1, field) || *(int64_t *)field > 1000000) {
            return bad_value(parser, row, value, "a fraction between 0 and 1 such as 0.075", err);
        }
        return true;
    case OPTION_USD:
        return parse_decimal(value, 6, 1000000, field) ||
               bad_value(parser, row, value, "US dollars such as 0.005, at most 1000000", err);
    case OPTION_DURATION:
        return parse_duration(parser, row, value, field, err);
    case OPTION_TIME: {
        struct opt_wall *time = field;
        time->has = rfc3339_parse(value, &time->v, NULL);
        return time->has ||
               bad_value(parser, row, value, "a time such as 2026-08-20T09:30:00Z", err);
    }
    case OPTION_OUTPUTS:
        return parse_output(parser, row, value, field, err);
    case OPTION_GATES:
        return parse_gates(parser, row, value, field, err);
    case OPTION_SET:
        return parse_set(parser, row, value, field, err);
    case OPTION_FLAG:
    case OPTION_COMMAND:
        break;
    }
    return bad_value(parser, row, value, "expected: this option takes no value", err);
}

/* ---- words ---- */

static bool use_command(struct parser *parser, enum cli_command command, struct err *err)
{
    struct options *o = parser->options;
    if (o->command_given && o->command != command) {
        return err_set(err, ERR_INVALID, "two commands: %s and %s", command_rows[o->command].name,
                       command_rows[command].name);
    }
    o->command = command;
    o->command_given = true;
    return true;
}

static bool use_flag(struct parser *parser, const struct option_row *row, struct err *err)
{
    if (row->kind == OPTION_COMMAND) {
        return use_command(parser, (enum cli_command)row->min, err);
    }
    *(bool *)((char *)parser->options + row->offset) = true;
    return true;
}

static void mark_seen(struct parser *parser, const struct option_row *row)
{
    for (size_t i = 0; i < parser->n_seen; i++) {
        if (parser->seen[i] == row) {
            return;
        }
    }
    assert(parser->n_seen < OPTIONS_MAX);
    parser->seen[parser->n_seen++] = row;
}

static bool unknown_option(struct parser *parser, struct str name, struct err *err)
{
    const char *names[OPTIONS_MAX];
    size_t n = 0;
    for (; n < n_option_rows && n + 1 < OPTIONS_MAX; n++) {
        names[n] = option_rows[n].name;
    }
    names[n] = NULL;
    return err_set(err, ERR_INVALID, "unknown option --" STR_FMT STR_FMT, STR_ARG(name),
                   STR_ARG(option_suggest(name, names, "--", parser->arena)));
}

static bool takes_value(const struct option_row *row)
{
    return row->value != NULL;
}

/* --name, --name=value, --name value. *at is the index of the word and moves on when a second one
 * is used. */
static bool parse_long(struct parser *parser, int argc, const char *const *argv, int *at,
                       struct err *err)
{
    struct str word = str_of(argv[*at] + 2);
    size_t equals = str_find(word, '=');
    struct str name = str_sub(word, 0, equals);
    const struct option_row *row = option_find(name, parser->options->command);
    if (row == NULL) {
        return unknown_option(parser, name, err);
    }
    mark_seen(parser, row);
    if (!takes_value(row)) {
        return equals == word.n ? use_flag(parser, row, err)
                                : bad_value(parser, row, str_sub(word, equals + 1, word.n),
                                            "expected: this option takes no value", err);
    }
    if (equals < word.n) {
        return parse_value(parser, row, str_sub(word, equals + 1, word.n), err);
    }
    if (*at + 1 >= argc) {
        return err_set(err, ERR_INVALID, "--%s needs a value: %s", row->name, row->value);
    }
    return parse_value(parser, row, str_of(argv[++*at]), err);
}

/* -f value, -fvalue, -qv. */
static bool parse_short(struct parser *parser, int argc, const char *const *argv, int *at,
                        struct err *err)
{
    struct str word = str_of(argv[*at] + 1);
    for (size_t i = 0; i < word.n; i++) {
        const struct option_row *row = find_letter(word.p[i], parser->options->command);
        if (row == NULL) {
            /* "-simulate" is a slip for "--simulate". */
            const struct option_row *whole =
                i == 0
                    ? option_find(str_sub(word, 0, str_find(word, '=')), parser->options->command)
                    : NULL;
            return whole != NULL
                       ? err_set(err, ERR_INVALID, "unknown option -%c; did you mean --%s?",
                                 word.p[i], whole->name)
                       : err_set(err, ERR_INVALID, "unknown option -%c", word.p[i]);
        }
        mark_seen(parser, row);
        if (!takes_value(row)) {
            if (!use_flag(parser, row, err)) {
                return false;
            }
            continue;
        }
        struct str rest = str_sub(word, i + 1, word.n);
        if (rest.n > 0) {
            return parse_value(parser, row, rest.p[0] == '=' ? str_sub(rest, 1, rest.n) : rest,
                               err);
        }
        if (*at + 1 >= argc) {
            return err_set(err, ERR_INVALID, "-%c needs a value: %s", row->letter, row->value);
        }
        return parse_value(parser, row, str_of(argv[++*at]), err);
    }
    return true;
}

static bool parse_argument(struct parser *parser, const char *word, struct err *err)
{
    struct options *o = parser->options;
    if (o->command_given || o->arguments.n > 0) {
        texts_push(parser->arena, &o->arguments, str_of(word));
        return true;
    }
    const char *names[CLI_N_COMMANDS + 1] = {NULL};
    for (size_t i = 0; i < CLI_N_COMMANDS; i++) {
        if (strcmp(word, command_rows[i].name) == 0) {
            return use_command(parser, command_rows[i].command, err);
        }
        names[i] = command_rows[i].name;
    }
    struct str near = option_suggest(str_of(word), names, "", parser->arena);
    if (near.n > 0 && str_find(str_of(word), '.') == strlen(word)) {
        return err_set(err, ERR_INVALID, "unknown command %s" STR_FMT, word, STR_ARG(near));
    }
    return err_set(
        err, ERR_INVALID,
        "unknown command %s; to plan for the objects of a file: binpack --simulate -f %s", word,
        word);
}

/* Options that the command does not take. */
static bool check_command(const struct parser *parser, struct err *err)
{
    const struct options *o = parser->options;
    for (size_t i = 0; i < parser->n_seen; i++) {
        const struct option_row *row = parser->seen[i];
        if (!o->help && (row->commands & 1U << o->command) == 0) {
            return err_set(err, ERR_INVALID, "--%s is not an option of binpack %s", row->name,
                           command_rows[o->command].name);
        }
    }
    return true;
}

/* A running cluster stands in place of files, and only it has a kubeconfig. */
static bool check_live(const struct options *o, struct err *err)
{
    bool simulate = o->command == CLI_SIMULATE && !o->help;
    if (simulate && o->live && o->files.n + o->arguments.n > 0) {
        return err_set(err, ERR_INVALID,
                       "--live reads the cluster and no files; record it first to add some: "
                       "binpack record -o cluster.json.gz");
    }
    if (simulate && !o->live && o->kubeconfig.n + o->context.n > 0) {
        return err_set(err, ERR_INVALID, "--%s has no effect without --live",
                       o->kubeconfig.n > 0 ? "kubeconfig" : "context");
    }
    return true;
}

bool option_format_taken(enum cli_command command, int format)
{
    bool documents = command == CLI_VALIDATE || command == CLI_CATALOG || command == CLI_NODECLASS;
    return !documents || format == OUTPUT_TABLE || format == OUTPUT_JSON || format == OUTPUT_YAML;
}

/* Each output has a file of its own, and a format that the command knows. */
static bool check_outputs(const struct options *o, struct err *err)
{
    for (uint32_t i = 0; i < o->outputs.n; i++) {
        enum output_format format = o->outputs.v[i].format;
        if (!o->help && !option_format_taken(o->command, (int)format)) {
            return err_set(err, ERR_UNSUPPORTED, "--output: %s prints table, json or yaml, not %s",
                           command_rows[o->command].name, output_format_names[format]);
        }
        if (o->certificate.n > 0 && str_eq(o->outputs.v[i].file, o->certificate)) {
            return err_set(err, ERR_INVALID, "--output and --certificate both go to " STR_FMT,
                           STR_ARG(o->certificate));
        }
    }
    return true;
}

/* What a command would otherwise find out late, or leave unread. */
static bool check_arguments(const struct options *o, struct err *err)
{
    uint32_t n = o->arguments.n;
    if (o->help || o->version) {
        return true;
    }
    bool words =
        o->command == CLI_COMPLETION && n > 0 && option_hint_of(o->arguments.v[0]) != HINT_NONE;
    uint32_t most = words ? 2 : 1;
    if ((o->command == CLI_COMPLETION || o->command == CLI_HELP) && n > most) {
        return err_set(err, ERR_INVALID, "%s takes %s, and \"" STR_FMT "\" is one more",
                       command_rows[o->command].name,
                       words ? "a kind of words and a prefix" : "one argument",
                       STR_ARG(o->arguments.v[most]));
    }
    if (o->command == CLI_COMPLETION && !words && o->files.n + o->catalogs.n > 0) {
        return err_set(err, ERR_INVALID,
                       "completion: files are read for words only, such as those of `completion "
                       "nodes -f FILE`");
    }
    if (o->command == CLI_CATALOG && n == 1 && str_eq(o->arguments.v[0], STR("show"))) {
        return err_set(err, ERR_INVALID,
                       "catalog show: which instance type? binpack catalog show m7i.large");
    }
    if (o->command == CLI_CATALOG && n > 1 && !str_eq(o->arguments.v[0], STR("show"))) {
        return err_set(err, ERR_INVALID,
                       "catalog " STR_FMT " takes no argument, got \"" STR_FMT "\"",
                       STR_ARG(o->arguments.v[0]), STR_ARG(o->arguments.v[1]));
    }
    if (o->command == CLI_NODECLASS && n > 2) {
        return err_set(err, ERR_INVALID,
                       "nodeclass " STR_FMT " takes one name, and \"" STR_FMT "\" is one more",
                       STR_ARG(o->arguments.v[0]), STR_ARG(o->arguments.v[2]));
    }
    if (o->command == CLI_COMPARE && o->mode == MODE_DISRUPT) {
        return err_set(err, ERR_UNSUPPORTED,
                       "compare: --mode=disrupt: only plans that place pods can be compared");
    }
    return true;
}

/* Options that have a language of their own. */
static bool check_texts(const struct options *o, struct arena *arena, struct err *err)
{
    struct change_list changes;
    if (!changes_of_options(o, arena, &changes, err)) {
        return false; /* said before anything is read */
    }
    struct label_selector ignored;
    if (o->selector.n > 0 && !label_selector_parse(o->selector, arena, &ignored, err)) {
        return err_wrap(err, "--selector");
    }
    enum breakdown_by by;
    struct str label;
    if (o->by.n > 0 && !breakdown_parse(o->by, &by, &label, err)) {
        return err_wrap(err, "--by");
    }
    if (!o->help && !columns_check(o, arena, err)) {
        return false;
    }
    struct default_spread spread;
    if (!default_spread_parse(o->default_spread, strtab_new(arena), arena, &spread, err)) {
        return false;
    }
    for (uint32_t i = 0; i < o->fail_if.n; i++) {
        struct gate gate;
        if (!gate_parse(o->fail_if.v[i], &gate, err)) {
            return false;
        }
    }
    return true;
}

/* --simulate may stand anywhere, also behind files; so it is looked for first. */
static bool has_command_option(int argc, const char *const *argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const struct option_row *row =
            strncmp(argv[i], "--", 2) == 0 ? option_find(str_of(argv[i] + 2), CLI_SIMULATE) : NULL;
        if (row != NULL && row->kind == OPTION_COMMAND) {
            return true;
        }
    }
    return false;
}

bool options_parse(int argc, const char *const *argv, struct arena *arena,
                   struct options *ret_options, struct err *err)
{
    struct options options = {
        .command = CLI_SIMULATE,
        .command_given = has_command_option(argc, argv),
        .vm_memory_overhead_ppm = 75000,
        .max_disruptions = UINT64_MAX,
        .max_moved_pods = UINT64_MAX,
        .move_cost_micro = 1000,
    };
    struct parser parser = {.arena = arena, .options = &options};
    bool only_arguments = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        bool good;
        if (!only_arguments && strcmp(word, "--") == 0) {
            only_arguments = true;
            continue;
        }
        /* `binpack help --mode` */
        bool topic = options.command == CLI_HELP && options.command_given && word[0] == '-' &&
                     word[1] == '-' && strcmp(word, "--help") != 0;
        if (topic) {
            word += 2;
        }
        if (topic || only_arguments || word[0] != '-' || word[1] == '\0') {
            good = parse_argument(&parser, word, err);
        } else if (word[1] == '-') {
            good = parse_long(&parser, argc, argv, &i, err);
        } else {
            good = parse_short(&parser, argc, argv, &i, err);
        }
        if (!good) {
            return false;
        }
        if (options.arguments.n > TEXTS_MAX || options.files.n > TEXTS_MAX) {
            return err_set(err, ERR_LIMIT, "more than %d files", TEXTS_MAX);
        }
    }
    if (!check_command(&parser, err) || !check_live(&options, err) ||
        !check_outputs(&options, err) || !check_arguments(&options, err) ||
        !check_texts(&options, arena, err)) {
        return false;
    }
    *ret_options = options;
    return true;
}

struct option_texts options_paths(const struct options *options,
                                  const struct option_texts *arguments, struct arena *arena)
{
    uint32_t n = options->files.n + arguments->n;
    struct str *v = ARENA_ARRAY(arena, struct str, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        v[i] = i < options->files.n ? options->files.v[i] : arguments->v[i - options->files.n];
    }
    v[n] = STR("-");
    return (struct option_texts){.n = n > 0 ? n : 1, .v = v};
}
