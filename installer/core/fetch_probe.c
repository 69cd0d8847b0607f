#include "installer/core/fetch_probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "platform/base/buf.h"

#include <curl/curl.h>

struct probing {
    struct buf body;
    bool is_long;
};

static size_t take_body(char *bytes, size_t size, size_t n, void *ctx)
{
    struct probing *p = ctx;
    struct err ignored;
    const size_t len = size * n;
    if (len > FETCH_PROBE_BODY_MAX - p->body.len) {
        p->is_long = true;
        return 0;
    }
    return buf_add(&p->body, span_of(bytes, len), &ignored) == E_OK ? len : 0;
}

static CURLcode set_all(CURL *easy, const struct fetch_probe *probe, struct probing *ctx)
{
    struct curl_blob blob = { .data = (void *)(uintptr_t)probe->ca.ptr,
                              .len = probe->ca.len,
                              .flags = CURL_BLOB_COPY };
    CURLcode rc = curl_easy_setopt(easy, CURLOPT_URL, probe->url);
    const struct {
        CURLoption option;
        long value;
    } longs[] = {
        { CURLOPT_FOLLOWLOCATION, 0 },
        { CURLOPT_SSL_VERIFYPEER, 1 },
        { CURLOPT_SSL_VERIFYHOST, 2 },
        { CURLOPT_NOSIGNAL, 1 },
        { CURLOPT_HTTP09_ALLOWED, 0 },
        { CURLOPT_FRESH_CONNECT, 1 },
        { CURLOPT_FORBID_REUSE, 1 },
        { CURLOPT_NETRC, CURL_NETRC_IGNORED },
        { CURLOPT_TIMEOUT_MS, (long)probe->timeout_ms },
        { CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
    };
    for (size_t i = 0; i < ARRAY_LEN(longs) && rc == CURLE_OK; i++)
        rc = curl_easy_setopt(easy, longs[i].option, longs[i].value);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(easy, CURLOPT_USERAGENT, "surefoot health");
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(easy, CURLOPT_WRITEDATA, ctx);
    if (rc != CURLE_OK || probe->ca.len == 0)
        return rc;
    rc = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    return rc == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob) : rc;
}

static bool has_text(struct span body, const char *text)
{
    const size_t len = strlen(text);
    for (size_t at = 0; len <= body.len && at <= body.len - len; at++)
        if (memcmp(body.ptr + at, text, len) == 0)
            return true;
    return len == 0;
}

static bool judge(const struct fetch_probe *probe, const struct probing *p, CURLcode rc,
                  long status, char *why, size_t room)
{
    if (rc != CURLE_OK && !p->is_long)
        (void)snprintf(why, room, "%.100s: %s", probe->url, curl_easy_strerror(rc));
    else if ((uint64_t)status != probe->status)
        (void)snprintf(why, room, "%.100s: status %ld, wanted %" PRIu64, probe->url, status,
                       probe->status);
    else if (probe->contains != NULL && !has_text(buf_span(&p->body), probe->contains))
        (void)snprintf(why, room, "%.100s: \"%.60s\" is not in what it answers", probe->url,
                       probe->contains);
    else
        return true;
    return false;
}

enum errc fetch_probe_ask(const struct fetch_probe *probe, bool *out_holds, char *why, size_t room,
                          struct err *err)
{
    struct probing ctx = { .is_long = false };
    long status = 0;
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        return err_nomem(err);
    buf_init(&ctx.body, FETCH_PROBE_BODY_MAX);
    enum errc rc = E_OK;
    if (set_all(easy, probe, &ctx) != CURLE_OK) {
        rc = err_set(err, E_UNSUPPORTED, "this libcurl can't make a probe");
    } else {
        CURLcode answer = curl_easy_perform(easy);
        (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        *out_holds = judge(probe, &ctx, answer, status, why, room);
    }
    buf_fini(&ctx.body);
    curl_easy_cleanup(easy);
    return rc;
}
