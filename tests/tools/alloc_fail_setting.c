/* Fails allocations of the finding and the changing of a setting in turn, those of libxml2 and
 * jansson too.
 *
 *   alloc_fail_setting ini|xml|json FILE KEY VALUE
 *
 * Each allocation fails once alone and once with all after it. Then memory ran out, or what comes
 * out is what comes out where nothing fails; and all that was allocated is freed again. Prints "N
 * allocations" and exits 0, or says which ones went wrong and exits 1. glibc only. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/setting.h"
#include "tests/tools/alloc_plan.h"

#define COMPLAINTS_MAX 20
#define FILE_MAX 65536

struct trial {
    enum setting_format format;
    struct span bytes;
    const char *key, *value;
    struct setting_found wanted, found;
    uint8_t wanted_bytes[FILE_MAX], bytes_out[FILE_MAX];
    size_t n_wanted, n_out;
    unsigned n_complaints;
};

static enum errc change_once(struct trial *t, struct err *err)
{
    struct buf out;
    buf_init(&out, FILE_MAX);
    enum errc rc = setting_find(t->format, t->bytes, t->key, &t->found, err);
    if (rc == E_OK)
        rc = setting_replace(t->format, t->bytes, t->key, t->value, &out, err);
    t->n_out = rc == E_OK ? out.len : 0;
    if (t->n_out > 0)
        memcpy(t->bytes_out, out.ptr, t->n_out);
    buf_fini(&out);
    return rc;
}

static bool is_as_wanted(const struct trial *t)
{
    return t->found.is_found && strcmp(t->found.text, t->wanted.text) == 0 &&
           t->found.at.at == t->wanted.at.at && t->found.at.len == t->wanted.at.len &&
           t->n_out == t->n_wanted && memcmp(t->bytes_out, t->wanted_bytes, t->n_out) == 0;
}

static void complain(struct trial *t, uint64_t first, uint64_t end, const char *what)
{
    t->n_complaints++;
    (void)printf("allocation %" PRIu64 "%s: %s\n", first, end > first + 1 ? " and on" : "", what);
}

static bool is_fair_error(enum errc rc)
{
    return rc == E_NOMEM || rc == E_MALFORMED || rc == E_ARGUMENT;
}

static uint64_t run(struct trial *t, uint64_t first, uint64_t end)
{
    struct err err = { .code = E_OK };
    int64_t n_kept = 0;
    uint64_t n = 0;
    enum errc rc = E_OK;
    for (int i = 0; i < 2; i++) { /* what is allocated once for good is there the second time */
        int64_t n_live = plan.n_live;
        plan.n_seen = 0;
        plan.first = first;
        plan.end = end;
        rc = change_once(t, &err);
        n = plan.n_seen;
        plan.first = plan.end = 0;
        n_kept = plan.n_live - n_live;
    }
    if (rc == E_OK ? !is_as_wanted(t) : !is_fair_error(rc))
        complain(t, first, end, rc == E_OK ? "another value, or another file" : err.text);
    if (n_kept != 0)
        complain(t, first, end, "memory is not given back");
    return n;
}

static enum setting_format format_of(const char *word)
{
    int i = 0;
    while (setting_format_words[i] != NULL && strcmp(word, setting_format_words[i]) != 0)
        i++;
    return (enum setting_format)i;
}

int main(int argc, char **argv)
{
    static struct trial t;
    struct err err;
    struct buf b;
    if (argc != 5 || platform_read_file(platform_native(), argv[2], FILE_MAX, &b, &err) != E_OK)
        return 2;
    t.format = format_of(argv[1]);
    t.bytes = buf_span(&b);
    t.key = argv[3];
    t.value = argv[4];
    if (change_once(&t, &err) != E_OK || change_once(&t, &err) != E_OK) {
        (void)printf("with all the memory there is: %s\n", err.text);
        return 1;
    }
    t.wanted = t.found;
    t.n_wanted = t.n_out;
    memcpy(t.wanted_bytes, t.bytes_out, t.n_out);
    uint64_t n = 1;
    while (t.n_complaints < COMPLAINTS_MAX && run(&t, n, n + 1) >= n)
        (void)run(&t, n++, UINT64_MAX);
    (void)printf("%" PRIu64 " allocations\n", n - 1);
    buf_fini(&b);
    return t.n_complaints != 0;
}
