/* witness_ask FILE...: what the system's own witness says of each, one line a file: its word and
 * its text. */

#include <stdio.h>

#include "platform/platform.h"

static const char *word_of(enum witness_word word)
{
    static const char *const words[] = { [WITNESS_UNAVAILABLE] = "unavailable",
                                         [WITNESS_INTACT] = "intact",
                                         [WITNESS_CHAIN] = "chain",
                                         [WITNESS_BROKEN] = "broken",
                                         [WITNESS_BANNED] = "banned",
                                         [WITNESS_UNKNOWN] = "unknown" };
    return words[word];
}

int main(int argc, char **argv)
{
    struct platform *p = platform_native();
    struct err err;
    for (int i = 1; i < argc; i++) {
        struct source *src = NULL;
        struct witness_answer answer;
        if (p->fs->open_source(p->self, argv[i], &src, &err) != E_OK) {
            (void)fprintf(stderr, "%s: %s\n", argv[i], err.text);
            return 1;
        }
        p->witness->ask(p->self, src, &answer);
        (void)printf("%s\t%s\n", word_of(answer.word), answer.text);
        source_close(src);
    }
    return 0;
}
