/* The order of a look. What is fetched and how is in look_feed.c. */

#include "installer/core/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/look_private.h"
#include "platform/base/text.h"

#define LOGIN_MAX 1024
#define CA_MAX (16 * 1024 * 1024)

/* --- downloads as the product file says */

static enum errc read_file(const struct setup *setup, const char *name, size_t cap, struct buf *out,
                           struct err *err)
{
    char path[SETUP_PATH_ROOM], shown[160];
    enum errc rc = setup_resolve(setup, name, path, err);
    if (rc == E_OK)
        rc = platform_read_file(setup->platform, path, cap, out, err);
    if (rc == E_OK)
        return rc;
    (void)err_prefix(err, "%s: ", text_printable(span_text(name), shown, sizeof(shown)));
    if (rc != E_NOMEM && rc != E_IO)
        rc = err->code = E_ARGUMENT;
    return rc;
}

/* The one line of the file. */
static enum errc read_login(const struct setup *setup, const char *name, struct buf *out,
                            struct err *err)
{
    enum errc rc = read_file(setup, name, LOGIN_MAX, out, err);
    if (rc != E_OK)
        return rc;
    while (out->len > 0 && (out->ptr[out->len - 1] == '\n' || out->ptr[out->len - 1] == '\r'))
        out->len--;
    if (out->len == 0 || memchr(out->ptr, '\0', out->len) != NULL)
        rc = err_set(err, E_ARGUMENT, "the proxy's login file has no line USER:PASSWORD");
    if (rc == E_OK)
        rc = buf_add_byte(out, '\0', err);
    if (rc != E_OK)
        buf_fini(out);
    return rc;
}

static uint64_t seed_of(const struct setup *setup)
{
    struct platform *p = setup->platform;
    uint64_t seed = 0;
    struct err ignored;
    if (p->host->random(p->self, (uint8_t *)&seed, sizeof(seed), &ignored) != E_OK)
        seed = (uint64_t)p->host->monotonic_ms(p->self);
    return seed;
}

/* What settings point to. */
struct settings_room {
    struct buf login, ca;
};

static void forget(struct settings_room *room)
{
    if (room->login.len > 0)
        memset(room->login.ptr, 0, room->login.len);
    buf_fini(&room->login);
    buf_fini(&room->ca);
}

/* read_settings: `room` is zeroed by the caller, who calls forget, also after an error. */
static enum errc read_settings(const struct setup *setup, struct settings_room *room,
                               struct fetch_settings *out, struct err *err)
{
    const struct product_fetch *said = &setup->product.fetch;
    enum errc rc = E_OK;
    if (said->proxy.login_file != NULL)
        rc = read_login(setup, said->proxy.login_file, &room->login, err);
    if (rc == E_OK && said->ca != NULL)
        rc = read_file(setup, said->ca, CA_MAX, &room->ca, err);
    *out = (struct fetch_settings){
        .platform = setup->platform,
        .proxy_use = said->proxy.use,
        .proxy_url = said->proxy.url,
        .proxy_login = room->login.len > 0 ? (const char *)room->login.ptr : NULL,
        .ca = buf_span(&room->ca),
        .rate_limit_bytes = said->rate_limit_bytes,
        .stall_s = said->stall_s,
        .deadline_s = said->deadline_s,
        .agent = "surefoot",
        .seed = seed_of(setup),
    };
    return rc;
}

enum errc look_new_fetch(const struct setup *setup, bool allows_http, fetch_progress_fn progress,
                         void *ctx, struct fetch **out, struct err *err)
{
    struct settings_room room = { .login = { .len = 0 } };
    struct fetch_settings settings;
    enum errc rc = read_settings(setup, &room, &settings, err);
    settings.allows_http = allows_http;
    settings.progress = progress;
    settings.ctx = ctx;
    if (rc == E_OK)
        rc = fetch_new(&settings, out, err);
    forget(&room);
    return rc;
}

enum errc look_go_online(const struct setup *setup, struct product_demands *demands,
                         struct err *err)
{
    struct settings_room room = { .login = { .len = 0 } };
    struct fetch_settings settings;
    struct revocation_lists *lists = NULL;
    if (!product_demands_is_online(demands))
        return E_OK;
    enum errc rc = read_settings(setup, &room, &settings, err);
    if (rc == E_OK)
        rc = revocation_new(&settings, &lists, err);
    if (rc == E_OK)
        product_demands_go_online(demands, lists);
    forget(&room);
    return rc;
}

/* --- the feed */

void look_hang_up(struct look *look)
{
    fetch_free(look->fetch);
    look->fetch = NULL;
}

void look_fini(struct look *look)
{
    verified_feed_free(look->feed);
    buf_fini(&look->stored);
    look_hang_up(look);
    look->feed = NULL;
}

/* note_seen puts this feed's serial among the marks, and forgets keys that count no more. */
static enum errc note_seen(const struct look_ask *ask, struct look *look, struct err *err)
{
    size_t n;
    const struct policy *const *policies = product_demands_of_feed(ask->demands, &n);
    memory_marks(ask->memory, &look->marks);
    package_forget_marks(policies, n, &look->marks);
    return verified_feed_note(look->feed, &look->marks, err);
}

/* An answer that something was refused is worth more than one that something could not be had. */
static void keep_worse(struct err *worst, const struct err *err)
{
    if (worst->code == E_OK || (err->code == E_REFUSED && worst->code != E_REFUSED))
        *worst = *err;
}

static bool is_ours_to_end(enum errc rc)
{
    return rc == E_NOMEM || rc == E_INTERNAL || rc == E_ARGUMENT || rc == E_SPACE;
}

static void say_skipped(const struct look_ask *ask, const struct product_feed *from,
                        const struct err *err)
{
    char host[FETCH_HOST_ROOM] = "feed";
    struct fetch_url url;
    if (fetch_url_read(span_text(from->url), &url, NULL) == E_OK)
        (void)fetch_url_host_text(&url, host);
    events_say(ask->events, EVENT_WARNING, "feed at %s: %s", host, err->text);
}

enum errc look_at_feed(const struct look_ask *ask, struct look *out, struct err *err)
{
    const struct product_fetch *said = &ask->setup->product.fetch;
    struct err worst = { .code = E_OK };
    char refusal[sizeof(out->refusal)] = "";
    *out = (struct look){ .feed = NULL };
    for (size_t i = 0; i < said->feeds.n && out->feed == NULL; i++) {
        out->from = &said->feeds.items[i];
        enum errc rc =
            look_new_fetch(ask->setup, out->from->allows_http, NULL, NULL, &out->fetch, err);
        if (rc == E_OK)
            rc = look_fetch_feed(ask, out, err);
        if (rc == E_OK)
            break;
        look_fini(out);
        if (rc == E_REFUSED && refusal[0] == '\0')
            text_copy(refusal, sizeof(refusal), out->refusal);
        if (is_ours_to_end(rc))
            return rc;
        keep_worse(&worst, err);
        if (said->feeds.n > 1)
            say_skipped(ask, out->from, err);
    }
    if (out->feed == NULL) {
        *err = worst;
        if (worst.code == E_REFUSED)
            text_copy(out->refusal, sizeof(out->refusal), refusal);
        return worst.code;
    }
    return note_seen(ask, out, err);
}

enum errc look_recall(const struct look_ask *ask, struct look *out, struct err *err)
{
    const struct product_fetch *said = &ask->setup->product.fetch;
    *out = (struct look){ .feed = NULL };
    enum errc rc = E_ABSENT;
    for (size_t i = 0; i < said->feeds.n && rc == E_ABSENT; i++) {
        out->from = &said->feeds.items[i];
        rc = look_recall_feed(ask, out, err);
    }
    if (rc != E_OK)
        look_fini(out);
    return rc;
}

/* --- release documents */

static enum errc cache_path(const struct look_ask *ask, const struct document_ref *ref,
                            char to[SETUP_PATH_ROOM], struct err *err)
{
    char hex[TEXT_HEX_LEN(32)], name[TEXT_HEX_LEN(32) + 16];
    (void)snprintf(name, sizeof(name), "release-%s.xml",
                   text_to_hex(span_of(ref->sha256, 32), hex));
    return setup_join(ask->setup->cache, name, to, err);
}

static enum errc prove_release(struct span bytes, struct look *look,
                               const struct feed_release *release, struct verified_release **out,
                               struct err *err)
{
    struct verdict v;
    enum errc rc = verified_release_make(bytes, look->feed, release, &v, out, err);
    look_note_refusal(look, rc, &v, 1);
    verdict_fini(&v);
    return rc;
}

/* from_cache is true where what is in the cache holds; anything else is fetched again. */
static bool from_cache(const struct look_ask *ask, struct look *look,
                       const struct feed_release *release, struct verified_release **out,
                       struct buf *bytes)
{
    char path[SETUP_PATH_ROOM];
    struct err ignored;
    if (cache_path(ask, &release->document, path, &ignored) != E_OK ||
        platform_read_file(ask->setup->platform, path, (size_t)release->document.size, bytes,
                           &ignored) != E_OK)
        return false;
    if (prove_release(buf_span(bytes), look, release, out, &ignored) == E_OK)
        return true;
    buf_fini(bytes);
    return false;
}

/* The cache is a convenience: where it can't be written nothing is lost. */
static void to_cache(const struct look_ask *ask, const struct document_ref *ref, struct span bytes)
{
    char path[SETUP_PATH_ROOM];
    struct err ignored;
    if (look_make_cache(ask, &ignored) == E_OK && cache_path(ask, ref, path, &ignored) == E_OK &&
        platform_write_file(ask->setup->platform, path, bytes, SINK_PRIVATE, &ignored) != E_OK)
        events_say(ask->events, EVENT_WARNING, "the cache folder: %s", ignored.text);
}

static enum errc fetch_release(const struct look_ask *ask, struct look *look,
                               const struct feed_release *release, struct verified_release **out,
                               struct buf *bytes, struct err *err)
{
    char url[FETCH_URL_ROOM];
    struct fetch_answer answer = { .status = FETCH_NONE };
    if (look->fetch == NULL)
        return err_set(err, E_ABSENT, "the release document of %s is not in the cache",
                       release->version.text);
    enum errc rc = fetch_url_beside(look->from->url, release->document.path, url, err);
    if (rc == E_OK)
        rc = fetch_bytes(look->fetch, url, (size_t)release->document.size, NULL, &answer, err);
    if (rc == E_REFUSED) {
        text_copy(look->refusal, sizeof(look->refusal), "WrongDocument");
        rc = err_prefix(err, "WrongDocument: ");
    }
    if (rc == E_OK)
        rc = prove_release(buf_span(&answer.bytes), look, release, out, err);
    if (rc == E_OK) {
        to_cache(ask, &release->document, buf_span(&answer.bytes));
        *bytes = answer.bytes;
        answer.bytes = (struct buf){ .len = 0 };
    }
    fetch_answer_fini(&answer);
    return rc == E_OK ? rc : err_prefix(err, "release document of %s: ", release->version.text);
}

enum errc look_at_release(const struct look_ask *ask, struct look *look,
                          const struct feed_release *release, struct verified_release **out,
                          struct buf *document, struct err *err)
{
    struct buf bytes = { .len = 0 };
    enum errc rc = E_OK;
    if (!from_cache(ask, look, release, out, &bytes))
        rc = fetch_release(ask, look, release, out, &bytes, err);
    if (rc == E_OK && document != NULL && buf_add(document, buf_span(&bytes), err) != E_OK) {
        verified_release_free(*out);
        rc = err->code;
    }
    buf_fini(&bytes);
    return rc;
}
