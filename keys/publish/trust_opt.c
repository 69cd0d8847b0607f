#include "keys/publish/trust_opt.h"

#include <string.h>

#include "platform/base/text.h"

const struct opt_spec trust_opt_specs[] = {
    { "key", "FILE.pub", "a minisign public key (repeatable)", 0 },
    { "anchors", "FILE|DIR", "certificates (PEM, DER) that may end a chain (repeatable)", 0 },
    { "timestamp-anchors", "FILE|DIR", "the same for timestamp authorities (default: --anchors)",
      0 },
    { "publisher", "NAME", "the signer's subject must have exactly this O or CN", 0 },
    { "at", "TIME", "judge as of this time (RFC 3339; default: now)", 0 },
};
const size_t trust_opt_n_specs = ARRAY_LEN(trust_opt_specs);

enum errc trust_opt_init(struct trust_opt *t, struct platform *platform, struct err *err)
{
    *t = (struct trust_opt){ .platform = platform };
    enum errc rc = trust_new(&t->trust, err);
    t->policy = (struct policy){ .trust = t->trust,
                                 .publishers = t->publishers,
                                 .all_signatures = true,
                                 .now = platform->host->now(platform->self) };
    return rc;
}

void trust_opt_fini(struct trust_opt *t)
{
    trust_free(t->trust);
    *t = (struct trust_opt){ .platform = NULL };
}

static enum errc add_file(struct trust_opt *t, const char *option, const char *path,
                          enum trust_file what, struct err *err)
{
    if (t->n_files == TRUST_OPT_FILES_MAX)
        return err_set(err, E_ARGUMENT, "more than %d files of keys and certificates",
                       TRUST_OPT_FILES_MAX);
    t->files[t->n_files++] = (struct trust_opt_file){ option, path, what };
    return E_OK;
}

static enum errc add_publisher(struct trust_opt *t, const char *value, struct err *err)
{
    if (t->policy.n_publishers == TRUST_OPT_PUBLISHERS_MAX)
        return err_set(err, E_ARGUMENT, "more than %d times --publisher", TRUST_OPT_PUBLISHERS_MAX);
    if (!text_is_utf8(span_text(value)))
        return err_set(err, E_ARGUMENT, "--publisher: the name is no UTF-8");
    t->publishers[t->policy.n_publishers++] = value;
    return E_OK;
}

static enum errc set_time(struct trust_opt *t, const char *value, struct err *err)
{
    if (!text_parse_time(span_text(value), &t->policy.now))
        return err_set(err, E_ARGUMENT, "--at wants a time like 2026-01-31T12:00:00Z");
    t->has_at = true;
    return E_OK;
}

enum errc trust_opt_take(struct trust_opt *t, const char *name, const char *value, bool *out_taken,
                         struct err *err)
{
    *out_taken = true;
    if (strcmp(name, "key") == 0 || strcmp(name, "trusted-key") == 0)
        return add_file(t, name, value, TRUST_FILE_KEY, err);
    if (strcmp(name, "anchors") == 0)
        return add_file(t, name, value, TRUST_FILE_ANCHORS, err);
    if (strcmp(name, "timestamp-anchors") == 0)
        return add_file(t, name, value, TRUST_FILE_TIMESTAMP_ANCHORS, err);
    if (strcmp(name, "publisher") == 0)
        return add_publisher(t, value, err);
    if (strcmp(name, "at") == 0)
        return set_time(t, value, err);
    *out_taken = false;
    return E_OK;
}

static bool has_file(const struct trust_opt *t, enum trust_file what)
{
    for (size_t i = 0; i < t->n_files; i++)
        if (t->files[i].what == what)
            return true;
    return false;
}

bool trust_opt_is_given(const struct trust_opt *t)
{
    return has_file(t, TRUST_FILE_KEY) || has_file(t, TRUST_FILE_ANCHORS);
}

enum errc trust_opt_check(const struct trust_opt *t, struct err *err)
{
    if (t->policy.n_publishers > 0 && !has_file(t, TRUST_FILE_ANCHORS))
        return err_set(err, E_ARGUMENT, "--publisher speaks of certificates: add --anchors");
    if (!trust_opt_is_given(t))
        return err_set(err, E_ARGUMENT,
                       "nothing to trust: without --key or --anchors nothing could be accepted");
    return E_OK;
}

static enum errc load_file(struct trust_opt *t, const struct trust_opt_file *file, struct err *err)
{
    const struct trust_files files = { t->platform, NULL };
    char shown[100];
    if (trust_files_add(&files, file->what, file->path, t->trust, err) == E_OK)
        return E_OK;
    return err_prefix(err, "--%s %s: ", file->option,
                      text_printable(span_text(file->path), shown, sizeof(shown)));
}

enum errc trust_opt_load(struct trust_opt *t, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < t->n_files && rc == E_OK; i++)
        rc = load_file(t, &t->files[i], err);
    if (!t->has_at)
        t->policy.now = t->platform->host->now(t->platform->self);
    return rc;
}
