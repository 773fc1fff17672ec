#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns a benchmark instance into the text that solver_bench reads.

  instances.py DIR OUT.txt                 DIR holds cluster.json (kubectl List) and catalog.json (binpack/v1 Catalog)
  instances.py --manifests DIR CATALOG.json --copies N OUT.txt
                                           the workloads of all *.yaml in DIR, each replica N times (needs PyYAML)

Pods that no rule of these instances tells apart (requests, node selector) form a class; zone x capacity type x arch are the domains.
Format: one `dims D classes M offerings K domains G` line, M class lines `demand max_per_node sizes[D] n_domains domains...`, K
offering lines `price_nano domain capacity[D]`. Resources: cpu (millicores), memory (bytes), pods, then extended ones."""
import argparse
import glob
import json
import os
import re

ARCH, ZONE, CAP = "kubernetes.io/arch", "topology.kubernetes.io/zone", "karpenter.sh/capacity-type"
SUFFIX = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def quantity(text, scale=1):
    text = str(text)
    if text.endswith("m"):
        return int(float(text[:-1]) * scale / 1000 + 0.999999)
    for suffix, factor in SUFFIX.items():
        if text.endswith(suffix):
            return int(float(text[: -len(suffix)]) * factor * scale)
    return int(float(text) * scale)


def amounts(resources):
    out = {}
    for name, value in resources.items():
        out[name] = quantity(value, 1000 if name == "cpu" else 1)
    return out


def pod_requests(spec):
    total = {"pods": 1}
    for container in spec.get("containers", []):
        given = container.get("resources") or {}
        merged = dict(given.get("limits") or {})
        merged.update(given.get("requests") or {})
        for name, value in amounts(merged).items():
            total[name] = total.get(name, 0) + value
    return total


def read_cluster(path):
    classes = {}
    for item in json.load(open(os.path.join(path, "cluster.json")))["items"]:
        if item["kind"] != "Pod" or item["spec"].get("nodeName"):
            continue
        key = (tuple(sorted(pod_requests(item["spec"]).items())), tuple(sorted((item["spec"].get("nodeSelector") or {}).items())))
        classes[key] = classes.get(key, 0) + 1
    return classes, json.load(open(os.path.join(path, "catalog.json")))


def read_manifests(path, copies):
    import yaml
    classes = {}
    for name in sorted(glob.glob(os.path.join(path, "*.yaml"))):
        text = re.sub(r"\{\{.*?\}\}", "x", open(name).read())
        for document in yaml.safe_load_all(text):
            if not isinstance(document, dict) or document.get("kind") not in ("Deployment", "StatefulSet", "Job", "ReplicaSet"):
                continue
            spec = document["spec"]
            requests = pod_requests(spec["template"]["spec"])
            n = spec.get("replicas", spec.get("parallelism", 1)) or 1
            key = (tuple(sorted(requests.items())), ())
            classes[key] = classes.get(key, 0) + n * copies
    return classes


def write(classes, catalog, out):
    names = ["cpu", "memory", "pods"]
    names += sorted({name for key in classes for name, _ in key[0]} - set(names))
    domains, offerings = [], []
    for kind in catalog["instanceTypes"]:
        capacity = amounts(kind["allocatable"])
        row = [capacity.get(name, 0) for name in names]
        for offering in kind["offerings"]:
            where = {ZONE: offering["zone"], CAP: offering["capacityType"], ARCH: kind["arch"]}
            if where not in domains:
                domains.append(where)
            offerings.append([round(offering["usdPerHour"] * 1e9), domains.index(where)] + row)
    with open(out, "w") as f:
        f.write("dims %d classes %d offerings %d domains %d\n" % (len(names), len(classes), len(offerings), len(domains)))
        for (requests, selector), demand in sorted(classes.items()):
            sizes = dict(requests)
            mask = [i for i, d in enumerate(domains) if all(d.get(k) == v for k, v in selector)]
            f.write(" ".join(map(str, [demand, 4294967295] + [sizes.get(n, 0) for n in names] + [len(mask)] + mask)) + "\n")
        for row in offerings:
            f.write(" ".join(map(str, row)) + "\n")
    print("%s: %d pods, %d classes, %d offerings" % (out, sum(classes.values()), len(classes), len(offerings)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir")
    parser.add_argument("rest", nargs="+")
    parser.add_argument("--manifests", action="store_true")
    parser.add_argument("--copies", type=int, default=20)
    args = parser.parse_args()
    if args.manifests:
        write(read_manifests(args.dir, args.copies), json.load(open(args.rest[0])), args.rest[1])
    else:
        write(*read_cluster(args.dir), args.rest[0])


if __name__ == "__main__":
    main()
