# SPDX-License-Identifier: GPL-3.0-or-later
"""A gate before an API server: passes everything on as it is, but for the requests that something is to befall.

  gate = Gate(cluster)
  gate.config(path)                kubeconfig like that of `path`, through the gate
  gate.fate = fn(method, path)     None, or (moment, what to call then): "before" it has been passed on, or "after" it was done and before anybody
                                   has been told; the connection ends with that
"""
import http.client
import http.server
import json
import os
import ssl
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hop = {"connection", "transfer-encoding", "content-length", "keep-alive"}

    def pass_on(self):
        gate = self.server.gate
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        moment, happen = gate.fate(self.command, self.path) or (None, None)
        if moment == "before":
            happen()
            self.close_connection = True
            return
        way = http.client.HTTPSConnection("127.0.0.1", gate.port, context=gate.context, timeout=600)
        try:
            way.request(self.command, self.path, body or None, {k: v for k, v in self.headers.items() if k.lower() not in self.hop})
            answer = way.getresponse()
            if "watch=" in self.path:
                self.stream(answer)
                return
            data = answer.read()
            if moment == "after":
                happen()
                self.close_connection = True
                return
            self.head(answer, [("Content-Length", str(len(data)))])
            self.wfile.write(data)
        finally:
            way.close()

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = pass_on

    def head(self, answer, more):
        self.send_response(answer.status)
        for name, value in [(k, v) for k, v in answer.getheaders() if k.lower() not in self.hop] + more:
            self.send_header(name, value)
        self.end_headers()

    def stream(self, answer):
        """A watch, piece by piece."""
        self.head(answer, [("Transfer-Encoding", "chunked")])
        while True:
            piece = answer.read1(65536)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if not piece:
                return

    def log_message(self, *words):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass                                       # clients that are killed are what this is for


class Gate:
    def __init__(self, cluster):
        pki = os.path.join(cluster.folder, "pki")
        self.fate = lambda method, path: None
        self.port = int(cluster.address.rsplit(":", 1)[1])
        self.context = ssl.create_default_context(cafile=os.path.join(pki, "ca.crt"))
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.gate = self
        mine = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        mine.load_cert_chain(os.path.join(pki, "apiserver.crt"), os.path.join(pki, "apiserver.key"))
        self.server.socket = mine.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.address = "https://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def config(self, path):
        with open(path, encoding="utf-8") as text:
            value = json.load(text)
        value["clusters"][0]["cluster"]["server"] = self.address
        with open(path + ".gate", "w", encoding="utf-8") as out:
            json.dump(value, out)
        return path + ".gate"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
