/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything that explains the program, made from the option table and the topics. Pure: text into
 * a buffer. */
#pragma once

#include <stdbool.h>

#include "binpack/cli/options.h"
#include "binpack/view/text.h"

/* The few lines for somebody who typed `binpack` and nothing else. */
void help_short(struct strbuf *b);

/* --help: examples, commands, and the options of the command (of simulate when none was given). */
void help_full(const struct options *options, const struct text_look *look, struct strbuf *b);

/* `binpack help TOPIC`: a topic, a command, or an option ("--gap" or "gap"). False with a
 * suggestion when there is none such. "man" and "markdown" give the man page (mdoc) and
 * docs/cli.md. */
MUST_CHECK bool help_topic(struct str topic, const struct text_look *look, struct strbuf *b,
                           struct err *err);

void help_topic_list(const struct text_look *look, struct strbuf *b);

void help_man(struct strbuf *b);      /* mdoc(7), clean under mandoc -T lint */
void help_markdown(struct strbuf *b); /* docs/cli.md */
void help_option_value(const struct option_row *row, struct strbuf *b); /* "--gap=PCT" */
