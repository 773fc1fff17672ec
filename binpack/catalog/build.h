/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From drafts to a catalogue. A draft is what one document says about one type; drafts of the same
 * name are merged: one of them describes the type, the others add offerings. What a draft leaves
 * open follows from its row by the formulas. */
#pragma once

#include "binpack/catalog/amounts.h"
#include "binpack/catalog/catalog.h"
#include "binpack/catalog/from_ec2.h"

/* Strings that the formulas need, as ids. */
struct cat_names {
    strid cpu, memory, pods, ephemeral_storage;
    strid pod_eni, nvidia_gpu, amd_gpu, gaudi, neuron, neuroncore, efa, private_ipv4;
    strid instance_type, arch, region, amd64, arm64, ebs_driver;
};
void cat_names_init(struct cat_names *names, struct strtab *tab);

struct cat_draft_offering {
    strid zone;
    enum cat_capacity_type capacity_type;
    struct opt_usd price;
    bool available;
    strid reservation_id;
    uint32_t reservation_count;
    uint32_t document_i; /* later documents override earlier ones */
};

struct cat_draft {
    strid name;
    uint32_t document_i;
    bool describes; /* has figures, not only offerings */
    bool complete;  /* the row is EC2's: labels that need all of it are right */
    bool kwok;      /* of Karpenter's KWOK provider: its own labels besides */
    uint32_t os;    /* CAT_LINUX | CAT_WINDOWS, 0 when not stated */
    struct opt_i64 max_pods;
    struct ec2_instance_type row;
    struct cat_amounts capacity, kube_reserved, system_reserved, eviction, allocatable, extended;
    struct cat_labels labels; /* override */
    bool has_attach_limits;
    VEC(struct cat_attach_limit) attach_limits;
    VEC(struct cat_draft_offering) offerings;
};

struct cat_draft_zone {
    strid name, id; /* id may be STRID_EMPTY */
};

struct cat_builder {
    struct arena *arena;   /* of the catalogue */
    struct arena *scratch; /* of drafts, until the catalogue is finished */
    struct strtab *tab;
    struct cat_names names;
    struct str name, as_of, spot_source;
    strid region;
    bool builtin;
    VEC(struct cat_draft) drafts;
    VEC(struct cat_draft_zone) zones;
    VEC(struct str) notes;
};

void cat_builder_init(struct cat_builder *builder, struct arena *arena, struct arena *scratch,
                      struct strtab *tab);
void cat_note(struct cat_builder *builder, const char *format, ...) PRINTF_LIKE(2, 3);

/* The zone of that name is part of the catalogue; an id replaces an empty one. */
void cat_builder_zone(struct cat_builder *builder, strid name, strid id);

/* Sorts zones, types and offerings, computes what is left open and checks it. The drafts' names are
 * distinct by now. Errors: ERR_INVALID names type, field and value; ERR_LIMIT. */
MUST_CHECK bool cat_builder_finish(struct cat_builder *builder, const struct catalog **ret_catalog,
                                   struct err *err);
