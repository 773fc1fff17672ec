/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scenarios that come with the program: the files of scenarios/, as texts. */
#pragma once

#include <stddef.h>

struct scenario_text {
    const char *name, *text;
};
extern const struct scenario_text scenario_texts[]; /* the first is the default */
extern const size_t n_scenario_texts;
