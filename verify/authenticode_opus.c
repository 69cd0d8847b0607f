/* What the signer says of the program, for people to read. It is signed, and decides nothing.
 *
 * SpcSpOpusInfo ::= SEQUENCE { programName [0] EXPLICIT SpcString OPTIONAL,
 *                              moreInfo [1] EXPLICIT SpcLink OPTIONAL }
 * SpcString     ::= CHOICE { unicode [0] BMPString, ascii [1] IA5String }
 * SpcLink       ::= CHOICE { url [0] IA5String, moniker [1], file [2] } */

#include <inttypes.h>

#include "platform/base/text.h"
#include "verify/authenticode_private.h"

#define OPUS_TEXT_MAX 4096

static enum errc show_text(const struct der *text, char *to, size_t room, struct err *err)
{
    struct buf utf8;
    if (text->tag == DER_CONTEXT(1)) {
        (void)text_printable(text->content, to, room);
        return E_OK;
    }
    if (text->tag != DER_CONTEXT(0))
        return err_set(err, E_MALFORMED, "SpcString: tag 0x%02X at %" PRIu64, text->tag, text->at);
    buf_init(&utf8, OPUS_TEXT_MAX);
    enum errc e = text_from_utf16(&utf8, text->content, true, err);
    if (e == E_OK)
        (void)text_printable(buf_span(&utf8), to, room);
    buf_fini(&utf8);
    return e;
}

static enum errc read_only(const struct der *outer, const char *what, struct der *out,
                           struct err *err)
{
    struct reader in = der_inside(outer);
    enum errc e = der_read_any(&in, what, out, err);
    if (e == E_OK)
        e = der_end(&in, what, err);
    return e;
}

static enum errc read_program_name(struct reader *in, struct sig_verdict *sig, struct err *err)
{
    struct der field, text;
    enum errc e = der_read_any(in, "programName", &field, err);
    if (e == E_OK)
        e = read_only(&field, "programName", &text, err);
    if (e == E_OK)
        e = show_text(&text, sig->program_name, sizeof(sig->program_name), err);
    return e;
}

/* read_more_info takes a link's url; a file or an object is nothing to show. */
static enum errc read_more_info(struct reader *in, struct sig_verdict *sig, struct err *err)
{
    struct der field, link;
    enum errc e = der_read_any(in, "moreInfo", &field, err);
    if (e == E_OK)
        e = read_only(&field, "moreInfo", &link, err);
    if (e == E_OK && link.tag == DER_CONTEXT(0))
        (void)text_printable(link.content, sig->program_url, sizeof(sig->program_url));
    return e;
}

enum errc opus_read(const struct der *value, struct sig_verdict *sig, struct err *err)
{
    struct reader r = reader_of(value->whole, value->at);
    struct reader in;
    enum errc e = der_enter(&r, DER_SEQUENCE, "SpcSpOpusInfo", &in, err);
    if (e == E_OK && der_next_is(&in, DER_CONTEXT_CONSTRUCTED(0)))
        e = read_program_name(&in, sig, err);
    if (e == E_OK && der_next_is(&in, DER_CONTEXT_CONSTRUCTED(1)))
        e = read_more_info(&in, sig, err);
    if (e == E_OK)
        e = der_end(&in, "SpcSpOpusInfo", err);
    return e;
}
