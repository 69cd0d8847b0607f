#include "installer/core/fetch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/fetch_private.h"
#include "platform/base/text.h"

/* --- settings: what becomes part of a request is checked */

static bool is_plain(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            return false;
    return text[0] != '\0';
}

static enum errc check_times(const struct fetch_settings *s, struct err *err)
{
    if (s->stall_s < 1 || s->stall_s > 3600)
        return err_set(err, E_ARGUMENT, "a stall is from 1 to 3600 s");
    if (s->deadline_s < 1 || s->deadline_s > INT32_MAX)
        return err_set(err, E_ARGUMENT, "a deadline is at least 1 s");
    if (s->n_tries > FETCH_TRIES_MAX)
        return err_set(err, E_ARGUMENT, "at most %d tries", FETCH_TRIES_MAX);
    return E_OK;
}

static enum errc check_settings(const struct fetch_settings *s, struct err *err)
{
    if (s->agent == NULL || !is_plain(s->agent))
        return err_set(err, E_ARGUMENT, "the agent's name is not of printable ASCII");
    enum errc rc = fetch_proxy_check(s, err);
    return rc == E_OK ? check_times(s, err) : rc;
}

static void forget_strings(struct fetch_settings *s)
{
    s->proxy_url = s->proxy_login = s->agent = NULL;
    s->ca = span_of(NULL, 0);
}

enum errc fetch_new(const struct fetch_settings *settings, struct fetch **out_fetch,
                    struct err *err)
{
    enum errc rc = check_settings(settings, err);
    if (rc != E_OK)
        return rc;
    struct fetch *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return err_nomem(err);
    f->settings = *settings;
    forget_strings(&f->settings);
    f->chance = settings->seed;
    if (f->settings.n_tries == 0)
        f->settings.n_tries = FETCH_TRIES;
    if (f->settings.backoff_ms == 0)
        f->settings.backoff_ms = FETCH_BACKOFF_MS;
    rc = fetch_curl_new(settings, &f->curl, err);
    if (rc == E_OK)
        *out_fetch = f;
    else
        fetch_free(f);
    return rc;
}

void fetch_free(struct fetch *f)
{
    if (f == NULL)
        return;
    fetch_curl_free(f->curl);
    free(f);
}

/* --- documents */

struct document {
    struct fetch *f;
    struct fetch_exchange *x;
    struct buf bytes;
};

static enum errc lie(struct document *d, enum errc code)
{
    d->x->is_lie = true;
    return code;
}

/* TLS does not tell a body's end from a cut, as libcurl has it: the head must. */
static enum errc on_head(void *ctx, const struct fetch_head *head, struct err *err)
{
    struct document *d = ctx;
    buf_clear(&d->bytes);
    d->f->got = 0;
    d->f->total = head->has_length ? head->length : 0;
    if (!head->has_length && !head->is_chunked)
        return lie(d, err_set(err, E_MALFORMED,
                              "says neither how long it is nor sends chunks, so that a cut would "
                              "not show"));
    if (head->has_length && head->length > d->bytes.cap)
        return lie(d, err_set(err, E_REFUSED, "has %" PRIu64 " bytes, limit %zu", head->length,
                              d->bytes.cap));
    return E_OK;
}

static enum errc on_body(void *ctx, struct span piece, struct err *err)
{
    struct document *d = ctx;
    if (piece.len > d->bytes.cap - d->bytes.len)
        return lie(d,
                   err_set(err, E_REFUSED, "sends more than %zu bytes, the limit", d->bytes.cap));
    d->f->got += piece.len;
    return buf_add(&d->bytes, piece, err);
}

static const char *text_or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? NULL : text;
}

/* Both become headers: nothing else may be in them. */
static enum errc set_condition(const struct fetch_condition *c, struct fetch_exchange *x,
                               struct err *err)
{
    int64_t ignored;
    if (c == NULL)
        return E_OK;
    x->if_none_match = text_or_null(c->etag);
    x->if_modified_since = text_or_null(c->last_modified);
    x->past_caches = c->past_caches;
    if (x->if_none_match != NULL && !fetch_head_is_etag(span_text(x->if_none_match)))
        return err_set(err, E_ARGUMENT, "the ETag that is to be sent is none");
    if (x->if_modified_since != NULL &&
        !fetch_head_read_date(span_text(x->if_modified_since), &ignored))
        return err_set(err, E_ARGUMENT, "the date that is to be sent is none of HTTP");
    return E_OK;
}

static void fill_answer(struct fetch *f, const struct fetch_exchange *x, struct document *d,
                        struct fetch_answer *out)
{
    const bool is_new = x->head.status == 200;
    *out = (struct fetch_answer){ .status = is_new ? FETCH_NEW : FETCH_NOT_MODIFIED };
    memcpy(out->url, f->url, sizeof(out->url));
    memcpy(out->etag, x->head.etag, sizeof(out->etag));
    memcpy(out->last_modified, x->head.last_modified, sizeof(out->last_modified));
    if (!is_new && out->etag[0] == '\0' && x->if_none_match != NULL)
        (void)text_copy(out->etag, sizeof(out->etag), x->if_none_match);
    if (!is_new && out->last_modified[0] == '\0' && x->if_modified_since != NULL)
        (void)text_copy(out->last_modified, sizeof(out->last_modified), x->if_modified_since);
    if (is_new) {
        out->bytes = d->bytes;
        buf_init(&d->bytes, 0);
    }
}

static enum errc ask_until(struct fetch *f, const char *url, struct fetch_exchange *x,
                           struct err *err)
{
    for (unsigned n = 1;; n++) {
        enum errc rc = fetch_hop_ask(f, url, x, err);
        if (rc == E_OK || x->is_ours || !fetch_wait_may_pass(rc) || n >= f->settings.n_tries)
            return rc;
        if (!fetch_wait_between(f, n, &x->head, &x->is_ours, err))
            return err->code;
    }
}

enum errc fetch_bytes(struct fetch *f, const char *url, size_t cap,
                      const struct fetch_condition *condition, struct fetch_answer *out,
                      struct err *err)
{
    struct fetch_exchange x = { .on_head = on_head, .on_body = on_body };
    struct document d = { .f = f, .x = &x };
    x.ctx = &d;
    buf_init(&d.bytes, cap);
    enum errc rc = set_condition(condition, &x, err);
    fetch_wait_begin(f);
    if (rc == E_OK)
        rc = ask_until(f, url, &x, err);
    if (rc == E_OK)
        fill_answer(f, &x, &d, out);
    buf_fini(&d.bytes);
    return rc;
}

void fetch_answer_fini(struct fetch_answer *answer)
{
    buf_fini(&answer->bytes);
}
