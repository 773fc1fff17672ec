/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the terminal is and can do. */
#pragma once

#include <stdbool.h>

enum io_color { IO_COLOR_AUTO, IO_COLOR_ALWAYS, IO_COLOR_NEVER };

bool io_tty_is(int fd);

/* Columns: those of the terminal at `fd`, else $COLUMNS, else 80; at least 20, at most 1000. */
int io_tty_width(int fd);

/* Lines: those of the terminal at `fd`, else 24; at least 10, at most 1000. */
int io_tty_height(int fd);

/* Whether to colour what goes to `fd`. AUTO: a terminal, NO_COLOR (https://no-color.org) not set to
 * anything, TERM set and not "dumb"; CLICOLOR_FORCE set to something other than 0 colours pipes
 * too. */
bool io_tty_color(int fd, enum io_color mode);

/* Whether the locale's encoding is UTF-8 (LC_ALL, LC_CTYPE, LANG in this order). */
bool io_tty_utf8(void);
