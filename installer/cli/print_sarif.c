/* SARIF 2.1.0: one result a reason. */

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "installer/cli/print.h"
#include "platform/base/text.h"

/* A file name as a relative reference (RFC 3986): what is not unreserved or a slash is
 * percent-encoded. */
static enum errc add_uri(struct buf *out, const char *file, struct err *err)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    enum errc rc = E_OK;
    for (const unsigned char *c = (const unsigned char *)file; *c != '\0' && rc == E_OK; c++) {
        if (strchr(plain, *c) != NULL)
            rc = buf_add_byte(out, *c, err);
        else if (*c == '\\')
            rc = buf_add_byte(out, '/', err);
        else
            rc = buf_printf(out, err, "%%%02X", *c);
    }
    return rc == E_OK ? buf_add_byte(out, '\0', err) : rc;
}

static json_t *result_value(const char *uri, const struct finding *f, const char *level)
{
    return json_pack("{s:s,s:s,s:{s:s},s:[{s:{s:{s:s}}}]}", "ruleId", reason_word(f->reason),
                     "level", level, "message", "text", f->text, "locations", "physicalLocation",
                     "artifactLocation", "uri", uri);
}

static enum errc put_result(const char *uri, const struct finding *f, const char *level,
                            struct buf *out, struct err *err)
{
    json_t *o = result_value(uri, f, level);
    char *text = o == NULL ? NULL : json_dumps(o, JSON_COMPACT);
    json_decref(o);
    if (text == NULL)
        return err_nomem(err);
    enum errc rc = out->len > 0 ? buf_add_text(out, ",\n", err) : E_OK;
    if (rc == E_OK)
        rc = buf_add_text(out, text, err);
    free(text);
    return rc;
}

static enum errc put_results(const struct print_input *in, const char *uri, struct buf *out,
                             struct err *err)
{
    const struct finding *reasons[FINDINGS_MAX * (SIGS_MAX + 1)];
    size_t n = print_reasons_of_file(in->verdict, reasons, ARRAY_LEN(reasons));
    enum errc rc = E_OK;
    for (size_t i = 0; i < n && rc == E_OK; i++)
        rc = put_result(uri, reasons[i], "error", out, err);
    const struct findings *own = &in->verdict->report.findings;
    for (size_t i = 0; i < own->n && rc == E_OK; i++)
        if (!own->items[i].fatal)
            rc = put_result(uri, &own->items[i], "note", out, err);
    return rc;
}

static enum errc sarif_file(const struct print_input *in, const struct print_style *style,
                            struct buf *out, struct err *err)
{
    struct buf uri;
    UNUSED(style);
    buf_init(&uri, PRINT_FILE_MAX);
    enum errc rc = add_uri(&uri, in->file, err);
    if (rc == E_OK)
        rc = put_results(in, (const char *)uri.ptr, out, err);
    buf_fini(&uri);
    return rc;
}

static json_t *rules_value(void)
{
    static const struct {
        const char *word, *advice;
    } rules[] = {
#define X(name, word, advice) { word, advice },
        REASONS(X)
#undef X
    };
    json_t *a = json_array();
    for (size_t i = 0; a != NULL && i < ARRAY_LEN(rules); i++) {
        json_t *rule =
            json_pack("{s:s,s:{s:s}}", "id", rules[i].word, "help", "text", rules[i].advice);
        if (json_array_append_new(a, rule) != 0) {
            json_decref(a);
            return NULL;
        }
    }
    return a;
}

static enum errc sarif_head(const struct print_counts *counts, struct buf *out, struct err *err)
{
    UNUSED(counts);
    json_t *driver =
        json_pack("{s:{s:s,s:o}}", "driver", "name", "surefoot", "rules", rules_value());
    char *text = driver == NULL ? NULL : json_dumps(driver, JSON_COMPACT);
    json_decref(driver);
    if (text == NULL)
        return err_nomem(err);
    enum errc rc = buf_printf(
        out, err,
        "{\"version\":\"2.1.0\",\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\","
        "\"runs\":[{\"tool\":%s,\"results\":[\n",
        text);
    free(text);
    return rc;
}

static enum errc sarif_tail(const struct print_counts *counts, const struct print_style *style,
                            struct buf *out, struct err *err)
{
    UNUSED(counts);
    UNUSED(style);
    return buf_add_text(out, "\n]}]}\n", err);
}

const struct printer print_sarif = { .word = "sarif",
                                     .file = sarif_file,
                                     .head = sarif_head,
                                     .tail = sarif_tail,
                                     .between = ",\n",
                                     .waits = true };
