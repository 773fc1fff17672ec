/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `binpack nodeclass show|userdata [NAME]`: what an EC2NodeClass comes to, and what a node of it is
 * told at its start. */
#include "base/arena.h"
#include "base/jsonw.h"
#include "binpack/cli/commands.h"
#include "binpack/cli/nodeclass_show.h"
#include "binpack/cli/output.h"

#include <arpa/inet.h>
#include <string.h>

struct asking {
    const struct nodeclass_input *input;
    struct str text; /* user data */
};

/* ---- userdata ---- */

static bool render_userdata(const void *ctx, const struct option_output *output,
                            const struct console *console, struct strbuf *b, struct err *err)
{
    const struct asking *asking = ctx;
    (void)console;
    (void)err;
    if (output->format == OUTPUT_TABLE) {
        strbuf_add(b, asking->text);
        strbuf_add(b, str_ends(asking->text, STR("\n")) ? STR_EMPTY : STR("\n"));
        return true;
    }
    struct jsonw w = jsonw_new(b, output->format == OUTPUT_YAML ? JSONW_YAML : JSONW_PRETTY);
    nodeclass_put_header(&w, asking->input, "UserData");
    jsonw_key_i64(&w, "bytes", (int64_t)asking->text.n);
    jsonw_key_str(&w, "userData", asking->text);
    jsonw_object_end(&w);
    return true;
}

static bool userdata(const struct options *options, const struct nodeclass_input *input,
                     struct console *console, struct arena *arena, struct err *err)
{
    struct asking asking = {.input = input};
    if (!userdata_make(&input->userdata, arena, &asking.text, err)) {
        return false;
    }
    if (asking.text.n > USERDATA_EC2_LIMIT) {
        console_warn(console, "user data has %zu bytes; EC2 takes %d", asking.text.n,
                     USERDATA_EC2_LIMIT);
    }
    return output_all(options, render_userdata, &asking, console, err);
}

/* ---- the options ---- */

static bool is_address(struct str text)
{
    char buffer[INET6_ADDRSTRLEN + 1];
    unsigned char address[16];
    if (text.n >= sizeof buffer) {
        return false;
    }
    memcpy(buffer, text.p, text.n);
    buffer[text.n] = '\0';
    return strlen(buffer) == text.n &&
           (inet_pton(AF_INET, buffer, address) == 1 || inet_pton(AF_INET6, buffer, address) == 1);
}

/* "10.100.0.0/16", "fd00::/108" */
static bool is_range(struct str text)
{
    const size_t slash = str_find(text, '/');
    const struct str address = str_sub(text, 0, slash);
    const bool v6 = str_find(address, ':') < address.n;
    uint64_t bits = 0;
    return slash < text.n && is_address(address) &&
           str_to_u64(str_sub(text, slash + 1, text.n), &bits) && bits <= (v6 ? 128U : 32U);
}

/* "1.34" */
static bool is_version(struct str text)
{
    const size_t point = str_find(text, '.');
    uint64_t major = 0, minor = 0;
    return point < text.n && str_to_u64(str_sub(text, 0, point), &major) &&
           str_to_u64(str_sub(text, point + 1, text.n), &minor);
}

/* Nodes are told these as they stand, and one that cannot use them never joins. */
static bool options_good(const struct options *options, struct console *console)
{
    const struct {
        const char *name, *expected;
        struct str value;
        bool (*is)(struct str text);
    } rows[] = {
        {"--cluster-dns", "an address such as 10.100.0.10", options->cluster_dns, is_address},
        {"--cluster-cidr", "a range such as 10.100.0.0/16", options->cluster_cidr, is_range},
        {"--kubernetes-version", "a version such as 1.34", options->kubernetes_version, is_version},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].value.n > 0 && !rows[i].is(rows[i].value)) {
            console_error(console, "%s: \"" STR_FMT "\" is not %s", rows[i].name,
                          STR_ARG(str_sub(rows[i].value, 0, 100)), rows[i].expected);
            return false;
        }
    }
    return true;
}

/* ---- the command ---- */

int command_nodeclass(const struct options *options, struct console *console)
{
    static const struct {
        struct str name;
        bool (*run)(const struct options *options, const struct nodeclass_input *input,
                    struct console *console, struct arena *arena, struct err *err);
    } actions[] = {{STR("show"), nodeclass_show}, {STR("userdata"), userdata}};
    static const char *const names[] = {"show", "userdata", NULL};
    auto_arena arena = ARENA_INIT;
    struct err err = {.code = ERR_NONE};
    struct nodeclass_input input = {.object = NULL};
    if (options->arguments.n == 0) {
        console_error(console, "nodeclass: say what: show or userdata");
        return EXIT_USAGE;
    }
    if (!options_good(options, console)) {
        return EXIT_USAGE;
    }
    struct str action = options->arguments.v[0];
    struct str name = options->arguments.n > 1 ? options->arguments.v[1] : STR_EMPTY;
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (str_eq(action, actions[i].name)) {
            bool good = nodeclass_input_read(options, name, console, &arena, &input, &err) &&
                        actions[i].run(options, &input, console, &arena, &err);
            nodeclass_input_done(&input);
            return good ? EXIT_ALL_PLACED : command_failed(console, &err);
        }
    }
    console_error(console, "nodeclass: there is no \"" STR_FMT "\"" STR_FMT, STR_ARG(action),
                  STR_ARG(option_suggest(action, names, "", &arena)));
    return EXIT_USAGE;
}
