/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AMI families: what a node class says about the image of its nodes. */
#include "binpack/catalog/catalog.h"

/* Names of spec.amiFamily and of aliases ("al2023@latest"), compared without regard to case. */
static const struct {
    struct str name;
    enum cat_family family;
} families[] = {
    {{"al2", 3}, CAT_AL2},
    {{"al2023", 6}, CAT_AL2023},
    {{"bottlerocket", 12}, CAT_BOTTLEROCKET},
    {{"windows2019", 11}, CAT_WINDOWS_2019},
    {{"windows2022", 11}, CAT_WINDOWS_2022},
    {{"windows2025", 11}, CAT_WINDOWS_2025},
    {{"custom", 6}, CAT_CUSTOM},
};

static bool same_word(struct str a, struct str lower)
{
    if (a.n != lower.n) {
        return false;
    }
    for (size_t i = 0; i < a.n; i++) {
        char c = a.p[i];
        if ((char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != lower.p[i]) {
            return false;
        }
    }
    return true;
}

static bool family_of(struct str word, enum cat_family *ret_family)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        if (same_word(word, families[i].name)) {
            *ret_family = families[i].family;
            return true;
        }
    }
    return false;
}

enum cat_family cat_class_family(const struct aws_nodeclass *node_class, const struct strtab *tab)
{
    enum cat_family family = CAT_AL2023;
    if (node_class == NULL || family_of(node_class->ami_family, &family)) {
        return family;
    }
    for (uint32_t i = 0; i < node_class->ami_aliases.n; i++) {
        struct str alias = strtab_str(tab, node_class->ami_aliases.v[i]);
        if (family_of(str_sub(alias, 0, str_find(alias, '@')), &family)) {
            return family;
        }
    }
    return CAT_AL2023;
}

struct str cat_class_windows_build(const struct aws_nodeclass *node_class, const struct strtab *tab)
{
    switch (cat_class_family(node_class, tab)) {
    case CAT_WINDOWS_2019:
        return STR("10.0.17763");
    case CAT_WINDOWS_2022:
        return STR("10.0.20348");
    case CAT_WINDOWS_2025:
        return STR("10.0.26100");
    case CAT_AL2:
    case CAT_AL2023:
    case CAT_BOTTLEROCKET:
    case CAT_CUSTOM:
        break;
    }
    return STR_EMPTY;
}

uint32_t cat_class_os(const struct aws_nodeclass *node_class, const struct strtab *tab)
{
    return cat_class_windows_build(node_class, tab).n > 0 ? (uint32_t)CAT_WINDOWS
                                                          : (uint32_t)CAT_LINUX;
}

bool cat_type_compatible(const struct cat_type *type, const struct aws_nodeclass *node_class,
                         const struct strtab *tab)
{
    if ((type->os & cat_class_os(node_class, tab)) == 0) {
        return false;
    }
    bool a1 = str_starts(strtab_str(tab, type->name), STR("a1.")) &&
              str_eq(strtab_str(tab, type->arch), STR("arm64"));
    return !a1 || cat_class_family(node_class, tab) != CAT_AL2023;
}
