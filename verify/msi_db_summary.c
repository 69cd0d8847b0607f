/* The summary information: a property set with one section. Each value is read where the list of
 * properties says it is; no value leads to another. */

#include <inttypes.h>
#include <string.h>

#include "platform/base/reader.h"
#include "verify/msi_db_private.h"

static const char stream_name[] = "\5SummaryInformation";

enum { TYPE_I2 = 2, TYPE_I4 = 3, TYPE_STRING = 30 };

static enum errc ends_early(const char *what, struct err *err)
{
    return err_set(err, E_TRUNCATED, "MSI: the summary ends in %s", what);
}

static enum errc read_string(struct reader *r, struct span *out, struct err *err)
{
    uint32_t len;
    if (!reader_u32le(r, &len) || !reader_take(r, len, out))
        return ends_early("a string", err);
    while (out->len > 0 && out->ptr[out->len - 1] == 0)
        out->len--;
    return E_OK;
}

static enum errc read_value(struct msi_summary *s, uint32_t id, struct reader r, struct err *err)
{
    uint32_t type, number;
    uint16_t half;
    if (!reader_u32le(&r, &type))
        return ends_early("a type", err);
    switch (type) {
    case TYPE_I2:
        if (!reader_u16le(&r, &half))
            return ends_early("a number", err);
        s->number[id] = half;
        break;
    case TYPE_I4:
        if (!reader_u32le(&r, &number))
            return ends_early("a number", err);
        s->number[id] = (int32_t)number;
        break;
    case TYPE_STRING: return read_string(&r, &s->text[id], err);
    default: break;
    }
    return E_OK;
}

static enum errc read_property(struct msi_summary *s, struct reader *list, struct span section,
                               struct err *err)
{
    uint32_t id, at;
    if (!reader_u32le(list, &id) || !reader_u32le(list, &at))
        return ends_early("its list", err);
    if (id == 0 || id >= MSI_SUMMARY_IDS)
        return E_OK;
    if (s->has[id])
        return err_set(err, E_MALFORMED, "MSI: the summary has property %" PRIu32 " twice", id);
    s->has[id] = true;
    return read_value(s, id, reader_of(span_sub(section, at, section.len), at), err);
}

static enum errc read_section(struct msi_summary *s, struct span section, struct err *err)
{
    struct reader r = reader_of(section, 0);
    uint32_t size, n;
    if (!reader_u32le(&r, &size) || !reader_u32le(&r, &n))
        return ends_early("its section", err);
    if (size > section.len)
        return ends_early("its section, which is longer", err);
    if (n > MSI_SUMMARY_PROPERTIES_MAX)
        return err_set(err, E_LIMIT, "MSI: %" PRIu32 " summary properties, limit %u", n,
                       MSI_SUMMARY_PROPERTIES_MAX);
    enum errc rc = E_OK;
    for (uint32_t i = 0; i < n && rc == E_OK; i++)
        rc = read_property(s, &r, span_sub(section, 0, size), err);
    s->code_page = (uint32_t)s->number[MSI_SUMMARY_CODE_PAGE] & 0xFFFF;
    return rc;
}

static enum errc read_set(struct msi_summary *s, struct err *err)
{
    struct span bytes = buf_span(&s->stream);
    struct reader r = reader_of(bytes, 0);
    uint16_t mark;
    uint32_t n_sections, at;
    if (!reader_u16le(&r, &mark) || !reader_skip(&r, 22) || !reader_u32le(&r, &n_sections) ||
        !reader_skip(&r, 16) || !reader_u32le(&r, &at))
        return ends_early("its header", err);
    if (mark != 0xFFFE)
        return err_set(err, E_MALFORMED, "MSI: the summary starts with 0x%04X", mark);
    if (n_sections == 0)
        return err_set(err, E_MALFORMED, "MSI: the summary has no section");
    if (at > bytes.len)
        return ends_early("front of its section", err);
    return read_section(s, span_sub(bytes, at, bytes.len), err);
}

enum errc msi_summary_read(const struct cfb *cfb, struct msi_summary *out, struct err *err)
{
    uint8_t name[2 * sizeof(stream_name)] = { 0 };
    bool is_there;
    for (size_t i = 0; i + 1 < sizeof(stream_name); i++)
        name[2 * i] = (uint8_t)stream_name[i];
    memset(out, 0, sizeof(*out));
    buf_init(&out->stream, MSI_SUMMARY_BYTES_MAX);
    enum errc rc = msi_db_read_stream(cfb, span_of(name, 2 * (sizeof(stream_name) - 1)),
                                      &out->stream, &is_there, err);
    if (rc == E_OK && !is_there)
        rc = err_set(err, E_ABSENT, "MSI: no summary information");
    return rc == E_OK ? read_set(out, err) : rc;
}

void msi_summary_fini(struct msi_summary *s)
{
    buf_fini(&s->stream);
}

enum errc msi_summary_add_text(const struct msi_summary *s, enum msi_summary_id id, struct buf *b,
                               struct err *err)
{
    return msi_add_utf8(s->text[id], s->code_page, b, err);
}
