/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "planner.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void add_offering(json_t *list, const char *zone, const char *capacity_type, double price,
                         bool available)
{
    json_t *offering =
        json_pack("{s:s, s:s, s:f, s:b}", "zone", zone, "capacityType", capacity_type, "usdPerHour",
                  price, "available", available ? 1 : 0);
    json_array_append_new(list, offering);
}

static json_t *make_type(const char *name, const char *family, int cpu, double on_demand,
                         double spot, bool gpu)
{
    static const char *const zones[] = {"a", "b", "c"};
    json_t *offerings = json_array();
    for (int z = 0; z < 3; z++) {
        add_offering(offerings, zones[z], "on-demand", on_demand, true);
        if (spot > 0) {
            add_offering(offerings, zones[z], "spot", spot, cpu != 2 || z != 2);
        }
    }
    if (cpu == 4) {
        json_t *reserved = json_pack("{s:s, s:s, s:f, s:b, s:s, s:i}", "zone", "a", "capacityType",
                                     "reserved", "usdPerHour", 0.0, "available", 1, "reservationId",
                                     "cr-1", "reservationCapacity", 2);
        json_array_append_new(offerings, reserved);
    }
    char cpus[16], memory[16];
    (void)snprintf(cpus, sizeof cpus, "%d", cpu);
    (void)snprintf(memory, sizeof memory, "%dGi", 2 * cpu);
    json_t *amounts = json_pack("{s:s, s:s, s:s}", "cpu", cpus, "memory", memory, "pods", "20");
    if (gpu) {
        json_object_set_new(amounts, "nvidia.com/gpu", json_string("1"));
    }
    json_t *type =
        json_pack("{s:s, s:s, s:[s], s:i, s:i, s:{s:s, s:s}, s:{s:i}, s:O, s:o, s:o}", "name", name,
                  "arch", "amd64", "os", "linux", "vcpu", cpu, "memoryMiB", 2048 * cpu, "labels",
                  "karpenter.k8s.aws/instance-family", family, "karpenter.k8s.aws/instance-cpu",
                  cpus, "attachLimits", "ebs.csi.aws.com", 3, "capacity", amounts, "allocatable",
                  amounts, "offerings", offerings);
    assert_non_null(type);
    return type;
}

static json_t *make_catalog(void)
{
    json_t *zones = json_pack("[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}]", "name", "a", "id", "z1",
                              "name", "b", "id", "z2", "name", "c", "id", "z3");
    json_t *types = json_array();
    json_array_append_new(types, make_type("x1.small", "x1", 2, 0.10, 0.04, false));
    json_array_append_new(types, make_type("x1.medium", "x1", 4, 0.19, 0.076, false));
    json_array_append_new(types, make_type("x1.large", "x1", 8, 0.36, 0.144, false));
    json_array_append_new(types, make_type("g1.large", "g1", 8, 1.00, 0, true));
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "apiVersion", "binpack/v1", "kind",
                     "Catalog", "name", "test", "region", "r", "zones", zones, "instanceTypes",
                     types);
}

void planner_read(struct planner *p, const char *yaml)
{
    struct err err = {0};
    struct cat_notes notes;
    *p = (struct planner){.catalog = NULL};
    world_open(&p->world, yaml);
    json_t *document = make_catalog();
    struct str name = STR("test");
    if (!cat_from_json(&document, &name, 1, &p->world.arena, p->world.cluster->tab, &p->catalog,
                       &notes, &err)) {
        fail_msg("catalogue of the test: %s", err.text);
    }
    json_decref(document);
}

void planner_open(struct planner *p, const char *yaml, const struct sched_settings *settings)
{
    struct err err = {0};
    planner_read(p, yaml);
    if (!sched_snapshot_new(p->world.cluster, p->catalog, settings, NULL, &p->world.arena,
                            &p->snapshot, &err) ||
        !sched_base_new(p->snapshot, &p->world.arena, &p->base, &err) ||
        !sched_descent_start(p->base, &p->world.arena, &p->descent, &err) ||
        !sched_problem_new(p->base, &p->descent, &p->world.arena, &p->problem, &err)) {
        fail_msg("%s", err.text);
    }
}

void planner_close(struct planner *p)
{
    world_close(&p->world);
}

uint32_t planner_class(const struct planner *p, const char *pod)
{
    uint32_t pod_i = (uint32_t)(world_pod(&p->world, pod) - p->world.cluster->pods);
    for (uint32_t i = 0; i < p->snapshot->n_pending; i++) {
        if (p->snapshot->pending[i] == pod_i) {
            assert_int_not_equal(p->problem->needs.of_pod[i], SCHED_NONE);
            return p->problem->classes.of_need[p->problem->needs.of_pod[i]];
        }
    }
    fail_msg("%s is not pending", pod);
    return 0;
}

const struct sched_pool *planner_pool(const struct planner *p, const char *name)
{
    for (uint32_t i = 0; i < p->snapshot->n_pools; i++) {
        if (str_eq(p->snapshot->pools[i].pool->meta.name, str_of(name))) {
            return &p->snapshot->pools[i];
        }
    }
    fail_msg("no pool %s", name);
    return NULL;
}

const struct sched_node *planner_node(const struct planner *p, const char *name)
{
    for (uint32_t i = 0; i < p->snapshot->n_nodes; i++) {
        if (str_eq(p->snapshot->nodes[i].name, str_of(name))) {
            return &p->snapshot->nodes[i];
        }
    }
    fail_msg("no node %s", name);
    return NULL;
}
