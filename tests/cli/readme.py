#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the commands that the documentation shows and holds their real output against what it shows.

  readme.py BINPACK ROOT [--write]

Looks at README.md and docs/cookbook/*.md for blocks that begin with ```console and "$ binpack ..."; each command runs at the top of the
tree, and what it writes on standard output must be the rest of the block. With --write the blocks are brought up to date. Prints TAP."""
import glob
import os
import re
import shlex
import subprocess
import sys

BLOCK = re.compile(r"```console\n\$ (binpack [^\n]*)\n(.*?)```\n", re.S)


def output_of(binpack, root, command):
    words = shlex.split(command)
    done = subprocess.run([binpack, *words[1:]], cwd=root, capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
    assert done.returncode in (0, 3, 5, 6, 7), "%s: exit %d: %s" % (command, done.returncode, done.stderr.decode()[-300:])
    return done.stdout.decode()


def main():
    binpack, root = os.path.abspath(sys.argv[1]), sys.argv[2]
    write = "--write" in sys.argv[3:]
    pages = [os.path.join(root, "README.md")] + sorted(glob.glob(os.path.join(root, "docs", "cookbook", "*.md")))
    n = failed = 0
    lines = []
    for page in pages:
        with open(page, encoding="utf-8") as file:
            text = file.read()
        fresh = text
        for command, shown in BLOCK.findall(text):
            n += 1
            real = output_of(binpack, root, command)
            good = real == shown
            fresh = fresh.replace("$ %s\n%s```" % (command, shown), "$ %s\n%s```" % (command, real))
            failed += not good
            lines.append("%s %d - %s: %s" % ("ok" if good else "not ok", n, os.path.basename(page), command))
        if write and fresh != text:
            with open(page, "w", encoding="utf-8") as file:
                file.write(fresh)
    print("1..%d" % n)
    print("\n".join(lines))
    if failed and not write:
        print("# the documentation shows another output: tests/cli/readme.py BINPACK ROOT --write brings it up to date")
    return 1 if (failed and not write) or n == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
