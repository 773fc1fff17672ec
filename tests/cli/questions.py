#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people ask of a cluster: what-if, compare, prices of rules, diff, explain. Each answer is held against a plan for an input that this script has edited by itself.
Prints TAP.

  questions.py BINPACK SOURCE_ROOT [NAME...]
"""
import copy
import json
import os
import signal
import subprocess
import sys
import tempfile

BINPACK, ROOT = os.path.abspath(sys.argv[1]), sys.argv[2]
SHOP = os.path.join(ROOT, "examples", "shop")
# Plans are held against plans of the same effort, over a few families of the catalogue.
QUICK = ("--effort=1",)
FAMILIES = ("m5", "c6a", "m7g", "c7a")
NOW = "2026-08-20T00:00:00Z"
TESTS, CATALOG = {}, {}


def test(function):
    TESTS[function.__name__.replace("_", " ")] = function
    return function


def run(*arguments, code=0):
    done = subprocess.run([BINPACK, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=240, text=True)
    codes = code if isinstance(code, tuple) else (code,)
    assert done.returncode in codes, "%s: exit %d, expected %s; stderr: %s" % (arguments, done.returncode, codes, done.stderr[-1500:])
    return done.stdout, done.stderr


def quick(*arguments):
    if "--catalog" in arguments or SHOP in arguments:
        return QUICK
    return (*QUICK, "--catalog", edited_catalog("small-catalog.json", lambda kind, offering: None, again=False))


def plan_of(*arguments, code=(0, 3)):
    plan = json.loads(run("--simulate", *arguments, *quick(*arguments), "-o", "json", code=code)[0])
    plan["assumptions"] = [a for a in plan["assumptions"] if a["code"] != "WHAT_IF"]
    return plan


def write(name, value):
    with open(name, "w", encoding="utf-8") as out:
        json.dump(value, out)
    return name


def objects(*more):
    return {"apiVersion": "v1", "kind": "List", "items": list(more)}


def pod(name, node=None, cpu="500m", owner="ReplicaSet", owner_name="web-5d4f", created=NOW, **spec):
    value = {"apiVersion": "v1", "kind": "Pod",
             "metadata": {"name": name, "namespace": "shop", "labels": {"app": "web"}, "creationTimestamp": created,
                          "ownerReferences": [{"apiVersion": "apps/v1", "kind": owner, "name": owner_name, "uid": owner_name,
                                               "controller": True}]},
             "spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": cpu, "memory": "512Mi"}}}], **spec},
             "status": {"phase": "Running" if node else "Pending"}}
    if node:
        value["spec"]["nodeName"] = node
        value["status"]["conditions"] = [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}]
    else:
        value["status"]["conditions"] = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]
    return value


def node(name, zone="us-east-1a"):
    room = {"cpu": "3920m", "memory": "14Gi", "pods": "58"}
    return {"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": {
                "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone, "node.kubernetes.io/instance-type": "m5.xlarge",
                "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux", "karpenter.sh/capacity-type": "on-demand",
                "karpenter.sh/nodepool": "default", "karpenter.sh/initialized": "true", "karpenter.sh/registered": "true"}},
            "spec": {"providerID": "aws:///%s/i-%s" % (zone, name)},
            "status": {"capacity": room, "allocatable": room, "conditions": [{"type": "Ready", "status": "True"}]}}


POOL = [{"apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": {"name": "c"},
         "spec": {"role": "r", "amiSelectorTerms": [{"alias": "al2023@latest"}], "subnetSelectorTerms": [{"tags": {"a": "b"}}],
                  "securityGroupSelectorTerms": [{"tags": {"a": "b"}}]}},
        {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": "default"},
         "spec": {"template": {"spec": {
             "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "c"},
             "requirements": [{"key": "karpenter.k8s.aws/instance-family", "operator": "In", "values": ["m5", "c6a", "m7g"]},
                              {"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["spot", "on-demand"]},
                              {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64", "arm64"]}]}}}}]
DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
              "spec": {"replicas": 9, "selector": {"matchLabels": {"app": "web"}},
                       "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
                           {"name": "a", "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}}}]}}}}
REPLICASET = {"apiVersion": "apps/v1", "kind": "ReplicaSet",
              "metadata": {"name": "web-5d4f", "namespace": "shop", "ownerReferences": [
                  {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "w", "controller": True}]},
              "spec": {"replicas": 9, "selector": {"matchLabels": {"app": "web"}},
                       "template": copy.deepcopy(DEPLOYMENT["spec"]["template"])}}
PODS = [pod("web-5d4f-%d" % i, ["n1", "n2", "n3"][i % 3], created="2026-08-0%dT00:00:00Z" % (i + 1)) for i in range(9)]
DAEMON = [pod("log-%s" % n, n, owner="DaemonSet", owner_name="log", cpu="100m") for n in ("n1", "n2", "n3")]
NODES = [node("n1"), node("n2", "us-east-1b"), node("n3", "us-east-1b")]
FULL = [pod("big-%d" % i, "n%d" % (i + 1), cpu="2", owner_name="big-77") for i in range(3)]


def cluster(nodes=NODES, pods=PODS + DAEMON + FULL, more=(DEPLOYMENT, REPLICASET)):
    return objects(*POOL, *nodes, *pods, *more)


def waiting(value):
    """The pod as it would be after its node is gone."""
    again = pod(value["metadata"]["name"], cpu=value["spec"]["containers"][0]["resources"]["requests"]["cpu"])
    again["metadata"] = copy.deepcopy(value["metadata"])
    return again


def on(value, *nodes):
    return value["spec"].get("nodeName") in nodes


def is_daemon(value):
    return value["metadata"]["ownerReferences"][0]["kind"] == "DaemonSet"


def without_nodes(*names):
    pods = [waiting(p) if on(p, *names) else p for p in PODS + DAEMON + FULL if not (is_daemon(p) and on(p, *names))]
    return cluster(nodes=[n for n in NODES if n["metadata"]["name"] not in names], pods=pods)


def edited_catalog(name, edit, again=True):
    """A few families of the embedded catalogue, with each offering changed by edit(type, offering)."""
    if again or not os.path.exists(name):
        if not CATALOG:
            CATALOG.update(json.loads(run("catalog", "list", "-o", "json")[0]))
            CATALOG["instanceTypes"] = [t for t in CATALOG["instanceTypes"] if t["name"].split(".")[0] in FAMILIES]
        catalog = copy.deepcopy(CATALOG)
        for kind in catalog["instanceTypes"]:
            for offering in kind["offerings"]:
                edit(kind, offering)
        write(name, catalog)
    return name


def same(a, b):
    """Plans of the same world: everything but the name of the catalogue and what was assumed about prices."""
    for plan in (a, b):
        plan.pop("assumptions")
        plan["inputs"].pop("catalog", None)
    assert a == b, "%s\n%s" % (json.dumps(a)[:3000], json.dumps(b)[:3000])


@test
def a_node_is_gone():
    base, gone = write("base.json", cluster()), write("gone.json", without_nodes("n2"))
    a, b = plan_of("-f", base, "--remove-node=n2"), plan_of("-f", gone, "--now", NOW)
    assert len(b["nodes"]) >= 1 or b["existing"], b
    same(a, b)
    out, err = run("--simulate", "-f", base, "--remove-node", "n2", "--remove-node=n2", code=(0, 3))
    assert "what if: node n2 is gone: 4 pods of it need another place" in err, err
    snapshot = run("--simulate", "-f", base, "--remove-node", "n2", "-o", "snapshot")[0]
    assert "  name: n1\n" in snapshot and "  name: n2\n" not in snapshot and "log-n2" not in snapshot
    err = run("--simulate", "-f", base, "--remove-node", "nope", code=1)[1]
    assert 'remove-node: no node "nope" in the input; there is n1, n2, n3' in err, err


@test
def a_zone_is_down():
    def edit(_, offering):
        if offering["zone"] == "us-east-1b":
            offering["available"] = False
    catalog = edited_catalog("down-catalog.json", edit)
    base, gone = write("base.json", cluster()), write("gone.json", without_nodes("n2", "n3"))
    plan = plan_of("-f", base, "--zone-down", "us-east-1b")
    same(plan, plan_of("-f", gone, "--now", NOW, "--catalog", catalog))
    again = plan_of("-f", base, "--zone-down", "use1-az2")
    assert all(n["zone"] != "us-east-1b" for n in again["nodes"]) and again["nodes"]
    assert 'no zone "mars"; it has us-east-1a' in run("--simulate", "-f", base, "--zone-down", "mars", code=1)[1]


@test
def more_and_fewer_replicas():
    base = write("base.json", cluster())
    more = write("more.json", cluster(pods=PODS + DAEMON + FULL + [pod("web-%d" % i) for i in range(11)]))
    same(plan_of("-f", base, "--scale", "shop/web=20"), plan_of("-f", more))
    snapshot = run("--simulate", "-f", base, "--scale", "Deployment/shop/web=4", "-o", "snapshot")[0]
    left = sorted(line.split()[-1] for line in snapshot.splitlines() if line.strip().startswith("name: web-5d4f-"))
    assert left == ["web-5d4f-%d" % i for i in range(4)], left
    for words, text in ((("--scale", "shop/nope=1"), 'no workload "shop/nope"'), (("--scale", "shop/web"), "not NAMESPACE/NAME=N"),
                        (("--scale", "shop/web=-1"), "not NAMESPACE/NAME=N"), (("--scale", "shop/web=9999999"), "at most")):
        assert text in run("--simulate", "-f", base, *words, code=(1, 2))[1]


@test
def a_stateful_set_grows_with_its_claims():
    plan = plan_of("-f", SHOP, "--scale", "data/orders-db=5")
    names = [p for n in plan["nodes"] for p in n["pods"]] + [u["pod"] for u in plan["unschedulable"]]
    assert {"data/orders-db-%d" % i for i in range(5)} <= set(names), names
    snapshot = run("--simulate", "-f", SHOP, "--scale", "data/orders-db=5", "-o", "snapshot")[0]
    assert "name: data-orders-db-3" in snapshot and "name: data-orders-db-4" in snapshot


@test
def what_can_be_bought():
    base = write("wait.json", cluster(pods=PODS + DAEMON + FULL + [pod("more-%02d" % i, owner_name="more-1") for i in range(40)]))
    rows = (
        (("--no-spot",), lambda t, o: o["capacityType"] == "spot"),
        (("--deny-type", "c6a.*", "--deny-type", "m7g.xlarge"), lambda t, o: t["name"].startswith("c6a.") or t["name"] == "m7g.xlarge"),
        (("--unavailable", "c6a.*:us-east-1a:spot", "--unavailable=*:us-east-1c:*"),
         lambda t, o: (t["name"].startswith("c6a.") and o["zone"] == "us-east-1a" and o["capacityType"] == "spot")
         or o["zone"] == "us-east-1c"),
    )
    free = plan_of("-f", base)
    for flags, gone in rows:
        def edit(kind, offering):
            if gone(kind, offering):
                offering["available"] = False
        plan = plan_of("-f", base, *flags)
        same(plan, plan_of("-f", base, "--catalog", edited_catalog("edited.json", edit)))
        assert plan["totals"]["usdPerHour"] >= free["certificate"]["lowerBoundUsdPerHour"] - 1e-9
        bought = [({"name": n["instanceType"]}, n) for n in plan["nodes"]]
        assert bought and not any(gone(t, n) for t, n in bought), flags
    for words, text in ((("--deny-type", "m5.larg"), 'no instance type of the catalogue is "m5.larg"'),
                        (("--unavailable", "m5.large:us-east-1a:free"), "not TYPE:ZONE:CAPACITY_TYPE"),
                        (("--unavailable", "m5.large:us-east-1a"), "not TYPE:ZONE:CAPACITY_TYPE")):
        assert text in run("--simulate", "-f", base, *words, code=(1, 2))[1]


@test
def other_prices():
    base = write("wait.json", cluster(pods=PODS + DAEMON + FULL + [pod("more-%02d" % i, owner_name="more-1") for i in range(40)]))

    def nano(price):
        return round(price * 10 ** 9)

    def adjust(kind, offering):
        price = nano(offering["usdPerHour"])
        if kind["name"].split(".")[0] in ("m7g", "c6a") and offering["capacityType"] == "spot":
            price = price * 720000 // 1000000
        offering["usdPerHour"] = (price + 20000000) / 1e9

    flags = ("--price-adjust", "family in (m7g,c6a),capacity-type=spot: -28%", "--node-surcharge", "0.02")
    same(plan_of("-f", base, *flags), plan_of("-f", base, "--catalog", edited_catalog("priced.json", adjust)))
    for words, text in ((("--price-adjust", "family in (m7g: -28%"), "is no condition"), (("--price-adjust", "-28%"), "not SELECTOR: PERCENT"),
                        (("--price-adjust", "*: cheap"), "not SELECTOR: PERCENT"), (("--price-adjust", "*: -101%"), "not SELECTOR: PERCENT"),
                        (("--price-adjust", "family=nope: 1%"), "no instance type"), (("--price-adjust", "zone=nowhere: 1%"), 'has no zone "nowhere"; it has us-east-1a'), (("--price-adjust", "foo=bar: -10%"), 'has a label "foo"; short names are family'), (("--node-surcharge", "-1"), "US dollars")):
        assert text in run("--simulate", "-f", base, *words, code=(1, 2))[1], words


# ---- compare ----

def small(*extra, **pool):
    """A cluster without nodes: a few rules of each family, quick to solve to the end."""
    items = copy.deepcopy(POOL)
    spec = items[1]["spec"]
    spec["template"]["spec"]["requirements"][0]["values"] = ["c6a", "m7g"]
    spec["template"]["spec"]["requirements"].append(
        {"key": "karpenter.k8s.aws/instance-cpu", "operator": "Lt", "values": ["9"]})
    spec.update(pool)
    return objects(*items, *extra)


def workload(name, n, cpu, memory, kind="Deployment", **spec):
    labels = {"app": name}
    ports = spec.pop("ports", None)
    container = {"name": "a", "resources": {"requests": {"cpu": cpu, "memory": memory}}}
    if ports:
        container["ports"] = ports
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "shop"},
            "spec": {"replicas": n, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": {"containers": [container], **spec}}}}


HOSTNAME = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "lock"}}}
RULES = small(
    workload("plain", 5, "900m", "2Gi"),
    workload("lock", 4, "200m", "256Mi", affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [HOSTNAME]}}),
    workload("wide", 3, "1", "1Gi", topologySpreadConstraints=[{
        "maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "wide"}}}]),
    workload("steady", 2, "500m", "1Gi", nodeSelector={"karpenter.sh/capacity-type": "on-demand"}),
    workload("port", 2, "100m", "128Mi", ports=[{"containerPort": 80, "hostPort": 80}]),
    workload("amd", 3, "700m", "1Gi", nodeSelector={"kubernetes.io/arch": "amd64"}),
    workload("log", 1, "150m", "200Mi", kind="DaemonSet"))


def pod_specs(value):
    return [i["spec"]["template"]["spec"] for i in value["items"] if i["kind"] in ("Deployment", "DaemonSet")]


def drop_label(value, test, pools=True):
    for spec in pod_specs(value):
        spec["nodeSelector"] = {k: v for k, v in spec.get("nodeSelector", {}).items() if not test(k)}
    for item in value["items"]:
        if item["kind"] == "NodePool" and pools:
            template = item["spec"]["template"]["spec"]
            template["requirements"] = [r for r in template["requirements"] if not test(r["key"])]


def drop_anti_affinity(value):
    for spec in pod_specs(value):
        spec.pop("affinity", None)


def drop_spread(value):
    for spec in pod_specs(value):
        spec.pop("topologySpreadConstraints", None)


def drop_ports(value):
    for spec in pod_specs(value):
        for container in spec["containers"]:
            container.pop("ports", None)


def drop_daemons(value):
    value["items"] = [i for i in value["items"] if i["kind"] != "DaemonSet"]


DROPS = {
    "antiaffinity": drop_anti_affinity, "spread": drop_spread, "hostports": drop_ports, "daemonsets": drop_daemons,
    "arch": lambda v: drop_label(v, lambda k: k == "kubernetes.io/arch"),
    "capacitytype": lambda v: drop_label(v, lambda k: k == "karpenter.sh/capacity-type"),
    "instancetypes": lambda v: drop_label(v, lambda k: k.startswith("karpenter.k8s.aws/instance-")),
}


def compare(*arguments, code=(0, 3)):
    return json.loads(run("compare", *arguments, *quick(*arguments), "-o", "json", code=code)[0])


def figures(plan):
    return (plan["totals"]["usdPerHour"], plan["certificate"]["lowerBoundUsdPerHour"], len(plan["nodes"]), len(plan["unschedulable"]))


def row_figures(row):
    return (row["usdPerHour"], row["lowerBoundUsdPerHour"], row["newNodes"], row["unplacedPods"])


@test
def scenarios_are_plans():
    base = write("rules.json", RULES)
    spread_free, pools = copy.deepcopy(RULES), copy.deepcopy(RULES)
    drop_spread(spread_free)
    pools["items"][1]["spec"]["template"]["spec"]["requirements"][0]["values"] = ["c7a"]
    write("pools.json", objects(pools["items"][1]))

    def only(kind, offering):
        if offering["zone"] not in ("us-east-1a", "us-east-1c"):
            offering["available"] = False
    rows = {
        "on-demand": ("-f", base, "--no-spot"),
        "karpenter": ("-f", base, "--algorithm=karpenter"),
        "zones=us-east-1a,use1-az4": ("-f", base, "--catalog", edited_catalog("zones.json", only)),
        "no-spread": ("-f", write("free.json", spread_free)),
        "scale=shop/plain=9": ("-f", base, "--scale", "shop/plain=9"),
        "deny-type=c6a.*": ("-f", base, "--deny-type=c6a.*"),
        "price-adjust=family in (m7g): -50%": ("-f", base, "--price-adjust", "family in (m7g): -50%"),
        "nodepools=pools.json": ("-f", write("other.json", pools)),
        "min-pools=3": ("-f", base, "--min-pools=3"),
        "cluster-autoscaler": ("-f", base, "--algorithm=cluster-autoscaler"),
    }
    value = compare("-f", base, *(w for name in rows for w in ("--with", name)))
    assert [r["name"] for r in value["scenarios"]] == list(rows) and value["base"]["name"] == "base"
    assert row_figures(value["base"]) == figures(plan_of("-f", base))
    for row in value["scenarios"]:
        assert row.get("failure") is None, row
        assert row_figures(row) == figures(plan_of(*rows[row["name"]])), row
        assert row["emulated"] == (row["name"] in ("karpenter", "cluster-autoscaler"))
        assert abs(row["differenceUsdPerHour"] - (row["usdPerHour"] - value["base"]["usdPerHour"])) < 1e-9
    families = compare("-f", base, "--with", "families<=1")["scenarios"][0]
    assert "only families " in families["notes"][0], families
    name = families["notes"][0].split()[2]
    assert row_figures(families) == row_figures(compare("-f", base, "--with", "families=" + name)["scenarios"][0])


@test
def a_search_cut_short_settles_nothing():
    """--time-limit: what stands in a node's way whatever a round allows is certain, what only the search says is not."""
    running = os.path.join(ROOT, "examples", "running")
    names = ["node/ip-10-0-%s.ec2.internal" % n for n in ("1-12", "1-11", "3-32")]
    whole = json.loads(run("explain", *names, "-f", running, "-o", "json")[0])["nodes"]
    assert [n["verdict"] for n in whole] == ["goes", "stays", "goes"] and not any("unsettled" in n for n in whole), whole
    cut = json.loads(run("explain", *names, "-f", running, "--time-limit=1ms", "-o", "json")[0])["nodes"]
    for node in cut:
        assert node["verdict"] == "goes" or (node["unsettled"] and "withoutBlockers" not in node), node
    assert "Pdb prevents" in cut[1]["blockers"][0]["message"] and any(n["verdict"] == "stays" for n in (cut[0], cut[2])), cut
    out = " ".join(run("explain", *names, "-f", running, "--time-limit=1ms")[0].split())
    assert "Without this it might go: the search was stopped" in out and "Unsettled the search was stopped before its end" in out, out
    disrupt = ("--simulate", "--mode=disrupt", "-f", running)
    assert json.loads(run(*disrupt, "--time-limit=1ms", "-o", "json")[0])["disruption"]["unsettled"] is True
    assert "unsettled" not in json.loads(run(*disrupt, "-o", "json")[0])["disruption"]
    assert "Unsettled the search was stopped before its end" in " ".join(run(*disrupt, "--time-limit=1ms")[0].split())
    # Pods left out by a search that was cut short may have a place: no plan of the others is "optimal" then.
    anti = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{
        "topologyKey": "topology.kubernetes.io/zone", "labelSelector": {"matchLabels": {"tier": "x"}}}]}}
    rows = [workload("w%d" % i, 3, "%dm" % (300 + 10 * i), "1Gi", affinity=anti) for i in range(12)]
    for row in rows:
        row["spec"]["template"]["metadata"]["labels"]["tier"] = "x" if row["metadata"]["name"] in ("w0", "w1") else "y"
    cluster_file = write("apart.json", small(*rows))
    plan = json.loads(run("--simulate", "-f", cluster_file, *quick(), "--time-limit=1ms", "-o", "json", code=(0, 3))[0])
    left = [u for u in plan["unschedulable"] if u["reasons"][0]["code"] in ("POD_RULES", "NO_PLACE_FOUND", "NO_ORDER_FOUND")]
    assert left and plan["certificate"]["status"] == "stopped", plan["certificate"]


@test
def requests_from_observed_usage():
    before, after = copy.deepcopy(RULES), copy.deepcopy(RULES)
    for value in (before, after):
        value["items"].append(workload("capped", 4, "500m", "512Mi"))
        container = value["items"][-1]["spec"]["template"]["spec"]["containers"][0]
        container["resources"]["limits"] = {"cpu": "1", "memory": "1Gi"}
    with open("usage.csv", "w", encoding="utf-8") as out:
        out.write("p50,resource,pod,namespace,container,p95\r\n"
                  '1m,cpu,plain-*,shop,a,"0.3331"\n9,cpu,plain-*,*,*,9\n,memory,plain-*,shop,a,\n2,memory,lock-*,s*p,*,300Mi\n'
                  "\n7,cpu,capped-*,shop,a,7\n7,memory,capped-*,shop,a,734003200.5\n1,cpu,wide-*,other,a,1\n1,cpu,wide-*,shop,b,1\n")
    for item in after["items"]:
        name = item["metadata"]["name"]
        if item["kind"] != "Deployment":
            continue
        requests = item["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
        requests.update({"plain": {"cpu": "334m"}, "lock": {"memory": "300Mi"}, "capped": {"cpu": "1", "memory": "734003201"}}.get(name, {}))
    row = compare("-f", write("before.json", before), "--with", "requests=p95:usage.csv")["scenarios"][0]
    with open("usage.csv", encoding="utf-8") as plain, open("marked.csv", "w", encoding="utf-8-sig", newline="") as marked:
        marked.write(plain.read())
    open("blank.csv", "w", encoding="utf-8").close()
    assert compare("-f", "before.json", "--with", "requests=p95:marked.csv")["scenarios"][0]["usdPerHour"] == row["usdPerHour"]
    assert row_figures(row) == row_figures(compare("-f", write("after.json", after))["base"]), row
    assert "requests of 13 of 23 pods are the p95 of usage.csv" in row["notes"][0], row
    other = compare("-f", "before.json", "--with", "requests=p50:usage.csv")["scenarios"][0]
    assert row_figures(other) != row_figures(row), other
    for words, text, code in (("requests=usage.csv", "not COLUMN:FILE", 2), ("requests=p99:usage.csv", 'no column "p99", only p50,resource', 1),
                              ("requests=p95:none.csv", "none.csv: cannot read", 1), ("requests=p95:short.csv", "line 3: not 5 cells", 1),
                              ("requests=p95:disk.csv", 'line 2: resource: "disk" is not cpu', 1), ("requests=p95:less.csv", 'line 2: "-1" is below zero', 1),
                              ("requests=p95:nobody.csv", "names no container", 1), ("requests=p95:blank.csv", "line 1: there is no heading, such as namespace,pod,container,resource,p95", 1)):
        for name, rows in (("short", "shop,a,a,cpu,1\nshop,a\n"), ("disk", "shop,a,a,disk,1\n"), ("less", "shop,a,a,cpu,-1\n"), ("nobody", "shop,a,a,cpu,1\n")):
            with open(name + ".csv", "w", encoding="utf-8") as out:
                out.write("namespace,pod,container,resource,p95\n" + rows)
        out, err = run("compare", *quick(), "-f", "before.json", "--with", words, code=code)
        assert text in err and not out, (words, err)


@test
def the_matrix_on_a_terminal():
    base = write("rules.json", RULES)
    out, err = run("compare", *quick(), "-f", base, "--with", "karpenter", "--with", "on-demand", "--with", "ffd")
    assert all(len(line) <= 80 for line in out.splitlines()), out
    lines = out.splitlines()
    assert lines[0].split()[:4] == ["SCENARIO", "NODES", "$/H", "$/MO"] and lines[1].startswith("base "), out
    scaled = run("compare", *quick(), "-f", base, "--with", "cluster-autoscaler")[0]
    assert "emulated: an imitation of the Cluster Autoscaler" in " ".join(scaled.split()), scaled
    refused = run("simulate", *quick(), "-f", base, "--mode=disrupt", "--algorithm=cluster-autoscaler", code=1)[1]
    assert "only its scale-up is imitated" in refused, refused
    assert "emulated: an imitation of Karpenter" in out and "assumed:" in err and "Karpenter would" not in out
    default = run("compare", "-f", base)[0]
    assert [line.split()[0] for line in default.splitlines()[:4]] == ["SCENARIO", "base", "karpenter", "on-demand"]
    assert run("compare", *quick(), "-f", base, "--with", "on-demand", "--exit-code", code=7)[0]
    run("compare", *quick(), "-f", base, "--with", "deny-type=m5.24xlarge", "--exit-code")
    for spec, why in (("zones=mars", 'zones: the catalogue has no zone "mars"'), ("remove-node=nope", 'no node "nope"')):
        out, err = run("compare", *quick(), "-f", base, "--with", "on-demand", "--with", spec, "--exit-code", code=1)
        assert "--with %s: " % spec in err and why in err and not out, (out, err)
    out, err = run("compare", *quick(), "-f", base, "--min-pools=2", "--with", "karpenter", "--with", "on-demand", code=1)
    assert "--with karpenter: " in err and "no plan: --algorithm=karpenter: it knows nothing like" in " ".join(out.split()) and "on-demand" in out, (out, err)
    markdown = run("compare", *quick(), "-f", base, "--with", "no-spread", "--price-constraints", "-o", "markdown")[0]
    assert markdown.startswith("| SCENARIO | NODES |") and "| pod anti-affinity |" in markdown, markdown
    few = run("compare", *quick(), "-f", write("batch.json", small(workload("w", 3, "1", "1Gi", nodeSelector={"karpenter.sh/capacity-type": "spot"}))),
              "--with", "on-demand")[0]
    assert "3 pods fewer have a place" in few, few
    for words, text in ((("--with", "no-antiafinity"), "did you mean no-antiaffinity?"),
                        (("--with", "families<=0"), "not a number from 1"), (("--with", "spot-max=200%"), "not a percentage"),
                        (("--with", "no-rules"), "is no scenario"), (("--with", "zones="), "not a list"), (("-o", "csv"), "must be one of")):
        assert text in run("compare", *quick(), "-f", base, *words, code=2)[1], words
    assert "only plans that place pods" in run("compare", *quick(), "-f", base, "--mode=disrupt", code=2)[1]


@test
def an_interrupted_comparison_says_what_it_left():
    p = subprocess.Popen([BINPACK, "compare", "-f", write("rules.json", RULES), "--effort=5", "--gap=0", "--price-constraints", "--with", "ffd", "-o", "table"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, err = p.communicate(timeout=0.5)
    except subprocess.TimeoutExpired:
        p.send_signal(signal.SIGTERM)
        out, err = p.communicate(timeout=240)
    assert "none of the rules" not in out, out
    if p.returncode == 130 and out:          # else it was done, or had no plan, before the signal came
        assert "Stopped before: " in out and "stopped before: " in err, (out, err)


@test
def prices_of_rules_lie_within_separate_solves():
    base = write("rules.json", RULES)
    value = compare("-f", base, "--price-constraints")
    assert value["scenarios"] == []
    cost, bound = row_figures(value["base"])[:2]
    prices = {p["constraint"]: p for p in value["constraints"]}
    assert set(prices) == set(DROPS), prices
    everything = copy.deepcopy(RULES)
    for name, price in prices.items():
        free = copy.deepcopy(RULES)
        DROPS[name](free)
        DROPS[name](everything)
        other, other_bound = figures(plan_of("-f", write("free.json", free)))[:2]
        low, high = max(0, bound - min(other, cost)), cost - other_bound
        assert abs(price["lowUsdPerHour"] - low) < 1e-9 and abs(price["highUsdPerHour"] - high) < 1e-9, (price, low, high)
        assert low - 1e-9 <= price["pointUsdPerHour"] <= high + 1e-9 and price["foundIn"] > 0, price
    assert any(p["lowUsdPerHour"] > 0 for p in prices.values()), prices
    points = [p["pointUsdPerHour"] for p in value["constraints"]]
    assert points == sorted(points, reverse=True)
    other, other_bound = figures(plan_of("-f", write("free.json", everything)))[:2]
    together = value["allConstraints"]
    assert max(0, bound - other) - 1e-9 <= together["pointUsdPerHour"] <= cost - other_bound + 1e-9
    assert "none of the rules" in run("compare", *quick(), "-f", write("none.json", objects(
        workload("plain", 2, "900m", "2Gi"), {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": "p"}, "spec": {
            "template": {"spec": {"nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "c"}, "requirements": []}}}},
        POOL[0])), "--price-constraints")[0]


# ---- explain ----

def explain(*pods, cluster, code=(0, 3)):
    return json.loads(run("explain", *pods, "-f", cluster, *quick(), "-o", "json", code=code)[0])


def apply(value, change, name, fix):
    """The cluster with one change that `explain` proposed."""
    pool = next((i for i in value["items"] if i["kind"] == "NodePool" and i["metadata"]["name"] == fix.get("nodePool")), None)
    spec = next(i["spec"]["template"]["spec"] for i in value["items"] if i["metadata"]["name"] == name)
    if change == "dropNodeSelector":
        spec.get("nodeSelector", {}).pop(fix["key"], None)
        node = spec.get("affinity", {}).get("nodeAffinity", {}).get("requiredDuringSchedulingIgnoredDuringExecution", {})
        for term in node.get("nodeSelectorTerms", []):
            term["matchExpressions"] = [e for e in term["matchExpressions"] if e["key"] != fix["key"]]
            if not term["matchExpressions"]:
                del spec["affinity"]["nodeAffinity"]
    elif change == "dropRules":
        {"spread": lambda: spec.pop("topologySpreadConstraints"), "affinity": lambda: spec["affinity"].pop("podAffinity"),
         "antiaffinity": lambda: spec["affinity"].pop("podAntiAffinity"), "hostports": lambda: spec["containers"][0].pop("ports")}[fix["key"]]()
    elif change == "tolerateTaints":
        spec["tolerations"] = [{"key": t["key"], "value": t.get("value"), "effect": t["effect"]} for t in pool["spec"]["template"]["spec"]["taints"]]
    elif change == "allowValue":
        next(r for r in pool["spec"]["template"]["spec"]["requirements"] if r["key"] == fix["key"] and r["operator"] == "In")["values"].append(fix["value"])
    elif change == "dropRequirement":
        template = pool["spec"]["template"]["spec"]
        template["requirements"] = [r for r in template["requirements"] if r["key"] != fix["key"]]
    elif change == "lowerRequest":
        spec["containers"][0]["resources"]["requests"][fix["resource"]] = fix["atMost"]
    elif change == "raiseLimits":
        del pool["spec"]["limits"]
    else:
        raise AssertionError("unknown change " + change)


def stuck():
    """Pods that have no place, each for a reason of its own, and what is expected to help."""
    batch = copy.deepcopy(POOL[1])
    batch["metadata"]["name"] = "batch"
    batch["spec"]["template"]["spec"]["taints"] = [{"key": "work", "value": "batch", "effect": "NoSchedule"}]
    batch["spec"]["template"]["spec"]["requirements"][0]["values"] = ["m7g"]
    batch["spec"]["limits"] = {"cpu": "20"}
    zone = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["us-east-9z"]}]}]}}}
    follow = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "topology.kubernetes.io/zone", "labelSelector": {"matchLabels": {"app": "nobody"}}}]}}
    tolerant = [{"key": "work", "operator": "Exists"}]
    cluster = small(
        batch,
        workload("typo", 1, "1", "1Gi", nodeSelector={"karpenter.sh/capacity-type": "ondemand"}),
        workload("follow", 1, "1", "1Gi", affinity=follow),
        workload("big", 1, "20", "16Gi"),
        workload("fat", 1, "1", "200Gi"),
        workload("amd", 1, "1", "1Gi", nodeSelector={"karpenter.k8s.aws/instance-family": "c7a"}),
        workload("limit", 1, "25", "8Gi", nodeSelector={"karpenter.sh/nodepool": "batch"}, tolerations=tolerant),
        workload("taint", 1, "1", "1Gi", nodeSelector={"karpenter.sh/nodepool": "batch"}),
        workload("both", 1, "1", "1Gi", nodeSelector={"karpenter.sh/nodepool": "batch", "kubernetes.io/arch": "amd64"}),
        workload("zone", 1, "1", "1Gi", affinity=zone))
    expected = {"typo": "dropNodeSelector", "follow": "dropRules", "big": "lowerRequest", "fat": "lowerRequest", "amd": "allowValue",
                "limit": "raiseLimits", "taint": "tolerateTaints", "zone": "dropNodeSelector"}
    return cluster, expected


@test
def every_relaxation_admits_its_pod():
    value, expected = stuck()
    names = [i["metadata"]["name"] for i in value["items"] if i["kind"] == "Deployment"]
    answers = explain(*("shop/%s-0" % n for n in names), cluster=write("stuck.json", value))["pods"]
    n = 0
    for name, answer in zip(names, answers):
        assert answer["verdict"] == "no-place" and not answer["placeAlone"], answer
        assert "marginalUsdPerHour" not in answer, answer
        changes = [(fix["change"], fix.get("also")) for fix in answer["relaxations"]]
        assert name not in expected or expected[name] in [c for c, also in changes if also is None], (name, answer["relaxations"])
        assert len(changes) == len(answer["relaxations"]) <= 4 and changes, answer
        for fix in answer["relaxations"]:
            fixed = copy.deepcopy(value)
            for change in filter(None, (fix["change"], fix.get("also"))):
                apply(fixed, change, name, fix)
            again = explain("shop/%s-0" % name, cluster=write("fixed.json", fixed))["pods"][0]
            assert again["verdict"] == "new-node", (name, fix, again)
            n += 1
    assert n >= len(names) + 5, n
    # The price of one more: not where a spread decides where it goes.
    one = {a["pod"]: a for a in explain("shop/plain-0", "shop/wide-0", cluster=write("rules.json", RULES))["pods"]}
    assert one["shop/plain-0"]["marginalUsdPerHour"] > 0 and "marginalUsdPerHour" not in one["shop/wide-0"], one
    for pod, said in (("plain", True), ("wide", False)):
        assert ("one more like it" in " ".join(run("explain", "shop/%s-0" % pod, "-f", "rules.json", *quick())[0].split())) == said
    # More effort is no help where a search that went to its end proved nothing.
    pair = {k: {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "torn"}}}]}
            for k in ("podAffinity", "podAntiAffinity")}
    out = " ".join(run("--simulate", "-f", write("torn.json", small(workload("torn", 2, "1", "1Gi", affinity=pair))), *quick(), code=3)[0].split())
    assert "Lower bound none: the search went to its end" in out and "--algorithm" not in out, out
    out = " ".join(run("explain", "shop/taint-0", "-f", "stuck.json", *quick(), code=3)[0].split())
    assert "Would help" in out and "let the pod tolerate work=batch of NodePool batch (m7g.large" in out, out


@test
def a_pod_in_the_way_of_others():
    value = small(workload("one", 2, "6", "8Gi"), limits={"cpu": "9"})
    answers = explain("shop/one-0", "shop/one-1", cluster=write("full.json", value))["pods"]
    without = [a for a in answers if a["verdict"] == "no-place"]
    assert len(without) == 1 and without[0]["placeAlone"] and without[0]["relaxations"] == [], answers
    assert "on an empty cluster it has a place" in " ".join(run("explain", without[0]["pod"], "-f", "full.json", *quick(), code=3)[0].split())
    full = copy.deepcopy(cluster(pods=[pod("small", cpu="100m")], more=()))
    answer = explain("shop/small", cluster=write("room.json", full), code=0)["pods"][0]
    assert answer["verdict"] == "running-node" and answer["runningNodesThatWouldTakeIt"] == 3, answer
    assert "kube-scheduler will place it there" in " ".join(run("explain", "shop/small", "-f", "room.json", *quick())[0].split())


@test
def funnels_add_up():
    value, _ = stuck()
    catalog = json.load(open(quick()[-1]))
    offered = sum(any(o["available"] for o in t["offerings"]) for t in catalog["instanceTypes"])
    names = ["shop/%s-0" % i["metadata"]["name"] for i in value["items"] if i["kind"] == "Deployment"]
    n = 0
    for cluster_file, pods in ((write("stuck.json", value), names), (write("rules.json", RULES), ["shop/lock-0", "shop/amd-0", "shop/steady-0"])):
        for answer in explain(*pods, cluster=cluster_file)["pods"]:
            for funnel in answer["nodePools"]:
                for key in ("instanceTypes", "offerings"):
                    counts = [step[key] for step in funnel["steps"]]
                    assert counts == sorted(counts, reverse=True), (answer["pod"], counts)
                assert funnel["steps"][0]["instanceTypes"] == offered, funnel
                assert all(s["instanceTypes"] <= s["offerings"] and (s["instanceTypes"] == 0) == (s["offerings"] == 0) for s in funnel["steps"])
                left = funnel["steps"][-1]["instanceTypes"]
                assert len(funnel["cheapest"]) == min(left, 5), funnel
                prices = [c["usdPerHour"] for c in funnel["cheapest"]]
                assert prices == sorted(prices)
                n += 1
            left = sum(f["steps"][-1]["instanceTypes"] for f in answer["nodePools"])
            assert answer["verdict"] != "new-node" or left > 0, answer
    assert n > 20, n


@test
def what_a_node_pool_may_buy():
    catalog = json.load(open(quick()[-1]))
    base = write("rules.json", RULES)
    answer = json.loads(run("explain", "nodepool/default", "-f", base, *quick(), "-o", "json")[0])["nodePools"][0]
    plan = plan_of("-f", base)
    assert (answer["newNodes"], answer["pods"]) == (len(plan["nodes"]), 19) and abs(answer["usdPerHour"] - plan["totals"]["usdPerHour"]) < 1e-9
    left = {(t["name"], o["zone"], o["capacityType"]): o["usdPerHour"] for t in catalog["instanceTypes"] for o in t["offerings"] if o["available"]}
    cpus = {t["name"]: t["vcpu"] for t in catalog["instanceTypes"]}
    counts = [len(left)]
    for keep in (lambda k: k[0].split(".")[0] in ("c6a", "m7g"), lambda k: k[2] in ("spot", "on-demand"), lambda k: True, lambda k: cpus[k[0]] < 9,
                 lambda k: True):
        left = {k: v for k, v in left.items() if keep(k)}
        counts.append(len(left))
    assert [s["offerings"] for s in answer["steps"]] == counts, (answer["steps"], counts)
    assert answer["steps"][-1]["instanceTypes"] == len({k[0] for k in left})
    assert answer["cheapest"][0]["usdPerHour"] == min(left.values())
    out = run("explain", "nodepool/default", "shop/amd-0", "-f", base, *quick())[0]
    assert "Pod          shop/amd-0" in out and "NodePool     default, weight 0" in out and "karpenter.k8s.aws/instance-cpu < 9" in out, out
    assert all(len(line) <= 80 for line in out.splitlines()), out
    assert 'no NodePool "x" in the input; there is default' in run("explain", "nodepool/x", "-f", base, *quick(), code=1)[1]


# ---- tables ----

def rows_of(*arguments, code=0):
    out = run(*arguments, code=code)[0]
    return [line.split() for line in out.split("\n\n")[0].splitlines()]


def money(text):
    return float(text.replace(",", ""))


@test
def the_cost_by_pool_zone_namespace_and_label():
    value = copy.deepcopy(RULES)
    for item, (ns, team) in zip([i for i in value["items"] if i["kind"] == "Deployment"], [("a", "x"), ("a", "y"), ("b", "x"), ("c", None), ("c", "y"), ("b", "x")]):
        item["metadata"]["namespace"] = ns
        if team:
            item["spec"]["template"]["metadata"]["labels"]["team"] = team
    base = write("teams.json", value)
    plan = plan_of("-f", base)
    cost = plan["totals"]["usdPerHour"]
    for by, n_rows in (("pool", 1), ("zone", None), ("namespace", 3), ("label:team", 3), ("label:nobody", 1)):
        rows = rows_of("--simulate", "-f", base, *quick(), "--by", by)
        body, total = rows[1:-1], rows[-1]
        assert n_rows is None or len(body) == n_rows, rows
        assert abs(sum(money(r[5]) for r in body) - cost) < 0.0001 * len(body) and abs(money(total[5]) - cost) < 0.0001, rows
        assert sum(int(r[2]) for r in body) == int(total[2]) == 19, rows
        assert [money(r[5]) for r in body] == sorted((money(r[5]) for r in body), reverse=True)
    zones = {r[0]: (int(r[1]), money(r[5])) for r in rows_of("--simulate", "-f", base, *quick(), "--by", "zone")[1:-1]}
    for zone, (n, price) in zones.items():
        nodes = [x for x in plan["nodes"] if x["zone"] == zone]
        assert len(nodes) == n and abs(sum(x["usdPerHour"] for x in nodes) - price) < 0.0001
    # Node by node, what pods request is what they pay for.
    weights, shares = {"a": 0.0, "b": 0.0, "c": 0.0}, {}
    sizes = {"plain": (0.9, 2), "lock": (0.2, 0.25), "wide": (1, 1), "steady": (0.5, 1), "port": (0.1, 0.125), "amd": (0.7, 1)}
    for node_ in plan["nodes"]:
        parts = [(p.split("/")[0], sum(w * x for w, x in zip((9, 1), sizes[p.split("/")[1].rsplit("-", 1)[0]]))) for p in node_["pods"]]
        for ns, weight in parts:
            weights[ns] += node_["usdPerHour"] * weight / sum(w for _, w in parts)
    shares = {r[0]: money(r[5]) for r in rows_of("--simulate", "-f", base, *quick(), "--by", "namespace")[1:-1]}
    assert all(abs(shares[ns] - weights[ns]) < 0.001 for ns in weights), (shares, weights)
    of_nodes = [len({p.split("/")[0] for p in n["pods"]}) for n in plan["nodes"]]
    shared = sum(n > 1 for n in of_nodes)
    by_namespace = run("--simulate", "-f", base, *quick(), "--by", "namespace")[0]
    assert shared > 0 and "Shared       %d node" % shared in by_namespace, (shared, by_namespace)
    assert "Shared" not in run("--simulate", "-f", base, *quick(), "--by", "zone")[0]
    assert "is not pool, zone" in run("--simulate", "-f", base, "--by", "team", code=2)[1]
    # Of a round of disruption only the mix of nodes is another.
    disrupt = ("--simulate", "-f", os.path.join(ROOT, "examples", "running"), *quick(), "--mode=disrupt", "--now", "2026-07-01T10:00:00Z")
    usual, by_zone = (run(*disrupt, *more)[0] for more in ((), ("--by", "zone")))
    assert usual[usual.index("KEPT "):] == by_zone[by_zone.index("KEPT "):] and ("ACTION " in usual) == ("ACTION " in by_zone), by_zone
    assert "…" not in usual + run(*disrupt, "-o", "wide")[0] and max(map(len, usual.splitlines())) <= 80, usual
    assert "(PodDisruptionBudget=[shop/redis])" in usual, usual      # reasons and names of nodes are whole, in several lines
    os.environ["COLUMNS"] = "200"
    wide = run(*disrupt)[0]
    del os.environ["COLUMNS"]
    assert "…" not in wide and max(map(len, wide.splitlines())) > 80, wide


@test
def columns_order_and_headers():
    base = write("rules.json", RULES)
    full = rows_of("--simulate", "-f", base, *quick())
    some = rows_of("--simulate", "-f", base, *quick(), "--columns", "type,nodes,$/mo")
    assert some[0] == ["TYPE", "NODES", "$/MO"]
    assert [r[0] for r in some[1:-1]] == [r[2] for r in full[1:-1]] and [r[-1] for r in some] == [r[-1] for r in full]
    bare = rows_of("--simulate", "-f", base, *quick(), "--no-headers")
    assert bare == full[1:]
    for flag, reverse in (("$/H", True), ("-$/H", False)):
        rows = rows_of("--simulate", "-f", base, *quick(), "--sort-by", flag, "--columns=$/h,pods", "--no-headers")
        prices = [money(r[0]) for r in rows[:-1]]
        assert prices == sorted(prices, reverse=reverse) and money(rows[-1][0]) >= max(prices), rows
    types = [r[0] for r in rows_of("catalog", "list", "--sort-by=type", "--columns", "type", "--no-headers")]
    assert types == sorted(types) and len(types) > 1000
    rows = rows_of("compare", "-f", base, *quick(), "--with", "on-demand", "--with", "no-spread", "--sort-by", "$/H", "--columns", "scenario,$/h")
    assert rows[1][0] == "base" and [r[0] for r in rows[2:]] == ["on-demand", "no-spread"], rows
    assert 'no column "colour"; there are NODEPOOL' in run("--simulate", "-f", base, *quick(), "--columns", "colour", code=2)[1]
    assert 'no column "-x"' in run("--simulate", "-f", base, *quick(), "--sort-by=-x", code=2)[1]
    # Titles are known before anything is read; those of columns that a table happens not to have are no error.
    for words in (("--simulate", "--columns=colour", "-o", "json"), ("compare", "--sort-by=nodes,"), ("diff", "--columns=zones"),
                  ("--simulate", "--columns=node"), ("--simulate", "--by=zone", "--columns=nodepool")):
        err = run(words[0], "-f", "not-there.json", *words[1:], code=2)[1]
        assert "no column" in err and "not-there" not in err, err
    assert rows_of("--simulate", "-f", base, *quick(), "--columns", "gpu,pods")[0] == ["PODS"]
    assert rows_of("--simulate", "-f", base, *quick(), "--by=label:app", "--columns", "APP")[0] == ["APP"]
    assert 'no column "x"; there are ZONE' in run("catalog", "show", "m5.large", "--columns=zone,x", code=2)[1]
    assert "no column" in run("explain", "shop/plain-0", "-f", base, *quick(), "--columns=nowhere", code=2)[1]


@test
def a_what_if_that_takes_the_last_offering_is_named():
    spot = workload("spot", 2, "1", "1Gi", nodeSelector={"karpenter.sh/capacity-type": "spot"})
    base = write("blame.json", small(spot, workload("any", 2, "1", "1Gi"), workload("typo", 1, "1", "1Gi", nodeSelector={"x": "y"})))
    reasons = {u["pod"]: u["reasons"] for u in plan_of("-f", base, "--no-spot", code=3)["unschedulable"]}
    assert set(reasons) == {"shop/spot-0", "shop/spot-1", "shop/typo-0"}, reasons
    first = reasons["shop/spot-0"][0]
    assert first["code"] == "WHAT_IF" and first["message"].startswith("--no-spot rules it out: without it "), first
    assert "nodePool" not in first and "spot in us-east-1" in first["message"] and reasons["shop/spot-1"][0] == first
    assert all(r["code"] != "WHAT_IF" for r in reasons["shop/typo-0"])
    both = {u["pod"]: u["reasons"] for u in plan_of("-f", base, "--deny-type=*", "--unavailable=m5.*:*:spot", code=3)["unschedulable"]}
    assert "--deny-type=* rules it out" in both["shop/any-0"][0]["message"] and "--unavailable" not in both["shop/any-0"][0]["message"]
    together = {u["pod"]: u["reasons"] for u in plan_of("-f", base, "--deny-type=*", "--unavailable=*:*:*", code=3)["unschedulable"]}
    assert together["shop/any-0"][0]["message"].startswith("--deny-type=* and --unavailable=*:*:* together"), together
    assert "--no-spot rules it out" in run("explain", "shop/spot-0", "-f", base, "--no-spot", *quick(), code=3)[0]


@test
def slips_of_the_keyboard_are_guessed():
    tainted = copy.deepcopy(POOL[1])
    tainted["metadata"]["name"] = "tainted"
    tainted["spec"]["template"]["spec"]["taints"] = [{"key": "dedicated", "value": "ml", "effect": "NoSchedule"}]
    nothing = copy.deepcopy(POOL[1])
    nothing["metadata"]["name"] = "nothing"
    nothing["spec"]["template"]["spec"]["requirements"][0]["values"] = ["m99"]
    cpus = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "karpenter.k8s.aws/instance-cpu", "operator": "Gt", "values": ["500"]}]}]}}}
    key = pod("typo-0", nodeSelector={"karpenter.sh/capacity-typ": "spot"})
    toleration = pod("typo-1", tolerations=[{"key": "dedicate", "operator": "Exists"}])
    gated = pod("gated-0", schedulingGates=[{"name": "wait"}])
    base = write("typos.json", objects(POOL[0], tainted, nothing, key, toleration, pod("many-0", affinity=cpus), gated))
    reasons = {u["pod"]: u["reasons"] for u in plan_of("-f", base, code=3)["unschedulable"]}
    assert "capacity-typ is restricted (did you mean karpenter.sh/capacity-type?)" in reasons["shop/typo-0"][0]["message"], reasons
    assert reasons["shop/typo-1"][0]["message"].endswith("it tolerates dedicate: did you mean dedicated?"), reasons
    assert "`binpack explain nodepool/nothing` shows" in reasons["shop/typo-1"][1]["message"], reasons
    assert " values from 1 to 192" in " ".join(r["message"] for r in reasons["shop/many-0"]), reasons
    assert "shop/gated-0" not in reasons                       # whatever its status says, in every mode
    for mode in ("provision", "repack"):
        plan = plan_of("-f", base, "--mode", mode, code=3)
        assert not any("shop/gated-0" in n["pods"] for n in plan["nodes"]), mode
    assert "m99" in run("explain", "nodepool/nothing", "-f", base, *quick(), code=3)[0]


@test
def words_of_a_changed_world():
    base = write("running.json", cluster())
    today, changed = (run("--simulate", "-f", base, *quick(), *more, code=(0, 3))[0] for more in ((), ("--remove-node=n1",)))
    assert "\nToday        3 nodes cost" in today and "As changed" not in today, today
    assert "\nAs changed   2 nodes cost" in changed and "Today" not in changed, changed


@test
def a_namespace_that_is_nowhere():
    base = write("rules.json", RULES)
    out, err = run("--simulate", "-f", base, *quick(), "-n", "shpo", "-q", code=1)
    assert not out and 'no namespace "shpo"' in err and "did you mean shop?" in err, err
    named = write("named.json", objects(*RULES["items"], {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "empty"}}))
    assert "no pod of the input passes" in run("--simulate", "-f", named, *quick(), "-n", "empty")[1]


# ---- diff ----

def difference(*arguments, code=0):
    return json.loads(run("diff", *arguments, *quick(*arguments), "-o", "json", code=code)[0])


def kinds_of(plan):
    count = {}
    for new in plan["nodes"]:
        key = (new["nodePool"], new["instanceType"], new["zone"], new["capacityType"])
        n, cost = count.get(key, (0, 0))
        count[key] = (n + 1, cost + new["usdPerHour"])
    return count


@test
def two_plans_differ():
    base = write("rules.json", RULES)
    unplaced = workload("huge", 2, "400", "1Gi")
    more = copy.deepcopy(RULES)
    more["items"] = [i for i in more["items"] if i["metadata"]["name"] != "amd"]
    more["items"][2]["spec"]["replicas"] = 8
    write("more.json", more)
    for name, source, code in (("a", base, 0), ("b", "more.json", 0), ("c", write("huge.json", objects(*RULES["items"], unplaced)), 3)):
        run("--simulate", "-f", source, *quick(), "-o", "json=%s.plan" % name, code=code)
    run("--simulate", "-f", "more.json", *quick(), "-o", "yaml=b.yaml")
    a, b = (json.load(open(name)) for name in ("a.plan", "b.plan"))
    value = difference("a.plan", "b.plan")
    assert value["pods"]["new"] == ["shop/plain-5", "shop/plain-6", "shop/plain-7"], value["pods"]
    assert value["pods"]["gone"] == ["shop/amd-0", "shop/amd-1", "shop/amd-2"], value["pods"]
    assert abs(value["differenceUsdPerHour"] - (b["totals"]["usdPerHour"] - a["totals"]["usdPerHour"])) < 1e-9
    old, new = kinds_of(a), kinds_of(b)
    expected = {k: (old.get(k, (0, 0)), new.get(k, (0, 0))) for k in set(old) | set(new) if old.get(k) != new.get(k)}
    assert len(value["nodes"]) == len(expected), (value["nodes"], expected)
    for row in value["nodes"]:
        was, now = expected[(row["nodePool"], row["instanceType"], row["zone"], row["capacityType"])]
        assert (row["before"], row["after"]) == (was[0], now[0]) and abs(row["differenceUsdPerHour"] - (now[1] - was[1])) < 1e-9
        assert row["change"] == ("add" if not was[0] else "remove" if not now[0] else "change")
    assert abs(sum(r["differenceUsdPerHour"] for r in value["nodes"]) - value["differenceUsdPerHour"]) < 1e-9
    # Inputs are planned first; -f belongs to both; YAML is read, too.
    write("pools.json", objects(*RULES["items"][:2]))
    write("left.json", objects(*RULES["items"][2:]))
    write("right.json", objects(*more["items"][2:]))
    for words in (("a.plan", "b.yaml"), (base, "more.json"), ("a.plan", "more.json"), ("left.json", "right.json", "-f", "pools.json")):
        other = difference(*words)
        assert [other[k] for k in ("nodes", "pods", "differenceUsdPerHour")] == [value[k] for k in ("nodes", "pods", "differenceUsdPerHour")]
    back = difference("b.plan", "a.plan")
    assert back["pods"]["new"] == value["pods"]["gone"] and abs(back["differenceUsdPerHour"] + value["differenceUsdPerHour"]) < 1e-9
    page = run("diff", "a.plan", "b.plan", "-o", "markdown")[0]
    month = value["differenceUsdPerMonth"]
    assert page.startswith("**%+.2f $/month**" % month) and page.count("```") == 2 and len(page) < 65536, page
    assert sum(line[:2] in ("+ ", "- ", "~ ") for line in page.splitlines()) == len(value["nodes"]), page
    difference("a.plan", "b.plan", "--exit-code", code=7)
    difference("a.plan", base, "--exit-code")
    assert run("diff", "a.plan", "a.plan", "--exit-code")[0].startswith("No difference")
    out = run("diff", "a.plan", "b.plan")[0]
    assert "3 new pods: shop/plain-5" in out and "3 pods gone: shop/amd-0" in out and "Cost" in out, out
    assert all(len(line) <= 80 for line in out.splitlines()), out
    # A place lost, and won.
    lost = json.load(open("c.plan"))
    placed = copy.deepcopy(lost)
    placed["unschedulable"], placed["existing"] = [], [{"name": "n", "pods": ["shop/huge-0", "shop/huge-1"]}]
    write("placed.plan", {**{"apiVersion": "binpack/v1", "kind": "Plan"}, **placed})
    assert difference("placed.plan", "c.plan")["pods"]["unplaced"] == ["shop/huge-0", "shop/huge-1"]
    assert difference("c.plan", "placed.plan")["pods"]["placed"] == ["shop/huge-0", "shop/huge-1"]
    out = " ".join(run("diff", "placed.plan", "c.plan")[0].split())
    assert "2 pods without a place now: shop/huge-0, shop/huge-1" in out and "requests cpu 400" in out, out
    # The bill of running nodes alone, and rounds of which one deletes and one replaces.
    b["inputs"]["mode"], b["totals"]["existingUsdPerHour"] = "provision", 0.192
    dearer, halved = copy.deepcopy(b), copy.deepcopy(b)
    dearer["totals"]["existingUsdPerHour"], halved["totals"]["existingUsdPerHour"] = 0.48, 0
    for name, plan in (("now", b), ("dearer", dearer), ("halved", halved)):
        write(name + ".plan", plan)
    out = run("diff", "now.plan", "dearer.plan", "--exit-code", code=7)[0]
    assert "No difference" not in out and "Today" in out and "+150.0%" in out and "After" in out, out
    page = run("diff", "now.plan", "halved.plan", "-o", "markdown")[0]
    assert page.startswith("**-140.16 $/month** (-") and "for all nodes, running ones included" in page.splitlines()[0], page
    rounds = [copy.deepcopy(b), copy.deepcopy(b)]
    for round, cost in zip(rounds, (0, 0.096)):
        round.update(nodes=[], existing=[], disruption={"afterUsdPerHour": 0.096})
        round["totals"]["usdPerHour"] = cost
    write("delete.plan", rounds[0])
    write("replace.plan", rounds[1])
    value = difference("delete.plan", "replace.plan", "--exit-code", code=7)
    assert value["before"]["afterUsdPerHour"] == value["after"]["afterUsdPerHour"] == 0.096, value
    assert run("diff", "delete.plan", "replace.plan", "-o", "markdown")[0].startswith("**Cost unchanged** for all nodes"), page
    broken = json.load(open("a.plan"))
    broken["nodes"][0]["usdPerHour"] = "cheap"
    write("broken.plan", broken)
    assert "broken.plan: nodes[0].usdPerHour: expected a number" in run("diff", "a.plan", "broken.plan", code=1)[1]
    assert "two plans or two inputs" in run("diff", "a.plan", code=2)[1]
    assert run("diff", "a.plan", "nothing.json", code=1)[1]


def main():
    wanted = sys.argv[3:]
    tests = {name: f for name, f in TESTS.items() if not wanted or name in wanted}
    print("1..%d" % len(tests))
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for i, (name, function) in enumerate(tests.items(), 1):
            try:
                function()
                print("ok %d - %s" % (i, name))
            except AssertionError as e:
                failed += 1
                print("not ok %d - %s\n# %s" % (i, name, str(e).replace("\n", "\n# ")))
            sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
