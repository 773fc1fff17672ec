# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers of pods as processes, where there is no kubelet: the image, its arguments, their environment, and the token of their account where a kubelet puts it."""
import os

from cluster import Failed
from service import Service


def environment(pod, container):
    """As a kubelet makes it, of what our containers use of it."""
    found = {}
    for variable in container.get("env", []):
        source = variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
        if "valueFrom" in variable and source != "metadata.namespace":
            raise Failed("no value is known here for %s" % variable)
        found[variable["name"]] = pod["metadata"]["namespace"] if source else variable.get("value", "")
    return found


def put_token(cluster, admin, pod, folder):
    """What is mounted at /var/run/secrets/kubernetes.io/serviceaccount."""
    ns = pod["metadata"]["namespace"]
    token = admin.token_of(ns, pod["spec"]["serviceAccountName"], pod)
    os.makedirs(folder)
    with open(os.path.join(cluster.folder, "pki", "ca.crt"), encoding="ascii") as text:
        ca = text.read()
    for name, content in (("token", token), ("namespace", ns), ("ca.crt", ca)):
        with open(os.path.join(folder, name), "w", encoding="ascii") as out:
            out.write(content)
    return token


class PodService(Service):
    """The image as the container of that pod would run it. `extra` is what admission adds on EKS: keys, region."""

    def __init__(self, image, cluster, admin, pod, folder, **extra):
        container, = pod["spec"]["containers"]
        security = container["securityContext"]
        user = "%s:%s" % (security["runAsUser"], security["runAsGroup"])
        if not (security["readOnlyRootFilesystem"] and security["capabilities"] == {"drop": ["ALL"]} and not security["allowPrivilegeEscalation"] and user == image.config["User"]):
            raise Failed("this is how images are started here, and the pod says otherwise: %s" % security)
        self.pod, self.program = pod, image.config["Entrypoint"][0]
        ports = {p["name"]: p["containerPort"] for p in container["ports"]}
        self.metrics_port, self.health_port = ports["http-metrics"], ports["http"]
        tokens = os.path.join(folder, pod["metadata"]["name"])
        self.token = put_token(cluster, admin, pod, tokens)
        host, port = cluster.address.replace("https://", "").split(":")
        env = image.environment(token=tokens, **extra, **environment(pod, container), KUBERNETES_SERVICE_HOST=host, KUBERNETES_SERVICE_PORT=port, HOSTNAME=pod["metadata"]["name"])
        self.begin(image.command(*image.config["Entrypoint"], *container.get("args", [])), env, folder)
