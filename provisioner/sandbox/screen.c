/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/sandbox/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"

enum {
    LINE_MAX_BYTES = 1024,
    MACHINES_MAX = 512,
    BAR = 8,
    TABLE_COLUMNS = 79,
    NOTES_BESIDE = 120, /* from so many columns on, what has happened stands beside the nodes */
    NOTES_MOST = 6,     /* lines below them otherwise */
    SECONDS = 1000
};

struct page {
    const struct screen *screen;
    struct strbuf *out;
    int n_lines;
};

/* Bytes that a terminal would take for more than a letter become '?'. */
static void put_text(struct strbuf *out, const char *text, int columns)
{
    int n = 0;
    for (const char *c = text; *c != '\0' && n < columns; c++, n++) {
        strbuf_addc(out, *c >= ' ' && *c < 0x7f ? *c : '?');
    }
}

static void pad(struct strbuf *out, int n)
{
    for (int i = 0; i < n; i++) {
        strbuf_addc(out, ' ');
    }
}

static void end_line(struct page *page)
{
    page->n_lines++;
    strbuf_add(page->out, STR("\033[K\r\n"));
}

static void paint(const struct page *page, const char *code)
{
    if (page->screen->color) {
        strbuf_addf(page->out, "\033[%sm", code);
    }
}

PRINTF_LIKE(3, 4)
static void put_line(struct page *page, const char *code, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    paint(page, code);
    put_text(page->out, text, page->screen->width - 1);
    paint(page, "0");
    end_line(page);
}

static double usd(usd_t value)
{
    return (double)value / (double)USD_PER_HOUR;
}

static void clock_of(mono_t at, char *text, size_t size)
{
    const int64_t s = at / SECONDS;
    (void)snprintf(text, size, "%02lld:%02lld:%02lld", (long long)(s / 3600),
                   (long long)(s / 60 % 60), (long long)(s % 60));
}

static const char *color_of(const char *stage)
{
    static const struct {
        const char *stage, *code;
    } rows[] = {{"ready", "32"},    {"booting", "33"}, {"launched", "33"},
                {"draining", "35"}, {"ending", "90"},  {"cut off", "31"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].stage, stage) == 0) {
            return rows[i].code;
        }
    }
    return "0";
}

static void put_machine(struct page *page, const struct sandbox_machine *m, bool fills)
{
    char line[LINE_MAX_BYTES], bar[BAR + 1];
    const int64_t per_cent = m->cpu_milli > 0 ? m->cpu_used_milli * 100 / m->cpu_milli : 0;
    for (int i = 0; i < BAR; i++) {
        bar[i] = per_cent > i * 100 / BAR ? '#' : '.';
    }
    bar[BAR] = '\0';
    const int n = snprintf(line, sizeof line, "%-14.*s %-12.*s %-10.*s %-9.*s %7.4f %4u %s ",
                           (int)(m->claim.n < 14 ? m->claim.n : 14), m->claim.p,
                           (int)(m->type.n < 12 ? m->type.n : 12), m->type.p,
                           (int)(m->zone.n < 10 ? m->zone.n : 10), m->zone.p,
                           (int)(m->capacity_type.n < 9 ? m->capacity_type.n : 9),
                           m->capacity_type.p, usd(m->price), m->n_pods, bar);
    const int room = page->screen->width - 1;
    put_text(page->out, line, room);
    paint(page, color_of(m->stage));
    put_text(page->out, m->stage, room > n ? room - n : 0);
    paint(page, "0");
    pad(page->out, fills ? TABLE_COLUMNS + 1 - n - (int)strlen(m->stage) : 0);
}

static void put_note(struct page *page, const struct sandbox_note *note, int columns)
{
    char at[32];
    clock_of(note->at, at, sizeof at);
    paint(page, "90");
    put_text(page->out, at, columns);
    paint(page, "0");
    put_text(page->out, "  ", columns - (int)strlen(at));
    put_text(page->out, note->text, columns - (int)strlen(at) - 2);
}

static void put_head(struct page *page, const struct sandbox_options *options,
                     const struct sandbox_report *r)
{
    char at[32], pace[64];
    clock_of(r->ran_ms, at, sizeof at);
    (void)snprintf(pace, sizeof pace, "%lld times as fast", (long long)page->screen->speed);
    put_line(page, "1", "%.*s, seed %llu   %s   %s", (int)options->name.n, options->name.p,
             (unsigned long long)options->seed, at,
             page->screen->over     ? (r->broken ? "BROKEN" : "over")
             : page->screen->paused ? "paused"
                                    : pace);
    put_line(page, "0", "nodes %u   pods %u, %u without a place   launches %llu   restarts %llu",
             r->n_nodes, r->n_pods, r->n_pods - r->n_bound, (unsigned long long)r->n_launches,
             (unsigned long long)r->n_restarts);
    put_line(page, "0", "$%.4f an hour   bill $%.2f   last plan $%.4f/h, bound $%.4f/h",
             usd(r->per_hour), usd(r->bill), usd(r->plan_cost), usd(r->plan_bound));
    if (r->broken) {
        put_line(page, "31", "%s", r->breach.text);
    }
    end_line(page);
}

void screen_draw(const struct sandbox *sandbox, const struct sandbox_options *options,
                 const struct screen *screen, struct strbuf *out)
{
    struct page page = {.screen = screen, .out = out};
    struct sandbox_machine machines[MACHINES_MAX];
    struct sandbox_note notes[SANDBOX_NOTES];
    const int n_machines = (int)sandbox_machines(sandbox, machines, MACHINES_MAX);
    const int n_notes = (int)sandbox_notes(sandbox, notes, SANDBOX_NOTES);
    const bool beside = screen->width >= NOTES_BESIDE;
    strbuf_add(out, STR("\033[H"));
    put_head(&page, options, sandbox_look(sandbox));
    put_line(&page, "4", "%-14s %-12s %-10s %-9s %7s %4s %-8s %s", "NODECLAIM", "TYPE", "ZONE",
             "CAPACITY", "$/H", "PODS", "CPU", "STAGE");
    const int left = screen->height - page.n_lines - 2;
    const int n_below = beside ? 0 : left / 3 < NOTES_MOST ? left / 3 : NOTES_MOST;
    const int room = left - n_below - (n_below > 0 ? 1 : 0);
    const int shown = n_machines <= room ? n_machines : room - 1;
    for (int i = 0; i < room; i++) {
        if (i < shown) {
            put_machine(&page, &machines[i], beside);
        } else if (i == shown && shown < n_machines) {
            strbuf_addf(out, "and %-3d more", n_machines - shown);
            pad(out, beside ? TABLE_COLUMNS + 1 - 12 : 0);
        } else {
            pad(out, beside ? TABLE_COLUMNS + 1 : 0);
        }
        if (beside && i < n_notes) {
            pad(out, 2);
            put_note(&page, &notes[i], screen->width - TABLE_COLUMNS - 4);
        }
        end_line(&page);
    }
    for (int i = -1; n_below > 0 && i < n_below; i++) {
        if (i >= 0 && i < n_notes) {
            put_note(&page, &notes[i], screen->width - 1);
        }
        end_line(&page);
    }
    end_line(&page);
    paint(&page, "7");
    put_text(out, screen->over ? "q quit" : "space pause   s step   + faster   - slower   q quit",
             screen->width - 1);
    paint(&page, "0");
    strbuf_add(out, STR("\033[K\033[J"));
}
