#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The number of lanes changes no byte: plan and certificate of 1, 2 and 7 lanes are compared.

  lanes.py BINPACK ROOT

Inputs: the example shop, and some hundred pods in some hundred classes, made here, for which pricing goes through many rounds. Under TSan
(`./dev test --tsan`) a race between two lanes ends the program, and with it this test. Prints TAP."""
import json
import os
import random
import subprocess
import sys
import tempfile

BINPACK, ROOT = sys.argv[1:3]
LANES = (1, 2, 7)


def made(seed):
    """Pods of many sizes, and a NodePool that takes any machine."""
    draw = random.Random(seed)
    items = [{"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": "any"},
              "spec": {"template": {"spec": {"requirements": [], "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "any"}}}}}]
    for i in range(400):
        requests = {"cpu": "%dm" % draw.choice((100, 250, 333, 500, 750, 1000, 1500, 3000)),
                    "memory": "%dMi" % draw.choice((100, 256, 700, 1024, 3000, 6000, 12000))}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p%d" % i, "namespace": "default"},
               "spec": {"containers": [{"name": "c", "image": "i", "resources": {"requests": requests}}]},
               "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}}
        if draw.random() < 0.3:
            pod["spec"]["nodeSelector"] = {"topology.kubernetes.io/zone": draw.choice(("us-east-1a", "us-east-1b", "us-east-1c"))}
        items.append(pod)
    return {"apiVersion": "v1", "kind": "List", "items": items}


def outcome(folder, source, lanes):
    certificate = os.path.join(folder, "certificate.json")
    done = subprocess.run([BINPACK, "--simulate", "-q", "-f", source, "-o", "json", "--effort=1", "--threads=%d" % lanes, "--certificate", certificate],
                          capture_output=True, text=True)
    if done.returncode not in (0, 3):
        return "exit %d: %s" % (done.returncode, done.stderr[-2000:]), None
    with open(certificate, encoding="utf-8") as f:
        return done.stdout, f.read()


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "made.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(made(7), f)
        inputs = [("the example shop", os.path.join(ROOT, "examples", "shop")), ("400 pods of many classes", path)]
        print("1..%d" % len(inputs))
        for i, (name, source) in enumerate(inputs, 1):
            outcomes = [outcome(folder, source, lanes) for lanes in LANES]
            good = all(o == outcomes[0] for o in outcomes) and outcomes[0][1] is not None
            print("%sok %d - %s: the same bytes with %s lanes" % ("" if good else "not ", i, name, ", ".join(map(str, LANES))))
            if not good:
                failed += 1
                for lanes, o in zip(LANES, outcomes):
                    print("# %d lanes: %d bytes of plan, %s" % (lanes, len(o[0]), "no certificate: " + o[0].replace("\n", "\n# ") if o[1] is None
                                                                    else "%d of certificate" % len(o[1])))
    return failed > 0


sys.exit(main())
