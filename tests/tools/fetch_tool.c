/* Downloads as the upgrade does, for tests:
 *
 *   fetch_tool [OPTIONS] bytes URL...             each URL after the other, with one handle
 *   fetch_tool [OPTIONS] file PATH SIZE SHA256 URL...
 *
 * Prints, with tabs between, for each document "new" or "same", its size, SHA-256, ETag, date and
 * the URL that it came from; for a file "done", number of the URL, bytes kept, bytes fetched,
 * tries. Exits 0, or 1 with "error", its name and its text on standard error (and, for a file,
 * "done" as above on standard output). */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/fetch.h"
#include "manifest/product.h"
#include "platform/base/text.h"
#include "platform/console.h"
#include "verify/digest.h"

struct tool {
    struct fetch_settings settings;
    struct fetch_condition condition;
    struct buf ca;
    uint64_t cap;
    uint64_t stop_after; /* bytes; 0: never */
};

static enum errc stop_when_enough(void *ctx, uint64_t got, uint64_t total, struct err *err)
{
    const struct tool *t = ctx;
    UNUSED(total);
    if (t->stop_after > 0 && got >= t->stop_after)
        return err_set(err, E_BUSY, "stopped by hand");
    return E_OK;
}

static void print_answer(const struct fetch_answer *a)
{
    struct digest d;
    char hex[TEXT_SHA256_ROOM] = "-";
    if (a->status == FETCH_NEW &&
        digest_bytes(DIGEST_SHA256, buf_span(&a->bytes), &d, NULL) == E_OK)
        (void)text_to_hex(digest_span(&d), hex);
    (void)printf("%s\t%zu\t%s\t%s\t%s\t%s\n", a->status == FETCH_NEW ? "new" : "same", a->bytes.len,
                 hex, a->etag, a->last_modified, a->url);
}

static enum errc get_documents(const struct tool *t, struct fetch *f, char **urls, int n,
                               struct err *err)
{
    enum errc rc = E_OK;
    for (int i = 0; i < n && rc == E_OK; i++) {
        struct fetch_answer answer;
        rc = fetch_bytes(f, urls[i], (size_t)t->cap, &t->condition, &answer, err);
        if (rc != E_OK)
            return rc;
        print_answer(&answer);
        fetch_answer_fini(&answer);
    }
    return rc;
}

static enum errc get_file(struct fetch *f, char **args, int n, struct err *err)
{
    struct fetch_want want = { .urls = (const char *const *)(args + 3), .n_urls = (size_t)n - 3 };
    struct fetch_done done = { .n_tries = 0 };
    want.size = strtoull(args[1], NULL, 10);
    if (!text_from_hex(span_text(args[2]), want.sha256, sizeof(want.sha256)))
        return err_set(err, E_ARGUMENT, "no SHA-256");
    enum errc rc = fetch_file(f, &want, args[0], &done, err);
    (void)printf("done\t%zu\t%" PRIu64 "\t%" PRIu64 "\t%u\n", done.url, done.n_kept, done.n_fetched,
                 done.n_tries);
    return rc;
}

static enum errc run(const struct tool *t, char **args, int n, struct err *err)
{
    struct fetch *f;
    enum errc rc = fetch_new(&t->settings, &f, err);
    if (rc != E_OK)
        return rc;
    if (strcmp(args[0], "bytes") == 0)
        rc = get_documents(t, f, args + 1, n - 1, err);
    else
        rc = n > 4 ? get_file(f, args + 1, n - 1, err) : err_set(err, E_ARGUMENT, "no such use");
    fetch_free(f);
    return rc;
}

static void set_proxy(struct fetch_settings *s, const char *value)
{
    s->proxy_use = PROXY_URL;
    s->proxy_url = value;
    if (strcmp(value, "none") == 0)
        s->proxy_use = PROXY_NONE;
    if (strcmp(value, "system") == 0)
        s->proxy_use = PROXY_SYSTEM;
}

static bool set_text(struct tool *t, const char *name, const char *value)
{
    if (strcmp(name, "--proxy") == 0)
        set_proxy(&t->settings, value);
    else if (strcmp(name, "--login") == 0)
        t->settings.proxy_login = value;
    else if (strcmp(name, "--etag") == 0)
        t->condition.etag = value;
    else if (strcmp(name, "--date") == 0)
        t->condition.last_modified = value;
    else if (strcmp(name, "--agent") == 0)
        t->settings.agent = value;
    else
        return false;
    return true;
}

static bool set_number(struct tool *t, const char *name, const char *value)
{
    uint64_t n = strtoull(value, NULL, 10);
    if (strcmp(name, "--cap") == 0)
        t->cap = n;
    else if (strcmp(name, "--rate") == 0)
        t->settings.rate_limit_bytes = n;
    else if (strcmp(name, "--stall") == 0)
        t->settings.stall_s = (int64_t)n;
    else if (strcmp(name, "--deadline") == 0)
        t->settings.deadline_s = (int64_t)n;
    else if (strcmp(name, "--tries") == 0)
        t->settings.n_tries = (unsigned)n;
    else if (strcmp(name, "--backoff") == 0)
        t->settings.backoff_ms = (uint32_t)n;
    else if (strcmp(name, "--seed") == 0)
        t->settings.seed = n;
    else if (strcmp(name, "--stop-after") == 0)
        t->stop_after = n;
    else
        return false;
    return true;
}

static bool set_ca(struct tool *t, const char *path)
{
    buf_init(&t->ca, 1 << 20);
    if (platform_read_file(platform_native(), path, t->ca.cap, &t->ca, NULL) != E_OK)
        return false;
    t->settings.ca = buf_span(&t->ca);
    return true;
}

/* read_options: how many words they are. */
static int read_options(struct tool *t, int argc, char **argv)
{
    int at = 1;
    while (at < argc && argv[at][0] == '-') {
        if (strcmp(argv[at], "--allow-http") == 0)
            t->settings.allows_http = true;
        else if (strcmp(argv[at], "--past-caches") == 0)
            t->condition.past_caches = true;
        else if (at + 1 == argc)
            return argc;
        else if (strcmp(argv[at], "--ca") == 0 ? !set_ca(t, argv[at + 1])
                                               : !set_text(t, argv[at], argv[at + 1]) &&
                                                     !set_number(t, argv[at], argv[at + 1]))
            return argc;
        else
            at++;
        at++;
    }
    return at;
}

int main(int argc, char **argv)
{
    struct tool t = { .cap = 1 << 20 };
    struct err err = { .code = E_OK };
    digest_init_library();
    (void)console_init();
    t.settings = (struct fetch_settings){ .platform = platform_native(),
                                          .proxy_use = PROXY_NONE,
                                          .stall_s = 10,
                                          .deadline_s = 60,
                                          .agent = "surefoot-test/1",
                                          .progress = stop_when_enough,
                                          .ctx = &t };
    int at = read_options(&t, argc, argv);
    if (at + 2 > argc) {
        (void)fprintf(stderr,
                      "usage: fetch_tool [OPTIONS] bytes URL... | file PATH SIZE SHA256 URL...\n");
        return 2;
    }
    enum errc rc = run(&t, argv + at, argc - at, &err);
    buf_fini(&t.ca);
    if (rc == E_OK)
        return 0;
    (void)fflush(stdout);
    (void)fprintf(stderr, "error\t%s\t%s\n", errc_name(err.code), err.text);
    return 1;
}
