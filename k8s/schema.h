/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules that the CRDs of Karpenter state, for objects that no API server has seen: NodePool,
 * NodeClaim, NodeOverlay, CapacityBuffer, EC2NodeClass.
 *
 * Every property of a spec is a row: path, type, required or not, limits, choices, pattern, and the
 * rules that the CRD writes in CEL, re-coded as functions. Fields that the CRD does not know are
 * reported too, as kubectl does. Rules about changes of an object (immutable fields) are listed but
 * cannot fail here. Status is not checked: nobody applies it. What only Karpenter refuses, after
 * the API server has taken it, is reported too and says so. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;

struct k8s_violation {
    struct str path; /* "spec.template.spec.requirements[1].operator" */
    struct str
        rule; /* "required", "pattern", "cel:a691217b", "unknown", ...: see k8s_schema_rule */
    struct str text; /* for a person; names the value */
    bool
        accepted_by_server; /* an API server with the CRD takes it, and Karpenter refuses it then */
};

enum { K8S_SCHEMA_MAX_VIOLATIONS = 100 }; /* of one object; what comes after is not looked for */

/* Checks one object, {kind, spec, ...}. False: the kind has no schema here. Otherwise
 * *ret_violations is an array in `arena`, in the order of the object's fields, empty when
 * everything holds. */
bool k8s_schema_check(struct arena *arena, const json_t *object,
                      const struct k8s_violation **ret_violations, uint32_t *ret_n);

/* One rule of the tables, for documentation and for the test that compares them with the CRDs.
 * Patterns and CEL rules are named by the first eight hexadecimal digits of the SHA-256 of their
 * text. */
struct k8s_schema_rule {
    const char *kind, *path;
    char rule[160];   /* "default:..." as JSON, "type:string", "minimum:1", "enum:a,b",
                         "pattern:8bd9bfc0", "cel:53f953b3" */
    const char *text; /* of patterns and CEL rules, else NULL */
};

/* Rule number i; false when there are no more. */
bool k8s_schema_rule(uint32_t i, struct k8s_schema_rule *ret_rule);
