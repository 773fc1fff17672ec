#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mechanical rules of docs/contributing.md that no compiler knows: SPDX line first, banned functions, no line comments, file and
function sizes. Prints `file:line: what`; exits 1 if anything was found. Run from the root of the tree."""
import re
import subprocess
import sys

BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets|alloca)\s*\(")
MALLOC = re.compile(r"\b(malloc|calloc|realloc)\s*\(")
FUNCTION_MAX = 70
found = 0


def say(path, line, text):
    global found
    found += 1
    print("%s:%d: %s" % (path, line, text))


def strip(text):
    """The text with comments and literals blanked, line structure kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


files = subprocess.run(["git", "ls-files", "*.c", "*.h"], capture_output=True, text=True, check=True).stdout.split()
for path in files:
    text = open(path, encoding="utf-8").read()
    if not text.startswith("/* SPDX-License-Identifier: GPL-3.0-or-later */"):
        say(path, 1, "the SPDX line is missing")
    code = strip(text)
    start = None
    for number, line in enumerate(code.splitlines(), 1):
        hit = BANNED.search(line)
        if hit:
            say(path, number, "%s is banned" % hit.group(1))
        if MALLOC.search(line) and path != "base/arena.c" and not path.startswith("tests/"):
            say(path, number, "malloc outside base/arena.c")
        if "//" in line:
            say(path, number, "line comment")
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start > FUNCTION_MAX and not path.startswith("tests/"):
                say(path, start, "function of %d lines, more than %d" % (number - start, FUNCTION_MAX))
            start = None
sys.exit(1 if found else 0)
