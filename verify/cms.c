#include "verify/cms.h"

#include <inttypes.h>

/* --- algorithms */

enum errc cms_read_digest_alg(struct reader *r, const char *what, struct span *out_oid,
                              struct err *err)
{
    struct reader in;
    struct der null;
    struct span oid;
    enum errc e = der_enter(r, DER_SEQUENCE, what, &in, err);
    if (e == E_OK)
        e = der_read_oid(&in, what, &oid, err);
    if (e == E_OK && !reader_is_done(&in))
        e = der_read(&in, DER_NULL, what, &null, err);
    if (e == E_OK)
        e = der_end(&in, what, err);
    if (e == E_OK)
        *out_oid = oid;
    return e;
}

static enum errc read_digest_algs(struct reader *r, struct cms *out, struct span *out_only,
                                  struct err *err)
{
    struct reader in;
    enum errc e = der_enter(r, DER_SET, "digestAlgorithms", &in, err);
    if (e == E_OK)
        e = cms_read_digest_alg(&in, "digestAlgorithms", out_only, err);
    if (e == E_OK)
        e = der_end(&in, "digestAlgorithms of one signer", err);
    if (e == E_OK && oid_digest(oid_of(*out_only)) != DIGEST_NONE)
        out->digest_algs = DIGEST_BIT(oid_digest(oid_of(*out_only)));
    return e;
}

/* --- attributes */

static enum errc read_attr(struct reader *r, struct cms_attr *out, struct err *err)
{
    struct der whole;
    enum errc e = der_read(r, DER_SEQUENCE, "Attribute", &whole, err);
    if (e != E_OK)
        return e;
    struct reader in = der_inside(&whole);
    out->at = whole.at;
    out->len = whole.whole.len;
    e = der_read_oid(&in, "Attribute type", &out->type, err);
    if (e == E_OK)
        e = der_read(&in, DER_SET, "Attribute values", &out->values, err);
    if (e == E_OK)
        e = der_end(&in, "Attribute", err);
    if (e == E_OK && out->values.content.len == 0)
        e = err_set(err, E_MALFORMED, "Attribute: no value at %" PRIu64, out->values.at);
    out->oid = oid_of(out->type);
    return e;
}

static enum errc read_attrs(const struct der *set, const char *what, struct cms_attrs *out,
                            struct err *err)
{
    struct reader in = der_inside(set);
    if (reader_is_done(&in))
        return err_set(err, E_MALFORMED, "%s: present and empty at %" PRIu64, what, set->at);
    while (!reader_is_done(&in)) {
        if (out->n == CMS_ATTRS_MAX)
            return err_set(err, E_LIMIT, "%s: more than %d", what, CMS_ATTRS_MAX);
        enum errc e = read_attr(&in, &out->items[out->n], err);
        if (e != E_OK)
            return e;
        out->n++;
    }
    return E_OK;
}

enum errc cms_attr_find(const struct cms_attrs *attrs, enum oid oid, const struct cms_attr **out,
                        struct err *err)
{
    const struct cms_attr *found = NULL;
    for (size_t i = 0; i < attrs->n; i++) {
        if (attrs->items[i].oid != oid)
            continue;
        if (found != NULL) {
            char text[64];
            return err_set(err, E_MALFORMED, "attribute %s is there twice, again at %" PRIu64,
                           oid_text(found->type, text, sizeof(text)), attrs->items[i].at);
        }
        found = &attrs->items[i];
    }
    *out = found;
    return E_OK;
}

enum errc cms_attr_value(const struct cms_attr *attr, struct der *out, struct err *err)
{
    struct reader in = der_inside(&attr->values);
    struct der value;
    enum errc e = der_read_any(&in, "Attribute value", &value, err);
    if (e == E_OK)
        e = der_end(&in, "Attribute of one value", err);
    if (e == E_OK)
        *out = value;
    return e;
}

/* --- SignerInfo */

static enum errc read_signer_id(struct reader *r, struct cms_signer *out, struct err *err)
{
    struct reader in;
    struct der name, key_id;
    if (der_next_is(r, DER_CONTEXT(0))) {
        enum errc e = der_read(r, DER_CONTEXT(0), "subjectKeyIdentifier", &key_id, err);
        if (e == E_OK && key_id.content.len == 0)
            e = err_set(err, E_MALFORMED, "empty subjectKeyIdentifier at %" PRIu64, key_id.at);
        if (e == E_OK)
            out->key_id = key_id.content;
        return e;
    }
    enum errc e = der_enter(r, DER_SEQUENCE, "issuerAndSerialNumber", &in, err);
    if (e == E_OK)
        e = der_read(&in, DER_SEQUENCE, "SignerInfo issuer", &name, err);
    if (e == E_OK)
        e = der_read_integer(&in, "SignerInfo serial", &out->serial, err);
    if (e == E_OK)
        e = der_end(&in, "issuerAndSerialNumber", err);
    if (e == E_OK)
        out->issuer = name.whole;
    return e;
}

static enum errc read_signed_attrs(struct reader *r, struct cms_signer *out, struct err *err)
{
    if (!der_next_is(r, DER_CONTEXT_CONSTRUCTED(0)))
        return E_OK;
    enum errc e =
        der_read(r, DER_CONTEXT_CONSTRUCTED(0), "signedAttrs", &out->signed_attrs_der, err);
    if (e == E_OK)
        e = read_attrs(&out->signed_attrs_der, "signedAttrs", &out->signed_attrs, err);
    if (e == E_OK)
        out->has_signed_attrs = true;
    return e;
}

static enum errc read_unsigned_attrs(struct reader *r, struct cms_signer *out, struct err *err)
{
    struct der set;
    if (!der_next_is(r, DER_CONTEXT_CONSTRUCTED(1)))
        return E_OK;
    enum errc e = der_read(r, DER_CONTEXT_CONSTRUCTED(1), "unsignedAttrs", &set, err);
    if (e == E_OK)
        e = read_attrs(&set, "unsignedAttrs", &out->unsigned_attrs, err);
    return e;
}

/* read_signer_head reads all that comes before the unsigned attributes. */
static enum errc read_signer_head(struct reader *r, struct cms_signer *out, struct err *err)
{
    struct der algorithm;
    enum errc e = der_read_u32(r, "SignerInfo version", &out->version, err);
    if (e == E_OK)
        e = read_signer_id(r, out, err);
    if (e == E_OK)
        e = cms_read_digest_alg(r, "SignerInfo digestAlgorithm", &out->digest_oid, err);
    if (e == E_OK)
        e = read_signed_attrs(r, out, err);
    if (e == E_OK)
        e = der_read(r, DER_SEQUENCE, "signatureAlgorithm", &algorithm, err);
    if (e == E_OK)
        e = der_read_octets(r, "SignerInfo signature", &out->signature, err);
    if (e != E_OK)
        return e;
    out->digest = oid_digest(oid_of(out->digest_oid));
    out->signature_algorithm = algorithm.whole;
    return E_OK;
}

enum errc cms_read_signer(struct reader *r, struct cms_signer *out, struct err *err)
{
    struct cms_signer s = { .version = 0 };
    enum errc e = der_read(r, DER_SEQUENCE, "SignerInfo", &s.whole, err);
    if (e != E_OK)
        return e;
    struct reader in = der_inside(&s.whole);
    struct reader start = in;
    e = read_signer_head(&in, &s, err);
    if (e == E_OK)
        e = der_check_exact(span_sub(start.rest, 0, start.rest.len - in.rest.len), start.at,
                            "SignerInfo", err);
    if (e == E_OK)
        e = read_unsigned_attrs(&in, &s, err);
    if (e == E_OK)
        e = der_end(&in, "SignerInfo", err);
    if (e == E_OK)
        *out = s;
    return e;
}

/* --- SignedData */

static enum errc read_content(struct reader *r, struct cms *out, struct err *err)
{
    struct der whole;
    struct reader explicit;
    enum errc e = der_read(r, DER_SEQUENCE, "EncapsulatedContentInfo", &whole, err);
    if (e == E_OK)
        e = der_check_exact(whole.whole, whole.at, "EncapsulatedContentInfo", err);
    if (e != E_OK)
        return e;
    struct reader in = der_inside(&whole);
    e = der_read_oid(&in, "eContentType", &out->content_type, err);
    if (e != E_OK)
        return e;
    out->content_oid = oid_of(out->content_type);
    if (reader_is_done(&in))
        return E_OK;
    e = der_enter(&in, DER_CONTEXT_CONSTRUCTED(0), "eContent", &explicit, err);
    if (e == E_OK)
        e = der_read_any(&explicit, "eContent value", &out->content, err);
    if (e == E_OK)
        e = der_end(&explicit, "eContent", err);
    if (e == E_OK)
        e = der_end(&in, "EncapsulatedContentInfo", err);
    out->has_content = e == E_OK;
    return e;
}

static enum errc read_optional(struct reader *r, uint8_t tag, const char *what, struct der *out,
                               struct err *err)
{
    return der_next_is(r, tag) ? der_read(r, tag, what, out, err) : E_OK;
}

static enum errc read_signers(struct reader *r, struct cms *out, struct err *err)
{
    struct reader in;
    enum errc e = der_enter(r, DER_SET, "signerInfos", &in, err);
    if (e == E_OK && reader_is_done(&in))
        e = err_set(err, E_MALFORMED, "signerInfos: nobody signed, at %" PRIu64, in.at);
    if (e == E_OK)
        e = cms_read_signer(&in, &out->signer, err);
    if (e == E_OK)
        e = der_end(&in, "signerInfos of one signer", err);
    return e;
}

static enum errc read_signed_data(struct reader *r, struct cms *out, struct err *err)
{
    struct span digest_oid = { NULL, 0 };
    enum errc e = der_read_u32(r, "SignedData version", &out->version, err);
    if (e == E_OK)
        e = read_digest_algs(r, out, &digest_oid, err);
    if (e == E_OK)
        e = read_content(r, out, err);
    if (e == E_OK)
        e = read_optional(r, DER_CONTEXT_CONSTRUCTED(0), "certificates", &out->certs, err);
    if (e == E_OK)
        e = read_optional(r, DER_CONTEXT_CONSTRUCTED(1), "crls", &out->crls, err);
    if (e == E_OK)
        e = read_signers(r, out, err);
    if (e == E_OK)
        e = der_end(r, "SignedData", err);
    if (e == E_OK && !span_equal(digest_oid, out->signer.digest_oid))
        e = err_set(err, E_MALFORMED, "digestAlgorithms does not name the signer's digest");
    return e;
}

enum errc cms_read(struct span bytes, uint64_t at, struct cms *out, struct err *err)
{
    struct reader r = reader_of(bytes, at);
    struct reader info, explicit, data;
    struct span type;
    struct cms cms = { .version = 0 };
    enum errc e = der_enter(&r, DER_SEQUENCE, "ContentInfo", &info, err);
    if (e == E_OK)
        e = der_end(&r, "ContentInfo with nothing behind it", err);
    if (e == E_OK)
        e = der_read_oid(&info, "ContentInfo contentType", &type, err);
    if (e == E_OK && oid_of(type) != OID_CMS_SIGNED_DATA)
        e = err_set(err, E_MALFORMED, "ContentInfo: not a SignedData");
    if (e == E_OK)
        e = der_enter(&info, DER_CONTEXT_CONSTRUCTED(0), "ContentInfo content", &explicit, err);
    if (e == E_OK)
        e = der_end(&info, "ContentInfo", err);
    if (e == E_OK)
        e = der_enter(&explicit, DER_SEQUENCE, "SignedData", &data, err);
    if (e == E_OK)
        e = der_end(&explicit, "ContentInfo content", err);
    if (e == E_OK)
        e = read_signed_data(&data, &cms, err);
    if (e == E_OK)
        *out = cms;
    return e;
}
