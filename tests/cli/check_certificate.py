#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proves the lower bound of a certificate (docs/plan.md) without binpack: check_certificate.py CERTIFICATE

In integers, standard library only. With pi_i the dual of class i, mu_r of limit r, v_k an upper bound of the value of any pattern that
offering k can hold, cost_k = price_k + sum_r mu_r use_rk:
  unlimited offerings:  v_k <= cost_k     finite ones lower the bound by stock_k * max(0, v_k - cost_k)
  bound = sum_i pi_i placed_i - sum_r mu_r max_r - what the finite ones take
Plans have whole nodes, so with y_k = 0, 1, 2, ... the least sum_k price_k y_k with sum_k (v_k - sum_r mu_r use_rk) y_k >= what the first sums leave, over
unlimited offerings, is a bound as well.
With branches the first is done for each leaf, where pi belongs to cells (a class in one zone, say) and the first sum is the least that the units can be
worth under the rules of groups.
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


class Group:
    """One rule: which cells it speaks of, and what a box leaves of them."""

    def __init__(self, group, cells, classes):
        self.__dict__.update(group)
        value = {d: v for v, each in enumerate(group["values"]) for d in each["domains"]}
        self.base = [each["running"] for each in group["values"]]
        self.eligible = [v for v, each in enumerate(group["values"]) if each.get("eligible")]
        self.all = range(len(self.base))
        self.zero = group["kind"] == "spread" and len(self.eligible) < max(1, group["minDomains"])
        self.weight = [len(classes[c["class"]]["pods"]) // classes[c["class"]]["units"] for c in cells]
        self.value = [value.get(c["domains"][0]) if c.get("domains") else None for c in cells]
        carriers, targets = set(group["carriers"]), set(group["targets"])
        self.part = ["".join(x for x, of in (("c", carriers), ("t", targets)) if c["class"] in of) for c in cells]
        self.placed = {x: sum(classes[i]["placedUnits"] * (len(classes[i]["pods"]) // classes[i]["units"]) for i in of)
                       for x, of in (("ct", carriers & targets), ("t", targets))}

    def cells(self, v, parts):
        return [c for c, part in enumerate(self.part) if part in parts and part and self.value[c] == v]

    def count(self, box, v, parts):
        return [sum(side[c] * self.weight[c] for c in self.cells(v, parts)) for side in box]

    def at_most(self, box, v, parts, pods):
        lo, _ = self.count(box, v, parts)
        for c in self.cells(v, parts):
            box[1][c] = min(box[1][c], (pods - lo) // self.weight[c] + box[0][c])

    def at_least(self, box, v, parts, pods):
        _, hi = self.count(box, v, parts)
        for c in self.cells(v, parts):
            box[0][c] = max(box[0][c], box[1][c] - (hi - pods) // self.weight[c])
        return hi >= pods

    def room(self, v, u):
        return self.maxSkew + self.base[u] - self.base[v]

    def row(self, v, u):
        """The most that pods of v, less those of u, may be; None when there is no such row."""
        if u is None:
            return 1 if self.kind == "apart" else max(0, self.maxSkew - self.base[v]) if self.zero else None
        return max(0, self.room(v, u)) if self.kind == "spread" and not self.zero and u != v and u in self.eligible else None

    def narrow(self, box):
        return getattr(self, self.kind)(box)

    def spread(self, box):
        count, ok = lambda v, parts: self.count(box, v, parts), True
        for v in self.all:
            if self.zero:
                self.at_most(box, v, ["ct"], max(0, self.maxSkew - self.base[v]))
                if self.base[v] > self.maxSkew:
                    self.at_most(box, v, ["c"], 0)
                continue
            for u in self.eligible:
                if u == v:
                    continue
                self.at_most(box, v, ["ct"], max(0, self.room(v, u) + count(u, ["ct", "t"])[1]))
                if count(v, ["ct"])[0] > 0:
                    ok &= self.at_least(box, u, ["ct", "t"], count(v, ["ct"])[0] - self.room(v, u))
                if self.room(v, u) + count(u, ["ct", "t"])[1] < 0:
                    self.at_most(box, v, ["c"], 0)
                if count(v, ["c"])[0] > 0:
                    ok &= self.at_least(box, u, ["ct", "t"], -self.room(v, u))
            most = count(v, ["ct"])[1]          # the balance as a whole
            while most > 0 and max(most, count(v, ["ct", "t"])[0]) + sum(
                    max([count(u, ["ct", "t"])[0]] + [most - self.room(v, u)] * (u in self.eligible)) for u in self.all if u != v) > self.placed["t"]:
                most -= 1
            self.at_most(box, v, ["ct"], most)
            fewest = 0
            while v in self.eligible and fewest < self.placed["t"] and min(count(v, ["ct"])[1], fewest) + sum(
                    min(count(u, ["ct"])[1], max(0, self.room(u, v) + fewest)) for u in self.all if u != v) < self.placed["ct"]:
                fewest += 1
            ok &= self.at_least(box, v, ["ct", "t"], fewest)
        return ok

    def together(self, box):
        count = lambda v, parts: self.count(box, v, parts)
        closed = [v for v in self.all if not self.base[v] and not count(v, ["t"])[1]]
        alone = [v for v in closed if count(v, ["c", "ct"])[0] > 0]
        if len(alone) > self.selfStart:
            return False
        ok = True
        for v in self.all:
            if self.base[v]:
                continue
            if count(v, ["ct", "t"])[1] == 0:
                self.at_most(box, v, ["c", "ct"], 0)
            if self.selfStart and alone in ([], [v]):
                continue
            if v in closed:
                self.at_most(box, v, ["c", "ct"], 0)
            elif count(v, ["c", "ct"])[0] > 0:
                ok &= self.at_least(box, v, ["t"], 1)
        return ok

    def apart(self, box):
        for v in self.all:
            if self.base[v]:
                self.at_most(box, v, ["c", "ct"], 0)
            self.at_most(box, v, ["ct"], 1)
            lo = lambda *parts: self.count(box, v, list(parts))[0]
            for there, parts, pods in ((lo("c"), ["ct", "t"], 0), (lo("ct"), ["ct", "t"], 1), (lo("ct", "t"), ["c"], 0),
                                       (lo("t") or lo("ct", "t") > 1, ["ct"], 0)):
                if there:
                    self.at_most(box, v, parts, pods)
        return True


def narrow(box, groups, cells, classes):
    """Smaller and smaller until nothing changes; False when nothing is left."""
    before = None
    while before != box:
        before = [list(side) for side in box]
        for i, each in enumerate(classes):
            mine = [c for c, cell in enumerate(cells) if cell["class"] == i]
            lo, hi = (sum(side[c] for c in mine) for side in box)
            for c in mine:
                box[0][c], box[1][c] = (max(box[0][c], each["placedUnits"] - hi + box[1][c]),
                                        min(box[1][c], each["placedUnits"] - lo + box[0][c]))
            if hi < each["placedUnits"]:
                return False
        if not all(group.narrow(box) for group in groups) or any(lo > hi for lo, hi in zip(*box)):
            return False
    return True


def worth(leaf, box, groups, cells, classes):
    """What the placed units are worth at least."""
    price, total = list(leaf["duals"]), 0
    for row in leaf["rows"]:
        group, v, u = groups[row["group"]], row["value"], row.get("other")
        if group.row(v, u) is None or row["dual"] < 0:
            sys.exit("not proven: group %d has no row for values %s and %s" % (row["group"], v, u))
        total -= row["dual"] * group.row(v, u)
        for c in group.cells(v, ["ct"]):
            price[c] += row["dual"] * group.weight[c]
        for c in group.cells(u, ["ct", "t"]) if u is not None else []:
            price[c] -= row["dual"] * group.weight[c]
    for i, each in enumerate(classes):
        mine = sorted((price[c], c) for c, cell in enumerate(cells) if cell["class"] == i)
        left = each["placedUnits"] - sum(box[0][c] for _, c in mine)
        for p, c in mine:
            n = min(left, box[1][c] - box[0][c])
            left -= n
            total += p * (box[0][c] + n)
    return total


def prove_nodes(certificate, classes, limit_duals, best):
    """No node without end is worth more than it costs; returns what limits and finite offerings take off the bound."""
    offerings, one = certificate["offerings"], 1 << certificate["dualFractionBits"]
    cost = [o["nanoUsdPerHour"] * one for o in offerings]
    for limit, dual in zip(certificate["limits"], limit_duals):
        for k, use in limit["use"]:
            cost[k] += dual * use
    off = sum(dual * r["max"] for r, dual in zip(certificate["limits"], limit_duals))
    for k, o in enumerate(offerings):
        if "stock" in o:
            off += o["stock"] * max(0, best[k] - cost[k])
    prove_values(certificate, classes, [max(cost[k], best[k]) if "stock" in o else cost[k] for k, o in enumerate(offerings)])
    return off


def prove_values(certificate, classes, targets):
    """No offering holds a pattern worth more than its target."""
    offerings = certificate["offerings"]
    hardest = {}                     # offerings alike in all but target: the lowest is the hardest
    for k, o in enumerate(offerings):
        usable = [i for i, c in enumerate(classes) if o["domain"] in c["domains"] and c["dual"] > 0 and c["most"] > 0]
        caps = limits_of(certificate, k, usable)
        key = (tuple(o["capacity"]), tuple(usable), repr(sorted((m, sorted(s)) for m, s in caps)))
        if usable and o.get("stock", 1) > 0 and targets[k] < hardest.get(key, (targets[k] + 1,))[0]:
            hardest[key] = (targets[k], k, usable, caps)
    for target, k, usable, caps in hardest.values():
        o = offerings[k]
        most = [min(classes[i]["most"], classes[i].get("maxUnitsPerNode", 1 << 32)) for i in usable]
        index = {i: x for x, i in enumerate(usable)}
        caps = [(m, {index[i] for i in s}) for m, s in caps]
        if not prove([classes[i]["dual"] for i in usable], [classes[i]["size"] for i in usable], most, o["capacity"], caps, target, 300000):
            sys.exit("not proven: offering %d %s could not be shown to hold no more than claimed" % (k, {x: o[x] for x in o if isinstance(o[x], str)}))


def whole_nodes(certificate):
    """The bound of the tree over numbers of nodes, scaled like the duals; 0 without one."""
    counts, offerings, one = certificate.get("counts"), certificate["offerings"], 1 << certificate["dualFractionBits"]
    if counts is None:
        return 0
    unit, family = 1 << counts["weightFractionBits"], counts["family"]
    needs = [sum(d * c["placedUnits"] for d, c in zip(cut["duals"], certificate["classes"])) for cut in counts["cuts"]]
    prices, most = [None] * counts["families"], [0] * counts["families"]
    for k, o in enumerate(offerings):
        f, price = family[k], o["nanoUsdPerHour"]
        prices[f] = price if prices[f] is None else min(price, prices[f])
        most[f] = most[f] + o["stock"] if "stock" in o and most[f] is not None else None
    for cut in counts["cuts"]:
        prove_values(certificate, [dict(c, dual=d, most=c["units"]) for c, d in zip(certificate["classes"], cut["duals"])],
                     [cut["bestValues"][f] for f in family])

    def walk(at, low, high):
        """(least sum of the leaves, the step behind them)"""
        step = counts["tree"][at]
        if len(step) == 3:
            f, n, above = step
            below, end = walk(at + 1, low, {**high, f: min(n, high.get(f, n))})
            over, after = walk(above, {**low, f: max(low.get(f, 0), n + 1)}, high)
            if end != above:
                sys.exit("not proven: the steps of the tree are out of order")
            return min(below, over), after
        total = sum(m * need for m, need in zip(step[0], needs))
        for f, price in enumerate(prices):
            if price is not None:
                rest = price * one * unit - sum(m * min(cut["bestValues"][f], need) for m, cut, need in zip(step[0], counts["cuts"], needs))
                if min(step[0]) < 0 or (rest < 0 and f not in high):
                    sys.exit("not proven: a leaf gains without end")
                total += rest * (low.get(f, 0) if rest >= 0 else high[f])
        return total, at + 1

    total, end = walk(0, {}, {f: n for f, n in enumerate(most) if n is not None})
    return -(-total // unit) if end == len(counts["tree"]) else 0


def plain_bound(certificate):
    classes = [dict(c, most=c["units"]) for c in certificate["classes"]]
    off = prove_nodes(certificate, classes, [r["dual"] for r in certificate["limits"]], [o["bestValue"] for o in certificate["offerings"]])
    return sum(c["dual"] * c["placedUnits"] for c in classes) - off


def whole_cover(certificate):
    """The least cost of whole nodes of unlimited offerings that are worth what is placed, less what limits and finite offerings take off; scaled."""
    classes, limits, offerings = certificate["classes"], certificate["limits"], certificate["offerings"]
    worth = [o["bestValue"] for o in offerings]
    prove_values(certificate, [dict(c, most=c["units"]) for c in classes], worth)
    for limit in limits:
        for k, use in limit["use"]:
            worth[k] -= limit["dual"] * use
    need = sum(c["dual"] * c["placedUnits"] for c in classes) - sum(r["dual"] * r["max"] for r in limits)
    need -= sum(o["stock"] * max(0, w) for o, w in zip(offerings, worth) if "stock" in o)
    kinds = {(w, o["nanoUsdPerHour"]) for o, w in zip(offerings, worth) if "stock" not in o and w > 0}
    if any(price == 0 for _, price in kinds):
        return 0
    kinds = sorted((k for k in kinds if not any(o != k and o[0] >= k[0] and o[1] <= k[1] for o in kinds)), key=lambda k: k[1] / k[0])
    left = {max(0, need): 0}         # worth still needed -> least cost so far
    for at, (w, price) in enumerate(kinds):
        grown = {}
        for rest, cost in left.items():
            for n in range(-(-rest // w) + 1):
                key = max(0, rest - n * w)
                grown[key] = min(grown.get(key, cost + n * price), cost + n * price)
        best = grown.get(0)
        if at + 1 < len(kinds) and best is not None:     # what cannot become cheaper than the best so far
            w, price = kinds[at + 1]
            grown = {r: c for r, c in grown.items() if r == 0 or c + -(-r * price // w) < best}
        left = grown
        if len(left) > 100000:
            return 0
    return min((c for r, c in left.items() if r == 0), default=0) << certificate["dualFractionBits"]


def branch_bound(certificate):
    """The least bound of the leaves of the tree."""
    classes, cells = certificate["classes"], certificate["cells"]
    groups = [Group(g, cells, classes) for g in certificate["groups"]]
    bounds, branches = [], iter(certificate["branches"])
    finite = [k for k, o in enumerate(certificate["offerings"]) if "stock" in o]
    split = dict(certificate, caps=[dict(c, classes=[x for x, cell in enumerate(cells) if cell["class"] in set(c["classes"])])
                                    for c in certificate["caps"]])

    def walk(box):
        branch, some = next(branches), narrow(box, groups, cells, classes)
        if "cell" in branch:
            for side, to in ((1, branch["units"]), (0, branch["units"] + 1)):
                part = [list(x) for x in box]
                part[side][branch["cell"]] = (min if side else max)(part[side][branch["cell"]], to)
                walk(part)
        elif some and not branch:
            sys.exit("not proven: a leaf that is said to hold no plan may hold some")
        elif some:
            mine = [dict(classes[cell["class"]], dual=dual, most=hi, domains=set(classes[cell["class"]]["domains"]) & set(
                cell.get("domains", classes[cell["class"]]["domains"]))) for cell, dual, hi in zip(cells, branch["duals"], box[1])]
            off = prove_nodes(split, mine, branch["limitDuals"], dict(zip(finite, branch["bestValues"])))
            bounds.append(worth(branch, box, groups, cells, classes) - off)

    walk([[0] * len(cells), [classes[c["class"]]["placedUnits"] for c in cells]])
    return min(bounds)


def main():
    sys.setrecursionlimit(20000)
    certificate = json.load(open(sys.argv[1]))
    bound = branch_bound(certificate) if "branches" in certificate else max(plain_bound(certificate), whole_nodes(certificate))
    claimed = round(certificate["lowerBoundUsdPerHour"] * 10**9)
    if "branches" not in certificate and -(-bound // (1 << certificate["dualFractionBits"])) < claimed:
        bound = max(bound, whole_cover(certificate))
    proven = -(-bound // (1 << certificate["dualFractionBits"]))        # costs are whole nano-dollars
    print("proven %d, claimed %d nano-dollars per hour; %d branches, %d offerings" % (
        proven, claimed, len(certificate.get("branches", [])), len(certificate["offerings"])))
    sys.exit(proven < claimed)


main()
