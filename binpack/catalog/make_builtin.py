#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes builtin_data.c, the embedded catalogue, from a folder of facts.

    python3 binpack/catalog/make_builtin.py FACTS > binpack/catalog/builtin_data.c

FACTS holds catalogue-facts.json (instance types), ondemand-prices.json, zone-offerings.json and
spot-advisor.json. Every type that a Kubernetes node can be made of (x86_64 or arm64, HVM) becomes
a row, with or without a price in the region. The output depends on the facts only.
"""
import json
import os
import statistics
import sys

REGION = "us-east-1"
ZONE_ID = "use1-az%d"
MANUFACTURERS = {None: "NONE", "Intel": "INTEL", "AMD": "AMD", "AWS": "AWS"}
HYPERVISORS = {"": "METAL", "nitro": "NITRO", "xen": "XEN"}


def load(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return json.load(file)


def eligible(fact):
    return bool(fact.get("karpenter_eligible")) and fact.get("arch") in ("amd64", "arm64")


def micro(price):
    value = round(price * 1000000)
    if abs(value / 1000000 - price) > 1e-12 or not 0 < value < 2**31:
        raise SystemExit("price %r is not a whole number of micro-dollars" % price)
    return value


def savings_by(names, figures, key):
    groups = {}
    for name in names:
        if name in figures:
            groups.setdefault(key(name), []).append(figures[name]["s"])
    return {group: int(statistics.median_low(values)) for group, values in groups.items()}


def series(name):
    """The letters in front: m5.large -> m, c7i-flex.large -> c, u-6tb1.56xlarge -> u."""
    n = 0
    while name[n].isalpha():
        n += 1
    return name[:n]


class Spot:
    """Saving of a type in percent and where it comes from: 0 own figure, 1 family, 2 series."""

    def __init__(self, names, figures):
        # 0 stands for "nothing known": only a1 has it, which is hardly sold any more.
        figures = {name: figure for name, figure in figures.items() if figure["s"] > 0}
        self.figures = figures
        self.family = savings_by(names, figures, lambda n: n.split(".")[0])
        self.series = savings_by(names, figures, series)
        self.n = [0, 0, 0]

    def saving(self, name):
        for source, table, key in ((0, None, name), (1, self.family, name.split(".")[0]),
                                   (2, self.series, series(name))):
            found = self.figures.get(name, {}).get("s") if table is None else table.get(key)
            if found is not None:
                self.n[source] += 1
                return found
        return None


def flags_of(fact, spot):
    network, storage = fact["network"], fact["local_storage"]
    marks = [
        ("ARM", fact["arch"] == "arm64"),
        ("METAL", fact["bare_metal"]),
        ("OLD", not fact["current_generation"]),
        ("ENCRYPT", network["encryption_in_transit"]),
        ("ENCLAVE", fact["nitro_enclaves"]),
        ("ENA", network["ena"] != "unsupported"),
        ("NVME", bool(storage) and storage["nvme"] != "unsupported"),
        ("SHARED", fact["ebs"]["attachment_limit_type"] == "shared"),
        ("EBSOPT", fact["ebs"]["optimized"] == "default"),
        ("OD", "on-demand" in fact["usage_classes"]),
        ("SPOT", spot),
    ]
    return "|".join(name for name, on in marks if on) or "0"


def row_of(fact, price, zones, saving):
    name, network, ebs = fact["name"], fact["network"], fact["ebs"]
    vpc, storage = fact.get("vpc") or {}, fact["local_storage"]
    columns = [
        fact["vcpu"],
        fact["memory_mib"],
        round((fact["clock_ghz"] or 0) * 1000),
        "CPU_" + MANUFACTURERS[fact["cpu_manufacturer"]],
        "HV_" + HYPERVISORS[fact["hypervisor"]],
        ebs["max_mbps"] or 0,
        ebs["max_attachments"] or 0,
        network["default_card_enis"],
        network["ipv4_per_eni"],
        network["efa_max"],
        vpc.get("branch_enis", 0) if vpc.get("trunking") else 0,
        fact.get("network_bandwidth_mbps", 0),
        storage["total_gb"] if storage else 0,
        price,
        "0x%02x" % zones,
        saving if saving is not None else 0,
    ]
    flags = flags_of(fact, saving is not None)
    return '    {"%s",%s,%s},' % (name, ",".join(str(column) for column in columns), flags)


def device_rows(fact):
    name = fact["name"]
    for gpu in fact["gpus"]:
        yield name, "GPU", gpu["manufacturer"], gpu["name"], gpu["count"], gpu["memory_mib"], 0
    for device in fact.get("neuron") or []:
        yield (name, "NEURON", "AWS", device["name"], device["count"], device["memory_mib"],
               device["cores_per_device"])
    for device in fact.get("inference_accelerators") or []:
        yield name, "INFERENCE", device["manufacturer"], device["name"], device["count"], 0, 0


HEAD = """/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GENERATED. The embedded catalogue, made by
 *     python3 binpack/catalog/make_builtin.py FACTS > binpack/catalog/builtin_data.c
 * %(n)d types; facts, no text of others:
 *   specifications   DescribeInstanceTypes as published in getmoto/moto %(moto).12s,
 *                    network limits of %(limits_at)s and bandwidths in
 *                    aws/karpenter-provider-aws %(provider).12s
 *   on-demand prices %(region)s, Linux, USD, AWS price list of %(prices_at)s
 *   zones            DescribeInstanceTypeOfferings in getmoto/moto %(moto).12s
 *   spot savings     AWS Spot Advisor, Linux, 2025-06 (alexei-led/spotinfo): %(own)d types have a
 *                    figure of their own; %(family)d take the median of their family and
 *                    %(series)d the median of their series (c, m, r, ...)
 * The numbers behind zone letters (use1-az1 for us-east-1a) are placeholders: AWS shuffles them
 * for every account. */
/* clang-format off */
#include "binpack/catalog/builtin_rows.h"

const char builtin_region[] = "%(region)s";
const char builtin_as_of[] = "%(date)s";
const char builtin_spot_source[] =
    "on-demand price less what Spot Advisor showed as saving in 2025-06; types without a figure "
    "(%(without)d of %(spot)d) take the median of their family or series; the same in every zone";

const struct builtin_zone builtin_zones[BUILTIN_N_ZONES] = {
%(zones)s
};

#define ARM BUILTIN_ARM
#define METAL BUILTIN_METAL
#define OLD BUILTIN_OLD
#define ENCRYPT BUILTIN_ENCRYPT
#define ENCLAVE BUILTIN_ENCLAVE
#define ENA BUILTIN_ENA
#define NVME BUILTIN_NVME
#define SHARED BUILTIN_SHARED
#define EBSOPT BUILTIN_EBSOPT
#define OD BUILTIN_ON_DEMAND
#define SPOT BUILTIN_SPOT

/* name, vcpu, MiB, MHz, maker, hypervisor, EBS Mbps, EBS volumes, ENIs, IPv4 per ENI, EFA,
 * branch ENIs, Mbps, local GB, on-demand micro-USD per hour, zones (bit 0 is zone a), spot saving
 * in percent, flags */
const uint32_t builtin_n_rows = %(n)d;
const struct builtin_row builtin_rows[] = {
"""


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.stderr.write(__doc__)
        return 2
    folder = sys.argv[1]
    facts = load(folder, "catalogue-facts.json")
    prices = load(folder, "ondemand-prices.json")
    offered = load(folder, "zone-offerings.json")["offerings"][REGION]
    figures = load(folder, "spot-advisor.json")["regions"][REGION]
    limits_at = load(folder, "vpc-limits.json")["_meta"]["generated_at"][:10]
    types = sorted((f for f in facts["types"] if eligible(f)), key=lambda f: f["name"])
    zones = sorted({zone for zone_list in offered.values() for zone in zone_list})
    spot = Spot([f["name"] for f in types], figures)

    rows = []
    for fact in types:
        name = fact["name"]
        price = prices["prices"][REGION].get(name)
        mask = sum(1 << zones.index(zone) for zone in offered.get(name, ()))
        saving = None
        if price is not None and mask and "spot" in fact["usage_classes"]:
            saving = spot.saving(name)
        rows.append(row_of(fact, 0 if price is None else micro(price), mask, saving))

    prices_at = prices["_meta"][REGION]["generated_at"]
    out = HEAD % {
        "n": len(rows), "moto": facts["_meta"]["heads"]["moto"], "region": REGION,
        "provider": facts["_meta"]["heads"]["karpenter-provider-aws"], "limits_at": limits_at,
        "prices_at": prices_at, "date": prices_at[:10], "own": spot.n[0], "family": spot.n[1],
        "series": spot.n[2], "without": spot.n[1] + spot.n[2], "spot": sum(spot.n),
        "zones": "\n".join('    {"%s", "%s"},' % (zone, ZONE_ID % (i + 1))
                           for i, zone in enumerate(zones)),
    }
    out += "\n".join(rows) + "\n};\n\n"
    devices = [row for fact in types for row in device_rows(fact)]
    out += "/* type, kind, maker, name, count, MiB each, cores each */\n"
    out += "const uint32_t builtin_n_devices = %d;\n" % len(devices)
    out += "const struct builtin_device builtin_devices[] = {\n"
    out += "".join('    {"%s",BUILTIN_%s,"%s","%s",%d,%d,%d},\n' % row for row in devices)
    out += "};\n"
    if len(zones) > 8 or len(out) >= 400 * 1024:
        raise SystemExit("the table does not fit: %d zones, %d bytes" % (len(zones), len(out)))
    sys.stdout.write(out)
    sys.stderr.write("%d types, %d devices, %d bytes; spot: %s\n"
                     % (len(rows), len(devices), len(out), spot.n))
    return 0


if __name__ == "__main__":
    sys.exit(main())
