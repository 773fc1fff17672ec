/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/yaml_scalar.h"

#include <string.h>

#include "base/number.h"
#include "base/utf8.h"

struct word {
    struct str text;
    enum yaml_kind kind;
    bool boolean;
};

/* Single letters stay text, as in YAML 1.2 and in most readers of YAML 1.1, though the
 * specification of 1.1 counts them among the booleans: a label value "y" or a name "n" is what
 * people mean. */
static const struct word words[] = {
    {STR("yes"), YAML_BOOL, true},    {STR("Yes"), YAML_BOOL, true},
    {STR("YES"), YAML_BOOL, true},    {STR("true"), YAML_BOOL, true},
    {STR("True"), YAML_BOOL, true},   {STR("TRUE"), YAML_BOOL, true},
    {STR("on"), YAML_BOOL, true},     {STR("On"), YAML_BOOL, true},
    {STR("ON"), YAML_BOOL, true},     {STR("no"), YAML_BOOL, false},
    {STR("No"), YAML_BOOL, false},    {STR("NO"), YAML_BOOL, false},
    {STR("false"), YAML_BOOL, false}, {STR("False"), YAML_BOOL, false},
    {STR("FALSE"), YAML_BOOL, false}, {STR("off"), YAML_BOOL, false},
    {STR("Off"), YAML_BOOL, false},   {STR("OFF"), YAML_BOOL, false},
    {STR("~"), YAML_NULL, false},     {STR("null"), YAML_NULL, false},
    {STR("Null"), YAML_NULL, false},  {STR("NULL"), YAML_NULL, false},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct yaml_value text_value(void)
{
    return (struct yaml_value){.kind = YAML_STR, .boolean = false, .integer = 0, .real = 0};
}

static struct yaml_value int_value(int64_t value)
{
    return (struct yaml_value){.kind = YAML_INT, .boolean = false, .integer = value, .real = 0};
}

static struct yaml_value real_value(struct str text)
{
    double value = number_parse_double(text);
    if (value - value != 0) {
        return text_value(); /* out of range: stays text */
    }
    if (value >= -9007199254740992.0 && value <= 9007199254740992.0 &&
        value == (double)(int64_t)value) {
        return int_value((int64_t)value);
    }
    return (struct yaml_value){.kind = YAML_REAL, .boolean = false, .integer = 0, .real = value};
}

static int digit_of(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    char low = (char)(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : 99;
}

/* Go's strconv.ParseInt with base 0; without underscores. */
static bool take_int(struct str text, int64_t *ret_value)
{
    bool negative = text.p[0] == '-';
    struct str digits = str_sub(text, negative || text.p[0] == '+' ? 1 : 0, text.n);
    int base = 10;
    uint64_t value = 0;
    if (digits.n > 1 && digits.p[0] == '0') {
        char mark = (char)(digits.p[1] | 0x20);
        base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 8;
        digits = str_sub(digits, mark == 'x' || mark == 'o' || mark == 'b' ? 2 : 1, digits.n);
    }
    if (digits.n == 0) {
        return false;
    }
    for (size_t i = 0; i < digits.n; i++) {
        int digit = digit_of(digits.p[i]);
        if (digit >= base || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value)) {
            return false;
        }
    }
    if (value > (uint64_t)INT64_MAX + (negative ? 1U : 0U)) {
        return false;
    }
    *ret_value = negative ? (int64_t)(UINT64_C(0) - value) : (int64_t)value;
    return true;
}

/* ^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$ */
static bool looks_like_float(struct str s)
{
    size_t i = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
    size_t whole = 0, fraction = 0, exponent = 0;
    for (; i < s.n && is_digit(s.p[i]); i++) {
        whole++;
    }
    if (i < s.n && s.p[i] == '.') {
        for (i++; i < s.n && is_digit(s.p[i]); i++) {
            fraction++;
        }
    }
    if (whole + fraction == 0) {
        return false;
    }
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        i += i + 1 < s.n && (s.p[i + 1] == '-' || s.p[i + 1] == '+') ? 2 : 1;
        for (; i < s.n && is_digit(s.p[i]); i++) {
            exponent++;
        }
        if (exponent == 0) {
            return false;
        }
    }
    return i == s.n;
}

static struct yaml_value number(struct str plain)
{
    char buffer[NUMBER_PARSE_MAX];
    struct str text = {.p = buffer, .n = 0};
    int64_t integer = 0;
    if (plain.n > NUMBER_PARSE_MAX) {
        return text_value();
    }
    for (size_t i = 0; i < plain.n; i++) {
        if (plain.p[i] != '_' || plain.p[0] == '.') {
            buffer[text.n++] = plain.p[i];
        }
    }
    if (plain.p[0] != '.' && take_int(text, &integer)) {
        return int_value(integer);
    }
    return looks_like_float(text) ? real_value(text) : text_value();
}

struct yaml_value yaml_resolve(struct str plain)
{
    if (plain.n == 0) {
        return (struct yaml_value){.kind = YAML_NULL, .boolean = false, .integer = 0, .real = 0};
    }
    char first = plain.p[0];
    if (is_digit(first) || first == '+' || first == '-' || first == '.') {
        return number(plain);
    }
    if (plain.n <= 5 && memchr("yYnNtTfFoO~", first, 11) != NULL) {
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            if (str_eq(plain, words[i].text)) {
                return (struct yaml_value){
                    .kind = words[i].kind, .boolean = words[i].boolean, .integer = 0, .real = 0};
            }
        }
    }
    return text_value();
}

/* What some reader takes for a number, a date, a base-60 number, an infinity, a merge key or a
 * default. */
static bool reads_as_something_else(struct str text)
{
    char first = text.p[0];
    if (is_digit(first) || first == '+' || first == '-' || first == '.') {
        /* Versions and addresses are text everywhere: two points, or a letter that no number has.
         */
        size_t n_points = 0;
        bool letters = false;
        for (size_t i = 0; i < text.n; i++) {
            char low = (char)(text.p[i] | 0x20);
            n_points += text.p[i] == '.' ? 1 : 0;
            letters = letters || (low > 'f' && low <= 'z' && low != 'x' && low != 'o');
            if (text.p[i] == ':') {
                return true;
            }
        }
        return !is_digit(first) || !(letters || n_points > 1);
    }
    bool letter =
        text.n == 1 && memchr("yYnN", first, 4) != NULL; /* a boolean to kubectl, text to us */
    return letter || str_eq(text, STR("<<")) || str_eq(text, STR("=")) ||
           yaml_resolve(text).kind != YAML_STR;
}

bool yaml_plain_is_safe(struct str text)
{
    if (text.n == 0 || text.n > 1024 || text.p[0] == ' ' || text.p[text.n - 1] == ' ' ||
        text.p[text.n - 1] == ':' || memchr("-?:,[]{}#&*!|>'\"%@`", text.p[0], 19) != NULL) {
        return false;
    }
    for (size_t i = 0; i < text.n;) {
        uint32_t code = 0;
        size_t size = utf8_decode(text.p + i, text.n - i, &code);
        bool colon = code == ':' && i + 1 < text.n && text.p[i + 1] == ' ';
        bool comment = code == '#' && i > 0 && text.p[i - 1] == ' ';
        if (size == 0 || utf8_is_unsafe(code) || code > 0xffff || colon || comment) {
            return false;
        }
        i += size;
    }
    return !reads_as_something_else(text);
}
