/* Fails allocations of a judgement in turn, libcrypto's too, and looks at what is said.
 *
 *   alloc_fail good|bad FIRST STEP FILE SIGNATURE ANCHORS TIMESTAMP-ANCHORS KEY CATALOG CRLS
 *
 * with "-" for what there is none of, and "@" before lists that come as the network's do. Number
 * FIRST (from 1), FIRST + STEP and so on are each tried twice: as the only one that fails, and with
 * all after it failing as well. A good file must be accepted, with all that is said of it where
 * nothing fails, or "could not find out", never refused for want of memory; a bad one must never be
 * accepted. Prints "N allocations" and exits 0, or says which ones went wrong and exits 1. glibc
 * only: it stands in for malloc. */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/buf.h"
#include "platform/platform.h"
#include "verify/catalog.h"
#include "verify/crl_points.h"
#include "verify/judge.h"

#define COMPLAINTS_MAX 20
#define FILE_LEN_MAX (16 * 1024 * 1024)

/* --- malloc */

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

#define SEEN_BY_ALL __attribute__((visibility("default")))

/* Which fail: number `first` up to, not with, number `end`; the first is number 1. */
static struct {
    _Atomic uint64_t n_seen;
    _Atomic uint64_t first, end;
} plan;

static bool fails(void)
{
    uint64_t n = atomic_fetch_add(&plan.n_seen, 1) + 1;
    if (n < plan.first || n >= plan.end)
        return false;
    errno = ENOMEM;
    return true;
}

SEEN_BY_ALL void *malloc(size_t n)
{
    return fails() ? NULL : __libc_malloc(n);
}

SEEN_BY_ALL void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

SEEN_BY_ALL void *realloc(void *p, size_t n)
{
    return fails() ? NULL : __libc_realloc(p, n);
}

/* --- one judgement */

/* The lists of a path that begins with ONLINE come as those of the network do: when judging has
 * found them wanting, and to a trust that is in use. */
#define ONLINE '@'

struct inputs {
    const char *file, *signature, *anchors, *stamp_anchors, *key, *catalog, *crls;
};

static bool is_given(const char *path)
{
    return strcmp(path, "-") != 0;
}

enum kind { OF_CODE = ANCHOR_CODE, OF_TIME = ANCHOR_TIMESTAMP, A_KEY, CRLS };

static enum errc add_file(struct trust *t, const char *path, enum kind kind, struct err *err)
{
    struct buf b;
    if (!is_given(path))
        return E_OK;
    enum errc rc = platform_read_file(platform_native(), path, FILE_LEN_MAX, &b, err);
    if (rc == E_OK && kind == A_KEY)
        rc = trust_add_key(t, buf_span(&b), err);
    else if (rc == E_OK && kind == CRLS)
        rc = trust_add_crls(t, buf_span(&b), err);
    else if (rc == E_OK)
        rc = trust_add_anchors(t, (enum anchor_use)kind, buf_span(&b), err);
    buf_fini(&b);
    return rc;
}

static enum errc fill_trust(const struct inputs *in, struct trust *t, struct err *err)
{
    enum errc rc = add_file(t, in->anchors, OF_CODE, err);
    if (rc == E_OK)
        rc = add_file(t, in->stamp_anchors, OF_TIME, err);
    if (rc == E_OK && in->crls[0] != ONLINE)
        rc = add_file(t, in->crls, CRLS, err);
    return rc == E_OK ? add_file(t, in->key, A_KEY, err) : rc;
}

static enum errc judge_with(const struct inputs *in, struct policy *p, struct verdict *v,
                            struct err *err)
{
    struct source *src = NULL;
    struct buf signature;
    struct judge_signature beside = { .was_named = true };
    buf_init(&signature, FILE_LEN_MAX);
    enum errc rc = source_file_open(in->file, &src, err);
    if (rc == E_OK && is_given(in->signature))
        rc = platform_read_file(platform_native(), in->signature, FILE_LEN_MAX, &signature, err);
    if (rc == E_OK) {
        beside.bytes = buf_span(&signature);
        struct judge_ask ask = { p, &beside, is_given(in->signature) ? 1 : 0 };
        rc = judge_file(src, &ask, v, err);
    }
    buf_fini(&signature);
    source_close(src);
    return rc;
}

static bool is_online(const struct inputs *in)
{
    return in->crls[0] == ONLINE;
}

static enum errc bring_lists(const char *path, struct crl_wants *wants, struct trust *t,
                             struct err *err)
{
    struct buf b;
    enum errc rc = platform_read_file(platform_native(), path, FILE_LEN_MAX, &b, err);
    for (size_t i = 0; i < wants->n && rc == E_OK; i++)
        rc = trust_note_place(t, wants->items[i].url, buf_span(&b), NULL, err);
    buf_fini(&b);
    crl_wants_fini(wants);
    return rc;
}

static enum errc judge_online(const struct inputs *in, struct trust *t, struct policy *p,
                              struct verdict *v, struct err *err)
{
    struct crl_wants wants = { .n = 0 };
    p->revocation = REVOCATION_ONLINE;
    p->wants = &wants;
    enum errc rc = judge_with(in, p, v, err);
    while (rc == E_OK && wants.n > 0) {
        rc = bring_lists(in->crls + 1, &wants, t, err);
        verdict_fini(v);
        if (rc == E_OK)
            rc = judge_with(in, p, v, err);
    }
    crl_wants_fini(&wants);
    return rc;
}

static enum errc judge_once(const struct inputs *in, struct verdict *v, struct err *err)
{
    struct trust *t = NULL;
    struct catalog *catalog = NULL;
    struct source *src = NULL;
    struct policy p = { .profile = PROFILE_STRICT, .now = 1780272000 };
    enum errc rc = trust_new(&t, err);
    if (rc == E_OK)
        rc = fill_trust(in, t, err);
    p.trust = t;
    p.revocation = is_given(in->crls) ? REVOCATION_CRL : REVOCATION_OFF;
    if (rc == E_OK && is_given(in->catalog))
        rc = source_file_open(in->catalog, &src, err);
    if (rc == E_OK && is_given(in->catalog))
        rc = catalog_open(src, &p, &catalog, err);
    p.catalog = catalog;
    if (rc == E_OK)
        rc = is_online(in) ? judge_online(in, t, &p, v, err) : judge_with(in, &p, v, err);
    catalog_free(catalog);
    source_close(src);
    trust_free(t);
    return rc;
}

/* --- what was said */

struct telling {
    size_t len;
    char text[32 * 1024];
};

static void tell(struct telling *t, const char *fmt, ...) PRINTF_FORMAT(2, 3);
static void tell(struct telling *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(t->text + t->len, sizeof(t->text) - t->len, fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(t->text) - t->len)
        abort();
    t->len += (size_t)n;
}

static void tell_findings(struct telling *t, const struct findings *f)
{
    for (size_t i = 0; i < f->n; i++)
        tell(t, "; %d %d %s", (int)f->items[i].reason, (int)f->items[i].weight, f->items[i].text);
}

static void tell_sig(struct telling *t, const struct sig_verdict *s)
{
    tell(t, "\n  ruling %d, proven 0x%" PRIx32 " of 0x%" PRIx32 ", digest %d, %s %s %s",
         (int)s->ruling, s->proven, s->required, (int)s->digest, s->signer.subject,
         s->signer.issuer, s->signer.sha256);
    tell(t, ", at %" PRId64 ", stamp %d %d %" PRId64 " %s", s->signed_at, (int)s->stamp.kind,
         s->stamp.trusted, s->stamp.time, s->stamp.authority);
    tell(t, ", %s %s %s %s %s", s->program_name, s->program_url, s->key_id, s->trusted_comment,
         s->member);
    for (size_t i = 0; i < s->n_chain; i++)
        tell(t, " < %s", s->chain[i]);
    tell_findings(t, &s->findings);
}

static void tell_verdict(struct telling *t, enum errc rc, const struct err *err,
                         const struct verdict *v)
{
    t->len = 0;
    tell(t, "%s (%s), %s %s, %zu ranges not covered", errc_name(rc), rc == E_OK ? "" : err->text,
         v->type == NULL ? "" : v->type, outcome_word(v->outcome), v->report.n_ranges);
    tell_findings(t, &v->report.findings);
    for (size_t i = 0; i < v->n_sigs; i++)
        tell_sig(t, v->sigs[i]);
}

/* --- all of them */

struct trial {
    const struct inputs *in;
    bool is_good;
    struct telling wanted, said;
    unsigned n_complaints;
};

/* run judges with [first, end) failing, and gives how many allocations were made. */
static uint64_t run(struct trial *t, uint64_t first, uint64_t end)
{
    struct verdict v = { .outcome = OUTCOME_NONE };
    struct err err = { .code = E_OK };
    plan.n_seen = 0;
    plan.first = first;
    plan.end = end;
    enum errc rc = judge_once(t->in, &v, &err);
    uint64_t n = plan.n_seen;
    plan.first = plan.end = 0;
    tell_verdict(&t->said, rc, &err, &v);
    bool is_accepted = rc == E_OK && v.outcome == OUTCOME_ACCEPTED;
    bool is_same = strcmp(t->said.text, t->wanted.text) == 0;
    if (t->is_good ? rc != E_NOMEM && !(is_accepted && is_same) : v.outcome == OUTCOME_ACCEPTED) {
        t->n_complaints++;
        (void)printf("allocation %" PRIu64 "%s: %s\n", first, end > first + 1 ? " and on" : "",
                     t->said.text);
    }
    verdict_fini(&v);
    return n;
}

/* run_unharmed says what is wanted. */
static bool run_unharmed(struct trial *t)
{
    struct verdict v = { .outcome = OUTCOME_NONE };
    struct err err = { .code = E_OK };
    enum errc rc = judge_once(t->in, &v, &err);
    tell_verdict(&t->wanted, rc, &err, &v);
    bool is_accepted = rc == E_OK && v.outcome == OUTCOME_ACCEPTED;
    verdict_fini(&v);
    if (is_accepted != t->is_good)
        (void)printf("with all the memory there is: %s\n", t->wanted.text);
    return is_accepted == t->is_good;
}

int main(int argc, char **argv)
{
    static struct trial t;
    if (argc != 11)
        return 2;
    struct inputs in = { argv[4], argv[5], argv[6], argv[7], argv[8], argv[9], argv[10] };
    uint64_t n = strtoull(argv[2], NULL, 10), step = strtoull(argv[3], NULL, 10);
    t.in = &in;
    t.is_good = strcmp(argv[1], "good") == 0;
    if (n == 0 || step == 0 || !run_unharmed(&t))
        return 1;
    while (t.n_complaints < COMPLAINTS_MAX && run(&t, n, n + 1) >= n) {
        (void)run(&t, n, UINT64_MAX);
        n += step;
    }
    (void)printf("%" PRIu64 " allocations\n", n - 1);
    return t.n_complaints != 0;
}
