#ifndef SUREFOOT_MANIFEST_PRODUCT_SETTING_H
#define SUREFOOT_MANIFEST_PRODUCT_SETTING_H

/* product_setting.h: where one of the product's own settings is: a key in a file, or a value of the
 * Windows registry. Keys are written with "/" between their parts: "section/name" in an INI file,
 * "a/b/c" or "a/b/@attribute" in XML, "a/b/0" in JSON.
 *
 * What it does not check: whether it is there. */

enum setting_format { SETTING_INI, SETTING_XML, SETTING_JSON };
extern const char *const setting_format_words[];

/* product_setting: either file, format and key, or registry and value; the others are NULL. */
struct product_setting {
    const char *file; /* absolute, or relative to the product file */
    int format;       /* enum setting_format; -1 in the registry */
    const char *key;
    const char *registry; /* the registry's key, HKLM\... or HKU\... */
    const char *value;    /* the name of a value in it */
};

#endif
