#include "verify/cert.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/reader.h"
#include "verify/cert_private.h"
#include "verify/der.h"
#include "verify/oid.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* What "exact" means here. A certificate is
 *
 *   SEQUENCE { tbs SEQUENCE, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING }
 *
 * All of it is DER, down to the values of extensions (of 670 certificates of signed files and roots
 * from 1996 on none is not), so that no name, time or key that we compare can differ from the one
 * that OpenSSL reads. tbs is under the issuer's signature: a byte of it cannot change. Outside it
 * nothing is free either: the algorithm must equal the one in tbs byte for byte and the signature
 * has no unused bits; its own bytes are exact because an RSA signature has the length of the
 * modulus and a value below it, and ECDSA's SEQUENCE { r, s } is compared with its re-encoding (by
 * OpenSSL, see cert_key.c). */

#define CERT_BYTES_MAX (256 * 1024)
#define CERT_EXTENSIONS_MAX 64

static const uint8_t oid_key_id[] = { 0x55, 0x1D, 0x0E };
static const uint8_t oid_ext_key_usage[] = { 0x55, 0x1D, 0x25 };

void openssl_begin(void)
{
    ERR_clear_error();
}

#define PROBE_LEN 4096 /* more than a small object that libcrypto makes */

bool openssl_nomem(void)
{
    void *probe = malloc(PROBE_LEN);
    bool nomem = probe == NULL;
    free(probe);
    for (unsigned long e = ERR_get_error(); e != 0; e = ERR_get_error())
        nomem = nomem || ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE;
    return nomem;
}

/* --- extensions */

enum errc cert_next_extension(struct reader *r, struct cert_extension *out, struct err *err)
{
    struct reader in;
    struct cert_extension ext = { .is_critical = false };
    enum errc rc = der_enter(r, DER_SEQUENCE, "extension", &in, err);
    if (rc == E_OK)
        rc = der_read_oid(&in, "extension's OID", &ext.oid, err);
    if (rc == E_OK && der_next_is(&in, DER_BOOLEAN))
        rc = der_read_boolean(&in, "extension's criticality", &ext.is_critical, err);
    if (rc == E_OK)
        rc = der_read_octets(&in, "extension's value", &ext.value, err);
    if (rc == E_OK)
        rc = der_end(&in, "extension", err);
    if (rc == E_OK)
        *out = ext;
    return rc;
}

static enum errc read_eku(struct cert *c, const struct cert_extension *ext, struct err *err)
{
    struct reader in, r = reader_of(ext->value, 0);
    enum errc rc = der_enter(&r, DER_SEQUENCE, "extended key usage", &in, err);
    if (rc == E_OK)
        rc = der_end(&r, "extended key usage", err);
    c->eku = in.rest;
    while (rc == E_OK && !reader_is_done(&in)) {
        struct span oid;
        rc = der_read_oid(&in, "extended key usage", &oid, err);
        c->n_ekus++;
    }
    if (rc == E_OK && c->n_ekus == 0)
        rc = err_set(err, E_MALFORMED, "extended key usage: lists nothing");
    c->has_eku = true;
    c->eku_is_critical = ext->is_critical;
    return rc;
}

static enum errc read_extension(struct cert *c, const struct cert_extension *ext, struct err *err)
{
    if (span_equal(ext->oid, span_of(oid_ext_key_usage, sizeof(oid_ext_key_usage))))
        return read_eku(c, ext, err);
    if (span_equal(ext->oid, span_of(oid_key_id, sizeof(oid_key_id)))) {
        struct reader r = reader_of(ext->value, 0);
        enum errc rc = der_read_octets(&r, "subject key identifier", &c->key_id, err);
        return rc == E_OK ? der_end(&r, "subject key identifier", err) : rc;
    }
    return E_OK;
}

/* read_extensions: no OID comes twice (RFC 5280 4.2), since readers differ in which they take. */
static enum errc read_extensions(struct cert *c, struct reader *tbs, struct err *err)
{
    struct span seen[CERT_EXTENSIONS_MAX];
    size_t n = 0;
    struct reader explicit_tag, list;
    enum errc rc = der_enter(tbs, DER_CONTEXT_CONSTRUCTED(3), "extensions", &explicit_tag, err);
    if (rc == E_OK)
        rc = der_enter(&explicit_tag, DER_SEQUENCE, "extensions", &list, err);
    if (rc == E_OK)
        rc = der_end(&explicit_tag, "extensions", err);
    if (rc != E_OK)
        return rc;
    c->extensions = list.rest;
    while (!reader_is_done(&list)) {
        struct cert_extension ext;
        rc = cert_next_extension(&list, &ext, err);
        if (rc != E_OK)
            return rc;
        for (size_t i = 0; i < n; i++)
            if (span_equal(seen[i], ext.oid))
                return err_set(err, E_MALFORMED, "an extension comes twice");
        if (n == CERT_EXTENSIONS_MAX)
            return err_set(err, E_LIMIT, "more than %d extensions", CERT_EXTENSIONS_MAX);
        seen[n++] = ext.oid;
        rc = read_extension(c, &ext, err);
        if (rc != E_OK)
            return rc;
    }
    return E_OK;
}

/* --- the certificate */

static enum errc read_validity(struct cert *c, struct reader *tbs, struct err *err)
{
    struct reader in;
    enum errc rc = der_enter(tbs, DER_SEQUENCE, "validity", &in, err);
    if (rc == E_OK)
        rc = der_read_time(&in, "notBefore", &c->not_before, NULL, err);
    if (rc == E_OK)
        rc = der_read_time(&in, "notAfter", &c->not_after, NULL, err);
    return rc == E_OK ? der_end(&in, "validity", err) : rc;
}

static enum errc read_version(struct reader *tbs, struct err *err)
{
    struct reader in;
    uint32_t version;
    if (!der_next_is(tbs, DER_CONTEXT_CONSTRUCTED(0)))
        return E_OK;
    enum errc rc = der_enter(tbs, DER_CONTEXT_CONSTRUCTED(0), "version", &in, err);
    if (rc == E_OK)
        rc = der_read_u32(&in, "version", &version, err);
    if (rc == E_OK && version > 2)
        rc = err_set(err, E_MALFORMED, "version %" PRIu32, version + 1);
    return rc == E_OK ? der_end(&in, "version", err) : rc;
}

static enum errc read_tbs(struct cert *c, const struct der *whole_tbs, struct span outer_algorithm,
                          struct err *err)
{
    struct reader r = der_inside(whole_tbs);
    struct der algorithm, issuer, subject, spki, serial, skipped;
    enum errc rc = read_version(&r, err);
    if (rc == E_OK)
        rc = der_read(&r, DER_INTEGER, "serial number", &serial, err);
    if (rc == E_OK)
        rc = der_read(&r, DER_SEQUENCE, "signature algorithm", &algorithm, err);
    if (rc == E_OK && !span_equal(algorithm.whole, outer_algorithm))
        rc = err_set(err, E_MALFORMED, "the signature algorithm differs from the signed one");
    if (rc == E_OK)
        rc = der_read(&r, DER_SEQUENCE, "issuer", &issuer, err);
    if (rc == E_OK)
        rc = read_validity(c, &r, err);
    if (rc == E_OK)
        rc = der_read(&r, DER_SEQUENCE, "subject", &subject, err);
    if (rc == E_OK)
        rc = der_read(&r, DER_SEQUENCE, "public key", &spki, err);
    for (int n = 1; n <= 2 && rc == E_OK; n++)
        if (der_next_is(&r, (uint8_t)DER_CONTEXT(n)))
            rc = der_read_any(&r, "unique identifier", &skipped, err);
    if (rc == E_OK && !reader_is_done(&r))
        rc = read_extensions(c, &r, err);
    if (rc == E_OK)
        rc = der_end(&r, "signed part", err);
    if (rc != E_OK)
        return rc;
    c->serial = serial.content;
    c->issuer = issuer.whole;
    c->subject = subject.whole;
    c->spki = spki.whole;
    return E_OK;
}

static enum errc read_parts(struct cert *c, struct err *err)
{
    struct reader in, r = reader_of(cert_der(c), 0);
    struct der tbs, algorithm;
    struct span signature;
    enum errc rc = der_enter(&r, DER_SEQUENCE, "outer value", &in, err);
    if (rc == E_OK)
        rc = der_end(&r, "outer value", err);
    if (rc == E_OK)
        rc = der_check_exact(cert_der(c), 0, "contents", err);
    if (rc == E_OK)
        rc = der_read(&in, DER_SEQUENCE, "signed part", &tbs, err);
    if (rc == E_OK)
        rc = der_read(&in, DER_SEQUENCE, "signature algorithm", &algorithm, err);
    if (rc == E_OK)
        rc = der_read_bits(&in, "signature", &signature, err);
    if (rc == E_OK)
        rc = der_end(&in, "outer value", err);
    return rc == E_OK ? read_tbs(c, &tbs, algorithm.whole, err) : rc;
}

static enum errc parse_x509(struct cert *c, struct err *err)
{
    const unsigned char *at = c->der;
    openssl_begin();
    X509_free(c->x509);
    c->x509 = digest_context() == NULL ? NULL : X509_new_ex(digest_context(), NULL);
    if (c->x509 == NULL)
        return err_nomem(err);
    if (d2i_X509(&c->x509, &at, (long)c->der_len) == NULL)
        return openssl_nomem() ? err_nomem(err)
                               : err_set(err, E_MALFORMED, "not an X.509 certificate");
    if (at != c->der + c->der_len)
        return err_set(err, E_MALFORMED, "bytes behind its end");
    return E_OK;
}

static enum errc check_encoding(const struct cert *c, struct err *err)
{
    unsigned char *again = NULL;
    int len = i2d_X509(c->x509, &again);
    if (len < 0)
        return err_nomem(err);
    bool is_same = span_equal(cert_der(c), span_of(again, (size_t)len));
    OPENSSL_free(again);
    return is_same ? E_OK : err_set(err, E_MALFORMED, "encoding it again gives other bytes");
}

/* parse_whole also fills OpenSSL's cache of extensions, before threads share the certificate. What
 * is wrong with them it says again when a chain is verified. */
static enum errc parse_whole(struct cert *c, struct err *err)
{
    enum errc rc = parse_x509(c, err);
    if (rc == E_OK)
        rc = check_encoding(c, err);
    if (rc != E_OK)
        return rc;
    openssl_begin();
    (void)X509_check_purpose(c->x509, -1, 0);
    return openssl_nomem() ? err_nomem(err) : E_OK;
}

static bool reads_well(X509 *x509)
{
    EVP_PKEY *key = X509_get0_pubkey(x509);
    return key != NULL && EVP_PKEY_get_bits(key) > 0 &&
           (X509_get_extension_flags(x509) & EXFLAG_INVALID) == 0;
}

/* read_x509 has OpenSSL read the same bytes, and checks that it, too, writes them as they are. What
 * does not read, or has a key or extensions that do not, is read once more: see openssl_nomem. */
static enum errc read_x509(struct cert *c, struct cert_memo *memo, struct err *err)
{
    c->x509 = cert_memo_find(memo, &c->sha256);
    if (c->x509 != NULL)
        return E_OK;
    enum errc rc = parse_whole(c, err);
    if (rc == E_MALFORMED || (rc == E_OK && !reads_well(c->x509)))
        rc = parse_whole(c, err);
    if ((rc == E_MALFORMED || !reads_well(c->x509)) && openssl_nomem())
        rc = err_nomem(err);
    if (rc == E_OK)
        cert_memo_keep(memo, &c->sha256, c->x509);
    return rc;
}

static enum errc copy_bytes(struct cert *c, struct span der, struct err *err)
{
    if (der.len > CERT_BYTES_MAX)
        return err_set(err, E_LIMIT, "%zu bytes, limit %d", der.len, CERT_BYTES_MAX);
    c->der = malloc(der.len == 0 ? 1 : der.len);
    if (c->der == NULL)
        return err_nomem(err);
    if (der.len != 0)
        memcpy(c->der, der.ptr, der.len);
    c->der_len = der.len;
    return E_OK;
}

enum errc cert_read_known(struct span der, struct cert_memo *memo, struct cert **out,
                          struct err *err)
{
    struct cert *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return err_nomem(err);
    enum errc rc = copy_bytes(c, der, err);
    if (rc == E_OK)
        rc = read_parts(c, err);
    if (rc == E_OK)
        rc = digest_bytes(DIGEST_SHA256, cert_der(c), &c->sha256, err);
    if (rc == E_OK)
        rc = digest_bytes(DIGEST_SHA256, c->spki, &c->spki_sha256, err);
    if (rc == E_OK)
        rc = read_x509(c, memo, err);
    if (rc == E_OK)
        rc = cert_find_key(c, err);
    if (rc == E_OK)
        rc = cert_print_names(c, err);
    if (rc != E_OK) {
        cert_free(c);
        err_prefix(err, "certificate: ");
        return rc;
    }
    *out = c;
    return E_OK;
}

enum errc cert_read(struct span der, struct cert **out, struct err *err)
{
    return cert_read_known(der, NULL, out, err);
}

void cert_free(struct cert *c)
{
    if (c == NULL)
        return;
    X509_free(c->x509);
    free(c->der);
    free(c);
}

struct span cert_der(const struct cert *c)
{
    return span_of(c->der, c->der_len);
}

struct span cert_subject(const struct cert *c)
{
    return c->subject;
}

struct span cert_issuer(const struct cert *c)
{
    return c->issuer;
}

struct span cert_serial(const struct cert *c)
{
    return c->serial;
}

struct span cert_key_id(const struct cert *c)
{
    return c->key_id;
}

int64_t cert_not_before(const struct cert *c)
{
    return c->not_before;
}

int64_t cert_not_after(const struct cert *c)
{
    return c->not_after;
}

const struct digest *cert_sha256(const struct cert *c)
{
    return &c->sha256;
}

const struct digest *cert_spki_sha256(const struct cert *c)
{
    return &c->spki_sha256;
}

bool cert_has_eku(const struct cert *c, const char *oid)
{
    uint8_t wanted[64];
    size_t len;
    if (oid_from_text(oid, wanted, sizeof(wanted), &len, NULL) != E_OK)
        return false;
    struct reader r = reader_of(c->eku, 0);
    struct span listed;
    while (!reader_is_done(&r) && der_read_oid(&r, "extended key usage", &listed, NULL) == E_OK)
        if (span_equal(listed, span_of(wanted, len)))
            return true;
    return false;
}

size_t cert_n_ekus(const struct cert *c)
{
    return c->n_ekus;
}

bool cert_eku_is_critical(const struct cert *c)
{
    return c->eku_is_critical;
}

/* --- bags */

void cert_bag_fini(struct cert_bag *bag)
{
    for (size_t i = 0; i < bag->n; i++)
        cert_free(bag->certs[i]);
    *bag = (struct cert_bag){ 0 };
}

const struct cert *cert_bag_find(const struct cert_bag *bag, struct span issuer, struct span serial)
{
    for (size_t i = 0; i < bag->n; i++)
        if (span_equal(bag->certs[i]->issuer, issuer) && span_equal(bag->certs[i]->serial, serial))
            return bag->certs[i];
    return NULL;
}

const struct cert *cert_bag_find_key_id(const struct cert_bag *bag, struct span key_id)
{
    for (size_t i = 0; i < bag->n && key_id.len > 0; i++)
        if (span_equal(bag->certs[i]->key_id, key_id))
            return bag->certs[i];
    return NULL;
}

bool cert_may_issue(const struct cert *c)
{
    return X509_check_ca(c->x509) != 0 &&
           (X509_get_key_usage(c->x509) & X509v3_KU_KEY_CERT_SIGN) != 0;
}
