# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds of disruption: what a node that may go is held against the pods that wait."""
from world import *  # noqa: F403: this is the language of the cases


def open_pool(*reqs, budgets=None, **more):
    """A pool on demand whose budget lets everything go."""
    return od("default", *reqs, disruption={"consolidationPolicy": "WhenEmptyOrUnderutilized", "consolidateAfter": "0s",
                                            "budgets": budgets or [{"nodes": "100%"}]}, **more)


def ready_case(name, why, objects, reqs=(), budgets=None, limits=None, **more):
    case("disrupt/" + name, why, [nodeclass(), open_pool(*reqs, budgets=budgets, **({"limits": limits} if limits else {}))] + objects,
         mode="disrupt", **more)


WITH_R = [term(HOST, {"app": "r"})]

# ---- pods that are tied to each other by hostname

ready_case("tied-replicas", "replicas that want each other on one host move together",
           [node("node-1"), node("node-2")] + [pod("r-%d" % i, labels={"app": "r"}, near=WITH_R, on="node-1") for i in range(2)]
           + [pod("q-0", cpu="2", on="node-2")], newNodes={"max": 1})
ready_case("tied-sidecar", "so do a pod and the one that must run beside it",
           [node("node-1"), node("node-2"), pod("r-0", labels={"app": "r"}, on="node-1"), pod("q-0", near=WITH_R, on="node-1"),
            pod("s-0", cpu="2", on="node-2")], newNodes={"max": 1})
ready_case("tied-pending", "pending pods may be tied, too", [pod("r-0", cpu="1", mem="1Gi", labels={"app": "r"}),
                                                            pod("q-0", cpu="250m", mem="256Mi", near=WITH_R)], scheduled="all")

# ---- empty nodes that waiting pods need

ready_case("empty-is-only-room", "an empty node stays for a pod that fits nowhere else", [node("node-1"), pod("web-0", cpu="7", select={ZONE: A})],
           reqs=(req(ZONE, "In", B),), noDisruption=True, onExistingNodes={"default/web-0": "node-1"})
ready_case("empty-is-cheaper-room", "and for one that only a dearer node would take", [node("node-1", ct="spot"), pod("web-0", cpu="7")],
           noDisruption=True, onExistingNodes={"default/web-0": "node-1"})
ready_case("empty-is-as-good", "room that is there comes before a new node of the same price", [node("node-1"), pod("web-0", cpu="7")],
           noDisruption=True, onExistingNodes={"default/web-0": "node-1"})
ready_case("empty-is-all-of-limit", "a limit that is used up leaves no other place", [node("node-1"), pod("web-0", cpu="7")],
           limits={"cpu": "8"}, noDisruption=True, onExistingNodes={"default/web-0": "node-1"})
ready_case("empty-of-two", "of two empty nodes the one that is not needed goes", [node("node-1"), node("node-2"), pod("web-0", cpu="7")],
           newNodes={"max": 0}, scheduled="all", total=0)
ready_case("empty-beside-room", "a pod that fits on a node in use holds no empty one",
           [node("node-1"), node("node-2"), pod("run-0", cpu="4", on="node-1", annotations={"karpenter.sh/do-not-disrupt": "true"}), pod("web-0", cpu="2")],
           deletedNodes=["node-2"], newNodes={"max": 0}, scheduled="all")
ready_case("empty-is-dear", "an empty node far too large for the pod goes, and a small one is bought",
           [node("node-1", itype="x1.xlarge"), pod("web-0", cpu="1")], deletedNodes=["node-1"], newNodes={"max": 1}, scheduled="all")
