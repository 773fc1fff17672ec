# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes objects for small clusters, as plain dictionaries: what a case is written with.

Every function gives one object (node() a list: the Node, its NodeClaim, its CSINode). Whatever a function does not know can be given as
a keyword and ends up in spec. `case` collects; own.py runs what is collected."""

NOW = "2026-03-02T12:00:00Z"
ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"
TYPE = "node.kubernetes.io/instance-type"
CT = "karpenter.sh/capacity-type"
ARCH = "kubernetes.io/arch"
POOL = "karpenter.sh/nodepool"
A, B, C = "us-west-2a", "us-west-2b", "us-west-2c"

CASES = []


def case(name, why, objects, catalog="four-sizes", mode="provision", options=None, flags=None, says=None, judged=True,
         total=None, bound=None, keeps=None, reasons=None, steps=None, **expect):
    """One case `group/name`. `why`: the rule, in a sentence. `expect`: assertions of the judge (see its README). `says`: pod -> words
    that all must occur among its reasons. `flags`: more of the command line. `catalog`: a name, or a catalogue as a dictionary. `judged` False:
    the judge lacks the rule, so only the expectations are asked of it, not what it thinks of the plan. `total`: what the plan may
    cost at most by its own account. `bound`: what must be proven that it costs at least. `keeps`: node -> words that must occur in the reason
    why it stays. `reasons`: node -> the reason for which it goes. `steps`: node -> the pods that its step moves
    ("pods"), those that it waits for ("waitsFor"), what its command saves ("saves")."""
    assert name not in [c["name"] for c in CASES], name
    flat = []
    for o in objects:
        flat += o if isinstance(o, list) else [o]
    CASES.append({"name": name, "why": why, "objects": flat, "catalog": catalog, "mode": mode, "options": options or {},
                  "flags": flags or [], "says": says or {}, "judged": judged, "total": total, "bound": bound,
                  "keeps": keeps or {}, "reasons": reasons or {}, "steps": steps or {},
                  "expect": expect})


def ready(status="True"):
    return [{"type": "Ready", "status": status, "reason": "Ready", "message": "", "lastTransitionTime": "2026-03-01T08:05:00Z"}]


def meta(name, ns=None, labels=None, **more):
    out = {"name": name, "uid": "uid-%s-%s" % (ns or "", name), "creationTimestamp": "2026-03-01T08:00:00Z"}
    if ns:
        out["namespace"] = ns
    if labels:
        out["labels"] = labels
    out.update(more)
    return out


def req(key, op, *values, **more):
    out = {"key": key, "operator": op}
    if values:
        out["values"] = [str(v) for v in values]
    out.update(more)
    return out


def nodeclass(name="default", zones="abc", alias="al2023@latest", subnets=None, conditions=None, reservations=None, deleted=False, **spec):
    ids = {"a": "usw2-az1", "b": "usw2-az2", "c": "usw2-az3"}
    m = meta(name)
    if deleted:
        m.update(deletionTimestamp="2026-03-02T11:00:00Z", finalizers=["karpenter.k8s.aws/termination"])
    body = {"role": "KarpenterNodeRole-demo", "amiSelectorTerms": [{"alias": alias}],
            "subnetSelectorTerms": [{"tags": {"karpenter.sh/discovery": "demo"}}],
            "securityGroupSelectorTerms": [{"tags": {"karpenter.sh/discovery": "demo"}}]}
    body.update(spec)
    status = {"subnets": subnets if subnets is not None else
              [{"id": "subnet-" + z, "zone": "us-west-2" + z, "zoneID": ids[z]} for z in zones],
              "conditions": conditions or ready()}
    if reservations is not None:
        status["capacityReservations"] = reservations
    return {"apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": m, "spec": body, "status": status}


def pool(name="default", *reqs, labels=None, taints=None, startup=None, cls="default", conditions=None, deleted=False, **spec):
    m = meta(name)
    if deleted:
        m.update(deletionTimestamp="2026-03-02T11:00:00Z", finalizers=["karpenter.sh/termination"])
    inner = {"requirements": list(reqs), "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": cls},
             "expireAfter": "720h"}
    if taints:
        inner["taints"] = taints
    if startup:
        inner["startupTaints"] = startup
    template = {"spec": inner}
    if labels:
        template["metadata"] = {"labels": labels}
    body = {"template": template, "disruption": {"consolidationPolicy": "WhenEmptyOrUnderutilized", "consolidateAfter": "0s"}}
    body.update(spec)
    return {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": m, "spec": body, "status": {"conditions": conditions or ready()}}


def od(name="default", *reqs, **more):
    """A pool that buys on demand only: its prices do not depend on the zone."""
    return pool(name, req(CT, "In", "on-demand"), *reqs, **more)


def container(name="app", cpu="100m", mem="128Mi", limits=None, requests=None, ports=None, **more):
    r = {k: v for k, v in (("cpu", cpu), ("memory", mem)) if v is not None}
    r.update(requests or {})
    resources = {"requests": r} if r else {}
    if limits:
        resources["limits"] = limits
    out = {"name": name, "image": "registry.example.com/app:1", "resources": resources}
    if ports:
        out["ports"] = ports
    out.update(more)
    return out


def owner(kind, name, api="apps/v1"):
    return [{"apiVersion": api, "kind": kind, "name": name, "uid": "uid-" + name, "controller": True}]


def pod(name, cpu="100m", mem="128Mi", ns="default", labels=None, on=None, owners=None, status=None, containers=None, limits=None, requests=None,
        ports=None, select=None, need=None, wish=None, near=None, apart=None, near_wish=None, apart_wish=None, spread=None, tolerate=None,
        annotations=None, terminating=False, created=None, claims=None, **spec):
    """A pending pod; with `on` one that runs there. need: required node affinity, a list of terms (each a list of req)."""
    m = meta(name, ns, labels)
    m["ownerReferences"] = owners if owners is not None else owner("ReplicaSet", name.rsplit("-", 1)[0] + "-rs")
    m["creationTimestamp"] = created or "2026-03-02T11:58:00Z"
    if annotations:
        m["annotations"] = annotations
    if terminating:
        m.update(deletionTimestamp="2026-03-02T11:59:00Z", deletionGracePeriodSeconds=600)
    body = {"containers": containers or [container(cpu=cpu, mem=mem, limits=limits, requests=requests, ports=ports)], "schedulerName": "default-scheduler"}
    if select:
        body["nodeSelector"] = select
    aff = {}
    if need is not None or wish:
        aff["nodeAffinity"] = {}
        if need is not None:
            aff["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] = {
                "nodeSelectorTerms": [t if isinstance(t, dict) else {"matchExpressions": t} for t in need]}
        if wish:
            aff["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"] = [
                {"weight": w, "preference": {"matchExpressions": t}} for w, t in wish]
    for key, hard, soft in (("podAffinity", near, near_wish), ("podAntiAffinity", apart, apart_wish)):
        if hard or soft:
            aff[key] = {}
            if hard:
                aff[key]["requiredDuringSchedulingIgnoredDuringExecution"] = hard
            if soft:
                aff[key]["preferredDuringSchedulingIgnoredDuringExecution"] = [{"weight": w, "podAffinityTerm": t} for w, t in soft]
    if aff:
        body["affinity"] = aff
    if spread:
        body["topologySpreadConstraints"] = spread
    if tolerate:
        body["tolerations"] = tolerate
    if claims:
        body["volumes"] = [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in claims]
    body.update(spec)
    if on:
        body["nodeName"] = on
        state = {"phase": "Running", "startTime": "2026-03-01T09:00:00Z", "conditions": [{"type": "PodScheduled", "status": "True"}]}
    else:
        state = {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                                                     "message": "0/3 nodes are available"}]}
    if status:
        state.update(status)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": m, "spec": body, "status": state}


def pods(n, stem, **more):
    return [pod("%s-%d" % (stem, i), **more) for i in range(n)]


def names(n, stem, ns="default"):
    return ["%s/%s-%d" % (ns, stem, i) for i in range(n)]


def term(key, labels=None, exprs=None, **more):
    """A pod (anti-)affinity term."""
    out = {"topologyKey": key}
    if labels is not None or exprs is not None:
        out["labelSelector"] = {}
        if labels is not None:
            out["labelSelector"]["matchLabels"] = labels
        if exprs is not None:
            out["labelSelector"]["matchExpressions"] = exprs
    out.update(more)
    return out


def skew(key, labels, n=1, when="DoNotSchedule", **more):
    out = {"topologyKey": key, "maxSkew": n, "whenUnsatisfiable": when}
    if labels is not None:
        out["labelSelector"] = {"matchLabels": labels}
    out.update(more)
    return out


def tolerate(key=None, value=None, effect=None, op=None):
    out = {"operator": op or ("Exists" if value is None else "Equal")}
    for k, v in (("key", key), ("value", value), ("effect", effect)):
        if v is not None:
            out[k] = v
    return out


def taint(key, value=None, effect="NoSchedule"):
    return {"key": key, "value": value, "effect": effect} if value is not None else {"key": key, "effect": effect}


SIZES = {"x1.small": ("2", "4096Mi", "20"), "x1.medium": ("4", "8192Mi", "40"), "x1.large": ("8", "16384Mi", "80"), "x1.xlarge": ("16", "32768Mi", "160")}


def node(name, itype="x1.large", zone=A, ct="on-demand", of="default", managed=True, labels=None, drop=(), taints=None, alloc=None, initialized=True,
         registered=True, deleted=False, claim=None, claim_status=None, csi=None, cordoned=False, has_node=True):
    """Node, NodeClaim and CSINode of one machine. csi: driver -> number of volumes."""
    cpu, mem, n = SIZES.get(itype, ("8", "16384Mi", "80"))
    room = {"cpu": cpu, "memory": mem, "pods": n, "ephemeral-storage": "20Gi"}
    room.update(alloc or {})
    of_claim = {POOL: of, CT: ct, TYPE: itype, ZONE: zone} if managed else {}
    all_labels = {TYPE: itype, ZONE: zone, HOST: name, ARCH: "amd64", "kubernetes.io/os": "linux", "topology.kubernetes.io/region": "us-west-2"}
    if managed:
        all_labels.update({POOL: of, CT: ct})
        if registered:
            all_labels["karpenter.sh/registered"] = "true"
        if initialized:
            all_labels["karpenter.sh/initialized"] = "true"
    all_labels.update(labels or {})
    for k in drop:
        all_labels.pop(k, None)
    m = meta(name, None, all_labels)
    if deleted:
        m.update(deletionTimestamp="2026-03-02T11:59:00Z", finalizers=["karpenter.sh/termination"])
    pid = "aws:///%s/i-%s" % (zone, name)
    spec = {"providerID": pid}
    if taints:
        spec["taints"] = taints
    if cordoned:
        spec["unschedulable"] = True
    out = []
    if has_node:
        out.append({"apiVersion": "v1", "kind": "Node", "metadata": m, "spec": spec,
                    "status": {"capacity": dict(room), "allocatable": room, "conditions": ready()}})
    if managed:
        body = {"nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"}, "requirements": [], "expireAfter": "720h"}
        body.update(claim or {})
        state = {"providerID": pid, "capacity": dict(SIZES_ROOM(itype)), "allocatable": dict(SIZES_ROOM(itype)),
                 "conditions": [{"type": t, "status": "True", "lastTransitionTime": "2026-03-01T08:05:00Z", "reason": t, "message": ""}
                                for t in ["Launched"] + ["Registered"] * registered + ["Initialized"] * initialized]}
        if has_node:
            state["nodeName"] = name
        state.update(claim_status or {})
        cm = meta(name + "-claim" if has_node else name, None, of_claim)
        out.append({"apiVersion": "karpenter.sh/v1", "kind": "NodeClaim", "metadata": cm, "spec": body, "status": state})
    if csi:
        out.append({"apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": meta(name),
                    "spec": {"drivers": [{"name": d, "nodeID": name, "topologyKeys": [], "allocatable": {"count": c}} for d, c in csi.items()]}})
    return out


def SIZES_ROOM(itype):
    cpu, mem, n = SIZES.get(itype, ("8", "16384Mi", "80"))
    return {"cpu": cpu, "memory": mem, "pods": n, "ephemeral-storage": "20Gi"}


def daemonset(name, cpu="100m", mem="128Mi", ns="kube-system", labels=None, containers=None, ports=None, limits=None, requests=None, **spec):
    labels = labels or {"ds": name}
    body = {"containers": containers or [container(cpu=cpu, mem=mem, ports=ports, limits=limits, requests=requests)]}
    body.update(spec)
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta(name, ns),
            "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": body}}}


def storageclass(name="gp3", provisioner="ebs.csi.aws.com", mode="WaitForFirstConsumer", zones=None, key=ZONE, topologies=None, default=False):
    m = meta(name)
    if default:
        m["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}
    out = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": m, "provisioner": provisioner}
    if mode:
        out["volumeBindingMode"] = mode
    if zones:
        out["allowedTopologies"] = [{"matchLabelExpressions": [{"key": key, "values": zones}]}]
    if topologies:
        out["allowedTopologies"] = topologies
    return out


def pvc(name, sc="gp3", volume=None, ns="default", phase=None, bound=True, modes=("ReadWriteOnce",), deleted=False):
    m = meta(name, ns)
    if volume and bound:
        m["annotations"] = {"pv.kubernetes.io/bind-completed": "yes"}
    if deleted:
        m.update(deletionTimestamp="2026-03-02T11:59:00Z", finalizers=["kubernetes.io/pvc-protection"])
    spec = {"accessModes": list(modes), "resources": {"requests": {"storage": "20Gi"}}}
    if sc is not None:
        spec["storageClassName"] = sc
    if volume:
        spec["volumeName"] = volume
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": m, "spec": spec,
            "status": {"phase": phase or ("Bound" if volume else "Pending")}}


def pv(name, zones=None, key="topology.ebs.csi.aws.com/zone", driver="ebs.csi.aws.com", terms=None, labels=None, source=None, deleted=False):
    m = meta(name, None, labels)
    if deleted:
        m.update(deletionTimestamp="2026-03-02T11:59:00Z", finalizers=["kubernetes.io/pv-protection"])
    spec = {"capacity": {"storage": "20Gi"}, "accessModes": ["ReadWriteOnce"], "persistentVolumeReclaimPolicy": "Delete"}
    spec.update(source or {"csi": {"driver": driver, "volumeHandle": "vol-" + name}})
    if zones:
        terms = [[req(key, "In", *zones)]]
    if terms:
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": t} for t in terms]}}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": m, "spec": spec, "status": {"phase": "Bound"}}


def namespace(name, **labels):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta(name, None, dict({"kubernetes.io/metadata.name": name}, **labels))}


def pdb(name, labels, allowed=0, ns="default", **spec):
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta(name, ns),
            "spec": dict({"selector": {"matchLabels": labels}}, **spec), "status": {"disruptionsAllowed": allowed}}


def overlay(name, *reqs, weight=None, **spec):
    body = dict({"requirements": list(reqs)}, **spec)
    if weight is not None:
        body["weight"] = weight
    return {"apiVersion": "karpenter.sh/v1alpha1", "kind": "NodeOverlay", "metadata": meta(name), "spec": body, "status": {"conditions": ready()}}


def itype(name, cpu, mem_mi, price=None, arch="amd64", os=("linux",), zones=(A, B, C), spot=None, labels=None, extra=None, offerings=None, attach=None,
          n_pods=110, nvme=0):
    """A type of a catalogue of one's own; nothing is kept back."""
    capacity = dict({"cpu": str(cpu), "memory": "%dMi" % mem_mi, "pods": str(n_pods), "ephemeral-storage": "20Gi"}, **(extra or {}))
    if offerings is None:
        offerings = [{"zone": z, "capacityType": "on-demand", "price": price, "available": True} for z in zones]
        offerings += [{"zone": z, "capacityType": "spot", "price": spot, "available": True} for z in zones if spot is not None]
    out = {"name": name, "arch": arch, "os": list(os), "vcpu": cpu, "memoryMiB": mem_mi, "maxPods": n_pods, "gpus": 0, "localNvmeGB": nvme,
           "extendedResources": extra or {}, "labels": dict({"karpenter.k8s.aws/instance-family": name.split(".")[0],
                                                             "karpenter.k8s.aws/instance-cpu": str(cpu)}, **(labels or {})),
           "capacity": capacity, "overhead": {"kubeReserved": {}, "systemReserved": {}, "evictionThreshold": {}}, "allocatable": dict(capacity),
           "offerings": offerings}
    if attach:
        out["attachLimits"] = attach
    return out


def catalog(*types):
    return {"name": "own", "region": "us-west-2", "zones": [{"name": A, "id": "usw2-az1"}, {"name": B, "id": "usw2-az2"}, {"name": C, "id": "usw2-az3"}],
            "instanceTypes": list(types)}


BASE = [nodeclass(), od()]
