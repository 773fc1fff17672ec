# SPDX-License-Identifier: GPL-3.0-or-later
"""A list server over TLS that speaks enough of the Kubernetes API for `binpack record`, and misbehaves on request.

  server = ApiServer(folder)       makes a CA, a server and a client certificate in `folder`, listens on a loopback port
  server.objects["/api/v1/pods"] = [...]          what lists hold; other paths are 404 with a Status
  server.kinds["/api/v1/pods"] = "PodList"        for clients that look; else "SomeList"
  server.faults["/api/v1/pods"] = [fault, ...]    one each for the first requests of that path; afterwards it behaves
  server.watches["/api/v1/pods"] = [[event, ...], ...]   what each watch of that path sends before it ends; an event may be a function
                                   that is called in its place; later watches stay silent until the client leaves
  server.requests                  (method, path with query, headers) of every request

A fault is a function of the handler that answers in the place of the real one, or None to behave.
"""
import gzip
import http.server
import json
import os
import ssl
import subprocess
import threading
import urllib.parse

from ending import Ending


# Collections of kinds that every cluster has.
BUILT_IN = ["/api/v1/" + name for name in ("pods", "nodes", "persistentvolumes", "persistentvolumeclaims", "namespaces", "services", "limitranges",
                                           "podtemplates", "replicationcontrollers")]
BUILT_IN += ["/apis/apps/v1/" + name for name in ("deployments", "statefulsets", "replicasets", "daemonsets")]
BUILT_IN += ["/apis/batch/v1/" + name for name in ("jobs", "cronjobs")]
BUILT_IN += ["/apis/storage.k8s.io/v1/" + name for name in ("storageclasses", "csinodes", "volumeattachments")]
BUILT_IN += ["/apis/policy/v1/poddisruptionbudgets", "/apis/scheduling.k8s.io/v1/priorityclasses", "/apis/node.k8s.io/v1/runtimeclasses"]


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def make_certificates(folder):
    """ca.crt signs server.crt (127.0.0.1, localhost, api.test) and client.crt; other.crt is a CA that signs nothing."""
    for name in ("ca", "other", "server", "client"):
        openssl(folder, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", name + ".key")
    for name in ("ca", "other"):
        openssl(folder, "req", "-x509", "-new", "-key", name + ".key", "-subj", "/CN=" + name, "-days", "2", "-out", name + ".crt")
    with open(os.path.join(folder, "server.ext"), "w", encoding="ascii") as out:
        out.write("subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:api.test\n")
    with open(os.path.join(folder, "client.ext"), "w", encoding="ascii") as out:
        out.write("extendedKeyUsage=clientAuth\n")
    for name in ("server", "client"):
        openssl(folder, "req", "-new", "-key", name + ".key", "-subj", "/CN=" + name, "-out", name + ".csr")
        openssl(folder, "x509", "-req", "-in", name + ".csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", name + ".ext", "-out", name + ".crt")


class Handler(Ending):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=(), packed=False):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        if packed:
            data = gzip.compress(data)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if packed:
            self.send_header("Content-Encoding", "gzip")
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status, message, headers=(), **more):
        self.answer(status, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": status, **more}, headers)

    def page(self):
        """The list that was asked for, as a document."""
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        items = self.server.owner.objects[url.path]
        start, limit = int(query.get("continue", "0")), int(query.get("limit", "0")) or len(items)
        metadata = {"resourceVersion": "77"}
        if start + limit < len(items):
            metadata["continue"] = str(start + limit)
            metadata["remainingItemCount"] = len(items) - start - limit
        return {"kind": self.server.owner.kinds.get(url.path, "SomeList"), "apiVersion": "v1", "metadata": metadata, "items": items[start:start + limit]}

    def watch(self, path, query):
        """Lists as streams are refused, as old servers do."""
        owner = self.server.owner
        if "sendInitialEvents" in query:
            self.refuse(422, "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled")
            return
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with owner.lock:
            scripts = owner.watches.get(path, [])
            script = scripts.pop(0) if scripts else None
        for event in script or []:
            if callable(event):
                event()
                continue
            data = json.dumps(event).encode() + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        if script is None:
            self.wfile.flush()
            self.connection.recv(1)                # until the client leaves
            self.close_connection = True
            return
        self.wfile.write(b"0\r\n\r\n")

    def do_GET(self):
        owner = self.server.owner
        path = urllib.parse.urlsplit(self.path).path
        with owner.lock:
            owner.requests.append((self.command, self.path, dict(self.headers)))
            waiting = owner.faults.get(path, [])
            fault = waiting.pop(0) if waiting else None
        self.close_connection = False
        if fault is not None:
            fault(self)
        elif owner.token is not None and self.headers.get("Authorization") != "Bearer " + owner.token:
            self.refuse(401, "Unauthorized")
        elif path not in owner.objects:
            self.refuse(404, "the server could not find the requested resource", reason="NotFound", details={})
        elif "watch=true" in self.path:
            self.watch(path, urllib.parse.urlsplit(self.path).query)
        else:
            self.answer(200, self.page(), packed="gzip" in self.headers.get("Accept-Encoding", ""))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass                                     # clients that go away are part of the tests


class ApiServer:
    def __init__(self, folder):
        self.lock = threading.Lock()
        self.kinds = {}
        self.objects, self.faults, self.watches, self.requests, self.token = {}, {}, {}, [], None
        self.folder = folder
        make_certificates(folder)
        self.http = Server(("127.0.0.1", 0), Handler)
        self.http.owner = self
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(folder, "server.crt"), os.path.join(folder, "server.key"))
        context.load_verify_locations(os.path.join(folder, "ca.crt"))
        context.verify_mode = ssl.CERT_OPTIONAL
        context.set_alpn_protocols(["http/1.1"])
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)
        self.address = "https://127.0.0.1:%d" % self.http.server_port
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def reset(self):
        with self.lock:
            self.objects, self.faults, self.watches, self.requests, self.token = {}, {}, {}, [], None

    def close(self):
        self.http.shutdown()
        self.http.server_close()
