/* The report for a person: what was checked, who signed it, when, why it was refused, what to do.
 */

#include <inttypes.h>
#include <string.h>

#include "installer/cli/print.h"
#include "platform/base/text.h"

struct page {
    struct buf *out;
    const struct print_style *style;
    int64_t now;  /* what is judged as of, where no timestamp says otherwise */
    enum errc rc; /* the first error; nothing is written after it */
    struct err *err;
};

static void put(struct page *p, const char *text)
{
    if (p->rc == E_OK)
        p->rc = buf_add_text(p->out, text, p->err);
}

static void put_colour(struct page *p, const char *code, const char *text)
{
    if (p->style->colour)
        put(p, code);
    put(p, text);
    if (p->style->colour)
        put(p, "\033[0m");
}

#define GREEN "\033[32m"
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define BOLD "\033[1m"

static void put_row(struct page *p, const char *label, const char *text)
{
    static const char spaces[] = "                ";
    if (text[0] == '\0')
        return;
    size_t len = strlen(label);
    put(p, "      ");
    put(p, label);
    put(p, spaces + (len < sizeof(spaces) - 2 ? len : sizeof(spaces) - 2));
    put(p, text);
    put(p, "\n");
}

static void put_finding(struct page *p, const char *indent, const struct finding *f)
{
    char at[48];
    put(p, indent);
    put_colour(p, f->fatal ? RED : YELLOW, reason_word(f->reason));
    put(p, ": ");
    put(p, f->text);
    if (f->at != NO_OFFSET && p->rc == E_OK) {
        char number[24];
        size_t n = 0;
        for (uint64_t rest = f->at; n == 0 || rest > 0; rest /= 10)
            number[n++] = (char)('0' + rest % 10);
        for (size_t i = 0; i < n; i++)
            at[i] = number[n - 1 - i];
        at[n] = '\0';
        put(p, " (at byte ");
        put(p, at);
        put(p, ")");
    }
    put(p, "\n");
}

static void put_stamp(struct page *p, const struct stamp_facts *stamp)
{
    char time[32];
    char row[NAME_ROOM + 96];
    struct buf b;
    if (p->rc != E_OK)
        return;
    buf_init(&b, sizeof(row));
    if (stamp->kind == STAMP_NONE)
        p->rc = buf_printf(&b, p->err, "none: judged as of %s", text_format_time(p->now, time));
    else
        p->rc = buf_printf(&b, p->err, "%s, %s, by %s%s",
                           stamp->time == 0 ? "no time" : text_format_time(stamp->time, time),
                           stamp->kind == STAMP_RFC3161 ? "RFC 3161" : "countersignature",
                           stamp->authority[0] == '\0' ? "an unknown authority" : stamp->authority,
                           stamp->trusted ? "" : " (not trusted)");
    if (p->rc == E_OK)
        put_row(p, "timestamp", text_printable(buf_span(&b), row, sizeof(row)));
    buf_fini(&b);
}

static void put_chain(struct page *p, const struct sig_verdict *sig)
{
    for (size_t i = 1; i < sig->n_chain; i++)
        put_row(p, i == 1 ? "chain" : "", sig->chain[i]);
}

static void put_signature(struct page *p, const struct sig_verdict *sig)
{
    char time[32];
    put(p, "  ");
    put_colour(p, BOLD, sig_system_word(sig->system));
    put(p, " ");
    put(p, digest_word(sig->digest));
    put(p, sig->nested ? " (nested): " : ": ");
    put_colour(p, sig->ruling == RULING_ACCEPTED ? GREEN : RED,
               sig->ruling == RULING_ACCEPTED ? "accepted" : "does not meet the policy");
    put(p, "\n");
    put_row(p, "matched", sig->member);
    if (sig->has_signer) {
        put_row(p, "signed by", sig->signer.subject);
        put_row(p, "issued by", sig->signer.issuer);
        if (p->style->verbose) {
            put_row(p, "serial", sig->signer.serial);
            put_row(p, "sha256", sig->signer.sha256);
            put_row(p, "spki-sha256", sig->signer.spki_sha256);
            put_row(p, "valid from", text_format_time(sig->signer.not_before, time));
            put_row(p, "valid to", text_format_time(sig->signer.not_after, time));
            put_chain(p, sig);
        }
    }
    if (sig->system != SYSTEM_MINISIGN)
        put_stamp(p, &sig->stamp);
    put_row(p, "program", sig->program_name);
    put_row(p, "web page", sig->program_url);
    put_row(p, "key", sig->key_id);
    put_row(p, "comment", sig->trusted_comment);
    for (size_t i = 0; i < sig->findings.n; i++)
        put_finding(p, "      ", &sig->findings.items[i]);
}

static void put_ranges(struct page *p, const struct report *r)
{
    size_t shown = p->style->verbose ? r->n_ranges : r->n_ranges < 5 ? r->n_ranges : 5;
    for (size_t i = 0; i < shown && p->rc == E_OK; i++)
        p->rc = buf_printf(p->out, p->err,
                           "  not covered by a signature: %" PRIu64 " bytes at %" PRIu64 ", %s\n",
                           r->ranges[i].len, r->ranges[i].at, r->ranges[i].what);
    if (shown < r->n_ranges && p->rc == E_OK)
        p->rc =
            buf_printf(p->out, p->err, "  ... and %zu more such ranges (--verbose shows them)\n",
                       r->n_ranges - shown);
}

static bool was_said(const struct finding *const *reasons, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (reasons[k]->reason == reasons[i]->reason)
            return true;
    return false;
}

/* Once for each reason. Where one is there that nothing excuses, no excuse is offered for the
 * others. */
static void put_advice(struct page *p, const struct verdict *v)
{
    const struct finding *reasons[FINDINGS_MAX * (SIGS_MAX + 1)];
    size_t n = print_reasons_of_file(v, reasons, ARRAY_LEN(reasons));
    if (v->outcome == OUTCOME_ACCEPTED)
        return;
    for (size_t i = 0; i < n; i++) {
        if (was_said(reasons, i))
            continue;
        if (reasons[0]->weight == WEIGHT_FATAL && reasons[i]->weight != WEIGHT_FATAL)
            return;
        put(p, i == 0 ? "  what to do: " : "              ");
        put(p, reason_word(reasons[i]->reason));
        put(p, ": ");
        put(p, reason_advice(reasons[i]->reason));
        put(p, "\n");
    }
}

static const char *revocation_words(enum revocation r)
{
    switch (r) {
    case REVOCATION_OFF: return "not checked";
    case REVOCATION_CRL: return "by lists";
    case REVOCATION_ONLINE: break;
    }
    return "by lists, fetched";
}

static void put_head(struct page *p, const struct print_input *in)
{
    const struct verdict *v = in->verdict;
    bool good = v->outcome == OUTCOME_ACCEPTED;
    struct buf name;
    buf_init(&name, PRINT_FILE_MAX);
    if (p->rc == E_OK)
        p->rc = text_add_printable(&name, span_text(in->file), p->err);
    if (p->rc == E_OK)
        p->rc = buf_add(p->out, buf_span(&name), p->err);
    buf_fini(&name);
    put(p, ": ");
    put_colour(p, good ? GREEN : RED, outcome_word(v->outcome));
    if (p->rc == E_OK)
        p->rc = buf_printf(p->out, p->err, "  (%s, %" PRIu64 " bytes, profile %s, revocation %s)\n",
                           v->type, v->size,
                           in->policy->profile == PROFILE_STRICT ? "strict" : "windows",
                           revocation_words(in->policy->revocation));
}

/* CI systems take "##" anywhere, and "::" at the start of a line, for commands of theirs. Neither
 * is in our own words, so where it stands it came with the file. */
static enum errc add_disarmed(struct buf *out, struct span page, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < page.len && rc == E_OK; i++) {
        uint8_t c = page.ptr[i], before = i == 0 ? '\n' : page.ptr[i - 1];
        uint8_t after = i + 1 < page.len ? page.ptr[i + 1] : 0;
        if ((c == '#' && before == '#') || (c == ':' && after == ':' && before == '\n'))
            rc = buf_printf(out, err, "\\x%02x", c);
        else
            rc = buf_add_byte(out, c, err);
    }
    return rc;
}

static enum errc text_page(const struct print_input *in, const struct print_style *style,
                           struct buf *out, struct err *err)
{
    const struct verdict *v = in->verdict;
    struct page p = { .out = out, .style = style, .now = in->policy->now, .rc = E_OK, .err = err };
    if (style->quiet && v->outcome == OUTCOME_ACCEPTED)
        return E_OK;
    put_head(&p, in);
    for (size_t i = 0; i < v->report.findings.n; i++)
        put_finding(&p, "  ", &v->report.findings.items[i]);
    for (size_t i = 0; i < v->n_sigs && !style->quiet; i++)
        put_signature(&p, v->sigs[i]);
    for (size_t i = 0; i < v->n_sigs && style->quiet; i++)
        for (size_t k = 0; k < v->sigs[i]->findings.n; k++)
            put_finding(&p, "  ", &v->sigs[i]->findings.items[k]);
    if (!style->quiet)
        put_ranges(&p, &v->report);
    if (v->has_sha256 && in->policy->want_file_digest && !style->quiet) {
        char hex[TEXT_SHA256_ROOM];
        put_row(&p, "file sha256", text_to_hex(digest_span(&v->sha256), hex));
    }
    put_advice(&p, v);
    return p.rc;
}

static enum errc text_file(const struct print_input *in, const struct print_style *style,
                           struct buf *out, struct err *err)
{
    struct buf page;
    buf_init(&page, PRINT_FILE_MAX);
    enum errc rc = text_page(in, style, &page, err);
    if (rc == E_OK)
        rc = add_disarmed(out, buf_span(&page), err);
    buf_fini(&page);
    return rc;
}

static enum errc text_tail(const struct print_counts *counts, const struct print_style *style,
                           struct buf *out, struct err *err)
{
    enum errc rc = E_OK;
    if (counts->n_files < 2 || style->quiet)
        return E_OK;
    rc = buf_printf(out, err, "%zu files:", counts->n_files);
    for (int i = OUTCOME_ACCEPTED; i <= OUTCOME_ERROR && rc == E_OK; i++)
        if (counts->n[i] > 0)
            rc = buf_printf(out, err, " %zu %s", counts->n[i], outcome_word((enum outcome)i));
    return rc == E_OK ? buf_add_byte(out, '\n', err) : rc;
}

const struct printer print_text = {
    .word = "text", .file = text_file, .tail = text_tail, .between = ""
};
