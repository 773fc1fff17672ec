/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Volumes of pods: topologies, troubles, attachments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "binpack/scheduling/volumes.h"
#include "world.h"

#define CLASS(name, mode, provisioner, rest)                                                       \
    "---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: " name               \
    ", annotations: {" rest "}}\nprovisioner: " provisioner "\nvolumeBindingMode: " mode "\n"
#define CLAIM(name, spec, rest)                                                                    \
    "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: " name                     \
    ", namespace: shop, uid: u-" name rest                                                         \
    "}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}" spec "}\n"
#define BOUND ", annotations: {pv.kubernetes.io/bind-completed: \"yes\"}"
#define PV(name, spec)                                                                             \
    "---\napiVersion: v1\nkind: PersistentVolume\nmetadata: {name: " name                          \
    "}\nspec:\n  capacity: {storage: 1Gi}\n" spec
#define EBS               "  csi: {driver: ebs.csi.aws.com, volumeHandle: v}\n"
#define TERM(key, values) "{matchExpressions: [{key: " key ", operator: In, values: [" values "]}]}"
#define IN(terms)         "  nodeAffinity: {required: {nodeSelectorTerms: [" terms "]}}\n"
#define ZONE              "topology.kubernetes.io/zone"

static const char objects[] = CLASS("wait", "WaitForFirstConsumer", "ebs.csi.aws.com", "") CLASS(
    "now", "Immediate", "ebs.csi.aws.com", "") CLASS("efs", "WaitForFirstConsumer",
                                                     "efs.csi.aws.com", "")
    CLASS("old", "WaitForFirstConsumer", "kubernetes.io/aws-ebs", "") CLASS(
        "zonal", "WaitForFirstConsumer", "ebs.csi.aws.com",
        "") "allowedTopologies:\n"
            "- {matchLabelExpressions: [{key: topology.ebs.csi.aws.com/zone, values: [a, "
            "b]}]}\n" CLASS(
                "two-keys", "WaitForFirstConsumer", "ebs.csi.aws.com",
                "") "allowedTopologies:\n"
                    "- {matchLabelExpressions: [{key: " ZONE
                    ", values: [a]}, {key: ring, values: [x]}]}\n"
                    "- {matchLabelExpressions: [{key: " ZONE
                    ", values: [c]}]}\n" CLAIM("in-a", ", volumeName: pv-a", BOUND) PV(
                        "pv-a", EBS IN(TERM(ZONE, "a"))) CLAIM("in-b", ", volumeName: pv-b", BOUND)
                        PV("pv-b", EBS IN(TERM("topology.ebs.csi.aws.com/zone", "b"))) CLAIM(
                            "in-a-or-b", ", volumeName: pv-ab",
                            BOUND) PV("pv-ab", EBS IN(TERM(ZONE, "a") ", " TERM(ZONE, "b")))
                            CLAIM("anywhere", ", volumeName: pv-nfs",
                                  BOUND) PV("pv-nfs", "  nfs: {server: s, path: /}\n")
                                CLAIM("local", ", volumeName: pv-local", BOUND) PV(
                                    "pv-local",
                                    "  local: {path: /d}\n" IN(
                                        TERM("kubernetes.io/hostname", "n1")))
                                    CLAIM("in-tree", ", volumeName: pv-tree", BOUND) PV(
                                        "pv-tree",
                                        "  awsElasticBlockStore: {volumeID: vol-1}\n" IN(
                                            TERM("failure-domain.beta.kubernetes.io/zone", "c")))
                                        CLAIM("impossible", ", volumeName: pv-no", BOUND) PV(
                                            "pv-no",
                                            EBS IN("{matchExpressions: [{key: " ZONE
                                                   ", operator: In, values: [a]}, {key: " ZONE
                                                   ", operator: In, values: [b]}]}"))
                                            CLAIM("free", ", storageClassName: wait", "") CLAIM(
                                                "free2", ", storageClassName: wait",
                                                "") CLAIM("zonal", ", storageClassName: zonal", "")
                                                CLAIM("two-keys", ", storageClassName: two-keys",
                                                      "") CLAIM("efs", ", storageClassName: efs",
                                                                "")
                                                    CLAIM("old", ", storageClassName: old",
                                                          "") CLAIM("immediate",
                                                                    ", storageClassName: now", "")
                                                        CLAIM("no-class",
                                                              ", storageClassName: \"\"",
                                                              "") CLAIM("nil-class", "", "")
                                                            CLAIM("unknown-class",
                                                                  ", storageClassName: nope",
                                                                  "") CLAIM("half",
                                                                            ", volumeName: pv-a",
                                                                            "")
                                                                CLAIM("gone", ", volumeName: nope",
                                                                      BOUND) CLAIM("deleting",
                                                                                   ", "
                                                                                   "storageClassNam"
                                                                                   "e: wait",
                                                                                   ", "
                                                                                   "deletionTimesta"
                                                                                   "mp: "
                                                                                   "2026-03-01T00:"
                                                                                   "00:00Z")
                                                                    CLAIM(
                                                                        "lost",
                                                                        ", volumeName: pv-a",
                                                                        BOUND) "status: {phase: "
                                                                               "Lost}\n"
                                                                               "---\napiVersion: "
                                                                               "v1\nkind: "
                                                                               "PersistentVolumeCla"
                                                                               "im\nmetadata: "
                                                                               "{name: mine, "
                                                                               "namespace: shop, "
                                                                               "uid: u-m}\n"
                                                                               "spec: "
                                                                               "{accessModes: "
                                                                               "[ReadWriteOncePod],"
                                                                               " storageClassName: "
                                                                               "wait, resources: "
                                                                               "{requests: "
                                                                               "{storage: 1Gi}}}\n";

static void pod_yaml(char *out, size_t size, const char *name, const char *claims, const char *rest)
{
    char volumes[1024] = "";
    char copy[256];
    size_t n = 0;
    (void)snprintf(copy, sizeof copy, "%s", claims);
    int i = 0;
    char *save = NULL;
    for (char *claim = strtok_r(copy, " ", &save); claim != NULL;
         claim = strtok_r(NULL, " ", &save), i++) {
        size_t room = sizeof volumes - n;
        const char *comma = i == 0 ? "" : ", ";
        n += (size_t)(strncmp(claim, "eph:", 4) == 0
                          ? snprintf(volumes + n, room,
                                     "%s{name: v%d, ephemeral: {volumeClaimTemplate: {spec: "
                                     "{accessModes: [ReadWriteOnce], storageClassName: %s, "
                                     "resources: {requests: {storage: 1Gi}}}}}}",
                                     comma, i, claim + 4)
                          : snprintf(volumes + n, room,
                                     "%s{name: v%d, persistentVolumeClaim: {claimName: %s}}", comma,
                                     i, claim));
    }
    (void)snprintf(out, size,
                   "---\napiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: shop}\nspec:\n"
                   "  containers: [{name: c}]\n  volumes: [%s]\n%s",
                   name, volumes, rest);
}

static const struct {
    const char *name, *claims;
    enum sched_volume_trouble trouble;
    const char *alternatives; /* "in a | in b" by text, "" anywhere */
    uint32_t n_attached, n_unbound;
} rows[] = {
    {"no volumes", "", SCHED_VOLUME_OK, "", 0, 0},
    {"bound in one zone", "in-a", SCHED_VOLUME_OK, ZONE " In [a]", 1, 0},
    {"bound, EBS name of the zone", "in-b", SCHED_VOLUME_OK, ZONE " In [b]", 1, 0},
    {"bound, two alternatives", "in-a-or-b", SCHED_VOLUME_OK, ZONE " In [a] | " ZONE " In [b]", 1,
     0},
    {"alternatives meet a zone", "in-a-or-b in-b", SCHED_VOLUME_OK, ZONE " In [b]", 2, 0},
    {"two zones", "in-a in-b", SCHED_VOLUMES_APART, "", 2, 0},
    {"a volume that contradicts itself", "impossible", SCHED_VOLUMES_APART, "", 1, 0},
    {"NFS", "anywhere", SCHED_VOLUME_OK, "", 0, 0},
    {"local: the host does not count", "local", SCHED_VOLUME_OK, "(anywhere)", 0, 0},
    {"local and zonal", "local in-a", SCHED_VOLUME_OK, ZONE " In [a]", 1, 0},
    {"in-tree EBS", "in-tree", SCHED_VOLUME_OK, ZONE " In [c]", 1, 0},
    {"unbound, free", "free", SCHED_VOLUME_OK, "", 1, 1},
    {"unbound, twice", "free free2", SCHED_VOLUME_OK, "", 2, 2},
    {"unbound, allowed zones", "zonal", SCHED_VOLUME_OK, ZONE " In [a b]", 1, 1},
    {"unbound, allowed zones and bound zone", "zonal in-a", SCHED_VOLUME_OK, ZONE " In [a]", 2, 1},
    {"unbound, two keys", "two-keys", SCHED_VOLUME_OK,
     "ring In [x], " ZONE " In [a] | " ZONE " In [c]", 1, 1},
    {"unbound, two keys and a zone", "two-keys in-a", SCHED_VOLUME_OK,
     "ring In [x], " ZONE " In [a]", 2, 1},
    {"EFS has no zone", "efs", SCHED_VOLUME_OK, "", 1, 0},
    {"in-tree provisioner", "old", SCHED_VOLUME_OK, "", 1, 1},
    {"mounted twice, attached once", "in-a in-a", SCHED_VOLUME_OK, ZONE " In [a]", 1, 0},
    {"ephemeral", "eph:wait", SCHED_VOLUME_OK, "", 1, 1},
    {"ephemeral, allowed zones", "eph:zonal", SCHED_VOLUME_OK, ZONE " In [a b]", 1, 1},
    {"ephemeral, unknown class", "eph:nope", SCHED_CLASS_MISSING, "", 0, 0},
    {"two ephemeral ones", "eph:wait eph:wait", SCHED_VOLUME_OK, "", 2, 2},
    {"missing claim", "nope", SCHED_CLAIM_MISSING, "", 0, 0},
    {"missing claim beside a good one", "in-a nope", SCHED_CLAIM_MISSING, ZONE " In [a]", 1, 0},
    {"missing volume", "gone", SCHED_VOLUME_MISSING, "", 0, 0},
    {"not bound yet", "half", SCHED_CLAIM_NOT_BOUND, "", 0, 0},
    {"being deleted", "deleting", SCHED_CLAIM_DELETING, "", 0, 0},
    {"lost", "lost", SCHED_CLAIM_LOST, "", 0, 0},
    {"must be bound first", "immediate", SCHED_CLASS_IMMEDIATE, "", 0, 0},
    {"empty class", "no-class", SCHED_CLASS_NONE, "", 0, 0},
    {"no class", "nil-class", SCHED_CLASS_NONE, "", 0, 0},
    {"unknown class", "unknown-class", SCHED_CLASS_MISSING, "", 0, 0},
    {"exclusive, nobody else", "mine", SCHED_VOLUME_OK, "", 1, 1},
};

static struct str alternatives_text(struct world *w, const struct sched_pod_volumes *got)
{
    struct strbuf out = strbuf_new(&w->arena, 4096);
    for (uint32_t i = 0; i < got->n_alternatives; i++) {
        strbuf_add(&out, i == 0 ? STR_EMPTY : STR(" | "));
        strbuf_add(&out, got->alternatives[i].n == 0 ? STR("(anywhere)") : STR_EMPTY);
        sched_reqs_text(w->vocab, got->alternatives[i], &out);
    }
    return strbuf_str(&out);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world w;
        static char yaml[64 * 1024];
        char pod[2048];
        pod_yaml(pod, sizeof pod, "p", rows[i].claims, "");
        (void)snprintf(yaml, sizeof yaml, "%s%s", objects, pod);
        world_open(&w, yaml);
        const struct sched_volumes *volumes = sched_volumes_new(&w.arena, w.vocab, w.cluster);
        const struct sched_pod_volumes got =
            sched_volumes_of(volumes, &w.arena, world_pod(&w, "shop/p"));
        const struct str text = alternatives_text(&w, &got);
        if (got.trouble != rows[i].trouble || !str_eq(text, str_of(rows[i].alternatives)) ||
            got.n_attachments != rows[i].n_attached || got.n_unbound != rows[i].n_unbound ||
            (got.trouble != SCHED_VOLUME_OK) != (got.text.n > 0)) {
            fail_msg("%s: trouble %d (" STR_FMT "), alternatives \"" STR_FMT
                     "\", %u attached, %u unbound",
                     rows[i].name, (int)got.trouble, STR_ARG(got.text), STR_ARG(text),
                     got.n_attachments, got.n_unbound);
        }
        for (uint32_t a = 0; a < got.n_attachments; a++) {
            assert_true(got.attachments[a].driver == w.vocab->ebs_driver ||
                        strcmp(rows[i].claims, "efs") == 0);
        }
        world_close(&w);
    }
}

/* Several pods: shared claims, exclusive claims, signatures, room on a node. */
static void test_several(void **state)
{
    (void)state;
    struct world w;
    static char yaml[64 * 1024];
    static char pods[7][2048];
    pod_yaml(pods[0], sizeof pods[0], "a", "free mine", "");
    pod_yaml(pods[1], sizeof pods[1], "b", "free mine", "");
    pod_yaml(pods[2], sizeof pods[2], "c", "free2", "");
    pod_yaml(pods[3], sizeof pods[3], "d", "eph:wait", "");
    pod_yaml(pods[4], sizeof pods[4], "e", "eph:wait", "");
    pod_yaml(pods[5], sizeof pods[5], "done", "free2", "status: {phase: Succeeded}\n");
    pod_yaml(pods[6], sizeof pods[6], "f", "free in-a in-tree", "  nodeName: n1\n");
    (void)snprintf(
        yaml, sizeof yaml,
        "%s%s%s%s%s%s%s%s---\napiVersion: storage.k8s.io/v1\nkind: CSINode\nmetadata: {name: n1}\n"
        "spec: {drivers: [{name: ebs.csi.aws.com, nodeID: i, allocatable: {count: 5}}, {name: "
        "efs.csi.aws.com, nodeID: "
        "i}]}\n",
        objects, pods[0], pods[1], pods[2], pods[3], pods[4], pods[5], pods[6]);
    world_open(&w, yaml);
    const struct sched_volumes *volumes = sched_volumes_new(&w.arena, w.vocab, w.cluster);
    const struct sched_pod_volumes a = sched_volumes_of(volumes, &w.arena, world_pod(&w, "shop/a"));
    const struct sched_pod_volumes b = sched_volumes_of(volumes, &w.arena, world_pod(&w, "shop/b"));
    const struct sched_pod_volumes c = sched_volumes_of(volumes, &w.arena, world_pod(&w, "shop/c"));
    const struct sched_pod_volumes d = sched_volumes_of(volumes, &w.arena, world_pod(&w, "shop/d"));
    const struct sched_pod_volumes e = sched_volumes_of(volumes, &w.arena, world_pod(&w, "shop/e"));
    assert_int_equal(a.trouble, SCHED_VOLUME_OK);
    assert_int_equal(b.trouble, SCHED_CLAIM_IN_USE); /* a comes first by name */
    assert_true(sched_volume_shared(volumes, a.unbound[0]));
    assert_false(sched_volume_shared(volumes, c.unbound[0])); /* the other user has finished */
    assert_int_not_equal(d.attachments[0].volume, e.attachments[0].volume);
    assert_false(sched_volume_shared(volumes, d.attachments[0].volume));
    assert_true(str_eq(sched_volume_text(volumes, a.unbound[0], &w.arena), STR("shop/free")));

    struct strbuf sig_c = strbuf_new(&w.arena, 4096);
    struct strbuf sig_d = strbuf_new(&w.arena, 4096);
    struct strbuf sig_a = strbuf_new(&w.arena, 4096);
    sched_volumes_signature(&c, &sig_c);
    sched_volumes_signature(&d, &sig_d);
    sched_volumes_signature(&a, &sig_a);
    assert_true(str_eq(strbuf_str(&sig_c), strbuf_str(&sig_d)));
    assert_false(str_eq(strbuf_str(&sig_c), strbuf_str(&sig_a)));

    const struct k8s_pod *on_node[] = {world_pod(&w, "shop/f")};
    const struct sched_attach_room *rooms;
    uint32_t n;
    sched_attach_rooms(volumes, &w.arena, STR("n1"), 1, on_node, &rooms, &n);
    assert_int_equal(n, 2);
    for (uint32_t i = 0; i < n; i++) {
        const bool ebs = rooms[i].driver == w.vocab->ebs_driver;
        assert_int_equal(rooms[i].used, ebs ? 3 : 0);
        assert_int_equal(rooms[i].limit.has, ebs);
        assert_int_equal(rooms[i].limit.v, ebs ? 5 : 0);
    }
    sched_attach_rooms(volumes, &w.arena, STR("n2"), 0, NULL, &rooms, &n);
    assert_int_equal(n, 0);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_several),
    };
    return cmocka_run_group_tests_name("volumes", tests, NULL, NULL);
}
