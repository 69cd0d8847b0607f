#ifndef SUREFOOT_PLATFORM_WITNESS_H
#define SUREFOOT_PLATFORM_WITNESS_H

/* witness.h: what the system itself says of a program's signature, where it has an opinion: Windows
 * by WinVerifyTrust. It is a second witness beside our own proof (verify/), which decides alone
 * what is accepted; policy.h says what the word counts for.
 *
 * What it promises: the file that is open is the one that is asked about, nobody is shown a window,
 * and no network is used. What it does not check: whether the file is one that the caller wants to
 * accept; it is to be asked of such alone, since the system's reader of foreign bytes is not ours.
 */

#include "platform/source.h"

/* A zeroed answer says nothing. */
enum witness_word {
    WITNESS_UNAVAILABLE = 0, /* there is no witness, or it could not do its work */
    WITNESS_INTACT,          /* the bytes are what was signed, and the system trusts the signer */
    WITNESS_CHAIN,   /* nothing against the bytes, but the system does not trust the certificates */
    WITNESS_BROKEN,  /* the bytes are not what was signed, or are not signed at all */
    WITNESS_BANNED,  /* the system was told to distrust one of the certificates, whoever vouches */
    WITNESS_UNKNOWN, /* whatever a witness says that nobody here knows the meaning of */
};

struct witness_answer {
    enum witness_word word;
    char text[120]; /* its own words, on one line: "TRUST_E_BAD_DIGEST (0x80096010)" */
};

struct witness_ops {
    /* Of the Authenticode signatures inside the PE file that `src` holds open, through that very
     * handle. It takes as long as reading the file does. Safe from several threads. */
    void (*ask)(void *self, struct source *src, struct witness_answer *out);
};

#endif
