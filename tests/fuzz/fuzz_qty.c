/* SPDX-License-Identifier: GPL-3.0-or-later */
/* qty_parse on any text: the four readings agree with each other, and what is printed reads back.
 */
#include "base/qty.h"
#include "check.h"

static void check_printed(int64_t value, enum qty_unit unit)
{
    for (int style = QTY_DECIMAL; style <= QTY_BINARY; style++) {
        char buffer[QTY_TEXT_MAX];
        int64_t again = 0;
        struct err err;
        struct str text = qty_format(value, unit, (enum qty_style)style, buffer);
        MUST(qty_parse(text, unit, QTY_UP, &again, &err));
        MUST(again == value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {.p = (const char *)data, .n = size};
    int64_t down = 0, up = 0, milli_down = 0, milli_up = 0;
    struct err err = {.code = ERR_NONE};
    bool good = qty_parse(text, QTY_BASE, QTY_DOWN, &down, &err);
    MUST(good || err.code == ERR_INVALID || err.code == ERR_LIMIT);
    bool good_up = qty_parse(text, QTY_BASE, QTY_UP, &up, &err);
    MUST(good || !good_up);
    if (!good_up) {
        return 0;
    }
    MUST(up == down || up == down + (up > 0 ? 1 : -1));
    check_printed(down, QTY_BASE);
    check_printed(up, QTY_BASE);
    if (qty_parse(text, QTY_MILLI, QTY_DOWN, &milli_down, &err) &&
        qty_parse(text, QTY_MILLI, QTY_UP, &milli_up, &err)) {
        MUST(milli_up == milli_down || milli_up == milli_down + (milli_up > 0 ? 1 : -1));
        MUST(milli_down / 1000 == down);
        MUST(milli_up / 1000 + (milli_up % 1000 > 0) - (milli_up % 1000 < 0) == up);
        check_printed(milli_down, QTY_MILLI);
    } else {
        MUST(down > INT64_MAX / 1000 - 1 || down < -INT64_MAX / 1000 + 1);
    }
    return 0;
}
