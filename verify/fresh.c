#include "verify/fresh.h"

#include <inttypes.h>
#include <string.h>

#include "platform/base/text.h"

static const struct fresh_mark *find_mark(const struct fresh_marks *marks, const char *key)
{
    for (size_t i = 0; i < marks->n; i++)
        if (strcmp(marks->items[i].key, key) == 0)
            return &marks->items[i];
    return NULL;
}

static void check_serial(const struct feed *feed, const struct fresh_mark *mark,
                         struct findings *findings)
{
    if (mark == NULL)
        return;
    if (feed->serial < mark->serial)
        findings_add(findings, REASON_OLDER_THAN_SEEN, WEIGHT_FATAL, NO_OFFSET,
                     "the feed has serial %" PRIu64 ", and %" PRIu64 " was seen before",
                     feed->serial, mark->serial);
    else if (feed->serial - mark->serial > FRESH_SERIAL_JUMP_MAX)
        findings_add(findings, REASON_SERIAL_JUMP, WEIGHT_FATAL, NO_OFFSET,
                     "the feed has serial %" PRIu64 ", more than a million past %" PRIu64,
                     feed->serial, mark->serial);
}

static void check_clock(const struct feed *feed, const struct fresh_marks *marks, int64_t now,
                        struct findings *findings)
{
    char a[32], b[32];
    int64_t newest = INT64_MIN;
    for (size_t i = 0; i < marks->n; i++)
        if (marks->items[i].issued > newest)
            newest = marks->items[i].issued;
    if (newest > now && newest - now > FRESH_CLOCK_SLACK_S)
        findings_add(findings, REASON_CLOCK_BEHIND, WEIGHT_FATAL, NO_OFFSET,
                     "the clock says %s, and a feed signed at %s was seen before",
                     text_format_time(now, a), text_format_time(newest, b));
    if (feed->issued > now && feed->issued - now > FRESH_CLOCK_SLACK_S)
        findings_add(findings, REASON_ISSUED_AHEAD, WEIGHT_FATAL, NO_OFFSET,
                     "the feed was issued at %s, more than a day ahead of the clock (%s)",
                     text_format_time(feed->issued, a), text_format_time(now, b));
    if (feed->expires <= now)
        findings_add(findings, REASON_EXPIRED, WEIGHT_FATAL, NO_OFFSET,
                     "the feed expired at %s, and it is %s", text_format_time(feed->expires, a),
                     text_format_time(now, b));
}

void fresh_check(const struct feed *feed, const char *key, const struct fresh_marks *marks,
                 int64_t now, struct findings *findings)
{
    check_serial(feed, find_mark(marks, key), findings);
    check_clock(feed, marks, now, findings);
}

enum errc fresh_note(struct fresh_marks *marks, const char *key, uint64_t serial, int64_t issued,
                     struct err *err)
{
    struct fresh_mark *mark = NULL;
    for (size_t i = 0; i < marks->n && mark == NULL; i++)
        if (strcmp(marks->items[i].key, key) == 0)
            mark = &marks->items[i];
    if (mark == NULL && marks->n == FRESH_MARKS_MAX)
        return err_set(err, E_LIMIT, "marks of more than %d keys", FRESH_MARKS_MAX);
    if (mark == NULL) {
        mark = &marks->items[marks->n++];
        *mark = (struct fresh_mark){ .serial = 0, .issued = INT64_MIN };
        text_copy(mark->key, sizeof(mark->key), key);
    }
    if (serial > mark->serial)
        mark->serial = serial;
    if (issued > mark->issued)
        mark->issued = issued;
    return E_OK;
}
