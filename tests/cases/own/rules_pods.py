# SPDX-License-Identifier: GPL-3.0-or-later
"""Who needs a place, what a pod requests, priorities, preferences."""
from world import *  # noqa: F403: this is the language of the cases

# ---- who needs a place

case("eligibility/terminating-pending", "a pending pod that is being deleted still counts: the phase and the deletion are not looked at",
     BASE + pods(1, "web", terminating=True), scheduled="all")
case("eligibility/other-scheduler", "the scheduler's name does not matter, only what it said",
     BASE + pods(1, "web", schedulerName="volcano"), scheduled="all")
case("eligibility/gated", "a pod behind a scheduling gate waits for somebody else",
     BASE + [pod("web-0", schedulingGates=[{"name": "x.example/quota"}], status={
         "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]})], ignored=["default/web-0"], newNodes={"max": 0})
case("eligibility/preempting", "a pod that preempts others has a node in prospect",
     BASE + [pod("web-0", status={"nominatedNodeName": "node-1"})] + [node("node-1")], ignored=["default/web-0"], newNodes={"max": 0})
case("eligibility/fargate", "a pod that Fargate will run has another reason than Unschedulable",
     BASE + [pod("web-0", schedulerName="fargate-scheduler", status={
         "conditions": [{"type": "PodScheduled", "status": "False", "reason": "FargatePending"}]})], ignored=["default/web-0"])
case("eligibility/daemon-pending", "pods of DaemonSets come with their nodes",
     BASE + [daemonset("agent"), pod("agent-x", ns="kube-system", owners=owner("DaemonSet", "agent"))], ignored=["kube-system/agent-x"], newNodes={"max": 0})
case("eligibility/job-failed", "finished pods need nothing, even with the condition left on them",
     BASE + [pod("job-0", owners=owner("Job", "job", "batch/v1"), status={"phase": "Failed"})], ignored=["default/job-0"])
case("eligibility/refuses-one-term", "only a pod whose every term refuses managed nodes is left alone",
     BASE + [pod("web-0", need=[[req(POOL, "DoesNotExist")], [req(ARCH, "In", "amd64")]])], scheduled="all")
case("eligibility/negative-priority", "pause pods of negative priority get their room, after the others",
     BASE + [pod("pause-0", cpu="1500m", priority=-10), pod("web-0", cpu="1500m")], scheduled="all")
case("eligibility/priority-under-limit", "where the limit leaves room for one, the more important pod gets it",
     [nodeclass(), od(limits={"cpu": "2"}), pod("aaa-0", cpu="1500m", priority=-1), pod("web-0", cpu="1500m", priority=5)],
     scheduled=["default/web-0"], unschedulable={"default/aaa-0": ["limit"]})

# ---- requests

case("resources/pod-level", "requests of the pod stand instead of the sum of its containers",
     BASE + [pod("web-0", cpu="100m", resources={"requests": {"cpu": "3", "memory": "1Gi"}})], instanceTypeOf={"default/web-0": "x1.medium"})
case("resources/pod-level-limits-only", "limits of the pod stand for requests that neither it nor its containers give",
     BASE + [pod("web-0", cpu=None, mem=None, resources={"limits": {"cpu": "3", "memory": "1Gi"}})], instanceTypeOf={"default/web-0": "x1.medium"})
case("resources/pod-level-smaller", "even where the pod asks for less than its containers",
     BASE + [pod("web-0", cpu="3", resources={"requests": {"cpu": "1"}, "limits": {"cpu": "4"}})], instanceTypeOf={"default/web-0": "x1.small"})
case("resources/overhead-added", "what the runtime class takes comes on top",
     BASE + [pod("web-0", cpu="1500m", overhead={"cpu": "600m"})], instanceTypeOf={"default/web-0": "x1.medium"})
case("resources/overhead-on-pod-level", "also on top of requests of the pod",
     BASE + [pod("web-0", cpu="100m", resources={"requests": {"cpu": "1500m"}}, overhead={"cpu": "600m"})], instanceTypeOf={"default/web-0": "x1.medium"})
case("resources/sidecar-before-init", "a sidecar runs beside the init containers that start after it",
     BASE + [pod("web-0", cpu="100m", initContainers=[container("proxy", cpu="1", restartPolicy="Always"), container("setup", cpu="1500m")])],
     instanceTypeOf={"default/web-0": "x1.medium"})
case("resources/init-before-sidecar", "but not beside those that are done when it starts",
     BASE + [pod("web-0", cpu="100m", initContainers=[container("setup", cpu="1500m"), container("proxy", cpu="1", restartPolicy="Always")])],
     instanceTypeOf={"default/web-0": "x1.small"})
case("resources/init-parallel-never", "init containers run one after the other: the largest counts",
     BASE + [pod("web-0", cpu="100m", initContainers=[container("a", cpu="1500m"), container("b", cpu="1500m")])], instanceTypeOf={"default/web-0": "x1.small"})
case("resources/init-per-resource", "the largest is taken for each resource by itself",
     [nodeclass(), od("default", req(TYPE, "In", "x1.small")), pod("other-0", cpu="500m", mem="500Mi"),
      pod("web-0", cpu="100m", mem="128Mi", initContainers=[container("a", cpu="1900m", mem="1Mi"), container("b", cpu="1m", mem="3900Mi")])],
     differentNodes=[["default/web-0", "default/other-0"]], scheduled="all")
case("resources/limits-as-requests", "limits stand for requests that are missing, per resource",
     BASE + [pod("web-0", cpu=None, mem="128Mi", limits={"cpu": "3", "memory": "1Gi"})], instanceTypeOf={"default/web-0": "x1.medium"})
case("resources/limits-higher", "where there is a request the limit is not looked at",
     BASE + [pod("web-0", cpu="1", limits={"cpu": "30"})], instanceTypeOf={"default/web-0": "x1.small"})
case("resources/zero-requests", "pods that request nothing take a slot each",
     BASE + pods(41, "web", cpu=None, mem=None), scheduled="all", newNodes={"min": 1, "max": 3})
case("resources/zero-extended", "a request of zero of an unknown resource asks for nothing",
     BASE + [pod("web-0", requests={"example.com/fpga": "0"})], scheduled="all")
case("resources/unknown-extended", "a resource that no type has",
     BASE + [pod("web-0", requests={"example.com/fpga": "1"})], unschedulable={"default/web-0": ["example.com/fpga"]},
     says={"default/web-0": "RESOURCE_NOT_OFFERED"})
case("resources/exponent", "1e3 and 1000 are one amount",
     BASE + [pod("web-0", cpu="3e0", mem="2e9")], instanceTypeOf={"default/web-0": "x1.medium"})
case("resources/fraction-rounds-up", "fractions of a millicore round up, so two do not fit by rounding down",
     BASE + [pod("web-0", cpu="1000.5m"), pod("web-1", cpu="1000m")], scheduled="all")
case("resources/exactly-full", "a node may be filled to the last byte",
     BASE + [pod("web-0", cpu="2", mem="4Gi")], instanceTypeOf={"default/web-0": "x1.small"})
case("resources/one-byte-over", "and not a byte further",
     BASE + [pod("web-0", cpu="2", mem=str(4 * 2 ** 30 + 1))], instanceTypeOf={"default/web-0": "x1.medium"})
case("resources/huge-pages-missing", "huge pages are a resource of their own",
     BASE + [pod("web-0", requests={"hugepages-2Mi": "64Mi"}, limits={"hugepages-2Mi": "64Mi"})], unschedulable={"default/web-0": ["hugepages-2Mi"]})
case("resources/pods-on-existing", "a node with free CPU and no slot takes nobody",
     BASE + [node("node-1", alloc={"pods": "1"}), pod("run-0", on="node-1"), pod("web-0")], onNewNodes=["default/web-0"])
case("resources/overcommitted-node", "a node that is overcommitted in memory still has no room",
     BASE + [node("node-1", alloc={"memory": "1Gi"}), pod("run-0", mem="2Gi", on="node-1"), pod("web-0", mem="1Mi")], onNewNodes=["default/web-0"])
case("resources/finished-pods-free", "finished pods use no room",
     BASE + [node("node-1", itype="x1.small"), pod("job-0", cpu="2", on="node-1", status={"phase": "Succeeded"}), pod("web-0", cpu="2")],
     onExistingNodes={"default/web-0": "node-1"})
case("resources/terminating-pods-hold", "terminating pods hold their room",
     BASE + [node("node-1", itype="x1.small"), pod("old-0", cpu="2", on="node-1", terminating=True), pod("web-0", cpu="2")], onNewNodes=["default/web-0"])
case("resources/resize-larger-allocated", "a resize down that the node has not done yet holds the larger amount",
     BASE + [node("node-1", itype="x1.small"),
             pod("run-0", cpu="500m", on="node-1", status={"containerStatuses": [{"name": "app", "allocatedResources": {"cpu": "1500m", "memory": "128Mi"},
                                                                                  "resources": {"requests": {"cpu": "1500m", "memory": "128Mi"}}}]}),
             pod("web-0", cpu="1")], flags=[], scheduled="all", onNewNodes=["default/web-0"])
case("resources/ephemeral-storage", "the disk is a resource",
     BASE + [pod("web-0", requests={"ephemeral-storage": "12Gi"}), pod("web-1", requests={"ephemeral-storage": "12Gi"})],
     differentNodes=[["default/web-0", "default/web-1"]])
case("resources/ephemeral-too-big", "nobody has 30 GiB of disk by default",
     BASE + [pod("web-0", requests={"ephemeral-storage": "30Gi"})], unschedulable={"default/web-0": ["ephemeral-storage"]})
case("resources/bigger-root-volume", "the node class may ask for a larger one",
     [nodeclass(blockDeviceMappings=[{"deviceName": "/dev/xvda", "ebs": {"volumeSize": "100Gi"}}]), od(), pod("web-0", requests={"ephemeral-storage": "80Gi"})],
     scheduled="all")
case("resources/root-volume-flag", "rootVolume marks it, whatever the device",
     [nodeclass(blockDeviceMappings=[{"deviceName": "/dev/xvdz", "rootVolume": True, "ebs": {"volumeSize": "100Gi"}},
                                     {"deviceName": "/dev/xvdb", "ebs": {"volumeSize": "1Gi"}}]), od(), pod("web-0", requests={"ephemeral-storage": "80Gi"})],
     scheduled="all")
case("resources/kube-reserved", "kubeReserved of the class takes from each node",
     [nodeclass(kubelet={"kubeReserved": {"cpu": "600m"}}), od(), pod("web-0", cpu="1500m")], instanceTypeOf={"default/web-0": "x1.medium"})
case("resources/max-pods-lowered", "maxPods of the class bounds the slots",
     [nodeclass(kubelet={"maxPods": 2}), od()] + pods(5, "web"), newNodes={"min": 3, "max": 3})
case("resources/pods-per-core", "podsPerCore times the cores of the type",
     [nodeclass(kubelet={"podsPerCore": 1}), od(limits={"nodes": "1"})] + pods(8, "web"), instanceTypeOf={"default/web-0": "x1.large"}, newNodes={"max": 1})
case("resources/pods-per-core-and-max", "the smaller of podsPerCore and maxPods",
     [nodeclass(kubelet={"podsPerCore": 4, "maxPods": 6}), od()] + pods(12, "web"), newNodes={"min": 2, "max": 2})
case("resources/eviction-percent", "a percentage of the type's memory",
     [nodeclass(kubelet={"evictionHard": {"memory.available": "50%"}}), od(), pod("web-0", mem="3Gi")], instanceTypeOf={"default/web-0": "x1.medium"})
case("resources/eviction-100", "100 % switches the threshold off",
     [nodeclass(kubelet={"evictionHard": {"memory.available": "100%"}}), od(), pod("web-0", mem="4Gi")], instanceTypeOf={"default/web-0": "x1.small"})
case("resources/eviction-soft", "soft eviction takes nothing",
     [nodeclass(kubelet={"evictionSoft": {"memory.available": "50%"}, "evictionSoftGracePeriod": {"memory.available": "1m"}}), od(), pod("web-0", mem="4Gi")],
     instanceTypeOf={"default/web-0": "x1.small"})
case("resources/nodefs-eviction", "the disk has its own threshold",
     [nodeclass(kubelet={"evictionHard": {"nodefs.available": "50%"}}), od(), pod("web-0", requests={"ephemeral-storage": "12Gi"})],
     unschedulable={"default/web-0": ["ephemeral-storage"]})
case("resources/raid0", "local disks as one take the place of the root volume",
     [nodeclass(instanceStorePolicy="RAID0"), od(), pod("web-0", requests={"ephemeral-storage": "60Gi"})], catalog="aws-west2",
     instanceTypeOf={"default/web-0": {"in": ["m5d.large", "m5d.2xlarge", "g4dn.xlarge", "g5.xlarge", "g4dn.12xlarge", "p4d.24xlarge", "g4ad.xlarge"]}})
case("resources/bottlerocket", "allocatable that the catalogue states holds for every image family",
     [nodeclass(alias="bottlerocket@latest"), od(), pod("web-0", cpu="1900m", mem="6Gi")], catalog="aws-west2", scheduled="all", newNodes={"max": 1})

# ---- preferences

case("preferences/zone-wish-kept", "a preference that can be kept is kept, though another zone is cheaper",
     [nodeclass(), pool("default", req(CT, "In", "spot")), pod("web-0", wish=[(1, [req(ZONE, "In", C)])])], catalog="aws-west2", zoneOf={"default/web-0": C})
case("preferences/zone-wish-ignored", "unless preferences are to be ignored",
     BASE + [pod("web-0", wish=[(1, [req(ZONE, "In", "us-west-2z")])])], options={"preferencePolicy": "Ignore"}, scheduled="all")
case("preferences/heaviest-first", "only the heaviest term is tried first",
     BASE + [pod("web-0", wish=[(1, [req(ZONE, "In", A)]), (90, [req(ZONE, "In", B)])])], zoneOf={"default/web-0": B})
case("preferences/heaviest-impossible", "then the next",
     BASE + [pod("web-0", wish=[(1, [req(ZONE, "In", A)]), (90, [req(ZONE, "In", "us-west-2z")])])], zoneOf={"default/web-0": A})
case("preferences/anti-affinity-wish", "preferred anti-affinity spreads over hosts",
     BASE + pods(2, "web", labels={"app": "w"}, apart_wish=[(1, term(HOST, {"app": "w"}))]), differentNodes=[names(2, "web")])
case("preferences/anti-affinity-wish-limit", "and gives way where only one node may be bought",
     [nodeclass(), od(limits={"nodes": "1"})] + pods(2, "web", labels={"app": "w"}, apart_wish=[(1, term(HOST, {"app": "w"}))]), scheduled="all", newNodes={"max": 1})
case("preferences/affinity-wish-unknown-key", "a wish over a key that no node has is given up",
     BASE + pods(2, "web", labels={"app": "w"}, near_wish=[(1, term("example.com/rack", {"app": "w"}))]), scheduled="all")
case("preferences/prefer-no-schedule", "a taint that prefers no pods gives way when there is nothing else",
     [nodeclass(), od(taints=[taint("x", "y", "PreferNoSchedule")]), pod("web-0")], scheduled="all")
case("preferences/prefer-no-schedule-other-pool", "and keeps pods off while another pool takes them",
     [nodeclass(), od("soft", taints=[taint("x", "y", "PreferNoSchedule")]), od("plain"), pod("web-0")], nodePoolOf={"default/web-0": "plain"})
case("preferences/schedule-anyway-kept", "soft spread is kept where it can be",
     BASE + pods(3, "web", labels={"app": "w"}, spread=[skew(ZONE, {"app": "w"}, when="ScheduleAnyway")]),
     spread={"selector": {"matchLabels": {"app": "w"}}, "counts": [1, 1, 1]})
case("preferences/required-or-terms", "terms of required affinity are alternatives",
     BASE + [pod("web-0", need=[[req(ZONE, "In", "us-west-2z")], [req(ZONE, "In", B)]])], zoneOf={"default/web-0": B})
case("preferences/wish-beside-need", "a wish narrows within what is required",
     BASE + [pod("web-0", need=[[req(ZONE, "In", A, B)]], wish=[(1, [req(ZONE, "In", C)]), (2, [req(ZONE, "In", B)])])], zoneOf={"default/web-0": B})
