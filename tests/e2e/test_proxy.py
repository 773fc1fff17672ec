#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of rules.json as far as they need no socket: launches.py. Prints TAP."""
import sys
import traceback

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
