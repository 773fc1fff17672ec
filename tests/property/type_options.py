#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""instanceTypeOptions of random small clusters, judged from the input alone: no more than 60 types, the node's own among them, the cheapest
first; each holds the node's pods and its DaemonSet, is admitted by NodePool and pods, and is sold in the node's zone and capacity type for no
more than --options-within above its price, unless minValues need it; no such type is missing while there is room; minValues are met.

  type_options.py BINPACK [COUNT [FIRST]]   COUNT clusters (40), seeds from FIRST (1)
  type_options.py BINPACK --one SEED        one of them, its input shown"""
import json
import os
import random
import subprocess
import sys
import tempfile

MOST = 60
KEYS = {"node.kubernetes.io/instance-type": lambda t: t["name"], "karpenter.k8s.aws/instance-family": lambda t: t["name"].split(".")[0],
        "karpenter.k8s.aws/instance-cpu": lambda t: str(t["vcpu"]), "kubernetes.io/arch": lambda t: t["arch"]}
ZONE, CAPACITY = "topology.kubernetes.io/zone", "karpenter.sh/capacity-type"
ZONES = ["us-east-1a", "us-east-1b"]


def catalog(rng):
    """Many types of nearly one price, or few of different ones."""
    flat, types = rng.random() < 0.3, []
    for n in range(220 if flat else rng.choice([6, 25, 110])):
        vcpu = 16 if flat else rng.choice([2, 4, 8, 16])
        memory = 1024 * vcpu * rng.choice([2, 4, 8])
        price = rng.randint(90, 99) if flat else vcpu * rng.randint(8, 14)
        family = "%s%d" % (rng.choice("cmr"), n // 20 if flat else n // 3)
        t = {"name": "%s.%s-%d" % (family, {2: "large", 4: "xlarge", 8: "2xlarge", 16: "4xlarge"}[vcpu], n), "os": ["linux"],
             "arch": rng.choice(["amd64", "amd64", "arm64"]), "vcpu": vcpu, "memoryMiB": memory, "maxPods": 58,
             "labels": {"karpenter.k8s.aws/instance-family": None, "karpenter.k8s.aws/instance-cpu": str(vcpu)},
             "allocatable": {"cpu": "%dm" % (vcpu * 1000 - 80), "memory": "%dMi" % (memory - 500), "pods": str(rng.choice([8, 29, 58]))},
             "offerings": [{"zone": z, "capacityType": c, "usdPerHour": price * share / 1000, "available": rng.random() < 0.9}
                           for z in ZONES for c, share in (("on-demand", 10), ("spot", rng.randint(3, 6)))]}
        t["labels"]["karpenter.k8s.aws/instance-family"] = t["name"].split(".")[0]
        types.append(t)
    return {"apiVersion": "binpack/v1", "kind": "Catalog", "region": "us-east-1", "asOf": "2026-01-01", "currency": "USD", "instanceTypes": types,
            "zones": [{"name": z, "id": "use1-az%d" % i} for i, z in enumerate(ZONES, 1)]}


def cluster(rng, types):
    needs = [{"key": CAPACITY, "operator": "In", "values": rng.choice([["on-demand"], ["spot"], ["on-demand", "spot"]])}]
    if rng.random() < 0.5:
        needs.append({"key": "kubernetes.io/arch", "operator": "In", "values": [rng.choice(["amd64", "arm64"])]})
    if rng.random() < 0.6:
        key = rng.choice(["node.kubernetes.io/instance-type", "karpenter.k8s.aws/instance-family", "karpenter.k8s.aws/instance-cpu"])
        values = sorted({KEYS[key](t) for t in types})
        needs.append({"key": key, "operator": "In", "values": values[: rng.randint(max(1, len(values) // 2), len(values))][:100],
                      "minValues": rng.randint(2, 4)})
        needs[-1]["minValues"] = min(needs[-1]["minValues"], len(needs[-1]["values"]))
    pods = []
    for n in range(rng.randint(1, 40)):
        spec = {"containers": [{"name": "c", "image": "x", "resources": {"requests": {
            "cpu": "%dm" % rng.choice([100, 250, 500, 1000, 3000]), "memory": "%dMi" % rng.choice([64, 512, 2048, 6000])}}}]}
        if rng.random() < 0.3:
            spec["nodeSelector"] = rng.choice([{"kubernetes.io/arch": "amd64"}, {ZONE: "us-east-1a"}, {"karpenter.k8s.aws/instance-cpu": "8"}])
        pods.append({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p%d" % n, "namespace": "default"}, "spec": spec})
    daemon = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent", "namespace": "default"}, "spec": {
        "selector": {"matchLabels": {"app": "agent"}}, "template": {"metadata": {"labels": {"app": "agent"}}, "spec": {"containers": [
            {"name": "c", "image": "x", "resources": {"requests": {"cpu": "130m", "memory": "100Mi"}}}]}}}}
    node_class = {"apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": {"name": "default"}, "spec": {
        "amiSelectorTerms": [{"alias": "al2023@latest"}], "subnetSelectorTerms": [{"tags": {"a": "b"}}],
        "securityGroupSelectorTerms": [{"tags": {"a": "b"}}], "role": "node"}}
    pool = {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": "default"}, "spec": {"template": {"spec": {
        "requirements": needs, "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"}}}}}
    return {"apiVersion": "v1", "kind": "List", "items": pods + [daemon, node_class, pool]}, pods, needs


def milli(text):
    return int(text[:-1]) if text.endswith("m") else 1000 * int(text)


def mib(text):
    return int(text[:-2])


def holds(t, zone, capacity, pods, needs):
    """Pods with the DaemonSet's on a node of that type; the labels that NodePool and pods ask for."""
    labels = {**{key: value(t) for key, value in KEYS.items()}, ZONE: zone, CAPACITY: capacity}
    requests = [p["spec"]["containers"][0]["resources"]["requests"] for p in pods] + [{"cpu": "130m", "memory": "100Mi"}]
    room = t["allocatable"]
    return (sum(milli(r["cpu"]) for r in requests) <= milli(room["cpu"]) and sum(mib(r["memory"]) for r in requests) <= mib(room["memory"]) and
            len(requests) <= int(room["pods"]) and all(labels[n["key"]] in n["values"] for n in needs) and
            all(labels[key] == value for p in pods for key, value in p["spec"].get("nodeSelector", {}).items()))


def price(t, zone, capacity):
    return next((o["usdPerHour"] for o in t["offerings"] if o["zone"] == zone and o["capacityType"] == capacity and o["available"]), None)


def judge_node(node, types, pods, needs, within, strict, seen):
    zone, capacity = node["zone"], node["capacityType"]
    mine = [pods[name] for name in node["pods"]]
    options = node["instanceTypeOptions"]
    own = price(types[node["instanceType"]], zone, capacity)
    most = own * (1 + within / 100) * (1 + 1e-9)
    if len(options) > MOST or len(set(options)) != len(options) or node["instanceType"] not in options:
        return "%d options, its own %samong them" % (len(options), "" if node["instanceType"] in options else "not ")
    least = [n for n in needs if "minValues" in n]
    values = lambda need, names: len({KEYS[need["key"]](types[name]) for name in names})
    near, dearer = [], []
    for name in options:
        # Types bought only to meet minValues may be sold in another zone or capacity type, or cost more.
        if not any(holds(types[name], z, c, mine, needs) and price(types[name], z, c) is not None for z in ZONES for c in ("on-demand", "spot")):
            return "%s does not hold its pods" % name
        here = price(types[name], zone, capacity)
        fine = here is not None and here <= most and holds(types[name], zone, capacity, mine, needs)
        (near if fine else dearer).append(name)
    if dearer and not any(values(n, near) < n["minValues"] for n in least):
        return "%s is above %g %% of the price, and minValues do not ask for it" % (dearer[0], within)
    prices = [price(types[name], zone, capacity) for name in near]
    if prices != sorted(prices):
        return "not the cheapest first"
    for n in least:
        if strict and values(n, options) < n["minValues"]:
            return "%d values of %s, minValues are %d" % (values(n, options), n["key"], n["minValues"])
    could = [name for name, t in types.items() if price(t, zone, capacity) is not None and price(t, zone, capacity) <= most * (1 - 2e-9) and
             holds(t, zone, capacity, mine, needs)]
    missing = set(could) - set(options)
    if missing and len(options) < MOST:
        return "%s is missing" % sorted(missing)[0]
    seen["nodes"] += 1
    seen["options"] += len(options)
    seen["at the cap"] += len(options) == MOST
    seen["widened for minValues"] += bool(dearer)
    return None


def judge(binpack, seed, folder, seen, show=False):
    rng = random.Random(seed)
    offered = catalog(rng)
    objects, pods, needs = cluster(rng, offered["instanceTypes"])
    within, strict = rng.choice([0, 3, 10, 40]), rng.random() < 0.8
    for name, value in (("cluster", objects), ("catalog", offered)):
        with open(os.path.join(folder, name + ".json"), "w") as f:
            json.dump(value, f, indent=1 if show else None)
    if show:
        print(json.dumps(objects, indent=1), json.dumps(offered, indent=1))
    done = subprocess.run([binpack, "--simulate", "-q", "-f", os.path.join(folder, "cluster.json"), "--catalog", os.path.join(folder, "catalog.json"),
                           "--options-within=%d%%" % within, "--min-values-policy=" + ("Strict" if strict else "BestEffort"), "--effort=1",
                           "-o", "json"], capture_output=True, text=True)
    if done.returncode not in (0, 3):
        return "exit status %d: %s" % (done.returncode, done.stderr[-300:])
    types = {t["name"]: t for t in offered["instanceTypes"]}
    by_name = {"default/" + p["metadata"]["name"]: p for p in pods}
    for node in json.loads(done.stdout)["nodes"]:
        fault = judge_node(node, types, by_name, needs, within, strict, seen)
        if fault:
            return "%s (%s): %s" % (node["name"], node["instanceType"], fault)
    return None


def main():
    binpack, arguments = sys.argv[1], sys.argv[2:]
    seen = {"nodes": 0, "options": 0, "at the cap": 0, "widened for minValues": 0}
    with tempfile.TemporaryDirectory() as folder:
        if arguments[:1] == ["--one"]:
            print(judge(binpack, int(arguments[1]), folder, seen, show=True))
            return 0
        count, first = (list(map(int, arguments)) + [40, 1][len(arguments):])[:2]
        faults = [(seed, judge(binpack, seed, folder, seen)) for seed in range(first, first + count)]
    print("1..2")
    faults = [f for f in faults if f[1]]
    print("%s 1 - options of %d clusters: %s" % ("not ok" if faults else "ok", count, ", ".join("%d %s" % (n, what) for what, n in seen.items())))
    for seed, fault in faults[:20]:
        print("# seed %d: %s" % (seed, fault))
    print("%s 2 - the clusters reach the cap and need minValues" % ("ok" if all(seen.values()) else "not ok"))
    return int(bool(faults) or not all(seen.values()))


if __name__ == "__main__":
    sys.exit(main())
