/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A catalogue as a Catalog document: what was derived is written out, so that reading the document
 * back gives the same catalogue without any formula. */
#pragma once

#include "base/jsonw.h"
#include "binpack/catalog/catalog.h"

/* The whole document. Types, labels and resources are sorted by name. Attach limits are those of a
 * node of a default node class. Of the settings only what nodes have shown is written, beside what
 * follows from the raw figures; it is not read back. */
void cat_write_json(struct jsonw *w, const struct catalog *catalog,
                    const struct cat_settings *settings, const struct strtab *tab,
                    const struct k8s_words *words);

/* One element of instanceTypes. */
void cat_write_type(struct jsonw *w, const struct catalog *catalog, const struct cat_type *type,
                    const struct cat_settings *settings, const struct strtab *tab,
                    const struct k8s_words *words);
