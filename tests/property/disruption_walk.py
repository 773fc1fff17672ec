# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out the steps of a round of disruption, one eviction at a time, with the filters of the neutral judge.

Nothing of the planner is used: at each moment the pods that have not moved yet are where they run, the nodes that have been drained are
gone, and what is launched is there. A pod must have its new place at the moment when it is evicted; no eviction may need more of a
PodDisruptionBudget than it has; no moment may have more nodes going than the budgets of the NodePool allow."""


class Walk:
    def __init__(self, check, world, plan):
        plan = check.normalise_plan(plan)
        self.check, self.world, self.plan = check, world, plan
        self.rules = check.Disruption(world)
        self.bad = []
        verdict = check.Verdict()
        self.fresh, commands, self.gone = check.build(world, plan, "disrupt", verdict)
        self.bad += verdict.violations
        self.target = verdict.placement
        self.reason = {n: c["reason"] for c in commands for n in c["nodes"]}
        self.state = check.State(world, [n for n in world.nodes.values() if not n.deleting])
        self.left = dict(self.gone_nodes())
        self.launched = set()

    def gone_nodes(self):
        return {n: self.world.nodes[n] for n in self.gone if n in self.world.nodes}

    def launch(self, name):
        node = next((n for n in self.fresh if n.name == name), None)
        if node is None or name in self.launched:
            self.bad.append("step launches %s twice, or it is no new node" % name)
            return
        self.launched.add(name)
        self.state.nodes.append(node)
        self.state.placed[name], self.state.used[name] = [], {}

    def wait(self, pods):
        """Pods that wait take their places as soon as they can. Returns who still waits."""
        while True:
            able = [p for p in pods if self.target[p.key].name in self.state.placed and not self.state.why_not(p, self.target[p.key])]
            if not able:
                return pods
            self.state.place(able[0], self.target[able[0].key])
            pods = [p for p in pods if p is not able[0]]

    def take_off(self, pod, node):
        here = self.state.placed[node.name]
        here.remove(pod)
        used = {}
        for p in here:
            used = self.check.add(used, p.requests)
        self.state.used[node.name] = used

    def may_evict(self, pod, node):
        reason = self.reason.get(node.name)
        waived = reason == "Expired" or (reason == "Drifted" and node.claim["spec"].get("terminationGracePeriod"))
        if not waived and self.rules.evictable(pod) and self.rules.pdb_blocks(pod):
            self.bad.append("step %s evicts %s against its PodDisruptionBudget" % (node.name, pod.key))

    def step(self, step):
        for name in step["launch"]:
            self.launch(name)
        node = self.left.pop(step["drain"], None)
        if node is None:
            self.bad.append("step drains %s, which stays or has gone" % step["drain"])
            return
        here, later = {p.key: p for p in self.state.placed[node.name]}, []
        for key in step["pods"]:
            pod, target = here.get(key), self.target.get(key)
            if pod is None or target is None or target.name not in self.state.placed:
                self.bad.append("step %s moves %s, which is not there, or whose new place is not" % (node.name, key))
                continue
            self.may_evict(pod, node)
            self.take_off(pod, node)
            why = self.state.why_not(pod, target)
            if why and self.reason.get(node.name) == "Expired":
                later.append(pod)  # It goes in any case, and its pods wait.
                continue
            if why:
                self.bad.append("step %s: %s cannot go to %s at its moment: %s" % (node.name, key, target.name, why))
            self.state.place(pod, target)
        for pod in self.state.placed[node.name]:
            if pod.key in self.target and self.rules.movable(pod):
                self.bad.append("step %s leaves %s behind" % (node.name, pod.key))
        self.state.nodes.remove(node)
        return later

    def budgets(self):
        """Nodes go one after the other, and each counts for every reason: some order must be within all budgets."""
        left = {r: self.rules.allowance(r) for r in ("Empty", "Drifted", "Underutilized")}
        pools = {}
        for name, reason in self.reason.items():
            if reason in left and name in self.world.nodes:
                pools.setdefault(self.world.nodes[name].pool, []).append(reason)
        for pool, reasons in pools.items():
            limits = sorted((left[r].get(pool) if left[r].get(pool) is not None else len(reasons) + 1) for r in reasons)
            for i, limit in enumerate(limits):
                if i + 1 > limit:
                    self.bad.append("NodePool %s: %d nodes go, %s allows %d" % (pool, len(reasons), reasons, limit))
                    break

    def run(self):
        steps = self.plan["disruption"]["steps"]
        later = {name for s in steps for name in s["launch"]}
        for node in self.fresh:
            if node.name not in later:
                self.launch(node.name)
        moving = {key for s in steps for key in s["pods"]}
        waiting = self.wait([self.world.pods[k] for k in sorted(self.target) if k not in moving])
        for s in steps:
            waiting = self.wait(waiting + self.step(s))
        self.bad += ["node %s is drained by no step" % n for n in sorted(self.left)]
        self.bad += ["%s never finds the moment for %s: %s" % (p.key, self.target[p.key].name, self.state.why_not(p, self.target[p.key]))
                     for p in waiting if self.reason.get(p.node) != "Expired"]
        self.budgets()
        return self.bad


def violations(check, world, plan):
    """What is wrong with the steps of a plan of `--mode=disrupt`; `world` is used up."""
    return Walk(check, world, plan).run()
