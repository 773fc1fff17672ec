/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodeclass/keeper.h"

#include <string.h>

#include "awsapi/service_eks.h"
#include "awsapi/service_ssm.h"
#include "provisioner/nodeclass/keeper_impl.h"
#include "provisioner/nodeclass/keeper_write.h"
#include "provisioner/nodeclass/status_patch.h"

#define WAIT_FOR_CLAIMS_MS (INT64_C(10) * 60 * 1000)
#define PAUSE_FIRST_MS     INT64_C(2000)

enum { PAUSE_DOUBLINGS = 6 };

/* ---- what is said ---- */

static void push_say(struct kept *kept, bool is_error, const char *message, struct str text)
{
    struct keeper *k = kept->keeper;
    VEC_PUSH(&k->say_arena, &k->says,
             (struct keeper_want){.type = KEEPER_SAY,
                                  .name = str_copy(&k->say_arena, kept->name),
                                  .is_error = is_error,
                                  .message = message,
                                  .text = str_copy(&k->say_arena, text)});
}

void keeper_say(struct kept *kept, enum subject subject, bool is_error, const char *message,
                struct str text)
{
    const uint64_t hash = (str_hash(str_of(message)) * 31 + str_hash(text)) | 1; /* 0: nothing */
    if (hash != kept->said[subject]) {
        kept->said[subject] = hash;
        push_say(kept, is_error, message, text);
    }
}

void keeper_well(struct kept *kept, enum subject subject, const char *message)
{
    if (kept->said[subject] != 0) {
        kept->said[subject] = 0;
        push_say(kept, /* is_error= */ false, message, STR_EMPTY);
    }
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

json_int_t kept_generation(const json_t *object)
{
    return json_integer_value(json_object_get(json_object_get(object, "metadata"), "generation"));
}

/* Whether there is something to do besides what time brings. */
static bool is_news(const json_t *before, const json_t *now)
{
    return before == NULL ||
           !str_eq(keeper_meta_text(before, "uid"), keeper_meta_text(now, "uid")) ||
           kept_generation(before) != kept_generation(now) ||
           keeper_is_deleted(before) != keeper_is_deleted(now) ||
           (keeper_has_finalizer(before) && !keeper_has_finalizer(now)) ||
           (keeper_annotation(before, KEEPER_HASH_VERSION).n > 0 &&
            keeper_annotation(now, KEEPER_HASH_VERSION).n == 0);
}

/* What is under way for the look comes to an end by itself, unheard; only then the next begins. */
static void drop(struct kept *kept)
{
    kept->stage = IDLE;
    kept->dirty = true;
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
    if (is_news(kept->object, object)) {
        drop(kept);
    }
    json_decref(kept->object);
    kept->object = json_deep_copy(object);
}

void keeper_class_gone(struct keeper *k, struct str name)
{
    struct kept *kept = find(k, name);
    if (kept == NULL) {
        return;
    }
    json_decref(kept->object);
    kept->object = NULL;
    drop(kept);
}

void keeper_restart(struct keeper *k)
{
    for (struct kept *kept = k->first; kept != NULL; kept = kept->next) {
        json_decref(kept->object);
        kept->object = NULL;
    }
    keeper_drop(k);
}

void keeper_drop(struct keeper *k)
{
    for (struct kept *kept = k->first; kept != NULL; kept = kept->next) {
        drop(kept);
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
    if (kept == NULL) {
        return;
    }
    kept->had_claims = true;
    if (kept->object != NULL && keeper_is_deleted(kept->object)) {
        kept->dirty = true;
    }
}

void keeper_claims_absent(struct keeper *k, bool absent)
{
    for (struct kept *kept = k->first; kept != NULL && absent != k->claims_absent;
         kept = kept->next) {
        kept->dirty = true;
    }
    k->claims_absent = absent;
}

/* ---- a look: its beginning and its end ---- */

static int64_t pause_of(const struct kept *kept)
{
    const uint32_t n = kept->n_failures < PAUSE_DOUBLINGS ? kept->n_failures : PAUSE_DOUBLINGS;
    const int64_t pause = PAUSE_FIRST_MS << n;
    return pause < kept->keeper->settings.refresh_ms ? pause : kept->keeper->settings.refresh_ms;
}

void kept_finish(struct kept *kept, struct keeper_moment now, bool good)
{
    kept->stage = IDLE;
    kept->due = now.mono + (good ? kept->keeper->settings.refresh_ms : pause_of(kept));
    kept->n_failures = good ? 0 : kept->n_failures + 1;
    if (!kept->failed) {
        keeper_well(kept, ABOUT_AWS, "AWS answers again for an EC2NodeClass");
    }
}

void kept_go(struct kept *kept, enum stage stage)
{
    kept->stage = stage;
    kept->handed = false;
}

void keeper_gather_claims(struct kept *kept)
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
                                       .profile = str_copy(&kept->run, claim.profile),
                                       .drifted = claim.drifted});
        kept->had_claims = true;
    }
}

/* A look has an object of its own, because objects change meanwhile. */
static void reset(struct kept *kept)
{
    json_decref(kept->run_object);
    kept->run_object = json_incref(kept->object);
    set_version(kept, keeper_meta_text(kept->run_object, "resourceVersion"));
    arena_reset(&kept->run);
    kept->upkeep = NULL;
    kept->resolver = NULL;
    kept->dryrun = NULL;
    kept->hash = kept->profile = kept->profile_failure = STR_EMPTY;
    kept->failed = kept->claim_failed = false;
}

static bool decode(struct kept *kept, struct err *err)
{
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
    if (kept->keeper->claims_absent && kept->had_claims) {
        keeper_say(kept, ABOUT_STATE, /* is_error= */ true,
                   "an EC2NodeClass that had NodeClaims stays while the cluster has no such kind",
                   STR_EMPTY);
        return; /* keeper_claims_absent brings the next look */
    }
    if (kept->claims.n > 0) {
        struct strbuf b = strbuf_new(&kept->run, 1024);
        strbuf_addf(&b, STR_FMT, STR_ARG(kept->claims.v[0].name));
        if (kept->claims.n > 1) {
            strbuf_addf(&b, " and %zu other(s)", kept->claims.n - 1);
        }
        keeper_say(kept, ABOUT_STATE, /* is_error= */ false, "waiting on nodeclaim termination",
                   strbuf_str(&b));
        kept->due = now.mono + WAIT_FOR_CLAIMS_MS;
        return;
    }
    kept_go(kept, CLEAN);
}

static void begin(struct kept *kept, struct keeper_moment now)
{
    struct err err;
    kept->dirty = false;
    kept->due = INT64_MAX; /* until `finish` */
    reset(kept);
    keeper_gather_claims(kept);
    if (keeper_is_deleted(kept->object)) {
        /* Removal takes no more than this, so that what cannot be read can still go. */
        kept->class = (struct nodeclass){.name = kept->name,
                                         .uid = keeper_meta_text(kept->run_object, "uid")};
        kept->before = (struct nodeclass_status){.n_subnets = 0};
        begin_removal(kept, now);
        return;
    }
    if (!decode(kept, &err)) {
        keeper_say(kept, ABOUT_STATE, /* is_error= */ true, "cannot read an EC2NodeClass",
                   str_of(err.text));
        return;
    }
    nodeclass_conditions_read(kept->run_object, &kept->before);
    set_hash(kept);
    kept_go(kept, CLAIMS);
}

static bool next_of(struct kept *kept, struct keeper_moment now, struct keeper_want *ret_want)
{
    enum stage before;
    if (kept->stage == IDLE && kept->n_under_way == 0 && kept->object != NULL &&
        (kept->dirty || now.mono >= kept->due)) {
        begin(kept, now);
    }
    do {
        before = kept->stage;
        if (kept_want(kept, now, ret_want)) {
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

static void take_cluster(struct keeper *k, const struct eks_describe_cluster_response *page)
{
    const struct eks_kubernetes_network_config_response *network =
        page->cluster == NULL ? NULL : page->cluster->kubernetes_network_config;
    const struct str cidr = network == NULL                    ? STR_EMPTY
                            : network->service_ipv4_cidr.n > 0 ? network->service_ipv4_cidr
                                                               : network->service_ipv6_cidr;
    k->n_cidr = cidr.n < CIDR_MAX ? cidr.n : 0;
    k->ipv6 = userdata_is_ipv6(cidr);
    if (k->n_cidr > 0) {
        memcpy(k->cidr, cidr.p, k->n_cidr);
    }
}

static void remember(struct keeper *k, struct str name, const struct ssm_get_parameter_result *page,
                     mono_t now)
{
    if (page->parameter != NULL) {
        memo_put(&k->memo, &k->arena, name, page->parameter->value, now);
    }
}

void keeper_page(struct keeper *k, uint32_t id, const void *output, struct keeper_moment now)
{
    for (size_t i = 0; i < k->under_way.n; i++) {
        const struct under_way *u = &k->under_way.v[i];
        if (u->id != id || u->kept->stage == IDLE) {
            continue;
        }
        if (u->stage == RESOLVE) {
            if (u->parameter.n > 0) {
                remember(k, u->parameter, output, now.mono);
            }
            nodeclass_resolver_page(u->kept->resolver, u->question, output);
        } else if (u->stage == CLUSTER) {
            take_cluster(k, output);
        } else if (u->stage != TRY) {
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
    if (kept->stage == IDLE) {
        return; /* of a look that was dropped */
    }
    if (u.stage == TRY) {
        if (fault->kind != AWS_FAULT_NONE && !nodeclass_dryrun_is_answer(kept->dryrun, fault)) {
            kept->try_failed = true;
            keeper_say(kept, ABOUT_TRIES, /* is_error= */ true,
                       "a dry run of a launch fails for an EC2NodeClass", text);
        }
        nodeclass_dryrun_end(kept->dryrun, fault, text);
        return;
    }
    if (u.stage == SWEEP) {
        nodeclass_upkeep_end(kept->upkeep, fault, text);
        return;
    }
    if (fault->kind != AWS_FAULT_NONE && fault->kind != AWS_FAULT_NOT_FOUND) {
        kept->failed = true;
        keeper_say(kept, ABOUT_AWS, /* is_error= */ true, "cannot ask AWS for an EC2NodeClass",
                   text);
    }
    if (u.stage == RESOLVE) {
        nodeclass_resolver_end(kept->resolver, u.question, fault, text);
    } else if (u.stage == CLUSTER) {
        kept->failed = kept->failed || fault->kind != AWS_FAULT_NONE;
        kept_go(kept, PROFILE);
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
        kept_go(kept, CLAIMS);
        return;
    case META:
        kept_go(kept, CLUSTER);
        return;
    case RELEASE:
        kept_finish(kept, now, /* good= */ true);
        kept->due = INT64_MAX;
        return;
    case STATUS:
        kept_go(kept, SWEEP);
        return;
    case IDLE:
    case CLUSTER:
    case PROFILE:
    case RESOLVE:
    case TRY:
    case SWEEP:
    case CLEAN:
        return;
    }
}

/* One NodeClaim that cannot be written keeps the class from its new hash, and from nothing else. */
static void claim_patched(struct kept *kept, enum keeper_outcome outcome, struct str text)
{
    if (outcome == KEEPER_DONE || outcome == KEEPER_GONE) {
        return;
    }
    kept->claim_failed = true;
    if (outcome == KEEPER_FAILED) {
        const struct str name = kept->claims.v[kept->claim_i].name;
        struct strbuf b = strbuf_new(&kept->run, 2048);
        strbuf_addf(&b, "NodeClaim " STR_FMT ": " STR_FMT, STR_ARG(name),
                    STR_ARG(str_sub(text, 0, 1024)));
        keeper_say(kept, ABOUT_CLAIMS, /* is_error= */ true, "cannot write a NodeClaim",
                   strbuf_str(&b));
    }
}

void keeper_patched(struct keeper *k, uint32_t id, enum keeper_outcome outcome, struct str version,
                    struct str text, struct keeper_moment now)
{
    const struct under_way u = take(k, id);
    struct kept *kept = u.kept;
    if (kept->stage == IDLE) {
        return; /* of a look that was dropped */
    }
    if (u.stage == CLAIMS) {
        claim_patched(kept, outcome, text);
        go_on(kept, u.stage, now);
    } else if (outcome == KEEPER_DONE) {
        set_version(kept, version);
        keeper_well(kept, ABOUT_WRITES, "an EC2NodeClass can be written again");
        go_on(kept, u.stage, now);
    } else {
        if (outcome == KEEPER_FAILED) {
            keeper_say(kept, ABOUT_WRITES, /* is_error= */ true, "cannot write an EC2NodeClass",
                       text);
        }
        kept_finish(kept, now, /* good= */ false);
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
