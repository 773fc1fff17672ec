# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of a large scale-up on a real control plane, for docs/e2e.md: see the scenario `figures` of `aws`. BINPACK_FIGURES=5000 is the number of pods (1000)."""
import collections
import datetime
import json
import os
import time

import full
import scenes
from prepare import wait_for

SIZES = (("250m", "512Mi", 4), ("500m", "2Gi", 3), ("1", "1Gi", 2), ("2", "6Gi", 1))     # and their parts of ten


class Times(list):
    """When the requests of an action came (proxy.faults); nothing befalls them."""

    def __init__(self):
        super().__init__([None])
        self.at = []

    def pop(self, _):
        self.at.append(time.time())


def used(pid):
    """(CPU seconds, resident MiB, most there ever were)."""
    with open("/proc/%d/stat" % pid, encoding="ascii") as text:
        words = text.read().rpartition(")")[2].split()
    with open("/proc/%d/status" % pid, encoding="ascii") as text:
        sizes = dict(line.split(":", 1) for line in text)
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK"), int(sizes["VmRSS"].split()[0]) / 1024, int(sizes["VmHWM"].split()[0]) / 1024


def moment(line):
    return datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00")).timestamp()


def seconds(duration):
    units = {"ms": 0.001, "s": 1, "m": 60}
    unit = "ms" if duration.endswith("ms") else duration[-1]
    return float(duration[:-len(unit)]) * units[unit] if "m" not in duration[:-len(unit)] else 60 * float(duration.split("m")[0]) + float(duration.split("m")[1][:-1])


def at(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def together(plan, pods):
    """Of the pods that were planned onto new nodes the share that runs with those it was planned to be with: for each planned node the real one that has most of them."""
    n = kept = 0
    for node in plan["nodes"]:
        where = collections.Counter(pods[name.split("/")[1]]["spec"].get("nodeName") for name in node["pods"] if name.split("/")[1] in pods)
        n += sum(where.values())
        kept += max(where.values(), default=0)
    return kept / max(1, n)


def calls(world):
    """Of the provisioner since the audit log began, by verb and resource."""
    found = collections.Counter()
    with open(os.path.join(world.cluster.folder, "audit.log"), encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            ref = event.get("objectRef", {})
            found[event["verb"], ref.get("resource", "") + ("/" + ref["subresource"] if "subresource" in ref else "")] += 1
    return found


def figures(aws):
    n_pods = int(os.environ.get("BINPACK_FIGURES", "1000"))

    def body(world):
        catalog, keys = world.priced_catalog(), aws.user_with(full.policy(), "figures")    # signatures and policies, which take moto long, are for the other scenarios
        service = world.start(keys, "--catalog=" + catalog)
        wait_for("the service", service.ready)
        world.until("default", "True")
        world.pool("many", scenes.need(scenes.TYPE, "c5.large", "c5.xlarge", "m5.large", "m5.xlarge", "m5.2xlarge", "m5.4xlarge", "r5.large"))
        fleets = aws.proxy.faults["CreateFleet"] = Times()
        cpu, _, _ = used(service.process.pid)
        before, begun, plans = calls(world), time.monotonic(), {}
        for i, (amount, memory, share) in enumerate(SIZES):
            world.deploy("web-%d" % i, n_pods * share // 10, cpu=amount, memory=memory)

        def bound():
            plan = service.plan()
            if plan is not None and plan["totals"]["newNodes"] > 0:
                plans[plan["inputs"]["now"]] = plan
            if world.admin.ask("GET", "/api/v1/namespaces/default/pods?limit=1&fieldSelector=spec.nodeName%3D")[1]["items"]:
                return False                       # without a list of them all, which would be work for the machine that is measured
            pods = world.pods()
            return len(pods) == n_pods and all("nodeName" in p["spec"] for p in pods.values())
        wait_for("%d pods that are bound" % n_pods, bound, 900)
        took = time.monotonic() - begun
        wait_for(lambda: "claims that are initialized: " + world.story()[:3000], lambda: all("Initialized" in world.true_conditions(c) for c in world.claims().values()), 300)
        after, most = used(service.process.pid), world.pods()
        rounds = [line for line in service.log() if line["message"] == "computed plan" and line["nodeclaims"] > 0]
        closed = [moment(line) - seconds(line["duration"]) for line in rounds]
        waits = [1000 * (t - max(c for c in closed if c <= t)) for t in fleets.at if any(c <= t for c in closed)]
        of_plan = [1000 * (t - max(moment(line) for line in rounds if moment(line) <= t + 0.001)) for t in fleets.at if any(moment(line) <= t + 0.001 for line in rounds)]
        claims = len(world.claims())
        aws.say("%d pods on %d nodes in %d rounds; all bound %.1f s after the first came" % (n_pods, claims, len(rounds), took))
        aws.say("end of the batch window to CreateFleet: p50 %.0f ms, p99 %.0f ms; end of the plan to CreateFleet: p50 %.0f, p99 %.0f ms; plans took %s"
                % (at(waits, 0.5), at(waits, 0.99), at(of_plan, 0.5), at(of_plan, 0.99), ", ".join(line["duration"] for line in rounds)))
        planned = sum(line["usdPerHour"] for line in rounds)
        aws.say("planned $%.3f/h, paid $%.3f/h (%+.2f %%)" % (planned, world.paid(), 100 * (world.paid() / planned - 1)))
        first = plans[min(plans)]
        aws.say("%.1f %% of the pods of the first plan run with those they were planned with" % (100 * together(first, most)))
        aws.say("%.1f s of processor, %.0f MiB resident (%.0f at most)" % (after[0] - cpu, after[1], after[2]))
        asked = calls(world) - before
        writes = {k: v for k, v in asked.items() if k[0] not in ("get", "list", "watch") and "lease" not in k[1] and "ec2nodeclasses" not in k[1]}
        aws.say("writes for each NodeClaim: " + ", ".join("%s %s %.1f" % (*k, v / claims) for k, v in sorted(writes.items())))
        world.everything_goes()
    full.within(aws, body, scenes.World)
