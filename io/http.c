/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/http.h"

#include <assert.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/vec.h"
#include "io/loop.h"

enum {
    CONNECT_MS = 10 * 1000,
    /* A peer that is gone: first probe after this silence, then every few seconds. */
    KEEPALIVE_IDLE_S = 20,
    KEEPALIVE_EVERY_S = 5,
    KEEPALIVE_PROBES = 4,
    UNACKED_MS = 40 * 1000,
    WHY_MAX = 512
};

struct io_http_server {
    struct arena arena;
    struct io_http *http;
    char *address;    /* what URLs begin with; its host is the name in the certificate */
    char *connect_to; /* "name:port:host:port" where that is another one; NULL */
    char *proxy;
    struct str ca_pem, cert_pem, key_pem;
    bool insecure, no_compression, is_local;
    struct strbuf authorize; /* "Authorization: ..." with a NUL */
    struct curl_slist *headers;
};

struct call {
    struct call *next;
    struct arena arena; /* the call itself lies in it */
    struct io_http *http;
    uint64_t id;
    CURL *easy;
    struct curl_slist *headers;
    struct curl_slist *connect_to; /* where a server is whose certificate has another name */
    struct io_http_events events;
    VEC(struct http_header) head; /* of the answer */
    size_t header_bytes, body_bytes, body_max;
    mono_t last; /* when something arrived */
    int64_t silence_ms;
    enum http_end stopped; /* why we ended it ourselves; HTTP_COMPLETE: we did not */
    bool head_told, dropped;
    bool changes, was_sent; /* something; see on_sending() */
    char why[CURL_ERROR_SIZE];
};

struct socket_ctx {
    struct io_http *http;
    int fd;
};

struct io_http {
    struct arena arena;
    VEC(struct socket_ctx *) sockets; /* by descriptor; made once for each number */
    struct io_loop *loop;
    CURLM *multi;
    char *agent;
    struct io_timer curl_timer, silence_timer, sweep_timer;
    struct call *calls;
    uint32_t n_calls;
    uint64_t last_id;
    int depth; /* inside of curl, which must not be called again there */
};

/* ---- starting ---- */

static struct str copy_z(struct arena *arena, struct str s)
{
    return (struct str){.p = str_cstr(arena, s), .n = s.n};
}

/* Go reaches loopback addresses without the proxy of the environment, and kubeconfigs rely on it.
 */
static bool is_loopback(struct str address)
{
    size_t at = str_find(address, '/');
    struct str host = str_sub(address, at + 2, address.n);
    host = str_sub(host, 0, str_find(host, '/'));
    return str_starts(host, STR("127.")) || str_starts(host, STR("[::1]")) ||
           str_eq(str_sub(host, 0, str_find(host, ':')), STR("localhost"));
}

/* libcurl checks a certificate against the host of the URL: so the URL gets the name, and is told
 * where that is. */
static void rename_server(struct io_http_server *server, struct arena *arena,
                          const struct io_http_settings *settings)
{
    struct str address = settings->address;
    size_t begin = str_find(address, '/') + 2;
    struct str scheme = str_sub(address, 0, begin);
    struct str rest = str_sub(address, begin, address.n);
    struct str host_port = str_sub(rest, 0, str_find(rest, '/'));
    size_t bracket = str_starts(host_port, STR("[")) ? str_find(host_port, ']') : 0;
    struct str after = str_sub(host_port, bracket, host_port.n);
    size_t colon = bracket + str_find(after, ':');
    struct str port = colon < host_port.n ? str_sub(host_port, colon + 1, host_port.n) : STR("443");
    struct strbuf url = strbuf_new(arena, 8192), to = strbuf_new(arena, 8192);
    strbuf_addf(&url, STR_FMT STR_FMT ":" STR_FMT STR_FMT, STR_ARG(scheme),
                STR_ARG(settings->server_name), STR_ARG(port),
                STR_ARG(str_sub(rest, host_port.n, rest.n)));
    strbuf_addf(&to, STR_FMT ":" STR_FMT ":" STR_FMT ":" STR_FMT, STR_ARG(settings->server_name),
                STR_ARG(port), STR_ARG(str_sub(host_port, 0, colon)), STR_ARG(port));
    server->address = str_cstr(arena, strbuf_str(&url));
    server->connect_to = str_cstr(arena, strbuf_str(&to));
}

struct io_http_server *io_http_server_new(struct io_http *http,
                                          const struct io_http_settings *settings)
{
    struct arena arena = ARENA_INIT;
    struct io_http_server *server = ARENA_NEW(&arena, struct io_http_server);
    server->http = http;
    server->address = str_cstr(&arena, settings->address);
    if (settings->server_name.n > 0) {
        rename_server(server, &arena, settings);
    }
    server->proxy = settings->proxy.n > 0 ? str_cstr(&arena, settings->proxy) : NULL;
    server->ca_pem = copy_z(&arena, settings->ca_pem);
    server->cert_pem = copy_z(&arena, settings->cert_pem);
    server->key_pem = copy_z(&arena, settings->key_pem);
    server->insecure = settings->insecure;
    server->no_compression = settings->no_compression;
    server->is_local = settings->no_proxy || is_loopback(settings->address);
    server->arena = arena;
    server->authorize = strbuf_new(&server->arena, LIMIT_CREDENTIAL_BYTES + 64);
    return server;
}

void io_http_server_free(struct io_http_server *server)
{
    if (server != NULL) {
        struct arena arena = server->arena;
        curl_slist_free_all(server->headers);
        arena_done(&arena);
    }
}

void io_http_server_authorize(struct io_http_server *server, struct str value)
{
    server->authorize.n = 0;
    if (value.n > 0) {
        strbuf_add(&server->authorize, STR("Authorization: "));
        strbuf_add(&server->authorize, value);
        strbuf_addc(&server->authorize, '\0');
    }
}

void io_http_server_add_header(struct io_http_server *server, struct str line)
{
    server->headers = curl_slist_append(server->headers, str_cstr(&server->arena, line));
}

/* curl takes "Name;" for a header without a value, and "Name:" for none at all. */
static void add_header(struct call *call, struct str name, struct str value)
{
    struct strbuf line = strbuf_new(&call->arena, name.n + value.n + 3);
    strbuf_add(&line, name);
    strbuf_add(&line, value.n > 0 ? STR(": ") : STR(";"));
    strbuf_add(&line, value);
    strbuf_addc(&line, '\0');
    call->headers = curl_slist_append(call->headers, strbuf_str(&line).p);
}

static void set_headers(struct call *call, const struct io_http_server *server,
                        const struct http_request *request)
{
    for (const struct curl_slist *line = server->headers; line != NULL; line = line->next) {
        call->headers = curl_slist_append(call->headers, line->data);
    }
    if (server->authorize.n > 0) {
        call->headers = curl_slist_append(call->headers, server->authorize.p);
    }
    if (request->accept.n > 0) {
        add_header(call, STR("Accept"), request->accept);
    }
    if (request->content_type.n > 0) {
        add_header(call, STR("Content-Type"), request->content_type);
    }
    for (size_t i = 0; i < request->n_headers; i++) {
        add_header(call, request->headers[i].name, request->headers[i].value);
    }
    /* No "Expect: 100-continue": it costs a round trip. */
    call->headers = curl_slist_append(call->headers, "Expect:");
    (void)curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
}

static void set_blob(CURL *easy, CURLoption option, struct str bytes)
{
    struct curl_blob blob = {
        .data = (void *)(uintptr_t)bytes.p, .len = bytes.n, .flags = CURL_BLOB_COPY};
    if (bytes.n > 0) {
        (void)curl_easy_setopt(easy, option, &blob);
    }
}

static void set_trust(CURL *easy, const struct io_http_server *server)
{
    set_blob(easy, CURLOPT_CAINFO_BLOB, server->ca_pem);
    set_blob(easy, CURLOPT_SSLCERT_BLOB, server->cert_pem);
    set_blob(easy, CURLOPT_SSLKEY_BLOB, server->key_pem);
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (server->insecure) {
        (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (server->proxy != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_PROXY, server->proxy);
        (void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    } else if (server->is_local) {
        (void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
}

static void set_method(CURL *easy, const struct http_request *request)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET",     [HTTP_POST] = "POST",     [HTTP_PUT] = "PUT",
        [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
    };
    if (request->method == HTTP_GET) {
        (void)curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        return;
    }
    if (request->body.n > 0 || request->method != HTTP_DELETE) {
        (void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
        (void)curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS,
                               request->body.n > 0 ? request->body.p : "");
    }
    (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, names[request->method]);
}

/* ---- inside of curl ---- */

/* Before the bytes of a request go out. libcurl takes a kept connection that breaks before an
 * answer for one that the server had closed meanwhile, and sends the request again by itself. What
 * changes something may have been done by then, and whoever wanted it may not be allowed to any
 * more: he is told, and asks again if he still means it. */
static int on_sending(void *ctx, char *peer, char *own, int peer_port, int own_port)
{
    struct call *call = ctx;
    (void)peer, (void)own, (void)peer_port, (void)own_port;
    const bool again = call->was_sent;
    call->was_sent = true;
    return again && call->changes ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static int on_socket_made(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    (void)ctx;
    (void)purpose;
#ifdef TCP_USER_TIMEOUT
    unsigned unacked = UNACKED_MS;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked, sizeof unacked);
#endif
    int probes = KEEPALIVE_PROBES;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    return CURL_SOCKOPT_OK;
}

/* A status line begins a head anew: of an answer after "100 Continue". */
static void keep_header(struct call *call, struct str line)
{
    size_t colon = str_find(line, ':');
    if (str_starts(line, STR("HTTP/"))) {
        call->head.n = 0;
    } else if (!call->head_told && colon < line.n) {
        struct http_header header = {
            .name = str_copy(&call->arena, str_sub(line, 0, colon)),
            .value = str_copy(&call->arena, str_trim(str_sub(line, colon + 1, line.n)))};
        VEC_PUSH(&call->arena, &call->head, header);
    }
}

static size_t on_header(char *bytes, size_t size, size_t n, void *ctx)
{
    struct call *call = ctx;
    call->header_bytes += size * n;
    call->last = io_loop_now(call->http->loop);
    if (call->header_bytes > LIMIT_HTTP_HEADER_BYTES) {
        call->stopped = HTTP_LIMIT;
        return 0;
    }
    keep_header(call, (struct str){.p = bytes, .n = size * n});
    return size * n;
}

static void tell_head(struct call *call)
{
    long status = 0;
    curl_off_t retry_after = 0;
    if (call->head_told) {
        return;
    }
    call->head_told = true;
    (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &retry_after);
    struct http_head head = {.status = (int)status,
                             .retry_after_ms = retry_after > INT32_MAX
                                                   ? (int64_t)INT32_MAX * 1000
                                                   : (int64_t)retry_after * 1000,
                             .headers = call->head.v,
                             .n_headers = call->head.n};
    call->events.head(call->events.ctx, &head);
}

static size_t on_body(char *bytes, size_t size, size_t n, void *ctx)
{
    struct call *call = ctx;
    call->last = io_loop_now(call->http->loop);
    call->body_bytes += size * n;
    if (call->dropped) {
        return 0;
    }
    if (call->body_max > 0 && call->body_bytes > call->body_max) {
        call->stopped = HTTP_LIMIT;
        return 0;
    }
    tell_head(call);
    if (!call->dropped && !call->events.body(call->events.ctx, (struct str){.p = bytes, .n = n})) {
        call->stopped = HTTP_STOPPED;
        return 0;
    }
    return call->dropped ? 0 : size * n;
}

/* ---- endings ---- */

static const struct {
    CURLcode code;
    enum http_end end;
} endings[] = {
    {CURLE_OK, HTTP_COMPLETE},
    {CURLE_COULDNT_RESOLVE_HOST, HTTP_NO_ADDRESS},
    {CURLE_COULDNT_RESOLVE_PROXY, HTTP_NO_ADDRESS},
    {CURLE_COULDNT_CONNECT, HTTP_REFUSED},
    {CURLE_PROXY, HTTP_REFUSED},
    {CURLE_SSL_CONNECT_ERROR, HTTP_TLS},
    {CURLE_PEER_FAILED_VERIFICATION, HTTP_TLS},
    {CURLE_SSL_CERTPROBLEM, HTTP_TLS},
    {CURLE_SSL_CIPHER, HTTP_TLS},
    {CURLE_SSL_CACERT_BADFILE, HTTP_TLS},
    {CURLE_SSL_ISSUER_ERROR, HTTP_TLS},
    {CURLE_SSL_INVALIDCERTSTATUS, HTTP_TLS},
    {CURLE_OPERATION_TIMEDOUT, HTTP_TIMEOUT},
    {CURLE_GOT_NOTHING, HTTP_CUT},
    {CURLE_RECV_ERROR, HTTP_CUT},
    {CURLE_SEND_ERROR, HTTP_CUT},
    {CURLE_PARTIAL_FILE, HTTP_CUT},
    {CURLE_ABORTED_BY_CALLBACK, HTTP_CUT}, /* on_sending(): what was sent broke off */
    {CURLE_HTTP2, HTTP_CUT},
    {CURLE_HTTP2_STREAM, HTTP_CUT},
    {CURLE_SSL_SHUTDOWN_FAILED, HTTP_CUT},
};

static enum http_end ending_of(const struct call *call, CURLcode code)
{
    if (call->stopped != HTTP_COMPLETE) {
        return call->stopped;
    }
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (endings[i].code == code) {
            return endings[i].end;
        }
    }
    return HTTP_OTHER;
}

static struct str reason_of(struct call *call, enum http_end end, CURLcode code, char *buffer)
{
    if (end == HTTP_LIMIT) {
        bool header = call->header_bytes > LIMIT_HTTP_HEADER_BYTES;
        int n = snprintf(buffer, WHY_MAX, "the answer has more than %zu bytes%s",
                         header ? (size_t)LIMIT_HTTP_HEADER_BYTES : call->body_max,
                         header ? " of header (LIMIT_HTTP_HEADER_BYTES)" : "");
        return (struct str){.p = buffer, .n = n < 0 ? 0 : (size_t)n};
    }
    if (end == HTTP_TIMEOUT && call->stopped == HTTP_TIMEOUT) {
        int n =
            snprintf(buffer, WHY_MAX, "nothing arrived for %lld ms", (long long)call->silence_ms);
        return (struct str){.p = buffer, .n = n < 0 ? 0 : (size_t)n};
    }
    return str_of(call->why[0] != '\0' ? call->why : curl_easy_strerror(code));
}

static void forget(struct io_http *http, struct call *call)
{
    struct call **at = &http->calls;
    while (*at != call) {
        at = &(*at)->next;
    }
    *at = call->next;
    http->n_calls--;
    (void)curl_multi_remove_handle(http->multi, call->easy);
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    curl_slist_free_all(call->connect_to);
    struct arena arena = call->arena;
    arena_done(&arena);
}

static void finish(struct io_http *http, struct call *call, CURLcode code)
{
    char buffer[WHY_MAX];
    auto_arena kept = ARENA_INIT; /* the reason outlives the call */
    enum http_end end = ending_of(call, code);
    if (end == HTTP_COMPLETE && !call->dropped) {
        tell_head(call); /* of an answer without a body */
    }
    struct str why = str_copy(&kept, reason_of(call, end, code, buffer));
    struct io_http_events events = call->events;
    bool dropped = call->dropped;
    forget(http, call);
    if (!dropped) {
        events.end(events.ctx, end, end == HTTP_COMPLETE ? STR_EMPTY : why);
    }
}

static void take_finished(struct io_http *http)
{
    CURLMsg *message = NULL;
    int n = 0;
    while ((message = curl_multi_info_read(http->multi, &n)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            CURLcode code = message->data.result;
            char *call = NULL;
            (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
            finish(http, (struct call *)(void *)call, code);
        }
    }
}

static void act(struct io_http *http, curl_socket_t fd, int what)
{
    int running = 0;
    http->depth++;
    (void)curl_multi_socket_action(http->multi, fd, what, &running);
    http->depth--;
    take_finished(http);
}

/* ---- between the loop and curl ---- */

static void on_ready(struct io_http *http, int fd, unsigned ready)
{
    act(http, fd,
        ((ready & IO_READABLE) != 0 ? CURL_CSELECT_IN : 0) |
            ((ready & IO_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0));
}

static void on_socket_ready(void *ctx, unsigned ready)
{
    const struct socket_ctx *socket = ctx;
    on_ready(socket->http, socket->fd, ready);
}

static struct socket_ctx *socket_of(struct io_http *http, int fd)
{
    while (http->sockets.n <= (size_t)fd) {
        VEC_PUSH(&http->arena, &http->sockets, NULL);
    }
    if (http->sockets.v[fd] == NULL) {
        http->sockets.v[fd] = ARENA_NEW(&http->arena, struct socket_ctx);
        *http->sockets.v[fd] = (struct socket_ctx){.http = http, .fd = fd};
    }
    return http->sockets.v[fd];
}

/* curl tells which sockets it waits for. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    struct io_http *http = ctx;
    struct socket_ctx *socket = socket_ctx;
    struct err ignored;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        io_loop_unwatch(http->loop, fd);
        return 0;
    }
    if (socket == NULL) {
        socket = socket_of(http, fd);
        (void)curl_multi_assign(http->multi, fd, socket);
    }
    unsigned want = ((what & CURL_POLL_IN) != 0 ? (unsigned)IO_READABLE : 0) |
                    ((what & CURL_POLL_OUT) != 0 ? (unsigned)IO_WRITABLE : 0);
    return io_loop_watch(http->loop, fd, want, on_socket_ready, socket, &ignored) ? 0 : -1;
}

static int on_curl_timeout(CURLM *multi, long timeout_ms, void *ctx)
{
    struct io_http *http = ctx;
    (void)multi;
    if (timeout_ms < 0) {
        io_timer_stop(http->loop, &http->curl_timer);
    } else {
        io_timer_set(http->loop, &http->curl_timer, io_loop_now(http->loop) + timeout_ms);
    }
    return 0;
}

static void on_curl_due(void *ctx, mono_t now)
{
    struct io_http *http = ctx;
    (void)now;
    act(http, CURL_SOCKET_TIMEOUT, 0);
}

/* Ends calls that have been silent for too long, and those that were dropped inside of curl. */
static void on_silence_due(void *ctx, mono_t now)
{
    struct io_http *http = ctx;
    for (struct call *call = http->calls, *next = NULL; call != NULL; call = next) {
        next = call->next;
        if (call->silence_ms > 0 && now - call->last >= call->silence_ms) {
            call->stopped = HTTP_TIMEOUT;
            finish(http, call, CURLE_OPERATION_TIMEDOUT);
            next = http->calls; /* the owner may have started and cancelled others */
        }
    }
    if (http->calls != NULL) {
        io_timer_set(http->loop, &http->silence_timer, now + 250);
    }
}

static void on_sweep_due(void *ctx, mono_t now)
{
    struct io_http *http = ctx;
    (void)now;
    for (struct call *call = http->calls, *next = NULL; call != NULL; call = next) {
        next = call->next;
        if (call->dropped) {
            forget(http, call);
        }
    }
}

/* ---- the client ---- */

bool io_http_new(struct io_loop *loop, const char *agent, struct io_http **ret_http,
                 struct err *err)
{
    static bool begun;
    if (!begun && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return err_set(err, ERR_IO, "libcurl does not start");
    }
    begun = true;
    CURLM *multi = curl_multi_init();
    if (multi == NULL) {
        return err_set(err, ERR_IO, "libcurl does not start");
    }
    struct arena arena = ARENA_INIT;
    struct io_http *http = ARENA_NEW(&arena, struct io_http);
    http->arena = arena;
    http->loop = loop;
    http->multi = multi;
    http->agent = str_cstr(&http->arena, str_of(agent));
    http->curl_timer = (struct io_timer){.fn = on_curl_due, .ctx = http};
    http->silence_timer = (struct io_timer){.fn = on_silence_due, .ctx = http};
    http->sweep_timer = (struct io_timer){.fn = on_sweep_due, .ctx = http};
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, http);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_curl_timeout);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERDATA, http);
    (void)curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    (void)curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 64L);
    *ret_http = http;
    return true;
}

void io_http_free(struct io_http *http)
{
    if (http == NULL) {
        return;
    }
    while (http->calls != NULL) {
        forget(http, http->calls);
    }
    (void)curl_multi_cleanup(http->multi);
    io_timer_stop(http->loop, &http->curl_timer);
    io_timer_stop(http->loop, &http->silence_timer);
    io_timer_stop(http->loop, &http->sweep_timer);
    struct arena arena = http->arena;
    arena_done(&arena);
}

static void set_request(struct call *call, const struct io_http_server *server,
                        const struct http_request *request)
{
    CURL *easy = call->easy;
    struct strbuf url = strbuf_new(&call->arena, 64 * 1024);
    strbuf_addf(&url, "%s", server->address);
    strbuf_add(&url, request->path);
    strbuf_addc(&url, '\0');
    (void)curl_easy_setopt(easy, CURLOPT_URL, url.p);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, call->http->agent);
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    (void)curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)LIMIT_HTTP_CHUNK_BYTES);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_S);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_EVERY_S);
    (void)curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket_made);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_sending);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->total_ms);
    (void)curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, server->no_compression ? NULL : "gzip");
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->why);
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, (char *)call);
    if (server->connect_to != NULL) {
        call->connect_to = curl_slist_append(NULL, server->connect_to);
        (void)curl_easy_setopt(easy, CURLOPT_CONNECT_TO, call->connect_to);
    }
    call->changes = request->method != HTTP_GET;
    set_method(easy, request);
    set_trust(easy, server);
    set_headers(call, server, request);
}

static bool is_one_line(struct str s)
{
    return str_find(s, '\r') == s.n && str_find(s, '\n') == s.n && str_find(s, '\0') == s.n;
}

static bool check_headers(const struct http_request *request, struct err *err)
{
    for (size_t i = 0; i < request->n_headers; i++) {
        const struct http_header *header = &request->headers[i];
        if (header->name.n == 0 || str_find(header->name, ':') < header->name.n ||
            !is_one_line(header->name) || !is_one_line(header->value)) {
            return err_set(err, ERR_INVALID, "header %zu (" STR_FMT ") would not be one line", i,
                           STR_ARG(str_sub(header->name, 0, 100)));
        }
    }
    return true;
}

bool io_http_start(struct io_http_server *server, const struct http_request *request,
                   const struct io_http_events *events, uint64_t *ret_id, struct err *err)
{
    struct io_http *http = server->http;
    if (http->n_calls >= LIMIT_HTTP_REQUESTS) {
        return err_set(err, ERR_LIMIT, "more than %d requests at a time (LIMIT_HTTP_REQUESTS)",
                       (int)LIMIT_HTTP_REQUESTS);
    }
    if (!check_headers(request, err)) {
        return false;
    }
    assert(http->depth == 0); /* from `end`, a timer or outside, never from `head` or `body` */
    CURL *easy = curl_easy_init();
    if (easy == NULL) {
        return err_set(err, ERR_IO, "libcurl makes no request");
    }
    struct arena arena = ARENA_INIT;
    struct call *call = ARENA_NEW(&arena, struct call);
    call->arena = arena;
    call->http = http;
    call->easy = easy;
    call->id = ++http->last_id;
    call->events = *events;
    call->body_max = request->body_max;
    call->silence_ms = request->silence_ms;
    call->last = io_loop_now(http->loop);
    set_request(call, server, request);
    call->next = http->calls;
    http->calls = call;
    http->n_calls++;
    *ret_id = call->id;
    (void)curl_multi_add_handle(http->multi, easy);
    if (http->silence_timer.place == 0) {
        io_timer_set(http->loop, &http->silence_timer, call->last + 250);
    }
    return true;
}

void io_http_cancel(struct io_http *http, uint64_t id)
{
    for (struct call *call = http->calls; call != NULL; call = call->next) {
        if (call->id == id && http->depth > 0) {
            call->dropped = true; /* curl is at work: when it has returned */
            io_timer_set(http->loop, &http->sweep_timer, io_loop_now(http->loop));
            return;
        }
        if (call->id == id) {
            forget(http, call);
            return;
        }
    }
}

uint32_t io_http_count(const struct io_http *http)
{
    return http->n_calls;
}
