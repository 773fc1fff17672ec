/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an API server answers to changes and to those who want the Lease, the first byte as the
 * status and as what was asked. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "k8s/kinds.h"
#include "k8s/lease.h"
#include "k8s/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void lease_takes(int status, struct str body)
{
    struct k8s_lease_settings settings = {.ns = STR("n"), .name = STR("l"), .identity = STR("me")};
    struct k8s_lease *lease = k8s_lease_new(&settings);
    struct http_request request;
    mono_t now = 0, at = 0;
    for (int i = 0; i < 6; i++) {
        enum k8s_lease_want want = k8s_lease_next(lease, now, now, &request, &at);
        if (want == K8S_LEASE_ASK) {
            assert(request.path.n > 0);
            k8s_lease_answer(lease, now, now, HTTP_COMPLETE, status, body);
            assert(!k8s_lease_holds(lease, now, now) || k8s_lease_state(lease).is_ours);
        }
        now += 4000;
    }
    k8s_lease_release(lease);
    (void)k8s_lease_next(lease, now, now, &request, &at);
    k8s_lease_free(lease);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 201, 400, 401, 403, 404, 409, 410, 422, 429, 500, 503};
    auto_arena arena = ARENA_INIT;
    struct k8s_write write = {.ns = STR("n"), .name = STR("p")};
    struct err err = {.code = ERR_NONE};
    if (size == 0 || k8s_kind_find(STR("Pod"), STR_EMPTY, &write.kind) != K8S_MATCH_YES) {
        return 0;
    }
    int status = statuses[data[0] % (sizeof statuses / sizeof statuses[0])];
    struct str body = {.p = (const char *)data + 1, .n = size - 1};
    write.verb = (enum k8s_write_verb)(data[0] / 16 % 5);
    struct k8s_written written =
        k8s_write_outcome(&write, HTTP_COMPLETE, status, 0, body, STR_EMPTY, &arena, &err);
    assert((written.outcome == K8S_WRITE_DONE) == (status < 300));
    assert((err.code == ERR_NONE) == (written.outcome == K8S_WRITE_DONE));
    /* The same bytes as a change that somebody asks for. */
    struct http_request request;
    write.body = body;
    write.version = STR("7");
    if (k8s_write_request(&write, &arena, &request, &err)) {
        assert(request.path.n > 0);
    }
    lease_takes(status, body);
    return 0;
}
