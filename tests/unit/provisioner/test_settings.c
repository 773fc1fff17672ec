/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "provisioner/service/settings.h"

enum { WORDS_MAX = 6 };

/* The environment is "NAME=value". */
static struct str environment(void *ctx, const char *name)
{
    const char *const *list = ctx;
    size_t n = strlen(name);
    for (; list != NULL && *list != NULL; list++) {
        if (strncmp(*list, name, n) == 0 && (*list)[n] == '=') {
            return str_of(*list + n + 1);
        }
    }
    return STR_EMPTY;
}

static bool parse(const char *const *words, const char *const *env, struct arena *arena,
                  struct settings *settings, struct err *err)
{
    const char *argv[WORDS_MAX + 2] = {"provisioner"};
    int argc = 1;
    while (words[argc - 1] != NULL) {
        argv[argc] = words[argc - 1];
        argc++;
    }
    return settings_parse(argc, argv, environment, (void *)(uintptr_t)env, arena, settings, err);
}

static void defaults_are_karpenters(void **state)
{
    auto_arena arena = ARENA_INIT;
    struct settings s;
    struct err err;
    const char *const words[] = {"--mode=observe", NULL};
    (void)state;
    assert_true(parse(words, NULL, &arena, &s, &err));
    assert_int_equal(s.command, COMMAND_RUN);
    assert_int_equal(s.mode, MODE_OBSERVE);
    assert_int_equal(s.metrics_port, 8080);
    assert_int_equal(s.health_probe_port, 8081);
    assert_int_equal(s.kube_client_qps, 200);
    assert_int_equal(s.kube_client_burst, 300);
    assert_int_equal(s.batch_max_ms, 10000);
    assert_int_equal(s.batch_idle_ms, 1000);
    assert_int_equal(s.memory_limit, -1);
    assert_int_equal(s.cpu_requests, 1000);
    assert_int_equal(s.log_level, LOG_INFO);
    assert_int_equal(s.vm_memory_overhead_ppm, 75000);
    assert_int_equal(s.ami_refresh_ms, 60000);
    assert_int_equal(s.gap_ppm, 100);
    assert_true(s.ignore_dra_requests && s.disable_controller_warmup);
    assert_false(s.disable_leader_election || s.enable_profiling || s.isolated_vpc);
    assert_true(s.gates[GATE_RESERVED_CAPACITY]);
    assert_false(s.gates[GATE_NODE_REPAIR] || s.gates[GATE_NODE_OVERLAY] ||
                 s.gates[GATE_SPOT_TO_SPOT] || s.gates[GATE_STATIC_CAPACITY] ||
                 s.gates[GATE_CAPACITY_BUFFER] || s.aws_gates[0]);
    assert_true(str_eq(s.leader_election_name, STR("karpenter-leader-election")));
    assert_true(str_eq(s.log_output_paths, STR("stdout")));
    assert_int_equal(s.n_notes, 0);
}

static void flags_come_before_variables(void **state)
{
    auto_arena arena = ARENA_INIT;
    struct settings s;
    struct err err;
    const char *const words[] = {
        "-mode",          "observe", "--metrics-port=1", "--ignore-dra-requests=false",
        "--debug-remote", NULL};
    const char *const env[] = {"METRICS_PORT=2",
                               "BATCH_IDLE_DURATION=1500ms",
                               "FEATURE_GATES= NodeOverlay=true, Later=true ,",
                               "VM_MEMORY_OVERHEAD_PERCENT=.05",
                               "ENABLE_PROFILING=true",
                               "BINPACK_DEBUG_REMOTE=false",
                               NULL};
    (void)state;
    assert_true(parse(words, env, &arena, &s, &err));
    assert_int_equal(s.metrics_port, 1);
    assert_int_equal(s.batch_idle_ms, 1500);
    assert_int_equal(s.vm_memory_overhead_ppm, 50000);
    assert_true(s.gates[GATE_NODE_OVERLAY] && s.gates[GATE_RESERVED_CAPACITY]);
    assert_true(s.debug_remote);
    assert_false(s.ignore_dra_requests);
    assert_int_equal(s.n_notes, 2);
    assert_true(str_eq(s.notes[0], STR("ENABLE_PROFILING has no effect: There is no Go runtime "
                                       "here; `perf` works on the program as it is.")));
    assert_true(
        str_eq(s.notes[1], STR("FEATURE_GATES: the gate Later is not known and has no effect")));
}

struct fault_row {
    const char *name;
    const char *words[WORDS_MAX];
    const char *env[2];
    enum err_code code;
    const char *text;
};

static const struct fault_row faults[] = {
    {"unknown flag",
     {"--metric-port=1"},
     {NULL},
     ERR_INVALID,
     "unknown flag --metric-port; did you mean --metrics-port?"},
    {"a word", {"observe"}, {NULL}, ERR_INVALID, "\"observe\" is not expected here"},
    {"no value", {"--metrics-port"}, {NULL}, ERR_INVALID, "--metrics-port needs a value"},
    {"no number",
     {"--metrics-port=x"},
     {NULL},
     ERR_INVALID,
     "--metrics-port: \"x\" is not a number from 0 to 65535"},
    {"too large", {"--metrics-port=65536"}, {NULL}, ERR_INVALID, "a number from 0 to 65535"},
    {"bad variable",
     {"--mode=observe"},
     {"METRICS_PORT=80x"},
     ERR_INVALID,
     "METRICS_PORT: \"80x\" is not a number"},
    {"bad flag value",
     {"--isolated-vpc=yes"},
     {NULL},
     ERR_INVALID,
     "--isolated-vpc: \"yes\" is not true or false"},
    {"bad choice",
     {"--log-level=warn"},
     {NULL},
     ERR_INVALID,
     "--log-level: \"warn\" is not one of debug, info, error"},
    {"bad duration",
     {"--batch-idle-duration=1"},
     {NULL},
     ERR_INVALID,
     "--batch-idle-duration: \"1\" is not a duration from 1ms to 24h0m0s"},
    {"too often", {"--ami-refresh-interval=59s"}, {NULL}, ERR_INVALID, "a duration from 1m0s"},
    {"bad fraction",
     {"--vm-memory-overhead-percent=1.1"},
     {NULL},
     ERR_INVALID,
     "\"1.1\" is not a fraction"},
    {"fine fraction",
     {"--vm-memory-overhead-percent=0.0000001"},
     {NULL},
     ERR_INVALID,
     "is not a fraction"},
    {"more than all",
     {"--gap=100.1%"},
     {NULL},
     ERR_INVALID,
     "--gap: \"100.1%\" is not a percentage from 0% to 100%"},
    {"fine percentage", {"--gap=0.00001"}, {NULL}, ERR_INVALID, "is not a percentage"},
    {"percent alone", {"--gap=%"}, {NULL}, ERR_INVALID, "is not a percentage"},
    {"bad gate",
     {"--feature-gates=NodeRepair"},
     {NULL},
     ERR_INVALID,
     "--feature-gates: \"NodeRepair\" is not NAME=true or NAME=false"},
    {"windows cross",
     {"--mode=observe", "--batch-idle-duration=11s"},
     {NULL},
     ERR_INVALID,
     "--batch-idle-duration (11000 ms) is longer than --batch-max-duration (10000 ms)"},
    {"full without a cluster",
     {"--log-level=info"},
     {NULL},
     ERR_INVALID,
     "--mode=full needs --cluster-name"},
    {"prepare without a cluster", {"--mode=prepare"}, {NULL}, ERR_INVALID, "--cluster-name"},
    {"help topic", {"help", "x"}, {NULL}, ERR_INVALID, "none of man, markdown and metrics"},
    {"replay nothing", {"replay"}, {NULL}, ERR_INVALID, "replay needs the name"},
    {"hours of no world", {"--hours=3"}, {NULL}, ERR_INVALID, "--hours is for simulated worlds"},
    {"seed of no world", {"--seed", "3"}, {NULL}, ERR_INVALID, "--seed is for simulated worlds"},
    {"runs of no world", {"--runs=2"}, {NULL}, ERR_INVALID, "--runs is for simulated worlds"},
    {"no faults of no world", {"--faults=0"}, {NULL}, ERR_INVALID, "--faults is for simulated"},
    {"headless what", {"--headless"}, {NULL}, ERR_INVALID, "--headless is for simulated worlds"},
    {"variable of no world", {NULL}, {"BINPACK_SEED=2"}, ERR_INVALID, "BINPACK_SEED is for"},
    {"replay of no world", {"replay", "x", "--seed=3"}, {NULL}, ERR_INVALID, "--seed is for"},
    {"journal of a world", {"--sandbox", "--journal=x"}, {NULL}, ERR_INVALID, "--journal"},
    {"two scenarios", {"--sandbox=day", "storm"}, {NULL}, ERR_INVALID, "\"storm\" is not expected"},
};

/* No faults is not the same as those of the scenario. */
static void a_world_has_a_scenario_and_faults(void **state)
{
    static const struct {
        const char *words[4];
        const char *scenario;
        bool has_faults;
        int64_t faults;
    } rows[] = {{{"--sandbox"}, "", false, 0},
                {{"--sandbox", "storm"}, "storm", false, 0},
                {{"--sandbox=storm", "--faults=0"}, "storm", true, 0},
                {{"--faults=7", "--sandbox"}, "", true, 7}};
    static const char *const env[] = {NULL};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        auto_arena arena = ARENA_INIT;
        struct settings s;
        struct err err;
        assert_true(parse(rows[i].words, env, &arena, &s, &err));
        assert_int_equal(s.command, COMMAND_SANDBOX);
        assert_true(str_eq(s.scenario, str_of(rows[i].scenario)));
        assert_int_equal(s.has_faults, rows[i].has_faults);
        assert_int_equal(s.faults, rows[i].faults);
    }
}

static void faults_name_setting_value_and_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        const struct fault_row *row = &faults[i];
        auto_arena arena = ARENA_INIT;
        struct settings s;
        struct err err;
        if (parse(row->words, row->env, &arena, &s, &err) || err.code != row->code ||
            strstr(err.text, row->text) == NULL) {
            fail_msg("%s: \"%s\"", row->name, err.text);
        }
    }
}

static void the_table_holds_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_setting_rows; i++) {
        const struct setting_row *row = &setting_rows[i];
        assert_true(row->help[0] != '\0' && row->help[strlen(row->help) - 1] != '.');
        assert_true(row->effect != EFFECT_NONE || row->doc != NULL);
        assert_true(row->doc == NULL || row->doc[strlen(row->doc) - 1] == '.');
        assert_true((row->value == NULL) == (row->kind == SETTING_FLAG));
        for (size_t k = 0; k < i; k++) {
            assert_true(strcmp(row->env, setting_rows[k].env) != 0);
            assert_true(row->name == NULL || setting_rows[k].name == NULL ||
                        strcmp(row->name, setting_rows[k].name) != 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_karpenters),
        cmocka_unit_test(flags_come_before_variables),
        cmocka_unit_test(a_world_has_a_scenario_and_faults),
        cmocka_unit_test(faults_name_setting_value_and_rule),
        cmocka_unit_test(the_table_holds_together),
    };
    return cmocka_run_group_tests_name("provisioner/settings", tests, NULL, NULL);
}
