#include "installer/core/fetch_ca.h"
#include "installer/core/fetch_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest/product.h"
#include "platform/base/buf.h"
#include "platform/base/text.h"
#include "verify/digest.h"

#include <curl/curl.h>

#define BUFFER_MAX (256L * 1024)
#define BUFFER_MIN 1024L        /* libcurl's own */
#define DISCARD_MAX (64 * 1024) /* of a body that nobody wants, for the sake of the connection */
#define CONNECT_SLACK_MS 3000   /* our own watch is to speak first */

struct fetch_curl {
    CURL *easy;
    struct buf proxy; /* its URL, with the login; empty: none */
    bool asks_system; /* the proxy is what the system says, or the environment */
    bool is_global;
    char detail[CURL_ERROR_SIZE]; /* libcurl's own words */
};

/* --- the handle */

/* The settings that hold for every exchange. Each is one fact that we rely on, so that all that
 * libcurl may do by default, or comes to do one day, is shut here. `rc` is the first failure. */
struct setter {
    CURL *easy;
    CURLcode rc;
};

static void set_long(struct setter *s, CURLoption option, long value)
{
    if (s->rc == CURLE_OK)
        s->rc = curl_easy_setopt(s->easy, option, value);
}

static void set_text(struct setter *s, CURLoption option, const char *value)
{
    if (s->rc == CURLE_OK)
        s->rc = curl_easy_setopt(s->easy, option, value);
}

static void set_blob(struct setter *s, CURLoption option, struct span bytes)
{
    struct curl_blob blob = { .data = (void *)(uintptr_t)bytes.ptr,
                              .len = bytes.len,
                              .flags = CURL_BLOB_COPY };
    if (s->rc == CURLE_OK)
        s->rc = curl_easy_setopt(s->easy, option, &blob);
}

static void set_http(struct setter *s, const char *agent)
{
    set_text(s, CURLOPT_PROTOCOLS_STR, "http,https");
    set_long(s, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    set_long(s, CURLOPT_HTTP09_ALLOWED, 0);
    set_long(s, CURLOPT_FOLLOWLOCATION, 0); /* fetch_hop.c does, by our rules */
    set_long(s, CURLOPT_DISALLOW_USERNAME_IN_URL, 1);
    set_long(s, CURLOPT_NETRC, CURL_NETRC_IGNORED);
    set_long(s, CURLOPT_UNRESTRICTED_AUTH, 0);
    set_long(s, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
    set_long(s, CURLOPT_HEADEROPT, CURLHEADER_SEPARATE);
    set_text(s, CURLOPT_USERAGENT, agent);
    set_long(s, CURLOPT_NOSIGNAL, 1);
    set_long(s, CURLOPT_NOPROGRESS, 0);
}

/* Where certificates are given, the system's folder is taken away: else both would count. */
static void set_tls(struct setter *s, struct span ca, struct span system_ca)
{
    set_long(s, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    set_long(s, CURLOPT_SSL_VERIFYPEER, 1);
    set_long(s, CURLOPT_SSL_VERIFYHOST, 2);
    set_long(s, CURLOPT_PROXY_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    set_long(s, CURLOPT_PROXY_SSL_VERIFYPEER, 1);
    set_long(s, CURLOPT_PROXY_SSL_VERIFYHOST, 2);
    if (system_ca.len > 0)
        set_blob(s, CURLOPT_PROXY_CAINFO_BLOB, system_ca);
    if (ca.len == 0)
        ca = system_ca;
    if (ca.len == 0)
        return;
    set_text(s, CURLOPT_CAPATH, NULL);
    set_text(s, CURLOPT_CAINFO, NULL);
    set_blob(s, CURLOPT_CAINFO_BLOB, ca);
}

static void set_proxy(struct setter *s, const struct fetch_settings *settings)
{
    if (settings->proxy_use != PROXY_SYSTEM && settings->proxy_login != NULL)
        set_long(s, CURLOPT_PROXYAUTH, (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST));
}

/* Small pieces where the rate is limited, so that none is waited for long. */
static void set_buffer(struct setter *s, uint64_t rate)
{
    long buffer = BUFFER_MAX;
    if (rate > 0 && rate / 4 < (uint64_t)BUFFER_MAX)
        buffer = rate / 4 < (uint64_t)BUFFER_MIN ? BUFFER_MIN : (long)(rate / 4);
    set_long(s, CURLOPT_BUFFERSIZE, buffer);
}

/* The certificates that the system trusts are for a proxy that may be asked over TLS, and for
 * servers where the product file gives none: else they are left alone. */
static bool wants_system_ca(const struct fetch_settings *settings)
{
    struct fetch_url proxy;
    if (settings->ca.len == 0 || settings->proxy_use == PROXY_SYSTEM)
        return true;
    return settings->proxy_use == PROXY_URL &&
           fetch_url_read(span_text(settings->proxy_url), &proxy, NULL) == E_OK &&
           proxy.scheme == FETCH_HTTPS;
}

static enum errc set_all(struct fetch_curl *c, const struct fetch_settings *settings,
                         struct err *err)
{
    struct setter s = { .easy = c->easy, .rc = CURLE_OK };
    struct buf system_ca;
    buf_init(&system_ca, FETCH_CA_MAX);
    enum errc rc = E_OK;
    if (wants_system_ca(settings))
        rc = fetch_ca_system(settings->platform, &system_ca, err);
    set_http(&s, settings->agent);
    set_tls(&s, settings->ca, buf_span(&system_ca));
    buf_fini(&system_ca);
    if (rc != E_OK)
        return rc;
    set_proxy(&s, settings);
    set_buffer(&s, settings->rate_limit_bytes);
    if (s.rc == CURLE_OUT_OF_MEMORY)
        return err_nomem(err);
    if (s.rc != CURLE_OK)
        return err_set(err, E_UNSUPPORTED, "this libcurl cannot do what is needed of it: %s",
                       curl_easy_strerror(s.rc));
    return fetch_proxy_make(settings, &c->proxy, err);
}

enum errc fetch_curl_new(const struct fetch_settings *settings, struct fetch_curl **out,
                         struct err *err)
{
    struct fetch_curl *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return err_nomem(err);
    buf_init(&c->proxy, FETCH_PROXY_MAX);
    c->asks_system = settings->proxy_use == PROXY_SYSTEM;
    c->is_global = digest_share_context() && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    c->easy = c->is_global ? curl_easy_init() : NULL;
    enum errc rc = c->easy == NULL ? err_nomem(err) : set_all(c, settings, err);
    if (rc == E_OK)
        *out = c;
    else
        fetch_curl_free(c);
    return rc;
}

void fetch_curl_free(struct fetch_curl *c)
{
    if (c == NULL)
        return;
    if (c->easy != NULL)
        curl_easy_cleanup(c->easy);
    if (c->is_global)
        curl_global_cleanup();
    buf_fini(&c->proxy);
    free(c);
}

/* --- one exchange */

struct run {
    struct fetch *f;
    struct fetch_exchange *x;
    struct err *err;
    enum errc failed; /* a callback ended it, with *err */
    bool is_enough;   /* a callback ended it, and that is well */
    bool is_body;     /* 200 or 206, and on_head took it */
    uint64_t n_unwanted;
    uint64_t n_seen; /* bytes of any sort: while they change, it does not stall */
    uint64_t n_seen_before;
    int64_t moved_ms; /* when they last did */
    int64_t stall_ms;
};

static int64_t clock_ms(const struct run *r)
{
    const struct platform *p = r->f->settings.platform;
    return p->host->monotonic_ms(p->self);
}

static bool begin_body(struct run *r)
{
    r->failed = r->x->on_head(r->x->ctx, &r->x->head, r->err);
    r->x->is_ours = r->failed != E_OK;
    r->is_body = r->failed == E_OK;
    return r->is_body;
}

/* A part that was not asked for is not wanted. After the head of what is wanted come trailers,
 * which nobody reads. */
static size_t on_header(char *line, size_t one, size_t n, void *ctx)
{
    struct run *r = ctx;
    struct fetch_head *head = &r->x->head;
    const size_t stop = n + 1;
    UNUSED(one);
    r->n_seen += n;
    if (r->is_body)
        return n;
    r->failed = fetch_head_add_line(head, span_of(line, n), r->err);
    if (r->failed != E_OK)
        return stop;
    bool is_wanted =
        head->is_done && (head->status == 200 || (head->status == 206 && r->x->from > 0));
    return is_wanted && !begin_body(r) ? stop : n;
}

static size_t on_data(char *bytes, size_t one, size_t n, void *ctx)
{
    struct run *r = ctx;
    const size_t stop = n + 1;
    UNUSED(one);
    r->n_seen += n;
    if (!r->is_body) {
        r->n_unwanted += n;
        r->is_enough = r->n_unwanted > DISCARD_MAX;
        return r->is_enough ? stop : n;
    }
    r->failed = r->x->on_body(r->x->ctx, span_of(bytes, n), r->err);
    if (r->failed == E_OK)
        r->failed = fetch_wait_pace(r->f, n, r->err);
    r->x->is_ours = r->failed != E_OK;
    return r->failed == E_OK ? n : stop;
}

/* Called by libcurl at least about once a second, whatever it waits for. */
static int on_progress(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total,
                       curl_off_t up_now)
{
    struct run *r = ctx;
    int64_t at = clock_ms(r);
    UNUSED(total);
    UNUSED(now);
    UNUSED(up_total);
    UNUSED(up_now);
    if (r->failed != E_OK)
        return 1; /* it is also called at the end, whatever the end was */
    if (r->n_seen != r->n_seen_before)
        r->moved_ms = at;
    r->n_seen_before = r->n_seen;
    if (at - r->moved_ms >= r->stall_ms) {
        r->failed =
            err_set(r->err, E_TIMEOUT, "no byte came for %" PRId64 " s", r->f->settings.stall_s);
        return 1;
    }
    r->failed = fetch_tell(r->f, r->err);
    r->x->is_ours = r->failed != E_OK;
    return r->failed == E_OK ? 0 : 1;
}

static void set_callbacks(CURL *easy, struct run *r, struct setter *s)
{
    if (s->rc == CURLE_OK)
        s->rc = curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    if (s->rc == CURLE_OK)
        s->rc = curl_easy_setopt(easy, CURLOPT_HEADERDATA, r);
    if (s->rc == CURLE_OK)
        s->rc = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
    if (s->rc == CURLE_OK)
        s->rc = curl_easy_setopt(easy, CURLOPT_WRITEDATA, r);
    if (s->rc == CURLE_OK)
        s->rc = curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    if (s->rc == CURLE_OK)
        s->rc = curl_easy_setopt(easy, CURLOPT_XFERINFODATA, r);
}

static void add_header(struct curl_slist **list, struct setter *s, const char *name,
                       const char *value)
{
    char line[512];
    int n = snprintf(line, sizeof(line), "%s: %s", name, value);
    struct curl_slist *longer = NULL;
    if (n > 0 && (size_t)n < sizeof(line))
        longer = curl_slist_append(*list, line);
    if (longer != NULL)
        *list = longer;
    else if (s->rc == CURLE_OK)
        s->rc = CURLE_OUT_OF_MEMORY;
}

static void set_headers(struct setter *s, const struct fetch_exchange *x, struct curl_slist **list)
{
    char range[48];
    add_header(list, s, "Accept-Encoding", "identity");
    if (x->past_caches)
        add_header(list, s, "Cache-Control", "no-cache");
    if (x->if_none_match != NULL)
        add_header(list, s, "If-None-Match", x->if_none_match);
    if (x->if_modified_since != NULL)
        add_header(list, s, "If-Modified-Since", x->if_modified_since);
    if (x->from > 0) {
        (void)snprintf(range, sizeof(range), "bytes=%" PRIu64 "-", x->from);
        add_header(list, s, "Range", range);
    }
    if (x->from > 0 && x->if_range != NULL)
        add_header(list, s, "If-Range", x->if_range);
    if (s->rc == CURLE_OK)
        s->rc = curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, *list);
}

/* --- what libcurl says, in our words */

static const struct {
    CURLcode code;
    enum errc as;
    const char *text;
} meanings[] = {
    { CURLE_COULDNT_RESOLVE_PROXY, E_IO, "the proxy's name cannot be resolved" },
    { CURLE_COULDNT_RESOLVE_HOST, E_IO, "the name cannot be resolved" },
    { CURLE_COULDNT_CONNECT, E_IO, "no connection" },
    { CURLE_PROXY, E_IO, "the proxy makes no connection" },
    { CURLE_GOT_NOTHING, E_IO, "the connection was closed without an answer" },
    { CURLE_PARTIAL_FILE, E_IO, "the answer was cut off" },
    { CURLE_SEND_ERROR, E_IO, "the connection broke" },
    { CURLE_RECV_ERROR, E_IO, "the connection broke" },
    { CURLE_SSL_CONNECT_ERROR, E_IO, "no TLS connection" },
    { CURLE_PEER_FAILED_VERIFICATION, E_ACCESS,
      "its certificate does not prove that it is this host" },
    { CURLE_SSL_CACERT_BADFILE, E_ARGUMENT, "the certificates that are to prove it can't be read" },
    { CURLE_SSL_ISSUER_ERROR, E_ACCESS, "its certificate does not prove that it is this host" },
    { CURLE_WEIRD_SERVER_REPLY, E_MALFORMED, "answers with what is no HTTP" },
    { CURLE_UNSUPPORTED_PROTOCOL, E_MALFORMED, "answers with what is no HTTP/1" },
    { CURLE_BAD_CONTENT_ENCODING, E_MALFORMED, "answers in an encoding that was not asked for" },
    { CURLE_URL_MALFORMAT, E_MALFORMED, "libcurl does not read this URL as we do" },
};

static enum errc explain(const struct fetch_curl *c, enum errc code, const char *text,
                         struct err *err)
{
    char detail[120];
    if (c->detail[0] == '\0')
        return err_set(err, code, "%s", text);
    return err_set(err, code, "%s (%s)", text,
                   text_printable(span_text(c->detail), detail, sizeof(detail)));
}

/* A tunnel through a proxy that was not made: libcurl's code is that of a broken connection. */
static enum errc explain_tunnel(const struct fetch_curl *c, long status, struct err *err)
{
    if (status == 407 || status == 401)
        return err_set(err, E_ACCESS, "the proxy wants another login (status %ld)", status);
    if (status == 403)
        return err_set(err, E_ACCESS, "the proxy does not let us through (status 403)");
    return explain(c, E_IO, "the proxy makes no connection", err);
}

static enum errc meaning_of(const struct fetch_curl *c, const struct run *r, CURLcode code,
                            struct err *err)
{
    long tunnel = 0;
    if (curl_easy_getinfo(c->easy, CURLINFO_HTTP_CONNECTCODE, &tunnel) != CURLE_OK)
        tunnel = 0;
    if (tunnel >= 300)
        return explain_tunnel(c, tunnel, err);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return fetch_wait_over(r->f, err);
    /* Older libcurl says so of a line that it does not want to hold. */
    if (code == CURLE_OUT_OF_MEMORY && !r->x->head.is_done)
        return err_set(err, E_LIMIT, "sends an endless line in its head (or memory ran out)");
    if (code == CURLE_OUT_OF_MEMORY)
        return err_nomem(err);
    for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
        if (meanings[i].code == code)
            return explain(c, meanings[i].as, meanings[i].text, err);
    return explain(c, E_IO, curl_easy_strerror(code), err);
}

static enum errc result_of(const struct fetch_curl *c, const struct run *r, CURLcode code,
                           struct err *err)
{
    if (r->failed != E_OK)
        return r->failed;
    if (code != CURLE_OK && !r->is_enough)
        return meaning_of(c, r, code, err);
    if (!r->x->head.is_done)
        return err_set(err, E_IO, "the answer was cut off in its head");
    return E_OK;
}

/* The product's proxy; or the system's for this URL, and where that keeps none NULL: libcurl then
 * asks the environment, which has exceptions too. */
static enum errc choose_proxy(const struct fetch *f, char to[HOST_PROXY_ROOM], const char **out,
                              struct err *err)
{
    struct platform *p = f->settings.platform;
    enum host_proxy how = HOST_PROXY_ENVIRONMENT;
    struct fetch_url url;
    char host[FETCH_HOST_ROOM];
    *out = (const char *)f->curl->proxy.ptr;
    if (!f->curl->asks_system)
        return E_OK;
    enum errc rc = fetch_url_read(span_text(f->url), &url, err);
    if (rc == E_OK && url.host.len >= sizeof(host))
        rc = err_set(err, E_LIMIT, "a host's name of %zu bytes", url.host.len);
    if (rc != E_OK)
        return rc;
    (void)snprintf(host, sizeof(host), "%.*s", (int)url.host.len, (const char *)url.host.ptr);
    rc = p->host->proxy_for(p->self, url.scheme == FETCH_HTTPS ? "https" : "http", host, &how, to,
                            err);
    if (rc != E_OK)
        return err_prefix(err, "the system's proxy: ");
    *out = how == HOST_PROXY_NAMED ? to : how == HOST_PROXY_NONE ? "" : NULL;
    return E_OK;
}

static enum errc set_up(struct fetch *f, struct run *r, bool goes_direct, struct curl_slist **list,
                        struct err *err)
{
    struct setter s = { .easy = f->curl->easy, .rc = CURLE_OK };
    int64_t left_ms = fetch_wait_left_ms(f);
    char room[HOST_PROXY_ROOM];
    const char *proxy = "";
    enum errc rc = goes_direct ? E_OK : choose_proxy(f, room, &proxy, err);
    if (rc != E_OK)
        return rc;
    if (left_ms == 0)
        return fetch_wait_over(f, err);
    set_text(&s, CURLOPT_URL, f->url);
    set_text(&s, CURLOPT_PROXY, proxy);
    set_text(&s, CURLOPT_NOPROXY, proxy == NULL ? NULL : ""); /* else by the environment too */
    set_long(&s, CURLOPT_TIMEOUT_MS, (long)(left_ms < INT32_MAX ? left_ms : INT32_MAX));
    set_long(&s, CURLOPT_CONNECTTIMEOUT_MS, (long)r->stall_ms + CONNECT_SLACK_MS);
    set_text(&s, CURLOPT_ERRORBUFFER, f->curl->detail);
    set_callbacks(f->curl->easy, r, &s);
    set_headers(&s, r->x, list);
    if (s.rc == CURLE_OUT_OF_MEMORY)
        return err_nomem(err);
    if (s.rc != CURLE_OK)
        return err_set(err, E_INTERNAL, "libcurl: %s", curl_easy_strerror(s.rc));
    return E_OK;
}

enum errc fetch_curl_run(struct fetch *f, struct fetch_exchange *x, bool goes_direct,
                         struct err *err)
{
    struct run r = { .f = f, .x = x, .err = err };
    struct curl_slist *list = NULL;
    r.moved_ms = clock_ms(&r);
    r.stall_ms = f->settings.stall_s * 1000;
    f->curl->detail[0] = '\0';
    enum errc rc = set_up(f, &r, goes_direct, &list, err);
    if (rc == E_OK)
        rc = result_of(f->curl, &r, curl_easy_perform(f->curl->easy), err);
    (void)curl_easy_setopt(f->curl->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(list);
    return rc;
}
