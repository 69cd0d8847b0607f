#ifndef SUREFOOT_VERIFY_CHAIN_PRIVATE_H
#define SUREFOOT_VERIFY_CHAIN_PRIVATE_H

/* chain_private.h: the pieces of chain.c. chain_path.c finds ways from a certificate to where trust
 * begins and judges none of them; chain_checks.c judges one way; chain.c takes the best. */

#include "verify/chain.h"

/* The leaf first, the end (an anchor, or a pinned certificate) last. */
struct chain_path {
    size_t n;
    const struct cert *certs[CHAIN_MAX];
};

/* chain_each_path hands every way to an end to `fn`, likely ones first, until fn sets *stop or
 * fails. Names, key identifiers and the like lead it; no signature is verified. Limits:
 * CHAIN_PATHS_MAX ways, CHAIN_STEPS_MAX certificates looked at; past them *out_gave_up is set.
 * Where none was found, *out_longest is the longest way that ends nowhere. */
#define CHAIN_PATHS_MAX 16
#define CHAIN_STEPS_MAX 200
typedef enum errc (*chain_path_fn)(void *ctx, const struct chain_path *path, bool *stop,
                                   struct err *err);
MUST_USE enum errc chain_each_path(const struct chain_ask *ask, chain_path_fn fn, void *ctx,
                                   struct chain_path *out_longest, bool *out_gave_up,
                                   struct err *err);

bool chain_is_for_timestamp(const struct chain_ask *ask);

/* chain_pin_matches is true if one of the policy's pins is this certificate's. */
bool chain_pin_matches(const struct policy *policy, const struct cert *c);

/* What a finding is called, which depends on what the chain is for. */
enum chain_fault { FAULT_UNTRUSTED, FAULT_TIME, FAULT_USE };
enum reason chain_reason(const struct chain_ask *ask, enum chain_fault fault);

/* chain_check_path judges one way: first our own rules for each certificate, then OpenSSL's whole
 * verification of exactly this way. E_OK with what is wrong in `findings`. */
MUST_USE enum errc chain_check_path(const struct chain_ask *ask, const struct chain_path *path,
                                    struct findings *findings, struct err *err);

#endif
