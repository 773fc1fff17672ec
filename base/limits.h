/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Caps on everything that comes from outside. Exceeding one is ERR_LIMIT with the name of the limit
 * and the value. They are far above what a real cluster holds and far below what would hurt. */
#pragma once

enum {
    LIMIT_OBJECT_BYTES =
        8 * 1024 *
        1024, /* one API object as JSON or YAML; etcd itself stops at 1.5 MiB by default */
    LIMIT_NESTING = 64,          /* levels of one document; Kubernetes objects need about 20 */
    LIMIT_NAME_BYTES = 253,      /* object names: DNS subdomain */
    LIMIT_LABEL_KEY_BYTES = 317, /* prefix 253 + '/' + name 63 */
    LIMIT_LABEL_VALUE_BYTES = 63,
    LIMIT_VALUE_BYTES = 64 * 1024,   /* any other string we keep */
    LIMIT_LIST_ITEMS = 10000,        /* items of one list inside an object */
    LIMIT_OBJECTS = 5 * 1000 * 1000, /* objects of one input */
    LIMIT_PODS = 1000 * 1000,    /* pods of one input, replicas of expanded workloads included */
    LIMIT_REPLICAS = 500 * 1000, /* replicas of one workload */
    LIMIT_YAML_EVENTS = 2 * 1000 * 1000, /* of one YAML document, aliases expanded */
    LIMIT_YAML_ANCHORS = 10000,          /* of one YAML document */
    LIMIT_KINDLESS_BYTES =
        64 * 1024 * 1024,        /* of list items that wait for the list to say their kind */
    LIMIT_INPUT_MIB = 64 * 1024, /* one input, unpacked */
    LIMIT_GZIP_RATIO = 500, /* unpacked to packed size; repetitive recordings reach about 100 */
    LIMIT_GZIP_FREE_BYTES = 16 * 1024 * 1024, /* unpacked, before the ratio is looked at */
    LIMIT_FILES = 100 * 1000,                 /* of one call, and names of one directory */
    LIMIT_DIRECTORY_DEPTH = 32,
    LIMIT_WARNINGS = 1000,               /* printed one by one; the rest is counted */
    LIMIT_VOCABULARY = 20 * 1000 * 1000, /* distinct strings */
    LIMIT_CATALOG_BYTES = 512 * 1024 * 1024,
    LIMIT_INSTANCE_TYPES = 20000,
    LIMIT_HTTP_REQUESTS = 256,            /* under way at a time */
    LIMIT_CALLS_WAITING = 4096,           /* for the rate of requests to allow them */
    LIMIT_HTTP_HEADER_BYTES = 64 * 1024,  /* of one answer, all header lines together */
    LIMIT_HTTP_CHUNK_BYTES = 16 * 1024,   /* handed over in one piece */
    LIMIT_STATUS_BYTES = 64 * 1024,       /* of the body of a refusal that is kept for its text */
    LIMIT_LIST_HEAD_BYTES = 64 * 1024,    /* of a list of the API server, without its items */
    LIMIT_PAGE_BYTES = 256 * 1024 * 1024, /* of one page of a list, unpacked */
    LIMIT_KUBECONFIGS = 64,               /* files of $KUBECONFIG */
    LIMIT_KUBECONFIG_BYTES = 16 * 1024 * 1024, /* one kubeconfig file */
    LIMIT_CREDENTIAL_BYTES = 1024 * 1024, /* a token, a certificate, what an exec plugin prints */
    LIMIT_SERVE_CONNECTIONS = 64,         /* to our own HTTP server, at a time */
    LIMIT_SERVE_PER_ADDRESS = 32,         /* of them from one address */
    LIMIT_SERVE_MEMORY_BYTES = 32 * 1024, /* of one of them, for the head of a request */
    LIMIT_DESCRIPTORS = 16 * 1024,        /* numbers of descriptors that the loop watches */
    LIMIT_ZONES = 64,
    LIMIT_AWS_REPLY_BYTES = 64 * 1024 * 1024, /* one reply, unpacked; the largest pages have 5 MB */
    LIMIT_AWS_PAGES = 10 * 1000,              /* of one call */
    LIMIT_AWS_ELEMENTS = 1000 * 1000, /* XML elements of one reply; large ones have 100,000 */
    LIMIT_AWS_REQUEST_BYTES = 4 * 1024 * 1024 /* one request; EC2 itself takes about 1 MB */
};
