#include "installer/core/fetch_url.h"

#include <string.h>

#include "installer/core/fetch_url_private.h"
#include "platform/base/reader.h"
#include "platform/base/text.h"

#define IPV6_TEXT_MAX 47 /* with brackets and an IPv4 tail */

const char *const fetch_url_starts[] = {
    [FETCH_HTTPS] = "https://", [FETCH_HTTP] = "http://", [FETCH_FILE] = "file://"
};

static bool is_hex_digit(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* is_start: ASCII letters of either case. */
static bool is_start(struct span text, const char *start)
{
    size_t n = strlen(start);
    for (size_t i = 0; i < n; i++) {
        uint8_t c = i < text.len ? text.ptr[i] : 0;
        if (c >= 'A' && c <= 'Z')
            c = (uint8_t)(c - 'A' + 'a');
        if (c != (uint8_t)start[i])
            return false;
    }
    return true;
}

/* --- hosts */

/* read_quad: four decimal numbers, each 0..255 and without leading zeros. */
static bool read_quad(struct span host, uint8_t out[4])
{
    struct reader r = reader_of(host, 0);
    for (size_t i = 0; i < 4; i++) {
        uint32_t n = 0;
        size_t n_digits = 0;
        uint8_t c = 0;
        while (reader_u8(&r, &c) && is_digit(c)) {
            if (n_digits++ > 0 && n == 0)
                return false;
            n = n * 10 + (uint32_t)(c - '0');
            if (n > 255)
                return false;
            c = 0;
        }
        bool is_last = i == 3;
        if (n_digits == 0 || c != (is_last ? 0 : '.'))
            return false;
        out[i] = (uint8_t)n;
    }
    return reader_is_done(&r);
}

/* ends_in_number: the last label is a number in some notation, so that the whole is meant as an
 * address. */
static bool ends_in_number(struct span host)
{
    size_t at = host.len;
    while (at > 0 && host.ptr[at - 1] != '.')
        at--;
    struct span last = span_sub(host, at, host.len);
    bool is_number = last.len > 0;
    size_t from = is_start(last, "0x") ? 2 : 0;
    for (size_t i = from; i < last.len; i++)
        is_number = is_number && (from > 0 ? is_hex_digit(last.ptr[i]) : is_digit(last.ptr[i]));
    return is_number;
}

static bool is_ipv6(struct span host)
{
    if (host.len < 4 || host.len > IPV6_TEXT_MAX || host.ptr[host.len - 1] != ']')
        return false;
    for (size_t i = 1; i + 1 < host.len; i++)
        if (!is_hex_digit(host.ptr[i]) && host.ptr[i] != ':' && host.ptr[i] != '.')
            return false;
    return memchr(host.ptr, ':', host.len) != NULL;
}

static enum errc check_name(struct span host, struct err *err)
{
    uint8_t quad[4];
    if (ends_in_number(host) && !read_quad(host, quad))
        return err_set(err, E_MALFORMED,
                       "the host of the URL is a number, and no address of four decimal parts");
    size_t label = 0;
    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = host.ptr[i];
        if (!is_letter(c) && !is_digit(c) && c != '.' && c != '-' && c != '_')
            return err_set(err, E_MALFORMED, "the host of the URL has byte 0x%02x in it", c);
        if (c == '.' && label == 0)
            return err_set(err, E_MALFORMED, "the host of the URL has an empty part");
        label = c == '.' ? 0 : label + 1;
    }
    return E_OK;
}

static enum errc check_host(struct span host, struct err *err)
{
    if (host.len == 0)
        return err_set(err, E_MALFORMED, "the URL has no host");
    if (host.len > 255)
        return err_set(err, E_LIMIT, "the host of the URL is %zu bytes long, limit 255", host.len);
    if (host.ptr[0] != '[')
        return check_name(host, err);
    if (!is_ipv6(host))
        return err_set(err, E_MALFORMED, "the host of the URL is no IPv6 address in brackets");
    return E_OK;
}

static enum errc check_port(struct span port, struct err *err)
{
    uint32_t n = 0;
    bool is_number = port.len >= 1 && port.len <= 5;
    for (size_t i = 0; is_number && i < port.len; i++) {
        is_number = is_digit(port.ptr[i]);
        n = n * 10 + (uint32_t)(port.ptr[i] - '0');
    }
    if (!is_number || n == 0 || n > 65535)
        return err_set(err, E_MALFORMED, "the port of the URL is no number from 1 to 65535");
    return E_OK;
}

static enum errc read_authority(struct span authority, struct fetch_url *out, struct err *err)
{
    bool is_bracketed = authority.len > 0 && authority.ptr[0] == '[';
    size_t end = find_any(authority, is_bracketed ? "]" : ":");
    if (is_bracketed && end < authority.len)
        end++;
    struct span rest = span_sub(authority, end, authority.len);
    out->authority = authority;
    out->host = span_sub(authority, 0, end);
    enum errc rc = check_host(out->host, err);
    if (rc != E_OK || rest.len == 0)
        return rc;
    if (rest.ptr[0] != ':')
        return err_set(err, E_MALFORMED, "something follows the URL's host that is no port");
    return check_port(span_sub(rest, 1, rest.len), err);
}

/* --- whole URLs */

enum errc fetch_url_check_bytes(struct span text, struct err *err)
{
    if (text.len > FETCH_URL_MAX)
        return err_set(err, E_LIMIT, "the URL is %zu bytes long, limit %d", text.len,
                       FETCH_URL_MAX);
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~' || strchr("\"#<>\\^`{|}", text.ptr[i]) != NULL)
            return err_set(err, E_MALFORMED, "the URL has byte 0x%02x in it", text.ptr[i]);
    return E_OK;
}

static enum errc read_scheme(struct span text, struct fetch_url *out, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(fetch_url_starts); i++)
        if (is_start(text, fetch_url_starts[i])) {
            out->scheme = (enum fetch_scheme)i;
            return E_OK;
        }
    return err_set(err, E_MALFORMED, "the URL is neither https:// nor http:// nor file://");
}

enum errc fetch_url_read(struct span text, struct fetch_url *out, struct err *err)
{
    struct fetch_url url = { .scheme = FETCH_HTTPS };
    enum errc rc = fetch_url_check_bytes(text, err);
    if (rc == E_OK)
        rc = read_scheme(text, &url, err);
    if (rc != E_OK)
        return rc;
    struct span rest = span_sub(text, strlen(fetch_url_starts[url.scheme]), text.len);
    size_t end = find_any(rest, "/?");
    struct span authority = span_sub(rest, 0, end);
    rest = span_sub(rest, end, rest.len);
    url.path = span_sub(rest, 0, find_any(rest, "?"));
    url.query = span_sub(rest, url.path.len, rest.len);
    if (find_any(authority, "@") < authority.len)
        return err_set(err, E_MALFORMED, "the URL has a login in it");
    if (url.scheme == FETCH_FILE && (authority.len > 0 || url.path.len < 2))
        return err_set(err, E_MALFORMED, "a file's URL is file:/// and an absolute path");
    if (url.scheme != FETCH_FILE)
        rc = read_authority(authority, &url, err);
    if (rc == E_OK)
        *out = url;
    return rc;
}

bool fetch_url_is_loopback(const struct fetch_url *url)
{
    uint8_t quad[4];
    if (url->scheme == FETCH_FILE)
        return false;
    if (read_quad(url->host, quad))
        return quad[0] == 127;
    return span_equal_text(url->host, "[::1]") ||
           (url->host.len == strlen("localhost") && is_start(url->host, "localhost"));
}

enum errc fetch_url_check(const struct fetch_url *url, bool allows_http, struct err *err)
{
    if (url->scheme == FETCH_HTTP && !allows_http && !fetch_url_is_loopback(url))
        return err_set(err, E_ARGUMENT,
                       "http to another machine is not allowed; use https, or allow it in the "
                       "product file");
    return E_OK;
}

enum errc fetch_url_check_redirect(const struct fetch_url *from, const struct fetch_url *to,
                                   bool allows_http, struct err *err)
{
    char host[FETCH_HOST_ROOM];
    (void)fetch_url_host_text(to, host);
    if (from->scheme == FETCH_FILE || to->scheme == FETCH_FILE)
        return err_set(err, E_MALFORMED, "redirects to a file, which is not followed");
    if (from->scheme == FETCH_HTTPS && to->scheme == FETCH_HTTP)
        return err_set(err, E_MALFORMED, "redirects from https to http://%.150s, which is weaker",
                       host);
    if (!fetch_url_is_loopback(from) && fetch_url_is_loopback(to))
        return err_set(err, E_MALFORMED, "redirects to this machine itself (%.150s)", host);
    if (fetch_url_check(to, allows_http, NULL) != E_OK)
        return err_set(err, E_MALFORMED, "redirects to http://%.150s, and http is not allowed",
                       host);
    return E_OK;
}

const char *fetch_url_host_text(const struct fetch_url *url, char to[FETCH_HOST_ROOM])
{
    struct span shown = url->scheme == FETCH_FILE ? span_text("file") : url->authority;
    return text_printable(shown, to, FETCH_HOST_ROOM);
}
