/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/service/sandbox_view.h"

#include <unistd.h>

#include "base/arena.h"
#include "io/clock.h"
#include "io/files.h"
#include "io/keys.h"
#include "io/tty.h"
#include "provisioner/sandbox/screen.h"

enum {
    FRAME_MS = 100,
    SPEED_FIRST = 300, /* six hours in 72 seconds */
    SPEED_MAX = 10000,
    STEP_MS = 10 * 1000, /* of the world, with the key s */
    FRAME_MAX = 1 << 20
};

struct view {
    struct sandbox *sandbox;
    const struct sandbox_options *options;
    struct screen screen;
    mono_t at; /* of the world */
    bool left;
};

bool sandbox_view_possible(void)
{
    return io_tty_is(STDIN_FILENO) && io_tty_is(STDOUT_FILENO);
}

static void advance(struct view *view, int64_t ms)
{
    view->at = sat_add(view->at, ms);
    view->screen.over = view->screen.over || !sandbox_advance(view->sandbox, view->at);
}

static void press(struct view *view, int key)
{
    struct screen *screen = &view->screen;
    switch (key) {
    case ' ':
        screen->paused = !screen->paused;
        break;
    case 's':
        screen->paused = true;
        advance(view, STEP_MS);
        break;
    case '+':
        screen->speed = screen->speed * 2 > SPEED_MAX ? SPEED_MAX : screen->speed * 2;
        break;
    case '-':
        screen->speed = screen->speed > 1 ? screen->speed / 2 : 1;
        break;
    case 'q':
    case -1:
        view->left = true;
        break;
    default:
        break;
    }
}

static bool draw(struct view *view, struct err *err)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf frame = strbuf_new(&arena, FRAME_MAX);
    view->screen.width = io_tty_width(STDOUT_FILENO);
    view->screen.height = io_tty_height(STDOUT_FILENO);
    screen_draw(view->sandbox, view->options, &view->screen, &frame);
    return io_fd_write(STDOUT_FILENO, "terminal", strbuf_str(&frame), err);
}

static bool watch(struct view *view, struct err *err)
{
    mono_t then = io_clock_mono();
    while (!view->left) {
        if (!draw(view, err)) {
            return false;
        }
        press(view, io_keys_wait(FRAME_MS));
        const mono_t now = io_clock_mono();
        const int64_t passed = now - then < 5 * FRAME_MS ? now - then : 5 * FRAME_MS;
        then = now;
        if (!view->screen.paused && !view->screen.over) {
            advance(view, passed * view->screen.speed);
        }
    }
    return true;
}

bool sandbox_view(const struct sandbox_options *options, struct sandbox_report *ret_report,
                  struct err *err)
{
    struct view view = {
        .options = options,
        .screen = {.speed = SPEED_FIRST, .color = io_tty_color(STDOUT_FILENO, IO_COLOR_AUTO)}};
    view.sandbox = sandbox_new(options, err);
    if (view.sandbox == NULL) {
        return false;
    }
    bool good = io_keys_begin() || err_set(err, ERR_IO, "the terminal cannot be taken over");
    good = good && watch(&view, err);
    io_keys_end();
    *ret_report = *sandbox_look(view.sandbox);
    sandbox_free(view.sandbox);
    return good;
}
