/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pieces of text that every human format uses: money, percentages, counts, colour, wrapped
 * paragraphs. */
#pragma once

#include "base/str.h"
#include "base/units.h"

struct arena;
struct table_choice; /* table.h */

/* What a piece of text is, not how it looks. Colour only repeats what the words say. */
enum text_style { TEXT_PLAIN, TEXT_HEAD, TEXT_GOOD, TEXT_BAD, TEXT_FAINT };

struct text_look {
    unsigned width;              /* columns; 0: as wide as it gets */
    bool color;                  /* ANSI attributes that work on light and dark grounds alike */
    struct table_choice *tables; /* what of tables is shown; NULL: all of it */
};

/* Adds `s`, escaped by display_safe, in that style. */
void text_add(struct strbuf *b, const struct text_look *look, enum text_style style, struct str s);

/* "1,234.5600" from nano-dollars, rounded to `decimals` (0..9), half away from zero. No currency
 * sign. */
struct str text_usd(struct arena *arena, usd_t price, unsigned decimals);

/* "$1.1352/h ($828.70/mo)". */
struct str text_per_hour_and_month(struct arena *arena, usd_t price);

struct str text_count(struct arena *arena, uint64_t n); /* "12,345" */
struct str text_things(struct arena *arena, uint64_t n,
                       const char *thing); /* "1 pod", "12,345 pods" */

/* part of whole as "97%", rounded to the nearest, but 0% and 100% only when it is exactly so; "-"
 * when whole is 0. */
struct str text_percent(struct arena *arena, int64_t part, int64_t whole);

/* The change from `before` to `before + change` as "+13.9%"; "-" when before is 0 and there is a
 * change. */
struct str text_change(struct arena *arena, int64_t change, int64_t before);

/* "+0.0350" or "-0.0350", "0.0000" when it rounds to nothing. */
struct str text_signed_usd(struct arena *arena, usd_t change, unsigned decimals);

/* A fraction in parts per billion as "0.74%", with as many digits as it takes to show two that
 * count ("0.0031%"). */
struct str text_gap(struct arena *arena, int64_t ppb);

/* printf into an arena. */
struct str text_format(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

/* Adds a paragraph: `label`, padded to `indent` columns, then the words of `s`, broken at blanks,
 * every line but the first indented by `indent`. A label that leaves no blank before `indent` has a
 * line of its own. Words longer than a line are left whole. Ends with a line break. */
void text_paragraph(struct strbuf *b, const struct text_look *look, unsigned indent,
                    enum text_style label_style, struct str label, struct str s);
