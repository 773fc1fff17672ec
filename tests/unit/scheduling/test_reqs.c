/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The requirement algebra: every pair of operators against brute force over a small universe, and
 * the odd parts one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/rng.h"
#include "binpack/scheduling/reqs.h"
#include "k8s/selector.h"
#include "world.h"

/* Values of the universe: numbers and words, and one that no requirement names. */
static const char *const universe[] = {"1", "2", "3", "4", "a", "b", "other", "-7"};
enum { N_VALUES = sizeof universe / sizeof universe[0], N_NAMED = 6 };

struct fixture {
    struct world w;
    strid key, values[N_VALUES];
};

static int setup(void **state)
{
    static struct fixture f;
    world_open(&f.w, "");
    f.key = world_id(&f.w, "example.com/size");
    for (int i = 0; i < N_VALUES; i++) {
        f.values[i] = world_id(&f.w, universe[i]);
    }
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    world_close(&((struct fixture *)*state)->w);
    return 0;
}

/* All requirements over the named values: subsets for In and NotIn, one bound for the comparisons.
 */
static uint32_t all_requirements(struct fixture *f, struct k8s_requirement *out)
{
    uint32_t n = 0;
    for (uint32_t op = K8S_IN; op <= K8S_LTE; op++) {
        const bool listed = op == K8S_IN || op == K8S_NOT_IN;
        const bool plain = op == K8S_EXISTS || op == K8S_DOES_NOT_EXIST;
        const uint32_t n_choices = listed ? 1U << N_NAMED : plain ? 1 : 4;
        for (uint32_t choice = 0; choice < n_choices; choice++) {
            strid *values = ARENA_ARRAY(&f->w.arena, strid, N_NAMED);
            uint32_t n_values = 0;
            for (uint32_t v = 0; listed && v < N_NAMED; v++) {
                if (choice >> v & 1U) {
                    values[n_values++] = f->values[v];
                }
            }
            if (!listed && !plain) {
                values[n_values++] = f->values[choice];
            }
            out[n++] = (struct k8s_requirement){
                .key = f->key, .op = (enum k8s_operator)op, .values = {.n = n_values, .v = values}};
        }
    }
    return n;
}

/* Does the requirement admit the value when the label is there? */
static bool admits(const struct fixture *f, const struct k8s_requirement *r, uint32_t value_i)
{
    static const bool is_number[] = {true, true, true, true, false, false, false, true};
    static const int number[] = {1, 2, 3, 4, 0, 0, 0, -7};
    bool listed = false;
    for (uint32_t i = 0; i < r->values.n; i++) {
        listed = listed || r->values.v[i] == f->values[value_i];
    }
    int bound = 0;
    for (int v = 0; v < N_VALUES && r->values.n == 1; v++) {
        bound = r->values.v[0] == f->values[v] ? number[v] : bound;
    }
    switch (r->op) {
    case K8S_IN:
        return listed;
    case K8S_NOT_IN:
        return !listed;
    case K8S_EXISTS:
        return true;
    case K8S_DOES_NOT_EXIST:
        return false;
    case K8S_GT:
        return is_number[value_i] && number[value_i] > bound;
    case K8S_LT:
        return is_number[value_i] && number[value_i] < bound;
    case K8S_GTE:
        return is_number[value_i] && number[value_i] >= bound;
    case K8S_LTE:
        return is_number[value_i] && number[value_i] <= bound;
    }
    return false;
}

static void test_single(void **state)
{
    struct fixture *f = *state;
    static struct k8s_requirement all[256];
    const uint32_t n = all_requirements(f, all);
    for (uint32_t i = 0; i < n; i++) {
        const struct sched_req req = sched_req_of(f->w.vocab, &f->w.arena, &all[i]);
        for (uint32_t v = 0; v < N_VALUES; v++) {
            if (sched_req_has(f->w.vocab, &req, f->values[v]) != admits(f, &all[i], v)) {
                fail_msg("operator %d, requirement %u, value %s", (int)all[i].op, i, universe[v]);
            }
        }
    }
}

/* Every pair: the intersection admits exactly what both admit, and overlap is seen when there is
 * some. */
static void test_pairs(void **state)
{
    struct fixture *f = *state;
    static struct k8s_requirement all[256];
    const uint32_t n = all_requirements(f, all);
    uint32_t n_pairs = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct sched_req a = sched_req_of(f->w.vocab, &f->w.arena, &all[i]);
        for (uint32_t j = 0; j < n; j++) {
            const struct arena_mark mark = arena_mark(&f->w.arena);
            const struct sched_req b = sched_req_of(f->w.vocab, &f->w.arena, &all[j]);
            const struct sched_req both = sched_req_and(f->w.vocab, &f->w.arena, &a, &b);
            bool any = false;
            for (uint32_t v = 0; v < N_VALUES; v++) {
                const bool expected = admits(f, &all[i], v) && admits(f, &all[j], v);
                any = any || expected;
                if (sched_req_has(f->w.vocab, &both, f->values[v]) != expected) {
                    fail_msg("operators %d and %d, pair %u,%u, value %s: expected %d",
                             (int)all[i].op, (int)all[j].op, i, j, universe[v], expected);
                }
            }
            /* Integer ranges hold values outside the universe: [2..2] minus 2 is empty only to
             * brute force. */
            const bool listed = !a.complement || !b.complement;
            if (listed && sched_req_overlaps(f->w.vocab, &a, &b) != any) {
                fail_msg("overlap of operators %d and %d, pair %u,%u: expected %d", (int)all[i].op,
                         (int)all[j].op, i, j, any);
            }
            if (!listed && any && !sched_req_overlaps(f->w.vocab, &a, &b)) {
                fail_msg("overlap of operators %d and %d, pair %u,%u", (int)all[i].op,
                         (int)all[j].op, i, j);
            }
            assert_int_equal(sched_req_overlaps(f->w.vocab, &a, &b),
                             sched_req_overlaps(f->w.vocab, &b, &a));
            arena_rewind(&f->w.arena, mark);
            n_pairs++;
        }
    }
    print_message("%u pairs of requirements\n", n_pairs);
}

/* (a and b) and c = a and (b and c), on random triples. */
static void test_associative(void **state)
{
    struct fixture *f = *state;
    static struct k8s_requirement all[256];
    const uint32_t n = all_requirements(f, all);
    const uint64_t seed = 20260302;
    struct rng rng = {.state = seed};
    for (int round = 0; round < 20000; round++) {
        const struct arena_mark mark = arena_mark(&f->w.arena);
        struct sched_req r[3];
        for (int i = 0; i < 3; i++) {
            r[i] = sched_req_of(f->w.vocab, &f->w.arena, &all[rng_below(&rng, n)]);
        }
        const struct sched_req ab = sched_req_and(f->w.vocab, &f->w.arena, &r[0], &r[1]);
        const struct sched_req bc = sched_req_and(f->w.vocab, &f->w.arena, &r[1], &r[2]);
        const struct sched_req left = sched_req_and(f->w.vocab, &f->w.arena, &ab, &r[2]);
        const struct sched_req right = sched_req_and(f->w.vocab, &f->w.arena, &r[0], &bc);
        for (uint32_t v = 0; v < N_VALUES; v++) {
            if (sched_req_has(f->w.vocab, &left, f->values[v]) !=
                sched_req_has(f->w.vocab, &right, f->values[v])) {
                fail_msg("seed %llu, round %d, value %s", (unsigned long long)seed, round,
                         universe[v]);
            }
        }
        arena_rewind(&f->w.arena, mark);
    }
}

static struct sched_req make(struct fixture *f, enum k8s_operator op, const char *a, const char *b)
{
    strid *values = ARENA_ARRAY(&f->w.arena, strid, 2);
    uint32_t n = 0;
    if (a != NULL) {
        values[n++] = world_id(&f->w, a);
    }
    if (b != NULL) {
        values[n++] = world_id(&f->w, b);
    }
    const struct k8s_requirement requirement = {
        .key = f->key, .op = op, .values = {.n = n, .v = values}};
    return sched_req_of(f->w.vocab, &f->w.arena, &requirement);
}

static void test_operators(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *name;
        struct sched_req a, b;
        enum k8s_operator expected;
    } rows[] = {
        {"In and In without a common value", make(f, K8S_IN, "a", NULL), make(f, K8S_IN, "b", NULL),
         K8S_DOES_NOT_EXIST},
        {"In and In", make(f, K8S_IN, "a", "b"), make(f, K8S_IN, "b", NULL), K8S_IN},
        {"In and NotIn of it", make(f, K8S_IN, "a", NULL), make(f, K8S_NOT_IN, "a", NULL),
         K8S_DOES_NOT_EXIST},
        {"NotIn and NotIn", make(f, K8S_NOT_IN, "a", NULL), make(f, K8S_NOT_IN, "b", NULL),
         K8S_NOT_IN},
        {"Exists and Exists", make(f, K8S_EXISTS, NULL, NULL), make(f, K8S_EXISTS, NULL, NULL),
         K8S_EXISTS},
        {"Exists and DoesNotExist", make(f, K8S_EXISTS, NULL, NULL),
         make(f, K8S_DOES_NOT_EXIST, NULL, NULL), K8S_DOES_NOT_EXIST},
        {"Gt and Lt that leave something", make(f, K8S_GT, "1", NULL), make(f, K8S_LT, "3", NULL),
         K8S_EXISTS},
        {"Gt and Lt that leave nothing", make(f, K8S_GT, "2", NULL), make(f, K8S_LT, "3", NULL),
         K8S_DOES_NOT_EXIST},
        {"Gte and Lte of one value", make(f, K8S_GTE, "2", NULL), make(f, K8S_LTE, "2", NULL),
         K8S_EXISTS},
        {"Gt of the largest integer", make(f, K8S_GT, "9223372036854775807", NULL),
         make(f, K8S_EXISTS, NULL, NULL), K8S_DOES_NOT_EXIST},
        {"Lt of the smallest integer", make(f, K8S_LT, "-9223372036854775808", NULL),
         make(f, K8S_EXISTS, NULL, NULL), K8S_DOES_NOT_EXIST},
        {"a bound that is no integer", make(f, K8S_GT, "many", NULL),
         make(f, K8S_EXISTS, NULL, NULL), K8S_DOES_NOT_EXIST},
        {"bounds drop words", make(f, K8S_IN, "a", "3"), make(f, K8S_GT, "1", NULL), K8S_IN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct sched_req both =
            sched_req_and(f->w.vocab, &f->w.arena, &rows[i].a, &rows[i].b);
        if (sched_req_operator(&both) != rows[i].expected) {
            fail_msg("%s: operator %d, expected %d", rows[i].name, (int)sched_req_operator(&both),
                     (int)rows[i].expected);
        }
    }
}

static struct sched_reqs one(struct fixture *f, const char *key, enum k8s_operator op,
                             const char *value)
{
    const strid id = value == NULL ? STRID_EMPTY : world_id(&f->w, value);
    const struct k8s_requirement requirement = {
        .key = world_id(&f->w, key), .op = op, .values = {.n = value == NULL ? 0 : 1, .v = &id}};
    return sched_reqs_of(f->w.vocab, &f->w.arena, 1, &requirement);
}

static void test_compatible(void **state)
{
    struct fixture *f = *state;
    static const char *const custom = "example.com/ring";
    static const char *const zone = "topology.kubernetes.io/zone";
    const struct {
        const char *name;
        const char *node_key;
        enum k8s_operator node_op;
        const char *node_value;
        const char *pod_key;
        enum k8s_operator pod_op;
        const char *pod_value;
        bool well_known, expected;
        enum sched_clash clash;
    } rows[] = {
        {"custom label undefined, In", zone, K8S_EXISTS, NULL, custom, K8S_IN, "x", true, false,
         SCHED_CLASH_UNDEFINED},
        {"custom label undefined, Exists", zone, K8S_EXISTS, NULL, custom, K8S_EXISTS, NULL, true,
         false, SCHED_CLASH_UNDEFINED},
        {"custom label undefined, NotIn", zone, K8S_EXISTS, NULL, custom, K8S_NOT_IN, "x", true,
         true, SCHED_CLASH_NONE},
        {"custom label undefined, DoesNotExist", zone, K8S_EXISTS, NULL, custom, K8S_DOES_NOT_EXIST,
         NULL, true, true, SCHED_CLASH_NONE},
        {"well-known label undefined, allowed", custom, K8S_EXISTS, NULL, zone, K8S_IN, "a", true,
         true, SCHED_CLASH_NONE},
        {"well-known label undefined, not allowed", custom, K8S_EXISTS, NULL, zone, K8S_IN, "a",
         false, false, SCHED_CLASH_UNDEFINED},
        {"custom label defined, other value", custom, K8S_IN, "x", custom, K8S_IN, "y", true, false,
         SCHED_CLASH_VALUES},
        {"custom label defined, same value", custom, K8S_IN, "x", custom, K8S_IN, "x", true, true,
         SCHED_CLASH_NONE},
        {"defined by Exists", custom, K8S_EXISTS, NULL, custom, K8S_IN, "x", true, true,
         SCHED_CLASH_NONE},
        {"node DoesNotExist, pod In", custom, K8S_DOES_NOT_EXIST, NULL, custom, K8S_IN, "x", true,
         false, SCHED_CLASH_VALUES},
        {"node DoesNotExist, pod NotIn", custom, K8S_DOES_NOT_EXIST, NULL, custom, K8S_NOT_IN, "x",
         true, true, SCHED_CLASH_NONE},
        {"node In, pod DoesNotExist", custom, K8S_IN, "x", custom, K8S_DOES_NOT_EXIST, NULL, true,
         false, SCHED_CLASH_VALUES},
        {"node In, pod NotIn of it", custom, K8S_IN, "x", custom, K8S_NOT_IN, "x", true, false,
         SCHED_CLASH_VALUES},
        {"beta zone means zone", zone, K8S_IN, "a", "failure-domain.beta.kubernetes.io/zone",
         K8S_IN, "b", true, false, SCHED_CLASH_VALUES},
        {"EBS zone means zone", zone, K8S_IN, "a", "topology.ebs.csi.aws.com/zone", K8S_IN, "a",
         true, true, SCHED_CLASH_NONE},
        {"defined on the node only", custom, K8S_IN, "x", zone, K8S_EXISTS, NULL, true, true,
         SCHED_CLASH_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sched_conflict conflict = {0};
        const struct sched_reqs node =
            one(f, rows[i].node_key, rows[i].node_op, rows[i].node_value);
        const struct sched_reqs pod = one(f, rows[i].pod_key, rows[i].pod_op, rows[i].pod_value);
        const bool got =
            sched_reqs_compatible(f->w.vocab, node, pod, rows[i].well_known, &conflict);
        if (got != rows[i].expected || conflict.clash != rows[i].clash) {
            fail_msg("%s: %d (clash %d), expected %d (clash %d)", rows[i].name, got,
                     (int)conflict.clash, rows[i].expected, (int)rows[i].clash);
        }
    }
}

static void test_text(void **state)
{
    struct fixture *f = *state;
    strid values[7];
    for (int i = 0; i < 7; i++) {
        const char text[2] = {(char)('g' - i), '\0'};
        values[i] = world_id(&f->w, text);
    }
    const struct {
        struct k8s_requirement requirement;
        const char *expected;
    } rows[] = {
        {{.key = f->key, .op = K8S_IN, .values = {.n = 2, .v = values}},
         "example.com/size In [f g]"},
        {{.key = f->key, .op = K8S_NOT_IN, .values = {.n = 7, .v = values}},
         "example.com/size NotIn [a b c d e and 2 others]"},
        {{.key = f->key, .op = K8S_EXISTS}, "example.com/size Exists"},
        {{.key = f->key, .op = K8S_GT, .values = {.n = 1, .v = &f->values[2]}},
         "example.com/size >= 4"},
        {{.key = f->key, .op = K8S_LTE, .values = {.n = 1, .v = &f->values[2]}},
         "example.com/size <= 3"},
        {{.key = f->key, .op = K8S_DOES_NOT_EXIST}, "example.com/size DoesNotExist"},
        {{.key = f->key, .op = K8S_EXISTS, .min_values = {.has = true, .v = 3}},
         "example.com/size Exists minValues 3"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct strbuf out = strbuf_new(&f->w.arena, 1024);
        const struct sched_req req = sched_req_of(f->w.vocab, &f->w.arena, &rows[i].requirement);
        sched_req_text(f->w.vocab, &req, &out);
        strbuf_addc(&out, '\0');
        assert_string_equal(strbuf_str(&out).p, rows[i].expected);
    }
}

static void test_typo(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *key, *expected;
    } rows[] = {
        {"zone", "topology.kubernetes.io/zone"},
        {"topology.kubernetesio/zone", "topology.kubernetes.io/zone"},
        {"node.io/zone", "topology.kubernetes.io/zone"},
        {"kubernetes.io/arc", "kubernetes.io/arch"},
        {"karpenter.sh/capacity-typ", "karpenter.sh/capacity-type"},
        {"example.com/nothing-like-it", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const strid hint =
            sched_key_typo(f->w.vocab, world_id(&f->w, rows[i].key), (struct k8s_strids){0});
        const struct str text = strtab_str(f->w.cluster->tab, hint);
        if (!str_eq(text, str_of(rows[i].expected))) {
            fail_msg("%s: hint \"" STR_FMT "\", expected \"%s\"", rows[i].key, STR_ARG(text),
                     rows[i].expected);
        }
    }
    const strid custom = world_id(&f->w, "example.com/tier");
    const strid hint = sched_key_typo(f->w.vocab, world_id(&f->w, "example.com/teir"),
                                      (struct k8s_strids){.n = 1, .v = &custom});
    assert_int_equal(hint, custom);
}

static void test_check(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *name, *key;
        enum k8s_operator op;
        const char *value;
        bool ok;
    } rows[] = {
        {"own label", "example.com/ring", K8S_IN, "x", true},
        {"host name", "kubernetes.io/hostname", K8S_IN, "n1", true},
        {"Karpenter's domain", "karpenter.sh/initialized", K8S_EXISTS, NULL, false},
        {"below Karpenter's domain", "foo.karpenter.sh/bar", K8S_EXISTS, NULL, false},
        {"only ends like it", "mykarpenter.sh/bar", K8S_EXISTS, NULL, true},
        {"well known in Karpenter's domain", "karpenter.sh/capacity-type", K8S_IN, "spot", true},
        {"AWS domain, known", "karpenter.k8s.aws/instance-cpu", K8S_GT, "4", true},
        {"AWS domain, unknown", "karpenter.k8s.aws/nonsense", K8S_EXISTS, NULL, false},
        {"kubernetes.io is free", "node-role.kubernetes.io/worker", K8S_EXISTS, NULL, true},
        {"In without value", "example.com/ring", K8S_IN, NULL, false},
        {"NotIn without value", "example.com/ring", K8S_NOT_IN, NULL, true},
        {"bad key", "a b", K8S_EXISTS, NULL, false},
        {"bad value", "example.com/ring", K8S_IN, "-x-", false},
        {"Gt of a word", "example.com/ring", K8S_GT, "x", false},
        {"Gt of a negative number", "example.com/ring", K8S_GT, "-1", false},
        {"Lt without value", "example.com/ring", K8S_LT, NULL, false},
        {"Gte", "example.com/ring", K8S_GTE, "0", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        const strid value = rows[i].value == NULL ? STRID_EMPTY : world_id(&f->w, rows[i].value);
        const struct k8s_requirement requirement = {
            .key = world_id(&f->w, rows[i].key),
            .op = rows[i].op,
            .values = {.n = rows[i].value == NULL ? 0 : 1, .v = &value}};
        const bool ok = sched_requirement_check(f->w.vocab, &requirement, &err);
        if (ok != rows[i].ok || (!ok && err.code != ERR_INVALID)) {
            fail_msg("%s: %d, expected %d (%s)", rows[i].name, ok, rows[i].ok, err.text);
        }
    }
}

/* kube-scheduler's matching: labels are facts, old and new spellings mean the same. */
static void test_match(void **state)
{
    struct fixture *f = *state;
    struct k8s_pair pair = {.key = world_id(&f->w, "topology.kubernetes.io/zone"),
                            .value = world_id(&f->w, "a")};
    const struct k8s_pairs labels = {.n = 1, .v = &pair};
    static const struct {
        const char *name, *key;
        enum k8s_operator op;
        const char *value;
        bool expected;
    } rows[] = {
        {"In", "topology.kubernetes.io/zone", K8S_IN, "a", true},
        {"In, other value", "topology.kubernetes.io/zone", K8S_IN, "b", false},
        {"beta name", "failure-domain.beta.kubernetes.io/zone", K8S_IN, "a", true},
        {"EBS name", "topology.ebs.csi.aws.com/zone", K8S_IN, "a", true},
        {"NotIn of an absent label", "example.com/x", K8S_NOT_IN, "a", true},
        {"DoesNotExist of an absent label", "example.com/x", K8S_DOES_NOT_EXIST, NULL, true},
        {"DoesNotExist of a label", "topology.kubernetes.io/zone", K8S_DOES_NOT_EXIST, NULL, false},
        {"Exists of an absent label", "example.com/x", K8S_EXISTS, NULL, false},
        {"Gt of a word", "topology.kubernetes.io/zone", K8S_GT, "1", false},
        {"Lt of an absent label", "example.com/x", K8S_LT, "1", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const strid value = rows[i].value == NULL ? STRID_EMPTY : world_id(&f->w, rows[i].value);
        const struct k8s_requirement requirement = {
            .key = world_id(&f->w, rows[i].key),
            .op = rows[i].op,
            .values = {.n = rows[i].value == NULL ? 0 : 1, .v = &value}};
        if (sched_match_requirement(f->w.vocab, &requirement, &labels) != rows[i].expected) {
            fail_msg("%s: expected %d", rows[i].name, rows[i].expected);
        }
    }
    const struct k8s_node_term empty = {0};
    assert_false(sched_match_term(f->w.vocab, &empty, &labels, STR("n1")));
    const strid n1 = world_id(&f->w, "n1");
    const struct k8s_requirement name = {
        .key = world_id(&f->w, "metadata.name"), .op = K8S_IN, .values = {.n = 1, .v = &n1}};
    const struct k8s_node_term by_name = {.n_fields = 1, .fields = &name};
    assert_true(sched_match_term(f->w.vocab, &by_name, &labels, STR("n1")));
    assert_false(sched_match_term(f->w.vocab, &by_name, &labels, STR("n2")));
    const struct k8s_selector nil = {0};
    const struct k8s_selector everything = {.present = true};
    assert_false(k8s_selector_matches(&nil, &labels));
    assert_true(k8s_selector_matches(&everything, &labels));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_single, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pairs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_associative, setup, teardown),
        cmocka_unit_test_setup_teardown(test_operators, setup, teardown),
        cmocka_unit_test_setup_teardown(test_compatible, setup, teardown),
        cmocka_unit_test_setup_teardown(test_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_typo, setup, teardown),
        cmocka_unit_test_setup_teardown(test_check, setup, teardown),
        cmocka_unit_test_setup_teardown(test_match, setup, teardown),
    };
    return cmocka_run_group_tests_name("requirements", tests, NULL, NULL);
}
