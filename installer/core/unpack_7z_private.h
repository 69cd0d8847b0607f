#ifndef SUREFOOT_CORE_UNPACK_7Z_PRIVATE_H
#define SUREFOOT_CORE_UNPACK_7Z_PRIVATE_H

/* unpack_7z_private.h: what the parts of unpack_7z.h share. A reader here is over a directory, and
 * its offsets, which the messages name, count from where that begins. */

#include <stdbool.h>

#include "installer/core/unpack_7z.h"
#include "platform/base/reader.h"

#define UNPACK_7Z_FIRST 32 /* bytes of the first header */

/* Marks of the directory's parts. */
enum unpack_7z_mark {
    MARK_END = 0x00,
    MARK_HEADER = 0x01,
    MARK_ARCHIVE_PROPERTIES = 0x02,
    MARK_MORE_STREAMS = 0x03,
    MARK_STREAMS = 0x04,
    MARK_FILES = 0x05,
    MARK_PACKED = 0x06,
    MARK_FOLDERS = 0x07,
    MARK_SUBSTREAMS = 0x08,
    MARK_SIZE = 0x09,
    MARK_CRC = 0x0A,
    MARK_FOLDER = 0x0B,
    MARK_UNPACKED_SIZE = 0x0C,
    MARK_N_SUBSTREAMS = 0x0D,
    MARK_EMPTY_STREAM = 0x0E,
    MARK_EMPTY_FILE = 0x0F,
    MARK_ANTI = 0x10,
    MARK_NAMES = 0x11,
    MARK_CREATED = 0x12,
    MARK_ACCESSED = 0x13,
    MARK_WRITTEN = 0x14,
    MARK_ATTRIBUTES = 0x15,
    MARK_ENCODED_HEADER = 0x17,
    MARK_DUMMY = 0x19,
};

/* --- unpack_7z_read.c: the pieces that the directory is made of. E_MALFORMED where it ends. */

MUST_USE enum errc unpack_7z_take_byte(struct reader *r, uint8_t *out, struct err *err);
MUST_USE enum errc unpack_7z_take_number(struct reader *r, uint64_t *out, struct err *err);
MUST_USE enum errc unpack_7z_take_bytes(struct reader *r, uint64_t len, struct span *out,
                                        struct err *err);
/* unpack_7z_expect takes the mark that must come next; `what` names it. */
MUST_USE enum errc unpack_7z_expect(struct reader *r, enum unpack_7z_mark mark, const char *what,
                                    struct err *err);
/* unpack_7z_take_if is true, and takes the mark, if it comes next. */
bool unpack_7z_take_if(struct reader *r, enum unpack_7z_mark mark);

/* Bits of which the first is the highest of the first byte; what fills up the last byte is zero. */
MUST_USE enum errc unpack_7z_take_bits(struct reader *r, uint64_t n, struct span *out,
                                       struct err *err);
bool unpack_7z_bit(struct span bits, uint64_t i);
uint64_t unpack_7z_count(struct span bits, uint64_t n);
/* unpack_7z_take_defined takes which of `n` things have a value: a one for all, or a zero and their
 * bits. *out_bits is empty where all have. */
MUST_USE enum errc unpack_7z_take_defined(struct reader *r, uint64_t n, struct span *out_bits,
                                          uint64_t *out_n, struct err *err);

/* unpack_7z_take_external takes the zero that says that `what` follows, and not elsewhere. */
MUST_USE enum errc unpack_7z_take_external(struct reader *r, const char *what, struct err *err);

/* --- unpack_7z_folder.c: how a folder is packed */

struct unpack_7z_folder {
    uint64_t size; /* bytes unpacked */
    uint32_t n_files;
    uint8_t n_coders;
    bool is_copy; /* its first coder: as many bytes packed as unpacked */
    bool has_crc;
    uint32_t crc;
};

/* unpack_7z_take_folder takes a folder's coders, of a kind and of a need of memory that is
 * accepted, and how they are bound to each other. It sets what of *out follows from these. */
MUST_USE enum errc unpack_7z_take_folder(struct reader *r, struct unpack_7z_folder *out,
                                         struct err *err);

/* --- unpack_7z_streams.c: where the packed streams lie, and what comes out of them */

struct unpack_7z_streams {
    struct region packed; /* all of them; counted from behind the first header */
    uint64_t *packed_sizes;
    struct unpack_7z_folder *folders;
    uint32_t n;         /* packed streams and folders: one each */
    struct span coders; /* the bytes of all folders' descriptions */
    uint64_t *sizes;    /* of the files that have bytes, in order; none is 0 */
    uint32_t n_sizes;
};

/* unpack_7z_streams_read takes them up to their end mark; `is_encoded`: those of a packed directory
 * (one folder, and nothing of files). After any end *out is freed with unpack_7z_streams_fini. */
MUST_USE enum errc unpack_7z_streams_read(struct reader *r, const struct unpack_limits *limits,
                                          bool is_encoded, struct unpack_7z_streams *out,
                                          struct err *err);
void unpack_7z_streams_fini(struct unpack_7z_streams *s);

/* --- unpack_7z_files.c: the list of files */

struct unpack_7z_item {
    uint64_t size; /* of a link: its target's */
    uint32_t name_at;
    uint16_t name_len;
    uint16_t mode;
    uint8_t kind;
};

struct unpack_7z {
    struct unpack_7z_item *items;
    char *names;
    uint32_t n;
};

/* unpack_7z_files_read takes the list up to its end mark into `z`, which is empty. */
MUST_USE enum errc unpack_7z_files_read(struct reader *r, const struct unpack_limits *limits,
                                        const struct unpack_7z_streams *streams,
                                        struct unpack_7z *z, struct err *err);

/* --- unpack_7z_decode.c: a packed directory's bytes */

/* unpack_7z_decode unpacks exactly `size` bytes to `to`. `packed` is a region of the file, `coders`
 * one folder as unpack_7z_take_folder has accepted it. */
MUST_USE enum errc unpack_7z_decode(struct source *src, struct region packed, struct span coders,
                                    uint8_t *to, size_t size, struct err *err);

#endif
