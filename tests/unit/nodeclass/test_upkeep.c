/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Instance profiles and launch templates of a class, against an IAM of a few rows: what is asked,
 * in which order, and what is there afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "awsapi/service_ec2.h"
#include "awsapi/service_iam.h"
#include "base/arena.h"
#include "base/vec.h"
#include "provisioner/nodeclass/upkeep.h"

enum { PROFILES_MAX = 8 };

struct world {
    struct arena *arena;
    struct iam_instance_profile profiles[PROFILES_MAX];
    struct ec2_launch_template templates[2];
    size_t n_profiles, n_templates;
    const char *fails; /* an operation that is denied, or NULL */
    struct strbuf asked;
};

static struct iam_instance_profile *find(struct world *w, struct str name)
{
    for (size_t i = 0; i < w->n_profiles; i++) {
        if (str_eq(w->profiles[i].instance_profile_name, name)) {
            return &w->profiles[i];
        }
    }
    return NULL;
}

static struct iam_instance_profile *add(struct world *w, struct str name, struct str path,
                                        const char *role)
{
    struct iam_instance_profile *p = &w->profiles[w->n_profiles++];
    *p = (struct iam_instance_profile){.instance_profile_name = str_copy(w->arena, name),
                                       .path = str_copy(w->arena, path)};
    if (role != NULL) {
        p->roles.v = ARENA_NEW(w->arena, struct iam_role);
        p->roles.v[0].role_name = str_of(role);
        p->roles.n = 1;
    }
    return p;
}

static enum aws_fault_kind act(struct world *w, struct nodeclass_upkeep *u,
                               const struct nodeclass_question *q)
{
    if (q->operation == &aws_iam_get_instance_profile) {
        const struct iam_get_instance_profile_request *in = q->input;
        struct iam_get_instance_profile_response out = {find(w, in->instance_profile_name)};
        if (out.instance_profile == NULL) {
            return AWS_FAULT_NOT_FOUND;
        }
        nodeclass_upkeep_page(u, &out);
    } else if (q->operation == &aws_iam_create_instance_profile) {
        const struct iam_create_instance_profile_request *in = q->input;
        if (find(w, in->instance_profile_name) != NULL) {
            return AWS_FAULT_ALREADY;
        }
        (void)add(w, in->instance_profile_name, in->path, NULL);
    } else if (q->operation == &aws_iam_add_role_to_instance_profile) {
        const struct iam_add_role_to_instance_profile_request *in = q->input;
        struct iam_instance_profile *p = find(w, in->instance_profile_name);
        if (p == NULL || p->roles.n > 0) {
            fail_msg("a role is added to a profile that is not there or has one");
            return AWS_FAULT_NOT_FOUND;
        }
        p->roles.v = ARENA_NEW(w->arena, struct iam_role);
        p->roles.v[0].role_name = str_copy(w->arena, in->role_name);
        p->roles.n = 1;
    } else if (q->operation == &aws_iam_remove_role_from_instance_profile) {
        const struct iam_remove_role_from_instance_profile_request *in = q->input;
        struct iam_instance_profile *p = find(w, in->instance_profile_name);
        if (p == NULL || p->roles.n != 1 || !str_eq(p->roles.v[0].role_name, in->role_name)) {
            fail_msg("a role is removed that no profile has");
            return AWS_FAULT_NOT_FOUND;
        }
        p->roles.n = 0;
    } else if (q->operation == &aws_iam_delete_instance_profile) {
        const struct iam_delete_instance_profile_request *in = q->input;
        struct iam_instance_profile *p = find(w, in->instance_profile_name);
        if (p == NULL || p->roles.n > 0) {
            fail_msg("a role is added to a profile that is not there or has one");
            return AWS_FAULT_NOT_FOUND;
        } /* IAM refuses it else */
        *p = w->profiles[--w->n_profiles];
    } else if (q->operation == &aws_iam_list_instance_profiles) {
        struct iam_list_instance_profiles_response out = {
            .instance_profiles = {.v = w->profiles, .n = w->n_profiles}};
        nodeclass_upkeep_page(u, &out); /* of all paths, as servers do that ignore the prefix */
    } else if (q->operation == &aws_ec2_describe_launch_templates) {
        struct ec2_describe_launch_templates_result out = {
            .launch_templates = {.v = w->templates, .n = w->n_templates}};
        nodeclass_upkeep_page(u, &out);
    } else {
        assert_ptr_equal(q->operation, &aws_ec2_delete_launch_template);
        w->n_templates--;
    }
    return AWS_FAULT_NONE;
}

/* Runs it to its end. */
static void run(struct world *w, struct nodeclass_upkeep *u)
{
    struct nodeclass_question q;
    w->asked = strbuf_new(w->arena, 4096);
    while (!nodeclass_upkeep_is_over(u)) {
        assert_true(nodeclass_upkeep_next(u, &q));
        struct nodeclass_question other;
        assert_false(nodeclass_upkeep_next(u, &other)); /* one at a time */
        strbuf_addf(&w->asked, "%s%s", w->asked.n > 0 ? " " : "", q.operation->name);
        const bool fails = w->fails != NULL && strcmp(w->fails, q.operation->name) == 0;
        const struct aws_fault fault = {.kind = fails ? AWS_FAULT_UNAUTHORIZED : act(w, u, &q)};
        nodeclass_upkeep_end(u, &fault, STR("no"));
    }
}

static struct nodeclass_upkeep_facts facts_of(const struct nodeclass *class, const char *profile)
{
    return (struct nodeclass_upkeep_facts){.class = class,
                                           .cluster_name = STR("shop"),
                                           .region = STR("eu-west-1"),
                                           .profile = str_of(profile)};
}

#define PATH STR("/karpenter/eu-west-1/shop/uid-1/")

static const struct nodeclass class_of_tests = {
    .name = STR("c"), .uid = STR("uid-1"), .role = STR("a/path/node")};

/* What is there, and what is asked until the role is in a profile. */
static const struct {
    const char *name, *known, *role_of_known, *fails, *asked;
    bool ours_is_there;
    const char *role_of_ours;
} ensures[] = {
    {"nothing is there", NULL, NULL, NULL,
     "GetInstanceProfile CreateInstanceProfile AddRoleToInstanceProfile", false, NULL},
    {"that of the status serves", "theirs", "node", NULL, "GetInstanceProfile", false, NULL},
    {"it carries another role", "theirs", "other", NULL,
     "GetInstanceProfile GetInstanceProfile CreateInstanceProfile AddRoleToInstanceProfile", false,
     NULL},
    {"it is gone", "gone", NULL, NULL,
     "GetInstanceProfile GetInstanceProfile CreateInstanceProfile AddRoleToInstanceProfile", false,
     NULL},
    {"ours was made and the answer lost", NULL, NULL, NULL,
     "GetInstanceProfile AddRoleToInstanceProfile", true, NULL},
    {"ours is whole", NULL, NULL, NULL, "GetInstanceProfile", true, "node"},
    {"somebody put another role into ours", NULL, NULL, NULL,
     "GetInstanceProfile RemoveRoleFromInstanceProfile AddRoleToInstanceProfile", true, "other"},
    {"IAM says no", NULL, NULL, "CreateInstanceProfile", "GetInstanceProfile CreateInstanceProfile",
     false, NULL},
};

static void test_ensure(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ensures / sizeof ensures[0]; i++) {
        auto_arena arena = ARENA_INIT;
        struct world w = {.arena = &arena, .fails = ensures[i].fails};
        const struct nodeclass_upkeep_facts facts = facts_of(&class_of_tests, ensures[i].known);
        if (ensures[i].role_of_known != NULL) {
            (void)add(&w, facts.profile, STR("/"), ensures[i].role_of_known);
        }
        if (ensures[i].ours_is_there) {
            struct world empty = {.arena = &arena};
            struct nodeclass_upkeep *u = nodeclass_upkeep_ensure(&facts, &arena);
            run(&empty, u);
            (void)add(&w, nodeclass_upkeep_profile(u), PATH, ensures[i].role_of_ours);
        }
        struct nodeclass_upkeep *u = nodeclass_upkeep_ensure(&facts, &arena);
        run(&w, u);
        (void)printf("# %s: " STR_FMT "\n", ensures[i].name, STR_ARG(strbuf_str(&w.asked)));
        assert_true(str_eq(strbuf_str(&w.asked), str_of(ensures[i].asked)));
        if (ensures[i].fails != NULL) {
            assert_true(str_eq(nodeclass_upkeep_failure(u), STR("no")));
            continue;
        }
        assert_null(nodeclass_upkeep_failure(u).p);
        const struct iam_instance_profile *p = find(&w, nodeclass_upkeep_profile(u));
        if (p == NULL || p->roles.n != 1) {
            fail_msg("the profile is not there, or without its role");
            return;
        }
        assert_true(str_eq(p->roles.v[0].role_name, STR("node")));
        assert_true(p->path.n == 1 || str_eq(p->path, PATH));
    }
}

static void test_names(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct world w = {.arena = &arena};
    struct nodeclass other = class_of_tests;
    const struct nodeclass_upkeep_facts facts = facts_of(&class_of_tests, NULL);
    struct nodeclass_upkeep *u = nodeclass_upkeep_ensure(&facts, &arena);
    run(&w, u);
    const struct str first = nodeclass_upkeep_profile(u);
    assert_true(str_starts(first, STR("shop_")));
    other.role = STR("another");
    const struct nodeclass_upkeep_facts changed = facts_of(&other, NULL);
    u = nodeclass_upkeep_ensure(&changed, &arena);
    run(&w, u);
    assert_false(str_eq(first, nodeclass_upkeep_profile(u)));
    assert_int_equal(w.n_profiles, 2);
}

static struct ec2_launch_template template_of(struct arena *arena, const char *cluster,
                                              const char *class)
{
    struct ec2_launch_template t = {.launch_template_name = STR("t")};
    t.tags.v = ARENA_ARRAY(arena, struct ec2_tag, 2);
    t.tags.n = 2;
    t.tags.v[0] = (struct ec2_tag){.key = STR("eks:eks-cluster-name"), .value = str_of(cluster)};
    t.tags.v[1] =
        (struct ec2_tag){.key = STR("karpenter.k8s.aws/ec2nodeclass"), .value = str_of(class)};
    return t;
}

static void test_remove(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        auto_arena arena = ARENA_INIT;
        struct world w = {.arena = &arena};
        struct nodeclass_upkeep_facts facts = facts_of(&class_of_tests, NULL);
        facts.without_iam = round == 1;
        w.fails = round == 2 ? "DeleteInstanceProfile" : NULL;
        (void)add(&w, STR("ours"), PATH, "node");
        (void)add(&w, STR("ours-empty"), PATH, NULL);
        (void)add(&w, STR("of another class"), STR("/karpenter/eu-west-1/shop/uid-11/"), "node");
        (void)add(&w, STR("of a person"), STR("/"), "node");
        w.templates[0] = template_of(&arena, "other", "c");
        w.templates[1] = template_of(&arena, "shop", "c");
        w.n_templates = 2;
        struct nodeclass_upkeep *u = nodeclass_upkeep_remove(&facts, &arena);
        run(&w, u);
        assert_int_equal(w.n_templates, round == 2 ? 2 : 1);
        assert_int_equal(w.n_profiles, round == 0 ? 2 : 4);
        assert_int_equal(nodeclass_upkeep_failure(u).n, round == 2 ? 2 : 0);
        if (round == 0) {
            assert_non_null(find(&w, STR("of another class")));
            assert_non_null(find(&w, STR("of a person")));
            u = nodeclass_upkeep_remove(&facts, &arena); /* and nothing the second time */
            w.n_templates = 0;
            run(&w, u);
            assert_int_equal(w.n_profiles, 2);
        }
    }
}

/* Profiles of roles before, in use or not, and templates by age. */
static void test_sweep(void **state)
{
    (void)state;
    const struct str used[] = {STR("used")};
    for (int round = 0; round < 4; round++) {
        auto_arena arena = ARENA_INIT;
        struct world w = {.arena = &arena, .n_templates = 2};
        struct nodeclass_upkeep_facts facts = facts_of(&class_of_tests, "current");
        facts.n_used = 1;
        facts.used = used;
        facts.templates_before = 1000;
        facts.without_iam = round == 1;
        facts.profile = round == 2 ? STR_EMPTY : facts.profile;
        w.fails = round == 3 ? "DescribeLaunchTemplates" : NULL;
        (void)add(&w, STR("current"), PATH, "node");
        (void)add(&w, STR("used"), PATH, "before");
        (void)add(&w, STR("unused"), PATH, "long before");
        (void)add(&w, STR("of a person"), STR("/"), "node");
        w.templates[0] = template_of(&arena, "shop", "c");
        w.templates[1] = template_of(&arena, "shop", "c");
        w.templates[0].create_time = (struct opt_wall){.has = true, .v = 1000};
        w.templates[1].create_time = (struct opt_wall){.has = true, .v = 999};
        struct nodeclass_upkeep *u = nodeclass_upkeep_sweep(&facts, &arena);
        run(&w, u);
        /* Without a way to IAM, or a profile that the class surely has, none goes. */
        assert_int_equal(w.n_profiles, round == 1 || round == 2 ? 4 : 3);
        assert_true((find(&w, STR("unused")) == NULL) == (round == 0 || round == 3));
        assert_true(find(&w, STR("current")) != NULL && find(&w, STR("used")) != NULL);
        assert_int_equal(w.n_templates, round == 3 ? 2 : 1);
        assert_int_equal(nodeclass_upkeep_failure(u).n, round == 3 ? 2 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ensure),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_remove),
        cmocka_unit_test(test_sweep),
    };
    return cmocka_run_group_tests_name("upkeep", tests, NULL, NULL);
}
