/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person puts into spec.userData, from any bytes, for every AMI family: it ends with user
 * data that reads back, or with an error. The first byte chooses the family. */
#include "base/arena.h"
#include "base/toml.h"
#include "check.h"
#include "provisioner/nodeclass/mime.h"
#include "provisioner/nodeclass/userdata.h"

/* What is written reads back as the same document. */
static void check_toml(struct str text, struct arena *arena)
{
    struct toml *root = NULL;
    struct err err = {.code = ERR_NONE};
    if (!toml_read(text, arena, &root, &err)) {
        MUST(err.code == ERR_PARSE || err.code == ERR_LIMIT);
        return;
    }
    struct strbuf once = strbuf_new(arena, 64 * 1024 * 1024);
    struct strbuf twice = strbuf_new(arena, 64 * 1024 * 1024);
    toml_write(root, &once);
    if (!toml_read(strbuf_str(&once), arena, &root, &err)) {
        MUST(err.code == ERR_LIMIT); /* quotes and headers make it longer */
        return;
    }
    toml_write(root, &twice);
    MUST(str_eq(strbuf_str(&once), strbuf_str(&twice)));
}

/* An archive has the parts of the person and one of ours. */
static void check_archive(struct str custom, struct str text, struct arena *arena)
{
    const struct mime_part *parts = NULL;
    uint32_t n = 0;
    uint32_t n_custom = custom.n > 0 ? 1 : 0;
    struct err err = {.code = ERR_NONE};
    if (mime_is_archive(custom)) {
        MUST(mime_read(str_trim(custom), arena, &parts, &n_custom, &err));
    }
    MUST(str_find(text, '\r') == text.n);
    MUST(mime_read(text, arena, &parts, &n, &err) || err.code == ERR_LIMIT);
    MUST(err.code == ERR_LIMIT || n == n_custom + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_arena arena = ARENA_INIT;
    struct str custom = {.p = (const char *)data + (size > 0), .n = size - (size > 0)};
    struct nodeclass class = {
        .name = STR("c"), .user_data = custom, .instance_store_policy = STR("RAID0")};
    struct userdata_input input = {
        .class = &class,
        .family = size == 0 ? NODECLASS_CUSTOM : (enum nodeclass_family)(data[0] % 7),
        .cluster = {.name = STR("c"), .endpoint = STR("https://c"), .cidr = STR("10.0.0.0/16")},
        .max_pods = 29,
        .image_version = str_sub(custom, 0, 8),
    };
    struct str text;
    struct err err = {.code = ERR_NONE};
    check_toml(custom, &arena);
    if (!userdata_make(&input, &arena, &text, &err)) {
        MUST(err.code != ERR_NONE && err.text[0] != '\0' && input.family != NODECLASS_CUSTOM);
        return 0;
    }
    if (input.family == NODECLASS_AL2 || input.family == NODECLASS_AL2023) {
        check_archive(custom, text, &arena);
    } else if (input.family == NODECLASS_BOTTLEROCKET) {
        check_toml(text, &arena);
    } else {
        MUST(text.n >= custom.n);
    }
    return 0;
}
