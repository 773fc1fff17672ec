#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`binpack nodeclass show --resolve` against a server of our own that filters as EC2 does: the status that selectors come to, and the condition and message of
each class that does not become ready, in Karpenter's words. Prints TAP.

  nodeclass.py BINPACK [NAME...]
"""
import fnmatch
import json
import os
import subprocess
import sys
import tempfile
import time

from aws_server import AwsServer, Refusal, iso
from kubelets import FAMILIES, KUBELETS

BINPACK = os.path.abspath(sys.argv[1])
TESTS = {}
GOOD = {"AWS_ACCESS_KEY_ID": "AKIDGOOD", "AWS_SECRET_ACCESS_KEY": "hush-1"}
EKS = "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/"


def test(function):
    TESTS[function.__name__.replace("_", " ")] = function
    return function


def tags_of(thing):
    return {t["key"]: t["value"] for t in thing.get("tagSet", [])}


def tagged(**tags):
    return [{"key": k, "value": v} for k, v in tags.items()]


class World(AwsServer):
    """Lists of things as EC2's XML has them; filters by `fields`, tag:KEY and tag-key."""
    KINDS = {"DescribeSubnets": ("subnetSet", "subnets", {"subnet-id": "subnetId"}),
             "DescribeSecurityGroups": ("securityGroupInfo", "groups", {"group-id": "groupId", "group-name": "groupName"}),
             "DescribeImages": ("imagesSet", "images", {"image-id": "imageId", "name": "name", "state": "imageState"}),
             "DescribeCapacityReservations": ("capacityReservationSet", "reservations", {"state": "state", "owner-id": "ownerId", "instance-match-criteria": "instanceMatchCriteria"}),
             "DescribePlacementGroups": ("placementGroupSet", "placement", {"state": "state"})}

    def __init__(self):
        super().__init__()
        self.subnets = [{"subnetId": "subnet-%d" % i, "availabilityZone": "eu-west-1" + "abc"[i % 3], "availabilityZoneId": "euw1-az%d" % (i % 3 + 1),
                         "availableIpAddressCount": n, "state": "available", "vpcId": "vpc-1", "tagSet": tagged(cluster="x", tier="a" if i % 2 else "b")}
                        for i, n in enumerate((10, 200, 10, 40, 250))]
        self.groups = [{"groupId": "sg-%d" % i, "groupName": "group-%d" % i, "vpcId": "vpc-1", "tagSet": tagged(cluster="x", n=str(i))} for i in (3, 1, 2)]
        self.images = [self.image(*row) for row in (
            ("ami-std", "x86_64", "2026-08-01"), ("ami-nvidia", "x86_64", "2026-08-01"), ("ami-arm", "arm64", "2026-08-03"), ("ami-mac", "x86_64_mac", "2026-09-01"),
            ("ami-old", "x86_64", "2026-01-01"), ("ami-new", "x86_64", "2026-02-01"), ("ami-gone", "x86_64", "2026-03-01", -3600), ("ami-later", "arm64", "2026-01-05", 3600))]
        self.reservations = [{"capacityReservationId": "cr-%d" % i, "ownerId": "123456789012", "availabilityZone": "eu-west-1a", "instanceType": "m5.large", "state": "active",
                              "instanceMatchCriteria": "open" if i % 2 else "targeted", "reservationType": kind, "interruptible": "false",
                              **({"endDate": iso(end)} if end else {}), "tagSet": tagged(r="1")}
                             for i, (kind, end) in enumerate((("default", None), ("capacity-block", 1800), ("capacity-block", 7200), ("default", -60), ("of-the-future", None)))]
        self.placement = [{"groupName": "near", "groupId": "pg-1", "state": "available", "strategy": "cluster"}]
        self.parameters = {EKS + "x86_64/standard/recommended/image_id": "ami-std", EKS + "x86_64/nvidia/recommended/image_id": "ami-nvidia",
                           EKS + "arm64/standard/recommended/image_id": "ami-arm", "/my/ami": "ami-new", "/my/other": "no image"}
        self.profiles = {"profile-r": "r"}

    @staticmethod
    def image(name, arch, day, deprecated_s=None):
        image = {"imageId": name, "name": "name-" + name, "imageState": "available", "architecture": arch, "creationDate": day + "T00:00:00.000Z", "tagSet": tagged(kind=name[4:7])}
        return image if deprecated_s is None else {**image, "deprecationTime": iso(deprecated_s)}

    def ec2(self, action, form):
        if action == "GetInstanceProfile":
            role = self.profiles[form["InstanceProfileName"]]
            return {"GetInstanceProfileResult": {"InstanceProfile": {"InstanceProfileName": form["InstanceProfileName"], "Roles": {"member": {"RoleName": role, "RoleId": "AROA", "Path": "/",
                    "Arn": "arn:aws:iam::1:role/" + role, "CreateDate": "2026-01-01T00:00:00Z"}}}}}
        if action not in self.KINDS:
            return super().ec2(action, form)
        element, attribute, fields = self.KINDS[action]
        found = getattr(self, attribute)
        i = 1
        while "Filter.%d.Name" % i in form:
            name, values = form["Filter.%d.Name" % i], [v for k, v in form.items() if k.startswith("Filter.%d.Value." % i)]
            if name.startswith("tag:"):
                found = [t for t in found if tags_of(t).get(name[4:]) in values]
            elif name == "tag-key":
                found = [t for t in found if set(values) & set(tags_of(t))]
            else:
                found = [t for t in found if any(fnmatch.fnmatchcase(t[fields[name]], v) for v in values)]
            i += 1
        wanted = [v for k, v in form.items() if k.startswith(("CapacityReservationId.", "GroupId.", "GroupName."))]
        keys = {"DescribeCapacityReservations": ("capacityReservationId",), "DescribePlacementGroups": ("groupId", "groupName")}.get(action, ())
        if wanted and keys:
            found = [t for t in found if any(t[k] in wanted for k in keys)]
            if not found:
                raise Refusal(400, "InvalidCapacityReservationId.NotFound" if "Reservation" in action else "InvalidPlacementGroup.Unknown", "no such thing")
        if action == "DescribePlacementGroups":
            return {element: found}
        found, token = self.page_of(found, form.get("NextToken"))
        return {element: found, "nextToken": token or ""}

    def prices(self, parameters):
        value = self.parameters.get(parameters["Name"])
        if value is None:
            raise Refusal(400, "ParameterNotFound", "")
        return {"Parameter": {"Name": parameters["Name"], "Type": "String", "Value": value, "Version": 1}}


def nodeclass(status=None, **spec):
    value = {"apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": {"name": "c"}, "spec": {
        "instanceProfile": "p", "amiSelectorTerms": [{"alias": "al2023@latest"}], "subnetSelectorTerms": [{"tags": {"cluster": "x"}}],
        "securityGroupSelectorTerms": [{"tags": {"cluster": "x"}}], **{k: v for k, v in spec.items()}}}
    value["spec"] = {k: v for k, v in value["spec"].items() if v is not None}
    return {**value, "status": status} if status else value


def resolve(world, value, *words, code=0, **extra):
    with tempfile.TemporaryDirectory() as home:
        env = {"HOME": home, "PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": world.url, "AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true",
               **{k: v for k, v in os.environ.items() if k.startswith(("ASAN", "UBSAN"))}, **GOOD, **extra}
        done = subprocess.run([BINPACK, "nodeclass", "show", "--resolve", "-o", "json", "-f", "-", *words], input=json.dumps(value), env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, "exit %d: %s" % (done.returncode, done.stderr)
    assert "hush" not in done.stderr
    return (json.loads(done.stdout), done.stderr) if code == 0 else (None, done.stderr)


def conditions_of(value):
    return {c["type"]: (c["status"], c["reason"], c["message"]) for c in value["status"]["conditions"]}


@test
def a_class_becomes_ready():
    world = World()
    value, _ = resolve(world, nodeclass(placementGroupSelector={"name": "near"}))
    conditions = conditions_of(value)
    assert conditions.pop("ValidationSucceeded") == ("True", "DryRunDisabled", "EC2 was not asked to try a launch")
    assert value["ready"] == "True" and all(c == ("True", t, "") for t, c in conditions.items()), value["status"]["conditions"]
    assert list(conditions_of(value)) == ["AMIsReady", "SubnetsReady", "SecurityGroupsReady", "InstanceProfileReady", "ValidationSucceeded", "PlacementGroupReady", "CapacityReservationsReady"]
    status = value["status"]
    assert [s["id"] for s in status["subnets"]] == ["subnet-4", "subnet-1", "subnet-3", "subnet-0", "subnet-2"] and status["subnets"][0] == {
        "id": "subnet-4", "zone": "eu-west-1b", "zoneID": "euw1-az2"}, status["subnets"]
    assert status["securityGroups"] == [{"id": "sg-%d" % i, "name": "group-%d" % i} for i in (1, 2, 3)] and status["instanceProfile"] == "p"
    arch, gpu, accelerator = ({"key": k, "operator": o} for k, o in (("kubernetes.io/arch", "In"), ("karpenter.k8s.aws/instance-gpu-count", "DoesNotExist"),
                                                                     ("karpenter.k8s.aws/instance-accelerator-count", "DoesNotExist")))
    assert [(i["id"], i["requirements"]) for i in status["amis"]] == [
        ("ami-arm", [{**arch, "values": ["arm64"]}, gpu, accelerator]), ("ami-nvidia", [{**arch, "values": ["amd64"]}, {**gpu, "operator": "Exists"}]),
        ("ami-std", [{**arch, "values": ["amd64"]}, gpu, accelerator])], status["amis"]
    data = value["launchTemplate"]["LaunchTemplateData"]
    assert data["ImageId"] == "ami-std" and data["Placement"]["GroupId"] == "pg-1" and data["NetworkInterfaces"][0]["Groups"] == ["sg-1", "sg-2", "sg-3"]
    asked = [a for a, _, _ in world.asked]
    assert asked.count("GetParameter") == 5 and asked.count("DescribeSubnets") == 3 and "DescribeCapacityReservations" not in asked, asked


@test
def terms_together():
    world = World()
    value, _ = resolve(world, nodeclass(
        subnetSelectorTerms=[{"id": "subnet-4"}, {"tags": {"tier": "b", "cluster": "*"}}], securityGroupSelectorTerms=[{"name": "group-1"}, {"id": "sg-1"}, {"tags": {"n": "3"}}],
        amiSelectorTerms=None, amiFamily="AL2"), code=0)
    assert [s["id"] for s in value["status"]["subnets"]] == ["subnet-4", "subnet-0", "subnet-2"] and [g["id"] for g in value["status"]["securityGroups"]] == ["sg-1", "sg-3"]
    for terms, expected in (([{"id": "ami-old"}, {"id": "ami-new"}], ["ami-new"]), ([{"name": "name-ami-*"}], ["ami-arm", "ami-std"]), ([{"id": "ami-gone"}, {"id": "ami-old"}], ["ami-old"]),
                            ([{"id": "ami-gone"}], ["ami-gone"]), ([{"tags": {"kind": "lat"}}, {"tags": {"kind": "old"}}], ["ami-later", "ami-old"]),
                            ([{"ssmParameter": "/my/ami"}, {"ssmParameter": "/my/other"}, {"ssmParameter": "/my/none"}, {"id": "ami-old"}], ["ami-new"])):
        value, _ = resolve(world, nodeclass(amiSelectorTerms=terms, amiFamily="AL2023"))
        assert [i["id"] for i in value["status"]["amis"]] == expected, (terms, value["status"]["amis"])
        assert [i.get("deprecated") for i in value["status"]["amis"]] == [True if i == "ami-gone" else None for i in expected]


@test
def reservations():
    world = World()
    value, _ = resolve(world, nodeclass(capacityReservationSelectorTerms=[{"tags": {"r": "*"}}, {"id": "cr-0"}]))
    found = {r["id"]: (r["reservationType"], r["state"], r["instanceMatchCriteria"]) for r in value["status"]["capacityReservations"]}
    assert found == {"cr-0": ("default", "active", "targeted"), "cr-1": ("capacity-block", "expiring", "open"), "cr-2": ("capacity-block", "active", "targeted")}, found
    value, _ = resolve(world, nodeclass(capacityReservationSelectorTerms=[{"id": "cr-9"}]))
    assert "capacityReservations" not in value["status"] and conditions_of(value)["CapacityReservationsReady"][0] == "True"


NOTHING = "did not match any"
BROKEN = [
    (dict(subnetSelectorTerms=[{"tags": {"cluster": "y"}}]), "SubnetsReady", "SubnetsNotFound", "SubnetSelector did not match any Subnets"),
    (dict(subnetSelectorTerms=[{"id": "subnet-99"}]), "SubnetsReady", "SubnetsNotFound", "SubnetSelector did not match any Subnets"),
    (dict(securityGroupSelectorTerms=[{"tags": {"cluster": "x", "n": "9"}}]), "SecurityGroupsReady", "SecurityGroupsNotFound", "SecurityGroupSelector did not match any SecurityGroups"),
    (dict(securityGroupSelectorTerms=[{"name": "nobody"}]), "SecurityGroupsReady", "SecurityGroupsNotFound", "SecurityGroupSelector did not match any SecurityGroups"),
    (dict(amiSelectorTerms=[{"id": "ami-99"}], amiFamily="AL2023"), "AMIsReady", "AMINotFound", "AMISelector did not match any AMIs"),
    (dict(amiSelectorTerms=[{"id": "ami-mac"}], amiFamily="AL2023"), "AMIsReady", "AMINotFound", "AMISelector did not match any AMIs"),
    (dict(amiSelectorTerms=[{"ssmParameter": "/my/other"}], amiFamily="AL2023"), "AMIsReady", "AMINotFound", "AMISelector did not match any AMIs"),
    (dict(amiSelectorTerms=[{"alias": "al2023@v1"}]), "AMIsReady", "AMINotFound", "AMISelector did not match any AMIs"),
    (dict(amiSelectorTerms=[{"alias": "bottlerocket@latest"}]), "AMIsReady", "AMINotFound", "AMISelector did not match any AMIs"),
    (dict(amiSelectorTerms=[{"alias": "al2@latest"}]), "AMIsReady", "UnsupportedAlias", "AL2 aliases are no longer supported on EKS 1.33+ (see "
     "https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions-standard.html#kubernetes-1-33)"),
    (dict(amiSelectorTerms=[{"alias": "windows2025@latest"}]), "AMIsReady", "UnsupportedAlias", "Windows Server 2025 requires EKS version 1.35 or higher, current version: 1.34"),
    (dict(placementGroupSelector={"name": "far"}), "PlacementGroupReady", "PlacementGroupNotFound", 'Placement group "far" not found'),
    (dict(placementGroupSelector={"id": "pg-9"}), "PlacementGroupReady", "PlacementGroupNotFound", 'Placement group "pg-9" not found'),
]


@test
def broken_classes():
    world = World()
    for spec, condition, reason, message in BROKEN:
        value, _ = resolve(world, nodeclass(**spec))
        conditions = conditions_of(value)
        assert value["ready"] == "False" and conditions[condition] == ("False", reason, message), (spec, conditions)
        validation = conditions.pop("ValidationSucceeded")
        waits = ("False", "DependenciesNotReady", "Awaiting AMI, Instance Profile, Security Group, and Subnet resolution")
        assert validation == waits if condition != "PlacementGroupReady" else validation[0] == "True", (spec, validation)
        assert all(c[0] == "True" for t, c in conditions.items() if t != condition), (spec, conditions)


@test
def refusals_leave_conditions_unknown():
    for action, condition in (("DescribeSubnets", "SubnetsReady"), ("DescribeSecurityGroups", "SecurityGroupsReady"), ("DescribeImages", "AMIsReady"), ("GetParameter", "AMIsReady"),
                              ("DescribeCapacityReservations", "CapacityReservationsReady")):
        world = World()
        world.denied = {action}
        value, said = resolve(world, nodeclass(capacityReservationSelectorTerms=[{"id": "cr-0"}]))
        conditions = conditions_of(value)
        service = "ssm" if action == "GetParameter" else "ec2"
        assert value["ready"] == "Unknown" and conditions[condition][:2] == ("Unknown", "AwaitingReconciliation"), conditions
        assert "the IAM policy must allow %s:%s" % (service, action) in conditions[condition][2] and "the IAM policy must allow" in said, conditions
        validation = conditions.pop("ValidationSucceeded")
        assert validation[:2] == (("Unknown", "DependenciesNotReady") if "Reservations" not in action else ("True", "DryRunDisabled")), validation
        assert all(c[0] == "True" for t, c in conditions.items() if t != condition), conditions
    world = World()
    world.denied = {"DescribePlacementGroups"}
    value, _ = resolve(world, nodeclass(placementGroupSelector={"name": "near"}))
    assert conditions_of(value)["PlacementGroupReady"] == ("False", "PlacementGroupResolutionFailed", "Failed to resolve placement group")


def validation(world, family, kubelet):
    """Only the condition: what cannot be read at all has no user data, and the program says so."""
    value, _ = resolve(world, nodeclass(amiFamily=family, amiSelectorTerms=[{"id": "ami-new"}], kubelet=kubelet))
    return conditions_of(value)["ValidationSucceeded"]


@test
def settings_of_the_kubelet():
    world = World()
    for kubelet, reason, message in KUBELETS:
        found = validation(world, "AL2023", kubelet)
        assert found == ("False", reason, message), (kubelet, found)
    for family, kubelet, reason, message in FAMILIES:
        found = validation(world, family, kubelet)
        assert found[1:] == (reason, message) and (found[0] == "True") == (reason == "DryRunDisabled"), (family, kubelet, found)


@test
def instance_profiles():
    world = World()
    role = dict(instanceProfile=None, role="path/of/r")
    value, _ = resolve(world, nodeclass(status={"instanceProfile": "profile-r"}, **role))
    assert conditions_of(value)["InstanceProfileReady"][0] == "True" and value["status"]["instanceProfile"] == "profile-r"
    for status in (None, {"instanceProfile": "profile-r"}):
        value, _ = resolve(world, nodeclass(status=status, instanceProfile=None, role="another"))
        assert conditions_of(value)["InstanceProfileReady"] == ("Unknown", "AwaitingReconciliation", 'no instance profile with role "another" yet'), value
        assert value["ready"] == "Unknown"


@test
def no_way_to_aws():
    world = World()
    assert "bad credentials" in resolve(world, nodeclass(), code=1, AWS_SECRET_ACCESS_KEY="wrong")[1]
    assert "region" in resolve(world, nodeclass(), code=1, AWS_REGION="")[1]
    started = time.monotonic()
    value, _ = resolve(world, nodeclass(), "--region", "eu-central-1")
    assert value["ready"] == "True" and time.monotonic() - started < 60


def main():
    wanted = sys.argv[2:]
    tests = {name: f for name, f in TESTS.items() if not wanted or name in wanted}
    print("1..%d" % len(tests))
    failed = 0
    for i, (name, function) in enumerate(tests.items(), 1):
        try:
            function()
            print("ok %d - %s" % (i, name))
        except Exception as e:
            failed += 1
            print("not ok %d - %s\n# %s" % (i, name, (type(e).__name__ + ": " + str(e)).replace("\n", "\n# ")[:3000]))
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
