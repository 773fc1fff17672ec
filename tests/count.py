#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adds up meson's JUnit report and prints `N passed, N failed, N skipped`. Exits 1 when a test failed or none ran. A test program
that ran out of time or died before its first line has no case in that report: testlog.json beside it tells of those."""
import json
import os
import sys
import xml.etree.ElementTree as ET

passed = failed = skipped = 0
for case in ET.parse(sys.argv[1]).getroot().iter("testcase"):
    kinds = {child.tag for child in case}
    if kinds & {"failure", "error"}:
        failed += 1
        print("failed: %s" % case.get("name"))
    elif "skipped" in kinds:
        skipped += 1
        print("skipped: %s" % case.get("name"))
    else:
        passed += 1
bad = 0
with open(os.path.join(os.path.dirname(sys.argv[1]), "testlog.json"), encoding="utf-8") as log:
    for test in map(json.loads, log):
        if test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL"):
            bad += 1
            print("%s: %s" % (test["result"].lower(), test["name"]))
failed = max(failed, bad)
print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
sys.exit(1 if failed or not passed else 0)
