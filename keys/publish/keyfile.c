#include "keys/publish/keyfile.h"

#include <string.h>

#include "keys/publish/keyfile_private.h"
#include "keys/publish/passphrase.h"
#include "platform/base/base64.h"
#include "platform/base/reader.h"

/* --- reading */

/* next_line takes one line without its LF or CR LF; the last one may lack it. False at the end. */
static bool next_line(struct reader *r, struct span *out)
{
    if (reader_is_done(r))
        return false;
    const uint8_t *lf = memchr(r->rest.ptr, '\n', r->rest.len);
    size_t len = lf == NULL ? r->rest.len : (size_t)(lf - r->rest.ptr);
    if (!reader_take(r, len, out))
        return false;
    if (lf != NULL && out->len != 0 && out->ptr[out->len - 1] == '\r')
        out->len--;
    return lf == NULL || reader_skip(r, 1);
}

static enum errc check_len(size_t len, struct err *err)
{
    if (len == PUBLIC_LEN)
        return err_set(err, E_MALFORMED,
                       "this is a minisign public key; the secret key is what signs");
    if (len != SECRET_LEN)
        return err_set(err, E_MALFORMED,
                       "secret key: %zu bytes where %d belong; the file is cut or damaged", len,
                       SECRET_LEN);
    return E_OK;
}

/* read_body finds the base64 line and gives its bytes, for the caller to wipe. */
static enum errc read_body(struct span text, struct buf *body, struct err *err)
{
    struct reader r = reader_of(text, 0);
    struct span comment, line;
    if (text.len > KEYFILE_TEXT_MAX)
        return err_set(err, E_LIMIT, "secret key: %zu bytes, limit %d", text.len, KEYFILE_TEXT_MAX);
    if (!next_line(&r, &comment) || !span_starts_with(comment, span_text(COMMENT_START)))
        return err_set(err, E_MALFORMED,
                       "is no minisign secret key: no line \"" COMMENT_START "...\" first");
    if (!next_line(&r, &line))
        return err_set(err, E_MALFORMED, "secret key: the text ends after the comment");
    if (!reader_is_done(&r))
        return err_set(err, E_MALFORMED, "secret key: %zu bytes follow the second line",
                       r.rest.len);
    enum errc rc = base64_decode(line, body, err);
    if (rc != E_OK)
        return err_prefix(err, "secret key: ");
    return check_len(body->len, err);
}

static enum errc read_kdf(struct span kdf, struct keyfile *out, struct err *err)
{
    out->is_encrypted = span_equal_text(kdf, "Sc");
    if (!out->is_encrypted && !span_is_filled(kdf, 0))
        return err_set(err, E_UNSUPPORTED,
                       "secret key: key derivation 0x%02x%02x, which is not "
                       "scrypt",
                       kdf.ptr[0], kdf.ptr[1]);
    return E_OK;
}

static enum errc read_fields(struct span body, struct keyfile *out, struct err *err)
{
    struct reader r = reader_of(body, 0);
    struct scrypt_cost ignored;
    struct span alg, kdf, checksum;
    if (!(reader_take(&r, 2, &alg) && reader_take(&r, 2, &kdf) && reader_take(&r, 2, &checksum) &&
          reader_copy(&r, out->salt, sizeof(out->salt)) && reader_u64le(&r, &out->cost.opslimit) &&
          reader_u64le(&r, &out->cost.memlimit) &&
          reader_copy(&r, out->sealed, sizeof(out->sealed)) && reader_is_done(&r)))
        return err_set(err, E_INTERNAL, "secret key: a body of another length");
    if (!span_equal_text(alg, "Ed"))
        return err_set(err, E_UNSUPPORTED, "secret key: algorithm 0x%02x%02x, which is not Ed25519",
                       alg.ptr[0], alg.ptr[1]);
    if (!span_equal_text(checksum, "B2"))
        return err_set(err, E_UNSUPPORTED, "secret key: checksum 0x%02x%02x, which is not BLAKE2b",
                       checksum.ptr[0], checksum.ptr[1]);
    enum errc rc = read_kdf(kdf, out, err);
    if (rc == E_OK && out->is_encrypted)
        rc = keyfile_scrypt(out->cost, &ignored, err);
    return rc;
}

enum errc keyfile_read(struct span text, struct keyfile *out, struct err *err)
{
    struct keyfile file = { .is_encrypted = false };
    struct buf body;
    buf_init(&body, KEYFILE_TEXT_MAX);
    enum errc rc = read_body(text, &body, err);
    if (rc == E_OK)
        rc = read_fields(buf_span(&body), &file, err);
    if (rc == E_OK)
        *out = file;
    keyfile_wipe(&file);
    secret_fini(&body);
    return rc;
}

/* --- opening */

static enum errc check_pair(const struct keyfile *file, const struct keypair *pair,
                            const uint8_t checksum[32], struct err *err)
{
    uint8_t own_checksum[32], own_public[32] = { 0 };
    keyfile_checksum(pair, own_checksum);
    bool holds = memcmp(own_checksum, checksum, 32) == 0 ||
                 (!file->is_encrypted && span_is_filled(span_of(checksum, 32), 0));
    secret_wipe(own_checksum, sizeof(own_checksum));
    if (!holds && file->is_encrypted)
        return err_set(err, E_ACCESS, "wrong passphrase for this secret key");
    if (!holds)
        return err_set(err, E_MALFORMED, "secret key: its checksum is wrong; the file is damaged");
    enum errc rc = keypair_public(pair, own_public, err);
    if (rc == E_OK && memcmp(own_public, pair->ed25519, 32) != 0)
        rc = err_set(err, E_MALFORMED, "secret key: its public half belongs to another key");
    return rc;
}

enum errc keyfile_open(const struct keyfile *file, struct span passphrase, struct keypair *out,
                       struct err *err)
{
    uint8_t sealed[KEYFILE_SEALED_LEN];
    struct keypair pair;
    enum errc rc = E_OK;
    memcpy(sealed, file->sealed, sizeof(sealed));
    if (file->is_encrypted)
        rc = keyfile_apply_stream(file, passphrase, sealed, err);
    if (rc == E_OK) {
        memcpy(pair.id, sealed, 8);
        memcpy(pair.seed, sealed + 8, 32);
        memcpy(pair.ed25519, sealed + 40, 32);
        rc = check_pair(file, &pair, sealed + 72, err);
        if (rc == E_OK)
            *out = pair;
        keypair_wipe(&pair);
    }
    secret_wipe(sealed, sizeof(sealed));
    return rc;
}

void keyfile_wipe(struct keyfile *file)
{
    secret_wipe(file, sizeof(*file));
}
