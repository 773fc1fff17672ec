/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `binpack catalog refresh`: the catalogue of a person's own region and account, asked of AWS. */
#pragma once

#include "base/err.h"
#include "binpack/catalog/catalog.h"
#include "binpack/cli/console.h"
#include "binpack/cli/options.h"

struct arena;

/* Asks EC2 and the price list for instance types, zones, offerings and prices, side by side, and
 * makes one catalogue of the answers, as cat_from_json does of the same answers in files. Assumes
 * and says nothing but what cat_from_json notes. Errors: no region, no credentials (with the
 * sources that were tried), and what AWS refused, each call that it refused on a line of its own;
 * ERR_CANCELLED after an interrupt. */
MUST_CHECK bool refresh_catalog(const struct options *options, struct console *console,
                                struct arena *arena, struct strtab *tab,
                                const struct catalog **ret_catalog, struct err *err);
