/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/schema_rules.h"

#include <string.h>

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

typedef const struct json_at *at_t;
typedef const struct schema_rule *rule_t;

/* ---- pieces ---- */

static bool has(at_t at, const char *key)
{
    struct json_at member = json_at_member(at, key);
    return member.v != NULL;
}

static struct str text_of(at_t at)
{
    return json_is_string(at->v)
               ? (struct str){.p = json_string_value(at->v), .n = json_string_length(at->v)}
               : STR_EMPTY;
}

static struct str text_at(at_t at, const char *key)
{
    struct json_at member = json_at_member(at, key);
    return text_of(&member);
}

static json_int_t integer_at(at_t at, const char *key)
{
    struct json_at member = json_at_member(at, key);
    return json_is_integer(member.v) ? json_integer_value(member.v) : 0;
}

/* CEL takes no 3.0 for an integer: a rule that reads one is broken. */
static bool is_float(at_t at, const char *key)
{
    struct json_at member = json_at_member(at, key);
    return json_is_real(member.v);
}

static size_t count_at(at_t at, const char *key)
{
    struct json_at member = json_at_member(at, key);
    return json_at_count(&member);
}

static bool has_any(at_t at, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        if (has(at, *keys)) {
            return true;
        }
    }
    return false;
}

static bool listed(const char *const *list, struct str text)
{
    for (; *list != NULL; list++) {
        if (str_eq(str_of(*list), text)) {
            return true;
        }
    }
    return false;
}

/* How many elements hold `one`. */
static size_t count(at_t at, rule_t rule, bool (*one)(at_t at, rule_t rule))
{
    size_t n = 0;
    for (size_t i = 0; i < json_at_count(at); i++) {
        struct json_at item = json_at_element(at, i);
        n += one(&item, rule) ? 1 : 0;
    }
    return n;
}

static bool all(at_t at, rule_t rule, bool (*one)(at_t at, rule_t rule))
{
    return count(at, rule, one) == json_at_count(at);
}

/* The members of an object, one after the other. An API server takes those away that are null
 * before it looks at anything. */
static bool all_members(at_t at, rule_t rule, bool (*one)(struct str key, at_t value, rule_t rule))
{
    json_t *object = json_is_object(at->v) ? (json_t *)(uintptr_t)at->v : NULL;
    for (void *it = json_object_iter(object); it != NULL; it = json_object_iter_next(object, it)) {
        struct str key = str_of(json_object_iter_key(it));
        struct json_at value = json_at_named(at, key, json_object_iter_value(it));
        if (value.v != NULL && !one(key, &value, rule)) {
            return false;
        }
    }
    return true;
}

/* ---- objects ---- */

static bool key_needs_list(at_t at, rule_t rule)
{
    return !has(at, rule->key) || has_any(at, rule->list);
}

static bool one_of_list(at_t at, rule_t rule)
{
    return has_any(at, rule->list);
}

static bool not_both(at_t at, rule_t rule)
{
    return !(has(at, rule->list[0]) && has(at, rule->list[1]));
}

static bool exactly_one(at_t at, rule_t rule)
{
    return has(at, rule->list[0]) != has(at, rule->list[1]);
}

static bool filled(at_t at, rule_t rule)
{
    (void)rule;
    return !json_is_string(at->v) || text_of(at).n > 0;
}

static bool not_empty_list(at_t at, rule_t rule)
{
    (void)rule;
    return json_at_count(at) > 0;
}

static bool snapshot_for_rate(at_t at, rule_t rule)
{
    return !has(at, rule->key) || text_at(at, "snapshotID").n > 0;
}

static bool thresholds_ordered(at_t at, rule_t rule)
{
    const char *high = rule->list[0], *low = rule->list[1];
    return !has(at, high) || !has(at, low) ||
           (!is_float(at, high) && !is_float(at, low) &&
            integer_at(at, high) > integer_at(at, low));
}

static bool key_listed(struct str key, at_t value, rule_t rule)
{
    (void)value;
    return listed(rule->list, key);
}

/* `key` is one of jansson's, which end with NUL. */
static bool is_in_second(struct str key, at_t value, rule_t rule)
{
    struct json_at second = json_at_member(value->up->up, rule->list[1]);
    struct json_at member = json_at_named(&second, key, json_object_get(second.v, key.p));
    return member.v != NULL;
}

/* Every key of the first map is one of the second. */
static bool keys_match(at_t at, rule_t rule)
{
    struct json_at first = json_at_member(at, rule->list[0]);
    return all_members(&first, rule, is_in_second);
}

static bool limits_of_static(at_t at, rule_t rule)
{
    struct json_at limits = json_at_member(at, "limits");
    return !has(at, "replicas") || all_members(&limits, rule, key_listed);
}

/* ---- lists of terms ---- */

static bool terms_have_one(at_t at, rule_t rule)
{
    return all(at, rule, one_of_list);
}

static bool key_and_list(at_t at, rule_t rule)
{
    return has(at, rule->key) && has_any(at, rule->list);
}

/* karp: these CEL rules fire only when every term breaks them, an empty list included. */
static bool not_all_mixed(at_t at, rule_t rule)
{
    return !all(at, rule, key_and_list);
}

static bool none_mixed(at_t at, rule_t rule)
{
    return count(at, rule, key_and_list) == 0;
}

static bool has_key(at_t at, rule_t rule)
{
    return has(at, rule->key);
}

static bool key_only_alone(at_t at, rule_t rule)
{
    return count(at, rule, has_key) == 0 || json_at_count(at) == 1;
}

static bool is_root(at_t at, rule_t rule)
{
    struct json_at member = json_at_member(at, rule->key);
    return json_is_true(member.v);
}

static bool one_root(at_t at, rule_t rule)
{
    return count(at, rule, is_root) <= 1;
}

static bool is_primary(at_t at, rule_t rule)
{
    (void)rule;
    return integer_at(at, "deviceIndex") == 0 && integer_at(at, "networkCardIndex") == 0 &&
           str_eq(text_at(at, "interfaceType"), STR("interface"));
}

static bool has_float_index(at_t at, rule_t rule)
{
    (void)rule;
    return is_float(at, "deviceIndex") || is_float(at, "networkCardIndex");
}

static bool has_primary(at_t at, rule_t rule)
{
    return json_at_count(at) == 0 ||
           (count(at, rule, has_float_index) == 0 && count(at, rule, is_primary) > 0);
}

static bool interfaces_distinct(at_t at, rule_t rule)
{
    size_t n = json_at_count(at);
    (void)rule;
    for (size_t i = 0; i < n; i++) {
        struct json_at x = json_at_element(at, i);
        for (size_t j = i + 1; j < n; j++) {
            struct json_at y = json_at_element(at, j);
            bool card = integer_at(&x, "networkCardIndex") == integer_at(&y, "networkCardIndex");
            bool both = str_eq(text_at(&x, "interfaceType"), STR("efa-only")) &&
                        str_eq(text_at(&y, "interfaceType"), STR("efa-only"));
            if (card && (both || integer_at(&x, "deviceIndex") == integer_at(&y, "deviceIndex"))) {
                return false;
            }
        }
    }
    return true;
}

static bool window_complete(at_t at, rule_t rule)
{
    (void)rule;
    return has(at, "schedule") == has(at, "duration");
}

static bool windows_complete(at_t at, rule_t rule)
{
    return all(at, rule, window_complete);
}

/* ---- AMI aliases ---- */

static struct str family(struct str alias)
{
    return str_sub(alias, 0, str_find(alias, '@'));
}

static bool alias_form(at_t at, rule_t rule)
{
    struct str s = text_of(at);
    size_t n = str_find(s, '@');
    (void)rule;
    for (size_t i = 0; i < n; i++) {
        char c = (char)(s.p[i] | 0x20);
        if (!(c >= 'a' && c <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9')) {
            return false;
        }
    }
    return n > 0 && n + 1 < s.n;
}

static bool alias_family(at_t at, rule_t rule)
{
    return listed(rule->list, family(text_of(at)));
}

static bool alias_windows(at_t at, rule_t rule)
{
    struct str s = text_of(at);
    struct str version = str_sub(s, family(s).n + 1, s.n);
    version = str_sub(version, 0, str_find(version, '@'));
    return !listed(rule->list, family(s)) || str_eq(version, STR("latest"));
}

static bool is_of_family(at_t at, rule_t rule)
{
    return has(at, "alias") && str_eq(family(text_at(at, "alias")), str_of(rule->key));
}

/* With an alias of family `key` the field is list[0] or Custom. */
static bool family_agrees(at_t at, rule_t rule)
{
    struct json_at terms = json_at_member(at, "amiSelectorTerms");
    struct str given = text_at(at, "amiFamily");
    return !has(at, "amiFamily") || count(&terms, rule, is_of_family) == 0 ||
           str_eq(given, STR("Custom")) || str_eq(given, str_of(rule->list[0]));
}

static bool family_given(at_t at, rule_t rule)
{
    struct json_at terms = json_at_member(at, "amiSelectorTerms");
    return count(&terms, rule, has_key) > 0 || has(at, "amiFamily");
}

/* ---- maps ---- */

static bool pair_filled(struct str key, at_t value, rule_t rule)
{
    (void)rule;
    return key.n > 0 && (!json_is_string(value->v) || text_of(value).n > 0);
}

static bool pairs_filled(at_t at, rule_t rule)
{
    return all_members(at, rule, pair_filled);
}

static bool key_filled(struct str key, at_t value, rule_t rule)
{
    (void)value;
    (void)rule;
    return key.n > 0;
}

static bool keys_filled(at_t at, rule_t rule)
{
    return all_members(at, rule, key_filled);
}

static bool keys_listed(at_t at, rule_t rule)
{
    return all_members(at, rule, key_listed);
}

static bool key_not_listed(struct str key, at_t value, rule_t rule)
{
    return !key_listed(key, value, rule);
}

static bool keys_not_listed(at_t at, rule_t rule)
{
    return all_members(at, rule, key_not_listed);
}

static bool key_without_prefix(struct str key, at_t value, rule_t rule)
{
    (void)value;
    return !str_starts(key, str_of(rule->key));
}

static bool keys_without_prefix(at_t at, rule_t rule)
{
    return all_members(at, rule, key_without_prefix);
}

static bool value_positive(struct str key, at_t value, rule_t rule)
{
    (void)key;
    (void)rule;
    return !str_starts(text_of(value), STR("-"));
}

static bool values_positive(at_t at, rule_t rule)
{
    return all_members(at, rule, value_positive);
}

/* ---- label keys ---- */

/* Keys of the domain `key` are reserved, but for those of the list. */
static bool domain_allows(rule_t rule, struct str label)
{
    struct str domain = str_sub(label, 0, str_find(label, '/'));
    return listed(rule->list, label) || !str_ends(domain, str_of(rule->key));
}

static bool text_in_domain(at_t at, rule_t rule)
{
    return domain_allows(rule, text_of(at));
}

static bool key_in_domain(struct str key, at_t value, rule_t rule)
{
    (void)value;
    return domain_allows(rule, key);
}

static bool keys_in_domain(at_t at, rule_t rule)
{
    return all_members(at, rule, key_in_domain);
}

static bool text_not_listed(at_t at, rule_t rule)
{
    return !listed(rule->list, text_of(at));
}

/* ---- requirements ---- */

static bool op_has_values(at_t at, rule_t rule)
{
    return !str_eq(text_at(at, "operator"), str_of(rule->key)) || count_at(at, "values") > 0;
}

static bool ops_have_values(at_t at, rule_t rule)
{
    return all(at, rule, op_has_values);
}

static bool number_alone(at_t at, rule_t rule)
{
    struct json_at values = json_at_member(at, "values");
    struct json_at first = json_at_element(&values, 0);
    int64_t number = 0;
    return !listed(rule->list, text_at(at, "operator")) ||
           (json_at_count(&values) == 1 && str_to_i64(text_of(&first), &number) && number >= 0);
}

static bool numbers_alone(at_t at, rule_t rule)
{
    return all(at, rule, number_alone);
}

static bool enough_values(at_t at, rule_t rule)
{
    (void)rule;
    return !str_eq(text_at(at, "operator"), STR("In")) || !has(at, "minValues") ||
           (!is_float(at, "minValues") &&
            (json_int_t)count_at(at, "values") >= integer_at(at, "minValues"));
}

static bool all_enough_values(at_t at, rule_t rule)
{
    return all(at, rule, enough_values);
}

/* ---- the rules ---- */

#define SIGNALS                                                                                    \
    WORDS("memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available",        \
          "imagefs.inodesFree", "pid.available")
#define AWS(name) "karpenter.k8s.aws/" name
#define AWS_TYPE_KEYS                                                                              \
    AWS("ec2nodeclass"), AWS("instance-accelerator-count"),                                        \
        AWS("instance-accelerator-manufacturer"), AWS("instance-accelerator-name"),                \
        AWS("instance-capability-flex"), AWS("instance-category"), AWS("instance-cpu"),            \
        AWS("instance-cpu-manufacturer"), AWS("instance-cpu-sustained-clock-speed-mhz"),           \
        AWS("instance-ebs-bandwidth"), AWS("instance-encryption-in-transit-supported"),            \
        AWS("instance-family"), AWS("instance-generation"), AWS("instance-gpu-count"),             \
        AWS("instance-gpu-manufacturer"), AWS("instance-gpu-memory"), AWS("instance-gpu-name"),    \
        AWS("instance-hypervisor"), AWS("instance-local-nvme"), AWS("instance-memory"),            \
        AWS("instance-network-bandwidth"), AWS("instance-size")
#define AWS_KEYS                                                                                   \
    AWS_TYPE_KEYS, AWS("capacity-reservation-id"), AWS("capacity-reservation-interruptible"),      \
        AWS("capacity-reservation-type"), AWS("instance-tenancy"), AWS("placement-group-id"),      \
        AWS("placement-group-partition")
#define KARPENTER_KEYS "karpenter.sh/capacity-type", "karpenter.sh/nodepool"
#define WINDOWS        "windows2019", "windows2022", "windows2025"

/* What each function says, in CEL, for the CRDs: $k is the key, $0 and $1 are members of the list,
 * $l is the list, $h and $t ask whether the object or the term has one of its members. */
#define CEL_key_needs_list "has(self.$k) ? $h : true"
#define CEL_one_of_list    "$h"
#define CEL_not_both       "!has(self.$0) || !has(self.$1)"
#define CEL_exactly_one    "has(self.$0) != has(self.$1)"
#define CEL_filled         "self.size() > 0"
#define CEL_not_empty_list "self.size() > 0"
#define CEL_snapshot_for_rate                                                                      \
    "!has(self.$k) || (has(self.snapshotID) && self.snapshotID.size() > 0)"
#define CEL_thresholds_ordered "!has(self.$0) || !has(self.$1) || self.$0 > self.$1"
#define CEL_keys_match         "!has(self.$0) || self.$0.all(k, has(self.$1) && k in self.$1)"
#define CEL_limits_of_static                                                                       \
    "!has(self.replicas) || !has(self.limits) || self.limits.all(k, k in $l)"
#define CEL_terms_have_one "self.all(t, $t)"
#define CEL_not_all_mixed  "self.exists(t, !has(t.$k) || !($t))"
#define CEL_none_mixed     "self.all(t, !has(t.$k) || !($t))"
#define CEL_key_only_alone "self.size() == 1 || self.all(t, !has(t.$k))"
#define CEL_one_root       "self.filter(t, has(t.$k) && t.$k).size() < 2"
#define CEL_has_primary                                                                            \
    "self.size() == 0 || self.exists(t, t.interfaceType == 'interface' && "                        \
    "t.deviceIndex == 0 && t.networkCardIndex == 0)"
#define CEL_interfaces_distinct                                                                    \
    "self.all(a, self.exists_one(b, a.networkCardIndex == b.networkCardIndex && "                  \
    "a.deviceIndex == b.deviceIndex) && (a.interfaceType != 'efa-only' || "                        \
    "self.exists_one(b, a.networkCardIndex == b.networkCardIndex && b.interfaceType"               \
    " == 'efa-only')))"
#define CEL_windows_complete "self.all(b, has(b.schedule) == has(b.duration))"
#define CEL_alias_form       "self.matches('^[0-9A-Za-z]+@.+$')"
#define CEL_alias_family     "self.split('@')[0] in $l"
#define CEL_alias_windows    "!(self.split('@')[0] in $l) || self.split('@')[1] == 'latest'"
#define CEL_family_agrees                                                                          \
    "!has(self.amiFamily) || self.amiFamily in ['Custom', '$0'] || "                               \
    "!self.amiSelectorTerms.exists(t, has(t.alias) && t.alias.split('@')[0] == "                   \
    "'$k')"
#define CEL_family_given        "has(self.amiFamily) || self.amiSelectorTerms.exists(t, has(t.$k))"
#define CEL_pairs_filled        "self.all(k, k.size() > 0 && self[k].size() > 0)"
#define CEL_keys_filled         "self.all(k, k.size() > 0)"
#define CEL_keys_listed         "self.all(k, k in $l)"
#define CEL_keys_not_listed     "!self.exists(k, k in $l)"
#define CEL_keys_without_prefix "!self.exists(k, k.startsWith('$k'))"
#define CEL_values_positive     "self.all(k, !self[k].startsWith('-'))"
#define CEL_text_in_domain      "self in $l || !self.split('/')[0].endsWith('$k')"
#define CEL_keys_in_domain      "self.all(k, k in $l || !k.split('/')[0].endsWith('$k'))"
#define CEL_text_not_listed     "!(self in $l)"
#define CEL_ops_have_values                                                                        \
    "self.all(r, r.operator != '$k' || (has(r.values) && r.values.size() > 0))"
#define CEL_numbers_alone                                                                          \
    "self.all(r, !(r.operator in $l) || (has(r.values) && r.values.size() == 1 && "                \
    "int(r.values[0]) >= 0))"
#define CEL_all_enough_values                                                                      \
    "self.all(r, r.operator != 'In' || !has(r.minValues) || (has(r.values) && "                    \
    "r.values.size() >= r.minValues))"

#define RULE(name, hash, holds, key, list, text)                                                   \
    const struct schema_rule rule_##name = {hash, holds, CEL_##holds, text, key, list}
#define FAMILY(name, hash, family)                                                                 \
    RULE(family_##name, hash, family_agrees, #name, WORDS(family),                                 \
         "amiFamily must be " family " or Custom beside an alias of " #name)
/* Of updates only, which nothing here sees. */
#define UPDATE_RULE(name, hash, cel, text)                                                         \
    const struct schema_rule rule_##name = {hash, NULL, cel, text, NULL, NULL}

RULE(buffer_size, "25d88f46", key_needs_list, "podTemplateRef", WORDS("replicas", "limits"),
     "podTemplateRef needs replicas or limits");
RULE(buffer_one_source, "42bd51fe", not_both, NULL, WORDS("podTemplateRef", "scalableRef"),
     "podTemplateRef and scalableRef cannot both be set");
RULE(role_or_profile, "fb0a921a", exactly_one, NULL, WORDS("role", "instanceProfile"),
     "exactly one of role and instanceProfile must be set");
FAMILY(al2, "5b05d40e", "AL2");
FAMILY(al2023, "6834c85d", "AL2023");
FAMILY(bottlerocket, "c44baa12", "Bottlerocket");
FAMILY(windows2019, "38a01e23", "Windows2019");
FAMILY(windows2022, "7ebdc823", "Windows2022");
FAMILY(windows2025, "80d0d919", "Windows2025");
RULE(family_needed, "182be956", family_given, "alias", NULL,
     "amiFamily is required when no term has an alias");
RULE(ami_terms, "10128c39", terms_have_one, NULL,
     WORDS("tags", "id", "name", "alias", "ssmParameter"),
     "each term needs one of tags, id, name, alias, ssmParameter");
RULE(ami_id_alone, "d9336651", none_mixed, "id", WORDS("alias", "tags", "name", "owner"),
     "a term with id can have no alias, tags, name or owner");
RULE(ami_alias_alone, "ca1070cc", none_mixed, "alias", WORDS("id", "tags", "name", "owner"),
     "a term with alias can have no id, tags, name or owner");
RULE(ami_alias_only_term, "f4a3d781", key_only_alone, "alias", NULL,
     "a term with alias must be the only one");
RULE(alias_form, "df2d9476", alias_form, NULL, NULL, "must be family@version");
RULE(alias_family, "43e13ab6", alias_family, NULL, WORDS("al2", "al2023", "bottlerocket", WINDOWS),
     "the family must be one of al2, al2023, bottlerocket, windows2019, windows2022, windows2025");
RULE(alias_windows, "c37d2166", alias_windows, NULL, WORDS(WINDOWS),
     "windows families know the version latest only");
RULE(tags_filled, "67e37bc5", pairs_filled, NULL, NULL, "keys and values must not be empty");
RULE(one_root_volume, "86eff2ba", one_root, "rootVolume", NULL,
     "at most one mapping can be the root volume");
RULE(ebs_size, "ebf7525c", one_of_list, NULL, WORDS("snapshotID", "volumeSize"),
     "one of snapshotID and volumeSize is required");
RULE(ebs_rate, "ed2ac0da", snapshot_for_rate, "volumeInitializationRate", NULL,
     "volumeInitializationRate needs a snapshotID");
RULE(reservation_terms, "5ba24c02", terms_have_one, NULL,
     WORDS("tags", "id", "instanceMatchCriteria"),
     "each term needs one of tags, id, instanceMatchCriteria");
RULE(reservation_id_alone, "5615f3b7", not_all_mixed, "id",
     WORDS("tags", "ownerID", "instanceMatchCriteria"),
     "a term with id can have no tags, ownerID or instanceMatchCriteria");
RULE(tracking_set, "a51434d8", one_of_list, NULL,
     WORDS("tcpEstablishedTimeout", "udpStreamTimeout", "udpTimeout"),
     "one of tcpEstablishedTimeout, udpStreamTimeout, udpTimeout is required");
RULE(not_empty, "53f953b3", filled, NULL, NULL, "must not be empty");
RULE(gc_order, "cd6eb1c2", thresholds_ordered, NULL,
     WORDS("imageGCHighThresholdPercent", "imageGCLowThresholdPercent"),
     "imageGCHighThresholdPercent must be above imageGCLowThresholdPercent");
RULE(soft_has_grace, "d380ee2d", keys_match, NULL, WORDS("evictionSoft", "evictionSoftGracePeriod"),
     "every signal of evictionSoft needs its evictionSoftGracePeriod");
RULE(grace_has_soft, "0babc5d0", keys_match, NULL, WORDS("evictionSoftGracePeriod", "evictionSoft"),
     "every signal of evictionSoftGracePeriod needs its evictionSoft");
RULE(signals, "344672bc", keys_listed, NULL, SIGNALS,
     "signals are memory.available, nodefs.available, nodefs.inodesFree, imagefs.available, "
     "imagefs.inodesFree and pid.available");
RULE(reserved_keys, "4b8d0b0f", keys_listed, NULL,
     WORDS("cpu", "memory", "ephemeral-storage", "pid"),
     "resources are cpu, memory, ephemeral-storage and pid");
RULE(reserved_positive, "54a4d68c", values_positive, NULL, NULL, "must not be negative");
RULE(primary_interface, "eaefa347", has_primary, NULL, NULL,
     "card 0, device 0 of type interface must be among them");
RULE(interfaces_distinct, "af4a3007", interfaces_distinct, NULL, NULL,
     "pairs of card and device must be distinct, with at most one efa-only device a card");
RULE(placement_given, "5d8111df", one_of_list, NULL, WORDS("name", "id"),
     "one of name and id is required");
RULE(placement_one, "c06758db", not_both, NULL, WORDS("name", "id"),
     "name and id cannot both be set");
RULE(some_terms, "640ba693", not_empty_list, NULL, NULL, "at least one term is required");
RULE(group_terms, "6ed3e3b1", terms_have_one, NULL, WORDS("tags", "id", "name"),
     "each term needs one of tags, id, name");
RULE(group_id_alone, "97c305fc", not_all_mixed, "id", WORDS("tags", "name"),
     "a term with id can have no tags or name");
RULE(group_name_alone, "bf2d46a2", not_all_mixed, "name", WORDS("tags", "id"),
     "a term with name can have no tags or id");
RULE(subnet_terms, "f421da07", terms_have_one, NULL, WORDS("tags", "id"),
     "each term needs one of tags, id");
RULE(subnet_id_alone, "7987af8a", not_all_mixed, "id", WORDS("tags"),
     "a term with id can have no tags");
RULE(tag_keys, "b223f8b9", keys_filled, NULL, NULL, "keys must not be empty");
RULE(tag_cluster, "046d8b80", keys_not_listed, NULL, WORDS("eks:eks-cluster-name"),
     "the tag eks:eks-cluster-name is reserved");
RULE(tag_owned, "2052d57d", keys_without_prefix, "kubernetes.io/cluster", NULL,
     "tags kubernetes.io/cluster... are reserved");
RULE(tag_nodepool, "4129eeab", keys_not_listed, NULL, WORDS("karpenter.sh/nodepool"),
     "the tag karpenter.sh/nodepool is reserved");
RULE(tag_nodeclaim, "9aab54f2", keys_not_listed, NULL, WORDS("karpenter.sh/nodeclaim"),
     "the tag karpenter.sh/nodeclaim is reserved");
RULE(tag_nodeclass, "d8e08895", keys_not_listed, NULL, WORDS(AWS("ec2nodeclass")),
     "the tag karpenter.k8s.aws/ec2nodeclass is reserved");
UPDATE_RULE(claim_immutable, "f4f4adcf", "self == oldSelf", "cannot be changed");
RULE(in_values, "a691217b", ops_have_values, "In", NULL, "In needs at least one value");
RULE(numbers, "66332da9", numbers_alone, NULL, WORDS("Gt", "Lt", "Gte", "Lte"),
     "Gt, Lt, Gte and Lte need a single whole number, not negative");
RULE(min_values, "5d46cdd5", all_enough_values, NULL, NULL,
     "In needs at least as many values as minValues says");
RULE(key_karpenter, "d7ad786a", text_in_domain, "karpenter.sh", WORDS(KARPENTER_KEYS),
     "the domain karpenter.sh is reserved");
RULE(key_hostname, "d815b0a1", text_not_listed, NULL, WORDS("kubernetes.io/hostname"),
     "kubernetes.io/hostname is reserved");
RULE(key_aws, "2000e204", text_in_domain, "karpenter.k8s.aws", WORDS(AWS_KEYS),
     "no label of the domain karpenter.k8s.aws that may be required");
RULE(key_nodepool, "4a7937fb", text_not_listed, NULL, WORDS("karpenter.sh/nodepool"),
     "karpenter.sh/nodepool is reserved");
RULE(one_price, "5f47908d", not_both, NULL, WORDS("price", "priceAdjustment"),
     "price and priceAdjustment cannot both be set");
RULE(overlay_capacity, "a8e05184", keys_not_listed, NULL,
     WORDS("cpu", "memory", "ephemeral-storage", "pods"),
     "cpu, memory, ephemeral-storage and pods cannot be changed");
RULE(not_in_values, "297215f4", ops_have_values, "NotIn", NULL, "NotIn needs at least one value");
RULE(overlay_key_aws, "e268d46b", text_in_domain, "karpenter.k8s.aws", WORDS(AWS_TYPE_KEYS),
     "no label of the domain karpenter.k8s.aws that may be required");
UPDATE_RULE(static_for_good, "ba3785a7", "has(self.replicas) == has(oldSelf.replicas)",
            "replicas cannot be set or taken away afterwards");
RULE(static_limits, "deb2bd9c", limits_of_static, NULL, WORDS("nodes"),
     "with replicas only limits.nodes can be set");
RULE(static_weight, "baf63be4", not_both, NULL, WORDS("replicas", "weight"),
     "weight cannot be set together with replicas");
RULE(budget_window, "a18a6e92", windows_complete, NULL, NULL,
     "schedule and duration must be set together");
RULE(label_karpenter, "263336ec", keys_in_domain, "karpenter.sh", WORDS(KARPENTER_KEYS),
     "the domain karpenter.sh is reserved");
RULE(label_nodepool, "3f7f93e4", keys_not_listed, NULL, WORDS("karpenter.sh/nodepool"),
     "karpenter.sh/nodepool is reserved");
RULE(label_hostname, "0ff8e93e", keys_not_listed, NULL, WORDS("kubernetes.io/hostname"),
     "kubernetes.io/hostname is reserved");
RULE(label_aws, "c1b23e39", keys_in_domain, "karpenter.k8s.aws", WORDS(AWS_KEYS),
     "no label of the domain karpenter.k8s.aws that may be set");
UPDATE_RULE(group_immutable, "941736dc", "self.group == oldSelf.group", "group cannot be changed");
UPDATE_RULE(kind_immutable, "54871a1c", "self.kind == oldSelf.kind", "kind cannot be changed");
