/* When the certificates that the system trusts are read: only where they can count. Else a machine
 * whose store cannot be read could not be upgraded by a product that names its own. */

#include "installer/core/fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "manifest/product.h"
#include "platform/native.h"
#include "verify/digest.h"

static int n_readings;

static enum errc no_store(void *self, host_cert_fn fn, void *ctx, struct err *err)
{
    UNUSED(self);
    UNUSED(fn);
    UNUSED(ctx);
    n_readings++;
    return err_set(err, E_IO, "the store is broken");
}

static void the_systems_certificates_are_read_where_they_count(void **state)
{
    UNUSED(state);
    static const char ca[] = "certificates of the product file's own";
    static const struct {
        int use; /* enum proxy_use */
        const char *proxy, *ca;
        bool wants;
    } rows[] = {
        { PROXY_NONE, NULL, "", true },
        { PROXY_NONE, NULL, ca, false },
        { PROXY_URL, "http://proxy.example:8080", ca, false },
        { PROXY_URL, "HTTPS://proxy.example:8080", ca, true },
        { PROXY_URL, "http://proxy.example:8080", "", true },
        { PROXY_SYSTEM, NULL, ca, true }, /* it may name one that is asked over TLS */
        { PROXY_SYSTEM, NULL, "", true },
    };
    struct platform p = *platform_native();
    struct host_ops host = *p.host;
    host.system_anchors = no_store;
    p.host = &host;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fetch_settings settings = { .platform = &p,
                                           .proxy_use = rows[i].use,
                                           .proxy_url = rows[i].proxy,
                                           .ca = span_text(rows[i].ca),
                                           .stall_s = 1,
                                           .deadline_s = 1,
                                           .agent = "surefoot/0" };
        struct fetch *f = NULL;
        struct err err = { .text = "" };
        n_readings = 0;
        enum errc rc = fetch_new(&settings, &f, &err);
        if (rc != (rows[i].wants ? E_IO : E_OK) || n_readings != (rows[i].wants ? 1 : 0))
            fail_msg("row %zu: %d after %d readings: %s", i, rc, n_readings, err.text);
        if (rc == E_OK)
            fetch_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_systems_certificates_are_read_where_they_count),
    };
    digest_init_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
