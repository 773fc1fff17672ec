/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/service/replay.h"

#include <inttypes.h>

#include "base/docs.h"
#include "base/json_decode.h"
#include "base/jsonw.h"
#include "io/inputs.h"
#include "io/workers.h"
#include "provisioner/engine/journal.h"
#include "provisioner/provisioning/round.h"
#include "provisioner/service/catalog.h"

#define READ_MAX_BYTES ((size_t)128 << 20) /* of a line: a step has at most half of it */

enum { LINE_MAX_BYTES = 64 * 1024, SHOWN_BYTES = 300, CHUNK_BYTES = 64 * 1024 };

struct replay {
    const struct settings *settings;
    struct arena arena; /* of the catalogue */
    struct arena step;  /* actions of the last event, as lines */
    struct arena texts; /* of the settings */
    struct engine *engine;
    const struct catalog *catalog; /* in `arena` */
    VEC(struct str) wanted;        /* in `step` */
    size_t n_seen;                 /* of them */
    struct round_job *job;
    struct io_workers *workers;
    struct parallel parallel;
    struct arena event; /* of the event at hand */
    struct replay_count count;
    uint64_t line;
    bool cut; /* the last line with something in it is no whole value: */
    struct err why_cut;
};

/* The lines of an input. */
struct lines {
    struct byte_source source;
    struct str rest; /* of `chunk` */
    char chunk[CHUNK_BYTES];
};

static bool differs(const struct replay *r, struct str has, struct str now, struct err *err)
{
    return err_set(err, ERR_CONFLICT, "line %" PRIu64 ": the journal has %s" STR_FMT "%s" STR_FMT,
                   r->line, has.n > 0 ? "" : "no more actions",
                   STR_ARG(str_sub(str_trim(has), 0, SHOWN_BYTES)), ", and now it is ",
                   STR_ARG(now.n > 0 ? str_sub(str_trim(now), 0, SHOWN_BYTES) : STR("nothing")));
}

/* The actions of the last event have all been in the journal. */
static bool all_seen(const struct replay *r, struct err *err)
{
    return r->n_seen == r->wanted.n || differs(r, STR_EMPTY, r->wanted.v[r->n_seen], err);
}

/* In the words of the engine's state. */
static bool use_catalog(struct replay *r, struct err *err)
{
    arena_reset(&r->arena);
    if (!catalog_read(r->settings->catalog, &r->arena, engine_tab(r->engine), &r->catalog, err)) {
        return false;
    }
    engine_use_catalog(r->engine, r->catalog);
    return true;
}

static void give(struct replay *r, const struct event *event, struct moment now)
{
    struct actions actions = {.arena = &r->step};
    engine_step(r->engine, event, now, &actions);
    for (size_t i = 0; i < actions.v.n; i++) {
        struct strbuf b = strbuf_new(&r->step, LINE_MAX_BYTES);
        journal_put_action(&actions.v.v[i], &b);
        VEC_PUSH(&r->step, &r->wanted, strbuf_str(&b));
        if (actions.v.v[i].type == ACTION_SOLVE) {
            r->job = actions.v.v[i].job;
        }
        if (actions.v.v[i].type == ACTION_RESTART) {
            struct err ignored; /* it was read at the beginning */
            (void)!use_catalog(r, &ignored);
        }
    }
}

static bool give_result(struct replay *r, const struct journal_round *round, struct moment now,
                        struct err *err)
{
    struct round_result result;
    if (r->job == NULL || r->job->id != round->id) {
        return err_set(err, ERR_CONFLICT, "line %" PRIu64 ": round %" PRIu64 " was not begun",
                       r->line, round->id);
    }
    r->job->cut_after = round->cut_after;
    round_run(r->job, r->parallel.n_lanes > 1 ? &r->parallel : NULL, &result);
    r->job = NULL;
    r->count.n_rounds++;
    const struct event event = {.type = EVENT_SOLVED, .result = &result};
    give(r, &event, now);
    round_result_done(&result);
    return true;
}

static bool take_action(struct replay *r, const json_t *line, struct err *err)
{
    struct strbuf b = strbuf_new(&r->step, LINE_MAX_BYTES);
    struct jsonw w = jsonw_new(&b, JSONW_COMPACT);
    auto_json *wanted = NULL;
    const struct str now = r->n_seen < r->wanted.n ? r->wanted.v[r->n_seen] : STR_EMPTY;
    struct err ignored;
    jsonw_json(&w, line);
    r->count.n_actions++;
    /* Both through the same writer, which sorts members. */
    if (now.n > 0 && docs_read_one(now, &wanted, &ignored)) {
        struct strbuf again = strbuf_new(&r->step, LINE_MAX_BYTES);
        struct jsonw w2 = jsonw_new(&again, JSONW_COMPACT);
        jsonw_json(&w2, wanted);
        r->n_seen++;
        return str_eq(strbuf_str(&b), strbuf_str(&again)) ||
               differs(r, strbuf_str(&b), strbuf_str(&again), err);
    }
    return differs(r, strbuf_str(&b), now, err);
}

static bool take_line(struct replay *r, const json_t *line, struct err *err)
{
    struct journal_round round;
    struct event event;
    struct moment now;
    bool is_event = false;
    arena_reset(&r->event);
    if (!journal_read_event(line, &r->event, &is_event, &event, &now, &round, err)) {
        return err_wrap(err, "line %" PRIu64, r->line);
    }
    if (!is_event) {
        return take_action(r, line, err);
    }
    if (!all_seen(r, err)) {
        return false;
    }
    arena_reset(&r->step);
    r->wanted.v = NULL;
    r->wanted.n = r->wanted.cap = r->n_seen = 0;
    r->count.n_events++;
    if (event.type == EVENT_SOLVED) {
        return give_result(r, &round, now, err);
    }
    give(r, &event, now);
    return true;
}

static bool is_header(const json_t *line)
{
    return json_object_get(line, "journal") != NULL;
}

/* The program starts: at the beginning, and where it was started again with the same file. */
static bool begin(struct replay *r, const json_t *line, struct err *err)
{
    struct engine_settings settings;
    struct str name;
    if (!journal_read_header(line, &settings, &name, err)) {
        return err_wrap(err, "line %" PRIu64, r->line);
    }
    engine_abandon(r->engine);
    r->job = NULL;
    arena_reset(&r->step);
    r->wanted.v = NULL;
    r->wanted.n = r->wanted.cap = r->n_seen = 0;
    r->count.n_starts++;
    settings.scheduler_config = str_copy(&r->texts, settings.scheduler_config);
    settings.cluster =
        (struct userdata_cluster){.name = str_copy(&r->texts, settings.cluster.name),
                                  .endpoint = str_copy(&r->texts, settings.cluster.endpoint),
                                  .ca = str_copy(&r->texts, settings.cluster.ca),
                                  .cidr = str_copy(&r->texts, settings.cluster.cidr),
                                  .dns_ip = str_copy(&r->texts, settings.cluster.dns_ip)};
    r->engine = engine_new(&settings);
    if (!use_catalog(r, err)) {
        return false;
    }
    if (!str_eq(r->catalog->name, name)) {
        return err_set(err, ERR_CONFLICT,
                       "the journal was written with the catalogue \"" STR_FMT
                       "\", and this is \"" STR_FMT "\"; see --catalog",
                       STR_ARG(name), STR_ARG(r->catalog->name));
    }
    return true;
}

/* The next line, without its end; false at the end of the input and on errors. */
static bool next_line(struct lines *lines, struct strbuf *line, bool *ret_good, struct err *err)
{
    *ret_good = true;
    for (;;) {
        const size_t end = str_find(lines->rest, '\n');
        strbuf_add(line, str_sub(lines->rest, 0, end));
        if (line->overflow) {
            *ret_good = err_set(err, ERR_LIMIT, "a line of more than %zu bytes", READ_MAX_BYTES);
            return false;
        }
        if (end < lines->rest.n) {
            lines->rest = str_sub(lines->rest, end + 1, lines->rest.n);
            return true;
        }
        size_t n = 0;
        lines->rest = STR_EMPTY;
        if (!lines->source.read(lines->source.ctx, lines->chunk, CHUNK_BYTES, &n, err)) {
            *ret_good = false;
            return false;
        }
        if (n == 0) {
            return strbuf_str(line).n > 0;
        }
        lines->rest = (struct str){.p = lines->chunk, .n = n};
    }
}

/* A program that is killed may leave a line cut, and then the actions behind it are missing too:
 * nothing follows but a new start. */
static bool take_text(struct replay *r, struct str text, struct arena *scratch, struct err *err)
{
    auto_json *line = NULL;
    size_t used = 0;
    const bool whole =
        json_decode(text, /* final= */ true, NULL, scratch, &line, &used, err) == JSON_DONE &&
        str_trim(str_sub(text, used, text.n)).n == 0;
    if (r->cut && !(whole && is_header(line))) {
        *err = r->why_cut;
        return false;
    }
    if (!whole) {
        r->cut = true;
        (void)err_set(&r->why_cut, ERR_PARSE, "line %" PRIu64 ": this is no whole JSON value",
                      r->line);
        if (r->engine == NULL) {
            *err = r->why_cut;
            return false;
        }
        r->count.n_cut++;
        r->count.cut_line = r->line;
        return true;
    }
    if (r->engine != NULL && !is_header(line)) {
        return take_line(r, line, err);
    }
    const bool good = r->engine == NULL || r->cut || all_seen(r, err);
    r->cut = false;
    return good && begin(r, line, err);
}

static bool read_journal(void *ctx, const struct io_input *input, struct err *err)
{
    struct replay *r = ctx;
    auto_arena arena = ARENA_INIT;
    auto_arena scratch = ARENA_INIT;
    struct lines *lines = ARENA_NEW(&arena, struct lines);
    bool good = true;
    lines->source = input->source;
    for (r->line = 1; good; r->line++) {
        arena_reset(&scratch);
        struct strbuf b = strbuf_new(&scratch, READ_MAX_BYTES);
        if (!next_line(lines, &b, &good, err)) {
            break;
        }
        const struct str text = str_trim(strbuf_str(&b));
        good = text.n == 0 || take_text(r, text, &scratch, err);
    }
    good = good && (r->engine != NULL || err_set(err, ERR_PARSE, "there is nothing in it")) &&
           (r->cut || all_seen(r, err));
    return good || err_wrap(err, "%s", input->name);
}

bool replay_run(const struct settings *settings, struct replay_count *ret_count, struct err *err)
{
    auto_arena arena = ARENA_INIT;
    struct replay r = {.settings = settings};
    const uint32_t lanes = settings->threads > 0 ? (uint32_t)settings->threads : 1;
    r.workers = io_workers_new(lanes);
    r.parallel = (struct parallel){
        .run = io_workers_run, .port_ctx = r.workers, .n_lanes = io_workers_lanes(r.workers)};
    bool good = io_input_open(str_cstr(&arena, settings->replay), 0, read_journal, &r, err);
    io_workers_free(r.workers);
    *ret_count = r.count;
    engine_abandon(r.engine);
    arena_done(&r.step);
    arena_done(&r.event);
    arena_done(&r.texts);
    arena_done(&r.arena);
    return good;
}
