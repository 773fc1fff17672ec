/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table at the end. */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "provisioner/sandbox/world.h"

static void put_usd(struct strbuf *out, const char *what, usd_t value)
{
    strbuf_addf(out, "  %-22s $%lld.%04lld\n", what, (long long)(value / USD_PER_HOUR),
                (long long)(value % USD_PER_HOUR / 100000));
}

static void put_seconds(struct strbuf *out, const char *what, int64_t ms)
{
    strbuf_addf(out, "  %-22s %lld s\n", what, (long long)(ms / SECOND));
}

/* How much less `bill` is than `other`, in per cent of it. */
static void put_less(struct strbuf *out, usd_t bill, usd_t other)
{
    const int64_t tenths = other > 0 ? (other - bill) / (other / 1000 + 1) : 0;
    const int64_t size = tenths < 0 ? -tenths : tenths;
    strbuf_addf(out, "  %-22s %lld.%lld %%\n", tenths < 0 ? "more than that" : "less than that",
                (long long)(size / 10), (long long)(size % 10));
}

static void put_number(struct strbuf *out, const char *what, uint64_t value)
{
    strbuf_addf(out, "  %-22s %llu\n", what, (unsigned long long)value);
}

/* Refusals are answers that say no of their own accord. */
static void put_faults(const uint64_t counts[SANDBOX_N_ACTIONS][SANDBOX_N_FAULTS],
                       const uint64_t refused[SANDBOX_N_ACTIONS], struct strbuf *out)
{
    static const char *const actions[] = {"create",   "patch", "delete",   "evict",
                                          "template", "fleet", "describe", "terminate"};
    static const char *const faults[] = {"fails", "lost", "unanswered", "pre-kill", "post-kill"};
    strbuf_addf(out, "\n  %-9s%9s%9s", "", "well", "refused");
    for (int f = 1; f < SANDBOX_N_FAULTS; f++) {
        strbuf_addf(out, "%*s", f < SANDBOX_UNANSWERED ? 9 : 11, faults[f - 1]);
    }
    strbuf_addc(out, '\n');
    for (int a = 0; a < SANDBOX_N_ACTIONS; a++) {
        strbuf_addf(out, "  %-9s%9llu%9llu", actions[a],
                    (unsigned long long)(counts[a][SANDBOX_NO_FAULT] - refused[a]),
                    (unsigned long long)refused[a]);
        for (int f = 1; f < SANDBOX_N_FAULTS; f++) {
            strbuf_addf(out, "%*llu", f < SANDBOX_UNANSWERED ? 9 : 11,
                        (unsigned long long)counts[a][f]);
        }
        strbuf_addc(out, '\n');
    }
}

/* For a shell. */
static void put_word(struct strbuf *out, struct str word)
{
    bool plain = word.n > 0;
    for (size_t i = 0; i < word.n; i++) {
        plain =
            plain && (isalnum((unsigned char)word.p[i]) || strchr("/._-+,@", word.p[i]) != NULL);
    }
    if (plain) {
        strbuf_add(out, word);
        return;
    }
    strbuf_addc(out, '\'');
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] == '\'') {
            strbuf_add(out, STR("'\\''"));
        } else {
            strbuf_addc(out, word.p[i]);
        }
    }
    strbuf_addc(out, '\'');
}

/* The one command that shows it again. */
static void put_broken(const struct sandbox_options *options, uint64_t seed,
                       const struct err *breach, struct strbuf *out)
{
    strbuf_addf(out, "\n  BROKEN %s\n  again: provisioner --sandbox ", breach->text);
    put_word(out, options->name);
    strbuf_addf(out, " --seed=%llu", (unsigned long long)seed);
    if (options->hours.has) {
        strbuf_addf(out, " --hours=%lld", (long long)options->hours.v);
    }
    if (options->faults.has) {
        strbuf_addf(out, " --faults=%lld", (long long)options->faults.v);
    }
    strbuf_addc(out, '\n');
}

static uint64_t fault_least(const uint64_t counts[SANDBOX_N_ACTIONS][SANDBOX_N_FAULTS])
{
    uint64_t least = UINT64_MAX;
    for (int a = 0; a < SANDBOX_N_ACTIONS; a++) {
        for (int f = 1; f < SANDBOX_N_FAULTS; f++) {
            least = counts[a][f] < least ? counts[a][f] : least;
        }
    }
    return least;
}

static int64_t mean_wait(const struct sandbox_report *r)
{
    return r->n_waits == 0 ? 0 : r->waited_ms / (int64_t)r->n_waits;
}

/* A bill is lower, too, when pods wait for their nodes. */
static void put_karpenter(struct strbuf *out, const struct sandbox_report *r,
                          const struct sandbox_report *karpenter)
{
    const uint32_t n_waiting = karpenter->n_pods - karpenter->n_bound;
    put_usd(out, "Karpenter (emulated)", karpenter->bill);
    put_number(out, "  without a place", n_waiting);
    put_seconds(out, "  pods waited, mean", mean_wait(karpenter));
    if (karpenter->broken) {
        strbuf_add(out, STR("  its world is broken: the bills do not compare\n"));
    } else if (mean_wait(karpenter) > 2 * mean_wait(r)) {
        strbuf_add(out, STR("  its pods wait more than twice as long: the bills do not compare\n"));
    } else if (n_waiting > r->n_pods - r->n_bound) {
        strbuf_add(out, STR("  more of its pods have no place: the bills do not compare\n"));
    } else {
        put_less(out, r->bill, karpenter->bill);
    }
}

/* Each plan for itself: what it buys, what must be paid for that at least, and what the emulated
 * Karpenter would have bought for the same pods on the same nodes. */
static void put_plans(struct strbuf *out, const struct sandbox_report *r)
{
    put_usd(out, "bought by all plans", r->bought);
    put_usd(out, "  proven at least", r->bought_bound);
    if (r->other_cost > 0) {
        put_usd(out, "  of these, compared", r->own_cost);
        put_usd(out, "  Karpenter, same pods", r->other_cost);
        strbuf_add(out, STR("  "));
        put_less(out, r->own_cost, r->other_cost);
    }
}

/* Sent, whatever came of it. */
static uint64_t n_writes(const struct sandbox_report *r)
{
    uint64_t n = 0;
    for (int a = SANDBOX_CREATE; a <= SANDBOX_EVICT; a++) {
        for (int f = 0; f < SANDBOX_N_FAULTS; f++) {
            n += r->faults[a][f];
        }
    }
    return n;
}

void sandbox_table(const struct sandbox_options *options, const struct sandbox_report *r,
                   const struct sandbox_report *karpenter, struct strbuf *out)
{
    strbuf_addf(out, "sandbox " STR_FMT ", seed %llu: %lld.%lld hours\n\n", STR_ARG(options->name),
                (unsigned long long)options->seed, (long long)(r->ran_ms / HOUR),
                (long long)(r->ran_ms % HOUR * 10 / HOUR));
    put_number(out, "nodes at the end", r->n_nodes);
    put_number(out, "nodes at most", r->n_nodes_most);
    put_number(out, "NodeClaims", r->n_claims);
    put_number(out, "instances", r->n_instances);
    put_number(out, "pods", r->n_pods);
    put_number(out, "pods without a place", r->n_pods - r->n_bound);
    put_number(out, "launches", r->n_launches);
    put_number(out, "terminations", r->n_terminations);
    put_number(out, "writes", n_writes(r));
    put_number(out, "plans", r->n_rounds);
    put_number(out, "restarts", r->n_restarts);
    put_number(out, "watches broken", r->n_relists);
    put_seconds(out, "pods waited, mean", mean_wait(r));
    put_seconds(out, "pods waited, most", r->waited_most_ms);
    put_usd(out, "per hour at the end", r->per_hour);
    put_usd(out, "per hour at most", r->per_hour_most);
    put_usd(out, "bill", r->bill);
    if (karpenter != NULL) {
        put_karpenter(out, r, karpenter);
    }
    put_plans(out, r);
    if (karpenter != NULL && karpenter->bill > 0) {
        strbuf_add(out, STR("\n  Neither world removes nodes that it no longer needs. So a bill "
                            "follows from what\n  was bought at the peaks, and from which nodes "
                            "were taken away meanwhile: in each\n  world others. The plans above "
                            "are compared one by one, pod for pod.\n"));
    }
    put_faults(r->faults, r->refused, out);
    if (r->untold) {
        strbuf_add(out,
                   STR("\n  It ended within half an hour of a step or fault: too early to tell "
                       "whether\n  all pods get a place and all nodes come to rest.\n"));
    }
    if (r->broken) {
        put_broken(options, options->seed, &r->breach, out);
    }
}

void sandbox_runs_table(const struct sandbox_options *options, const struct sandbox_runs *runs,
                        int64_t took_ms, struct strbuf *out)
{
    strbuf_addf(out, "sandbox " STR_FMT ", seeds %llu to %llu\n\n", STR_ARG(options->name),
                (unsigned long long)options->seed,
                (unsigned long long)(options->seed + runs->n_runs - 1));
    put_number(out, "worlds", runs->n_runs);
    put_number(out, "broken", runs->n_broken);
    if (runs->n_untold > 0) {
        put_number(out, "ended too early to tell", runs->n_untold);
    }
    put_number(out, "with searched plans", runs->n_searched);
    put_number(out, "hours, all told", (uint64_t)(runs->ran_ms / HOUR));
    if (took_ms > 0) {
        put_number(out, "days a minute", (uint64_t)(runs->ran_ms / HOUR * MINUTE / (24 * took_ms)));
    }
    put_number(out, "launches", runs->n_launches);
    put_number(out, "  of any world, least", runs->n_launches_least);
    put_number(out, "terminations", runs->n_terminations);
    put_number(out, "restarts", runs->n_restarts);
    put_number(out, "  of any world, least", runs->n_restarts_least);
    put_number(out, "pods at the end, least", runs->n_pods_least);
    put_number(out, "watches broken", runs->n_relists);
    put_number(out, "plans", runs->n_rounds);
    put_number(out, "events", runs->n_events);
    put_number(out, "each fault, at least", fault_least(runs->faults));
    put_faults(runs->faults, runs->refused, out);
    for (uint64_t i = 0; i < runs->n_broken && i < SANDBOX_BROKEN_MAX; i++) {
        put_broken(options, runs->broken[i].seed, &runs->broken[i].breach, out);
    }
}
