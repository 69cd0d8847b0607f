#include "installer/cli/inspect.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "platform/base/num.h"
#include "platform/base/text.h"

const char *inspect_says(const struct sig_verdict *sig)
{
    bool intact = (sig->proven & FACTS_INTACT) == FACTS_INTACT;
    return intact ? "intact" : "altered or not readable";
}

struct page {
    struct buf *out;
    bool quiet;
    enum errc rc; /* the first error; nothing is written after it */
    struct err *err;
};

static void put_row(struct page *p, const char *label, const char *text)
{
    if (p->rc != E_OK || (p->quiet && text[0] == '\0'))
        return;
    p->rc = buf_printf(p->out, p->err, "    %-12s  %s\n", label, text[0] == '\0' ? "-" : text);
}

static void put_certificate(struct page *p, const struct sig_verdict *sig, bool verbose)
{
    char time[32];
    put_row(p, "signer", sig->signer.subject);
    put_row(p, "issuer", sig->signer.issuer);
    put_row(p, "valid from", text_format_time(sig->signer.not_before, time));
    put_row(p, "valid to", text_format_time(sig->signer.not_after, time));
    put_row(p, "sha256", sig->signer.sha256);
    if (!verbose)
        return;
    put_row(p, "spki-sha256", sig->signer.spki_sha256);
    put_row(p, "serial", sig->signer.serial);
}

static void put_stamp(struct page *p, const struct stamp_facts *stamp)
{
    char time[32];
    if (stamp->kind == STAMP_NONE) {
        put_row(p, "timestamp", "");
        return;
    }
    put_row(p, "timestamp",
            stamp->time == 0 ? "not readable" : text_format_time(stamp->time, time));
    put_row(p, "stamped by", stamp->authority);
}

static void put_signature(struct page *p, const struct sig_verdict *sig, bool verbose)
{
    if (p->rc == E_OK)
        p->rc =
            buf_printf(p->out, p->err, "  %s signature%s, %s: %s\n", sig_system_word(sig->system),
                       sig->nested ? " (nested)" : "", digest_word(sig->digest), inspect_says(sig));
    if (sig->system == SYSTEM_MINISIGN) {
        put_row(p, "key", sig->key_id);
        put_row(p, "comment", sig->trusted_comment);
        return;
    }
    if (sig->has_signer)
        put_certificate(p, sig, verbose);
    put_stamp(p, &sig->stamp);
    put_row(p, "program", sig->program_name);
    put_row(p, "web page", sig->program_url);
}

/* --- an installer package */

/* A row that is left out where nothing is said, unless one would expect it there. */
static void put_expected(struct page *p, bool is_expected, const char *label, const char *text)
{
    if (is_expected || text[0] != '\0')
        put_row(p, label, text);
}

static void put_cabinet(struct page *p, const char *label, const struct inspect_cabinet *c)
{
    char row[NAME_ROOM + 80];
    int n = 0;
    if (!c->is_embedded)
        n = snprintf(row, sizeof(row), "%s, beside the package", c->name);
    else if (!c->has_size)
        n = snprintf(row, sizeof(row), "%s, embedded, but not there", c->name);
    else
        n = snprintf(row, sizeof(row), "%s, embedded, %" PRIu64 " bytes", c->name, c->size);
    if (n > 0)
        put_row(p, label, row);
}

static void put_contents(struct page *p, const struct inspect_msi *m)
{
    char number[80];
    if (m->has_files && snprintf(number, sizeof(number), "%" PRIu32, m->n_files) > 0)
        put_row(p, "files", number);
    uint64_t shown = num_min(m->n_cabinets, INSPECT_CABINETS_MAX);
    for (uint64_t i = 0; i < shown; i++)
        put_cabinet(p, i == 0 ? "cabinets" : "", &m->cabinets[i]);
    if (shown < m->n_cabinets &&
        snprintf(number, sizeof(number), "and %" PRIu64 " more", m->n_cabinets - shown) > 0)
        put_row(p, "", number);
}

static void put_msi(struct page *p, const struct inspect_msi *m)
{
    if (m == NULL || !m->is_there || p->rc != E_OK)
        return;
    bool is_patch = strcmp(m->kind, "patch") == 0;
    bool is_package = strcmp(m->kind, "package") == 0;
    p->rc = buf_printf(p->out, p->err, "  installer %s\n",
                       strcmp(m->kind, "unknown") == 0 ? "database" : m->kind);
    put_expected(p, is_package, "product", m->name);
    put_expected(p, false, "title", m->name[0] == '\0' ? m->title : "");
    put_expected(p, is_package, "version", m->version);
    put_expected(p, is_package, "manufacturer", m->manufacturer);
    put_expected(p, is_package, "product code", m->product_code);
    put_expected(p, is_package, "upgrade code", m->upgrade_code);
    put_row(p, is_patch ? "patch code" : "package code", m->package_code);
    put_expected(p, is_patch, "for products", m->targets);
    put_expected(p, !is_patch, "platform", m->platform);
    put_expected(p, false, "languages", m->languages);
    put_contents(p, m);
}

/* --- */

static void put_members(struct page *p, const struct inspect_input *in)
{
    if (in->has_members && p->rc == E_OK)
        p->rc = buf_printf(p->out, p->err, "  catalog of %zu %s\n", in->n_members,
                           in->n_members == 1 ? "file" : "files");
}

/* What is wrong with the container, whoever signed it. */
static void put_oddities(struct page *p, const struct verdict *v)
{
    for (size_t i = 0; i < v->report.findings.n && p->rc == E_OK; i++) {
        const struct finding *f = &v->report.findings.items[i];
        if (f->reason != REASON_NO_PUBLISHER_DEMANDED)
            p->rc = buf_printf(p->out, p->err, "  %s: %s\n", reason_word(f->reason), f->text);
    }
}

enum errc inspect_print_text(const struct inspect_input *in, const struct inspect_style *style,
                             struct buf *out, struct err *err)
{
    struct page p = { .out = out, .quiet = style->quiet, .rc = E_OK, .err = err };
    const struct verdict *v = in->verdict;
    p.rc = text_add_printable(out, span_text(in->file), err);
    if (p.rc == E_OK)
        p.rc = buf_printf(out, err,
                          ": %s, %" PRIu64
                          " bytes. Nothing below is proven; surefoot verify does that.\n",
                          v->type, v->size);
    put_msi(&p, in->msi);
    put_members(&p, in);
    for (size_t i = 0; i < v->n_sigs; i++)
        put_signature(&p, v->sigs[i], style->verbose);
    put_oddities(&p, v);
    if (in->msi != NULL && in->msi->trouble[0] != '\0' && p.rc == E_OK)
        p.rc = buf_printf(out, err, "  %s: %s\n", reason_word(REASON_MALFORMED), in->msi->trouble);
    return p.rc;
}
