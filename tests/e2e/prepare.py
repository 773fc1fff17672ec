# SPDX-License-Identifier: GPL-3.0-or-later
"""`provisioner --mode=prepare` on a real API server, with moto for AWS: see the scenario prepare_mode of `aws`."""
import json
import os
import shutil
import sys
import tempfile
import time

import yaml

import iam
import rights
from cluster import HERE, Admin, Cluster
from proxy import ACCOUNT
from service import Service

ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "wire"))
from kubelets import FAMILIES, KUBELETS  # noqa: E402

SHARED = os.environ.get("BINPACK_SHARED", os.path.join(ROOT, "..", "shared"))
CLASSES = "/apis/karpenter.k8s.aws/v1/ec2nodeclasses"
CLAIMS = "/apis/karpenter.sh/v1/nodeclaims"
NAME = "shop"
ROLE, OTHER = "KarpenterNodeRole-" + NAME, "KarpenterNodeRole-another"
FINALIZER, HASH = "karpenter.k8s.aws/termination", "karpenter.k8s.aws/ec2nodeclass-hash"
CONDITIONS = ["AMIsReady", "SubnetsReady", "SecurityGroupsReady", "InstanceProfileReady", "ValidationSucceeded", "PlacementGroupReady", "CapacityReservationsReady", "Ready"]
WAITS = ("False", "DependenciesNotReady", "Awaiting AMI, Instance Profile, Security Group, and Subnet resolution")


AUDIT = """apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  users: ["system:serviceaccount:kube-system:provisioner"]
- level: None
"""


# What ValidationSucceeded says without a statement.
REASONS = {"MakeLaunchTemplates": "CreateLaunchTemplateAuthCheckFailed", "TagWhatIsMade": "CreateLaunchTemplateAuthCheckFailed", "LaunchFromTemplates": "CreateFleetAuthCheckFailed",
           "LaunchWithWhatIsThere": "CreateFleetAuthCheckFailed", "LaunchWithTags": "CreateFleetAuthCheckFailed"}


class Skipped(Exception):
    """Why the scenario cannot be run here."""


def documents(path):
    with open(path, encoding="utf-8") as text:
        return [d for d in yaml.safe_load_all(text) if d]


def wait_for(what, check, seconds=60):
    end = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < end, "not in %d s: %s" % (seconds, what() if callable(what) else what)
        time.sleep(0.1)                            # the API has no other way to ask


class World:
    mode = "prepare"
    manifests = ("provisioner-observe.yaml", "provisioner-prepare.yaml")

    def __init__(self, aws):
        self.aws = aws
        self.folder = tempfile.mkdtemp(prefix="binpack-prepare-")
        policy = os.path.join(self.folder, "policy.yaml")
        with open(policy, "w", encoding="utf-8") as out:
            out.write(AUDIT)
        self.cluster = Cluster(os.path.join(self.folder, "bed"), audit=policy)
        self.admin = Admin(self.cluster)
        self.program = os.path.join(os.path.dirname(aws.options.binpack), "..", "..", "provisioner", "service", "provisioner")
        self.services = []
        self.keys = aws.user_with({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": "*"}]}, "administrator")

    def client(self, service):
        return self.aws.client(service, self.keys)

    def close(self, wipe):
        for service in self.services:
            if service.process.poll() is None:
                service.stop()
        self.cluster.down(wipe=wipe)
        if wipe:
            shutil.rmtree(self.folder)
        else:
            self.aws.say("logs are in " + self.folder)

    def fill(self):
        """Our CRDs, with `kubelet` as open as Karpenter's main branch has it, so that what it refuses gets as far as the condition; and an AWS."""
        for crd in documents(os.path.join(ROOT, "deploy", "crds.yaml")):
            spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
            if "kubelet" in spec:
                spec["kubelet"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
            self.admin.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
        for path in (CLASSES, CLAIMS):
            wait_for(path, lambda p=path: self.admin.ask("GET", p, None, (200, 404, 503))[0] == 200)
        for manifest in self.manifests:
            for document in documents(os.path.join(ROOT, "deploy", manifest)):
                if document["kind"] in rights.KINDS:
                    self.admin.apply(document)
        self.fill_aws()

    def fill_aws(self):
        ec2, iam = self.aws.client("ec2"), self.aws.client("iam")
        self.subnets = ec2.describe_subnets()["Subnets"][:3]
        self.aws.proxy.products = self.aws.prices_of(["m5.large", "m5.xlarge", "c5.large", "m6g.large"])
        ec2.create_tags(Resources=[s["SubnetId"] for s in self.subnets], Tags=[{"Key": "karpenter.sh/discovery", "Value": NAME}])
        self.group = ec2.create_security_group(GroupName="nodes-" + NAME, Description="nodes", VpcId=self.subnets[0]["VpcId"])["GroupId"]
        ec2.create_tags(Resources=[self.group], Tags=[{"Key": "karpenter.sh/discovery", "Value": NAME}])
        images = ec2.describe_images()["Images"]
        self.image = sorted(i["ImageId"] for i in images if i["Architecture"] == "x86_64")[0]
        self.aws.proxy.images = {"x86_64": self.image, "arm64": next((i["ImageId"] for i in images if i["Architecture"] == "arm64"), self.image)}
        for name in (ROLE, OTHER):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
        self.aws.client("eks").create_cluster(name=NAME, roleArn="arn:aws:iam::123456789012:role/eks", resourcesVpcConfig={"subnetIds": [s["SubnetId"] for s in self.subnets]})
        self.aws.proxy.clusters[NAME] = {"name": NAME, "kubernetesNetworkConfig": self.aws.client("eks").describe_cluster(name=NAME)["cluster"]["kubernetesNetworkConfig"]}

    def config(self):
        return self.cluster.token_config(self.admin, "provisioner")

    def start(self, keys, *words):
        config = self.config()
        env = {**{k: v for k, v in os.environ.items() if k.startswith(("ASAN", "UBSAN"))}, **self.aws.environment(**keys), "KUBECONFIG": config}
        service = Service(self.program, env, self.folder, "--cluster-name=" + NAME, "--leader-election-namespace=kube-system", *words, mode=self.mode)
        self.services.append(service)
        return service

    # ---- objects

    def create(self, name, **spec):
        value = {"apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": {"name": name}, "spec": {
            "amiFamily": "AL2023", "role": ROLE, "amiSelectorTerms": [{"alias": "al2023@latest"}],
            "subnetSelectorTerms": [{"tags": {"karpenter.sh/discovery": NAME}}], "securityGroupSelectorTerms": [{"tags": {"karpenter.sh/discovery": NAME}}], **spec}}
        value["spec"] = {k: v for k, v in value["spec"].items() if v is not None}
        self.admin.ask("POST", CLASSES, value)

    def get(self, name):
        status, value = self.admin.ask("GET", "%s/%s" % (CLASSES, name), None, (200, 404))
        return value if status == 200 else None

    def patch(self, name, body):
        self.admin.ask("PATCH", "%s/%s" % (CLASSES, name), body)

    def conditions(self, name):
        value = self.get(name) or {}
        generation = value.get("metadata", {}).get("generation")
        return {c["type"]: (c["status"], c["reason"], c["message"]) for c in value.get("status", {}).get("conditions", []) if c["observedGeneration"] == generation}

    def until(self, name, status):
        """The conditions once Ready has that status, or what there is instead."""
        def check():
            found = self.conditions(name)
            return found if found.get("Ready", ("",))[0] == status else None
        return wait_for(lambda: "%s is not %s: %s\n%s" % (name, status, self.conditions(name), json.dumps(self.services[-1].log()[-8:], indent=1)), check)


def ready_ones():
    """(name, changes of the spec): that of Karpenter's installation and ways to name what a node needs."""
    rows = {
        "bottlerocket": dict(amiFamily=None, amiSelectorTerms=[{"alias": "bottlerocket@latest"}]),
        "own-profile": dict(role=None, instanceProfile="of-somebody-else"),
        "by-id": dict(amiFamily="AL2", amiSelectorTerms=[{"id": "IMAGE"}], subnetSelectorTerms=[{"id": "SUBNET"}], securityGroupSelectorTerms=[{"id": "GROUP"}]),
        "by-name": dict(amiFamily="Custom", securityGroupSelectorTerms=[{"name": "nodes-" + NAME}], amiSelectorTerms=[{"id": "IMAGE"}]),
        "parameter": dict(amiSelectorTerms=[{"ssmParameter": "/shop/ami"}]),
        "reserved": dict(capacityReservationSelectorTerms=[{"id": "cr-1"}], placementGroupSelector={"name": "near"}),
        "odd": dict(kubelet={"maxPods": 20, "clusterDNS": ["10.0.0.10"]}, tags={"team": "a"}, userData="#!/bin/sh\ntrue\n", instanceStorePolicy="RAID0"),
    }
    path = os.path.join(SHARED, "data", "kubernetes", "defaults", "default_ec2nodeclass.yaml")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as text:
            rows["default"] = yaml.safe_load(text.read().replace("$CLUSTER_NAME", NAME))["spec"]
    else:
        print("# NOTE: the EC2NodeClass of Karpenter's own tests is not tried: no %s" % path)
    return rows


def broken_ones():
    """(changes of the spec, condition, reason, message)."""
    no_subnets = ("SubnetsReady", "SubnetsNotFound", "SubnetSelector did not match any Subnets")
    no_groups = ("SecurityGroupsReady", "SecurityGroupsNotFound", "SecurityGroupSelector did not match any SecurityGroups")
    no_images = ("AMIsReady", "AMINotFound", "AMISelector did not match any AMIs")
    rows = [
        (dict(subnetSelectorTerms=[{"tags": {"karpenter.sh/discovery": "nowhere"}}]), *no_subnets),
        (dict(subnetSelectorTerms=[{"id": "subnet-99"}]), *no_subnets),
        (dict(subnetSelectorTerms=[{"tags": {"karpenter.sh/discovery": NAME, "tier": "*"}}]), *no_subnets),
        (dict(securityGroupSelectorTerms=[{"tags": {"karpenter.sh/discovery": "nowhere"}}]), *no_groups),
        (dict(securityGroupSelectorTerms=[{"name": "nobody"}]), *no_groups),
        (dict(securityGroupSelectorTerms=[{"id": "sg-99"}]), *no_groups),
        (dict(amiSelectorTerms=[{"id": "ami-99"}]), *no_images),
        (dict(amiSelectorTerms=[{"name": "nobody's"}]), *no_images),
        (dict(amiSelectorTerms=[{"tags": {"kind": "none"}}]), *no_images),
        (dict(amiSelectorTerms=[{"ssmParameter": "/shop/none"}]), *no_images),
        (dict(amiSelectorTerms=[{"ssmParameter": "/shop/no-ami"}]), *no_images),
        (dict(amiSelectorTerms=[{"alias": "al2023@v20000101"}]), *no_images),
        (dict(amiFamily=None, amiSelectorTerms=[{"alias": "bottlerocket@v1.0.0"}]), *no_images),
        (dict(amiFamily=None, amiSelectorTerms=[{"alias": "al2@latest"}]), "AMIsReady", "UnsupportedAlias", "AL2 aliases are no longer supported on EKS 1.33+ (see "
         "https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions-standard.html#kubernetes-1-33)"),
        (dict(placementGroupSelector={"name": "far"}), "PlacementGroupReady", "PlacementGroupNotFound", 'Placement group "far" not found'),
        (dict(placementGroupSelector={"id": "pg-99"}), "PlacementGroupReady", "PlacementGroupNotFound", 'Placement group "pg-99" not found'),
    ]
    rows += [(dict(kubelet=kubelet), "ValidationSucceeded", reason, message) for kubelet, reason, message in KUBELETS]
    rows += [(dict(amiFamily=family, amiSelectorTerms=[{"id": "IMAGE"}], kubelet=kubelet), "ValidationSucceeded", reason, message)
             for family, kubelet, reason, message in FAMILIES if reason != "DryRunDisabled"]
    # With nothing found at all, each says so for itself.
    rows += [(dict(subnetSelectorTerms=[{"id": "subnet-9"}], securityGroupSelectorTerms=[{"id": "sg-9"}], amiSelectorTerms=[{"id": "ami-9"}]), c[0], c[1], c[2])
             for c in (no_subnets, no_groups, no_images)]
    return rows


def settle(world, value):
    """Ids of this world for their names."""
    text = json.dumps(value).replace('"IMAGE"', json.dumps(world.image)).replace('"GROUP"', json.dumps(world.group))
    return json.loads(text.replace('"SUBNET"', json.dumps(world.subnets[0]["SubnetId"])))


# ---- what is asked of it

def become_ready(world, aws):
    rows = ready_ones()
    for name, spec in rows.items():
        world.create(name, **settle(world, spec))
    begun = time.monotonic()
    for name in rows:
        conditions = world.until(name, "True")
        assert list(conditions) == CONDITIONS and all(c == ("True", t, "") for t, c in conditions.items()), (name, conditions)
    aws.say("%d classes ready within %.1f s" % (len(rows), time.monotonic() - begun))
    tried = [a for a, _, p, _ in aws.proxy.asked if p.get("DryRun") == "true"]
    assert tried.count("CreateFleet") >= len(rows) and tried.count("RunInstances") >= len(rows), tried

    def left():
        names = [t["LaunchTemplateName"] for t in world.client("ec2").describe_launch_templates()["LaunchTemplates"]]
        return [name for name in names if name.startswith("karpenter.k8s.aws/")]
    wait_for(lambda: "the templates of the dry runs are gone: %s" % left(), lambda: not left())
    value = world.get("reserved")
    status = value["status"]
    order = sorted(world.subnets, key=lambda s: (-s["AvailableIpAddressCount"], s["SubnetId"]))
    assert status["subnets"] == [{"id": s["SubnetId"], "zone": s["AvailabilityZone"], "zoneID": s["AvailabilityZoneId"]} for s in order], status["subnets"]
    assert status["securityGroups"] == [{"id": world.group, "name": "nodes-" + NAME}] and [r["id"] for r in status["capacityReservations"]] == ["cr-1"], status
    assert status["amis"] and value["metadata"]["finalizers"] == [FINALIZER], value
    assert world.get("own-profile")["status"]["instanceProfile"] == "of-somebody-else"
    profile = world.client("iam").get_instance_profile(InstanceProfileName=status["instanceProfile"])["InstanceProfile"]
    tags = {t["Key"]: t["Value"] for t in profile["Tags"]}
    assert profile["Path"] == "/karpenter/%s/%s/%s/" % (aws.REGION, NAME, value["metadata"]["uid"]) and [r["RoleName"] for r in profile["Roles"]] == [ROLE], profile
    assert tags == {"kubernetes.io/cluster/" + NAME: "owned", "eks:eks-cluster-name": NAME, "karpenter.k8s.aws/ec2nodeclass": "reserved",
                    "topology.kubernetes.io/region": aws.REGION}, tags
    assert value["metadata"]["annotations"][HASH + "-version"] == "v5" and value["metadata"]["annotations"][HASH].isdigit(), value["metadata"]


def say_what_is_wrong(world, aws):
    rows = broken_ones()
    for i, (spec, *_) in enumerate(rows):
        world.create("broken-%02d" % i, **settle(world, spec))
    for i, (spec, condition, reason, message) in enumerate(rows):
        name = "broken-%02d" % i
        conditions = world.until(name, "False")
        assert conditions[condition] == ("False", reason, message), (spec, conditions)
        if condition in ("AMIsReady", "SubnetsReady", "SecurityGroupsReady"):
            assert conditions["ValidationSucceeded"] == WAITS, (spec, conditions)
        assert conditions["Ready"][1] == "UnhealthyDependents" and condition + "=False" in conditions["Ready"][2], conditions["Ready"]
    world.create("no-role", role="nobody")
    conditions = world.until("no-role", "Unknown")
    assert conditions["InstanceProfileReady"][0] == "Unknown" and "nobody" in conditions["InstanceProfileReady"][2], conditions
    assert conditions["Ready"][1] == "ReconcilingDependents", conditions
    aws.say("%d broken classes say what Karpenter says" % (len(rows) + 1))
    # What is mended becomes ready.
    world.patch("broken-01", {"spec": {"subnetSelectorTerms": [{"tags": {"karpenter.sh/discovery": NAME}}]}})
    world.until("broken-01", "True")
    for i in range(len(rows)):
        world.admin.ask("DELETE", "%s/broken-%02d" % (CLASSES, i))
    world.admin.ask("DELETE", CLASSES + "/no-role")
    wait_for("the broken ones are gone", lambda: not [c for c in world.admin.ask("GET", CLASSES)[1]["items"] if c["metadata"]["name"].startswith(("broken", "no-role"))])


def buy_from_the_region(world, aws):
    """The catalogue is that of the region: until then no plan could name its zones."""
    service = world.services[-1]
    line = wait_for("the catalogue", lambda: [x for x in service.log() if x["message"] == "refreshed the catalogue from AWS"])[0]
    status, text = service.get("/debug/catalog")
    catalog = json.loads(text)
    zones = [z["name"] for z in catalog["zones"]]
    assert status == 200 and catalog["region"] == aws.REGION and all(z.startswith(aws.REGION) for z in zones) and line["zones"] == len(zones) > 0, (status, catalog["zones"])
    status, text = service.get("/debug/catalog?type=m5.large")
    prices = {(o["zone"], o["capacityType"]): o.get("usdPerHour") for o in json.loads(text)["offerings"]}
    assert status == 200 and {p for (_, kind), p in prices.items() if kind == "on-demand"} == {0.25}, prices
    assert service.get("/debug/catalog?type=m0.none")[0] == 404
    world.admin.ask("POST", "/apis/karpenter.sh/v1/nodepools", {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": "default"}, "spec": {"template": {"spec": {
        "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"},
        "requirements": [{"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["on-demand"]}]}}}})
    world.admin.ask("POST", "/api/v1/namespaces/default/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "waits"}, "spec": {
        "containers": [{"name": "a", "image": "none", "resources": {"requests": {"cpu": "500m"}}}]}})
    plan = wait_for("a plan", lambda: (lambda p: p if p and p["nodes"] else None)(service.plan()), 90)
    assert plan["nodes"][0]["zone"] in [s["AvailabilityZone"] for s in world.subnets], plan["nodes"]
    aws.say("%d instance types in %d zones; a plan for a subnet's zone" % (line["instance-types"], line["zones"]))


def profiles_of(world, aws, value):
    path = "/karpenter/%s/%s/%s/" % (aws.REGION, NAME, value["metadata"]["uid"])
    return {p["InstanceProfileName"]: [r["RoleName"] for r in p["Roles"]] for p in world.client("iam").list_instance_profiles()["InstanceProfiles"] if p["Path"] == path}    # moto does not look at PathPrefix


def follow_changes(world, aws):
    value = world.get("odd")
    before = value["status"]["instanceProfile"]
    hash_before = value["metadata"]["annotations"][HASH]
    world.patch("odd", {"spec": {"role": "some/path/" + OTHER}})
    world.until("odd", "True")
    value = world.get("odd")
    profiles = profiles_of(world, aws, value)
    assert before != value["status"]["instanceProfile"], before
    assert profiles == {before: [ROLE], value["status"]["instanceProfile"]: [OTHER]} and value["metadata"]["annotations"][HASH] != hash_before, (profiles, value)
    # The first one is found again.
    world.patch("odd", {"spec": {"role": ROLE}})
    world.until("odd", "True")
    value = world.get("odd")
    assert value["status"]["instanceProfile"] == before and len(profiles_of(world, aws, value)) == 2 and value["metadata"]["annotations"][HASH] == hash_before
    # A subnet that is tagged later is found within a refresh; so is what somebody wrote into the status.
    world.admin.ask("PATCH", CLASSES + "/odd/status", {"status": {"subnets": []}})
    wait_for("the subnets are back", lambda: world.get("odd")["status"].get("subnets"), 90)


def clean_up(world, aws):
    ec2 = world.client("ec2")

    def templates():
        names = {t["LaunchTemplateName"] for t in ec2.describe_launch_templates()["LaunchTemplates"]}
        return {name for name in names if name.startswith("karpenter.k8s.aws/")}

    # Those of other scenarios, which ran against the same moto.
    before = templates()
    value = world.get("odd")
    claim = {"apiVersion": "karpenter.sh/v1", "kind": "NodeClaim", "metadata": {"name": "holds"}, "spec": {
        "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "odd"}, "requirements": []}}
    world.admin.ask("POST", CLAIMS, claim)
    for cluster, name in ((NAME, "odd"), (NAME, "default"), ("other", "odd")):
        ec2.create_launch_template(LaunchTemplateName="karpenter.k8s.aws/%s-%s" % (cluster, name), LaunchTemplateData={"ImageId": world.image}, TagSpecifications=[
            {"ResourceType": "launch-template", "Tags": [{"Key": k, "Value": v} for k, v in (
                ("eks:eks-cluster-name", cluster), ("karpenter.k8s.aws/ec2nodeclass", name), ("kubernetes.io/cluster/" + cluster, "owned"), ("karpenter.sh/nodepool", "p"))]}])
    world.admin.ask("DELETE", CLASSES + "/odd")
    service = world.services[-1]
    wait_for("it waits for the NodeClaim", lambda: [x for x in service.log() if x["message"] == "waiting on nodeclaim termination" and x["EC2NodeClass"] == "odd"])
    assert world.get("odd") and profiles_of(world, aws, value)
    world.admin.ask("DELETE", CLAIMS + "/holds")
    wait_for("the class is gone", lambda: world.get("odd") is None)
    assert profiles_of(world, aws, value) == {}
    left = templates()
    assert left == before | {"karpenter.k8s.aws/shop-default", "karpenter.k8s.aws/other-odd"}, (before, left)


def move_hashes(world):
    """NodeClaims with a hash of another version, from before."""
    world.create("older")
    world.until("older", "True")
    value = world.get("older")
    good = value["metadata"]["annotations"][HASH]
    for name, group, kind in (("plain", "karpenter.k8s.aws", "EC2NodeClass"), ("drifted", "karpenter.k8s.aws", "EC2NodeClass"), ("foreign", "karpenter.other.io", "OtherNodeClass")):
        world.admin.ask("POST", CLAIMS, {"apiVersion": "karpenter.sh/v1", "kind": "NodeClaim", "metadata": {"name": name, "annotations": {HASH: "1", HASH + "-version": "v4"}}, "spec": {
            "nodeClassRef": {"group": group, "kind": kind, "name": "older"}, "requirements": []}})
    world.admin.ask("PATCH", CLAIMS + "/drifted/status", {"status": {"conditions": [
        {"type": "Drifted", "status": "True", "reason": "Drifted", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}})
    world.patch("older", {"metadata": {"annotations": {HASH: "1", HASH + "-version": "v4"}}, "spec": {"tags": {"x": "y"}}})

    def annotations(path):
        return world.admin.ask("GET", path)[1]["metadata"]["annotations"]
    wait_for("the hash of the class", lambda: annotations(CLASSES + "/older")[HASH + "-version"] == "v5")
    now = annotations(CLASSES + "/older")[HASH]
    assert now != good
    for name, expected in (("plain", now), ("drifted", "1")):
        found = annotations("%s/%s" % (CLAIMS, name))
        assert found[HASH] == expected and found[HASH + "-version"] == "v5", (name, found)
        world.admin.ask("DELETE", "%s/%s" % (CLAIMS, name))
    # A NodeClaim of another provider, whose class has the same name, is neither moved nor waited for.
    found = annotations(CLAIMS + "/foreign")
    assert found[HASH] == "1" and found[HASH + "-version"] == "v4", found
    world.admin.ask("DELETE", CLASSES + "/older")
    wait_for("the class goes without it", lambda: world.get("older") is None)
    world.admin.ask("DELETE", CLAIMS + "/foreign")


def take_turns(world, keys):
    """Two replicas: one acts, and when it is killed the other does."""
    first, second = world.services[-1], world.start(keys)

    def acts(service):
        return [x["message"] for x in service.log() if x["message"].startswith("this replica acts")][-1:] == ["this replica acts now"]
    wait_for("the second has looked", second.ready)
    assert acts(first) and not acts(second)
    first.process.kill()
    first.process.wait()
    world.create("later")
    world.until("later", "True")
    assert acts(second)


def audit(world, aws):
    """Of the whole run: nothing was asked that the manifests do not allow, and nothing in the last of them is unused."""
    def allowed(manifest):
        return rights.given(documents(os.path.join(ROOT, "deploy", manifest)), "provisioner")
    own, others = allowed(world.manifests[-1]), set().union(*(allowed(m) for m in world.manifests[:-1]))

    def used():
        return rights.asked(os.path.join(world.cluster.folder, "audit.log"), "system:serviceaccount:kube-system:provisioner")
    wait_for(lambda: "in the manifest, and never asked for: %s" % sorted(own - used() - rights.SELDOM), lambda: not own - used() - rights.SELDOM, 30)
    assert not used() - own - others, "asked for, and in no manifest: %s" % sorted(used() - own - others)
    aws.say("%d rights of deploy/%s, all used, no other" % (len(own), world.manifests[-1]))


def need_every_statement(world, aws, policy):
    """Without a statement, what it is for fails, and the log names an action of it; what EC2 would not launch is not ready."""
    for i, without in enumerate(policy["Statement"]):
        aws.proxy.check(False)
        keys = aws.user_with({**policy, "Statement": [s for s in policy["Statement"] if s is not without]}, "less-%d" % i)
        aws.proxy.check(True)
        service = world.start(keys)
        name = "less-%d" % i
        world.create(name, capacityReservationSelectorTerms=[{"id": "cr-1"}], placementGroupSelector={"name": "near"})
        wait_for("a look at " + name, lambda n=name: world.conditions(n).get("Ready", ("Unknown", "AwaitingReconciliation"))[1] != "AwaitingReconciliation", 90)
        if without["Sid"] in REASONS:
            found = world.until(name, "False")["ValidationSucceeded"]
            assert found[:2] == ("False", REASONS[without["Sid"]]) and found[2].endswith("because no identity-based policy allows it"), (without["Sid"], found)
        if without["Sid"] in ("ListLaunchTemplates", "ListInstanceProfiles", "LookAtInstanceProfiles"):
            world.admin.ask("DELETE", "%s/%s" % (CLASSES, name))

        def refused(actions=without["Action"], log=service.log):
            said = [x.get("error", "") for x in log()]
            # PassRole, TagInstanceProfile and CreateTags are refused in the name of the call that implies them.
            names = ["allow " + a for a in actions] + ["perform: " + a for a in actions]
            return [e for e in said if any(e.endswith(n) or n + ";" in e or n + " " in e for n in names)]
        wait_for(lambda log=service.log: "a refusal without %s: %s" % (without["Sid"], json.dumps(log()[-5:])), refused, 60)
        service.stop()
    aws.say("%d statements of deploy/iam/provisioner-prepare.json, each of them needed" % len(policy["Statement"]))


def run(aws):
    if not os.path.exists(os.path.join(os.popen(os.path.join(HERE, "testbed", "build") + " --print").read().strip(), "kube-apiserver")):
        raise Skipped("the servers of the control plane are not built: ./dev e2e --setup")
    with open(os.path.join(ROOT, "deploy", "iam", "provisioner-prepare.json"), encoding="utf-8") as text:
        policy = iam.filled(text.read(), AWS_PARTITION="aws", AWS_REGION=aws.REGION, AWS_ACCOUNT_ID=ACCOUNT, CLUSTER_NAME=NAME, NODE_ROLE="KarpenterNodeRole-*")
    # docs/prepare.md: parameters of one's own.
    policy["Statement"].append({"Sid": "OwnParameters", "Effect": "Allow", "Action": ["ssm:GetParameter"], "Resource": "arn:aws:ssm:%s:%s:parameter/shop/*" % (aws.REGION, ACCOUNT)})
    world, good = World(aws), False
    try:
        world.fill()
        client = aws.client("ssm")
        client.put_parameter(Name="/shop/ami", Value=world.image, Type="String")
        client.put_parameter(Name="/shop/no-ami", Value="nothing", Type="String")
        keys = aws.user_with(policy, "prepare")
        aws.proxy.check(True)
        aws.proxy.asked.clear()
        service = world.start(keys)
        wait_for("the service", service.ready)
        become_ready(world, aws)
        buy_from_the_region(world, aws)
        say_what_is_wrong(world, aws)
        follow_changes(world, aws)
        move_hashes(world)
        clean_up(world, aws)
        needs = [n for key, n, allowed in aws.proxy.judged if key == keys["AWS_ACCESS_KEY_ID"] and allowed]
        spare = iam.unused(policy, list({json.dumps(n): n for n in needs}.values()))
        assert not spare, "in the policy, and never needed: %s" % spare
        policy["Statement"].pop()
        take_turns(world, keys)
        took, said = world.services[-1].stop()
        assert took < 5 and said == "", (took, said)
        audit(world, aws)
        need_every_statement(world, aws, policy)
        good = True
    finally:
        aws.proxy.check(False)
        world.close(wipe=good and not aws.options.keep)
