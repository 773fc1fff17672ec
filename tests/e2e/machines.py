# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines for tests: of each instance that runs in moto a Node, made from nothing but the instance's user data and its type, as cloud-init, nodeadm and the
kubelet would; and the end of Nodes whose instance is gone. Heartbeats and pods are kwok's. User data that a real node would not understand: the Node never comes.

  machines = Machines(moto, admin)
  machines.close()
  machines.failed              {instance id: why it never became a Node}
  machines.hold = True         instances that start now become Nodes only once it is False again
"""
import base64
import email
import threading
import traceback

import yaml

from cluster import Admin

UNREGISTERED = {"key": "karpenter.sh/unregistered", "effect": "NoExecute"}
ARCHES = {"x86_64": "amd64", "arm64": "arm64"}
EVERY_S = 0.2


class Malformed(Exception):
    """What a node would not start with."""


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


def capacity_of(kind, config):
    """What the kubelet of a machine of that type says of itself; allocatable by the kubelet's own sums over what it is told to keep back."""
    memory_mib = kind["MemoryInfo"]["SizeInMiB"]
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


def node_of(instance, kind, text):
    config = node_config(text)
    capacity, allocatable = capacity_of(kind, config)
    zone, name = instance["Placement"]["AvailabilityZone"], instance["PrivateDnsName"]
    taints = config.get("kubelet", {}).get("config", {}).get("registerWithTaints", [])
    if UNREGISTERED["key"] not in [t["key"] for t in taints]:
        raise Malformed("without the taint of nodes that nobody has registered")
    arch = ARCHES[kind["ProcessorInfo"]["SupportedArchitectures"][0]]
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": arch, "node.kubernetes.io/instance-type": instance["InstanceType"],
              "topology.kubernetes.io/zone": zone, "topology.kubernetes.io/region": zone[:-1]}      # the kubelet's own, and the cloud controller's
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {**labels, **labels_of(config)}, "annotations": {"kwok.x-k8s.io/node": "fake"}},
            "spec": {"providerID": "aws:///%s/%s" % (zone, instance["InstanceId"]), "taints": [{k: v for k, v in t.items() if v} for t in taints]},
            "status": {"capacity": capacity, "allocatable": allocatable}}


class Machines:
    def __init__(self, moto, admin):
        self.ec2, self.admin = moto.client("ec2"), Admin(admin.cluster)
        self.types, self.nodes, self.failed, self.broken = {}, {}, {}, None
        self.hold, self.over = False, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def close(self):
        self.over.set()
        self.thread.join()
        assert self.broken is None, self.broken

    def run(self):
        try:
            while not self.over.wait(EVERY_S):                 # EC2 has no events to wait for
                self.look()
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
        running = self.running()
        for name, instance in running.items():
            if name not in self.nodes and name not in self.failed and not self.hold:
                self.boot(name, instance)
        for name in set(self.nodes) - set(running):
            # As the cloud controller does it; what has a finalizer stays until somebody takes that away.
            self.admin.ask("DELETE", "/api/v1/nodes/" + self.nodes.pop(name), None, (200, 202, 404))

    def boot(self, name, instance):
        data = self.ec2.describe_instance_attribute(InstanceId=name, Attribute="userData")["UserData"].get("Value", "")
        try:
            node = node_of(instance, self.kind(instance["InstanceType"]), base64.b64decode(data).decode())
        except (Malformed, ValueError, KeyError, AttributeError, yaml.YAMLError) as why:
            self.failed[name] = "%s: %s" % (type(why).__name__, why)
            return
        self.admin.ask("POST", "/api/v1/nodes", node, (201, 409))
        self.nodes[name] = node["metadata"]["name"]
