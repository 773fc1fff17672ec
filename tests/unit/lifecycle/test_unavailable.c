/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "provisioner/lifecycle/unavailable.h"

enum { MINUTE = 60 * 1000 };

static struct unavailable_offering offering(const char *type, const char *zone,
                                            const char *capacity, int64_t vcpu)
{
    return (struct unavailable_offering){.type = str_of(type),
                                         .zone = str_of(zone),
                                         .capacity_type = str_of(capacity),
                                         .vcpu = vcpu};
}

static void mark(struct unavailable *u, const char *type, int64_t vcpu, mono_t now)
{
    const struct unavailable_offering o = offering(type, "1a", "spot", vcpu);
    unavailable_mark(u, &o, UNAVAILABLE_CAPACITY, now);
}

static bool is(const struct unavailable *u, const char *type, const char *zone,
               const char *capacity, int64_t vcpu, mono_t now)
{
    const struct unavailable_offering o = offering(type, zone, capacity, vcpu);
    return unavailable_is(u, &o, now);
}

static void a_mark_is_of_one_offering_and_ends(void **state)
{
    struct unavailable *u = unavailable_new();
    (void)state;
    assert_int_equal(unavailable_next(u, 0), INT64_MAX);
    mark(u, "m5.large", 2, 1000);
    assert_true(is(u, "m5.large", "1a", "spot", 2, 1000));
    assert_false(is(u, "m5.large", "1b", "spot", 2, 1000));
    assert_false(is(u, "m5.large", "1a", "on-demand", 2, 1000));
    assert_false(is(u, "m5.xlarge", "1a", "spot", 4, 1000));
    assert_int_equal(unavailable_next(u, 1000), 1000 + 3 * MINUTE);
    assert_false(is(u, "m5.large", "1a", "spot", 2, 1000 + 3 * MINUTE));
    assert_int_equal(unavailable_next(u, 1000 + 3 * MINUTE), INT64_MAX);
    unavailable_free(u);
}

/* Failures while it holds are no news; each probe that fails makes it hold twice as long. */
static void it_backs_off_and_forgets(void **state)
{
    static const int64_t minutes[] = {3, 6, 12, 24, 30, 30};
    struct unavailable *u = unavailable_new();
    mono_t now = 0;
    (void)state;
    for (size_t i = 0; i < sizeof minutes / sizeof minutes[0]; i++) {
        const uint64_t version = unavailable_version(u);
        mark(u, "m5.large", 2, now);
        assert_int_equal(unavailable_next(u, now), now + minutes[i] * MINUTE);
        assert_true(unavailable_version(u) > version);
        const uint64_t again = unavailable_version(u);
        mark(u, "m5.large", 2, now + MINUTE);
        assert_int_equal(unavailable_next(u, now), now + minutes[i] * MINUTE);
        assert_int_equal(unavailable_version(u), again);
        now += minutes[i] * MINUTE;
    }
    now += 31 * MINUTE;
    mark(u, "m5.large", 2, now);
    assert_int_equal(unavailable_next(u, now), now + 3 * MINUTE);
    unavailable_free(u);
}

static void a_launch_ends_it(void **state)
{
    struct unavailable *u = unavailable_new();
    const struct unavailable_offering large = offering("m5.large", "1a", "spot", 2);
    (void)state;
    mark(u, "m5.large", 2, 0);
    mark(u, "m5.xlarge", 4, 0);
    unavailable_spread(u, STR("1a"), STR("spot"), 0);
    assert_true(is(u, "m5.2xlarge", "1a", "spot", 8, 1));
    unavailable_had(u, &large, 1);
    assert_false(is(u, "m5.large", "1a", "spot", 2, 1));
    assert_false(is(u, "m5.2xlarge", "1a", "spot", 8, 1));
    assert_true(is(u, "m5.xlarge", "1a", "spot", 4, 1)); /* of that one EC2 has said so */
    unavailable_free(u);
}

static void families_follow_from_the_smallest_size_on(void **state)
{
    struct unavailable *u = unavailable_new();
    (void)state;
    mark(u, "m5.xlarge", 4, 0);
    unavailable_spread(u, STR("1a"), STR("spot"), 0);
    assert_false(is(u, "m5.2xlarge", "1a", "spot", 8, 0)); /* one type is not yet a family */
    mark(u, "m5.4xlarge", 16, 0);
    unavailable_spread(u, STR("1a"), STR("on-demand"), 0); /* of others */
    assert_false(is(u, "m5.2xlarge", "1a", "spot", 8, 0));
    unavailable_spread(u, STR("1a"), STR("spot"), 0);
    assert_true(is(u, "m5.2xlarge", "1a", "spot", 8, 0));
    assert_false(is(u, "m5.large", "1a", "spot", 2, 0));
    assert_false(is(u, "m5.2xlarge", "1b", "spot", 8, 0));
    assert_false(is(u, "m5.2xlarge", "1a", "on-demand", 8, 0));
    assert_false(is(u, "m5d.2xlarge", "1a", "spot", 8, 0));
    unavailable_free(u);
}

/* Three families of a class: from the size on at which three of them have failed; further down when
 * sizes differ. */
static void classes_follow_from_families(void **state)
{
    struct unavailable *u = unavailable_new();
    (void)state;
    mark(u, "m5.8xlarge", 32, 0);
    mark(u, "r6i.8xlarge", 32, 0);
    unavailable_spread(u, STR("1a"), STR("spot"), 0);
    assert_false(is(u, "c7i.48xlarge", "1a", "spot", 192, 0));
    mark(u, "r7i.8xlarge", 32, 0);
    unavailable_spread(u, STR("1a"), STR("spot"), 0);
    assert_true(is(u, "c7i.8xlarge", "1a", "spot", 32, 0));
    assert_false(is(u, "c7i.4xlarge", "1a", "spot", 16, 0));
    assert_false(is(u, "g5.8xlarge", "1a", "spot", 32, 0)); /* of another class */
    assert_false(is(u, "c7i.8xlarge", "1b", "spot", 32, 0));
    mark(u, "m5.4xlarge", 16, 0);
    mark(u, "r6i.4xlarge", 16, 0);
    mark(u, "r7i.4xlarge", 16, 0);
    unavailable_spread(u, STR("1a"), STR("spot"), 0);
    assert_true(is(u, "c7i.xlarge", "1a", "spot", 4, 0));
    assert_false(is(u, "c7i.large", "1a", "spot", 2, 0));
    /* What is only expected is tried first. */
    assert_false(is(u, "c7i.8xlarge", "1a", "spot", 32, MINUTE));
    assert_true(is(u, "m5.8xlarge", "1a", "spot", 32, MINUTE));
    unavailable_free(u);
}

static void quotas_and_roles_reach_further(void **state)
{
    const struct unavailable_offering o = offering("m5.xlarge", "1a", "on-demand", 4);
    const struct unavailable_offering spot = offering("m5.xlarge", "1a", "spot", 4);
    struct unavailable *u = unavailable_new();
    (void)state;
    unavailable_mark(u, &o, UNAVAILABLE_QUOTA, 0);
    assert_true(is(u, "c7g.xlarge", "1c", "on-demand", 4, 0));
    assert_true(is(u, "r6i.24xlarge", "1a", "on-demand", 96, 0));
    assert_false(is(u, "c7g.large", "1c", "on-demand", 2, 0)); /* may still fit */
    assert_false(is(u, "c7g.xlarge", "1c", "spot", 4, 0));
    assert_false(is(u, "p5.48xlarge", "1c", "on-demand", 192, 0)); /* has a quota of its own */
    unavailable_mark(u, &spot, UNAVAILABLE_ROLE, 0);
    assert_true(is(u, "t3.nano", "1c", "spot", 2, 0));
    assert_false(is(u, "t3.nano", "1c", "on-demand", 2, 0));
    unavailable_free(u);
}

static void what_grows_has_an_end(void **state)
{
    struct unavailable *u = unavailable_new();
    char type[400];
    (void)state;
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(type, sizeof type, "m%d.large", i);
        mark(u, type, 2, i);
    }
    assert_true(is(u, "m16000.large", "1a", "spot", 2, 20000));
    assert_false(is(u, "m19999.large", "1a", "spot", 2, 20000));
    mark(u, "m19999.large", 2, 20 * MINUTE); /* the others are forgotten by then */
    assert_true(is(u, "m19999.large", "1a", "spot", 2, 20 * MINUTE));
    (void)snprintf(type, sizeof type, "%0390d", 1);
    mark(u, type, 2, 0);
    assert_false(is(u, type, "1a", "spot", 2, 0));
    mark(u, "", 0, 0);
    mark(u, "no-dot", 0, 0);
    unavailable_spread(u, STR("1a"), STR("spot"), 0);
    unavailable_free(u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_is_of_one_offering_and_ends),
        cmocka_unit_test(it_backs_off_and_forgets),
        cmocka_unit_test(a_launch_ends_it),
        cmocka_unit_test(families_follow_from_the_smallest_size_on),
        cmocka_unit_test(classes_follow_from_families),
        cmocka_unit_test(quotas_and_roles_reach_further),
        cmocka_unit_test(what_grows_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
