/* Windows Installer packages and patches, and any other compound file that is signed as they are:
 * two streams of the root hold the signature and, where the signer wanted names and times signed as
 * well, a hash of them ("Ex"). Which bytes are hashed stands in format_msi.h. */

#include <inttypes.h>
#include <stdlib.h>

#include "platform/base/num.h"
#include "verify/der.h"
#include "verify/format.h"
#include "verify/format_msi.h"

static const uint8_t signature_name[] = { 5,   0, 'D', 0, 'i', 0, 'g', 0, 'i', 0, 't', 0,
                                          'a', 0, 'l', 0, 'S', 0, 'i', 0, 'g', 0, 'n', 0,
                                          'a', 0, 't', 0, 'u', 0, 'r', 0, 'e', 0 };
static const uint8_t ex_name[] = { 5,   0, 'M', 0, 's', 0, 'i', 0, 'D', 0, 'i', 0, 'g', 0, 'i', 0,
                                   't', 0, 'a', 0, 'l', 0, 'S', 0, 'i', 0, 'g', 0, 'n', 0, 'a', 0,
                                   't', 0, 'u', 0, 'r', 0, 'e', 0, 'E', 0, 'x', 0 };
static const uint8_t sip_guid[16] = { 0xF1, 0x10, 0x0C, 0x00, 0x00, 0x00, 0x00, 0x00,
                                      0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46 };

struct msi {
    struct format_base base;
    struct cfb *cfb;
    struct msi_layout layout;
    bool is_checked;
    struct buf stream; /* the signature's stream, whole */
    struct region der; /* where the DER lies: in the file, if it is in one piece */
    size_t der_len;
    bool is_in_pieces;
};

static bool msi_sniff(struct source *src, struct span head)
{
    UNUSED(src);
    return cfb_is_one(head);
}

/* --- the two streams of the root */

/* Windows looks the names up whatever their case, and hashes by exact case: a name that differs in
 * case alone is no one's. */
static enum errc find_stream(const struct cfb *cfb, struct span name, const char *what,
                             const struct cfb_entry **out, struct err *err)
{
    const struct cfb_entry *root = cfb_entry(cfb, CFB_ROOT_ID);
    for (uint32_t id = root->first_child; id != CFB_NONE; id = cfb_entry(cfb, id)->next) {
        const struct cfb_entry *e = cfb_entry(cfb, id);
        if (cfb_compare_names(e->name, name) != 0)
            continue;
        if (!span_equal(e->name, name))
            return err_set(err, E_MALFORMED, "MSI: %s, spelled in another case", what);
        if (e->type != CFB_STREAM)
            return err_set(err, E_MALFORMED, "MSI: %s is a storage", what);
        *out = e;
    }
    return E_OK;
}

static enum errc note_run(void *ctx, struct region run, struct err *err)
{
    struct msi *msi = ctx;
    UNUSED(err);
    msi->is_in_pieces = msi->der.len != 0;
    if (!msi->is_in_pieces)
        msi->der = run;
    return E_OK;
}

/* Where the stream is longer than the value in it, the rest is said to be so and left away. What is
 * no DER at all is kept whole: the reader of signatures says what is wrong with it. */
static void cut_after_der(struct msi *msi, struct report *report)
{
    struct reader r = reader_of(buf_span(&msi->stream), 0);
    struct der d;
    msi->der_len = msi->stream.len;
    if (der_read(&r, DER_SEQUENCE, "signature", &d, NULL) != E_OK || reader_is_done(&r))
        return;
    msi->der_len = d.whole.len;
    findings_add(&report->findings, REASON_TRAILING_DATA, WEIGHT_COVERAGE,
                 msi->is_in_pieces ? NO_OFFSET : msi->der.at + d.whole.len,
                 "%zu bytes after the DER in the signature's stream", r.rest.len);
}

/* The bytes after the DER as ranges of the file. */
struct rest {
    struct report *report;
    uint64_t skip;
};

static enum errc cover_rest(void *ctx, struct region run, struct err *err)
{
    struct rest *rest = ctx;
    uint64_t skip = num_min(rest->skip, run.len);
    rest->skip -= skip;
    if (skip == run.len)
        return E_OK;
    return report_uncovered(rest->report, run.at + skip, run.len - skip,
                            "after the DER in the signature's stream", err);
}

static enum errc read_signature(struct msi *msi, struct report *report, struct err *err)
{
    const struct cfb_entry *e = msi->layout.signature;
    if (e->size == 0)
        return err_set(err, E_MALFORMED, "MSI: the signature's stream is empty");
    buf_init(&msi->stream, FORMAT_SIGNATURE_MAX);
    enum errc rc = cfb_read(msi->cfb, e, &msi->stream, err);
    if (rc == E_OK)
        rc = cfb_each_run(msi->cfb, e, note_run, msi, err);
    if (rc != E_OK)
        return err_prefix(err, "signature: ");
    cut_after_der(msi, report);
    struct rest rest = { report, msi->der_len };
    return cfb_each_run(msi->cfb, e, cover_rest, &rest, err);
}

/* --- what neither the content's hash nor Ex covers */

struct loose {
    const struct msi *msi;
    struct report *report;
    uint64_t first_at;
    size_t n_bytes;
};

static enum errc check_zero(struct loose *loose, const struct cfb_entry *e, size_t at, size_t len,
                            const char *what, struct err *err)
{
    if (span_is_filled(span_sub(e->raw, at, len), 0))
        return E_OK;
    uint64_t file_at = cfb_entry_at(loose->msi->cfb, e) + at;
    if (loose->n_bytes == 0)
        loose->first_at = file_at;
    loose->n_bytes += len;
    return report_uncovered(loose->report, file_at, len, what, err);
}

static enum errc check_entry(struct loose *loose, const struct cfb_entry *e, struct err *err)
{
    const struct msi_layout *l = &loose->msi->layout;
    enum errc rc = E_OK;
    if (e->type == CFB_ROOT)
        return check_zero(loose, e, 100, 16, "times of the root entry", err);
    if (e->type != CFB_STREAM)
        return E_OK;
    if (e == l->signature || e == l->ex)
        rc = check_zero(loose, e, 96, 20, "state and times of the signature's streams", err);
    return rc == E_OK ? check_zero(loose, e, 80, 16, "CLSID of a stream", err) : rc;
}

/* Only the lower halves of sizes are in Ex. */
static enum errc check_huge(struct loose *loose, const struct cfb_entry *e, struct err *err)
{
    if (e->type != CFB_STREAM || e->size <= UINT32_MAX)
        return E_OK;
    return check_zero(loose, e, 124, 4, "upper half of the size of a stream over 4 GiB", err);
}

static enum errc check_entries(const struct msi *msi, struct report *report, struct err *err)
{
    struct loose loose = { .msi = msi, .report = report };
    enum errc rc = E_OK;
    for (uint32_t id = 0; id < cfb_n_entries(msi->cfb) && rc == E_OK; id++) {
        rc = check_entry(&loose, cfb_entry(msi->cfb, id), err);
        if (rc == E_OK)
            rc = check_huge(&loose, cfb_entry(msi->cfb, id), err);
    }
    if (rc == E_OK && loose.n_bytes > 0)
        findings_add(&report->findings, REASON_UNCOVERED_DATA, WEIGHT_COVERAGE, loose.first_at,
                     "%zu bytes of directory fields that no signature covers", loose.n_bytes);
    return rc;
}

static enum errc check_once(struct msi *msi, struct report *report, struct err *err)
{
    if (msi->is_checked)
        return E_OK;
    msi->is_checked = true;
    if (msi->layout.ex == NULL)
        findings_add(&report->findings, REASON_UNSIGNED_METADATA, WEIGHT_COVERAGE, NO_OFFSET,
                     "no MsiDigitalSignatureEx: names, sizes and times are not signed");
    enum errc rc = cfb_check(msi->cfb, report, err);
    return rc == E_OK ? check_entries(msi, report, err) : rc;
}

/* --- open */

static void msi_close(struct format *f)
{
    struct msi *msi = (struct msi *)(void *)f;
    cfb_close(msi->cfb);
    buf_fini(&msi->stream);
    free(msi);
}

/* A file without a signature is not gone through: nothing in it is claimed to be proven. */
static enum errc open_all(struct msi *msi, struct report *report, struct err *err)
{
    enum errc rc = cfb_open(msi->base.src, &msi->cfb, err);
    if (rc != E_OK)
        return rc;
    msi->layout.cfb = msi->cfb;
    msi->layout.src = msi->base.src;
    rc = find_stream(msi->cfb, span_of(signature_name, sizeof(signature_name)),
                     "\\005DigitalSignature", &msi->layout.signature, err);
    if (rc == E_OK)
        rc = find_stream(msi->cfb, span_of(ex_name, sizeof(ex_name)), "\\005MsiDigitalSignatureEx",
                         &msi->layout.ex, err);
    if (rc != E_OK || msi->layout.signature == NULL)
        return rc;
    rc = check_once(msi, report, err);
    return rc == E_OK ? read_signature(msi, report, err) : rc;
}

static enum errc msi_open(struct source *src, struct report *report, struct format **out,
                          struct err *err)
{
    struct msi *msi = calloc(1, sizeof(*msi));
    if (msi == NULL)
        return err_nomem(err);
    msi->base = (struct format_base){ &format_msi, src };
    enum errc rc = open_all(msi, report, err);
    if (rc == E_OK)
        *out = (struct format *)(void *)msi;
    else
        msi_close((struct format *)(void *)msi);
    return rc;
}

static enum errc msi_signature(struct format *f, struct format_signature *out, struct err *err)
{
    const struct msi *msi = (const struct msi *)(const void *)f;
    if (msi->layout.signature == NULL)
        return err_set(err, E_ABSENT, "MSI: no stream \\005DigitalSignature");
    *out = (struct format_signature){ .der = span_of(msi->stream.ptr, msi->der_len),
                                      .at = msi->is_in_pieces ? NO_OFFSET : msi->der.at };
    return E_OK;
}

/* --- digest */

static enum digest_alg alg_of_ex(uint64_t size)
{
    switch (size) {
    case 20: return DIGEST_SHA1;
    case 32: return DIGEST_SHA256;
    case 48: return DIGEST_SHA384;
    case 64: return DIGEST_SHA512;
    default: return DIGEST_NONE;
    }
}

/* Ex is made with the signature's own algorithm; where several signatures share it (nested ones),
 * with one of theirs. It is never weaker than the weakest that is asked for. */
static bool is_strong_enough(enum digest_alg ex_alg, uint32_t algs)
{
    for (int alg = DIGEST_NONE + 1; alg < N_DIGEST_ALGS; alg++)
        if ((algs & DIGEST_BIT(alg)) != 0 && digest_len((enum digest_alg)alg) <= digest_len(ex_alg))
            return true;
    return false;
}

static enum errc check_ex(const struct msi *msi, uint32_t algs, struct report *report,
                          struct err *err)
{
    const struct cfb_entry *ex = msi->layout.ex;
    enum digest_alg alg = alg_of_ex(ex->size);
    if (alg == DIGEST_NONE || !is_strong_enough(alg, algs)) {
        findings_add(
            &report->findings, REASON_DIGEST_MISMATCH, WEIGHT_FATAL, cfb_entry_at(msi->cfb, ex),
            "MsiDigitalSignatureEx has %" PRIu64 " bytes, which is no hash that the signature uses",
            ex->size);
        return E_OK;
    }
    if (alg == DIGEST_SHA1 && algs != DIGEST_BIT(DIGEST_SHA1))
        findings_add(&report->findings, REASON_WEAK_DIGEST, WEIGHT_SHA1, cfb_entry_at(msi->cfb, ex),
                     "MsiDigitalSignatureEx is a SHA-1");
    struct digest wanted;
    struct buf is;
    buf_init(&is, DIGEST_LEN_MAX);
    enum errc rc = msi_hash_metadata(&msi->layout, alg, &wanted, err);
    if (rc == E_OK)
        rc = cfb_read(msi->cfb, ex, &is, err);
    if (rc == E_OK && !span_equal(buf_span(&is), digest_span(&wanted)))
        findings_add(&report->findings, REASON_DIGEST_MISMATCH, WEIGHT_FATAL,
                     cfb_entry_at(msi->cfb, ex),
                     "MsiDigitalSignatureEx is not the hash of the names, sizes and times");
    buf_fini(&is);
    return rc;
}

static enum errc msi_digest(struct format *f, uint32_t algs, struct digest_set *out,
                            struct report *report, struct err *err)
{
    struct msi *msi = (struct msi *)(void *)f;
    enum errc rc = check_once(msi, report, err);
    if (rc == E_OK && msi->layout.ex != NULL)
        rc = check_ex(msi, algs, report, err);
    return rc == E_OK ? msi_hash_content(&msi->layout, algs, out, err) : rc;
}

static void msi_binding(const struct format *f, struct spc_binding *out)
{
    UNUSED(f);
    out->type = OID_SPC_SIP_INFO;
    for (size_t i = 0; i < sizeof(sip_guid); i++)
        out->sip_guid[i] = sip_guid[i];
}

const struct format_ops format_msi = {
    .kind = KIND_MSI,
    .word = "msi",
    .sniff = msi_sniff,
    .open = msi_open,
    .signature = msi_signature,
    .digest = msi_digest,
    .binding = msi_binding,
    .close = msi_close,
};
