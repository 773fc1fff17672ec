/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prints every schema rule as kind, path and rule, for schema_coverage.py. */
#include <stdio.h>

#include "k8s/schema.h"

int main(void)
{
    struct k8s_schema_rule rule;
    for (uint32_t i = 0; k8s_schema_rule(i, &rule); i++) {
        (void)printf("%s\t%s\t%s\n", rule.kind, rule.path, rule.rule);
    }
    return 0;
}
