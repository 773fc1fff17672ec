# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds of disruption: what makes a node a candidate and what holds it, for each reason, one rule at a time.

Most cases are about one dear node with one small pod, which goes as Underutilized (or, without the pod, as Empty) unless the rule in
question holds it; the words are those of the events DisruptionBlocked and Unconsolidatable."""
from world import *  # noqa: F403: this is the language of the cases

DND = "karpenter.sh/do-not-disrupt"
SAFE = "cluster-autoscaler.kubernetes.io/safe-to-evict"
WEB = {"app": "web"}
GATE = [tolerate("karpenter.sh/disrupted")]


def condition(kind, status="True", at="2026-03-01T08:05:00Z"):
    return {"type": kind, "status": status, "reason": kind, "message": "", "lastTransitionTime": at}


def up(*more):
    """Conditions of a NodeClaim that runs, and more."""
    return {"conditions": [condition(t) for t in ("Launched", "Registered", "Initialized")] + list(more)}


def pool_of(policy="WhenEmptyOrUnderutilized", after="0s", budgets=None, *reqs, name="default", **more):
    return od(name, *reqs, disruption={"consolidationPolicy": policy, "consolidateAfter": after, "budgets": budgets or [{"nodes": "100%"}]}, **more)


def dear(name="n1", **more):
    return node(name, itype="x1.xlarge", **more)


def annotated(machine, value, which=("Node",), key=DND):
    for o in machine:
        if o["kind"] in which:
            o["metadata"]["annotations"] = {key: value}
    return machine


def round_of(name, why, objects, pool=None, cls=None, **more):
    case("disruption/" + name, why, [cls or nodeclass(), pool or pool_of()] + objects, mode="disrupt", **more)


def goes(name, why, objects, reason="Underutilized", node="n1", **more):
    round_of(name, why, objects, disruptedNodes=[node], reasons={node: reason}, **more)


def stays(name, why, objects, words="", node="n1", **more):
    round_of(name, why, objects, keptNodes=[node], keeps={node: words}, **more)


def web(on="n1", **more):
    return pod("web-0", cpu="1", mem="1Gi", labels=WEB, on=on, **more)


BY_ANNOTATION = "\"karpenter.sh/do-not-disrupt\" annotation"

# ---- the node itself

goes("plain", "a dear node with a small pod is replaced", [dear(), web()])
stays("node-annotated", "an annotated node stays", [annotated(dear(), "true"), web()], BY_ANNOTATION)
for value in ("false", "True", "1h", ""):
    goes("node-annotated-" + (value or "nothing"), "a node is protected by exactly \"true\"", [annotated(dear(), value), web()])
goes("node-annotation-over-claim", "what the Node says comes before what its NodeClaim says",
     [annotated(annotated(dear(), "true", ("NodeClaim",)), "false"), web()])
stays("empty-annotated", "also when it is empty", [annotated(dear(), "true")], BY_ANNOTATION)
stays("drifted-annotated", "and when it has drifted, whatever its grace period",
      [annotated(dear(claim={"terminationGracePeriod": "1h"}, claim_status=up(condition("Drifted"))), "true"), web()], BY_ANNOTATION)
stays("unmanaged", "a node without NodeClaim is nobody's", [dear(managed=False), web()], "Node is not managed by a NodeClaim")
stays("claim-gone", "also one that has the labels of a NodePool", [dear()[:1], web()], "Node is not managed by a NodeClaim")
stays("in-flight", "a NodeClaim without Node is not disrupted", [dear(has_node=False, claim_status=up())],
      "NodeClaim does not have an associated node")
stays("uninitialized", "nor is a node that is still starting", [dear(initialized=False), web()], "Node isn't initialized")
stays("uninitialized-empty", "even when it is empty", [dear(initialized=False)], "Node isn't initialized")
stays("uninitialized-drifted", "or drifted", [dear(initialized=False, claim_status={"conditions": [condition("Launched"), condition("Drifted")]})],
      "Node isn't initialized")
stays("initialized-false", "the label must say true", [dear(initialized=False, labels={"karpenter.sh/initialized": "false"}), web()],
      "Node isn't initialized")
stays("deleting", "a node that is being deleted is not disrupted again", [dear(deleted=True)], "Node is deleting or marked for deletion")
DELETED_CLAIM = dear()
DELETED_CLAIM[1]["metadata"].update(deletionTimestamp="2026-03-02T11:59:00Z", finalizers=["karpenter.sh/termination"])
stays("claim-deleting", "nor is one whose NodeClaim is", [DELETED_CLAIM], "Node is deleting or marked for deletion")
stays("instance-terminating", "nor one whose instance goes already", [dear(claim_status=up(condition("InstanceTerminating")))],
      "Node is deleting or marked for deletion")
goes("instance-not-terminating", "a condition that is False says nothing", [dear(claim_status=up(condition("InstanceTerminating", "False")))], "Empty")
goes("nominated-dear", "an empty node that is dearer than a new one goes, and another empty one that does is nominated before one is bought",
     [dear(), node("n2", itype="x1.small"), node("n3", itype="x1.small"), pod("wait-0", cpu="100m")], "Empty",
     keeps={"n2": "Node is nominated for a pending pod"}, keptNodes=["n2"], deletedNodes=["n1", "n3"], newNodes={"max": 0})
stays("nominated", "a node that a waiting pod is nominated for stays",
      [dear(), web(), pod("big-0", cpu="14", status={"nominatedNodeName": "n1"})], "Node is nominated for a pending pod")
stays("pool-label-missing", "a node must say whose it is", [dear(drop=(POOL,)), web()], "karpenter.sh/nodepool")
stays("pool-gone", "and that NodePool must exist", [dear(of="other"), web()], "NodePool not found")
stays("pool-static", "nodes of a static NodePool stay", [dear()], "static", pool=pool_of(replicas=1))
stays("pool-static-drifted", "also when they have drifted", [dear(claim_status=up(condition("Drifted"))), web()], "static", pool=pool_of(replicas=1))
stays("class-gone", "a NodePool whose node class is gone has no instance types to compare with", [dear()], "NodePool not found",
      cls=nodeclass("other"))
stays("class-deleting", "nor has one whose node class goes", [dear()], "NodePool not found", cls=nodeclass(deleted=True))
goes("pool-deleting", "a NodePool that is being deleted still consolidates", [dear()], "Empty", pool=pool_of(deleted=True))
goes("cordoned", "a cordoned node is a candidate like any other", [dear(cordoned=True), web()])

# ---- pods that ask to be left alone: the pods of these cases started 27 hours ago

stays("pod-true", "a protected pod protects its node", [dear(), web(annotations={DND: "true"})], "(Pod=default/web-0)")
for value, why in (("28h", "a duration that still runs"), ("27h0m1s", "by a second"), ("97201s", "in any unit"), ("1620.1m", "with fractions")):
    stays("pod-for-" + value, why, [dear(), web(annotations={DND: value})], BY_ANNOTATION)
for value, why in (("27h", "a duration that is over at this moment"), ("26h", "one that is over"), ("10m", "long over"), ("0s", "none"),
                   ("-40h", "less than none"), ("2d", "no duration: Go knows no days"), ("false", "no"), ("TRUE ", "not exactly true"), ("5", "no unit")):
    goes("pod-for-" + value.strip().lower(), why, [dear(), web(annotations={DND: value})])
NEVER_STARTED = web(annotations={DND: "1m"})
del NEVER_STARTED["status"]["startTime"]
stays("pod-not-started", "the duration of a pod that has not started yet still runs", [dear(), NEVER_STARTED], BY_ANNOTATION)
stays("daemon-protected", "pods of DaemonSets may ask, too", [dear(), pod("agent-0", on="n1", owners=owner("DaemonSet", "agent"), annotations={DND: "true"})],
      BY_ANNOTATION)
stays("mirror-protected", "and static pods", [dear(), pod("proxy-n1", on="n1", owners=owner("Node", "n1", "v1"), annotations={DND: "true"})], BY_ANNOTATION)
goes("finished-protected", "a pod that has finished does not", [dear(), pod("job-0", on="n1", annotations={DND: "true"}, status={"phase": "Succeeded"})], "Empty")
goes("failed-protected", "nor one that has failed", [dear(), pod("job-0", on="n1", annotations={DND: "true"}, status={"phase": "Failed"})], "Empty")
goes("terminating-protected", "nor one that goes already", [dear(), pod("web-1", on="n1", terminating=True, annotations={DND: "true"})], "Empty")
stays("one-of-many-protected", "one protected pod among many is enough",
      [dear(), web()] + [pod("b-%d" % i, on="n1", annotations={DND: "true"} if i == 3 else None) for i in range(5)], "(Pod=default/b-3)")
stays("safe-to-evict-respected", "the Cluster Autoscaler's annotation holds a node where it is respected", [dear(), web(annotations={SAFE: "false"})], SAFE,
      flags=["--respect-safe-to-evict"])
goes("safe-to-evict-ignored", "and nowhere else", [dear(), web(annotations={SAFE: "false"})])
goes("safe-to-evict-true", "\"true\" asks for nothing", [dear(), web(annotations={SAFE: "true"})], flags=["--respect-safe-to-evict"])
stays("safe-to-evict-drifted", "it holds drift as well", [dear(claim_status=up(condition("Drifted"))), web(annotations={SAFE: "false"})], SAFE,
      flags=["--respect-safe-to-evict"])

# ---- budgets of pods

stays("pdb-closed", "a budget that allows nothing", [dear(), web(), pdb("b", WEB, 0)], "Pdb prevents pod evictions (PodDisruptionBudget=[default/b])")
goes("pdb-open", "one that allows an eviction", [dear(), web(), pdb("b", WEB, 1)])
goes("pdb-one-by-one", "one eviction at a time is enough", [dear(), pdb("b", WEB, 1)] + [pod("web-%d" % i, cpu="1", labels=WEB, on="n1") for i in range(4)])
NO_STATUS = pdb("b", WEB)
del NO_STATUS["status"]
stays("pdb-without-status", "a budget that nobody has counted yet allows nothing", [dear(), web(), NO_STATUS], "Pdb prevents pod evictions")
goes("pdb-elsewhere", "budgets hold in their namespace", [dear(), web(), pdb("b", WEB, 0, ns="shop")])
goes("pdb-others", "and for the pods that they select", [dear(), web(), pdb("b", {"app": "db"}, 0)])
goes("pdb-null-selector", "no selector selects nothing", [dear(), web(), pdb("b", WEB, 0, selector=None)])
stays("pdb-all", "an empty one selects all", [dear(), web(), pdb("b", WEB, 0, selector={})], "Pdb prevents pod evictions")
stays("pdb-expressions", "selectors may have expressions", [dear(), web(), pdb("b", WEB, 0, selector={"matchExpressions": [req("app", "In", "web", "db")]})],
      "Pdb prevents pod evictions")
goes("pdb-excludes", "that exclude", [dear(), web(), pdb("b", WEB, 0, selector={"matchExpressions": [req("app", "NotIn", "web")]})])
stays("pdb-two", "two budgets over one pod are more than the eviction API takes", [dear(), web(), pdb("b", WEB, 5), pdb("c", WEB, 5)], "multiple PDBs")
goes("pdb-two-pods", "two budgets over two pods are fine", [dear(), web(), pod("db-0", labels={"app": "db"}, on="n1"), pdb("b", WEB, 1),
                                                         pdb("c", {"app": "db"}, 1)])
stays("pdb-two-drifted", "without a grace period they hold drift", [dear(claim_status=up(condition("Drifted"))), web(), pdb("b", WEB, 5), pdb("c", WEB, 5)],
      "multiple PDBs")
for name, policy, state, held in (("always-unready", "AlwaysAllow", "False", False), ("always-ready", "AlwaysAllow", "True", True),
                                  ("always-unknown", "AlwaysAllow", "Unknown", True), ("always-unsaid", "AlwaysAllow", None, True),
                                  ("healthy-unready", "IfHealthyBudget", "False", True), ("default-unready", None, "False", True)):
    cond = {"conditions": [condition("PodScheduled")] + ([condition("Ready", state)] if state else [])}
    objects = [dear(), web(status=cond), pdb("b", WEB, 0, maxUnavailable=1, **({"unhealthyPodEvictionPolicy": policy} if policy else {}))]
    if held:
        stays("pdb-" + name, "a closed budget holds a pod unless it lets unhealthy ones go and the pod says it is", objects, "Pdb prevents pod evictions")
    else:
        goes("pdb-" + name, "a budget may let unhealthy pods go", objects)
goes("pdb-always-never-allows", "even one that never allows the eviction of a healthy one",
     [dear(), web(status={"phase": "Pending", "conditions": [condition("PodScheduled"), condition("Ready", "False")]}),
      pdb("b", WEB, 0, maxUnavailable=0, unhealthyPodEvictionPolicy="AlwaysAllow")], newNodes={"min": 1, "max": 1})
stays("pdb-always-two", "two budgets are two, whatever they allow",
      [dear(), web(status={"conditions": [condition("Ready", "False")]})] + [pdb(n, WEB, 0, unhealthyPodEvictionPolicy="AlwaysAllow") for n in "bc"],
      "multiple PDBs")
stays("pdb-daemon", "pods of DaemonSets are evicted, so their budgets count",
      [dear(), pod("agent-0", on="n1", labels=WEB, owners=owner("DaemonSet", "agent")), pdb("b", WEB, 0)], "Pdb prevents pod evictions")
goes("pdb-mirror", "static pods are not", [dear(), pod("proxy-n1", on="n1", labels=WEB, owners=owner("Node", "n1", "v1")), pdb("b", WEB, 0)], "Empty")
goes("pdb-tolerates", "nor pods that tolerate the taint of disruption", [dear(), web(tolerate=GATE), pdb("b", WEB, 0)])
stays("pdb-tolerates-other", "another toleration does not help", [dear(), web(tolerate=[tolerate("karpenter.sh/unregistered")]), pdb("b", WEB, 0)],
      "Pdb prevents pod evictions")
goes("pdb-finished", "nor finished pods", [dear(), pod("web-1", on="n1", labels=WEB, status={"phase": "Succeeded"}), pdb("b", WEB, 0)], "Empty")
goes("pdb-terminating", "nor those that go already", [dear(), pod("web-1", on="n1", labels=WEB, terminating=True), pdb("b", WEB, 0)], "Empty")

# ---- drift

DRIFTED = condition("Drifted")
for name, policy, after in (("never", "WhenEmptyOrUnderutilized", "Never"), ("when-empty", "WhenEmpty", "0s"), ("window", "WhenEmpty", "40h")):
    goes("drifted-" + name, "drift asks neither for a policy nor for a wait", [dear(claim_status=up(DRIFTED)), web()], "Drifted", pool=pool_of(policy, after))
stays("drifted-false", "a condition that is False is none", [dear(claim_status=up(condition("Drifted", "False"))), web()], "WhenEmpty", pool=pool_of("WhenEmpty"))
stays("drifted-unknown", "nor is one that is Unknown", [dear(claim_status=up(condition("Drifted", "Unknown"))), web()], "WhenEmpty", pool=pool_of("WhenEmpty"))
stays("drifted-protected", "a protected pod holds drift", [dear(claim_status=up(DRIFTED)), web(annotations={DND: "true"})], BY_ANNOTATION)
goes("drifted-protected-grace", "unless the NodeClaim has a terminationGracePeriod",
     [dear(claim={"terminationGracePeriod": "1h"}, claim_status=up(DRIFTED)), web(annotations={DND: "true"})], "Drifted", newNodes={"min": 1, "max": 1})
goes("drifted-pdb-grace", "the same for a closed budget",
     [dear(claim={"terminationGracePeriod": "1h"}, claim_status=up(DRIFTED)), web(), pdb("b", WEB, 0, maxUnavailable=1)], "Drifted",
     newNodes={"min": 1, "max": 1})
goes("drifted-pdb-never-grace", "its pods are moved by force then, also those whose budget never lets them go",
     [dear(claim={"terminationGracePeriod": "1h"}, claim_status=up(DRIFTED)), web(), pdb("b", WEB, 0, maxUnavailable=0)], "Drifted", newNodes={"min": 1, "max": 1})
goes("drifted-pdb-all-grace", "minAvailable 100% is the same",
     [dear(claim={"terminationGracePeriod": "1h"}, claim_status=up(DRIFTED)), web(), pdb("b", WEB, 0, minAvailable="100%")], "Drifted", newNodes={"min": 1, "max": 1})
goes("drifted-two-pdbs-grace", "and so are two budgets",
     [dear(claim={"terminationGracePeriod": "1h"}, claim_status=up(DRIFTED)), web(), pdb("b", WEB, 3), pdb("c", WEB, 3)], "Drifted", newNodes={"min": 1, "max": 1})
stays("grace-not-for-savings", "a grace period lets nothing be consolidated", [dear(claim={"terminationGracePeriod": "1h"}), web(annotations={DND: "true"})],
      BY_ANNOTATION)
stays("grace-not-for-empty", "nor an empty node go",
      [dear(claim={"terminationGracePeriod": "1h"}), pod("agent-0", on="n1", owners=owner("DaemonSet", "agent"), annotations={DND: "true"})], BY_ANNOTATION)
goes("drifted-dearer", "a drifted node may be replaced by a dearer one", [node("n1", itype="x1.small", claim_status=up(DRIFTED)), web()], "Drifted",
     pool=pool_of("WhenEmptyOrUnderutilized", "0s", None, req(TYPE, "In", "x1.xlarge")), allNewNodes={"instanceType": "x1.xlarge"})
round_of("drifted-no-place", "a drifted node whose pods would have no place stays; the next one goes",
         [dear("n1", claim_status=up(condition("Drifted", at="2026-03-01T09:00:00Z"))), pod("stuck-0", on="n1", select={"disk": "none"}),
          dear("n2", claim_status=up(condition("Drifted", at="2026-03-01T10:00:00Z"))), web("n2")],
         keptNodes=["n1"], keeps={"n1": "Not all pods would schedule"}, reasons={"n2": "Drifted"}, pool=pool_of("WhenEmpty"))
round_of("drifted-oldest-first", "the one that drifted first goes first",
         [dear("n%d" % i, claim_status=up(condition("Drifted", at="2026-03-01T1%d:00:00Z" % (5 - i)))) for i in range(3)]
         + [pod("web-%d" % i, cpu="1", on="n%d" % i) for i in range(3)], pool=pool_of("WhenEmpty", budgets=[{"nodes": "1"}]),
         disruptedNodes=["n2"], keptNodes=["n0", "n1"], reasons={"n2": "Drifted"})
round_of("drifted-empty-first", "but empty ones before all",
         [dear("n%d" % i, claim_status=up(condition("Drifted", at="2026-03-01T1%d:00:00Z" % (5 - i)))) for i in range(3)]
         + [pod("web-%d" % i, cpu="1", on="n%d" % i) for i in (1, 2)], pool=pool_of("WhenEmpty", "Never", [{"nodes": "1"}]),
         disruptedNodes=["n0"], keptNodes=["n1", "n2"], reasons={"n0": "Drifted"})
goes("drifted-into-window", "pods of a drifted node may go where others wait for their consolidateAfter",
     [dear("n1", claim_status=up(DRIFTED)), web(), node("n2", claim_status=dict(up(condition("Consolidatable", "False")), lastPodEventTime="2026-03-02T11:59:00Z")),
      pod("db-0", cpu="1", on="n2", annotations={DND: "true"})], "Drifted", pool=pool_of(after="10m"), newNodes={"max": 0})
goes("drifted-several", "the pods of one drifted node may need several new ones", [dear(claim_status=up(DRIFTED))] + [
    pod("web-%d" % i, cpu="3500m", on="n1") for i in range(4)], "Drifted", pool=pool_of("WhenEmpty", "0s", None, req(TYPE, "In", "x1.medium")),
    newNodes={"min": 4, "max": 4})

# ---- drift that the objects show, where it is asked for

HASH, HASH_VERSION = "karpenter.sh/nodepool-hash", "karpenter.sh/nodepool-hash-version"
CLASS_HASH, CLASS_HASH_VERSION = "karpenter.k8s.aws/ec2nodeclass-hash", "karpenter.k8s.aws/ec2nodeclass-hash-version"


def claimed(machine=None, labels=None, image=None, **annotations):
    machine = machine or dear()
    machine[1]["metadata"]["annotations"] = {k: v for k, v in annotations.items()}
    machine[1]["metadata"]["labels"].update(labels or {})
    if image:
        machine[1]["status"]["imageID"] = image
    return machine


def with_status(cls, **more):
    cls["status"].update(more)
    return cls


def noted(o, **annotations):
    o["metadata"]["annotations"] = annotations
    return o


IMAGES = [{"id": "ami-new", "requirements": [req(ARCH, "In", "amd64")]}, {"id": "ami-arm", "requirements": [req(ARCH, "In", "arm64")]}]
DRIFTS = (
    ("pool-hash", "NodePoolDrifted", lambda: claimed(**{HASH: "1", HASH_VERSION: "v3"}), None, None),
    ("requirements", "RequirementsDrifted", dear, pool_of("WhenEmpty", "0s", None, req(TYPE, "In", "x1.small")), None),
    ("requirements-class", "RequirementsDrifted", dear, pool_of("WhenEmpty", "0s", None, req(TYPE, "NotIn", "x1.xlarge")), None),
    ("capacity-type", "RequirementsDrifted", lambda: dear(ct="spot"), pool_of("WhenEmpty"), None),
    ("type-gone", "InstanceTypeNotFound", lambda: node("n1", itype="x1.colossal"), pool_of("WhenEmpty"), None),
    ("class-hash", "NodeClassDrift", lambda: claimed(**{CLASS_HASH: "1", CLASS_HASH_VERSION: "v4"}), None,
     noted(nodeclass(), **{CLASS_HASH: "2", CLASS_HASH_VERSION: "v4"})),
    ("image", "AMIDrift", lambda: claimed(image="ami-old"), None, with_status(nodeclass(), amis=IMAGES)),
    ("image-other-arch", "AMIDrift", lambda: claimed(image="ami-arm"), None, with_status(nodeclass(), amis=IMAGES)),
    ("subnet", "SubnetDrift", lambda: dear(zone=C), None, nodeclass(zones="ab")),
    ("reservation", "CapacityReservationDrift", lambda: claimed(dear(), labels={"karpenter.k8s.aws/capacity-reservation-id": "cr-old"}), None,
     nodeclass(reservations=[])),
)
for name, words, machine, pool, cls in DRIFTS:
    pool = pool or pool_of("WhenEmpty")
    stays("shows-" + name, "drift that the NodeClaim does not state is reported only", [machine(), web()], words, pool=pool, cls=cls)
    goes("detects-" + name, "and counts with --detect-drift", [machine(), web(select=None)], "Drifted", pool=pool, cls=cls, flags=["--detect-drift"], judged=False)
for name, machine, cls in (
        ("hash-version", lambda: claimed(**{HASH: "1", HASH_VERSION: "v2"}), None),
        ("hash-unversioned", lambda: claimed(**{HASH: "1"}), None),
        ("class-hash-same", lambda: claimed(**{CLASS_HASH: "2", CLASS_HASH_VERSION: "v4"}), noted(nodeclass(), **{CLASS_HASH: "2", CLASS_HASH_VERSION: "v4"})),
        ("class-hash-version", lambda: claimed(**{CLASS_HASH: "1", CLASS_HASH_VERSION: "v3"}), noted(nodeclass(), **{CLASS_HASH: "2", CLASS_HASH_VERSION: "v4"})),
        ("image-same", lambda: claimed(image="ami-new"), with_status(nodeclass(), amis=IMAGES)),
        ("subnet-same", lambda: dear(zone=B), nodeclass(zones="ab"))):
    stays("no-drift-" + name, "what is the same, or cannot be compared, has not drifted", [machine(), web()], "WhenEmpty", pool=pool_of("WhenEmpty"), cls=cls,
          flags=["--detect-drift"])

# ---- expiration: the NodeClaims of these cases are 28 hours old

OLD = {"expireAfter": "27h"}
goes("expired", "a node whose time is over goes", [dear(claim=OLD), web()], "Expired")
goes("expired-now", "at this very moment", [dear(claim={"expireAfter": "28h"}), web()], "Expired")
stays("expired-soon", "not a second before", [dear(claim={"expireAfter": "28h0m1s"}), web()], "WhenEmpty", pool=pool_of("WhenEmpty"))
stays("expired-never", "nor if it never ends", [dear(claim={"expireAfter": "Never"}), web()], "WhenEmpty", pool=pool_of("WhenEmpty"))
goes("expired-annotated", "annotations do not help", [annotated(dear(claim=OLD), "true"), web()], "Expired")
goes("expired-protected", "nor do protected pods", [dear(claim=OLD), web(annotations={DND: "true"})], "Expired")
GRACE = {"expireAfter": "27h", "terminationGracePeriod": "1h"}
FOR_EVER = [pdb("b", WEB, 0, maxUnavailable=0)]
for name, guard in (("protected", web(annotations={DND: "true"})), ("budget-for-ever", web())):
    load = [guard] + (FOR_EVER if name == "budget-for-ever" else [])
    goes("expired-%s-waits" % name, "without a terminationGracePeriod the node waits for what is protected: it saves nothing", [dear(claim=OLD)] + load,
         "Expired", steps={"n1": {"pods": [], "waitsFor": ["default/web-0"], "saves": 0}})
    goes("expired-%s-forced" % name, "with one the pod moves by force", [dear(claim=GRACE)] + load, "Expired", steps={"n1": {"pods": ["default/web-0"], "waitsFor": []}})
goes("expired-pdb", "nor budgets of pods", [dear(claim=OLD), web(), pdb("b", WEB, 0)], "Expired")
goes("expired-budget", "nor those of the NodePool", [dear(claim=OLD), web()], "Expired", pool=pool_of(budgets=[{"nodes": "0"}]))
goes("expired-static", "nor a static one", [dear(claim=OLD)], "Expired", pool=pool_of(replicas=1))
goes("expired-policy", "nor policies and waits", [dear(claim=OLD), web()], "Expired", pool=pool_of("WhenEmpty", "Never"))
goes("expired-uninitialized", "nor that it never got ready", [dear(claim=OLD, initialized=False)], "Expired")
stays("expired-deleting", "what goes already does not go again", [dear(claim=OLD, deleted=True)], "Node is deleting or marked for deletion")
goes("expired-pool-longer", "the NodeClaim's own time counts, not the NodePool's of today", [dear(claim=OLD), web()], "Expired")
