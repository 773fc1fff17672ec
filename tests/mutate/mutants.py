# SPDX-License-Identifier: GPL-3.0-or-later
"""Small faults to plant in the source, one at a time: name, file, old text (in the file once), new text, and who should notice, tried in
that order. A killer is a test program below tests/ of the build tree with its arguments, `case:GROUP` (the neutral cases of a group, judged
beside the project) or `tests/....py` (a script that takes the program `binpack`)."""

S, P, C, K, V = "binpack/scheduling/", "binpack/plan/", "binpack/catalog/", "k8s/", "binpack/solver/"
L = "provisioner/lifecycle/"
TAINTS, REQS, PROBLEM = "unit/scheduling/test_sched_taints", "unit/scheduling/test_sched_reqs", "unit/scheduling/test_sched_problem"
SNAPSHOT, VOLUMES, DAEMONS = "unit/scheduling/test_sched_snapshot", "unit/scheduling/test_sched_volumes", "unit/scheduling/test_sched_daemons"
PREFS, RESOURCES, ELIGIBLE = "unit/scheduling/test_sched_prefs", "unit/scheduling/test_sched_resources", "unit/scheduling/test_sched_eligibility"
MAKE, ROOM, OVERLAYS = "unit/plan/test_plan_make", "unit/catalog/test_catalog_room", "unit/catalog/test_catalog_overlays"
WRITE, EVENTS, SCHEMA, LEASE = "unit/k8s/test_k8s_write", "unit/k8s/test_k8s_events", "unit/k8s/test_k8s_schema", "property/test_lease"
PODS, VALUES = "unit/k8s/test_k8s_pods", "unit/k8s/test_k8s_values"
VERIFY, SPREAD = "unit/solver/test_solver_verify", "unit/solver/test_solver_spread"
GROUPS = "property/test_groups 20 1"
CLUSTERS = "property/test_clusters 12 1"
WORLDS = "property/test_worlds 3 1"
COLLECTS = """!is_old(view, claim) ||
            is_listed(l, life_instance_id(claim->provider_id)) || node_is_ready(view, claim)) {
            life->n_missing = 0;
            continue;
        }
        life->n_missing++;
        if (life->n_missing < LISTS) {"""
PLANS = "tests/cli/mutants.py examples/shop"

MUTANTS = [
    # Taints.
    ("a dropped taint", S + "taints.c", "return &taints[i];", "continue;", [TAINTS, MAKE, "case:taints"]),
    ("PreferNoSchedule keeps out", S + "taints.c", "K8S_PREFER_NO_SCHEDULE && !prefer_counts", "K8S_PREFER_NO_SCHEDULE && false", [TAINTS]),
    ("startup taints count", S + "taints.c", "|| is_startup(starting, &taints[i])))", "|| false))", [TAINTS, "case:taints"]),
    ("a cordoned node is open", S + "taints.c", "if (!from_claim && node->unschedulable", "if (!from_claim && false", [TAINTS]),
    # Host ports.
    ("a host port of another protocol conflicts", S + "hostports.c", " && a->protocol == b->protocol &&", " &&", [TAINTS, "case:host-ports"]),
    ("host ports of one address only", S + "hostports.c", "unspecified(vocab, a->ip) ||", "", [TAINTS, PROBLEM]),
    ("two pods with one port share a node", S + "problem_rows.c", "b->rows.max_per_node[i] = 1;", "b->rows.max_per_node[i] = 2;", [PROBLEM, MAKE, "case:host-ports"]),
    # Requirements.
    ("NotIn read as In", S + "reqs.c", "    case K8S_NOT_IN:\n        req.complement = true;", "    case K8S_NOT_IN:", [REQS]),
    ("Gt read as Gte", S + "reqs.c", "requirement->op == K8S_GT ? bound + 1 : bound", "bound", [REQS, "case:requirements"]),
    ("Lt read as Lte", S + "reqs.c", "requirement->op == K8S_LT ? bound - 1 : bound", "bound", [REQS]),
    ("node affinity ignored", S + "masks.c", "sched_node_matches(s, &node->labels, need->n_alternatives, need->alternatives)", "true", [MAKE, "case:existing-nodes", CLUSTERS]),
    # Resources.
    ("init containers are summed", K + "pod_resources.c", "init = now > init ? now : init;", "init = sat_add(init, now);", [PODS, RESOURCES, "case:resources"]),
    ("sidecars forgotten in init", K + "pod_resources.c", "sidecars = now;", "", [PODS, RESOURCES, "case:resources"]),
    ("pod overhead forgotten", S + "resources.c", "total = sched_resources_sum(arena, total, overhead);", "(void)overhead;", [RESOURCES, "case:resources"]),
    ("daemon overhead ignored", S + "dims.c", "k8s_resources_get(&overhead->requests, dim->name);", "0;", [MAKE, "case:daemonsets", CLUSTERS]),
    ("requests of the template instead of the daemon pod", S + "daemons.c", "all[i].newest != NULL ? all[i].newest->shape : workload->template_shape", "workload->template_shape", [DAEMONS, "case:daemonsets"]),
    ("running pods take no room", S + "running.c", "take(room, n, &used);", "(void)used;", [SNAPSHOT, MAKE, "case:existing-nodes"]),
    ("pods of nodes that go stay", S + "protect.c", "return n > 1 || never;", "return never;", [ELIGIBLE, "case:existing-nodes"]),
    # Volumes.
    ("a forgotten volume zone", S + "volumes.c", "if (pv->n_terms > 0) {", "if (pv->n_terms > 99) {", [VOLUMES, "case:volumes"]),
    ("allowed topologies forgotten", S + "volumes.c", "if (storage_class->n_topologies > 0) {", "if (storage_class->n_topologies > 99) {", [VOLUMES, "case:volumes"]),
    ("attach limit of new nodes off by one", S + "dims.c", "return limits[i].count;", "return limits[i].count + 1;", ["case:volumes", CLUSTERS]),
    ("a shared claim ties no zone", S + "terms.c", "if (!need->claims[c].zonal) {", "if (need->claims[c].zonal) {", [CLUSTERS, "case:volumes"]),
    # Pools, offerings, prices.
    ("limits ignored", S + "problem_rows.c", "(struct bp_limit){.max = left->value, .use = use}", "(struct bp_limit){.max = INT64_MAX, .use = use}", [PROBLEM, MAKE, "case:nodepools"]),
    ("running nodes not charged to limits", S + "pools.c", "left[r].value = sat_sub(left[r].value, used);", "(void)used;", [SNAPSHOT, PROBLEM, "case:nodepools"]),
    ("weight order reversed", S + "pools.c", "x->pool->weight > y->pool->weight ? -1 : 1", "x->pool->weight > y->pool->weight ? 1 : -1", [SNAPSHOT, PROBLEM, "case:nodepools"]),
    ("a sold-out offering is bought", S + "offers.c", "if (!offering->available || !price.has", "if (!price.has", [PROBLEM, "case:capacity-type"]),
    ("zones without subnet are bought in", S + "offers.c", "((zones >> offering->zone_i) & 1U) == 0 ||", "", [MAKE, PROBLEM, "case:topology-spread", "case:volumes"]),
    ("one reservation too many", S + "problem_build.c", ".stock = counted  ? offer->reservation_count", ".stock = counted  ? offer->reservation_count + 1", [PROBLEM, MAKE, "case:capacity-type"]),
    ("minValues ignored", S + "problem_rows.c", "(uint32_t)pool->requirements[r].min_values.v,", "1,", [MAKE, "case:minvalues"]),
    ("the sign of an overlay's adjustment", C + "overlays.c", "sat_add(price.v, change)", "sat_sub(price.v, change)", [OVERLAYS, "case:overlays"]),
    ("the lightest overlay first", C + "overlays.c", "x->weight > y->weight ? -1 : 1", "x->weight > y->weight ? 1 : -1", [OVERLAYS, "case:overlays"]),
    ("reserved memory off by a pod", C + "overhead.c", "sat_add(sat_mul(pods, 11), 255)", "sat_add(sat_mul(pods - 1, 11), 255)", [ROOM]),
    ("memory kept back is rounded down", C + "overhead.c", "muldiv_ceil(mib, overhead_ppm, 1000000)", "muldiv_floor(mib, overhead_ppm, 1000000)", [ROOM, "unit/catalog/test_catalog_verify"]),
    # Rules between pods.
    ("an off-by-one spread over hosts", S + "topology.c", ".max = rule->max_skew, .necessary", ".max = rule->max_skew + 1, .necessary", [MAKE, "case:topology-spread", CLUSTERS]),
    ("an off-by-one spread over zones", S + "topology.c", ".max_skew = rule->max_skew,", ".max_skew = rule->max_skew + 1,", [MAKE, "case:topology-spread", CLUSTERS]),
    ("minDomains ignored", S + "topology.c", ".min_domains = rule->min_domains,", ".min_domains = 0,", [MAKE, "case:topology-spread", CLUSTERS]),
    ("running pods are not counted by spread", S + "topology.c", "of->base += rule->targets_at == NULL ? 0 : rule->targets_at[n];", "", ["case:topology-spread", CLUSTERS]),
    ("zones of running nodes are no domains", S + "topology.c", "            of->eligible = true;\n", "", ["case:topology-spread", CLUSTERS]),
    ("matchLabelKeys ignored", S + "terms.c", "if (value != STRID_NONE) {\n            extra[n++]", "if (value == STRID_NONE) {\n            extra[n++]", ["case:topology-spread", CLUSTERS]),
    ("other namespaces are looked into", S + "terms.c", "return in_namespace || (finder->ns_selector != NULL", "return true || (finder->ns_selector != NULL", [MAKE, "case:pod-affinity", CLUSTERS]),
    ("the verifier allows one more by spread", V + "verify_groups.c", "group->max_skew + t->min - t->count[v]", "group->max_skew + t->min - t->count[v] + 1", [VERIFY, GROUPS]),
    # Preferences.
    ("the lightest wish goes first", S + "prefs.c", ".term_i) < weight(shape, i); at--)", ".term_i) > weight(shape, i); at--)", [PREFS, "case:preferences"]),
    ("wishes are never given up", S + "prefs.c", "for (uint32_t i = dropped; i < ladder->n; i++) {", "for (uint32_t i = 0; i < ladder->n; i++) {", [PREFS, "case:preferences"]),
    # Numbers.
    ("a bound x 1.001", V + "verify_bound.c", "out.bound = bound < certificate->bound ? (usd_t)bound : certificate->bound;", "out.bound = (usd_t)(bound / 1000 * 1001);", [VERIFY, CLUSTERS]),
    ("the verifier believes any bound", V + "verify_bound.c", "if (bound < 0 || (bound > 0 &&", "if (bound < 0 || (false &&", [VERIFY, PLANS]),
    ("spread by rounding takes one more", V + "spread_place.c", "return (int64_t)group->max_skew + slack + t->min - t->count[v];", "return (int64_t)group->max_skew + slack + t->min - t->count[v] + 1;", [SPREAD, GROUPS]),
    # The checkers themselves.
    ("the checker forgets taints", P + "check_filters.c", "if (hard && !k8s_tolerates(", "if (false && !k8s_tolerates(", [PLANS, CLUSTERS]),
    ("verify believes what a plan says is requested", P + "check_figures.c", "same_amounts(world, p, \"requested\", &requested, &p->requested, err) &&", "", [PLANS]),
    ("verify believes what a plan says of its inputs", P + "stated.c", "return check_inputs(&root, read, made, err) &&", "return", [PLANS]),
    ("verify believes what today's nodes are said to cost", P + "stated.c", "same_usd(&totals, \"existingUsdPerHour\", read->running_cost, made->running_cost, err) &&", "", [PLANS]),
    ("verify believes any plan to be optimal", P + "stated.c", "plan_gap_ppb(read) > 1", "plan_gap_ppb(read) < 0", [PLANS]),
    ("the checker allows one more by spread", P + "check_topology.c", "<= least + (uint64_t)rule->spread->max_skew", "<= least + (uint64_t)rule->spread->max_skew + 1", [PLANS, CLUSTERS]),
    # Changes of the cluster.
    ("a renewal counts from far behind its request", K + "lease.c", "lease->held_from = lease->asked_at;", "lease->held_from = lease->asked_at + 7000;", [LEASE]),
    ("a jump of the wall clock is not noticed", K + "lease.c", "wall - lease->held_wall < deadline", "wall - lease->held_wall < 1000 * deadline", [LEASE]),
    ("a Lease is taken too early", K + "lease.c", "now - lease->seen_at >= lease->duration_ms", "now - lease->seen_at >= 9000", [LEASE]),
    ("a Lease is not looked at before it is given up", K + "lease.c", "!lease->has_held);", "true);", [LEASE]),
    ("a patch without its version", K + "write.c", "if (write->version.n > 0 && !locked(write, value)) {", "if (false && !locked(write, value)) {", [WRITE]),
    ("a deletion of any UID", K + "write.c", "jsonw_key_str(w, \"uid\", write->uid);", "", [WRITE]),
    ("a budget is a busy server", K + "write.c", "STR(\"DisruptionBudget\")", "STR(\"Budget\")", [WRITE]),
    ("a cut answer is a failure", K + "write.c", "unsent ? K8S_WRITE_FAILED : K8S_WRITE_UNKNOWN", "K8S_WRITE_FAILED", [WRITE]),
    ("Events without a window", K + "events.c", "now < window->until", "now > window->until", [EVENTS]),
    ("Events without a budget", K + "events.c", "if (spent + 1000 > BUDGET * 1000) {", "if (false) {", [EVENTS]),
    ("an Event that is gone stays counted", K + "events.c", "bool again = outcome ==", "bool again = false && outcome ==", [EVENTS]),
    ("nulls are members", K + "schema_rules.c", "if (value.v != NULL && !one(", "if (!one(", [SCHEMA]),
    # The engine, in worlds in which anything goes wrong.
    ("a NodeClaim without a finalizer is launched", L + "lifecycle.c", "} else if (!has_finalizer(view, &claim->meta)) {", "} else if (false) {", [WORLDS]),
    ("a launch without a token", L + "launch.c", "fleet->client_token = strbuf_str(&token);", "", [WORLDS]),
    ("a list after 410 loses what was deleted", K + "roster.c", "e->generation != roster->generation) {", "e->generation > roster->generation) {", [WORLDS]),
    ("a round begins while a NodeClaim is being written", "provisioner/engine/engine.c", "if (engine->creating.n > 0) {", "if (false) {", [WORLDS]),
    ("limits as they were when the plan began", "provisioner/provisioning/claims.c", ": fits_limits(&usage, pool, claim, before, n_before) ? CLAIM_GOOD", ": true ? CLAIM_GOOD", [WORLDS]),
    ("a NodeClaim that is written again does not look at limits", "provisioner/engine/full.c", "fits_still(engine, i, actions->arena)) {", "true) {", ["property/test_worlds 12 1"]),
    ("a NodeClaim that the watch does not show is bought again", "provisioner/engine/full.c", "if (creating->n_tries >= CREATE_TRIES) {", "if (creating->written || creating->n_tries >= CREATE_TRIES) {", ["unit/provisioner/test_provisioner_engine"]),
    ("a NodeClaim is collected without grace", L + "gc.c", COLLECTS, COLLECTS.replace("!is_old(view, claim) ||\n           ", "").replace("LISTS", "1"), [WORLDS]),
    ("another launch after a time-out", L + "fleet.c", "life->sure = false; /* looked for before the same is asked for again */", "life->used_up = true;", [WORLDS]),
    ("who refuses is not said", K + "schema.c", "walk->accepted_by_server = fits;", "", [SCHEMA]),
]
