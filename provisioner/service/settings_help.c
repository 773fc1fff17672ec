/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/service/settings.h"

#include <string.h>

static const char *const intro =
    "Follows a Kubernetes cluster and plans, each time pods become unschedulable, the cheapest mix "
    "of EC2 instances that takes them, with a proven lower bound on the price of any such mix. "
    "With "
    "--mode=full it buys them through EC2, follows each node until its pods run, and takes nodes "
    "down again; with --mode=observe nothing is written anywhere: the plans are exported as "
    "metrics, as log lines and as JSON.";

static void put(struct strbuf *b, const char *text)
{
    strbuf_add(b, str_of(text));
}

/* The text in lines of at most `width` columns, each behind `indent` blanks. */
static void wrap(struct strbuf *b, const char *text, size_t indent, size_t width)
{
    struct str rest = str_of(text);
    size_t column = 0;
    while (rest.n > 0) {
        const struct str word = str_sub(rest, 0, str_find(rest, ' '));
        rest = str_sub(rest, word.n + 1, rest.n);
        if (column > 0 && column + 1 + word.n > width) {
            strbuf_addc(b, '\n');
            column = 0;
        }
        strbuf_pad(b, ' ', column == 0 ? indent : 1);
        strbuf_add(b, word);
        column += (column == 0 ? indent : 1) + word.n;
    }
    strbuf_addc(b, '\n');
}

static const char *effect_text(const struct setting_row *row)
{
    return row->effect == EFFECT_NONE      ? "No effect."
           : row->effect == EFFECT_LATER   ? "No effect yet."
           : row->effect == EFFECT_FULL    ? "For --mode=full."
           : row->effect == EFFECT_SANDBOX ? "For --sandbox; refused without it."
           : row->effect == EFFECT_PREPARE ? "For --mode=prepare and --mode=full."
                                           : NULL;
}

/* ---- --help ---- */

static void help_row(struct strbuf *b, const struct setting_row *row)
{
    if (row->name != NULL) {
        strbuf_addf(b, "  --%s%s%s, $%s", row->name, row->value == NULL ? "" : "=",
                    row->value == NULL ? "" : row->value, row->env);
    } else {
        strbuf_addf(b, "  $%s", row->env);
    }
    if (row->fallback[0] != '\0') {
        strbuf_addf(b, " (%s)", row->fallback);
    }
    strbuf_addc(b, '\n');
    wrap(b, row->help, 8, 80);
}

void settings_help(struct strbuf *b)
{
    put(b, "usage: provisioner [--mode=full|observe|prepare] [SETTING]...\n"
           "       provisioner replay FILE\n"
           "       provisioner --sandbox [SCENARIO] [--seed=N] [--hours=N] [--faults=N] [--runs=N] "
           "[--headless]\n"
           "       provisioner help [man|markdown|metrics]\n\n");
    wrap(b, intro, 0, 80);
    for (int group = 0; group < N_SETTING_GROUPS; group++) {
        strbuf_addf(b, "\n%s:\n", setting_group_titles[group]);
        for (size_t i = 0; i < n_setting_rows; i++) {
            if ((int)setting_rows[i].group == group) {
                help_row(b, &setting_rows[i]);
            }
        }
    }
    put(b, "\nA flag comes before its variable. More: man provisioner.\n");
}

/* ---- the man page ---- */

/* A paragraph, one sentence a line. */
static void mdoc_text(struct strbuf *b, const char *text)
{
    bool line_begins = true;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '`') {
            continue;
        }
        if (line_begins && (*c == '.' || *c == '\'')) {
            put(b, "\\&");
        }
        if (*c == '-') {
            put(b, "\\-");
        } else if (*c == '\\') {
            put(b, "\\e");
        } else {
            strbuf_addc(b, *c == ' ' && c > text && c[-1] == '.' ? '\n' : *c);
        }
        line_begins = *c == ' ' && c > text && c[-1] == '.';
    }
    strbuf_addc(b, '\n');
}

static void mdoc_row(struct strbuf *b, const struct setting_row *row)
{
    const char *effect = effect_text(row);
    if (row->name == NULL) {
        strbuf_addf(b, ".It Ev %s\n", row->env);
    } else if (row->value == NULL) {
        strbuf_addf(b, ".It Fl \\-%s , Ev %s\n", row->name, row->env);
    } else {
        strbuf_addf(b, ".It Fl \\-%s Ns = Ns Ar %s , Ev %s\n", row->name, row->value, row->env);
    }
    mdoc_text(b, row->help);
    if (row->fallback[0] != '\0') {
        put(b, "Default:\n");
        mdoc_text(b, row->fallback);
    }
    if (row->doc != NULL || effect != NULL) {
        put(b, ".Pp\n");
    }
    if (effect != NULL) {
        mdoc_text(b, effect);
    }
    if (row->doc != NULL) {
        mdoc_text(b, row->doc);
    }
}

void settings_man(struct strbuf *b)
{
    put(b, ".\\\" Made from the table of settings by `provisioner help man`.\n"
           ".Dd November 28, 2026\n.Dt PROVISIONER 8\n.Os\n"
           ".Sh NAME\n.Nm provisioner\n.Nd provision AWS nodes for Kubernetes pods\n"
           ".Sh SYNOPSIS\n"
           ".Nm\n.Op Fl \\-mode Ns = Ns Cm full | observe | prepare\n.Op Ar SETTING ...\n"
           ".Nm\n.Cm replay\n.Ar FILE\n"
           ".Nm\n.Fl \\-sandbox\n.Op Ar SCENARIO\n"
           ".Op Fl \\-seed Ns = Ns Ar N\n.Op Fl \\-hours Ns = Ns Ar N\n"
           ".Op Fl \\-faults Ns = Ns Ar N\n.Op Fl \\-runs Ns = Ns Ar N\n"
           ".Op Fl \\-headless\n"
           ".Nm\n.Cm help\n.Op Cm man | markdown | metrics\n"
           ".Sh DESCRIPTION\n");
    mdoc_text(b, intro);
    put(b,
        ".Pp\n.Cm replay\nreads a journal that was written with\n.Fl \\-journal ,\n"
        "gives its events to the engine again, and says where the actions differ.\n"
        "Exit status 0 says that all are the same.\n"
        ".Pp\n.Fl \\-sandbox\nlets the engine buy nodes in a simulated world with a clock of its\n"
        "own, and prints what became of it. A scenario is one of those that come with\n"
        "the program, or a file. Exit status 1 says that a promise was broken.\n"
        ".Sh OPTIONS\nA flag comes before its variable in the environment.\n");
    for (int group = 0; group < N_SETTING_GROUPS; group++) {
        strbuf_addf(b, ".Ss %s\n.Bl -tag -width Ds\n", setting_group_titles[group]);
        for (size_t i = 0; i < n_setting_rows; i++) {
            if ((int)setting_rows[i].group == group) {
                mdoc_row(b, &setting_rows[i]);
            }
        }
        put(b, ".El\n");
    }
    put(b, ".Sh EXIT STATUS\n.Bl -tag -width Ds\n"
           ".It 0\nit was asked to stop, or a replay gave the same actions\n"
           ".It 1\nit cannot go on, or a replay differs; the reason is on standard error\n"
           ".It 2\na setting is wrong\n.El\n"
           ".Sh SEE ALSO\n.Xr binpack 1\n");
}

/* ---- docs/settings.md ---- */

static void markdown_row(struct strbuf *b, const struct setting_row *row)
{
    const char *effect = effect_text(row);
    if (row->name != NULL) {
        strbuf_addf(b, "| `--%s` ", row->name);
    } else {
        put(b, "| ");
    }
    strbuf_addf(b, "| `%s` | ", row->env);
    if (row->fallback[0] != '\0') {
        strbuf_addf(b, "`%s`", row->fallback);
    }
    strbuf_addf(b, " | %s.%s%s%s%s |\n", row->help, effect != NULL ? " " : "",
                effect != NULL ? effect : "", row->doc != NULL ? " " : "",
                row->doc != NULL ? row->doc : "");
}

void settings_markdown(struct strbuf *b)
{
    put(b, "<!-- Made from the table of settings by `provisioner help markdown`. -->\n"
           "# Settings of provisioner\n\n");
    put(b, intro);
    put(b, "\n\nEvery setting is a flag and a variable of the environment; the flag wins. "
           "`--name=value`, `--name value` and `-name=value` are the same; a flag without a value "
           "stands for `=true`. Durations are written as in Go (`1m30s`). A value that is not "
           "allowed ends the program at the start with status 2, the name and what is allowed.\n\n"
           "Settings of Karpenter v1.14 mean here what they mean there. Those that have nothing to "
           "act on are accepted, so that a manifest can be taken over as it is, and named in the "
           "log.\n");
    for (int group = 0; group < N_SETTING_GROUPS; group++) {
        strbuf_addf(b, "\n## %s\n\n| flag | variable | default | meaning |\n|---|---|---|---|\n",
                    setting_group_titles[group]);
        for (size_t i = 0; i < n_setting_rows; i++) {
            if ((int)setting_rows[i].group == group) {
                markdown_row(b, &setting_rows[i]);
            }
        }
    }
}
