/* SPDX-License-Identifier: GPL-3.0-or-later */
/* read_plan on any JSON, against a small cluster and a small catalogue: it fails with a message, or
 * gives a plan that every view renders without a control character, and that is the same after
 * being written and read again. */
#include "base/arena.h"
#include "base/jsonw.h"
#include "binpack/plan/diff.h"
#include "binpack/plan/nodeclaims.h"
#include "binpack/plan/plan_json.h"
#include "binpack/plan/read_plan.h"
#include "binpack/view/difference.h"
#include "binpack/view/plan_csv.h"
#include "binpack/view/plan_markdown.h"
#include "binpack/view/plan_table.h"
#include "k8s/builder.h"
#include "k8s/reader.h"

#include "check.h"

enum { OUTPUT_MAX = 64 * 1024 * 1024 };

static const char objects[] =
    "{\"kind\":\"NodePool\",\"apiVersion\":\"karpenter.sh/"
    "v1\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"template\":{\"spec\":{\"requirements\":[{"
    "\"key\":\"a/"
    "b\",\"operator\":\"In\",\"values\":[\"x\"]}],\"nodeClassRef\":{\"group\":\"karpenter.k8s."
    "aws\",\"kind\":\"EC2NodeClass\",\"name\":\"c\"}}}}}\n"
    "{\"kind\":\"Node\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n\"},\"status\":{"
    "\"allocatable\":{\"cpu\":\"4\",\"memory\":\"8Gi\",\"pods\":\"10\"}}}\n"
    "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"namespace\":\"s\"},"
    "\"spec\":{\"containers\":[{\"name\":\"c\"}]}}\n"
    "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"b\",\"namespace\":\"s\"},"
    "\"spec\":{\"containers\":[{\"name\":\"c\"}]}}\n"
    "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"c\",\"namespace\":\"s\"},"
    "\"spec\":{\"containers\":[{\"name\":\"c\"}]}}\n";

static const char types[] = "{\"region\":\"r-1\",\"zones\":[{\"name\":\"r-1a\"},{\"name\":\"r-1b\"}"
                            "],\"instanceTypes\":[{\"name\":\"t\",\"arch\":\"amd64\","
                            "\"os\":[\"linux\"],\"vcpu\":2,\"memoryMiB\":8192,\"maxPods\":29,"
                            "\"offerings\":[{\"zone\":\"r-1a\",\"capacityType\":"
                            "\"spot\",\"usdPerHour\":0.1}]}]}";

static bool take(void *ctx, const struct k8s_read_object *object, struct err *err)
{
    return k8s_builder_add(ctx, object->value, object->list_kind, 0, object->removed, NULL, err);
}

static void harmless(const struct strbuf *b)
{
    MUST(!b->overflow);
    for (size_t i = 0; i < b->n; i++) {
        MUST((unsigned char)b->p[i] >= 0x20 || b->p[i] == '\n');
    }
}

static struct strbuf json_of(const struct plan *plan, struct arena *arena)
{
    auto_arena scratch = ARENA_INIT;
    struct strbuf b = strbuf_new(arena, OUTPUT_MAX);
    struct jsonw w = jsonw_new(&b, JSONW_PRETTY);
    plan_json(plan, &w, &scratch);
    return b;
}

static void render(const struct plan *plan, struct arena *arena)
{
    auto_arena scratch = ARENA_INIT;
    for (unsigned width = 20; width <= 160; width *= 2) {
        struct strbuf b = strbuf_new(arena, OUTPUT_MAX);
        view_table(plan, &(struct text_look){.width = width}, &b);
        view_wide(plan, &(struct text_look){.width = width}, &b);
        harmless(&b);
    }
    struct strbuf b = strbuf_new(arena, OUTPUT_MAX);
    struct jsonw yaml = jsonw_new(&b, JSONW_YAML);
    view_csv(plan, &b);
    view_markdown(plan, &b);
    plan_nodeclaims(plan, &yaml, &scratch);
    harmless(&b);
}

/* The same document as a side of a diff: against nothing, and against itself. */
static void differ(const json_t *document, struct arena *arena)
{
    static const struct diff_side nothing = {.n_nodes = 0};
    struct diff_side side;
    struct err err = {.code = ERR_NONE};
    if (!diff_read(document, STR("fuzz"), arena, &side, &err)) {
        MUST(err.code != ERR_NONE);
        return;
    }
    struct diff same = diff_of(&side, &side, arena);
    struct diff all = diff_of(&nothing, &side, arena);
    struct strbuf b = strbuf_new(arena, OUTPUT_MAX);
    struct jsonw w = jsonw_new(&b, JSONW_YAML);
    MUST(diff_is_empty(&same));
    MUST(all.n_new == side.n_pods && all.n_won + all.n_lost + all.n_gone == 0);
    view_difference(&all, &(struct text_look){.width = 40}, &b);
    harmless(&b);
    difference_json(&all, &w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *document = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    if (document == NULL) {
        return 0;
    }
    auto_arena arena = ARENA_INIT;
    struct err err = {.code = ERR_NONE};
    struct strtab *tab = strtab_new(&arena);
    struct k8s_builder *builder = k8s_builder_new(&arena, tab);
    MUST(k8s_read_memory("objects", str_of(objects), take, builder, NULL, &err));
    const struct k8s_cluster *cluster = k8s_builder_finish(builder);
    json_t *catalog_document = json_loads(types, 0, NULL);
    const struct catalog *catalog = NULL;
    struct cat_notes notes;
    MUST(cat_from_json(&catalog_document, &STR("types"), 1, &arena, tab, &catalog, &notes, &err));
    json_decref(catalog_document);
    struct plan *plan = NULL;
    bool good = read_plan(document, cluster, catalog, &arena, &plan, &err);
    differ(document, &arena);
    json_decref(document);
    MUST(good || err.text[0] != '\0');
    if (good) {
        struct strbuf once = json_of(plan, &arena);
        json_t *again = json_loadb(once.p, once.n, JSON_REJECT_DUPLICATES, NULL);
        MUST(again != NULL && read_plan(again, cluster, catalog, &arena, &plan, &err));
        json_decref(again);
        struct strbuf twice = json_of(plan, &arena);
        MUST(str_eq(strbuf_str(&once), strbuf_str(&twice)));
        render(plan, &arena);
    }
    return 0;
}
