#ifndef SUREFOOT_TESTS_CFB_BUILD_H
#define SUREFOOT_TESTS_CFB_BUILD_H

/* cfb_build.h makes small sound compound files for tests, which then break them at known offsets.
 *
 * The file: header | each stream of 4096 bytes and more | mini stream | mini FAT | directory | FAT,
 * every chain in one piece; entry 0 is the root, entry 1 + i is item i. Siblings hang in a balanced
 * tree, all black. One FAT sector, so at most 127 or 1023 others. */

#include <stdlib.h>
#include <string.h>

#include "platform/base/reader.h"
#include "verify/cfb.h"

struct build_item {
    const char *name;   /* ASCII */
    enum cfb_type type; /* CFB_STREAM where it is 0 */
    int parent;         /* index of the storage, BUILD_ROOT for the root */
    struct span data;
    uint8_t clsid_fill, state_fill, times_fill; /* the byte that fills each */
};
#define BUILD_ROOT (-1)
#define BUILD_ITEMS_MAX 80

struct build {
    unsigned version;
    const struct build_item *items;
    size_t n_items;
    /* filled by build_file: */
    uint8_t *bytes;
    size_t len;
    size_t sector;
    size_t mini_at, minifat_at, dir_at, fat_at; /* file offsets */
    size_t n_minis;
    uint32_t next; /* the sector to be filled */
};

#define BUILD_FREE 0xFFFFFFFFU
#define BUILD_END 0xFFFFFFFEU
#define BUILD_FAT 0xFFFFFFFDU

static inline void put_u16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void put_u32(uint8_t *p, uint32_t v)
{
    put_u16(p, v & 0xFFFF);
    put_u16(p + 2, v >> 16);
}

static inline size_t build_entry_at(const struct build *b, size_t entry)
{
    return b->dir_at + entry * 128;
}

static inline uint8_t *build_entry(struct build *b, size_t entry)
{
    return b->bytes + build_entry_at(b, entry);
}

/* The table's number for a sector, to be read or changed. */
static inline uint8_t *build_fat(struct build *b, size_t sector)
{
    return b->bytes + b->fat_at + sector * 4;
}

static inline size_t build_sector_of(const struct build *b, size_t at)
{
    return at / b->sector - 1;
}

/* Takes `n` sectors at the end of the file, chained, and gives their file offset. */
static inline size_t build_take(struct build *b, size_t n, uint32_t *links)
{
    size_t at = ((size_t)b->next + 1) * b->sector;
    for (size_t i = 0; i < n; i++)
        links[b->next + i] = i + 1 < n ? b->next + (uint32_t)i + 1 : BUILD_END;
    b->next += (uint32_t)n;
    return at;
}

static inline size_t build_count(size_t len, size_t unit)
{
    return (len + unit - 1) / unit;
}

/* Name, type, colour black, no links. */
static inline void build_fill_entry(uint8_t *e, const char *name, unsigned type)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++)
        e[2 * i] = (uint8_t)name[i];
    put_u16(e + 64, (unsigned)(2 * n + 2));
    e[66] = (uint8_t)type;
    e[67] = 1;
    memset(e + 68, 0xFF, 12);
}

static inline int build_compare(const void *a, const void *b)
{
    const uint8_t *const *x = a, *const *y = b;
    return cfb_compare_names(span_of(*x, get_u16le(*x + 64) - 2U),
                             span_of(*y, get_u16le(*y + 64) - 2U));
}

static inline uint32_t build_tree(struct build *b, uint8_t **sorted, size_t low, size_t high)
{
    if (low >= high)
        return CFB_NONE;
    size_t middle = (low + high) / 2;
    put_u32(sorted[middle] + 68, build_tree(b, sorted, low, middle));
    put_u32(sorted[middle] + 72, build_tree(b, sorted, middle + 1, high));
    return (uint32_t)(((size_t)(sorted[middle] - b->bytes) - b->dir_at) / 128);
}

static inline void build_link_children(struct build *b, int parent)
{
    uint8_t *children[BUILD_ITEMS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < b->n_items; i++)
        if (b->items[i].parent == parent)
            children[n++] = build_entry(b, i + 1);
    if (n > 0)
        qsort(children, n, sizeof(uint8_t *), build_compare);
    put_u32(build_entry(b, (size_t)(parent + 1)) + 76, build_tree(b, children, 0, n));
}

static inline void build_header(struct build *b, size_t n_minifat)
{
    static const uint8_t start[] = { 0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1 };
    uint8_t *h = b->bytes;
    memcpy(h, start, sizeof(start));
    put_u16(h + 24, 0x3E);
    put_u16(h + 26, b->version);
    put_u16(h + 28, 0xFFFE);
    put_u16(h + 30, b->version == 3 ? 9 : 12);
    put_u16(h + 32, 6);
    put_u32(h + 40, b->version == 3 ? 0 : (uint32_t)build_count((b->n_items + 1) * 128, b->sector));
    put_u32(h + 44, 1);
    put_u32(h + 48, (uint32_t)build_sector_of(b, b->dir_at));
    put_u32(h + 56, 4096);
    put_u32(h + 60, n_minifat == 0 ? BUILD_END : (uint32_t)build_sector_of(b, b->minifat_at));
    put_u32(h + 64, (uint32_t)n_minifat);
    put_u32(h + 68, BUILD_END);
    memset(h + 76, 0xFF, 436);
    put_u32(h + 76, (uint32_t)build_sector_of(b, b->fat_at));
}

/* Places an item's bytes and writes its entry; the directory's place is known. */
static inline void build_item_entry(struct build *b, size_t i, size_t big_at, size_t *mini)
{
    const struct build_item *item = &b->items[i];
    uint8_t *e = build_entry(b, i + 1);
    unsigned type = item->type == CFB_EMPTY ? CFB_STREAM : item->type;
    build_fill_entry(e, item->name, type);
    memset(e + 80, item->clsid_fill, 16);
    memset(e + 96, item->state_fill, 4);
    memset(e + 100, item->times_fill, 16);
    if (type != CFB_STREAM)
        return;
    put_u32(e + 116, BUILD_END);
    put_u32(e + 120, (uint32_t)item->data.len);
    if (item->data.len >= 4096) {
        memcpy(b->bytes + big_at, item->data.ptr, item->data.len);
        put_u32(e + 116, (uint32_t)build_sector_of(b, big_at));
    } else if (item->data.len > 0) {
        size_t n = build_count(item->data.len, 64);
        memcpy(b->bytes + b->mini_at + *mini * 64, item->data.ptr, item->data.len);
        put_u32(e + 116, (uint32_t)*mini);
        for (size_t k = 0; k < n; k++)
            put_u32(b->bytes + b->minifat_at + (*mini + k) * 4,
                    k + 1 < n ? (uint32_t)(*mini + k + 1) : BUILD_END);
        *mini += n;
    }
}

/* build_file fills b->bytes; free with build_free. */
static inline void build_file(struct build *b)
{
    uint32_t links[1024];
    size_t big_at[BUILD_ITEMS_MAX] = { 0 };
    memset(links, 0xFF, sizeof(links));
    b->sector = b->version == 3 ? 512 : 4096;
    b->n_minis = 0;
    b->next = 0;
    for (size_t i = 0; i < b->n_items; i++) {
        if (b->items[i].data.len >= 4096)
            big_at[i] = build_take(b, build_count(b->items[i].data.len, b->sector), links);
        else
            b->n_minis += build_count(b->items[i].data.len, 64);
    }
    size_t n_minifat = build_count(b->n_minis * 4, b->sector);
    size_t n_dir = build_count((b->n_items + 1) * 128, b->sector);
    b->mini_at = build_take(b, build_count(b->n_minis * 64, b->sector), links);
    b->minifat_at = build_take(b, n_minifat, links);
    b->dir_at = build_take(b, n_dir, links);
    b->fat_at = build_take(b, 1, links);
    links[b->next - 1] = BUILD_FAT;

    b->len = ((size_t)b->next + 1) * b->sector;
    b->bytes = calloc(1, b->len);
    build_header(b, n_minifat);
    memset(b->bytes + b->minifat_at, 0xFF, n_minifat * b->sector);
    for (size_t i = 0; i < b->sector / 4; i++)
        put_u32(build_fat(b, i), links[i]);
    for (size_t i = 0; i < n_dir * b->sector / 128; i++)
        memset(build_entry(b, i) + 68, 0xFF, 12);
    build_fill_entry(build_entry(b, 0), "Root Entry", CFB_ROOT);
    put_u32(build_entry(b, 0) + 116,
            b->n_minis == 0 ? BUILD_END : (uint32_t)build_sector_of(b, b->mini_at));
    put_u32(build_entry(b, 0) + 120, (uint32_t)(b->n_minis * 64));
    size_t mini = 0;
    for (size_t i = 0; i < b->n_items; i++)
        build_item_entry(b, i, big_at[i], &mini);
    build_link_children(b, BUILD_ROOT);
    for (size_t i = 0; i < b->n_items; i++)
        if (b->items[i].type == CFB_STORAGE)
            build_link_children(b, (int)i);
}

static inline void build_free(struct build *b)
{
    free(b->bytes);
    b->bytes = NULL;
}

#endif
