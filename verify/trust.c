#include "verify/trust.h"

#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "verify/cert.h"
#include "verify/cert_private.h"
#include "verify/crl.h"
#include "verify/minisign.h"
#include "verify/trust_private.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

/* Pointers that grow. */
struct list {
    size_t n, room;
    void **items;
};

/* An address that was asked for a list. */
struct place {
    char *url;
    bool has_list;
    char why_not[160];
};

struct trust {
    struct list anchors[2]; /* struct cert, by enum anchor_use */
    CRYPTO_RWLOCK *lock;    /* guards the two that follow */
    struct list crls;       /* struct crl */
    struct list places;     /* struct place */
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

static const struct kind crl_kind = { "revocation list", { "X509 CRL", NULL }, add_crl };

enum errc trust_add_crls(struct trust *t, struct span bytes, struct err *err)
{
    return add_all(&t->crls, &crl_kind, bytes, err);
}

size_t trust_n_crls(const struct trust *t)
{
    if (!CRYPTO_THREAD_read_lock(t->lock))
        return 0;
    size_t n = t->crls.n;
    (void)CRYPTO_THREAD_unlock(t->lock);
    return n;
}

const struct crl *trust_crl(const struct trust *t, size_t i)
{
    if (!CRYPTO_THREAD_read_lock(t->lock))
        return NULL;
    const struct crl *c = t->crls.items[i];
    (void)CRYPTO_THREAD_unlock(t->lock);
    return c;
}

/* --- addresses that were asked for lists */

static void crls_free(struct list *crls)
{
    for (size_t i = 0; i < crls->n; i++)
        crl_free(crls->items[i]);
    free(crls->items);
}

static void place_free(struct place *p)
{
    if (p != NULL)
        free(p->url);
    free(p);
}

static const struct place *find_place(const struct trust *t, struct span url)
{
    for (size_t i = 0; i < t->places.n; i++) {
        const struct place *p = t->places.items[i];
        if (span_equal_text(url, p->url))
            return p;
    }
    return NULL;
}

bool trust_place_is_known(const struct trust *t, struct span url, const char **out_why_not)
{
    if (!CRYPTO_THREAD_read_lock(t->lock))
        return false;
    const struct place *p = find_place(t, url);
    (void)CRYPTO_THREAD_unlock(t->lock);
    if (p != NULL && out_why_not != NULL)
        *out_why_not = p->has_list ? NULL : p->why_not;
    return p != NULL;
}

/* read_place makes the record, and reads the lists into `crls`, before anything is locked. */
static enum errc read_place(const char *url, struct span bytes, const char *why_not,
                            struct place **out, struct list *crls, struct err *err)
{
    struct place *p = calloc(1, sizeof(*p));
    if (p == NULL || (p->url = strdup(url)) == NULL) {
        place_free(p);
        return err_nomem(err);
    }
    struct err told = { .code = E_OK };
    enum errc rc = E_OK;
    if (why_not == NULL)
        rc = add_all(crls, &crl_kind, bytes, &told);
    if (rc != E_OK && !errc_is_about_bytes(rc)) {
        place_free(p);
        return err_set(err, rc, "%s", told.text);
    }
    p->has_list = why_not == NULL && rc == E_OK;
    if (!p->has_list)
        (void)text_copy(p->why_not, sizeof(p->why_not), why_not != NULL ? why_not : told.text);
    *out = p;
    return E_OK;
}

/* keep_place takes the record and the lists, all or none. */
static enum errc keep_place(struct trust *t, struct place *p, struct list *crls, struct err *err)
{
    if (find_place(t, span_text(p->url)) != NULL) {
        place_free(p);
        return E_OK;
    }
    enum errc rc = list_reserve(&t->places, TRUST_PLACES_MAX, "addresses of lists", err);
    for (size_t i = 0; i < crls->n && rc == E_OK; i++) {
        rc = list_reserve(&t->crls, TRUST_CRLS_MAX, "revocation lists", err);
        if (rc == E_OK) {
            list_push(&t->crls, crls->items[i]);
            crls->items[i] = NULL;
        }
    }
    if (rc == E_OK)
        list_push(&t->places, p);
    else
        place_free(p);
    return rc;
}

enum errc trust_note_place(struct trust *t, const char *url, struct span bytes, const char *why_not,
                           struct err *err)
{
    struct list crls = { .n = 0 };
    struct place *p = NULL;
    enum errc rc = read_place(url, bytes, why_not, &p, &crls, err);
    if (rc == E_OK && !CRYPTO_THREAD_write_lock(t->lock)) {
        place_free(p);
        rc = err_nomem(err);
    } else if (rc == E_OK) {
        rc = keep_place(t, p, &crls, err);
        (void)CRYPTO_THREAD_unlock(t->lock);
    }
    crls_free(&crls);
    return rc;
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
    t->lock = CRYPTO_THREAD_lock_new();
    enum errc rc = t->lock == NULL ? err_nomem(err) : cert_memo_new(&t->memo, err);
    if (rc != E_OK) {
        CRYPTO_THREAD_lock_free(t->lock);
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
    crls_free(&t->crls);
    for (size_t i = 0; i < t->places.n; i++)
        place_free(t->places.items[i]);
    free(t->places.items);
    CRYPTO_THREAD_lock_free(t->lock);
    free(t);
}
