/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodeclass/mime.h"

#include <string.h>

#include "base/arena.h"
#include "base/vec.h"

#define BOUNDARY "//"

enum { MAX_BOUNDARY = 70 }; /* RFC 2046, 5.1.1 */

/* ---- lines ---- */

/* Takes the next line, without its end; false when nothing is left. */
static bool next_line(struct str *rest, struct str *ret_line)
{
    if (rest->n == 0) {
        return false;
    }
    size_t end = str_find(*rest, '\n');
    struct str line = str_sub(*rest, 0, end);
    *rest = str_sub(*rest, end + 1, rest->n);
    *ret_line = str_ends(line, STR("\r")) ? str_sub(line, 0, line.n - 1) : line;
    return true;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_word(struct str a, struct str b)
{
    bool same = a.n == b.n;
    for (size_t i = 0; i < a.n && same; i++) {
        same = lower(a.p[i]) == lower(b.p[i]);
    }
    return same;
}

static bool is_token_char(char c)
{
    return c > ' ' && c < 0x7f && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

static size_t token_end(struct str s)
{
    size_t n = 0;
    while (n < s.n && is_token_char(s.p[n])) {
        n++;
    }
    return n;
}

/* ---- headers ---- */

/* Takes header lines up to and with the empty line. *ret_type is the Content-Type, unfolded. */
static bool read_headers(struct str *rest, struct arena *arena, struct str *ret_headers,
                         struct str *ret_type, struct err *err)
{
    struct strbuf all = strbuf_new(arena, rest->n + 1);
    struct strbuf type = strbuf_new(arena, rest->n + 1);
    bool in_type = false;
    bool has_type = false;
    struct str line;
    while (next_line(rest, &line)) {
        if (line.n == 0) {
            *ret_headers = strbuf_str(&all);
            *ret_type = strbuf_str(&type);
            return true;
        }
        bool folded = line.p[0] == ' ' || line.p[0] == '\t';
        size_t colon = str_find(line, ':');
        if (folded ? all.n == 0 : colon == 0 || token_end(line) != colon) {
            return err_set(err, ERR_PARSE, "\"" STR_FMT "\": no header line",
                           STR_ARG(str_sub(line, 0, 80)));
        }
        if (!folded) {
            in_type = !has_type && same_word(str_sub(line, 0, colon), STR("Content-Type"));
            has_type = has_type || in_type;
        }
        if (in_type) {
            strbuf_addc(&type, ' ');
            strbuf_add(&type, folded ? str_trim(line) : str_trim(str_sub(line, colon + 1, line.n)));
        }
        strbuf_add(&all, line);
        strbuf_addc(&all, '\n');
    }
    return err_set(err, ERR_PARSE, "no empty line ends the headers");
}

/* One parameter, `; name=value`; the value as a token or quoted. */
static bool next_parameter(struct str *rest, struct arena *arena, struct str *ret_name,
                           struct str *ret_value)
{
    struct str s = str_trim(*rest);
    if (!str_starts(s, STR(";"))) {
        return false;
    }
    s = str_trim(str_sub(s, 1, s.n));
    size_t n = token_end(s);
    *ret_name = str_sub(s, 0, n);
    s = str_trim(str_sub(s, n, s.n));
    if (n == 0 || !str_starts(s, STR("="))) {
        return false;
    }
    s = str_trim(str_sub(s, 1, s.n));
    if (!str_starts(s, STR("\""))) {
        n = token_end(s);
        *ret_value = str_sub(s, 0, n);
        *rest = str_sub(s, n, s.n);
        return n > 0;
    }
    struct strbuf value = strbuf_new(arena, s.n);
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == '"') {
            *ret_value = strbuf_str(&value);
            *rest = str_sub(s, i + 1, s.n);
            return true;
        }
        i += s.p[i] == '\\' && i + 1 < s.n;
        strbuf_addc(&value, s.p[i]);
    }
    return false;
}

static bool boundary_of(struct str type, struct arena *arena, struct str *ret_boundary,
                        struct err *err)
{
    struct str media = str_trim(str_sub(type, 0, str_find(type, ';')));
    struct str rest = str_sub(type, str_find(type, ';'), type.n);
    struct str name;
    struct str value;
    if (!same_word(str_sub(media, 0, 10), STR("multipart/"))) {
        return err_set(err, ERR_PARSE, "Content-Type \"" STR_FMT "\": must be multipart/...",
                       STR_ARG(str_sub(media, 0, 80)));
    }
    while (next_parameter(&rest, arena, &name, &value)) {
        if (same_word(name, STR("boundary")) && value.n > 0 && value.n <= MAX_BOUNDARY) {
            *ret_boundary = value;
            return true;
        }
    }
    return err_set(err, ERR_PARSE,
                   "Content-Type \"" STR_FMT "\": needs a boundary of 1 to %d characters",
                   STR_ARG(str_sub(str_trim(type), 0, 80)), MAX_BOUNDARY);
}

/* ---- reading ---- */

enum delimiter { NO_DELIMITER, PART_BEGINS, ARCHIVE_ENDS };

static enum delimiter delimiter_of(struct str line, struct str boundary)
{
    struct str tail = str_sub(line, 2 + boundary.n, line.n);
    if (!str_starts(line, STR("--")) || !str_eq(str_sub(line, 2, boundary.n), boundary)) {
        return NO_DELIMITER;
    }
    return str_trim(tail).n == 0 ? PART_BEGINS
           : str_starts(tail, STR("--")) && str_trim(str_sub(tail, 2, tail.n)).n == 0
               ? ARCHIVE_ENDS
               : NO_DELIMITER;
}

/* The bytes up to the line break in front of the next delimiter, and which one that is. */
static enum delimiter read_body(struct str *rest, struct str boundary, struct str *ret_body)
{
    struct str all = *rest;
    struct str line;
    for (;;) {
        size_t before = all.n - rest->n;
        if (!next_line(rest, &line)) {
            return NO_DELIMITER;
        }
        enum delimiter found = delimiter_of(line, boundary);
        if (found != NO_DELIMITER) {
            struct str body = str_sub(all, 0, before);
            body = str_ends(body, STR("\n")) ? str_sub(body, 0, body.n - 1) : body;
            *ret_body = str_ends(body, STR("\r")) ? str_sub(body, 0, body.n - 1) : body;
            return found;
        }
    }
}

static bool read_parts(struct str rest, struct str boundary, struct arena *arena,
                       const struct mime_part **ret_parts, uint32_t *ret_n, struct err *err)
{
    VEC(struct mime_part) parts = {0};
    struct str preamble;
    enum delimiter at = read_body(&rest, boundary, &preamble);
    while (at == PART_BEGINS) {
        struct mime_part part;
        struct str type;
        if (parts.n == MIME_MAX_PARTS) {
            return err_set(err, ERR_LIMIT, "more than %d parts (MIME_MAX_PARTS)", MIME_MAX_PARTS);
        }
        if (!read_headers(&rest, arena, &part.headers, &type, err)) {
            return err_wrap(err, "part %zu", parts.n + 1);
        }
        at = read_body(&rest, boundary, &part.body);
        if (at == NO_DELIMITER) {
            return err_set(err, ERR_PARSE, "part %zu does not end: no line \"--" STR_FMT "--\"",
                           parts.n + 1, STR_ARG(boundary));
        }
        VEC_PUSH(arena, &parts, part);
    }
    if (parts.n == 0 && at == NO_DELIMITER) {
        return err_set(err, ERR_PARSE, "no line \"--" STR_FMT "\"", STR_ARG(boundary));
    }
    *ret_parts = parts.v;
    *ret_n = (uint32_t)parts.n;
    return true;
}

bool mime_is_archive(struct str text)
{
    struct str begin = str_trim(text);
    return str_starts(begin, STR("MIME-Version:")) || str_starts(begin, STR("Content-Type:"));
}

bool mime_read(struct str text, struct arena *arena, const struct mime_part **ret_parts,
               uint32_t *ret_n, struct err *err)
{
    struct str rest = text;
    struct str headers;
    struct str type = STR_EMPTY;
    struct str boundary = STR_EMPTY;
    return read_headers(&rest, arena, &headers, &type, err) &&
           boundary_of(type, arena, &boundary, err) &&
           read_parts(rest, boundary, arena, ret_parts, ret_n, err);
}

/* ---- writing ---- */

/* The text without carriage returns. */
static struct str plain(struct str text, struct arena *arena)
{
    struct strbuf out = strbuf_new(arena, text.n + 1);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '\r') {
            strbuf_addc(&out, text.p[i]);
        }
    }
    return strbuf_str(&out);
}

static bool has_delimiter(struct str body)
{
    struct str line;
    while (next_line(&body, &line)) {
        if (delimiter_of(line, STR(BOUNDARY)) != NO_DELIMITER) {
            return true;
        }
    }
    return false;
}

bool mime_write(const struct mime_part *parts, uint32_t n, struct strbuf *out, struct err *err)
{
    strbuf_add(out, STR("MIME-Version: 1.0\n"
                        "Content-Type: multipart/mixed; boundary=\"" BOUNDARY "\"\n\n"));
    for (uint32_t i = 0; i < n; i++) {
        struct str body = plain(parts[i].body, out->arena);
        if (has_delimiter(body)) {
            return err_set(err, ERR_CONFLICT,
                           "part %u has a line \"--" BOUNDARY "\", which would end it early",
                           i + 1);
        }
        strbuf_add(out, i == 0 ? STR("--" BOUNDARY "\n") : STR("\n--" BOUNDARY "\n"));
        strbuf_add(out, plain(parts[i].headers, out->arena));
        strbuf_addc(out, '\n');
        strbuf_add(out, body);
    }
    strbuf_add(out, STR("\n--" BOUNDARY "--\n"));
    return true;
}
