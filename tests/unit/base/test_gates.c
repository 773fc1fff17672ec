/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/gates.h"

/* What a list comes to, one letter a gate: the first of its name, upper case when it is on; "!"
 * where something is wrong. */
static void lists_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *read;
    } rows[] = {
        {"", ""},
        {",, ,", ""},
        {"a=true", "A"},
        {"a=true,b=false", "Ab"},
        {" a = true , b= false,", "Ab"},
        {"a=true,a=false", "Aa"},
        {"a", "!"},
        {"a=", "!"},
        {"a=True", "!"},
        {"a=true=false", "!"},
        {"=true", "!"},
        {"a=true,b", "A!"},
        {"a=1,b=true", "!B"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str rest = str_of(rows[i].text);
        struct gate_text gate;
        enum gates_read got;
        char read[8] = "";
        size_t n = 0;
        while ((got = gates_next(&rest, &gate)) != GATES_END && n < sizeof read - 1) {
            read[n++] = got == GATES_WRONG ? '!'
                        : gate.on          ? (char)(gate.name.p[0] - 'a' + 'A')
                                           : gate.name.p[0];
        }
        assert_string_equal(read, rows[i].read);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lists_are_taken_apart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
