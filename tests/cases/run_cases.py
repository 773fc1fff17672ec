#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the neutral scheduling cases through their own judge and prints TAP, one line a case, and the table of gaps.

  run_cases.py BINPACK FOLDER    FOLDER holds run.py, check.py and the cases

Every case is run a second time with its objects in reverse order: the plan must be the same
bytes. A gap above 1 % is listed with the families of constraints that the bound leaves out."""
import json
import os
import re
import subprocess
import sys
import tempfile


def judge(folder, command, names, keep):
    out = os.path.join(keep, "results.json")
    only = [a for n in names for a in ("--only", n)]
    subprocess.run([sys.executable, os.path.join(folder, "run.py"), "-q", "--json", out, "--keep", keep, "--timeout", "60"] + only +
                   ["--", command], stdout=subprocess.DEVNULL)
    with open(out) as f:
        return json.load(f)


def documents(path):
    """The YAML documents of a file, as text."""
    with open(path) as f:
        return [d for d in re.split(r"(?m)^---\s*$", f.read()) if d.strip()]


def same_bytes(binpack, folder, name, expect, flags):
    """Does the order of the objects change the plan?"""
    case = os.path.join(folder, name)
    catalog = expect["catalog"]
    catalog = os.path.join(case, catalog[2:]) if catalog.startswith("./") else os.path.join(folder, "catalogs", catalog + ".json")
    found = []
    for reverse in (False, True):
        docs = documents(os.path.join(case, "cluster.yaml"))
        text = "---\n".join(reversed(docs) if reverse else docs)
        done = subprocess.run([binpack, "--simulate", "-f", "-", "--catalog", catalog, "--mode", expect["mode"], "--now",
                               expect["now"], "-o", "json"] + flags, input=text.encode(), capture_output=True, timeout=60)
        found.append((done.returncode, done.stdout))
    return found[0] == found[1]


def settings(options):
    out = []
    if "preferencePolicy" in options:
        out.append("--preference-policy=" + options["preferencePolicy"])
    if "minValuesPolicy" in options:
        out.append("--min-values-policy=" + options["minValuesPolicy"])
    gates = options.get("featureGates") or {}
    if gates:
        out.append("--feature-gates=" + ",".join("%s=%s" % (k[0].upper() + k[1:], str(v).lower()) for k, v in sorted(gates.items())))
    return out


def cases_of(folder):
    found = {}
    for group in sorted(os.listdir(folder)):
        for name in sorted(os.listdir(os.path.join(folder, group))) if os.path.isdir(os.path.join(folder, group)) else []:
            path = os.path.join(folder, group, name, "expect.json")
            if os.path.exists(path):
                with open(path) as f:
                    found[group + "/" + name] = json.load(f)
    return found


def print_table(results, keep):
    groups = {}
    for r in results:
        row = groups.setdefault(r["case"].split("/")[0], [0, 0, []])
        row[0] += 1
        row[1] += r["ok"]
        row[2] += [r["gap"]] if r["ok"] and r["gap"] is not None else []
    print("# %-20s %9s %12s %12s" % ("group", "pass", "gap median", "gap worst"))
    for group, (n, ok, gaps) in sorted(groups.items()):
        gaps.sort()
        print("# %-20s %3d of %3d %11.3f%% %11.3f%%" % ((group, ok, n) + ((100 * gaps[len(gaps) // 2], 100 * gaps[-1]) if gaps else (0, 0))))
    for r in results:
        if r["ok"] and (r["gap"] or 0) > 0.01:
            with open(os.path.join(keep, r["case"].replace("/", "__") + ".json")) as f:
                relaxed = json.load(f)["certificate"].get("relaxed") or []
            print("# gap %.1f %%: %s; the bound leaves out: %s" % (100 * r["gap"], r["case"], ", ".join(relaxed) or "nothing"))


def main(binpack, folder):
    found = cases_of(folder)
    command = binpack + " --simulate -f {cluster} --catalog {catalog} --mode {mode} --now {now} {flags} -o json"
    with tempfile.TemporaryDirectory() as keep:
        results = [r for r in judge(folder, command, sorted(found), keep) if r["case"] in found]
        print("1..%d" % len(results))
        failed = 0
        for number, r in enumerate(results, 1):
            why = "" if r["ok"] else r["why"]
            if r["ok"] and not same_bytes(binpack, folder, r["case"], found[r["case"]], settings(found[r["case"]].get("options") or {})):
                why = "the order of the objects changes the plan"
            failed += bool(why)
            print("%s %d - %s" % ("not ok" if why else "ok", number, r["case"]))
            if why:
                print("# %s" % why[:800].replace("\n", " "))
        print_table(results, keep)
    return failed


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    if not os.path.exists(os.path.join(sys.argv[2], "run.py")):
        print("1..0 # SKIP %s is absent: THE SCHEDULING CASES ARE NOT TESTED" % sys.argv[2])
        sys.exit(0)
    sys.exit(1 if main(sys.argv[1], sys.argv[2]) else 0)
