#ifndef SUREFOOT_BASE_CRC32_H
#define SUREFOOT_BASE_CRC32_H

/* crc32.h: the checksum of gzip, zip and 7z (RFC 1952 section 8), over bytes that come in pieces.
 * It tells damage, and nothing of who wrote the bytes. */

#include <stdint.h>

#include "platform/base/span.h"

struct crc32 {
    uint32_t value; /* of all that was added; 0 of nothing */
    uint32_t table[4][256];
};

void crc32_init(struct crc32 *c);
void crc32_add(struct crc32 *c, struct span bytes);

/* crc32_of is the checksum of these bytes alone. */
uint32_t crc32_of(struct span bytes);

#endif
