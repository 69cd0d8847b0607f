/* Is a file a script? Its block says so, which lies at the end; without one, its first statement.
 */

#include <string.h>

#include "verify/script.h"

#define TAIL_LEN (256 * 1024) /* where the block of a script that is too long is looked for */

static bool has_nul(struct span s)
{
    return s.len > 0 && memchr(s.ptr, 0, s.len) != NULL;
}

bool script_find_block(const struct script_text *t, struct script_block *out)
{
    if (script_block_find(t->units, out))
        return !has_nul(span_sub(t->units, 0, out->first));
    return t->unit_len == 2 && script_block_find(span_of(t->raw, t->raw_len), out) &&
           !has_nul(span_sub(t->units, 0, t->units.len));
}

/* The head has no NUL before the first begin line, if it has one. */
static bool may_be_text(const struct script_text *head)
{
    struct script_block block = { .first = head->units.len };
    (void)script_block_find(head->units, &block);
    return !has_nul(span_sub(head->units, 0, block.first));
}

/* A sniff can only say no where it lacks memory; so it tries once more before it does. */
static bool read_text(struct source *src, struct region part, const struct script_text *head,
                      struct script_text *out)
{
    enum errc rc = script_text_read(src, part, head, out, NULL);
    if (rc == E_NOMEM)
        rc = script_text_read(src, part, head, out, NULL);
    return rc == E_OK;
}

/* Reads as much as it takes to tell: all, or of a script that is too long the end (from an even
 * offset), where its block would be. */
static const struct script_style *look(struct source *src, const struct script_text *head)
{
    struct region part = { 0, src->size };
    bool is_long = src->size > SCRIPT_BYTES_MAX;
    if (is_long)
        part = (struct region){ (src->size - TAIL_LEN) & ~UINT64_C(1), TAIL_LEN };
    struct script_text text;
    if (!read_text(src, part, is_long ? head : NULL, &text))
        return NULL;
    struct script_block block = { .style = NULL };
    if (!script_find_block(&text, &block))
        block.style = is_long ? NULL : script_guess(text.units);
    script_text_fini(&text);
    return block.style;
}

bool script_sniff(struct source *src, struct span head_bytes, enum file_kind kind)
{
    struct script_text head;
    if (!read_text(src, (struct region){ 0, head_bytes.len }, NULL, &head))
        return false;
    const struct script_style *style = may_be_text(&head) ? look(src, &head) : NULL;
    script_text_fini(&head);
    return style != NULL && style->kind == kind;
}
