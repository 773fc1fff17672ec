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
