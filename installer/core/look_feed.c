/* One feed and its signatures: what is stored, what the server has, and whether the two go
 * together.
 */

#include <stdlib.h>
#include <string.h>

#include "installer/core/look_private.h"
#include "platform/base/text.h"
#include "verify/detached.h"
#include "verify/digest.h"

#define ANEW_MAX 2 /* times that a pair which does not hold is fetched past caches */

/* --- the folder of what was fetched */

enum errc look_make_cache(const struct look_ask *ask, struct err *err)
{
    enum errc rc = setup_make_folders(ask->setup->platform, ask->setup->cache, true, err);
    return rc == E_OK ? setup_guard(ask->setup, ask->setup->cache, 0, err) : rc;
}

static enum errc stored_path(const struct look_ask *ask, const char *url, char to[SETUP_PATH_ROOM],
                             struct err *err)
{
    char hex[TEXT_SHA256_ROOM], name[64];
    struct digest d;
    enum errc rc = digest_bytes(DIGEST_SHA256, span_text(url), &d, err);
    if (rc != E_OK)
        return rc;
    text_copy(name, sizeof(name), "feed-");
    text_copy(name + 5, 17, text_to_hex(digest_span(&d), hex));
    return setup_join(ask->setup->cache, name, to, err);
}

/* read_stored: an empty buf where nothing is stored, or nothing that reads. */
static void read_stored(const struct look_ask *ask, const char *url, struct buf *bytes,
                        struct stored_feed *out)
{
    char path[SETUP_PATH_ROOM];
    struct err ignored;
    *out = (struct stored_feed){ .n_signatures = 0 };
    if (stored_path(ask, url, path, &ignored) != E_OK ||
        platform_read_file(ask->setup->platform, path, STORED_BYTES_MAX, bytes, &ignored) != E_OK)
        return;
    if (stored_read(buf_span(bytes), out, &ignored) != E_OK || !span_equal_text(out->url, url)) {
        buf_fini(bytes);
        *out = (struct stored_feed){ .n_signatures = 0 };
    }
}

/* Where it can't be stored the next look costs a few requests more. */
static void write_stored(const struct look_ask *ask, const struct look *look)
{
    char path[SETUP_PATH_ROOM];
    struct err ignored;
    if (look_make_cache(ask, &ignored) == E_OK &&
        stored_path(ask, look->from->url, path, &ignored) == E_OK &&
        platform_write_file(ask->setup->platform, path, buf_span(&look->stored), SINK_PRIVATE,
                            &ignored) != E_OK)
        events_say(ask->events, EVENT_WARNING, "the cache folder: %s", ignored.text);
}

/* --- the proof */

void look_note_refusal(struct look *look, enum errc rc, const struct verdict *v, size_t n)
{
    const char *word = rc == E_REFUSED ? package_refusal(v, n) : NULL;
    if (rc == E_REFUSED)
        text_copy(look->refusal, sizeof(look->refusal), word != NULL ? word : "Malformed");
}

typedef enum errc (*prove_fn)(struct span feed, const struct span *signatures, size_t n,
                              const struct feed_ask *ask, struct verdict *v,
                              struct verified_feed **out, struct err *err);

static enum errc prove(const struct look_ask *ask, const struct stored_feed *pair, prove_fn fn,
                       struct look *look, struct err *err)
{
    struct verdict *v = calloc(1 + STORED_SIGNATURES_MAX, sizeof(*v));
    struct fresh_marks *marks = malloc(sizeof(*marks));
    enum errc rc = v == NULL || marks == NULL ? err_nomem(err) : E_OK;
    if (rc == E_OK) {
        struct feed_ask feed_ask = { .product = ask->setup->product.name,
                                     .channel = ask->setup->product.channel,
                                     .now = ask->now,
                                     .marks = marks };
        feed_ask.policies = product_demands_of_feed(ask->demands, &feed_ask.n_policies);
        memory_marks(ask->memory, marks);
        package_forget_marks(feed_ask.policies, feed_ask.n_policies, marks);
        do {
            rc = fn(pair->feed, pair->signatures, pair->n_signatures, &feed_ask, v, &look->feed,
                    err);
            look_note_refusal(look, rc, v, 1 + pair->n_signatures);
            for (size_t i = 0; i <= pair->n_signatures; i++)
                verdict_fini(&v[i]);
        } while (rc == E_REFUSED && product_demands_again(ask->demands));
    }
    free(marks);
    free(v);
    return rc;
}

/* --- fetching */

struct pair {
    struct fetch_answer feed;
    size_t n;
    struct buf signatures[2];
    struct stored_feed whole; /* of the two above */
};

static void pair_fini(struct pair *pair)
{
    fetch_answer_fini(&pair->feed);
    for (size_t i = 0; i < pair->n; i++)
        buf_fini(&pair->signatures[i]);
    *pair = (struct pair){ .n = 0 };
}

/* fetch_signature gets what lies beside the feed, where something does. */
static enum errc fetch_signature(struct look *look, const char *suffix, bool past_caches,
                                 struct pair *pair, struct err *err)
{
    char url[FETCH_URL_ROOM];
    struct fetch_condition condition = { .past_caches = past_caches };
    struct fetch_answer answer = { .status = FETCH_NONE };
    enum errc rc = fetch_url_append(look->from->url, suffix, url, err);
    if (rc == E_OK)
        rc = fetch_bytes(look->fetch, url, DETACHED_SIGNATURE_MAX, &condition, &answer, err);
    if (rc == E_ABSENT)
        return E_OK;
    if (rc == E_OK) {
        pair->signatures[pair->n++] = answer.bytes;
        answer.bytes = (struct buf){ .len = 0 };
    }
    fetch_answer_fini(&answer);
    if (rc == E_REFUSED)
        text_copy(look->refusal, sizeof(look->refusal), "Malformed");
    return rc == E_OK ? rc : err_prefix(err, "signature of the feed (%s): ", suffix);
}

/* The publisher puts feed.xml.HASH.minisig there before feed.xml: it can't be of another feed. */
static enum errc fetch_named_signature(struct look *look, const char *suffix, bool past_caches,
                                       struct pair *pair, struct err *err)
{
    char hex[TEXT_SHA256_ROOM], named[TEXT_SHA256_ROOM + 16];
    struct digest d;
    enum errc rc = digest_bytes(DIGEST_SHA256, buf_span(&pair->feed.bytes), &d, err);
    if (rc != E_OK)
        return rc;
    size_t len = strlen(text_copy(named, sizeof(named), "."));
    len += strlen(text_copy(named + len, sizeof(named) - len, text_to_hex(digest_span(&d), hex)));
    (void)text_copy(named + len, sizeof(named) - len, suffix);
    return fetch_signature(look, named, past_caches, pair, err);
}

static void join_pair(struct look *look, struct pair *pair)
{
    struct stored_feed *whole = &pair->whole;
    *whole = (struct stored_feed){ .url = span_text(look->from->url),
                                   .etag = span_text(pair->feed.etag),
                                   .modified = span_text(pair->feed.last_modified),
                                   .feed = buf_span(&pair->feed.bytes) };
    for (size_t i = 0; i < pair->n; i++)
        whole->signatures[whole->n_signatures++] = buf_span(&pair->signatures[i]);
}

static enum errc fetch_signatures(const struct look_ask *ask, struct look *look, bool is_named,
                                  bool past_caches, struct pair *pair, struct err *err)
{
    const struct product_trust *trust = &ask->setup->product.trust;
    enum errc (*get)(struct look *, const char *, bool, struct pair *, struct err *) =
        is_named ? fetch_named_signature : fetch_signature;
    enum errc rc = E_OK;
    if (trust->feed_minisign.keys.n > 0)
        rc = get(look, ".minisig", past_caches, pair, err);
    if (rc == E_OK && trust->feed_cms.n > 0)
        rc = get(look, ".p7s", past_caches, pair, err);
    join_pair(look, pair);
    return rc;
}

static void drop_signatures(struct pair *pair)
{
    for (size_t i = 0; i < pair->n; i++)
        buf_fini(&pair->signatures[i]);
    pair->n = 0;
}

/* prove_fetched fetches the signatures of a feed that just came, by either name, and proves it. */
static enum errc prove_fetched(const struct look_ask *ask, struct look *look, bool past_caches,
                               struct pair *pair, struct err *err)
{
    struct err other;
    enum errc rc = fetch_signatures(ask, look, false, past_caches, pair, err);
    if (rc == E_OK)
        rc = prove(ask, &pair->whole, verified_feed_make, look, err);
    if (rc != E_REFUSED)
        return rc;
    drop_signatures(pair);
    if (fetch_signatures(ask, look, true, past_caches, pair, &other) == E_OK && pair->n > 0 &&
        prove(ask, &pair->whole, verified_feed_make, look, &other) == E_OK)
        return E_OK;
    return rc;
}

static enum errc keep(const struct look_ask *ask, struct look *look, const struct stored_feed *pair,
                      struct err *err)
{
    char accepted[32];
    struct stored_feed dated = *pair;
    dated.accepted = span_text(text_format_time(ask->now, accepted));
    buf_init(&look->stored, STORED_BYTES_MAX);
    return stored_write(&dated, &look->stored, err);
}

/* try_once asks for the feed, unless `condition` still holds. */
static enum errc try_once(const struct look_ask *ask, struct look *look,
                          const struct fetch_condition *condition, const struct stored_feed *known,
                          struct err *err)
{
    struct pair pair = { .n = 0 };
    enum errc rc =
        fetch_bytes(look->fetch, look->from->url, FEED_BYTES_MAX, condition, &pair.feed, err);
    if (rc == E_REFUSED && look->refusal[0] == '\0')
        text_copy(look->refusal, sizeof(look->refusal), "Malformed");
    if (rc == E_OK && pair.feed.status == FETCH_NOT_MODIFIED) {
        rc = prove(ask, known, verified_feed_make, look, err);
        if (rc == E_OK)
            rc = keep(ask, look, known, err);
    } else if (rc == E_OK) {
        rc = prove_fetched(ask, look, condition->past_caches, &pair, err);
        if (rc == E_OK)
            rc = keep(ask, look, &pair.whole, err);
        look->was_new = rc == E_OK;
    }
    pair_fini(&pair);
    return rc;
}

static const char *text_of(struct span text, char to[STORED_TEXT_MAX + 1])
{
    size_t len = text.len <= STORED_TEXT_MAX ? text.len : 0;
    if (len > 0)
        memcpy(to, text.ptr, len);
    to[len] = '\0';
    return to;
}

enum errc look_fetch_feed(const struct look_ask *ask, struct look *look, struct err *err)
{
    char etag[STORED_TEXT_MAX + 1], modified[STORED_TEXT_MAX + 1];
    struct buf bytes = { .len = 0 };
    struct stored_feed known;
    read_stored(ask, look->from->url, &bytes, &known);
    struct fetch_condition condition = { .etag = text_of(known.etag, etag),
                                         .last_modified = text_of(known.modified, modified) };
    enum errc rc = try_once(ask, look, &condition, &known, err);
    condition = (struct fetch_condition){ .past_caches = true };
    for (unsigned i = 0; i < ANEW_MAX && rc == E_REFUSED; i++)
        rc = try_once(ask, look, &condition, &known, err);
    buf_fini(&bytes);
    if (rc == E_OK && look->was_new)
        write_stored(ask, look);
    return rc;
}

enum errc look_recall_feed(const struct look_ask *ask, struct look *look, struct err *err)
{
    struct buf bytes = { .len = 0 };
    struct stored_feed known;
    read_stored(ask, look->from->url, &bytes, &known);
    enum errc rc = known.n_signatures == 0 ? err_set(err, E_ABSENT, "nothing was fetched yet")
                                           : prove(ask, &known, verified_feed_recall, look, err);
    if (rc == E_OK)
        rc = keep(ask, look, &known, err);
    buf_fini(&bytes);
    return rc;
}
