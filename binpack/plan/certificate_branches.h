/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part of a certificate that knows the rules of groups: rules, cells and branches
 * (docs/plan.md; struct bp_certificate). */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "binpack/solver/problem.h"

struct arena;

/* Members "groups", "cells" and "branches" of the object that is open; nothing without branches. */
void certificate_branches_write(const struct bp_problem *problem,
                                const struct bp_certificate *certificate, struct jsonw *w,
                                struct arena *scratch);

/* Sets n_branches and branches, in `arena`; 0 when the document has none. Whether they prove
 * anything is for bp_verify to say. Errors: ERR_INVALID, ERR_LIMIT, ERR_CONFLICT (other numbers of
 * cells, limits or offerings than the problem has) naming the path. */
MUST_CHECK bool certificate_branches_read(const struct bp_problem *problem,
                                          const struct json_at *root, struct arena *arena,
                                          struct bp_certificate *certificate, struct err *err);
