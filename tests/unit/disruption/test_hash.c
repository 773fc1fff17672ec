/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hashes of NodePool templates, against those of a second implementation of the algorithm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "binpack/disruption/hash.h"

#define HOUR_MS (INT64_C(3600) * 1000)

struct fixture {
    struct arena arena;
    struct strtab *tab;
};

static strid word(struct fixture *f, const char *text)
{
    return strtab_add(f->tab, str_of(text));
}

static struct karp_nodepool plain(struct fixture *f)
{
    return (struct karp_nodepool){.class_ref = {.group = word(f, "karpenter.k8s.aws"),
                                                .kind = word(f, "EC2NodeClass"),
                                                .name = STR("default")},
                                  .expire_after = {.has = true, .ms = 720 * HOUR_MS}};
}

static void expect(struct fixture *f, const char *name, const struct karp_nodepool *pool,
                   uint64_t expected)
{
    uint64_t got = hash_nodepool(pool, f->tab);
    if (got != expected) {
        fail_msg("%s: expected %llu, got %llu", name, (unsigned long long)expected,
                 (unsigned long long)got);
    }
}

static void test_hashes(void **state)
{
    (void)state;
    struct fixture f = {.arena = ARENA_INIT};
    f.tab = strtab_new(&f.arena);
    struct karp_nodepool pool = plain(&f);
    expect(&f, "plain", &pool, UINT64_C(6821555240594823858));
    pool.expire_after = (struct karp_duration){.has = true, .never = true};
    expect(&f, "never expires", &pool, UINT64_C(17369979337536258260));

    struct k8s_pair labels[] = {{word(&f, "a"), word(&f, "b")}, {word(&f, "team"), word(&f, "x")}};
    struct k8s_pair notes[] = {{word(&f, "note"), word(&f, "y")}};
    struct k8s_taint taints[] = {
        {word(&f, "k"), word(&f, "v"), K8S_NO_SCHEDULE},
        {word(&f, "k2"), STRID_EMPTY, K8S_NO_EXECUTE},
    };
    struct k8s_taint startup[] = {{word(&f, "s"), STRID_EMPTY, K8S_NO_SCHEDULE}};
    pool = plain(&f);
    pool.template_labels = (struct k8s_pairs){.n = 2, .v = labels};
    pool.template_annotations = (struct k8s_pairs){.n = 1, .v = notes};
    pool.taints = taints;
    pool.n_taints = 2;
    pool.startup_taints = startup;
    pool.n_startup_taints = 1;
    pool.termination_grace = (struct karp_duration){.has = true, .ms = HOUR_MS};
    pool.expire_after.ms = 48 * HOUR_MS;
    expect(&f, "everything", &pool, UINT64_C(6450158163538148442));

    /* Order does not matter, requirements do not count. */
    struct k8s_taint turned[] = {taints[1], taints[0]};
    pool.taints = turned;
    pool.n_requirements = 1;
    expect(&f, "turned around", &pool, UINT64_C(6450158163538148442));
    arena_done(&f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hashes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
