/* From the verified release to the verified package: the payload is fetched into the store, opened
 * once, and proven through that handle. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/upgrade_private.h"
#include "platform/base/text.h"
#include "verify/detached.h"

#define SIGNATURES_MAX 2

/* --- where it may be had */

struct places {
    size_t n;
    const char *urls[FETCH_URLS_MAX];
    char own[FETCH_URL_ROOM];
};

static enum errc list_places(const struct upgrade *u, struct places *to, struct err *err)
{
    const struct payload *p = u->payload;
    char document[FETCH_URL_ROOM];
    enum errc rc =
        fetch_url_beside(u->look.from->url, u->decided.release->document.path, document, err);
    if (rc == E_OK)
        rc = fetch_url_beside(document, p->path, to->own, err);
    if (rc != E_OK)
        return rc;
    to->n = 0;
    to->urls[to->n++] = to->own;
    for (size_t i = 0; i < p->mirrors.n && to->n < FETCH_URLS_MAX; i++)
        to->urls[to->n++] = p->mirrors.items[i].url;
    return E_OK;
}

/* --- the bytes */

static enum errc tell_progress(void *ctx, uint64_t got, uint64_t total, struct err *err)
{
    const struct upgrade *u = ctx;
    UNUSED(err);
    events_send(u->ask->events, &(struct event){ .kind = EVENT_PROGRESS,
                                                 .text = "downloading",
                                                 .to = &u->decided.release->version,
                                                 .downtime_ms = -1,
                                                 .done = got,
                                                 .total = total });
    return E_OK;
}

void upgrade_payload_name(const struct payload *payload, const char *suffix,
                          char to[UPGRADE_PAYLOAD_ROOM])
{
    char hex[TEXT_HEX_LEN(12)];
    (void)text_to_hex(span_of(payload->sha256, 12), hex);
    (void)snprintf(to, UPGRADE_PAYLOAD_ROOM, "payload-%s%s", hex, suffix);
}

static enum errc payload_path(struct upgrade *u, struct err *err)
{
    char name[UPGRADE_PAYLOAD_ROOM];
    upgrade_payload_name(u->payload, "", name);
    return setup_join(u->place.store, name, u->payload_path, err);
}

static enum errc fetch_payload(struct upgrade *u, const struct places *places, struct err *err)
{
    struct fetch_want want = { .urls = places->urls,
                               .n_urls = places->n,
                               .size = u->payload->size };
    struct platform *p = u->setup->platform;
    struct fetch_done done;
    struct fetch *fetch = NULL;
    struct err ignored;
    memcpy(want.sha256, u->payload->sha256, 32);
    enum errc rc = payload_path(u, err);
    if (rc == E_OK)
        rc = look_new_fetch(u->setup, u->look.from->allows_http, tell_progress, u, &fetch, err);
    if (rc != E_OK)
        return rc;
    (void)p->fs->remove(p->self, u->payload_path, &ignored); /* of a run that was interrupted */
    events_say(u->ask->events, EVENT_DOWNLOADING, "downloading %s", u->payload->path);
    rc = fetch_file(fetch, &want, u->payload_path, &done, err);
    fetch_free(fetch);
    return rc;
}

/* An MSI is kept where it will be installed from, and proven there. */
static enum errc take_in(struct upgrade *u, struct err *err)
{
    enum errc rc = msi_kept_take_in(&u->place, u->payload_path, u->run.new_name, err);
    return rc == E_OK ? msi_kept_path(&u->place, u->run.new_name, u->payload_path, err) : rc;
}

/* --- its signatures */

struct signatures {
    size_t n;
    struct buf bytes[SIGNATURES_MAX];
    struct span spans[SIGNATURES_MAX];
};

static void signatures_fini(struct signatures *s)
{
    for (size_t i = 0; i < s->n; i++)
        buf_fini(&s->bytes[i]);
}

static enum errc fetch_beside(struct upgrade *u, const struct places *places, const char *suffix,
                              struct signatures *to, struct err *err)
{
    char url[FETCH_URL_ROOM];
    enum errc rc = E_ABSENT;
    for (size_t i = 0; i < places->n && rc == E_ABSENT; i++) {
        struct fetch_answer answer = { .status = FETCH_NONE };
        rc = fetch_url_append(places->urls[i], suffix, url, err);
        if (rc == E_OK)
            rc = fetch_bytes(u->look.fetch, url, DETACHED_SIGNATURE_MAX, NULL, &answer, err);
        if (rc == E_OK) {
            to->spans[to->n] = buf_span(&answer.bytes);
            to->bytes[to->n++] = answer.bytes;
            answer.bytes = (struct buf){ .len = 0 };
        }
        fetch_answer_fini(&answer);
    }
    return rc == E_ABSENT ? E_OK : rc; /* that it is missing is for the proof to say */
}

static enum errc fetch_signatures(struct upgrade *u, const struct places *places,
                                  struct signatures *to, struct err *err)
{
    enum errc rc = E_OK;
    if (package_find_demand(u->payload, SYSTEM_MINISIGN) != NULL)
        rc = fetch_beside(u, places, ".minisig", to, err);
    if (rc == E_OK && package_find_demand(u->payload, SYSTEM_CMS) != NULL)
        rc = fetch_beside(u, places, ".p7s", to, err);
    return rc == E_OK ? rc : err_prefix(err, "signature of %s: ", u->payload->path);
}

/* --- the proof */

static enum errc prove(struct upgrade *u, struct source *src, const struct signatures *s,
                       struct err *err)
{
    size_t n_floors;
    const struct payload_floor *floors = product_demands_of_payload(u->demands, &n_floors);
    struct verdict *v = calloc(n_floors, sizeof(*v));
    char word[sizeof(u->look.refusal)] = "";
    enum errc rc;
    if (v == NULL)
        return err_nomem(err);
    do {
        rc = verified_package_make(src, u->payload, u->release, floors, n_floors, s->spans, s->n, v,
                                   &u->package, err);
        const char *refusal = package_refusal(v, n_floors);
        text_copy(word, sizeof(word), refusal != NULL ? refusal : "Malformed");
        for (size_t i = 0; i < n_floors; i++)
            verdict_fini(&v[i]);
    } while (rc == E_REFUSED && product_demands_again(u->demands));
    if (rc == E_REFUSED)
        outcome_refuse(u->out, word, err->text);
    free(v);
    return rc;
}

static enum errc open_and_prove(struct upgrade *u, const struct signatures *s, struct err *err)
{
    struct platform *p = u->setup->platform;
    struct source *src = NULL;
    enum errc rc = p->fs->open_source_nofollow(p->self, u->payload_path, &src, err);
    if (rc == E_OK)
        rc = prove(u, src, s, err);
    if (rc != E_OK)
        source_close(src);
    return rc;
}

enum errc upgrade_download(struct upgrade *u, struct err *err)
{
    struct places *places = malloc(sizeof(*places));
    struct signatures signatures = { .n = 0 };
    enum errc rc = places == NULL ? err_nomem(err) : list_places(u, places, err);
    if (rc == E_OK)
        rc = place_make_store(&u->place, err);
    if (rc == E_OK) {
        rc = fetch_signatures(u, places, &signatures, err);
        outcome_end_of_fetch(u->out, rc, "Malformed", err);
    }
    if (rc == E_OK) {
        rc = fetch_payload(u, places, err);
        outcome_end_of_fetch(u->out, rc, "DigestMismatch", err);
        look_hang_up(&u->look);
    }
    if (rc == E_OK && setup_is_msi(u->setup))
        rc = take_in(u, err);
    if (rc == E_OK)
        rc = open_and_prove(u, &signatures, err);
    if (rc == E_OK && setup_is_msi(u->setup))
        rc = upgrade_msi_check(u, err);
    if (rc == E_OK)
        events_say(u->ask->events, EVENT_VERIFIED, "%s: every byte is what its maker signed",
                   u->payload->path);
    signatures_fini(&signatures);
    free(places);
    return rc;
}
