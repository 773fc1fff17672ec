/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is said of objects, how often, and what becomes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "k8s/events.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND };
#define WALL INT64_C(1790000000123)

static struct k8s_event event_of(const char *name, const char *reason, const char *message,
                                 const char *same_as)
{
    return (struct k8s_event){.about = {.kind = "Pod",
                                        .api_version = "v1",
                                        .ns = STR("shop"),
                                        .name = str_of(name),
                                        .uid = STR("u")},
                              .reason = reason,
                              .message = str_of(message),
                              .same_as = str_of(same_as)};
}

static enum k8s_event_fate say(struct k8s_events *events, const struct k8s_event *event, mono_t now,
                               struct arena *arena, struct k8s_write *ret_write)
{
    return k8s_events_say(events, event, now, WALL + now, arena, ret_write);
}

static bool has(struct str text, const char *part)
{
    char copy[8192];
    assert_true(text.n < sizeof copy);
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    return strstr(copy, part) != NULL;
}

/* One event after the other of one object: what is in the window, what is counted. */
static void test_window_and_count(void **state UNUSED)
{
    static const struct {
        mono_t at;
        const char *reason, *message, *same_as;
        int64_t window_ms;
        enum k8s_event_fate fate;
        int count;
    } rows[] = {
        {0, "Nominated", "to a", "a", 0, K8S_EVENT_CREATE, 1},
        {MINUTE, "Nominated", "to a", "a", 0, K8S_EVENT_DROPPED, 0},
        {MINUTE, "Nominated", "to b", "b", 0, K8S_EVENT_CREATE, 1},
        {MINUTE, "Evicted", "to a", "a", 0, K8S_EVENT_CREATE, 1},
        {2 * MINUTE - 1, "Nominated", "to a", "a", 0, K8S_EVENT_DROPPED, 0},
        {2 * MINUTE, "Nominated", "to a", "a", 0, K8S_EVENT_COUNT, 2},
        {4 * MINUTE, "Nominated", "to a", "a", 0, K8S_EVENT_COUNT, 3},
        /* The message is no part of the window, but of what is counted. */
        {5 * MINUTE, "Nominated", "to c", "a", 0, K8S_EVENT_DROPPED, 0},
        {6 * MINUTE, "Nominated", "to c", "a", 0, K8S_EVENT_CREATE, 1},
        {7 * MINUTE, "FailedScheduling", "no", "", 5 * MINUTE, K8S_EVENT_CREATE, 1},
        {11 * MINUTE, "FailedScheduling", "no", "", 5 * MINUTE, K8S_EVENT_DROPPED, 0},
        {12 * MINUTE, "FailedScheduling", "no", "", 5 * MINUTE, K8S_EVENT_COUNT, 2},
    };
    struct k8s_events *events = k8s_events_new(STR("karpenter"), 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        auto_arena arena = ARENA_INIT;
        struct k8s_write write;
        struct k8s_event event =
            event_of("web-1", rows[i].reason, rows[i].message, rows[i].same_as);
        event.window_ms = rows[i].window_ms;
        enum k8s_event_fate fate = say(events, &event, rows[i].at, &arena, &write);
        char count[32];
        (void)snprintf(count, sizeof count, "\"count\":%d", rows[i].count);
        if (fate != rows[i].fate || (fate != K8S_EVENT_DROPPED && !has(write.body, count))) {
            fail_msg("row %zu: fate %d", i, (int)fate);
        }
        if (fate != K8S_EVENT_DROPPED) {
            assert_false(k8s_events_answer(events, &event, K8S_WRITE_DONE));
        }
    }
    assert_int_equal(k8s_events_dropped(events), 4);
    k8s_events_free(events);
}

static void test_contents(void **state UNUSED)
{
    auto_arena arena = ARENA_INIT;
    struct k8s_events *events = k8s_events_new(STR("karpenter"), 1);
    struct k8s_write write;
    struct k8s_event event = event_of("web-1", "Evicted", "gone", "x");
    event.warning = true;
    assert_int_equal(say(events, &event, 0, &arena, &write), K8S_EVENT_CREATE);
    static const char *const parts[] = {"\"namespace\":\"shop\"",
                                        "\"kind\":\"Pod\"",
                                        "\"type\":\"Warning\"",
                                        "\"reason\":\"Evicted\"",
                                        "\"message\":\"gone\"",
                                        "\"component\":\"karpenter\"",
                                        "\"firstTimestamp\":\"2026-09-21T14:13:20Z\"",
                                        "\"uid\":\"u\""};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (!has(write.body, parts[i])) {
            fail_msg("no %s in " STR_FMT, parts[i], STR_ARG(write.body));
        }
    }
    /* Of an object without a namespace, with a name and a message as long as can be. */
    char name[254], message[3000];
    memset(name, 'n', sizeof name - 1);
    memset(message, 'm', sizeof message - 1);
    name[sizeof name - 1] = message[sizeof message - 1] = '\0';
    event = event_of(name, "Evicted", message, "y");
    event.about.ns = STR_EMPTY;
    assert_int_equal(say(events, &event, 0, &arena, &write), K8S_EVENT_CREATE);
    assert_true(str_eq(write.ns, STR("default")) && write.body.n < 2000);
    assert_int_equal(say(events, &event, 3 * MINUTE, &arena, &write), K8S_EVENT_COUNT);
    assert_true(write.name.n <= 253 && str_eq(write.ns, STR("default")));
    k8s_events_free(events);
}

/* What is gone is created again, at once; what was never made is not counted. */
static void test_answers(void **state UNUSED)
{
    auto_arena arena = ARENA_INIT;
    struct k8s_events *events = k8s_events_new(STR("karpenter"), 1);
    struct k8s_write write, first;
    struct k8s_event event = event_of("web-1", "Evicted", "gone", "x");
    assert_int_equal(say(events, &event, 0, &arena, &first), K8S_EVENT_CREATE);
    assert_true(k8s_events_answer(events, &event, K8S_WRITE_ALREADY_EXISTS));
    assert_int_equal(say(events, &event, 0, &arena, &write), K8S_EVENT_CREATE);
    assert_false(str_eq(write.body, first.body)); /* under another name */
    assert_false(k8s_events_answer(events, &event, K8S_WRITE_DONE));
    assert_int_equal(say(events, &event, 3 * MINUTE, &arena, &write), K8S_EVENT_COUNT);
    assert_true(k8s_events_answer(events, &event, K8S_WRITE_NOT_FOUND));
    assert_int_equal(say(events, &event, 3 * MINUTE, &arena, &write), K8S_EVENT_CREATE);
    /* Without an answer it may be there or not: nothing is repeated, and later it is said anew. */
    assert_false(k8s_events_answer(events, &event, K8S_WRITE_UNKNOWN));
    assert_int_equal(say(events, &event, 4 * MINUTE, &arena, &write), K8S_EVENT_DROPPED);
    assert_int_equal(say(events, &event, 6 * MINUTE, &arena, &write), K8S_EVENT_CREATE);
    k8s_events_free(events);
}

/* An object has 25 events at once and one in five minutes; another has its own. */
static void test_budget(void **state UNUSED)
{
    auto_arena arena = ARENA_INIT;
    struct k8s_events *events = k8s_events_new(STR("karpenter"), 1);
    struct k8s_write write;
    uint32_t n_said = 0;
    for (int i = 0; i < 40; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%d", i);
        struct k8s_event event = event_of("web-1", "Evicted", text, text);
        n_said += say(events, &event, SECOND, &arena, &write) != K8S_EVENT_DROPPED;
    }
    assert_int_equal(n_said, 25);
    struct k8s_event other = event_of("web-2", "Evicted", "other", "other");
    assert_int_equal(say(events, &other, SECOND, &arena, &write), K8S_EVENT_CREATE);
    for (int minute = 1; minute <= 20; minute++) {
        char text[16];
        (void)snprintf(text, sizeof text, "late %d", minute);
        struct k8s_event event = event_of("web-1", "Evicted", text, text);
        n_said +=
            say(events, &event, SECOND + minute * MINUTE, &arena, &write) != K8S_EVENT_DROPPED;
    }
    assert_int_equal(n_said, 25 + 4);
    k8s_events_free(events);
}

/* More objects than are remembered: nothing grows, and what is forgotten is said anew. */
static void test_many(void **state UNUSED)
{
    struct k8s_events *events = k8s_events_new(STR("karpenter"), 1);
    for (int i = 0; i < 50000; i++) {
        auto_arena arena = ARENA_INIT;
        struct k8s_write write;
        char text[16];
        (void)snprintf(text, sizeof text, "%d", i);
        struct k8s_event event = event_of(text, "Evicted", text, text);
        assert_int_equal(say(events, &event, i, &arena, &write), K8S_EVENT_CREATE);
    }
    k8s_events_free(events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window_and_count),
        cmocka_unit_test(test_contents),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
