/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/catalog/price.h"

static bool not_a_price(struct str text, struct err *err)
{
    return err_set(err, ERR_INVALID,
                   "\"" STR_FMT "\" is not a price in dollars per hour (such as 0.096)",
                   STR_ARG(str_sub(text, 0, 64)));
}

bool cat_price_parse(struct str text, usd_t *ret_price, struct err *err)
{
    enum { FRACTION_DIGITS = 9 };
    struct str number = str_trim(text);
    int64_t whole = 0, fraction = 0;
    int n_digits = 0, n_fraction = 0;
    bool point = false, up = false;
    for (size_t i = 0; i < number.n; i++) {
        char c = number.p[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9') {
            return not_a_price(text, err);
        }
        n_digits++;
        if (!point) {
            whole = sat_add(sat_mul(whole, 10), c - '0');
        } else if (n_fraction < FRACTION_DIGITS) {
            fraction = fraction * 10 + (c - '0');
            n_fraction++;
        } else if (n_fraction++ == FRACTION_DIGITS) {
            up = c >= '5';
        }
    }
    if (n_digits == 0) {
        return not_a_price(text, err);
    }
    for (; n_fraction < FRACTION_DIGITS; n_fraction++) {
        fraction *= 10;
    }
    if (whole > CAT_PRICE_MAX) {
        return err_set(err, ERR_LIMIT, "\"" STR_FMT "\" is above %d dollars per hour",
                       STR_ARG(str_sub(text, 0, 64)), CAT_PRICE_MAX);
    }
    *ret_price = whole * USD_PER_HOUR + fraction + (up ? 1 : 0);
    return true;
}

bool cat_price_parse_json(const json_t *value, usd_t *ret_price, struct err *err)
{
    if (json_is_string(value)) {
        return cat_price_parse(
            (struct str){.p = json_string_value(value), .n = json_string_length(value)}, ret_price,
            err);
    }
    if (!json_is_number(value)) {
        return err_set(err, ERR_INVALID, "expected a price in dollars per hour");
    }
    /* The one place where a price is a double: jansson has read it as one. */
    double dollars = json_number_value(value);
    if (!(dollars >= 0)) {
        return err_set(err, ERR_INVALID, "%g is not a price: it is negative", dollars);
    }
    if (dollars > CAT_PRICE_MAX) {
        return err_set(err, ERR_LIMIT, "%g is above %d dollars per hour", dollars, CAT_PRICE_MAX);
    }
    *ret_price = (usd_t)(dollars * (double)USD_PER_HOUR + 0.5);
    return true;
}
