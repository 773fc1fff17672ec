/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/options.h"

#define SIMULATE   (1U << CLI_SIMULATE)
#define RECORD     (1U << CLI_RECORD)
#define EXPLAIN    (1U << CLI_EXPLAIN)
#define VERIFY     (1U << CLI_VERIFY)
#define VALIDATE   (1U << CLI_VALIDATE)
#define CATALOG    (1U << CLI_CATALOG)
#define NODECLASS  (1U << CLI_NODECLASS)
#define COMPARE    (1U << CLI_COMPARE)
#define DIFF       (1U << CLI_DIFF)
#define COMPLETION (1U << CLI_COMPLETION)
#define ASKS       (SIMULATE | EXPLAIN | COMPARE | DIFF) /* they make plans */
#define PLANS      (ASKS | VERIFY)                       /* they need what plans are made from */
#define EVERYWHERE ((1U << CLI_N_COMMANDS) - 1)
#define TO_100     .max = UINT64_C(1000000000) /* of OPTION_PERCENT, in 10^-9 */
#define FIELD(f)   .offset = offsetof(struct options, f)

const char *const output_format_names[N_OUTPUT_FORMATS + 1] = {
    "table", "wide", "json", "yaml", "csv", "nodeclaims", "markdown", "snapshot", NULL};
const char *const feature_gate_names[N_FEATURE_GATES + 1] = {
    "ReservedCapacity",        "NodeOverlay",    "CapacityBuffer",
    "SpotToSpotConsolidation", "StaticCapacity", NULL};
const char *const option_group_titles[N_OPTION_GROUPS] = {
    "Input",  "What is planned", "What if",           "Disruption",
    "Solver", "Output",          "Gates for scripts", "General"};

static const char *const capacity_type_choices[] = {"on-demand", "spot", NULL};
const char *const option_hint_kinds[N_OPTION_HINTS] = {
    [HINT_SUBJECTS] = "subjects",     [HINT_NODES] = "nodes",
    [HINT_NAMESPACES] = "namespaces", [HINT_WORKLOADS] = "workloads",
    [HINT_ZONES] = "zones",           [HINT_TYPES] = "types",
    [HINT_SCENARIOS] = "scenarios",   [HINT_BREAKDOWNS] = "breakdowns"};

static const char *const expand_choices[] = {"auto", "never", NULL};
static const char *const mode_choices[] = {"auto", "provision", "disrupt", "repack", NULL};
static const char *const reason_choices[] = {"Empty", "Drifted", "Underutilized", "Expired", NULL};
static const char *const preference_choices[] = {"Respect", "Ignore", NULL};
static const char *const min_values_choices[] = {"Strict", "BestEffort", NULL};
static const char *const algorithm_choices[] = {"colgen", "ffd", "karpenter", "cluster-autoscaler",
                                                NULL};
static const char *const when_choices[] = {"auto", "always", "never", NULL};

const struct command_row command_rows[CLI_N_COMMANDS] = {
    [CLI_SIMULATE] =
        {CLI_SIMULATE, "simulate", "[-f FILE]...",
         "plan nodes for the pods of a recorded cluster or of manifests",
         "Reads Kubernetes objects, decides which EC2 instances to launch for the "
         "pods that need a place, and prints "
         "the plan with its price and a proven lower bound on the price of any plan. "
         "Nothing is bought. Only with `--live` a cluster is contacted, and only read. "
         "`binpack --simulate` is the same."},
    [CLI_RECORD] = {CLI_RECORD, "record", "-o FILE",
                    "read a running cluster into a file for simulate",
                    "Lists every kind of object that the planner reads, as kubectl's configuration "
                    "says where and as whom, and writes "
                    "them to a file that `binpack --simulate -f` takes: one object a line, packed "
                    "when the name ends in .gz, readable "
                    "by its owner only. Fields that no rule reads and that may tell secrets "
                    "(environment variables, commands) are "
                    "left out; Secrets and ConfigMaps are never read. What the credentials may not "
                    "list is left out with a "
                    "warning and named in the recording's last line."},
    [CLI_EXPLAIN] =
        {CLI_EXPLAIN, "explain", "POD|node/N|nodepool/P... [-f FILE]...",
         "say where a pod goes and why, or what becomes of a node",
         "Plans as `simulate` does and then answers for the named pods: the node that takes "
         "it, what it asks for, what one more like it would cost, and for each NodePool how "
         "many instance types are left after each rule (node selector, volumes, taints, "
         "resources, limits), with the cheapest of those. A pod is `NAMESPACE/NAME`, or a "
         "name that only one pod of the input has. `node/N` asks for a round of `--mode=disrupt` "
         "and answers for node N: whether it goes and what replaces it, or what keeps it, in the "
         "words of Karpenter's events, and what the round would save more if that was removed: "
         "an annotation, PodDisruptionBudgets, budgets of the NodePool, a policy, a wait. The "
         "round is then planned again without it, so another hurdle may show behind the first. "
         "`nodepool/P` asks what a NodePool may buy, rule by rule, and what this plan buys of it. "
         "`binpack --explain POD` is the same. `-o json` prints the answers for programs."},
    [CLI_COMPARE] =
        {CLI_COMPARE, "compare", "[-f FILE]... --with SCENARIO...",
         "plan the same pods under other circumstances, and price rules",
         "Plans as `simulate` does, then again for each `--with SCENARIO`, and prints what each "
         "would cost, side by side with its lower bound: another scheduler (emulated, and labelled "
         "so), no spot, fewer instance families, without a family of rules. `binpack help "
         "scenarios` lists them; without `--with` it compares with `karpenter` and `on-demand`. "
         "`--price-constraints` says what each family of rules in the input costs, as an interval "
         "that is proven."},
    [CLI_DIFF] =
        {CLI_DIFF, "diff", "OLD NEW [-f FILE]...", "say what differs between two plans or inputs",
         "OLD and NEW are plans that `-o json` printed, or inputs (files or directories) that are "
         "planned first; what `-f` names belongs to both inputs. Prints the kinds of nodes that "
         "are added (`+`), removed (`-`) or differ in number or price (`~`), which pods are new or "
         "gone, which have won or lost their place, and what that does to the bill. `--exit-code` "
         "exits 7 when there is a difference."},
    [CLI_VERIFY] = {CLI_VERIFY, "verify", "PLAN [-f FILE]...",
                    "check a plan, and its certificate, against a cluster",
                    "Reads a plan that `-o json` or `-o yaml` printed and replays it against the "
                    "objects it was made from, pod by "
                    "pod, with the placement rules of Kubernetes, the NodePools and the prices of "
                    "the catalogue. With "
                    "`--certificate` it also proves the lower bound again from the certificate, "
                    "without the solver. Give the "
                    "same inputs and settings that the plan was made with. Exit status 0 says that "
                    "all holds; 1 names what "
                    "does not."},
    [CLI_VALIDATE] = {CLI_VALIDATE, "validate", "[-f FILE]...",
                      "check NodePools and other objects as an API server would",
                      "Checks objects of Karpenter's kinds (NodePool, NodeClaim, NodeOverlay, "
                      "CapacityBuffer, EC2NodeClass) against "
                      "the rules of their CRDs, and all others that the planner reads for what it "
                      "could not make sense of. Prints a "
                      "line for each fault with file, line, object and field; one that an API "
                      "server would let pass says so. Exit status 1 when "
                      "there is one. `-o json` prints "
                      "them for programs."},
    [CLI_CATALOG] =
        {CLI_CATALOG, "catalog", "list|show TYPE|verify|refresh",
         "look into the catalogue of instance types and prices, or make your own",
         "`catalog list` prints every instance type, `catalog show TYPE` one with its labels, "
         "resources and prices, "
         "`catalog verify` checks the catalogue for values that cannot be right. Without "
         "`--catalog` the one built "
         "into the program is meant. `-o json` prints it in the format that `--catalog` reads. "
         "`catalog refresh` asks AWS for the types, zones and prices of your region and prints "
         "them in that format: `binpack catalog refresh --region eu-west-1 -o "
         "json=eu-west-1.json`. Credentials are found as the AWS tools find them; reading needs "
         "ec2:DescribeInstanceTypes, ec2:DescribeInstanceTypeOfferings, "
         "ec2:DescribeAvailabilityZones, ec2:DescribeSpotPriceHistory and pricing:GetProducts."},
    [CLI_NODECLASS] =
        {CLI_NODECLASS, "nodeclass", "show|userdata [NAME] [-f FILE]...",
         "see what an EC2NodeClass comes to, before a node is launched with it",
         "`nodeclass show` prints the hash by which its nodes drift, the questions that its "
         "selectors put to AWS, what the object's status says they came to, and the launch "
         "template of a node. With `--resolve` AWS is asked: subnets, security groups, images, "
         "reservations, placement group and instance profile, with the conditions that the "
         "provisioner would set; that only reads, and credentials are found as the AWS tools find "
         "them. `nodeclass userdata` prints the user data: the class's own, merged as its AMI "
         "family has it, with the settings of the kubelet, and the labels and taints of a "
         "NodePool. NAME may be left out when the input has one EC2NodeClass. What the input "
         "cannot say (the cluster's name, address, certificate, range of Services) comes from "
         "the `--cluster-*` options; what is left open is assumed, and said on standard error."},
    [CLI_COMPLETION] =
        {CLI_COMPLETION, "completion", "bash|zsh|fish", "print completion for a shell",
         "For bash: `source <(binpack completion bash)`. For zsh: `binpack completion zsh > "
         "\"${fpath[1]}/_binpack\"`. For fish: `binpack completion fish | source`. The scripts "
         "complete "
         "commands, options and their values, and the names of pods, nodes, NodePools, "
         "workloads, namespaces and zones in the files that the line gives with `-f`; they ask "
         "`binpack completion KIND PREFIX -f FILE`, which prints one word a line and may be of "
         "use to other programs: KIND is subjects (what `explain` takes), nodes, namespaces, "
         "workloads, zones, types, scenarios or breakdowns."},
    [CLI_HELP] = {CLI_HELP, "help", "[TOPIC]", "explain a command or a topic",
                  "Without a topic it lists them."},
    [CLI_VERSION] = {CLI_VERSION, "version", "",
                     "print the version and the date of the built-in prices", ""},
};

const struct option_row option_rows[] = {
    {"filename", 'f', "FILE|DIR|-", OPTION_TEXTS, FIELD(files), .group = GROUP_INPUT,
     .commands = PLANS | VALIDATE | COMPLETION | NODECLASS, .hint = HINT_FILE,
     .help = "objects to read, as kubectl prints them; repeatable",
     .doc = "JSON or YAML, plain or gzip: single objects, lists, several documents, one object a "
            "line, watch events. A directory "
            "is read with all its files. `-` is standard input. Files may also be given without "
            "`-f`."},
    {"catalog", 0, "FILE", OPTION_TEXTS, FIELD(catalogs), .group = GROUP_INPUT,
     .commands = PLANS | CATALOG | COMPLETION | NODECLASS, .hint = HINT_FILE,
     .fallback = "built in", .help = "instance types, zones and prices; repeatable",
     .doc = "The program's own format, Karpenter's KWOK instance_types.json, or what `aws ec2 "
            "describe-instance-types`, "
            "`describe-instance-type-offerings`, `describe-spot-price-history`, "
            "`describe-availability-zones` and `aws pricing "
            "get-products` print; several files complete each other."},
    {"live", 0, NULL, OPTION_FLAG, FIELD(live), .group = GROUP_INPUT, .commands = ASKS,
     .help = "plan for the running cluster instead of files",
     .doc = "Reads the cluster that kubectl would talk to; nothing in it is changed."},
    {"watch", 0, NULL, OPTION_FLAG, FIELD(watch), .group = GROUP_INPUT, .commands = RECORD,
     .help = "record what changes, too, until an interrupt or --time-limit",
     .doc =
         "Writes watch events: every object as ADDED, then every change and every deletion, those "
         "included that happened while the connection was lost. `simulate` reads the end of it as "
         "the state of the cluster."},
    {"kubeconfig", 0, "FILE", OPTION_TEXT, FIELD(kubeconfig), .group = GROUP_INPUT,
     .commands = ASKS | RECORD, .hint = HINT_FILE, .fallback = "as kubectl",
     .help = "with --live and record: how to reach the cluster",
     .doc =
         "Otherwise `$KUBECONFIG` (a list of files), `~/.kube/config`, or the service account of "
         "the pod that the program runs in."},
    {"context", 0, "NAME", OPTION_TEXT, FIELD(context), .group = GROUP_INPUT,
     .commands = ASKS | RECORD, .fallback = "current-context",
     .help = "with --live and record: the context of the kubeconfig to use"},
    {"region", 0, "REGION", OPTION_TEXT, FIELD(region), .group = GROUP_INPUT,
     .commands = CATALOG | NODECLASS, .fallback = "as the AWS tools",
     .help = "refresh, --resolve: the region of AWS that is asked",
     .doc = "Otherwise `$AWS_REGION`, `$AWS_DEFAULT_REGION`, or the region of the profile."},
    {"profile", 0, "NAME", OPTION_TEXT, FIELD(profile), .group = GROUP_INPUT,
     .commands = CATALOG | NODECLASS, .fallback = "as the AWS tools",
     .help = "refresh, --resolve: the profile of ~/.aws whose keys are used",
     .doc = "Without it: keys in the environment, a web identity (IAM roles for service "
            "accounts), `$AWS_PROFILE` or the default profile, the container agent (EKS Pod "
            "Identity), instance metadata; the first that is configured."},
    {"resolve", 0, NULL, OPTION_FLAG, FIELD(resolve), .group = GROUP_INPUT, .commands = NODECLASS,
     .help = "show: ask AWS what the selectors come to",
     .doc = "Needs ec2:DescribeSubnets, ec2:DescribeSecurityGroups, ec2:DescribeImages and "
            "ssm:GetParameter, and, where the class has a selector for them, "
            "ec2:DescribeCapacityReservations, ec2:DescribePlacementGroups and "
            "iam:GetInstanceProfile: deploy/iam/binpack-nodeclass.json."},
    {"kubernetes-version", 0, "X.Y", OPTION_TEXT, FIELD(kubernetes_version), .group = GROUP_INPUT,
     .commands = NODECLASS, .fallback = "1.34",
     .help = "show: the version whose images an alias stands for"},
    {"nodepool", 0, "NAME", OPTION_TEXT, FIELD(nodepool), .group = GROUP_INPUT,
     .commands = NODECLASS, .fallback = "the first that uses the class",
     .help = "the NodePool whose labels and taints the node gets"},
    {"instance-type", 0, "TYPE", OPTION_TEXT, FIELD(instance_type), .group = GROUP_INPUT,
     .commands = NODECLASS, .fallback = "m5.large", .help = "the instance type of the node",
     .doc = "How many pods it has room for is written into the user data."},
    {"capacity-type", 0, "TYPE", OPTION_CHOICE, FIELD(capacity_type),
     .choices = capacity_type_choices, .fallback = "on-demand", .group = GROUP_INPUT,
     .commands = NODECLASS, .help = "how the node is bought"},
    {"cluster-name", 0, "NAME", OPTION_TEXT, FIELD(cluster_name), .group = GROUP_INPUT,
     .commands = NODECLASS, .fallback = "example", .help = "the cluster that the node joins"},
    {"cluster-endpoint", 0, "URL", OPTION_TEXT, FIELD(cluster_endpoint), .group = GROUP_INPUT,
     .commands = NODECLASS, .fallback = "https://example.eks.invalid",
     .help = "the address of its API server"},
    {"cluster-ca-bundle", 0, "BASE64", OPTION_TEXT, FIELD(cluster_ca), .group = GROUP_INPUT,
     .commands = NODECLASS, .fallback = "left out", .help = "its certificate authority"},
    {"cluster-cidr", 0, "CIDR", OPTION_TEXT, FIELD(cluster_cidr), .group = GROUP_INPUT,
     .commands = NODECLASS, .fallback = "10.100.0.0/16", .help = "the range of its Services"},
    {"cluster-dns", 0, "ADDRESS", OPTION_TEXT, FIELD(cluster_dns), .group = GROUP_INPUT,
     .commands = NODECLASS, .fallback = "10.100.0.10", .help = "the address of its DNS",
     .doc = "An address of IPv6 makes it an IPv6 cluster."},
    {"expand", 0, "WHEN", OPTION_CHOICE, FIELD(expand), .choices = expand_choices,
     .fallback = "auto", .group = GROUP_INPUT, .commands = PLANS,
     .help = "make the pods of workloads that have none",
     .doc = "A Deployment, StatefulSet, ReplicaSet, Job or CronJob without a Pod in the input "
            "stands for its replicas, so "
            "that plain manifests can be planned. `never` turns that off."},
    {"namespace", 'n', "NAME", OPTION_TEXT, FIELD(namespace_name), .group = GROUP_INPUT,
     .commands = PLANS, .hint = HINT_NAMESPACES,
     .help = "place only the pending pods of this namespace",
     .doc = "A namespace that the input does not have is an error. Other pods that wait for a "
            "place are left out; pods that run keep their room."},
    {"namespace", 'n', "NAME", OPTION_TEXT, FIELD(namespace_name), .group = GROUP_INPUT,
     .commands = RECORD, .help = "record only this namespace, and what is in none"},
    {"selector", 'l', "LABELS", OPTION_TEXT, FIELD(selector), .group = GROUP_INPUT,
     .commands = PLANS, .help = "place only pending pods with these labels",
     .doc = "As in kubectl: `app=web,tier!=cache`, `env in (a,b)`, `gpu`, `!gpu`."},

    {"explain", 0, "POD", OPTION_TEXTS, FIELD(explain), .hint = HINT_SUBJECTS, .group = GROUP_PLAN,
     .commands = SIMULATE | EXPLAIN,
     .help = "say where this pod goes and why, instead of the plan; repeatable",
     .doc = "`NAMESPACE/NAME`, a name that only one pod has, or `node/NAME`. The same as "
            "`binpack explain POD`."},
    {"with", 0, "SCENARIO", OPTION_TEXTS, FIELD(with), .hint = HINT_SCENARIOS, .group = GROUP_PLAN,
     .commands = COMPARE, .fallback = "karpenter, on-demand",
     .help = "what to compare with; repeatable",
     .doc = "`on-demand`, `no-arm64`, `families<=2`, `zones=us-east-1a,us-east-1b`, `no-spread`, "
            "`nodepools=FILE`, `karpenter` and others: see `binpack help scenarios`."},
    {"price-constraints", 0, NULL, OPTION_FLAG, FIELD(price_constraints), .group = GROUP_PLAN,
     .commands = COMPARE, .help = "what each family of rules costs",
     .doc =
         "Plans the pods that have a place again without one family of rules after the other. "
         "The price is the difference of the cheapest plans; each is known within its gap, so it "
         "is an interval: at least the bound with the rules less the cost without them, at most "
         "the cost with them less the bound without. Prices of several families do not add up; "
         "the last line takes all of them out at once."},
    {"mode", 0, "MODE", OPTION_CHOICE, FIELD(mode), .choices = mode_choices, .fallback = "auto",
     .group = GROUP_PLAN, .commands = PLANS, .help = "what to plan",
     .doc = "`provision` places pods that need a node, on running nodes first. `disrupt` decides "
            "which "
            "nodes to delete or replace at this moment, and what that saves. `repack` asks what "
            "the best cluster for all "
            "pods would cost: every pod goes on a new node. `auto` is provision when the input has "
            "Nodes, else repack."},
    {"now", 0, "TIME", OPTION_TIME, FIELD(now), .fallback = "the newest time in the input",
     .group = GROUP_PLAN, .commands = PLANS, .help = "the clock of the run, RFC 3339",
     .doc = "A recording gives the same answer every day because its own newest timestamp is its "
            "clock."},
    {"preference-policy", 0, "POLICY", OPTION_CHOICE, FIELD(preference_policy),
     .choices = preference_choices, .fallback = "Respect", .group = GROUP_PLAN, .commands = PLANS,
     .help = "preferred affinity and soft spread of pods",
     .doc = "`Respect` treats preferences as rules and relaxes them only where a pod has no other "
            "place; `Ignore` drops them."},
    {"min-values-policy", 0, "POLICY", OPTION_CHOICE, FIELD(min_values_policy),
     .choices = min_values_choices, .fallback = "Strict", .group = GROUP_PLAN, .commands = PLANS,
     .help = "minValues of NodePools"},
    {"feature-gates", 0, "NAME=BOOL,...", OPTION_GATES, FIELD(gates), .choices = feature_gate_names,
     .group = GROUP_PLAN, .commands = PLANS,
     .help = "switch features on or off, with the service's names",
     .doc = "ReservedCapacity, NodeOverlay and CapacityBuffer are on, SpotToSpotConsolidation and "
            "StaticCapacity are off. "
            "Names that the program does not know are ignored with a warning."},
    {"remove-node", 0, "NAME", OPTION_TEXTS, FIELD(remove_nodes), .hint = HINT_NODES,
     .group = GROUP_WHATIF, .commands = PLANS, .help = "what if this node were gone; repeatable",
     .doc =
         "Its pods wait for another place; those of DaemonSets, static and finished ones go with "
         "it. Changes of this group are made to the input before anything is planned: `-o "
         "snapshot` shows it as it is then, and the plan names them among its assumptions."},
    {"zone-down", 0, "ZONE", OPTION_TEXTS, FIELD(zones_down), .hint = HINT_ZONES,
     .group = GROUP_WHATIF, .commands = PLANS, .help = "what if this zone were down; repeatable",
     .doc = "Nothing is bought there, and its nodes are gone as with `--remove-node`. A name or an "
            "id, such as us-east-1a or use1-az1."},
    {"scale", 0, "NS/NAME=N", OPTION_TEXTS, FIELD(scale), .hint = HINT_WORKLOADS,
     .group = GROUP_WHATIF, .commands = PLANS,
     .help = "what if this workload had N pods; repeatable",
     .doc = "A Deployment, StatefulSet, ReplicaSet, ReplicationController or Job; where several "
            "have the name, write KIND/NAMESPACE/NAME=N. More pods look like the newest one and "
            "wait for a place; fewer go in the order in which Kubernetes takes them."},
    {"deny-type", 0, "TYPE", OPTION_TEXTS, FIELD(deny_types), .hint = HINT_TYPES,
     .group = GROUP_WHATIF, .commands = PLANS,
     .help = "what if this instance type were not bought; repeatable",
     .doc = "`*` stands for any text: `--deny-type='t3.*'`. Running nodes of it stay."},
    {"no-spot", 0, NULL, OPTION_FLAG, FIELD(no_spot), .group = GROUP_WHATIF, .commands = PLANS,
     .help = "what if no spot node were bought"},
    {"unavailable", 0, "TYPE:ZONE:CT", OPTION_TEXTS, FIELD(unavailable), .hint = HINT_TYPES,
     .group = GROUP_WHATIF, .commands = PLANS,
     .help = "what if EC2 had none of these left; repeatable",
     .doc = "Instance type, zone and capacity type (spot, on-demand, reserved), each of which may "
            "have `*`: `--unavailable='c7g.*:us-east-1a:spot'`."},
    {"price-adjust", 0, "WHICH: PCT", OPTION_TEXTS, FIELD(price_adjust), .group = GROUP_WHATIF,
     .commands = PLANS, .help = "what if these prices changed; repeatable",
     .doc = "A label selector as in kubectl over labels of instance types and a percentage, for "
            "discounts and Savings Plans: `--price-adjust='family in (m7g,c7g): -28%'`, `*: -10%`, "
            "`capacity-type=spot,zone=us-east-1a: +40%`. Short names: family, category, "
            "generation, size, type, arch, zone, capacity-type. NodeOverlays come after it."},
    {"node-surcharge", 0, "USD", OPTION_TEXTS, FIELD(node_surcharge), .group = GROUP_WHATIF,
     .commands = PLANS, .help = "what if every node cost so much more an hour",
     .doc = "For licences and agents that are paid per node."},
    {"reasons", 0, "NAME,...", OPTION_SET, FIELD(reasons), .choices = reason_choices,
     .fallback = "all", .group = GROUP_DISRUPTION, .commands = PLANS,
     .help = "why nodes may go: Empty, Drifted, Underutilized, Expired"},
    {"max-disruptions", 0, "N", OPTION_NUMBER, FIELD(max_disruptions), .min = 0, .max = 1000000,
     .fallback = "what budgets allow", .group = GROUP_DISRUPTION, .commands = PLANS,
     .help = "disrupt at most this many nodes",
     .doc = "Expired nodes go in any case and do not count."},
    {"max-moved-pods", 0, "N", OPTION_NUMBER, FIELD(max_moved_pods), .min = 0, .max = 10000000,
     .fallback = "no limit", .group = GROUP_DISRUPTION, .commands = PLANS,
     .help = "move at most this many pods", .doc = "Pods of expired nodes do not count."},
    {"move-cost", 0, "USD", OPTION_USD, FIELD(move_cost_micro), .fallback = "0.001",
     .group = GROUP_DISRUPTION, .commands = PLANS,
     .help = "what moving one pod costs, once, in US dollars",
     .doc = "Consolidation moves a pod only for savings that pay for the move within `--payback`."},
    {"payback", 0, "DURATION", OPTION_DURATION, FIELD(payback), .fallback = "24h",
     .group = GROUP_DISRUPTION, .commands = PLANS,
     .help = "time in which a move must have paid for itself"},
    {"detect-drift", 0, NULL, OPTION_FLAG, FIELD(detect_drift), .group = GROUP_DISRUPTION,
     .commands = PLANS, .help = "find drift in hashes, requirements and status",
     .doc = "Without it a node has drifted when its NodeClaim says so in the condition Drifted."},
    {"respect-safe-to-evict", 0, NULL, OPTION_FLAG, FIELD(respect_safe_to_evict),
     .group = GROUP_DISRUPTION, .commands = PLANS,
     .help = "obey the Cluster Autoscaler's annotation on pods",
     .doc = "`cluster-autoscaler.kubernetes.io/safe-to-evict: \"false\"` then protects a pod like "
            "`karpenter.sh/do-not-disrupt`."},
    {"vm-memory-overhead-percent", 0, "FRACTION", OPTION_FRACTION, FIELD(vm_memory_overhead_ppm),
     .fallback = "0.075", .group = GROUP_PLAN, .commands = PLANS,
     .help = "memory that the hypervisor keeps, as a fraction"},
    {"reserved-enis", 0, "N", OPTION_NUMBER, FIELD(reserved_enis), .min = 0, .max = 100,
     .fallback = "0", .group = GROUP_PLAN, .commands = PLANS,
     .help = "network interfaces per node that pods may not use"},
    {"default-spread", 0, "KEY:SKEW:WHEN,...", OPTION_TEXT, FIELD(default_spread),
     .group = GROUP_PLAN, .commands = PLANS,
     .help = "topology spread that the scheduler gives to pods without their own",
     .doc = "`podTopologySpread.defaultConstraints` of the cluster's scheduler, for example "
            "`topology.kubernetes.io/zone:1:DoNotSchedule`; the last part may be "
            "`ScheduleAnyway`. A pod is counted with the pods that its Services and its workload "
            "select; without any of them it gets no constraint."},

    {"algorithm", 0, "NAME", OPTION_CHOICE, FIELD(algorithm), .choices = algorithm_choices,
     .fallback = "colgen", .group = GROUP_SOLVER, .commands = PLANS,
     .help = "column generation, or a greedy to compare with",
     .doc = "`ffd` is the first plan alone, made in milliseconds. `karpenter` imitates the greedy "
            "scheduler of Karpenter v1.14 on the same input; the result says everywhere that it is "
            "emulated. `cluster-autoscaler` imitates the scale-up of the Cluster Autoscaler, as "
            "`binpack help scenarios` describes. The bound is proven as for any other plan, so it "
            "also says how far the "
            "imitated plan is from the cheapest. With `--mode=disrupt` `karpenter` imitates "
            "Karpenter's "
            "disruption: empty nodes, drifted ones, the longest prefix of nodes that one new node "
            "replaces, then single nodes, repeated until nothing changes. It is given all the time "
            "it needs, and every command is carried out before the next is looked for; budgets, "
            "`--max-disruptions` and `--max-moved-pods` hold over the whole round, and a pod that "
            "moves twice counts twice."},
    {"effort", 0, "1..5", OPTION_NUMBER, FIELD(effort), .min = 1, .max = 5, .fallback = "3",
     .group = GROUP_SOLVER, .commands = PLANS, .help = "how much work to spend; 5 is for proofs",
     .doc =
         "Questions (`explain`, `compare`, `diff`) about more than 20,000 pods, plan by plan, are "
         "answered with effort 1, and say so."},
    {"gap", 0, "PCT", OPTION_PERCENT, FIELD(gap), TO_100, .fallback = "0.01%",
     .group = GROUP_SOLVER, .commands = PLANS,
     .help = "stop when the plan is proven this close to the cheapest"},
    {"time-limit", 0, "DURATION", OPTION_DURATION, FIELD(time_limit), .group = GROUP_SOLVER,
     .commands = ASKS,
     .help = "stop after this time, reading and writing included, with the best plan so far",
     .doc = "`500ms`, `10s`, `1m30s`. Effort is counted in work, not in time, so without this "
            "option the same input gives the same "
            "bytes on every machine; a limit that cuts the search short gives that up, and the "
            "plan's status is then `stopped`."},
    {"time-limit", 0, "DURATION", OPTION_DURATION, FIELD(time_limit), .group = GROUP_INPUT,
     .commands = RECORD, .help = "with --watch: stop after this time"},
    {"threads", 0, "N", OPTION_NUMBER, FIELD(threads), .min = 1, .max = 64,
     .fallback = "processors, at most 8", .group = GROUP_SOLVER, .commands = ASKS,
     .help = "threads of the solver; they do not change the result"},
    {"seed", 0, "N", OPTION_NUMBER, FIELD(seed), .min = 0, .max = INT64_MAX, .fallback = "0",
     .group = GROUP_SOLVER, .commands = PLANS, .help = "of the solver's random choices"},
    {"min-pools", 0, "N", OPTION_NUMBER, FIELD(min_pools), .min = 0, .max = 10000, .fallback = "0",
     .group = GROUP_SOLVER, .commands = PLANS,
     .help = "new spot nodes use at least so many pools (instance type and zone)",
     .doc = "When the plan has fewer spot nodes than that, each is in a pool of its own."},
    {"max-per-pool", 0, "PCT", OPTION_PERCENT, FIELD(max_per_pool), .min = 1, TO_100,
     .group = GROUP_SOLVER, .commands = PLANS,
     .help = "at most this share of the new spot nodes in one pool",
     .doc = "One node may always be alone in its pool."},
    {"spot-max", 0, "PCT", OPTION_PERCENT, FIELD(spot_max), TO_100, .group = GROUP_SOLVER,
     .commands = PLANS, .help = "at most this share of the new nodes' vCPU on spot",
     .doc = "The plan says what the spread costs. Its bound is that of plans without it."},
    {"options-within", 0, "PCT", OPTION_PERCENT, FIELD(options_within), .fallback = "10%",
     .group = GROUP_SOLVER, .commands = PLANS,
     .help = "list other types for a node up to this much dearer",
     .doc = "Types that could hold the same pods go into instanceTypeOptions, so that a launch can "
            "fall back on them."},

    {"output", 'o', "FORMAT[=FILE]", OPTION_OUTPUTS, FIELD(outputs), .choices = output_format_names,
     .fallback = "table", .group = GROUP_OUTPUT, .commands = ASKS | VALIDATE | CATALOG | NODECLASS,
     .help = "what to print, and where; repeatable",
     .doc = "`-o table -o json=plan.json` prints the table and writes the plan. `wide` names every "
            "node and pod, `csv` has a row per "
            "node, `nodeclaims` prints the NodeClaims that would be created, `markdown` is made "
            "for a comment on a pull "
            "request, `snapshot` prints the objects as the planner sees them, defaults and made "
            "pods included. Only plans take all of these; other commands take `table`, `json` and "
            "`yaml`, and `compare` and `diff` also `markdown`."},
    {"output", 'o', "FILE", OPTION_TEXT, FIELD(record_file), .group = GROUP_OUTPUT,
     .commands = RECORD, .hint = HINT_FILE, .fallback = "standard output, unless a terminal",
     .help = "where to write the recording; .gz at the end packs it, - is standard output"},
    {"by", 0, "WHAT", OPTION_TEXT, FIELD(by), .hint = HINT_BREAKDOWNS, .group = GROUP_OUTPUT,
     .commands = SIMULATE, .help = "share the cost out: pool, zone, namespace or label:KEY",
     .doc = "In the tables, in place of the mix of nodes. Among namespaces and labels "
            "(`label:team`) a node is shared out by what its pods request, CPU and memory weighed "
            "9:1 per vCPU and GiB; what is idle and what DaemonSets take is shared likewise. The "
            "rows add up to the cost of the plan; a node with pods of several rows counts under "
            "NODES in each of them."},
    {"columns", 0, "TITLE,...", OPTION_LIST, FIELD(columns), .group = GROUP_OUTPUT,
     .commands = ASKS | CATALOG, .help = "columns of tables to show, by their titles",
     .doc = "In that order, whatever the case: `--columns=type,nodes,$/mo`."},
    {"sort-by", 0, "TITLE", OPTION_TEXT, FIELD(sort_by), .group = GROUP_OUTPUT,
     .commands = ASKS | CATALOG, .help = "sort tables by this column",
     .doc =
         "Numbers largest first, texts in order; `--sort-by=-TITLE` the other way round. Rows of "
         "sums keep their places."},
    {"no-headers", 0, NULL, OPTION_FLAG, FIELD(no_headers), .group = GROUP_OUTPUT,
     .commands = ASKS | CATALOG, .help = "tables without their first line"},
    {"certificate", 0, "FILE", OPTION_TEXT, FIELD(certificate), .group = GROUP_OUTPUT,
     .commands = SIMULATE | EXPLAIN | VERIFY, .hint = HINT_FILE,
     .help = "write (verify: read) the proof of the lower bound",
     .doc = "The format is in docs/plan.md; a short script can check it without this program."},
    {"timings", 0, NULL, OPTION_FLAG, FIELD(timings), .group = GROUP_OUTPUT, .commands = ASKS,
     .help = "print time and memory of each phase, and cost and bound over work"},
    {"color", 0, "WHEN", OPTION_CHOICE, FIELD(color), .choices = when_choices, .fallback = "auto",
     .group = GROUP_OUTPUT, .commands = ASKS | VALIDATE | CATALOG | NODECLASS,
     .help = "colour; auto is on a terminal without NO_COLOR"},
    {"progress", 0, "WHEN", OPTION_CHOICE, FIELD(progress), .choices = when_choices,
     .fallback = "auto", .group = GROUP_OUTPUT, .commands = ASKS | RECORD | CATALOG | NODECLASS,
     .help = "a line of progress on stderr; auto is on a terminal"},
    {"quiet", 'q', NULL, OPTION_FLAG, FIELD(quiet), .group = GROUP_OUTPUT,
     .commands = PLANS | RECORD | CATALOG | NODECLASS, .help = "nothing on stderr but errors"},
    {"verbose", 'v', NULL, OPTION_FLAG, FIELD(verbose), .group = GROUP_OUTPUT,
     .commands = PLANS | RECORD | CATALOG, .help = "every warning, not only the first 20"},

    {"strict", 0, NULL, OPTION_FLAG, FIELD(strict), .group = GROUP_GATES, .commands = SIMULATE,
     .help = "exit 4 when the input is incomplete",
     .doc = "Incomplete means that an object was refused, or that something the plan depends on "
            "had to be assumed: the NodePool, a "
            "volume or a node class that is not in the input."},
    {"fail-if", 0, "CONDITION", OPTION_TEXTS, FIELD(fail_if), .group = GROUP_GATES,
     .commands = SIMULATE, .help = "exit 6 when this holds of the plan; repeatable",
     .doc = "A quantity, a comparison and a number: `usd_per_month > 900`, `unplaced > 0`, `gap >= "
            "2%`. "
            "Quantities: usd_per_hour, usd_per_month, on_demand_usd_per_hour, "
            "existing_usd_per_hour, lower_bound_usd_per_hour, gap, new_nodes, spot_nodes, "
            "unplaced_pods. Of several conditions each is looked at."},
    {"require-gap", 0, "PCT", OPTION_PERCENT, FIELD(require_gap), TO_100, .group = GROUP_GATES,
     .commands = SIMULATE, .help = "exit 5 unless the plan is proven this close to the cheapest"},

    {"exit-code", 0, NULL, OPTION_FLAG, FIELD(exit_code), .group = GROUP_GATES,
     .commands = COMPARE | DIFF, .help = "exit 7 when there are differences"},

    {"simulate", 0, NULL, OPTION_COMMAND, .min = CLI_SIMULATE, .group = GROUP_GENERAL,
     .commands = EVERYWHERE, .help = "the same as the command simulate"},
    {"help", 'h', NULL, OPTION_FLAG, FIELD(help), .group = GROUP_GENERAL, .commands = EVERYWHERE,
     .help = "print help"},
    {"version", 0, NULL, OPTION_FLAG, FIELD(version), .group = GROUP_GENERAL,
     .commands = EVERYWHERE, .help = "print the version"},
};
const size_t n_option_rows = sizeof(option_rows) / sizeof(option_rows[0]);
