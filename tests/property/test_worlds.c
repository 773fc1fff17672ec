/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Worlds of the sandbox in which anything goes wrong: test_worlds N SEED. Fails where a promise is
 * broken, and says how to see it again. */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "provisioner/sandbox/sandbox.h"

int main(int argc, char **argv)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf table = strbuf_new(&arena, 1 << 16);
    struct sandbox_options options = {.seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1};
    const uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    struct sandbox_runs runs;
    struct err err;
    if (!sandbox_scenario(STR("storm"), &options.name, &options.scenario) ||
        !sandbox_run_many(&options, n, NULL, &runs, &err)) {
        (void)printf("%s\n", err.text);
        return EXIT_FAILURE;
    }
    sandbox_runs_table(&options, &runs, /* took_ms= */ 0, &table);
    (void)printf(STR_FMT, STR_ARG(strbuf_str(&table)));
    return runs.n_broken == 0 && runs.n_launches_least >= 30 && runs.n_restarts_least >= 2
               ? EXIT_SUCCESS
               : EXIT_FAILURE;
}
