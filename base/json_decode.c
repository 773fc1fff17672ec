/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json_decode.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/arena.h"
#include "base/limits.h"
#include "base/number.h"
#include "base/utf8.h"

struct decoder {
    const char *p, *end; /* what is left */
    bool final;
    const struct json_drop *drop;
    struct arena *scratch;
    struct err *err;
};

/* The result of a part: JSON_DONE with *ret set, or not at all. */
static enum json_status value(struct decoder *d, int depth, bool build, json_t **ret_value);

size_t json_blanks(const char *p, const char *end)
{
    const char *start = p;
    for (;;) {
#ifdef __SSE2__
        while (end - p >= 16) {
            __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
            unsigned others =
                ~(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' '))) & 0xffffU;
            if (others != 0) {
                p += __builtin_ctz(others);
                break;
            }
            p += 16;
        }
#endif
        if (p == end || (*p != ' ' && *p != '\n' && *p != '\r' && *p != '\t')) {
            return (size_t)(p - start);
        }
        p++;
    }
}

size_t json_count_lines(const char *p, const char *end)
{
    size_t n = 0;
    for (; p < end; p++) {
        n += *p == '\n' ? 1 : 0;
    }
    return n;
}

static bool listed(const struct str *names, struct str key)
{
    for (; names != NULL && names->n > 0; names++) {
        if (names->n == key.n && names->p[0] == key.p[0] && memcmp(names->p, key.p, key.n) == 0) {
            return true;
        }
    }
    return false;
}

bool json_drop_any(const struct json_drop *drop, struct str key)
{
    return drop != NULL && listed(drop->any, key);
}

bool json_drop_container(const struct json_drop *drop, struct str key)
{
    return drop != NULL && listed(drop->containers, key);
}

static enum json_status more(const struct decoder *d)
{
    if (d->final) {
        (void)err_set(d->err, ERR_PARSE,
                      "the input ends in the middle of a value (is it truncated?)");
        return JSON_BAD;
    }
    return JSON_MORE;
}

/* "expected X, got Y" for the byte at d->p. */
static enum json_status unexpected(const struct decoder *d, const char *expected)
{
    unsigned char c = (unsigned char)*d->p;
    if (c > 0x20 && c < 0x7f) {
        size_t n = 1;
        while (n < 16 && n < (size_t)(d->end - d->p) && d->p[n] > ' ' && d->p[n] < 0x7f) {
            n++;
        }
        (void)err_set(d->err, ERR_PARSE, "expected %s, got '%.*s'", expected, (int)n, d->p);
    } else if (c >= 0x80) {
        (void)err_set(d->err, ERR_PARSE, "expected %s, got the byte 0x%02x", expected, c);
    } else {
        (void)err_set(d->err, ERR_PARSE, "expected %s, got the control character 0x%02x", expected,
                      c);
    }
    return JSON_BAD;
}

/* The first byte at or after p that a string must be looked at for: quote, backslash, control
 * character, or not ASCII. */
static const char *string_special(const char *p, const char *end)
{
#ifdef __SSE2__
    while (end - p >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i quotes = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                      _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
        /* Signed: bytes from 0x80 on are negative, so this finds them and the control characters
         * alike. */
        __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(' '));
        unsigned hits = (unsigned)_mm_movemask_epi8(_mm_or_si128(quotes, low));
        if (hits != 0) {
            return p + __builtin_ctz(hits);
        }
        p += 16;
    }
#endif
    while (p < end && *p != '"' && *p != '\\' && (signed char)*p >= ' ') {
        p++;
    }
    return p;
}

/* The end of the literal that begins behind the opening quote at d->p; notes whether it needs
 * decoding. Leaves d->p at a mistake. */
static enum json_status string_end(struct decoder *d, const char **ret_end, bool *ret_escapes)
{
    const char *p = d->p;
    *ret_escapes = false;
    for (;;) {
        p = string_special(p, d->end);
        if (p == d->end) {
            return more(d);
        }
        unsigned char c = (unsigned char)*p;
        uint32_t code = 0;
        if (c == '"') {
            *ret_end = p;
            return JSON_DONE;
        }
        if (c == '\\') {
            *ret_escapes = true;
            if (d->end - p < 2) {
                return more(d);
            }
            p += 2;
            continue;
        }
        size_t size = c < 0x20 ? 0 : utf8_decode(p, (size_t)(d->end - p), &code);
        if (size == 0) {
            if (c >= 0x80 && d->end - p < UTF8_MAX_BYTES && !d->final) {
                return JSON_MORE;
            }
            d->p = p;
            (void)err_set(d->err, ERR_PARSE,
                          c < 0x20 ? "control character 0x%02x in a string (an unclosed quote?)"
                                   : "byte 0x%02x in a string is not UTF-8",
                          c);
            return JSON_BAD;
        }
        p += size;
    }
}

static bool hex4(const char *p, const char *end, uint32_t *ret_code)
{
    uint32_t code = 0;
    if (end - p < 4) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        char c = p[i], low = (char)(c | 0x20);
        if (!((c >= '0' && c <= '9') || (low >= 'a' && low <= 'f'))) {
            return false;
        }
        code = code * 16 + (uint32_t)(c <= '9' ? c - '0' : low - 'a' + 10);
    }
    *ret_code = code;
    return true;
}

/* "\u0041" or a surrogate pair at *at (behind the 'u'); lone surrogates become U+FFFD, as Go reads
 * them. */
static bool unicode_escape(const char **at, const char *end, uint32_t *ret_code)
{
    uint32_t code = 0, low = 0;
    if (!hex4(*at, end, &code)) {
        return false;
    }
    *at += 4;
    if (code >= 0xd800 && code < 0xdc00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u' &&
        hex4(*at + 2, end, &low) && low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        *at += 6;
    }
    *ret_code = code;
    return true;
}

/* Decodes escapes of [p, end) into out (large enough); false with *at at the mistake. */
static bool unescape(const char *p, const char *end, char *out, size_t *ret_n, const char **ret_at)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    size_t n = 0;
    while (p < end) {
        const char *slash = memchr(p, '\\', (size_t)(end - p));
        size_t run = (size_t)((slash == NULL ? end : slash) - p);
        memcpy(out + n, p, run);
        n += run;
        p += run;
        if (slash == NULL) {
            break;
        }
        *ret_at = slash;
        const char *hit = memchr(from, slash[1], sizeof from - 1);
        uint32_t code = 0;
        p = slash + 2;
        if (hit != NULL) {
            out[n++] = to[hit - from];
        } else if (slash[1] == 'u' && unicode_escape(&p, end, &code) && code != 0) {
            n += utf8_encode(code, out + n);
        } else {
            return false;
        }
    }
    *ret_n = n;
    return true;
}

/* The string at d->p (at its opening quote): a view of the text or of scratch. */
static enum json_status string(struct decoder *d, struct str *ret_string)
{
    const char *end = NULL;
    bool escapes = false;
    const char *open = d->p++;
    enum json_status status = string_end(d, &end, &escapes);
    if (status != JSON_DONE) {
        return status;
    }
    size_t n = (size_t)(end - d->p);
    *ret_string = (struct str){.p = d->p, .n = n};
    if (escapes) {
        char *out = arena_alloc(d->scratch, n);
        const char *at = open;
        if (!unescape(d->p, end, out, &n, &at)) {
            d->p = at;
            (void)err_set(d->err, ERR_PARSE, "invalid escape '%.*s' in a string",
                          (int)(end - at < 6 ? end - at : 6), at);
            return JSON_BAD;
        }
        *ret_string = (struct str){.p = out, .n = n};
    }
    d->p = end + 1;
    return JSON_DONE;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Skips digits; false when there is none. */
static bool digits(const char **p, const char *end)
{
    const char *start = *p;
    while (*p < end && is_digit(**p)) {
        (*p)++;
    }
    return *p > start;
}

/* The end of the number at d->p; a number at the end of the text may go on. */
static enum json_status number_end(struct decoder *d, const char **ret_end, bool *ret_integer)
{
    const char *p = d->p + (*d->p == '-' ? 1 : 0);
    bool good = true;
    *ret_integer = true;
    if (p < d->end && *p == '0') {
        p++;
    } else {
        good = digits(&p, d->end);
    }
    if (good && p < d->end && *p == '.') {
        p++;
        *ret_integer = false;
        good = digits(&p, d->end);
    }
    if (good && p < d->end && (*p == 'e' || *p == 'E')) {
        p++;
        *ret_integer = false;
        p += p < d->end && (*p == '-' || *p == '+') ? 1 : 0;
        good = digits(&p, d->end);
    }
    if (p == d->end && !d->final) {
        return JSON_MORE;
    }
    if (!good || (p < d->end && (is_digit(*p) || *p == '.' || (*p | 0x20) == 'e'))) {
        return unexpected(d, "a number");
    }
    *ret_end = p;
    return JSON_DONE;
}

static enum json_status number(struct decoder *d, bool build, json_t **ret_value)
{
    const char *end = NULL;
    bool integer = false;
    enum json_status status = number_end(d, &end, &integer);
    if (status != JSON_DONE) {
        return status;
    }
    struct str text = {.p = d->p, .n = (size_t)(end - d->p)};
    int64_t whole = 0;
    d->p = end;
    if (!build) {
        return JSON_DONE;
    }
    if (integer && str_to_i64(text, &whole)) {
        *ret_value = json_integer(whole);
        return JSON_DONE;
    }
    double real = text.n <= NUMBER_PARSE_MAX ? number_parse_double(text) : 0;
    bool finite = text.n <= NUMBER_PARSE_MAX && real - real == 0;
    *ret_value = finite ? json_real(real) : json_stringn_nocheck(text.p, text.n);
    return JSON_DONE;
}

struct literal {
    struct str text;
    json_type type; /* JSON_STRING: kept as text */
};

static json_t *literal_json(const struct literal *literal)
{
    return literal->type == JSON_TRUE    ? json_true()
           : literal->type == JSON_FALSE ? json_false()
           : literal->type == JSON_NULL  ? json_null()
                                         : json_stringn_nocheck(literal->text.p, literal->text.n);
}

static enum json_status word(struct decoder *d, json_t **ret_value)
{
    static const struct literal literals[] = {
        {STR("true"), JSON_TRUE},  {STR("false"), JSON_FALSE},     {STR("null"), JSON_NULL},
        {STR("NaN"), JSON_STRING}, {STR("Infinity"), JSON_STRING}, {STR("-Infinity"), JSON_STRING}};
    struct str rest = {.p = d->p, .n = (size_t)(d->end - d->p)};
    for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++) {
        if (str_starts(rest, literals[i].text)) {
            d->p += literals[i].text.n;
            *ret_value = literal_json(&literals[i]);
            return JSON_DONE;
        }
        if (str_starts(literals[i].text, rest) && !d->final) {
            return JSON_MORE;
        }
    }
    return unexpected(d, "a value");
}

static bool blanks(struct decoder *d)
{
    d->p += json_blanks(d->p, d->end);
    return d->p < d->end;
}

/* After a member or element: ',' (true in *ret_again) or `close`. */
static enum json_status separator(struct decoder *d, char close, const char *expected,
                                  bool *ret_again)
{
    if (!blanks(d)) {
        return more(d);
    }
    if (*d->p != ',' && *d->p != close) {
        return unexpected(d, expected);
    }
    *ret_again = *d->p == ',';
    d->p++;
    return JSON_DONE;
}

static enum json_status add_member(struct decoder *d, json_t *object, struct str key,
                                   json_t *member)
{
    size_t before = json_object_size(object);
#if JANSSON_VERSION_HEX >= 0x020e00
    (void)json_object_setn_new_nocheck(object, key.p, key.n, member);
#else
    (void)json_object_set_new_nocheck(object, str_cstr(d->scratch, key), member);
#endif
    if (json_object_size(object) == before) {
        (void)err_set(d->err, ERR_PARSE, "the member \"%.*s\" is there twice",
                      (int)(key.n > 64 ? 64 : key.n), key.p);
        return JSON_BAD;
    }
    return JSON_DONE;
}

/* One member, from its key to its value. */
static enum json_status member(struct decoder *d, int depth, json_t *object)
{
    struct str key = STR_EMPTY;
    json_t *built = NULL;
    if (!blanks(d)) {
        return more(d);
    }
    if (*d->p != '"') {
        return unexpected(d, "a member's name in double quotes");
    }
    struct arena_mark mark = arena_mark(d->scratch);
    enum json_status status = string(d, &key);
    if (status != JSON_DONE) {
        return status;
    }
    if (!blanks(d)) {
        return more(d);
    }
    if (*d->p != ':') {
        return unexpected(d, "':' after a member's name");
    }
    d->p++;
    if (!blanks(d)) {
        return more(d);
    }
    bool container = *d->p == '{' || *d->p == '[';
    bool build = object != NULL && !json_drop_any(d->drop, key) &&
                 !(container && json_drop_container(d->drop, key));
    status = value(d, depth, build, &built);
    if (status == JSON_DONE && build) {
        status = add_member(d, object, key, built);
    }
    arena_rewind(d->scratch, mark);
    return status;
}

static enum json_status object_rest(struct decoder *d, int depth, json_t *object)
{
    bool again = true;
    d->p++;
    if (!blanks(d)) {
        return more(d);
    }
    if (*d->p == '}') {
        d->p++;
        return JSON_DONE;
    }
    while (again) {
        enum json_status status = member(d, depth, object);
        status =
            status == JSON_DONE ? separator(d, '}', "',' or '}' after a member", &again) : status;
        if (status != JSON_DONE) {
            return status;
        }
    }
    return JSON_DONE;
}

static enum json_status array_rest(struct decoder *d, int depth, json_t *array)
{
    bool again = true;
    d->p++;
    if (!blanks(d)) {
        return more(d);
    }
    if (*d->p == ']') {
        d->p++;
        return JSON_DONE;
    }
    while (again) {
        json_t *element = NULL;
        enum json_status status = value(d, depth, array != NULL, &element);
        if (status == JSON_DONE && array != NULL) {
            (void)json_array_append_new(array, element);
        }
        status =
            status == JSON_DONE ? separator(d, ']', "',' or ']' after an element", &again) : status;
        if (status != JSON_DONE) {
            return status;
        }
    }
    return JSON_DONE;
}

static enum json_status container(struct decoder *d, int depth, bool build, json_t **ret_value)
{
    bool is_object = *d->p == '{';
    if (depth >= LIMIT_NESTING) {
        (void)err_set(d->err, ERR_LIMIT, "more than %d levels of nesting (LIMIT_NESTING)",
                      (int)LIMIT_NESTING);
        return JSON_BAD;
    }
    json_t *built = !build ? NULL : is_object ? json_object() : json_array();
    enum json_status status =
        is_object ? object_rest(d, depth + 1, built) : array_rest(d, depth + 1, built);
    if (status != JSON_DONE) {
        json_decref(built);
        return status;
    }
    *ret_value = built;
    return JSON_DONE;
}

static enum json_status value(struct decoder *d, int depth, bool build, json_t **ret_value)
{
    struct str text = STR_EMPTY;
    if (!blanks(d)) {
        return more(d);
    }
    char c = *d->p;
    if (c == '"') {
        struct arena_mark mark = arena_mark(d->scratch);
        enum json_status status = string(d, &text);
        if (status == JSON_DONE && build) {
            *ret_value = json_stringn_nocheck(text.p, text.n);
        }
        arena_rewind(d->scratch, mark);
        return status;
    }
    if (c == '{' || c == '[') {
        return container(d, depth, build, ret_value);
    }
    if (is_digit(c) || (c == '-' && (d->p + 1 == d->end || d->p[1] != 'I'))) {
        return number(d, build, ret_value);
    }
    json_t *built = NULL;
    enum json_status status = word(d, &built);
    if (status == JSON_DONE && build) {
        *ret_value = built;
    } else {
        json_decref(built);
    }
    return status;
}

enum json_status json_decode(struct str text, bool final, const struct json_drop *drop,
                             struct arena *scratch, json_t **ret_value, size_t *ret_used,
                             struct err *err)
{
    text.p = text.p == NULL ? "" : text.p;
    struct decoder d = {.p = text.p,
                        .end = text.p + text.n,
                        .final = final,
                        .drop = drop,
                        .scratch = scratch,
                        .err = err};
    struct arena_mark mark = arena_mark(scratch);
    enum json_status status = value(&d, 0, /* build= */ true, ret_value);
    arena_rewind(scratch, mark);
    *ret_used = (size_t)(d.p - text.p);
    return status;
}

enum json_status json_decode_string(struct str text, bool final, struct arena *arena,
                                    struct str *ret_string, size_t *ret_used, struct err *err)
{
    text.p = text.p == NULL ? "" : text.p;
    struct decoder d = {.p = text.p,
                        .end = text.p + text.n,
                        .final = final,
                        .drop = NULL,
                        .scratch = arena,
                        .err = err};
    if (!blanks(&d)) {
        *ret_used = text.n;
        return more(&d);
    }
    enum json_status status =
        *d.p == '"' ? string(&d, ret_string) : unexpected(&d, "a string in double quotes");
    *ret_used = (size_t)(d.p - text.p);
    return status;
}

bool json_decode_text(struct str text, struct arena *scratch, json_t **ret_value, struct err *err)
{
    size_t used = 0;
    json_t *built = NULL;
    *ret_value = NULL;
    text.p = text.p == NULL ? "" : text.p;
    enum json_status status =
        json_decode(text, /* final= */ true, NULL, scratch, &built, &used, err);
    if (status == JSON_DONE) {
        used += json_blanks(text.p + used, text.p + text.n);
        if (used == text.n) {
            *ret_value = built;
            return true;
        }
        struct decoder d = {.p = text.p + used, .end = text.p + text.n, .final = true, .err = err};
        (void)unexpected(&d, "the end of the text");
    }
    json_decref(built);
    return err_wrap(err, "line %zu", json_count_lines(text.p, text.p + used) + 1);
}
