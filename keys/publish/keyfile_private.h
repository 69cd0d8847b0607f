#ifndef SUREFOOT_PUBLISH_KEYFILE_PRIVATE_H
#define SUREFOOT_PUBLISH_KEYFILE_PRIVATE_H

/* keyfile_private.h: what the reader and the writer of key files share. */

#include "keys/publish/keyfile.h"

#define COMMENT_START "untrusted comment: "
#define SECRET_LEN 158 /* bytes that the base64 line of a secret key file spells */
#define PUBLIC_LEN 42

/* keyfile_checksum writes the checksum that is sealed with a key pair. */
void keyfile_checksum(const struct keypair *pair, uint8_t to[32]);

/* keyfile_apply_stream takes the stream of file->salt and file->cost off sealed bytes, or puts it
 * on: it is the same. */
MUST_USE enum errc keyfile_apply_stream(const struct keyfile *file, struct span passphrase,
                                        uint8_t sealed[KEYFILE_SEALED_LEN], struct err *err);

/* keypair_public writes the public key of pair->seed. keypair_random fills bytes that are kept
 * secret. */
MUST_USE enum errc keypair_public(const struct keypair *pair, uint8_t to[32], struct err *err);
MUST_USE enum errc keypair_random(uint8_t *to, size_t len, struct err *err);

/* keyfile_encode writes base64 and a NUL: `to` has KEYFILE_ENCODED_ROOM(bytes.len). Returns `to`.
 */
#define KEYFILE_ENCODED_ROOM(n_bytes) (((n_bytes) + 2) / 3 * 4 + 1)
const char *keyfile_encode(struct span bytes, char *to);

#endif
