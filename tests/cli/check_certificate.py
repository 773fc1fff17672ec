#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proves the lower bound of a certificate (docs/plan.md) without binpack: check_certificate.py CERTIFICATE

In integers, standard library only. With pi_i the dual of class i, mu_r of limit r, v_k an upper bound of the value of any pattern that
offering k can hold, cost_k = price_k + sum_r mu_r use_rk:
  unlimited offerings:  v_k <= cost_k     finite ones lower the bound by stock_k * max(0, v_k - cost_k)
  bound = sum_i pi_i placed_i - sum_r mu_r max_r - what the finite ones take
"""
import json
import sys


def limits_of(certificate, k, n):
    """Caps that apply on offering k: (most units, classes)."""
    return [(dict(map(tuple, c["maxAt"])).get(k, c["max"]), set(c["classes"]) & set(n)) for c in certificate["caps"]]


def fractional(items, room):
    """Upper bound of one row: items (value, size, most) into room, the last one cut."""
    total = 0
    for value, size, most in items:
        if size * most <= room:
            total += value * most
            room -= size * most
        else:
            return total + value * room // size + 1
    return total


def prove(values, sizes, most, room, caps, target, budget):
    """Does every pattern stay at or below `target`? Class by class over what room is left, cut off by surrogate rows."""
    dims = [d for d in range(len(room)) if room[d] > 0 and any(s[d] for s in sizes)]
    if not dims:                     # nothing that takes room fits: only what needs none counts
        return sum(v * m for v, s, m in zip(values, sizes, most) if not any(s)) <= target
    scale = 1 << 20
    weights = [[0] * len(room) for _ in dims]
    for row, d in enumerate(dims):
        weights[row][d] = scale
    if len(dims) > 1:                # mixtures of the two tightest rows, and of all
        full = [(-sum(s[d] * m for s, m in zip(sizes, most)) * scale // room[d], d) for d in dims]
        a, b = [d for _, d in sorted(full)[:2]]
        for share in range(1, 256):
            mixed = [0] * len(room)
            mixed[a], mixed[b] = scale * share // 256 * (1 << 40) // room[a], scale * (256 - share) // 256 * (1 << 40) // room[b]
            weights.append(mixed)
    rows = []
    for w in weights:
        size = [sum(x * y for x, y in zip(w, s)) for s in sizes]
        order = sorted(range(len(values)), key=lambda i: (-(values[i] << 60) // size[i] if size[i] else -(1 << 200), i))
        bound = fractional([(values[i], size[i], most[i]) for i in order], sum(x * y for x, y in zip(w, room)))
        rows.append((bound, w, size, order))
    rows.sort(key=lambda r: r[0])
    rows = [r[1:] for r in rows[:4]]     # the tightest at the root are the tightest below it, nearly always
    branch = rows[0][2]
    states = {(tuple(room), tuple(c for c, _ in caps)): 0}      # room and caps left -> the largest value that leaves it so
    for at, i in enumerate(branch):
        left = set(branch[at:])
        tails = [(w, [(values[x], size[x], most[x]) for x in order if x in left]) for w, size, order in rows]
        grown = {}
        for (free, capped), value in states.items():
            if any(value + fractional(items, sum(x * y for x, y in zip(w, free))) <= target for w, items in tails):
                continue
            n = min([most[i]] + [r // s for r, s in zip(free, sizes[i]) if s] + [c for c, (_, members) in zip(capped, caps) if i in members])
            for count in range(n + 1):
                key = (tuple(r - s * count for r, s in zip(free, sizes[i])),
                       tuple(c - count if i in members else c for c, (_, members) in zip(capped, caps)))
                grown[key] = max(grown.get(key, 0), value + values[i] * count)
            if len(grown) > budget:
                return False
        states = grown
    return all(value <= target for value in states.values())


def main():
    certificate = json.load(open(sys.argv[1]))
    classes, offerings, one = certificate["classes"], certificate["offerings"], 1 << certificate["dualFractionBits"]
    cost = [o["nanoUsdPerHour"] * one for o in offerings]
    for limit in certificate["limits"]:
        for k, use in limit["use"]:
            cost[k] += limit["dual"] * use
    bound = sum(c["dual"] * c["placedUnits"] for c in classes) - sum(r["dual"] * r["max"] for r in certificate["limits"])
    hardest = {}                     # offerings alike in all but price: the cheapest is the hardest
    for k, o in enumerate(offerings):
        usable = [i for i, c in enumerate(classes) if o["domain"] in c["domains"] and c["dual"] > 0]
        caps = limits_of(certificate, k, usable)
        target = cost[k]
        if "stock" in o:
            target = max(cost[k], o["bestValue"])
            bound -= o["stock"] * max(0, o["bestValue"] - cost[k])
        key = (tuple(o["capacity"]), tuple(usable), repr(sorted((m, sorted(s)) for m, s in caps)))
        if usable and ("stock" not in o or o["stock"] > 0) and target < hardest.get(key, (target + 1,))[0]:
            hardest[key] = (target, k, usable, caps)
    for target, k, usable, caps in hardest.values():
        o = offerings[k]
        most = [min(classes[i]["units"], classes[i].get("maxUnitsPerNode", 1 << 32)) for i in usable]
        index = {i: x for x, i in enumerate(usable)}
        caps = [(m, {index[i] for i in s}) for m, s in caps]
        if not prove([classes[i]["dual"] for i in usable], [classes[i]["size"] for i in usable], most, o["capacity"], caps, target, 300000):
            sys.exit("not proven: offering %d %s could not be shown to hold no more than it costs" % (k, {x: o[x] for x in o if isinstance(o[x], str)}))
    claimed = round(certificate["lowerBoundUsdPerHour"] * 10**9)
    proven = -(-bound // one)        # costs are whole nano-dollars
    print("proven %d, claimed %d nano-dollars per hour; %d kinds of %d offerings" % (proven, claimed, len(hardest), len(offerings)))
    sys.exit(proven < claimed)


main()
