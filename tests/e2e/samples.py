# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of Karpenter's kinds, right and wrong: for each property of a CRD what its type, limits, choices and pattern make of it, for each rule
between properties objects on both sides of it, and random pairs of those changes. Who takes which of them is for others to say."""
import copy
import random

REF = {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"}
TAINT = {"key": "a.b/c", "value": "v", "effect": "NoSchedule", "timeAdded": "2026-03-01T08:00:00Z"}
REQUIREMENT = {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64", "arm64"], "minValues": 1}
# With every property set, so that each can be changed.
FULL = {
    "NodePool": {
        "template": {"metadata": {"labels": {"team": "a"}, "annotations": {"a": "any thing"}},
                     "spec": {"nodeClassRef": REF, "requirements": [REQUIREMENT], "taints": [TAINT], "startupTaints": [TAINT], "expireAfter": "720h",
                              "terminationGracePeriod": "1h30m"}},
        "disruption": {"consolidateAfter": "30s", "consolidationPolicy": "WhenEmpty",
                       "budgets": [{"nodes": "10%", "reasons": ["Empty", "Drifted"], "schedule": "0 9 * * 1-5", "duration": "8h"}]},
        "limits": {"cpu": 1000, "memory": "1Ti"}, "weight": 10},
    "NodeClaim": {"nodeClassRef": REF, "requirements": [REQUIREMENT], "resources": {"requests": {"cpu": "100m", "memory": "1Gi"}}, "taints": [TAINT],
                  "startupTaints": [TAINT], "expireAfter": "Never", "terminationGracePeriod": "5m"},
    "NodeOverlay": {"requirements": [{k: v for k, v in REQUIREMENT.items() if k != "minValues"}], "price": "0.25", "capacity": {"example.com/x": 3},
                    "weight": 5},
    "CapacityBuffer": {"podTemplateRef": {"name": "t"}, "replicas": 3, "percentage": 10, "limits": {"cpu": 4, "memory": "8Gi"},
                       "provisioningStrategy": "buffer.x-k8s.io/active-capacity"},
    "EC2NodeClass": {
        "role": "r", "amiFamily": "AL2023", "amiSelectorTerms": [{"name": "n", "owner": "self", "tags": {"a": "b"}}],
        "subnetSelectorTerms": [{"tags": {"a": "b"}}, {"id": "subnet-0a"}], "securityGroupSelectorTerms": [{"tags": {"a": "b"}}, {"id": "sg-0a"}],
        "associatePublicIPAddress": True, "context": "c", "detailedMonitoring": False, "instanceStorePolicy": "RAID0", "ipPrefixCount": 1, "userData": "x",
        "blockDeviceMappings": [{"deviceName": "/dev/xvda", "rootVolume": True,
                                 "ebs": {"volumeSize": "100Gi", "volumeType": "gp3", "encrypted": True, "deleteOnTermination": True, "iops": 3000,
                                         "throughput": 125, "kmsKeyID": "k", "snapshotID": "s", "volumeInitializationRate": 100}}],
        "capacityReservationSelectorTerms": [{"tags": {"a": "b"}, "ownerID": "123456789012", "instanceMatchCriteria": "open"}, {"id": "cr-0a"}],
        "connectionTracking": {"tcpEstablishedTimeout": 60, "udpStreamTimeout": 60, "udpTimeout": 30},
        "cpuOptions": {"nestedVirtualization": "enabled"},
        "kubelet": {"clusterDNS": ["10.0.0.10"], "cpuCFSQuota": True, "evictionHard": {"memory.available": "5%"}, "evictionMaxPodGracePeriod": 30,
                    "evictionSoft": {"memory.available": "10%"}, "evictionSoftGracePeriod": {"memory.available": "1m"},
                    "imageGCHighThresholdPercent": 80, "imageGCLowThresholdPercent": 70, "kubeReserved": {"cpu": "1"}, "maxPods": 20, "podsPerCore": 2,
                    "systemReserved": {"memory": "1Gi"}},
        "metadataOptions": {"httpEndpoint": "enabled", "httpProtocolIPv6": "disabled", "httpPutResponseHopLimit": 2, "httpTokens": "optional"},
        "networkInterfaces": [{"networkCardIndex": 0, "deviceIndex": 0, "interfaceType": "interface"}],
        "placementGroupSelector": {"id": "pg-0a"}, "tags": {"a": "b"}},
}
# What texts with a pattern are tried with: the shapes that any of the patterns takes, and their neighbours.
TEXTS = ["", "a", "A-b_c.d", "-a", "a-", "a b", "a/b", "a.b/c", "A.b/c", "a..b/c", "/a", "a/", "a/b/c", "a" * 63, "a" * 64, "d/" + "a" * 64, "é" * 20,
         "0", "1", "007", "100", "-1", "+1", "1.5", "1.", ".5", "+.5", "1.2.3", "1e3", "1e", "1Ki", "1Gi", "500m", "1G", "1Q", "0x1", " 1",
         "10%", "100%", "101%", "1.5%", "100.00%", "100.01%", "%", "+10%", "-10%", "-100%", "-101%", "+1000%", "+0.5", "-0.5",
         "0s", "1h", "1h30m", "1h30m0s", "1h1h", "1m30s", "1d", "90", "Never", "never", "1.5h",
         "1Ti", "58Ti", "59Ti", "64T", "65T", "64Ti", "59000Gi", "59001Gi", "64000G", "64001G", "0Gi", "01Gi", "Ti", "18Ti", "57Ti",
         "ami-0a", "ami-", "x ami-0", "AMI-0", "sg-0", "subnet-0", "cr-0", "cr-", "cr-A", "pg-0", "x pg-0", "123456789012", "12345678901", "1234567890123",
         "@daily", "@daily x", "@often", "0 9 * * 1-5", "0 9 * *", "a b c d e f", "2026-03-01T08:00:00Z", "2026-03-01 08:00", "2026-03-01T08:00:00+02:00",
         "2026-02-30T08:00:00Z", "2026-03-01T08:00:00.123Z", "2026-03-01"]
OTHERS = {"string": [5, True, None, {}, ["a"], 1.5], "integer": ["5", 1.0, 1.5, True, None, {}], "boolean": ["true", 1, None], "object": ["a", [], None, 5],
          "array": ["a", {}, None], "quantity": [1, 1.5, True, None, {}, "1"]}


def need(key, operator, values=None, **more):
    return {"key": key, "operator": operator, **({} if values is None else {"values": values}), **more}


def requirements(wrap):
    """Lists of requirements, each wrapped into a change of a spec."""
    lists = [[], [need("a", "In", [])], [need("a", "In")], [need("a", "NotIn", [])], [need("a", "NotIn")], [need("a", "NotIn", ["x"])], [need("a", "Exists")],
             [need("a", "Exists", ["x"])], [need("a", "DoesNotExist", ["x"])], [need("a", "In", ["x"], minValues=2)], [need("a", "In", ["x", "y"], minValues=2)],
             [need("a", "Exists", minValues=2)], [need("a", "In", ["x y"])], [need("a", "In", ["x" * 64])], [need("a", "In", [""])]]
    for operator in ("Gt", "Lt", "Gte", "Lte"):
        lists += [[need("a", operator, v)] for v in (["1"], ["0"], ["-1"], ["x"], ["1", "2"], [], ["1.5"], ["007"], ["+5"], ["9223372036854775808"])]
        lists.append([need("a", operator)])
    for key in ("karpenter.sh/nodepool", "karpenter.sh/capacity-type", "karpenter.sh/x", "x.karpenter.sh/y", "xkarpenter.sh/y", "karpenter.sh", "kubernetes.io/hostname",
                "karpenter.k8s.aws/instance-cpu", "karpenter.k8s.aws/instance-tenancy", "karpenter.k8s.aws/placement-group-id", "karpenter.k8s.aws/none",
                "a.karpenter.k8s.aws/b", "karpenter.k8s.aws/capacity-reservation-id", "node.kubernetes.io/instance-type"):
        lists.append([need(key, "Exists")])
    lists += [[need("k%d" % i, "Exists") for i in range(n)] for n in (100, 101)]
    return [wrap({"requirements": v}) for v in lists]


def terms(field, lists):
    return [{field: v} for v in lists]


def between():
    """Changes of FULL for the rules between properties. None takes a property away."""
    template = [{"template": {"spec": r}} for r in requirements(dict)]
    labels = ["karpenter.sh/nodepool", "karpenter.sh/capacity-type", "karpenter.sh/x", "kubernetes.io/hostname", "karpenter.k8s.aws/instance-cpu",
              "karpenter.k8s.aws/none", "a.karpenter.k8s.aws/b", "plain"]
    budget = FULL["NodePool"]["disruption"]["budgets"][0]
    pools = template + [{"template": {"metadata": {"labels": {label: "v"}}}} for label in labels]
    pools += [{"template": {"metadata": {"labels": {"l%d" % i: "v" for i in range(n)}}}} for n in (99, 101)]
    pools += [{"replicas": 2, "weight": None, "limits": limits} for limits in (None, {"cpu": 1, "memory": None}, {"cpu": None, "memory": None, "nodes": 3},
                                                                                {"nodes": 3}, {"cpu": None, "memory": None})]
    pools += [{"replicas": 2, "weight": None, "limits": Whole({"cpu": None, "memory": None, "nodes": 3})}, {"limits": Whole({"cpu": None})}]
    pools += [{"replicas": 2, "limits": None}, {"replicas": -1, "weight": None, "limits": None}, {"disruption": None}, {"disruption": {"budgets": None}}]
    pools += [{"disruption": {"budgets": [{**{k: v for k, v in budget.items() if k != gone}}]}} for gone in ("schedule", "duration", "nodes", "reasons")]
    pools += [{"disruption": {"budgets": [{"nodes": "1", "reasons": r}]}} for r in (["Empty", "Empty"], ["Empty", "Drifted", "Underutilized"], [], ["Any"])]
    pools += [{"disruption": {"budgets": [{"nodes": "1"}] * n}} for n in (0, 50, 51)] + [{"disruption": {"consolidateAfter": None}}]
    overlays = requirements(dict) + [{"priceAdjustment": "+10%"}, {"price": None, "priceAdjustment": "+10%"}, {"price": None}]
    overlays += [{"capacity": {r: 1}} for r in ("cpu", "memory", "ephemeral-storage", "pods", "example.com/y")]
    buffers = [{"replicas": None}, {"limits": None}, {"replicas": None, "limits": None}, {"scalableRef": {"kind": "Deployment", "name": "d"}},
               {"podTemplateRef": None}, {"podTemplateRef": None, "scalableRef": {"kind": "Deployment", "name": "d", "apiGroup": "apps"}},
               {"podTemplateRef": None, "scalableRef": {"kind": "Deployment"}}, {"podTemplateRef": None, "replicas": None, "limits": None}]
    return {"NodePool": pools, "NodeClaim": requirements(dict), "NodeOverlay": overlays, "CapacityBuffer": buffers, "EC2NodeClass": classes()}


def classes():
    out = [{"instanceProfile": "p"}, {"role": None}, {"role": None, "instanceProfile": "p"}, {"role": None, "instanceProfile": ""}, {"amiFamily": None}]
    for alias in ("al2@latest", "al2023@v1", "al2023@é", "al2023@" + "é" * 20, "al2023@" + "x" * 24, "bottlerocket@1.0@2", "windows2019@latest", "windows2022@v1",
                  "windows2025@latest", "al2023", "al2023@", "@latest", "ubuntu@latest", "AL2@latest", "windows2019@latest@x"):
        out += [{"amiFamily": family, "amiSelectorTerms": [{"alias": alias}]} for family in (None, "Custom", "AL2", "AL2023", "Bottlerocket", "Windows2019")]
    out += terms("amiSelectorTerms", [[], [{}], [{"owner": "self"}], [{"id": "ami-0"}], [{"id": "ami-0", "name": "n"}], [{"id": "ami-0", "owner": "self"}],
                                      [{"id": "ami-0"}, {"id": "ami-1", "tags": {"a": "b"}}], [{"alias": "al2023@latest"}, {"id": "ami-0"}],
                                      [{"alias": "al2023@latest", "name": "n"}], [{"ssmParameter": "/a"}], [{"ssmParameter": "/a", "id": "ami-0"}],
                                      [{"tags": {"": "b"}}], [{"tags": {"a": ""}}], [{"tags": {}}], [{"name": "n"}] * 30, [{"name": "n"}] * 31,
                                      [{"tags": {"k%d" % i: "v" for i in range(20)}}], [{"tags": {"k%d" % i: "v" for i in range(21)}}]])
    out += terms("subnetSelectorTerms", [[], [{}], [{"id": "subnet-0"}], [{"id": "subnet-0", "tags": {"a": "b"}}], [{"id": "subnet-0", "tags": {"a": "b"}}, {"id": "subnet-1"}],
                                         [{"tags": {"a": ""}}]])
    out += terms("securityGroupSelectorTerms", [[], [{}], [{"name": "n"}], [{"id": "sg-0", "name": "n"}], [{"id": "sg-0", "tags": {"a": "b"}}],
                                                [{"name": "n", "tags": {"a": "b"}}], [{"id": "sg-0", "name": "n"}, {"name": "m"}]])
    out += terms("capacityReservationSelectorTerms", [[], [{}], [{"ownerID": "123456789012"}], [{"id": "cr-0"}], [{"id": "cr-0", "ownerID": "123456789012"}],
                                                      [{"id": "cr-0", "tags": {"a": "b"}}, {"instanceMatchCriteria": "targeted"}],
                                                      [{"id": "cr-0", "instanceMatchCriteria": "open"}]])
    ebs = {"volumeSize": "1Gi"}
    out += terms("blockDeviceMappings", [[], [{"ebs": ebs}] * 2, [{"ebs": ebs, "rootVolume": True}] * 2, [{"rootVolume": True}, {"rootVolume": False}],
                                         [{"ebs": {}}], [{"ebs": {"snapshotID": "s"}}], [{"ebs": {"volumeSize": "1Gi", "volumeInitializationRate": 100}}],
                                         [{"ebs": {"snapshotID": "", "volumeInitializationRate": 100}}], [{"ebs": ebs}] * 50, [{"ebs": ebs}] * 51])
    out += terms("connectionTracking", [{"tcpEstablishedTimeout": None, "udpStreamTimeout": None, "udpTimeout": None},
                                        {"tcpEstablishedTimeout": None, "udpStreamTimeout": None}])
    out += terms("kubelet", [{"imageGCHighThresholdPercent": 70}, {"imageGCHighThresholdPercent": 71}, {"imageGCLowThresholdPercent": None},
                             {"evictionSoft": None}, {"evictionSoftGracePeriod": None}, {"evictionSoft": {"pid.available": "1%"}},
                             {"evictionSoftGracePeriod": {"pid.available": "1m"}}, {"evictionHard": {"disk.available": "1%"}}, {"evictionHard": {"imagefs.inodesFree": "1%"}},
                             {"evictionSoft": {"memory.available": None}, "evictionSoftGracePeriod": None}, {"kubeReserved": {"gpu": "1"}},
                             {"kubeReserved": {"cpu": "-1"}}, {"kubeReserved": {"pid": "100"}}, {"systemReserved": {"ephemeral-storage": "-1Gi"}}])
    card = FULL["EC2NodeClass"]["networkInterfaces"][0]
    out += terms("networkInterfaces", [[], [card, card], [card, {**card, "deviceIndex": 1}], [{**card, "deviceIndex": 1}], [{**card, "interfaceType": "efa-only"}],
                                       [card] + [{**card, "deviceIndex": i, "interfaceType": "efa-only"} for i in (1, 2)],
                                       [card] + [{"networkCardIndex": i, "deviceIndex": 1, "interfaceType": "efa-only"} for i in (0, 1)]])
    out += terms("placementGroupSelector", [{"name": "n"}, {"id": None}, {"id": None, "name": "n"}, {"id": None, "name": ""}])
    out += [{"tags": {key: "v"}} for key in ("", "eks:eks-cluster-name", "kubernetes.io/cluster", "kubernetes.io/cluster/c", "kubernetes.io/clusters",
                                             "karpenter.sh/nodepool", "karpenter.sh/nodeclaim", "karpenter.k8s.aws/ec2nodeclass", "karpenter.sh/x")]
    return out


class Whole(dict):
    """Replaces what was there, its nulls included."""


def merged(value, change):
    """A merge patch, but that lists are replaced whole, and maps that say so."""
    out = copy.deepcopy(value)
    for key, new in change.items():
        if new is None:
            out.pop(key, None)
        elif isinstance(new, dict) and not isinstance(new, Whole) and isinstance(out.get(key), dict):
            out[key] = merged(out[key], new)
        else:
            out[key] = copy.deepcopy(new)
    return out


GONE = object()


def put(value, steps, new):
    """A copy of `value` with what the steps lead to replaced. None when they lead nowhere."""
    if not steps:
        return new
    step, rest = steps[0], steps[1:]
    if step == "[]":
        if not value:
            return None
        inner = put(value[0], rest, new)
        return None if inner is None and rest else ([] if inner is GONE else [inner]) + value[1:]
    key = sorted(value)[0] if step == "{}" and value else step
    if not isinstance(value, dict) or (key not in value and rest):
        return None
    inner = put(value.get(key), rest, new)
    if inner is None and rest:
        return None
    out = dict(value)
    out[key] = inner
    if inner is GONE:
        del out[key]
    return out


def values_for(schema):
    """What to try in the place of a value."""
    kind = "quantity" if "x-kubernetes-int-or-string" in schema else schema["type"]
    out = list(OTHERS[kind])
    if "enum" in schema:
        out += schema["enum"] + [schema["enum"][0] + "x", schema["enum"][0].lower(), ""]
    elif "pattern" in schema or schema.get("format") == "date-time":
        out += TEXTS
    elif kind == "string":
        out += ["", "a", "é" * 20]
    for low, high in (("minimum", "maximum"),):
        out += [schema[low] + d for d in (-1, 0) if low in schema] + [schema[high] + d for d in (0, 1) if high in schema]
    if schema.get("format") == "int32":
        out += [2**31 - 1, 2**31]
    out += ["x" * (schema[k] + d) for k in ("minLength", "maxLength") if k in schema for d in (-1, 0, 1) if schema[k] + d >= 0]
    if kind == "object" and "additionalProperties" not in schema:
        out.append({"unheardOf": 1})
    return out


def walk(steps, schema):
    yield steps, schema
    for name, child in (schema.get("properties") or {}).items():
        yield from walk(steps + [name], child)
    if "items" in schema:
        yield from walk(steps + ["[]"], schema["items"])
    if "additionalProperties" in schema:
        yield from walk(steps + ["{}"], schema["additionalProperties"])


def samples(crds, seed, share=1.0):
    """Objects with distinct names, of the kinds and versions of the CRDs. Of the many changes of single values only a share is taken."""
    rng, out, rules = random.Random(seed), [], between()
    for crd in crds:
        kind, version = crd["spec"]["names"]["kind"], crd["spec"]["versions"][-1]
        specs = [FULL[kind]] + [merged(FULL[kind], change) for change in rules[kind]]
        for steps, schema in walk([], version["schema"]["openAPIV3Schema"]["properties"]["spec"]):
            changed = [put(FULL[kind], steps, new) for new in ([GONE] if steps else []) + values_for(schema)]
            specs += [s for s in changed if s is not None and rng.random() < share]
        for _ in range(len(rules[kind]) // 2):
            specs.append(merged(rng.choice(specs[:len(rules[kind]) + 1]), rng.choice(rules[kind])))
        for i, spec in enumerate(specs):
            out.append({"apiVersion": "%s/%s" % (crd["spec"]["group"], version["name"]), "kind": kind,
                        "metadata": {"name": "s%d" % i, **({"namespace": "default"} if crd["spec"]["scope"] == "Namespaced" else {})}, "spec": spec})
    return out
