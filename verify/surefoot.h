#ifndef SUREFOOT_H
#define SUREFOOT_H

/* surefoot.h: libsurefoot, the proof that `surefoot verify` gives, for other programs.
 *
 *   sf_verifier *v = sf_verifier_new();
 *   sf_verifier_add_anchors(v, SF_ANCHOR_CODE, pem, pem_len);
 *   sf_verifier_demand_publisher(v, "Example Corporation");
 *   sf_verdict *verdict = NULL;
 *   if (sf_verify_file(v, "setup.msi", NULL, 0, time(NULL), &verdict) == SF_OK &&
 *       sf_verdict_outcome(verdict) == SF_ACCEPTED)
 *       ...
 *   sf_verdict_free(verdict);
 *   sf_verifier_free(v);
 *
 * An sf_status says whether something could be found out; an sf_outcome says what was. Only
 * SF_ACCEPTED is acceptance; every zeroed or missing value is not. Text is UTF-8 on one line, safe
 * to show, borrowed from what it was asked of. The library never touches the network and never
 * reads the clock.
 *
 * A verifier is filled by one thread; after that sf_verify_* may be called on it from many. After a
 * failed call sf_verifier_error says why, for the calling thread's last call on a verifier that it
 * alone uses; sf_verify_* put their words into the verdict instead.
 *
 * What it does not check: that the file on disk keeps its bytes after the call. Use
 * sf_verify_source with a reader over the handle that you go on using. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef SF_API
#define SF_API
#endif

#define SF_VERSION "0.1.0"

typedef struct sf_verifier sf_verifier;
typedef struct sf_verdict sf_verdict;

typedef enum sf_status {
    SF_OK = 0,
    SF_USAGE = 1,  /* the call makes no sense: a bad name, nothing to trust */
    SF_NOMEM = 2,  /* memory ran out */
    SF_IO = 3,     /* the file could not be read */
    SF_FAILED = 4, /* could not be found out for another reason */
} sf_status;

typedef enum sf_outcome {
    SF_NOTHING = 0,
    SF_ACCEPTED = 1,
    SF_REFUSED = 2,
    SF_UNSIGNED = 3,
    SF_UNSUPPORTED = 4, /* of no kind that can carry a signature, and none was given */
    SF_ERROR = 5,       /* could not be read */
} sf_outcome;

typedef enum sf_anchor_use { SF_ANCHOR_CODE = 0, SF_ANCHOR_TIMESTAMP = 1 } sf_anchor_use;
typedef enum sf_profile { SF_PROFILE_STRICT = 0, SF_PROFILE_WINDOWS = 1 } sf_profile;

/* The version of the library that runs, like SF_VERSION. Never NULL. */
SF_API const char *sf_version(void);

/* NULL where memory ran out. sf_verifier_free(NULL) does nothing. */
SF_API sf_verifier *sf_verifier_new(void);
SF_API void sf_verifier_free(sf_verifier *v);

/* Why the last call on `v` failed; "" where none did. */
SF_API const char *sf_verifier_error(const sf_verifier *v);

/* Certificates that may end a chain, revocation lists (both PEM, any number, or one DER), minisign
 * public keys. The bytes are copied. Giving a list demands one for every certificate below the
 * anchor. */
SF_API sf_status sf_verifier_add_anchors(sf_verifier *v, sf_anchor_use use, const void *bytes,
                                         size_t len);
SF_API sf_status sf_verifier_add_crls(sf_verifier *v, const void *bytes, size_t len);
SF_API sf_status sf_verifier_add_key(sf_verifier *v, const void *bytes, size_t len);

/* What is demanded; names, pins and allowances add up ("sha256:HEX", "spki-sha256:HEX"; "sha1",
 * "rsa1024", "UnsignedMetadata", "UncoveredData", "CertificateTablePadding", "ChecksumMismatch").
 * `systems` is a text like "authenticode+minisign". */
SF_API sf_status sf_verifier_demand_publisher(sf_verifier *v, const char *name);
SF_API sf_status sf_verifier_pin(sf_verifier *v, const char *pin);
SF_API sf_status sf_verifier_allow(sf_verifier *v, const char *code);
SF_API sf_status sf_verifier_require(sf_verifier *v, const char *systems);
SF_API sf_status sf_verifier_set_eku(sf_verifier *v, const char *dotted_oid_or_any);
SF_API sf_status sf_verifier_set_profile(sf_verifier *v, sf_profile profile);
SF_API sf_status sf_verifier_require_timestamp(sf_verifier *v, int yes);
SF_API sf_status sf_verifier_all_signatures(sf_verifier *v, int yes);

/* A detached signature, CMS or minisign, told apart by its bytes. */
typedef struct sf_signature_bytes {
    const void *bytes;
    size_t len;
} sf_signature_bytes;

/* Random access to the content. read_at reads exactly `len` bytes at `at` and returns 0, or
 * anything else for a failure; it may be called from several threads at once. The size must not
 * change. */
typedef struct sf_reader {
    int (*read_at)(void *ctx, uint64_t at, void *to, size_t len);
    void *ctx;
    uint64_t size;
} sf_reader;

/* Judge one file as of `now` (seconds since 1970). SF_OK whenever there is a verdict, whatever it
 * says. *out_verdict is the caller's, to be freed with sf_verdict_free; it is set for SF_OK and
 * SF_IO, else NULL. `signatures` may be NULL. */
SF_API sf_status sf_verify_file(const sf_verifier *v, const char *path,
                                const sf_signature_bytes *signatures, size_t n_signatures,
                                int64_t now, sf_verdict **out_verdict);
SF_API sf_status sf_verify_memory(const sf_verifier *v, const void *bytes, size_t len,
                                  const sf_signature_bytes *signatures, size_t n_signatures,
                                  int64_t now, sf_verdict **out_verdict);
SF_API sf_status sf_verify_source(const sf_verifier *v, const sf_reader *reader,
                                  const sf_signature_bytes *signatures, size_t n_signatures,
                                  int64_t now, sf_verdict **out_verdict);

SF_API void sf_verdict_free(sf_verdict *verdict);

/* What was found out. All take NULL and then answer SF_NOTHING, 0 or "". */
SF_API sf_outcome sf_verdict_outcome(const sf_verdict *verdict);
SF_API const char *
sf_verdict_type(const sf_verdict *verdict); /* "pe", "msi", ... as in the JSON report */

/* The reasons of a refusal (tolerated = 0), or the findings that did not refuse it (tolerated = 1):
 * the file's own first, then its signatures'. Codes are the stable words of the man page. */
SF_API size_t sf_verdict_n_reasons(const sf_verdict *verdict, int tolerated);
SF_API const char *sf_verdict_reason_code(const sf_verdict *verdict, int tolerated, size_t i);
SF_API const char *sf_verdict_reason_detail(const sf_verdict *verdict, int tolerated, size_t i);

/* The signatures. A field that a signature does not have is "", a time that is not there 0. */
SF_API size_t sf_verdict_n_signatures(const sf_verdict *verdict);
SF_API int sf_signature_is_accepted(const sf_verdict *verdict, size_t i);
SF_API const char *sf_signature_kind(const sf_verdict *verdict,
                                     size_t i); /* "authenticode", "cms", "minisign" */
SF_API const char *sf_signature_digest(const sf_verdict *verdict, size_t i); /* "sha256" */
SF_API const char *sf_signature_subject(const sf_verdict *verdict, size_t i);
SF_API const char *sf_signature_issuer(const sf_verdict *verdict, size_t i);
SF_API const char *sf_signature_thumbprint(const sf_verdict *verdict, size_t i); /* SHA-256, hex */
SF_API int64_t sf_signature_signed_at(const sf_verdict *verdict,
                                      size_t i); /* a proven timestamp's time */

#ifdef __cplusplus
}
#endif

#endif
