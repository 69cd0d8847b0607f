#ifndef SUREFOOT_PUBLISH_KEYFILE_H
#define SUREFOOT_PUBLISH_KEYFILE_H

/* keyfile.h: the files that minisign keeps keys in, read exactly and written
 * (https://jedisct1.github.io/minisign/).
 *
 * secret key: "untrusted comment: ..." LF base64("Ed" || kdf[2] || "B2" || salt[32] ||
 *             opslimit u64le || memlimit u64le || sealed[104]) LF
 * sealed:     key id[8] || Ed25519 seed[32] || Ed25519 public key[32] || checksum[32]
 * checksum:   BLAKE2b-256("Ed" || key id || seed || public key); where it lies open, minisign
 *             writes zeros instead
 * kdf "Sc":   sealed is XORed with 104 bytes of scrypt(passphrase, salt); N, r and p follow from
 *             the two limits by libsodium's rule (keyfile_scrypt). kdf 0: it lies open.
 * public key: see verify/minisign.h.
 * Lines may end in CR LF, the last one may lack its end; nothing follows the last line.
 *
 * What it does not check: the comment, which nothing authenticates. */

#include <stdbool.h>
#include <stdint.h>

#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "platform/base/span.h"

#define KEYFILE_TEXT_MAX (8 * 1024)
#define KEYFILE_COMMENT_MAX 900 /* bytes; minisign reads lines of up to 1024 */
#define KEYFILE_SEALED_LEN 104

/* What a hostile file may make us spend: minisign's own default takes the whole of
 * SCRYPT_MEMORY_MAX and 2^20 as N * p. */
#define SCRYPT_MEMORY_MAX (UINT64_C(1) << 30)
#define SCRYPT_WORK_MAX (UINT64_C(1) << 23)

struct keyfile_cost {
    uint64_t opslimit, memlimit;
};
/* What minisign writes: 1 GiB and some seconds. */
#define KEYFILE_COST_DEFAULT ((struct keyfile_cost){ UINT64_C(33554432), UINT64_C(1073741824) })

struct scrypt_cost {
    uint64_t n;
    uint32_t r, p;
};

/* keyfile_scrypt gives the parameters that libsodium picks for these limits. E_LIMIT where they
 * cost more than SCRYPT_MEMORY_MAX or SCRYPT_WORK_MAX. */
MUST_USE enum errc keyfile_scrypt(struct keyfile_cost cost, struct scrypt_cost *out,
                                  struct err *err);

/* A secret key file as it was read: still sealed where it is encrypted. */
struct keyfile {
    bool is_encrypted;
    struct keyfile_cost cost; /* where it is encrypted */
    uint8_t salt[32];
    uint8_t sealed[KEYFILE_SEALED_LEN];
};

/* A key pair that can sign. */
struct keypair {
    uint8_t id[8];
    uint8_t seed[32];
    uint8_t ed25519[32]; /* the public key */
};

/* keyfile_read reads the text of a secret key file: E_MALFORMED, E_LIMIT, and E_UNSUPPORTED for a
 * kdf or checksum that is not minisign's. It costs nothing; keyfile_open does. Caller ends *out
 * with keyfile_wipe. */
MUST_USE enum errc keyfile_read(struct span text, struct keyfile *out, struct err *err);

/* keyfile_open takes the key out. E_ACCESS for a wrong passphrase (which is not looked at where the
 * file is not encrypted), E_MALFORMED for an open file whose checksum is wrong, or where the two
 * halves are not of one key, E_NOMEM where scrypt's memory is not to be had. Caller ends *out with
 * keypair_wipe. */
MUST_USE enum errc keyfile_open(const struct keyfile *file, struct span passphrase,
                                struct keypair *out, struct err *err);

/* keypair_new makes a key pair and a key id from the system's random bytes. */
MUST_USE enum errc keypair_new(struct keypair *out, struct err *err);

/* keypair_sign writes the Ed25519 signature of `message`. */
MUST_USE enum errc keypair_sign(const struct keypair *pair, struct span message, uint8_t to[64],
                                struct err *err);

/* keyfile_write_secret appends the text of a secret key file, under the passphrase or, where `cost`
 * is NULL, open. The comment is one printable line of at most KEYFILE_COMMENT_MAX bytes. `out` is
 * to be new and to end with secret_fini. keyfile_write_public appends that of the public key. */
MUST_USE enum errc keyfile_write_secret(const struct keypair *pair, const char *comment,
                                        const struct keyfile_cost *cost, struct span passphrase,
                                        struct buf *out, struct err *err);
MUST_USE enum errc keyfile_write_public(const struct keypair *pair, const char *comment,
                                        struct buf *out, struct err *err);

/* keyfile_public_line writes the base64 line of the public key, what --key also takes. */
#define KEYFILE_PUBLIC_LINE_ROOM 57
const char *keyfile_public_line(const struct keypair *pair, char to[KEYFILE_PUBLIC_LINE_ROOM]);

/* keyfile_check_comment is E_ARGUMENT unless the text can stand in a comment line. */
MUST_USE enum errc keyfile_check_comment(const char *comment, size_t max, struct err *err);

void keyfile_wipe(struct keyfile *file);
void keypair_wipe(struct keypair *pair);

#endif
