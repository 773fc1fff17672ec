# SPDX-License-Identifier: GPL-3.0-or-later
"""moto (PyPI: moto[server], boto3), and the proxy that fills what it lacks and misbehaves as AWS does. What it does stands in rules.json.

  moto = Moto(folder)                 a moto of one's own; its log is in `folder`
  proxy = Proxy(moto)
  proxy.cloud                         launches.Cloud: prices, capacity, quotas of what CreateFleet launches
  proxy.check(True)                   signatures and policies are looked at
  proxy.faults["CreateFleet"] = [cut, lost, None]   what befalls its next requests; None: nothing
  proxy.throttled = True              EC2's buckets count
  proxy.unseen, proxy.unseen_templates = 2, 1   looks for which new instances and templates are not there yet
  proxy.pending = 3                   looks for which an instance is pending
  proxy.asked                         (action, access key id, parameters, user agent) of every request
"""
import datetime
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import xml.etree.ElementTree as ET

import iam
import launches
from holdings import Holdings
from launches import Refusal, rule
from aws_server import AwsServer, Handler, Key, cut, html, reset, xml_of

REGION, ACCOUNT = "eu-west-1", "123456789012"
SERVICES = {"2016-11-15": "ec2", "2010-05-08": "iam", "AmazonSSM": "ssm", "AWSPriceListService": "pricing", "AmazonSQS": "sqs"}
EC2 = "http://ec2.amazonaws.com/doc/2016-11-15/"
ET.register_namespace("", EC2.rstrip("/"))           # as moto writes it


def lost(handler):
    """The work is done, and nobody hears of it."""
    handler.is_lost = True
    return True


def unavailable(handler):
    handler.answer(503, "<html><body>Service Unavailable</body></html>", "text/html")


FAULTS = rule("network")([cut, reset, html, unavailable, lost])


GAPS = rule("gaps")({
    "DescribeCapacityReservations": "<capacityReservationSet><item><capacityReservationId>cr-1</capacityReservationId><ownerId>123456789012</ownerId>"
                                    "<availabilityZone>eu-west-1a</availabilityZone><instanceType>m5.large</instanceType><state>active</state>"
                                    "<instanceMatchCriteria>open</instanceMatchCriteria></item></capacityReservationSet>",
    "DescribePlacementGroups": "<placementGroupSet><item><groupName>near</groupName><groupId>pg-1</groupId><state>available</state>"
                               "<strategy>cluster</strategy></item></placementGroupSet>"})


@rule("prices", "time", "expiry", "images", "clusters", "recording")
class Through(Handler):
    is_lost = False

    def answer(self, status, body, kind="text/xml", headers=()):
        if self.is_lost:
            self.is_lost = False
            self.end_here(reset=False)
        else:
            super().answer(status, body, kind, headers)

    def key_id(self):
        found = re.search(r"Credential=([^/]+)/", self.headers.get("Authorization", ""))
        return found.group(1) if found else None

    def authorize(self, service, action, parameters, body):
        """Refuses what the signature or the policy of the key does not allow, as that service says it."""
        owner = self.server.owner
        key_id = self.key_id()
        if not owner.checked or key_id not in owner.policies:
            return                                 # keys that moto alone knows
        self.check_signature(body)
        for need in owner.needs.of(service, action, parameters):
            allowed = iam.allows(owner.policies[key_id], need)
            owner.judged.append((key_id, need, allowed))
            if not allowed:
                raise Refusal(400 if service in ("ssm", "pricing") else 403, {"ec2": "UnauthorizedOperation", "iam": "AccessDenied"}.get(service, "AccessDeniedException"),
                              "User: arn:aws:iam::%s:user/%s is not authorized to perform: %s on resource: %s because no identity-based policy allows it" % (ACCOUNT, key_id, *need[:2]))

    def do_GET(self):
        owner = self.server.owner
        self.form = {}
        name = self.path[len("/clusters/"):]
        if not owner.checked or not self.path.startswith("/clusters/"):
            self.forward(b"")
            return
        with owner.lock:
            owner.asked.append(("DescribeCluster", self.key_id(), {}, self.headers.get("User-Agent", "")))
        try:
            self.authorize("eks", "DescribeCluster", {"name": name}, b"")
            if name not in owner.clusters:
                raise Refusal(404, "ResourceNotFoundException", "No cluster found for name: %s." % name)
            self.answer(200, json.dumps({"cluster": owner.clusters[name]}), "application/json")
        except Refusal as no:
            self.answer(no.status, json.dumps({"message": no.message}), "application/json", [("x-amzn-ErrorType", no.code)])

    def do_POST(self):
        owner = self.server.owner
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        target = self.headers.get("X-Amz-Target", "")
        self.form = {} if target else dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
        action = target.split(".")[-1] or self.form.get("Action", "")
        key_id = self.key_id()
        with owner.lock:
            owner.asked.append((action, key_id, json.loads(body) if target else self.form, self.headers.get("User-Agent", "")))
            waiting = owner.faults.get(action, [])
            fault = waiting.pop(0) if waiting else None
        try:
            # A fault has answered, unless it says that the work is to be done.
            if fault is not None and not fault(self):
                return
            if key_id is not None:
                self.check_time()
            if key_id in owner.expired:
                raise Refusal(400, "ExpiredToken", "The security token included in the request is expired")
            service = SERVICES.get(target.split(".")[0] or self.form.get("Version"), "sts")
            self.authorize(service, action, json.loads(body) if target else launches.tree_of(self.form), body)
            if action == "GetProducts":
                if owner.checked and key_id not in owner.policies:
                    self.check_signature(body)
                self.answer(200, json.dumps(owner.prices(json.loads(body))), "application/x-amz-json-1.1")
            elif self.form.get("Version") == "2016-11-15":
                self.ec2(action, body)
            else:
                self.forward(body)
        except Refusal as no:
            self.refuse(no.status, no.code, no.message)

    def check_time(self):
        stamp = datetime.datetime.strptime(self.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()
        if abs(stamp - time.time() - self.server.owner.ahead_s) > 300:
            is_ec2 = self.form.get("Version") == "2016-11-15"
            raise Refusal(400 if is_ec2 else 403, "RequestExpired" if is_ec2 else "SignatureDoesNotMatch", "Signature expired: " + self.headers["X-Amz-Date"])

    # ---- EC2

    def ec2(self, action, body):
        owner = self.server.owner
        if owner.throttled:
            instances = int(self.form.get("TargetCapacitySpecification.TotalTargetCapacity", self.form.get("MinCount", "0")))
            with owner.lock:
                owner.buckets.take(action, owner.clock(), instances or sum(k.startswith("InstanceId.") for k in self.form))
        if action not in launches.RULES["tokens"]["actions"]:
            self.forward(body)
            return
        with owner.launching:                      # two with one token at the same time are one after the other
            answer = owner.tokens.find(action, self.form)
            if answer is None:
                answer = (200, owner.create_fleet(launches.tree_of(self.form)), "text/xml") if action == "CreateFleet" else self.forwarded(body)
                if answer[0] == 200:
                    owner.tokens.keep(action, self.form, answer)
                    owner.made(action, self.form, answer[1])
        self.answer(*answer)

    # ---- moto

    def forwarded(self, body):
        """(status, body, content type) of moto's answer."""
        way = http.client.HTTPConnection("127.0.0.1", self.server.owner.moto.port, timeout=120)
        way.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            way.putheader(name, value)
        way.endheaders(body)
        reply = way.getresponse()
        answer = reply.status, reply.read(), reply.headers.get("Content-Type", "text/xml")
        way.close()
        return answer

    def forward(self, body):
        owner = self.server.owner
        action = self.form.get("Action")
        # Types do not change, and moto takes seconds for each page of them. Keys that moto alone knows are for it to judge.
        keeps = action == "DescribeInstanceTypes" and (not owner.checked or self.key_id() in owner.policies)
        status, data, kind = owner.pages.get(body) if keeps and body in owner.pages else self.forwarded(body)
        if keeps and status == 200:
            owner.pages[body] = status, data, kind
        if action in GAPS and status in (404, 500, 501):
            wanted = {self.form[k] for k in ("GroupName.1", "GroupId.1") if k in self.form}
            if wanted - {"near", "pg-1"}:
                raise Refusal(400, "InvalidPlacementGroup.Unknown", "The placement group '%s' is unknown." % wanted.pop())
            self.answer(200, "<%sResponse>%s</%sResponse>" % (action, GAPS[action], action))
            return
        if status == 200 and action == "DescribeInstances":
            data = owner.look(data, {v for k, v in self.form.items() if k.startswith("InstanceId.")})
        elif status == 200 and action == "TerminateInstances":
            owner.gone({v for k, v in self.form.items() if k.startswith("InstanceId.")})
        image = self.image_of(body) if b"ParameterNotFound" in data else None
        if image:
            status, data = 200, json.dumps({"Parameter": {"Name": json.loads(body)["Name"], "Type": "String", "Value": image, "Version": 1}}).encode()
        self.answer(status, data, kind)

    def image_of(self, body):
        """Of a parameter of EKS's: an image of its architecture, if the version of Kubernetes and the variant exist."""
        name = json.loads(body)["Name"]
        if re.fullmatch(r"/aws/service/ami-windows-latest/Windows_Server-20\d\d-English-Core-EKS_Optimized-[0-9.]+/image_id", name):
            return self.server.owner.images.get("x86_64")
        found = re.fullmatch(r"/aws/service/(eks/optimized-ami|bottlerocket)/(?:aws-k8s-)?[0-9.]+(?:/|-)?(.*)/image_id", name)
        arch = "arm64" if "arm64" in name else "x86_64"
        return self.server.owner.images.get(arch) if found and ("/recommended/" in name or "/latest/" in name) else None


@rule("consistency", "slow_starts")
class Proxy(AwsServer):
    def __init__(self, moto):
        super().__init__()
        self.server.RequestHandlerClass = Through
        self.pages = {}                            # answers of moto that stay as they are, by request
        self.moto, self.checked = moto, False
        self.expired, self.images, self.keys = set(), {}, {}
        self.policies, self.clusters = {}, {}      # by key, and by name
        self.holdings = Holdings(moto, ACCOUNT)
        self.needs = iam.Needs(REGION, ACCOUNT, self.holdings)
        self.launching = threading.Lock()
        self.fresh()

    def fresh(self):
        """As if nothing had been asked of it so far; what moto holds stays."""
        self.cloud, self.tokens, self.buckets = launches.Cloud(), launches.Tokens(), launches.Buckets()
        self.clock = time.monotonic                # that of the buckets
        self.throttled, self.unseen, self.unseen_templates, self.pending = False, 0, 0, 0
        self.hidden, self.starting, self.hidden_templates = {}, {}, {}   # looks that are left, by id or name
        self.pool_of = {}                          # of running instances, by id
        self.faults, self.ahead_s, self.expired = {}, 0, set()
        self.judged = []                           # (key, need, whether it was allowed)

    def check(self, on):
        self.moto.check(on)
        self.checked = on

    # ---- launches

    def launch(self, tree, pool):
        """One instance of the pool in moto; its id."""
        template = {k: v for k, v in pool.template.items() if k in ("LaunchTemplateId", "LaunchTemplateName", "Version")}
        tags = [s for s in tree.get("TagSpecification", []) if s["ResourceType"] in ("instance", "volume")]
        more = {"InstanceMarketOptions": {"MarketType": "spot"}} if pool.kind == "spot" else {}
        for name in ("SubnetId", "ImageId"):
            more.update({name: pool.override[name]} if name in pool.override else {})
        if "AvailabilityZone" in pool.override:
            more["Placement"] = {"AvailabilityZone": pool.override["AvailabilityZone"]}
        made = self.moto.client("ec2").run_instances(
            LaunchTemplate=template, InstanceType=pool.override["InstanceType"], MinCount=1, MaxCount=1,
            TagSpecifications=[{"ResourceType": s["ResourceType"], "Tags": s.get("Tag", [])} for s in tags], **more)["Instances"][0]
        self.pool_of[made["InstanceId"]] = pool
        return made["InstanceId"]

    def need_templates(self, tree):
        names = {c["LaunchTemplateSpecification"].get("LaunchTemplateName") for c in tree["LaunchTemplateConfigs"]} - {None}
        there = {t["LaunchTemplateName"] for t in self.moto.client("ec2").describe_launch_templates()["LaunchTemplates"]}
        for name in sorted(names):
            hidden = self.hidden_templates.get(name, 0)
            self.hidden_templates[name] = max(0, hidden - 1)
            if name not in there or hidden > 0:
                raise Refusal(400, "InvalidLaunchTemplateName.NotFoundException", "The specified launch template, with template name %s, does not exist." % name)

    def create_fleet(self, tree):
        self.need_templates(tree)
        got, errors = self.cloud.fleet(tree)

        def where(pool):
            names = {k[0].lower() + k[1:]: v for k, v in pool.override.items()}
            return {"launchTemplateSpecification": {k[0].lower() + k[1:]: v for k, v in pool.template.items()}, "overrides": names}
        machines = {}
        for pool in got:
            machines.setdefault(pool.order, (pool, []))[1].append(self.launch(tree, pool))
        reply = {"fleetId": "fleet-%08x" % (len(self.tokens.answers) + 1), "requestId": "r",
                 "fleetInstanceSet": [{"launchTemplateAndOverrides": where(p), "lifecycle": p.kind, "instanceIds": ids, "instanceType": p.key[0]} for p, ids in machines.values()],
                 "errorSet": [{"launchTemplateAndOverrides": where(p), "lifecycle": p.kind, "errorCode": code, "errorMessage": message} for p, code, message in errors]}
        return '<?xml version="1.0" encoding="UTF-8"?>\n<CreateFleetResponse xmlns="%s">%s</CreateFleetResponse>' % (EC2, xml_of(reply))

    def made(self, action, form, data):
        """Something new, which is not to be seen at once."""
        if action == "CreateLaunchTemplate":
            self.hidden_templates[form["LaunchTemplateName"]] = self.unseen_templates
            self.holdings.made[form["LaunchTemplateName"]] = launches.tree_of(form)
            return
        ids = re.findall(r"\bi-[0-9a-f]+", data if isinstance(data, str) else data.decode())
        self.hidden.update({i: self.unseen for i in ids})
        self.starting.update({i: self.pending for i in ids})

    def gone(self, ids):
        for i in ids & set(self.pool_of):
            self.cloud.take(self.pool_of.pop(i), -1)

    def look(self, data, by_id):
        """An answer of DescribeInstances, as somebody sees it who asks too early."""
        with self.lock:
            early = {i for i, n in self.hidden.items() if n > 0}
            self.hidden.update({i: self.hidden[i] - 1 for i in early})
            if by_id & early:
                raise Refusal(400, "InvalidInstanceID.NotFound", "The instance ID '%s' does not exist" % sorted(by_id & early)[0])
            if not early and not any(self.starting.values()):
                return data
            root = ET.fromstring(data)
            for reservation in root.findall(".//{*}reservationSet"):
                for item in list(reservation):
                    self.hide(item, early)
                    if item.find(".//{*}instanceId") is None:
                        reservation.remove(item)
            return ET.tostring(root, encoding="utf-8", xml_declaration=True)

    def hide(self, reservation, early):
        instances = reservation.find("{*}instancesSet")
        for instance in list(instances):
            name, state = instance.find("{*}instanceId").text, instance.find("{*}instanceState")
            if name in early:
                instances.remove(instance)
            elif self.starting.get(name, 0) > 0 and state.find("{*}name").text == "running":
                self.starting[name] -= 1
                state.find("{*}code").text, state.find("{*}name").text = "0", "pending"


class Moto:
    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        with open(os.path.join(folder, "moto.log"), "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)], stdout=log, stderr=log,
                                            start_new_session=True)
        end = time.monotonic() + 120
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                assert time.monotonic() < end and self.process.poll() is None, "moto does not listen: see moto.log"
                time.sleep(0.1)                    # there is nothing to wait on but the port
        self.root = self.user("moto-root", ["*"])

    def client(self, service, keys=None, url=None):
        import boto3
        keys = keys or self.root
        return boto3.client(service, region_name=REGION, endpoint_url=url or "http://127.0.0.1:%d" % self.port,
                            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"], aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"])

    def user(self, name, actions):
        """Keys of a new user who may do that."""
        iam = self.client("iam", getattr(self, "root", {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}))
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def check(self, on):
        """Signatures and policies are looked at, or not."""
        way = http.client.HTTPConnection("127.0.0.1", self.port)
        way.request("POST", "/moto-api/reset-auth", "0" if on else "inf", {"Content-Type": "text/plain"})
        assert way.getresponse().status == 200
        way.close()

    def close(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()


def user_with(proxy, policy, name):
    """Keys of a new user who may do that; the proxy's own checks learn them too."""
    keys = proxy.moto.user(name, sorted({a for s in policy["Statement"] for a in s["Action"]}))
    proxy.keys[keys["AWS_ACCESS_KEY_ID"]] = Key(keys["AWS_SECRET_ACCESS_KEY"], None, False)
    proxy.policies[keys["AWS_ACCESS_KEY_ID"]] = policy
    return keys
