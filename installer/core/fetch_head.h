#ifndef SUREFOOT_CORE_FETCH_HEAD_H
#define SUREFOOT_CORE_FETCH_HEAD_H

/* fetch_head.h: the head of an HTTP/1 answer, read line by line as it comes (RFC 9112, RFC 9110),
 * as far as we act on it. Pure, and narrow: what two readers could take for two things is refused
 * (lines that go on in the next, white space before the colon, two lengths, a length beside
 * chunks).
 *
 *   HTTP/1.1 206 Partial Content        status
 *   Content-Length: 512                 length
 *   Content-Range: bytes 512-1023/1024  range
 *   ETag: "abc"                         kept as it is, to be sent back
 *                                       (the empty line: is_done)
 *
 * An interim answer (1xx) is read and forgotten; so is any answer that a later status line follows,
 * as where a proxy is answered with its login.
 *
 * What it does not check: whether the answer is one to what was asked. */

#include <stdbool.h>
#include <stdint.h>

#include "installer/core/fetch_url.h"
#include "platform/base/err.h"
#include "platform/base/span.h"

#define FETCH_HEAD_BYTES_MAX (64 * 1024) /* all heads of one exchange */
#define FETCH_HEAD_LINES_MAX 300
#define FETCH_ETAG_MAX 255
#define FETCH_ETAG_ROOM (FETCH_ETAG_MAX + 1)
#define FETCH_DATE_ROOM 30 /* "Sun, 06 Nov 1994 08:49:37 GMT" */

struct fetch_range {
    uint64_t first, last, total; /* offsets of bytes; `last` is included */
};

struct fetch_head {
    int status; /* 100..599; 0: none yet */
    bool is_done;
    bool has_length, has_range, has_location;
    bool is_chunked, is_encoded;         /* is_encoded: compressed, which we do not ask for */
    uint64_t length;                     /* bytes of this body */
    struct fetch_range range;            /* where has_range */
    int64_t retry_after_s;               /* 0: nothing said; else from now, or */
    int64_t retry_at;                    /* seconds since 1970; 0: nothing said */
    char etag[FETCH_ETAG_ROOM];          /* "" where there is none, or one that we do not keep */
    char last_modified[FETCH_DATE_ROOM]; /* "" also where more may come within its second */
    int64_t date;                        /* seconds since 1970; 0: nothing said */
    char location[FETCH_URL_ROOM];
    size_t n_bytes, n_lines; /* of all heads so far */
};

/* fetch_head_add_line reads one line, with or without its line end; the empty one ends the head. A
 * zeroed head begins. E_MALFORMED for what is no head, or one of two meanings; E_LIMIT past the
 * limits above. */
MUST_USE enum errc fetch_head_add_line(struct fetch_head *head, struct span line, struct err *err);

/* fetch_head_is_etag: quoted, printable ASCII, with or without W/ before it, not too long.
 * fetch_head_is_strong: and without. */
bool fetch_head_is_etag(struct span text);
bool fetch_head_is_strong(const char *etag);

/* fetch_head_etags_match compares as for If-None-Match: W/ or not makes no difference. */
bool fetch_head_etags_match(const char *a, const char *b);

/* fetch_head_read_date reads the one form of date that may be sent, "Sun, 06 Nov 1994 08:49:37
 * GMT". (That the day of the week is right is not checked.) */
MUST_USE bool fetch_head_read_date(struct span text, int64_t *out_unix_s);

#endif
