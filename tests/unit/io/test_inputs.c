/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "io/inputs.h"
#include "io/signals.h"
#include "scratch.h"

static struct scratch scratch;

/* Notes "<name below the scratch directory>=<up to 20 bytes>;" for each input. */
static bool note(void *ctx, const struct io_input *input, struct err *err)
{
    struct strbuf *out = ctx;
    char bytes[7];
    size_t n = 1, total = 0;
    struct str name = str_of(input->name), below = str_sub(name, strlen(scratch.path) + 1, name.n);
    strbuf_addf(out, STR_FMT "=", STR_ARG(below.n > 0 ? below : name));
    while (n > 0) {
        if (!input->source.read(input->source.ctx, bytes, sizeof bytes, &n, err)) {
            return false;
        }
        strbuf_add(out, str_sub((struct str){.p = bytes, .n = n}, 0, total < 20 ? 20 - total : 0));
        total += n;
    }
    strbuf_addc(out, ';');
    return true;
}

static const char *read_paths(struct arena *arena, const char *const *paths, uint32_t n,
                              enum err_code *ret_code)
{
    struct strbuf out = strbuf_new(arena, 1 << 20);
    struct err err = {.code = ERR_NONE};
    uint32_t n_inputs = 0;
    if (!io_inputs_read(paths, n, note, &out, &n_inputs, &err)) {
        strbuf_addf(&out, "!%s", err.text);
    }
    *ret_code = err.code;
    return str_cstr(arena, strbuf_str(&out));
}

static struct str packed(struct arena *arena, struct str text)
{
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)text.p, .avail_in = (unsigned)text.n};
    size_t room = text.n + 1000;
    char *out = arena_alloc(arena, room);
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_out = (unsigned char *)out;
    stream.avail_out = (unsigned)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    (void)deflateEnd(&stream);
    return (struct str){.p = out, .n = room - stream.avail_out};
}

static void directories_are_read_in_order(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    enum err_code code = ERR_NONE;
    assert_int_equal(mkdir(scratch_file(&scratch, "d"), 0700), 0);
    assert_int_equal(mkdir(scratch_file(&scratch, "d/sub"), 0700), 0);
    assert_int_equal(mkdir(scratch_file(&scratch, "d/.git"), 0700), 0);
    assert_int_equal(symlink("..", scratch_file(&scratch, "d/loop")), 0);
    assert_int_equal(symlink("b.yml", scratch_file(&scratch, "d/link.yaml")), 0);
    assert_true(scratch_write(&scratch, "d/z.json", STR("z")));
    assert_true(scratch_write(&scratch, "d/b.yml", STR("b")));
    assert_true(scratch_write(&scratch, "d/sub/c.ndjson.gz", packed(&arena, STR("packed"))));
    assert_true(scratch_write(&scratch, "d/sub/plain.json.gz", STR("not packed")));
    assert_true(scratch_write(&scratch, "d/README.md", STR("no")));
    assert_true(scratch_write(&scratch, "d/.hidden.json", STR("no")));
    assert_true(scratch_write(&scratch, "d/.git/x.json", STR("no")));
    const char *both[] = {scratch_file(&scratch, "d"), scratch_file(&scratch, "d/README.md")};
    assert_string_equal(read_paths(&arena, both, 2, &code),
                        "d/b.yml=b;d/link.yaml=b;d/sub/c.ndjson.gz=packed;d/sub/plain.json.gz=not "
                        "packed;d/z.json=z;d/README.md=no;");
    assert_int_equal(code, ERR_NONE);
}

static void refusals_name_the_path(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    enum err_code code = ERR_NONE;
    assert_int_equal(mkdir(scratch_file(&scratch, "empty"), 0700), 0);
    const char *absent = scratch_file(&scratch, "absent.json"),
               *empty = scratch_file(&scratch, "empty");
    assert_non_null(
        strstr(read_paths(&arena, &absent, 1, &code), "absent.json: cannot read: No such file"));
    assert_int_equal(code, ERR_NOT_FOUND);
    assert_non_null(strstr(read_paths(&arena, &empty, 1, &code), "empty: no .json, .yaml"));
    assert_int_equal(code, ERR_NOT_FOUND);
    char deep[2000];
    int n = snprintf(deep, sizeof deep, "%s/deep", scratch.path);
    for (int i = 0; i < LIMIT_DIRECTORY_DEPTH + 2; i++) {
        assert_int_equal(mkdir(deep, 0700), 0);
        n += snprintf(deep + n, sizeof deep - (size_t)n, "/d");
    }
    const char *root = scratch_file(&scratch, "deep");
    assert_non_null(strstr(read_paths(&arena, &root, 1, &code), "LIMIT_DIRECTORY_DEPTH"));
    assert_int_equal(code, ERR_LIMIT);
}

static void standard_input_is_read_once(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    enum err_code code = ERR_NONE;
    const char *twice[] = {"-", "-"};
    int pipes[2], saved = dup(STDIN_FILENO);
    assert_int_equal(pipe(pipes), 0);
    struct str bytes = packed(&arena, STR("through a pipe"));
    assert_int_equal(write(pipes[1], bytes.p, bytes.n), (ssize_t)bytes.n);
    (void)close(pipes[1]);
    assert_int_equal(dup2(pipes[0], STDIN_FILENO), STDIN_FILENO);
    assert_string_equal(read_paths(&arena, twice, 2, &code),
                        "stdin=through a pipe;!standard input (-) can be read only once");
    assert_int_equal(code, ERR_INVALID);
    (void)dup2(saved, STDIN_FILENO);
    (void)close(saved);
    (void)close(pipes[0]);
}

static const char *read_bytes(struct arena *arena, struct str bytes, enum err_code *ret_code)
{
    assert_true(scratch_write(&scratch, "x.gz", bytes));
    const char *path = scratch_file(&scratch, "x.gz");
    return read_paths(arena, &path, 1, ret_code);
}

static void gzip_is_unpacked_or_refused(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    enum err_code code = ERR_NONE;
    struct str one = packed(&arena, STR("one")), two = packed(&arena, STR("two"));
    struct strbuf both = strbuf_new(&arena, 1 << 20);
    strbuf_add(&both, one);
    strbuf_add(&both, two);
    strbuf_pad(&both, '\0', 512);
    assert_string_equal(read_bytes(&arena, strbuf_str(&both), &code), "x.gz=onetwo;");
    assert_string_equal(read_bytes(&arena, packed(&arena, STR("")), &code), "x.gz=;");
    assert_string_equal(read_bytes(&arena, STR(""), &code), "x.gz=;");
    assert_string_equal(read_bytes(&arena, STR("\x1f"), &code), "x.gz=\x1f;");
    assert_int_equal(code, ERR_NONE);
    for (size_t n = 2; n < one.n; n++) {
        assert_non_null(strstr(read_bytes(&arena, str_sub(one, 0, n), &code), "truncated"));
        assert_int_equal(code, ERR_PARSE);
    }
    both.n = one.n;
    strbuf_add(&both, STR("garbage"));
    assert_non_null(strstr(read_bytes(&arena, strbuf_str(&both), &code),
                           "!broken gzip data: incorrect header check"));
    assert_int_equal(code, ERR_PARSE);
    char *flipped = arena_copy(&arena, one.p, one.n);
    flipped[one.n - 5] = (char)(flipped[one.n - 5] ^ 1);
    assert_non_null(strstr(read_bytes(&arena, (struct str){.p = flipped, .n = one.n}, &code),
                           "broken gzip data"));
}

static void gzip_bombs_are_refused(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    enum err_code code = ERR_NONE;
    char *blanks = arena_alloc(&arena, 1 << 20);
    memset(blanks, ' ', 1 << 20);
    struct str mega = packed(&arena, (struct str){.p = blanks, .n = 1 << 20});
    struct strbuf bomb = strbuf_new(&arena, 64 << 20);
    for (int i = 0; i < 100; i++) {
        strbuf_add(&bomb, mega);
    }
    assert_non_null(strstr(read_bytes(&arena, strbuf_str(&bomb), &code), "LIMIT_GZIP_RATIO"));
    assert_int_equal(code, ERR_LIMIT);
    bomb.n = mega.n * 15;
    assert_string_equal(read_bytes(&arena, strbuf_str(&bomb), &code), "x.gz=                    ;");
    assert_int_equal(code, ERR_NONE);
}

static void interrupts_end_reading(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    enum err_code code = ERR_NONE;
    io_signals_catch();
    assert_false(io_signals_interrupted());
    assert_int_equal(raise(SIGINT), 0);
    assert_true(io_signals_interrupted());
    assert_non_null(strstr(read_bytes(&arena, STR("x"), &code), "!interrupted"));
    assert_int_equal(code, ERR_CANCELLED);
    io_signals_clear();
    assert_string_equal(read_bytes(&arena, STR("x"), &code), "x.gz=x;");
}

static int make(void **state)
{
    (void)state;
    return scratch_init(&scratch) ? 0 : -1;
}

static int clean(void **state)
{
    (void)state;
    scratch_remove(scratch.path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directories_are_read_in_order),
        cmocka_unit_test(refusals_name_the_path),
        cmocka_unit_test(standard_input_is_read_once),
        cmocka_unit_test(gzip_is_unpacked_or_refused),
        cmocka_unit_test(gzip_bombs_are_refused),
        cmocka_unit_test(interrupts_end_reading),
    };
    return cmocka_run_group_tests_name("inputs", tests, make, clean);
}
