/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/observe/metrics.h"

#include <string.h>

#include "base/arena.h"
#include "base/number.h"
#include "base/vec.h"

enum { BOUNDS_MAX = 64 };

struct series {
    struct str labels[METRICS_LABELS_MAX];
    int64_t value;    /* HISTOGRAM, SUMMARY: the sum */
    uint64_t *counts; /* HISTOGRAM, SUMMARY: [n_bounds + 1] */
};

struct family {
    struct arena arena;
    VEC(struct series) series;
    uint32_t n_labels, n_bounds;
};

struct metrics {
    struct arena arena;
    struct family families[N_METRICS];
    int64_t n_dropped;
};

struct metrics *metrics_new(void)
{
    struct arena arena = ARENA_INIT;
    struct metrics *metrics = ARENA_NEW(&arena, struct metrics);
    metrics->arena = arena;
    for (int i = 0; i < N_METRICS; i++) {
        struct family *family = &metrics->families[i];
        const struct metric_row *row = &metric_rows[i];
        while (row->labels[family->n_labels] != NULL) {
            family->n_labels++;
        }
        while (row->bounds != NULL && row->bounds[family->n_bounds] != 0) {
            family->n_bounds++;
        }
    }
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    if (metrics != NULL) {
        for (int i = 0; i < N_METRICS; i++) {
            arena_done(&metrics->families[i].arena);
        }
        struct arena arena = metrics->arena;
        arena_done(&arena);
    }
}

static bool has_counts(const struct metric_row *row)
{
    return row->type == METRIC_HISTOGRAM || row->type == METRIC_SUMMARY;
}

/* NULL above METRICS_SERIES_MAX. */
static struct series *series_of(struct metrics *metrics, enum metric metric,
                                const struct str *labels)
{
    struct family *family = &metrics->families[metric];
    for (size_t i = 0; i < family->series.n; i++) {
        struct series *series = &family->series.v[i];
        bool same = true;
        for (uint32_t l = 0; l < family->n_labels && same; l++) {
            same = str_eq(series->labels[l], labels[l]);
        }
        if (same) {
            return series;
        }
    }
    if (family->series.n == METRICS_SERIES_MAX) {
        metrics->n_dropped++;
        return NULL;
    }
    struct series fresh = {.value = 0};
    for (uint32_t l = 0; l < family->n_labels; l++) {
        fresh.labels[l] = str_copy(&family->arena, labels[l]);
    }
    if (has_counts(&metric_rows[metric])) {
        fresh.counts = ARENA_ARRAY(&family->arena, uint64_t, family->n_bounds + 1);
    }
    VEC_PUSH(&family->arena, &family->series, fresh);
    return &family->series.v[family->series.n - 1];
}

void metrics_set(struct metrics *metrics, enum metric metric, const struct str *labels,
                 int64_t value)
{
    struct series *series = series_of(metrics, metric, labels);
    if (series != NULL) {
        series->value = value;
    }
}

void metrics_add(struct metrics *metrics, enum metric metric, const struct str *labels,
                 int64_t value)
{
    struct series *series = series_of(metrics, metric, labels);
    if (series != NULL) {
        series->value = sat_add(series->value, value);
    }
}

void metrics_observe(struct metrics *metrics, enum metric metric, const struct str *labels,
                     int64_t value)
{
    struct series *series = series_of(metrics, metric, labels);
    const int64_t *bounds = metric_rows[metric].bounds;
    uint32_t i = 0;
    if (series == NULL) {
        return;
    }
    while (i < metrics->families[metric].n_bounds && value > bounds[i]) {
        i++;
    }
    series->counts[i]++;
    series->value = sat_add(series->value, value);
}

void metrics_clear(struct metrics *metrics, enum metric metric)
{
    struct family *family = &metrics->families[metric];
    arena_reset(&family->arena);
    memset(&family->series, 0, sizeof family->series);
}

/* ---- text ---- */

struct str metrics_word(struct str word, struct arena *arena)
{
    char *out = arena_alloc(arena, word.n);
    for (size_t i = 0; i < word.n; i++) {
        const char c = word.p[i];
        out[i] = (char)(c == '-' ? '_' : c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    return (struct str){.p = out, .n = word.n};
}

void metrics_put_label_value(struct strbuf *b, struct str value)
{
    for (size_t i = 0; i < value.n; i++) {
        const char c = value.p[i];
        if (c == '\n') {
            strbuf_add(b, STR("\\n"));
        } else {
            if (c == '"' || c == '\\') {
                strbuf_addc(b, '\\');
            }
            strbuf_addc(b, c);
        }
    }
}

/* `{a="x",le="0.5"}`; `le` may be empty. */
static void put_labels(struct strbuf *b, const struct metric_row *row, const struct series *series,
                       struct str le)
{
    uint32_t n = 0;
    for (uint32_t i = 0; row->labels[i] != NULL; i++) {
        strbuf_addf(b, "%s%s=\"", n++ == 0 ? "{" : ",", row->labels[i]);
        metrics_put_label_value(b, series->labels[i]);
        strbuf_addc(b, '"');
    }
    if (le.n > 0) {
        strbuf_addf(b, "%sle=\"", n++ == 0 ? "{" : ",");
        strbuf_add(b, le);
        strbuf_addc(b, '"');
    }
    strbuf_add(b, n > 0 ? STR("}") : STR_EMPTY);
}

static void put_value(struct strbuf *b, int64_t value, int n_decimals)
{
    char buffer[NUMBER_TEXT_MAX];
    strbuf_addc(b, ' ');
    strbuf_add(b, number_format_decimal(value, n_decimals, buffer));
    strbuf_addc(b, '\n');
}

static void put_counts(struct strbuf *b, const struct metric_row *row, const struct series *series,
                       uint32_t n_bounds)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i <= n_bounds; i++) {
        char buffer[NUMBER_TEXT_MAX];
        n += series->counts[i];
        if (row->type == METRIC_SUMMARY) {
            continue; /* there is one of them */
        }
        strbuf_addf(b, "%s_bucket", row->name);
        put_labels(b, row, series,
                   i == n_bounds ? STR("+Inf")
                                 : number_format_decimal(row->bounds[i], row->n_decimals, buffer));
        put_value(b, (int64_t)n, 0);
    }
    strbuf_addf(b, "%s_sum", row->name);
    put_labels(b, row, series, STR_EMPTY);
    put_value(b, series->value, row->n_decimals);
    strbuf_addf(b, "%s_count", row->name);
    put_labels(b, row, series, STR_EMPTY);
    put_value(b, (int64_t)n, 0);
}

void metrics_text(const struct metrics *metrics, struct strbuf *b)
{
    static const char *const types[] = {"counter", "gauge", "histogram", "summary"};
    for (int m = 0; m < N_METRICS; m++) {
        const struct metric_row *row = &metric_rows[m];
        const struct family *family = &metrics->families[m];
        if (family->series.n == 0 && m != METRIC_SERIES_DROPPED) {
            continue;
        }
        strbuf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
                    types[row->type]);
        if (m == METRIC_SERIES_DROPPED) {
            strbuf_addf(b, "%s", row->name);
            put_value(b, metrics->n_dropped, 0);
        }
        for (size_t i = 0; i < family->series.n; i++) {
            const struct series *series = &family->series.v[i];
            if (has_counts(row)) {
                put_counts(b, row, series, family->n_bounds);
            } else {
                strbuf_addf(b, "%s", row->name);
                put_labels(b, row, series, STR_EMPTY);
                put_value(b, series->value, row->n_decimals);
            }
        }
    }
}

/* ---- docs/metrics.md ---- */

void metrics_markdown(struct strbuf *b)
{
    static const char *const types[] = {"counter", "gauge", "histogram", "summary"};
    strbuf_add(b, STR("<!-- Made from the table of metrics by `provisioner help metrics`. -->\n"
                      "# Metrics of provisioner\n\n"
                      "Served at `/metrics` (`--metrics-port`). Names that begin with `karpenter_` "
                      "mean what they mean in Karpenter v1.14; a metric without a value is not "
                      "shown.\n\n| name | type | labels | meaning |\n|---|---|---|---|\n"));
    for (int m = 0; m < N_METRICS; m++) {
        const struct metric_row *row = &metric_rows[m];
        strbuf_addf(b, "| `%s` | %s | ", row->name, types[row->type]);
        for (int i = 0; row->labels[i] != NULL; i++) {
            strbuf_addf(b, "%s`%s`", i == 0 ? "" : ", ", row->labels[i]);
        }
        strbuf_addf(b, " | %s |\n", row->help);
    }
}
