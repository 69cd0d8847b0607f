#ifndef SUREFOOT_CORE_FETCH_H
#define SUREFOOT_CORE_FETCH_H

/* fetch.h: downloads. Small documents into memory, with a condition (ETag, date); large files to
 * the disk, from several places, going on where an earlier try ended, hashed as they are written.
 *
 * What it promises, whatever the server does: https with a proven certificate and name, TLS 1.2 or
 * later; http only to this machine or where that was allowed; at most FETCH_REDIRECTS_MAX
 * redirects, none to a weaker scheme or to a file; no byte beyond what was promised is kept; no
 * head, body, wait or number of tries without a limit; nothing is unpacked on the way
 * (Content-Encoding is refused). No cookie, .netrc or .curlrc is read or kept, and no environment
 * variable but those of the proxy, and these only for PROXY_SYSTEM. A login is the proxy's alone
 * and is sent to no other.
 *
 * Codes say what to do. What may pass was tried again, with growing waits, before it is reported:
 *   E_IO         the network or the server failed; later it may work
 *   E_TIMEOUT    no byte came for too long, or all of it took too long
 *   E_ABSENT     it is not there (404, 410)
 *   E_ACCESS     a login is wanted or refused (401, 403, 407); the server's certificate or name is
 *                not proven
 *   E_REFUSED    the body is not what may come: longer than the limit, not of the size or the
 * SHA-256 that was wanted E_LIMIT      too many redirects; too large a head E_MALFORMED  the answer
 * is not what HTTP and the question call for E_ARGUMENT   what was asked makes no sense: a URL that
 * is not allowed, certificates that can't be read E_SPACE, E_NOMEM, E_BUSY, E_EXISTS   of this
 * machine Texts name the host and what happened, on one line; never a path, query or login.
 *
 * What it does not check: who made the bytes. That is verify/. A failed fetch is no verdict. */

#include <stdbool.h>
#include <stdint.h>

#include "installer/core/fetch_head.h"
#include "installer/core/fetch_url.h"
#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "platform/base/span.h"
#include "platform/platform.h"

#define FETCH_REDIRECTS_MAX 5
#define FETCH_TRIES 5 /* where settings say 0 */
#define FETCH_TRIES_MAX 20
#define FETCH_BACKOFF_MS 1000       /* where settings say 0 */
#define FETCH_WAIT_MAX_MS 60000     /* between two tries */
#define FETCH_RETRY_AFTER_MAX_S 120 /* a server that asks for more is not waited for */
#define FETCH_URLS_MAX 40           /* of one file */

/* Called now and then with how far the present download is; `total` is 0 where it is not known. An
 * error ends the download and is returned. */
typedef enum errc (*fetch_progress_fn)(void *ctx, uint64_t got, uint64_t total, struct err *err);

/* struct fetch_settings: zeroed, and then what is wanted. All is copied; platform must outlive. */
struct fetch_settings {
    struct platform *platform;
    int proxy_use;           /* enum proxy_use (manifest/product.h) */
    const char *proxy_url;   /* of PROXY_URL */
    const char *proxy_login; /* USER:PASSWORD, or NULL */
    struct span ca;          /* PEM; empty: the system's. A proxy's own https is by the system's */
    bool allows_http;        /* to other machines */
    uint64_t rate_limit_bytes; /* a second; 0: none */
    int64_t stall_s;           /* without a byte for so long a try has failed; at least 1 */
    int64_t deadline_s;        /* of one download with all its tries; at least 1 */
    const char *agent;         /* "surefoot/0.1.0": printable ASCII */
    unsigned n_tries;
    uint32_t backoff_ms; /* before the second try; doubled for each that follows */
    uint64_t seed;       /* of the jitter: machines with different seeds do not come all at once */
    fetch_progress_fn progress; /* or NULL */
    void *ctx;
};

/* struct fetch keeps connections open between downloads. One thread at a time. */
struct fetch;

/* fetch_new checks the settings. Call console_init, which keeps libcurl from writing down the keys
 * of an elevated process, and digest_init_library first in main. OpenSSL's context in this thread
 * is digest_context from then on. E_ARGUMENT for settings that make no sense. Caller frees with
 * fetch_free. */
MUST_USE enum errc fetch_new(const struct fetch_settings *settings, struct fetch **out_fetch,
                             struct err *err);
void fetch_free(struct fetch *f);

/* --- documents */

/* struct fetch_condition: what we have of an earlier answer. Either text may be NULL or "". */
struct fetch_condition {
    const char *etag, *last_modified;
    bool past_caches; /* ask the caches on the way to ask the server */
};

enum fetch_status { FETCH_NONE = 0, FETCH_NEW, FETCH_NOT_MODIFIED };

struct fetch_answer {
    enum fetch_status status;
    char etag[FETCH_ETAG_ROOM]; /* "" where there is none */
    char last_modified[FETCH_DATE_ROOM];
    struct buf bytes;         /* of FETCH_NEW */
    char url[FETCH_URL_ROOM]; /* where it came from, after redirects */
};

/* fetch_bytes gets a document of at most `cap` bytes. `condition` may be NULL: then the answer is
 * never FETCH_NOT_MODIFIED. A file: URL has no ETag and is always new. Caller frees *out with
 * fetch_answer_fini. */
MUST_USE enum errc fetch_bytes(struct fetch *f, const char *url, size_t cap,
                               const struct fetch_condition *condition, struct fetch_answer *out,
                               struct err *err);
void fetch_answer_fini(struct fetch_answer *answer);

/* --- files */

/* struct fetch_want: a file that a signed document describes, and where it may be had, the first
 * place first. */
struct fetch_want {
    const char *const *urls;
    size_t n_urls;
    uint64_t size; /* bytes, at least 1 */
    uint8_t sha256[32];
};

struct fetch_done {
    size_t url;         /* number of the URL that gave the last byte; n_urls: none was asked */
    uint64_t n_kept;    /* bytes that an earlier call had left */
    uint64_t n_fetched; /* bytes that came, also such as were thrown away again */
    unsigned n_tries;
};

/* fetch_file makes the file `path`, private, closed, of exactly that size and hash; nothing may be
 * there (E_EXISTS). The caller opens it for reading and proves it. Its folder must be one that only
 * we can write.
 *
 * A place that fails for good, or whose bytes are not the right ones, is not asked again; the next
 * one goes on where it ended. What came so far lies in PATH.part after a failure that may pass
 * (E_IO, E_TIMEOUT, or the progress function's), and a later call with this path goes on from
 * there; the bytes are hashed again, so a false start costs time alone. After any other failure
 * neither file is there. Where all places fail, the failure that may pass is the one reported.
 * `out_done` may be NULL; it is written on failure too. */
MUST_USE enum errc fetch_file(struct fetch *f, const struct fetch_want *want, const char *path,
                              struct fetch_done *out_done, struct err *err);

#endif
