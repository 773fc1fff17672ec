/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compiler attributes that the conventions rely on. Nothing here has a run-time effect. */
#pragma once

/* The caller must look at the result: every function that can fail carries this. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* printf-like: the format is argument f, the first value argument a (both counted from 1). */
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* A parameter kept for the shape of an interface. */
#define UNUSED __attribute__((unused))

/* A cleanup attribute for library objects: `auto_x` types are declared beside the object's header.
 */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
