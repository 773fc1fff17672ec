#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service as people start it, without a cluster: help, documentation, settings that are wrong, no way to a server. Prints TAP.

  provisioner.py PROVISIONER SOURCE_ROOT
"""
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request

PROVISIONER, ROOT = os.path.abspath(sys.argv[1]), sys.argv[2]
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def run(words, status, env=None):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("BINPACK_", "KUBE"))}
    done = subprocess.run([PROVISIONER, *words], capture_output=True, text=True, timeout=60, env={**clean, **(env or {})}, stdin=subprocess.DEVNULL)
    assert done.returncode == status, "%s: exit %d: %s" % (words, done.returncode, done.stderr[-500:])
    return done


@test
def the_documentation_is_what_the_program_says():
    with open(os.path.join(ROOT, "docs", "settings.md"), encoding="utf-8") as text:
        assert text.read() == run(["help", "markdown"], 0).stdout, "docs/settings.md is another than `provisioner help markdown`"
    with open(os.path.join(ROOT, "docs", "metrics.md"), encoding="utf-8") as text:
        assert text.read() == run(["help", "metrics"], 0).stdout, "docs/metrics.md is another than `provisioner help metrics`"


@test
def every_metric_of_karpenter_has_its_row():
    """What is said to be the same is there, and what is not said is not."""
    with open(os.path.join(ROOT, "docs", "metrics-of-karpenter.md"), encoding="utf-8") as text:
        rows = [[c.strip() for c in line.strip().strip("|").split("|")] for line in text if line.startswith("| `")]
    ours = {line.split("`")[1] for line in run(["help", "metrics"], 0).stdout.splitlines() if line.startswith("| `")}
    kinds = {}
    for names, kind, why in rows:
        assert kind in ("same", "ours", "not"), (names, kind)
        for name in re.findall(r"`([^`]+)`", names):
            assert name not in kinds, name
            kinds[name] = kind
        assert kind != "ours" or any(n.split("{")[0] in ours for n in re.findall(r"`([^`]+)`", why)), (names, why)
    assert {n for n, k in kinds.items() if k == "same"} == {n for n in ours if not n.startswith("binpack_")}, "docs/metrics-of-karpenter.md is another than `provisioner help metrics`"
    assert len(kinds) > 80, len(kinds)


@test
def the_example_of_a_scenario_loads():
    """That of docs/sandbox.md, with the objects of a scenario that is built in."""
    with open(os.path.join(ROOT, "docs", "sandbox.md"), encoding="utf-8") as text:
        example, = re.findall(r"^```\n(apiVersion: binpack/v1\n.*?)^```$", text.read(), re.S | re.M)
    with open(os.path.join(ROOT, "provisioner", "sandbox", "scenarios", "day.yaml"), encoding="utf-8") as text:
        objects = [d for d in text.read().split("\n---\n") if "\nkind: Sandbox\n" not in d]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as scenario:
        scenario.write("\n---\n".join([*objects, example]))
        scenario.flush()
        # All of it is read; an hour of it is lived.
        assert ": 1.0 hours\n" in run(["--sandbox", scenario.name, "--headless", "--hours=1"], 0).stdout


@test
def help_has_every_setting():
    full, man = run(["--help"], 0).stdout, run(["help", "man"], 0).stdout
    assert run(["help"], 0).stdout == full and run(["-h"], 0).stdout == full
    names = [line.split("`")[1] for line in run(["help", "markdown"], 0).stdout.splitlines() if line.startswith("| `--")]
    assert len(names) >= 36 + 10, len(names)
    for name in names:
        assert "  " + name in full and name[2:] in man, name
    assert max(map(len, full.splitlines())) <= 200
    assert run(["--version"], 0).stdout.startswith("provisioner ")


@test
def a_wrong_setting_ends_it_at_the_start():
    assert run(["--mode=observe", "--metrics-port=x"], 2).stderr == 'provisioner: --metrics-port: "x" is not a number from 0 to 65535\n'
    assert "BATCH_IDLE_DURATION: \"1\"" in run(["--mode=observe"], 2, {"BATCH_IDLE_DURATION": "1"}).stderr
    assert "--mode=full needs --cluster-name" in run([], 2).stderr
    assert run(["--mode=observe", "--effort=6"], 2).stderr == 'provisioner: --effort: "6" is not a number from 1 to 5\n'     # as binpack has it
    for text, said in (("podTopologySpread: {defaultConstraints: [{maxSkew: 0, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]}", "defaultConstraints[0].maxSkew"),
                       ("podTopologySpread: {defaultConstraints: [{maxSkew: 1, topologyKey: 'a b', whenUnsatisfiable: DoNotSchedule}]}", "[0].topologyKey"),
                       ("podTopologySpread: {defaultConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: Never}]}", "neither ScheduleAnyway nor DoNotSchedule"),
                       ("podTopologySpread: {defaultConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule, labelSelector: {}}]}", "labelSelector: is not known here"),
                       ("podTopologySpread: {defaultConstraints: [%s, %s]}" % (("{maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule}", ) * 2), "the same as an earlier one"),
                       ("{podTopologySpread: {defaultConstraints: [{maxSkew: 0, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]}}", "defaultConstraints[0].maxSkew"),
                       ("podTopologySpreads: {}", "podTopologySpreads: is not known here"), ("[", "scheduler-config")):
        assert said in run(["--mode=observe", "--scheduler-config=" + text], 2).stderr, text
    assert "cannot open" in run(["--mode=observe", "--log-output-paths=/nowhere/log"], 2).stderr
    for setting, said in (("--catalog=/nowhere", "catalogue: /nowhere"), ("--journal=/nowhere/j", "journal: /nowhere/j"), ("--bind-address=x", '--bind-address: "x"')):
        assert said in run(["--mode=observe", "--kubeconfig=/nowhere", setting], 2).stderr, setting    # before any server is asked


@test
def what_keeps_it_from_starting_is_said_and_logged():
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log")
        done = run(["--mode=observe", "--log-output-paths=" + log, "--kubeconfig=" + os.path.join(folder, "none")], 1)
        assert "none: " in done.stderr and not done.stdout, done
        with open(log, encoding="utf-8") as text:
            lines = [json.loads(line) for line in text]
        assert os.stat(log).st_mode & 0o777 == 0o600
    assert [line["message"] for line in lines] == ["starting", "cannot start"], lines
    assert lines[1]["level"] == "ERROR" and "none" in lines[1]["error"]
    for key in ("level", "time", "logger", "message", "commit"):
        assert all(key in line for line in lines), key


@test
def without_a_region_it_names_what_it_reads():
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "config")
        with open(config, "w", encoding="utf-8") as out:
            json.dump({"clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}], "users": [{"name": "u", "user": {}}],
                       "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "n"}}], "current-context": "x"}, out)
        env = {"AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_CONFIG_FILE": os.path.join(folder, "none"), "AWS_EC2_METADATA_DISABLED": "true"}
        said = run(["--mode=prepare", "--cluster-name=c", "--kubeconfig=" + config, "--metrics-port=0", "--health-probe-port=0"], 1, env).stderr
    assert "no AWS region: AWS_REGION and AWS_DEFAULT_REGION are not set" in said and "--region" not in said, said


@test
def settings_without_effect_are_logged():
    done = run(["--mode=observe", "--kubeconfig=/nowhere"], 1, {"MEMORY_LIMIT": "1000", "FEATURE_GATES": "Unheard=true,NodeRepair=true", "AWS_REGION": ""})
    said = [line["setting"] for line in map(json.loads, done.stdout.splitlines()) if line["message"] == "a setting has no effect"]
    assert said == ["MEMORY_LIMIT has no effect: There is no garbage collector here.",
                    "FEATURE_GATES: the gate Unheard is not known and has no effect",
                    "FEATURE_GATES: the gate NodeRepair has no effect yet"], said
    done = run(["--mode=observe", "--kubeconfig=/nowhere", "--cluster-endpoint=https://c", "--disable-leader-election"], 1, {"AWS_REGION": ""})
    said = [line["setting"] for line in map(json.loads, done.stdout.splitlines()) if line["message"] == "a setting has no effect"]
    assert said == ["--disable-leader-election has no effect in --mode=observe", "--cluster-endpoint has no effect in --mode=observe"], said


@test
def a_journal_that_differs_is_found():
    journal = os.path.join(ROOT, "tests", "fuzz", "corpus", "journal", "a-cluster.json")
    said = run(["replay", journal], 1).stderr
    assert "a-cluster.json: line 30: the journal has " in said and ", and now it is " in said, said
    assert "this is no journal" in run(["replay", os.path.join(ROOT, "tests", "fuzz", "corpus", "journal", "another-version.json")], 1).stderr
    assert "no-such-file" in run(["replay", "no-such-file"], 1).stderr


@test
def a_journal_goes_on_where_the_program_is_started_again():
    with tempfile.TemporaryDirectory() as folder:
        journal = os.path.join(folder, "journal")

        def start():
            against_closed(asked_often, "--metrics-port=0", "--journal=" + journal)

        def replay(status=0):
            done = run(["replay", journal], status)
            return done.stdout + done.stderr
        start()
        assert "starts" not in replay() and "cut" not in replay()
        with open(journal, "rb") as text:
            once = text.read()
        with open(journal, "ab") as text:
            text.write(b'{"event":"tick","wa')            # cut by a kill, at the end
        n = once.count(b"\n") + 1
        assert replay().endswith("; 1 lines were cut and are left out, the last of them line %d\n" % n)
        start()
        said = replay()
        assert "; 2 starts of the program; 1 lines were cut and are left out, the last of them line %d\n" % n in said, said
        with open(journal, "wb") as text:                # what is not followed by a start has not been cut
            text.write(once + b'{"event":"tick","wa\n' + once.split(b"\n")[1] + b"\n")
        assert "line %d: this is no whole JSON value" % n in replay(1)
        first = once.index(b"\n") + 1
        with open(journal, "wb") as text:                # a start hides nothing that differs
            text.write(once + once[:first] + b'{"action":"exit"}\n' + once)
        assert "line %d: the journal has " % (n + 1) in replay(1)


class Closed(http.server.BaseHTTPRequestHandler):
    """An API server that lets nobody see anything; its version it tells from the fourth time on. `leases`: how often the Lease has been asked for."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        with server.changed:
            server.asked += self.path == "/version"
            server.leases += "/leases/" in self.path
            known = self.path == "/version" and server.asked > 3
            server.changed.notify_all()
        body = json.dumps({"major": "1", "minor": "33+"} if known else {"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "not for you"}).encode()
        self.send_response(200 if known else 403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PATCH = do_GET


def against_closed(what, *words):
    """The lines of the log of --mode=prepare against a Closed server, once what(server) is done."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Closed)
    server.daemon_threads, server.asked, server.leases, server.changed = True, 0, 0, threading.Condition()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        config, log = os.path.join(folder, "config"), os.path.join(folder, "log")
        with open(config, "w", encoding="utf-8") as out:
            json.dump({"clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:%d" % server.server_address[1]}}], "users": [{"name": "u", "user": {}}],
                       "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "n"}}], "current-context": "x"}, out)
        env = {**os.environ, "AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
        service = subprocess.Popen([PROVISIONER, "--mode=prepare", "--cluster-name=c", "--kubeconfig=" + config, "--bind-address=127.0.0.1",
                                    "--health-probe-port=0", "--log-output-paths=" + log, *words], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            what(server)
        finally:
            service.terminate()
            service.communicate(timeout=60)
            server.shutdown()
            server.server_close()
        with open(log, encoding="utf-8") as text:
            return [json.loads(line) for line in text]


def asked_often(server):
    with server.changed:
        assert server.changed.wait_for(lambda: server.asked > 3, 60), "asked %d times" % server.asked


@test
def a_version_that_cannot_be_learned_is_said_once():
    said = against_closed(asked_often, "--metrics-port=0")
    lines = [line for line in said if line["message"] == "cannot learn the version of Kubernetes"]
    assert len(lines) == 1 and "/version" in lines[0]["error"] and "not for you" in lines[0]["error"], (lines, said)


@test
def a_lease_that_cannot_be_had_is_said_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    seen = []

    def look(server):
        with server.changed:
            assert server.changed.wait_for(lambda: server.leases > 2, 60), "asked %d times" % server.leases
        with urllib.request.urlopen("http://127.0.0.1:%d/debug/state" % port, timeout=60) as answer:
            seen.append(json.load(answer)["leader"])
    said = against_closed(look, "--metrics-port=%d" % port)
    lines = [line for line in said if line.get("lease")]
    assert len(lines) == 1 and lines[0]["level"] == "ERROR" and lines[0]["lease"] == "n/karpenter-leader-election" and "403" in lines[0]["error"], said
    assert lines[0]["message"] == "cannot take the Lease; this replica does not act" and "not for you" in lines[0]["error"], lines
    assert seen == [{"holds": False, "lease": "n/karpenter-leader-election", "holder": "", "error": lines[0]["error"]}], seen


def main():
    failed = 0
    print("1..%d" % len(TESTS))
    for number, function in enumerate(TESTS, 1):
        try:
            function()
            print("ok %d - %s" % (number, function.__name__))
        except AssertionError as fault:
            failed += 1
            print("not ok %d - %s\n# %s" % (number, function.__name__, str(fault).replace("\n", "\n# ")))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
