#ifndef SUREFOOT_WIN32_WITNESS_CODE_H
#define SUREFOOT_WIN32_WITNESS_CODE_H

/* witness_code.h: what Windows' codes for signatures mean to us. Pure, and of numbers alone, so
 * that every system can test it. */

#include <stddef.h>
#include <stdint.h>

#include "platform/witness.h"

struct witness_code {
    uint32_t code; /* what WinVerifyTrust gives, an HRESULT */
    enum witness_word word;
    const char *name;
};

extern const struct witness_code witness_codes[];
extern const size_t witness_n_codes;

/* witness_code_read is the one way from Windows' words to ours: `code` is WinVerifyTrust's,
 * `chain_status` the dwErrorStatus of the signer's chain (CERT_TRUST_*), 0 where there is none. A
 * code that is not in the table is WITNESS_UNKNOWN: whoever was asked and did not say that the file
 * is intact has not said it. */
void witness_code_read(uint32_t code, uint32_t chain_status, struct witness_answer *out);

#endif
