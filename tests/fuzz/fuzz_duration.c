/* SPDX-License-Identifier: GPL-3.0-or-later */
/* duration_parse on any text: what it takes is printed and reads back. */
#include "base/duration.h"
#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {.p = (const char *)data, .n = size};
    struct err err = {.code = ERR_NONE};
    char buffer[DURATION_TEXT_MAX];
    struct duration never;
    int64_t ms = 0, again = 0;
    bool good = duration_parse(text, &ms, &err);
    MUST(good || err.code == ERR_INVALID || err.code == ERR_LIMIT);
    MUST(duration_parse_never(text, &never, &err) == (good || str_eq(text, STR("Never"))));
    if (good) {
        MUST(never.ms == ms && !never.never);
        MUST(duration_parse(duration_format(ms, buffer), &again, &err));
        MUST(again == ms);
    }
    return 0;
}
