/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "awsapi/skew.h"

#include "awsapi/timestamp.h"

wall_t aws_skew_now(const struct aws_skew *skew, wall_t local)
{
    return sat_add(local, skew->ahead_ms);
}

bool aws_skew_learn(struct aws_skew *skew, wall_t local, struct str date)
{
    wall_t server = 0;
    struct err ignored = {.code = ERR_NONE};
    if (!aws_time_parse(date, &server, &ignored)) {
        return false;
    }
    int64_t ahead_ms = sat_sub(server, local);
    int64_t change_ms = sat_sub(ahead_ms, skew->ahead_ms);
    if (change_ms < AWS_SKEW_LEAST_MS && change_ms > -AWS_SKEW_LEAST_MS) {
        return false;
    }
    skew->ahead_ms = ahead_ms;
    return true;
}
