/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The embedded table as rows of EC2 and as drafts. */
#pragma once

#include "binpack/catalog/build.h"
#include "binpack/catalog/builtin_rows.h"

/* The row of that type, or NULL. */
const struct builtin_row *cat_builtin_row(struct str name);

/* What EC2 says about the type of a row; devices are made in `arena`. */
struct ec2_instance_type cat_builtin_facts(const struct builtin_row *row, struct arena *arena);

/* The offerings of a row in the table's own region, appended to the draft (document_i is that of
 * the draft). */
void cat_builtin_offer(struct cat_builder *builder, struct cat_draft *draft,
                       const struct builtin_row *row);

/* cat_builtin with the types of these families ("m5", ...) only; n 0: all. */
const struct catalog *cat_builtin_families(const struct str *families, size_t n,
                                           struct arena *arena, struct strtab *tab);

/* Absent when the table has none. */
struct opt_usd cat_builtin_price(const struct builtin_row *row);
