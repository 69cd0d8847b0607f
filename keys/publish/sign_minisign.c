/* The signer of minisign signatures. */

#include <stdlib.h>
#include <string.h>

#include "keys/publish/keyfile_private.h"
#include "keys/publish/signer_private.h"
#include "platform/base/text.h"
#include "verify/minisign.h"

struct minisign_signer {
    struct signer base;
    struct keypair pair;
};

static enum errc add_encoded(struct buf *out, struct span bytes, struct err *err)
{
    char line[KEYFILE_ENCODED_ROOM(2 + 8 + 64)];
    return buf_printf(out, err, "%s\n", keyfile_encode(bytes, line));
}

/* The signature of the content's hash, as the second line has it. */
static enum errc sign_content(const struct keypair *pair, struct source *content, uint8_t body[74],
                              struct err *err)
{
    struct digest_set digests;
    enum errc rc = digest_source(content, DIGEST_BIT(DIGEST_BLAKE2B512), &digests, err);
    if (rc != E_OK)
        return rc;
    memcpy(body, "ED", 2);
    memcpy(body + 2, pair->id, 8);
    return keypair_sign(pair, digest_span(&digests.of[DIGEST_BLAKE2B512]), body + 10, err);
}

/* The signature that joins the first one and the trusted comment. */
static enum errc sign_both(const struct keypair *pair, const uint8_t signature[64],
                           const char *comment, uint8_t to[64], struct err *err)
{
    struct buf both;
    buf_init(&both, 64 + SIGN_COMMENT_MAX);
    enum errc rc = buf_add(&both, span_of(signature, 64), err);
    if (rc == E_OK)
        rc = buf_add_text(&both, comment, err);
    if (rc == E_OK)
        rc = keypair_sign(pair, buf_span(&both), to, err);
    buf_fini(&both);
    return rc;
}

static enum errc make(struct signer *s, struct source *content, const char *comment,
                      struct buf *out, struct err *err)
{
    const struct minisign_signer *m = (const struct minisign_signer *)s;
    uint8_t body[74], global[64];
    enum errc rc = sign_content(&m->pair, content, body, err);
    if (rc == E_OK)
        rc = sign_both(&m->pair, body + 10, comment, global, err);
    if (rc == E_OK)
        rc = buf_printf(out, err, "untrusted comment: signature by surefoot-publish, key %s\n",
                        s->facts.key_id);
    if (rc == E_OK)
        rc = add_encoded(out, span_of(body, sizeof(body)), err);
    if (rc == E_OK)
        rc = buf_printf(out, err, "trusted comment: %s\n", comment);
    return rc == E_OK ? add_encoded(out, span_of(global, sizeof(global)), err) : rc;
}

static void close_minisign(struct signer *s)
{
    struct minisign_signer *m = (struct minisign_signer *)s;
    keypair_wipe(&m->pair);
    free(m);
}

static enum errc unlock(struct platform *p, const struct signer_ask *ask, struct keypair *out,
                        struct err *err)
{
    struct buf text, passphrase = { .ptr = NULL };
    struct keyfile file = { .is_encrypted = false };
    enum errc rc = secret_read_file(p, ask->key, KEYFILE_TEXT_MAX, &text, err);
    if (rc == E_OK)
        rc = keyfile_read(buf_span(&text), &file, err);
    secret_fini(&text);
    rc = signer_file_err(rc, "key", ask->key, err);
    if (rc != E_OK)
        return rc;
    if (file.is_encrypted)
        rc = passphrase_get(p, &ask->passphrase, ask->key, false, &passphrase, err);
    else
        secret_warn_if_shared(p, &ask->passphrase, ask->key, OPEN_KEY);
    if (rc == E_OK)
        rc = signer_file_err(keyfile_open(&file, buf_span(&passphrase), out, err), "key", ask->key,
                             err);
    secret_fini(&passphrase);
    keyfile_wipe(&file);
    return rc;
}

static enum errc trust_own_key(struct minisign_signer *m, struct err *err)
{
    char line[KEYFILE_PUBLIC_LINE_ROOM];
    (void)minisign_key_id_text(m->pair.id, m->base.facts.key_id);
    return trust_add_key(m->base.trust, span_text(keyfile_public_line(&m->pair, line)), err);
}

enum errc signer_open_minisign(struct platform *p, const struct signer_ask *ask,
                               struct signer **out, struct err *err)
{
    static const struct signer_ops ops = { SYSTEM_MINISIGN, "minisig", make, close_minisign };
    struct minisign_signer *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return err_nomem(err);
    enum errc rc = signer_init(&m->base, &ops, p, err);
    if (rc == E_OK)
        rc = unlock(p, ask, &m->pair, err);
    if (rc == E_OK)
        rc = trust_own_key(m, err);
    if (rc == E_OK)
        *out = &m->base;
    else
        signer_close(&m->base);
    return rc;
}
