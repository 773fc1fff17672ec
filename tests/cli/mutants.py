#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Breaks good plans in every way a planner's bug could and expects `binpack verify` to refuse each.

  mutants.py BINPACK FILE...      plans the input with --effort=1, then mutates

The unbroken plan must pass; each mutant must fail with exit status 1 and a text that names what it broke. Prints TAP."""
import copy
import json
import math
import os
import subprocess
import sys
import tempfile


def first(plan, test):
    for node in plan["nodes"]:
        if test(node):
            return node
    return None


def other_zone(zone):
    return zone[:-1] + ("b" if zone[-1] != "b" else "c")


def drop_pod(plan):
    plan["nodes"][0]["pods"].pop()
    plan["inputs"]["pendingPods"] -= 1
    return "need a place"


def pod_twice(plan):
    plan["nodes"][0]["pods"].append(plan["nodes"][-1]["pods"][0])
    return "two places"


def bound_pod(plan):
    """A pod that nobody asked to place."""
    if not plan["unschedulable"]:
        return None
    plan["unschedulable"].append(plan["unschedulable"][0])
    return "two places"


def overfill(plan):
    node = min(plan["nodes"], key=lambda n: n["usdPerHour"])
    for n in plan["nodes"]:
        if n is not node and n["nodePool"] == node["nodePool"] and n["zone"] == node["zone"] and n["capacityType"] == node["capacityType"]:
            node["pods"] += n["pods"]
            n["pods"] = []
    return "not enough" if len(node["pods"]) > 3 else None


def smaller_type(plan):
    node = max(plan["nodes"], key=lambda n: n["usdPerHour"])
    family = node["instanceType"].split(".")[0]
    if node["instanceType"] == family + ".large":
        return None
    node["instanceType"] = family + ".large"
    return ""


def wrong_price(plan):
    plan["nodes"][0]["usdPerHour"] = round(plan["nodes"][0]["usdPerHour"] * 0.9, 6)
    return "nodes cost"


def wrong_price_and_total(plan):
    off = round(plan["nodes"][0]["usdPerHour"] * 0.5, 6)
    plan["nodes"][0]["usdPerHour"] = round(plan["nodes"][0]["usdPerHour"] + off, 9)
    totals = plan["totals"]
    totals["usdPerHour"] = round(totals["usdPerHour"] + off, 9)
    totals["usdPerMonth"] = round(totals["usdPerHour"] * 730, 9)
    plan["certificate"]["gap"] = math.ceil((totals["usdPerHour"] - plan["certificate"]["lowerBoundUsdPerHour"]) / totals["usdPerHour"] * 1e9) / 1e9
    return "price"


def wrong_total(plan):
    plan["totals"]["usdPerHour"] = round(plan["totals"]["usdPerHour"] - 0.01, 6)
    return ""


def bound_above_cost(plan):
    plan["certificate"]["lowerBoundUsdPerHour"] = round(plan["totals"]["usdPerHour"] * 1.001, 9)
    return "lowerBound"


def zone_not_offered(plan):
    plan["nodes"][0]["zone"] = "us-east-1f"
    return ""


def unknown_pool(plan):
    plan["nodes"][0]["nodePool"] = "nobody"
    return "nobody"


def unknown_type(plan):
    plan["nodes"][0]["instanceType"] = "m99.large"
    return "m99.large"


def volume_zone(plan):
    node = first(plan, lambda n: any(p.startswith("data/orders-") for p in n["pods"]))
    if node is None:
        return None
    node["zone"] = other_zone(node["zone"])
    return ""


def spread_broken(plan):
    nodes = [n for n in plan["nodes"] if any(p.startswith("data/kafka-") or p.startswith("streaming/kafka") for p in n["pods"])]
    if len(nodes) < 2:
        return None
    nodes[0]["zone"] = nodes[1]["zone"]
    return ""


def on_demand_asked(plan):
    node = first(plan, lambda n: n["capacityType"] == "on-demand" and n["nodePool"] == "default")
    if node is None:
        return None
    node["capacityType"] = "spot"
    return ""


def tainted_pool(plan):
    """Pods that do not tolerate the pool's taint."""
    batch = first(plan, lambda n: n["nodePool"] == "batch")
    plain = first(plan, lambda n: n["nodePool"] == "default")
    if batch is None or plain is None:
        return None
    plain["nodePool"] = "batch"
    return ""


def missing_existing(plan):
    plan["existing"].append({"name": "no-such-node", "pods": plan["nodes"][0]["pods"]})
    plan["nodes"][0]["pods"] = []
    return "no-such-node"


def false_option(plan):
    node = max(plan["nodes"], key=lambda n: len(n["pods"]))
    node["instanceTypeOptions"] = node["instanceTypeOptions"] + ["t3.nano"]
    return "t3.nano"


def option_without_itself(plan):
    node = plan["nodes"][0]
    node["instanceTypeOptions"] = [t for t in node["instanceTypeOptions"] if t != node["instanceType"]]
    return "option" if node["instanceTypeOptions"] else None


def unplaceable_placed(plan):
    if not plan["unschedulable"]:
        return None
    plan["nodes"][0]["pods"].append(plan["unschedulable"].pop(0)["pod"])
    return ""


def changed(path, change, words):
    """A mutant that changes one figure: path.to.member, and what its refusal must name."""
    def mutant(plan):
        at = plan
        for key in path[:-1]:
            at = at[key]
        before = at.get(path[-1]) if isinstance(at, dict) else at[path[-1]]
        if before is None:
            return None
        at[path[-1]] = change(before)
        return words
    mutant.__name__ = "_".join(str(p) for p in path)
    return mutant


def one_name_twice(plan):
    if len(plan["nodes"]) < 2:
        return None
    plan["nodes"][1]["name"] = plan["nodes"][0]["name"]
    return "name"


def falsely_optimal(plan):
    if plan["certificate"]["gap"] <= 1e-9:
        return None
    plan["certificate"]["status"] = "optimal"
    return "optimal"


def ignored_reason_more(plan):
    plan["inputs"]["podsWithoutNeed"]["somebody else's"] = 1
    return "podsWithoutNeed"


def more(x):
    return x + 1


FIGURES = [changed(["inputs", "pods"], more, "inputs.pods"), changed(["inputs", "nodes"], more, "inputs.nodes"),
           changed(["inputs", "nodePools"], more, "inputs.nodePools"), changed(["inputs", "catalog"], lambda x: x + "x", "inputs.catalog"),
           changed(["totals", "onDemandUsdPerHour"], more, "onDemandUsdPerHour"),
           changed(["totals", "existingUsdPerHour"], more, "existingUsdPerHour"),
           changed(["totals", "existingNodesWithoutPrice"], more, "existingNodesWithoutPrice"),
           changed(["certificate", "method"], lambda x: "guesswork", "method"),
           changed(["certificate", "status"], lambda x: "perfect", "status"),
           changed(["algorithm", "name"], lambda x: "karpenter", "algorithm.name"),
           changed(["algorithm", "emulated"], lambda x: not x, "algorithm.emulated"),
           changed(["nodes", 0, "os"], lambda x: "windows" if x == "linux" else "linux", "os"),
           changed(["nodes", 0, "allocatable", "cpu"], lambda x: "1m", "allocatable"),
           changed(["nodes", 0, "requested", "memory"], lambda x: "1", "requested"),
           changed(["nodes", 0, "daemonOverhead"], lambda x: dict(x, cpu="77"), "daemonOverhead"),
           changed(["certificate", "relaxed"], lambda x: x + ["gravity"], "gravity"), one_name_twice, falsely_optimal, ignored_reason_more]

MUTANTS = [drop_pod, pod_twice, bound_pod, overfill, smaller_type, wrong_price, wrong_price_and_total, wrong_total, bound_above_cost, zone_not_offered,
           unknown_pool, unknown_type, volume_zone, spread_broken, on_demand_asked, tainted_pool, missing_existing, false_option,
           option_without_itself, unplaceable_placed] + FIGURES


def main(binpack, *files):
    inputs = [a for f in files for a in ("-f", f)]
    done = subprocess.run([binpack, "--simulate", "--effort=1", "-o", "json"] + inputs, capture_output=True, timeout=600)
    if done.returncode not in (0, 3):
        print("1..1\nnot ok 1 - plan\n# exit %d: %s" % (done.returncode, done.stderr[-500:]))
        return 1
    plan = json.loads(done.stdout)
    rows, bad = [("the plan as it is", plan, None)], 0
    for mutant in MUTANTS:
        broken = copy.deepcopy(plan)
        words = mutant(broken)
        rows.append((mutant.__name__.replace("_", " "), broken if words is not None else None, words))
    print("1..%d" % len(rows))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "plan.json")
        for number, (name, broken, words) in enumerate(rows, 1):
            if broken is None:
                print("ok %d - %s # SKIP this plan offers no place to break" % (number, name))
                continue
            with open(path, "w", encoding="utf-8") as out:
                json.dump(broken, out)
            done = subprocess.run([binpack, "verify", path] + inputs, capture_output=True, timeout=300)
            text = (done.stderr + done.stdout).decode(errors="replace")
            good = done.returncode == 0 if words is None else done.returncode == 1 and words in text
            bad += not good
            print("%s %d - %s" % ("ok" if good else "not ok", number, name))
            if not good:
                print("# exit %d, words %r: %s" % (done.returncode, words, text[-500:].replace("\n", " ")))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
