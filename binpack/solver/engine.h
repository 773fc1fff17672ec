/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine under bp_solve: the same interface for problems without groups (n_groups is not looked
 * at).
 *
 * reduce -> first plan (ffd) -> column generation -> diving -> whole numbers of nodes -> local
 * search, in turns with those, until the gap is proven or the budget of work is used. When the plan
 * has to obey rules that the bound may not use (see bp_red.relaxed), a second column generation
 * without those rules makes the bound. When pods stay unplaced, the bound is made for the pods that
 * are placed.
 *
 * An engine holds GLPK objects of the thread that steps it; when another thread steps it, they are
 * built again there. Free it on the thread that stepped it last, or its GLPK memory stays until
 * that thread ends. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binpack/solver/solve.h"

struct bp_engine; /* opaque */

/* As bp_solve_new. */
MUST_CHECK bool bp_engine_new(const struct bp_problem *problem, const struct bp_options *options,
                              struct bp_engine **ret_engine, struct err *err);
bool bp_engine_step(struct bp_engine *engine, uint64_t work);
void bp_engine_cancel(struct bp_engine *engine);
void bp_engine_progress(const struct bp_engine *engine, struct bp_progress *ret_progress);
const char *bp_engine_warning(const struct bp_engine *engine);
uint64_t bp_engine_arena_bytes(const struct bp_engine *engine);
void bp_engine_result(const struct bp_engine *engine, struct arena *arena,
                      struct bp_solution *ret_solution);
void bp_engine_free(struct bp_engine *engine); /* NULL is fine */
