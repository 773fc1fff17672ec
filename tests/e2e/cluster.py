# SPDX-License-Identifier: GPL-3.0-or-later
"""A control plane for tests (testbed/), and an administrator's client of it."""
import http.client
import json
import os
import socket
import ssl
import subprocess
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
TESTBED = os.path.join(HERE, "testbed")


class Failed(Exception):
    """An answer that was not expected."""


class Admin:
    """One keep-alive connection; what breaks off is asked again, and whoever asks says how to take a second answer. With another token, not an administrator's."""

    def __init__(self, cluster, token="admin-token"):
        self.cluster, self.token, self.connection = cluster, token, None

    def raw(self, method, path, body=None, accept="application/json"):
        if self.connection is None:
            context = ssl.create_default_context(cafile=os.path.join(self.cluster.folder, "pki", "ca.crt"))
            host, port = self.cluster.address.replace("https://", "").split(":")
            self.connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=60)
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        self.connection.request(method, path, None if body is None else json.dumps(body),
                                {"Authorization": "Bearer " + self.token, "Content-Type": kind, "Accept": accept})
        answer = self.connection.getresponse()
        data = answer.read()
        return answer.status, json.loads(data) if data[:1] == b"{" else data.decode("utf-8", "replace")

    def ask(self, method, path, body=None, expected=(200, 201, 202), seconds=120, accept="application/json"):
        """The answer. Lost connections, 429 and 5xx are tried again."""
        end = time.monotonic() + seconds
        while True:
            try:
                status, answer = self.raw(method, path, body, accept)
                if status in expected:
                    return status, answer
                if status != 429 and status < 500:
                    raise Failed("%s %s: %d: %s" % (method, path, status, str(answer)[:500]))
            except (OSError, http.client.HTTPException) as why:
                status, answer = 0, why
                self.connection = None
            if time.monotonic() > end:
                raise Failed("%s %s: %s %s" % (method, path, status, answer))
            time.sleep(0.05)                       # the server is away or busy; there is no event to wait for

    def token_of(self, ns, account, pod=None):
        """A token of a service account; bound to a pod, it holds as long as that is there."""
        bound = {"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}} if pod else {}
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600, **bound}}
        return self.ask("POST", "/api/v1/namespaces/%s/serviceaccounts/%s/token" % (ns, account), request)[1]["status"]["token"]

    def apply(self, document):
        """Creates the object; one that is there already is fine."""
        version, kind = document["apiVersion"], document["kind"]
        ns = document["metadata"].get("namespace")
        root = "/api/" + version if "/" not in version else "/apis/" + version
        plural = kind.lower() + ("es" if kind.lower().endswith("s") else "s")
        return self.ask("POST", "%s%s/%s" % (root, "/namespaces/" + ns if ns else "", plural), document, (200, 201, 409))


def free_ports():
    """The first of six ports in a row that nobody listens on, so that several control planes can run on one machine."""
    for attempt in range(200):
        first = 20000 + (os.getpid() * 7 + attempt * 6) % 10000
        held = []
        try:
            for port in range(first, first + 6):
                held.append(socket.socket())
                held[-1].bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for each in held:
                each.close()
    raise Failed("no six free ports in a row")


class Cluster:
    def __init__(self, folder, audit=None):
        self.folder = folder
        env = {"TESTBED_PORT": str(free_ports()), **os.environ, **({"TESTBED_AUDIT": audit} if audit else {})}
        up = subprocess.run([os.path.join(TESTBED, "up"), folder], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        if up.returncode != 0:
            self.down(wipe=False)                  # what did start
            raise Failed("the control plane does not start: " + up.stderr[-2000:])
        with open(os.path.join(folder, "env"), encoding="utf-8") as lines:
            values = dict(line[len("export "):].strip().split("=", 1) for line in lines)
        self.address, self.etcd = values["TESTBED_API"], values["TESTBED_ETCD"]
        self.kubeconfig = os.path.join(folder, "admin.conf")

    def restart(self, name, signal="KILL"):
        subprocess.run([os.path.join(TESTBED, "restart"), self.folder, name, signal], check=True, stdout=subprocess.DEVNULL)

    def etcd_call(self, path, body):
        request = urllib.request.Request(self.etcd + path, json.dumps(body).encode())
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return json.load(answer)

    def etcd_version(self):
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self.etcd + "/version", timeout=30) as answer:
            return json.load(answer)["etcdserver"]

    def compact(self):
        """Makes etcd forget all versions but the newest."""
        revision = self.etcd_call("/v3/kv/range", {"key": "eA=="})["header"]["revision"]
        self.etcd_call("/v3/kv/compaction", {"revision": revision, "physical": True})

    def token_config(self, admin, account, ns="kube-system"):
        """A kubeconfig with a bound token of the service account."""
        token = admin.token_of(ns, account)
        path = os.path.join(self.folder, account + ".conf")
        with open(path, "w", encoding="utf-8") as out:
            json.dump({"apiVersion": "v1", "kind": "Config", "current-context": "test",
                       "clusters": [{"name": "test", "cluster": {"server": self.address, "certificate-authority": "pki/ca.crt"}}],
                       "users": [{"name": account, "user": {"token": token}}],
                       "contexts": [{"name": "test", "context": {"cluster": "test", "user": account}}]}, out)
        return path

    def down(self, wipe):
        subprocess.run([os.path.join(TESTBED, "down"), self.folder] + (["--wipe"] if wipe else []), check=True)
