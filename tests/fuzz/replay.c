/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs a fuzz target over its corpus without libFuzzer: each file as it is, cut short, and with
 * single bytes changed. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILES_MAX = 4096, CHANGES = 64 };

static unsigned long n_runs;

/* A block of exactly that size, so that the sanitizer sees a read beyond it. */
static void run(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    if (copy == NULL) {
        abort();
    }
    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    n_runs++;
}

static void run_variants(uint8_t *bytes, size_t size)
{
    static const uint8_t changes[] = {0x00, '"', '\n', '{', ':', 0xff, '-', '9'};
    run(bytes, size);
    for (size_t part = 1; part < 16; part++) {
        run(bytes, size * part / 16);
    }
    for (size_t i = 0; i < CHANGES && size > 0; i++) {
        size_t at = (i * 2654435761U) % size;
        uint8_t before = bytes[at];
        bytes[at] = changes[i % sizeof changes];
        run(bytes, size);
        bytes[at] = before;
    }
}

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        return 1;
    }
    long size = ftell(file);
    uint8_t *bytes = malloc(size > 0 ? (size_t)size : 1);
    rewind(file);
    if (bytes == NULL || size < 0 || fread(bytes, 1, (size_t)size, file) != (size_t)size) {
        perror(path);
        return 1;
    }
    (void)fclose(file);
    run_variants(bytes, (size_t)size);
    free(bytes);
    return 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int replay_directory(const char *path)
{
    static char *names[FILES_MAX];
    size_t n = 0;
    DIR *directory = opendir(path);
    const struct dirent *entry = NULL;
    if (directory == NULL) {
        perror(path);
        return 1;
    }
    while ((entry = readdir(directory)) != NULL && n < FILES_MAX) {
        char file[4096];
        if (entry->d_name[0] != '.') {
            (void)snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
            names[n++] = strdup(file);
        }
    }
    (void)closedir(directory);
    qsort(names, n, sizeof names[0], compare);
    int failed = n == 0;
    for (size_t i = 0; i < n; i++) {
        failed |= replay(names[i]);
        free(names[i]);
    }
    return failed;
}

int main(int argc, char **argv)
{
    int failed = argc < 2;
    for (int i = 1; i < argc; i++) {
        failed |= replay_directory(argv[i]);
    }
    run(NULL, 0);
    printf("%lu inputs\n", n_runs);
    return failed;
}
