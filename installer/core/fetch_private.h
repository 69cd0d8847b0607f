#ifndef SUREFOOT_CORE_FETCH_PRIVATE_H
#define SUREFOOT_CORE_FETCH_PRIVATE_H

/* fetch_private.h: between the files of fetch.
 *
 *   fetch.c       settings, documents      fetch_hop.c    one question: redirects, what a status
 * means fetch_file.c  files: places, resuming  fetch_local.c  the answer of a file: URL
 *   fetch_part.c  their bytes on the disk  fetch_curl.c   one exchange with one server (libcurl)
 *   fetch_wait.c  deadline, back-off, pace fetch_proxy.c  its URL and login */

#include "installer/core/fetch.h"

#define FETCH_LOGIN_MAX 512
#define FETCH_PROXY_MAX (FETCH_URL_MAX + 4 * FETCH_LOGIN_MAX)

struct fetch_curl;

/* struct fetch_exchange: one question and what came of it. The strings are borrowed for the call.
 */
struct fetch_exchange {
    uint64_t from;                                 /* ask for the bytes from here on; 0: for all */
    const char *if_range;                          /* an ETag; with `from` */
    const char *if_none_match, *if_modified_since; /* or NULL */
    bool past_caches;

    /* A head of status 200, or 206 if `from` is not 0, before any of its body; then the body.
     * Errors end the exchange and are returned as they are. */
    enum errc (*on_head)(void *ctx, const struct fetch_head *head, struct err *err);
    enum errc (*on_body)(void *ctx, struct span piece, struct err *err);
    void *ctx;

    struct fetch_head head;
    bool is_ours; /* the error came from on_head, on_body or the progress function, */
    bool is_lie;  /* where the first two found the server at fault, and set this */
};

struct fetch {
    struct fetch_settings settings; /* the strings in it are not kept, and NULL */
    struct fetch_curl *curl;
    uint64_t chance;     /* state of the jitter */
    int64_t started_ms;  /* of the present download */
    int64_t due_ms;      /* when the bytes so far have had their time, where the rate is limited */
    uint64_t got, total; /* for progress */
    char url[FETCH_URL_ROOM]; /* that was asked last */
};

/* --- fetch_proxy.c */
MUST_USE enum errc fetch_proxy_check(const struct fetch_settings *settings, struct err *err);

/* fetch_proxy_make appends the proxy's URL with the login in it, and a NUL; the NUL alone where
 * there is none, or the system's. The settings have been checked. */
MUST_USE enum errc fetch_proxy_make(const struct fetch_settings *settings, struct buf *b,
                                    struct err *err);

/* --- fetch_curl.c */
MUST_USE enum errc fetch_curl_new(const struct fetch_settings *settings, struct fetch_curl **out,
                                  struct err *err);
void fetch_curl_free(struct fetch_curl *c);

/* fetch_curl_run asks f->url once. Not for file: URLs. `goes_direct`: past any proxy. E_OK says
 * that a whole answer came, of whatever status; x->head has it. */
MUST_USE enum errc fetch_curl_run(struct fetch *f, struct fetch_exchange *x, bool goes_direct,
                                  struct err *err);

/* --- fetch_local.c: the same for a file: URL, in terms of HTTP */
MUST_USE enum errc fetch_local_run(struct fetch *f, const struct fetch_url *url,
                                   struct fetch_exchange *x, struct err *err);

/* --- fetch_hop.c */

/* fetch_hop_ask asks `url`, follows redirects, and judges the status: E_OK for 200 and 206, and for
 * 304 where a condition was sent, 416 where x->from is not 0. f->url is then the place that
 * answered. Errors have the host before them. */
MUST_USE enum errc fetch_hop_ask(struct fetch *f, const char *url, struct fetch_exchange *x,
                                 struct err *err);

/* --- fetch_wait.c */
void fetch_wait_begin(struct fetch *f); /* the deadline runs from here */
int64_t fetch_wait_left_ms(const struct fetch *f);

/* fetch_wait_over is E_TIMEOUT of a deadline that has passed. */
MUST_USE enum errc fetch_wait_over(const struct fetch *f, struct err *err);

/* fetch_wait_pace waits as long as the rate's limit wants after `n_bytes` more. E_TIMEOUT where the
 * deadline passes; the progress function's. */
MUST_USE enum errc fetch_wait_pace(struct fetch *f, size_t n_bytes, struct err *err);

/* fetch_wait_may_pass: is it worth another try? */
bool fetch_wait_may_pass(enum errc code);

/* fetch_wait_between waits before try number `n` (the second is 1), as long as the server asked or
 * the back-off says, and calls the progress function meanwhile. False, at once, where the deadline
 * would pass or the server asks for too long: then it is over, and *err is amended. Where the
 * progress function fails, false too, with its error in *err and *out_is_ours set. */
MUST_USE bool fetch_wait_between(struct fetch *f, unsigned n, const struct fetch_head *head,
                                 bool *out_is_ours, struct err *err);

/* fetch_tell calls the progress function, if there is one. */
MUST_USE enum errc fetch_tell(struct fetch *f, struct err *err);

#endif
