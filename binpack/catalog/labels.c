/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/catalog/labels.h"

#include <stdio.h>

#include "base/arena.h"

#define AWS "karpenter.k8s.aws/instance-"

struct target {
    struct cat_labels *labels;
    struct arena *arena;
    struct strtab *tab;
};

static void set_id(const struct target *to, struct str key, strid value)
{
    cat_labels_set(to->labels, to->arena, strtab_add(to->tab, key), value);
}

static void set_text(const struct target *to, struct str key, struct str value)
{
    set_id(to, key, strtab_add(to->tab, value));
}

static void set_number(const struct target *to, struct str key, int64_t value)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%lld", (long long)value);
    set_text(to, key, (struct str){.p = text, .n = (size_t)n});
}

static void set_bool(const struct target *to, struct str key, bool value)
{
    set_text(to, key, value ? STR("true") : STR("false"));
}

strid cat_label_word(struct str text, struct strtab *tab)
{
    char word[64];
    size_t n = text.n < sizeof word ? text.n : sizeof word - 1;
    for (size_t i = 0; i < n; i++) {
        char c = text.p[i];
        word[i] = c == ' ' ? '-' : (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    return strtab_add(tab, (struct str){.p = word, .n = n});
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits_at(struct str s, size_t from)
{
    size_t n = 0;
    while (from + n < s.n && is_digit(s.p[from + n])) {
        n++;
    }
    return n;
}

/* ^([a-z]+)(-[0-9]+tb)?([0-9]+).*\. : category and generation of "m5.large", "u-6tb1.metal". */
static bool name_parts(struct str name, struct str *ret_category, struct str *ret_generation)
{
    size_t letters = 0;
    while (letters < name.n && name.p[letters] >= 'a' && name.p[letters] <= 'z') {
        letters++;
    }
    size_t at = letters;
    if (at < name.n && name.p[at] == '-') {
        size_t n = digits_at(name, at + 1);
        size_t end = at + 1 + n;
        if (n > 0 && end + 2 <= name.n && name.p[end] == 't' && name.p[end + 1] == 'b') {
            at = end + 2;
        }
    }
    size_t n = digits_at(name, at);
    size_t dot = str_find(str_sub(name, at + n, name.n), '.');
    if (letters == 0 || n == 0 || at + n + dot >= name.n) {
        return false;
    }
    *ret_category = str_sub(name, 0, letters);
    *ret_generation = str_sub(name, at, n);
    return true;
}

static void name_labels(const struct target *to, struct str name)
{
    struct str category, generation;
    if (name_parts(name, &category, &generation)) {
        set_text(to, STR(AWS "category"), category);
        set_text(to, STR(AWS "generation"), generation);
    }
    size_t dot = str_find(name, '.');
    struct str family = str_sub(name, 0, dot);
    struct str size = str_sub(name, dot + 1, name.n);
    if (dot < name.n && str_find(size, '.') == size.n) {
        set_text(to, STR(AWS "family"), family);
        set_text(to, STR(AWS "size"), size);
        set_bool(to, STR(AWS "capability-flex"), str_has(family, STR("-flex")));
    }
}

/* The only device of that kind, or NULL. */
static const struct ec2_device *single(const struct ec2_instance_type *row,
                                       enum ec2_device_kind kind, uint32_t *ret_n)
{
    const struct ec2_device *found = NULL;
    *ret_n = 0;
    for (uint32_t i = 0; i < row->n_devices; i++) {
        if (row->devices[i].kind == kind) {
            found = &row->devices[i];
            (*ret_n)++;
        }
    }
    return *ret_n == 1 ? found : NULL;
}

static void device_labels(const struct target *to, const struct ec2_instance_type *row)
{
    uint32_t n_gpus = 0, n_neuron = 0, n_inference = 0;
    const struct ec2_device *gpu = single(row, EC2_GPU, &n_gpus);
    const struct ec2_device *neuron = single(row, EC2_NEURON, &n_neuron);
    const struct ec2_device *inference = single(row, EC2_INFERENCE, &n_inference);
    const struct ec2_device *accelerator = neuron != NULL  ? neuron
                                           : n_neuron == 0 ? inference
                                                           : NULL;
    if (gpu != NULL && gpu->name.n > 0) {
        set_id(to, STR(AWS "gpu-name"), cat_label_word(gpu->name, to->tab));
        set_id(to, STR(AWS "gpu-manufacturer"), cat_label_word(gpu->manufacturer, to->tab));
        set_number(to, STR(AWS "gpu-count"), gpu->count);
        set_number(to, STR(AWS "gpu-memory"), gpu->memory_mib);
    }
    if (accelerator != NULL && accelerator->name.n > 0) {
        set_id(to, STR(AWS "accelerator-name"), cat_label_word(accelerator->name, to->tab));
        set_id(to, STR(AWS "accelerator-manufacturer"),
               cat_label_word(accelerator->manufacturer, to->tab));
        set_number(to, STR(AWS "accelerator-count"), accelerator->count);
    }
}

void cat_labels_derive(struct cat_labels *labels, const struct ec2_instance_type *row,
                       struct arena *arena, struct strtab *tab)
{
    const struct target to = {.labels = labels, .arena = arena, .tab = tab};
    name_labels(&to, row->name);
    if (row->vcpu > 0) {
        set_number(&to, STR(AWS "cpu"), row->vcpu);
    }
    if (row->memory_mib > 0) {
        set_number(&to, STR(AWS "memory"), row->memory_mib);
    }
    if (row->local_gb > 0 && row->local_storage_nvme) {
        set_number(&to, STR(AWS "local-nvme"), row->local_gb);
    }
    device_labels(&to, row);
}

void cat_labels_describe(struct cat_labels *labels, const struct ec2_instance_type *row,
                         struct arena *arena, struct strtab *tab)
{
    static const struct str hypervisors[] = {[EC2_HYPERVISOR_NONE] = {.p = "", .n = 0},
                                             [EC2_NITRO] = {.p = "nitro", .n = 5},
                                             [EC2_XEN] = {.p = "xen", .n = 3}};
    const struct target to = {.labels = labels, .arena = arena, .tab = tab};
    if (row->cpu_manufacturer.n > 0) {
        set_id(&to, STR(AWS "cpu-manufacturer"), cat_label_word(row->cpu_manufacturer, tab));
    }
    set_number(&to, STR(AWS "cpu-sustained-clock-speed-mhz"), row->clock_mhz);
    set_text(&to, STR(AWS "hypervisor"), hypervisors[row->hypervisor]);
    set_bool(&to, STR(AWS "encryption-in-transit-supported"), row->encryption_in_transit);
    set_text(&to, STR(AWS "tenancy"), STR("default"));
    set_bool(&to, STR("eks.amazonaws.com/nitro-sandbox"), row->nitro_enclaves);
    if (row->ebs_mbps > 0) {
        set_number(&to, STR(AWS "ebs-bandwidth"), row->ebs_mbps);
    }
    if (row->network_mbps > 0) {
        set_number(&to, STR(AWS "network-bandwidth"), row->network_mbps);
    }
}
