#ifndef SUREFOOT_VERIFY_SCRIPT_H
#define SUREFOOT_VERIFY_SCRIPT_H

/* script.h: a script as Authenticode sees it: text with one block of comment lines that spell the
 * signature in base64. What is hashed is the text without the block, as UTF-16LE. There is no
 * standard: the rules are those of the makers of such files, held against signed files.
 *
 *     text                                  hashed
 *     CR LF                                 not hashed, like all of the block
 *     # SIG # Begin signature block CR LF
 *     # MIIabc... CR LF                     64 characters to a line (Windows Script Host: 44, or
 * 64) # SIG # End signature block CR LF     end of the file; in a wsf file, more text
 *
 * What is not checked: that the text is a script of any language. */

#include "platform/base/buf.h"
#include "platform/source.h"
#include "verify/digest.h"
#include "verify/format.h"

#define SCRIPT_BYTES_MAX (16 * 1024 * 1024)

/* --- text (script_text.c) */

/* The bytes of a file, or of its end, and the same with one byte for each UTF-16 unit or 8-bit
 * character after the byte order mark: ASCII is itself, all else is 0x80 or more. Positions in a
 * script are positions in `units`. */
struct script_text {
    uint8_t *raw;
    size_t raw_len;
    size_t bom_len;    /* bytes: 0, 2 (UTF-16LE), 3 (UTF-8) */
    size_t unit_len;   /* bytes: 1, 2 */
    uint8_t *narrowed; /* owned, for unit_len 2 */
    struct span units;
};

/* script_text_read reads [at, at+len) of a source. With `like`, the text goes on in that one's
 * encoding; without, its beginning tells. Caller frees with script_text_fini. */
MUST_USE enum errc script_text_read(struct source *src, struct region part,
                                    const struct script_text *like, struct script_text *out,
                                    struct err *err);
void script_text_fini(struct script_text *t);

/* script_text_offset is the place in the file of a position in `units`. */
uint64_t script_text_offset(const struct script_text *t, size_t at);

enum script_reading {
    SCRIPT_UTF8, /* unless the units have two bytes */
    SCRIPT_ANSI, /* Windows-1252 where no byte order mark says otherwise */
};

/* script_text_hash adds a part of the units, as UTF-16LE, to a hash. *n_units grows by the number
 * of UTF-16 units; *first_bad, unless it is NO_OFFSET, is left alone, else set to the file offset
 * of the first byte that is no UTF-8, each of which counts as U+FFFD. */
MUST_USE enum errc script_text_hash(const struct script_text *t, struct region part,
                                    enum script_reading reading, struct hasher *h,
                                    uint32_t *n_units, uint64_t *first_bad, struct err *err);

/* --- block (script_block.c) */

struct script_style {
    const char *begin, *end;     /* the first and last line */
    const char *prefix, *suffix; /* of each line between them */
    enum file_kind kind;
    uint8_t sip_guid[16];
    enum script_reading reading;
    bool is_inside; /* text may follow the block */
};

struct script_block {
    const struct script_style *style;
    size_t first;      /* where the first of all begin lines is */
    size_t begin, end; /* of the last block, from the line end before its first line */
    size_t n_found;    /* begin lines of any style */
};

/* script_block_find looks for begin lines of all styles; false where there is none. The last one
 * begins the block; `end` is not known yet. */
bool script_block_find(struct span units, struct script_block *out);

/* script_block_read reads the lines of the block into bytes and sets `end`. E_MALFORMED,
 * E_TRUNCATED for any line that is no comment of this style with base64 in it. *out_exact says if
 * every byte of the block is as a maker writes it (line lengths, CR LF). */
MUST_USE enum errc script_block_read(struct span units, struct script_block *block,
                                     struct buf *out_der, bool *out_exact, struct err *err);

enum script_language { SCRIPT_PS1, SCRIPT_PS_XML, SCRIPT_MOF, SCRIPT_JS, SCRIPT_VBS, SCRIPT_WSF };
#define N_SCRIPT_LANGUAGES 6
extern const struct script_style script_styles[N_SCRIPT_LANGUAGES];

/* --- which kind (script_sniff.c, script_guess.c) */

/* script_find_block is script_block_find on a text. A NUL before the first block makes the whole
 * something else, an archive of scripts, say: false. An 8-bit block behind UTF-16 text is found as
 * well, in positions of its own: it is no right one, but the file is no unsigned one either. */
bool script_find_block(const struct script_text *t, struct script_block *out);

/* script_sniff is format_ops.sniff for a kind. */
bool script_sniff(struct source *src, struct span head, enum file_kind kind);

/* script_guess names the style that a text without a block would be signed in, going by its first
 * statement, NULL for all that is not clearly a script (script_guess.c). */
const struct script_style *script_guess(struct span units);

#endif
