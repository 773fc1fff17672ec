/* SPDX-License-Identifier: GPL-3.0-or-later */
/* k8s_read over any bytes: it ends, and how many bytes come at a time (the first byte says) changes
 * neither the objects nor the error. */
#include <string.h>

#include "base/arena.h"
#include "check.h"
#include "k8s/reader.h"

/* Everything handed over, as text. */
struct seen {
    uint64_t hash, n;
};

static bool see(void *ctx, const struct k8s_read_object *object, struct err *err)
{
    struct seen *seen = ctx;
    (void)err;
    MUST(object->value != NULL);
    MUST(object->line >= 1);
    seen->n++;
    seen->hash = seen->hash * 31 + str_hash(object->list_kind) + object->line +
                 (object->removed ? 1 : 0) + json_object_size(object->value) * 7;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct str text = {.p = (const char *)data + 1, .n = size - 1};
    struct seen once = {.hash = 0, .n = 0}, again = {.hash = 0, .n = 0};
    struct err err = {.code = ERR_NONE}, err_again = {.code = ERR_NONE};
    struct k8s_read_stats stats;
    struct byte_memory memory = {.rest = text, .step = (size_t)data[0] + 1};
    bool good = k8s_read("in", byte_memory_source(&memory), see, &once, &stats, &err);
    MUST(good == (err.code == ERR_NONE));
    MUST(good || (err.text[0] == 'i' && err.text[2] == ':'));
    MUST(stats.n_objects == once.n);
    MUST(k8s_read_memory("in", text, see, &again, NULL, &err_again) == good);
    MUST(once.n == again.n && once.hash == again.hash);
    MUST(err.code == err_again.code && (good || strcmp(err.text, err_again.text) == 0));
    return 0;
}
