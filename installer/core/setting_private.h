#ifndef SUREFOOT_CORE_SETTING_PRIVATE_H
#define SUREFOOT_CORE_SETTING_PRIVATE_H

/* setting_private.h: what a format does, for setting.c and setting_format.c. The library (libxml2,
 * jansson) reads the whole and decides what the value is; a scanner of ours finds where it is
 * written, and the library's reading of that alone must be the same value. */

#include "installer/core/setting.h"

struct setting_key {
    size_t n;
    struct span parts[SETTING_PARTS_MAX]; /* none is empty */
};

struct setting_format_ops {
    /* A key's parts are those between "/". */
    enum errc (*find)(struct span bytes, const struct setting_key *key, struct setting_found *out,
                      struct err *err);
    /* Appends how `value` is written where `old` was found. */
    enum errc (*write)(struct span bytes, const struct setting_found *old, const char *value,
                       struct buf *out, struct err *err);
    /* Do both read the same but for the key? NULL: what is not the value has the same bytes, and
     * that is enough. */
    enum errc (*compare)(struct span before, struct span after, const struct setting_key *key,
                         const char *value, struct err *err);
};
extern const struct setting_format_ops setting_ini_ops, setting_xml_ops, setting_json_ops;

/* setting_without_mark is how many bytes the mark of UTF-8 at the start has: 0 or 3. */
size_t setting_mark_len(struct span bytes);

/* setting_put_text copies a value's text into *out, which is found then. E_LIMIT where it is too
 * long, E_MALFORMED where it is no UTF-8 or has a NUL. */
MUST_USE enum errc setting_put_text(struct setting_found *out, struct span text, struct err *err);

/* setting_part_index reads a part as a number; false where it is none. */
bool setting_part_index(struct span part, size_t *out);

#endif
