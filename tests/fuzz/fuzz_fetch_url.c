#include "installer/core/fetch_url.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

static int has_byte(struct span s, char c)
{
    return s.len > 0 && memchr(s.ptr, c, s.len) != NULL;
}

/* What is said of every URL that is read: one host, and no login. */
static void check_url(struct span text)
{
    struct fetch_url url;
    struct buf path;
    char host[FETCH_HOST_ROOM];
    if (fetch_url_read(text, &url, NULL) != E_OK)
        return;
    require((url.scheme == FETCH_FILE) == (url.host.len == 0));
    require(!has_byte(url.authority, '@') && !has_byte(url.authority, '/'));
    require(url.path.len == 0 || url.path.ptr[0] == '/');
    require(strlen(fetch_url_host_text(&url, host)) < FETCH_HOST_ROOM);
    require(fetch_url_check_redirect(&url, &url, true, NULL) == E_OK || url.scheme == FETCH_FILE);
    buf_init(&path, FETCH_URL_MAX);
    if (url.scheme == FETCH_FILE && fetch_url_file_path(&url, &path, NULL) == E_OK)
        require(path.ptr[0] == '/' && memchr(path.ptr, '\0', path.len) == NULL);
    buf_fini(&path);
}

/* What is made is a URL, and a path beside stays on the host. */
static void check_made(const char *base, struct span location, const char *path)
{
    char to[FETCH_URL_ROOM];
    struct fetch_url from, made;
    if (fetch_url_redirect(base, location, to, NULL) == E_OK)
        require(fetch_url_read(span_text(to), &made, NULL) == E_OK);
    if (fetch_url_beside(base, path, to, NULL) != E_OK)
        return;
    require(fetch_url_read(span_text(base), &from, NULL) == E_OK);
    require(fetch_url_read(span_text(to), &made, NULL) == E_OK);
    require(span_equal(from.authority, made.authority) && made.query.len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    check_url(span_of(data, size));
    check_made("https://a.example/b/c?d", span_of(data, size), text);
    check_made(text, span_text("/x?y"), "x/y z");
    free(text);
    return 0;
}
