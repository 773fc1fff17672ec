/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Percent-encoding as AWS wants it (RFC 3986): the unreserved characters A-Z a-z 0-9 - . _ ~ stay,
 * every other byte becomes %XX with capital digits. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct arena;

/* FORM: a slash is encoded and a blank is '+', as forms have it. */
enum aws_uri_style { AWS_URI_ENCODE_SLASH, AWS_URI_KEEP_SLASH, AWS_URI_FORM };

void aws_uri_encode(struct strbuf *out, struct str text, enum aws_uri_style style);

/* The bytes meant; '%' that is not followed by two hexadecimal digits stays as it is. */
struct str aws_uri_decode(struct arena *arena, struct str text);

/* Takes the next "name=value" off `*rest`, at '&'; both still encoded; a name without '=' has an
 * empty value. False at the end. */
bool aws_uri_next_pair(struct str *rest, struct str *ret_name, struct str *ret_value);
