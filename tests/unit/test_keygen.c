/* minisign's key files: what is written reads back, and what is damaged, cut or too costly is
 * refused. All keys are made when the test runs. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/publish/blake2b.h"
#include "keys/publish/keyfile.h"
#include "keys/publish/passphrase.h"
#include "platform/base/base64.h"
#include "platform/base/text.h"
#include "verify/detached.h"
#include "verify/digest.h"
#include "verify/minisign.h"

#include <openssl/evp.h>

#define SECRET_LEN 158
#define PASSPHRASE "correct horse"
#define SEALED_AT 54

/* Some milliseconds instead of minisign's seconds. */
static const struct keyfile_cost cheap = { 32768, 1 << 20 };

/* --- BLAKE2b */

static void blake2b_is_as_published(void **state)
{
    UNUSED(state);
    uint8_t digest[64];
    char hex[TEXT_HEX_LEN(64)];
    blake2b(span_text("abc"), digest, 64); /* RFC 7693, appendix A */
    assert_string_equal(text_to_hex(span_of(digest, 64), hex),
                        "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                        "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
    blake2b(span_text("abc"), digest, 32);
    assert_string_equal(text_to_hex(span_of(digest, 32), hex),
                        "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    blake2b(span_of(NULL, 0), digest, 32);
    assert_string_equal(text_to_hex(span_of(digest, 32), hex),
                        "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

static void blake2b_agrees_with_openssl_at_every_length(void **state)
{
    UNUSED(state);
    uint8_t bytes[400], digest[64];
    struct digest other;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + 3);
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        blake2b(span_of(bytes, len), digest, 64);
        assert_int_equal(digest_bytes(DIGEST_BLAKE2B512, span_of(bytes, len), &other, NULL), E_OK);
        assert_memory_equal(digest, other.bytes, 64);
    }
}

/* --- the cost */

static void scrypt_parameters_are_libsodiums(void **state)
{
    UNUSED(state);
    static const struct {
        uint64_t opslimit, memlimit, n;
        uint32_t p;
    } rows[] = {
        { 33554432, 1073741824, 1 << 20, 1 }, /* minisign's own */
        { 16777216, 536870912, 1 << 19, 1 },  /* where minisign found half the memory */
        { 524288, 16777216, 1 << 14, 1 },     /* libsodium's "interactive" */
        { 32768, 16777216, 1 << 10, 1 },      /* few operations: they decide */
        { 0, 16777216, 1 << 10, 1 },          /* raised to 32768 */
        { 1048576, 16777216, 1 << 14, 2 },    /* many: p grows */
        { 32768, 0, 2, 512 },                 /* no memory at all */
        { 32768, 1 << 20, 1 << 10, 1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct keyfile_cost cost = { rows[i].opslimit, rows[i].memlimit };
        struct scrypt_cost scrypt = { 0, 0, 0 };
        assert_int_equal(keyfile_scrypt(cost, &scrypt, NULL), E_OK);
        assert_int_equal(scrypt.n, rows[i].n);
        assert_int_equal(scrypt.r, 8);
        assert_int_equal(scrypt.p, rows[i].p);
    }
}

static void scrypt_that_costs_too_much_is_refused(void **state)
{
    UNUSED(state);
    static const struct keyfile_cost rows[] = {
        { 67108864, UINT64_C(1) << 31 },
        { UINT64_MAX, UINT64_MAX },
        { UINT64_MAX, 1 << 20 },
        { UINT64_MAX, 0 },
        { UINT64_C(1) << 40, 1 << 30 },
        { UINT64_MAX / 64, UINT64_MAX },
        { 1 << 30, 1 << 30 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct scrypt_cost scrypt = { 0, 0, 0 };
        struct err err;
        assert_int_equal(keyfile_scrypt(rows[i], &scrypt, &err), E_LIMIT);
        assert_non_null(strstr(err.text, "scrypt would take"));
        assert_int_equal(scrypt.n, 0);
    }
}

/* --- texts */

static struct keypair new_pair(void)
{
    struct keypair pair;
    struct err err;
    assert_int_equal(keypair_new(&pair, &err), E_OK);
    return pair;
}

static struct buf write_secret(const struct keypair *pair, const struct keyfile_cost *cost)
{
    struct buf text;
    struct err err;
    buf_init(&text, KEYFILE_TEXT_MAX);
    assert_int_equal(
        keyfile_write_secret(pair, "a comment", cost, span_text(PASSPHRASE), &text, &err), E_OK);
    return text;
}

/* The bytes that the second line spells, and the text around other bytes. */
static void take_body(const struct buf *text, uint8_t to[SECRET_LEN])
{
    struct buf body;
    const char *line = (const char *)memchr(text->ptr, '\n', text->len) + 1;
    size_t len = text->len - (size_t)(line - (const char *)text->ptr) - 1;
    buf_init(&body, 1024);
    assert_int_equal(base64_decode(span_of(line, len), &body, NULL), E_OK);
    assert_int_equal(body.len, SECRET_LEN);
    memcpy(to, body.ptr, SECRET_LEN);
    buf_fini(&body);
}

static struct buf put_body(const uint8_t *body, size_t len, const char *format)
{
    unsigned char line[400];
    struct buf text;
    buf_init(&text, KEYFILE_TEXT_MAX);
    (void)EVP_EncodeBlock(line, body, (int)len);
    if (strcmp(format, "lf") == 0)
        assert_int_equal(buf_printf(&text, NULL, "untrusted comment: x\n%s\n", line), E_OK);
    else if (strcmp(format, "crlf") == 0)
        assert_int_equal(buf_printf(&text, NULL, "untrusted comment: x\r\n%s\r\n", line), E_OK);
    else
        assert_int_equal(buf_printf(&text, NULL, "untrusted comment: x\n%s", line), E_OK);
    return text;
}

static enum errc open_text(struct span text, const char *passphrase, struct keypair *out,
                           struct err *err)
{
    struct keyfile file;
    enum errc rc = keyfile_read(text, &file, err);
    if (rc == E_OK)
        rc = keyfile_open(&file, span_text(passphrase), out, err);
    return rc;
}

static void a_secret_key_reads_back(void **state)
{
    UNUSED(state);
    const struct keyfile_cost *const costs[] = { NULL, &cheap };
    struct keypair pair = new_pair(), again;
    struct err err;
    for (size_t i = 0; i < 2; i++) {
        struct buf text = write_secret(&pair, costs[i]);
        memset(&again, 0, sizeof(again));
        assert_true(span_starts_with(buf_span(&text), span_text("untrusted comment: a comment\n")));
        assert_int_equal(open_text(buf_span(&text), PASSPHRASE, &again, &err), E_OK);
        assert_memory_equal(&again, &pair, sizeof(pair));
        secret_fini(&text);
    }
}

static void an_encrypted_key_shows_nothing_of_itself(void **state)
{
    UNUSED(state);
    struct keypair pair = new_pair();
    struct buf one = write_secret(&pair, &cheap), two = write_secret(&pair, &cheap);
    uint8_t a[SECRET_LEN], b[SECRET_LEN];
    take_body(&one, a);
    take_body(&two, b);
    assert_memory_equal(a, "EdScB2", 6);
    assert_memory_not_equal(a + 6, b + 6, 32);                  /* a salt of its own */
    assert_memory_not_equal(a + SEALED_AT, b + SEALED_AT, 104); /* and so another stream */
    assert_memory_not_equal(a + SEALED_AT, pair.id, 8);
    assert_memory_not_equal(a + SEALED_AT + 8, pair.seed, 32);
    assert_memory_not_equal(a + SEALED_AT + 40, pair.ed25519, 32);
    secret_fini(&one);
    secret_fini(&two);
}

static void a_wrong_passphrase_has_its_own_error(void **state)
{
    UNUSED(state);
    static const char *const wrong[] = { "", "correct hors", "correct horse ", "Correct horse" };
    struct keypair pair = new_pair(), again;
    struct buf text = write_secret(&pair, &cheap);
    struct err err;
    memset(&again, 0xAA, sizeof(again));
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(open_text(buf_span(&text), wrong[i], &again, &err), E_ACCESS);
        assert_string_equal(err.text, "wrong passphrase for this secret key");
    }
    assert_true(span_is_filled(span_of(&again, sizeof(again)), 0xAA));
    secret_fini(&text);
}

static void every_cut_of_a_key_file_is_refused(void **state)
{
    UNUSED(state);
    struct keypair pair = new_pair(), again;
    struct buf text = write_secret(&pair, NULL);
    for (size_t len = 0; len + 1 < text.len; len++) {
        struct err err;
        assert_int_equal(open_text(span_of(text.ptr, len), "", &again, &err), E_MALFORMED);
    }
    assert_int_equal(open_text(span_of(text.ptr, text.len - 1), "", &again, NULL), E_OK);
    secret_fini(&text);
}

static void every_changed_byte_of_a_key_is_refused(void **state)
{
    UNUSED(state);
    struct keypair pair = new_pair(), again;
    struct buf text = write_secret(&pair, &cheap);
    uint8_t body[SECRET_LEN];
    take_body(&text, body);
    for (size_t i = 0; i < SECRET_LEN; i++) {
        body[i] ^= 1;
        struct buf changed = put_body(body, SECRET_LEN, "lf");
        enum errc rc = open_text(buf_span(&changed), PASSPHRASE, &again, NULL);
        /* The last bits of the two limits make no other parameters, and so the same key. */
        if (i < 38 || i >= SEALED_AT)
            assert_int_not_equal(rc, E_OK);
        body[i] ^= 1;
        secret_fini(&changed);
    }
    secret_fini(&text);
}

static void an_open_key_has_a_right_checksum_or_none(void **state)
{
    UNUSED(state);
    struct keypair pair = new_pair(), again;
    struct buf text = write_secret(&pair, NULL);
    struct err err;
    uint8_t body[SECRET_LEN];
    take_body(&text, body);
    secret_fini(&text);
    assert_true(span_is_filled(span_of(body + 6, 48), 0)); /* no salt, no limits */

    memset(body + SECRET_LEN - 32, 0, 32); /* as minisign -W writes it */
    text = put_body(body, SECRET_LEN, "lf");
    assert_int_equal(open_text(buf_span(&text), "", &again, &err), E_OK);
    assert_memory_equal(&again, &pair, sizeof(pair));
    secret_fini(&text);

    body[SECRET_LEN - 1] = 1;
    text = put_body(body, SECRET_LEN, "lf");
    assert_int_equal(open_text(buf_span(&text), "", &again, &err), E_MALFORMED);
    assert_non_null(strstr(err.text, "checksum is wrong"));
    secret_fini(&text);

    body[SECRET_LEN - 1] = 0;
    body[SEALED_AT + 40] ^= 1; /* the public half */
    text = put_body(body, SECRET_LEN, "lf");
    assert_int_equal(open_text(buf_span(&text), "", &again, &err), E_MALFORMED);
    assert_non_null(strstr(err.text, "belongs to another key"));
    secret_fini(&text);
}

static void lines_may_end_as_windows_has_it(void **state)
{
    UNUSED(state);
    static const char *const forms[] = { "lf", "crlf", "no end" };
    struct keypair pair = new_pair(), again;
    struct buf text = write_secret(&pair, NULL);
    uint8_t body[SECRET_LEN];
    take_body(&text, body);
    secret_fini(&text);
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        text = put_body(body, SECRET_LEN, forms[i]);
        assert_int_equal(open_text(buf_span(&text), "", &again, NULL), E_OK);
        secret_fini(&text);
    }
}

static void other_algorithms_are_unsupported(void **state)
{
    UNUSED(state);
    static const struct {
        size_t at;
        const char *bytes, *says;
    } rows[] = {
        { 0, "ED", "not Ed25519" }, { 0, "RS", "not Ed25519" }, { 2, "Ar", "not scrypt" },
        { 2, "sc", "not scrypt" },  { 4, "S2", "not BLAKE2b" },
    };
    struct keypair pair = new_pair();
    struct buf text = write_secret(&pair, NULL);
    uint8_t body[SECRET_LEN], changed[SECRET_LEN];
    take_body(&text, body);
    secret_fini(&text);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct keyfile file;
        struct err err;
        memcpy(changed, body, SECRET_LEN);
        memcpy(changed + rows[i].at, rows[i].bytes, 2);
        text = put_body(changed, SECRET_LEN, "lf");
        assert_int_equal(keyfile_read(buf_span(&text), &file, &err), E_UNSUPPORTED);
        assert_non_null(strstr(err.text, rows[i].says));
        secret_fini(&text);
    }
}

static void a_hostile_cost_is_refused_before_it_is_paid(void **state)
{
    UNUSED(state);
    struct keypair pair = new_pair();
    struct buf text = write_secret(&pair, &cheap);
    struct keyfile file;
    struct err err;
    uint8_t body[SECRET_LEN];
    take_body(&text, body);
    secret_fini(&text);
    memset(body + 38, 0xFF, 16);
    text = put_body(body, SECRET_LEN, "lf");
    assert_int_equal(keyfile_read(buf_span(&text), &file, &err), E_LIMIT);
    assert_non_null(strstr(err.text, "MiB of memory"));
    secret_fini(&text);
}

static void assert_unreadable(const char *text, enum errc rc, const char *says)
{
    struct keyfile file;
    struct err err;
    assert_int_equal(keyfile_read(span_text(text), &file, &err), rc);
    assert_non_null(strstr(err.text, says));
}

static void other_files_are_told_apart(void **state)
{
    UNUSED(state);
    struct keypair pair = new_pair();
    struct buf public;
    buf_init(&public, KEYFILE_TEXT_MAX);
    assert_int_equal(keyfile_write_public(&pair, "x", &public, NULL), E_OK);
    assert_int_equal(buf_add_byte(&public, '\0', NULL), E_OK);
    assert_unreadable((const char *)public.ptr, E_MALFORMED, "public key");
    buf_fini(&public);
    assert_unreadable("", E_MALFORMED, "no line");
    assert_unreadable("-----BEGIN "
                      "PRIVATE KEY-----\n",
                      E_MALFORMED, "is no minisign secret key");
    assert_unreadable("untrusted comment: x\n", E_MALFORMED, "ends after the comment");
    assert_unreadable("untrusted comment: x\nRWQ=\nmore\n", E_MALFORMED, "follow the second line");
    assert_unreadable("untrusted comment: x\nRWQ*\n", E_MALFORMED, "base64");
    assert_unreadable("untrusted comment: x\nRWQA\n", E_MALFORMED, "cut or damaged");
}

static void a_text_without_end_is_refused(void **state)
{
    UNUSED(state);
    static char text[KEYFILE_TEXT_MAX + 2];
    struct keyfile file;
    memset(text, 'A', sizeof(text));
    assert_int_equal(keyfile_read(span_of(text, sizeof(text)), &file, NULL), E_LIMIT);
}

static void comments_are_one_printable_line(void **state)
{
    UNUSED(state);
    static const char *const bad[] = { "two\nlines", "cr\r", "\x1b[2J", "\x7f", "\xff\xfe" };
    struct keypair pair = new_pair();
    struct buf text;
    struct err err;
    char longest[KEYFILE_COMMENT_MAX + 2];
    buf_init(&text, KEYFILE_TEXT_MAX);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(keyfile_write_public(&pair, bad[i], &text, &err), E_ARGUMENT);
        assert_int_equal(keyfile_write_secret(&pair, bad[i], NULL, span_text(""), &text, &err),
                         E_ARGUMENT);
    }
    memset(longest, 'c', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(keyfile_write_public(&pair, longest, &text, &err), E_ARGUMENT);
    assert_int_equal(text.len, 0);
    longest[sizeof(longest) - 2] = '\0';
    assert_int_equal(keyfile_write_public(&pair, longest, &text, &err), E_OK);
    buf_fini(&text);
}

/* --- what the client makes of it */

static void the_public_key_is_the_clients(void **state)
{
    UNUSED(state);
    struct keypair pair = new_pair();
    struct minisign_key key, from_line;
    struct buf text;
    char line[KEYFILE_PUBLIC_LINE_ROOM];
    buf_init(&text, KEYFILE_TEXT_MAX);
    assert_int_equal(keyfile_write_public(&pair, "x", &text, NULL), E_OK);
    assert_int_equal(minisign_read_key(buf_span(&text), &key, NULL), E_OK);
    assert_memory_equal(key.id, pair.id, 8);
    assert_memory_equal(key.ed25519, pair.ed25519, 32);
    assert_int_equal(
        minisign_read_key(span_text(keyfile_public_line(&pair, line)), &from_line, NULL), E_OK);
    assert_memory_equal(&from_line, &key, sizeof(key));
    buf_fini(&text);
}

static void two_keys_are_not_alike(void **state)
{
    UNUSED(state);
    struct keypair a = new_pair(), b = new_pair();
    assert_memory_not_equal(a.id, b.id, 8);
    assert_memory_not_equal(a.seed, b.seed, 32);
    assert_memory_not_equal(a.ed25519, b.ed25519, 32);
    assert_memory_not_equal(a.seed, a.ed25519, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blake2b_is_as_published),
        cmocka_unit_test(blake2b_agrees_with_openssl_at_every_length),
        cmocka_unit_test(scrypt_parameters_are_libsodiums),
        cmocka_unit_test(scrypt_that_costs_too_much_is_refused),
        cmocka_unit_test(a_secret_key_reads_back),
        cmocka_unit_test(an_encrypted_key_shows_nothing_of_itself),
        cmocka_unit_test(a_wrong_passphrase_has_its_own_error),
        cmocka_unit_test(every_cut_of_a_key_file_is_refused),
        cmocka_unit_test(every_changed_byte_of_a_key_is_refused),
        cmocka_unit_test(an_open_key_has_a_right_checksum_or_none),
        cmocka_unit_test(lines_may_end_as_windows_has_it),
        cmocka_unit_test(other_algorithms_are_unsupported),
        cmocka_unit_test(a_hostile_cost_is_refused_before_it_is_paid),
        cmocka_unit_test(other_files_are_told_apart),
        cmocka_unit_test(a_text_without_end_is_refused),
        cmocka_unit_test(comments_are_one_printable_line),
        cmocka_unit_test(the_public_key_is_the_clients),
        cmocka_unit_test(two_keys_are_not_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
