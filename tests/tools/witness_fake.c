/* A witness that says what the environment tells it to, in place of the system's: for programs that
 * have this among their sources.
 *
 *   SUREFOOT_TEST_WITNESS: intact, chain, broken, banned, unknown; anything else: unavailable. Each
 * time that it is asked the size of the file is added as a line to the file
 * SUREFOOT_TEST_WITNESS_ASKED. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/native.h"

static enum witness_word word_of(const char *text)
{
    static const char *const words[] = { [WITNESS_UNAVAILABLE] = "unavailable",
                                         [WITNESS_INTACT] = "intact",
                                         [WITNESS_CHAIN] = "chain",
                                         [WITNESS_BROKEN] = "broken",
                                         [WITNESS_BANNED] = "banned",
                                         [WITNESS_UNKNOWN] = "unknown" };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(text, words[i]) == 0)
            return (enum witness_word)i;
    return WITNESS_UNAVAILABLE;
}

static void witness_ask(void *self, struct source *src, struct witness_answer *out)
{
    const char *says = getenv("SUREFOOT_TEST_WITNESS");
    const char *asked = getenv("SUREFOOT_TEST_WITNESS_ASKED");
    FILE *file = asked == NULL ? NULL : fopen(asked, "a");
    UNUSED(self);
    if (file != NULL) {
        (void)fprintf(file, "%" PRIu64 "\n", src->size);
        (void)fclose(file);
    }
    *out = (struct witness_answer){ .word = word_of(says == NULL ? "" : says) };
    (void)snprintf(out->text, sizeof(out->text), "as told (%s)", says == NULL ? "" : says);
}

const struct witness_ops native_witness_ops = { .ask = witness_ask };
