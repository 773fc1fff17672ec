/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans in files, as `-o json` and `-o yaml` print them. */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "base/str.h"

/* The one document of the file, a new reference. Errors: ERR_IO, ERR_NOT_FOUND, ERR_LIMIT,
 * ERR_PARSE (neither JSON nor YAML, or nothing in it), ERR_INVALID (several documents). */
MUST_CHECK bool plan_file_read(struct str path, json_t **ret_document, struct err *err);

/* Whether the file begins as a plan does; false also for what cannot be read. */
bool plan_file_is(struct str path);
