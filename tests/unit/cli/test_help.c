/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/arena.h"
#include "binpack/cli/completion.h"
#include "binpack/cli/help.h"
#include "binpack/cli/topics.h"
#include "binpack/view/display.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_LIMIT = 1 << 20 };

static const struct text_look plain = {.width = 80, .color = false};

static const char *terminated(struct strbuf *b)
{
    assert_false(b->overflow);
    strbuf_addc(b, '\0');
    return b->p;
}

static void assert_fits(const char *text, size_t width, const char *what)
{
    struct str rest = str_of(text);
    while (rest.n > 0) {
        struct str line = str_sub(rest, 0, str_find(rest, '\n'));
        rest = str_sub(rest, line.n + 1, rest.n);
        if (display_width(line) > width && !str_starts(line, STR("  kubectl get po,no"))) {
            if (!str_starts(str_trim(line), STR("kubectl")) &&
                !str_starts(str_trim(line), STR("aws ")) &&
                !str_starts(str_trim(line), STR("binpack --simulate"))) {
                fail_msg("%s: wider than %zu: " STR_FMT, what, width, STR_ARG(line));
            }
        }
    }
}

static void test_full(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct strbuf b = strbuf_new(&arena, TEXT_LIMIT);
    struct options options = {.command = CLI_SIMULATE};
    help_full(&options, &plain, &b);
    const char *text = terminated(&b);
    assert_fits(text, 80, "--help");
    assert_true(strstr(text, "Examples") < strstr(text, "Commands"));
    for (size_t i = 0; i < n_option_rows; i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "--%s", option_rows[i].name);
        bool shown = strstr(text, name) != NULL;
        assert_true(shown || (option_rows[i].commands & 1U << CLI_SIMULATE) == 0);
    }
}

static void test_commands_take_only_theirs(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct strbuf b = strbuf_new(&arena, TEXT_LIMIT);
    struct options options = {.command = CLI_VERIFY, .command_given = true};
    help_full(&options, &plain, &b);
    const char *text = terminated(&b);
    assert_non_null(strstr(text, "--certificate"));
    assert_null(strstr(text, "--require-gap"));
}

static void test_topics(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_help_topics; i++) {
        auto_arena arena = ARENA_INIT;
        struct strbuf b = strbuf_new(&arena, TEXT_LIMIT);
        assert_true(help_topic(str_of(help_topics[i].name), &plain, &b, NULL));
        assert_fits(terminated(&b), 80, help_topics[i].name);
    }
    static const char *const known[] = {"--gap", "gap", "verify", "simulate", "man", "markdown"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        auto_arena arena = ARENA_INIT;
        struct strbuf b = strbuf_new(&arena, TEXT_LIMIT);
        assert_true(help_topic(str_of(known[i]), &plain, &b, NULL));
        assert_true(b.n > 0 && !b.overflow);
    }
    auto_arena arena = ARENA_INIT;
    struct strbuf b = strbuf_new(&arena, TEXT_LIMIT);
    struct err err;
    assert_false(help_topic(STR("input"), &plain, &b, &err));
    assert_non_null(strstr(err.text, "did you mean inputs?"));
    assert_false(help_topic(STR("zzzzzzzz"), &plain, &b, &err));
    assert_string_equal(help_topics[n_help_topics - 1].name,
                        "exit-codes"); /* the man page relies on it */
}

static void test_completion(void **state)
{
    (void)state;
    static const char *const shells[] = {"bash", "zsh", "fish"};
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        auto_arena arena = ARENA_INIT;
        struct strbuf b = strbuf_new(&arena, TEXT_LIMIT);
        assert_true(completion_script(str_of(shells[i]), &b, NULL));
        const char *text = terminated(&b);
        for (size_t r = 0; r < n_option_rows; r++) {
            if (strstr(text, option_rows[r].name) == NULL) {
                fail_msg("%s does not complete --%s", shells[i], option_rows[r].name);
            }
        }
    }
    auto_arena arena = ARENA_INIT;
    struct strbuf b = strbuf_new(&arena, TEXT_LIMIT);
    struct err err;
    assert_false(completion_script(STR("tcsh"), &b, &err));
    assert_non_null(strstr(err.text, "bash, zsh or fish"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_commands_take_only_theirs),
        cmocka_unit_test(test_topics),
        cmocka_unit_test(test_completion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
