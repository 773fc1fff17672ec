#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a C array of scenario files: embed.py OUT FILE...; the first one is the default."""
import os
import sys


def main():
    out, files = sys.argv[1], sys.argv[2:]
    with open(out, "w", encoding="utf-8") as c:
        c.write('/* Made by embed.py from the scenario files. */\n#include "provisioner/sandbox/scenarios.h"\n\n')
        c.write("const struct scenario_text scenario_texts[] = {\n")
        for name in files:
            with open(name, encoding="utf-8") as text:
                lines = text.read().splitlines()
            c.write('    {"%s",\n' % os.path.splitext(os.path.basename(name))[0])
            for line in lines:
                c.write('     "%s\\n"\n' % line.replace("\\", "\\\\").replace('"', '\\"'))
            c.write("    },\n")
        c.write("};\nconst size_t n_scenario_texts = sizeof scenario_texts / sizeof scenario_texts[0];\n")


main()
