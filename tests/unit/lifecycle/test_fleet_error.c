/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Codes and reasons of karpenter-aws v1.14, pkg/errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "provisioner/lifecycle/fleet_error.h"

static const struct {
    const char *code, *message, *reason;
    enum fleet_effect effect;
} rows[] = {
    {"InsufficientInstanceCapacity", "x", "LaunchFailed", FLEET_NO_CAPACITY},
    {"UnfulfillableCapacity", "x", "LaunchFailed", FLEET_NO_CAPACITY},
    {"Unsupported", "x", "LaunchFailed", FLEET_NO_CAPACITY},
    {"ReservationCapacityExceeded", "x", "LaunchFailed", FLEET_NO_CAPACITY},
    {"MaxFleetCountExceeded", "x", "FleetQuotaExceeded", FLEET_NO_CAPACITY},
    {"MaxSpotInstanceCountExceeded", "x", "SpotQuotaExceeded", FLEET_QUOTA},
    {"VcpuLimitExceeded", "x", "VCPULimitExceeded", FLEET_QUOTA},
    {"InsufficientFreeAddressesInSubnet", "x", "InsufficientFreeAddressesInSubnet",
     FLEET_NO_ADDRESSES},
    {"AuthFailure.ServiceLinkedRoleCreationNotPermitted", "x", "SpotSLRCreationFailed",
     FLEET_NO_ROLE},
    {"InvalidLaunchTemplateName.NotFoundException", "x", "LaunchFailed", FLEET_NO_TEMPLATE},
    {"InvalidLaunchTemplateId.NotFound", "x", "LaunchTemplateNotFound", FLEET_NO_TEMPLATE},
    {"UnauthorizedOperation",
     "You are not authorized to perform this operation. x with an explicit "
     "deny in a permissions boundary",
     "Unauthorized", FLEET_FAILED},
    {"UnauthorizedOperation", "x with an explicit deny in a service control policy", "Unauthorized",
     FLEET_FAILED},
    {"UnauthorizedOperation", "", "Unauthorized", FLEET_FAILED},
    {"AuthFailure", "Not authorized for images: [ami-1]", "AMIAuthorizationFailure", FLEET_FAILED},
    {"UnauthorizedOperation", "Not authorized for images: [ami-1]", "AMIAuthorizationFailure",
     FLEET_FAILED},
    {"AuthFailure", "", "Unauthorized", FLEET_FAILED},
    {"AccessDeniedException", "x", "Unauthorized", FLEET_FAILED},
    {"InvalidParameter", "Security group sg-1 and subnet subnet-1 belong to different networks.",
     "SecurityGroupSubnetVPCMismatch", FLEET_FAILED},
    {"InvalidParameter", "x", "LaunchFailed", FLEET_FAILED},
    {"InvalidParameterValue",
     "Value (x) for parameter iamInstanceProfile.name is invalid. Invalid "
     "IAM Instance Profile name",
     "InstanceProfileNameInvalid", FLEET_FAILED},
    {"InvalidUserData.Malformed", "User data is limited to 16384 bytes",
     "UserDataSizeLimitExceeded", FLEET_FAILED},
    {"InvalidAMIID.Malformed", "x", "InvalidAMIID", FLEET_FAILED},
    {"InvalidAMIID.NotFound", "x", "AMINotFound", FLEET_FAILED},
    {"RequestLimitExceeded", "x", "RequestLimitExceeded", FLEET_FAILED},
    {"InternalError", "x", "InternalError", FLEET_FAILED},
    {"InvalidParameterCombination", "The specified instance type is not eligible for Free Tier.",
     "FreeTierIneligible", FLEET_FAILED},
    {"PendingVerification", "x", "AccountPendingVerification", FLEET_FAILED},
    {"SomethingNew", "x", "LaunchFailed", FLEET_FAILED},
    {"", "", "LaunchFailed", FLEET_FAILED},
};

static void each_code_has_its_effect_and_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct fleet_error got =
            fleet_error_of(str_of(rows[i].code), str_of(rows[i].message));
        if (got.effect != rows[i].effect || !str_eq(got.reason, str_of(rows[i].reason))) {
            fail_msg("%s (%s): %d " STR_FMT ", not %d %s", rows[i].code, rows[i].message,
                     (int)got.effect, STR_ARG(got.reason), (int)rows[i].effect, rows[i].reason);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_code_has_its_effect_and_reason)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
