#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/publish/publish.h"
#include "keys/publish/trust_opt.h"
#include "manifest/product.h"
#include "manifest/release.h"
#include "platform/base/text.h"
#include "verify/detached.h"
#include "verify/package.h"

#define PATH_ROOM 4096
#define PAGE_MAX (4 * 1024 * 1024)
#define SNIFF_BYTES 4096
#define N_SIGNATURES 2
#define SCHEMA                                                                                     \
    {                                                                                              \
        "schema", FIELD_TEXT, "surefoot.publish-verify/1", 0                                       \
    }

#define USAGE                                                                                      \
    "surefoot-publish verify TRUST [options] DOCUMENT...\n\n"                                      \
    "Proves documents as clients do. A feed: the signatures beside it (.minisig, .p7s), each of\n" \
    "which must hold, and its freshness. A release document or a product file is read and held\n"  \
    "against its form alone: a feed names the one, an administrator owns the other. Any other\n"   \
    "file: its detached signatures."
#define NOTES                                                                                      \
    "exit codes: 0 all proven (or of the right form, where there is no more to prove), 1 could\n"  \
    "not find out, 2 usage, 3 refused\n\n"                                                         \
    "example: surefoot-publish verify --key orchard.pub dist/feed.xml"

enum doc_type { DOC_OTHER, DOC_FEED, DOC_RELEASE, DOC_PRODUCT };
static const struct {
    const char *word, *ns;
} doc_types[] = {
    [DOC_OTHER] = { "other", NULL },
    [DOC_FEED] = { "feed", FEED_NS },
    [DOC_RELEASE] = { "release", RELEASE_NS },
    [DOC_PRODUCT] = { "product", PRODUCT_NS },
};

struct verifying {
    struct publish *p;
    struct trust_opt trust;
    enum publish_exit worst;
};

/* One document on its way through. */
struct doc {
    const char *file;
    enum doc_type type;
    struct source *src;
    struct buf bytes; /* of all but DOC_OTHER */
    size_t n_signatures;
    struct buf signatures[N_SIGNATURES];
    struct span spans[N_SIGNATURES];
    struct verdict verdicts[1 + N_SIGNATURES];
    struct buf page; /* what is said of it */
    struct err err;
};

static enum errc take_option(void *ctx, const char *name, const char *value, struct err *err)
{
    struct verifying *v = ctx;
    bool taken;
    return trust_opt_take(&v->trust, name, value, &taken, err);
}

/* --- reading */

static bool contains(struct span bytes, const char *text)
{
    size_t len = strlen(text);
    for (size_t at = 0; at + len <= bytes.len; at++)
        if (memcmp(bytes.ptr + at, text, len) == 0)
            return true;
    return false;
}

static enum doc_type type_of(struct span head)
{
    size_t at = span_starts_with(head, span_text("\xEF\xBB\xBF")) ? 3 : 0;
    if (at >= head.len || head.ptr[at] != '<')
        return DOC_OTHER;
    for (int type = DOC_FEED; type <= DOC_PRODUCT; type++)
        if (contains(head, doc_types[type].ns))
            return (enum doc_type)type;
    return DOC_OTHER;
}

static size_t cap_of(enum doc_type type)
{
    return type == DOC_FEED      ? FEED_BYTES_MAX
           : type == DOC_PRODUCT ? PRODUCT_BYTES_MAX
                                 : RELEASE_BYTES_MAX;
}

/* read_document opens the file and, where it is one of our documents, reads it through the same
 * handle. */
static enum errc read_document(const struct verifying *v, struct doc *d)
{
    struct platform *m = v->p->platform;
    uint8_t *to;
    enum errc rc = m->fs->open_source(m->self, d->file, &d->src, &d->err);
    if (rc != E_OK)
        return rc;
    size_t n = d->src->size < SNIFF_BYTES ? (size_t)d->src->size : SNIFF_BYTES;
    uint8_t head[SNIFF_BYTES];
    rc = source_read_at(d->src, 0, head, n, &d->err);
    if (rc != E_OK)
        return rc;
    d->type = type_of(span_of(head, n));
    if (d->type == DOC_OTHER)
        return E_OK;
    buf_init(&d->bytes, cap_of(d->type));
    if (d->src->size > cap_of(d->type))
        return err_set(&d->err, E_LIMIT, "a %s of %" PRIu64 " bytes, at most %zu",
                       doc_types[d->type].word, d->src->size, cap_of(d->type));
    rc = buf_reserve(&d->bytes, (size_t)d->src->size, &to, &d->err);
    if (rc == E_OK)
        rc = source_read_at(d->src, 0, to, (size_t)d->src->size, &d->err);
    if (rc == E_OK)
        d->bytes.len = (size_t)d->src->size;
    return rc;
}

static enum errc read_signature(const struct verifying *v, struct doc *d, const char *ending)
{
    struct platform *m = v->p->platform;
    char path[PATH_ROOM], shown[120];
    enum fs_kind kind;
    int n = snprintf(path, sizeof(path), "%s%s", d->file, ending);
    if (n < 0 || n >= PATH_ROOM)
        return err_set(&d->err, E_ARGUMENT, "a path longer than %d bytes", PATH_ROOM - 1);
    enum errc rc = m->fs->kind(m->self, path, &kind, &d->err);
    if (rc != E_OK || kind == FS_ABSENT)
        return rc;
    struct buf *to = &d->signatures[d->n_signatures];
    rc = platform_read_file(m, path, DETACHED_SIGNATURE_MAX, to, &d->err);
    if (rc != E_OK)
        return err_prefix(&d->err,
                          "signature %s: ", text_printable(span_text(path), shown, sizeof(shown)));
    d->spans[d->n_signatures++] = buf_span(to);
    return E_OK;
}

static enum errc read_signatures(const struct verifying *v, struct doc *d)
{
    enum errc rc = read_signature(v, d, ".minisig");
    return rc == E_OK ? read_signature(v, d, ".p7s") : rc;
}

/* --- what is said: text */

static const char *shown_file(const struct doc *d, char to[240])
{
    return text_printable(span_text(d->file), to, 240);
}

static enum errc say_findings(struct doc *d, const struct findings *findings)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < findings->n && rc == E_OK; i++)
        if (findings->items[i].fatal)
            rc = buf_printf(&d->page, &d->err, "  %s: %s\n    %s\n",
                            reason_word(findings->items[i].reason), findings->items[i].text,
                            reason_advice(findings->items[i].reason));
    return rc;
}

static enum errc say_refused_text(struct doc *d, const char *why)
{
    char file[240];
    bool has_reason = false;
    enum errc rc = buf_printf(&d->page, &d->err, "%s: refused\n", shown_file(d, file));
    for (size_t i = 0; i < ARRAY_LEN(d->verdicts) && rc == E_OK; i++) {
        const struct verdict *v = &d->verdicts[i];
        rc = say_findings(d, &v->report.findings);
        has_reason = has_reason || v->report.findings.n > 0;
        for (size_t k = 0; k < v->n_sigs && rc == E_OK; k++) {
            rc = say_findings(d, &v->sigs[k]->findings);
            has_reason = has_reason || v->sigs[k]->findings.n > 0;
        }
    }
    return rc == E_OK && !has_reason ? buf_printf(&d->page, &d->err, "  %s\n", why) : rc;
}

static enum errc say_signers(struct doc *d)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < ARRAY_LEN(d->verdicts); i++)
        for (size_t k = 0; k < d->verdicts[i].n_sigs && rc == E_OK; k++) {
            const struct sig_verdict *sig = d->verdicts[i].sigs[k];
            bool is_minisign = sig->system == SYSTEM_MINISIGN;
            rc = buf_printf(&d->page, &d->err, "  signed by %s%s\n",
                            is_minisign ? "minisign key " : "",
                            is_minisign ? sig->key_id : sig->signer.subject);
        }
    return rc;
}

static enum errc say_feed_release(struct doc *d, const struct feed_release *r)
{
    char time[32];
    enum errc rc = buf_printf(&d->page, &d->err, "  %s: %s, %s", r->version.text,
                              release_status_words[r->status], severity_words[r->severity]);
    if (rc == E_OK && r->rollout.percent != 0)
        rc = buf_printf(&d->page, &d->err, ", rollout from %s on",
                        text_format_time(r->rollout.start, time));
    if (rc == E_OK && r->install_by != 0)
        rc = buf_printf(&d->page, &d->err, ", to be installed by %s",
                        text_format_time(r->install_by, time));
    return rc == E_OK ? buf_printf(&d->page, &d->err, "\n") : rc;
}

static enum errc say_feed_text(struct doc *d, const struct feed *feed)
{
    char file[240], issued[32], expires[32];
    enum errc rc = buf_printf(
        &d->page, &d->err,
        "%s: accepted: feed of %s, channel %s, serial %" PRIu64 "\n  issued %s, expires %s\n",
        shown_file(d, file), feed->product, feed->channel, feed->serial,
        text_format_time(feed->issued, issued), text_format_time(feed->expires, expires));
    if (rc == E_OK)
        rc = say_signers(d);
    for (size_t i = 0; i < feed->releases.n && rc == E_OK; i++)
        rc = say_feed_release(d, &feed->releases.items[i]);
    return rc;
}

/* --- what is said: JSON */

static enum errc say_line(struct doc *d, const char *verdict, const char *detail)
{
    const struct field fields[] = {
        SCHEMA,
        { "file", FIELD_TEXT, d->file, 0 },
        { "type", FIELD_TEXT, doc_types[d->type].word, 0 },
        { "verdict", FIELD_TEXT, verdict, 0 },
        { "detail", FIELD_TEXT, detail, 0 },
    };
    return print_json_line(fields, ARRAY_LEN(fields), &d->page, &d->err);
}

static enum errc say_named_line(struct doc *d, const char *product, const char *version,
                                const char *detail)
{
    const struct field fields[] = {
        SCHEMA,
        { "file", FIELD_TEXT, d->file, 0 },
        { "type", FIELD_TEXT, doc_types[d->type].word, 0 },
        { "verdict", FIELD_TEXT, "unproven", 0 },
        { "product", FIELD_TEXT, product, 0 },
        { "version", FIELD_TEXT, version, 0 },
        { "detail", FIELD_TEXT, detail, 0 },
    };
    return print_json_line(fields, ARRAY_LEN(fields), &d->page, &d->err);
}

static enum errc say_release_line(struct doc *d, const struct feed_release *r)
{
    const struct field fields[] = {
        SCHEMA,
        { "file", FIELD_TEXT, d->file, 0 },
        { "type", FIELD_TEXT, "feed-release", 0 },
        { "version", FIELD_TEXT, r->version.text, 0 },
        { "status", FIELD_TEXT, release_status_words[r->status], 0 },
        { "severity", FIELD_TEXT, severity_words[r->severity], 0 },
        { "document", FIELD_TEXT, r->document.path, 0 },
        { "rollout_percent", r->rollout.percent == 0 ? FIELD_NULL : FIELD_NUMBER, NULL,
          (int64_t)r->rollout.percent },
        { "install_by", r->install_by == 0 ? FIELD_NULL : FIELD_TIME, NULL, r->install_by },
    };
    return print_json_line(fields, ARRAY_LEN(fields), &d->page, &d->err);
}

static enum errc say_feed_json(struct doc *d, const struct feed *feed)
{
    const struct field fields[] = {
        SCHEMA,
        { "file", FIELD_TEXT, d->file, 0 },
        { "type", FIELD_TEXT, "feed", 0 },
        { "verdict", FIELD_TEXT, "accepted", 0 },
        { "product", FIELD_TEXT, feed->product, 0 },
        { "channel", FIELD_TEXT, feed->channel, 0 },
        { "serial", FIELD_NUMBER, NULL, (int64_t)feed->serial },
        { "issued", FIELD_TIME, NULL, feed->issued },
        { "expires", FIELD_TIME, NULL, feed->expires },
        { "releases", FIELD_NUMBER, NULL, (int64_t)feed->releases.n },
    };
    enum errc rc = print_json_line(fields, ARRAY_LEN(fields), &d->page, &d->err);
    for (size_t i = 0; i < feed->releases.n && rc == E_OK; i++)
        rc = say_release_line(d, &feed->releases.items[i]);
    return rc;
}

/* --- feeds */

/* The product is the one that the feed names: a maker's folder has no other word for it. */
static enum errc prove_feed(const struct verifying *v, struct doc *d, const struct feed *draft,
                            struct verified_feed **out)
{
    static const struct fresh_marks no_marks;
    const struct policy *policies[] = { &v->trust.policy };
    struct feed_ask ask = { draft->product,      draft->channel, policies, 1,
                            v->trust.policy.now, &no_marks };
    return verified_feed_make(buf_span(&d->bytes), d->spans, d->n_signatures, &ask, d->verdicts,
                              out, &d->err);
}

static enum errc check_feed(const struct verifying *v, struct doc *d)
{
    struct verified_feed *feed = NULL;
    struct feed draft;
    enum errc rc = feed_read_unverified(buf_span(&d->bytes), &draft, &d->err);
    if (rc != E_OK)
        return rc;
    rc = read_signatures(v, d);
    if (rc == E_OK)
        rc = prove_feed(v, d, &draft, &feed);
    feed_fini(&draft);
    if (rc == E_OK)
        rc = v->p->format == PUBLISH_JSON ? say_feed_json(d, verified_feed_get(feed))
                                          : say_feed_text(d, verified_feed_get(feed));
    verified_feed_free(feed);
    return rc;
}

/* --- documents that nothing proves by itself */

static enum errc say_unproven(const struct verifying *v, struct doc *d, const char *product,
                              const char *version, const char *why)
{
    char file[240];
    if (v->p->format == PUBLISH_JSON)
        return say_named_line(d, product, version, why);
    return buf_printf(&d->page, &d->err,
                      "%s: reads well: %s of %s%s%s\n  not proven by itself: %s\n",
                      shown_file(d, file), doc_types[d->type].word, product,
                      version == NULL ? "" : " ", version == NULL ? "" : version, why);
}

static enum errc check_release(const struct verifying *v, struct doc *d)
{
    struct release r;
    enum errc rc = release_read_unverified(buf_span(&d->bytes), &r, &d->err);
    if (rc != E_OK)
        return rc;
    rc = say_unproven(v, d, r.product, r.version.text, "a feed names it by its size and SHA-256");
    release_fini(&r);
    return rc;
}

static enum errc check_product(const struct verifying *v, struct doc *d)
{
    struct product *product = calloc(1, sizeof(*product));
    if (product == NULL)
        return err_nomem(&d->err);
    enum errc rc = product_read(buf_span(&d->bytes), product, &d->err);
    if (rc == E_OK) {
        rc = say_unproven(v, d, product->name, NULL,
                          "the machine trusts it because only an administrator can write it");
        product_fini(product);
    }
    free(product);
    return rc;
}

/* --- any other file */

static enum errc check_other(const struct verifying *v, struct doc *d)
{
    char file[240];
    struct verdict *verdict = &d->verdicts[0];
    *verdict = (struct verdict){ .type = "other", .size = d->src->size };
    enum errc rc = read_signatures(v, d);
    for (size_t i = 0; i < d->n_signatures && rc == E_OK; i++)
        rc = detached_judge(d->src, d->spans[i], &v->trust.policy, verdict, &d->err);
    if (rc != E_OK)
        return rc;
    for (size_t i = 0; i < verdict->n_sigs; i++)
        verdict->sigs[i]->whole_file = true;
    if (d->n_signatures == 0)
        findings_add(&verdict->report.findings, REASON_UNSIGNED, WEIGHT_FATAL, NO_OFFSET,
                     "no .minisig or .p7s lies beside it (surefoot verify looks inside, too)");
    verdict_settle(verdict, &v->trust.policy);
    if (verdict->outcome != OUTCOME_ACCEPTED)
        return err_set(&d->err, E_REFUSED, "its signatures do not hold");
    if (v->p->format == PUBLISH_JSON)
        return say_line(d, "accepted", NULL);
    rc = buf_printf(&d->page, &d->err, "%s: accepted\n", shown_file(d, file));
    return rc == E_OK ? say_signers(d) : rc;
}

/* --- each of them */

static enum errc check(const struct verifying *v, struct doc *d)
{
    enum errc rc = read_document(v, d);
    if (rc != E_OK)
        return rc;
    if ((d->type == DOC_FEED || d->type == DOC_OTHER) && !trust_opt_is_given(&v->trust))
        return err_set(&d->err, E_ARGUMENT, "nothing to prove it by: give --key or --anchors");
    switch (d->type) {
    case DOC_FEED: return check_feed(v, d);
    case DOC_RELEASE: return check_release(v, d);
    case DOC_PRODUCT: return check_product(v, d);
    case DOC_OTHER: break;
    }
    return check_other(v, d);
}

static const struct finding *first_fatal(const struct findings *findings)
{
    for (size_t i = 0; i < findings->n; i++)
        if (findings->items[i].fatal)
            return &findings->items[i];
    return NULL;
}

/* The first reason, for the one line that JSON has. */
static const char *first_reason(const struct doc *d, const char *otherwise, char to[240])
{
    const struct finding *f = NULL;
    for (size_t i = 0; i < ARRAY_LEN(d->verdicts) && f == NULL; i++) {
        f = first_fatal(&d->verdicts[i].report.findings);
        for (size_t k = 0; k < d->verdicts[i].n_sigs && f == NULL; k++)
            f = first_fatal(&d->verdicts[i].sigs[k]->findings);
    }
    if (f == NULL)
        return otherwise;
    (void)snprintf(to, 240, "%s: %s", reason_word(f->reason), f->text);
    return to;
}

/* say_not: what was not accepted. Bytes that are not of the form they must have are refused. */
static enum errc say_not(const struct verifying *v, struct doc *d, const struct err *why)
{
    char reason[240], file[240];
    bool is_refused = why->code == E_REFUSED || errc_is_about_bytes(why->code);
    buf_clear(&d->page);
    if (v->p->format == PUBLISH_JSON)
        return say_line(d, is_refused ? "refused" : "error", first_reason(d, why->text, reason));
    if (is_refused)
        return say_refused_text(d, why->text);
    return buf_printf(&d->page, &d->err, "%s: error\n  %s\n", shown_file(d, file), why->text);
}

static enum publish_exit exit_of(enum errc rc)
{
    if (rc == E_OK || rc == E_ARGUMENT)
        return rc == E_OK ? PUBLISH_DONE : PUBLISH_USAGE;
    return rc == E_REFUSED || errc_is_about_bytes(rc) ? PUBLISH_REFUSED : PUBLISH_FAILED;
}

static void doc_fini(struct doc *d)
{
    for (size_t i = 0; i < d->n_signatures; i++)
        buf_fini(&d->signatures[i]);
    for (size_t i = 0; i < ARRAY_LEN(d->verdicts); i++)
        verdict_fini(&d->verdicts[i]);
    buf_fini(&d->bytes);
    buf_fini(&d->page);
    source_close(d->src);
    free(d);
}

static enum errc verify_one(struct verifying *v, const char *file, struct err *err)
{
    struct doc *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return err_nomem(err);
    d->file = file;
    buf_init(&d->page, PAGE_MAX);
    enum errc rc = check(v, d), said = E_OK;
    v->worst = publish_worse(v->worst, exit_of(rc));
    if (rc != E_OK) {
        struct err why = d->err;
        said = say_not(v, d, &why);
    }
    if (said != E_OK)
        *err = d->err;
    else if (rc != E_OK || v->p->format == PUBLISH_JSON || !v->p->quiet)
        said = publish_write(&d->page, err);
    doc_fini(d);
    return said;
}

static enum errc run(struct verifying *v, size_t n_files, char **files, struct err *err)
{
    enum errc rc = E_OK;
    if (n_files == 0)
        return err_set(err, E_ARGUMENT, "no DOCUMENT was named");
    if (trust_opt_is_given(&v->trust) || v->trust.policy.n_publishers > 0)
        rc = trust_opt_finish(&v->trust, err);
    for (size_t i = 0; i < n_files && rc == E_OK; i++)
        rc = verify_one(v, files[i], err);
    return rc;
}

enum publish_exit cmd_verify(struct publish *p, int argc, char **argv)
{
    struct publish_syntax syntax = { USAGE, trust_opt_specs, trust_opt_n_specs, NOTES };
    struct verifying v = { .p = p, .worst = PUBLISH_DONE };
    struct err err = { .code = E_OK };
    enum publish_exit code;
    size_t n_files = 0;
    enum errc rc = trust_opt_init(&v.trust, p->platform, &err);
    if (rc == E_OK)
        rc = publish_read(p, &syntax, argc, argv, take_option, &v, &n_files, &err);
    if (rc == E_OK && p->wants_help) {
        code = publish_help(p, &syntax);
    } else {
        if (rc == E_OK)
            rc = run(&v, n_files, argv, &err);
        code = rc == E_OK ? v.worst : publish_fail(p, &err);
    }
    trust_opt_fini(&v.trust);
    return code;
}
