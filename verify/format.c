#include "verify/format.h"

#include <stdlib.h>

#include "platform/base/num.h"

enum errc format_find(struct source *src, const struct format_ops **out, struct err *err)
{
    /* Binary kinds first: their magic numbers cannot be text. */
    static const struct format_ops *const kinds[] = {
        &format_pe,         &format_msi, &format_cab, &format_cat, &format_script_powershell,
        &format_script_wsh,
    };
    uint8_t bytes[FORMAT_HEAD_MAX];
    struct span head = span_of(bytes, (size_t)num_min(src->size, sizeof(bytes)));
    enum errc rc = source_read_at(src, 0, bytes, head.len, err);
    if (rc != E_OK)
        return rc;
    *out = NULL;
    for (size_t i = 0; i < ARRAY_LEN(kinds) && *out == NULL; i++)
        if (kinds[i]->sniff(src, head))
            *out = kinds[i];
    /* A sniff can only say no where it lacks memory: "of no kind" is said only if there is some. */
    void *probe = *out == NULL ? malloc(FORMAT_HEAD_MAX) : NULL;
    if (*out == NULL && probe == NULL)
        return err_nomem(err);
    free(probe);
    return E_OK;
}
