# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers of pods as processes, where there is no kubelet: the image, its arguments, their environment, ConfigMaps, and the token of their account where a
kubelet puts it."""
import base64
import os

from cluster import Failed
from service import Service

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"


def environment(pod, container):
    """As a kubelet makes it, of what our containers use of it."""
    found = {}
    for variable in container.get("env", []):
        source = variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
        if "valueFrom" in variable and source != "metadata.namespace":
            raise Failed("no value is known here for %s" % variable)
        found[variable["name"]] = pod["metadata"]["namespace"] if source else variable.get("value", "")
    return found


def fill(folder, files):
    os.makedirs(folder)
    for name, content in files.items():
        with open(os.path.join(folder, name), "wb") as out:
            out.write(content)
    return folder


def volumes(cluster, admin, pod, container, token, folder):
    """{where it is mounted: a folder}, of ConfigMaps and the token, which every pod has."""
    ns, found = pod["metadata"]["namespace"], {}
    mounts = {m["name"]: m["mountPath"] for m in container.get("volumeMounts", [])}
    for volume in pod["spec"].get("volumes", []):
        path, home = mounts[volume["name"]], os.path.join(folder, volume["name"])
        if "configMap" in volume:
            value = admin.ask("GET", "/api/v1/namespaces/%s/configmaps/%s" % (ns, volume["configMap"]["name"]))[1]
            files = {name: text.encode() for name, text in value.get("data", {}).items()}
            files.update({name: base64.b64decode(text) for name, text in value.get("binaryData", {}).items()})
            found[path] = fill(home, files)
        elif path == TOKEN:
            with open(os.path.join(cluster.folder, "pki", "ca.crt"), "rb") as text:
                found[path] = fill(home, {"token": token.encode(), "namespace": ns.encode(), "ca.crt": text.read()})
        else:
            raise Failed("no volume like that is known here: %s" % volume)
    return found


class PodService(Service):
    """The image as the container of that pod would run it. `ports` are others than the pod's, for metrics and health; `bound` says whether its token ends
    with the pod; `extra` is what admission adds on EKS: keys, region."""

    def __init__(self, image, cluster, admin, pod, folder, ports=None, bound=True, **extra):
        container, = pod["spec"]["containers"]
        security = container["securityContext"]
        user = "%s:%s" % (security["runAsUser"], security["runAsGroup"])
        if not (security["readOnlyRootFilesystem"] and security["capabilities"] == {"drop": ["ALL"]} and not security["allowPrivilegeEscalation"] and user == image.config["User"]):
            raise Failed("this is how images are started here, and the pod says otherwise: %s" % security)
        self.pod, self.program = pod, image.config["Entrypoint"][0]
        named = {p["name"]: p["containerPort"] for p in container["ports"]}
        self.metrics_port, self.health_port = ports or (named["http-metrics"], named["http"])
        self.token = admin.token_of(pod["metadata"]["namespace"], pod["spec"]["serviceAccountName"], pod if bound else None)
        mounted = volumes(cluster, admin, pod, container, self.token, os.path.join(folder, pod["metadata"]["name"]))
        host, port = cluster.address.replace("https://", "").split(":")
        own = {**environment(pod, container), "METRICS_PORT": str(self.metrics_port), "HEALTH_PROBE_PORT": str(self.health_port)}
        env = image.environment(volumes=mounted, **extra, **own, KUBERNETES_SERVICE_HOST=host, KUBERNETES_SERVICE_PORT=port, HOSTNAME=pod["metadata"]["name"])
        self.begin(image.command(*image.config["Entrypoint"], *container.get("args", [])), env, folder)
