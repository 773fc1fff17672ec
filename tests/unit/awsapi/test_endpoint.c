/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hosts by service, region, partition and wish; overrides; what is refused. And pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "awsapi/endpoint.h"
#include "awsapi/service_ec2.h"
#include "awsapi/service_iam.h"
#include "awsapi/service_pricing.h"
#include "awsapi/service_sts.h"
#include "base/arena.h"

static void test_find(void **state)
{
    static const struct {
        const struct aws_service *service;
        struct aws_endpoint_settings settings;
        const char *host, *signing_region;
    } rows[] = {
        {&aws_ec2, {{"us-west-2", 9}}, "ec2.us-west-2.amazonaws.com", "us-west-2"},
        {&aws_ec2, {{"cn-north-1", 10}}, "ec2.cn-north-1.amazonaws.com.cn", "cn-north-1"},
        {&aws_ec2, {{"us-gov-west-1", 13}}, "ec2.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
        {&aws_ec2, {{"us-iso-east-1", 13}}, "ec2.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
        {&aws_ec2, {{"us-isob-east-1", 14}}, "ec2.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"},
        {&aws_ec2, {{"eusc-de-east-1", 14}}, "ec2.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"},
        {&aws_ec2,
         {{"us-east-1", 9}, .use_fips = true},
         "ec2-fips.us-east-1.amazonaws.com",
         "us-east-1"},
        {&aws_ec2, {{"us-east-1", 9}, .use_dualstack = true}, "ec2.us-east-1.api.aws", "us-east-1"},
        {&aws_ec2,
         {{"us-east-1", 9}, .use_fips = true, .use_dualstack = true},
         "ec2-fips.us-east-1.api.aws",
         "us-east-1"},
        {&aws_sts, {{"eu-west-3", 9}}, "sts.eu-west-3.amazonaws.com", "eu-west-3"},
        {&aws_iam, {{"eu-west-3", 9}}, "iam.amazonaws.com", "us-east-1"},
        {&aws_iam, {{"cn-north-1", 10}}, "iam.amazonaws.com.cn", "cn-northwest-1"},
        {&aws_iam, {{"us-gov-east-1", 13}}, "iam.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
        {&aws_pricing,
         {{"eu-west-3", 9}},
         "api.pricing.eu-central-1.amazonaws.com",
         "eu-central-1"},
        {&aws_pricing, {{"ap-east-1", 9}}, "api.pricing.ap-south-1.amazonaws.com", "ap-south-1"},
        {&aws_pricing, {{"us-west-2", 9}}, "api.pricing.us-east-1.amazonaws.com", "us-east-1"},
        {&aws_ec2,
         {{"us-east-1", 9}, .url = {"http://127.0.0.1:5000/", 22}},
         "127.0.0.1:5000",
         "us-east-1"},
        {&aws_ec2,
         {{"us-east-1", 9}, .url = {"http://a", 8}, .service_url = {"https://b.example/x", 19}},
         "b.example",
         "us-east-1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        auto_arena arena = ARENA_INIT;
        struct aws_endpoint have;
        struct err err = {.code = ERR_NONE};
        if (!aws_endpoint_find(rows[i].service, &rows[i].settings, &arena, &have, &err) ||
            !str_eq(have.host, str_of(rows[i].host)) ||
            !str_eq(have.signing_region, str_of(rows[i].signing_region))) {
            fail_msg("%s: have " STR_FMT " " STR_FMT " %s", rows[i].host, STR_ARG(have.host),
                     STR_ARG(have.signing_region), err.text);
        }
    }
}

static void test_refused(void **state)
{
    static const char *const urls[] = {"",           "ftp://a",    "http://",       "//a",
                                       "http://a b", "http://a?b", "http://a\r\nb", "https://u@h/"};
    static const char *const regions[] = {"", "US-EAST-1", "a.evil.example", "a/b", "us east 1"};
    auto_arena arena = ARENA_INIT;
    struct aws_endpoint have;
    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct err err = {.code = ERR_NONE};
        if (aws_endpoint_parse(str_of(urls[i]), &have, &err) || err.code != ERR_INVALID) {
            fail_msg("\"%s\" was taken", urls[i]);
        }
    }
    for (size_t i = 0; i < sizeof regions / sizeof regions[0]; i++) {
        struct aws_endpoint_settings settings = {.region = str_of(regions[i])};
        struct err err = {.code = ERR_NONE};
        if (aws_endpoint_find(&aws_ec2, &settings, &arena, &have, &err) ||
            err.code != ERR_INVALID) {
            fail_msg("region \"%s\" was taken", regions[i]);
        }
    }
}

static void test_pages(void **state)
{
    struct ec2_describe_instances_request input = {.next_token = STR_EMPTY};
    struct ec2_describe_instances_result output = {.next_token = STR("t-2")};
    (void)state;
    aws_first_page(&aws_ec2_describe_instances, &input);
    assert_true(input.max_results.has);
    assert_int_equal(input.max_results.v, 1000);
    /* EC2 refuses a size beside ids: InvalidParameterCombination. */
    struct str id = STR("i-1");
    struct ec2_describe_instances_request by_id = {.instance_ids = {.v = &id, .n = 1}};
    aws_first_page(&aws_ec2_describe_instances, &by_id);
    assert_false(by_id.max_results.has);
    assert_true(aws_next_page(&aws_ec2_describe_instances, &input, &output));
    assert_true(str_eq(input.next_token, STR("t-2")));
    output.next_token = STR("");
    assert_false(aws_next_page(&aws_ec2_describe_instances, &input, &output));
    assert_false(aws_next_page(&aws_ec2_describe_instances, &input, NULL));
    assert_false(aws_next_page(&aws_ec2_create_tags, &input, &output));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
