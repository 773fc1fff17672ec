/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The CEL rules of the CRDs, one by one. Internal to k8s/schema*.c. */
#pragma once

#include "k8s/schema_impl.h"

extern const struct schema_rule rule_buffer_size, rule_buffer_one_source, rule_role_or_profile,
    rule_family_al2, rule_family_al2023, rule_family_bottlerocket, rule_family_windows2019,
    rule_family_windows2022, rule_family_windows2025, rule_family_needed, rule_ami_terms,
    rule_ami_id_alone, rule_ami_alias_alone, rule_ami_alias_only_term, rule_alias_form,
    rule_alias_family, rule_alias_windows, rule_tags_filled, rule_one_root_volume, rule_ebs_size,
    rule_ebs_rate, rule_reservation_terms, rule_reservation_id_alone, rule_tracking_set,
    rule_not_empty, rule_gc_order, rule_soft_has_grace, rule_grace_has_soft, rule_signals,
    rule_reserved_keys, rule_reserved_positive, rule_primary_interface, rule_interfaces_distinct,
    rule_placement_given, rule_placement_one, rule_some_terms, rule_group_terms,
    rule_group_id_alone, rule_group_name_alone, rule_subnet_terms, rule_subnet_id_alone,
    rule_tag_keys, rule_tag_cluster, rule_tag_owned, rule_tag_nodepool, rule_tag_nodeclaim,
    rule_tag_nodeclass, rule_claim_immutable, rule_in_values, rule_numbers, rule_min_values,
    rule_key_karpenter, rule_key_hostname, rule_key_aws, rule_key_nodepool, rule_one_price,
    rule_overlay_capacity, rule_not_in_values, rule_overlay_key_aws, rule_static_for_good,
    rule_static_limits, rule_static_weight, rule_budget_window, rule_label_karpenter,
    rule_label_nodepool, rule_label_hostname, rule_label_aws, rule_group_immutable,
    rule_kind_immutable;
