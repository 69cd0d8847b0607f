/* The registry by advapi32's wide calls, always in the 64-bit view. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/native.h"
#include "platform/win32/w32.h"

#define VALUE_BYTES_MAX (1024 * 1024)

/* A key's place: below which of the two roots, and under what name. */
struct place {
    HKEY root;
    wchar_t *key;  /* below the root */
    wchar_t *name; /* of the value; NULL where none was asked for */
};

static void place_fini(struct place *at)
{
    free(at->key);
    free(at->name);
}

static enum errc find_root(const char *key, HKEY *out_root, const char **out_rest, struct err *err)
{
    static const char *const names[] = { "HKLM\\", "HKU\\" };
    const HKEY roots[] = { HKEY_LOCAL_MACHINE, HKEY_USERS };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        size_t len = strlen(names[i]);
        if (strncmp(key, names[i], len) != 0 || key[len] == '\0')
            continue;
        *out_root = roots[i];
        *out_rest = key + len;
        return E_OK;
    }
    return err_set(err, E_ARGUMENT, "is no registry key: it begins with HKLM\\ or HKU\\");
}

/* Caller ends it with place_fini, also where this fails. */
static enum errc place_find(const char *key, const char *name, struct place *out, struct err *err)
{
    const char *rest = NULL;
    *out = (struct place){ .key = NULL };
    enum errc rc = find_root(key, &out->root, &rest, err);
    if (rc == E_OK)
        rc = w32_wide(rest, &out->key, err);
    if (rc == E_OK && name != NULL)
        rc = w32_wide(name, &out->name, err);
    return rc;
}

static bool is_missing(LSTATUS os)
{
    return os == ERROR_FILE_NOT_FOUND || os == ERROR_PATH_NOT_FOUND;
}

static LSTATUS open_key(const struct place *at, REGSAM access, HKEY *out)
{
    return RegOpenKeyExW(at->root, at->key, 0, access | KEY_WOW64_64KEY, out);
}

/* ------------------------------------------------------------------------------------------
 * reading */

struct held {
    bool is_there;
    DWORD kind;
    DWORD len;      /* bytes */
    uint8_t *bytes; /* freed by whoever asked; never NULL where it is there */
};

static enum errc read_value(HKEY key, const wchar_t *name, struct held *out, struct err *err)
{
    *out = (struct held){ .is_there = false };
    LSTATUS os = RegQueryValueExW(key, name, NULL, &out->kind, NULL, &out->len);
    if (is_missing(os))
        return E_OK;
    if (os != ERROR_SUCCESS)
        return w32_err_set(err, (DWORD)os, "cannot read the value");
    if (out->len > VALUE_BYTES_MAX)
        return err_set(err, E_LIMIT, "the value has %lu bytes", (unsigned long)out->len);
    out->bytes = calloc(1, out->len + sizeof(wchar_t));
    if (out->bytes == NULL)
        return err_nomem(err);
    os = RegQueryValueExW(key, name, NULL, &out->kind, out->bytes, &out->len);
    out->is_there = os == ERROR_SUCCESS;
    if (os == ERROR_SUCCESS || is_missing(os))
        return E_OK;
    return os == ERROR_MORE_DATA ? err_set(err, E_BUSY, "the value changed while it was read")
                                 : w32_err_set(err, (DWORD)os, "cannot read the value");
}

/* It may end with any number of NULs, or none. */
static enum errc text_of(const struct held *value, char *to, size_t room, struct err *err)
{
    const wchar_t *wide = (const wchar_t *)(const void *)value->bytes;
    size_t len = value->len / sizeof(*wide);
    if (value->len % sizeof(*wide) != 0)
        return err_set(err, E_MALFORMED, "the value is no whole UTF-16 text");
    while (len > 0 && wide[len - 1] == L'\0')
        len--;
    if (wcsnlen(wide, len) != len)
        return err_set(err, E_MALFORMED, "the value is a text with a NUL in it");
    int n = len == 0 ? 0
                     : WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide, (int)len, NULL, 0,
                                           NULL, NULL);
    if (n <= 0 && len > 0)
        return err_set(err, E_MALFORMED, "the value is no UTF-16 text");
    if ((size_t)n >= room)
        return err_set(err, E_LIMIT, "the value is longer than %zu bytes", room - 1);
    if (len > 0 && WideCharToMultiByte(CP_UTF8, 0, wide, (int)len, to, n, NULL, NULL) != n)
        return err_set(err, E_INTERNAL, "text changed while it was converted");
    to[n] = '\0';
    return E_OK;
}

static enum errc number_of(const struct held *value, size_t width, char *to, size_t room,
                           struct err *err)
{
    uint64_t number = 0; /* both are little-endian, as every Windows is */
    if (value->len != width)
        return err_set(err, E_MALFORMED, "the value is a number of %lu bytes",
                       (unsigned long)value->len);
    memcpy(&number, value->bytes, width);
    int n = snprintf(to, room, "%llu", (unsigned long long)number);
    return n > 0 && (size_t)n < room ? E_OK : err_set(err, E_LIMIT, "no room for the value");
}

static enum errc refuse_kind(DWORD kind, struct err *err)
{
    return err_set(err, E_MALFORMED,
                   "the value is of kind %lu: neither a text (REG_SZ, REG_EXPAND_SZ) nor a number "
                   "(REG_DWORD, REG_QWORD)",
                   (unsigned long)kind);
}

static enum errc show(const struct held *value, char *to, size_t room, struct err *err)
{
    switch (value->kind) {
    case REG_SZ:
    case REG_EXPAND_SZ: return text_of(value, to, room, err);
    case REG_DWORD: return number_of(value, sizeof(uint32_t), to, room, err);
    case REG_QWORD: return number_of(value, sizeof(uint64_t), to, room, err);
    default: return refuse_kind(value->kind, err);
    }
}

static enum errc registry_get(void *self, const char *key, const char *value, char *to, size_t room,
                              bool *out_found, struct err *err)
{
    struct place at;
    struct held held = { .is_there = false };
    HKEY open = NULL;
    UNUSED(self);
    enum errc rc = place_find(key, value, &at, err);
    if (rc == E_OK) {
        LSTATUS os = open_key(&at, KEY_QUERY_VALUE, &open);
        if (os != ERROR_SUCCESS && !is_missing(os))
            rc = w32_err_set(err, (DWORD)os, "cannot open the key");
    }
    if (rc == E_OK && open != NULL)
        rc = read_value(open, at.name, &held, err);
    if (rc == E_OK && held.is_there)
        rc = show(&held, to, room, err);
    if (rc == E_OK)
        *out_found = held.is_there;
    free(held.bytes);
    if (open != NULL)
        (void)RegCloseKey(open);
    place_fini(&at);
    return rc;
}

/* ------------------------------------------------------------------------------------------
 * writing */

/* Decimal digits without sign or leading zeros, as get gives them. */
static bool read_number(const char *text, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;
    if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        const uint64_t digit = (uint64_t)(*text - '0');
        if (n > (max - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *out = n;
    return true;
}

static enum errc write_number(HKEY key, const wchar_t *name, DWORD kind, const char *text,
                              struct err *err)
{
    const bool is_wide = kind == REG_QWORD;
    uint64_t number = 0;
    if (!read_number(text, is_wide ? UINT64_MAX : UINT32_MAX, &number))
        return err_set(err, E_ARGUMENT, "the value is a number (%s), which the new one is not",
                       is_wide ? "REG_QWORD" : "REG_DWORD");
    LSTATUS os = RegSetValueExW(key, name, 0, kind, (const BYTE *)&number,
                                is_wide ? sizeof(uint64_t) : sizeof(uint32_t));
    return os == ERROR_SUCCESS ? E_OK : w32_err_set(err, (DWORD)os, "cannot write the value");
}

static enum errc write_text(HKEY key, const wchar_t *name, DWORD kind, const char *text,
                            struct err *err)
{
    wchar_t *wide = NULL;
    enum errc rc = w32_wide(text, &wide, err);
    if (rc != E_OK)
        return rc;
    const size_t len = (wcslen(wide) + 1) * sizeof(*wide);
    LSTATUS os = len > VALUE_BYTES_MAX
                     ? ERROR_INVALID_PARAMETER
                     : RegSetValueExW(key, name, 0, kind, (const BYTE *)wide, (DWORD)len);
    free(wide);
    return os == ERROR_SUCCESS ? E_OK : w32_err_set(err, (DWORD)os, "cannot write the value");
}

static enum errc write_as_it_is(HKEY key, const wchar_t *name, const char *text, struct err *err)
{
    DWORD kind = REG_SZ;
    LSTATUS os = RegQueryValueExW(key, name, NULL, &kind, NULL, NULL);
    if (is_missing(os))
        kind = REG_SZ;
    else if (os != ERROR_SUCCESS)
        return w32_err_set(err, (DWORD)os, "cannot see the value");
    switch (kind) {
    case REG_SZ:
    case REG_EXPAND_SZ: return write_text(key, name, kind, text, err);
    case REG_DWORD:
    case REG_QWORD: return write_number(key, name, kind, text, err);
    default: return refuse_kind(kind, err);
    }
}

static enum errc flush(HKEY key, struct err *err)
{
    LSTATUS os = RegFlushKey(key);
    return os == ERROR_SUCCESS ? E_OK : w32_err_set(err, (DWORD)os, "cannot flush the key");
}

#define WRITE_ACCESS (KEY_SET_VALUE | KEY_QUERY_VALUE)

static enum errc registry_set(void *self, const char *key, const char *value, const char *text,
                              struct err *err)
{
    struct place at;
    HKEY open = NULL;
    UNUSED(self);
    enum errc rc = place_find(key, value, &at, err);
    if (rc == E_OK) {
        LSTATUS os = RegCreateKeyExW(at.root, at.key, 0, NULL, REG_OPTION_NON_VOLATILE,
                                     WRITE_ACCESS | KEY_WOW64_64KEY, NULL, &open, NULL);
        if (os != ERROR_SUCCESS)
            rc = w32_err_set(err, (DWORD)os, "cannot open the key to write");
    }
    if (rc == E_OK)
        rc = write_as_it_is(open, at.name, text, err);
    if (rc == E_OK)
        rc = flush(open, err);
    if (open != NULL)
        (void)RegCloseKey(open);
    place_fini(&at);
    return rc;
}

static enum errc take_away(const struct place *at, struct err *err)
{
    HKEY open = NULL;
    LSTATUS os = open_key(at, WRITE_ACCESS, &open);
    if (is_missing(os))
        return E_OK;
    if (os != ERROR_SUCCESS)
        return w32_err_set(err, (DWORD)os, "cannot open the key to write");
    os = RegDeleteValueW(open, at->name);
    enum errc rc = is_missing(os)        ? E_OK
                   : os == ERROR_SUCCESS ? flush(open, err)
                                         : w32_err_set(err, (DWORD)os, "cannot remove the value");
    (void)RegCloseKey(open);
    return rc;
}

static enum errc registry_remove(void *self, const char *key, const char *value, struct err *err)
{
    struct place at;
    UNUSED(self);
    enum errc rc = place_find(key, value, &at, err);
    if (rc == E_OK)
        rc = take_away(&at, err);
    place_fini(&at);
    return rc;
}

/* Goes up to the nearest key that is there: in it we would have to make one. The two roots
 * themselves take no new keys. */
static LSTATUS ask_for_write(struct place *at)
{
    HKEY open = NULL;
    LSTATUS os = open_key(at, WRITE_ACCESS, &open);
    while (is_missing(os)) {
        wchar_t *cut = wcsrchr(at->key, L'\\');
        if (cut == NULL)
            return ERROR_ACCESS_DENIED;
        *cut = L'\0';
        os = open_key(at, KEY_CREATE_SUB_KEY, &open);
    }
    if (os == ERROR_SUCCESS)
        (void)RegCloseKey(open);
    return os;
}

static enum errc registry_can_write(void *self, const char *key, bool *out_can, struct err *err)
{
    struct place at;
    UNUSED(self);
    enum errc rc = place_find(key, NULL, &at, err);
    if (rc == E_OK) {
        LSTATUS os = ask_for_write(&at);
        if (os == ERROR_SUCCESS || os == ERROR_ACCESS_DENIED)
            *out_can = os == ERROR_SUCCESS;
        else
            rc = w32_err_set(err, (DWORD)os, "cannot open the key");
    }
    place_fini(&at);
    return rc;
}

const struct registry_ops native_registry_ops = { .get = registry_get,
                                                  .set = registry_set,
                                                  .remove = registry_remove,
                                                  .can_write = registry_can_write };
