#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the structs and tables of AWS's operations: service_<name>.h, service_<name>.c and services.h.

  make_tables.py MODELS    MODELS holds AWS's published models (<service>-<version>.subset.json or service-2.json form)

operations.txt says which operations, parameters and results; the models say what each is called on the wire, its type and
whether it is required. Facts only: no text of the models is taken over. Then run clang-format over what it wrote.
"""
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SCALARS = {"string": ("struct str", "aws_text"), "character": ("struct str", "aws_text"), "blob": ("struct str", "aws_blob"),
           "boolean": ("struct opt_bool", "aws_bool"), "integer": ("struct opt_i64", "aws_int"),
           "long": ("struct opt_i64", "aws_int"), "float": ("struct aws_opt_double", "aws_double"),
           "double": ("struct aws_opt_double", "aws_double"), "timestamp": ("struct opt_wall", "aws_time")}
PROTOCOLS = {"ec2": "AWS_PROTOCOL_EC2", "query": "AWS_PROTOCOL_QUERY", "json": "AWS_PROTOCOL_JSON",
             "rest-json": "AWS_PROTOCOL_REST_JSON"}
PLACES = {"uri": "AWS_IN_PATH", "querystring": "AWS_IN_QUERY", "header": "AWS_IN_HEADER"}
# The one service whose model is not among the files: what is used of it, as its API reference states it.
# https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_GetManagedResource.html
ARC = {"metadata": {"apiVersion": "2022-10-30", "protocol": "rest-json"},
       "operations": {"GetManagedResource": {
           "http": {"method": "GET", "requestUri": "/managedresources/{resourceIdentifier}"},
           "input": {"shape": "GetManagedResourceRequest"}, "output": {"shape": "GetManagedResourceResponse"}}},
       "shapes": {"Text": {"type": "string"}, "Time": {"type": "timestamp"},
                  "GetManagedResourceRequest": {
                      "type": "structure", "required": ["resourceIdentifier"],
                      "members": {"resourceIdentifier": {"shape": "Text", "location": "uri", "locationName": "resourceIdentifier"}}},
                  "GetManagedResourceResponse": {
                      "type": "structure",
                      "members": {"arn": {"shape": "Text"}, "name": {"shape": "Text"}, "zonalShifts": {"shape": "ZonalShifts"}}},
                  "ZonalShifts": {"type": "list", "member": {"shape": "ZonalShift"}},
                  "ZonalShift": {"type": "structure",
                                 "members": {"appliedStatus": {"shape": "Text"}, "awayFrom": {"shape": "Text"},
                                             "expiryTime": {"shape": "Time"}, "startTime": {"shape": "Time"},
                                             "zonalShiftId": {"shape": "Text"}}}}}


def snake(name):
    for long, short in (("VCpu", "Vcpu"), ("MiB", "Mib"), ("GiB", "Gib"), ("GB", "Gb"), ("AWS", "Aws"), ("ARN", "Arn")):
        name = name.replace(long, short)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def capital(name):
    return name[:1].upper() + name[1:]


class Service:
    def __init__(self, words, models):
        self.name, model, self.prefix, self.endpoint, self.signing = words[:5]
        self.flags = words[5:]
        self.operations, self.kept, self.order = [], {}, []
        path = os.path.join(models, model + ".subset.json")
        self.model = ARC if self.prefix == "arc" else json.load(open(path, encoding="utf-8"))
        self.shapes = self.model["shapes"]
        self.protocol = self.model["metadata"]["protocol"]

    def members(self, name):
        members = self.shapes[name]["members"]
        kept = self.kept.get(name, list(members))
        unknown = [m for m in kept if m not in members]
        if unknown:
            sys.exit("%s: %s has no member %s" % (self.name, name, ", ".join(unknown)))
        return {m: members[m] for m in members if m in kept}

    def struct(self, name):
        return "%s_%s" % (self.prefix, snake(name))

    def visit(self, name):
        """Structures below a shape, inner ones first."""
        shape = self.shapes[name]
        if shape["type"] == "list":
            self.visit(shape["member"]["shape"])
        elif shape["type"] == "structure" and name not in self.order:
            for ref in self.members(name).values():
                self.visit(ref["shape"])
            self.order.append(name)

    def is_text_map(self, shape):
        return shape["type"] == "map" and self.shapes[shape["value"]["shape"]]["type"] == "string"

    def c_type(self, name):
        """Declaration of a member, with %s for its name, and the expression of its shape."""
        shape = self.shapes[name]
        kind = shape["type"]
        if kind in SCALARS:
            return SCALARS[kind][0] + " %s;", "&" + SCALARS[kind][1]
        if kind == "structure":
            return "struct %s *%%s;" % self.struct(name), "&%s" % self.struct(name)
        if self.is_text_map(shape):
            return "struct aws_text_pairs %s;", "&aws_text_map"
        if kind != "list":
            sys.exit("%s: %s is a %s, which the tables do not have" % (self.name, name, kind))
        element = self.shapes[shape["member"]["shape"]]
        if element["type"] == "string" and not self.element_name(shape):
            return "struct aws_texts %s;", "&aws_text_list"
        inner = "struct " + self.struct(shape["member"]["shape"]) if element["type"] == "structure" else SCALARS[element["type"]][0]
        return "struct {\n%s *v; /* [n] */\nsize_t n;\n} %%s;" % inner, "&list_%s" % snake(name)

    def element_name(self, shape):
        default = {"ec2": "item", "query": "member"}.get(self.protocol)
        # The protocol's own default is "member", in EC2 too, where all but a few lists are given "item".
        name = shape["member"].get("locationName", "member")
        return None if default is None or name in (None, default) else name

    def lists(self):
        """Lists that need a shape of their own."""
        names = []
        for struct in self.order:
            for ref in self.members(struct).values():
                shape = self.shapes[ref["shape"]]
                if shape["type"] == "list" and self.c_type(ref["shape"])[1] != "&aws_text_list" and ref["shape"] not in names:
                    names.append(ref["shape"])
        return names

    def row(self, struct, member, ref):
        location = ref.get("locationName")
        name_in = name_out = location or member
        if self.protocol == "ec2":
            name_in = ref.get("queryName") or capital(location or member)
        flags = [flag for flag, on in (("AWS_REQUIRED", member in self.shapes[struct].get("required", [])),
                                       ("AWS_TOKEN", ref.get("idempotencyToken"))) if on]
        fields = ['.name = "%s"' % member]
        fields += ['.in = "%s"' % name_in] if name_in != member else []
        fields += ['.out = "%s"' % name_out] if name_out != member else []
        fields += [".shape = %s" % self.c_type(ref["shape"])[1], ".offset = offsetof(struct %s, %s)" % (self.struct(struct), snake(member))]
        fields += [".where = %s" % PLACES[ref["location"]]] if "location" in ref else []
        fields += [".flags = %s" % " | ".join(flags)] if flags else []
        return "    {%s}," % ", ".join(fields)

    def header(self):
        out = ["/* SPDX-License-Identifier: GPL-3.0-or-later */",
               "/* GENERATED by make_tables.py from operations.txt and AWS's published models: the parameters and results of",
               " * %s, as far as they are used. What each means: AWS's API reference. Layout: shape.h. */" % self.name.replace("_", " "),
               "#pragma once", "", '#include "awsapi/operation.h"', "", "extern const struct aws_service aws_%s;" % self.prefix]
        out += ["extern const struct aws_operation aws_%s_%s;" % (self.prefix, snake(o[0])) for o in self.operations]
        for struct in self.order:
            out += ["", "struct %s {" % self.struct(struct)]
            members = self.members(struct)
            out += ["    " + self.c_type(ref["shape"])[0] % snake(member) for member, ref in members.items()]
            out += [] if members else ["    char nothing; /* it has no members that are used */"]
            out += ["};"]
        return "\n".join(out) + "\n"

    def tables(self):
        out = []
        names = self.lists()
        done = set()

        def emit_list(name):
            shape = self.shapes[name]
            element = shape["member"]["shape"]
            kind = self.shapes[element]["type"]
            given = self.element_name(shape)
            inner = self.struct(element) if kind == "structure" else SCALARS[kind][1]
            out.append("static const struct aws_shape list_%s = {.type = AWS_LIST, .element = &%s%s};" % (
                snake(name), inner, ', .element_name = "%s"' % given if given else ""))
            done.add(name)
        for struct in self.order:
            members = self.members(struct)
            for ref in members.values():
                if ref["shape"] in names and ref["shape"] not in done:
                    emit_list(ref["shape"])
            name = self.struct(struct)
            rows = [self.row(struct, member, ref) for member, ref in members.items()]
            if rows:
                out += ["static const struct aws_row %s_rows[] = {" % name] + rows + ["};"]
            out.append("static const struct aws_shape %s = {.type = AWS_STRUCT, .size = sizeof(struct %s)%s};" % (
                name, name, ", .n_rows = %d, .rows = %s_rows" % (len(rows), name) if rows else ""))
            out.append("")
        return out

    def operation(self, name, page, unless, once):
        model = self.model["operations"][name]
        symbol = "aws_%s_%s" % (self.prefix, snake(name))
        fields = [".service = &aws_%s" % self.prefix, '.name = "%s"' % name]
        if self.protocol == "rest-json":
            fields += ['.method = "%s"' % model["http"]["method"], '.path = "%s"' % model["http"]["requestUri"]]
        for side in ("input", "output"):
            if side in model:
                fields.append(".%s = &%s" % (side, self.struct(model[side]["shape"])))
        ins = self.members(model["input"]["shape"]) if "input" in model else {}
        outs = self.members(model["output"]["shape"]) if "output" in model else {}
        for token in ("NextToken", "Marker"):
            if token in ins and token in outs:
                fields.append(".in_token = 1 + offsetof(struct %s, %s)" % (self.struct(model["input"]["shape"]), snake(token)))
                fields.append(".out_token = 1 + offsetof(struct %s, %s)" % (self.struct(model["output"]["shape"]), snake(token)))
        for size in ("MaxResults", "MaxItems"):
            if size in ins and page:
                fields.append(".page_size = 1 + offsetof(struct %s, %s)" % (self.struct(model["input"]["shape"]), snake(size)))
                fields.append(".items_per_page = %d" % page)
                fields += [".no_size_with = 1 + offsetof(struct %s, %s)" % (self.struct(model["input"]["shape"]), snake(unless))] if unless else []
        fields += [".is_mutating = true"] if once else []
        return "const struct aws_operation %s = {%s};" % (symbol, ", ".join(fields))

    def source(self):
        meta = self.model["metadata"]
        out = ["/* SPDX-License-Identifier: GPL-3.0-or-later */",
               "/* GENERATED by make_tables.py from operations.txt and AWS's published models. */",
               '#include "awsapi/service_%s.h"' % self.prefix, "", "#include <stddef.h>", ""]
        fields = ['.name = "%s"' % self.name, '.endpoint = "%s"' % self.endpoint, '.signing = "%s"' % self.signing,
                  ".protocol = %s" % PROTOCOLS[self.protocol], '.version = "%s"' % meta["apiVersion"]]
        if self.protocol == "json":
            fields += ['.json_version = "%s"' % meta["jsonVersion"], '.target = "%s"' % meta["targetPrefix"]]
        fields += [".is_global = true"] if "global" in self.flags else []
        fields += [".query_compatible = true"] if "query-compatible" in self.flags else []
        out += ["const struct aws_service aws_%s = {%s};" % (self.prefix, ", ".join(fields)), ""]
        out += self.tables()
        out += [self.operation(*o) for o in self.operations]
        return "\n".join(out) + "\n"


def read_spec(models):
    services = []
    for line in open(os.path.join(HERE, "operations.txt"), encoding="utf-8"):
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "service":
            services.append(Service(words[1:], models))
        elif words[0] == "operation":
            page = [int(w[5:]) for w in words[2:] if w.startswith("page=")]
            unless = [w[len("unless="):] for w in words[2:] if w.startswith("unless=")]
            services[-1].operations.append((words[1], page[0] if page else 0, unless[0] if unless else None, "once" in words[2:]))
        elif words[0] == "shape":
            services[-1].kept[words[1].rstrip(":")] = words[2:]
        else:
            sys.exit("operations.txt: %s" % line)
    return services


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    services = read_spec(sys.argv[1])
    for service in services:
        for name, *_ in service.operations:
            model = service.model["operations"][name]
            for side in ("input", "output"):
                if side in model:
                    service.visit(model[side]["shape"])
        unused = [name for name in service.kept if name not in service.order]
        if unused:
            sys.exit("%s: no operation leads to %s" % (service.name, ", ".join(unused)))
        for ext, text in (("h", service.header()), ("c", service.source())):
            with open(os.path.join(HERE, "service_%s.%s" % (service.prefix, ext)), "w", encoding="utf-8") as out:
                out.write(text)
    everything = ["aws_%s_%s" % (s.prefix, snake(o[0])) for s in services for o in s.operations]
    with open(os.path.join(HERE, "services.h"), "w", encoding="utf-8") as out:
        out.write("/* SPDX-License-Identifier: GPL-3.0-or-later */\n/* GENERATED by make_tables.py: every operation, for whoever goes through all "
                  "of them. */\n#pragma once\n\n" + "".join('#include "awsapi/service_%s.h"\n' % p for p in sorted(s.prefix for s in services)) +
                  "\nextern const struct aws_operation *const aws_operations[]; /* ends with NULL */\n")
    with open(os.path.join(HERE, "services.c"), "w", encoding="utf-8") as out:
        out.write('/* SPDX-License-Identifier: GPL-3.0-or-later */\n/* GENERATED by make_tables.py. */\n#include "awsapi/services.h"\n\n'
                  "const struct aws_operation *const aws_operations[] = {\n" + "".join("    &%s,\n" % name for name in everything) + "    NULL,\n};\n")
    print("%d services, %d operations, %d structs" % (len(services), len(everything), sum(len(s.order) for s in services)))


if __name__ == "__main__":
    main()
