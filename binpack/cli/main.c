/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program `binpack`: reads the command line and hands over to the command. */
#include "base/arena.h"
#include "binpack/cli/columns.h"
#include "binpack/cli/commands.h"
#include "binpack/cli/complete_line.h"
#include "binpack/cli/completion.h"
#include "binpack/cli/help.h"
#include "binpack/cli/input.h"
#include "binpack/cli/options.h"
#include "binpack/cli/output.h"
#include "binpack/cli/version.h"
#include "binpack/view/table.h"
#include "io/signals.h"
#include "io/tty.h"

#include <unistd.h>

static int usage_error(struct console *console, const struct err *err)
{
    console_error(console, "%s", err->text);
    return EXIT_USAGE;
}

/* Prints what was written into the buffer. */
static int print(struct console *console, const struct strbuf *b, int status)
{
    struct err err;
    return output_write(console, STR_EMPTY, b, &err) ? status : command_failed(console, &err);
}

static int command_help(const struct options *options, struct console *console)
{
    auto_arena arena = ARENA_INIT;
    struct err err;
    struct strbuf b = output_buffer(&arena);
    if (options->help) {
        help_full(options, &console->out, &b);
    } else if (options->arguments.n == 0) {
        help_topic_list(&console->out, &b);
    } else if (!help_topic(options->arguments.v[0], &console->out, &b, &err)) {
        return usage_error(console, &err);
    }
    return print(console, &b, EXIT_ALL_PLACED);
}

static int command_completion(const struct options *options, struct console *console)
{
    auto_arena arena = ARENA_INIT;
    struct err err;
    struct strbuf b = output_buffer(&arena);
    if (options->arguments.n > 0 && option_hint_of(options->arguments.v[0]) != HINT_NONE) {
        return command_words(options, console);
    }
    struct str shell = options->arguments.n > 0 ? options->arguments.v[0] : STR_EMPTY;
    if (!completion_script(shell, &b, &err)) {
        return usage_error(console, &err);
    }
    return print(console, &b, EXIT_ALL_PLACED);
}

static int command_version(struct console *console)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf b = output_buffer(&arena);
    const struct catalog *catalog = cat_builtin(&arena, strtab_new(&arena));
    strbuf_addf(&b, "binpack %s\ncatalogue " STR_FMT "\n", BINPACK_VERSION, STR_ARG(catalog->name));
    return print(console, &b, EXIT_ALL_PLACED);
}

/* Somebody typed `binpack` at a terminal and nothing else: explain instead of waiting for standard
 * input. */
static int nothing_to_read(struct console *console)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf b = output_buffer(&arena);
    help_short(&b);
    console_say(console, "binpack: nothing to read: no -f FILE, and standard input is a terminal");
    return print(console, &b, EXIT_USAGE);
}

static int run(const struct options *options, struct console *console)
{
    if (options->command == CLI_VERSION && options->arguments.n > 0) {
        console_error(console, "version: takes no argument, got \"" STR_FMT "\"",
                      STR_ARG(options->arguments.v[0]));
        return EXIT_USAGE;
    }
    bool needs_stdin = options->files.n == 0 && options->arguments.n == 0 && !options->live;
    if (options->help) {
        return command_help(options, console);
    }
    if (options->version) {
        return command_version(console);
    }
    bool plans = options->command == CLI_SIMULATE || options->command == CLI_EXPLAIN ||
                 options->command == CLI_COMPARE || options->command == CLI_DIFF;
    struct err err;
    if (plans && !output_check_files(options, &err)) {
        return command_failed(console, &err);
    }
    switch (options->command) {
    case CLI_SIMULATE:
        return needs_stdin && io_tty_is(STDIN_FILENO) ? nothing_to_read(console)
                                                      : command_simulate(options, console);
    case CLI_RECORD:
        return command_record(options, console);
    case CLI_EXPLAIN:
        return command_simulate(options, console);
    case CLI_COMPARE:
        return needs_stdin && io_tty_is(STDIN_FILENO) ? nothing_to_read(console)
                                                      : command_compare(options, console);
    case CLI_DIFF:
        return command_diff(options, console);
    case CLI_VERIFY:
        return command_verify(options, console);
    case CLI_VALIDATE:
        return needs_stdin && io_tty_is(STDIN_FILENO) ? nothing_to_read(console)
                                                      : command_validate(options, console);
    case CLI_CATALOG:
        return command_catalog(options, console);
    case CLI_NODECLASS:
        return command_nodeclass(options, console);
    case CLI_COMPLETION:
        return command_completion(options, console);
    case CLI_HELP:
        return command_help(options, console);
    case CLI_VERSION:
        return command_version(console);
    case CLI_N_COMMANDS:
        break;
    }
    return EXIT_USAGE;
}

/* Under this name kubectl asks what the last word of a line may become: a word a line, and at the
 * end whether the shell's own files come into question. Source: "Shell completion of plugins" in
 * https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/ */
#define PLUGIN_COMPLETION "kubectl_complete-binpack"

static int complete_plugin(int argc, char **argv)
{
    auto_arena arena = ARENA_INIT;
    struct str *words = ARENA_ARRAY(&arena, struct str, argc);
    for (int i = 1; i < argc; i++) {
        words[i - 1] = str_of(argv[i]);
    }
    const struct option_texts line = {.n = argc > 1 ? (uint32_t)argc - 1 : 0, .v = words};
    const struct completion c = complete_line(&line, &arena);
    const struct str asked[] = {
        c.kind == COMPLETE_WORDS ? str_of(option_hint_kinds[c.hint]) : STR_EMPTY, c.prefix};
    const struct options options = {.command = CLI_COMPLETION,
                                    .arguments = {.n = 2, .v = asked},
                                    .files = c.files,
                                    .catalogs = c.catalogs,
                                    .quiet = true};
    struct console console = console_new(&options);
    struct strbuf b = output_buffer(&arena);
    if (c.kind == COMPLETE_WORDS) {
        (void)command_words(&options, &console); /* a word that cannot be found is none */
    }
    for (uint32_t i = 0; i < c.words.n; i++) {
        strbuf_addf(&b, STR_FMT "\n", STR_ARG(c.words.v[i]));
    }
    strbuf_add(&b, c.kind == COMPLETE_FILES ? STR(":0\n") : STR(":4\n"));
    return print(&console, &b, EXIT_ALL_PLACED);
}

int main(int argc, char **argv)
{
    auto_arena arena = ARENA_INIT;
    struct err err;
    struct options options;
    struct console console = console_new(&(struct options){.command = CLI_SIMULATE});
    io_signals_catch();
    if (argc > 0 && str_ends(str_of(argv[0]), STR(PLUGIN_COMPLETION))) {
        return complete_plugin(argc, argv);
    }
    if (!options_parse(argc, (const char *const *)argv, &arena, &options, &err)) {
        return usage_error(&console, &err);
    }
    console = console_new(&options);
    struct table_choice tables = {.n_columns = options.columns.n,
                                  .columns = options.columns.v,
                                  .sort_by = options.sort_by,
                                  .no_head = options.no_headers,
                                  .arena = &arena};
    console.out.tables = &tables;
    int status = run(&options, &console);
    return columns_found(&options, &tables, &err) ? status : usage_error(&console, &err);
}
