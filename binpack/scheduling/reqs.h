/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requirement algebra: sets of label values as Karpenter computes with them, and kube-scheduler's
 * plain matching of labels.
 *
 * A requirement is a set of values of one key: either listed (`complement` false) or everything but
 * the listed ones (`complement` true), the latter with optional integer bounds. In = listed, NotIn
 * = complement, Exists = complement of nothing, DoesNotExist = listed nothing; Gt n is Gte n+1, Lt
 * n is Lte n-1. The odd parts are Karpenter's and deliberate (karp: requirement.go): In [a]
 * intersected with In [b] is DoesNotExist, not "nothing"; a NotIn or DoesNotExist on both sides
 * never conflicts; sched_reqs_compatible is not symmetric.
 *
 * NodePools and new nodes are compared by this algebra; running nodes, whose labels are facts, by
 * sched_match_*. */
#pragma once

#include "base/err.h"
#include "binpack/scheduling/vocab.h"

struct strbuf;

struct sched_req {
    strid key; /* stable name */
    bool complement;
    struct k8s_strids values; /* ascending by id, distinct */
    struct opt_i64 gte, lte;  /* complement only */
    struct opt_i32 min_values;
};

struct sched_reqs {
    uint32_t n;
    const struct sched_req *v; /* [n] ascending by key id, one per key */
};

/* One requirement of an object, with its key normalised. Never fails: bounds that are no integer
 * give DoesNotExist. */
struct sched_req sched_req_of(const struct sched_vocab *vocab, struct arena *arena,
                              const struct k8s_requirement *requirement);
/* The same of a matchField, which asks for the node's name (vocab->name_field). */
struct sched_req sched_req_of_field(const struct sched_vocab *vocab, struct arena *arena,
                                    const struct k8s_requirement *field);
/* key In [value] */
struct sched_req sched_req_is(const struct sched_vocab *vocab, struct arena *arena, strid key,
                              strid value);

/* How the set reads: K8S_IN, K8S_NOT_IN, K8S_EXISTS (bounds or not) or K8S_DOES_NOT_EXIST. */
enum k8s_operator sched_req_operator(const struct sched_req *req);
bool sched_req_has(const struct sched_vocab *vocab, const struct sched_req *req, strid value);
struct sched_req sched_req_and(const struct sched_vocab *vocab, struct arena *arena,
                               const struct sched_req *a, const struct sched_req *b);
bool sched_req_overlaps(const struct sched_vocab *vocab, const struct sched_req *a,
                        const struct sched_req *b);
/* `key In [a b]`, `key Exists >=3`, ...; values sorted, six or more as the first five `and N
 * others`. */
void sched_req_text(const struct sched_vocab *vocab, const struct sched_req *req,
                    struct strbuf *out);

/* The set with one more requirement, intersected where the key is there already. Arrays are copied,
 * never changed. */
struct sched_reqs sched_reqs_add(const struct sched_vocab *vocab, struct arena *arena,
                                 struct sched_reqs reqs, const struct sched_req *more);
struct sched_reqs sched_reqs_and(const struct sched_vocab *vocab, struct arena *arena,
                                 struct sched_reqs a, struct sched_reqs b);
struct sched_reqs sched_reqs_of(const struct sched_vocab *vocab, struct arena *arena, uint32_t n,
                                const struct k8s_requirement *requirements);
struct sched_reqs sched_reqs_of_labels(const struct sched_vocab *vocab, struct arena *arena,
                                       const struct k8s_pairs *labels);
const struct sched_req *sched_reqs_find(struct sched_reqs reqs,
                                        strid key); /* NULL: undefined, which means Exists */
void sched_reqs_text(const struct sched_vocab *vocab, struct sched_reqs reqs, struct strbuf *out);

/* Why two sets do not go together. */
enum sched_clash {
    SCHED_CLASH_NONE,
    SCHED_CLASH_UNDEFINED /* label does not have known values */,
    SCHED_CLASH_VALUES
};
struct sched_conflict {
    enum sched_clash clash;
    strid key;
};

/* Keys of both sets overlap, or both sides are NotIn or DoesNotExist. */
bool sched_reqs_intersect(const struct sched_vocab *vocab, struct sched_reqs a, struct sched_reqs b,
                          struct sched_conflict *ret_conflict);

/* May a node described by `node` serve `pod`? A key of `pod` that `node` lacks is fine when its
 * operator is NotIn or DoesNotExist, or when it is well known and `allow_well_known`. ret_conflict
 * may be NULL. */
bool sched_reqs_compatible(const struct sched_vocab *vocab, struct sched_reqs node,
                           struct sched_reqs pod, bool allow_well_known,
                           struct sched_conflict *ret_conflict);

/* The known label that `key` was probably meant to be ("topology.kubernetes.io/zone" for "zone"),
 * or STRID_NONE. `known` holds further keys, such as the custom labels of NodePools. */
strid sched_key_typo(const struct sched_vocab *vocab, strid key, struct k8s_strids known);

/* May a pod or NodePool require this (karp: ValidateRequirement)? False with ERR_INVALID and
 * Karpenter's wording: restricted labels and domains, malformed keys and values, In without values,
 * bounds that are no integer. */
MUST_CHECK bool sched_requirement_check(const struct sched_vocab *vocab,
                                        const struct k8s_requirement *requirement, struct err *err);

/* kube-scheduler: one requirement against the labels of a node (NotIn holds when the label is
 * absent). */
bool sched_match_requirement(const struct sched_vocab *vocab,
                             const struct k8s_requirement *requirement,
                             const struct k8s_pairs *labels);
/* All expressions and fields; an empty term matches nothing. `name` of the node, empty when not
 * known yet. */
bool sched_match_term(const struct sched_vocab *vocab, const struct k8s_node_term *term,
                      const struct k8s_pairs *labels, struct str name);
/* nodeSelector and at least one required node affinity term. */
bool sched_match_node(const struct sched_vocab *vocab, const struct k8s_pod_shape *shape,
                      const struct k8s_pairs *labels, struct str name);
