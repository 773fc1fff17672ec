/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static void finish(char *text, int wanted)
{
    if (wanted >= ERR_TEXT_MAX) {
        memcpy(text + ERR_TEXT_MAX - 4, "...", 4);
    }
    char *out = text;
    for (size_t n = strlen(text), i = 0; i < n;) {
        uint32_t code = 0;
        size_t size = utf8_decode(text + i, n - i, &code);
        if (size == 0 || utf8_is_unsafe(code)) {
            *out++ = '?';
        } else {
            memmove(out, text + i, size);
            out += size;
        }
        i += size == 0 ? 1 : size;
    }
    *out = '\0';
}

bool err_set(struct err *err, enum err_code code, const char *format, ...)
{
    if (err == NULL) {
        return false;
    }
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    err->code = code;
    finish(err->text, wanted);
    return false;
}

bool err_wrap(struct err *err, const char *format, ...)
{
    if (err == NULL) {
        return false;
    }
    char inner[ERR_TEXT_MAX];
    memcpy(inner, err->text, sizeof inner);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (n >= 0 && n < ERR_TEXT_MAX) {
        n += snprintf(err->text + n, sizeof err->text - (size_t)n, ": %s", inner);
    }
    finish(err->text, n);
    return false;
}

const char *err_code_name(enum err_code code)
{
    static const char *const names[] = {
        [ERR_NONE] = "none",
        [ERR_INVALID] = "invalid",
        [ERR_LIMIT] = "limit",
        [ERR_PARSE] = "parse",
        [ERR_NOT_FOUND] = "not-found",
        [ERR_CONFLICT] = "conflict",
        [ERR_UNSUPPORTED] = "unsupported",
        [ERR_IO] = "io",
        [ERR_SOLVER] = "solver",
        [ERR_CANCELLED] = "cancelled",
        [ERR_INTERNAL] = "internal",
    };
    return names[code];
}
