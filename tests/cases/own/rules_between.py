# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules between pods: topology spread, pod affinity and anti-affinity; and volumes."""
from world import *  # noqa: F403: this is the language of the cases

W = {"app": "w"}
X = {"app": "x"}
RACK = "example.com/rack"
SEL = {"matchLabels": W}

# ---- topology spread

case("spread/zone-even", "six over three zones", BASE + pods(6, "web", labels=W, spread=[skew(ZONE, W)]), spread={"selector": SEL, "counts": [2, 2, 2]})
case("spread/zone-skew-2", "a skew of two allows as much", BASE + pods(4, "web", labels=W, spread=[skew(ZONE, W, 2)]), spread={"selector": SEL, "maxSkew": 2, "over": [A, B, C]})
case("spread/not-self", "pods that do not count themselves", BASE + pods(5, "web", labels=X, spread=[skew(ZONE, W)]), scheduled="all")
case("spread/existing-counts", "running pods count",
     BASE + [node("n-a", zone=A), node("n-b", zone=B)] + [pod("run-%d" % i, on="n-a", labels=W) for i in range(2)] + pods(2, "web", labels=W, spread=[skew(ZONE, W)]),
     spread={"selector": SEL, "domains": {A: 2, B: 1, C: 1}})
case("spread/terminating-not-counted", "terminating ones do not",
     BASE + [node("n-a", zone=A)] + [pod("run-%d" % i, on="n-a", labels=W, terminating=True) for i in range(2)] + pods(3, "web", labels=W, spread=[skew(ZONE, W)]),
     spread={"selector": SEL, "counts": [1, 1, 1]})
case("spread/other-namespace-not-counted", "nor those of other namespaces",
     BASE + [node("n-a", zone=A)] + [pod("run-%d" % i, on="n-a", ns="other", labels=W) for i in range(2)] + pods(3, "web", labels=W, spread=[skew(ZONE, W)]),
     spread={"selector": SEL, "counts": [1, 1, 1]})
case("spread/hostname", "one a host", BASE + pods(3, "web", labels=W, spread=[skew(HOST, W)]), differentNodes=[names(3, "web")])
case("spread/hostname-existing", "with what runs there",
     BASE + [node("n-1"), pod("run-0", on="n-1", labels=W), pod("web-0", labels=W, spread=[skew(HOST, W)])], onNewNodes=["default/web-0"])
case("spread/min-domains", "at least so many hosts",
     BASE + pods(3, "web", labels=W, spread=[skew(ZONE, W, minDomains=3)]), spread={"selector": SEL, "counts": [1, 1, 1]})
case("spread/min-domains-too-many", "with fewer domains the minimum is zero",
     BASE + pods(6, "web", labels=W, spread=[skew(ZONE, W, minDomains=4)]), scheduledCount={"min": 3, "max": 3})
case("spread/affinity-ignore", "domains that the pod cannot use count when it says so",
     BASE + pods(3, "web", labels=W, need=[[req(ZONE, "In", A, B)]], spread=[skew(ZONE, W, nodeAffinityPolicy="Ignore")]), scheduledCount={"min": 2, "max": 2})
case("spread/affinity-honor", "and do not when it does not",
     BASE + pods(4, "web", labels=W, need=[[req(ZONE, "In", A, B)]], spread=[skew(ZONE, W)]), spread={"selector": SEL, "counts": [2, 2]})
case("spread/taints-honor", "domains behind a taint do not count when honoured",
     [nodeclass(zones="ab"), nodeclass("far", zones="c"), od("one"), od("two", cls="far", taints=[taint("x")])] +
     pods(4, "web", labels=W, spread=[skew(ZONE, W, nodeTaintsPolicy="Honor")]), spread={"selector": SEL, "counts": [2, 2]})
case("spread/taints-ignore", "but do by default",
     [nodeclass(zones="ab"), nodeclass("far", zones="c"), od("one"), od("two", cls="far", taints=[taint("x")])] +
     pods(4, "web", labels=W, spread=[skew(ZONE, W)]), scheduledCount={"min": 2, "max": 2})
case("spread/match-label-keys-hash", "each revision by itself",
     BASE + [node("n-a", zone=A)] + [pod("run-%d" % i, on="n-a", labels=dict(W, rev="1")) for i in range(3)] +
     pods(3, "web", labels=dict(W, rev="2"), spread=[skew(ZONE, W, matchLabelKeys=["rev"])]), spread={"selector": {"matchLabels": {"rev": "2"}}, "counts": [1, 1, 1]})
case("spread/match-label-keys-absent", "a key the pod lacks is left out",
     BASE + pods(3, "web", labels=W, spread=[skew(ZONE, W, matchLabelKeys=["nope"])]), spread={"selector": SEL, "counts": [1, 1, 1]})
case("spread/empty-selector", "an empty selector counts everything",
     BASE + pods(3, "web", labels=W, spread=[dict(skew(ZONE, None), labelSelector={})]), spread={"selector": SEL, "counts": [1, 1, 1]})
case("spread/capacity-type", "over capacity types",
     [nodeclass(), pool()] + pods(4, "web", labels=W, spread=[skew(CT, W)]), spread={"selector": SEL, "key": CT, "counts": [2, 2]})
case("spread/arch", "over architectures",
     [nodeclass(), od()] + pods(4, "web", labels=W, spread=[skew(ARCH, W)]), catalog="aws-west2", spread={"selector": SEL, "key": ARCH, "counts": [2, 2]})
case("spread/instance-type", "over types of machine",
     BASE + pods(4, "web", labels=W, spread=[skew(TYPE, W)]), spread={"selector": SEL, "key": TYPE, "counts": [1, 1, 1, 1]})
case("spread/custom-in", "over values of a custom label",
     [nodeclass(), od("default", req(RACK, "In", "1", "2"))] + pods(4, "web", labels=W, spread=[skew(RACK, W)]), spread={"selector": SEL, "key": RACK, "counts": [2, 2]})
case("spread/unknown-key", "over a label that nobody has",
     BASE + pods(2, "web", labels=W, spread=[skew(RACK, W)]), unschedulable=names(2, "web"))
case("spread/zone-id-key", "over ids of zones",
     BASE + pods(3, "web", labels=W, spread=[skew("topology.k8s.aws/zone-id", W)]), spread={"selector": SEL, "key": ZONE, "counts": [1, 1, 1]})
case("spread/two-keys", "over zones and hosts at once",
     BASE + pods(6, "web", labels=W, spread=[skew(ZONE, W), skew(HOST, W, 1)]), spread=[{"selector": SEL, "counts": [2, 2, 2]}, {"selector": SEL, "key": HOST, "maxPerDomain": 1}])
case("spread/limit-zero-pool", "a pool that may launch nothing opens no domain",
     [nodeclass(zones="ab"), nodeclass("far", zones="c"), od("one"), od("two", cls="far", limits={"cpu": "0"})] + pods(4, "web", labels=W, spread=[skew(ZONE, W)]),
     spread={"selector": SEL, "counts": [2, 2]})
case("spread/sold-out-zone", "nor does a zone that is sold out",
     BASE + pods(4, "web", labels=W, spread=[skew(ZONE, W)]), catalog=catalog(itype("a.x", 4, 8192, 0.2, zones=(A, B))), spread={"selector": SEL, "counts": [2, 2]})
case("spread/node-outside-pools", "a zone that only a running node has is a domain",
     [nodeclass(zones="ab"), od(), node("n-c", zone=C, taints=[taint("x")])] + pods(4, "web", labels=W, spread=[skew(ZONE, W)]), scheduledCount={"min": 2, "max": 2})
case("spread/deleting-node-domain", "a node that goes opens no domain",
     [nodeclass(zones="ab"), od(), node("n-c", zone=C, deleted=True)] + pods(4, "web", labels=W, spread=[skew(ZONE, W)]), scheduledCount={"min": 4})
case("spread/bound-volume", "a volume binds the node, not the domains",
     BASE + [storageclass(), pv("pv-a", [A]), pvc("data", volume="pv-a"), pod("web-0", labels=W, claims=["data"], spread=[skew(ZONE, W)])], zoneOf={"default/web-0": A})
case("spread/volumes-all-one-zone", "so pods bound to one zone stop at the skew",
     BASE + [storageclass()] + [o for i in range(3) for o in (pv("pv-%d" % i, [A]), pvc("d-%d" % i, volume="pv-%d" % i),
                                                                pod("web-%d" % i, labels=W, claims=["d-%d" % i], spread=[skew(ZONE, W)]))],
     scheduledCount={"min": 1, "max": 1})
case("spread/two-groups", "two groups do not mix",
     BASE + pods(3, "web", labels=W, spread=[skew(ZONE, W)]) + pods(3, "api", labels=X, spread=[skew(ZONE, X)]),
     spread=[{"selector": SEL, "counts": [1, 1, 1]}, {"selector": {"matchLabels": X}, "counts": [1, 1, 1]}])
case("spread/not-counted-beside", "pods that are counted but not spread go where they like, first or last",
     BASE + pods(3, "web", labels=W, spread=[skew(ZONE, W)]) + pods(3, "free", labels=W, select={ZONE: A}), scheduled="all")

case("spread/default-constraints", "pods without constraints of their own get the scheduler's, counted by what their Service selects",
     BASE + [{"apiVersion": "v1", "kind": "Service", "metadata": meta("web", "default"), "spec": {"selector": W, "ports": [{"port": 80}]}}] + pods(3, "web", labels=W) +
     [pod("own-0", labels=X, spread=[skew(HOST, X, 9)])], flags=["--default-spread=topology.kubernetes.io/zone:1:DoNotSchedule"],
     differentZones=[names(3, "web")])
case("spread/default-constraints-no-service", "who is selected by nothing gets none",
     [nodeclass(), od(limits={"nodes": "1"})] + pods(3, "web", labels=W), flags=["--default-spread=topology.kubernetes.io/zone:1:DoNotSchedule"], scheduled="all")

# ---- pod affinity

case("affinity/zone-self", "a group starts somewhere and stays there",
     BASE + pods(3, "web", cpu="1500m", labels=W, near=[term(ZONE, W)]), sameZone=[names(3, "web")])
case("affinity/host-self", "on one host", BASE + pods(3, "web", cpu="1500m", labels=W, near=[term(HOST, W)]), sameNode=[names(3, "web")])
case("affinity/host-too-big", "as many as one host holds",
     BASE + pods(3, "web", cpu="9", labels=W, near=[term(HOST, W)]), scheduledCount={"min": 1, "max": 1})
case("affinity/follows", "a pod follows another that is pending",
     BASE + [pod("web-0", labels=W, select={ZONE: C}), pod("side-0", near=[term(ZONE, W)])], zoneOf={"default/side-0": C})
case("affinity/follows-running", "or runs", BASE + [node("n-b", itype="x1.small", zone=B), pod("run-0", cpu="2", on="n-b", labels=W), pod("web-0", near=[term(ZONE, W)])],
     zoneOf={"default/web-0": B})
case("affinity/follows-terminating", "or is going", BASE + [node("n-b", itype="x1.small", zone=B), pod("run-0", cpu="2", on="n-b", labels=W, terminating=True),
                                                          pod("web-0", near=[term(ZONE, W)])], zoneOf={"default/web-0": B})
case("affinity/finished-target", "a finished pod attracts nobody",
     BASE + [node("n-b", zone=B), pod("job-0", on="n-b", labels=W, status={"phase": "Succeeded"}), pod("web-0", near=[term(ZONE, W)])], unschedulable=["default/web-0"])
case("affinity/namespace-list", "looks into the namespaces it lists",
     BASE + [node("n-b", itype="x1.small", zone=B), pod("run-0", cpu="2", on="n-b", ns="other", labels=W), pod("web-0", near=[term(ZONE, W, namespaces=["other"])])],
     zoneOf={"default/web-0": B})
case("affinity/namespace-own-only", "and only those",
     BASE + [node("n-b", zone=B), pod("run-0", on="n-b", labels=W), pod("web-0", near=[term(ZONE, W, namespaces=["other"])])], unschedulable=["default/web-0"])
case("affinity/namespace-selector", "or that it selects",
     BASE + [namespace("other", team="x"), node("n-b", itype="x1.small", zone=B), pod("run-0", cpu="2", on="n-b", ns="other", labels=W),
             pod("web-0", near=[term(ZONE, W, namespaceSelector={"matchLabels": {"team": "x"}})])], zoneOf={"default/web-0": B})
case("affinity/namespace-selector-all", "an empty one selects all",
     BASE + [namespace("other"), node("n-b", itype="x1.small", zone=B), pod("run-0", cpu="2", on="n-b", ns="other", labels=W),
             pod("web-0", near=[term(ZONE, W, namespaceSelector={})])], zoneOf={"default/web-0": B})
case("affinity/namespace-by-name-label", "every namespace has its name as a label",
     BASE + [node("n-b", itype="x1.small", zone=B), pod("run-0", cpu="2", on="n-b", ns="other", labels=W),
             pod("web-0", near=[term(ZONE, W, namespaceSelector={"matchLabels": {"kubernetes.io/metadata.name": "other"}})])], zoneOf={"default/web-0": B})
case("affinity/no-selector", "no selector finds nobody",
     BASE + [node("n-b", zone=B), pod("run-0", on="n-b", labels=W), pod("web-0", near=[{"topologyKey": ZONE}])], unschedulable=["default/web-0"])
case("affinity/all-terms", "one pod must meet all terms to count",
     BASE + [node("n-b", zone=B), pod("r-0", on="n-b", labels={"a": "1"}), pod("r-1", on="n-b", labels={"b": "1"}),
             pod("web-0", near=[term(ZONE, {"a": "1"}), term(ZONE, {"b": "1"})])], unschedulable=["default/web-0"])
case("affinity/match-label-keys", "of the same revision only",
     BASE + [node("n-b", itype="x1.small", zone=B), node("n-c", itype="x1.small", zone=C), pod("r-0", cpu="2", on="n-b", labels=dict(W, rev="1")),
             pod("r-1", cpu="2", on="n-c", labels=dict(W, rev="2")), pod("web-0", labels=dict(W, rev="2"), near=[term(ZONE, W, matchLabelKeys=["rev"])])],
     zoneOf={"default/web-0": C})
case("affinity/capacity-type", "near by capacity type",
     [nodeclass(), pool(), pod("web-0", labels=W, select={CT: "on-demand"}), pod("side-0", near=[term(CT, W)])], capacityTypeOf={"default/side-0": "on-demand"})
case("affinity/two-keys", "same zone as one, same capacity type as well",
     BASE + pods(2, "web", labels=W, near=[term(ZONE, W), term(CT, W)]), sameZone=[names(2, "web")])
case("affinity/expressions", "by expressions",
     BASE + [pod("web-0", labels=W, select={ZONE: C}), pod("side-0", near=[term(ZONE, exprs=[req("app", "In", "w", "v"), req("tier", "DoesNotExist")])])],
     zoneOf={"default/side-0": C})
case("affinity/unknown-key", "over a label that nobody has",
     BASE + pods(1, "web", labels=W, near=[term(RACK, W)]), unschedulable=["default/web-0"])
case("affinity/host-and-soft-zones", "a preference for zones costs no place where pods follow one host",
     BASE + [pod("hub-0", labels=X)] + pods(3, "web", cpu="1", labels=W, near=[term(HOST, X)], spread=[skew(ZONE, W, when="ScheduleAnyway")]), scheduled="all")
case("affinity/host-and-zones", "the zone of the host takes as many followers as the skew leaves it",
     BASE + [pod("hub-0", labels=X)] + pods(3, "web", cpu="1", labels=W, near=[term(HOST, X)], spread=[skew(ZONE, W)]), scheduledCount={"min": 2, "max": 2})
case("affinity/hosts-apart-by-zone", "followers of several hosts, one a zone, are spread over them",
     BASE + pods(3, "hub", cpu="250m", labels=X, apart=[term(ZONE, X)]) +
     pods(6, "web", cpu="1", labels=W, near=[term(HOST, X)], spread=[skew(ZONE, W)]), scheduled="all")

# ---- anti-affinity

case("apart/host", "one a host", BASE + pods(3, "web", labels=W, apart=[term(HOST, W)]), differentNodes=[names(3, "web")])
case("apart/zone", "one a zone, and no fourth", BASE + pods(4, "web", labels=W, apart=[term(ZONE, W)]), scheduledCount={"min": 3, "max": 3})
case("apart/zone-node-without-label-two", "nor do pods on it avoid each other",
     [nodeclass(zones="a"), od(limits={"nodes": "0"}), node("bare", managed=False, drop=(ZONE,))] + pods(2, "web", labels=W, apart=[term(ZONE, W)]), scheduled="all")
case("apart/custom-key-missing", "over a label that no node has",
     BASE + pods(3, "web", labels=W, apart=[term(RACK, W)]), scheduled="all")
case("apart/symmetric-running", "a running pod that avoids others is avoided",
     [nodeclass(zones="ab"), od(), node("n-a", zone=A), pod("run-0", on="n-a", labels=X, apart=[term(ZONE, W)]), pod("web-0", labels=W)], zoneOf={"default/web-0": B})
case("apart/symmetric-pending", "and one that is pending",
     BASE + [pod("x-0", labels=X, apart=[term(HOST, W)]), pod("web-0", labels=W)], differentNodes=[["default/x-0", "default/web-0"]])
case("apart/terminating-avoided", "until it is gone",
     [nodeclass(zones="ab"), od(), node("n-a", zone=A), pod("run-0", on="n-a", labels=X, terminating=True, apart=[term(ZONE, W)]), pod("web-0", labels=W)],
     zoneOf={"default/web-0": B})
case("apart/preferred-not-symmetric", "what it only prefers binds nobody else",
     [nodeclass(zones="a"), od(), node("n-a", zone=A), pod("run-0", on="n-a", labels=X, apart_wish=[(1, term(ZONE, W))]), pod("web-0", labels=W)], scheduled="all")
case("apart/other-namespace", "namespaces are apart", BASE + [node("n-1"), pod("run-0", on="n-1", ns="other", labels=W), pod("web-0", labels=W, apart=[term(HOST, W)])],
     onExistingNodes={"default/web-0": "n-1"})
case("apart/mismatch-label-keys", "from other tenants, not from one's own",
     BASE + [pod("a-%d" % i, labels={"tenant": "a"}, apart=[term(HOST, exprs=[req("tenant", "Exists")], mismatchLabelKeys=["tenant"])]) for i in range(2)] +
     [pod("b-0", labels={"tenant": "b"})], newNodes={"min": 2, "max": 2}, sameNode=[["default/a-0", "default/a-1"]],
     differentNodes=[["default/a-0", "default/b-0"]])
case("apart/match-label-keys", "from one's own revision only",
     BASE + [node("n-1"), pod("run-0", on="n-1", labels=dict(W, rev="1")), pod("web-0", labels=dict(W, rev="2"), apart=[term(HOST, W, matchLabelKeys=["rev"])])],
     onExistingNodes={"default/web-0": "n-1"})
case("apart/near-and-apart", "one zone, but a host each",
     BASE + pods(3, "web", labels=W, near=[term(ZONE, W)], apart=[term(HOST, W)]), sameZone=[names(3, "web")], differentNodes=[names(3, "web")])
case("apart/near-other-host", "beside a pod of another kind, away from one's own",
     BASE + pods(2, "db", labels=X, apart=[term(HOST, X)]) + pods(2, "web", labels=W, near=[term(HOST, X)], apart=[term(HOST, W)]), differentNodes=[names(2, "web"), names(2, "db")])
case("apart/capacity-type", "one a capacity type", [nodeclass(), pool()] + pods(3, "web", labels=W, apart=[term(CT, W)]), scheduledCount={"min": 2, "max": 2})
case("apart/deleting-node", "pods of a node that goes take their rules with them",
     BASE + [node("n-1", deleted=True), pod("web-0", on="n-1", labels=W, apart=[term(HOST, W)]), pod("web-1", labels=W, apart=[term(HOST, W)])],
     differentNodes=[names(2, "web")])
case("apart/daemon-pod", "a running daemon pod counts as any other",
     BASE + [node("n-1"), pod("agent-x", on="n-1", labels=W, owners=owner("DaemonSet", "agent")), pod("web-0", apart=[term(HOST, W)])], onNewNodes=["default/web-0"])

# ---- volumes

case("volumes/zone-of-volume", "the volume's zone is the pod's",
     BASE + [storageclass(), pv("pv-b", [B]), pvc("data", volume="pv-b"), pod("web-0", claims=["data"])], zoneOf={"default/web-0": B})
case("volumes/terms-are-alternatives", "terms of the volume are alternatives",
     BASE + [pv("pv-x", terms=[[req(ZONE, "In", "us-west-2z")], [req(ZONE, "In", C)]]), pvc("data", volume="pv-x"), pod("web-0", claims=["data"])], zoneOf={"default/web-0": C})
case("volumes/three-zones-two-volumes", "two volumes with one zone in common",
     BASE + [pv("pv-1", [A, B]), pv("pv-2", [B, C]), pvc("d1", volume="pv-1"), pvc("d2", volume="pv-2"), pod("web-0", claims=["d1", "d2"])], zoneOf={"default/web-0": B})
case("volumes/allowed-topologies", "an unbound claim goes where its class may",
     BASE + [storageclass(zones=[B]), pvc("data"), pod("web-0", claims=["data"])], zoneOf={"default/web-0": B})
case("volumes/allowed-topologies-ebs-key", "also by the driver's own key",
     BASE + [storageclass(zones=[C], key="topology.ebs.csi.aws.com/zone"), pvc("data"), pod("web-0", claims=["data"])], zoneOf={"default/web-0": C})
case("volumes/allowed-topologies-terms", "its terms are alternatives",
     BASE + [storageclass(topologies=[{"matchLabelExpressions": [{"key": ZONE, "values": ["us-west-2z"]}]}, {"matchLabelExpressions": [{"key": ZONE, "values": [C]}]}]),
             pvc("data"), pod("web-0", claims=["data"])], zoneOf={"default/web-0": C})
case("volumes/missing", "a claim that is not there", BASE + [storageclass(), pod("web-0", claims=["data"])], unschedulable={"default/web-0": ["data"]})
case("volumes/lost", "a claim that has lost its volume",
     BASE + [storageclass(), pvc("data", volume="pv-x", phase="Lost"), pod("web-0", claims=["data"])], unschedulable=["default/web-0"], says={"default/web-0": "VOLUME_CLAIM_LOST"})
case("volumes/claim-deleting", "a claim that goes", BASE + [storageclass(), pvc("data", deleted=True), pod("web-0", claims=["data"])], unschedulable=["default/web-0"])
case("volumes/volume-deleting", "a volume that goes",
     BASE + [pv("pv-b", [B], deleted=True), pvc("data", volume="pv-b"), pod("web-0", claims=["data"])], unschedulable=["default/web-0"])
case("volumes/not-bound-yet", "a claim that names a volume without being bound",
     BASE + [pv("pv-b", [B]), pvc("data", volume="pv-b", bound=False, phase="Pending"), pod("web-0", claims=["data"])], unschedulable=["default/web-0"])
case("volumes/immediate", "a class that binds at once", BASE + [storageclass(mode="Immediate"), pvc("data"), pod("web-0", claims=["data"])], unschedulable=["default/web-0"])
case("volumes/mode-defaults-to-immediate", "as it does when it says nothing", BASE + [storageclass(mode=None), pvc("data"), pod("web-0", claims=["data"])],
     unschedulable=["default/web-0"])
case("volumes/class-missing", "a class that is not there", BASE + [pvc("data", sc="nope"), pod("web-0", claims=["data"])], unschedulable={"default/web-0": ["nope"]})
case("volumes/class-empty", "no class at all", BASE + [storageclass(default=True), pvc("data", sc=""), pod("web-0", claims=["data"])], unschedulable=["default/web-0"])
case("volumes/ephemeral", "a volume that lives as long as the pod",
     BASE + [storageclass(zones=[C]), pod("web-0", volumes=[{"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {
         "accessModes": ["ReadWriteOnce"], "storageClassName": "gp3", "resources": {"requests": {"storage": "1Gi"}}}}}}])], zoneOf={"default/web-0": C})
case("volumes/ephemeral-default-class", "of the default class",
     BASE + [storageclass("std", zones=[B], default=True), pod("web-0", volumes=[{"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {
         "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}}}])], zoneOf={"default/web-0": B})
case("volumes/ephemeral-bound", "whose claim is there already",
     BASE + [storageclass(), pv("pv-c", [C]), pvc("web-0-scratch", volume="pv-c"), pod("web-0", volumes=[{"name": "scratch", "ephemeral": {"volumeClaimTemplate": {
         "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "gp3", "resources": {"requests": {"storage": "1Gi"}}}}}}])], zoneOf={"default/web-0": C})
case("volumes/local-host", "the host of local data does not count",
     BASE + [pv("pv-l", terms=[[req(HOST, "In", "node-gone"), req(ZONE, "In", B)]], source={"local": {"path": "/mnt"}}), pvc("data", volume="pv-l"), pod("web-0", claims=["data"])],
     zoneOf={"default/web-0": B})
case("volumes/host-path", "nor that of a host path",
     BASE + [pv("pv-l", terms=[[req(HOST, "In", "node-gone")]], source={"hostPath": {"path": "/mnt"}}), pvc("data", volume="pv-l"), pod("web-0", claims=["data"])], scheduled="all")
case("volumes/host-of-csi", "that of another driver does",
     BASE + [pv("pv-l", terms=[[req(HOST, "In", "node-gone")]], driver="lvm.csi.example"), pvc("data", volume="pv-l"), pod("web-0", claims=["data"])],
     unschedulable=["default/web-0"])
case("volumes/efs", "a file system is everywhere",
     BASE + [storageclass("efs", "efs.csi.aws.com"), pv("pv-e", driver="efs.csi.aws.com"), pvc("data", sc="efs", volume="pv-e"), pod("web-0", claims=["data"])], scheduled="all")
case("volumes/efs-shared-unbound", "and ties nobody to a zone",
     BASE + [storageclass("efs", "efs.csi.aws.com"), pvc("data", sc="efs"), pod("a-0", claims=["data"], select={ZONE: A}), pod("b-0", claims=["data"], select={ZONE: B})],
     scheduled="all")
case("volumes/in-tree-volume", "the old kind of EBS volume",
     BASE + [pv("pv-t", [B], key="failure-domain.beta.kubernetes.io/zone", source={"awsElasticBlockStore": {"volumeID": "vol-1"}}), pvc("data", volume="pv-t"),
             pod("web-0", claims=["data"])], zoneOf={"default/web-0": B})
case("volumes/in-tree-class", "the old provisioner makes volumes of the new driver",
     BASE + [storageclass("gp2", "kubernetes.io/aws-ebs", zones=[B], key="failure-domain.beta.kubernetes.io/zone"), pvc("data", sc="gp2"), pod("web-0", claims=["data"])],
     zoneOf={"default/web-0": B})
EBS = "ebs.csi.aws.com"
case("volumes/attach-full", "a node attaches so many and no more",
     BASE + [storageclass(), node("n-1", csi={EBS: 1}), pv("pv-1", [A]), pvc("d1", volume="pv-1"), pvc("d2"), pod("run-0", on="n-1", claims=["d1"]),
             pod("web-0", claims=["d2"])], onNewNodes=["default/web-0"])
case("volumes/attach-twice-in-pod", "one claim mounted twice is one volume",
     BASE + [storageclass(), node("n-1", csi={EBS: 1}), pvc("d1"), pod("web-0", claims=["d1"], volumes=[
         {"name": "a", "persistentVolumeClaim": {"claimName": "d1"}}, {"name": "b", "persistentVolumeClaim": {"claimName": "d1"}}])],
     onExistingNodes={"default/web-0": "n-1"})
case("volumes/attach-terminating", "a terminating pod still holds its volume",
     BASE + [storageclass(), node("n-1", csi={EBS: 1}), pv("pv-1", [A]), pvc("d1", volume="pv-1"), pvc("d2"), pod("run-0", on="n-1", claims=["d1"], terminating=True),
             pod("web-0", claims=["d2"])], onNewNodes=["default/web-0"])
case("volumes/attach-no-csinode", "a node that says nothing limits nothing",
     BASE + [storageclass(), node("n-1"), pvc("d1"), pvc("d2")] + [pod("web-%d" % i, claims=["d%d" % (i + 1)]) for i in range(2)],
     onExistingNodes={"default/web-0": "n-1", "default/web-1": "n-1"})
case("volumes/shared-claim-zone", "users of one claim that is to be made share its zone",
     BASE + [storageclass(), pvc("data"), pod("a-0", cpu="9", claims=["data"]), pod("b-0", cpu="9", claims=["data"])], sameZone=[["default/a-0", "default/b-0"]])
case("volumes/shared-claim-apart", "and cannot when their selectors say otherwise",
     BASE + [storageclass(), pvc("data"), pod("a-0", claims=["data"], select={ZONE: A}), pod("b-0", claims=["data"], select={ZONE: B})], scheduledCount={"min": 1, "max": 1})
case("volumes/shared-claim-named", "the claim is named when it is the reason",
     BASE + [storageclass(), pvc("data"), pod("a-0", claims=["data"], select={ZONE: A}, priority=9), pod("b-0", claims=["data"], select={ZONE: B})],
     scheduled=["default/a-0"], unschedulable=["default/b-0"], says={"default/b-0": ["default/data"]})
case("volumes/with-spread", "zone of the volume, spread of the pods",
     BASE + [storageclass(), pv("pv-a", [A]), pv("pv-b", [B]), pvc("d-0", volume="pv-a"), pvc("d-1", volume="pv-b")] +
     [pod("web-%d" % i, labels=W, claims=["d-%d" % i], spread=[skew(ZONE, W)]) for i in range(2)] + [pod("web-2", labels=W, spread=[skew(ZONE, W)])],
     spread={"selector": SEL, "counts": [1, 1, 1]})
case("volumes/empty-dir", "volumes without claim are nobody's business",
     BASE + [pod("web-0", volumes=[{"name": "tmp", "emptyDir": {}}, {"name": "cfg", "configMap": {"name": "x"}}])], scheduled="all")

# ---- more topology keys than anybody has; claims that several pods share

case("apart/zone-node-without-label", "a node without the label avoids nobody",
     [nodeclass(zones="a"), od(), node("n-a", zone=A, taints=[taint("x")]), node("bare", managed=False, drop=(ZONE,)), pod("run-0", on="n-a", labels=W),
      pod("web-0", labels=W, apart=[term(ZONE, W)])], onExistingNodes={"default/web-0": "bare"})
case("apart/custom-key-some", "and one that some have",
     [nodeclass(), od("plain", limits={"nodes": "1"}), od("racks", req(RACK, "In", "1"), limits={"nodes": "1"})] + pods(3, "web", labels=W, apart=[term(RACK, W)]), scheduled="all")
case("many-keys/affinity", "more topology keys than anybody has",
     [nodeclass(), od("default", *[req("example.com/k%d" % i, "In", "a") for i in range(20)])] +
     [pod("web-%d" % i, labels={"k": str(i)}, near=[term("example.com/k%d" % i, {"k": str(i)})]) for i in range(20)] + [pod("plain-0")], scheduled="all")
case("many-keys/spread", "also of spread",
     [nodeclass(), od("default", *[req("example.com/k%d" % i, "In", "a") for i in range(18)])] +
     [pod("web-%d" % i, labels={"k": str(i)}, spread=[skew("example.com/k%d" % i, {"k": str(i)})]) for i in range(18)] + [pod("plain-0")], scheduled="all")
case("many-keys/undefined", "keys that no node has cost only their pods",
     BASE + [pod("web-%d" % i, labels={"k": str(i)}, near=[term("example.com/u%d" % i, {"k": str(i)})]) for i in range(20)] + [pod("plain-0")],
     scheduled=["default/plain-0"], unschedulable=names(20, "web"))
case("volumes/in-tree-labels", "whose zone may stand in its labels only",
     BASE + [pv("pv-t", labels={ZONE: B}, source={"awsElasticBlockStore": {"volumeID": "vol-1"}}), pvc("data", volume="pv-t"), pod("web-0", claims=["data"])],
     zoneOf={"default/web-0": B})
case("volumes/attach-shared-running", "a volume that a running pod has attached already costs nothing more",
     BASE + [storageclass(), node("n-1", csi={EBS: 1}), pv("pv-1", [A]), pvc("d1", volume="pv-1", modes=["ReadWriteMany"]), pod("run-0", on="n-1", claims=["d1"]),
             pod("web-0", claims=["d1"])], onExistingNodes={"default/web-0": "n-1"})
case("volumes/attach-shared-pending", "pods that share a claim attach it once a node",
     BASE + [storageclass(), node("n-1", csi={EBS: 2}), pvc("shared"), pvc("own")] + pods(3, "web", claims=["shared"]) + [pod("solo-0", claims=["own"])],
     onExistingNodes={"default/web-0": "n-1", "default/web-1": "n-1", "default/web-2": "n-1", "default/solo-0": "n-1"}, newNodes={"max": 0})
case("volumes/attach-shared-new", "also on a new one",
     BASE + [storageclass(), pvc("shared")] + pods(3, "web", claims=["shared"]), catalog=catalog(itype("a.x", 4, 8192, 0.2, attach={EBS: 1})), newNodes={"max": 1})
case("volumes/attach-shared-two-nodes", "and once on each",
     BASE + [storageclass(), pvc("shared")] + pods(4, "web", cpu="1900m", claims=["shared"]), catalog=catalog(itype("a.x", 4, 8192, 0.2, attach={EBS: 1})),
     newNodes={"min": 2, "max": 2})
case("many-keys/too-many", "pods with rules beyond those that can be planned together are placed one by one",
     [nodeclass()] + [od("p%d" % p, labels={"example.com/k%d" % i: "a" for i in range(90 * p, 90 * p + 90)}) for p in range(3)] +
     [pod("web-%d" % i, labels={"k": str(i)}, near=[term("example.com/k%d" % i, {"k": str(i)})]) for i in range(270)] + [pod("plain-0")],
     scheduled="all")
case("volumes/attach-shared-no-room", "a shared claim that is not there yet needs room, too",
     BASE + [storageclass(), node("n-1", csi={EBS: 1}), pv("pv-1", [A]), pvc("d1", volume="pv-1"), pvc("shared"), pod("run-0", on="n-1", claims=["d1"])] +
     pods(2, "web", claims=["shared"]), onNewNodes=names(2, "web"))
case("volumes/attach-shared-many", "several shared claims, fewer than a node attaches",
     BASE + [storageclass()] + [pvc("s-%d" % i) for i in range(5)] + [pod("web-%d-%d" % (i, k), claims=["s-%d" % i]) for i in range(5) for k in range(2)],
     catalog=catalog(itype("a.x", 4, 8192, 0.2, attach={EBS: 3})), scheduled="all", newNodes={"min": 2, "max": 4})
case("volumes/attach-shared-beside-own", "shared and own ones where a node attaches one",
     BASE + [storageclass(), pvc("shared"), pvc("own")] + pods(2, "web", claims=["shared"]) + [pod("solo-0", claims=["own"])],
     catalog=catalog(itype("a.x", 4, 8192, 0.2, attach={EBS: 1})), scheduled="all", newNodes={"min": 2})
case("volumes/attach-shared-optimum", "the bound does not count a shared claim for each of its pods",
     BASE + [storageclass(), pvc("shared")] + pods(6, "web", claims=["shared"]), catalog=catalog(itype("a.x", 4, 8192, 0.2, attach={EBS: 1})),
     optimalHourlyCost=0.2)
case("volumes/attach-shared-and-two-own", "a shared claim and own ones on one node",
     BASE + [storageclass(), pvc("shared")] + [pvc("d-%d" % i) for i in range(4)] + [pod("web-%d" % i, claims=["shared", "d-%d" % i]) for i in range(4)],
     catalog=catalog(itype("a.x", 4, 8192, 0.2, attach={EBS: 3})), newNodes={"min": 2, "max": 2})

# ---- orders of placement that several kinds of rules leave together

case("order/affinity-starts-before-spread", "who must start a group comes before who spreads over it, or they are not in one plan",
     [nodeclass(), pool()] +
     [pod("lead-0", cpu="1500m", labels={"app": "lead"}, spread=[skew(CT, None, labelSelector={"matchExpressions": [req("app", "In", "lead", "base")]})]),
      pod("base-0", cpu="1500m", labels={"app": "base"}, near=[term(HOST, exprs=[req("app", "In", "lead", "base")])]),
      pod("tail-0", cpu="300m", labels={"app": "tail"}, near=[term(HOST, {"app": "base"})])], scheduled="all")
case("order/self-affine-and-counted", "replicas that each want company on their host, spread with those that bring it",
     [nodeclass(), pool()] +
     pods(3, "a", cpu="750m", labels={"app": "a"}, ports=[{"containerPort": 80, "hostPort": 8001}], near=[term(HOST, exprs=[req("app", "In", "a", "b")])],
          spread=[skew(CT, {"app": "a"})]) +
     pods(2, "b", cpu="1", labels={"app": "b"}, ports=[{"containerPort": 80, "hostPort": 8001}], near=[term(HOST, {"app": "b"})],
          spread=[skew(CT, None, labelSelector={"matchExpressions": [req("app", "In", "a", "b")]})]),
     scheduledCount={"min": 2, "max": 2})
case("volumes/attach-shared-some-paid", "a running node attaches as many of the shared claims as it has room for",
     [nodeclass(), od(limits={"cpu": "0"}), storageclass(), node("n-1", csi={EBS: 1}), pv("pv-1", [A]), pv("pv-2", [A]), pvc("d1", volume="pv-1"), pvc("d2", volume="pv-2")] +
     pods(3, "web", claims=["d1"]) + pods(2, "db", claims=["d2"]), scheduledCount={"min": 3, "max": 3})
