/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/yaml_block.h"

#include <assert.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/arena.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "base/yaml_scalar.h"

enum { KEY_MAX = 1000 }; /* libyaml gives up on longer ones */

static enum json_status mapping(struct yaml_block *b, struct yaml_line line, int depth, bool build,
                                json_t **ret_value);
static enum json_status list(struct yaml_block *b, struct yaml_line line, int depth, bool build,
                             json_t **ret_value);

/* A character that libyaml prints in a scalar and that does not break a line. */
static bool is_printable(uint32_t code)
{
    return (code >= 0x20 && code <= 0x7e) ||
           (code >= 0xa0 && code <= 0xfffd && code != 0x2028 && code != 0x2029 && code != 0xfeff) ||
           code >= 0x10000;
}

/* The length of the line at p, without its newline; SIZE_MAX when it has anything but printable
 * characters (and tabs, if those are welcome). */
static size_t line_length(const char *p, size_t n, bool tabs)
{
    size_t i = 0;
    while (i < n) {
#ifdef __SSE2__
        while (n - i >= 16) {
            __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
            /* Signed: below a blank are control characters and bytes from 0x80 on; 0x7f is the
             * other one that is not ASCII text. */
            __m128i strange = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')),
                                           _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
            if (_mm_movemask_epi8(strange) != 0) {
                break;
            }
            i += 16;
        }
        if (i == n) {
            break;
        }
#endif
        unsigned char c = (unsigned char)p[i];
        if (c >= 0x20 && c <= 0x7e) {
            i++;
            continue;
        }
        if (c == '\n') {
            return i;
        }
        uint32_t code = 0;
        size_t size = c == '\t' && tabs ? 1 : c < 0x80 ? 0 : utf8_decode(p + i, n - i, &code);
        if (size == 0 || (c >= 0x80 && !is_printable(code))) {
            return SIZE_MAX;
        }
        i += size;
    }
    return i;
}

/* The line at p, with its newline: DONE, MORE when its end is not in the text, BAD for strange
 * characters. */
static enum json_status whole_line(const struct yaml_block *b, const char *p, bool tabs,
                                   struct str *ret_line, const char **ret_next)
{
    assert(p != NULL && p <= b->end);
    size_t left = (size_t)(b->end - p);
    const char *newline = left == 0 ? NULL : memchr(p, '\n', left);
    if (newline == NULL && !b->final) {
        return JSON_MORE;
    }
    size_t n = newline == NULL ? left : (size_t)(newline - p);
    if (line_length(p, n, tabs) != n) {
        return JSON_BAD;
    }
    *ret_line = (struct str){.p = p, .n = n};
    *ret_next = newline == NULL ? b->end : newline + 1;
    return JSON_DONE;
}

static size_t count_blanks(struct str s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] == ' ') {
        n++;
    }
    return n;
}

static struct str trim_end(struct str s)
{
    while (s.n > 0 && s.p[s.n - 1] == ' ') {
        s.n--;
    }
    return s;
}

static enum json_status find_line(const struct yaml_block *b, struct yaml_line *ret_line)
{
    const char *p = b->p, *next = NULL;
    for (;; p = next) {
        struct str line = STR_EMPTY;
        assert(p != NULL);
        if (p == b->end) {
            if (!b->final) {
                return JSON_MORE;
            }
            *ret_line =
                (struct yaml_line){.indent = -1, .start = p, .content = STR_EMPTY, .next = p};
            return JSON_DONE;
        }
        enum json_status status = whole_line(b, p, /* tabs= */ false, &line, &next);
        if (status != JSON_DONE) {
            return status;
        }
        size_t indent = count_blanks(line);
        if (indent == line.n || p[indent] == '#') {
            continue;
        }
        if (indent > LIMIT_OBJECT_BYTES) {
            return JSON_BAD;
        }
        struct str content = trim_end(str_sub(line, indent, line.n));
        bool mark = indent == 0 && line.n >= 3 && (line.n == 3 || line.p[3] == ' ');
        if (mark && memcmp(line.p, "...", 3) == 0) {
            return JSON_BAD;
        }
        mark = mark && memcmp(line.p, "---", 3) == 0;
        *ret_line = (struct yaml_line){
            .indent = mark ? -1 : (int)indent, .start = p, .content = content, .next = next};
        return JSON_DONE;
    }
}

enum json_status yaml_block_line(struct yaml_block *b, struct yaml_line *ret_line)
{
    if (b->seen_at == b->p && b->seen_at != NULL) {
        *ret_line = b->seen;
        return JSON_DONE;
    }
    enum json_status status = find_line(b, ret_line);
    if (status == JSON_DONE) {
        b->seen_at = b->p;
        b->seen = *ret_line;
    }
    return status;
}

bool yaml_block_is_item(struct str content)
{
    return content.n > 0 && content.p[0] == '-' && (content.n == 1 || content.p[1] == ' ');
}

static int hex_digit(char c)
{
    char low = (char)(c | 0x20);
    return c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* \uXXXX behind the 'u'; no surrogates, no NUL. */
static bool unicode_escape(struct str s, uint32_t *ret_code)
{
    uint32_t code = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = i < s.n ? hex_digit(s.p[i]) : -1;
        if (digit < 0) {
            return false;
        }
        code = code * 16 + (uint32_t)digit;
    }
    *ret_code = code;
    return code != 0 && (code < 0xd800 || code > 0xdfff);
}

/* A double-quoted string at s.p[0]; on one line. */
static bool double_quoted(struct yaml_block *b, struct str s, struct str *ret_text,
                          size_t *ret_used)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    size_t i = 1;
    while (i < s.n && s.p[i] != '"' && s.p[i] != '\\') {
        i++;
    }
    if (i < s.n && s.p[i] == '"') {
        *ret_text = str_sub(s, 1, i - 1);
        *ret_used = i + 1;
        return true;
    }
    char *out = arena_alloc(b->scratch, s.n + UTF8_MAX_BYTES);
    size_t n = 0;
    for (i = 1; i < s.n && s.p[i] != '"'; i++) {
        if (s.p[i] != '\\') {
            out[n++] = s.p[i];
            continue;
        }
        i++;
        const char *hit = i < s.n ? memchr(from, s.p[i], sizeof from - 1) : NULL;
        uint32_t code = 0;
        if (hit != NULL) {
            out[n++] = to[hit - from];
        } else if (i < s.n && s.p[i] == 'u' && unicode_escape(str_sub(s, i + 1, 4), &code)) {
            n += utf8_encode(code, out + n);
            i += 4;
        } else {
            return false;
        }
    }
    *ret_text = (struct str){.p = out, .n = n};
    *ret_used = i + 1;
    return i < s.n;
}

static bool single_quoted(struct yaml_block *b, struct str s, struct str *ret_text,
                          size_t *ret_used)
{
    char *out = arena_alloc(b->scratch, s.n);
    size_t n = 0, i = 1;
    for (; i < s.n; i++) {
        if (s.p[i] == '\'' && (i + 1 == s.n || s.p[i + 1] != '\'')) {
            break;
        }
        i += s.p[i] == '\'' ? 1 : 0;
        out[n++] = s.p[i];
    }
    *ret_text = (struct str){.p = out, .n = n};
    *ret_used = i + 1;
    return i < s.n;
}

static bool quoted(struct yaml_block *b, struct str s, struct str *ret_text, size_t *ret_used)
{
    return s.p[0] == '"' ? double_quoted(b, s, ret_text, ret_used)
                         : single_quoted(b, s, ret_text, ret_used);
}

/* Whether a plain scalar may begin so; '?' and ':' may, but are rare and left to the full parser.
 */
static bool starts_plain(struct str s)
{
    return memchr("?:,[]{}#&*!|>'\"%@`", s.p[0], 18) == NULL && !yaml_block_is_item(s);
}

/* Index of the ':' that ends a plain key, or s.n; SIZE_MAX when a comment comes first. */
static size_t plain_key_end(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == ':' && (i + 1 == s.n || s.p[i + 1] == ' ')) {
            return i;
        }
        if (s.p[i] == '#' && i > 0 && s.p[i - 1] == ' ') {
            return SIZE_MAX;
        }
    }
    return s.n;
}

/* Whether content is a member: *ret_key_end is the colon's index. False with JSON_DONE: it is a
 * scalar. */
static enum json_status find_key(struct yaml_block *b, struct str content, bool *ret_is_key,
                                 struct str *ret_key, size_t *ret_colon)
{
    size_t used = 0;
    assert(content.p != NULL && content.n > 0);
    *ret_is_key = false;
    if (content.p[0] == '"' || content.p[0] == '\'') {
        if (!quoted(b, content, ret_key, &used)) {
            return JSON_BAD;
        }
        *ret_is_key = used < content.n && content.p[used] == ':' &&
                      (used + 1 == content.n || content.p[used + 1] == ' ');
        *ret_colon = used;
        return used == content.n || *ret_is_key ? JSON_DONE : JSON_BAD;
    }
    if (!starts_plain(content)) {
        return JSON_DONE;
    }
    size_t colon = plain_key_end(content);
    if (colon == SIZE_MAX) {
        return JSON_BAD;
    }
    if (colon == content.n) {
        return JSON_DONE;
    }
    *ret_key = str_sub(content, 0, colon);
    *ret_is_key = true;
    *ret_colon = colon;
    bool strange = ret_key->n == 0 || ret_key->p[ret_key->n - 1] == ' ' ||
                   yaml_resolve(*ret_key).kind != YAML_STR || str_eq(*ret_key, STR("<<"));
    return strange ? JSON_BAD : JSON_DONE;
}

enum json_status yaml_block_key(struct yaml_block *b, struct str content, struct str *ret_key,
                                struct str *ret_rest)
{
    bool is_key = false;
    size_t colon = 0;
    if (find_key(b, content, &is_key, ret_key, &colon) != JSON_DONE || !is_key || colon > KEY_MAX) {
        return JSON_BAD;
    }
    struct str rest = str_sub(content, colon + 1, content.n);
    *ret_rest = str_sub(rest, count_blanks(rest), rest.n);
    return JSON_DONE;
}

static json_t *resolved(struct str text)
{
    struct yaml_value value = yaml_resolve(text);
    switch (value.kind) {
    case YAML_NULL:
        return json_null();
    case YAML_BOOL:
        return json_boolean(value.boolean);
    case YAML_INT:
        return json_integer(value.integer);
    case YAML_REAL:
        return json_real(value.real);
    case YAML_STR:
        break;
    }
    return json_stringn_nocheck(text.p, text.n);
}

/* A scalar, {} or [] that ends with its line; `text` is not empty. */
static enum json_status one_line_value(struct yaml_block *b, struct str text, bool build,
                                       json_t **ret_value)
{
    struct str unquoted = STR_EMPTY;
    size_t used = 0;
    if (text.p[0] == '"' || text.p[0] == '\'') {
        if (!quoted(b, text, &unquoted, &used) || used != text.n) {
            return JSON_BAD;
        }
        *ret_value = build ? json_stringn_nocheck(unquoted.p, unquoted.n) : NULL;
        return JSON_DONE;
    }
    if (text.n == 2 &&
        ((text.p[0] == '{' && text.p[1] == '}') || (text.p[0] == '[' && text.p[1] == ']'))) {
        *ret_value = !build ? NULL : text.p[0] == '{' ? json_object() : json_array();
        return JSON_DONE;
    }
    if (!starts_plain(text) || plain_key_end(text) != text.n) {
        return JSON_BAD;
    }
    *ret_value = build ? resolved(text) : NULL;
    return JSON_DONE;
}

/* After a value that is complete on its lines: a deeper line would go on with it, which is for the
 * full parser. */
static enum json_status nothing_deeper(struct yaml_block *b, int column, json_t **value)
{
    struct yaml_line line;
    enum json_status status = yaml_block_line(b, &line);
    if (status == JSON_DONE && line.indent <= column) {
        return JSON_DONE;
    }
    json_decref(*value);
    *value = NULL;
    return status == JSON_MORE ? JSON_MORE : JSON_BAD;
}

/* A literal block under "|" or "|-"; its lines are deeper than `column`. */
static enum json_status literal(struct yaml_block *b, bool strip, int column, bool build,
                                json_t **ret_value)
{
    struct strbuf text = strbuf_new(b->scratch, LIMIT_OBJECT_BYTES);
    size_t indent = 0, n_breaks = 0;
    for (;;) {
        struct str line = STR_EMPTY;
        const char *next = NULL;
        if (b->p == b->end && b->final) {
            break;
        }
        enum json_status status = whole_line(b, b->p, /* tabs= */ true, &line, &next);
        if (status != JSON_DONE) {
            return status;
        }
        size_t blanks = count_blanks(line);
        bool empty = line.n == 0;
        if (!empty && (blanks == line.n || line.p[blanks] == '\t' ||
                       (b->final && next == b->end && next[-1] != '\n'))) {
            return JSON_BAD; /* blanks only, a tab before the text, or no newline at the end */
        }
        if (indent == 0) {
            if (empty || (int64_t)blanks <= column) {
                return JSON_BAD;
            }
            indent = blanks;
        }
        if (!empty && blanks < indent) {
            break;
        }
        if (!empty) {
            strbuf_pad(&text, '\n', n_breaks);
            strbuf_add(&text, str_sub(line, indent, line.n));
            n_breaks = 0;
        }
        n_breaks++;
        b->p = next;
    }
    if (indent == 0 || text.overflow) {
        return JSON_BAD;
    }
    strbuf_pad(&text, '\n', strip ? 0 : 1);
    *ret_value = build ? json_stringn_nocheck(text.p, text.n) : NULL;
    return nothing_deeper(b, column, ret_value);
}

/* A value on lines of its own, deeper than `column` (or a list at it, for a member); nothing there
 * is null. */
static enum json_status value_below(struct yaml_block *b, int column, bool list_at_column,
                                    int depth, bool build, json_t **ret_value)
{
    struct yaml_line line;
    enum json_status status = yaml_block_line(b, &line);
    if (status != JSON_DONE) {
        return status;
    }
    bool item = line.indent >= 0 && yaml_block_is_item(line.content);
    if (item && (line.indent > column || (list_at_column && line.indent == column))) {
        return list(b, line, depth, build, ret_value);
    }
    if (line.indent > column) {
        return mapping(b, line, depth, build, ret_value);
    }
    if (line.indent == column && !item) {
        /* Another member follows; anything else at this column would be the value, for libyaml. */
        bool is_key = false;
        struct str key = STR_EMPTY;
        size_t colon = 0;
        if (find_key(b, line.content, &is_key, &key, &colon) != JSON_DONE || !is_key) {
            return JSON_BAD;
        }
    }
    *ret_value = build ? json_null() : NULL;
    return JSON_DONE;
}

/* The header of a literal block that the plain part knows. */
static bool is_literal(struct str rest)
{
    return rest.p[0] == '|' && (rest.n == 1 || (rest.n == 2 && rest.p[1] == '-'));
}

static enum json_status member_value(struct yaml_block *b, const struct yaml_line *line,
                                     struct str rest, int column, int depth, bool build,
                                     json_t **ret_value)
{
    b->p = line->next;
    if (++b->n_values > LIMIT_YAML_EVENTS / 2) {
        return JSON_BAD;
    }
    if (rest.n == 0) {
        return value_below(b, column, /* list_at_column= */ true, depth, build, ret_value);
    }
    if (is_literal(rest)) {
        return literal(b, rest.n == 2, column, build, ret_value);
    }
    enum json_status status = one_line_value(b, rest, build, ret_value);
    return status == JSON_DONE ? nothing_deeper(b, column, ret_value) : status;
}

/* Whether the value is an object or a list, for what is dropped only then. */
static bool is_container(struct yaml_block *b, struct str rest, int column)
{
    struct yaml_line line;
    if (rest.n > 0) {
        return rest.p[0] == '{' || rest.p[0] == '[';
    }
    return yaml_block_line(b, &line) == JSON_DONE &&
           (line.indent > column || (line.indent == column && yaml_block_is_item(line.content)));
}

/* One member of a mapping at line.indent. */
static enum json_status member(struct yaml_block *b, const struct yaml_line *line, int depth,
                               json_t *object)
{
    struct str key = STR_EMPTY, rest = STR_EMPTY;
    json_t *value = NULL;
    enum json_status status = yaml_block_key(b, line->content, &key, &rest);
    if (status != JSON_DONE) {
        return status;
    }
    b->p = line->next;
    bool build = object != NULL && !json_drop_any(b->drop, key) &&
                 !(json_drop_container(b->drop, key) && is_container(b, rest, line->indent));
    status = member_value(b, line, rest, line->indent, depth, build, &value);
    if (status != JSON_DONE || !build) {
        return status;
    }
    size_t before = json_object_size(object);
    char name[KEY_MAX + 1];
    memcpy(name, key.p == NULL ? "" : key.p, key.n);
    name[key.n] = '\0';
    (void)json_object_set_new_nocheck(object, name, value);
    return json_object_size(object) == before ? JSON_BAD : JSON_DONE;
}

/* A mapping whose first member is in `line`; the others are at the same column. */
static enum json_status mapping(struct yaml_block *b, struct yaml_line line, int depth, bool build,
                                json_t **ret_value)
{
    int column = line.indent;
    if (depth >= LIMIT_NESTING) {
        return JSON_BAD;
    }
    json_t *object = build ? json_object() : NULL;
    enum json_status status = JSON_DONE;
    while (status == JSON_DONE && line.indent == column) {
        struct arena_mark mark = arena_mark(b->scratch);
        status = member(b, &line, depth + 1, object);
        arena_rewind(b->scratch, mark);
        status = status == JSON_DONE ? yaml_block_line(b, &line) : status;
    }
    if (status == JSON_DONE && line.indent > column) {
        status = JSON_BAD;
    }
    if (status != JSON_DONE) {
        json_decref(object);
        return status;
    }
    *ret_value = object;
    return JSON_DONE;
}

static enum json_status item(struct yaml_block *b, const struct yaml_line *line, int depth,
                             bool build, json_t **ret_value)
{
    int column = line->indent;
    struct str rest = str_sub(line->content, 1, line->content.n), key = STR_EMPTY;
    size_t blanks = count_blanks(rest), colon = 0;
    bool is_key = false;
    rest = str_sub(rest, blanks, rest.n);
    b->p = line->next;
    if (++b->n_values > LIMIT_YAML_EVENTS / 2) {
        return JSON_BAD;
    }
    if (rest.n == 0) {
        return value_below(b, column, /* list_at_column= */ false, depth, build, ret_value);
    }
    struct yaml_line inner = {.indent = column + 1 + (int)blanks,
                              .start = line->start,
                              .content = rest,
                              .next = line->next};
    if (yaml_block_is_item(rest)) {
        return list(b, inner, depth, build, ret_value);
    }
    if (is_literal(rest)) {
        return literal(b, rest.n == 2, column, build, ret_value);
    }
    if (find_key(b, rest, &is_key, &key, &colon) != JSON_DONE) {
        return JSON_BAD;
    }
    if (is_key) {
        return mapping(b, inner, depth, build, ret_value);
    }
    enum json_status status = one_line_value(b, rest, build, ret_value);
    return status == JSON_DONE ? nothing_deeper(b, column, ret_value) : status;
}

/* A list whose first item is in `line`; the others are at the same column. */
static enum json_status list(struct yaml_block *b, struct yaml_line line, int depth, bool build,
                             json_t **ret_value)
{
    int column = line.indent;
    if (depth >= LIMIT_NESTING) {
        return JSON_BAD;
    }
    json_t *array = build ? json_array() : NULL;
    enum json_status status = JSON_DONE;
    while (status == JSON_DONE && line.indent == column && yaml_block_is_item(line.content)) {
        json_t *element = NULL;
        struct arena_mark mark = arena_mark(b->scratch);
        status = item(b, &line, depth + 1, build, &element);
        arena_rewind(b->scratch, mark);
        if (status == JSON_DONE && build) {
            (void)json_array_append_new(array, element);
        }
        status = status == JSON_DONE ? yaml_block_line(b, &line) : status;
    }
    if (status == JSON_DONE && line.indent > column) {
        status = JSON_BAD;
    }
    if (status != JSON_DONE) {
        json_decref(array);
        return status;
    }
    *ret_value = array;
    return JSON_DONE;
}

enum json_status yaml_block_member_value(struct yaml_block *b, const struct yaml_line *line,
                                         struct str rest, int depth, json_t **ret_value)
{
    return member_value(b, line, rest, line->indent, depth, /* build= */ true, ret_value);
}

enum json_status yaml_block_item(struct yaml_block *b, const struct yaml_line *line, int depth,
                                 json_t **ret_value)
{
    return item(b, line, depth, /* build= */ true, ret_value);
}
