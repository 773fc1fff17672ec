/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `binpack record`: a running cluster into a file that `binpack --simulate -f` reads.
 *
 * One object a line, and a last line of kind Snapshot that says when and where from, how many of
 * each kind, and what could not be read. With --watch, one watch event a line, until somebody
 * interrupts. */
#include "base/arena.h"
#include "base/jsonw.h"
#include "base/rfc3339.h"
#include "binpack/cli/commands.h"
#include "binpack/cli/live.h"
#include "binpack/cli/output.h"
#include "io/outfile.h"
#include "io/tty.h"
#include "k8s/kinds.h"
#include "k8s/roster.h"

#include <inttypes.h>
#include <unistd.h>

struct recording {
    struct io_outfile *file;
    struct arena scratch; /* of one line */
    uint64_t n[3];        /* --watch: changes, by enum k8s_change */
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

/* ---- --watch ---- */

/* What is known of an object that is gone. */
static json_t *remains_of(const struct k8s_kind *kind, const struct k8s_identity *id,
                          struct arena *arena)
{
    struct strbuf version = strbuf_new(arena, 256);
    json_t *object = json_object(), *metadata = json_object();
    strbuf_addf(&version, "%s%s%s", kind->group, kind->group[0] == '\0' ? "" : "/", kind->version);
    (void)json_object_set_new(object, "apiVersion", json_stringn(version.p, version.n));
    (void)json_object_set_new(object, "kind", json_string(kind->name));
    (void)json_object_set_new(metadata, "name", json_stringn(id->name.p, id->name.n));
    if (id->ns.n > 0) {
        (void)json_object_set_new(metadata, "namespace", json_stringn(id->ns.p, id->ns.n));
    }
    (void)json_object_set_new(metadata, "uid", json_stringn(id->uid.p, id->uid.n));
    (void)json_object_set_new(object, "metadata", metadata);
    return object;
}

static bool put_change(void *ctx, const struct k8s_kind *kind, const struct k8s_delta *delta,
                       struct err *err)
{
    static const char *const types[] = {"ADDED", "MODIFIED", "DELETED"};
    struct recording *r = ctx;
    arena_reset(&r->scratch);
    auto_json *event = json_object();
    json_t *object = delta->object != NULL ? json_incref(delta->object)
                                           : remains_of(kind, &delta->id, &r->scratch);
    (void)json_object_set_new(event, "type", json_string(types[delta->change]));
    (void)json_object_set_new(event, "object", object);
    r->n[delta->change]++;
    struct strbuf b = output_buffer(&r->scratch);
    struct jsonw w = jsonw_new(&b, JSONW_COMPACT);
    jsonw_json(&w, event);
    return io_outfile_write(r->file, strbuf_str(&b), err);
}

static bool flush(void *ctx, struct err *err)
{
    struct recording *r = ctx;
    return io_outfile_flush(r->file, err);
}

static bool record_changes(const struct options *options, struct console *console,
                           struct recording *r, struct err *err)
{
    if (!live_follow(options, options->namespace_name, console, put_change, flush, r, err)) {
        return false;
    }
    console_say(console,
                "recorded %" PRIu64 " objects added, %" PRIu64 " changes, %" PRIu64 " deletions",
                r->n[K8S_ADDED], r->n[K8S_MODIFIED], r->n[K8S_DELETED]);
    return true;
}

/* ---- once ---- */

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

/* "1 pod", "900 pods". */
static void add_count(struct strbuf *out, uint64_t n, const struct k8s_kind *kind)
{
    strbuf_addf(out, "%s%" PRIu64 " ", out->n > 0 ? ", " : "", n);
    if (n != 1) {
        strbuf_add(out, str_of(kind->resource));
        return;
    }
    for (const char *c = kind->name; *c != '\0'; c++) {
        strbuf_addc(out, *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c);
    }
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
            add_count(&counts, kind->n_objects, kind->kind);
        }
    }
    console_say(console, "recorded " STR_FMT " of " STR_FMT "%s" STR_FMT,
                STR_ARG(text_things(arena, result->n_objects, "object")), STR_ARG(result->address),
                counts.n > 0 ? ": " : "", STR_ARG(strbuf_str(&counts)));
    if (absent.n > 0) {
        console_say(console, "not in this cluster: " STR_FMT, STR_ARG(strbuf_str(&absent)));
    }
}

static bool record_once(const struct options *options, struct console *console, struct recording *r,
                        struct err *err)
{
    auto_arena arena = ARENA_INIT;
    struct live_result result;
    if (!live_read(options, options->namespace_name, console, put_object, r, &arena, &result,
                   err) ||
        !put_trailer(r, &result, err)) {
        return false;
    }
    say_result(console, &result, &arena);
    return true;
}

static bool record(const struct options *options, struct console *console, const char *path,
                   struct err *err)
{
    struct recording r = {.scratch = ARENA_INIT};
    bool gzip = str_ends(str_of(path), STR(".gz"));
    if (!io_outfile_open(path, gzip, /* is_private= */ true, &r.file, err)) {
        return false;
    }
    bool good = options->watch ? record_changes(options, console, &r, err)
                               : record_once(options, console, &r, err);
    arena_done(&r.scratch);
    console_end_warnings(console);
    if (!good) {
        io_outfile_drop(r.file);
        return false;
    }
    return io_outfile_finish(r.file, err);
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
