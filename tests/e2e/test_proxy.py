#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of rules.json as far as they need no socket: launches.py. Prints TAP."""
import json
import os
import sys
import traceback

import iam
import launches
import proxy
from launches import RULES, Buckets, Cloud, Refusal, Tokens, tree_of

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def refused(code, function, *words):
    try:
        function(*words)
    except Refusal as no:
        assert no.code == code, (code, no.code, no.message)
        return no
    raise AssertionError("%s was not refused" % code)


def fleet(kind, strategy, total, *overrides, **more):
    """A request for an instant fleet; an override is (type, zone) or (type, zone, priority)."""
    return tree_of({
        "Type": "instant", "TargetCapacitySpecification.DefaultTargetCapacityType": kind, "TargetCapacitySpecification.TotalTargetCapacity": str(total),
        ("SpotOptions" if kind == "spot" else "OnDemandOptions") + ".AllocationStrategy": strategy,
        "LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateName": "t", **more,
        **{"LaunchTemplateConfigs.1.Overrides.%d.%s" % (i, k): str(v) for i, o in enumerate(overrides, 1) for k, v in
           zip(("InstanceType", "AvailabilityZone", "Priority"), o)},
        **{"LaunchTemplateConfigs.1.Overrides.%d.SubnetId" % i: "subnet-" + o[1] for i, o in enumerate(overrides, 1)}})


@test
def every_rule_is_carried_out_and_has_its_page():
    names = set(RULES) - {"about"}
    assert launches.DONE == names, launches.DONE ^ names
    for name in names - {"recording"}:
        assert RULES[name]["does"].endswith(".") and RULES[name]["pages"] and all(p.startswith("https://") for p in RULES[name]["pages"]), name
    assert proxy.FAULTS


@test
def queries_are_trees():
    tree = tree_of({"A.2.B": "c", "A.10.B": "d", "A.1.B": "e", "F.1.Value.1": "x", "G": ""})
    assert tree == {"A": [{"B": "e"}, {"B": "c"}, {"B": "d"}], "F": [{"Value": ["x"]}], "G": ""}, tree


@test
def strategies():
    cloud = Cloud()
    cloud.prices = {("big", "on-demand"): 2, ("mid", "on-demand"): 1, ("big", "a", "spot"): 0.5, ("mid", "a", "spot"): 0.3, ("mid", "b", "spot"): 0.2}
    cloud.capacity = {("big", "a", "spot"): 100, ("mid", "a", "spot"): 60, ("mid", "b", "spot"): 10}
    rows = [("on-demand", "lowest-price", [("big", "a"), ("mid", "a")], ["mid a", "big a"]),
            ("on-demand", "prioritized", [("mid", "a", 2), ("big", "a", 1)], ["big a", "mid a"]),
            ("spot", "lowest-price", [("big", "a"), ("mid", "a"), ("mid", "b")], ["mid b", "mid a", "big a"]),
            ("spot", "capacity-optimized", [("mid", "b"), ("mid", "a"), ("big", "a")], ["big a", "mid a", "mid b"]),
            ("spot", "capacity-optimized-prioritized", [("mid", "b", 1), ("mid", "a", 2), ("big", "a", 3)], ["big a", "mid a", "mid b"]),
            # The cheapest of the deep ones, though a shallow one is cheaper yet.
            ("spot", "price-capacity-optimized", [("big", "a"), ("mid", "b"), ("mid", "a")], ["mid a", "big a", "mid b"]),
            # Of equals the one that was named first.
            ("on-demand", "lowest-price", [("x", "b"), ("x", "a")], ["x b", "x a"])]
    for kind, strategy, overrides, expected in rows:
        found = ["%s %s" % p.key[:2] for p in cloud.pools(fleet(kind, strategy, 1, *overrides))]
        assert found == expected, (kind, strategy, found)
    refused("InvalidParameterValue", cloud.pools, fleet("on-demand", "price-capacity-optimized", 1, ("x", "a")))
    refused("InvalidParameterValue", cloud.pools, fleet("spot", "cheapest", 1, ("x", "a")))
    refused("InvalidParameterValue", cloud.pools, fleet("reserved", "lowest-price", 1, ("x", "a")))
    refused("InvalidParameterValue", cloud.pools, fleet("spot", "lowest-price", 1))
    refused("InvalidParameterValue", cloud.fleet, fleet("spot", "lowest-price", 1, ("x", "a"), Type="maintain"))


def came_to(cloud, request):
    got, errors = cloud.fleet(request)
    return ["%s %s" % p.key[:2] for p in got], [("%s %s" % p.key[:2], code) for p, code, _ in errors]


@test
def capacity_runs_out_and_comes_back():
    cloud = Cloud()
    cloud.prices = {("small", "on-demand"): 1, ("large", "on-demand"): 2}
    cloud.capacity = {("small", "a", "on-demand"): 1, ("small", "b", "on-demand"): 0}
    request = fleet("on-demand", "lowest-price", 3, ("small", "a"), ("small", "b"), ("large", "a"))
    # Some, with the errors of those that gave none or too few.
    assert came_to(cloud, request) == (["small a", "large a", "large a"], [("small a", "InsufficientInstanceCapacity"), ("small b", "InsufficientInstanceCapacity")])
    only = fleet("on-demand", "lowest-price", 1, ("small", "a"), ("small", "b"))
    assert came_to(cloud, only) == ([], [("small a", "InsufficientInstanceCapacity"), ("small b", "InsufficientInstanceCapacity")])
    cloud.take(cloud.pools(only)[0], -1)
    assert came_to(cloud, only) == (["small a"], [])
    # Those that are not tried are not complained about.
    assert came_to(cloud, fleet("on-demand", "lowest-price", 1, ("large", "a"), ("small", "b"))) == (["large a"], [("small b", "InsufficientInstanceCapacity")])
    cloud.addresses = {"subnet-a": 1}
    assert came_to(cloud, fleet("on-demand", "lowest-price", 2, ("x", "a"))) == (["x a"], [("x a", "InsufficientFreeAddressesInSubnet")])


@test
def quotas_count_vcpus_by_kind():
    cloud = Cloud()
    cloud.vcpus, cloud.quota = {"big": 8}, {"on-demand": 10, "spot": 7}
    assert came_to(cloud, fleet("on-demand", "lowest-price", 2, ("big", "a"))) == (["big a"], [("big a", "VcpuLimitExceeded")])
    assert came_to(cloud, fleet("on-demand", "lowest-price", 2, ("x", "a"))) == (["x a"], [("x a", "VcpuLimitExceeded")])
    assert came_to(cloud, fleet("spot", "lowest-price", 1, ("big", "a"))) == ([], [("big a", "MaxSpotInstanceCountExceeded")])
    cloud.take(cloud.pools(fleet("on-demand", "lowest-price", 1, ("big", "a")))[0], -1)
    assert came_to(cloud, fleet("on-demand", "lowest-price", 1, ("big", "a"))) == (["big a"], [])


@test
def dry_runs_take_nothing():
    cloud = Cloud()
    cloud.capacity = {("x", "a", "on-demand"): 1}
    no = refused("DryRunOperation", cloud.fleet, fleet("on-demand", "lowest-price", 1, ("x", "a"), DryRun="true"))
    assert no.status == 412 and cloud.capacity == {("x", "a", "on-demand"): 1} and cloud.used["on-demand"] == 0


@test
def tokens_by_action_and_parameters():
    tokens = Tokens()
    form = {"Action": "CreateFleet", "ClientToken": "1", "Type": "instant"}
    assert tokens.find("CreateFleet", form) is None
    tokens.keep("CreateFleet", form, "first")
    assert tokens.find("CreateFleet", dict(form)) == "first"
    refused("IdempotentParameterMismatch", tokens.find, "CreateFleet", {**form, "Type": "request"})
    assert tokens.find("RunInstances", form) is None and tokens.find("CreateFleet", {**form, "ClientToken": "2"}) is None
    nameless = {"Action": "CreateFleet"}
    tokens.keep("CreateFleet", nameless, "second")
    assert tokens.find("CreateFleet", nameless) is None
    tokens.keep("CreateFleet", {"ClientToken": "3", "DryRun": "true"}, "third")
    assert tokens.find("CreateFleet", {"ClientToken": "3", "DryRun": "true"}) is None
    tokens.keep("DescribeInstances", form, "fourth")
    assert tokens.find("DescribeInstances", form) is None


@test
def buckets_by_action():
    rows = [("DescribeInstances", 100, 20), ("CreateFleet", 50, 5), ("RunInstances", 5, 2), ("TerminateInstances", 100, 5), ("CreateTags", 100, 10)]
    buckets = Buckets()
    for action, size, rate in rows:
        for _ in range(size):
            buckets.take(action, 0)
        assert refused("RequestLimitExceeded", buckets.take, action, 0).status == 503
        for _ in range(rate):
            buckets.take(action, 1)
        refused("RequestLimitExceeded", buckets.take, action, 1)
        for _ in range(size):
            buckets.take(action, 1000)
        refused("RequestLimitExceeded", buckets.take, action, 1000)
    # Instances count besides requests, those of fleets too; what is refused takes nothing.
    buckets = Buckets()
    buckets.take("CreateFleet", 0, 900)
    refused("RequestLimitExceeded", buckets.take, "CreateFleet", 0, 101)
    buckets.take("RunInstances", 0, 100)
    refused("RequestLimitExceeded", buckets.take, "RunInstances", 0, 1)
    buckets.take("RunInstances", 1, 2)


FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "deploy", "iam")


def shipped(*names):
    """Policies of one role, as one."""
    statements = []
    for name in names:
        with open(os.path.join(FOLDER, name), encoding="utf-8") as text:
            statements += iam.filled(text.read(), AWS_PARTITION="aws", AWS_REGION="eu-west-1", AWS_ACCOUNT_ID="1", CLUSTER_NAME="shop", NODE_ROLE="nodes")["Statement"]
    return {"Version": "2012-10-17", "Statement": statements}


class Account:
    """One of everything that a launch for NodePool p of shop's class c needs."""
    OURS = {"kubernetes.io/cluster/shop": "owned", "eks:eks-cluster-name": "shop", "karpenter.sh/nodepool": "p", "karpenter.k8s.aws/ec2nodeclass": "c"}

    def __init__(self, tags=None):
        self.of = self.OURS if tags is None else tags

    def tags(self, arn):
        return {**self.of, "topology.kubernetes.io/region": "eu-west-1"} if ":instance-profile/" in arn else self.of

    def template(self, named):
        tag = [{"Key": k, "Value": v} for k, v in self.of.items()]
        return "lt-1", {"ImageId": "ami-1", "NetworkInterface": [{"SecurityGroupId": ["sg-1"]}], "IamInstanceProfile": {"Name": "shop_1"}, "Placement": {"GroupId": "pg-1"},
                        "BlockDeviceMapping": [{"Ebs": {"SnapshotId": "snap-1"}}], "TagSpecification": [{"ResourceType": r, "Tag": tag} for r in ("network-interface", "spot-instances-request")]}

    def profile(self, name):
        return "arn:aws:iam::1:instance-profile/" + name, [self.role("nodes")]

    def role(self, name):
        return "arn:aws:iam::1:role/" + name


def calls(kind="spot", tags=None):
    """(service, action, parameters) of the life of one node, in the order in which it is made."""
    tags = Account.OURS if tags is None else tags
    spec = [{"ResourceType": r, "Tag": [{"Key": k, "Value": v} for k, v in tags.items()]} for r in ("instance", "volume", "fleet")]
    own = [{"Key": k, "Value": v} for k, v in {**tags, "topology.kubernetes.io/region": "eu-west-1"}.items()]
    return [*[("ec2", "Describe" + x, {}) for x in ("Subnets", "SecurityGroups", "Images", "CapacityReservations", "PlacementGroups", "InstanceTypes", "InstanceTypeOfferings",
                                                    "AvailabilityZones", "SpotPriceHistory", "LaunchTemplates", "Instances")],
            ("pricing", "GetProducts", {}), ("ssm", "GetParameter", {"Name": "/aws/service/eks/x/image_id"}), ("eks", "DescribeCluster", {"name": "shop"}),
            ("iam", "GetInstanceProfile", {"InstanceProfileName": "shop_1"}), ("iam", "ListInstanceProfiles", {}),
            ("iam", "CreateInstanceProfile", {"InstanceProfileName": "shop_1", "Path": "/karpenter/eu-west-1/shop/u/", "Tags": {"member": own}}),
            ("iam", "AddRoleToInstanceProfile", {"InstanceProfileName": "shop_1", "RoleName": "nodes"}),
            ("ec2", "CreateLaunchTemplate", {"TagSpecification": [{**spec[0], "ResourceType": "launch-template"}]}),
            ("ec2", "CreateFleet", {"TargetCapacitySpecification": {"DefaultTargetCapacityType": kind}, "TagSpecification": spec, "LaunchTemplateConfigs": [
                {"LaunchTemplateSpecification": {"LaunchTemplateName": "t"}, "Overrides": [{"SubnetId": "subnet-1"}]}]}),
            ("ec2", "TerminateInstances", {"InstanceId": ["i-1"]}), ("ec2", "DeleteLaunchTemplate", {"LaunchTemplateName": "t"}),
            ("iam", "RemoveRoleFromInstanceProfile", {"InstanceProfileName": "shop_1", "RoleName": "nodes"}), ("iam", "DeleteInstanceProfile", {"InstanceProfileName": "shop_1"})]


def needs_of(wanted, account=None):
    needs = iam.Needs("eu-west-1", "1", account or Account())
    return [need for call in wanted for need in needs.of(*call)]


@test
def policies_match_as_iam_does():
    def one(action="ec2:RunInstances", resource="*", effect="Allow", **condition):
        return {"Effect": effect, "Action": action, "Resource": resource, "Condition": condition}
    need = ("ec2:RunInstances", "arn:aws:ec2:r:1:instance/i-1", {"aws:RequestTag/a": "b", "aws:TagKeys": ["a", "c"]})
    rows = [(True, one()), (True, one("EC2:run*")), (False, one("ec2:Run")), (True, one(["x", "*"])), (True, one(resource="arn:aws:ec2:*:1:instance/*")),
            (False, one(resource="arn:aws:ec2:*:1:volume/*")), (False, one(resource="arn:aws:ec2:?:2:instance/*")), (True, one(StringEquals={"AWS:requesttag/a": ["x", "b"]})),
            (False, one(StringEquals={"aws:RequestTag/a": "*"})), (True, one(StringLike={"aws:RequestTag/a": "*"})), (False, one(StringLike={"aws:RequestTag/z": "*"})),
            (False, one(StringEquals={"aws:RequestTag/a": "b", "aws:RequestTag/z": "b"})), (True, one(**{"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "c", "d"]}})),
            (False, one(**{"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}})), (True, one(**{"ForAllValues:StringEquals": {"aws:none": "x"}})), (False, one(resource="[a]*"))]
    for expected, statement in rows:
        assert iam.allows({"Statement": [statement]}, need) == expected, statement
        assert not iam.allows({"Statement": [one(), {**statement, "Effect": "Deny"}]}, need) or not expected, statement
    assert not iam.allows({"Statement": []}, need)


@test
def shipped_policies_allow_a_node_and_nothing_in_them_is_spare():
    full, less = shipped("provisioner-prepare.json", "provisioner-full.json"), shipped("provisioner-prepare.json")
    for policy in (shipped("provisioner-full.json"), less):
        # Of a managed policy IAM takes 6,144 characters: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
        assert len(json.dumps(policy, separators=(",", ":"))) <= 6144
    for kind in ("spot", "on-demand"):
        for need in needs_of(calls(kind)):
            assert iam.allows(full, need), need
    assert iam.unused(full, needs_of(calls())) == []
    mine = [c for c in calls("on-demand") if c[1] not in ("DescribeInstances", "TerminateInstances")]
    for need in needs_of(mine):
        assert iam.allows(less, need), need
    assert iam.unused(less, needs_of(mine)) == []
    # What prepares may not terminate, nor launch spot.
    assert not all(iam.allows(less, n) for n in needs_of([c for c in calls() if c[1] == "CreateFleet"]))
    assert not all(iam.allows(less, n) for n in needs_of([c for c in calls() if c[1] == "TerminateInstances"]))


@test
def shipped_policies_stop_at_the_cluster():
    full = shipped("provisioner-prepare.json", "provisioner-full.json")
    named = {a: c for c in calls() for a in (c[1],)}
    other = {**Account.OURS, "kubernetes.io/cluster/other": "owned", "eks:eks-cluster-name": "other"}
    del other["kubernetes.io/cluster/shop"]
    for action in ("TerminateInstances", "DeleteLaunchTemplate", "AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile", "DeleteInstanceProfile", "CreateFleet"):
        assert not all(iam.allows(full, n) for n in needs_of([named[action]], Account(other))), action
    for service, action, parameters in calls(tags=other):
        if action in ("CreateFleet", "CreateLaunchTemplate", "CreateInstanceProfile"):
            assert not all(iam.allows(full, n) for n in needs_of([(service, action, parameters)])), action
    for service, action, parameters in (("iam", "AddRoleToInstanceProfile", {"InstanceProfileName": "shop_1", "RoleName": "admin"}), ("eks", "DescribeCluster", {"name": "other"}),
                                        ("ssm", "GetParameter", {"Name": "/my/secret"}), ("ec2", "CreateTags", {"ResourceId": ["i-1"], "Tag": [{"Key": "a", "Value": "b"}]})):
        assert not all(iam.allows(full, n) for n in needs_of([(service, action, parameters)])), action
    assert not iam.allows(full, ("iam:PassRole", "arn:aws:iam::1:role/nodes", {"iam:PassedToService": "lambda.amazonaws.com"}))
    assert not iam.allows(full, ("ec2:DescribeInstances", "*", {"aws:RequestedRegion": "us-east-1"}))


failed = 0
print("1..%d" % len(TESTS))
for number, function in enumerate(TESTS, 1):
    name = function.__name__.replace("_", " ")
    try:
        function()
        print("ok %d - %s" % (number, name), flush=True)
    except Exception:                              # the others still count
        failed += 1
        print("not ok %d - %s\n# %s" % (number, name, traceback.format_exc().replace("\n", "\n# ")), flush=True)
sys.exit(1 if failed else 0)
