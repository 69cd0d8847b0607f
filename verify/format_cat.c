/* A catalog as a file to judge: a SignedData whose content is a CTL, and nothing else. The content
 * lies inside the signature, so that there is nothing to hash apart from it. */

#include <inttypes.h>
#include <stdlib.h>

#include "verify/catalog.h"
#include "verify/der.h"
#include "verify/format.h"

struct format_cat_file {
    struct format_base base;
    uint8_t *bytes;
    struct span der;
    struct span list; /* what catalog_open has read and found to be a list */
};

static struct format_cat_file *cat_of(struct format *f)
{
    return (struct format_cat_file *)(void *)f;
}

/* skip_header moves past a tag and a length of any form, without a look at how much follows: the
 * head of a file ends before its values do. */
static bool skip_header(struct reader *r, uint8_t tag)
{
    uint8_t found, length;
    if (!(reader_u8(r, &found) && found == tag && reader_u8(r, &length)))
        return false;
    return length <= 0x80 || reader_skip(r, length & 0x7F);
}

static bool take_oid(struct reader *r, enum oid wanted)
{
    uint8_t tag, length;
    struct span oid;
    return reader_u8(r, &tag) && tag == DER_OID && reader_u8(r, &length) &&
           reader_take(r, length, &oid) && oid_of(oid) == wanted;
}

static bool take_value(struct reader *r, uint8_t tag)
{
    struct der value;
    struct err err;
    return der_read(r, tag, "head", &value, &err) == E_OK;
}

static bool sniff(struct source *src, struct span head)
{
    UNUSED(src);
    struct reader r = reader_of(head, 0);
    return skip_header(&r, DER_SEQUENCE) && take_oid(&r, OID_CMS_SIGNED_DATA) &&
           skip_header(&r, DER_CONTEXT_CONSTRUCTED(0)) && skip_header(&r, DER_SEQUENCE) &&
           take_value(&r, DER_INTEGER) && take_value(&r, DER_SET) &&
           skip_header(&r, DER_SEQUENCE) && take_oid(&r, OID_CTL);
}

/* split finds where the DER ends. What follows belongs to nothing. */
static enum errc split(struct format_cat_file *cat, struct report *report, struct err *err)
{
    struct reader r = reader_of(span_of(cat->bytes, (size_t)cat->base.src->size), 0);
    struct der whole;
    enum errc rc = der_read(&r, DER_SEQUENCE, "catalog", &whole, err);
    if (rc != E_OK)
        return rc;
    cat->der = whole.whole;
    if (reader_is_done(&r))
        return E_OK;
    findings_add(&report->findings, REASON_TRAILING_DATA, WEIGHT_FATAL, r.at,
                 "%zu bytes behind the catalog's end", r.rest.len);
    return report_uncovered(report, r.at, r.rest.len, "bytes behind the catalog's end", err);
}

static void close_cat(struct format *f)
{
    if (f == NULL)
        return;
    free(cat_of(f)->bytes);
    free(f);
}

static enum errc open_cat(struct source *src, struct report *report, struct format **out,
                          struct err *err)
{
    if (src->size > CATALOG_BYTES_MAX)
        return err_set(err, E_LIMIT, "catalog: %" PRIu64 " bytes, limit %d", src->size,
                       CATALOG_BYTES_MAX);
    size_t size = (size_t)src->size;
    struct format_cat_file *cat = calloc(1, sizeof(*cat));
    if (cat == NULL)
        return err_nomem(err);
    cat->base = (struct format_base){ .ops = &format_cat, .src = src };
    cat->bytes = malloc(size == 0 ? 1 : size);
    enum errc rc = cat->bytes == NULL ? err_nomem(err) : E_OK;
    if (rc == E_OK)
        rc = source_read_at(src, 0, cat->bytes, size, err);
    if (rc == E_OK)
        rc = split(cat, report, err);
    if (rc == E_OK)
        *out = (struct format *)(void *)cat;
    else
        close_cat((struct format *)(void *)cat);
    return rc;
}

/* has_no_signer is true if the SignedData reads as one whose signerInfos are empty. Whatever does
 * not read is for cms_read to refuse. */
static bool has_no_signer(struct span der)
{
    struct reader file = reader_of(der, 0), info, explicit, data, signers;
    struct err err;
    if (der_enter(&file, DER_SEQUENCE, "ContentInfo", &info, &err) != E_OK ||
        !take_value(&info, DER_OID) ||
        der_enter(&info, DER_CONTEXT_CONSTRUCTED(0), "content", &explicit, &err) != E_OK ||
        der_enter(&explicit, DER_SEQUENCE, "SignedData", &data, &err) != E_OK ||
        !take_value(&data, DER_INTEGER) || !take_value(&data, DER_SET) ||
        !take_value(&data, DER_SEQUENCE))
        return false;
    for (uint8_t n = 0; n < 2; n++) {
        if (der_next_is(&data, DER_CONTEXT_CONSTRUCTED(n)) &&
            !take_value(&data, DER_CONTEXT_CONSTRUCTED(n)))
            return false;
    }
    return der_enter(&data, DER_SET, "signerInfos", &signers, &err) == E_OK &&
           reader_is_done(&signers) && reader_is_done(&data);
}

static enum errc signature(struct format *f, struct format_signature *out, struct err *err)
{
    const struct format_cat_file *cat = cat_of(f);
    if (has_no_signer(cat->der))
        return err_set(err, E_ABSENT, "the catalog has no signer");
    *out = (struct format_signature){ .der = cat->der, .at = 0 };
    return E_OK;
}

void format_cat_has_read(struct format *f, struct span list)
{
    cat_of(f)->list = list;
}

/* A long list takes a while to read, and once is enough. */
static enum errc check_content(const struct format *f, struct span content, uint64_t at,
                               struct err *err)
{
    const struct format_cat_file *cat = (const struct format_cat_file *)(const void *)f;
    if (content.len > 0 && content.ptr == cat->list.ptr && content.len == cat->list.len)
        return E_OK;
    return catalog_check_content(content, at, err);
}

/* The content type says all: a catalog's is no SpcIndirectDataContent. */
static void binding(const struct format *f, struct spc_binding *out)
{
    UNUSED(f);
    *out = (struct spc_binding){ .type = OID_UNKNOWN };
}

const struct format_ops format_cat = {
    .kind = KIND_CAT,
    .word = "cat",
    .sniff = sniff,
    .open = open_cat,
    .signature = signature,
    .check_content = check_content,
    .binding = binding,
    .close = close_cat,
};
