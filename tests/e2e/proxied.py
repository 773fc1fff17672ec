# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of rules.json over sockets, with boto3 as the client: what `aws` runs as the scenarios proxy_*."""
import threading

from proxy import REGION, cut, html, lost, reset, unavailable

TEMPLATE = "proxied"


def client(aws, keys=None):
    """One that does not try again by itself."""
    import boto3
    import botocore.config
    keys = keys or aws.moto.root
    return boto3.client("ec2", region_name=REGION, endpoint_url=aws.proxy.url, aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
                        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"], config=botocore.config.Config(retries={"total_max_attempts": 1}))


def refused(code, function, **parameters):
    import botocore.exceptions
    try:
        function(**parameters)
    except botocore.exceptions.ClientError as no:
        assert no.response["Error"]["Code"] == code, (code, no)
        return
    raise AssertionError("%s was not refused" % code)


def unheard(function, **parameters):
    """No answer came at all."""
    import botocore.exceptions
    try:
        function(**parameters)
    except botocore.exceptions.HTTPClientError:
        return
    raise AssertionError("there was an answer")


def world(aws):
    ec2 = client(aws)
    if not ec2.describe_launch_templates(Filters=[{"Name": "launch-template-name", "Values": [TEMPLATE]}])["LaunchTemplates"]:
        image = sorted(i["ImageId"] for i in ec2.describe_images()["Images"])[0]
        ec2.create_launch_template(LaunchTemplateName=TEMPLATE, LaunchTemplateData={"ImageId": image, "UserData": "aGVsbG8="})
    return ec2, {s["AvailabilityZone"][-1]: s["SubnetId"] for s in ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]}


def request(subnets, token, *overrides, total=1, kind="on-demand", strategy="lowest-price", **more):
    return {"Type": "instant", "ClientToken": token, "TargetCapacitySpecification": {"TotalTargetCapacity": total, "DefaultTargetCapacityType": kind},
            ("SpotOptions" if kind == "spot" else "OnDemandOptions"): {"AllocationStrategy": strategy},
            "TagSpecifications": [{"ResourceType": r, "Tags": [{"Key": "token", "Value": token}]} for r in ("instance", "volume", "fleet")],
            "LaunchTemplateConfigs": [{"LaunchTemplateSpecification": {"LaunchTemplateName": TEMPLATE, "Version": "$Latest"}, "Overrides": [
                {"InstanceType": t, "SubnetId": subnets[z], "AvailabilityZone": REGION + z} for t, z in overrides]}], **more}


def instances(ec2, token):
    found = ec2.describe_instances(Filters=[{"Name": "tag:token", "Values": [token]}])
    return [i for r in found["Reservations"] for i in r["Instances"]]


def fleets(aws):
    ec2, subnets = world(aws)
    cloud = aws.proxy.cloud
    cloud.prices = {("m5.large", "on-demand"): 0.1, ("c5.large", "on-demand"): 0.2}
    cloud.capacity = {("m5.large", REGION + "a", "on-demand"): 1, ("m5.large", REGION + "b", "on-demand"): 0}
    words = request(subnets, "one", ("c5.large", "a"), ("m5.large", "b"), ("m5.large", "a"), total=2)
    reply = ec2.create_fleet(**words)
    assert [(i["InstanceType"], i["Lifecycle"], len(i["InstanceIds"]), i["LaunchTemplateAndOverrides"]["Overrides"]["AvailabilityZone"]) for i in reply["Instances"]] == [
        ("m5.large", "on-demand", 1, REGION + "a"), ("c5.large", "on-demand", 1, REGION + "a")], reply
    assert [(e["ErrorCode"], e["LaunchTemplateAndOverrides"]["Overrides"]["AvailabilityZone"]) for e in reply["Errors"]] == [
        ("InsufficientInstanceCapacity", REGION + "b"), ("InsufficientInstanceCapacity", REGION + "a")], reply["Errors"]
    there = instances(ec2, "one")
    assert {i["InstanceId"] for i in there} == {x for i in reply["Instances"] for x in i["InstanceIds"]} and {i["SubnetId"] for i in there} == {subnets["a"]}, there
    # The same once more is the same; anything else under that token is refused.
    again = ec2.create_fleet(**words)
    assert again["FleetId"] == reply["FleetId"] and again["Instances"] == reply["Instances"] and len(instances(ec2, "one")) == 2, again
    refused("IdempotentParameterMismatch", ec2.create_fleet, **{**words, "Context": "c"})
    ec2.terminate_instances(InstanceIds=[i["InstanceId"] for i in there])
    assert cloud.capacity["m5.large", REGION + "a", "on-demand"] == 1 and cloud.used["on-demand"] == 0
    spot = ec2.create_fleet(**request(subnets, "two", ("m5.large", "c"), kind="spot", strategy="price-capacity-optimized"))
    found = instances(ec2, "two")
    assert spot["Errors"] == [] and spot["Instances"][0]["Lifecycle"] == "spot" and [i.get("InstanceLifecycle") for i in found] == ["spot"], (spot, found)
    cloud.quota["on-demand"] = 1
    over = ec2.create_fleet(**request(subnets, "three", ("m5.large", "c")))
    assert over["Instances"] == [] and [e["ErrorCode"] for e in over["Errors"]] == ["VcpuLimitExceeded"], over
    refused("DryRunOperation", ec2.create_fleet, **request(subnets, "four", ("m5.large", "a"), DryRun=True))
    unknown = request(subnets, "five", ("m5.large", "a"))
    unknown["LaunchTemplateConfigs"][0]["LaunchTemplateSpecification"]["LaunchTemplateName"] = "nobody's"
    refused("InvalidLaunchTemplateName.NotFoundException", ec2.create_fleet, **unknown)
    # Two at the same time with one token are one.
    cloud.quota.clear()
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(client(aws).create_fleet(**request(subnets, "six", ("m5.large", "c"))))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(replies) == 4 and len({r["FleetId"] for r in replies}) == 1 and len(instances(ec2, "six")) == 1, replies


def rights(aws):
    """A launch needs keys that are good and a policy that allows it."""
    _, subnets = world(aws)
    less = aws.user_with({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ec2:DescribeInstances"], "Resource": "*"}]}, "proxied")
    aws.proxy.check(True)
    refused("UnauthorizedOperation", client(aws, less).create_fleet, **request(subnets, "r1", ("m5.large", "a")))
    refused("AuthFailure", client(aws, {**less, "AWS_SECRET_ACCESS_KEY": "wrong"}).create_fleet, **request(subnets, "r2", ("m5.large", "a")))


def delays(aws):
    """What is new is seen late, and starts slowly."""
    ec2, subnets = world(aws)
    aws.proxy.unseen, aws.proxy.pending, aws.proxy.unseen_templates = 2, 2, 1
    made = ec2.create_fleet(**request(subnets, "slow", ("m5.large", "a")))["Instances"][0]["InstanceIds"][0]
    refused("InvalidInstanceID.NotFound", ec2.describe_instances, InstanceIds=[made])
    assert instances(ec2, "slow") == []
    states = [i["State"]["Name"] for _ in range(3) for i in instances(ec2, "slow")]
    assert states == ["pending", "pending", "running"], states
    image = instances(ec2, "slow")[0]["ImageId"]
    ec2.create_launch_template(LaunchTemplateName="late", LaunchTemplateData={"ImageId": image})
    words = request(subnets, "late", ("m5.large", "a"))
    words["LaunchTemplateConfigs"][0]["LaunchTemplateSpecification"]["LaunchTemplateName"] = "late"
    refused("InvalidLaunchTemplateName.NotFoundException", ec2.create_fleet, **words)
    assert ec2.create_fleet(**words)["Instances"]
    ec2.delete_launch_template(LaunchTemplateName="late")


def faults(aws):
    """Answers that do not come, and that are none; the same token afterwards does nothing twice."""
    ec2, subnets = world(aws)
    words = request(subnets, "lost", ("m5.large", "a"))
    aws.proxy.faults["CreateFleet"] = [cut, reset, html, unavailable, lost]
    unheard(ec2.create_fleet, **words)
    unheard(ec2.create_fleet, **words)
    refused("500", ec2.create_fleet, **words)
    refused("503", ec2.create_fleet, **words)
    assert instances(ec2, "lost") == []
    unheard(ec2.create_fleet, **words)
    assert len(instances(ec2, "lost")) == 1
    reply = ec2.create_fleet(**words)
    assert [i["InstanceId"] for i in instances(ec2, "lost")] == reply["Instances"][0]["InstanceIds"], reply


def throttling(aws):
    """As many as the bucket holds, and what has come back meanwhile."""
    ec2, subnets = world(aws)
    aws.proxy.throttled = True
    words = request(subnets, "many", ("m5.large", "a"), DryRun=True)
    for second, n in ((0, 50), (1, 5), (3, 10)):
        aws.proxy.clock = lambda second=second: second
        for _ in range(n):
            refused("DryRunOperation", ec2.create_fleet, **words)
        refused("RequestLimitExceeded", ec2.create_fleet, **words)
