/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/asked.h"

#include "base/arena.h"

struct kind_row {
    const char *prefix; /* NULL: what has no other prefix */
};

static const struct kind_row kinds[N_ASKED_KINDS] = {
    [ASKED_POD] = {.prefix = NULL},
    [ASKED_NODE] = {.prefix = "node/"},
    [ASKED_NODEPOOL] = {.prefix = "nodepool/"},
};

static enum asked_kind kind_of(struct str word)
{
    for (int kind = 0; kind < N_ASKED_KINDS; kind++) {
        if (kinds[kind].prefix != NULL && str_starts(word, str_of(kinds[kind].prefix))) {
            return (enum asked_kind)kind;
        }
    }
    return ASKED_POD;
}

static bool sort_word(struct str word, struct asked *asked, struct str **names, struct err *err)
{
    const enum asked_kind kind = kind_of(word);
    const struct str prefix = kinds[kind].prefix == NULL ? STR_EMPTY : str_of(kinds[kind].prefix);
    if (word.n == prefix.n) {
        return err_set(err, ERR_INVALID, "explain: \"" STR_FMT "\" names nothing", STR_ARG(word));
    }
    names[kind][asked->of[kind].n++] = (struct str){.p = word.p + prefix.n, .n = word.n - prefix.n};
    asked->n++;
    return true;
}

static bool formats_fit(const struct options *o, struct err *err)
{
    for (uint32_t i = 0; i < o->outputs.n; i++) {
        enum output_format format = o->outputs.v[i].format;
        if (format != OUTPUT_TABLE && format != OUTPUT_JSON && format != OUTPUT_YAML) {
            return err_set(err, ERR_INVALID, "explain: -o %s: must be table, json or yaml",
                           output_format_names[format]);
        }
    }
    return true;
}

bool asked_read(const struct options *o, struct arena *arena, struct asked *ret_asked,
                struct err *err)
{
    const bool command = o->command == CLI_EXPLAIN;
    const uint32_t n = o->explain.n + (command ? o->arguments.n : 0);
    struct str *names[N_ASKED_KINDS];
    *ret_asked = (struct asked){.n = 0};
    for (int kind = 0; kind < N_ASKED_KINDS; kind++) {
        names[kind] = ARENA_ARRAY(arena, struct str, n + 1);
        ret_asked->of[kind].v = names[kind];
    }
    for (uint32_t i = 0; i < n; i++) {
        struct str word = i < o->explain.n ? o->explain.v[i] : o->arguments.v[i - o->explain.n];
        if (!sort_word(word, ret_asked, names, err)) {
            return false;
        }
    }
    if (command && n == 0) {
        return err_set(err, ERR_INVALID,
                       "explain: say which pods, nodes or NodePools: binpack explain "
                       "NAMESPACE/NAME node/NAME nodepool/NAME -f FILE");
    }
    if (ret_asked->of[ASKED_NODE].n > 0 && o->mode != MODE_AUTO && o->mode != MODE_DISRUPT) {
        return err_set(err, ERR_INVALID,
                       "explain: node/" STR_FMT ": what becomes of nodes is decided by "
                       "--mode=disrupt",
                       STR_ARG(ret_asked->of[ASKED_NODE].v[0]));
    }
    return n == 0 || formats_fit(o, err);
}

bool asked_of_nodes(const struct options *o)
{
    bool any = false;
    for (uint32_t i = 0; i < o->explain.n; i++) {
        any = any || kind_of(o->explain.v[i]) == ASKED_NODE;
    }
    for (uint32_t i = 0; o->command == CLI_EXPLAIN && i < o->arguments.n; i++) {
        any = any || kind_of(o->arguments.v[i]) == ASKED_NODE;
    }
    return any;
}
