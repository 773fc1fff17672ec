/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/gunzip.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "io/signals.h"

enum { IN_BYTES = 64 * 1024 };

enum form { FORM_UNKNOWN, FORM_PLAIN, FORM_GZIP };

struct gunzip {
    struct arena arena; /* holds this struct */
    int fd;
    enum form form;
    bool eof;          /* of the descriptor */
    bool member_ended; /* between two members */
    z_stream
        stream; /* next_in and avail_in are the bytes read and not yet used, whatever the form */
    uint64_t n_read, n_out;
    unsigned char in[IN_BYTES];
};

struct gunzip *gunzip_new(int fd)
{
    struct arena arena = ARENA_INIT;
    struct gunzip *gunzip = ARENA_NEW(&arena, struct gunzip);
    gunzip->arena = arena;
    gunzip->fd = fd;
    gunzip->stream.next_in = gunzip->in;
    return gunzip;
}

void gunzip_free(struct gunzip *gunzip)
{
    if (gunzip == NULL) {
        return;
    }
    if (gunzip->form == FORM_GZIP) {
        (void)inflateEnd(&gunzip->stream);
    }
    struct arena arena = gunzip->arena;
    arena_done(&arena);
}

const uint64_t *gunzip_n_read(const struct gunzip *gunzip)
{
    return &gunzip->n_read;
}

static bool read_fd(struct gunzip *gunzip, void *buffer, size_t size, size_t *ret_n,
                    struct err *err)
{
    for (;;) {
        if (io_signals_interrupted()) {
            return err_set(err, ERR_CANCELLED, "interrupted");
        }
        ssize_t n = read(gunzip->fd, buffer, size);
        if (n >= 0) {
            *ret_n = (size_t)n;
            gunzip->n_read += (uint64_t)n;
            gunzip->eof = n == 0;
            return true;
        }
        if (errno != EINTR) {
            return err_set(err, ERR_IO, "cannot read: %s", strerror(errno));
        }
    }
}

/* More bytes behind those that are there. */
static bool fill(struct gunzip *gunzip, struct err *err)
{
    size_t kept = gunzip->stream.avail_in, n = 0;
    if (kept > 0) {
        memmove(gunzip->in, gunzip->stream.next_in, kept);
    }
    gunzip->stream.next_in = gunzip->in;
    if (!read_fd(gunzip, gunzip->in + kept, IN_BYTES - kept, &n, err)) {
        return false;
    }
    gunzip->stream.avail_in += (unsigned)n;
    return true;
}

static bool tell_form(struct gunzip *gunzip, struct err *err)
{
    while (gunzip->stream.avail_in < 2 && !gunzip->eof) {
        if (!fill(gunzip, err)) {
            return false;
        }
    }
    bool gzip = gunzip->stream.avail_in >= 2 && gunzip->in[0] == 0x1f && gunzip->in[1] == 0x8b;
    if (gzip && inflateInit2(&gunzip->stream, 15 + 16) != Z_OK) {
        return err_set(err, ERR_INTERNAL, "zlib: %s",
                       gunzip->stream.msg == NULL ? "no memory" : gunzip->stream.msg);
    }
    gunzip->form = gzip ? FORM_GZIP : FORM_PLAIN;
    return true;
}

static bool read_plain(struct gunzip *gunzip, char *buffer, size_t size, size_t *ret_n,
                       struct err *err)
{
    size_t n = gunzip->stream.avail_in < size ? gunzip->stream.avail_in : size;
    if (n == 0) {
        return gunzip->eof ? (*ret_n = 0, true) : read_fd(gunzip, buffer, size, ret_n, err);
    }
    memcpy(buffer, gunzip->stream.next_in, n);
    gunzip->stream.next_in += n;
    gunzip->stream.avail_in -= (unsigned)n;
    *ret_n = n;
    return true;
}

/* Another member, or the end; padding with zeros is what tapes leave behind. */
static bool next_member(struct gunzip *gunzip, bool *ret_end, struct err *err)
{
    for (;;) {
        while (gunzip->stream.avail_in > 0 && *gunzip->stream.next_in == 0) {
            gunzip->stream.next_in++;
            gunzip->stream.avail_in--;
        }
        if (gunzip->stream.avail_in > 0 || gunzip->eof) {
            break;
        }
        if (!fill(gunzip, err)) {
            return false;
        }
    }
    *ret_end = gunzip->stream.avail_in == 0;
    if (!*ret_end && inflateReset(&gunzip->stream) != Z_OK) {
        return err_set(err, ERR_INTERNAL, "zlib cannot start over");
    }
    gunzip->member_ended = false;
    return true;
}

static bool read_gzip(struct gunzip *gunzip, char *buffer, size_t size, size_t *ret_n,
                      struct err *err)
{
    z_stream *stream = &gunzip->stream;
    bool end = false;
    stream->next_out = (unsigned char *)buffer;
    stream->avail_out = size > IN_BYTES * 4 ? IN_BYTES * 4 : (unsigned)size;
    unsigned room = stream->avail_out;
    while (stream->avail_out == room) {
        if (gunzip->member_ended && !next_member(gunzip, &end, err)) {
            return false;
        }
        if (end) {
            gunzip->member_ended = true;
            break;
        }
        if (stream->avail_in == 0 && !gunzip->eof && !fill(gunzip, err)) {
            return false;
        }
        int code = inflate(stream, Z_NO_FLUSH);
        if (code == Z_STREAM_END) {
            gunzip->member_ended = true;
        } else if (code != Z_OK && code != Z_BUF_ERROR) {
            return err_set(err, ERR_PARSE, "broken gzip data: %s",
                           stream->msg == NULL ? "unknown form" : stream->msg);
        } else if (stream->avail_out == room && stream->avail_in == 0 && gunzip->eof) {
            return err_set(err, ERR_PARSE, "the gzip data ends too early (is the file truncated?)");
        }
    }
    *ret_n = room - stream->avail_out;
    return true;
}

static bool within_limits(const struct gunzip *gunzip, struct err *err)
{
    if (gunzip->n_out > (uint64_t)LIMIT_INPUT_MIB << 20) {
        return err_set(err, ERR_LIMIT, "more than %d MiB of input (LIMIT_INPUT_MIB)",
                       (int)LIMIT_INPUT_MIB);
    }
    if (gunzip->form == FORM_GZIP && gunzip->n_out > LIMIT_GZIP_FREE_BYTES &&
        gunzip->n_out / LIMIT_GZIP_RATIO > gunzip->n_read) {
        return err_set(err, ERR_LIMIT,
                       "unpacks to more than %d times its size (LIMIT_GZIP_RATIO): a gzip bomb?",
                       (int)LIMIT_GZIP_RATIO);
    }
    return true;
}

static bool read_any(void *ctx, char *buffer, size_t size, size_t *ret_n, struct err *err)
{
    struct gunzip *gunzip = ctx;
    if (gunzip->form == FORM_UNKNOWN && !tell_form(gunzip, err)) {
        return false;
    }
    bool good = gunzip->form == FORM_GZIP ? read_gzip(gunzip, buffer, size, ret_n, err)
                                          : read_plain(gunzip, buffer, size, ret_n, err);
    if (!good) {
        return false;
    }
    gunzip->n_out += *ret_n;
    return within_limits(gunzip, err);
}

struct byte_source gunzip_source(struct gunzip *gunzip)
{
    return (struct byte_source){.ctx = gunzip, .read = read_any};
}
