#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "installer/cli/json_parts.h"
#include "installer/cli/product_cmd.h"
#include "installer/core/doctor.h"
#include "platform/base/text.h"

static const char *const words[] = {
    [DOCTOR_NONE] = "unknown",
    [DOCTOR_WELL] = "well",
    [DOCTOR_WARNING] = "warning",
    [DOCTOR_FAULT] = "fault",
};

static enum errc add_text(const struct product_cmd *c, const struct doctor *d, struct buf *out,
                          struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < d->n && rc == E_OK; i++) {
        const struct doctor_row *row = &d->rows[i];
        char text[400];
        if (c->quiet && row->word == DOCTOR_WELL)
            continue;
        rc = buf_printf(out, err, "  %-8s %-10s %s\n", words[row->word], row->what,
                        text_printable(span_text(row->text), text, sizeof(text)));
        if (rc == E_OK && row->mend[0] != '\0')
            rc = buf_printf(out, err, "  %-8s %-10s to mend: %s\n", "", "", row->mend);
    }
    return rc;
}

static enum errc add_json(const struct product_cmd *c, const struct doctor *d, struct buf *out,
                          struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < d->n && rc == E_OK; i++) {
        const struct doctor_row *row = &d->rows[i];
        json_t *o =
            json_pack("{s:s,s:s,s:s,s:s,s:s,s:o}", "schema", "surefoot.doctor/1", "product",
                      c->setup.product.name, "check", row->what, "verdict", words[row->word],
                      "text", row->text, "mend", json_text_or_null(row->mend));
        rc = json_add_line(o, out, err);
    }
    return rc;
}

/* What is refused counts most, then what could not be found out. */
static enum exit_code code_of(const struct doctor *d)
{
    enum exit_code code = EXIT_DONE;
    for (size_t i = 0; i < d->n; i++)
        if (d->rows[i].word == DOCTOR_FAULT) {
            if (d->rows[i].code == E_REFUSED)
                return EXIT_REFUSED;
            code = EXIT_FAILED;
        }
    return code;
}

static enum errc show(struct product_cmd *c, struct buf *page, enum exit_code *code,
                      struct err *err)
{
    struct doctor *d = calloc(1, sizeof(*d));
    enum errc rc = d == NULL ? err_nomem(err) : doctor_examine(&c->setup, d, err);
    if (rc == E_OK) {
        *code = code_of(d);
        rc = c->as_json ? add_json(c, d, page, err) : add_text(c, d, page, err);
    }
    free(d);
    return rc;
}

enum exit_code cmd_doctor(struct cli *cli, int argc, char **argv)
{
    static const struct product_cmd_help help = {
        "doctor PRODUCT",
        "Tries everything that an upgrade leans on: feed, proxy, TLS, clock, permissions,\n"
        "database, disk, keys. Says what to mend, and changes nothing.\n",
        0
    };
    return product_cmd_show(cli, &help, show, argc, argv);
}
