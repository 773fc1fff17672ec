/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gzip source over any bytes: it ends, within its limits, and gives the same however many bytes
 * are asked for at a time. What is not gzip comes through as it is. */
#define _GNU_SOURCE /* memfd_create */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/str.h"
#include "check.h"
#include "io/gunzip.h"

/* Unpacks all; the error's code. */
static enum err_code unpack(int fd, size_t step, uint64_t *ret_hash, uint64_t *ret_n)
{
    char buffer[4096];
    struct err err = {.code = ERR_NONE};
    size_t n = 0;
    MUST(lseek(fd, 0, SEEK_SET) == 0);
    struct gunzip *gunzip = gunzip_new(fd);
    struct byte_source source = gunzip_source(gunzip);
    *ret_hash = *ret_n = 0;
    while (source.read(source.ctx, buffer, step, &n, &err) && n > 0) {
        MUST(n <= step);
        for (size_t i = 0; i < n; i++) {
            *ret_hash = *ret_hash * 31 + (unsigned char)buffer[i];
        }
        *ret_n += n;
    }
    gunzip_free(gunzip);
    return err.code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t hash = 0, again = 0, n = 0, n_again = 0;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    MUST(fd >= 0);
    MUST(size == 0 || write(fd, data, size) == (ssize_t)size);
    enum err_code code = unpack(fd, 4096, &hash, &n);
    MUST(code == ERR_NONE || code == ERR_PARSE || code == ERR_LIMIT);
    bool gzip = size >= 2 && data[0] == 0x1f && data[1] == 0x8b;
    MUST(gzip || (code == ERR_NONE && n == size));
    MUST(n <= (uint64_t)LIMIT_GZIP_FREE_BYTES + (uint64_t)size * (LIMIT_GZIP_RATIO + 1) + 4096);
    MUST(unpack(fd, 7, &again, &n_again) == code);
    MUST(code != ERR_NONE || (hash == again && n == n_again));
    (void)close(fd);
    return 0;
}
