# SPDX-License-Identifier: GPL-3.0-or-later
"""Running nodes, taints, host ports, DaemonSets."""
from world import *  # noqa: F403: this is the language of the cases

DISRUPTED = taint("karpenter.sh/disrupted")

# ---- running nodes

case("existing/unmanaged", "a node that no pool made is used as well",
     BASE + [node("node-1", managed=False), pod("web-0")], onExistingNodes={"default/web-0": "node-1"})
case("existing/cordoned", "a cordoned node is not",
     BASE + [node("node-1", cordoned=True), pod("web-0")], onNewNodes=["default/web-0"])
case("existing/cordoned-tolerated", "but for who tolerates that",
     BASE + [node("node-1", cordoned=True), pod("web-0", tolerate=[tolerate("node.kubernetes.io/unschedulable", effect="NoSchedule")])],
     onExistingNodes={"default/web-0": "node-1"})
case("existing/not-ready-unmanaged", "not-ready keeps pods off a node that is up",
     BASE + [node("node-1", managed=False, taints=[taint("node.kubernetes.io/not-ready")]), pod("web-0")], onNewNodes=["default/web-0"])
case("existing/not-ready-initialized", "of a managed one, too",
     BASE + [node("node-1", taints=[taint("node.kubernetes.io/not-ready", effect="NoExecute")]), pod("web-0")], onNewNodes=["default/web-0"])
case("existing/not-ready-coming", "not of one that is still coming up",
     BASE + [node("node-1", initialized=False, taints=[taint("node.kubernetes.io/not-ready"), taint("node.kubernetes.io/not-ready", effect="NoExecute")]),
             pod("web-0")], onExistingNodes={"default/web-0": "node-1"})
case("existing/startup-coming", "startup taints of its claim are expected to go",
     BASE + [node("node-1", initialized=False, taints=[taint("cilium", "x")], claim={"startupTaints": [taint("cilium", "y")]}), pod("web-0")],
     onExistingNodes={"default/web-0": "node-1"})
case("existing/startup-initialized", "not any more when the node is up",
     BASE + [node("node-1", taints=[taint("cilium", "x")], claim={"startupTaints": [taint("cilium", "x")]}), pod("web-0")], onNewNodes=["default/web-0"])
case("existing/readiness-gate", "readiness gates are taints that go",
     BASE + [node("node-1", initialized=False, taints=[taint("readiness.k8s.io/network")]), pod("web-0")], onExistingNodes={"default/web-0": "node-1"})
case("existing/unregistered", "a node without the registered label has the taints of its claim",
     BASE + [node("node-1", initialized=False, registered=False, taints=[taint("karpenter.sh/unregistered", effect="NoExecute")],
                  claim={"taints": [taint("team", "a")]}), pod("web-0")], onNewNodes=["default/web-0"])
case("existing/no-provider-taint", "the cloud provider's taint goes as well",
     BASE + [node("node-1", initialized=False, taints=[taint("node.cloudprovider.kubernetes.io/uninitialized", "true")]), pod("web-0")],
     onExistingNodes={"default/web-0": "node-1"})
case("existing/in-flight-tainted", "a machine without Node has the taints of its claim",
     BASE + [node("claim-1", has_node=False, initialized=False, registered=False, claim={"taints": [taint("team", "a")]}), pod("web-0")],
     onNewNodes=["default/web-0"])
case("existing/in-flight-room", "and the room that the launch promised",
     BASE + [node("claim-1", itype="x1.small", has_node=False, initialized=False, registered=False)] + pods(2, "web", cpu="1500m"), newNodes={"min": 1, "max": 1})
case("existing/in-flight-daemons", "less what its DaemonSets will take",
     BASE + [daemonset("agent", cpu="1"), node("claim-1", itype="x1.small", has_node=False, initialized=False, registered=False), pod("web-0", cpu="1500m")],
     onNewNodes=["default/web-0"])
case("existing/zone-of-claim-requirement", "one value of a requirement is a label to be",
     BASE + [node("claim-1", has_node=False, initialized=False, registered=False, claim={"requirements": [req("example.com/team", "In", "a")]}),
             pod("web-0", select={"example.com/team": "a"})], onExistingNodes={"default/web-0": "claim-1"})
case("existing/deleting-node", "a node that goes takes nobody, and its pods need a place",
     BASE + [node("node-1", deleted=True, taints=[DISRUPTED]), pod("run-0", on="node-1"), pod("web-0")], onNewNodes=["default/run-0", "default/web-0"])
case("existing/deleting-node-do-not-disrupt", "pods that must not be disturbed stay to the end",
     BASE + [node("node-1", deleted=True), pod("run-0", on="node-1", annotations={"karpenter.sh/do-not-disrupt": "true"}), pod("web-0")],
     notPlaced=["default/run-0"], scheduled=["default/web-0"])
case("existing/deleting-node-daemon", "daemon pods of it do not move",
     BASE + [daemonset("agent"), node("node-1", deleted=True), pod("agent-x", ns="kube-system", on="node-1", owners=owner("DaemonSet", "agent"))],
     ignored=["kube-system/agent-x"], newNodes={"max": 0})
case("existing/deleting-node-statefulset", "terminating pods of a StatefulSet come back",
     BASE + [node("node-1", deleted=True), pod("db-0", on="node-1", terminating=True, owners=owner("StatefulSet", "db")),
             pod("web-0", on="node-1", terminating=True)], onNewNodes=["default/db-0"], notPlaced=["default/web-0"])
case("existing/deleting-node-pdb-100", "a budget that never allows an eviction holds its pods",
     BASE + [node("node-1", deleted=True), pod("run-0", on="node-1", labels={"app": "w"}), pdb("w", {"app": "w"}, minAvailable="100%")], notPlaced=["default/run-0"])
case("existing/deleting-node-pdb-now", "one that only now allows none does not",
     BASE + [node("node-1", deleted=True), pod("run-0", on="node-1", labels={"app": "w"}), pdb("w", {"app": "w"}, minAvailable=1)], scheduled=["default/run-0"])
case("existing/static-pod-stays", "static pods of a node that goes are not placed",
     BASE + [node("node-1", deleted=True), pod("kube-proxy-x", ns="kube-system", on="node-1", owners=owner("Node", "node-1", "v1"))],
     ignored=["kube-system/kube-proxy-x"], newNodes={"max": 0})
NAMED = lambda op, *hosts: {"matchFields": [req("metadata.name", op, *hosts)]}
case("existing/match-fields", "a pod may name a running node by field",
     BASE + [node("node-1"), node("node-2"), pod("web-0", need=[NAMED("In", "node-2")])], onExistingNodes={"default/web-0": "node-2"}, newNodes={"max": 0})
case("existing/match-fields-label-differs", "by its name, whatever its label says",
     BASE + [node("node-1", labels={HOST: "host-1"}), pod("web-0", need=[NAMED("In", "node-1")])], onExistingNodes={"default/web-0": "node-1"})
case("existing/match-fields-full", "no new node can be it",
     BASE + [node("node-1", itype="x1.small"), pod("run-0", cpu="2", on="node-1"), pod("web-0", need=[NAMED("In", "node-1")])], unschedulable=["default/web-0"],
     says={"default/web-0": "node-1 is running"})
case("existing/match-fields-not-in", "any node but one, new ones as well",
     BASE + [node("node-1"), pod("web-0", need=[NAMED("NotIn", "node-1")])], onNewNodes=["default/web-0"])
case("existing/match-fields-or-label", "or what another term allows",
     BASE + [node("node-1", itype="x1.small"), pod("run-0", cpu="2", on="node-1"), pod("web-0", need=[NAMED("In", "node-1"), [req(ZONE, "In", B)]])],
     zoneOf={"default/web-0": B})
case("existing/match-fields-and-label", "a field and a label in one term",
     BASE + [node("node-1"), pod("web-0", need=[dict(NAMED("In", "node-1"), matchExpressions=[req(ZONE, "In", B)])])], unschedulable=["default/web-0"])
case("existing/hostname-selector", "a pod may name a running node with room",
     BASE + [node("node-1"), node("node-2"), pod("web-0", select={HOST: "node-2"})], onExistingNodes={"default/web-0": "node-2"}, newNodes={"max": 0})
case("existing/hostname-affinity", "also by affinity",
     BASE + [node("node-1"), node("node-2"), pod("web-0", need=[[req(HOST, "In", "node-2", "node-9")]])], onExistingNodes={"default/web-0": "node-2"})
case("existing/hostname-full", "where that node is full no other can be it",
     BASE + [node("node-1", itype="x1.small"), pod("run-0", cpu="2", on="node-1"), pod("web-0", select={HOST: "node-1"})],
     unschedulable={"default/web-0": ["kubernetes.io/hostname"]}, says={"default/web-0": ["BAD_REQUIREMENT", "node-1"]})
case("existing/hostname-gone", "nor where there is no such node",
     BASE + [pod("web-0", select={HOST: "node-7"})], unschedulable={"default/web-0": ["kubernetes.io/hostname"]}, says={"default/web-0": "BAD_REQUIREMENT"})
case("existing/hostname-not-in", "any node but one",
     BASE + [node("node-1"), pod("web-0", need=[[req(HOST, "NotIn", "node-1")]])], onNewNodes=["default/web-0"])
case("existing/own-label-differs", "a well-known label is not open on a running node",
     BASE + [node("node-1", drop=(ZONE,)), pod("web-0", select={ZONE: A})], onNewNodes=["default/web-0"])
case("existing/label-gt", "numbers of a running node's label",
     BASE + [node("node-1", labels={"example.com/gen": "7"}), pod("web-0", need=[[req("example.com/gen", "Gt", "6")]])], onExistingNodes={"default/web-0": "node-1"})
case("existing/label-gt-not-a-number", "a label that is no number is not greater",
     BASE + [node("node-1", labels={"example.com/gen": "seven"}), pod("web-0", need=[[req("example.com/gen", "Gt", "6")]])], notPlaced=["default/web-0"])
case("existing/pool-removed", "a node whose pool is gone still takes pods",
     [nodeclass(), od("other"), node("node-1", of="default"), pod("web-0")], onExistingNodes={"default/web-0": "node-1"})
case("existing/no-pools-at-all", "even without any pool",
     [node("node-1", managed=False), pod("web-0")], onExistingNodes={"default/web-0": "node-1"})
case("existing/beta-label", "old names of a running node's labels are the new ones",
     BASE + [node("node-1", drop=(ZONE,), labels={"failure-domain.beta.kubernetes.io/zone": B}), pod("web-0", select={ZONE: B})],
     onExistingNodes={"default/web-0": "node-1"})
case("existing/uninitialized-zero-extended", "what the device plug-in has not reported yet is in the claim",
     BASE + [node("node-1", initialized=False, alloc={"nvidia.com/gpu": "0"}, claim_status={
         "allocatable": {"cpu": "8", "memory": "16Gi", "pods": "80", "nvidia.com/gpu": "1"}}), pod("web-0", limits={"nvidia.com/gpu": "1"})],
     onExistingNodes={"default/web-0": "node-1"})

# ---- taints

case("taints/equal-empty-value", "Equal without a value means the empty value",
     [nodeclass(), od(taints=[taint("x", "")]), pod("web-0", tolerate=[{"key": "x", "operator": "Equal", "effect": "NoSchedule"}])], scheduled="all")
case("taints/operator-defaults-to-equal", "no operator means Equal",
     [nodeclass(), od(taints=[taint("x", "y")]), pod("web-0", tolerate=[{"key": "x", "value": "y"}])], scheduled="all")
case("taints/wrong-value", "another value is another taint",
     [nodeclass(), od(taints=[taint("x", "y")]), pod("web-0", tolerate=[{"key": "x", "value": "z"}])], unschedulable={"default/web-0": ["x"]})
case("taints/all-tolerated", "Exists without a key tolerates everything",
     [nodeclass(), od(taints=[taint("x", "y"), taint("z", effect="NoExecute")]), pod("web-0", tolerate=[{"operator": "Exists"}])], scheduled="all")
case("taints/effect-differs", "a toleration of NoSchedule does not cover NoExecute",
     [nodeclass(), od(taints=[taint("x", "y", "NoExecute")]), pod("web-0", tolerate=[tolerate("x", "y", "NoSchedule")])], unschedulable=["default/web-0"])
case("taints/prefer-not-hard", "PreferNoSchedule keeps nobody out",
     [nodeclass(), od(taints=[taint("x", "y", "PreferNoSchedule")]), pod("web-0")], scheduled="all")
case("taints/gt-toleration", "the numeric operators of tolerations are off by default",
     [nodeclass(), od(taints=[taint("sla", "95")]), pod("web-0", tolerate=[{"key": "sla", "operator": "Gt", "value": "90", "effect": "NoSchedule"}])],
     unschedulable={"default/web-0": ["sla"]})
case("taints/startup-only", "startup taints of a pool do not count",
     [nodeclass(), od(startup=[taint("cilium", "x", "NoExecute")]), pod("web-0")], scheduled="all")
case("taints/existing-no-execute", "NoExecute keeps new pods out as well",
     BASE + [node("node-1", taints=[taint("x", effect="NoExecute")]), pod("web-0")], onNewNodes=["default/web-0"])
case("taints/two-pools", "each pod to the pool it tolerates",
     [nodeclass(), od("red", taints=[taint("team", "red")]), od("blue", taints=[taint("team", "blue")]), pod("r-0", tolerate=[tolerate("team", "red")]),
      pod("b-0", tolerate=[tolerate("team", "blue")])], nodePoolOf={"default/r-0": "red", "default/b-0": "blue"})
case("taints/tolerates-not-wants", "a toleration is no wish",
     [nodeclass(), od("red", taints=[taint("team", "red")], limits={"nodes": "0"}), od("plain"), pod("r-0", tolerate=[tolerate("team", "red")])],
     nodePoolOf={"default/r-0": "plain"})

# ---- host ports

TCP = [{"containerPort": 80, "hostPort": 8080}]
case("ports/ip-differs", "the same port on two addresses",
     [nodeclass(), od(limits={"nodes": "1"}), pod("a-0", ports=[{"containerPort": 80, "hostPort": 8080, "hostIP": "1.2.3.4"}]),
      pod("b-0", ports=[{"containerPort": 80, "hostPort": 8080, "hostIP": "4.3.2.1"}])], scheduled="all")
case("ports/wildcard", "no address means every address",
     BASE + [pod("a-0", ports=[{"containerPort": 80, "hostPort": 8080, "hostIP": "1.2.3.4"}]), pod("b-0", ports=TCP)], differentNodes=[["default/a-0", "default/b-0"]])
case("ports/wildcard-v6", ":: means every address",
     BASE + [pod("a-0", ports=[{"containerPort": 80, "hostPort": 8080, "hostIP": "::"}]), pod("b-0", ports=TCP)], differentNodes=[["default/a-0", "default/b-0"]])
case("ports/sctp", "protocols are apart",
     [nodeclass(), od(limits={"nodes": "1"}), pod("a-0", ports=TCP), pod("b-0", ports=[dict(TCP[0], protocol="SCTP")])], scheduled="all")
case("ports/host-network", "with the host's network the container's ports are the host's",
     BASE + pods(2, "web", hostNetwork=True, ports=[{"containerPort": 9100}]), differentNodes=[names(2, "web")])
case("ports/sidecar", "ports of sidecars count, those of init containers do not",
     BASE + pods(2, "web", initContainers=[container("p", restartPolicy="Always", ports=TCP)]), differentNodes=[names(2, "web")])
case("ports/init", "an init container's port is free again",
     [nodeclass(), od(limits={"nodes": "1"})] + pods(2, "web", initContainers=[container("p", ports=TCP)]), scheduled="all")
case("ports/existing", "of pods that run",
     BASE + [node("node-1"), pod("run-0", on="node-1", ports=TCP), pod("web-0", ports=TCP)], onNewNodes=["default/web-0"])
case("ports/daemon", "of DaemonSets that come",
     BASE + [daemonset("agent", ports=TCP), pod("web-0", ports=TCP)], unschedulable={"default/web-0": ["port"]}, says={"default/web-0": "HOST_PORT_TAKEN"})
case("ports/daemon-elsewhere", "but not where the DaemonSet does not run",
     [nodeclass(), od("red", labels={"team": "red"}), od("blue", labels={"team": "blue"}), daemonset("agent", ports=TCP, nodeSelector={"team": "red"}),
      pod("web-0", ports=TCP)], nodePoolOf={"default/web-0": "blue"})

# ---- DaemonSets

case("daemons/taken-off", "what DaemonSets take is not there for pods",
     BASE + [daemonset("agent", cpu="1"), pod("web-0", cpu="1500m")], instanceTypeOf={"default/web-0": "x1.medium"})
case("daemons/too-big", "a node that the DaemonSets fill is none",
     BASE + [daemonset("agent", cpu="100"), pod("web-0")], unschedulable=["default/web-0"], says={"default/web-0": "DAEMONSETS_TOO_BIG"})
case("daemons/tainted-pool", "a DaemonSet that does not tolerate the pool takes nothing",
     [nodeclass(), od(taints=[taint("x", "y")]), daemonset("agent", cpu="1"), pod("web-0", cpu="1500m", tolerate=[tolerate("x")])],
     instanceTypeOf={"default/web-0": "x1.small"})
case("daemons/startup-tainted", "startup taints do not keep it off in the end",
     [nodeclass(), od(startup=[taint("x", "y")]), daemonset("agent", cpu="1"), pod("web-0", cpu="1500m")], instanceTypeOf={"default/web-0": "x1.medium"})
case("daemons/or-terms", "any of its terms",
     BASE + [daemonset("agent", cpu="1", affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
         {"matchExpressions": [req(ZONE, "In", "us-west-2z")]}, {"matchExpressions": [req(ARCH, "In", "amd64")]}]}}}), pod("web-0", cpu="1500m")],
     instanceTypeOf={"default/web-0": "x1.medium"})
case("daemons/by-zone", "one zone without it leaves more room",
     BASE + [daemonset("agent", cpu="1", nodeSelector={ZONE: A}), pod("web-0", cpu="1500m", select={ZONE: B})], instanceTypeOf={"default/web-0": "x1.small"})
case("daemons/by-type", "only the types it runs on",
     BASE + [daemonset("agent", cpu="1", nodeSelector={TYPE: "x1.small"}), pod("web-0", cpu="3500m")], instanceTypeOf={"default/web-0": "x1.medium"})
case("daemons/init-heavy", "its init containers count as those of pods do",
     BASE + [daemonset("agent", cpu="100m", initContainers=[container("setup", cpu="1")]), pod("web-0", cpu="1500m")], instanceTypeOf={"default/web-0": "x1.medium"})
case("daemons/slot", "each takes a slot",
     [nodeclass(kubelet={"maxPods": 2}), od(), daemonset("agent")] + pods(3, "web"), newNodes={"min": 3, "max": 3})
case("daemons/existing-to-come", "on a running node only what is not there yet",
     BASE + [daemonset("agent", cpu="1"), node("node-1", itype="x1.small"), pod("agent-x", cpu="1", ns="kube-system", on="node-1", owners=owner("DaemonSet", "agent")),
             pod("web-0", cpu="1")], onExistingNodes={"default/web-0": "node-1"})
case("daemons/existing-missing", "and that is kept free",
     BASE + [daemonset("agent", cpu="1"), node("node-1", itype="x1.small"), pod("web-0", cpu="1500m")], onNewNodes=["default/web-0"])
case("daemons/newest-real-pod", "the newest real pod shows what it really takes",
     BASE + [daemonset("agent", cpu="1"), node("node-1", itype="x1.small"),
             pod("agent-old", cpu="1", ns="kube-system", on="node-1", owners=owner("DaemonSet", "agent"), created="2026-03-01T08:00:00Z"),
             pod("agent-new", cpu="100m", ns="kube-system", on="node-1", owners=owner("DaemonSet", "agent"), created="2026-03-02T08:00:00Z"),
             pod("web-0", cpu="1800m")], instanceTypeOf={"default/web-0": "x1.small"})
case("daemons/no-execute-tolerated", "DaemonSets get tolerations of their own, not for every NoExecute",
     [nodeclass(), od(taints=[taint("x", "y", "NoExecute")]), daemonset("agent", cpu="1"), pod("web-0", cpu="1500m", tolerate=[tolerate("x")])],
     instanceTypeOf={"default/web-0": "x1.small"})
case("daemons/limits-only", "limits stand for its requests",
     BASE + [daemonset("agent", cpu=None, mem=None, limits={"cpu": "1"}), pod("web-0", cpu="1500m")], instanceTypeOf={"default/web-0": "x1.medium"})
case("daemons/limit-range", "defaults of a LimitRange fill in what its template leaves out",
     BASE + [daemonset("agent", cpu=None, mem=None), {"apiVersion": "v1", "kind": "LimitRange", "metadata": meta("d", "kube-system"),
                                                      "spec": {"limits": [{"type": "Container", "defaultRequest": {"cpu": "1"}}]}},
             pod("web-0", cpu="1500m")], scheduled="all")
case("daemons/preferred-affinity", "what it prefers does not keep it off",
     BASE + [daemonset("agent", cpu="1", affinity={"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
         {"weight": 1, "preference": {"matchExpressions": [req(ZONE, "In", "us-west-2z")]}}]}}), pod("web-0", cpu="1500m")],
     instanceTypeOf={"default/web-0": "x1.medium"})
case("daemons/by-custom-value", "pods go where the DaemonSet does not",
     [nodeclass(), od("default", req("team", "In", "a", "b")), daemonset("agent", cpu="1900m", nodeSelector={"team": "a"}), pod("web-0", cpu="1500m")],
     instanceTypeOf={"default/web-0": "x1.small"})
