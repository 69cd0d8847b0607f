/* The feed of a release folder: its signatures, under both of their names, and what is new in it
 * against the feed that is out now. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "keys/publish/gate_private.h"
#include "platform/base/text.h"
#include "verify/detached.h"

#define FEED_NAME "feed.xml"

/* --- reading the folder */

enum errc gate_join(const struct gate_ask *ask, const char *name, char to[GATE_PATH_ROOM],
                    struct err *err)
{
    int len = snprintf(to, GATE_PATH_ROOM, "%s/%s", ask->folder, name);
    if (len < 0 || len >= GATE_PATH_ROOM)
        return err_set(err, E_LIMIT, "a path longer than %d bytes", GATE_PATH_ROOM);
    return E_OK;
}

bool gate_read(const struct gate_ask *ask, const char *name, size_t cap, struct buf *out,
               struct gate *g)
{
    char path[GATE_PATH_ROOM];
    struct err err;
    *out = (struct buf){ .ptr = NULL };
    enum errc rc = gate_join(ask, name, path, &err);
    if (rc == E_OK)
        rc = platform_read_file(ask->platform, path, cap, out, &err);
    if (rc != E_OK)
        gate_add_err(g, name, &err);
    return rc == E_OK;
}

static bool is_there(const struct gate_ask *ask, const char *name, struct gate *g)
{
    char path[GATE_PATH_ROOM];
    struct err err;
    enum fs_kind kind = FS_ABSENT;
    enum errc rc = gate_join(ask, name, path, &err);
    if (rc == E_OK)
        rc = ask->platform->fs->kind(ask->platform->self, path, &kind, &err);
    if (rc != E_OK)
        gate_add_err(g, name, &err);
    return kind != FS_ABSENT;
}

void gate_read_signatures(const struct gate_ask *ask, const char *name, struct gate_signatures *out,
                          struct gate *g)
{
    static const char *const suffixes[GATE_SIGNATURES_MAX] = { "minisig", "p7s" };
    *out = (struct gate_signatures){ .n = 0 };
    for (size_t i = 0; i < GATE_SIGNATURES_MAX; i++) {
        char beside[GATE_PATH_ROOM];
        int len = snprintf(beside, sizeof(beside), "%s.%s", name, suffixes[i]);
        if (len < 0 || len >= (int)sizeof(beside) || !is_there(ask, beside, g) ||
            !gate_read(ask, beside, DETACHED_SIGNATURE_MAX, &out->bytes[out->n], g))
            continue;
        out->spans[out->n] = buf_span(&out->bytes[out->n]);
        out->suffixes[out->n++] = suffixes[i];
    }
}

void gate_signatures_fini(struct gate_signatures *s)
{
    for (size_t i = 0; i < s->n; i++)
        buf_fini(&s->bytes[i]);
    s->n = 0;
}

/* --- signatures that nothing was given for */

bool gate_can_judge(const struct gate_ask *ask, enum sig_system system)
{
    return system == SYSTEM_MINISIGN ? trust_n_keys(ask->policy->trust) > 0
                                     : policy_demands_chain(ask->policy);
}

const char *gate_missing_option(enum sig_system system)
{
    return system == SYSTEM_MINISIGN ? "its key with --key" : "certificates with --anchors";
}

/* What is no signature of a system that we know stays: it is refused with its own reason. */
static bool is_set_aside(const struct gate_ask *ask, enum sig_system system)
{
    return ask->n_floors == 0 && system != SYSTEM_NONE && !gate_can_judge(ask, system);
}

void gate_set_aside(const struct gate_ask *ask, const char *name, struct gate_signatures *s,
                    struct gate *g)
{
    const size_t n = s->n;
    s->n = 0;
    for (size_t i = 0; i < n; i++) {
        char beside[GATE_PATH_ROOM + 16];
        enum sig_system system = detached_system(s->spans[i]);
        if (is_set_aside(ask, system)) {
            snprintf(beside, sizeof(beside), "%s.%s", name, s->suffixes[i]);
            gate_add(g, GATE_FAILED, "NothingToJudgeBy", beside,
                     "a %s signature, and nothing to judge it by; give %s", sig_system_word(system),
                     gate_missing_option(system));
            buf_fini(&s->bytes[i]);
            continue;
        }
        s->bytes[s->n] = s->bytes[i];
        s->spans[s->n] = s->spans[i];
        s->suffixes[s->n++] = s->suffixes[i];
    }
}

/* --- the second name of each signature, under which a client finds it while the feed is replaced
 */

static void check_twin(const struct gate_ask *ask, struct span feed, struct span signature,
                       const char *suffix, struct gate *g)
{
    struct digest sha256;
    char hex[TEXT_SHA256_ROOM], name[sizeof(FEED_NAME) + TEXT_SHA256_ROOM + 16];
    struct buf twin;
    struct err err;
    if (digest_bytes(DIGEST_SHA256, feed, &sha256, &err) != E_OK) {
        gate_add_err(g, FEED_NAME, &err);
        return;
    }
    snprintf(name, sizeof(name), FEED_NAME ".%s.%s", text_to_hex(digest_span(&sha256), hex),
             suffix);
    if (gate_read(ask, name, DETACHED_SIGNATURE_MAX, &twin, g) &&
        !span_equal(buf_span(&twin), signature))
        gate_add(g, GATE_REFUSED, "Changed", name, "is not the same as " FEED_NAME ".%s", suffix);
    buf_fini(&twin);
}

/* --- against the feed that is out now */

static void check_release_unchanged(const struct feed_release *old, const struct feed *feed,
                                    struct gate *g)
{
    const struct feed_release *now = feed_find_release(feed, &old->version);
    if (now == NULL)
        gate_add(g, GATE_WARNING, "Missing", FEED_NAME,
                 "release %s is in the published feed and not in this one; withdraw it instead",
                 old->version.text);
    else if (now->document.size != old->document.size ||
             memcmp(now->document.sha256, old->document.sha256, 32) != 0)
        gate_add(g, GATE_REFUSED, "Changed", now->document.path,
                 "release %s was published with another document; a release never changes, make a "
                 "new version",
                 old->version.text);
    else if (old->status == STATUS_WITHDRAWN && now->status != STATUS_WITHDRAWN)
        gate_add(g, GATE_WARNING, "Changed", FEED_NAME,
                 "release %s was withdrawn and is offered again", old->version.text);
}

static void compare_feeds(const struct feed *old, const struct feed *feed, struct gate *g)
{
    if (strcmp(old->product, feed->product) != 0 || strcmp(old->channel, feed->channel) != 0)
        gate_add(g, GATE_REFUSED, "WrongProduct", FEED_NAME,
                 "the published feed is of %s, channel %s", old->product, old->channel);
    if (feed->serial <= old->serial)
        gate_add(g, GATE_REFUSED, "SerialNotNewer", FEED_NAME,
                 "serial %" PRIu64 ", and the published feed has %" PRIu64 " already", feed->serial,
                 old->serial);
    else if (feed->serial - old->serial > FRESH_SERIAL_JUMP_MAX)
        gate_add(g, GATE_REFUSED, "SerialJump", FEED_NAME,
                 "serial %" PRIu64 ", more than a million past the published %" PRIu64,
                 feed->serial, old->serial);
    for (size_t i = 0; i < old->releases.n; i++)
        check_release_unchanged(&old->releases.items[i], feed, g);
}

static void check_published(const struct gate_ask *ask, const struct feed *feed, struct gate *g)
{
    struct buf bytes = { .ptr = NULL };
    struct feed old;
    struct err err;
    enum errc rc = platform_read_file(ask->platform, ask->published, FEED_BYTES_MAX, &bytes, &err);
    if (rc == E_OK)
        rc = feed_read_unverified(buf_span(&bytes), &old, &err);
    if (rc == E_OK) {
        compare_feeds(&old, feed, g);
        feed_fini(&old);
    } else {
        gate_add(g, GATE_FAILED, "ReadError", ask->published, "the published feed: %s", err.text);
    }
    buf_fini(&bytes);
}

/* --- the proof */

/* Without a product file the folder says what it is of; that is shown, and proven by nothing. */
static bool name_product(struct span bytes, struct feed_ask *ask, struct feed *draft,
                         struct gate *g)
{
    struct err err;
    enum errc rc = feed_read_unverified(bytes, draft, &err);
    if (rc != E_OK) {
        gate_add_err(g, FEED_NAME, &err);
        return false;
    }
    if (ask->product == NULL)
        ask->product = draft->product;
    if (ask->channel == NULL)
        ask->channel = draft->channel;
    return true;
}

static struct verified_feed *prove(const struct gate_ask *ask, struct span bytes,
                                   const struct gate_signatures *signatures, struct gate *g)
{
    static const struct fresh_marks no_marks;
    struct feed_ask feed_ask = { ask->product,         ask->channel,     ask->feed_policies,
                                 ask->n_feed_policies, ask->policy->now, &no_marks };
    struct verified_feed *feed = NULL;
    struct feed draft;
    struct verdict v[1 + GATE_SIGNATURES_MAX];
    struct err err;
    if (!name_product(bytes, &feed_ask, &draft, g))
        return NULL;
    enum errc rc;
    bool again;
    do {
        rc = verified_feed_make(bytes, signatures->spans, signatures->n, &feed_ask, v, &feed, &err);
        again = rc == E_REFUSED && ask->demands != NULL && product_demands_again(ask->demands);
        for (size_t i = 0; i <= signatures->n; i++) {
            if (rc == E_REFUSED && !again)
                gate_add_verdict(g, FEED_NAME, &v[i]);
            verdict_fini(&v[i]);
        }
    } while (again);
    if (rc != E_OK && rc != E_REFUSED)
        gate_add_err(g, FEED_NAME, &err);
    feed_fini(&draft);
    return rc == E_OK ? feed : NULL;
}

struct verified_feed *gate_feed(const struct gate_ask *ask, struct gate *g)
{
    struct gate_signatures signatures = { .n = 0 };
    struct verified_feed *feed = NULL;
    struct buf bytes;
    if (gate_read(ask, FEED_NAME, FEED_BYTES_MAX, &bytes, g)) {
        gate_read_signatures(ask, FEED_NAME, &signatures, g);
        for (size_t i = 0; i < signatures.n; i++)
            check_twin(ask, buf_span(&bytes), signatures.spans[i], signatures.suffixes[i], g);
        const bool is_unsigned = signatures.n == 0;
        gate_set_aside(ask, FEED_NAME, &signatures, g);
        if (signatures.n > 0 || is_unsigned)
            feed = prove(ask, buf_span(&bytes), &signatures, g);
        if (feed != NULL && ask->published != NULL)
            check_published(ask, verified_feed_get(feed), g);
    }
    gate_signatures_fini(&signatures);
    buf_fini(&bytes);
    return feed;
}
