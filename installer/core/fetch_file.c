#include "installer/core/fetch.h"

#include <inttypes.h>
#include <string.h>

#include "installer/core/fetch_part.h"
#include "installer/core/fetch_private.h"
#include "platform/base/text.h"

#define STEP_MIN (1024U * 1024) /* a round that brings so much is no failed one */

struct place {
    bool is_dead;  /* not asked again */
    bool no_range; /* its parts are not the ones that are asked for */
};

struct download {
    struct fetch *f;
    const struct fetch_want *want;
    struct fetch_exchange *x; /* of the place that is asked */
    struct fetch_part part;
    struct place places[FETCH_URLS_MAX];
    size_t at;       /* the place that is asked */
    uint64_t before; /* bytes that were here when it was asked */
    bool is_joined;  /* the bytes are of more than one answer */
    bool must_restart;
    bool is_stopped;            /* the progress function ended it */
    bool is_over;               /* no other place and no other try will help */
    char etag[FETCH_ETAG_ROOM]; /* of the bytes that are here, as place number etag_of gave it */
    size_t etag_of;
    struct fetch_head head; /* the last one */
    struct err dead;        /* the first failure for good */
    struct fetch_done done;
};

/* --- an answer, as it comes */

static enum errc lie(struct download *d, enum errc code)
{
    d->x->is_lie = true;
    return code;
}

static enum errc start_anew(struct download *d, struct err *err)
{
    d->is_joined = false;
    d->etag_of = d->want->n_urls;
    return fetch_part_restart(&d->part, err);
}

/* Exactly the rest, of a file of the right size, and of the version that we have the beginning of.
 */
static bool is_part_asked_for(const struct download *d, const struct fetch_head *head)
{
    const uint64_t size = d->want->size;
    if (!head->has_range || head->range.first != d->part.have || head->range.last != size - 1 ||
        head->range.total != size)
        return false;
    return d->etag_of != d->at || head->etag[0] == '\0' || strcmp(d->etag, head->etag) == 0;
}

static enum errc check_length(struct download *d, const struct fetch_head *head, struct err *err)
{
    const uint64_t rest = d->want->size - d->part.have;
    if (!head->has_length || head->length == rest)
        return E_OK;
    return lie(d,
               err_set(err, E_REFUSED, "has %" PRIu64 " bytes to send, where it must be %" PRIu64,
                       head->length, rest));
}

static enum errc on_head(void *ctx, const struct fetch_head *head, struct err *err)
{
    struct download *d = ctx;
    enum errc rc = E_OK;
    if (head->status == 206 && !is_part_asked_for(d, head)) {
        d->must_restart = true;
        return lie(d, err_set(err, E_MALFORMED,
                              "sends another part than was asked for, from %" PRIu64 " on",
                              d->part.have));
    }
    if (head->status == 206)
        d->is_joined = true;
    else if (d->part.have > 0)
        rc = start_anew(d, err);
    if (rc == E_OK)
        rc = check_length(d, head, err);
    if (rc != E_OK)
        return rc;
    d->before = d->part.have;
    memcpy(d->etag, head->etag, sizeof(d->etag));
    d->etag_of = d->at;
    return E_OK;
}

static enum errc on_body(void *ctx, struct span piece, struct err *err)
{
    struct download *d = ctx;
    if (piece.len > d->want->size - d->part.have)
        return lie(d,
                   err_set(err, E_REFUSED, "sends more than the %" PRIu64 " bytes that it must be",
                           d->want->size));
    enum errc rc = fetch_part_add(&d->part, piece, err);
    if (rc != E_OK)
        return rc;
    d->done.n_fetched += piece.len;
    d->done.url = d->at;
    d->f->got = d->part.have;
    return E_OK;
}

/* --- one place */

static enum errc finish(struct download *d, struct err *err)
{
    uint8_t got[32];
    char got_hex[TEXT_SHA256_ROOM], want_hex[TEXT_SHA256_ROOM];
    if (d->part.have != d->want->size)
        return err_set(err, E_IO, "the answer was cut off after %" PRIu64 " of %" PRIu64 " bytes",
                       d->part.have, d->want->size);
    enum errc rc = fetch_part_hash(&d->part, got, err);
    if (rc != E_OK)
        return rc;
    if (memcmp(got, d->want->sha256, sizeof(got)) == 0)
        return E_OK;
    d->must_restart = d->is_joined;
    rc = start_anew(d, err);
    if (rc != E_OK)
        return rc;
    (void)text_to_hex(span_of(got, sizeof(got)), got_hex);
    (void)text_to_hex(span_of(d->want->sha256, sizeof(got)), want_hex);
    return err_set(err, E_REFUSED, "sends another file: its SHA-256 is %.16s..., not %.16s...",
                   got_hex, want_hex);
}

static enum errc ask_once(struct download *d, struct err *err)
{
    char host[FETCH_HOST_ROOM];
    struct fetch_url url;
    struct fetch_exchange x = { .on_head = on_head, .on_body = on_body, .ctx = d };
    x.from = d->places[d->at].no_range ? 0 : d->part.have;
    if (d->etag_of == d->at && fetch_head_is_strong(d->etag))
        x.if_range = d->etag;
    d->before = d->part.have;
    d->must_restart = false;
    d->x = &x;
    d->done.n_tries++;
    enum errc rc = fetch_hop_ask(d->f, d->want->urls[d->at], &x, err);
    d->x = NULL;
    d->head = x.head;
    d->is_stopped = x.is_ours && !x.is_lie && !d->part.is_broken;
    d->is_over = d->part.is_broken || d->is_stopped;
    if (rc != E_OK)
        return rc;
    if (x.head.status == 416) {
        d->must_restart = true;
        return err_set(err, E_MALFORMED, "has no part from %" PRIu64 " on", x.from);
    }
    rc = finish(d, err);
    d->is_over = d->part.is_broken;
    if (rc != E_OK && fetch_url_read(span_text(d->f->url), &url, NULL) == E_OK)
        rc = err_prefix(err, "%.150s: ", fetch_url_host_text(&url, host));
    return rc;
}

/* ask_place asks a second time, for all of it, where the parts did not make the file. Bytes of a
 * place that proved wrong are not built upon. */
static enum errc ask_place(struct download *d, struct err *err)
{
    struct place *place = &d->places[d->at];
    enum errc rc = ask_once(d, err);
    if (rc != E_OK && d->must_restart && !place->no_range) {
        place->no_range = true;
        rc = ask_once(d, err);
    }
    if (rc == E_OK || d->is_over || fetch_wait_may_pass(rc))
        return rc;
    place->is_dead = true;
    if (d->dead.code == E_OK)
        d->dead = *err;
    if (d->part.have == d->before)
        return rc;
    struct err why = { .code = E_OK };
    enum errc anew = start_anew(d, &why);
    if (anew == E_OK)
        return rc;
    d->is_over = true;
    *err = why;
    return anew;
}

/* --- all places */

/* ask_round asks each place that is left, until one has given the rest. *err is then of the first
 * that may pass, else of the first that failed for good. */
static enum errc ask_round(struct download *d, struct err *err)
{
    struct err kept = { .code = E_OK };
    for (d->at = 0; d->at < d->want->n_urls; d->at++) {
        if (d->places[d->at].is_dead)
            continue;
        enum errc rc = ask_place(d, err);
        d->is_over = d->is_over || (rc != E_OK && fetch_wait_left_ms(d->f) == 0);
        if (rc == E_OK || d->is_over)
            return rc;
        if (kept.code == E_OK && fetch_wait_may_pass(rc))
            kept = *err;
    }
    if (kept.code == E_OK) {
        d->is_over = true;
        kept = d->dead;
    }
    *err = kept;
    return kept.code;
}

static enum errc ask_all(struct download *d, struct err *err)
{
    uint64_t high = d->part.have;
    for (unsigned n = 1;; n++) {
        enum errc rc = ask_round(d, err);
        if (rc == E_OK || d->is_over)
            return rc;
        if (d->part.have > high && d->part.have - high >= STEP_MIN) {
            high = d->part.have;
            n = 1;
        }
        if (n >= d->f->settings.n_tries ||
            !fetch_wait_between(d->f, n, &d->head, &d->is_stopped, err))
            return err->code;
    }
}

static enum errc check_want(const struct fetch_want *want, struct err *err)
{
    if (want->n_urls == 0)
        return err_set(err, E_ARGUMENT, "no place to fetch from");
    if (want->n_urls > FETCH_URLS_MAX)
        return err_set(err, E_LIMIT, "%zu places to fetch from, limit %d", want->n_urls,
                       FETCH_URLS_MAX);
    if (want->size == 0)
        return err_set(err, E_ARGUMENT, "a file without bytes is not fetched");
    return E_OK;
}

enum errc fetch_file(struct fetch *f, const struct fetch_want *want, const char *path,
                     struct fetch_done *out_done, struct err *err)
{
    struct download d = { .f = f, .want = want, .etag_of = want->n_urls };
    enum errc rc = check_want(want, err);
    if (rc != E_OK)
        return rc;
    d.done.url = want->n_urls;
    fetch_wait_begin(f);
    rc = fetch_part_open(&d.part, f->settings.platform, path, want->size, err);
    d.done.n_kept = d.part.have;
    d.is_joined = d.part.have > 0;
    f->got = d.part.have;
    f->total = want->size;
    if (rc == E_OK)
        rc = ask_all(&d, err);
    const bool keeps = fetch_wait_may_pass(rc) || d.is_stopped;
    if (rc == E_OK)
        rc = fetch_part_commit(&d.part, err);
    fetch_part_close(&d.part, keeps);
    if (out_done != NULL)
        *out_done = d.done;
    return rc;
}
