/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The HTTP client against a server on the same loop that answers with given bytes, and misbehaves
 * as told. TLS, proxies and credentials are tested with the programs (tests/wire). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/limits.h"
#include "io/clock.h"
#include "io/http.h"
#include "io/loop.h"

enum how { ENDS, STAYS, RESETS };

/* What the server says to a request, and what it does with the connection then. */
struct script {
    const char *name, *answer;
    enum how how;
    size_t filler;      /* bytes of 'x' behind the answer */
    size_t step;        /* bytes sent at a time, a turn of the loop each; 0: all at once */
    int64_t silence_ms; /* of the request */
    size_t body_max;
    enum http_end end;
    int status;
    size_t n_body;
    const char *why; /* part of the reason */
    enum http_method method;
};

struct server {
    struct io_loop *loop;
    int listen_fd, fd;
    uint16_t port;
    const struct script *script;
    size_t sent;
    struct io_timer timer;
    char request[4096];
    size_t n_request;
    uint32_t n_connections, n_requests;
};

struct client {
    struct http_head head;
    size_t n_body, n_heads, n_ends;
    enum http_end end;
    char why[512];
    char headers[512]; /* of the answer: "Name=value;" each */
    bool stop;         /* wants no body */
    struct io_http *http;
    uint64_t cancel; /* id to cancel in the first piece of body */
};

static void hang_up(struct server *server, bool reset)
{
    if (server->fd >= 0) {
        struct linger linger = {.l_onoff = reset ? 1 : 0, .l_linger = 0};
        (void)setsockopt(server->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        io_loop_unwatch(server->loop, server->fd);
        (void)close(server->fd);
        server->fd = -1;
    }
}

static void send_some(void *ctx, mono_t now)
{
    struct server *server = ctx;
    const struct script *script = server->script;
    char filler[4096 + 8];
    size_t n_answer = strlen(script->answer), n_all = n_answer + script->filler;
    for (size_t i = 0; i < sizeof filler; i++) {
        filler[i] = "Y: yyy\r\n"[i % 8];
    }
    while (server->fd >= 0 && server->sent < n_all) {
        bool head = server->sent < n_answer;
        size_t n = head ? n_answer - server->sent : n_all - server->sent;
        n = !head && n > sizeof filler - 8 ? sizeof filler - 8 : n;
        n = script->step > 0 && n > script->step ? script->step : n;
        ssize_t sent =
            send(server->fd,
                 head ? script->answer + server->sent : filler + (server->sent - n_answer) % 8, n,
                 MSG_NOSIGNAL);
        if (sent < 0) {
            return; /* the client has gone */
        }
        server->sent += (size_t)sent;
        if (script->step > 0) {
            io_timer_set(server->loop, &server->timer, now);
            return;
        }
    }
    if (script->how != STAYS) {
        hang_up(server, script->how == RESETS);
    }
}

static void on_request(void *ctx, unsigned ready)
{
    struct server *server = ctx;
    (void)ready;
    ssize_t n = recv(server->fd, server->request + server->n_request,
                     sizeof server->request - 1 - server->n_request, 0);
    if (n <= 0) {
        hang_up(server, /* reset= */ false);
        return;
    }
    server->n_request += (size_t)n;
    server->request[server->n_request] = '\0';
    if (strstr(server->request, "\r\n\r\n") != NULL) {
        server->sent = 0;
        server->n_request = 0;
        server->n_requests++;
        send_some(server, io_loop_now(server->loop));
    }
}

static void on_connection(void *ctx, unsigned ready)
{
    struct server *server = ctx;
    struct err err;
    (void)ready;
    hang_up(server, /* reset= */ false);
    server->fd = accept(server->listen_fd, NULL, NULL);
    server->n_connections++;
    server->n_request = 0;
    assert_true(io_loop_watch(server->loop, server->fd, IO_READABLE, on_request, server, &err));
}

static void server_open(struct server *server, struct io_loop *loop)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    struct err err;
    *server = (struct server){.loop = loop, .fd = -1};
    server->timer = (struct io_timer){.fn = send_some, .ctx = server};
    server->listen_fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server->listen_fd, (struct sockaddr *)&address, n), 0);
    assert_int_equal(listen(server->listen_fd, 16), 0);
    assert_int_equal(getsockname(server->listen_fd, (struct sockaddr *)&address, &n), 0);
    server->port = ntohs(address.sin_port);
    assert_true(io_loop_watch(loop, server->listen_fd, IO_READABLE, on_connection, server, &err));
}

static void server_close(struct server *server)
{
    hang_up(server, /* reset= */ false);
    io_timer_stop(server->loop, &server->timer);
    io_loop_unwatch(server->loop, server->listen_fd);
    (void)close(server->listen_fd);
}

static void on_head(void *ctx, const struct http_head *head)
{
    struct client *client = ctx;
    client->head = *head;
    client->n_heads++;
    for (size_t i = 0; i < head->n_headers; i++) {
        size_t n = strlen(client->headers);
        (void)snprintf(client->headers + n, sizeof client->headers - n, STR_FMT "=" STR_FMT ";",
                       STR_ARG(head->headers[i].name), STR_ARG(head->headers[i].value));
    }
}

static bool on_body(void *ctx, struct str bytes)
{
    struct client *client = ctx;
    assert_int_equal(client->n_heads, 1);
    client->n_body += bytes.n;
    if (client->cancel > 0) {
        io_http_cancel(client->http, client->cancel);
    }
    return !client->stop;
}

static void on_end(void *ctx, enum http_end end, struct str why)
{
    struct client *client = ctx;
    client->end = end;
    client->n_ends++;
    (void)snprintf(client->why, sizeof client->why, STR_FMT, STR_ARG(why));
}

struct bench {
    struct io_loop *loop;
    struct io_http *http;
    struct server server;
    struct io_http_server *target;
};

static void bench_open(struct bench *b)
{
    struct err err;
    char address[64];
    assert_true(io_loop_new(&b->loop, &err));
    assert_true(io_http_new(b->loop, "test", &b->http, &err));
    server_open(&b->server, b->loop);
    (void)snprintf(address, sizeof address, "http://127.0.0.1:%u", (unsigned)b->server.port);
    struct io_http_settings settings = {.address = str_of(address)};
    b->target = io_http_server_new(b->http, &settings);
}

static void bench_close(struct bench *b)
{
    io_http_server_free(b->target);
    server_close(&b->server);
    io_http_free(b->http);
    io_loop_free(b->loop);
}

static uint64_t start(struct bench *b, const struct script *script, struct client *client)
{
    struct http_request request = {.method = script->method,
                                   .path = STR("/x"),
                                   .silence_ms = script->silence_ms,
                                   .body_max = script->body_max};
    struct io_http_events events = {.ctx = client, .head = on_head, .body = on_body, .end = on_end};
    uint64_t id = 0;
    struct err err;
    b->server.script = script;
    client->http = b->http;
    assert_true(io_http_start(b->target, &request, &events, &id, &err));
    return id;
}

static void finish(struct bench *b, const struct client *client)
{
    struct err err;
    while (client->n_ends == 0) {
        assert_true(io_loop_turn(b->loop, &err));
    }
}

#define OK "HTTP/1.1 200 OK\r\n"

static const struct script scripts[] = {
    {"plain", OK "Content-Length: 5\r\n\r\nhello", STAYS, .end = HTTP_COMPLETE, .status = 200,
     .n_body = 5},
    {"byte by byte", OK "Content-Length: 5\r\n\r\nhello", STAYS, .step = 1, .end = HTTP_COMPLETE,
     .status = 200, .n_body = 5},
    {"chunks", OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", STAYS,
     .step = 3, .end = HTTP_COMPLETE, .status = 200, .n_body = 5},
    {"no body", "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", STAYS,
     .end = HTTP_COMPLETE, .status = 503},
    {"until the end", OK "\r\nhello", ENDS, .end = HTTP_COMPLETE, .status = 200, .n_body = 5},
    {"redirect is not followed",
     "HTTP/1.1 302 F\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", STAYS,
     .end = HTTP_COMPLETE, .status = 302},
    {"cut in the body", OK "Content-Length: 10\r\n\r\nhello", ENDS, .end = HTTP_CUT, .status = 200,
     .n_body = 5},
    {"cut in a chunk", OK "Transfer-Encoding: chunked\r\n\r\n9\r\nabc", ENDS, .end = HTTP_CUT,
     .status = 200, .n_body = 3},
    {"cut in the header", "HTTP/1.1 200 O", ENDS, .end = HTTP_CUT, .why = "Empty reply"},
    {"nothing at all", "", ENDS, .end = HTTP_CUT, .why = "Empty reply"},
    {"reset", OK "Content-Length: 10\r\n\r\nhello", RESETS, .end = HTTP_CUT, .status = 200,
     .n_body = 5},
    {"no HTTP", "220 smtp ready\r\n", ENDS, .end = HTTP_OTHER, .why = "HTTP/0.9"},
    {"more header than allowed", OK, ENDS, .filler = 80 * 1000, .end = HTTP_LIMIT,
     .why = "LIMIT_HTTP_HEADER_BYTES"},
    {"more body than allowed", OK "Content-Length: 100000\r\n\r\n", STAYS, .filler = 100000,
     .body_max = 50000, .end = HTTP_LIMIT, .status = 200, .why = "more than 50000 bytes"},
    {"as much as allowed", OK "Content-Length: 50000\r\n\r\n", STAYS, .filler = 50000,
     .body_max = 50000, .end = HTTP_COMPLETE, .status = 200, .n_body = 50000},
    {"silence", OK "Content-Length: 10\r\n\r\nhello", STAYS, .silence_ms = 300, .end = HTTP_TIMEOUT,
     .status = 200, .n_body = 5, .why = "nothing arrived for 300 ms"},
    {"silence before the answer", "", STAYS, .silence_ms = 300, .end = HTTP_TIMEOUT},
    {"broken gzip", OK "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", STAYS,
     .end = HTTP_OTHER, .status = 0},
};

static void every_answer_ends_once_and_says_how(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        const struct script *script = &scripts[i];
        struct bench b;
        struct client client = {.n_ends = 0};
        bench_open(&b);
        (void)start(&b, script, &client);
        finish(&b, &client);
        bool body_counts = script->end != HTTP_LIMIT;
        if (client.end != script->end || client.head.status != script->status ||
            (body_counts && client.n_body != script->n_body) ||
            (script->why != NULL && strstr(client.why, script->why) == NULL) ||
            (script->end == HTTP_COMPLETE) != (client.why[0] == '\0')) {
            fail_msg("%s: end %d, status %d, %zu bytes, \"%s\"", script->name, (int)client.end,
                     client.head.status, client.n_body, client.why);
        }
        assert_true(script->status != 503 || client.head.retry_after_ms == 7000);
        assert_int_equal(io_http_count(b.http), 0);
        bench_close(&b);
    }
}

static void connections_are_kept(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    for (int i = 0; i < 5; i++) {
        struct client client = {.n_ends = 0};
        (void)start(&b, &scripts[0], &client);
        finish(&b, &client);
        assert_int_equal(client.end, HTTP_COMPLETE);
    }
    assert_int_equal(b.server.n_connections, 1);
    bench_close(&b);
}

/* libcurl takes a kept connection that breaks for one that was closed meanwhile, and sends again by
 * itself: it may with what only reads, and must not with what changes something. */
static void what_changes_something_is_sent_once(void **state)
{
    (void)state;
    static const struct script breaks[] = {
        {"reads, reset", "", RESETS, .end = HTTP_CUT, .method = HTTP_GET},
        {"reads, closed", "", ENDS, .end = HTTP_CUT, .method = HTTP_GET},
        {"writes, reset", "", RESETS, .end = HTTP_CUT, .method = HTTP_POST},
        {"writes, closed", "", ENDS, .end = HTTP_CUT, .method = HTTP_POST},
        {"patches, closed", "", ENDS, .end = HTTP_CUT, .method = HTTP_PATCH},
        {"deletes, reset", "", RESETS, .end = HTTP_CUT, .method = HTTP_DELETE},
    };
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        struct bench b;
        struct client first = {.n_ends = 0}, second = {.n_ends = 0};
        bench_open(&b);
        (void)start(&b, &scripts[0], &first);
        finish(&b, &first);
        assert_int_equal(first.end, HTTP_COMPLETE);
        (void)start(&b, &breaks[i], &second);
        finish(&b, &second);
        const uint32_t sent = b.server.n_requests - 1;
        if (second.end != breaks[i].end || sent != (breaks[i].method == HTTP_GET ? 2 : 1) ||
            second.why[0] == '\0') {
            fail_msg("%s: end %d, sent %u times, \"%s\"", breaks[i].name, (int)second.end, sent,
                     second.why);
        }
        bench_close(&b);
    }
}

static void whoever_cancels_hears_nothing_more(void **state)
{
    (void)state;
    static const struct script endless = {.answer = OK "\r\nhello", .how = STAYS};
    struct bench b;
    struct err err;
    bench_open(&b);
    struct client client = {.n_ends = 0};
    uint64_t id = start(&b, &endless, &client);
    io_http_cancel(b.http, id); /* before anything happened */
    assert_int_equal(io_http_count(b.http), 0);
    client.cancel = start(&b, &endless, &client); /* from inside of its own callback */
    while (io_http_count(b.http) > 0) {
        assert_true(io_loop_turn(b.loop, &err));
    }
    assert_int_equal(client.n_ends, 0);
    assert_int_equal(client.n_body, 5);
    io_http_cancel(b.http, client.cancel); /* over already */
    struct client stops = {.stop = true};
    (void)start(&b, &endless, &stops);
    finish(&b, &stops);
    assert_int_equal(stops.end, HTTP_STOPPED);
    struct client left = {.n_ends = 0};
    (void)start(&b, &endless, &left); /* under way when the client is freed */
    bench_close(&b);
    assert_int_equal(left.n_ends, 0);
}

static void too_many_requests_are_refused(void **state)
{
    (void)state;
    static const struct script silent = {.answer = "", .how = STAYS};
    struct bench b;
    struct client client = {.n_ends = 0};
    struct http_request request = {.method = HTTP_GET, .path = STR("/x")};
    struct io_http_events events = {
        .ctx = &client, .head = on_head, .body = on_body, .end = on_end};
    struct err err;
    uint64_t id = 0;
    bench_open(&b);
    for (int i = 0; i < LIMIT_HTTP_REQUESTS; i++) {
        (void)start(&b, &silent, &client);
    }
    assert_false(io_http_start(b.target, &request, &events, &id, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    bench_close(&b);
}

static void headers_go_both_ways(void **state)
{
    (void)state;
    static const struct script script = {
        .answer = "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n" OK
                  "x-amzn-RequestId:  abc \r\nETag:\r\nX: 1\r\nX: 2\r\nContent-Length: 0\r\n\r\n",
        .how = STAYS};
    static const struct http_header more[] = {{STR("X-Amz-Target"), STR("A.B")},
                                              {STR("X-Empty"), STR_EMPTY}};
    static const struct http_header broken[] = {{STR("X"), STR("a\r\nInjected: 1")},
                                                {STR("X\nY"), STR("a")},
                                                {STR("X:"), STR("a")},
                                                {STR_EMPTY, STR("a")}};
    struct bench b;
    struct client client = {.n_ends = 0};
    struct http_request request = {
        .method = HTTP_POST, .path = STR("/x"), .headers = more, .n_headers = 2};
    struct io_http_events events = {
        .ctx = &client, .head = on_head, .body = on_body, .end = on_end};
    struct err err;
    uint64_t id = 0;
    bench_open(&b);
    b.server.script = &script;
    assert_true(io_http_start(b.target, &request, &events, &id, &err));
    finish(&b, &client);
    assert_string_equal(client.headers, "x-amzn-RequestId=abc;ETag=;X=1;X=2;Content-Length=0;");
    assert_non_null(strstr(b.server.request, "\r\nX-Amz-Target: A.B\r\n"));
    assert_non_null(strstr(b.server.request, "\r\nX-Empty:\r\n"));
    request.n_headers = 1;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        request.headers = &broken[i];
        assert_false(io_http_start(b.target, &request, &events, &id, &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
    assert_int_equal(io_http_count(b.http), 0);
    bench_close(&b);
}

static void nobody_listens(void **state)
{
    (void)state;
    struct bench b;
    struct client client = {.n_ends = 0};
    bench_open(&b);
    io_loop_unwatch(b.loop, b.server.listen_fd);
    (void)close(b.server.listen_fd);
    (void)start(&b, &scripts[0], &client);
    finish(&b, &client);
    assert_int_equal(client.end, HTTP_REFUSED);
    assert_non_null(strstr(client.why, "Failed to connect to 127.0.0.1"));
    b.server.listen_fd = -1;
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_ends_once_and_says_how),
        cmocka_unit_test(connections_are_kept),
        cmocka_unit_test(what_changes_something_is_sent_once),
        cmocka_unit_test(whoever_cancels_hears_nothing_more),
        cmocka_unit_test(too_many_requests_are_refused),
        cmocka_unit_test(headers_go_both_ways),
        cmocka_unit_test(nobody_listens),
    };
    return cmocka_run_group_tests_name("io/http", tests, NULL, NULL);
}
