#include "verify/trust.h"

#include <stdlib.h>
#include <string.h>

#include "verify/cert.h"
#include "verify/cert_private.h"
#include "verify/crl.h"
#include "verify/minisign.h"
#include "verify/trust_private.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

/* Pointers that grow. */
struct list {
    size_t n, room;
    void **items;
};

struct trust {
    struct list anchors[2]; /* struct cert, by enum anchor_use */
    struct list crls;       /* struct crl */
    size_t n_keys;
    struct minisign_key keys[TRUST_KEYS_MAX];
    struct cert_memo *memo;
};

/* --- lists of pointers */

static enum errc list_reserve(struct list *l, size_t max, const char *what, struct err *err)
{
    if (l->n == max)
        return err_set(err, E_LIMIT, "more than %zu %s", max, what);
    if (l->n < l->room)
        return E_OK;
    size_t room = l->room == 0 ? 16 : l->room * 2;
    void **items = realloc(l->items, room * sizeof(*items));
    if (items == NULL)
        return err_nomem(err);
    l->items = items;
    l->room = room;
    return E_OK;
}

static void list_push(struct list *l, void *item)
{
    l->items[l->n++] = item;
}

/* --- PEM */

/* What becomes of one value that was found: `to` is where it goes. */
typedef enum errc (*add_fn)(struct list *to, struct span der, struct err *err);

struct kind {
    const char *word;
    const char *labels[2]; /* of PEM blocks */
    add_fn add;
};

static bool kind_has_label(const struct kind *kind, const char *label)
{
    for (size_t i = 0; i < ARRAY_LEN(kind->labels); i++)
        if (kind->labels[i] != NULL && strcmp(kind->labels[i], label) == 0)
            return true;
    return false;
}

/* next_block: *out_label is NULL where no block is left. */
static enum errc next_block(BIO *in, char **out_label, unsigned char **out_der, long *out_len,
                            struct err *err)
{
    char *label = NULL, *header = NULL;
    openssl_begin();
    if (PEM_read_bio(in, &label, &header, out_der, out_len) == 1) {
        OPENSSL_free(header);
        *out_label = label;
        return E_OK;
    }
    bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (openssl_nomem())
        return err_nomem(err);
    *out_label = NULL;
    return is_end ? E_OK : err_set(err, E_MALFORMED, "a PEM block that does not read");
}

/* One reading of all blocks. */
static enum errc add_blocks(struct list *to, const struct kind *kind, BIO *in, struct err *err)
{
    size_t n = 0;
    for (;;) {
        char *label = NULL;
        unsigned char *der;
        long len;
        enum errc rc = next_block(in, &label, &der, &len, err);
        if (rc != E_OK)
            return rc;
        if (label == NULL)
            break;
        if (kind_has_label(kind, label)) {
            n++;
            rc = kind->add(to, span_of(der, (size_t)len), err);
        }
        OPENSSL_free(label);
        OPENSSL_free(der);
        if (rc != E_OK) {
            err_prefix(err, "PEM block %zu: ", n);
            return rc;
        }
    }
    return n > 0 ? E_OK : err_set(err, E_MALFORMED, "no %s in it", kind->word);
}

/* add_once: DER begins with the tag of a SEQUENCE, which no text of PEM does ("0" apart, and then
 * the length after it is no length). */
static enum errc add_once(struct list *to, const struct kind *kind, struct span bytes,
                          struct err *err)
{
    if (bytes.len >= 2 && bytes.ptr[0] == 0x30 && bytes.ptr[1] >= 0x80)
        return kind->add(to, bytes, err);
    BIO *in = BIO_new_mem_buf(bytes.len == 0 ? "" : (const void *)bytes.ptr, (int)bytes.len);
    if (in == NULL)
        return err_nomem(err);
    enum errc rc = add_blocks(to, kind, in, err);
    BIO_free(in);
    return rc;
}

/* add_all: what does not read is read once more, see openssl_nomem. */
static enum errc add_all(struct list *to, const struct kind *kind, struct span bytes,
                         struct err *err)
{
    if (bytes.len > TRUST_BYTES_MAX)
        return err_set(err, E_LIMIT, "%zu bytes, limit %d", bytes.len, TRUST_BYTES_MAX);
    enum errc rc = add_once(to, kind, bytes, err);
    if (rc == E_MALFORMED)
        rc = add_once(to, kind, bytes, err);
    return rc == E_MALFORMED && openssl_nomem() ? err_nomem(err) : rc;
}

/* --- anchors */

static bool list_has_cert(const struct list *l, const struct cert *c)
{
    for (size_t i = 0; i < l->n; i++)
        if (span_equal(cert_der(l->items[i]), cert_der(c)))
            return true;
    return false;
}

static enum errc add_anchor(struct list *to, struct span der, struct err *err)
{
    struct cert *c;
    enum errc rc = list_reserve(to, TRUST_ANCHORS_MAX, "anchors", err);
    if (rc == E_OK)
        rc = cert_read(der, &c, err);
    if (rc != E_OK)
        return rc;
    if (list_has_cert(to, c))
        cert_free(c);
    else
        list_push(to, c);
    return E_OK;
}

enum errc trust_add_anchors(struct trust *t, enum anchor_use use, struct span bytes,
                            struct err *err)
{
    static const struct kind kind = { "certificate",
                                      { "CERTIFICATE", "X509 CERTIFICATE" },
                                      add_anchor };
    return add_all(&t->anchors[use], &kind, bytes, err);
}

static const struct list *anchors_for(const struct trust *t, enum anchor_use use)
{
    const struct list *l = &t->anchors[use];
    return use == ANCHOR_TIMESTAMP && l->n == 0 ? &t->anchors[ANCHOR_CODE] : l;
}

size_t trust_n_anchors(const struct trust *t, enum anchor_use use)
{
    return anchors_for(t, use)->n;
}

const struct cert *trust_anchor(const struct trust *t, enum anchor_use use, size_t i)
{
    return anchors_for(t, use)->items[i];
}

static enum errc list_check_signed(const struct list *l, const struct cert *c, struct err *err)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct cert *anchor = l->items[i];
        if (!cert_names_issuer(c, anchor) || !cert_may_issue(anchor))
            continue;
        enum errc rc = cert_check_issuer(c, anchor, err);
        if (rc != E_REFUSED)
            return rc;
    }
    return err_set(err, E_REFUSED, "no anchor signs it");
}

enum errc trust_check_signed(const struct trust *t, const struct cert *c, struct err *err)
{
    enum errc rc = E_REFUSED;
    for (size_t use = 0; use < ARRAY_LEN(t->anchors); use++)
        if (list_has_cert(&t->anchors[use], c))
            return E_OK;
    for (size_t use = 0; use < ARRAY_LEN(t->anchors) && rc == E_REFUSED; use++)
        rc = list_check_signed(&t->anchors[use], c, err);
    return rc;
}

/* --- revocation lists */

static enum errc add_crl(struct list *to, struct span der, struct err *err)
{
    struct crl *c;
    enum errc rc = list_reserve(to, TRUST_CRLS_MAX, "revocation lists", err);
    if (rc == E_OK)
        rc = crl_read(der, &c, err);
    if (rc == E_OK)
        list_push(to, c);
    return rc;
}

enum errc trust_add_crls(struct trust *t, struct span bytes, struct err *err)
{
    static const struct kind kind = { "revocation list", { "X509 CRL", NULL }, add_crl };
    return add_all(&t->crls, &kind, bytes, err);
}

size_t trust_n_crls(const struct trust *t)
{
    return t->crls.n;
}

const struct crl *trust_crl(const struct trust *t, size_t i)
{
    return t->crls.items[i];
}

/* --- minisign keys */

enum errc trust_add_key(struct trust *t, struct span bytes, struct err *err)
{
    struct minisign_key key;
    if (t->n_keys == TRUST_KEYS_MAX)
        return err_set(err, E_LIMIT, "more than %d keys", TRUST_KEYS_MAX);
    enum errc rc = minisign_read_key(bytes, &key, err);
    if (rc == E_OK)
        t->keys[t->n_keys++] = key;
    return rc;
}

size_t trust_n_keys(const struct trust *t)
{
    return t->n_keys;
}

const struct minisign_key *trust_key(const struct trust *t, size_t i)
{
    return &t->keys[i];
}

/* --- all of it */

enum errc trust_new(struct trust **out, struct err *err)
{
    struct trust *t = calloc(1, sizeof(*t));
    /* The context first: before it is made, OpenSSL might read a configuration file. */
    if (t == NULL || digest_context() == NULL) {
        free(t);
        return err_nomem(err);
    }
    enum errc rc = cert_memo_new(&t->memo, err);
    if (rc != E_OK) {
        free(t);
        return rc;
    }
    *out = t;
    return E_OK;
}

struct cert_memo *trust_memo(const struct trust *t)
{
    return t == NULL ? NULL : t->memo;
}

void trust_free(struct trust *t)
{
    if (t == NULL)
        return;
    cert_memo_free(t->memo);
    for (size_t use = 0; use < ARRAY_LEN(t->anchors); use++) {
        for (size_t i = 0; i < t->anchors[use].n; i++)
            cert_free(t->anchors[use].items[i]);
        free(t->anchors[use].items);
    }
    for (size_t i = 0; i < t->crls.n; i++)
        crl_free(t->crls.items[i]);
    free(t->crls.items);
    free(t);
}
