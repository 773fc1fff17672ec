/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "provisioner/observe/metrics.h"

static const char *text_of(const struct metrics *metrics, struct arena *arena)
{
    struct strbuf b = strbuf_new(arena, 8 << 20);
    metrics_text(metrics, &b);
    return str_cstr(arena, strbuf_str(&b));
}

static void has(const char *text, const char *line)
{
    if (strstr(text, line) == NULL) {
        fail_msg("no \"%s\" in\n%s", line, text == NULL ? "" : text);
    }
}

static void values_are_written_as_prometheus_reads_them(void **state)
{
    auto_arena arena = ARENA_INIT;
    struct metrics *m = metrics_new();
    const struct str odd = STR("a\"b\\c\nd"), name = STR("provisioner");
    (void)state;
    metrics_set(m, METRIC_PLAN_COST, NULL, 213708000);
    metrics_add(m, METRIC_PLANS, &odd, 1);
    metrics_add(m, METRIC_PLANS, &odd, 2);
    metrics_observe(m, METRIC_SCHEDULING_DURATION, &name, 5000);
    metrics_observe(m, METRIC_SCHEDULING_DURATION, &name, 5001);
    metrics_observe(m, METRIC_SCHEDULING_DURATION, &name, INT64_C(601000000));
    const char *text = text_of(m, &arena);
    has(text,
        "# TYPE binpack_plan_cost_usd_per_hour gauge\nbinpack_plan_cost_usd_per_hour 0.213708\n");
    has(text, "binpack_plans_total{result=\"a\\\"b\\\\c\\nd\"} 3\n");
    has(text, "karpenter_scheduler_scheduling_duration_seconds_bucket{controller=\"provisioner\","
              "le=\"0.005\"} 1\n");
    has(text, "karpenter_scheduler_scheduling_duration_seconds_bucket{controller=\"provisioner\","
              "le=\"0.01\"} 2\n");
    has(text, "karpenter_scheduler_scheduling_duration_seconds_bucket{controller=\"provisioner\","
              "le=\"600\"} 2\n");
    has(text, "karpenter_scheduler_scheduling_duration_seconds_bucket{controller=\"provisioner\","
              "le=\"+Inf\"} 3\n");
    has(text, "karpenter_scheduler_scheduling_duration_seconds_sum{controller=\"provisioner\"} "
              "601.010001\n");
    has(text,
        "karpenter_scheduler_scheduling_duration_seconds_count{controller=\"provisioner\"} 3\n");
    metrics_free(m);
}

static void series_come_and_go_and_have_a_cap(void **state)
{
    auto_arena arena = ARENA_INIT;
    struct metrics *m = metrics_new();
    struct str reason = STR("TAINT_NOT_TOLERATED");
    (void)state;
    metrics_set(m, METRIC_PLAN_UNPLACED_PODS, &reason, 4);
    has(text_of(m, &arena), "binpack_plan_unplaced_pods{reason=\"TAINT_NOT_TOLERATED\"} 4\n");
    metrics_clear(m, METRIC_PLAN_UNPLACED_PODS);
    assert_null(strstr(text_of(m, &arena), "binpack_plan_unplaced_pods"));
    for (int i = 0; i < METRICS_SERIES_MAX + 3; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "r%d", i);
        reason = str_of(text);
        metrics_set(m, METRIC_PLAN_UNPLACED_PODS, &reason, 1);
    }
    has(text_of(m, &arena), "binpack_series_dropped_total 3\n");
    metrics_free(m);
}

static void the_table_holds_together(void **state)
{
    (void)state;
    for (int i = 0; i < N_METRICS; i++) {
        const struct metric_row *row = &metric_rows[i];
        const bool is_total =
            strlen(row->name) > 6 && strcmp(row->name + strlen(row->name) - 6, "_total") == 0;
        assert_non_null(row->name);
        assert_true(is_total == (row->type == METRIC_COUNTER));
        assert_true((row->bounds != NULL) == (row->type == METRIC_HISTOGRAM));
        for (int k = 1; row->bounds != NULL && row->bounds[k] != 0; k++) {
            assert_true(row->bounds[k - 1] < row->bounds[k]);
        }
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(row->name, metric_rows[k].name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_written_as_prometheus_reads_them),
        cmocka_unit_test(series_come_and_go_and_have_a_cap),
        cmocka_unit_test(the_table_holds_together),
    };
    return cmocka_run_group_tests_name("provisioner/metrics", tests, NULL, NULL);
}
