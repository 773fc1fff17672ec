# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account holds, asked of moto: what iam.Needs wants to know of it."""


class Holdings:
    def __init__(self, moto, account):
        self.moto, self.account = moto, account
        self.made = {}                             # requests of CreateLaunchTemplate as trees, by name

    def template(self, named):
        """(id, data as in the query) of what LaunchTemplateName or LaunchTemplateId names."""
        filters = [{"Name": "launch-template-name", "Values": [named["LaunchTemplateName"]]}] if "LaunchTemplateName" in named else []
        for t in self.moto.client("ec2").describe_launch_templates(Filters=filters)["LaunchTemplates"]:
            if named.get("LaunchTemplateName", t["LaunchTemplateName"]) == t["LaunchTemplateName"] and named.get("LaunchTemplateId", t["LaunchTemplateId"]) == t["LaunchTemplateId"]:
                return t["LaunchTemplateId"], self.made.get(t["LaunchTemplateName"], {}).get("LaunchTemplateData", {})
        return "none", {}

    def profile(self, name):
        """(ARN, ARNs of its roles)."""
        try:
            found = self.moto.client("iam").get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
            return found["Arn"], [r["Arn"] for r in found["Roles"]]
        except self.moto.client("iam").exceptions.NoSuchEntityException:
            return "arn:aws:iam::%s:instance-profile/%s" % (self.account, name), []

    def role(self, name):
        try:
            return self.moto.client("iam").get_role(RoleName=name)["Role"]["Arn"]
        except self.moto.client("iam").exceptions.NoSuchEntityException:
            return "arn:aws:iam::%s:role/%s" % (self.account, name)

    def tags(self, arn):
        service, resource = arn.split(":")[2], arn.split(":", 5)[5]
        name = resource.rpartition("/")[2]
        if service == "iam":
            try:
                found = self.moto.client("iam").get_instance_profile(InstanceProfileName=name)["InstanceProfile"].get("Tags", [])
            except self.moto.client("iam").exceptions.NoSuchEntityException:
                found = []
        else:
            found = self.moto.client("ec2").describe_tags(Filters=[{"Name": "resource-id", "Values": [name]}])["Tags"]
        return {t["Key"]: t["Value"] for t in found}
