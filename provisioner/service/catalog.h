/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The catalogue of --catalog, or the one built in. */
#pragma once

#include "base/err.h"
#include "binpack/catalog/catalog.h"

/* `path` empty: built in. Errors: those of reading and of the catalogue; each names the file. */
MUST_CHECK bool catalog_read(struct str path, struct arena *arena, struct strtab *tab,
                             const struct catalog **ret_catalog, struct err *err);
