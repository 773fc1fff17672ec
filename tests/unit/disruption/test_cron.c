/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Schedules and budgets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/rfc3339.h"
#include "binpack/disruption/budgets.h"
#include "binpack/disruption/cron.h"

static wall_t at(const char *text)
{
    wall_t time = 0;
    struct err err;
    assert_true(rfc3339_parse(str_of(text), &time, &err));
    return time;
}

/* 2026-03-02 is a Monday. `last` NULL: never. */
static const struct {
    const char *schedule, *now, *last;
} firings[] = {
    {"* * * * *", "2026-03-02T12:00:30Z", "2026-03-02T12:00:00Z"},
    {"* * * * *", "2026-03-02T12:00:00Z", "2026-03-02T12:00:00Z"},
    {"0 9 * * mon-fri", "2026-03-02T12:00:00Z", "2026-03-02T09:00:00Z"},
    {"0 9 * * mon-fri", "2026-03-02T08:59:59Z", "2026-02-27T09:00:00Z"},
    {"0 9 * * MON-FRI", "2026-03-01T12:00:00Z", "2026-02-27T09:00:00Z"},
    {"59 10 * * *", "2026-03-02T10:58:00Z", "2026-03-01T10:59:00Z"},
    {"*/15 * * * *", "2026-03-02T12:44:00Z", "2026-03-02T12:30:00Z"},
    {"5/20 * * * *", "2026-03-02T12:44:00Z", "2026-03-02T12:25:00Z"},
    {"10-40/10 * * * *", "2026-03-02T12:05:00Z", "2026-03-02T11:40:00Z"},
    {"0 0 29 2 *", "2026-03-02T12:00:00Z", "2024-02-29T00:00:00Z"},
    {"0 0 31 * *", "2026-03-02T12:00:00Z", "2026-01-31T00:00:00Z"},
    {"0 0 30 2 *", "2026-03-02T12:00:00Z", NULL},
    {"0 0 1 jan *", "2026-03-02T12:00:00Z", "2026-01-01T00:00:00Z"},
    /* Both days restricted: either will do. One of them a star: both must hold. */
    {"0 0 13 * fri", "2026-03-02T12:00:00Z", "2026-02-27T00:00:00Z"},
    {"0 0 ? * fri", "2026-03-02T12:00:00Z", "2026-02-27T00:00:00Z"},
    {"0 0 1,15 * *", "2026-03-02T12:00:00Z", "2026-03-01T00:00:00Z"},
    {"@daily", "2026-03-02T12:00:00Z", "2026-03-02T00:00:00Z"},
    {"@midnight", "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z"},
    {"@hourly", "2026-03-02T12:10:00Z", "2026-03-02T12:00:00Z"},
    {"@weekly", "2026-03-02T12:00:00Z", "2026-03-01T00:00:00Z"},
    {"@monthly", "2026-03-02T12:00:00Z", "2026-03-01T00:00:00Z"},
    {"@yearly", "2026-03-02T12:00:00Z", "2026-01-01T00:00:00Z"},
    {"0 0 * * *", "1969-12-31T23:59:00Z", "1969-12-31T00:00:00Z"},
};

static void test_firings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof firings / sizeof firings[0]; i++) {
        struct cron cron;
        struct err err = {.code = ERR_NONE};
        wall_t last = 0;
        if (!cron_parse(str_of(firings[i].schedule), &cron, &err)) {
            fail_msg("%s: %s", firings[i].schedule, err.text);
        }
        bool fired = cron_last(&cron, at(firings[i].now), &last);
        char buffer[RFC3339_TEXT_MAX];
        struct str got = fired ? rfc3339_format(last, buffer) : STR("never");
        struct str expected = firings[i].last == NULL ? STR("never") : str_of(firings[i].last);
        if (!str_eq(got, expected)) {
            fail_msg("%s at %s: expected " STR_FMT ", got " STR_FMT, firings[i].schedule,
                     firings[i].now, STR_ARG(expected), STR_ARG(got));
        }
    }
}

static const char *const refused[] = {"",           "* * * *",     "* * * * * *", "60 * * * *",
                                      "* 24 * * *", "* * 0 * *",   "* * 32 * *",  "* * * 13 *",
                                      "* * * * 7",  "5-1 * * * *", "a * * * *",   "*/0 * * * *",
                                      "1, * * * *", "@reboot",     "- * * * *",   "1-2-3 * * * *"};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct cron cron;
        struct err err = {.code = ERR_NONE};
        if (cron_parse(str_of(refused[i]), &cron, &err)) {
            fail_msg("\"%s\" was taken", refused[i]);
        }
        assert_int_equal(err.code, ERR_INVALID);
    }
}

/* ---- budgets ---- */

static const struct {
    const char *name;
    struct karp_budget budgets[3];
    const char *reason; /* of the second budget; NULL: all */
    uint32_t n_budgets;
    int64_t n_nodes, n_going;
    enum disrupt_reason asked;
    int64_t expected;
} budget_rows[] = {
    {"none", {{0}}, NULL, 0, 10, 0, DISRUPT_EMPTY, BUDGET_UNLIMITED},
    {"a number", {{.nodes = 3}}, NULL, 1, 10, 0, DISRUPT_EMPTY, 3},
    {"percent rounds up",
     {{.nodes = 10, .nodes_is_percent = true}},
     NULL,
     1,
     11,
     0,
     DISRUPT_EMPTY,
     2},
    {"percent of nothing",
     {{.nodes = 10, .nodes_is_percent = true}},
     NULL,
     1,
     0,
     0,
     DISRUPT_EMPTY,
     0},
    {"going ones use it", {{.nodes = 3}}, NULL, 1, 10, 2, DISRUPT_DRIFTED, 1},
    {"never below zero", {{.nodes = 3}}, NULL, 1, 10, 5, DISRUPT_DRIFTED, 0},
    {"the strictest counts", {{.nodes = 5}, {.nodes = 2}}, NULL, 2, 10, 0, DISRUPT_EMPTY, 2},
    {"another reason does not",
     {{.nodes = 5}, {.nodes = 2}},
     "Drifted",
     2,
     10,
     0,
     DISRUPT_EMPTY,
     5},
    {"its own reason does", {{.nodes = 5}, {.nodes = 2}}, "Drifted", 2, 10, 0, DISRUPT_DRIFTED, 2},
    {"a window that is open",
     {{.nodes = 0,
       .schedule = STR("0 9 * * mon-fri"),
       .duration = {.has = true, .ms = 8 * 3600000}}},
     NULL,
     1,
     10,
     0,
     DISRUPT_EMPTY,
     0},
    {"a window that is over",
     {{.nodes = 0, .schedule = STR("0 3 * * *"), .duration = {.has = true, .ms = 3600000}}},
     NULL,
     1,
     10,
     0,
     DISRUPT_EMPTY,
     BUDGET_UNLIMITED},
    {"a window that ends now",
     {{.nodes = 0, .schedule = STR("0 11 * * *"), .duration = {.has = true, .ms = 3600000}}},
     NULL,
     1,
     10,
     0,
     DISRUPT_EMPTY,
     BUDGET_UNLIMITED},
    {"a broken schedule closes for every reason",
     {{.nodes = 5},
      {.nodes = 9, .schedule = STR("0 25 * * *"), .duration = {.has = true, .ms = 3600000}}},
     "Drifted",
     2,
     10,
     0,
     DISRUPT_EMPTY,
     0},
};

static void test_budgets(void **state)
{
    (void)state;
    struct arena arena = ARENA_INIT;
    struct strtab *tab = strtab_new(&arena);
    for (size_t i = 0; i < sizeof budget_rows / sizeof budget_rows[0]; i++) {
        struct karp_budget budgets[3];
        memcpy(budgets, budget_rows[i].budgets, sizeof budgets);
        strid reason = STRID_EMPTY;
        if (budget_rows[i].reason != NULL) {
            reason = strtab_add(tab, str_of(budget_rows[i].reason));
            budgets[1].reasons = (struct k8s_strids){.n = 1, .v = &reason};
        }
        struct karp_nodepool pool = {.n_budgets = budget_rows[i].n_budgets, .budgets = budgets};
        int64_t got =
            budgets_allowed(&pool, tab, at("2026-03-02T12:00:00Z"), budget_rows[i].n_nodes,
                            budget_rows[i].n_going, budget_rows[i].asked);
        if (got != budget_rows[i].expected) {
            fail_msg("%s: expected %lld, got %lld", budget_rows[i].name,
                     (long long)budget_rows[i].expected, (long long)got);
        }
    }
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_firings),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_budgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
