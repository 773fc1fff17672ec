/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server, asked by our own client and by bytes that are no HTTP, all on one loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/serve.h"

struct bench {
    struct io_loop *loop;
    /* Two clients: one alone waits for its first connection to say whether it takes several
     * requests at once. */
    struct io_http *http, *other_http;
    struct io_http_server *target, *other;
    struct io_serve *serve;
    uint64_t parked; /* id of the request for /later */
    bool was_local;
    uint32_t n_done; /* tails that are needed no more */
};

struct client {
    int status;
    char body[4096];
    size_t n;
    enum http_end end;
    bool is_over;
};

static void tail_done(void *ctx)
{
    ((struct bench *)ctx)->n_done++;
}

static bool answer(void *ctx, const struct io_request *request, struct io_answer *ret_answer)
{
    struct bench *b = ctx;
    b->was_local = request->is_local;
    ret_answer->status = 200;
    ret_answer->content_type = "text/plain";
    ret_answer->body = request->path;
    if (str_eq(request->path, STR("/in-two"))) {
        ret_answer->body = STR("head, ");
        ret_answer->tail = STR("tail");
        ret_answer->done = tail_done;
        ret_answer->done_ctx = b;
    }
    if (str_eq(request->path, STR("/later"))) {
        b->parked = request->id;
        return false;
    }
    if (str_eq(request->path, STR("/at-once"))) {
        ret_answer->body = STR("from inside");
        io_serve_answer(b->serve, request->id, ret_answer);
        return false;
    }
    if (str_eq(request->path, STR("/argument"))) {
        ret_answer->body = io_request_argument(request, "pod");
    }
    return true;
}

static void on_head(void *ctx, const struct http_head *head)
{
    ((struct client *)ctx)->status = head->status;
}

static bool on_body(void *ctx, struct str bytes)
{
    struct client *client = ctx;
    assert_true(client->n + bytes.n < sizeof client->body);
    memcpy(client->body + client->n, bytes.p, bytes.n);
    client->n += bytes.n;
    return true;
}

static void on_end(void *ctx, enum http_end end, struct str why)
{
    struct client *client = ctx;
    (void)why;
    client->end = end;
    client->is_over = true;
}

static uint64_t ask_by(struct io_http_server *target, const char *path, enum http_method method,
                       struct client *client)
{
    const struct http_request request = {.method = method, .path = str_of(path)};
    const struct io_http_events events = {
        .ctx = client, .head = on_head, .body = on_body, .end = on_end};
    uint64_t id = 0;
    struct err err;
    assert_true(io_http_start(target, &request, &events, &id, &err));
    return id;
}

static uint64_t ask(struct bench *b, const char *path, enum http_method method,
                    struct client *client)
{
    return ask_by(b->target, path, method, client);
}

static void finish(struct bench *b, const struct client *client)
{
    struct err err;
    while (!client->is_over) {
        assert_true(io_loop_turn(b->loop, &err));
    }
}

static void bench_open(struct bench *b)
{
    struct err err;
    char address[64];
    *b = (struct bench){.parked = 0};
    assert_true(io_loop_new(&b->loop, &err));
    assert_true(io_http_new(b->loop, "test", &b->http, &err));
    assert_true(io_http_new(b->loop, "test", &b->other_http, &err));
    assert_true(io_serve_new(b->loop, STR("127.0.0.1"), 0, answer, b, &b->serve, &err));
    (void)snprintf(address, sizeof address, "http://127.0.0.1:%u",
                   (unsigned)io_serve_port(b->serve));
    const struct io_http_settings settings = {.address = str_of(address)};
    b->target = io_http_server_new(b->http, &settings);
    b->other = io_http_server_new(b->other_http, &settings);
}

static void bench_close(struct bench *b)
{
    io_serve_free(b->serve);
    io_http_free(b->http);
    io_http_free(b->other_http);
    io_http_server_free(b->target);
    io_http_server_free(b->other);
    io_loop_free(b->loop);
}

static void requests_are_answered(void **state)
{
    static const struct {
        const char *path;
        enum http_method method;
        int status;
        const char *body;
    } rows[] = {
        {"/healthz", HTTP_GET, 200, "/healthz"},
        {"/argument?pod=shop%2Fweb-0&x=1", HTTP_GET, 200, "shop/web-0"},
        {"/argument?x=1", HTTP_GET, 200, ""},
        {"/at-once", HTTP_GET, 200, "from inside"},
        {"/healthz", HTTP_DELETE, 405, "only GET and HEAD\n"},
    };
    struct bench b;
    (void)state;
    bench_open(&b);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct client client = {.status = 0};
        (void)ask(&b, rows[i].path, rows[i].method, &client);
        finish(&b, &client);
        assert_int_equal(client.end, HTTP_COMPLETE);
        assert_int_equal(client.status, rows[i].status);
        assert_string_equal(client.body, rows[i].body);
    }
    assert_true(b.was_local);
    bench_close(&b);
}

static void what_is_large_is_not_copied(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b);
    for (uint32_t i = 1; i <= 3; i++) {
        struct client client = {.n = 0};
        (void)ask(&b, "/in-two", HTTP_GET, &client);
        finish(&b, &client);
        assert_int_equal(client.status, 200);
        assert_int_equal(client.n, 10);
        assert_memory_equal(client.body, "head, tail", 10);
    }
    bench_close(&b);
    assert_int_equal(b.n_done, 3); /* each once */
}

static void answers_may_come_later(void **state)
{
    struct bench b;
    struct client later = {.status = 0}, now = {.status = 0}, gone = {.status = 0};
    struct err err;
    (void)state;
    bench_open(&b);
    (void)ask(&b, "/later", HTTP_GET, &later);
    while (b.parked == 0) {
        assert_true(io_loop_turn(b.loop, &err));
    }
    (void)ask_by(b.other, "/healthz", HTTP_GET, &now); /* others are not held up */
    finish(&b, &now);
    assert_false(later.is_over);
    const struct io_answer answer_later = {
        .status = 503, .content_type = "text/plain", .body = STR("sorry")};
    io_serve_answer(b.serve, b.parked + 1000, &answer_later);
    io_serve_answer(b.serve, b.parked, &answer_later);
    io_serve_answer(b.serve, b.parked, &answer_later);
    finish(&b, &later);
    assert_int_equal(later.status, 503);
    assert_string_equal(later.body, "sorry");
    b.parked = 0;
    const uint64_t id = ask(&b, "/later", HTTP_GET, &gone);
    while (b.parked == 0) {
        assert_true(io_loop_turn(b.loop, &err));
    }
    io_http_cancel(b.http, id); /* the client leaves */
    io_serve_answer(b.serve, b.parked, &answer_later);
    struct client last = {.status = 0};
    (void)ask(&b, "/later", HTTP_GET, &last); /* under way at the end */
    while (io_http_count(b.http) == 0) {
        assert_true(io_loop_turn(b.loop, &err));
    }
    bench_close(&b);
}

/* Sends bytes on a connection of its own; gives what comes back. */
static size_t raw(struct bench *b, const char *bytes, size_t n, char *reply, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons(io_serve_port(b->serve))};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t n_reply = 0, n_sent = 0;
    struct err err;
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    for (;;) {
        if (n_sent < n) {
            const ssize_t sent = send(fd, bytes + n_sent, n - n_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            n_sent += sent > 0 ? (size_t)sent : 0;
        }
        /* A healthy request in between makes the loop turn. */
        struct client client = {.status = 0};
        (void)ask(b, "/healthz", HTTP_GET, &client);
        finish(b, &client);
        assert_int_equal(client.status, 200);
        const ssize_t got = recv(fd, reply + n_reply, size - 1 - n_reply, MSG_DONTWAIT);
        if (got == 0 || n_reply + 1 == size) {
            break;
        }
        n_reply += got > 0 ? (size_t)got : 0;
        if (got < 0 && n_sent == n && n_reply > 0) {
            break;
        }
    }
    (void)err;
    (void)close(fd);
    reply[n_reply] = '\0';
    return n_reply;
}

static void nonsense_is_refused(void **state)
{
    static char large[LIMIT_SERVE_MEMORY_BYTES * 2];
    char reply[4096];
    struct bench b;
    (void)state;
    bench_open(&b);
    (void)raw(&b, "\x16\x03\x01garbage\r\n\r\n", 14, reply, sizeof reply);
    assert_null(strstr(reply, " 200 "));
    memset(large, 'a', sizeof large);
    memcpy(large, "GET /", 5);
    (void)raw(&b, large, sizeof large, reply, sizeof reply);
    assert_non_null(strstr(reply, " 414 "));
    bench_close(&b);
}

static void addresses_that_cannot_be_had(void **state)
{
    struct bench b;
    struct io_serve *other = NULL;
    struct err err;
    (void)state;
    bench_open(&b);
    assert_false(io_serve_new(b.loop, STR("nowhere"), 0, answer, &b, &other, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_false(
        io_serve_new(b.loop, STR("127.0.0.1"), io_serve_port(b.serve), answer, &b, &other, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.text, "Address already in use"));
    assert_true(io_serve_new(b.loop, STR_EMPTY, 0, answer, &b, &other, &err));
    io_serve_free(other);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_answered),
        cmocka_unit_test(what_is_large_is_not_copied),
        cmocka_unit_test(answers_may_come_later),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(addresses_that_cannot_be_had),
    };
    return cmocka_run_group_tests_name("io/serve", tests, NULL, NULL);
}
