#include "manifest/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "platform/base/num.h"
#include "platform/base/text.h"

#define SHOWN 80
#define TIME "a time such as 2026-11-25T22:00:00Z (no fractions)"
#define SHA256 "a SHA-256 (64 hex digits in lower case)"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_hex(uint8_t c, char first_letter)
{
    return is_digit(c) || (c >= first_letter && c <= first_letter + 5);
}

/* no_value says what the text is not. */
static enum errc no_value(struct span text, const char *what, struct err *err)
{
    char shown[SHOWN];
    if (text.len == 0)
        return err_set(err, E_MALFORMED, "is empty where %s was expected", what);
    return err_set(err, E_MALFORMED, "\"%s\" is not %s", text_printable(text, shown, sizeof(shown)),
                   what);
}

/* take_number reads the digits that `text` begins with and cuts them off. */
static bool take_number(struct span *text, uint64_t *out)
{
    uint64_t n = 0;
    size_t len = 0;
    while (len < text->len && is_digit(text->ptr[len])) {
        if (!num_mul(n, 10, &n) || !num_add(n, (uint64_t)(text->ptr[len] - '0'), &n))
            return false;
        len++;
    }
    if (len == 0 || (len > 1 && text->ptr[0] == '0'))
        return false;
    *text = span_sub(*text, len, text->len);
    *out = n;
    return true;
}

enum errc value_read_number(struct span text, uint64_t *out, struct err *err)
{
    struct span rest = text;
    uint64_t n;
    if (!take_number(&rest, &n) || rest.len != 0)
        return no_value(text, "a number (digits alone, no leading zero)", err);
    *out = n;
    return E_OK;
}

enum errc value_read_size(struct span text, uint64_t *out_bytes, struct err *err)
{
    static const char *const units[] = { "", "KiB", "MiB", "GiB", "TiB" };
    struct span rest = text;
    uint64_t n;
    if (take_number(&rest, &n))
        for (size_t i = 0; i < ARRAY_LEN(units); i++)
            if (span_equal_text(rest, units[i]) && num_mul(n, UINT64_C(1) << 10 * i, out_bytes))
                return E_OK;
    return no_value(text, "a size (bytes, or a number with KiB, MiB, GiB, TiB)", err);
}

/* take_part reads one "12H" and adds it to *s, if that unit still may come: *next is the place of
 * the first one that may. */
static bool take_part(struct span *text, const char *units, const uint32_t *seconds, size_t *next,
                      uint64_t *s)
{
    uint64_t n, add;
    if (!take_number(text, &n) || text->len == 0 || text->ptr[0] == '\0')
        return false;
    const char *unit = strchr(units + *next, text->ptr[0]);
    if (unit == NULL)
        return false;
    size_t i = (size_t)(unit - units);
    if (!num_mul(n, seconds[i], &add) || !num_add(*s, add, s))
        return false;
    *next = i + 1;
    *text = span_sub(*text, 1, text->len);
    return true;
}

static bool take_duration(struct span text, uint64_t *out)
{
    static const uint32_t date_s[] = { 7 * 86400, 86400 }, time_s[] = { 3600, 60, 1 };
    size_t next_date = 0, next_time = 0;
    uint64_t s = 0;
    if (text.len < 3 || text.ptr[0] != 'P')
        return false;
    text = span_sub(text, 1, text.len);
    if (text.ptr[0] != 'T') {
        if (!take_part(&text, "WD", date_s, &next_date, &s))
            return false;
        if (next_date == 1 && text.len > 0)
            return false; /* weeks stand alone */
    }
    if (text.len > 0) {
        if (text.len < 3 || text.ptr[0] != 'T')
            return false;
        text = span_sub(text, 1, text.len);
        while (text.len > 0)
            if (!take_part(&text, "HMS", time_s, &next_time, &s))
                return false;
    }
    *out = s;
    return true;
}

enum errc value_read_duration(struct span text, int64_t *out_s, struct err *err)
{
    uint64_t s;
    if (!take_duration(text, &s) || s > VALUE_DURATION_MAX_S)
        return no_value(
            text, "a duration such as PT30S, PT12H or P30D (no years, months, fractions)", err);
    *out_s = (int64_t)s;
    return E_OK;
}

const char *value_format_duration(int64_t s, char to[32])
{
    int64_t days = s / 86400, hours = s / 3600 % 24, minutes = s / 60 % 60, seconds = s % 60;
    char part[4][24] = { "", "", "", "" };
    if (days != 0)
        snprintf(part[0], sizeof(part[0]), "%" PRId64 "D", days);
    if (hours != 0)
        snprintf(part[1], sizeof(part[1]), "%" PRId64 "H", hours);
    if (minutes != 0)
        snprintf(part[2], sizeof(part[2]), "%" PRId64 "M", minutes);
    if (seconds != 0 || s == 0)
        snprintf(part[3], sizeof(part[3]), "%" PRId64 "S", seconds);
    bool has_time = hours != 0 || minutes != 0 || part[3][0] != '\0';
    snprintf(to, 32, "P%.8s%s%.4s%.4s%.4s", part[0], has_time ? "T" : "", part[1], part[2],
             part[3]);
    return to;
}

enum errc value_read_time(struct span text, int64_t *out_unix_s, struct err *err)
{
    /* text_parse_time also takes lower case and fractions, which have no place in our documents. */
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '.' || is_lower(text.ptr[i]))
            return no_value(text, TIME, err);
    return text_parse_time(text, out_unix_s) ? E_OK : no_value(text, TIME, err);
}

enum errc value_read_sha256(struct span text, uint8_t out[32], struct err *err)
{
    bool has_capitals = false;
    for (size_t i = 0; i < text.len; i++)
        has_capitals |= text.ptr[i] >= 'A' && text.ptr[i] <= 'F';
    return !has_capitals && text_from_hex(text, out, 32) ? E_OK : no_value(text, SHA256, err);
}

enum errc value_read_mode(struct span text, uint32_t *out, struct err *err)
{
    uint32_t mode = 0;
    for (size_t i = 0; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '7'; i++)
        mode = mode << 3 | (uint32_t)(text.ptr[i] - '0');
    char same[12];
    snprintf(same, sizeof(same), "%03" PRIo32, mode & 0777);
    if (!span_equal_text(text, same))
        return no_value(text, "a mode of three octal digits such as 644 (no setuid, no sticky)",
                        err);
    *out = mode;
    return E_OK;
}

enum errc value_check_name(struct span text, struct err *err)
{
    static const char what[] = "a name (a-z, 0-9, and . _ - inside it; at most 64 characters)";
    if (text.len == 0 || text.len > VALUE_NAME_MAX)
        return no_value(text, what, err);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        bool is_end = i == 0 || i + 1 == text.len;
        if (!is_lower(c) && !is_digit(c) && (is_end || (c != '.' && c != '_' && c != '-')))
            return no_value(text, what, err);
    }
    return E_OK;
}

enum errc value_check_guid(struct span text, struct err *err)
{
    static const char shape[] = "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}";
    bool is_guid = text.len == sizeof(shape) - 1;
    for (size_t i = 0; is_guid && i < text.len; i++)
        is_guid = shape[i] == 'x' ? is_hex(text.ptr[i], 'A') : text.ptr[i] == (uint8_t)shape[i];
    return is_guid ? E_OK
                   : no_value(text, "a code such as {01234567-89AB-CDEF-0123-456789ABCDEF}", err);
}

static bool begins_host(uint8_t c)
{
    return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z') || c == '[';
}

static bool is_url(struct span text)
{
    static const char *const schemes[] = { "https://", "http://", "file://" };
    struct span rest = { NULL, 0 };
    for (size_t i = 0; i < ARRAY_LEN(schemes) && rest.ptr == NULL; i++)
        if (span_starts_with(text, span_text(schemes[i])))
            rest = span_sub(text, strlen(schemes[i]), text.len);
    bool is_file = span_starts_with(text, span_text("file:"));
    if (rest.len == 0 || !(is_file ? rest.ptr[0] == '/' : begins_host(rest.ptr[0])))
        return false;
    for (size_t i = 0; i < rest.len; i++)
        if (rest.ptr[i] <= ' ' || rest.ptr[i] > '~' || strchr("\"#<>@\\^`{|}", rest.ptr[i]) != NULL)
            return false;
    return true;
}

enum errc value_check_url(struct span text, struct err *err)
{
    if (text.len > VALUE_URL_MAX || !is_url(text))
        return no_value(
            text, "a URL (https://HOST/..., http://HOST/..., file:///...; no login, no #)", err);
    return E_OK;
}

enum errc value_check_text(struct span text, struct err *err)
{
    char shown[VALUE_TEXT_MAX * 8];
    if (text.len == 0)
        return err_set(err, E_MALFORMED, "is empty");
    if (text.ptr[0] == ' ' || text.ptr[text.len - 1] == ' ')
        return err_set(err, E_MALFORMED, "begins or ends with a space");
    if (text.len > VALUE_TEXT_MAX)
        return err_set(err, E_LIMIT, "is %zu bytes long, at most %d", text.len, VALUE_TEXT_MAX);
    if (!span_equal_text(text, text_printable(text, shown, sizeof(shown))))
        return err_set(err, E_MALFORMED, "has control or direction characters in it: \"%.150s\"",
                       shown);
    return E_OK;
}
