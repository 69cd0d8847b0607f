#include "installer/cli/inspect.h"

#include <inttypes.h>
#include <string.h>

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
    for (size_t i = 0; i < v->n_sigs; i++)
        put_signature(&p, v->sigs[i], style->verbose);
    put_oddities(&p, v);
    return p.rc;
}
