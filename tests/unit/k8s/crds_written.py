#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""deploy/crds.yaml is what the tables give, and everything in it that a person can set is explained.

  crds_written.py MAKE_CRDS CRDS_YAML

Prints TAP."""
import subprocess
import sys


def unexplained(path, schema):
    """Properties without a description; elements of lists and maps need none."""
    for name, child in (schema.get("properties") or {}).items():
        where = path + "." + name
        if "description" not in child and where.split(".")[1] in ("spec", "status"):
            yield where
        yield from unexplained(where, child)
    for key, suffix in (("items", "[]"), ("additionalProperties", "{}")):
        if key in schema:
            yield from unexplained(path + suffix, schema[key])


def main(program, path):
    made = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    with open(path, encoding="utf-8") as text:
        same = text.read() == made
    print("1..2")
    print("%s 1 - deploy/crds.yaml is what the tables give%s" % ("ok" if same else "not ok", "" if same else "\n# run: ninja -C BUILD write-crds"))
    try:
        import yaml
    except ImportError:
        print("ok 2 - all is explained # SKIP no python3-yaml")
        return 0 if same else 1
    bare = [where for crd in yaml.safe_load_all(made) for version in crd["spec"]["versions"]
            for where in unexplained(crd["spec"]["names"]["kind"], version["schema"]["openAPIV3Schema"])]
    print("%s 2 - all is explained" % ("not ok" if bare else "ok"))
    for where in bare:
        print("# no sentence in k8s/schema_about.c: " + where)
    return 0 if same and not bare else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
