#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`binpack record` and `binpack --simulate --live` against a server over TLS that fails in every way a server can. Prints TAP.

  record.py BINPACK [NAME...]
"""
import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading

from api_server import ApiServer

BINPACK = os.path.abspath(sys.argv[1])
PODS, NODES, SPACES = "/api/v1/pods", "/api/v1/nodes", "/api/v1/namespaces"
TESTS = {}
server = None


def test(function):
    TESTS[function.__name__.replace("_", " ")] = function


def pod(i, **spec):
    return {"metadata": {"name": "p%d" % i, "namespace": "shop", "uid": "u%d" % i, "resourceVersion": str(i + 1),
                         "managedFields": [{"manager": "x" * 50}]},
            "spec": {"containers": [{"name": "a", "env": [{"name": "PASSWORD", "value": "secret"}],
                                     "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}}], **spec},
            "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}}


def node(i):
    amounts = {"cpu": "2", "memory": "8Gi", "pods": "30"}
    return {"metadata": {"name": "n%d" % i, "uid": "v%d" % i}, "status": {"allocatable": amounts, "capacity": amounts}}


def data(name):
    with open(os.path.join(server.folder, name), "rb") as file:
        return __import__("base64").b64encode(file.read()).decode()


def kubeconfig(cluster=None, user=None, name="config", context=None, **more):
    """Writes one; `cluster` and `user` are put over what works."""
    document = {
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "c", "cluster": {"server": server.address, "certificate-authority-data": data("ca.crt"), **(cluster or {})}}],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u", **(context or {})}}], **more}
    path = os.path.join(server.folder, name)
    with open(path, "w", encoding="utf-8") as out:
        json.dump(document, out)
    return path


def run(*words, config=None, status=0, env=None):
    whole = {k: v for k, v in os.environ.items() if "proxy" not in k.lower() and not k.startswith("KUBE")}
    whole.update({"KUBECONFIG": config or kubeconfig(), "HOME": "/nonexistent", **(env or {})})
    done = subprocess.run([BINPACK, *words], env=whole, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert done.returncode == status, "exit status %d instead of %d: %s" % (done.returncode, status, done.stderr)
    return done


def record(*words, **more):
    """The objects and the last line of a recording, and what was said."""
    done = run("record", *words, **more)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return lines[:-1], lines[-1], done.stderr


def small_cluster(n_pods=3):
    server.reset()
    server.objects = {PODS: [pod(i) for i in range(n_pods)], NODES: [node(0)], SPACES: [{"metadata": {"name": "shop"}}]}


@test
def what_is_there_is_recorded_and_can_be_planned():
    small_cluster()
    objects, last, said = record()
    assert sorted(o["metadata"]["name"] for o in objects) == ["n0", "p0", "p1", "p2", "shop"]
    assert {o["kind"] for o in objects} == {"Pod", "Node", "Namespace"} and {o["apiVersion"] for o in objects} == {"v1"}
    assert "secret" not in json.dumps(objects) and "managedFields" not in json.dumps(objects)
    kinds = {k["resource"]: k for k in last["kinds"]}
    assert last["kind"] == "Snapshot" and last["objects"] == 5 and last["server"] == server.address
    assert kinds["pods"]["objects"] == 3 and kinds["pods"]["resourceVersion"] == "77" and kinds["nodepools"]["absent"] is True
    assert "recorded 5 objects" in said and " 3 pods, 1 node, " in said and "not in this cluster:" in said and "nodepools" in said
    for name in ("r.json", "r.json.gz"):
        path = os.path.join(server.folder, name)
        run("record", "-q", "-o", path)
        assert os.stat(path).st_mode & 0o777 == 0o600
        with (gzip.open if name.endswith("gz") else open)(path, "rt", encoding="utf-8") as file:
            assert len(file.readlines()) == 6
        plan = json.loads(run("--simulate", "-f", path, "-o", "json", "-q").stdout)
        live = json.loads(run("--simulate", "--live", "-o", "json", "-q").stdout)
        assert {**plan["inputs"], "now": 0} == {**live["inputs"], "now": 0} and plan["totals"] == live["totals"] and plan["inputs"]["pendingPods"] == 3, live["inputs"]
    assert not [r for r in server.requests if "secrets" in r[1] or "configmaps" in r[1] or r[0] != "GET"]


@test
def long_lists_come_in_pages():
    small_cluster(n_pods=1203)
    objects, last, _ = record()
    names = [o["metadata"]["name"] for o in objects if o["kind"] == "Pod"]
    assert len(names) == 1203 == len(set(names))
    pages = [r[1] for r in server.requests if r[1].startswith(PODS)]
    assert len(pages) == 3 and "continue=500" in pages[1] and "continue=1000" in pages[2], pages


def halves(handler, reset):
    body = json.dumps(handler.page()).encode()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[:len(body) // 2])
    handler.end_here(reset)


def trickle(handler):
    body = json.dumps(handler.page()).encode()
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for i in range(0, len(body), 7):
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7]))
    handler.wfile.write(b"0\r\n\r\n")


def wrong_length(handler):
    body = json.dumps(handler.page()).encode()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body) + 100))
    handler.end_headers()
    handler.wfile.write(body)
    handler.end_here(reset=False)


@test
def what_breaks_off_is_asked_for_again_and_nobody_comes_twice():
    faults = {
        "nothing": lambda h: h.end_here(reset=False),
        "cut": lambda h: halves(h, reset=False),
        "reset": lambda h: halves(h, reset=True),
        "trickle": trickle,
        "longer than sent": wrong_length,
        "500": lambda h: h.refuse(500, "etcdserver: leader changed"),
        "503": lambda h: h.refuse(503, "apiserver is starting", [("Retry-After", "1")]),
        "429": lambda h: h.refuse(429, "too many requests", [("Retry-After", "1")]),
        "broken gzip": lambda h: h.answer(200, b"this is no gzip", [("Content-Encoding", "gzip")]),
    }
    for name, fault in faults.items():
        small_cluster(n_pods=620)
        server.faults = {PODS: [fault, None, fault]}
        try:
            objects, _, _ = record()
        except AssertionError as why:
            raise AssertionError("%s: %s" % (name, why)) from why
        names = [o["metadata"]["name"] for o in objects if o["kind"] == "Pod"]
        assert len(names) == 620 == len(set(names)), "%s: %d pods" % (name, len(names))


@test
def a_list_that_expired_goes_on_from_where_it_was():
    small_cluster(n_pods=1100)
    server.faults = {PODS: [None, lambda h: h.refuse(410, "The provided continue parameter is too old", metadata={"continue": "500"})]}
    objects, _, _ = record()
    names = [o["metadata"]["name"] for o in objects if o["kind"] == "Pod"]
    assert len(names) == 1100 == len(set(names))
    server.faults = {PODS: [None, lambda h: h.refuse(410, "The provided continue parameter is too old")]}
    assert "cannot list pods: 410 gone" in run("record", status=1).stderr


@test
def what_may_not_be_read_is_named():
    small_cluster()
    words = 'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope'
    server.faults = {NODES: [lambda h: h.refuse(403, words)] * 9}
    _, last, said = record()
    assert "left out: cannot list nodes: 403 forbidden: " + words in said, said
    assert said.count("the rights that reading takes: deploy/binpack-reader.yaml") == 1, said
    assert words in {k["resource"]: k for k in last["kinds"]}["nodes"]["unreadable"]
    server.faults = {NODES: [lambda h: h.refuse(403, words)] * 9}
    assert words in run("--simulate", "--live", status=1).stderr
    server.faults = {SPACES: [lambda h: h.refuse(403, "namespaces is forbidden")] * 9}
    plan = json.loads(run("--simulate", "--live", "-o", "json", "-q").stdout)
    assert "KINDS_UNREADABLE" in [note["code"] for note in plan["assumptions"]], plan["assumptions"]
    server.faults = {SPACES: [lambda h: h.refuse(403, "namespaces is forbidden")] * 9}
    run("--simulate", "--live", "--strict", "-q", status=4)
    server.reset()
    server.token = "right"
    said = run("record", status=1).stderr
    assert "cannot list" in said and "401 unauthorized" in said and server.address in said and "context test" in said, said


@test
def no_connection_and_no_trust_are_told_apart():
    small_cluster()
    said = run("record", config=kubeconfig({"server": "https://127.0.0.1:9"}), status=1).stderr
    assert "https://127.0.0.1:9 (context test" in said and "no connection" in said, said
    said = run("record", config=kubeconfig({"server": "https://no-such-host.invalid"}), status=1).stderr
    assert "no address" in said, said
    said = run("record", config=kubeconfig({"certificate-authority-data": data("other.crt")}, {"token": "untrusted"}), status=1).stderr
    assert "no trust" in said and "certificate" in said, said
    said = run("record", config=kubeconfig({"tls-server-name": "another.test"}, {"token": "untrusted"}), status=1).stderr
    assert "no trust" in said and "another.test" in said, said
    said = run("record", config=kubeconfig({"server": server.address.replace("https", "http")}), status=1).stderr
    assert "cannot list" in said, said
    assert "untrusted" not in str(server.requests), "a server without trust was asked"
    record(config=kubeconfig({"tls-server-name": "api.test"}))
    record(config=kubeconfig({"certificate-authority-data": None, "insecure-skip-tls-verify": True}))


@test
def answers_that_are_none_are_refused():
    huge = [("X-%d" % i, "y" * 4000) for i in range(40)]
    rows = [
        (lambda h: h.answer(302, b"", [("Location", "https://login.example/")]), "302", "redirect"),
        (lambda h: h.answer(200, b"<html>welcome</html>"), "expected a list"),
        (lambda h: h.answer(200, {"kind": "PodList", "items": []}), "metadata: required"),
        (lambda h: h.answer(200, b'{"metadata":{},"items":[{"a" 1}]}'), "cannot list pods"),
        (lambda h: h.answer(200, b"{}", huge), "header"),
        (lambda h: h.answer(405, b"<html>nginx</html>"), "405", "nginx"),
    ]
    for fault, *words in rows:
        small_cluster()
        server.faults = {PODS: [fault] * 9}
        said = run("record", "-o", "/dev/null", status=1).stderr
        assert all(word in said for word in words), "%s: %s" % (words, said)


@test
def null_items_and_lists_are_nothing():
    small_cluster()
    server.objects[PODS] = [None, pod(0), 7, None]
    server.faults = {SPACES: [lambda h: h.answer(200, {"kind": "NamespaceList", "metadata": {"resourceVersion": "1"}, "items": None})]}
    objects, _, _ = record()
    assert sorted(o["metadata"]["name"] for o in objects) == ["n0", "p0"]


@test
def credentials_come_from_everywhere():
    small_cluster()
    server.token = "good"
    folder = server.folder
    with open(os.path.join(folder, "token"), "w", encoding="ascii") as out:
        out.write("good\n")
    plugin = os.path.join(folder, "plugin")
    with open(plugin, "w", encoding="utf-8") as out:
        out.write("""#!/bin/sh
echo "$WORD $1 $KUBERNETES_EXEC_INFO" >> '%s/plugin.log'
n=$(wc -l < '%s/plugin.log')
[ "$n" = 1 ] && token=bad || token=good
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%%s"}}' $token
""" % (folder, folder))
    os.chmod(plugin, 0o755)
    execs = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", "args": ["get"],
             "env": [{"name": "WORD", "value": "hello"}], "provideClusterInfo": True}
    for user in ({"token": "good"}, {"tokenFile": "token"}, {"tokenFile": os.path.join(folder, "token"), "token": "bad"}, {"exec": execs}):
        objects, _, _ = record(config=kubeconfig(user=user))
        assert len(objects) == 5, user
    with open(os.path.join(folder, "plugin.log"), encoding="utf-8") as log:
        lines = log.read().splitlines()
    # The first token is refused, so the plugin is asked once more; many requests share the second one.
    assert len(lines) == 2 and lines[0].startswith("hello get {"), lines
    info = json.loads(lines[0].split(" ", 2)[2])
    assert info["spec"]["cluster"]["server"] == server.address and info["spec"]["interactive"] is False, info
    missing = {"exec": {**execs, "command": "no-such-plugin", "installHint": "install it from the shelf"}}
    said = run("record", config=kubeconfig(user=missing), status=1).stderr
    assert "no-such-plugin" in said and "install it from the shelf" in said, said
    said = run("record", config=kubeconfig(user={"exec": {**execs, "command": "/bin/false"}}), status=1).stderr
    assert "/bin/false: exit status 1" in said, said


@test
def client_certificates_and_headers_arrive():
    small_cluster()
    keys = {"client-certificate": "client.crt", "client-key-data": data("client.key")}
    record(config=kubeconfig(user={**keys, "as": "jane", "as-groups": ["dev", "ops"]}))
    headers = server.requests[0][2]
    assert headers["Impersonate-User"] == "jane" and headers["User-Agent"].startswith("binpack/"), headers
    assert headers["Accept"] == "application/json" and "gzip" in headers["Accept-Encoding"], headers
    server.reset()
    small_cluster()
    record(config=kubeconfig({"disable-compression": True}, {"username": "ann", "password": "pw"}))
    headers = server.requests[0][2]
    assert headers["Authorization"] == "Basic YW5uOnB3" and "Accept-Encoding" not in headers, headers


@test
def several_files_are_one_configuration():
    small_cluster()
    first = kubeconfig(name="first", clusters=[])
    second = kubeconfig(name="second", **{"current-context": "nowhere"})
    record(config="%s:%s:%s" % (first, os.path.join(server.folder, "absent"), second))
    said = run("record", config="%s:%s" % (second, first), status=1).stderr
    assert 'no context "nowhere"' in said, said
    said = run("--simulate", "--live", "--context", "prod", status=1).stderr
    assert 'no context "prod"' in said, said
    record("--kubeconfig", second, "--context", "test", config="/nonexistent")
    said = run("record", config="/nonexistent", status=1).stderr
    assert "no kubeconfig" in said and "--kubeconfig" in said, said
    for text, words in (("{", "broken"), ("[]", "expected a kubeconfig"), ("a: [", "broken")):
        with open(os.path.join(server.folder, "broken"), "w", encoding="utf-8") as out:
            out.write(text)
        said = run("record", config=os.path.join(server.folder, "broken"), status=1).stderr
        assert words in said, said


@test
def a_pod_of_the_cluster_needs_no_kubeconfig():
    small_cluster()
    host, port = server.address.replace("https://", "").split(":")
    said = run("record", config="/nonexistent", env={"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}, status=1).stderr
    assert "service account" in said and "serviceaccount/ca.crt" in said, said


@test
def one_namespace_only():
    small_cluster()
    server.objects["/api/v1/namespaces/shop/pods"] = [pod(7)]
    objects, _, _ = record("-n", "shop")
    assert sorted(o["metadata"]["name"] for o in objects) == ["n0", "p7", "shop"]


@test
def changes_are_recorded_and_no_deletion_is_lost():
    small_cluster()
    changed = {**pod(1), "metadata": {**pod(1)["metadata"], "resourceVersion": "80"}}
    removed = {**pod(2), "metadata": {**pod(2)["metadata"], "resourceVersion": "81"}}
    again = {**pod(3), "metadata": {**pod(3)["metadata"], "uid": "another"}}

    def forget():
        """While the connection is lost p0 goes, p3 comes; the server has forgotten the version to go on from."""
        server.objects[PODS] = [changed, again]
    server.watches = {PODS: [
        [{"type": "MODIFIED", "object": changed}, {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "80"}}},
         {"type": "DELETED", "object": removed}],
        [{"type": "ADDED", "object": pod(3)}, forget, {"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}}]]}
    done = run("record", "--watch", "--time-limit", "4s", "-o", "-")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    pods = [(e["type"], e["object"]["metadata"]["name"], e["object"]["metadata"]["uid"]) for e in events if e["object"]["kind"] == "Pod"]
    assert pods[:3] == [("ADDED", "p%d" % i, "u%d" % i) for i in range(3)], pods
    assert pods[3:6] == [("MODIFIED", "p1", "u1"), ("DELETED", "p2", "u2"), ("ADDED", "p3", "u3")], pods
    assert sorted(pods[6:]) == [("ADDED", "p3", "another"), ("DELETED", "p0", "u0"), ("DELETED", "p3", "u3")], pods
    assert pods.index(("DELETED", "p3", "u3")) < pods.index(("ADDED", "p3", "another"))
    watched = [r[1] for r in server.requests if r[1].startswith(PODS) and "watch=true" in r[1] and "sendInitial" not in r[1]]
    assert "resourceVersion=77&" in watched[0] + "&" and "resourceVersion=81&" in watched[1] + "&", watched
    path = os.path.join(server.folder, "changes.json")
    with open(path, "w", encoding="utf-8") as out:
        out.write(done.stdout)
    assert json.loads(run("--simulate", "-f", path, "-o", "json", "-q").stdout)["inputs"]["pods"] == 2
    assert "recorded" in done.stderr and "3 deletions" in done.stderr, done.stderr


@test
def an_interrupt_leaves_no_file():
    small_cluster()
    begun, release = threading.Event(), threading.Event()

    def wait(handler):
        begun.set()
        release.wait(60)
        handler.end_here(reset=False)
    server.faults = {PODS: [wait]}
    path = os.path.join(server.folder, "interrupted.json")
    env = {**{k: v for k, v in os.environ.items() if "proxy" not in k.lower()}, "KUBECONFIG": kubeconfig()}
    child = subprocess.Popen([BINPACK, "record", "-o", path], env=env, stderr=subprocess.PIPE, text=True)
    assert begun.wait(60)
    child.send_signal(signal.SIGINT)
    said = child.communicate(timeout=60)[1]
    release.set()
    assert child.returncode == 130 and "interrupted" in said, (child.returncode, said)
    assert not [f for f in os.listdir(server.folder) if f.startswith("interrupted")]


@test
def the_command_line_is_checked():
    for words, expected in ((["record", "x"], "no arguments"), (["--simulate", "--live", "-f", "x"], "--live reads the cluster"),
                            (["--simulate", "--context", "x"], "without --live"), (["verify", "--live"], "--live is not an option")):
        assert expected in run(*words, status=2).stderr, words


def main():
    global server
    chosen = [n for n in TESTS if not sys.argv[2:] or n in sys.argv[2:]]
    bad = 0
    print("1..%d" % len(chosen))
    with tempfile.TemporaryDirectory() as folder:
        server = ApiServer(folder)
        for number, name in enumerate(chosen, 1):
            try:
                TESTS[name]()
                print("ok %d - %s" % (number, name))
            except Exception as fault:           # reported, and the next one is run
                bad += 1
                line = fault.__traceback__.tb_next.tb_lineno if fault.__traceback__.tb_next else 0
                text = "%s: %s" % (type(fault).__name__, fault)
                print("not ok %d - %s\n# line %d: %s" % (number, name, line, text[:2000].replace("\n", "\n# ")))
            sys.stdout.flush()
        server.close()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
