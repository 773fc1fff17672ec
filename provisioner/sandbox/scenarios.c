/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scenarios that come with the program. */
#include "provisioner/sandbox/sandbox.h"

#define CLASS                                                                                      \
    "apiVersion: karpenter.k8s.aws/v1\n"                                                           \
    "kind: EC2NodeClass\n"                                                                         \
    "metadata: {name: default}\n"                                                                  \
    "spec:\n"                                                                                      \
    "  role: nodes\n"                                                                              \
    "  amiSelectorTerms: [{alias: al2023@latest}]\n"                                               \
    "  subnetSelectorTerms: [{tags: {cluster: sandbox}}]\n"                                        \
    "  securityGroupSelectorTerms: [{tags: {cluster: sandbox}}]\n"                                 \
    "status:\n"                                                                                    \
    "  subnets:\n"                                                                                 \
    "  - {id: subnet-a, zone: us-east-1a, zoneID: use1-az1}\n"                                     \
    "  - {id: subnet-b, zone: us-east-1b, zoneID: use1-az2}\n"                                     \
    "  - {id: subnet-c, zone: us-east-1c, zoneID: use1-az4}\n"                                     \
    "  securityGroups: [{id: sg-1, name: nodes}]\n"                                                \
    "  instanceProfile: nodes\n"                                                                   \
    "  amis:\n"                                                                                    \
    "  - id: ami-1\n"                                                                              \
    "    name: al2023\n"                                                                           \
    "    requirements: [{key: kubernetes.io/arch, operator: In, values: [amd64]}]\n"               \
    "  conditions: [{type: Ready, status: \"True\", reason: Ready}]\n"                             \
    "---\n"
#define POOL                                                                                       \
    "apiVersion: karpenter.sh/v1\n"                                                                \
    "kind: NodePool\n"                                                                             \
    "metadata: {name: default}\n"                                                                  \
    "spec:\n"                                                                                      \
    "  limits: {cpu: 400}\n"                                                                       \
    "  template:\n"                                                                                \
    "    spec:\n"                                                                                  \
    "      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}\n"          \
    "      requirements:\n"                                                                        \
    "      - {key: kubernetes.io/arch, operator: In, values: [amd64]}\n"                           \
    "      - {key: karpenter.sh/capacity-type, operator: In, values: [spot, on-demand]}\n"         \
    "      - {key: karpenter.k8s.aws/instance-category, operator: In, values: [c, m, r]}\n"        \
    "status:\n"                                                                                    \
    "  conditions: [{type: Ready, status: \"True\", reason: Ready}]\n"                             \
    "---\n"
#define DEPLOYMENT(name, replicas, cpu, memory)                                                    \
    "apiVersion: apps/v1\n"                                                                        \
    "kind: Deployment\n"                                                                           \
    "metadata: {name: " name ", namespace: shop}\n"                                                \
    "spec:\n"                                                                                      \
    "  replicas: " replicas "\n"                                                                   \
    "  selector: {matchLabels: {app: " name "}}\n"                                                 \
    "  template:\n"                                                                                \
    "    metadata: {labels: {app: " name "}}\n"                                                    \
    "    spec:\n"                                                                                  \
    "      containers:\n"                                                                          \
    "      - {name: main, image: shop, resources: {requests: {cpu: " cpu ", memory: " memory       \
    "}}}\n"                                                                                        \
    "---\n"

static const struct {
    const char *name, *text;
} scenarios[] = {
    {"day", CLASS POOL DEPLOYMENT("web", "12", "1", "2Gi")
                DEPLOYMENT("api", "8", "500m",
                           "3Gi") "apiVersion: policy/v1\n"
                                  "kind: PodDisruptionBudget\n"
                                  "metadata: {name: web, namespace: shop}\n"
                                  "spec: {maxUnavailable: 2, selector: {matchLabels: {app: web}}}\n"
                                  "---\n"
                                  "apiVersion: binpack/v1\n"
                                  "kind: Sandbox\n"
                                  "metadata: {name: day}\n"
                                  "spec:\n"
                                  "  hours: 6\n"
                                  "  steps:\n"
                                  "  - {at: 30m, scale: shop/web, replicas: 40}\n"
                                  "  - {at: 1h, deleteNodeClaims: 1}\n"
                                  "  - {at: 2h, scale: shop/api, replicas: 30}\n"
                                  "  - {at: 3h, scale: shop/web, replicas: 15}\n"
                                  "  - {at: 3h30m, deleteNodeClaims: 2}\n"
                                  "  - {at: 4h, scale: shop/web, replicas: 50}\n"},
    {"drought",
     CLASS POOL DEPLOYMENT("web", "10", "1",
                           "2Gi") "apiVersion: binpack/v1\n"
                                  "kind: Sandbox\n"
                                  "metadata: {name: drought}\n"
                                  "spec:\n"
                                  "  hours: 4\n"
                                  "  steps:\n"
                                  "  - {at: 20m, noCapacity: {capacityType: spot, for: 2h}}\n"
                                  "  - {at: 30m, scale: shop/web, replicas: 40}\n"
                                  "  - {at: 1h, noCapacity: {zone: us-east-1a, for: 1h}}\n"
                                  "  - {at: 1h5m, scale: shop/web, replicas: 60}\n"
                                  "  - {at: 2h30m, deleteNodeClaims: 3}\n"},
};

bool sandbox_scenario(struct str name, struct str *ret_name, struct str *ret_text)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        if (name.n == 0 || str_eq(name, str_of(scenarios[i].name))) {
            *ret_name = str_of(scenarios[i].name);
            *ret_text = str_of(scenarios[i].text);
            return true;
        }
    }
    return false;
}

void sandbox_names(struct strbuf *out)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        strbuf_addf(out, "%s%s", i == 0 ? "" : ", ", scenarios[i].name);
    }
}
