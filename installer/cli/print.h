#ifndef SUREFOOT_CLI_PRINT_H
#define SUREFOOT_CLI_PRINT_H

/* print.h: verdicts as people and programs read them. Each form is one print_*.c with one struct
 * printer. Printers decide nothing: they show what a settled verdict holds. */

#include <stdbool.h>

#include "platform/base/buf.h"
#include "verify/policy.h"
#include "verify/verdict.h"

#define PRINT_FILE_MAX (64 * 1024 * 1024)

struct print_input {
    const char *file; /* as the user named it */
    const struct verdict *verdict;
    const struct policy *policy;
};

struct print_style {
    bool colour, quiet, verbose;
};

struct print_counts {
    size_t n_files;
    size_t n[OUTCOME_ERROR + 1]; /* by enum outcome */
};

struct printer {
    const char *word; /* of --format */
    /* One file. Called from many threads at once. */
    enum errc (*file)(const struct print_input *in, const struct print_style *style,
                      struct buf *out, struct err *err);
    /* What comes before the files and after them. NULL: nothing. A form whose `head` needs the
     * counts is shown only at the end (`waits`). */
    enum errc (*head)(const struct print_counts *counts, struct buf *out, struct err *err);
    enum errc (*tail)(const struct print_counts *counts, const struct print_style *style,
                      struct buf *out, struct err *err);
    const char *between; /* what separates two files, may be "" */
    bool waits;
};

extern const struct printer print_text, print_json, print_junit, print_sarif, print_github;

/* printer_find gives the printer of a --format word, NULL where there is none. */
const struct printer *printer_find(const char *word);

/* print_reasons_of_file lists what a report says at the head of a refused file: its own fatal
 * findings, then those of its signatures, each once; those that nothing excuses come before the
 * rest, since the first is what a reader acts on. Returns how many there are, at most `max`. */
size_t print_reasons_of_file(const struct verdict *v, const struct finding **out, size_t max);

/* print_add_xml appends text with what XML needs escaped. */
MUST_USE enum errc print_add_xml(struct buf *out, const char *text, struct err *err);

#endif
