#include <stdlib.h>

#include "verify/authenticode.h"
#include "verify/stamp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct cms *cms, const struct policy *policy, struct sig_verdict *sig)
{
    struct digest digest = { .alg = cms->signer.digest, .len = digest_len(cms->signer.digest) };
    struct signed_content content = { cms, &digest, SYSTEM_AUTHENTICODE };
    struct report report = { .n_ranges = 0 };
    struct err err;
    if (authenticode_judge_signer(&content, policy, sig, &report, &err) == E_OK &&
        (sig->proven & FACT_CHAIN) != 0)
        abort(); /* there is no anchor */
    report_fini(&report);
}

/* One blob as a SignedData: its structure, its content, its bag, its signer and its timestamp. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct policy policy = { .profile = PROFILE_WINDOWS, .now = 1750000000 };
    struct trust *trust = NULL;
    struct sig_verdict *sig = calloc(1, sizeof(*sig));
    struct cms cms;
    struct spc spc;
    struct err err;
    if (sig != NULL && trust_new(&trust, &err) == E_OK &&
        cms_read(span_of(data, size), 0, &cms, &err) == E_OK) {
        policy.trust = trust;
        if (cms.has_content && spc_read(cms.content.content, cms.content.at, &spc, &err) != E_OK)
            spc.type = OID_UNKNOWN;
        judge(&cms, &policy, sig);
    }
    trust_free(trust);
    free(sig);
    return 0;
}
