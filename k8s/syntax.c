/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/syntax.h"

#include "base/limits.h"

enum { DNS_LABEL_BYTES = 63 };

static bool lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool alphanumeric(char c)
{
    return lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

static bool dns_part(struct str s)
{
    if (s.n == 0 || !lower_or_digit(s.p[0]) || !lower_or_digit(s.p[s.n - 1])) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (!lower_or_digit(s.p[i]) && s.p[i] != '-') {
            return false;
        }
    }
    return true;
}

const char *k8s_name_fault(struct str text)
{
    if (text.n == 0) {
        return "must not be empty";
    }
    if (text.n > LIMIT_NAME_BYTES) {
        return "longer than 253 bytes (LIMIT_NAME_BYTES)";
    }
    for (size_t from = 0; from <= text.n;) {
        struct str rest = str_sub(text, from, text.n);
        size_t n = str_find(rest, '.');
        if (!dns_part(str_sub(rest, 0, n))) {
            return "a name consists of lower case letters, digits, '-' and '.', and begins and "
                   "ends with a letter or digit";
        }
        from += n + 1;
    }
    return NULL;
}

const char *k8s_dns_label_fault(struct str text)
{
    if (text.n == 0) {
        return "must not be empty";
    }
    if (text.n > DNS_LABEL_BYTES) {
        return "longer than 63 bytes";
    }
    return dns_part(text) ? NULL
                          : "must consist of lower case letters, digits and '-', and begin and end "
                            "with a letter or digit";
}

/* [A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])? */
static bool label_text(struct str s)
{
    if (s.n == 0 || !alphanumeric(s.p[0]) || !alphanumeric(s.p[s.n - 1])) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!alphanumeric(c) && c != '-' && c != '_' && c != '.') {
            return false;
        }
    }
    return true;
}

const char *k8s_label_key_fault(struct str text)
{
    size_t slash = str_find(text, '/');
    struct str name = text;
    if (text.n == 0) {
        return "a key must not be empty";
    }
    if (slash < text.n) {
        if (k8s_name_fault(str_sub(text, 0, slash)) != NULL) {
            return "the part of a key before '/' must be a DNS subdomain of at most 253 bytes";
        }
        name = str_sub(text, slash + 1, text.n);
    }
    if (name.n > LIMIT_LABEL_VALUE_BYTES) {
        return "the name part of a key is longer than 63 bytes";
    }
    return label_text(name)
               ? NULL
               : "the name part of a key consists of letters, digits, '-', '_' and '.', and begins "
                 "and ends with a letter or digit";
}

const char *k8s_label_value_fault(struct str text)
{
    if (text.n == 0) {
        return NULL;
    }
    if (text.n > LIMIT_LABEL_VALUE_BYTES) {
        return "a label value is longer than 63 bytes (LIMIT_LABEL_VALUE_BYTES)";
    }
    return label_text(text)
               ? NULL
               : "a label value consists of letters, digits, '-', '_' and '.', and begins and ends "
                 "with a letter or digit";
}

const char *k8s_printable_fault(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x20 || c == 0x7f) {
            return "must not contain control characters";
        }
    }
    return NULL;
}
