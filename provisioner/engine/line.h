/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A line for the log under construction: the members of a JSON object, in the order in which they
 * are put. What does not fit is left out as a whole; the message stands. */
#pragma once

#include "base/jsonw.h"
#include "provisioner/engine/action.h"

struct line {
    struct strbuf b;
    struct jsonw w;
};

void line_begin(struct line *line, struct arena *arena);
void line_text(struct line *line, const char *key, struct str value); /* its first 1000 bytes */
void line_duration(struct line *line, const char *key, int64_t ms);
/* "NodeClaim":{"name":...}, as Karpenter names objects. */
void line_object(struct line *line, const char *kind, struct str name);
/* ACTION_LOG; `message` and `controller` are static. */
void line_end(struct line *line, struct actions *actions, enum action_level level,
              const char *message, const char *controller);
