/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What befalls outgoing writes and calls. */
#include "awsapi/service_ec2.h"
#include "provisioner/sandbox/world.h"

enum { RATE_MAX = 600 }; /* of 1000: something comes through */

enum sandbox_action fault_action(const struct action *action)
{
    if (action->type == ACTION_CALL) {
        return action->operation == &aws_ec2_create_launch_template ? SANDBOX_TEMPLATE
               : action->operation == &aws_ec2_create_fleet         ? SANDBOX_FLEET
               : action->operation == &aws_ec2_describe_instances   ? SANDBOX_DESCRIBE
                                                                    : SANDBOX_TERMINATE;
    }
    static const enum sandbox_action of[] = {[K8S_WRITE_CREATE] = SANDBOX_CREATE,
                                             [K8S_WRITE_MERGE_PATCH] = SANDBOX_PATCH,
                                             [K8S_WRITE_JSON_PATCH] = SANDBOX_PATCH,
                                             [K8S_WRITE_DELETE] = SANDBOX_DELETE,
                                             [K8S_WRITE_EVICT] = SANDBOX_EVICT};
    return of[action->write.verb];
}

/* What is done seldom goes wrong more often, so that every fault befalls every action. */
static const int64_t weights[] = {
    [SANDBOX_CREATE] = 6,    [SANDBOX_PATCH] = 1, [SANDBOX_DELETE] = 8,   [SANDBOX_EVICT] = 2,
    [SANDBOX_TEMPLATE] = 12, [SANDBOX_FLEET] = 4, [SANDBOX_DESCRIBE] = 2, [SANDBOX_TERMINATE] = 6};

enum sandbox_fault fault_choose(struct world *world, const struct action *action)
{
    const struct scenario *scenario = &world->scenario;
    enum sandbox_fault fault = SANDBOX_NO_FAULT;
    const int64_t rate = scenario->faults * weights[fault_action(action)];
    if (action->type == ACTION_WRITE && str_eq(str_of(action->write.kind->name), STR("Event"))) {
        return SANDBOX_NO_FAULT; /* nothing depends on them, and there are many */
    }
    if (world->now < scenario->faults_until &&
        (int64_t)rng_below(&world->rng, 1000) < (rate < RATE_MAX ? rate : RATE_MAX)) {
        fault = (enum sandbox_fault)(1 + rng_below(&world->rng, SANDBOX_N_FAULTS - 1));
    }
    world->report.faults[fault_action(action)][fault]++;
    return fault;
}
