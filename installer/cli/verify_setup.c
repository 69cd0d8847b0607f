#include "installer/cli/verify_setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest/policy_doc.h"
#include "platform/base/text.h"

#define TRUST_FILE_MAX (32 * 1024 * 1024)
#define PATH_ROOM 4096

const struct opt_spec setup_specs[] = {
    { "profile", "strict|windows", "strict (default), or as Windows judges by default", 0 },
    { "anchors", "FILE|DIR", "certificates (PEM, DER) that may end a chain", 0 },
    { "timestamp-anchors", "FILE|DIR", "the same for timestamp authorities (default: --anchors)",
      0 },
    { "publisher", "NAME", "the signer's subject must have exactly this O or CN", 0 },
    { "pin", "KIND:HEX", "sha256:HEX or spki-sha256:HEX of a certificate in the chain", 0 },
    { "sha256", "HEX", "the whole file must have this hash (one file)", 0 },
    { "key", "FILE", "public key for minisign", 0 },
    { "catalog", "FILE.cat", "judge the files by their membership in this catalog", 0 },
    { "eku", "NAME|OID", "purpose of a detached CMS signer (default codeSigning)", 0 },
    { "crl", "FILE", "a revocation list; --revocation crl unless that says off", 0 },
    { "revocation", "off|crl|online", "off (default, and said so), or lists for all", 0 },
    { "require-timestamp", NULL, "refuse what has no valid timestamp", 0 },
    { "at", "TIME", "judge as of this time (RFC 3339; default: now)", 0 },
    { "policy", "FILE", "all of these as one XML document", 0 },
    { "allow", "CODE", "an exception to strict: sha1, rsa1024, UnsignedMetadata, ...", 0 },
    { "require", "SYSTEM+SYSTEM", "all of authenticode, cms, minisign that must hold", 0 },
    { "all-signatures", NULL, "every signature must meet the policy, not one of them", 0 },
    { "signature", "FILE", "a detached signature (default: FILE.p7s, FILE.minisig)", 0 },
    { "file-digest", NULL, "add the SHA-256 of the whole file to the report", 0 },
};
const size_t setup_n_specs = ARRAY_LEN(setup_specs);

enum errc setup_init(struct verify_setup *s, struct platform *platform, struct err *err)
{
    *s = (struct verify_setup){ .platform = platform };
    enum errc rc = trust_new(&s->trust, err);
    s->policy = (struct policy){ .trust = s->trust, .publishers = s->publishers, .pins = s->pins };
    return rc;
}

void setup_fini(struct verify_setup *s)
{
    catalog_free(s->catalog);
    trust_free(s->trust);
    for (size_t i = 0; i < s->n_owned; i++)
        free(s->owned[i]);
    *s = (struct verify_setup){ .platform = NULL };
}

/* Keeps a copy of text for as long as the setup lives. */
static enum errc keep(struct verify_setup *s, const char *text, const char **out, struct err *err)
{
    if (s->n_owned == ARRAY_LEN(s->owned))
        return err_set(err, E_LIMIT, "more than %zu values in a policy document",
                       ARRAY_LEN(s->owned));
    char *copy = strdup(text);
    if (copy == NULL)
        return err_nomem(err);
    s->owned[s->n_owned++] = copy;
    *out = copy;
    return E_OK;
}

static bool is_absolute(const char *path)
{
    return path[0] == '/' || path[0] == '\\' || (path[0] != '\0' && path[1] == ':');
}

/* A path named in a policy document is relative to that document. */
static enum errc resolve(const struct verify_setup *s, const char *path, char to[PATH_ROOM],
                         struct err *err)
{
    const char *base = s->base == NULL || is_absolute(path) ? "" : s->base;
    int n = snprintf(to, PATH_ROOM, "%s%s", base, path);
    if (n < 0 || n >= PATH_ROOM)
        return err_set(err, E_ARGUMENT, "a path longer than %d bytes", PATH_ROOM - 1);
    return E_OK;
}

/* A bad trust file is the user's to mend: all of these are usage errors but real I/O and memory
 * trouble. */
static enum errc as_usage(enum errc rc, const char *option, const char *path, struct err *err)
{
    char shown[100];
    if (rc == E_OK)
        return rc;
    if (rc != E_NOMEM && rc != E_IO)
        err->code = E_ARGUMENT;
    return err_prefix(err, "--%s %s: ", option,
                      text_printable(span_text(path), shown, sizeof(shown)));
}

typedef enum errc (*trust_add_fn)(struct verify_setup *s, struct span bytes, struct err *err);

static enum errc add_code_anchors(struct verify_setup *s, struct span bytes, struct err *err)
{
    s->has_anchors = true;
    return trust_add_anchors(s->trust, ANCHOR_CODE, bytes, err);
}

static enum errc add_timestamp_anchors(struct verify_setup *s, struct span bytes, struct err *err)
{
    return trust_add_anchors(s->trust, ANCHOR_TIMESTAMP, bytes, err);
}

static enum errc add_crls(struct verify_setup *s, struct span bytes, struct err *err)
{
    return trust_add_crls(s->trust, bytes, err);
}

static enum errc add_key(struct verify_setup *s, struct span bytes, struct err *err)
{
    return trust_add_key(s->trust, bytes, err);
}

static enum errc add_file(struct verify_setup *s, const char *path, trust_add_fn add,
                          struct err *err)
{
    struct buf bytes;
    enum errc rc = platform_read_file(s->platform, path, TRUST_FILE_MAX, &bytes, err);
    if (rc == E_OK)
        rc = add(s, buf_span(&bytes), err);
    buf_fini(&bytes);
    return rc;
}

struct folder {
    struct verify_setup *s;
    const char *path;
    trust_add_fn add;
    size_t n_added;
};

static bool is_certificate_name(const char *name)
{
    static const char *const endings[] = { ".pem", ".crt", ".cer", ".der" };
    size_t len = strlen(name);
    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        if (len > 4 && strcmp(name + len - 4, endings[i]) == 0)
            return true;
    return false;
}

static enum errc add_from_folder(void *ctx, const char *name, struct err *err)
{
    struct folder *folder = ctx;
    char path[PATH_ROOM];
    char shown[100];
    if (!is_certificate_name(name))
        return E_OK;
    int n = snprintf(path, sizeof(path), "%s/%s", folder->path, name);
    if (n < 0 || (size_t)n >= sizeof(path))
        return err_set(err, E_ARGUMENT, "a path longer than %d bytes", PATH_ROOM - 1);
    folder->n_added++;
    enum errc rc = add_file(folder->s, path, folder->add, err);
    return rc == E_OK
               ? rc
               : err_prefix(err, "%s: ", text_printable(span_text(name), shown, sizeof(shown)));
}

static enum errc add_path(struct verify_setup *s, const char *option, const char *value,
                          trust_add_fn add, bool may_be_folder, struct err *err)
{
    char path[PATH_ROOM];
    enum fs_kind kind = FS_FILE;
    enum errc rc = resolve(s, value, path, err);
    if (rc == E_OK)
        rc = s->platform->fs->kind(s->platform->self, path, &kind, err);
    if (rc == E_OK && kind == FS_FOLDER && may_be_folder) {
        struct folder folder = { s, path, add, 0 };
        rc = s->platform->fs->list(s->platform->self, path, add_from_folder, &folder, err);
        if (rc == E_OK && folder.n_added == 0)
            rc = err_set(err, E_ARGUMENT, "has no certificate (*.pem, *.crt, *.cer, *.der)");
    } else if (rc == E_OK) {
        rc = add_file(s, path, add, err);
    }
    return as_usage(rc, option, value, err);
}

static enum errc add_publisher(struct verify_setup *s, const char *value, struct err *err)
{
    if (s->policy.n_publishers == SETUP_LIST_MAX)
        return err_set(err, E_ARGUMENT, "more than %d times --publisher", SETUP_LIST_MAX);
    if (!text_is_utf8(span_text(value)))
        return err_set(err, E_ARGUMENT, "--publisher: the name is no UTF-8");
    s->publishers[s->policy.n_publishers++] = value;
    return E_OK;
}

static enum errc add_pin(struct verify_setup *s, const char *value, struct err *err)
{
    if (s->policy.n_pins == SETUP_LIST_MAX)
        return err_set(err, E_ARGUMENT, "more than %d times --pin", SETUP_LIST_MAX);
    enum errc rc = policy_read_pin(value, &s->pins[s->policy.n_pins], err);
    if (rc == E_OK)
        s->policy.n_pins++;
    return rc;
}

static enum errc set_profile(struct verify_setup *s, const char *value, struct err *err)
{
    if (strcmp(value, "strict") == 0)
        s->policy.profile = PROFILE_STRICT;
    else if (strcmp(value, "windows") == 0)
        s->policy.profile = PROFILE_WINDOWS;
    else
        return err_set(err, E_ARGUMENT, "--profile is strict or windows");
    return E_OK;
}

static enum errc set_sha256(struct verify_setup *s, const char *value, struct err *err)
{
    uint8_t bytes[sizeof(s->policy.sha256)];
    if (!text_from_hex(span_text(value), bytes, sizeof(bytes)))
        return err_set(err, E_ARGUMENT, "--sha256 wants 64 hex digits");
    if (s->policy.has_sha256 &&
        !span_equal(span_of(bytes, sizeof(bytes)), span_of(s->policy.sha256, sizeof(bytes))))
        return err_set(err, E_ARGUMENT, "two different --sha256: a file has one");
    memcpy(s->policy.sha256, bytes, sizeof(bytes));
    s->policy.has_sha256 = true;
    return E_OK;
}

static enum errc set_revocation(struct verify_setup *s, const char *value, struct err *err)
{
    s->has_revocation = true;
    if (strcmp(value, "off") == 0)
        s->policy.revocation = REVOCATION_OFF;
    else if (strcmp(value, "crl") == 0)
        s->policy.revocation = REVOCATION_CRL;
    else if (strcmp(value, "online") == 0)
        return err_set(
            err, E_ARGUMENT,
            "--revocation online is not in this version: fetch the lists and name them with --crl");
    else
        return err_set(err, E_ARGUMENT, "--revocation is off, crl or online");
    return E_OK;
}

static enum errc set_eku(struct verify_setup *s, const char *value, struct err *err)
{
    static const struct {
        const char *name, *oid;
    } names[] = {
        { "any", EKU_ANY },
        { "codeSigning", "1.3.6.1.5.5.7.3.3" },
        { "emailProtection", "1.3.6.1.5.5.7.3.4" },
        { "serverAuth", "1.3.6.1.5.5.7.3.1" },
        { "clientAuth", "1.3.6.1.5.5.7.3.2" },
        { "timeStamping", "1.3.6.1.5.5.7.3.8" },
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i].name, value) == 0) {
            s->policy.cms_eku = names[i].oid;
            return E_OK;
        }
    }
    if (strspn(value, "0123456789.") != strlen(value) || strchr(value, '.') == NULL)
        return err_set(err, E_ARGUMENT,
                       "--eku wants codeSigning, emailProtection, any, ... or a dotted OID");
    s->policy.cms_eku = value;
    return E_OK;
}

static enum errc add_allowance(struct verify_setup *s, const char *value, struct err *err)
{
    uint32_t bit = policy_allowance_of(value);
    if (bit == 0)
        return err_set(err, E_ARGUMENT,
                       "--allow wants sha1, rsa1024, UnsignedMetadata, UncoveredData, "
                       "CertificateTablePadding or "
                       "ChecksumMismatch");
    s->policy.allowed |= bit;
    return E_OK;
}

static enum errc set_required(struct verify_setup *s, const char *value, struct err *err)
{
    return policy_read_systems(value, &s->policy.required_systems, err);
}

static enum errc set_time(struct verify_setup *s, const char *value, struct err *err)
{
    if (!text_parse_time(span_text(value), &s->policy.now))
        return err_set(err, E_ARGUMENT, "--at wants a time like 2026-01-31T12:00:00Z");
    s->has_at = true;
    return E_OK;
}

static enum errc add_signature(struct verify_setup *s, const char *value, struct err *err)
{
    if (s->n_signatures == SETUP_SIGNATURES_MAX)
        return err_set(err, E_ARGUMENT, "more than %d times --signature", SETUP_SIGNATURES_MAX);
    s->signatures[s->n_signatures++] = value;
    return E_OK;
}

static enum errc apply_doc(struct verify_setup *s, const struct policy_doc *doc, struct err *err)
{
    for (size_t i = 0; i < doc->n; i++) {
        const char *value = NULL;
        enum errc rc =
            doc->items[i].value == NULL ? E_OK : keep(s, doc->items[i].value, &value, err);
        if (rc == E_OK)
            rc = setup_option(s, doc->items[i].name, value, err);
        if (rc != E_OK)
            return err_prefix(err, "line %d: ", doc->items[i].line);
    }
    return E_OK;
}

/* "dir/policy.xml" gives "dir/", so that a relative path can be put behind it. */
static void folder_of(const char *path, char to[PATH_ROOM])
{
    size_t len = strlen(text_copy(to, PATH_ROOM, path));
    while (len > 0 && to[len - 1] != '/' && to[len - 1] != '\\')
        len--;
    to[len] = '\0';
}

static enum errc apply_policy_file(struct verify_setup *s, const char *path, struct err *err)
{
    struct buf bytes;
    struct policy_doc doc = { .n = 0 };
    char base[PATH_ROOM];
    if (s->base != NULL)
        return err_set(err, E_ARGUMENT, "a policy document cannot name another");
    folder_of(path, base);
    enum errc rc = platform_read_file(s->platform, path, POLICY_DOC_BYTES_MAX, &bytes, err);
    if (rc == E_OK)
        rc = policy_doc_read(buf_span(&bytes), &doc, err);
    if (rc == E_OK) {
        s->base = base;
        rc = apply_doc(s, &doc, err);
        s->base = NULL;
    }
    policy_doc_fini(&doc);
    buf_fini(&bytes);
    return as_usage(rc, "policy", path, err);
}

static enum errc set_catalog(struct verify_setup *s, const char *value, struct err *err)
{
    char path[PATH_ROOM];
    if (s->catalog_path != NULL)
        return err_set(err, E_ARGUMENT, "--catalog may stand once");
    enum errc rc = resolve(s, value, path, err);
    return rc == E_OK ? keep(s, path, &s->catalog_path, err) : rc;
}

enum errc setup_option(struct verify_setup *s, const char *name, const char *value, struct err *err)
{
    if (strcmp(name, "anchors") == 0)
        return add_path(s, name, value, add_code_anchors, true, err);
    if (strcmp(name, "timestamp-anchors") == 0)
        return add_path(s, name, value, add_timestamp_anchors, true, err);
    if (strcmp(name, "crl") == 0)
        return add_path(s, name, value, add_crls, false, err);
    if (strcmp(name, "key") == 0)
        return add_path(s, name, value, add_key, false, err);
    if (strcmp(name, "publisher") == 0)
        return add_publisher(s, value, err);
    if (strcmp(name, "pin") == 0)
        return add_pin(s, value, err);
    if (strcmp(name, "profile") == 0)
        return set_profile(s, value, err);
    if (strcmp(name, "sha256") == 0)
        return set_sha256(s, value, err);
    if (strcmp(name, "revocation") == 0)
        return set_revocation(s, value, err);
    if (strcmp(name, "eku") == 0)
        return set_eku(s, value, err);
    if (strcmp(name, "allow") == 0)
        return add_allowance(s, value, err);
    if (strcmp(name, "require") == 0)
        return set_required(s, value, err);
    if (strcmp(name, "at") == 0)
        return set_time(s, value, err);
    if (strcmp(name, "signature") == 0)
        return add_signature(s, value, err);
    if (strcmp(name, "catalog") == 0)
        return set_catalog(s, value, err);
    if (strcmp(name, "policy") == 0)
        return apply_policy_file(s, value, err);
    if (strcmp(name, "require-timestamp") == 0)
        s->policy.require_timestamp = true;
    else if (strcmp(name, "all-signatures") == 0)
        s->policy.all_signatures = true;
    else if (strcmp(name, "file-digest") == 0)
        s->policy.want_file_digest = true;
    else
        return err_set(err, E_ABSENT, "--%s is no trust option", name);
    return E_OK;
}

static enum errc add_system_anchor(void *ctx, struct span der, struct err *err)
{
    struct err ignored = { .code = E_OK };
    enum errc rc = add_code_anchors(ctx, der, &ignored);
    /* The system's store may hold what we do not read: that one then ends no chain. */
    return rc == E_NOMEM ? err_nomem(err) : E_OK;
}

/* Anchors by default: anchors.d in the configuration folder, and the system's own store where it
 * has one. Not where the user said otherwise: named anchors, pinned a certificate, or gave only a
 * key. */
static enum errc add_default_anchors(struct verify_setup *s, struct err *err)
{
    char path[PATH_ROOM];
    enum fs_kind kind = FS_ABSENT;
    uint32_t certs = SYSTEM_AUTHENTICODE | SYSTEM_CMS;
    bool key_alone = trust_n_keys(s->trust) > 0 && (s->policy.required_systems & certs) == 0;
    if (s->has_anchors || policy_demands_chain(&s->policy) ||
        (key_alone && s->policy.n_publishers == 0))
        return E_OK;
    enum errc rc =
        s->platform->host->config_folder(s->platform->self, path, sizeof(path) - 16, err);
    if (rc != E_OK)
        return rc;
    size_t len = strlen(path);
    (void)text_copy(path + len, sizeof(path) - len, "/anchors.d");
    rc = s->platform->fs->kind(s->platform->self, path, &kind, err);
    if (rc == E_OK && kind == FS_FOLDER) {
        struct folder folder = { s, path, add_code_anchors, 0 };
        rc = s->platform->fs->list(s->platform->self, path, add_from_folder, &folder, err);
        rc = as_usage(rc, "anchors", path, err);
    }
    if (rc == E_OK)
        rc = s->platform->host->system_anchors(s->platform->self, add_system_anchor, s, err);
    return rc;
}

static enum errc load_catalog(struct verify_setup *s, struct err *err)
{
    struct source *src = NULL;
    if (s->catalog_path == NULL)
        return E_OK;
    enum errc rc = s->platform->fs->open_source(s->platform->self, s->catalog_path, &src, err);
    if (rc == E_OK)
        rc = catalog_open(src, &s->policy, &s->catalog, err);
    source_close(src);
    s->policy.catalog = s->catalog;
    return as_usage(rc, "catalog", s->catalog_path, err);
}

enum errc setup_finish(struct verify_setup *s, struct err *err)
{
    if (!s->has_at)
        s->policy.now = s->platform->host->now(s->platform->self);
    if (!s->has_revocation && trust_n_crls(s->trust) > 0)
        s->policy.revocation = REVOCATION_CRL;
    enum errc rc = add_default_anchors(s, err);
    if (rc == E_OK)
        rc = policy_check_usable(&s->policy, err);
    if (rc == E_OK)
        rc = load_catalog(s, err);
    return rc;
}
