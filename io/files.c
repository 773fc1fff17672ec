/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* mkostemp */
#include "io/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "io/inputs.h"
#include "io/signals.h"

static bool fail(const char *what, const char *path, struct err *err)
{
    return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s: %s", path, what,
                   strerror(errno));
}

bool io_fd_write(int fd, const char *name, struct str bytes, struct err *err)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail("cannot write", name, err);
        }
        bytes = str_sub(bytes, (size_t)n, bytes.n);
    }
    return true;
}

struct whole {
    struct arena *arena;
    size_t max;
    struct str *ret_bytes;
};

static bool read_whole(void *ctx, const struct io_input *input, struct err *err)
{
    struct whole *whole = ctx;
    size_t cap = 64 * 1024, n = 0, got = 1;
    char *bytes = arena_alloc(whole->arena, cap);
    while (got > 0) {
        if (n + 1 == cap) {
            bytes = arena_grow(whole->arena, bytes, cap, cap * 2);
            cap *= 2;
        }
        if (!input->source.read(input->source.ctx, bytes + n, cap - n - 1, &got, err)) {
            return err_wrap(err, "%s", input->name);
        }
        n += got;
        if (n > whole->max) {
            return err_set(err, ERR_LIMIT, "%s: more than %zu bytes", input->name, whole->max);
        }
    }
    bytes[n] = '\0';
    *whole->ret_bytes = (struct str){.p = bytes, .n = n};
    return true;
}

bool io_file_read(const char *path, size_t max_bytes, struct arena *arena, struct str *ret_bytes,
                  struct err *err)
{
    struct whole whole = {.arena = arena, .max = max_bytes, .ret_bytes = ret_bytes};
    return io_input_open(path, 0, read_whole, &whole, err);
}

static bool write_in_place(const char *path, struct str bytes, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return fail("cannot open for writing", path, err);
    }
    bool good = io_fd_write(fd, path, bytes, err);
    if (close(fd) != 0 && good) {
        good = fail("cannot write", path, err);
    }
    return good;
}

static bool fill_temporary(int fd, const char *path, mode_t mode, struct str bytes, struct err *err)
{
    if (!io_fd_write(fd, path, bytes, err)) {
        return false;
    }
    return (fchmod(fd, mode) == 0 && fsync(fd) == 0) || fail("cannot write", path, err);
}

/* The permissions a new file gets. */
static mode_t default_mode(void)
{
    mode_t mask = umask(0);
    (void)umask(mask);
    return 0666 & ~mask;
}

static bool replace(const char *path, mode_t mode, struct str bytes, struct err *err)
{
    char temporary[PATH_MAX];
    int n = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    if (n < 0 || (size_t)n >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return fail("cannot write", path, err);
    }
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        return fail("cannot create a file beside it", path, err);
    }
    bool good = fill_temporary(fd, path, mode, bytes, err);
    if (close(fd) != 0 && good) {
        good = fail("cannot write", path, err);
    }
    if (good && rename(temporary, path) != 0) {
        good = fail("cannot replace", path, err);
    }
    if (!good) {
        (void)unlink(temporary);
    }
    return good;
}

bool io_file_write(const char *path, struct str bytes, struct err *err)
{
    char real[PATH_MAX];
    struct stat status;
    if (stat(path, &status) != 0) {
        return replace(path, default_mode(), bytes, err);
    }
    if (S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        return fail("cannot write", path, err);
    }
    if (!S_ISREG(status.st_mode)) {
        return write_in_place(path, bytes, err);
    }
    if (realpath(path, real) == NULL) {
        return fail("cannot resolve", path, err);
    }
    return replace(real, status.st_mode & 07777, bytes, err);
}
