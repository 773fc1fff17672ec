/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `binpack completion KIND [PREFIX] -f FILE...`: the words that shells complete with names of an
 * input, one a line, each once, in the order of the input.
 *
 * Words end up in command lines that somebody runs: a name with a character that a shell could take
 * for more than itself is left out. No API server takes such names, but files are anybody's. */
#include "base/arena.h"
#include "binpack/cli/commands.h"
#include "binpack/cli/input.h"
#include "binpack/cli/output.h"
#include "binpack/cli/scenario.h"

enum { WORD_MAX = 1000 };

struct words {
    enum option_hint kind;
    struct str prefix;
    const struct input *input;
    struct arena *arena;
    struct strtab *seen;
    struct strbuf *b;
};

static bool is_safe(struct str word)
{
    static const struct str marks = {.p = "._-/:=,", .n = 7};
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && str_find(marks, c) == marks.n) {
            return false;
        }
    }
    return word.n > 0 && word.p[0] != '-';
}

/* The parts joined, when that begins as it should. */
static void put(struct words *w, const struct str *parts, size_t n)
{
    char room[WORD_MAX];
    struct str word = {.p = room, .n = 0};
    for (size_t i = 0; i < n; i++) {
        if (parts[i].n > WORD_MAX - word.n) {
            return;
        }
        for (size_t k = 0; k < parts[i].n; k++) {
            room[word.n++] = parts[i].p[k];
        }
    }
    if (str_starts(word, w->prefix) && is_safe(word) && strtab_find(w->seen, word) == STRID_NONE) {
        (void)strtab_add(w->seen, word);
        strbuf_add(w->b, word);
        strbuf_addc(w->b, '\n');
    }
}

#define PUT(w, ...)                                                                                \
    put((w), (const struct str[]){__VA_ARGS__},                                                    \
        sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str))

static void put_subjects(struct words *w)
{
    const struct k8s_cluster *c = w->input->cluster;
    for (uint32_t i = 0; i < c->n_pods; i++) {
        PUT(w, strtab_str(c->tab, c->pods[i].ns), STR("/"), c->pods[i].name);
    }
    for (uint32_t i = 0; i < c->n_nodes; i++) {
        PUT(w, STR("node/"), c->nodes[i].meta.name);
    }
    for (uint32_t i = 0; i < c->n_nodepools; i++) {
        PUT(w, STR("nodepool/"), c->nodepools[i].meta.name);
    }
    /* A pod goes by its name alone, too. */
    bool none = w->b->n == 0;
    for (uint32_t i = 0; none && i < c->n_pods; i++) {
        PUT(w, c->pods[i].name);
    }
}

static void put_cluster_words(struct words *w)
{
    const struct k8s_cluster *c = w->input->cluster;
    if (w->kind == HINT_SUBJECTS) {
        put_subjects(w);
    }
    for (uint32_t i = 0; w->kind == HINT_NODES && i < c->n_nodes; i++) {
        PUT(w, c->nodes[i].meta.name);
    }
    for (uint32_t i = 0; w->kind == HINT_NAMESPACES && i < c->n_namespaces; i++) {
        PUT(w, c->namespaces[i].meta.name);
    }
    for (uint32_t i = 0; w->kind == HINT_NAMESPACES && i < c->n_pods; i++) {
        PUT(w, strtab_str(c->tab, c->pods[i].ns));
    }
    for (uint32_t i = 0; w->kind == HINT_WORKLOADS && i < c->n_workloads; i++) {
        const struct k8s_meta *meta = &c->workloads[i].meta;
        if (c->workloads[i].kind != K8S_DAEMONSET) {
            PUT(w, strtab_str(c->tab, meta->ns), STR("/"), meta->name, STR("="));
        }
    }
}

static void put_catalog_words(struct words *w)
{
    const struct catalog *catalog = w->input->catalog;
    for (uint32_t i = 0; w->kind == HINT_ZONES && i < catalog->n_zones; i++) {
        PUT(w, strtab_str(w->input->tab, catalog->zones[i].name));
    }
    for (uint32_t i = 0; w->kind == HINT_TYPES && i < catalog->n_types; i++) {
        PUT(w, strtab_str(w->input->tab, catalog->types[i].name));
    }
}

static void put_fixed_words(struct words *w)
{
    static const char *const breakdowns[] = {"pool", "zone", "namespace", "label:", NULL};
    const char *const *names = w->kind == HINT_SCENARIOS    ? scenario_names
                               : w->kind == HINT_BREAKDOWNS ? breakdowns
                                                            : NULL;
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        struct str name = str_of(names[i]);
        PUT(w, str_sub(name, 0, str_find(name, '=') + 1)); /* what follows is a placeholder */
    }
}

/* The files of the command line; standard input is not ours to read. */
static struct option_texts files_of(const struct options *options, struct arena *arena)
{
    struct str *v = ARENA_ARRAY(arena, struct str, options->files.n + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < options->files.n; i++) {
        if (!str_eq(options->files.v[i], STR("-"))) {
            v[n++] = options->files.v[i];
        }
    }
    return (struct option_texts){.n = n, .v = v};
}

static bool read_words(const struct options *options, struct console *console, struct words *w,
                       struct err *err)
{
    struct input *input = ARENA_NEW(w->arena, struct input);
    struct option_texts files = files_of(options, w->arena);
    bool of_cluster = w->kind != HINT_ZONES && w->kind != HINT_TYPES;
    w->input = input;
    if (w->kind == HINT_SCENARIOS || w->kind == HINT_BREAKDOWNS) {
        put_fixed_words(w);
        return true;
    }
    if (!of_cluster) {
        input->tab = strtab_new(w->arena);
        if (!input_catalog(options, console, w->arena, input->tab, &input->catalog, err)) {
            return false;
        }
        put_catalog_words(w);
        return true;
    }
    if (files.n > 0 && !input_read(options, &files, console, w->arena, input, err)) {
        return false;
    }
    if (files.n > 0) {
        put_cluster_words(w);
    }
    return true;
}

int command_words(const struct options *options, struct console *console)
{
    auto_arena arena = ARENA_INIT;
    struct err err;
    struct strbuf b = output_buffer(&arena);
    const struct option_texts *arguments = &options->arguments;
    struct words words = {.kind = option_hint_of(arguments->v[0]),
                          .prefix = arguments->n > 1 ? arguments->v[1] : STR_EMPTY,
                          .arena = &arena,
                          .seen = strtab_new(&arena),
                          .b = &b};
    bool good =
        read_words(options, console, &words, &err) && output_write(console, STR_EMPTY, &b, &err);
    return good ? EXIT_ALL_PLACED : command_failed(console, &err);
}
