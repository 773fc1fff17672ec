#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the tree against the house plan (docs/architecture.md, section 1).

  layers.py SOURCE_ROOT BUILD_ROOT     check the tree and its libraries
  layers.py --self-test                plant one breach of each kind and expect it to be caught

Arrows: what each room may include. Purity: `nm -u` of each pure library against an allow-list, and no header of the operating
system. Sizes: files up to 800 lines. Prints each breach as `file:line: what`, exits 1 if there is one. Ends with TAP-free plain
text; the caller looks at the exit status.
"""
import os
import re
import subprocess
import sys
import tempfile

# Room -> rooms it may include from. An entry of a file (`x` stands for x.h, x.c and x_*.[ch]) narrows or widens its room.
ARROWS = {
    "base": ["base"],
    "k8s": ["base", "k8s"],
    "awsapi": ["base", "awsapi"],
    "io": ["base", "io"],
    # Both programs reach API servers and AWS the same way: the clients of k8s/ and awsapi/ over the sockets of io/.
    "live": ["base", "io", "k8s", "awsapi", "live"],
    # The two clients know nothing of each other.
    "live/aws": ["base", "io", "awsapi", "live/aws"],
    "binpack/solver": ["base", "binpack/solver"],
    "binpack/catalog": ["base", "k8s", "awsapi", "binpack/catalog"],
    "binpack/scheduling": ["base", "k8s", "binpack/catalog", "binpack/solver/problem.h", "binpack/scheduling"],
    "binpack/emulate": ["base", "k8s", "binpack/catalog", "binpack/scheduling", "binpack/disruption", "binpack/emulate"],
    "binpack/disruption": ["base", "k8s", "binpack/catalog", "binpack/solver/problem.h", "binpack/scheduling", "binpack/disruption"],
    "binpack/whatif": ["base", "k8s", "binpack/catalog", "binpack/whatif"],
    "binpack/plan": ["base", "k8s", "binpack/catalog", "binpack/solver", "binpack/scheduling", "binpack/disruption", "binpack/emulate/karpenter.h",
                     "binpack/emulate/autoscaler.h", "binpack/emulate/disruption.h",
                     "binpack/plan"],
    "binpack/view": ["base", "k8s", "binpack/catalog", "binpack/solver/problem.h", "binpack/plan", "binpack/view"],
    # What a node class means is decided in one room, for the service and for those who look at it offline.
    "binpack/cli": ["base", "io", "live", "k8s", "awsapi", "binpack", "provisioner/nodeclass"],
    "provisioner/nodeclass": ["base", "awsapi", "provisioner/nodeclass"],
    "provisioner/observe": ["base", "k8s", "binpack/catalog", "binpack/scheduling", "provisioner/observe"],
    "provisioner/observe/metrics": ["base", "provisioner/observe/metrics.h"],
    "provisioner/provisioning": ["base", "k8s", "binpack/catalog", "binpack/solver", "binpack/scheduling", "binpack/plan", "binpack/view",
                                 "binpack/disruption/hash.h", "provisioner/observe/cluster.h", "provisioner/provisioning"],
    # What lives of nodes are made of: events in, actions out, as the engine has them.
    "provisioner/lifecycle": ["base", "k8s", "awsapi", "binpack/catalog", "binpack/scheduling", "provisioner/nodeclass",
                              "provisioner/engine/action.h", "provisioner/engine/event.h", "provisioner/provisioning/round.h",
                              "provisioner/lifecycle"],
    "provisioner/nodepool": ["base", "k8s", "binpack/scheduling", "binpack/disruption/hash.h", "provisioner/engine/action.h",
                             "provisioner/engine/event.h", "provisioner/lifecycle/conditions.h", "provisioner/nodepool"],
    "provisioner/sandbox": ["base", "k8s", "awsapi", "binpack/catalog", "binpack/scheduling", "binpack/plan", "provisioner/engine",
                            "provisioner/provisioning", "provisioner/sandbox"],
    "provisioner/engine": ["base", "k8s", "awsapi", "provisioner/nodeclass", "provisioner/nodepool", "provisioner/lifecycle", "binpack/catalog", "binpack/solver", "binpack/scheduling", "binpack/plan", "provisioner/provisioning",
                           "provisioner/observe", "provisioner/engine"],
    "provisioner/service": ["base", "io", "live", "k8s", "awsapi", "binpack/catalog", "binpack/plan", "binpack/cli/version.h", "provisioner"],
    # The checker knows nothing of how a plan comes about.
    "binpack/plan/check": ["base", "k8s", "binpack/catalog", "binpack/plan/plan.h", "binpack/plan/check"],
    # The verifier shares nothing with the solver but the problem.
    "binpack/solver/verify": ["base", "binpack/solver/problem.h", "binpack/solver/verify"],
}
PURE = ["base", "k8s", "awsapi", "binpack/solver", "binpack/catalog", "binpack/scheduling", "binpack/disruption", "binpack/emulate",
        "binpack/whatif", "binpack/plan", "binpack/view", "provisioner/observe", "provisioner/provisioning", "provisioner/engine",
        "provisioner/nodeclass", "provisioner/nodepool", "provisioner/lifecycle", "provisioner/sandbox"]
LIBRARY_OF = {"base": "libbase.a", "k8s": "libk8s.a", "awsapi": "libawsapi.a", "binpack/solver": "libsolver.a",
              "binpack/catalog": "libcatalog.a", "binpack/scheduling": "libscheduling.a", "binpack/emulate": "libemulate.a", "binpack/whatif": "libwhatif.a",
              "binpack/disruption": "libdisruption.a", "binpack/plan": "libplan.a",
              "binpack/view": "libview.a", "provisioner/observe": "libobserve.a", "provisioner/provisioning": "libprovisioning.a",
              "provisioner/engine": "libengine.a", "provisioner/nodeclass": "libnodeclass.a",
              "provisioner/lifecycle": "liblifecycle.a", "provisioner/nodepool": "libnodepool.a", "provisioner/sandbox": "libsandbox.a"}
SYSTEM_HEADERS = {"assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h", "math.h", "setjmp.h", "stdalign.h",
                  "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h",
                  "jansson.h", "emmintrin.h", "immintrin.h"}
EXTRA_HEADERS = {"base/yaml.c": {"yaml.h"}, "binpack/solver/glpk_box.c": {"glpk.h"},
                 "awsapi/sigv4.c": {"openssl/crypto.h", "openssl/evp.h", "openssl/hmac.h"},
                 "awsapi/xml.c": {"expat.h"}}
SYMBOLS = re.compile(r"^(mem(cpy|move|set|cmp|chr|mem|rchr)|bcmp|str(len|nlen|chr|rchr|cmp|ncmp|str|spn|cspn|tod|tol)|v?snprintf|abort|qsort|qsort_r|bsearch|"
                     r"abs|labs|llabs|floor|ceil|fabs|fmin|fmax|sqrt|pow|log|log2|exp|exp2|frexp|ldexp|lround|llround|rint|round|trunc|fmod|modf|"
                     r"nearbyint|cbrt|isfinite|_?_?sigsetjmp|_setjmp|setjmp|longjmp|json_\w+|jsonp_\w+|__assert_fail|__errno_location|"
                     r"__stack_chk_fail|__ctype_\w+|__isoc\d+_\w+|__(mem|str|v?snprintf|longjmp)\w*_chk|__(asan|ubsan|sanitizer|tsan|gcov|llvm)_?\w*|"
                     r"_GLOBAL_OFFSET_TABLE_|__(u?divti3|u?divmodti4|u?modti3|muloti4|multi3|floattidf|floatuntidf|fixdfti|fixunsdfti)|__popcountdi2|"
                     r"__start_\w+|__stop_\w+|__tls_get_addr|__libc_single_threaded)$")
EXTRA_SYMBOLS = {
    "base": re.compile(r"^(malloc|calloc|realloc|free|yaml_\w+|EVP_\w+|SHA256\w*|MD5\w*|HMAC\w*|OPENSSL_\w+|CRYPTO_\w+)$"),
    "awsapi": re.compile(r"^(EVP_\w+|HMAC\w*|OPENSSL_\w+|XML_\w+)$"),
    "binpack/solver": re.compile(r"^glp_\w+$"),
}
MAX_LINES = 800
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def room_of(path):
    best = ""
    stem = os.path.splitext(path)[0]
    for room in ARROWS:
        if (path.startswith(room + "/") or stem == room or stem.startswith(room + "_")) and len(room) > len(best):
            best = room
    return best


def may_include(room, target):
    stem = os.path.splitext(target)[0]
    return any(target == allowed or target.startswith(allowed + "/") or stem == allowed or stem.startswith(allowed + "_")
               for allowed in ARROWS[room])


def scan_includes(root, paths):
    breaches = []
    for path in paths:
        room = room_of(path)
        if not room:
            continue
        pure = any(path.startswith(p + "/") for p in PURE)
        with open(os.path.join(root, path), encoding="utf-8") as text:
            lines = text.read().splitlines()
        if len(lines) > MAX_LINES and "GENERATED" not in "\n".join(lines[:5]):
            breaches.append("%s:1: %d lines, more than %d" % (path, len(lines), MAX_LINES))
        for number, line in enumerate(lines, 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            kind, target = found.groups()
            if kind == '"' and not may_include(room, target):
                breaches.append("%s:%d: room %s may not include %s" % (path, number, room, target))
            allowed = SYSTEM_HEADERS | EXTRA_HEADERS.get(path, set())
            if kind == "<" and pure and target not in allowed:
                breaches.append("%s:%d: a pure room may not include <%s>" % (path, number, target))
    return breaches


def symbols(nm_flags, library):
    out = subprocess.run(["nm"] + nm_flags + [library], capture_output=True, text=True, check=True).stdout
    return {line.split()[-1] for line in out.splitlines() if line.strip() and not line.rstrip().endswith(":")}


def scan_symbols(libraries):
    """libraries: room -> path of its static library. A room may use what the rooms it includes define, and the allow-list."""
    defined = {room: symbols(["-g", "--defined-only"], path) for room, path in libraries.items()}
    breaches = []
    for room, path in libraries.items():
        if room not in PURE:
            continue
        below = set()
        for other, names in defined.items():
            if any(other == a or other.startswith(a + "/") or a.startswith(other + "/") for a in ARROWS[room]):
                below |= names
        extra = EXTRA_SYMBOLS.get(room)
        for name in sorted(symbols(["-u"], path)):
            plain = name.split("@")[0]
            if plain in below or SYMBOLS.match(plain) or (extra and extra.match(plain)):
                continue
            breaches.append("%s: uses %s, which is neither pure nor below this room" % (os.path.basename(path), plain))
    return breaches


def tree(root):
    out = []
    for top in ["base", "k8s", "awsapi", "io", "live", "binpack", "provisioner"]:
        for folder, _, files in os.walk(os.path.join(root, top)):
            out += [os.path.relpath(os.path.join(folder, f), root) for f in files if f.endswith((".c", ".h"))]
    return sorted(out)


def check(root, build):
    breaches = scan_includes(root, tree(root))
    libraries = {room: os.path.join(build, room, name) for room, name in LIBRARY_OF.items()
                 if os.path.exists(os.path.join(build, room, name))}
    missing = [room for room in PURE if room not in libraries and any(p.startswith(room + "/") and p.endswith(".c") for p in tree(root))]
    breaches += ["%s: its static library %s was not built" % (room, LIBRARY_OF[room]) for room in missing]
    breaches += scan_symbols(libraries)
    for breach in breaches:
        print(breach)
    print("%d files, %d libraries, %d breaches" % (len(tree(root)), len(libraries), len(breaches)))
    return 1 if breaches else 0


def self_test():
    """Each row: a file of the planted tree and the words its breach must be reported with (None: must be accepted)."""
    include_rows = [
        ("base/a.c", '#include "k8s/pod.h"\n', "room base may not include k8s/pod.h"),
        ("k8s/a.c", '#include "awsapi/ec2.h"\n', "room k8s may not include awsapi/ec2.h"),
        ("binpack/solver/a.c", '#include "k8s/pod.h"\n', "room binpack/solver may not include"),
        ("binpack/scheduling/a.c", '#include "io/files.h"\n', "room binpack/scheduling may not include io/files.h"),
        ("binpack/scheduling/b.c", '#include "binpack/solver/engine.h"\n', "may not include binpack/solver/engine.h"),
        ("binpack/plan/check.c", '#include "binpack/scheduling/reqs.h"\n', "room binpack/plan/check may not include"),
        ("binpack/solver/verify.c", '#include "binpack/solver/pattern.h"\n', "room binpack/solver/verify may not include"),
        ("k8s/b.c", "#include <unistd.h>\n", "a pure room may not include <unistd.h>"),
        ("k8s/c.c", "#include <time.h>\n", "a pure room may not include <time.h>"),
        ("base/big.c", "\n" * 801, "801 lines, more than 800"),
        ("binpack/view/a.c", '#include "binpack/plan/plan.h"\n#include <string.h>\n', None),
        ("binpack/plan/check.h", '#include "binpack/plan/plan.h"\n', None),
        ("io/a.c", "#include <unistd.h>\n", None),
        ("live/a.c", '#include "io/loop.h"\n#include "k8s/watch.h"\n', None),
        ("live/aws_keys.c", '#include "awsapi/credentials.h"\n#include "live/aws_exchange.h"\n', None),
        ("live/aws.c", '#include "k8s/watch.h"\n', "room live/aws may not include k8s/watch.h"),
        ("live/b.c", '#include "binpack/plan/plan.h"\n', "room live may not include binpack/plan/plan.h"),
    ]
    symbol_rows = [
        ("k8s", "#include <stdio.h>\nvoid f(void);\nvoid f(void) { puts(\"x\"); }\n", "puts"),
        ("k8s", "#include <time.h>\nlong g(void);\nlong g(void) { return (long)time(0); }\n", "time"),
        ("binpack/solver", "#include <stdlib.h>\nvoid *h(void);\nvoid *h(void) { return malloc(1); }\n", "malloc"),
        ("binpack/scheduling", "#include <stdlib.h>\nconst char *i(void);\nconst char *i(void) { return getenv(\"X\"); }\n", "getenv"),
        ("binpack/catalog", "int rand(void);\nint j(void);\nint j(void) { return rand(); }\n", "rand"),
        ("base", "#include <stdlib.h>\nvoid *k(void);\nvoid *k(void) { return malloc(1); }\n", None),
    ]
    faults = 0
    with tempfile.TemporaryDirectory() as root:
        for path, text, words in include_rows:
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as out:
                out.write(text)
            got = scan_includes(root, [path])
            good = (words is None and not got) or (words is not None and len(got) == 1 and words in got[0])
            faults += not good
            print("%s include %s: %s" % ("ok" if good else "NOT CAUGHT", path, got))
        for room, text, symbol in symbol_rows:
            source, obj, lib = (os.path.join(root, "x" + suffix) for suffix in (".c", ".o", ".a"))
            with open(source, "w", encoding="utf-8") as out:
                out.write(text)
            subprocess.run(["cc", "-c", "-fno-builtin", source, "-o", obj], check=True)
            if os.path.exists(lib):
                os.remove(lib)
            subprocess.run(["ar", "rc", lib, obj], check=True)
            got = scan_symbols({room: lib})
            good = (symbol is None and not got) or (symbol is not None and len(got) == 1 and " %s," % symbol in got[0])
            faults += not good
            print("%s symbol %s in %s: %s" % ("ok" if good else "NOT CAUGHT", symbol, room, got))
    print("%d breaches planted, %d not judged rightly" % (len(include_rows) + len(symbol_rows), faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(self_test() if sys.argv[1:] == ["--self-test"] else check(*sys.argv[1:3]))
