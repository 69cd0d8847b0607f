#ifndef SUREFOOT_PUBLISH_BLAKE2B_H
#define SUREFOOT_PUBLISH_BLAKE2B_H

/* blake2b.h: BLAKE2b without a key (RFC 7693), of any length of digest. OpenSSL 3.0 has only the
 * one of 64 bytes, and the checksum of a minisign secret key has 32. For short secrets: what it
 * used is wiped. */

#include <stddef.h>
#include <stdint.h>

#include "platform/base/span.h"

#define BLAKE2B_LEN_MAX 64

/* blake2b writes the digest of `bytes`, `len` bytes long, 1 to BLAKE2B_LEN_MAX. */
void blake2b(struct span bytes, uint8_t *to, size_t len);

#endif
