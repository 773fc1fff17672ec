/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/limits.h"
#include "io/loop.h"

enum { IDLE_S = 10, BACKLOG = 64 };

/* A request that is answered later. */
struct parked {
    struct parked *next;
    struct io_serve *serve;
    struct MHD_Connection *connection; /* NULL: free */
    uint64_t id;
    bool suspended, answered;
    struct io_answer answer; /* body in `arena` */
    struct arena arena;
};

struct io_serve {
    struct arena arena;
    struct io_loop *loop;
    struct MHD_Daemon *daemon;
    int epoll_fd; /* -1 until known */
    uint16_t port;
    io_serve_fn fn;
    void *ctx;
    struct io_timer timer;
    struct parked parked[LIMIT_SERVE_CONNECTIONS];
    uint64_t last_id;
};

struct str io_request_argument(const struct io_request *request, const char *name)
{
    return str_of(MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name));
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)address;
        return (ntohl(in->sin_addr.s_addr) >> 24) == 127;
    }
    if (address->sa_family == AF_INET6) {
        const struct in6_addr *in6 =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        return IN6_IS_ADDR_LOOPBACK(in6) || (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == 127);
    }
    return false;
}

/* An answer in two parts, while it is being sent. */
struct two_parts {
    struct arena arena; /* of the body, and of this */
    void (*done)(void *ctx);
    void *done_ctx;
};

static void two_parts_free(void *ctx)
{
    const struct two_parts *parts = ctx;
    struct arena arena = parts->arena;
    parts->done(parts->done_ctx);
    arena_done(&arena);
}

static struct MHD_Response *respond_in_two(const struct io_answer *answer)
{
    struct arena arena = ARENA_INIT;
    struct two_parts *parts = ARENA_NEW(&arena, struct two_parts);
    const struct str body = str_copy(&arena, answer->body);
    const struct MHD_IoVec vec[] = {{.iov_base = body.p, .iov_len = body.n},
                                    {.iov_base = answer->tail.p, .iov_len = answer->tail.n}};
    *parts = (struct two_parts){.arena = arena, .done = answer->done, .done_ctx = answer->done_ctx};
    struct MHD_Response *response =
        MHD_create_response_from_iovec(vec, sizeof vec / sizeof vec[0], two_parts_free, parts);
    if (response == NULL) {
        two_parts_free(parts);
    }
    return response;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection,
                                   const struct io_answer *answer)
{
    struct MHD_Response *response =
        answer->tail.n > 0
            ? respond_in_two(answer)
            : MHD_create_response_from_buffer(
                  answer->body.n, (void *)(uintptr_t)(answer->body.n > 0 ? answer->body.p : ""),
                  MHD_RESPMEM_MUST_COPY);
    if (response == NULL) {
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    const enum MHD_Result result =
        MHD_queue_response(connection, (unsigned)answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, int status, struct str why)
{
    const struct io_answer answer = {
        .status = status, .content_type = "text/plain; charset=utf-8", .body = why};
    return send_answer(connection, &answer);
}

/* ---- requests ---- */

static struct parked *park(struct io_serve *serve, struct MHD_Connection *connection)
{
    for (size_t i = 0; i < LIMIT_SERVE_CONNECTIONS; i++) {
        struct parked *parked = &serve->parked[i];
        if (parked->connection == NULL) {
            parked->serve = serve;
            parked->connection = connection;
            parked->id = ++serve->last_id;
            parked->suspended = parked->answered = false;
            return parked;
        }
    }
    return NULL;
}

static void unpark(struct parked *parked)
{
    if (parked != NULL) {
        arena_done(&parked->arena);
        parked->connection = NULL;
        parked->id = 0;
        parked->suspended = false;
    }
}

/* First call of a request: its head is there. */
static enum MHD_Result begin(struct io_serve *serve, struct MHD_Connection *connection,
                             const char *url, void **slot)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct parked *parked = park(serve, connection);
    struct io_answer answer = {.status = 500, .content_type = "text/plain"};
    if (parked == NULL) {
        return refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE, STR("too many requests\n"));
    }
    *slot = parked;
    struct io_request request = {.path = str_of(url),
                                 .is_local = info != NULL && is_loopback(info->client_addr),
                                 .id = parked->id,
                                 .connection = connection};
    if (serve->fn(serve->ctx, &request, &answer)) {
        return send_answer(connection, &answer);
    }
    if (parked->answered) { /* from inside of fn */
        return send_answer(connection, &parked->answer);
    }
    parked->suspended = true;
    MHD_suspend_connection(connection);
    return MHD_YES;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *body,
                                  size_t *n_body, void **slot)
{
    struct io_serve *serve = ctx;
    struct parked *parked = *slot;
    (void)version;
    (void)body;
    if (*n_body > 0) {
        return MHD_NO; /* nobody has anything to tell us */
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, STR("only GET and HEAD\n"));
    }
    if (parked == NULL) {
        return begin(serve, connection, url, slot);
    }
    return parked->answered ? send_answer(connection, &parked->answer) : MHD_YES;
}

static void on_over(void *ctx, struct MHD_Connection *connection, void **slot,
                    enum MHD_RequestTerminationCode why)
{
    (void)ctx;
    (void)connection;
    (void)why;
    unpark(*slot);
    *slot = NULL;
}

void io_serve_answer(struct io_serve *serve, uint64_t id, const struct io_answer *answer)
{
    for (size_t i = 0; i < LIMIT_SERVE_CONNECTIONS; i++) {
        struct parked *parked = &serve->parked[i];
        if (parked->connection == NULL || parked->id != id || parked->answered) {
            continue;
        }
        parked->answer = *answer;
        parked->answer.body = str_copy(&parked->arena, answer->body);
        parked->answered = true;
        if (parked->suspended) {
            MHD_resume_connection(parked->connection);
            io_timer_set(serve->loop, &serve->timer, io_loop_now(serve->loop));
        }
    }
}

/* ---- between the loop and the library ---- */

static void turn(struct io_serve *serve)
{
    MHD_UNSIGNED_LONG_LONG ms = 0;
    (void)MHD_run(serve->daemon);
    if (MHD_get_timeout(serve->daemon, &ms) == MHD_YES) {
        io_timer_set(serve->loop, &serve->timer, io_loop_now(serve->loop) + (int64_t)ms);
    } else {
        io_timer_stop(serve->loop, &serve->timer);
    }
}

static void on_ready(void *ctx, unsigned ready)
{
    (void)ready;
    turn(ctx);
}

static void on_due(void *ctx, mono_t now)
{
    (void)now;
    turn(ctx);
}

/* ---- listening ---- */

static bool parse_address(struct str text, uint16_t port, struct sockaddr_storage *ret_address,
                          socklen_t *ret_n, struct err *err)
{
    auto_arena arena = ARENA_INIT;
    struct sockaddr_in *in = (void *)ret_address;
    struct sockaddr_in6 *in6 = (void *)ret_address;
    const char *z = str_cstr(&arena, text);
    memset(ret_address, 0, sizeof *ret_address);
    if (text.n > 0 && inet_pton(AF_INET, z, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        *ret_n = sizeof *in;
        return true;
    }
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    *ret_n = sizeof *in6;
    return text.n == 0 || inet_pton(AF_INET6, z, &in6->sin6_addr) == 1 ||
           err_set(err, ERR_INVALID, "\"" STR_FMT "\" is no address to serve on", STR_ARG(text));
}

/* All addresses: IPv6 that takes IPv4 too, or IPv4 where there is no IPv6. */
static int open_socket(struct str text, struct sockaddr_storage *address, socklen_t *n,
                       uint16_t port)
{
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1, off = 0;
    if (fd < 0 && text.n == 0) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(address, &in, sizeof in);
        *n = sizeof in;
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ss_family == AF_INET6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    return fd;
}

static bool listen_on(struct str text, uint16_t port, int *ret_fd, uint16_t *ret_port,
                      struct err *err)
{
    struct sockaddr_storage address;
    socklen_t n = 0;
    if (!parse_address(text, port, &address, &n, err)) {
        return false;
    }
    int fd = open_socket(text, &address, &n, port);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, n) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &n) != 0) {
        (void)err_set(err, ERR_IO, "cannot serve on port %u of \"" STR_FMT "\": %s", (unsigned)port,
                      STR_ARG(text), strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        return false;
    }
    *ret_fd = fd;
    *ret_port =
        ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)(void *)&address)->sin_port
                                           : ((struct sockaddr_in6 *)(void *)&address)->sin6_port);
    return true;
}

bool io_serve_check_address(struct str address, struct err *err)
{
    struct sockaddr_storage ignored;
    socklen_t n = 0;
    return parse_address(address, 0, &ignored, &n, err);
}

bool io_serve_new(struct io_loop *loop, struct str address, uint16_t port, io_serve_fn fn,
                  void *ctx, struct io_serve **ret_serve, struct err *err)
{
    int fd = -1;
    struct arena arena = ARENA_INIT;
    struct io_serve *serve = ARENA_NEW(&arena, struct io_serve);
    serve->arena = arena;
    serve->loop = loop;
    serve->fn = fn;
    serve->ctx = ctx;
    serve->epoll_fd = -1;
    serve->timer = (struct io_timer){.fn = on_due, .ctx = serve};
    if (!listen_on(address, port, &fd, &serve->port, err)) {
        io_serve_free(serve);
        return false;
    }
    serve->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, serve,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)LIMIT_SERVE_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)LIMIT_SERVE_PER_ADDRESS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_SERVE_MEMORY_BYTES,
        MHD_OPTION_NOTIFY_COMPLETED, on_over, NULL, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        serve->daemon == NULL ? NULL : MHD_get_daemon_info(serve->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL) {
        (void)close(fd);
        io_serve_free(serve);
        return err_set(err, ERR_IO, "libmicrohttpd does not start");
    }
    serve->epoll_fd = info->epoll_fd;
    if (!io_loop_watch(loop, serve->epoll_fd, IO_READABLE, on_ready, serve, err)) {
        io_serve_free(serve);
        return false;
    }
    *ret_serve = serve;
    return true;
}

uint16_t io_serve_port(const struct io_serve *serve)
{
    return serve->port;
}

void io_serve_free(struct io_serve *serve)
{
    if (serve == NULL) {
        return;
    }
    if (serve->epoll_fd >= 0) {
        io_loop_unwatch(serve->loop, serve->epoll_fd);
    }
    io_timer_stop(serve->loop, &serve->timer);
    if (serve->daemon != NULL) {
        for (size_t i = 0; i < LIMIT_SERVE_CONNECTIONS; i++) {
            if (serve->parked[i].suspended) {
                io_serve_answer(serve, serve->parked[i].id,
                                &(struct io_answer){.status = 503,
                                                    .content_type = "text/plain",
                                                    .body = STR("the program ends\n")});
            }
        }
        (void)MHD_run(serve->daemon);
        MHD_stop_daemon(serve->daemon);
        io_timer_stop(serve->loop, &serve->timer);
    }
    struct arena arena = serve->arena;
    arena_done(&arena);
}
