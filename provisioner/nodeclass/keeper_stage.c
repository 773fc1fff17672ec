/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "awsapi/service_eks.h"
#include "awsapi/service_ssm.h"
#include "provisioner/nodeclass/keeper_impl.h"
#include "provisioner/nodeclass/keeper_write.h"
#include "provisioner/nodeclass/status_patch.h"

#define TRIED_MS (INT64_C(30) * 60 * 1000) /* (karp-aws: ValidationTTL) */
#define SWEEP_MS (INT64_C(60) * 60 * 1000)

enum { SUBJECT_MAX = 256 * 1024 };

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
    kept_go(kept, RESOLVE);
}

/* What the resolver cannot know: the range of Services, and what a dry run says. */
static void judge_validation(struct kept *kept)
{
    struct nodeclass_condition *c = &kept->status.conditions[NODECLASS_VALIDATION];
    if (kept->family == NODECLASS_AL2023 && kept->keeper->n_cidr == 0) {
        *c = (struct nodeclass_condition){.status = NODECLASS_FALSE,
                                          .reason = STR("ClusterCIDRResolutionFailed"),
                                          .message = STR("Failed to detect the cluster CIDR")};
    } else if (c->status == NODECLASS_TRUE) {
        c->reason = c->message = STR_EMPTY;
    }
}

/* ---- the dry run ---- */

/* Annotations of a person's: changing one has the class tried again. */
static uint64_t hash_annotations(const struct kept *kept)
{
    json_t *all = json_object_get(json_object_get(kept->run_object, "metadata"), "annotations");
    uint64_t hash = 0;
    const char *key;
    json_t *value;
    json_object_foreach(all, key, value)
    {
        const struct str name = str_of(key);
        if (!str_eq(name, STR(KEEPER_HASH)) && !str_eq(name, STR(KEEPER_HASH_VERSION))) {
            hash ^= str_hash(name) * 31 + str_hash(str_of(json_string_value(value)));
        }
    }
    return hash;
}

/* Everything that its answer may hang on (karp-aws: cacheKey). The order of subnets says nothing:
 * it is that of free addresses. */
static uint64_t subject_of(struct kept *kept)
{
    const struct nodeclass_status *status = &kept->status;
    struct strbuf b = strbuf_new(&kept->run, SUBJECT_MAX);
    uint64_t subnets = 0;
    for (uint32_t i = 0; i < status->n_subnets; i++) {
        subnets ^= str_hash(status->subnets[i].id);
    }
    strbuf_addf(&b, STR_FMT " %lld %llu %llu " STR_FMT " " STR_FMT " " STR_FMT,
                STR_ARG(keeper_meta_text(kept->run_object, "uid")),
                (long long)kept_generation(kept->run_object), (unsigned long long)subnets,
                (unsigned long long)hash_annotations(kept), STR_ARG(status->instance_profile),
                STR_ARG(status->placement.id), STR_ARG(kept->trial.type.name));
    for (uint32_t i = 0; i < status->n_images; i++) {
        strbuf_addf(&b, " " STR_FMT, STR_ARG(status->images[i].id));
    }
    for (uint32_t i = 0; i < status->n_groups; i++) {
        strbuf_addf(&b, " " STR_FMT, STR_ARG(status->groups[i].id));
    }
    return str_hash(strbuf_str(&b));
}

static void remember_tried(struct kept *kept, const struct nodeclass_verdict *verdict, mono_t now)
{
    const struct nodeclass_condition *c = &verdict->condition;
    struct tried *tried = &kept->tried;
    tried->of = subject_of(kept);
    tried->until = verdict->keep ? now + TRIED_MS : now;
    tried->status = c->status;
    tried->n_reason = c->reason.n < REASON_MAX ? c->reason.n : REASON_MAX;
    tried->n_message = c->message.n < MESSAGE_MAX ? c->message.n : MESSAGE_MAX;
    memcpy(tried->reason, c->reason.p == NULL ? "" : c->reason.p, tried->n_reason);
    memcpy(tried->message, c->message.p == NULL ? "" : c->message.p, tried->n_message);
}

/* What nobody could find out leaves what was true of this spec as it was. */
static void take_tried(struct kept *kept)
{
    const struct tried *tried = &kept->tried;
    struct nodeclass_condition *c = &kept->status.conditions[NODECLASS_VALIDATION];
    if (tried->status == NODECLASS_UNKNOWN &&
        kept->before.conditions[NODECLASS_VALIDATION].status == NODECLASS_TRUE) {
        kept->failed = true; /* soon again */
        return;
    }
    *c = (struct nodeclass_condition){.status = tried->status,
                                      .reason = {.p = tried->reason, .n = tried->n_reason},
                                      .message = {.p = tried->message, .n = tried->n_message}};
}

static void begin_trying(struct kept *kept, struct keeper_moment now)
{
    const struct keeper *k = kept->keeper;
    kept->status = *nodeclass_resolver_status(kept->resolver);
    judge_validation(kept);
    if (!k->settings.dry_run ||
        kept->status.conditions[NODECLASS_VALIDATION].status != NODECLASS_TRUE) {
        kept_go(kept, STATUS);
        return;
    }
    const struct nodeclass_type *types = NULL;
    const uint32_t n_types = k->settings.types_of(k->settings.ctx, kept->name, &kept->run, &types);
    kept->trial = nodeclass_dryrun_choose(kept->family, &kept->status, types, n_types);
    if (kept->tried.of == subject_of(kept) && now.mono < kept->tried.until) {
        take_tried(kept);
        kept_go(kept, STATUS);
        return;
    }
    const struct nodeclass_dryrun_facts facts = {
        .class = &kept->class,
        .family = kept->family,
        .status = &kept->status,
        .cluster = {.name = k->settings.cluster_name,
                    .endpoint = k->settings.endpoint,
                    .ca = k->settings.ca,
                    .cidr = {.p = k->cidr, .n = k->n_cidr}},
        .region = k->settings.region,
        .trial = kept->trial,
        .ipv6 = k->ipv6};
    kept->dryrun = nodeclass_dryrun_new(&facts, &kept->run);
    kept->try_failed = false;
    kept_go(kept, TRY);
}

static bool want_try(struct kept *kept, struct keeper_moment now, struct keeper_want *ret_want)
{
    struct nodeclass_question question;
    if (nodeclass_dryrun_next(kept->dryrun, &question)) {
        return want_ask(kept, &question, ret_want);
    }
    if (nodeclass_dryrun_is_over(kept->dryrun)) {
        const struct nodeclass_verdict verdict = nodeclass_dryrun_verdict(kept->dryrun);
        remember_tried(kept, &verdict, now.mono);
        take_tried(kept);
        if (!kept->try_failed) {
            keeper_well(kept, ABOUT_TRIES,
                        "the dry run of a launch succeeds again for an EC2NodeClass");
        }
        kept_go(kept, STATUS);
    }
    return false;
}

/* ---- the status ---- */

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
    keeper_say(kept, ABOUT_STATE, /* is_error= */ b.n > 0,
               b.n > 0 ? "nodeclass is not ready" : "nodeclass is ready", strbuf_str(&b));
}

/* False: the object says it already, and the look is over. */
static bool want_status(struct kept *kept, struct keeper_moment now, struct keeper_want *ret_want)
{
    const struct nodeclass_status *status = &kept->status;
    struct str body;
    say_readiness(kept, status);
    kept->failed = kept->failed || nodeclass_ready(status) == NODECLASS_UNKNOWN;
    const struct nodeclass_patch_facts facts = {.object = kept->object,
                                                .status = status,
                                                .generation = kept_generation(kept->run_object),
                                                .reservations =
                                                    kept->keeper->settings.reserved_capacity,
                                                .now = now.wall};
    if (kept->object == NULL || !nodeclass_status_patch(&facts, &kept->run, &body)) {
        kept_go(kept, SWEEP);
        return false;
    }
    return want_patch(kept, KEEPER_CLASS_STATUS, body, ret_want);
}

static bool want_meta(struct kept *kept, struct keeper_want *ret_want)
{
    struct str body;
    const struct str hash = kept->claim_failed ? STR_EMPTY : kept->hash;
    return kept->object != NULL && keeper_meta_patch(kept->object, hash, &kept->run, &body) &&
           want_patch(kept, KEEPER_CLASS, body, ret_want);
}

/* An upkeep that is over leaves its stage. */
static void leave_upkeep(struct kept *kept, struct keeper_moment now)
{
    const struct str failure = nodeclass_upkeep_failure(kept->upkeep);
    const enum stage stage = kept->stage;
    const struct str profile = nodeclass_upkeep_profile(kept->upkeep);
    kept->upkeep = NULL;
    if (stage == PROFILE) {
        kept->profile = profile;
        kept->profile_failure = failure;
        begin_resolving(kept, now);
    } else if (stage == SWEEP) {
        if (failure.p != NULL) {
            keeper_say(kept, ABOUT_SWEEPS, /* is_error= */ true,
                       "cannot remove what an EC2NodeClass needs no more", failure);
        } else {
            keeper_well(kept, ABOUT_SWEEPS, "what an EC2NodeClass needs no more can be removed");
        }
        kept->sweep_at = now.mono + SWEEP_MS;
        kept_finish(kept, now, !kept->failed && !kept->claim_failed);
    } else if (failure.p != NULL) {
        keeper_say(kept, ABOUT_AWS, /* is_error= */ true,
                   "cannot remove what was made for an EC2NodeClass", failure);
        kept_finish(kept, now, /* good= */ false);
    } else {
        kept_go(kept, RELEASE);
    }
}

/* Profiles that NodeClaims say they have. False: one does not say. */
static bool gather_used(struct kept *kept, struct nodeclass_upkeep_facts *facts)
{
    struct str *used = ARENA_ARRAY(&kept->run, struct str, kept->claims.n + 1);
    facts->n_used = 0;
    facts->used = used;
    for (size_t i = 0; i < kept->claims.n; i++) {
        used[facts->n_used++] = kept->claims.v[i].profile;
        if (kept->claims.v[i].profile.n == 0) {
            return false;
        }
    }
    return true;
}

/* NodeClaims are looked at anew: some may have come while EC2 was asked. */
static struct nodeclass_upkeep *begin_sweep(struct kept *kept, struct keeper_moment now)
{
    struct nodeclass_upkeep_facts facts = upkeep_facts(kept);
    keeper_gather_claims(kept);
    facts.profile = kept->class.role.n > 0 ? kept->status.instance_profile : STR_EMPTY;
    facts.without_iam =
        !gather_used(kept, &facts) || facts.without_iam || kept->keeper->claims_absent;
    facts.templates_before = now.wall - SWEEP_MS;
    return nodeclass_upkeep_sweep(&facts, &kept->run);
}

static bool want_upkeep(struct kept *kept, struct keeper_moment now, struct keeper_want *ret_want)
{
    struct nodeclass_question question;
    if (kept->upkeep == NULL) {
        const struct nodeclass_upkeep_facts facts = upkeep_facts(kept);
        kept->upkeep = kept->stage == PROFILE ? nodeclass_upkeep_ensure(&facts, &kept->run)
                       : kept->stage == SWEEP ? begin_sweep(kept, now)
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
    kept_go(kept, next);
    return false;
}

/* What a parameter holds, without asking for it again. */
static bool is_remembered(struct kept *kept, const struct nodeclass_question *question, mono_t now)
{
    static const struct aws_fault none = {.kind = AWS_FAULT_NONE};
    struct ssm_parameter parameter = {.value = STR_EMPTY};
    const struct ssm_get_parameter_result page = {.parameter = &parameter};
    if (question->operation != &aws_ssm_get_parameter) {
        return false;
    }
    const struct ssm_get_parameter_request *input = question->input;
    if (!memo_get(&kept->keeper->memo, input->name, now, &parameter.value)) {
        return false;
    }
    nodeclass_resolver_page(kept->resolver, question->id, &page);
    nodeclass_resolver_end(kept->resolver, question->id, &none, STR_EMPTY);
    return true;
}

static bool want_answer(struct kept *kept, struct keeper_moment now, struct keeper_want *ret_want)
{
    struct nodeclass_question question;
    while (nodeclass_resolver_next(kept->resolver, &question)) {
        if (is_remembered(kept, &question, now.mono)) {
            continue;
        }
        if (question.operation == &aws_ssm_get_parameter) {
            const struct ssm_get_parameter_request *input = question.input;
            (void)want_ask(kept, &question, ret_want);
            struct keeper *k = kept->keeper;
            k->under_way.v[k->under_way.n - 1].parameter = input->name;
            return true;
        }
        return want_ask(kept, &question, ret_want);
    }
    if (nodeclass_resolver_done(kept->resolver)) {
        begin_trying(kept, now);
    }
    return false;
}

bool kept_want(struct kept *kept, struct keeper_moment now, struct keeper_want *ret_want)
{
    if (kept->handed) {
        return false;
    }
    switch (kept->stage) {
    case IDLE:
        return false;
    case CLAIMS:
        if (want_claim(kept, ret_want)) {
            return true;
        }
        if (!kept->claim_failed) {
            keeper_well(kept, ABOUT_CLAIMS, "the NodeClaims of an EC2NodeClass can be written");
        }
        return leave(kept, META);
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
        return want_answer(kept, now, ret_want);
    case TRY:
        return want_try(kept, now, ret_want);
    case STATUS:
        return want_status(kept, now, ret_want);
    case SWEEP:
        if (now.mono < kept->sweep_at) {
            kept_finish(kept, now, !kept->failed && !kept->claim_failed);
            return false;
        }
        return want_upkeep(kept, now, ret_want);
    case CLEAN:
        return want_upkeep(kept, now, ret_want);
    case RELEASE:
        return kept->object != NULL &&
               want_patch(kept, KEEPER_CLASS, keeper_release_patch(kept->object, &kept->run),
                          ret_want);
    }
    return false;
}
