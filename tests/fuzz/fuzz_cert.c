#include <stdlib.h>

#include "verify/cert.h"
#include "verify/chain.h"
#include "verify/crl.h"
#include "verify/crl_points.h"
#include "verify/trust.h"

/* What is asked of somebody else is short, visible text. */
static void use_points(const struct cert *c)
{
    struct crl_points points;
    struct crl_wants wants = { .n = 0 };
    crl_points_read(c, &points);
    if (points.n > CRL_POINTS_MAX)
        abort();
    for (size_t i = 0; i < points.n; i++)
        for (size_t k = 0; k < points.urls[i].len; k++)
            if (points.urls[i].ptr[k] <= ' ' || points.urls[i].ptr[k] > '~' || k >= CRL_URL_MAX)
                abort();
    if (crl_wants_add(&wants, points.urls, points.n, NULL) != E_OK || wants.n > points.n)
        abort();
    crl_wants_fini(&wants);
}

/* Everything that is done with a certificate that came with a file: reading, describing, asking,
 * verifying with its key, and building a chain in which it is leaf, bag and anchor. */
static void use_cert(struct cert *c, struct span bytes)
{
    static const char *const eku = "1.3.6.1.5.5.7.3.3";
    struct cert_facts facts;
    struct signature_claim claim = { bytes, DIGEST_SHA256, bytes };
    cert_describe(c, &facts);
    (void)cert_is_published_by(c, "x");
    (void)cert_has_eku(c, eku);
    use_points(c);
    if (cert_check_issuer(c, c, NULL) == E_NOMEM)
        abort();
    claim.algorithm = span_sub(bytes, bytes.len / 2, bytes.len);
    if (cert_check_signature(c, &claim, bytes, NULL) == E_OK)
        abort();

    struct trust *trust;
    if (trust_new(&trust, NULL) != E_OK)
        abort();
    if (trust_add_anchors(trust, ANCHOR_CODE, bytes, NULL) != E_OK)
        abort();
    struct policy policy = { .trust = trust, .now = cert_not_before(c) };
    struct cert_bag bag = { .n = 1, .certs = { c } };
    struct chain_ask ask = { .leaf = c, .bag = &bag, .policy = &policy, .at = policy.now };
    struct findings findings = { 0 };
    struct chain_report report;
    uint32_t proven;
    if (chain_judge(&ask, &findings, &proven, &report, NULL) != E_OK)
        abort();
    trust_free(trust);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size);
    struct cert *c;
    struct crl *list;
    if (cert_read(bytes, &c, NULL) == E_OK) {
        use_cert(c, bytes);
        cert_free(c);
    }
    if (crl_read(bytes, &list, NULL) == E_OK)
        crl_free(list);
    return 0;
}
