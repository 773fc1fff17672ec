/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kubeconfigs: where an API server is, how to trust it and how to be trusted by it.
 * https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
 *
 * Several files are one configuration: of entries with one name the first file's counts, and so
 * does the first current-context. Nothing is opened here: what lies in files or comes from a
 * program is described, and io brings it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/units.h"

struct arena;

/* One file; `folder` is where its relative paths begin. */
struct k8s_config_file {
    struct str path, folder, text;
};

/* Bytes that are given, or lie in a file; neither: absent. */
struct k8s_bytes {
    struct str bytes; /* inline data wins over a file, as in client-go */
    struct str path;
};

/* A program that prints an ExecCredential:
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
struct k8s_exec {
    struct str command; /* empty: there is none */
    struct str
        folder; /* of the kubeconfig: a command with a '/' that is not absolute begins there */
    struct str api_version;  /* client.authentication.k8s.io/v1 or v1beta1 */
    struct str install_hint; /* for a person who lacks the program; may be empty */
    uint32_t n_args, n_env;
    const struct str *args;
    const struct str *env; /* "NAME=value" */
    bool never_interactive;
    bool always_interactive;
    bool wants_cluster; /* provideClusterInfo */
};

struct k8s_access {
    struct str source;      /* "context prod of /home/ann/.kube/config", for messages */
    struct str server;      /* "https://host:port", no slash at the end */
    struct str server_name; /* name in the certificate, when not the host */
    struct str proxy;
    struct k8s_bytes ca, cert, key;
    struct k8s_bytes token;
    struct str user, password; /* basic authentication */
    struct k8s_exec exec;
    bool insecure, no_compression;
    struct str ns;        /* of the context; may be empty */
    uint32_t n_as;        /* impersonation: header lines, "Impersonate-User: jane" */
    const struct str *as; /* [n_as] */
};

/* The access that `context` (empty: current-context) stands for. Everything is in `arena`. Errors
 * name file and field: ERR_PARSE (no YAML or JSON), ERR_INVALID (a wrong type, base64 that is none,
 * an address that is none), ERR_NOT_FOUND (no such context, cluster or user; no current-context),
 * ERR_UNSUPPORTED (auth-provider), ERR_LIMIT. */
MUST_CHECK bool k8s_kubeconfig_read(const struct k8s_config_file *files, uint32_t n_files,
                                    struct str context, struct arena *arena,
                                    struct k8s_access *ret_access, struct err *err);

/* What a pod inside of the cluster has. `host` and `port` as the environment says them; the token
 * and the CA lie in `folder`. */
MUST_CHECK bool k8s_in_cluster(struct str host, struct str port, struct str folder,
                               struct arena *arena, struct k8s_access *ret_access, struct err *err);

/* What an exec plugin said. Absent texts are empty. */
struct k8s_exec_credential {
    struct str token, cert_pem, key_pem;
    struct opt_wall expires;
};
MUST_CHECK bool k8s_exec_credential_read(struct str text, struct str api_version,
                                         struct arena *arena,
                                         struct k8s_exec_credential *ret_credential,
                                         struct err *err);

/* The value of KUBERNETES_EXEC_INFO for the program. `ca_pem` as read. */
struct str k8s_exec_info(const struct k8s_access *access, struct str ca_pem, bool interactive,
                         struct arena *arena);
