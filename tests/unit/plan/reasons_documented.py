#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every code of a reason or an assumption in the sources is documented, and every documented code exists.

  reasons_documented.py ROOT"""
import os
import re
import sys

SOURCES = {
    "binpack/plan/reasons.c": r'"([A-Z][A-Z_]{4,})"',
    "binpack/plan/notes.c": r'STR\("([A-Z_]+)"\)',
    "binpack/cli/planning.c": r'add_note\(run, STR\("([A-Z_]+)"\)',
    "binpack/scheduling/pools.c": r'refuse\(\s*\w+,\s*"([A-Z_]+)"',
    "binpack/scheduling/snapshot.c": r'\[SCHED_\w+\] = "([A-Z_]+)"',
    "binpack/scheduling/eligibility.c": r'\[SCHED_(?:MATCH_FIELDS|BAD_REQUIREMENT|DRA)\] = \{"([A-Z_]+)"',
}


def main(root):
    codes = set()
    for path, pattern in SOURCES.items():
        with open(os.path.join(root, path)) as f:
            found = set(re.findall(pattern, f.read()))
        if not found:
            sys.exit("%s: no codes found: has the way they are written changed?" % path)
        codes |= found
    codes.discard("VOLUME_OK")
    with open(os.path.join(root, "docs/reasons.md")) as f:
        documented = set(re.findall(r"`([A-Z][A-Z_]{4,})`", f.read()))
    for code in sorted(codes - documented):
        print("docs/reasons.md does not explain %s" % code)
    for code in sorted(documented - codes):
        print("docs/reasons.md explains %s, which no source gives" % code)
    return 1 if codes != documented else 0


sys.exit(main(sys.argv[1]))
