#ifndef SUREFOOT_CORE_SETTING_H
#define SUREFOOT_CORE_SETTING_H

/* setting.h: one of the product's own settings, read and, for its scheduler, changed: a key of an
 * INI, XML or JSON file (setting_ini.c, setting_xml.c, setting_json.c), or of the registry, which
 * only Windows has (E_UNSUPPORTED elsewhere).
 *
 * Keys as product_setting.h says. A value is text: in JSON a string as it is, numbers, true, false
 * and null as they are written, and what is no scalar as E_MALFORMED; in XML the text of an element
 * without child elements, or an attribute, namespaces not looked at. Of an INI key or XML element
 * that stands more than once, E_MALFORMED: which one the product reads is not for us to guess. */

#include <stdbool.h>

#include "installer/core/setup.h"

#define SETTING_FILE_MAX (16 * 1024 * 1024)
#define SETTING_VALUE_MAX 4096

/* setting_get: *out_found is false where the file, or the key in it, is not there. *out is text
 * ended by NUL, at most SETTING_VALUE_MAX bytes. */
MUST_USE enum errc setting_get(const struct setup *setup, const struct product_setting *setting,
                               char out[SETTING_VALUE_MAX + 1], bool *out_found, struct err *err);

/* setting_set changes the value of a key that is there (else E_ABSENT), in a file whose every other
 * byte stays as it is; the file keeps owner, mode and attributes and is replaced as a whole. A JSON
 * number, true, false and null stay of that kind where the new value can be written so. */
MUST_USE enum errc setting_set(const struct setup *setup, const struct product_setting *setting,
                               const char *value, struct err *err);

/* The formats, pure: where in the bytes the value is, and its text. */
struct setting_found {
    bool is_found;
    struct region at; /* of the value as it is written, with its quotes in JSON */
    char text[SETTING_VALUE_MAX + 1];
};
MUST_USE enum errc setting_find(enum setting_format format, struct span bytes, const char *key,
                                struct setting_found *out, struct err *err);

#endif
