# SPDX-License-Identifier: GPL-3.0-or-later
"""Traps: sentences of the documentation of Kubernetes and of Karpenter that are read too quickly, one by one."""
from world import *  # noqa: F403: this is the language of the cases

W, X, Y = {"app": "w"}, {"app": "x"}, {"app": "y"}
SEL = {"matchLabels": W}
EBS = "ebs.csi.aws.com"
RACK = "example.com/rack"
SHUT = [taint("shut")]
COMING = dict(has_node=False, initialized=False, registered=False)


def condition(kind, status="True"):
    return {"type": kind, "status": status, "reason": kind, "message": "", "lastTransitionTime": "2026-03-02T11:50:00Z"}


def required(*terms):
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}}


def scratch(name="scratch", sc="gp3"):
    return {"name": name, "ephemeral": {"volumeClaimTemplate": {"spec": {
        "accessModes": ["ReadWriteOnce"], "storageClassName": sc, "resources": {"requests": {"storage": "1Gi"}}}}}}


# ---- who needs a place

case("traps/daemon-set-of-others", "a DaemonSet of another API group is a workload like any other",
     BASE + [pod("agent-0", owners=owner("DaemonSet", "agent", "apps.kruise.io/v1alpha1"))], scheduled="all")
case("traps/daemon-owner-not-controller", "an owner that is a DaemonSet says it all, controller or not",
     BASE + [pod("agent-0", owners=[{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "u"}])], ignored=["default/agent-0"])
case("traps/owner-node-of-others", "a Node of another API group makes no static pod",
     BASE + [pod("vm-0", owners=owner("Node", "vm", "virt.example.com/v1"))], scheduled="all")
case("traps/no-owner", "a pod that nobody owns needs a node all the same", BASE + [pod("solo", owners=[])], scheduled="all")
case("traps/ready-condition-only", "another condition with the reason Unschedulable is not the one",
     BASE + [pod("web-0", status={"conditions": [{"type": "Ready", "status": "False", "reason": "Unschedulable"}]})], ignored=["default/web-0"])
case("traps/refuses-by-selector-exists-elsewhere", "who refuses nodes of Karpenter still gets a running node that is none",
     BASE + [node("plain", managed=False), pod("web-0", need=[[req(POOL, "DoesNotExist")]])], notPlaced=[])
case("traps/preferred-restricted", "what a pod only prefers is not validated",
     BASE + [pod("web-0", wish=[(1, [req("karpenter.sh/nothing", "In", "x")])])], scheduled="all")
case("traps/do-not-disrupt-run-out", "a protection that lasts an hour does not hold a pod that has run for a day",
     BASE + [node("node-1", deleted=True), pod("run-0", on="node-1", annotations={"karpenter.sh/do-not-disrupt": "1h"})], onNewNodes=["default/run-0"])
case("traps/do-not-disrupt-lasting", "one of thirty hours does",
     BASE + [node("node-1", deleted=True), pod("run-0", on="node-1", annotations={"karpenter.sh/do-not-disrupt": "30h"})], notPlaced=["default/run-0"])
case("traps/do-not-disrupt-not-started", "a duration counts from the start: who has not started is protected",
     BASE + [node("node-1", deleted=True), pod("run-0", on="node-1", annotations={"karpenter.sh/do-not-disrupt": "1h"}, status={"startTime": None})],
     notPlaced=["default/run-0"])
case("traps/do-not-disrupt-nonsense", "neither true nor a duration is nothing",
     BASE + [node("node-1", deleted=True), pod("run-0", on="node-1", annotations={"karpenter.sh/do-not-disrupt": "yes"})], onNewNodes=["default/run-0"])
case("traps/do-not-disrupt-negative", "a duration that is not positive is nothing",
     BASE + [node("node-1", deleted=True), pod("run-0", on="node-1", annotations={"karpenter.sh/do-not-disrupt": "-1h"})], onNewNodes=["default/run-0"])
case("traps/do-not-disrupt-false", "false is nothing",
     BASE + [node("node-1", deleted=True), pod("run-0", on="node-1", annotations={"karpenter.sh/do-not-disrupt": "false"})], onNewNodes=["default/run-0"])
case("traps/pdb-zero-percent", "maxUnavailable of 0 % blocks for ever",
     BASE + [node("node-1", deleted=True), pod("run-0", on="node-1", labels=W), pdb("w", W, maxUnavailable="0%")], notPlaced=["default/run-0"])
case("traps/pdb-zero", "so does 0",
     BASE + [node("node-1", deleted=True), pod("run-0", on="node-1", labels=W), pdb("w", W, maxUnavailable=0)], notPlaced=["default/run-0"])
case("traps/pdb-two", "two budgets on one pod: the eviction API refuses for ever",
     BASE + [node("node-1", deleted=True), pod("run-0", on="node-1", labels=W), pdb("w", W, allowed=1, maxUnavailable=1), pdb("v", W, allowed=1, maxUnavailable=1)],
     notPlaced=["default/run-0"])
case("traps/pdb-other-namespace", "a budget of another namespace is none",
     BASE + [node("node-1", deleted=True), pod("run-0", on="node-1", labels=W), pdb("w", W, ns="other", maxUnavailable=0)], onNewNodes=["default/run-0"])
case("traps/pdb-empty-selector", "an empty selector takes all pods of the namespace",
     BASE + [node("node-1", deleted=True), pod("run-0", on="node-1", labels=W), pdb("w", {}, maxUnavailable=0)], notPlaced=["default/run-0"])
case("traps/finished-on-deleting-node", "a finished pod of a node that goes needs nothing",
     BASE + [node("node-1", deleted=True), pod("job-0", on="node-1", owners=owner("Job", "job", "batch/v1"), status={"phase": "Succeeded"})],
     ignored=["default/job-0"], newNodes={"max": 0})
case("traps/claim-deleting", "a machine goes when its claim does, though the Node does not know yet",
     BASE + [[dict(o, metadata=dict(o["metadata"], deletionTimestamp="2026-03-02T11:59:00Z", finalizers=["karpenter.sh/termination"])) if o["kind"] == "NodeClaim" else o
              for o in node("node-1")], pod("run-0", on="node-1"), pod("web-0")], onNewNodes=["default/run-0", "default/web-0"])
case("traps/instance-terminating", "or when its instance is being terminated",
     BASE + [node("node-1", claim_status={"conditions": [condition("Launched"), condition("Registered"), condition("Initialized"), condition("InstanceTerminating")]}),
             pod("run-0", on="node-1"), pod("web-0")], onNewNodes=["default/run-0", "default/web-0"])
case("traps/unmanaged-deleting", "a node that nobody manages goes when it is deleted",
     BASE + [node("node-1", managed=False, deleted=True), pod("run-0", on="node-1"), pod("web-0")], onNewNodes=["default/run-0", "default/web-0"])
case("traps/pause-pods-give-way", "a pause pod that runs is not asked to leave for others: who preempts is up to the scheduler",
     BASE + [node("node-1", itype="x1.small"), pod("pause-0", cpu="2", on="node-1", priority=-10), pod("web-0", cpu="1", priority=0)], onNewNodes=["default/web-0"])
case("traps/nominated-elsewhere", "a nomination names a node: the pod has its place in prospect",
     BASE + [node("node-1", itype="x1.small"), pod("pause-0", cpu="2", on="node-1", priority=-10, terminating=True),
             pod("web-0", cpu="1", status={"nominatedNodeName": "node-1"})], ignored=["default/web-0"], newNodes={"max": 0})

# ---- machines that come and go

case("traps/in-flight-labels-of-claim", "until a node is registered, the claim's labels are the node's",
     BASE + [node("node-1", zone=A, initialized=False, registered=False, drop=(ZONE, TYPE, CT)), pod("web-0", select={ZONE: A})],
     onExistingNodes={"default/web-0": "node-1"})
case("traps/in-flight-zero-cpu", "a node that reports zero CPU while it comes up has what its claim says",
     BASE + [node("node-1", initialized=False, alloc={"cpu": "0"}), pod("web-0", cpu="7")], onExistingNodes={"default/web-0": "node-1"})
case("traps/initialized-zero-cpu", "one that is up has not",
     BASE + [node("node-1", alloc={"nvidia.com/gpu": "0"}, claim_status={"allocatable": {"cpu": "8", "memory": "16Gi", "pods": "80", "nvidia.com/gpu": "1"}}),
             pod("web-0", cpu="1", limits={"nvidia.com/gpu": "1"})], unschedulable=["default/web-0"])
case("traps/launching-claim", "a claim whose instance has no id yet offers nothing",
     BASE + [node("claim-1", claim_status={"providerID": "", "conditions": []}, **COMING), pod("web-0")], scheduled="all", judged=False)
case("traps/in-flight-startup", "startup taints of a claim without Node do not count",
     BASE + [node("claim-1", claim={"startupTaints": [taint("cilium", "x")], "taints": []}, **COMING), pod("web-0")], onExistingNodes={"default/web-0": "claim-1"})
case("traps/in-flight-pods-limit", "a machine on its way has so many slots and no more",
     BASE + [node("claim-1", itype="x1.small", **COMING)] + pods(25, "web", cpu="1m", mem="1Mi"), scheduled="all", newNodes={"min": 1, "max": 1})
case("traps/startup-other-effect", "a startup taint of another effect is another taint",
     BASE + [node("node-1", initialized=False, taints=[taint("cilium", "x", "NoExecute")], claim={"startupTaints": [taint("cilium", "x", "NoSchedule")]}), pod("web-0")],
     onNewNodes=["default/web-0"])
case("traps/uninitialized-real-taint", "a taint that will stay counts while the node comes up",
     BASE + [node("node-1", initialized=False, taints=[taint("team", "a")]), pod("web-0")], onNewNodes=["default/web-0"])
case("traps/uninitialized-unmanaged", "a node that nobody manages is taken as it is: its not-ready counts",
     BASE + [node("node-1", managed=False, taints=[taint("node.kubernetes.io/not-ready", effect="NoExecute")]), pod("web-0")], onNewNodes=["default/web-0"])
case("traps/uninitialized-unreachable", "unreachable is expected to pass while a node comes up",
     BASE + [node("node-1", initialized=False, taints=[taint("node.kubernetes.io/unreachable")]), pod("web-0")], onExistingNodes={"default/web-0": "node-1"})
case("traps/uninitialized-disk-pressure", "disk pressure is not",
     BASE + [node("node-1", initialized=False, taints=[taint("node.kubernetes.io/disk-pressure")]), pod("web-0")], onNewNodes=["default/web-0"])
case("traps/existing-prefer", "a taint that only prefers no pods keeps nobody off a running node with nothing else",
     [nodeclass(), od(limits={"nodes": "0"}), node("node-1", of="other", taints=[taint("x", effect="PreferNoSchedule")]), pod("web-0")],
     onExistingNodes={"default/web-0": "node-1"})
case("traps/static-pool-node-daemon", "pods of DaemonSets that a running node still lacks are kept free there as well",
     BASE + [daemonset("agent", cpu="1500m"), node("node-1", itype="x1.small"), pod("web-0", cpu="1")], onNewNodes=["default/web-0"])
case("traps/daemon-more-than-expected", "a daemon pod larger than its template says frees nothing",
     BASE + [daemonset("agent", cpu="100m"), node("node-1", itype="x1.small"), pod("agent-x", cpu="1500m", ns="kube-system", on="node-1", owners=owner("DaemonSet", "agent")),
             pod("web-0", cpu="600m")], onNewNodes=["default/web-0"])
case("traps/ready-false", "a node that says it is not ready without a taint takes pods: the filter is the taint",
     BASE + [[dict(o, status=dict(o["status"], conditions=ready("False"))) if o["kind"] == "Node" else o for o in node("node-1")], pod("web-0")],
     onExistingNodes={"default/web-0": "node-1"})

# ---- taints and tolerations

case("traps/tolerate-exists-with-effect", "Exists without a key and with an effect tolerates that effect only",
     [nodeclass(), od(taints=[taint("x", "y"), taint("z", effect="NoExecute")]), pod("web-0", tolerate=[tolerate(op="Exists", effect="NoSchedule")])],
     unschedulable={"default/web-0": ["z"]})
case("traps/tolerate-no-effect", "no effect means every effect",
     [nodeclass(), od(taints=[taint("x", "y"), taint("x", "y", "NoExecute")]), pod("web-0", tolerate=[tolerate("x", "y")])], scheduled="all")
case("traps/tolerate-seconds", "a toleration of NoExecute for a while tolerates it",
     [nodeclass(), od(taints=[taint("x", "y", "NoExecute")]), pod("web-0", tolerate=[dict(tolerate("x", "y", "NoExecute"), tolerationSeconds=30)])], scheduled="all")
case("traps/startup-taint-not-tolerated-daemon", "a DaemonSet that does not tolerate PreferNoSchedule runs there all the same",
     [nodeclass(), od(taints=[taint("x", "y", "PreferNoSchedule")]), daemonset("agent", cpu="1"), pod("web-0", cpu="1500m")], instanceTypeOf={"default/web-0": "x1.medium"})
case("traps/startup-equals-taint", "a taint that is both a startup taint and a taint stays",
     [nodeclass(), od(taints=[taint("x", "y")], startup=[taint("x", "y")]), pod("web-0")], unschedulable=["default/web-0"])

# ---- labels and requirements

case("traps/not-in-undefined-well-known", "a type without a GPU has no GPU name, so NotIn holds there",
     BASE + [pod("web-0", need=[[req("karpenter.k8s.aws/instance-gpu-name", "NotIn", "t4")]])], catalog="aws-west2", scheduled="all")
case("traps/gt-undefined", "Gt does not hold where the label is not defined",
     BASE + [pod("web-0", need=[[req("example.com/gen", "Gt", "1")]])], unschedulable=["default/web-0"])
case("traps/exists-undefined", "nor does Exists", BASE + [pod("web-0", need=[[req("example.com/gen", "Exists")]])], unschedulable=["default/web-0"])
case("traps/in-empty-string", "a label may have the empty value",
     [nodeclass(), od("default", labels={"example.com/flag": ""}), pod("web-0", select={"example.com/flag": ""})], scheduled="all")
case("traps/empty-term", "a term without expressions matches nothing",
     BASE + [pod("web-0", need=[[]])], unschedulable=["default/web-0"])
case("traps/empty-term-beside", "and is passed over beside one that has some",
     BASE + [pod("web-0", need=[[], [req(ZONE, "In", B)]])], zoneOf={"default/web-0": B})
case("traps/same-key-twice", "two expressions of one term on one key must both hold",
     BASE + [pod("web-0", need=[[req(ZONE, "In", A, B), req(ZONE, "NotIn", A)]])], zoneOf={"default/web-0": B})
case("traps/same-key-contradicts", "and cannot when they contradict each other",
     BASE + [pod("web-0", need=[[req(ZONE, "In", A), req(ZONE, "In", B)]])], unschedulable=["default/web-0"])
case("traps/custom-contradicts", "also for a label that nobody has: neither value is there",
     BASE + [pod("web-0", need=[[req("example.com/a", "In", "1"), req("example.com/a", "In", "2")]])], unschedulable=["default/web-0"])
case("traps/pool-not-in-and-pod-not-in", "NotIn of the pool and NotIn of the pod leave the rest",
     [nodeclass(), od("default", req(ZONE, "NotIn", A)), pod("web-0", need=[[req(ZONE, "NotIn", B)]])], zoneOf={"default/web-0": C})
case("traps/custom-pool-in-pod-not-in", "of three values of the pool the pod refuses two",
     [nodeclass(), od("default", req(RACK, "In", "1", "2", "3")), pod("web-0", need=[[req(RACK, "NotIn", "1", "3")]])], nodeLabelsOf={"default/web-0": {RACK: "2"}})
case("traps/custom-pool-in-pod-refuses-all", "or all",
     [nodeclass(), od("default", req(RACK, "In", "1", "2")), pod("web-0", need=[[req(RACK, "NotIn", "1", "2")]])], unschedulable=["default/web-0"])
case("traps/custom-does-not-exist-against-in", "a pod that refuses the label that the pool gives",
     [nodeclass(), od("default", req(RACK, "In", "1", "2")), pod("web-0", need=[[req(RACK, "DoesNotExist")]])], unschedulable=["default/web-0"])
case("traps/cpu-lt", "Lt of a number of the type",
     BASE + [pod("web-0", cpu="1", need=[[req("karpenter.k8s.aws/instance-cpu", "Lt", "4")]])], catalog="aws-west2", scheduled="all")
case("traps/negative-gt", "Karpenter takes no pod that compares with a negative number",
     [nodeclass(), od("default", labels={"example.com/n": "0"}), pod("web-0", need=[[req("example.com/n", "Gt", "-1")]])], unschedulable=["default/web-0"],
     says={"default/web-0": "BAD_REQUIREMENT"})
case("traps/hostname-exists", "every node has a host name", BASE + [pod("web-0", need=[[req(HOST, "Exists")]])], scheduled="all")
case("traps/hostname-does-not-exist", "so no node is without", BASE + [pod("web-0", need=[[req(HOST, "DoesNotExist")]])], unschedulable=["default/web-0"])
case("traps/registered-daemon", "a DaemonSet may ask for registered nodes: all will be",
     BASE + [daemonset("agent", cpu="1", nodeSelector={"karpenter.sh/registered": "true"}), pod("web-0", cpu="1500m")], instanceTypeOf={"default/web-0": "x1.medium"})
case("traps/daemon-not-initialized", "or for nodes that are not initialized, which none will be",
     BASE + [daemonset("agent", cpu="1", affinity=required({"matchExpressions": [req("karpenter.sh/initialized", "DoesNotExist")]})), pod("web-0", cpu="1500m")],
     instanceTypeOf={"default/web-0": "x1.small"})

# ---- DaemonSets

case("traps/daemon-real-pod-pinned", "a daemon pod that runs is tied to its node by name; the next one will not be",
     BASE + [daemonset("agent", cpu="1"), node("node-1", itype="x1.small"),
             pod("agent-x", cpu="1", ns="kube-system", on="node-1", owners=owner("DaemonSet", "agent"), need=[{"matchFields": [req("metadata.name", "In", "node-1")]}]),
             pod("web-0", cpu="1500m")], instanceTypeOf={"default/web-0": "x1.medium"})
case("traps/daemon-real-pod-keeps-selector", "what its template requires holds for new nodes",
     BASE + [daemonset("agent", cpu="1", affinity=required({"matchExpressions": [req(ZONE, "In", A)]})), node("node-1", itype="x1.small"),
             pod("agent-x", cpu="1", ns="kube-system", on="node-1", owners=owner("DaemonSet", "agent"), need=[{"matchFields": [req("metadata.name", "In", "node-1")]}]),
             pod("web-0", cpu="1500m", select={ZONE: B})], instanceTypeOf={"default/web-0": "x1.small"})
case("traps/daemon-host-network", "with the host's network its container ports are taken on each node",
     BASE + [daemonset("agent", hostNetwork=True, ports=[{"containerPort": 9100}]), pod("web-0", ports=[{"containerPort": 80, "hostPort": 9100}])],
     unschedulable=["default/web-0"])
case("traps/daemon-extended", "GPUs that a DaemonSet takes are gone",
     BASE + [daemonset("agent", limits={"nvidia.com/gpu": "1"}), pod("web-0", limits={"nvidia.com/gpu": "1"})], catalog="aws-west2",
     instanceTypeOf={"default/web-0": {"in": ["g4dn.12xlarge", "p3.8xlarge", "p4d.24xlarge"]}})
case("traps/daemon-two-sets-by-type", "two DaemonSets, each on its own type: only the own one counts",
     BASE + [daemonset("small", cpu="1900m", nodeSelector={TYPE: "x1.small"}), daemonset("medium", cpu="500m", nodeSelector={TYPE: "x1.medium"}), pod("web-0", cpu="1500m")],
     instanceTypeOf={"default/web-0": "x1.medium"})
case("traps/daemon-larger-node-cheaper", "DaemonSets make one large node cheaper than two small ones",
     BASE + [daemonset("agent", cpu="500m")] + pods(2, "web", cpu="1500m"), newNodes={"max": 1}, instanceTypeOf={"default/web-0": "x1.medium"})
case("traps/daemon-sidecar", "a sidecar of a DaemonSet takes its part",
     BASE + [daemonset("agent", cpu="100m", initContainers=[container("p", cpu="900m", restartPolicy="Always")]), pod("web-0", cpu="1500m")],
     instanceTypeOf={"default/web-0": "x1.medium"})
case("traps/daemon-pool-label", "a DaemonSet that a template label keeps away",
     [nodeclass(), od(labels={"team": "a"}), daemonset("agent", cpu="1", nodeSelector={"team": "b"}), pod("web-0", cpu="1500m")], instanceTypeOf={"default/web-0": "x1.small"})
case("traps/daemon-does-not-exist", "one that asks for a label not to be there",
     [nodeclass(), od(labels={"team": "a"}), daemonset("agent", cpu="1", affinity=required({"matchExpressions": [req("team", "DoesNotExist")]})), pod("web-0", cpu="1500m")],
     instanceTypeOf={"default/web-0": "x1.small"})

# ---- the ladder of preferences

TWO = [node("n-a", zone=A, taints=SHUT), node("n-b", zone=B, taints=SHUT), pod("x-0", on="n-a", labels=X), pod("y-0", on="n-b", labels=Y)]
case("traps/ladder-near-before-node", "a wish to be near is given up before a wish for a zone",
     BASE + TWO + [pod("web-0", near_wish=[(100, term(ZONE, X))], wish=[(1, [req(ZONE, "In", B)])])], zoneOf={"default/web-0": B})
case("traps/ladder-apart-before-node", "so is a wish to be apart",
     BASE + TWO + [pod("web-0", apart_wish=[(100, term(ZONE, Y))], wish=[(1, [req(ZONE, "In", B)])])], zoneOf={"default/web-0": B})
case("traps/ladder-near-before-apart", "and near goes before apart",
     BASE + TWO + [pod("web-0", near_wish=[(100, term(ZONE, X))], apart_wish=[(1, term(ZONE, X))])], zoneOf={"default/web-0": {"notIn": [A]}})
case("traps/ladder-heaviest-near-first", "of two wishes to be near that contradict each other the heavier is given up first",
     BASE + TWO + [pod("web-0", near_wish=[(100, term(ZONE, X)), (1, term(ZONE, Y))])], zoneOf={"default/web-0": B})
case("traps/ladder-node-before-spread", "a wish for a zone is given up before a soft spread",
     BASE + [node("n-a", zone=A, taints=SHUT), pod("x-0", on="n-a", labels=W), pod("web-0", labels=W, wish=[(1, [req(ZONE, "In", A)])],
                                                                                     spread=[skew(ZONE, W, when="ScheduleAnyway")])],
     zoneOf={"default/web-0": {"in": [B, C]}})
case("traps/ladder-node-before-taint", "a wish for a zone is given up before a taint that prefers no pods is accepted",
     [nodeclass(), od("soft", req(ZONE, "In", A), taints=[taint("x", "y", "PreferNoSchedule")]), od("plain", req(ZONE, "In", B)), pod("web-0", wish=[(1, [req(ZONE, "In", A)])])],
     nodePoolOf={"default/web-0": "plain"})
case("traps/ladder-spread-before-taint", "so is a soft spread",
     [nodeclass(), od("soft", req(ZONE, "In", A), taints=[taint("x", "y", "PreferNoSchedule")]), od("plain", req(ZONE, "In", B)),
      node("n-b", zone=B, taints=SHUT), pod("x-0", on="n-b", labels=W), pod("web-0", labels=W, spread=[skew(ZONE, W, when="ScheduleAnyway")])],
     nodePoolOf={"default/web-0": "plain"})
case("traps/ladder-first-term-first", "of required terms the first counts while it can be met",
     [nodeclass(), pool("default", req(CT, "In", "spot", "on-demand")), pod("web-0", need=[[req(CT, "In", "on-demand")], [req(CT, "In", "spot")]])], scheduled="all")
case("traps/ladder-beats-weight", "a lighter pool that keeps the wish comes before the heavier one that does not",
     [nodeclass(), od("heavy", req(ZONE, "In", A), weight=50), od("light", req(ZONE, "In", B)), pod("web-0", wish=[(1, [req(ZONE, "In", B)])])],
     nodePoolOf={"default/web-0": "light"})
case("traps/ladder-running-node", "room on a running node that breaks a wish is taken only after a new node that keeps it",
     BASE + [node("n-a", zone=A), pod("web-0", wish=[(1, [req(ZONE, "In", B)])])], onNewNodes=["default/web-0"], zoneOf={"default/web-0": B})
case("traps/ladder-second-wish", "of wishes for nodes only the heaviest is looked at, then the next",
     BASE + [pod("web-0", select={ZONE: B}, wish=[(50, [req(ZONE, "In", A)]), (20, [req(TYPE, "In", "x1.large")])])], instanceTypeOf={"default/web-0": "x1.large"})
case("traps/ladder-lighter-wish-not-beside", "the lighter one is not asked for beside the heavier",
     BASE + [pod("web-0", wish=[(50, [req(ZONE, "In", B)]), (20, [req(TYPE, "In", "x1.large")])])], zoneOf={"default/web-0": B}, instanceTypeOf={"default/web-0": "x1.small"})

# ---- spread

case("traps/spread-all-keys", "a node that lacks one of a pod's topology keys is no domain of the others",
     BASE[:1] + [od(labels={RACK: "r1"}), node("n-a", zone=A, taints=SHUT)] + [pod("run-%d" % i, on="n-a", labels=W) for i in range(3)] +
     pods(2, "web", labels=W, spread=[skew(ZONE, W), skew(RACK, W, n=5)]), scheduled="all")
case("traps/spread-bound-pending-mixed", "pods that wait count as soon as they are placed",
     BASE + [node("n-a", zone=A, taints=SHUT), pod("run-0", on="n-a", labels=W)] + pods(5, "web", labels=W, spread=[skew(ZONE, W)]),
     spread={"selector": SEL, "key": ZONE, "counts": [2, 2, 2]})
case("traps/spread-finished-not-counted", "finished pods do not count",
     BASE + [node("n-a", zone=A, taints=SHUT), pod("job-0", on="n-a", labels=W, status={"phase": "Succeeded"}), pod("web-0", labels=W, select={ZONE: A}, spread=[skew(ZONE, W)])],
     zoneOf={"default/web-0": A})
case("traps/spread-pool-affinity-hides", "a pool that the pod's selector rules out opens no domain",
     [nodeclass(), od("one", req(ZONE, "In", A), labels={"team": "a"}), od("two", req(ZONE, "In", B, C), labels={"team": "b"})] +
     pods(3, "web", labels=W, select={"team": "a"}, spread=[skew(ZONE, W)]), sameZone=[names(3, "web")])
case("traps/spread-pool-taint-default", "a pool that the pod does not tolerate opens its zones all the same by default",
     [nodeclass(), od("one", req(ZONE, "In", A)), od("two", req(ZONE, "In", B), taints=SHUT)] + pods(3, "web", labels=W, spread=[skew(ZONE, W)]),
     scheduledCount={"min": 1, "max": 1})
case("traps/spread-pool-taint-honor", "and does not when taints are honoured",
     [nodeclass(), od("one", req(ZONE, "In", A)), od("two", req(ZONE, "In", B), taints=SHUT)] + pods(3, "web", labels=W, spread=[skew(ZONE, W, nodeTaintsPolicy="Honor")]),
     scheduled="all", sameZone=[names(3, "web")])
case("traps/spread-pool-prefer-taint-honor", "a taint that only prefers no pods hides nothing",
     [nodeclass(), od("one", req(ZONE, "In", A)), od("two", req(ZONE, "In", B), taints=[taint("x", effect="PreferNoSchedule")])] +
     pods(2, "web", labels=W, spread=[skew(ZONE, W, nodeTaintsPolicy="Honor")]), differentZones=[names(2, "web")])
case("traps/spread-empty-key", "pods of other namespaces with the same labels do not count",
     BASE + [node("n-a", zone=A, taints=SHUT)] + [pod("run-%d" % i, ns="other", on="n-a", labels=W) for i in range(3)] + pods(3, "web", labels=W, spread=[skew(ZONE, W)]),
     spread={"selector": SEL, "key": ZONE, "counts": [1, 1, 1]})
case("traps/spread-host-min-domains", "minDomains over hosts: a host that is to come is no domain yet, the minimum is zero anyway",
     BASE + pods(4, "web", labels=W, spread=[skew(HOST, W, n=2, minDomains=9)]), newNodes={"min": 2}, spread={"selector": SEL, "key": HOST, "maxPerDomain": 2})
case("traps/spread-two-on-one-key", "two constraints on one key with two selectors both hold",
     BASE + [pod("a-%d" % i, labels={"app": "w", "tier": "t"}, spread=[skew(ZONE, W), skew(ZONE, {"tier": "t"})]) for i in range(3)] +
     [pod("b-%d" % i, labels={"tier": "t"}, spread=[skew(ZONE, {"tier": "t"})]) for i in range(3)],
     spread=[{"selector": SEL, "key": ZONE, "counts": [1, 1, 1]}, {"selector": {"matchLabels": {"tier": "t"}}, "key": ZONE, "counts": [2, 2, 2]}])
case("traps/spread-anyway-and-hard", "a soft spread over hosts beside a hard one over zones",
     BASE + pods(3, "web", labels=W, spread=[skew(ZONE, W), skew(HOST, W, when="ScheduleAnyway")]), differentZones=[names(3, "web")])
case("traps/spread-not-self-min", "pods that the selector does not take are let in only where its pods are not too many",
     BASE + [node("n-a", zone=A, taints=SHUT)] + [pod("run-%d" % i, on="n-a", labels=X) for i in range(2)] + pods(2, "web", labels=W, spread=[skew(ZONE, X)]),
     zoneOf={"default/web-0": {"in": [B, C]}, "default/web-1": {"in": [B, C]}})

# ---- affinity

case("traps/near-bootstrap-other-namespace", "the first of a group may start only where its own namespace is looked at",
     BASE + [namespace("other"), pod("web-0", labels=W, near=[term(ZONE, W, namespaces=["other"])])], unschedulable=["default/web-0"])
case("traps/near-bootstrap-two-terms", "who matches one of its two terms starts nothing",
     BASE + [pod("web-0", labels=W, near=[term(ZONE, W), term(ZONE, X)])], unschedulable=["default/web-0"])
case("traps/near-bootstrap-key-missing", "nor does one start where no node has the label",
     BASE + [pod("web-0", labels=W, near=[term(RACK, W)])], unschedulable=["default/web-0"])
case("traps/near-node-without-key", "a pod on a node without the label attracts nobody",
     BASE + [node("n-a", zone=A, drop=(ZONE,), managed=False, taints=SHUT), pod("x-0", on="n-a", labels=X), pod("web-0", near=[term(ZONE, X)])],
     unschedulable=["default/web-0"])
case("traps/apart-empty-selector", "an empty selector avoids every pod of the namespace, daemon pods of others not",
     BASE + [node("n-a", zone=A), pod("x-0", on="n-a"), pod("web-0", apart=[term(HOST, {})])], onNewNodes=["default/web-0"])
case("traps/apart-nil-selector", "no selector avoids nobody",
     BASE + [node("n-a", zone=A), pod("x-0", on="n-a"), pod("web-0", apart=[term(HOST)])], onExistingNodes={"default/web-0": "n-a"})
case("traps/apart-running-daemon-carries", "a running daemon pod that avoids others is avoided",
     BASE + [node("n-a", zone=A), pod("agent-x", on="n-a", labels=X, owners=owner("DaemonSet", "agent"), apart=[term(HOST, W)]), pod("web-0", labels=W)],
     onNewNodes=["default/web-0"])
case("traps/apart-namespace-symmetric", "a running pod that avoids all namespaces is avoided from all",
     BASE + [namespace("other"), node("n-a", zone=A), pod("x-0", ns="other", on="n-a", apart=[term(HOST, W, namespaceSelector={})]), pod("web-0", labels=W)],
     onNewNodes=["default/web-0"])
case("traps/apart-finished-carrier", "a finished pod avoids nobody any more",
     BASE + [node("n-a", zone=A), pod("x-0", on="n-a", apart=[term(HOST, W)], status={"phase": "Failed"}), pod("web-0", labels=W)],
     onExistingNodes={"default/web-0": "n-a"})
case("traps/apart-zone-daemon-template", "DaemonSets that come avoid as well as pods do, once they run",
     BASE + [node("n-a", zone=A, taints=SHUT), pod("x-0", on="n-a", labels=X), pod("web-0", labels=W, apart=[term(ZONE, X)])], zoneOf={"default/web-0": {"in": [B, C]}})

# ---- volumes

case("traps/volume-ephemeral-name", "the claim of an ephemeral volume is that of the pod and the volume",
     BASE + [storageclass(), pv("pv-c", [C]), pvc("web-0-other", volume="pv-c"), pod("web-0", volumes=[scratch()], select={ZONE: A})], zoneOf={"default/web-0": A})
case("traps/volume-two-ephemeral-zones", "two ephemeral volumes of classes that agree on one zone",
     BASE + [storageclass("one", zones=[A, B]), storageclass("two", zones=[B, C]), pod("web-0", volumes=[scratch("a", "one"), scratch("b", "two")])], zoneOf={"default/web-0": B})
case("traps/volume-allowed-topology-two-keys", "expressions of one allowed topology must all hold",
     BASE + [storageclass(topologies=[{"matchLabelExpressions": [{"key": ZONE, "values": [A, B]}, {"key": "topology.kubernetes.io/region", "values": ["us-west-2"]}]}]),
             pvc("data"), pod("web-0", claims=["data"], select={ZONE: B})], zoneOf={"default/web-0": B})
case("traps/volume-allowed-topology-unknown", "a topology that no node has",
     BASE + [storageclass(zones=["us-west-2z"]), pvc("data"), pod("web-0", claims=["data"])], unschedulable=["default/web-0"])
case("traps/volume-init-container-only", "claims belong to the pod, whoever mounts them",
     BASE + [storageclass(zones=[B]), pvc("data"), pod("web-0", claims=["data"], initContainers=[container("i", cpu="1m")])], zoneOf={"default/web-0": B})
case("traps/volume-other-namespace", "a claim of another namespace is not the pod's",
     BASE + [storageclass(), pvc("data", ns="other"), pod("web-0", claims=["data"])], unschedulable={"default/web-0": ["data"]})
case("traps/volume-bound-pod-counts-once", "two running pods of one claim have attached it once",
     BASE + [storageclass(), node("n-1", csi={EBS: 2}), pv("pv-1", [A]), pvc("d1", volume="pv-1"), pvc("d2"), pod("run-0", on="n-1", claims=["d1"]),
             pod("run-1", on="n-1", claims=["d1"]), pod("web-0", claims=["d2"])], onExistingNodes={"default/web-0": "n-1"})
case("traps/volume-finished-pod-detached", "a finished pod has let go of its volume",
     BASE + [storageclass(), node("n-1", csi={EBS: 1}), pv("pv-1", [A]), pvc("d1", volume="pv-1"), pvc("d2"),
             pod("job-0", on="n-1", claims=["d1"], status={"phase": "Succeeded"}), pod("web-0", claims=["d2"])], onExistingNodes={"default/web-0": "n-1"})
case("traps/volume-efs-not-attached", "a file system uses no slot of the EBS driver",
     BASE + [storageclass("efs", "efs.csi.aws.com"), node("n-1", csi={EBS: 0}), pv("pv-e", driver="efs.csi.aws.com"), pvc("data", sc="efs", volume="pv-e"), pod("web-0", claims=["data"])],
     onExistingNodes={"default/web-0": "n-1"})
case("traps/volume-allocatable-absent", "a driver that states no number limits nothing",
     BASE + [storageclass(), node("n-1"), {"apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": meta("n-1"),
                                           "spec": {"drivers": [{"name": EBS, "nodeID": "n-1", "topologyKeys": []}]}}, pvc("d1"), pod("web-0", claims=["d1"])],
     onExistingNodes={"default/web-0": "n-1"})
case("traps/volume-zone-label-on-csi", "a volume without node affinity but with the zone's label is bound to it",
     BASE + [pv("pv-t", labels={ZONE: B}), pvc("data", volume="pv-t"), pod("web-0", claims=["data"])], scheduled="all")
case("traps/volume-terms-or-zones", "terms of a volume are alternatives, also beside a spread",
     BASE + [pv("pv-1", terms=[[req(ZONE, "In", A)], [req(ZONE, "In", C)]]), pvc("d-0", volume="pv-1"), node("n-a", zone=A, taints=SHUT), pod("run-0", on="n-a", labels=W),
             node("n-b", zone=B, taints=SHUT), pod("run-1", on="n-b", labels=W), pod("web-0", labels=W, claims=["d-0"], spread=[skew(ZONE, W)])], zoneOf={"default/web-0": C})
case("traps/volume-deleting-node-wffc", "the claim of a pod that moves is bound: it goes to its zone",
     BASE + [node("n-b", zone=B, deleted=True), pv("pv-b", [B]), storageclass(), pvc("data", volume="pv-b"), pod("run-0", on="n-b", claims=["data"])], zoneOf={"default/run-0": B})

# ---- limits, weights, minValues, reserved

case("traps/limit-equal", "a limit may be used up to the last core", [nodeclass(), od(limits={"cpu": "4"}), pod("web-0", cpu="3")], instanceTypeOf={"default/web-0": "x1.medium"})
case("traps/limit-two-resources", "of two limits the tighter one counts",
     [nodeclass(), od(limits={"cpu": "100", "memory": "8Gi"})] + pods(4, "web", cpu="1500m"), scheduledCount={"min": 2, "max": 2})
case("traps/limit-of-unmanaged", "nodes that nobody manages use no limit",
     [nodeclass(), od(limits={"nodes": "1"}), node("n-1", managed=False, taints=SHUT), pod("web-0")], onNewNodes=["default/web-0"])
case("traps/limit-exceeded-other-resource", "a limit on memory that is exceeded stops everything",
     [nodeclass(), od(limits={"memory": "1Gi"}), node("n-1", taints=SHUT), pod("web-0")], unschedulable={"default/web-0": ["memory"]})
case("traps/limit-zero-extended", "a limit of zero GPUs leaves machines without",
     [nodeclass(), od(limits={"nvidia.com/gpu": "0"}), pod("web-0")], catalog="aws-west2", scheduled="all")
case("traps/limit-zero-gpu-pod", "but no GPU",
     [nodeclass(), od(limits={"nvidia.com/gpu": "0"}), pod("web-0", limits={"nvidia.com/gpu": "1"})], catalog="aws-west2", unschedulable={"default/web-0": ["limit", "nvidia.com/gpu"]})
case("traps/weight-name-tie", "equal weights are one tier: the cheaper pool",
     [nodeclass(), od("a", req(TYPE, "In", "x1.medium")), od("z", req(TYPE, "In", "x1.small")), pod("web-0")], nodePoolOf={"default/web-0": "z"})
case("traps/weight-limit-then-light", "what the heavy pool's limit does not take goes to the light one",
     [nodeclass(), od("heavy", req(TYPE, "In", "x1.small"), weight=9, limits={"cpu": "4"}), od("light")] + pods(3, "web", cpu="2"),
     newNodesInPool={"heavy": {"min": 2, "max": 2}, "light": {"min": 1}})
case("traps/min-values-instance-type", "enough types must be able to carry the pods",
     [nodeclass(), od("default", req(TYPE, "In", "x1.small", "x1.medium", "x1.large", minValues=2)), pod("web-0", cpu="7")], unschedulable=["default/web-0"])
case("traps/min-values-two-of-three", "two of three types carry the pod",
     [nodeclass(), od("default", req(TYPE, "In", "x1.small", "x1.medium", "x1.large", minValues=2)), pod("web-0", cpu="3")], instanceTypeOf={"default/web-0": "x1.medium"})
case("traps/reserved-not-dearer-pool", "a pool of less weight does not get the pod because a reservation of it is free",
     [nodeclass(), od("heavy", weight=9), pool("light"), pod("web-0", cpu="3")],
     catalog=catalog(itype("r.big", 4, 8192, offerings=[{"zone": A, "capacityType": "reserved", "price": 0.0, "available": True, "reservationId": "cr-1", "reservationCapacity": 1}]),
                     itype("s.big", 4, 8192, 0.4)), nodePoolOf={"default/web-0": "heavy"})
case("traps/not-ready-validation", "a pool that failed validation is not ready",
     [nodeclass(), od("bad", conditions=[condition("ValidationSucceeded", "False"), condition("Ready", "False")], weight=90), od("good"), pod("web-0")],
     nodePoolOf={"default/web-0": "good"})
case("traps/no-status-yet", "a pool without any condition is taken as ready",
     [nodeclass(), dict(od("young"), status={}), pod("web-0")], scheduled="all")

# ---- odd clusters

BOTH = [nodeclass(), pool()]


def buffer(name, replicas, cpu="1", mem="128Mi", ns="default"):
    """A CapacityBuffer and the template of its pods."""
    spec = {"containers": [container(cpu=cpu, mem=mem)]}
    return [{"apiVersion": "v1", "kind": "PodTemplate", "metadata": meta(name + "-shape", ns), "template": {"metadata": {"labels": {"buffer": name}}, "spec": spec}},
            {"apiVersion": "autoscaling.x-k8s.io/v1beta1", "kind": "CapacityBuffer", "metadata": meta(name, ns),
             "spec": {"podTemplateRef": {"name": name + "-shape"}, "replicas": replicas},
             "status": {"conditions": [condition("ReadyForProvisioning")], "podTemplateRef": {"name": name + "-shape"}, "replicas": replicas}}]


def resized(name, spec_cpu, allocated, on, why=None, **more):
    conditions = [{"type": "PodScheduled", "status": "True"}]
    if why:
        conditions.append({"type": "PodResizePending", "status": "True", "reason": why})
    return pod(name, cpu=spec_cpu, on=on, status={"conditions": conditions, "containerStatuses": [
        {"name": "app", "allocatedResources": {"cpu": allocated, "memory": "128Mi"}, "resources": {"requests": {"cpu": allocated, "memory": "128Mi"}}}]}, **more)


case("odd/resize-infeasible", "a resize that the node cannot do does not count",
     BASE + [node("node-1", itype="x1.small"), resized("run-0", "4", "500m", "node-1", "Infeasible"), pod("web-0", cpu="1")],
     onExistingNodes={"default/web-0": "node-1"}, judged=False)
case("odd/resize-deferred", "one that waits does",
     BASE + [node("node-1", itype="x1.small"), resized("run-0", "1500m", "500m", "node-1", "Deferred"), pod("web-0", cpu="1")], onNewNodes=["default/web-0"])
case("odd/resize-moves-with-spec", "a pod that moves to another node starts with what its spec asks for",
     BASE + [node("node-1", deleted=True), resized("run-0", "3", "500m", "node-1")], instanceTypeOf={"default/run-0": "x1.medium"})
case("odd/pod-level-memory-only", "a resource that the pod's requests do not name is the sum of the containers",
     BASE + [pod("web-0", cpu="3", mem="1Gi", resources={"requests": {"memory": "2Gi"}})], instanceTypeOf={"default/web-0": "x1.medium"})
case("odd/pod-level-daemon", "a DaemonSet's pod-level requests count as those of pods do",
     BASE + [daemonset("agent", cpu="100m", resources={"requests": {"cpu": "1"}}), pod("web-0", cpu="1500m")], instanceTypeOf={"default/web-0": "x1.medium"})
case("odd/pod-level-init", "the largest init container does not count beside requests of the pod",
     BASE + [pod("web-0", cpu="100m", resources={"requests": {"cpu": "1"}, "limits": {"cpu": "4"}}, initContainers=[container("i", cpu="3")])],
     instanceTypeOf={"default/web-0": "x1.small"})
LIMITS = lambda **more: {"apiVersion": "v1", "kind": "LimitRange", "metadata": meta("d", "kube-system"), "spec": {"limits": [dict({"type": "Container"}, **more)]}}
case("odd/limit-range-default-limit", "a default limit of a LimitRange is the request where there is no default request",
     BASE + [daemonset("agent", cpu=None, mem=None), LIMITS(default={"cpu": "1"}), pod("web-0", cpu="1500m")], instanceTypeOf={"default/web-0": "x1.medium"}, judged=False)
case("odd/limit-range-request-before-limit", "and the default request where there is one",
     BASE + [daemonset("agent", cpu=None, mem=None), LIMITS(default={"cpu": "1"}, defaultRequest={"cpu": "100m"}), pod("web-0", cpu="1500m")],
     instanceTypeOf={"default/web-0": "x1.small"})
case("odd/limit-range-stated-wins", "what the template states stays",
     BASE + [daemonset("agent", cpu="100m"), LIMITS(defaultRequest={"cpu": "1"}), pod("web-0", cpu="1500m")], instanceTypeOf={"default/web-0": "x1.small"})
case("odd/limit-range-other-namespace", "a LimitRange is for its namespace",
     BASE + [daemonset("agent", cpu=None, mem=None, ns="ops"), LIMITS(defaultRequest={"cpu": "1"}), pod("web-0", cpu="1500m")], instanceTypeOf={"default/web-0": "x1.small"})
case("odd/buffer-room", "room to keep free is bought as if pods stood there",
     BASE + [buffer("spare", 2, cpu="1500m")], newNodes={"min": 1}, judged=False)
case("odd/buffer-uses-running-room", "free room of running nodes is room kept free",
     BASE + [node("node-1"), buffer("spare", 2, cpu="1500m")], newNodes={"max": 0}, judged=False)
case("odd/buffer-zero", "a buffer of nothing asks for nothing", BASE + [buffer("spare", 0)], newNodes={"max": 0}, judged=False)
case("odd/windows-daemon-linux", "a DaemonSet for Linux takes nothing of Windows nodes",
     [nodeclass(alias="windows2022@latest"), od(), daemonset("agent", cpu="900m", nodeSelector={"kubernetes.io/os": "linux"}),
      pod("web-0", cpu="1500m", select={"kubernetes.io/os": "windows"})], catalog=catalog(itype("w.s", 2, 4096, 0.1, os=("linux", "windows")), itype("w.m", 4, 8192, 0.2, os=("linux", "windows"))),
     instanceTypeOf={"default/web-0": "w.s"})
case("odd/windows-types-only", "types that do not run Windows are not bought for it",
     [nodeclass(alias="windows2022@latest"), od(), pod("web-0", select={"kubernetes.io/os": "windows"})],
     catalog=catalog(itype("l.s", 2, 4096, 0.1), itype("w.m", 4, 8192, 0.2, os=("linux", "windows"))), instanceTypeOf={"default/web-0": "w.m"})
case("odd/linux-pod-on-windows", "a pod that names no system may land on Windows: only its selector says otherwise",
     [nodeclass("win", alias="windows2022@latest"), od(cls="win"), pod("web-0", select={"kubernetes.io/os": "linux"})],
     catalog=catalog(itype("w.m", 4, 8192, 0.2, os=("linux", "windows"))), unschedulable=["default/web-0"])
case("odd/custom-family", "a class of the family Custom takes what the catalogue says",
     [nodeclass(alias=None, amiFamily="Custom", amiSelectorTerms=[{"id": "ami-0123456789abcdef0"}]), od(), pod("web-0", cpu="2", mem="4Gi")],
     instanceTypeOf={"default/web-0": "x1.small"}, judged=False)
case("odd/system-and-kube-reserved", "both are taken off",
     [nodeclass(kubelet={"kubeReserved": {"memory": "1Gi"}, "systemReserved": {"memory": "1Gi"}}), od(), pod("web-0", mem="2560Mi")], instanceTypeOf={"default/web-0": "x1.medium"})
case("odd/raid0-without-disks", "RAID0 of no disks leaves the root volume",
     [nodeclass(instanceStorePolicy="RAID0"), od(), pod("web-0", requests={"ephemeral-storage": "12Gi"})], scheduled="all")
case("odd/resource-claim-template", "a pod whose claim comes from a template is refused as well",
     BASE + [pod("web-0", resourceClaims=[{"name": "gpu", "resourceClaimTemplateName": "gpu"}]), pod("web-1")], unschedulable=["default/web-0"], scheduled=["default/web-1"],
     judged=False)
case("odd/resource-claims-empty", "an empty list of claims asks for nothing", BASE + [pod("web-0", resourceClaims=[])], scheduled="all")
case("odd/shared-and-dedicated", "a shared claim is attached once beside those that each pod has alone",
     BASE + [storageclass(), node("n-1", csi={EBS: 3}), pv("pv-s", [A]), pvc("s", volume="pv-s"), pvc("d-0"), pvc("d-1"),
             pod("web-0", claims=["s", "d-0"]), pod("web-1", claims=["s", "d-1"])], onExistingNodes={"default/web-0": "n-1", "default/web-1": "n-1"})
case("odd/shared-fits-tied-host", "two pods that must share a host share its attachments, too",
     [nodeclass(), od(limits={"nodes": "1"}), storageclass(), pv("pv-s", [A]), pvc("s", volume="pv-s"), pv("pv-d", [A]), pvc("d", volume="pv-d"),
      pod("web-0", labels=W, claims=["s", "d"], near=[term(HOST, W)]), pod("web-1", labels=W, claims=["s"], near=[term(HOST, W)])],
     catalog=catalog(itype("a.x", 4, 8192, 0.2, attach={EBS: 2})), scheduled="all")
case("odd/nominated-missing-node", "a nomination of a node that is gone still is one: the scheduler clears it itself",
     BASE + [pod("web-0", status={"nominatedNodeName": "gone"})], ignored=["default/web-0"])
case("odd/mirror-on-fresh", "a static pod waits for nobody", BASE + [pod("static-x", owners=owner("Node", "node-1", "v1"))], ignored=["default/static-x"])
case("odd/overlay-no-weight-last", "an overlay without weight is the lightest",
     BASE + [overlay("a", req(TYPE, "In", "x1.small"), price="5"), overlay("b", req(TYPE, "In", "x1.small"), weight=1, price="0.01"), pod("web-0")], maxHourlyCost=0.01)
case("odd/overlay-beside-spot", "an overlay on on-demand leaves spot as it is",
     BOTH + [overlay("dear", req(CT, "In", "on-demand"), price="9"), pod("web-0")], capacityTypeOf={"default/web-0": "spot"})
case("odd/overlay-adds-to-limit", "a resource that an overlay adds counts for limits",
     [nodeclass(), od(limits={"example.com/fpga": "1"}), overlay("f", req(TYPE, "In", "x1.large"), capacity={"example.com/fpga": "1"})] +
     pods(2, "web", limits={"example.com/fpga": "1"}), scheduledCount={"min": 1, "max": 1})
case("odd/min-values-and-spread", "enough families beside a spread over zones",
     [nodeclass(), od("default", req("karpenter.k8s.aws/instance-family", "Exists", minValues=2))] + pods(3, "web", labels=W, spread=[skew(ZONE, W)]),
     catalog=catalog(itype("a.x", 4, 8192, 0.2), itype("b.x", 4, 8192, 0.21)), spread={"selector": SEL, "key": ZONE, "counts": [1, 1, 1]})
case("odd/min-values-zones-and-spread", "two zones must be open to each node, which a spread over zones leaves to none",
     [nodeclass(), od("default", req(ZONE, "Exists", minValues=2))] + pods(3, "web", labels=W, spread=[skew(ZONE, W)]), scheduled=[], judged=False)
case("odd/deleting-claim-in-flight", "a machine on its way that is to go takes nobody",
     BASE + [[dict(o, metadata=dict(o["metadata"], deletionTimestamp="2026-03-02T11:59:00Z", finalizers=["karpenter.sh/termination"])) for o in node("claim-1", **COMING)],
             pod("web-0")], onNewNodes=["default/web-0"])
case("odd/unmanaged-takes-first", "room that nobody pays for more comes before a purchase, whoever manages it",
     BASE + [node("plain", managed=False, itype="x1.small")] + pods(2, "web", cpu="900m"), newNodes={"max": 0}, scheduled="all")
case("odd/static-in-flight", "a machine on its way of a static pool takes pods",
     [nodeclass(), od(), od("static", replicas=1), node("claim-1", of="static", **COMING), pod("web-0")], onExistingNodes={"default/web-0": "claim-1"})
