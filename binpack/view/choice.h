/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Something that could be bought: its name for a person, and a list of them as JSON. */
#pragma once

#include "base/jsonw.h"
#include "base/str.h"
#include "binpack/plan/plan.h"

/* "c6a.large spot us-east-1a" */
struct str choice_text(const struct plan *plan, const struct plan_choice *choice,
                       struct arena *arena);

/* The member "cheapest" of an object. */
void choices_json(const struct plan *plan, const struct plan_choice *choices, uint32_t n,
                  struct jsonw *w);
