/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The man page and docs/cli.md: the same rows and topics as --help, in other clothes. */
#include <string.h>

#include "base/arena.h"
#include "binpack/cli/help.h"
#include "binpack/cli/topics.h"

static void put(struct strbuf *b, const char *text)
{
    strbuf_add(b, str_of(text));
}

/* One character of mdoc text; `x` is shown bold. */
static void mdoc_char(struct strbuf *b, char c, bool *code)
{
    if (c == '`') {
        put(b, *code ? "\\fR" : "\\fB");
        *code = !*code;
    } else if (c == '\\') {
        put(b, "\\e");
    } else if (c == '-') {
        put(b, "\\-");
    } else {
        strbuf_addc(b, c);
    }
}

/* A line that is shown as it is. A leading dot or quote would be a request. */
static void mdoc_literal(struct strbuf *b, struct str line)
{
    bool code = false;
    put(b, line.n > 0 && (line.p[0] == '.' || line.p[0] == '\'') ? "\\&" : "");
    for (size_t i = 0; i < line.n; i++) {
        mdoc_char(b, line.p[i], &code);
    }
    strbuf_addc(b, '\n');
}

/* A paragraph, broken into source lines below 80 bytes and after each sentence. */
static void mdoc_line(struct strbuf *b, struct str line)
{
    enum { SOURCE_WIDTH = 76 };
    size_t begin = b->n;
    bool code = false;
    while (line.n > 0) {
        struct str word = str_sub(line, 0, str_find(line, ' '));
        line = str_sub(line, word.n + 1, line.n);
        if (b->n > begin && b->n - begin + word.n > SOURCE_WIDTH - 8) {
            strbuf_addc(b, '\n');
            begin = b->n;
        }
        if (b->n > begin) {
            strbuf_addc(b, ' ');
        } else if (word.n > 0 && (word.p[0] == '.' || word.p[0] == '\'')) {
            put(b, "\\&");
        }
        for (size_t i = 0; i < word.n; i++) {
            mdoc_char(b, word.p[i], &code);
        }
        if (word.n > 1 && word.p[word.n - 1] == '.' && !code && line.n > 0) { /* a sentence ends */
            strbuf_addc(b, '\n');
            begin = b->n;
        }
    }
    strbuf_addc(b, '\n');
}

/* A topic's text: paragraphs and literal blocks. */
static void mdoc_text(struct strbuf *b, const char *text)
{
    struct str rest = str_of(text);
    bool literal = false;
    bool paragraph_due = false;
    while (rest.n > 0) {
        struct str line = str_sub(rest, 0, str_find(rest, '\n'));
        rest = str_sub(rest, line.n + 1, rest.n);
        bool is_literal = str_starts(line, STR("  "));
        if (literal && !is_literal) {
            put(b, ".Ed\n");
        }
        if (!literal && is_literal) {
            put(b, ".Bd -literal -offset 2n\n");
            paragraph_due = false;
        }
        literal = is_literal;
        if (line.n == 0) {
            paragraph_due = true;
            continue;
        }
        if (paragraph_due) {
            put(b, ".Pp\n");
            paragraph_due = false;
        }
        if (is_literal) {
            mdoc_literal(b, str_sub(line, 2, line.n));
        } else {
            mdoc_line(b, line);
        }
    }
    put(b, literal ? ".Ed\n" : "");
}

static void mdoc_option(struct strbuf *b, const struct option_row *row)
{
    put(b, ".It ");
    if (row->letter != 0) {
        strbuf_addf(b, "Fl %c , ", row->letter);
    }
    strbuf_addf(b, "Fl \\-%s", row->name);
    if (row->value != NULL) {
        strbuf_addf(b, " Ns = Ns Ar %s", row->value);
    }
    strbuf_addc(b, '\n');
    mdoc_line(b, str_of(row->help));
    if (row->choices != NULL) {
        put(b, "Values:\n");
        for (size_t i = 0; row->choices[i] != NULL; i++) {
            strbuf_addf(b, ".Cm %s%s\n", row->choices[i],
                        row->choices[i + 1] == NULL ? " ." : " ,");
        }
    }
    if (row->fallback != NULL) {
        put(b, "Without it:\n");
        mdoc_line(b, str_of(row->fallback));
    }
    if (row->doc != NULL) {
        put(b, ".Pp\n");
        mdoc_line(b, str_of(row->doc));
    }
}

static void mdoc_options(struct strbuf *b)
{
    for (int group = 0; group < N_OPTION_GROUPS; group++) {
        strbuf_addf(b, ".Ss %s\n.Bl -tag -width Ds\n", option_group_titles[group]);
        for (size_t i = 0; i < n_option_rows; i++) {
            if ((int)option_rows[i].group == group) {
                mdoc_option(b, &option_rows[i]);
            }
        }
        put(b, ".El\n");
    }
}

static void mdoc_commands(struct strbuf *b)
{
    put(b, ".Sh COMMANDS\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < CLI_N_COMMANDS; i++) {
        const struct command_row *row = &command_rows[i];
        strbuf_addf(b, ".It Cm %s", row->name);
        strbuf_addf(b, row->arguments[0] != '\0' ? " Ar %s\n" : "\n", row->arguments);
        mdoc_line(b, str_of(row->help));
        if (row->doc[0] != '\0') {
            put(b, ".Pp\n");
            mdoc_line(b, str_of(row->doc));
        }
    }
    put(b, ".El\n");
}

void help_man(struct strbuf *b)
{
    put(b, ".\\\" Made from the option table by `binpack help man`.\n"
           ".Dd November 24, 2026\n.Dt BINPACK 1\n.Os\n"
           ".Sh NAME\n.Nm binpack\n.Nd plan AWS nodes for Kubernetes pods\n"
           ".Sh SYNOPSIS\n"
           ".Nm\n.Fl \\-simulate\n.Op Fl f Ar FILE\n.Op Fl \\-catalog Ns = Ns Ar FILE\n.Op Fl o Ar "
           "FORMAT Ns Op = Ns Ar FILE\n"
           ".Nm\n.Cm verify\n.Ar PLAN\n.Op Fl f Ar FILE\n.Op Fl \\-certificate Ns = Ns Ar FILE\n"
           ".Nm\n.Cm catalog\n.Cm list | show Ar TYPE | Cm verify\n"
           ".Nm\n.Cm help\n.Op Ar TOPIC\n"
           ".Sh DESCRIPTION\n");
    mdoc_line(b, str_of(help_purpose));
    mdoc_commands(b);
    put(b, ".Sh OPTIONS\n");
    mdoc_options(b);
    for (size_t i = 0; i < n_help_topics; i++) {
        if (strcmp(help_topics[i].name, "exit-codes") == 0) {
            continue;
        }
        put(b, ".Sh ");
        for (const char *c = help_topics[i].title; *c != '\0'; c++) {
            strbuf_addc(b, *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c);
        }
        strbuf_addc(b, '\n');
        mdoc_text(b, help_topics[i].text);
    }
    put(b, ".Sh ENVIRONMENT\n.Bl -tag -width NO_COLOR\n.It Ev COLUMNS\nThe width of "
           "tables that do not go to a terminal.\n.It Ev NO_COLOR\nWhen set and not empty: no "
           "colour.\n"
           ".It Ev TERM\n.Dq dumb\nmeans no colour and no progress line.\n.El\n");
    put(b, ".Sh EXIT STATUS\n");
    mdoc_text(b, help_topics[n_help_topics - 1].text);
    put(b, ".Sh EXAMPLES\n");
    for (size_t i = 0; i < n_help_examples; i++) {
        mdoc_line(b, str_of(help_examples[i].what));
        put(b, ".Bd -literal -offset 2n\n");
        mdoc_literal(b, str_of(help_examples[i].command));
        put(b, ".Ed\n");
    }
}

/* ---- docs/cli.md ---- */

static void markdown_text(struct strbuf *b, const char *text)
{
    struct str rest = str_of(text);
    bool literal = false;
    while (rest.n > 0) {
        struct str line = str_sub(rest, 0, str_find(rest, '\n'));
        rest = str_sub(rest, line.n + 1, rest.n);
        bool is_literal = str_starts(line, STR("  "));
        if (literal != is_literal) {
            put(b, "```\n");
        }
        literal = is_literal;
        strbuf_add(b, is_literal ? str_sub(line, 2, line.n) : line);
        strbuf_addc(b, '\n');
    }
    put(b, literal ? "```\n" : "");
}

/* Angle brackets and bars would be taken for marks of the page. */
static void markdown_cell(struct strbuf *b, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|') {
            strbuf_addc(b, '\\');
        }
        strbuf_addc(b, *text);
    }
}

static void markdown_option(struct strbuf *b, const struct option_row *row)
{
    put(b, "| `");
    if (row->letter != 0) {
        strbuf_addf(b, "-%c`, `", row->letter);
    }
    auto_arena scratch = ARENA_INIT;
    struct strbuf value = strbuf_new(&scratch, 256);
    help_option_value(row, &value);
    strbuf_addc(&value, '\0');
    markdown_cell(b, strbuf_str(&value).p);
    put(b, "` | ");
    put(b, row->fallback != NULL ? row->fallback : "");
    put(b, " | ");
    markdown_cell(b, row->help);
    if (row->choices != NULL) {
        for (size_t i = 0; row->choices[i] != NULL; i++) {
            strbuf_addf(b, "%s`%s`", i == 0 ? ": " : ", ", row->choices[i]);
        }
    }
    if (row->doc != NULL) {
        put(b, ". ");
        markdown_cell(b, row->doc);
    }
    put(b, " | ");
    const char *separator = "";
    for (size_t i = 0; i < CLI_N_COMMANDS; i++) {
        if ((row->commands & 1U << i) != 0 && row->group != GROUP_GENERAL) {
            strbuf_addf(b, "%s%s", separator, command_rows[i].name);
            separator = ", ";
        }
    }
    put(b, row->group == GROUP_GENERAL ? "all |\n" : " |\n");
}

void help_markdown(struct strbuf *b)
{
    put(b, "<!-- Made from the option table by `binpack help markdown`; a test compares. -->\n# "
           "The command line\n\n");
    put(b, help_purpose);
    put(b, "\n\n");
    for (size_t i = 0; i < n_help_examples; i++) {
        strbuf_addf(b, "%s:\n```\n%s\n```\n", help_examples[i].what, help_examples[i].command);
    }
    put(b, "\n## Commands\n");
    for (size_t i = 0; i < CLI_N_COMMANDS; i++) {
        const struct command_row *row = &command_rows[i];
        strbuf_addf(b, "\n### `binpack %s%s%s`\n\n", row->name,
                    row->arguments[0] != '\0' ? " " : "", row->arguments);
        strbuf_addf(b, "%s\n", row->doc[0] != '\0' ? row->doc : row->help);
    }
    put(b, "\n## Options\n\n`--name=value` and `--name value` are the same; names are never "
           "abbreviated; `--` ends the options.\n");
    for (int group = 0; group < N_OPTION_GROUPS; group++) {
        strbuf_addf(b, "\n### %s\n\n| option | without it | what | commands |\n|---|---|---|---|\n",
                    option_group_titles[group]);
        for (size_t i = 0; i < n_option_rows; i++) {
            if ((int)option_rows[i].group == group) {
                markdown_option(b, &option_rows[i]);
            }
        }
    }
    for (size_t i = 0; i < n_help_topics; i++) {
        strbuf_addf(b, "\n## %s\n\n", help_topics[i].title);
        markdown_text(b, help_topics[i].text);
    }
}
