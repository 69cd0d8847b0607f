/* Workflow commands of GitHub Actions: an annotation a file. */

#include "installer/cli/print.h"
#include "platform/base/text.h"

/* In a property % : , are encoded, in a message %. Nothing else needs it: text made printable has
 * no line ends. */
static enum errc add_escaped(struct buf *out, const char *text, bool is_property, struct err *err)
{
    struct buf clean;
    buf_init(&clean, PRINT_FILE_MAX);
    enum errc rc = text_add_printable(&clean, span_text(text), err);
    for (size_t i = 0; i < clean.len && rc == E_OK; i++) {
        uint8_t c = clean.ptr[i];
        bool encode = c == '%' || (is_property && (c == ':' || c == ','));
        rc = encode ? buf_printf(out, err, "%%%02X", c) : buf_add_byte(out, c, err);
    }
    buf_fini(&clean);
    return rc;
}

static enum errc put_annotation(const char *file, const struct finding *f, const char *outcome,
                                struct buf *out, struct err *err)
{
    enum errc rc = buf_add_text(out, "::error file=", err);
    if (rc == E_OK)
        rc = add_escaped(out, file, true, err);
    if (rc == E_OK)
        rc = buf_printf(out, err, ",title=surefoot verify%%3A %s::%s%%3A ", outcome,
                        reason_word(f->reason));
    if (rc == E_OK)
        rc = add_escaped(out, f->text, false, err);
    return rc == E_OK ? buf_add_byte(out, '\n', err) : rc;
}

static enum errc github_file(const struct print_input *in, const struct print_style *style,
                             struct buf *out, struct err *err)
{
    const struct finding *reasons[FINDINGS_MAX * (SIGS_MAX + 1)];
    size_t n = print_reasons_of_file(in->verdict, reasons, ARRAY_LEN(reasons));
    enum errc rc = E_OK;
    for (size_t i = 0; i < n && rc == E_OK; i++)
        rc = put_annotation(in->file, reasons[i], outcome_word(in->verdict->outcome), out, err);
    if (in->verdict->outcome == OUTCOME_ACCEPTED && !style->quiet && rc == E_OK) {
        rc = buf_add_text(out, "::notice file=", err);
        if (rc == E_OK)
            rc = add_escaped(out, in->file, true, err);
        if (rc == E_OK)
            rc = buf_add_text(out, ",title=surefoot verify::accepted\n", err);
    }
    return rc;
}

const struct printer print_github = { .word = "github", .file = github_file, .between = "" };
