/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/service/log.h"

#include "base/arena.h"
#include "base/jsonw.h"
#include "base/rfc3339.h"
#include "binpack/cli/version.h"
#include "io/append.h"

enum { FILES_MAX = 8, LINE_MAX_BYTES = 16 * 1024 - 1 };

struct files {
    struct io_append *v[FILES_MAX];
    uint32_t n;
};

struct log {
    struct arena arena;
    struct files out, errors;
    enum action_level level;
    bool failed; /* said already */
};

static bool open_files(struct str paths, struct files *files, struct err *err)
{
    for (size_t at = 0; at < paths.n;) {
        const struct str rest = str_sub(paths, at, paths.n);
        const struct str path = str_trim(str_sub(rest, 0, str_find(rest, ',')));
        at += str_find(rest, ',') + 1;
        if (files->n == FILES_MAX) {
            return err_set(err, ERR_LIMIT, "more than %d paths for the log", (int)FILES_MAX);
        }
        if (path.n > 0 && !io_append_open(path, &files->v[files->n], err)) {
            return false;
        }
        files->n += path.n > 0;
    }
    return true;
}

bool log_open(struct str paths, struct str error_paths, enum action_level level,
              struct log **ret_log, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct log *log = ARENA_NEW(&arena, struct log);
    log->arena = arena;
    log->level = level;
    if (!open_files(paths, &log->out, err) || !open_files(error_paths, &log->errors, err)) {
        log_close(log);
        return err_wrap(err, "log");
    }
    *ret_log = log;
    return true;
}

void log_close(struct log *log)
{
    if (log != NULL) {
        for (uint32_t i = 0; i < log->out.n; i++) {
            io_append_close(log->out.v[i]);
        }
        for (uint32_t i = 0; i < log->errors.n; i++) {
            io_append_close(log->errors.v[i]);
        }
        struct arena arena = log->arena;
        arena_done(&arena);
    }
}

static void write_line(struct log *log, struct str line)
{
    struct err err, ignored;
    for (uint32_t i = 0; i < log->out.n; i++) {
        if (!io_append_write(log->out.v[i], line, &err) && !log->failed) {
            log->failed = true;
            for (uint32_t e = 0; e < log->errors.n; e++) {
                (void)!io_append_write(log->errors.v[e], str_of(err.text), &ignored);
                (void)!io_append_write(log->errors.v[e], STR("\n"), &ignored);
            }
        }
    }
}

static void put_member(struct strbuf *b, const char *key, struct str value)
{
    strbuf_addf(b, "%s\"%s\":", b->n > 1 ? "," : "", key);
    jsonw_quote(b, value);
}

void log_line(struct log *log, wall_t now, enum action_level level, const char *message,
              const char *controller, struct str fields)
{
    static const char *const levels[] = {"DEBUG", "INFO", "ERROR"};
    auto_arena arena = ARENA_INIT;
    struct strbuf b = strbuf_new(&arena, LINE_MAX_BYTES);
    char buffer[RFC3339_TEXT_MAX];
    if (level < log->level) {
        return;
    }
    strbuf_addc(&b, '{');
    put_member(&b, "level", str_of(levels[level]));
    put_member(&b, "time", rfc3339_format(now, buffer));
    put_member(&b, "logger", STR("controller"));
    put_member(&b, "message", str_of(message));
    put_member(&b, "commit", STR(BINPACK_VERSION));
    if (controller != NULL) {
        put_member(&b, "controller", str_of(controller));
    }
    if (fields.n > 0) {
        strbuf_addc(&b, ',');
        strbuf_add(&b, fields);
    }
    strbuf_add(&b, STR("}\n"));
    write_line(log, strbuf_str(&b));
}

void log_error(struct log *log, wall_t now, const char *message, const struct err *why)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf b = strbuf_new(&arena, 4 * ERR_TEXT_MAX * 6);
    strbuf_add(&b, STR("\"error\":"));
    jsonw_quote(&b, str_of(why->text));
    log_line(log, now, ACTION_ERROR, message, NULL, strbuf_str(&b));
}
