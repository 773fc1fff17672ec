/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Catalogue files in the project's own format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/jsonw.h"
#include "binpack/catalog/verify.h"
#include "binpack/catalog/write.h"
#include "catalog_fixture.h"

#define GIB INT64_C(1073741824)
#define MIB INT64_C(1048576)

/* The example of the contract. */
static const char contract[] =
    "{'apiVersion':'binpack/"
    "v1','kind':'Catalog','region':'us-west-2','asOf':'2026-08-20','currency':'USD',"
    " 'instanceTypes':[{'name':'m5.large','arch':'amd64','os':['linux'],'vcpu':2,'memoryMiB':8192,'"
    "maxPods':29,"
    "  'allocatable':{'cpu':'1930m','memory':'6903Mi','pods':'29','ephemeral-storage':'17Gi'},"
    "  'gpus':[{'resource':'nvidia.com/gpu','count':1,'name':'t4','memoryMiB':16384}],"
    "  "
    "'localNvmeGB':0,'enis':3,'ipv4PerEni':10,'extendedResources':{'vpc.amazonaws.com/"
    "pod-eni':'9'},"
    "  'attachLimits':{'ebs.csi.aws.com':27},'labels':{'karpenter.k8s.aws/instance-family':'m5'},"
    "  'capacity':{},'overhead':{'kubeReserved':{},'systemReserved':{},'evictionThreshold':{}},"
    "  "
    "'offerings':[{'zone':'us-west-2a','capacityType':'on-demand','usdPerHour':0.096,'available':"
    "true},"
    "   {'zone':'us-west-2a','capacityType':'spot','usdPerHour':0.034,'available':true},"
    "   "
    "{'zone':'us-west-2b','capacityType':'reserved','usdPerHour':0,'available':true,'reservationId'"
    ":'cr-1',"
    "    'reservationCapacity':2}]}],"
    " 'zones':[{'name':'us-west-2a','id':'usw2-az1'}]}";

static void the_contract(void **state)
{
    struct fixture *f = *state;
    if (!fixture_load_one(f, contract)) {
        fail_msg("%s", f->err.text);
    }
    const struct cat_type *type = fixture_type(f, "m5.large");
    const struct cat_offering *reserved = fixture_offering(f, type, "us-west-2b", CAT_RESERVED);
    assert_true(str_eq(f->catalog->name, STR("us-west-2@2026-08-20")));
    assert_int_equal(f->catalog->n_zones, 2); /* the second one is known from an offering */
    assert_int_equal(type->n_offerings, 3);
    assert_int_equal(fixture_offering(f, type, "us-west-2a", CAT_SPOT)->price.v, 34000000);
    assert_int_equal(reserved->price.v, 0);
    assert_true(reserved->price.has);
    assert_int_equal(reserved->reservation_count, 2);
    assert_int_equal(k8s_resources_get(&type->allocatable, f->words.cpu), 1930);
    assert_int_equal(k8s_resources_get(&type->allocatable, f->words.memory), 6903 * MIB);
    assert_int_equal(fixture_amount(f, &type->capacity, "nvidia.com/gpu"), 1);
    assert_int_equal(fixture_amount(f, &type->capacity, "vpc.amazonaws.com/pod-eni"), 9);
    assert_int_equal(type->attach_limits[0].count, 27);
    assert_int_equal(type->os, CAT_LINUX);
    assert_string_equal(fixture_label(f, type, "karpenter.k8s.aws/instance-gpu-name"), "t4");
    assert_string_equal(fixture_label(f, type, "karpenter.k8s.aws/instance-gpu-manufacturer"),
                        "nvidia");
    assert_string_equal(fixture_label(f, type, "karpenter.k8s.aws/instance-category"), "m");
    assert_string_equal(fixture_label(f, type, "topology.kubernetes.io/region"), "us-west-2");
    assert_string_equal(fixture_label(f, type, "kubernetes.io/arch"), "amd64");
    assert_null(fixture_label(f, type, "karpenter.k8s.aws/instance-hypervisor"));
}

/* Raw figures only: everything follows from the formulas. */
static void computed(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_load_one(
        f, "{'name':'mine','instanceTypes':[{'name':'m6g.xlarge','arch':'arm64','vcpu':4,'"
           "memoryMiB':16384,'enis':4,"
           "'ipv4PerEni':15,'offerings':[{'zone':'z1','capacityType':'spot','price':'0.01'}]}]}"));
    const struct cat_type *type = fixture_type(f, "m6g.xlarge");
    assert_true(str_eq(f->catalog->name, STR("mine")));
    assert_int_equal(k8s_resources_get(&type->allocatable, f->words.cpu), 3920);
    assert_int_equal(k8s_resources_get(&type->allocatable, f->words.memory), 14103 * MIB);
    assert_int_equal(k8s_resources_get(&type->allocatable, f->words.pods), 58);
    assert_int_equal(k8s_resources_get(&type->allocatable, f->words.ephemeral_storage), 17 * GIB);
    assert_int_equal(type->n_attach_limits, 0);
    assert_false(type->allocatable_given);
    assert_int_equal(type->os, CAT_LINUX);
    assert_int_equal(type->offerings[0].price.v, 10000000);
    assert_true(type->offerings[0].available);
}

static void stated_parts_stand(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_load_one(
        f, "{'instanceTypes':[{'name':'x1.small','vcpu':2,'memoryMiB':4096,'maxPods':20,"
           "'capacity':{'cpu':'2','memory':'4096Mi','pods':'20','ephemeral-storage':'20Gi'},"
           "'overhead':{'kubeReserved':{},'systemReserved':{'cpu':'0.1001'},'evictionThreshold':{}}"
           "}]}"));
    const struct cat_type *type = fixture_type(f, "x1.small");
    assert_int_equal(k8s_resources_get(&type->allocatable, f->words.cpu),
                     1899); /* reserves round up */
    assert_int_equal(k8s_resources_get(&type->allocatable, f->words.memory), 4096 * MIB);
    assert_int_equal(k8s_resources_get(&type->allocatable, f->words.ephemeral_storage), 20 * GIB);
    assert_int_equal(type->n_offerings, 0);
}

/* A node class changes what the file states, by the parts it names. */
static void class_over_stated(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_load_one(
        f, "{'instanceTypes':[{'name':'a','vcpu':4,'memoryMiB':1000,'maxPods':20,'attachLimits':{'"
           "ebs.csi.aws.com':3},"
           "'capacity':{'cpu':'4','memory':'1000Mi','pods':'20','ephemeral-storage':'20Gi'},"
           "'overhead':{'kubeReserved':{'cpu':'100m','memory':'10Mi'},'systemReserved':{},'"
           "evictionThreshold':{}},"
           "'allocatable':{'cpu':'3800m','memory':'990Mi','pods':'20','ephemeral-storage':'20Gi'}}]"
           "}"));
    const struct cat_type *type = fixture_type(f, "a");
    struct k8s_pair half = {strtab_add(f->tab, STR("memory.available")),
                            strtab_add(f->tab, STR("50%"))};
    struct aws_nodeclass plain = {.ami_family = STR("Windows2022")};
    struct aws_nodeclass class = {
        .kubelet = {.max_pods = {true, 50}, .eviction_hard = {.n = 1, .v = &half}}};
    struct cat_room room;
    cat_type_room(type, &plain, &CAT_SETTINGS_DEFAULT, f->tab, &f->words, &f->arena, &room);
    assert_int_equal(k8s_resources_get(&room.allocatable, f->words.pods), 20);
    assert_int_equal(k8s_resources_get(&room.allocatable, f->words.ephemeral_storage), 20 * GIB);
    assert_int_equal(room.attach_limits[0].count, 3);
    cat_type_room(type, &class, &CAT_SETTINGS_DEFAULT, f->tab, &f->words, &f->arena, &room);
    assert_int_equal(k8s_resources_get(&room.allocatable, f->words.pods), 50);
    assert_int_equal(k8s_resources_get(&room.allocatable, f->words.memory), 490 * MIB);
    assert_int_equal(k8s_resources_get(&room.allocatable, f->words.cpu),
                     3800); /* untouched: as stated */
}

static void figures_from_allocatable(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_load_one(f, "{'instanceTypes':[{'name':'a','gpus':2,'allocatable':{'cpu':'"
                                    "3500m','memory':'8Gi','nvidia.com/gpu':2}}]}"));
    const struct cat_type *type = fixture_type(f, "a");
    assert_int_equal(type->vcpu, 4);
    assert_int_equal(type->os, CAT_LINUX); /* and amd64: what a file leaves out */
    assert_int_equal(k8s_resources_get(&type->capacity, f->words.memory), 8 * GIB);
    assert_int_equal(k8s_resources_get(&type->allocatable, f->words.pods),
                     110); /* no interface known: kubelet's own */
    assert_int_equal(fixture_amount(f, &type->allocatable, "nvidia.com/gpu"), 2);
}

static void huge_pages(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_load_one(f, "{'instanceTypes':[{'name':'a','vcpu':2,'memoryMiB':4096,"
                                    "'capacity':{'memory':'4Gi','hugepages-2Mi':'1Gi'},"
                                    "'overhead':{'kubeReserved':{},'evictionThreshold':{}}}]}"));
    const struct cat_type *type = fixture_type(f, "a");
    assert_int_equal(k8s_resources_get(&type->allocatable, f->words.memory), 3 * GIB);
    assert_int_equal(fixture_amount(f, &type->allocatable, "hugepages-2Mi"), GIB);
}

static void more_than_sold(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_load_one(f, "{'instanceTypes':[{'name':'a','vcpu':2,'memoryMiB':1024,"
                                    "'allocatable':{'cpu':'3','memory':'1Gi'}}]}"));
    assert_true(fixture_has_note(f, "type a: allocatable cpu 3000 is more than the 2000 sold"));
    assert_int_equal(f->notes.n, 1);
    assert_int_equal(k8s_resources_get(&f->catalog->types[0].capacity, f->words.cpu), 3000);
}

/* Two files: figures in one, prices in the other, which has the last word. */
static void files_complement(void **state)
{
    struct fixture *f = *state;
    const char *const texts[] = {
        "{'region':'eu-west-1','instanceTypes':[{'name':'a','vcpu':1,'memoryMiB':1024,"
        "'offerings':[{'zone':'eu-west-1a','capacityType':'spot','usdPerHour':1}]}]}",
        "{'region':'eu-west-1','asOf':'2026-08-20','instanceTypes':[{'name':'a','labels':{'team':'"
        "x'},"
        "'offerings':[{'zone':'eu-west-1a','capacityType':'spot','usdPerHour':2},"
        "{'zone':'eu-west-1b','capacityType':'on-demand','usdPerHour':3,'available':false}]}]}"};
    assert_true(fixture_load(f, texts, 2));
    const struct cat_type *type = fixture_type(f, "a");
    assert_int_equal(type->n_offerings, 2);
    assert_int_equal(fixture_offering(f, type, "eu-west-1a", CAT_SPOT)->price.v, 2000000000);
    assert_false(fixture_offering(f, type, "eu-west-1b", CAT_ON_DEMAND)->available);
    assert_string_equal(fixture_label(f, type, "team"), "x");
    assert_int_equal(f->catalog->n_types, 1);
}

/* Prices for a type that only the embedded catalogue describes. */
static void described_by_builtin(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_load_one(
        f, "{'region':'eu-west-1','instanceTypes':[{'name':'m5.large','offerings':"
           "[{'zone':'eu-west-1a','capacityType':'on-demand','usdPerHour':0.107}]}]}"));
    const struct cat_type *type = fixture_type(f, "m5.large");
    assert_int_equal(k8s_resources_get(&type->allocatable, f->words.memory), 6903 * MIB);
    assert_string_equal(fixture_label(f, type, "topology.kubernetes.io/region"), "eu-west-1");
    assert_int_equal(type->n_offerings, 1);
    assert_true(fixture_has_note(f, "1 instance types are described by the embedded catalogue"));
}

static void order_of_input_does_not_show(void **state)
{
    struct fixture *f = *state;
    assert_true(
        fixture_load_one(f, "{'instanceTypes':[{'name':'b','vcpu':1,'memoryMiB':1,'offerings':["
                            "{'zone':'z2','capacityType':'on-demand','usdPerHour':1},{'zone':'z1','"
                            "capacityType':'on-demand','usdPerHour':1},"
                            "{'zone':'z1','capacityType':'spot','usdPerHour':1}]},{'name':'a','"
                            "vcpu':1,'memoryMiB':1}]}"));
    assert_string_equal(strtab_str(f->tab, f->catalog->types[0].name).p, "a");
    assert_string_equal(strtab_str(f->tab, f->catalog->zones[0].name).p, "z1");
    assert_int_equal(f->catalog->types[1].offerings[0].capacity_type, CAT_SPOT);
    assert_int_equal(f->catalog->types[1].offerings[2].zone_i, 1);
}

/* ---------------------------------------------------------------- what is refused */

#define TYPE(members)  "{'instanceTypes':[{'name':'t1','vcpu':2,'memoryMiB':4096" members "}]}"
#define OFFER(members) TYPE(",'offerings':[{'zone':'z','capacityType':'spot'" members "}]")

static const struct {
    const char *name, *text;
    enum err_code code;
    const char *says; /* part of the message */
} refused[] = {
    {"another thing", "{'kind':'Pod'}", ERR_INVALID, "one: no catalogue"},
    {"a number", "7", ERR_INVALID, "one: no catalogue"},
    {"an empty list", "[]", ERR_INVALID, "one: no catalogue"},
    {"no types", "{'instanceTypes':[]}", ERR_INVALID, "no instance types"},
    {"types is no list", "{'instanceTypes':{}}", ERR_INVALID, "instanceTypes"},
    {"another version", "{'apiVersion':'binpack/v9','instanceTypes':[]}", ERR_UNSUPPORTED,
     "binpack/v9"},
    {"another currency", "{'currency':'CNY','instanceTypes':[]}", ERR_UNSUPPORTED, "CNY"},
    {"no name", "{'instanceTypes':[{'vcpu':2}]}", ERR_INVALID, "instanceTypes[0].name"},
    {"name with blank", "{'instanceTypes':[{'name':'a b','vcpu':2}]}", ERR_INVALID,
     "instanceTypes[0].name"},
    {"unknown without figures", "{'instanceTypes':[{'name':'t1'}]}", ERR_INVALID, "type t1"},
    {"no memory", "{'instanceTypes':[{'name':'t1','vcpu':2}]}", ERR_INVALID, "memoryMiB"},
    {"no cpu", "{'instanceTypes':[{'name':'t1','memoryMiB':2}]}", ERR_INVALID, "vcpu"},
    {"negative vcpu", "{'instanceTypes':[{'name':'t1','vcpu':-2}]}", ERR_INVALID, "vcpu"},
    {"vcpu as text", "{'instanceTypes':[{'name':'t1','vcpu':'2'}]}", ERR_INVALID, "vcpu"},
    {"vcpu beyond all", "{'instanceTypes':[{'name':'t1','vcpu':99999999999}]}", ERR_INVALID,
     "vcpu"},
    {"unknown arch", TYPE(",'arch':'mips'"), ERR_INVALID, "mips"},
    {"unknown os", TYPE(",'os':['beos']"), ERR_INVALID, "beos"},
    {"quantity", TYPE(",'allocatable':{'cpu':'two'}"), ERR_INVALID,
     "type t1: instanceTypes[0].allocatable.cpu"},
    {"negative quantity", TYPE(",'capacity':{'memory':'-1Gi'}"), ERR_INVALID, "capacity.memory"},
    {"1e300", TYPE(",'capacity':{'memory':'1e300'}"), ERR_LIMIT, "capacity.memory"},
    {"allocatable above capacity", TYPE(",'capacity':{'cpu':'1'},'allocatable':{'cpu':'2'}"),
     ERR_INVALID, "type t1"},
    {"label value", TYPE(",'labels':{'a':7}"), ERR_INVALID, "labels"},
    {"label too long",
     TYPE(",'labels':{'a':'0123456789012345678901234567890123456789012345678901234567890123'}"),
     ERR_INVALID, "labels"},
    {"attach limit", TYPE(",'attachLimits':{'ebs.csi.aws.com':-1}"), ERR_INVALID, "attachLimits"},
    {"gpus as text", TYPE(",'gpus':'two'"), ERR_INVALID, "gpus"},
    {"gpu count", TYPE(",'gpus':[{'count':-1}]"), ERR_INVALID, "count"},
    {"negative price", OFFER(",'usdPerHour':-0.1"), ERR_INVALID, "usdPerHour"},
    {"price as list", OFFER(",'price':[]"), ERR_INVALID, "price"},
    {"NaN price", OFFER(",'usdPerHour':'NaN'"), ERR_INVALID, "NaN"},
    {"price beyond all", OFFER(",'usdPerHour':1e300"), ERR_INVALID, "usdPerHour"},
    {"high price", OFFER(",'usdPerHour':1000001"), ERR_LIMIT, "usdPerHour"},
    {"available", OFFER(",'available':'yes'"), ERR_INVALID, "available"},
    {"capacity type", TYPE(",'offerings':[{'zone':'z','capacityType':'free'}]"), ERR_INVALID,
     "free"},
    {"no zone", TYPE(",'offerings':[{'capacityType':'spot'}]"), ERR_INVALID, "zone"},
    {"reservation without id", TYPE(",'offerings':[{'zone':'z','capacityType':'reserved'}]"),
     ERR_INVALID, "reservationId"},
    {"reservation without count",
     TYPE(",'offerings':[{'zone':'z','capacityType':'reserved','reservationId':'cr-1'}]"),
     ERR_INVALID, "reservationCapacity"},
    {"offering twice",
     TYPE(",'offerings':[{'zone':'z','capacityType':'spot'},{'zone':'z','capacityType':'spot'}]"),
     ERR_INVALID, "zone z"},
    {"type twice",
     "{'instanceTypes':[{'name':'t1','vcpu':1,'memoryMiB':1},{'name':'t1','vcpu':1,'memoryMiB':1}]"
     "}",
     ERR_INVALID, "type t1 is listed twice"},
    {"zone without name", "{'zones':[{'id':'x'}],'instanceTypes':[]}", ERR_INVALID,
     "zones[0].name"},
};

static void refusals(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        bool ok = fixture_load_one(f, refused[i].text);
        if (ok || f->err.code != refused[i].code || strstr(f->err.text, refused[i].says) == NULL) {
            fail_msg("%s: expected %s with \"%s\", got %s: %s", refused[i].name,
                     err_code_name(refused[i].code), refused[i].says,
                     ok ? "success" : err_code_name(f->err.code), ok ? "" : f->err.text);
        }
    }
}

static void documents_contradict(void **state)
{
    struct fixture *f = *state;
    const char *const types[] = {TYPE(""), TYPE("")};
    const char *const regions[] = {"{'region':'eu-west-1','instanceTypes':[]}",
                                   "{'region':'us-east-1','instanceTypes':[]}"};
    assert_false(fixture_load(f, types, 2));
    assert_int_equal(f->err.code, ERR_CONFLICT);
    assert_non_null(strstr(f->err.text, "type t1 is described in one and in two"));
    assert_false(fixture_load(f, regions, 2));
    assert_int_equal(f->err.code, ERR_CONFLICT);
    assert_non_null(strstr(f->err.text, "two: region us-east-1"));
}

static void too_many_zones(void **state)
{
    struct fixture *f = *state;
    struct strbuf text = strbuf_new(&f->arena, 100000);
    strbuf_addf(&text, "{'instanceTypes':[{'name':'t1','vcpu':1,'memoryMiB':1,'offerings':[");
    for (int i = 0; i < 65; i++) {
        strbuf_addf(&text, "%s{'zone':'z%d','capacityType':'spot'}", i > 0 ? "," : "", i);
    }
    strbuf_addf(&text, "]}]}");
    assert_false(fixture_load_one(f, str_cstr(&f->arena, strbuf_str(&text))));
    assert_int_equal(f->err.code, ERR_LIMIT);
}

/* ---------------------------------------------------------------- writing */

/* What is written reads back as the same catalogue, and is written again as the same bytes. */
static void round_trip(void **state)
{
    struct fixture *f = *state;
    const struct catalog *catalogs[2];
    struct str written[2];
    assert_true(fixture_load_one(f, contract));
    catalogs[0] = f->catalog;
    catalogs[1] = cat_builtin(&f->arena, f->tab);
    for (size_t i = 0; i < 2; i++) {
        for (size_t pass = 0; pass < 2; pass++) {
            struct strbuf out = strbuf_new(&f->arena, 64 * 1024 * 1024);
            struct jsonw w = jsonw_new(&out, JSONW_COMPACT);
            cat_write_json(&w, pass == 0 ? catalogs[i] : f->catalog, &CAT_SETTINGS_DEFAULT, f->tab,
                           &f->words);
            assert_false(out.overflow);
            written[pass] = strbuf_str(&out);
            if (pass == 0 && !fixture_load_one(f, str_cstr(&f->arena, written[0]))) {
                fail_msg("%s", f->err.text);
            }
        }
        if (!str_eq(written[0], written[1])) {
            size_t at = 0;
            while (at < written[0].n && at < written[1].n && written[0].p[at] == written[1].p[at]) {
                at++;
            }
            at = at < 60 ? 0 : at - 60;
            fail_msg("catalogue %zu: wrote ...%.120s, then ...%.120s", i, written[0].p + at,
                     written[1].p + at);
        }
        assert_int_equal(f->catalog->n_types, catalogs[i]->n_types);
        struct cat_report report;
        cat_verify(f->catalog, f->tab, &f->words, &f->arena, &report);
        assert_int_equal(report.n_faults, 0);
    }
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture_init(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_done(*state);
    return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_contract),
        TEST(computed),
        TEST(stated_parts_stand),
        TEST(class_over_stated),
        TEST(figures_from_allocatable),
        TEST(more_than_sold),
        TEST(huge_pages),
        TEST(files_complement),
        TEST(described_by_builtin),
        TEST(order_of_input_does_not_show),
        TEST(refusals),
        TEST(documents_contradict),
        TEST(too_many_zones),
        TEST(round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
