#ifndef SUREFOOT_VERIFY_VERDICT_H
#define SUREFOOT_VERIFY_VERDICT_H

/* verdict.h: what was found out about a file. Plain data with one rule: acceptance is proven fact
 * by fact, and verdict_settle alone computes it. A zeroed verdict accepts nothing, and any table
 * that is full refuses.
 *
 * Whoever judges a piece adds findings with a weight; whoever knows the policy (verdict_settle)
 * turns weights into "fatal" or "tolerated". No one else looks at the profile to decide whether to
 * speak up. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"
#include "platform/base/span.h"
#include "verify/digest.h"

/* The stable words of PRODUCT.md section 2: name in C, word in reports, what a person can do about
 * it. */
#define FILE_REASONS(X)                                                                            \
    X(UNSIGNED, "Unsigned",                                                                        \
      "get a signed copy from the maker, or name a detached signature with --signature")           \
    X(MALFORMED, "Malformed",                                                                      \
      "the file is damaged or was built to mislead; fetch it again from the maker")                \
    X(DIGEST_MISMATCH, "DigestMismatch",                                                           \
      "the content is not what was signed; do not use it, fetch it again")                         \
    X(PAGE_HASH_MISMATCH, "PageHashMismatch",                                                      \
      "the content is not what was signed; do not use it, fetch it again")                         \
    X(SIGNATURE_INVALID, "SignatureInvalid",                                                       \
      "the signature was altered or is of other data; do not use the file")                        \
    X(CONTENT_TYPE_MISMATCH, "ContentTypeMismatch",                                                \
      "the signature was made for another kind of file; do not use it")                            \
    X(CHAIN_UNTRUSTED, "ChainUntrusted",                                                           \
      "check the signer; if it is right, add its root with --anchors")                             \
    X(CHAIN_EXPIRED, "ChainExpired",                                                               \
      "ask the maker for a file with a trusted timestamp, or a newer one")                         \
    X(NOT_CODE_SIGNING, "NotCodeSigning",                                                          \
      "the certificate was not issued for this use; ask the maker")                                \
    X(PUBLISHER_MISMATCH, "PublisherMismatch",                                                     \
      "another publisher signed this; check the name given to --publisher")                        \
    X(PIN_MISMATCH, "PinMismatch",                                                                 \
      "none of the pinned certificates or keys is in the chain; check --pin")                      \
    X(KEY_MISMATCH, "KeyMismatch", "the signature is by a key that was not given; check --key")    \
    X(TIMESTAMP_MISSING, "TimestampMissing", "ask the maker to timestamp the signature")           \
    X(TIMESTAMP_INVALID, "TimestampInvalid", "the timestamp is bad; ask the maker to sign again")  \
    X(TIMESTAMP_UNTRUSTED, "TimestampUntrusted",                                                   \
      "check the authority; if it is right, add its root with "                                    \
      "--timestamp-anchors")                                                                       \
    X(REVOKED, "Revoked", "the certificate was withdrawn; do not use the file, ask the maker")     \
    X(REVOCATION_UNKNOWN, "RevocationUnknown",                                                     \
      "give a current list for every certificate with --crl, or see why none could be had")        \
    X(WEAK_DIGEST, "WeakDigest",                                                                   \
      "ask the maker for SHA-256; for an old file, --allow sha1 where it is SHA-1")                \
    X(WEAK_KEY, "WeakKey",                                                                         \
      "ask the maker for a stronger key; for an old file, --allow rsa1024 where it is that")       \
    X(TRAILING_DATA, "TrailingData",                                                               \
      "something was added behind the end; fetch the file again from the maker")                   \
    X(CERTIFICATE_TABLE_PADDING, "CertificateTablePadding",                                        \
      "data hides behind the signature; --allow "                                                  \
      "CertificateTablePadding or --sha256 excuses it")                                            \
    X(CHECKSUM_MISMATCH, "ChecksumMismatch",                                                       \
      "the header's checksum is stale; --allow ChecksumMismatch excuses it")                       \
    X(UNSIGNED_METADATA, "UnsignedMetadata",                                                       \
      "names and times are not signed (no MsiDigitalSignatureEx); --allow "                        \
      "UnsignedMetadata or --sha256 excuses it")                                                   \
    X(UNCOVERED_DATA, "UncoveredData",                                                             \
      "bytes that no signature covers; --allow UncoveredData or --sha256 excuses "                 \
      "them")                                                                                      \
    X(NOT_IN_CATALOG, "NotInCatalog",                                                              \
      "the catalog does not list this file; check that the two belong together")                   \
    X(REQUIRED_SIGNATURE_MISSING, "RequiredSignatureMissing",                                      \
      "a signature system that --require demands is not "                                          \
      "fulfilled")                                                                                 \
    X(UNSUPPORTED, "Unsupported",                                                                  \
      "this kind of file or algorithm is not judged here, so it is not accepted")                  \
    X(READ_ERROR, "ReadError", "see the message; nothing was found out about the file")            \
    X(NO_PUBLISHER_DEMANDED, "NoPublisherDemanded",                                                \
      "say who must have signed with --publisher, --pin or --key")                                 \
    X(NOT_LOOKED_AT, "NotLookedAt", "give the key or anchors for it if it matters")                \
    X(WITNESS_REFUSES, "WitnessRefuses",                                                           \
      "the system's own check refuses it; do not use the file, see the message for why")           \
    X(WITNESS_CHAIN, "WitnessChain",                                                               \
      "the system does not know the signer's certificates; where they are your own that is so")

/* Of a maker's documents (package.h). */
#define DOCUMENT_REASONS(X)                                                                        \
    X(EXPIRED, "Expired",                                                                          \
      "the maker must sign a new feed; if there is one, look at proxies and at the clock")         \
    X(OLDER_THAN_SEEN, "OlderThanSeen",                                                            \
      "an older feed than one that was seen already; look at mirrors, caches and proxies")         \
    X(SERIAL_JUMP, "SerialJump",                                                                   \
      "the serial leaps ahead; ask the maker whether the key is still theirs alone")               \
    X(ISSUED_AHEAD, "IssuedAhead",                                                                 \
      "set this machine's clock; if it is right, ask the maker about theirs")                      \
    X(CLOCK_BEHIND, "ClockBehind", "set this machine's clock")                                     \
    X(WRONG_PRODUCT, "WrongProduct",                                                               \
      "the document is of another product or channel; check the feed's address")                   \
    X(WRONG_DOCUMENT, "WrongDocument",                                                             \
      "this is not the document that the feed names; fetch it again, then ask the maker")          \
    X(DEMANDS_TOO_LITTLE, "DemandsTooLittle",                                                      \
      "the release demands less of its payload than the product file does; ask the maker")

#define REASONS(X) FILE_REASONS(X) DOCUMENT_REASONS(X)

enum reason {
    REASON_NONE = 0,
#define X(name, word, advice) REASON_##name,
    REASONS(X)
#undef X
};

/* reason_word is the stable word, reason_advice what a person can do. Never NULL. */
const char *reason_word(enum reason reason);
const char *reason_advice(enum reason reason);

/* How much a finding weighs. Only WEIGHT_FATAL is so whatever the policy says. */
enum weight {
    WEIGHT_FATAL = 0, /* never tolerated */
    WEIGHT_COVERAGE, /* bytes no signature covers: fatal in strict; a pinned SHA-256 or --allow with
                        the reason's word excuses it */
    WEIGHT_LENIENT, /* strict refuses it, the windows profile reports it, --allow does not excuse it
                     */
    WEIGHT_SHA1,    /* fatal in strict unless --allow sha1 */
    WEIGHT_RSA1024, /* fatal in both profiles unless --allow rsa1024 */
    WEIGHT_RSA1024_ANCHOR, /* the same for an anchor, which the windows profile tolerates: old roots
                            */
    WEIGHT_CONTAINER,      /* the container does not read, so nothing is known of signatures inside;
                              excused only by an accepted signature over the whole file */
    WEIGHT_NOTE,           /* never fatal */
};

#define NO_OFFSET UINT64_MAX

struct finding {
    enum reason reason;
    enum weight weight;
    bool fatal;  /* set by verdict_settle; true until then for all but WEIGHT_NOTE */
    uint64_t at; /* offset in the file (or in the signature, then the text says so), NO_OFFSET where
                    there is none */
    char text[160];
};

#define FINDINGS_MAX 24

struct findings {
    size_t n;
    struct finding items[FINDINGS_MAX];
};

/* findings_add appends one line of printable text (the caller passes foreign text through
 * text_printable first; what is left of control characters is replaced). When the table is full its
 * last entry becomes a fatal Malformed. The same reason with the same text is kept once. */
void findings_add(struct findings *f, enum reason reason, enum weight weight, uint64_t at,
                  const char *fmt, ...) PRINTF_FORMAT(5, 6);

/* findings_add_err adds what an error of the kind errc_is_about_bytes says, as a fatal Malformed
 * (or Unsupported). */
void findings_add_err(struct findings *f, const struct err *err, uint64_t at);

bool findings_have(const struct findings *f, enum reason reason);
/* findings_have_weight is true if one of exactly this weight is there. */
bool findings_have_weight(const struct findings *f, enum weight weight);

/* Ranges of the file that no signature covers. Grows on the heap; neighbours of the same `what` are
 * joined. */
struct uncovered {
    uint64_t at, len;
    const char *what; /* a literal */
};
#define UNCOVERED_MAX 16384

/* What a file has made us do so far for the certificates in it, over all its signatures and
 * timestamps: cms.h has the limits. */
struct effort {
    size_t n_certs, cert_bytes, n_cert_checks;
};

struct report {
    struct findings findings;
    struct uncovered *ranges;
    size_t n_ranges, room_ranges;
    struct effort effort;
};

/* report_uncovered adds a range and nothing else: the finding (one per kind, not per range) is the
 * caller's. E_NOMEM, E_LIMIT past UNCOVERED_MAX. */
MUST_USE enum errc report_uncovered(struct report *r, uint64_t at, uint64_t len, const char *what,
                                    struct err *err);
void report_fini(struct report *r);

enum ruling { RULING_NONE = 0, RULING_REFUSED, RULING_ACCEPTED };

/* What must be proven of one signature, each by the code that names the bit. */
enum fact {
    FACT_DIGEST = 1 << 0, /* the file's bytes are the ones the signature speaks of */
    FACT_SIGNATURE =
        1 << 1,           /* the signer's own mathematics hold over exactly the signed attributes */
    FACT_CHAIN = 1 << 2,  /* the certificate leads to an anchor, for the purpose, at the time */
    FACT_SIGNER = 1 << 3, /* it is who the policy demands: publisher, pins, key */
    FACT_TIME = 1 << 4,   /* the time it was judged at is now, or a proven timestamp's */
};
#define FACTS_INTACT (FACT_DIGEST | FACT_SIGNATURE)
#define FACTS_ALL (FACT_DIGEST | FACT_SIGNATURE | FACT_CHAIN | FACT_SIGNER | FACT_TIME)

enum sig_system { SYSTEM_NONE = 0, SYSTEM_AUTHENTICODE = 1, SYSTEM_CMS = 2, SYSTEM_MINISIGN = 4 };
const char *sig_system_word(enum sig_system system); /* "authenticode", "cms", "minisign" */

#define NAME_ROOM 320
#define CHAIN_MAX 12

/* A certificate as reports show it. All text has passed text_printable. */
struct cert_facts {
    char subject[NAME_ROOM],
        issuer[NAME_ROOM]; /* RFC 2253 order as people write it: "CN=..., O=..., C=..." */
    char serial[96];       /* hex */
    char sha256[TEXT_SHA256_ROOM], spki_sha256[TEXT_SHA256_ROOM];
    int64_t not_before, not_after; /* seconds since 1970 */
};

enum stamp_kind { STAMP_NONE = 0, STAMP_RFC3161, STAMP_PKCS9 };

struct stamp_facts {
    enum stamp_kind kind; /* what is there, valid or not */
    bool trusted;         /* proven: `time` may be used as the signing time */
    int64_t time;
    char authority[NAME_ROOM]; /* subject of the authority's certificate */
};

/* One signature. */
struct sig_verdict {
    enum ruling ruling;
    uint32_t proven, required; /* enum fact */
    enum sig_system system;
    enum digest_alg digest;
    bool nested;     /* an Authenticode signature inside another */
    bool whole_file; /* it covers every byte of the file: detached, or a catalog's hash of the file
                      */
    bool must_hold;  /* a catalog's, which was named: no other signature stands in for it */
    bool has_signer;
    struct cert_facts signer;
    size_t n_chain;
    char chain[CHAIN_MAX][NAME_ROOM]; /* subjects, the signer first, the anchor last */
    bool has_signed_at;
    int64_t signed_at; /* the trusted timestamp's time */
    struct stamp_facts stamp;
    char program_name[NAME_ROOM], program_url[NAME_ROOM];
    char key_id[17];                   /* minisign */
    char key_sha256[TEXT_SHA256_ROOM]; /* minisign: of the public key that proved it */
    char trusted_comment[NAME_ROOM];   /* minisign */
    char member[NAME_ROOM];            /* catalog: what matched, e.g. "sha256 of the whole file" */
    struct findings findings;
};

#define SIGS_MAX 16

enum outcome {
    OUTCOME_NONE = 0, /* nothing was judged */
    OUTCOME_ACCEPTED,
    OUTCOME_REFUSED,
    OUTCOME_UNSIGNED,
    OUTCOME_UNSUPPORTED,
    OUTCOME_ERROR,
};
const char *outcome_word(enum outcome outcome); /* "accepted", ...; OUTCOME_NONE is "error" */

struct verdict {
    enum outcome outcome;
    const char *type; /* "pe", "msi", ...; a literal */
    uint64_t size;
    size_t n_sigs;
    struct sig_verdict *sigs[SIGS_MAX]; /* each on the heap, owned */
    struct report report;               /* the file's own findings and ranges */
    bool has_sha256;
    struct digest sha256; /* of the whole file, where it was asked for or pinned */
};

/* verdict_add_sig gives a new zeroed sig_verdict, owned by the verdict. E_NOMEM; E_LIMIT past
 * SIGS_MAX, and then a fatal finding is there as well. */
MUST_USE enum errc verdict_add_sig(struct verdict *v, struct sig_verdict **out_sig,
                                   struct err *err);
void verdict_fini(struct verdict *v);

/* sig_verdict_prove records a proven fact. */
static inline void sig_verdict_prove(struct sig_verdict *sig, enum fact fact)
{
    sig->proven |= (uint32_t)fact;
}

struct policy;

/* verdict_settle makes every finding fatal or tolerated as the policy says, gives each signature
 * its ruling and the file its outcome. It is the only function that writes RULING_ACCEPTED or
 * OUTCOME_ACCEPTED: a signature is accepted <=> required != 0, every required fact is proven, and
 * it has no fatal finding; a file is accepted <=> it has no fatal finding of its own, every
 * signature is intact, at least one (with all_signatures: each) is accepted, each that must hold
 * is, and for every system that the policy requires one of that system is. */
void verdict_settle(struct verdict *v, const struct policy *policy);

/* verdict_would_refuse is true if one of the findings would be fatal under the policy, whatever
 * else is proven of the file. */
bool verdict_would_refuse(const struct findings *findings, const struct policy *policy);

#endif
