#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds what `binpack` prints as JSON against docs/schema, with python3-jsonschema, and looks for fields that the schemas do not name.

  schemas.py BINPACK SOURCE

SOURCE is the top of the tree; ../shared/cases beside it is planned too when it is there. Prints TAP."""
import glob
import json
import os
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:  # another python3 stands before Debian's in PATH
    if sys.executable == "/usr/bin/python3":
        raise
    os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])

BINPACK, SOURCE = sys.argv[1:3]
SHARED = os.path.join(SOURCE, "..", "shared")
EVERY = 5  # of the scheduling cases: one in so many


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def resolve(schema, root):
    while "$ref" in schema:
        at = root
        for step in schema["$ref"].lstrip("#/").split("/"):
            at = at[step]
        schema = at
    return schema


def unknown(value, schema, root, path="$"):
    """Fields of a value that have no word in the schema."""
    schema = resolve(schema, root)
    if isinstance(value, dict) and "properties" in schema:
        for key, member in value.items():
            if key in schema["properties"]:
                yield from unknown(member, schema["properties"][key], root, path + "." + key)
            else:
                yield path + "." + key
    elif isinstance(value, dict) and isinstance(schema.get("additionalProperties"), dict):
        for key, member in value.items():
            yield from unknown(member, schema["additionalProperties"], root, path + "." + key)
    elif isinstance(value, list) and "items" in schema:
        for item in value:
            yield from unknown(item, schema["items"], root, path + "[]")


def check(name, arguments, validator, codes=(0,)):
    done = subprocess.run([BINPACK, *arguments], capture_output=True, timeout=120)
    assert done.returncode in codes, "%s: exit %d: %s" % (name, done.returncode, done.stderr.decode()[-400:])
    value = json.loads(done.stdout)
    errors = ["%s: %s" % (e.json_path, e.message[:200]) for e in validator.iter_errors(value)]
    errors += ["%s is not in the schema" % p for p in sorted(set(unknown(value, validator.schema, validator.schema)))]
    assert not errors, "%s: %s" % (name, "; ".join(errors[:5]))
    return value


def plans(validator):
    check("examples", ["--simulate", "-f", os.path.join(SOURCE, "examples", "shop"), "-o", "json"], validator, (0, 3))
    running = os.path.join(SOURCE, "examples", "running")
    changed = check("what-if", ["--simulate", "-f", running, "--zone-down=us-east-1a", "--scale=shop/web=12", "--no-spot", "-o", "json"], validator, (3,))
    assert any(a["code"] == "WHAT_IF" for a in changed["assumptions"]) and changed["unschedulable"][0]["reasons"][0]["code"] == "WHAT_IF", changed
    for more in ((), ("--algorithm=karpenter",), ("--reasons=Empty",), ("--remove-node=ip-10-0-1-11.ec2.internal",)):
        round_ = check("disruption", ["--simulate", "-f", running, "--mode=disrupt", *more, "-o", "json"], validator, (0, 3))["disruption"]
        assert round_["keep"] or round_["delete"], round_
    check("nothing", ["--simulate", "-f", os.devnull, "-o", "json"], validator)


def shared_plans(validator):
    cases = sorted(glob.glob(os.path.join(SHARED, "cases", "*", "*", "cluster.yaml")))[::EVERY]
    for cluster in cases:
        case = load(os.path.join(os.path.dirname(cluster), "expect.json"))
        near = os.path.join(os.path.dirname(cluster), "catalog.json")
        catalog = near if os.path.exists(near) else os.path.join(SHARED, "cases", "catalogs", case["catalog"] + ".json")
        check(cluster, ["--simulate", "-f", cluster, "--catalog", catalog, "--mode", case["mode"], "--now", case["now"], "-o", "json"],
              validator, (0, 3))


def explanations(validator):
    pods = ["shop/search-0", "shop/price-sync-0", "ml/trainer-0"]
    value = check("explain", ["explain", *pods, "nodepool/default", "-f", os.path.join(SOURCE, "examples", "shop"), "-o", "json"], validator, (3,))
    assert [p["pod"] for p in value["pods"]] == pods, value
    running = os.path.join(SOURCE, "examples", "running")
    mixed = check("explain of each", ["explain", "shop/report-6f5b-b", "node/ip-10-0-2-21.ec2.internal", "node/ip-10-0-1-12.ec2.internal",
                                      "nodepool/general", "-f", running, "-o", "json"], validator)
    assert len(mixed["nodes"]) == 2 and mixed["nodePools"] and mixed["pods"], mixed
    case = os.path.join(SHARED, "cases", "disrupt-blockers", "node-annotated")
    if os.path.isdir(case):
        nodes = check("explain node", ["explain", "node/n1", "node/n2", "-f", os.path.join(case, "cluster.yaml"), "--catalog", os.path.join(
            SHARED, "cases", "catalogs", load(os.path.join(case, "expect.json"))["catalog"] + ".json"), "--now",
            load(os.path.join(case, "expect.json"))["now"], "-o", "json"], validator)["nodes"]
        assert [n["verdict"] for n in nodes] == ["stays", "goes"] and nodes[0]["withoutBlockers"]["verdict"] == "goes", nodes
    for kind, good in (("spot", True), ("on-demand", True), ("free", False)):
        value["pods"][1]["nodePools"][0]["cheapest"] = [{"instanceType": "a", "zone": "b", "capacityType": kind, "usdPerHour": 1}]
        assert validator.is_valid(value) == good, kind


def comparisons(validator):
    shop = os.path.join(SOURCE, "examples", "shop")
    value = check("compare", ["compare", "-f", shop, "--effort=1", "--with", "karpenter", "--price-constraints", "-o", "json"],
                  validator, (3,))
    assert value["scenarios"][0]["emulated"] and value["constraints"] and value["allConstraints"]
    failed = check("failure", ["compare", "-f", shop, "--effort=1", "--min-pools=2", "--with", "karpenter", "-o", "json"], validator, (1,))
    assert "failure" in failed["scenarios"][0] and "usdPerHour" not in failed["scenarios"][0], failed
    value["base"]["failure"] = "and a plan"
    assert not validator.is_valid(value), "a scenario both fails and has a plan"


def differences(validator):
    shop = os.path.join(SOURCE, "examples", "shop")
    value = check("diff", ["diff", shop, os.path.join(shop, "40-workloads.yaml"), "--effort=1", "-o", "json"], validator)
    assert value["nodes"], value
    value["nodes"][0]["change"] = "replace"
    assert not validator.is_valid(value), "the schema takes a change that there is not"


def class_of(family, folder):
    """A file with an EC2NodeClass of that family, with a status, and a NodePool of it."""
    meta, spec = {"name": "c"}, {"amiFamily": family, "amiSelectorTerms": [{"id": "ami-0"}], "role": "r", "tags": {"team": "web"},
                                 "subnetSelectorTerms": [{"tags": {"a": "b"}}], "securityGroupSelectorTerms": [{"name": "g"}]}
    status = {"amis": [{"id": "ami-0", "name": "n", "requirements": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}]}],
              "subnets": [{"id": "subnet-0", "zone": "us-east-1a", "zoneID": "use1-az1"}], "securityGroups": [{"id": "sg-0", "name": "g"}],
              "instanceProfile": "p", "capacityReservations": [{"availabilityZone": "us-east-1a", "id": "cr-0", "instanceMatchCriteria": "open",
                                                                "instanceType": "m5.large", "ownerID": "1", "reservationType": "default"}]}
    pool = {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": "p"}, "spec": {"template": {"spec": {
        "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "c"}, "requirements": []}}}}
    path = os.path.join(folder, family + ".json")
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": meta, "spec": spec, "status": status}, pool]}, out)
    return path


def of_classes(action, validator):
    for family in ("AL2", "AL2023", "Bottlerocket", "Windows2019", "Windows2022", "Windows2025", "Custom"):
        with tempfile.TemporaryDirectory() as folder:
            value = check(family, ["nodeclass", action, "-f", class_of(family, folder), "--kubernetes-version=1.33", "-o", "json"], validator)
        assert value["amiFamily"] == family and value["nodePool"] == "p", value
    return value


def class_reports(validator):
    value = of_classes("show", validator)
    assert value["questions"] and value["status"]["subnets"] and value["launchTemplate"], value
    value["hash"]["v6"] = 7
    assert not validator.is_valid(value), "a hash is no number: JSON readers would round it"


def user_data(validator):
    value = of_classes("userdata", validator)
    value["bytes"] = -1
    assert not validator.is_valid(value), "less than no bytes"


def catalogs(validator):
    check("embedded", ["catalog", "list", "-o", "json"], validator)
    for error in validator.iter_errors({"apiVersion": "binpack/v1", "kind": "Catalog", "zones": [], "instanceTypes": [{}]}):
        return
    raise AssertionError("the schema takes an instance type without a name")


def main():
    schemas = {name: load(os.path.join(SOURCE, "docs", "schema", name + ".v1.json")) for name in ("plan", "catalog", "explain", "compare", "diff", "nodeclassreport",
                                                                                                    "userdata")}
    validators = {}
    for name, schema in schemas.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        validators[name] = jsonschema.Draft202012Validator(schema)
    tests = [("plans", plans, "plan"), ("plans of the cases", shared_plans, "plan"), ("catalogue", catalogs, "catalog"),
             ("explanations", explanations, "explain"), ("comparisons", comparisons, "compare"),
             ("differences", differences, "diff"), ("reports of node classes", class_reports, "nodeclassreport"), ("user data", user_data, "userdata")]
    print("1..%d" % len(tests))
    failed = 0
    for i, (name, test, schema) in enumerate(tests, 1):
        if test is shared_plans and not os.path.isdir(os.path.join(SHARED, "cases")):
            print("ok %d - %s # SKIP no %s/cases" % (i, name, SHARED))
            continue
        try:
            test(validators[schema])
            print("ok %d - %s" % (i, name))
        except AssertionError as e:
            failed += 1
            print("not ok %d - %s\n# %s" % (i, name, str(e).replace("\n", "\n# ")))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
