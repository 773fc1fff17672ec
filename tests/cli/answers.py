#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers on random clusters: every relaxation that `explain` proposes is carried out and gives the pod a place, every funnel adds up, and every price of a
rule lies within the bounds of separate solves. Prints TAP, and how many of each were held.

  answers.py BINPACK SOURCE_ROOT       BINPACK_ANSWERS="60 1000" takes 60 clusters from seed 1000 on
"""
import copy
import json
import os
import random
import sys
import tempfile

import questions as q

COUNT, FIRST = (int(word) for word in os.environ.get("BINPACK_ANSWERS", "4 1").split())
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
COUNTS = {"relaxations": 0, "pods without a place": 0, "funnels": 0, "prices": 0, "clusters": 0}


def count(what, n=1):
    COUNTS[what] += n


def node_pool(rng, name):
    pool = copy.deepcopy(q.POOL[1])
    pool["metadata"]["name"] = name
    template = pool["spec"]["template"]["spec"]
    families = template["requirements"][0]
    families["values"] = rng.sample(q.FAMILIES, rng.randint(1, 3))
    template["requirements"] = [families] + rng.sample(template["requirements"][1:], rng.randint(0, 2))
    if rng.random() < 0.4:
        template["requirements"].append({"key": "topology.kubernetes.io/zone", "operator": "In", "values": rng.sample(ZONES, rng.randint(1, 2))})
    template["requirements"].append({"key": "karpenter.k8s.aws/instance-cpu", "operator": "Lt", "values": [rng.choice(("9", "17"))]})
    for requirement in template["requirements"]:
        if requirement["key"] == "kubernetes.io/arch" and rng.random() < 0.5:
            requirement["values"] = [rng.choice(("amd64", "arm64"))]
    if rng.random() < 0.3:
        template["taints"] = [{"key": "work", "value": name, "effect": "NoSchedule"}]
    if rng.random() < 0.3:
        pool["spec"]["limits"] = {"cpu": str(rng.choice((0, 1, 40)))}
    return pool


def rules(rng, name, pools):
    """Rules of one workload, some of which nothing can keep."""
    spec, host = {}, {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": name}}}
    selector = {}
    for key, values in (("kubernetes.io/arch", ("amd64", "arm64", "amd46")), ("karpenter.sh/capacity-type", ("spot", "on-demand", "ondemand")),
                        ("karpenter.k8s.aws/instance-family", (*q.FAMILIES, "z9")), ("topology.kubernetes.io/zone", (*ZONES, "us-east-9z")),
                        ("karpenter.sh/nodepool", pools)):
        if rng.random() < 0.2:
            selector[key] = rng.choice(values)
    if selector:
        spec["nodeSelector"] = selector
    if rng.random() < 0.2:
        spec["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [host]}}
    elif rng.random() < 0.15:
        spec["affinity"] = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{**host, "labelSelector": {"matchLabels": {"app": "nobody"}}}]}}
    if rng.random() < 0.2:
        spec["topologySpreadConstraints"] = [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule",
                                              "labelSelector": {"matchLabels": {"app": name}}}]
    if rng.random() < 0.3:
        spec["tolerations"] = [{"key": "work", "operator": "Exists"}]
    if rng.random() < 0.2:
        spec["ports"] = [{"containerPort": 80, "hostPort": 80}]
    return spec


def random_cluster(seed):
    rng = random.Random(seed)
    pools = ["p%d" % i for i in range(rng.randint(1, 3))]
    items = [copy.deepcopy(q.POOL[0])] + [node_pool(rng, name) for name in pools]
    for i in range(rng.randint(3, 7)):
        name = "w%d" % i
        cpu, memory = rng.choice(("250m", "1", "3500m", "7500m", "20")), rng.choice(("256Mi", "2Gi", "12Gi", "200Gi"))
        items.append(q.workload(name, rng.randint(1, 3), cpu, memory, **rules(rng, name, pools)))
    if rng.random() < 0.5:
        items.append(q.workload("log", 1, "150m", "200Mi", kind="DaemonSet"))
    return q.objects(*items)


def hold_funnels(answer):
    for funnel in answer["nodePools"]:
        for key in ("instanceTypes", "offerings"):
            counts = [step[key] for step in funnel["steps"]]
            assert counts == sorted(counts, reverse=True), (answer["pod"], counts)
        assert all(s["instanceTypes"] <= s["offerings"] and (s["instanceTypes"] == 0) == (s["offerings"] == 0) for s in funnel["steps"]), funnel
        prices = [c["usdPerHour"] for c in funnel["cheapest"]]
        assert prices == sorted(prices) and len(prices) == min(funnel["steps"][-1]["instanceTypes"], 5), funnel
        count("funnels")
    left = sum(f["steps"][-1]["instanceTypes"] for f in answer["nodePools"])
    assert answer["verdict"] != "new-node" or left > 0, answer


def hold_relaxations(value, answer):
    """Each is carried out on the cluster in which the pod is alone, as it was tried."""
    name = answer["pod"].split("/")[1].rsplit("-", 1)[0]
    alone = copy.deepcopy(value)
    alone["items"] = [i for i in alone["items"] if i["kind"] != "Deployment" or i["metadata"]["name"] == name]
    next(i for i in alone["items"] if i["metadata"]["name"] == name)["spec"]["replicas"] = 1
    for fix in answer["relaxations"]:
        fixed = copy.deepcopy(alone)
        for change in filter(None, (fix["change"], fix.get("also"))):
            q.apply(fixed, change, name, fix)
        again = q.explain("shop/%s-0" % name, cluster=q.write("fixed.json", fixed))["pods"][0]
        assert again["verdict"] == "new-node", (answer["pod"], fix, again)
        count("relaxations")


def hold_prices(value):
    base = q.compare("-f", q.write("cluster.json", value), "--price-constraints")
    cost, bound = q.row_figures(base["base"])[:2]
    for price in base["constraints"]:
        if price["constraint"] not in q.DROPS or "failure" in price:
            continue
        free, placed = copy.deepcopy(value), base["base"]["unplacedPods"] == 0
        q.DROPS[price["constraint"]](free)
        other, other_bound = q.figures(q.plan_of("-f", q.write("free.json", free)))[:2]
        low, high = max(0, bound - min(other, cost)), max(0, cost - other_bound)
        if placed:  # else a price is about fewer pods than this plan
            assert abs(price["lowUsdPerHour"] - low) < 1e-9 and abs(price["highUsdPerHour"] - high) < 1e-9, (price, low, high)
            count("prices")
        assert price["lowUsdPerHour"] - 1e-9 <= price["pointUsdPerHour"] <= price["highUsdPerHour"] + 1e-9, price


def placeable(value):
    """Without the workloads that have a pod without a place."""
    plan = q.plan_of("-f", q.write("all.json", value))
    out = {u["pod"].split("/")[1].rsplit("-", 1)[0] for u in plan["unschedulable"]}
    less = copy.deepcopy(value)
    less["items"] = [i for i in less["items"] if i["kind"] != "Deployment" or i["metadata"]["name"] not in out]
    return less


def hold(seed):
    value = random_cluster(seed)
    pods = ["shop/%s-%d" % (i["metadata"]["name"], k) for i in value["items"] if i["kind"] == "Deployment" for k in range(i["spec"]["replicas"])]
    for answer in q.explain(*pods, cluster=q.write("cluster.json", value))["pods"]:
        hold_funnels(answer)
        if answer["verdict"] == "no-place":
            count("pods without a place")
            assert not answer["placeAlone"] or not answer["relaxations"], answer
            hold_relaxations(value, answer)
    hold_prices(placeable(value))
    count("clusters")


def main():
    print("1..%d" % COUNT)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for i in range(COUNT):
            try:
                hold(FIRST + i)
                print("ok %d - seed %d" % (i + 1, FIRST + i))
            except AssertionError as fault:
                failed += 1
                print("not ok %d - seed %d\n# %s" % (i + 1, FIRST + i, str(fault)[:3000].replace("\n", "\n# ")))
            sys.stdout.flush()
        os.chdir("/")
    print("# held: %s" % json.dumps(COUNTS))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
