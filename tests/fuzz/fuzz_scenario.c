/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A scenario of the sandbox from any bytes: refused in words, or a world that begins. */
#include "check.h"
#include "provisioner/sandbox/sandbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sandbox_options options = {.name = STR("fuzz"),
                                            .scenario = {.p = (const char *)data, .n = size},
                                            .seed = 1,
                                            .hours = {.has = true, .v = 0}};
    struct sandbox_report report = {.ran_ms = -1};
    struct err err = {.code = ERR_NONE};
    const bool good = sandbox_run(&options, &report, &err);
    MUST(good == (report.ran_ms >= 0));
    MUST(good || (err.code != ERR_NONE && err.text[0] != '\0'));
    MUST(!good || !report.broken || report.breach.text[0] != '\0');
    return 0;
}
