/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Replies that are no success, and replies that are none at all: classified, never a crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "awsapi/service_ec2.h"
#include "awsapi/service_iam.h"
#include "awsapi/service_sqs.h"
#include "awsapi/service_ssm.h"
#include "base/arena.h"

#define EC2_ERROR(code)                                                                            \
    "<?xml version=\"1.0\"?>\n<Response><Errors><Error><Code>" code                                \
    "</Code><Message>m</Message></Error></Errors><RequestID>r-1</RequestID></Response>"

static void test_faults(void **state)
{
    static const struct {
        const char *name;
        const struct aws_service *service;
        int status;
        const char *body;
        enum aws_fault_kind kind;
        const char *code, *request_id;
    } rows[] = {
        {"EC2 throttling", &aws_ec2, 503, EC2_ERROR("RequestLimitExceeded"), AWS_FAULT_THROTTLED,
         "RequestLimitExceeded", "r-1"},
        {"dry run", &aws_ec2, 412, EC2_ERROR("DryRunOperation"), AWS_FAULT_DRY_RUN,
         "DryRunOperation", "r-1"},
        {"no capacity", &aws_ec2, 500, EC2_ERROR("InsufficientInstanceCapacity"),
         AWS_FAULT_NO_CAPACITY, "InsufficientInstanceCapacity", "r-1"},
        {"quota", &aws_ec2, 400, EC2_ERROR("VcpuLimitExceeded"), AWS_FAULT_QUOTA,
         "VcpuLimitExceeded", "r-1"},
        {"an unknown invalid one", &aws_ec2, 400, EC2_ERROR("InvalidParameterCombination"),
         AWS_FAULT_INVALID, "InvalidParameterCombination", "r-1"},
        {"an instance that is gone", &aws_ec2, 400, EC2_ERROR("InvalidInstanceID.NotFound"),
         AWS_FAULT_NOT_FOUND, "InvalidInstanceID.NotFound", "r-1"},
        {"a code nobody knows", &aws_ec2, 400, EC2_ERROR("Strange"), AWS_FAULT_UNKNOWN, "Strange",
         "r-1"},
        {"a code nobody knows with 503", &aws_ec2, 503, EC2_ERROR("Strange"), AWS_FAULT_TRANSIENT,
         "Strange", "r-1"},
        {"expired request", &aws_ec2, 400, EC2_ERROR("RequestExpired"), AWS_FAULT_SKEWED,
         "RequestExpired", "r-1"},
        {"IAM", &aws_iam, 404,
         "<ErrorResponse xmlns=\"u\"><Error><Type>Sender</Type><Code>NoSuchEntity</Code>"
         "<Message>m</Message></Error><RequestId>r-2</RequestId></ErrorResponse>",
         AWS_FAULT_NOT_FOUND, "NoSuchEntity", "r-2"},
        {"IAM quota is no throttling", &aws_iam, 409,
         "<ErrorResponse><Error><Code>LimitExceeded</Code></Error></ErrorResponse>",
         AWS_FAULT_QUOTA, "LimitExceeded", ""},
        {"SSM", &aws_ssm, 400, "{\"__type\":\"ParameterNotFound\",\"message\":\"m\"}",
         AWS_FAULT_NOT_FOUND, "ParameterNotFound", ""},
        {"JSON with a namespace", &aws_ssm, 400,
         "{\"__type\":\"com.amazon.coral.service#AccessDeniedException\",\"Message\":\"m\"}",
         AWS_FAULT_UNAUTHORIZED, "AccessDeniedException", ""},
        {"XML from a JSON service", &aws_sqs, 403,
         "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>",
         AWS_FAULT_BAD_KEYS, "SignatureDoesNotMatch", ""},
        {"HTML", &aws_ec2, 500, "<html><body>Internal Server Error<br></body>", AWS_FAULT_TRANSIENT,
         "", ""},
        {"HTML of a proxy", &aws_ec2, 403, "<!DOCTYPE html><html></html>", AWS_FAULT_UNAUTHORIZED,
         "", ""},
        {"throttled with a 503", &aws_ec2, 503,
         "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>",
         AWS_FAULT_THROTTLED, "RequestLimitExceeded", ""},
        {"nothing", &aws_ec2, 502, "", AWS_FAULT_TRANSIENT, "", ""},
        {"429", &aws_ssm, 429, "", AWS_FAULT_THROTTLED, "", ""},
        {"a redirect", &aws_ec2, 302, "", AWS_FAULT_MALFORMED, "", ""},
        {"cut XML", &aws_ec2, 400, "<Response><Errors><Err", AWS_FAULT_UNKNOWN, "", ""},
        {"cut JSON", &aws_ssm, 400, "{\"__type\":\"Thro", AWS_FAULT_UNKNOWN, "", ""},
        {"JSON that is a list", &aws_ssm, 400, "[1]", AWS_FAULT_UNKNOWN, "", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        auto_arena arena = ARENA_INIT;
        struct aws_http_reply reply = {.status = rows[i].status, .body = str_of(rows[i].body)};
        struct aws_fault have = aws_fault_read(rows[i].service, &reply, &arena);
        if (have.kind != rows[i].kind || !str_eq(have.code, str_of(rows[i].code)) ||
            !str_eq(have.request_id, str_of(rows[i].request_id))) {
            fail_msg("%s: have %s \"" STR_FMT "\" " STR_FMT, rows[i].name,
                     aws_fault_kind_name(have.kind), STR_ARG(have.code), STR_ARG(have.request_id));
        }
        /* What was throttled was not done. */
        assert_int_equal(have.maybe_done,
                         rows[i].status >= 500 && rows[i].kind != AWS_FAULT_THROTTLED);
    }
}

static void test_headers(void **state)
{
    auto_arena arena = ARENA_INIT;
    static const struct aws_header headers[] = {
        {{"x-amzn-query-error", 18}, {"AWS.SimpleQueueService.NonExistentQueue;Sender", 46}},
        {{"Retry-After", 11}, {" 7 ", 3}},
        {{"DATE", 4}, {"Tue, 29 Apr 2014 18:30:38 GMT", 29}}};
    struct aws_http_reply reply = {.status = 400,
                                   .headers = headers,
                                   .n_headers = 3,
                                   .body =
                                       STR("{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\"}")};
    struct aws_fault have = aws_fault_read(&aws_sqs, &reply, &arena);
    (void)state;
    assert_true(str_eq(have.code, STR("AWS.SimpleQueueService.NonExistentQueue")));
    assert_int_equal(have.kind, AWS_FAULT_NOT_FOUND);
    assert_int_equal(have.retry_after_ms, 7000);
    assert_true(str_eq(have.date, STR("Tue, 29 Apr 2014 18:30:38 GMT")));
}

/* A success that is none: the right kind, and a path in the text. */
static void test_malformed(void **state)
{
    static const struct {
        const char *body, *text;
    } rows[] = {
        {"<html></html>", "expected <DescribeInstancesResponse>, got <html>"},
        {"<DescribeInstancesResponse><reservationSet><item>", "line 1"},
        {"not XML", "line 1"},
        {"<!DOCTYPE a [<!ENTITY b \"c\">]><DescribeInstancesResponse/>", "document type"},
        {"<DescribeInstancesResponse><reservationSet><item><instancesSet><item><launchTime>soon"
         "</launchTime></item></instancesSet></item></reservationSet></DescribeInstancesResponse>",
         "Reservations: [0]: Instances: [0]: LaunchTime: \"soon\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        auto_arena arena = ARENA_INIT;
        struct aws_http_reply reply = {.status = 200, .body = str_of(rows[i].body)};
        struct aws_fault fault;
        struct err err = {.code = ERR_NONE};
        void *output = NULL;
        assert_false(
            aws_reply_read(&aws_ec2_describe_instances, &reply, &arena, &output, &fault, &err));
        assert_int_equal(fault.kind, AWS_FAULT_MALFORMED);
        assert_int_equal(err.code, ERR_PARSE);
        if (strstr(err.text, rows[i].text) == NULL) {
            fail_msg("have \"%s\", want \"%s\" in it", err.text, rows[i].text);
        }
    }
}

static void test_depth(void **state)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf body = strbuf_new(&arena, 1 << 20);
    struct aws_fault fault;
    struct err err = {.code = ERR_NONE};
    void *output = NULL;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        strbuf_add(&body, STR("<a>"));
    }
    struct aws_http_reply reply = {.status = 200, .body = strbuf_str(&body)};
    assert_false(
        aws_reply_read(&aws_ec2_describe_instances, &reply, &arena, &output, &fault, &err));
    assert_int_equal(err.code, ERR_LIMIT);
}

static void test_transport(void **state)
{
    (void)state;
    assert_false(aws_fault_of_transport(AWS_TRANSPORT_REFUSED, STR_EMPTY).maybe_done);
    assert_true(aws_fault_of_transport(AWS_TRANSPORT_CUT, STR_EMPTY).maybe_done);
    assert_int_equal(aws_fault_of_transport(AWS_TRANSPORT_TLS, STR_EMPTY).kind,
                     AWS_FAULT_UNTRUSTED);
    assert_int_equal(aws_fault_of_transport(AWS_TRANSPORT_LARGE, STR_EMPTY).kind,
                     AWS_FAULT_TOO_LARGE);
}

static void test_for_a_person(void **state)
{
    static const struct {
        struct aws_fault fault;
        enum err_code code;
        const char *text;
    } rows[] = {
        {{.kind = AWS_FAULT_UNAUTHORIZED,
          .status = 403,
          .code = {"UnauthorizedOperation", 21},
          .message = {"no", 2}},
         ERR_INVALID,
         "EC2 DescribeInstances: unauthorized: UnauthorizedOperation: no; the IAM policy must "
         "allow ec2:DescribeInstances"},
        {{.kind = AWS_FAULT_TRANSIENT, .status = 502, .message = {"<html>", 6}},
         ERR_IO,
         "EC2 DescribeInstances: transient: HTTP status 502: <html>"},
        {{.kind = AWS_FAULT_UNTRUSTED, .message = {"self-signed", 11}},
         ERR_IO,
         "EC2 DescribeInstances: untrusted server: self-signed; AWS_CA_BUNDLE names certificates "
         "to trust"},
        {{.kind = AWS_FAULT_NO_KEYS, .message = {"no AWS credentials: none", 24}},
         ERR_NOT_FOUND,
         "no AWS credentials: none"},
        {{.kind = AWS_FAULT_TOO_LARGE}, ERR_LIMIT, "EC2 DescribeInstances: reply too large"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {.code = ERR_NONE};
        assert_false(aws_fault_err(&aws_ec2_describe_instances, &rows[i].fault, &err));
        assert_string_equal(err.text, rows[i].text);
        assert_int_equal(err.code, rows[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),    cmocka_unit_test(test_headers),
        cmocka_unit_test(test_malformed), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_transport), cmocka_unit_test(test_for_a_person),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
