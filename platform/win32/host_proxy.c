/* The proxy that Windows keeps: the machine's (netsh winhttp), else the user's own. A script that
 * chooses one is not run. That one is to be looked for on the network (WPAD) is what Windows has at
 * first, and names none: nothing is looked for. */

#include <windows.h>

#include <winhttp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/span.h"
#include "platform/win32/host_parts.h"
#include "platform/win32/w32.h"

#define SEPARATORS "; \t\r\n"

typedef BOOL(WINAPI *machine_fn)(WINHTTP_PROXY_INFO *out);
typedef BOOL(WINAPI *user_fn)(WINHTTP_CURRENT_USER_IE_PROXY_CONFIG *out);

/* --- the two lists */

static bool next_word(const char **at, struct span *out)
{
    *at += strspn(*at, SEPARATORS);
    const size_t len = strcspn(*at, SEPARATORS);
    *out = span_of((const uint8_t *)*at, len);
    *at += len;
    return len > 0;
}

static char lower(uint8_t c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* '*' is any number of characters. Goes back to the last one only, so that it takes no more steps
 * than the product of both lengths. */
static bool matches(struct span pattern, const char *text)
{
    size_t p = 0, star = SIZE_MAX;
    const char *after_star = text;
    while (*text != '\0') {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            after_star = text;
        } else if (p < pattern.len && lower(pattern.ptr[p]) == lower((uint8_t)*text)) {
            p++;
            text++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            text = ++after_star;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

static bool is_exception(const char *exceptions, const char *host)
{
    struct span word;
    while (next_word(&exceptions, &word)) {
        if (span_equal_text(word, "<local>") ? strchr(host, '.') == NULL : matches(word, host))
            return true;
    }
    return false;
}

/* "https=proxy:8080" of the scheme that is meant, or "proxy:8080", which is for all. */
static bool is_for(struct span word, const char *scheme, struct span *out)
{
    const uint8_t *equals = memchr(word.ptr, '=', word.len);
    if (equals == NULL) {
        *out = word;
        return true;
    }
    const size_t len = (size_t)(equals - word.ptr);
    *out = span_sub(word, len + 1, word.len);
    return len == strlen(scheme) && matches(span_sub(word, 0, len), scheme);
}

/* It is itself asked over plain http, unless it says otherwise. */
static enum errc write_url(struct span proxy, char to[HOST_PROXY_ROOM], struct err *err)
{
    const char *text = (const char *)proxy.ptr;
    bool has_scheme = false;
    for (size_t i = 0; i + 2 < proxy.len && !has_scheme; i++)
        has_scheme = memcmp(text + i, "://", 3) == 0;
    int n =
        snprintf(to, HOST_PROXY_ROOM, "%s%.*s", has_scheme ? "" : "http://", (int)proxy.len, text);
    if (n < 0 || n >= HOST_PROXY_ROOM)
        return err_set(err, E_LIMIT, "a proxy's name of %zu bytes", proxy.len);
    return E_OK;
}

enum errc host_proxy_choose(const char *proxies, const char *exceptions, const char *scheme,
                            const char *host, enum host_proxy *out, char to[HOST_PROXY_ROOM],
                            struct err *err)
{
    struct span word, proxy;
    *out = HOST_PROXY_NONE;
    if (is_exception(exceptions, host))
        return E_OK;
    while (next_word(&proxies, &word)) {
        if (!is_for(word, scheme, &proxy) || proxy.len == 0)
            continue;
        *out = HOST_PROXY_NAMED;
        return write_url(proxy, to, err);
    }
    return E_OK;
}

/* --- where they are kept */

struct kept {
    char *proxies, *exceptions; /* NULL: none */
    bool by_script;
};

static enum errc take(wchar_t *proxies, wchar_t *exceptions, struct kept *out, struct err *err)
{
    enum errc rc = E_OK;
    if (proxies != NULL)
        rc = w32_utf8(proxies, &out->proxies, err);
    if (rc == E_OK && exceptions != NULL)
        rc = w32_utf8(exceptions, &out->exceptions, err);
    (void)GlobalFree(proxies);
    (void)GlobalFree(exceptions);
    return rc;
}

static enum errc read_machine(struct kept *out, struct err *err)
{
    WINHTTP_PROXY_INFO info = { .dwAccessType = 0 };
    const machine_fn ask =
        (machine_fn)w32_function(L"winhttp.dll", "WinHttpGetDefaultProxyConfiguration");
    if (ask == NULL || !ask(&info))
        return E_OK;
    const bool is_named = info.dwAccessType == WINHTTP_ACCESS_TYPE_NAMED_PROXY;
    if (!is_named) {
        (void)GlobalFree(info.lpszProxy);
        info.lpszProxy = NULL;
    }
    return take(info.lpszProxy, info.lpszProxyBypass, out, err);
}

static enum errc read_user(struct kept *out, struct err *err)
{
    WINHTTP_CURRENT_USER_IE_PROXY_CONFIG info = { .fAutoDetect = FALSE };
    const user_fn ask =
        (user_fn)w32_function(L"winhttp.dll", "WinHttpGetIEProxyConfigForCurrentUser");
    free(out->exceptions);
    out->exceptions = NULL;
    if (ask == NULL || !ask(&info))
        return E_OK;
    out->by_script = info.lpszAutoConfigUrl != NULL && info.lpszAutoConfigUrl[0] != L'\0';
    (void)GlobalFree(info.lpszAutoConfigUrl);
    return take(info.lpszProxy, info.lpszProxyBypass, out, err);
}

enum errc host_proxy_for(void *self, const char *scheme, const char *host, enum host_proxy *out,
                         char to[HOST_PROXY_ROOM], struct err *err)
{
    struct kept kept = { .proxies = NULL };
    UNUSED(self);
    enum errc rc = read_machine(&kept, err);
    if (rc == E_OK && kept.proxies == NULL)
        rc = read_user(&kept, err);
    if (rc == E_OK && kept.proxies != NULL)
        rc = host_proxy_choose(kept.proxies, kept.exceptions == NULL ? "" : kept.exceptions, scheme,
                               host, out, to, err);
    else if (rc == E_OK && kept.by_script)
        rc = err_set(err, E_UNSUPPORTED,
                     "Windows is set to choose it by a script, which is not run here: name the "
                     "proxy in the product file");
    else if (rc == E_OK)
        *out = HOST_PROXY_ENVIRONMENT;
    free(kept.proxies);
    free(kept.exceptions);
    return rc;
}
