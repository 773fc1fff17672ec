# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules two by two: what is asked of a pod by more than one rule at once, and what is left of a rule when another narrows it."""
from world import *  # noqa: F403: this is the language of the cases

W, X, Y = {"app": "w"}, {"app": "x"}, {"app": "y"}
SEL = {"matchLabels": W}
EBS = "ebs.csi.aws.com"
RING = "example.com/ring"
AB = [nodeclass(zones="ab"), od()]
SHUT = [taint("shut")]


def ns(name, **labels):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta(name, None, labels or None)}


def scratch(name="scratch", sc="gp3"):
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    if sc:
        spec["storageClassName"] = sc
    return {"name": name, "ephemeral": {"volumeClaimTemplate": {"spec": spec}}}


def at(obj, when):
    obj["metadata"]["creationTimestamp"] = when
    return obj


# ---- spread and what else narrows

case("pairs/spread-selector-one-zone", "domains that the pod's selector rules out do not count, so all may go to the one that is left",
     BASE + pods(3, "web", labels=W, select={ZONE: A}, spread=[skew(ZONE, W)]), spread={"selector": SEL, "key": ZONE, "counts": [3]})
case("pairs/spread-selector-one-zone-ignored", "unless the constraint counts them all the same",
     BASE + pods(3, "web", labels=W, select={ZONE: A}, spread=[skew(ZONE, W, nodeAffinityPolicy="Ignore")]), scheduledCount={"min": 1, "max": 1})
case("pairs/spread-affinity-two-zones", "required node affinity narrows the domains as a selector does",
     BASE + pods(4, "web", labels=W, need=[[req(ZONE, "In", A, B)]], spread=[skew(ZONE, W)]), spread={"selector": SEL, "key": ZONE, "counts": [2, 2]})
case("pairs/spread-affinity-terms", "with alternatives, what any of them allows is a domain",
     BASE + pods(3, "web", labels=W, need=[[req(ZONE, "In", A)], [req(ZONE, "In", B, C)]], spread=[skew(ZONE, W)]),
     spread={"selector": SEL, "key": ZONE, "counts": [1, 1, 1]})
case("pairs/spread-wish-does-not-narrow", "a preference does not narrow the domains",
     BASE + pods(3, "web", labels=W, wish=[(10, [req(ZONE, "In", A)])], spread=[skew(ZONE, W)]), spread={"selector": SEL, "key": ZONE, "counts": [1, 1, 1]})
case("pairs/spread-pool-zones", "zones that no pool launches in are no domains",
     [nodeclass(), od("default", req(ZONE, "In", A, B))] + pods(4, "web", labels=W, spread=[skew(ZONE, W)]), spread={"selector": SEL, "key": ZONE, "counts": [2, 2]})
case("pairs/spread-two-pools-zones", "zones of several pools add up",
     [nodeclass(), od("one", req(ZONE, "In", A)), od("two", req(ZONE, "In", B, C))] + pods(3, "web", labels=W, spread=[skew(ZONE, W)]),
     spread={"selector": SEL, "key": ZONE, "counts": [1, 1, 1]})
case("pairs/spread-heavy-pool-one-zone", "the heavier pool gets its zone, the lighter one the rest",
     [nodeclass(), od("heavy", req(ZONE, "In", A), weight=50), od("light", req(ZONE, "In", B, C))] + pods(3, "web", labels=W, spread=[skew(ZONE, W)]),
     spread={"selector": SEL, "key": ZONE, "counts": [1, 1, 1]}, newNodesInPool={"heavy": {"min": 1}, "light": {"min": 2}})
case("pairs/spread-min-domains-short", "fewer domains than minDomains: the minimum is zero",
     AB + pods(4, "web", labels=W, spread=[skew(ZONE, W, minDomains=3)]), scheduledCount={"min": 2, "max": 2})
case("pairs/spread-min-domains-met", "as many as asked for: it changes nothing",
     AB + pods(4, "web", labels=W, spread=[skew(ZONE, W, minDomains=2)]), spread={"selector": SEL, "key": ZONE, "counts": [2, 2]})
case("pairs/spread-min-domains-skew-2", "with a skew of two, two in each of too few domains",
     AB + pods(5, "web", labels=W, spread=[skew(ZONE, W, n=2, minDomains=3)]), scheduledCount={"min": 4, "max": 4})
case("pairs/spread-min-domains-of-selector", "minDomains counts what the selector leaves",
     BASE + pods(2, "web", labels=W, select={ZONE: A}, spread=[skew(ZONE, W, minDomains=2)]), scheduledCount={"min": 1, "max": 1})
case("pairs/spread-skewed-already", "a skew that is there already is not made worse",
     BASE + [node("n-a", taints=SHUT)] + [pod("run-%d" % i, on="n-a", labels=W) for i in range(5)] + pods(2, "web", labels=W, spread=[skew(ZONE, W)]),
     spread={"selector": SEL, "key": ZONE, "counts": [1, 1, 5]})
case("pairs/spread-skewed-stuck", "even if that leaves no place",
     [nodeclass(zones="a"), od(), node("n-b", zone=B, taints=SHUT), node("n-a", taints=SHUT), pod("run-0", on="n-a", labels=W)] +
     pods(1, "web", labels=W, spread=[skew(ZONE, W)]), unschedulable=["default/web-0"])
case("pairs/spread-tainted-zone-ignored", "a running node behind a taint is a domain all the same",
     AB + [node("n-c", zone=C, taints=SHUT)] + pods(4, "web", labels=W, spread=[skew(ZONE, W)]), scheduledCount={"min": 2, "max": 2})
case("pairs/spread-tainted-zone-honored", "and none when taints are honoured",
     AB + [node("n-c", zone=C, taints=SHUT)] + pods(4, "web", labels=W, spread=[skew(ZONE, W, nodeTaintsPolicy="Honor")]),
     spread={"selector": SEL, "key": ZONE, "counts": [2, 2]})
case("pairs/spread-cordoned-zone-honored", "being cordoned is a taint like any other",
     AB + [node("n-c", zone=C, cordoned=True)] + pods(2, "web", labels=W, spread=[skew(ZONE, W, nodeTaintsPolicy="Honor")]), scheduled="all")
case("pairs/spread-pods-behind-taint", "pods on a node that taints keep out of view do not count when honoured",
     AB + [node("n-a", zone=A, taints=SHUT)] + [pod("run-%d" % i, on="n-a", labels=W) for i in range(3)] +
     pods(2, "web", labels=W, spread=[skew(ZONE, W, nodeTaintsPolicy="Honor")]), zoneOf={"default/web-0": {"in": [A, B]}}, scheduled="all")
case("pairs/spread-tainted-pool-tolerated", "a pool whose taint is tolerated opens its zones",
     [nodeclass(), od("plain", req(ZONE, "In", A)), od("taint", req(ZONE, "In", B), taints=[taint("team", "x")])] +
     pods(2, "web", labels=W, tolerate=[tolerate("team", "x")], spread=[skew(ZONE, W, nodeTaintsPolicy="Honor")]), spread={"selector": SEL, "key": ZONE, "counts": [1, 1]})
case("pairs/spread-host-and-limit", "one a host, and only so many hosts",
     [nodeclass(), od(limits={"nodes": "2"})] + pods(3, "web", labels=W, spread=[skew(HOST, W)]), scheduledCount={"min": 2, "max": 2})
case("pairs/spread-host-and-zone", "one a host, even over zones",
     BASE + pods(6, "web", labels=W, spread=[skew(HOST, W), skew(ZONE, W)]), newNodes={"min": 6, "max": 6}, spread={"selector": SEL, "key": ZONE, "counts": [2, 2, 2]})
case("pairs/spread-host-2-and-zone", "two a host, even over zones",
     BASE + pods(6, "web", labels=W, spread=[skew(HOST, W, n=2), skew(ZONE, W)]), optimalHourlyCost=0.3)
case("pairs/spread-captype-and-zone", "even over capacity types and zones at once",
     [nodeclass(), pool()] + pods(6, "web", labels=W, spread=[skew(CT, W), skew(ZONE, W)]),
     spread=[{"selector": SEL, "key": ZONE, "counts": [2, 2, 2]}, {"selector": SEL, "key": CT, "counts": [3, 3]}])
case("pairs/spread-captype-sold-out", "a capacity type that is sold out is no domain",
     [nodeclass(), pool()] + pods(3, "web", labels=W, spread=[skew(CT, W)]),
     catalog=catalog(itype("a.x", 4, 8192, offerings=[{"zone": A, "capacityType": "spot", "price": 0.1, "available": False},
                                                      {"zone": A, "capacityType": "on-demand", "price": 0.5, "available": True}])), scheduled="all")
case("pairs/spread-captype-one-pool", "nor one that no pool buys", BASE + pods(3, "web", labels=W, spread=[skew(CT, W)]), scheduled="all")
case("pairs/spread-captype-reserved", "reserved is a capacity type",
     [nodeclass(), pool()] + pods(2, "web", cpu="3", labels=W, spread=[skew(CT, W)]),
     catalog=catalog(itype("r.x", 4, 8192, offerings=[{"zone": A, "capacityType": "reserved", "price": 0.0, "available": True, "reservationId": "cr-1", "reservationCapacity": 5},
                                                      {"zone": A, "capacityType": "on-demand", "price": 0.5, "available": True}])),
     spread={"selector": SEL, "key": CT, "counts": [1, 1]})
case("pairs/spread-arch", "over architectures, of which the pod names none",
     BASE + pods(2, "web", labels=W, spread=[skew(ARCH, W)]), catalog="aws-west2", spread={"selector": SEL, "key": ARCH, "counts": [1, 1]})
case("pairs/spread-arch-named", "and of which it names one",
     BASE + pods(2, "web", labels=W, select={ARCH: "amd64"}, spread=[skew(ARCH, W)]), catalog="aws-west2", scheduled="all")
case("pairs/spread-ring-of-pools", "over a label that each pool gives its own value",
     [nodeclass(), od("one", labels={RING: "1"}), od("two", labels={RING: "2"})] + pods(4, "web", labels=W, spread=[skew(RING, W)]),
     spread={"selector": SEL, "key": RING, "counts": [2, 2]})
case("pairs/spread-ring-limited", "and one of them can launch no more",
     [nodeclass(), od("one", labels={RING: "1"}, limits={"nodes": "1"}), od("two", labels={RING: "2"})] +
     pods(6, "web", cpu="1500m", labels=W, spread=[skew(RING, W)]), scheduledCount={"min": 2, "max": 6})
case("pairs/spread-revisions", "each revision by itself, two zones",
     AB + [pod("a-%d" % i, labels=dict(W, rev="1"), spread=[skew(ZONE, W, matchLabelKeys=["rev"])]) for i in range(2)] +
     [pod("b-%d" % i, labels=dict(W, rev="2"), spread=[skew(ZONE, W, matchLabelKeys=["rev"])]) for i in range(2)],
     differentZones=[["default/a-0", "default/a-1"], ["default/b-0", "default/b-1"]])
case("pairs/spread-revision-of-running", "running pods of another revision do not count",
     AB + [node("n-a", taints=SHUT), pod("old-0", on="n-a", labels=dict(W, rev="1")), pod("old-1", on="n-a", labels=dict(W, rev="1")),
           pod("new-0", labels=dict(W, rev="2"), select={ZONE: A}, spread=[skew(ZONE, W, matchLabelKeys=["rev"], nodeAffinityPolicy="Ignore")])], zoneOf={"default/new-0": A})
case("pairs/spread-each-other", "pods that count each other but not themselves keep apart as groups",
     BASE + pods(3, "a", labels=W, spread=[skew(HOST, X)]) + pods(3, "b", labels=X, spread=[skew(HOST, W)]), scheduled="all")
case("pairs/spread-soft-and-volume", "a soft spread gives way to volumes",
     BASE + [storageclass(), pv("pv-1", [A]), pv("pv-2", [A]), pvc("d-0", volume="pv-1"), pvc("d-1", volume="pv-2")] +
     [pod("web-%d" % i, labels=W, claims=["d-%d" % i], spread=[skew(ZONE, W, when="ScheduleAnyway")]) for i in range(2)], sameZone=[names(2, "web")])
case("pairs/spread-soft-one-zone", "and to a pool with one zone",
     [nodeclass(), od("default", req(ZONE, "In", B))] + pods(3, "web", labels=W, spread=[skew(ZONE, W, when="ScheduleAnyway")]), scheduled="all")
case("pairs/spread-soft-hosts", "a soft spread over hosts is kept while nothing speaks against it",
     BASE + pods(3, "web", labels=W, spread=[skew(HOST, W, when="ScheduleAnyway")]), differentNodes=[names(3, "web")])
case("pairs/spread-soft-hosts-ignored", "and not looked at when preferences are ignored",
     BASE + pods(3, "web", labels=W, spread=[skew(HOST, W, when="ScheduleAnyway")]), options={"preferencePolicy": "Ignore"}, newNodes={"max": 1})
case("pairs/spread-terminating-domain", "a terminating pod is not counted, its zone stays a domain",
     AB + [node("n-a", taints=SHUT), pod("old-0", on="n-a", labels=W, terminating=True), pod("web-0", labels=W, select={ZONE: A}, spread=[skew(ZONE, W)])],
     zoneOf={"default/web-0": A})
case("pairs/spread-and-apart", "spread over zones and one a host",
     BASE + pods(3, "web", labels=W, spread=[skew(ZONE, W)], apart=[term(HOST, W)]), differentNodes=[names(3, "web")], differentZones=[names(3, "web")])
case("pairs/spread-and-near", "spread over zones beside a pod that holds to one",
     BASE + [node("n-a", taints=SHUT), pod("db-0", on="n-a", labels=X)] + pods(2, "web", labels=W, spread=[skew(ZONE, W)], near=[term(ZONE, X)]),
     scheduledCount={"min": 1, "max": 1})
case("pairs/spread-and-existing-room", "room that spread forbids is no room",
     BASE + [node("n-a"), pod("run-0", on="n-a", labels=W), pod("web-0", labels=W, spread=[skew(ZONE, W)])], onNewNodes=["default/web-0"], zoneOf={"default/web-0": {"in": [B, C]}})
case("pairs/spread-in-flight-zone", "a machine that comes up opens its zone",
     [nodeclass(zones="ab"), od(), node("claim-c", has_node=False, initialized=False, registered=False, zone=C)] + pods(3, "web", labels=W, spread=[skew(ZONE, W)]),
     spread={"selector": SEL, "key": ZONE, "counts": [1, 1, 1]}, newNodes={"min": 2, "max": 2})

# ---- affinity

case("pairs/near-full-node", "near a pod whose node is full means a new node in its zone",
     BASE + [node("n-b", zone=B, itype="x1.small"), pod("db-0", on="n-b", cpu="2", labels=X), pod("web-0", cpu="1", near=[term(ZONE, X)])],
     onNewNodes=["default/web-0"], zoneOf={"default/web-0": B})
case("pairs/near-full-host", "on its host there is no place",
     BASE + [node("n-b", zone=B, itype="x1.small"), pod("db-0", on="n-b", cpu="2", labels=X), pod("web-0", cpu="1", near=[term(HOST, X)])], unschedulable=["default/web-0"])
case("pairs/near-daemon-pod", "a daemon pod attracts as any other",
     BASE + [node("n-a"), node("n-b", zone=B), pod("agent-b", on="n-b", labels=X, owners=owner("DaemonSet", "agent")), pod("web-0", near=[term(HOST, X)])],
     onExistingNodes={"default/web-0": "n-b"})
case("pairs/near-each-other", "two pods that wait for each other wait for ever",
     BASE + [pod("a-0", labels=W, near=[term(ZONE, X)]), pod("b-0", labels=X, near=[term(ZONE, W)])], unschedulable=["default/a-0", "default/b-0"])
case("pairs/near-each-other-one-starts", "unless one of them may start",
     BASE + [pod("a-0", labels=W, near=[term(ZONE, exprs=[req("app", "In", "w", "x")])]), pod("b-0", labels=X, near=[term(ZONE, W)])], sameZone=[["default/a-0", "default/b-0"]])
case("pairs/near-chain-of-three", "who follows a follower",
     BASE + [pod("c-0", cpu="1500m", labels=Y, near=[term(ZONE, X)]), pod("b-0", cpu="1500m", labels=X, near=[term(ZONE, W)]), pod("a-0", cpu="1500m", labels=W, select={ZONE: C})],
     zoneOf={"default/c-0": C, "default/b-0": C})
case("pairs/near-chain-host", "on one host",
     BASE + [pod("c-0", labels=Y, near=[term(HOST, X)]), pod("b-0", labels=X, near=[term(HOST, W)]), pod("a-0", labels=W)], sameNode=[["default/a-0", "default/b-0", "default/c-0"]])
case("pairs/near-and-other-zone", "near a pod in one zone and selected into another",
     BASE + [node("n-b", zone=B, taints=SHUT), pod("db-0", on="n-b", labels=X), pod("web-0", select={ZONE: A}, near=[term(ZONE, X)])], unschedulable=["default/web-0"])
case("pairs/near-self-but-selected", "the first of a group starts where its selector wants it, others of it are elsewhere: no",
     BASE + [node("n-b", zone=B, taints=SHUT), pod("run-0", on="n-b", labels=W), pod("web-0", labels=W, select={ZONE: A}, near=[term(ZONE, W)])], unschedulable=["default/web-0"])
case("pairs/near-two-places-to-follow", "matching pods in two zones: either will do",
     BASE + [node("n-a", taints=SHUT), node("n-b", zone=B, taints=SHUT), pod("x-0", on="n-a", labels=X), pod("x-1", on="n-b", labels=X), pod("web-0", near=[term(ZONE, X)])],
     zoneOf={"default/web-0": {"in": [A, B]}})
case("pairs/near-terms-by-two-pods", "a pod must meet all terms by itself to count",
     BASE + [node("n-a", taints=SHUT), pod("x-0", on="n-a", labels={"app": "x"}), pod("y-0", on="n-a", labels={"tier": "y"}),
             pod("web-0", near=[term(ZONE, {"app": "x"}), term(ZONE, {"tier": "y"})])], unschedulable=["default/web-0"])
case("pairs/near-zone-and-captype", "same zone and same capacity type as a running pod",
     [nodeclass(), pool(), node("n-b", zone=B, ct="on-demand", taints=SHUT), pod("x-0", on="n-b", labels=X), pod("web-0", near=[term(ZONE, X), term(CT, X)])],
     zoneOf={"default/web-0": B}, capacityTypeOf={"default/web-0": "on-demand"})
case("pairs/near-namespace-union", "listed and selected namespaces add up",
     BASE + [ns("one", team="x"), ns("two"), node("n-b", zone=B, taints=SHUT), pod("db-0", ns="two", on="n-b", labels=X),
             pod("web-0", near=[term(ZONE, X, namespaces=["two"], namespaceSelector={"matchLabels": {"team": "x"}})])], zoneOf={"default/web-0": B})
case("pairs/near-namespace-selected-not-own", "a selector that misses the pod's own namespace leaves it out",
     BASE + [ns("default"), ns("one", team="x"), node("n-b", zone=B, taints=SHUT), pod("db-0", on="n-b", labels=X),
             pod("web-0", near=[term(ZONE, X, namespaceSelector={"matchLabels": {"team": "x"}})])], unschedulable=["default/web-0"])
case("pairs/near-revision-starts", "of its own revision nobody is there yet, so it may start one",
     BASE + [node("n-b", zone=B, taints=SHUT), pod("old-0", on="n-b", labels=dict(W, rev="1")),
             pod("new-0", labels=dict(W, rev="2"), select={ZONE: A}, near=[term(ZONE, W, matchLabelKeys=["rev"])])], zoneOf={"default/new-0": A})
case("pairs/near-mismatch", "near those of other tenants",
     BASE + [node("n-a", taints=SHUT), node("n-b", zone=B, taints=SHUT), pod("t-0", on="n-a", labels=dict(X, tenant="1")), pod("t-1", on="n-b", labels=dict(X, tenant="2")),
             pod("web-0", labels={"tenant": "1"}, near=[term(ZONE, X, mismatchLabelKeys=["tenant"])])], zoneOf={"default/web-0": B})
case("pairs/near-wish-kept", "a wish to be near is kept where it can be",
     BASE + [node("n-c", zone=C, taints=SHUT), pod("db-0", on="n-c", labels=X), pod("web-0", near_wish=[(50, term(ZONE, X))])], zoneOf={"default/web-0": C})
case("pairs/near-wish-no-subnet", "and given up where no pool launches",
     AB + [node("n-c", zone=C, taints=SHUT), pod("db-0", on="n-c", labels=X), pod("web-0", near_wish=[(50, term(ZONE, X))])], scheduled="all")
case("pairs/near-wish-against-need", "or where the pod may not go",
     BASE + [node("n-c", zone=C, taints=SHUT), pod("db-0", on="n-c", labels=X), pod("web-0", select={ZONE: A}, near_wish=[(50, term(ZONE, X))])], zoneOf={"default/web-0": A})
case("pairs/near-volume", "who follows a pod follows its volume",
     BASE + [storageclass(), pv("pv-b", [B]), pvc("data", volume="pv-b"), pod("db-0", labels=X, claims=["data"], cpu="1500m"), pod("web-0", cpu="1500m", near=[term(ZONE, X)])],
     zoneOf={"default/web-0": B})
case("pairs/near-both-volumes", "two pods near each other with volumes in two zones",
     BASE + [storageclass(), pv("pv-a", [A]), pv("pv-b", [B]), pvc("d-a", volume="pv-a"), pvc("d-b", volume="pv-b"), pod("db-0", labels=X, claims=["d-a"]),
             pod("web-0", claims=["d-b"], near=[term(ZONE, X)])], scheduled=["default/db-0"], unschedulable=["default/web-0"])
case("pairs/near-limited", "two that share a host and a pool that may launch one small node",
     [nodeclass(), od("default", req(TYPE, "In", "x1.small"), limits={"nodes": "1"})] + pods(3, "web", cpu="900m", labels=W, near=[term(HOST, W)]), scheduledCount={"min": 2, "max": 2})

# ---- anti-affinity

case("pairs/apart-two-zones", "one a zone, and there are two", AB + pods(3, "web", labels=W, apart=[term(ZONE, W)]), scheduledCount={"min": 2, "max": 2})
case("pairs/apart-near-self", "near and apart from the same pods: the first only",
     BASE + pods(3, "web", labels=W, near=[term(ZONE, W)], apart=[term(ZONE, W)]), scheduledCount={"min": 1, "max": 1})
case("pairs/apart-namespaces-all", "an empty namespace selector looks everywhere",
     BASE + [ns("other"), node("n-a"), pod("x-0", ns="other", on="n-a", labels=X), pod("web-0", apart=[term(HOST, X, namespaceSelector={})])], onNewNodes=["default/web-0"])
case("pairs/apart-inverse-namespaces", "a running pod that avoids another namespace does not avoid this one",
     BASE + [ns("other"), node("n-a"), pod("x-0", on="n-a", labels=X, apart=[term(HOST, W, namespaces=["other"])]), pod("web-0", labels=W)],
     onExistingNodes={"default/web-0": "n-a"})
case("pairs/apart-inverse-zone", "a running pod that wants its zone for itself",
     AB + [node("n-a", taints=SHUT), pod("x-0", on="n-a", labels=X, apart=[term(ZONE, W)])] + pods(2, "web", labels=W), zoneOf={"default/web-0": B, "default/web-1": B})
case("pairs/apart-one-sided", "one side is enough",
     BASE + pods(2, "a", labels=W, apart=[term(HOST, X)]) + pods(2, "b", labels=X), differentNodes=[["default/a-0", "default/b-0"], ["default/a-1", "default/b-1"]])
case("pairs/apart-wish-zone", "a wish to avoid a zone",
     BASE + [node("n-a", taints=SHUT), pod("x-0", on="n-a", labels=X), pod("web-0", apart_wish=[(10, term(ZONE, X))])], zoneOf={"default/web-0": {"in": [B, C]}})
case("pairs/apart-wish-only-zone", "that is the only one", [nodeclass(zones="a"), od(), node("n-a", taints=SHUT), pod("x-0", on="n-a", labels=X),
                                                            pod("web-0", apart_wish=[(10, term(ZONE, X))])], zoneOf={"default/web-0": A})
case("pairs/apart-host-and-ports", "host ports keep replicas apart as well",
     BASE + pods(3, "web", ports=[{"containerPort": 80, "hostPort": 8080}]), newNodes={"min": 3, "max": 3})
case("pairs/apart-ring", "one a ring, of rings that a pool chooses from",
     [nodeclass(), od("default", req(RING, "In", "1", "2"))] + pods(3, "web", labels=W, apart=[term(RING, W)]), scheduledCount={"min": 2, "max": 2})
case("pairs/apart-and-selector-captype", "one a capacity type, and each says which",
     [nodeclass(), pool(), pod("a-0", labels=W, select={CT: "spot"}, apart=[term(CT, W)]), pod("b-0", labels=W, select={CT: "on-demand"}, apart=[term(CT, W)])], scheduled="all")
case("pairs/apart-same-selector", "one a capacity type, and both want the same",
     [nodeclass(), pool(), pod("a-0", labels=W, select={CT: "spot"}, apart=[term(CT, W)]), pod("b-0", labels=W, select={CT: "spot"}, apart=[term(CT, W)])],
     scheduledCount={"min": 1, "max": 1})

# ---- volumes

case("pairs/volume-region-and-zone", "all expressions of a term",
     BASE + [pv("pv-1", terms=[[req("topology.kubernetes.io/region", "In", "us-west-2"), req(ZONE, "In", B)]]), pvc("data", volume="pv-1"), pod("web-0", claims=["data"])],
     zoneOf={"default/web-0": B})
case("pairs/volume-other-region", "one of which no node meets",
     BASE + [pv("pv-1", terms=[[req("topology.kubernetes.io/region", "In", "eu-west-1"), req(ZONE, "In", B)]]), pvc("data", volume="pv-1"), pod("web-0", claims=["data"])],
     unschedulable=["default/web-0"])
case("pairs/volume-zone-not-in", "NotIn in a term of a volume",
     BASE + [pv("pv-1", terms=[[req(ZONE, "NotIn", A, B)]]), pvc("data", volume="pv-1"), pod("web-0", claims=["data"])], zoneOf={"default/web-0": C})
case("pairs/volume-two-zones-and-selector", "a volume of two zones and a selector of one",
     BASE + [pv("pv-1", [A, B]), pvc("data", volume="pv-1"), pod("web-0", select={ZONE: B}, claims=["data"])], zoneOf={"default/web-0": B})
case("pairs/volume-against-wish", "a wish gives way to the volume",
     BASE + [pv("pv-1", [C]), pvc("data", volume="pv-1"), pod("web-0", wish=[(10, [req(ZONE, "In", A)])], claims=["data"])], zoneOf={"default/web-0": C})
case("pairs/volume-terms-against-need", "terms of the pod and terms of the volume, one of each",
     BASE + [pv("pv-1", terms=[[req(ZONE, "In", A)], [req(ZONE, "In", C)]]), pvc("data", volume="pv-1"),
             pod("web-0", need=[[req(ZONE, "In", B)], [req(ZONE, "In", C)]], claims=["data"])], zoneOf={"default/web-0": C})
case("pairs/volume-class-outside-subnets", "a class that makes volumes where nobody launches",
     AB + [storageclass(zones=[C]), pvc("data"), pod("web-0", claims=["data"])], unschedulable=["default/web-0"])
case("pairs/volume-two-classes-disjoint", "two claims whose classes have no zone in common",
     BASE + [storageclass("one", zones=[A]), storageclass("two", zones=[B]), pvc("d1", sc="one"), pvc("d2", sc="two"), pod("web-0", claims=["d1", "d2"])],
     unschedulable=["default/web-0"])
case("pairs/volume-class-and-bound", "a bound claim and one to be made where it is",
     BASE + [storageclass(zones=[B, C]), pv("pv-1", [A, B]), pvc("d1", volume="pv-1"), pvc("d2"), pod("web-0", claims=["d1", "d2"])], zoneOf={"default/web-0": B})
case("pairs/volume-class-gone-but-bound", "the class of a bound claim does not matter any more",
     BASE + [pv("pv-1", [B]), pvc("data", sc="gone", volume="pv-1"), pod("web-0", claims=["data"])], zoneOf={"default/web-0": B})
case("pairs/volume-no-affinity", "a volume that says nothing about nodes goes anywhere",
     BASE + [pv("pv-1"), pvc("data", volume="pv-1"), pod("web-0", select={ZONE: C}, claims=["data"])], zoneOf={"default/web-0": C})
case("pairs/volume-default-newest", "of two default classes the newest counts",
     BASE + [at(storageclass("old", zones=[A], default=True), "2025-01-01T00:00:00Z"), at(storageclass("new", zones=[B], default=True), "2026-01-01T00:00:00Z"),
             pod("web-0", volumes=[scratch(sc=None)])], zoneOf={"default/web-0": B})
case("pairs/volume-ephemeral-no-class", "no class and no default class", BASE + [pod("web-0", volumes=[scratch(sc=None)])], unschedulable=["default/web-0"])
case("pairs/volume-ephemeral-deleted", "the claim of an ephemeral volume that goes",
     BASE + [storageclass(), pvc("web-0-scratch", deleted=True), pod("web-0", volumes=[scratch()])], unschedulable=["default/web-0"])
case("pairs/volume-csi-inline", "inline CSI volumes tie nobody",
     BASE + [node("n-a", csi={EBS: 0}), pod("web-0", volumes=[{"name": "s", "csi": {"driver": "secrets-store.csi.k8s.io", "readOnly": True}}])],
     onExistingNodes={"default/web-0": "n-a"})
case("pairs/attach-in-tree-counts", "volumes of the old kind count for the new driver",
     BASE + [storageclass(), node("n-a", csi={EBS: 1}), pv("pv-1", [A], key="failure-domain.beta.kubernetes.io/zone", source={"awsElasticBlockStore": {"volumeID": "vol-1"}}),
             pvc("d1", volume="pv-1"), pvc("d2"), pod("run-0", on="n-a", claims=["d1"]), pod("web-0", claims=["d2"])], onNewNodes=["default/web-0"])
case("pairs/attach-in-tree-class-counts", "and so do those that an old class is to make",
     BASE + [storageclass("gp2", "kubernetes.io/aws-ebs"), node("n-a", csi={EBS: 1}), pvc("d1", sc="gp2"), pvc("d2", sc="gp2"), pod("web-0", claims=["d1"]), pod("web-1", claims=["d2"])],
     scheduled="all", newNodes={"min": 1, "max": 1})
case("pairs/attach-ephemeral-counts", "ephemeral volumes are attached, too",
     BASE + [storageclass(), node("n-a", csi={EBS: 1}), pod("web-0", volumes=[scratch()]), pod("web-1", volumes=[scratch()])], scheduled="all", newNodes={"min": 1, "max": 1})
case("pairs/attach-other-driver", "a full driver is no matter for another",
     BASE + [storageclass("efs", "efs.csi.aws.com"), node("n-a", csi={EBS: 0}), pvc("data", sc="efs"), pod("web-0", claims=["data"])], onExistingNodes={"default/web-0": "n-a"})
case("pairs/attach-zero", "a node that attaches nothing",
     BASE + [storageclass(), node("n-a", csi={EBS: 0}), pvc("data"), pod("web-0", claims=["data"])], onNewNodes=["default/web-0"])
case("pairs/attach-new-nodes", "so many on each new node",
     BASE + [storageclass()] + [pvc("d-%d" % i) for i in range(5)] + [pod("web-%d" % i, claims=["d-%d" % i]) for i in range(5)],
     catalog=catalog(itype("a.x", 4, 8192, 0.2, attach={EBS: 2})), newNodes={"min": 3, "max": 3})
case("pairs/attach-more-than-any", "more claims than any node attaches",
     BASE + [storageclass()] + [pvc("d-%d" % i) for i in range(3)] + [pod("web-0", claims=["d-0", "d-1", "d-2"])],
     catalog=catalog(itype("a.x", 4, 8192, 0.2, attach={EBS: 2})), unschedulable=["default/web-0"])
case("pairs/attach-larger-type", "a dearer type attaches more",
     BASE + [storageclass()] + [pvc("d-%d" % i) for i in range(3)] + [pod("web-0", claims=["d-0", "d-1", "d-2"])],
     catalog=catalog(itype("a.x", 4, 8192, 0.2, attach={EBS: 2}), itype("b.x", 4, 8192, 0.3, attach={EBS: 3})), instanceTypeOf={"default/web-0": "b.x"})
case("pairs/attach-and-zones", "the limit of a node and the zones of its volumes",
     BASE + [storageclass(), node("n-a", csi={EBS: 1}), pv("pv-b", [B]), pvc("d-a"), pvc("d-b", volume="pv-b"), pod("a-0", claims=["d-a"]), pod("b-0", claims=["d-b"])],
     onExistingNodes={"default/a-0": "n-a"}, zoneOf={"default/b-0": B})
case("pairs/volume-shared-and-spread", "pods of one claim that is to be made, and a spread over zones",
     BASE + [storageclass(), pvc("data")] + pods(2, "web", labels=W, claims=["data"], spread=[skew(ZONE, W)]), scheduledCount={"min": 1, "max": 1})
case("pairs/volume-shared-rwx", "a claim of a driver without zones is shared over zones",
     BASE + [storageclass("efs", "efs.csi.aws.com"), pvc("data", sc="efs", modes=["ReadWriteMany"])] + pods(3, "web", labels=W, claims=["data"], spread=[skew(ZONE, W)]),
     spread={"selector": SEL, "key": ZONE, "counts": [1, 1, 1]})

# ---- preferences

case("pairs/wish-captype-dearer", "a wish for on demand is kept though spot is cheaper",
     [nodeclass(), pool(), pod("web-0", wish=[(1, [req(CT, "In", "on-demand")])])], capacityTypeOf={"default/web-0": "on-demand"})
case("pairs/wish-captype-ignored", "unless preferences are ignored",
     [nodeclass(), pool(), pod("web-0", wish=[(1, [req(CT, "In", "on-demand")])])], options={"preferencePolicy": "Ignore"}, capacityTypeOf={"default/web-0": "spot"})
case("pairs/wish-unknown-label", "a wish for a label that nobody has", BASE + [pod("web-0", wish=[(1, [req("example.com/nope", "In", "x")])])], scheduled="all")
case("pairs/wish-half-possible", "a term of which half cannot be is given up as a whole",
     BASE + [pod("web-0", wish=[(5, [req(ZONE, "In", C), req("example.com/nope", "In", "x")]), (1, [req(ZONE, "In", B)])])], zoneOf={"default/web-0": B})
case("pairs/wish-against-pool", "a wish that the pool rules out",
     [nodeclass(), od("default", req(ZONE, "In", A)), pod("web-0", wish=[(1, [req(ZONE, "In", B)])])], zoneOf={"default/web-0": A})
case("pairs/wish-near-self-need-apart", "near one's own as a wish, apart by host as a need",
     BASE + pods(2, "web", labels=W, near_wish=[(1, term(HOST, W))], apart=[term(HOST, W)]), differentNodes=[names(2, "web")])
case("pairs/wish-soft-taint-tolerated", "a taint that prefers no pods is nothing to who tolerates it",
     [nodeclass(), od("soft", taints=[taint("x", "y", "PreferNoSchedule")], weight=10), od("plain"), pod("web-0", tolerate=[tolerate("x")])],
     nodePoolOf={"default/web-0": "soft"})
case("pairs/wish-apart-ignored", "preferred anti-affinity is not looked at when preferences are ignored",
     BASE + pods(3, "web", labels=W, apart_wish=[(1, term(HOST, W))]), options={"preferencePolicy": "Ignore"}, newNodes={"max": 1})

# ---- who needs a place, and running nodes

case("pairs/resource-claims", "a pod with resource claims is refused aloud, its neighbour is not",
     BASE + [pod("gpu-0", resourceClaims=[{"name": "gpu", "resourceClaimTemplateName": "one-gpu"}]), pod("web-0")],
     scheduled=["default/web-0"], unschedulable=["default/gpu-0"], says={"default/gpu-0": "DYNAMIC_RESOURCES"})
case("pairs/daemon-resource-claims", "a DaemonSet with resource claims takes its room all the same",
     [nodeclass(), od(), daemonset("dra", cpu="1500m", resourceClaims=[{"name": "gpu", "resourceClaimName": "g"}]), pod("web-0", cpu="1500m")],
     instanceTypeOf={"default/web-0": "x1.medium"})
case("pairs/disrupted-node", "a node that is about to go takes nobody",
     BASE + [node("n-a", taints=[taint("karpenter.sh/disrupted")]), pod("web-0")], onNewNodes=["default/web-0"])
case("pairs/resize-up-wanted", "a resize up counts in full before the node has done it",
     BASE + [node("n-a", itype="x1.small"),
             pod("run-0", cpu="1500m", on="n-a", status={"containerStatuses": [{"name": "app", "allocatedResources": {"cpu": "500m", "memory": "128Mi"},
                                                                                 "resources": {"requests": {"cpu": "500m", "memory": "128Mi"}}}]}),
             pod("web-0", cpu="1")], onNewNodes=["default/web-0"])
case("pairs/daemon-overhead", "what the runtime class of a DaemonSet takes",
     [nodeclass(), od(), daemonset("agent", cpu="100m", overhead={"cpu": "500m"}), pod("web-0", cpu="1500m")], instanceTypeOf={"default/web-0": "x1.medium"})
case("pairs/daemon-and-captype", "a DaemonSet on spot only",
     [nodeclass(), pool("default", req(TYPE, "In", "x1.small")), daemonset("agent", cpu="1", nodeSelector={CT: "spot"}), pod("web-0", cpu="1500m")],
     capacityTypeOf={"default/web-0": "on-demand"})
case("pairs/daemon-zone-and-spread", "a DaemonSet that fills one zone's nodes, and a spread over all",
     [nodeclass(), od("default", req(TYPE, "In", "x1.small")), daemonset("agent", cpu="1", nodeSelector={ZONE: A})] +
     pods(3, "web", cpu="1500m", labels=W, spread=[skew(ZONE, W)]), scheduledCount={"min": 2, "max": 2})
case("pairs/deleting-node-volume", "pods of a node that goes follow their volumes",
     BASE + [storageclass(), node("n-b", zone=B, deleted=True), pv("pv-b", [B]), pvc("data", volume="pv-b"), pod("web-0", on="n-b", claims=["data"])], zoneOf={"default/web-0": B})
case("pairs/deleting-node-attach", "a full node does not take the volumes of one that goes",
     BASE + [storageclass(), node("n-1", deleted=True), node("n-2", csi={EBS: 1}), pv("pv-1", [A]), pv("pv-2", [A]), pvc("d1", volume="pv-1"), pvc("d2", volume="pv-2"),
             pod("web-0", on="n-1", claims=["d1"]), pod("run-0", on="n-2", claims=["d2"])], onNewNodes=["default/web-0"], zoneOf={"default/web-0": A})
case("pairs/in-flight-spread-and-room", "a machine on its way is filled within the skew",
     AB + [node("claim-a", has_node=False, initialized=False, registered=False)] + pods(4, "web", labels=W, spread=[skew(ZONE, W)]),
     spread={"selector": SEL, "key": ZONE, "counts": [2, 2]}, newNodes={"min": 1, "max": 1})
case("pairs/room-and-ports", "room with a port taken is no room",
     BASE + [node("n-a"), pod("run-0", on="n-a", ports=[{"containerPort": 80, "hostPort": 80}]), pod("web-0", ports=[{"containerPort": 80, "hostPort": 80, "hostIP": "10.0.0.1"}])],
     onNewNodes=["default/web-0"])

# ---- pools

case("pairs/min-values-two-keys", "two keys at once",
     [nodeclass(), od("default", req("karpenter.k8s.aws/instance-family", "Exists", minValues=2), req(TYPE, "Exists", minValues=3)), pod("web-0")],
     catalog=catalog(itype("a.s", 1, 2048, 0.1), itype("a.m", 2, 4096, 0.2), itype("b.s", 1, 2048, 0.3)), scheduled="all")
case("pairs/min-values-selector", "a selector leaves too few",
     [nodeclass(), od("default", req("karpenter.k8s.aws/instance-family", "Exists", minValues=2)), pod("web-0", select={TYPE: "a.s"})],
     catalog=catalog(itype("a.s", 1, 2048, 0.1), itype("b.s", 1, 2048, 0.3)), unschedulable=["default/web-0"], says={"default/web-0": "MIN_VALUES_NOT_MET"})
case("pairs/min-values-in-list", "of a list",
     [nodeclass(), od("default", req(TYPE, "In", "a.s", "b.s", "c.s", minValues=3)), pod("web-0")],
     catalog=catalog(itype("a.s", 1, 2048, 0.1), itype("b.s", 1, 2048, 0.3)), unschedulable=["default/web-0"])
case("pairs/min-values-gt", "of numbers",
     [nodeclass(), od("default", req("karpenter.k8s.aws/instance-cpu", "Gt", "1", minValues=2)), pod("web-0")],
     catalog=catalog(itype("a.s", 1, 2048, 0.1), itype("b.s", 2, 2048, 0.3), itype("c.s", 4, 2048, 0.5)), instanceTypeOf={"default/web-0": "b.s"})
case("pairs/min-values-largest", "of two requirements of one key the larger number counts",
     [nodeclass(), od("default", req(TYPE, "Exists", minValues=1), req(TYPE, "NotIn", "z.z", minValues=3)), pod("web-0")],
     catalog=catalog(itype("a.s", 1, 2048, 0.1), itype("b.s", 2, 2048, 0.3)), unschedulable=["default/web-0"])
case("pairs/reserved-and-host", "two pods of one host share a reservation of one",
     [nodeclass(), pool()] + pods(2, "web", cpu="1500m", labels=W, near=[term(HOST, W)]),
     catalog=catalog(itype("r.big", 4, 8192, offerings=[{"zone": A, "capacityType": "reserved", "price": 0.0, "available": True, "reservationId": "cr-1", "reservationCapacity": 1},
                                                        {"zone": A, "capacityType": "on-demand", "price": 0.5, "available": True}])), maxHourlyCost=0.0, sameNode=[names(2, "web")])
case("pairs/overlay-zone-and-spread", "a zone made cheap does not bend a spread",
     BASE + [overlay("cheap", req(ZONE, "In", C), price="0.001")] + pods(3, "web", cpu="1500m", labels=W, spread=[skew(ZONE, W)]),
     spread={"selector": SEL, "key": ZONE, "counts": [1, 1, 1]}, optimalHourlyCost=0.201)
case("pairs/limit-and-priority-and-spread", "what a limit leaves goes to the important pods, evenly",
     [nodeclass(zones="ab"), od("default", req(TYPE, "In", "x1.small"), limits={"nodes": "2"})] +
     [pod("low-%d" % i, cpu="1500m", labels=W, priority=0, spread=[skew(ZONE, W)]) for i in range(2)] +
     [pod("high-%d" % i, cpu="1500m", labels=W, priority=9, spread=[skew(ZONE, W)]) for i in range(2)], scheduled=names(2, "high"), unschedulable=names(2, "low"))
case("pairs/windows-and-linux", "each to the class of its system, with the DaemonSet of one",
     [nodeclass(), nodeclass("win", alias="windows2022@latest"), od("linux"), od("win", cls="win"), daemonset("agent", nodeSelector={"kubernetes.io/os": "linux"}),
      pod("w-0", select={"kubernetes.io/os": "windows"}), pod("l-0", select={"kubernetes.io/os": "linux"})], catalog="aws-west2",
     nodePoolOf={"default/w-0": "win", "default/l-0": "linux"})
case("pairs/weights-and-near", "who follows a pod of the heavy pool goes there as well",
     [nodeclass(), od("heavy", weight=9), od("light")] + pods(3, "web", cpu="1500m", labels=W, near=[term(ZONE, W)]), newNodesInPool={"light": {"max": 0}}, scheduled="all")

# ---- bounds: what is proven where pods share a node whatever one does

case("bound/host-self", "replicas that want each other on one host are one item for every plan",
     BASE + pods(3, "web", cpu="1", labels=W, near=[term(HOST, W)]), optimalHourlyCost=0.19, bound=0.19)
case("bound/host-chain", "and so is who follows a single pod, and who follows those",
     BASE + [pod("c-0", labels=Y, near=[term(HOST, X)])] + pods(2, "b", labels=X, near=[term(HOST, W)]) + [pod("a-0", labels=W, cpu="1900m")], bound=0.19)
case("bound/host-two-leaders", "not so who may follow either of two",
     BASE + pods(2, "a", labels=W, cpu="1500m") + pods(2, "b", labels=X, cpu="100m", near=[term(HOST, W)]), scheduled="all", maxHourlyCost=0.2)
case("bound/host-self-running", "nor those of whom one runs: others may start beside it, or anywhere it is not looked at",
     BASE + [node("n-a", itype="x1.small"), pod("run-0", on="n-a", labels=W, cpu="1")] + pods(1, "web", cpu="1", labels=W, near=[term(HOST, W)]), maxHourlyCost=0)
case("bound/few-nodes", "a third of a node is a node",
     BASE + pods(4, "web", labels=W, spread=[skew(HOST, W, n=3)]), bound=0.2)
case("bound/left-over", "what one full node cannot attach takes another",
     BASE + [storageclass(), node("n-a", csi={EBS: 2})] + [pvc("d-%d" % i) for i in range(3)] + [pod("web-%d" % i, claims=["d-%d" % i]) for i in range(3)],
     newNodes={"max": 1}, bound=0.1)
