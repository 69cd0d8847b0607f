#include <string.h>

#include "platform/base/text.h"
#include "verify/cert_private.h"
#include "verify/chain_private.h"
#include "verify/oid.h"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#define OID_EKU_ANY "2.5.29.37.0"
#define NAME_IN_TEXT 72 /* bytes of a subject in a finding's one line */
#define RSA_BITS_GOOD 2048
#define RSA_BITS_OLD 1024
#define EC_BITS_GOOD 224
#define POLICIES_LEN_MAX 1024 /* bytes of such extensions in a chain */

enum reason chain_reason(const struct chain_ask *ask, enum chain_fault fault)
{
    bool is_stamp = chain_is_for_timestamp(ask);
    switch (fault) {
    case FAULT_TIME: return is_stamp ? REASON_TIMESTAMP_UNTRUSTED : REASON_CHAIN_EXPIRED;
    case FAULT_USE: return is_stamp ? REASON_TIMESTAMP_INVALID : REASON_NOT_CODE_SIGNING;
    case FAULT_UNTRUSTED: break;
    }
    return is_stamp ? REASON_TIMESTAMP_UNTRUSTED : REASON_CHAIN_UNTRUSTED;
}

/* One certificate of the path, as the checks see it. */
struct place {
    const struct chain_ask *ask;
    const struct cert *cert;
    bool is_leaf, is_end;
    struct findings *findings;
};

static void add_fault(const struct place *p, enum chain_fault fault, enum weight weight,
                      const char *what)
{
    char name[NAME_IN_TEXT];
    findings_add(p->findings, chain_reason(p->ask, fault), weight, NO_OFFSET, "%s: %s", what,
                 cert_subject_text(p->cert, name, sizeof(name)));
}

/* --- our own rules */

/* check_time: the last second counts as expired, as it does for OpenSSL. */
static void check_time(const struct place *p)
{
    char name[NAME_IN_TEXT], when[32];
    enum reason reason = chain_reason(p->ask, FAULT_TIME);
    cert_subject_text(p->cert, name, sizeof(name));
    if (p->ask->at < p->cert->not_before)
        findings_add(p->findings, reason, WEIGHT_FATAL, NO_OFFSET, "not valid before %s: %s",
                     text_format_time(p->cert->not_before, when), name);
    if (p->ask->at >= p->cert->not_after)
        findings_add(p->findings, reason, WEIGHT_FATAL, NO_OFFSET, "expired %s: %s",
                     text_format_time(p->cert->not_after, when), name);
}

/* wanted_eku is the purpose that the leaf must name, NULL where any will do. */
static const char *wanted_eku(const struct chain_ask *ask)
{
    if (chain_is_for_timestamp(ask))
        return OID_EKU_TIME_STAMPING;
    if (ask->purpose == CHAIN_CODE_SIGNING || ask->policy->cms_eku == NULL)
        return OID_EKU_CODE_SIGNING;
    return strcmp(ask->policy->cms_eku, EKU_ANY) == 0 ? NULL : ask->policy->cms_eku;
}

/* check_leaf_eku: the leaf names the purpose itself; anyExtendedKeyUsage does not do, nor does a
 * leaf without the extension. RFC 3161 2.3 wants a timestamp authority's alone and critical;
 * Windows does not ask for the latter (the authorities of its own maker do not have it so), and
 * countersigners are older than the rule. */
static void check_leaf_eku(const struct place *p, const char *wanted)
{
    if (!p->cert->has_eku)
        add_fault(p, FAULT_USE, WEIGHT_FATAL, "says of no use that it may be put to (no EKU)");
    else if (!cert_has_eku(p->cert, wanted))
        add_fault(p, FAULT_USE, WEIGHT_FATAL, "not issued for this use (EKU)");
    else if (p->ask->purpose == CHAIN_TIMESTAMP && p->cert->n_ekus != 1)
        add_fault(p, FAULT_USE, WEIGHT_FATAL, "timeStamping is not its only use");
    else if (p->ask->purpose == CHAIN_TIMESTAMP && !p->cert->eku_is_critical)
        add_fault(p, FAULT_USE, WEIGHT_LENIENT, "timeStamping is not critical");
}

/* check_ca_eku: an authority without the extension may issue for every use, one with it only for
 * those listed, or for all where it lists anyExtendedKeyUsage. So Windows intersects them. It holds
 * for anchors as well: what a root says of itself binds it. */
static void check_ca_eku(const struct place *p, const char *wanted)
{
    if (p->cert->has_eku && !cert_has_eku(p->cert, wanted) && !cert_has_eku(p->cert, OID_EKU_ANY))
        add_fault(p, FAULT_USE, WEIGHT_FATAL, "authority is not for this use (EKU)");
}

static void check_eku(const struct place *p)
{
    const char *wanted = wanted_eku(p->ask);
    if (wanted == NULL)
        return;
    if (p->is_leaf)
        check_leaf_eku(p, wanted);
    else
        check_ca_eku(p, wanted);
}

/* check_leaf_usage: without the extension X509_get_key_usage has all bits set. Windows does not
 * look at a signer's keyUsage, hence the weight. */
static void check_leaf_usage(const struct place *p)
{
    uint32_t enough = X509v3_KU_DIGITAL_SIGNATURE;
    if (p->ask->purpose != CHAIN_CODE_SIGNING)
        enough |= X509v3_KU_NON_REPUDIATION;
    if ((X509_get_key_usage(p->cert->x509) & enough) == 0)
        add_fault(p, FAULT_USE, WEIGHT_LENIENT, "keyUsage does not allow signing");
}

/* check_authority: an intermediate says that it is an authority in basicConstraints. A root from
 * before version 3 may be an anchor: X509_check_ca has 1 for the former, other values for ways in
 * which old ones say or imply it, 0 for none. */
static void check_authority(const struct place *p)
{
    int ca = X509_check_ca(p->cert->x509);
    if (ca == 0 || (ca != 1 && !p->is_end))
        add_fault(p, FAULT_UNTRUSTED, WEIGHT_FATAL, "is no authority (basicConstraints)");
    if ((X509_get_key_usage(p->cert->x509) & X509v3_KU_KEY_CERT_SIGN) == 0)
        add_fault(p, FAULT_UNTRUSTED, WEIGHT_FATAL, "may not sign certificates (keyUsage)");
}

static void check_key(const struct place *p)
{
    const char *why;
    char name[NAME_IN_TEXT];
    EVP_PKEY *key = cert_key(p->cert, &why);
    if (key == NULL) {
        add_fault(p, FAULT_UNTRUSTED, WEIGHT_FATAL, why);
        return;
    }
    int bits = EVP_PKEY_get_bits(key), kind = EVP_PKEY_get_base_id(key);
    bool is_rsa = kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS;
    bool is_legacy = p->ask->purpose == CHAIN_TIMESTAMP_LEGACY;
    enum weight weight = WEIGHT_FATAL;
    if (is_rsa && bits >= RSA_BITS_OLD)
        weight = is_legacy ? WEIGHT_LENIENT : p->is_end ? WEIGHT_RSA1024_ANCHOR : WEIGHT_RSA1024;
    if ((is_rsa && bits < RSA_BITS_GOOD) || (kind == EVP_PKEY_EC && bits < EC_BITS_GOOD))
        findings_add(p->findings, REASON_WEAK_KEY, weight, NO_OFFSET, "%s key of %d bits: %s",
                     is_rsa ? "RSA" : "elliptic curve", bits,
                     cert_subject_text(p->cert, name, sizeof(name)));
}

/* check_digest: the end's own signature is not what it is trusted for. */
static void check_digest(const struct place *p)
{
    int md = NID_undef, key = NID_undef;
    char name[NAME_IN_TEXT];
    enum weight weight = WEIGHT_FATAL;
    if (p->is_end)
        return;
    if (X509_get_signature_info(p->cert->x509, &md, &key, NULL, NULL) != 1) {
        add_fault(p, FAULT_UNTRUSTED, WEIGHT_FATAL, "signed with an algorithm that is not known");
        return;
    }
    switch (md) {
    case NID_sha224:
    case NID_sha256:
    case NID_sha384:
    case NID_sha512: return;
    case NID_undef:
        if (key != NID_ED25519)
            add_fault(p, FAULT_UNTRUSTED, WEIGHT_FATAL, "signed with an algorithm not used here");
        return;
    case NID_sha1: weight = WEIGHT_SHA1; break;
    case NID_md5:
        weight = p->ask->purpose == CHAIN_TIMESTAMP_LEGACY ? WEIGHT_LENIENT : WEIGHT_FATAL;
        break;
    default: break;
    }
    findings_add(p->findings, REASON_WEAK_DIGEST, weight, NO_OFFSET, "signed with %s: %s",
                 OBJ_nid2sn(md), cert_subject_text(p->cert, name, sizeof(name)));
}

static bool has_extension(const struct cert *c, int nid)
{
    return X509_get_ext_by_NID(c->x509, nid, -1) >= 0;
}

/* An authority that makes rules about policies and asserts none could issue for none, or means
 * nothing by it. */
static bool has_rules_of_no_policy(const struct cert *c)
{
    return has_extension(c, NID_policy_constraints) && !has_extension(c, NID_certificate_policies);
}

static void check_place(const struct place *p)
{
    if (!p->is_end && has_rules_of_no_policy(p->cert))
        add_fault(p, FAULT_UNTRUSTED, WEIGHT_FATAL, "constrains policies and asserts none");
    if ((X509_get_extension_flags(p->cert->x509) & EXFLAG_INVALID) != 0)
        add_fault(p, FAULT_UNTRUSTED, WEIGHT_FATAL, "has extensions that do not read");
    check_time(p);
    check_key(p);
    check_digest(p);
    check_eku(p);
    if (p->is_leaf)
        check_leaf_usage(p);
    else
        check_authority(p);
}

/* --- OpenSSL's verification: signatures, validity, path lengths, name constraints, policies,
 * critical extensions */

static enum errc stacks_of(const struct chain_path *path, STACK_OF(X509) * between,
                           STACK_OF(X509) * trusted, struct err *err)
{
    if (between == NULL || trusted == NULL ||
        sk_X509_push(trusted, path->certs[path->n - 1]->x509) <= 0)
        return err_nomem(err);
    for (size_t i = 1; i + 1 < path->n; i++)
        if (sk_X509_push(between, path->certs[i]->x509) <= 0)
            return err_nomem(err);
    return E_OK;
}

/* set_up leaves nothing to a default. No purpose is set, since OpenSSL has none for code signing:
 * check_eku does that. The level is 0, since check_key and check_digest say more exactly what is
 * weak. PARTIAL_CHAIN lets exactly one certificate be the end, the one that chain_path.c ended at.
 * X509_STRICT is off: real roots lack key identifiers and have basicConstraints that are not
 * critical. The name in a certificate's CN is not a DNS name. */
static void set_up(X509_VERIFY_PARAM *param, const struct chain_ask *ask)
{
    X509_VERIFY_PARAM_set_time(param, (time_t)ask->at);
    X509_VERIFY_PARAM_set_depth(param, CHAIN_MAX);
    X509_VERIFY_PARAM_set_auth_level(param, 0);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
}

static bool is_same_path(STACK_OF(X509) * chain, const struct chain_path *path)
{
    if (chain == NULL || sk_X509_num(chain) != (int)path->n)
        return false;
    for (size_t i = 0; i < path->n; i++)
        if (X509_cmp(sk_X509_value(chain, (int)i), path->certs[i]->x509) != 0)
            return false;
    return true;
}

static void add_refusal(const struct chain_ask *ask, const struct chain_path *path, int code,
                        int depth, struct findings *findings)
{
    bool is_time = code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID;
    enum reason reason = chain_reason(ask, is_time ? FAULT_TIME : FAULT_UNTRUSTED);
    char name[NAME_IN_TEXT];
    size_t i = depth < 0 || (size_t)depth >= path->n ? 0 : (size_t)depth;
    if (is_time && findings_have(findings, reason))
        return; /* check_time has said it better */
    findings_add(findings, reason, WEIGHT_FATAL, NO_OFFSET, "%s: %s",
                 X509_verify_cert_error_string(code),
                 cert_subject_text(path->certs[i], name, sizeof(name)));
}

static size_t extension_len(const X509 *x509, int nid)
{
    int at = X509_get_ext_by_NID(x509, nid, -1);
    int len = at < 0 ? 0 : ASN1_STRING_length(X509_EXTENSION_get_data(X509_get_ext(x509, at)));
    return len < 0 ? 0 : (size_t)len;
}

/* OpenSSL gives up on policies that map to each other past 1000 of them, and calls that "out of
 * memory". It takes certificates that speak of little else. */
static bool has_many_policies(const struct chain_path *path)
{
    size_t len = 0;
    for (size_t i = 0; i < path->n; i++)
        len += extension_len(path->certs[i]->x509, NID_certificate_policies) +
               extension_len(path->certs[i]->x509, NID_policy_mappings);
    return len > POLICIES_LEN_MAX;
}

static enum errc run_openssl(X509_STORE_CTX *ctx, const struct chain_ask *ask,
                             const struct chain_path *path, struct findings *findings,
                             struct err *err)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    set_up(param, ask);
    if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN |
                                               X509_V_FLAG_POLICY_CHECK) != 1)
        return err_nomem(err);
    int ok = X509_verify_cert(ctx);
    int code = X509_STORE_CTX_get_error(ctx);
    if (ok < 0 || code == X509_V_ERR_OUT_OF_MEM || openssl_nomem()) {
        if (!has_many_policies(path))
            return err_nomem(err);
        openssl_begin(); /* that error is none of ours */
        code = X509_V_ERR_INVALID_POLICY_EXTENSION;
    }
    if (ok == 1 && code == X509_V_OK && is_same_path(X509_STORE_CTX_get0_chain(ctx), path))
        return E_OK;
    if (code == X509_V_OK)
        code = X509_V_ERR_UNSPECIFIED;
    add_refusal(ask, path, code, X509_STORE_CTX_get_error_depth(ctx), findings);
    return E_OK;
}

static enum errc ask_openssl(const struct chain_ask *ask, const struct chain_path *path,
                             struct findings *findings, struct err *err)
{
    openssl_begin();
    STACK_OF(X509) *between = sk_X509_new_null(), *trusted = sk_X509_new_null();
    X509_STORE_CTX *ctx = NULL;
    enum errc rc = stacks_of(path, between, trusted, err);
    if (rc != E_OK)
        goto done;
    ctx = digest_context() == NULL ? NULL : X509_STORE_CTX_new_ex(digest_context(), NULL);
    if (ctx == NULL || X509_STORE_CTX_init(ctx, NULL, path->certs[0]->x509, between) != 1) {
        rc = err_nomem(err);
        goto done;
    }
    X509_STORE_CTX_set0_trusted_stack(ctx, trusted);
    rc = run_openssl(ctx, ask, path, findings, err);
done:
    X509_STORE_CTX_free(ctx);
    sk_X509_free(between);
    sk_X509_free(trusted);
    return rc;
}

/* What OpenSSL has against a path is believed if it says so twice (see cert_key.c). */
static enum errc check_with_openssl(const struct chain_ask *ask, const struct chain_path *path,
                                    struct findings *findings, struct err *err)
{
    struct findings first = { .n = 0 };
    enum errc rc = ask_openssl(ask, path, &first, err);
    return rc == E_OK && first.n > 0 ? ask_openssl(ask, path, findings, err) : rc;
}

/* is_for_openssl: it is not asked to reckon with keys that cert_key refuses, and it loses a little
 * memory for each certificate that has_rules_of_no_policy. */
static bool is_for_openssl(const struct chain_path *path)
{
    for (size_t i = 0; i < path->n; i++)
        if (cert_key(path->certs[i], NULL) == NULL ||
            (i + 1 < path->n && has_rules_of_no_policy(path->certs[i])))
            return false;
    return true;
}

enum errc chain_check_path(const struct chain_ask *ask, const struct chain_path *path,
                           struct findings *findings, struct err *err)
{
    for (size_t i = 0; i < path->n; i++) {
        struct place p = { ask, path->certs[i], i == 0, i + 1 == path->n, findings };
        check_place(&p);
    }
    if (!is_for_openssl(path))
        return E_OK; /* check_place has added a fatal finding */
    return check_with_openssl(ask, path, findings, err);
}
