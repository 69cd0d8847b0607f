#include "verify/script.h"

#include <string.h>

#include "platform/base/base64.h"

#define GUID_POWERSHELL                                                                            \
    {                                                                                              \
        0x1F, 0xCC, 0x3B, 0x60, 0x59, 0x4B, 0x08, 0x4E, 0xB7, 0x24, 0xD2, 0xC6, 0x29, 0x7E, 0xF3,  \
            0x51                                                                                   \
    }
#define GUID_WSH(a, b, c, d, e, f, g, h)                                                           \
    {                                                                                              \
        a, b, c, d, e, f, g, h, 0xA2, 0xA3, 0x00, 0x10, 0x4B, 0xD3, 0x50, 0x90                     \
    }

const struct script_style script_styles[N_SCRIPT_LANGUAGES] = {
    [SCRIPT_PS1] = { "# SIG # Begin signature block", "# SIG # End signature block", "# ", "",
                     KIND_SCRIPT_POWERSHELL, GUID_POWERSHELL, SCRIPT_UTF8, false },
    [SCRIPT_PS_XML] = { "<!-- SIG # Begin signature block -->",
                        "<!-- SIG # End signature block -->", "<!-- ", " -->",
                        KIND_SCRIPT_POWERSHELL, GUID_POWERSHELL, SCRIPT_ANSI, false },
    [SCRIPT_MOF] = { "/* SIG # Begin signature block */", "/* SIG # End signature block */", "/* ",
                     " */", KIND_SCRIPT_POWERSHELL, GUID_POWERSHELL, SCRIPT_UTF8, false },
    [SCRIPT_JS] = { "// SIG // Begin signature block", "// SIG // End signature block",
                    "// SIG // ", "", KIND_SCRIPT_WSH,
                    GUID_WSH(0x10, 0xE0, 0xC9, 0x06, 0xCE, 0x38, 0xD4, 0x11), SCRIPT_ANSI, false },
    [SCRIPT_VBS] = { "'' SIG '' Begin signature block",
                     "'' SIG '' End signature block",
                     "'' SIG '' ",
                     "",
                     KIND_SCRIPT_WSH,
                     { 0x4E, 0xF0, 0x29, 0x16, 0x99, 0x27, 0xB5, 0x4D, 0x8F, 0xE5, 0xAC, 0xE1, 0x0F,
                       0x17, 0xEB, 0xAB },
                     SCRIPT_ANSI,
                     false },
    [SCRIPT_WSF] = { "<signature>", "</signature>", "** SIG ** ", "", KIND_SCRIPT_WSH,
                     GUID_WSH(0x70, 0x05, 0x61, 0x1A, 0xCE, 0x38, 0xD4, 0x11), SCRIPT_ANSI, true },
};

/* --- finding it */

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* starts_with_any_case: a begin line in other capitals is no right one, but is meant to be one. */
static bool starts_with_any_case(struct span s, const char *start)
{
    size_t len = strlen(start);
    if (s.len < len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (lower(s.ptr[i]) != lower((uint8_t)start[i]))
            return false;
    return true;
}

static bool is_line_end(uint8_t c)
{
    return c == '\r' || c == '\n';
}

/* is_line is true if `s` begins with this line and the line ends there. */
static bool is_line(struct span s, const char *line)
{
    size_t len = strlen(line);
    return starts_with_any_case(s, line) && (s.len == len || is_line_end(s.ptr[len]));
}

/* "<signature>" alone is a line of many kinds of XML. */
static bool is_begin_line(struct span s, const struct script_style *style)
{
    if (!is_line(s, style->begin))
        return false;
    if (!style->is_inside)
        return true;
    s = span_sub(s, strlen(style->begin), s.len);
    while (s.len > 0 && is_line_end(s.ptr[0]))
        s = span_sub(s, 1, s.len);
    return starts_with_any_case(s, style->prefix);
}

static const struct script_style *style_beginning(struct span s)
{
    if (strchr("#</'", s.ptr[0]) == NULL)
        return NULL; /* soon, for most lines */
    for (size_t i = 0; i < N_SCRIPT_LANGUAGES; i++)
        if (s.ptr[0] == (uint8_t)script_styles[i].begin[0] && is_begin_line(s, &script_styles[i]))
            return &script_styles[i];
    return NULL;
}

/* step_back is where the line end before `at` begins, or `at` where there is none. */
static size_t step_back(struct span units, size_t at)
{
    if (at > 0 && units.ptr[at - 1] == '\n')
        at--;
    if (at > 0 && units.ptr[at - 1] == '\r')
        at--;
    return at;
}

bool script_block_find(struct span units, struct script_block *out)
{
    struct script_block found = { .style = NULL };
    for (size_t i = 0; i < units.len; i++) {
        if (i > 0 && !is_line_end(units.ptr[i - 1]))
            continue;
        const struct script_style *style = style_beginning(span_sub(units, i, units.len));
        if (style == NULL)
            continue;
        if (found.n_found++ == 0)
            found.first = i;
        found.style = style;
        found.begin = step_back(units, i);
    }
    if (found.n_found > 0)
        *out = found;
    return found.n_found > 0;
}

/* --- reading it */

/* next_line takes a line off `rest`, without its LF or CR LF. */
static bool next_line(struct span *rest, struct span *out)
{
    if (rest->len == 0)
        return false;
    const uint8_t *lf = memchr(rest->ptr, '\n', rest->len);
    size_t len = lf == NULL ? rest->len : (size_t)(lf - rest->ptr);
    *out = span_sub(*rest, 0, len);
    *rest = span_sub(*rest, len + 1, rest->len);
    if (out->len > 0 && out->ptr[out->len - 1] == '\r')
        out->len--;
    return true;
}

/* add_line appends what stands between the comment's marks. */
static enum errc add_line(const struct script_style *style, struct span line, struct buf *chars,
                          struct err *err)
{
    size_t prefix_len = strlen(style->prefix), suffix_len = strlen(style->suffix);
    if (line.len < prefix_len + suffix_len || !span_starts_with(line, span_text(style->prefix)) ||
        !span_equal_text(span_sub(line, line.len - suffix_len, suffix_len), style->suffix))
        return err_set(err, E_MALFORMED, "script: a line in the signature block is not \"%s...%s\"",
                       style->prefix, style->suffix);
    return buf_add(chars, span_sub(line, prefix_len, line.len - prefix_len - suffix_len), err);
}

static enum errc read_lines(struct span units, struct script_block *block, struct buf *chars,
                            struct err *err)
{
    struct span rest = span_sub(units, block->begin, units.len), line;
    while (rest.len > 0 && is_line_end(rest.ptr[0]))
        rest = span_sub(rest, 1, rest.len);
    (void)next_line(&rest, &line); /* the begin line */
    while (next_line(&rest, &line)) {
        if (is_line(line, block->style->end)) {
            block->end = units.len - rest.len;
            return E_OK;
        }
        enum errc rc = add_line(block->style, line, chars, err);
        if (rc != E_OK)
            return rc;
    }
    return err_set(err, E_TRUNCATED, "script: the signature block has no last line");
}

/* --- comparing it with what a maker writes */

static bool take(struct span *rest, struct span wanted)
{
    if (!span_starts_with(*rest, wanted))
        return false;
    *rest = span_sub(*rest, wanted.len, rest->len);
    return true;
}

static bool take_line(struct span *rest, const char *before, struct span middle, const char *after)
{
    return take(rest, span_text(before)) && take(rest, middle) && take(rest, span_text(after)) &&
           take(rest, span_text("\r\n"));
}

/* is_laid_out: lines of `width` characters, the last of 1 to `last_max`. */
static bool is_laid_out(struct span rest, const struct script_style *style, struct span chars,
                        size_t width, size_t last_max)
{
    const struct span none = { NULL, 0 };
    if (!take(&rest, span_text("\r\n")) || !take_line(&rest, style->begin, none, ""))
        return false;
    while (chars.len > 0) {
        size_t n = chars.len <= last_max ? chars.len : width;
        if (!take_line(&rest, style->prefix, span_sub(chars, 0, n), style->suffix))
            return false;
        chars = span_sub(chars, n, chars.len);
    }
    return take_line(&rest, style->end, none, "") && rest.len == 0;
}

/* PowerShell and other makers write 64 characters to a line, Windows Script Host 44, where the last
 * line may be longer. */
static bool is_exact(struct span block, const struct script_style *style, struct span chars)
{
    if (is_laid_out(block, style, chars, 64, 64))
        return true;
    return style->kind == KIND_SCRIPT_WSH &&
           (is_laid_out(block, style, chars, 44, 44) || is_laid_out(block, style, chars, 44, 48));
}

enum errc script_block_read(struct span units, struct script_block *block, struct buf *out_der,
                            bool *out_exact, struct err *err)
{
    struct buf chars;
    buf_init(&chars, SCRIPT_BYTES_MAX);
    enum errc rc = read_lines(units, block, &chars, err);
    if (rc == E_OK)
        rc = base64_decode(buf_span(&chars), out_der, err);
    if (rc == E_OK)
        *out_exact = is_exact(span_sub(units, block->begin, block->end - block->begin),
                              block->style, buf_span(&chars));
    buf_fini(&chars);
    return rc;
}
