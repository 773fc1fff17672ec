# SPDX-License-Identifier: GPL-3.0-or-later
"""Launches as EC2 does them, as values: allocation strategies, capacity, quotas, client tokens, buckets. No sockets, no clock. The rules stand in rules.json."""
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "wire"))
from aws_server import Refusal  # noqa: E402

with open(os.path.join(HERE, "rules.json"), encoding="utf-8") as _text:
    RULES = json.load(_text)
DONE = set()                                       # the rules that something carries out


def rule(*names):
    """Marks what carries out a rule of rules.json."""
    assert all(n in RULES for n in names), names
    DONE.update(names)
    return lambda thing: thing


def tree_of(form):
    """The parameters of a query as a tree: members by name, lists in the order of their numbers."""
    root = {}
    for key, value in form.items():
        at = root
        *way, last = key.split(".")
        for word in way:
            at = at.setdefault(word, {})
        at[last] = value

    def listed(node):
        if not isinstance(node, dict):
            return node
        if node and all(re.fullmatch(r"\d+", k) for k in node):
            return [listed(node[k]) for k in sorted(node, key=int)]
        return {k: listed(v) for k, v in node.items()}
    return listed(root)


@rule("tokens")
class Tokens:
    """Answers by client token."""

    def __init__(self):
        self.answers = {}

    def find(self, action, form):
        """The answer of the first time, None when there was none; Refusal when its parameters were others."""
        token = form.get("ClientToken")
        if not token or action not in RULES["tokens"]["actions"] or (action, token) not in self.answers:
            return None
        before, answer = self.answers[action, token]
        if before != form:
            raise Refusal(400, "IdempotentParameterMismatch", "Client token already used before.")
        return answer

    def keep(self, action, form, answer):
        if form.get("ClientToken") and action in RULES["tokens"]["actions"] and form.get("DryRun") != "true":
            self.answers[action, form["ClientToken"]] = (dict(form), answer)


@rule("throttling")
class Buckets:
    """Tokens by action; `now` is in seconds and never runs backwards."""

    def __init__(self):
        self.left = {}

    def take(self, action, now, instances=0):
        rules = RULES["throttling"]
        needed = [(("requests", action), rules["requests"].get(action, rules["reads" if action.startswith(("Describe", "Get")) else "writes"]), 1)]
        resource = "RunInstances" if action == "CreateFleet" else action
        if instances and resource in rules["resources"]:
            needed.append((("resources", resource), rules["resources"][resource], instances))
        levels = []
        for key, (size, rate), n in needed:
            level, since = self.left.get(key, (size, now))
            level = min(size, level + (now - since) * rate)
            if level < n:
                raise Refusal(503, "RequestLimitExceeded", "Request limit exceeded.")
            levels.append((key, level - n))
        for key, level in levels:
            self.left[key] = (level, now)


class Pool:
    """Machines of one instance type, in one zone, of one kind ("on-demand" or "spot"), as an override names them."""

    def __init__(self, cloud, config, override, kind, order):
        self.template = config["LaunchTemplateSpecification"]
        self.override, self.kind, self.order = override, kind, order
        self.key = (override["InstanceType"], override.get("AvailabilityZone", ""), kind)
        self.price = cloud.price(*self.key)
        self.depth = cloud.capacity.get(self.key, cloud.ENOUGH)
        self.priority = float(override.get("Priority", "inf"))


def by_price(pools):
    return sorted(pools, key=lambda p: (p.price, p.order))


def by_capacity(pools):
    return sorted(pools, key=lambda p: (-p.depth, p.order))


def by_priority(pools):
    return sorted(pools, key=lambda p: (p.priority, p.order))


def by_price_and_capacity(pools):
    deepest = max(p.depth for p in pools)
    deep = [p for p in pools if 2 * p.depth >= deepest]
    return by_price(deep) + by_price([p for p in pools if p not in deep])


def by_capacity_and_priority(pools):
    """Capacity first: priorities count among pools as deep as each other."""
    return sorted(pools, key=lambda p: (-p.depth, p.priority, p.order))


STRATEGIES = rule("strategies")({
    "on-demand": {"lowest-price": by_price, "prioritized": by_priority},
    "spot": {"lowest-price": by_price, "capacity-optimized": by_capacity, "capacity-optimized-prioritized": by_capacity_and_priority,
             "price-capacity-optimized": by_price_and_capacity}})


@rule("capacity", "quotas", "dry_runs")
class Cloud:
    ENOUGH = 10**6

    def __init__(self):
        self.prices = {}                           # by (type, zone, kind), or (type, kind)
        self.capacity = {}                         # by (type, zone, kind): machines left; absent: enough
        self.addresses = {}                        # by subnet; absent: enough
        self.vcpus = {}                            # by type; absent: 2
        self.quota = {}                            # vCPUs by kind; absent: enough
        self.used = {"on-demand": 0, "spot": 0}

    def price(self, name, zone, kind):
        return self.prices.get((name, zone, kind), self.prices.get((name, kind), 1.0 if kind == "on-demand" else 0.4))

    def pools(self, tree):
        kind = tree["TargetCapacitySpecification"].get("DefaultTargetCapacityType", "on-demand")
        pools = [(c, o) for c in tree["LaunchTemplateConfigs"] for o in c.get("Overrides", [])]
        if kind not in STRATEGIES or not pools:
            raise Refusal(400, "InvalidParameterValue", "the capacity type %s, with %d overrides" % (kind, len(pools)))
        options = tree.get("SpotOptions" if kind == "spot" else "OnDemandOptions", {})
        strategy = options.get("AllocationStrategy", "lowest-price")
        if strategy not in STRATEGIES[kind]:
            raise Refusal(400, "InvalidParameterValue", "'%s' is no allocation strategy for %s" % (strategy, kind))
        return STRATEGIES[kind][strategy]([Pool(self, c, o, kind, i) for i, (c, o) in enumerate(pools)])

    def shortage(self, pool):
        """Why there is no machine of the pool: (code, message), or None."""
        name, zone, kind = pool.key
        if self.used[kind] + self.vcpus.get(name, 2) > self.quota.get(kind, self.ENOUGH):
            if kind == "spot":
                return "MaxSpotInstanceCountExceeded", "Max spot instance count exceeded"
            return "VcpuLimitExceeded", "You have requested more vCPU capacity than your current vCPU limit of %d allows for the instance bucket that the specified instance type belongs to." % self.quota[kind]
        if self.capacity.get(pool.key, self.ENOUGH) <= 0:
            return "InsufficientInstanceCapacity", "We currently do not have sufficient %s capacity in the Availability Zone you requested (%s)." % (name, zone)
        if self.addresses.get(pool.override.get("SubnetId"), self.ENOUGH) <= 0:
            return "InsufficientFreeAddressesInSubnet", "There are not enough free addresses in subnet '%s' to satisfy the requested number of instances." % pool.override["SubnetId"]
        return None

    def take(self, pool, sign):
        name, _, kind = pool.key
        self.used[kind] += sign * self.vcpus.get(name, 2)
        for counts, key in ((self.capacity, pool.key), (self.addresses, pool.override.get("SubnetId"))):
            if key in counts:
                counts[key] -= sign

    def fleet(self, tree):
        """What an instant fleet comes to: ([pool of each machine], [(pool, code, message)]). What it takes is no longer there."""
        if tree.get("Type") != "instant":
            raise Refusal(400, "InvalidParameterValue", "only instant fleets are known here, not '%s'" % tree.get("Type"))
        pools = self.pools(tree)
        total = int(tree["TargetCapacitySpecification"]["TotalTargetCapacity"])
        if tree.get("DryRun") == "true":
            raise Refusal(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
        got, errors = [], []
        for pool in pools:
            while len(got) < total:
                why = self.shortage(pool)
                if why is not None:
                    errors.append((pool, *why))
                    break
                self.take(pool, 1)
                got.append(pool)
        return got, errors
