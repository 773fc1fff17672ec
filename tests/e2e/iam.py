# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM as values: what a call needs to be allowed, and whether a policy allows it. The rule `policies` of rules.json.

A need is (action, resource, context): the name of an action of IAM, an ARN, and the condition keys that AWS states for it."""
import fnmatch
import json
import re

from launches import rule

ANY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": "*"}]}


def filled(text, **names):
    """A policy of deploy/iam with its ${NAMES}, as envsubst leaves it."""
    return json.loads(re.sub(r"\$\{(\w+)\}", lambda m: names[m.group(1)], text))


def several(value):
    return value if isinstance(value, list) else [value]


def like(pattern, value):
    """* and ? as IAM has them; nothing else is special."""
    return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


def holds(operator, key, wanted, context):
    for_all = operator.startswith("ForAllValues:")
    test = {"StringEquals": lambda w, v: w == v, "StringLike": like, "ArnLike": like, "ArnEquals": like}[operator.rpartition(":")[2]]
    keys = {k.lower(): v for k, v in context.items()}
    if key.lower() not in keys:
        return for_all
    values = several(keys[key.lower()])
    return (all if for_all else any)(any(test(w, v) for w in several(wanted)) for v in values)


def speaks_of(statement, action, resource, context):
    return (any(like(a.lower(), action.lower()) for a in several(statement["Action"])) and any(like(r, resource) for r in several(statement["Resource"]))
            and all(holds(op, k, w, context) for op, keys in statement.get("Condition", {}).items() for k, w in keys.items()))


@rule("policies")
def allows(policy, need):
    said = {s["Effect"] for s in policy["Statement"] if speaks_of(s, *need)}
    return said == {"Allow"}


def unused(policy, needs):
    """Statements without which all of that would still be allowed, and actions that nothing of it needs; both as texts."""
    found = []
    for statement in policy["Statement"]:
        fewer = {**policy, "Statement": [s for s in policy["Statement"] if s is not statement]}
        if all(allows(fewer, need) for need in needs):
            found.append(statement["Sid"])
        found += ["%s: %s" % (statement["Sid"], a) for a in statement["Action"] if not any(like(a, need[0]) and speaks_of(statement, *need) for need in needs)]
    return found


def tags_of(specifications, kind):
    return {t["Key"]: t.get("Value", "") for s in specifications if s["ResourceType"] == kind for t in s.get("Tag", [])}


class Needs:
    """What calls need, in a region of an account. `world` knows what there is: tags(arn), profile(name) -> (arn, [role arns]), template(name or id) -> its name and data."""

    def __init__(self, region, account, world):
        self.region, self.account, self.world = region, account, world

    def of(self, service, action, parameters):
        """Needs of a call; `parameters` as a tree for queries, as they are in JSON."""
        context = {"aws:RequestedRegion": self.region}
        function = getattr(self, action, None)
        if function is not None:
            return [(name, arn, {**context, **more}) for name, arn, more in function(parameters)]
        return [("%s:%s" % (service, action), "*", context)]

    def ec2_arn(self, kind, name, account=None):
        return "arn:aws:ec2:%s:%s:%s/%s" % (self.region, self.account if account is None else account, kind, name)

    def resource_tags(self, arn):
        return {"aws:ResourceTag/" + k: v for k, v in self.world.tags(arn).items()}

    def made(self, action, kind, tags):
        """Something new with its tags."""
        context = {**{"aws:RequestTag/" + k: v for k, v in tags.items()}, "aws:TagKeys": sorted(tags)}
        arn = self.ec2_arn(kind, "*")
        return [(action, arn, context)] + ([("ec2:CreateTags", arn, {**context, "ec2:CreateAction": action.partition(":")[2]})] if tags else [])

    # ---- EC2

    def CreateLaunchTemplate(self, tree):
        return self.made("ec2:CreateLaunchTemplate", "launch-template", tags_of(tree.get("TagSpecification", []), "launch-template"))

    def launch(self, action, tree, configs, kind):
        """Of each template with its overrides: what it uses, what it makes, whose role it passes on."""
        needs = []
        for template, overrides in configs:
            name, data = self.world.template(template)
            arn = self.ec2_arn("launch-template", name)
            needs.append((action, arn, self.resource_tags(arn)))
            groups = [g for i in data.get("NetworkInterface", []) for g in i.get("SecurityGroupId", [])] + data.get("SecurityGroupId", [])
            images = {o.get("ImageId", data.get("ImageId")) for o in overrides} - {None}
            special = [("placement-group", data.get("Placement", {}).get("GroupId")),
                       ("capacity-reservation", data.get("CapacityReservationSpecification", {}).get("CapacityReservationTarget", {}).get("CapacityReservationId"))]
            snapshots = [("snapshot", b["Ebs"]["SnapshotId"], "") for b in data.get("BlockDeviceMapping", []) if "SnapshotId" in b.get("Ebs", {})]
            used = snapshots + [(k, n, None) for k, n in special if n] + [("subnet", o["SubnetId"], None) for o in overrides if "SubnetId" in o] + [("security-group", g, None) for g in groups] + [("image", i, "") for i in images]
            needs += [(action, self.ec2_arn(*u), {}) for u in used]
            specifications = tree.get("TagSpecification", []) + data.get("TagSpecification", [])
            for new in ("fleet",) * (action == "ec2:CreateFleet") + ("instance", "volume", "network-interface") + ("spot-instances-request",) * (kind == "spot"):
                needs += self.made(action, new, tags_of(specifications, new))
            profile = data.get("IamInstanceProfile", {}).get("Name")
            needs += self.passes(self.world.profile(profile)[1] if profile else [])
        return needs

    def CreateFleet(self, tree):
        configs = [(c["LaunchTemplateSpecification"], c.get("Overrides", [])) for c in tree["LaunchTemplateConfigs"]]
        kind = tree["TargetCapacitySpecification"].get("DefaultTargetCapacityType", "on-demand")
        needs = self.launch("ec2:CreateFleet", tree, configs, kind)
        # The machines of an instant fleet are run in the name of who asks.
        return needs + [("ec2:RunInstances", arn, context) for name, arn, context in needs if name == "ec2:CreateFleet" and ":fleet/" not in arn]

    def RunInstances(self, tree):
        override = {k: tree[k] for k in ("SubnetId", "ImageId", "InstanceType") if k in tree}
        return self.launch("ec2:RunInstances", tree, [(tree["LaunchTemplate"], [override])], tree.get("InstanceMarketOptions", {}).get("MarketType"))

    def TerminateInstances(self, tree):
        arns = [self.ec2_arn("instance", i) for i in tree.get("InstanceId", [])]
        return [("ec2:TerminateInstances", arn, self.resource_tags(arn)) for arn in arns]

    def DeleteLaunchTemplate(self, tree):
        arn = self.ec2_arn("launch-template", self.world.template(tree)[0])
        return [("ec2:DeleteLaunchTemplate", arn, self.resource_tags(arn))]

    def CreateTags(self, tree):
        tags = {t["Key"]: t.get("Value", "") for t in tree.get("Tag", [])}
        context = {**{"aws:RequestTag/" + k: v for k, v in tags.items()}, "aws:TagKeys": sorted(tags)}
        kinds = {"i": "instance", "vol": "volume", "eni": "network-interface", "lt": "launch-template"}
        arns = [self.ec2_arn(kinds[i.partition("-")[0]], i) for i in tree.get("ResourceId", [])]
        return [("ec2:CreateTags", arn, {**context, **self.resource_tags(arn)}) for arn in arns]

    # ---- IAM

    def passes(self, roles):
        return [("iam:PassRole", role, {"iam:PassedToService": "ec2.amazonaws.com"}) for role in roles]

    def CreateInstanceProfile(self, tree):
        tags = {t["Key"]: t["Value"] for t in tree.get("Tags", {}).get("member", [])}
        arn = "arn:aws:iam::%s:instance-profile%s%s" % (self.account, tree.get("Path", "/"), tree["InstanceProfileName"])
        context = {**{"aws:RequestTag/" + k: v for k, v in tags.items()}, "aws:TagKeys": sorted(tags)}
        return [(a, arn, context) for a in ("iam:CreateInstanceProfile",) + ("iam:TagInstanceProfile",) * bool(tags)]

    def of_profile(self, action, tree):
        arn = self.world.profile(tree["InstanceProfileName"])[0]
        return [("iam:" + action, arn, self.resource_tags(arn))]

    def GetInstanceProfile(self, tree):
        return self.of_profile("GetInstanceProfile", tree)

    def AddRoleToInstanceProfile(self, tree):
        return self.of_profile("AddRoleToInstanceProfile", tree) + self.passes([self.world.role(tree["RoleName"])])

    def RemoveRoleFromInstanceProfile(self, tree):
        return self.of_profile("RemoveRoleFromInstanceProfile", tree)

    def DeleteInstanceProfile(self, tree):
        return self.of_profile("DeleteInstanceProfile", tree)

    # ---- others

    def GetParameter(self, parameters):
        name = parameters["Name"]
        return [("ssm:GetParameter", "arn:aws:ssm:%s:%s:parameter/%s" % (self.region, "" if name.startswith("/aws/service/") else self.account, name.lstrip("/")), {})]

    def DescribeCluster(self, parameters):
        return [("eks:DescribeCluster", "arn:aws:eks:%s:%s:cluster/%s" % (self.region, self.account, parameters["name"]), {})]

    def GetProducts(self, _):
        return [("pricing:GetProducts", "*", {})]

    def GetQueueUrl(self, parameters):
        return [("sqs:GetQueueUrl", "arn:aws:sqs:%s:%s:%s" % (self.region, self.account, parameters["QueueName"]), {})]

    def of_queue(self, action, parameters):
        return [("sqs:" + action, "arn:aws:sqs:%s:%s:%s" % (self.region, self.account, parameters["QueueUrl"].rpartition("/")[2]), {})]

    def ReceiveMessage(self, parameters):
        return self.of_queue("ReceiveMessage", parameters)

    def DeleteMessage(self, parameters):
        return self.of_queue("DeleteMessage", parameters)
