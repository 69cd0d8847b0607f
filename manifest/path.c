#include "manifest/path.h"

#include <inttypes.h>
#include <string.h>

#include "manifest/path_private.h"
#include "platform/base/text.h"

#define SHOWN 80              /* room for a path or a component in a message */
#define SHORT_BASE_MAX 8      /* a name that Windows makes up: 8 characters, */
#define SHORT_EXTENSION_MAX 3 /* a dot and 3 */

struct span path_component_at(struct span path, size_t at)
{
    struct span rest = span_sub(path, at, path.len);
    const uint8_t *slash = rest.len == 0 ? NULL : memchr(rest.ptr, '/', rest.len);
    return slash == NULL ? rest : span_sub(rest, 0, (size_t)(slash - rest.ptr));
}

/* --- characters */

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hidden(struct span utf8)
{
    char shown[16];
    return text_printable(utf8, shown, sizeof(shown))[0] == '\\';
}

static enum errc check_ascii(uint8_t c, struct err *err)
{
    if (c == 0)
        return err_set(err, E_MALFORMED, "has a NUL byte");
    if (c < 0x20 || c == 0x7F)
        return err_set(err, E_MALFORMED, "has a control character, 0x%02x", c);
    if (c == '\\')
        return err_set(err, E_MALFORMED, "has a backslash: write \"/\" between folders");
    if (c == ':')
        return err_set(err, E_MALFORMED, "has \":\", which on Windows names another data stream");
    if (strchr("<>\"|?*", c) != NULL)
        return err_set(err, E_MALFORMED, "has '%c', which Windows forbids", c);
    return E_OK;
}

static enum errc check_code(uint32_t code, struct span utf8, struct err *err)
{
    if (code < 0x80)
        return check_ascii((uint8_t)code, err);
    if (is_hidden(utf8))
        return err_set(err, E_MALFORMED, "has U+%04" PRIX32 ", which is not seen or is a control",
                       code);
    const char *fault = path_code_fault(code);
    if (fault != NULL)
        return err_set(err, E_MALFORMED, "has U+%04" PRIX32 ", which %s", code, fault);
    return E_OK;
}

/* is_plain is true for the bytes that nothing is wrong with; most are. */
static bool is_plain(uint8_t byte)
{
    return is_letter(byte) || (byte >= '-' && byte <= '9') || byte == '_';
}

static enum errc check_codes(struct span component, struct err *err)
{
    for (size_t at = 0, n = 1; at < component.len; at += n) {
        uint32_t code;
        n = 1;
        if (is_plain(component.ptr[at]))
            continue;
        n = text_utf8_next(span_sub(component, at, component.len), &code);
        if (n == 0)
            return err_set(err, E_MALFORMED, "is no UTF-8 at its byte %zu", at);
        enum errc rc = check_code(code, span_sub(component, at, n), err);
        if (rc != E_OK)
            return rc;
    }
    return E_OK;
}

/* --- names that Windows reads otherwise */

static bool equal_but_for_case(struct span a, const char *upper)
{
    for (size_t i = 0; i < a.len; i++)
        if (upper[i] == '\0' || (is_letter(a.ptr[i]) ? a.ptr[i] & ~0x20 : a.ptr[i]) != upper[i])
            return false;
    return upper[a.len] == '\0';
}

/* "COM" or "LPT", and a digit: 0 to 9, or one of the three in superscript (U+00B9, B2, B3). */
static bool is_port(struct span base)
{
    struct span digit = span_sub(base, 3, base.len);
    struct span kind = span_sub(base, 0, 3);
    if (!equal_but_for_case(kind, "COM") && !equal_but_for_case(kind, "LPT"))
        return false;
    return (digit.len == 1 && digit.ptr[0] >= '0' && digit.ptr[0] <= '9') ||
           span_equal_text(digit, "\xC2\xB9") || span_equal_text(digit, "\xC2\xB2") ||
           span_equal_text(digit, "\xC2\xB3");
}

/* A device's name means the device in every folder, whatever follows its first dot; spaces before
 * the dot do not count. */
static bool is_device(struct span component)
{
    static const char *const names[] = {
        "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"
    };
    const uint8_t *dot = memchr(component.ptr, '.', component.len);
    struct span base =
        span_sub(component, 0, dot == NULL ? component.len : (size_t)(dot - component.ptr));
    while (base.len > 0 && base.ptr[base.len - 1] == ' ')
        base.len--;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (equal_but_for_case(base, names[i]))
            return true;
    return is_port(base);
}

static size_t n_characters(struct span utf8)
{
    size_t n = 0;
    for (size_t i = 0; i < utf8.len; i++)
        n += (utf8.ptr[i] & 0xC0) != 0x80;
    return n;
}

/* "~" and digits at the end. */
static bool has_short_tail(struct span base)
{
    size_t end = base.len;
    while (end > 0 && base.ptr[end - 1] >= '0' && base.ptr[end - 1] <= '9')
        end--;
    return end < base.len && end > 0 && base.ptr[end - 1] == '~';
}

/* Windows gives a long name a second, short one, such as PROGRA~1: a file that is named so could be
 * any of its neighbours. */
static bool is_short_name(struct span component)
{
    const uint8_t *dot = memchr(component.ptr, '.', component.len);
    size_t len = dot == NULL ? component.len : (size_t)(dot - component.ptr);
    struct span base = span_sub(component, 0, len);
    struct span extension = span_sub(component, len + 1, component.len);
    return has_short_tail(base) && n_characters(base) <= SHORT_BASE_MAX &&
           n_characters(extension) <= SHORT_EXTENSION_MAX;
}

static enum errc check_name(struct span component, struct err *err)
{
    uint8_t last = component.ptr[component.len - 1];
    if (last == '.')
        return err_set(err, E_MALFORMED, "ends in a dot, which Windows drops");
    if (last == ' ')
        return err_set(err, E_MALFORMED, "ends in a space, which Windows drops");
    if (is_device(component))
        return err_set(err, E_MALFORMED, "is a device on Windows: choose another name");
    if (is_short_name(component))
        return err_set(err, E_MALFORMED, "is a name as Windows makes up for long ones");
    return E_OK;
}

/* check_component is all that holds for one that is neither empty nor dots alone. */
static enum errc check_component(struct span component, struct err *err)
{
    char shown[SHOWN];
    enum errc rc = E_OK;
    if (component.len > PATH_COMPONENT_MAX)
        rc = err_set(err, E_LIMIT, "has %zu bytes, limit %d", component.len, PATH_COMPONENT_MAX);
    if (rc == E_OK)
        rc = check_codes(component, err);
    if (rc == E_OK)
        rc = check_name(component, err);
    if (rc != E_OK)
        (void)err_prefix(err, "\"%s\" ", text_printable(component, shown, sizeof(shown)));
    return rc;
}

/* --- whole paths */

static enum errc check_start(struct span path, struct err *err)
{
    if (path.len == 0)
        return err_set(err, E_MALFORMED, "is empty");
    if (path.len > PATH_TREE_MAX)
        return err_set(err, E_LIMIT, "has %zu bytes, limit %d", path.len, PATH_TREE_MAX);
    if (span_starts_with(path, span_text("//")) || span_starts_with(path, span_text("\\\\")))
        return err_set(err, E_MALFORMED, "names another machine (UNC): write it relative");
    if (path.ptr[0] == '/')
        return err_set(err, E_MALFORMED, "is absolute: write it relative");
    if (path.len > 1 && path.ptr[1] == ':' && is_letter(path.ptr[0]))
        return err_set(err, E_MALFORMED, "names a drive: write it relative");
    return E_OK;
}

static bool is_up(struct span component)
{
    return span_equal_text(component, "..");
}

static bool is_here(struct span component)
{
    return span_equal_text(component, ".");
}

static enum errc check_not_empty(struct span path, size_t at, struct span component,
                                 struct err *err)
{
    if (component.len != 0)
        return E_OK;
    if (at == path.len)
        return err_set(err, E_MALFORMED, "ends in \"/\"");
    return err_set(err, E_MALFORMED, "has nothing between two \"/\" at byte %zu", at);
}

static enum errc check_depth(size_t depth, struct err *err)
{
    if (depth > PATH_DEPTH_MAX)
        return err_set(err, E_LIMIT, "has more than %d components", PATH_DEPTH_MAX);
    return E_OK;
}

static enum errc check_no_dots(size_t at, struct span component, struct err *err)
{
    if (component.ptr[0] != '.')
        return E_OK;
    if (is_up(component))
        return err_set(err, E_MALFORMED, "has \"..\" at byte %zu", at);
    if (is_here(component))
        return err_set(err, E_MALFORMED, "has \".\" at byte %zu", at);
    return E_OK;
}

static enum errc check_components(struct span path, struct err *err)
{
    struct span component;
    size_t depth = 0;
    enum errc rc = E_OK;
    for (size_t at = 0; at <= path.len && rc == E_OK; at += component.len + 1) {
        component = path_component_at(path, at);
        rc = check_not_empty(path, at, component, err);
        if (rc == E_OK)
            rc = check_no_dots(at, component, err);
        if (rc == E_OK)
            rc = check_depth(++depth, err);
        if (rc == E_OK)
            rc = check_component(component, err);
    }
    return rc;
}

/* prefix puts the path before what is wrong with it. */
static enum errc prefix(enum errc rc, const char *what, struct span path, struct err *err)
{
    char shown[SHOWN];
    (void)err_prefix(err, "%s \"%s\": ", what, text_printable(path, shown, sizeof(shown)));
    return rc;
}

enum errc path_check(struct span path, struct err *err)
{
    enum errc rc = check_start(path, err);
    if (rc == E_OK)
        rc = check_components(path, err);
    return rc == E_OK ? E_OK : prefix(rc, "path", path, err);
}

/* --- links */

/* struct walk: where the components of a target have led so far. */
struct walk {
    size_t depth; /* below the root */
    bool has_name;
};

static enum errc walk_up(struct walk *w, size_t at, struct err *err)
{
    if (w->has_name)
        return err_set(err, E_MALFORMED, "has \"..\" at byte %zu, behind a name", at);
    if (w->depth == 0)
        return err_set(err, E_MALFORMED, "leaves the tree at byte %zu", at);
    w->depth--;
    return E_OK;
}

static enum errc walk_down(struct walk *w, struct span component, struct err *err)
{
    enum errc rc = check_depth(++w->depth, err);
    w->has_name = true;
    return rc == E_OK ? check_component(component, err) : rc;
}

static enum errc walk_target(struct walk w, struct span target, struct err *err)
{
    struct span component;
    enum errc rc = E_OK;
    for (size_t at = 0; at <= target.len && rc == E_OK; at += component.len + 1) {
        component = path_component_at(target, at);
        rc = check_not_empty(target, at, component, err);
        if (rc == E_OK && is_up(component))
            rc = walk_up(&w, at, err);
        else if (rc == E_OK && !is_here(component))
            rc = walk_down(&w, component, err);
    }
    return rc;
}

size_t path_n_slashes(struct span path)
{
    size_t n = 0;
    for (size_t i = 0; i < path.len; i++)
        n += path.ptr[i] == '/';
    return n;
}

enum errc path_check_link(struct span at, struct span target, struct err *err)
{
    enum errc rc = path_check(at, err);
    if (rc != E_OK)
        return rc;
    rc = check_start(target, err);
    if (rc == E_OK)
        rc = walk_target((struct walk){ .depth = path_n_slashes(at) }, target, err);
    return rc == E_OK ? E_OK : prefix(rc, "link target", target, err);
}
