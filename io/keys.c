/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/keys.h"

#include <errno.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include "base/str.h"
#include "io/files.h"
#include "io/signals.h"

/* The alternate screen, without a cursor; and back. */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"

static struct termios before;
static bool taken;

static void say(struct str text)
{
    struct err err;
    const bool said = io_fd_write(STDOUT_FILENO, "terminal", text, &err);
    (void)said; /* The next frame finds out. */
}

bool io_keys_begin(void)
{
    struct termios raw;
    if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1 ||
        tcgetattr(STDIN_FILENO, &before) != 0) {
        return false;
    }
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0) {
        return false;
    }
    taken = true;
    say(STR(ENTER));
    return true;
}

void io_keys_end(void)
{
    if (taken) {
        say(STR(LEAVE));
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
        taken = false;
    }
}

int io_keys_wait(int64_t timeout_ms)
{
    struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
    unsigned char key = 0;
    const int n = poll(&fd, 1, (int)timeout_ms);
    if (io_signals_interrupted() || (n < 0 && errno != EINTR)) {
        return -1;
    }
    if (n <= 0) {
        return 0;
    }
    return read(STDIN_FILENO, &key, 1) == 1 ? key : -1;
}
