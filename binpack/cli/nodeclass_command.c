/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `binpack nodeclass show|userdata [NAME]`: what an EC2NodeClass comes to, and what a node of it is
 * told at its start. */
#include "base/arena.h"
#include "base/jsonw.h"
#include "binpack/cli/commands.h"
#include "binpack/cli/nodeclass_show.h"
#include "binpack/cli/output.h"

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
