/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The prose of the help: topics, examples and exit codes, shown by `binpack help TOPIC`, in the man
 * page and in docs/cli.md. Markup: an empty line ends a paragraph, a line that begins with two
 * blanks is shown as it is, `x` is something to type. */
#pragma once

#include <stddef.h>

struct help_topic {
    const char *name, *title;
    const char *text;
};
extern const struct help_topic help_topics[];
extern const size_t n_help_topics;

struct help_example {
    const char *what, *command;
};
extern const struct help_example help_examples[];
extern const size_t n_help_examples;

extern const char help_purpose[]; /* one sentence */
