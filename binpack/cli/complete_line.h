/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the last word of a command line may become, for shells that ask the program itself: kubectl
 * calls a plugin's `kubectl_complete-binpack` with the words typed so far. Pure. */
#pragma once

#include "binpack/cli/options.h"

enum complete_kind {
    COMPLETE_LIST,  /* `words` */
    COMPLETE_WORDS, /* names of the input, of kind `hint` */
    COMPLETE_FILES  /* the shell's own files */
};

struct completion {
    enum complete_kind kind;
    struct str prefix;         /* what the words begin with: the last word, or its part after "=" */
    struct option_texts words; /* COMPLETE_LIST: those that begin with `prefix` */
    enum option_hint hint;
    struct option_texts files, catalogs; /* COMPLETE_WORDS: of the line */
};

/* `line` has the words behind the name of the program, the last of them being completed (""). All
 * of it in `arena`. */
struct completion complete_line(const struct option_texts *line, struct arena *arena);
