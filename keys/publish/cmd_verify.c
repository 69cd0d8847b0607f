#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/publish/publish.h"
#include "keys/publish/trust_opt.h"
#include "keys/publish/verify_doc.h"
#include "manifest/product.h"
#include "manifest/release.h"
#include "platform/base/text.h"
#include "verify/detached.h"
#include "verify/package.h"

#define PATH_ROOM 4096
#define PAGE_MAX (4 * 1024 * 1024)
#define SNIFF_BYTES 4096

#define USAGE                                                                                      \
    "surefoot-publish verify TRUST [options] DOCUMENT...\n\n"                                      \
    "Proves documents as clients do. A feed: the signatures beside it (.minisig, .p7s), each of\n" \
    "which must hold, and its freshness. A release document: is it one that a feed named before\n" \
    "it on the line names by size and SHA-256? By itself nothing proves it. A product file, "      \
    "which\n"                                                                                      \
    "nobody signs, is held against its form. Any other file: its detached signatures."
#define NOTES                                                                                      \
    "exit codes: 0 all proven (a product file: of the right form), 1 could not find out, or\n"     \
    "nothing proves it, 2 usage, 3 refused\n\n"                                                    \
    "example: surefoot-publish verify --key orchard.pub dist/feed.xml dist/2.1.0/release.xml"

/* A release document that a proven feed names. */
struct named {
    uint64_t size;
    uint8_t sha256[32];
};

struct verifying {
    struct publish *p;
    struct trust_opt trust;
    enum publish_exit worst;
    size_t n_named;
    struct named *named; /* owned */
};

static enum errc take_option(void *ctx, const char *name, const char *value, struct err *err)
{
    struct verifying *v = ctx;
    bool taken;
    return trust_opt_take(&v->trust, name, value, &taken, err);
}

static enum errc check_line(void *ctx, size_t n_files, char **files, struct err *err)
{
    const struct verifying *v = ctx;
    UNUSED(files);
    if (n_files == 0)
        return err_set(err, E_ARGUMENT, "no DOCUMENT was named");
    return trust_opt_is_given(&v->trust) || v->trust.policy.n_publishers > 0
               ? trust_opt_check(&v->trust, err)
               : E_OK;
}

/* --- reading */

static const char *const namespaces[] = {
    [DOC_FEED] = FEED_NS, [DOC_RELEASE] = RELEASE_NS, [DOC_PRODUCT] = PRODUCT_NS
};

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
        if (contains(head, namespaces[type]))
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
                       doc_words[d->type], d->src->size, cap_of(d->type));
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

static enum errc note_named(struct verifying *v, const struct feed *feed, struct err *err)
{
    const size_t n = v->n_named + feed->releases.n;
    struct named *more = realloc(v->named, (n == 0 ? 1 : n) * sizeof(*more));
    if (more == NULL)
        return err_nomem(err);
    v->named = more;
    for (size_t i = 0; i < feed->releases.n; i++) {
        const struct document_ref *ref = &feed->releases.items[i].document;
        struct named *to = &v->named[v->n_named++];
        to->size = ref->size;
        memcpy(to->sha256, ref->sha256, sizeof(to->sha256));
    }
    return E_OK;
}

static enum errc check_feed(struct verifying *v, struct doc *d)
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
        rc = note_named(v, verified_feed_get(feed), &d->err);
    if (rc == E_OK)
        rc = doc_say_feed(d, verified_feed_get(feed));
    verified_feed_free(feed);
    return rc;
}

/* --- documents that nothing beside them proves */

static bool is_named(const struct verifying *v, const struct digest *digest, uint64_t size)
{
    for (size_t i = 0; i < v->n_named; i++)
        if (v->named[i].size == size &&
            span_equal(digest_span(digest),
                       span_of(v->named[i].sha256, sizeof(v->named[i].sha256))))
            return true;
    return false;
}

static enum errc check_release(const struct verifying *v, struct doc *d)
{
    struct release r;
    struct digest digest;
    enum errc rc = release_read_unverified(buf_span(&d->bytes), &r, &d->err);
    if (rc != E_OK)
        return rc;
    rc = digest_bytes(DIGEST_SHA256, buf_span(&d->bytes), &digest, &d->err);
    if (rc == E_OK && is_named(v, &digest, d->bytes.len)) {
        rc = doc_say_file(d);
    } else if (rc == E_OK) {
        d->is_unproven = true;
        rc = doc_say_form(d, r.product, r.version.text,
                          "no feed before it on the line names it by its size and SHA-256");
    }
    release_fini(&r);
    return rc;
}

static enum errc check_product(struct doc *d)
{
    struct product *product = calloc(1, sizeof(*product));
    if (product == NULL)
        return err_nomem(&d->err);
    enum errc rc = product_read(buf_span(&d->bytes), product, &d->err);
    if (rc == E_OK) {
        rc = doc_say_form(d, product->name, NULL,
                          "nobody signs it: the machine trusts it because only an administrator "
                          "can write it");
        product_fini(product);
    }
    free(product);
    return rc;
}

/* --- any other file */

static enum errc check_other(const struct verifying *v, struct doc *d)
{
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
    return doc_say_file(d);
}

/* --- each of them */

static enum errc check(struct verifying *v, struct doc *d)
{
    enum errc rc = read_document(v, d);
    if (rc != E_OK)
        return rc;
    if ((d->type == DOC_FEED || d->type == DOC_OTHER) && !trust_opt_is_given(&v->trust))
        return err_set(&d->err, E_ARGUMENT, "nothing to prove it by: give --key or --anchors");
    switch (d->type) {
    case DOC_FEED: return check_feed(v, d);
    case DOC_RELEASE: return check_release(v, d);
    case DOC_PRODUCT: return check_product(d);
    case DOC_OTHER: break;
    }
    return check_other(v, d);
}

/* Bytes that are not of the form they must have are refused, as clients refuse them. */
static bool is_refusal(enum errc rc)
{
    return rc == E_REFUSED || errc_is_about_bytes(rc);
}

static enum publish_exit exit_of(enum errc rc)
{
    if (rc == E_OK || rc == E_ARGUMENT)
        return rc == E_OK ? PUBLISH_DONE : PUBLISH_USAGE;
    return is_refusal(rc) ? PUBLISH_REFUSED : PUBLISH_FAILED;
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
    d->format = v->p->format;
    buf_init(&d->page, PAGE_MAX);
    enum errc rc = check(v, d), said = E_OK;
    v->worst = publish_worse(v->worst, d->is_unproven ? PUBLISH_FAILED : exit_of(rc));
    if (rc != E_OK) {
        struct err why = d->err;
        said = doc_say_not(d, is_refusal(rc), why.text);
    }
    if (said != E_OK)
        *err = d->err;
    else if (rc != E_OK || d->is_unproven || v->p->format == PUBLISH_JSON || !v->p->quiet)
        said = publish_write(&d->page, err);
    doc_fini(d);
    return said;
}

static enum errc run(struct verifying *v, size_t n_files, char **files, struct err *err)
{
    enum errc rc = trust_opt_load(&v->trust, err);
    for (size_t i = 0; i < n_files && rc == E_OK; i++)
        rc = verify_one(v, files[i], err);
    return rc;
}

enum publish_exit cmd_verify(struct publish *p, int argc, char **argv)
{
    struct publish_syntax syntax = { USAGE, trust_opt_specs, trust_opt_n_specs,
                                     NOTES, take_option,     check_line };
    struct verifying v = { .p = p, .worst = PUBLISH_DONE };
    struct err err = { .code = E_OK };
    enum publish_exit code;
    size_t n_files = 0;
    enum errc rc = trust_opt_init(&v.trust, p->platform, &err);
    if (rc == E_OK)
        rc = publish_read(p, &syntax, argc, argv, &v, &n_files, &err);
    if (rc == E_OK && p->wants_help) {
        code = publish_help(p, &syntax);
    } else {
        if (rc == E_OK)
            rc = run(&v, n_files, argv, &err);
        code = rc == E_OK ? v.worst : publish_fail(p, &err);
    }
    free(v.named);
    trust_opt_fini(&v.trust);
    return code;
}
