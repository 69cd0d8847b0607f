/* Reads documents as their kind's reader does, and says what it found:
 *
 *   document_read feed|release|product|policy FILE...
 *
 * Prints a line for each file, "ok" or the error, and exits 0 where all are ok, else 1. It proves
 * nothing: what it reads nobody has signed. */

#include <stdio.h>
#include <string.h>

#include "manifest/feed.h"
#include "manifest/policy_doc.h"
#include "manifest/product.h"
#include "manifest/release.h"
#include "platform/base/buf.h"
#include "platform/platform.h"

static enum errc read_feed(struct span bytes, struct err *err)
{
    struct feed feed;
    enum errc rc = feed_read_unverified(bytes, &feed, err);
    if (rc == E_OK)
        feed_fini(&feed);
    return rc;
}

static enum errc read_release(struct span bytes, struct err *err)
{
    struct release release;
    enum errc rc = release_read_unverified(bytes, &release, err);
    if (rc == E_OK)
        release_fini(&release);
    return rc;
}

static enum errc read_product(struct span bytes, struct err *err)
{
    struct product product;
    enum errc rc = product_read(bytes, &product, err);
    if (rc == E_OK)
        product_fini(&product);
    return rc;
}

static enum errc read_policy(struct span bytes, struct err *err)
{
    static struct policy_doc doc;
    enum errc rc = policy_doc_read(bytes, &doc, err);
    policy_doc_fini(&doc);
    return rc;
}

static const struct kind {
    const char *name;
    enum errc (*read)(struct span bytes, struct err *err);
} kinds[] = { { "feed", read_feed },
              { "release", read_release },
              { "product", read_product },
              { "policy", read_policy } };

static enum errc read_as(const char *name, struct span bytes, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return kinds[i].read(bytes, err);
    return err_set(err, E_ARGUMENT, "no kind of document is called \"%.40s\"", name);
}

static bool read_file(const char *name, const char *path)
{
    struct err err = { .code = E_OK };
    struct buf b;
    enum errc rc =
        platform_read_file(platform_native(), path, RELEASE_BYTES_MAX + (size_t)1, &b, &err);
    if (rc == E_OK)
        rc = read_as(name, buf_span(&b), &err);
    buf_fini(&b);
    (void)printf("%s\n", rc == E_OK ? "ok" : err.text);
    return rc == E_OK;
}

int main(int argc, char **argv)
{
    bool all_ok = true;
    if (argc < 3)
        return 2;
    for (int i = 2; i < argc; i++)
        all_ok = read_file(argv[1], argv[i]) && all_ok;
    return !all_ok;
}
