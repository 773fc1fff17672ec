/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/files.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "io/inputs.h"
#include "io/outfile.h"

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

bool io_file_write(const char *path, struct str bytes, struct err *err)
{
    struct io_outfile *file = NULL;
    if (!io_outfile_open(path, /* gzip= */ false, /* is_private= */ false, &file, err)) {
        return false;
    }
    if (!io_outfile_write(file, bytes, err)) {
        io_outfile_drop(file);
        return false;
    }
    return io_outfile_finish(file, err);
}

static bool cannot(const char *what, const char *path, int why, struct err *err)
{
    return err_set(err, why == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: cannot %s: %s", path, what,
                   strerror(why));
}

bool io_file_may_read(const char *path, struct err *err)
{
    return strcmp(path, "-") == 0 || access(path, R_OK) == 0 || cannot("read", path, errno, err);
}

bool io_file_may_write(const char *path, struct err *err)
{
    struct stat status;
    if (strcmp(path, "-") == 0) {
        return true;
    }
    bool is_there = stat(path, &status) == 0;
    if (is_there && S_ISDIR(status.st_mode)) {
        return cannot("write", path, EISDIR, err);
    }
    if (is_there && access(path, W_OK) != 0) {
        return cannot("write", path, errno, err);
    }
    if (is_there && !S_ISREG(status.st_mode)) {
        return true; /* a pipe or a device is written in place */
    }
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX] = ".";
    if (slash != NULL) {
        int n = snprintf(folder, sizeof folder, "%.*s", (int)(slash - path + 1), path);
        if (n < 0 || (size_t)n >= sizeof folder) {
            return cannot("write", path, ENAMETOOLONG, err);
        }
    }
    return access(folder, W_OK | X_OK) == 0 || cannot("write", path, errno, err);
}
