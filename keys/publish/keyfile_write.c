#include "keys/publish/keyfile_private.h"

#include <string.h>

#include "keys/publish/passphrase.h"
#include "platform/base/text.h"

#include <openssl/evp.h>

#define LINE_ROOM KEYFILE_ENCODED_ROOM(SECRET_LEN)

const char *keyfile_encode(struct span bytes, char *to)
{
    (void)EVP_EncodeBlock((unsigned char *)to, bytes.ptr, (int)bytes.len);
    return to;
}

enum errc keyfile_check_comment(const char *comment, size_t max, struct err *err)
{
    struct span text = span_text(comment);
    if (text.len > max)
        return err_set(err, E_ARGUMENT, "a comment of %zu bytes, limit %zu", text.len, max);
    if (!text_is_utf8(text))
        return err_set(err, E_ARGUMENT, "a comment that is no UTF-8");
    for (size_t i = 0; i < text.len; i++)
        if ((text.ptr[i] < 0x20 && text.ptr[i] != '\t') || text.ptr[i] == 0x7F)
            return err_set(err, E_ARGUMENT, "a comment with control characters; it is one line");
    return E_OK;
}

/* write_text appends the comment and the body. The buf gets all its room at once, so that it leaves
 * no copy of a secret behind. */
static enum errc write_text(const char *comment, struct span body, struct buf *out, struct err *err)
{
    char line[LINE_ROOM];
    uint8_t *ignored;
    enum errc rc = keyfile_check_comment(comment, KEYFILE_COMMENT_MAX, err);
    if (rc == E_OK)
        rc = buf_reserve(out, sizeof(COMMENT_START) + KEYFILE_COMMENT_MAX + LINE_ROOM + 2, &ignored,
                         err);
    if (rc != E_OK)
        return rc;
    rc = buf_printf(out, err, "%s%s\n", COMMENT_START, comment);
    if (rc == E_OK)
        rc = buf_add_text(out, keyfile_encode(body, line), err);
    if (rc == E_OK)
        rc = buf_add_byte(out, '\n', err);
    secret_wipe(line, sizeof(line));
    return rc;
}

static void put_u64le(uint8_t *to, uint64_t value)
{
    for (size_t i = 0; i < 8; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

/* The file as keyfile_read would give it. */
static enum errc seal(const struct keypair *pair, const struct keyfile_cost *cost,
                      struct span passphrase, struct keyfile *out, struct err *err)
{
    memcpy(out->sealed, pair->id, 8);
    memcpy(out->sealed + 8, pair->seed, 32);
    memcpy(out->sealed + 40, pair->ed25519, 32);
    keyfile_checksum(pair, out->sealed + 72);
    out->is_encrypted = cost != NULL;
    if (cost == NULL)
        return E_OK;
    out->cost = *cost;
    enum errc rc = keypair_random(out->salt, sizeof(out->salt), err);
    return rc == E_OK ? keyfile_apply_stream(out, passphrase, out->sealed, err) : rc;
}

enum errc keyfile_write_secret(const struct keypair *pair, const char *comment,
                               const struct keyfile_cost *cost, struct span passphrase,
                               struct buf *out, struct err *err)
{
    struct keyfile file = { .is_encrypted = false };
    uint8_t body[SECRET_LEN] = { 'E', 'd', 0, 0, 'B', '2' };
    enum errc rc = seal(pair, cost, passphrase, &file, err);
    if (rc == E_OK) {
        memcpy(body + 2, file.is_encrypted ? "Sc" : "\0\0", 2);
        memcpy(body + 6, file.salt, sizeof(file.salt));
        put_u64le(body + 38, file.cost.opslimit);
        put_u64le(body + 46, file.cost.memlimit);
        memcpy(body + 54, file.sealed, sizeof(file.sealed));
        rc = write_text(comment, span_of(body, sizeof(body)), out, err);
    }
    secret_wipe(body, sizeof(body));
    keyfile_wipe(&file);
    return rc;
}

static void public_body(const struct keypair *pair, uint8_t to[PUBLIC_LEN])
{
    memcpy(to, "Ed", 2);
    memcpy(to + 2, pair->id, 8);
    memcpy(to + 10, pair->ed25519, 32);
}

enum errc keyfile_write_public(const struct keypair *pair, const char *comment, struct buf *out,
                               struct err *err)
{
    uint8_t body[PUBLIC_LEN];
    public_body(pair, body);
    return write_text(comment, span_of(body, sizeof(body)), out, err);
}

const char *keyfile_public_line(const struct keypair *pair, char to[KEYFILE_PUBLIC_LINE_ROOM])
{
    uint8_t body[PUBLIC_LEN];
    public_body(pair, body);
    return keyfile_encode(span_of(body, sizeof(body)), to);
}
