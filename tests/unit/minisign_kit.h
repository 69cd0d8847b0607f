#ifndef SUREFOOT_TESTS_MINISIGN_KIT_H
#define SUREFOOT_TESTS_MINISIGN_KIT_H

/* minisign_kit.h: a key of minisign's kind and signatures by it, made when the test runs and gone
 * with it. For tests alone. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "platform/base/buf.h"
#include "verify/trust.h"

#include <openssl/evp.h>

struct minisign_kit {
    EVP_PKEY *key;
    uint8_t id[8];
};

static inline struct minisign_kit minisign_kit_new(uint8_t id)
{
    struct minisign_kit k = { .key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") };
    assert_non_null(k.key);
    memset(k.id, id, sizeof(k.id));
    return k;
}

static inline void minisign_kit_base64(struct span bytes, char *to)
{
    (void)EVP_EncodeBlock((unsigned char *)to, bytes.ptr, (int)bytes.len);
}

/* minisign_kit_trust adds the public key to `trust`. */
static inline void minisign_kit_trust(const struct minisign_kit *k, struct trust *trust)
{
    uint8_t bytes[42] = "Ed";
    size_t len = 32;
    char text[64];
    struct err err;
    memcpy(bytes + 2, k->id, 8);
    assert_int_equal(EVP_PKEY_get_raw_public_key(k->key, bytes + 10, &len), 1);
    minisign_kit_base64(span_of(bytes, sizeof(bytes)), text);
    assert_int_equal(trust_add_key(trust, span_text(text), &err), E_OK);
}

static inline void minisign_kit_ed25519(const struct minisign_kit *k, struct span message,
                                        uint8_t out[64])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = 64;
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, k->key), 1);
    assert_int_equal(EVP_DigestSign(ctx, out, &len, message.ptr, message.len), 1);
    EVP_MD_CTX_free(ctx);
}

/* minisign_kit_sign writes a prehashed signature over `content` to `to`, a text of at most 512
 * bytes. */
static inline const char *minisign_kit_sign(const struct minisign_kit *k, struct span content,
                                            char to[512])
{
    static const char comment[] = "made by a test";
    uint8_t hash[64], body[74] = "ED", global[64], signed_too[64 + sizeof(comment) - 1];
    char body_text[128], global_text[128];
    assert_int_equal(EVP_Digest(content.ptr, content.len, hash, NULL, EVP_blake2b512(), NULL), 1);
    memcpy(body + 2, k->id, 8);
    minisign_kit_ed25519(k, span_of(hash, sizeof(hash)), body + 10);
    memcpy(signed_too, body + 10, 64);
    memcpy(signed_too + 64, comment, sizeof(comment) - 1);
    minisign_kit_ed25519(k, span_of(signed_too, sizeof(signed_too)), global);
    minisign_kit_base64(span_of(body, sizeof(body)), body_text);
    minisign_kit_base64(span_of(global, sizeof(global)), global_text);
    snprintf(to, 512, "untrusted comment: x\n%s\ntrusted comment: %s\n%s\n", body_text, comment,
             global_text);
    return to;
}

#endif
