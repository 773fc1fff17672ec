/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/engine/line.h"

#include "base/duration.h"

enum { SHOWN_BYTES = 1000 };

void line_begin(struct line *line, struct arena *arena)
{
    line->b = strbuf_new(arena, ACTION_FIELDS_MAX);
    line->w = jsonw_new(&line->b, JSONW_COMPACT);
    jsonw_object_begin(&line->w);
}

/* The braces of the object are taken off. */
void line_end(struct line *line, struct actions *actions, enum action_level level,
              const char *message, const char *controller)
{
    jsonw_object_end(&line->w);
    struct str text = str_trim(strbuf_str(&line->b));
    text = line->b.overflow ? STR("\"truncated\": true") : str_sub(text, 1, text.n - 2);
    VEC_PUSH(actions->arena, &actions->v,
             ((struct action){.type = ACTION_LOG,
                              .level = level,
                              .message = message,
                              .controller = controller,
                              .fields = text}));
}

void line_text(struct line *line, const char *key, struct str value)
{
    jsonw_key_str(&line->w, key, str_sub(value, 0, SHOWN_BYTES));
}

void line_duration(struct line *line, const char *key, int64_t ms)
{
    char buffer[DURATION_TEXT_MAX];
    line_text(line, key, duration_format(ms, buffer));
}

void line_object(struct line *line, const char *kind, struct str name)
{
    jsonw_key_object(&line->w, kind);
    line_text(line, "name", name);
    jsonw_object_end(&line->w);
}
