#include "manifest/result.h"

#include <string.h>

#include "platform/base/text.h"

#define ABORTED "UpgradeAborted"
#define NOT_SUPPORTED "UpgradeNotSupported"

static const struct word {
    const char *name;
    enum result_class class;
    enum result_phase phase;
    enum result_origin origin;
} words[] = { [RESULT_OTHER] = { "", RESULT_CLASS_NONE, RESULT_PHASE_NONE, RESULT_OWN },
#define X(id, name, class, phase, origin)                                                          \
    [RESULT_##id] = { name, RESULT_CLASS_##class, RESULT_PHASE_##phase, RESULT_##origin },
              RESULTS(X)
#undef X
};

/* Another spelling of a word, which is read and never written. */
static const struct {
    const char *name;
    enum result_word word;
} spellings[] = {
    { "UpgradeAbortedAdSyncExeInUse", RESULT_PROGRAM_IN_USE },
};

static const struct word *word_of(enum result_word word)
{
    size_t i = (size_t)word;
    return &words[i < ARRAY_LEN(words) ? i : RESULT_OTHER];
}

const char *result_name(enum result_word word)
{
    return word_of(word)->name;
}

enum result_class result_class(enum result_word word)
{
    return word_of(word)->class;
}

enum result_phase result_phase(enum result_word word)
{
    return word_of(word)->phase;
}

enum result_origin result_origin(enum result_word word)
{
    return word_of(word)->origin;
}

static enum result_word find_word(struct span text)
{
    for (size_t i = RESULT_OTHER + 1; i < ARRAY_LEN(words); i++)
        if (span_equal_text(text, words[i].name))
            return (enum result_word)i;
    for (size_t i = 0; i < ARRAY_LEN(spellings); i++)
        if (span_equal_text(text, spellings[i].name))
            return spellings[i].word;
    return RESULT_OTHER;
}

static bool is_word_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* word_len is how many letters and digits the text begins with. */
static size_t word_len(struct span text)
{
    size_t len = 0;
    while (len < text.len && is_word_byte(text.ptr[len]))
        len++;
    return len;
}

/* class_of_new is the class of a word that is none of ours, by how it begins. */
static enum result_class class_of_new(struct span base)
{
    if (span_starts_with(base, span_text(ABORTED)))
        return RESULT_CLASS_ABORTED;
    if (span_starts_with(base, span_text(NOT_SUPPORTED)))
        return RESULT_CLASS_NOT_SUPPORTED;
    return RESULT_CLASS_NONE;
}

/* split tells the word and its detail apart. A text that is not of this form, or of no class, or a
 * success that has a detail, which there is not, stays whole and means nothing. */
static struct result split(struct span text)
{
    struct result whole = { .base = text }, r = whole;
    size_t len = word_len(text);
    bool has_detail = len < text.len;
    if (has_detail && (text.ptr[len] != '-' || len + 1 == text.len))
        return whole;
    r.base = span_sub(text, 0, len);
    if (has_detail)
        r.detail = span_sub(text, len + 1, text.len);
    r.word = find_word(r.base);
    r.class = r.word == RESULT_OTHER ? class_of_new(r.base) : result_class(r.word);
    if (r.class == RESULT_CLASS_NONE || (r.class == RESULT_CLASS_SUCCESS && has_detail))
        return whole;
    return r;
}

static bool is_printable(struct span text)
{
    char shown[RESULT_TEXT_MAX * 8];
    return span_equal_text(text, text_printable(text, shown, sizeof(shown)));
}

enum errc result_read(struct span text, struct result *out, struct err *err)
{
    if (text.len == 0)
        return err_set(err, E_MALFORMED, "a result without a word");
    if (text.len > RESULT_TEXT_MAX)
        return err_set(err, E_LIMIT, "a result of %zu bytes, the limit is %d", text.len,
                       RESULT_TEXT_MAX);
    if (!is_printable(text))
        return err_set(err, E_MALFORMED, "a result with control or direction characters in it");
    *out = split(text);
    return E_OK;
}

/* is_named: a word that goes on after the start that tells its class, and a detail like a word. */
static bool is_named(struct span text)
{
    struct result r = split(text);
    bool is_aborted = r.class == RESULT_CLASS_ABORTED;
    if (!is_aborted && r.class != RESULT_CLASS_NOT_SUPPORTED)
        return false;
    return r.base.len > strlen(is_aborted ? ABORTED : NOT_SUPPORTED) &&
           word_len(r.detail) == r.detail.len;
}

enum errc result_check_named(const char *text, struct err *err)
{
    struct span all = span_text(text);
    char shown[80];
    if (all.len > RESULT_WORD_MAX)
        return err_set(err, E_LIMIT, "a result of %zu bytes, the limit is %d", all.len,
                       RESULT_WORD_MAX);
    if (!is_named(all))
        return err_set(err, E_MALFORMED,
                       "\"%s\" is no result that a check can have: write UpgradeAborted or "
                       "UpgradeNotSupported and a word, and where needed \"-\" and a detail",
                       text_printable(all, shown, sizeof(shown)));
    return E_OK;
}
