/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A directory of its own for a test, removed with all that is in it. */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/str.h"

struct scratch {
    char path[64];
};

/* "<scratch>/<name>" in static storage: one of the last four calls. */
static UNUSED const char *scratch_file(const struct scratch *scratch, const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, PATH_MAX, "%s/%s", scratch->path, name);
    return path;
}

static UNUSED bool scratch_init(struct scratch *scratch)
{
    (void)snprintf(scratch->path, sizeof scratch->path, "/tmp/binpack-test-XXXXXX");
    return mkdtemp(scratch->path) != NULL;
}

static UNUSED bool scratch_write(const struct scratch *scratch, const char *name, struct str bytes)
{
    FILE *file = fopen(scratch_file(scratch, name), "w");
    bool good = file != NULL && fwrite(bytes.p == NULL ? "" : bytes.p, 1, bytes.n, file) == bytes.n;
    return file != NULL && fclose(file) == 0 && good;
}

static UNUSED void scratch_remove(const char *path)
{
    DIR *directory = opendir(path);
    const struct dirent *entry = NULL;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char child[PATH_MAX];
        struct stat status;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        (void)snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        if (lstat(child, &status) == 0 && S_ISDIR(status.st_mode)) {
            scratch_remove(child);
        } else {
            (void)unlink(child);
        }
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
    (void)rmdir(path);
}
