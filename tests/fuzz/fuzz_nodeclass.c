/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An EC2NodeClass from any JSON, through everything that is made of it without AWS: it ends with
 * values or with errors that say why. */
#include "base/arena.h"
#include "base/json.h"
#include "base/json_decode.h"
#include "check.h"
#include "provisioner/nodeclass/hash.h"
#include "provisioner/nodeclass/queries.h"
#include "provisioner/nodeclass/template.h"
#include "provisioner/nodeclass/userdata.h"
#include "provisioner/nodeclass/validation.h"

static void check_err(bool good, const struct err *err)
{
    MUST(good || (err->code != ERR_NONE && err->text[0] != '\0'));
}

/* The same class gives the same hash, and its family is part of it. */
static void check_hashes(const struct nodeclass *class, struct arena *arena)
{
    for (int v = NODECLASS_HASH_V4; v <= NODECLASS_HASH_V6; v++) {
        struct err err = {.code = ERR_NONE};
        uint64_t one = 0;
        uint64_t two = 0;
        enum nodeclass_hash_version version = (enum nodeclass_hash_version)v;
        bool good = nodeclass_hash(class, version, STR("ca"), arena, &one, &err);
        check_err(good, &err);
        MUST(nodeclass_hash(class, version, STR("ca"), arena, &two, &err) == good && one == two);
    }
}

static void check_queries(const struct nodeclass *class, struct arena *arena)
{
    struct nodeclass_parameters parameters;
    struct err err = {.code = ERR_NONE};
    MUST(nodeclass_subnet_queries(class, arena).n <= class->n_subnet_terms);
    MUST(nodeclass_group_queries(class, arena).n <= class->n_group_terms);
    MUST(nodeclass_reservation_queries(class, arena).n == class->n_reservation_terms);
    MUST(nodeclass_placement_queries(class, arena).n <= 1);
    MUST(nodeclass_image_queries(class, NULL, 0, arena).n <= class->n_image_terms);
    check_err(nodeclass_image_parameters(class, STR("1.34"), arena, &parameters, &err), &err);
}

static void check_launch(const struct nodeclass *class, const struct nodeclass_status *status,
                         enum nodeclass_family family, struct arena *arena)
{
    struct userdata_input input = {
        .class = class,
        .family = family,
        .cluster = {.name = STR("c"), .endpoint = STR("https://c"), .cidr = STR("10.0.0.0/16")},
        .max_pods = 29};
    struct nodeclass_launch launch = {.class = class,
                                      .family = family,
                                      .status = status,
                                      .cluster_name = STR("c"),
                                      .capacity_type = STR("spot"),
                                      .tenancy = STR("default"),
                                      .reserved_capacity = true};
    struct ec2_create_launch_template_request request;
    struct err err = {.code = ERR_NONE};
    check_err(userdata_make(&input, arena, &launch.user_data, &err), &err);
    bool good = nodeclass_template(&launch, arena, &request, &err);
    check_err(good, &err);
    MUST(!good || str_starts(request.launch_template_name, STR("karpenter.k8s.aws/")));
    struct nodeclass_condition condition =
        nodeclass_validate(class, family, status, STR("c"), arena);
    MUST(condition.reason.n > 0 && condition.message.n > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_arena arena = ARENA_INIT;
    struct str text = {.p = (const char *)data, .n = size};
    auto_json *object = NULL;
    struct nodeclass class;
    struct nodeclass_status status = {.n_subnets = 0};
    enum nodeclass_family family;
    struct err err = {.code = ERR_NONE};
    if (!json_decode_text(text, &arena, &object, &err)) {
        return 0;
    }
    check_err(nodeclass_status_decode(object, &arena, &status, &err), &err);
    if (!nodeclass_decode(object, &arena, &class, &err)) {
        check_err(/* good= */ false, &err);
        return 0;
    }
    check_hashes(&class, &arena);
    check_queries(&class, &arena);
    if (nodeclass_family(&class, &family, &err)) {
        check_launch(&class, &status, family, &arena);
    }
    return 0;
}
