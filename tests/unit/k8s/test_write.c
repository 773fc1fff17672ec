/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changes as requests, and what their answers mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "k8s/kinds.h"
#include "k8s/write.h"

static const struct k8s_kind *kind_of(const char *name)
{
    const struct k8s_kind *kind = NULL;
    assert_int_equal(k8s_kind_find(str_of(name), STR_EMPTY, &kind), K8S_MATCH_YES);
    return kind;
}

static const struct {
    struct k8s_write write;
    const char *kind;
    enum http_method method;
    const char *path, *type, *body; /* path NULL: refused, and `body` is in the error */
} requests[] = {
    {{.verb = K8S_WRITE_CREATE, .body = STR("{\"a\":1}"), .grace_s = -1},
     "NodeClaim",
     HTTP_POST,
     "/apis/karpenter.sh/v1/nodeclaims",
     "application/json",
     "{\"a\":1}"},
    {{.verb = K8S_WRITE_CREATE, .ns = STR("shop"), .body = STR("{}"), .dry_run = true},
     "Pod",
     HTTP_POST,
     "/api/v1/namespaces/shop/pods?dryRun=All",
     "application/json",
     "{}"},
    {{.verb = K8S_WRITE_MERGE_PATCH,
      .name = STR("n 1"),
      .subresource = STR("status"),
      .body = STR("{\"status\":{}}")},
     "NodeClaim",
     HTTP_PATCH,
     "/apis/karpenter.sh/v1/nodeclaims/n%201/status",
     "application/merge-patch+json",
     "{\"status\":{}}"},
    {{.verb = K8S_WRITE_MERGE_PATCH,
      .name = STR("n"),
      .version = STR("7"),
      .body = STR("{\"x\":null}")},
     "Node",
     HTTP_PATCH,
     "/api/v1/nodes/n",
     "application/merge-patch+json",
     "{\"metadata\":{\"resourceVersion\":\"7\"},\"x\":null}"},
    {{.verb = K8S_WRITE_MERGE_PATCH,
      .name = STR("n"),
      .version = STR("7"),
      .body = STR("{\"metadata\":{\"labels\":{\"a\":\"b\"}}}")},
     "Node",
     HTTP_PATCH,
     "/api/v1/nodes/n",
     "application/merge-patch+json",
     "{\"metadata\":{\"labels\":{\"a\":\"b\"},\"resourceVersion\":\"7\"}}"},
    {{.verb = K8S_WRITE_MERGE_PATCH,
      .name = STR("n"),
      .version = STR("7"),
      .body = STR("{\"metadata\":5}")},
     "Node",
     HTTP_PATCH,
     NULL,
     NULL,
     "metadata must be an object"},
    {{.verb = K8S_WRITE_MERGE_PATCH, .name = STR("n"), .body = STR("[]")},
     "Node",
     HTTP_PATCH,
     NULL,
     NULL,
     "must be an object"},
    {{.verb = K8S_WRITE_MERGE_PATCH, .name = STR("n"), .body = STR("{")},
     "Node",
     HTTP_PATCH,
     NULL,
     NULL,
     "body of patch nodes"},
    {{.verb = K8S_WRITE_JSON_PATCH,
      .name = STR("n"),
      .version = STR("7"),
      .body = STR("[{\"op\":\"remove\",\"path\":\"/spec/taints/0\"}]")},
     "Node",
     HTTP_PATCH,
     "/api/v1/nodes/n",
     "application/json-patch+json",
     "[{\"op\":\"replace\",\"path\":\"/metadata/resourceVersion\",\"value\":\"7\"},"
     "{\"op\":\"remove\",\"path\":\"/spec/taints/0\"}]"},
    {{.verb = K8S_WRITE_JSON_PATCH, .name = STR("n"), .body = STR("{}")},
     "Node",
     HTTP_PATCH,
     NULL,
     NULL,
     "must be a list"},
    {{.verb = K8S_WRITE_DELETE,
      .name = STR("n"),
      .uid = STR("u"),
      .version = STR("7"),
      .grace_s = -1},
     "NodeClaim",
     HTTP_DELETE,
     "/apis/karpenter.sh/v1/nodeclaims/n",
     "application/json",
     "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"preconditions\":{\"uid\":\"u\","
     "\"resourceVersion\":\"7\"}}"},
    {{.verb = K8S_WRITE_DELETE, .ns = STR("shop"), .name = STR("p"), .grace_s = 1},
     "Pod",
     HTTP_DELETE,
     "/api/v1/namespaces/shop/pods/p",
     "application/json",
     "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"gracePeriodSeconds\":1}"},
    {{.verb = K8S_WRITE_EVICT, .ns = STR("shop"), .name = STR("p"), .uid = STR("u"), .grace_s = -1},
     "Pod",
     HTTP_POST,
     "/api/v1/namespaces/shop/pods/p/eviction",
     "application/json",
     "{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",\"metadata\":{\"name\":\"p\","
     "\"namespace\":\"shop\"},\"deleteOptions\":{\"preconditions\":{\"uid\":\"u\"}}}"},
};

static void test_requests(void **state UNUSED)
{
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        auto_arena arena = ARENA_INIT;
        struct http_request request;
        struct err err = {.code = ERR_NONE};
        struct k8s_write write = requests[i].write;
        write.kind = kind_of(requests[i].kind);
        bool good = k8s_write_request(&write, &arena, &request, &err);
        if (requests[i].path == NULL) {
            assert_false(good);
            if (err.code == ERR_NONE || strstr(err.text, requests[i].body) == NULL) {
                fail_msg("row %zu: %s", i, err.text);
            }
            continue;
        }
        assert_true(good);
        struct str body = str_trim(request.body);
        if (request.method != requests[i].method ||
            !str_eq(request.path, str_of(requests[i].path)) ||
            !str_eq(request.content_type, str_of(requests[i].type)) ||
            !str_eq(body, str_of(requests[i].body))) {
            fail_msg("row %zu: " STR_FMT " " STR_FMT " " STR_FMT, i, STR_ARG(request.path),
                     STR_ARG(request.content_type), STR_ARG(body));
        }
        assert_true(request.total_ms > 0 && request.body_max > 0);
    }
}

#define REASON(reason) "{\"kind\":\"Status\",\"reason\":\"" reason "\",\"message\":\"why\"}"
#define CAUSE(cause)                                                                               \
    "{\"kind\":\"Status\",\"reason\":\"TooManyRequests\",\"message\":\"why\",\"details\":{"        \
    "\"retryAfterSeconds\":10,\"causes\":[{\"reason\":\"" cause "\"}]}}"

static const struct {
    enum k8s_write_verb verb;
    enum http_end end;
    int status;
    const char *body;
    enum k8s_outcome outcome;
    int64_t retry_after_ms;
} answers[] = {
    {K8S_WRITE_CREATE, HTTP_COMPLETE, 201,
     "{\"metadata\":{\"name\":\"n\",\"uid\":\"u\",\"resourceVersion\":\"8\"}}", K8S_WRITE_DONE, 0},
    {K8S_WRITE_DELETE, HTTP_COMPLETE, 200, "not JSON", K8S_WRITE_DONE, 0},
    {K8S_WRITE_CREATE, HTTP_COMPLETE, 409, REASON("AlreadyExists"), K8S_WRITE_ALREADY_EXISTS, 0},
    {K8S_WRITE_CREATE, HTTP_COMPLETE, 409, REASON("Conflict"), K8S_WRITE_CONFLICT, 0},
    {K8S_WRITE_MERGE_PATCH, HTTP_COMPLETE, 409, REASON("Conflict"), K8S_WRITE_CONFLICT, 0},
    {K8S_WRITE_MERGE_PATCH, HTTP_COMPLETE, 404, REASON("NotFound"), K8S_WRITE_NOT_FOUND, 0},
    {K8S_WRITE_MERGE_PATCH, HTTP_COMPLETE, 422, REASON("Invalid"), K8S_WRITE_INVALID, 0},
    {K8S_WRITE_MERGE_PATCH, HTTP_COMPLETE, 400, "<html>", K8S_WRITE_INVALID, 0},
    {K8S_WRITE_MERGE_PATCH, HTTP_COMPLETE, 401, REASON("Unauthorized"), K8S_WRITE_UNAUTHORIZED, 0},
    {K8S_WRITE_MERGE_PATCH, HTTP_COMPLETE, 403, REASON("Forbidden"), K8S_WRITE_FORBIDDEN, 0},
    {K8S_WRITE_MERGE_PATCH, HTTP_COMPLETE, 429, CAUSE(""), K8S_WRITE_TOO_MANY, 10000},
    {K8S_WRITE_EVICT, HTTP_COMPLETE, 429, CAUSE("DisruptionBudget"), K8S_WRITE_BLOCKED, 10000},
    {K8S_WRITE_EVICT, HTTP_COMPLETE, 429, CAUSE(""), K8S_WRITE_TOO_MANY, 10000},
    {K8S_WRITE_DELETE, HTTP_COMPLETE, 429, CAUSE("DisruptionBudget"), K8S_WRITE_TOO_MANY, 10000},
    {K8S_WRITE_EVICT, HTTP_COMPLETE, 500,
     "{\"kind\":\"Status\",\"message\":\"This pod has more than one PodDisruptionBudget, which the "
     "eviction subresource does not support.\"}",
     K8S_WRITE_BLOCKED, 0},
    {K8S_WRITE_EVICT, HTTP_COMPLETE, 500, REASON("InternalError"), K8S_WRITE_FAILED, 0},
    {K8S_WRITE_CREATE, HTTP_COMPLETE, 302, "", K8S_WRITE_FAILED, 0},
    {K8S_WRITE_CREATE, HTTP_TIMEOUT, 0, "", K8S_WRITE_UNKNOWN, 0},
    {K8S_WRITE_CREATE, HTTP_CUT, 201, "{\"meta", K8S_WRITE_UNKNOWN, 0},
    {K8S_WRITE_CREATE, HTTP_CUT, 409, "{\"kind\":\"Sta", K8S_WRITE_CONFLICT, 0},
    {K8S_WRITE_CREATE, HTTP_REFUSED, 0, "", K8S_WRITE_FAILED, 0},
    {K8S_WRITE_CREATE, HTTP_TLS, 0, "", K8S_WRITE_FAILED, 0},
};

static void test_answers(void **state UNUSED)
{
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        auto_arena arena = ARENA_INIT;
        struct err err = {.code = ERR_NONE};
        struct k8s_write write = {
            .verb = answers[i].verb, .kind = kind_of("Pod"), .ns = STR("shop"), .name = STR("p")};
        struct k8s_written written =
            k8s_write_outcome(&write, answers[i].end, answers[i].status, 0, str_of(answers[i].body),
                              STR("a reason"), &arena, &err);
        bool done = written.outcome == K8S_WRITE_DONE;
        if (written.outcome != answers[i].outcome ||
            written.retry_after_ms != answers[i].retry_after_ms || (err.code == ERR_NONE) != done ||
            (!done && strstr(err.text, "pods shop/p") == NULL)) {
            fail_msg("row %zu: %s, %s", i, k8s_outcome_name(written.outcome), err.text);
        }
        if (i == 0) {
            assert_true(str_eq(written.name, STR("n")) && str_eq(written.uid, STR("u")) &&
                        str_eq(written.version, STR("8")));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
