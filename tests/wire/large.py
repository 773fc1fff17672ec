#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service on a large cluster that a list/watch server over TLS makes up: how much memory it takes, how long it stands still, and that it
knows what is there after several new lists with churn. Prints TAP and the figures.

  large.py PROVISIONER [--pods N] [--nodes N] [--waiting N] [--memory MB]
  large.py PROGRAM --peer [--pods N] [--nodes N]

With --peer the program is one of client-go's informers (tests/e2e/testbed/k8s/informers, built with go build), which follows the same server through the
same lists: what it needs is shown, for comparison, and nothing else is asked of it.

--memory is a limit for the largest resident size (VmHWM); without it the size is only shown (sanitizers need memory of their own).
"""
import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from api_server import BUILT_IN, ApiServer

RELISTS = 3
FIELDS = {"f:metadata": {"f:labels": {"f:app": {}}, "f:generateName": {}}, "f:spec": {"f:containers": {'k:{"name":"main"}': {"f:image": {}, "f:env": {}}}}}
options = None


def pod(i, times, pending=False):
    """Pod number i after it was made anew `times` times."""
    workload, name = i % 400, "web-%d-%08x-%05d" % (i % 400, i % 400 * 7919, i * 4 + times)
    labels = {"app": "web-%d" % workload, "pod-template-hash": "%08x" % (workload * 7919), "team": "team-%d" % (workload % 30)}
    spec = {"schedulerName": "default-scheduler", "priority": 0, "restartPolicy": "Always", "serviceAccountName": "default",
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}],
            "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway",
                                           "labelSelector": {"matchLabels": {"app": "web-%d" % workload}}}] if workload % 5 == 0 else [],
            "containers": [{"name": "main", "image": "registry.example/web:%d" % workload, "env": [{"name": "A%d" % n, "value": "x" * 40} for n in range(12)],
                            "resources": {"requests": {"cpu": "%dm" % (50 + workload % 7 * 25), "memory": "%dMi" % (128 + workload % 5 * 64)}}}]}
    status = {"phase": "Pending" if pending else "Running", "qosClass": "Burstable",
              "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}] if pending else
              [{"type": t, "status": "True", "lastTransitionTime": "2026-08-01T10:00:00Z"} for t in ("PodScheduled", "Initialized", "ContainersReady", "Ready")]}
    if not pending:
        spec["nodeName"] = "ip-10-%d-%d-%d.ec2.internal" % (i % options.nodes // 65536, i % options.nodes // 256 % 256, i % options.nodes % 256)
        status["containerStatuses"] = [{"name": "main", "ready": True, "restartCount": 0, "imageID": "sha256:" + "0" * 64, "state": {"running": {}}}]
    return {"metadata": {"name": name, "namespace": "ns-%d" % (workload % 40), "uid": "%08x-0000-4000-8000-%012x" % (i, times),
                         "resourceVersion": str(1000 + times), "creationTimestamp": "2026-08-01T10:00:00Z", "labels": labels,
                         "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name[:-6], "controller": True, "uid": "r%d" % workload}],
                         "managedFields": [{"manager": "kube-controller-manager", "operation": "Update", "fieldsV1": FIELDS}]},
            "spec": spec, "status": status}


def node(i):
    name = "ip-10-%d-%d-%d.ec2.internal" % (i // 65536, i // 256 % 256, i % 256)
    amounts = {"cpu": "8", "memory": "32Gi", "pods": "110", "ephemeral-storage": "80Gi"}
    return {"metadata": {"name": name, "uid": "n%d" % i, "resourceVersion": "5",
                         "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
                                    "node.kubernetes.io/instance-type": "m5.2xlarge", "topology.kubernetes.io/zone": "us-east-1" + "abc"[i % 3],
                                    "topology.kubernetes.io/region": "us-east-1", "karpenter.sh/capacity-type": "on-demand"}},
            "spec": {"providerID": "aws:///us-east-1a/i-%017x" % i}, "status": {"capacity": amounts, "allocatable": amounts,
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-08-01T10:00:00Z"}],
            "images": [{"names": ["registry.example/web:%d" % k], "sizeBytes": 1} for k in range(20)]}}


class Made:
    """A list whose items are made when they are asked for."""

    def __init__(self, n, make):
        self.n, self.make = n, make

    def __len__(self):
        return self.n

    def __getitem__(self, part):
        return [self.make(i) for i in range(*part.indices(self.n))]


class Pods(Made):
    """Of each generation a tenth is made anew."""
    generation = 0

    def __init__(self, n):
        super().__init__(n, lambda i: pod(i, sum(i % 10 == g % 10 for g in range(1, self.generation + 1))))


class Bench:
    def __init__(self, folder):
        self.server = ApiServer(folder)
        self.pods = Pods(options.pods)
        self.server.objects.update((path, []) for path in BUILT_IN)
        self.server.kinds = {"/api/v1/" + path: kind + "List" for path, kind in (
            ("pods", "Pod"), ("nodes", "Node"), ("services", "Service"), ("namespaces", "Namespace"), ("persistentvolumes", "PersistentVolume"),
            ("persistentvolumeclaims", "PersistentVolumeClaim"), ("limitranges", "LimitRange"))}
        self.server.objects["/api/v1/pods"], self.server.objects["/api/v1/nodes"] = self.pods, Made(options.nodes, node)
        self.turns = [threading.Event() for _ in range(RELISTS + 1)]
        expired = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}}
        waiting = [{"type": "ADDED", "object": {"kind": "Pod", "apiVersion": "v1", **pod(options.pods + i, 0, pending=True)}} for i in range(options.waiting)]
        self.server.watches["/api/v1/pods"] = [[turn.wait, expired] for turn in self.turns[:RELISTS]] + [[self.turns[RELISTS].wait, *waiting, threading.Event().wait]]
        config = os.path.join(folder, "config.json")
        with open(config, "w", encoding="utf-8") as out:
            json.dump({"clusters": [{"name": "c", "cluster": {"server": self.server.address, "certificate-authority": "ca.crt"}}], "users": [{"name": "u", "user": {}}],
                       "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}], "current-context": "x"}, out)
        env = {k: v for k, v in os.environ.items() if "proxy" not in k.lower() and not k.startswith(("KUBE", "BINPACK_"))}
        self.log = open(os.path.join(folder, "log"), "w+", encoding="utf-8")
        self.begun = time.monotonic()
        self.start(config, env)

    def start(self, config, env):
        # Whichever port is free; the log does not say it, so two are tried.
        import socket
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.process = subprocess.Popen([options.provisioner, "--mode=observe", "--kubeconfig=" + config, "--bind-address=127.0.0.1",
                                         "--metrics-port=%d" % self.port, "--health-probe-port=%d" % self.port],
                                        env=env, stdout=self.log, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)

    def get(self, path):
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open("http://127.0.0.1:%d%s" % (self.port, path), timeout=60) as answer:
                return answer.read().decode()
        except OSError:
            assert self.process.poll() is None, "the service has ended: " + self.process.stderr.read()[-1000:]
            return ""

    def metric(self, name):
        for line in self.get("/metrics").splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        return 0

    def wait(self, what, check, seconds=600):
        end = time.monotonic() + seconds
        while not check():
            assert time.monotonic() < end, "not in %d s: %s" % (seconds, what)
            time.sleep(0.05)                       # there is no other way to ask

    def cpu_s(self):
        with open("/proc/%d/stat" % self.process.pid, encoding="ascii") as stat:
            words = stat.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self):
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))

    def end(self):
        for turn in self.turns:
            turn.set()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.communicate(timeout=60)
        finally:
            self.process.kill()


class Peer(Bench):
    def start(self, config, env):
        self.process = subprocess.Popen([options.provisioner, config], env=env, stdout=subprocess.PIPE, stderr=self.log, stdin=subprocess.DEVNULL, text=True)

    def wait_until(self, check):
        for line in self.process.stdout:
            if check(json.loads(line)):
                return
        raise AssertionError("it has ended")


def run_peer(bench):
    def figures_of():
        return "VmHWM %.0f MB, %.1f CPU s" % (bench.peak_mb(), bench.cpu_s())
    bench.wait_until(lambda line: line["synced"] and line["pods"] == options.pods)
    print("# %d pods, %d nodes read after %.1f s; %s" % (options.pods, options.nodes, time.monotonic() - bench.begun, figures_of()), flush=True)
    for turn in range(RELISTS):
        bench.pods.generation = turn + 1
        bench.turns[turn].set()
        expected = options.pods + (turn + 1) * (options.pods // 10) * 2
        bench.wait_until(lambda line, e=expected: line["changes"] >= e)
    print("# after %d lists with a tenth anew each: %s" % (RELISTS, figures_of()), flush=True)


def figures(bench):
    freezes = bench.metric("binpack_snapshot_seconds_count")
    return "VmHWM %.0f MB, state %.0f MB, %.1f CPU s; %d freezes, %.2f ms each" % (
        bench.peak_mb(), bench.metric("binpack_state_bytes") / 1e6, bench.cpu_s(), freezes, 1000 * bench.metric("binpack_snapshot_seconds_sum") / max(freezes, 1))


def run(bench):
    changes = 'binpack_changes_total{resource="pods"}'
    bench.wait("all is read", lambda: bench.get("/readyz") == "ok\n")
    print("# %d pods, %d nodes read after %.1f s; %s" % (options.pods, options.nodes, time.monotonic() - bench.begun, figures(bench)), flush=True)
    for turn in range(RELISTS):
        bench.pods.generation = turn + 1
        bench.turns[turn].set()
        expected = options.pods + (turn + 1) * (options.pods // 10) * 2
        bench.wait("list %d" % (turn + 2), lambda e=expected: bench.metric(changes) >= e)
        assert bench.metric(changes) == expected, (bench.metric(changes), expected)
    assert bench.metric('binpack_objects{resource="pods"}') == options.pods
    state = json.loads(bench.get("/debug/state"))
    assert state["synced"] and {k["resource"]: k["objects"] for k in state["kinds"]}["nodes"] == options.nodes
    print("# after %d lists with a tenth anew each: %s" % (RELISTS, figures(bench)), flush=True)
    peak = bench.peak_mb()
    bench.turns[RELISTS].set()
    bench.wait("the plan for %d pods" % options.waiting, lambda: '"pendingPods": %d,' % options.waiting in bench.get("/debug/plan"))

    def plans():
        """Of all the waiting pods; a first plan is shown before the search for a cheaper one has ended."""
        bench.log.seek(0)
        lines = [json.loads(line) for line in bench.log if line.endswith("\n")]
        return [line for line in lines if line["message"] == "computed plan" and line["pods"] == options.waiting]
    bench.wait("the end of the search", plans)
    last = plans()[-1]
    print("# a plan for %d pods took %s; %s" % (options.waiting, last["duration"], figures(bench)), flush=True)
    worst = max(float(line.split('le="')[1].split('"')[0]) for line in bench.get("/metrics").splitlines()
                if line.startswith("binpack_snapshot_seconds_bucket") and "+Inf" not in line and float(line.split()[-1]) < bench.metric("binpack_snapshot_seconds_count")) \
        if bench.metric('binpack_snapshot_seconds_bucket{le="0.00001"}') < bench.metric("binpack_snapshot_seconds_count") else 0
    print("# no freeze took longer than the next bound above %g s" % worst)
    turns = {float(le): int(n) for le, n in re.findall(r'binpack_loop_turn_seconds_bucket{le="([0-9.]+)"} (\d+)', bench.get("/metrics"))}
    total = bench.metric("binpack_loop_turn_seconds_count")
    print("# turns of the loop: %d; longer than %s" % (total, ", ".join("%g s: %d" % (le, total - n) for le, n in sorted(turns.items()) if 0.001 <= le <= 0.1)))
    assert options.memory is None or peak < options.memory, "VmHWM is %.0f MB, not below %d" % (peak, options.memory)


def main():
    global options
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("provisioner")
    parser.add_argument("--pods", type=int, default=6000)
    parser.add_argument("--nodes", type=int, default=300)
    parser.add_argument("--waiting", type=int, default=50)
    parser.add_argument("--memory", type=int)
    parser.add_argument("--peer", action="store_true")
    options = parser.parse_args()
    options.provisioner = os.path.abspath(options.provisioner)
    print("1..1")
    with tempfile.TemporaryDirectory() as folder:
        bench = Peer(folder) if options.peer else Bench(folder)
        try:
            run_peer(bench) if options.peer else run(bench)
        except AssertionError as fault:
            bench.log.seek(0)
            print("not ok 1 - a large cluster\n# %s\n# %s" % (fault, bench.log.read()[-1500:].replace("\n", "\n# ")))
            return 1
        finally:
            bench.end()
    print("ok 1 - a large cluster")
    return 0


if __name__ == "__main__":
    sys.exit(main())
