/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "awsapi/fault.h"

#include <jansson.h>
#include <stdio.h>

#include "awsapi/operation.h"
#include "awsapi/xml.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/json_decode.h"

enum { SHOWN_BYTES = 200, RETRY_AFTER_MAX_S = 600 };

/* Codes of the services we call, from their lists of errors:
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
 * https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
 * and what the AWS SDKs agree to be throttling or transient. Sorted for people, not for search: the
 * table is read on errors only. A code that ends in '*' stands for all that begin so. */
static const struct {
    const char *code;
    enum aws_fault_kind kind;
} codes[] = {
    {"DryRunOperation", AWS_FAULT_DRY_RUN},

    {"RequestLimitExceeded", AWS_FAULT_THROTTLED},
    {"Throttling", AWS_FAULT_THROTTLED},
    {"ThrottlingException", AWS_FAULT_THROTTLED},
    {"ThrottledException", AWS_FAULT_THROTTLED},
    {"RequestThrottled", AWS_FAULT_THROTTLED},
    {"RequestThrottledException", AWS_FAULT_THROTTLED},
    {"TooManyRequestsException", AWS_FAULT_THROTTLED},
    {"ProvisionedThroughputExceededException", AWS_FAULT_THROTTLED},
    {"TransactionInProgressException", AWS_FAULT_THROTTLED},
    {"BandwidthLimitExceeded", AWS_FAULT_THROTTLED},
    {"LimitExceededException", AWS_FAULT_THROTTLED},
    {"SlowDown", AWS_FAULT_THROTTLED},
    {"PriorRequestNotComplete", AWS_FAULT_THROTTLED},
    {"EC2ThrottledException", AWS_FAULT_THROTTLED},
    {"OverLimit", AWS_FAULT_THROTTLED},

    {"InternalError", AWS_FAULT_TRANSIENT},
    {"InternalFailure", AWS_FAULT_TRANSIENT},
    {"InternalServerError", AWS_FAULT_TRANSIENT},
    {"InternalServerException", AWS_FAULT_TRANSIENT},
    {"InternalErrorException", AWS_FAULT_TRANSIENT},
    {"ServerException", AWS_FAULT_TRANSIENT},
    {"ServiceUnavailable", AWS_FAULT_TRANSIENT},
    {"ServiceUnavailableException", AWS_FAULT_TRANSIENT},
    {"ServiceFailure", AWS_FAULT_TRANSIENT},
    {"Unavailable", AWS_FAULT_TRANSIENT},
    {"RequestTimeout", AWS_FAULT_TRANSIENT},
    {"RequestTimeoutException", AWS_FAULT_TRANSIENT},
    {"IDPCommunicationError", AWS_FAULT_TRANSIENT},

    {"RequestExpired", AWS_FAULT_SKEWED},
    {"RequestInTheFuture", AWS_FAULT_SKEWED},
    {"RequestTimeTooSkewed", AWS_FAULT_SKEWED},

    {"ExpiredToken", AWS_FAULT_EXPIRED},
    {"ExpiredTokenException", AWS_FAULT_EXPIRED},
    {"TokenRefreshRequired", AWS_FAULT_EXPIRED},

    {"AuthFailure", AWS_FAULT_BAD_KEYS},
    {"InvalidClientTokenId", AWS_FAULT_BAD_KEYS},
    {"UnrecognizedClientException", AWS_FAULT_BAD_KEYS},
    {"SignatureDoesNotMatch", AWS_FAULT_BAD_KEYS},
    {"InvalidSignatureException", AWS_FAULT_BAD_KEYS},
    {"IncompleteSignature", AWS_FAULT_BAD_KEYS},
    {"IncompleteSignatureException", AWS_FAULT_BAD_KEYS},
    {"MissingAuthenticationToken", AWS_FAULT_BAD_KEYS},
    {"MissingAuthenticationTokenException", AWS_FAULT_BAD_KEYS},
    {"InvalidAccessKeyId", AWS_FAULT_BAD_KEYS},
    {"InvalidIdentityToken", AWS_FAULT_BAD_KEYS},

    {"UnauthorizedOperation", AWS_FAULT_UNAUTHORIZED},
    {"AccessDenied", AWS_FAULT_UNAUTHORIZED},
    {"AccessDeniedException", AWS_FAULT_UNAUTHORIZED},
    {"NotAuthorized", AWS_FAULT_UNAUTHORIZED},
    {"OptInRequired", AWS_FAULT_UNAUTHORIZED},
    {"PendingVerification", AWS_FAULT_UNAUTHORIZED},
    {"Blocked", AWS_FAULT_UNAUTHORIZED},
    {"AuthFailure.ServiceLinkedRoleCreationNotPermitted", AWS_FAULT_UNAUTHORIZED},

    {"NoSuchEntity", AWS_FAULT_NOT_FOUND},
    {"ParameterNotFound", AWS_FAULT_NOT_FOUND},
    {"ResourceNotFoundException", AWS_FAULT_NOT_FOUND},
    {"QueueDoesNotExist", AWS_FAULT_NOT_FOUND},
    {"AWS.SimpleQueueService.NonExistentQueue", AWS_FAULT_NOT_FOUND},
    {"InvalidInstanceID.NotFound", AWS_FAULT_NOT_FOUND},
    {"InvalidLaunchTemplateName.NotFoundException", AWS_FAULT_NOT_FOUND},
    {"InvalidLaunchTemplateId.NotFound", AWS_FAULT_NOT_FOUND},
    {"InvalidCapacityReservationId.NotFound", AWS_FAULT_NOT_FOUND},
    {"InvalidAMIID.NotFound", AWS_FAULT_NOT_FOUND},
    {"InvalidAMIID.Unavailable", AWS_FAULT_NOT_FOUND},
    {"InvalidSubnetID.NotFound", AWS_FAULT_NOT_FOUND},
    {"InvalidGroup.NotFound", AWS_FAULT_NOT_FOUND},
    {"InvalidSecurityGroupID.NotFound", AWS_FAULT_NOT_FOUND},
    {"InvalidPlacementGroup.Unknown", AWS_FAULT_NOT_FOUND},
    {"InvalidPlacementGroupId.NotFound", AWS_FAULT_NOT_FOUND},
    {"InvalidVolume.NotFound", AWS_FAULT_NOT_FOUND},
    {"InvalidID", AWS_FAULT_NOT_FOUND},

    {"EntityAlreadyExists", AWS_FAULT_ALREADY},
    {"InvalidLaunchTemplateName.AlreadyExistsException", AWS_FAULT_ALREADY},
    {"IncorrectInstanceState", AWS_FAULT_CONFLICT},
    {"IncorrectState", AWS_FAULT_CONFLICT},
    {"IdempotentParameterMismatch", AWS_FAULT_CONFLICT},
    {"ConcurrentModification", AWS_FAULT_CONFLICT},
    {"DeleteConflict", AWS_FAULT_CONFLICT},
    {"EntityTemporarilyUnmodifiable", AWS_FAULT_CONFLICT},

    /* karp: fleet errors that mark an offering unavailable. */
    {"InsufficientInstanceCapacity", AWS_FAULT_NO_CAPACITY},
    {"InsufficientCapacity", AWS_FAULT_NO_CAPACITY},
    {"InsufficientHostCapacity", AWS_FAULT_NO_CAPACITY},
    {"InsufficientReservedInstanceCapacity", AWS_FAULT_NO_CAPACITY},
    {"UnfulfillableCapacity", AWS_FAULT_NO_CAPACITY},
    {"Unsupported", AWS_FAULT_NO_CAPACITY},
    {"InsufficientFreeAddressesInSubnet", AWS_FAULT_NO_CAPACITY},
    {"ReservationCapacityExceeded", AWS_FAULT_NO_CAPACITY},
    {"SpotMaxPriceTooLow", AWS_FAULT_NO_CAPACITY},

    {"MaxSpotInstanceCountExceeded", AWS_FAULT_QUOTA},
    {"MaxFleetCountExceeded", AWS_FAULT_QUOTA},
    {"VcpuLimitExceeded", AWS_FAULT_QUOTA},
    {"InstanceLimitExceeded", AWS_FAULT_QUOTA},
    {"LimitExceeded", AWS_FAULT_QUOTA},
    {"ResourceLimitExceeded", AWS_FAULT_QUOTA},
    {"TagLimitExceeded", AWS_FAULT_QUOTA},
    {"VolumeLimitExceeded", AWS_FAULT_QUOTA},
    {"ServiceQuotaExceededException", AWS_FAULT_QUOTA},

    {"MalformedPolicyDocument", AWS_FAULT_INVALID},
    {"MissingParameter", AWS_FAULT_INVALID},
    {"UnknownParameter", AWS_FAULT_INVALID},
    {"UnknownOperationException", AWS_FAULT_INVALID},
    {"UnsupportedOperation", AWS_FAULT_INVALID},
    {"VPCIdNotSpecified", AWS_FAULT_INVALID},
    {"ValidationError", AWS_FAULT_INVALID},
    {"ValidationException", AWS_FAULT_INVALID},
    {"SerializationException", AWS_FAULT_INVALID},
    {"Invalid*", AWS_FAULT_INVALID},
};

static const char *const kind_names[] = {
    [AWS_FAULT_NONE] = "no fault",
    [AWS_FAULT_DRY_RUN] = "dry run",
    [AWS_FAULT_THROTTLED] = "throttled",
    [AWS_FAULT_TRANSIENT] = "transient",
    [AWS_FAULT_SKEWED] = "clock skewed",
    [AWS_FAULT_NO_KEYS] = "no credentials",
    [AWS_FAULT_EXPIRED] = "credentials expired",
    [AWS_FAULT_BAD_KEYS] = "bad credentials",
    [AWS_FAULT_UNAUTHORIZED] = "unauthorized",
    [AWS_FAULT_NOT_FOUND] = "not found",
    [AWS_FAULT_ALREADY] = "already exists",
    [AWS_FAULT_NO_CAPACITY] = "no capacity",
    [AWS_FAULT_QUOTA] = "quota",
    [AWS_FAULT_CONFLICT] = "conflict",
    [AWS_FAULT_INVALID] = "invalid request",
    [AWS_FAULT_MALFORMED] = "malformed reply",
    [AWS_FAULT_TOO_LARGE] = "reply too large",
    [AWS_FAULT_UNTRUSTED] = "untrusted server",
    [AWS_FAULT_UNKNOWN] = "unknown error",
};

const char *aws_fault_kind_name(enum aws_fault_kind kind)
{
    return kind_names[kind];
}

bool aws_fault_is_retryable(enum aws_fault_kind kind)
{
    return kind == AWS_FAULT_THROTTLED || kind == AWS_FAULT_TRANSIENT || kind == AWS_FAULT_SKEWED ||
           kind == AWS_FAULT_EXPIRED;
}

enum aws_fault_kind aws_fault_kind_of_code(struct str code)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct str known = str_of(codes[i].code);
        struct str stem = str_sub(known, 0, known.n - 1);
        bool open = str_ends(known, STR("*"));
        if (open ? str_starts(code, stem) : str_eq(code, known)) {
            return codes[i].kind;
        }
    }
    return AWS_FAULT_UNKNOWN;
}

static enum aws_fault_kind kind_of_status(int status)
{
    if (status == 429) {
        return AWS_FAULT_THROTTLED;
    }
    if (status >= 500) {
        return AWS_FAULT_TRANSIENT;
    }
    if (status == 401 || status == 403) {
        return AWS_FAULT_UNAUTHORIZED;
    }
    return status >= 400 ? AWS_FAULT_UNKNOWN : AWS_FAULT_MALFORMED;
}

/* "aws.protocoltests#FooError:http://..." is "FooError". */
static struct str bare_code(struct str code)
{
    struct str cut = str_sub(code, 0, str_find(code, ':'));
    size_t hash = str_find(cut, '#');
    return str_trim(hash < cut.n ? str_sub(cut, hash + 1, cut.n) : cut);
}

static struct str member(const json_t *object, const char *name, struct arena *arena)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) ? str_copy(arena, str_of(json_string_value(value))) : STR_EMPTY;
}

static void read_json(struct aws_fault *fault, const struct aws_service *service,
                      const struct aws_http_reply *reply, struct arena *arena)
{
    auto_json *body = NULL;
    struct err ignored = {.code = ERR_NONE};
    struct str code;
    if (json_decode_text(reply->body, arena, &body, &ignored)) {
        fault->code = member(body, "__type", arena);
        fault->code = fault->code.n > 0 ? fault->code : member(body, "code", arena);
        fault->code = fault->code.n > 0 ? fault->code : member(body, "Code", arena);
        fault->message = member(body, "message", arena);
        fault->message = fault->message.n > 0 ? fault->message : member(body, "Message", arena);
    }
    if (aws_header_find(reply->headers, reply->n_headers, STR("x-amzn-errortype"), &code) &&
        code.n > 0) {
        fault->code = code;
    }
    if (service->query_compatible &&
        aws_header_find(reply->headers, reply->n_headers, STR("x-amzn-query-error"), &code)) {
        fault->code = str_sub(code, 0, str_find(code, ';'));
    }
    fault->code = bare_code(fault->code);
    aws_header_find(reply->headers, reply->n_headers, STR("x-amzn-requestid"), &fault->request_id);
}

/* Response/Errors/Error with Response/RequestID, ErrorResponse/Error with RequestId, or Error
 * alone. */
static void read_xml(struct aws_fault *fault, const struct aws_http_reply *reply,
                     struct arena *arena)
{
    const struct aws_xml *root = NULL;
    struct err ignored = {.code = ERR_NONE};
    if (!aws_xml_parse(reply->body, arena, &root, &ignored)) {
        return;
    }
    const struct aws_xml *errors = aws_xml_child(root, STR("Errors"));
    const struct aws_xml *error = aws_xml_child(errors == NULL ? root : errors, STR("Error"));
    error = error == NULL && str_eq(root->name, STR("Error")) ? root : error;
    fault->code = aws_xml_child_text(error, STR("Code"));
    fault->message = aws_xml_child_text(error, STR("Message"));
    fault->request_id = aws_xml_child_text(root, STR("RequestID"));
    if (fault->request_id.n == 0) {
        fault->request_id = aws_xml_child_text(root, STR("RequestId"));
    }
}

static void read_retry_after(struct aws_fault *fault, const struct aws_http_reply *reply)
{
    struct str value;
    uint64_t seconds = 0;
    if (aws_header_find(reply->headers, reply->n_headers, STR("retry-after"), &value) &&
        str_to_u64(str_trim(value), &seconds)) {
        fault->has_retry_after = true;
        seconds = seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S;
        fault->retry_after_ms = (int64_t)seconds * 1000;
    }
}

/* Pages of front ends have line breaks. */
static struct str one_line(struct str text, struct arena *arena)
{
    if (text.n == 0) {
        return STR_EMPTY;
    }
    char *copy = arena_copy(arena, text.p, text.n);
    for (size_t i = 0; i < text.n; i++) {
        copy[i] = copy[i] == '\n' || copy[i] == '\r' || copy[i] == '\t' ? ' ' : copy[i];
    }
    return (struct str){.p = copy, .n = text.n};
}

/* Strings that are views of the reply are copied: the reply may go. */
static void keep(struct str *text, struct arena *arena)
{
    *text = text->n == 0 ? STR_EMPTY : str_copy(arena, *text);
}

struct aws_fault aws_fault_read(const struct aws_service *service,
                                const struct aws_http_reply *reply, struct arena *arena)
{
    struct aws_fault fault = {.status = reply->status};
    struct str body = str_trim(reply->body);
    /* A front end may answer a JSON service in XML: what the body looks like decides. */
    if (str_starts(body, STR("<"))) {
        read_xml(&fault, reply, arena);
    } else {
        read_json(&fault, service, reply, arena);
    }
    if (fault.message.n == 0 && fault.code.n == 0) {
        fault.message = one_line(str_sub(body, 0, SHOWN_BYTES), arena);
    }
    aws_header_find(reply->headers, reply->n_headers, STR("date"), &fault.date);
    keep(&fault.code, arena);
    keep(&fault.message, arena);
    keep(&fault.request_id, arena);
    keep(&fault.date, arena);
    read_retry_after(&fault, reply);
    fault.kind = fault.code.n > 0 ? aws_fault_kind_of_code(fault.code) : AWS_FAULT_UNKNOWN;
    if (fault.kind == AWS_FAULT_UNKNOWN) {
        fault.kind = kind_of_status(reply->status);
    }
    fault.maybe_done = reply->status >= 500 && fault.kind != AWS_FAULT_THROTTLED;
    return fault;
}

struct aws_fault aws_fault_of_transport(enum aws_transport_end end, struct str message)
{
    static const enum aws_fault_kind kinds[] = {
        [AWS_TRANSPORT_REFUSED] = AWS_FAULT_TRANSIENT,
        [AWS_TRANSPORT_CUT] = AWS_FAULT_TRANSIENT,
        [AWS_TRANSPORT_LARGE] = AWS_FAULT_TOO_LARGE,
        [AWS_TRANSPORT_TLS] = AWS_FAULT_UNTRUSTED,
    };
    return (struct aws_fault){.kind = kinds[end],
                              .message = message,
                              .maybe_done = end == AWS_TRANSPORT_CUT || end == AWS_TRANSPORT_LARGE};
}

/* ---- for a person ---- */

static enum err_code err_code_of(enum aws_fault_kind kind)
{
    static const enum err_code by_kind[] = {
        [AWS_FAULT_EXPIRED] = ERR_INVALID,      [AWS_FAULT_BAD_KEYS] = ERR_INVALID,
        [AWS_FAULT_UNAUTHORIZED] = ERR_INVALID, [AWS_FAULT_NOT_FOUND] = ERR_NOT_FOUND,
        [AWS_FAULT_ALREADY] = ERR_CONFLICT,     [AWS_FAULT_CONFLICT] = ERR_CONFLICT,
        [AWS_FAULT_INVALID] = ERR_INVALID,      [AWS_FAULT_MALFORMED] = ERR_PARSE,
        [AWS_FAULT_TOO_LARGE] = ERR_LIMIT,      [AWS_FAULT_UNKNOWN] = ERR_IO,
    };
    return by_kind[kind] == ERR_NONE ? ERR_IO : by_kind[kind];
}

static const char *hint_of(enum aws_fault_kind kind)
{
    static const char *const hints[] = {
        [AWS_FAULT_SKEWED] = "; is the clock of this machine right?",
        [AWS_FAULT_EXPIRED] = "; new credentials are needed",
        [AWS_FAULT_BAD_KEYS] = "; AWS does not know the access key, or its secret is another one",
        [AWS_FAULT_UNTRUSTED] = "; AWS_CA_BUNDLE names certificates to trust",
        [AWS_FAULT_UNKNOWN] = NULL,
    };
    return hints[kind] == NULL ? "" : hints[kind];
}

bool aws_fault_err(const struct aws_operation *operation, const struct aws_fault *fault,
                   struct err *err)
{
    if (fault->kind == AWS_FAULT_NO_KEYS) { /* says itself what is missing */
        return err_set(err, ERR_NOT_FOUND, STR_FMT, STR_ARG(fault->message));
    }
    char status[32] = "";
    struct str message = str_sub(fault->message, 0, ERR_TEXT_MAX / 2); /* the hint must not go */
    bool denied = fault->kind == AWS_FAULT_UNAUTHORIZED;
    if (fault->code.n == 0 && fault->status != 0) {
        (void)snprintf(status, sizeof status, ": HTTP status %d", fault->status);
    }
    err_set(err, err_code_of(fault->kind), "%s %s: %s%s%s" STR_FMT "%s" STR_FMT "%s%s%s%s%s",
            operation->service->name, operation->name, aws_fault_kind_name(fault->kind), status,
            fault->code.n > 0 ? ": " : "", STR_ARG(fault->code), fault->message.n > 0 ? ": " : "",
            STR_ARG(message), hint_of(fault->kind), denied ? "; the IAM policy must allow " : "",
            denied ? operation->service->signing : "", denied ? ":" : "",
            denied ? operation->name : "");
    return false;
}
