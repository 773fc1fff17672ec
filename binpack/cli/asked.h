/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What somebody asks to have explained: `explain POD|node/N|nodepool/P...` and `--explain`.
 *
 * The one place that reads these words: a kind of object is a row of its table. What begins with no
 * kind's prefix is a pod. */
#pragma once

#include "binpack/cli/options.h"

enum asked_kind { ASKED_POD, ASKED_NODE, ASKED_NODEPOOL, N_ASKED_KINDS };

struct asked {
    struct option_texts of[N_ASKED_KINDS]; /* names without their prefix, in the order given */
    uint32_t n;                            /* of all kinds */
};

/* Sorts the words of the command line by kind, those of --explain first. Arrays live in `arena`.
 * ERR_INVALID, which is a mistake of the command line: nothing to explain,
 * a prefix without a name, a node with a --mode that disrupts nothing, or an output
 * format that explanations do not have. */
MUST_CHECK bool asked_read(const struct options *options, struct arena *arena,
                           struct asked *ret_asked, struct err *err);

/* Is a node among them? Then what is planned is a round of disruption. */
bool asked_of_nodes(const struct options *options);
