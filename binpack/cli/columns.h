/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --columns and --sort-by, held against the titles of the tables that a command can print, before
 * anything is read. Only the tables of `explain` have titles that the input gives: NodePools. */
#pragma once

#include "base/err.h"
#include "binpack/cli/options.h"
#include "binpack/view/table.h"

/* `catalog list` and the offerings of `catalog show`. */
extern const struct table_shape catalog_types_shape, catalog_offerings_shape;

/* ERR_INVALID names the option, the title and those that there are. A title that the result happens
 * to have no use for (GPU without GPUs, ACTION when nothing is disrupted) is no error. */
MUST_CHECK bool columns_check(const struct options *options, struct arena *arena, struct err *err);

/* For `explain`, after its tables are shown: the same of the titles that they had. */
MUST_CHECK bool columns_found(const struct options *options, const struct table_choice *tables,
                              struct err *err);
