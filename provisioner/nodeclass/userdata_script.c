/* SPDX-License-Identifier: GPL-3.0-or-later */
/* User data that is a script which passes flags to the kubelet: AL2 and Windows. */
#include "base/arena.h"
#include "provisioner/nodeclass/mime.h"
#include "provisioner/nodeclass/userdata_parts.h"

/* ---- flags of the kubelet ---- */

static void put_map(struct strbuf *out, const char *flag, const struct nodeclass_pairs *pairs,
                    const char *between)
{
    for (uint32_t i = 0; i < pairs->n; i++) {
        if (i == 0) {
            strbuf_addf(out, " --%s=\"", flag);
        }
        strbuf_addf(out, "%s" STR_FMT "%s" STR_FMT, i > 0 ? "," : "", STR_ARG(pairs->v[i].key),
                    between, STR_ARG(pairs->v[i].value));
    }
    strbuf_add(out, pairs->n > 0 ? STR("\"") : STR_EMPTY);
}

static void put_number(struct strbuf *out, const char *flag, struct opt_i64 number)
{
    if (number.has) {
        strbuf_addf(out, " --%s=%lld", flag, (long long)number.v);
    }
}

/* As kubectl and the kubelet write a taint: key=value:Effect, or key:Effect without a value. */
static void put_taints(struct strbuf *out, const struct userdata_facts *facts)
{
    strbuf_add(out, STR("--register-with-taints=\""));
    for (uint32_t i = 0; i < facts->n_taints; i++) {
        const struct userdata_taint *taint = &facts->taints[i];
        strbuf_addf(out, "%s" STR_FMT "%s" STR_FMT ":" STR_FMT, i > 0 ? "," : "",
                    STR_ARG(taint->key), taint->value.n > 0 ? "=" : "", STR_ARG(taint->value),
                    STR_ARG(taint->effect));
    }
    strbuf_addc(out, '"');
}

static void put_flags(struct strbuf *out, const struct userdata_facts *facts)
{
    const struct userdata_kubelet *k = &facts->kubelet;
    userdata_put_labels(facts, out);
    strbuf_add(out, facts->labels.n > 0 ? STR(" ") : STR_EMPTY);
    put_taints(out, facts);
    put_number(out, "max-pods", (struct opt_i64){.has = true, .v = k->max_pods});
    put_number(out, "pods-per-core", k->pods_per_core);
    put_map(out, "system-reserved", &k->system_reserved, "=");
    put_map(out, "kube-reserved", &k->kube_reserved, "=");
    put_map(out, "eviction-hard", &k->eviction_hard, "<");
    put_map(out, "eviction-soft", &k->eviction_soft, "<");
    put_map(out, "eviction-soft-grace-period", &k->eviction_soft_grace_period, "=");
    put_number(out, "eviction-max-pod-grace-period", k->eviction_max_pod_grace_period);
    put_number(out, "image-gc-high-threshold", k->image_gc_high);
    put_number(out, "image-gc-low-threshold", k->image_gc_low);
    if (k->cpu_cfs_quota.has) {
        strbuf_addf(out, " --cpu-cfs-quota=%s", k->cpu_cfs_quota.v ? "true" : "false");
    }
}

/* ---- AL2 ---- */

/* bootstrap.sh takes its arguments without an equal sign. */
static struct str al2_script(const struct userdata_facts *facts, struct arena *arena)
{
    const struct userdata_kubelet *k = &facts->kubelet;
    struct strbuf out = strbuf_new(arena, 512 * 1024);
    strbuf_add(&out, STR("#!/bin/bash -xe\n"
                         "exec > >(tee /var/log/user-data.log|logger -t user-data -s "
                         "2>/dev/console) 2>&1\n"));
    strbuf_addf(&out, "/etc/eks/bootstrap.sh '" STR_FMT "' --apiserver-endpoint '" STR_FMT "'",
                STR_ARG(facts->cluster.name), STR_ARG(facts->cluster.endpoint));
    if (facts->cluster.ca.n > 0) {
        strbuf_add(&out, STR(" --b64-cluster-ca '"));
        strbuf_add(&out, facts->cluster.ca);
        strbuf_addc(&out, '\'');
    }
    if (userdata_is_ipv6(k->dns_ip)) {
        strbuf_add(&out, STR(" \\\n--ip-family ipv6"));
    }
    if (k->dns_ip.n > 0) {
        strbuf_addf(&out, " \\\n--dns-cluster-ip '" STR_FMT "'", STR_ARG(k->dns_ip));
    }
    strbuf_add(&out, STR(" \\\n--use-max-pods false \\\n--kubelet-extra-args '"));
    put_flags(&out, facts);
    strbuf_addc(&out, '\'');
    if (facts->raid0) {
        strbuf_add(&out, STR(" \\\n--local-disks raid0"));
    }
    return strbuf_str(&out);
}

bool userdata_al2(const struct userdata_facts *facts, struct arena *arena, struct strbuf *out,
                  struct err *err)
{
    static const struct str shell = STR("Content-Type: text/x-shellscript; charset=\"us-ascii\"\n");
    struct str custom = facts->class->user_data;
    const struct mime_part *given = NULL;
    uint32_t n = 0;
    struct mime_part one = {.headers = shell, .body = custom};
    if (mime_is_archive(custom)) {
        if (!mime_read(str_trim(custom), arena, &given, &n, err)) {
            return err_wrap(err, "spec.userData");
        }
    } else if (custom.n > 0) {
        given = &one;
        n = 1;
    }
    struct mime_part *parts = ARENA_ARRAY(arena, struct mime_part, (size_t)n + 1);
    for (uint32_t i = 0; i < n; i++) {
        parts[i] = given[i];
    }
    parts[n] = (struct mime_part){.headers = shell, .body = al2_script(facts, arena)};
    return mime_write(parts, n + 1, out, err) || err_wrap(err, "spec.userData");
}

/* ---- Windows ---- */

bool userdata_windows(const struct userdata_facts *facts, struct arena *arena, struct strbuf *out,
                      struct err *err)
{
    (void)arena;
    (void)err;
    strbuf_add(out, STR("<powershell>\n"));
    if (facts->class->user_data.n > 0) {
        strbuf_add(out, facts->class->user_data);
        strbuf_addc(out, '\n');
    }
    strbuf_add(out, STR("[string]$EKSBootstrapScriptFile = "
                        "\"$env:ProgramFiles\\Amazon\\EKS\\Start-EKSBootstrap.ps1\"\n"));
    strbuf_addf(out,
                "& $EKSBootstrapScriptFile -EKSClusterName '" STR_FMT "' -APIServerEndpoint "
                "'" STR_FMT "'",
                STR_ARG(facts->cluster.name), STR_ARG(facts->cluster.endpoint));
    if (facts->cluster.ca.n > 0) {
        strbuf_add(out, STR(" -Base64ClusterCA '"));
        strbuf_add(out, facts->cluster.ca);
        strbuf_addc(out, '\'');
    }
    strbuf_add(out, STR(" -KubeletExtraArgs '"));
    put_flags(out, facts);
    strbuf_addc(out, '\'');
    if (facts->kubelet.dns_ip.n > 0) {
        strbuf_addf(out, " -DNSClusterIP '" STR_FMT "'", STR_ARG(facts->kubelet.dns_ip));
    }
    strbuf_add(out, STR("\n</powershell>"));
    return true;
}
