#include "verify/minisign.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "platform/base/base64.h"
#include "platform/base/reader.h"

#define UNTRUSTED_START "untrusted comment: "
#define TRUSTED_START "trusted comment: "
#define BODY_MAX 128 /* bytes that a base64 line spells */

/* next_line takes one line without its LF or CR LF; the last one may lack it. False at the end. */
static bool next_line(struct reader *r, struct span *out)
{
    if (reader_is_done(r))
        return false;
    const uint8_t *lf = memchr(r->rest.ptr, '\n', r->rest.len);
    size_t len = lf == NULL ? r->rest.len : (size_t)(lf - r->rest.ptr);
    struct span line;
    if (!reader_take(r, len, &line))
        return false;
    if (lf != NULL && !reader_skip(r, 1))
        return false;
    if (lf != NULL && len != 0 && line.ptr[len - 1] == '\r')
        line.len--;
    *out = line;
    return true;
}

/* read_comment reads a line that starts so, and gives the rest of it and where that lies. */
static enum errc read_comment(struct reader *r, const char *start, struct span *out,
                              struct region *out_region, struct err *err)
{
    uint64_t at = r->at;
    struct span line, prefix = span_text(start);
    if (!next_line(r, &line) || !span_starts_with(line, prefix))
        return err_set(err, E_MALFORMED, "minisign: no line \"%s...\" at %" PRIu64, start, at);
    *out = span_sub(line, prefix.len, line.len);
    *out_region = (struct region){ .at = at + prefix.len, .len = out->len };
    return E_OK;
}

/* read_body reads a line of base64 that spells exactly `len` bytes. */
static enum errc read_body(struct reader *r, const char *what, uint8_t *to, size_t len,
                           struct err *err)
{
    uint64_t at = r->at;
    struct span line;
    if (!next_line(r, &line))
        return err_set(err, E_MALFORMED, "minisign: the text ends before the %s", what);
    struct buf body;
    buf_init(&body, BODY_MAX);
    enum errc rc = base64_decode(line, &body, err);
    if (rc == E_LIMIT || (rc == E_OK && body.len != len))
        rc = err_set(err, E_MALFORMED, "minisign: the %s at %" PRIu64 " is not of %zu bytes", what,
                     at, len);
    else if (rc != E_OK)
        rc = err_prefix(err, "minisign: the %s at %" PRIu64 ": ", what, at);
    if (rc == E_OK)
        memcpy(to, body.ptr, len);
    buf_fini(&body);
    return rc;
}

static enum errc check_size(struct span text, struct err *err)
{
    if (text.len > MINISIGN_TEXT_MAX)
        return err_set(err, E_LIMIT, "minisign: %zu bytes, limit %d", text.len, MINISIGN_TEXT_MAX);
    return E_OK;
}

static enum errc check_end(const struct reader *r, struct err *err)
{
    if (!reader_is_done(r))
        return err_set(err, E_MALFORMED, "minisign: %zu bytes follow the last line", r->rest.len);
    return E_OK;
}

static enum errc read_algorithm(const uint8_t alg[2], bool *out_prehashed, struct err *err)
{
    if (alg[0] != 'E' || (alg[1] != 'D' && alg[1] != 'd'))
        return err_set(err, E_UNSUPPORTED, "minisign: algorithm 0x%02x%02x", alg[0], alg[1]);
    *out_prehashed = alg[1] == 'D';
    return E_OK;
}

enum errc minisign_read_signature(struct span text, struct minisign_signature *out, struct err *err)
{
    struct minisign_signature s = { 0 };
    struct reader r = reader_of(text, 0);
    struct span untrusted;
    struct region trusted_region;
    uint8_t body[2 + sizeof(s.key_id) + sizeof(s.signature)];

    enum errc rc = check_size(text, err);
    if (rc == E_OK)
        rc = read_comment(&r, UNTRUSTED_START, &untrusted, &s.untrusted_comment, err);
    if (rc == E_OK)
        rc = read_body(&r, "signature", body, sizeof(body), err);
    if (rc == E_OK)
        rc = read_algorithm(body, &s.prehashed, err);
    if (rc == E_OK)
        rc = read_comment(&r, TRUSTED_START, &s.trusted_comment, &trusted_region, err);
    if (rc == E_OK)
        rc = read_body(&r, "global signature", s.global_signature, sizeof(s.global_signature), err);
    if (rc == E_OK)
        rc = check_end(&r, err);
    if (rc != E_OK)
        return rc;
    memcpy(s.key_id, body + 2, sizeof(s.key_id));
    memcpy(s.signature, body + 2 + sizeof(s.key_id), sizeof(s.signature));
    *out = s;
    return E_OK;
}

enum errc minisign_read_key(struct span text, struct minisign_key *out, struct err *err)
{
    struct reader r = reader_of(text, 0);
    struct span comment;
    struct region region;
    uint8_t body[2 + sizeof(out->id) + sizeof(out->ed25519)];

    enum errc rc = check_size(text, err);
    if (rc == E_OK && minisign_looks_like(text))
        rc = read_comment(&r, UNTRUSTED_START, &comment, &region, err);
    if (rc == E_OK)
        rc = read_body(&r, "public key", body, sizeof(body), err);
    if (rc == E_OK)
        rc = check_end(&r, err);
    if (rc != E_OK)
        return rc;
    if (body[0] != 'E' || body[1] != 'd')
        return err_set(err, E_UNSUPPORTED, "minisign: a key of algorithm 0x%02x%02x", body[0],
                       body[1]);
    memcpy(out->id, body + 2, sizeof(out->id));
    memcpy(out->ed25519, body + 2 + sizeof(out->id), sizeof(out->ed25519));
    return E_OK;
}

bool minisign_looks_like(struct span text)
{
    return span_starts_with(text, span_text(UNTRUSTED_START));
}

const char *minisign_key_id_text(const uint8_t id[8], char to[MINISIGN_KEY_ID_ROOM])
{
    (void)snprintf(to, MINISIGN_KEY_ID_ROOM, "%016" PRIX64, get_u64le(id));
    return to;
}
