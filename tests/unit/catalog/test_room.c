/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The embedded catalogue, and what a node of it offers under node classes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "binpack/catalog/builtin.h"
#include "binpack/catalog/catalog.h"
#include "binpack/catalog/overhead.h"
#include "binpack/catalog/verify.h"

#define MIB CAT_MIB
#define GIB CAT_GIB

static struct arena arena;
static struct strtab *tab;
static struct k8s_words words;
static const struct catalog *catalog;

static int set_up(void **state)
{
    (void)state;
    arena = ARENA_INIT;
    tab = strtab_new(&arena);
    k8s_words_init(&words, tab);
    catalog = cat_builtin(&arena, tab);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static const struct cat_type *type_of(const char *name)
{
    const struct cat_type *type = cat_find(catalog, tab, strtab_find(tab, str_of(name)));
    if (type == NULL) {
        fail_msg("%s is not in the catalogue", name);
    }
    return type;
}

static strid resource(const char *name)
{
    return strtab_add(tab, str_of(name));
}

static void expect(const char *row, const char *what, int64_t have, int64_t want)
{
    if (have != want) {
        fail_msg("%s: %s is %lld, expected %lld", row, what, (long long)have, (long long)want);
    }
}

static void builtin_is_consistent(void **state)
{
    (void)state;
    struct cat_report report;
    cat_verify(catalog, tab, &words, &arena, &report);
    for (uint32_t i = 0; i < report.n_findings; i++) {
        if (report.findings[i].severity == CAT_FAULT) {
            print_message("%s: %.*s\n", strtab_str(tab, report.findings[i].type).p,
                          STR_ARG(report.findings[i].text));
        }
    }
    assert_int_equal(report.n_faults, 0);
    assert_int_equal(report.n_types, 1386);
    assert_int_equal(report.n_zones, 6);
    assert_true(report.n_by_capacity_type[CAT_ON_DEMAND] > 6000);
    assert_true(report.n_by_capacity_type[CAT_SPOT] > 6000);
    assert_int_equal(report.n_by_capacity_type[CAT_RESERVED], 0);
    assert_true(catalog->builtin);
    assert_string_equal(strtab_str(tab, catalog->region).p, "us-east-1");
    assert_string_equal(strtab_str(tab, catalog->zones[0].id).p, "use1-az1");
}

static void builtin_knows_what_it_costs(void **state)
{
    (void)state;
    uint32_t n_priced = 0;
    for (uint32_t i = 0; i < catalog->n_types; i++) {
        n_priced += cat_type_on_demand_price(&catalog->types[i]).has ? 1 : 0;
    }
    assert_int_equal(n_priced, 1366);
    assert_int_equal(cat_type_on_demand_price(type_of("m5.large")).v, 96000000);
    assert_int_equal(cat_type_on_demand_price(type_of("m8g.large")).v, 89760000);
    /* Not sold in the region: listed for its figures, without a price. */
    assert_false(cat_type_on_demand_price(type_of("hpc7a.96xlarge")).has);
    /* No zone sells it any more: the price is known, nothing can be bought. */
    const struct cat_type *retired = type_of("p2.xlarge");
    assert_true(cat_type_on_demand_price(retired).has);
    for (uint32_t i = 0; i < retired->n_offerings; i++) {
        assert_false(retired->offerings[i].available);
    }
}

/* Example vectors of the AWS provider (AL2023): capacity of memory, allocatable of cpu and memory
 * in MiB, pods. */
static void default_allocatable(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        int64_t capacity_mib, cpu, memory_mib, pods;
    } rows[] = {
        {"t3.medium", 3788, 1930, 3246, 17},
        {"m5.large", 7577, 1930, 6903, 29},
        {"m6g.xlarge", 15096, 3920, 14103, 58},
        {"c7i.4xlarge", 30310, 15890, 27381, 234},
        {"p5.48xlarge", 1939865, 191450, 1938410, 100},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct cat_type *type = type_of(rows[i].type);
        struct cat_room room;
        cat_type_room(type, NULL, &CAT_SETTINGS_DEFAULT, tab, &words, &arena, &room);
        expect(rows[i].type, "capacity", k8s_resources_get(&room.capacity, words.memory) / MIB,
               rows[i].capacity_mib);
        expect(rows[i].type, "cpu", k8s_resources_get(&room.allocatable, words.cpu), rows[i].cpu);
        expect(rows[i].type, "memory", k8s_resources_get(&room.allocatable, words.memory),
               rows[i].memory_mib * MIB);
        expect(rows[i].type, "pods", k8s_resources_get(&room.allocatable, words.pods),
               rows[i].pods);
        expect(rows[i].type, "storage",
               k8s_resources_get(&room.allocatable, words.ephemeral_storage), 17 * GIB);
        for (uint32_t k = 0; k < type->allocatable.n; k++) {
            expect(rows[i].type, strtab_str(tab, type->allocatable.v[k].resource).p,
                   k8s_resources_get(&room.allocatable, type->allocatable.v[k].resource),
                   type->allocatable.v[k].value);
        }
    }
}

static void devices(void **state)
{
    (void)state;
    static const struct {
        const char *type, *resource;
        int64_t n;
    } rows[] = {
        {"p5.48xlarge", "nvidia.com/gpu", 8},
        {"p5.48xlarge", "vpc.amazonaws.com/efa", 32},
        {"g4ad.xlarge", "amd.com/gpu", 1},
        {"dl1.24xlarge", "habana.ai/gaudi", 8},
        {"trn1.32xlarge", "aws.amazon.com/neuron", 16},
        {"trn1.32xlarge", "aws.amazon.com/neuroncore", 32},
        {"inf1.24xlarge", "aws.amazon.com/neuroncore", 64},
        {"m5.large", "vpc.amazonaws.com/pod-eni", 9},
        {"g6f.large", "nvidia.com/gpu", 0},            /* a share of a GPU: none to count */
        {"t3.medium", "vpc.amazonaws.com/pod-eni", 0}, /* no trunking */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct cat_type *type = type_of(rows[i].type);
        expect(rows[i].type, rows[i].resource,
               k8s_resources_get(&type->allocatable, resource(rows[i].resource)), rows[i].n);
    }
}

/* ---------------------------------------------------------------- node classes */

enum { NOTHING = -1 };

struct class_row {
    const char *name, *type, *ami;
    int64_t max_pods, per_core; /* NOTHING: not set */
    const char *reserved;       /* kubeReserved memory in MiB, "" none */
    const char *memory_available, *nodefs_available;
    const char *device; /* of a mapping of disk_gib, "" none; "root" by flag */
    int64_t disk_gib;
    bool raid0;
    int64_t reserved_enis;
    int64_t cpu, memory_mib, pods, storage; /* expected allocatable */
};

#define PLAIN .max_pods = NOTHING, .per_core = NOTHING

static const struct class_row class_rows[] = {
    {"default", "m5.large", "al2023@latest", PLAIN, .cpu = 1930, .memory_mib = 6903, .pods = 29,
     .storage = 17 * GIB},
    {"AL2", "m5.large", "AL2", PLAIN, .cpu = 1930, .memory_mib = 6903, .pods = 29,
     .storage = 17 * GIB},
    {"maxPods leaves the reserve of AL2023", "m5.large", "AL2023", .max_pods = 110,
     .per_core = NOTHING, .cpu = 1930, .memory_mib = 6903, .pods = 110, .storage = 17 * GIB},
    {"maxPods changes the reserve of Bottlerocket", "m5.large", "bottlerocket@latest",
     .max_pods = 110, .per_core = NOTHING, .cpu = 1930, .memory_mib = 7577 - 100 - 11 * 110 - 255,
     .pods = 110, .storage = 17 * GIB},
    {"podsPerCore", "m5.large", "AL2023", .max_pods = NOTHING, .per_core = 4, .cpu = 1930,
     .memory_mib = 6903, .pods = 8, .storage = 17 * GIB},
    {"podsPerCore above the limit", "m5.large", "AL2023", .max_pods = NOTHING, .per_core = 40,
     .cpu = 1930, .memory_mib = 6903, .pods = 29, .storage = 17 * GIB},
    {"podsPerCore is nothing to Bottlerocket", "m5.large", "Bottlerocket", .max_pods = NOTHING,
     .per_core = 4, .cpu = 1930, .memory_mib = 6903, .pods = 29, .storage = 17 * GIB},
    {"podsPerCore 0 is unset", "m5.large", "AL2023", .max_pods = NOTHING, .per_core = 0,
     .cpu = 1930, .memory_mib = 6903, .pods = 29, .storage = 17 * GIB},
    {"kubeReserved replaces the key", "m5.large", "AL2023", PLAIN, .reserved = "1000", .cpu = 1930,
     .memory_mib = 7577 - 100 - 1000, .pods = 29, .storage = 17 * GIB},
    {"more reserved than there is", "m5.large", "AL2023", PLAIN, .reserved = "100000", .cpu = 1930,
     .memory_mib = 0, .pods = 29, .storage = 17 * GIB},
    {"eviction as quantity", "m5.large", "AL2023", PLAIN, .memory_available = "500Mi", .cpu = 1930,
     .memory_mib = 7577 - 574 - 500, .pods = 29, .storage = 17 * GIB},
    {"eviction of the whole is off", "m5.large", "AL2023", PLAIN, .memory_available = "100%",
     .cpu = 1930, .memory_mib = 7577 - 574, .pods = 29, .storage = 17 * GIB},
    {"disk eviction in percent", "m5.large", "AL2023", PLAIN, .nodefs_available = "25%",
     .cpu = 1930, .memory_mib = 6903, .pods = 29, .storage = 14 * GIB},
    {"nonsense eviction is passed over", "m5.large", "AL2023", PLAIN, .memory_available = "lots",
     .nodefs_available = "-5%", .cpu = 1930, .memory_mib = 6903, .pods = 29, .storage = 17 * GIB},
    {"root device", "m5.large", "AL2023", PLAIN, .device = "/dev/xvda", .disk_gib = 100,
     .cpu = 1930, .memory_mib = 6903, .pods = 29, .storage = 89 * GIB},
    {"root by flag", "m5.large", "AL2023", PLAIN, .device = "root", .disk_gib = 100, .cpu = 1930,
     .memory_mib = 6903, .pods = 29, .storage = 89 * GIB},
    {"another device", "m5.large", "AL2023", PLAIN, .device = "/dev/xvdz", .disk_gib = 100,
     .cpu = 1930, .memory_mib = 6903, .pods = 29, .storage = 17 * GIB},
    {"data device of Bottlerocket", "m5.large", "Bottlerocket", PLAIN, .device = "/dev/xvdb",
     .disk_gib = 100, .cpu = 1930, .memory_mib = 6903, .pods = 29, .storage = 89 * GIB},
    {"root device of Bottlerocket", "m5.large", "Bottlerocket", PLAIN, .device = "/dev/xvda",
     .disk_gib = 100, .cpu = 1930, .memory_mib = 6903, .pods = 29, .storage = 17 * GIB},
    {"custom image: the last mapping", "m5.large", "Custom", PLAIN, .device = "/dev/any",
     .disk_gib = 100, .cpu = 1930, .memory_mib = 6903, .pods = 29, .storage = 89 * GIB},
    {"RAID0", "i3en.xlarge", "AL2023", PLAIN, .raid0 = true, .cpu = 3920, .memory_mib = 29317,
     .pods = 58, .storage = INT64_C(2250000000000) - GIB},
    {"RAID0 without local disks", "m5.large", "AL2023", PLAIN, .raid0 = true, .cpu = 1930,
     .memory_mib = 6903, .pods = 29, .storage = 17 * GIB},
    {"reserved interface", "m5.large", "AL2023", PLAIN, .reserved_enis = 1, .cpu = 1930,
     .memory_mib = 6903, .pods = 20, .storage = 17 * GIB},
    {"all interfaces reserved", "m5.large", "AL2023", PLAIN, .reserved_enis = 3, .cpu = 1930,
     .memory_mib = 6903, .pods = 0, .storage = 17 * GIB},
    {"Windows", "m5.large", "windows2022@latest", PLAIN, .cpu = 1930,
     .memory_mib = 7577 - 100 - 11 * 110 - 255, .pods = 110, .storage = 44 * GIB},
};

static struct k8s_pairs evictions(const struct class_row *row)
{
    static struct k8s_pair pairs[2];
    uint32_t n = 0;
    if (row->memory_available != NULL) {
        pairs[n++] = (struct k8s_pair){resource("memory.available"),
                                       strtab_add(tab, str_of(row->memory_available))};
    }
    if (row->nodefs_available != NULL) {
        pairs[n++] = (struct k8s_pair){resource("nodefs.available"),
                                       strtab_add(tab, str_of(row->nodefs_available))};
    }
    return (struct k8s_pairs){.n = n, .v = pairs};
}

static void node_classes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof class_rows / sizeof *class_rows; i++) {
        const struct class_row *row = &class_rows[i];
        struct aws_block_device device = {.size_bytes = {true, row->disk_gib * GIB}};
        struct k8s_quantity reserved = {.resource = words.memory};
        strid alias = strtab_add(tab, str_of(row->ami));
        bool by_alias = str_find(str_of(row->ami), '@') < str_of(row->ami).n;
        struct aws_nodeclass class = {
            .ami_family = by_alias ? STR_EMPTY : str_of(row->ami),
            .ami_aliases = {.n = by_alias ? 1 : 0, .v = &alias},
            .kubelet = {.max_pods = {row->max_pods != NOTHING, row->max_pods},
                        .pods_per_core = {row->per_core != NOTHING, row->per_core},
                        .eviction_hard = evictions(row)},
            .instance_store_raid0 = row->raid0,
        };
        if (row->reserved != NULL) {
            int64_t mib = 0;
            assert_true(str_to_i64(str_of(row->reserved), &mib));
            reserved.value = mib * MIB;
            class.kubelet.kube_reserved = (struct k8s_resources){.n = 1, .v = &reserved};
        }
        if (row->device != NULL) {
            device.root_volume = str_eq(str_of(row->device), STR("root"));
            device.device_name = device.root_volume ? STR("/dev/sdx") : str_of(row->device);
            class.n_block_devices = 1;
            class.block_devices = &device;
        }
        struct cat_settings settings = CAT_SETTINGS_DEFAULT;
        settings.reserved_enis = row->reserved_enis;
        struct cat_room room;
        cat_type_room(type_of(row->type), &class, &settings, tab, &words, &arena, &room);
        expect(row->name, "cpu", k8s_resources_get(&room.allocatable, words.cpu), row->cpu);
        expect(row->name, "memory", k8s_resources_get(&room.allocatable, words.memory),
               row->memory_mib * MIB);
        expect(row->name, "pods", k8s_resources_get(&room.allocatable, words.pods), row->pods);
        expect(row->name, "storage", k8s_resources_get(&room.allocatable, words.ephemeral_storage),
               row->storage);
    }
}

static void windows_addresses(void **state)
{
    (void)state;
    struct aws_nodeclass windows = {.ami_family = STR("Windows2022")};
    struct cat_room room;
    strid addresses = resource("vpc.amazonaws.com/PrivateIPv4Address");
    cat_type_room(type_of("m5.large"), &windows, &CAT_SETTINGS_DEFAULT, tab, &words, &arena, &room);
    assert_int_equal(k8s_resources_get(&room.allocatable, addresses), 9);
    cat_type_room(type_of("m5.large"), NULL, &CAT_SETTINGS_DEFAULT, tab, &words, &arena, &room);
    assert_false(k8s_resources_has(&room.allocatable, addresses));
}

static void memory_overhead_is_a_setting(void **state)
{
    (void)state;
    struct cat_settings none = CAT_SETTINGS_DEFAULT;
    struct cat_room room;
    none.vm_memory_overhead_ppm = 0;
    cat_type_room(type_of("m6g.xlarge"), NULL, &none, tab, &words, &arena, &room);
    assert_int_equal(k8s_resources_get(&room.capacity, words.memory), (16384 - 64) * MIB);
}

/* ---------------------------------------------------------------- volumes */

static void volumes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *type, *family;
        uint32_t n_mapped, n_interfaces;
        bool root_mapped;
        int64_t left;
    } rows[] = {
        /* 27 with one interface: less the root volume and the CNI's warm interface, what CSINode
           shows. */
        {"shared", "m5.large", "AL2023", 0, 0, false, 25},
        {"shared, root mapped", "m5.large", "AL2023", 1, 0, true, 25},
        {"shared, data volume mapped", "m5.large", "AL2023", 1, 0, false, 24},
        {"shared, two volumes of Bottlerocket", "m5.large", "Bottlerocket", 0, 0, false, 24},
        {"shared, local disk counts", "i3en.xlarge", "AL2023", 0, 0, false, 24},
        {"shared, one interface", "m5.large", "AL2023", 0, 1, false, 26},
        {"shared, more interfaces than there are", "m5.large", "AL2023", 0, 9, false, 24},
        {"dedicated", "m8g.large", "AL2023", 0, 0, false, 31},
        {"dedicated, interfaces are free", "m8g.large", "AL2023", 0, 3, false, 31},
        {"xen", "t2.micro", "AL2023", 0, 0, false, 38},
        {"unknown", "g3.4xlarge", "AL2023", 0, 0, false, 38},
        {"more mapped than fit", "m8g.large", "AL2023", 40, 0, true, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct aws_block_device devices[40] = {{.device_name = STR("/dev/sdz")}};
        devices[0].root_volume = rows[i].root_mapped;
        struct aws_nodeclass class = {.ami_family = str_of(rows[i].family),
                                      .n_block_devices = rows[i].n_mapped,
                                      .block_devices = devices,
                                      .n_network_interfaces = rows[i].n_interfaces};
        struct cat_room room;
        cat_type_room(type_of(rows[i].type), &class, &CAT_SETTINGS_DEFAULT, tab, &words, &arena,
                      &room);
        assert_int_equal(room.n_attach_limits, 1);
        assert_string_equal(strtab_str(tab, room.attach_limits[0].driver).p, "ebs.csi.aws.com");
        expect(rows[i].name, "volumes", room.attach_limits[0].count, rows[i].left);
    }
}

/* ---------------------------------------------------------------- families */

static void families(void **state)
{
    (void)state;
    static const struct {
        const char *family, *alias;
        enum cat_family expected;
        const char *build;
    } rows[] = {
        {"", "al2023@v20261112", CAT_AL2023, ""},
        {"", "al2@latest", CAT_AL2, ""},
        {"", "bottlerocket@1.20.0", CAT_BOTTLEROCKET, ""},
        {"", "windows2019@latest", CAT_WINDOWS_2019, "10.0.17763"},
        {"", "windows2025@latest", CAT_WINDOWS_2025, "10.0.26100"},
        {"Windows2022", "", CAT_WINDOWS_2022, "10.0.20348"},
        {"Custom", "al2023@latest", CAT_CUSTOM, ""}, /* the field goes before the alias */
        {"", "", CAT_AL2023, ""},
        {"Ubuntu", "", CAT_AL2023, ""},
        {"", "al2", CAT_AL2, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        strid alias = strtab_add(tab, str_of(rows[i].alias));
        struct aws_nodeclass class = {.ami_family = str_of(rows[i].family),
                                      .ami_aliases = {.n = rows[i].alias[0] != 0, .v = &alias}};
        struct str build = cat_class_windows_build(&class, tab);
        assert_int_equal(cat_class_family(&class, tab), rows[i].expected);
        assert_true(str_eq(build, str_of(rows[i].build)));
        assert_int_equal(cat_class_os(&class, tab), build.n > 0 ? CAT_WINDOWS : CAT_LINUX);
    }
    assert_int_equal(cat_class_family(NULL, tab), CAT_AL2023);
}

static void compatibility(void **state)
{
    (void)state;
    struct aws_nodeclass al2023 = {.ami_family = STR("AL2023")};
    struct aws_nodeclass al2 = {.ami_family = STR("AL2")};
    struct aws_nodeclass windows = {.ami_family = STR("Windows2022")};
    assert_true(cat_type_compatible(type_of("m6g.large"), &al2023, tab));
    assert_false(cat_type_compatible(type_of("a1.large"), &al2023, tab));
    assert_true(cat_type_compatible(type_of("a1.large"), &al2, tab));
    assert_true(cat_type_compatible(type_of("m5.large"), &windows, tab));
    assert_false(cat_type_compatible(type_of("m6g.large"), &windows, tab));
}

static void lookup(void **state)
{
    (void)state;
    assert_null(cat_find(catalog, tab, STRID_NONE));
    assert_null(cat_find(catalog, tab, strtab_add(tab, STR("m5.huge"))));
    assert_ptr_equal(type_of("a1.2xlarge"), &catalog->types[0]);
    assert_ptr_equal(cat_find(catalog, tab, catalog->types[catalog->n_types - 1].name),
                     &catalog->types[catalog->n_types - 1]);
}

/* A catalogue of some instance families has their types, as the whole one has them, and no other.
 */
static void of_some_families(void **state)
{
    const struct str wanted[] = {STR("c5"), STR("m5")};
    const struct catalog *some = cat_builtin_families(wanted, 2, &arena, tab);
    uint32_t n = 0;
    (void)state;
    for (uint32_t i = 0; i < catalog->n_types; i++) {
        const struct cat_type *type = &catalog->types[i];
        const struct cat_type *found = cat_find(some, tab, type->name);
        const struct str name = strtab_str(tab, type->name);
        const bool has = str_starts(name, STR("c5.")) || str_starts(name, STR("m5."));
        assert_int_equal(found != NULL, has);
        if (found != NULL) {
            n++;
            assert_int_equal(found->n_offerings, type->n_offerings);
            expect("m5, c5", "cpu", k8s_resources_get(&found->capacity, words.cpu),
                   k8s_resources_get(&type->capacity, words.cpu));
        }
    }
    assert_true(n > 0);
    assert_int_equal(some->n_types, n);
}

/* What nodes with an image of the class have shown stands for the guess; what else is reckoned from
 * it follows. */
static void observed_memory(void **state)
{
    (void)state;
    const struct aws_image_status images[] = {{.id = STR("ami-1")}, {.id = STR("ami-2")}};
    const struct aws_nodeclass class = {.n_amis = 2, .amis = images};
    const struct aws_nodeclass other = {.n_amis = 1, .amis = &images[1]};
    const strid large = type_of("m5.large")->name;
    struct cat_observed observed[] = {{large, STR("ami-0"), 6000 * CAT_MIB},
                                      {large, STR("ami-1"), 7000 * CAT_MIB},
                                      {large, STR("ami-2"), 7100 * CAT_MIB},
                                      {type_of("m5.xlarge")->name, STR("ami-1"), 1 * CAT_MIB}};
    struct cat_settings settings = CAT_SETTINGS_DEFAULT;
    struct cat_room room;
    if (observed[3].type < large) {
        const struct cat_observed last = observed[3];
        memmove(&observed[1], observed, 3 * sizeof *observed);
        observed[0] = last;
    }
    settings.n_observed = 4;
    settings.observed = observed;
    cat_type_room(type_of("m5.large"), &class, &settings, tab, &words, &arena, &room);
    assert_int_equal(k8s_resources_get(&room.capacity, words.memory), 7000 * CAT_MIB);
    assert_int_equal(k8s_resources_get(&room.allocatable, words.memory),
                     (7000 - 574 - 100) * CAT_MIB);
    cat_type_room(type_of("m5.large"), &other, &settings, tab, &words, &arena, &room);
    assert_int_equal(k8s_resources_get(&room.capacity, words.memory), 7100 * CAT_MIB);
    cat_type_room(type_of("m5.2xlarge"), &class, &settings, tab, &words, &arena, &room);
    assert_int_equal(k8s_resources_get(&room.capacity, words.memory), 30310 * CAT_MIB);
    cat_type_room(type_of("m5.large"), NULL, &settings, tab, &words, &arena, &room);
    assert_int_equal(k8s_resources_get(&room.capacity, words.memory), 7577 * CAT_MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builtin_is_consistent),
        cmocka_unit_test(builtin_knows_what_it_costs),
        cmocka_unit_test(default_allocatable),
        cmocka_unit_test(devices),
        cmocka_unit_test(node_classes),
        cmocka_unit_test(windows_addresses),
        cmocka_unit_test(memory_overhead_is_a_setting),
        cmocka_unit_test(volumes),
        cmocka_unit_test(families),
        cmocka_unit_test(of_some_families),
        cmocka_unit_test(compatibility),
        cmocka_unit_test(lookup),
        cmocka_unit_test(observed_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
