/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "io/tty.h"

static void set(const char *name, const char *value)
{
    if (value == NULL) {
        (void)unsetenv(name);
    } else {
        (void)setenv(name, value, 1);
    }
}

static void colour_follows_the_environment(void **state)
{
    (void)state;
    static const struct {
        const char *no_color, *term, *force;
        enum io_color mode;
        bool expected; /* on a pipe */
    } rows[] = {
        {NULL, "xterm", NULL, IO_COLOR_AUTO, false}, {NULL, "xterm", NULL, IO_COLOR_ALWAYS, true},
        {NULL, "xterm", "1", IO_COLOR_AUTO, true},   {NULL, "xterm", "0", IO_COLOR_AUTO, false},
        {"1", "xterm", "1", IO_COLOR_AUTO, false},   {"1", "xterm", NULL, IO_COLOR_ALWAYS, true},
        {"", "xterm", "1", IO_COLOR_AUTO, true},     {NULL, "dumb", "1", IO_COLOR_NEVER, false},
        {NULL, NULL, NULL, IO_COLOR_AUTO, false},
    };
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set("NO_COLOR", rows[i].no_color);
        set("TERM", rows[i].term);
        set("CLICOLOR_FORCE", rows[i].force);
        if (io_tty_color(pipes[1], rows[i].mode) != rows[i].expected) {
            fail_msg("row %zu", i);
        }
    }
    assert_false(io_tty_is(pipes[1]));
    (void)close(pipes[0]);
    (void)close(pipes[1]);
}

static void width_follows_the_environment_without_a_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *columns;
        int width;
    } rows[] = {{NULL, 80}, {"120", 120}, {"5", 20}, {"100000", 1000},
                {"-3", 80}, {"wide", 80}, {"", 80}};
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set("COLUMNS", rows[i].columns);
        assert_int_equal(io_tty_width(fd), rows[i].width);
    }
    (void)close(fd);
}

static void encoding_follows_the_locale(void **state)
{
    (void)state;
    static const struct {
        const char *all, *ctype, *lang;
        bool utf8;
    } rows[] = {{NULL, NULL, "en_US.UTF-8", true}, {NULL, NULL, "C", false},
                {"C", NULL, "en_US.UTF-8", false}, {"", "de_DE.utf8", NULL, true},
                {NULL, NULL, NULL, false},         {NULL, NULL, "C.UTF-8", true},
                {NULL, NULL, "UTF-8", false},      {NULL, "POSIX", "C.UTF-8", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set("LC_ALL", rows[i].all);
        set("LC_CTYPE", rows[i].ctype);
        set("LANG", rows[i].lang);
        if (io_tty_utf8() != rows[i].utf8) {
            fail_msg("row %zu", i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colour_follows_the_environment),
        cmocka_unit_test(width_follows_the_environment_without_a_terminal),
        cmocka_unit_test(encoding_follows_the_locale),
    };
    return cmocka_run_group_tests_name("tty", tests, NULL, NULL);
}
