#include "installer/cli/beside.h"

#include <stdio.h>

#include "platform/base/text.h"
#include "verify/detached.h"

#define PATH_ROOM 4096

static enum errc add(struct platform *platform, struct beside *b, const char *path, bool was_named,
                     struct err *err)
{
    char shown[120];
    if (b->n == BESIDE_MAX)
        return err_set(err, E_ARGUMENT, "more than %d signatures of one file", BESIDE_MAX);
    enum errc rc = platform_read_file(platform, path, DETACHED_SIGNATURE_MAX, &b->bytes[b->n], err);
    if (rc != E_OK)
        return err_prefix(err,
                          "signature %s: ", text_printable(span_text(path), shown, sizeof(shown)));
    b->list[b->n] = (struct judge_signature){ buf_span(&b->bytes[b->n]), was_named };
    b->n++;
    return E_OK;
}

static enum errc add_if_there(struct platform *platform, struct beside *b, const char *file,
                              const char *ending, struct err *err)
{
    char path[PATH_ROOM];
    enum fs_kind kind;
    int n = snprintf(path, sizeof(path), "%s%s", file, ending);
    if (n < 0 || (size_t)n >= sizeof(path))
        return E_OK; /* no file can have such a name */
    enum errc rc = platform->fs->kind(platform->self, path, &kind, err);
    return rc == E_OK && kind == FS_FILE ? add(platform, b, path, false, err) : rc;
}

enum errc beside_find(struct platform *platform, const char *file, const char *const *named,
                      size_t n_named, struct beside *out, struct err *err)
{
    enum errc rc = E_OK;
    *out = (struct beside){ .n = 0 };
    for (size_t i = 0; i < n_named && rc == E_OK; i++)
        rc = add(platform, out, named[i], true, err);
    if (n_named > 0)
        return rc;
    rc = add_if_there(platform, out, file, ".p7s", err);
    return rc == E_OK ? add_if_there(platform, out, file, ".minisig", err) : rc;
}

void beside_fini(struct beside *b)
{
    for (size_t i = 0; i < b->n; i++)
        buf_fini(&b->bytes[i]);
    b->n = 0;
}
