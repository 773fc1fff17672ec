/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Feature gates as text: "Name=true,Other=false", as Kubernetes and Karpenter take them. Blanks
 * around names and values and empty items are passed over. */
#pragma once

#include "base/str.h"

struct gate_text {
    struct str pair; /* as written, for messages */
    struct str name; /* not empty */
    bool on;
};

enum gates_read { GATES_END, GATES_ONE, GATES_WRONG };

/* Takes the next gate off `rest`. GATES_END: there is none; GATES_WRONG: `pair` is not NAME=true or
 * NAME=false. Everything is a view of `rest`. */
enum gates_read gates_next(struct str *rest, struct gate_text *ret_gate);
