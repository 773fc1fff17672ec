/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/tty.h"

#include <stdint.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/str.h"

enum { WIDTH_DEFAULT = 80, WIDTH_MIN = 20, WIDTH_MAX = 1000, HEIGHT_DEFAULT = 24, HEIGHT_MIN = 10 };

bool io_tty_is(int fd)
{
    return isatty(fd) == 1;
}

static int clamp(int64_t width)
{
    return width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : (int)width;
}

int io_tty_width(int fd)
{
    struct winsize size = {.ws_col = 0};
    int64_t columns = 0;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return clamp(size.ws_col);
    }
    if (str_to_i64(str_of(getenv("COLUMNS")), &columns) && columns > 0) {
        return clamp(columns);
    }
    return WIDTH_DEFAULT;
}

int io_tty_height(int fd)
{
    struct winsize size = {.ws_row = 0};
    const bool known = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
    const int height = known ? size.ws_row : HEIGHT_DEFAULT;
    return height < HEIGHT_MIN ? HEIGHT_MIN : height > WIDTH_MAX ? WIDTH_MAX : height;
}

bool io_tty_color(int fd, enum io_color mode)
{
    struct str no_color = str_of(getenv("NO_COLOR")), term = str_of(getenv("TERM")),
               force = str_of(getenv("CLICOLOR_FORCE"));
    if (mode != IO_COLOR_AUTO) {
        return mode == IO_COLOR_ALWAYS;
    }
    if (no_color.n > 0) {
        return false;
    }
    if (force.n > 0 && !str_eq(force, STR("0"))) {
        return true;
    }
    return term.n > 0 && !str_eq(term, STR("dumb")) && io_tty_is(fd);
}

bool io_tty_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct str locale = str_of(getenv(names[i]));
        if (locale.n > 0) {
            struct str encoding = str_sub(locale, str_find(locale, '.') + 1, locale.n);
            return (encoding.n >= 5 && strncasecmp(encoding.p, "UTF-8", 5) == 0) ||
                   (encoding.n >= 4 && strncasecmp(encoding.p, "UTF8", 4) == 0);
        }
    }
    return false;
}
