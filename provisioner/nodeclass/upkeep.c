/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodeclass/upkeep.h"

#include "awsapi/service_ec2.h"
#include "awsapi/service_iam.h"
#include "base/arena.h"
#include "base/structhash.h"
#include "base/vec.h"

enum { PROFILE_NAME_MAX = 128 };

enum step {
    LOOK_AT_KNOWN,  /* the profile of the status: does it carry the role? */
    LOOK_AT_OURS,   /* the one that we would make: is it there? */
    MAKE,           /* create it */
    DETACH_OTHER,   /* take another role out of it */
    ATTACH,         /* put the role in */
    LIST_PROFILES,  /* removal: all under the path of the class */
    LOOK_AT_NEXT,   /* one of them: which role is in it? */
    DETACH,         /* take that out, or it cannot be deleted */
    DELETE_PROFILE, /* delete it */
    LIST_TEMPLATES, /* all that were made for the class */
    DELETE_TEMPLATE,
    OVER
};

struct nodeclass_upkeep {
    struct arena *arena;
    struct nodeclass_upkeep_facts facts;
    struct str ours; /* the name of the profile that we make */
    bool is_sweep;   /* of what is needed no more, not of all */
    enum step step;
    bool is_asked;   /* the question of `step` has been handed out */
    struct str role; /* in the profile that was looked at; empty: none */
    struct str failure, profile;
    VEC(struct str) profiles, templates; /* to be removed, from the end */
};

/* ---- names ---- */

struct str nodeclass_role_name(struct str role)
{
    for (size_t i = role.n; i > 0; i--) {
        if (role.p[i - 1] == '/') {
            return str_sub(role, i, role.n);
        }
    }
    return role;
}

static struct str profile_name(const struct nodeclass_upkeep_facts *facts, struct str seed,
                               struct arena *arena)
{
    struct strbuf name = strbuf_new(arena, 1024);
    strbuf_addf(&name, STR_FMT "_%llu", STR_ARG(facts->cluster_name),
                (unsigned long long)structhash_text(seed));
    return strbuf_str(&name);
}

static struct str our_profile(const struct nodeclass_upkeep_facts *facts, struct arena *arena)
{
    struct strbuf seed = strbuf_new(arena, 4096);
    strbuf_addf(&seed, STR_FMT "/" STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(facts->region),
                STR_ARG(facts->class->name), STR_ARG(facts->class->uid),
                STR_ARG(facts->class->role));
    return profile_name(facts, strbuf_str(&seed), arena);
}

/* That of Karpenter before 1.5, by region and class alone. */
static struct str legacy_profile(const struct nodeclass_upkeep_facts *facts, struct arena *arena)
{
    struct strbuf seed = strbuf_new(arena, 1024);
    strbuf_add(&seed, facts->region);
    strbuf_add(&seed, facts->class->name);
    return profile_name(facts, strbuf_str(&seed), arena);
}

static struct str path_of(const struct nodeclass_upkeep_facts *facts, struct arena *arena)
{
    struct strbuf path = strbuf_new(arena, 1024);
    strbuf_addf(&path, "/karpenter/" STR_FMT "/" STR_FMT "/" STR_FMT "/", STR_ARG(facts->region),
                STR_ARG(facts->cluster_name), STR_ARG(facts->class->uid));
    return strbuf_str(&path);
}

/* ---- questions ---- */

/* A tag of ours takes the place of one that the class has under the same key. */
static void set_tags(const struct nodeclass_upkeep *u,
                     struct iam_create_instance_profile_request *input)
{
    const struct nodeclass *class = u->facts.class;
    struct strbuf owned = strbuf_new(u->arena, 1024);
    VEC(struct iam_tag) tags = {0};
    strbuf_addf(&owned, "kubernetes.io/cluster/" STR_FMT, STR_ARG(u->facts.cluster_name));
    const struct iam_tag own[] = {
        {.key = strbuf_str(&owned), .value = STR("owned")},
        {.key = STR("eks:eks-cluster-name"), .value = u->facts.cluster_name},
        {.key = STR("karpenter.k8s.aws/ec2nodeclass"), .value = class->name},
        {.key = STR("topology.kubernetes.io/region"), .value = u->facts.region},
    };
    const size_t n_own = sizeof own / sizeof own[0];
    for (uint32_t i = 0; i < class->tags.n; i++) {
        bool is_own = false;
        for (size_t j = 0; j < n_own; j++) {
            is_own = is_own || str_eq(class->tags.v[i].key, own[j].key);
        }
        if (!is_own) {
            VEC_PUSH(
                u->arena, &tags,
                (struct iam_tag){.key = class->tags.v[i].key, .value = class->tags.v[i].value});
        }
    }
    for (size_t j = 0; j < n_own; j++) {
        VEC_PUSH(u->arena, &tags, own[j]);
    }
    input->tags.v = tags.v;
    input->tags.n = tags.n;
}

static struct nodeclass_question ask_profile(struct nodeclass_upkeep *u, struct str name)
{
    struct iam_get_instance_profile_request *input =
        ARENA_NEW(u->arena, struct iam_get_instance_profile_request);
    input->instance_profile_name = name;
    u->role = STR_EMPTY;
    return (struct nodeclass_question){.operation = &aws_iam_get_instance_profile, .input = input};
}

static struct nodeclass_question ask_make(struct nodeclass_upkeep *u)
{
    struct iam_create_instance_profile_request *input =
        ARENA_NEW(u->arena, struct iam_create_instance_profile_request);
    input->instance_profile_name = u->ours;
    input->path = path_of(&u->facts, u->arena);
    set_tags(u, input);
    return (struct nodeclass_question){.operation = &aws_iam_create_instance_profile,
                                       .input = input};
}

static struct nodeclass_question ask_attach(struct nodeclass_upkeep *u)
{
    struct iam_add_role_to_instance_profile_request *input =
        ARENA_NEW(u->arena, struct iam_add_role_to_instance_profile_request);
    input->instance_profile_name = u->ours;
    input->role_name = nodeclass_role_name(u->facts.class->role);
    return (struct nodeclass_question){.operation = &aws_iam_add_role_to_instance_profile,
                                       .input = input};
}

static struct nodeclass_question ask_detach(struct nodeclass_upkeep *u, struct str name)
{
    struct iam_remove_role_from_instance_profile_request *input =
        ARENA_NEW(u->arena, struct iam_remove_role_from_instance_profile_request);
    input->instance_profile_name = name;
    input->role_name = u->role;
    return (struct nodeclass_question){.operation = &aws_iam_remove_role_from_instance_profile,
                                       .input = input};
}

static struct nodeclass_question ask_delete(struct nodeclass_upkeep *u, struct str name)
{
    struct iam_delete_instance_profile_request *input =
        ARENA_NEW(u->arena, struct iam_delete_instance_profile_request);
    input->instance_profile_name = name;
    return (struct nodeclass_question){.operation = &aws_iam_delete_instance_profile,
                                       .input = input};
}

static struct nodeclass_question ask_profiles(struct nodeclass_upkeep *u)
{
    struct iam_list_instance_profiles_request *input =
        ARENA_NEW(u->arena, struct iam_list_instance_profiles_request);
    input->path_prefix = path_of(&u->facts, u->arena);
    return (struct nodeclass_question){.operation = &aws_iam_list_instance_profiles,
                                       .input = input};
}

static struct nodeclass_question ask_templates(struct nodeclass_upkeep *u)
{
    struct ec2_describe_launch_templates_request *input =
        ARENA_NEW(u->arena, struct ec2_describe_launch_templates_request);
    struct str *values = ARENA_ARRAY(u->arena, struct str, 2);
    values[0] = u->facts.cluster_name;
    values[1] = u->facts.class->name;
    input->filters.n = 2;
    input->filters.v = ARENA_ARRAY(u->arena, struct ec2_filter, 2);
    input->filters.v[0].name = STR("tag:eks:eks-cluster-name");
    input->filters.v[1].name = STR("tag:karpenter.k8s.aws/ec2nodeclass");
    for (size_t i = 0; i < 2; i++) {
        input->filters.v[i].values.n = 1;
        input->filters.v[i].values.v = &values[i];
    }
    return (struct nodeclass_question){.operation = &aws_ec2_describe_launch_templates,
                                       .input = input};
}

static struct nodeclass_question ask_delete_template(struct nodeclass_upkeep *u)
{
    struct ec2_delete_launch_template_request *input =
        ARENA_NEW(u->arena, struct ec2_delete_launch_template_request);
    input->launch_template_name = u->templates.v[u->templates.n - 1];
    return (struct nodeclass_question){.operation = &aws_ec2_delete_launch_template,
                                       .input = input};
}

static struct nodeclass_question question_of(struct nodeclass_upkeep *u)
{
    const struct str last = u->profiles.n > 0 ? u->profiles.v[u->profiles.n - 1] : STR_EMPTY;
    switch (u->step) {
    case LOOK_AT_KNOWN:
        return ask_profile(u, u->facts.profile);
    case LOOK_AT_OURS:
        return ask_profile(u, u->ours);
    case MAKE:
        return ask_make(u);
    case DETACH_OTHER:
        return ask_detach(u, u->ours);
    case ATTACH:
        return ask_attach(u);
    case LIST_PROFILES:
        return ask_profiles(u);
    case LOOK_AT_NEXT:
        return ask_profile(u, last);
    case DETACH:
        return ask_detach(u, last);
    case DELETE_PROFILE:
        return ask_delete(u, last);
    case LIST_TEMPLATES:
        return ask_templates(u);
    case DELETE_TEMPLATE:
        return ask_delete_template(u);
    case OVER:
        break;
    }
    return (struct nodeclass_question){.operation = NULL};
}

/* ---- steps ---- */

static void go(struct nodeclass_upkeep *u, enum step step)
{
    u->step = step;
    u->is_asked = false;
}

/* The next profile or template to remove. */
static void go_on_removing(struct nodeclass_upkeep *u, bool templates_are_listed)
{
    go(u, u->profiles.n > 0       ? LOOK_AT_NEXT
          : !templates_are_listed ? LIST_TEMPLATES
          : u->templates.n > 0    ? DELETE_TEMPLATE
                                  : OVER);
}

static void settle(struct nodeclass_upkeep *u, struct str profile)
{
    u->profile = profile;
    go(u, OVER);
}

static void after_look(struct nodeclass_upkeep *u, bool found)
{
    const bool fits = found && str_eq(u->role, nodeclass_role_name(u->facts.class->role));
    if (fits) {
        settle(u, u->step == LOOK_AT_KNOWN ? u->facts.profile : u->ours);
    } else if (u->step == LOOK_AT_KNOWN && !str_eq(u->facts.profile, u->ours)) {
        go(u, LOOK_AT_OURS);
    } else {
        go(u, !found ? MAKE : u->role.n > 0 ? DETACH_OTHER : ATTACH);
    }
}

/* Whether a fault leaves nothing to do: what should be there is, what should not be is not. */
static bool is_as_wanted(enum step step, enum aws_fault_kind kind)
{
    const bool looks = step == LOOK_AT_KNOWN || step == LOOK_AT_OURS || step == LOOK_AT_NEXT;
    const bool removes =
        step == DETACH_OTHER || step == DETACH || step == DELETE_PROFILE || step == DELETE_TEMPLATE;
    return kind == AWS_FAULT_NONE || (kind == AWS_FAULT_NOT_FOUND && (looks || removes)) ||
           (kind == AWS_FAULT_ALREADY && step == MAKE);
}

static void advance(struct nodeclass_upkeep *u, bool found)
{
    switch (u->step) {
    case LOOK_AT_KNOWN:
    case LOOK_AT_OURS:
        after_look(u, found);
        return;
    case MAKE:
    case DETACH_OTHER:
        go(u, ATTACH);
        return;
    case ATTACH:
        settle(u, u->ours);
        return;
    case LIST_PROFILES:
        go_on_removing(u, /* templates_are_listed= */ false);
        return;
    case LOOK_AT_NEXT:
        if (found) {
            go(u, u->role.n > 0 ? DETACH : DELETE_PROFILE);
            return;
        }
        u->profiles.n--;
        go_on_removing(u, /* templates_are_listed= */ false);
        return;
    case DETACH:
        go(u, DELETE_PROFILE);
        return;
    case DELETE_PROFILE:
        u->profiles.n--;
        go_on_removing(u, /* templates_are_listed= */ false);
        return;
    case LIST_TEMPLATES:
        go_on_removing(u, /* templates_are_listed= */ true);
        return;
    case DELETE_TEMPLATE:
        u->templates.n--;
        go_on_removing(u, /* templates_are_listed= */ true);
        return;
    case OVER:
        return;
    }
}

/* ---- the whole ---- */

static struct nodeclass_upkeep *upkeep_new(const struct nodeclass_upkeep_facts *facts,
                                           struct arena *arena)
{
    struct nodeclass_upkeep *u = ARENA_NEW(arena, struct nodeclass_upkeep);
    *u = (struct nodeclass_upkeep){.arena = arena, .facts = *facts};
    return u;
}

struct nodeclass_upkeep *nodeclass_upkeep_ensure(const struct nodeclass_upkeep_facts *facts,
                                                 struct arena *arena)
{
    struct nodeclass_upkeep *u = upkeep_new(facts, arena);
    u->ours = our_profile(facts, arena);
    go(u, facts->profile.n > 0 ? LOOK_AT_KNOWN : LOOK_AT_OURS);
    return u;
}

struct nodeclass_upkeep *nodeclass_upkeep_remove(const struct nodeclass_upkeep_facts *facts,
                                                 struct arena *arena)
{
    struct nodeclass_upkeep *u = upkeep_new(facts, arena);
    const struct str legacy = legacy_profile(facts, arena);
    if (!facts->without_iam && legacy.n <= PROFILE_NAME_MAX) {
        VEC_PUSH(arena, &u->profiles, legacy);
    }
    go(u, facts->without_iam ? LIST_TEMPLATES : LIST_PROFILES);
    return u;
}

struct nodeclass_upkeep *nodeclass_upkeep_sweep(const struct nodeclass_upkeep_facts *facts,
                                                struct arena *arena)
{
    struct nodeclass_upkeep *u = upkeep_new(facts, arena);
    u->is_sweep = true;
    go(u, facts->without_iam || facts->profile.n == 0 ? LIST_TEMPLATES : LIST_PROFILES);
    return u;
}

bool nodeclass_upkeep_next(struct nodeclass_upkeep *u, struct nodeclass_question *ret_question)
{
    if (u->step == OVER || u->is_asked) {
        return false;
    }
    *ret_question = question_of(u);
    u->is_asked = true;
    return true;
}

static bool is_used(const struct nodeclass_upkeep *u, struct str profile)
{
    bool used = str_eq(profile, u->facts.profile);
    for (uint32_t i = 0; i < u->facts.n_used; i++) {
        used = used || str_eq(profile, u->facts.used[i]);
    }
    return u->is_sweep && used;
}

/* Only what lies under the path is ours to remove, whatever the answer holds besides. */
static void take_profiles(struct nodeclass_upkeep *u,
                          const struct iam_list_instance_profiles_response *page)
{
    const struct str path = path_of(&u->facts, u->arena);
    for (size_t i = 0; i < page->instance_profiles.n; i++) {
        const struct iam_instance_profile *profile = &page->instance_profiles.v[i];
        if (str_eq(profile->path, path) && !is_used(u, profile->instance_profile_name)) {
            VEC_PUSH(u->arena, &u->profiles, str_copy(u->arena, profile->instance_profile_name));
        }
    }
}

static bool has_tag(const struct ec2_launch_template *template, struct str key, struct str value)
{
    for (size_t i = 0; i < template->tags.n; i++) {
        if (str_eq(template->tags.v[i].key, key)) {
            return str_eq(template->tags.v[i].value, value);
        }
    }
    return false;
}

static bool is_template_of(const struct nodeclass_upkeep *u,
                           const struct ec2_launch_template *template)
{
    const bool due = !u->is_sweep || (template->create_time.has &&
                                      template->create_time.v < u->facts.templates_before);
    return due && has_tag(template, STR("eks:eks-cluster-name"), u->facts.cluster_name) &&
           has_tag(template, STR("karpenter.k8s.aws/ec2nodeclass"), u->facts.class->name);
}

void nodeclass_upkeep_page(struct nodeclass_upkeep *u, const void *output)
{
    if (u->step == LOOK_AT_KNOWN || u->step == LOOK_AT_OURS || u->step == LOOK_AT_NEXT) {
        const struct iam_get_instance_profile_response *page = output;
        if (page->instance_profile != NULL && page->instance_profile->roles.n > 0) {
            u->role = str_copy(u->arena, page->instance_profile->roles.v[0].role_name);
        }
    } else if (u->step == LIST_PROFILES) {
        take_profiles(u, output);
    } else if (u->step == LIST_TEMPLATES) {
        const struct ec2_describe_launch_templates_result *page = output;
        for (size_t i = 0; i < page->launch_templates.n; i++) {
            if (is_template_of(u, &page->launch_templates.v[i])) {
                VEC_PUSH(u->arena, &u->templates,
                         str_copy(u->arena, page->launch_templates.v[i].launch_template_name));
            }
        }
    }
}

void nodeclass_upkeep_end(struct nodeclass_upkeep *u, const struct aws_fault *fault,
                          struct str text)
{
    if (!is_as_wanted(u->step, fault->kind)) {
        u->failure = str_copy(u->arena, text);
        go(u, OVER);
        return;
    }
    advance(u, fault->kind == AWS_FAULT_NONE);
}

bool nodeclass_upkeep_is_over(const struct nodeclass_upkeep *u)
{
    return u->step == OVER;
}

struct str nodeclass_upkeep_failure(const struct nodeclass_upkeep *u)
{
    return u->failure;
}

struct str nodeclass_upkeep_profile(const struct nodeclass_upkeep *u)
{
    return u->profile;
}
