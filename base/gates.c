/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/gates.h"

static bool read_pair(struct str pair, struct gate_text *gate)
{
    const size_t equals = str_find(pair, '=');
    const struct str value =
        equals < pair.n ? str_trim(str_sub(pair, equals + 1, pair.n)) : STR_EMPTY;
    gate->pair = pair;
    gate->name = str_trim(str_sub(pair, 0, equals));
    gate->on = str_eq(value, STR("true"));
    return gate->name.n > 0 && (gate->on || str_eq(value, STR("false")));
}

enum gates_read gates_next(struct str *rest, struct gate_text *ret_gate)
{
    while (rest->n > 0) {
        const size_t comma = str_find(*rest, ',');
        const struct str pair = str_trim(str_sub(*rest, 0, comma));
        *rest = comma < rest->n ? str_sub(*rest, comma + 1, rest->n) : STR_EMPTY;
        if (pair.n > 0) {
            return read_pair(pair, ret_gate) ? GATES_ONE : GATES_WRONG;
        }
    }
    return GATES_END;
}
