/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names, variables, defaults and meanings of Karpenter v1.14:
 * https://karpenter.sh/docs/reference/settings/ */
#include "provisioner/service/settings.h"

#define FIELD(f) .offset = offsetof(struct settings, f)
#define DAY_MS   (INT64_C(24) * 3600 * 1000)

static const char *const level_choices[] = {"debug", "info", "error", NULL};
static const char *const preference_choices[] = {"Respect", "Ignore", NULL};
static const char *const min_values_choices[] = {"Strict", "BestEffort", NULL};
const char *const setting_modes[] = {"full", "observe", "prepare", NULL};
static const char *const algorithm_choices[] = {"colgen", "ffd", NULL};
static const char *const gate_choices[N_SETTING_GATES + 1] = {
    "NodeRepair",  "ReservedCapacity", "SpotToSpotConsolidation",
    "NodeOverlay", "StaticCapacity",   "CapacityBuffer",
    NULL};
static const char *const aws_gate_choices[N_SETTING_AWS_GATES + 1] = {"NodeClassCEL", NULL};

const char *const setting_group_titles[N_SETTING_GROUPS] = {"Karpenter", "Karpenter on AWS",
                                                            "Of this program"};

const struct setting_row setting_rows[] = {
    /* ---- core ---- */
    {"karpenter-service", "KARPENTER_SERVICE", "NAME", SETTING_TEXT, FIELD(karpenter_service),
     .fallback = "", .group = GROUP_CORE, .effect = EFFECT_NONE,
     .help = "name of the Service in front of the program",
     .doc = "Was for conversion webhooks, of which there are none any more."},
    {"metrics-port", "METRICS_PORT", "PORT", SETTING_NUMBER, FIELD(metrics_port), .min = 0,
     .max = 65535, .fallback = "8080", .group = GROUP_CORE,
     .help = "port of /metrics and /debug; 0: none"},
    {"health-probe-port", "HEALTH_PROBE_PORT", "PORT", SETTING_NUMBER, FIELD(health_probe_port),
     .min = 0, .max = 65535, .fallback = "8081", .group = GROUP_CORE,
     .help = "port of /healthz and /readyz; 0: none",
     .doc = "May be the port of the metrics; then there is one server for all."},
    {"kube-client-qps", "KUBE_CLIENT_QPS", "N", SETTING_NUMBER, FIELD(kube_client_qps), .min = 1,
     .max = 100000, .fallback = "200", .group = GROUP_CORE,
     .help = "requests to the API server, a second"},
    {"kube-client-burst", "KUBE_CLIENT_BURST", "N", SETTING_NUMBER, FIELD(kube_client_burst),
     .min = 1, .max = 100000, .fallback = "300", .group = GROUP_CORE,
     .help = "requests to the API server at once"},
    {"enable-profiling", "ENABLE_PROFILING", NULL, SETTING_FLAG, FIELD(enable_profiling),
     .fallback = "false", .group = GROUP_CORE, .effect = EFFECT_NONE,
     .help = "serve profiles of the Go runtime",
     .doc = "There is no Go runtime here; `perf` works on the program as it is."},
    {"disable-controller-warmup", "DISABLE_CONTROLLER_WARMUP", NULL, SETTING_FLAG,
     FIELD(disable_controller_warmup), .fallback = "true", .group = GROUP_CORE,
     .effect = EFFECT_NONE, .help = "start controllers only once the program leads",
     .doc = "There is one state for all controllers, which follows the cluster from the start."},
    {"disable-leader-election", "DISABLE_LEADER_ELECTION", NULL, SETTING_FLAG,
     FIELD(disable_leader_election), .fallback = "false", .group = GROUP_CORE,
     .effect = EFFECT_PREPARE, .help = "act without holding the Lease",
     .doc = "--mode=observe never takes one."},
    {"disable-cluster-state-observability", "DISABLE_CLUSTER_STATE_OBSERVABILITY", NULL,
     SETTING_FLAG, FIELD(disable_cluster_state_observability), .fallback = "false",
     .group = GROUP_CORE, .help = "leave out the metrics of single nodes and pods"},
    {"leader-election-name", "LEADER_ELECTION_NAME", "NAME", SETTING_TEXT,
     FIELD(leader_election_name), .fallback = "karpenter-leader-election", .group = GROUP_CORE,
     .effect = EFFECT_PREPARE, .help = "name of the Lease"},
    {"leader-election-namespace", "LEADER_ELECTION_NAMESPACE", "NAMESPACE", SETTING_TEXT,
     FIELD(leader_election_namespace), .fallback = "", .group = GROUP_CORE,
     .effect = EFFECT_PREPARE, .help = "namespace of the Lease; empty: that of the pod"},
    {"memory-limit", "MEMORY_LIMIT", "BYTES", SETTING_NUMBER, FIELD(memory_limit), .min = -1,
     .max = INT64_MAX, .fallback = "-1", .group = GROUP_CORE, .effect = EFFECT_NONE,
     .help = "memory of the container, for the garbage collector",
     .doc = "There is no garbage collector here."},
    {"cpu-requests", "CPU_REQUESTS", "MILLICORES", SETTING_NUMBER, FIELD(cpu_requests), .min = 1,
     .max = 1000000, .fallback = "1000", .group = GROUP_CORE, .effect = EFFECT_NONE,
     .help = "CPU of the container, for the number of concurrent reconciles",
     .doc = "There are none: one loop owns the state. --threads says how many threads solve."},
    {"log-level", "LOG_LEVEL", "LEVEL", SETTING_CHOICE, FIELD(log_level), .choices = level_choices,
     .fallback = "info", .group = GROUP_CORE, .help = "what is logged: debug, info or error"},
    {"log-output-paths", "LOG_OUTPUT_PATHS", "PATHS", SETTING_TEXT, FIELD(log_output_paths),
     .fallback = "stdout", .group = GROUP_CORE,
     .help = "where the log goes: stdout, stderr or files, separated by commas"},
    {"log-error-output-paths", "LOG_ERROR_OUTPUT_PATHS", "PATHS", SETTING_TEXT,
     FIELD(log_error_output_paths), .fallback = "stderr", .group = GROUP_CORE,
     .help = "where it is said that the log cannot be written"},
    {"batch-max-duration", "BATCH_MAX_DURATION", "DURATION", SETTING_DURATION, FIELD(batch_max_ms),
     .min = 1, .max = DAY_MS, .fallback = "10s", .group = GROUP_CORE,
     .help = "how long at most waiting pods are gathered before a plan is made"},
    {"batch-idle-duration", "BATCH_IDLE_DURATION", "DURATION", SETTING_DURATION,
     FIELD(batch_idle_ms), .min = 1, .max = DAY_MS, .fallback = "1s", .group = GROUP_CORE,
     .help = "a plan is made when no pod has come for so long"},
    {"preference-policy", "PREFERENCE_POLICY", "POLICY", SETTING_CHOICE, FIELD(preference_policy),
     .choices = preference_choices, .fallback = "Respect", .group = GROUP_CORE,
     .help = "whether preferences of pods count: Respect or Ignore"},
    {"min-values-policy", "MIN_VALUES_POLICY", "POLICY", SETTING_CHOICE, FIELD(min_values_policy),
     .choices = min_values_choices, .fallback = "Strict", .group = GROUP_CORE,
     .help = "whether minValues of NodePools are kept: Strict or BestEffort"},
    {"ignore-dra-requests", "IGNORE_DRA_REQUESTS", NULL, SETTING_FLAG, FIELD(ignore_dra_requests),
     .fallback = "true", .group = GROUP_CORE, .help = "do not plan for pods with resourceClaims"},
    {"feature-gates", "FEATURE_GATES", "GATES", SETTING_GATES, FIELD(gates),
     .choices = gate_choices,
     .fallback = "NodeRepair=false,ReservedCapacity=true,SpotToSpotConsolidation=false,"
                 "NodeOverlay=false,StaticCapacity=false,CapacityBuffer=false",
     .group = GROUP_CORE, .help = "NAME=true or NAME=false, separated by commas",
     .doc = "Those that are not named keep their default; unknown ones are ignored, with a line in "
            "the log."},
    {"scheduler-config", "SCHEDULER_CONFIG", "YAML", SETTING_TEXT, FIELD(scheduler_config),
     .fallback = "", .group = GROUP_CORE,
     .help = "default topology spread constraints of the scheduler",
     .doc = "YAML: `podTopologySpread: {defaultConstraints: [{maxSkew: 1, topologyKey: "
            "topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway}]}`, for pods that "
            "declare none, as in the configuration of kube-scheduler. Anything else in it is an "
            "error at the start."},
    {NULL, "SYSTEM_NAMESPACE", "NAMESPACE", SETTING_TEXT, FIELD(system_namespace), .fallback = "",
     .group = GROUP_CORE, .effect = EFFECT_PREPARE, .help = "namespace of the pod"},
    {NULL, "KUBERNETES_MIN_VERSION", "VERSION", SETTING_TEXT, FIELD(kubernetes_min_version),
     .fallback = "", .group = GROUP_CORE, .effect = EFFECT_NONE,
     .help = "oldest version of Kubernetes that is accepted",
     .doc = "What the API server has is seen when its kinds are listed."},
    /* ---- AWS ---- */
    {"cluster-name", "CLUSTER_NAME", "NAME", SETTING_TEXT, FIELD(cluster_name), .fallback = "",
     .group = GROUP_AWS, .effect = EFFECT_PREPARE, .help = "name of the EKS cluster",
     .doc = "Required by both: what is made in AWS is tagged with it."},
    {"cluster-endpoint", "CLUSTER_ENDPOINT", "URL", SETTING_TEXT, FIELD(cluster_endpoint),
     .fallback = "", .group = GROUP_AWS, .effect = EFFECT_PREPARE,
     .help = "address of the API server for new nodes; empty: EKS is asked",
     .doc =
         "Dry runs, which launch nothing, are then told the address that the program uses itself."},
    {"cluster-ca-bundle", "CLUSTER_CA_BUNDLE", "BASE64", SETTING_TEXT, FIELD(cluster_ca_bundle),
     .fallback = "", .group = GROUP_AWS, .effect = EFFECT_PREPARE,
     .help = "certificate authority of the API server for new nodes"},
    {"isolated-vpc", "ISOLATED_VPC", NULL, SETTING_FLAG, FIELD(isolated_vpc), .fallback = "false",
     .group = GROUP_AWS, .effect = EFFECT_PREPARE,
     .help = "no price list is asked: the VPC has no way to it"},
    {"eks-control-plane", "EKS_CONTROL_PLANE", NULL, SETTING_FLAG, FIELD(eks_control_plane),
     .fallback = "false", .group = GROUP_AWS, .effect = EFFECT_LATER,
     .help = "the cluster runs on EKS; its version is asked there"},
    {"vm-memory-overhead-percent", "VM_MEMORY_OVERHEAD_PERCENT", "FRACTION", SETTING_FRACTION,
     FIELD(vm_memory_overhead_ppm), .fallback = "0.075", .group = GROUP_AWS,
     .help = "share of an instance's memory that its hypervisor keeps"},
    {"interruption-queue", "INTERRUPTION_QUEUE", "NAME", SETTING_TEXT, FIELD(interruption_queue),
     .fallback = "", .group = GROUP_AWS, .effect = EFFECT_LATER,
     .help = "SQS queue of interruptions; empty: none is read"},
    {"reserved-enis", "RESERVED_ENIS", "N", SETTING_NUMBER, FIELD(reserved_enis), .min = 0,
     .max = 100, .fallback = "0", .group = GROUP_AWS,
     .help = "network interfaces of each node that are not for pods"},
    {"disable-dry-run", "DISABLE_DRY_RUN", NULL, SETTING_FLAG, FIELD(disable_dry_run),
     .fallback = "false", .group = GROUP_AWS, .effect = EFFECT_PREPARE,
     .help = "do not validate node classes by dry runs of EC2"},
    {"enable-zonal-shift", "ENABLE_ZONAL_SHIFT", NULL, SETTING_FLAG, FIELD(enable_zonal_shift),
     .fallback = "false", .group = GROUP_AWS, .effect = EFFECT_LATER,
     .help = "launch nothing in zones that ARC has shifted away"},
    {"ami-refresh-interval", "AMI_REFRESH_INTERVAL", "DURATION", SETTING_DURATION,
     FIELD(ami_refresh_ms), .min = 60 * 1000, .max = DAY_MS, .fallback = "1m", .group = GROUP_AWS,
     .effect = EFFECT_PREPARE, .help = "how often images are looked for, at least 1m"},
    {"subnet-refresh-interval", "SUBNET_REFRESH_INTERVAL", "DURATION", SETTING_DURATION,
     FIELD(subnet_refresh_ms), .min = 60 * 1000, .max = DAY_MS, .fallback = "1m",
     .group = GROUP_AWS, .effect = EFFECT_PREPARE,
     .help = "how often subnets are looked for, at least 1m"},
    {"aws-feature-gates", "AWS_FEATURE_GATES", "GATES", SETTING_GATES, FIELD(aws_gates),
     .choices = aws_gate_choices, .fallback = "NodeClassCEL=false", .group = GROUP_AWS,
     .effect = EFFECT_LATER, .help = "NAME=true or NAME=false, separated by commas"},
    /* ---- ours ---- */
    {"mode", "BINPACK_MODE", "MODE", SETTING_CHOICE, FIELD(mode), .choices = setting_modes,
     .fallback = "full", .group = GROUP_BINPACK,
     .help = "full: buy nodes; observe: only plan; prepare: plan, and keep EC2NodeClasses",
     .doc = "`observe` follows the cluster, plans whenever pods become unschedulable, and exports "
            "what it would buy; it takes no Lease and writes nothing anywhere, so it can run next "
            "to Karpenter. `prepare` does the same, takes the Lease, and keeps every EC2NodeClass: "
            "finalizer, hash, instance profile, status, and what is removed with it. `full` does "
            "that too, buys nodes for the pods that wait, follows them until they are ready, and "
            "takes down those whose NodeClaim or Node is deleted; docs/full.md says what it does "
            "not do yet."},
    {"kubeconfig", "BINPACK_KUBECONFIG", "FILE", SETTING_TEXT, FIELD(kubeconfig), .fallback = "",
     .group = GROUP_BINPACK, .help = "how to reach the API server",
     .doc = "Without it: the files of $KUBECONFIG, ~/.kube/config, the service account of the "
            "pod."},
    {"context", "BINPACK_CONTEXT", "NAME", SETTING_TEXT, FIELD(context), .fallback = "",
     .group = GROUP_BINPACK, .help = "context of the kubeconfig; empty: its current one"},
    {"catalog", "BINPACK_CATALOG", "FILE", SETTING_TEXT, FIELD(catalog), .fallback = "",
     .group = GROUP_BINPACK, .help = "instance types, zones and prices; empty: those built in",
     .doc = "As `binpack --catalog`."},
    {"algorithm", "BINPACK_ALGORITHM", "NAME", SETTING_CHOICE, FIELD(algorithm),
     .choices = algorithm_choices, .fallback = "colgen", .group = GROUP_BINPACK,
     .help = "colgen: column generation; ffd: first fit decreasing"},
    {"gap", "BINPACK_GAP", "PCT", SETTING_PERCENT, FIELD(gap_ppm), .fallback = "0.01%",
     .group = GROUP_BINPACK,
     .help = "a plan is good enough when it is proven this close to the "
             "cheapest",
     .doc = "As `binpack --gap`: `0.5%` or `0.5`."},
    {"effort", "BINPACK_EFFORT", "N", SETTING_NUMBER, FIELD(effort), .min = 1, .max = 10,
     .fallback = "3", .group = GROUP_BINPACK, .help = "how much work a plan is worth"},
    {"time-limit", "BINPACK_TIME_LIMIT", "DURATION", SETTING_DURATION, FIELD(time_limit_ms),
     .min = 100, .max = DAY_MS, .fallback = "60s", .group = GROUP_BINPACK,
     .help = "a plan that is not ready by then is finished with what there is"},
    {"disruption-interval", "BINPACK_DISRUPTION_INTERVAL", "DURATION", SETTING_DURATION,
     FIELD(disruption_interval_ms), .min = 0, .max = DAY_MS, .fallback = "5m",
     .group = GROUP_BINPACK,
     .help = "how often it is planned which running nodes could go; 0s: never",
     .doc = "As `binpack --mode=disrupt`: empty, drifted, expired and underutilized nodes, within "
            "the budgets of their NodePools; /debug/disruption shows what that would save."},
    {"threads", "BINPACK_THREADS", "N", SETTING_NUMBER, FIELD(threads), .min = 0, .max = 64,
     .fallback = "0", .group = GROUP_BINPACK,
     .help = "threads that solve; 0: as many as there are processors, at most 8"},
    {"journal", "BINPACK_JOURNAL", "FILE", SETTING_TEXT, FIELD(journal), .fallback = "",
     .group = GROUP_BINPACK,
     .help = "write every event and what followed from it, for `provisioner replay`",
     .doc = "One JSON value a line, appended. Readable by its owner only: it holds the objects of "
            "the cluster, without environment variables and commands."},
    {"bind-address", "BINPACK_BIND_ADDRESS", "ADDRESS", SETTING_TEXT, FIELD(bind_address),
     .fallback = "", .group = GROUP_BINPACK,
     .help = "IPv4 or IPv6 address to serve on; empty: all"},
    {"debug-remote", "BINPACK_DEBUG_REMOTE", NULL, SETTING_FLAG, FIELD(debug_remote),
     .fallback = "false", .group = GROUP_BINPACK,
     .help = "answer /debug to others than the machine itself",
     .doc = "/debug/plan, /debug/explain?pod=NAMESPACE/NAME and /debug/state show names of pods "
            "and nodes. Without this setting they are for loopback addresses, which is what "
            "`kubectl port-forward` comes from."},
    {"seed", "BINPACK_SEED", "N", SETTING_NUMBER, FIELD(seed), .min = 0, .max = INT64_MAX,
     .fallback = "1", .group = GROUP_BINPACK, .help = "of the chance in --sandbox",
     .doc = "The same scenario and seed give the same world, event by event."},
    {"hours", "BINPACK_HOURS", "N", SETTING_NUMBER, FIELD(hours), .min = 0, .max = 8784,
     .fallback = "0", .group = GROUP_BINPACK,
     .help = "how long --sandbox runs, in its own time; 0: as its scenario says"},
    {"faults", "BINPACK_FAULTS", "N", SETTING_NUMBER, FIELD(faults), .min = 0, .max = 1000,
     .fallback = "0", .group = GROUP_BINPACK,
     .help = "of 1000 writes and calls in --sandbox, how many go wrong; 0: as its scenario says",
     .doc = "They fail, get lost, are done without an answer, or the program is killed before or "
            "after them; not in the last hour, in which everything must come to rest."},
    {"headless", "BINPACK_HEADLESS", NULL, SETTING_FLAG, FIELD(headless), .fallback = "false",
     .group = GROUP_BINPACK,
     .help = "print only the table of --sandbox, even where there is a terminal to watch it on",
     .doc = "On a terminal --sandbox shows the world as it goes: space pauses, s steps, + and - "
            "change the speed, q leaves."},
    {"runs", "BINPACK_RUNS", "N", SETTING_NUMBER, FIELD(runs), .min = 1, .max = 10000000,
     .fallback = "1", .group = GROUP_BINPACK,
     .help = "worlds of --sandbox: of --seed and the numbers after it",
     .doc = "With more than one, what came of all of them is printed, and of the first that breaks "
            "a promise the command that shows it again."},
};
const size_t n_setting_rows = sizeof setting_rows / sizeof setting_rows[0];
