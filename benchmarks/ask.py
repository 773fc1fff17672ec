# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions of the command line on 100,000 pods: seconds of processor of each command beside reading its input. Used by benchmarks/run."""
import json
import os
import re
import subprocess
import sys

GOAL = 2.0
CLOCK_MAX = 300  # seconds; what takes longer is stopped, and said so
HEAD = ["question on 100,000 pods", "input", "read s", "beside reading s", "seconds", "peak MiB", ""]


def extra_objects():
    """A workload to scale, and one whose pods have no place."""
    def deployment(name, replicas, cpu):
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "default"}, "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}}, "spec": {
                "containers": [{"name": "a", "image": "x", "resources": {"requests": {"cpu": cpu, "memory": "1Gi"}}}]}}}}
    return {"apiVersion": "v1", "kind": "List", "items": [deployment("scaled", 20, "250m"), deployment("stuck", 1, "5k")]}


def write(folder, name, value):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as out:
        json.dump(value, out)
    return path


def make(bench, folder, family, pods):
    where = os.path.join(folder, family)
    subprocess.run([sys.executable, bench, "make", family, where, "-n", str(pods)], check=True, stdout=subprocess.DEVNULL)
    return ["-f", os.path.join(where, "cluster.json"), "--catalog", os.path.join(where, "catalog.json")]


def held_node(cluster, path):
    """Names of two nodes of the cluster; `path` becomes the second one, which may not be disrupted."""
    with open(cluster, encoding="utf-8") as file:
        nodes = [o for o in json.load(file)["items"] if o["kind"] == "Node"]
    node = nodes[len(nodes) // 2]
    node["metadata"].setdefault("annotations", {})["karpenter.sh/do-not-disrupt"] = "true"
    with open(path, "w", encoding="utf-8") as out:
        json.dump(node, out)
    return nodes[0]["metadata"]["name"], node["metadata"]["name"]


def commands(folder, diverse, cluster):
    """(question, input, words, whether --timings is taken)."""
    extra = write(folder, "extra.json", extra_objects())
    usage = os.path.join(folder, "usage.csv")
    with open(usage, "w", encoding="utf-8") as out:
        out.write("namespace,pod,container,resource,p95\n*,*1,*,cpu,150m\n*,*,*,memory,400Mi\n")
    held_file = os.path.join(folder, "held.json")
    # In a process of its own: what this one holds would count as the peak of the programs that it starts.
    node, held = subprocess.run([sys.executable, os.path.abspath(__file__), cluster[1], held_file], capture_output=True, text=True,
                                check=True).stdout.split()
    plan = os.path.join(folder, "plan.json")
    more = diverse + ["-f", extra]
    yield "simulate -o json", "diverse", ["--simulate", *diverse, "-o", "json=" + plan], True
    yield "explain POD, placed", "diverse", ["explain", "default/p-000204", *diverse], True
    yield "explain POD, without a place", "diverse", ["explain", "default/stuck-0", *more], True
    yield "explain nodepool/P", "diverse", ["explain", "nodepool/default", *diverse], True
    yield "explain node/N", "cluster", ["explain", "node/" + node, *cluster], True
    yield "explain node/N, annotated", "cluster", ["explain", "node/" + held, *cluster, "-f", held_file], True
    yield "compare --with on-demand", "diverse", ["compare", "--with", "on-demand", *diverse], True
    yield "compare --with requests=p95:FILE", "diverse", ["compare", "--with", "requests=p95:" + usage, *diverse], True
    yield "compare --price-constraints", "diverse", ["compare", "--price-constraints", *diverse], True
    yield "compare", "cluster", ["compare", *cluster], True
    yield "compare --price-constraints", "cluster", ["compare", "--price-constraints", *cluster], True
    for flag in ("--zone-down=us-east-1a", "--deny-type=m*", "--no-spot", "--unavailable=c*:*:spot", "--price-adjust=family in (m7g,c7g): -28%",
                 "--node-surcharge=0.02"):
        for effort in ((), ("--effort=1",)):
            yield " ".join(("simulate", flag.split("=")[0], *effort)), "diverse", ["--simulate", *diverse, flag, *effort, "-o", "json"], True
    yield "simulate --scale --effort=1", "diverse", ["--simulate", *more, "--scale=default/scaled=200", "--effort=1", "-o", "json"], True
    yield "simulate --remove-node", "cluster", ["--simulate", *cluster, "--remove-node=" + node, "-o", "json"], True
    yield "simulate --zone-down", "cluster", ["--simulate", *cluster, "--zone-down=us-east-1a", "-o", "json"], True
    for by in ("pool", "namespace", "label:app", "zone"):
        yield "simulate --by %s --effort=1" % by, "diverse", ["--simulate", *diverse, "--by", by, "--effort=1"], True
    yield "diff of two plans", "-", ["diff", plan, plan], False
    yield "diff of two inputs", "diverse, twice", ["diff", *diverse[2:], diverse[1], diverse[1]], True
    for kind in ("subjects", "nodes", "namespaces", "workloads"):
        for name, words in (("diverse", diverse), ("cluster", cluster)):
            yield "completion " + kind, name, ["completion", kind, *words], False
    yield "validate", "diverse", ["validate", "-f", diverse[1]], False
    yield "validate", "cluster", ["validate", "-f", cluster[1]], False


def seconds_of(stderr, phase):
    return sum(int(m) for m in re.findall(r"timing phase=%s .*cpuMs=(\d+)" % phase, stderr)) / 1000


def rows(binpack, bench, folder, run_with_usage):
    """run_with_usage(words) gives exit status, stderr, seconds of processor and of the clock, peak MiB."""
    diverse = make(bench, folder, "diverse", 100000)
    cluster = make(bench, folder, "cluster", 166000)
    result, reading = [], {"-": 0.0}
    for question, name, words, timed in commands(folder, diverse, cluster):
        print("bench: %s (%s)" % (question, name), file=sys.stderr)
        code, stderr, processor, clock, mib = run_with_usage([binpack, *words, "-q"] + (["--timings"] if timed else []))
        read = seconds_of(stderr, "read") if timed else reading.get(name, 0.0)
        if timed:
            reading[name] = read
        beside = max(0.0, processor - read)
        verdict = "ok" if code in (0, 3) else "stopped after %d s" % CLOCK_MAX if clock >= CLOCK_MAX else "FAILED: exit %d: %s" % (code, stderr.strip().splitlines()[-1][:80] if stderr.strip() else "")
        shown = "%.2f" % beside
        result.append([question, name, "%.2f" % read, shown if beside <= GOAL else "**%s**" % shown, "%.1f" % clock, "%.0f" % mib, verdict])
    return result


if __name__ == "__main__":
    print(*held_node(*sys.argv[1:3]))
