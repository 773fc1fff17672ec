/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A scenario: the objects that there are at the beginning, as YAML, and one document of the kind
 * Sandbox (binpack/v1) that says what happens. */
#include "base/duration.h"
#include "base/json.h"
#include "base/limits.h"
#include "k8s/reader.h"
#include "k8s/syntax.h"
#include "provisioner/sandbox/world.h"

struct reading {
    struct world *world;
    bool has_sandbox;
};

enum {
    HOURS_MAX = 24 * 366,
    REPLICAS_MAX = 10000,
    STEPS_MAX = 10000,
    DELETED_MAX = 1000,
    RUNNING_MAX = 5000,
    PER_CENT_MAX = 10000,
    JUMP_MAX_MS = 24 * HOUR,
    SEARCH_ONE_IN_MAX = 1000,
    SUGGEST_DISTANCE = 3
};

/* ---- values ---- */

/* Refuses members that are not among `keys` (NULL-terminated): what is misspelt would not happen,
 * and nobody would see it. */
static bool only(const struct json_at *object, const char *const *keys, struct err *err)
{
    json_t *members = (json_t *)object->v;
    for (void *it = json_object_iter(members); it != NULL;
         it = json_object_iter_next(members, it)) {
        const struct str key = str_of(json_object_iter_key(it));
        const char *like = NULL;
        size_t least = SUGGEST_DISTANCE;
        bool known = false;
        for (size_t i = 0; keys[i] != NULL && !known; i++) {
            const size_t distance = str_distance(key, str_of(keys[i]));
            known = str_eq(key, str_of(keys[i]));
            like = distance < least ? keys[i] : like;
            least = distance < least ? distance : least;
        }
        if (!known) {
            const struct json_at at = json_at_named(object, key, json_object_iter_value(it));
            return json_fail(err, ERR_INVALID, &at, "unknown field%s%s%s",
                             like == NULL ? "" : "; did you mean ", like == NULL ? "" : like,
                             like == NULL ? "" : "?");
        }
    }
    return true;
}

/* A member that the object, where it is there, cannot do without. */
static bool has(const struct json_at *object, const char *key, struct err *err)
{
    const struct json_at at = json_at_member(object, key);
    return object->v == NULL || at.v != NULL || json_fail(err, ERR_INVALID, &at, "required");
}

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

/* From 1: none of something is nothing that happens. */
static bool read_count(const struct json_at *object, const char *key, int64_t *ret, struct err *err)
{
    const struct json_at at = json_at_member(object, key);
    bool has = false;
    *ret = 0;
    return json_read_i64(&at, 1, DELETED_MAX, &has, ret, err);
}

static bool is_zone(const struct world *world, const struct text *zone)
{
    for (uint32_t i = 0; i < world->catalog->n_zones; i++) {
        if (str_eq(strtab_str(world->words.tab, world->catalog->zones[i].name), text_str(zone))) {
            return true;
        }
    }
    return false;
}

/* Empty, or one that the catalogue has. */
static bool read_zone(const struct world *world, const struct json_at *object, struct text *ret,
                      struct err *err)
{
    const struct json_at at = json_at_member(object, "zone");
    return read_text(object, "zone", ret, err) &&
           (at.v == NULL || is_zone(world, ret) ||
            json_fail(err, ERR_INVALID, &at, "\"" STR_FMT "\" is no zone of the catalogue",
                      STR_ARG(text_str(ret))));
}

static bool read_type(const struct world *world, const struct json_at *object, struct text *ret,
                      struct err *err)
{
    const struct json_at at = json_at_member(object, "instanceType");
    if (!read_text(object, "instanceType", ret, err)) {
        return false;
    }
    const strid name = strtab_find(world->words.tab, text_str(ret));
    return at.v == NULL ||
           (name != STRID_NONE && cat_find(world->catalog, world->words.tab, name) != NULL) ||
           json_fail(err, ERR_INVALID, &at, "\"" STR_FMT "\" is no instance type of the catalogue",
                     STR_ARG(text_str(ret)));
}

static bool read_capacity_type(const struct json_at *object, struct text *ret, struct err *err)
{
    const struct json_at at = json_at_member(object, "capacityType");
    return read_text(object, "capacityType", ret, err) &&
           (at.v == NULL || str_eq(text_str(ret), str_of(cat_capacity_type_name(CAT_SPOT))) ||
            str_eq(text_str(ret), str_of(cat_capacity_type_name(CAT_ON_DEMAND))) ||
            json_fail(err, ERR_INVALID, &at, "\"" STR_FMT "\" is neither spot nor on-demand",
                      STR_ARG(text_str(ret))));
}

static bool read_offerings(const struct world *world, const struct json_at *object,
                           struct offerings *ret, struct err *err)
{
    return read_type(world, object, &ret->type, err) && read_zone(world, object, &ret->zone, err) &&
           read_capacity_type(object, &ret->capacity_type, err);
}

/* An object with `for`, an hour where it says nothing else; *ret_ms 0: it is absent. */
static bool read_lasting(const struct json_at *object, int64_t *ret_ms, struct err *err)
{
    if (!json_want_object(object, err)) {
        return false;
    }
    if (object->v == NULL) {
        *ret_ms = 0;
        return true;
    }
    const struct json_at lasts = json_at_member(object, "for");
    return read_time(object, "for", HOUR, ret_ms, err) &&
           (*ret_ms > 0 || json_fail(err, ERR_INVALID, &lasts, "must be more than 0"));
}

static bool read_watch(const struct json_at *object, struct scenario_step *step, struct err *err)
{
    static const char *const keys[] = {"kind", "for", NULL};
    const struct json_at at = json_at_member(object, "kind");
    struct text kind;
    if (!read_lasting(object, &step->deaf_ms, err) || !only(object, keys, err) ||
        !has(object, "kind", err) || !read_text(object, "kind", &kind, err)) {
        return false;
    }
    return step->deaf_ms == 0 ||
           k8s_kind_find(text_str(&kind), STR_EMPTY, &step->deaf_kind) == K8S_MATCH_YES ||
           json_fail(err, ERR_INVALID, &at, "\"" STR_FMT "\" is no kind that is watched",
                     STR_ARG(text_str(&kind)));
}

static bool read_drought(const struct world *world, const struct json_at *at,
                         struct scenario_step *step, struct err *err)
{
    static const char *const keys[] = {"instanceType", "zone", "capacityType", "for", NULL};
    return read_lasting(at, &step->dry_ms, err) && only(at, keys, err) &&
           read_offerings(world, at, &step->dry, err);
}

static bool read_price(const struct world *world, const struct json_at *at,
                       struct scenario_step *step, struct err *err)
{
    static const char *const keys[] = {"instanceType", "zone", "capacityType",
                                       "perCent",      "for",  NULL};
    return read_lasting(at, &step->price_ms, err) && only(at, keys, err) &&
           has(at, "perCent", err) && read_offerings(world, at, &step->priced, err) &&
           read_number(at, "perCent", PER_CENT_MAX, &step->price_per_cent, err);
}

static bool read_outage(const struct world *world, const struct json_at *at,
                        struct scenario_step *step, struct err *err)
{
    static const char *const keys[] = {"zone", "for", NULL};
    return read_lasting(at, &step->outage_ms, err) && only(at, keys, err) && has(at, "zone", err) &&
           read_zone(world, at, &step->zone_down, err);
}

static bool read_written(const struct world *world, const struct json_at *at,
                         struct scenario_step *step, struct err *err)
{
    static const char *const keys[] = {"nodePool", "instanceType", "count", NULL};
    if (!json_want_object(at, err) || !only(at, keys, err) || !has(at, "nodePool", err) ||
        !has(at, "instanceType", err) || !has(at, "count", err)) {
        return false;
    }
    return at->v == NULL || (read_text(at, "nodePool", &step->claims_pool, err) &&
                             read_type(world, at, &step->claims_type, err) &&
                             read_count(at, "count", &step->write_claims, err));
}

/* What people do, and machines of their own accord: hand.c. */
static bool read_hand(const struct world *world, const struct json_at *at,
                      struct scenario_step *step, struct err *err)
{
    const struct json_at written = json_at_member(at, "writeNodeClaims");
    return read_count(at, "deleteNodeClaims", &step->delete_claims, err) &&
           read_count(at, "deleteNodes", &step->delete_nodes, err) &&
           read_count(at, "loseNodes", &step->lose_nodes, err) &&
           read_count(at, "endInstances", &step->end_instances, err) &&
           read_written(world, &written, step, err);
}

static bool bad_time(const struct json_at *at, int64_t ms, const char *rule, struct err *err)
{
    char buffer[DURATION_TEXT_MAX];
    return json_fail(err, ERR_INVALID, at, STR_FMT " %s", STR_ARG(duration_format(ms, buffer)),
                     rule);
}

static bool after_the_end(const struct json_at *at, const struct scenario *scenario, int64_t ms,
                          struct err *err)
{
    char buffer[DURATION_TEXT_MAX];
    return json_fail(err, ERR_INVALID, at, STR_FMT ": the world ends after %lld hour(s)",
                     STR_ARG(duration_format(ms, buffer)), (long long)scenario->hours);
}

/* A step that says nothing would be a mistake, and so is a scale without replicas. */
static bool step_is_whole(const struct scenario *scenario, const struct json_at *at,
                          const struct scenario_step *step, struct err *err)
{
    const struct json_at begins = json_at_member(at, "at");
    const struct json_at every = json_at_member(at, "every");
    const struct json_at scale = json_at_member(at, "scale");
    const struct json_at replicas = json_at_member(at, "replicas");
    const struct json_at jump = json_at_member(at, "clockJumps");
    const struct json_at restart = json_at_member(at, "restart");
    if (step->at < 0) {
        return bad_time(&begins, step->at, "must not be negative", err);
    }
    if (every.v != NULL && step->every < MINUTE) {
        return bad_time(&every, step->every, "must be at least 1m", err);
    }
    if (step->at >= scenario->hours * HOUR) {
        return after_the_end(&begins, scenario, step->at, err);
    }
    if (step->jump_ms < -JUMP_MAX_MS || step->jump_ms > JUMP_MAX_MS) {
        return bad_time(&jump, step->jump_ms, "must be at most 24h either way", err);
    }
    if (scale.v != NULL && replicas.v == NULL) {
        return json_fail(err, ERR_INVALID, &replicas, "required with scale");
    }
    if (scale.v == NULL && replicas.v != NULL) {
        return json_fail(err, ERR_INVALID, &scale, "required with replicas");
    }
    if (restart.v != NULL && !step->restart) {
        return json_fail(err, ERR_INVALID, &restart, "false makes nothing happen; leave it out");
    }
    return json_at_count(at) > (begins.v != NULL ? 1U : 0U) + (every.v != NULL ? 1U : 0U) ||
           json_fail(err, ERR_INVALID, at, "says nothing that happens");
}

static bool read_step(struct world *world, const struct json_at *at, struct err *err)
{
    static const char *const keys[] = {
        "at",          "every",     "scale",        "replicas",         "noCapacity",
        "price",       "zoneDown",  "watchBreaks",  "clockJumps",       "restart",
        "deleteNodes", "loseNodes", "endInstances", "deleteNodeClaims", "writeNodeClaims",
        NULL};
    const struct json_at dry = json_at_member(at, "noCapacity");
    const struct json_at price = json_at_member(at, "price");
    const struct json_at outage = json_at_member(at, "zoneDown");
    const struct json_at watch = json_at_member(at, "watchBreaks");
    const struct json_at restart = json_at_member(at, "restart");
    struct scenario_step step = {.at = 0};
    bool has_restart = false;
    if (!json_want_object(at, err) || !only(at, keys, err) ||
        !read_time(at, "at", 0, &step.at, err) || !read_time(at, "every", 0, &step.every, err) ||
        !read_text(at, "scale", &step.scale, err) ||
        !read_number(at, "replicas", REPLICAS_MAX, &step.replicas, err) ||
        !read_hand(world, at, &step, err) || !read_drought(world, &dry, &step, err) ||
        !read_price(world, &price, &step, err) || !read_outage(world, &outage, &step, err) ||
        !read_watch(&watch, &step, err) || !read_time(at, "clockJumps", 0, &step.jump_ms, err) ||
        !json_read_bool(&restart, &has_restart, &step.restart, err) ||
        !step_is_whole(&world->scenario, at, &step, err)) {
        return false;
    }
    VEC_PUSH(&world->arena, &world->scenario.steps, step);
    return true;
}

static bool has_family(const struct world *world, struct str family)
{
    for (uint32_t i = 0; i < world->catalog->n_types; i++) {
        const struct str type = strtab_str(world->words.tab, world->catalog->types[i].name);
        if (str_eq(str_sub(type, 0, str_find(type, '.')), family)) {
            return true;
        }
    }
    return false;
}

static bool read_families(struct world *world, const struct json_at *families, struct err *err)
{
    enum { FAMILIES_MAX = 1000 };
    if (!json_want_array(families, err)) {
        return false;
    }
    if (json_at_count(families) > FAMILIES_MAX) {
        return json_fail(err, ERR_LIMIT, families, "more than %d families", FAMILIES_MAX);
    }
    for (size_t i = 0; i < json_at_count(families); i++) {
        const struct json_at at = json_at_element(families, i);
        struct str family;
        if (!json_read_str(&at, NULL, &family, err)) {
            return false;
        }
        if (!has_family(world, family)) {
            return json_fail(err, ERR_INVALID, &at,
                             "\"" STR_FMT "\" is no instance family of the catalogue",
                             STR_ARG(str_sub(family, 0, NAME_MAX_BYTES)));
        }
        VEC_PUSH(&world->arena, &world->scenario.families, text_of(family));
    }
    return true;
}

static bool read_running(const struct json_at *at, struct running *running, struct err *err)
{
    static const char *const keys[] = {"nodePool", "instanceType", "count", NULL};
    return json_want_object(at, err) && only(at, keys, err) && has(at, "nodePool", err) &&
           has(at, "instanceType", err) && has(at, "count", err) &&
           (at->v == NULL || (read_text(at, "nodePool", &running->pool, err) &&
                              read_text(at, "instanceType", &running->type, err) &&
                              read_number(at, "count", RUNNING_MAX, &running->count, err)));
}

static bool read_faults_until(const struct json_at *spec, struct scenario *scenario,
                              struct err *err)
{
    const struct json_at at = json_at_member(spec, "faultsUntil");
    return read_time(spec, "faultsUntil", 0, &scenario->faults_until, err) &&
           (scenario->faults_until >= 0 ||
            bad_time(&at, scenario->faults_until, "must not be negative", err)) &&
           (scenario->faults_until <= scenario->hours * HOUR ||
            after_the_end(&at, scenario, scenario->faults_until, err));
}

/* Where it is written at all. */
static bool is_of_ours(const struct json_at *root, struct err *err)
{
    const struct json_at at = json_at_member(root, "apiVersion");
    struct text version;
    if (!read_text(root, "apiVersion", &version, err)) {
        return false;
    }
    return at.v == NULL || str_eq(text_str(&version), STR("binpack/v1")) ||
           json_fail(err, ERR_UNSUPPORTED, &at,
                     "\"" STR_FMT "\" is not known; a Sandbox is of binpack/v1",
                     STR_ARG(text_str(&version)));
}

static bool read_sandbox(struct world *world, const json_t *value, struct err *err)
{
    static const char *const root_keys[] = {"apiVersion", "kind", "metadata", "spec", NULL};
    static const char *const keys[] = {"hours",
                                       "instanceFamilies",
                                       "faultsPerThousand",
                                       "faultsUntil",
                                       "searchOneIn",
                                       "running",
                                       "steps",
                                       NULL};
    struct scenario *scenario = &world->scenario;
    const struct json_at root = json_at_root(value);
    const struct json_at spec = json_at_member(&root, "spec");
    const struct json_at hours = json_at_member(&spec, "hours");
    const struct json_at steps = json_at_member(&spec, "steps");
    const struct json_at search = json_at_member(&spec, "searchOneIn");
    const struct json_at running = json_at_member(&spec, "running");
    bool has_search = false;
    const struct json_at families = json_at_member(&spec, "instanceFamilies");
    if (!only(&root, root_keys, err) || !is_of_ours(&root, err) || !json_want_object(&spec, err) ||
        !only(&spec, keys, err) || !json_want_array(&steps, err) ||
        !json_read_i64(&hours, 1, HOURS_MAX, NULL, &scenario->hours, err) ||
        !read_number(&spec, "faultsPerThousand", 1000, &scenario->faults, err) ||
        !read_faults_until(&spec, scenario, err) ||
        !json_read_i64(&search, 1, SEARCH_ONE_IN_MAX, &has_search, &scenario->search_one_in, err) ||
        !read_running(&running, &scenario->running, err) || !read_families(world, &families, err)) {
        return false;
    }
    scenario->search_one_in = has_search ? scenario->search_one_in : 1;
    if (json_at_count(&steps) > STEPS_MAX) {
        return json_fail(err, ERR_LIMIT, &steps, "more than %d steps", STEPS_MAX);
    }
    for (size_t i = 0; i < json_at_count(&steps); i++) {
        const struct json_at at = json_at_element(&steps, i);
        if (!read_step(world, &at, err)) {
            return false;
        }
    }
    return true;
}

/* Names as an API server takes them, each once. */
static bool is_new(struct world *world, const struct k8s_kind *kind, const struct json_at *metadata,
                   const struct text *name, struct err *err)
{
    const struct json_at name_at = json_at_member(metadata, "name");
    const struct json_at ns_at = json_at_member(metadata, "namespace");
    const char *fault = k8s_name_fault(text_str(name));
    struct text ns;
    if (fault != NULL) {
        return json_fail(err, ERR_INVALID, &name_at, "%s", fault);
    }
    if (!read_text(metadata, "namespace", &ns, err)) {
        return false;
    }
    fault = ns.n == 0 ? NULL : k8s_dns_label_fault(text_str(&ns));
    if (fault != NULL) {
        return json_fail(err, ERR_INVALID, &ns_at, "%s", fault);
    }
    if (kind->namespaced && ns.n == 0) {
        return err_set(err, ERR_INVALID, "metadata.namespace: required");
    }
    if (objects_find(world, kind, kind->namespaced ? text_str(&ns) : STR_EMPTY, text_str(name)) !=
        NULL) {
        return err_set(err, ERR_INVALID, "%s " STR_FMT " is there twice", kind->name,
                       STR_ARG(text_str(name)));
    }
    return true;
}

/* An API server refuses a workload that would not know its own pods. */
static bool selects_its_pods(const struct json_at *spec, struct err *err)
{
    const struct json_at selector = json_at_member(spec, "selector");
    const struct json_at wanted = json_at_member(&selector, "matchLabels");
    const struct json_at template = json_at_member(spec, "template");
    const struct json_at metadata = json_at_member(&template, "metadata");
    const struct json_at labels = json_at_member(&metadata, "labels");
    const char *key;
    json_t *value;
    if (!json_want_object(&wanted, err) || !json_want_object(&labels, err)) {
        return false;
    }
    json_object_foreach((json_t *)wanted.v, key, value)
    {
        const struct json_at at = json_at_named(&wanted, str_of(key), value);
        if (!json_equal(value, json_object_get(labels.v, key))) {
            return json_fail(err, ERR_INVALID, &at, "the labels of the template do not match");
        }
    }
    return true;
}

/* What nobody in this world would make pods of, or as many as can be; all others have no
 * replicas. */
static bool is_kept(const struct k8s_kind *kind, const struct json_at *root,
                    const struct text *name, struct err *err)
{
    const struct json_at spec = json_at_member(root, "spec");
    int64_t replicas = 0;
    if (kind->store != STORE_WORKLOADS) {
        return true;
    }
    if (kind->workload == K8S_DAEMONSET) {
        return selects_its_pods(&spec, err);
    }
    return kind->workload == K8S_DEPLOYMENT || kind->workload == K8S_STATEFULSET
               ? read_number(&spec, "replicas", REPLICAS_MAX, &replicas, err) &&
                     selects_its_pods(&spec, err)
               : err_set(err, ERR_UNSUPPORTED,
                         "%s " STR_FMT ": the sandbox makes pods of Deployments, StatefulSets and "
                         "DaemonSets only",
                         kind->name, STR_ARG(text_str(name)));
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
        if (reading->has_sandbox) {
            return err_set(err, ERR_INVALID, "a second document of the kind Sandbox");
        }
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
    if (!is_new(reading->world, kind, &metadata, &meta_name, err) ||
        !is_kept(kind, &root, &meta_name, err)) {
        return false;
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
    for (size_t i = 0; i < world->scenario.steps.n; i++) {
        const struct text *what = &world->scenario.steps.v[i].scale;
        const struct text *pool = &world->scenario.steps.v[i].claims_pool;
        if (pool->n > 0 && objects_find(world, world_kind_of(STORE_NODEPOOLS), STR_EMPTY,
                                        text_str(pool)) == NULL) {
            return err_set(
                err, ERR_INVALID,
                "%s: spec.steps[%zu].writeNodeClaims.nodePool: there is no NodePool " STR_FMT, name,
                i, STR_ARG(text_str(pool)));
        }
        if (what->n > 0 && work_find(world, text_str(what)) == NULL) {
            return err_set(
                err, ERR_INVALID,
                "%s: spec.steps[%zu].scale: there is no Deployment or StatefulSet " STR_FMT
                " (NAMESPACE/NAME)",
                name, i, STR_ARG(text_str(what)));
        }
    }
    world->report.searches =
        options->karpenter || options->seed % (uint64_t)world->scenario.search_one_in == 0;
    world->scenario.hours = options->hours.has ? options->hours.v : world->scenario.hours;
    if (options->faults.has) {
        world->scenario.faults = options->faults.v;
        /* The last hour is for coming to rest. */
        world->scenario.faults_until = sat_sub(world->scenario.hours * HOUR, HOUR);
    }
    return true;
}

static mono_t later(mono_t a, mono_t b)
{
    return a > b ? a : b;
}

mono_t scenario_last(const struct scenario *scenario, mono_t end)
{
    mono_t last = scenario->faults > 0 ? scenario->faults_until : 0;
    for (size_t i = 0; i < scenario->steps.n; i++) {
        const struct scenario_step *s = &scenario->steps.v[i];
        const int64_t lasts = later(later(s->dry_ms, s->price_ms), later(s->outage_ms, s->deaf_ms));
        if (s->at <= end) {
            const mono_t began = s->every > 0 ? end - (end - s->at) % s->every : s->at;
            last = later(last, sat_add(began, lasts));
        }
    }
    return last < end ? last : end;
}
