#ifndef SUREFOOT_PUBLISH_SIGN_H
#define SUREFOOT_PUBLISH_SIGN_H

/* sign.h: a signer makes detached signatures: minisign (prehashed) from a minisign secret key, or
 * CMS (RFC 5652) from a certificate and its key in PEM, PKCS#12 or a PKCS#11 token. Each signature
 * is judged by the client's own code, under a policy of the signer's own key or certificate, before
 * it is given out: one that surefoot would refuse in strict is not kept.
 *
 * A minisign signature: alg "ED" over BLAKE2b-512 of the content, and a trusted comment.
 * A CMS signature: DER, one SignerInfo, SHA-256, signedAttrs contentType, messageDigest,
 * signingTime and signingCertificateV2 (RFC 5035), the certificates of the chain below the root.
 *
 * What it does not do: timestamps by an authority; revocation of the signer's certificate. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "installer/cli/opt.h"
#include "keys/publish/passphrase.h"
#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "platform/platform.h"
#include "platform/source.h"
#include "verify/verdict.h"

struct policy;
struct signer;

/* Which key. Exactly one of `key`, `cert_key`, `pkcs12` and `pkcs11` is given; `cert` belongs to
 * cert_key and pkcs11. All are borrowed for the call. */
struct signer_ask {
    const char *key;                  /* minisign secret key file */
    const char *cert;                 /* PEM: the signer's certificate, then those of its chain */
    const char *cert_key;             /* PEM private key file */
    const char *pkcs12;               /* certificate, chain and key in one file */
    const char *pkcs11;               /* RFC 7512 URI of the key; a pin-value in it is refused */
    const char *pkcs11_module;        /* the token's library; NULL: what the system has set up */
    struct passphrase_ask passphrase; /* asked for only where it is needed */
};

/* The options of a command that signs, to be put among its own. signer_option takes one of them,
 * and says in *out_taken whether it was one; the value is borrowed. signer_ask_init first.
 * signer_ask_is_given: was any key named? */
extern const struct opt_spec signer_specs[];
extern const size_t signer_n_specs;
void signer_ask_init(struct signer_ask *ask);
MUST_USE enum errc signer_option(struct signer_ask *ask, const char *name, const char *value,
                                 bool *out_taken, struct err *err);
bool signer_ask_is_given(const struct signer_ask *ask);

/* signer_ask_check is E_ARGUMENT, with a text for the user, unless the options name one key. No
 * file is opened. */
MUST_USE enum errc signer_ask_check(const struct signer_ask *ask, struct err *err);

/* signer_open reads the key, asking for the passphrase where one is needed. E_ARGUMENT for a
 * question that makes no sense, and files that are missing, broken, of another kind, or do not
 * belong together; E_ACCESS for a wrong passphrase or PIN; E_REFUSED for a certificate that the
 * client would refuse today (expired, not for code signing, weak); E_UNSUPPORTED for keys and
 * encryptions that are not done here. Caller frees *out with signer_close, which wipes the key. */
MUST_USE enum errc signer_open(struct platform *p, const struct signer_ask *ask,
                               struct signer **out, struct err *err);
void signer_close(struct signer *s);

/* signer_suffix is "minisig" or "p7s": what a signature's file name ends in. */
const char *signer_suffix(const struct signer *s);

/* signer_sign appends to `out_signature` the signature of all of `content`, which is read twice and
 * never held whole. `trusted_comment` (one printable line of UTF-8, at most SIGN_COMMENT_MAX bytes)
 * is minisign's alone: NULL is "timestamp:NOW\thashed", and for CMS it must be NULL. E_REFUSED with
 * the client's reason where the signature does not pass. */
#define SIGN_COMMENT_MAX 1024
#define SIGN_SIGNATURE_MAX (256 * 1024) /* the cap that `out_signature` needs at most */
MUST_USE enum errc signer_sign(struct signer *s, struct source *content,
                               const char *trusted_comment, struct buf *out_signature,
                               struct err *err);

/* signer_file_comment writes the trusted comment that minisign gives to a file,
 * "timestamp:NOW\tfile:NAME\thashed" with the last part of the path. Returns `to`. */
const char *signer_file_comment(const struct signer *s, const char *path,
                                char to[SIGN_COMMENT_MAX + 1]);

/* Who signs. For minisign only key_id is set, for CMS `cert`. Text has passed text_printable. */
struct signer_facts {
    enum sig_system system;
    char key_id[17];
    struct cert_facts cert;
};
const struct signer_facts *signer_describe(const struct signer *s);

/* signer_policy is what its own signatures are judged by: strict, and trusting this key or
 * certificate alone. Borrowed from the signer. */
const struct policy *signer_policy(const struct signer *s);

#endif
