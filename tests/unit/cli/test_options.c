/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/options.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { WORDS_MAX = 12 };

static bool parse(const char *const *words, struct arena *arena, struct options *ret_options,
                  struct err *err)
{
    const char *argv[WORDS_MAX + 1] = {"binpack"};
    int argc = 1;
    for (; words[argc - 1] != NULL; argc++) {
        argv[argc] = words[argc - 1];
    }
    return options_parse(argc, argv, arena, ret_options, err);
}

/* Every wrong line names the option, its value and what is allowed. */
static void test_refused(void **state)
{
    static const struct {
        const char *words[WORDS_MAX];
        const char *text; /* part of the message */
    } rows[] = {
        {{"--simluate"}, "unknown option --simluate; did you mean --simulate?"},
        {{"--simulate", "--catalogue=x"}, "unknown option --catalogue; did you mean --catalog?"},
        {{"--simulate", "--xyzzy"}, "unknown option --xyzzy"},
        {{"--sim"}, "unknown option --sim"}, /* no abbreviations */
        {{"simluate"}, "unknown command simluate; did you mean simulate?"},
        {{"cluster.yaml"}, "binpack --simulate -f cluster.yaml"},
        {{"-simulate"}, "did you mean --simulate?"},
        {{"--simulate", "--mode=provison"},
         "--mode: \"provison\" is not one of auto, provision, disrupt, repack; did you mean "
         "provision?"},
        {{"--simulate", "--mode"}, "--mode needs a value: MODE"},
        {{"--simulate", "-f"}, "-f needs a value: FILE|DIR|-"},
        {{"--simulate", "-f", ""}, "--filename: \"\""},
        {{"--simulate", "--strict=yes"},
         "--strict: \"yes\" is not expected: this option takes no value"},
        {{"--simulate", "--effort=0"}, "--effort: \"0\" is not a number from 1 to 5"},
        {{"--simulate", "--effort=6"}, "a number from 1 to 5"},
        {{"--simulate", "--effort=2x"}, "a number from 1 to 5"},
        {{"--simulate", "--seed=-1"}, "--seed: \"-1\""},
        {{"--simulate", "--seed=99999999999999999999"}, "--seed"},
        {{"--simulate", "--gap=abc"}, "--gap: \"abc\" is not a percentage such as 0.5%"},
        {{"--simulate", "--gap=-1%"}, "percentage"},
        {{"--simulate", "--gap="}, "percentage"},
        {{"--simulate", "--gap=."}, "percentage"},
        {{"--simulate", "--time-limit=5"},
         "--time-limit: \"5\" is not a time above zero, such as 500ms"},
        {{"--simulate", "--time-limit=0s"}, "time-limit"},
        {{"--simulate", "--time-limit=-3s"}, "time-limit"},
        {{"--simulate", "--now=yesterday"},
         "--now: \"yesterday\" is not a time such as 2026-08-20T09:30:00Z"},
        {{"--simulate", "-o", "jsn"}, "--output: \"jsn\" is not one of table, wide, json"},
        {{"--simulate", "-o", "json="}, "names no file after the ="},
        {{"--simulate", "-o", "json=a", "-o", "yaml=a"}, "two outputs go to a"},
        {{"--simulate", "--feature-gates=NodeOverlay"},
         "--feature-gates: \"NodeOverlay\" is not NAME=true or NAME=false"},
        {{"--simulate", "--feature-gates=NodeOverlay=yes"}, "NodeOverlay=yes"},
        {{"--simulate", "--vm-memory-overhead-percent=7.5"}, "a fraction between 0 and 1"},
        {{"verify", "p.json", "--require-gap=1%"},
         "--require-gap is not an option of binpack verify"},
        {{"version", "-f", "x"}, "--filename is not an option of binpack version"},
        {{"-Z"}, "unknown option -Z"},
        {{"--simulate", "--preference-policy=respect"}, "did you mean Respect?"},
        {{"--simulate", "--color=\033[31m"}, "--color: \"?[31m\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_arena arena = ARENA_INIT;
        struct options options;
        struct err err = {.code = ERR_NONE};
        bool good = parse(rows[i].words, &arena, &options, &err);
        if (good || err.code != ERR_INVALID || strstr(err.text, rows[i].text) == NULL) {
            fail_msg("row %zu (%s): expected \"%s\", got \"%s\"", i, rows[i].words[0], rows[i].text,
                     good ? "no error" : err.text);
        }
    }
}

static struct options parsed(struct arena *arena, const char *const *words)
{
    struct options options;
    struct err err = {.code = ERR_NONE};
    if (!parse(words, arena, &options, &err)) {
        fail_msg("%s", err.text);
    }
    return options;
}

#define PARSED(arena, ...) parsed((arena), (const char *const[]){__VA_ARGS__, NULL})

static void assert_str(struct str s, const char *expected)
{
    if (!str_eq(s, str_of(expected))) {
        fail_msg("expected %s, got " STR_FMT, expected, STR_ARG(s));
    }
}

static void test_commands(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    assert_int_equal(PARSED(&arena, "--simulate").command, CLI_SIMULATE);
    assert_int_equal(PARSED(&arena, "simulate", "--simulate").command, CLI_SIMULATE);
    assert_int_equal(PARSED(&arena, "verify", "p.json").command, CLI_VERIFY);
    struct options o = PARSED(&arena, "--seed", "7", "verify", "p.json", "-f", "x");
    assert_int_equal(o.command, CLI_VERIFY);
    assert_int_equal(o.arguments.n, 1);
    assert_str(o.arguments.v[0], "p.json");
    assert_int_equal(o.seed, 7);
    o = PARSED(&arena, "help", "simulate");
    assert_int_equal(o.command, CLI_HELP);
    assert_str(o.arguments.v[0], "simulate");
    o = PARSED(&arena, "-f", "x");
    assert_int_equal(o.command, CLI_SIMULATE);
    assert_false(o.command_given);
    o = PARSED(&arena, "a.yaml", "--simulate");
    assert_int_equal(o.command, CLI_SIMULATE);
    assert_str(o.arguments.v[0], "a.yaml");
    assert_true(PARSED(&arena, "--help").help);
    assert_true(PARSED(&arena, "verify", "-h", "--require-gap=1%").help);
}

static void test_spellings(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct options o =
        PARSED(&arena, "--simulate", "-fa", "-f", "b", "--filename=c", "--filename", "-", "-qv");
    assert_int_equal(o.files.n, 4);
    assert_str(o.files.v[0], "a");
    assert_str(o.files.v[1], "b");
    assert_str(o.files.v[2], "c");
    assert_str(o.files.v[3], "-");
    assert_true(o.quiet && o.verbose);
    o = PARSED(&arena, "simulate", "--", "-f", "--seed=1");
    assert_int_equal(o.arguments.n, 2);
    assert_str(o.arguments.v[1], "--seed=1");
    o = PARSED(&arena, "simulate", "-", "-ojson=x=y", "-o=yaml", "-o", "table=-");
    assert_str(o.arguments.v[0], "-");
    assert_int_equal(o.outputs.n, 3);
    assert_int_equal(o.outputs.v[0].format, OUTPUT_JSON);
    assert_str(o.outputs.v[0].file, "x=y");
    assert_int_equal(o.outputs.v[1].format, OUTPUT_YAML);
    assert_int_equal(o.outputs.v[2].file.n, 0);
}

static void test_values(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct options o = PARSED(
        &arena, "--simulate", "--gap=0.5%", "--require-gap", "2", "--options-within=0.0000001%",
        "--time-limit=1m30s", "--now=1970-01-01T00:00:01Z", "--mode=repack", "--effort=5",
        "--vm-memory-overhead-percent=0.08", "--feature-gates=NodeOverlay=false, X=true,");
    assert_true(o.gap.has && o.gap.v == 5000000);
    assert_true(o.require_gap.v == 20000000);
    assert_true(o.options_within.v == 1);
    assert_true(o.time_limit.v == 90000);
    assert_true(o.now.has && o.now.v == 1000);
    assert_int_equal(o.mode, 3);
    assert_int_equal(o.effort, 5);
    assert_true(o.vm_memory_overhead_ppm == 80000);
    assert_true(o.gates.gates[GATE_NODE_OVERLAY].has && !o.gates.gates[GATE_NODE_OVERLAY].v);
    assert_false(o.gates.gates[GATE_CAPACITY_BUFFER].has);
    assert_int_equal(o.gates.unknown.n, 1);
    assert_str(o.gates.unknown.v[0], "X");
}

static void test_defaults(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct options o = PARSED(&arena, "--simulate");
    assert_true(o.vm_memory_overhead_ppm == 75000);
    assert_int_equal(o.effort, 0);
    assert_int_equal(o.threads, 0);
    assert_false(o.gap.has || o.time_limit.has || o.now.has);
}

static void test_many_files(void **state)
{
    (void)state;
    enum { N = 5000 };
    auto_arena arena = ARENA_INIT;
    const char **argv = ARENA_ARRAY(&arena, const char *, N + 1);
    argv[0] = "binpack";
    for (int i = 1; i <= N; i++) {
        argv[i] = i == 1 ? "simulate" : "x";
    }
    struct options o;
    assert_true(options_parse(N + 1, argv, &arena, &o, NULL));
    assert_int_equal(o.arguments.n, N - 1);
    assert_true(arena.used_bytes < 1000000);
}

/* What help and shells rely on: every row is complete, and no name or letter is there twice. */
static void test_table(void **state)
{
    (void)state;
    assert_true(n_option_rows < 128); /* the rows that one command line can name */
    for (size_t i = 0; i < n_option_rows; i++) {
        const struct option_row *row = &option_rows[i];
        bool needs_value = row->kind != OPTION_FLAG && row->kind != OPTION_COMMAND;
        assert_non_null(row->help);
        assert_true((row->value != NULL) == needs_value);
        assert_true(row->commands != 0);
        assert_true(row->help[strlen(row->help) - 1] != '.');
        assert_true(row->doc == NULL || row->doc[strlen(row->doc) - 1] == '.');
        for (size_t j = 0; j < i; j++) {
            /* A name means one thing to a command. */
            if ((row->commands & option_rows[j].commands) != 0) {
                assert_string_not_equal(row->name, option_rows[j].name);
                assert_true(row->letter == 0 || row->letter != option_rows[j].letter);
            }
        }
    }
    for (size_t i = 0; i < CLI_N_COMMANDS; i++) {
        assert_int_equal(command_rows[i].command, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),   cmocka_unit_test(test_commands),
        cmocka_unit_test(test_spellings), cmocka_unit_test(test_values),
        cmocka_unit_test(test_defaults),  cmocka_unit_test(test_many_files),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
