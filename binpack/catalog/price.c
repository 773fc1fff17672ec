/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/catalog/price.h"

#include "base/number.h"

enum { NANO_DIGITS = 9 };

bool cat_price_parse(struct str text, usd_t *ret_price, struct err *err)
{
    struct str number = str_trim(text);
    usd_t price = 0;
    if (number.n > NUMBER_PARSE_MAX || !number_parse_decimal(number, NANO_DIGITS, &price) ||
        price < 0 || str_starts(number, STR("-"))) {
        return err_set(err, ERR_INVALID,
                       "\"" STR_FMT
                       "\" is not a price in dollars per hour (0 to %d, such as 0.096)",
                       STR_ARG(str_sub(text, 0, 64)), CAT_PRICE_MAX);
    }
    if (price > CAT_PRICE_MAX * USD_PER_HOUR) {
        return err_set(err, ERR_LIMIT, "\"" STR_FMT "\" is above %d dollars per hour",
                       STR_ARG(str_sub(text, 0, 64)), CAT_PRICE_MAX);
    }
    *ret_price = price;
    return true;
}

bool cat_price_parse_json(const json_t *value, usd_t *ret_price, struct err *err)
{
    char text[NUMBER_TEXT_MAX];
    if (json_is_string(value)) {
        return cat_price_parse(
            (struct str){.p = json_string_value(value), .n = json_string_length(value)}, ret_price,
            err);
    }
    if (json_is_integer(value)) {
        return cat_price_parse(number_format_decimal(json_integer_value(value), 0, text), ret_price,
                               err);
    }
    if (json_is_real(value)) { /* the decimal that the file wrote */
        return cat_price_parse(number_format_double(json_real_value(value), text), ret_price, err);
    }
    return err_set(err, ERR_INVALID, "expected a price in dollars per hour");
}
