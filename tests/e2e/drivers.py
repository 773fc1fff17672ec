# SPDX-License-Identifier: GPL-3.0-or-later
"""The EBS driver of a cluster for tests: what nodes can attach, volumes for claims once the scheduler has chosen a node, attachments, and the end of volumes.
https://github.com/kubernetes-sigs/aws-ebs-csi-driver"""

DRIVER = "ebs.csi.aws.com"
ZONE = "topology.kubernetes.io/zone"
CLAIMS, VOLUMES = "/api/v1/persistentvolumeclaims", "/api/v1/persistentvolumes"
ATTACHMENTS, NODES = "/apis/storage.k8s.io/v1/volumeattachments", "/apis/storage.k8s.io/v1/csinodes"


def attachable(kind):
    """Of 28 attachments of a Nitro machine the root volume, two network interfaces (the first, and the spare one of the VPC's network plugin) and local disks take theirs.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/volume_limits.html"""
    return 28 - 1 - 2 - sum(d["Count"] for d in kind.get("InstanceStorageInfo", {}).get("Disks", []))


class Ebs:
    def __init__(self, admin):
        self.admin = admin

    def register(self, node, instance, kind):
        """The driver's part of a node that has come."""
        meta = node["metadata"]
        self.admin.ask("POST", NODES, {
            "apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": {"name": meta["name"], "ownerReferences": [
                {"apiVersion": "v1", "kind": "Node", "name": meta["name"], "uid": meta["uid"]}]},
            "spec": {"drivers": [{"name": DRIVER, "nodeID": instance, "topologyKeys": [ZONE], "allocatable": {"count": attachable(kind)}}]}}, (201, 409))

    def look(self):
        claims = self.admin.ask("GET", CLAIMS)[1]["items"]
        if not claims and not self.admin.ask("GET", VOLUMES)[1]["items"]:
            return
        for claim in claims:
            marks = claim["metadata"].get("annotations", {})
            if claim["status"].get("phase") == "Pending" and marks.get("volume.kubernetes.io/storage-provisioner") == DRIVER and "volume.kubernetes.io/selected-node" in marks:
                self.make(claim, marks["volume.kubernetes.io/selected-node"])
        for volume in self.admin.ask("GET", VOLUMES)[1]["items"]:
            if volume["status"].get("phase") == "Released" and volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete":
                self.admin.ask("DELETE", "%s/%s" % (VOLUMES, volume["metadata"]["name"]), None, (200, 202, 404))
        for attachment in self.admin.ask("GET", ATTACHMENTS)[1]["items"]:
            if attachment["spec"]["attacher"] == DRIVER and not attachment.get("status", {}).get("attached"):
                self.admin.ask("PATCH", "%s/%s/status" % (ATTACHMENTS, attachment["metadata"]["name"]), {"status": {"attached": True}}, (200, 404))

    def make(self, claim, node_name):
        """A volume in the zone of the node; when that has gone meanwhile, the scheduler is asked to choose again."""
        meta, spec = claim["metadata"], claim["spec"]
        status, node = self.admin.ask("GET", "/api/v1/nodes/" + node_name, None, (200, 404))
        if status == 404:
            self.admin.ask("PATCH", "/api/v1/namespaces/%s/persistentvolumeclaims/%s" % (meta["namespace"], meta["name"]),
                           {"metadata": {"annotations": {"volume.kubernetes.io/selected-node": None}}}, (200, 404))
            return
        self.admin.ask("POST", VOLUMES, volume("pvc-" + meta["uid"], node["metadata"]["labels"][ZONE], spec["storageClassName"], spec["resources"]["requests"]["storage"],
                                               {"kind": "PersistentVolumeClaim", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}), (201, 409))


def volume(name, zone, of_class, size, claim=None):
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": DRIVER}}, "spec": {
        "capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "persistentVolumeReclaimPolicy": "Delete", "storageClassName": of_class,
        "csi": {"driver": DRIVER, "volumeHandle": "vol-" + name}, **({"claimRef": claim} if claim else {}),
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": ZONE, "operator": "In", "values": [zone]}]}]}}}}
