#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Completion in the shells themselves: what is typed, with the key, and what the program is then called with. bash and zsh run at a terminal, fish is
asked with `complete -C`. A shell that is not installed is skipped, and said so. Prints TAP.

  shells.py BINPACK
"""
import json
import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile

BINPACK = os.path.abspath(sys.argv[1])
PATIENCE_S = 60

# What is typed ("\t" is the key), and the last word that comes of it.
ROWS = (
    ("expl\t", "explain"),
    ("explain -f c.json shop/w\t", "shop/web-1"),
    ("explain -f c.json api\t", "api-1"),
    ("explain -fc.json node/n-a\t", "node/n-alpha"),
    ("explain --filename=c.json nodepool/g\t", "nodepool/general"),
    ("-f c.json expl\t", "explain"),
    ("--simulate -f c.j\t", "c.json"),
    ("--simulate -f c.json --remove-n\t", "--remove-node"),
    ("--simulate -f c.json --remove-node n-b\t", "n-beta"),
    ("--simulate -f c.json --remove-node=n-b\t", "--remove-node=n-beta"),
    ("--simulate -f c.json --scale shop/f\t", "shop/front="),
    ("--simulate -f c.json -n da\t", "data"),
    ("--simulate -f c.json --mode=dis\t", "--mode=disrupt"),
    ("--simulate -f ~/c.json --explain data/d\t", "data/db-0"),
    ("--simulate --zone-down us-east-1f\t", "us-east-1f"),
    ("--simulate --deny-type m7g.16\t", "m7g.16xlarge"),
    ("compare -f c.json --with no-anti\t", "no-antiaffinity"),
    ("help scen\t", "scenarios"),
    ("catalog ref\t", "refresh"),
)


def named(kind, name, namespace=None, version="v1", **more):
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": meta, **more}


def pod(name, namespace):
    return named("Pod", name, namespace, spec={"containers": [{"name": "a", "image": "x"}]})


CLUSTER = {"apiVersion": "v1", "kind": "List", "items": [
    pod("web-1", "shop"), pod("api-1", "shop"), pod("db-0", "data"), pod("x;touch pwned", "shop"), pod("$(touch pwned)", "shop"),
    named("Node", "n-alpha"), named("Node", "n-beta"),
    named("Node", "n-`touch pwned`"),
    named("NodePool", "general", version="karpenter.sh/v1", spec={"template": {"spec": {
        "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "c"}, "requirements": []}}}),
    named("Deployment", "front", "shop", version="apps/v1", spec={
        "replicas": 1, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "a", "image": "x"}]}}})]}

# Completes as the program does, and shows what it is called with instead of running.
WRAPPER = """#!/bin/sh
[ "$1" = completion ] && exec "%s" "$@"
printf 'CALLED'
printf '<%%s>' "$@"
echo END
"""


def read_until(fd, text):
    out = b""
    while text not in out:
        ready, _, _ = select.select([fd], [], [], PATIENCE_S)
        assert ready, "no %r in %r" % (text, out[-2000:])
        try:
            block = os.read(fd, 65536)
        except OSError:
            block = b""
        assert block, "the shell ended: %r" % out[-2000:]
        out += block
    return out.decode(errors="replace")


def at_terminal(shell, setup, typed):
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update({"TERM": "dumb", "PS1": "", "HOME": os.getcwd(), "PATH": os.getcwd() + "/bin:" + os.environ["PATH"]})
        os.execvp(shell[0], shell)
    try:
        os.write(fd, (setup + "; echo REA''DY\n").encode())
        read_until(fd, b"READY")
        os.write(fd, ("binpack " + typed + "\n").encode())
        out = read_until(fd, b"END")
    finally:
        os.close(fd)
        os.waitpid(pid, 0)
    return out[out.rindex("CALLED<") + 7:out.rindex(">END")].split("><")[-1]


def bash(typed):
    return at_terminal(["bash", "--norc", "--noprofile", "-i"], "source ./c.bash", typed)


def zsh(typed):
    setup = "unsetopt zle_bracketed_paste; fpath=($PWD/functions $fpath); autoload -Uz compinit; compinit -u -D"
    return at_terminal(["zsh", "-f", "-i"], setup, typed)


def fish(typed):
    line = "binpack " + typed.rstrip("\t")
    env = {**os.environ, "HOME": os.getcwd(), "PATH": os.getcwd() + "/bin:" + os.environ["PATH"]}
    script = "source c.fish; complete -C %s" % ("'" + line.replace("'", "\\'") + "'")
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, env=env, check=True, timeout=PATIENCE_S)
    words = [w.split("\t")[0] for w in done.stdout.splitlines()]
    assert len(words) == 1, (line, words, done.stderr)
    return words[0]


def kubectl(typed):
    """What kubectl's own completion makes of the plugin's answer: values stand behind "=", files are the shell's."""
    words = typed.rstrip("\t").split(" ")
    done = subprocess.run([os.path.abspath("bin/kubectl_complete-binpack"), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
                          timeout=PATIENCE_S, env={**os.environ, "HOME": os.getcwd()})
    found, directive = done.stdout.splitlines()[:-1], done.stdout.splitlines()[-1]
    assert directive in (":0", ":4"), done
    if directive == ":0":
        found = [name for name in os.listdir(".") if name.startswith(words[-1])]
    assert len(found) == 1, (typed, done)
    return (words[-1].split("=")[0] + "=" if words[-1].startswith("--") and "=" in words[-1] else "") + found[0]


def rows(shell):
    for typed, expected in ROWS:
        typed = typed.replace("~/", os.getcwd() + "/") if shell is kubectl else typed  # kubectl hands paths over as the shell made them
        got = shell(typed)
        assert got == expected, "%r gave %r, expected %r" % (typed, got, expected)


def hostile_names_are_no_words():
    for kind in ("subjects", "nodes"):
        done = subprocess.run([BINPACK, "completion", kind, "-f", "c.json"], capture_output=True, text=True, check=True)
        assert "touch" not in done.stdout and "alpha" in done.stdout, done
    assert not os.path.exists("pwned")


def main():
    shells = (("bash", bash), ("zsh", zsh), ("fish", fish))
    print("1..%d" % (len(shells) + 2))
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name in ("bin", "functions"):
            os.mkdir(name)
        with open("c.json", "w", encoding="utf-8") as out:
            json.dump(CLUSTER, out)
        with open("bin/binpack", "w", encoding="utf-8") as out:
            out.write(WRAPPER % BINPACK)
        os.chmod("bin/binpack", 0o755)
        for shell, name in (("bash", "c.bash"), ("zsh", "functions/_binpack"), ("fish", "c.fish")):
            with open(name, "w", encoding="utf-8") as out:
                subprocess.run([BINPACK, "completion", shell], stdout=out, check=True)
        os.symlink(BINPACK, "bin/kubectl_complete-binpack")
        tests = [(n, (lambda f=f: rows(f)), n) for n, f in shells] + [("as a plugin of kubectl", lambda: rows(kubectl), "sh")] + [("names that a shell could run", hostile_names_are_no_words, "sh")]
        for i, (name, test, needs) in enumerate(tests, 1):
            if shutil.which(needs) is None:
                print("ok %d - %s # SKIP %s is not installed" % (i, name, needs))
                continue
            try:
                test()
                print("ok %d - %s" % (i, name))
            except (AssertionError, subprocess.SubprocessError) as fault:
                failed += 1
                print("not ok %d - %s\n# %s" % (i, name, str(fault).replace("\n", "\n# ")))
            sys.stdout.flush()
        os.chdir("/")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
