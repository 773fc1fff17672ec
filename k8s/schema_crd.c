/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/schema_crd.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/jsonw.h"
#include "k8s/kinds.h"
#include "k8s/schema_impl.h"

enum { CEL_BYTES = 4096, MAX_COLUMNS = 12 };

/* ---- what a CRD says besides its schema ---- */

struct column {
    const char *name, *type, *path;
    bool wide; /* with kubectl get -o wide only */
};

struct crd {
    const char *kind;
    const char *about;
    const char *category;
    const char *const *short_names;    /* ends with NULL */
    const char *replicas, *n_replicas; /* paths of the subresource `scale`; NULL: it has none */
    struct column columns[MAX_COLUMNS];
};

#define CONDITION(type)  ".status.conditions[?(@.type==\"" type "\")].status"
#define SHORT_NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define AGE                                                                                        \
    {                                                                                              \
        "Age", "date", ".metadata.creationTimestamp", false                                        \
    }

static const struct crd crds[] = {
    {"NodePool",
     "Which nodes may be bought, under which rules, and when they may go again.",
     "karpenter",
     SHORT_NAMES(NULL),
     ".spec.replicas",
     ".status.nodes",
     {{"NodeClass", "string", ".spec.template.spec.nodeClassRef.name", false},
      {"Nodes", "string", ".status.nodes", false},
      {"Ready", "string", CONDITION("Ready"), false},
      AGE,
      {"Weight", "integer", ".spec.weight", true},
      {"CPU", "string", ".status.resources.cpu", true},
      {"Memory", "string", ".status.resources.memory", true}}},
    {"NodeClaim",
     "A node that has been asked for, from its purchase to its end.",
     "karpenter",
     SHORT_NAMES(NULL),
     NULL,
     NULL,
     {{"Type", "string", ".metadata.labels.node\\.kubernetes\\.io/instance-type", false},
      {"Capacity", "string", ".metadata.labels.karpenter\\.sh/capacity-type", false},
      {"Zone", "string", ".metadata.labels.topology\\.kubernetes\\.io/zone", false},
      {"Node", "string", ".status.nodeName", false},
      {"Ready", "string", CONDITION("Ready"), false},
      AGE,
      {"ImageID", "string", ".status.imageID", true},
      {"ID", "string", ".status.providerID", true},
      {"NodePool", "string", ".metadata.labels.karpenter\\.sh/nodepool", true},
      {"NodeClass", "string", ".spec.nodeClassRef.name", true},
      {"Drifted", "string", CONDITION("Drifted"), true}}},
    {"NodeOverlay",
     "Prices and amounts that a person puts over those of instance types.",
     "karpenter",
     SHORT_NAMES("overlays"),
     NULL,
     NULL,
     {{"Ready", "string", CONDITION("Ready"), false},
      AGE,
      {"Weight", "integer", ".spec.weight", true}}},
    {"CapacityBuffer",
     "Room that is held ready for pods to come.",
     "autoscaling",
     SHORT_NAMES("cb"),
     NULL,
     NULL,
     {{"Strategy", "string", ".spec.provisioningStrategy", false},
      {"PodTemplate", "string", ".status.podTemplateRef.name", false},
      {"Replicas", "integer", ".status.replicas", false},
      {"ConditionsType", "string", ".status.conditions[*].type", false},
      {"ConditionsStatus", "string", ".status.conditions[*].status", false},
      {"ConditionsReason", "string", ".status.conditions[*].reason", false},
      AGE}},
    {"EC2NodeClass",
     "How nodes are launched on EC2: image, network, disks, kubelet.",
     "karpenter",
     SHORT_NAMES("ec2nc", "ec2ncs"),
     NULL,
     NULL,
     {{"Ready", "string", CONDITION("Ready"), false}, AGE, {"Role", "string", ".spec.role", true}}},
};

static const struct crd *crd_of(const char *kind)
{
    for (size_t i = 0; i < sizeof crds / sizeof crds[0]; i++) {
        if (strcmp(crds[i].kind, kind) == 0) {
            return &crds[i];
        }
    }
    return NULL;
}

/* ---- rules ---- */

/* has(x.a) || has(x.b) */
static void add_any(struct strbuf *out, const char *what, const char *const *list)
{
    for (size_t i = 0; list[i] != NULL; i++) {
        strbuf_addf(out, "%shas(%s.%s)", i == 0 ? "" : " || ", what, list[i]);
    }
}

static void add_list(struct strbuf *out, const char *const *list)
{
    strbuf_addc(out, '[');
    for (size_t i = 0; list[i] != NULL; i++) {
        strbuf_addf(out, "%s'%s'", i == 0 ? "" : ", ", list[i]);
    }
    strbuf_addc(out, ']');
}

/* The CEL of a rule: $k is its key, $0 and $1 are members of its list, $l is the list, $h whether
 * the object and $t whether the term `t` has a member of the list. Other dollars stand for
 * themselves. */
static struct str cel_of(struct arena *arena, const struct schema_rule *rule)
{
    struct strbuf out = strbuf_new(arena, CEL_BYTES);
    for (const char *c = rule->cel; *c != '\0'; c++) {
        char next = *c == '$' ? c[1] : '\0';
        switch (next) {
        case 'k':
            strbuf_add(&out, str_of(rule->key));
            break;
        case '0':
        case '1':
            strbuf_add(&out, str_of(rule->list[next - '0']));
            break;
        case 'l':
            add_list(&out, rule->list);
            break;
        case 'h':
            add_any(&out, "self", rule->list);
            break;
        case 't':
            add_any(&out, "t", rule->list);
            break;
        default:
            strbuf_addc(&out, *c);
            continue;
        }
        c++;
    }
    return strbuf_str(&out);
}

static void write_rules(struct arena *arena, struct jsonw *w, const struct schema_row *row)
{
    if (row->rules == NULL) {
        return;
    }
    jsonw_key_array(w, "x-kubernetes-validations");
    for (size_t i = 0; row->rules[i] != NULL; i++) {
        jsonw_object_begin(w);
        jsonw_key_str(w, "message", str_of(row->rules[i]->text));
        jsonw_key_str(w, "rule", cel_of(arena, row->rules[i]));
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

/* ---- one value ---- */

static void write_type(struct jsonw *w, enum schema_type type)
{
    static const struct {
        const char *type, *format;
    } names[] = {
        [SCHEMA_OBJECT] = {"object", NULL},    [SCHEMA_MAP] = {"object", NULL},
        [SCHEMA_ARRAY] = {"array", NULL},      [SCHEMA_STRING] = {"string", NULL},
        [SCHEMA_BOOLEAN] = {"boolean", NULL},  [SCHEMA_INTEGER] = {"integer", "int64"},
        [SCHEMA_INT32] = {"integer", "int32"}, [SCHEMA_QUANTITY] = {NULL, NULL},
    };
    if (type == SCHEMA_QUANTITY) {
        jsonw_key_array(w, "anyOf");
        for (int i = 0; i < 2; i++) {
            jsonw_object_begin(w);
            jsonw_key_str(w, "type", i == 0 ? STR("integer") : STR("string"));
            jsonw_object_end(w);
        }
        jsonw_array_end(w);
        jsonw_key_bool(w, "x-kubernetes-int-or-string", true);
        return;
    }
    jsonw_key_str(w, "type", str_of(names[type].type));
    if (names[type].format != NULL) {
        jsonw_key_str(w, "format", str_of(names[type].format));
    }
}

static void write_limits(struct jsonw *w, const struct schema_row *row)
{
    if ((row->flags & SCHEMA_MIN) != 0) {
        jsonw_key_i64(w, schema_limit_name(row->type, false), row->min);
    }
    if ((row->flags & SCHEMA_MAX) != 0) {
        jsonw_key_i64(w, schema_limit_name(row->type, true), row->max);
    }
    if (row->choices != NULL) {
        jsonw_key_array(w, "enum");
        for (size_t i = 0; row->choices[i] != NULL; i++) {
            jsonw_str(w, str_of(row->choices[i]));
        }
        jsonw_array_end(w);
    }
    if (row->format == &format_time) {
        jsonw_key_str(w, "format", STR("date-time"));
    } else if (row->format != NULL && row->format->pattern != NULL) {
        jsonw_key_str(w, "pattern", str_of(row->format->pattern));
    }
}

static void write_merging(struct jsonw *w, const struct schema_row *row)
{
    if ((row->flags & SCHEMA_ATOMIC) != 0) {
        jsonw_key_str(w,
                      row->type == SCHEMA_MAP ? "x-kubernetes-map-type" : "x-kubernetes-list-type",
                      STR("atomic"));
    } else if ((row->flags & SCHEMA_SET) != 0) {
        jsonw_key_str(w, "x-kubernetes-list-type", STR("set"));
    } else if ((row->flags & SCHEMA_BY_TYPE) != 0) {
        jsonw_key_array(w, "x-kubernetes-list-map-keys");
        jsonw_str(w, STR("type"));
        jsonw_array_end(w);
        jsonw_key_str(w, "x-kubernetes-list-type", STR("map"));
    }
}

static void write_default(struct jsonw *w, const struct schema_row *row)
{
    if (row->otherwise != NULL) {
        json_t *value = json_loads(row->otherwise, JSON_DECODE_ANY, NULL);
        jsonw_key(w, STR("default"));
        jsonw_json(w, value);
        json_decref(value);
    }
}

/* ---- the tree ---- */

struct writing {
    struct arena *arena;
    struct jsonw *w;
    const struct schema_kind *kind;
};

static void write_value(struct writing *to, const struct schema_row *row);

static void write_members(struct writing *to, const struct schema_row *row)
{
    struct str path = str_of(row->path);
    bool some = false;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < to->kind->n_rows; i++) {
            const struct schema_row *child = &to->kind->rows[i];
            struct str key = schema_child_key(child, path);
            if (key.n == 0 || (pass == 1 && (child->flags & SCHEMA_REQUIRED) == 0)) {
                continue;
            }
            if (!some && pass == 0) {
                jsonw_key_object(to->w, "properties");
            } else if (!some) {
                jsonw_key_array(to->w, "required");
            }
            some = true;
            if (pass == 0) {
                jsonw_key(to->w, key);
                write_value(to, child);
            } else {
                jsonw_str(to->w, key);
            }
        }
        if (some && pass == 0) {
            jsonw_object_end(to->w);
        } else if (some) {
            jsonw_array_end(to->w);
        }
        some = false;
    }
}

/* `suffix` is "[]" or "{}". */
static void write_elements(struct writing *to, const struct schema_row *row, const char *suffix)
{
    struct strbuf path = strbuf_new(to->arena, CEL_BYTES);
    strbuf_addf(&path, "%s%s", row->path, suffix);
    jsonw_key(to->w, row->type == SCHEMA_ARRAY ? STR("items") : STR("additionalProperties"));
    write_value(to, schema_find_row(to->kind, strbuf_str(&path)));
}

static void write_value(struct writing *to, const struct schema_row *row)
{
    jsonw_object_begin(to->w);
    const char *about = schema_about(to->kind->kind, row->path);
    if (about != NULL) {
        jsonw_key_str(to->w, "description", str_of(about));
    }
    write_type(to->w, row->type);
    write_default(to->w, row);
    write_limits(to->w, row);
    write_merging(to->w, row);
    write_rules(to->arena, to->w, row);
    if (row->type == SCHEMA_OBJECT) {
        write_members(to, row);
    } else if (row->type == SCHEMA_ARRAY) {
        write_elements(to, row, "[]");
    } else if (row->type == SCHEMA_MAP) {
        write_elements(to, row, "{}");
    }
    jsonw_object_end(to->w);
}

static void write_plain(struct jsonw *w, const char *key, const char *type)
{
    jsonw_key_object(w, key);
    jsonw_key_str(w, "type", str_of(type));
    jsonw_object_end(w);
}

static void write_schema(struct writing *to, const struct crd *crd)
{
    bool required = (to->kind->rows[0].flags & SCHEMA_REQUIRED) != 0;
    jsonw_key_object(to->w, "schema");
    jsonw_key_object(to->w, "openAPIV3Schema");
    jsonw_key_str(to->w, "description", str_of(crd->about));
    jsonw_key_str(to->w, "type", STR("object"));
    jsonw_key_object(to->w, "properties");
    write_plain(to->w, "apiVersion", "string");
    write_plain(to->w, "kind", "string");
    write_plain(to->w, "metadata", "object");
    for (int i = 0; i < 2; i++) {
        jsonw_key(to->w, i == 0 ? STR("spec") : STR("status"));
        write_value(to, schema_find_row(to->kind, i == 0 ? STR("spec") : STR("status")));
    }
    jsonw_object_end(to->w);
    if (required) {
        jsonw_key_array(to->w, "required");
        jsonw_str(to->w, STR("spec"));
        jsonw_array_end(to->w);
    }
    jsonw_object_end(to->w);
    jsonw_object_end(to->w);
}

/* ---- the whole ---- */

static void write_names(struct writing *to, const struct crd *crd, const struct k8s_kind *kind)
{
    char singular[64];
    (void)snprintf(singular, sizeof singular, "%s", kind->resource);
    /* Of our plurals: ...classes and ...s. */
    size_t n = strlen(singular) - (str_ends(str_of(singular), STR("sses")) ? 2 : 1);
    jsonw_key_object(to->w, "names");
    jsonw_key_str(to->w, "kind", str_of(kind->name));
    char list[64];
    (void)snprintf(list, sizeof list, "%sList", kind->name);
    jsonw_key_str(to->w, "listKind", str_of(list));
    jsonw_key_str(to->w, "plural", str_of(kind->resource));
    jsonw_key_str(to->w, "singular", (struct str){.p = singular, .n = n});
    if (crd->short_names[0] != NULL) {
        jsonw_key_array(to->w, "shortNames");
        for (size_t i = 0; crd->short_names[i] != NULL; i++) {
            jsonw_str(to->w, str_of(crd->short_names[i]));
        }
        jsonw_array_end(to->w);
    }
    jsonw_key_array(to->w, "categories");
    jsonw_str(to->w, str_of(crd->category));
    jsonw_array_end(to->w);
    jsonw_object_end(to->w);
}

static void write_columns(struct jsonw *w, const struct crd *crd)
{
    jsonw_key_array(w, "additionalPrinterColumns");
    for (size_t i = 0; i < MAX_COLUMNS && crd->columns[i].name != NULL; i++) {
        const struct column *column = &crd->columns[i];
        jsonw_object_begin(w);
        jsonw_key_str(w, "name", str_of(column->name));
        jsonw_key_str(w, "type", str_of(column->type));
        jsonw_key_str(w, "jsonPath", str_of(column->path));
        if (column->wide) {
            jsonw_key_i64(w, "priority", 1);
        }
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void write_subresources(struct jsonw *w, const struct crd *crd)
{
    jsonw_key_object(w, "subresources");
    jsonw_key_object(w, "status");
    jsonw_object_end(w);
    if (crd->replicas != NULL) {
        jsonw_key_object(w, "scale");
        jsonw_key_str(w, "specReplicasPath", str_of(crd->replicas));
        jsonw_key_str(w, "statusReplicasPath", str_of(crd->n_replicas));
        jsonw_object_end(w);
    }
    jsonw_object_end(w);
}

static void write_crd(struct writing *to, const struct crd *crd, const struct k8s_kind *kind)
{
    struct jsonw *w = to->w;
    char name[128];
    (void)snprintf(name, sizeof name, "%s.%s", kind->resource, kind->group);
    jsonw_object_begin(w);
    jsonw_key_str(w, "apiVersion", STR("apiextensions.k8s.io/v1"));
    jsonw_key_str(w, "kind", STR("CustomResourceDefinition"));
    jsonw_key_object(w, "metadata");
    jsonw_key_str(w, "name", str_of(name));
    jsonw_object_end(w);
    jsonw_key_object(w, "spec");
    jsonw_key_str(w, "group", str_of(kind->group));
    write_names(to, crd, kind);
    jsonw_key_str(w, "scope", kind->namespaced ? STR("Namespaced") : STR("Cluster"));
    jsonw_key_array(w, "versions");
    jsonw_object_begin(w);
    jsonw_key_str(w, "name", str_of(kind->version));
    jsonw_key_bool(w, "served", true);
    jsonw_key_bool(w, "storage", true);
    write_subresources(w, crd);
    write_columns(w, crd);
    write_schema(to, crd);
    jsonw_object_end(w);
    jsonw_array_end(w);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

void k8s_crds_write(struct arena *arena, struct strbuf *out)
{
    struct jsonw w = jsonw_new(out, JSONW_YAML);
    for (uint32_t i = 0; i < schema_n_kinds; i++) {
        struct writing to = {.arena = arena, .w = &w, .kind = &schema_kinds[i]};
        const struct k8s_kind *kind = NULL;
        enum k8s_match match = k8s_kind_find(str_of(to.kind->kind), STR_EMPTY, &kind);
        const struct crd *crd = crd_of(to.kind->kind);
        assert(match == K8S_MATCH_YES && crd != NULL);
        write_crd(&to, crd, kind);
    }
}
