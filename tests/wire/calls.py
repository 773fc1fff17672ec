#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes over real sockets (live/calls.h), against a server of ours that misbehaves. Prints TAP.

  calls.py KUBE_CALL"""
import json
import os
import subprocess
import sys
import tempfile
import time

import api_server

TESTS = []
folder = server = program = None


def test(function):
    TESTS.append(function)
    return function


class Handler(api_server.Handler):
    """Answers every change with the object's name, after what the server's owner has in store for it."""

    def change(self):
        owner = self.server.owner
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        with owner.lock:
            owner.asked.append((time.monotonic(), self.command, self.path, self.headers.get("Authorization"), body))
            fault = owner.in_store.pop(0) if owner.in_store else None
        self.close_connection = False
        if owner.token is not None and self.headers.get("Authorization") != "Bearer " + owner.token:
            self.refuse(401, "Unauthorized")
        elif fault is not None:
            fault(self)
        else:
            self.answer(200, {"kind": "Node", "metadata": {"name": "n", "uid": "u", "resourceVersion": "8"}})

    do_PATCH = do_POST = do_DELETE = change


def ask(*lines):
    """What became of them, one after the other."""
    config = os.path.join(folder, "config.json")
    with open(config, "w", encoding="utf-8") as out:
        json.dump({"clusters": [{"name": "c", "cluster": {"server": server.address, "certificate-authority": "ca.crt"}}],
                   "users": [{"name": "u", "user": {"tokenFile": os.path.join(folder, "token")}}],
                   "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}], "current-context": "x"}, out)
    env = {k: v for k, v in os.environ.items() if "proxy" not in k.lower() and k != "KUBECONFIG"}
    done = subprocess.run([program, "writes"], input="".join(json.dumps(line) + "\n" for line in lines), env={**env, "KUBECONFIG": config}, capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def token(text):
    with open(os.path.join(folder, "token"), "w", encoding="utf-8") as out:
        out.write(text)


PATCH = {"verb": "merge", "kind": "Node", "name": "n", "body": {"metadata": {"labels": {"a": "b"}}}}


@test
def what_comes_back_is_told():
    answer = ask(PATCH)[0]
    assert (answer["outcome"], answer["name"], answer["uid"], answer["version"]) == ("done", "n", "u", "8"), answer
    _, method, path, _, body = server.asked[0]
    assert (method, path, json.loads(body)) == ("PATCH", "/api/v1/nodes/n", PATCH["body"]), server.asked


@test
def a_cut_answer_is_unknown():
    def cut(handler):
        handler.close_connection = True
        handler.connection.close()

    def half(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"{")
        handler.close_connection = True
    # curl asks again by itself when a connection that was used before is closed without an answer; this one is new.
    server.in_store = [half]
    assert ask(PATCH)[0]["outcome"] == "unknown"
    server.in_store = [cut] * 8
    assert ask(PATCH)[0]["outcome"] == "unknown"
    assert len(server.asked) == 2, "it was sent again: %s" % server.asked


@test
def a_busy_server_says_when():
    server.in_store = [lambda h: h.refuse(429, "too many", [("Retry-After", "7")], reason="TooManyRequests")]
    answer = ask(PATCH)[0]
    assert (answer["outcome"], answer["retryAfterMs"]) == ("too many requests", 7000), answer


@test
def refused_credentials_are_read_again():
    server.token = "new"
    token("old")
    # The file changes when the server has seen the old one.
    original = Handler.refuse

    def refuse(handler, status, *words, **more):
        token("new")
        original(handler, status, *words, **more)
    Handler.refuse = refuse
    try:
        answer = ask(PATCH)[0]
    finally:
        Handler.refuse = original
    assert answer["outcome"] == "done" and [a[3] for a in server.asked] == ["Bearer old", "Bearer new"], (answer, server.asked)


@test
def credentials_that_stay_refused_are_said():
    server.token = "another"
    answer = ask(PATCH)[0]
    assert answer["outcome"] == "unauthorized" and len(server.asked) == 2, (answer, len(server.asked))


@test
def changes_keep_to_the_rate():
    answer = ask({**PATCH, "times": 600})[0]
    times = sorted(a[0] for a in server.asked)
    assert answer["done"] == 600 == len(times) and answer["ms"] >= 1400, answer
    # The server's clock starts with the first; what is on its way may come a little together.
    late = [i for i, at in enumerate(times) if i + 1 > 300 + 200 * (at - times[0]) + 60]
    assert not late, "%d came too early, the first of them number %d after %.2f s" % (len(late), late[0], times[late[0]] - times[0])


def main(path):
    global folder, server, program
    program = os.path.abspath(path)
    print("1..%d" % len(TESTS))
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        server = api_server.ApiServer(folder)
        server.http.RequestHandlerClass = Handler
        for number, one in enumerate(TESTS, 1):
            server.asked, server.in_store, server.token = [], [], None
            token("old")
            try:
                one()
                print("ok %d - %s" % (number, one.__name__), flush=True)
            except Exception as fault:             # the others still count
                failed += 1
                print("not ok %d - %s\n# %s: %s" % (number, one.__name__, type(fault).__name__, str(fault)[:2000].replace("\n", "\n# ")), flush=True)
        server.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
