/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "live/aws_catalog.h"

#include "awsapi/ajson.h"
#include "awsapi/service_ec2.h"
#include "awsapi/service_pricing.h"
#include "base/arena.h"
#include "base/json_decode.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "base/rfc3339.h"
#include "base/vec.h"
#include "live/aws.h"

enum { N_CALLS = 6 };

struct asked {
    struct live_aws_catalog *catalog;
    const struct aws_operation *operation;
    uint32_t n_pages;
    enum aws_fault_kind fault;
    struct err err; /* of the fault */
};

struct live_aws_catalog {
    struct arena arena;
    wall_t now;
    struct live_aws *aws;
    struct asked asked[N_CALLS];
    uint32_t n_over;
    uint64_t n_bytes;        /* of documents */
    VEC(json_t *) documents; /* replies as the AWS CLI prints them */
    VEC(struct str) names;
    bool failed; /* `err` says why */
    struct err err;
};

/* ---- answers ---- */

/* A reply as the document that `--catalog` takes: so that what comes over the network and what
 * comes from files passes the same checks. */
static bool keep(struct live_aws_catalog *r, struct str name, struct str text, struct err *err)
{
    auto_arena scratch = ARENA_INIT;
    json_t *document = NULL;
    if (!json_decode_text(text, &scratch, &document, err)) {
        return err_wrap(err, STR_FMT, STR_ARG(name));
    }
    r->n_bytes += text.n;
    VEC_PUSH(&r->arena, &r->documents, document);
    VEC_PUSH(&r->arena, &r->names, name);
    return true;
}

static bool on_page(void *ctx, const void *output)
{
    struct asked *asked = ctx;
    struct live_aws_catalog *r = asked->catalog;
    auto_arena scratch = ARENA_INIT;
    struct strbuf text = strbuf_new(&scratch, LIMIT_CATALOG_BYTES);
    struct strbuf name = strbuf_new(&r->arena, 256);
    struct jsonw w = jsonw_new(&text, JSONW_COMPACT);
    strbuf_addf(&name, "%s, page %u", asked->operation->name, ++asked->n_pages);
    jsonw_object_begin(&w);
    aws_json_write_members(&w, AWS_JSON_CLI, asked->operation->output, output);
    jsonw_object_end(&w);
    if (r->n_bytes + text.n > LIMIT_CATALOG_BYTES) {
        r->failed = true;
        err_set(&r->err, ERR_LIMIT, "AWS answers with more than %d bytes (LIMIT_CATALOG_BYTES)",
                LIMIT_CATALOG_BYTES);
        return false;
    }
    r->failed = r->failed || !keep(r, strbuf_str(&name), strbuf_str(&text), &r->err);
    return !r->failed;
}

/* What goes for one call goes for all. */
static bool concerns_all(enum aws_fault_kind kind)
{
    return kind == AWS_FAULT_NO_KEYS || kind == AWS_FAULT_BAD_KEYS || kind == AWS_FAULT_EXPIRED ||
           kind == AWS_FAULT_SKEWED || kind == AWS_FAULT_UNTRUSTED;
}

/* Whoever mends it must know which keys were used. */
static bool is_about_keys(enum aws_fault_kind kind)
{
    return kind == AWS_FAULT_BAD_KEYS || kind == AWS_FAULT_EXPIRED ||
           kind == AWS_FAULT_UNAUTHORIZED;
}

static void on_end(void *ctx, const struct aws_fault *fault)
{
    struct asked *asked = ctx;
    struct live_aws_catalog *r = asked->catalog;
    asked->fault = fault->kind;
    r->n_over++;
    if (fault->kind == AWS_FAULT_NONE) {
        return;
    }
    aws_fault_err(asked->operation, fault, &asked->err);
    if (is_about_keys(fault->kind)) {
        struct str source = live_aws_source(r->aws);
        err_wrap(&asked->err, "with AWS credentials from " STR_FMT, STR_ARG(source));
    }
    if (concerns_all(fault->kind) && !r->failed) {
        r->failed = true;
        r->err = asked->err;
    }
}

/* ---- questions ---- */

static void ask(struct live_aws_catalog *r, uint32_t i, const struct aws_operation *operation,
                const void *input)
{
    struct asked *asked = &r->asked[i];
    struct live_aws_events events = {.ctx = asked, .page = on_page, .end = on_end};
    *asked = (struct asked){.catalog = r, .operation = operation};
    live_aws_start(r->aws, operation, input, STR_EMPTY, &events);
}

static void ask_ec2(struct live_aws_catalog *r, wall_t now)
{
    struct ec2_describe_instance_types_request types = {.max_results = {.has = false}};
    struct ec2_describe_instance_type_offerings_request offerings = {.location_type =
                                                                         STR("availability-zone")};
    struct ec2_describe_availability_zones_request zones = {.dry_run = {.has = false}};
    /* karp: pricing.go: both names of plain Linux, the prices of this moment. */
    struct str *products = ARENA_ARRAY(&r->arena, struct str, 2);
    products[0] = STR("Linux/UNIX");
    products[1] = STR("Linux/UNIX (Amazon VPC)");
    struct ec2_describe_spot_price_history_request spot = {
        .start_time = {.has = true, .v = now}, .product_descriptions = {.v = products, .n = 2}};
    ask(r, 0, &aws_ec2_describe_instance_types, &types);
    ask(r, 1, &aws_ec2_describe_instance_type_offerings, &offerings);
    ask(r, 2, &aws_ec2_describe_availability_zones, &zones);
    ask(r, 3, &aws_ec2_describe_spot_price_history, &spot);
}

/* On-demand prices of shared machines; of bare metal, which is sold as dedicated tenancy. */
static void ask_prices(struct live_aws_catalog *r, uint32_t i, struct str tenancy)
{
    const struct pricing_filter all[] = {
        {.type = STR("TERM_MATCH"), .field = STR("regionCode"), .value = live_aws_region(r->aws)},
        {.type = STR("TERM_MATCH"), .field = STR("operatingSystem"), .value = STR("Linux")},
        {.type = STR("TERM_MATCH"), .field = STR("preInstalledSw"), .value = STR("NA")},
        {.type = STR("TERM_MATCH"), .field = STR("capacitystatus"), .value = STR("Used")},
        {.type = STR("TERM_MATCH"), .field = STR("marketoption"), .value = STR("OnDemand")},
        {.type = STR("TERM_MATCH"), .field = STR("tenancy"), .value = tenancy},
    };
    struct pricing_get_products_request input = {.service_code = STR("AmazonEC2")};
    input.filters.n = sizeof all / sizeof all[0];
    input.filters.v = (void *)arena_copy(&r->arena, all, sizeof all);
    ask(r, i, &aws_pricing_get_products, &input);
}

/* ---- all of it ---- */

/* What no reply says: the region, for which all was asked, and the day. */
static bool add_header(struct live_aws_catalog *r, struct err *err)
{
    char day[RFC3339_TEXT_MAX];
    struct strbuf text = strbuf_new(&r->arena, 1024);
    struct jsonw w = jsonw_new(&text, JSONW_COMPACT);
    jsonw_object_begin(&w);
    jsonw_key_str(&w, "kind", STR("Catalog"));
    jsonw_key_str(&w, "region", live_aws_region(r->aws));
    jsonw_key_str(&w, "asOf", str_sub(rfc3339_format(r->now, day), 0, 10));
    jsonw_object_end(&w);
    return keep(r, STR("the question"), strbuf_str(&text), err);
}

struct live_aws_catalog *live_aws_catalog_ask(struct live_aws *aws, wall_t now)
{
    struct arena arena = ARENA_INIT;
    struct live_aws_catalog *r = ARENA_NEW(&arena, struct live_aws_catalog);
    r->arena = arena;
    r->aws = aws;
    r->now = now;
    r->failed = !add_header(r, &r->err);
    ask_ec2(r, now);
    ask_prices(r, 4, STR("Shared"));
    ask_prices(r, 5, STR("Dedicated"));
    return r;
}

void live_aws_catalog_free(struct live_aws_catalog *r)
{
    if (r == NULL) {
        return;
    }
    for (size_t i = 0; i < r->documents.n; i++) {
        json_decref(r->documents.v[i]);
    }
    struct arena arena = r->arena;
    arena_done(&arena);
}

struct live_aws_catalog_progress live_aws_catalog_progress(const struct live_aws_catalog *r)
{
    struct live_aws_catalog_progress progress = {.n_questions = N_CALLS,
                                                 .n_answered = r->n_over,
                                                 .is_over = r->n_over == N_CALLS,
                                                 .is_stuck = r->failed};
    for (uint32_t i = 0; i < N_CALLS; i++) {
        progress.n_pages += r->asked[i].n_pages;
    }
    return progress;
}

bool live_aws_catalog_judge(const struct live_aws_catalog *r,
                            void (*say)(void *ctx, const char *text), void *ctx, struct err *err)
{
    const struct asked *last = NULL;
    if (r->failed) {
        *err = r->err;
        return false;
    }
    for (uint32_t i = 0; i < N_CALLS; i++) {
        const struct asked *asked = &r->asked[i];
        bool again = last != NULL && last->operation == asked->operation;
        if (asked->fault == AWS_FAULT_NONE || again) {
            continue;
        }
        if (last != NULL && say != NULL) {
            say(ctx, last->err.text);
        }
        last = asked;
    }
    if (last != NULL) {
        *err = last->err;
    }
    return last == NULL;
}

struct live_aws_documents live_aws_catalog_documents(const struct live_aws_catalog *r)
{
    return (struct live_aws_documents){
        .n = (uint32_t)r->documents.n, .v = r->documents.v, .names = r->names.v};
}
