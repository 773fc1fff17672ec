# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers of pods as processes, where there is no kubelet: their arguments, their environment, their user, a root that cannot be written, and the token of
their account where a kubelet puts it."""
import os

from cluster import Failed
from service import Service

# A namespace of mounts of its own: /run holds the token and the program, whose folder others may not be able to reach; all else is read-only.
STARTER = """set -e
mount --make-rprivate /
mount -t tmpfs none /run
mkdir -p /run/secrets/kubernetes.io /run/program
cp -r "$TOKEN" /run/secrets/kubernetes.io/serviceaccount
mount --bind "$PROGRAM" /run/program
mount -o remount,bind,ro /run/program
for folder in / /run; do mount -o remount,bind,ro $folder; done
unset TOKEN PROGRAM
user=$1 group=$2 program=$3
shift 3
exec setpriv --reuid="$user" --regid="$group" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "/run/program/$program" "$@"
"""


def environment(pod, container):
    """As a kubelet makes it, of what our containers use of it."""
    found = {}
    for variable in container.get("env", []):
        source = variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
        if "valueFrom" in variable and source != "metadata.namespace":
            raise Failed("no kubelet is needed for %s: %s" % (variable["name"], variable))
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
    """The program as the container of that pod would run it. `extra` is what admission adds on EKS: keys, region."""

    def __init__(self, program, cluster, admin, pod, folder, **extra):
        container, = pod["spec"]["containers"]
        security = container["securityContext"]
        if not (security["runAsNonRoot"] and security["readOnlyRootFilesystem"] and security["capabilities"] == {"drop": ["ALL"]} and not security["allowPrivilegeEscalation"]):
            raise Failed("this is how the program is started here, and the pod says otherwise: %s" % security)
        self.pod, self.program = pod, program
        ports = {p["name"]: p["containerPort"] for p in container["ports"]}
        self.metrics_port, self.health_port = ports["http-metrics"], ports["http"]
        tokens = os.path.join(folder, pod["metadata"]["name"])
        self.token = put_token(cluster, admin, pod, tokens)
        host, port = cluster.address.replace("https://", "").split(":")
        env = {**extra, **environment(pod, container), "KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port, "HOSTNAME": pod["metadata"]["name"],
               "PATH": os.environ["PATH"], "TOKEN": tokens, "PROGRAM": os.path.dirname(os.path.abspath(program))}
        self.begin(["unshare", "--mount", "sh", "-c", STARTER, "sh", str(security["runAsUser"]), str(security["runAsGroup"]), os.path.basename(program),
                    *container.get("args", [])], env, folder)
