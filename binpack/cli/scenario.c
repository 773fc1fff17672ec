/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/scenario.h"

#include "base/arena.h"
#include "base/number.h"

#define ARRAY_N(array) (sizeof(array) / sizeof((array)[0]))

const char *const scenario_names[] = {"karpenter",
                                      "cluster-autoscaler",
                                      "ffd",
                                      "on-demand",
                                      "no-arm64",
                                      "no-amd64",
                                      "families<=N",
                                      "families=A,B",
                                      "zones=A,B",
                                      "spot-max=PCT",
                                      "min-pools=N",
                                      "max-per-pool=PCT",
                                      "nodepools=FILE",
                                      "requests=p95:FILE",
                                      "no-antiaffinity",
                                      "no-affinity",
                                      "no-spread",
                                      "no-preferences",
                                      "no-nodeselectors",
                                      "no-instancetypes",
                                      "no-arch",
                                      "no-capacitytype",
                                      "no-zones",
                                      "no-volumezones",
                                      "no-hostports",
                                      "no-taints",
                                      "no-minvalues",
                                      "no-limits",
                                      "no-daemonsets",
                                      "remove-node=NAME",
                                      "zone-down=ZONE",
                                      "scale=NS/NAME=N",
                                      "deny-type=TYPE",
                                      "unavailable=TYPE:ZONE:CT",
                                      "price-adjust=WHICH: PCT",
                                      "node-surcharge=USD",
                                      NULL};

static bool unknown(struct str spec, struct arena *arena, struct err *err)
{
    struct str near = option_suggest(spec, scenario_names, "", arena);
    return err_set(err, ERR_INVALID, "\"" STR_FMT "\" is no scenario" STR_FMT,
                   STR_ARG(str_sub(spec, 0, 200)),
                   STR_ARG(near.n > 0 ? near : STR("; `binpack help scenarios` lists them")));
}

static bool take_percent(struct str text, struct scenario *s, struct err *err)
{
    bool percent = str_ends(text, STR("%"));
    return (number_parse_decimal(str_sub(text, 0, text.n - percent), 7, &s->number) &&
            s->number >= 0 && s->number <= INT64_C(1000000000)) ||
           err_set(err, ERR_INVALID, "\"" STR_FMT "\" is not a percentage such as 50%%",
                   STR_ARG(str_sub(text, 0, 200)));
}

/* One node may always be alone in its pool, but 0% allows no spot node at all. */
static bool take_share(struct str text, struct scenario *s, struct err *err)
{
    return take_percent(text, s, err) &&
           (s->number > 0 || err_set(err, ERR_INVALID, "\"" STR_FMT "\" is not above 0%%",
                                     STR_ARG(str_sub(text, 0, 200))));
}

static bool take_count(struct str text, struct scenario *s, struct err *err)
{
    return (str_to_i64(text, &s->number) && s->number >= 1 && s->number <= 10000) ||
           err_set(err, ERR_INVALID, "\"" STR_FMT "\" is not a number from 1 to 10000",
                   STR_ARG(str_sub(text, 0, 200)));
}

static bool take_requests(struct str text, struct scenario *s, struct err *err)
{
    const size_t colon = str_find(text, ':');
    s->column = str_sub(text, 0, colon);
    s->file = colon < text.n ? str_sub(text, colon + 1, text.n) : STR_EMPTY;
    return (s->column.n > 0 && s->file.n > 0) ||
           err_set(err, ERR_INVALID, "\"" STR_FMT "\" is not COLUMN:FILE, such as p95:usage.csv",
                   STR_ARG(str_sub(text, 0, 200)));
}

static bool take_change(enum whatif_kind kind, struct str text, struct arena *arena,
                        struct scenario *s, struct err *err)
{
    s->kind = SCENARIO_CHANGE;
    return whatif_parse(kind, text, arena, &s->change, err);
}

/* "no-..." and words without a value. */
static bool parse_word(struct str spec, struct arena *arena, struct scenario *s, struct err *err)
{
    static const struct {
        struct str name;
        enum option_algorithm algorithm;
    } planners[] = {{STR("ffd"), ALGORITHM_FFD},
                    {STR("karpenter"), ALGORITHM_KARPENTER},
                    {STR("cluster-autoscaler"), ALGORITHM_CLUSTER_AUTOSCALER}};
    for (size_t i = 0; i < ARRAY_N(planners); i++) {
        if (str_eq(spec, planners[i].name)) {
            s->kind = SCENARIO_ALGORITHM;
            s->algorithm = planners[i].algorithm;
            return true;
        }
    }
    if (str_eq(spec, STR("on-demand")) || str_eq(spec, STR("no-spot"))) {
        return take_change(WHATIF_NO_SPOT, STR_EMPTY, arena, s, err);
    }
    struct str rest = str_starts(spec, STR("no-")) ? str_sub(spec, 3, spec.n) : STR_EMPTY;
    if (str_eq(rest, STR("arm64")) || str_eq(rest, STR("amd64"))) {
        return take_change(WHATIF_DENY_ARCH, rest, arena, s, err);
    }
    for (int rule = 0; rule < WHATIF_N_RULES; rule++) {
        if (str_eq(rest, str_of(whatif_rules[rule].name))) {
            return take_change(WHATIF_WITHOUT_RULES, rest, arena, s, err);
        }
    }
    return unknown(spec, arena, err);
}

/* What-if options that a scenario may be. */
static const enum whatif_kind change_kinds[] = {
    WHATIF_REMOVE_NODE,   WHATIF_ZONE_DOWN,    WHATIF_SCALE,
    WHATIF_DENY_TYPE,     WHATIF_UNAVAILABLE,  WHATIF_ONLY_ZONES,
    WHATIF_ONLY_FAMILIES, WHATIF_PRICE_ADJUST, WHATIF_NODE_SURCHARGE};

static bool parse_value(struct str name, struct str value, struct arena *arena, struct scenario *s,
                        struct err *err)
{
    static const struct {
        const char *name;
        enum scenario_kind kind;
        bool (*take)(struct str text, struct scenario *s, struct err *err);
    } rows[] = {
        {"families<", SCENARIO_MAX_FAMILIES, take_count},
        {"spot-max", SCENARIO_SPOT_MAX, take_percent},
        {"max-per-pool", SCENARIO_MAX_PER_POOL, take_share},
        {"min-pools", SCENARIO_MIN_POOLS, take_count},
        {"requests", SCENARIO_REQUESTS, take_requests},
    };
    for (size_t i = 0; i < ARRAY_N(rows); i++) {
        if (str_eq(name, str_of(rows[i].name))) {
            s->kind = rows[i].kind;
            return rows[i].take(value, s, err);
        }
    }
    if (str_eq(name, STR("nodepools")) && value.n > 0) {
        s->kind = SCENARIO_NODEPOOLS;
        s->file = value;
        return true;
    }
    for (size_t i = 0; i < ARRAY_N(change_kinds); i++) {
        if (str_eq(name, str_of(whatif_kind_names[change_kinds[i]]))) {
            return take_change(change_kinds[i], value, arena, s, err);
        }
    }
    return unknown(s->name, arena, err);
}

bool scenario_parse(struct str spec, struct arena *arena, struct scenario *ret_scenario,
                    struct err *err)
{
    struct scenario s = {.name = spec};
    size_t equals = str_find(spec, '=');
    bool good = equals == spec.n ? parse_word(spec, arena, &s, err)
                                 : parse_value(str_sub(spec, 0, equals),
                                               str_sub(spec, equals + 1, spec.n), arena, &s, err);
    *ret_scenario = s;
    return good || err_wrap(err, "--with");
}
