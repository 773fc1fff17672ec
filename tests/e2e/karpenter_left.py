# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster as Karpenter 1.14 leaves it: its Lease, release and Deployment, and NodeClaims with their Nodes and instances, with its labels, annotations, finalizers
and hashes."""
import datetime
import json
import os
import subprocess

import yaml

from prepare import CLAIMS, CLASSES, FINALIZER, HASH, NAME, wait_for
from proxy import REGION

LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
LEASE = LEASES + "/karpenter-leader-election"
POOLS = "/apis/karpenter.sh/v1/nodepools"
TYPE, CPU, MEMORY = "m5.xlarge", "3920m", "14162Mi"
POOL_HASH = "6821555240594823858"                  # any: the same on the NodePool and on what was made for it
CHART = {"Chart.yaml": "apiVersion: v2\nname: karpenter\nversion: 1.14.1\n"}


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def conditions(*names):
    return [{"type": n, "status": "True", "reason": n, "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"} for n in names]


class Left:
    def __init__(self, world, n):
        self.world, self.admin, self.n = world, world.admin, n
        self.release()
        self.node_class()
        world.machines.hold = True                             # these nodes are there already
        try:
            for i in range(n):
                self.node(i)
        finally:
            world.machines.hold = False
        self.lease("karpenter-7d4-x_1")

    def release(self):
        """A release of Helm that has values of Karpenter's chart, and the Deployment that it would have made."""
        folder = os.path.join(self.world.desk, "karpenter")
        os.makedirs(folder)
        for name, text in CHART.items():
            with open(os.path.join(folder, name), "w", encoding="ascii") as out:
                out.write(text)
        values = {"replicas": 2, "logLevel": "info", "settings": {"clusterName": NAME, "interruptionQueue": NAME, "batchMaxDuration": "10s", "featureGates": {"nodeRepair": True}},
                  "controller": {"image": {"repository": "public.ecr.aws/karpenter/controller", "tag": "1.14.1", "digest": "sha256:" + 64 * "a"}, "resources": {"requests": {"cpu": 1, "memory": "1Gi"}}}}
        with open(os.path.join(folder, "given.yaml"), "w", encoding="ascii") as out:
            yaml.safe_dump(values, out)
        self.world.shell("helm install karpenter karpenter --namespace kube-system --values karpenter/given.yaml")
        labels = {"app": "karpenter"}
        apart = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "karpenter.sh/nodepool", "operator": "DoesNotExist"}]}]}}}
        self.admin.ask("POST", "/apis/apps/v1/namespaces/kube-system/deployments", {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "karpenter"}, "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels}, "spec": {"tolerations": [{"operator": "Exists"}], "affinity": apart, "containers": [{"name": "a", "image": "none"}]}}}})

    def lease(self, holder):
        spec = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": now(), "acquireTime": now(), "leaseTransitions": 1}
        value = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": LEASE.rpartition("/")[2]}, "spec": spec}
        if self.admin.ask("POST", LEASES, value, (201, 409))[0] == 409:
            self.admin.ask("PATCH", LEASE, {"spec": spec})

    def lease_is_free(self):
        """Given up, or run out."""
        spec = self.admin.ask("GET", LEASE)[1]["spec"]
        renewed = datetime.datetime.fromisoformat(spec["renewTime"].replace("Z", "+00:00"))
        return not spec["holderIdentity"] or datetime.datetime.now(datetime.timezone.utc) - renewed > datetime.timedelta(seconds=spec["leaseDurationSeconds"])

    def node_class(self):
        path = os.path.join(self.world.desk, "nodepool.yaml")
        report = subprocess.run([self.world.aws.options.binpack, "nodeclass", "show", "-q", "-o", "json", "-f", path], check=True, capture_output=True, text=True).stdout
        self.hashes = {HASH: json.loads(report)["hash"]["v5"], HASH + "-version": "v5"}
        with open(path, encoding="utf-8") as text:
            for value in yaml.safe_load_all(text):
                own = {"annotations": self.hashes, "finalizers": [FINALIZER]} if value["kind"] == "EC2NodeClass" else {
                    "annotations": {"karpenter.sh/nodepool-hash": POOL_HASH, "karpenter.sh/nodepool-hash-version": "v3"}}
                value["metadata"].update(own)
                self.admin.ask("POST", CLASSES if value["kind"] == "EC2NodeClass" else POOLS, value)

    def node(self, i):
        ec2, name = self.world.aws.client("ec2"), "default-k%03d" % i
        subnet = self.world.subnets[i % len(self.world.subnets)]
        zone, kind = subnet["AvailabilityZone"], "on-demand"
        tags = {"Name": NAME + "/karpenter", "karpenter.sh/nodeclaim": name, "karpenter.sh/nodepool": "default", "karpenter.k8s.aws/ec2nodeclass": "default",
                "kubernetes.io/cluster/" + NAME: "owned", "eks:eks-cluster-name": NAME}
        made = ec2.run_instances(ImageId=self.world.image, InstanceType=TYPE, MinCount=1, MaxCount=1, SubnetId=subnet["SubnetId"],
                                 TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}])["Instances"][0]
        provider, host = "aws:///%s/%s" % (zone, made["InstanceId"]), made["PrivateDnsName"]
        labels = {"karpenter.sh/nodepool": "default", "karpenter.sh/capacity-type": kind, "node.kubernetes.io/instance-type": TYPE, "topology.kubernetes.io/zone": zone,
                  "topology.kubernetes.io/region": REGION, "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux", "karpenter.k8s.aws/ec2nodeclass": "default",
                  "karpenter.k8s.aws/instance-category": "m", "karpenter.k8s.aws/instance-family": "m5", "karpenter.k8s.aws/instance-generation": "5",
                  "karpenter.k8s.aws/instance-size": "xlarge", "karpenter.k8s.aws/instance-cpu": "4", "karpenter.k8s.aws/instance-memory": "16384"}
        annotations = {**self.hashes, "karpenter.sh/nodepool-hash": POOL_HASH, "karpenter.sh/nodepool-hash-version": "v3"}
        room = {"cpu": "4", "memory": "15156Mi", "pods": "58", "ephemeral-storage": "20Gi"}
        free = {**room, "cpu": CPU, "memory": MEMORY, "ephemeral-storage": "17Gi"}
        pool = self.admin.ask("GET", POOLS + "/default")[1]["metadata"]["uid"]
        requirements = [{"key": key, "operator": "In", "values": [labels[key]]} for key in ("karpenter.sh/nodepool", "karpenter.sh/capacity-type", "node.kubernetes.io/instance-type")]
        claim = self.admin.ask("POST", CLAIMS, {"apiVersion": "karpenter.sh/v1", "kind": "NodeClaim", "metadata": {
            "name": name, "labels": labels, "annotations": {**annotations, "karpenter.k8s.aws/tagged": "true"}, "finalizers": ["karpenter.sh/termination"],
            "ownerReferences": [{"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "name": "default", "uid": pool, "blockOwnerDeletion": True}]},
            "spec": {"expireAfter": "720h", "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"}, "requirements": requirements,
                     "resources": {"requests": {"cpu": "1500m", "memory": "768Mi", "pods": "3"}}}})[1]
        self.admin.ask("PATCH", "%s/%s/status" % (CLAIMS, name), {"status": {
            "providerID": provider, "nodeName": host, "imageID": self.world.image, "capacity": room, "allocatable": free,
            "conditions": conditions("Launched", "Registered", "Initialized", "Ready")}})
        self.admin.ask("POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {
            "name": host, "labels": {**labels, "kubernetes.io/hostname": host, "karpenter.sh/registered": "true", "karpenter.sh/initialized": "true"},
            "annotations": {**annotations, "kwok.x-k8s.io/node": "fake"}, "finalizers": ["karpenter.sh/termination"],
            "ownerReferences": [{"apiVersion": "karpenter.sh/v1", "kind": "NodeClaim", "name": name, "uid": claim["metadata"]["uid"], "blockOwnerDeletion": True}]},
            "spec": {"providerID": provider}, "status": {"capacity": room, "allocatable": free}})
        self.world.machines.given[made["InstanceId"]] = host

    def run_pods(self, n):
        self.world.deploy("web", n)
        self.world.until_running(n, 180)

    def picture(self):
        """What must not change: claims, nodes and instances, without heartbeats and versions."""
        claims = {n: (c["metadata"]["uid"], c["spec"], c["status"]["providerID"], c["metadata"].get("deletionTimestamp")) for n, c in self.world.claims().items()}
        nodes = {n: (v["metadata"]["uid"], v["spec"], v["metadata"]["labels"], v["metadata"]["finalizers"], v["metadata"].get("deletionTimestamp")) for n, v in self.world.nodes().items()}
        return claims, nodes, set(self.world.instances())
