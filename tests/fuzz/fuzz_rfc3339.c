/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rfc3339_parse on any text: what it takes is printed and reads back. */
#include "base/rfc3339.h"
#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {.p = (const char *)data, .n = size};
    struct err err = {.code = ERR_NONE};
    char buffer[RFC3339_TEXT_MAX];
    const wall_t first = INT64_C(-62167219200000), last = INT64_C(253402300799999);
    wall_t time = 0, again = 0;
    if (!rfc3339_parse(text, &time, &err)) {
        MUST(err.code == ERR_INVALID);
        return 0;
    }
    MUST(rfc3339_parse(rfc3339_format(time, buffer), &again, &err));
    /* An offset can lead out of the years that can be printed. */
    MUST(again == (time < first ? first : time > last ? last : time));
    return 0;
}
