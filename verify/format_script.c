/* A script with a signature block. script.h draws it. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "verify/der.h"
#include "verify/format.h"
#include "verify/script.h"

struct script {
    struct format_base base;
    struct script_text text;
    struct script_block block; /* style is set in any case; n_found 0: not signed */
    struct buf bytes;          /* what the block spells */
    struct span der;
};

/* --- sniff, open and close */

static bool sniff_powershell(struct source *src, struct span head)
{
    return script_sniff(src, head, KIND_SCRIPT_POWERSHELL);
}

static bool sniff_wsh(struct source *src, struct span head)
{
    return script_sniff(src, head, KIND_SCRIPT_WSH);
}

static void close_script(struct format *f)
{
    struct script *script = (struct script *)(void *)f;
    if (script == NULL)
        return;
    script_text_fini(&script->text);
    buf_fini(&script->bytes);
    free(script);
}

static uint64_t block_len(const struct script *script)
{
    return (uint64_t)(script->block.end - script->block.begin) * script->text.unit_len;
}

/* Nothing follows the block, but in the one style that has it inside the text. */
static enum errc check_end(const struct script *script, struct report *report, struct err *err)
{
    uint64_t end = script_text_offset(&script->text, script->block.end);
    uint64_t n = script->text.raw_len - end;
    if (n == 0 || script->block.style->is_inside)
        return E_OK;
    findings_add(&report->findings, REASON_TRAILING_DATA, WEIGHT_FATAL, end,
                 "script: %" PRIu64 " bytes follow the signature block", n);
    return report_uncovered(report, end, n, "after the signature block", err);
}

static enum errc check_layout(const struct script *script, bool is_exact, struct report *report,
                              struct err *err)
{
    uint64_t at = script_text_offset(&script->text, script->block.begin);
    if (is_exact)
        return E_OK;
    findings_add(&report->findings, REASON_MALFORMED, WEIGHT_COVERAGE, at,
                 "script: the lines of the signature block are not as they are written when "
                 "signing (length, spelling, CR LF)");
    return report_uncovered(report, at, block_len(script), "the signature block's layout", err);
}

static enum errc find_der(struct script *script, struct report *report, struct err *err)
{
    uint64_t at = script_text_offset(&script->text, script->block.begin);
    struct reader r = reader_of(buf_span(&script->bytes), 0);
    struct der der;
    enum errc rc = der_read(&r, DER_SEQUENCE, "script signature", &der, err);
    if (rc != E_OK)
        return rc;
    script->der = der.whole;
    if (reader_is_done(&r))
        return E_OK;
    findings_add(&report->findings, REASON_TRAILING_DATA, WEIGHT_COVERAGE, at,
                 "script: the block spells %zu bytes behind the signature's DER", r.rest.len);
    return report_uncovered(report, at, block_len(script), "behind the signature's DER", err);
}

static enum errc read_block(struct script *script, struct report *report, struct err *err)
{
    struct script_block *block = &script->block;
    bool is_exact = false;
    enum errc rc = script_block_read(script->text.units, block, &script->bytes, &is_exact, err);
    if (rc != E_OK)
        return rc;
    if (block->n_found > 1)
        findings_add(&report->findings, REASON_MALFORMED, WEIGHT_FATAL,
                     script_text_offset(&script->text, block->first),
                     "script: has %zu signature blocks", block->n_found);
    rc = check_layout(script, is_exact, report, err);
    if (rc == E_OK)
        rc = check_end(script, report, err);
    if (rc == E_OK)
        rc = find_der(script, report, err);
    return rc;
}

static enum errc read_script(struct script *script, struct report *report, struct err *err)
{
    struct source *src = script->base.src;
    struct script_text *text = &script->text;
    enum errc rc = script_text_read(src, (struct region){ 0, src->size }, NULL, text, err);
    if (rc != E_OK)
        return rc;
    if ((text->raw_len - text->bom_len) % text->unit_len != 0)
        return err_set(err, E_MALFORMED, "script: UTF-16 of an odd number of bytes");
    if (script_block_find(text->units, &script->block))
        return read_block(script, report, err);
    if (script_find_block(text, &script->block))
        return err_set(err, E_MALFORMED, "script: UTF-16, but its signature block is not");
    script->block = (struct script_block){ .style = script_guess(text->units) };
    if (script->block.style == NULL)
        return err_set(err, E_UNSUPPORTED, "script: no signature block and of no known language");
    return E_OK;
}

static enum errc open_script(const struct format_ops *ops, struct source *src,
                             struct report *report, struct format **out, struct err *err)
{
    struct script *script = calloc(1, sizeof(*script));
    if (script == NULL)
        return err_nomem(err);
    script->base = (struct format_base){ ops, src };
    buf_init(&script->bytes, FORMAT_SIGNATURE_MAX);
    enum errc rc = read_script(script, report, err);
    if (rc != E_OK) {
        close_script((struct format *)(void *)script);
        return rc;
    }
    *out = (struct format *)(void *)script;
    return E_OK;
}

static enum errc open_powershell(struct source *src, struct report *report, struct format **out,
                                 struct err *err)
{
    return open_script(&format_script_powershell, src, report, out, err);
}

static enum errc open_wsh(struct source *src, struct report *report, struct format **out,
                          struct err *err)
{
    return open_script(&format_script_wsh, src, report, out, err);
}

/* --- signature and digest */

static enum errc signature(struct format *f, struct format_signature *out, struct err *err)
{
    const struct script *script = (const struct script *)(const void *)f;
    if (script->block.n_found == 0)
        return err_set(err, E_ABSENT, "script: no signature block");
    *out = (struct format_signature){ script->der, NO_OFFSET };
    return E_OK;
}

/* The text before and after the block, in this order; *n_before counts the UTF-16 units of the
 * first. */
static enum errc hash_text(const struct script *script, struct hasher *h, uint32_t *n_before,
                           uint64_t *first_bad, struct err *err)
{
    const struct script_block *block = &script->block;
    size_t all = script->text.units.len, begin = all, end = all;
    if (block->n_found > 0) {
        begin = block->begin;
        end = block->style->is_inside ? block->end : all;
    }
    uint32_t n_after = 0;
    enum errc rc = script_text_hash(&script->text, (struct region){ 0, begin },
                                    block->style->reading, h, n_before, first_bad, err);
    if (rc == E_OK)
        rc = script_text_hash(&script->text, (struct region){ end, all - end },
                              block->style->reading, h, &n_after, first_bad, err);
    return rc;
}

/* PowerShell: the byte order mark, if there is one, and the text. Windows Script Host: the text and
 * the place of the block in it. */
static enum errc hash_script(const struct script *script, struct hasher *h, uint64_t *first_bad,
                             struct err *err)
{
    static const uint8_t bom[] = { 0xFF, 0xFE };
    bool is_wsh = script->block.style->kind == KIND_SCRIPT_WSH;
    uint32_t n = 0;
    enum errc rc = E_OK;
    if (!is_wsh && script->text.bom_len > 0)
        rc = hasher_add(h, span_of(bom, sizeof(bom)), err);
    if (rc == E_OK)
        rc = hash_text(script, h, &n, first_bad, err);
    if (rc != E_OK || !is_wsh)
        return rc;
    const uint8_t place[] = { (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16),
                              (uint8_t)(n >> 24) };
    return hasher_add(h, span_of(place, sizeof(place)), err);
}

static enum errc digest(struct format *f, uint32_t algs, struct digest_set *out,
                        struct report *report, struct err *err)
{
    const struct script *script = (const struct script *)(const void *)f;
    uint64_t first_bad = NO_OFFSET;
    struct hasher *h = NULL;
    enum errc rc = hasher_new(algs, &h, err);
    if (rc == E_OK)
        rc = hash_script(script, h, &first_bad, err);
    if (rc == E_OK)
        rc = hasher_finish(h, out, err);
    hasher_free(h);
    if (rc == E_OK && first_bad != NO_OFFSET)
        findings_add(&report->findings, REASON_MALFORMED, WEIGHT_COVERAGE, first_bad,
                     "script: not UTF-8; the digest does not tell such bytes from one another");
    return rc;
}

static void binding(const struct format *f, struct spc_binding *out)
{
    const struct script *script = (const struct script *)(const void *)f;
    out->type = OID_SPC_SIP_INFO;
    memcpy(out->sip_guid, script->block.style->sip_guid, sizeof(out->sip_guid));
}

const struct format_ops format_script_powershell = {
    .kind = KIND_SCRIPT_POWERSHELL,
    .word = "script-powershell",
    .sniff = sniff_powershell,
    .open = open_powershell,
    .signature = signature,
    .digest = digest,
    .binding = binding,
    .close = close_script,
};

const struct format_ops format_script_wsh = {
    .kind = KIND_SCRIPT_WSH,
    .word = "script-wsh",
    .sniff = sniff_wsh,
    .open = open_wsh,
    .signature = signature,
    .digest = digest,
    .binding = binding,
    .close = close_script,
};
