/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/inputs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/vec.h"
#include "io/gunzip.h"

struct inputs {
    io_input_fn fn;
    void *ctx;
    uint32_t n; /* inputs so far */
    bool stdin_read;
};

struct names {
    VEC(char *) list;
};

static bool fail(const char *path, struct err *err)
{
    return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: cannot read: %s", path,
                   strerror(errno));
}

static bool read_fd(int fd, const char *name, uint32_t index, io_input_fn fn, void *ctx,
                    struct err *err)
{
    struct stat status;
    struct gunzip *gunzip = gunzip_new(fd);
    bool sized = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
    struct io_input input = {.name = name,
                             .index = index,
                             .size_bytes = sized ? (uint64_t)status.st_size : 0,
                             .n_read = gunzip_n_read(gunzip),
                             .source = gunzip_source(gunzip)};
    bool good = fn(ctx, &input, err);
    gunzip_free(gunzip);
    return good;
}

/* The name as it may be shown. */
static char *shown(struct arena *arena, const char *path)
{
    char *name = str_cstr(arena, str_of(path));
    for (char *p = name; *p != '\0'; p++) {
        *p = (unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p;
    }
    return name;
}

bool io_input_open(const char *path, uint32_t index, io_input_fn fn, void *ctx, struct err *err)
{
    auto_arena arena = ARENA_INIT;
    if (strcmp(path, "-") == 0) {
        return read_fd(STDIN_FILENO, "stdin", index, fn, ctx, err);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return fail(path, err);
    }
    bool good = read_fd(fd, shown(&arena, path), index, fn, ctx, err);
    (void)close(fd);
    return good;
}

static bool read_file(struct inputs *inputs, const char *path, struct err *err)
{
    if (inputs->n >= LIMIT_FILES) {
        return err_set(err, ERR_LIMIT, "%s: more than %d input files (LIMIT_FILES)", path,
                       (int)LIMIT_FILES);
    }
    return io_input_open(path, inputs->n++, inputs->fn, inputs->ctx, err);
}

static bool has_input_name(struct str name)
{
    static const struct str endings[] = {STR(".json"), STR(".yaml"), STR(".yml"), STR(".ndjson"),
                                         STR(".jsonl")};
    if (str_ends(name, STR(".gz"))) {
        name = str_sub(name, 0, name.n - 3);
    }
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (str_ends(name, endings[i])) {
            return true;
        }
    }
    return false;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a directory that do not begin with a dot, sorted. */
static bool list_directory(const char *path, struct arena *arena, struct names *ret_names,
                           struct err *err)
{
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return fail(path, err);
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (entry == NULL) {
            break;
        }
        if (entry->d_name[0] != '.') {
            VEC_PUSH(arena, &ret_names->list, str_cstr(arena, str_of(entry->d_name)));
        }
        if (ret_names->list.n > LIMIT_FILES) {
            (void)closedir(directory);
            return err_set(err, ERR_LIMIT, "%s: more than %d names in a directory (LIMIT_FILES)",
                           path, (int)LIMIT_FILES);
        }
    }
    bool good = errno == 0 || fail(path, err);
    (void)closedir(directory);
    if (good && ret_names->list.n > 0) {
        qsort(ret_names->list.v, ret_names->list.n, sizeof *ret_names->list.v, compare_names);
    }
    return good;
}

static bool read_directory(struct inputs *inputs, const char *path, int depth, struct err *err);

/* An entry of a directory: a file with the right name (links are followed), or a directory (they
 * are not). */
static bool read_entry(struct inputs *inputs, const char *path, int depth, struct err *err)
{
    struct stat link, target;
    if (lstat(path, &link) != 0) {
        return fail(path, err);
    }
    if (S_ISDIR(link.st_mode)) {
        return read_directory(inputs, path, depth + 1, err);
    }
    if (!has_input_name(str_of(path))) {
        return true;
    }
    if (stat(path, &target) != 0) {
        return fail(path, err);
    }
    return !S_ISREG(target.st_mode) || read_file(inputs, path, err);
}

static bool read_directory(struct inputs *inputs, const char *path, int depth, struct err *err)
{
    auto_arena arena = ARENA_INIT;
    struct names names = {0};
    if (depth > LIMIT_DIRECTORY_DEPTH) {
        return err_set(err, ERR_LIMIT,
                       "%s: directories nested more than %d deep (LIMIT_DIRECTORY_DEPTH)", path,
                       (int)LIMIT_DIRECTORY_DEPTH);
    }
    if (!list_directory(path, &arena, &names, err)) {
        return false;
    }
    size_t n_path = strlen(path);
    bool slash = n_path > 0 && path[n_path - 1] == '/';
    for (size_t i = 0; i < names.list.n; i++) {
        struct strbuf entry = strbuf_new(&arena, SIZE_MAX);
        strbuf_add(&entry, str_of(path));
        strbuf_add(&entry, slash ? STR_EMPTY : STR("/"));
        strbuf_add(&entry, str_of(names.list.v[i]));
        if (!read_entry(inputs, str_cstr(&arena, strbuf_str(&entry)), depth, err)) {
            return false;
        }
    }
    return true;
}

static bool read_path(struct inputs *inputs, const char *path, struct err *err)
{
    struct stat status;
    if (strcmp(path, "-") == 0) {
        if (inputs->stdin_read) {
            return err_set(err, ERR_INVALID, "standard input (-) can be read only once");
        }
        inputs->stdin_read = true;
        return read_file(inputs, path, err);
    }
    if (stat(path, &status) != 0) {
        return fail(path, err);
    }
    if (!S_ISDIR(status.st_mode)) {
        return read_file(inputs, path, err);
    }
    uint32_t before = inputs->n;
    if (!read_directory(inputs, path, 1, err)) {
        return false;
    }
    return inputs->n > before ||
           err_set(
               err, ERR_NOT_FOUND,
               "%s: no .json, .yaml, .yml, .ndjson or .jsonl file (or one of these with .gz) in it",
               path);
}

bool io_inputs_read(const char *const *paths, uint32_t n_paths, io_input_fn fn, void *ctx,
                    uint32_t *ret_n_inputs, struct err *err)
{
    struct inputs inputs = {.fn = fn, .ctx = ctx, .n = 0, .stdin_read = false};
    bool good = true;
    for (uint32_t i = 0; good && i < n_paths; i++) {
        good = read_path(&inputs, paths[i], err);
    }
    if (ret_n_inputs != NULL) {
        *ret_n_inputs = inputs.n;
    }
    return good;
}
