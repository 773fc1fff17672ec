#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guard against a solver that grows slow or weak: the instructions (valgrind's callgrind) that two instances take with a fixed budget of
work, and the gap that they end with, against instructions.json. Called by `./dev instructions`.

  instructions.py SOLVE_TEXT            compares
  instructions.py SOLVE_TEXT --write    renews instructions.json, after a change that is meant to cost or to save; say so in the commit

Instructions may be 3 % above or below what is written there, the gap a twentieth of itself and 0.001 % above it. Counts hold for one compiler
and a release build; with another compiler, or without valgrind, the guard is skipped, loudly."""
import json
import os
import re
import shutil
import subprocess
import sys

BASELINE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instructions.json")
TOLERANCE, GAP_TOLERANCE, GAP_SLACK = 0.03, 0.05, 0.001
ANY = -1


def offerings(zones, n_domains):
    """Three families of nine sizes, on demand and spot in some zones; no two spot prices are equal."""
    out = []
    for vcpu in (2, 4, 8, 16, 32, 48, 64, 96, 128):
        for ratio, price in ((2, 42500), (4, 48000), (8, 63000)):
            capacity = [vcpu * 1000 - 60 - 5 * vcpu, (vcpu * ratio * 1024 * 93) // 100 - 600, 8 + min(7 * vcpu, 230)]
            for domain in range(n_domains):
                zone, spot = domain % zones, domain // zones
                share = 100 if not spot else 31 + (7 * vcpu + 13 * ratio + 5 * zone) % 29
                out.append([price * vcpu * share * 10, ANY, domain, 0] + capacity)
    return out


def small_pods():
    """3,000 pods of thirty sizes, one zone on demand."""
    sizes = [(c, m) for c in (100, 250, 500, 1000, 1500) for m in (100, 256, 512, 1024, 2048, 4096)]
    classes = [[60 + (i * 37) % 83, 0, 1, cpu, memory, 1] for i, (cpu, memory) in enumerate(sizes)]
    return classes, offerings(1, 1), 1


def large_pods():
    """400 pods of forty sizes up to 8 CPUs and 48 GiB, a third bound to a zone, three zones, on demand and spot."""
    classes = []
    for i in range(40):
        cpu = (50, 200, 400, 1000, 2500, 4000, 6000, 8000)[i % 8] + 10 * i
        memory = cpu * (1, 2, 3, 5, 6)[i % 5] + 37 * i
        mask = 63 if i % 3 else 9 << (i // 3 % 3)
        classes.append([4 + (i * 29) % 13, 0, mask, cpu, memory, 1])
    return classes, offerings(3, 6), 6


INSTANCES = {"small-pods": (small_pods, 60000), "large-pods": (large_pods, 200000)}


def text(classes, offered, n_domains, work):
    numbers = [work, 3, len(classes), len(offered), n_domains, 0, 0, 0, 0]
    for row in classes + offered:
        numbers += row
    return " ".join(map(str, numbers)) + "\n"


def compiler(program):
    """What the program says of who made it."""
    out = subprocess.run(["readelf", "-p", ".comment", program], capture_output=True, text=True, check=True).stdout
    return " ".join(sorted(set(re.findall(r"\]\s+(.*\S)", out))))


def measure(program, name):
    make, work = INSTANCES[name]
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program], input=text(*make(), work),
                          capture_output=True, text=True)
    counted = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or counted is None or done.stdout.startswith("refused"):
        sys.exit("%s: exit status %d: %s%s" % (name, done.returncode, done.stdout[:200], done.stderr[-500:]))
    bound, cost = map(int, done.stdout.split()[:2])
    return {"instructions": int(counted.group(1)), "gapPercent": round(100 * (cost - bound) / cost, 5)}


def main():
    program = sys.argv[1]
    if shutil.which("valgrind") is None:
        print("NOTE: valgrind is absent: instructions are not counted", file=sys.stderr)
        print("0 passed, 0 failed, %d skipped" % len(INSTANCES))
        return 0
    made_by = compiler(program)
    if sys.argv[2:] == ["--write"]:
        with open(BASELINE, "w") as f:
            json.dump({"renew": "./dev instructions --write", "compiler": made_by, "instances": {n: measure(program, n) for n in INSTANCES}}, f, indent=2)
            f.write("\n")
        return 0
    with open(BASELINE) as f:
        known = json.load(f)
    if made_by != known["compiler"]:
        print("NOTE: counted with %s, this is %s: instructions are not compared" % (known["compiler"], made_by), file=sys.stderr)
        print("0 passed, 0 failed, %d skipped" % len(INSTANCES))
        return 0
    failed = 0
    for name, before in known["instances"].items():
        now = measure(program, name)
        ratio = now["instructions"] / before["instructions"]
        faults = []
        if ratio > 1 + TOLERANCE:
            faults.append("slower")
        elif ratio < 1 - TOLERANCE:
            faults.append("faster: keep the gain with --write")
        if now["gapPercent"] > before["gapPercent"] * (1 + GAP_TOLERANCE) + GAP_SLACK:
            faults.append("weaker")
        failed += bool(faults)
        print("%s: %.1f million instructions, %+.1f %%; gap %.4f %%, was %.4f %%%s" % (
            name, now["instructions"] / 1e6, 100 * (ratio - 1), now["gapPercent"], before["gapPercent"], ": " + ", ".join(faults) if faults else ""))
    print("%d passed, %d failed, 0 skipped" % (len(known["instances"]) - failed, failed))
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
