#include "installer/cli/print.h"

#include <string.h>

#include "platform/base/text.h"

const struct printer *printer_find(const char *word)
{
    static const struct printer *const all[] = { &print_text, &print_json, &print_junit,
                                                 &print_sarif, &print_github };
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (strcmp(all[i]->word, word) == 0)
            return all[i];
    return NULL;
}

static bool is_listed(const struct finding *const *list, size_t n, const struct finding *f)
{
    for (size_t i = 0; i < n; i++)
        if (list[i]->reason == f->reason && strcmp(list[i]->text, f->text) == 0)
            return true;
    return false;
}

/* Adds the fatal findings that something could excuse, or those that nothing does. */
static size_t add_fatal(const struct findings *from, bool excusable, const struct finding **out,
                        size_t n, size_t max)
{
    for (size_t i = 0; i < from->n && n < max; i++) {
        const struct finding *f = &from->items[i];
        if (f->fatal && (f->weight != WEIGHT_FATAL) == excusable && !is_listed(out, n, f))
            out[n++] = f;
    }
    return n;
}

size_t print_reasons_of_file(const struct verdict *v, const struct finding **out, size_t max)
{
    size_t n = 0;
    for (int excusable = 0; excusable <= 1; excusable++) {
        n = add_fatal(&v->report.findings, excusable, out, n, max);
        for (size_t i = 0; i < v->n_sigs && v->outcome != OUTCOME_ACCEPTED; i++)
            n = add_fatal(&v->sigs[i]->findings, excusable, out, n, max);
    }
    return n;
}

enum errc print_add_xml(struct buf *out, const char *text, struct err *err)
{
    enum errc rc = E_OK;
    struct span rest = span_text(text);
    while (rest.len > 0 && rc == E_OK) {
        char piece[64];
        uint32_t code;
        size_t n = text_utf8_next(rest, &code);
        if (n == 0)
            n = 1;
        const char *named = rest.ptr[0] == '<'   ? "&lt;"
                            : rest.ptr[0] == '>' ? "&gt;"
                            : rest.ptr[0] == '&' ? "&amp;"
                            : rest.ptr[0] == '"'
                                ? "&quot;"
                                : text_printable(span_sub(rest, 0, n), piece, sizeof(piece));
        rc = buf_add_text(out, named, err);
        rest = span_sub(rest, n, rest.len);
    }
    return rc;
}
