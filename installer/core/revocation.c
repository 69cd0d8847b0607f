#include "installer/core/revocation.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/work.h"

#define TRIES 2
#define ROUNDS_MAX 32 /* of judging one file: a step budget */

/* What came of asking one address. */
struct asked {
    char *url;
    bool has_bytes;
    struct buf bytes;
    char why_not[160];
};

struct revocation_lists {
    struct platform *platform;
    struct work_lock *lock; /* guards what follows */
    struct fetch *fetch;
    int64_t spent_ms;
    size_t n, n_bytes;
    struct asked asked[REVOCATION_LISTS_MAX];
};

/* --- settings */

static int64_t at_most(int64_t wanted, int64_t most)
{
    return wanted > 0 && wanted < most ? wanted : most;
}

enum errc revocation_new(const struct fetch_settings *settings, struct revocation_lists **out,
                         struct err *err)
{
    struct fetch_settings ours = *settings;
    ours.allows_http = true;
    ours.n_tries = TRIES;
    ours.stall_s = at_most(settings->stall_s, REVOCATION_STALL_S);
    ours.deadline_s = at_most(settings->deadline_s, REVOCATION_DEADLINE_S);
    struct revocation_lists *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return err_nomem(err);
    r->platform = settings->platform;
    r->lock = work_lock_new();
    enum errc rc = r->lock == NULL ? err_nomem(err) : fetch_new(&ours, &r->fetch, err);
    if (rc == E_OK)
        *out = r;
    else
        revocation_free(r);
    return rc;
}

void revocation_free(struct revocation_lists *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->n; i++) {
        free(r->asked[i].url);
        buf_fini(&r->asked[i].bytes);
    }
    fetch_free(r->fetch);
    work_lock_free(r->lock);
    free(r);
}

/* --- asking */

static const struct asked *find(const struct revocation_lists *r, const char *url)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->asked[i].url, url) == 0)
            return &r->asked[i];
    return NULL;
}

static enum errc check_budget(const struct revocation_lists *r, struct err *err)
{
    if (r->spent_ms >= REVOCATION_BUDGET_S * INT64_C(1000))
        return err_set(err, E_TIMEOUT, "not asked: lists have taken %d s already",
                       REVOCATION_BUDGET_S);
    if (r->n_bytes >= REVOCATION_BYTES_MAX)
        return err_set(err, E_LIMIT, "not asked: lists have taken %d bytes already",
                       REVOCATION_BYTES_MAX);
    return E_OK;
}

/* fill asks; that there is no list is an answer as well. */
static enum errc fill(struct revocation_lists *r, struct asked *a, struct err *err)
{
    const struct host_ops *host = r->platform->host;
    struct fetch_answer answer = { .status = FETCH_NONE };
    const int64_t start = host->monotonic_ms(r->platform->self);
    enum errc rc = check_budget(r, err);
    if (rc == E_OK)
        rc = fetch_bytes(r->fetch, a->url, REVOCATION_LIST_MAX, NULL, &answer, err);
    r->spent_ms += host->monotonic_ms(r->platform->self) - start;
    if (rc == E_NOMEM)
        return rc;
    if (rc == E_OK) {
        a->has_bytes = true;
        a->bytes = answer.bytes;
        r->n_bytes += answer.bytes.len;
    } else {
        (void)text_copy(a->why_not, sizeof(a->why_not), err->text);
    }
    return E_OK;
}

/* ask gives what came of an address, from earlier or now; *out is NULL where there are too many. */
static enum errc ask(struct revocation_lists *r, const char *url, const struct asked **out,
                     struct err *err)
{
    *out = find(r, url);
    if (*out != NULL || r->n == REVOCATION_LISTS_MAX)
        return E_OK;
    struct asked a = { .url = strdup(url) };
    enum errc rc = a.url == NULL ? err_nomem(err) : fill(r, &a, err);
    if (rc != E_OK) {
        free(a.url);
        return rc;
    }
    r->asked[r->n] = a;
    *out = &r->asked[r->n++];
    return E_OK;
}

/* tell lets the trust know. A trust that is full is not worth another judging. */
static enum errc tell(struct trust *trust, const struct asked *a, bool *out_again, struct err *err)
{
    enum errc rc =
        trust_note_place(trust, a->url, buf_span(&a->bytes), a->has_bytes ? NULL : a->why_not, err);
    if (rc == E_OK)
        *out_again = true;
    return rc == E_LIMIT ? E_OK : rc;
}

/* get_one is for one address; *out_has where the trust then has a list from there. */
static enum errc get_one(struct revocation_lists *r, const char *url, struct trust *trust,
                         bool *out_has, bool *out_again, struct err *err)
{
    const struct asked *a = NULL;
    const char *why_not;
    enum errc rc = E_OK;
    if (trust_place_is_known(trust, span_text(url), NULL)) {
        *out_again = true; /* another thread was faster */
    } else {
        rc = ask(r, url, &a, err);
        if (rc == E_OK && a != NULL)
            rc = tell(trust, a, out_again, err);
    }
    *out_has =
        rc == E_OK && trust_place_is_known(trust, span_text(url), &why_not) && why_not == NULL;
    return rc;
}

enum errc revocation_fetch(struct revocation_lists *r, struct crl_wants *wants, struct trust *trust,
                           bool *out_again, struct err *err)
{
    enum errc rc = E_OK;
    *out_again = false;
    work_lock_take(r->lock);
    for (size_t i = 0; i < wants->n && rc == E_OK;) {
        const unsigned list = wants->items[i].list;
        bool has_it = false;
        for (; i < wants->n && wants->items[i].list == list; i++)
            if (rc == E_OK && !has_it)
                rc = get_one(r, wants->items[i].url, trust, &has_it, out_again, err);
    }
    work_lock_give(r->lock);
    crl_wants_fini(wants);
    return rc;
}

/* --- judging, until nothing more is wanted */

enum errc revocation_judge(struct revocation_lists *r, struct trust *trust,
                           const struct policy *policy, revocation_judge_fn fn, void *ctx,
                           struct err *err)
{
    struct crl_wants wants = { .n = 0 };
    struct policy ours = *policy;
    ours.wants = r == NULL ? NULL : &wants;
    enum errc rc = fn(ctx, &ours, err);
    for (int round = 0; rc == E_OK && wants.n > 0 && round < ROUNDS_MAX; round++) {
        bool again;
        rc = revocation_fetch(r, &wants, trust, &again, err);
        if (rc != E_OK || !again)
            break;
        rc = fn(ctx, &ours, err);
    }
    crl_wants_fini(&wants);
    return rc;
}

/* --- a file */

struct judging {
    struct source *src;
    const struct judge_ask *ask;
    struct verdict *v;
    bool was_judged;
};

static enum errc judge_once(void *ctx, const struct policy *policy, struct err *err)
{
    struct judging *j = ctx;
    struct judge_ask ask = *j->ask;
    ask.policy = policy;
    if (j->was_judged)
        verdict_fini(j->v);
    j->was_judged = true;
    return judge_file(j->src, &ask, j->v, err);
}

enum errc revocation_judge_file(struct revocation_lists *r, struct trust *trust, struct source *src,
                                const struct judge_ask *ask, struct verdict *v, struct err *err)
{
    struct judging j = { .src = src, .ask = ask, .v = v };
    return revocation_judge(r, trust, ask->policy, judge_once, &j, err);
}
