/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodeclass/keeper.h"

#include <string.h>

#include "awsapi/service_eks.h"
#include "base/arena.h"
#include "base/vec.h"
#include "provisioner/nodeclass/keeper_write.h"
#include "provisioner/nodeclass/resolver.h"
#include "provisioner/nodeclass/status_patch.h"
#include "provisioner/nodeclass/upkeep.h"

#define WAIT_FOR_CLAIMS_MS (INT64_C(10) * 60 * 1000)
#define PAUSE_FIRST_MS     INT64_C(2000)

/* What a line is about. */
enum subject { ABOUT_AWS, ABOUT_WRITES, ABOUT_STATE, N_SUBJECTS };

enum { VERSION_MAX = 128, PAUSE_DOUBLINGS = 6, CIDR_MAX = 64 };

enum stage {
    IDLE,
    CLAIMS,
    META,
    CLUSTER,
    PROFILE,
    RESOLVE,
    STATUS,
    CLEAN,  /* of a class that goes */
    RELEASE /* the finalizer */
};

/* A class, from the first word of it until it is gone and nothing is under way for it. */
struct kept {
    struct kept *next;
    struct keeper *keeper;
    struct arena arena; /* its name */
    struct str name;
    json_t *object; /* as it is now; NULL: gone */
    char version[VERSION_MAX];
    size_t n_version;
    bool dirty; /* to be looked at whatever `due` says */
    mono_t due;
    uint32_t n_failures;       /* in a row */
    uint64_t said[N_SUBJECTS]; /* hashes of the last lines about it, so as not to say them again */

    /* ---- of the look that is under way ---- */
    enum stage stage;
    struct arena run;
    json_t *run_object; /* that `class` was decoded from */
    struct nodeclass class;
    enum nodeclass_family family;
    struct str hash;
    VEC(struct keeper_claim) claims;
    size_t claim_i;
    bool handed; /* what the stage wants has been handed out */
    bool failed; /* a question has no answer */
    struct nodeclass_upkeep *upkeep;
    struct nodeclass_resolver *resolver;
    struct nodeclass_status before;
    struct str profile, profile_failure;
    uint32_t n_under_way;
};

struct under_way {
    uint32_t id;
    struct kept *kept;
    enum stage stage;
    uint32_t question; /* RESOLVE: of the resolver */
};

struct keeper {
    struct arena arena, say_arena;
    struct keeper_settings settings;
    struct str version;
    struct kept *first;
    VEC(struct under_way) under_way;
    uint32_t n_ids;
    VEC(struct keeper_want) says;
    size_t say_i;
    char cidr[CIDR_MAX]; /* of Services */
    size_t n_cidr;
};

/* ---- what is said ---- */

static void say(struct kept *kept, enum subject subject, bool is_error, const char *message,
                struct str text)
{
    struct keeper *k = kept->keeper;
    const uint64_t hash = str_hash(str_of(message)) * 31 + str_hash(text);
    if (hash == kept->said[subject]) {
        return;
    }
    kept->said[subject] = hash;
    VEC_PUSH(&k->say_arena, &k->says,
             (struct keeper_want){.type = KEEPER_SAY,
                                  .name = str_copy(&k->say_arena, kept->name),
                                  .is_error = is_error,
                                  .message = message,
                                  .text = str_copy(&k->say_arena, text)});
}

static bool next_said(struct keeper *k, struct keeper_want *ret_want)
{
    if (k->say_i < k->says.n) {
        *ret_want = k->says.v[k->say_i++];
        return true;
    }
    arena_reset(&k->say_arena);
    memset(&k->says, 0, sizeof k->says);
    k->say_i = 0;
    return false;
}

/* ---- classes ---- */

static struct kept *find(const struct keeper *k, struct str name)
{
    struct kept *kept = k->first;
    while (kept != NULL && !str_eq(kept->name, name)) {
        kept = kept->next;
    }
    return kept;
}

/* By name, so that what is done does not hang on the order of arrival. */
static struct kept *add(struct keeper *k, struct str name)
{
    struct arena arena = ARENA_INIT;
    struct kept *kept = ARENA_NEW(&arena, struct kept);
    struct kept **at = &k->first;
    kept->keeper = k;
    kept->name = str_copy(&arena, name);
    kept->run = ARENA_INIT;
    kept->arena = arena;
    while (*at != NULL && str_cmp((*at)->name, name) < 0) {
        at = &(*at)->next;
    }
    kept->next = *at;
    *at = kept;
    return kept;
}

static void kept_free(struct kept *kept)
{
    json_decref(kept->object);
    json_decref(kept->run_object);
    arena_done(&kept->run);
    struct arena arena = kept->arena;
    arena_done(&arena);
}

static void forget(struct keeper *k, struct kept *kept)
{
    struct kept **at = &k->first;
    while (*at != kept) {
        at = &(*at)->next;
    }
    *at = kept->next;
    kept_free(kept);
}

static void set_version(struct kept *kept, struct str version)
{
    kept->n_version = version.n < VERSION_MAX ? version.n : 0;
    if (kept->n_version > 0) {
        memcpy(kept->version, version.p, kept->n_version);
    }
}

static json_int_t generation_of(const json_t *object)
{
    return json_integer_value(json_object_get(json_object_get(object, "metadata"), "generation"));
}

/* Whether there is something to do besides what time brings. */
static bool is_news(const json_t *before, const json_t *now)
{
    return before == NULL ||
           !str_eq(keeper_meta_text(before, "uid"), keeper_meta_text(now, "uid")) ||
           generation_of(before) != generation_of(now) ||
           keeper_is_deleted(before) != keeper_is_deleted(now) ||
           (keeper_has_finalizer(before) && !keeper_has_finalizer(now)) ||
           (keeper_annotation(before, KEEPER_HASH_VERSION).n > 0 &&
            keeper_annotation(now, KEEPER_HASH_VERSION).n == 0);
}

void keeper_class(struct keeper *k, const json_t *object)
{
    const struct str name = keeper_meta_text(object, "name");
    struct kept *kept = find(k, name);
    if (name.n == 0) {
        return; /* no API server has such a one */
    }
    if (kept == NULL) {
        kept = add(k, name);
    }
    kept->dirty = kept->dirty || is_news(kept->object, object);
    json_decref(kept->object);
    kept->object = json_deep_copy(object);
    set_version(kept, keeper_meta_text(object, "resourceVersion"));
}

void keeper_class_gone(struct keeper *k, struct str name)
{
    struct kept *kept = find(k, name);
    if (kept == NULL) {
        return;
    }
    json_decref(kept->object);
    kept->object = NULL;
}

void keeper_restart(struct keeper *k)
{
    for (struct kept *kept = k->first; kept != NULL; kept = kept->next) {
        json_decref(kept->object);
        kept->object = NULL;
    }
}

/* Those that are gone and wait for nothing. */
static void sweep(struct keeper *k)
{
    for (struct kept *kept = k->first, *next; kept != NULL; kept = next) {
        next = kept->next;
        if (kept->object == NULL && kept->n_under_way == 0) {
            forget(k, kept);
        }
    }
}

void keeper_claim_gone(struct keeper *k, struct str class_name)
{
    struct kept *kept = find(k, class_name);
    if (kept != NULL && kept->object != NULL && keeper_is_deleted(kept->object)) {
        kept->dirty = true;
    }
}

/* ---- a look: its beginning and its end ---- */

static int64_t pause_of(const struct kept *kept)
{
    const uint32_t n = kept->n_failures < PAUSE_DOUBLINGS ? kept->n_failures : PAUSE_DOUBLINGS;
    const int64_t pause = PAUSE_FIRST_MS << n;
    return pause < kept->keeper->settings.refresh_ms ? pause : kept->keeper->settings.refresh_ms;
}

static void finish(struct kept *kept, struct keeper_moment now, bool good)
{
    kept->stage = IDLE;
    kept->due = now.mono + (good ? kept->keeper->settings.refresh_ms : pause_of(kept));
    kept->n_failures = good ? 0 : kept->n_failures + 1;
}

static void go(struct kept *kept, enum stage stage)
{
    kept->stage = stage;
    kept->handed = false;
}

static void gather_claims(struct kept *kept)
{
    const struct keeper_settings *s = &kept->keeper->settings;
    struct keeper_claim claim;
    uint32_t at = 0;
    memset(&kept->claims, 0, sizeof kept->claims);
    kept->claim_i = 0;
    while (s->claim_next(s->ctx, kept->name, &at, &claim)) {
        VEC_PUSH(&kept->run, &kept->claims,
                 (struct keeper_claim){.name = str_copy(&kept->run, claim.name),
                                       .hash_version = str_copy(&kept->run, claim.hash_version),
                                       .drifted = claim.drifted});
    }
}

/* The class of a look: decoded from an object of its own, because objects change meanwhile. */
static bool decode(struct kept *kept, struct err *err)
{
    json_decref(kept->run_object);
    kept->run_object = json_incref(kept->object);
    arena_reset(&kept->run);
    kept->upkeep = NULL;
    kept->resolver = NULL;
    kept->hash = kept->profile = kept->profile_failure = STR_EMPTY;
    kept->failed = false;
    return nodeclass_decode(kept->run_object, &kept->run, &kept->class, err) &&
           nodeclass_family(&kept->class, &kept->family, err) &&
           nodeclass_status_decode(kept->run_object, &kept->run, &kept->before, err);
}

/* A kubelet setting that version 5 has no field for leaves the class without a hash, as it leaves
 * Karpenter 1.14. */
static void set_hash(struct kept *kept)
{
    uint64_t hash;
    struct err ignored;
    if (nodeclass_hash(&kept->class, KEEPER_WRITES_VERSION, kept->keeper->settings.ca, &kept->run,
                       &hash, &ignored)) {
        struct strbuf b = strbuf_new(&kept->run, 32);
        strbuf_addf(&b, "%llu", (unsigned long long)hash);
        kept->hash = strbuf_str(&b);
    }
}

static void begin_removal(struct kept *kept, struct keeper_moment now)
{
    kept->due = INT64_MAX;
    if (!keeper_has_finalizer(kept->object)) {
        return;
    }
    if (kept->claims.n > 0) {
        struct strbuf b = strbuf_new(&kept->run, 1024);
        strbuf_addf(&b, STR_FMT, STR_ARG(kept->claims.v[0].name));
        if (kept->claims.n > 1) {
            strbuf_addf(&b, " and %zu other(s)", kept->claims.n - 1);
        }
        say(kept, ABOUT_STATE, /* is_error= */ false, "waiting on nodeclaim termination",
            strbuf_str(&b));
        kept->due = now.mono + WAIT_FOR_CLAIMS_MS;
        return;
    }
    go(kept, CLEAN);
}

static void begin(struct kept *kept, struct keeper_moment now)
{
    struct err err;
    kept->dirty = false;
    kept->due = INT64_MAX; /* until `finish` */
    if (!decode(kept, &err)) {
        say(kept, ABOUT_STATE, /* is_error= */ true, "cannot read an EC2NodeClass",
            str_of(err.text));
        return;
    }
    gather_claims(kept);
    if (keeper_is_deleted(kept->object)) {
        begin_removal(kept, now);
        return;
    }
    nodeclass_conditions_read(kept->run_object, &kept->before);
    set_hash(kept);
    go(kept, CLAIMS);
}

/* ---- stages ---- */

static uint32_t hand_out(struct kept *kept, uint32_t question)
{
    struct keeper *k = kept->keeper;
    const uint32_t id = k->n_ids++;
    VEC_PUSH(
        &k->arena, &k->under_way,
        (struct under_way){.id = id, .kept = kept, .stage = kept->stage, .question = question});
    kept->n_under_way++;
    return id;
}

static bool want_patch(struct kept *kept, enum keeper_target target, struct str body,
                       struct keeper_want *ret_want)
{
    kept->handed = true;
    *ret_want = (struct keeper_want){
        .type = KEEPER_PATCH,
        .id = hand_out(kept, 0),
        .target = target,
        .name = kept->name,
        .version = str_copy(&kept->run, (struct str){.p = kept->version, .n = kept->n_version}),
        .body = body};
    return true;
}

static bool want_ask(struct kept *kept, const struct nodeclass_question *question,
                     struct keeper_want *ret_want)
{
    *ret_want = (struct keeper_want){.type = KEEPER_ASK,
                                     .id = hand_out(kept, question->id),
                                     .operation = question->operation,
                                     .input = question->input};
    return true;
}

/* NodeClaims are moved to our version before the class is, so that no claim is held against a hash
 * of another kind; only while the class has another. */
static bool want_claim(struct kept *kept, struct keeper_want *ret_want)
{
    const struct str ours = nodeclass_hash_version_name(KEEPER_WRITES_VERSION);
    if (kept->hash.n == 0 ||
        str_eq(keeper_annotation(kept->run_object, KEEPER_HASH_VERSION), ours)) {
        return false;
    }
    while (kept->claim_i < kept->claims.n &&
           str_eq(kept->claims.v[kept->claim_i].hash_version, ours)) {
        kept->claim_i++;
    }
    if (kept->claim_i == kept->claims.n) {
        return false;
    }
    const struct keeper_claim *claim = &kept->claims.v[kept->claim_i];
    (void)want_patch(kept, KEEPER_CLAIM, keeper_claim_patch(kept->hash, claim->drifted, &kept->run),
                     ret_want);
    ret_want->name = claim->name;
    ret_want->version = STR_EMPTY;
    return true;
}

static struct nodeclass_upkeep_facts upkeep_facts(const struct kept *kept)
{
    const struct keeper_settings *s = &kept->keeper->settings;
    return (struct nodeclass_upkeep_facts){.class = &kept->class,
                                           .cluster_name = s->cluster_name,
                                           .region = s->region,
                                           .profile = kept->before.instance_profile,
                                           .without_iam = s->isolated_vpc};
}

/* Known once, for all classes that need it. */
static bool want_cluster(struct kept *kept, struct keeper_want *ret_want)
{
    if (kept->family != NODECLASS_AL2023 || kept->keeper->n_cidr > 0) {
        return false;
    }
    struct eks_describe_cluster_request *input =
        ARENA_NEW(&kept->run, struct eks_describe_cluster_request);
    input->name = kept->keeper->settings.cluster_name;
    kept->handed = true;
    const struct nodeclass_question question = {.operation = &aws_eks_describe_cluster,
                                                .input = input};
    return want_ask(kept, &question, ret_want);
}

static void begin_resolving(struct kept *kept, struct keeper_moment now)
{
    const struct nodeclass_resolver_facts facts = {.family = kept->family,
                                                   .cluster_name =
                                                       kept->keeper->settings.cluster_name,
                                                   .version = kept->keeper->version,
                                                   .profile = kept->profile,
                                                   .profile_is_settled = kept->profile.n > 0,
                                                   .profile_failure = kept->profile_failure,
                                                   .before = &kept->before,
                                                   .now = now.wall};
    kept->resolver = nodeclass_resolver_new(&kept->class, &facts, &kept->run);
    go(kept, RESOLVE);
}

/* What the resolver cannot know: the range of Services, and that nobody tried a launch. */
static void judge_validation(struct kept *kept, struct nodeclass_status *status)
{
    struct nodeclass_condition *c = &status->conditions[NODECLASS_VALIDATION];
    if (kept->family == NODECLASS_AL2023 && kept->keeper->n_cidr == 0) {
        *c = (struct nodeclass_condition){.status = NODECLASS_FALSE,
                                          .reason = STR("ClusterCIDRResolutionFailed"),
                                          .message = STR("Failed to detect the cluster CIDR")};
    } else if (c->status == NODECLASS_TRUE) {
        c->reason = c->message = STR_EMPTY;
    }
}

static void say_readiness(struct kept *kept, const struct nodeclass_status *status)
{
    struct strbuf b = strbuf_new(&kept->run, 4096);
    for (int i = 0; i < NODECLASS_N_CONDITIONS; i++) {
        const struct nodeclass_condition *c = &status->conditions[i];
        if (c->status != NODECLASS_TRUE) {
            strbuf_addf(&b, "%s" STR_FMT "=" STR_FMT ": " STR_FMT, b.n > 0 ? "; " : "",
                        STR_ARG(nodeclass_condition_name((enum nodeclass_condition_type)i)),
                        STR_ARG(nodeclass_truth_name(c->status)), STR_ARG(c->message));
        }
    }
    say(kept, ABOUT_STATE, /* is_error= */ b.n > 0,
        b.n > 0 ? "nodeclass is not ready" : "nodeclass is ready", strbuf_str(&b));
}

/* False: the object says it already, and the look is over. */
static bool want_status(struct kept *kept, struct keeper_moment now, struct keeper_want *ret_want)
{
    struct nodeclass_status status = *nodeclass_resolver_status(kept->resolver);
    struct str body;
    judge_validation(kept, &status);
    say_readiness(kept, &status);
    kept->failed = kept->failed || nodeclass_ready(&status) == NODECLASS_UNKNOWN;
    const struct nodeclass_patch_facts facts = {.object = kept->object,
                                                .status = &status,
                                                .generation = generation_of(kept->run_object),
                                                .reservations =
                                                    kept->keeper->settings.reserved_capacity,
                                                .now = now.wall};
    if (kept->object == NULL || !nodeclass_status_patch(&facts, &kept->run, &body)) {
        finish(kept, now, !kept->failed);
        return false;
    }
    return want_patch(kept, KEEPER_CLASS_STATUS, body, ret_want);
}

static bool want_meta(struct kept *kept, struct keeper_want *ret_want)
{
    struct str body;
    return kept->object != NULL && keeper_meta_patch(kept->object, kept->hash, &kept->run, &body) &&
           want_patch(kept, KEEPER_CLASS, body, ret_want);
}

/* An upkeep that is over leaves its stage. */
static void leave_upkeep(struct kept *kept, struct keeper_moment now)
{
    const struct str failure = nodeclass_upkeep_failure(kept->upkeep);
    const bool was_ensure = kept->stage == PROFILE;
    const struct str profile = nodeclass_upkeep_profile(kept->upkeep);
    kept->upkeep = NULL;
    if (was_ensure) {
        kept->profile = profile;
        kept->profile_failure = failure;
        begin_resolving(kept, now);
    } else if (failure.p != NULL) {
        say(kept, ABOUT_AWS, /* is_error= */ true,
            "cannot remove what was made for an EC2NodeClass", failure);
        finish(kept, now, /* good= */ false);
    } else {
        go(kept, RELEASE);
    }
}

static bool want_upkeep(struct kept *kept, struct keeper_moment now, struct keeper_want *ret_want)
{
    struct nodeclass_question question;
    if (kept->upkeep == NULL) {
        const struct nodeclass_upkeep_facts facts = upkeep_facts(kept);
        kept->upkeep = kept->stage == PROFILE ? nodeclass_upkeep_ensure(&facts, &kept->run)
                                              : nodeclass_upkeep_remove(&facts, &kept->run);
    }
    if (nodeclass_upkeep_next(kept->upkeep, &question)) {
        return want_ask(kept, &question, ret_want);
    }
    if (nodeclass_upkeep_is_over(kept->upkeep)) {
        leave_upkeep(kept, now);
    }
    return false;
}

static bool leave(struct kept *kept, enum stage next)
{
    go(kept, next);
    return false;
}

/* What the stage wants now. False with another stage: ask again; false with the same: it waits. */
static bool want_of(struct kept *kept, struct keeper_moment now, struct keeper_want *ret_want)
{
    struct nodeclass_question question;
    if (kept->handed) {
        return false;
    }
    switch (kept->stage) {
    case IDLE:
        return false;
    case CLAIMS:
        return want_claim(kept, ret_want) || leave(kept, META);
    case META:
        return want_meta(kept, ret_want) || leave(kept, CLUSTER);
    case CLUSTER:
        return want_cluster(kept, ret_want) || leave(kept, PROFILE);
    case PROFILE:
        if (kept->class.role.n == 0) {
            begin_resolving(kept, now);
            return false;
        }
        return want_upkeep(kept, now, ret_want);
    case RESOLVE:
        if (nodeclass_resolver_next(kept->resolver, &question)) {
            return want_ask(kept, &question, ret_want);
        }
        if (nodeclass_resolver_done(kept->resolver)) {
            go(kept, STATUS);
        }
        return false;
    case STATUS:
        return want_status(kept, now, ret_want);
    case CLEAN:
        return want_upkeep(kept, now, ret_want);
    case RELEASE:
        return kept->object != NULL &&
               want_patch(kept, KEEPER_CLASS, keeper_release_patch(kept->object, &kept->run),
                          ret_want);
    }
    return false;
}

static bool next_of(struct kept *kept, struct keeper_moment now, struct keeper_want *ret_want)
{
    enum stage before;
    if (kept->stage == IDLE && kept->object != NULL && (kept->dirty || now.mono >= kept->due)) {
        begin(kept, now);
    }
    do {
        before = kept->stage;
        if (want_of(kept, now, ret_want)) {
            return true;
        }
    } while (kept->stage != before);
    return false;
}

bool keeper_next(struct keeper *k, struct keeper_moment now, struct keeper_want *ret_want)
{
    sweep(k);
    if (next_said(k, ret_want)) {
        return true;
    }
    for (struct kept *kept = k->first; kept != NULL; kept = kept->next) {
        if (next_of(kept, now, ret_want)) {
            return true;
        }
    }
    return next_said(k, ret_want);
}

mono_t keeper_due(const struct keeper *k)
{
    mono_t due = INT64_MAX;
    for (const struct kept *kept = k->first; kept != NULL; kept = kept->next) {
        if (kept->stage == IDLE && kept->object != NULL && kept->due < due) {
            due = kept->due;
        }
    }
    return due;
}

/* ---- what came of it ---- */

static struct under_way take(struct keeper *k, uint32_t id)
{
    size_t i = 0;
    while (k->under_way.v[i].id != id) {
        i++;
    }
    const struct under_way found = k->under_way.v[i];
    k->under_way.v[i] = k->under_way.v[--k->under_way.n];
    found.kept->n_under_way--;
    return found;
}

void keeper_page(struct keeper *k, uint32_t id, const void *output)
{
    for (size_t i = 0; i < k->under_way.n; i++) {
        const struct under_way *u = &k->under_way.v[i];
        if (u->id != id) {
            continue;
        }
        if (u->stage == RESOLVE) {
            nodeclass_resolver_page(u->kept->resolver, u->question, output);
        } else if (u->stage == CLUSTER) {
            const struct eks_describe_cluster_response *page = output;
            const struct eks_kubernetes_network_config_response *network =
                page->cluster == NULL ? NULL : page->cluster->kubernetes_network_config;
            const struct str cidr = network == NULL                    ? STR_EMPTY
                                    : network->service_ipv4_cidr.n > 0 ? network->service_ipv4_cidr
                                                                       : network->service_ipv6_cidr;
            k->n_cidr = cidr.n < CIDR_MAX ? cidr.n : 0;
            if (k->n_cidr > 0) {
                memcpy(k->cidr, cidr.p, k->n_cidr);
            }
        } else {
            nodeclass_upkeep_page(u->kept->upkeep, output);
        }
    }
}

void keeper_end(struct keeper *k, uint32_t id, const struct aws_fault *fault, struct str text,
                struct keeper_moment now)
{
    const struct under_way u = take(k, id);
    struct kept *kept = u.kept;
    (void)now;
    if (fault->kind != AWS_FAULT_NONE && fault->kind != AWS_FAULT_NOT_FOUND) {
        kept->failed = true;
        say(kept, ABOUT_AWS, /* is_error= */ true, "cannot ask AWS for an EC2NodeClass", text);
    }
    if (u.stage == RESOLVE) {
        nodeclass_resolver_end(kept->resolver, u.question, fault, text);
    } else if (u.stage == CLUSTER) {
        kept->failed = kept->failed || fault->kind != AWS_FAULT_NONE;
        go(kept, PROFILE);
    } else {
        nodeclass_upkeep_end(kept->upkeep, fault, text);
    }
}

/* The stage after a patch that was made. */
static void go_on(struct kept *kept, enum stage stage, struct keeper_moment now)
{
    switch (stage) {
    case CLAIMS:
        kept->claim_i++;
        go(kept, CLAIMS);
        return;
    case META:
        go(kept, CLUSTER);
        return;
    case RELEASE:
        finish(kept, now, /* good= */ true);
        kept->due = INT64_MAX;
        return;
    case STATUS:
        finish(kept, now, !kept->failed);
        return;
    case IDLE:
    case CLUSTER:
    case PROFILE:
    case RESOLVE:
    case CLEAN:
        return;
    }
}

void keeper_patched(struct keeper *k, uint32_t id, enum keeper_outcome outcome, struct str version,
                    struct str text, struct keeper_moment now)
{
    const struct under_way u = take(k, id);
    struct kept *kept = u.kept;
    if (outcome == KEEPER_DONE || (outcome == KEEPER_GONE && u.stage == CLAIMS)) {
        if (u.stage != CLAIMS) {
            set_version(kept, version);
        }
        go_on(kept, u.stage, now);
    } else {
        if (outcome == KEEPER_FAILED) {
            say(kept, ABOUT_WRITES, /* is_error= */ true, "cannot write an EC2NodeClass", text);
        }
        finish(kept, now, /* good= */ false);
    }
}

/* ---- all of it ---- */

struct keeper *keeper_new(const struct keeper_settings *settings)
{
    struct arena arena = ARENA_INIT;
    struct keeper *k = ARENA_NEW(&arena, struct keeper);
    k->settings = *settings;
    k->say_arena = ARENA_INIT;
    k->arena = arena;
    return k;
}

void keeper_free(struct keeper *k)
{
    if (k == NULL) {
        return;
    }
    while (k->first != NULL) {
        forget(k, k->first);
    }
    arena_done(&k->say_arena);
    struct arena arena = k->arena;
    arena_done(&arena);
}

void keeper_set_version(struct keeper *k, struct str version)
{
    if (!str_eq(k->version, version)) {
        k->version = str_copy(&k->arena, version);
    }
}
