/* A reparse point's bytes: u32 tag, u16 length of what follows the next field, u16 0; then u16
 * offset and length of the substitute name and of the print name, in bytes from the start of the
 * names; a symbolic link has u32 flags before them (1: relative). Names are UTF-16. */

#include <stdlib.h>
#include <string.h>

#include "platform/base/cc.h"
#include "platform/base/reader.h"
#include "platform/win32/reparse.h"

#define HEAD_LEN 8
#define IS_RELATIVE 1U

static enum errc add_number(struct buf *b, uint32_t n, size_t size, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < size && rc == E_OK; i++)
        rc = buf_add_byte(b, (uint8_t)(n >> (8 * i)), err);
    return rc;
}

static enum errc add_wide(struct buf *b, const wchar_t *text, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; text[i] != L'\0' && rc == E_OK; i++)
        rc = add_number(b, text[i], 2, err);
    return rc;
}

enum errc reparse_write_junction(const wchar_t *target, struct buf *out, struct err *err)
{
    const size_t print = wcslen(target) * 2, substitute = print + 8;
    const size_t length = 8 + substitute + 2 + print + 2;
    if (length + HEAD_LEN > REPARSE_BYTES_MAX)
        return err_set(err, E_LIMIT, "leads to a path that is too long for a junction");
    const struct {
        uint32_t n;
        size_t size;
    } head[] = { { IO_REPARSE_TAG_MOUNT_POINT, 4 },
                 { (uint32_t)length, 2 },
                 { 0, 2 },
                 { 0, 2 },
                 { (uint32_t)substitute, 2 },
                 { (uint32_t)substitute + 2, 2 },
                 { (uint32_t)print, 2 } };
    enum errc rc = E_OK;
    for (size_t i = 0; i < ARRAY_LEN(head) && rc == E_OK; i++)
        rc = add_number(out, head[i].n, head[i].size, err);
    if (rc == E_OK)
        rc = add_wide(out, L"\\??\\", err);
    if (rc == E_OK)
        rc = add_wide(out, target, err);
    if (rc == E_OK)
        rc = add_number(out, 0, 2, err);
    if (rc == E_OK)
        rc = add_wide(out, target, err);
    return rc == E_OK ? add_number(out, 0, 2, err) : rc;
}

/* "\??\C:\x" is "C:\x" for everyone above; "\??\Volume{...}" and the like need a prefix. */
static enum errc take_name(struct span name, wchar_t **out, struct err *err)
{
    const size_t n = name.len / 2;
    wchar_t *text = calloc(n + 1, sizeof(*text));
    if (text == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++)
        text[i] = (wchar_t)(name.ptr[2 * i] | name.ptr[2 * i + 1] << 8);
    if (wcslen(text) != n || n == 0) {
        free(text);
        return err_set(err, E_MALFORMED, "is a link with a target that is no path");
    }
    if (wcsncmp(text, L"\\??\\", 4) == 0) {
        if (text[4] != L'\0' && text[5] == L':')
            memmove(text, text + 4, (n - 3) * sizeof(*text));
        else
            text[1] = L'\\';
    }
    *out = text;
    return E_OK;
}

enum errc reparse_read(struct span bytes, wchar_t **out_target, bool *out_is_relative,
                       struct err *err)
{
    struct reader r = reader_of(bytes, 0);
    uint32_t tag = 0, flags = 0;
    uint16_t length = 0, unused = 0, at = 0, len = 0, print_at = 0, print_len = 0;
    if (!(reader_u32le(&r, &tag) && reader_u16le(&r, &length) && reader_u16le(&r, &unused)))
        return err_set(err, E_MALFORMED, "is a reparse point that ends early");
    if (tag != IO_REPARSE_TAG_MOUNT_POINT && tag != IO_REPARSE_TAG_SYMLINK)
        return err_set(err, E_ARGUMENT, "is no link");
    if (!(reader_u16le(&r, &at) && reader_u16le(&r, &len) && reader_u16le(&r, &print_at) &&
          reader_u16le(&r, &print_len)))
        return err_set(err, E_MALFORMED, "is a link that ends early");
    if (tag == IO_REPARSE_TAG_SYMLINK && !reader_u32le(&r, &flags))
        return err_set(err, E_MALFORMED, "is a symbolic link that ends early");
    if (at > r.rest.len || len > r.rest.len - at || len % 2 != 0)
        return err_set(err, E_MALFORMED, "is a link with a target outside of it");
    enum errc rc = take_name(span_of(r.rest.ptr + at, len), out_target, err);
    if (rc == E_OK)
        *out_is_relative = tag == IO_REPARSE_TAG_SYMLINK && (flags & IS_RELATIVE) != 0;
    return rc;
}
