#ifndef SUREFOOT_PUBLISH_SIGNERS_H
#define SUREFOOT_PUBLISH_SIGNERS_H

/* signers.h: the one or two signers of a command: at most one of each system, since each system has
 * one signature beside a file (FILE.minisig, FILE.p7s). Options of the first signer come before
 * those of the second: --key a.key --passphrase-file f --pkcs12 b.p12 --passphrase-file g. */

#include "keys/publish/sign.h"

#define SIGNERS_MAX 2

struct signers {
    size_t n;
    struct signer_ask asks[SIGNERS_MAX];
    struct signer *items[SIGNERS_MAX]; /* open after signers_open */
    struct platform *platform;
    secret_warn_fn warn;
    void *warn_ctx;
};

/* signers_init: `warn` is passphrase.h's. */
void signers_init(struct signers *s, struct platform *platform, secret_warn_fn warn,
                  void *warn_ctx);

/* signers_option takes one of signer_specs and says in *out_taken whether it was one. E_ARGUMENT
 * for a third signer. */
MUST_USE enum errc signers_option(struct signers *s, const char *name, const char *value,
                                  bool *out_taken, struct err *err);

/* signers_check is E_ARGUMENT, with a text for the user, where the options make no sense together:
 * two of one system, a passphrase of no key, half a certificate. signers_n_given: how many sign, 0
 * to SIGNERS_MAX. No file is opened by either. */
MUST_USE enum errc signers_check(const struct signers *s, struct err *err);
size_t signers_n_given(const struct signers *s);

/* signers_list_files lists the files that the options of those who are open name, and returns how
 * many there are: secrets, or beside one. */
struct signers_file {
    const char *option; /* "key" */
    const char *path;
};
#define SIGNERS_FILES_MAX (5 * SIGNERS_MAX)
size_t signers_list_files(const struct signers *s, struct signers_file out[SIGNERS_FILES_MAX]);

/* signers_find_secret says which secret key a file holds, by its first bytes: "a minisign secret
 * key", or NULL. A minisign key is the two lines that they begin with; a private key in PEM (RFC
 * 7468, of whatever kind) may follow other text. Not found: keys in DER, in PKCS#12, and in texts
 * of other forms. */
const char *signers_find_secret(struct span head);

/* signers_open checks and opens all of them, asking for passphrases; errors as signer_open's.
 * signers_close wipes what is open. */
MUST_USE enum errc signers_open(struct signers *s, struct err *err);
void signers_close(struct signers *s);

/* A signature of one content by each signer, in the signers' order. */
struct signatures {
    size_t n;
    struct buf items[SIGNERS_MAX];
    const char *suffixes[SIGNERS_MAX]; /* "minisig" */
};

/* signers_sign makes them; `path` names the content in minisign's trusted comment, and `words`,
 * which may be NULL, stand at its end: each begins with a tab. Caller frees with signatures_fini,
 * also after an error. */
MUST_USE enum errc signers_sign(struct signers *s, struct source *content, const char *path,
                                const char *words, struct signatures *out, struct err *err);
void signatures_fini(struct signatures *s);

/* signers_read_place reads the signature that lies where a new one is to go, and says in
 * *out_is_there whether one does. E_EXISTS for a file that does not read as a signature: never is a
 * key replaced, nor the file itself. What is no file is not there; it is refused when it is
 * written. Caller frees *out_old with buf_fini, also where there is none. */
MUST_USE enum errc signers_read_place(struct platform *p, const char *path, struct buf *out_old,
                                      bool *out_is_there, struct err *err);

#endif
