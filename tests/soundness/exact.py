#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The solver against exact optima: HiGHS (Debian's python3-scipy) solves the same small random problems as an integer program over all
maximal patterns, which are listed here from the definition in problem.h. The bound may never be above the optimum of what is placed, the
plan never below it, and every plan is checked here in integers.

  exact.py SOLVE_TEXT [COUNT [FIRST]]     COUNT problems of each family (12), seeds from FIRST (1)
  exact.py SOLVE_TEXT --one FAMILY SEED   one of them, shown

Prints TAP, one test a family, with the share of optimal and of proven plans. Without scipy every family is skipped, loudly."""
import itertools
import os
import random
import subprocess
import sys

STATUS_OPTIMAL = 0  # enum bp_status
ANY = -1


def problem(rng, classes, offerings, dims, domains):
    """An empty one; sizes, prices and rules are for the family to fill in."""
    return {"dims": dims, "domains": domains, "caps": [], "exclusions": [], "limits": [], "varieties": [],
            "classes": [{"demand": 1, "most": 0, "mask": (1 << domains) - 1, "size": [0] * dims} for _ in range(classes)],
            "offerings": [{"price": 1, "stock": ANY, "domain": rng.randrange(domains), "running": 0, "capacity": [0] * dims}
                          for _ in range(offerings)]}


def plain(rng, classes=5, units=22, offerings=10, dims=3, domains=1):
    p = problem(rng, rng.randint(2, classes), rng.randint(2, offerings), rng.randint(1, dims), rng.randint(1, domains))
    for c in p["classes"]:
        c["demand"] = rng.randint(1, max(1, units // len(p["classes"])))
        c["size"] = [rng.randint(0, 60) for _ in range(p["dims"])]
    for o in p["offerings"]:
        o["capacity"] = [rng.randint(20, 160) for _ in range(p["dims"])]
        o["price"] = 1000 * rng.randint(1, 400) + 10 * sum(o["capacity"])
    return p


def cloud(rng):
    """Shapes and prices as clouds have them: sizes double, price follows size, three ratios of memory, spot for less."""
    p = problem(rng, rng.randint(2, 5), 0, 3, 2)
    for c in p["classes"]:
        c["demand"] = rng.randint(1, 5)
        c["size"] = [rng.choice([100, 250, 500, 1000, 1500, 3000]), rng.choice([128, 512, 1024, 2048, 4096, 7000]), 1]
        c["mask"] = rng.choice([1, 3, 3, 3])
    for vcpu in (2, 4, 8):
        for ratio, per_vcpu in ((2, 42500), (4, 48000), (8, 63000)):
            for domain, share in ((0, 100), (1, rng.randint(30, 60))):
                p["offerings"].append({"price": per_vcpu * vcpu * share // 100, "stock": ANY, "domain": domain, "running": 0,
                                       "capacity": [vcpu * 1000 - 90, vcpu * ratio * 1024 * 93 // 100 - 200, 8 + 7 * vcpu]})
    return p


def degenerate_prices(rng):
    """Ties everywhere: few prices, price proportional to room, equal offerings, offerings for nothing."""
    p = plain(rng)
    kind = rng.randrange(4)
    for o in p["offerings"]:
        if kind == 0:
            o["price"] = 1
        elif kind == 1:
            o["price"] = sum(o["capacity"])
        elif kind == 2:
            o["price"] = rng.choice([10, 20, 40])
        else:
            o["price"], o["stock"] = rng.choice([(0, rng.randint(1, 2)), (7, ANY), (8, ANY)])
    p["offerings"] += [dict(rng.choice(p["offerings"])) for _ in range(2)]
    return p


def degenerate_sizes(rng):
    """Sizes of nothing, sizes equal to the room, equal classes, one huge price among tiny ones."""
    p = plain(rng, offerings=6)
    for c in p["classes"]:
        c["size"] = [rng.choice([0, 0, 1, 50, 100]) for _ in range(p["dims"])]
    for o in p["offerings"]:
        o["capacity"] = [rng.choice([1, 50, 100, 100, 200]) for _ in range(p["dims"])]
        o["price"] = rng.choice([1, 2, 3, 1000000])
    return p


def limits(rng):
    p = plain(rng)
    for _ in range(rng.randint(1, 2)):
        use = [rng.choice([0, 1, 2, 4]) for _ in p["offerings"]]
        p["limits"].append((rng.randint(1, 14), use))
    return p


def reservations(rng):
    """Paid ones cost nothing and are few; others are sold out sooner or later."""
    p = plain(rng)
    for o in p["offerings"]:
        if rng.random() < 0.4:
            o["price"], o["stock"] = 0, rng.randint(1, 2)
        elif rng.random() < 0.4:
            o["stock"] = rng.randint(0, 3)
    return p


def running_nodes(rng):
    p = plain(rng)
    for o in p["offerings"][: len(p["offerings"]) // 2]:
        o.update(price=0, stock=1, running=1, capacity=[c // 2 for c in o["capacity"]])
    return p


def zones(rng):
    p = plain(rng, domains=3)
    for c in p["classes"]:
        c["mask"] = rng.randint(1, (1 << p["domains"]) - 1)
    return p


def on_one_node(rng):
    """Caps, exclusions and at most so many of one class on a node."""
    p = plain(rng)
    every = (1 << len(p["classes"])) - 1
    for c in p["classes"]:
        c["most"] = rng.choice([0, 0, 1, 2])
    for _ in range(rng.randint(0, 2)):
        p["caps"].append((rng.randint(1, 3), rng.randrange(2), rng.randint(1, every)))
    for _ in range(rng.randint(0, 2)):
        p["exclusions"].append((rng.randint(0, every), rng.randint(0, every)))
    return p


def variety(rng):
    p = plain(rng)
    p["varieties"].append((rng.randint(1, 3), [rng.choice([-1, 0, 1, 2, 3]) for _ in p["offerings"]]))
    return p


def large_nodes(rng):
    """All of the pods fit on one or two nodes: that nodes are whole is what costs."""
    p = plain(rng, offerings=8)
    for o in p["offerings"]:
        o["capacity"] = [4 * c for c in o["capacity"]]
    return p


def everything(rng):
    p = zones(rng)
    for o in p["offerings"]:
        if rng.random() < 0.3:
            o.update(price=0, stock=1, running=1)
        elif rng.random() < 0.2:
            o["stock"] = rng.randint(0, 3)
    for other in (limits(rng), on_one_node(rng), variety(rng)):
        n = len(p["offerings"])
        fit = lambda row: (list(row) * n)[:n]
        p["limits"] += [(most + 3, fit(use)) for most, use in other["limits"]]
        p["varieties"] += [(1 + (least > 2), fit(values)) for least, values in other["varieties"]]
        every = (1 << len(p["classes"])) - 1
        p["caps"] += [(most, necessary, members & every) for most, necessary, members in other["caps"]]
        p["exclusions"] += [(a & every, b & every) for a, b in other["exclusions"]]
    return p


FAMILIES = [plain, cloud, degenerate_prices, degenerate_sizes, limits, reservations, running_nodes, zones, on_one_node, variety, large_nodes,
            everything]


def text(p, work):
    numbers = [work, p["dims"], len(p["classes"]), len(p["offerings"]), p["domains"], len(p["caps"]), len(p["exclusions"]), len(p["limits"]),
               len(p["varieties"])]
    for c in p["classes"]:
        numbers += [c["demand"], c["most"], c["mask"]] + c["size"]
    for o in p["offerings"]:
        numbers += [o["price"], o["stock"], o["domain"], o["running"]] + o["capacity"]
    for row in p["caps"] + p["exclusions"]:
        numbers += row
    for most, row in p["limits"] + p["varieties"]:
        numbers += [most] + row
    return " ".join(map(str, numbers)) + "\n"


# ---- what a node may hold, from the definition ----

def holds(p, o, units):
    """Size, zones, caps: what counts for variety, too."""
    return (all(not n or c["mask"] >> o["domain"] & 1 for n, c in zip(units, p["classes"])) and
            all(sum(n * c["size"][d] for n, c in zip(units, p["classes"])) <= o["capacity"][d] for d in range(p["dims"])) and
            all(sum(n for i, n in enumerate(units) if members >> i & 1) <= most for most, _, members in p["caps"]))


def excluded(p, units):
    here = [i for i, n in enumerate(units) if n]
    return any(i != j and a >> i & 1 and b >> j & 1 for a, b in p["exclusions"] for i in here for j in here)


def enough_values(p, k, units):
    for least, value in p["varieties"]:
        if value[k] >= 0 and len({value[m] for m, o in enumerate(p["offerings"]) if value[m] >= 0 and holds(p, o, units)}) < least:
            return False
    return True


def feasible(p, k, units):
    return (holds(p, p["offerings"][k], units) and all(not c["most"] or n <= c["most"] for n, c in zip(units, p["classes"])) and
            not excluded(p, units) and enough_values(p, k, units))


def patterns(p, k):
    """The maximal ones: every part of a feasible pattern is feasible."""
    n, found = len(p["classes"]), []

    def extend(units, i):
        if i == n:
            found.append(tuple(units))
            return
        for more in range(p["classes"][i]["demand"] + 1):
            units[i] = more
            if not feasible(p, k, units):
                break
            extend(units, i + 1)
        units[i] = 0

    extend([0] * n, 0)
    known = set(found)
    larger = lambda u, i: u[:i] + (u[i] + 1,) + u[i + 1:]
    return [u for u in found if any(u) and not any(larger(u, i) in known for i in range(n))]


def optimum(p, placed):
    """The cheapest plan that places as many; None when HiGHS finds none."""
    import numpy
    from scipy.optimize import Bounds, LinearConstraint, milp
    columns = [(k, u) for k in range(len(p["offerings"])) for u in patterns(p, k)]
    if not any(placed):
        return 0
    if not columns:
        return None
    # Prices stay whole numbers: HiGHS stops within 1e-6 of the optimum.
    price = numpy.array([p["offerings"][k]["price"] for k, _ in columns], dtype=float)
    rows, low, high = [], [], []
    for i, n in enumerate(placed):
        rows.append([u[i] for _, u in columns])
        low.append(n)
        high.append(numpy.inf)
    for m, o in enumerate(p["offerings"]):
        if o["stock"] != ANY:
            rows.append([int(k == m) for k, _ in columns])
            low.append(0)
            high.append(o["stock"])
    for most, use in p["limits"]:
        rows.append([use[k] for k, _ in columns])
        low.append(0)
        high.append(most)
    result = milp(price, constraints=LinearConstraint(numpy.array(rows, dtype=float), low, high), integrality=numpy.ones(len(columns)),
                  bounds=Bounds(0, sum(placed)), options={"mip_rel_gap": 0})
    if result.x is None:
        return None
    counts = [round(x) for x in result.x]
    for row, least, most in zip(rows, low, high):
        assert least <= sum(a * n for a, n in zip(row, counts)) <= most, "HiGHS gave numbers that do not hold"
    return sum(p["offerings"][k]["price"] * n for (k, _), n in zip(columns, counts))


# ---- one answer ----

def judge(p, line):
    """(fault or None, optimal, proven, placed all)"""
    if line.startswith("refused"):
        return line, False, False, False
    numbers = iter(map(int, line.split()))
    bound, cost, status = next(numbers), next(numbers), next(numbers)
    placed = [c["demand"] - next(numbers) for c in p["classes"]]
    counted, used, total = [0] * len(placed), [0] * len(p["offerings"]), 0
    for _ in range(next(numbers)):
        k, units = next(numbers), [0] * len(placed)
        for _ in range(next(numbers)):
            i = next(numbers)
            units[i] = next(numbers)
        if not feasible(p, k, units):
            return "a node of offering %d may not hold %s" % (k, units), False, False, False
        total, used[k], counted = total + p["offerings"][k]["price"], used[k] + 1, [a + b for a, b in zip(counted, units)]
    if counted != placed or total != cost:
        return "the nodes hold %s for %d, not %s for %d" % (counted, total, placed, cost), False, False, False
    if any(o["stock"] != ANY and n > o["stock"] for o, n in zip(p["offerings"], used)):
        return "more nodes than there are of an offering", False, False, False
    if any(sum(u * n for u, n in zip(use, used)) > most for most, use in p["limits"]):
        return "above a limit", False, False, False
    best = optimum(p, placed)
    if best is None:
        return "HiGHS finds no plan where there is one", False, False, False
    if bound > best or cost < best:
        return "bound %d, optimum %d, cost %d" % (bound, best, cost), False, False, False
    if status == STATUS_OPTIMAL and cost != best:
        return "said to be optimal at %d, the optimum is %d" % (cost, best), False, False, False
    return None, cost == best, status == STATUS_OPTIMAL, placed == [c["demand"] for c in p["classes"]]


def make(family, seed):
    """The problem and how much work the solver gets: every third time it is stopped early, where bounds are weak and plans raw."""
    rng = random.Random("%s %d" % (family.__name__, seed))
    return family(rng), rng.choice([0, 0, rng.randint(1, 60000)])


def run(program, family, count, first):
    made = [make(family, seed) for seed in range(first, first + count)]
    done = subprocess.run([program], input="".join(text(p, work) for p, work in made), capture_output=True, text=True)
    lines = done.stdout.splitlines()
    faults, optimal, proven, whole = [], 0, 0, 0
    if done.returncode != 0 or len(lines) != count:
        faults.append("exit status %d after %d of %d problems: %s" % (done.returncode, len(lines), count, done.stderr[-300:]))
    for seed, ((p, _), line) in enumerate(zip(made, lines), first):
        fault, *good = judge(p, line)
        optimal, proven, whole = optimal + good[0], proven + good[1], whole + good[2]
        if fault:
            faults.append("seed %d: %s" % (seed, fault))
    return faults, "%d problems, %d with all pods placed, %d plans are optimal, %d proven so" % (len(lines), whole, optimal, proven)


def main():
    program, arguments = sys.argv[1], sys.argv[2:]
    try:
        import scipy.optimize
        scipy.optimize.milp
    except (ImportError, AttributeError):
        debian = "/usr/bin/python3"  # where Debian's packages are, when another Python comes first
        if os.path.exists(debian) and os.path.realpath(sys.executable) != os.path.realpath(debian):
            os.execv(debian, [debian] + sys.argv)
        print("NOTE: scipy with HiGHS is absent (Debian: python3-scipy): bounds are not held against exact optima", file=sys.stderr)
        print("1..%d" % len(FAMILIES))
        for n, family in enumerate(FAMILIES, 1):
            print("ok %d - %s # SKIP no scipy" % (n, family.__name__))
        return 0
    if arguments[:1] == ["--one"]:
        family, seed = next(f for f in FAMILIES if f.__name__ == arguments[1]), int(arguments[2])
        p, work = make(family, seed)
        print(text(p, work), end="")
        line = subprocess.run([program], input=text(p, work), capture_output=True, text=True, check=True).stdout.strip()
        print(line)
        print(judge(p, line))
        return 0
    count, first = (list(map(int, arguments)) + [12, 1][len(arguments):])[:2]
    print("1..%d" % len(FAMILIES))
    failed = False
    for n, family in enumerate(FAMILIES, 1):
        faults, said = run(program, family, count, first)
        failed |= bool(faults)
        print("%s %d - %s: %s" % ("not ok" if faults else "ok", n, family.__name__, said), flush=True)
        for fault in itertools.islice(faults, 20):
            print("# " + fault)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
