/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* pipe2, environ */
#include "io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "io/loop.h"
#include "io/signals.h"

struct child {
    struct io_loop *loop;
    const struct io_child_command *command;
    struct io_timer timer;
    struct strbuf output;
    pid_t pid;
    int out_fd, pid_fd;
    int status; /* of waitpid */
    bool ended, drained, late;
};

static void on_output(void *ctx, unsigned ready)
{
    struct child *child = ctx;
    char bytes[4096];
    (void)ready;
    ssize_t n = read(child->out_fd, bytes, sizeof bytes);
    if (n > 0) {
        strbuf_add(&child->output, (struct str){.p = bytes, .n = (size_t)n});
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        child->drained = true;
        io_loop_unwatch(child->loop, child->out_fd);
    }
}

static void on_ended(void *ctx, unsigned ready)
{
    struct child *child = ctx;
    (void)ready;
    if (waitpid(child->pid, &child->status, WNOHANG) == child->pid) {
        child->ended = true;
        io_loop_unwatch(child->loop, child->pid_fd);
    }
}

static void on_late(void *ctx, mono_t now)
{
    struct child *child = ctx;
    (void)now;
    child->late = true;
}

/* Our environment with the command's on top of it. */
static char **environment(const struct io_child_command *command, struct arena *arena)
{
    size_t n = 0, n_more = 0;
    while (environ[n] != NULL) {
        n++;
    }
    while (command->env != NULL && command->env[n_more] != NULL) {
        n_more++;
    }
    char **env = ARENA_ARRAY(arena, char *, n + n_more + 1);
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        bool replaced = false;
        size_t name = (size_t)(strchrnul(environ[i], '=') - environ[i]) + 1;
        for (size_t k = 0; k < n_more; k++) {
            replaced = replaced || strncmp(command->env[k], environ[i], name) == 0;
        }
        if (!replaced) {
            env[at++] = environ[i];
        }
    }
    for (size_t k = 0; k < n_more; k++) {
        env[at++] = (char *)(uintptr_t)command->env[k];
    }
    return env;
}

/* The program begins with signals as if we had caught and blocked none. */
static int spawn(struct child *child, int write_fd, struct arena *arena)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    (void)sigemptyset(&none);
    (void)sigemptyset(&defaults);
    (void)sigaddset(&defaults, SIGINT);
    (void)sigaddset(&defaults, SIGTERM);
    (void)sigaddset(&defaults, SIGPIPE);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setsigdefault(&attributes, &defaults);
    (void)posix_spawn_file_actions_adddup2(&actions, write_fd, STDOUT_FILENO);
    if (!child->command->share_stdin) {
        (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    }
    int code = posix_spawnp(&child->pid, child->command->argv[0], &actions, &attributes,
                            (char *const *)(uintptr_t)child->command->argv,
                            environment(child->command, arena));
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    return code;
}

static bool start(struct child *child, struct arena *arena, struct err *err)
{
    const char *name = child->command->argv[0];
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) {
        return err_set(err, ERR_IO, "%s: %s", name, strerror(errno));
    }
    int code = spawn(child, fds[1], arena);
    (void)close(fds[1]);
    if (code != 0) {
        (void)close(fds[0]);
        child->pid = 0;
        return err_set(err, code == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", name,
                       strerror(code));
    }
    child->out_fd = fds[0];
    (void)fcntl(child->out_fd, F_SETFL, O_NONBLOCK);
    child->pid_fd = (int)syscall(SYS_pidfd_open, child->pid, 0U);
    if (child->pid_fd < 0) {
        return err_set(err, ERR_IO, "%s: cannot watch the process: %s", name, strerror(errno));
    }
    io_timer_set(child->loop, &child->timer, io_loop_now(child->loop) + child->command->timeout_ms);
    return io_loop_watch(child->loop, child->out_fd, IO_READABLE, on_output, child, err) &&
           io_loop_watch(child->loop, child->pid_fd, IO_READABLE, on_ended, child, err);
}

static bool wait_for(struct child *child, struct err *err)
{
    const char *name = child->command->argv[0];
    /* A grandchild may keep the pipe open: what matters is the end of the program itself. */
    while (!child->ended) {
        if (!io_loop_turn(child->loop, err)) {
            return false;
        }
        if (io_signals_interrupted()) {
            return err_set(err, ERR_CANCELLED, "%s: interrupted", name);
        }
        if (child->late) {
            return err_set(err, ERR_IO, "%s: has not ended after %lld s", name,
                           (long long)child->command->timeout_ms / 1000);
        }
        if (child->output.overflow) {
            return err_set(err, ERR_LIMIT, "%s: prints more than %zu bytes", name,
                           child->command->output_max);
        }
    }
    for (size_t before = SIZE_MAX; !child->drained && before != child->output.n;) {
        before = child->output.n;
        on_output(child, IO_READABLE);
    }
    if (child->output.overflow) {
        return err_set(err, ERR_LIMIT, "%s: prints more than %zu bytes", name,
                       child->command->output_max);
    }
    if (WIFSIGNALED(child->status)) {
        return err_set(err, ERR_IO, "%s: ended by signal %d", name, WTERMSIG(child->status));
    }
    if (WEXITSTATUS(child->status) != 0) {
        return err_set(err, ERR_IO, "%s: exit status %d", name, WEXITSTATUS(child->status));
    }
    return true;
}

static void clean(struct child *child)
{
    io_timer_stop(child->loop, &child->timer);
    if (child->pid_fd >= 0) {
        io_loop_unwatch(child->loop, child->pid_fd);
        (void)close(child->pid_fd);
    }
    if (child->out_fd >= 0) {
        io_loop_unwatch(child->loop, child->out_fd);
        (void)close(child->out_fd);
    }
    if (child->pid > 0 && !child->ended) {
        (void)kill(child->pid, SIGKILL);
        (void)waitpid(child->pid, &child->status, 0);
    }
}

bool io_child_run(struct io_loop *loop, const struct io_child_command *command, struct arena *arena,
                  struct str *ret_output, struct err *err)
{
    struct child child = {.loop = loop,
                          .command = command,
                          .output = strbuf_new(arena, command->output_max),
                          .out_fd = -1,
                          .pid_fd = -1};
    child.timer = (struct io_timer){.fn = on_late, .ctx = &child};
    bool good = start(&child, arena, err) && wait_for(&child, err);
    clean(&child);
    if (good) {
        *ret_output = strbuf_str(&child.output);
    }
    return good;
}
