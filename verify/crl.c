#include "verify/crl.h"

#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "platform/base/text.h"
#include "verify/cert_private.h"
#include "verify/trust_private.h"

#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define PLACES_SAID_MAX 8 /* a path's findings; past them no more addresses are told */

struct crl {
    X509_CRL *list;
    const char *why_not; /* it can never count; NULL where it can */
    bool is_sha1;
    bool has_next_update;
    int64_t this_update, next_update;
};

/* --- reading */

static bool time_of(const ASN1_TIME *t, int64_t *out)
{
    struct tm tm;
    return t != NULL && ASN1_TIME_to_tm(t, &tm) == 1 &&
           text_time_of(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                        tm.tm_sec, out);
}

static const char *why_not_extension(X509_EXTENSION *ext)
{
    switch (OBJ_obj2nid(X509_EXTENSION_get_object(ext))) {
    case NID_delta_crl: return "is a delta";
    case NID_issuing_distribution_point: return "speaks for a part of the certificates only";
    default: break;
    }
    return X509_EXTENSION_get_critical(ext) ? "has a critical extension that is not known" : NULL;
}

static const char *why_not_entry_extension(X509_EXTENSION *ext)
{
    switch (OBJ_obj2nid(X509_EXTENSION_get_object(ext))) {
    case NID_crl_reason:
    case NID_invalidity_date: return NULL;
    case NID_certificate_issuer: return "speaks for other issuers";
    default: break;
    }
    return X509_EXTENSION_get_critical(ext) ? "has an entry with a critical extension not known"
                                            : NULL;
}

static const char *why_not_entries(X509_CRL *list)
{
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(list);
    const char *why = NULL;
    for (int i = 0; i < sk_X509_REVOKED_num(entries); i++) {
        const X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);
        for (int k = 0; k < X509_REVOKED_get_ext_count(entry) && why == NULL; k++)
            why = why_not_entry_extension(X509_REVOKED_get_ext(entry, k));
    }
    return why;
}

static const char *why_not_digest(X509_CRL *list, bool *out_is_sha1)
{
    int md = NID_undef, key = NID_undef;
    (void)OBJ_find_sigid_algs(X509_CRL_get_signature_nid(list), &md, &key);
    *out_is_sha1 = md == NID_sha1;
    switch (md) {
    case NID_sha1:
    case NID_sha224:
    case NID_sha256:
    case NID_sha384:
    case NID_sha512: return NULL;
    default: return key == NID_ED25519 ? NULL : "is signed with an algorithm that is not used here";
    }
}

static enum errc look_through(struct crl *c, struct err *err)
{
    if (!time_of(X509_CRL_get0_lastUpdate(c->list), &c->this_update))
        return err_set(err, E_MALFORMED, "a time that is none");
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(c->list);
    c->has_next_update = next != NULL;
    if (next != NULL && !time_of(next, &c->next_update))
        return err_set(err, E_MALFORMED, "a time that is none");
    c->why_not = why_not_digest(c->list, &c->is_sha1);
    for (int i = 0; i < X509_CRL_get_ext_count(c->list) && c->why_not == NULL; i++)
        c->why_not = why_not_extension(X509_CRL_get_ext(c->list, i));
    if (c->why_not == NULL)
        c->why_not = why_not_entries(c->list);
    if (c->why_not == NULL && !c->has_next_update)
        c->why_not = "does not say how long it holds";
    return E_OK;
}

/* sort_entries makes OpenSSL sort them now, before threads share the list. */
static enum errc sort_entries(struct crl *c, struct err *err)
{
    X509_REVOKED *found;
    ASN1_INTEGER *any = ASN1_INTEGER_new();
    if (any == NULL)
        return err_nomem(err);
    (void)X509_CRL_get0_by_serial(c->list, &found, any);
    ASN1_INTEGER_free(any);
    return E_OK;
}

static enum errc read_list(struct crl *c, struct span der, struct err *err)
{
    const unsigned char *at = der.ptr;
    openssl_begin();
    if (der.len == 0 || der.len > LONG_MAX)
        return err_set(err, E_MALFORMED, "%zu bytes", der.len);
    c->list = digest_context() == NULL ? NULL : X509_CRL_new_ex(digest_context(), NULL);
    if (c->list == NULL)
        return err_nomem(err);
    if (d2i_X509_CRL(&c->list, &at, (long)der.len) == NULL)
        return openssl_nomem() ? err_nomem(err) : err_set(err, E_MALFORMED, "not an X.509 list");
    if (at != der.ptr + der.len)
        return err_set(err, E_MALFORMED, "bytes behind its end");
    enum errc rc = look_through(c, err);
    if (rc == E_OK)
        rc = sort_entries(c, err);
    return rc == E_OK && openssl_nomem() ? err_nomem(err) : rc;
}

enum errc crl_read(struct span der, struct crl **out, struct err *err)
{
    struct crl *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return err_nomem(err);
    enum errc rc = read_list(c, der, err);
    if (rc != E_OK) {
        crl_free(c);
        err_prefix(err, "revocation list: ");
        return rc;
    }
    *out = c;
    return E_OK;
}

void crl_free(struct crl *c)
{
    if (c == NULL)
        return;
    X509_CRL_free(c->list);
    free(c);
}

/* --- asking */

static bool is_of_issuer(const struct crl *c, const struct cert *issuer)
{
    return X509_NAME_cmp(X509_CRL_get_issuer(c->list), X509_get_subject_name(issuer->x509)) == 0;
}

/* why_not_from is why this list by this issuer says nothing at all, NULL where it speaks. */
static const char *why_not_from(const struct crl *c, const struct cert *issuer, int64_t now)
{
    if (c->why_not != NULL)
        return c->why_not;
    if (c->this_update > now)
        return "is from the future";
    if ((X509_get_key_usage(issuer->x509) & X509v3_KU_CRL_SIGN) == 0)
        return "is by a certificate that may not sign lists";
    EVP_PKEY *key = cert_key(issuer, NULL);
    if (key == NULL || X509_CRL_verify(c->list, key) != 1)
        return "has a signature that does not verify";
    return NULL;
}

struct revocation_entry {
    int64_t at; /* INT64_MIN where the entry's time is none */
    long reason;
    bool has_invalid_since;
    int64_t invalid_since; /* INT64_MIN likewise */
};

static void read_entry(X509_REVOKED *entry, struct revocation_entry *out)
{
    *out = (struct revocation_entry){ .at = INT64_MIN, .reason = CRL_REASON_UNSPECIFIED };
    int64_t when;
    if (time_of(X509_REVOKED_get0_revocationDate(entry), &when))
        out->at = when;
    /* A reason that does not read may be any: the worst. */
    int found = -1;
    ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, &found, NULL);
    if (reason != NULL)
        out->reason = ASN1_ENUMERATED_get(reason);
    else if (found != -1)
        out->reason = CRL_REASON_KEY_COMPROMISE;
    ASN1_ENUMERATED_free(reason);
    ASN1_GENERALIZEDTIME *since =
        X509_REVOKED_get_ext_d2i(entry, NID_invalidity_date, &found, NULL);
    out->has_invalid_since = since != NULL || found != -1;
    out->invalid_since = since != NULL && time_of(since, &when) ? when : INT64_MIN;
    ASN1_GENERALIZEDTIME_free(since);
}

static bool was_good_then(const struct revocation_entry *entry, const struct crl_ask *ask)
{
    bool is_compromise =
        entry->reason == CRL_REASON_KEY_COMPROMISE || entry->reason == CRL_REASON_CA_COMPROMISE;
    if (!ask->at_is_proven || entry->at <= ask->at)
        return false;
    return !(is_compromise && entry->has_invalid_since && entry->invalid_since <= ask->at);
}

static const char *reason_text(long reason)
{
    static const char *const words[] = {
        "no reason given",
        "key compromised",
        "authority's key compromised",
        "affiliation changed",
        "superseded",
        "ceased operation",
        "on hold",
        "unknown reason",
        "taken off the list",
        "privileges withdrawn",
        "attribute authority's key compromised",
    };
    return reason >= 0 && reason < (long)ARRAY_LEN(words) ? words[reason] : "unknown reason";
}

static void add_revoked(const struct cert *c, const struct revocation_entry *entry,
                        struct findings *findings)
{
    char name[72], when[32];
    cert_subject_text(c, name, sizeof(name));
    if (entry->at == INT64_MIN)
        findings_add(findings, REASON_REVOKED, WEIGHT_FATAL, NO_OFFSET, "revoked (%s): %s",
                     reason_text(entry->reason), name);
    else
        findings_add(findings, REASON_REVOKED, WEIGHT_FATAL, NO_OFFSET, "revoked %s (%s): %s",
                     text_format_time(entry->at, when), reason_text(entry->reason), name);
}

/* What the lists have said of one certificate so far. */
struct answer {
    bool is_current;     /* a list that is in date has spoken */
    bool by_sha1;        /* and it was signed with SHA-1 */
    const char *why_not; /* of a list of the right issuer that does not count */
};

static void ask_list(const struct crl *list, const struct cert *c, const struct cert *issuer,
                     const struct crl_ask *ask, struct answer *answer, struct findings *findings)
{
    X509_REVOKED *found = NULL;
    const char *why = why_not_from(list, issuer, ask->policy->now);
    if (why != NULL) {
        answer->why_not = why;
        return;
    }
    if (list->next_update < ask->policy->now) {
        answer->why_not = "is out of date";
    } else {
        answer->is_current = true;
        answer->by_sha1 = list->is_sha1;
    }
    if (X509_CRL_get0_by_serial(list->list, &found, X509_get_serialNumber(c->x509)) == 0)
        return;
    struct revocation_entry entry;
    read_entry(found, &entry);
    if (!was_good_then(&entry, ask))
        add_revoked(c, &entry, findings);
}

static void ask_lists(const struct cert *c, const struct cert *issuer, const struct crl_ask *ask,
                      struct answer *answer, struct findings *findings)
{
    const struct trust *trust = ask->policy->trust;
    const size_t n = trust_n_crls(trust);
    *answer = (struct answer){ false, false, NULL };
    for (size_t i = 0; i < n; i++)
        if (is_of_issuer(trust_crl(trust, i), issuer))
            ask_list(trust_crl(trust, i), c, issuer, ask, answer, findings);
}

/* say_place: what came of one address that the certificate names. */
static void say_place(struct span url, const struct trust *trust, const struct answer *answer,
                      struct findings *findings)
{
    char shown[100];
    const char *why = NULL;
    if (!trust_place_is_known(trust, url, &why))
        why = "not asked";
    else if (why == NULL && answer->why_not != NULL)
        return; /* that is the list, and what is wrong with it has been said */
    else if (why == NULL)
        why = "it gave no list of this issuer";
    findings_add(findings, REASON_REVOCATION_UNKNOWN, WEIGHT_FATAL, NO_OFFSET, "%s: %s",
                 text_printable(url, shown, sizeof(shown)), why);
}

static void say_places(const struct cert *c, const struct trust *trust, const struct answer *answer,
                       struct findings *findings)
{
    struct crl_points points;
    crl_points_read(c, &points);
    if (points.n == 0 && answer->why_not == NULL)
        findings_add(findings, REASON_REVOCATION_UNKNOWN, WEIGHT_FATAL, NO_OFFSET,
                     "it names no http address where a list could be had");
    for (size_t i = 0; i < points.n && findings->n < PLACES_SAID_MAX; i++)
        say_place(points.urls[i], trust, answer, findings);
}

static void check_cert(const struct cert *c, const struct cert *issuer, const struct crl_ask *ask,
                       struct findings *findings)
{
    struct answer answer;
    char name[80];
    ask_lists(c, issuer, ask, &answer, findings);
    cert_subject_text(c, name, sizeof(name));
    if (!answer.is_current && answer.why_not != NULL)
        findings_add(findings, REASON_REVOCATION_UNKNOWN, WEIGHT_FATAL, NO_OFFSET,
                     "the list %s: %s", answer.why_not, name);
    else if (!answer.is_current)
        findings_add(findings, REASON_REVOCATION_UNKNOWN, WEIGHT_FATAL, NO_OFFSET,
                     "no revocation list from the issuer of %s", name);
    else if (answer.by_sha1)
        findings_add(findings, REASON_WEAK_DIGEST, WEIGHT_SHA1, NO_OFFSET,
                     "the revocation list is signed with SHA-1: %s", name);
    if (!answer.is_current && ask->policy->revocation == REVOCATION_ONLINE)
        say_places(c, ask->policy->trust, &answer, findings);
}

static void ask_for_all(const struct cert *const *path, size_t n, const struct crl_ask *ask,
                        struct findings *findings)
{
    for (size_t i = 0; i + 1 < n; i++)
        check_cert(path[i], path[i + 1], ask, findings);
}

enum errc crl_check_path(const struct cert *const *path, size_t n, const struct crl_ask *ask,
                         struct findings *findings, struct err *err)
{
    struct findings first = { .n = 0 };
    openssl_begin();
    ask_for_all(path, n, ask, &first);
    if (first.n == 0)
        return E_OK;
    ask_for_all(path, n, ask, findings); /* a "no" is asked for twice: see openssl_nomem */
    return openssl_nomem() ? err_nomem(err) : E_OK;
}

static enum errc note_wanted(const struct cert *c, const struct cert *issuer,
                             const struct crl_ask *ask, struct crl_wants *wants, struct err *err)
{
    struct findings ignored = { .n = 0 };
    struct answer answer;
    struct crl_points points;
    struct span urls[CRL_POINTS_MAX];
    size_t n = 0;
    ask_lists(c, issuer, ask, &answer, &ignored);
    if (answer.is_current)
        return E_OK;
    crl_points_read(c, &points);
    for (size_t i = 0; i < points.n; i++)
        if (!trust_place_is_known(ask->policy->trust, points.urls[i], NULL))
            urls[n++] = points.urls[i];
    return n == 0 ? E_OK : crl_wants_add(wants, urls, n, err);
}

enum errc crl_note_wanted(const struct cert *const *path, size_t n, const struct policy *policy,
                          struct crl_wants *wants, struct err *err)
{
    const struct crl_ask ask = { policy, policy->now, false };
    enum errc rc = E_OK;
    for (size_t i = 0; i + 1 < n && rc == E_OK; i++)
        rc = note_wanted(path[i], path[i + 1], &ask, wants, err);
    return rc;
}
