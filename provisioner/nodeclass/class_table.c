/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodeclass/class_table.h"

#define ROW(key_, go_, type_, struct_, field_, ...)                                                \
    {                                                                                              \
        .key = (key_), .go_name = (go_), .type = (type_),                                          \
        .offset = (uint32_t)offsetof(struct struct_, field_), __VA_ARGS__                          \
    }
#define TABLE(go_, rows_, struct_)                                                                 \
    {                                                                                              \
        .go_type = (go_), .rows = (rows_), .n_rows = sizeof(rows_) / sizeof((rows_)[0]),           \
        .size = sizeof(struct struct_)                                                             \
    }
#define LIST(key_, go_, field_, n_field_, sub_, ...)                                               \
    ROW(key_, go_, CLASS_LIST, nodeclass, field_,                                                  \
        .n_offset = (uint32_t)offsetof(struct nodeclass, n_field_), .sub = &(sub_), __VA_ARGS__)

static const struct class_row subnet_rows[] = {
    ROW("tags", "Tags", CLASS_MAP, nodeclass_subnet_term, tags),
    ROW("id", "ID", CLASS_TEXT, nodeclass_subnet_term, id),
};
static const struct class_table subnet_table =
    TABLE("SubnetSelectorTerm", subnet_rows, nodeclass_subnet_term);

static const struct class_row group_rows[] = {
    ROW("tags", "Tags", CLASS_MAP, nodeclass_group_term, tags),
    ROW("id", "ID", CLASS_TEXT, nodeclass_group_term, id),
    ROW("name", "Name", CLASS_TEXT, nodeclass_group_term, name),
};
static const struct class_table group_table =
    TABLE("SecurityGroupSelectorTerm", group_rows, nodeclass_group_term);

static const struct class_row reservation_rows[] = {
    ROW("tags", "Tags", CLASS_MAP, nodeclass_reservation_term, tags),
    ROW("id", "ID", CLASS_TEXT, nodeclass_reservation_term, id),
    ROW("ownerID", "OwnerID", CLASS_TEXT, nodeclass_reservation_term, owner_id),
    ROW("instanceMatchCriteria", "InstanceMatchCriteria", CLASS_TEXT, nodeclass_reservation_term,
        match_criteria),
};
static const struct class_table reservation_table =
    TABLE("CapacityReservationSelectorTerm", reservation_rows, nodeclass_reservation_term);

static const struct class_row placement_rows[] = {
    ROW("name", "Name", CLASS_TEXT, nodeclass_placement, name, .flags = CLASS_POINTER),
    ROW("id", "ID", CLASS_TEXT, nodeclass_placement, id, .flags = CLASS_POINTER),
};
static const struct class_table placement_table =
    TABLE("PlacementGroupSelector", placement_rows, nodeclass_placement);

static const struct class_row image_rows[] = {
    ROW("alias", "Alias", CLASS_TEXT, nodeclass_image_term, alias),
    ROW("tags", "Tags", CLASS_MAP, nodeclass_image_term, tags),
    ROW("id", "ID", CLASS_TEXT, nodeclass_image_term, id),
    ROW("name", "Name", CLASS_TEXT, nodeclass_image_term, name),
    ROW("owner", "Owner", CLASS_TEXT, nodeclass_image_term, owner),
    ROW("ssmParameter", "SSMParameter", CLASS_TEXT, nodeclass_image_term, ssm_parameter),
};
static const struct class_table image_table =
    TABLE("AMISelectorTerm", image_rows, nodeclass_image_term);

static const struct class_row volume_rows[] = {
    ROW("deleteOnTermination", "DeleteOnTermination", CLASS_OPT_BOOL, nodeclass_volume,
        delete_on_termination),
    ROW("encrypted", "Encrypted", CLASS_OPT_BOOL, nodeclass_volume, encrypted),
    ROW("iops", "IOPS", CLASS_OPT_I64, nodeclass_volume, iops),
    ROW("kmsKeyID", "KMSKeyID", CLASS_TEXT, nodeclass_volume, kms_key_id, .flags = CLASS_POINTER),
    ROW("snapshotID", "SnapshotID", CLASS_TEXT, nodeclass_volume, snapshot_id,
        .flags = CLASS_POINTER),
    ROW("throughput", "Throughput", CLASS_OPT_I64, nodeclass_volume, throughput),
    ROW("volumeInitializationRate", "VolumeInitializationRate", CLASS_OPT_I32, nodeclass_volume,
        initialization_rate),
    ROW("volumeSize", "VolumeSize", CLASS_QUANTITY, nodeclass_volume, size),
    ROW("volumeType", "VolumeType", CLASS_TEXT, nodeclass_volume, type, .flags = CLASS_POINTER),
};
static const struct class_table volume_table = TABLE("BlockDevice", volume_rows, nodeclass_volume);

static const struct class_row device_rows[] = {
    ROW("deviceName", "DeviceName", CLASS_TEXT, nodeclass_device, name, .flags = CLASS_POINTER),
    ROW("ebs", "EBS", CLASS_OBJECT, nodeclass_device, ebs, .sub = &volume_table),
    ROW("rootVolume", "RootVolume", CLASS_BOOL, nodeclass_device, root_volume),
};
static const struct class_table device_table =
    TABLE("BlockDeviceMapping", device_rows, nodeclass_device);

static const struct class_row interface_rows[] = {
    ROW("networkCardIndex", "NetworkCardIndex", CLASS_I32, nodeclass_interface, card_i),
    ROW("deviceIndex", "DeviceIndex", CLASS_I32, nodeclass_interface, device_i),
    ROW("interfaceType", "InterfaceType", CLASS_TEXT, nodeclass_interface, type),
};
static const struct class_table interface_table =
    TABLE("NetworkInterface", interface_rows, nodeclass_interface);

static const struct class_row metadata_rows[] = {
    ROW("httpEndpoint", "HTTPEndpoint", CLASS_TEXT, nodeclass_metadata, http_endpoint,
        .flags = CLASS_POINTER),
    ROW("httpProtocolIPv6", "HTTPProtocolIPv6", CLASS_TEXT, nodeclass_metadata, http_protocol_ipv6,
        .flags = CLASS_POINTER),
    ROW("httpPutResponseHopLimit", "HTTPPutResponseHopLimit", CLASS_OPT_I64, nodeclass_metadata,
        hop_limit),
    ROW("httpTokens", "HTTPTokens", CLASS_TEXT, nodeclass_metadata, http_tokens,
        .flags = CLASS_POINTER),
};
static const struct class_table metadata_table =
    TABLE("MetadataOptions", metadata_rows, nodeclass_metadata);

static const struct class_row tracking_rows[] = {
    ROW("tcpEstablishedTimeout", "TCPEstablishedTimeout", CLASS_OPT_I32, nodeclass_tracking,
        tcp_established_timeout),
    ROW("udpStreamTimeout", "UDPStreamTimeout", CLASS_OPT_I32, nodeclass_tracking,
        udp_stream_timeout),
    ROW("udpTimeout", "UDPTimeout", CLASS_OPT_I32, nodeclass_tracking, udp_timeout),
};
static const struct class_table tracking_table =
    TABLE("ConnectionTracking", tracking_rows, nodeclass_tracking);

static const struct class_row cpu_rows[] = {
    ROW("nestedVirtualization", "NestedVirtualization", CLASS_TEXT, nodeclass_cpu,
        nested_virtualization, .flags = CLASS_POINTER),
};
static const struct class_table cpu_table = TABLE("CPUOptions", cpu_rows, nodeclass_cpu);

static const struct class_row spec_rows[] = {
    LIST("subnetSelectorTerms", "SubnetSelectorTerms", subnet_terms, n_subnet_terms, subnet_table,
         .flags = CLASS_UNHASHED),
    LIST("securityGroupSelectorTerms", "SecurityGroupSelectorTerms", group_terms, n_group_terms,
         group_table, .flags = CLASS_UNHASHED),
    LIST("capacityReservationSelectorTerms", "CapacityReservationSelectorTerms", reservation_terms,
         n_reservation_terms, reservation_table, .flags = CLASS_UNHASHED),
    ROW("placementGroupSelector", "PlacementGroupSelector", CLASS_OBJECT, nodeclass, placement,
        .sub = &placement_table),
    ROW("associatePublicIPAddress", "AssociatePublicIPAddress", CLASS_OPT_BOOL, nodeclass,
        public_ip),
    ROW("ipPrefixCount", "IPPrefixCount", CLASS_OPT_I32, nodeclass, ip_prefix_count,
        .flags = CLASS_UNHASHED),
    LIST("amiSelectorTerms", "AMISelectorTerms", image_terms, n_image_terms, image_table,
         .flags = CLASS_UNHASHED),
    ROW("amiFamily", "AMIFamily", CLASS_TEXT, nodeclass, ami_family, .flags = CLASS_UNHASHED),
    ROW("userData", "UserData", CLASS_TEXT, nodeclass, user_data, .flags = CLASS_POINTER),
    ROW("role", "Role", CLASS_TEXT, nodeclass, role),
    ROW("instanceProfile", "InstanceProfile", CLASS_TEXT, nodeclass, instance_profile,
        .flags = CLASS_POINTER),
    ROW("tags", "Tags", CLASS_MAP, nodeclass, tags),
    ROW("kubelet", "Kubelet", CLASS_JSON, nodeclass, kubelet),
    LIST("blockDeviceMappings", "BlockDeviceMappings", devices, n_devices, device_table),
    ROW("instanceStorePolicy", "InstanceStorePolicy", CLASS_TEXT, nodeclass, instance_store_policy,
        .flags = CLASS_POINTER),
    LIST("networkInterfaces", "NetworkInterfaces", interfaces, n_interfaces, interface_table),
    ROW("detailedMonitoring", "DetailedMonitoring", CLASS_OPT_BOOL, nodeclass, detailed_monitoring),
    ROW("metadataOptions", "MetadataOptions", CLASS_OBJECT, nodeclass, metadata,
        .sub = &metadata_table),
    ROW("connectionTracking", "ConnectionTracking", CLASS_OBJECT, nodeclass, tracking,
        .sub = &tracking_table),
    ROW("context", "Context", CLASS_TEXT, nodeclass, context, .flags = CLASS_POINTER),
    ROW("cpuOptions", "CPUOptions", CLASS_OBJECT, nodeclass, cpu, .sub = &cpu_table),
};
const struct class_table nodeclass_table = TABLE("EC2NodeClassSpec", spec_rows, nodeclass);
