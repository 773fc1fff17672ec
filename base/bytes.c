/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/bytes.h"

#include <string.h>

static bool read_memory(void *ctx, char *buffer, size_t size, size_t *ret_n, struct err *err)
{
    struct byte_memory *memory = ctx;
    (void)err;
    size_t n = memory->step < size ? memory->step : size;
    n = n < memory->rest.n ? n : memory->rest.n;
    if (n > 0) {
        memcpy(buffer, memory->rest.p, n);
    }
    memory->rest = str_sub(memory->rest, n, memory->rest.n);
    *ret_n = n;
    return true;
}

struct byte_source byte_memory_source(struct byte_memory *memory)
{
    return (struct byte_source){.ctx = memory, .read = read_memory};
}
