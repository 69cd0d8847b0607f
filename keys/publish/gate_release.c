/* One release of the folder: its document as the feed names it, then each payload. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/publish/gate_private.h"
#include "verify/detached.h"

#define FLOORS_MAX 3

struct floors {
    const struct payload_floor *items;
    size_t n;
    struct payload_floor own[FLOORS_MAX];
};

/* --- what to judge payloads by, where no product file says it */

/* Each system that the payload demands, judged by the trust that was given. False where it is not
 * enough for all of them: a client with more may take the payload, and one with less never will. */
static bool floors_of_payload(const struct gate_ask *ask, const struct payload *p,
                              const char *where, struct floors *floors, struct gate *g)
{
    bool can_all = true;
    for (size_t i = 0; i < p->demands.n; i++) {
        const enum sig_system system = package_system_of(&p->demands.items[i]);
        if (floors->n < FLOORS_MAX && gate_can_judge(ask, system)) {
            floors->own[floors->n++] = (struct payload_floor){ system, ask->policy };
            continue;
        }
        can_all = false;
        gate_add(g, GATE_FAILED, "NothingToJudgeBy", where,
                 "the payload demands a %s signature; give %s", sig_system_word(system),
                 gate_missing_option(system));
    }
    floors->items = floors->own;
    return can_all && floors->n > 0;
}

static bool find_floors(const struct gate_ask *ask, const struct payload *p, const char *where,
                        struct floors *floors, struct gate *g)
{
    *floors = (struct floors){ .items = ask->floors, .n = ask->n_floors };
    if (floors->n > FLOORS_MAX) {
        gate_add(g, GATE_FAILED, "TooMuch", where, "more than %d demands of a payload", FLOORS_MAX);
        return false;
    }
    return floors->n > 0 || floors_of_payload(ask, p, where, floors, g);
}

/* A product file takes one kind of payload, and demands nothing of others. */
static bool is_for_product(const struct gate_ask *ask, const struct payload *p)
{
    return ask->n_floors == 0 || p->kind == (int)ask->kind;
}

/* --- one payload */

/* A payload's path is relative to its document. */
static bool name_payload(const char *document, const struct payload *p, char to[GATE_PATH_ROOM])
{
    const char *slash = strrchr(document, '/');
    int folder_len = slash == NULL ? 0 : (int)(slash + 1 - document);
    int len = snprintf(to, GATE_PATH_ROOM, "%.*s%s", folder_len, document, p->path);
    return len >= 0 && len < GATE_PATH_ROOM;
}

/* What a maker can still mend in a package is said whether or not its signature holds. */
static void lint_msi(struct source *src, const struct payload *p, const char *where, struct gate *g)
{
    struct err err;
    struct msi_package *package = malloc(sizeof(*package));
    enum errc rc = package == NULL ? err_nomem(&err) : msi_package_read(src, package, &err);
    if (rc != E_OK)
        gate_add_err(g, where, &err);
    else
        gate_msi(package, p, where, g);
    free(package);
}

static void judge_other(const struct gate_ask *ask, struct source *src, struct span signature,
                        const char *where, struct gate *g)
{
    struct verdict v = { .type = "other", .size = src->size };
    struct err err;
    const size_t n_before = g->n;
    enum errc rc = detached_judge(src, signature, ask->policy, &v, &err);
    for (size_t i = 0; i < v.n_sigs; i++)
        v.sigs[i]->whole_file = true;
    verdict_settle(&v, ask->policy);
    if (rc == E_OK && v.outcome != OUTCOME_ACCEPTED) {
        gate_add_verdict(g, where, &v);
        rc = g->n > n_before ? E_OK : err_set(&err, E_REFUSED, "did not prove genuine");
    }
    if (rc != E_OK)
        gate_add_err(g, where, &err);
    verdict_fini(&v);
}

/* A signature that the release does not demand: no client looks at it, and whoever checks the file
 * by hand will. With a product file the question is what its clients do. */
static void judge_others(const struct gate_ask *ask, struct source *src, const struct payload *p,
                         const struct gate_signatures *signatures, const char *where,
                         struct gate *g)
{
    for (size_t i = 0; i < signatures->n && ask->n_floors == 0; i++) {
        char beside[GATE_PATH_ROOM + 16];
        if (package_find_demand(p, detached_system(signatures->spans[i])) != NULL)
            continue;
        snprintf(beside, sizeof(beside), "%s.%s", where, signatures->suffixes[i]);
        judge_other(ask, src, signatures->spans[i], beside, g);
    }
}

/* prove_payload takes the source. */
static void prove_payload(const struct gate_ask *ask, struct source *src, const struct payload *p,
                          const struct verified_release *release, const struct floors *floors,
                          const char *where, struct gate *g)
{
    struct gate_signatures signatures;
    struct verdict verdicts[FLOORS_MAX];
    struct verified_package *package = NULL;
    struct err err;
    gate_read_signatures(ask, where, &signatures, g);
    gate_set_aside(ask, where, &signatures, g);
    judge_others(ask, src, p, &signatures, where, g);
    enum errc rc;
    bool again;
    do {
        rc = verified_package_make(src, p, release, floors->items, floors->n, signatures.spans,
                                   signatures.n, verdicts, &package, &err);
        again = rc == E_REFUSED && ask->demands != NULL && product_demands_again(ask->demands);
        for (size_t i = 0; i < floors->n; i++) {
            if (rc == E_REFUSED && !again)
                gate_add_verdict(g, where, &verdicts[i]);
            verdict_fini(&verdicts[i]);
        }
    } while (again);
    if (rc != E_OK && rc != E_REFUSED)
        gate_add_err(g, where, &err);
    if (rc != E_OK)
        source_close(src);
    else if (p->kind == PAYLOAD_ARCHIVE)
        gate_archive(package, where, g);
    verified_package_free(package);
    gate_signatures_fini(&signatures);
}

static void check_payload(const struct gate_ask *ask, const char *document, const struct payload *p,
                          const struct verified_release *release, struct gate *g)
{
    struct floors floors;
    char where[GATE_PATH_ROOM], path[GATE_PATH_ROOM];
    struct source *src;
    struct err err;
    enum errc rc = E_OK;
    if (!name_payload(document, p, where))
        rc = err_set(&err, E_LIMIT, "a path longer than %d bytes", GATE_PATH_ROOM);
    if (rc == E_OK)
        rc = gate_join(ask, where, path, &err);
    if (rc == E_OK)
        rc = ask->platform->fs->open_source(ask->platform->self, path, &src, &err);
    if (rc != E_OK) {
        gate_add_err(g, p->path, &err);
        return;
    }
    g->n_payloads++;
    g->n_bytes += src->size;
    if (ask->upgrade_code != NULL && p->upgrade_code != NULL &&
        strcmp(ask->upgrade_code, p->upgrade_code) != 0)
        gate_add(g, GATE_REFUSED, "VersionMismatch", where,
                 "the package's UpgradeCode is %s, the product file's %s", p->upgrade_code,
                 ask->upgrade_code);
    if (p->kind == PAYLOAD_MSI)
        lint_msi(src, p, where, g);
    if (find_floors(ask, p, where, &floors, g))
        prove_payload(ask, src, p, release, &floors, where, g);
    else
        source_close(src);
    if (ask->progress != NULL)
        ask->progress(ask->progress_ctx, g->n_bytes);
}

/* --- the document */

static void check_document(const struct gate_ask *ask, const struct verified_feed *feed,
                           const struct feed_release *from, struct span bytes, struct gate *g)
{
    struct verified_release *release = NULL;
    struct verdict v;
    struct err err;
    enum errc rc = verified_release_make(bytes, feed, from, &v, &release, &err);
    if (rc == E_REFUSED)
        gate_add_verdict(g, from->document.path, &v);
    else if (rc != E_OK)
        gate_add_err(g, from->document.path, &err);
    verdict_fini(&v);
    const struct release *r = rc == E_OK ? verified_release_get(release) : NULL;
    size_t n_for_product = 0;
    for (size_t i = 0; r != NULL && i < r->payloads.n; i++)
        if (is_for_product(ask, &r->payloads.items[i])) {
            check_payload(ask, from->document.path, &r->payloads.items[i], release, g);
            n_for_product++;
        } else
            gate_add(g, GATE_NOTE, "NotLookedAt", from->document.path,
                     "%.100s is of a kind that the product file does not take",
                     r->payloads.items[i].path);
    if (r != NULL && n_for_product == 0)
        gate_add(g, GATE_REFUSED, "Missing", from->document.path,
                 "has no payload of the kind that the product file takes (%s)",
                 payload_kind_words[ask->kind]);
    verified_release_free(release);
}

void gate_release(const struct gate_ask *ask, const struct verified_feed *feed,
                  const struct feed_release *from, struct gate *g)
{
    struct buf bytes;
    if (gate_read(ask, from->document.path, RELEASE_BYTES_MAX, &bytes, g))
        check_document(ask, feed, from, buf_span(&bytes), g);
    buf_fini(&bytes);
}
