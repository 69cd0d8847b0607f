/* A product's own settings. The first byte is the format, the first line the key, the rest the
 * file. What is found can be changed, and then reads as the new value, with every other byte as it
 * was. */

#include <stdlib.h>
#include <string.h>

#include "installer/core/setting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_other_bytes(struct span before, struct region at, struct span after)
{
    size_t head = (size_t)at.at, tail = before.len - head - (size_t)at.len;
    if (after.len < head + tail ||
        !span_equal(span_sub(before, 0, head), span_sub(after, 0, head)) ||
        !span_equal(span_sub(before, before.len - tail, tail),
                    span_sub(after, after.len - tail, tail)))
        abort();
}

static void change(enum setting_format format, struct span file, const char *key,
                   const struct setting_found *found, const char *value)
{
    static struct setting_found again;
    struct buf out;
    buf_init(&out, SETTING_FILE_MAX);
    if (setting_replace(format, file, key, value, &out, NULL) == E_OK) {
        check_other_bytes(file, found->at, buf_span(&out));
        if (setting_find(format, buf_span(&out), key, &again, NULL) != E_OK || !again.is_found ||
            strcmp(again.text, value) != 0)
            abort();
    }
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct setting_found found;
    char key[128];
    const uint8_t *end = size < 2 ? NULL : memchr(data + 1, '\n', size - 1);
    size_t len = end == NULL ? 0 : (size_t)(end - data) - 1;
    if (end == NULL || len >= sizeof(key))
        return 0;
    enum setting_format format = (enum setting_format)(data[0] % 3);
    struct span file = span_of(end + 1, size - len - 2);
    memcpy(key, data + 1, len);
    key[len] = '\0';
    if (setting_find(format, file, key, &found, NULL) != E_OK || !found.is_found)
        return 0;
    if (found.at.at > file.len || found.at.len > file.len - found.at.at)
        abort();
    change(format, file, key, &found, "on");
    change(format, file, key, &found, "7");
    change(format, file, key, &found, " <'\"&]]>;#=\\ ");
    return 0;
}
