#ifndef SUREFOOT_VERIFY_TRUST_PRIVATE_H
#define SUREFOOT_VERIFY_TRUST_PRIVATE_H

/* trust_private.h: what crl.c needs of trust.c. Nobody else includes it. */

#include "verify/crl.h"
#include "verify/trust.h"

/* trust_crl is list number `i`, below trust_n_crls. */
const struct crl *trust_crl(const struct trust *t, size_t i);

#endif
