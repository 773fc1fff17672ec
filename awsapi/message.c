/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "awsapi/message.h"

#include <assert.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

void aws_http_add(struct aws_http_request *request, struct str name, struct str value)
{
    assert(request->n_headers < AWS_HEADERS_MAX);
    request->headers[request->n_headers++] = (struct aws_header){.name = name, .value = value};
}

bool aws_header_name_eq(struct str a, struct str b)
{
    if (a.n != b.n) {
        return false;
    }
    for (size_t i = 0; i < a.n; i++) {
        if (lower(a.p[i]) != lower(b.p[i])) {
            return false;
        }
    }
    return true;
}

bool aws_header_find(const struct aws_header *headers, size_t n_headers, struct str name,
                     struct str *ret_value)
{
    *ret_value = STR_EMPTY;
    for (size_t i = 0; i < n_headers; i++) {
        if (aws_header_name_eq(headers[i].name, name)) {
            *ret_value = headers[i].value;
            return true;
        }
    }
    return false;
}
