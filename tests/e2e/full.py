# SPDX-License-Identifier: GPL-3.0-or-later
"""`provisioner --mode=full` on a real control plane, with moto for EC2: from pods that wait to nodes that run them, and back. See the scenarios of `aws`."""
import base64
import json
import os
import shutil
import subprocess
import time

import yaml

import iam
import prepare
from machines import Machines, node_config
from prepare import CLAIMS, NAME, ROOT, SHARED, Skipped, wait_for
from proxy import ACCOUNT, REGION
from service import promtool

PRICES = {"m5.large": 0.1, "m5.xlarge": 0.2, "c5.large": 0.09, "c5.xlarge": 0.18, "r5.large": 0.13}
CLAIM_TAG = "karpenter.sh/nodeclaim"


def policy(*names):
    """Of those files of deploy/iam; of both when none is named."""
    statements = []
    for name in names or ("provisioner-prepare.json", "provisioner-full.json"):
        with open(os.path.join(ROOT, "deploy", "iam", name), encoding="utf-8") as text:
            statements += iam.filled(text.read(), AWS_PARTITION="aws", AWS_REGION=REGION, AWS_ACCOUNT_ID=ACCOUNT, CLUSTER_NAME=NAME, NODE_ROLE="KarpenterNodeRole-*")["Statement"]
    return {"Version": "2012-10-17", "Statement": statements}


class World(prepare.World):
    mode = "full"
    manifests = prepare.World.manifests + ("provisioner-full.yaml",)

    def __init__(self, aws):
        super().__init__(aws)
        self.machines = None

    def fill(self):
        super().fill()
        self.aws.proxy.products = self.aws.prices_of(PRICES)
        self.aws.proxy.cloud.prices = {(name, "on-demand"): price for name, price in PRICES.items()}
        self.aws.proxy.clusters[NAME]["endpoint"] = self.cluster.address
        self.machines = Machines(self.aws.moto, self.admin)
        for name in ("nodepool", "ec2nodeclass"):
            with open(os.path.join(SHARED, "data", "kubernetes", "defaults", "default_%s.yaml" % name), encoding="utf-8") as text:
                self.admin.apply(yaml.safe_load(text.read().replace("$CLUSTER_NAME", NAME)))

    def close(self, wipe):
        try:
            if self.machines is not None:
                self.machines.close()
        finally:
            ids = list(self.instances())
            if ids:
                self.aws.moto.client("ec2").terminate_instances(InstanceIds=ids)      # the next scenario has the same moto
            super().close(wipe)

    # ---- what there is

    def claims(self):
        return {c["metadata"]["name"]: c for c in self.admin.ask("GET", CLAIMS)[1]["items"]}

    def nodes(self):
        return {n["metadata"]["name"]: n for n in self.admin.ask("GET", "/api/v1/nodes")[1]["items"]}

    def pods(self, ns="default"):
        return {p["metadata"]["name"]: p for p in self.admin.ask("GET", "/api/v1/namespaces/%s/pods" % ns)[1]["items"]}

    def instances(self):
        """Those that are not gone, by id."""
        return self.machines.running() if self.machines else {}

    def true_conditions(self, claim):
        return {c["type"] for c in claim.get("status", {}).get("conditions", []) if c["status"] == "True"}

    def deploy(self, name, replicas, cpu="500m", memory="256Mi", **spec):
        container = {"name": "a", "image": "none", "resources": {"requests": {"cpu": cpu, "memory": memory}}}
        self.admin.ask("POST", "/apis/apps/v1/namespaces/default/deployments", {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {
                "replicas": replicas, "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container], **spec}}}})

    def undeploy(self, name):
        self.admin.ask("DELETE", "/apis/apps/v1/namespaces/default/deployments/" + name)

    def until_running(self, n, seconds=120):
        def check():
            pods = self.pods()
            return len(pods) == n and all(p["status"].get("phase") == "Running" for p in pods.values())
        wait_for(lambda: "%d pods that run: %s" % (n, self.story()), check, seconds)

    def until_whole(self):
        """Each claim has one instance and one ready node, and no instance has none."""
        def check():
            claims = self.claims()
            return claims and all({"Launched", "Registered", "Initialized"} <= self.true_conditions(c) and "deletionTimestamp" not in c["metadata"]
                                  for c in claims.values())
        wait_for(lambda: "claims that are initialized: " + self.story(), check)
        claims, nodes, instances = self.claims(), self.nodes(), self.instances()
        of_claim = {next(t["Value"] for t in i["Tags"] if t["Key"] == CLAIM_TAG): i for i in instances.values()}
        assert len(instances) == len(of_claim) == len(claims) == len(nodes) and set(of_claim) == set(claims), self.story()
        for name, claim in claims.items():
            instance, node = of_claim[name], nodes[claim["status"]["nodeName"]]
            labels = node["metadata"]["labels"]
            assert claim["status"]["providerID"] == node["spec"]["providerID"] == "aws:///%s/%s" % (instance["Placement"]["AvailabilityZone"], instance["InstanceId"])
            assert labels["node.kubernetes.io/instance-type"] == instance["InstanceType"] == claim["metadata"]["labels"]["node.kubernetes.io/instance-type"], labels
            assert labels["topology.kubernetes.io/zone"] == instance["Placement"]["AvailabilityZone"] and labels["karpenter.sh/registered"] == labels["karpenter.sh/initialized"] == "true", labels
            assert "karpenter.sh/termination" in node["metadata"]["finalizers"] and node["metadata"]["ownerReferences"][0]["name"] == name, node["metadata"]
            assert "taints" not in node["spec"], node["spec"]["taints"]
        return claims, nodes, instances

    def until_empty(self):
        wait_for(lambda: "nothing is left: " + self.story(), lambda: not self.claims() and not self.nodes() and not self.instances(), 120)

    def story(self):
        """What there is, for whoever reads a failure."""
        claims = {n: sorted("%s=%s %s" % (c["type"], c["status"], c.get("message", "")) for c in v.get("status", {}).get("conditions", [])) for n, v in self.claims().items()}
        pods = {n: p["status"].get("phase") for n, p in self.pods().items()}
        nodes = {n: [t["key"] for t in v["spec"].get("taints", [])] for n, v in self.nodes().items()}
        return json.dumps([claims, nodes, list(self.instances()), self.machines.failed, pods, self.services[-1].log()[-6:]], indent=1)


def ready_world(aws, kind):
    """With Karpenter's default NodePool and EC2NodeClass, and machines for what is launched."""
    if not os.path.exists(os.path.join(os.popen(os.path.join(prepare.HERE, "testbed", "build") + " --print").read().strip(), "kube-apiserver")):
        raise Skipped("the servers of the control plane are not built: ./dev e2e --setup")
    if not os.path.isdir(os.path.join(SHARED, "data", "kubernetes", "defaults")):
        raise Skipped("Karpenter's default NodePool and EC2NodeClass are not in %s" % SHARED)
    world = kind(aws)
    try:
        world.fill()
    except BaseException:
        world.close(wipe=True)
        raise
    return world


def within(aws, body, kind=World):
    world, good = ready_world(aws, kind), False
    try:
        body(world)
        good = True
    finally:
        aws.proxy.check(False)
        world.close(wipe=good and not aws.options.keep)


def refreshed_catalog(world):
    path = os.path.join(world.folder, "catalog.json")
    subprocess.run([world.aws.options.binpack, "catalog", "refresh", "-q", "-o", "json=" + path], env=world.aws.environment(), check=True, timeout=600)
    return path


def told(service, messages, claims):
    """The log has each of the messages once for each of the claims."""
    lines = [line for line in service.log() if line["message"] in messages]
    seen = sorted((line["message"], line.get("NodeClaim", {}).get("name")) for line in lines)
    assert seen == sorted((m, c) for m in messages for c in claims), seen


def counted(aws, service, n):
    """The metrics say the same of `n` NodeClaims that have come and gone, and promtool finds nothing wrong with them."""
    values = service.metrics()
    for name in ("karpenter_nodeclaims_created_total", "karpenter_nodeclaims_terminated_total", "karpenter_nodeclaims_termination_duration_seconds_count",
                 "karpenter_nodes_created_total", "karpenter_nodes_terminated_total", "karpenter_nodes_termination_duration_seconds_count"):
        assert sum(values.get(name, {}).values()) == n, (name, values.get(name))
    assert "karpenter_nodeclaims_disrupted_total" not in values and "binpack_launch_errors_total" not in values
    if shutil.which("promtool") is None:
        aws.say("NOTE: /metrics were not held against promtool, which is not here (Debian: prometheus)")
        return
    aws.say("metrics: " + promtool(service.get("/metrics")[1]))


def scale_up(aws):
    def body(world):
        catalog, journal = refreshed_catalog(world), os.path.join(world.folder, "journal")
        keys = aws.user_with(policy(), "full")
        aws.proxy.check(True)
        aws.proxy.asked.clear()
        service = world.start(keys, "--catalog=" + catalog, "--journal=" + journal)
        wait_for("the service", service.ready)
        world.until("default", "True")
        begun = time.monotonic()
        world.deploy("web", 6)
        world.until_running(6)
        took = time.monotonic() - begun
        claims, nodes, instances = world.until_whole()
        told(service, {"created nodeclaim", "launched nodeclaim", "registered nodeclaim", "initialized nodeclaim"}, set(claims))
        aws.say("6 pods run on %d nodes (%s) %.1f s after they came" % (len(nodes), ", ".join(sorted(i["InstanceType"] for i in instances.values())), took))
        # One Node goes, and with it its NodeClaim: its pods are evicted and run elsewhere, its machine goes, the others stay.
        gone = sorted(claims)[0]
        world.admin.ask("DELETE", "/api/v1/nodes/" + claims[gone]["status"]["nodeName"])
        wait_for(lambda: "%s is gone: %s" % (gone, world.story()), lambda: gone not in world.claims())
        world.until_running(6)
        after, _, _ = world.until_whole()
        assert gone not in after and set(claims) - {gone} <= set(after), (claims.keys(), after.keys())
        # The pods go, then all claims.
        world.undeploy("web")
        wait_for("the pods are gone", lambda: not world.pods())
        for name in world.claims():
            world.admin.ask("DELETE", "%s/%s" % (CLAIMS, name))
        world.until_empty()
        told(service, {"created nodeclaim", "launched nodeclaim", "registered nodeclaim", "initialized nodeclaim", "tainted node", "deleted node", "deleted nodeclaim"},
             {*claims, *after})
        counted(aws, service, len({*claims, *after}))
        asked = {a for a, key, _, _ in aws.proxy.asked if key == keys["AWS_ACCESS_KEY_ID"]}
        allowed = {a.split(":")[1] for s in policy()["Statement"] for a in s["Action"]}
        own = {a.split(":")[1] for s in policy("provisioner-full.json")["Statement"] for a in s["Action"]} - {"RunInstances", "CreateTags"}   # of CreateFleet with tags
        assert own <= asked <= allowed, (own - asked, asked - allowed)
        prepare.audit(world, aws)
        said, text = service.stop()
        assert said < 5 and text == "" and service.process.returncode == 0, (said, text, service.process.returncode)
        replayed = subprocess.run([service.program, "replay", "--catalog=" + catalog, journal], capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
        assert replayed.returncode == 0, replayed.stderr[-2000:]
        aws.say("replayed: " + replayed.stdout.strip())
    within(aws, body)


DNS, SERVICES = "fd30:1c53:5f8a::a", "fd30:1c53:5f8a::/108"


def ipv6(aws):
    """In a cluster of IPv6: kube-dns is found, nodes are told its address and the range of Services, interfaces ask for an address that stays."""
    def body(world):
        aws.proxy.clusters[NAME]["kubernetesNetworkConfig"] = {"ipFamily": "ipv6", "serviceIpv6Cidr": SERVICES}
        world.admin.ask("POST", "/api/v1/namespaces/kube-system/services", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kube-dns"}, "spec": {
            "ipFamilies": ["IPv6"], "ipFamilyPolicy": "SingleStack", "clusterIP": DNS, "ports": [{"port": 53, "protocol": "UDP"}]}})
        catalog, keys = refreshed_catalog(world), aws.user_with(policy(), "full")
        aws.proxy.check(True)
        aws.proxy.asked.clear()
        service = world.start(keys, "--catalog=" + catalog)
        wait_for("the service", service.ready)
        world.until("default", "True")
        world.deploy("web", 1)
        world.until_running(1)
        world.until_whole()
        made = [form for action, key, form, _ in aws.proxy.asked if action == "CreateLaunchTemplate" and key == keys["AWS_ACCESS_KEY_ID"]]
        assert len(made) >= 2, "a template of a dry run, and one of a launch: %d" % len(made)
        for form in made:
            interface = "LaunchTemplateData.NetworkInterface.1."
            assert (form.get(interface + "PrimaryIpv6"), form.get(interface + "Ipv6AddressCount")) == ("true", "1"), form
        told = node_config(base64.b64decode(made[-1]["LaunchTemplateData.UserData"]).decode())
        assert (told["cluster"]["cidr"], told["kubelet"]["config"]["clusterDNS"]) == (SERVICES, [DNS]), told
        learned(service, world)
    within(aws, body)


def learned(service, world):
    """What the nodes that are there have shown stands in the catalogue."""
    for node in world.nodes().values():
        kind = node["metadata"]["labels"]["node.kubernetes.io/instance-type"]
        shown = json.loads(service.get("/debug/catalog?type=" + kind)[1])["observed"]
        assert [o["memory"] for o in shown] == [node["status"]["capacity"]["memory"]] and shown[0]["imageId"].startswith("ami-"), (shown, node["status"]["capacity"])
