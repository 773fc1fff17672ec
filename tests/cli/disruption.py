#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans of disruption, read back: `binpack verify` takes what `--mode=disrupt` printed, and refuses each of many small faults in it.

  disruption.py BINPACK CASES

CASES is the folder of the neutral cases. A fault is planted in the plan or in the cluster that it is held against. Prints TAP."""
import copy
import csv
import io
import json
import os
import subprocess
import sys
import tempfile

try:
    import yaml
except ImportError:  # another python3 stands before Debian's in PATH
    if sys.executable == "/usr/bin/python3":
        raise
    os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])

BINPACK, CASES = sys.argv[1:3]


class Loader(yaml.SafeLoader):
    """Leaves timestamps as the texts they are."""


Loader.yaml_implicit_resolvers = {k: [(t, r) for t, r in v if t != "tag:yaml.org,2002:timestamp"]
                                  for k, v in yaml.SafeLoader.yaml_implicit_resolvers.items()}


class Case:
    def __init__(self, name, folder, change=None):
        self.folder = folder
        where = os.path.join(CASES, name)
        with open(os.path.join(where, "cluster.yaml"), encoding="utf-8") as f:
            self.objects = [o for o in yaml.load_all(f, Loader) if o]
        with open(os.path.join(where, "expect.json"), encoding="utf-8") as f:
            expect = json.load(f)
        own = expect["catalog"].startswith("./")
        self.catalog = os.path.join(where, expect["catalog"]) if own else os.path.join(CASES, "catalogs", expect["catalog"] + ".json")
        self.now = expect["now"]
        if change:
            change(self)
        done = self.run("--simulate", self.objects, "-o", "json", "--mode=disrupt")
        assert done.returncode in (0, 3), "%s: %s" % (name, done.stderr)
        self.plan = json.loads(done.stdout)

    def run(self, command, objects, *more):
        path = os.path.join(self.folder, "cluster.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"apiVersion": "v1", "kind": "List", "items": objects}, f)
        return subprocess.run([BINPACK, command, *more, "-q", "-f", path, "--catalog", self.catalog, "--now", self.now],
                              capture_output=True, text=True, timeout=120)

    def verify(self, plan, objects):
        path = os.path.join(self.folder, "plan.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(plan, f)
        return self.run("verify", objects, path)

    def kind(self, kind, objects):
        return [o for o in objects if o["kind"] == kind]


def pool(case, objects):
    return case.kind("NodePool", objects)[0]["spec"]


def claim_of(case, objects, node):
    found = next(o for o in case.kind("Node", objects) if o["metadata"]["name"] == node)
    return next(o for o in case.kind("NodeClaim", objects) if o["status"]["providerID"] == found["spec"]["providerID"])


def protect(case, plan, objects):
    for pod in case.kind("Pod", objects):
        pod["metadata"].setdefault("annotations", {})["karpenter.sh/do-not-disrupt"] = "true"


def annotate(case, plan, objects):
    for node in case.kind("Node", objects):
        node["metadata"].setdefault("annotations", {})["karpenter.sh/do-not-disrupt"] = "true"


def close_budget(case, plan, objects):
    objects.append({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "closed", "namespace": "default"},
                    "spec": {"selector": {}, "maxUnavailable": 1}, "status": {"disruptionsAllowed": 0}})


def two_budgets(case, plan, objects):
    for name in "ab":
        objects.append({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name, "namespace": "default"},
                        "spec": {"selector": {}, "maxUnavailable": 1}, "status": {"disruptionsAllowed": 1}})


def no_budget(case, plan, objects):
    pool(case, objects)["disruption"]["budgets"] = [{"nodes": "0"}]


def open_window(case, plan, objects):
    pool(case, objects)["disruption"]["budgets"] = [{"nodes": "0", "schedule": "@daily", "duration": "24h"}]


def never(case, plan, objects):
    pool(case, objects)["disruption"]["consolidateAfter"] = "Never"


def only_empty(case, plan, objects):
    pool(case, objects)["disruption"]["consolidationPolicy"] = "WhenEmpty"


def unripe(case, plan, objects):
    for claim in case.kind("NodeClaim", objects):
        for c in claim["status"]["conditions"]:
            if c["type"] == "Consolidatable":
                c["status"] = "False"


def unmanaged(case, plan, objects):
    objects[:] = [o for o in objects if o["kind"] != "NodeClaim"]


def other_reason(reason):
    def plant(case, plan, objects):
        for e in plan["disruption"]["replace"] + plan["disruption"]["delete"]:
            e["reason"] = reason
    return plant


def twice(case, plan, objects):
    for key in ("delete", "replace"):
        plan["disruption"][key] *= 2


def wrong_savings(case, plan, objects):
    for e in plan["disruption"]["replace"] + plan["disruption"]["delete"]:
        e["savingsUsdPerHour"] += 0.01


def no_steps(case, plan, objects):
    plan["disruption"]["steps"] = []


def not_launched(case, plan, objects):
    for step in plan["disruption"]["steps"]:
        step["launch"] = []


def forgotten_pod(case, plan, objects):
    for step in plan["disruption"]["steps"]:
        step["pods"] = step["pods"][1:]


def step_twice(case, plan, objects):
    plan["disruption"]["steps"] *= 2


def wrong_figure(key):
    def plant(case, plan, objects):
        plan["disruption"][key] += 1
    plant.__name__ = "wrong_" + key
    return plant


FIGURES = [wrong_figure(key) for key in ("savingsUsdPerHour", "consolidationSavingsUsdPerHour", "movedPods", "pendingUsdPerHour",
                                         "afterUsdPerHour", "runningUsdPerHour")]


def no_disruption(case, plan, objects):
    del plan["disruption"]


def wait_forgotten(case, plan, objects):
    for step in plan["disruption"]["steps"]:
        step.pop("waitsFor", None)


def wait_saved(case, plan, objects):
    """The price of a node that still runs, in all figures."""
    d, price = plan["disruption"], plan["disruption"]["runningUsdPerHour"]
    d["delete"][0]["savingsUsdPerHour"] = d["savingsUsdPerHour"] = price
    d["afterUsdPerHour"] -= price


def nothing_waits(case, plan, objects):
    """The pod could move by force, and the plan does nothing for it."""
    case.kind("NodeClaim", objects)[0]["spec"]["terminationGracePeriod"] = "1h"
    wait_forgotten(case, plan, objects)
    d, price = plan["disruption"], plan["disruption"]["runningUsdPerHour"]
    d["delete"][0]["savingsUsdPerHour"] = d["savingsUsdPerHour"] = price
    d["afterUsdPerHour"] -= price


def forced_forgotten(case, plan, objects):
    """Protected pods of a drifted node that a terminationGracePeriod lets go are moved by force: none may be left out."""
    protect(case, plan, objects)
    for claim in case.kind("NodeClaim", objects):
        claim["spec"]["terminationGracePeriod"] = "1h"
    for place in plan["nodes"] + plan["existing"]:
        place["pods"] = place["pods"][1:]
    moved = {p for place in plan["nodes"] + plan["existing"] for p in place["pods"]}
    for step in plan["disruption"]["steps"]:
        step["pods"] = [p for p in step["pods"] if p in moved]


REPLACED = [protect, annotate, close_budget, two_budgets, no_budget, open_window, never, only_empty, unripe, unmanaged,
            other_reason("Empty"), other_reason("Drifted"), other_reason("Expired"), twice, wrong_savings, no_steps, not_launched,
            forgotten_pod, step_twice, no_disruption] + FIGURES
EMPTY = [annotate, no_budget, open_window, never, unripe, unmanaged, other_reason("Drifted"), other_reason("Expired"), twice,
         wrong_savings, no_steps]
ROWS = {"disrupt-drift/expired-ignores-protection": [wait_forgotten, wait_saved, nothing_waits, twice, wrong_savings, no_steps],
        "disrupt-consolidate/replace-by-cheaper": REPLACED, "disrupt-empty/one": EMPTY,
        "disrupt-drift/replace-by-several": [forced_forgotten, protect, annotate, close_budget, two_budgets, no_budget, unmanaged,
                                             other_reason("Underutilized"), no_steps, not_launched]}


def adds_up(case):
    """Today less savings plus what is bought for pods that wait is what the cluster costs afterwards; in the table, too."""
    d, new = case.plan["disruption"], {n["name"]: n["usdPerHour"] for n in case.plan["nodes"]}
    waiting = sum(price for name, price in new.items() if all(name not in r["with"] for r in d["replace"]))
    after = d["runningUsdPerHour"] - d["savingsUsdPerHour"] + waiting
    table = " ".join(case.run("--simulate", case.objects, "--mode=disrupt", "-o", "table").stdout.split())
    if abs(d["pendingUsdPerHour"] - waiting) > 1e-9 or abs(d["afterUsdPerHour"] - after) > 1e-9:
        return "pending %s for %s, after %s for %s" % (d["pendingUsdPerHour"], waiting, d["afterUsdPerHour"], after)
    if "after the plan $%.4f/h" % after not in table or (waiting > 0) != (" Buys " in table):
        return "not in the table: after the plan $%.4f/h, buys %s: %s" % (after, waiting, table[-600:])
    return None


def waiting_pod(case):
    """A pod that waits and fits on no node of today."""
    case.objects.append({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "waits", "namespace": "default", "uid": "uid-waits", "labels": {"app": "waits"}},
        "spec": {"containers": [{"name": "app", "image": "registry.example.com/app:1", "resources": {"requests": {"cpu": "12", "memory": "1Gi"}}}]},
        "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}})


def large_pod(case):
    """One that none of today's nodes could hold even if it were empty."""
    waiting_pod(case)
    case.objects[-1]["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "30"


def pdb(status=1, **spec):
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b", "namespace": "default"},
            "spec": dict({"selector": {}}, **spec), "status": {"disruptionsAllowed": status}}


def scheduled(text):
    def change(case):
        pool(case, case.objects)["disruption"]["budgets"] = [{"nodes": "100%"}, {"nodes": "100%", "schedule": text, "duration": "1h"}]
    return change


# What is broken holds nodes, and the plan names it: name, change of the case, words of the reasons.
BROKEN = [("a budget of pods with both limits", lambda c: c.objects.append(pdb(minAvailable=1, maxUnavailable=1)), ["PodDisruptionBudget=[default/b]"]),
          ("a budget of pods of 200%", lambda c: c.objects.append(pdb(minAvailable="200%")), ["PodDisruptionBudget=[default/b]"]),
          ("a budget of pods whose status is no number", lambda c: c.objects.append(pdb("x", maxUnavailable=1)), ["PodDisruptionBudget=[default/b]"]),
          ("a schedule with minute 61", scheduled("61 * * * *"), ["NodePool default", "budgets[1]", '"61 * * * *"']),
          ("a schedule of six fields", scheduled("0 0 * * * *"), ["NodePool default", "budgets[1]", '"0 0 * * * *"'])]


def held(case, words):
    """No node goes, and the words are among the reasons."""
    d = case.plan["disruption"]
    reasons = " ".join(k["reason"] for k in d["keep"])
    missing = [w for w in words if w not in reasons]
    if d["delete"] or d["replace"] or missing:
        return "%s goes, %s missing in: %s" % (d["delete"] + d["replace"], missing, reasons)
    return None


# What keeps the node, words of the event, and whether it can be removed.
HURDLES = [(protect, "do-not-disrupt", True), (annotate, "do-not-disrupt", True), (close_budget, "PodDisruptionBudget=[default/closed]", True),
           (two_budgets, "multiple PDBs", True), (no_budget, "blocking budget", True), (never, "consolidation disabled", True),
           (only_empty, "consolidation policy WhenEmpty", True), (unripe, "consolidateAfter", True), (unmanaged, "not managed", False)]


def explained(case, plant, words, removable):
    """`explain node/N` says what keeps the node, and what the plan without that saves."""
    before = case.plan["disruption"]
    name = before["replace"][0]["nodes"][0]
    objects = copy.deepcopy(case.objects)
    plant(case, case.plan, objects)
    done = case.run("explain", objects, "node/" + name, "-o", "json")
    if done.returncode != 0:
        return "exit %d: %s" % (done.returncode, done.stderr)
    node = json.loads(done.stdout)["nodes"][0]
    if node["verdict"] != "stays" or words not in node["blockers"][0]["message"]:
        return "%s" % node
    without = node.get("withoutBlockers")
    if not removable:
        return None if without is None else "%s" % node
    saves = abs(without["savesMoreUsdPerHour"] - before["consolidationSavingsUsdPerHour"]) < 1e-9
    return None if without["verdict"] == "goes" and saves else "%s, but the plan saved %s" % (node, before)


def emulated(case):
    """What Karpenter buys for a pod that waits is no cost of a node whose pods move there: the emulation passes the checker."""
    done = case.run("--simulate", case.objects, "--mode=disrupt", "--algorithm=karpenter", "-o", "json")
    if done.returncode != 0:
        return "exit %d: %s" % (done.returncode, done.stderr.strip())
    d = json.loads(done.stdout)["disruption"]
    going = d["replace"] + d["delete"]
    return None if going and d["pendingUsdPerHour"] > 0 and all(e["savingsUsdPerHour"] > 0 for e in going) else json.dumps(d)


def same_today(case):
    """What runs costs the same in every mode, nodes that no NodePool manages included."""
    objects = copy.deepcopy(case.objects)
    unmanaged(case, None, objects)
    for node in case.kind("Node", objects):
        node["metadata"]["labels"] = {k: v for k, v in node["metadata"]["labels"].items() if "karpenter" not in k}
    today = []
    for mode in ("provision", "disrupt"):
        totals = json.loads(case.run("--simulate", objects, "--mode=" + mode, "-o", "json").stdout)["totals"]
        today.append((totals["existingUsdPerHour"], totals["existingNodesWithoutPrice"]))
    return None if today[0] == today[1] and today[0][0] > 0 else "provision %s, disrupt %s" % tuple(today)


def other_forms(case):
    """-o csv and -o markdown name what goes, what it saves, and why the others stay."""
    d = case.plan["disruption"]
    rows = list(csv.DictReader(io.StringIO(case.run("--simulate", case.objects, "--mode=disrupt", "-o", "csv").stdout), strict=True))
    if any(None in r or None in r.values() for r in rows):
        return "csv: rows of several lengths"
    gone = [(r["kind"], r["name"], r["reason"], r["with"]) for r in rows if r["kind"] in ("delete", "replace")]
    want = [("delete", e["node"], e["reason"], "") for e in d["delete"]]
    want += [("replace", ", ".join(e["nodes"]), e["reason"], ", ".join(e["with"])) for e in d["replace"]]
    kept = [(r["name"], r["reason"]) for r in rows if r["kind"] == "keep"]
    saves = sum(float(r["savesUsdPerHour"]) for r in rows if r["savesUsdPerHour"])
    if sorted(gone) != sorted(want) or kept != [(k["node"], k["reason"]) for k in d["keep"]]:
        return "csv: %s for %s, kept %s" % (gone, want, kept)
    if abs(saves - d["savingsUsdPerHour"]) > 1e-9:
        return "csv: saves %s for %s" % (saves, d["savingsUsdPerHour"])
    text = case.run("--simulate", case.objects, "--mode=disrupt", "-o", "markdown").stdout
    for kind, names, reason, _ in want:
        if "| %s | %s | %s |" % (kind, names, reason) not in text:
            return "markdown: no row of %s %s: %s" % (kind, names, text)
    said = ("- **Costs:**" if d["savingsUsdPerHour"] < 0 else "- **Saves:**") in text
    return None if said and all("| %s | " % k["node"] in text for k in d["keep"]) else "markdown: " + text


def report(number, name, why):
    print("%s %d - %s" % ("not ok" if why else "ok", number, name))
    if why:
        print("# " + why)
    return 1 if why else 0


def main():
    if not os.path.isdir(CASES):
        print("1..0 # SKIP %s is absent: PLANS OF DISRUPTION ARE NOT READ BACK" % CASES)
        return 0
    number = failed = 0
    print("1..%d" % (2 + 3 * len(ROWS) + len(HURDLES) + len(BROKEN) + sum(len(faults) for faults in ROWS.values())))
    with tempfile.TemporaryDirectory() as folder:
        for name, faults in ROWS.items():
            case = Case(name, folder)
            done = case.verify(case.plan, case.objects)
            number += 1
            failed += done.returncode != 0
            print("%s %d - %s as it is" % ("ok" if done.returncode == 0 else "not ok", number, name))
            if done.returncode != 0:
                print("# " + done.stderr.strip())
            for i, fault in enumerate(faults):
                plan, objects = copy.deepcopy(case.plan), copy.deepcopy(case.objects)
                fault(case, plan, objects)
                done = case.verify(plan, objects)
                number += 1
                failed += done.returncode != 1
                print("%s %d - %s, fault %d (%s)" % ("ok" if done.returncode == 1 else "not ok", number, name, i, fault.__name__))
                if done.returncode != 1:
                    print("# exit %d: %s" % (done.returncode, done.stderr.strip()))
        for name in ROWS:
            case = Case(name, folder, waiting_pod)
            number += 1
            failed += report(number, name + " with a pod that waits: the money adds up", adds_up(case))
            number += 1
            failed += report(number, name + " as CSV and Markdown", other_forms(case))
        number += 1
        failed += report(number, "emulated, with a pod that waits", emulated(Case("disrupt-consolidate/replace-by-cheaper", folder, large_pod)))
        number += 1
        failed += report(number, "unmanaged nodes cost the same in every mode", same_today(Case("disrupt-consolidate/replace-by-cheaper", folder)))
        for plant, words, removable in HURDLES:
            case = Case("disrupt-consolidate/replace-by-cheaper", folder)
            number += 1
            failed += report(number, "explain node/N: " + plant.__name__, explained(case, plant, words, removable))
        for name, change, words in BROKEN:
            case = Case("disrupt-consolidate/replace-by-cheaper", folder, change)
            number += 1
            failed += report(number, name + " lets nothing go", held(case, words))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
