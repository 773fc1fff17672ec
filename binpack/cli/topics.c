/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/topics.h"

const char help_purpose[] =
    "binpack plans AWS nodes for Kubernetes pods: what to buy, what it costs, and how close to the "
    "cheapest possible that is.";

const struct help_example help_examples[] = {
    {"Plan for the pods that wait in a cluster",
     "kubectl get pods,nodes,daemonsets -A -o json | binpack --simulate"},
    {"Plan for recorded files, print the table and keep the plan",
     "binpack --simulate -f cluster.json -f karpenter.json -o table -o json=plan.json"},
    {"See what manifests would cost on an empty cluster", "binpack --simulate -f deploy/"},
};
const size_t n_help_examples = sizeof(help_examples) / sizeof(help_examples[0]);

const struct help_topic help_topics[] = {
    {"inputs", "What to feed it",
     "Kubernetes objects as `kubectl get -o json` or `-o yaml` prints them: lists, single objects, "
     "several YAML documents, one JSON "
     "object a line, watch events; plain or gzip. A directory is read with all its files. Two "
     "commands record all that matters "
     "(the second one apart, because kubectl refuses the whole call when a kind is unknown):\n"
     "\n"
     "  kubectl get po,no,pv,pvc,sc,csinode,ds,rs,sts,deploy,svc,pdb,ns,pc -A -o json | gzip > "
     "cluster.json.gz\n"
     "  kubectl get nodepools,nodeclaims,ec2nodeclasses -o json | gzip > karpenter.json.gz\n"
     "\n"
     "Other kinds are counted and ignored. When the same object comes twice, the last one counts.\n"
     "\n"
     "Workloads without pods in the input (plain manifests) are planned as the pods they would "
     "have; see `--expand`.\n"
     "\n"
     "What is missing is replaced by named defaults, each said on standard error: without a "
     "NodePool (or any other object of Karpenter), one called `default` that "
     "allows the families c, m and r from generation 3 on, spot and on-demand, linux on amd64 (`-o "
     "snapshot` prints it). "
     "Without Nodes every pod is placed on new nodes (`--mode=repack`).\n"},
    {"pods", "Which pods get a place",
     "Pods that the scheduler has refused (condition PodScheduled is False with reason "
     "Unschedulable) and pods without any "
     "status, as in manifests. Pods of DaemonSets, finished, terminating, gated and mirror pods, "
     "and those that wait for "
     "preemption are left alone; the plan counts them by reason. With `--mode=repack` bound pods "
     "are placed anew as well.\n"
     "\n"
     "Every pod that needs a place is in exactly one of three lists of the plan: on a new node, on "
     "a running node, or unplaced with "
     "the reasons, the nearest miss first.\n"},
    {"what-if", "A cluster as it might be",
     "Options of the group \"What if\" change the input before anything is planned; the plan, its "
     "bound and its checks are about the cluster as it would be, and every change is named among "
     "the assumptions:\n"
     "\n"
     "  --remove-node=NAME        a node is gone; its pods need another place\n"
     "  --zone-down=ZONE          a zone is down, with its nodes\n"
     "  --scale=NS/NAME=N         a workload has N pods\n"
     "  --deny-type=TYPE          an instance type is not bought; * for any text\n"
     "  --no-spot                 no spot node is bought\n"
     "  --unavailable=T:Z:C       EC2 has none left: type, zone, capacity type\n"
     "  --price-adjust=WHICH: P%  other prices, for discounts\n"
     "  --node-surcharge=USD      what every node costs on top, per hour\n"
     "\n"
     "Changes are made in the order: spot, replicas, nodes, zones, types, prices, surcharge. `-o "
     "snapshot` "
     "prints the cluster after them. `verify` takes the same options.\n"},
    {"disruption", "Which nodes may go",
     "`--mode=disrupt` decides one round of disruption at the moment `--now`: which nodes to "
     "delete, "
     "which to replace by what, what that saves, and what could be saved at most. Pods that wait "
     "are served first, on the room that is there: an empty node that one of them needs stays "
     "(\"Node is nominated for a pending pod\") unless a new node for the pod and the empty one "
     "gone is cheaper. Methods in "
     "Karpenter's order: expired nodes go whatever protects them; empty ones, drifted ones and "
     "then "
     "underutilized ones as far as the budgets of their NodePools allow.\n"
     "\n"
     "A node stays when it is not managed, not initialized, deleting, nominated for a pod, "
     "annotated "
     "karpenter.sh/do-not-disrupt, of a static NodePool or of none; when a pod on it is annotated "
     "so "
     "(\"true\", or a duration that still runs), when a PodDisruptionBudget allows nothing, or "
     "when "
     "two cover one pod. A terminationGracePeriod lifts what pods ask for from drifted nodes. "
     "consolidateAfter, consolidationPolicy (Balanced with its score), minValues, the gate "
     "SpotToSpotConsolidation and budgets with reasons and schedules mean what they mean to "
     "Karpenter. Every node that stays has its reason in the words of Karpenter's events.\n"
     "\n"
     "Underutilized nodes are one decision: any number of nodes may be replaced by any number of "
     "others. Moving a pod has a price, `--move-cost`, that the savings must earn back within "
     "`--payback`; `--max-disruptions`, `--max-moved-pods` and `--reasons` narrow the round. The "
     "plan's steps are in order: launch, wait until the new nodes are initialized, drain one node, "
     "evicting its pods one after the other. A checker of its own replays them before they are "
     "shown.\n"
     "\n"
     "A node has drifted when its NodeClaim says so; `--detect-drift` also compares hashes, "
     "requirements, images, zones of subnets and reservations. The security groups of an instance "
     "are known to EC2 only.\n"},
    {"outputs", "Formats and streams",
     "Standard output carries the result and nothing else; progress, warnings and assumptions go "
     "to standard error. `-o` may be "
     "repeated and may name a file: `-o table -o json=plan.json`.\n"
     "\n"
     "  table       the mix of nodes and how full they are, cost, bound, reasons\n"
     "  wide        every node and every pod by name, all reasons\n"
     "  json, yaml  the plan (apiVersion binpack/v1), see docs/plan.md\n"
     "  csv         a row per node; sums over columns are those of the plan\n"
     "  nodeclaims  the karpenter.sh/v1 NodeClaims that would be created\n"
     "  markdown    for a comment on a pull request\n"
     "  snapshot    the objects as the planner sees them, with defaults and made pods\n"
     "\n"
     "Prices are US dollars per hour ($/H, usdPerHour) and per month of 730 hours ($/MO, "
     "usdPerMonth). CPU and MEM are what pods and "
     "daemon pods request, as a share of what nodes offer to pods.\n"
     "\n"
     "Colour is used on terminals only and never carries meaning alone; NO_COLOR, TERM=dumb and "
     "`--color=never` turn it off.\n"},
    {"optimality", "What the bound says",
     "The lower bound is a proof, not an estimate: no plan that places the same pods under the "
     "modelled rules costs less. The gap is "
     "(cost - bound) / cost. A gap of 0.5% means that even a perfect planner could save at most "
     "0.5%.\n"
     "\n"
     "The bound comes from a linear program over all ways to fill a node (column generation) and "
     "is checked again in integers, "
     "without the solver, before anything is printed. Where the plan obeys rules that the bound "
     "leaves out, the families are named. "
     "`--certificate FILE` writes the proof; `binpack verify` checks it, and so can a short "
     "script.\n"
     "\n"
     "Best means, in this order: pods placed (by priority, then number); preferences kept; the "
     "NodePool of highest weight; price of "
     "new nodes; fewer nodes. The bound is on the price, with the rest as the plan has it.\n"},
    {"prices", "The catalogue",
     "The program carries a dated catalogue of all EC2 instance types with on-demand prices of "
     "us-east-1, what a node of each type "
     "offers to pods, and estimates of spot prices. Every plan says which date and which estimates "
     "it rests on. Other regions "
     "and your own prices come with `--catalog`:\n"
     "\n"
     "  aws ec2 describe-instance-types > types.json\n"
     "  aws ec2 describe-instance-type-offerings --location-type availability-zone > "
     "offerings.json\n"
     "  aws ec2 describe-spot-price-history --product-descriptions Linux/UNIX > spot.json\n"
     "  binpack --simulate -f cluster.json --catalog types.json --catalog offerings.json --catalog "
     "spot.json\n"
     "\n"
     "A zone or region in the input that the catalogue does not know is an error that names "
     "both.\n"},
    {"exit-codes", "Exit status",
     "  0    all pods are placed\n"
     "  1    a file could not be read, written or parsed, or a check failed\n"
     "  2    the command line is wrong\n"
     "  3    some pods are unplaced (the plan is printed)\n"
     "  4    the input is incomplete and --strict was given\n"
     "  5    --require-gap is not proven\n"
     "  6    a --fail-if holds\n"
     "  130  interrupted; the best plan so far is printed\n"
     "\n"
     "Where several hold, the first of 130, 4, 6, 5, 3 counts: what a gate was asked for comes "
     "before unplaced pods.\n"},
};
const size_t n_help_topics = sizeof(help_topics) / sizeof(help_topics[0]);
