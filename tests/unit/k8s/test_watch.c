/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When a watch believes that a kind is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "k8s/kinds.h"
#include "k8s/watch.h"

#define GONE                                                                                       \
    "{\"kind\": \"Status\", \"apiVersion\": \"v1\", \"status\": \"Failure\", \"message\": \"the "  \
    "server could not find the requested resource\", \"reason\": \"NotFound\", \"details\": {}, "  \
    "\"code\": 404}"
#define NO_PATH "404 page not found\n"
#define PROXY   "default backend - 404"
#define LIST                                                                                       \
    "{\"kind\": \"NodeClaimList\", \"metadata\": {\"resourceVersion\": \"7\"}, \"items\": "        \
    "[{\"metadata\": {\"name\": \"c\", \"uid\": \"u\", \"resourceVersion\": \"5\"}}]}"

struct seen {
    struct k8s_watch *watch;
    mono_t now;
    int n_objects, n_lists; /* of the last list; complete ones */
};

static void on_begin(void *ctx)
{
    ((struct seen *)ctx)->n_objects = 0;
}

static void on_object(void *ctx, json_t *object, bool removed)
{
    (void)object;
    (void)removed;
    ((struct seen *)ctx)->n_objects++;
}

static void on_end(void *ctx)
{
    ((struct seen *)ctx)->n_lists++;
}

static void begin(struct seen *s, const char *kind, bool once)
{
    const struct k8s_receiver receiver = {
        .ctx = s, .begin = on_begin, .object = on_object, .end = on_end};
    struct k8s_watch_settings settings = {.once = once, .in_pages = true};
    assert_int_equal(k8s_kind_find(str_of(kind), STR_EMPTY, &settings.kind), K8S_MATCH_YES);
    *s = (struct seen){.watch = k8s_watch_new(&settings, &receiver)};
}

/* Answers the next request, after the pause before it. */
static void answer(struct seen *s, int status, const char *body)
{
    struct http_request request;
    mono_t at = s->now;
    enum k8s_watch_want want = k8s_watch_next(s->watch, s->now, &request, &at);
    if (want == K8S_WATCH_WAIT) {
        s->now = at;
        want = k8s_watch_next(s->watch, s->now, &request, &at);
    }
    assert_int_equal(want, K8S_WATCH_ASK);
    const struct http_head head = {.status = status};
    k8s_watch_head(s->watch, s->now, &head);
    assert_true(k8s_watch_body(s->watch, s->now, str_of(body)));
    k8s_watch_end(s->watch, s->now, HTTP_COMPLETE, STR_EMPTY);
}

static bool is_absent(const struct seen *s)
{
    return k8s_watch_state(s->watch).absent;
}

static void test_a_proxy_says_nothing(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        PROXY, "", "{\"kind\": \"Status\", \"code\": 404}", "{\"reason\": \"NotFound\"}",
        "{\"kind\": \"Status\", \"code\": 403, \"reason\": \"NotFound\"}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct seen s;
        struct err why;
        begin(&s, "NodeClaim", /* once= */ false);
        answer(&s, 200, LIST);
        assert_int_equal(s.n_objects, 1);
        for (int n = 0; n < 10; n++) {
            answer(&s, 404, bodies[i]);
            assert_false(is_absent(&s));
            assert_true(k8s_watch_error(s.watch, &why));
        }
        assert_int_equal(s.n_lists, 1); /* the objects are where they were */
        k8s_watch_free(s.watch);
    }
}

static void test_what_was_never_there(void **state)
{
    (void)state;
    static const char *const bodies[] = {GONE, NO_PATH};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct seen s;
        begin(&s, "NodeClaim", /* once= */ false);
        answer(&s, 404, bodies[i]);
        assert_true(is_absent(&s));
        assert_int_equal(s.n_lists, 1);
        answer(&s, 404, PROXY);
        assert_true(is_absent(&s));
        answer(&s, 200, LIST);
        assert_false(is_absent(&s));
        assert_int_equal(s.n_objects, 1);
        k8s_watch_free(s.watch);
    }
}

static void test_what_was_there_is_gone_at_the_third_word(void **state)
{
    (void)state;
    struct seen s;
    begin(&s, "NodeClaim", /* once= */ false);
    answer(&s, 200, LIST);
    answer(&s, 404, NO_PATH);
    answer(&s, 404, NO_PATH);
    assert_false(is_absent(&s));
    assert_int_equal(s.n_objects, 1);
    answer(&s, 200, LIST); /* it was not so */
    const mono_t begun = s.now;
    answer(&s, 404, NO_PATH);
    answer(&s, 503, PROXY);
    answer(&s, 404, GONE);
    assert_false(is_absent(&s));
    assert_int_equal(s.n_objects, 1);
    answer(&s, 404, NO_PATH);
    assert_true(is_absent(&s));
    assert_int_equal(s.n_objects, 0);
    assert_true(s.now - begun >= 30000);
    k8s_watch_free(s.watch);
}

static void test_kubernetes_has_its_own_kinds(void **state)
{
    (void)state;
    static const char *const kinds[] = {"Pod", "Node", "Deployment", "Job", "StorageClass"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct seen s;
        begin(&s, kinds[i], /* once= */ false);
        for (int n = 0; n < 20; n++) {
            answer(&s, 404, n % 2 == 0 ? GONE : NO_PATH);
            assert_false(is_absent(&s));
        }
        assert_int_equal(s.n_lists, 0);
        answer(&s, 200, LIST);
        assert_true(k8s_watch_state(s.watch).synced);
        k8s_watch_free(s.watch);
    }
}

static void test_once(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        bool absent;
    } rows[] = {{GONE, true}, {NO_PATH, true}, {PROXY, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct seen s;
        struct http_request request;
        mono_t at;
        begin(&s, "NodePool", /* once= */ true);
        answer(&s, 404, rows[i].body);
        assert_int_equal(is_absent(&s), rows[i].absent);
        assert_int_equal(k8s_watch_next(s.watch, s.now, &request, &at), K8S_WATCH_DONE);
        k8s_watch_free(s.watch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_proxy_says_nothing),
        cmocka_unit_test(test_what_was_never_there),
        cmocka_unit_test(test_what_was_there_is_gone_at_the_third_word),
        cmocka_unit_test(test_kubernetes_has_its_own_kinds),
        cmocka_unit_test(test_once),
    };
    return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
