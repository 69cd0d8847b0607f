#include "keys/publish/write_release.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest/xml_out.h"
#include "platform/base/sort.h"
#include "platform/base/text.h"

/* --- order: pointers to the items, sorted by the path that each begins with */

/* Every item that is sorted has its path at `path_at`. */
struct sorted {
    const void **items; /* owned */
    size_t n, path_at;
};

static const char *path_of(const struct sorted *s, size_t i)
{
    return *(const char *const *)(const void *)((const char *)s->items[i] + s->path_at);
}

static bool is_before(void *ctx, size_t i, size_t k)
{
    return strcmp(path_of(ctx, i), path_of(ctx, k)) < 0;
}

static void swap(void *ctx, size_t i, size_t k)
{
    struct sorted *s = ctx;
    const void *kept = s->items[i];
    s->items[i] = s->items[k];
    s->items[k] = kept;
}

static void sorted_fini(struct sorted *s)
{
    free(s->items);
}

/* sorted_init: `first` is an array of n items of `size` bytes. */
static enum errc sorted_init(struct sorted *s, const void *first, size_t n, size_t size,
                             size_t path_at, struct err *err)
{
    *s = (struct sorted){ calloc(n + 1, sizeof(*s->items)), n, path_at };
    if (s->items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++)
        s->items[i] = (const char *)first + i * size;
    sort_items(n, is_before, swap, s);
    return E_OK;
}

struct payload_order {
    struct sorted files, folders, links;
};

struct order {
    struct sorted payloads;
    struct payload_order *of; /* of each payload as sorted; owned */
};

static void order_fini(struct order *o)
{
    for (size_t i = 0; o->of != NULL && i < o->payloads.n; i++) {
        sorted_fini(&o->of[i].files);
        sorted_fini(&o->of[i].folders);
        sorted_fini(&o->of[i].links);
    }
    free(o->of);
    sorted_fini(&o->payloads);
}

static enum errc order_payload(struct payload_order *o, const struct payload *p, struct err *err)
{
    enum errc rc = sorted_init(&o->files, p->files.items, p->files.n, sizeof(*p->files.items),
                               offsetof(struct release_file, path), err);
    if (rc == E_OK)
        rc = sorted_init(&o->folders, p->folders.items, p->folders.n, sizeof(*p->folders.items),
                         offsetof(struct release_folder, path), err);
    if (rc == E_OK)
        rc = sorted_init(&o->links, p->links.items, p->links.n, sizeof(*p->links.items),
                         offsetof(struct release_link, path), err);
    return rc;
}

static enum errc order_init(struct order *o, const struct release *r, struct err *err)
{
    *o = (struct order){ .of = calloc(r->payloads.n + 1, sizeof(*o->of)) };
    if (o->of == NULL)
        return err_nomem(err);
    enum errc rc = sorted_init(&o->payloads, r->payloads.items, r->payloads.n,
                               sizeof(*r->payloads.items), offsetof(struct payload, path), err);
    for (size_t i = 0; i < r->payloads.n && rc == E_OK; i++)
        rc = order_payload(&o->of[i], o->payloads.items[i], err);
    return rc;
}

/* --- writing */

/* put_word writes the one word of a set; nothing for an empty set. */
static void put_word(struct xml_out *x, const char *name, uint32_t set, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++)
        if ((set >> i & 1) != 0)
            xml_out_attr_text(x, name, words[i]);
}

static void put_mode(struct xml_out *x, uint32_t mode)
{
    char text[12];
    (void)snprintf(text, sizeof(text), "%03" PRIo32, mode);
    xml_out_attr_text(x, "mode", text);
}

static void put_demand(struct xml_out *x, const struct payload_demand *d)
{
    xml_out_start(x, "demand");
    xml_out_attr_text(x, "system", demand_system_words[d->system]);
    if (d->publisher != NULL)
        xml_out_attr_text(x, "publisher", d->publisher);
    if (d->needs_timestamp)
        xml_out_attr_text(x, "timestamp", "true");
    xml_out_end(x);
}

static void put_mirror(struct xml_out *x, const struct payload_mirror *m)
{
    xml_out_start(x, "mirror");
    xml_out_text(x, span_text(m->url));
    xml_out_end(x);
}

static void put_folder(struct xml_out *x, const struct release_folder *f)
{
    xml_out_start(x, "folder");
    xml_out_attr_text(x, "path", f->path);
    put_mode(x, f->mode);
    xml_out_end(x);
}

static void put_file(struct xml_out *x, const struct release_file *f)
{
    xml_out_start(x, "file");
    xml_out_attr_text(x, "path", f->path);
    xml_out_attr_number(x, "size", f->size);
    xml_out_attr_hex(x, "sha256", span_of(f->sha256, sizeof(f->sha256)));
    put_mode(x, f->mode);
    xml_out_end(x);
}

static void put_link(struct xml_out *x, const struct release_link *l)
{
    xml_out_start(x, "link");
    xml_out_attr_text(x, "path", l->path);
    xml_out_attr_text(x, "to", l->to);
    xml_out_end(x);
}

static void put_codes(struct xml_out *x, const struct payload *p)
{
    if (p->upgrade_code != NULL)
        xml_out_attr_text(x, "upgrade-code", p->upgrade_code);
    if (p->product_code != NULL)
        xml_out_attr_text(x, "product-code", p->product_code);
    if (p->product_version.text[0] != '\0')
        xml_out_attr_text(x, "product-version", p->product_version.text);
}

static void put_payload(struct xml_out *x, const struct payload *p, const struct payload_order *o)
{
    xml_out_start(x, "payload");
    xml_out_attr_text(x, "kind", payload_kind_words[p->kind]);
    put_word(x, "os", p->os, target_os_words);
    put_word(x, "arch", p->arch, target_arch_words);
    xml_out_attr_text(x, "path", p->path);
    xml_out_attr_number(x, "size", p->size);
    xml_out_attr_hex(x, "sha256", span_of(p->sha256, sizeof(p->sha256)));
    xml_out_attr_number(x, "unpacked-size", p->unpacked_size);
    put_codes(x, p);
    for (size_t i = 0; i < p->mirrors.n; i++)
        put_mirror(x, &p->mirrors.items[i]);
    for (size_t i = 0; i < p->demands.n; i++)
        put_demand(x, &p->demands.items[i]);
    for (size_t i = 0; i < o->folders.n; i++)
        put_folder(x, o->folders.items[i]);
    for (size_t i = 0; i < o->files.n; i++)
        put_file(x, o->files.items[i]);
    for (size_t i = 0; i < o->links.n; i++)
        put_link(x, o->links.items[i]);
    xml_out_end(x);
}

static void put_release(struct xml_out *x, const struct release *r, const struct order *o)
{
    xml_out_start(x, "release");
    xml_out_attr_text(x, "xmlns", RELEASE_NS);
    xml_out_attr_text(x, "product", r->product);
    xml_out_attr_text(x, "version", r->version.text);
    xml_out_attr_time(x, "created", r->created);
    for (size_t i = 0; i < o->payloads.n; i++)
        put_payload(x, o->payloads.items[i], &o->of[i]);
    xml_out_end(x);
}

/* --- reading back */

/* Texts that may be absent. */
static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_demands(const struct payload *a, const struct payload *b)
{
    bool same = a->demands.n == b->demands.n;
    for (size_t i = 0; same && i < a->demands.n; i++) {
        const struct payload_demand *x = &a->demands.items[i], *y = &b->demands.items[i];
        same = x->system == y->system && same_text(x->publisher, y->publisher) &&
               x->needs_timestamp == y->needs_timestamp;
    }
    return same;
}

static bool same_mirrors(const struct payload *a, const struct payload *b)
{
    bool same = a->mirrors.n == b->mirrors.n;
    for (size_t i = 0; same && i < a->mirrors.n; i++)
        same = strcmp(a->mirrors.items[i].url, b->mirrors.items[i].url) == 0;
    return same;
}

static bool same_files(const struct sorted *s, const struct payload *back)
{
    bool same = s->n == back->files.n;
    for (size_t i = 0; same && i < s->n; i++) {
        const struct release_file *a = s->items[i], *b = &back->files.items[i];
        same = strcmp(a->path, b->path) == 0 && a->size == b->size && a->mode == b->mode &&
               memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0;
    }
    return same;
}

static bool same_folders(const struct sorted *s, const struct payload *back)
{
    bool same = s->n == back->folders.n;
    for (size_t i = 0; same && i < s->n; i++) {
        const struct release_folder *a = s->items[i], *b = &back->folders.items[i];
        same = strcmp(a->path, b->path) == 0 && a->mode == b->mode;
    }
    return same;
}

static bool same_links(const struct sorted *s, const struct payload *back)
{
    bool same = s->n == back->links.n;
    for (size_t i = 0; same && i < s->n; i++) {
        const struct release_link *a = s->items[i], *b = &back->links.items[i];
        same = strcmp(a->path, b->path) == 0 && strcmp(a->to, b->to) == 0;
    }
    return same;
}

static bool same_head(const struct payload *a, const struct payload *b)
{
    return a->kind == b->kind && a->os == b->os && a->arch == b->arch &&
           strcmp(a->path, b->path) == 0 && a->size == b->size &&
           memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0 &&
           a->unpacked_size == b->unpacked_size && same_text(a->upgrade_code, b->upgrade_code) &&
           same_text(a->product_code, b->product_code) &&
           strcmp(a->product_version.text, b->product_version.text) == 0;
}

static bool same_payload(const struct payload *a, const struct payload_order *o,
                         const struct payload *back)
{
    return same_head(a, back) && same_mirrors(a, back) && same_demands(a, back) &&
           same_files(&o->files, back) && same_folders(&o->folders, back) &&
           same_links(&o->links, back);
}

static bool same_release(const struct release *r, const struct order *o, const struct release *back)
{
    bool same = strcmp(r->product, back->product) == 0 &&
                strcmp(r->version.text, back->version.text) == 0 && r->created == back->created &&
                r->payloads.n == back->payloads.n;
    for (size_t i = 0; same && i < back->payloads.n; i++)
        same = same_payload(o->payloads.items[i], &o->of[i], &back->payloads.items[i]);
    return same;
}

static enum errc check_back(const struct release *release, const struct order *o, struct span bytes,
                            struct err *err)
{
    struct release back;
    enum errc rc = release_read_unverified(bytes, &back, err);
    if (rc != E_OK)
        return err_prefix(err, "no client would read this release: ");
    if (!same_release(release, o, &back))
        rc = err_set(err, E_INTERNAL, "the release does not read back as it was written");
    release_fini(&back);
    return rc;
}

enum errc write_release(const struct release *release, struct buf *out, struct err *err)
{
    struct order o;
    struct xml_out x;
    size_t at = out->len;
    enum errc rc = order_init(&o, release, err);
    if (rc == E_OK) {
        xml_out_init(&x, out);
        put_release(&x, release, &o);
        rc = xml_out_finish(&x, err);
    }
    if (rc == E_OK)
        rc = check_back(release, &o, span_sub(buf_span(out), at, out->len), err);
    if (rc != E_OK)
        out->len = at;
    order_fini(&o);
    return rc;
}
