/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `binpack nodeclass show`: what an EC2NodeClass comes to, before anything is launched: the drift
 * hash, the questions to AWS, the status, the tags and the launch template. */
#pragma once

#include "binpack/cli/nodeclass_input.h"
#include "provisioner/nodeclass/status.h"

/* What the selectors come to, asked of AWS with the credentials that its tools would use;
 * *ret_status is in `arena`. Errors: those of the way to AWS (no region, no keys); what AWS refuses
 * is in the conditions. */
MUST_CHECK bool nodeclass_resolve(const struct options *options,
                                  const struct nodeclass_input *input, struct console *console,
                                  struct arena *arena, const struct nodeclass_status **ret_status,
                                  struct err *err);

/* Prints every -o of the options. */
MUST_CHECK bool nodeclass_show(const struct options *options, const struct nodeclass_input *input,
                               struct console *console, struct arena *arena, struct err *err);

/* The members with which every document about a node class begins. */
void nodeclass_put_header(struct jsonw *w, const struct nodeclass_input *input, const char *kind);
