/* Prints the entries of an archive as unpack reads them, or why it does not:
 *
 *   unpack_list [--entries N] [--entry-bytes N] [--total-bytes N] [--depth N] FILE
 *
 * A line an entry: kind, mode in octal, size, SHA-256 of a file's bytes or "-", path, and of links
 * the target, with tabs between; then "end" and the format. Exits 0, or 1 with "error", its name
 * and its text on standard error. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/unpack.h"
#include "platform/base/text.h"
#include "verify/digest.h"

static enum errc add_piece(void *ctx, struct span piece, struct err *err)
{
    return hasher_add(ctx, piece, err);
}

static void print_text(struct span text)
{
    char shown[8192];
    (void)printf("\t%s", text_printable(text, shown, sizeof(shown)));
}

static enum errc print_entry(struct unpack *u, struct hasher *h, const struct unpack_entry *e,
                             struct err *err)
{
    static const char *const kinds[] = { "none", "file", "folder", "link", "hardlink" };
    char hex[TEXT_SHA256_ROOM] = "-";
    struct digest_set set;
    enum errc rc = E_OK;
    if (e->kind == UNPACK_FILE) {
        rc = hasher_reset(h, err);
        if (rc == E_OK)
            rc = unpack_data(u, add_piece, h, err);
        if (rc == E_OK)
            rc = hasher_finish(h, &set, err);
        if (rc != E_OK)
            return rc;
        (void)text_to_hex(digest_span(&set.of[DIGEST_SHA256]), hex);
    }
    (void)printf("%s\t%04o\t%" PRIu64 "\t%s", kinds[e->kind], e->mode, e->size, hex);
    print_text(e->path);
    if (e->kind == UNPACK_LINK || e->kind == UNPACK_HARDLINK)
        print_text(e->target);
    (void)printf("\n");
    return rc;
}

static enum errc print_all(struct unpack *u, struct err *err)
{
    struct hasher *h;
    struct unpack_entry e;
    bool is_end = false;
    enum errc rc = hasher_new(DIGEST_BIT(DIGEST_SHA256), &h, err);
    if (rc != E_OK)
        return rc;
    while (rc == E_OK && !is_end) {
        rc = unpack_next(u, &e, &is_end, err);
        if (rc == E_OK && !is_end)
            rc = print_entry(u, h, &e, err);
    }
    hasher_free(h);
    if (rc == E_OK)
        (void)printf("end\t%s\n", unpack_format(u));
    return rc;
}

static enum errc print_archive(const char *path, const struct unpack_limits *limits,
                               struct err *err)
{
    struct source *src;
    struct unpack *u = NULL;
    enum errc rc = source_file_open(path, &src, err);
    if (rc != E_OK)
        return rc;
    rc = unpack_open(src, limits, &u, err);
    if (rc == E_OK)
        rc = print_all(u, err);
    unpack_close(u);
    source_close(src);
    return rc;
}

static bool set_limit(struct unpack_limits *limits, const char *name, const char *value)
{
    uint64_t n = strtoull(value, NULL, 10);
    if (strcmp(name, "--entries") == 0)
        limits->n_entries = (uint32_t)n;
    else if (strcmp(name, "--entry-bytes") == 0)
        limits->entry_bytes = n;
    else if (strcmp(name, "--total-bytes") == 0)
        limits->total_bytes = n;
    else if (strcmp(name, "--depth") == 0)
        limits->depth = (uint32_t)n;
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    struct unpack_limits limits = unpack_entry_limits();
    struct err err = { .code = E_OK };
    int at = 1;
    while (at + 2 < argc && set_limit(&limits, argv[at], argv[at + 1]))
        at += 2;
    if (at != argc - 1) {
        (void)fprintf(stderr, "usage: unpack_list [--LIMIT N]... FILE\n");
        return 2;
    }
    if (print_archive(argv[at], &limits, &err) == E_OK)
        return 0;
    (void)fflush(stdout);
    (void)fprintf(stderr, "error\t%s\t%s\n", errc_name(err.code), err.text);
    return 1;
}
