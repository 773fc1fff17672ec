/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Error values.
 *
 * Anything that can fail returns `MUST_CHECK bool` and takes `struct err *err` as its last
 * argument. True means that every `ret_` output is set; false means that none is and that `err` is.
 * The code says what a caller can do about it, the text is for a person: it names the object, the
 * field and the value, and never a secret. The struct belongs to the caller, has a fixed size and
 * needs no clean-up. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

enum err_code {
    ERR_NONE = 0,
    ERR_INVALID,     /* a value is malformed or contradicts a rule: tell the person who wrote it */
    ERR_LIMIT,       /* a size from outside exceeds its cap in base/limits.h */
    ERR_PARSE,       /* bytes are not what their format demands */
    ERR_NOT_FOUND,   /* a named thing does not exist */
    ERR_CONFLICT,    /* two things that must agree do not */
    ERR_UNSUPPORTED, /* well-formed, but not something this program does */
    ERR_IO,          /* the operating system refused: text carries its reason */
    ERR_SOLVER,      /* the LP library gave up; the best plan so far still stands */
    ERR_CANCELLED,   /* stopped on request */
    ERR_INTERNAL     /* our own mistake: a checker refused our own result */
};

enum { ERR_TEXT_MAX = 1024 }; /* longer texts are cut and end in "..." */

struct err {
    enum err_code code;
    char text[ERR_TEXT_MAX];
};

/* Sets `err` (which may be NULL) and returns false, so that `return err_set(...)` reads as what it
 * is. Control characters (C0, DEL and C1), marks that reorder text and what is not UTF-8 are
 * replaced by '?', so that no name from outside can drive a terminal. */
bool err_set(struct err *err, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "<context>: " in front of the text; keeps the code. Returns false. */
bool err_wrap(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* A short lower-case name of the code, such as "invalid"; static storage. */
const char *err_code_name(enum err_code code);
