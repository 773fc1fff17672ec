/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a catalogue is consistent in itself: for `binpack catalog verify`, and for tests of the
 * embedded one. */
#pragma once

#include "binpack/catalog/catalog.h"

enum cat_severity {
    CAT_FAULT, /* contradicts itself: plans made with it cannot be trusted */
    CAT_REMARK /* allowed, and worth a look */
};

struct cat_finding {
    enum cat_severity severity;
    strid type; /* STRID_EMPTY: the catalogue as a whole */
    struct str text;
};

struct cat_report {
    uint32_t n_types, n_zones, n_offerings, n_priced,
        n_available; /* priced and available: can be bought */
    uint32_t
        n_by_capacity_type[3]; /* of the priced and available ones, by enum cat_capacity_type */
    uint32_t n_not_offered;    /* types that cannot be bought anywhere */
    uint32_t n_faults, n_remarks;
    uint32_t n_findings; /* the first LIMIT_WARNINGS of them, types in order */
    const struct cat_finding *findings;
};

void cat_verify(const struct catalog *catalog, const struct strtab *tab,
                const struct k8s_words *words, struct arena *arena, struct cat_report *ret_report);
