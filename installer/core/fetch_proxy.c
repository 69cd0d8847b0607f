#include <string.h>

#include "installer/core/fetch_private.h"
#include "manifest/product.h"

static enum errc check_login(const char *login, struct err *err)
{
    const char *colon = strchr(login, ':');
    if (colon == NULL || colon == login)
        return err_set(err, E_ARGUMENT, "the proxy's login is not USER:PASSWORD");
    if (strlen(login) > FETCH_LOGIN_MAX)
        return err_set(err, E_LIMIT, "the proxy's login is longer than %d bytes", FETCH_LOGIN_MAX);
    for (const char *c = login; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            return err_set(err, E_ARGUMENT, "the proxy's login has control characters in it");
    return E_OK;
}

enum errc fetch_proxy_check(const struct fetch_settings *s, struct err *err)
{
    struct fetch_url url;
    if (s->proxy_use != PROXY_URL)
        return E_OK;
    if (s->proxy_url == NULL)
        return err_set(err, E_ARGUMENT, "a proxy by URL, and no URL");
    enum errc rc = fetch_url_read(span_text(s->proxy_url), &url, err);
    if (rc != E_OK)
        return err_prefix(err, "the proxy: ");
    if (url.scheme == FETCH_FILE)
        return err_set(err, E_ARGUMENT, "the URL of a proxy is http or https");
    return s->proxy_login == NULL ? E_OK : check_login(s->proxy_login, err);
}

static enum errc add_encoded(struct buf *b, struct span text, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; rc == E_OK && i < text.len; i++)
        rc = buf_printf(b, err, "%%%02X", text.ptr[i]);
    return rc;
}

/* The login goes into the URL: of the ways to hand it over, that is the one of which all versions
 * of libcurl agree how it is decoded. */
static enum errc add_login(struct buf *b, const char *login, struct err *err)
{
    struct span all = span_text(login);
    size_t user = strcspn(login, ":");
    enum errc rc = add_encoded(b, span_sub(all, 0, user), err);
    if (rc == E_OK)
        rc = buf_add_byte(b, ':', err);
    if (rc == E_OK)
        rc = add_encoded(b, span_sub(all, user + 1, all.len), err);
    return rc == E_OK ? buf_add_byte(b, '@', err) : rc;
}

enum errc fetch_proxy_make(const struct fetch_settings *settings, struct buf *b, struct err *err)
{
    struct fetch_url url;
    enum errc rc = E_OK;
    if (settings->proxy_use == PROXY_URL) {
        rc = fetch_url_read(span_text(settings->proxy_url), &url, err);
        if (rc == E_OK)
            rc = buf_add_text(b, url.scheme == FETCH_HTTPS ? "https://" : "http://", err);
        if (rc == E_OK && settings->proxy_login != NULL)
            rc = add_login(b, settings->proxy_login, err);
        if (rc == E_OK)
            rc = buf_add(b, url.authority, err);
    }
    return rc == E_OK ? buf_add_byte(b, '\0', err) : rc;
}
