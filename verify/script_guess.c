#include "verify/script.h"

#include <string.h>

/* script_guess.c: is a text without a signature block a script that should have had one? Only the
 * first statement counts, after blank lines and comments, and only if it begins with a word that
 * nothing but such a script begins with. What is missed is judged "of no kind that can carry a
 * signature", which accepts it as little as "unsigned" would. */

#define LOOK_AT_MAX 4096

static const struct opening {
    const char *word;
    enum script_language language;
} openings[] = {
    { "param(", SCRIPT_PS1 },          { "param (", SCRIPT_PS1 },
    { "[cmdletbinding(", SCRIPT_PS1 }, { "#requires -", SCRIPT_PS1 },
    { "using module ", SCRIPT_PS1 },   { "import-module ", SCRIPT_PS1 },
    { "set-strictmode ", SCRIPT_PS1 }, { "$erroractionpreference", SCRIPT_PS1 },
    { "write-host ", SCRIPT_PS1 },     { "write-output ", SCRIPT_PS1 },
    { "cls\r", SCRIPT_PS1 },           { "@{\r", SCRIPT_PS1 },
    { "[classversion(", SCRIPT_MOF },  { "#pragma namespace", SCRIPT_MOF },
    { "instance of ", SCRIPT_MOF },    { "wscript.", SCRIPT_JS },
    { "option explicit", SCRIPT_VBS }, { "on error resume next", SCRIPT_VBS },
};

static bool begins(struct span s, const char *word)
{
    size_t len = strlen(word);
    if (s.len < len)
        return false;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = s.ptr[i];
        if (c >= 'A' && c <= 'Z')
            c = (uint8_t)(c | 0x20);
        if (c != (uint8_t)word[i])
            return false;
    }
    return true;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const struct opening *find_opening(struct span s)
{
    for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++)
        if (begins(s, openings[i].word))
            return &openings[i];
    return NULL;
}

/* past is what follows the first `mark` in `s`, nothing where there is none. */
static struct span past(struct span s, const char *mark)
{
    while (s.len > 0 && !begins(s, mark))
        s = span_sub(s, 1, s.len);
    return span_sub(s, strlen(mark), s.len);
}

/* skip_comment takes a comment off the beginning of *s, in any of the languages. */
static bool skip_comment(struct span *s)
{
    if (begins(*s, "<#"))
        *s = past(*s, "#>");
    else if (begins(*s, "/*"))
        *s = past(*s, "*/");
    else if (begins(*s, "#") || begins(*s, "//") || begins(*s, "'"))
        *s = past(*s, "\n");
    else
        return false;
    return true;
}

const struct script_style *script_guess(struct span units)
{
    struct span rest = span_sub(units, 0, LOOK_AT_MAX);
    if (rest.len == 0 || memchr(rest.ptr, 0, rest.len) != NULL)
        return NULL;
    while (rest.len > 0) {
        const struct opening *opening = find_opening(rest);
        if (opening != NULL)
            return &script_styles[opening->language];
        if (is_blank(rest.ptr[0]))
            rest = span_sub(rest, 1, rest.len);
        else if (!skip_comment(&rest))
            return NULL;
    }
    return NULL;
}
