/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/help.h"

#include <string.h>

#include "base/arena.h"
#include "binpack/cli/topics.h"

enum { OPTION_INDENT = 30, COMMAND_INDENT = 13, OPTION_TEXT_MAX = 160 };

static void put(struct strbuf *b, const char *text)
{
    strbuf_add(b, str_of(text));
}

static void head(const struct text_look *look, struct strbuf *b, const char *title)
{
    text_add(b, look, TEXT_HEAD, str_of(title));
    strbuf_addc(b, '\n');
}

void help_option_value(const struct option_row *row, struct strbuf *b)
{
    strbuf_addf(b, "--%s", row->name);
    if (row->value != NULL) {
        strbuf_addf(b, "=%s", row->value);
    }
}

static struct str option_label(const struct option_row *row, struct arena *arena)
{
    struct strbuf b = strbuf_new(arena, OPTION_TEXT_MAX);
    if (row->letter != 0) {
        strbuf_addf(&b, "  -%c, ", row->letter);
    } else {
        put(&b, "      ");
    }
    help_option_value(row, &b);
    return strbuf_str(&b);
}

/* The help line of an option with its choices and what holds without it. */
static struct str option_help(const struct option_row *row, enum cli_command command,
                              struct arena *arena)
{
    struct strbuf b = strbuf_new(arena, 4096);
    put(&b, row->help);
    if (row->choices != NULL && row->kind != OPTION_GATES) {
        for (int i = 0; row->choices[i] != NULL; i++) {
            if (row->kind != OPTION_OUTPUTS || option_format_taken(command, i)) {
                strbuf_addf(&b, "%s%s", i == 0 ? ": " : ", ", row->choices[i]);
            }
        }
    }
    if (row->fallback != NULL) {
        strbuf_addf(&b, " (%s)", row->fallback);
    }
    return strbuf_str(&b);
}

static void put_examples(const struct text_look *look, struct strbuf *b)
{
    head(look, b, "Examples");
    for (size_t i = 0; i < n_help_examples; i++) {
        strbuf_addf(b, "  # %s\n  %s\n", help_examples[i].what, help_examples[i].command);
    }
    strbuf_addc(b, '\n');
}

void help_short(struct strbuf *b)
{
    struct text_look look = {.width = 80};
    text_paragraph(b, &look, 0, TEXT_PLAIN, STR_EMPTY, str_of(help_purpose));
    strbuf_addc(b, '\n');
    put_examples(&look, b);
    put(b, "`binpack --help` lists all options, `binpack help inputs` says what to feed it.\n");
}

static void put_commands(const struct text_look *look, struct strbuf *b)
{
    head(look, b, "Commands");
    for (size_t i = 0; i < CLI_N_COMMANDS; i++) {
        auto_arena scratch = ARENA_INIT;
        struct str label = text_format(&scratch, "  %s", command_rows[i].name);
        text_paragraph(b, look, COMMAND_INDENT, TEXT_PLAIN, label, str_of(command_rows[i].help));
    }
    strbuf_addc(b, '\n');
}

static void put_options(enum cli_command command, const struct text_look *look, struct strbuf *b)
{
    for (int group = 0; group < N_OPTION_GROUPS; group++) {
        bool begun = false;
        for (size_t i = 0; i < n_option_rows; i++) {
            const struct option_row *row = &option_rows[i];
            if ((int)row->group != group || (row->commands & 1U << command) == 0) {
                continue;
            }
            if (!begun) {
                head(look, b, option_group_titles[group]);
                begun = true;
            }
            auto_arena scratch = ARENA_INIT;
            text_paragraph(b, look, OPTION_INDENT, TEXT_PLAIN, option_label(row, &scratch),
                           option_help(row, command, &scratch));
        }
        if (begun) {
            strbuf_addc(b, '\n');
        }
    }
}

void help_full(const struct options *options, const struct text_look *look, struct strbuf *b)
{
    const struct command_row *row = &command_rows[options->command];
    if (!options->command_given) {
        text_paragraph(b, look, 0, TEXT_PLAIN, STR_EMPTY, str_of(help_purpose));
        strbuf_addc(b, '\n');
        put_examples(look, b);
        put_commands(look, b);
    } else {
        strbuf_addf(b, "binpack %s%s%s\n\n", row->name, row->arguments[0] != '\0' ? " " : "",
                    row->arguments);
        if (row->doc[0] != '\0') {
            text_paragraph(b, look, 0, TEXT_PLAIN, STR_EMPTY, str_of(row->doc));
            strbuf_addc(b, '\n');
        }
    }
    put_options(options->command, look, b);
    put(b, "`binpack help` lists topics; `binpack help --NAME` says more about an option.\n");
}

/* ---- topics ---- */

/* Paragraphs are wrapped, literal lines are kept. */
static void put_text(const char *text, const struct text_look *look, struct strbuf *b)
{
    struct str rest = str_of(text);
    while (rest.n > 0) {
        struct str line = str_sub(rest, 0, str_find(rest, '\n'));
        rest = str_sub(rest, line.n + 1, rest.n);
        if (line.n == 0) {
            strbuf_addc(b, '\n');
        } else if (str_starts(line, STR("  "))) {
            strbuf_add(b, line);
            strbuf_addc(b, '\n');
        } else {
            text_paragraph(b, look, 0, TEXT_PLAIN, STR_EMPTY, line);
        }
    }
}

void help_topic_list(const struct text_look *look, struct strbuf *b)
{
    head(look, b, "Topics");
    for (size_t i = 0; i < n_help_topics; i++) {
        strbuf_addf(b, "  %-11s%s\n", help_topics[i].name, help_topics[i].title);
    }
    strbuf_addc(b, '\n');
    put_commands(look, b);
    put(b, "`binpack help TOPIC`, `help COMMAND` or `help --OPTION` says more.\n");
}

static void put_option_topic(const struct option_row *row, const struct text_look *look,
                             struct strbuf *b)
{
    auto_arena scratch = ARENA_INIT;
    strbuf_add(b, str_trim(option_label(row, &scratch)));
    strbuf_addc(b, '\n');
    text_paragraph(b, look, 4, TEXT_PLAIN, STR_EMPTY, option_help(row, CLI_SIMULATE, &scratch));
    if (row->doc != NULL) {
        strbuf_addc(b, '\n');
        text_paragraph(b, look, 4, TEXT_PLAIN, STR_EMPTY, str_of(row->doc));
    }
}

static bool unknown_topic(struct str topic, struct err *err)
{
    auto_arena scratch = ARENA_INIT;
    const char *names[32];
    size_t n = 0;
    for (size_t i = 0; i < n_help_topics; i++) {
        names[n++] = help_topics[i].name;
    }
    for (size_t i = 0; i < CLI_N_COMMANDS; i++) {
        names[n++] = command_rows[i].name;
    }
    names[n] = NULL;
    struct str near = option_suggest(topic, names, "", &scratch);
    return err_set(err, ERR_INVALID, "no help on \"" STR_FMT "\"" STR_FMT, STR_ARG(topic),
                   STR_ARG(near.n > 0 ? near : STR("; `binpack help` lists the topics")));
}

bool help_topic(struct str topic, const struct text_look *look, struct strbuf *b, struct err *err)
{
    if (str_eq(topic, STR("man")) || str_eq(topic, STR("markdown"))) {
        (topic.n == 3 ? help_man : help_markdown)(b);
        return true;
    }
    for (size_t i = 0; i < n_help_topics; i++) {
        if (str_eq(topic, str_of(help_topics[i].name))) {
            head(look, b, help_topics[i].title);
            strbuf_addc(b, '\n');
            put_text(help_topics[i].text, look, b);
            return true;
        }
    }
    for (size_t i = 0; i < CLI_N_COMMANDS; i++) {
        if (str_eq(topic, str_of(command_rows[i].name))) {
            help_full(&(struct options){.command = command_rows[i].command, .command_given = true},
                      look, b);
            return true;
        }
    }
    struct str name = str_starts(topic, STR("--")) ? str_sub(topic, 2, topic.n) : topic;
    const struct option_row *row = option_find(name, CLI_SIMULATE);
    if (row == NULL) {
        return unknown_topic(topic, err);
    }
    put_option_topic(row, look, b);
    return true;
}
