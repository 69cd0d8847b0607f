#include "manifest/version.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

/* What was read is kept as it was written, and reads again as itself. */
static void check_again(struct span text, const struct version *v)
{
    struct version again;
    require(text.len <= VERSION_TEXT_MAX && span_equal_text(text, v->text));
    require(version_read(span_text(v->text), &again, NULL) == E_OK);
    require(memcmp(again.parts, v->parts, sizeof(v->parts)) == 0 && again.n_parts == v->n_parts);
    require(version_compare(v, &again) == 0 && version_compare(v, v) == 0);
}

static void check_pair(const struct version *a, const struct version *b)
{
    int there = version_compare(a, b), back = version_compare(b, a);
    require((there < 0) == (back > 0) && (there > 0) == (back < 0));
}

/* check_pattern: a version is a pattern of itself, and `NUMBER.*` has it. */
static void check_pattern(struct span text, const struct version *v)
{
    struct version_pattern p;
    if (version_pattern_read(text, &p, NULL) == E_OK)
        require(p.is_open || version_matches(&p, v));
}

/* The input is two versions with a line feed between. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span all = span_of(data, size);
    const uint8_t *lf = size == 0 ? NULL : memchr(data, '\n', size);
    size_t at = lf == NULL ? size : (size_t)(lf - data);
    struct span first = span_sub(all, 0, at), second = span_sub(all, at + 1, size);
    struct version a = { .n_parts = 0 }, b = { .n_parts = 0 };
    if (version_read(first, &a, NULL) == E_OK)
        check_again(first, &a);
    if (version_read(second, &b, NULL) == E_OK)
        check_again(second, &b);
    check_pair(&a, &b);
    check_pattern(first, &a);
    return 0;
}
