/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A scenario: the objects that there are at the beginning, as YAML, and one document of the kind
 * Sandbox (binpack/v1) that says what happens. */
#include "base/duration.h"
#include "base/json.h"
#include "base/limits.h"
#include "k8s/reader.h"
#include "provisioner/sandbox/world.h"

struct reading {
    struct world *world;
    bool has_sandbox;
};

enum { HOURS_MAX = 24 * 366, REPLICAS_MAX = 10000, STEPS_MAX = 10000, DELETED_MAX = 1000 };

static bool read_text(const struct json_at *object, const char *key, struct text *ret,
                      struct err *err)
{
    const struct json_at at = json_at_member(object, key);
    struct str value = STR_EMPTY;
    bool has = false;
    if (!json_read_str(&at, &has, &value, err)) {
        return false;
    }
    *ret = text_of(value);
    return true;
}

static bool read_time(const struct json_at *object, const char *key, int64_t absent, int64_t *ret,
                      struct err *err)
{
    const struct json_at at = json_at_member(object, key);
    struct str value = STR_EMPTY;
    bool has = false;
    if (!json_read_str(&at, &has, &value, err)) {
        return false;
    }
    *ret = absent;
    if (!has) {
        return true;
    }
    struct err why;
    return duration_parse(value, ret, &why) || json_fail(err, ERR_INVALID, &at, "%s", why.text);
}

static bool read_number(const struct json_at *object, const char *key, int64_t max, int64_t *ret,
                        struct err *err)
{
    const struct json_at at = json_at_member(object, key);
    bool has = false;
    *ret = 0;
    return json_read_i64(&at, 0, max, &has, ret, err);
}

static bool read_step(struct scenario *scenario, struct arena *arena, const struct json_at *at,
                      struct err *err)
{
    const struct json_at dry = json_at_member(at, "noCapacity");
    struct scenario_step step = {.at = 0};
    struct drought drought = {.from = 0};
    int64_t lasts = 0;
    if (!json_want_object(at, err) || !read_time(at, "at", 0, &step.at, err) ||
        !read_text(at, "scale", &step.scale, err) ||
        !read_number(at, "replicas", REPLICAS_MAX, &step.replicas, err) ||
        !read_number(at, "deleteNodeClaims", DELETED_MAX, &step.delete_claims, err) ||
        !json_want_object(&dry, err)) {
        return false;
    }
    VEC_PUSH(arena, &scenario->steps, step);
    if (dry.v == NULL) {
        return true;
    }
    if (!read_text(&dry, "instanceType", &drought.type, err) ||
        !read_text(&dry, "zone", &drought.zone, err) ||
        !read_text(&dry, "capacityType", &drought.capacity_type, err) ||
        !read_time(&dry, "for", HOUR, &lasts, err)) {
        return false;
    }
    drought.from = step.at;
    drought.until = sat_add(step.at, lasts);
    VEC_PUSH(arena, &scenario->droughts, drought);
    return true;
}

static bool read_sandbox(struct world *world, const json_t *value, struct err *err)
{
    struct scenario *scenario = &world->scenario;
    const struct json_at root = json_at_root(value);
    const struct json_at spec = json_at_member(&root, "spec");
    const struct json_at hours = json_at_member(&spec, "hours");
    const struct json_at steps = json_at_member(&spec, "steps");
    if (!json_want_object(&spec, err) || !json_want_array(&steps, err) ||
        !json_read_i64(&hours, 1, HOURS_MAX, NULL, &scenario->hours, err) ||
        !read_number(&spec, "faultsPerThousand", 1000, &scenario->faults, err) ||
        !read_time(&spec, "faultsUntil", 0, &scenario->faults_until, err)) {
        return false;
    }
    if (json_at_count(&steps) > STEPS_MAX) {
        return json_fail(err, ERR_LIMIT, &steps, "more than %d steps", STEPS_MAX);
    }
    for (size_t i = 0; i < json_at_count(&steps); i++) {
        const struct json_at at = json_at_element(&steps, i);
        if (!read_step(scenario, &world->arena, &at, err)) {
            return false;
        }
    }
    return true;
}

static bool take(void *ctx, const struct k8s_read_object *object, struct err *err)
{
    struct reading *reading = ctx;
    const struct json_at root = json_at_root(object->value);
    const struct json_at metadata = json_at_member(&root, "metadata");
    const struct k8s_kind *kind = NULL;
    struct text name, api_version, meta_name;
    if (!read_text(&root, "kind", &name, err) ||
        !read_text(&root, "apiVersion", &api_version, err)) {
        return false;
    }
    if (str_eq(text_str(&name), STR("Sandbox"))) {
        reading->has_sandbox = true;
        return read_sandbox(reading->world, object->value, err);
    }
    if (k8s_kind_find(text_str(&name), text_str(&api_version), &kind) != K8S_MATCH_YES) {
        return err_set(err, ERR_INVALID, "kind: \"" STR_FMT "\" is not one that the sandbox has",
                       STR_ARG(text_str(&name)));
    }
    if (!read_text(&metadata, "name", &meta_name, err)) {
        return false;
    }
    if (meta_name.n == 0) {
        return err_set(err, ERR_INVALID, "metadata.name: required");
    }
    objects_create(reading->world, kind, json_deep_copy(object->value));
    if (reading->world->report.broken) {
        *err = reading->world->report.breach;
        return false;
    }
    return true;
}

bool scenario_read(struct world *world, const struct sandbox_options *options, struct err *err)
{
    struct reading reading = {.world = world};
    char name[NAME_MAX_BYTES];
    const struct text given = text_of(options->name);
    (void)snprintf(name, sizeof name, STR_FMT, STR_ARG(text_str(&given)));
    if (!k8s_read_memory(name, options->scenario, take, &reading, NULL, err)) {
        return false;
    }
    if (!reading.has_sandbox) {
        return err_set(err, ERR_INVALID,
                       "%s: no document of the kind Sandbox says how long it runs", name);
    }
    world->scenario.hours = options->hours.has ? options->hours.v : world->scenario.hours;
    if (options->faults.has) {
        world->scenario.faults = options->faults.v;
        /* The last hour is for coming to rest. */
        world->scenario.faults_until = sat_sub(world->scenario.hours * HOUR, HOUR);
    }
    return true;
}
