/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/lifecycle/fleet_error.h"

#include <string.h>

const struct fleet_error_row fleet_error_rows[] = {
    {"AuthFailure.ServiceLinkedRoleCreationNotPermitted", "", FLEET_NO_ROLE,
     "SpotSLRCreationFailed"},
    {"UnauthorizedOperation", "Not authorized for images", FLEET_FAILED, "AMIAuthorizationFailure"},
    {"AuthFailure*", "Not authorized for images", FLEET_FAILED, "AMIAuthorizationFailure"},
    {"UnauthorizedOperation", "", FLEET_FAILED, "Unauthorized"},
    {"AccessDenied*", "", FLEET_FAILED, "Unauthorized"},
    {"AuthFailure*", "", FLEET_FAILED, "Unauthorized"},
    {"InvalidParameter*", "belong to different networks", FLEET_FAILED,
     "SecurityGroupSubnetVPCMismatch"},
    {"*", "iamInstanceProfile.name is invalid", FLEET_FAILED, "InstanceProfileNameInvalid"},
    {"InvalidLaunchTemplateName.NotFoundException", "", FLEET_NO_TEMPLATE, "LaunchFailed"},
    {"InvalidLaunchTemplateId.NotFound", "", FLEET_NO_TEMPLATE, "LaunchTemplateNotFound"},
    {"*", "User data is limited to", FLEET_FAILED, "UserDataSizeLimitExceeded"},
    {"InvalidAMIID.Malformed", "", FLEET_FAILED, "InvalidAMIID"},
    {"InvalidAMIID.NotFound", "", FLEET_FAILED, "AMINotFound"},
    {"RequestLimitExceeded", "", FLEET_FAILED, "RequestLimitExceeded"},
    {"InternalError", "", FLEET_FAILED, "InternalError"},
    {"*", "not eligible for Free Tier", FLEET_FAILED, "FreeTierIneligible"},
    {"MaxFleetCountExceeded", "", FLEET_NO_CAPACITY, "FleetQuotaExceeded"},
    {"PendingVerification", "", FLEET_FAILED, "AccountPendingVerification"},
    {"MaxSpotInstanceCountExceeded", "", FLEET_QUOTA, "SpotQuotaExceeded"},
    {"VcpuLimitExceeded", "", FLEET_QUOTA, "VCPULimitExceeded"},
    {"InsufficientFreeAddressesInSubnet", "", FLEET_NO_ADDRESSES,
     "InsufficientFreeAddressesInSubnet"},
    {"InsufficientInstanceCapacity", "", FLEET_NO_CAPACITY, "LaunchFailed"},
    {"UnfulfillableCapacity", "", FLEET_NO_CAPACITY, "LaunchFailed"},
    {"Unsupported", "", FLEET_NO_CAPACITY, "LaunchFailed"},
    {"ReservationCapacityExceeded", "", FLEET_NO_CAPACITY, "LaunchFailed"},
};

const uint32_t fleet_error_n_rows = sizeof fleet_error_rows / sizeof fleet_error_rows[0];

static bool is_code(struct str code, const char *row)
{
    const size_t n = strlen(row);
    const bool open = row[n - 1] == '*';
    const struct str name = {.p = row, .n = open ? n - 1 : n};
    return open ? str_starts(code, name) : str_eq(code, name);
}

uint32_t fleet_error_find(struct str code, struct str message)
{
    uint32_t i = 0;
    while (i < fleet_error_n_rows && !(is_code(code, fleet_error_rows[i].code) &&
                                       str_has(message, str_of(fleet_error_rows[i].message)))) {
        i++;
    }
    return i;
}

struct fleet_error fleet_error_of(struct str code, struct str message)
{
    const uint32_t i = fleet_error_find(code, message);
    if (i == fleet_error_n_rows) {
        return (struct fleet_error){.effect = FLEET_FAILED, .reason = STR("LaunchFailed")};
    }
    return (struct fleet_error){.effect = fleet_error_rows[i].effect,
                                .reason = str_of(fleet_error_rows[i].reason)};
}

bool fleet_effect_is_capacity(enum fleet_effect effect)
{
    return effect == FLEET_NO_CAPACITY || effect == FLEET_NO_ADDRESSES || effect == FLEET_QUOTA ||
           effect == FLEET_NO_ROLE;
}
