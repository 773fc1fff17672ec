/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/service/deeds.h"

#include "awsapi/ajson.h"
#include "awsapi/fault.h"
#include "awsapi/operation.h"
#include "base/json_decode.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "provisioner/service/acting.h"
#include "provisioner/service/log.h"
#include "provisioner/service/service_impl.h"

enum { FIELDS_MAX = 8 * 1024 };

/* A write or a call that is under way, in the arena of its step. */
struct deed {
    struct deeds *deeds;
    struct step *step;
    struct deed *next;
    const struct k8s_kind *kind;           /* of a write */
    const struct aws_operation *operation; /* of a call */
    json_t *pages;                         /* put together, as the AWS CLI does; NULL: none yet */
    bool broken;                           /* one of them could not be kept */
};

/* What has been refused last. */
struct complaint {
    const void *what; /* operation, or kind of objects */
    bool said;
};

struct deeds {
    struct arena arena;
    struct service *service;
    struct acting *acting;
    struct deed *first;
    VEC(struct complaint) complaints;
};

static struct complaint *complaint_of(struct deeds *deeds, const void *what)
{
    for (size_t i = 0; i < deeds->complaints.n; i++) {
        if (deeds->complaints.v[i].what == what) {
            return &deeds->complaints.v[i];
        }
    }
    VEC_PUSH(&deeds->arena, &deeds->complaints, ((struct complaint){.what = what}));
    return &deeds->complaints.v[deeds->complaints.n - 1];
}

/* `why` empty: it went well. */
static void complain(struct deeds *deeds, const void *what, struct str why)
{
    struct complaint *complaint = complaint_of(deeds, what);
    if (why.n > 0 && !complaint->said) {
        auto_arena arena = ARENA_INIT;
        struct strbuf fields = strbuf_new(&arena, FIELDS_MAX);
        strbuf_add(&fields, STR("\"error\":"));
        jsonw_quote(&fields, str_sub(why, 0, FIELDS_MAX / 8));
        log_line(deeds->service->log, service_now(deeds->service).wall, ACTION_ERROR,
                 "cannot do what is to be done", "engine", strbuf_str(&fields));
    }
    complaint->said = why.n > 0;
}

/* ---- writes ---- */

static void leave(struct deed *deed)
{
    struct deed **at = &deed->deeds->first;
    while (*at != deed) {
        at = &(*at)->next;
    }
    *at = deed->next;
    json_decref(deed->pages);
    step_unref(deed->step);
}

/* What the engine expects to happen now and then, and decides anew about. */
static bool is_usual(enum k8s_outcome outcome)
{
    return outcome == K8S_WRITE_DONE || outcome == K8S_WRITE_NOT_FOUND ||
           outcome == K8S_WRITE_ALREADY_EXISTS || outcome == K8S_WRITE_CONFLICT ||
           outcome == K8S_WRITE_BLOCKED;
}

static void on_written(void *ctx, uint64_t id, const struct k8s_written *written, struct str why)
{
    struct deed *deed = ctx;
    struct service *service = deed->deeds->service;
    const struct event event = {.type = EVENT_WRITTEN, .id = id, .written = *written};
    complain(deed->deeds, deed->kind, is_usual(written->outcome) ? STR_EMPTY : why);
    service_step(service, &event);
    leave(deed);
}

/* ---- calls ---- */

/* Lists go on where those of the pages before end; of anything else the last page counts. */
static void join(json_t *into, const json_t *page)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)page, key, value)
    {
        json_t *before = json_object_get(into, key);
        if (json_is_array(before) && json_is_array(value)) {
            (void)json_array_extend(before, value);
        } else {
            (void)json_object_set(into, key, value);
        }
    }
}

static void on_page(void *ctx, uint64_t id, const void *output)
{
    auto_arena arena = ARENA_INIT;
    struct deed *deed = ctx;
    struct strbuf text = strbuf_new(&arena, LIMIT_AWS_REPLY_BYTES);
    struct jsonw w = jsonw_new(&text, JSONW_COMPACT);
    json_t *page = NULL;
    struct err ignored;
    (void)id;
    if (output == NULL) {
        return;
    }
    jsonw_object_begin(&w);
    aws_json_write_members(&w, AWS_JSON_CLI, deed->operation->output, output);
    jsonw_object_end(&w);
    if (text.overflow || !json_decode_text(strbuf_str(&text), &arena, &page, &ignored)) {
        deed->broken = true;
    } else if (deed->pages == NULL) {
        deed->pages = page;
    } else {
        join(deed->pages, page);
        json_decref(page);
    }
}

/* The output of all pages in `arena`; NULL when there is none that can be read. */
static const void *output_of(const struct deed *deed, struct arena *arena)
{
    struct err ignored;
    void *output = arena_alloc(arena, deed->operation->output->size);
    const bool good =
        !deed->broken && (deed->pages == NULL ||
                          aws_json_read_members(deed->pages, AWS_JSON_CLI, deed->operation->output,
                                                arena, output, &ignored));
    return good ? output : NULL;
}

static void on_end(void *ctx, uint64_t id, const struct aws_fault *fault, struct str why)
{
    auto_arena arena = ARENA_INIT;
    struct deed *deed = ctx;
    struct service *service = deed->deeds->service;
    struct event event = {
        .type = EVENT_REPLY, .id = id, .operation = deed->operation, .fault = *fault};
    if (fault->kind == AWS_FAULT_NONE) {
        event.reply = output_of(deed, &arena);
    }
    if (fault->kind == AWS_FAULT_NONE && event.reply == NULL) {
        event.fault = (struct aws_fault){.kind = AWS_FAULT_MALFORMED,
                                         .message = STR("pages that cannot be put together"),
                                         .maybe_done = true};
    }
    /* That something is there already is as good as to have made it. */
    complain(deed->deeds, deed->operation, fault->kind == AWS_FAULT_ALREADY ? STR_EMPTY : why);
    service_step(service, &event);
    leave(deed);
}

/* ---- all of it ---- */

void deeds_do(struct deeds *deeds, const struct action *action, struct step *step)
{
    struct deed *deed = ARENA_NEW(&step->arena, struct deed);
    const struct acting_replies replies = {.ctx = deed, .page = on_page, .end = on_end};
    step_ref(step);
    *deed = (struct deed){.deeds = deeds, .step = step, .next = deeds->first};
    deeds->first = deed;
    if (action->type == ACTION_WRITE) {
        deed->kind = action->write.kind;
        acting_write(deeds->acting, action->id, &action->write, on_written, deed);
    } else {
        deed->operation = action->operation;
        acting_call(deeds->acting, action->id, action->operation, action->request, &replies);
    }
}

struct deeds *deeds_new(struct service *service, struct acting *acting)
{
    struct arena arena = ARENA_INIT;
    struct deeds *deeds = ARENA_NEW(&arena, struct deeds);
    deeds->service = service;
    deeds->acting = acting;
    deeds->arena = arena;
    return deeds;
}

void deeds_free(struct deeds *deeds)
{
    if (deeds == NULL) {
        return;
    }
    while (deeds->first != NULL) {
        leave(deeds->first);
    }
    struct arena arena = deeds->arena;
    arena_done(&arena);
}
