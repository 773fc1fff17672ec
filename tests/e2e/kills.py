# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at every outgoing call of a scale-up, before it is done and after it, all of them enumerated. See the scenario `kills` of `aws`.

BINPACK_KILLS=all tries each call, which takes some minutes; else a third of them is tried before and another third after, and CreateFleet.
"""
import os
import time

import full
import launches
from full import CLAIM_TAG
from gate import Gate
from prepare import CLAIMS, wait_for

CALLS = ("CreateLaunchTemplate", "CreateFleet", "DescribeInstances", "TerminateInstances")
CPU = "1500m"                                      # more than half of the smallest machine: a node for each pod


class Killer:
    """Counts the calls of the service that change something or look for what it has launched; at the one that is asked for it kills it."""

    def __init__(self, world):
        self.world, self.calls, self.at, self.moment, self.hit = world, [], 0, None, None
        world.gate.fate = self.of_write
        for action in CALLS:
            world.aws.proxy.faults[action] = Hook(self, action)

    def arm(self, at, moment):
        """`at`: the number of the call, from 1, or its name."""
        self.calls, self.at, self.moment, self.hit = [], at, moment, None

    def fate(self, what):
        """Of the call that comes now: (moment, what happens then), or None."""
        self.calls.append(what)
        if self.at not in (len(self.calls), what) or self.hit is not None:
            return None
        self.hit = what
        return self.moment, self.kill

    def kill(self):
        self.world.services[-1].process.kill()
        self.world.services[-1].process.wait()

    def of_write(self, method, path):
        aside = ("/leases", "/events", "ec2nodeclasses", "nodepools")
        if method == "GET" or any(words in path for words in aside):
            return None                            # what is read, told, or kept of NodePools and their classes at its own pace
        parts = path.split("?")[0].strip("/").split("/")
        return self.fate("%s %s" % (method, "/".join(p for p in parts if p in ("nodeclaims", "nodes", "status"))))


class Hook(list):
    """What befalls the next request of an action (proxy.faults): nothing, but for the call that is asked for."""

    def __init__(self, killer, action):
        super().__init__([None])
        self.killer, self.action = killer, action

    def pop(self, _):
        return self.befall

    def befall(self, handler):
        """True: the request goes on. Dry runs are not of a scale-up, and collecting goes by the cluster's tag."""
        aside = handler.form.get("DryRun") == "true" or "tag:eks:eks-cluster-name" in handler.form.values()
        fate = None if aside else self.killer.fate(self.action)
        if fate is None:
            return True
        moment, kill = fate
        if moment == "before":
            kill()
            handler.end_here(reset=False)
            return False
        end = handler.end_here

        def kill_then_end(reset):
            kill()
            end(reset)
        handler.end_here, handler.is_lost = kill_then_end, True
        return True


class Forgetful(launches.Tokens):
    """An EC2 that knows no tokens: what the test must find."""

    def find(self, action, form):
        return None


class World(full.World):
    gate = None

    def config(self):
        self.gate = self.gate or Gate(self.cluster)
        return self.gate.config(super().config())

    def close(self, wipe):
        if self.gate is not None:
            self.gate.close()
        super().close(wipe)

    def bought(self):
        """The claims of all machines that there ever were."""
        pages = self.aws.moto.client("ec2").get_paginator("describe_instances").paginate()
        tags = [{t["Key"]: t["Value"] for t in i.get("Tags", [])} for p in pages for r in p["Reservations"] for i in r["Instances"]]
        return [t[CLAIM_TAG] for t in tags if CLAIM_TAG in t]

    def run_one_more(self, name, begin):
        """A pod that needs a node; the service is started again when it has been killed. True: it was."""
        self.deploy(name, 1, cpu=CPU)
        killed = False
        self.names.append(name)

        def done():
            nonlocal killed
            if self.services[-1].process.poll() is not None:
                killed = True
                begin()
            claims, pods = self.claims(), self.pods()
            return len(pods) == len(self.names) == len(claims) and all(p["status"].get("phase") == "Running" for p in pods.values()) \
                and all("Initialized" in self.true_conditions(c) for c in claims.values())
        wait_for(lambda: "%s runs: %s" % (name, self.story()), done, 120)
        self.until_whole()
        bought = self.bought()
        assert sorted(bought) == sorted(self.claims()), (bought, sorted(self.claims()))
        return killed

    def kill_at(self, killer, at, moment, begin):
        """Whether a scale-up has that call. It is that of a program that has just been started, in an account without templates."""
        ec2 = self.aws.moto.client("ec2")
        killer.kill()
        for template in ec2.describe_launch_templates()["LaunchTemplates"]:
            try:
                ec2.delete_launch_template(LaunchTemplateId=template["LaunchTemplateId"])
            except ec2.exceptions.ClientError as why:      # what it has asked for last is still being done
                assert "NotFound" in why.response["Error"]["Code"], why
        begin()
        killer.arm(at, moment)
        killed = self.run_one_more(("%s-%s" % (moment, at)).lower(), begin)
        assert killed == (killer.hit is not None), (killed, killer.hit)
        return killed

    def kill_at_each(self, killer, moment, begin, first, step):
        """Until a scale-up has no more calls."""
        killed, began, at = [], time.monotonic(), first
        while self.kill_at(killer, at, moment, begin):
            killed.append(killer.hit)
            at += step
        if step == 1:
            assert set(killer.calls) <= set(killed), (killer.calls, killed)
            assert {"POST nodeclaims", "CreateLaunchTemplate", "CreateFleet", "PATCH nodeclaims/status", "PATCH nodes"} <= set(killed) and len(killed) >= 10, killed
        self.aws.say("killed %s each of %d calls of %d, %.0f s, and each NodeClaim has one machine: %s"
                     % (moment, len(killed), len(killer.calls), time.monotonic() - began, ", ".join(killed)))


def kills(aws):
    def body(world):
        catalog, keys = full.refreshed_catalog(world), aws.user_with(full.policy(), "killed")

        def begin():
            service = world.start(keys, "--catalog=" + catalog, "--disable-leader-election")
            wait_for("the service", service.ready)
        world.names = []
        aws.proxy.check(True)
        aws.proxy.unseen = 2                       # so that only the token tells what was launched already
        begin()
        killer = Killer(world)
        world.until("default", "True")
        step = 1 if os.environ.get("BINPACK_KILLS") == "all" else 3
        world.kill_at_each(killer, "before", begin, 1, step)
        world.kill_at_each(killer, "after", begin, 1 + step // 3, step)
        assert world.kill_at(killer, "CreateFleet", "after", begin)
        killer.arm(0, None)
        for name in world.names:
            world.undeploy(name)
        wait_for("the pods are gone", lambda: not world.pods())
        for name in world.claims():
            world.admin.ask("DELETE", "%s/%s" % (CLAIMS, name))
        world.until_empty()
        # Without tokens the same is seen to go wrong.
        world.names, aws.proxy.tokens = [], Forgetful()
        killer.arm("CreateFleet", "after")
        world.deploy("twice", 1, cpu=CPU)
        wait_for("the kill", lambda: world.services[-1].process.poll() is not None)
        assert killer.hit == "CreateFleet", killer.hit
        begin()

        def twice():
            bought = world.bought()
            return [c for c in bought if bought.count(c) > 1]
        wait_for(lambda: "two machines of one NodeClaim: " + world.story(), twice, 60)
        aws.say("in an EC2 without tokens, killed after CreateFleet, it buys twice")
    full.within(aws, body, World)
