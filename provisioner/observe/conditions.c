/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/observe/conditions.h"

#include "base/number.h"
#include "base/strtab.h"
#include "k8s/cluster.h"
#include "provisioner/observe/cluster.h"
#include "provisioner/observe/metrics.h"

enum family { COUNT, SECONDS, GOING, N_FAMILIES };

#define OBJECT "`group`, `kind`, `namespace`, `name`"
static const struct {
    const char *name, *help, *labels;
} families[N_FAMILIES] = {
    [COUNT] = {"operator_status_condition_count",
               "1 for each condition of a NodePool, NodeClaim or EC2NodeClass.",
               OBJECT ", `type`, `status`, `reason`"},
    [SECONDS] = {"operator_status_condition_current_status_seconds",
                 "How long the condition has had its status.",
                 OBJECT ", `type`, `status`, `reason`"},
    [GOING] = {"operator_termination_current_time_seconds",
               "How long an object has been going since it was deleted.", OBJECT},
};

struct out {
    const struct k8s_cluster *cluster;
    wall_t now;
    struct strbuf *b;
    enum family family;
};

/* What an object is and what it says. */
struct subject {
    const char *group, *kind;
    const struct k8s_meta *meta;
    const struct k8s_conditions *conditions;
};

static void put_label(const struct out *o, const char *name, struct str value)
{
    strbuf_addf(o->b, ",%s=\"", name);
    metrics_put_label_value(o->b, value);
    strbuf_addc(o->b, '"');
}

static void begin_line(const struct out *o, const struct subject *subject)
{
    strbuf_addf(o->b, "%s{group=\"%s\"", families[o->family].name, subject->group);
    put_label(o, "kind", str_of(subject->kind));
    put_label(o, "namespace", STR_EMPTY);
    put_label(o, "name", subject->meta->name);
}

static void end_line(const struct out *o, int64_t value, int n_decimals)
{
    char buffer[NUMBER_TEXT_MAX];
    strbuf_add(o->b, STR("} "));
    strbuf_add(o->b, number_format_decimal(value, n_decimals, buffer));
    strbuf_addc(o->b, '\n');
}

static int64_t since(const struct out *o, wall_t then)
{
    const int64_t ms = sat_sub(o->now, then);
    return ms > 0 ? ms : 0;
}

static void put(const struct out *o, const struct subject *subject)
{
    const struct strtab *tab = o->cluster->tab;
    if (o->family == GOING && subject->meta->deleted.has) {
        begin_line(o, subject);
        end_line(o, since(o, subject->meta->deleted.v), 3);
    }
    for (uint32_t i = 0; o->family != GOING && i < subject->conditions->n; i++) {
        const struct k8s_condition *c = &subject->conditions->v[i];
        if (o->family == SECONDS && !c->changed.has) {
            continue;
        }
        begin_line(o, subject);
        put_label(o, "type", strtab_str(tab, c->type));
        put_label(o, "status", strtab_str(tab, c->status));
        put_label(o, "reason", strtab_str(tab, c->reason));
        if (o->family == COUNT) {
            end_line(o, 1, 0);
        } else {
            end_line(o, since(o, c->changed.v), 3);
        }
    }
}

static void put_all(const struct out *o)
{
    const struct k8s_cluster *c = o->cluster;
    for (uint32_t i = 0; i < c->n_nodepools; i++) {
        put(o, &(struct subject){"karpenter.sh", "NodePool", &c->nodepools[i].meta,
                                 &c->nodepools[i].conditions});
    }
    for (uint32_t i = 0; i < c->n_nodeclasses; i++) {
        put(o, &(struct subject){"karpenter.k8s.aws", "EC2NodeClass", &c->nodeclasses[i].meta,
                                 &c->nodeclasses[i].conditions});
    }
    for (uint32_t i = 0; c->n_nodeclaims <= CLUSTER_METRICS_NODES_MAX && i < c->n_nodeclaims; i++) {
        put(o, &(struct subject){"karpenter.sh", "NodeClaim", &c->nodeclaims[i].meta,
                                 &c->nodeclaims[i].conditions});
    }
}

void conditions_text(const struct k8s_cluster *cluster, wall_t now, struct strbuf *b)
{
    struct out o = {.cluster = cluster, .now = now, .b = b};
    for (o.family = COUNT; o.family < N_FAMILIES; o.family++) {
        strbuf_addf(b, "# HELP %s %s\n# TYPE %s gauge\n", families[o.family].name,
                    families[o.family].help, families[o.family].name);
        put_all(&o);
    }
}

void conditions_markdown(struct strbuf *b)
{
    for (int i = 0; i < N_FAMILIES; i++) {
        strbuf_addf(b, "| `%s` | gauge | %s | %s |\n", families[i].name, families[i].labels,
                    families[i].help);
    }
}
