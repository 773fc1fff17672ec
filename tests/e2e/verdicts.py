# SPDX-License-Identifier: GPL-3.0-or-later
"""What API servers and `binpack validate` say of objects of Karpenter's kinds (samples.py)."""
import concurrent.futures
import copy
import json
import subprocess
import threading

from cluster import Admin

N_LANES = 6
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def collection(crd):
    return "/apis/%s/%s/%s%s" % (crd["spec"]["group"], crd["spec"]["versions"][-1]["name"],
                                 "namespaces/default/" if crd["spec"]["scope"] == "Namespaced" else "", crd["spec"]["names"]["plural"])


def install(admin, crds, wait_for):
    """In place of those that are there: what they held is gone."""
    for crd in crds:
        admin.ask("DELETE", DEFINITIONS + "/" + crd["metadata"]["name"], None, (200, 404))
    for crd in crds:
        path = DEFINITIONS + "/" + crd["metadata"]["name"]
        wait_for("the end of " + crd["metadata"]["name"], lambda p=path: admin.ask("GET", p, None, (200, 404))[0] == 404)
        wait_for("404 of its objects", lambda c=crd: admin.ask("GET", collection(c), None, (200, 404))[0] == 404)
        admin.ask("POST", DEFINITIONS, crd, (201, 409))
    for crd in crds:
        wait_for(crd["metadata"]["name"], lambda c=crd: admin.ask("GET", collection(c), None, (200, 404, 503))[0] == 200)


def of_server(cluster, crds, objects):
    """(kind, name) -> the object with its defaults, or the refusal. Nothing is stored."""
    paths = {crd["spec"]["names"]["kind"]: collection(crd) + "?dryRun=All&fieldValidation=Strict" for crd in crds}
    mine = threading.local()

    def one(thing):
        if not hasattr(mine, "admin"):
            mine.admin = Admin(cluster)
        status, answer = mine.admin.ask("POST", paths[thing["kind"]], thing, (201, 400, 422))
        return (thing["kind"], thing["metadata"]["name"]), answer.get("spec") if status == 201 else "%d %s" % (status, answer["message"])
    with concurrent.futures.ThreadPoolExecutor(N_LANES) as lanes:
        return dict(lanes.map(one, objects))


def of_program(binpack, objects, path):
    """(kind, name) -> None, or what the server would refuse; and what only Karpenter refuses."""
    with open(path, "w", encoding="utf-8") as out:
        for thing in objects:
            out.write(json.dumps(thing) + "\n")
    done = subprocess.run([binpack, "validate", "-o", "json", path], capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL)
    assert done.returncode in (0, 1), done.stderr[-1000:]
    refused = {(thing["kind"], thing["metadata"]["name"]): None for thing in objects}
    later = {}
    for fault in json.loads(done.stdout)["faults"]:
        into = later if fault["acceptedByServer"] else refused
        into[fault["kind"], fault["name"]] = "%s: %s: %s" % (fault["path"], fault["rule"], fault["message"])
    return refused, later


def faces(admin, crds):
    """How the kinds present themselves: names, versions, subresources, columns of kubectl get."""
    out = {}
    for crd in crds:
        group, version = crd["spec"]["group"], crd["spec"]["versions"][-1]["name"]
        resources = admin.ask("GET", "/apis/%s/%s" % (group, version))[1]["resources"]
        mine = [{k: v for k, v in r.items() if k != "storageVersionHash"} for r in resources if r["name"].split("/")[0] == crd["spec"]["names"]["plural"]]
        columns = admin.ask("GET", collection(crd), accept=TABLE)[1]["columnDefinitions"]
        stored = admin.ask("GET", DEFINITIONS + "/" + crd["metadata"]["name"])[1]["status"]["storedVersions"]
        out[crd["metadata"]["name"]] = {"resources": sorted(mine, key=lambda r: r["name"]), "stored": stored,
                                        "columns": [{k: c[k] for k in ("name", "type", "priority")} for c in columns]}
    return out


def of_changes(admin, crds, full):
    """Whether objects that are there can be changed so: the rules that look at what was before."""
    by_kind = {crd["spec"]["names"]["kind"]: crd for crd in crds}
    taken = {}
    for kind, name, change in [
            ("NodePool", "group", {"template": {"spec": {"nodeClassRef": {"group": "other"}}}}), ("NodePool", "kind", {"template": {"spec": {"nodeClassRef": {"kind": "Other"}}}}),
            ("NodePool", "name", {"template": {"spec": {"nodeClassRef": {"name": "other"}}}}), ("NodePool", "static", {"replicas": 2, "weight": None, "limits": None}),
            ("NodePool", "weight", {"weight": 20}), ("NodeClaim", "any", {"terminationGracePeriod": "6m"}), ("NodeClaim", "same", {"terminationGracePeriod": "5m"})]:
        crd = by_kind[kind]
        thing = {"apiVersion": "%s/%s" % (crd["spec"]["group"], crd["spec"]["versions"][-1]["name"]), "kind": kind, "metadata": {"name": "c-" + name},
                 "spec": copy.deepcopy(full[kind])}
        admin.ask("POST", collection(crd), thing, (201, 409))  # asked again after a lost connection, it is there
        path = collection(crd) + "/c-" + name
        taken[kind, name] = admin.ask("PATCH", path, {"spec": change}, (200, 422))[0] == 200
        # The status has its own door: what is said of it at the front is dropped, and its own rules hold behind.
        admin.ask("PATCH", path, {"status": {"conditions": []}})
        taken[kind, name, "front"] = admin.ask("GET", path)[1].get("status")
        good = {"type": "Ready", "status": "True", "reason": "Ready", "message": "", "lastTransitionTime": "2026-03-01T08:00:00Z"}
        taken[kind, name, "status"] = [admin.ask("PATCH", path + "/status", {"status": {"conditions": conditions}}, (200, 422))[0]
                                       for conditions in ([good], [{**good, "status": "Maybe"}], [{**good, "reason": "not a word"}], [good, good], [{**good, "message": None}])]
        admin.ask("DELETE", path, None, (200, 404))
    return taken
