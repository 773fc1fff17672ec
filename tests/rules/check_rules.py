#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds docs/rules.md against the tree: every rule and every numbered trap has a row, and what a row names exists.

  check_rules.py SOURCE_ROOT [CASES]     CASES: the folder of the neutral cases; without it their names are not looked up
  check_rules.py --self-test

Prints `docs/rules.md:LINE: what`; exits 1 if there was anything."""
import os
import re
import sys

TRAPS = ["%s-%d" % (reference, n) for reference in ("core", "aws") for n in range(1, 26)]
CHAPTERS = ["2.%d" % n for n in range(1, 16)]
SHORT = {"S": "binpack/scheduling", "P": "binpack/plan", "C": "binpack/catalog", "U": "tests/unit"}
ROW = re.compile(r"^\|\s*([a-z][a-z0-9-]*)\s*\|(.*)\|\s*$")
# Modules of scheduling/ that hold no rule of their own.
MECHANICS = {"cells", "classes", "masks", "needs", "probes", "rule_text", "snapshot", "vocab", "problem_build", "problem_rows"}


def long_path(text):
    head, _, rest = text.partition("/")
    return SHORT[head] + "/" + rest if head in SHORT else text


def service_parts(root):
    """The parts of the service, as the picture of the house names them."""
    with open(os.path.join(root, "docs", "architecture.md"), encoding="utf-8") as text:
        house = text.read()
    found = re.search(r"^provisioner/.*?\n((?:  .*\n)+)", house, re.M)
    return set(re.findall(r"^  ([a-z]+)/", found.group(1), re.M)) if found else set()


def check_names(root, cases, parts, cell, kind):
    """What is wrong with one cell: `kind` is "where" or "shown by"."""
    wrong = []
    names = re.findall(r"`([^`]+)`", cell)
    services = re.findall(r"service: ([a-z]+)", cell)
    if not names and not services:
        wrong.append("%s: names nothing" % kind)
    wrong += ["%s: the house has no part '%s' in the service" % (kind, s) for s in services if s not in parts]
    for name in names:
        if name.startswith("case:"):
            if cases and not os.path.exists(os.path.join(cases, name[5:], "expect.json")):
                wrong.append("%s: no case %s" % (kind, name[5:]))
            continue
        path, _, inside = name.partition(":")
        full = os.path.join(root, long_path(path))
        if not os.path.isfile(full):
            wrong.append("%s: no file %s" % (kind, long_path(path)))
        elif inside:
            with open(full, encoding="utf-8") as text:
                if inside not in text.read():
                    wrong.append("%s: %s has no '%s'" % (kind, long_path(path), inside))
    return wrong


def check(root, cases, lines):
    wrong, seen, chapters, named = [], set(), set(), set()
    parts = service_parts(root)
    for number, line in enumerate(lines, 1):
        row = ROW.match(line)
        if not row or row.group(1) == "id":
            continue
        ident, cells = row.group(1), [c.strip() for c in row.group(2).split("|")]
        is_trap = re.match(r"^(core|aws)-\d+$", ident)
        said = []
        if len(cells) != (3 if is_trap else 4):
            wrong.append("docs/rules.md:%d: %s: %d columns" % (number, ident, len(cells) + 1))
            continue
        if ident in seen:
            said.append("a second row")
        if is_trap and ident not in TRAPS:
            said.append("no such trap")
        if not is_trap:
            chapters.add(cells[0])
        seen.add(ident)
        if not cells[-3]:
            said.append("says nothing")
        said += check_names(root, cases, parts, cells[-2], "where")
        said += check_names(root, cases, parts, cells[-1], "shown by")
        if "`" not in cells[-1] and "`" in cells[-2]:
            said.append("shown by: code without a test")
        named |= {os.path.splitext(os.path.basename(n))[0] for n in re.findall(r"`S/([^`:]+)`", cells[-2])}
        wrong += ["docs/rules.md:%d: %s: %s" % (number, ident, what) for what in said]
    wrong += ["docs/rules.md: no row for %s" % t for t in TRAPS if t not in seen]
    wrong += ["docs/rules.md: no rule of chapter %s" % c for c in CHAPTERS if c not in chapters]
    folder = os.path.join(root, SHORT["S"])
    modules = {f[:-2] for f in os.listdir(folder) if f.endswith(".c")} if os.path.isdir(folder) else set()
    wrong += ["docs/rules.md: no rule lives in binpack/scheduling/%s.c" % m for m in sorted(modules - named - MECHANICS)]
    return wrong, len(seen)


def self_test(root):
    """Damages the table in every way that should be noticed."""
    with open(os.path.join(root, "docs", "rules.md"), encoding="utf-8") as text:
        good = text.read()
    rows = [
        ("a trap without a row", re.sub(r"(?m)^\| core-7 .*\n", "", good), "no row for core-7"),
        ("a row twice", re.sub(r"(?m)^(\| aws-3 .*\n)", r"\1\1", good), "aws-3: a second row"),
        ("a trap that is not", good.replace("| aws-25 |", "| aws-26 |"), "aws-26: no such trap"),
        ("a file that is not", good.replace("`S/hostports.c`", "`S/hostport.c`"), "no file binpack/scheduling/hostport.c"),
        ("a test that is not", good.replace("test_reqs.c:test_pairs", "test_reqs.c:test_pears"), "has no 'test_pears'"),
        ("a part that is not", good.replace("service: disruption", "service: destruction"), "no part 'destruction'"),
        ("no test", re.sub(r"(?m)^(\| taints .*\|)[^|]*\|$", r"\1 |", good), "taints: shown by: names nothing"),
        ("code without a test", re.sub(r"(?m)^(\| taints .*\|)[^|]*\|$", r"\1 service: engine |", good), "code without a test"),
        ("a chapter left out", re.sub(r"(?m)^\| reserved .*\n", "", good), "no rule of chapter 2.9"),
        ("a module left out", good.replace("`S/buffers.c`", "`S/daemons.c`"), "no rule lives in binpack/scheduling/buffers.c"),
        ("a column left out", good.replace("| core-2 |", "| core-2"), "no row for core-2"),
    ]
    faults = 0
    for name, text, words in rows:
        wrong, _ = check(root, None, text.splitlines())
        caught = any(words in w for w in wrong)
        faults += not caught
        print("%s: %s" % ("ok" if caught else "NOT CAUGHT", name))
    return 1 if faults else 0


def main(args):
    if args[0] == "--self-test":
        return self_test(args[1])
    cases = args[1] if len(args) > 1 and os.path.isdir(args[1]) else None
    with open(os.path.join(args[0], "docs", "rules.md"), encoding="utf-8") as text:
        wrong, n = check(args[0], cases, text.read().splitlines())
    for line in wrong:
        print(line)
    print("%d rows, %d wrong%s" % (n, len(wrong), "" if cases else "; the cases are absent and were not looked up"))
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
