/* The command line of surefoot, run many times in one process: under wine a process of its own for
 * each of some thousand files would take half an hour. Reads requests from standard input, each a
 * number of words, then each word as its length in bytes and its bytes:
 *
 *     OUT ERR ARGUMENT...       two files that standard output and standard error go to, then the
 * line
 *
 *     3\n7\n/tmp/o1\n7\n/tmp/e1\n6\nverify\n
 *
 * and answers each with a line, the exit code, on what was standard output when it began. Ends with
 * 0 at the end of its input, with 2 at a request that is not one. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "installer/cli/cli.h"
#include "platform/console.h"
#include "platform/native.h"

enum { WORDS_MAX = 400, WORD_BYTES_MAX = 65536, OUT = 0, ERR = 1, ARGUMENTS = 2 };

struct request {
    int n;
    char *word[WORDS_MAX + 1];
};

static bool read_number(long max, long *out)
{
    char line[16], *end = NULL;
    if (fgets(line, sizeof(line), stdin) == NULL)
        return false;
    *out = strtol(line, &end, 10);
    return end != line && *end == '\n' && *out >= 0 && *out <= max;
}

static bool read_word(char **out)
{
    long len = 0;
    if (!read_number(WORD_BYTES_MAX, &len))
        return false;
    char *word = calloc((size_t)len + 1, 1);
    *out = word;
    return word != NULL && fread(word, 1, (size_t)len, stdin) == (size_t)len && getchar() == '\n';
}

static bool read_request(struct request *r)
{
    long n = 0;
    memset(r, 0, sizeof(*r));
    if (!read_number(WORDS_MAX, &n) || n < ARGUMENTS)
        return false;
    for (; r->n < n; r->n++)
        if (!read_word(&r->word[r->n]))
            return false;
    return true;
}

/* The line's first word is the program's name, as main has it; what cli_main does to the words is
 * its own affair. */
static int run(const struct request *r)
{
    char name[] = "surefoot", *argv[WORDS_MAX + 1] = { name };
    const int argc = r->n - ARGUMENTS + 1;
    memcpy(argv + 1, r->word + ARGUMENTS, (size_t)(argc - 1) * sizeof(*argv));
    if (freopen(r->word[OUT], "wb", stdout) == NULL || freopen(r->word[ERR], "wb", stderr) == NULL)
        return -1;
    struct cli cli = { .platform = platform_native(), .command = "" };
    const int code = cli_main(&cli, argc, argv);
    return fflush(stdout) == 0 && fflush(stderr) == 0 ? code : -1;
}

int main(void)
{
    struct request r;
    (void)console_init();
    FILE *answers = fdopen(dup(STDOUT_FILENO), "wb");
    if (answers == NULL)
        return EXIT_FAILURE;
    while (read_request(&r)) {
        (void)fprintf(answers, "%d\n", run(&r));
        if (fflush(answers) != 0)
            return EXIT_FAILURE;
        for (int i = 0; i < r.n; i++)
            free(r.word[i]);
    }
    return feof(stdin) ? EXIT_SUCCESS : 2;
}
