/* Fails allocations of the reading of a document in turn, libxml2's too, and looks at what was
 * read.
 *
 *   alloc_fail_document feed|release FILE
 *
 * Each allocation fails once alone and once with all after it. The document must then be read as it
 * is where nothing fails, or memory ran out; and all that was allocated is freed again. Prints "N
 * allocations" and exits 0, or says which ones went wrong and exits 1. glibc only: it stands in for
 * malloc. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest/feed.h"
#include "manifest/release.h"
#include "platform/base/buf.h"
#include "platform/platform.h"
#include "tests/tools/alloc_plan.h"

#define COMPLAINTS_MAX 20
#define TOLD_MAX (1024 * 1024)

/* --- what was read, as text */

struct telling {
    char text[TOLD_MAX];
    size_t len;
};

static void tell(struct telling *t, const char *text)
{
    size_t len = strlen(text);
    if (len >= sizeof(t->text) - t->len - 1)
        abort();
    memcpy(t->text + t->len, text, len);
    t->len += len;
    t->text[t->len++] = '\n';
    t->text[t->len] = '\0';
}

static void tell_number(struct telling *t, uint64_t n)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%" PRIu64, n);
    tell(t, text);
}

static void tell_text(struct telling *t, const char *text)
{
    tell(t, text == NULL ? "(none)" : text);
}

static void tell_hash(struct telling *t, const uint8_t hash[32])
{
    for (size_t i = 0; i < 32; i += 8) {
        uint64_t eight;
        memcpy(&eight, hash + i, sizeof(eight));
        tell_number(t, eight);
    }
}

static void tell_feed_release(struct telling *t, const struct feed_release *r)
{
    tell(t, r->version.text);
    tell_number(t, (uint64_t)r->status * 10 + (uint64_t)r->severity);
    tell(t, r->document.path);
    tell_number(t, r->document.size);
    tell_hash(t, r->document.sha256);
    tell_number(t, (uint64_t)r->rollout.start);
    tell_number(t, r->rollout.percent);
    tell_number(t, (uint64_t)r->rollout.step_s);
    tell_number(t, (uint64_t)r->os << 32 | r->arch);
    tell_number(t, (uint64_t)r->install_by);
    for (size_t i = 0; i < r->from.n; i++) {
        tell(t, r->from.items[i].lowest.text);
        tell(t, r->from.items[i].below.text);
    }
    for (size_t i = 0; i < r->skip.n; i++)
        tell(t, r->skip.items[i].version.start.text);
}

static void tell_feed(struct telling *t, const struct feed *f)
{
    tell(t, f->product);
    tell(t, f->channel);
    tell_number(t, f->serial);
    tell_number(t, (uint64_t)f->issued);
    tell_number(t, (uint64_t)f->expires);
    for (size_t i = 0; i < f->releases.n; i++)
        tell_feed_release(t, &f->releases.items[i]);
    for (size_t i = 0; i < f->supports.n; i++) {
        tell(t, f->supports.items[i].version.start.text);
        tell_number(t, (uint64_t)f->supports.items[i].ends);
        tell_number(t, (uint64_t)f->supports.items[i].notice_s);
    }
}

static void tell_tree(struct telling *t, const struct payload *p)
{
    for (size_t i = 0; i < p->files.n; i++) {
        tell(t, p->files.items[i].path);
        tell_number(t, p->files.items[i].size);
        tell_hash(t, p->files.items[i].sha256);
        tell_number(t, p->files.items[i].mode);
    }
    for (size_t i = 0; i < p->folders.n; i++) {
        tell(t, p->folders.items[i].path);
        tell_number(t, p->folders.items[i].mode);
    }
    for (size_t i = 0; i < p->links.n; i++) {
        tell(t, p->links.items[i].path);
        tell(t, p->links.items[i].to);
    }
}

static void tell_payload(struct telling *t, const struct payload *p)
{
    tell_number(t, (uint64_t)p->kind);
    tell_number(t, (uint64_t)p->os << 32 | p->arch);
    tell(t, p->path);
    tell_number(t, p->size);
    tell_hash(t, p->sha256);
    tell_number(t, p->unpacked_size);
    tell_text(t, p->upgrade_code);
    tell_text(t, p->product_code);
    tell(t, p->product_version.text);
    for (size_t i = 0; i < p->mirrors.n; i++)
        tell(t, p->mirrors.items[i].url);
    for (size_t i = 0; i < p->demands.n; i++) {
        tell_number(t, (uint64_t)p->demands.items[i].system);
        tell_text(t, p->demands.items[i].publisher);
        tell_number(t, p->demands.items[i].needs_timestamp);
    }
    tell_tree(t, p);
}

static void tell_release(struct telling *t, const struct release *r)
{
    tell(t, r->product);
    tell(t, r->version.text);
    tell_number(t, (uint64_t)r->created);
    for (size_t i = 0; i < r->payloads.n; i++)
        tell_payload(t, &r->payloads.items[i]);
}

/* --- one reading */

static enum errc read_once(bool is_feed, struct span bytes, struct telling *t, struct err *err)
{
    struct feed feed;
    struct release release;
    enum errc rc = is_feed ? feed_read_unverified(bytes, &feed, err)
                           : release_read_unverified(bytes, &release, err);
    t->len = 0;
    t->text[0] = '\0';
    if (rc != E_OK)
        return rc;
    if (is_feed) {
        tell_feed(t, &feed);
        feed_fini(&feed);
    } else {
        tell_release(t, &release);
        release_fini(&release);
    }
    return rc;
}

struct trial {
    bool is_feed;
    struct span bytes;
    struct telling wanted, said;
    unsigned n_complaints;
};

static void complain(struct trial *t, uint64_t first, uint64_t end, const char *what)
{
    t->n_complaints++;
    (void)printf("allocation %" PRIu64 "%s: %s\n", first, end > first + 1 ? " and on" : "", what);
}

/* run reads with [first, end) failing, and gives how many allocations were made. */
static uint64_t run(struct trial *t, uint64_t first, uint64_t end)
{
    struct err err = { .code = E_OK };
    int64_t n_live = plan.n_live;
    plan.n_seen = 0;
    plan.first = first;
    plan.end = end;
    enum errc rc = read_once(t->is_feed, t->bytes, &t->said, &err);
    uint64_t n = plan.n_seen;
    plan.first = plan.end = 0;
    if (rc == E_OK && strcmp(t->said.text, t->wanted.text) != 0)
        complain(t, first, end, "the document is read as another");
    else if (rc != E_OK && rc != E_NOMEM)
        complain(t, first, end, err.text);
    if (plan.n_live != n_live)
        complain(t, first, end, "memory is not given back");
    return n;
}

int main(int argc, char **argv)
{
    static struct trial t;
    struct err err;
    struct buf b;
    if (argc != 3 || platform_read_file(platform_native(), argv[2], TOLD_MAX, &b, &err) != E_OK)
        return 2;
    t.is_feed = strcmp(argv[1], "feed") == 0;
    t.bytes = buf_span(&b);
    if (read_once(t.is_feed, t.bytes, &t.wanted, &err) != E_OK) {
        (void)printf("with all the memory there is: %s\n", err.text);
        buf_fini(&b);
        return 1;
    }
    uint64_t n = 1;
    while (t.n_complaints < COMPLAINTS_MAX && run(&t, n, n + 1) >= n)
        (void)run(&t, n++, UINT64_MAX);
    (void)printf("%" PRIu64 " allocations\n", n - 1);
    buf_fini(&b);
    return t.n_complaints != 0;
}
