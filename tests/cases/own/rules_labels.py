# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels and pools: requirements, custom labels, limits, minValues, capacity types, reservations, overlays, machines with GPUs, arm64 and Windows."""
from world import *  # noqa: F403: this is the language of the cases

TEAM = "example.com/team"

# ---- requirements

case("labels/in-two-zones", "In leaves what both the pool and the pod allow",
     [nodeclass(), od("default", req(ZONE, "In", A, B)), pod("web-0", need=[[req(ZONE, "In", B, C)]])], zoneOf={"default/web-0": B})
case("labels/not-in", "NotIn", BASE + [pod("web-0", need=[[req(ZONE, "NotIn", A, B)]])], zoneOf={"default/web-0": C})
case("labels/not-in-pool", "NotIn of the pool",
     [nodeclass(), od("default", req(ZONE, "NotIn", A, B)), pod("web-0")], zoneOf={"default/web-0": C})
case("labels/selector-and-terms", "node selector and affinity must both hold",
     BASE + [pod("web-0", select={ZONE: A}, need=[[req(ZONE, "In", B)]])], unschedulable={"default/web-0": ["topology.kubernetes.io/zone"]})
case("labels/two-requirements-one-key", "two requirements of a pool on one key are both meant",
     [nodeclass(), od("default", req(ZONE, "In", A, B), req(ZONE, "NotIn", A)), pod("web-0")], zoneOf={"default/web-0": B})
case("labels/exists-unknown-of-wellknown", "a type without the label does not have it",
     BASE + [pod("web-0", need=[[req("karpenter.k8s.aws/instance-gpu-name", "Exists")]])], unschedulable=["default/web-0"])
case("labels/not-exists-wellknown", "DoesNotExist of a label that some types have",
     BASE + [pod("web-0", need=[[req("karpenter.k8s.aws/instance-gpu-name", "DoesNotExist")]], limits={})], catalog="aws-west2", scheduled="all")
case("labels/gt-zero-padded", "Gt compares numbers, not text",
     BASE + [pod("web-0", need=[[req("karpenter.k8s.aws/instance-cpu", "Gt", 3), req("karpenter.k8s.aws/instance-cpu", "Lt", 8)]])],
     instanceTypeOf={"default/web-0": "x1.medium"})
case("labels/gte-lte", "Gte and Lte include the bound",
     [nodeclass(), od("default", req("karpenter.k8s.aws/instance-cpu", "Gte", 8), req("karpenter.k8s.aws/instance-cpu", "Lte", 8)), pod("web-0")],
     instanceTypeOf={"default/web-0": "x1.large"})
case("labels/gt-nothing", "more than the largest",
     BASE + [pod("web-0", need=[[req("karpenter.k8s.aws/instance-cpu", "Gt", 16)]])], unschedulable={"default/web-0": ["instance-cpu"]})
case("labels/zone-id", "a zone may be asked for by its id",
     BASE + [pod("web-0", select={"topology.k8s.aws/zone-id": "usw2-az2"})], zoneOf={"default/web-0": B})
case("labels/zone-id-of-subnet", "the id that the node class' status gives is the one in this account",
     [nodeclass(subnets=[{"id": "s-a", "zone": A, "zoneID": "usw2-az3"}, {"id": "s-c", "zone": C, "zoneID": "usw2-az1"}]), od(),
      pod("web-0", select={"topology.k8s.aws/zone-id": "usw2-az1"})], zoneOf={"default/web-0": C})
case("labels/zone-id-gone", "and no other",
     [nodeclass(subnets=[{"id": "s-a", "zone": A, "zoneID": "usw2-az3"}]), od(), pod("web-0", select={"topology.k8s.aws/zone-id": "usw2-az1"})],
     unschedulable={"default/web-0": ["zone-id"]})
case("labels/region", "the region is a label", BASE + [pod("web-0", select={"topology.kubernetes.io/region": "us-west-2"})], scheduled="all")
case("labels/wrong-region", "of one value",
     BASE + [pod("web-0", select={"topology.kubernetes.io/region": "us-east-1"})], unschedulable={"default/web-0": ["us-east-1"]})
case("labels/beta-names", "old names in selectors mean the new ones",
     BASE + [pod("web-0", select={"failure-domain.beta.kubernetes.io/zone": B, "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/instance-type": "x1.large"})],
     zoneOf={"default/web-0": B}, instanceTypeOf={"default/web-0": "x1.large"})
case("labels/beta-in-pool", "also in pools",
     [nodeclass(), od("default", req("failure-domain.beta.kubernetes.io/zone", "In", B)), pod("web-0")], zoneOf={"default/web-0": B})
case("labels/os-linux", "nodes run Linux unless the class says otherwise",
     BASE + [pod("web-0", select={"kubernetes.io/os": "linux"})], scheduled="all")
case("labels/os-windows-missing", "no class with a Windows image", BASE + [pod("web-0", select={"kubernetes.io/os": "windows"})], unschedulable=["default/web-0"])
case("labels/restricted-karpenter", "labels under karpenter.sh may not be asked for",
     BASE + [pod("web-0", select={"karpenter.sh/custom": "x"})], unschedulable=["default/web-0"])
case("labels/initialized", "new nodes will be initialized; a pod may not ask for it", BASE + [pod("web-0", select={"karpenter.sh/initialized": "true"})],
     unschedulable=["default/web-0"])
case("labels/kubernetes-domain", "other labels of kubernetes.io may be, if a pool gives them",
     [nodeclass(), od(labels={"node-restriction.kubernetes.io/team": "a"}), pod("web-0", select={"node-restriction.kubernetes.io/team": "a"})], scheduled="all")
case("labels/kubernetes-domain-undefined", "and not if none does",
     BASE + [pod("web-0", select={"node.kubernetes.io/custom": "a"})], unschedulable=["default/web-0"])
case("labels/capacity-type-not-in", "not spot",
     [nodeclass(), pool(), pod("web-0", need=[[req(CT, "NotIn", "spot")]])], capacityTypeOf={"default/web-0": "on-demand"})
case("labels/capacity-type-unknown", "a capacity type that does not exist",
     BASE + [pod("web-0", select={CT: "free"})], unschedulable={"default/web-0": ["capacity-type"]})

# ---- custom labels

case("custom/template-label-mismatch", "another value than the template's",
     [nodeclass(), od(labels={TEAM: "a"}), pod("web-0", select={TEAM: "b"})], unschedulable={"default/web-0": [TEAM]})
case("custom/template-against-requirement", "a template that contradicts its own requirement launches nothing",
     [nodeclass(), od("default", req(TEAM, "In", "b"), labels={TEAM: "a"}), pod("web-0")], unschedulable=["default/web-0"])
case("custom/template-wellknown", "a template label of a well-known key narrows the pool",
     [nodeclass(), od(labels={ZONE: B}), pod("web-0")], zoneOf={"default/web-0": B})
case("custom/template-type", "also the instance type",
     [nodeclass(), od(labels={TYPE: "x1.large"}), pod("web-0")], instanceTypeOf={"default/web-0": "x1.large"})
case("custom/in-three", "one node has one value",
     [nodeclass(), od("default", req(TEAM, "In", "a", "b", "c")), pod("a-0", select={TEAM: "a"}), pod("b-0", select={TEAM: "b"})],
     differentNodes=[["default/a-0", "default/b-0"]], nodeLabelsOf={"default/a-0": {TEAM: "a"}, "default/b-0": {TEAM: "b"}})
case("custom/in-shared", "pods that agree on a value share a node",
     [nodeclass(), od("default", req(TEAM, "In", "a", "b", "c")), pod("a-0", need=[[req(TEAM, "In", "a", "b")]]), pod("b-0", need=[[req(TEAM, "In", "b", "c")]])],
     newNodes={"max": 1}, nodeLabelsOf={"default/a-0": {TEAM: "b"}})
case("custom/exists-any", "Exists of the pool is open to every value",
     [nodeclass(), od("default", req(TEAM, "Exists")), pod("a-0", select={TEAM: "anything"})], scheduled="all")
case("custom/exists-two-values", "but of one node to one of them",
     [nodeclass(), od("default", req(TEAM, "Exists")), pod("a-0", select={TEAM: "x"}), pod("b-0", select={TEAM: "y"})],
     differentNodes=[["default/a-0", "default/b-0"]])
case("custom/not-in-pool", "NotIn of the pool is open to the others",
     [nodeclass(), od("default", req(TEAM, "NotIn", "x")), pod("a-0", select={TEAM: "y"}), pod("b-0", select={TEAM: "x"})], scheduled=["default/a-0"],
     unschedulable=["default/b-0"])
case("custom/gt-pool", "Gt of the pool, a number of the pod",
     [nodeclass(), od("default", req("example.com/gen", "Gt", 5)), pod("a-0", select={"example.com/gen": "7"}), pod("b-0", select={"example.com/gen": "5"})],
     scheduled=["default/a-0"], unschedulable=["default/b-0"])
case("custom/does-not-exist-pool", "a label the pool says its nodes do not have",
     [nodeclass(), od("default", req(TEAM, "DoesNotExist")), pod("a-0", select={TEAM: "x"}), pod("b-0", need=[[req(TEAM, "DoesNotExist")]])],
     scheduled=["default/b-0"], unschedulable=["default/a-0"])
case("custom/does-not-exist-pod", "a pod that refuses a label goes where it is not",
     [nodeclass(), od("plain"), od("team", labels={TEAM: "a"}), pod("web-0", need=[[req(TEAM, "DoesNotExist")]])], nodePoolOf={"default/web-0": "plain"})
case("custom/not-in-undefined", "NotIn holds where the label is not defined",
     BASE + [pod("web-0", need=[[req(TEAM, "NotIn", "a")]])], scheduled="all")
case("custom/undefined-in", "In does not", BASE + [pod("web-0", select={TEAM: "a"})], unschedulable={"default/web-0": [TEAM]}, says={"default/web-0": "LABEL_UNDEFINED"})
case("custom/open-witness-not-shown", "a value invented for an open label is nothing the pool offers",
     [nodeclass(), od("default", req(TEAM, "NotIn", "x")), pod("b-0", select={TEAM: "x"})], unschedulable=["default/b-0"], says={"default/b-0": ["NO_LABEL_VALUE", TEAM]})
case("custom/nodeclass-label", "the node class is a label of the node",
     [nodeclass(), nodeclass("gpu"), od("one"), od("two", cls="gpu"), pod("web-0", select={"karpenter.k8s.aws/ec2nodeclass": "gpu"})],
     nodePoolOf={"default/web-0": "two"}, judged=False)
case("custom/nodepool-selector", "and so is the pool",
     [nodeclass(), od("one"), od("two"), pod("web-0", select={POOL: "two"})], nodePoolOf={"default/web-0": "two"})
case("custom/nodepool-missing", "a pool that does not exist",
     [nodeclass(), od("one"), pod("web-0", select={POOL: "six"})], unschedulable={"default/web-0": ["karpenter.sh/nodepool"]})

# ---- pools and limits

case("pools/weight", "the heavier pool first, though it costs more",
     [nodeclass(), od("dear", req(TYPE, "In", "x1.xlarge"), weight=10), od("cheap", weight=1), pod("web-0")], nodePoolOf={"default/web-0": "dear"})
case("pools/weight-tolerates", "but only if it can take the pod",
     [nodeclass(), od("dear", weight=10, taints=[taint("x")]), od("cheap"), pod("web-0")], nodePoolOf={"default/web-0": "cheap"})
case("pools/weight-not-ready", "and launches at all",
     [nodeclass(), od("dear", weight=10, conditions=ready("False")), od("cheap"), pod("web-0")], nodePoolOf={"default/web-0": "cheap"})
case("pools/deleting", "a pool that is being deleted launches nothing",
     [nodeclass(), od(deleted=True), pod("web-0")], unschedulable=["default/web-0"], says={"default/web-0": "POOL_DELETING"})
case("pools/class-not-ready", "nor does one whose class is not ready",
     [nodeclass(conditions=ready("False")), od(), pod("web-0")], unschedulable=["default/web-0"], says={"default/web-0": "NODECLASS_NOT_READY"})
case("pools/class-deleting", "or going",
     [nodeclass(deleted=True), od(), pod("web-0")], unschedulable=["default/web-0"], says={"default/web-0": "NODECLASS_DELETING"})
case("pools/ready-unknown", "Unknown is not True",
     [nodeclass(), od(conditions=ready("Unknown")), pod("web-0")], unschedulable=["default/web-0"])
case("pools/limit-nodes", "the number of nodes may be limited",
     [nodeclass(), od(limits={"nodes": "1"})] + pods(2, "web", cpu="10"), scheduledCount={"min": 1, "max": 1})
case("pools/limit-nodes-existing", "running ones count",
     [nodeclass(), od(limits={"nodes": "1"}), node("node-1", taints=[taint("x")]), pod("web-0")], unschedulable=["default/web-0"])
case("pools/limit-deleting-node", "one that goes does not",
     [nodeclass(), od(limits={"cpu": "8"}), node("node-1", deleted=True), pod("web-0", cpu="7")], scheduled="all")
case("pools/limit-cpu-existing", "CPU of running nodes counts by capacity",
     [nodeclass(), od(limits={"cpu": "9"}), node("node-1"), pod("web-0", cpu="7500m"), pod("web-1", cpu="1500m")], scheduledCount={"max": 1})
case("pools/limit-cpu-smaller-type", "a limit leaves a smaller type",
     [nodeclass(), od(limits={"cpu": "10"}), node("node-1", taints=[taint("x")]), pod("web-0", cpu="1")], instanceTypeOf={"default/web-0": "x1.small"})
case("pools/limit-memory", "memory counts by capacity, not by request",
     [nodeclass(), od(limits={"memory": "4Gi"})] + pods(2, "web", cpu="1500m"), scheduledCount={"min": 1, "max": 1})
case("pools/limit-other-pool", "what one pool may not, another may",
     [nodeclass(), od("one", limits={"cpu": "2"}, weight=10), od("two")] + pods(3, "web", cpu="1500m"), scheduled="all", newNodesInPool={"one": {"max": 1}})
case("pools/limit-in-flight", "machines that are coming count",
     [nodeclass(), od(limits={"cpu": "8"}), node("claim-1", has_node=False, initialized=False, registered=False, claim={"taints": [taint("x")]}), pod("web-0")],
     unschedulable=["default/web-0"])
case("pools/limit-extended", "any resource may be limited",
     [nodeclass(), od(limits={"nvidia.com/gpu": "1"})] + pods(2, "web", limits={"nvidia.com/gpu": "1"}), catalog="aws-west2", scheduledCount={"min": 1, "max": 1})
case("pools/static-with-room", "a static pool's running node takes pods",
     [nodeclass(), od(replicas=1), node("node-1"), pod("web-0")], onExistingNodes={"default/web-0": "node-1"})
case("pools/no-subnet", "no subnet, no node",
     [nodeclass(zones="ab"), od(), pod("web-0", select={ZONE: C})], unschedulable={"default/web-0": ["topology.kubernetes.io/zone"]})
case("pools/two-classes", "each pool by its own class",
     [nodeclass(zones="a"), nodeclass("far", zones="c"), od("one"), od("two", cls="far"), pod("web-0", select={ZONE: C})], nodePoolOf={"default/web-0": "two"})

# ---- minValues

FAMILIES = catalog(itype("a1.big", 4, 8192, 0.2), itype("b1.big", 4, 8192, 0.25), itype("c1.big", 4, 8192, 0.3), itype("a2.small", 1, 2048, 0.05))
FAMILY = "karpenter.k8s.aws/instance-family"
case("minvalues/three-families", "enough families must be able to carry the pods",
     [nodeclass(), od("default", req(FAMILY, "Exists", minValues=3)), pod("web-0", cpu="3")], catalog=FAMILIES, scheduled="all")
case("minvalues/not-met", "where they are not, strict says no",
     [nodeclass(), od("default", req(FAMILY, "Exists", minValues=4)), pod("web-0", cpu="3")], catalog=FAMILIES, unschedulable={"default/web-0": ["minValues"]},
     says={"default/web-0": ["MIN_VALUES_NOT_MET", FAMILY, "4", "3"]})
case("minvalues/best-effort", "best effort does with fewer",
     [nodeclass(), od("default", req(FAMILY, "Exists", minValues=4)), pod("web-0", cpu="3")], catalog=FAMILIES, options={"minValuesPolicy": "BestEffort"}, scheduled="all")
case("minvalues/splits-node", "three pods on one node leave one family, so they are spread over two",
     [nodeclass(), od("default", req(TYPE, "Exists", minValues=2)), pod("web-0", cpu="500m"), pod("web-1", cpu="3500m")],
     catalog=catalog(itype("a.s", 1, 2048, 0.1), itype("b.s", 1, 2048, 0.11), itype("a.m", 4, 8192, 0.15), itype("b.m", 4, 8192, 0.16)), scheduled="all")
case("minvalues/other-pool", "a pool without minValues helps",
     [nodeclass(), od("one", req(FAMILY, "Exists", minValues=9), weight=9), od("two"), pod("web-0", cpu="3")], catalog=FAMILIES, nodePoolOf={"default/web-0": "two"})
case("minvalues/sold-out-does-not-count", "types that are sold out do not count",
     [nodeclass(), od("default", req(FAMILY, "Exists", minValues=2)), pod("web-0", cpu="3")],
     catalog=catalog(itype("a.x", 4, 8192, 0.2), itype("b.x", 4, 8192, offerings=[{"zone": A, "capacityType": "on-demand", "price": 0.3, "available": False}])),
     unschedulable=["default/web-0"])
case("minvalues/existing-node-free", "running nodes are not asked for variety",
     [nodeclass(), od("default", req(FAMILY, "Exists", minValues=9)), node("node-1"), pod("web-0")], onExistingNodes={"default/web-0": "node-1"})

# ---- capacity types, reservations

RES = lambda n, zone=A, rid="cr-1", price=0.0: {"zone": zone, "capacityType": "reserved", "price": price, "available": True, "reservationId": rid, "reservationCapacity": n}
RESERVED = catalog(itype("r.big", 4, 8192, offerings=[RES(1), {"zone": A, "capacityType": "on-demand", "price": 0.5, "available": True},
                                                     {"zone": B, "capacityType": "on-demand", "price": 0.5, "available": True}]),
                   itype("s.big", 4, 8192, 0.4))
case("reserved/first", "a reservation is used first", [nodeclass(), pool(), pod("web-0", cpu="3")], catalog=RESERVED, capacityTypeOf={"default/web-0": "reserved"},
     reservationOf={"default/web-0": "cr-1"})
case("reserved/count", "up to its count",
     [nodeclass(), pool()] + pods(2, "web", cpu="3"), catalog=RESERVED, scheduled="all", maxHourlyCost=0.4)
case("reserved/od-only-pool", "not by a pool that buys on demand only",
     [nodeclass(), od(), pod("web-0", cpu="3")], catalog=RESERVED, capacityTypeOf={"default/web-0": "on-demand"})
case("reserved/pod-wants-od", "nor for a pod that wants on demand",
     [nodeclass(), pool(), pod("web-0", cpu="3", select={CT: "on-demand"})], catalog=RESERVED, capacityTypeOf={"default/web-0": "on-demand"})
case("reserved/only", "a pod that wants reserved waits when all are used",
     [nodeclass(), pool()] + pods(2, "web", cpu="3", select={CT: "reserved"}), catalog=RESERVED, scheduledCount={"min": 1, "max": 1})
case("reserved/exhausted-named", "and is told which reservation",
     [nodeclass(), pool(), pod("aaa-0", cpu="3", select={CT: "reserved"}, priority=5), pod("web-0", cpu="3", select={CT: "reserved"})], catalog=RESERVED,
     scheduled=["default/aaa-0"], unschedulable=["default/web-0"], says={"default/web-0": ["cr-1"]})
case("reserved/by-id", "a reservation may be asked for by id",
     [nodeclass(), pool(), pod("web-0", cpu="3", select={"karpenter.k8s.aws/capacity-reservation-id": "cr-2"})],
     catalog=catalog(itype("r.big", 4, 8192, offerings=[RES(1), RES(1, B, "cr-2")])), reservationOf={"default/web-0": "cr-2"})
case("reserved/empty", "a reservation of nothing is none",
     [nodeclass(), pool(), pod("web-0", cpu="3")], catalog=catalog(itype("r.big", 4, 8192, offerings=[RES(0), {"zone": A, "capacityType": "on-demand", "price": 0.5,
                                                                                                          "available": True}])),
     capacityTypeOf={"default/web-0": "on-demand"})
def STATUS(n, rid="cr-9", kind="s.big", zone=A):
    return {"id": rid, "instanceType": kind, "availabilityZone": zone, "ownerID": "1", "instanceMatchCriteria": "targeted", "availableInstanceCount": n,
            "reservationType": "default", "state": "active"}


case("reserved/of-status", "a reservation that only the node class has found counts, up to what is available",
     [nodeclass(reservations=[STATUS(1)]), pool()] + pods(2, "web", cpu="3"), catalog=RESERVED, judged=False, total=0.41)
case("reserved/of-status-none-left", "nothing available is nothing",
     [nodeclass(reservations=[STATUS(0)]), pool(), pod("web-0", cpu="3", select={CT: "reserved"})], catalog=RESERVED, unschedulable=["default/web-0"])
case("reserved/of-other-class", "nor may another class use it",
     [nodeclass(), nodeclass("res", reservations=[STATUS(1)]), pool(), pod("web-0", cpu="3", select={"karpenter.k8s.aws/capacity-reservation-id": "cr-9"})],
     catalog=RESERVED, unschedulable=["default/web-0"])
case("reserved/status-lowers-count", "what is left is the smaller of two counts",
     [nodeclass(reservations=[STATUS(0, "cr-1", "r.big")]), pool(), pod("web-0", cpu="3")], catalog=RESERVED, capacityTypeOf={"default/web-0": "on-demand"})
case("machines/a1-al2023", "a1 machines do not run AL2023",
     BASE + [pod("web-0", select={ARCH: "arm64"})], catalog=catalog(itype("a1.large", 2, 4096, 0.05, arch="arm64"), itype("m6g.large", 2, 8192, 0.08, arch="arm64")),
     instanceTypeOf={"default/web-0": "m6g.large"})
case("machines/a1-bottlerocket", "but Bottlerocket",
     [nodeclass(alias="bottlerocket@latest"), od(), pod("web-0", select={ARCH: "arm64"})],
     catalog=catalog(itype("a1.large", 2, 4096, 0.05, arch="arm64"), itype("m6g.large", 2, 8192, 0.08, arch="arm64")), instanceTypeOf={"default/web-0": "a1.large"})
case("captype/cheapest", "spot where it is cheaper and allowed", [nodeclass(), pool(), pod("web-0")], capacityTypeOf={"default/web-0": "spot"})
case("captype/fallback", "on demand where spot is sold out",
     [nodeclass(), pool(), pod("web-0")], catalog=catalog(itype("a.x", 4, 8192, offerings=[
         {"zone": A, "capacityType": "spot", "price": 0.1, "available": False}, {"zone": A, "capacityType": "on-demand", "price": 0.5, "available": True}])),
     capacityTypeOf={"default/web-0": "on-demand"})

# ---- overlays

case("overlays/percent", "a percentage of the price",
     BASE + [overlay("dear", req(TYPE, "In", "x1.small"), priceAdjustment="+900%"), pod("web-0")], instanceTypeOf={"default/web-0": "x1.medium"})
case("overlays/free", "down to nothing, not below",
     BASE + [overlay("free", req(TYPE, "In", "x1.large"), priceAdjustment="-5"), pod("web-0")], instanceTypeOf={"default/web-0": "x1.large"}, maxHourlyCost=0)
case("overlays/absolute", "a price instead",
     BASE + [overlay("cheap", req(TYPE, "In", "x1.large"), price="0.01"), pod("web-0")], instanceTypeOf={"default/web-0": "x1.large"}, maxHourlyCost=0.01)
case("overlays/by-zone", "in one zone",
     BASE + [overlay("cheap", req(ZONE, "In", C), price="0.01"), pod("web-0")], zoneOf={"default/web-0": C})
case("overlays/by-pool", "for one pool",
     [nodeclass(), od("one"), od("two"), overlay("cheap", req(POOL, "In", "two"), price="0.01"), pod("web-0")], nodePoolOf={"default/web-0": "two"})
case("overlays/capacity", "a resource that a person adds",
     BASE + [overlay("fpga", req(TYPE, "In", "x1.large"), capacity={"example.com/fpga": "1"}), pod("web-0", limits={"example.com/fpga": "1"})],
     instanceTypeOf={"default/web-0": "x1.large"})
case("overlays/capacity-two-pods", "so many and no more",
     BASE + [overlay("fpga", req(TYPE, "In", "x1.large"), capacity={"example.com/fpga": "1"})] + pods(2, "web", limits={"example.com/fpga": "1"}),
     differentNodes=[names(2, "web")])
case("overlays/capacity-instead", "what a person states stands instead of the type's own",
     [nodeclass(), od("default", req(TYPE, "In", "g4dn.xlarge")), overlay("mps", req(TYPE, "In", "g4dn.xlarge"), capacity={"nvidia.com/gpu": "4"})] +
     pods(4, "web", limits={"nvidia.com/gpu": "1"}), catalog="aws-west2", newNodes={"max": 1}, scheduled="all")
case("overlays/gate-off", "nothing of it when the gate is off",
     BASE + [overlay("cheap", req(TYPE, "In", "x1.large"), price="0.01"), pod("web-0")], options={"featureGates": {"nodeOverlay": False}},
     instanceTypeOf={"default/web-0": "x1.small"})
case("overlays/huge-pages", "huge pages that a person adds are memory that pods do not get",
     BASE + [overlay("huge", req(TYPE, "In", "x1.small"), capacity={"hugepages-2Mi": "2Gi"}),
             pod("web-0", mem="3Gi", requests={"hugepages-2Mi": "64Mi"}, limits={"hugepages-2Mi": "64Mi"})],
     unschedulable=["default/web-0"])
case("overlays/custom-label", "by a custom label of the template",
     [nodeclass(), od("one", labels={TEAM: "a"}), od("two"), overlay("dear", req(TEAM, "In", "a"), price="9"), pod("web-0")], nodePoolOf={"default/web-0": "two"})
case("overlays/exists", "where a label exists",
     [nodeclass(), od("one", labels={TEAM: "a"}), od("two"), overlay("cheap", req(TEAM, "Exists"), price="0.001"), pod("web-0")], nodePoolOf={"default/web-0": "one"})
case("overlays/not-in", "everywhere but there",
     BASE + [overlay("dear", req(TYPE, "NotIn", "x1.medium"), price="9"), pod("web-0")], instanceTypeOf={"default/web-0": "x1.medium"})
case("overlays/lighter-other-resource", "a light one still gives what the heavy one does not name",
     BASE + [overlay("heavy", req(TYPE, "In", "x1.large"), weight=10, capacity={"example.com/a": "1"}),
             overlay("light", req(TYPE, "In", "x1.large"), weight=1, capacity={"example.com/a": "5", "example.com/b": "1"}),
             pod("web-0", limits={"example.com/a": "2", "example.com/b": "1"})], unschedulable=["default/web-0"])

# ---- machines

case("machines/arm-only-by-selector", "an arm64 image is asked for by label",
     BASE + [pod("web-0", select={ARCH: "arm64"})], catalog="aws-west2", archOf={"default/web-0": "arm64"})
case("machines/arm-refused", "a pool of amd64 says so, and does not guess",
     [nodeclass(), od("default", req(ARCH, "In", "amd64")), pod("web-0", select={ARCH: "arm64"})], catalog="aws-west2", unschedulable={"default/web-0": ["kubernetes.io/arch"]})
case("machines/gpu-count", "four GPUs on one machine",
     BASE + [pod("web-0", limits={"nvidia.com/gpu": "4"})], catalog="aws-west2", instanceTypeOf={"default/web-0": {"in": ["g4dn.12xlarge", "p3.8xlarge", "p4d.24xlarge"]}})
case("machines/gpu-name", "by the name of the GPU",
     BASE + [pod("web-0", limits={"nvidia.com/gpu": "1"}, select={"karpenter.k8s.aws/instance-gpu-name": "a10g"})], catalog="aws-west2",
     instanceTypeOf={"default/web-0": "g5.xlarge"})
case("machines/gpu-too-many", "more than any has",
     BASE + [pod("web-0", limits={"nvidia.com/gpu": "9"})], catalog="aws-west2", unschedulable={"default/web-0": ["nvidia.com/gpu"]})
case("machines/amd-gpu", "another maker's", BASE + [pod("web-0", limits={"amd.com/gpu": "1"})], catalog="aws-west2", instanceTypeOf={"default/web-0": "g4ad.xlarge"})
case("machines/gpu-pods-share", "several GPU pods on one machine",
     BASE + pods(4, "web", limits={"nvidia.com/gpu": "1"}), catalog="aws-west2", scheduled="all")
case("machines/windows", "a Windows pod needs the class with the image",
     [nodeclass(), nodeclass("win", alias="windows2022@latest"), od("linux"), od("win", cls="win"), pod("web-0", select={"kubernetes.io/os": "windows"})],
     catalog="aws-west2", nodePoolOf={"default/web-0": "win"}, osOf={"default/web-0": "windows"})
case("machines/windows-build", "its build is a label",
     [nodeclass(alias="windows2022@latest"), od(), pod("web-0", select={"kubernetes.io/os": "windows", "node.kubernetes.io/windows-build": "10.0.20348"})],
     catalog="aws-west2", scheduled="all", judged=False)
case("machines/windows-no-arm", "no Windows on arm64",
     [nodeclass(alias="windows2022@latest"), od(), pod("web-0", select={ARCH: "arm64"})], catalog="aws-west2", unschedulable=["default/web-0"])
case("machines/eni-pods", "a pod with an interface of its own",
     BASE + [pod("web-0", limits={"vpc.amazonaws.com/pod-eni": "1"})], catalog="aws-west2",
     instanceTypeOf={"default/web-0": {"notIn": ["t3.medium", "t3.large", "t3.xlarge"]}})
case("machines/efa", "an adapter that one type has",
     BASE + [pod("web-0", limits={"vpc.amazonaws.com/efa": "1"})], catalog="aws-west2", scheduled="all")
case("overlays/open-label-cheaper-value", "where the pool leaves a label open, its value is chosen with the overlay's price in view",
     [nodeclass(), od("default", req(TEAM, "In", "a", "b")), overlay("dear", req(TEAM, "In", "a"), priceAdjustment="+0.5"), pod("web-0")],
     nodeLabelsOf={"default/web-0": {TEAM: "b"}}, maxHourlyCost=0.11)
