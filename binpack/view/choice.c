/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/view/choice.h"

#include "binpack/plan/plan_json.h"
#include "binpack/view/text.h"

struct str choice_text(const struct plan *plan, const struct plan_choice *choice,
                       struct arena *arena)
{
    const struct strtab *tab = plan->cluster->tab;
    struct str type = strtab_str(tab, choice->type->name);
    struct str capacity = plan_capacity_type_name(choice->capacity_type);
    struct str zone = strtab_str(tab, plan->catalog->zones[choice->zone_i].name);
    return text_format(arena, STR_FMT " " STR_FMT " " STR_FMT, STR_ARG(type), STR_ARG(capacity),
                       STR_ARG(zone));
}

void choices_json(const struct plan *plan, const struct plan_choice *choices, uint32_t n,
                  struct jsonw *w)
{
    const struct strtab *tab = plan->cluster->tab;
    jsonw_key_array(w, "cheapest");
    for (uint32_t i = 0; i < n; i++) {
        const struct plan_choice *choice = &choices[i];
        jsonw_object_begin(w);
        jsonw_key_str(w, "instanceType", strtab_str(tab, choice->type->name));
        jsonw_key_str(w, "zone", strtab_str(tab, plan->catalog->zones[choice->zone_i].name));
        jsonw_key_str(w, "capacityType", plan_capacity_type_name(choice->capacity_type));
        jsonw_key_usd(w, "usdPerHour", choice->price);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}
