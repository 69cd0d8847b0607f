/* JUnit XML: one testcase a file, a failure for what was refused, an error for what could not be
 * found out. */

#include <inttypes.h>

#include "installer/cli/print.h"
#include "platform/base/text.h"

static enum errc put_reasons(const struct verdict *v, struct buf *out, struct err *err)
{
    const struct finding *reasons[FINDINGS_MAX * (SIGS_MAX + 1)];
    size_t n = print_reasons_of_file(v, reasons, ARRAY_LEN(reasons));
    enum errc rc = E_OK;
    for (size_t i = 0; i < n && rc == E_OK; i++) {
        rc = buf_printf(out, err, "%s: ", reason_word(reasons[i]->reason));
        if (rc == E_OK)
            rc = print_add_xml(out, reasons[i]->text, err);
        if (rc == E_OK)
            rc = buf_add_byte(out, '\n', err);
    }
    return rc;
}

static enum errc put_failure(const struct verdict *v, struct buf *out, struct err *err)
{
    const char *element = v->outcome == OUTCOME_ERROR ? "error" : "failure";
    const struct finding *first = NULL;
    if (v->outcome == OUTCOME_ACCEPTED)
        return E_OK;
    size_t n = print_reasons_of_file(v, &first, 1);
    enum errc rc =
        buf_printf(out, err, "<%s type=\"%s\" message=\"%s\">", element,
                   n == 0 ? "None" : reason_word(first->reason), outcome_word(v->outcome));
    if (rc == E_OK)
        rc = put_reasons(v, out, err);
    return rc == E_OK ? buf_printf(out, err, "</%s>", element) : rc;
}

static enum errc junit_file(const struct print_input *in, const struct print_style *style,
                            struct buf *out, struct err *err)
{
    UNUSED(style);
    enum errc rc = buf_printf(out, err, "    <testcase classname=\"surefoot.verify.%s\" name=\"",
                              in->verdict->type);
    if (rc == E_OK)
        rc = print_add_xml(out, in->file, err);
    if (rc == E_OK)
        rc = buf_add_text(out, "\">", err);
    if (rc == E_OK)
        rc = put_failure(in->verdict, out, err);
    return rc == E_OK ? buf_add_text(out, "</testcase>\n", err) : rc;
}

static enum errc junit_head(const struct print_counts *counts, struct buf *out, struct err *err)
{
    size_t bad = counts->n_files - counts->n[OUTCOME_ACCEPTED] - counts->n[OUTCOME_ERROR];
    return buf_printf(
        out, err,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
        "  <testsuite name=\"surefoot verify\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\">\n",
        counts->n_files, bad, counts->n[OUTCOME_ERROR]);
}

static enum errc junit_tail(const struct print_counts *counts, const struct print_style *style,
                            struct buf *out, struct err *err)
{
    UNUSED(counts);
    UNUSED(style);
    return buf_add_text(out, "  </testsuite>\n</testsuites>\n", err);
}

const struct printer print_junit = { .word = "junit",
                                     .file = junit_file,
                                     .head = junit_head,
                                     .tail = junit_tail,
                                     .between = "",
                                     .waits = true };
