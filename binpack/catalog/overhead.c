/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/catalog/overhead.h"

#include "base/units.h"

int64_t cat_memory_capacity(int64_t memory_bytes, int arm64, int64_t overhead_ppm)
{
    int64_t mib = memory_bytes / CAT_MIB;
    if (arm64) {
        mib = sat_sub(mib, 64); /* held back by the kernel's crash dump and firmware on Graviton */
    }
    if (mib <= 0) {
        return 0;
    }
    mib = sat_sub(mib, muldiv_ceil(mib, overhead_ppm, 1000000));
    return mib <= 0 ? 0 : sat_mul(mib, CAT_MIB);
}

int64_t cat_eni_pods(int64_t enis, int64_t ipv4_per_eni, int64_t reserved_enis)
{
    int64_t usable = sat_sub(enis, reserved_enis);
    if (usable <= 0 || ipv4_per_eni <= 0) {
        return 0;
    }
    return sat_add(sat_mul(usable, ipv4_per_eni - 1), 2);
}

int64_t cat_kube_reserved_cpu(int64_t vcpu)
{
    static const struct {
        int64_t from, to, per_10000;
    } bands[] = {{0, 1000, 600}, {1000, 2000, 100}, {2000, 4000, 50}, {4000, INT64_MAX, 25}};
    int64_t milli = sat_mul(vcpu, 1000);
    int64_t sum = 0;
    for (unsigned i = 0; i < sizeof bands / sizeof *bands && milli > bands[i].from; i++) {
        int64_t upper = milli < bands[i].to ? milli : bands[i].to;
        sum = sat_add(sum, muldiv_floor(upper - bands[i].from, bands[i].per_10000, 10000));
    }
    return sum;
}

int64_t cat_kube_reserved_memory(int64_t pods)
{
    return sat_mul(sat_add(sat_mul(pods, 11), 255), CAT_MIB);
}
