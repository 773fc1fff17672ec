# SPDX-License-Identifier: GPL-3.0-or-later
"""What roles give to an account, and what an audit log says of what it asked for, as sets of (verb, group, resource)."""
import collections
import json

SELDOM = {("patch", "", "events")}   # an Event that is said again counts itself, but not before minutes have passed
KINDS = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")


def given(documents, account):
    """Of objects that `kubectl apply` takes: by the roles that are bound to the account, whatever their namespace."""
    bound = {(d["roleRef"]["kind"], d["roleRef"]["name"]) for d in documents if d["kind"].endswith("Binding") and any(s["name"] == account for s in d["subjects"])}
    rules = [r for d in documents if (d["kind"], d["metadata"]["name"]) in bound for r in d["rules"]]
    return {(verb, group, resource) for r in rules for verb in r["verbs"] for group in r["apiGroups"] for resource in r["resources"]}


def counted(log, user, refused=True):
    """{what: how often} that a user has asked for; `refused` says whether what was forbidden counts."""
    found = collections.Counter()
    with open(log, encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line) if line.endswith("\n") else {}
            ref = event.get("objectRef")
            if ref and "resource" in ref and event["user"]["username"] == user and (refused or event.get("responseStatus", {}).get("code") != 403):
                found[event["verb"], ref.get("apiGroup", ""), "/".join(ref[k] for k in ("resource", "subresource") if k in ref)] += 1
    return found


def asked(log, user, refused=True):
    return set(counted(log, user, refused))
