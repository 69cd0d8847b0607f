/* CRLDistributionPoints ::= SEQUENCE OF DistributionPoint
 * DistributionPoint ::= SEQUENCE { distributionPoint [0] EXPLICIT CHOICE { fullName [0] IMPLICIT
 * GeneralNames, nameRelativeToCRLIssuer [1] } OPTIONAL, reasons [1] OPTIONAL, cRLIssuer [2]
 * OPTIONAL }; a GeneralName that is a URI is [6] IMPLICIT IA5String. */

#include "verify/crl_points.h"

#include <stdlib.h>
#include <string.h>

#include "verify/cert_private.h"
#include "verify/der.h"

static const uint8_t oid_crl_points[] = { 0x55, 0x1D, 0x1F };

static bool starts_with(struct span text, const char *small)
{
    size_t len = strlen(small);
    for (size_t i = 0; i < len && i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != small[i])
            return false;
    }
    return text.len > len;
}

static bool is_ours_to_ask(struct span url)
{
    for (size_t i = 0; i < url.len; i++)
        if (url.ptr[i] <= ' ' || url.ptr[i] > '~')
            return false;
    return url.len <= CRL_URL_MAX && (starts_with(url, "http://") || starts_with(url, "https://"));
}

static void add_url(struct crl_points *to, struct span url)
{
    for (size_t i = 0; i < to->n; i++)
        if (span_equal(to->urls[i], url))
            return;
    if (to->n < CRL_POINTS_MAX && is_ours_to_ask(url))
        to->urls[to->n++] = url;
}

static enum errc read_names(struct reader *r, struct crl_points *to, struct err *err)
{
    struct reader names;
    struct der name;
    enum errc rc = der_enter(r, DER_CONTEXT_CONSTRUCTED(0), "fullName", &names, err);
    while (rc == E_OK && !reader_is_done(&names)) {
        rc = der_read_any(&names, "distribution point's name", &name, err);
        if (rc == E_OK && name.tag == DER_CONTEXT(6))
            add_url(to, name.content);
    }
    return rc;
}

/* One that is of some reasons only, or another issuer's, gives no list that counts. */
static enum errc read_point(struct reader *list, struct crl_points *to, struct err *err)
{
    struct reader point, name;
    struct crl_points found = { .n = 0 };
    enum errc rc = der_enter(list, DER_SEQUENCE, "distribution point", &point, err);
    if (rc != E_OK || !der_next_is(&point, DER_CONTEXT_CONSTRUCTED(0)))
        return rc;
    rc = der_enter(&point, DER_CONTEXT_CONSTRUCTED(0), "distribution point", &name, err);
    if (rc == E_OK && der_next_is(&name, DER_CONTEXT_CONSTRUCTED(0)))
        rc = read_names(&name, &found, err);
    for (size_t i = 0; rc == E_OK && reader_is_done(&point) && i < found.n; i++)
        add_url(to, found.urls[i]);
    return rc;
}

static enum errc read_points(struct span value, struct crl_points *to, struct err *err)
{
    struct reader r = reader_of(value, 0), list;
    enum errc rc = der_enter(&r, DER_SEQUENCE, "CRL distribution points", &list, err);
    while (rc == E_OK && !reader_is_done(&list))
        rc = read_point(&list, to, err);
    return rc == E_OK ? der_end(&r, "CRL distribution points", err) : rc;
}

void crl_points_read(const struct cert *c, struct crl_points *out)
{
    struct reader list = reader_of(c->extensions, 0);
    struct err ignored;
    enum errc rc = E_OK;
    *out = (struct crl_points){ .n = 0 };
    while (rc == E_OK && !reader_is_done(&list)) {
        struct cert_extension ext;
        rc = cert_next_extension(&list, &ext, &ignored);
        if (rc == E_OK && span_equal(ext.oid, span_of(oid_crl_points, sizeof(oid_crl_points))))
            rc = read_points(ext.value, out, &ignored);
    }
    if (rc != E_OK)
        out->n = 0;
}

/* --- what is wanted */

static bool has(const struct crl_wants *w, struct span url)
{
    for (size_t i = 0; i < w->n; i++)
        if (span_equal_text(url, w->items[i].url))
            return true;
    return false;
}

enum errc crl_wants_add(struct crl_wants *w, const struct span *urls, size_t n, struct err *err)
{
    const unsigned list = w->n_lists++;
    for (size_t i = 0; i < n && w->n < CRL_WANTS_MAX; i++) {
        if (has(w, urls[i]))
            continue;
        char *copy = malloc(urls[i].len + 1);
        if (copy == NULL)
            return err_nomem(err);
        memcpy(copy, urls[i].ptr, urls[i].len);
        copy[urls[i].len] = '\0';
        w->items[w->n++] = (struct crl_want){ list, copy };
    }
    return E_OK;
}

void crl_wants_cut(struct crl_wants *w, size_t n)
{
    while (w->n > n)
        free(w->items[--w->n].url);
}

void crl_wants_fini(struct crl_wants *w)
{
    crl_wants_cut(w, 0);
    w->n_lists = 0;
}
