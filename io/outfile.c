/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* mkostemp */
#include "io/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/arena.h"
#include "io/files.h"

enum { BUFFER = 64 * 1024, GZIP_LEVEL = 6, GZIP_WINDOW = 15 + 16 /* with gzip's header */ };

struct io_outfile {
    struct arena arena;
    const char *path;         /* as given, for messages */
    char place[PATH_MAX];     /* what it becomes */
    char temporary[PATH_MAX]; /* empty: written in place */
    mode_t mode;
    int fd;
    bool gzip;
    z_stream packer;
    size_t n; /* in `buffer` */
    unsigned char buffer[BUFFER];
};

static bool fail(const char *what, const struct io_outfile *file, struct err *err)
{
    return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s: %s", file->path, what,
                   strerror(errno));
}

/* ---- opening ---- */

/* The permissions a new file gets. */
static mode_t default_mode(bool is_private)
{
    mode_t mask = umask(0);
    (void)umask(mask);
    return (is_private ? 0600 : 0666) & ~mask;
}

static bool open_in_place(struct io_outfile *file, struct err *err)
{
    bool is_stdout = strcmp(file->path, "-") == 0;
    file->fd = is_stdout ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                         : open(file->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return file->fd >= 0 || fail("cannot open for writing", file, err);
}

static bool open_beside(struct io_outfile *file, struct err *err)
{
    int n = snprintf(file->temporary, sizeof file->temporary, "%s.XXXXXX", file->place);
    if (n < 0 || (size_t)n >= sizeof file->temporary) {
        file->temporary[0] = '\0';
        errno = ENAMETOOLONG;
        return fail("cannot write", file, err);
    }
    file->fd = mkostemp(file->temporary, O_CLOEXEC);
    if (file->fd < 0) {
        file->temporary[0] = '\0';
        return fail("cannot create a file beside it", file, err);
    }
    return true;
}

static bool open_file(struct io_outfile *file, bool is_private, struct err *err)
{
    struct stat status;
    if (strcmp(file->path, "-") == 0) {
        return open_in_place(file, err);
    }
    if (stat(file->path, &status) != 0) {
        int n = snprintf(file->place, sizeof file->place, "%s", file->path);
        if (n < 0 || (size_t)n >= sizeof file->place) {
            errno = ENAMETOOLONG;
            return fail("cannot write", file, err);
        }
        file->mode = default_mode(is_private);
        return open_beside(file, err);
    }
    if (S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        return fail("cannot write", file, err);
    }
    if (!S_ISREG(status.st_mode)) {
        return open_in_place(file, err);
    }
    file->mode = status.st_mode & 07777;
    if (realpath(file->path, file->place) == NULL) {
        return fail("cannot resolve", file, err);
    }
    return open_beside(file, err);
}

bool io_outfile_open(const char *path, bool gzip, bool is_private, struct io_outfile **ret_file,
                     struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct io_outfile *file = ARENA_NEW(&arena, struct io_outfile);
    file->fd = -1;
    file->path = str_cstr(&arena, str_of(path));
    file->arena = arena;
    if (gzip && deflateInit2(&file->packer, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8,
                             Z_DEFAULT_STRATEGY) != Z_OK) {
        io_outfile_drop(file);
        return err_set(err, ERR_IO, "%s: zlib does not start", path);
    }
    file->gzip = gzip;
    if (!open_file(file, is_private, err)) {
        io_outfile_drop(file);
        return false;
    }
    *ret_file = file;
    return true;
}

/* ---- writing ---- */

static bool empty_buffer(struct io_outfile *file, struct err *err)
{
    struct str bytes = {.p = (const char *)file->buffer, .n = file->n};
    file->n = 0;
    return io_fd_write(file->fd, file->path, bytes, err);
}

/* How: Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH. */
static bool pack(struct io_outfile *file, struct str bytes, int how, struct err *err)
{
    file->packer.next_in = (unsigned char *)(uintptr_t)bytes.p;
    file->packer.avail_in = (unsigned)bytes.n;
    do {
        if (file->n == BUFFER && !empty_buffer(file, err)) {
            return false;
        }
        file->packer.next_out = file->buffer + file->n;
        file->packer.avail_out = (unsigned)(BUFFER - file->n);
        (void)deflate(&file->packer, how);
        file->n = BUFFER - file->packer.avail_out;
    } while (file->n == BUFFER);
    return true;
}

bool io_outfile_write(struct io_outfile *file, struct str bytes, struct err *err)
{
    while (bytes.n > 0) {
        struct str part = str_sub(bytes, 0, BUFFER);
        bytes = str_sub(bytes, part.n, bytes.n);
        if (file->gzip) {
            if (!pack(file, part, Z_NO_FLUSH, err)) {
                return false;
            }
            continue;
        }
        if (file->n + part.n > BUFFER && !empty_buffer(file, err)) {
            return false;
        }
        memcpy(file->buffer + file->n, part.p, part.n);
        file->n += part.n;
    }
    return true;
}

bool io_outfile_flush(struct io_outfile *file, struct err *err)
{
    return (!file->gzip || pack(file, STR_EMPTY, Z_SYNC_FLUSH, err)) && empty_buffer(file, err);
}

static void release(struct io_outfile *file)
{
    if (file->gzip) {
        (void)deflateEnd(&file->packer);
    }
    struct arena arena = file->arena;
    arena_done(&arena);
}

static bool put_in_place(struct io_outfile *file, struct err *err)
{
    bool beside = file->temporary[0] != '\0';
    if (beside && (fchmod(file->fd, file->mode) != 0 || fsync(file->fd) != 0)) {
        return fail("cannot write", file, err);
    }
    int closed = close(file->fd);
    file->fd = -1;
    if (closed != 0) {
        return fail("cannot write", file, err);
    }
    return !beside || rename(file->temporary, file->place) == 0 ||
           fail("cannot replace", file, err);
}

bool io_outfile_finish(struct io_outfile *file, struct err *err)
{
    if ((file->gzip && !pack(file, STR_EMPTY, Z_FINISH, err)) || !empty_buffer(file, err) ||
        !put_in_place(file, err)) {
        io_outfile_drop(file);
        return false;
    }
    release(file);
    return true;
}

void io_outfile_drop(struct io_outfile *file)
{
    if (file == NULL) {
        return;
    }
    if (file->fd >= 0) {
        (void)close(file->fd);
    }
    if (file->temporary[0] != '\0') {
        (void)unlink(file->temporary);
    }
    release(file);
}
