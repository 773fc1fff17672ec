/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/toml.h"

#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/units.h"
#include "base/utf8.h"

/* What has become of a table or array while a document is read. */
enum {
    OPENED = 1 << 0, /* by a header of its own: no second one */
    DOTTED = 1 << 1, /* by a dotted key: no header */
    CLOSED = 1 << 2, /* written as a value: nothing may be added */
    TABLES = 1 << 3  /* an array of [[headers]] */
};

struct reader {
    struct str text;
    size_t at;
    struct arena *arena;
    struct err *err;
};

static bool fail(const struct reader *r, const char *what)
{
    size_t line = 1;
    for (size_t i = 0; i < r->at && i < r->text.n; i++) {
        line += r->text.p[i] == '\n';
    }
    return err_set(r->err, ERR_PARSE, "line %zu: %s", line, what);
}

static char peek(const struct reader *r)
{
    return r->at < r->text.n ? r->text.p[r->at] : '\0';
}

static bool take(struct reader *r, const char *word)
{
    struct str rest = str_sub(r->text, r->at, r->text.n);
    bool there = str_starts(rest, str_of(word));
    r->at += there ? strlen(word) : 0;
    return there;
}

static void skip_blanks(struct reader *r)
{
    while (peek(r) == ' ' || peek(r) == '\t') {
        r->at++;
    }
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static bool at_line_end(const struct reader *r)
{
    return r->at == r->text.n || peek(r) == '\n' ||
           str_starts(str_sub(r->text, r->at, 2), STR("\r\n"));
}

/* The rest of a line: nothing, or a comment. */
static bool end_line(struct reader *r)
{
    skip_blanks(r);
    while (peek(r) == '#' || !at_line_end(r)) {
        if (peek(r) != '#') {
            return fail(r, "expected the end of the line");
        }
        while (!at_line_end(r)) {
            if (is_control(peek(r))) {
                return fail(r, "a comment holds a control character");
            }
            r->at++;
        }
    }
    return r->at == r->text.n || take(r, "\n") || take(r, "\r\n");
}

/* Blanks, comments and line ends, as they may stand inside an array. */
static bool skip_lines(struct reader *r)
{
    for (;;) {
        skip_blanks(r);
        if (peek(r) != '\n' && peek(r) != '\r' && peek(r) != '#') {
            return true;
        }
        if (!end_line(r)) {
            return false;
        }
    }
}

/* ---- strings ---- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool read_escape(struct reader *r, struct strbuf *out)
{
    static const char from[] = "btnfr\"\\";
    static const char to[] = "\b\t\n\f\r\"\\";
    char c = peek(r);
    const char *found = c == '\0' ? NULL : strchr(from, c);
    r->at++;
    if (found != NULL) {
        strbuf_addc(out, to[found - from]);
        return true;
    }
    uint32_t code = 0;
    int n = c == 'u' ? 4 : c == 'U' ? 8 : 0;
    for (int i = 0; i < n; i++) {
        int digit = hex_digit(peek(r));
        if (digit < 0) {
            n = 0;
        } else {
            code = code << 4 | (uint32_t)digit;
            r->at++;
        }
    }
    if (n == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
        return fail(r, "no escape that TOML knows");
    }
    char bytes[UTF8_MAX_BYTES];
    strbuf_add(out, (struct str){.p = bytes, .n = utf8_encode(code, bytes)});
    return true;
}

/* A backslash at the end of a line takes away all blanks and line ends behind it. */
static bool skip_joint(struct reader *r)
{
    size_t begin = r->at;
    skip_blanks(r);
    if (peek(r) != '\n' &&
        !(peek(r) == '\r' && str_starts(str_sub(r->text, r->at, 2), STR("\r\n")))) {
        r->at = begin;
        return false;
    }
    while (peek(r) == '\n' || peek(r) == '\r' || peek(r) == ' ' || peek(r) == '\t') {
        r->at++;
    }
    return true;
}

/* Behind three quotes `q`, up to the next three; two more may stand before them. */
static bool read_long_string(struct reader *r, char q, struct strbuf *out)
{
    (void)(take(r, "\n") || take(r, "\r\n"));
    for (;;) {
        size_t quotes = 0;
        while (peek(r) == q && quotes < 5) {
            quotes++;
            r->at++;
        }
        strbuf_pad(out, q, quotes < 3 ? quotes : quotes - 3);
        if (quotes >= 3) {
            return true;
        }
        char c = peek(r);
        if (r->at >= r->text.n) {
            return fail(r, "a string does not end");
        }
        r->at++;
        if (c == q) {
            r->at--;
        } else if (c == '\\' && q == '"') {
            if (!skip_joint(r) && !read_escape(r, out)) {
                return false;
            }
        } else if (c == '\r' && peek(r) != '\n') {
            return fail(r, "a carriage return stands alone");
        } else if (is_control(c) && c != '\n' && c != '\r') {
            return fail(r, "a string holds a control character");
        } else {
            strbuf_addc(out, c);
        }
    }
}

/* Behind the opening quote `q` of a string on one line. */
static bool read_short_string(struct reader *r, char q, struct strbuf *out)
{
    while (peek(r) != q) {
        char c = peek(r);
        if (r->at >= r->text.n || is_control(c)) {
            return fail(r, "a string does not end on its line, or holds a control character");
        }
        r->at++;
        if (c == '\\' && q == '"') {
            if (!read_escape(r, out)) {
                return false;
            }
        } else {
            strbuf_addc(out, c);
        }
    }
    r->at++;
    return true;
}

static bool read_string(struct reader *r, bool may_be_long, struct str *ret_text)
{
    char q = peek(r);
    struct strbuf out = strbuf_new(r->arena, r->text.n + 8);
    bool is_long = may_be_long && take(r, q == '"' ? "\"\"\"" : "'''");
    r->at += !is_long;
    if (!(is_long ? read_long_string(r, q, &out) : read_short_string(r, q, &out))) {
        return false;
    }
    *ret_text = strbuf_str(&out);
    return true;
}

/* ---- numbers, times, words ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits with single underscores between them; 0 when there are none or one is misplaced. */
static size_t digits(struct str s, int base)
{
    size_t n = 0;
    while (n < s.n && ((hex_digit(s.p[n]) >= 0 && hex_digit(s.p[n]) < base) ||
                       (s.p[n] == '_' && n > 0 && s.p[n - 1] != '_'))) {
        n++;
    }
    return n > 0 && s.p[n - 1] == '_' ? 0 : n;
}

static bool read_integer(const struct reader *r, struct str word, int base, struct toml *value)
{
    bool negative = str_starts(word, STR("-"));
    uint64_t sum = 0;
    for (size_t i = 0; i < word.n; i++) {
        int digit = hex_digit(word.p[i]);
        if (digit >= 0) {
            if (sum > (UINT64_MAX - (uint64_t)digit) / (uint64_t)base) {
                return fail(r, "an integer is beyond 64 bits");
            }
            sum = sum * (uint64_t)base + (uint64_t)digit;
        }
    }
    if (sum > (uint64_t)INT64_MAX + (negative ? 1 : 0)) {
        return fail(r, "an integer is beyond 64 bits");
    }
    value->kind = TOML_INTEGER;
    value->integer = negative ? (int64_t)(0 - sum) : (int64_t)sum;
    return true;
}

/* [+-]digits[.digits][e[+-]digits], without a leading zero. */
static bool read_decimal(const struct reader *r, struct str word, struct toml *value)
{
    struct str s = word;
    bool is_float = false;
    s = str_starts(s, STR("+")) || str_starts(s, STR("-")) ? str_sub(s, 1, s.n) : s;
    if (str_eq(s, STR("inf")) || str_eq(s, STR("nan"))) {
        value->kind = TOML_FLOAT;
        value->text = word;
        return true;
    }
    size_t n = digits(s, 10);
    bool good = n > 0 && (n == 1 || s.p[0] != '0');
    s = str_sub(s, n, s.n);
    if (good && str_starts(s, STR("."))) {
        n = digits(str_sub(s, 1, s.n), 10);
        is_float = true;
        good = n > 0;
        s = str_sub(s, n + 1, s.n);
    }
    if (good && (str_starts(s, STR("e")) || str_starts(s, STR("E")))) {
        size_t sign =
            str_starts(str_sub(s, 1, 1), STR("+")) || str_starts(str_sub(s, 1, 1), STR("-"));
        n = digits(str_sub(s, 1 + sign, s.n), 10);
        is_float = true;
        good = n > 0;
        s = str_sub(s, 1 + sign + n, s.n);
    }
    if (!good || s.n > 0) {
        return fail(r, "expected a value: a string, a number, a time, true, false, [ or {");
    }
    value->kind = TOML_FLOAT;
    value->text = word;
    return is_float || read_integer(r, word, 10, value);
}

/* Whether `s` looks like `pattern`, where 0 stands for a digit and any other character for
 * itself. */
static bool looks_like(struct str s, const char *pattern)
{
    size_t n = strlen(pattern);
    bool same = s.n >= n;
    for (size_t i = 0; i < n && same; i++) {
        same = pattern[i] == '0' ? is_digit(s.p[i]) : s.p[i] == pattern[i];
    }
    return same;
}

static int two(struct str s, size_t at)
{
    return (s.p[at] - '0') * 10 + (s.p[at + 1] - '0');
}

static bool is_clock(struct str *s)
{
    if (!looks_like(*s, "00:00:00") || two(*s, 0) > 23 || two(*s, 3) > 59 || two(*s, 6) > 60) {
        return false;
    }
    *s = str_sub(*s, 8, s->n);
    if (str_starts(*s, STR("."))) {
        size_t n = 1;
        while (n < s->n && is_digit(s->p[n])) {
            n++;
        }
        *s = str_sub(*s, n, s->n);
        return n > 1;
    }
    return true;
}

static bool is_date(struct str s)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int month = two(s, 5);
    int year = two(s, 0) * 100 + two(s, 2);
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month >= 1 && month <= 12 && two(s, 8) >= 1 &&
           two(s, 8) <= days[month - 1] + (month == 2 && leap);
}

/* Offset date-time, local date-time, local date or local time. */
static bool is_time(struct str word)
{
    struct str s = word;
    if (!looks_like(s, "0000-00-00")) {
        return is_clock(&s) && s.n == 0;
    }
    if (!is_date(s)) {
        return false;
    }
    s = str_sub(s, 10, s.n);
    if (s.n == 0) {
        return true;
    }
    if (strchr("Tt ", s.p[0]) == NULL || s.p[0] == '\0') {
        return false;
    }
    s = str_sub(s, 1, s.n);
    if (!is_clock(&s)) {
        return false;
    }
    return s.n == 0 || str_eq(s, STR("Z")) || str_eq(s, STR("z")) ||
           (s.n == 6 && (looks_like(s, "+00:00") || looks_like(s, "-00:00")) && two(s, 1) < 24 &&
            two(s, 4) < 60);
}

static struct str take_word(struct reader *r)
{
    size_t begin = r->at;
    while (peek(r) != '\0' && strchr(",]}# \t\r\n=", peek(r)) == NULL) {
        r->at++;
    }
    struct str word = str_sub(r->text, begin, r->at - begin);
    /* One blank may stand between a date and a time of day. */
    if (word.n == 10 && looks_like(word, "0000-00-00") && peek(r) == ' ' &&
        looks_like(str_sub(r->text, r->at + 1, 3), "00:")) {
        r->at++;
        (void)take_word(r);
        word = str_sub(r->text, begin, r->at - begin);
    }
    return word;
}

static bool read_word(struct reader *r, struct toml *value)
{
    static const struct {
        const char *prefix;
        int base;
    } bases[] = {{"0x", 16}, {"0o", 8}, {"0b", 2}};
    struct str word = take_word(r);
    if (str_eq(word, STR("true")) || str_eq(word, STR("false"))) {
        value->kind = TOML_BOOL;
        value->boolean = word.n == 4;
        return true;
    }
    for (size_t i = 0; i < 3; i++) {
        struct str rest = str_sub(word, 2, word.n);
        if (str_starts(word, str_of(bases[i].prefix)) && rest.n > 0 &&
            digits(rest, bases[i].base) == rest.n) {
            return read_integer(r, rest, bases[i].base, value);
        }
    }
    if (is_time(word)) {
        value->kind = TOML_TIME;
        value->text = word;
        return true;
    }
    return read_decimal(r, word, value);
}

/* ---- keys and values ---- */

static bool read_value(struct reader *r, int depth, struct toml **ret_value);

static bool is_bare(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

static bool read_simple_key(struct reader *r, struct str *ret_key)
{
    skip_blanks(r);
    if (peek(r) == '"' || peek(r) == '\'') {
        return read_string(r, /* may_be_long= */ false, ret_key);
    }
    size_t begin = r->at;
    while (is_bare(peek(r))) {
        r->at++;
    }
    *ret_key = str_sub(r->text, begin, r->at - begin);
    return ret_key->n > 0 || fail(r, "expected a key");
}

/* The table of that name in `table`, made when it is not there; of an array of tables the last
 * one. NULL: there is something else. */
static struct toml *go_down(struct reader *r, struct toml *table, struct str key, unsigned made)
{
    struct toml *next = toml_get(table, key);
    if (next == NULL) {
        next = toml_new(r->arena, TOML_TABLE);
        next->state = made;
        toml_set(r->arena, table, key, next);
        return next;
    }
    if (next->kind == TOML_ARRAY && (next->state & TABLES) != 0 && made == 0) {
        next = next->last->value;
    }
    return next->kind == TOML_TABLE && (next->state & CLOSED) == 0 ? next : NULL;
}

/* key.key.key; all but the last name tables. */
static bool read_key(struct reader *r, struct toml *table, unsigned made, struct toml **ret_table,
                     struct str *ret_key)
{
    for (int depth = 0;; depth++) {
        if (!read_simple_key(r, ret_key)) {
            return false;
        }
        skip_blanks(r);
        if (!take(r, ".")) {
            *ret_table = table;
            return true;
        }
        struct toml *next = depth < LIMIT_NESTING ? go_down(r, table, *ret_key, made) : NULL;
        if (next == NULL ||
            (made == DOTTED && next->state != DOTTED)) { /* not through a table with a header */
            return fail(r, depth < LIMIT_NESTING ? "a key goes through what is no open table"
                                                 : "a key has too many parts (LIMIT_NESTING)");
        }
        table = next;
    }
}

static bool read_pair(struct reader *r, struct toml *table, int depth)
{
    struct toml *into = NULL;
    struct str key = STR_EMPTY;
    struct toml *value = NULL;
    if (!read_key(r, table, DOTTED, &into, &key)) {
        return false;
    }
    if (!take(r, "=")) {
        return fail(r, "expected = after a key");
    }
    if (toml_get(into, key) != NULL) {
        return fail(r, "a key is defined twice");
    }
    skip_blanks(r);
    if (!read_value(r, depth + 1, &value)) {
        return false;
    }
    toml_set(r->arena, into, key, value);
    return true;
}

static bool read_array(struct reader *r, struct toml *array, int depth)
{
    for (;;) {
        struct toml *value;
        if (!skip_lines(r)) {
            return false;
        }
        if (take(r, "]")) {
            return true;
        }
        if (!read_value(r, depth + 1, &value) || !skip_lines(r)) {
            return false;
        }
        toml_push(r->arena, array, value);
        if (!take(r, ",") && peek(r) != ']') {
            return fail(r, "expected , or ] in an array");
        }
    }
}

static bool read_inline_table(struct reader *r, struct toml *table, int depth)
{
    skip_blanks(r);
    if (take(r, "}")) {
        return true;
    }
    for (;;) {
        if (!read_pair(r, table, depth)) {
            return false;
        }
        skip_blanks(r);
        if (take(r, "}")) {
            return true;
        }
        if (!take(r, ",")) {
            return fail(r, "expected , or } in an inline table");
        }
    }
}

/* Nothing may be added to what was written as a value, nor to what dotted keys made in it. */
static void close_all(struct toml *value)
{
    value->state |= CLOSED;
    for (struct toml_entry *e = value->first; e != NULL; e = e->next) {
        if ((e->value->state & CLOSED) == 0) {
            close_all(e->value);
        }
    }
}

static bool read_value(struct reader *r, int depth, struct toml **ret_value)
{
    struct toml *value = toml_new(r->arena, TOML_STRING);
    bool good;
    *ret_value = value;
    if (depth > LIMIT_NESTING) {
        return err_set(r->err, ERR_LIMIT, "values nest deeper than %d (LIMIT_NESTING)",
                       LIMIT_NESTING);
    }
    if (peek(r) == '"' || peek(r) == '\'') {
        return read_string(r, /* may_be_long= */ true, &value->text);
    }
    if (take(r, "[")) {
        value->kind = TOML_ARRAY;
        good = read_array(r, value, depth);
    } else if (take(r, "{")) {
        value->kind = TOML_TABLE;
        good = read_inline_table(r, value, depth);
    } else {
        return read_word(r, value);
    }
    close_all(value);
    return good;
}

/* ---- documents ---- */

/* [a.b] or [[a.b]]; *ret_table is where the following pairs go. */
static bool read_header(struct reader *r, struct toml *root, struct toml **ret_table)
{
    bool of_array = take(r, "[[");
    struct toml *up = NULL;
    struct str key = STR_EMPTY;
    if (!of_array) {
        (void)take(r, "[");
    }
    if (!read_key(r, root, 0, &up, &key)) {
        return false;
    }
    if (!take(r, of_array ? "]]" : "]")) {
        return fail(r, "a header does not end");
    }
    struct toml *found = toml_get(up, key);
    if (of_array) {
        if (found != NULL && (found->kind != TOML_ARRAY || (found->state & TABLES) == 0)) {
            return fail(r, "a header names what is no array of tables");
        }
        if (found == NULL) {
            found = toml_new(r->arena, TOML_ARRAY);
            found->state = TABLES;
            toml_set(r->arena, up, key, found);
        }
        *ret_table = toml_new(r->arena, TOML_TABLE);
        (*ret_table)->state = OPENED;
        toml_push(r->arena, found, *ret_table);
    } else {
        if (found != NULL && (found->kind != TOML_TABLE || found->state != 0)) {
            return fail(r, "a header opens a table that is there already");
        }
        if (found == NULL) {
            found = toml_new(r->arena, TOML_TABLE);
            toml_set(r->arena, up, key, found);
        }
        found->state = OPENED;
        *ret_table = found;
    }
    return end_line(r);
}

bool toml_read(struct str text, struct arena *arena, struct toml **ret_table, struct err *err)
{
    struct reader r = {.text = text, .arena = arena, .err = err};
    struct toml *root = toml_new(arena, TOML_TABLE);
    struct toml *table = root;
    if (text.n > TOML_MAX_BYTES) {
        return err_set(err, ERR_LIMIT, "%zu bytes of TOML (TOML_MAX_BYTES %d)", text.n,
                       TOML_MAX_BYTES);
    }
    if (utf8_valid_prefix(text) != text.n || (text.n > 0 && memchr(text.p, '\0', text.n) != NULL)) {
        return err_set(err, ERR_PARSE, "TOML must be UTF-8 without NUL");
    }
    for (;;) {
        if (!skip_lines(&r)) {
            return false;
        }
        if (r.at == text.n) {
            *ret_table = root;
            return true;
        }
        bool good = peek(&r) == '[' ? read_header(&r, root, &table)
                                    : read_pair(&r, table, 0) && end_line(&r);
        if (!good) {
            return false;
        }
    }
}
