/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodeclass/validation.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/duration.h"
#include "base/number.h"
#include "base/qty.h"
#include "base/vec.h"
#include "provisioner/nodeclass/kubelet_fields.h"
#include "provisioner/nodeclass/template.h"

enum { N_FIELDS = sizeof kubelet_fields / sizeof kubelet_fields[0] };

/* Messages, joined by "; ". */
struct messages {
    struct strbuf text;
    const json_t *kubelet;
    struct arena *arena;
};

static struct messages messages_new(const json_t *kubelet, struct arena *arena)
{
    return (struct messages){
        .text = strbuf_new(arena, 256 * 1024), .kubelet = kubelet, .arena = arena};
}

static void begin(struct messages *m)
{
    strbuf_add(&m->text, m->text.n > 0 ? STR("; ") : STR_EMPTY);
}

/* ---- against the kubelet's own type ---- */

static const char *go_kind(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "number";
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
        break;
    }
    return "bool";
}

static bool fits(const json_t *value, enum kubelet_json form)
{
    switch (form) {
    case FLAG:
        return json_is_boolean(value);
    case INT32:
        return json_is_integer(value) && json_integer_value(value) >= INT32_MIN &&
               json_integer_value(value) <= INT32_MAX;
    case INT64:
        return json_is_integer(value);
    case FLOAT:
        return json_is_number(value);
    case TEXT:
        return json_is_string(value);
    case ARRAY:
        return json_is_array(value);
    case OBJECT:
        return json_is_object(value);
    }
    return false;
}

static const char *go_type(enum kubelet_json form)
{
    static const char *const names[] = {
        [FLAG] = "bool",   [INT32] = "int32",  [INT64] = "int64",     [FLOAT] = "float64",
        [TEXT] = "string", [ARRAY] = "a list", [OBJECT] = "an object"};
    return names[form];
}

static int field_i(const char *name)
{
    for (int i = 0; i < N_FIELDS; i++) {
        if (str_eq(str_of(kubelet_fields[i].name), str_of(name))) {
            return i;
        }
    }
    return -1;
}

/* Names sorted, so that messages do not depend on the order of input. */
static const char **sorted_keys(const json_t *object, struct arena *arena, size_t *ret_n)
{
    struct nodeclass_pair *pairs =
        ARENA_ARRAY(arena, struct nodeclass_pair, json_object_size(object));
    const char **keys = ARENA_ARRAY(arena, const char *, json_object_size(object));
    const char *key;
    json_t *value;
    size_t n = 0;
    json_object_foreach((json_t *)object, key, value)
    {
        pairs[n++] = (struct nodeclass_pair){.key = str_of(key)};
    }
    if (n > 0) {
        qsort(pairs, n, sizeof pairs[0], nodeclass_pair_cmp);
    }
    for (size_t i = 0; i < n; i++) {
        keys[i] = pairs[i].key.p;
    }
    *ret_n = n;
    return keys;
}

/* A value of the wrong type is the only message, as nothing can be read then. maxPods may be an
 * expression. */
static bool check_types(struct messages *m)
{
    size_t n;
    const char **keys = sorted_keys(m->kubelet, m->arena, &n);
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_object_get(m->kubelet, keys[i]);
        int field = field_i(keys[i]);
        bool expression = str_eq(str_of(keys[i]), STR("maxPods")) && json_is_string(value);
        if (field >= 0 && value != NULL && !json_is_null(value) && !expression &&
            !fits(value, kubelet_fields[field].json)) {
            strbuf_addf(&m->text,
                        "spec.kubelet: json: cannot unmarshal %s into Go struct field "
                        "KubeletConfiguration.%s of type %s",
                        go_kind(value), keys[i], go_type(kubelet_fields[field].json));
            return false;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (field_i(keys[i]) < 0 && !str_eq(str_of(keys[i]), STR("kind")) &&
            !str_eq(str_of(keys[i]), STR("apiVersion"))) {
            begin(m);
            strbuf_addf(&m->text, "spec.kubelet: unknown field \"%s\"", keys[i]);
        }
    }
    return true;
}

/* ---- meaning ---- */

static const char *const signals[] = {"memory.available",
                                      "nodefs.available",
                                      "nodefs.inodesFree",
                                      "imagefs.available",
                                      "imagefs.inodesFree",
                                      "pid.available",
                                      NULL};
static const char *const reservable[] = {"cpu", "memory", "ephemeral-storage", "pid", NULL};

static bool is_one_of(const char *word, const char *const *words)
{
    bool found = false;
    for (size_t i = 0; words[i] != NULL; i++) {
        found = found || str_eq(str_of(word), str_of(words[i]));
    }
    return found;
}

static void put_words(struct strbuf *out, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        strbuf_addf(out, "%s%s", i == 0 ? "" : ", ", words[i]);
    }
}

static void say_value(struct messages *m, const char *field, const char *key, struct str value,
                      const char *what)
{
    begin(m);
    strbuf_addf(&m->text, "spec.kubelet.%s[%s]: \"" STR_FMT "\" %s", field, key, STR_ARG(value),
                what);
}

static bool is_percentage(struct str text)
{
    int64_t percent = 0;
    return number_parse_decimal(text, /* n_decimals= */ 6, &percent) && percent >= 0 &&
           percent <= INT64_C(100000000);
}

static void check_threshold(struct messages *m, const char *field, const char *key,
                            struct str value)
{
    int64_t amount = 0;
    struct err ignored;
    if (str_ends(value, STR("%"))) {
        if (!is_percentage(str_sub(value, 0, value.n - 1))) {
            say_value(m, field, key, value, "must be a percentage or a resource quantity");
        }
    } else if (!qty_parse(value, QTY_BASE, QTY_UP, &amount, &ignored)) {
        say_value(m, field, key, value, "must be a percentage or a resource quantity");
    } else if (amount < 0) {
        say_value(m, field, key, value, "can't be a negative resource quantity");
    }
}

static void check_grace(struct messages *m, const char *field, const char *key, struct str value)
{
    int64_t ms = 0;
    struct err ignored;
    if (!duration_parse(value, &ms, &ignored)) {
        say_value(m, field, key, value, "must be a duration");
    } else if (ms < 0) {
        say_value(m, field, key, value, "can't be a negative duration");
    }
}

/* The member `field` when it is an object of texts, else NULL. */
static const json_t *map_of(const struct messages *m, const char *field)
{
    const json_t *map = json_object_get(m->kubelet, field);
    const char *key;
    json_t *value;
    bool texts = json_is_object(map);
    json_object_foreach((json_t *)map, key, value)
    {
        texts = texts && json_is_string(value);
    }
    return texts ? map : NULL;
}

static struct str text_at(const json_t *map, const char *key)
{
    return str_of(json_string_value(json_object_get(map, key)));
}

static void check_eviction(struct messages *m, const char *field)
{
    const json_t *map = map_of(m, field);
    size_t n = 0;
    const char **keys = map == NULL ? NULL : sorted_keys(map, m->arena, &n);
    for (size_t i = 0; i < n; i++) {
        if (!is_one_of(keys[i], signals)) {
            begin(m);
            strbuf_addf(&m->text,
                        "spec.kubelet.%s: \"%s\" isn't a valid eviction signal, must be one of ",
                        field, keys[i]);
            put_words(&m->text, signals);
        }
        if (str_eq(str_of(field), STR("evictionSoftGracePeriod"))) {
            check_grace(m, field, keys[i], text_at(map, keys[i]));
        } else {
            check_threshold(m, field, keys[i], text_at(map, keys[i]));
        }
    }
}

/* Every signal of the one must be in the other. */
static void check_match(struct messages *m, const char *field, const char *other)
{
    const json_t *map = map_of(m, field);
    size_t n = 0;
    const char **keys = map == NULL ? NULL : sorted_keys(map, m->arena, &n);
    for (size_t i = 0; i < n; i++) {
        if (json_object_get(map_of(m, other), keys[i]) == NULL) {
            begin(m);
            strbuf_addf(&m->text, "spec.kubelet.%s[%s]: has no matching %s", field, keys[i], other);
        }
    }
}

static void check_reserved(struct messages *m, const char *field)
{
    const json_t *map = map_of(m, field);
    size_t n = 0;
    const char **keys = map == NULL ? NULL : sorted_keys(map, m->arena, &n);
    for (size_t i = 0; i < n; i++) {
        if (!is_one_of(keys[i], reservable)) {
            begin(m);
            strbuf_addf(&m->text,
                        "spec.kubelet.%s: \"%s\" isn't a reservable resource, must be one of ",
                        field, keys[i]);
            put_words(&m->text, reservable);
        }
        if (str_starts(text_at(map, keys[i]), STR("-"))) {
            say_value(m, field, keys[i], text_at(map, keys[i]),
                      "can't be a negative resource quantity");
        }
    }
}

static void check_number(struct messages *m, const char *field, int64_t max, const char *what)
{
    const json_t *value = json_object_get(m->kubelet, field);
    json_int_t number = json_integer_value(value);
    if (json_is_integer(value) && (number < 0 || number > max)) {
        begin(m);
        strbuf_addf(&m->text, "spec.kubelet.%s: %lld %s", field, (long long)number, what);
    }
}

static void check_meaning(struct messages *m)
{
    static const char high_name[] = "imageGCHighThresholdPercent";
    static const char low_name[] = "imageGCLowThresholdPercent";
    const json_t *high = json_object_get(m->kubelet, high_name);
    const json_t *low = json_object_get(m->kubelet, low_name);
    if (json_object_get(m->kubelet, "registerWithTaints") != NULL) {
        begin(m);
        strbuf_add(&m->text, STR("spec.kubelet.registerWithTaints: can't be set, Karpenter sets it "
                                 "from the NodeClaim's taints so the node registers unschedulable "
                                 "until it's ready"));
    }
    check_eviction(m, "evictionHard");
    check_eviction(m, "evictionSoft");
    check_eviction(m, "evictionSoftGracePeriod");
    check_eviction(m, "evictionMinimumReclaim");
    check_match(m, "evictionSoft", "evictionSoftGracePeriod");
    check_match(m, "evictionSoftGracePeriod", "evictionSoft");
    check_reserved(m, "kubeReserved");
    check_reserved(m, "systemReserved");
    check_number(m, high_name, 100, "must be between 0 and 100");
    check_number(m, low_name, 100, "must be between 0 and 100");
    check_number(m, "podsPerCore", INT64_MAX, "can't be negative");
    check_number(m, "evictionMaxPodGracePeriod", INT64_MAX, "can't be negative");
    check_number(m, "maxPods", INT64_MAX, "can't be negative");
    if (json_is_integer(high) && json_is_integer(low) &&
        json_integer_value(high) <= json_integer_value(low)) {
        begin(m);
        strbuf_addf(&m->text, "spec.kubelet: %s (%lld) must be greater than %s (%lld)", high_name,
                    (long long)json_integer_value(high), low_name,
                    (long long)json_integer_value(low));
    }
}

/* ---- expressions, and what a family applies ---- */

static bool has_expression(const struct messages *m)
{
    static const char *const fields[] = {"kubeReserved", "systemReserved"};
    bool found = json_is_string(json_object_get(m->kubelet, "maxPods"));
    for (int f = 0; f < 2; f++) {
        const json_t *map = map_of(m, fields[f]);
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)map, key, value)
        {
            int64_t amount = 0;
            struct err ignored;
            found = found || !qty_parse(text_at(map, key), QTY_MILLI, QTY_UP, &amount, &ignored);
        }
    }
    return found;
}

static void check_family(struct messages *m, enum nodeclass_family family)
{
    size_t n;
    const char **keys = sorted_keys(m->kubelet, m->arena, &n);
    struct str name = nodeclass_family_name(family);
    size_t n_dns = json_array_size(json_object_get(m->kubelet, "clusterDNS"));
    bool first = true;
    if (family == NODECLASS_CUSTOM || family == NODECLASS_AL2023) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        int field = field_i(keys[i]);
        bool applied =
            field >= 0 && kubelet_fields[field].is_managed &&
            !(family == NODECLASS_BOTTLEROCKET && str_eq(str_of(keys[i]), STR("podsPerCore")));
        if (!applied && first) {
            strbuf_addf(&m->text,
                        "spec.kubelet has fields not applied by the " STR_FMT
                        " AMI family that would be silently dropped: ",
                        STR_ARG(name));
        }
        if (!applied) {
            strbuf_addf(&m->text, "%s%s", first ? "" : ", ", keys[i]);
            first = false;
        }
    }
    if (n_dns > 1) {
        begin(m);
        strbuf_addf(&m->text,
                    "spec.kubelet.clusterDNS: the " STR_FMT " AMI family doesn't accept multiple "
                    "entries, only one, but %zu were set",
                    STR_ARG(name), n_dns);
    }
}

/* ---- the whole ---- */

static struct nodeclass_condition no(struct str reason, struct str message)
{
    return (struct nodeclass_condition){
        .status = NODECLASS_FALSE, .reason = reason, .message = message};
}

/* ret_condition->reason is empty when the kubelet's settings are fine. */
static void check_kubelet(const struct nodeclass *class, enum nodeclass_family family,
                          struct arena *arena, struct nodeclass_condition *ret_condition)
{
    struct messages m = messages_new(class->kubelet, arena);
    *ret_condition = (struct nodeclass_condition){.status = NODECLASS_TRUE};
    if (class->kubelet == NULL || json_object_size(class->kubelet) == 0) {
        return;
    }
    if (check_types(&m)) {
        check_meaning(&m);
    }
    if (m.text.n > 0) {
        *ret_condition = no(STR("InvalidKubeletConfiguration"), strbuf_str(&m.text));
        return;
    }
    if (has_expression(&m)) {
        *ret_condition = no(STR("KubeletExpressionsDisabled"),
                            STR("spec.kubelet contains a CEL expression, but the NodeClassCEL "
                                "feature gate is disabled"));
        return;
    }
    check_family(&m, family);
    if (m.text.n > 0) {
        *ret_condition = no(STR("UnsupportedKubeletConfiguration"), strbuf_str(&m.text));
    }
}

struct nodeclass_condition nodeclass_validate(const struct nodeclass *class,
                                              enum nodeclass_family family,
                                              const struct nodeclass_status *status,
                                              struct str cluster_name, struct arena *arena)
{
    static const enum nodeclass_condition_type needed[] = {NODECLASS_AMIS, NODECLASS_PROFILE,
                                                           NODECLASS_GROUPS, NODECLASS_SUBNETS};
    struct nodeclass_condition condition;
    struct nodeclass_pairs tags;
    struct err err;
    enum nodeclass_truth others = NODECLASS_TRUE;
    check_kubelet(class, family, arena, &condition);
    if (condition.status != NODECLASS_TRUE) {
        return condition;
    }
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        enum nodeclass_truth one = status->conditions[needed[i]].status;
        others = one == NODECLASS_FALSE || others == NODECLASS_TRUE ? one : others;
    }
    if (others != NODECLASS_TRUE) {
        return (struct nodeclass_condition){
            .status = others,
            .reason = STR("DependenciesNotReady"),
            .message =
                STR("Awaiting AMI, Instance Profile, Security Group, and Subnet resolution")};
    }
    if (!nodeclass_tags(class, cluster_name, STR_EMPTY, arena, &tags, &err)) {
        return no(STR("TagValidationFailed"), str_copy(arena, str_of(err.text)));
    }
    condition.reason = STR("DryRunDisabled");
    condition.message = STR("EC2 was not asked to try a launch");
    return condition;
}
