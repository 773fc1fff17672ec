# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines for tests: of each instance that runs in moto a Node, made from nothing but the instance's user data and its type, as cloud-init, nodeadm and the
kubelet would; and the end of Nodes whose instance is gone. Heartbeats and pods are kwok's. User data that a real node would not understand: the Node never comes.
What runs on nodes and in the cluster besides is here, too: the EBS driver (drivers.py), device plugins, and agents that take startup taints away.

  machines = Machines(moto, admin)
  machines.close()
  machines.failed              {instance id: why it never became a Node}
  machines.hold = True         instances that start now become Nodes only once it is False again
  machines.dead                ids of instances that start and never say anything
  machines.memory = 0.5        machines that start now have that much of their memory
  machines.agents              keys of startup taints that somebody takes away once the node is ready
"""
import base64
import email
import re
import threading
import time
import traceback

import yaml

from cluster import Admin
from drivers import Ebs

UNREGISTERED = {"key": "karpenter.sh/unregistered", "effect": "NoExecute"}
ARCHES = {"x86_64": "amd64", "arm64": "arm64"}
EVERY_S = 0.2
ATTACHES = "volumes.kubernetes.io/controller-managed-attach-detach"     # the kubelet sets it


class Malformed(Exception):
    """What a node would not start with."""


def config_of(text):
    """(what nodeadm would be told, the operating system)."""
    if text.startswith("<powershell>"):
        return windows_config(text), "windows"
    return node_config(text), "linux"


def windows_config(text):
    """What Start-EKSBootstrap.ps1 of the EKS images is told, in the words of nodeadm: https://docs.aws.amazon.com/eks/latest/userguide/eks-optimized-windows-ami.html"""
    call = re.search(r"^& \$EKSBootstrapScriptFile (.*)$", text, re.M)
    if not call or not text.rstrip().endswith("</powershell>"):
        raise Malformed("no call of Start-EKSBootstrap.ps1")
    words = dict(re.findall(r"-(\w+) '([^']*)'", call[1]))
    for key in ("EKSClusterName", "APIServerEndpoint", "Base64ClusterCA"):     # the script finds -DNSClusterIP itself
        if not words.get(key):
            raise Malformed("-%s is missing" % key)
    base64.b64decode(words["Base64ClusterCA"], validate=True)
    flags = words["KubeletExtraArgs"].split()
    taints = dict(f.split("=", 1) for f in flags).get("--register-with-taints", "").strip('"')
    kubelet = {"maxPods": int(dict(f.split("=", 1) for f in flags).get("--max-pods", "0")), "registerWithTaints": []}
    for taint in filter(None, taints.split(",")):
        key, _, effect = taint.rpartition(":")
        kubelet["registerWithTaints"].append({"key": key.partition("=")[0], "value": key.partition("=")[2], "effect": effect})
    return {"kubelet": {"flags": flags, "config": kubelet}}


def node_config(text):
    """nodeadm's: the parts of type application/node.eks.aws of a MIME archive, the later ones over the earlier ones.
    https://awslabs.github.io/amazon-eks-ami/nodeadm/"""
    message = email.message_from_string(text)
    if not message.is_multipart():
        raise Malformed("no MIME archive")
    merged = {}
    for part in message.get_payload():
        if part.get_content_type() != "application/node.eks.aws":
            continue
        config = yaml.safe_load(part.get_payload(decode=True))
        if config.get("apiVersion") != "node.eks.aws/v1alpha1" or config.get("kind") != "NodeConfig":
            raise Malformed("no NodeConfig: %s %s" % (config.get("apiVersion"), config.get("kind")))
        merged = merge(merged, config["spec"])
    for key in ("name", "apiServerEndpoint", "certificateAuthority", "cidr"):
        if not merged.get("cluster", {}).get(key):
            raise Malformed("cluster.%s is missing" % key)
    base64.b64decode(merged["cluster"]["certificateAuthority"], validate=True)
    return merged


def merge(base, over):
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    return {k: merge(base[k], over[k]) if k in base and k in over else over.get(k, base.get(k)) for k in {**base, **over}}


def flags_of(config):
    found = {}
    for flag in config.get("kubelet", {}).get("flags", []):
        name, _, value = flag.lstrip("-").partition("=")
        found[name] = value.strip('"')
    return found


def labels_of(config):
    text = flags_of(config).get("node-labels", "")
    return dict(pair.split("=", 1) for pair in text.split(",") if pair)


def capacity_of(kind, config, share):
    """What the kubelet of a machine of that type, with a share of its memory, says of itself; allocatable by the kubelet's own sums over what it is told to keep back."""
    memory_mib = int(kind["MemoryInfo"]["SizeInMiB"] * share)
    usable_mib = memory_mib - memory_mib * 75 // 1000          # the hypervisor keeps some
    kubelet = config.get("kubelet", {}).get("config", {})
    pods = kubelet.get("maxPods")
    if not pods:
        raise Malformed("kubelet.config.maxPods is missing")
    milli = kind["VCpuInfo"]["DefaultVCpus"] * 1000
    keep_milli = 60 + (milli // 1000 - 1) * 10                 # nodeadm's default, upwards
    keep_mib = 11 * pods + 255 + 100
    capacity = {"cpu": "%dm" % milli, "memory": "%dMi" % usable_mib, "pods": str(pods), "ephemeral-storage": "20Gi"}
    return capacity, {**capacity, "cpu": "%dm" % (milli - keep_milli), "memory": "%dMi" % (usable_mib - keep_mib), "ephemeral-storage": "17Gi"}


def node_of(instance, kind, text, share):
    config, system = config_of(text)
    capacity, allocatable = capacity_of(kind, config, share)
    zone, name = instance["Placement"]["AvailabilityZone"], instance["PrivateDnsName"]
    taints = config.get("kubelet", {}).get("config", {}).get("registerWithTaints", [])
    if UNREGISTERED["key"] not in [t["key"] for t in taints]:
        raise Malformed("without the taint of nodes that nobody has registered")
    arch = next(ARCHES[a] for a in kind["ProcessorInfo"]["SupportedArchitectures"] if a in ARCHES)      # of c1.medium the first is i386
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": system, "kubernetes.io/arch": arch, "node.kubernetes.io/instance-type": instance["InstanceType"],
              "topology.kubernetes.io/zone": zone, "topology.kubernetes.io/region": zone[:-1]}      # the kubelet's own, and the cloud controller's
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {**labels, **labels_of(config)}, "annotations": {"kwok.x-k8s.io/node": "fake", ATTACHES: "true"}},
            "spec": {"providerID": "aws:///%s/%s" % (zone, instance["InstanceId"]), "taints": [{k: v for k, v in t.items() if v} for t in taints]},
            "status": {"capacity": capacity, "allocatable": allocatable}}


class Machines:
    def __init__(self, moto, admin):
        self.ec2, self.admin = moto.client("ec2"), Admin(admin.cluster)
        self.types, self.nodes, self.failed, self.broken = {}, {}, {}, None
        self.hold, self.over = False, threading.Event()
        self.given = {}                                        # of instances that had become Nodes before: {instance: Node}
        self.dead, self.memory, self.agents = set(), 1.0, set()
        self.ebs = Ebs(self.admin)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def close(self):
        self.over.set()
        self.thread.join()
        assert self.broken is None, self.broken

    def run(self):
        try:
            took = 0
            while not self.over.wait(max(EVERY_S, 3 * took)):  # EC2 has no events to wait for; who asks without a pause has moto for himself
                begun = time.monotonic()
                self.look()
                took = time.monotonic() - begun
        except Exception:                                      # told by close()
            self.broken = traceback.format_exc()

    def running(self):
        pages = self.ec2.get_paginator("describe_instances").paginate(Filters=[{"Name": "instance-state-name", "Values": ["running"]}])
        return {i["InstanceId"]: i for p in pages for r in p["Reservations"] for i in r["Instances"] if any(t["Key"] == "karpenter.sh/nodeclaim" for t in i.get("Tags", []))}

    def kind(self, name):
        if name not in self.types:
            self.types[name] = self.ec2.describe_instance_types(InstanceTypes=[name])["InstanceTypes"][0]
        return self.types[name]

    def look(self):
        while self.given:
            self.nodes.update([self.given.popitem()])
        running = self.running()
        for name, instance in running.items():
            if name not in self.nodes and name not in self.failed and name not in self.dead and not self.hold:
                self.boot(name, instance)
        for name in set(self.nodes) - set(running):
            # As the cloud controller does it; what has a finalizer stays until somebody takes that away.
            self.admin.ask("DELETE", "/api/v1/nodes/" + self.nodes.pop(name), None, (200, 202, 404))
        if self.nodes and self.agents:
            self.free()
        self.ebs.look()

    def free(self):
        """Agents that run on a node take their startup taint away once it is ready."""
        for node in self.admin.ask("GET", "/api/v1/nodes")[1]["items"]:
            taints = node["spec"].get("taints", [])
            left = [t for t in taints if t["key"] not in self.agents]
            ready = any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"].get("conditions", []))
            if ready and len(left) < len(taints):
                self.admin.ask("PATCH", "/api/v1/nodes/" + node["metadata"]["name"], {"metadata": {"resourceVersion": node["metadata"]["resourceVersion"]}, "spec": {"taints": left}}, (200, 404, 409))

    def boot(self, name, instance):
        data = self.ec2.describe_instance_attribute(InstanceId=name, Attribute="userData")["UserData"].get("Value", "")
        try:
            kind = self.kind(instance["InstanceType"])
            node = node_of(instance, kind, base64.b64decode(data).decode(), self.memory)
        except (Malformed, ValueError, KeyError, AttributeError, yaml.YAMLError) as why:
            self.failed[name] = "%s: %s" % (type(why).__name__, why)
            return
        status, made = self.admin.ask("POST", "/api/v1/nodes", node, (201, 409))
        self.nodes[name] = node["metadata"]["name"]
        if status != 201:
            return
        self.ebs.register(made, name, kind)
        gpus = sum(g["Count"] for g in kind.get("GpuInfo", {}).get("Gpus", []) if g["Manufacturer"] == "NVIDIA")
        if gpus > 0:                                           # the device plugin, which comes once the node is there
            amounts = {"nvidia.com/gpu": str(gpus)}
            self.admin.ask("PATCH", "/api/v1/nodes/%s/status" % self.nodes[name], {"status": {"capacity": amounts, "allocatable": amounts}}, (200, 404))
