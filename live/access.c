/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "live/access.h"

#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/limits.h"
#include "base/vec.h"
#include "io/child.h"
#include "io/environment.h"
#include "io/files.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/tty.h"
#include "k8s/kubeconfig.h"

#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

enum {
    PLUGIN_MS = 5 * 60 * 1000, /* it may ask a person for a code */
    TOKEN_FILE_MS = 60 * 1000, /* kubelets renew tokens in files long before they end */
    EARLY_MS = 60 * 1000
};

struct live_access {
    struct arena arena;
    struct io_loop *loop;
    struct io_http *http;
    struct live_access_settings settings;
    struct k8s_access config;
    struct str ca_pem;
    struct io_http_server *server;
    struct str cert_pem; /* what `server` was made with */
    struct arena cert_arena;
    mono_t renew_at;
};

/* ---- finding ---- */

static struct str folder_of(struct str path)
{
    size_t n = path.n;
    while (n > 0 && path.p[n - 1] != '/') {
        n--;
    }
    return n == 0 ? STR(".") : n == 1 ? STR("/") : str_sub(path, 0, n - 1);
}

/* Missing files are passed over unless they were asked for by name. */
static bool read_config(struct arena *arena, struct str path, bool must,
                        struct k8s_config_file *files, uint32_t *n_files, struct err *err)
{
    struct k8s_config_file file = {.path = path, .folder = folder_of(path)};
    if (io_file_read(str_cstr(arena, path), LIMIT_KUBECONFIG_BYTES, arena, &file.text, err)) {
        files[(*n_files)++] = file;
        return true;
    }
    return !must && err->code == ERR_NOT_FOUND;
}

static bool read_list(struct arena *arena, struct str list, struct k8s_config_file *files,
                      uint32_t *n_files, struct err *err)
{
    for (size_t at = 0; at < list.n;) {
        struct str rest = str_sub(list, at, list.n);
        struct str path = str_sub(rest, 0, str_find(rest, ':'));
        at += path.n + 1;
        if (*n_files == LIMIT_KUBECONFIGS) {
            return err_set(err, ERR_LIMIT, "KUBECONFIG: more than %d files (LIMIT_KUBECONFIGS)",
                           (int)LIMIT_KUBECONFIGS);
        }
        if (path.n > 0 && !read_config(arena, path, /* must= */ false, files, n_files, err)) {
            return false;
        }
    }
    return true;
}

static struct str home_config(struct arena *arena)
{
    struct str home = io_environment("HOME");
    struct strbuf b = strbuf_new(arena, 4096);
    strbuf_addf(&b, STR_FMT "/.kube/config", STR_ARG(home));
    return home.n > 0 ? strbuf_str(&b) : STR_EMPTY;
}

static bool nothing_found(struct str list, struct str home, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND,
                   "no kubeconfig: %s" STR_FMT "%s" STR_FMT
                   "%s there, and this is no pod of a cluster; name one with --kubeconfig",
                   list.n > 0 ? "KUBECONFIG (" : "KUBECONFIG is not set and ", STR_ARG(list),
                   list.n > 0 ? ") names none that is" : "", STR_ARG(list.n > 0 ? STR_EMPTY : home),
                   list.n > 0   ? ""
                   : home.n > 0 ? " is not"
                                : "HOME neither, so no file is");
}

static bool find_access(struct live_access *access, struct err *err)
{
    struct arena *arena = &access->arena;
    struct k8s_config_file files[LIMIT_KUBECONFIGS + 1];
    uint32_t n_files = 0;
    struct str list = io_environment("KUBECONFIG"), home = home_config(arena);
    const struct live_access_settings *settings = &access->settings;
    if (settings->kubeconfig.n > 0) {
        if (!read_config(arena, settings->kubeconfig, /* must= */ true, files, &n_files, err)) {
            return err_wrap(err, "kubeconfig");
        }
    } else if (list.n > 0) {
        if (!read_list(arena, list, files, &n_files, err)) {
            return err_wrap(err, "kubeconfig");
        }
    } else if (home.n > 0 && !read_config(arena, home, /* must= */ false, files, &n_files, err)) {
        return err_wrap(err, "kubeconfig");
    }
    if (n_files > 0) {
        return k8s_kubeconfig_read(files, n_files, settings->context, arena, &access->config, err);
    }
    struct str host = io_environment("KUBERNETES_SERVICE_HOST");
    if (host.n == 0) {
        return nothing_found(list, home, err);
    }
    return k8s_in_cluster(host, io_environment("KUBERNETES_SERVICE_PORT"),
                          settings->folder.n > 0 ? settings->folder : STR(SERVICE_ACCOUNT), arena,
                          &access->config, err);
}

/* ---- reading what is pointed to ---- */

static bool read_bytes(const struct k8s_bytes *bytes, const char *what, struct arena *arena,
                       struct str *ret_bytes, struct err *err)
{
    *ret_bytes = bytes->bytes;
    return bytes->path.n == 0 ||
           io_file_read(str_cstr(arena, bytes->path), LIMIT_CREDENTIAL_BYTES, arena, ret_bytes,
                        err) ||
           err_wrap(err, "%s", what);
}

static bool run_plugin(struct live_access *access, struct arena *arena,
                       struct k8s_exec_credential *ret_credential, struct err *err)
{
    const struct k8s_exec *exec = &access->config.exec;
    const char **argv = ARENA_ARRAY(arena, const char *, exec->n_args + 2);
    const char **env = ARENA_ARRAY(arena, const char *, exec->n_env + 2);
    bool interactive =
        access->settings.may_ask && !exec->never_interactive && io_tty_is(STDIN_FILENO);
    struct str output, command = exec->command;
    struct strbuf path = strbuf_new(arena, 8192),
                  info = strbuf_new(arena, 8 * LIMIT_CREDENTIAL_BYTES);
    if (exec->always_interactive && !interactive) {
        return err_set(err, ERR_INVALID,
                       "exec plugin " STR_FMT " wants to ask a person, and there is no terminal",
                       STR_ARG(command));
    }
    if (str_find(command, '/') < command.n && command.p[0] != '/') {
        strbuf_addf(&path, STR_FMT "/" STR_FMT, STR_ARG(exec->folder), STR_ARG(command));
        command = strbuf_str(&path);
    }
    strbuf_add(&info, STR("KUBERNETES_EXEC_INFO="));
    strbuf_add(&info, k8s_exec_info(&access->config, access->ca_pem, interactive, arena));
    argv[0] = str_cstr(arena, command);
    for (uint32_t i = 0; i < exec->n_args; i++) {
        argv[i + 1] = str_cstr(arena, exec->args[i]);
    }
    env[0] = str_cstr(arena, strbuf_str(&info));
    for (uint32_t i = 0; i < exec->n_env; i++) {
        env[i + 1] = str_cstr(arena, exec->env[i]);
    }
    struct io_child_command child = {.argv = argv,
                                     .env = env,
                                     .share_stdin = interactive,
                                     .timeout_ms = PLUGIN_MS,
                                     .output_max = LIMIT_CREDENTIAL_BYTES};
    if (!io_child_run(access->loop, &child, arena, &output, err)) {
        if (err->code == ERR_NOT_FOUND && exec->install_hint.n > 0) {
            struct err why = *err;
            (void)err_set(err, ERR_NOT_FOUND, "%s; " STR_FMT, why.text,
                          STR_ARG(str_sub(exec->install_hint, 0, 400)));
        }
        return err_wrap(err, "exec plugin");
    }
    return k8s_exec_credential_read(output, exec->api_version, arena, ret_credential, err) ||
           err_wrap(err, "exec plugin " STR_FMT, STR_ARG(exec->command));
}

/* ---- the server ---- */

/* A client certificate is part of the connection: with another one there is another server. */
static void use_certificate(struct live_access *access, struct str cert_pem, struct str key_pem)
{
    const struct k8s_access *config = &access->config;
    if (access->server != NULL && str_eq(access->cert_pem, cert_pem)) {
        return;
    }
    struct io_http_settings settings = {
        .address = config->server,
        .ca_pem = access->ca_pem,
        .cert_pem = cert_pem,
        .key_pem = key_pem,
        .server_name = config->server_name,
        .proxy = config->proxy,
        .insecure = config->insecure,
        .no_compression = config->no_compression,
    };
    io_http_server_free(access->server);
    access->server = io_http_server_new(access->http, &settings);
    for (uint32_t i = 0; i < config->n_as; i++) {
        io_http_server_add_header(access->server, config->as[i]);
    }
    arena_reset(&access->cert_arena);
    access->cert_pem = str_copy(&access->cert_arena, cert_pem);
}

static void use_authorization(const struct live_access *access, struct str token,
                              struct arena *arena)
{
    const struct k8s_access *config = &access->config;
    struct strbuf b = strbuf_new(arena, 2 * LIMIT_CREDENTIAL_BYTES);
    token = str_trim(token);
    if (token.n > 0) {
        strbuf_add(&b, STR("Bearer "));
        strbuf_add(&b, token);
    } else if (config->user.n > 0) {
        struct strbuf pair = strbuf_new(arena, LIMIT_CREDENTIAL_BYTES);
        strbuf_add(&pair, config->user);
        strbuf_addc(&pair, ':');
        strbuf_add(&pair, config->password);
        strbuf_add(&b, STR("Basic "));
        strbuf_add(&b, base64_encode(strbuf_str(&pair), arena));
    }
    io_http_server_authorize(access->server, strbuf_str(&b));
}

bool live_access_renew(struct live_access *access, struct err *err)
{
    auto_arena arena = ARENA_INIT;
    const struct k8s_access *config = &access->config;
    struct str cert = STR_EMPTY, key = STR_EMPTY, token = STR_EMPTY;
    mono_t now = io_loop_now(access->loop);
    access->renew_at = now + TOKEN_FILE_MS; /* also after a failure */
    if (!read_bytes(&config->cert, "client certificate", &arena, &cert, err) ||
        !read_bytes(&config->key, "client key", &arena, &key, err) ||
        !read_bytes(&config->token, "token", &arena, &token, err)) {
        return false;
    }
    bool in_files = config->cert.path.n + config->key.path.n + config->token.path.n > 0;
    access->renew_at = in_files ? now + TOKEN_FILE_MS : INT64_MAX;
    if (config->exec.command.n > 0) {
        struct k8s_exec_credential credential = {.token = STR_EMPTY};
        access->renew_at = now + TOKEN_FILE_MS;
        if (!run_plugin(access, &arena, &credential, err)) {
            return false;
        }
        token = credential.token;
        cert = credential.cert_pem.n > 0 ? credential.cert_pem : cert;
        key = credential.cert_pem.n > 0 ? credential.key_pem : key;
        int64_t rest = credential.expires.has
                           ? credential.expires.v - io_loop_wall(access->loop) - EARLY_MS
                           : INT64_MAX;
        rest = rest < TOKEN_FILE_MS ? (int64_t)TOKEN_FILE_MS : rest;
        access->renew_at = sat_add(io_loop_now(access->loop), rest);
    }
    use_certificate(access, cert, key);
    use_authorization(access, token, &arena);
    return true;
}

bool live_access_open(struct io_loop *loop, struct io_http *http,
                      const struct live_access_settings *settings, struct live_access **ret_access,
                      struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct live_access *access = ARENA_NEW(&arena, struct live_access);
    access->arena = arena;
    access->cert_arena = ARENA_INIT;
    access->loop = loop;
    access->http = http;
    access->settings = *settings;
    if (!find_access(access, err)) {
        live_access_free(access);
        return false;
    }
    if (!read_bytes(&access->config.ca, "certificate authority", &access->arena, &access->ca_pem,
                    err) ||
        !live_access_renew(access, err)) {
        (void)err_wrap(err, STR_FMT, STR_ARG(access->config.source));
        live_access_free(access);
        return false;
    }
    *ret_access = access;
    return true;
}

void live_access_free(struct live_access *access)
{
    if (access != NULL) {
        io_http_server_free(access->server);
        arena_done(&access->cert_arena);
        struct arena arena = access->arena;
        arena_done(&arena);
    }
}

struct io_http_server *live_access_server(const struct live_access *access)
{
    return access->server;
}

mono_t live_access_renew_at(const struct live_access *access)
{
    return access->renew_at;
}

struct str live_access_source(const struct live_access *access)
{
    return access->config.source;
}

struct str live_access_address(const struct live_access *access)
{
    return access->config.server;
}

struct str live_access_ca(const struct live_access *access)
{
    return access->ca_pem;
}

struct str live_access_namespace(const struct live_access *access)
{
    return access->config.ns;
}
