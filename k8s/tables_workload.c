/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of what makes pods: Deployment, StatefulSet, ReplicaSet, ReplicationController, DaemonSet,
 * Job, CronJob and PodTemplate. The kind of a workload is set before its table decodes it. */
#include <string.h>

#include "base/limits.h"
#include "k8s/objects.h"
#include "k8s/shapes.h"
#include "k8s/tables.h"

static bool read_count(struct codec_in *in, const struct json_at *at, const char *key,
                       struct opt_i64 *ret_value)
{
    struct json_at member = json_at_member(at, key);
    return json_read_i64(&member, 0, INT32_MAX, &ret_value->has, &ret_value->v, in->err);
}

static bool read_flag(struct codec_in *in, const struct json_at *at, const char *key,
                      bool *ret_value)
{
    struct json_at member = json_at_member(at, key);
    bool has = false;
    return json_read_bool(&member, &has, ret_value, in->err);
}

/* ---- claim templates ---- */

static const struct codec_row claim_name_rows[] = {
    ROW("name", CODEC_TEXT, struct k8s_claim_template, name, .check = CHECK_NAME,
        .flags = CODEC_REQUIRED)};
static const struct codec_table claim_name_table = {CODEC_ROWS(claim_name_rows)};
static const struct codec_row claim_request_rows[] = {
    ROW("storage", CODEC_QUANTITY, struct k8s_claim_template, request_bytes)};
static const struct codec_table claim_request_table = {CODEC_ROWS(claim_request_rows)};
static const struct codec_row claim_resource_rows[] = {ROW_FLAT("requests", &claim_request_table)};
static const struct codec_table claim_resource_table = {CODEC_ROWS(claim_resource_rows)};
static const struct codec_row claim_spec_rows[] = {
    ROW("storageClassName", CODEC_WORD, struct k8s_claim_template, storage_class,
        .check = CHECK_NAME, .flags = CODEC_NONE),
    ROW_FLAT("resources", &claim_resource_table),
};
static const struct codec_table claim_spec_table = {CODEC_ROWS(claim_spec_rows)};
static const struct codec_row claim_rows[] = {
    ROW_FLAT("metadata", &claim_name_table, .flags = CODEC_REQUIRED),
    ROW_FLAT("spec", &claim_spec_table, .flags = CODEC_DEFAULTS)};
static const struct codec_table claim_table = {CODEC_ROWS(claim_rows),
                                               .size = sizeof(struct k8s_claim_template)};

/* ---- how many pods ---- */

struct job_condition {
    strid type, status;
};
static const struct codec_row job_condition_rows[] = {
    ROW("type", CODEC_WORD, struct job_condition, type),
    ROW("status", CODEC_WORD, struct job_condition, status)};
static const struct codec_table job_condition_table = {CODEC_ROWS(job_condition_rows),
                                                       .size = sizeof(struct job_condition)};

static bool job_is_over(struct codec_in *in, const struct json_at *status, bool *ret_over)
{
    struct job_condition *conditions = NULL;
    uint32_t n = 0;
    struct json_at member = json_at_member(status, "conditions");
    *ret_over = false;
    if (!codec_scratch_list(in, &job_condition_table, &member, &conditions, &n)) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct str type = strtab_str(in->tab, conditions[i].type);
        bool last = str_eq(type, STR("Complete")) || str_eq(type, STR("Failed")) ||
                    str_eq(type, STR("SuccessCriteriaMet")) || str_eq(type, STR("FailureTarget"));
        *ret_over = *ret_over || (last && conditions[i].status == in->words->s_true);
    }
    return true;
}

/* min(parallelism, completions left). Without completions any success ends the Job; both default
 * to 1. https://kubernetes.io/docs/concepts/workloads/controllers/job/#parallel-jobs */
static bool job_pods(struct codec_in *in, const struct json_at *spec, const struct json_at *status,
                     int64_t *ret_pods)
{
    struct opt_i64 parallelism, completions, succeeded = {.has = false, .v = 0};
    bool over = false;
    if (!read_count(in, spec, "parallelism", &parallelism) ||
        !read_count(in, spec, "completions", &completions) ||
        (status != NULL &&
         (!read_count(in, status, "succeeded", &succeeded) || !job_is_over(in, status, &over)))) {
        return false;
    }
    int64_t pods = parallelism.has ? parallelism.v : 1;
    int64_t left = completions.has   ? completions.v - succeeded.v
                   : succeeded.v > 0 ? 0
                   : parallelism.has ? pods
                                     : 1;
    *ret_pods = over || left < 0 ? 0 : pods < left ? pods : left;
    return true;
}

/* ---- the workload ---- */

static enum codec_keep decode_rest(struct codec_in *in, const struct json_at *at,
                                   const struct json_at *outer, const struct json_at *spec,
                                   struct k8s_workload *workload)
{
    static const struct codec_row selector_row = {.type = CODEC_OBJECT, .sub = &k8s_selector_table};
    static const struct codec_row map_row = {.type = CODEC_MAP, .check = CHECK_LABELS};
    static const struct codec_row claims_row = {.type = CODEC_LIST, .sub = &claim_table};
    bool cron = workload->kind == K8S_CRONJOB, job = cron || workload->kind == K8S_JOB;
    struct json_at status = json_at_member(at, "status");
    struct json_at template = json_at_member(spec, "template");
    struct json_at selector = json_at_member(spec, "selector");
    struct opt_i64 replicas = {.has = false, .v = 0};
    bool ok = json_want_object(&status, in->err) && json_want_object(&template, in->err);
    if (ok && job) {
        ok = read_flag(in, outer, "suspend", &workload->suspended) &&
             job_pods(in, spec, cron ? NULL : &status, &workload->replicas);
    } else if (ok && workload->kind != K8S_DAEMONSET) {
        ok = read_count(in, spec, "replicas", &replicas);
        workload->replicas = replicas.has ? replicas.v : 1;
    }
    if (ok && workload->replicas > LIMIT_REPLICAS) {
        struct json_at count = json_at_member(spec, job ? "parallelism" : "replicas");
        ok = json_fail(in->err, ERR_LIMIT, &count,
                       "%lld replicas are too many (LIMIT_REPLICAS is %d)",
                       (long long)workload->replicas, (int)LIMIT_REPLICAS);
    }
    workload->selector.present = selector.v != NULL;
    if (ok && workload->kind == K8S_REPLICATIONCONTROLLER) {
        ok = codec_decode_row(in, &map_row, &selector, (char *)&workload->selector.match_labels,
                              NULL);
    } else if (ok) {
        ok = codec_decode_row(in, &selector_row, &selector, (char *)&workload->selector, NULL);
    }
    if (ok && workload->kind == K8S_STATEFULSET) {
        struct opt_i64 start = {.has = false, .v = 0};
        struct json_at ordinals = json_at_member(spec, "ordinals");
        ok = json_want_object(&ordinals, in->err) && read_count(in, &ordinals, "start", &start);
        workload->first_ordinal = start.v;
    }
    if (ok && workload->kind == K8S_STATEFULSET) {
        struct json_at claims = json_at_member(spec, "volumeClaimTemplates");
        ok = codec_decode_row(in, &claims_row, &claims, (char *)&workload->claim_templates,
                              &workload->n_claim_templates);
    }
    if (ok && template.v == NULL) {
        ok = json_fail(in->err, ERR_INVALID, &template, "required");
    }
    return ok ? CODEC_KEEP : CODEC_FAIL;
}

static const struct {
    enum k8s_workload_kind kind;
    const char *api_version, *name;
} kinds[] = {
    {K8S_DEPLOYMENT, "apps/v1", "Deployment"},
    {K8S_STATEFULSET, "apps/v1", "StatefulSet"},
    {K8S_REPLICASET, "apps/v1", "ReplicaSet"},
    {K8S_REPLICATIONCONTROLLER, "v1", "ReplicationController"},
    {K8S_DAEMONSET, "apps/v1", "DaemonSet"},
    {K8S_JOB, "batch/v1", "Job"},
    {K8S_CRONJOB, "batch/v1", "CronJob"},
};

static bool decode_template(struct codec_in *in, const struct json_at *spec,
                            struct k8s_workload *workload)
{
    struct json_at template = json_at_member(spec, "template");
    const char *api = kinds[workload->kind].api_version, *name = kinds[workload->kind].name;
    return k8s_shapes_decode(in->user, in, &template, K8S_BARE, strtab_add(in->tab, str_of(api)),
                             strtab_add(in->tab, str_of(name)), &workload->template_shape);
}

static enum codec_keep decode_workload(struct codec_in *in, const struct json_at *at, void *value)
{
    struct k8s_workload *workload = value;
    struct json_at spec = json_at_member(at, "spec");
    if (!json_want_object(&spec, in->err)) {
        return CODEC_FAIL;
    }
    if (workload->kind != K8S_CRONJOB) {
        return decode_rest(in, at, &spec, &spec, workload) == CODEC_KEEP &&
                       decode_template(in, &spec, workload)
                   ? CODEC_KEEP
                   : CODEC_FAIL;
    }
    struct json_at job = json_at_member(&spec, "jobTemplate");
    struct json_at job_spec = json_at_member(&job, "spec");
    bool ok = json_want_object(&job, in->err) && json_want_object(&job_spec, in->err) &&
              decode_rest(in, at, &spec, &job_spec, workload) == CODEC_KEEP &&
              decode_template(in, &job_spec, workload);
    return ok ? CODEC_KEEP : CODEC_FAIL;
}

static void encode_workload(const struct codec_out *out, const void *value, json_t *object)
{
    const struct k8s_workload *workload = value;
    json_t *spec = codec_child(object, "spec");
    bool job = workload->kind == K8S_JOB || workload->kind == K8S_CRONJOB;
    if (workload->suspended) {
        (void)json_object_set_new(spec, "suspend", json_true());
    }
    if (workload->kind == K8S_CRONJOB) {
        spec = codec_child(codec_child(spec, "jobTemplate"), "spec");
    }
    if (job) {
        (void)json_object_set_new(spec, "parallelism", json_integer(workload->replicas));
        (void)json_object_set_new(spec, "completions", json_integer(workload->replicas));
    } else if (workload->kind != K8S_DAEMONSET) {
        (void)json_object_set_new(spec, "replicas", json_integer(workload->replicas));
    }
    if (workload->selector.present && workload->kind == K8S_REPLICATIONCONTROLLER) {
        (void)json_object_set_new(spec, "selector",
                                  codec_map(out, &workload->selector.match_labels));
    } else if (workload->selector.present) {
        codec_encode(out, &k8s_selector_table, &workload->selector, codec_child(spec, "selector"));
    }
    if (workload->first_ordinal > 0) {
        (void)json_object_set_new(codec_child(spec, "ordinals"), "start",
                                  json_integer(workload->first_ordinal));
    }
    json_t *claims = workload->n_claim_templates == 0 ? NULL : json_array();
    for (uint32_t i = 0; i < workload->n_claim_templates; i++) {
        json_t *item = json_object();
        codec_encode(out, &claim_table, &workload->claim_templates[i], item);
        (void)json_array_append_new(claims, item);
    }
    if (claims != NULL) {
        (void)json_object_set_new(spec, "volumeClaimTemplates", claims);
    }
    codec_encode(out, &k8s_shape_table, workload->template_shape, codec_child(spec, "template"));
}

static const struct codec_row workload_rows[] = {
    ROW("metadata", CODEC_OBJECT, struct k8s_workload, meta, .sub = &k8s_meta_table,
        .flags = CODEC_REQUIRED),
    ROW("kind", CODEC_ENUM, struct k8s_workload, kind, .flags = CODEC_HIDDEN),
    ROW("replicas", CODEC_I64, struct k8s_workload, replicas, .flags = CODEC_HIDDEN),
    ROW("start", CODEC_I64, struct k8s_workload, first_ordinal, .flags = CODEC_HIDDEN),
    ROW("suspend", CODEC_BOOL, struct k8s_workload, suspended, .flags = CODEC_HIDDEN),
    {.key = "selector",
     .type = CODEC_OBJECT,
     .sub = &k8s_selector_table,
     .offset = offsetof(struct k8s_workload, selector),
     .n_offset = 1 + offsetof(struct k8s_workload, selector.present),
     .flags = CODEC_HIDDEN},
    ROW("template", CODEC_SHAPE, struct k8s_workload, template_shape, .flags = CODEC_HIDDEN),
    ROW_LIST("volumeClaimTemplates", struct k8s_workload, claim_templates, n_claim_templates,
             &claim_table, .flags = CODEC_HIDDEN),
};
const struct codec_table k8s_workload_table = {
    CODEC_ROWS(workload_rows), .size = sizeof(struct k8s_workload), .decode = decode_workload,
    .encode = encode_workload};

/* ---- PodTemplate ---- */

static enum codec_keep decode_pod_template(struct codec_in *in, const struct json_at *at,
                                           void *value)
{
    struct k8s_pod_template *template = value;
    struct json_at member = json_at_member(at, "template");
    bool ok = member.v != NULL ? json_want_object(&member, in->err)
                               : json_fail(in->err, ERR_INVALID, &member, "required");
    ok = ok && k8s_shapes_decode(in->user, in, &member, K8S_BARE, STRID_NONE, STRID_NONE,
                                 &template->shape);
    return ok ? CODEC_KEEP : CODEC_FAIL;
}

static void encode_pod_template(const struct codec_out *out, const void *value, json_t *object)
{
    const struct k8s_pod_template *template = value;
    codec_encode(out, &k8s_shape_table, template->shape, codec_child(object, "template"));
}

static const struct codec_row pod_template_rows[] = {
    ROW("metadata", CODEC_OBJECT, struct k8s_pod_template, meta, .sub = &k8s_meta_table,
        .flags = CODEC_REQUIRED),
    ROW("template", CODEC_SHAPE, struct k8s_pod_template, shape, .flags = CODEC_HIDDEN),
};
const struct codec_table k8s_pod_template_table = {
    CODEC_ROWS(pod_template_rows), .size = sizeof(struct k8s_pod_template),
    .decode = decode_pod_template, .encode = encode_pod_template};
