#include "manifest/product_private.h"

#include <string.h>

#define FEEDS_MAX 16

/* --- install */

static const char *const switch_words[] = { "auto", "exchange", "pointer", NULL };
#define SWITCH_UNSAID (-1)

static void begin_install(void *record)
{
    struct product_install *in = record;
    in->os = PRODUCT_OS_HOST;
    in->arch = PRODUCT_OS_HOST;
    in->switch_mode = SWITCH_UNSAID;
}

static enum errc check_msi(const struct product_install *in, struct err *err)
{
    if (in->upgrade_code == NULL)
        return err_set(err, E_MALFORMED,
                       "an MSI is found by its upgrade code: say \"upgrade-code\"");
    if (in->switch_mode != SWITCH_UNSAID)
        return err_set(err, E_MALFORMED,
                       "\"switch\" is of archives: Windows Installer has its own way");
    if (in->os != PRODUCT_OS_HOST && in->os != OS_WINDOWS)
        return err_set(err, E_MALFORMED,
                       "an MSI is for windows: say so in \"os\", or leave it out");
    return E_OK;
}

static enum errc check_archive(const struct product_install *in, struct err *err)
{
    if (in->folder == NULL)
        return err_set(err, E_MALFORMED, "an archive goes into a folder: say \"folder\"");
    if (in->upgrade_code != NULL)
        return err_set(err, E_MALFORMED, "\"upgrade-code\" is of an MSI: say kind=\"msi\"");
    return E_OK;
}

static enum errc check_install(void *record, struct err *err)
{
    struct product_install *in = record;
    enum errc rc = in->kind == PAYLOAD_MSI ? check_msi(in, err) : check_archive(in, err);
    if (rc == E_OK && in->switch_mode == SWITCH_UNSAID)
        in->switch_mode = SWITCH_AUTO;
    return rc;
}

static const struct schema_value install_values[] = {
    SCHEMA_MUST("kind", VALUE_WORD, struct product_install, kind, .words = payload_kind_words),
    SCHEMA_MAY("os", VALUE_WORD, struct product_install, os, .words = target_os_words),
    SCHEMA_MAY("arch", VALUE_WORD, struct product_install, arch, .words = target_arch_words),
    SCHEMA_MAY("folder", VALUE_ARGUMENT, struct product_install, folder),
    SCHEMA_MAY("upgrade-code", VALUE_GUID, struct product_install, upgrade_code),
    SCHEMA_MAY("switch", VALUE_WORD, struct product_install, switch_mode, .words = switch_words),
};
const struct schema_element product_install_element = { .name = "install",
                                                        SCHEMA_VALUES(install_values),
                                                        .min = 1,
                                                        .max = 1,
                                                        .store = STORE_FIELD,
                                                        .at = offsetof(struct product, install),
                                                        .begin = begin_install,
                                                        .check = check_install };

/* --- fetch */

static const char *const proxy_words[] = { "system", "none", NULL };
#define PROXY_UNSAID (-1)

static bool starts_with(const char *text, const char *start)
{
    return span_starts_with(span_text(text), span_text(start));
}

/* is_ipv4_loopback: four decimal parts of 1..3 digits each, of which the first is 127. */
static bool is_ipv4_loopback(struct span host)
{
    size_t n_parts = 0, n_digits = 0;
    for (size_t i = 0; i < host.len; i++) {
        if (host.ptr[i] >= '0' && host.ptr[i] <= '9') {
            n_parts += n_digits == 0;
            n_digits++;
        } else if (host.ptr[i] == '.' && n_digits > 0) {
            n_digits = 0;
        } else {
            return false;
        }
        if (n_digits > 3)
            return false;
    }
    return n_parts == 4 && n_digits > 0 && span_starts_with(host, span_text("127."));
}

/* is_port_or_path: what may follow the host of a URL. */
static bool is_port_or_path(const char *rest)
{
    if (*rest == ':') {
        size_t n = strspn(rest + 1, "0123456789");
        if (n < 1 || n > 5)
            return false;
        rest += 1 + n;
    }
    return *rest == '\0' || *rest == '/';
}

/* is_loopback: the URL is http and its host is this machine, by a name that cannot mean another. */
static bool is_loopback(const char *url)
{
    const char *host = url + strlen("http://");
    size_t len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
    struct span h = span_sub(span_text(host), 0, len);
    return is_port_or_path(host + h.len) &&
           (span_equal_text(h, "localhost") || span_equal_text(h, "[::1]") || is_ipv4_loopback(h));
}

static enum errc check_feed(void *record, struct err *err)
{
    const struct product_feed *feed = record;
    if (!starts_with(feed->url, "http:")) {
        if (feed->allows_http)
            return err_set(err, E_MALFORMED,
                           "allows http, and the URL is not http: leave \"allow-http\" out");
        return E_OK;
    }
    if (!feed->allows_http && !is_loopback(feed->url))
        return err_set(err, E_MALFORMED,
                       "http to another machine: use https, or say allow-http=\"true\" (all that "
                       "comes is proven all the same, but can be watched and held back)");
    return E_OK;
}

static const struct schema_value feed_values[] = {
    SCHEMA_MUST("url", VALUE_URL, struct product_feed, url),
    SCHEMA_MAY("allow-http", VALUE_FLAG, struct product_feed, allows_http),
};
static const struct schema_element feed = { .name = "feed",
                                            SCHEMA_VALUES(feed_values),
                                            .min = 1,
                                            .max = FEEDS_MAX,
                                            .store = STORE_LIST,
                                            .at = offsetof(struct product_fetch, feeds),
                                            .record_size = sizeof(struct product_feed),
                                            .check = check_feed };

static void begin_proxy(void *record)
{
    ((struct product_proxy *)record)->use = PROXY_UNSAID;
}

static enum errc check_proxy(void *record, struct err *err)
{
    struct product_proxy *proxy = record;
    if (proxy->use != PROXY_UNSAID && proxy->url != NULL)
        return err_set(err, E_MALFORMED, "says both \"use\" and \"url\": leave one out");
    if (proxy->use == PROXY_UNSAID && proxy->url == NULL)
        return err_set(err, E_MALFORMED, "says neither \"use\" nor \"url\"");
    if (proxy->url == NULL && proxy->login_file != NULL)
        return err_set(err, E_MALFORMED, "has a login and no \"url\" that it is for");
    if (proxy->url != NULL && starts_with(proxy->url, "file:"))
        return err_set(err, E_MALFORMED, "the URL of a proxy is http or https");
    if (proxy->url != NULL)
        proxy->use = PROXY_URL;
    return E_OK;
}

static const struct schema_value proxy_values[] = {
    SCHEMA_MAY("use", VALUE_WORD, struct product_proxy, use, .words = proxy_words),
    SCHEMA_MAY("url", VALUE_URL, struct product_proxy, url),
    SCHEMA_MAY("login-file", VALUE_ARGUMENT, struct product_proxy, login_file),
};
static const struct schema_element proxy = { .name = "proxy",
                                             SCHEMA_VALUES(proxy_values),
                                             .max = 1,
                                             .store = STORE_FIELD,
                                             .at = offsetof(struct product_fetch, proxy),
                                             .begin = begin_proxy,
                                             .check = check_proxy };

static void begin_fetch(void *record)
{
    struct product_fetch *fetch = record;
    fetch->stall_s = 60;
    fetch->deadline_s = 6 * 3600;
}

static const struct schema_value fetch_values[] = {
    SCHEMA_MAY("ca", VALUE_ARGUMENT, struct product_fetch, ca),
    SCHEMA_MAY("rate-limit", VALUE_SIZE, struct product_fetch, rate_limit_bytes, .min = 1024),
    SCHEMA_MAY("stall", VALUE_DURATION, struct product_fetch, stall_s, .min = 1, .max = 3600),
    SCHEMA_MAY("deadline", VALUE_DURATION, struct product_fetch, deadline_s, .min = 1),
};
static const struct schema_element *const fetch_children[] = { &feed, &proxy, NULL };
const struct schema_element product_fetch_element = { .name = "fetch",
                                                      SCHEMA_VALUES(fetch_values),
                                                      .children = fetch_children,
                                                      .min = 1,
                                                      .max = 1,
                                                      .store = STORE_FIELD,
                                                      .at = offsetof(struct product, fetch),
                                                      .begin = begin_fetch };
