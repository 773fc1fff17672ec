/* SPDX-License-Identifier: GPL-3.0-or-later */
/* MIME multipart archives (RFC 2046), as cloud-init and nodeadm take them for user data.
 *
 * Read as Go's net/mail, mime and mime/multipart read them, on whose behaviour user data of
 * Karpenter relies: header lines up to an empty line, folded lines joined, the boundary from the
 * Content-Type, an epilogue and a preamble passed over; a line ends in LF or CRLF. Written as
 * Karpenter writes them: boundary "//", lines end in LF. A part keeps its header lines as they are,
 * apart from carriage returns, so that what a person put there (Content-Disposition,
 * Content-Transfer-Encoding) stays. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct arena;

enum { MIME_MAX_PARTS = 1000 };

struct mime_part {
    struct str headers; /* lines, each with its LF */
    struct str body;
};

/* Whether a text says of itself that it is an archive: begins, after blanks, with "MIME-Version:"
 * or "Content-Type:". */
bool mime_is_archive(struct str text);

/* The parts of an archive; texts are in `arena`. Errors: ERR_PARSE for an archive that is broken or
 * no multipart at all; ERR_LIMIT (MIME_MAX_PARTS). */
MUST_CHECK bool mime_read(struct str text, struct arena *arena, const struct mime_part **ret_parts,
                          uint32_t *ret_n, struct err *err);

/* An archive of the parts. A carriage return is left out wherever it stands. ERR_CONFLICT when a
 * body has a line that would end its part ("--//"). */
MUST_CHECK bool mime_write(const struct mime_part *parts, uint32_t n, struct strbuf *out,
                           struct err *err);
