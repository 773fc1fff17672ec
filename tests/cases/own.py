#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs this repository's own scheduling cases (own/*.py) and prints TAP, one line a case.

  own.py BINPACK FOLDER [TEXT...] [--keep DIR]   FOLDER holds the judge (check.py) and its catalogues; TEXT: only cases whose name contains it

Each case is planned by the program, then judged twice: by the judge beside the project, and by `binpack verify`. With --keep the inputs
and plans stay in DIR."""
import concurrent.futures
import importlib
import json
import os
import subprocess
import sys
import tempfile

from run_cases import settings

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "property"))
import disruption_walk as walk  # noqa: E402


def collect():
    sys.path.insert(0, os.path.join(HERE, "own"))
    world = importlib.import_module("world")
    for name in sorted(os.listdir(os.path.join(HERE, "own"))):
        if name.startswith("rules_") and name.endswith(".py"):
            importlib.import_module(name[:-3])
    return world.CASES, world.NOW


def run(argv):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def words_of(reasons):
    return " ".join(" ".join(str(v) for v in r.values()) if isinstance(r, dict) else str(r) for r in reasons)


def of_nodes(case, plan):
    """What is wrong with the verdicts on nodes."""
    disruption = plan.get("disruption") or {}
    kept = {k["node"]: k["reason"] + (" " + k["drift"] if "drift" in k else "") for k in disruption.get("keep") or []}
    gone = {n: c["reason"] for c in disruption.get("delete") or [] for n in [c["node"]]}
    gone.update({n: c["reason"] for c in disruption.get("replace") or [] for n in c["nodes"]})
    for node, words in case["keeps"].items():
        if words not in kept.get(node, ""):
            yield "%s stays because of \"%s\", not \"%s\"" % (node, kept.get(node, "nothing: it goes"), words)
    for node, reason in case["reasons"].items():
        if gone.get(node) != reason:
            yield "%s goes as %s, not as %s (kept: %s)" % (node, gone.get(node), reason, kept.get(node))
    steps = {s["drain"]: dict({"waitsFor": []}, **s) for s in disruption.get("steps") or []}
    for c in (disruption.get("delete") or []) + (disruption.get("replace") or []):
        steps.get((c.get("nodes") or [c.get("node")])[0], {})["saves"] = c["savingsUsdPerHour"]
    for node, wanted in case["steps"].items():
        for key, value in wanted.items():
            found = steps.get(node, {}).get(key)
            if found != value:
                yield "the step of %s: %s is %s, not %s" % (node, key, found, value)


def judge(check, binpack, folder, now, case, keep):
    """None, or what is wrong with the program's plan for the case."""
    stem = os.path.join(keep, case["name"].replace("/", "__"))
    with open(stem + ".json", "w") as f:
        json.dump({"apiVersion": "v1", "kind": "List", "items": case["objects"]}, f)
    if isinstance(case["catalog"], dict):
        catalog = stem + "__catalog.json"
        with open(catalog, "w") as f:
            json.dump(case["catalog"], f)
    else:
        catalog = os.path.join(folder, "catalogs", case["catalog"] + ".json")
    inputs = ["-f", stem + ".json", "--catalog", catalog, "--now", now] + settings(case["options"]) + case["flags"]
    code, out, err = run([binpack, "--simulate", "--mode", case["mode"], "-o", "json"] + inputs)
    with open(stem + "__plan.json", "w") as f:
        f.write(out)
    if code not in (0, 3):
        return "exit %d: %s" % (code, err.strip()[-400:])
    plan = json.loads(out)
    if (code == 3) != bool(plan.get("unschedulable")):
        return "exit %d with %d pods unplaced" % (code, len(plan.get("unschedulable") or []))
    world = check.World(json.loads(json.dumps(case["objects"])), check.load_catalog(catalog), now, case["options"])
    verdict = check.judge({"mode": case["mode"], "expect": case["expect"]}, world, plan)
    bad = (list(verdict.violations) if case["judged"] else []) + ["%s: %s" % (c["check"], c["detail"]) for c in verdict.checks if not c["ok"]]
    said = {u["pod"]: words_of(u["reasons"]) for u in plan.get("unschedulable") or []}
    for pod, words in case["says"].items():
        for word in [words] if isinstance(words, str) else words:
            if word not in said.get(pod, ""):
                bad.append("%s: \"%s\" is not among the reasons: %s" % (pod, word, said.get(pod, "none")))
    bad += of_nodes(case, plan)
    if case["mode"] == "disrupt" and case["judged"] and not verdict.violations:
        world = check.World(json.loads(json.dumps(case["objects"])), check.load_catalog(catalog), now, case["options"])
        bad += walk.violations(check, world, plan)
    if case["total"] is not None and plan["totals"]["usdPerHour"] > case["total"]:
        bad.append("the plan says %s USD an hour, more than %s" % (plan["totals"]["usdPerHour"], case["total"]))
    bound = (plan.get("certificate") or {}).get("lowerBoundUsdPerHour")
    if bound is None:
        bad.append("no lower bound")
    elif case["bound"] is not None and bound < case["bound"]:
        bad.append("only %s USD an hour are proven, %s are expected" % (bound, case["bound"]))
    code, _, err = run([binpack, "verify", stem + "__plan.json"] + inputs)
    if code != 0:
        bad.append("binpack verify: exit %d: %s" % (code, err.strip()[-300:]))
    return "; ".join(bad) or None


def main(argv):
    keep = None
    if "--keep" in argv:
        at = argv.index("--keep")
        keep = argv[at + 1]
        argv = argv[:at] + argv[at + 2:]
        os.makedirs(keep, exist_ok=True)
    binpack, folder, only = argv[0], argv[1], argv[2:]
    if not os.path.exists(os.path.join(folder, "check.py")):
        print("1..0 # SKIP %s is absent: THE RULES ARE NOT HELD AGAINST THE JUDGE" % folder)
        return 0
    sys.path.insert(0, folder)
    check = importlib.import_module("check")
    cases, now = collect()
    cases = [c for c in cases if not only or any(o in c["name"] for o in only)]
    failed = 0
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(2) as lanes:
        found = list(lanes.map(lambda c: judge(check, binpack, folder, now, c, keep or scratch), cases))
    print("1..%d" % len(cases))
    for number, (c, why) in enumerate(zip(cases, found), 1):
        failed += why is not None
        print("%s %d - %s" % ("ok" if why is None else "not ok", number, c["name"]))
        if why is not None:
            print("# rule: %s" % c["why"])
            print("# %s" % why[:1500].replace("\n", " "))
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
