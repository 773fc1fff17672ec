#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program as scripts and people use it: commands, streams, exit codes, verify, certificates, help, completion. Prints TAP.

  commands.py BINPACK SOURCE_ROOT [NAME...]
"""
import json
import os
import pty
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BINPACK, ROOT = os.path.abspath(sys.argv[1]), sys.argv[2]
HERE = os.path.dirname(os.path.abspath(__file__))
# A cluster that needs no time to solve: one pool, a few sizes, everything fits.
POOL = """apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: p}
spec:
  template:
    spec:
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: c}
      requirements:
      - {key: karpenter.k8s.aws/instance-family, operator: In, values: [m5, c5]}
      - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}
---
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: c}
spec: {role: r, amiSelectorTerms: [{alias: al2023@latest}], subnetSelectorTerms: [{tags: {a: b}}], securityGroupSelectorTerms: [{tags: {a: b}}]}
---
"""


def deployment(name, n, cpu, memory, ns="shop", extra=""):
    return """apiVersion: apps/v1
kind: Deployment
metadata: {name: %s, namespace: %s}
spec:
  replicas: %d
  selector: {matchLabels: {app: %s}}
  template:
    metadata: {labels: {app: %s}}
    spec: {containers: [{name: app, resources: {requests: {cpu: %s, memory: %s%s}}}]}
---
""" % (name, ns, n, name, name, cpu, memory, extra)


SMALL = POOL + deployment("web", 12, "500m", "1Gi") + deployment("cache", 3, "1", "6Gi", ns="data")
UNPLACED = SMALL + deployment("train", 100, "1", "1Gi", ns="ml", extra=", nvidia.com/gpu: 1")
HARD = "".join(deployment("w%d" % i, 40 + 7 * i, "%dm" % (310 + 170 * i), "%dMi" % (900 + 530 * i % 4000)) for i in range(14))
PARTIAL = json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "agent-x", "namespace": "mon", "ownerReferences": [
    {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "u", "controller": True}]},
    "spec": {"nodeName": "gone", "containers": [{"name": "a"}]}, "status": {"phase": "Running"}})
TESTS = {}


def test(function):
    TESTS[function.__name__.replace("_", " ")] = function
    return function


def run(*arguments, stdin=None, code=0, env=None, text=True):
    done = subprocess.run([BINPACK, *arguments], input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                          capture_output=True, timeout=240, env=dict(os.environ, **(env or {})), text=text)
    assert done.returncode == code, "exit %d, expected %d; stderr: %s" % (done.returncode, code, done.stderr[-1500:])
    return done.stdout, done.stderr


def write(name, text):
    with open(name, "w", encoding="utf-8") as out:
        out.write(text)
    return name


def plan_of(*arguments, code=0, **more):
    return json.loads(run("--simulate", *arguments, "-o", "json", code=code, **more)[0])


@test
def pods_beyond_what_their_rules_allow_take_no_search():
    """Fewer zones than minDomains, more replicas than zones: who is left out is known at once. A search takes 8 s and more."""
    def spread(n):
        return ("topologySpreadConstraints: [{maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: DoNotSchedule, "
                "minDomains: %d, labelSelector: {matchLabels: {app: w}}}], " % n)
    apart = ("affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: topology.kubernetes.io/zone, "
             "labelSelector: {matchLabels: {app: w}}}]}}, ")
    for rules, replicas in ((spread(7), 7), (spread(9), 30), (apart, 9)):
        text = deployment("w", replicas, "100m", "1Gi").replace("spec: {containers", "spec: {" + rules + "containers")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        plan = plan_of("-f", write("beyond.yaml", text), code=3)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime - before.ru_utime
        assert plan["totals"]["unplacedPods"] == replicas - 6 and plan["certificate"]["status"] == "optimal", plan["totals"]
        assert seconds < 6, "%d pods take %.1f s" % (replicas, seconds)


@test
def the_ways_to_name_inputs():
    plain = run("--simulate", "-f", "small.yaml", "-o", "json")[0]
    assert run("simulate", "small.yaml", "-o", "json")[0] == plain
    assert run("-f", "small.yaml", "-o", "json")[0] == plain
    assert run("--simulate", "-f", "-", "-o", "json", stdin=SMALL)[0] == plain
    assert run("--simulate", "-o=json", stdin=SMALL)[0] == plain
    os.makedirs("dir", exist_ok=True)
    shutil.copy("small.yaml", "dir/a.yaml")
    assert run("--simulate", "dir", "-o", "json")[0] == plain


@test
def result_on_stdout_and_the_rest_on_stderr():
    out, err = run("--simulate", "-f", "small.yaml")
    assert out.startswith("NODEPOOL") and "TOTAL" in out and "Lower bound" in out, out
    assert "assumed:" in err and "read 4 objects" in err and "assumed" not in out, err
    assert all(len(line) <= 80 for line in out.splitlines()), out
    assert "\x1b" not in out + err
    quiet = run("--simulate", "-f", "small.yaml", "-q")
    assert quiet == (out, ""), quiet[1]


@test
def several_outputs_at_once():
    out, _ = run("--simulate", "-f", "small.yaml", "-o", "csv", "-o", "json=p.json", "-o", "yaml=p.yaml", "-o", "markdown=p.md",
                 "-o", "wide=p.txt", "-o", "nodeclaims=claims.yaml")
    plan = json.load(open("p.json"))
    rows = [line.split(",") for line in out.splitlines()[1:]]
    assert abs(sum(float(r[6] or 0) for r in rows) - plan["totals"]["usdPerHour"]) < 1e-9
    assert sum(int(r[8]) for r in rows) == 15
    assert open("claims.yaml").read().count("kind: NodeClaim") == len(plan["nodes"])
    assert "| Total |" in open("p.md").read() and "shop/web-0" in open("p.txt").read()
    try:
        import yaml
    except ImportError:
        return
    assert yaml.safe_load(open("p.yaml")) == plan


@test
def a_plan_is_whole():
    plan = plan_of("-f", "unplaced.yaml", code=3)
    assert (plan["apiVersion"], plan["kind"]) == ("binpack/v1", "Plan")
    places = [p for n in plan["nodes"] + plan["existing"] for p in n["pods"]] + [u["pod"] for u in plan["unschedulable"]]
    assert len(places) == len(set(places)) == plan["inputs"]["pendingPods"] == 115
    assert abs(sum(n["usdPerHour"] for n in plan["nodes"]) - plan["totals"]["usdPerHour"]) < 1e-9
    assert abs(plan["totals"]["usdPerHour"] * 730 - plan["totals"]["usdPerMonth"]) < 1e-6
    assert plan["certificate"]["lowerBoundUsdPerHour"] <= plan["totals"]["usdPerHour"]
    assert all(u["reasons"] and u["reasons"][0]["code"] for u in plan["unschedulable"])


@test
def alike_unplaced_pods_are_one_line():
    out, _ = run("--simulate", "-f", "unplaced.yaml", code=3)
    assert "100 pods: ml/train-" in out and "and 97 more" in out, out
    assert len(out.splitlines()) < 30, out


@test
def exit_codes():
    run("--simulate", "-f", "unplaced.yaml", code=3)
    run("--simulate", "-f", "small.yaml", "--require-gap=100%")
    run("--simulate", "-f", "bare.yaml", "--strict", code=4)
    run("--simulate", "-f", "small.yaml", "--strict")
    plan = plan_of("-f", "hard.yaml", "--effort=1", "--algorithm=ffd")
    if plan["certificate"]["gap"] > 0:
        _, err = run("--simulate", "-f", "hard.yaml", "--effort=1", "--algorithm=ffd", "--require-gap=0", code=5)
        assert "--require-gap" in err
    run("verify", code=2)
    listed = run("catalog", "list")[0].splitlines()
    assert all(len(line) <= 80 for line in listed) and any(line.endswith(" 8 nvidia") for line in listed), max(listed, key=len)
    run("catalog", code=2)
    run("help", "nonsense", code=2)
    run("completion", "tcsh", code=2)


@test
def the_same_bytes_twice():
    first = run("--simulate", "-f", "hard.yaml", "-o", "json", "--effort=1")[0]
    assert run("--simulate", "-f", "hard.yaml", "-o", "json", "--effort=1", "--threads=1")[0] == first


@test
def what_the_recording_lacks():
    plan = plan_of("-f", "small.yaml", "-f", "partial.json", "--mode=provision")
    notes = {a["code"]: a["message"] for a in plan["assumptions"]}
    assert "mon/agent" in notes["DAEMONSETS_MISSING"], notes
    assert "gone" in notes["NODES_MISSING"], notes
    run("--simulate", "-f", "small.yaml", "-f", "partial.json", "--strict", code=4)
    assert "DAEMONSETS_MISSING" not in {a["code"] for a in plan_of("-f", "small.yaml")["assumptions"]}


@test
def explain_says_where_and_why():
    plan = plan_of("-f", "small.yaml")
    place = {pod: node for node in plan["nodes"] for pod in node["pods"]}
    out, _ = run("explain", "shop/web-0", "-f", "small.yaml", "-o", "json")
    pod = json.loads(out)["pods"][0]
    assert pod["verdict"] == "new-node" and pod["node"] == place["shop/web-0"]["name"], pod
    assert pod["requests"] == {"cpu": "500m", "memory": "1Gi", "pods": "1"}, pod
    # The funnel, counted from the catalogue alone: on demand, two families, half a processor and a gibibyte.
    catalog = json.loads(run("catalog", "list", "-o", "json")[0])["instanceTypes"]
    sold = lambda t, od: any(o["available"] and (not od or o["capacityType"] == "on-demand") for o in t["offerings"])
    family = lambda t: t["labels"].get("karpenter.k8s.aws/instance-family") in ("m5", "c5")
    fits = lambda t: milli(t["allocatable"]["cpu"]) >= 500 and mebi(t["allocatable"]["memory"]) >= 1024
    steps = {s["rule"]: s["instanceTypes"] for s in pod["nodePools"][0]["steps"]}
    assert steps["catalog"] == sum(sold(t, False) for t in catalog), steps
    assert steps["nodePool"] == sum(sold(t, True) and family(t) for t in catalog), steps
    assert steps["resources"] == steps["limits"] == sum(sold(t, True) and family(t) and fits(t) for t in catalog), steps
    left = list(steps.values())
    assert left == sorted(left, reverse=True), steps
    cheapest = min(o["usdPerHour"] for t in catalog if family(t) and fits(t) for o in t["offerings"]
                   if o["available"] and o["capacityType"] == "on-demand")
    assert pod["nodePools"][0]["cheapest"][0]["usdPerHour"] == cheapest, pod["nodePools"][0]["cheapest"]


def milli(text):
    return int(text[:-1]) if text.endswith("m") else 1000 * int(text)


def mebi(text):
    return int(text[:-2]) * {"Ki": 1 / 1024, "Mi": 1, "Gi": 1024, "Ti": 1 << 20}[text[-2:]]


@test
def explain_of_pods_without_a_place_and_without_need():
    out, _ = run("--explain", "train-0", "--explain=ml/train-1", "-f", "unplaced.yaml", code=3)
    assert "No place" in out and "nvidia.com/gpu" in out and "room for the pod" in out, out
    assert out.count("INSTANCE TYPES LEFT") == 2, out
    run("explain", "shop/web-0", "-f", "unplaced.yaml")  # others without a place do not matter
    out, _ = run("explain", "agent-x", "-f", "small.yaml", "-f", "partial.json", "--mode=provision")
    assert "No need" in out and "bound to node gone" in out, out


@test
def explain_with_wrong_words():
    assert "shop/web-0" in run("explain", "web", "-f", "small.yaml", code=1)[1]
    assert "which pods" in run("explain", "-f", "small.yaml", code=2)[1]
    assert "must be table" in run("explain", "web-0", "-f", "small.yaml", "-o", "csv", code=2)[1]
    assert "names nothing" in run("explain", "node/", "-f", "small.yaml", code=2)[1]
    assert 'no node "n"' in run("explain", "node/n", "-f", "small.yaml", code=1)[1]
    running = os.path.join(ROOT, "examples", "running")
    assert "did you mean ip-10-0-1-12.ec2.internal?" in run("explain", "node/ip-10-0-1-12", "-f", running, code=1)[1]
    assert "--mode=disrupt" in run("explain", "node/n", "-f", "small.yaml", "--mode=repack", code=2)[1]


@test
def conditions_for_scripts():
    plan = plan_of("-f", "small.yaml")["totals"]
    cost, nodes = plan["usdPerMonth"], plan["newNodes"]
    for condition, holds in [("usd_per_month > %g" % (cost - 1), True), ("usdPerMonth>%g" % (cost + 1), False), ("new_nodes == %d" % nodes, True),
                             ("newNodes != %d" % nodes, False), ("unplaced > 0", False), ("unplaced_pods <= 0", True),
                             ("gap >= 100%", False), ("gap < 1", True), ("spot_nodes > 0", False)]:
        _, err = run("--simulate", "-f", "small.yaml", "--fail-if", condition, code=6 if holds else 0)
        assert ("--fail-if: " + condition in err) == holds, (condition, err)
    _, err = run("--simulate", "-f", "unplaced.yaml", "--fail-if=unplaced > 0", "--fail-if", "new_nodes > 1e6", code=6)
    assert "it is 100" in err and "1e6" not in err, err
    for wrong in ["cost > 5", "gap", "gap > ", "gap > 2", "gap ~ 3", "usd_per_month > lots", "> 3", "usdpermonth > 3"]:
        assert "--fail-if" in run("--simulate", "-f", "small.yaml", "--fail-if", wrong, code=2)[1]


@test
def a_broken_manifest_passes_no_gate():
    bad = write("broken.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: neg}\nspec: {containers: [{name: a, image: a, "
                'resources: {requests: {cpu: "-1"}}}]}\n')
    for words, code in (((), 0), (("--fail-if=usd_per_month > 100",), 6), (("--require-gap=1%",), 5), (("--strict", "--fail-if=new_nodes > 5"), 4)):
        for form in ("table", "markdown"):
            out, err = run("--simulate", "-f", bad, "-q", "-o", form, *words, code=code)
            assert "Left out" in out and "1 object of the input left out as broken: Pod default/neg" in " ".join(out.split()), out
            assert all(w.split("=")[0] + ": " in err for w in words), err
    assert 'Left out' in run("diff", "small.yaml", bad, "-q")[0] and "leftOut" in json.loads(run("diff", bad, bad, "-q", "-o", "json")[0])["after"]
    for name in ("neg", "default/neg"):
        err = run("explain", name, "-f", bad, "-q", code=1)[1]
        assert "pod %s was left out of the input as broken" % name in err and '"-1"' in err, err
    assert "no pod" in run("explain", "other/neg", "-f", bad, "-q", code=1)[1]


@test
def zones_that_the_catalogue_lacks():
    subnets = lambda *zones: {"apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": {"name": "c"}, "spec": {
        "role": "r", "amiSelectorTerms": [{"alias": "al2023@latest"}], "subnetSelectorTerms": [{"tags": {"a": "b"}}],
        "securityGroupSelectorTerms": [{"tags": {"a": "b"}}]}, "status": {"subnets": [{"id": "s-%d" % i, "zone": z} for i, z in enumerate(zones)]}}
    def planned(*zones, code=0):
        with open("class.json", "w") as f:
            json.dump(subnets(*zones), f)
        return run("--simulate", "-f", "small.yaml", "-f", "class.json", "-o", "json", code=code)
    out, err = planned("us-east-1a", "us-east-1x")
    assert {n["zone"] for n in json.loads(out)["nodes"]} == {"us-east-1a"}
    assert "us-east-1x, where the catalogue offers nothing" in err, err
    for zones in [("us-east-1x",), ("us-east-1a", "eu-west-1a")]:
        err = planned(*zones, code=1)[1]
        assert "is not in the catalogue" in err and re.search("binpack catalog refresh --region [a-z]+-[a-z]+-[0-9] makes it", err), err


@test
def capacity_buffers_are_planned_and_checked():
    write("buffer.yaml", """apiVersion: v1
kind: PodTemplate
metadata: {name: room, namespace: shop}
template: {spec: {containers: [{name: c, image: x, resources: {requests: {cpu: "1", memory: 1Gi}}}]}}
---
apiVersion: autoscaling.x-k8s.io/v1alpha1
kind: CapacityBuffer
metadata: {name: spare, namespace: shop}
spec: {replicas: 3, podTemplateRef: {name: room}}
status: {replicas: 3, podTemplateRef: {name: room}, conditions: [{type: ReadyForProvisioning, status: "True"}]}
""")
    plan = plan_of("-f", "small.yaml", "-f", "buffer.yaml")
    pods = [p for n in plan["nodes"] for p in n["pods"]]
    assert {"shop/capacity-buffer-spare-%d" % i for i in range(3)} <= set(pods) and len(pods) == 18, pods
    off = plan_of("-f", "small.yaml", "-f", "buffer.yaml", "--feature-gates=CapacityBuffer=false")
    assert off["inputs"]["pendingPods"] == 15


@test
def small_slips_are_said():
    assert 'no namespace "shpo"' in run("--simulate", "-f", "small.yaml", "-n", "shpo", code=1)[1]
    assert "no pod of the input" in run("--simulate", "-f", "small.yaml", "-l", "nosuch=1")[1]
    assert "no pod of the input" not in run("--simulate", "-f", "small.yaml", "-n", "shop")[1]
    assert "both go to x.json" in run("--simulate", "-f", "small.yaml", "-o", "json=x.json", "--certificate=x.json", code=2)[1]
    assert "US dollars" in run("--simulate", "-f", "small.yaml", "--move-cost=-1", code=2)[1]
    run("--simulate", "-f", "small.yaml", "--move-cost=5")
    assert run("help", "--mode")[0] == run("help", "mode")[0]
    # A gate that was asked for is heard although pods are unplaced.
    gap = plan_of("-f", "unplaced.yaml", "--algorithm=ffd", code=3)["certificate"]["gap"]
    assert gap > 0
    assert "--require-gap" in run("--simulate", "-f", "unplaced.yaml", "--algorithm=ffd", "--require-gap=0", code=5)[1]


@test
def certificates_of_plans_that_went_down_a_step():
    # The NodePool of the highest weight has too little for all; what overflows is another class of the same pods.
    light = POOL.split("---\n", 1)[0].replace("{name: p}", "{name: heavy}").replace("spec:\n", "spec:\n  weight: 50\n  limits: {cpu: \"4\"}\n", 1)
    write("tiers.yaml", SMALL + light)
    run("--simulate", "-f", "tiers.yaml", "-o", "json=t.json", "--certificate=t.cert")
    with open("t.json") as f:
        assert {n["nodePool"] for n in json.load(f)["nodes"]} == {"p", "heavy"}
    out, _ = run("verify", "t.json", "-f", "tiers.yaml", "--certificate=t.cert")
    assert "The bound holds" in out, out


@test
def namespace_and_selector():
    assert plan_of("-f", "small.yaml", "-n", "data")["inputs"]["pendingPods"] == 3
    assert plan_of("-f", "small.yaml", "-l", "app in (web),app!=cache")["inputs"]["pendingPods"] == 12
    assert plan_of("-f", "small.yaml", "-l", "!app")["inputs"]["pendingPods"] == 0
    _, err = run("--simulate", "-f", "small.yaml", "-l", "app=(", code=2)
    assert "--selector" in err


@test
def expand_never():
    assert plan_of("-f", "small.yaml", "--expand=never")["inputs"]["pendingPods"] == 0


@test
def the_built_in_pool():
    _, err = run("--simulate", "-f", "bare.yaml")
    assert 'NodePool "default"' in err, err
    out, _ = run("--simulate", "-f", "bare.yaml", "-o", "snapshot")
    assert "kind: NodePool" in out and "kind: EC2NodeClass" in out and "name: web-11" in out
    _, err = run("--simulate", "-f", "classonly.yaml", code=3)
    assert "no NodePool" in err


@test
def a_snapshot_gives_the_same_plan():
    plan = plan_of("-f", "unplaced.yaml", code=3)
    run("--simulate", "-f", "unplaced.yaml", "-o", "snapshot=s.yaml")
    again = plan_of("-f", "s.yaml", code=3)
    assert plan["nodes"] == again["nodes"] and plan["certificate"] == again["certificate"]
    assert run("--simulate", "-f", "s.yaml", "-o", "snapshot")[0] == open("s.yaml").read()


@test
def verify_and_certificate():
    run("--simulate", "-f", "unplaced.yaml", "-o", "json=v.json", "--certificate=v.cert", code=3)
    out, _ = run("verify", "v.json", "-f", "unplaced.yaml", "--certificate", "v.cert")
    assert "The plan holds" in out and "The bound holds" in out
    assert "not looked at" in run("verify", "v.json", "unplaced.yaml")[0]
    done = subprocess.run([sys.executable, os.path.join(HERE, "check_certificate.py"), "v.cert"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    _, err = run("verify", "v.json", "-f", "small.yaml", code=1)
    assert "is not in the input" in err


SPREAD = """, topologySpreadConstraints: [
      {maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: %s}}}]}
---
"""


def spread(name, n):
    """Small pods: without the rule one node would do, so only branches prove what their zones cost."""
    return deployment(name, n, "100m", "128Mi").rsplit("}", 1)[0] + SPREAD % name


@test
def a_certificate_knows_the_rules_of_groups():
    write("zones.yaml", POOL + spread("api", 4) + spread("web", 5))
    run("--simulate", "-f", "zones.yaml", "-o", "json=z.json", "--certificate=z.cert")
    certificate = json.load(open("z.cert"))
    leaves = [b for b in certificate["branches"] if "duals" in b]
    assert leaves and not json.load(open("z.json"))["certificate"]["relaxed"]
    check = [sys.executable, os.path.join(HERE, "check_certificate.py")]

    def holds(name, good, words):
        done = subprocess.run(check + [name], capture_output=True, text=True)
        assert (done.returncode == 0) == good, done.stdout + done.stderr
        out, err = run("verify", "z.json", "-f", "zones.yaml", "--certificate", name, code=0 if good else 1)
        assert words in out + err, out + err

    def forge(change, words="certificate"):
        copy = json.loads(json.dumps(certificate))
        change(copy)
        write("forged.cert", json.dumps(copy))
        holds("forged.cert", False, words)

    def leaf_without_plan(c):
        c["branches"][c["branches"].index(leaves[0])] = {}

    def dearer(c):
        for leaf in c["branches"]:
            leaf["duals"] = [x * 5 // 4 for x in leaf.get("duals", [])]

    holds("z.cert", True, "The bound holds")
    racks = POOL.replace("      - {key: karpenter.sh/capacity-type", "      - {key: example.com/rack, operator: In, values: [r1, r2, r3]}\n"
                         "      - {key: karpenter.sh/capacity-type")
    write("racks.yaml", racks + spread("api", 4).replace("topology.kubernetes.io/zone", "example.com/rack"))
    run("--simulate", "-f", "racks.yaml", "-o", "json=r.json", "--certificate=r.cert")
    assert "The bound holds" in run("verify", "r.json", "-f", "racks.yaml", "--certificate", "r.cert")[0]
    forge(leaf_without_plan)
    forge(dearer, "" if len(leaves) < len(certificate["branches"]) else "certificate")
    forge(lambda c: c["branches"].pop())
    forge(lambda c: c["branches"][c["branches"].index(leaves[0])]["rows"].append({"group": 0, "value": 9, "dual": 1}))
    forge(lambda c: c["branches"][c["branches"].index(leaves[0])]["duals"].pop(), "elements")


@test
def verify_refuses_mutants():
    run("--simulate", "-f", "small.yaml", "-o", "json=m.json", "--certificate=m.cert")
    plan, certificate = json.load(open("m.json")), json.load(open("m.cert"))

    def mutant(change, words):
        copy = json.loads(json.dumps(plan))
        change(copy)
        write("mutant.json", json.dumps(copy))
        _, err = run("verify", "mutant.json", "-f", "small.yaml", code=1)
        assert words in err, err

    def forge(change, words):
        copy = json.loads(json.dumps(certificate))
        change(copy)
        write("mutant.cert", json.dumps(copy))
        _, err = run("verify", "m.json", "-f", "small.yaml", "--certificate", "mutant.cert", code=1)
        assert words in err, err
        if words == "certificate":
            done = subprocess.run([sys.executable, os.path.join(HERE, "check_certificate.py"), "mutant.cert"], capture_output=True)
            assert done.returncode != 0

    def dearer(c):
        for x in c["classes"]:
            x["dual"] = x["dual"] * 5 // 4
        c["lowerBoundUsdPerHour"] = round(c["lowerBoundUsdPerHour"] * 1.25, 9)

    mutant(lambda p: p["nodes"][0]["pods"].pop(), "")
    mutant(lambda p: p["nodes"][0].update(instanceType="m5.large", instanceTypeOptions=["m5.large"]), "")
    mutant(lambda p: p["nodes"][0].update(usdPerHour=0.0001), "nodes cost")
    mutant(lambda p: p["nodes"][0]["pods"].append(p["nodes"][-1]["pods"][-1]), "in two places")
    mutant(lambda p: p["nodes"][0].update(capacityType="spot"), "")
    mutant(lambda p: p["certificate"].update(lowerBoundUsdPerHour=1e6), "above totals.usdPerHour")
    mutant(lambda p: p["certificate"].update(gap=0.5), "certificate.gap")
    mutant(lambda p: p["totals"].update(usdPerMonth=1), "totals.usdPerMonth")
    mutant(lambda p: p["totals"].update(newNodes=77), "totals.newNodes")
    mutant(lambda p: p["inputs"].update(pendingPods=1), "inputs.pendingPods")
    forge(dearer, "certificate")
    forge(lambda c: c["classes"][0]["pods"].__setitem__(0, "shop/other"), "but the input gives")
    forge(lambda c: c["offerings"].pop(), "elements, but the input gives")
    forge(lambda c: c.update(lowerBoundUsdPerHour=c["lowerBoundUsdPerHour"] / 2), "bound")


@test
def a_reader_that_goes_away_is_no_error():
    done = subprocess.run(["/bin/sh", "-c", "%s --simulate -f unplaced.yaml -o json -q | head -c 10; exit 0" % BINPACK],
                          capture_output=True, text=True)
    assert done.stderr == "", done.stderr


@test
def a_full_disk_is_an_error():
    if not os.path.exists("/dev/full"):
        return
    with open("/dev/full", "w") as full:
        done = subprocess.run([BINPACK, "--simulate", "-f", "small.yaml", "-q"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "standard output" in done.stderr, done.stderr


@test
def an_interrupt_prints_the_best_plan():
    for number in (signal.SIGINT, signal.SIGHUP):
        interrupted_by(number)


def interrupted_by(number):
    p = subprocess.Popen([BINPACK, "--simulate", "-f", "hard.yaml", "--effort=5", "--gap=0", "-o", "json"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True,
                         preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))  # under nohup a hang-up is ignored, and inherited so
    time.sleep(0.7)
    p.send_signal(number)
    out, err = p.communicate(timeout=240)
    if p.returncode != 130:                  # it was done, or had not begun, before the signal came
        assert p.returncode in (0, -number), err
        return
    assert not out and "before there was a plan" in err or json.loads(out)["certificate"]["status"] == "stopped", err


@test
def a_time_limit():
    begun = time.time()
    plan = plan_of("-f", "hard.yaml", "--effort=5", "--gap=0", "--time-limit=300ms")
    assert time.time() - begun < 60 and plan["certificate"]["status"] in ("stopped", "optimal")


@test
def timings():
    out, err = run("--simulate", "-f", "small.yaml", "--timings", "-q")
    assert "timing phase=read ms=" in err and "timing phase=total" in err and "timing point" in err and "timing" not in out


def on_terminal(arguments, env=None, columns=80):
    """What the program writes when all its streams are a terminal."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update({"TERM": "xterm-256color", "COLUMNS": str(columns), **(env or {})})
        os.execv(BINPACK, [BINPACK] + arguments)
    out = b""
    while True:
        try:
            block = os.read(fd, 65536)
        except OSError:
            break
        if not block:
            break
        out += block
    return out.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@test
def on_a_terminal():
    out, code = on_terminal([])
    assert code == 2 and "Examples" in out and "nothing to read" in out, out
    assert "\x1b[1m" in on_terminal(["--simulate", "-f", "small.yaml"])[0]
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in on_terminal(["--simulate", "-f", "small.yaml"], env)[0]
    assert "\x1b" not in on_terminal(["--simulate", "-f", "small.yaml", "--color=never", "--progress=never"])[0]
    assert "\x1b[1m" in run("--simulate", "-f", "small.yaml", "--color=always")[0]


def interrupted_at_terminal(*arguments):
    """What stands on the terminal after Ctrl-C, which is pressed when the line of progress has shown a cost, a bound and a gap."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update({"TERM": "xterm-256color", "COLUMNS": "80"})
        os.execv(BINPACK, [BINPACK, *arguments, "-f", "hard.yaml", "--effort=5", "--gap=0"])
    out, pressed = b"", False
    while True:
        try:
            block = os.read(fd, 65536)
        except OSError:
            block = b""
        if not block:
            break
        out += block
        if not pressed and re.search(rb"\$[0-9.,]+/h, at least \$[0-9.,]+/h, gap [0-9.]+%, \d+ s", out):
            os.write(fd, b"\x03")
            pressed = True
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(fd)
    assert pressed and code == 130, (arguments, pressed, code, out[-500:])
    return out.decode()


@test
def every_long_command_shows_progress_and_ends_with_the_best_so_far():
    for arguments, text in ((("--simulate",), "The search was stopped"), (("explain", "shop/w3-0"), "INSTANCE TYPES LEFT"),
                            (("compare", "--with", "on-demand"), "Stopped before: on-demand"),
                            (("compare", "--price-constraints"), "Stopped before: the price of"),
                            (("diff", "small.yaml", "unplaced.yaml"), "interrupted before there was a plan")):
        out = interrupted_at_terminal(*arguments)
        assert text in out, (arguments, out[-2000:])
        lines = re.findall(r"\r([^\r\n]*at least[^\r\n]*)", out)
        assert lines and max(len(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line)) for line in lines) < 80, repr(lines)


@test
def a_second_interrupt_ends_at_once():
    p = subprocess.Popen([BINPACK, "--simulate", "-f", "hard.yaml", "--effort=5", "--gap=0", "--progress=always"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, preexec_fn=lambda: [signal.signal(s, signal.SIG_DFL) for s in (signal.SIGINT, signal.SIGTERM)])
    seen = b""
    while b"at least" not in seen:
        seen += os.read(p.stderr.fileno(), 4096)
    for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):      # both wait when it goes on
        p.send_signal(number)
    out, _ = p.communicate(timeout=240)
    assert not out and p.returncode in (130, -signal.SIGINT, -signal.SIGTERM), (p.returncode, out)


@test
def catalog_commands():
    out, _ = run("catalog", "list")
    assert out.startswith("TYPE") and len(out.splitlines()) > 1000
    document = json.loads(run("catalog", "list", "-o", "json")[0])
    assert document["kind"] == "Catalog" and len(document["instanceTypes"]) == len(out.splitlines()) - 1
    assert "m5.large" in run("catalog", "show", "m5.large")[0]
    assert json.loads(run("catalog", "show", "m5.large", "-o", "json")[0])["name"] == "m5.large"
    _, err = run("catalog", "show", "m5.lagre", code=1)
    assert "m5.large" in err, err
    assert " 0 faults" in run("catalog", "verify")[0]
    _, err = run("catalog", "refrsh", code=2)
    assert "did you mean refresh" in err, err
    _, err = run("catalog", "refresh", "--catalog", "x.json", code=1)
    assert "reads no --catalog" in err, err
    write("catalog.json", json.dumps(document))
    here = plan_of("-f", "small.yaml", "--catalog", "catalog.json")
    assert here["totals"] == plan_of("-f", "small.yaml")["totals"]


@test
def catalog_sorts_quantities_and_counts_volumes():
    for column in ("cpu", "memory"):
        out, _ = run("catalog", "list", "--sort-by", column, "--columns", column, "--no-headers")
        scale = {"m": 0.001, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Ki": 2**10, "": 1}
        amounts = [float(a) * scale[b] for a, b in re.findall(r"^ *([0-9.]+)(\w*)$", out, re.M)]
        assert len(amounts) > 1000 and amounts == sorted(amounts, reverse=True), amounts[:20]
    left = json.loads(run("catalog", "show", "m5.large", "-o", "json")[0])["attachLimits"]["ebs.csi.aws.com"]
    assert re.search(r"ebs.csi.aws.com +%d of 27, shared" % left, run("catalog", "show", "m5.large")[0])
    both, _ = run("catalog", "show", "m5.large", "m5.xlarge")
    assert "m5.large  amd64" in both and "m5.xlarge  amd64" in both, both


@test
def wrong_command_lines_say_so():
    plan = ("--simulate", "-f", "small.yaml")
    for line, why in ((("validate", "-f", "small.yaml", "-o", "csv"), "validate prints table, json or yaml, not csv"),
                      (("catalog", "list", "-o", "csv"), "catalog prints table, json or yaml, not csv"),
                      (("catalog", "show"), "which instance type"),
                      (("catalog", "list", "m5.large"), "takes no argument"),
                      (("compare", "-f", "small.yaml", "--mode=disrupt", "--with", "on-demand"), "only plans that place pods"),
                      ((*plan, "--default-spread=foo"), "--default-spread"),
                      ((*plan, "--max-per-pool=0"), "above 0% and at most 100%"),
                      ((*plan, "--max-per-pool=200%"), "above 0% and at most 100%"),
                      ((*plan, "--spot-max=101%"), "from 0% to 100%"),
                      ((*plan, "--gap=101%"), "from 0% to 100%"),
                      ((*plan, "--fail-if", "usd_per_month > 1%"), "only gap is compared with a percentage"),
                      ((*plan, "--columns=type,type"), "named twice"),
                      (("compare", "-f", "small.yaml", "--with", "max-per-pool=0%"), "not above 0%"),
                      (("completion", "bash", "zsh"), '"zsh" is one more'),
                      (("help", "explain", "nodes"), '"nodes" is one more')):
        out, err = run(*line, code=2)
        assert why in err and not out, (line, out, err)
    assert run("catalog", "list", "--help")[0].count("csv") == 0 and "csv" in run("simulate", "--help")[0]
    assert "\n\n\n" not in run("version", "--help")[0]


@test
def what_can_be_seen_early_is_said_early():
    """Nothing has been read when these are refused: the input is not there."""
    os.makedirs("folder", exist_ok=True)
    for words, why in ((("-o", "json=nowhere/plan.json"), "nowhere/plan.json: cannot write"), (("-o", "csv=folder"), "folder: cannot write"),
                       (("--certificate=nowhere/c",), "nowhere/c: cannot write"), (("--catalog=nowhere.json",), "nowhere.json: cannot read"),
                       (("--simulate", "-o", "table", "-o", "yaml=nowhere/p"), "nowhere/p: cannot write")):
        err = run("--simulate", "-f", "not-there.yaml", *words, code=1)[1]
        assert why in err and "not-there" not in err, err
    err = run("compare", "-f", "not-there.yaml", "--with", "on-demand", "--with", "nodepools=nowhere.yaml", code=1)[1]
    assert "--with nodepools=nowhere.yaml: nowhere.yaml: cannot read" in err, err
    run("--simulate", "-f", "small.yaml", "-q", "-o", "json=folder/p.json", "-o", "csv=/dev/null")


@test
def no_bound_is_not_called_a_proof():
    out, _ = run("--simulate", "-f", "small.yaml", "--algorithm=ffd")
    assert "none yet" in out and "proven" not in out, out
    assert "none yet" not in run("--simulate", "-f", "small.yaml")[0]


@test
def pods_without_requests_are_counted():
    bare = SMALL + deployment("bare", 4, "0", "0")
    out, _ = run("--simulate", "-f", "-", stdin=bare)
    assert "4 of 19 pods request neither CPU nor memory" in out, out
    notes = plan_of("-f", "-", stdin=bare)["assumptions"]
    assert [n["message"][:7] for n in notes if n["code"] == "PODS_WITHOUT_REQUESTS"] == ["4 of 19"], notes
    assert "PODS_WITHOUT_REQUESTS" not in [n["code"] for n in plan_of("-f", "small.yaml")["assumptions"]]


@test
def validate():
    assert "0 faults" in run("validate", "-f", "small.yaml")[0]
    bad = POOL.replace("operator: In, values: [m5, c5]", "operator: Like, values: [m5]") + deployment("web", 1, "-2", "1Gi")
    out, _ = run("validate", stdin=bad, code=1)
    assert "Like" in out and "cpu" in out and "2 faults" in out, out
    faults = json.loads(run("validate", "-o", "json", stdin=bad, code=1)[0])["faults"]
    assert [f["kind"] for f in faults] == ["NodePool", "Deployment"] and faults[0]["path"].endswith("requirements[0].operator")
    later = POOL.replace("values: [m5, c5]", "values: [m5, 'c 5']")
    assert "an API server takes it, Karpenter does not" in run("validate", stdin=later, code=1)[0]
    assert [f["acceptedByServer"] for f in json.loads(run("validate", "-o", "json", stdin=later, code=1)[0])["faults"]] == [True]
    # No server takes such a name, whatever else is wrong; a schedule that cannot be read is seen before a budget is ever asked for.
    faults = json.loads(run("validate", "-o", "json", stdin=later.replace("name: p", "name: UPPER", 1), code=1)[0])["faults"]
    assert sorted((f["path"], f["acceptedByServer"]) for f in faults)[0] == ("metadata.name", False) and len(faults) == 2, faults
    for metadata, accepted in (("{}", False), ("{name: p, labels: {b c: d}}", False), ("{name: 5}", False), ("{generateName: p}", True)):
        faults = json.loads(run("validate", "-o", "json", stdin=POOL.replace("{name: p}", metadata, 1), code=1)[0])["faults"]
        assert [f["acceptedByServer"] for f in faults] == [accepted], faults
    night = POOL.replace("spec:\n", "spec:\n  disruption: {consolidateAfter: 0s, budgets: [{nodes: '0', schedule: 0 25 * * *, duration: 8h}]}\n", 1)
    out = run("validate", stdin=night, code=1)[0]
    assert "spec.disruption.budgets[0].schedule: " in out and '"25"' in out and ": 1 fault" in out, out
    assert "0 faults" in run("validate", stdin=night.replace("0 25", "0 22"))[0]


@test
def documentation_is_up_to_date():
    assert run("help", "markdown")[0] == open(os.path.join(ROOT, "docs/cli.md"), encoding="utf-8").read(), \
        "docs/cli.md: run `binpack help markdown > docs/cli.md`"


@test
def the_man_page_is_clean():
    write("binpack.1", run("help", "man")[0])
    if shutil.which("mandoc"):
        done = subprocess.run(["mandoc", "-T", "lint", "binpack.1"], capture_output=True, text=True)
        assert done.returncode == 0 and not done.stdout.strip(), done.stdout


@test
def bash_completes():
    write("c.bash", run("completion", "bash")[0])

    def complete(*words):
        script = "source c.bash; COMP_WORDS=(%s); COMP_CWORD=%d; _binpack; printf '%%s\\n' \"${COMPREPLY[@]}\"" % (
            " ".join("'%s'" % w for w in words), len(words) - 1)
        return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split()

    assert complete("binpack", "ver") == ["verify", "version"]
    assert complete("binpack", "--simulate", "--pref") == ["--preference-policy"]
    assert complete("binpack", "simulate", "--mode", "=", "re") == ["repack"]
    assert complete("binpack", "simulate", "-o", "j") == ["json"]
    assert "--require-gap" not in complete("binpack", "verify", "--")
    assert complete("binpack", "catalog", "s") == ["show"]
    assert complete("binpack", "catalog", "r") == ["refresh"]
    assert complete("binpack", "catalog", "refresh", "--reg") == ["--region"]
    assert complete("binpack", "--simulate", "-f", "small") == ["small.yaml"]
    for shell in ("zsh", "fish"):
        script = write("c." + shell, run("completion", shell)[0])
        if shutil.which(shell):
            subprocess.run([shell, "-n", script], check=True)


def main():
    chosen = [n for n in TESTS if not sys.argv[3:] or n in sys.argv[3:]]
    bad = 0
    print("1..%d" % len(chosen))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write("small.yaml", SMALL)
        write("unplaced.yaml", UNPLACED)
        write("partial.json", PARTIAL)
        write("bare.yaml", deployment("web", 12, "500m", "1Gi"))
        write("classonly.yaml", POOL.split("---\n")[1] + "---\n" + deployment("web", 1, "500m", "1Gi"))
        write("hard.yaml", POOL.replace("[m5, c5]", "[m5, c5, r5, m6i, c6i, r6i, m7i]") + HARD)
        for number, name in enumerate(chosen, 1):
            try:
                TESTS[name]()
                print("ok %d - %s" % (number, name))
            except Exception as fault:           # reported, and the next one is run
                bad += 1
                text = "%s: %s" % (type(fault).__name__, fault)
                line = fault.__traceback__.tb_next.tb_lineno if fault.__traceback__.tb_next else 0
                print("not ok %d - %s\n# line %d: %s" % (number, name, line, text[:2000].replace("\n", "\n# ")))
            sys.stdout.flush()
        os.chdir("/")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
