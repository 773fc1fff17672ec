/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/default_spread.h"

#include "base/arena.h"
#include "binpack/scheduling/terms.h"
#include "k8s/syntax.h"

/* Cuts what stands before the first `c` off the front of *rest. */
static struct str cut(struct str *rest, char c)
{
    const size_t at = str_find(*rest, c);
    const struct str front = str_sub(*rest, 0, at);
    *rest = at < rest->n ? str_sub(*rest, at + 1, rest->n) : STR_EMPTY;
    return front;
}

static bool read_constraint(struct str text, struct strtab *tab, struct k8s_spread *ret_spread,
                            struct err *err)
{
    struct str rest = text;
    const struct str key = cut(&rest, ':'), skew = cut(&rest, ':');
    int64_t max_skew = 0;
    const char *fault = k8s_label_key_fault(key);
    if (fault != NULL) {
        return err_set(err, ERR_INVALID, "--default-spread: \"" STR_FMT "\" is no label: %s",
                       STR_ARG(key), fault);
    }
    if (!str_to_i64(skew, &max_skew) || max_skew < 1 || max_skew > INT32_MAX) {
        return err_set(err, ERR_INVALID,
                       "--default-spread: \"" STR_FMT "\": maxSkew \"" STR_FMT
                       "\" is no number from 1 on",
                       STR_ARG(text), STR_ARG(skew));
    }
    const bool anyway = str_eq(rest, STR("ScheduleAnyway"));
    if (!anyway && !str_eq(rest, STR("DoNotSchedule"))) {
        return err_set(err, ERR_INVALID,
                       "--default-spread: \"" STR_FMT "\": \"" STR_FMT
                       "\" is neither ScheduleAnyway nor DoNotSchedule",
                       STR_ARG(text), STR_ARG(rest));
    }
    *ret_spread = (struct k8s_spread){.key = strtab_add(tab, key),
                                      .max_skew = (int32_t)max_skew,
                                      .schedule_anyway = anyway,
                                      .affinity_honor = true};
    return true;
}

bool default_spread_parse(struct str text, struct strtab *tab, struct arena *arena,
                          struct default_spread *ret_spread, struct err *err)
{
    struct k8s_spread *v = ARENA_ARRAY(arena, struct k8s_spread, DEFAULT_SPREAD_MAX);
    *ret_spread = (struct default_spread){.v = v};
    while (text.n > 0) {
        if (ret_spread->n == DEFAULT_SPREAD_MAX) {
            return err_set(err, ERR_LIMIT, "--default-spread: more than %d constraints",
                           DEFAULT_SPREAD_MAX);
        }
        if (!read_constraint(cut(&text, ','), tab, &v[ret_spread->n++], err)) {
            return false;
        }
    }
    return true;
}

bool default_spread_apply(struct str text, struct strtab *tab, struct arena *arena,
                          const struct k8s_cluster **cluster, struct err *err)
{
    struct default_spread spread;
    if (!default_spread_parse(text, tab, arena, &spread, err)) {
        return false;
    }
    *cluster = sched_cluster_spread(*cluster, spread.n, spread.v, arena);
    return true;
}
