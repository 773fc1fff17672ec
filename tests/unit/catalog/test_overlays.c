/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NodeOverlays over prices and capacity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "binpack/catalog/overlays.h"
#include "catalog_fixture.h"

#define USD     INT64_C(1000000000)
#define PERCENT INT64_C(1000000)

static const char catalog_text[] =
    "{'instanceTypes':[{'name':'a','vcpu':1,'memoryMiB':1024,'offerings':["
    "{'zone':'z1','capacityType':'spot','usdPerHour':1},{'zone':'z1','capacityType':'on-demand','"
    "usdPerHour':2},"
    "{'zone':'z2','capacityType':'on-demand'}]},"
    "{'name':'b','vcpu':2,'memoryMiB':2048,'offerings':[{'zone':'z1','capacityType':'on-demand','"
    "usdPerHour':4}]}]}";

enum { SPOT_Z1, OD_Z1, OD_Z2 }; /* offerings of type 0 */

/* What the overlays select in the tests: bit (pool * 2 + type) * 4 + offering. */
struct selection {
    uint64_t of[4];
};

static bool selects(void *context, uint32_t overlay_i, uint32_t pool_i, uint32_t type_i,
                    uint32_t offering_i)
{
    const struct selection *selection = context;
    return ((selection->of[overlay_i] >> ((pool_i * 2 + type_i) * 4 + offering_i)) & 1U) != 0;
}

#define IN(pool, type, offering) (UINT64_C(1) << (((pool)*2 + (type)) * 4 + (offering)))

static const struct cat_overlays *evaluate(struct fixture *f, const struct karp_overlay *overlays,
                                           uint32_t n, struct selection *selection)
{
    return cat_overlays_new(overlays, n, /* n_pools= */ 2, f->catalog, selects, selection,
                            &f->words, &f->arena);
}

static void adjustments(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct karp_overlay overlay;
        struct opt_usd before, after;
    } rows[] = {
        {"absolute", {.has_price = true, .price = 5}, {true, USD}, {true, 5}},
        {"absolute over unknown", {.has_price = true, .price = 5}, {false, 0}, {true, 5}},
        {"plus", {.has_adjustment = true, .adjustment = 5}, {true, 10}, {true, 15}},
        {"minus", {.has_adjustment = true, .adjustment = -5}, {true, 10}, {true, 5}},
        {"below zero", {.has_adjustment = true, .adjustment = -50}, {true, 10}, {true, 0}},
        {"of unknown", {.has_adjustment = true, .adjustment = 5}, {false, 0}, {false, 0}},
        {"percent",
         {.has_adjustment = true, .adjustment_is_percent = true, .adjustment = -10 * PERCENT},
         {true, USD},
         {true, USD / 10 * 9}},
        {"fraction of a percent",
         {.has_adjustment = true, .adjustment_is_percent = true, .adjustment = PERCENT / 2},
         {true, USD},
         {true, USD + USD / 200}},
        {"all of it",
         {.has_adjustment = true, .adjustment_is_percent = true, .adjustment = -100 * PERCENT},
         {true, USD},
         {true, 0}},
        {"huge",
         {.has_adjustment = true, .adjustment_is_percent = true, .adjustment = INT64_MAX},
         {true, INT64_MAX / 2},
         {true, INT64_MAX}},
        {"no price in it", {.weight = 1}, {true, 7}, {true, 7}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct opt_usd after = cat_overlay_adjust(&rows[i].overlay, rows[i].before);
        if (after.has != rows[i].after.has || (after.has && after.v != rows[i].after.v)) {
            fail_msg("%s: %lld", rows[i].name, (long long)after.v);
        }
    }
}

static void heaviest_first(void **state)
{
    struct fixture *f = *state;
    const struct karp_overlay overlays[] = {
        {.meta = {.name = STR("light")}, .weight = 1, .has_price = true, .price = 11},
        {.meta = {.name = STR("heavy")}, .weight = 10, .has_price = true, .price = 22},
    };
    struct selection selection = {{IN(0, 0, SPOT_Z1) | IN(0, 0, OD_Z1), IN(0, 0, SPOT_Z1)}};
    const struct cat_overlays *result = evaluate(f, overlays, 2, &selection);
    assert_int_equal(cat_overlays_price(result, 0, 0, SPOT_Z1).v, 22);
    assert_int_equal(cat_overlays_price_by(result, 0, 0, SPOT_Z1), 1);
    assert_int_equal(cat_overlays_price(result, 0, 0, OD_Z1).v, 11);
    assert_int_equal(cat_overlays_price(result, 1, 0, OD_Z1).v, 2 * USD); /* another pool */
    assert_int_equal(cat_overlays_price(result, 0, 1, 0).v, 4 * USD);     /* another type */
    assert_int_equal(cat_overlays_verdict(result, 0), CAT_OVERLAY_APPLIED);
    assert_int_equal(cat_overlays_verdict(result, 1), CAT_OVERLAY_APPLIED);
}

/* Of two of one weight that meet anywhere, the one whose name sorts first loses, with everything it
 * says. */
static void conflict(void **state)
{
    struct fixture *f = *state;
    const struct karp_overlay overlays[] = {
        {.meta = {.name = STR("a")}, .weight = 5, .has_price = true, .price = 11},
        {.meta = {.name = STR("b")}, .weight = 5, .has_price = true, .price = 22},
    };
    struct selection meet = {{IN(1, 0, OD_Z1) | IN(0, 1, 0), IN(1, 0, OD_Z1)}};
    struct selection apart = {{IN(0, 1, 0), IN(1, 0, OD_Z1)}};
    const struct cat_overlays *result = evaluate(f, overlays, 2, &meet);
    assert_int_equal(cat_overlays_verdict(result, 0), CAT_OVERLAY_CONFLICT);
    assert_int_equal(cat_overlays_verdict(result, 1), CAT_OVERLAY_APPLIED);
    assert_int_equal(cat_overlays_price(result, 1, 0, OD_Z1).v, 22);
    assert_int_equal(cat_overlays_price(result, 0, 1, 0).v, 4 * USD);
    result = evaluate(f, overlays, 2, &apart);
    assert_int_equal(cat_overlays_verdict(result, 0), CAT_OVERLAY_APPLIED);
    assert_int_equal(cat_overlays_price(result, 0, 1, 0).v, 11);
}

static void capacity(void **state)
{
    struct fixture *f = *state;
    strid fuse = strtab_add(f->tab, STR("smarter-devices/fuse")),
          huge = strtab_add(f->tab, STR("hugepages-2Mi"));
    struct k8s_quantity two[] = {{fuse, 1}, {huge, 8}}, one[] = {{fuse, 5}}, same[] = {{huge, 9}};
    const struct karp_overlay overlays[] = {
        {.meta = {.name = STR("both")}, .weight = 1, .capacity = {.n = 2, .v = two}},
        {.meta = {.name = STR("heavier")},
         .weight = 2,
         .capacity = {.n = 1, .v = one},
         .has_price = true,
         .price = 3},
        {.meta = {.name = STR("again")}, .weight = 1, .capacity = {.n = 1, .v = same}},
    };
    struct selection selection = {{IN(0, 0, SPOT_Z1), IN(0, 0, SPOT_Z1), IN(0, 0, OD_Z2)}};
    const struct cat_overlays *result = evaluate(f, overlays, 3, &selection);
    const struct k8s_resources *amounts = cat_overlays_capacity(result, 0, 0);
    assert_int_equal(amounts->n, 2);
    assert_int_equal(k8s_resources_get(amounts, fuse), 5);
    assert_int_equal(k8s_resources_get(amounts, huge), 8);
    assert_int_equal(cat_overlays_capacity(result, 1, 0)->n, 0);
    assert_int_equal(cat_overlays_verdict(result, 2),
                     CAT_OVERLAY_CONFLICT); /* the type's, whatever the offering */
}

static void invalid_and_idle(void **state)
{
    struct fixture *f = *state;
    struct k8s_quantity cpu[] = {{f->words.cpu, 1}};
    const struct karp_overlay overlays[] = {
        {.meta = {.name = STR("cpu")}, .capacity = {.n = 1, .v = cpu}},
        {.meta = {.name = STR("both")}, .has_price = true, .has_adjustment = true},
        {.meta = {.name = STR("idle")}, .has_price = true, .price = 1},
    };
    struct selection selection = {{IN(0, 0, SPOT_Z1), IN(0, 0, SPOT_Z1), 0}};
    const struct cat_overlays *result = evaluate(f, overlays, 3, &selection);
    assert_int_equal(cat_overlays_verdict(result, 0), CAT_OVERLAY_INVALID);
    assert_int_equal(cat_overlays_verdict(result, 1), CAT_OVERLAY_INVALID);
    assert_int_equal(cat_overlays_verdict(result, 2), CAT_OVERLAY_NO_MATCH);
    assert_int_equal(cat_overlays_price(result, 0, 0, SPOT_Z1).v, USD);
    result = evaluate(f, NULL, 0, &selection);
    assert_int_equal(cat_overlays_price(result, 1, 0, OD_Z1).v, 2 * USD);
    assert_false(cat_overlays_price(result, 1, 0, OD_Z2).has);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture_init(&fixture);
    *state = &fixture;
    return fixture_load_one(&fixture, catalog_text) ? 0 : -1;
}

static int tear_down(void **state)
{
    fixture_done(*state);
    return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(adjustments), TEST(heaviest_first), TEST(conflict),
                                       TEST(capacity), TEST(invalid_and_idle)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
