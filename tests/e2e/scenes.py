# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes of a cluster that `provisioner --mode=full` runs, one after the other on one control plane and one AWS: see the scenario `scenes` of `aws`.

BINPACK_SCENES="spot limits" plays those only. Each begins and ends with an empty cluster and has a NodePool of its own name.
"""
import collections
import json
import os
import subprocess
import time
import traceback

import full
from drivers import DRIVER, VOLUMES, ZONE, volume
from prepare import CLAIMS, wait_for
from proxy import REGION

PRICES = {"c5.large": 85, "c5.xlarge": 170, "m5.large": 96, "m5.xlarge": 192, "m5.2xlarge": 384, "m5.4xlarge": 768, "r5.large": 126, "m6g.large": 77, "m6g.xlarge": 154, "g4dn.xlarge": 526}   # $/h in thousandths
SPOT_SHARE = 0.4
POOLS = "/apis/karpenter.sh/v1/nodepools"
TYPE, KIND, ARCH, HOST = "node.kubernetes.io/instance-type", "karpenter.sh/capacity-type", "kubernetes.io/arch", "kubernetes.io/hostname"
ZONES = [REGION + z for z in "abc"]
SCENES = {}


def scene(function):
    SCENES[function.__name__] = function
    return function


def need(key, *values):
    return {"key": key, "operator": "In", "values": list(values)}


class World(full.World):
    def fill(self):
        super().fill()
        self.admin.ask("DELETE", POOLS + "/default")
        self.aws.proxy.cloud.prices = {(n, k): p / 1000 * (SPOT_SHARE if k == "spot" else 1) for n, p in PRICES.items() for k in ("spot", "on-demand")}
        self.admin.apply({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "ebs"}, "provisioner": DRIVER, "volumeBindingMode": "WaitForFirstConsumer"})

    def priced_catalog(self):
        """What AWS says of a few types, with the prices above."""
        path = full.refreshed_catalog(self)
        with open(path, encoding="utf-8") as text:
            catalog = json.load(text)
        catalog["instanceTypes"] = [t for t in catalog["instanceTypes"] if t["name"] in PRICES]
        assert len(catalog["instanceTypes"]) == len(PRICES)
        for kind in catalog["instanceTypes"]:
            for offering in kind["offerings"]:
                offering["usdPerHour"] = self.aws.proxy.cloud.prices[kind["name"], offering["capacityType"]]
        with open(path, "w", encoding="utf-8") as out:
            json.dump(catalog, out)
        return path

    # ---- what scenes begin with

    def pool(self, name, *requirements, limits=None, of_class="default", **template):
        kinds = () if any(r["key"] == KIND for r in requirements) else (need(KIND, "on-demand"),)
        arches = () if any(r["key"] == ARCH for r in requirements) else (need(ARCH, "amd64"),)
        systems = () if any(r["key"] == "kubernetes.io/os" for r in requirements) else (need("kubernetes.io/os", "linux"),)
        self.admin.ask("POST", POOLS, {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": name}, "spec": {
            "limits": limits or {}, "disruption": {"consolidationPolicy": "WhenEmpty", "consolidateAfter": "Never"},
            "template": {"spec": {"expireAfter": "Never", "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": of_class},
                                  "requirements": [*kinds, *arches, *systems, *requirements], **template}}}})

    def claim_volume(self, name, of_class="ebs", volume_name=None):
        spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": of_class, "resources": {"requests": {"storage": "1Gi"}}, **({"volumeName": volume_name} if volume_name else {})}
        self.admin.ask("POST", "/api/v1/namespaces/default/persistentvolumeclaims", {"metadata": {"name": name}, "spec": spec})

    def pod(self, name, cpu="100m", claim=None, **spec):
        container = {"name": "a", "image": "none", "resources": {"requests": {"cpu": cpu, "memory": "64Mi"}}}
        volumes = {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}]} if claim else {}
        self.admin.ask("POST", "/api/v1/namespaces/default/pods", {"metadata": {"name": name, "labels": {"app": name.split("-")[0]}}, "spec": {"containers": [container], **volumes, **spec}})

    # ---- what there is

    def labels(self):
        """Of the node of each pod, by the pod's name."""
        nodes = self.nodes()
        return {name: nodes[p["spec"]["nodeName"]]["metadata"]["labels"] for name, p in self.pods().items() if "nodeName" in p["spec"]}

    def paid(self):
        """$/h of the machines that run."""
        return sum(self.aws.proxy.cloud.price(i["InstanceType"], i["Placement"]["AvailabilityZone"], i.get("InstanceLifecycle", "on-demand")) for i in self.instances().values())

    def said(self, since, message):
        return [line for line in self.services[-1].log()[since:] if line["message"] == message]

    def surprises(self, since):
        """What was launched and not planned so, and what was planned and not launched: (type, zone, capacity type), each as often as it is too much."""
        def kinds(message):
            found = collections.Counter()
            for line in self.said(since, message):
                found[tuple(line[word] for word in ("instance-type", "zone", "capacity-type"))] += line.get("nodeclaims", 1)
            return found
        planned, launched = kinds("planned nodeclaim(s)"), kinds("launched nodeclaim")
        return launched - planned, planned - launched

    def counter(self, name, **labels):
        values = self.services[-1].metrics().get(name, {})
        return sum(v for k, v in values.items() if all('%s="%s"' % pair in (k or "") for pair in labels.items()))

    def everything_goes(self):
        cloud = self.aws.proxy.cloud
        self.machines.failed.clear()
        cloud.capacity, self.machines.agents, self.machines.hold, self.machines.memory = {}, set(), False, 1.0
        for path in ("/apis/apps/v1/namespaces/default/deployments", "/apis/apps/v1/namespaces/default/daemonsets"):
            self.admin.ask("DELETE", path)
        self.admin.ask("DELETE", "/api/v1/namespaces/default/pods?gracePeriodSeconds=0")
        wait_for(lambda: "the pods are gone: " + self.story(), lambda: not self.pods())
        self.admin.ask("DELETE", "/api/v1/namespaces/default/persistentvolumeclaims")
        self.admin.ask("DELETE", POOLS)
        self.admin.ask("DELETE", CLAIMS)
        self.until_empty()
        wait_for("the volumes are gone", lambda: not self.admin.ask("GET", VOLUMES)[1]["items"])


# ---- the scenes

@scene
def spot(world):
    """Spot first; when there is none left, on demand, and it is said why."""
    world.pool("spot", need(KIND, "spot", "on-demand"))
    world.pod("first", cpu="1500m")
    world.until_running(1)
    assert world.labels()["first"][KIND] == "spot", world.labels()
    cheapest = world.labels()["first"][TYPE]
    for name in PRICES:
        world.aws.proxy.cloud.capacity.update({(name, zone, "spot"): 0 for zone in ZONES})
    world.pod("second", cpu="1500m")
    world.until_running(2)
    labels = world.labels()["second"]
    assert labels[KIND] == "on-demand" and labels[TYPE] == "c5.large", labels
    assert world.counter("binpack_launch_errors_total", code="InsufficientInstanceCapacity") >= 1
    assert world.counter("karpenter_nodeclaims_disrupted_total", reason="insufficient_capacity", nodepool="spot") >= 1
    assert world.counter("karpenter_cloudprovider_errors_total", error="InsufficientCapacityError") >= 1
    refused, given_up = world.said(world.begun, "failed launching nodeclaim"), world.said(world.begun, "terminating nodeclaim")
    assert refused and "InsufficientInstanceCapacity" in refused[0]["error"] and given_up and given_up[0]["reason"] == "insufficient_capacity", (refused, given_up)
    return "%s as spot, then %s on demand after %d NodeClaims without capacity" % (cheapest, labels[TYPE], len(given_up))


@scene
def limits(world):
    """No more than the limits of the NodePool; the others wait, and it is said why."""
    world.pool("limits", need(TYPE, "c5.large"), limits={"cpu": "4"})
    world.deploy("web", 4, cpu="1500m")
    wait_for(lambda: "two pods that run: " + world.story(), lambda: sum(p["status"].get("phase") == "Running" for p in world.pods().values()) == 2)
    wait_for(lambda: "why two wait: " + world.story(), lambda: world.said(world.begun, "could not schedule pod"))
    world.admin.ask("PATCH", POOLS + "/limits", {"spec": {"limits": {"cpu": "8"}}})
    world.until_running(4)
    assert len(world.claims()) == 4, world.story()
    return "2 of 4 pods run under 4 CPU, all under 8"


@scene
def volumes(world):
    """A pod goes where its volume is; one whose volume is still to be made gets one where it goes."""
    world.pool("volumes")
    world.admin.ask("POST", VOLUMES, volume("there", ZONES[1], "ebs", "1Gi"))
    world.claim_volume("old", volume_name="there")
    world.claim_volume("new")
    world.pod("reader", claim="old")
    world.pod("writer", claim="new", nodeSelector={ZONE: ZONES[2]})
    world.until_running(2)
    zones = {name: labels[ZONE] for name, labels in world.labels().items()}
    made = [v["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0]["values"] for v in world.admin.ask("GET", VOLUMES)[1]["items"] if v["metadata"]["name"] != "there"]
    assert zones == {"reader": ZONES[1], "writer": ZONES[2]} and made == [[ZONES[2]]], (zones, made)
    return "in the zones of their volumes"


@scene
def hundred_volumes(world):
    """A hundred pods with a volume each get as many nodes as attach them, in one round."""
    world.pool("hundred-volumes", need(TYPE, "m5.4xlarge", "m5.2xlarge"))
    for i in range(100):
        world.claim_volume("data-%d" % i)
    for i in range(100):
        world.pod("db-%d" % i, claim="data-%d" % i)
    world.until_running(100, 180)
    rounds = world.said(world.begun, "computed new nodeclaim(s) to fit pod(s)")
    limit = 25                                     # of both types, as drivers.attachable has it
    assert len(world.claims()) == 100 // limit and sum(r["nodeclaims"] for r in rounds) == 4, (len(world.claims()), rounds)
    return "%d nodes, %s" % (len(world.claims()), "one round" if len(rounds) == 1 else "%d rounds, as pods came in them" % len(rounds))


@scene
def spread(world):
    """One a zone, and one a node."""
    world.pool("spread")
    selector = {"matchLabels": {"app": "zonal"}}
    world.deploy("zonal", 3, cpu="200m", topologySpreadConstraints=[{"maxSkew": 1, "minDomains": 3, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector}])
    world.until_running(3)
    assert sorted(n[ZONE] for n in world.labels().values()) == ZONES, world.labels()
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": HOST, "labelSelector": {"matchLabels": {"app": "apart"}}}]}}
    world.deploy("apart", 5, cpu="200m", affinity=apart)
    world.until_running(8)
    hosts = [n[HOST] for name, n in world.labels().items() if name.startswith("apart")]
    assert len(hosts) == len(set(hosts)) == 5 and len(world.claims()) == 5, (hosts, world.story())
    return "3 zones; 5 nodes, of which 3 were there"


@scene
def daemonsets(world):
    """Nodes have room for the pods of DaemonSets; startup taints are waited for until somebody takes them away."""
    taint = {"key": "example.com/agent", "effect": "NoSchedule"}
    world.pool("daemonsets", startupTaints=[taint])
    world.admin.ask("POST", "/apis/apps/v1/namespaces/default/daemonsets", {"metadata": {"name": "agent"}, "spec": {"selector": {"matchLabels": {"app": "agent"}}, "template": {
        "metadata": {"labels": {"app": "agent"}}, "spec": {"tolerations": [{"operator": "Exists"}], "containers": [
            {"name": "a", "image": "none", "resources": {"requests": {"cpu": "900m", "memory": "64Mi"}}}]}}}})
    world.pod("web", cpu="1500m")                  # beside the agent it does not fit a machine with two cores

    def waits():
        return [c for n in world.claims().values() for c in n.get("status", {}).get("conditions", []) if c["type"] == "Initialized" and c.get("reason") == "StartupTaintsExist"]
    wait_for(lambda: "the startup taint is waited for: " + world.story(), waits)
    assert "nodeName" not in world.pods()["web"]["spec"], world.story()
    world.machines.agents = {taint["key"]}
    world.until_running(2)
    world.until_whole()
    types = {n[TYPE] for n in world.labels().values()}
    assert types == {"c5.xlarge"}, types
    return "c5.xlarge for a pod of 1500m and an agent of 900m"


@scene
def servers(world):
    """The API server dies, and what etcd has kept is gone when it comes back: pods get their nodes as before."""
    world.pool("servers")
    world.pod("before", cpu="1500m")
    world.until_running(1)
    lists = world.counter("binpack_watch_lists_total")
    world.cluster.compact()
    world.cluster.restart("apiserver")
    world.cluster.compact()
    world.pod("after", cpu="1500m")
    world.until_running(2)
    world.until_whole()
    return "%d lists read anew" % (world.counter("binpack_watch_lists_total") - lists)


@scene
def dying(world):
    """A node's machine dies: its pods have a new one soon."""
    world.pool("dying")
    world.deploy("web", 1, cpu="1500m")
    world.until_running(1)
    _, nodes, instances = world.until_whole()
    begun = time.monotonic()
    world.aws.moto.client("ec2").terminate_instances(InstanceIds=list(instances))
    wait_for(lambda: "another machine: " + world.story(), lambda: set(world.instances()) - set(instances))
    bought = time.monotonic() - begun

    def elsewhere():
        return [p for p in world.pods().values() if p["status"].get("phase") == "Running" and p["spec"]["nodeName"] not in nodes and "deletionTimestamp" not in p["metadata"]]
    wait_for(lambda: "the pod runs elsewhere: " + world.story(), elsewhere)
    runs = time.monotonic() - begun
    wait_for(lambda: "the old node is gone: " + world.story(), lambda: not set(world.nodes()) & set(nodes))
    world.until_whole()
    return "a machine %.1f s and a pod that runs %.1f s after the first one died" % (bought, runs)


@scene
def arm(world):
    """A pod for arm64 gets such a machine and image."""
    world.pool("arm", need(ARCH, "amd64", "arm64"))
    world.pod("web", cpu="1500m", nodeSelector={ARCH: "arm64"})
    world.until_running(1)
    assert world.labels()["web"][TYPE] == "m6g.large", world.labels()
    return "m6g.large"


@scene
def gpu(world):
    """A pod with a GPU waits for the device plugin."""
    world.pool("gpu")
    world.admin.ask("POST", "/api/v1/namespaces/default/pods", {"metadata": {"name": "train"}, "spec": {"containers": [
        {"name": "a", "image": "none", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"nvidia.com/gpu": "1"}}}]}})
    world.until_running(1)
    world.until_whole()
    assert world.labels()["train"][TYPE] == "g4dn.xlarge", world.labels()
    return "g4dn.xlarge"


@scene
def windows(world):
    """A pod for Windows gets a machine whose user data the bootstrap script of EKS understands."""
    if world.get("windows") is None:
        world.create("windows", amiFamily="Windows2022", amiSelectorTerms=[{"alias": "windows2022@latest"}])
    world.until("windows", "True")
    world.pool("windows", need("kubernetes.io/os", "windows"), of_class="windows")
    world.pod("web", cpu="1500m", nodeSelector={"kubernetes.io/os": "windows"})
    world.until_running(1)
    assert not world.machines.failed, world.machines.failed
    return world.labels()["web"][TYPE]


@scene
def malformed(world):
    """User data that no node starts with: the machine never becomes a Node, which the NodeClaim says, and goes when the NodeClaim does."""
    world.pool("malformed")
    world.patch("default", {"spec": {"userData": "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b\"\n\n--b\nContent-Type: application/node.eks.aws\n\n"
                                                 "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec: {cluster: {name: }, kubelet: [\n--b--\n"}})
    try:
        world.until("default", "True")
        world.pod("web", cpu="1500m")
        failed = wait_for(lambda: "a machine that does not start: " + world.story(), lambda: dict(world.machines.failed))
        said = wait_for(lambda: "the NodeClaim says so: " + world.story(), lambda: [
            c["message"] for n in world.claims().values() for c in n.get("status", {}).get("conditions", []) if c["type"] == "Registered" and c.get("reason") == "NodeNotFound"])
        assert not world.nodes() and "nodeName" not in world.pods()["web"]["spec"] and len(world.instances()) == 1, world.story()
    finally:
        world.machines.failed.clear()
        world.patch("default", {"spec": {"userData": None}})
    return "%s; the NodeClaim: %s" % (list(failed.values())[0].split("\n")[0][:60], said[0])


# ---- all of them

def scenes(aws):
    def body(world):
        catalog, journal = world.priced_catalog(), os.path.join(world.folder, "journal")
        keys = aws.user_with(full.policy(), "scenes")
        aws.proxy.check(True)
        service = world.start(keys, "--catalog=" + catalog, "--journal=" + journal)
        wait_for("the service", service.ready)
        world.until("default", "True")
        names, broken = os.environ.get("BINPACK_SCENES", "").split() or list(SCENES), []
        for name in names:
            begun, world.begun = time.monotonic(), len(service.log())
            try:
                came_to, took = SCENES[name](world), time.monotonic() - begun
                paid = world.paid()
                others, missing = world.surprises(world.begun)
                if others or missing:
                    came_to += "; launched otherwise than planned: %s for %s" % (dict(others), dict(missing))
                assert name in ("spot", "limits") or not others, (others, missing)
                world.everything_goes()
                aws.say("%s: %s; $%.3f/h; %.1f s, and %.1f s until all was gone" % (name, came_to, paid, took, time.monotonic() - begun - took))
            except Exception:                      # the others still count
                broken.append(name)
                aws.say("%s:\n# %s" % (name, traceback.format_exc().replace("\n", "\n# ")))
                world.everything_goes()
        assert not broken, broken
        said, text = service.stop()
        assert said < 5 and text == "" and service.process.returncode == 0, (said, text, service.process.returncode)
        replayed = subprocess.run([service.program, "replay", "--catalog=" + catalog, journal], capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
        assert replayed.returncode == 0, replayed.stderr[-2000:]
        aws.say("replayed: " + replayed.stdout.strip())
    full.within(aws, body, World)
