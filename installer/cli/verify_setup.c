#include "installer/cli/verify_setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/trust_files.h"
#include "manifest/policy_doc.h"
#include "manifest/product.h"
#include "platform/base/text.h"

const struct opt_spec verify_setup_specs[] = {
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
    { "revocation", "off|crl|online",
      "off (default, and said so), or lists for all: given, or fetched", 0 },
    { "require-timestamp", NULL, "refuse what has no valid timestamp", 0 },
    { "at", "TIME", "judge as of this time (RFC 3339; default: now)", 0 },
    { "policy", "FILE", "all of these as one XML document", 0 },
    { "allow", "CODE", "an exception to strict: sha1, rsa1024, UnsignedMetadata, ...", 0 },
    { "require", "SYSTEM+SYSTEM", "all of authenticode, cms, minisign that must hold", 0 },
    { "all-signatures", NULL, "every signature must meet the policy, not one of them", 0 },
    { "signature", "FILE", "a detached signature (default: FILE.p7s, FILE.minisig)", 0 },
    { "file-digest", NULL, "add the SHA-256 of the whole file to the report", 0 },
};
const size_t verify_setup_n_specs = ARRAY_LEN(verify_setup_specs);

enum errc verify_setup_init(struct verify_setup *s, struct platform *platform, struct err *err)
{
    *s = (struct verify_setup){ .platform = platform };
    enum errc rc = trust_new(&s->trust, err);
    s->policy = (struct policy){ .trust = s->trust,
                                 .publishers = s->publishers,
                                 .pins = s->pins,
                                 .witness = platform->witness,
                                 .witness_self = platform->self };
    return rc;
}

void verify_setup_fini(struct verify_setup *s)
{
    catalog_free(s->catalog);
    revocation_free(s->revocation);
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

static struct trust_files files_of(const struct verify_setup *s)
{
    return (struct trust_files){ s->platform, s->base };
}

/* A bad trust file is the user's to mend: all of these are usage errors but real I/O and memory
 * trouble. */
static enum errc as_usage(struct verify_setup *s, enum errc rc, const char *option,
                          const char *path, struct err *err)
{
    char shown[100];
    if (rc == E_OK)
        return rc;
    s->blames_file = true;
    if (rc != E_NOMEM && rc != E_IO)
        err->code = E_ARGUMENT;
    return err_prefix(err, "--%s %s: ", option,
                      text_printable(span_text(path), shown, sizeof(shown)));
}

static enum errc add_files(struct verify_setup *s, const char *option, const char *value,
                           enum trust_file what, struct err *err)
{
    struct trust_files files = files_of(s);
    if (what == TRUST_FILE_ANCHORS)
        s->has_anchors = true;
    return as_usage(s, trust_files_add(&files, what, value, s->trust, err), option, value, err);
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
        s->policy.revocation = REVOCATION_ONLINE;
    else
        return err_set(err, E_ARGUMENT, "--revocation is off, crl or online");
    return E_OK;
}

static enum errc set_eku(struct verify_setup *s, const char *value, struct err *err)
{
    return policy_read_eku(value, &s->policy.cms_eku, err);
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
            rc = verify_setup_option(s, doc->items[i].name, value, err);
        if (rc != E_OK)
            return err_prefix(err, "line %d: ", doc->items[i].line);
    }
    return E_OK;
}

static enum errc apply_policy_file(struct verify_setup *s, const char *path, struct err *err)
{
    struct buf bytes;
    struct policy_doc doc = { .n = 0 };
    char base[TRUST_PATH_ROOM];
    if (s->base != NULL)
        return err_set(err, E_ARGUMENT, "a policy document cannot name another");
    trust_files_folder_of(s->platform, path, base);
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
    return as_usage(s, rc, "policy", path, err);
}

static enum errc set_catalog(struct verify_setup *s, const char *value, struct err *err)
{
    struct trust_files files = files_of(s);
    char path[TRUST_PATH_ROOM];
    if (s->catalog_path != NULL)
        return err_set(err, E_ARGUMENT, "--catalog may stand once");
    enum errc rc = trust_files_resolve(&files, value, path, err);
    return rc == E_OK ? keep(s, path, &s->catalog_path, err) : rc;
}

enum errc verify_setup_option(struct verify_setup *s, const char *name, const char *value,
                              struct err *err)
{
    if (strcmp(name, "anchors") == 0)
        return add_files(s, name, value, TRUST_FILE_ANCHORS, err);
    if (strcmp(name, "timestamp-anchors") == 0)
        return add_files(s, name, value, TRUST_FILE_TIMESTAMP_ANCHORS, err);
    if (strcmp(name, "crl") == 0)
        return add_files(s, name, value, TRUST_FILE_CRL, err);
    if (strcmp(name, "key") == 0)
        return add_files(s, name, value, TRUST_FILE_KEY, err);
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

/* Anchors by default: anchors.d in the configuration folder, and the system's own store where it
 * has one. Not where the user said otherwise: named anchors, pinned a certificate, or gave only a
 * key. */
static enum errc add_default_anchors(struct verify_setup *s, struct err *err)
{
    uint32_t certs = SYSTEM_AUTHENTICODE | SYSTEM_CMS;
    bool key_alone = trust_n_keys(s->trust) > 0 && (s->policy.required_systems & certs) == 0;
    struct trust_files files = files_of(s);
    if (s->has_anchors || policy_demands_chain(&s->policy) ||
        (key_alone && s->policy.n_publishers == 0))
        return E_OK;
    enum errc rc = trust_files_add_default_anchors(&files, s->trust, err);
    s->blames_file = rc != E_OK;
    return rc == E_OK ? rc : err_prefix(err, "--anchors ");
}

struct opening {
    struct verify_setup *s;
    struct source *src;
};

static enum errc open_once(void *ctx, const struct policy *policy, struct err *err)
{
    const struct opening *o = ctx;
    catalog_free(o->s->catalog);
    o->s->catalog = NULL;
    return catalog_open(o->src, policy, &o->s->catalog, err);
}

/* open_catalog judges the catalog's own signature. */
static enum errc open_catalog(struct verify_setup *s, struct source *src, struct err *err)
{
    struct opening o = { s, src };
    return revocation_judge(s->revocation, s->trust, &s->policy, open_once, &o, err);
}

static enum errc load_catalog(struct verify_setup *s, struct err *err)
{
    struct source *src = NULL;
    if (s->catalog_path == NULL)
        return E_OK;
    enum errc rc = s->platform->fs->open_source(s->platform->self, s->catalog_path, &src, err);
    if (rc == E_OK)
        rc = open_catalog(s, src, err);
    source_close(src);
    s->policy.catalog = s->catalog;
    return as_usage(s, rc, "catalog", s->catalog_path, err);
}

static enum errc go_online(struct verify_setup *s, struct err *err)
{
    const struct fetch_settings settings = { .platform = s->platform,
                                             .proxy_use = PROXY_SYSTEM,
                                             .agent = "surefoot" };
    if (s->policy.revocation != REVOCATION_ONLINE)
        return E_OK;
    enum errc rc = revocation_new(&settings, &s->revocation, err);
    if (rc == E_UNSUPPORTED)
        return err_set(err, E_ARGUMENT,
                       "--revocation online: this program was built without a network; fetch the "
                       "lists and name them with --crl");
    return rc == E_OK ? rc : err_prefix(err, "--revocation online: ");
}

enum errc verify_setup_finish(struct verify_setup *s, struct err *err)
{
    if (!s->has_at)
        s->policy.now = s->platform->host->now(s->platform->self);
    if (!s->has_revocation && trust_n_crls(s->trust) > 0)
        s->policy.revocation = REVOCATION_CRL;
    enum errc rc = add_default_anchors(s, err);
    if (rc == E_OK)
        rc = policy_check_usable(&s->policy, err);
    if (rc == E_OK)
        rc = go_online(s, err);
    if (rc == E_OK)
        rc = load_catalog(s, err);
    return rc;
}
