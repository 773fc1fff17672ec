/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The catalogue without offerings that EC2 had no capacity for a short while ago. */
#pragma once

#include "binpack/catalog/catalog.h"
#include "provisioner/provisioning/round.h"

/* `catalog` itself when nothing of it is gone; else a copy whose changed parts are in `arena`. */
const struct catalog *gone_catalog(const struct catalog *catalog, const struct strtab *tab,
                                   const struct round_gone *gone, uint32_t n_gone,
                                   struct arena *arena);
