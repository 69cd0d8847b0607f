#ifndef SUREFOOT_PUBLISH_PUBLISH_H
#define SUREFOOT_PUBLISH_PUBLISH_H

/* publish.h: what the commands of surefoot-publish share: options that all of them have, help,
 * errors, and how results are said, as text or as one JSON object a line. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "installer/cli/opt.h"
#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "platform/platform.h"

/* PRODUCT.md section 1: one table for all commands of both programs. */
enum publish_exit {
    PUBLISH_DONE = 0,
    PUBLISH_FAILED = 1,
    PUBLISH_USAGE = 2,
    PUBLISH_REFUSED = 3,
};

enum publish_format { PUBLISH_TEXT = 0, PUBLISH_JSON };

struct publish {
    struct platform *platform;
    const char *command; /* "keygen" */
    enum publish_format format;
    bool quiet, verbose, wants_help;
    bool line_makes_sense; /* what fails from here on is no word of the command line */
};

/* A command gets the words after its name. Each is one cmd_*.c, and one line of main.c's table. */
typedef enum publish_exit (*publish_fn)(struct publish *p, int argc, char **argv);

enum publish_exit cmd_keygen(struct publish *p, int argc, char **argv);
enum publish_exit cmd_sign(struct publish *p, int argc, char **argv);
enum publish_exit cmd_release(struct publish *p, int argc, char **argv);
enum publish_exit cmd_feed(struct publish *p, int argc, char **argv);
enum publish_exit cmd_verify(struct publish *p, int argc, char **argv);
enum publish_exit cmd_verify_release(struct publish *p, int argc, char **argv);

/* publish_check_fn says whether the line as a whole makes sense; `words` are those that are no
 * options. E_ARGUMENT with a text for the user. */
typedef enum errc (*publish_check_fn)(void *ctx, size_t n_words, char **words, struct err *err);

/* What a command's line may hold, and its help. `specs` are its own options; --format, --quiet,
 * --verbose and --help are added to them here. Neither `take` nor `check` opens a file. */
struct publish_syntax {
    const char *usage; /* one or more lines, then what the command does, without the last LF */
    const struct opt_spec *specs;
    size_t n_specs;
    const char *notes; /* below the options: exit codes, an example; may be NULL */
    opt_fn take;
    publish_check_fn check;
};

#define PUBLISH_OPTIONS_MAX 48

/* publish_read reads the line as opt_read does, and checks it; `ctx` is for the syntax's functions.
 * Where --help was there, nothing is checked, p->wants_help is set, and publish_help is what the
 * command does next. */
MUST_USE enum errc publish_read(struct publish *p, const struct publish_syntax *syntax, int argc,
                                char **argv, void *ctx, size_t *out_n_words, struct err *err);
enum publish_exit publish_help(struct publish *p, const struct publish_syntax *syntax);

/* publish_fail says "surefoot-publish keygen: text" on standard error and gives the exit code that
 * the error calls for: PUBLISH_USAGE for E_ARGUMENT, PUBLISH_REFUSED for E_REFUSED, PUBLISH_FAILED
 * for the rest. Where the line itself makes no sense it says where the help is; of a broken file
 * the help says nothing. publish_warn says "surefoot-publish keygen: warning: text". */
enum publish_exit publish_fail(const struct publish *p, const struct err *err);
void publish_warn(const struct publish *p, const char *fmt, ...) PRINTF_FORMAT(2, 3);

/* publish_worse is the code that several files or findings have: 1 before 2 before 3 before 0. */
enum publish_exit publish_worse(enum publish_exit a, enum publish_exit b);

/* publish_write writes all of a buf to standard output. E_IO where that fails. */
MUST_USE enum errc publish_write(const struct buf *b, struct err *err);

/* --- one JSON object, print_json.c: the only file here that knows jansson */

enum field_kind { FIELD_TEXT, FIELD_NUMBER, FIELD_BOOL, FIELD_TIME, FIELD_NULL };

/* A named value. FIELD_TEXT: `text`, shown printable (NULL is null). FIELD_NUMBER: `number`.
 * FIELD_BOOL: `number` != 0. FIELD_TIME: `number`, seconds since 1970, shown as RFC 3339. */
struct field {
    const char *name;
    enum field_kind kind;
    const char *text;
    int64_t number;
};

/* print_json_serial is the field "serial": a number, or its digits as text in `room` where it is
 * above what a FIELD_NUMBER holds. */
#define FIELD_SERIAL_ROOM 24
struct field print_json_serial(uint64_t serial, char room[FIELD_SERIAL_ROOM]);

/* print_json_line appends one object and a line's end. By convention the first field is "schema",
 * "surefoot.COMMAND/1". */
MUST_USE enum errc print_json_line(const struct field *fields, size_t n, struct buf *out,
                                   struct err *err);

#endif
