#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the schema tables against the CRDs: every rule that a CRD states for spec or status has its row, and no row states another.

  schema_coverage.py LIST_SCHEMA_RULES CRD_FOLDER

Prints TAP, a test for each kind."""
import glob
import hashlib
import json
import os
import subprocess
import sys


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:8]


LIMITS = ("minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")


def rules_of(schema):
    kind = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        yield "type:quantity"
    elif kind == "object":
        yield "type:map" if isinstance(schema.get("additionalProperties"), dict) else "type:object"
    elif kind == "integer":
        yield "type:int32" if schema.get("format") == "int32" else "type:integer"
    else:
        yield "type:%s" % kind
    for limit in LIMITS:
        # A length or pattern of a list has no effect in an API server; its elements carry them here.
        if limit in schema and not (kind == "array" and "Length" in limit):
            yield "%s:%d" % (limit, schema[limit])
    if "enum" in schema:
        yield "enum:%s" % ",".join(schema["enum"])
    if "pattern" in schema and kind != "array":
        yield "pattern:%s" % digest(schema["pattern"])
    if schema.get("format") == "date-time":
        yield "pattern:date-time"
    if "default" in schema:
        yield "default:%s" % json.dumps(schema["default"], separators=(",", ":"))
    if "atomic" in (schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-map-type")):
        yield "atomic"
    if schema.get("x-kubernetes-list-type") == "set":
        yield "set"
    if schema.get("x-kubernetes-list-map-keys") == ["type"]:
        yield "by type"
    for cel in schema.get("x-kubernetes-validations", []):
        yield "cel:%s" % digest(cel["rule"])


def walk(path, schema, required, out, inherited=None):
    for rule in rules_of(schema):
        out.add((path, rule))
    if inherited:
        out.add((path, "pattern:%s" % digest(inherited)))
    if required and "default" not in schema:
        out.add((path, "required"))
    for name, child in (schema.get("properties") or {}).items():
        walk(path + "." + name, child, name in (schema.get("required") or []), out)
    if "items" in schema:
        walk(path + "[]", schema["items"], False, out, schema.get("pattern") if schema.get("type") == "array" else None)
    if isinstance(schema.get("additionalProperties"), dict):
        walk(path + "{}", schema["additionalProperties"], False, out)


def main(lister, folder):
    files = sorted(glob.glob(os.path.join(folder, "*.yaml")))
    try:
        import yaml
    except ImportError:
        yaml = None
    if not files or yaml is None:
        print("1..1\nok 1 schema coverage # SKIP %s" % ("no CRDs in %s" % folder if yaml else "no python3-yaml"))
        return 0
    ours = {}
    for line in subprocess.run([lister], capture_output=True, text=True, check=True).stdout.splitlines():
        kind, path, rule = line.split("\t")
        ours.setdefault(kind, set()).add((path, rule))
    results = []
    for name in files:
        with open(name, encoding="utf-8") as text:
            crd = yaml.safe_load(text)
        kind = crd["spec"]["names"]["kind"]
        schema = crd["spec"]["versions"][-1]["schema"]["openAPIV3Schema"]
        wanted = set()
        for part in ("spec", "status"):
            walk(part, schema["properties"][part], part in (schema.get("required") or []), wanted)
        have = ours.pop(kind, set())
        faults = ["not covered: %s %s" % r for r in sorted(wanted - have)]
        faults += ["not in the CRD: %s %s" % r for r in sorted(have - wanted)]
        results.append(("%s: %d rules" % (kind, len(wanted)), faults))
    results += [("%s has a CRD" % kind, ["no CRD"]) for kind in sorted(ours)]
    print("1..%d" % len(results))
    for i, (what, faults) in enumerate(results, 1):
        print("%s %d %s" % ("not ok" if faults else "ok", i, what))
        for fault in faults:
            print("# " + fault)
    return 1 if any(f for _, f in results) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
