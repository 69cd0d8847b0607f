/* JSON lines: the only file of surefoot-publish that knows jansson. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "keys/publish/publish.h"
#include "platform/base/text.h"

#define LINE_MAX_BYTES (1024 * 1024)

static json_t *text_value(const char *text)
{
    struct buf shown;
    struct err ignored;
    json_t *value = NULL;
    if (text == NULL)
        return json_null();
    buf_init(&shown, LINE_MAX_BYTES);
    if (text_add_printable(&shown, span_text(text), &ignored) == E_OK)
        value = json_stringn(shown.len == 0 ? "" : (const char *)shown.ptr, shown.len);
    buf_fini(&shown);
    return value;
}

static json_t *value_of(const struct field *f)
{
    char time[32];
    switch (f->kind) {
    case FIELD_TEXT: return text_value(f->text);
    case FIELD_NUMBER: return json_integer((json_int_t)f->number);
    case FIELD_BOOL: return json_boolean(f->number != 0);
    case FIELD_TIME: return json_string(text_format_time(f->number, time));
    case FIELD_NULL: break;
    }
    return json_null();
}

struct field print_json_serial(uint64_t serial, char room[FIELD_SERIAL_ROOM])
{
    if (serial <= INT64_MAX)
        return (struct field){ "serial", FIELD_NUMBER, NULL, (int64_t)serial };
    (void)snprintf(room, FIELD_SERIAL_ROOM, "%" PRIu64, serial);
    return (struct field){ "serial", FIELD_TEXT, room, 0 };
}

enum errc print_json_line(const struct field *fields, size_t n, struct buf *out, struct err *err)
{
    char *line = NULL;
    json_t *object = json_object();
    bool is_whole = object != NULL;
    for (size_t i = 0; i < n && is_whole; i++)
        is_whole = json_object_set_new(object, fields[i].name, value_of(&fields[i])) == 0;
    if (is_whole)
        line = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (line == NULL)
        return err_nomem(err);
    enum errc rc = buf_printf(out, err, "%s\n", line);
    free(line);
    return rc;
}
