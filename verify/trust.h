#ifndef SUREFOOT_VERIFY_TRUST_H
#define SUREFOOT_VERIFY_TRUST_H

/* trust.h: the certificates, revocation lists and public keys that a judgement starts from. Filled
 * once, then read by many threads at once: nothing in it changes after the last trust_add_*, but
 * for what trust_note_place adds.
 *
 * What it does not check: that the bytes given are trustworthy. They are the caller's word. */

#include <stdbool.h>
#include <stddef.h>

#include "platform/base/err.h"
#include "platform/base/span.h"

struct trust;

#define TRUST_BYTES_MAX (32 * 1024 * 1024) /* of one call's bytes */
#define TRUST_ANCHORS_MAX 4096             /* of one use */
#define TRUST_CRLS_MAX 1024
#define TRUST_PLACES_MAX 256
#define TRUST_KEYS_MAX 64

enum anchor_use { ANCHOR_CODE, ANCHOR_TIMESTAMP };

MUST_USE enum errc trust_new(struct trust **out, struct err *err);
void trust_free(struct trust *t);

/* trust_add_anchors reads certificates, one DER or any number of PEM blocks (text around them is
 * skipped, other kinds of block too), that may end a chain of this use; an intermediate may as well
 * as a root. One that is there already is kept once. E_MALFORMED where there is none or one does
 * not read, and what was read before it stays. Where no ANCHOR_TIMESTAMP was ever added, those of
 * ANCHOR_CODE serve for both. */
MUST_USE enum errc trust_add_anchors(struct trust *t, enum anchor_use use, struct span bytes,
                                     struct err *err);

/* trust_add_crls reads revocation lists, one DER or any number of PEM blocks. Whether a list is of
 * any use is found out when a certificate is looked up in it (crl.h). */
MUST_USE enum errc trust_add_crls(struct trust *t, struct span bytes, struct err *err);

/* trust_note_place records what came of asking an address for a list: the lists in `bytes`, or,
 * where `why_not` is not NULL, why there is none; bytes that are no list are such a reason as well.
 * What was recorded of an address first stays. Others may judge by this trust meanwhile. E_LIMIT
 * past TRUST_PLACES_MAX.
 *
 * trust_place_is_known: was it asked? Then *out_why_not (may be NULL) is the reason, NULL where it
 * gave a list; valid as long as the trust. */
MUST_USE enum errc trust_note_place(struct trust *t, const char *url, struct span bytes,
                                    const char *why_not, struct err *err);
bool trust_place_is_known(const struct trust *t, struct span url, const char **out_why_not);

/* trust_add_key reads a minisign public key (the file's text, or the base64 line alone). */
MUST_USE enum errc trust_add_key(struct trust *t, struct span bytes, struct err *err);

size_t trust_n_anchors(const struct trust *t, enum anchor_use use);
size_t trust_n_crls(const struct trust *t);

/* trust_memo is for reading the certificates of files that are judged by this trust: the one thing
 * in it that goes on changing, behind a lock of its own. */
struct cert_memo;
struct cert_memo *trust_memo(const struct trust *t);

/* trust_anchor is number `i` (below trust_n_anchors) of those that serve this use. */
struct cert;
const struct cert *trust_anchor(const struct trust *t, enum anchor_use use, size_t i);

/* trust_check_signed is E_OK if an anchor of either use is the certificate itself, or may issue
 * certificates, has its issuer as its subject, and a key that verifies its signature; E_REFUSED if
 * none is so. */
MUST_USE enum errc trust_check_signed(const struct trust *t, const struct cert *c, struct err *err);

/* A minisign public key. */
struct minisign_key {
    uint8_t id[8];
    uint8_t ed25519[32];
};
size_t trust_n_keys(const struct trust *t);
const struct minisign_key *trust_key(const struct trust *t, size_t i);

#endif
