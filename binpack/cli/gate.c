/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/gate.h"

#include "base/arena.h"
#include "base/number.h"
#include "base/units.h"
#include "binpack/plan/plan_json.h"

#define ONE INT64_C(1000000000)

static int64_t usd_per_hour(const struct plan *plan)
{
    return plan->cost;
}

static int64_t usd_per_month(const struct plan *plan)
{
    return sat_mul(plan->cost, HOURS_PER_MONTH);
}

static int64_t on_demand_usd_per_hour(const struct plan *plan)
{
    return plan->on_demand_cost;
}

static int64_t existing_usd_per_hour(const struct plan *plan)
{
    return plan->running_cost;
}

static int64_t lower_bound_usd_per_hour(const struct plan *plan)
{
    return plan->bound;
}

static int64_t new_nodes(const struct plan *plan)
{
    return sat_mul(plan->n_nodes, ONE);
}

static int64_t spot_nodes(const struct plan *plan)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        n += plan->nodes[i].capacity_type == CAT_SPOT;
    }
    return sat_mul(n, ONE);
}

static int64_t unplaced_pods(const struct plan *plan)
{
    return sat_mul(plan->n_unplaced, ONE);
}

static const struct {
    const char *name;
    int64_t (*of)(const struct plan *plan); /* times 10^9 */
} quantities[] = {
    {"usd_per_hour", usd_per_hour},
    {"usd_per_month", usd_per_month},
    {"on_demand_usd_per_hour", on_demand_usd_per_hour},
    {"existing_usd_per_hour", existing_usd_per_hour},
    {"lower_bound_usd_per_hour", lower_bound_usd_per_hour},
    {"gap", plan_gap_ppb},
    {"new_nodes", new_nodes},
    {"spot_nodes", spot_nodes},
    {"unplaced_pods", unplaced_pods},
    {"unplaced", unplaced_pods},
};
enum { N_QUANTITIES = sizeof quantities / sizeof quantities[0] };

/* "usdPerHour" is "usd_per_hour". */
static bool same_name(struct str given, const char *name)
{
    size_t i = 0;
    for (const char *c = name; *c != '\0'; c++) {
        bool upper = c > name && c[-1] == '_' && i > 0 && given.p[i - 1] != '_';
        if (*c == '_') {
            i += i < given.n && given.p[i] == '_';
            continue;
        }
        char want = upper ? (char)(*c & ~0x20) : *c;
        if (i >= given.n || given.p[i] != want) {
            return false;
        }
        i++;
    }
    return i == given.n && given.n > 0;
}

/* "usd_per_hour, usd_per_month, ..." */
static struct str quantity_names(struct arena *arena)
{
    struct strbuf b = strbuf_new(arena, 1024);
    for (size_t i = 0; i < N_QUANTITIES; i++) {
        strbuf_addf(&b, "%s%s", i > 0 ? ", " : "", quantities[i].name);
    }
    return strbuf_str(&b);
}

static const struct {
    const char *text; /* longer ones first */
    enum gate_op op;
} ops[] = {{">=", GATE_GE}, {"<=", GATE_LE}, {"==", GATE_EQ},
           {"!=", GATE_NE}, {">", GATE_GT},  {"<", GATE_LT}};

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool fail(struct str text, const char *why, struct err *err)
{
    return err_set(err, ERR_INVALID,
                   "--fail-if: \"" STR_FMT "\": %s, such as 'usd_per_month > 900' or 'gap >= 2%%'",
                   STR_ARG(str_sub(text, 0, 100)), why);
}

/* Only the gap is a share. */
static bool is_share(int quantity)
{
    return quantities[quantity].of == plan_gap_ppb;
}

static bool parse_number(struct str text, int64_t *ret_value)
{
    bool percent = str_ends(text, STR("%"));
    struct str digits = str_trim(str_sub(text, 0, text.n - (percent ? 1 : 0)));
    return number_parse_decimal(digits, percent ? 7 : 9, ret_value);
}

bool gate_parse(struct str text, struct gate *ret_gate, struct err *err)
{
    struct str rest = str_trim(text);
    size_t n = 0;
    while (n < rest.n && is_name_byte(rest.p[n])) {
        n++;
    }
    struct str name = str_sub(rest, 0, n);
    rest = str_trim(str_sub(rest, n, rest.n));
    ret_gate->quantity = -1;
    for (int i = 0; i < (int)N_QUANTITIES && ret_gate->quantity < 0; i++) {
        ret_gate->quantity = same_name(name, quantities[i].name) ? i : -1;
    }
    if (ret_gate->quantity < 0) {
        auto_arena arena = ARENA_INIT;
        struct str all = quantity_names(&arena);
        return err_set(err, ERR_INVALID,
                       "--fail-if: \"" STR_FMT "\": must begin with one of " STR_FMT,
                       STR_ARG(str_sub(text, 0, 100)), STR_ARG(all));
    }
    size_t op = 0;
    while (op < sizeof ops / sizeof ops[0] && !str_starts(rest, str_of(ops[op].text))) {
        op++;
    }
    if (op == sizeof ops / sizeof ops[0]) {
        return fail(text, "expected >, >=, <, <=, == or != and a number after the name", err);
    }
    ret_gate->op = ops[op].op;
    rest = str_trim(str_sub(rest, str_of(ops[op].text).n, rest.n));
    if (str_ends(rest, STR("%")) && !is_share(ret_gate->quantity)) {
        return fail(text, "only gap is compared with a percentage", err);
    }
    if (!parse_number(rest, &ret_gate->value)) {
        return fail(text, "expected a number at the end", err);
    }
    if (is_share(ret_gate->quantity) && ret_gate->value > ONE && !str_ends(rest, STR("%"))) {
        return fail(text, "a gap is a share of 1 unless it ends in %, and none is above 1", err);
    }
    return true;
}

static bool compare(enum gate_op op, int64_t a, int64_t b)
{
    switch (op) {
    case GATE_GT:
        return a > b;
    case GATE_GE:
        return a >= b;
    case GATE_LT:
        return a < b;
    case GATE_LE:
        return a <= b;
    case GATE_EQ:
        return a == b;
    case GATE_NE:
        break;
    }
    return a != b;
}

bool gate_holds(const struct gate *gate, const struct plan *plan, struct arena *arena,
                struct str *ret_value)
{
    char buffer[NUMBER_TEXT_MAX];
    int64_t value = quantities[gate->quantity].of(plan);
    struct strbuf b = strbuf_new(arena, NUMBER_TEXT_MAX + 1);
    strbuf_add(&b, number_format_decimal(value, is_share(gate->quantity) ? 7 : 9, buffer));
    strbuf_add(&b, is_share(gate->quantity) ? STR("%") : STR_EMPTY);
    *ret_value = strbuf_str(&b);
    return compare(gate->op, value, gate->value);
}
