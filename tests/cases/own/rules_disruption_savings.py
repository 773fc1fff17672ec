# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds of disruption: what is empty, what waits, what saves, and what may replace what."""
from rules_disruption_nodes import DND, WEB, annotated, condition, dear, goes, pool_of, round_of, stays, up, web  # noqa: F401
from world import *  # noqa: F403: this is the language of the cases

SPOT_GATE = {"featureGates": {"spotToSpotConsolidation": True}}


def held(name, node_name, cpu="1"):
    """A pod that holds its node."""
    return pod(name, cpu=cpu, on=node_name, annotations={DND: "true"})


# ---- empty

goes("empty", "a node without pods goes", [dear()], "Empty", newNodes={"max": 0})
for name, what in (("daemons", pod("agent-0", on="n1", owners=owner("DaemonSet", "agent"))), ("mirrors", pod("proxy-n1", on="n1", owners=owner("Node", "n1", "v1"))),
                   ("finished", pod("job-0", on="n1", owners=owner("Job", "job", "batch/v1"), status={"phase": "Succeeded"})),
                   ("failed", pod("job-0", on="n1", owners=owner("Job", "job", "batch/v1"), status={"phase": "Failed"})),
                   ("terminating", pod("web-0", on="n1", terminating=True)),
                   ("terminating-naked", pod("web-0", on="n1", owners=[], terminating=True))):
    goes("empty-but-" + name, "these pods come back nowhere else", [dear(), what], "Empty", newNodes={"max": 0})
for name, what in (("statefulset", pod("db-0", cpu="1", on="n1", owners=owner("StatefulSet", "db"))),
                   ("statefulset-terminating", pod("db-0", cpu="1", on="n1", owners=owner("StatefulSet", "db"), terminating=True)),
                   ("naked", pod("tool", cpu="1", on="n1", owners=[])), ("job", pod("job-0", cpu="1", on="n1", owners=owner("Job", "job", "batch/v1"))),
                   ("starting", pod("web-0", cpu="1", on="n1", status={"phase": "Pending"})),
                   ("foreign-daemon", pod("agent-0", cpu="1", on="n1", owners=owner("DaemonSet", "agent", "example.com/v1"))),
                   ("foreign-node", pod("proxy-n1", cpu="1", on="n1", owners=owner("Node", "n1", "example.com/v1")))):
    goes("moves-" + name, "these pods need another place", [dear(), what], newNodes={"min": 1, "max": 1})
    stays("not-empty-" + name, "so their node is not empty", [dear(), what], "WhenEmpty", pool=pool_of("WhenEmpty"))
goes("empty-when-empty", "WhenEmpty takes empty nodes", [dear()], "Empty", pool=pool_of("WhenEmpty"))
goes("empty-balanced", "so does Balanced", [dear()], "Empty", pool=pool_of("Balanced"))
goes("empty-type-unknown", "their price does not matter", [node("n1", itype="z9.huge")], "Empty")
goes("empty-zone-unknown", "nor where they are", [dear(drop=(ZONE,))], "Empty")
goes("empty-reserved", "not even if they cost nothing", [dear(ct="reserved")], "Empty")
goes("empty-pool-full", "nor that the NodePool is at its limits", [dear()], "Empty", pool=pool_of(limits={"cpu": "1"}))
stays("empty-never", "consolidateAfter Never keeps empty nodes", [dear()], "consolidation disabled", pool=pool_of(after="Never"))

# ---- the wait: claims are Initialized since 08:05 of the day before

WAITS = "NodeClaim is not Consolidatable"
for name, last, after, open_ in (("passed", "2026-03-02T11:20:00Z", "30m", True), ("running", "2026-03-02T11:50:00Z", "30m", False),
                                 ("at-the-end", "2026-03-02T11:30:00Z", "30m", True), ("a-second-left", "2026-03-02T11:30:01Z", "30m", False),
                                 ("none", "2026-03-02T12:00:00Z", "0s", True), ("since-initialized", None, "27h", True),
                                 ("since-initialized-running", None, "28h", False)):
    state = dict(up(), **({"lastPodEventTime": last} if last else {}))
    for kind, more in (("empty", []), ("used", [web()])):
        args = ("wait-%s-%s" % (name, kind), "consolidateAfter counts from the last pod that came or went, or from the start", [dear(claim_status=state)] + more)
        if open_:
            goes(*args, "Underutilized" if more else "Empty", pool=pool_of(after=after))
        else:
            stays(*args, WAITS, pool=pool_of(after=after))
stays("wait-condition-false", "the condition says more than the times", [dear(claim_status=up(condition("Consolidatable", "False")))], WAITS)
stays("wait-condition-unknown", "unless it is True", [dear(claim_status=up(condition("Consolidatable", "Unknown")))], WAITS)
goes("wait-condition-true", "it is taken at its word", [dear(claim_status=dict(up(condition("Consolidatable")), lastPodEventTime="2026-03-02T11:59:00Z"))], "Empty",
     pool=pool_of(after="10m"))
stays("wait-not-initialized", "a claim that is not Initialized waits", [dear(claim_status={"conditions": [condition("Launched")]})], WAITS)
for name, cond, kept in (("running", "False", True), ("over", "True", False)):
    objects = [node("n1", itype="x1.small"), pod("web-0", cpu="500m", on="n1"), node("n2", claim_status=dict(up(condition("Consolidatable", cond)),
               lastPodEventTime="2026-03-02T11:5%d:00Z" % (9 if kept else 0))), held("db-0", "n2")]
    if kept:
        stays("target-wait-" + name, "pods do not move to a node that waits itself", objects, pool=pool_of(after="5m"))
    else:
        goes("target-wait-" + name, "once that is over they do", objects, pool=pool_of(after="5m"), newNodes={"max": 0})
stays("target-starting", "nor to one that is still starting", [node("n1", itype="x1.small"), pod("web-0", cpu="500m", on="n1"), node("n2", initialized=False)])
stays("target-cordoned", "nor to a cordoned one", [node("n1", itype="x1.small"), pod("web-0", cpu="500m", on="n1"), node("n2", cordoned=True), held("db-0", "n2")])
stays("target-deleting", "nor to one that goes", [node("n1", itype="x1.small"), pod("web-0", cpu="500m", on="n1"), node("n2", deleted=True)])
stays("target-tainted", "nor to one they do not tolerate",
      [node("n1", itype="x1.small"), pod("web-0", cpu="500m", on="n1"), node("n2", taints=[taint("team", "ml")]), held("db-0", "n2")])
goes("target-unmanaged", "one that nobody manages is as good as any", [node("n1", itype="x1.small"), pod("web-0", cpu="500m", on="n1"), node("n2", managed=False)],
     newNodes={"max": 0})
goes("target-other-pool", "or one of another NodePool", [pool_of(name="other"), node("n1", itype="x1.small"), pod("web-0", cpu="500m", on="n1"), node("n2", of="other"),
     held("db-0", "n2")], newNodes={"max": 0})

# ---- savings

stays("same-type", "nothing is cheaper than the smallest", [node("n1", itype="x1.small"), web()], "Can't replace with a cheaper node")
stays("full", "a full node has nothing to save", [dear(), pod("web-0", cpu="15", on="n1")], "Can't replace with a cheaper node")
stays("policy", "WhenEmpty leaves nodes with pods", [dear(), web()], "NodePool \"default\" has consolidation policy WhenEmpty, but node is not empty",
      pool=pool_of("WhenEmpty"))
stays("never", "and Never all", [dear(), web()], "consolidation disabled", pool=pool_of(after="Never"))
stays("type-unknown", "a node without price cannot be compared", [node("n1", itype="z9.huge", alloc={"cpu": "64"}), web()], "Instance Type \"z9.huge\" not found")
stays("capacity-unknown", "nor one that does not say how it was bought", [dear(drop=(CT,)), web()], "karpenter.sh/capacity-type")
stays("zone-missing", "or where it is", [dear(drop=(ZONE,)), web()], "topology.kubernetes.io/zone")
round_of("merge-two", "two into one", [node("n1", itype="x1.medium"), node("n2", itype="x1.medium"), pod("a-0", cpu="1", on="n1"), pod("b-0", cpu="1", on="n2")],
         disruptedCount={"min": 1, "max": 2}, minSaving=0.28 - 1e-6)
round_of("merge-three", "three into one", [node("n%d" % i, itype="x1.medium") for i in range(3)] + [pod("p-%d" % i, cpu="2500m", on="n%d" % i) for i in range(3)],
         pool=pool_of("WhenEmptyOrUnderutilized", "0s", None, req(TYPE, "In", "x1.medium", "x1.large")), disruptedCount={"min": 3, "max": 3}, minSaving=0.2099)
round_of("many-to-many", "three dear ones into two cheap ones of different sizes", [dear("n%d" % i) for i in range(3)]
         + [pod("p-%d" % i, cpu="3", mem="6Gi", on="n%d" % i, labels=WEB, apart=[term(HOST, WEB)]) for i in range(2)] + [pod("q-0", cpu="900m", on="n2")],
         minSaving=2.1 - 0.38 - 1e-6)
round_of("apart", "pods that avoid each other are not merged", [node("n%d" % i, itype="x1.small") for i in range(3)]
         + [pod("p-%d" % i, cpu="100m", on="n%d" % i, labels=WEB, apart=[term(HOST, WEB)]) for i in range(3)], noDisruption=True)
round_of("spread-zones", "nor pods that are spread", [node("n%d" % i, itype="x1.small", zone=z) for i, z in enumerate((A, B, C))]
         + [pod("p-%d" % i, cpu="100m", on="n%d" % i, labels=WEB, spread=[skew(ZONE, WEB)]) for i in range(3)], noDisruption=True)
goes("pending-stuck", "a pod that can be placed nowhere holds nobody", [dear(), web(), pod("lost-0", select={"disk": "none"})], unschedulable=["default/lost-0"])
stays("pods-stuck", "but one that runs and would have no place does", [dear(), web(select={"disk": "none"})], "Not all pods would schedule")
goes("move-cost", "a move must pay within a day", [dear(), web()], flags=["--move-cost=14.3"])
stays("move-cost-high", "or nothing moves", [dear(), web()], flags=["--move-cost=14.5"])
goes("move-cost-month", "within whatever is stated", [dear(), web()], flags=["--move-cost=14.5", "--payback=25h"])
goes("limit-reached", "the nodes that go make room under the limit", [dear(), web()], pool=pool_of(limits={"cpu": "16"}), newNodes={"min": 1, "max": 1})
goes("limit-of-nodes", "also under a limit of nodes", [dear(), web()], pool=pool_of(limits={"nodes": "1"}), newNodes={"min": 1, "max": 1})
stays("zone-sold-out", "what cannot be bought replaces nothing", [node("n1", itype="big", zone=A), web(select={ZONE: A})],
      catalog=catalog(itype("small", 2, 4096, offerings=[{"zone": A, "capacityType": "on-demand", "price": 0.1, "available": False}]), itype("big", 16, 32768, 0.7)))

# ---- minValues

FLEXIBLE = req(TYPE, "Exists", minValues=2)
stays("min-values", "one cheaper type is less than two", [node("n1", itype="x1.medium"), web()], pool=pool_of("WhenEmptyOrUnderutilized", "0s", None, FLEXIBLE))
goes("min-values-met", "three are enough", [dear(), web()], pool=pool_of("WhenEmptyOrUnderutilized", "0s", None, FLEXIBLE))
goes("min-values-best-effort", "unless they are an effort", [node("n1", itype="x1.medium"), web()], pool=pool_of("WhenEmptyOrUnderutilized", "0s", None, FLEXIBLE),
     options={"minValuesPolicy": "BestEffort"})
goes("min-values-delete", "nothing is bought, nothing is asked", [node("n1", itype="x1.medium"), web(), node("n2"), held("db-0", "n2")], newNodes={"max": 0},
     pool=pool_of("WhenEmptyOrUnderutilized", "0s", None, FLEXIBLE))

# ---- spot

SPOT = pool("default", disruption={"consolidationPolicy": "WhenEmptyOrUnderutilized", "consolidateAfter": "0s", "budgets": [{"nodes": "100%"}]})
stays("spot-gate-off", "spot is not replaced by spot while the gate is off", [dear(ct="spot"), web()], "SpotToSpotConsolidation is disabled", pool=SPOT)
stays("spot-few-types", "with it, only when 15 types are cheaper", [dear(ct="spot"), web()], "requires 15 cheaper instance type options", pool=SPOT, options=SPOT_GATE)
goes("spot-delete", "spot nodes go when their pods have room", [node("n1", ct="spot"), web(), node("n2"), held("db-0", "n2")], pool=SPOT, newNodes={"max": 0})
goes("spot-to-demand-only", "and on-demand may replace spot where that is all there is and cheaper", [dear(ct="spot"), web()],
     allNewNodes={"capacityType": "on-demand", "instanceType": "x1.small"}, newNodes={"min": 1, "max": 1})
stays("spot-to-demand-dearer", "if it is cheaper", [node("n1", itype="x1.small", ct="spot"), web()])
goes("demand-to-spot", "on-demand becomes spot", [node("n1", itype="x1.small"), web()], pool=SPOT, allNewNodes={"capacityType": "spot"})
LADDER = dict(catalog="ladder-20", options=SPOT_GATE, pool=SPOT)
for rung, free in ((16, True), (15, False), (20, True), (1, False)):
    machine = node("n1", itype="lad%02d.xlarge" % rung, ct="spot", alloc={"cpu": "3900m", "memory": "16128Mi"})
    args = ("ladder-%d" % rung, "fifteen cheaper types, or none", [machine, web()])
    if free:
        goes(*args, **LADDER, allNewNodes={"capacityType": "spot"})
    else:
        stays(*args, **LADDER)
round_of("ladder-two", "two spot nodes may become one with fewer choices", [node("n%d" % i, itype="lad03.xlarge", ct="spot", alloc={"cpu": "3900m", "memory": "16128Mi"})
         for i in (1, 2)] + [pod("p-%d" % i, cpu="3", mem="1Gi", on="n%d" % i) for i in (1, 2)], **dict(LADDER, pool=pool_of("WhenEmpty")), noDisruption=True)

# ---- Balanced: savings over the cost of the NodePool against disruption over that of the NodePool, at least half

BALANCED = pool_of("Balanced")
goes("balanced-plain", "0.60 of 1.40 for 2 of 4: 0.86", [dear(), web(), dear("n2"), held("db-0", "n2", "15")], pool=BALANCED)
MANY = [node("n1", itype="x1.medium")] + [pod("p-%d" % i, cpu="150m", on="n1") for i in range(10)] + [dear("n2"), held("db-0", "n2", "15")]
stays("balanced-too-much", "0.09 of 0.89 for 11 of 13: 0.12", MANY, "Balanced", pool=BALANCED)
goes("balanced-not", "without Balanced that is fine", MANY)
goes("balanced-few", "0.09 of 0.89 for 2 of 23: 1.2", [node("n1", itype="x1.medium"), pod("p-0", cpu="1500m", on="n1"), dear("n2"), held("db-0", "n2", "13")]
     + [pod("q-%d" % i, cpu="100m", on="n2") for i in range(19)], pool=BALANCED)
stays("balanced-priority", "pods of high priority weigh more: 0.09 of 0.89 for 8 of 29: 0.37",
      [node("n1", itype="x1.medium"), pod("p-0", cpu="1500m", on="n1", priority=201326592), dear("n2"), held("db-0", "n2", "13")]
      + [pod("q-%d" % i, cpu="100m", on="n2") for i in range(19)], "Balanced", pool=BALANCED)
stays("balanced-deletion-cost", "and those whose deletion costs",
      [node("n1", itype="x1.medium"), pod("p-0", cpu="1500m", on="n1", annotations={"controller.kubernetes.io/pod-deletion-cost": "939524096"}), dear("n2"),
       held("db-0", "n2", "13")] + [pod("q-%d" % i, cpu="100m", on="n2") for i in range(19)], "Balanced", pool=BALANCED)

# ---- reserved capacity

CR = "karpenter.k8s.aws/capacity-reservation-id"
OWN = [{"zone": A, "capacityType": "on-demand", "price": 0.1, "available": True},
       {"zone": A, "capacityType": "reserved", "price": 0.000001, "available": True, "reservationId": "cr-1", "reservationCapacity": 1}]
RESERVED_CLASS = nodeclass(reservations=[{"id": "cr-1", "instanceType": "x1.small", "availabilityZone": A, "instanceMatchCriteria": "targeted",
                                          "ownerID": "111122223333", "reservationType": "default", "state": "active"}])
ANY = pool("default", req(CT, "In", "on-demand", "reserved"),
           disruption={"consolidationPolicy": "WhenEmptyOrUnderutilized", "consolidateAfter": "0s", "budgets": [{"nodes": "100%"}]})
SOLD = catalog(itype("x1.small", 2, 4096, offerings=OWN), itype("x1.xlarge", 16, 32768, 0.7))
goes("to-reserved", "a free reservation takes an on-demand node's pods", [node("n1", itype="x1.small"), web()], cls=RESERVED_CLASS, pool=ANY, catalog=SOLD,
     allNewNodes={"capacityType": "reserved"})
stays("reserved-stays", "nothing is cheaper than what is paid for", [node("n1", itype="x1.small", ct="reserved", labels={CR: "cr-1"}), web()], cls=RESERVED_CLASS,
      pool=ANY, catalog=SOLD)
FULL = [dict(OWN[0]), dict(OWN[1], reservationCapacity=0)]
stays("reservation-full", "a full one takes nobody", [node("n1", itype="x1.small"), web()], cls=RESERVED_CLASS, pool=ANY,
      catalog=catalog(itype("x1.small", 2, 4096, offerings=FULL), itype("x1.xlarge", 16, 32768, 0.7)))
round_of("reservation-one", "one place is for one", [node("n%d" % i, itype="x1.small") for i in (1, 2)] + [pod("p-%d" % i, cpu="1500m", on="n%d" % i) for i in (1, 2)],
         cls=RESERVED_CLASS, pool=ANY, catalog=SOLD, disruptedCount={"min": 1, "max": 1}, allNewNodes={"capacityType": "reserved"})

# ---- equal savings

fleet = [o for i in range(20) for o in node("n%02d" % i, itype="x1.small") + [pod("web-%02d" % i, cpu="300m", mem="512Mi", labels=WEB, on="n%02d" % i)]]
round_of("fewest-moves", "of twenty small nodes sixteen go: replacing all twenty by larger ones saves no more and moves more pods", fleet,
         catalog=catalog(itype("x1.small", 2, 4096, 0.1), itype("x1.medium", 4, 8192, 0.2)), newNodes={"max": 0}, disruptedCount={"min": 16, "max": 16})
