/* Fails each allocation of a judgement in turn, libcrypto's too, and looks at what is said.
 *
 *   alloc_fail good|bad FILE SIGNATURE|- ANCHORS|- KEY|- CATALOG|-
 *
 * A good file must be accepted or "could not find out", never refused for want of memory; a bad one
 * must never be accepted. Prints "N allocations" and exits 0, or says which one went wrong and
 * exits 1. glibc only: it stands in for malloc. */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/buf.h"
#include "platform/platform.h"
#include "verify/catalog.h"
#include "verify/judge.h"

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

#define SEEN_BY_ALL __attribute__((visibility("default")))

static uint64_t n_seen;
static uint64_t fail_at; /* 0: never */

static bool fails(void)
{
    n_seen++;
    return fail_at != 0 && n_seen == fail_at;
}

SEEN_BY_ALL void *malloc(size_t n)
{
    if (fails()) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_malloc(n);
}

SEEN_BY_ALL void *calloc(size_t n, size_t size)
{
    if (fails()) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_calloc(n, size);
}

SEEN_BY_ALL void *realloc(void *p, size_t n)
{
    if (fails()) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_realloc(p, n);
}

struct inputs {
    const char *file, *signature, *anchors, *key, *catalog;
};

static bool is_given(const char *path)
{
    return strcmp(path, "-") != 0;
}

static enum errc add_bytes(struct trust *t, const char *path, bool is_key, struct err *err)
{
    struct buf b;
    enum errc rc = platform_read_file(platform_native(), path, 16 * 1024 * 1024, &b, err);
    if (rc == E_OK)
        rc = is_key ? trust_add_key(t, buf_span(&b), err)
                    : trust_add_anchors(t, ANCHOR_CODE, buf_span(&b), err);
    buf_fini(&b);
    return rc;
}

static enum errc judge_with(const struct inputs *in, struct policy *p, struct verdict *v,
                            struct err *err)
{
    struct source *src = NULL;
    struct buf signature;
    struct judge_signature beside = { .was_named = true };
    buf_init(&signature, 1024 * 1024);
    enum errc rc = source_file_open(in->file, &src, err);
    if (rc == E_OK && is_given(in->signature))
        rc = platform_read_file(platform_native(), in->signature, 1024 * 1024, &signature, err);
    if (rc == E_OK) {
        beside.bytes = buf_span(&signature);
        struct judge_ask ask = { p, &beside, is_given(in->signature) ? 1 : 0 };
        rc = judge_file(src, &ask, v, err);
    }
    buf_fini(&signature);
    source_close(src);
    return rc;
}

static enum errc run_once(const struct inputs *in, struct verdict *v, struct err *err)
{
    struct trust *t = NULL;
    struct catalog *catalog = NULL;
    struct source *src = NULL;
    struct policy p = { .profile = PROFILE_STRICT, .now = 1780272000 };
    enum errc rc = trust_new(&t, err);
    p.trust = t;
    if (rc == E_OK && is_given(in->anchors))
        rc = add_bytes(t, in->anchors, false, err);
    if (rc == E_OK && is_given(in->key))
        rc = add_bytes(t, in->key, true, err);
    if (rc == E_OK && is_given(in->catalog))
        rc = source_file_open(in->catalog, &src, err);
    if (rc == E_OK && is_given(in->catalog))
        rc = catalog_open(src, &p, &catalog, err);
    p.catalog = catalog;
    if (rc == E_OK)
        rc = judge_with(in, &p, v, err);
    catalog_free(catalog);
    source_close(src);
    trust_free(t);
    return rc;
}

static bool is_right(bool good, enum errc rc, const struct verdict *v)
{
    if (!good)
        return v->outcome != OUTCOME_ACCEPTED;
    return rc == E_NOMEM || (rc == E_OK && v->outcome == OUTCOME_ACCEPTED);
}

static int complain(uint64_t n, enum errc rc, const struct verdict *v, const struct err *err)
{
    const char *why = "";
    for (size_t i = 0; i < v->n_sigs; i++)
        if (v->sigs[i]->findings.n > 0)
            why = v->sigs[i]->findings.items[0].text;
    if (why[0] == '\0' && v->report.findings.n > 0)
        why = v->report.findings.items[0].text;
    (void)printf("allocation %llu: %s (%s), outcome %s: %s\n", (unsigned long long)n, errc_name(rc),
                 err->text, outcome_word(v->outcome), why);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 7)
        return 2;
    bool good = strcmp(argv[1], "good") == 0;
    struct inputs in = { argv[2], argv[3], argv[4], argv[5], argv[6] };
    uint64_t n = 0;
    int bad = 0;
    for (uint64_t total = UINT64_MAX; n < total && bad < 20; n++) {
        struct verdict v = { .outcome = OUTCOME_NONE };
        struct err err = { .code = E_OK };
        n_seen = 0;
        fail_at = n; /* the first round fails nothing, and counts */
        enum errc rc = run_once(&in, &v, &err);
        uint64_t seen = n_seen;
        fail_at = 0;
        if (n == 0 && good && v.outcome != OUTCOME_ACCEPTED)
            return complain(n, rc, &v, &err);
        if (seen < n || n == 0)
            total = n == 0 ? UINT64_MAX : n;
        if (!is_right(good, rc, &v))
            bad += complain(n, rc, &v, &err);
        verdict_fini(&v);
    }
    (void)printf("%llu allocations\n", (unsigned long long)n - 1);
    return bad != 0;
}
