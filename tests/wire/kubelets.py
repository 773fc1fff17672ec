# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the kubelet in an EC2NodeClass, and what Karpenter says of them: (settings, reason, message), and the same with a family in front."""
SIGNALS = "memory.available, nodefs.available, nodefs.inodesFree, imagefs.available, imagefs.inodesFree, pid.available"
KUBELETS = [
    (dict(maxPod=5), "InvalidKubeletConfiguration", 'spec.kubelet: unknown field "maxPod"'),
    (dict(podsPerCore="4"), "InvalidKubeletConfiguration", "spec.kubelet: json: cannot unmarshal string into Go struct field KubeletConfiguration.podsPerCore of type int32"),
    (dict(cpuCFSQuota=1), "InvalidKubeletConfiguration", "spec.kubelet: json: cannot unmarshal number into Go struct field KubeletConfiguration.cpuCFSQuota of type bool"),
    (dict(registerWithTaints=[]), "InvalidKubeletConfiguration",
     "spec.kubelet.registerWithTaints: can't be set, Karpenter sets it from the NodeClaim's taints so the node registers unschedulable until it's ready"),
    (dict(evictionHard={"memory": "5%"}), "InvalidKubeletConfiguration", 'spec.kubelet.evictionHard: "memory" isn\'t a valid eviction signal, must be one of ' + SIGNALS),
    (dict(evictionHard={"memory.available": "101%"}), "InvalidKubeletConfiguration",
     'spec.kubelet.evictionHard[memory.available]: "101%" must be a percentage or a resource quantity'),
    (dict(evictionHard={"memory.available": "5Go"}), "InvalidKubeletConfiguration", 'spec.kubelet.evictionHard[memory.available]: "5Go" must be a percentage or a resource quantity'),
    (dict(evictionMinimumReclaim={"pid.available": "-5"}), "InvalidKubeletConfiguration",
     'spec.kubelet.evictionMinimumReclaim[pid.available]: "-5" can\'t be a negative resource quantity'),
    (dict(evictionSoft={"memory.available": "5%"}), "InvalidKubeletConfiguration", "spec.kubelet.evictionSoft[memory.available]: has no matching evictionSoftGracePeriod"),
    (dict(evictionSoftGracePeriod={"memory.available": "1m"}), "InvalidKubeletConfiguration", "spec.kubelet.evictionSoftGracePeriod[memory.available]: has no matching evictionSoft"),
    (dict(evictionSoft={"pid.available": "5%"}, evictionSoftGracePeriod={"pid.available": "soon"}), "InvalidKubeletConfiguration",
     'spec.kubelet.evictionSoftGracePeriod[pid.available]: "soon" must be a duration'),
    (dict(evictionSoft={"pid.available": "5%"}, evictionSoftGracePeriod={"pid.available": "-1m"}), "InvalidKubeletConfiguration",
     'spec.kubelet.evictionSoftGracePeriod[pid.available]: "-1m" can\'t be a negative duration'),
    (dict(kubeReserved={"gpu": "1"}), "InvalidKubeletConfiguration", 'spec.kubelet.kubeReserved: "gpu" isn\'t a reservable resource, must be one of cpu, memory, ephemeral-storage, pid'),
    (dict(systemReserved={"cpu": "-1"}), "InvalidKubeletConfiguration", 'spec.kubelet.systemReserved[cpu]: "-1" can\'t be a negative resource quantity'),
    (dict(imageGCHighThresholdPercent=101), "InvalidKubeletConfiguration", "spec.kubelet.imageGCHighThresholdPercent: 101 must be between 0 and 100"),
    (dict(imageGCLowThresholdPercent=-1), "InvalidKubeletConfiguration", "spec.kubelet.imageGCLowThresholdPercent: -1 must be between 0 and 100"),
    (dict(imageGCHighThresholdPercent=70, imageGCLowThresholdPercent=70), "InvalidKubeletConfiguration",
     "spec.kubelet: imageGCHighThresholdPercent (70) must be greater than imageGCLowThresholdPercent (70)"),
    (dict(kubeReserved={"gpu": "1", "cpu": "-1"}), "InvalidKubeletConfiguration", 'spec.kubelet.kubeReserved[cpu]: "-1" can\'t be a negative resource quantity; '
     'spec.kubelet.kubeReserved: "gpu" isn\'t a reservable resource, must be one of cpu, memory, ephemeral-storage, pid'),
    (dict(kubeReserved={"cpu": "vcpus * 10"}), "KubeletExpressionsDisabled", "spec.kubelet contains a CEL expression, but the NodeClassCEL feature gate is disabled"),
]
FAMILIES = [
    ("Bottlerocket", dict(podsPerCore=1, serializeImagePulls=True), "UnsupportedKubeletConfiguration",
     "spec.kubelet has fields not applied by the Bottlerocket AMI family that would be silently dropped: podsPerCore, serializeImagePulls"),
    ("AL2", dict(clusterDNS=["10.0.0.1", "10.0.0.2"]), "UnsupportedKubeletConfiguration",
     "spec.kubelet.clusterDNS: the AL2 AMI family doesn't accept multiple entries, only one, but 2 were set"),
    ("AL2", dict(podsPerCore=1, maxPods=3, cpuCFSQuota=True), "DryRunDisabled", "EC2 was not asked to try a launch"),
    ("AL2023", dict(serializeImagePulls=True, clusterDNS=["10.0.0.1", "10.0.0.2"]), "DryRunDisabled", "EC2 was not asked to try a launch"),
    ("Custom", dict(serializeImagePulls=True), "DryRunDisabled", "EC2 was not asked to try a launch"),
]
