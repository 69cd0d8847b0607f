#ifndef SUREFOOT_CORE_FETCH_URL_H
#define SUREFOOT_CORE_FETCH_URL_H

/* fetch_url.h: the URLs that we fetch from (RFC 3986), taken apart, joined, and judged: which may
 * be asked, and which a server may send us to. Pure: text in, text out.
 *
 *   https://host[:port][/path][?query]     file:///path
 *   http:// likewise
 *
 * Read narrowly, so that no other reader can find another host in the same text: visible ASCII, no
 * login ("@"), no backslash, no fragment; a host is a name, four decimal numbers, or an IPv6
 * address in brackets. Spellings of numbers that some take for an address ("2130706433", "0x7f.1",
 * "127.0.0.010") are refused.
 *
 * What it does not check: whether the host exists, and where its name leads. */

#include <stdbool.h>

#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "platform/base/span.h"

#define FETCH_URL_MAX 4096 /* bytes; redirects with signed queries are long */
#define FETCH_URL_ROOM (FETCH_URL_MAX + 1)
#define FETCH_HOST_MAX 262 /* a name of 255 bytes and ":65535" */
#define FETCH_HOST_ROOM (FETCH_HOST_MAX + 1)

enum fetch_scheme { FETCH_HTTPS, FETCH_HTTP, FETCH_FILE };

/* struct fetch_url: the parts, borrowed from the text that was read. */
struct fetch_url {
    enum fetch_scheme scheme;
    struct span host;      /* with an IPv6 address's brackets; empty of a file */
    struct span authority; /* host, and ":port" where it is written */
    struct span path;      /* from the first "/", without the query; may be empty */
    struct span query;     /* from the "?"; may be empty */
};

/* fetch_url_read takes a URL apart. E_MALFORMED and what is wrong with it; E_LIMIT where it is too
 * long. The texts never show a path or query, which may hold secrets. */
MUST_USE enum errc fetch_url_read(struct span text, struct fetch_url *out, struct err *err);

/* fetch_url_is_loopback: is the host this machine, by a name that means no other: localhost,
 * 127.x.x.x, [::1]? */
bool fetch_url_is_loopback(const struct fetch_url *url);

/* fetch_url_check is E_OK for what may be asked at all: https, file, http to this machine, and any
 * http where that is allowed. Else E_ARGUMENT. */
MUST_USE enum errc fetch_url_check(const struct fetch_url *url, bool allows_http, struct err *err);

/* fetch_url_check_redirect is E_OK where a server at `from` may send us to `to`: to https, or from
 * http to http, which itself must be allowed; from another machine never to this one. Else
 * E_MALFORMED. */
MUST_USE enum errc fetch_url_check_redirect(const struct fetch_url *from,
                                            const struct fetch_url *to, bool allows_http,
                                            struct err *err);

/* fetch_url_redirect writes to `to` where a Location header leads, seen from `base`: a whole URL,
 * or one without scheme, host or folder. A fragment is dropped. E_MALFORMED, E_LIMIT. */
MUST_USE enum errc fetch_url_redirect(const char *base, struct span location,
                                      char to[FETCH_URL_ROOM], struct err *err);

/* fetch_url_beside writes the URL of a path that is relative to the document at `base`; `path` is
 * UTF-8 with "/" and is percent-encoded here. The base's query is dropped. E_MALFORMED for a path
 * that is absolute or has an empty, "." or ".." component; E_LIMIT. */
MUST_USE enum errc fetch_url_beside(const char *base, const char *path, char to[FETCH_URL_ROOM],
                                    struct err *err);

/* fetch_url_append writes the URL of what is called as the document at `base` with `suffix` at its
 * end ("feed.xml" and ".minisig"); a query stays behind it. The suffix is letters, digits, ".", "-"
 * and "_". */
MUST_USE enum errc fetch_url_append(const char *base, const char *suffix, char to[FETCH_URL_ROOM],
                                    struct err *err);

/* fetch_url_file_path appends the path of a file: URL, decoded, to `out`. E_MALFORMED for a query,
 * a broken "%", a NUL, an encoded "/", and what is no UTF-8. */
MUST_USE enum errc fetch_url_file_path(const struct fetch_url *url, struct buf *out,
                                       struct err *err);

/* fetch_url_host_text writes what a message calls the place: "host:8443", or "file". Returns `to`.
 */
const char *fetch_url_host_text(const struct fetch_url *url, char to[FETCH_HOST_ROOM]);

#endif
