/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Our CustomResourceDefinitions, written from the schema tables: what `binpack validate` checks is
 * what an API server is told. They behave as the ones of Karpenter v1.14 do (names, versions,
 * defaults, rules, columns of kubectl get, subresources); the words are ours. */
#pragma once

#include "base/str.h"

/* Appends all of them as YAML documents. `arena` is for scratch. */
struct arena;
void k8s_crds_write(struct arena *arena, struct strbuf *out);
