# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that answers as EC2, Pricing, STS, the metadata service and a container agent do, as far as `binpack catalog refresh`
asks them, checks signatures with code of its own, and misbehaves on request.

  server = AwsServer(folder)          listens on a loopback port; with certificates in `folder` (api_server.make_certificates) over TLS
  server.keys["AKID"] = Key(...)      who may ask; `server.denied` names actions that IAM refuses
  server.ahead_s = 1200               its clock is ahead of ours: signatures more than five minutes off are refused
  server.faults["DescribeInstanceTypes"] = [fault, ...]   one each for the first requests of that action; afterwards it behaves
  server.asked                        (action, access key id, parameters or None) of every request that was understood

A fault is a function of the handler that answers in the place of the real one, or None to behave.
"""
import collections
import datetime
import email.utils
import hashlib
import hmac
import http.server
import json
import os
import re
import ssl
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

from ending import Ending

Key = collections.namedtuple("Key", "secret token expired")
LIMIT_S = 300
PAGE = 2


def sign(secret, date, region, service, text):
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, "aws4_request", text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


class Refusal(Exception):
    def __init__(self, status, code, message):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


def xml_of(value):
    """Dicts are elements, lists are <item>s, the rest is text."""
    if isinstance(value, dict):
        return "".join("<%s>%s</%s>" % (k, xml_of(v), k) for k, v in value.items())
    if isinstance(value, list):
        return "".join("<item>%s</item>" % xml_of(v) for v in value)
    return escape({True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value))


class Handler(Ending):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        return email.utils.formatdate((time.time() if timestamp is None else timestamp) + self.server.owner.ahead_s, usegmt=True)

    def answer(self, status, body, kind="text/xml", headers=()):
        data = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status, code, message, headers=()):
        if self.headers.get("X-Amz-Target"):
            self.answer(status, json.dumps({"__type": code, "message": message}), "application/x-amz-json-1.1", headers)
        elif self.form.get("Version") in ("2011-06-15", "2010-05-08"):
            self.answer(status, "<ErrorResponse><Error><Code>%s</Code><Message>%s</Message></Error><RequestId>r</RequestId></ErrorResponse>"
                        % (code, escape(message)), headers=headers)
        else:
            self.answer(status, "<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors><RequestID>r</RequestID></Response>"
                        % (code, escape(message)), headers=headers)

    # ---- signatures: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

    def check_signature(self, body):
        """The access key id; Refusal as AWS words it."""
        owner = self.server.owner
        found = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/,]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})",
                             self.headers.get("Authorization", ""))
        if not found:
            raise Refusal(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        key_id, day, region, service, names, signature = found.groups()
        key = owner.keys.get(key_id)
        is_ec2 = service == "ec2"
        if key is None or self.headers.get("X-Amz-Security-Token") != key.token:
            raise Refusal(401 if is_ec2 else 403, "AuthFailure" if is_ec2 else "UnrecognizedClientException",
                          "AWS was not able to validate the provided access credentials")
        url = urllib.parse.urlsplit(self.path)
        headers = "".join("%s:%s\n" % (n, " ".join(self.headers[n].split())) for n in names.split(";"))
        query = "&".join(sorted(url.query.split("&")))
        canonical = "\n".join([self.command, url.path, query, headers, names, hashlib.sha256(body).hexdigest()])
        stamp = self.headers["X-Amz-Date"]
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, "%s/%s/%s/aws4_request" % (day, region, service), hashlib.sha256(canonical.encode()).hexdigest()])
        if not hmac.compare_digest(sign(key.secret, day, region, service, text), signature) or stamp[:8] != day or "host" not in names.split(";"):
            raise Refusal(401 if is_ec2 else 403, "AuthFailure" if is_ec2 else "InvalidSignatureException", "the signature does not match")
        signed_at = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()
        if abs(signed_at - time.time() - owner.ahead_s) > LIMIT_S:
            raise Refusal(400, "RequestExpired" if is_ec2 else "InvalidSignatureException", "Signature expired: " + stamp)
        if key.expired:
            raise Refusal(400, "ExpiredTokenException" if not is_ec2 else "RequestExpired" if key.token is None else "ExpiredToken",
                          "The security token included in the request is expired")
        return key_id

    # ---- services

    def do_POST(self):
        owner = self.server.owner
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        target = self.headers.get("X-Amz-Target")
        self.form = {} if target else dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
        action = target.split(".")[1] if target else self.form.get("Action", "")
        with owner.lock:
            waiting = owner.faults.get(action, [])
            fault = waiting.pop(0) if waiting else None
            owner.tries[action] += 1
        try:
            if fault is not None:
                fault(self)
                return
            key_id = None if action == "AssumeRoleWithWebIdentity" else self.check_signature(body)
            if action in owner.denied:
                raise Refusal(403, "AccessDeniedException" if target else "UnauthorizedOperation",
                              "User: arn:aws:iam::123456789012:user/ann is not authorized to perform this operation")
            parameters = json.loads(body) if target else self.form
            with owner.lock:
                owner.asked.append((action, key_id, parameters))
            if target:
                self.answer(200, json.dumps(owner.prices(parameters)), "application/x-amz-json-1.1")
            elif self.form.get("Version") == "2011-06-15":
                self.assume(action)
            else:
                reply = owner.ec2(action, self.form)
                self.answer(200, '<?xml version="1.0" encoding="UTF-8"?>\n<%sResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">%s</%sResponse>'
                            % (action, xml_of(reply), action))
        except Refusal as no:
            self.refuse(no.status, no.code, no.message)

    def assume(self, action):
        owner = self.server.owner
        if action == "AssumeRoleWithWebIdentity" and self.form["WebIdentityToken"] != owner.identity_token:
            raise Refusal(400, "InvalidIdentityToken", "the token is not the one of today")
        give = owner.session_of(self.form["RoleArn"])
        self.answer(200, "<%sResponse><%sResult><Credentials>%s</Credentials></%sResult></%sResponse>" % (action, action, xml_of(give), action, action))

    def do_PUT(self):
        if self.path != "/latest/api/token" or "X-aws-ec2-metadata-token-ttl-seconds" not in self.headers:
            self.answer(404, "")
            return
        self.answer(200, "metadata-token", "text/plain")

    def do_GET(self):
        owner = self.server.owner
        roles = "/latest/meta-data/iam/security-credentials/"
        place = "/latest/meta-data/placement/region"
        with owner.lock:
            owner.asked.append(("GET " + self.path, None, None))
        if self.path == "/agent" and self.headers.get("Authorization") == owner.agent_token:
            self.answer(200, json.dumps(owner.agent_keys()), "application/json")
        elif self.path.startswith((roles, place)) and self.headers.get("X-aws-ec2-metadata-token") != "metadata-token":
            self.answer(401, "")
        elif self.path == place:
            self.answer(200, owner.place, "text/plain")
        elif self.path == roles:
            self.answer(200, "node-role", "text/plain")
        elif self.path == roles + "node-role":
            self.answer(200, json.dumps(owner.agent_keys()), "application/json")
        else:
            self.answer(403, "")


# ---- faults

def html(handler):
    handler.answer(500, "<html><head><title>502</title></head><body>\n<h1>Bad gateway</h1></body></html>", "text/html")


def cut(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"<DescribeInstanceTypesResponse>")
    handler.end_here(reset=False)


def reset(handler):
    handler.end_here(reset=True)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass                                     # clients that go away are part of the tests


def iso(seconds):
    return datetime.datetime.fromtimestamp(time.time() + seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class AwsServer:
    def __init__(self, folder=None, certificate="server"):
        self.lock = threading.Lock()
        self.keys = {"AKIDGOOD": Key("hush-1", None, False), "ASIAGOOD": Key("hush-2", "session/token==", False)}
        self.denied, self.ahead_s, self.faults, self.asked, self.tries = set(), 0, {}, [], collections.Counter()
        self.identity_token, self.agent_token = "identity", "Bearer pod"
        self.session = self.agent = "ASIAGOOD"
        self.session_s = 3600                      # how long keys of STS last
        self.region = self.place = "eu-west-1"     # that of the world, and what instance metadata says
        self.types, self.zones, self.spot, self.products = [], [], [], []
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.owner = self
        scheme = "http"
        if folder is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(os.path.join(folder, certificate + ".crt"), os.path.join(folder, certificate + ".key"))
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            scheme = "https"
        self.url = "%s://127.0.0.1:%d" % (scheme, self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def session_of(self, role):
        key = self.keys[self.session]
        return {"AccessKeyId": self.session, "SecretAccessKey": key.secret, "SessionToken": key.token, "Expiration": iso(self.session_s + self.ahead_s)}

    def agent_keys(self):
        key = self.keys[self.agent]
        return {"Code": "Success", "AccessKeyId": self.agent, "SecretAccessKey": key.secret, "Token": key.token, "Expiration": iso(3600)}

    # ---- what the world holds: as the AWS CLI prints it, which is also how tests give it to --catalog

    def page_of(self, items, token):
        start = int(token or "0")
        return items[start:start + PAGE], str(start + PAGE) if start + PAGE < len(items) else None

    def replies(self):
        offerings = [{"InstanceType": t["InstanceType"], "LocationType": "availability-zone", "Location": z["ZoneName"]} for t in self.types for z in self.zones]
        return {"DescribeInstanceTypes": {"InstanceTypes": self.types}, "DescribeInstanceTypeOfferings": {"InstanceTypeOfferings": offerings},
                "DescribeAvailabilityZones": {"AvailabilityZones": self.zones}, "DescribeSpotPriceHistory": {"SpotPriceHistory": self.spot},
                "GetProducts": {"FormatVersion": "aws_v1", "PriceList": self.products}}

    def ec2(self, action, form):
        names = {"DescribeInstanceTypes": ("InstanceTypes", "instanceTypeSet"), "DescribeInstanceTypeOfferings": ("InstanceTypeOfferings", "instanceTypeOfferingSet"),
                 "DescribeAvailabilityZones": ("AvailabilityZones", "availabilityZoneInfo"), "DescribeSpotPriceHistory": ("SpotPriceHistory", "spotPriceHistorySet")}
        if action == "CreateFleet":
            return {"fleetId": "fleet-1"}
        if action not in names:
            raise Refusal(400, "InvalidAction", "The action %s is not valid for this web service." % action)
        member, element = names[action]
        items = self.replies()[action][member]
        if action == "DescribeAvailabilityZones":
            return {element: [wire(i) for i in items]}
        items, token = self.page_of(items, form.get("NextToken"))
        return {element: [wire(i) for i in items], "nextToken": token or ""}

    def prices(self, parameters):
        wanted = {f["Field"]: f["Value"] for f in parameters["Filters"]}
        items = [p for p in self.products if json.loads(p)["product"]["attributes"].get("tenancy") == wanted["tenancy"]
                 and json.loads(p)["product"]["attributes"].get("regionCode") == wanted["regionCode"]]
        items, token = self.page_of(items, parameters.get("NextToken"))
        return {"FormatVersion": "aws_v1", "PriceList": items, **({"NextToken": token} if token else {})}


# The elements of EC2 that are not the CLI's name with a small letter: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceTypeInfo.html
WIRE = {"VCpuInfo": "vCpuInfo", "DefaultVCpus": "defaultVCpus", "State": "zoneState"}


def wire(value):
    if isinstance(value, dict):
        return {WIRE.get(k, k[0].lower() + k[1:]): wire(v) for k, v in value.items()}
    if isinstance(value, list):
        return [wire(v) for v in value]
    return value
