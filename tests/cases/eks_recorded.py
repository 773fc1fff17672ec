#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the plan for the recorded EKS cluster against what its README says a right planner must find for each group of pods.

  eks_recorded.py BINPACK FOLDER     FOLDER holds cluster.json.gz and karpenter.json.gz

Prints TAP: one line a group, plus exit code, time, both orders of the input and the judgement of ignored pods."""
import collections
import gzip
import json
import os
import re
import resource
import subprocess
import sys
import time

ZONE, POOL, CT, ARCH = "topology.kubernetes.io/zone", "karpenter.sh/nodepool", "karpenter.sh/capacity-type", "kubernetes.io/arch"
results = []


def say(name, faults):
    results.append((name, faults))


def load(path):
    return json.load(gzip.open(path))["items"]


def simulate(binpack, *files):
    begun = time.monotonic()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    arguments = [binpack, "--simulate", "-o", "json"]
    for f in files:
        arguments += ["-f", f]
    done = subprocess.run(arguments, capture_output=True, timeout=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done, (time.monotonic() - begun, busy)


def main(binpack, folder):
    files = [os.path.join(folder, "cluster.json.gz"), os.path.join(folder, "karpenter.json.gz")]
    done, seconds = simulate(binpack, *files)
    say("exit status is 3: some pods are impossible", [] if done.returncode == 3 else ["status %d: %s" % (done.returncode, done.stderr[-600:])])
    if done.returncode not in (0, 3):
        return
    plan = json.loads(done.stdout)
    print("# %.2f s (%.2f s of processor), %d new nodes, $%.4f/h, bound $%.4f/h" % (*seconds, len(plan["nodes"]), plan["totals"]["usdPerHour"],
                                                            plan["certificate"]["lowerBoundUsdPerHour"]))
    if "ASAN_OPTIONS" not in os.environ:
        # Processor time of all threads: what it takes on a machine that does nothing else, at most.
        say("within a second, with reading", [] if seconds[1] < 1.0 else ["%.2f s" % seconds[1]])
    back, _ = simulate(binpack, *reversed(files))
    say("the same bytes with the files in another order", [] if back.stdout == done.stdout else ["different output"])

    objects = load(files[0]) + load(files[1])
    pods = {"%s/%s" % (o["metadata"]["namespace"], o["metadata"]["name"]): o for o in objects if o["kind"] == "Pod"}
    nodes = {}
    claims = {o["status"].get("providerID"): o for o in objects if o["kind"] == "NodeClaim"}
    for o in objects:
        if o["kind"] == "NodeClaim":
            nodes[o["metadata"]["name"]] = dict(o["metadata"]["labels"])
    for o in objects:
        if o["kind"] == "Node":
            claim = claims.get(o["spec"].get("providerID"))
            nodes[o["metadata"]["name"]] = dict(claim["metadata"]["labels"] if claim else {}, **o["metadata"]["labels"])
    place, new = {}, {}
    for n in plan["nodes"]:
        new[n["name"]] = n
        for p in n["pods"]:
            place[p] = (n["name"], True, {ZONE: n["zone"], POOL: n["nodePool"], CT: n["capacityType"], "type": n["instanceType"]})
    for n in plan["existing"]:
        for p in n["pods"]:
            labels = nodes[n["name"]]
            place[p] = (n["name"], False, dict(labels, type=labels.get("node.kubernetes.io/instance-type")))
    reasons = {u["pod"]: json.dumps(u["reasons"]) for u in plan["unschedulable"]}
    unscheduled = [k for k, o in pods.items() if not o["spec"].get("nodeName") and any(
        c["type"] == "PodScheduled" and c["status"] == "False" for c in o["status"].get("conditions", []))]

    def group(prefix):
        ns, name = prefix.split("/")
        return sorted(k for k in unscheduled if re.match(re.escape(ns) + "/" + re.escape(name) + r"[-0-9a-z]*$", k))

    def placed(prefix, n, check=None, only_new=False):
        names = group(prefix)
        faults = [] if len(names) == n else ["%d pods in the input, %d expected" % (len(names), n)]
        for k in names:
            if k not in place:
                faults.append("%s is not placed: %s" % (k, reasons.get(k, "and not reported")[:300]))
            elif only_new and not place[k][1]:
                faults.append("%s is on running node %s" % (k, place[k][0]))
        if not faults and check:
            faults = check([place[k] for k in names])
        say("%s: %d placed" % (prefix, n), faults)

    def impossible(prefix, n, *words):
        names = group(prefix)
        faults = [] if len(names) == n else ["%d pods in the input, %d expected" % (len(names), n)]
        for k in names:
            if k in place:
                faults.append("%s is placed on %s" % (k, place[k][0]))
            elif k not in reasons:
                faults.append("%s is not reported" % k)
            else:
                faults += ["%s: the reasons do not name %r: %s" % (k, w, reasons[k][:300]) for w in words if w not in reasons[k]]
        say("%s: %d impossible, and why" % (prefix, n), faults)

    every = lambda want: lambda ps: ["%s: %s" % (p[0], p[2]) for p in ps if any(p[2].get(k) not in v for k, v in want.items())]
    distinct = lambda what: lambda ps: [] if len({what(p) for p in ps}) == len(ps) else ["not distinct: %s" % sorted(what(p) for p in ps)]

    def both(*checks):
        return lambda ps: [f for c in checks for f in c(ps)]

    family = lambda name: lambda ps: ["%s is a %s" % (p[0], p[2]["type"]) for p in ps if not p[2]["type"].startswith(name + ".")]

    def gateway(ps):
        counts = collections.Counter(p[2][ZONE] for p in ps)
        for k, o in pods.items():
            if k.startswith("edge/api-gateway") and o["spec"].get("nodeName") and o["status"].get("phase") == "Running":
                counts[nodes[o["spec"]["nodeName"]][ZONE]] += 1
        return [] if sorted(counts.values()) == [2, 2, 3, 3] else ["per zone: %s" % dict(counts)]

    placed("media/transcoder", 10, every({POOL: ["batch"], CT: ["spot"]}))
    placed("edge/api-gateway", 7, gateway)
    placed("ml/inference", 3, every({POOL: ["gpu"]}), only_new=True)
    placed("streaming/kafka-broker", 3, both(distinct(lambda p: p[0]), distinct(lambda p: p[2][ZONE])))
    placed("search/index-scratch", 2, both(family("r6i"), distinct(lambda p: p[0])), only_new=True)
    placed("data/orders-postgres", 1, every({ZONE: ["us-east-1b"]}), only_new=True)
    placed("payments/ledger-archive", 1, every({ZONE: ["us-east-1b"]}), only_new=True)
    placed("analytics/report-builder", 13)
    placed("payments/ledger-arm", 8)
    placed("ml/feature-cache", 6)
    placed("monitoring/metrics-relay", 5, distinct(lambda p: p[0]))
    on_the_way = [n for n in plan["existing"] if nodes[n["name"]].get("karpenter.sh/initialized") != "true" and POOL in nodes[n["name"]]]
    say("the three machines on their way are used", [] if len(on_the_way) == 3 else ["%s" % [n["name"] for n in on_the_way]])
    impossible("analytics/adhoc-query", 3, "taint")
    impossible("cms/wordpress", 2, "rook-ceph-block")
    impossible("shop/price-sync", 2, "ondemand", "on-demand")
    impossible("shop/recommendation-canary", 2, "topology.kubernetes.io/zome", "topology.kubernetes.io/zone")
    impossible("legacy/legacy-mysql", 1, "us-east-1f")
    impossible("ml/train-large", 1, "nvidia.com/gpu")
    impossible("shop/thumbnailer", 1, "cpu")
    impossible("streaming/wal-writer", 1, "io2-immediate")
    ignored = [k for k in unscheduled if pods[k]["metadata"]["ownerReferences"][0]["kind"] == "DaemonSet"]
    say("9 daemon pods are nobody's reason for a node", [k for k in ignored if k in place or k in reasons] or ([] if len(ignored) == 9 else ["%d" % len(ignored)]))
    known = set(place) | set(reasons) | set(ignored)
    say("every unscheduled pod is accounted for, and no other", sorted(set(unscheduled) ^ known))
    buys = sum(len(n["pods"]) == 0 for n in plan["nodes"])
    say("no empty node is bought", [] if not buys else ["%d" % buys])


if __name__ == "__main__":
    if not os.path.isdir(sys.argv[2]):
        print("1..0 # SKIP %s is absent: the recorded cluster is not tested" % sys.argv[2])
        sys.exit(0)
    main(*sys.argv[1:3])
    print("1..%d" % len(results))
    for number, (name, faults) in enumerate(results, 1):
        print("%s %d - %s" % ("not ok" if faults else "ok", number, name))
        for fault in faults[:5]:
            print("# %s" % str(fault)[:500].replace("\n", " "))
    sys.exit(1 if any(f for _, f in results) else 0)
