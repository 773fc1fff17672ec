/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "io/files.h"
#include "scratch.h"

static struct scratch scratch;

static void writing_replaces_and_reading_gives_back(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct err err = {.code = ERR_NONE};
    struct str got;
    const char *path = scratch_file(&scratch, "a");
    assert_true(io_file_write(path, STR("first\0bytes"), &err));
    assert_true(io_file_read(path, 100, &arena, &got, &err));
    assert_true(str_eq(got, STR("first\0bytes")));
    assert_int_equal(chmod(path, 0640), 0);
    assert_true(io_file_write(path, STR("second"), &err));
    assert_true(io_file_read(path, 6, &arena, &got, &err));
    assert_true(str_eq(got, STR("second")));
    assert_int_equal(got.p[got.n], '\0');
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_false(io_file_read(path, 5, &arena, &got, &err));
    assert_int_equal(err.code, ERR_LIMIT);
}

static void links_are_followed_and_pipes_written_to(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct err err = {.code = ERR_NONE};
    struct str got;
    struct stat status;
    assert_true(scratch_write(&scratch, "target", STR("old")));
    assert_int_equal(symlink("target", scratch_file(&scratch, "link")), 0);
    assert_true(io_file_write(scratch_file(&scratch, "link"), STR("new"), &err));
    assert_int_equal(lstat(scratch_file(&scratch, "link"), &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_true(io_file_read(scratch_file(&scratch, "target"), 100, &arena, &got, &err));
    assert_true(str_eq(got, STR("new")));
    assert_true(io_file_write("/dev/null", STR("x"), &err));
    assert_int_equal(stat("/dev/null", &status), 0);
    assert_true(S_ISCHR(status.st_mode));
}

static void refusals_name_path_and_reason(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct err err = {.code = ERR_NONE};
    struct str got;
    assert_false(io_file_read(scratch_file(&scratch, "absent"), 100, &arena, &got, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "/absent: cannot read: No such file"));
    assert_false(io_file_read(scratch.path, 100, &arena, &got, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.text, "directory"));
    assert_false(io_file_write(scratch.path, STR("x"), &err));
    assert_int_equal(err.code, ERR_IO);
    assert_false(io_file_write(scratch_file(&scratch, "no/such/folder"), STR("x"), &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_false(io_file_write("/dev/full", STR("x"), &err));
    assert_int_equal(err.code, ERR_IO);
    assert_false(io_fd_write(-1, "nowhere", STR("x"), &err));
    assert_non_null(strstr(err.text, "nowhere"));
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
        cmocka_unit_test(writing_replaces_and_reading_gives_back),
        cmocka_unit_test(links_are_followed_and_pipes_written_to),
        cmocka_unit_test(refusals_name_path_and_reason),
    };
    return cmocka_run_group_tests_name("files", tests, make, clean);
}
