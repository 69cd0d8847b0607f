#ifndef SUREFOOT_VERIFY_AUTHENTICODE_PRIVATE_H
#define SUREFOOT_VERIFY_AUTHENTICODE_PRIVATE_H

/* authenticode_private.h: what the authenticode_*.c files share. */

#include "verify/authenticode.h"

/* opus_read fills sig->program_name and program_url from the value of an SpcSpOpusInfo attribute,
 * as far as it reads. E_MALFORMED, E_TRUNCATED, E_LIMIT. */
MUST_USE enum errc opus_read(const struct der *value, struct sig_verdict *sig, struct err *err);

#endif
