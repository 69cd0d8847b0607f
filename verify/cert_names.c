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

static enum errc print_name(const X509_NAME *name, char to[NAME_ROOM], struct err *err)
{
    char *text;
    openssl_begin();
    BIO *out = BIO_new(BIO_s_mem());
    bool is_printed = out != NULL && X509_NAME_print_ex(out, name, 0, NAME_FLAGS) >= 0;
    long len = is_printed ? BIO_get_mem_data(out, &text) : 0;
    if (is_printed)
        (void)text_printable(span_of(text, len < 0 ? 0 : (size_t)len), to, NAME_ROOM);
    else
        text_copy(to, NAME_ROOM, "(a name that does not read)");
    bool is_nomem = out == NULL || (!is_printed && openssl_nomem());
    BIO_free(out);
    return is_nomem ? err_nomem(err) : E_OK;
}

enum errc cert_print_names(struct cert *c, struct err *err)
{
    enum errc rc = print_name(X509_get_subject_name(c->x509), c->subject_text, err);
    return rc == E_OK ? print_name(X509_get_issuer_name(c->x509), c->issuer_text, err) : rc;
}

const char *cert_subject_text(const struct cert *c, char *to, size_t room)
{
    text_copy(to, room, c->subject_text[0] == '\0' ? "(no name)" : c->subject_text);
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

void cert_describe(const struct cert *c, struct cert_facts *out)
{
    struct cert_facts facts = { .not_before = c->not_before, .not_after = c->not_after };
    text_copy(facts.subject, sizeof(facts.subject), c->subject_text);
    text_copy(facts.issuer, sizeof(facts.issuer), c->issuer_text);
    print_serial(c->serial, facts.serial, sizeof(facts.serial));
    (void)text_to_hex(digest_span(&c->sha256), facts.sha256);
    (void)text_to_hex(digest_span(&c->spki_sha256), facts.spki_sha256);
    *out = facts;
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
