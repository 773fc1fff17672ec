/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From an instance to a node that is ours, and ready.
 *
 * Registration gives the node the finalizer, its owner, and the claim's labels and annotations; the
 * taint karpenter.sh/unregistered goes last, with the label that says so. Initialization waits for
 * the kubelet, for startup and ephemeral taints, and for every resource that was asked for. */
#include "binpack/scheduling/taints.h"
#include "provisioner/lifecycle/lifecycle_impl.h"

enum { BODY_MAX = 256 * 1024, TAINTS_MAX = 100 };

static struct str text_of(const struct lifecycle_view *view, strid id)
{
    return id == STRID_NONE ? STR_EMPTY : strtab_str(view->tab, id);
}

static void put_pairs(const struct lifecycle_view *view, struct jsonw *w,
                      const struct k8s_pairs *pairs)
{
    for (uint32_t i = 0; i < pairs->n; i++) {
        jsonw_key(w, text_of(view, pairs->v[i].key));
        jsonw_str(w, text_of(view, pairs->v[i].value));
    }
}

static bool has_pairs(const struct k8s_pairs *has, const struct k8s_pairs *wanted)
{
    for (uint32_t i = 0; i < wanted->n; i++) {
        if (k8s_pairs_get(has, wanted->v[i].key) != wanted->v[i].value) {
            return false;
        }
    }
    return true;
}

static bool has_finalizer(const struct lifecycle_view *view, const struct k8s_node *node)
{
    const strid ours = strtab_find(view->tab, STR(TERMINATION_FINALIZER));
    for (uint32_t i = 0; i < node->meta.n_finalizers; i++) {
        if (node->meta.finalizers[i] == ours) {
            return true;
        }
    }
    return false;
}

static void put_finalizers(const struct lifecycle_view *view, struct jsonw *w,
                           const struct k8s_node *node)
{
    jsonw_key_array(w, "finalizers");
    for (uint32_t i = 0; i < node->meta.n_finalizers; i++) {
        jsonw_str(w, text_of(view, node->meta.finalizers[i]));
    }
    if (!has_finalizer(view, node)) {
        jsonw_str(w, STR(TERMINATION_FINALIZER));
    }
    jsonw_array_end(w);
}

static void patch_node(const struct lifecycle_view *view, struct life *life,
                       const struct k8s_node *node, enum k8s_write_verb verb, struct str body)
{
    const struct k8s_write patch = {.verb = verb, .kind = life_kind("Node"), .body = body};
    life_patch(view, life, LIFE_WRITE, &node->meta, &patch);
}

/* Finalizer, owner, labels and annotations; the claim wins. */
static void adopt(const struct lifecycle_view *view, struct life *life,
                  const struct karp_nodeclaim *claim, const struct k8s_node *node)
{
    struct strbuf body = strbuf_new(view->out->arena, BODY_MAX);
    struct jsonw w = jsonw_new(&body, JSONW_COMPACT);
    jsonw_object_begin(&w);
    jsonw_key_object(&w, "metadata");
    jsonw_key_object(&w, "labels");
    put_pairs(view, &w, &claim->meta.labels);
    jsonw_object_end(&w);
    jsonw_key_object(&w, "annotations");
    put_pairs(view, &w, &claim->meta.annotations);
    jsonw_object_end(&w);
    put_finalizers(view, &w, node);
    jsonw_key_array(&w, "ownerReferences");
    jsonw_object_begin(&w);
    jsonw_key_str(&w, "apiVersion", STR("karpenter.sh/v1"));
    jsonw_key_str(&w, "kind", STR("NodeClaim"));
    jsonw_key_str(&w, "name", claim->meta.name);
    jsonw_key_str(&w, "uid", claim->meta.uid);
    jsonw_key_bool(&w, "blockOwnerDeletion", true);
    jsonw_object_end(&w);
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    patch_node(view, life, node, K8S_WRITE_MERGE_PATCH, strbuf_str(&body));
}

/* ---- taints ---- */

static bool has_taint(const struct k8s_node *node, const struct k8s_taint *taint)
{
    for (uint32_t i = 0; i < node->n_taints; i++) {
        if (node->taints[i].key == taint->key && node->taints[i].effect == taint->effect) {
            return true;
        }
    }
    return false;
}

static void put_op(struct jsonw *w, const char *op, const char *path)
{
    jsonw_object_begin(w);
    jsonw_key_str(w, "op", str_of(op));
    jsonw_key_str(w, "path", str_of(path));
}

static void put_taints(const struct lifecycle_view *view, struct jsonw *w,
                       const struct k8s_node *node, const struct k8s_taint *taints, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (has_taint(node, &taints[i])) {
            continue;
        }
        put_op(w, "add", "/spec/taints/-");
        jsonw_key_object(w, "value");
        jsonw_key_str(w, "key", text_of(view, taints[i].key));
        if (taints[i].value != STRID_EMPTY) {
            jsonw_key_str(w, "value", text_of(view, taints[i].value));
        }
        jsonw_key_str(w, "effect", life_effect(taints[i].effect));
        jsonw_object_end(w);
        jsonw_object_end(w);
    }
}

/* The claim's taints come, the one of a node that nobody knows goes, and the label says that the
 * node is known. */
static void finish(const struct lifecycle_view *view, struct life *life,
                   const struct karp_nodeclaim *claim, const struct k8s_node *node)
{
    struct strbuf body = strbuf_new(view->out->arena, BODY_MAX);
    struct jsonw w = jsonw_new(&body, JSONW_COMPACT);
    const strid unregistered = strtab_find(view->tab, STR("karpenter.sh/unregistered"));
    jsonw_array_begin(&w);
    if (node->n_taints == 0) {
        put_op(&w, "add", "/spec/taints");
        jsonw_key_array(&w, "value");
        jsonw_array_end(&w);
        jsonw_object_end(&w);
    }
    for (uint32_t i = node->n_taints; i-- > 0;) {
        if (node->taints[i].key == unregistered) {
            struct strbuf path = strbuf_new(view->out->arena, 64);
            strbuf_addf(&path, "/spec/taints/%u", i);
            put_op(&w, "remove", str_cstr(view->out->arena, strbuf_str(&path)));
            jsonw_object_end(&w);
        }
    }
    put_taints(view, &w, node, claim->taints, claim->n_taints);
    put_taints(view, &w, node, claim->startup_taints, claim->n_startup_taints);
    put_op(&w, "add", "/metadata/labels/karpenter.sh~1registered");
    jsonw_key_str(&w, "value", STR("true"));
    jsonw_object_end(&w);
    jsonw_array_end(&w);
    patch_node(view, life, node, K8S_WRITE_JSON_PATCH, strbuf_str(&body));
}

static bool label_is_true(const struct lifecycle_view *view, const struct k8s_node *node, strid key)
{
    const strid value = k8s_pairs_get(&node->meta.labels, key);
    return value != STRID_NONE && str_eq(strtab_str(view->tab, value), STR("true"));
}

/* ---- registration ---- */

/* Says why not yet, when that is news. */
static void say(const struct lifecycle_view *view, struct life *life,
                const struct karp_nodeclaim *claim, const char *type, const char *reason,
                struct str message)
{
    struct conditions conditions = life_conditions(view, claim);
    if (!str_eq(conditions_reason(&conditions, str_of(type)), str_of(reason))) {
        conditions_set(&conditions, str_of(type), STR("Unknown"), str_of(reason), message);
        life_write_conditions(view, life, claim, &conditions);
    }
}

static void write_registered(struct lifecycle *l, const struct lifecycle_view *view,
                             struct life *life, const struct karp_nodeclaim *claim,
                             const struct k8s_node *node)
{
    struct arena *arena = view->out->arena;
    struct strbuf body = strbuf_new(arena, BODY_MAX);
    struct jsonw w = jsonw_new(&body, JSONW_COMPACT);
    struct conditions conditions = life_conditions(view, claim);
    conditions_set_true(&conditions, STR("Registered"));
    jsonw_object_begin(&w);
    jsonw_key_object(&w, "status");
    jsonw_key_str(&w, "nodeName", node->meta.name);
    jsonw_key(&w, STR("conditions"));
    conditions_write(&conditions, &w);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    l->counts.n_registered++;
    life_patch_claim(view, life, LIFE_WRITE, claim, STR("status"), strbuf_str(&body));
}

void register_next(struct lifecycle *l, const struct lifecycle_view *view, struct life *life,
                   const struct karp_nodeclaim *claim)
{
    const struct k8s_node *node = life_node(view, claim->provider_id);
    const wall_t created = claim->meta.created.has ? claim->meta.created.v : view->now.wall;
    const wall_t end = sat_add(created, REGISTRATION_TIMEOUT_MS);
    if (node == NULL) {
        life->due = sat_add(view->now.mono, sat_sub(end, view->now.wall) + 1);
        if (view->now.wall > end) {
            life_end(view, life, claim, "registration_timeout");
        } else {
            say(view, life, claim, "Registered", "NodeNotFound",
                STR("Node not registered with cluster"));
        }
        return;
    }
    life->node = life_text_of(node->meta.name);
    if (label_is_true(view, node, view->vocab->words->registered)) {
        write_registered(l, view, life, claim, node);
    } else if (!has_finalizer(view, node) || node->meta.n_owners == 0 ||
               !has_pairs(&node->meta.labels, &claim->meta.labels)) {
        adopt(view, life, claim, node);
    } else {
        finish(view, life, claim, node);
    }
}

/* ---- initialization ---- */

static const struct k8s_taint *startup_taint(const struct karp_nodeclaim *claim,
                                             const struct k8s_node *node)
{
    for (uint32_t i = 0; i < claim->n_startup_taints; i++) {
        if (has_taint(node, &claim->startup_taints[i])) {
            return &claim->startup_taints[i];
        }
    }
    return NULL;
}

static const struct k8s_taint *ephemeral_taint(const struct lifecycle_view *view,
                                               const struct k8s_node *node)
{
    for (uint32_t i = 0; i < node->n_taints; i++) {
        if (sched_taint_ephemeral(view->vocab, &node->taints[i])) {
            return &node->taints[i];
        }
    }
    return NULL;
}

static strid missing_resource(const struct karp_nodeclaim *claim, const struct k8s_node *node)
{
    for (uint32_t i = 0; i < claim->requests.n; i++) {
        if (claim->requests.v[i].value > 0 &&
            k8s_resources_get(&node->allocatable, claim->requests.v[i].resource) == 0) {
            return claim->requests.v[i].resource;
        }
    }
    return STRID_NONE;
}

static struct str quoted(const struct lifecycle_view *view, const char *format, struct str word)
{
    struct strbuf b = strbuf_new(view->out->arena, 512);
    const struct str text = str_of(format);
    const size_t at = str_find(text, '%');
    strbuf_add(&b, str_sub(text, 0, at));
    strbuf_add(&b, word);
    strbuf_add(&b, str_sub(text, at + 1, text.n));
    return strbuf_str(&b);
}

/* True: nothing is in the way of it. */
static bool is_ready(const struct lifecycle_view *view, struct life *life,
                     const struct karp_nodeclaim *claim, const struct k8s_node *node)
{
    const struct k8s_words *words = view->vocab->words;
    const struct k8s_condition *ready = k8s_conditions_find(&node->conditions, words->ready);
    const struct k8s_taint *startup = startup_taint(claim, node);
    const struct k8s_taint *ephemeral = ephemeral_taint(view, node);
    const strid missing = missing_resource(claim, node);
    if (ready == NULL || ready->status != words->s_true) {
        say(view, life, claim, "Initialized", "NodeNotReady", STR("Node status is NotReady"));
    } else if (startup != NULL) {
        say(view, life, claim, "Initialized", "StartupTaintsExist",
            quoted(view, "StartupTaint \"%\" still exists", text_of(view, startup->key)));
    } else if (ephemeral != NULL) {
        say(view, life, claim, "Initialized", "KnownEphemeralTaintsExist",
            quoted(view, "KnownEphemeralTaint \"%\" still exists", text_of(view, ephemeral->key)));
    } else if (missing != STRID_NONE) {
        say(view, life, claim, "Initialized", "ResourceNotRegistered",
            quoted(view, "Resource \"%\" was requested but not registered",
                   text_of(view, missing)));
    } else {
        return true;
    }
    return false;
}

/* Somebody has deleted the Node by force. A kubelet makes it once, when it starts: one that is
 * started again in time has it back, else the machine is of no use to anybody, and the plan counts
 * on it (here Karpenter leaves both for ever). The claim waits as long as for the first Node. */
static void without_node(const struct lifecycle_view *view, struct life *life,
                         const struct karp_nodeclaim *claim)
{
    life->nodeless_since = life->nodeless_since == 0 ? view->now.mono : life->nodeless_since;
    const mono_t end = sat_add(life->nodeless_since, REGISTRATION_TIMEOUT_MS);
    if (view->now.mono < end) {
        life->due = end;
    } else {
        life_end(view, life, claim, "registration_timeout");
    }
}

void initialize_next(struct lifecycle *l, const struct lifecycle_view *view, struct life *life,
                     const struct karp_nodeclaim *claim)
{
    const struct k8s_node *node = life_node(view, claim->provider_id);
    if (node != NULL && node->meta.deleted.has) {
        /* Whoever deletes the node means the machine (karp: node.termination). */
        life_delete(view, life, "NodeClaim", &claim->meta);
        return;
    }
    if (node == NULL) {
        without_node(view, life, claim);
        return;
    }
    life->nodeless_since = 0;
    if (life_is_true(view, claim, "Initialized")) {
        return;
    }
    if (label_is_true(view, node, view->vocab->words->initialized)) {
        struct conditions conditions = life_conditions(view, claim);
        conditions_set_true(&conditions, STR("Initialized"));
        l->counts.n_initialized++;
        life_write_conditions(view, life, claim, &conditions);
    } else if (is_ready(view, life, claim, node)) {
        patch_node(view, life, node, K8S_WRITE_MERGE_PATCH,
                   STR("{\"metadata\": {\"labels\": {\"karpenter.sh/initialized\": \"true\"}}}"));
    }
}
