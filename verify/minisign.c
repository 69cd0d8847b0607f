#include "verify/minisign.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/source.h"
#include "verify/detached.h"

#include <openssl/err.h>
#include <openssl/evp.h>

/* ask_ed25519 says whether `signature` is `key`'s over `message`. */
static enum errc ask_ed25519(const struct minisign_key *key, const uint8_t signature[64],
                             struct span message, bool *out_holds, struct err *err)
{
    enum errc rc;
    OSSL_LIB_CTX *lib = digest_context();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY *pkey =
        EVP_PKEY_new_raw_public_key_ex(lib, "ED25519", NULL, key->ed25519, sizeof(key->ed25519));
    if (lib == NULL || ctx == NULL || pkey == NULL ||
        EVP_DigestVerifyInit_ex(ctx, NULL, NULL, lib, NULL, pkey, NULL) != 1) {
        rc = err_set(err, E_NOMEM, "Ed25519: cannot set up");
        goto done;
    }
    *out_holds = EVP_DigestVerify(ctx, signature, 64, message.ptr, message.len) == 1;
    rc = E_OK;
done:
    EVP_PKEY_free(pkey);
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return rc;
}

/* A "no" is asked for twice: OpenSSL does not say whether memory was what it lacked. */
static enum errc check_ed25519(const struct minisign_key *key, const uint8_t signature[64],
                               struct span message, bool *out_holds, struct err *err)
{
    enum errc rc = ask_ed25519(key, signature, message, out_holds, err);
    return rc == E_OK && !*out_holds ? ask_ed25519(key, signature, message, out_holds, err) : rc;
}

/* read_message fills `out` with what the content signature is over: a digest, or all the bytes. */
static enum errc read_message(struct source *src, bool prehashed, struct buf *out, struct err *err)
{
    if (prehashed) {
        struct digest_set digests;
        enum errc rc = digest_source(src, DIGEST_BIT(DIGEST_BLAKE2B512), &digests, err);
        return rc == E_OK ? buf_add(out, digest_span(&digests.of[DIGEST_BLAKE2B512]), err) : rc;
    }
    uint8_t *to;
    enum errc rc = buf_reserve(out, (size_t)src->size, &to, err);
    if (rc == E_OK)
        rc = source_read_at(src, 0, to, (size_t)src->size, err);
    if (rc == E_OK)
        out->len += (size_t)src->size;
    return rc;
}

/* check_global says whether the trusted comment and the signature belong together. */
static enum errc check_global(const struct minisign_key *key, const struct minisign_signature *s,
                              bool *out_holds, struct err *err)
{
    struct buf message;
    buf_init(&message, sizeof(s->signature) + MINISIGN_TEXT_MAX);
    enum errc rc = buf_add(&message, span_of(s->signature, sizeof(s->signature)), err);
    if (rc == E_OK)
        rc = buf_add(&message, s->trusted_comment, err);
    if (rc == E_OK)
        rc = check_ed25519(key, s->global_signature, buf_span(&message), out_holds, err);
    buf_fini(&message);
    return rc;
}

/* check_with proves all that one key can prove, and says in *out_holds whether that is everything.
 */
static enum errc check_with(const struct minisign_key *key, const struct minisign_signature *s,
                            struct span message, struct findings *findings, bool *out_holds,
                            struct err *err)
{
    bool content_holds, comment_holds;
    enum errc rc = check_ed25519(key, s->signature, message, &content_holds, err);
    if (rc == E_OK)
        rc = check_global(key, s, &comment_holds, err);
    if (rc != E_OK)
        return rc;
    if (!content_holds)
        findings_add(findings, REASON_SIGNATURE_INVALID, WEIGHT_FATAL, NO_OFFSET,
                     "minisign: the content or its signature was altered");
    if (!comment_holds)
        findings_add(findings, REASON_SIGNATURE_INVALID, WEIGHT_FATAL, NO_OFFSET,
                     "minisign: the trusted comment or its signature was altered");
    *out_holds = content_holds && comment_holds;
    return E_OK;
}

static enum errc name_key(const struct minisign_key *key, struct sig_verdict *sig, struct err *err)
{
    struct digest d;
    enum errc rc =
        digest_bytes(DIGEST_SHA256, span_of(key->ed25519, sizeof(key->ed25519)), &d, err);
    if (rc == E_OK)
        (void)text_to_hex(digest_span(&d), sig->key_sha256);
    return rc;
}

/* check_with_trust tries the keys of this id, which is one unless two keys share it. Findings are
 * those of the last key tried, and none where one key proves everything. */
static enum errc check_with_trust(const struct minisign_signature *s, struct span message,
                                  const struct trust *trust, struct sig_verdict *sig,
                                  struct err *err)
{
    struct findings before = sig->findings;
    for (size_t i = 0; i < trust_n_keys(trust); i++) {
        const struct minisign_key *key = trust_key(trust, i);
        if (memcmp(key->id, s->key_id, sizeof(key->id)) != 0)
            continue;
        bool holds;
        sig->findings = before;
        enum errc rc = check_with(key, s, message, &sig->findings, &holds, err);
        if (rc != E_OK)
            return rc;
        if (holds) {
            rc = name_key(key, sig, err);
            if (rc != E_OK)
                return rc;
            sig_verdict_prove(sig, FACT_DIGEST);
            sig_verdict_prove(sig, FACT_SIGNATURE);
            sig_verdict_prove(sig, FACT_SIGNER);
            return E_OK;
        }
    }
    return E_OK;
}

static bool has_key(const struct trust *trust, const uint8_t id[8])
{
    for (size_t i = 0; i < trust_n_keys(trust); i++) {
        if (memcmp(trust_key(trust, i)->id, id, 8) == 0)
            return true;
    }
    return false;
}

static void describe(const struct minisign_signature *s, struct sig_verdict *sig)
{
    sig->digest = s->prehashed ? DIGEST_BLAKE2B512 : DIGEST_NONE;
    (void)minisign_key_id_text(s->key_id, sig->key_id);
    (void)text_printable(s->trusted_comment, sig->trusted_comment, sizeof(sig->trusted_comment));
    if (s->untrusted_comment.len != 0)
        findings_add(&sig->findings, REASON_UNCOVERED_DATA, WEIGHT_NOTE, NO_OFFSET,
                     "minisign: untrusted comment, %" PRIu64 " bytes at %" PRIu64
                     " of the signature file",
                     s->untrusted_comment.len, s->untrusted_comment.at);
}

/* judge_read is the proof of a signature that was read. */
static enum errc judge_read(struct source *src, const struct minisign_signature *s,
                            const struct trust *trust, struct sig_verdict *sig, struct err *err)
{
    if (!has_key(trust, s->key_id)) {
        findings_add(&sig->findings, REASON_KEY_MISMATCH, WEIGHT_FATAL, NO_OFFSET,
                     "minisign: signed by key %s, which is none of the %zu given", sig->key_id,
                     trust_n_keys(trust));
        return E_OK;
    }
    if (!s->prehashed && src->size > MINISIGN_LEGACY_MAX) {
        findings_add(&sig->findings, REASON_UNSUPPORTED, WEIGHT_FATAL, NO_OFFSET,
                     "minisign: legacy signature over %" PRIu64 " bytes, limit %d", src->size,
                     MINISIGN_LEGACY_MAX);
        return E_OK;
    }
    /* The algorithm's two letters are not signed. What was signed as a digest would hold as well
     * for a file that consists of that digest. */
    if (!s->prehashed && src->size == digest_len(DIGEST_BLAKE2B512)) {
        findings_add(&sig->findings, REASON_UNSUPPORTED, WEIGHT_FATAL, NO_OFFSET,
                     "minisign: legacy signature over %" PRIu64
                     " bytes, which may be the digest of another file",
                     src->size);
        return E_OK;
    }
    struct buf message;
    buf_init(&message, MINISIGN_LEGACY_MAX);
    enum errc rc = read_message(src, s->prehashed, &message, err);
    if (rc == E_OK)
        rc = check_with_trust(s, buf_span(&message), trust, sig, err);
    buf_fini(&message);
    return rc;
}

enum errc minisign_judge(struct source *src, struct span text, const struct policy *policy,
                         struct verdict *v, struct err *err)
{
    struct sig_verdict *sig;
    enum errc rc = verdict_add_sig(v, &sig, err);
    if (rc != E_OK)
        return rc;
    sig->system = SYSTEM_MINISIGN;
    sig->required = FACT_DIGEST | FACT_SIGNATURE | FACT_SIGNER;

    struct minisign_signature s;
    rc = minisign_read_signature(text, &s, err);
    if (rc == E_OK) {
        describe(&s, sig);
        return judge_read(src, &s, policy->trust, sig, err);
    }
    if (!errc_is_about_bytes(rc))
        return rc;
    findings_add_err(&sig->findings, err, NO_OFFSET);
    return E_OK;
}
