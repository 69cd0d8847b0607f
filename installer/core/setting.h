#ifndef SUREFOOT_CORE_SETTING_H
#define SUREFOOT_CORE_SETTING_H

/* setting.h: one of the product's own settings, read and, for its scheduler, changed: a key of an
 * INI, XML or JSON file (setting_ini.c, setting_xml.c, setting_json.c), or a value of the registry
 * (platform/registry.h), which only Windows has (E_UNSUPPORTED elsewhere).
 *
 * Programs read such files in different ways, and we don't know how the product does it. What two
 * of them would read differently is E_MALFORMED here, with the reason: nothing is guessed. Keys are
 * as product_setting.h says, and are written as in the file, case too; a mark of UTF-8 before the
 * first line is passed over.
 *
 *   INI   Key: "section/name", the name behind the last "/"; "name" stands before all sections.
 * Lines are "[section]", "name = value" ("name: value" where there is no "="), comments that begin
 *         with "#" or ";", and what else they may be unless it has to do with the key. The value
 * has no space around it, and is given without the quotes that are around all of it. E_MALFORMED:
 *         section or name twice, or in another case; a space and then "#" or ";" in a value, quotes
 *         elsewhere in it, a backslash at its end or in quotes; a deeper line below it, as it may
 * go on there. XML   Key: "a/b/c" from the outermost element on, or "a/b/@attribute"; of names with
 * a prefix the part behind it, namespaces not looked at. UTF-8, no DOCTYPE. The value is an
 * attribute's, or the text, without the white space around it, of an element that has nothing but
 * text or one CDATA in it. E_MALFORMED: any element of the key twice in its parent. JSON  Key:
 * "a/b/0", names in objects and numbers from 0 in arrays. No comments, and no name twice in any
 * object of the file. The value is a string, or a number, true, false or null as it is written.
 * E_MALFORMED: the key names an object or an array. */

#include <stdbool.h>

#include "installer/core/setup.h"

#define SETTING_FILE_MAX (16 * 1024 * 1024)
#define SETTING_VALUE_MAX 4096
#define SETTING_PARTS_MAX 32 /* of a key */

/* setting_get: *out_found is false where the file or key, or the key or value in it, is not there.
 * *out is text ended by NUL, at most SETTING_VALUE_MAX bytes. Errors name the file and the key. */
MUST_USE enum errc setting_get(const struct setup *setup, const struct product_setting *setting,
                               char out[SETTING_VALUE_MAX + 1], bool *out_found, struct err *err);

/* setting_set changes the value of a key that is there (else E_ABSENT). In the registry the value
 * keeps its kind. In a file every other byte stays as it is; the file keeps owner, mode and
 * attributes and is replaced as a whole. A JSON number, true, false and null stay without quotes
 * where the new value is one of these too. E_ARGUMENT for a value that can't be written there;
 * E_UNSUPPORTED for a link, and a file with a second name; E_BUSY where somebody else changed the
 * file meanwhile. */
MUST_USE enum errc setting_set(const struct setup *setup, const struct product_setting *setting,
                               const char *value, struct err *err);

/* The formats, pure: where in the bytes the value is, and its text. E_ARGUMENT for a key that can't
 * be one, E_MALFORMED, E_LIMIT; E_UNSUPPORTED for encodings that are not UTF-8. */
struct setting_found {
    bool is_found;
    struct region at; /* of the value as it is written, with its quotes in JSON and INI; of an empty
                         XML element <a/> its "/>" */
    char text[SETTING_VALUE_MAX + 1];
};
MUST_USE enum errc setting_find(enum setting_format format, struct span bytes, const char *key,
                                struct setting_found *out, struct err *err);

/* setting_replace appends to `out` the bytes with another value, and has held them against the old
 * ones: everything else reads as it did. E_ABSENT, E_ARGUMENT as setting_set has them. */
MUST_USE enum errc setting_replace(enum setting_format format, struct span bytes, const char *key,
                                   const char *value, struct buf *out, struct err *err);

#endif
