#ifndef SUREFOOT_PLATFORM_REGISTRY_H
#define SUREFOOT_PLATFORM_REGISTRY_H

/* registry.h: values of the Windows registry, read and written as text. Part of platform.h's
 * machine; where there is no registry every operation is E_UNSUPPORTED.
 *
 * A key begins with "HKLM\" or "HKU\" (else E_ARGUMENT) and goes on with names between "\"; case
 * does not count. It is always that of the 64-bit view. `value` is the name of a value in it; "" is
 * the key's own. Texts of values are UTF-8 ended by NUL.
 *
 * What has a text: REG_SZ, REG_EXPAND_SZ as it is written (nothing is expanded), and REG_DWORD and
 * REG_QWORD as decimal numbers without sign or leading zeros. All other kinds, a text with a NUL in
 * it and one that is no UTF-16 are E_MALFORMED.
 *
 * What it does not check: whether anyone else may write there. */

#include <stdbool.h>
#include <stddef.h>

#include "platform/base/cc.h"
#include "platform/base/err.h"

struct registry_ops {
    /* The text of a value. E_OK and *out_found false where the key or the value is not there; `to`
     * (room bytes) is written to only where it is. E_LIMIT: it does not fit; E_ACCESS. */
    enum errc (*get)(void *self, const char *key, const char *value, char *to, size_t room,
                     bool *out_found, struct err *err);
    /* Writes a value; it is on the disk when this returns. What is not there is made, the key and
     * those above it too, as REG_SZ. What is there keeps its kind: a text that is no number that
     * fits into a REG_DWORD or REG_QWORD is E_ARGUMENT there, and a value of any other kind than
     * the four above is E_MALFORMED; both stay as they are. E_ACCESS. */
    enum errc (*set)(void *self, const char *key, const char *value, const char *text,
                     struct err *err);
    /* Takes a value away, whatever its kind, and leaves the key. E_OK where it is not there. */
    enum errc (*remove)(void *self, const char *key, const char *value, struct err *err);
    /* May we set values in that key: where it is not there, may we make it? Nothing is changed. An
     * error where that can't be found out. */
    enum errc (*can_write)(void *self, const char *key, bool *out_can, struct err *err);
};

#endif
