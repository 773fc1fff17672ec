/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The form of the EC2 and query protocols: Action=...&Version=...&Filter.1.Name=... */
#pragma once

#include <stdbool.h>

#include "awsapi/operation.h"

/* Appends the whole body. Cannot fail but by overflow of `out`. */
void aws_query_write(struct strbuf *out, const struct aws_operation *operation, const void *input);
