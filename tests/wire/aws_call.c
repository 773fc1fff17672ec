/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One call of live/aws.h, for aws.py: aws_call OPERATION [name=value]... prints what became of it
 * as one line of JSON. Names: silence, total (ms of an attempt), base (ms of the first pause),
 * token, times (the call is made so often, one after the other). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "awsapi/service_ec2.h"
#include "awsapi/service_pricing.h"
#include "base/arena.h"
#include "base/jsonw.h"
#include "io/clock.h"
#include "io/http.h"
#include "io/loop.h"
#include "live/aws.h"

struct outcome {
    uint32_t n_pages, n_ends;
    enum aws_fault_kind kind;
    struct err err;
};

static bool on_page(void *ctx, const void *output)
{
    struct outcome *outcome = ctx;
    (void)output;
    outcome->n_pages++;
    return true;
}

static const struct aws_operation *operation;

static void on_end(void *ctx, const struct aws_fault *fault)
{
    struct outcome *outcome = ctx;
    outcome->n_ends++;
    outcome->kind = fault->kind;
    outcome->err.text[0] = '\0';
    if (fault->kind != AWS_FAULT_NONE) {
        aws_fault_err(operation, fault, &outcome->err);
    }
}

static int64_t number_of(int argc, char **argv, const char *name, int64_t otherwise)
{
    size_t n = strlen(name);
    for (int i = 2; i < argc; i++) {
        if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=') {
            return strtoll(argv[i] + n + 1, NULL, 10);
        }
    }
    return otherwise;
}

static const void *input_of(const char *name)
{
    static const struct ec2_describe_availability_zones_request zones;
    static const struct ec2_describe_instance_types_request types;
    static struct ec2_fleet_launch_template_config_request config;
    static struct ec2_target_capacity_specification_request target = {
        .total_target_capacity = {.has = true, .v = 1}};
    static struct ec2_create_fleet_request fleet = {.launch_template_configs = {&config, 1},
                                                    .target_capacity_specification = &target};
    static struct pricing_filter filters[2];
    static struct pricing_get_products_request prices;
    filters[0] = (struct pricing_filter){STR("TERM_MATCH"), STR("regionCode"), STR("eu-west-1")};
    filters[1] = (struct pricing_filter){STR("TERM_MATCH"), STR("tenancy"), STR("Shared")};
    prices.service_code = STR("AmazonEC2");
    prices.filters.v = filters;
    prices.filters.n = 2;
    const struct {
        const struct aws_operation *operation;
        const void *input;
    } rows[] = {{&aws_ec2_describe_availability_zones, &zones},
                {&aws_ec2_describe_instance_types, &types},
                {&aws_ec2_create_fleet, &fleet},
                {&aws_pricing_get_products, &prices}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].operation->name, name) == 0) {
            operation = rows[i].operation;
            return rows[i].input;
        }
    }
    return NULL;
}

static bool print(const struct outcome *outcome, struct str source)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf out = strbuf_new(&arena, 1 << 16);
    struct jsonw w = jsonw_new(&out, JSONW_COMPACT);
    jsonw_object_begin(&w);
    jsonw_key_str(&w, "kind", str_of(aws_fault_kind_name(outcome->kind)));
    jsonw_key_str(&w, "text", str_of(outcome->err.text));
    jsonw_key_str(&w, "source", source);
    jsonw_key_i64(&w, "pages", outcome->n_pages);
    jsonw_key_i64(&w, "ends", outcome->n_ends);
    jsonw_key_i64(&w, "peakKiB", io_peak_memory_kib());
    jsonw_object_end(&w);
    return fwrite(out.p, 1, out.n, stdout) == out.n;
}

static bool run(int argc, char **argv, struct io_loop *loop, struct live_aws *aws,
                struct outcome *outcome, struct err *err)
{
    struct live_aws_events events = {.ctx = outcome, .page = on_page, .end = on_end};
    struct str token = number_of(argc, argv, "token", 0) != 0 ? STR("token-1") : STR_EMPTY;
    const void *input = input_of(argv[1]);
    for (int64_t i = 0; i < number_of(argc, argv, "times", 1); i++) {
        live_aws_start(aws, operation, input, token, &events);
        while (live_aws_count(aws) > 0) {
            if (!io_loop_turn(loop, err)) {
                return false;
            }
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct io_loop *loop = NULL;
    struct io_http *http = NULL;
    struct live_aws *aws = NULL;
    struct outcome outcome = {.n_pages = 0};
    struct err err = {.code = ERR_NONE};
    if (argc < 2 || input_of(argv[1]) == NULL) {
        (void)fprintf(stderr, "aws_call OPERATION [name=value]...\n");
        return 2;
    }
    struct live_aws_settings settings = {.retry = aws_retry_defaults(),
                                         .silence_ms = number_of(argc, argv, "silence", 0),
                                         .total_ms = number_of(argc, argv, "total", 0)};
    settings.retry.base_ms = number_of(argc, argv, "base", 10);
    bool good = io_loop_new(&loop, &err) && io_http_new(loop, "aws_call", &http, &err) &&
                live_aws_open(loop, http, &settings, &aws, &err) &&
                run(argc, argv, loop, aws, &outcome, &err) && print(&outcome, live_aws_source(aws));
    if (!good) {
        (void)fprintf(stderr, "aws_call: %s\n", err.text);
    }
    live_aws_free(aws);
    io_http_free(http);
    io_loop_free(loop);
    return good ? 0 : 1;
}
