#ifndef SUREFOOT_VERIFY_CRL_POINTS_H
#define SUREFOOT_VERIFY_CRL_POINTS_H

/* crl_points.h: where a certificate says that its issuer's revocation list may be had (RFC 5280
 * 4.2.1.13), and which lists a judgement found wanting. Nothing here asks anybody: who does is
 * installer/core/revocation.h.
 *
 * A certificate is a stranger's word, and so is an address in it. An address is wanted only of a
 * certificate whose whole way to an anchor holds in all but revocation, in a signature that holds
 * in all else; see chain.c and authenticode_signer.c.
 *
 * What it does not check: where an address leads. */

#include "platform/base/err.h"
#include "platform/base/span.h"
#include "verify/cert.h"

#define CRL_POINTS_MAX 4 /* of one certificate; more are not looked at */
#define CRL_URL_MAX 1024 /* bytes; a longer one is passed over */
#define CRL_WANTS_MAX 32 /* addresses of one judgement; those left out are wanted by the next */

/* struct crl_points: addresses of the same list, the first one first. Borrowed from the
 * certificate.
 */
struct crl_points {
    size_t n;
    struct span urls[CRL_POINTS_MAX]; /* visible ASCII, begins with http:// or https:// */
};

/* crl_points_read gives the addresses that a certificate names: of points that speak of every
 * reason and are the issuer's own. Other kinds (ldap:) are passed over; an extension that does not
 * read names none. */
void crl_points_read(const struct cert *c, struct crl_points *out);

/* struct crl_wants: addresses that are to be asked; those of one `list` one after another until one
 * gives it. Zeroed by the caller, who frees it with crl_wants_fini. One thread at a time. */
struct crl_want {
    unsigned list;
    char *url;
};
struct crl_wants {
    size_t n;
    unsigned n_lists;
    struct crl_want items[CRL_WANTS_MAX];
};
void crl_wants_fini(struct crl_wants *w);

/* crl_wants_add adds the addresses of one certificate, each once; what there is no room for is left
 * out. crl_wants_cut takes out what was added since there were `n`. */
MUST_USE enum errc crl_wants_add(struct crl_wants *w, const struct span *urls, size_t n,
                                 struct err *err);
void crl_wants_cut(struct crl_wants *w, size_t n);

#endif
