#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans every manifest set and recorded cluster of the shared data, each alone and the manifests as one cluster; each plan has to pass
the verifier and the placement checker (the program refuses its own plan otherwise), and to be the same bytes twice.

  every_input.py BINPACK DATA        DATA holds manifests/ and clusters/

Prints TAP."""
import glob
import os
import subprocess
import sys


def plan(binpack, files):
    arguments = [binpack, "--simulate", "--effort=1", "-o", "json"]
    for f in files:
        arguments += ["-f", f]
    return subprocess.run(arguments, capture_output=True, timeout=600)


def main(binpack, data):
    manifests = sorted(glob.glob(os.path.join(data, "manifests", "*.yaml")))
    recorded = os.path.join(data, "clusters", "eks-recorded")
    rows = [(os.path.basename(f), [f]) for f in manifests]
    rows.append(("all manifests as one cluster", manifests))
    rows += [(os.path.basename(f), [f]) for f in sorted(glob.glob(os.path.join(data, "clusters", "*.json")))]
    rows.append(("eks-recorded", [os.path.join(recorded, f) for f in ("cluster.json.gz", "karpenter.json.gz")]))
    print("1..%d" % len(rows))
    bad = 0
    for number, (name, files) in enumerate(rows, 1):
        done = plan(binpack, files)
        good = done.returncode in (0, 3)
        why = "exit %d: %s" % (done.returncode, done.stderr.decode(errors="replace")[-400:].replace("\n", " "))
        if good and plan(binpack, files).stdout != done.stdout:
            good, why = False, "not the same bytes twice"
        bad += not good
        print("%s %d - %s" % ("ok" if good else "not ok", number, name))
        if not good:
            print("# " + why)
        sys.stdout.flush()
    return 1 if bad else 0


if __name__ == "__main__":
    if not os.path.isdir(sys.argv[2]):
        print("1..0 # SKIP %s is absent: real inputs are not planned" % sys.argv[2])
        sys.exit(0)
    sys.exit(main(*sys.argv[1:3]))
