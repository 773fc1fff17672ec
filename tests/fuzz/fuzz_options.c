/* SPDX-License-Identifier: GPL-3.0-or-later */
/* options_parse on any words (separated by line breaks): it fails with a message of one line that
 * holds no control character, or gives options that the help can speak about. */
#include "base/arena.h"
#include "binpack/cli/complete_line.h"
#include "binpack/cli/help.h"
#include "binpack/cli/options.h"

#include "check.h"

enum { WORDS_MAX = 64, OUTPUT_MAX = 1 << 20 };

/* Words that are offered begin with what is there. */
static void check_completion(const char *const *argv, int argc, struct arena *arena)
{
    struct str words[WORDS_MAX];
    for (int i = 1; i < argc; i++) {
        words[i - 1] = str_of(argv[i]);
    }
    const struct option_texts line = {.n = (uint32_t)argc - 1, .v = words};
    const struct completion c = complete_line(&line, arena);
    MUST(c.kind == COMPLETE_LIST || c.words.n == 0);
    MUST(c.kind != COMPLETE_WORDS || option_hint_kinds[c.hint] != NULL);
    for (uint32_t i = 0; i < c.words.n; i++) {
        MUST(c.words.v[i].n > 0 && str_starts(c.words.v[i], c.prefix));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_arena arena = ARENA_INIT;
    const char *argv[WORDS_MAX + 1] = {"binpack"};
    int argc = 1;
    struct str rest = {.p = (const char *)data, .n = size};
    while (rest.n > 0 && argc < WORDS_MAX) {
        struct str word = str_sub(rest, 0, str_find(rest, '\n'));
        rest = str_sub(rest, word.n + 1, rest.n);
        argv[argc++] = str_cstr(&arena, word);
    }
    check_completion(argv, argc, &arena);
    struct err err = {.code = ERR_NONE};
    struct options options;
    if (!options_parse(argc, argv, &arena, &options, &err)) {
        MUST(err.code != ERR_NONE && err.text[0] != '\0');
        for (const char *c = err.text; *c != '\0'; c++) {
            MUST((unsigned char)*c >= 0x20);
        }
        return 0;
    }
    MUST(options.command < CLI_N_COMMANDS && options.effort <= 5);
    struct strbuf b = strbuf_new(&arena, OUTPUT_MAX);
    help_full(&options, &(struct text_look){.width = 80}, &b);
    for (uint32_t i = 0; i < options.arguments.n; i++) {
        (void)!help_topic(options.arguments.v[i], &(struct text_look){.width = 80}, &b, &err);
    }
    return 0;
}
