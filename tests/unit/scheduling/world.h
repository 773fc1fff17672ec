/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small cluster written as YAML documents ("---" lines between them), for tests. Mistakes in it
 * fail the test. */
#pragma once

#include "base/arena.h"
#include "binpack/scheduling/vocab.h"

struct world {
    struct arena arena;
    const struct k8s_cluster *cluster;
    const struct sched_vocab *vocab;
};

void world_open(struct world *world, const char *yaml);
void world_close(struct world *world);

/* The pod "ns/name"; the test fails when there is none. */
const struct k8s_pod *world_pod(const struct world *world, const char *name);
strid world_id(const struct world *world, const char *word); /* interned */
