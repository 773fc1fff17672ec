# SPDX-License-Identifier: GPL-3.0-or-later
"""Two replicas of `provisioner --mode=full`, of which one acts: it is killed and stopped in the middle of a launch. See the scenario `handover` of `aws`."""
import os
import signal
import time

import full
from prepare import wait_for
from proxy import lost

LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/karpenter-leader-election"
WRITES = ("CreateFleet", "TerminateInstances", "CreateLaunchTemplate", "DeleteLaunchTemplate")


def cut_off(process, how, done):
    """A fault of the proxy: the process gets a signal while its call is under way; `done` says whether EC2 does what it asked for."""
    def fault(handler):
        os.kill(process.pid, how)
        if how == signal.SIGKILL:
            process.wait()
        if done:
            # Who is stopped hears of it later, who was killed never.
            return lost(handler) if how == signal.SIGKILL else True
        return handler.end_here(reset=True)
    return fault


def leads(service):
    said = [x["message"] for x in service.log() if x["message"].startswith("this replica acts")]
    return bool(said) and said[-1] == "this replica acts now"


class Pair:
    """Two replicas. Each has keys of its own, so that their calls can be told apart."""

    def __init__(self, world, catalog):
        self.world, self.catalog = world, catalog
        self.keys = [world.aws.user_with(full.policy(), "replica-%d" % i) for i in range(2)]
        self.services = [None, None]
        for i in range(2):
            self.start(i)

    def start(self, i):
        self.services[i] = self.world.start(self.keys[i], "--catalog=" + self.catalog)
        wait_for("the replica", self.services[i].ready)

    def leader(self):
        """Its number, once exactly one says that it acts."""
        def check():
            acting = [i for i in range(2) if leads(self.services[i])]
            return acting if len(acting) == 1 else None
        return wait_for("a replica that acts", check, 60)[0]

    def calls(self, i):
        """What that replica has asked EC2 to change, dry runs left out."""
        key = self.keys[i]["AWS_ACCESS_KEY_ID"]
        return [a for a, k, form, _ in self.world.aws.proxy.asked if k == key and a in WRITES and form.get("DryRun") != "true"]


def one_each(world, name, n):
    """As many pods more run; each NodeClaim has one instance, and nothing was bought twice."""
    world.until_running(n, 180)
    claims, _, instances = world.until_whole()
    assert len(instances) == len(claims), (name, world.story())
    return len(instances)


def interrupted(world, pair, how, done):
    """The leader gets a signal while it launches; the other one goes on, buys what is missing and nothing else."""
    word = "%s %s CreateFleet" % (how.name, "after" if done else "before")
    first = pair.leader()
    other = 1 - first
    service = pair.services[first]
    before, claims = set(world.instances()), set(world.claims())
    world.aws.proxy.faults["CreateFleet"] = [cut_off(service.process, how, done)]
    begun = time.monotonic()
    name = "app-%d" % len(world.pods())
    world.deploy(name, 6)
    n = len(world.pods()) or 0
    wait_for("the call that is cut off", lambda: not world.aws.proxy.faults["CreateFleet"], 60)
    wait_for("6 more pods", lambda: len(world.pods()) >= n and len([p for p in world.pods() if p.startswith(name)]) == 6)
    wait_for("the other replica acts", lambda: leads(pair.services[other]), 90)
    took = time.monotonic() - begun
    n_instances = one_each(world, word, len(world.pods()))
    if how == signal.SIGSTOP:
        sent = len(pair.calls(first))
        os.kill(service.process.pid, signal.SIGCONT)
        # It hears the answer, looks at its Lease, and keeps its hands off.
        wait_for("it has seen that it does not act", lambda: not leads(service), 60)
        wait_for("it is up to date", service.ready)
        assert len(pair.calls(first)) == sent, "%s: sent after it was stopped: %s" % (word, pair.calls(first)[sent:])
        assert len(world.instances()) == n_instances, world.story()
    else:
        pair.start(first)
    assert before <= set(world.instances()) and claims <= set(world.claims()), world.story()
    world.aws.say("%s: the other replica acts %.1f s after the pods came; %d instances of as many NodeClaims" % (word, took, n_instances))


def handover(aws):
    def body(world):
        pair = Pair(world, full.refreshed_catalog(world))
        aws.proxy.check(True)
        aws.proxy.asked.clear()
        world.until("default", "True")
        for how in (signal.SIGKILL, signal.SIGSTOP):
            for done in (False, True):
                interrupted(world, pair, how, done)
        # The API server goes away in the middle of one more.
        pods = len(world.pods())
        aws.proxy.faults["CreateFleet"] = [lambda handler: world.cluster.restart("apiserver", "KILL") or True]
        world.deploy("last", 6)
        wait_for("the API server is killed while a fleet is being made", lambda: not aws.proxy.faults["CreateFleet"], 60)
        n_instances = one_each(world, "API server killed", pods + 6)
        aws.say("API server killed during CreateFleet: %d instances of as many NodeClaims" % n_instances)
        for service in pair.services:
            took, said = service.stop()
            assert service.process.returncode == 0 and took < 10, (service.process.returncode, took, said)
        assert world.admin.ask("GET", LEASE)[1]["spec"]["holderIdentity"] == "", "not given up"
    full.within(aws, body)
