/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The syntax of names, label keys and label values, as the API server checks it
 * (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and .../labels/). */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* NULL when `text` is right, otherwise what is wrong with it, to be put behind the quoted value;
 * static text. */
const char *k8s_name_fault(struct str text);        /* DNS-1123 subdomain, 1..253 bytes */
const char *k8s_dns_label_fault(struct str text);   /* DNS-1123 label, 1..63 bytes */
const char *k8s_label_key_fault(struct str text);   /* qualified name: [prefix/]name */
const char *k8s_label_value_fault(struct str text); /* empty, or 1..63 bytes */
const char *k8s_printable_fault(struct str text);   /* no control characters */
