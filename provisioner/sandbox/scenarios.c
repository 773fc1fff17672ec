/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/sandbox/scenarios.h"

#include "provisioner/sandbox/sandbox.h"

bool sandbox_scenario(struct str name, struct str *ret_name, struct str *ret_text)
{
    for (size_t i = 0; i < n_scenario_texts; i++) {
        if (name.n == 0 || str_eq(name, str_of(scenario_texts[i].name))) {
            *ret_name = str_of(scenario_texts[i].name);
            *ret_text = str_of(scenario_texts[i].text);
            return true;
        }
    }
    return false;
}

void sandbox_names(struct strbuf *out)
{
    for (size_t i = 0; i < n_scenario_texts; i++) {
        strbuf_addf(out, "%s%s", i == 0 ? "" : ", ", scenario_texts[i].name);
    }
}
