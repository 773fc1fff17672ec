# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/ tells operators to do, done: the commands of its pages as they stand, on a real control plane with moto for EC2, with helm, kubectl and the image."""
import json
import os
import re
import subprocess
import tempfile
import threading
import traceback

import yaml

import chart as charts
import full
import image as images
import pods
import prepare
import rights
from cluster import Admin
from karpenter_left import LEASE, Left
from machines import Machines
from prepare import NAME, ROOT, Skipped, wait_for
from proxy import REGION
from service import free_ports

# What asks AWS itself, or a registry; and the image, which `./dev image --test` makes.
ELSEWHERE = ("aws", "skopeo", "crane", "./dev")
N_ADOPTED = 20
PODS = "/api/v1/namespaces/kube-system/pods?labelSelector=app.kubernetes.io/name%3Dprovisioner"


def steps(page):
    """(language, text) of the blocks of a page, in their order: `sh` one command each, others whole."""
    with open(os.path.join(ROOT, "docs", page), encoding="utf-8") as text:
        blocks = re.findall(r"^```(\w+)\n(.*?)^```$", text.read(), re.S | re.M)
    for language, block in blocks:
        if language == "sh":
            for command in re.findall(r"^for .*?^done$|^[^\n]+$", block, re.S | re.M):
                yield language, command
        else:
            yield language, block


def is_elsewhere(command):
    return any(re.search(r"^\s*%s " % re.escape(word), command, re.M) for word in ELSEWHERE)


class Kubelet:
    """Runs the image for each pod of the chart's Deployment that has a node. kwok says of them what a kubelet says; here are the processes."""

    def __init__(self, world, image):
        self.world, self.image, self.extra = world, image, {}
        self.admin, self.running, self.all = Admin(world.cluster), {}, []
        self.over, self.broken = threading.Event(), None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while not self.over.wait(0.2):                     # as a kubelet looks
                self.look()
        except Exception:                                      # told by close()
            self.broken = traceback.format_exc()

    def look(self):
        there = {p["metadata"]["uid"]: p for p in self.admin.ask("GET", PODS)[1]["items"] if "nodeName" in p["spec"] and "deletionTimestamp" not in p["metadata"]}
        for uid in set(self.running) - set(there):
            self.running.pop(uid).stop()
        for uid in set(there) - set(self.running):
            # All share the network of this machine, where each needs ports of its own. kwok does not wait with the end of a pod for that of its process, which
            # has a Lease to give up, so the token must outlive the pod.
            service = pods.PodService(self.image, self.world.cluster, self.admin, there[uid], self.world.folder, ports=free_ports(2), bound=False, **self.extra)
            self.running[uid] = service
            self.all.append(service)

    def close(self):
        self.over.set()
        self.thread.join()
        for service in self.running.values():
            service.stop()
        assert self.broken is None, self.broken


class World(full.World):
    """An AWS, and a cluster with two nodes that are for critical pods only. Nothing is installed."""

    def fill(self):
        self.fill_aws()
        self.aws.proxy.products = self.aws.prices_of(full.PRICES)
        self.aws.proxy.cloud.prices = {(name, "on-demand"): price for name, price in full.PRICES.items()}
        self.aws.proxy.clusters[NAME]["endpoint"] = self.cluster.address
        self.machines = Machines(self.aws.moto, self.admin)
        room = {"cpu": "4", "memory": "16Gi", "pods": "58"}
        for i, zone in enumerate("ab"):
            labels = {"topology.kubernetes.io/zone": REGION + zone, "kubernetes.io/os": "linux", "kubernetes.io/hostname": "own-%d" % i}
            self.admin.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "own-%d" % i, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
                              "spec": {"taints": [{"key": "CriticalAddonsOnly", "effect": "NoSchedule"}]}, "status": {"capacity": room, "allocatable": room}})
        folder = tempfile.mkdtemp(dir=self.folder)
        images.make(os.path.join(os.path.dirname(self.aws.options.binpack), "..", "..", "..", "release"), folder)
        self.kubelet = Kubelet(self, images.Image(os.path.join(folder, "layout"), os.path.join(folder, "root")))
        self.services = self.kubelet.all
        self.desk = tempfile.mkdtemp(dir=self.folder)
        os.symlink(os.path.join(ROOT, "deploy"), os.path.join(self.desk, "deploy"))
        self.exports = []

    def nodes(self):
        return {name: node for name, node in super().nodes().items() if not name.startswith("own-")}

    def close(self, wipe):
        self.kubelet.close()
        self.services = []
        super().close(wipe)

    def shell(self, command):
        """Says what the command says; exports hold for those that follow."""
        if command.startswith("export "):
            self.exports.append(command)
        env = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
        path = os.pathsep.join([self.clients, os.path.dirname(self.aws.options.binpack), env["PATH"]])
        env.update(self.aws.environment(), HOME=self.desk, KUBECONFIG=self.cluster.kubeconfig, PATH=path, HELM_CACHE_HOME=self.desk, HELM_CONFIG_HOME=self.desk, HELM_DATA_HOME=self.desk)
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", "\n".join([*self.exports, command])], env=env, cwd=self.desk, capture_output=True, text=True, timeout=900,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == 0, "$ %s\nexit status %d: %s%s\n%s" % (command, done.returncode, done.stdout[-1500:], done.stderr[-1500:], self.trouble())
        return done.stdout

    def trouble(self):
        return json.dumps([s.log()[-6:] for s in self.kubelet.running.values()], indent=1) + str(self.kubelet.broken)

    def let_in(self, user):
        """With keys that may do what the policies that the page had filled in allow."""
        statements = []
        for name in ("provisioner-prepare.json", "provisioner-full.json"):
            with open(os.path.join(self.desk, name), encoding="utf-8") as text:
                statements += json.load(text)["Statement"]
        assert "${" not in json.dumps(statements), statements
        keys = self.aws.user_with({"Version": "2012-10-17", "Statement": statements}, user)
        self.kubelet.extra = {k: v for k, v in self.aws.environment(**keys).items() if k.startswith("AWS_")}
        self.aws.proxy.check(True)
        self.aws.proxy.asked.clear()
        return keys["AWS_ACCESS_KEY_ID"]

    def follow(self, page, before=lambda command: None):
        """All steps of a page; `before` is called ahead of each command that is run. (run, left to other places)"""
        n_run, left = 0, 0
        for language, text in steps(page):
            if language == "yaml":
                with open(os.path.join(self.desk, re.match(r"# (\S+\.yaml)\n", text)[1]), "w", encoding="utf-8") as out:
                    out.write(text)                # its first line says what it is called
            elif language == "sh" and is_elsewhere(text):
                left += 1
            elif language == "sh":
                before(text)
                self.shell(text)
                n_run += 1
        return n_run, left


def within(aws, body):
    if not os.path.exists(os.path.join(os.popen(os.path.join(prepare.HERE, "testbed", "build") + " --print").read().strip(), "kube-apiserver")):
        raise Skipped("the servers of the control plane are not built: ./dev e2e --setup")
    clients = charts.find_clients()
    if clients is None:
        raise Skipped("there are no helm and kubectl: ./dev e2e --setup")
    if os.geteuid() != 0:
        raise Skipped("only root can start an image without a container engine")
    world, good = World(aws), False
    world.clients = clients
    try:
        world.fill()
        body(world)
        good = True
    finally:
        aws.proxy.check(False)
        world.close(wipe=good and not aws.options.keep)


def getting_started(aws):
    """From nothing to a node that pods run on, and back to nothing."""
    def body(world):
        key = []

        def before(command):
            if command.startswith("helm install"):
                aws.proxy.asked.clear()
            if "mode=full" in command:
                wait_for("the service", lambda: [s for s in world.kubelet.running.values() if s.ready()])
                assert not aws.proxy.asked, "mode observe has asked AWS: %s" % aws.proxy.asked[:3]
                key.append(world.let_in("guide"))
            if command.startswith(("kubectl delete node ", "kubectl delete deployment pause")):
                world.until_running(3)
                _, nodes, instances = world.until_whole()
                aws.say("3 pods run on %d nodes (%s)" % (len(nodes), ", ".join(sorted(i["InstanceType"] for i in instances.values()))))
            if command.startswith("helm uninstall"):
                installed = world.shell("helm get manifest provisioner --namespace kube-system")
                world.given = rights.given([d for d in yaml.safe_load_all(installed) if d], "provisioner")
        n_run, left = world.follow("getting-started.md", before)
        assert not world.instances() and "provisioner" not in world.shell("helm list -n kube-system --short")
        assert "karpenter" not in world.shell("kubectl get crds -o name")
        refused = [need for who, need, allowed in aws.proxy.judged if who == key[0] and not allowed]
        assert not refused, refused
        asked = rights.asked(os.path.join(world.cluster.folder, "audit.log"), "system:serviceaccount:kube-system:provisioner")
        unused = {r for r in world.given - asked if r[0] != "list"} - rights.SELDOM
        assert not asked - world.given, asked - world.given
        assert not unused, unused
        aws.say("%d commands of docs/getting-started.md run, %d left to those with an AWS account; %d rights of the chart, no other" % (n_run, left, len(world.given)))
    within(aws, body)


def no_change(left, before):
    """Claims, nodes and instances as they were; what differs is shown."""
    after = left.picture()
    for was, is_now in zip(before[:2], after[:2]):
        changed = {n: (was.get(n), is_now.get(n)) for n in {*was, *is_now} if was.get(n) != is_now.get(n)}
        assert not changed, json.dumps(changed)[:3000]
    assert before[2] == after[2], before[2] ^ after[2]


def replace_karpenter(aws):
    """On what Karpenter leaves: watched, taken over, given back. Nothing is bought or deleted; what is written is counted."""
    def body(world):
        world.shell("cat > nodepool.yaml <<'YAML'\n%s\nYAML" % next(text for language, text in steps("getting-started.md") if language == "yaml" and "NodePool" in text))
        for language, text in steps("getting-started.md"):     # what the page builds upon
            if text.startswith(("export ", "binpack catalog", "gzip ", "kubectl --namespace kube-system create configmap", "for part in")) and not is_elsewhere(text):
                world.shell(text)
            elif "# observe.yaml" in text:
                world.shell("cat > observe.yaml <<'YAML'\n%s\nYAML" % text)
        world.shell("kubectl apply -f deploy/crds.yaml && kubectl wait --for=condition=Established crd --all --timeout=60s")
        left = Left(world, N_ADOPTED)
        left.run_pods(3 * N_ADOPTED)
        pictures, took = [left.picture()], {}

        def before(command):
            if command.startswith("kubectl --namespace kube-system scale deployment/karpenter --replicas=0"):
                no_change(left, pictures[0])
                took["observed"] = set(writes(world))
                world.let_in("successor")
                left.lease("")                                 # as Karpenter does when it ends
            if command.startswith("kubectl get nodeclaims"):
                took["calls"] = take_over(world, left, pictures[0])
        n_run, elsewhere = world.follow("replacing-karpenter.md", before)
        assert not elsewhere
        wait_for("the Lease is free", left.lease_is_free)
        no_change(left, pictures[0])
        assert not took["observed"], "written in mode observe: %s" % took["observed"]
        aws.say("%d commands of docs/replacing-karpenter.md; %d NodeClaims of Karpenter's taken over and given back: 0 launches, 0 deletions; written: %s; asked of EC2: %s"
                % (n_run, N_ADOPTED, ", ".join("%s %s %d" % (*what, n) for what, n in sorted(writes(world).items())), took["calls"]))
    within(aws, body)


def writes(world):
    """{(verb, resource): how often} that the program has asked the API server for."""
    found = rights.counted(os.path.join(world.cluster.folder, "audit.log"), "system:serviceaccount:kube-system:provisioner")
    return {(verb, resource): n for (verb, _, resource), n in found.items() if verb not in ("get", "list", "watch")}


def take_over(world, left, before):
    """It holds the Lease, has looked at all instances twice, which is when it would collect, and has gone on."""
    asked = world.aws.proxy.asked

    def lists():
        return [a for a, _, form, _ in asked if a == "DescribeInstances" and "InstanceId.1" not in form]
    wait_for("it holds the Lease", lambda: left.admin.ask("GET", LEASE)[1]["spec"]["holderIdentity"].startswith("provisioner-"))
    wait_for(lambda: "two lists of all instances: %s\n%s" % (lists(), world.trouble()), lambda: len(lists()) >= 2, 480)
    so_far = len(asked)
    wait_for("the next question to AWS", lambda: len(asked) > so_far, 120)
    no_change(left, before)
    changes = [a for a, _, form, _ in asked if a in ("CreateFleet", "RunInstances", "TerminateInstances", "CreateTags") and form.get("DryRun") != "true"]
    assert not changes, changes
    written = writes(world)
    assert not [w for w in written if w[1] in ("nodes", "nodes/status", "pods/eviction") or w in (("create", "nodeclaims"), ("delete", "nodeclaims"))], written
    names = [a for a, *_ in asked]
    return ", ".join("%s %d" % (name, names.count(name)) for name in sorted(set(names)))
