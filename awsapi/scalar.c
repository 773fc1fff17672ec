/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "awsapi/scalar.h"

#include <math.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/number.h"

enum { SHOWN_BYTES = 80 };

bool aws_is_scalar(const struct aws_shape *shape)
{
    return shape->type != AWS_STRUCT && shape->type != AWS_LIST && shape->type != AWS_MAP &&
           shape->type != AWS_DOCUMENT;
}

struct str aws_double_text(double value, struct arena *arena)
{
    char room[NUMBER_TEXT_MAX];
    if (isnan(value)) {
        return STR("NaN");
    }
    if (isinf(value)) {
        return value < 0 ? STR("-Infinity") : STR("Infinity");
    }
    return str_copy(arena, number_format_double(value, room));
}

bool aws_double_parse(struct str text, double *ret_value)
{
    int64_t ignored = 0;
    if (str_eq(text, STR("NaN"))) {
        *ret_value = NAN;
        return true;
    }
    if (str_eq(text, STR("Infinity")) || str_eq(text, STR("-Infinity"))) {
        *ret_value = text.p[0] == '-' ? -INFINITY : INFINITY;
        return true;
    }
    /* Its look is checked as a decimal; one that is too large for an integer still has digits. */
    bool good = text.n > 0 && text.n <= NUMBER_PARSE_MAX;
    for (size_t i = 0; good && i < text.n; i++) {
        char c = text.p[i];
        good = (c >= '0' && c <= '9') || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-';
    }
    if (!good || (!number_parse_decimal(text, 0, &ignored) && text.n < 19 &&
                  str_find(text, 'e') == text.n && str_find(text, 'E') == text.n)) {
        return false;
    }
    *ret_value = number_parse_double(text);
    return isfinite(*ret_value);
}

struct str aws_scalar_text(const struct aws_shape *shape, const void *slot,
                           enum aws_time_format time_format, struct arena *arena)
{
    char room[AWS_TIME_TEXT_MAX];
    switch (shape->type) {
    case AWS_TEXT:
    case AWS_DOCUMENT:
        return *(const struct str *)slot;
    case AWS_BLOB:
        return base64_encode(*(const struct str *)slot, arena);
    case AWS_BOOL:
        return ((const struct opt_bool *)slot)->v ? STR("true") : STR("false");
    case AWS_INT:
        return str_copy(arena, number_format_decimal(((const struct opt_i64 *)slot)->v, 0, room));
    case AWS_DOUBLE:
        return aws_double_text(((const struct aws_opt_double *)slot)->v, arena);
    case AWS_TIME:
        return str_copy(arena,
                        aws_time_format(((const struct opt_wall *)slot)->v,
                                        shape->time_format == AWS_TIME_DEFAULT ? time_format
                                                                               : shape->time_format,
                                        room));
    case AWS_STRUCT:
    case AWS_LIST:
    case AWS_MAP:
        break;
    }
    return STR_EMPTY;
}

static bool fault(struct str text, const char *want, struct err *err)
{
    struct str shown = str_sub(text, 0, SHOWN_BYTES);
    return err_set(err, ERR_PARSE, "\"" STR_FMT "\" is not %s", STR_ARG(shown), want);
}

static bool parse_blob(struct str text, struct arena *arena, struct str *ret_blob, struct err *err)
{
    return base64_decode(text, arena, ret_blob) || fault(text, "base64", err);
}

static bool parse_bool(struct str text, struct opt_bool *ret_value, struct err *err)
{
    bool yes = str_eq(text, STR("true"));
    if (!yes && !str_eq(text, STR("false"))) {
        return fault(text, "true or false", err);
    }
    *ret_value = (struct opt_bool){.has = true, .v = yes};
    return true;
}

static bool parse_time(struct str text, struct opt_wall *ret_value, struct err *err)
{
    if (!aws_time_parse(text, &ret_value->v, err)) {
        err->code = ERR_PARSE;
        return false;
    }
    ret_value->has = true;
    return true;
}

bool aws_scalar_parse(const struct aws_shape *shape, struct str text, struct arena *arena,
                      void *slot, struct err *err)
{
    struct str trimmed = str_trim(text);
    struct opt_i64 number = {.has = true};
    struct aws_opt_double real = {.has = true};
    switch (shape->type) {
    case AWS_TEXT:
    case AWS_DOCUMENT:
        *(struct str *)slot = text.n == 0 ? STR("") : str_copy(arena, text);
        return true;
    case AWS_BLOB:
        return parse_blob(trimmed, arena, slot, err);
    case AWS_BOOL:
        return parse_bool(trimmed, slot, err);
    case AWS_INT:
        if (!str_to_i64(trimmed, &number.v)) {
            return fault(text, "an integer", err);
        }
        *(struct opt_i64 *)slot = number;
        return true;
    case AWS_DOUBLE:
        if (!aws_double_parse(trimmed, &real.v)) {
            return fault(text, "a number", err);
        }
        *(struct aws_opt_double *)slot = real;
        return true;
    case AWS_TIME:
        return parse_time(trimmed, slot, err);
    case AWS_STRUCT:
    case AWS_LIST:
    case AWS_MAP:
        break;
    }
    return fault(text, "a single value", err);
}
