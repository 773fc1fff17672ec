/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `binpack record`: a running cluster into a file that `binpack --simulate -f` reads.
 *
 * One object a line, and a last line of kind Snapshot that says when and where from, how many of
 * each kind, and what could not be read. */
#include "base/arena.h"
#include "base/jsonw.h"
#include "base/rfc3339.h"
#include "binpack/cli/commands.h"
#include "binpack/cli/live.h"
#include "binpack/cli/output.h"
#include "io/outfile.h"
#include "io/tty.h"
#include "k8s/kinds.h"

#include <inttypes.h>
#include <unistd.h>

struct recording {
    struct io_outfile *file;
    struct arena scratch; /* of one line */
};

static bool put_object(void *ctx, json_t *object, struct err *err)
{
    struct recording *r = ctx;
    arena_reset(&r->scratch);
    struct strbuf b = output_buffer(&r->scratch);
    struct jsonw w = jsonw_new(&b, JSONW_COMPACT);
    jsonw_json(&w, object);
    return io_outfile_write(r->file, strbuf_str(&b), err);
}

static void put_kind(struct jsonw *w, const struct live_kind *kind)
{
    jsonw_object_begin(w);
    jsonw_key_str(w, "resource", str_of(kind->kind->resource));
    jsonw_key_str(w, "apiVersion", kind->api_version);
    if (kind->refusal.n > 0) {
        jsonw_key_str(w, "unreadable", kind->refusal);
    } else if (kind->absent) {
        jsonw_key_bool(w, "absent", true);
    } else {
        jsonw_key_i64(w, "objects", (int64_t)kind->n_objects);
        jsonw_key_str(w, "resourceVersion", kind->version);
    }
    jsonw_object_end(w);
}

static bool put_trailer(struct recording *r, const struct live_result *result, struct err *err)
{
    char buffer[RFC3339_TEXT_MAX];
    arena_reset(&r->scratch);
    struct strbuf b = output_buffer(&r->scratch);
    struct jsonw w = jsonw_new(&b, JSONW_COMPACT);
    jsonw_object_begin(&w);
    jsonw_key_str(&w, "apiVersion", STR("binpack/v1"));
    jsonw_key_str(&w, "kind", STR("Snapshot"));
    jsonw_key_str(&w, "recordedAt", rfc3339_format(result->at, buffer));
    jsonw_key_str(&w, "server", result->address);
    jsonw_key_i64(&w, "objects", (int64_t)result->n_objects);
    jsonw_key_array(&w, "kinds");
    for (uint32_t i = 0; i < result->n_kinds; i++) {
        put_kind(&w, &result->kinds[i]);
    }
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    return io_outfile_write(r->file, strbuf_str(&b), err);
}

/* "recorded 1,204 objects of https://host:6443: 900 pods, 12 nodes, ...". */
static void say_result(struct console *console, const struct live_result *result,
                       struct arena *arena)
{
    struct strbuf counts = strbuf_new(arena, 1 << 16), absent = strbuf_new(arena, 1 << 16);
    for (uint32_t i = 0; i < result->n_kinds; i++) {
        const struct live_kind *kind = &result->kinds[i];
        if (kind->absent) {
            strbuf_addf(&absent, "%s%s", absent.n > 0 ? ", " : "", kind->kind->resource);
        } else if (kind->n_objects > 0) {
            strbuf_addf(&counts, "%s%" PRIu64 " %s", counts.n > 0 ? ", " : "", kind->n_objects,
                        kind->kind->resource);
        }
    }
    console_say(console, "recorded " STR_FMT " of " STR_FMT "%s" STR_FMT,
                STR_ARG(text_things(arena, result->n_objects, "object")), STR_ARG(result->address),
                counts.n > 0 ? ": " : "", STR_ARG(strbuf_str(&counts)));
    if (absent.n > 0) {
        console_say(console, "not in this cluster: " STR_FMT, STR_ARG(strbuf_str(&absent)));
    }
}

static bool record(const struct options *options, struct console *console, const char *path,
                   struct err *err)
{
    auto_arena arena = ARENA_INIT;
    struct recording r = {.scratch = ARENA_INIT};
    struct live_result result;
    bool gzip = str_ends(str_of(path), STR(".gz"));
    if (!io_outfile_open(path, gzip, /* is_private= */ true, &r.file, err)) {
        return false;
    }
    bool good = live_read(options, options->namespace_name, console, put_object, &r, &arena,
                          &result, err) &&
                put_trailer(&r, &result, err);
    arena_done(&r.scratch);
    if (!good) {
        io_outfile_drop(r.file);
        return false;
    }
    console_end_warnings(console);
    if (!io_outfile_finish(r.file, err)) {
        return false;
    }
    say_result(console, &result, &arena);
    return true;
}

int command_record(const struct options *options, struct console *console)
{
    auto_arena arena = ARENA_INIT;
    struct err err = {.code = ERR_NONE};
    const char *path = options->record_file.n > 0 ? str_cstr(&arena, options->record_file) : "-";
    if (options->record_file.n == 0 && io_tty_is(STDOUT_FILENO)) {
        console_error(console, "record needs a file: -o FILE (with .gz at the end it is packed), "
                               "or -o - for the terminal");
        return EXIT_USAGE;
    }
    if (options->arguments.n > 0) {
        console_error(console, "record takes no arguments; the file is named with -o");
        return EXIT_USAGE;
    }
    return record(options, console, path, &err) ? EXIT_ALL_PLACED : command_failed(console, &err);
}
