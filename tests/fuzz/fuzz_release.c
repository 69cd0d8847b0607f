#include "manifest/release.h"

#include <stdlib.h>
#include <string.h>

#include "manifest/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static bool is_one_bit_or_none(uint32_t bits)
{
    return bits == 0 || (bits & (bits - 1)) == 0;
}

static void look_at_path(const char *before, const char *path)
{
    demand(path_check(span_text(path), NULL) == E_OK);
    demand(before == NULL || strcmp(before, path) < 0);
}

static void look_at_tree(const struct payload *p)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < p->files.n; i++) {
        look_at_path(i == 0 ? NULL : p->files.items[i - 1].path, p->files.items[i].path);
        demand(p->files.items[i].mode <= 0777);
        sum += p->files.items[i].size;
    }
    for (size_t i = 0; i < p->folders.n; i++)
        look_at_path(i == 0 ? NULL : p->folders.items[i - 1].path, p->folders.items[i].path);
    for (size_t i = 0; i < p->links.n; i++) {
        look_at_path(i == 0 ? NULL : p->links.items[i - 1].path, p->links.items[i].path);
        demand(p->links.items[i].to[0] != '\0' && p->links.items[i].to[0] != '/');
    }
    demand(sum == p->unpacked_size && p->files.n >= 1);
}

/* look_at_clashes: no file or link is at or above another path of the tree, byte for byte. */
static bool is_at_or_above(const char *a, const char *b)
{
    size_t len = strlen(a);
    return strncmp(a, b, len) == 0 && (b[len] == '/' || b[len] == '\0');
}

static void look_at_clashes(const struct payload *p)
{
    for (size_t i = 0; i < p->files.n && i < 50; i++) {
        for (size_t k = 0; k < p->files.n && k < 50; k++)
            demand(i == k || !is_at_or_above(p->files.items[i].path, p->files.items[k].path));
        for (size_t k = 0; k < p->folders.n && k < 50; k++)
            demand(!is_at_or_above(p->files.items[i].path, p->folders.items[k].path));
        for (size_t k = 0; k < p->links.n && k < 50; k++)
            demand(!is_at_or_above(p->files.items[i].path, p->links.items[k].path) &&
                   !is_at_or_above(p->links.items[k].path, p->files.items[i].path));
    }
}

static void look_at_demands(const struct payload *p)
{
    demand(p->demands.n >= 1 && p->demands.n <= 3);
    for (size_t i = 0; i < p->demands.n; i++) {
        const struct payload_demand *d = &p->demands.items[i];
        demand(d->system >= DEMAND_AUTHENTICODE && d->system <= DEMAND_MINISIGN);
        demand(p->kind == PAYLOAD_MSI || d->system != DEMAND_AUTHENTICODE);
        demand(d->system != DEMAND_MINISIGN || (d->publisher == NULL && !d->needs_timestamp));
        for (size_t k = 0; k < i; k++)
            demand(p->demands.items[k].system != d->system);
    }
}

static void look_at_payload(const struct payload *p)
{
    demand(p->kind == PAYLOAD_ARCHIVE || p->kind == PAYLOAD_MSI);
    demand(is_one_bit_or_none(p->os) && is_one_bit_or_none(p->arch));
    demand(p->size >= 1);
    look_at_path(NULL, p->path);
    look_at_demands(p);
    bool has_code = p->upgrade_code != NULL, has_version = p->product_version.text[0] != '\0';
    if (p->kind == PAYLOAD_MSI) {
        demand(has_code && p->product_code != NULL && has_version);
        demand(p->os == UINT32_C(1) << OS_WINDOWS);
        demand(p->files.n + p->folders.n + p->links.n == 0);
    } else {
        demand(!has_code && p->product_code == NULL && !has_version);
        look_at_tree(p);
        look_at_clashes(p);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct release r;
    struct err err;
    if (release_read_unverified(span_of(data, size), &r, &err) != E_OK)
        return 0;
    demand(size <= RELEASE_BYTES_MAX && r.product != NULL && r.version.text[0] != '\0');
    demand(r.payloads.n >= 1 && r.payloads.n <= RELEASE_PAYLOADS_MAX);
    for (size_t i = 0; i < r.payloads.n; i++) {
        const struct payload *p = &r.payloads.items[i];
        look_at_payload(p);
        for (size_t k = 0; k < i; k++)
            demand(r.payloads.items[k].kind != p->kind || r.payloads.items[k].os != p->os ||
                   r.payloads.items[k].arch != p->arch);
    }
    release_fini(&r);
    return 0;
}
