#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Feeds broken, hostile and odd inputs to `binpack --simulate` and looks at what a person sees.

  broken.py BINPACK [NAME...]

Each row says which exit codes are right and which words standard error must hold. For every row: no signal, no sanitizer report, at
most 20 s and 400 MB (more under sanitizers), something on standard error unless the row says silence is right, and no control
character on either stream. Prints TAP."""
import gzip
import io
import json
import os
import re
import resource
import subprocess
import sys
import tempfile

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0", "namespace": "shop"},
       "spec": {"containers": [{"name": "app", "image": "app", "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}}]}}


def pod(**changes):
    """A good pod with paths changed: pod(**{"spec.priority": 7})."""
    out = json.loads(json.dumps(POD))
    for path, value in changes.items():
        at = out
        keys = path.split(".")
        for key in keys[:-1]:
            at = at[int(key)] if isinstance(at, list) else at.setdefault(key, {})
        if isinstance(at, list):
            at[int(keys[-1])] = value
        else:
            at[keys[-1]] = value
    return out


def pool(**changes):
    out = {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": "p"},
           "spec": {"template": {"spec": {"nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "c"},
                                          "requirements": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}]}}}}
    out["spec"]["template"]["spec"].update(changes)
    return out


CLASS = {"apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": {"name": "c"},
         "spec": {"role": "r", "amiSelectorTerms": [{"alias": "al2023@latest"}], "subnetSelectorTerms": [{"tags": {"a": "b"}}],
                  "securityGroupSelectorTerms": [{"tags": {"a": "b"}}]}}
REQ = "spec.containers.0.resources.requests"
J = lambda *objects: "\n".join(json.dumps(o) for o in objects).encode()
LIST = lambda *objects: json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}).encode()
deployment = lambda n: {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "big", "namespace": "shop"}, "spec": {
    "replicas": n, "selector": {"matchLabels": {"app": "big"}},
    "template": {"metadata": {"labels": {"app": "big"}}, "spec": POD["spec"]}}}
ALIAS_BOMB = b"a: &a [x,x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 10)) for i in range(12))
BAD = {1}           # syntax, I/O, limits
DROP = {0, 1, 3}    # one object is refused or warned about, the rest goes on
OK = {0}

# name: (file name, bytes, exit codes, words on stderr)
ROWS = {
    # syntax
    "empty file": ("a.json", b"", DROP, []),
    "only blanks": ("a.json", b" \n\t \n", DROP, []),
    "truncated object": ("a.json", J(POD)[:-30], BAD, ["a.json"]),
    "truncated list": ("a.json", LIST(POD, POD)[:-9], BAD, ["a.json"]),
    "truncated inside a string": ("a.json", J(POD)[:60], BAD, ["a.json"]),
    "truncated yaml": ("a.yaml", b"apiVersion: v1\nkind: Pod\nmetadata: {name: x", BAD, ["a.yaml"]),
    "binary": ("a.json", bytes(range(256)) * 40, BAD, ["a.json"]),
    "binary named yaml": ("a.yaml", bytes(range(256)) * 40, BAD, ["a.yaml"]),
    "elf": ("a.json", b"\x7fELF\x02\x01\x01" + b"\0" * 200, BAD, ["a.json"]),
    "utf-16": ("a.json", J(POD).decode().encode("utf-16"), BAD, ["a.json"]),
    "latin-1": ("a.json", J(POD).replace(b"web-0", b"w\xe9b"), DROP, ["a.json"]),
    "utf-8 byte order mark": ("a.json", b"\xef\xbb\xbf" + J(POD), DROP, []),
    "nul bytes": ("a.json", J(POD).replace(b"web-0", b"we\0b"), DROP, ["a.json"]),
    "trailing garbage": ("a.json", J(POD) + b" }}}} ", BAD, ["a.json"]),
    "items that are no objects": ("a.json", LIST(None, 7, POD, "x", [POD]), OK, ["a.json:1", "expected a Kubernetes object"]),
    "a scalar": ("a.json", b"42", BAD, ["a.json"]),
    "a string": ("a.json", b'"hello"', BAD, ["a.json"]),
    "null": ("a.json", b"null", DROP, []),
    "nested arrays": ("a.json", b"[" * 200000 + b"]" * 200000, BAD, ["a.json"]),
    "nested objects": ("a.json", b'{"a":' * 200000 + b"1" + b"}" * 200000, BAD, ["a.json"]),
    "nested yaml flow": ("a.yaml", b"[" * 200000 + b"]" * 200000, BAD, ["a.yaml"]),
    "nested yaml block": ("a.yaml", b"".join(b" " * i + b"a:\n" for i in range(2000)), BAD, ["a.yaml"]),
    "deep inside a pod": ("a.json", J(POD).replace(b'"image": "app"', b'"x":' + b"[" * 5000 + b"]" * 5000), {0, 1}, ["a.json"]),
    "yaml alias bomb": ("a.yaml", ALIAS_BOMB, BAD, ["a.yaml"]),
    "yaml unknown alias": ("a.yaml", b"a: *nope\n", BAD, ["a.yaml"]),
    "yaml self reference": ("a.yaml", b"a: &a [*a]\n", BAD, ["a.yaml"]),
    "yaml duplicate keys": ("a.yaml", b"apiVersion: v1\nkind: Pod\nkind: Node\nmetadata: {name: x}\n", DROP, ["a.yaml"]),
    "yaml tabs": ("a.yaml", b"apiVersion: v1\n\tkind: Pod\n", BAD, ["a.yaml"]),
    "yaml complex key": ("a.yaml", b"? [a, b]\n: c\n", {0, 1}, ["a.yaml"]),
    "yaml custom tag": ("a.yaml", b"!!python/object/apply:os.system ['true']\n", DROP, ["a.yaml"]),
    "gzip truncated": ("a.json.gz", gzip.compress(J(POD) * 100)[:-20], BAD, ["a.json.gz"]),
    "gzip corrupt": ("a.json.gz", gzip.compress(J(POD))[:20] + b"XXXX" + gzip.compress(J(POD))[24:], BAD, ["a.json.gz"]),
    "gzip bomb": ("a.json.gz", gzip.compress(b" " * 300000000, 9), {0, 1}, ["a.json.gz"]),
    "gzip bomb of brackets": ("a.json.gz", gzip.compress(b"[" * 100000000, 9), BAD, ["a.json.gz"]),
    "gzip in gzip": ("a.json.gz", gzip.compress(gzip.compress(J(POD))), BAD, ["a.json.gz"]),
    "one line of 20 MB": ("a.json", J(pod(**{"metadata.annotations": {"x": "y" * 20000000}})), {0, 1}, ["a.json"]),
    # objects
    "no kind": ("a.json", b'{"apiVersion":"v1","metadata":{"name":"x"}}', DROP, ["kind"]),
    "no name": ("a.json", J(pod(**{"metadata": {"namespace": "shop"}})), DROP, ["name"]),
    "kind is a number": ("a.json", b'{"apiVersion":"v1","kind":7}', DROP, ["kind"]),
    "metadata is a list": ("a.json", J(pod(**{"metadata": []})), DROP, ["metadata"]),
    "items is an object": ("a.json", b'{"apiVersion":"v1","kind":"List","items":{}}', BAD, ["items"]),
    "item is a number": ("a.json", b'{"apiVersion":"v1","kind":"List","items":[1,2]}', DROP, ["a.json"]),
    "name of 1 MB": ("a.json", J(pod(**{"metadata.name": "n" * 1000000})), DROP, ["name"]),
    "label of 1 MB": ("a.json", J(pod(**{"metadata.labels": {"k": "v" * 1000000}})), DROP, ["label"]),
    "terminal escapes in a name": ("a.json", J(pod(**{"metadata.name": "\x1b[31mred\x1b]0;title\x07"})), DROP, ["name"]),
    "terminal escapes in a value": ("a.json", J(pod(**{"spec.nodeSelector": {"disk": "\x1b[2J"}})), DROP, []),
    "bidi override in a name": ("a.json", J(pod(**{"metadata.name": "web\u202egnp"})), DROP, ["name"]),
    "newline in a name": ("a.json", J(pod(**{"metadata.name": "a\nb"})), DROP, ["name"]),
    "duplicate objects": ("a.json", LIST(POD, POD), DROP, ["web-0"]),
    "duplicate differing": ("a.json", LIST(POD, pod(**{REQ: {"cpu": "2"}})), DROP, ["web-0"]),
    # quantities
    "negative cpu": ("a.json", J(pod(**{REQ: {"cpu": "-1"}})), DROP, ["cpu", "-1"]),
    "NaN cpu": ("a.json", J(pod(**{REQ: {"cpu": "NaN"}})), DROP, ["cpu", "NaN"]),
    "huge cpu": ("a.json", J(pod(**{REQ: {"cpu": "1e300"}})), DROP, ["cpu", "1e300"]),
    "cpu as huge number": ("a.json", J(POD).replace(b'"500m"', b"1e300"), DROP, ["cpu"]),
    "cpu as negative number": ("a.json", J(POD).replace(b'"500m"', b"-2"), DROP, ["cpu", "-2"]),
    "cpu as infinity": ("a.json", J(POD).replace(b'"500m"', b"1e999"), DROP, ["a.json"]),
    "cpu as boolean": ("a.json", J(POD).replace(b'"500m"', b"true"), DROP, ["cpu"]),
    "cpu as list": ("a.json", J(POD).replace(b'"500m"', b"[1]"), DROP, ["cpu"]),
    "cpu empty": ("a.json", J(pod(**{REQ: {"cpu": ""}})), DROP, ["cpu"]),
    "memory with an unknown suffix": ("a.json", J(pod(**{REQ: {"memory": "1GB"}})), DROP, ["memory", "1GB"]),
    "memory of 9 exabytes": ("a.json", J(pod(**{REQ: {"memory": "9E"}})), {3, 1}, []),
    "memory beyond int64": ("a.json", J(pod(**{REQ: {"memory": "100Ei"}})), DROP, ["memory"]),
    "cpu of a million": ("a.json", J(pod(**{REQ: {"cpu": "1000000"}})), {3}, []),
    # rules
    "unknown toleration operator": ("a.json", J(pod(**{"spec.tolerations": [{"key": "a", "operator": "Near"}]})), DROP, ["operator", "Near"]),
    "unknown taint effect": ("a.json", J(pool(taints=[{"key": "a", "effect": "Never"}]), CLASS, POD), DROP, ["effect", "Never"]),
    "unknown pool operator": ("a.json", J(pool(requirements=[{"key": "a", "operator": "Like", "values": ["x"]}]), CLASS, POD), DROP, ["operator", "Like"]),
    "In without values": ("a.json", J(pool(requirements=[{"key": "kubernetes.io/arch", "operator": "In", "values": []}]), CLASS, POD), DROP, ["values"]),
    "Gt with two values": ("a.json", J(pool(requirements=[{"key": "karpenter.k8s.aws/instance-cpu", "operator": "Gt", "values": ["1", "2"]}]), CLASS, POD), DROP, ["Gt"]),
    "Gt with a word": ("a.json", J(pool(requirements=[{"key": "karpenter.k8s.aws/instance-cpu", "operator": "Gt", "values": ["many"]}]), CLASS, POD), DROP, ["many"]),
    "requirements is a string": ("a.json", J(pool(requirements="all"), CLASS, POD), DROP, ["requirements"]),
    "unknown affinity operator": ("a.json", J(pod(**{"spec.affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Almost", "values": ["1"]}]}]}}}})), DROP, ["operator", "Almost"]),
    "maxSkew zero": ("a.json", J(pod(**{"spec.topologySpreadConstraints": [{"maxSkew": 0, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]})), DROP, ["maxSkew"]),
    "unknown whenUnsatisfiable": ("a.json", J(pod(**{"spec.topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "Maybe"}]})), DROP, ["whenUnsatisfiable", "Maybe"]),
    "host port out of range": ("a.json", J(pod(**{"spec.containers.0.ports": [{"containerPort": 80, "hostPort": 70000}]})), DROP, ["ort", "70000"]),
    "replicas negative": ("a.json", J(deployment(-5)), DROP, ["replicas", "-5"]),
    "replicas 10^9": ("a.json", J(deployment(10**9)), DROP, ["a.json:1", "replicas", "big", "1000000000"]),
    "replicas 10^30": ("a.json", J(deployment(10**30)), DROP, ["replicas"]),
    "replicas a string": ("a.json", J(deployment("many")), DROP, ["replicas"]),
    "pool limit negative": ("a.json", J(dict(pool(), spec=dict(pool()["spec"], limits={"cpu": "-3"})), CLASS, POD), DROP, ["limits", "-3"]),
    "pool names no class": ("a.json", J(pool(), POD), {0}, ["class"]),
    "pool names no class among others": ("a.json", J(pool(), dict(CLASS, metadata={"name": "other"}), POD), {3}, ["\"c\""]),
    "zone unknown to the catalogue": ("a.json", J(pool(), dict(CLASS, status={"subnets": [{"id": "s", "zone": "mars-north-1a"}]}), POD), {1, 3}, ["mars-north-1a"]),
    "bad timestamp": ("a.json", J(pod(**{"metadata.creationTimestamp": "yesterday"})), DROP, ["creationTimestamp", "yesterday"]),
    "10,000 owners": ("a.json", J(pod(**{"metadata.ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": "n", "uid": "u"}] * 20000})), DROP, ["ownerReferences"]),
    "request above the limit": ("a.json", J(pod(**{"spec.containers.0.resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}})), DROP, ["cpu", "more than its limit"]),
    "a kind in lower case": ("a.json", J(dict(POD, kind="pod")), DROP, ['"pod"', "use Pod"]),
    "a kind of Karpenter's past": ("a.json", J({"apiVersion": "karpenter.sh/v1alpha5", "kind": "Provisioner", "metadata": {"name": "p"}}, POD), DROP, ["Provisioner", "NodePool"]),
    "what kubectl says": ("a.json", b'error: the server does not have a resource type "nodepools"', DROP, ["a.json:1", "kind: required"]),
    "an error of the API server": ("a.json", J({"apiVersion": "v1", "kind": "Status", "message": "pods is forbidden"}), DROP, ["pods is forbidden"]),
    "a class with an unknown alias": ("a.json", J(pool(), dict(CLASS, spec=dict(CLASS["spec"], amiSelectorTerms=[{"alias": "ubuntu@latest"}])), POD), DROP, ["a.json:2", "EC2NodeClass c", "amiSelectorTerms[0]", "ubuntu@latest"]),
    "a pool that asks for a host": ("a.json", J(pool(requirements=[{"key": "kubernetes.io/hostname", "operator": "In", "values": ["n"]}]), CLASS, POD), DROP, ["NodePool p", "requirements[0]", "kubernetes.io/hostname"]),
    "watch event error": ("a.json", b'{"type":"ERROR","object":{"kind":"Status","status":"Failure","message":"too old"}}', DROP, []),
    "html": ("a.json", b"<html><body>502 Bad Gateway</body></html>", BAD, ["a.json"]),
    "good pod": ("a.json", J(POD), OK, []),
}
# name: (arguments, exit code, words)
FLAGS = {
    "no such file": (["-f", "/nonexistent/x.json"], 1, ["/nonexistent/x.json"]),
    "directory without inputs": (["-f", "{empty}"], 1, ["{empty}"]),
    "unknown flag": (["--simluate"], 2, ["--simluate", "--simulate"]),
    "unknown mode": (["--mode=fly", "-f", "{pod}"], 2, ["--mode", "fly"]),
    "bad time": (["--now=noon", "-f", "{pod}"], 2, ["--now", "noon"]),
    "bad output": (["-o", "pdf", "-f", "{pod}"], 2, ["pdf"]),
    "missing value": (["-f"], 2, ["-f"]),
    "negative gap": (["--gap=-1", "-f", "{pod}"], 2, ["--gap"]),
    "time limit of nothing": (["--time-limit=soon", "-f", "{pod}"], 2, ["--time-limit", "soon"]),
    "unwritable output": (["-f", "{pod}", "-o", "json=/nonexistent/dir/p.json"], 1, ["/nonexistent/dir/p.json"]),
    "catalogue is not one": (["-f", "{pod}", "--catalog", "{pod}"], 1, ["{pod}"]),
    "catalogue missing": (["-f", "{pod}", "--catalog", "/nonexistent/c.json"], 1, ["/nonexistent/c.json"]),
    "unknown subcommand": (["simulat"], 2, ["simulate"]),
}
CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]")
SANITIZED = "asan" in os.environ.get("BINPACK_SANITIZED", "") or "ASAN_OPTIONS" in os.environ


def limits():
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (120, 120))


def run(arguments):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, timeout=120 if SANITIZED else 20, preexec_fn=limits)
    except subprocess.TimeoutExpired:
        return None, b"", b"", 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.returncode, done.stdout, done.stderr, max(after.ru_maxrss, before.ru_maxrss) // 1024


def faults(result, codes, words):
    code, out, err, megabytes = result
    found = []
    if code is None:
        return ["ran into the time limit"]
    if code < 0 or code >= 128 or b"Sanitizer" in err or b"runtime error" in err:
        return ["died: status %d: %s" % (code, err[-400:])]
    if code not in codes:
        found.append("exit %d, expected %s" % (code, sorted(codes)))
    for word in words:
        if word.encode() not in err + out:
            found.append("standard error does not say %r" % word)
    if code != 0 and not err.strip():
        found.append("failed in silence")
    if CONTROL.search(err) or CONTROL.search(out):
        found.append("a control character reaches the terminal")
    if not SANITIZED and megabytes > 400:
        found.append("%d MB" % megabytes)
    if found:
        found.append("stderr: %s" % err[:600].decode(errors="replace"))
    return found


def main():
    binpack, names = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        empty = os.path.join(folder, "empty")
        os.mkdir(empty)
        good = os.path.join(folder, "good.json")
        with open(good, "wb") as out:
            out.write(J(POD))
        fill = lambda s: s.replace("{pod}", good).replace("{empty}", empty)
        tests = []
        for name, (file_name, data, codes, words) in ROWS.items():
            sub = os.path.join(folder, re.sub(r"\W", "-", name))
            os.mkdir(sub)
            path = os.path.join(sub, file_name)
            with open(path, "wb") as out:
                out.write(data)
            tests.append((name, [binpack, "--simulate", "-f", path], codes, words))
        for name, (arguments, code, words) in FLAGS.items():
            tests.append((name, [binpack] + [fill(a) for a in arguments], {code}, [fill(w) for w in words]))
        if names:
            tests = [t for t in tests if t[0] in names]
        print("1..%d" % len(tests))
        bad = 0
        for number, (name, arguments, codes, words) in enumerate(tests, 1):
            found = faults(run(arguments), codes, words)
            bad += bool(found)
            print("%s %d - %s" % ("not ok" if found else "ok", number, name))
            for fault in found:
                print("# " + fault.replace("\n", "\n# "))
            sys.stdout.flush()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
