/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodeclass/queries.h"

#include "awsapi/service_ec2.h"
#include "base/arena.h"
#include "base/vec.h"

/* ---- filters ---- */

struct filters {
    struct ec2_filter *v;
    size_t n, cap;
};

static void add_filter(struct filters *filters, struct str name, const struct str *values, size_t n,
                       struct arena *arena)
{
    struct ec2_filter filter = {.name = name};
    filter.values.v = ARENA_ARRAY(arena, struct str, n);
    filter.values.n = n;
    for (size_t i = 0; i < n; i++) {
        filter.values.v[i] = values[i];
    }
    VEC_PUSH(arena, filters, filter);
}

static void add_tags(struct filters *filters, const struct nodeclass_pairs *tags,
                     struct arena *arena)
{
    for (uint32_t i = 0; i < tags->n; i++) {
        const struct nodeclass_pair *tag = &tags->v[i];
        if (str_eq(tag->value, STR("*"))) {
            add_filter(filters, STR("tag-key"), &tag->key, 1, arena);
        } else {
            struct strbuf name = strbuf_new(arena, tag->key.n + 4);
            strbuf_add(&name, STR("tag:"));
            strbuf_add(&name, tag->key);
            add_filter(filters, strbuf_str(&name), &tag->value, 1, arena);
        }
    }
}

/* ---- lists of questions ---- */

struct asking {
    struct arena *arena;
    const struct aws_operation *operation;
    struct nodeclass_query *v;
    size_t n, cap;
};

static void ask(struct asking *asking, void *input)
{
    struct nodeclass_query query = {.operation = asking->operation, .input = input};
    VEC_PUSH(asking->arena, asking, query);
}

static struct nodeclass_queries queries_of(const struct asking *asking)
{
    return (struct nodeclass_queries){.n = (uint32_t)asking->n, .v = asking->v};
}

static void ask_subnets(struct asking *asking, const struct filters *filters)
{
    struct ec2_describe_subnets_request *input =
        ARENA_NEW(asking->arena, struct ec2_describe_subnets_request);
    input->filters.v = filters->v;
    input->filters.n = filters->n;
    ask(asking, input);
}

struct nodeclass_queries nodeclass_subnet_queries(const struct nodeclass *class,
                                                  struct arena *arena)
{
    struct asking asking = {.arena = arena, .operation = &aws_ec2_describe_subnets};
    VEC(struct str) ids = {0};
    for (uint32_t i = 0; i < class->n_subnet_terms; i++) {
        const struct nodeclass_subnet_term *term = &class->subnet_terms[i];
        struct filters filters = {.n = 0};
        if (term->id.n > 0) {
            VEC_PUSH(arena, &ids, term->id);
            continue;
        }
        add_tags(&filters, &term->tags, arena);
        ask_subnets(&asking, &filters);
    }
    if (ids.n > 0) {
        struct filters filters = {.n = 0};
        add_filter(&filters, STR("subnet-id"), ids.v, ids.n, arena);
        ask_subnets(&asking, &filters);
    }
    return queries_of(&asking);
}

static void ask_groups(struct asking *asking, const struct filters *filters)
{
    struct ec2_describe_security_groups_request *input =
        ARENA_NEW(asking->arena, struct ec2_describe_security_groups_request);
    input->filters.v = filters->v;
    input->filters.n = filters->n;
    ask(asking, input);
}

struct nodeclass_queries nodeclass_group_queries(const struct nodeclass *class, struct arena *arena)
{
    struct asking asking = {.arena = arena, .operation = &aws_ec2_describe_security_groups};
    VEC(struct str) ids = {0};
    VEC(struct str) names = {0};
    for (uint32_t i = 0; i < class->n_group_terms; i++) {
        const struct nodeclass_group_term *term = &class->group_terms[i];
        struct filters filters = {.n = 0};
        if (term->id.n > 0) {
            VEC_PUSH(arena, &ids, term->id);
        } else if (term->name.n > 0) {
            VEC_PUSH(arena, &names, term->name);
        } else {
            add_tags(&filters, &term->tags, arena);
            ask_groups(&asking, &filters);
        }
    }
    for (int by_name = 0; by_name < 2; by_name++) {
        struct filters filters = {.n = 0};
        const struct str *values = by_name ? names.v : ids.v;
        size_t n = by_name ? names.n : ids.n;
        if (n > 0) {
            add_filter(&filters, by_name ? STR("group-name") : STR("group-id"), values, n, arena);
            ask_groups(&asking, &filters);
        }
    }
    return queries_of(&asking);
}

struct nodeclass_queries nodeclass_reservation_queries(const struct nodeclass *class,
                                                       struct arena *arena)
{
    static const struct str active = STR("active");
    struct asking asking = {.arena = arena, .operation = &aws_ec2_describe_capacity_reservations};
    for (uint32_t i = 0; i < class->n_reservation_terms; i++) {
        const struct nodeclass_reservation_term *term = &class->reservation_terms[i];
        struct ec2_describe_capacity_reservations_request *input =
            ARENA_NEW(arena, struct ec2_describe_capacity_reservations_request);
        struct filters filters = {.n = 0};
        if (term->id.n > 0) {
            input->capacity_reservation_ids.v = ARENA_ARRAY(arena, struct str, 1);
            input->capacity_reservation_ids.v[0] = term->id;
            input->capacity_reservation_ids.n = 1;
        } else {
            if (term->owner_id.n > 0) {
                add_filter(&filters, STR("owner-id"), &term->owner_id, 1, arena);
            }
            add_tags(&filters, &term->tags, arena);
            if (term->match_criteria.n > 0) {
                add_filter(&filters, STR("instance-match-criteria"), &term->match_criteria, 1,
                           arena);
            }
        }
        add_filter(&filters, STR("state"), &active, 1, arena);
        input->filters.v = filters.v;
        input->filters.n = filters.n;
        ask(&asking, input);
    }
    return queries_of(&asking);
}

struct nodeclass_queries nodeclass_placement_queries(const struct nodeclass *class,
                                                     struct arena *arena)
{
    static const struct str available = STR("available");
    struct asking asking = {.arena = arena, .operation = &aws_ec2_describe_placement_groups};
    if (class->placement != NULL) {
        struct ec2_describe_placement_groups_request *input =
            ARENA_NEW(arena, struct ec2_describe_placement_groups_request);
        struct filters filters = {.n = 0};
        struct str *one = ARENA_ARRAY(arena, struct str, 1);
        if (class->placement->id.n > 0) {
            *one = class->placement->id;
            input->group_ids.v = one;
            input->group_ids.n = 1;
        } else {
            *one = class->placement->name;
            input->group_names.v = one;
            input->group_names.n = 1;
        }
        add_filter(&filters, STR("state"), &available, 1, arena);
        input->filters.v = filters.v;
        input->filters.n = filters.n;
        ask(&asking, input);
    }
    return queries_of(&asking);
}

/* ---- images ---- */

#define BIT(variant) (1U << (variant))

/* Paths of SSM by family; %K stands for the version of Kubernetes, %R for "recommended" or the name
 * of a release, %V for the version of the alias. */
static const struct {
    enum nodeclass_family family;
    unsigned variants;
    const char *path;
    const char *release; /* of %R, when the alias names a version */
    const char *windows_build;
} paths[] = {
    {NODECLASS_AL2, BIT(NODECLASS_STANDARD),
     "/aws/service/eks/optimized-ami/%K/amazon-linux-2/%R/image_id", "amazon-eks-node-%K-%V", NULL},
    {NODECLASS_AL2, BIT(NODECLASS_STANDARD),
     "/aws/service/eks/optimized-ami/%K/amazon-linux-2-arm64/%R/image_id",
     "amazon-eks-arm64-node-%K-%V", NULL},
    {NODECLASS_AL2, BIT(NODECLASS_NEURON) | BIT(NODECLASS_NVIDIA),
     "/aws/service/eks/optimized-ami/%K/amazon-linux-2-gpu/%R/image_id",
     "amazon-eks-gpu-node-%K-%V", NULL},
    {NODECLASS_AL2023, BIT(NODECLASS_STANDARD),
     "/aws/service/eks/optimized-ami/%K/amazon-linux-2023/x86_64/standard/%R/image_id",
     "amazon-eks-node-al2023-x86_64-standard-%K-%V", NULL},
    {NODECLASS_AL2023, BIT(NODECLASS_NVIDIA),
     "/aws/service/eks/optimized-ami/%K/amazon-linux-2023/x86_64/nvidia/%R/image_id",
     "amazon-eks-node-al2023-x86_64-nvidia-%K-%V", NULL},
    {NODECLASS_AL2023, BIT(NODECLASS_NEURON),
     "/aws/service/eks/optimized-ami/%K/amazon-linux-2023/x86_64/neuron/%R/image_id",
     "amazon-eks-node-al2023-x86_64-neuron-%K-%V", NULL},
    {NODECLASS_AL2023, BIT(NODECLASS_STANDARD),
     "/aws/service/eks/optimized-ami/%K/amazon-linux-2023/arm64/standard/%R/image_id",
     "amazon-eks-node-al2023-arm64-standard-%K-%V", NULL},
    {NODECLASS_AL2023, BIT(NODECLASS_NVIDIA),
     "/aws/service/eks/optimized-ami/%K/amazon-linux-2023/arm64/nvidia/%R/image_id",
     "amazon-eks-node-al2023-arm64-nvidia-%K-%V", NULL},
    {NODECLASS_BOTTLEROCKET, BIT(NODECLASS_STANDARD) | BIT(NODECLASS_NEURON),
     "/aws/service/bottlerocket/aws-k8s-%K/x86_64/%V/image_id", NULL, NULL},
    {NODECLASS_BOTTLEROCKET, BIT(NODECLASS_STANDARD),
     "/aws/service/bottlerocket/aws-k8s-%K/arm64/%V/image_id", NULL, NULL},
    {NODECLASS_BOTTLEROCKET, BIT(NODECLASS_NVIDIA),
     "/aws/service/bottlerocket/aws-k8s-%K-nvidia/x86_64/%V/image_id", NULL, NULL},
    {NODECLASS_BOTTLEROCKET, BIT(NODECLASS_NVIDIA),
     "/aws/service/bottlerocket/aws-k8s-%K-nvidia/arm64/%V/image_id", NULL, NULL},
    {NODECLASS_WINDOWS2019, BIT(NODECLASS_ANY_DEVICES),
     "/aws/service/ami-windows-latest/Windows_Server-2019-English-Core-EKS_Optimized-%K/image_id",
     NULL, "10.0.17763"},
    {NODECLASS_WINDOWS2022, BIT(NODECLASS_ANY_DEVICES),
     "/aws/service/ami-windows-latest/Windows_Server-2022-English-Core-EKS_Optimized-%K/image_id",
     NULL, "10.0.20348"},
    {NODECLASS_WINDOWS2025, BIT(NODECLASS_ANY_DEVICES),
     "/aws/service/ami-windows-latest/Windows_Server-2025-English-Core-EKS_Optimized-%K/image_id",
     NULL, "10.0.26100"},
};

static void put_path(struct strbuf *out, const char *path, struct str k8s, struct str version,
                     const char *release)
{
    for (const char *p = path; *p != '\0'; p++) {
        if (*p != '%') {
            strbuf_addc(out, *p);
        } else if (*++p == 'K') {
            strbuf_add(out, k8s);
        } else if (*p == 'V') {
            strbuf_add(out, version);
        } else if (str_eq(version, STR("latest"))) {
            strbuf_add(out, STR("recommended"));
        } else {
            put_path(out, release, k8s, version, NULL);
        }
    }
}

/* The minor number of "1.33"; 0 when it is none. */
static uint64_t minor_of(struct str version)
{
    uint64_t minor = 0;
    return str_to_u64(str_sub(version, str_find(version, '.') + 1, version.n), &minor) ? minor : 0;
}

static bool check_alias(enum nodeclass_family family, struct str version, struct err *err)
{
    uint64_t minor = minor_of(version);
    if (family == NODECLASS_AL2 && minor >= 33) {
        return err_set(err, ERR_UNSUPPORTED,
                       "AL2 aliases are no longer supported on EKS 1.33+ (see "
                       "https://docs.aws.amazon.com/eks/latest/userguide/"
                       "kubernetes-versions-standard.html#kubernetes-1-33)");
    }
    if (family == NODECLASS_WINDOWS2025 && minor > 0 && minor < 35) {
        return err_set(
            err, ERR_UNSUPPORTED,
            "Windows Server 2025 requires EKS version 1.35 or higher, current version: " STR_FMT,
            STR_ARG(version));
    }
    return true;
}

/* The family that the alias names, whatever amiFamily says: Custom with an alias has its images. */
static bool alias_family(const struct nodeclass *class, enum nodeclass_family *ret_family,
                         struct err *err)
{
    struct nodeclass only_alias = {.name = class->name,
                                   .image_terms = class->image_terms,
                                   .n_image_terms = class->n_image_terms};
    return nodeclass_family(&only_alias, ret_family, err);
}

bool nodeclass_image_parameters(const struct nodeclass *class, struct str version,
                                struct arena *arena, struct nodeclass_parameters *ret_parameters,
                                struct err *err)
{
    VEC(struct nodeclass_parameter) found = {0};
    struct str alias_version = nodeclass_alias_version(class);
    enum nodeclass_family family = NODECLASS_CUSTOM;
    if (alias_version.n > 0 &&
        (!alias_family(class, &family, err) || !check_alias(family, version, err))) {
        return false;
    }
    while (family == NODECLASS_BOTTLEROCKET && str_starts(alias_version, STR("v"))) {
        alias_version = str_sub(alias_version, 1, alias_version.n);
    }
    for (size_t i = 0; alias_version.n > 0 && i < sizeof paths / sizeof paths[0]; i++) {
        struct strbuf name = strbuf_new(arena, 4096);
        if (paths[i].family != family) {
            continue;
        }
        put_path(&name, paths[i].path, version, alias_version, paths[i].release);
        VEC_PUSH(arena, &found,
                 (struct nodeclass_parameter){.name = strbuf_str(&name),
                                              .variants = paths[i].variants,
                                              .windows_build = str_of(paths[i].windows_build)});
    }
    for (uint32_t i = 0; alias_version.n == 0 && i < class->n_image_terms; i++) {
        const struct nodeclass_image_term *term = &class->image_terms[i];
        if (term->id.n == 0 && term->ssm_parameter.n > 0) {
            VEC_PUSH(arena, &found,
                     (struct nodeclass_parameter){.name = term->ssm_parameter,
                                                  .variants = BIT(NODECLASS_ANY_DEVICES)});
        }
    }
    *ret_parameters = (struct nodeclass_parameters){.n = (uint32_t)found.n, .v = found.v};
    return true;
}

static void ask_images(struct asking *asking, struct filters *filters, const struct str *owners,
                       size_t n_owners)
{
    static const struct str available = STR("available");
    struct ec2_describe_images_request *input =
        ARENA_NEW(asking->arena, struct ec2_describe_images_request);
    add_filter(filters, STR("state"), &available, 1, asking->arena);
    input->filters.v = filters->v;
    input->filters.n = filters->n;
    input->include_deprecated = (struct opt_bool){.has = true, .v = true};
    if (n_owners > 0) {
        input->owners.v = ARENA_ARRAY(asking->arena, struct str, n_owners);
        input->owners.n = n_owners;
        for (size_t i = 0; i < n_owners; i++) {
            input->owners.v[i] = owners[i];
        }
    }
    ask(asking, input);
}

struct nodeclass_queries nodeclass_image_queries(const struct nodeclass *class,
                                                 const struct str *ids, uint32_t n_ids,
                                                 struct arena *arena)
{
    /* By name without an owner: nobody else's public image may pass for the one that is meant. */
    static const struct str trusted[] = {STR("self"), STR("amazon")};
    struct asking asking = {.arena = arena, .operation = &aws_ec2_describe_images};
    VEC(struct str) all = {0};
    for (uint32_t i = 0; i < n_ids; i++) {
        VEC_PUSH(arena, &all, ids[i]);
    }
    for (uint32_t i = 0; i < class->n_image_terms; i++) {
        const struct nodeclass_image_term *term = &class->image_terms[i];
        struct filters filters = {.n = 0};
        if (term->id.n > 0) {
            VEC_PUSH(arena, &all, term->id);
        }
        if (term->id.n > 0 || term->ssm_parameter.n > 0 || term->alias.n > 0) {
            continue;
        }
        if (term->name.n > 0) {
            add_filter(&filters, STR("name"), &term->name, 1, arena);
        }
        add_tags(&filters, &term->tags, arena);
        bool stated = term->owner.n > 0;
        ask_images(&asking, &filters, stated ? &term->owner : trusted,
                   stated             ? 1
                   : term->name.n > 0 ? 2
                                      : 0);
    }
    if (all.n > 0) {
        struct filters filters = {.n = 0};
        add_filter(&filters, STR("image-id"), all.v, all.n, arena);
        ask_images(&asking, &filters, NULL, 0);
    }
    return queries_of(&asking);
}
