#include "installer/core/fetch_private.h"

#include <string.h>

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool may_pass(int status)
{
    return status == 408 || status == 425 || status == 429 || status >= 500;
}

/* A 304 that names another version than ours is about something that we do not have. */
static enum errc judge_unchanged(const struct fetch_exchange *x, struct err *err)
{
    if (x->if_none_match == NULL && x->if_modified_since == NULL)
        return err_set(err, E_MALFORMED, "answers \"not modified\" to what has no condition");
    if (x->if_none_match != NULL && x->head.etag[0] != '\0' &&
        !fetch_head_etags_match(x->if_none_match, x->head.etag))
        return err_set(err, E_MALFORMED,
                       "answers \"not modified\" with an ETag other than the one that was sent");
    return E_OK;
}

static enum errc judge_status(const struct fetch_exchange *x, struct err *err)
{
    const int status = x->head.status;
    switch (status) {
    case 200: return E_OK;
    case 206:
        return x->from > 0 ? E_OK
                           : err_set(err, E_MALFORMED, "answers with a part where all was asked");
    case 304: return judge_unchanged(x, err);
    case 401: return err_set(err, E_ACCESS, "wants a login (status 401)");
    case 403: return err_set(err, E_ACCESS, "does not let us have it (status 403)");
    case 407: return err_set(err, E_ACCESS, "the proxy wants another login (status 407)");
    case 404:
    case 410: return err_set(err, E_ABSENT, "does not have it (status %d)", status);
    case 416:
        if (x->from > 0)
            return E_OK;
        break;
    default: break;
    }
    if (may_pass(status))
        return err_set(err, status == 408 ? E_TIMEOUT : E_IO, "cannot answer now (status %d)",
                       status);
    return err_set(err, E_MALFORMED, "answers with status %d, where a document was asked", status);
}

/* with_host puts the place before a message of its own making; what came from us has none. */
static enum errc with_host(const struct fetch_url *url, const struct fetch_exchange *x,
                           struct err *err)
{
    char host[FETCH_HOST_ROOM];
    if (x->is_ours && !x->is_lie)
        return err->code;
    return err_prefix(err, "%.150s: ", fetch_url_host_text(url, host));
}

static enum errc run_once(struct fetch *f, const struct fetch_url *url, struct fetch_exchange *x,
                          struct err *err)
{
    const bool goes_direct = url->scheme == FETCH_HTTP && !f->settings.allows_http;
    x->head = (struct fetch_head){ .status = 0 };
    x->is_ours = x->is_lie = false;
    return url->scheme == FETCH_FILE ? fetch_local_run(f, url, x, err)
                                     : fetch_curl_run(f, x, goes_direct, err);
}

/* go_on puts the redirect's target into f->url and *url, if we may go there. */
static enum errc go_on(struct fetch *f, const struct fetch_head *head, struct fetch_url *url,
                       struct err *err)
{
    struct fetch_url to;
    char next[FETCH_URL_ROOM];
    if (!head->has_location)
        return err_set(err, E_MALFORMED, "redirects without saying where to (status %d)",
                       head->status);
    enum errc rc = fetch_url_redirect(f->url, span_text(head->location), next, err);
    if (rc == E_OK)
        rc = fetch_url_read(span_text(next), &to, err);
    if (rc != E_OK)
        return err_prefix(err, "redirects, but ");
    rc = fetch_url_check_redirect(url, &to, f->settings.allows_http, err);
    if (rc != E_OK)
        return rc;
    memcpy(f->url, next, sizeof(next));
    return fetch_url_read(span_text(f->url), url, err);
}

static enum errc start(struct fetch *f, const char *text, struct fetch_url *url, struct err *err)
{
    enum errc rc = fetch_url_read(span_text(text), url, err);
    if (rc == E_OK)
        rc = fetch_url_check(url, f->settings.allows_http, err);
    if (rc != E_OK)
        return rc;
    memcpy(f->url, text, strlen(text) + 1);
    return fetch_url_read(span_text(f->url), url, err);
}

enum errc fetch_hop_ask(struct fetch *f, const char *text, struct fetch_exchange *x,
                        struct err *err)
{
    struct fetch_url url;
    enum errc rc = start(f, text, &url, err);
    if (rc != E_OK)
        return rc;
    for (int n = 0; rc == E_OK && n <= FETCH_REDIRECTS_MAX; n++) {
        rc = run_once(f, &url, x, err);
        if (rc == E_OK && !is_redirect(x->head.status))
            rc = judge_status(x, err);
        else if (rc == E_OK)
            rc = go_on(f, &x->head, &url, err);
        if (rc != E_OK)
            return with_host(&url, x, err);
        if (!is_redirect(x->head.status))
            return E_OK;
    }
    rc = err_set(err, E_LIMIT, "redirects more than %d times", FETCH_REDIRECTS_MAX);
    return with_host(&url, x, err);
}
