/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of the values that many kinds share: metadata, selectors, taints, tolerations, conditions.
 */
#include <string.h>

#include "base/qty.h"
#include "k8s/tables.h"

/* ---- metadata ---- */

static const struct codec_row owner_rows[] = {
    ROW("apiVersion", CODEC_WORD, struct k8s_owner, api_version, .check = CHECK_PRINTABLE),
    ROW("kind", CODEC_WORD, struct k8s_owner, kind, .check = CHECK_PRINTABLE),
    ROW("name", CODEC_TEXT, struct k8s_owner, name, .check = CHECK_PRINTABLE),
    ROW("uid", CODEC_TEXT, struct k8s_owner, uid, .check = CHECK_PRINTABLE),
    ROW("controller", CODEC_BOOL, struct k8s_owner, controller),
};
static const struct codec_table owner_table = {CODEC_ROWS(owner_rows),
                                               .size = sizeof(struct k8s_owner)};

/* Finalizers lie in the struct as count and pointer. */
static enum codec_keep decode_meta(struct codec_in *in, const struct json_at *at, void *value)
{
    static const struct codec_row row = {.type = CODEC_WORDS, .check = CHECK_PRINTABLE};
    struct k8s_meta *meta = value;
    struct k8s_strids words;
    struct json_at member = json_at_member(at, "finalizers");
    if (!codec_decode_row(in, &row, &member, (char *)&words, NULL)) {
        return CODEC_FAIL;
    }
    meta->n_finalizers = words.n;
    meta->finalizers = words.v;
    return CODEC_KEEP;
}

static void encode_meta(const struct codec_out *out, const void *value, json_t *object)
{
    const struct k8s_meta *meta = value;
    json_t *list = meta->n_finalizers == 0 ? NULL : json_array();
    for (uint32_t i = 0; i < meta->n_finalizers; i++) {
        (void)json_array_append_new(list, codec_word(out, meta->finalizers[i]));
    }
    if (list != NULL) {
        (void)json_object_set_new(object, "finalizers", list);
    }
}

static const struct codec_row word_rows[] = {{.key = "", .type = CODEC_WORD, .offset = 0}};
static const struct codec_table word_table = {CODEC_ROWS(word_rows), .size = sizeof(strid)};

static const struct codec_row meta_rows[] = {
    ROW("name", CODEC_TEXT, struct k8s_meta, name, .check = CHECK_NAME, .flags = CODEC_REQUIRED),
    ROW("namespace", CODEC_WORD, struct k8s_meta, ns, .check = CHECK_DNS_LABEL),
    ROW("uid", CODEC_TEXT, struct k8s_meta, uid, .check = CHECK_PRINTABLE),
    ROW("resourceVersion", CODEC_TEXT, struct k8s_meta, resource_version, .check = CHECK_PRINTABLE),
    ROW("generation", CODEC_I64, struct k8s_meta, generation),
    ROW("creationTimestamp", CODEC_TIME, struct k8s_meta, created),
    ROW("deletionTimestamp", CODEC_TIME, struct k8s_meta, deleted, .flags = CODEC_FUTURE),
    ROW("labels", CODEC_MAP, struct k8s_meta, labels, .check = CHECK_LABELS),
    ROW("annotations", CODEC_MAP, struct k8s_meta, annotations, .flags = CODEC_FILTER),
    ROW_LIST("ownerReferences", struct k8s_meta, owners, n_owners, &owner_table),
    ROW_LIST("finalizers", struct k8s_meta, finalizers, n_finalizers, &word_table,
             .flags = CODEC_HIDDEN),
};
const struct codec_table k8s_meta_table = {CODEC_ROWS(meta_rows), .size = sizeof(struct k8s_meta),
                                           .decode = decode_meta, .encode = encode_meta};

/* ---- requirements ---- */

static const struct codec_choice selector_operators[] = {{"In", K8S_IN},
                                                         {"NotIn", K8S_NOT_IN},
                                                         {"Exists", K8S_EXISTS},
                                                         {"DoesNotExist", K8S_DOES_NOT_EXIST},
                                                         {NULL, 0}};
static const struct codec_choice node_operators[] = {{"In", K8S_IN},
                                                     {"NotIn", K8S_NOT_IN},
                                                     {"Exists", K8S_EXISTS},
                                                     {"DoesNotExist", K8S_DOES_NOT_EXIST},
                                                     {"Gt", K8S_GT},
                                                     {"Lt", K8S_LT},
                                                     {NULL, 0}};
static const struct codec_choice pool_operators[] = {{"In", K8S_IN},
                                                     {"NotIn", K8S_NOT_IN},
                                                     {"Exists", K8S_EXISTS},
                                                     {"DoesNotExist", K8S_DOES_NOT_EXIST},
                                                     {"Gt", K8S_GT},
                                                     {"Lt", K8S_LT},
                                                     {"Gte", K8S_GTE},
                                                     {"Lte", K8S_LTE},
                                                     {NULL, 0}};

static bool compares(enum k8s_operator op)
{
    return op == K8S_GT || op == K8S_LT || op == K8S_GTE || op == K8S_LTE;
}

/* The number of values that an operator takes. */
static enum codec_keep check_values(struct codec_in *in, const struct json_at *at, void *value)
{
    const struct k8s_requirement *r = value;
    struct json_at values = json_at_member(at, "values");
    bool ok = true;
    if (r->op == K8S_IN || r->op == K8S_NOT_IN) {
        ok = r->values.n > 0 ||
             json_fail(in->err, ERR_INVALID, &values, "In and NotIn need at least one value");
    } else if (r->op == K8S_EXISTS || r->op == K8S_DOES_NOT_EXIST) {
        ok = r->values.n == 0 ||
             json_fail(in->err, ERR_INVALID, &values, "Exists and DoesNotExist take no values");
    } else if (compares(r->op)) {
        ok = r->values.n == 1 ||
             json_fail(in->err, ERR_INVALID, &values, "Gt and Lt need exactly one value");
    }
    return ok ? CODEC_KEEP : CODEC_FAIL;
}

/* NodePools, NodeClaims and NodeOverlays: numbers are not negative, minValues fit. `In` without
 * values is refused, as is NotIn without values in a NodeOverlay only; an empty NotIn excludes
 * nothing. */
static enum codec_keep check_pool_values(struct codec_in *in, const struct json_at *at, void *value)
{
    const struct k8s_requirement *r = value;
    struct json_at values = json_at_member(at, "values");
    uint64_t number = 0;
    if (r->op == K8S_NOT_IN && r->values.n == 0) {
        return CODEC_KEEP;
    }
    if (check_values(in, at, value) == CODEC_FAIL) {
        return CODEC_FAIL;
    }
    if (compares(r->op)) {
        struct str text = strtab_str(in->tab, r->values.v[0]);
        if (!str_to_u64(text, &number) || number > INT64_MAX) {
            struct json_at first = json_at_element(&values, 0);
            (void)json_fail(in->err, ERR_INVALID, &first,
                            "\"" STR_FMT "\": Gt, Lt, Gte and Lte need a single whole number, not "
                            "negative",
                            STR_ARG(text));
            return CODEC_FAIL;
        }
    }
    if (r->op == K8S_IN && r->min_values.has && (int64_t)r->values.n < r->min_values.v) {
        struct json_at min = json_at_member(at, "minValues");
        (void)json_fail(in->err, ERR_INVALID, &min, "%d, but there are only %u values",
                        r->min_values.v, r->values.n);
        return CODEC_FAIL;
    }
    return CODEC_KEEP;
}

static const struct codec_row selector_expression_rows[] = {
    ROW("key", CODEC_WORD, struct k8s_requirement, key, .check = CHECK_LABEL_KEY,
        .flags = CODEC_REQUIRED),
    ROW("operator", CODEC_ENUM, struct k8s_requirement, op, .choices = selector_operators,
        .flags = CODEC_REQUIRED),
    ROW("values", CODEC_WORDS, struct k8s_requirement, values, .check = CHECK_LABEL_VALUE),
};
static const struct codec_table selector_expression_table = {CODEC_ROWS(selector_expression_rows),
                                                             .size = sizeof(struct k8s_requirement),
                                                             .decode = check_values};

static const struct codec_row selector_rows[] = {
    ROW("matchLabels", CODEC_MAP, struct k8s_selector, match_labels, .check = CHECK_LABELS),
    ROW_LIST("matchExpressions", struct k8s_selector, expressions, n_expressions,
             &selector_expression_table),
};
const struct codec_table k8s_selector_table = {CODEC_ROWS(selector_rows),
                                               .size = sizeof(struct k8s_selector)};

/* The scheduler reads values that are no label values as never matching, so they are let through.
 */
static const struct codec_row node_expression_rows[] = {
    ROW("key", CODEC_WORD, struct k8s_requirement, key, .check = CHECK_LABEL_KEY,
        .flags = CODEC_REQUIRED),
    ROW("operator", CODEC_ENUM, struct k8s_requirement, op, .choices = node_operators,
        .flags = CODEC_REQUIRED),
    ROW("values", CODEC_WORDS, struct k8s_requirement, values, .check = CHECK_PRINTABLE),
};
static const struct codec_table node_expression_table = {CODEC_ROWS(node_expression_rows),
                                                         .size = sizeof(struct k8s_requirement),
                                                         .decode = check_values};

static const struct codec_row node_term_rows[] = {
    ROW_LIST("matchExpressions", struct k8s_node_term, expressions, n_expressions,
             &node_expression_table),
    ROW_LIST("matchFields", struct k8s_node_term, fields, n_fields, &node_expression_table),
};
const struct codec_table k8s_node_term_table = {CODEC_ROWS(node_term_rows),
                                                .size = sizeof(struct k8s_node_term)};

static const struct codec_row pool_requirement_rows[] = {
    ROW("key", CODEC_WORD, struct k8s_requirement, key, .check = CHECK_LABEL_KEY,
        .flags = CODEC_REQUIRED),
    ROW("operator", CODEC_ENUM, struct k8s_requirement, op, .choices = pool_operators,
        .flags = CODEC_REQUIRED),
    ROW("values", CODEC_WORDS, struct k8s_requirement, values, .check = CHECK_LABEL_VALUE),
    ROW("minValues", CODEC_OPT_I32, struct k8s_requirement, min_values, .check = CHECK_RANGE,
        .min = 1, .max = 50),
};
const struct codec_table karp_requirement_table = {CODEC_ROWS(pool_requirement_rows),
                                                   .size = sizeof(struct k8s_requirement),
                                                   .decode = check_pool_values};

/* ---- taints and tolerations ---- */

static const struct codec_choice taint_effects[] = {{"NoSchedule", K8S_NO_SCHEDULE},
                                                    {"PreferNoSchedule", K8S_PREFER_NO_SCHEDULE},
                                                    {"NoExecute", K8S_NO_EXECUTE},
                                                    {NULL, 0}};
static const struct codec_row taint_rows[] = {
    ROW("key", CODEC_WORD, struct k8s_taint, key, .check = CHECK_LABEL_KEY,
        .flags = CODEC_REQUIRED),
    ROW("value", CODEC_WORD, struct k8s_taint, value, .check = CHECK_LABEL_VALUE),
    ROW("effect", CODEC_ENUM, struct k8s_taint, effect, .choices = taint_effects,
        .flags = CODEC_REQUIRED),
};
const struct codec_table k8s_taint_table = {CODEC_ROWS(taint_rows),
                                            .size = sizeof(struct k8s_taint)};

static const struct codec_choice toleration_operators[] = {
    {"Equal", K8S_IN}, {"Exists", K8S_EXISTS}, {"Gt", K8S_GT}, {"Lt", K8S_LT}, {NULL, 0}};

static enum codec_keep check_toleration(struct codec_in *in, const struct json_at *at, void *value)
{
    const struct k8s_toleration *t = value;
    int64_t number = 0;
    if (t->key == STRID_EMPTY && t->op != K8S_EXISTS) {
        struct json_at op = json_at_member(at, "operator");
        (void)json_fail(in->err, ERR_INVALID, &op, "must be Exists when `key` is empty");
        return CODEC_FAIL;
    }
    struct json_at member = json_at_member(at, "value");
    if (t->op == K8S_EXISTS && t->value != STRID_EMPTY) {
        (void)json_fail(in->err, ERR_INVALID, &member, "must be empty when `operator` is Exists");
        return CODEC_FAIL;
    }
    if ((t->op == K8S_GT || t->op == K8S_LT) &&
        !str_to_i64(strtab_str(in->tab, t->value), &number)) {
        (void)json_fail(in->err, ERR_INVALID, &member, "Gt and Lt need a whole number");
        return CODEC_FAIL;
    }
    if (t->seconds.has && t->effect != K8S_NO_EXECUTE) {
        struct json_at effect = json_at_member(at, "effect");
        (void)json_fail(in->err, ERR_INVALID, &effect,
                        "must be NoExecute when `tolerationSeconds` is set");
        return CODEC_FAIL;
    }
    return CODEC_KEEP;
}

static const struct codec_row toleration_rows[] = {
    ROW("key", CODEC_WORD, struct k8s_toleration, key, .check = CHECK_LABEL_KEY),
    ROW("operator", CODEC_ENUM, struct k8s_toleration, op, .choices = toleration_operators,
        .absent = K8S_IN),
    ROW("value", CODEC_WORD, struct k8s_toleration, value, .check = CHECK_LABEL_VALUE),
    ROW("effect", CODEC_ENUM, struct k8s_toleration, effect, .choices = taint_effects,
        .absent = K8S_EFFECT_ANY),
    ROW("tolerationSeconds", CODEC_OPT_I64, struct k8s_toleration, seconds),
};
const struct codec_table k8s_toleration_table = {
    CODEC_ROWS(toleration_rows), .size = sizeof(struct k8s_toleration), .decode = check_toleration};

/* ---- conditions ---- */

#define CONDITION_ROWS                                                                             \
    ROW("type", CODEC_WORD, struct k8s_condition, type, .check = CHECK_PRINTABLE),                 \
        ROW("status", CODEC_WORD, struct k8s_condition, status, .check = CHECK_PRINTABLE),         \
        ROW("reason", CODEC_WORD, struct k8s_condition, reason, .check = CHECK_PRINTABLE),         \
        ROW("lastTransitionTime", CODEC_TIME, struct k8s_condition, changed),                      \
        ROW("observedGeneration", CODEC_I64, struct k8s_condition, observed_generation)

static const struct codec_row condition_rows[] = {CONDITION_ROWS};
const struct codec_table k8s_condition_table = {CODEC_ROWS(condition_rows),
                                                .size = sizeof(struct k8s_condition)};
static const struct codec_row told_condition_rows[] = {
    CONDITION_ROWS, ROW("message", CODEC_TEXT, struct k8s_condition, message)};
const struct codec_table karp_condition_table = {CODEC_ROWS(told_condition_rows),
                                                 .size = sizeof(struct k8s_condition)};
