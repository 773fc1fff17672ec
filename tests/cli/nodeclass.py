#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`binpack nodeclass`. User data of every AMI family, read back by readers that are not ours: Python's MIME and TOML parsers, a YAML reader, a shell's lexer;
custom user data that is merged, and custom user data that means harm. Hashes, questions to AWS and launch templates. Prints TAP.

  nodeclass.py BINPACK SOURCE_ROOT [NAME...]
"""
import base64
import email
import email.policy
import json
import math
import os
import random
import shlex
import subprocess
import sys
import tempfile
import tomllib

try:
    import yaml
except ImportError:
    print("1..0 # SKIP python3-yaml is not installed")
    sys.exit(0)

BINPACK = os.path.abspath(sys.argv[1])
TESTS = {}
FAMILIES = ("AL2", "AL2023", "Bottlerocket", "Windows2019", "Windows2022", "Windows2025", "Custom")
CA = base64.b64encode(b"ca-bundle\n").decode()
CLUSTER = ["--cluster-name", "test-cluster", "--cluster-endpoint", "https://test-cluster", "--cluster-ca-bundle", CA, "--cluster-cidr", "10.100.0.0/16",
           "--cluster-dns", "10.0.100.10"]
KUBELET = {"maxPods": 110, "podsPerCore": 4, "systemReserved": {"cpu": "100m", "memory": "200Mi"}, "kubeReserved": {"ephemeral-storage": "3Gi", "cpu": 1},
           "evictionHard": {"memory.available": "5%", "nodefs.available": "10Gi"}, "evictionSoft": {"memory.available": "300Mi"},
           "evictionSoftGracePeriod": {"memory.available": "1m30s"}, "evictionMaxPodGracePeriod": 120, "imageGCHighThresholdPercent": 80,
           "imageGCLowThresholdPercent": 70, "cpuCFSQuota": False, "clusterDNS": ["10.0.100.99", "10.0.100.98"]}
LABELS = {"karpenter.k8s.aws/ec2nodeclass": "c", "karpenter.sh/capacity-type": "spot", "karpenter.sh/do-not-sync-taints": "true", "karpenter.sh/nodepool": "p",
          "example.com/team": "web"}
TAINTS = [("dedicated", "gpu", "NoSchedule"), ("warm", "", "PreferNoSchedule"), ("karpenter.sh/unregistered", "", "NoExecute")]


def test(function):
    TESTS[function.__name__.replace("_", " ")] = function
    return function


def nodeclass(family="AL2023", **spec):
    return {"apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": {"name": "c"}, "spec": {
        "role": "r", "amiFamily": family, "amiSelectorTerms": [{"id": "ami-0"}], "subnetSelectorTerms": [{"tags": {"a": "b"}}],
        "securityGroupSelectorTerms": [{"tags": {"a": "b"}}], **{k: v for k, v in spec.items() if v is not None}}}


def nodepool(name="p", labels=None, taints=True, class_name="c"):
    spec = {"nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": class_name}, "requirements": []}
    if taints:
        spec["taints"] = [{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]
        spec["startupTaints"] = [{"key": "warm", "effect": "PreferNoSchedule"}]
    labels = labels or {"example.com/team": "web", "node.kubernetes.io/zone-kind": "edge", "sub.k8s.io/x": "y"}
    return {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": name},
            "spec": {"template": {"metadata": {"labels": labels}, "spec": spec}}}


def run(*words, objects=(), code=0, stdin=None):
    text = "\n---\n".join(json.dumps(o) for o in objects) if stdin is None else stdin
    done = subprocess.run([BINPACK, "nodeclass", *words, "-f", "-"], input=text, capture_output=True, timeout=60, text=True)
    assert done.returncode == code, "%s: exit %d: %s" % (words, done.returncode, done.stderr[-1500:])
    return done.stdout if code == 0 else done.stderr


def userdata(family, *words, pool=True, code=0, cluster=True, **spec):
    objects = [nodeclass(family, **spec)] + ([nodepool()] if pool else [])
    given = CLUSTER if cluster else []
    out = run("userdata", *given, "--capacity-type", "spot", *words, "-q", "-o", "json", objects=objects, code=code)
    return out if code else json.loads(out)["userData"]


def parts_of(text):
    """Parts of an archive as Python's e-mail package sees them: [(content type, body)], the archive flawless."""
    message = email.message_from_string(text, policy=email.policy.default)
    assert message.is_multipart() and not message.defects, message.defects
    assert not any(p.defects for p in message.walk()), [p.defects for p in message.walk()]
    return [(p.get_content_type(), p.get_payload(decode=False)) for p in message.iter_parts()]


def flags_of(arguments):
    """--a=b flags as a dict; maps stay text."""
    flags = dict(word.lstrip("-").split("=", 1) for word in shlex.split(arguments))
    assert len(flags) == len(shlex.split(arguments)), arguments
    return flags


def pairs_of(text, between="="):
    return dict(pair.split(between, 1) for pair in text.split(","))


KUBELET_FLAGS = {"max-pods": "110", "pods-per-core": "4", "system-reserved": {"cpu": "100m", "memory": "200Mi"}, "kube-reserved": {"ephemeral-storage": "3Gi", "cpu": "1"},
                 "eviction-hard": {"memory.available": "5%", "nodefs.available": "10Gi"}, "eviction-soft": {"memory.available": "300Mi"},
                 "eviction-soft-grace-period": {"memory.available": "1m30s"}, "eviction-max-pod-grace-period": "120", "image-gc-high-threshold": "80",
                 "image-gc-low-threshold": "70", "cpu-cfs-quota": "false"}


def check_flags(flags, kubelet):
    assert pairs_of(flags.pop("node-labels")) == LABELS
    assert flags.pop("register-with-taints") == ",".join("%s%s%s:%s" % (k, "=" if v else "", v, e) for k, v, e in TAINTS)
    for name, expected in (KUBELET_FLAGS if kubelet else {"max-pods": "29"}).items():
        got = flags.pop(name)
        got = pairs_of(got, "<" if name in ("eviction-hard", "eviction-soft") else "=") if isinstance(expected, dict) else got
        assert got == expected, (name, got, expected)
    assert not flags, flags


def bootstrap(body):
    """The last command of an AL2 script, as the shell would split it: {argument: value}."""
    command = body.split("2>&1\n", 1)[1]
    words = [w for w in shlex.split(command.replace("\\\n", " "))]
    assert words[:2] == ["/etc/eks/bootstrap.sh", "test-cluster"], words
    return dict(zip(words[2::2], words[3::2]))


@test
def al2():
    for kubelet in (None, KUBELET):
        for raid in (None, "RAID0"):
            (kind, body), = parts_of(userdata("AL2", kubelet=kubelet, instanceStorePolicy=raid))
            assert kind == "text/x-shellscript" and body.startswith("#!/bin/bash -xe\nexec > >(tee /var/log/user-data.log|logger -t user-data -s 2>/dev/console) 2>&1\n")
            given = bootstrap(body)
            check_flags(flags_of(given.pop("--kubelet-extra-args")), kubelet)
            assert given == {"--apiserver-endpoint": "https://test-cluster", "--b64-cluster-ca": CA, "--use-max-pods": "false",
                             "--dns-cluster-ip": "10.0.100.99" if kubelet else "10.0.100.10", **({"--local-disks": "raid0"} if raid else {})}, given
    given = bootstrap(parts_of(userdata("AL2", "--cluster-dns", "fd00:10:96::a"))[0][1])
    assert (given["--ip-family"], given["--dns-cluster-ip"]) == ("ipv6", "fd00:10:96::a"), given


def node_config(body):
    assert body.startswith("# Karpenter Generated NodeConfig\n")
    value = yaml.safe_load(body)
    assert (value["apiVersion"], value["kind"]) == ("node.eks.aws/v1alpha1", "NodeConfig") and set(value["spec"]) <= {"cluster", "containerd", "instance", "kubelet"}
    return value["spec"]


@test
def al2023():
    for kubelet in (None, KUBELET, {**KUBELET, "maxParallelImagePulls": 5, "cpuManagerPolicyOptions": {"full-pcpus-only": "true"}, "registryPullQPS": 1.5}):
        for raid in (None, "RAID0"):
            (kind, body), = parts_of(userdata("AL2023", kubelet=kubelet, instanceStorePolicy=raid))
            assert kind == "application/node.eks.aws", kind
            spec = node_config(body)
            assert spec["cluster"] == {"name": "test-cluster", "apiServerEndpoint": "https://test-cluster", "certificateAuthority": CA, "cidr": "10.100.0.0/16"}
            assert spec["instance"] == {"localStorage": {"strategy": "RAID0"} if raid else {}}
            config, (labels,) = spec["kubelet"]["config"], spec["kubelet"]["flags"]
            assert pairs_of(flags_of(labels)["node-labels"]) == LABELS
            assert [(t["key"], t.get("value", ""), t["effect"]) for t in config.pop("registerWithTaints")] == TAINTS
            assert config == {"clusterDNS": ["10.0.100.10"], "maxPods": 29, **(kubelet or {})}, config
    # Without a NodePool the node still gets what a controller needs.
    spec = node_config(parts_of(userdata("AL2023", pool=False))[0][1])
    assert spec["kubelet"]["config"]["registerWithTaints"] == [{"key": "karpenter.sh/unregistered", "effect": "NoExecute"}]
    assert pairs_of(flags_of(spec["kubelet"]["flags"][0])["node-labels"]) == {"karpenter.sh/capacity-type": "spot", "karpenter.sh/do-not-sync-taints": "true"}


def bottlerocket(**spec):
    words = spec.pop("words", [])
    return tomllib.loads(userdata("Bottlerocket", *words, **spec))


@test
def bottlerocket_settings():
    for kubelet in (None, {k: v for k, v in KUBELET.items() if k != "podsPerCore"}):
        value = bottlerocket(kubelet=kubelet)
        assert list(value) == ["settings"] and list(value["settings"]) == ["kubernetes"]
        kubernetes = value["settings"]["kubernetes"]
        expected = {"api-server": "https://test-cluster", "cluster-certificate": CA, "cluster-name": "test-cluster", "cluster-dns-ip": "10.0.100.10", "max-pods": 29,
                    "node-labels": LABELS, "node-taints": {"dedicated": ["gpu:NoSchedule"], "warm": [":PreferNoSchedule"], "karpenter.sh/unregistered": [":NoExecute"]}}
        if kubelet:
            expected.update({"cluster-dns-ip": "10.0.100.99", "max-pods": 110, "cpu-cfs-quota-enforced": False, "eviction-max-pod-grace-period": 120,
                             "image-gc-high-threshold-percent": "80", "image-gc-low-threshold-percent": "70",
                             **{k: KUBELET_FLAGS[k] for k in ("system-reserved", "kube-reserved", "eviction-hard", "eviction-soft", "eviction-soft-grace-period")}})
        assert kubernetes == expected, kubernetes


@test
def bottlerocket_merging():
    custom = """
[settings.kubernetes]
"unknown-setting" = "unknown"
api-server = 'replaceme'
cloud-provider = "external"
max-pods = 9_999 # replaceme
cluster-domain = "it's.local"
credential-providers.ecr = {enabled = true, image-patterns = ["*.dkr.ecr.us-west-2.amazonaws.com"]}
[settings.kubernetes.labels]
replace = "me"
[settings.kubernetes.node-labels]
custom = "kept"
"karpenter.sh/nodepool" = "overridden"
[settings.kubernetes.node-taints]
replace = ["me:Schedule"]
[settings.kubernetes.eviction-hard]
"memory.available" = "12%"
[settings.network]
hosts = [["10.0.0.0", ["test.example.com", "test1.example.com"]]]
[settings.bootstrap-containers.mine]
source = "x"
[[settings.list]]
at = 1979-05-27T07:32:00.999999-07:00
f = [1e3, -0.5, inf]
[other]
gone = true
"""
    value = bottlerocket(userData=custom, instanceStorePolicy="RAID0")
    given = tomllib.loads(custom)["settings"]
    settings = value["settings"]
    assert list(value) == ["settings"] and {k: settings[k] for k in ("network", "bootstrap-containers", "list")} == {k: given[k] for k in ("network", "bootstrap-containers", "list")}
    k = settings["kubernetes"]
    assert (k["api-server"], k["cloud-provider"], k["max-pods"], k["cluster-domain"]) == ("https://test-cluster", "external", 29, "it's.local")
    assert k["node-labels"] == {"custom": "kept", **LABELS} and "replace" not in k["node-taints"] and "labels" not in k and "unknown-setting" not in k
    assert k["eviction-hard"] == {"memory.available": "12%"} and k["credential-providers"] == given["kubernetes"]["credential-providers"]
    old = [["apiclient", "ephemeral-storage", "init"], ["apiclient", "ephemeral-storage", "bind", "--dirs", "/var/lib/containerd", "/var/lib/kubelet", "/var/log/pods"]]
    assert settings["bootstrap-commands"] == {"000-mount-instance-storage": {"commands": old, "mode": "always", "essential": True}}
    for version, new in (("v1.46.0", True), ("v1.45.9", False), ("1.100.0", True), ("v2.0.0", True), ("latest", False)):
        value = bottlerocket(instanceStorePolicy="RAID0", amiFamily=None, amiSelectorTerms=[{"alias": "bottlerocket@" + version}])
        commands = value["settings"]["bootstrap-commands"]["000-mount-instance-storage"]["commands"]
        assert commands[1] == (old[1][:3] if new else old[1]), (version, commands)
    # Wrong types are said with their place.
    for text, words in (("[settings.kubernetes]\nmax-pods = 'many'", "settings.kubernetes.max-pods: expected an integer, got a string"),
                        ("[settings.kubernetes.node-labels]\na = 1", "settings.kubernetes.node-labels: expected a table of strings"),
                        ("settings = 3", "must be tables"), ("[settings]\nkubernetes = []", "must be tables"),
                        ("[settings]\n[settings]", "spec.userData: line 2: a header opens a table that is there already"), ("a = ", "line 1: expected a value"),
                        ("a = 9223372036854775808", "line 1: an integer is beyond 64 bits")):
        error = userdata("Bottlerocket", code=1, userData=text)
        assert words in error, (text, error)


@test
def windows():
    for family in ("Windows2019", "Windows2022", "Windows2025"):
        for custom in (None, "Write-Host 'hello'"):
            lines = userdata(family, kubelet=KUBELET, userData=custom).split("\n")
            assert lines[0] == "<powershell>" and lines[-1] == "</powershell>" and lines[1:-3] == ([custom] if custom else []), lines
            assert lines[-3] == '[string]$EKSBootstrapScriptFile = "$env:ProgramFiles\\Amazon\\EKS\\Start-EKSBootstrap.ps1"'
            words = shlex.split(lines[-2])
            assert words[:2] == ["&", "$EKSBootstrapScriptFile"], words
            given = dict(zip(words[2::2], words[3::2]))
            check_flags(flags_of(given.pop("-KubeletExtraArgs")), KUBELET)
            assert given == {"-EKSClusterName": "test-cluster", "-APIServerEndpoint": "https://test-cluster", "-Base64ClusterCA": CA, "-DNSClusterIP": "10.0.100.99"}, given


@test
def custom_is_verbatim():
    for text in ("#!/bin/sh\r\necho $HOME\n", "anything 'at' all: \u00e9\n--//\n", None):
        assert userdata("Custom", userData=text) == (text or "")


MIME = """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="BOUNDARY"

preamble
--BOUNDARY
Content-Type: text/cloud-config; charset="us-ascii"
Content-Disposition: attachment;
 filename="a.yaml"

#cloud-config
packages: [jq]

--BOUNDARY
Content-Type: text/x-shellscript; charset="us-ascii"

#!/bin/bash
echo "--BOUNDARY-not"
--BOUNDARY--
epilogue
"""


@test
def archives_are_merged():
    for family in ("AL2", "AL2023"):
        for text in (MIME, MIME.replace("\n", "\r\n"), "\n\n" + MIME, MIME.replace('boundary="BOUNDARY"', "boundary=BOUNDARY"), MIME.split("\n", 1)[1],
                     MIME.replace("Content-Type: multipart/mixed; ", "content-type: multipart/mixed;\n  charset=x;\n  ")):
            out = userdata(family, userData=text)
            parts = parts_of(out)
            assert [k for k, _ in parts] == ["text/cloud-config", "text/x-shellscript", "text/x-shellscript" if family == "AL2" else "application/node.eks.aws"], parts
            assert yaml.safe_load(parts[0][1]) == {"packages": ["jq"]} and parts[1][1] == '#!/bin/bash\necho "--BOUNDARY-not"', parts
            assert list(email.message_from_string(out).walk())[1].get_filename() == "a.yaml" and "\r" not in out
        empty = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b--\n'
        assert len(parts_of(userdata(family, userData=empty))) == 1


@test
def plain_custom_user_data():
    yaml_text = "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec: {kubelet: {config: {maxPods: 5}}}\n"
    (kind, body), (_, ours) = parts_of(userdata("AL2023", userData=yaml_text))
    assert kind == "application/node.eks.aws" and body == yaml_text and node_config(ours)["kubelet"]["config"]["maxPods"] == 29
    for text in ("#!/bin/bash\necho hi\n", "#!/bin/bash -xe\n# note: colon\nset -e\n", "# only a comment\n"):
        for family in ("AL2", "AL2023"):
            (kind, body), _ = parts_of(userdata(family, userData=text))
            assert (kind, body) == ("text/x-shellscript", text), (kind, body)


HOSTILE = ["Content-Type: text/plain\n\nx", "MIME-Version: 1.0\n\n", "MIME-Version: 1.0", "Content-Type: multipart/mixed\n\n--\n", "MIME-Version:\n" * 3000,
           'Content-Type: multipart/mixed; boundary=""\n\n--\n----\n', 'Content-Type: multipart/mixed; boundary="b"\n\n', 'Content-Type: multipart/mixed; boundary="b\n\n--b--',
           'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain\n\nnever ends\n', 'Content-Type: multipart/mixed; boundary="b"\n\n--b\nno header\n\n--b--\n',
           'Content-Type: multipart/mixed; boundary="%s"\n\n--%s--\n' % ("x" * 71, "x" * 71), 'Content-Type: multipart/mixed; boundary="b"\n x\n\n' + "--b\nA: b\n\n" * 1001 + "--b--\n",
           " folded: first\n\n"]


@test
def hostile_archives():
    for text in HOSTILE:
        for family in ("AL2", "AL2023"):
            if text.strip().startswith(("MIME-Version:", "Content-Type:")):
                error = userdata(family, userData=text, code=1)
                assert error.startswith("binpack: error: EC2NodeClass c: spec.userData: ") and error.count("\n") == 1, error
            else:
                assert len(parts_of(userdata(family, userData=text))) == 2
    # What would end a part early never reaches a node.
    for body in ("#!/bin/bash\n--//\nContent-Type: text/x-shellscript\n\nevil\n", "#!/bin/sh\n--//--\n", "#!/bin/sh\n-\r-//\n", "#!/bin/sh\n--//  \n"):
        for family in ("AL2", "AL2023"):
            assert 'part 1 has a line "--//"' in userdata(family, userData=body, code=1), body
    assert len(parts_of(userdata("AL2023", userData="#!/bin/sh\necho --//\n--//x\n"))) == 2


@test
def values_cannot_leave_their_quotes():
    for family in ("AL2", "AL2023", "Bottlerocket", "Windows2022"):
        for words in (["--cluster-name", "a' ; reboot '"], ["--cluster-endpoint", "https://x$(reboot)"]):
            assert "can be passed to a node" in userdata(family, *words, code=1)
        for option, wrong, right in (("--cluster-dns", ("1`2", "foo", "10.0.0.256", "10.0.0.1/8"), ("10.0.0.9", "fd00::a")),
                                     ("--cluster-cidr", ("10.0.0.0/99", "10.0.0.0", "fd00::/129", "x/8"), ("10.0.0.0/16", "fd00::/108")),
                                     ("--kubernetes-version", ("abc", "1", "1.x", "v1.34"), ("1.34",))):
            for word in wrong:
                error = userdata(family, option, word, code=2)
                assert '%s: "%s" is not ' % (option, word) in error, error
            for word in right:
                userdata(family, option, word)
        assert "no base64" in userdata(family, "--cluster-ca-bundle", "';reboot", code=1)
        assert "can be passed to a node" in userdata(family, kubelet={"kubeReserved": {"cpu": "1\" --x"}}, code=1)
    for kubelet, words in (({"maxPods": "x"}, "spec.kubelet: maxPods: expected"), ({"maxPods": -1}, "spec.kubelet: maxPods"), ({"clusterDNS": "10.0.0.1"}, "clusterDNS: expected"),
                           ({"evictionHard": {"a": []}}, "evictionHard.a: expected"), ({"cpuCFSQuota": "no"}, "cpuCFSQuota: expected")):
        error = userdata("AL2023", kubelet=kubelet, code=1)
        assert words in error, error


# Every construct of TOML, by chance: right ones and broken ones.
SCALARS = ["1", "-0", "+7", "0xDEAD_beef", "0o17", "0b1010", "1_000", "9223372036854775807", "-9223372036854775808", "1.5", "-3.1e-2", "6.626E+34", "inf", "-nan", "true", "false",
           "1979-05-27T07:32:00Z", "1979-05-27 07:32:00.5+01:00", "1979-05-27T00:32:00", "1979-05-27", "07:32:00.999", '"a \\u00e9 \\t \\" \\\\ b"', "'lit\\eral'", "''", '""',
           '"""\nlong "" \\\n   joined"""', "'''x''y'''", '""""quoted""""', "'tab\there'", '"\\U0001F600"', "[]", "[1, 'a', [2.5]]", "[ # note\n 1,\n\n 2, ]", "{}", "{a = 1, b.c = 'x'}"]
BROKEN = ["01", "1__0", "_1", "1_", "1.", ".5", "1e", "0x", "0xg", "tru", "1979-13-01", "1979-02-30", "25:00:00", '"\\q"', '"open', "'open", '"\\ud800"', "[1", "{a=1,}", "{a=1",
          "[1,,2]", "1 2", "", "1979-05-27T", "'''open", "\"a\x01b\"", "+0x1", "- 1", "{a=1\n}", "{a=1, a=2}"]
LINES = ["[settings]", "[settings.a]", "[settings.a.b]", "[[settings.l]]", "[[settings.l.m]]", "[settings.l.x]", "[settings.\"q k\"]", "[ settings . 'z' ]", "[settings", "[]", "# note", "", "\t ",
         "[settings.a.b.c.d]", "[x]", "a", "= 1", "[[settings]]", "[[settings.a]]", "[settings.l]"]
KEYS = ["a", "b", "c", "a.b", "a.b.c", "l", "l.x", "'q k'", '"q k"', "3", "-", "a . c", "\"\"", "d.e.f", "settings.a"]


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if isinstance(a, dict) and isinstance(b, dict):
        return set(a) == set(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    return type(a) is type(b) and a == b


@test
def toml_means_what_python_takes_it_for():
    rounds = int(os.environ.get("BINPACK_TOML", "150"))
    taken = refused = 0
    for seed in range(rounds):
        rng = random.Random(seed)
        lines = ["[settings]"] if rng.random() < 0.7 else []
        for _ in range(rng.randrange(1, 6)):
            if rng.random() < 0.35:
                lines.append(rng.choice(LINES))
            else:
                lines.append("%s = %s" % (rng.choice(KEYS), rng.choice(BROKEN if rng.random() < 0.06 else SCALARS)))
        text = ("\r\n" if rng.random() < 0.1 else "\n").join(lines)
        try:
            given = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, ValueError):
            given = None
        done = subprocess.run([BINPACK, "nodeclass", "userdata", "-q", "-o", "json", *CLUSTER, "-f", "-"], input=json.dumps(nodeclass("Bottlerocket", userData=text)),
                              capture_output=True, timeout=60, text=True)
        if given is None or not isinstance(given.get("settings", {}), dict):
            assert done.returncode == 1 and "spec.userData" in done.stderr, "seed %d: taken, but Python refuses %r" % (seed, text)
            refused += 1
            continue
        assert done.returncode == 0, "seed %d: refused, but Python takes %r: %s" % (seed, text, done.stderr)
        settings = tomllib.loads(json.loads(done.stdout)["userData"])["settings"]
        settings.pop("kubernetes")
        assert same(settings, given.get("settings", {})), "seed %d: %r became %r, Python has %r" % (seed, text, settings, given.get("settings"))
        taken += 1
    assert rounds < 100 or (taken > rounds // 5 and refused > rounds // 5), (taken, refused)


CLOUD_INIT = """
import sys
from cloudinit.helpers import Paths
from cloudinit.user_data import UserDataProcessor
message = UserDataProcessor(Paths({})).process(sys.stdin.read())
for part in message.walk():
    if not part.is_multipart():
        print(part.get_content_type())
"""


@test
def cloud_init_finds_every_part():
    """The reader that really runs on AL2 and AL2023, where Debian's package of it is installed."""
    if subprocess.run(["/usr/bin/python3", "-c", "import cloudinit.user_data"], capture_output=True, check=False).returncode != 0:
        return "SKIP cloud-init is not installed"
    for family, ours in (("AL2", "text/x-shellscript"), ("AL2023", "application/node.eks.aws")):
        for custom, kinds in ((None, []), ("#!/bin/sh\necho\n", ["text/x-shellscript"]), (MIME, ["text/cloud-config", "text/x-shellscript"])):
            done = subprocess.run(["/usr/bin/python3", "-c", CLOUD_INIT], input=userdata(family, userData=custom), capture_output=True, text=True, check=True)
            assert done.stdout.split() == kinds + [ours] and not done.stderr, (done.stdout, done.stderr)
    return None


CLOUD_CONFIG = """#cloud-config
packages: [jq]
runcmd:
- [sh, -c, "echo 'a' > /tmp/a"]
write_files:
- path: /etc/motd
  content: "--\\n"
"""


@test
def cloud_config_passes_the_schema_of_cloud_init():
    """What a person wrote for cloud-init comes through the merging as something that cloud-init's own schema takes; the check is shown to refuse."""
    if not os.path.exists("/usr/bin/cloud-init"):
        return "SKIP cloud-init is not installed"

    def judge(text):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(text)
            file.flush()
            return subprocess.run(["/usr/bin/cloud-init", "schema", "--config-file", file.name], capture_output=True, text=True, check=False, timeout=120)
    whole = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/cloud-config\n\n%s\n--b--\n' % CLOUD_CONFIG
    for family in ("AL2", "AL2023"):
        kind, body = parts_of(userdata(family, userData=whole))[0]
        assert kind == "text/cloud-config" and yaml.safe_load(body) == yaml.safe_load(CLOUD_CONFIG), body
        done = judge(body)
        assert done.returncode == 0 and "Valid cloud-config" in done.stdout, done.stdout + done.stderr
        done = judge(body.replace("packages: [jq]", "packages: 7"))
        assert done.returncode != 0, done.stdout
    return None


def unlike(schema, value, path="."):
    """What of a value a structural schema of Kubernetes does not take, unknown fields included."""
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}
    kind = schema.get("type")
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return []                                  # RawExtension: anything, whatever type is written beside it
    if kind in kinds and not isinstance(value, kinds[kind]):
        return ["%s: not of type %s" % (path, kind)]
    if "enum" in schema and value not in schema["enum"]:
        return ["%s: %r" % (path, value)]
    if kind == "array":
        return [e for i, v in enumerate(value) for e in unlike(schema["items"], v, "%s[%d]" % (path, i))]
    if kind != "object":
        return []
    known, more = schema.get("properties", {}), schema.get("additionalProperties")
    wrong = []
    for key, v in value.items():
        if key not in known and not more:
            wrong.append("%s.%s: unknown" % (path, key))
        elif path != "." or key != "metadata":
            wrong += unlike(known.get(key, more if isinstance(more, dict) else {}), v, path + "." + key)
    return wrong + ["%s.%s: required" % (path, k) for k in schema.get("required", []) if k not in value]


def nodeadm_takes_the_configuration():
    """nodeadm itself, which configures nodes of AL2023, if BINPACK_NODEADM names its source folder with the program built in it: our NodeConfig fits its schema
    (crds/) to the last field, and `nodeadm config check` takes it. https://github.com/awslabs/amazon-eks-ami: `cd nodeadm && go build ./cmd/nodeadm`."""
    source = os.environ["BINPACK_NODEADM"]
    with open(os.path.join(source, "crds", "node.eks.aws_nodeconfigs.yaml"), encoding="utf-8") as text:
        schema = yaml.safe_load(text)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]

    def judge(text):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(text)
            file.flush()
            done = subprocess.run([os.path.join(source, "nodeadm"), "config", "check", "--config-source", "file://" + file.name], capture_output=True, text=True, check=False,
                                  timeout=60)
        return unlike(schema, yaml.safe_load(text)) + ([done.stderr] if done.returncode != 0 else [])
    extra = "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n  kubelet:\n    config:\n      shutdownGracePeriod: 30s\n"
    for kubelet in (None, KUBELET, {**KUBELET, "maxParallelImagePulls": 5, "registryPullQPS": 1.5}):
        for raid in (None, "RAID0"):
            for custom in (None, extra):
                for kind, body in parts_of(userdata("AL2023", kubelet=kubelet, instanceStorePolicy=raid, userData=custom)):
                    assert kind == "application/node.eks.aws", kind
                    # The person's part alone names no cluster; nodeadm asks for that once all parts are merged.
                    assert body.strip() == extra.strip() or not judge(body), (body, judge(body))
    six = parts_of(userdata("AL2023", "--cluster-dns", "fd30:1c53:5f8a::a", "--cluster-cidr", "fd30:1c53:5f8a::/108"))[0][1]
    spec = node_config(six)
    assert spec["cluster"]["cidr"] == "fd30:1c53:5f8a::/108" and spec["kubelet"]["config"]["clusterDNS"] == ["fd30:1c53:5f8a::a"] and not judge(six), (six, judge(six))
    body = parts_of(userdata("AL2023"))[0][1]
    for wrong in (body.replace("kind: NodeConfig", "kind: NodeConfigs"), body.replace("apiServerEndpoint", "apiServerEndpoints"), body.replace("  kubelet:\n", "  kublet:\n"),
                  body.replace("localStorage: {}", "localStorage: {strategy: RAID9}"), body.replace("cidr: 10.100.0.0/16", "cidr: [1]")):
        assert wrong != body and judge(wrong), wrong


if os.environ.get("BINPACK_NODEADM"):
    test(nodeadm_takes_the_configuration)


def shown(*words, objects=None, family="AL2023", code=0, **spec):
    objects = objects or [nodeclass(family, **spec), nodepool()]
    out = run("show", *CLUSTER, *words, "-q", "-o", "json", objects=objects, code=code)
    return out if code else json.loads(out)


def filters(question):
    return {f["Name"]: f["Values"] for f in question["input"].get("Filters", [])}


@test
def hashes_are_those_of_karpenter():
    spec = {"role": "role-1", "tags": {"keyTag-1": "valueTag-1", "keyTag-2": "valueTag-2"}, "context": "fake-context", "detailedMonitoring": False,
            "associatePublicIPAddress": False, "userData": "userdata-test-1",
            "metadataOptions": {"httpEndpoint": "disabled", "httpProtocolIPv6": "disabled", "httpPutResponseHopLimit": 1, "httpTokens": "optional"},
            "blockDeviceMappings": [{"deviceName": "map-device-1", "rootVolume": False, "ebs": {
                "deleteOnTermination": False, "encrypted": False, "iops": 0, "kmsKeyID": "fakeKMSKeyID", "snapshotID": "fakeSnapshot", "throughput": 0, "volumeSize": "2G",
                "volumeType": "standard"}}, {"deviceName": "map-device-2"}]}
    # The authority of Karpenter's own test is no base64, but user data of Custom does not need it to be one.
    value = shown("--cluster-ca-bundle", base64.b64encode(b"x").decode(), family="Custom", amiSelectorTerms=None, **spec)
    assert value["hash"]["v4"] == "4950366118253097694", value["hash"]
    # A manifest hashes as the object that an API server makes of it.
    bare, full = shown(), shown(metadataOptions={"httpEndpoint": "enabled", "httpProtocolIPv6": "disabled", "httpPutResponseHopLimit": 1, "httpTokens": "required"})
    assert bare["hash"] == full["hash"] and shown(kubelet={"maxParallelImagePulls": 3})["hash"]["v6"] != bare["hash"]["v6"]


@test
def questions_of_selectors():
    value = shown(subnetSelectorTerms=[{"tags": {"a": "b", "c": "*"}}, {"id": "subnet-1"}, {"id": "subnet-2"}], securityGroupSelectorTerms=[{"name": "n1"}, {"id": "sg-1"}, {"name": "n2"},
                  {"tags": {"k": "v"}}], capacityReservationSelectorTerms=[{"id": "cr-1"}, {"tags": {"t": "*"}, "ownerID": "012345678901"}, {"instanceMatchCriteria": "open"}],
                  placementGroupSelector={"name": "near"}, amiSelectorTerms=[{"id": "ami-1"}, {"name": "mine-*"}, {"name": "theirs", "owner": "self"}, {"tags": {"os": "x"}},
                                                                             {"ssmParameter": "/my/ami"}, {"id": "ami-2"}])
    of = lambda name: [q for q in value["questions"] if q["operation"] == name]
    assert [filters(q) for q in of("ec2:DescribeSubnets")] == [{"tag:a": ["b"], "tag-key": ["c"]}, {"subnet-id": ["subnet-1", "subnet-2"]}]
    assert [filters(q) for q in of("ec2:DescribeSecurityGroups")] == [{"tag:k": ["v"]}, {"group-id": ["sg-1"]}, {"group-name": ["n1", "n2"]}]
    reservations = of("ec2:DescribeCapacityReservations")
    assert [q["input"].get("CapacityReservationIds") for q in reservations] == [["cr-1"], None, None]
    assert [filters(q) for q in reservations] == [{"state": ["active"]}, {"owner-id": ["012345678901"], "tag-key": ["t"], "state": ["active"]},
                                                  {"instance-match-criteria": ["open"], "state": ["active"]}]
    assert [(q["input"]["GroupNames"], filters(q)) for q in of("ec2:DescribePlacementGroups")] == [(["near"], {"state": ["available"]})]
    assert [q["input"] for q in of("ssm:GetParameter")] == [{"Name": "/my/ami"}]
    images = of("ec2:DescribeImages")
    assert all(q["input"]["IncludeDeprecated"] for q in images)
    assert [(filters(q), q["input"].get("Owners")) for q in images] == [
        ({"name": ["mine-*"], "state": ["available"]}, ["self", "amazon"]), ({"name": ["theirs"], "state": ["available"]}, ["self"]),
        ({"tag:os": ["x"], "state": ["available"]}, None), ({"image-id": ["ami-1", "ami-2"], "state": ["available"]}, None)]
    value = shown(placementGroupSelector={"id": "pg-1"})
    assert [q["input"]["GroupIds"] for q in value["questions"] if "Placement" in q["operation"]] == [["pg-1"]]


@test
def parameters_of_aliases():
    eks = "/aws/service/eks/optimized-ami/1.32/"
    cases = {
        "al2023@latest": [eks + "amazon-linux-2023/%s/%s/recommended/image_id" % v for v in (("x86_64", "standard"), ("x86_64", "nvidia"), ("x86_64", "neuron"), ("arm64", "standard"), ("arm64", "nvidia"))],
        "al2023@v20260801": [eks + "amazon-linux-2023/%s/%s/amazon-eks-node-al2023-%s-%s-1.32-v20260801/image_id" % (v * 2) for v in (
            ("x86_64", "standard"), ("x86_64", "nvidia"), ("x86_64", "neuron"), ("arm64", "standard"), ("arm64", "nvidia"))],
        "al2@v20260801": [eks + "amazon-linux-2%s/amazon-eks%s-node-1.32-v20260801/image_id" % v for v in (("", ""), ("-arm64", "-arm64"), ("-gpu", "-gpu"))],
        "bottlerocket@v1.46.0": ["/aws/service/bottlerocket/aws-k8s-1.32%s/%s/1.46.0/image_id" % v for v in (("", "x86_64"), ("", "arm64"), ("-nvidia", "x86_64"), ("-nvidia", "arm64"))],
        "bottlerocket@latest": ["/aws/service/bottlerocket/aws-k8s-1.32%s/%s/latest/image_id" % v for v in (("", "x86_64"), ("", "arm64"), ("-nvidia", "x86_64"), ("-nvidia", "arm64"))],
        "windows2022@latest": ["/aws/service/ami-windows-latest/Windows_Server-2022-English-Core-EKS_Optimized-1.32/image_id"]}
    for alias, names in cases.items():
        for family in (None, "Custom"):
            value = shown("--kubernetes-version", "1.32", amiFamily=family, amiSelectorTerms=[{"alias": alias}])
            assert [q["input"]["Name"] for q in value["questions"] if q["operation"] == "ssm:GetParameter"] == names, (alias, value["questions"])
            assert not [q for q in value["questions"] if q["operation"] == "ec2:DescribeImages"]
    for alias, version, words in (("al2@latest", "1.33", "AL2 aliases are no longer supported on EKS 1.33+"), ("windows2025@latest", "1.34", "requires EKS version 1.35 or higher, current version: 1.34")):
        done = subprocess.run([BINPACK, "nodeclass", "show", "--kubernetes-version", version, "-f", "-"], input=json.dumps(nodeclass(amiFamily=None, amiSelectorTerms=[{"alias": alias}])),
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and words in done.stderr, done.stderr


def template(*words, **spec):
    value = shown(*words, **spec)
    return value["launchTemplate"]["LaunchTemplateData"], value


STATUS = {"subnets": [{"id": "subnet-1", "zone": "z", "zoneID": "i"}], "securityGroups": [{"id": "sg-1", "name": "a"}, {"id": "sg-2", "name": "b"}], "instanceProfile": "profile-1",
          "amis": [{"id": "ami-gpu", "name": "gpu", "requirements": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]},
                                                                    {"key": "karpenter.k8s.aws/instance-gpu-count", "operator": "Exists"}]},
                   {"id": "ami-arm", "name": "arm", "requirements": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}]},
                   {"id": "ami-std", "name": "std", "requirements": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]},
                                                                    {"key": "karpenter.k8s.aws/instance-gpu-count", "operator": "DoesNotExist"},
                                                                    {"key": "karpenter.k8s.aws/instance-accelerator-count", "operator": "DoesNotExist"}]}]}


@test
def launch_templates():
    objects = [{**nodeclass(tags={"team": "web", "empty": ""}, detailedMonitoring=True, associatePublicIPAddress=False, ipPrefixCount=2), "status": STATUS}, nodepool()]
    for kind, image in (("m5.large", "ami-std"), ("m7g.large", "ami-arm"), ("g5.xlarge", "ami-gpu")):
        value = shown("--instance-type", kind, objects=objects)
        data = value["launchTemplate"]["LaunchTemplateData"]
        assert data["ImageId"] == image and data["IamInstanceProfile"] == {"Name": "profile-1"} and data["Monitoring"] == {"Enabled": True}, data
        assert value["status"]["amis"][0]["requirements"] == STATUS["amis"][0]["requirements"] and value["status"]["subnets"] == STATUS["subnets"]
    tags = {"team": "web", "empty": "", "kubernetes.io/cluster/test-cluster": "owned", "karpenter.sh/nodepool": "p", "eks:eks-cluster-name": "test-cluster", "karpenter.k8s.aws/ec2nodeclass": "c"}
    assert value["tags"] == tags and list(value["tags"]) == sorted(tags)
    specs = {s["ResourceType"]: {t["Key"]: t["Value"] for t in s["Tags"]} for s in data["TagSpecifications"] + value["launchTemplate"]["TagSpecifications"]}
    assert specs == {"network-interface": tags, "launch-template": tags}
    assert data["NetworkInterfaces"] == [{"AssociatePublicIpAddress": False, "DeviceIndex": 0, "Groups": ["sg-1", "sg-2"], "Ipv4PrefixCount": 2}], data["NetworkInterfaces"]
    spot = shown("--capacity-type", "spot", objects=objects)["launchTemplate"]
    assert [s["ResourceType"] for s in spot["LaunchTemplateData"]["TagSpecifications"]] == ["network-interface", "spot-instances-request"]
    # Equal content has one name, other content another.
    names = [shown(*words, objects=objects)["launchTemplate"]["LaunchTemplateName"] for words in ((), (), ("--capacity-type", "spot"), ("--cluster-dns", "10.0.0.9"))]
    assert names[0] == names[1] and len(set(names)) == 3 and all(n.startswith("karpenter.k8s.aws/") and n[18:].isdigit() for n in names), names
    text = base64.b64decode(value["launchTemplate"]["LaunchTemplateData"]["UserData"]).decode()
    assert text == json.loads(run("userdata", *CLUSTER, "--instance-type", "g5.xlarge", "-q", "-o", "json", objects=objects))["userData"]


@test
def devices_network_and_metadata():
    gp3 = {"Encrypted": True, "VolumeType": "gp3"}
    for family, devices in (("AL2", [("/dev/xvda", 20)]), ("AL2023", [("/dev/xvda", 20)]), ("Bottlerocket", [("/dev/xvda", 4), ("/dev/xvdb", 20)]), ("Windows2022", [("/dev/sda1", 50)]), ("Custom", None)):
        data, _ = template(family=family)
        assert data.get("BlockDeviceMappings") == (devices and [{"DeviceName": d, "Ebs": {**gp3, "VolumeSize": n}} for d, n in devices]), (family, data)
    data, _ = template(blockDeviceMappings=[{"deviceName": "/dev/a", "rootVolume": True, "ebs": {
        "volumeSize": "1.5Gi", "iops": 0, "throughput": 250, "kmsKeyID": "k", "snapshotID": "snap-1", "deleteOnTermination": False, "volumeInitializationRate": 100, "volumeType": "io2"}},
        {"deviceName": "/dev/b", "ebs": {"volumeSize": "100G"}}, {"deviceName": "/dev/c"}])
    assert data["BlockDeviceMappings"] == [{"DeviceName": "/dev/a", "Ebs": {"DeleteOnTermination": False, "KmsKeyId": "k", "SnapshotId": "snap-1", "Throughput": 250, "VolumeInitializationRate": 100,
                                                                           "VolumeSize": 2, "VolumeType": "io2"}}, {"DeviceName": "/dev/b", "Ebs": {"VolumeSize": 94}}, {"DeviceName": "/dev/c"}]
    data, _ = template(metadataOptions={"httpTokens": "optional", "httpPutResponseHopLimit": 3}, cpuOptions={"nestedVirtualization": "enabled"})
    assert data["MetadataOptions"] == {"HttpEndpoint": "enabled", "HttpProtocolIpv6": "disabled", "HttpPutResponseHopLimit": 3, "HttpTokens": "optional", "InstanceMetadataTags": "disabled"}
    assert data["CpuOptions"] == {"NestedVirtualization": "enabled"} and data["EnclaveOptions"] == {"Enabled": False} and data["Placement"] == {"Tenancy": "default"}
    assert data["CapacityReservationSpecification"] == {"CapacityReservationPreference": "none"}
    assert "HttpProtocolIpv6" not in template("--region", "us-isob-east-1")[0]["MetadataOptions"]
    cards = [{"networkCardIndex": 0, "deviceIndex": 0, "interfaceType": "interface"}, {"networkCardIndex": 1, "deviceIndex": 1, "interfaceType": "efa-only"}]
    data, _ = template(networkInterfaces=cards, ipPrefixCount=1, associatePublicIPAddress=True, connectionTracking={"udpTimeout": 45})
    assert data["NetworkInterfaces"] == [{"AssociatePublicIpAddress": True, "ConnectionTrackingSpecification": {"UdpTimeout": 45}, "DeviceIndex": 0, "Groups": [], "InterfaceType": "interface",
                                          "Ipv4PrefixCount": 1, "NetworkCardIndex": 0}, {"DeviceIndex": 1, "Groups": [], "InterfaceType": "efa-only", "NetworkCardIndex": 1}], data["NetworkInterfaces"]
    data, _ = template("--cluster-dns", "fd00::a", ipPrefixCount=1)
    assert data["NetworkInterfaces"] == [{"DeviceIndex": 0, "Groups": [], "Ipv6AddressCount": 1, "Ipv6PrefixCount": 1, "PrimaryIpv6": True}], data["NetworkInterfaces"]
    for spec, words in (({"tags": {"karpenter.sh/nodepool": "x"}}, 'spec.tags "karpenter.sh/nodepool" is set by the provisioner itself'), ({"tags": {"kubernetes.io/cluster/x": ""}}, "spec.tags"),
                        ({"blockDeviceMappings": [{"ebs": {"volumeSize": "65Ti"}}]}, "a volume of 65Ti"), ({"blockDeviceMappings": [{"ebs": {"volumeSize": "0"}}]}, "a volume of 0")):
        assert words in shown(code=1, **spec), spec
    text = run("show", *CLUSTER, "-q", objects=[{**nodeclass(), "status": STATUS}, nodepool()])
    for word in ("c (AL2023), m5.large on-demand of NodePool p", "ec2:DescribeSubnets", "subnet-1 z i", "sg-2 b", "ami-std std, for this type", "profile-1", "ImageId: ami-std"):
        assert word in text, (word, text)


@test
def what_is_asked_about():
    both = [nodeclass(), nodepool("q"), nodepool("p"), nodepool("other", class_name="d")]
    assert json.loads(run("userdata", "-q", "-o", "json", objects=both))["nodePool"] == "q"
    assert json.loads(run("userdata", "c", "--nodepool", "p", "-q", "-o", "json", objects=both))["nodePool"] == "p"
    big = json.loads(run("userdata", "c", "--instance-type", "m5.24xlarge", "-q", "-o", "json", objects=both))
    assert yaml.safe_load(parts_of(big["userData"])[0][1])["spec"]["kubelet"]["config"]["maxPods"] == 737 and big["bytes"] == len(big["userData"].encode())
    second = nodeclass()
    second["metadata"]["name"] = "d"
    for words, objects, code, text in ((["userdata", "x"], both, 1, 'no EC2NodeClass "x"; there are c'), (["userdata"], [nodepool()], 1, "the input has no EC2NodeClass"),
                                       (["userdata"], [nodeclass(), second], 1, "which EC2NodeClass? There are c, d"), (["userdata", "--nodepool", "z"], both, 1, "there are q, p"),
                                       (["userdata", "--nodepool", "z"], [nodeclass()], 1, "there is none"), (["userdata", "--instance-type", "m5.tiny"], both, 1, 'no "m5.tiny"'),
                                       (["userdta"], both, 2, "did you mean userdata"), ([], both, 2, "say what"), (["userdata", "c", "d"], both, 2, "takes one name"),
                                       (["userdata", "-o", "csv"], both, 2, "prints table, json or yaml")):
        error = run(*words, objects=objects, code=code)
        assert text in error, (words, error)
    error = run("userdata", objects=[nodeclass("AL2022")], code=1)
    assert "no AMI family; there are AL2," in error, error
    for spec, text in (({"tags": []}, "spec.tags: expected an object"), ({"blockDeviceMappings": [{"ebs": {"volumeSize": "20Go"}}]}, "spec.blockDeviceMappings[0].ebs.volumeSize"),
                       ({"detailedMonitoring": "yes"}, "spec.detailedMonitoring: expected"), ({"ipPrefixCount": 2 ** 31}, "spec.ipPrefixCount"), ({"kubelet": 3}, "spec.kubelet")):
        error = run("userdata", "-q", objects=[nodeclass(**spec)], code=1)
        assert text in error, (spec, error)
    done = subprocess.run([BINPACK, "nodeclass", "userdata", "-f", "-"], input=json.dumps(nodeclass()), capture_output=True, text=True, timeout=60)
    for word in ("m5.large", "--cluster-name", "--cluster-endpoint", "--cluster-cidr", "--cluster-dns", "no NodePool of the input uses"):
        assert word in done.stderr, (word, done.stderr)
    done = subprocess.run([BINPACK, "nodeclass", "userdata", "-f", "-"], input=json.dumps(nodeclass(userData="#!/bin/sh\n" + "x" * 17000)), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "EC2 takes 16384" in done.stderr, done.stderr


def main():
    wanted = sys.argv[3:]
    tests = {name: f for name, f in TESTS.items() if not wanted or name in wanted}
    print("1..%d" % len(tests))
    failed = 0
    for i, (name, function) in enumerate(tests.items(), 1):
        try:
            skipped = function()
            print("ok %d - %s%s" % (i, name, " # " + skipped if skipped else ""))
        except Exception as e:
            failed += 1
            print("not ok %d - %s\n# %s" % (i, name, (type(e).__name__ + ": " + str(e)).replace("\n", "\n# ")))
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
