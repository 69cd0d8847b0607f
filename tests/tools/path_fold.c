/* Says of each path on its input whether a tree may hold it, and what it folds to, for comparison
 * with another's tables. A path is a line of code points in hex with spaces between; the answer is
 * the line "= KEY", the key written likewise, or "- MESSAGE". Exits 1 where a line is no path. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "manifest/path.h"
#include "platform/base/text.h"

#define LINE_ROOM 16384

static bool read_line(const char *line, struct buf *path)
{
    for (char *end; *line != '\n' && *line != '\0'; line = end) {
        uint8_t utf8[4];
        unsigned long code = strtoul(line, &end, 16);
        if (end == line || code > 0x10FFFF)
            return false;
        if (buf_add(path, span_of(utf8, text_put_utf8((uint32_t)code, utf8)), NULL) != E_OK)
            return false;
        while (*end == ' ' || *end == '\r')
            end++;
    }
    return true;
}

static void print_key(struct span key)
{
    uint32_t code;
    (void)printf("=");
    for (size_t n = text_utf8_next(key, &code); n != 0; n = text_utf8_next(key, &code)) {
        (void)printf(" %" PRIx32, code);
        key = span_sub(key, n, key.len);
    }
    (void)printf("\n");
}

static void answer(struct span path)
{
    struct err err = { .code = E_OK };
    struct buf key;
    buf_init(&key, (size_t)PATH_TREE_MAX * PATH_FOLD_GROWTH);
    if (path_check(path, &err) == E_OK && path_fold(path, &key, &err) == E_OK)
        print_key(buf_span(&key));
    else
        (void)printf("- %s\n", err.text);
    buf_fini(&key);
}

int main(void)
{
    static char line[LINE_ROOM];
    struct buf path;
    int rc = 0;
    buf_init(&path, LINE_ROOM);
    while (rc == 0 && fgets(line, sizeof(line), stdin) != NULL) {
        buf_clear(&path);
        if (read_line(line, &path))
            answer(buf_span(&path));
        else
            rc = 1;
    }
    buf_fini(&path);
    return rc == 0 && fflush(stdout) == 0 ? 0 : 1;
}
