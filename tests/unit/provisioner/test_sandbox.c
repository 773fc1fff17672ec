/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole lives of nodes in a simulated world. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "provisioner/sandbox/screen.h"

static struct sandbox_report run(const char *name, uint64_t seed, int64_t faults)
{
    struct sandbox_options options = {.seed = seed, .faults = {.has = faults > 0, .v = faults}};
    struct sandbox_report report;
    struct err err;
    auto_arena arena = ARENA_INIT;
    struct strbuf table = strbuf_new(&arena, 65536);
    assert_true(sandbox_scenario(str_of(name), &options.name, &options.scenario));
    if (!sandbox_run(&options, &report, &err)) {
        fail_msg("%s", err.text);
    }
    sandbox_table(&options, &report, NULL, &table);
    if (report.broken || getenv("SANDBOX_TABLE") != NULL) {
        print_message(STR_FMT "\n", STR_ARG(strbuf_str(&table)));
    }
    if (report.broken) {
        fail_msg("%s seed %llu: %s", name, (unsigned long long)seed, report.breach.text);
    }
    return report;
}

static void pods_get_nodes_and_nodes_go(void **state)
{
    (void)state;
    const struct sandbox_report report = run("day", 1, 0);
    assert_int_equal(report.n_pods, 80);
    assert_int_equal(report.n_bound, 80);
    assert_true(report.n_launches >= 4);
    assert_int_equal(report.n_terminations, 3);
    assert_int_equal(report.n_instances, report.n_launches - report.n_terminations);
    assert_int_equal(report.n_instances, report.n_claims);
    assert_int_equal(report.n_instances, report.n_nodes);
    assert_int_equal(report.n_restarts, 0);
}

/* Each number is a world. SANDBOX_RUNS=1000 makes it so many. */
static void nothing_is_lost_when_anything_fails(void **state)
{
    const char *wanted = getenv("SANDBOX_RUNS");
    const uint64_t n = wanted == NULL ? 4 : strtoull(wanted, NULL, 10);
    struct sandbox_report sum = {.n_restarts = 0};
    (void)state;
    for (uint64_t seed = 1; seed <= n; seed++) {
        const struct sandbox_report report = run("day", seed, 40);
        assert_int_equal(report.n_bound, 80);
        assert_int_equal(report.n_instances, report.n_claims);
        sum.n_restarts += report.n_restarts;
        for (int a = 0; a < SANDBOX_N_ACTIONS; a++) {
            for (int f = 0; f < SANDBOX_N_FAULTS; f++) {
                sum.faults[a][f] += report.faults[a][f];
            }
        }
    }
    assert_true(sum.n_restarts >= n);
    for (int f = 0; f < SANDBOX_N_FAULTS; f++) {
        assert_true(sum.faults[SANDBOX_PATCH][f] > 0);
    }
    if (wanted != NULL) {
        for (int a = 0; a < SANDBOX_N_ACTIONS; a++) {
            print_message(
                "%d: %llu %llu %llu %llu %llu %llu\n", a, (unsigned long long)sum.faults[a][0],
                (unsigned long long)sum.faults[a][1], (unsigned long long)sum.faults[a][2],
                (unsigned long long)sum.faults[a][3], (unsigned long long)sum.faults[a][4],
                (unsigned long long)sum.faults[a][5]);
        }
    }
}

/* Two hours without spot: on demand instead, and not by trying a thousand times. (Once it took
 * 1,354 NodeClaims for 29 launches.) */
static void a_drought_does_not_churn(void **state)
{
    (void)state;
    const struct sandbox_report report = run("drought", 4, 10);
    uint64_t n_created = 0;
    for (int f = 0; f < SANDBOX_N_FAULTS; f++) {
        n_created += report.faults[SANDBOX_CREATE][f];
    }
    assert_int_equal(report.n_bound, report.n_pods);
    assert_int_equal(report.n_instances, report.n_claims);
    if (n_created > 60) {
        fail_msg("%llu NodeClaims for %llu launches", (unsigned long long)n_created,
                 (unsigned long long)report.n_launches);
    }
}

/* The same seed gives the same world. */
static void a_world_can_be_repeated(void **state)
{
    const struct sandbox_report a = run("day", 7, 40), b = run("day", 7, 40);
    (void)state;
    assert_memory_equal(a.faults, b.faults, sizeof a.faults);
    assert_int_equal(a.bill, b.bill);
    assert_int_equal(a.n_events, b.n_events);
}

static void nodeclaims_by_hand_get_machines(void **state)
{
    const struct sandbox_report report = run("standalone", 1, 0);
    (void)state;
    assert_int_equal(report.n_launches, 3);
    assert_int_equal(report.n_terminations, 1);
    assert_int_equal(report.n_nodes, 2);
    assert_int_equal(report.faults[SANDBOX_CREATE][SANDBOX_NO_FAULT], 0);
}

/* A world of "day" with another step. */
static struct sandbox_report run_day_with(const char *step, struct arena *arena)
{
    static const char steps[] = "  steps:\n";
    struct sandbox_options options = {.seed = 1, .hours = {.has = true, .v = 5}};
    struct sandbox_report report;
    struct err err;
    struct str day;
    assert_true(sandbox_scenario(STR("day"), &options.name, &day));
    const char *found = strstr(str_cstr(arena, day), steps);
    assert_non_null(found);
    const size_t at = day.n - strlen(found) + sizeof steps - 1;
    struct strbuf text = strbuf_new(arena, day.n + 256);
    strbuf_add(&text, str_sub(day, 0, at));
    strbuf_addf(&text, "  - {at: 150m, %s}\n", step);
    strbuf_add(&text, str_sub(day, at, day.n));
    options.scenario = strbuf_str(&text);
    if (!sandbox_run(&options, &report, &err) || report.broken) {
        fail_msg("%s: %s", step, report.broken ? report.breach.text : err.text);
    }
    return report;
}

/* Machines and Nodes that go of their own accord, or by somebody's hand: their pods get other
 * places, and nothing is left of them. NodeClaims that somebody writes get machines. */
static void what_disappears_is_made_anew(void **state)
{
    static const char *const steps[] = {
        "endInstances: 2", "deleteNodes: 2", "loseNodes: 2",
        "writeNodeClaims: {nodePool: default, instanceType: m5.large, count: 2}"};
    auto_arena arena = ARENA_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const struct sandbox_report report = run_day_with(steps[i], &arena);
        assert_int_equal(report.n_bound, report.n_pods);
        assert_int_equal(report.n_instances, report.n_claims);
        assert_int_equal(report.n_nodes, report.n_claims);
        assert_int_equal(report.faults[SANDBOX_FLEET][SANDBOX_NO_FAULT], report.n_launches);
    }
}

/* In seven of eight worlds the first plan that holds is good enough; the same pods get their place.
 */
static void plans_of_some_worlds_are_searched_for(void **state)
{
    (void)state;
    for (uint64_t seed = 7; seed <= 8; seed++) {
        const struct sandbox_report report = run("storm", seed, 0);
        assert_int_equal(report.searches, seed % 8 == 0);
        assert_int_equal(report.n_bound, report.n_pods);
    }
}

/* On 1,000 nodes of Karpenter's nothing is launched, deleted or evicted, before a restart and after
 * it. */
static void what_karpenter_has_made_is_kept(void **state)
{
    const struct sandbox_report report = run("adoption", 1, 0);
    (void)state;
    assert_int_equal(report.n_nodes, 1000);
    assert_int_equal(report.n_claims, 1000);
    assert_int_equal(report.n_bound, 2000);
    assert_int_equal(report.n_launches + report.n_terminations, 0);
    assert_int_equal(report.n_restarts, 1);
    for (int f = 0; f < SANDBOX_N_FAULTS; f++) {
        assert_int_equal(report.faults[SANDBOX_CREATE][f] + report.faults[SANDBOX_DELETE][f] +
                             report.faults[SANDBOX_EVICT][f],
                         0);
    }
}

/* What comes with the program runs to its end, and nothing it promises is broken. */
static void every_scenario_ends_well(void **state)
{
    static const char *const names[] = {"zone-outage", "statefulset-ebs"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct sandbox_report report = run(names[i], 1, 0);
        assert_int_equal(report.n_bound, report.n_pods);
    }
}

/* Columns and lines of a page, without its codes. */
static void measure(struct str page, int *ret_columns, int *ret_lines, int *ret_colors)
{
    int column = 0;
    *ret_columns = 0;
    *ret_lines = 1;
    *ret_colors = 0;
    for (size_t i = 0; i < page.n; i++) {
        if (page.p[i] == '\033') {
            while (i < page.n && strchr("HKJm", page.p[i]) == NULL) {
                i++;
            }
            *ret_colors += i < page.n && page.p[i] == 'm';
        } else if (page.p[i] == '\n') {
            ++*ret_lines;
            column = 0;
        } else if (page.p[i] != '\r') {
            column++;
            *ret_columns = column > *ret_columns ? column : *ret_columns;
        }
    }
}

/* A page fills the terminal and is never wider or longer. */
static void a_page_fits_the_terminal(void **state)
{
    static const struct {
        int width, height;
    } rows[] = {{80, 24}, {160, 50}, {20, 10}, {119, 30}, {120, 30}, {1000, 200}};
    struct sandbox_options options = {.seed = 3, .hours = {.has = true, .v = 3}};
    struct err err;
    (void)state;
    assert_true(sandbox_scenario(STR("storm"), &options.name, &options.scenario));
    struct sandbox *sandbox = sandbox_new(&options, &err);
    assert_non_null(sandbox);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        auto_arena arena = ARENA_INIT;
        struct strbuf page = strbuf_new(&arena, 1 << 20);
        const struct screen screen = {
            .width = rows[i].width, .height = rows[i].height, .color = i % 2 == 1, .speed = 300};
        int columns = 0, lines = 0, colors = 0;
        assert_true(sandbox_advance(sandbox, (mono_t)(i + 1) * 600 * 1000));
        screen_draw(sandbox, &options, &screen, &page);
        measure(strbuf_str(&page), &columns, &lines, &colors);
        if (columns > rows[i].width || lines > rows[i].height || page.overflow) {
            fail_msg("%dx%d: %d columns, %d lines", rows[i].width, rows[i].height, columns, lines);
        }
        assert_true(screen.color == (colors > 0));
    }
    sandbox_free(sandbox);
}

static void broken_scenarios_are_refused(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"kind: Node\napiVersion: v1\nmetadata: {name: a}\n", "no document of the kind Sandbox"},
        {"kind: Sandbox\nspec: {hours: 0}\n", "hours"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{at: soon}]}\n", "steps[0].at"},
        {"kind: Sandbox\nspec: {hours: 1, steps: {}}\n", "steps"},
        {"kind: Pot\n", "kind: \"Pot\""},
        {"kind: Pod\napiVersion: v1\nmetadata: {}\n", "metadata.name"},
        {"kind: [\n", "x:"},
        {"kind: Pod\napiVersion: v1\nmetadata: {name: a_b, namespace: x}\n", "metadata.name"},
        {"kind: Pod\napiVersion: v1\nmetadata: {name: a}\n", "metadata.namespace"},
        {"kind: Node\nmetadata: {name: a}\n---\nkind: Node\nmetadata: {name: a}\n", "twice"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{scale: a/b, replicas: 2}]}\n",
         "x: spec.steps[0].scale: there is no Deployment or StatefulSet a/b (NAMESPACE/NAME)"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{every: 1s, restart: true}]}\n",
         "spec.steps[0].every: 1s must be at least 1m"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{at: -5m, restart: true}]}\n",
         "spec.steps[0].at: -5m0s must not be negative"},
        {"kind: Sandbox\napiVersion: binpack/v2\nspec: {hours: 1, steps: []}\n",
         "x:1: apiVersion: \"binpack/v2\" is not known"},
        {"kind: Sandbox\nspec: {hours: 6, faultsUntil: 50h}\n",
         "spec.faultsUntil: 50h0m0s: the world ends after 6 hour(s)"},
        {"kind: Sandbox\nspec: {hours: 6, faultsUntil: -1h}\n", "spec.faultsUntil: -1h0m0s must"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{restart: false}]}\n",
         "spec.steps[0].restart: false makes nothing happen"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{deleteNodeClaims: 0}]}\n",
         "spec.steps[0].deleteNodeClaims: 0"},
        {"kind: Deployment\napiVersion: apps/v1\nmetadata: {name: p, namespace: d}\n"
         "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: c}}}}\n",
         "x:1: spec.selector.matchLabels.a: the labels of the template do not match"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{noCapacity: {for: 0s}}]}\n", "noCapacity.for"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{price: {perCent: -1}}]}\n", "perCent"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{watchBreaks: {kind: Pot}}]}\n", "Pot"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{clockJumps: 48h}]}\n",
         "spec.steps[0].clockJumps: 48h0m0s must be at most 24h"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{scal: a/b}]}\n",
         "x:1: spec.steps[0].scal: unknown field; did you mean scale?"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{scale: a/b, replica: 2}]}\n",
         "spec.steps[0].replica: unknown field; did you mean replicas?"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{scale: a/b}]}\n",
         "spec.steps[0].replicas: required with scale"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{replicas: 2}]}\n",
         "spec.steps[0].scale: required with replicas"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{at: 5m}]}\n",
         "spec.steps[0]: says nothing that happens"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{at: 99h, restart: true}]}\n",
         "spec.steps[0].at: 99h0m0s: the world ends after 1 hour(s)"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{price: {percent: 9}}]}\n",
         "spec.steps[0].price.percent: unknown field; did you mean perCent?"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{price: {for: 1h}}]}\n",
         "spec.steps[0].price.perCent: required"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{noCapacity: {capacityType: sopt}}]}\n",
         "noCapacity.capacityType: \"sopt\" is neither spot nor on-demand"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{noCapacity: {zone: x1a}}]}\n",
         "noCapacity.zone: \"x1a\" is no zone of the catalogue"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{noCapacity: {instanceType: m5.larg}}]}\n",
         "noCapacity.instanceType: \"m5.larg\" is no instance type"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{zoneDown: {zone: nowhere}}]}\n",
         "zoneDown.zone: \"nowhere\" is no zone"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{zoneDown: {for: 1h}}]}\n",
         "zoneDown.zone: required"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{watchBreaks: {for: 1m}}]}\n",
         "watchBreaks.kind: required"},
        {"kind: Sandbox\nspec: {hours: 1, instanceFamilies: [m55]}\n",
         "spec.instanceFamilies[0]: \"m55\" is no instance family"},
        {"kind: Sandbox\nspec: {hours: 1, hour: 2}\n", "spec.hour: unknown field"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{endInstances: -1}]}\n", "endInstances"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{writeNodeClaims: {nodePool: a, count: 1}}]}\n",
         "writeNodeClaims.instanceType: required"},
        {"kind: Sandbox\nspec: {hours: 1, steps: [{writeNodeClaims: {nodePool: a, instanceType: "
         "m5.large, count: 1}}]}\n",
         "x: spec.steps[0].writeNodeClaims.nodePool: there is no NodePool a"},
        {"kind: Sandbox\nspec: {hours: 1, running: {nodePool: a, count: 1}}\n",
         "spec.running.instanceType: required"},
        {"kind: Sandbox\nspec: {hours: 1, running: {nodePool: a, instanceType: m5.large, count: "
         "1}}\n",
         "spec.running.nodePool: there is no NodePool a"},
        {"kind: Sandbox\nspec: {hours: 1, searchOneIn: 0}\n", "spec.searchOneIn: 0"},
        {"kind: Sandbox\nspec: {hours: 1}\n---\nkind: Sandbox\nspec: {hours: 2}\n",
         "x:4: a second document of the kind Sandbox"},
        {"kind: Job\napiVersion: batch/v1\nmetadata: {name: p, namespace: d}\n",
         "Job p: the sandbox"},
        {"kind: CronJob\napiVersion: batch/v1\nmetadata: {name: p, namespace: d}\n",
         "CronJob p: the sandbox"},
        {"kind: ReplicaSet\napiVersion: apps/v1\nmetadata: {name: p, namespace: d}\n",
         "ReplicaSet p: the sandbox"},
        {"kind: Deployment\napiVersion: apps/v1\nmetadata: {name: p, namespace: d}\n"
         "spec: {replicas: 99999}\n",
         "spec.replicas"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct sandbox_options options = {.name = STR("x"), .scenario = str_of(rows[i].text)};
        struct sandbox_report report;
        struct err err;
        if (sandbox_run(&options, &report, &err) || strstr(err.text, rows[i].says) == NULL) {
            fail_msg("%s: \"%s\"", rows[i].text, err.text);
        }
    }
}

/* As the API server has it. */
static void a_deployment_that_does_not_say_has_one_pod(void **state)
{
    const struct sandbox_options options = {
        .name = STR("one"),
        .scenario = STR("kind: Deployment\napiVersion: apps/v1\nmetadata: {name: p, namespace: d}\n"
                        "spec: {template: {spec: {containers: [{name: a, image: a}]}}}\n"
                        "---\nkind: Sandbox\nspec: {hours: 1}\n")};
    struct sandbox_report report;
    struct err err;
    (void)state;
    if (!sandbox_run(&options, &report, &err)) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(report.n_pods, 1);
}

/* All that come with the program end long enough after their last step; cut short, they are no
 * broken promise. */
static void what_ends_too_early_is_not_broken(void **state)
{
    static const struct {
        const char *name;
        int64_t hours;
        bool untold;
    } rows[] = {{"day", 1, true},
                {"zone-outage", 2, true},
                {"statefulset-ebs", 2, true},
                {"day", 6, false},
                {"standalone", 2, false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sandbox_options options = {.seed = 1, .hours = {.has = true, .v = rows[i].hours}};
        struct sandbox_report report;
        struct err err;
        assert_true(sandbox_scenario(str_of(rows[i].name), &options.name, &options.scenario));
        assert_true(sandbox_run(&options, &report, &err));
        assert_false(report.broken);
        assert_int_equal(report.untold, rows[i].untold);
    }
}

/* A pod without a place is named, and the command fits a shell; refusals have their column; no line
 * of the table but that of the promise is wider than a terminal. */
static void the_table_says_what_is_broken(void **state)
{
    const struct sandbox_options options = {
        .name = STR("it's mine"),
        .seed = 1,
        .scenario = STR("kind: Deployment\napiVersion: apps/v1\nmetadata: {name: p, namespace: d}\n"
                        "spec: {template: {spec: {containers: [{name: a, image: a}]}}}\n"
                        "---\nkind: Sandbox\nspec: {hours: 1}\n")};
    struct sandbox_report report;
    struct err err;
    auto_arena arena = ARENA_INIT;
    struct strbuf table = strbuf_new(&arena, 65536);
    (void)state;
    assert_true(sandbox_run(&options, &report, &err));
    assert_true(report.broken);
    report.faults[SANDBOX_FLEET][SANDBOX_NO_FAULT] = 9;
    report.refused[SANDBOX_FLEET] = 4;
    sandbox_table(&options, &report, NULL, &table);
    strbuf_addc(&table, '\0');
    const char *text = strbuf_str(&table).p;
    assert_non_null(strstr(text, "a pod is still without a place at the end: d/p-0"));
    assert_non_null(strstr(text, "--sandbox 'it'\\''s mine' --seed=1"));
    assert_non_null(strstr(text, "  fleet            5        4"));
    for (const char *line = text; line != NULL && *line != '\0';) {
        const char *end = strchr(line, '\n');
        assert_true(end == NULL || end - line <= 80 || strstr(line, "BROKEN") == line + 2);
        line = end == NULL ? NULL : end + 1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pods_get_nodes_and_nodes_go),
        cmocka_unit_test(nothing_is_lost_when_anything_fails),
        cmocka_unit_test(a_drought_does_not_churn),
        cmocka_unit_test(a_world_can_be_repeated),
        cmocka_unit_test(nodeclaims_by_hand_get_machines),
        cmocka_unit_test(what_karpenter_has_made_is_kept),
        cmocka_unit_test(what_disappears_is_made_anew),
        cmocka_unit_test(plans_of_some_worlds_are_searched_for),
        cmocka_unit_test(every_scenario_ends_well),
        cmocka_unit_test(a_page_fits_the_terminal),
        cmocka_unit_test(broken_scenarios_are_refused),
        cmocka_unit_test(what_ends_too_early_is_not_broken),
        cmocka_unit_test(the_table_says_what_is_broken),
        cmocka_unit_test(a_deployment_that_does_not_say_has_one_pod),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
