# SPDX-License-Identifier: GPL-3.0-or-later
"""The service as a process: started against a cluster, asked over HTTP, ended by a signal."""
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import time

SAMPLE = re.compile(r'^([a-z_]+)(?:\{((?:[a-z_][a-z0-9_]*="(?:[^"\\\n]|\\.)*",?)*)\})? (-?[0-9.]+)$')


def free_ports(n):
    """Not from those that the system gives to outgoing connections: somebody might get one before the service binds it."""
    ports, held = [], []
    try:
        for port in random.sample(range(30000, 32768), 500):
            held.append(socket.socket())
            try:
                held[-1].bind(("127.0.0.1", port))
                ports.append(port)
            except OSError:
                continue
            if len(ports) == n:
                return ports
    finally:
        for each in held:
            each.close()
    raise OSError("no %d free ports" % n)


def promtool(text):
    """Holds /metrics against promtool; how much that was. Names that are Karpenter's stay as they are, whatever the linter thinks of them."""
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
    said = [line for line in (done.stdout + done.stderr).splitlines() if line and not line.startswith(("karpenter_", "operator_", "client_go_", "controller_runtime_"))]
    assert not said and done.returncode in (0, 3), (done.returncode, said)
    return "%d lines, %s" % (len(text.splitlines()), subprocess.run(["promtool", "--version"], capture_output=True, text=True).stdout.splitlines()[0])


class Service:
    def __init__(self, program, env, folder, *words, mode="observe"):
        self.program = program
        self.metrics_port, self.health_port = free_ports(2)
        self.begin([program, "--mode=" + mode, "--bind-address=127.0.0.1", "--metrics-port=%d" % self.metrics_port,
                    "--health-probe-port=%d" % self.health_port, *words], env, folder)

    def begin(self, command, env, folder):
        self.path = os.path.join(folder, "provisioner-%d.log" % self.metrics_port)
        self.out = open(self.path, "wb")
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=self.out, stderr=subprocess.PIPE, text=True)

    def get(self, path, port=None):
        """Status and text; 0 when it does not listen."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.metrics_port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except ConnectionError:
            assert self.process.poll() is None, "the service has ended: %d: %s" % (self.process.returncode, self.process.stderr.read()[-2000:])
            return 0, ""
        finally:
            connection.close()

    def ready(self):
        return self.get("/readyz", self.health_port)[0] == 200

    def probe(self):
        """Milliseconds until /healthz has answered."""
        begun = time.monotonic()
        status, _ = self.get("/healthz", self.health_port)
        assert status == 200, status
        return (time.monotonic() - begun) * 1000

    def plan(self):
        status, text = self.get("/debug/plan")
        return json.loads(text) if status == 200 else None

    def metrics(self):
        """{name: {labels: value}}, held against the rules of the format."""
        values, types = {}, {}
        status, text = self.get("/metrics")
        assert status == 200 and text.endswith("\n")
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert name not in types, "%s twice" % name
                types[name] = kind
            elif not line.startswith("# HELP "):
                found = SAMPLE.match(line)
                assert found, "no sample: %r" % line
                base = re.sub("_(bucket|sum|count)$", "", found[1])
                assert types.get(found[1], types.get(base)) is not None, "without a type: %r" % line
                assert found[2] not in values.setdefault(found[1], {}), "twice: %r" % line
                values[found[1]][found[2]] = float(found[3])
        for name, kind in types.items():
            if kind == "histogram":
                counts = list(values[name + "_bucket"].values())
                assert all(a <= b or 'le="+Inf"' in list(values[name + "_bucket"])[i] for i, (a, b) in enumerate(zip(counts, counts[1:]))), name
        return values

    def log(self):
        with open(self.path, "rb") as lines:
            data = lines.read()
        whole = data[:data.rfind(b"\n") + 1].splitlines()
        assert all(len(line) < 16384 for line in whole), "a line of the log is too long"
        return [json.loads(line) for line in whole]

    def stop(self):
        """Seconds until it has ended, and what it said on standard error."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            said = self.process.communicate(timeout=60)[1]
        finally:
            self.process.kill()
            self.out.close()
        return time.monotonic() - begun, said
