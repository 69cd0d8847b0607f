#include <string.h>

#include "platform/base/text.h"
#include "verify/cert.h"
#include "verify/cert_private.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

/* "CN=..., O=..., C=...", most particular first; commas, pluses and the like inside a value are
 * escaped, so that a value cannot pass for another attribute. */
#define NAME_FLAGS                                                                                 \
    ((ASN1_STRFLGS_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) | XN_FLAG_SEP_CPLUS_SPC |       \
     XN_FLAG_DN_REV | XN_FLAG_FN_SN | XN_FLAG_DUMP_UNKNOWN_FIELDS)

static enum errc print_name(const X509_NAME *name, char *to, size_t room, struct err *err)
{
    char *text;
    BIO *out = BIO_new(BIO_s_mem());
    if (out == NULL || X509_NAME_print_ex(out, name, 0, NAME_FLAGS) < 0) {
        BIO_free(out);
        return err_nomem(err);
    }
    long len = BIO_get_mem_data(out, &text);
    (void)text_printable(span_of(text, len < 0 ? 0 : (size_t)len), to, room);
    BIO_free(out);
    return E_OK;
}

const char *cert_subject_text(const struct cert *c, char *to, size_t room)
{
    if (print_name(X509_get_subject_name(c->x509), to, room, NULL) != E_OK)
        text_copy(to, room, "?");
    else if (to[0] == '\0')
        text_copy(to, room, "(no name)");
    return to;
}

/* print_serial writes the number in hex, without the zero byte that only carries the sign. */
static void print_serial(struct span serial, char *to, size_t room)
{
    if (serial.len > 1 && serial.ptr[0] == 0)
        serial = span_sub(serial, 1, serial.len);
    size_t fits = (room - sizeof("...")) / 2;
    (void)text_to_hex(span_sub(serial, 0, fits), to);
    if (serial.len > fits)
        text_copy(to + 2 * fits, room - 2 * fits, "...");
}

enum errc cert_describe(const struct cert *c, struct cert_facts *out, struct err *err)
{
    struct cert_facts facts = { .not_before = c->not_before, .not_after = c->not_after };
    enum errc rc =
        print_name(X509_get_subject_name(c->x509), facts.subject, sizeof(facts.subject), err);
    if (rc == E_OK)
        rc = print_name(X509_get_issuer_name(c->x509), facts.issuer, sizeof(facts.issuer), err);
    if (rc != E_OK)
        return rc;
    print_serial(c->serial, facts.serial, sizeof(facts.serial));
    (void)text_to_hex(digest_span(&c->sha256), facts.sha256);
    (void)text_to_hex(digest_span(&c->spki_sha256), facts.spki_sha256);
    *out = facts;
    return E_OK;
}

bool cert_names_issuer(const struct cert *c, const struct cert *issuer)
{
    return X509_NAME_cmp(X509_get_issuer_name(c->x509), X509_get_subject_name(issuer->x509)) == 0;
}

static bool entry_is(X509_NAME_ENTRY *entry, const char *wanted)
{
    int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    if (nid != NID_organizationName && nid != NID_commonName)
        return false;
    unsigned char *utf8 = NULL;
    int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
    if (len < 0) /* for want of memory, or of sense: asked for twice */
        len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
    if (len < 0)
        return false;
    bool is_same = span_equal_text(span_of(utf8, (size_t)len), wanted);
    OPENSSL_free(utf8);
    return is_same;
}

bool cert_is_published_by(const struct cert *c, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(c->x509);
    int n = X509_NAME_entry_count(subject);
    for (int i = 0; i < n; i++)
        if (entry_is(X509_NAME_get_entry(subject, i), name))
            return true;
    return false;
}
