# SPDX-License-Identifier: GPL-3.0-or-later
"""The Helm chart in deploy/chart: what it renders, what it refuses, and what it makes of a real cluster. See the scenario `chart` of `run`."""
import json
import os
import subprocess

import yaml

import pods
import rights
from cluster import HERE, Admin
from service import free_ports

ROOT = os.path.dirname(os.path.dirname(HERE))
CHART = os.path.join(ROOT, "deploy", "chart")
MANIFESTS = {"observe": ["provisioner-observe.yaml"], "prepare": ["provisioner-observe.yaml", "provisioner-prepare.yaml"],
             "full": ["provisioner-observe.yaml", "provisioner-prepare.yaml", "provisioner-full.yaml"]}
IMAGE = {"controller": {"image": {"repository": "provisioner"}}}
SELECTOR = {"app.kubernetes.io/name": "provisioner", "app.kubernetes.io/instance": "provisioner"}
# Labels that tell releases and versions of charts apart. Manifests have no use for them outside of selectors.
HELM_LABELS = {"helm.sh/chart", "app.kubernetes.io/managed-by", "app.kubernetes.io/version", *SELECTOR}
LINES = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}}


def find_clients():
    """The folder of helm and kubectl, or None."""
    found = subprocess.run([os.path.join(HERE, "testbed", "build-clients"), "--print"], capture_output=True, text=True, check=True).stdout.strip()
    return found if os.path.exists(os.path.join(found, "done")) else None


def merged(base, over):
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    return {k: merged(base[k], over[k]) if k in base and k in over else over.get(k, base.get(k)) for k in {**base, **over}}


def tree(path, value):
    for word in reversed(path.split(".")):
        value = {word: value}
    return value


class OneOfAKey(yaml.SafeLoader):
    """Refuses a key that a mapping has twice, where YAML's loaders take the last one."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        assert len(set(keys)) == len(keys), "a key twice in: %s" % keys
        return super().construct_mapping(node, deep)


class Helm:
    def __init__(self, program, folder, kubeconfig=None):
        self.program, self.folder, self.n = program, folder, 0
        self.env = {**{k: v for k, v in os.environ.items() if "proxy" not in k.lower()}, "HELM_CACHE_HOME": folder, "HELM_CONFIG_HOME": folder, "HELM_DATA_HOME": folder,
                    "KUBECONFIG": kubeconfig or "/dev/null"}

    def values(self, value):
        self.n += 1
        path = os.path.join(self.folder, "values-%d.yaml" % self.n)
        with open(path, "w", encoding="utf-8") as out:
            yaml.safe_dump(value, out)
        return ["--values", path]

    def run(self, *words, status=0):
        done = subprocess.run([self.program, *words], env=self.env, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
        assert status is None or (done.returncode == 0) == (status == 0), "helm %s: exit status %d: %s%s" % (" ".join(words), done.returncode, done.stdout[-1500:], done.stderr[-1500:])
        return done

    def render(self, value, release="provisioner", ns="kube-system", apis=()):
        """The objects, but for the CRDs."""
        done = self.run("template", release, CHART, "--namespace", ns, *(w for api in apis for w in ("--api-versions", api)), *self.values(merged(IMAGE, value)))
        return [d for d in yaml.load_all(done.stdout, OneOfAKey) if d]

    def refusal(self, value):
        return self.run("template", "provisioner", CHART, *self.values(value), status=1).stderr


# ---- against the manifests

def plain(value):
    """An object as the manifests have it."""
    value = json.loads(json.dumps(value))
    labels = {k: v for k, v in value["metadata"].get("labels", {}).items() if k not in HELM_LABELS}
    value["metadata"] = {k: v for k, v in {**value["metadata"], "labels": labels}.items() if v}
    return value


def by_name(objects):
    named = {(o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]): plain(o) for o in objects}
    assert len(named) == len(objects), "twice: %s" % sorted(str((o["kind"], o["metadata"]["name"])) for o in objects)
    return named


def manifests(mode):
    """Those of a mode, filled in as their first lines say."""
    objects = []
    for name in MANIFESTS[mode]:
        with open(os.path.join(ROOT, "deploy", name), encoding="utf-8") as text:
            objects += [d for d in yaml.safe_load_all(text) if d]
    deployment, = [o for o in objects if o["kind"] == "Deployment"]
    container, = deployment["spec"]["template"]["spec"]["containers"]
    container["args"] = ["--mode=" + mode]
    if mode != "observe":
        container["env"].append({"name": "CLUSTER_NAME", "value": "shop"})
    return objects


def same_as_manifests(helm):
    for mode in MANIFESTS:
        ours, theirs = by_name(manifests(mode)), by_name(helm.render({"mode": mode, "replicas": 1, "settings": {"clusterName": "shop" if mode != "observe" else ""}}))
        assert set(ours) == set(theirs), "only on one side, mode %s: %s" % (mode, sorted(map(str, set(ours) ^ set(theirs))))
        for name in ours:
            assert ours[name] == theirs[name], "mode %s: %s:\n deploy/*.yaml: %s\n deploy/chart:  %s" % (mode, name, json.dumps(ours[name]), json.dumps(theirs[name]))
    return len(theirs)


# ---- every value

def find(objects, kind):
    found = [o for o in objects if o["kind"] == kind]
    assert len(found) == 1, "%d objects of kind %s" % (len(found), kind)
    return found[0]


def pod_spec(objects):
    return find(objects, "Deployment")["spec"]["template"]["spec"]


def container_of(objects):
    return pod_spec(objects)["containers"][0]


def environment(objects):
    return {e["name"]: e.get("value") for e in container_of(objects)["env"]}


def in_env(name, value):
    return lambda objects: environment(objects).get(name) == value


def in_pod(key, value):
    return lambda objects: pod_spec(objects)[key] == value


def in_container(key, value):
    return lambda objects: container_of(objects)[key] == value


def in_deployment(key, value):
    return lambda objects: find(objects, "Deployment")["spec"][key] == value


def in_monitor(key, value):
    return lambda objects: find(objects, "ServiceMonitor")["spec"]["endpoints"][0].get(key) == value


def everywhere(field, key, value):
    return lambda objects: all(o["metadata"].get(field, {}).get(key) == value for o in objects)


def annotated(kind, key, value):
    return lambda objects: find(objects, kind)["metadata"]["annotations"] == {key: value}


SPREAD = {"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
FAR = {"weight": 3, "podAffinityTerm": {"topologyKey": "rack"}}
OWN = {"topologyKey": "rack", "labelSelector": {"matchLabels": {"a": "b"}}}
MONITORED = {"serviceMonitor": {"enabled": True}}
# (path, value, what has to be seen of it, what else is set): every value of Karpenter's chart, and the two of our own.
VALUES = [
    ("mode", "prepare", in_container("args", ["--mode=prepare"])),
    ("leaseNamespace", "karpenter", lambda o: in_env("LEADER_ELECTION_NAMESPACE", "karpenter")(o) and
        {d["metadata"]["namespace"] for d in o if d["metadata"]["name"] == "provisioner-prepare" and d["kind"].startswith("Role")} == {"karpenter"}),
    ("nameOverride", "buyer", lambda o: find(o, "Deployment")["metadata"]["name"] == "provisioner-buyer" and find(o, "Service")["spec"]["selector"]["app.kubernetes.io/name"] == "buyer"),
    ("fullnameOverride", "buyer", lambda o: find(o, "Deployment")["metadata"]["name"] == "buyer" and {"buyer-observe", "buyer-prepare", "buyer-full"} <= {d["metadata"]["name"] for d in o}),
    ("additionalLabels", {"team": "a"}, everywhere("labels", "team", "a")),
    # One of our own, and one that two values give: no key twice.
    ("additionalLabels", {"helm.sh/chart": "x", "release": "q"}, lambda o: find(o, "ServiceMonitor")["metadata"]["labels"]["release"] == "p",
        {"serviceMonitor": {"enabled": True, "additionalLabels": {"release": "p"}}}),
    ("additionalAnnotations", {"team": "a"}, everywhere("annotations", "team", "a")),
    ("imagePullPolicy", "Always", in_container("imagePullPolicy", "Always")),
    ("imagePullSecrets", [{"name": "s"}], in_pod("imagePullSecrets", [{"name": "s"}])),
    ("service.annotations", {"a": "b"}, annotated("Service", "a", "b")),
    ("serviceAccount.create", False, lambda o: not [d for d in o if d["kind"] == "ServiceAccount"] and pod_spec(o)["serviceAccountName"] == "default"),
    ("serviceAccount.name", "mine", lambda o: find(o, "ServiceAccount")["metadata"]["name"] == pod_spec(o)["serviceAccountName"] == "mine" and
        {s["name"] for d in o if d["kind"].endswith("Binding") for s in d["subjects"]} == {"mine"}),
    ("serviceAccount.annotations", {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/r"}, annotated("ServiceAccount", "eks.amazonaws.com/role-arn", "arn:aws:iam::1:role/r")),
    ("additionalClusterRoleRules", [{"apiGroups": ["g"], "resources": ["r"], "verbs": ["get"]}], lambda o: ("get", "g", "r") in rights.given(o, "provisioner")),
    ("serviceMonitor.enabled", True, lambda o: find(o, "ServiceMonitor")["spec"]["selector"]["matchLabels"] == SELECTOR and in_monitor("port", "http-metrics")(o)),
    ("serviceMonitor.additionalLabels", {"release": "p"}, lambda o: find(o, "ServiceMonitor")["metadata"]["labels"]["release"] == "p", MONITORED),
    ("serviceMonitor.relabelings", [{"action": "drop"}], in_monitor("relabelings", [{"action": "drop"}]), MONITORED),
    ("serviceMonitor.metricRelabelings", [{"action": "drop"}], in_monitor("metricRelabelings", [{"action": "drop"}]), MONITORED),
    ("serviceMonitor.endpointConfig", {"interval": "9s"}, in_monitor("interval", "9s"), MONITORED),
    ("serviceMonitor.sampleLimit", 1000000, lambda o: find(o, "ServiceMonitor")["spec"]["sampleLimit"] == 1000000, MONITORED),
    ("serviceMonitor.sampleLimit", 0, lambda o: find(o, "ServiceMonitor")["spec"]["sampleLimit"] == 0, MONITORED),
    ("replicas", 0, in_deployment("replicas", 0)),
    ("replicas", 1000000, in_deployment("replicas", 1000000)),
    ("revisionHistoryLimit", 0, in_deployment("revisionHistoryLimit", 0)),
    ("revisionHistoryLimit", 3000000, in_deployment("revisionHistoryLimit", 3000000)),
    ("strategy", {"rollingUpdate": None, "type": "Recreate"}, in_deployment("strategy", {"type": "Recreate"})),
    ("podLabels", {"a": "b"}, lambda o: find(o, "Deployment")["spec"]["template"]["metadata"]["labels"] == {**SELECTOR, "a": "b"}),
    ("podAnnotations", {"a": "b"}, lambda o: find(o, "Deployment")["spec"]["template"]["metadata"]["annotations"] == {"a": "b"}),
    ("podDisruptionBudget.name", "karpenter", lambda o: find(o, "PodDisruptionBudget")["metadata"]["name"] == "karpenter"),
    ("podDisruptionBudget.maxUnavailable", "50%", lambda o: find(o, "PodDisruptionBudget")["spec"]["maxUnavailable"] == "50%"),
    ("podSecurityContext.fsGroup", 5, lambda o: pod_spec(o)["securityContext"] == {"fsGroup": 5, "seccompProfile": {"type": "RuntimeDefault"}}),
    ("priorityClassName", "p", in_pod("priorityClassName", "p")),
    ("terminationGracePeriodSeconds", 0, in_pod("terminationGracePeriodSeconds", 0)),
    ("terminationGracePeriodSeconds", 7, in_pod("terminationGracePeriodSeconds", 7)),
    ("hostNetwork", True, in_pod("hostNetwork", True)),
    ("schedulerName", "s", in_pod("schedulerName", "s")),
    ("dnsPolicy", "Default", in_pod("dnsPolicy", "Default")),
    ("dnsConfig", {"options": [{"name": "ndots", "value": "1"}]}, in_pod("dnsConfig", {"options": [{"name": "ndots", "value": "1"}]})),
    ("initContainers", [{"name": "i", "image": "i"}], in_pod("initContainers", [{"name": "i", "image": "i"}])),
    ("nodeSelector", {"a": "b"}, in_pod("nodeSelector", {"a": "b", "kubernetes.io/os": "linux"})),
    ("affinity", {"nodeAffinity": None, "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [FAR], "requiredDuringSchedulingIgnoredDuringExecution": [OWN]}},
        in_pod("affinity", {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [merged(FAR, {"podAffinityTerm": {"labelSelector": {"matchLabels": SELECTOR}}})],
                                                "requiredDuringSchedulingIgnoredDuringExecution": [OWN]}})),
    ("topologySpreadConstraints", [SPREAD, {**SPREAD, "labelSelector": {}}],
        in_pod("topologySpreadConstraints", [{**SPREAD, "labelSelector": {"matchLabels": SELECTOR}}, {**SPREAD, "labelSelector": {}}])),
    ("tolerations", [], lambda o: "tolerations" not in pod_spec(o)),
    ("extraVolumes", [{"name": "v", "emptyDir": {}}], in_pod("volumes", [{"name": "v", "emptyDir": {}}])),
    ("controller.containerName", "c", in_container("name", "c")),
    ("controller.image.repository", "registry:5000/p", in_container("image", "registry:5000/p:0.1.0")),
    ("controller.image.tag", "t", in_container("image", "provisioner:t")),
    ("controller.image.digest", "sha256:" + 64 * "a", in_container("image", "provisioner:0.1.0@sha256:" + 64 * "a")),
    ("controller.env", [{"name": "AWS_REGION", "value": "eu-west-1"}], in_env("AWS_REGION", "eu-west-1")),
    ("controller.env", [{"name": "A", "value": "b"}, {"name": "LEADER_ELECTION_NAME", "value": "mine"}],
        lambda o: [r.get("resourceNames") for d in o if d["kind"] == "Role" and d["metadata"]["name"] == "provisioner-prepare" for r in d["rules"]] == [None, ["mine"]]),
    ("controller.envFrom", [{"configMapRef": {"name": "m"}}], in_container("envFrom", [{"configMapRef": {"name": "m"}}])),
    ("controller.securityContext.appArmorProfile", {"type": "Unconfined"}, lambda o: container_of(o)["securityContext"]["appArmorProfile"] == {"type": "Unconfined"}),
    ("controller.securityContext.seLinuxOptions", {"level": "s0"}, lambda o: container_of(o)["securityContext"]["seLinuxOptions"] == {"level": "s0"}),
    ("controller.securityContext.seccompProfile", {"type": "Unconfined"}, lambda o: container_of(o)["securityContext"]["seccompProfile"] == {"type": "Unconfined"}),
    ("controller.resources", LINES, in_container("resources", LINES)),
    ("controller.extraVolumeMounts", [{"name": "v", "mountPath": "/v"}], in_container("volumeMounts", [{"name": "v", "mountPath": "/v"}])),
    ("controller.sidecarContainer", [{"name": "s", "image": "s"}], lambda o: pod_spec(o)["containers"][1:] == [{"name": "s", "image": "s"}]),
    ("controller.sidecarVolumeMounts", [{"name": "w", "mountPath": "/w"}], lambda o: [m["name"] for m in pod_spec(o)["containers"][1]["volumeMounts"]] == ["v", "w"],
        {"controller": {"sidecarContainer": [{"name": "s", "image": "s"}], "extraVolumeMounts": [{"name": "v", "mountPath": "/v"}]}}),
    ("controller.metrics.port", 9000, lambda o: in_env("METRICS_PORT", "9000")(o) and container_of(o)["ports"][0]["containerPort"] == find(o, "Service")["spec"]["ports"][0]["port"] == 9000),
    ("controller.healthProbe.port", 9001, lambda o: in_env("HEALTH_PROBE_PORT", "9001")(o) and container_of(o)["ports"][1]["containerPort"] == 9001),
    ("logLevel", "debug", in_env("LOG_LEVEL", "debug")),
    ("logOutputPaths", ["stdout", "/tmp/log"], in_env("LOG_OUTPUT_PATHS", "stdout,/tmp/log")),
    ("logErrorOutputPaths", ["stdout"], in_env("LOG_ERROR_OUTPUT_PATHS", "stdout")),
    ("settings.batchMaxDuration", "20s", in_env("BATCH_MAX_DURATION", "20s")),
    ("settings.batchIdleDuration", "2s", in_env("BATCH_IDLE_DURATION", "2s")),
    ("settings.preferencePolicy", "Ignore", in_env("PREFERENCE_POLICY", "Ignore")),
    ("settings.minValuesPolicy", "BestEffort", in_env("MIN_VALUES_POLICY", "BestEffort")),
    ("settings.clusterCABundle", "Y2E=", in_env("CLUSTER_CA_BUNDLE", "Y2E=")),
    # Karpenter's chart takes templates in the settings.
    ("settings.clusterName", "{{ .Release.Name }}-x", in_env("CLUSTER_NAME", "provisioner-x")),
    ("settings.clusterEndpoint", "https://x", in_env("CLUSTER_ENDPOINT", "https://x")),
    ("settings.isolatedVPC", True, in_env("ISOLATED_VPC", "true")),
    ("settings.eksControlPlane", True, in_env("EKS_CONTROL_PLANE", "true")),
    ("settings.vmMemoryOverheadPercent", 0.1, in_env("VM_MEMORY_OVERHEAD_PERCENT", "0.1")),
    ("settings.interruptionQueue", "q", in_env("INTERRUPTION_QUEUE", "q")),
    ("settings.enableZonalShift", True, in_env("ENABLE_ZONAL_SHIFT", "true")),
    ("settings.isolatedVPC", "{{ eq .Release.Name \"x\" }}", in_env("ISOLATED_VPC", "false")),
    ("settings.batchMaxDuration", "{{ 90 }}s", in_env("BATCH_MAX_DURATION", "90s")),
    ("settings.batchMaxDuration", "1m.5s", in_env("BATCH_MAX_DURATION", "1m.5s")),
    ("settings.vmMemoryOverheadPercent", "0.075", in_env("VM_MEMORY_OVERHEAD_PERCENT", "0.075")),
    ("settings.reservedENIs", "1", in_env("RESERVED_ENIS", "1")),
    ("settings.reservedENIs", 2, in_env("RESERVED_ENIS", "2")),
    # Karpenter's chart passes no false on, so that this one has no effect there.
    ("settings.ignoreDRARequests", False, in_env("IGNORE_DRA_REQUESTS", "false")),
    ("settings.disableClusterStateObservability", True, in_env("DISABLE_CLUSTER_STATE_OBSERVABILITY", "true")),
    ("settings.disableDryRun", True, in_env("DISABLE_DRY_RUN", "true")),
    ("settings.amiRefreshInterval", "2m", in_env("AMI_REFRESH_INTERVAL", "2m")),
    ("settings.subnetRefreshInterval", "2m", in_env("SUBNET_REFRESH_INTERVAL", "2m")),
    *[("settings.featureGates." + gate[0].lower() + gate[1:], on, in_env("FEATURE_GATES", "%s=%s" % (gate, str(on).lower())))
      for gate, on in (("NodeRepair", True), ("NodeOverlay", True), ("ReservedCapacity", False), ("SpotToSpotConsolidation", True), ("StaticCapacity", True), ("CapacityBuffer", True))],
    ("settings.awsFeatureGates.nodeClassCEL", True, in_env("AWS_FEATURE_GATES", "NodeClassCEL=true")),
]
REFUSED = [
    ("webhook", {"enabled": True}, "additional properties 'webhook' not allowed"),
    ("settings.batchMaxDurations", "1s", "at '/settings': additional properties 'batchMaxDurations' not allowed"),
    ("settings.featureGates.drift", True, "at '/settings/featureGates': additional properties 'drift' not allowed"),
    ("settings.featureGates.nodeRepair", "yes", "at '/settings/featureGates/nodeRepair'"),
    ("mode", "act", "at '/mode': value must be one of 'observe', 'prepare', 'full'"),
    ("mode", "full", "settings.clusterName: the name of the EKS cluster is needed for mode: full"),
    ("replicas", "two", "at '/replicas': got string, want null or integer"),
    ("logLevel", "warn", "at '/logLevel': value must be one of"),
    ("controller.image.repository", "", "controller.image.repository: the name of an image is needed"),
    ("controller.image.repository", "public.ecr.aws/karpenter/controller", "is Karpenter's image"),
    ("settings.isolatedVPC", "maybe", "at '/settings/isolatedVPC'"),
    ("settings.batchMaxDuration", "10", "at '/settings/batchMaxDuration'"),
    ("settings.amiRefreshInterval", "-1m", "at '/settings/amiRefreshInterval'"),
    ("settings.vmMemoryOverheadPercent", "7%", "at '/settings/vmMemoryOverheadPercent'"),
    ("settings.vmMemoryOverheadPercent", 7.5, "at '/settings/vmMemoryOverheadPercent'"),
    ("settings.reservedENIs", "abc", "at '/settings/reservedENIs'"),
    ("settings.reservedENIs", 1.5, "at '/settings/reservedENIs'"),
    ("podLabels", {"app.kubernetes.io/name": "x"}, "at '/podLabels/app.kubernetes.io~1name': false schema"),
    ("additionalLabels", {"app.kubernetes.io/instance": "x"}, "at '/additionalLabels/app.kubernetes.io~1instance': false schema"),
    ("podDisruptionBudget", None, "missing property 'podDisruptionBudget'"),
    ("mode", None, "missing property 'mode'"),
    ("controller.image.digest", "latest", "at '/controller/image/digest'"),
]


def paths(value, path=""):
    """Those of a values.yaml, as far as the schema names what is in them: (path, whether it is a section)."""
    if isinstance(value, dict) and value and "properties" in schema_of(path):
        return [(path, True)] + [found for k, v in value.items() for found in paths(v, path + "." + k if path else k)]
    return [(path, False)]


def schema_of(path):
    with open(os.path.join(CHART, "values.schema.json"), encoding="utf-8") as text:
        at = json.load(text)
    for word in filter(None, path.split(".")):
        at = at["properties"][word]
    return at


def default_paths():
    with open(os.path.join(CHART, "values.yaml"), encoding="utf-8") as text:
        return paths(yaml.safe_load(text))[1:]


def nulls(value):
    """The places of null in an object."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [str(k) for k, v in pairs if v is None] + ["%s.%s" % (k, found) for k, v in pairs for found in nulls(v)]


def every_null(helm):
    """Null is Helm's way to take a default away: each value without it renders, or the schema names what is missing. No template fails over it."""
    whole = merged({"mode": "full", "settings": {"clusterName": "shop"}, "serviceMonitor": {"enabled": True}}, IMAGE)
    for path, _ in default_paths():
        values = helm.values(merged(whole, tree(path, None)))
        done = helm.run("template", "provisioner", CHART, "--api-versions", "monitoring.coreos.com/v1", *values, status=None)
        if done.returncode != 0:
            assert any(words in done.stderr for words in ("missing property '%s'" % path.split(".")[-1], "needed")), "%s: null: %s" % (path, done.stderr)
            continue
        for found in yaml.load_all(done.stdout, OneOfAKey):
            assert not nulls(found), "%s: null: %s: %s" % (path, found["kind"], nulls(found))


def every_value(helm):
    whole = {"mode": "full", "settings": {"clusterName": "shop"}}
    for path, value, check, *more in VALUES:
        objects = helm.render(merged(merged(whole, more[0] if more else {}), tree(path, value)), apis=["monitoring.coreos.com/v1"])
        assert check(objects), "%s: %s is not to be seen in: %s" % (path, value, json.dumps(objects))
    for path, value, words in REFUSED:
        said = helm.refusal(merged(IMAGE, tree(path, value)))
        assert words in said, "%s: %s: %s" % (path, value, said)
    known = {path for path, section in default_paths() if not section}
    named = {path for path, *_ in VALUES}
    missing = {leaf for leaf in known if not any(path == leaf or path.startswith(leaf + ".") for path in named)}
    assert not missing, "values that nothing here tries: %s" % sorted(missing)
    return len(VALUES), len(REFUSED)


def lint(helm):
    for mode in MANIFESTS:
        said = helm.run("lint", "--strict", CHART, *helm.values(merged(IMAGE, {"mode": mode, "settings": {"clusterName": "shop"}}))).stdout
        assert "1 chart(s) linted, 0 chart(s) failed" in said, said


# ---- on a cluster

class Release:
    """An installation, in a namespace and with a name of its own."""
    name, ns = "buyer", "binpack-system"
    full = "buyer-provisioner"

    def __init__(self, helm, admin, wait_for, mode="observe", **values):
        self.helm, self.admin, self.wait_for = helm, admin, wait_for
        admin.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.ns, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
        self.ports = free_ports(2)
        self.value = merged(IMAGE, merged({"mode": mode, "controller": {"metrics": {"port": self.ports[0]}, "healthProbe": {"port": self.ports[1]}}}, values))
        helm.run("install", self.name, CHART, "--namespace", self.ns, *helm.values(self.value))

    def upgrade(self, **values):
        self.value = merged(self.value, values)
        self.helm.run("upgrade", self.name, CHART, "--namespace", self.ns, *self.helm.values(self.value))

    def uninstall(self):
        self.helm.run("uninstall", self.name, "--namespace", self.ns)

    def manifest(self):
        return [d for d in yaml.safe_load_all(self.helm.run("get", "manifest", self.name, "--namespace", self.ns).stdout) if d]

    def pods(self, n):
        """Those that the controllers make of the Deployment as it is now; they wait for nodes of somebody else's."""
        path = "/api/v1/namespaces/%s/pods?labelSelector=app.kubernetes.io/instance%%3D%s" % (self.ns, self.name)
        wanted = container_of(self.manifest())["args"]

        def check():
            found = [p for p in self.admin.ask("GET", path)[1]["items"] if "deletionTimestamp" not in p["metadata"] and p["spec"]["containers"][0].get("args") == wanted]
            return sorted(found, key=lambda p: p["metadata"]["name"]) if len(found) == n else None
        return self.wait_for("%d pods of the chart's Deployment" % n, check, 60)

    def start(self, cluster, image, pod, folder, **extra):
        service = pods.PodService(image, cluster, self.admin, pod, folder, **extra)
        self.wait_for("the service of pod " + pod["metadata"]["name"], service.ready, 60)
        return service


def server_rights(cluster, token, ns):
    """What the API server says that the bearer of a token may do in a namespace, without what everybody may."""
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": ns}}
    rules = Admin(cluster, token).ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", review)[1]["status"]["resourceRules"]
    found = {(v, g, r) for rule in rules for v in rule["verbs"] for g in rule.get("apiGroups", [""]) for r in rule["resources"]}
    return {right for right in found if right[1] not in ("authorization.k8s.io", "authentication.k8s.io")}


def on_cluster(release, cluster, image, folder, say, audit):
    """Installed where pods must be restricted; the image started as the pod says; more rights with another mode; all gone afterwards, but for the CRDs.
    `audit` is called with what is installed once the program has asked for all that it asks for."""
    admin, wait_for = release.admin, release.wait_for
    pod, = release.pods(1)
    service = release.start(cluster, image, pod, folder)
    try:
        own = "%s/%s" % (release.ns, pod["metadata"]["name"])
        # It waits for a node, but for none that could be bought: a provisioner that buys a node for itself would never let go of it.
        wait_for("a plan", service.plan)
        verdict, = json.loads(service.get("/debug/explain?pod=" + own)[1])["pods"]
        # Where a scenario before this one has left a node of no NodePool, it runs there.
        assert verdict["verdict"] == "no-need" and verdict["message"] in ("refuses nodes of a NodePool", "bound to a node"), verdict
        assert os.stat("/proc/%d" % service.process.pid).st_uid == pod["spec"]["containers"][0]["securityContext"]["runAsUser"]
        audit(release.manifest())
        given = rights.given(release.manifest(), release.full)
        assert server_rights(cluster, service.token, release.ns) == given, server_rights(cluster, service.token, release.ns) ^ given
        assert not [right for right in given if right[0] not in ("list", "watch")], given
    finally:
        took, said = service.stop()
    assert service.process.returncode == 0 and took < 5, (service.process.returncode, took, said)
    release.upgrade(mode="full", settings={"clusterName": "shop"})
    release.pods(2)
    more = rights.given(release.manifest(), release.full)
    granted = {ns: server_rights(cluster, admin.token_of(release.ns, release.full), ns) for ns in (release.ns, "kube-system", "default")}
    dns, leases = {("get", "", "services")}, {(verb, "coordination.k8s.io", "leases") for verb in ("create", "get", "patch")}
    assert granted == {release.ns: more - dns, "kube-system": more - leases, "default": more - dns - leases}, granted
    say("installed: %d rights to read; mode full: %d more, of which %d hold in one namespace" % (len(given), len(more - given), len(dns | leases)))
    crds = admin.ask("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")[1]["items"]
    release.uninstall()
    names = {o["metadata"]["name"] for kind in ("clusterroles", "clusterrolebindings") for o in admin.ask("GET", "/apis/rbac.authorization.k8s.io/v1/" + kind)[1]["items"]}
    assert not [name for name in names if name.startswith(release.full)], names
    assert len(admin.ask("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")[1]["items"]) == len(crds) >= 5
