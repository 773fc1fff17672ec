/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Catalogues made of replies of the AWS CLI and of KWOK instance types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "binpack/catalog/from_ec2.h"
#include "catalog_fixture.h"

#define MIB INT64_C(1048576)

#define EC2_TYPE(name, members)                                                                    \
    "{'InstanceType':'" name "','SupportedUsageClasses':['on-demand','spot'],"                     \
    "'SupportedVirtualizationTypes':['hvm'],'BareMetal':false,'Hypervisor':'nitro',"               \
    "'ProcessorInfo':{'SupportedArchitectures':['x86_64'],'SustainedClockSpeedInGhz':3.1,'"        \
    "Manufacturer':'Intel'},"                                                                      \
    "'VCpuInfo':{'DefaultVCpus':8},'MemoryInfo':{'SizeInMiB':32768},"                              \
    "'EbsInfo':{'EbsOptimizedSupport':'default','EbsOptimizedInfo':{'MaximumBandwidthInMbps':"     \
    "10000},"                                                                                      \
    "'MaximumEbsAttachments':27,'AttachmentLimitType':'shared'},"                                  \
    "'NetworkInfo':{'MaximumNetworkInterfaces':8,'DefaultNetworkCardIndex':0,'NetworkCards':["     \
    "{'NetworkCardIndex':1,'MaximumNetworkInterfaces':4},{'NetworkCardIndex':0,'"                  \
    "MaximumNetworkInterfaces':4}],"                                                               \
    "'Ipv4AddressesPerInterface':15,'EncryptionInTransitSupported':true,'EfaInfo':{'"              \
    "MaximumEfaInterfaces':2}},"                                                                   \
    "'NitroEnclavesSupport':'supported'" members "}"

static const char described[] = "{'InstanceTypes':[" EC2_TYPE(
    "zz9.2xlarge", ",'GpuInfo':{'Gpus':[{'Name':'A 100','Manufacturer':'NVIDIA','Count':2,"
                   "'MemoryInfo':{'SizeInMiB':40960}}]},"
                   "'InstanceStorageInfo':{'TotalSizeInGB':300,'NvmeSupport':'required'}") "]}";

#define AT(type, zone)                                                                             \
    "{'InstanceType':'" type "','LocationType':'availability-zone','Location':'" zone "'}"
#define SPOT(type, zone, price, time, product)                                                     \
    "{'InstanceType':'" type "','AvailabilityZone':'" zone "','SpotPrice':'" price                 \
    "','Timestamp':'" time "','ProductDescription':'" product "'}"

static const char offered[] = "{'InstanceTypeOfferings':[" AT("zz9.2xlarge", "eu-west-1b") "," AT(
    "zz9.2xlarge", "eu-west-1a") "," AT("other.large", "eu-west-1a") "]}";

static const char history[] = "{'SpotPriceHistory':[" SPOT(
    "zz9.2xlarge", "eu-west-1a", "0.030000", "2026-08-20T10:00:00+00:00",
    "Linux/UNIX") "," SPOT("zz9.2xlarge", "eu-west-1a", "0.031500", "2026-08-21T10:00:00.000Z",
                           "Linux/UNIX") "," SPOT("zz9.2xlarge", "eu-west-1a", "0.9",
                                                  "2026-08-22T10:00:00Z", "Windows") "]}";

#define PRODUCT(type, region, system, tenancy, family, usd)                                        \
    "{'product':{'productFamily':'" family "','attributes':{'instanceType':'" type                 \
    "','regionCode':'" region "','operatingSystem':'" system "','tenancy':'" tenancy               \
    "','preInstalledSw':'NA','capacitystatus':'Used','marketoption':'OnDemand'}},"                 \
    "'terms':{'OnDemand':{'A.B':{'priceDimensions':{'A.B.C':{'unit':'Hrs','pricePerUnit':{"        \
    "'USD':'" usd "'}}}}}}}"
#define PLAIN(system, tenancy, family, usd)                                                        \
    PRODUCT("zz9.2xlarge", "eu-west-1", system, tenancy, family, usd)

/* As the service itself gives it: a document within a string. */
#define AS_TEXT                                                                                    \
    "'{\\'product\\':{\\'attributes\\':{\\'instanceType\\':\\'zz9.2xlarge\\'}},\\'terms\\':{"      \
    "\\'OnDemand\\':{\\'a\\':{\\'priceDimensions\\':{\\'b\\':{\\'pricePerUnit\\':{\\'USD\\':"      \
    "\\'0.5200000000\\'}}}}}}}'"

/* On-demand prices of the price list: plain Linux only, the lowest, in the region of the zones. */
static void price_list(void **state)
{
    struct fixture *f = *state;
    static const char products[] = "{'PriceList':[" PLAIN("Windows", "Shared", "Compute Instance", "0.1") "," PLAIN(
        "Linux", "Dedicated", "Compute Instance",
        "0.2") "," PLAIN("Linux", "Shared", "Compute Instance",
                         "0.0000000000") "," PLAIN("Linux", "Shared", "Compute Instance",
                                                   "0.5210000000") "," PLAIN("Linux", "Shared",
                                                                             "Compute Instance",
                                                                             "0.6") "," PRODUCT("ot"
                                                                                                "he"
                                                                                                "r."
                                                                                                "la"
                                                                                                "rg"
                                                                                                "e",
                                                                                                "eu"
                                                                                                "-w"
                                                                                                "es"
                                                                                                "t-"
                                                                                                "1",
                                                                                                "Li"
                                                                                                "nu"
                                                                                                "x",
                                                                                                "Sh"
                                                                                                "ar"
                                                                                                "e"
                                                                                                "d",
                                                                                                "Co"
                                                                                                "mp"
                                                                                                "ut"
                                                                                                "e "
                                                                                                "In"
                                                                                                "st"
                                                                                                "an"
                                                                                                "c"
                                                                                                "e",
                                                                                                "0."
                                                                                                "7") "," AS_TEXT
                                                                                                     "]}";
    const char *const texts[] = {described, offered, history, products};
    if (!fixture_load(f, texts, 4)) {
        fail_msg("%s", f->err.text);
    }
    const struct cat_type *type = fixture_type(f, "zz9.2xlarge");
    unsigned n_on_demand = 0;
    for (uint32_t i = 0; i < type->n_offerings; i++) {
        if (type->offerings[i].capacity_type == CAT_ON_DEMAND) {
            n_on_demand++;
            assert_true(type->offerings[i].price.has);
            assert_int_equal(type->offerings[i].price.v, INT64_C(520000000));
        }
    }
    assert_int_equal(n_on_demand, 2);
}

static void bad_price_lists(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"{'PriceList':['{not JSON']}", "PriceList[0]"},
        {"{'PriceList':[7]}", "PriceList[0]"},
        {"{'PriceList':[{'product':{}}]}", "a product without attributes"},
        {"{'PriceList':[" PLAIN("Linux", "Shared", "Compute Instance", "cheap") "]}",
         "pricePerUnit.USD"},
        {"{'PriceList':[" PRODUCT("zz9.2xlarge", "us-west-2", "Linux", "Shared", "Compute Instance",
                                  "1") "]}",
         "on-demand price of zz9.2xlarge"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const texts[] = {described, offered, rows[i].text};
        if (fixture_load(f, texts, 3) || strstr(f->err.text, rows[i].error) == NULL) {
            fail_msg("%s: %s", rows[i].text, f->err.text);
        }
    }
}

static void three_replies(void **state)
{
    struct fixture *f = *state;
    const char *const texts[] = {described, offered, history};
    if (!fixture_load(f, texts, 3)) {
        fail_msg("%s", f->err.text);
    }
    const struct cat_type *type = fixture_type(f, "zz9.2xlarge");
    assert_int_equal(f->catalog->n_types, 1); /* the types are those described */
    assert_string_equal(strtab_str(f->tab, f->catalog->region).p, "eu-west-1");
    assert_true(str_eq(f->catalog->name, STR("eu-west-1@2026-08-21")));
    assert_int_equal(type->n_offerings, 4);
    assert_int_equal(fixture_offering(f, type, "eu-west-1a", CAT_SPOT)->price.v, 31500000);
    assert_false(fixture_offering(f, type, "eu-west-1b", CAT_SPOT)->price.has);
    assert_false(fixture_offering(f, type, "eu-west-1a", CAT_ON_DEMAND)->price.has);
    assert_int_equal(fixture_amount(f, &type->allocatable, "nvidia.com/gpu"), 2);
    assert_int_equal(fixture_amount(f, &type->allocatable, "vpc.amazonaws.com/efa"), 2);
    assert_int_equal(fixture_amount(f, &type->allocatable, "pods"),
                     58); /* 4 interfaces: the default card's */
    assert_int_equal(type->attach_limits[0].count, 27);
    assert_true(type->attach_shared_with_enis);
    assert_string_equal(fixture_label(f, type, "karpenter.k8s.aws/instance-gpu-name"), "a-100");
    assert_string_equal(fixture_label(f, type, "karpenter.k8s.aws/instance-local-nvme"), "300");
    assert_string_equal(fixture_label(f, type, "karpenter.k8s.aws/instance-hypervisor"), "nitro");
    assert_string_equal(fixture_label(f, type, "karpenter.k8s.aws/instance-ebs-bandwidth"),
                        "10000");
    assert_true(fixture_has_note(f, "2 on-demand offerings have no price"));
    assert_true(fixture_has_note(f, "1 spot offerings have no price"));
    assert_true(fixture_has_note(f, "1 spot prices of other products"));
}

/* A type that the embedded catalogue knows gets the same figures from EC2's own words. */
static void as_the_builtin(void **state)
{
    struct fixture *f = *state;
    const char *const texts[] = {"{'InstanceTypeOfferings':[" AT("m5.large", "us-east-1a") "]}"};
    const struct catalog *builtin = cat_builtin(&f->arena, f->tab);
    assert_true(fixture_load(f, texts, 1));
    const struct cat_type *type = fixture_type(f, "m5.large");
    const struct cat_type *known = cat_find(builtin, f->tab, type->name);
    assert_int_equal(type->labels.n, known->labels.n);
    assert_memory_equal(type->labels.v, known->labels.v, known->labels.n * sizeof *known->labels.v);
    assert_int_equal(fixture_offering(f, type, "us-east-1a", CAT_ON_DEMAND)->price.v, 96000000);
    assert_true(fixture_has_note(f, "1 on-demand prices are those of the embedded catalogue"));
}

static void spot_history_alone(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_load_one(
        f, "{'SpotPriceHistory':[" SPOT("m5.large", "eu-west-1a", "0.04", "2026-08-20T10:00:00Z",
                                        "Linux/UNIX") "," SPOT("nobody.large", "eu-west-1a", "0.04",
                                                               "2026-08-20T10:00:00Z",
                                                               "Linux/UNIX") "]}"));
    assert_int_equal(f->catalog->n_types, 1);
    assert_int_equal(f->catalog->types[0].n_offerings, 2);
    assert_true(fixture_has_note(f, "1 instance types left out"));
}

static void types_alone(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_load_one(f, "{'InstanceTypes':[" EC2_TYPE("m5.2xlarge", "") "]}"));
    assert_string_equal(strtab_str(f->tab, f->catalog->region).p, "us-east-1");
    assert_true(f->catalog->types[0].n_offerings > 0);
    assert_true(fixture_has_note(f, "no document says where the types are offered"));
    /* The bare list that --query leaves. */
    assert_true(fixture_load_one(f, "[" EC2_TYPE("m5.2xlarge", "") "]"));
    /* Nothing is known of an unknown type. */
    assert_true(fixture_load_one(f, described));
    assert_int_equal(f->catalog->types[0].n_offerings, 0);
}

/* Prices of a Catalog file go before what the replies imply. */
static void catalog_over_replies(void **state)
{
    struct fixture *f = *state;
    const char *const texts[] = {
        described, history,
        "{'region':'eu-west-1','zones':[{'name':'eu-west-1a','id':'euw1-az3'}],'instanceTypes':[{'"
        "name':'zz9.2xlarge',"
        "'offerings':[{'zone':'eu-west-1a','capacityType':'on-demand','usdPerHour':0.5}]}]}",
        "{'InstanceTypeOfferings':[{'InstanceType':'zz9.2xlarge','LocationType':'availability-zone-"
        "id',"
        "'Location':'euw1-az3'}]}"};
    if (!fixture_load(f, texts, 4)) {
        fail_msg("%s", f->err.text);
    }
    const struct cat_type *type = fixture_type(f, "zz9.2xlarge");
    assert_int_equal(f->catalog->n_zones, 1);
    assert_int_equal(type->n_offerings, 2);
    assert_int_equal(fixture_offering(f, type, "eu-west-1a", CAT_ON_DEMAND)->price.v, 500000000);
}

/* describe-availability-zones says which zone an id is of, in any order of files. */
static void zones_by_id(void **state)
{
    struct fixture *f = *state;
    const char *const texts[] = {
        "{'InstanceTypeOfferings':[{'InstanceType':'m5.large','LocationType':"
        "'availability-zone-id','Location':'euw1-az3'}]}",
        "[{'ZoneName':'eu-west-1a','ZoneId':'euw1-az3','RegionName':'eu-west-1'}]"};
    if (!fixture_load(f, texts, 2)) {
        fail_msg("%s", f->err.text);
    }
    const struct cat_type *type = fixture_type(f, "m5.large");
    assert_int_equal(f->catalog->n_zones, 1);
    assert_string_equal(strtab_str(f->tab, f->catalog->zones[0].id).p, "euw1-az3");
    assert_string_equal(strtab_str(f->tab, f->catalog->region).p, "eu-west-1");
    assert_false(fixture_offering(f, type, "eu-west-1a", CAT_ON_DEMAND)->price.has);
}

static void unusable_types(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_load_one(
        f, "{'InstanceTypes':[" EC2_TYPE(
               "m5.2xlarge",
               "") ","
                   "{'InstanceType':'mac1.metal','ProcessorInfo':{'SupportedArchitectures':['x86_"
                   "64_mac']},"
                   "'VCpuInfo':{'DefaultVCpus':12},'MemoryInfo':{'SizeInMiB':32768}},"
                   "{'InstanceType':'old.large','SupportedVirtualizationTypes':['paravirtual'],"
                   "'ProcessorInfo':{'SupportedArchitectures':['x86_64']},"
                   "'VCpuInfo':{'DefaultVCpus':12},'MemoryInfo':{'SizeInMiB':32768}}]}"));
    assert_int_equal(f->catalog->n_types, 1);
    assert_true(fixture_has_note(f, "2 instance types left out: neither x86_64 nor arm64"));
}

#define KWOK(name, system, offering)                                                               \
    "{'name':'" name "','architecture':'amd64','operatingSystems':" system                         \
    ",'offerings':[" offering "],"                                                                 \
    "'resources':{'cpu':'4','memory':'16Gi','pods':'64','ephemeral-storage':'20Gi'}}"
#define OLD_OFFERING                                                                               \
    "{'CapacityType':'spot','Zone':'test-zone-a','Price':0.019003238553599998,'Available':false}"
#define NEW_OFFERING                                                                               \
    "{'Price':0.5,'Available':true,'Requirements':[{'key':'karpenter.sh/"                          \
    "capacity-type','operator':'In',"                                                              \
    "'values':['on-demand']},{'key':'topology.kubernetes.io/"                                      \
    "zone','operator':'In','values':['test-zone-b']}]}"

static void kwok(void **state)
{
    struct fixture *f = *state;
    if (!fixture_load_one(
            f, "[" KWOK("s-4x-amd64-linux", "['linux']", OLD_OFFERING "," NEW_OFFERING) "]")) {
        fail_msg("%s", f->err.text);
    }
    const struct cat_type *type = &f->catalog->types[0];
    assert_int_equal(type->n_offerings, 2);
    assert_int_equal(fixture_offering(f, type, "test-zone-a", CAT_SPOT)->price.v, 19003239);
    assert_true(
        fixture_offering(f, type, "test-zone-a", CAT_SPOT)->available); /* as the provider has it */
    assert_int_equal(fixture_offering(f, type, "test-zone-b", CAT_ON_DEMAND)->price.v, 500000000);
    assert_int_equal(fixture_amount(f, &type->allocatable, "cpu"), 3900);
    assert_int_equal(fixture_amount(f, &type->allocatable, "memory"), (16384 - 10) * MIB);
    assert_int_equal(fixture_amount(f, &type->allocatable, "pods"), 64);
    assert_int_equal(type->os, CAT_LINUX);
    assert_string_equal(fixture_label(f, type, "karpenter.kwok.sh/instance-family"), "s");
    assert_string_equal(fixture_label(f, type, "karpenter.kwok.sh/instance-size"), "4");
    assert_string_equal(fixture_label(f, type, "karpenter.kwok.sh/instance-memory"), "16Gi");
}

static void kwok_one_machine_two_systems(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_load_one(f, "[" KWOK("m5.large", "['windows']", OLD_OFFERING) "," KWOK(
                                        "m5.large", "{'linux':{}}", OLD_OFFERING) "]"));
    assert_int_equal(f->catalog->n_types, 1);
    assert_int_equal(f->catalog->types[0].os, CAT_LINUX | CAT_WINDOWS);
    assert_int_equal(f->catalog->types[0].n_offerings, 1);
    assert_string_equal(fixture_label(f, &f->catalog->types[0], "karpenter.kwok.sh/instance-size"),
                        "large");
    assert_false(fixture_load_one(f, "[" KWOK("m5.large", "['linux']", OLD_OFFERING) "," KWOK(
                                         "m5.large", "['linux']", OLD_OFFERING) "]"));
}

/* Files made from AWS: the 32-bit twin is passed over, the region follows from the zones. */
static void kwok_from_aws(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_load_one(
        f, "[{'name':'t2.large','architecture':'i386','operatingSystems':['linux'],'offerings':[],"
           "'resources':{'cpu':'2','memory':'8Gi'}},"
           "{'name':'t2.large','architecture':'x86_64','operatingSystems':['linux'],'offerings':["
           "{'capacityType':'on-demand','zone':'us-east-1a','price':0.0928}],"
           "'resources':{'cpu':'2','memory':'8Gi'}}]"));
    const struct cat_type *type = fixture_type(f, "t2.large");
    assert_string_equal(strtab_str(f->tab, f->catalog->region).p, "us-east-1");
    assert_string_equal(strtab_str(f->tab, type->arch).p, "amd64");
    assert_int_equal(fixture_amount(f, &type->allocatable, "pods"), 110);
    assert_true(fixture_has_note(f, "1 KWOK instance types of other architectures"));
}

static const struct {
    const char *name, *text;
    enum err_code code;
    const char *says;
} refused[] = {
    {"no vcpu", "{'InstanceTypes':[{'InstanceType':'a.b','MemoryInfo':{'SizeInMiB':1}}]}",
     ERR_INVALID, "type a.b: InstanceTypes[0].VCpuInfo.DefaultVCpus"},
    {"vcpu 0",
     "{'InstanceTypes':[{'InstanceType':'a.b','VCpuInfo':{'DefaultVCpus':0},'MemoryInfo':{'"
     "SizeInMiB':1}}]}",
     ERR_INVALID, "DefaultVCpus"},
    {"memory",
     "{'InstanceTypes':[{'InstanceType':'a.b','VCpuInfo':{'DefaultVCpus':1},'MemoryInfo':{'"
     "SizeInMiB':-1}}]}",
     ERR_INVALID, "SizeInMiB"},
    {"no name", "{'InstanceTypes':[{'VCpuInfo':{'DefaultVCpus':1}}]}", ERR_INVALID, "InstanceType"},
    {"element is no object", "{'InstanceTypes':['m5.large']}", ERR_INVALID, "InstanceTypes[0]"},
    {"twice", "{'InstanceTypes':[" EC2_TYPE("a.b", "") "," EC2_TYPE("a.b", "") "]}", ERR_INVALID,
     "type a.b is listed twice"},
    {"location type",
     "{'InstanceTypeOfferings':[{'InstanceType':'a.b','LocationType':'outpost','Location':'x'}]}",
     ERR_UNSUPPORTED, "outpost"},
    {"two regions",
     "{'InstanceTypeOfferings':[" AT("m5.large", "eu-west-1a") "," AT("m5.large",
                                                                      "us-east-1a") "]}",
     ERR_CONFLICT, "region"},
    {"nothing known", "{'InstanceTypeOfferings':[" AT("nobody.large", "eu-west-1a") "]}",
     ERR_INVALID, "no instance types"},
    {"zone without a name", "{'AvailabilityZones':[{'ZoneId':'euw1-az1'}]}", ERR_INVALID,
     "AvailabilityZones[0].ZoneName"},
    {"zones of two regions",
     "{'AvailabilityZones':[{'ZoneName':'eu-west-1a','RegionName':'eu-west-1'},"
     "{'ZoneName':'us-east-1a','RegionName':'us-east-1'}]}",
     ERR_CONFLICT, "zone us-east-1a"},
    {"spot price",
     "{'SpotPriceHistory':[" SPOT("a.b", "eu-west-1a", "free", "2026-08-20T10:00:00Z",
                                  "Linux/UNIX") "]}",
     ERR_INVALID, "SpotPriceHistory[0].SpotPrice"},
    {"spot time",
     "{'SpotPriceHistory':[" SPOT("a.b", "eu-west-1a", "1", "yesterday", "Linux/UNIX") "]}",
     ERR_INVALID, "SpotPriceHistory[0].Timestamp"},
    {"kwok arch",
     "[{'name':'a','architecture':'mips','offerings':[],'resources':{'cpu':'1','memory':'1Gi'}}]",
     ERR_INVALID, "mips"},
    {"kwok without cpu",
     "[{'name':'a','architecture':'amd64','offerings':[],'resources':{'memory':'1Gi'}}]",
     ERR_INVALID, "type a: no vcpu"},
    {"kwok zone", "[" KWOK("a", "['linux']", "{'CapacityType':'spot','Price':1}") "]", ERR_INVALID,
     "type a"},
    {"kwok system", "[" KWOK("a", "['plan9']", OLD_OFFERING) "]", ERR_INVALID, "operatingSystems"},
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

static void regions_of_zones(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *region;
    } rows[] = {
        {"us-east-1a", "us-east-1"},
        {"us-gov-west-1b", "us-gov-west-1"},
        {"us-west-2-lax-1a", "us-west-2"},
        {"test-zone-a", ""},
        {"us-east-1", ""},
        {"zone1", ""},
        {"", ""},
        {"-1a", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str region = ec2_zone_region(str_of(rows[i].zone));
        if (!str_eq(region, str_of(rows[i].region))) {
            fail_msg("%s: %.*s", rows[i].zone, STR_ARG(region));
        }
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
        TEST(price_list),
        TEST(bad_price_lists),
        TEST(three_replies),
        TEST(as_the_builtin),
        TEST(spot_history_alone),
        TEST(zones_by_id),
        TEST(types_alone),
        TEST(catalog_over_replies),
        TEST(unusable_types),
        TEST(kwok),
        TEST(kwok_one_machine_two_systems),
        TEST(kwok_from_aws),
        TEST(refusals),
        TEST(regions_of_zones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
