/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodeclass/status.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "base/rfc3339.h"

#define GPU_COUNT         "karpenter.k8s.aws/instance-gpu-count"
#define ACCELERATOR_COUNT "karpenter.k8s.aws/instance-accelerator-count"
#define WINDOWS_BUILD     "node.kubernetes.io/windows-build"

/* ---- conditions ---- */

struct str nodeclass_condition_name(enum nodeclass_condition_type type)
{
    static const struct str names[] = {
        [NODECLASS_AMIS] = STR("AMIsReady"),
        [NODECLASS_SUBNETS] = STR("SubnetsReady"),
        [NODECLASS_GROUPS] = STR("SecurityGroupsReady"),
        [NODECLASS_PROFILE] = STR("InstanceProfileReady"),
        [NODECLASS_VALIDATION] = STR("ValidationSucceeded"),
        [NODECLASS_PLACEMENT] = STR("PlacementGroupReady"),
        [NODECLASS_RESERVATIONS] = STR("CapacityReservationsReady"),
    };
    return names[type];
}

struct str nodeclass_truth_name(enum nodeclass_truth truth)
{
    static const struct str names[] = {STR("Unknown"), STR("True"), STR("False")};
    return names[truth];
}

enum nodeclass_truth nodeclass_ready(const struct nodeclass_status *status)
{
    enum nodeclass_truth ready = NODECLASS_TRUE;
    for (int i = 0; i < NODECLASS_N_CONDITIONS; i++) {
        enum nodeclass_truth one = status->conditions[i].status;
        if (one == NODECLASS_FALSE || (one == NODECLASS_UNKNOWN && ready == NODECLASS_TRUE)) {
            ready = one;
        }
    }
    return ready;
}

/* ---- order ---- */

static int subnet_cmp(const void *a, const void *b)
{
    const struct nodeclass_subnet *x = a;
    const struct nodeclass_subnet *y = b;
    if (x->free_ips != y->free_ips) {
        return x->free_ips > y->free_ips ? -1 : 1;
    }
    return str_cmp(x->id, y->id);
}

static int group_cmp(const void *a, const void *b)
{
    return str_cmp(((const struct nodeclass_group *)a)->id,
                   ((const struct nodeclass_group *)b)->id);
}

/* Of an image for several variants each is an entry; the variant settles their order. */
static int image_cmp(const void *a, const void *b)
{
    const struct nodeclass_image *x = a;
    const struct nodeclass_image *y = b;
    if (x->created != y->created) {
        return x->created > y->created ? -1 : 1;
    }
    int by_id = str_cmp(x->id, y->id);
    return by_id != 0 ? by_id : (int)x->variant - (int)y->variant;
}

static int reservation_cmp(const void *a, const void *b)
{
    return str_cmp(((const struct nodeclass_reservation *)a)->id,
                   ((const struct nodeclass_reservation *)b)->id);
}

static void sort(void *v, uint32_t n, size_t size, int (*cmp)(const void *, const void *))
{
    if (n > 0) {
        qsort(v, n, size, cmp);
    }
}

void nodeclass_status_sort(struct nodeclass_status *status)
{
    sort(status->subnets, status->n_subnets, sizeof *status->subnets, subnet_cmp);
    sort(status->groups, status->n_groups, sizeof *status->groups, group_cmp);
    sort(status->images, status->n_images, sizeof *status->images, image_cmp);
    sort(status->reservations, status->n_reservations, sizeof *status->reservations,
         reservation_cmp);
}

const struct nodeclass_image *nodeclass_image_for(const struct nodeclass_status *status,
                                                  struct str arch, bool has_gpus,
                                                  bool has_accelerators)
{
    for (uint32_t i = 0; i < status->n_images; i++) {
        const struct nodeclass_image *image = &status->images[i];
        bool devices = image->variant == NODECLASS_ANY_DEVICES ||
                       (image->variant == NODECLASS_STANDARD && !has_gpus && !has_accelerators) ||
                       (image->variant == NODECLASS_NVIDIA && has_gpus) ||
                       (image->variant == NODECLASS_NEURON && has_accelerators);
        if (devices && (image->arch.n == 0 || str_eq(image->arch, arch))) {
            return image;
        }
    }
    return NULL;
}

/* ---- reading back ---- */

/* The list `key` of the status; its elements are objects. */
static bool list_of(const struct json_at *status, const char *key, struct json_at *ret_list,
                    uint32_t *ret_n, struct err *err)
{
    *ret_list = json_at_member(status, key);
    size_t n = json_at_count(ret_list);
    if (n > LIMIT_LIST_ITEMS) {
        return json_fail(err, ERR_LIMIT, ret_list, "%zu items (LIMIT_LIST_ITEMS %d)", n,
                         LIMIT_LIST_ITEMS);
    }
    *ret_n = (uint32_t)n;
    return json_want_array(ret_list, err);
}

static bool text_of(const struct json_at *object, const char *key, struct arena *arena,
                    struct str *ret_text, struct err *err)
{
    struct json_at at = json_at_member(object, key);
    bool has;
    if (!json_read_str(&at, &has, ret_text, err)) {
        return false;
    }
    *ret_text = has ? str_copy(arena, *ret_text) : STR_EMPTY;
    return true;
}

static bool decode_requirement(const struct json_at *at, struct arena *arena,
                               struct nodeclass_image *image, struct err *err)
{
    struct str key;
    struct str op;
    struct str value = STR_EMPTY;
    struct json_at values = json_at_member(at, "values");
    struct json_at first = json_at_element(&values, 0);
    bool has;
    if (!text_of(at, "key", arena, &key, err) || !text_of(at, "operator", arena, &op, err) ||
        (json_at_count(&values) > 0 && !json_read_str(&first, &has, &value, err))) {
        return false;
    }
    value = str_copy(arena, value);
    if (str_eq(key, STR("kubernetes.io/arch"))) {
        image->arch = value;
    } else if (str_eq(key, STR(WINDOWS_BUILD))) {
        image->windows_build = value;
    } else if (str_eq(key, STR(GPU_COUNT))) {
        image->variant = str_eq(op, STR("Exists")) ? NODECLASS_NVIDIA : NODECLASS_STANDARD;
    } else if (str_eq(key, STR(ACCELERATOR_COUNT)) && str_eq(op, STR("Exists"))) {
        image->variant = NODECLASS_NEURON;
    }
    return true;
}

static bool decode_image(const struct json_at *at, struct arena *arena,
                         struct nodeclass_image *image, struct err *err)
{
    struct json_at deprecated = json_at_member(at, "deprecated");
    struct json_at list;
    uint32_t n = 0;
    bool has;
    image->created = INT64_MIN;
    if (!text_of(at, "id", arena, &image->id, err) ||
        !text_of(at, "name", arena, &image->name, err) ||
        !json_read_bool(&deprecated, &has, &image->deprecated, err) ||
        !list_of(at, "requirements", &list, &n, err)) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct json_at item = json_at_element(&list, i);
        if (!decode_requirement(&item, arena, image, err)) {
            return false;
        }
    }
    return true;
}

static bool decode_reservation(const struct json_at *at, struct arena *arena,
                               struct nodeclass_reservation *r, struct err *err)
{
    struct json_at interruptible = json_at_member(at, "interruptible");
    struct str state, end;
    struct err ignored;
    bool has;
    bool good = text_of(at, "id", arena, &r->id, err) &&
                text_of(at, "availabilityZone", arena, &r->zone, err) &&
                text_of(at, "instanceType", arena, &r->instance_type, err) &&
                text_of(at, "instanceMatchCriteria", arena, &r->match_criteria, err) &&
                text_of(at, "ownerID", arena, &r->owner_id, err) &&
                text_of(at, "reservationType", arena, &r->type, err) &&
                text_of(at, "state", arena, &state, err) &&
                text_of(at, "endTime", arena, &end, err) &&
                json_read_bool(&interruptible, &has, &r->interruptible, err);
    r->expiring = good && str_eq(state, STR("expiring"));
    r->end.has = good && end.n > 0 && rfc3339_parse(end, &r->end.v, &ignored);
    return good;
}

static bool decode_network(const struct json_at *status, struct arena *arena,
                           struct nodeclass_status *s, struct err *err)
{
    struct json_at list;
    if (!list_of(status, "subnets", &list, &s->n_subnets, err)) {
        return false;
    }
    s->subnets = ARENA_ARRAY(arena, struct nodeclass_subnet, s->n_subnets);
    for (uint32_t i = 0; i < s->n_subnets; i++) {
        struct json_at item = json_at_element(&list, i);
        if (!text_of(&item, "id", arena, &s->subnets[i].id, err) ||
            !text_of(&item, "zone", arena, &s->subnets[i].zone, err) ||
            !text_of(&item, "zoneID", arena, &s->subnets[i].zone_id, err)) {
            return false;
        }
    }
    if (!list_of(status, "securityGroups", &list, &s->n_groups, err)) {
        return false;
    }
    s->groups = ARENA_ARRAY(arena, struct nodeclass_group, s->n_groups);
    for (uint32_t i = 0; i < s->n_groups; i++) {
        struct json_at item = json_at_element(&list, i);
        if (!text_of(&item, "id", arena, &s->groups[i].id, err) ||
            !text_of(&item, "name", arena, &s->groups[i].name, err)) {
            return false;
        }
    }
    return true;
}

bool nodeclass_status_decode(const json_t *object, struct arena *arena,
                             struct nodeclass_status *ret_status, struct err *err)
{
    struct json_at root = json_at_root(object);
    struct json_at status = json_at_member(&root, "status");
    struct nodeclass_status s = {.n_subnets = 0};
    struct json_at list;
    if (!decode_network(&status, arena, &s, err) ||
        !text_of(&status, "instanceProfile", arena, &s.instance_profile, err) ||
        !list_of(&status, "amis", &list, &s.n_images, err)) {
        return false;
    }
    s.images = ARENA_ARRAY(arena, struct nodeclass_image, s.n_images);
    for (uint32_t i = 0; i < s.n_images; i++) {
        struct json_at item = json_at_element(&list, i);
        if (!decode_image(&item, arena, &s.images[i], err)) {
            return false;
        }
    }
    if (!list_of(&status, "capacityReservations", &list, &s.n_reservations, err)) {
        return false;
    }
    s.reservations = ARENA_ARRAY(arena, struct nodeclass_reservation, s.n_reservations);
    for (uint32_t i = 0; i < s.n_reservations; i++) {
        struct json_at item = json_at_element(&list, i);
        if (!decode_reservation(&item, arena, &s.reservations[i], err)) {
            return false;
        }
    }
    *ret_status = s;
    return true;
}

/* ---- writing ---- */

static void put_requirement(struct jsonw *w, const char *key, const char *op, struct str value)
{
    jsonw_object_begin(w);
    jsonw_key_str(w, "key", str_of(key));
    jsonw_key_str(w, "operator", str_of(op));
    if (value.n > 0) {
        jsonw_key_array(w, "values");
        jsonw_str(w, value);
        jsonw_array_end(w);
    }
    jsonw_object_end(w);
}

/* By length of the key, then by key, as Karpenter sorts them. */
static void put_requirements(struct jsonw *w, const struct nodeclass_image *image)
{
    jsonw_key_array(w, "requirements");
    if (image->windows_build.n > 0) {
        put_requirement(w, "kubernetes.io/os", "In", STR("windows"));
    }
    if (image->arch.n > 0) {
        put_requirement(w, "kubernetes.io/arch", "In", image->arch);
    }
    if (image->windows_build.n > 0) {
        put_requirement(w, WINDOWS_BUILD, "In", image->windows_build);
    }
    if (image->variant == NODECLASS_NVIDIA || image->variant == NODECLASS_STANDARD) {
        put_requirement(w, GPU_COUNT,
                        image->variant == NODECLASS_NVIDIA ? "Exists" : "DoesNotExist", STR_EMPTY);
    }
    if (image->variant == NODECLASS_NEURON || image->variant == NODECLASS_STANDARD) {
        put_requirement(w, ACCELERATOR_COUNT,
                        image->variant == NODECLASS_NEURON ? "Exists" : "DoesNotExist", STR_EMPTY);
    }
    jsonw_array_end(w);
}

static void put_images(struct jsonw *w, const struct nodeclass_status *status)
{
    jsonw_key_array(w, "amis");
    for (uint32_t i = 0; i < status->n_images; i++) {
        jsonw_object_begin(w);
        if (status->images[i].deprecated) {
            jsonw_key_bool(w, "deprecated", /* value= */ true);
        }
        jsonw_key_str(w, "id", status->images[i].id);
        jsonw_key_str(w, "name", status->images[i].name);
        put_requirements(w, &status->images[i]);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void put_reservations(struct jsonw *w, const struct nodeclass_status *status)
{
    char text[RFC3339_TEXT_MAX];
    jsonw_key_array(w, "capacityReservations");
    for (uint32_t i = 0; i < status->n_reservations; i++) {
        const struct nodeclass_reservation *r = &status->reservations[i];
        jsonw_object_begin(w);
        jsonw_key_str(w, "availabilityZone", r->zone);
        if (r->end.has) {
            jsonw_key_str(w, "endTime", rfc3339_format(r->end.v, text));
        }
        jsonw_key_str(w, "id", r->id);
        jsonw_key_str(w, "instanceMatchCriteria", r->match_criteria);
        jsonw_key_str(w, "instanceType", r->instance_type);
        jsonw_key_bool(w, "interruptible", r->interruptible);
        jsonw_key_str(w, "ownerID", r->owner_id);
        jsonw_key_str(w, "reservationType", r->type);
        jsonw_key_str(w, "state", r->expiring ? STR("expiring") : STR("active"));
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void put_condition(struct jsonw *w, struct str type,
                          const struct nodeclass_condition *condition)
{
    jsonw_object_begin(w);
    jsonw_key_str(w, "type", type);
    jsonw_key_str(w, "status", nodeclass_truth_name(condition->status));
    jsonw_key_str(w, "reason", condition->reason.n == 0 ? type : condition->reason);
    jsonw_key_str(w, "message", condition->message);
    jsonw_object_end(w);
}

void nodeclass_status_write(struct jsonw *w, const struct nodeclass_status *status, bool conditions)
{
    put_images(w, status);
    if (status->n_reservations > 0) {
        put_reservations(w, status);
    }
    for (int i = 0; conditions && i < NODECLASS_N_CONDITIONS; i++) {
        if (i == 0) {
            jsonw_key_array(w, "conditions");
        }
        put_condition(w, nodeclass_condition_name((enum nodeclass_condition_type)i),
                      &status->conditions[i]);
        if (i == NODECLASS_N_CONDITIONS - 1) {
            jsonw_array_end(w);
        }
    }
    if (status->instance_profile.n > 0) {
        jsonw_key_str(w, "instanceProfile", status->instance_profile);
    }
    jsonw_key_array(w, "securityGroups");
    for (uint32_t i = 0; i < status->n_groups; i++) {
        jsonw_object_begin(w);
        jsonw_key_str(w, "id", status->groups[i].id);
        jsonw_key_str(w, "name", status->groups[i].name);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    jsonw_key_array(w, "subnets");
    for (uint32_t i = 0; i < status->n_subnets; i++) {
        jsonw_object_begin(w);
        jsonw_key_str(w, "id", status->subnets[i].id);
        jsonw_key_str(w, "zone", status->subnets[i].zone);
        jsonw_key_str(w, "zoneID", status->subnets[i].zone_id);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}
