#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`binpack catalog refresh` and live/aws.h against a server of our own that checks every signature and misbehaves. Prints TAP.

  aws.py BINPACK AWS_CALL
"""
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback

import api_server
from aws_server import AwsServer, Key, cut, html, iso, reset

BINPACK, AWS_CALL = sys.argv[1], sys.argv[2]
TESTS = []
folder = None
GOOD = {"AWS_ACCESS_KEY_ID": "AKIDGOOD", "AWS_SECRET_ACCESS_KEY": "hush-1"}
MEMORY_KIB = 64 * 1024                             # LIMIT_AWS_REPLY_BYTES


def test(function):
    TESTS.append(function)
    return function


def instance_type(name, vcpu, mib, bare=False):
    return {"InstanceType": name, "SupportedUsageClasses": ["on-demand"] if bare else ["on-demand", "spot"], "SupportedVirtualizationTypes": ["hvm"],
            "BareMetal": bare, **({} if bare else {"Hypervisor": "nitro"}),
            "ProcessorInfo": {"SupportedArchitectures": ["x86_64"], "SustainedClockSpeedInGhz": 3.1, "Manufacturer": "Intel"},
            "VCpuInfo": {"DefaultVCpus": vcpu}, "MemoryInfo": {"SizeInMiB": mib}, "InstanceStorageSupported": False,
            "EbsInfo": {"EbsOptimizedSupport": "default", "EbsOptimizedInfo": {"BaselineBandwidthInMbps": 650, "MaximumBandwidthInMbps": 4750},
                        "NvmeSupport": "required", "MaximumEbsAttachments": 27, "AttachmentLimitType": "shared"},
            "NetworkInfo": {"NetworkPerformance": "Up to 10 Gigabit", "MaximumNetworkInterfaces": 3, "MaximumNetworkCards": 1, "DefaultNetworkCardIndex": 0,
                            "NetworkCards": [{"NetworkCardIndex": 0, "MaximumNetworkInterfaces": 3}], "Ipv4AddressesPerInterface": 10,
                            "Ipv6Supported": True, "EnaSupport": "required", "EfaSupported": False, "EncryptionInTransitSupported": True},
            "NitroEnclavesSupport": "unsupported"}


def product(name, tenancy, usd, system="Linux"):
    terms = {"T": {"priceDimensions": {"D": {"unit": "Hrs", "pricePerUnit": {"USD": usd}}}}}
    return json.dumps({"product": {"productFamily": "Compute Instance (bare metal)" if tenancy == "Dedicated" else "Compute Instance",
                                   "attributes": {"instanceType": name, "tenancy": tenancy, "regionCode": "eu-west-1", "operatingSystem": system,
                                                  "preInstalledSw": "NA", "capacitystatus": "Used", "marketoption": "OnDemand", "licenseModel": "No License required"}},
                       "terms": {"OnDemand": terms}})


def world(server):
    server.types = [instance_type("m9x.large", 2, 8192), instance_type("m9x.xlarge", 4, 16384), instance_type("c9x.large", 2, 4096),
                    instance_type("m9x.metal", 96, 393216, bare=True), instance_type("r9x.<&>", 2, 16384)][:4]
    server.zones = [{"ZoneName": "eu-west-1" + z, "ZoneId": "euw1-az%d" % i, "RegionName": "eu-west-1", "State": "available",
                     "OptInStatus": "opt-in-not-required", "ZoneType": "availability-zone", "GroupName": "eu-west-1-zg-1"} for i, z in enumerate("abc", 1)]
    server.spot = [{"AvailabilityZone": z["ZoneName"], "InstanceType": t["InstanceType"], "ProductDescription": "Linux/UNIX", "SpotPrice": "0.0%d%d0000" % (i + 1, j),
                    "Timestamp": iso(-3600 * k)} for i, t in enumerate(server.types[:3]) for j, z in enumerate(server.zones) for k in (5,)]
    server.products = [product("m9x.large", "Shared", "0.1070000000"), product("m9x.xlarge", "Shared", "0.2140000000"), product("c9x.large", "Shared", "0.0910000000"),
                       product("m9x.metal", "Dedicated", "5.1360000000"), product("m9x.large", "Dedicated", "0.1200000000")]


def environment(server, **extra):
    env = {"HOME": folder, "PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": server.url, "AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true",
            **{k: v for k, v in os.environ.items() if k.startswith(("ASAN", "UBSAN", "TSAN"))}, **extra}

    return {k: v for k, v in env.items() if v is not None}


def refresh(server, *words, code=0, timeout=120, **extra):
    done = subprocess.run([BINPACK, "catalog", "refresh", *words], env=environment(server, **extra), capture_output=True, text=True, timeout=timeout)
    assert done.returncode == code, "exit status %d: %s" % (done.returncode, done.stderr)
    assert "hush" not in done.stderr and "token==" not in done.stderr, done.stderr
    return done


def call(server, operation, *words, timeout=120, **extra):
    done = subprocess.run([AWS_CALL, operation, *words], env=environment(server, **{**GOOD, **extra}), capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, "exit status %d: %s" % (done.returncode, done.stderr)
    outcome = json.loads(done.stdout)
    assert outcome["ends"] == 1 or any(w.startswith("times=") for w in words), outcome
    return outcome


def told(server, fault_of, operation, tries, kind, *words, times=10, **extra):
    """The fault on every attempt, and how often the server was asked."""
    server.tries.clear()
    server.faults[operation] = [fault_of] * times
    outcome = call(server, operation, *words, **extra)
    assert (outcome["kind"], server.tries[operation]) == (kind, tries), (outcome, server.tries)
    return outcome


def fresh():
    server = AwsServer()
    world(server)
    return server


@test
def a_catalogue_like_that_of_the_same_replies_in_files():
    server = fresh()
    done = refresh(server, **GOOD)
    document = json.loads(done.stdout)
    files = []
    for action, reply in server.replies().items():
        files += ["--catalog", os.path.join(folder, action + ".json")]
        with open(files[-1], "w", encoding="utf-8") as out:
            json.dump(reply, out)
    listed = subprocess.run([BINPACK, "catalog", "list", *files, "-o", "json"], env=environment(server), capture_output=True, text=True, check=True)
    same = json.loads(listed.stdout)
    for header in ("asOf", "name"):
        document.pop(header, None), same.pop(header, None)
    assert document == same, (document, same)
    assert document["zones"] == [{"name": "eu-west-1" + z, "id": "euw1-az%d" % i} for i, z in enumerate("abc", 1)], document["zones"]
    offers = {(t["name"], o["zone"], o["capacityType"]): o["usdPerHour"] for t in document["instanceTypes"] for o in t["offerings"]}
    assert len(offers) == 3 * 3 * 2 + 3 and offers["m9x.metal", "eu-west-1c", "on-demand"] == 5.136 and offers["m9x.xlarge", "eu-west-1b", "spot"] == 0.021, offers
    asked = [a for a, _, _ in server.asked]
    pages = {a: asked.count(a) for a in set(asked)}
    assert pages == {"DescribeInstanceTypes": 2, "DescribeInstanceTypeOfferings": 6, "DescribeAvailabilityZones": 1, "DescribeSpotPriceHistory": 5,
                     "GetProducts": 3}, pages
    assert "4 instance types in 3 zones, 21 offerings, 21 with a price (12 on demand, 9 spot)" in done.stderr, done.stderr
    again = os.path.join(folder, "again.json")
    assert refresh(server, "-o", "json=" + again, "-q", **GOOD).stderr == ""
    planned = subprocess.run([BINPACK, "catalog", "list", "--catalog", again], env=environment(server), capture_output=True, text=True, check=True)
    assert "m9x.metal" in planned.stdout


@test
def keys_of_every_source():
    server = fresh()
    path = os.path.join(folder, "identity-token")
    os.makedirs(os.path.join(folder, ".aws"), exist_ok=True)
    with open(path, "w", encoding="ascii") as out:
        out.write("identity\n")
    with open(os.path.join(folder, "agent-token"), "w", encoding="ascii") as out:
        out.write("Bearer pod")
    with open(os.path.join(folder, ".aws", "credentials"), "w", encoding="ascii") as out:
        out.write("[work]\naws_access_key_id = AKIDGOOD\naws_secret_access_key = hush-1\n")
    with open(os.path.join(folder, ".aws", "config"), "w", encoding="ascii") as out:
        out.write("[profile work]\nregion = eu-west-1\n[profile role]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = work\n")
    role = "arn:aws:iam::123456789012:role/r"
    rows = [("environment", "AKIDGOOD", {}, {}),
            ("environment", "ASIAGOOD", {"AWS_ACCESS_KEY_ID": "ASIAGOOD", "AWS_SECRET_ACCESS_KEY": "hush-2", "AWS_SESSION_TOKEN": "session/token=="}, {}),
            ("web identity", "ASIAGOOD", {"AWS_ROLE_ARN": role, "AWS_WEB_IDENTITY_TOKEN_FILE": path}, {"AssumeRoleWithWebIdentity": 1}),
            ("shared files", "AKIDGOOD", {"AWS_PROFILE": "work", "AWS_REGION": None}, {}),
            ("shared files", "ASIAGOOD", {"AWS_PROFILE": "role"}, {"AssumeRole": 1}),
            ("container", "ASIAGOOD", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url + "/agent",
                                       "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": os.path.join(folder, "agent-token")}, {}),
            ("instance metadata", "ASIAGOOD", {"AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url}, {})]
    for source, key_id, extra, also in rows:
        server.asked.clear()
        server.tries.clear()
        none = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None} if extra else {}
        outcome = call(server, "DescribeInstanceTypes", **{**none, **extra})
        assert (outcome["kind"], outcome["source"], outcome["pages"]) == ("no fault", source, 2), (source, outcome)
        used = {k for a, k, _ in server.asked if a == "DescribeInstanceTypes"}
        assert used == {key_id}, (source, used)
        assert {a: n for a, n in server.tries.items() if a.startswith("Assume")} == also, (source, server.tries)
    done = refresh(server, "--profile", "work", "-o", "json=/dev/null", AWS_ACCESS_KEY_ID="NOBODY", AWS_SECRET_ACCESS_KEY="x")
    assert "4 instance types" in done.stderr
    done = refresh(server, "--profile", "absent", code=1, **GOOD)
    assert 'there is no profile "absent"' in done.stderr, done.stderr


@test
def the_region_of_the_instance():
    """Without a region in environment and files, that of the machine; what metadata says must be one."""
    server = fresh()
    extra = {**GOOD, "AWS_REGION": None, "AWS_CONFIG_FILE": os.path.join(folder, "none"), "AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url}
    assert json.loads(refresh(server, **extra).stdout)["region"] == "eu-west-1"
    assert ("GET /latest/meta-data/placement/region", None, None) in server.asked
    for place in ("", "<html>", "eu west 1", "x" * 100, "EU-WEST-1"):
        server.place = place
        done = refresh(server, code=1, **extra)
        assert "no AWS region: --region is not given, AWS_REGION" in done.stderr and "instance metadata does not say" in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    server.place = "eu-west-1"
    done = refresh(server, code=1, **{**extra, "AWS_EC2_METADATA_DISABLED": "true"})
    assert "instance metadata is turned off" in done.stderr, done.stderr
    done = refresh(server, code=1, **{**extra, "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"})
    assert "instance metadata does not say" in done.stderr, done.stderr
    assert "AWS_EC2_METADATA_SERVICE_ENDPOINT" in refresh(server, code=1, **{**extra, "AWS_EC2_METADATA_SERVICE_ENDPOINT": "nonsense"}).stderr


@test
def no_keys_and_wrong_keys():
    server = fresh()
    done = refresh(server, code=1)
    for words in ("no AWS credentials", "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", '"default" in ~/.aws', "container agent", "AWS_EC2_METADATA_DISABLED"):
        assert words in done.stderr, (words, done.stderr)
    assert len(done.stderr.splitlines()) == 1 and not server.tries, done.stderr
    for extra in ({"AWS_ACCESS_KEY_ID": "AKIDGOOD", "AWS_SECRET_ACCESS_KEY": "wrong"}, {"AWS_ACCESS_KEY_ID": "NOBODY", "AWS_SECRET_ACCESS_KEY": "hush-1"},
                  {"AWS_ACCESS_KEY_ID": "ASIAGOOD", "AWS_SECRET_ACCESS_KEY": "hush-2", "AWS_SESSION_TOKEN": "another"}):
        for operation in ("DescribeAvailabilityZones", "GetProducts"):
            server.tries.clear()
            outcome = call(server, operation, **extra)
            assert outcome["kind"] == "bad credentials" and server.tries[operation] == 1, (extra, outcome, server.tries)
        done = refresh(server, code=1, **extra)
        assert "with AWS credentials from environment: " in done.stderr and "bad credentials" in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


@test
def a_policy_that_allows_less():
    server = fresh()
    server.denied = {"DescribeSpotPriceHistory", "GetProducts"}
    done = refresh(server, code=1, **GOOD)
    lines = done.stderr.splitlines()
    assert len(lines) == 2 and all("unauthorized" in line and "ann is not authorized" in line for line in lines), lines
    assert lines[0].endswith("the IAM policy must allow ec2:DescribeSpotPriceHistory") and lines[1].endswith("must allow pricing:GetProducts"), lines
    assert server.tries["DescribeSpotPriceHistory"] == 1, server.tries


@test
def keys_that_have_expired():
    server = fresh()
    server.keys["ASIAOLD"] = Key("old", "old-token", True)
    extra = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url + "/agent",
             "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Bearer pod"}
    server.agent = "ASIAOLD"
    asked_for_keys = []

    def renewed(handler):
        asked_for_keys.append(1)
        server.agent = "ASIAGOOD"
        handler.refuse(400, "ExpiredToken", "The security token included in the request is expired")
    server.faults["DescribeInstanceTypes"] = [renewed]
    outcome = call(server, "DescribeInstanceTypes", **extra)
    assert outcome["kind"] == "no fault" and outcome["pages"] == 2 and server.tries["DescribeInstanceTypes"] == 3, (outcome, server.tries)
    assert [a for a, _, _ in server.asked].count("GET /agent") == 2, server.asked
    server.agent = "ASIAOLD"                       # and for good
    server.tries.clear()
    outcome = call(server, "DescribeInstanceTypes", **extra)
    assert outcome["kind"] == "credentials expired" and server.tries["DescribeInstanceTypes"] == 2, (outcome, server.tries)
    # Six calls at once, all refused, ask for new keys once: single flight, though the keys are the same again.
    server.asked.clear()
    done = refresh(server, code=1, **extra)
    assert "new credentials are needed" in done.stderr, done.stderr
    assert [a for a, _, _ in server.asked].count("GET /agent") == 2, server.asked


@test
def sources_of_keys_that_stumble():
    """What does not answer is asked again, three times in all; what is configured wrongly is not; renewal keeps the old keys meanwhile."""
    role = "arn:aws:iam::123456789012:role/r"
    path = os.path.join(folder, "token-of-today")
    none = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_ROLE_ARN": role, "AWS_WEB_IDENTITY_TOKEN_FILE": path}
    with open(path, "w", encoding="ascii") as out:
        out.write("identity")
    ask = "AssumeRoleWithWebIdentity"
    for fault, times, tries, kind in ((html, 1, 2, "no fault"), (reset, 2, 3, "no fault"), (html, 9, 3, "no credentials"),
                                      (lambda h: h.refuse(400, "Throttling", "Rate exceeded"), 1, 2, "no fault"),
                                      (lambda h: h.refuse(403, "AccessDenied", "Not authorized to perform sts:" + ask), 9, 1, "no credentials")):
        server = fresh()
        server.faults[ask] = [fault] * times
        outcome = call(server, "DescribeInstanceTypes", **none)
        assert (outcome["kind"], server.tries[ask]) == (kind, tries), (outcome, server.tries)
        assert kind == "no fault" or "AWS credentials from web identity" in outcome["text"], outcome
    server = fresh()
    server.identity_token = "that of tomorrow"
    outcome = call(server, "DescribeInstanceTypes", **none)
    assert outcome["kind"] == "no credentials" and "InvalidIdentityToken" in outcome["text"] and server.tries[ask] == 1, (outcome, server.tries)
    os.remove(path)
    outcome = call(server, "DescribeInstanceTypes", **none)
    assert outcome["kind"] == "no credentials" and path in outcome["text"], outcome
    # Keys that end within five minutes serve while new ones are fetched; a refusal of those is no refusal of the call.
    with open(path, "w", encoding="ascii") as out:
        out.write("identity")
    server = fresh()
    server.session_s = 120
    server.faults[ask] = [None] + [html] * 20
    outcome = call(server, "DescribeInstanceTypes", "times=3", **none)
    assert outcome["kind"] == "no fault" and outcome["pages"] == 6 and 2 <= server.tries[ask] <= 7, (outcome, server.tries)


@test
def a_clock_that_is_wrong():
    for ahead_s in (1200, -1200):
        server = fresh()
        server.ahead_s = ahead_s
        for operation in ("DescribeInstanceTypes", "GetProducts"):
            server.tries.clear()
            outcome = call(server, operation, "times=2")
            pages = 2
            assert outcome["kind"] == "no fault" and outcome["pages"] == 2 * pages and server.tries[operation] == 2 * pages + 1, (ahead_s, operation, outcome, server.tries)
        done = refresh(server, "-o", "json=/dev/null", **GOOD)
        assert "4 instance types" in done.stderr, done.stderr
        with open(os.path.join(folder, "credentials"), "w", encoding="ascii") as out:
            out.write("[default]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = work\n"
                      "[work]\naws_access_key_id = AKIDGOOD\naws_secret_access_key = hush-1\n")
        server.tries.clear()
        outcome = call(server, "DescribeInstanceTypes", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None,
                       AWS_SHARED_CREDENTIALS_FILE=os.path.join(folder, "credentials"))
        assert outcome["kind"] == "no fault" and server.tries == {"AssumeRole": 2, "DescribeInstanceTypes": 2}, (outcome, server.tries)
    # A refusal for the time by a server whose clock is ours is not tried again.
    server = fresh()
    told(server, lambda h: h.refuse(400, "RequestExpired", "Request has expired."), "DescribeInstanceTypes", 1, "clock skewed")


@test
def throttling():
    server = fresh()
    begin = time.monotonic()
    told(server, lambda h: h.refuse(503, "RequestLimitExceeded", "Request limit exceeded.", [("Retry-After", "1")]), "DescribeInstanceTypes", 4, "no fault", times=2)
    assert time.monotonic() - begin >= 2, "Retry-After was not waited for"
    told(server, lambda h: h.refuse(400, "ThrottlingException", "Rate exceeded"), "GetProducts", 3, "throttled")


def trickle(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b" ")
            time.sleep(0.05)                       # what makes it a trickle
    except OSError:
        handler.close_connection = True


def silence(handler):
    handler.connection.settimeout(30)
    try:
        handler.connection.recv(1)                 # until the client leaves
    except OSError:
        pass
    handler.close_connection = True


def redirect(handler):
    handler.answer(301, "", headers=[("Location", handler.server.owner.url + "/elsewhere")])


def huge(handler):
    """A reply of 1 GB that says so, or does not."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    piece = b"<item>" * 10000
    try:
        for _ in range(1 << 30 >> 16):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
    except OSError:
        handler.close_connection = True


def many_elements(handler):
    handler.answer(200, "<DescribeInstanceTypesResponse>" + "<a/>" * 1100000 + "</DescribeInstanceTypesResponse>")


def deep(handler):
    handler.answer(200, "<DescribeInstanceTypesResponse>" + "<a>" * 100000)


def bomb(handler):
    handler.answer(200, '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
                        "<DescribeInstanceTypesResponse>&b;</DescribeInstanceTypesResponse>")


def other_xml(handler):
    handler.answer(200, "<html><body>Sign in to this network</body></html>", "text/html")


def bad_xml(handler):
    handler.answer(200, "<DescribeInstanceTypesResponse><item></DescribeInstanceTypesResponse>")


def bad_json(handler):
    handler.answer(200, '{"PriceList": [tru', "application/x-amz-json-1.1")


def other_json(handler):
    handler.answer(200, '{"PriceList": {"a": 1}}', "application/x-amz-json-1.1")


def short_length(handler):
    """Content-Length below what is sent: the rest is no reply of a later request."""
    handler.send_response(200)
    handler.send_header("Content-Length", "40")
    handler.end_headers()
    handler.wfile.write(b"<DescribeInstanceTypesResponse>" + b" " * 100 + b"</DescribeInstanceTypesResponse>")
    handler.close_connection = True


def header_flood(handler):
    handler.send_response(200)
    for i in range(2000):
        handler.send_header("X-Filler-%d" % i, "y" * 60)
    handler.end_headers()


def same_page(handler):
    handler.answer(200, "<DescribeInstanceTypesResponse><instanceTypeSet/><nextToken>7</nextToken></DescribeInstanceTypesResponse>")


@test
def servers_that_misbehave():
    rows = [(html, "DescribeInstanceTypes", 3, "transient"), (cut, "DescribeInstanceTypes", 3, "transient"), (reset, "DescribeInstanceTypes", 3, "transient"),
            (redirect, "DescribeInstanceTypes", 1, "malformed reply"), (many_elements, "DescribeInstanceTypes", 1, "malformed reply"),
            (deep, "DescribeInstanceTypes", 1, "malformed reply"), (bomb, "DescribeInstanceTypes", 1, "malformed reply"),
            (other_xml, "DescribeInstanceTypes", 1, "malformed reply"), (bad_xml, "DescribeInstanceTypes", 1, "malformed reply"),
            (bad_json, "GetProducts", 1, "malformed reply"), (other_json, "GetProducts", 1, "malformed reply"), (html, "GetProducts", 3, "transient"),
            (short_length, "DescribeInstanceTypes", 1, "malformed reply"), (header_flood, "DescribeInstanceTypes", 1, "reply too large"),
            (same_page, "DescribeInstanceTypes", 2, "malformed reply")]
    for fault, operation, tries, kind in rows:
        server = fresh()
        print("# %s %s" % (fault.__name__, operation), flush=True)
        told(server, fault, operation, tries, kind)
    for fault in (html, cut, reset):               # once is no more than a delay
        told(fresh(), fault, "DescribeInstanceTypes", 3, "no fault", times=1)
    told(fresh(), trickle, "DescribeInstanceTypes", 3, "transient", "total=400")
    told(fresh(), silence, "DescribeInstanceTypes", 3, "transient", "silence=300")


@test
def a_reply_of_a_gigabyte():
    server = fresh()
    least = call(server, "DescribeAvailabilityZones")["peakKiB"]
    outcome = told(server, huge, "DescribeInstanceTypes", 1, "reply too large")
    print("# peak %d KiB, %d without" % (outcome["peakKiB"], least))
    assert outcome["peakKiB"] - least < 4 * MEMORY_KIB, (outcome, least)


@test
def what_must_not_be_done_twice():
    for fault in (cut, reset, html, trickle):
        told(fresh(), fault, "CreateFleet", 1, "transient", "total=400")
        told(fresh(), fault, "CreateFleet", 3, "transient", "total=400", "token=1")
    # That it was not done is clear here.
    told(fresh(), lambda h: h.refuse(503, "RequestLimitExceeded", "slow down"), "CreateFleet", 3, "throttled")


@test
def servers_that_cannot_be_trusted():
    server = AwsServer(folder)
    world(server)
    outcome = call(server, "DescribeInstanceTypes")
    assert outcome["kind"] == "untrusted server" and "AWS_CA_BUNDLE" in outcome["text"] and not server.tries, (outcome, server.tries)
    outcome = call(server, "DescribeInstanceTypes", AWS_CA_BUNDLE=os.path.join(folder, "other.crt"))
    assert outcome["kind"] == "untrusted server" and not server.tries, outcome
    outcome = call(server, "DescribeInstanceTypes", AWS_CA_BUNDLE=os.path.join(folder, "ca.crt"))
    assert outcome["kind"] == "no fault" and outcome["pages"] == 2, outcome
    plain = fresh()                                # TLS where there is none
    outcome = call(server, "DescribeInstanceTypes", AWS_ENDPOINT_URL=plain.url.replace("http:", "https:"))
    assert outcome["kind"] == "untrusted server", outcome


@test
def nobody_there():
    server = fresh()
    server.close()
    outcome = call(server, "DescribeInstanceTypes")
    assert outcome["kind"] == "transient", outcome
    outcome = call(server, "DescribeInstanceTypes", AWS_ENDPOINT_URL="http://no.such.host.invalid")
    assert outcome["kind"] == "transient", outcome
    for url in ("ftp://127.0.0.1", "http://", "http://a b"):
        outcome = call(server, "DescribeInstanceTypes", AWS_ENDPOINT_URL=url)
        assert outcome["kind"] == "invalid request" and "endpoint" in outcome["text"], (url, outcome)


def main():
    global folder
    print("1..%d" % len(TESTS), flush=True)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        api_server.make_certificates(folder)
        for i, function in enumerate(TESTS, 1):
            name = function.__name__.replace("_", " ")
            begin = time.monotonic()
            try:
                function()
                print("ok %d - %s" % (i, name), flush=True)
            except Exception:                      # the other tests still count
                failed += 1
                print("not ok %d - %s" % (i, name))
                for line in traceback.format_exc().splitlines():
                    print("# " + line, flush=True)
            print("# %.1f s" % (time.monotonic() - begin), flush=True)
    return 1 if failed else 0


sys.exit(main())
