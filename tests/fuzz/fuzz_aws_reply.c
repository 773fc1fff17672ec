/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Replies of AWS, XML and JSON: the first byte names the operation, the second the status ('e' an
 * error, anything else a success), the rest is the body. Whatever the bytes, the reply is read or
 * refused with a reason; what was read can be written as the AWS CLI would print it, and reads back
 * from that as the same. */
#include <string.h>

#include "awsapi/ajson.h"
#include "awsapi/services.h"
#include "base/arena.h"
#include "base/json_decode.h"
#include "check.h"

enum { OUTPUT_MAX = 16 * 1024 * 1024 };

static struct str cli_text(const struct aws_shape *shape, const void *value, struct arena *arena)
{
    struct strbuf out = strbuf_new(arena, OUTPUT_MAX);
    struct jsonw w = jsonw_new(&out, JSONW_COMPACT);
    aws_json_write(&w, AWS_JSON_CLI, shape, value, /* is_element= */ true);
    MUST(!out.overflow);
    return strbuf_str(&out);
}

static void check_written(const struct aws_operation *operation, const void *output,
                          struct arena *arena)
{
    struct str text = cli_text(operation->output, output, arena);
    json_t *json = NULL;
    struct err err = {.code = ERR_NONE};
    void *again = arena_alloc(arena, operation->output->size);
    MUST(json_decode_text(text, arena, &json, &err));
    MUST(aws_json_read(json, AWS_JSON_CLI, operation->output, arena, again,
                       /* is_element= */ true, &err));
    MUST(str_eq(cli_text(operation->output, again, arena), text));
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_arena arena = ARENA_INIT;
    size_t n_operations = 0;
    while (aws_operations[n_operations] != NULL) {
        n_operations++;
    }
    if (size < 2) {
        return 0;
    }
    const struct aws_operation *operation = aws_operations[data[0] % n_operations];
    bool refused = data[1] == 'e';
    struct aws_http_reply reply = {.status = refused ? 400 : 200,
                                   .body = {.p = (const char *)data + 2, .n = size - 2}};
    struct aws_fault fault;
    struct err err = {.code = ERR_NONE};
    void *output = NULL;
    bool good = aws_reply_read(operation, &reply, &arena, &output, &fault, &err);
    MUST(good || err.code == ERR_PARSE || err.code == ERR_LIMIT);
    MUST(good || fault.kind == AWS_FAULT_MALFORMED);
    MUST(!refused || (good && fault.kind != AWS_FAULT_NONE));
    if (fault.kind != AWS_FAULT_NONE) {
        MUST(!aws_fault_err(operation, &fault, &err) && err.code != ERR_NONE);
        for (const char *c = err.text; *c != '\0'; c++) {
            MUST((unsigned char)*c >= ' ' && *c != 127);
        }
    }
    if (output != NULL) {
        check_written(operation, output, &arena);
    }
    return 0;
}
