# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that changes clusters for the tests (tests/wire/kube_call.c): changes and Events over a pipe, and replicas that share a Lease."""
import json
import signal
import subprocess
import threading
import time

LEASE = ("kube-system", "karpenter-leader-election")


class Changes:
    def __init__(self, program, env):
        self.process = subprocess.Popen([program, "writes"], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ask(self, **line):
        """What became of it: {outcome, error, name, uid, version, fate, ...}."""
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "kube_call has ended: " + self.process.stderr.read()[-2000:]
        return json.loads(answer)

    def expect(self, outcome, **line):
        answer = self.ask(**line)
        assert answer["outcome"] == outcome, (outcome, line, answer)
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)
        return self.process.returncode


class Replica:
    """Takes part in the election. `spans` are the times, as the process read them just before it would have acted, between which it held."""

    def __init__(self, program, env, name):
        self.name, self.lines = name, []
        self.process = subprocess.Popen([program, "lease", *LEASE, name], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def holds(self):
        return bool(self.lines) and self.lines[-1]["holds"]

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(60)
        self.reader.join(60)
        return self.process.returncode

    def spans(self, paused=()):
        """[from, to) in ms of the monotonic clock. While it was paused it acted not, whatever it would have said."""
        out, begun = [], None
        for line in self.lines + [{"holds": False, "ms": int(time.monotonic() * 1000)}]:
            if line["holds"] and begun is None:
                begun = line["ms"]
            elif not line["holds"] and begun is not None:
                out.append((begun, line["ms"]))
                begun = None
        for low, high in paused:
            out = [span for a, b in out for span in ((a, min(b, low)), (max(a, high), b)) if span[0] < span[1]]
        return out
