/* Packs a folder, as surefoot-publish does, and prints what it packed:
 *
 *   pack_tree [--time SECONDS] [--level N] [--folders] FOLDER ARCHIVE
 *
 * A line an entry: kind, mode in octal, size, SHA-256 of a file or "-", path, and of links the
 * target, with tabs between; then "end", the archive's size, SHA-256 and the sum of all files.
 * Exits 0, or 1 with "error", its name and its text on standard error. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/publish/pack.h"
#include "platform/base/text.h"

static void print_entry(const struct tree_entry *e)
{
    static const char *const kinds[] = { "none", "file", "folder", "link" };
    char hex[TEXT_SHA256_ROOM] = "-";
    if (e->kind == TREE_FILE)
        (void)text_to_hex(digest_span(&e->sha256), hex);
    (void)printf("%s\t%04o\t%" PRIu64 "\t%s\t%s%s%s\n", kinds[e->kind], e->mode, e->size, hex,
                 e->path, e->target == NULL ? "" : "\t", e->target == NULL ? "" : e->target);
}

static enum errc write_archive(struct tree *t, const struct pack_options *options, const char *path,
                               struct err *err)
{
    struct pack_result result;
    struct sink *sink;
    char hex[TEXT_SHA256_ROOM];
    enum errc rc = sink_file_create(path, 0, &sink, err);
    if (rc != E_OK)
        return rc;
    rc = pack_tree(t, options, sink, &result, err);
    if (rc != E_OK) {
        sink_abort(sink);
        return rc;
    }
    rc = sink_commit(sink, err);
    if (rc == E_OK)
        (void)printf("end\t%" PRIu64 "\t%s\t%" PRIu64 "\n", result.size,
                     text_to_hex(digest_span(&result.sha256), hex), result.unpacked_size);
    return rc;
}

static enum errc pack_folder(const char *folder, const char *path, const struct tree_options *how,
                             const struct pack_options *options, struct err *err)
{
    struct tree *t;
    enum errc rc = tree_read(platform_native(), folder, how, &t, err);
    if (rc != E_OK)
        return rc;
    for (size_t i = 0; i < tree_n(t); i++)
        print_entry(tree_get(t, i));
    rc = write_archive(t, options, path, err);
    tree_free(t);
    return rc;
}

int main(int argc, char **argv)
{
    struct tree_options how = { .lists_folders = false };
    struct pack_options options = { .level = PACK_LEVEL };
    struct err err = { .code = E_OK };
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--folders") == 0)
            how.lists_folders = true;
        else if (at + 1 < argc && strcmp(argv[at], "--time") == 0)
            options.time = strtoll(argv[++at], NULL, 10);
        else if (at + 1 < argc && strcmp(argv[at], "--level") == 0)
            options.level = (int)strtol(argv[++at], NULL, 10);
    }
    if (at != argc - 2) {
        (void)fprintf(stderr, "usage: pack_tree [OPTIONS] FOLDER ARCHIVE\n");
        return 2;
    }
    if (pack_folder(argv[at], argv[at + 1], &how, &options, &err) == E_OK)
        return 0;
    (void)fflush(stdout);
    (void)fprintf(stderr, "error\t%s\t%s\n", errc_name(err.code), err.text);
    return 1;
}
