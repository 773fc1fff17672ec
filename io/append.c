/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/append.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "io/files.h"

struct io_append {
    struct arena arena;
    char *path;
    int fd;
};

bool io_append_open(struct str path, struct io_append **ret_file, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct io_append *file = ARENA_NEW(&arena, struct io_append);
    file->arena = arena;
    file->path = str_cstr(&file->arena, path);
    file->fd = str_eq(path, STR("stdout")) ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
               : str_eq(path, STR("stderr"))
                   ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
                   : open(file->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (file->fd < 0) {
        const int fault = errno;
        (void)err_set(err, fault == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: cannot open: %s",
                      file->path, strerror(fault));
        io_append_close(file);
        return false;
    }
    *ret_file = file;
    return true;
}

bool io_append_continues(const struct io_append *file)
{
    return lseek(file->fd, 0, SEEK_END) > 0;
}

bool io_append_write(struct io_append *file, struct str bytes, struct err *err)
{
    return io_fd_write(file->fd, file->path, bytes, err);
}

void io_append_close(struct io_append *file)
{
    if (file != NULL) {
        if (file->fd >= 0) {
            (void)close(file->fd);
        }
        struct arena arena = file->arena;
        arena_done(&arena);
    }
}
