/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/service/settings.h"

#include <string.h>

#include "base/arena.h"
#include "base/duration.h"
#include "base/gates.h"

enum { SUGGEST_DISTANCE = 3, SHOWN_BYTES = 200 };

struct parser {
    struct arena *arena;
    struct settings *settings;
    struct str source; /* "--metrics-port" or "METRICS_PORT": where the value comes from */
    struct str *given; /* [n_setting_rows] where somebody gave one; empty: nobody did */
};

const struct setting_row *setting_find(struct str name)
{
    for (size_t i = 0; i < n_setting_rows; i++) {
        if (setting_rows[i].name != NULL && str_eq(str_of(setting_rows[i].name), name)) {
            return &setting_rows[i];
        }
    }
    return NULL;
}

/* ---- values ---- */

static bool bad_value(const struct parser *p, struct str value, const char *allowed,
                      struct err *err)
{
    return err_set(err, ERR_INVALID, STR_FMT ": \"" STR_FMT "\" is not %s", STR_ARG(p->source),
                   STR_ARG(str_sub(value, 0, SHOWN_BYTES)), allowed);
}

static void add_note(struct parser *p, const struct strbuf *text)
{
    struct settings *s = p->settings;
    if (s->n_notes < SETTINGS_NOTES_MAX) {
        s->notes[s->n_notes++] = strbuf_str(text);
    }
}

static bool parse_flag(const struct parser *p, struct str value, bool *field, struct err *err)
{
    *field = str_eq(value, STR("true"));
    return *field || str_eq(value, STR("false")) || bad_value(p, value, "true or false", err);
}

static bool parse_choice(const struct parser *p, const struct setting_row *row, struct str value,
                         int *field, struct err *err)
{
    struct strbuf b = strbuf_new(p->arena, 512);
    for (int i = 0; row->choices[i] != NULL; i++) {
        if (str_eq(str_of(row->choices[i]), value)) {
            *field = i;
            return true;
        }
        strbuf_addf(&b, "%s%s", i == 0 ? "one of " : ", ", row->choices[i]);
    }
    strbuf_addc(&b, '\0');
    return bad_value(p, value, strbuf_str(&b).p, err);
}

static bool parse_number(const struct parser *p, const struct setting_row *row, struct str value,
                         int64_t *field, struct err *err)
{
    struct strbuf b = strbuf_new(p->arena, 128);
    strbuf_addf(&b, "a number from %lld to %lld", (long long)row->min, (long long)row->max);
    strbuf_addc(&b, '\0');
    return (str_to_i64(value, field) && *field >= row->min && *field <= row->max) ||
           bad_value(p, value, strbuf_str(&b).p, err);
}

static bool parse_duration(const struct parser *p, const struct setting_row *row, struct str value,
                           int64_t *field, struct err *err)
{
    char min[DURATION_TEXT_MAX], max[DURATION_TEXT_MAX];
    struct strbuf b = strbuf_new(p->arena, 128);
    strbuf_addf(&b, "a duration from " STR_FMT " to " STR_FMT " such as 10s or 1m30s",
                STR_ARG(duration_format(row->min, min)), STR_ARG(duration_format(row->max, max)));
    strbuf_addc(&b, '\0');
    return (duration_parse(value, field, NULL) && *field >= row->min && *field <= row->max) ||
           bad_value(p, value, strbuf_str(&b).p, err);
}

/* A decimal from 0 to `most` as millionths of `most`; finer ones are refused. */
static bool parse_millionths(struct str value, uint64_t most, size_t digits, int64_t *field)
{
    const size_t dot = str_find(value, '.');
    const struct str whole = str_sub(value, 0, dot);
    const struct str part = dot < value.n ? str_sub(value, dot + 1, value.n) : STR_EMPTY;
    uint64_t units = 0, rest = 0;
    bool good = whole.n + part.n > 0 && part.n <= digits &&
                (whole.n == 0 || (str_to_u64(whole, &units) && units <= most)) &&
                (part.n == 0 || str_to_u64(part, &rest));
    for (size_t i = part.n; good && i < digits; i++) {
        rest *= 10;
    }
    *field = (int64_t)(units * (1000000 / most) + rest);
    return good && *field <= 1000000;
}

/* "0.075" as 75000. */
static bool parse_fraction(const struct parser *p, struct str value, int64_t *field,
                           struct err *err)
{
    return parse_millionths(value, 1, 6, field) ||
           bad_value(p, value, "a fraction from 0 to 1 such as 0.075", err);
}

/* "0.5%" and "0.5" as 5000. */
static bool parse_percent(const struct parser *p, struct str value, int64_t *field, struct err *err)
{
    const struct str number = str_ends(value, STR("%")) ? str_sub(value, 0, value.n - 1) : value;
    return parse_millionths(number, 100, 4, field) ||
           bad_value(p, value, "a percentage from 0% to 100% such as 0.5%", err);
}

static void set_gate(struct parser *p, const struct setting_row *row, const struct gate_text *gate,
                     bool *gates)
{
    for (size_t i = 0; row->choices[i] != NULL; i++) {
        if (str_eq(gate->name, str_of(row->choices[i]))) {
            gates[i] = gate->on;
            if (i == GATE_NODE_REPAIR && gate->on) {
                struct strbuf b = strbuf_new(p->arena, 512);
                strbuf_addf(&b, STR_FMT ": the gate NodeRepair has no effect yet",
                            STR_ARG(p->source));
                add_note(p, &b);
            }
            return;
        }
    }
    struct strbuf b = strbuf_new(p->arena, 512);
    strbuf_addf(&b, STR_FMT ": the gate " STR_FMT " is not known and has no effect",
                STR_ARG(p->source), STR_ARG(str_sub(gate->name, 0, SHOWN_BYTES)));
    add_note(p, &b);
}

static bool parse_gates(struct parser *p, const struct setting_row *row, struct str value,
                        bool *gates, struct err *err)
{
    struct gate_text gate;
    enum gates_read read;
    while ((read = gates_next(&value, &gate)) == GATES_ONE) {
        set_gate(p, row, &gate, gates);
    }
    return read == GATES_END || bad_value(p, gate.pair, "NAME=true or NAME=false", err);
}

static bool parse_value(struct parser *p, const struct setting_row *row, struct str value,
                        struct err *err)
{
    void *field = (char *)p->settings + row->offset;
    switch (row->kind) {
    case SETTING_TEXT:
        *(struct str *)field = value;
        return true;
    case SETTING_FLAG:
        return parse_flag(p, value, field, err);
    case SETTING_CHOICE:
        return parse_choice(p, row, value, field, err);
    case SETTING_NUMBER:
        return parse_number(p, row, value, field, err);
    case SETTING_DURATION:
        return parse_duration(p, row, value, field, err);
    case SETTING_FRACTION:
        return parse_fraction(p, value, field, err);
    case SETTING_PERCENT:
        return parse_percent(p, value, field, err);
    case SETTING_GATES:
        return parse_gates(p, row, value, field, err);
    }
    return false;
}

/* A value that somebody gave, as opposed to a default. */
static bool take_value(struct parser *p, const struct setting_row *row, struct str source,
                       struct str value, struct err *err)
{
    p->source = source;
    p->given[row - setting_rows] = source;
    if (!parse_value(p, row, value, err)) {
        return false;
    }
    if (row->effect == EFFECT_SANDBOX) {
        p->settings->sandbox_only = source;
        p->settings->has_faults |= row->offset == offsetof(struct settings, faults);
    }
    if (row->effect == EFFECT_NONE || row->effect == EFFECT_LATER) {
        struct strbuf b = strbuf_new(p->arena, 512);
        strbuf_addf(&b, STR_FMT " has no effect%s%s", STR_ARG(source),
                    row->effect == EFFECT_LATER ? " yet" : ": ",
                    row->effect == EFFECT_LATER ? "" : row->doc);
        add_note(p, &b);
    }
    return true;
}

/* ---- words ---- */

static bool unknown_flag(struct str given, struct arena *arena, struct err *err)
{
    struct strbuf b = strbuf_new(arena, 256);
    size_t best = SUGGEST_DISTANCE + 1;
    for (size_t i = 0; i < n_setting_rows; i++) {
        const char *name = setting_rows[i].name;
        size_t distance = name == NULL ? SIZE_MAX : str_distance(given, str_of(name));
        if (distance < best) {
            best = distance;
            b.n = 0;
            strbuf_addf(&b, "; did you mean --%s?", name);
        }
    }
    return err_set(err, ERR_INVALID, "unknown flag --" STR_FMT STR_FMT "; see provisioner --help",
                   STR_ARG(str_sub(given, 0, SHOWN_BYTES)), STR_ARG(strbuf_str(&b)));
}

/* The flag at argv[*at]; takes the next word for its value when it has none of its own. */
static bool take_flag(struct parser *p, int argc, const char *const *argv, int *at, struct err *err)
{
    const struct str word = str_of(argv[*at]);
    const size_t dashes = str_starts(word, STR("--")) ? 2 : 1;
    const struct str flag = str_sub(word, dashes, word.n);
    const size_t equals = str_find(flag, '=');
    const struct str name = str_sub(flag, 0, equals);
    const struct setting_row *row = setting_find(name);
    struct strbuf source = strbuf_new(p->arena, 128);
    struct str value = str_sub(flag, equals + 1, flag.n);
    if (equals == flag.n && (str_eq(name, STR("help")) || str_eq(name, STR("h")))) {
        p->settings->command = COMMAND_HELP;
        return true;
    }
    if (equals == flag.n && str_eq(name, STR("version"))) {
        p->settings->command = COMMAND_VERSION;
        return true;
    }
    if (str_eq(name, STR("sandbox"))) {
        p->settings->command = COMMAND_SANDBOX;
        p->settings->scenario = value;
        return true;
    }
    if (row == NULL) {
        return unknown_flag(name, p->arena, err);
    }
    strbuf_addf(&source, "--%s", row->name);
    if (equals == flag.n && row->kind == SETTING_FLAG) {
        value = STR("true");
    } else if (equals == flag.n) {
        if (*at + 1 == argc) {
            return err_set(err, ERR_INVALID, "--%s needs a value: --%s=%s", row->name, row->name,
                           row->value);
        }
        value = str_of(argv[++*at]);
    }
    return take_value(p, row, strbuf_str(&source), value, err);
}

static bool take_words(struct parser *p, int argc, const char *const *argv, struct err *err)
{
    struct settings *s = p->settings;
    uint32_t n_words = 0;
    for (int i = 1; i < argc; i++) {
        const struct str word = str_of(argv[i]);
        if (str_starts(word, STR("-")) && word.n > 1) {
            if (!take_flag(p, argc, argv, &i, err)) {
                return false;
            }
        } else if (n_words == 0 && str_eq(word, STR("help"))) {
            s->command = COMMAND_HELP;
            n_words++;
        } else if (n_words == 0 && str_eq(word, STR("replay"))) {
            s->command = COMMAND_REPLAY;
            n_words++;
        } else if (n_words == 1 && s->command == COMMAND_HELP) {
            s->topic = word;
            n_words++;
        } else if (n_words == 1 && s->command == COMMAND_REPLAY) {
            s->replay = word;
            n_words++;
        } else if (n_words == 0 && s->command == COMMAND_SANDBOX && s->scenario.n == 0) {
            s->scenario = word;
            n_words++;
        } else {
            return err_set(err, ERR_INVALID,
                           "\"" STR_FMT "\" is not expected here; see provisioner --help",
                           STR_ARG(str_sub(word, 0, SHOWN_BYTES)));
        }
    }
    return true;
}

static bool agree(const struct settings *s, struct err *err)
{
    if (s->command == COMMAND_HELP && s->topic.n > 0 && !str_eq(s->topic, STR("man")) &&
        !str_eq(s->topic, STR("markdown")) && !str_eq(s->topic, STR("metrics"))) {
        return err_set(err, ERR_INVALID,
                       "help: \"" STR_FMT "\" is none of man, markdown and metrics",
                       STR_ARG(str_sub(s->topic, 0, SHOWN_BYTES)));
    }
    if (s->command == COMMAND_REPLAY && s->replay.n == 0) {
        return err_set(err, ERR_INVALID, "replay needs the name of a journal: replay FILE");
    }
    if (s->sandbox_only.n > 0 && (s->command == COMMAND_RUN || s->command == COMMAND_REPLAY)) {
        return err_set(err, ERR_INVALID,
                       STR_FMT " is for simulated worlds: provisioner --sandbox [SCENARIO] " STR_FMT
                               "...",
                       STR_ARG(s->sandbox_only), STR_ARG(s->sandbox_only));
    }
    if (s->command == COMMAND_SANDBOX && s->journal.n > 0) {
        return err_set(err, ERR_INVALID,
                       "--journal (BINPACK_JOURNAL): the simulated worlds of --sandbox write none");
    }
    if (s->command != COMMAND_RUN) {
        return true;
    }
    if (s->mode != MODE_OBSERVE && s->cluster_name.n == 0) {
        return err_set(err, ERR_INVALID,
                       "--mode=%s needs --cluster-name: what is made in AWS is tagged with it",
                       setting_modes[s->mode]);
    }
    if (s->batch_idle_ms > s->batch_max_ms) {
        return err_set(err, ERR_INVALID,
                       "--batch-idle-duration (%lld ms) is longer than --batch-max-duration "
                       "(%lld ms)",
                       (long long)s->batch_idle_ms, (long long)s->batch_max_ms);
    }
    return true;
}

/* What was given and is for another mode. */
static void note_modes(struct parser *p)
{
    const struct settings *s = p->settings;
    for (size_t i = 0; s->command == COMMAND_RUN && i < n_setting_rows; i++) {
        const enum setting_effect effect = setting_rows[i].effect;
        if (p->given[i].n > 0 && ((effect == EFFECT_PREPARE && s->mode == MODE_OBSERVE) ||
                                  (effect == EFFECT_FULL && s->mode != MODE_FULL))) {
            struct strbuf b = strbuf_new(p->arena, 512);
            strbuf_addf(&b, STR_FMT " has no effect in --mode=%s", STR_ARG(p->given[i]),
                        setting_modes[s->mode]);
            add_note(p, &b);
        }
    }
}

bool settings_parse(int argc, const char *const *argv, settings_env_fn env, void *ctx,
                    struct arena *arena, struct settings *ret_settings, struct err *err)
{
    struct settings settings = {.command = COMMAND_RUN};
    struct parser parser = {.arena = arena,
                            .settings = &settings,
                            .given = ARENA_ARRAY(arena, struct str, n_setting_rows)};
    for (size_t i = 0; i < n_setting_rows; i++) {
        const struct setting_row *row = &setting_rows[i];
        const struct str value = env(ctx, row->env);
        parser.source = str_of(row->env);
        const bool zero = row->kind == SETTING_NUMBER && row->fallback[0] == '\0';
        if ((!zero && !parse_value(&parser, row, str_of(row->fallback), err)) ||
            (value.n > 0 && !take_value(&parser, row, str_of(row->env), value, err))) {
            return false;
        }
    }
    if (!take_words(&parser, argc, argv, err) || !agree(&settings, err)) {
        return false;
    }
    note_modes(&parser);
    *ret_settings = settings;
    return true;
}
