#ifndef SUREFOOT_VERIFY_CERT_H
#define SUREFOOT_VERIFY_CERT_H

/* cert.h: one X.509 certificate (RFC 5280), read exactly, and its public key's mathematics. OpenSSL
 * does the reading of extensions and the mathematics; what is signed, and by whom, is decided by
 * the caller.
 *
 * What it does not check: validity, purpose, chain. See chain.h. */

#include <stdbool.h>

#include "platform/base/err.h"
#include "platform/base/span.h"
#include "verify/digest.h"
#include "verify/verdict.h"

struct cert;

/* cert_read reads one DER certificate. E_MALFORMED (E_TRUNCATED) unless it is exactly one, is DER
 * throughout, says the same signature algorithm inside and outside, and encoding it again gives the
 * same bytes: nothing in it can be changed without its issuer's signature failing. An extension
 * that comes twice is E_MALFORMED, more than 256 KiB E_LIMIT. The bytes are copied. Safe to share
 * between threads. Caller frees with cert_free. */
MUST_USE enum errc cert_read(struct span der, struct cert **out, struct err *err);

/* cert_memo: reading a certificate's key takes OpenSSL 3.0 a third of a millisecond, ten times what
 * all else does, and the same few authorities come with every file. So the last ones read are kept,
 * by a caller who has a place for it (a trust has). It is a memo and nothing more: what is found is
 * a function of the bytes' SHA-256, and a slot that another certificate takes, or memory that runs
 * out, only costs time. Safe from several threads. */
struct cert_memo;
MUST_USE enum errc cert_memo_new(struct cert_memo **out, struct err *err);
void cert_memo_free(struct cert_memo *memo);

/* cert_read_known is cert_read with a memo, which may be NULL. */
MUST_USE enum errc cert_read_known(struct span der, struct cert_memo *memo, struct cert **out,
                                   struct err *err);
void cert_free(struct cert *c);

/* Borrowed from the certificate. Names and serial as DER: a name's whole TLV, a serial's content
 * bytes, the subject key identifier's content bytes (empty where there is none). */
struct span cert_der(const struct cert *c);
struct span cert_subject(const struct cert *c);
struct span cert_issuer(const struct cert *c);
struct span cert_serial(const struct cert *c);
struct span cert_key_id(const struct cert *c);

int64_t cert_not_before(const struct cert *c);
int64_t cert_not_after(const struct cert *c);

/* cert_describe fills what reports show. */
void cert_describe(const struct cert *c, struct cert_facts *out);

/* cert_sha256 is the thumbprint, cert_spki_sha256 the hash of the SubjectPublicKeyInfo. */
const struct digest *cert_sha256(const struct cert *c);
const struct digest *cert_spki_sha256(const struct cert *c);

/* cert_is_published_by is true if an O or a CN of the subject is exactly `name` (UTF-8, compared as
 * code points after both are decoded; no case folding, no trimming; a NUL inside never matches). */
bool cert_is_published_by(const struct cert *c, const char *name);

/* cert_has_eku is true if the certificate has an extended key usage extension that lists the dotted
 * OID. One without the extension has none. cert_n_ekus is how many it lists, 0 where there is no
 * extension; cert_eku_is_critical. */
bool cert_has_eku(const struct cert *c, const char *oid);
size_t cert_n_ekus(const struct cert *c);
bool cert_eku_is_critical(const struct cert *c);

/* cert_names_issuer is true if the certificate's issuer name is `issuer`'s subject, compared as RFC
 * 5280 7.1 has it: string types, letters' case and runs of spaces make no difference. It costs next
 * to nothing, so ask it before cert_check_issuer. */
bool cert_names_issuer(const struct cert *c, const struct cert *issuer);

/* cert_check_issuer is E_OK if `issuer`'s key verifies the certificate's signature, E_REFUSED if
 * not; names are not compared. E_REFUSED, too, for keys that are not used at all: RSA of more than
 * 8192 bits or with an outsize exponent, curves that are spelt out instead of named. */
MUST_USE enum errc cert_check_issuer(const struct cert *c, const struct cert *issuer,
                                     struct err *err);

/* cert_may_issue is true if the certificate says that it is an authority: basicConstraints and
 * keyUsage as far as it has them, or a root from before there were any. */
bool cert_may_issue(const struct cert *c);

/* What a SignerInfo says of its signature. `algorithm` is the signatureAlgorithm's whole TLV
 * (AlgorithmIdentifier), `digest` the digestAlgorithm. */
struct signature_claim {
    struct span algorithm;
    enum digest_alg digest;
    struct span value;
};

/* cert_check_signature is E_OK if the key verifies the claim over `message` (which is hashed here),
 * E_REFUSED if not, E_UNSUPPORTED for an algorithm that we do not do, E_MALFORMED where the
 * algorithm does not fit the key or the digest: rsaEncryption or shaNWithRSAEncryption (PKCS#1
 * v1.5), RSASSA-PSS (with the same digest for MGF1, and exactly the salt that is stated, from the
 * digest's length to all that has room), ecdsa-with-SHAn or id-ecPublicKey, Ed25519.
 * Parameters are checked: absent or NULL for RSA, absent for the others. */
MUST_USE enum errc cert_check_signature(const struct cert *c, const struct signature_claim *claim,
                                        struct span message, struct err *err);

/* cert_check_bare_digest is E_OK if an RSA PKCS#1 v1.5 signature recovers to the bare `digest`
 * without DigestInfo, as legacy countersignatures have it; E_REFUSED if not. */
MUST_USE enum errc cert_check_bare_digest(const struct cert *c, struct span signature,
                                          const struct digest *digest, struct err *err);

/* A bag of certificates, as a SignedData carries. Owns them. */
#define CERT_BAG_MAX 64
struct cert_bag {
    struct cert_memo *memo; /* borrowed, may be NULL; for the reading */
    size_t n;
    struct cert *certs[CERT_BAG_MAX];
};
void cert_bag_fini(struct cert_bag *bag);

/* cert_bag_find gives the certificate with this issuer (TLV) and serial (content bytes), or NULL.
 */
const struct cert *cert_bag_find(const struct cert_bag *bag, struct span issuer,
                                 struct span serial);
const struct cert *cert_bag_find_key_id(const struct cert_bag *bag, struct span key_id);

#endif
