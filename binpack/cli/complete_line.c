/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/complete_line.h"

#include "base/vec.h"
#include "binpack/cli/completion.h"
#include "binpack/cli/topics.h"

struct reading {
    struct arena *arena;
    VEC(struct str) words, files, catalogs;
    enum cli_command command;
    bool has_command;
    const struct option_row *awaits; /* whose value the next word is; NULL: none */
    struct str prefix;
};

/* Of an option's value: input files are where words come from. */
static void take_value(struct reading *r, const struct option_row *row, struct str value)
{
    if (str_eq(str_of(row->name), STR("filename"))) {
        VEC_PUSH(r->arena, &r->files, value);
    } else if (str_eq(str_of(row->name), STR("catalog"))) {
        VEC_PUSH(r->arena, &r->catalogs, value);
    }
}

/* The row of "--name", "--name=value" or "-n"; NULL when there is none. `ret_value`: what stands in
 * the same word; `ret_has`: whether something does. */
static const struct option_row *row_of(const struct reading *r, struct str word,
                                       struct str *ret_value, bool *ret_has)
{
    *ret_has = false;
    *ret_value = STR_EMPTY;
    if (str_starts(word, STR("--"))) {
        const size_t equals = str_find(word, '=');
        *ret_has = equals < word.n;
        *ret_value = *ret_has ? str_sub(word, equals + 1, word.n) : STR_EMPTY;
        return option_find(str_sub(word, 2, equals - 2), r->command);
    }
    for (size_t i = 0; i < n_option_rows && word.n > 1; i++) {
        if (option_rows[i].letter == word.p[1]) {
            *ret_has = word.n > 2;
            *ret_value = str_sub(word, 2, word.n);
            return &option_rows[i];
        }
    }
    return NULL;
}

static void take_command(struct reading *r, struct str word)
{
    for (int i = 0; i < CLI_N_COMMANDS; i++) {
        if (str_eq(word, str_of(command_rows[i].name))) {
            r->command = (enum cli_command)i;
        }
    }
    r->has_command = true;
}

static void take_word(struct reading *r, struct str word)
{
    struct str value;
    bool has = false;
    if (r->awaits != NULL) {
        take_value(r, r->awaits, word);
        r->awaits = NULL;
        return;
    }
    if (!str_starts(word, STR("-"))) {
        if (!r->has_command) {
            take_command(r, word);
        }
        return;
    }
    const struct option_row *row = row_of(r, word, &value, &has);
    if (row == NULL) {
        return;
    }
    if (row->kind == OPTION_COMMAND) {
        take_command(r, str_of(row->name));
    } else if (row->value != NULL && has) {
        take_value(r, row, value);
    } else if (row->value != NULL) {
        r->awaits = row;
    }
}

static void offer(struct reading *r, struct str word)
{
    if (str_starts(word, r->prefix)) {
        VEC_PUSH(r->arena, &r->words, word);
    }
}

static void offer_all(struct reading *r, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        offer(r, str_of(words[i]));
    }
}

static void offer_options(struct reading *r)
{
    for (size_t i = 0; i < n_option_rows; i++) {
        if ((option_rows[i].commands & 1U << r->command) != 0) {
            struct strbuf b = strbuf_new(r->arena, 128);
            strbuf_addf(&b, "--%s", option_rows[i].name);
            offer(r, strbuf_str(&b));
        }
    }
}

static void offer_commands(struct reading *r)
{
    for (int i = 0; i < CLI_N_COMMANDS; i++) {
        offer(r, str_of(command_rows[i].name));
    }
}

static struct completion of_value(struct reading *r, const struct option_row *row)
{
    struct completion c = {.kind = COMPLETE_LIST};
    if (row->hint == HINT_FILE) {
        c.kind = COMPLETE_FILES;
    } else if (option_hint_kinds[row->hint] != NULL) {
        c.kind = COMPLETE_WORDS;
        c.hint = row->hint;
    } else if (row->choices != NULL) {
        offer_all(r, row->choices);
    }
    return c;
}

static struct completion of_argument(struct reading *r)
{
    struct completion c = {.kind = COMPLETE_LIST};
    const char *const *words = completion_words(r->command);
    if (!r->has_command) {
        offer_commands(r);
    } else if (r->command == CLI_EXPLAIN) {
        c.kind = COMPLETE_WORDS;
        c.hint = HINT_SUBJECTS;
    } else if (words != NULL) {
        offer_all(r, words);
    } else if (r->command == CLI_HELP) {
        for (size_t i = 0; i < n_help_topics; i++) {
            offer(r, str_of(help_topics[i].name));
        }
        offer_commands(r);
    } else {
        c.kind = COMPLETE_FILES;
    }
    return c;
}

struct completion complete_line(const struct option_texts *line, struct arena *arena)
{
    struct reading r = {.arena = arena, .command = CLI_SIMULATE};
    struct str value;
    bool has = false;
    for (uint32_t i = 0; i + 1 < line->n; i++) {
        take_word(&r, line->v[i]);
    }
    r.prefix = line->n > 0 ? line->v[line->n - 1] : STR_EMPTY;
    struct completion c = {.kind = COMPLETE_LIST};
    if (r.awaits != NULL) {
        c = of_value(&r, r.awaits);
    } else if (str_starts(r.prefix, STR("-"))) {
        const struct option_row *row = row_of(&r, r.prefix, &value, &has);
        if (has && row != NULL && row->value != NULL) {
            r.prefix = value;
            c = of_value(&r, row);
        } else {
            offer_options(&r);
        }
    } else {
        c = of_argument(&r);
    }
    c.prefix = r.prefix;
    c.words = (struct option_texts){.n = (uint32_t)r.words.n, .v = r.words.v};
    c.files = (struct option_texts){.n = (uint32_t)r.files.n, .v = r.files.v};
    c.catalogs = (struct option_texts){.n = (uint32_t)r.catalogs.n, .v = r.catalogs.v};
    return c;
}
