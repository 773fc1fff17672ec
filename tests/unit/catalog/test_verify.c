/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What cat_verify finds in catalogues that contradict themselves, and prices as files write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "binpack/catalog/overhead.h"
#include "binpack/catalog/price.h"
#include "binpack/catalog/verify.h"
#include "catalog_fixture.h"

static const char text[] = "{'instanceTypes':[{'name':'a','vcpu':1,'memoryMiB':4096,'offerings':["
                           "{'zone':'z1','capacityType':'spot','usdPerHour':1},{'zone':'z1','"
                           "capacityType':'on-demand','usdPerHour':2}]},"
                           "{'name':'b','vcpu':2,'memoryMiB':8192}],'zones':['z1','z2']}";

/* A copy of the catalogue whose first type and its offerings can be spoilt. */
struct spoilt {
    struct catalog catalog;
    struct cat_type types[2];
    struct cat_offering offerings[2];
};

static void spoil(const struct fixture *f, struct spoilt *to)
{
    to->catalog = *f->catalog;
    memcpy(to->types, f->catalog->types, sizeof to->types);
    memcpy(to->offerings, to->types[0].offerings, sizeof to->offerings);
    to->types[0].offerings = to->offerings;
    to->catalog.types = to->types;
}

static void expect(struct fixture *f, struct spoilt *spoilt, uint32_t n_faults, uint32_t n_remarks,
                   const char *says)
{
    struct cat_report report;
    bool said = says[0] == 0;
    cat_verify(&spoilt->catalog, f->tab, &f->words, &f->arena, &report);
    for (uint32_t i = 0; i < report.n_findings; i++) {
        said = said || strstr(report.findings[i].text.p, says) != NULL;
    }
    if (report.n_faults != n_faults || report.n_remarks != n_remarks || !said) {
        fail_msg("\"%s\": %u faults and %u remarks", says, report.n_faults, report.n_remarks);
    }
}

static void sound(void **state)
{
    struct fixture *f = *state;
    struct spoilt s;
    struct cat_report report;
    spoil(f, &s);
    expect(f, &s, 0, 1, "nothing can be bought in zone z2");
    cat_verify(f->catalog, f->tab, &f->words, &f->arena, &report);
    assert_int_equal(report.n_offerings, 2);
    assert_int_equal(report.n_available, 2);
    assert_int_equal(report.n_by_capacity_type[CAT_SPOT], 1);
    assert_int_equal(report.n_not_offered, 1);
}

static void faults(void **state)
{
    struct fixture *f = *state;
    struct spoilt s;

    spoil(f, &s);
    s.types[0].name = s.types[1].name;
    expect(f, &s, 2, 1, "listed twice");

    spoil(f, &s);
    s.types[0].allocatable = f->catalog->types[1].allocatable;
    expect(f, &s, 2, 1, "is not within capacity"); /* cpu and memory */

    spoil(f, &s);
    s.types[1].allocatable = f->catalog->types[0].allocatable;
    expect(f, &s, 2, 1, "capacity less overhead");

    spoil(f, &s);
    s.types[0].arch = f->words.arm64;
    expect(f, &s, 1, 1, "kubernetes.io/arch");

    spoil(f, &s);
    s.offerings[0] = s.offerings[1];
    expect(f, &s, 1, 1, "out of order");

    spoil(f, &s);
    s.offerings[1].zone_i = 7;
    expect(f, &s, 1, 1, "zone 7 of 2");

    spoil(f, &s);
    s.offerings[0].price.v = -1;
    expect(f, &s, 1, 1, "negative price");
}

static void remarks(void **state)
{
    struct fixture *f = *state;
    struct spoilt s;

    spoil(f, &s);
    s.offerings[0].price.v = s.offerings[1].price.v + 1;
    expect(f, &s, 0, 2, "spot costs more");

    spoil(f, &s);
    s.types[1].allocatable = f->catalog->types[0].allocatable;
    s.types[1].allocatable_given = true;
    expect(f, &s, 0, 3, "as stated");

    spoil(f, &s);
    s.catalog.n_types = 0;
    expect(f, &s, 0, 3, "0 instance types");
}

static void prices(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t nano; /* -1: refused */
    } rows[] = {
        {"0.096", 96000000},
        {"0", 0},
        {"1", 1000000000},
        {" 0.5 ", 500000000},
        {"0.0000000014", 1},
        {"0.0000000015", 2},
        {"1000000", INT64_C(1000000000000000)},
        {"1000000.1", -1},
        {"-1", -1},
        {"-0", -1},
        {"", -1},
        {"NaN", -1},
        {"inf", -1},
        {"0x10", -1},
        {"1,5", -1},
        {"99999999999999999999", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        usd_t price = 0;
        struct err err;
        bool ok = cat_price_parse(str_of(rows[i].text), &price, &err);
        if (ok != (rows[i].nano >= 0) || (ok && price != rows[i].nano)) {
            fail_msg("\"%s\": %s %lld", rows[i].text, ok ? "taken for" : "refused",
                     (long long)price);
        }
    }
}

static void formulas(void **state)
{
    (void)state;
    static const struct {
        int64_t vcpu, reserved;
    } cpu[] = {{0, 0}, {1, 60}, {2, 70}, {4, 80}, {8, 90}, {96, 310}, {192, 550}};
    for (size_t i = 0; i < sizeof cpu / sizeof *cpu; i++) {
        assert_int_equal(cat_kube_reserved_cpu(cpu[i].vcpu), cpu[i].reserved);
    }
    assert_int_equal(cat_kube_reserved_memory(29), 574 * CAT_MIB);
    assert_int_equal(cat_eni_pods(3, 10, 0), 29);
    assert_int_equal(cat_eni_pods(3, 10, 3), 0);
    assert_int_equal(cat_eni_pods(3, 0, 0), 0);
    assert_int_equal(cat_memory_capacity(8192 * CAT_MIB, 0, 75000), 7577 * CAT_MIB);
    assert_int_equal(cat_memory_capacity(16384 * CAT_MIB, 1, 75000), 15096 * CAT_MIB);
    assert_int_equal(cat_memory_capacity(32 * CAT_MIB, 1, 75000), 0);
    assert_int_equal(cat_memory_capacity(8192 * CAT_MIB, 0, 1000000), 0);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture_init(&fixture);
    *state = &fixture;
    return fixture_load_one(&fixture, text) ? 0 : -1;
}

static int tear_down(void **state)
{
    fixture_done(*state);
    return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(sound), TEST(faults), TEST(remarks),
                                       cmocka_unit_test(prices), cmocka_unit_test(formulas)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
