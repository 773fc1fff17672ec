/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/kubeconfig.h"

#include <jansson.h>
#include <string.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/docs.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "base/rfc3339.h"
#include "base/vec.h"

/* An entry of a list of named things, with the file it is in. */
struct entry {
    const json_t *value; /* NULL: not there */
    const struct k8s_config_file *file;
};

struct reading {
    const struct k8s_config_file *files;
    json_t **documents; /* [n_files] */
    uint32_t n_files;
    struct arena *arena;
    struct err *err;
};

/* ---- fields ---- */

static bool read_text(struct reading *r, const struct entry *entry, const struct json_at *object,
                      const char *key, struct str *ret_text)
{
    struct json_at at = json_at_member(object, key);
    struct str text = STR_EMPTY;
    bool has = false;
    *ret_text = STR_EMPTY;
    if (!json_read_str(&at, &has, &text, r->err)) {
        return err_wrap(r->err, STR_FMT, STR_ARG(entry->file->path));
    }
    if (memchr(text.p == NULL ? "" : text.p, '\0', text.n) != NULL) {
        return err_set(r->err, ERR_INVALID, STR_FMT ": %s: has a NUL in it",
                       STR_ARG(entry->file->path), key);
    }
    *ret_text = str_copy(r->arena, text);
    return true;
}

static bool read_flag(struct reading *r, const struct entry *entry, const struct json_at *object,
                      const char *key, bool *ret_flag)
{
    struct json_at at = json_at_member(object, key);
    bool has = false;
    return json_read_bool(&at, &has, ret_flag, r->err) ||
           err_wrap(r->err, STR_FMT, STR_ARG(entry->file->path));
}

/* Paths in a kubeconfig begin where the file is. */
static struct str resolve(struct arena *arena, struct str folder, struct str path)
{
    if (path.n == 0 || path.p[0] == '/' || folder.n == 0) {
        return path;
    }
    struct strbuf b = strbuf_new(arena, folder.n + path.n + 2);
    strbuf_add(&b, folder);
    strbuf_addc(&b, '/');
    strbuf_add(&b, path);
    return str_copy(arena, strbuf_str(&b));
}

/* `key` names a file, `key`-data holds base64. */
static bool read_bytes(struct reading *r, const struct entry *entry, const struct json_at *object,
                       const char *key, struct k8s_bytes *ret_bytes)
{
    char data_key[64];
    struct str path = STR_EMPTY, data = STR_EMPTY;
    int n = snprintf(data_key, sizeof data_key, "%s-data", key);
    if (n < 0 || !read_text(r, entry, object, key, &path) ||
        !read_text(r, entry, object, data_key, &data)) {
        return false;
    }
    if (data.n > 0 && !base64_decode(data, r->arena, &ret_bytes->bytes)) {
        return err_set(r->err, ERR_INVALID, STR_FMT ": %s: not base64", STR_ARG(entry->file->path),
                       data_key);
    }
    ret_bytes->path = data.n > 0 ? STR_EMPTY : resolve(r->arena, entry->file->folder, path);
    return true;
}

/* ---- entries ---- */

/* {name: N, <what>: {...}} of `list`, in the first file that has one. */
static bool find_entry(struct reading *r, const char *list, const char *what, struct str name,
                       struct entry *ret_entry)
{
    for (uint32_t i = 0; i < r->n_files; i++) {
        const json_t *entries = json_object_get(r->documents[i], list);
        for (size_t k = 0; k < json_array_size(entries); k++) {
            const json_t *entry = json_array_get(entries, k);
            const json_t *own = json_object_get(entry, "name");
            const json_t *value = json_object_get(entry, what);
            if (json_is_string(own) && json_is_object(value) &&
                str_eq(name,
                       (struct str){.p = json_string_value(own), .n = json_string_length(own)})) {
                *ret_entry = (struct entry){.value = value, .file = &r->files[i]};
                return true;
            }
        }
    }
    return err_set(r->err, ERR_NOT_FOUND,
                   "the kubeconfig has no %s \"" STR_FMT "\" (" STR_FMT "%s)", what, STR_ARG(name),
                   STR_ARG(r->files[0].path), r->n_files > 1 ? ", ..." : "");
}

static bool current_context(struct reading *r, struct str *ret_name)
{
    for (uint32_t i = 0; i < r->n_files; i++) {
        struct json_at root = json_at_root(r->documents[i]);
        struct entry entry = {.file = &r->files[i]};
        if (!read_text(r, &entry, &root, "current-context", ret_name)) {
            return false;
        }
        if (ret_name->n > 0) {
            return true;
        }
    }
    return err_set(r->err, ERR_NOT_FOUND,
                   STR_FMT "%s: current-context is not set; choose one with --context",
                   STR_ARG(r->files[0].path), r->n_files > 1 ? ", ..." : "");
}

/* ---- cluster ---- */

static bool address_is_good(struct str server)
{
    size_t scheme = str_starts(server, STR("https://"))  ? 8
                    : str_starts(server, STR("http://")) ? 7
                                                         : 0;
    if (scheme == 0 || server.n == scheme) {
        return false;
    }
    for (size_t i = 0; i < server.n; i++) {
        if (server.p[i] <= ' ' || server.p[i] == 127 || server.p[i] == '?' || server.p[i] == '#') {
            return false;
        }
    }
    return server.p[scheme] != '/';
}

static bool read_cluster(struct reading *r, struct str name, struct k8s_access *access)
{
    struct entry entry = {.value = NULL};
    if (!find_entry(r, "clusters", "cluster", name, &entry)) {
        return false;
    }
    struct json_at at = json_at_root(entry.value);
    if (!read_text(r, &entry, &at, "server", &access->server) ||
        !read_text(r, &entry, &at, "tls-server-name", &access->server_name) ||
        !read_text(r, &entry, &at, "proxy-url", &access->proxy) ||
        !read_flag(r, &entry, &at, "insecure-skip-tls-verify", &access->insecure) ||
        !read_flag(r, &entry, &at, "disable-compression", &access->no_compression) ||
        !read_bytes(r, &entry, &at, "certificate-authority", &access->ca)) {
        return false;
    }
    while (str_ends(access->server, STR("/"))) {
        access->server.n--;
    }
    if (!address_is_good(access->server)) {
        return err_set(r->err, ERR_INVALID,
                       STR_FMT ": cluster \"" STR_FMT "\": server: \"" STR_FMT
                               "\" is no address such as https://host:6443",
                       STR_ARG(entry.file->path), STR_ARG(name), STR_ARG(access->server));
    }
    return true;
}

/* ---- user ---- */

static bool read_strings(struct reading *r, const struct entry *entry, const struct json_at *object,
                         const char *key, const struct str **ret_texts, uint32_t *ret_n)
{
    struct json_at list = json_at_member(object, key);
    size_t n = json_at_count(&list);
    *ret_texts = NULL;
    *ret_n = 0;
    if (list.v != NULL && !json_is_array(list.v)) {
        (void)json_fail(r->err, ERR_INVALID, &list, "expected an array, got %s",
                        json_type_text(list.v));
        return err_wrap(r->err, STR_FMT, STR_ARG(entry->file->path));
    }
    if (n > LIMIT_LIST_ITEMS) {
        return err_set(r->err, ERR_LIMIT, STR_FMT ": %s: more than %d items (LIMIT_LIST_ITEMS)",
                       STR_ARG(entry->file->path), key, (int)LIMIT_LIST_ITEMS);
    }
    struct str *texts = ARENA_ARRAY(r->arena, struct str, n);
    for (size_t i = 0; i < n; i++) {
        struct json_at at = json_at_element(&list, i);
        if (!json_read_str(&at, NULL, &texts[i], r->err)) {
            return err_wrap(r->err, STR_FMT, STR_ARG(entry->file->path));
        }
        texts[i] = str_copy(r->arena, texts[i]);
    }
    *ret_texts = texts;
    *ret_n = (uint32_t)n;
    return true;
}

/* env: [{name, value}] as NAME=value. */
static bool read_env(struct reading *r, const struct entry *entry, const struct json_at *exec,
                     struct k8s_exec *ret_exec)
{
    struct json_at list = json_at_member(exec, "env");
    size_t n = json_is_array(list.v) ? json_at_count(&list) : 0;
    n = n > LIMIT_LIST_ITEMS ? (size_t)LIMIT_LIST_ITEMS : n;
    struct str *env = ARENA_ARRAY(r->arena, struct str, n);
    for (size_t i = 0; i < n; i++) {
        struct json_at at = json_at_element(&list, i);
        struct str name = STR_EMPTY, value = STR_EMPTY;
        if (!read_text(r, entry, &at, "name", &name) ||
            !read_text(r, entry, &at, "value", &value)) {
            return false;
        }
        struct strbuf b = strbuf_new(r->arena, name.n + value.n + 1);
        strbuf_add(&b, name);
        strbuf_addc(&b, '=');
        strbuf_add(&b, value);
        env[i] = str_copy(r->arena, strbuf_str(&b));
    }
    ret_exec->env = env;
    ret_exec->n_env = (uint32_t)n;
    return true;
}

static bool read_exec(struct reading *r, const struct entry *entry, const struct json_at *user,
                      struct k8s_exec *ret_exec)
{
    struct json_at at = json_at_member(user, "exec");
    struct str mode = STR_EMPTY;
    if (at.v == NULL) {
        return true;
    }
    if (!read_text(r, entry, &at, "command", &ret_exec->command) ||
        !read_text(r, entry, &at, "apiVersion", &ret_exec->api_version) ||
        !read_text(r, entry, &at, "installHint", &ret_exec->install_hint) ||
        !read_text(r, entry, &at, "interactiveMode", &mode) ||
        !read_flag(r, entry, &at, "provideClusterInfo", &ret_exec->wants_cluster) ||
        !read_strings(r, entry, &at, "args", &ret_exec->args, &ret_exec->n_args) ||
        !read_env(r, entry, &at, ret_exec)) {
        return false;
    }
    ret_exec->never_interactive = str_eq(mode, STR("Never"));
    ret_exec->always_interactive = str_eq(mode, STR("Always"));
    ret_exec->folder = entry->file->folder;
    if (ret_exec->command.n == 0) {
        return err_set(r->err, ERR_INVALID, STR_FMT ": exec.command: required",
                       STR_ARG(entry->file->path));
    }
    if (!str_eq(ret_exec->api_version, STR("client.authentication.k8s.io/v1")) &&
        !str_eq(ret_exec->api_version, STR("client.authentication.k8s.io/v1beta1"))) {
        return err_set(r->err, ERR_UNSUPPORTED,
                       STR_FMT ": exec.apiVersion: \"" STR_FMT
                               "\" is not client.authentication.k8s.io/v1 or v1beta1",
                       STR_ARG(entry->file->path), STR_ARG(ret_exec->api_version));
    }
    return true;
}

struct lines {
    VEC(struct str) v;
};

static bool add_line(struct reading *r, struct lines *lines, const char *header, struct str value)
{
    for (size_t i = 0; i < value.n; i++) {
        if ((unsigned char)value.p[i] < ' ') {
            return err_set(r->err, ERR_INVALID, "%s: has a control character in it", header);
        }
    }
    struct strbuf b = strbuf_new(r->arena, value.n + 128);
    strbuf_addf(&b, "%s: ", header);
    strbuf_add(&b, value);
    VEC_PUSH(r->arena, &lines->v, str_copy(r->arena, strbuf_str(&b)));
    return true;
}

/* as, as-uid, as-groups: https://kubernetes.io/docs/reference/access-authn-authz/authentication/ */
static bool read_impersonation(struct reading *r, const struct entry *entry,
                               const struct json_at *user, struct k8s_access *access)
{
    struct lines lines = {.v = {.v = NULL}};
    struct str as = STR_EMPTY, uid = STR_EMPTY;
    const struct str *groups = NULL;
    uint32_t n_groups = 0;
    struct json_at extra = json_at_member(user, "as-user-extra");
    if (json_at_count(&extra) > 0) {
        return err_set(r->err, ERR_UNSUPPORTED, STR_FMT ": as-user-extra is not supported",
                       STR_ARG(entry->file->path));
    }
    if (!read_text(r, entry, user, "as", &as) || !read_text(r, entry, user, "as-uid", &uid) ||
        !read_strings(r, entry, user, "as-groups", &groups, &n_groups)) {
        return false;
    }
    if ((as.n > 0 && !add_line(r, &lines, "Impersonate-User", as)) ||
        (uid.n > 0 && !add_line(r, &lines, "Impersonate-Uid", uid))) {
        return false;
    }
    for (uint32_t i = 0; i < n_groups; i++) {
        if (!add_line(r, &lines, "Impersonate-Group", groups[i])) {
            return false;
        }
    }
    access->as = lines.v.v;
    access->n_as = (uint32_t)lines.v.n;
    return true;
}

static bool read_user(struct reading *r, struct str name, struct k8s_access *access)
{
    struct entry entry = {.value = NULL};
    if (!find_entry(r, "users", "user", name, &entry)) {
        return false;
    }
    struct json_at at = json_at_root(entry.value);
    struct json_at provider = json_at_member(&at, "auth-provider");
    if (!read_bytes(r, &entry, &at, "client-certificate", &access->cert) ||
        !read_bytes(r, &entry, &at, "client-key", &access->key) ||
        !read_text(r, &entry, &at, "token", &access->token.bytes) ||
        !read_text(r, &entry, &at, "tokenFile", &access->token.path) ||
        !read_text(r, &entry, &at, "username", &access->user) ||
        !read_text(r, &entry, &at, "password", &access->password) ||
        !read_exec(r, &entry, &at, &access->exec) || !read_impersonation(r, &entry, &at, access)) {
        return false;
    }
    /* Unlike elsewhere, a token's file wins over the token, because the file changes. */
    access->token.path = resolve(r->arena, entry.file->folder, access->token.path);
    access->token.bytes = access->token.path.n > 0 ? STR_EMPTY : access->token.bytes;
    if (provider.v != NULL && access->exec.command.n == 0) {
        return err_set(r->err, ERR_UNSUPPORTED,
                       STR_FMT ": user \"" STR_FMT "\": auth-provider has been removed from "
                               "Kubernetes; use an exec plugin",
                       STR_ARG(entry.file->path), STR_ARG(name));
    }
    return true;
}

/* ---- all of it ---- */

static bool read_context(struct reading *r, struct str name, struct k8s_access *access)
{
    struct entry entry = {.value = NULL};
    struct str cluster = STR_EMPTY, user = STR_EMPTY;
    if (name.n == 0 && !current_context(r, &name)) {
        return false;
    }
    if (!find_entry(r, "contexts", "context", name, &entry)) {
        return false;
    }
    struct json_at at = json_at_root(entry.value);
    if (!read_text(r, &entry, &at, "cluster", &cluster) ||
        !read_text(r, &entry, &at, "user", &user) ||
        !read_text(r, &entry, &at, "namespace", &access->ns) || !read_cluster(r, cluster, access) ||
        (user.n > 0 && !read_user(r, user, access))) {
        return false;
    }
    struct strbuf source = strbuf_new(r->arena, 8192);
    strbuf_addf(&source, "context " STR_FMT " of " STR_FMT, STR_ARG(name),
                STR_ARG(entry.file->path));
    access->source = strbuf_str(&source);
    return true;
}

bool k8s_kubeconfig_read(const struct k8s_config_file *files, uint32_t n_files, struct str context,
                         struct arena *arena, struct k8s_access *ret_access, struct err *err)
{
    struct k8s_access access = {.insecure = false};
    struct reading r = {.files = files,
                        .documents = ARENA_ARRAY(arena, json_t *, n_files),
                        .arena = arena,
                        .err = err};
    bool good = n_files > 0 || err_set(err, ERR_NOT_FOUND, "no kubeconfig");
    for (; good && r.n_files < n_files; r.n_files++) {
        json_t **document = &r.documents[r.n_files];
        good =
            docs_read_one(files[r.n_files].text, document, err) &&
            (json_is_object(*document) ||
             err_set(err, ERR_PARSE, "expected a kubeconfig, got %s", json_type_text(*document)));
        if (!good) {
            (void)err_wrap(err, STR_FMT, STR_ARG(files[r.n_files].path));
        }
    }
    good = good && read_context(&r, context, &access);
    for (uint32_t i = 0; i < n_files; i++) {
        json_decref(r.documents[i]);
    }
    if (good) {
        *ret_access = access;
    }
    return good;
}

bool k8s_in_cluster(struct str host, struct str port, struct str folder, struct arena *arena,
                    struct k8s_access *ret_access, struct err *err)
{
    struct strbuf server = strbuf_new(arena, 1024);
    bool v6 = str_find(host, ':') < host.n;
    strbuf_addf(&server, "https://%s" STR_FMT "%s:" STR_FMT, v6 ? "[" : "", STR_ARG(host),
                v6 ? "]" : "", STR_ARG(port));
    struct k8s_access access = {
        .source = STR("the service account of this pod"),
        .server = strbuf_str(&server),
        .ca = {.path = resolve(arena, folder, STR("ca.crt"))},
        .token = {.path = resolve(arena, folder, STR("token"))},
    };
    if (server.overflow || host.n == 0 || port.n == 0 || !address_is_good(access.server)) {
        return err_set(
            err, ERR_INVALID,
            "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT make no address: \"" STR_FMT
            "\", \"" STR_FMT "\"",
            STR_ARG(host), STR_ARG(port));
    }
    *ret_access = access;
    return true;
}

/* ---- exec plugins ---- */

static bool credential_text(const struct json_at *status, const char *key, struct arena *arena,
                            struct str *ret_text, struct err *err)
{
    struct json_at at = json_at_member(status, key);
    struct str text = STR_EMPTY;
    bool has = false;
    if (!json_read_str(&at, &has, &text, err)) {
        return false;
    }
    *ret_text = str_copy(arena, text);
    return true;
}

static bool read_credential(const json_t *root, struct str api_version, struct arena *arena,
                            struct k8s_exec_credential *credential, struct err *err)
{
    struct json_at at = json_at_root(root);
    struct json_at status = json_at_member(&at, "status");
    struct str kind, version, expires;
    if (!credential_text(&at, "kind", arena, &kind, err) ||
        !credential_text(&at, "apiVersion", arena, &version, err) ||
        !credential_text(&status, "token", arena, &credential->token, err) ||
        !credential_text(&status, "clientCertificateData", arena, &credential->cert_pem, err) ||
        !credential_text(&status, "clientKeyData", arena, &credential->key_pem, err) ||
        !credential_text(&status, "expirationTimestamp", arena, &expires, err)) {
        return false;
    }
    if (!str_eq(kind, STR("ExecCredential")) || !str_eq(version, api_version)) {
        return err_set(err, ERR_INVALID,
                       "expected an ExecCredential of " STR_FMT ", got kind \"" STR_FMT
                       "\", apiVersion \"" STR_FMT "\"",
                       STR_ARG(api_version), STR_ARG(kind), STR_ARG(version));
    }
    if (credential->token.n == 0 && credential->cert_pem.n == 0) {
        return err_set(err, ERR_INVALID, "the ExecCredential has neither token nor certificate");
    }
    if ((credential->cert_pem.n == 0) != (credential->key_pem.n == 0)) {
        return err_set(err, ERR_INVALID, "the ExecCredential has a certificate or a key, not both");
    }
    if (expires.n > 0) {
        credential->expires.has = rfc3339_parse(expires, &credential->expires.v, err);
        return credential->expires.has || err_wrap(err, "status.expirationTimestamp");
    }
    return true;
}

bool k8s_exec_credential_read(struct str text, struct str api_version, struct arena *arena,
                              struct k8s_exec_credential *ret_credential, struct err *err)
{
    auto_json *root = NULL;
    struct k8s_exec_credential credential = {.token = STR_EMPTY};
    if (!json_decode_text(text, arena, &root, err) ||
        !read_credential(root, api_version, arena, &credential, err)) {
        return false;
    }
    *ret_credential = credential;
    return true;
}

struct str k8s_exec_info(const struct k8s_access *access, struct str ca_pem, bool interactive,
                         struct arena *arena)
{
    struct strbuf b = strbuf_new(arena, 4 * LIMIT_CREDENTIAL_BYTES);
    struct jsonw w = jsonw_new(&b, JSONW_COMPACT);
    jsonw_object_begin(&w);
    jsonw_key_str(&w, "apiVersion", access->exec.api_version);
    jsonw_key_str(&w, "kind", STR("ExecCredential"));
    jsonw_key_object(&w, "spec");
    jsonw_key_bool(&w, "interactive", interactive);
    if (access->exec.wants_cluster) {
        jsonw_key_object(&w, "cluster");
        jsonw_key_str(&w, "server", access->server);
        if (access->server_name.n > 0) {
            jsonw_key_str(&w, "tls-server-name", access->server_name);
        }
        if (access->insecure) {
            jsonw_key_bool(&w, "insecure-skip-tls-verify", true);
        }
        if (ca_pem.n > 0) {
            jsonw_key_str(&w, "certificate-authority-data", base64_encode(ca_pem, arena));
        }
        if (access->proxy.n > 0) {
            jsonw_key_str(&w, "proxy-url", access->proxy);
        }
        jsonw_object_end(&w);
    }
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    return str_trim(strbuf_str(&b));
}
