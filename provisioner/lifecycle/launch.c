/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a NodeClaim to an instance.
 *
 * The request follows from the claim, its EC2NodeClass and the catalogue alone: the types that suit
 * the claim (suits.c); one launch template for each image and number of pods among them. Its digest
 * and the number of the attempt stand on the claim (binpack/launch: "1 89ab...") before the call,
 * and the token is made of the claim's UID and the two, so the same request of the same attempt is
 * one launch, however often it is sent and by whom. See request.c for the request
 * and fleet.c for its answer. */
#include <inttypes.h>

#include "base/jsonw.h"
#include "k8s/annotations.h"
#include "k8s/codec.h"
#include "provisioner/lifecycle/launch_impl.h"

enum { BODY_MAX = 256 * 1024, PAGE_INSTANCES = 100, TEMPLATE_AGAIN_MS = 50 };

/* ---- the note on the claim ---- */

static struct str note_of(const struct lifecycle_view *view, const struct karp_nodeclaim *claim)
{
    const strid key = strtab_find(view->tab, STR(ANN_LAUNCH));
    const strid value =
        key == STRID_NONE ? STRID_NONE : k8s_pairs_get(&claim->meta.annotations, key);
    return value == STRID_NONE ? STR_EMPTY : strtab_str(view->tab, value);
}

bool launch_was_tried(const struct lifecycle_view *view, const struct karp_nodeclaim *claim)
{
    return note_of(view, claim).n > 0;
}

/* 0: none has been noted, or nothing that can be read. */
static void read_note(struct request *r, int64_t *ret_attempt, struct str *ret_digest)
{
    const struct str note = note_of(r->view, r->claim);
    const size_t blank = str_find(note, ' ');
    *ret_digest = str_sub(note, blank + 1, note.n);
    if (!str_to_i64(str_sub(note, 0, blank), ret_attempt)) {
        *ret_attempt = 0;
    }
}

static void write_note(struct request *r, struct life *life, int64_t attempt)
{
    struct strbuf value = strbuf_new(r->arena, 64);
    struct strbuf body = strbuf_new(r->arena, 512);
    struct jsonw w = jsonw_new(&body, JSONW_COMPACT);
    strbuf_addf(&value, "%" PRIi64 " " STR_FMT, attempt, STR_ARG(r->digest));
    jsonw_object_begin(&w);
    jsonw_key_object(&w, "metadata");
    jsonw_key_object(&w, "annotations");
    jsonw_key_str(&w, ANN_LAUNCH, strbuf_str(&value));
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    life_patch_claim(r->view, life, LIFE_NOTE, r->claim, STR_EMPTY, strbuf_str(&body));
}

/* ---- looking for what was launched ---- */

/* One page of the instances that carry the claim's name; `token`: of the page before, or empty. */
static void look(const struct lifecycle_view *view, struct life *life, struct str token)
{
    static const char *const alive[] = {"pending", "running", "stopping", "stopped",
                                        "shutting-down"};
    struct arena *arena = view->out->arena;
    struct ec2_describe_instances_request *request =
        ARENA_NEW(arena, struct ec2_describe_instances_request);
    struct ec2_filter *filters = ARENA_ARRAY(arena, struct ec2_filter, 2);
    struct str *values = ARENA_ARRAY(arena, struct str, 6);
    values[0] = str_copy(arena, life_str(&life->name));
    for (size_t i = 0; i < 5; i++) {
        values[1 + i] = str_of(alive[i]);
    }
    filters[0] =
        (struct ec2_filter){.name = STR("tag:" CLAIM_TAG), .values = {.v = values, .n = 1}};
    filters[1] = (struct ec2_filter){.name = STR("instance-state-name"),
                                     .values = {.v = values + 1, .n = 5}};
    request->filters.v = filters;
    request->filters.n = 2;
    request->max_results = (struct opt_i64){.has = true, .v = PAGE_INSTANCES};
    request->next_token = str_copy(arena, token);
    life_call(view, life, LIFE_LOOK, &aws_ec2_describe_instances, request);
}

void launch_look(const struct lifecycle_view *view, struct life *life)
{
    if (life->looking_since == INT64_MAX) {
        life->looking_since = view->now.mono;
    }
    look(view, life, STR_EMPTY);
}

static void take_instance(struct life *life, const struct ec2_instance *instance)
{
    const bool spot = str_eq(instance->instance_lifecycle, STR("spot")) ||
                      instance->spot_instance_request_id.n > 0;
    life->has_instance = true;
    life->instance_id = life_text_of(instance->instance_id);
    life->type = life_text_of(instance->instance_type);
    life->image_id = life_text_of(instance->image_id);
    life->zone = life_text_of(instance->placement == NULL ? STR_EMPTY
                                                          : instance->placement->availability_zone);
    life->capacity_type = life_text_of(spot ? STR("spot") : STR("on-demand"));
}

static void on_look(const struct lifecycle_view *view, struct life *life, const struct event *event)
{
    const struct ec2_describe_instances_result *result = event->reply;
    if (result == NULL) {
        life_back_off(view, life);
        return;
    }
    for (size_t i = 0; i < result->reservations.n; i++) {
        for (size_t k = 0; k < result->reservations.v[i].instances.n && !life->has_instance; k++) {
            take_instance(life, &result->reservations.v[i].instances.v[k]);
        }
    }
    /* EC2 filters page by page: a page may be empty and not the last. */
    if (!life->has_instance && result->next_token.n > 0) {
        look(view, life, result->next_token);
        return;
    }
    life->sure = true;
}

void launch_reply(struct lifecycle *l, const struct lifecycle_view *view, struct life *life,
                  const struct karp_nodeclaim *claim, const struct event *event)
{
    if (life->wait == LIFE_LOOK) {
        on_look(view, life, event);
    } else if (life->wait == LIFE_TEMPLATE &&
               (event->reply != NULL || event->fault.kind == AWS_FAULT_ALREADY)) {
        VEC_PUSH(&l->arena, &l->templates, life->template);
    } else {
        fleet_reply(l, view, life, claim, event);
    }
}

/* ---- the claim after the launch ---- */

/* What the class was like when the node was bought: its hash, against which drift is seen, and the
 * profile that the instance has (karp-aws: cloudprovider.Create). */
static void put_class_annotations(const struct lifecycle *l, const struct request *r,
                                  struct jsonw *w)
{
    static const char *const hashes[] = {ANN_CLASS_HASH, ANN_CLASS_HASH_VERSION};
    const json_t *class = request_class(l, r->claim);
    const json_t *metadata = json_object_get(class, "metadata");
    const json_t *annotations = json_object_get(metadata, "annotations");
    const char *profile =
        json_string_value(json_object_get(json_object_get(class, "status"), "instanceProfile"));
    jsonw_key_object(w, "annotations");
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        const char *value = json_string_value(json_object_get(annotations, hashes[i]));
        if (value != NULL) {
            jsonw_key_str(w, hashes[i], str_of(value));
        }
    }
    if (profile != NULL) {
        jsonw_key_str(w, ANN_CLASS_PROFILE, str_of(profile));
    }
    jsonw_object_end(w);
}

static void put_launched_metadata(const struct lifecycle *l, struct request *r, struct life *life,
                                  const struct cat_type *type)
{
    struct strbuf body = strbuf_new(r->arena, BODY_MAX);
    struct jsonw w = jsonw_new(&body, JSONW_COMPACT);
    const struct k8s_words *words = r->view->vocab->words;
    const struct {
        strid key;
        struct str value;
    } own[] = {{words->instance_type, life_str(&life->type)},
               {words->zone, life_str(&life->zone)},
               {words->capacity_type, life_str(&life->capacity_type)}};
    jsonw_object_begin(&w);
    jsonw_key_object(&w, "metadata");
    put_class_annotations(l, r, &w);
    jsonw_key_object(&w, "labels");
    for (uint32_t i = 0; type != NULL && i < type->labels.n; i++) {
        const strid key = type->labels.v[i].key;
        if (key != words->instance_type &&
            k8s_pairs_get(&r->claim->meta.labels, key) == STRID_NONE) {
            jsonw_key(&w, request_text(r, key));
            jsonw_str(&w, request_text(r, type->labels.v[i].value));
        }
    }
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (k8s_pairs_get(&r->claim->meta.labels, own[i].key) == STRID_NONE) {
            jsonw_key(&w, request_text(r, own[i].key));
            jsonw_str(&w, own[i].value);
        }
    }
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    life_patch_claim(r->view, life, LIFE_WRITE, r->claim, STR_EMPTY, strbuf_str(&body));
}

static void put_amounts(struct request *r, struct jsonw *w, const char *key,
                        const struct k8s_resources *resources)
{
    const struct codec_out out = {
        .arena = r->arena, .tab = r->view->tab, .words = r->view->vocab->words};
    auto_json *value = codec_resources(&out, resources);
    jsonw_key(w, str_of(key));
    jsonw_json(w, value);
}

static void put_launched_status(struct request *r, struct life *life, const struct cat_type *type)
{
    struct strbuf body = strbuf_new(r->arena, BODY_MAX);
    struct strbuf id = strbuf_new(r->arena, 2 * LIFE_TEXT_MAX);
    struct jsonw w = jsonw_new(&body, JSONW_COMPACT);
    struct conditions conditions = life_conditions(r->view, r->claim);
    conditions_set_true(&conditions, STR("Launched"));
    strbuf_addf(&id, "aws:///" STR_FMT "/" STR_FMT, STR_ARG(life_str(&life->zone)),
                STR_ARG(life_str(&life->instance_id)));
    jsonw_object_begin(&w);
    jsonw_key_object(&w, "status");
    jsonw_key_str(&w, "providerID", strbuf_str(&id));
    jsonw_key_str(&w, "imageID", life_str(&life->image_id));
    if (type != NULL) {
        struct cat_room room;
        cat_type_room(type, r->known, &r->view->cat, r->view->tab, r->view->vocab->words, r->arena,
                      &room);
        put_amounts(r, &w, "capacity", &room.capacity);
        put_amounts(r, &w, "allocatable", &room.allocatable);
    }
    jsonw_key(&w, STR("conditions"));
    conditions_write(&conditions, &w);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    life_patch_claim(r->view, life, LIFE_WRITE, r->claim, STR("status"), strbuf_str(&body));
}

/* Labels first: what a node is known by must be there before anybody takes it for launched. */
static void write_launched(struct lifecycle *l, struct request *r, struct life *life)
{
    const strid name = strtab_find(r->view->tab, life_str(&life->type));
    const struct cat_type *type =
        name == STRID_NONE ? NULL : cat_find(r->view->catalog, r->view->tab, name);
    const struct k8s_identity id = {.name = r->claim->class_ref.name};
    const struct k8s_pairs *labels = &r->claim->meta.labels;
    r->known = k8s_state_find(r->view->state, life_kind("EC2NodeClass"), &id);
    if (k8s_pairs_get(labels, r->view->vocab->words->instance_type) == STRID_NONE ||
        k8s_pairs_get(labels, r->view->vocab->words->zone) == STRID_NONE ||
        k8s_pairs_get(labels, r->view->vocab->words->capacity_type) == STRID_NONE) {
        put_launched_metadata(l, r, life, type);
    } else {
        l->counts.n_launched++;
        put_launched_status(r, life, type);
    }
}

/* ---- what is next ---- */

static bool has_template(const struct lifecycle *l, struct str name)
{
    for (size_t i = 0; i < l->templates.n; i++) {
        if (str_eq(life_str(&l->templates.v[i]), name)) {
            return true;
        }
    }
    return false;
}

/* Another claim has it made just now. */
static bool is_being_made(const struct lifecycle *l, struct str name)
{
    for (size_t i = 0; i < l->lives.n; i++) {
        if (l->lives.v[i].wait == LIFE_TEMPLATE &&
            str_eq(life_str(&l->lives.v[i].template), name)) {
            return true;
        }
    }
    return false;
}

/* One that is not known to be there is made, once for all claims that need it; that it is there
 * already is as good. */
static bool next_template(struct lifecycle *l, struct request *r, struct life *life)
{
    for (size_t i = 0; i < r->configs.n; i++) {
        const struct str name = r->configs.v[i].template->launch_template_name;
        if (!has_template(l, name)) {
            if (is_being_made(l, name)) {
                life->due = sat_add(r->view->now.mono, TEMPLATE_AGAIN_MS);
                return true;
            }
            life->template = life_text_of(name);
            life_call(r->view, life, LIFE_TEMPLATE, &aws_ec2_create_launch_template,
                      r->configs.v[i].template);
            return true;
        }
    }
    return false;
}

static void send_fleet(struct request *r, struct life *life)
{
    struct ec2_create_fleet_request *fleet = ARENA_NEW(r->arena, struct ec2_create_fleet_request);
    struct strbuf token = strbuf_new(r->arena, 128);
    strbuf_addf(&token, STR_FMT "-%" PRIi64 "-" STR_FMT, STR_ARG(r->claim->meta.uid), r->attempt,
                STR_ARG(r->digest));
    *fleet = r->fleet;
    fleet->client_token = strbuf_str(&token);
    life->uncalled = false;
    life_call(r->view, life, LIFE_FLEET, &aws_ec2_create_fleet, fleet);
}

void launch_next(struct lifecycle *l, const struct lifecycle_view *view, struct life *life,
                 const struct karp_nodeclaim *claim)
{
    struct request r = {.view = view, .claim = claim, .arena = view->out->arena};
    struct str noted = STR_EMPTY;
    struct err err;
    const wall_t created = claim->meta.created.has ? claim->meta.created.v : view->now.wall;
    if (life->has_instance) {
        write_launched(l, &r, life);
        return;
    }
    if (life->given_up) {
        life_end(view, life, claim, "insufficient_capacity");
        return;
    }
    if (view->now.wall - created > LAUNCH_TIMEOUT_MS) {
        pause_failed(l->pause, life_pool(view, claim), /* taught= */ false, view->now.mono);
        life_end(view, life, claim, "launch_timeout");
        return;
    }
    read_note(&r, &r.attempt, &noted);
    if (view->now.mono < life->retry_at) {
        life->due = life->retry_at;
        return;
    }
    if (r.attempt > 0 && !life->sure) {
        launch_look(view, life);
        return;
    }
    if (!request_make(l, &r, &err)) {
        pause_failed(l->pause, life_pool(view, claim), /* taught= */ false, view->now.mono);
        if (r.nothing) {
            fleet_nothing_suits(l, &r, life, str_of(err.text));
            return;
        }
        life_back_off(view, life);
        fleet_say_failure(view, life, claim, STR("LaunchFailed"), str_of(err.text));
        return;
    }
    if (r.attempt > 0 && !str_eq(noted, r.digest) && life->looking_since != INT64_MAX &&
        view->now.mono - life->looking_since < UNSEEN_MS) {
        /* Another run may have made that call, and it cannot be made again. */
        life->sure = false;
        life->due = sat_add(view->now.mono, LOOK_AGAIN_MS);
        return;
    }
    if (r.attempt == 0 || life->used_up || !str_eq(noted, r.digest)) {
        if (!fleet_is_hopeless(l, &r, life)) {
            write_note(&r, life, r.attempt + 1);
        }
        return;
    }
    if (!next_template(l, &r, life)) {
        send_fleet(&r, life);
    }
}
