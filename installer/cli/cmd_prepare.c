/* prepare: the configuration folder, such that an administrator alone can change it. */

#include <stdio.h>
#include <string.h>

#include "installer/cli/opt.h"
#include "installer/cli/product_cmd.h"
#include "installer/core/folders.h"

static const struct opt_spec specs[] = {
    { "quiet", NULL, "only what is wrong", 'q' },
    { "help", NULL, "this text", 'h' },
};

struct prepare {
    bool quiet, wants_help;
    struct buf page;
};

static enum errc take_option(void *ctx, const char *name, const char *value, struct err *err)
{
    struct prepare *p = ctx;
    UNUSED(value);
    UNUSED(err);
    *(strcmp(name, "quiet") == 0 ? &p->quiet : &p->wants_help) = true;
    return E_OK;
}

static enum errc add_help(struct buf *page, struct err *err)
{
    enum errc rc = buf_add_text(
        page,
        "usage: surefoot prepare\n\n"
        "Makes the configuration folder with products.d, anchors.d and keys, such that everyone\n"
        "may read them and only an administrator can change them. Those that are there are looked\n"
        "at and left as they are. The package for Windows does this when it is installed.\n\n"
        "options:\n",
        err);
    return rc == E_OK ? opt_help(specs, ARRAY_LEN(specs), page, err) : rc;
}

static enum errc say_folder(void *ctx, const char *path, bool is_made, struct err *err)
{
    struct prepare *p = ctx;
    return p->quiet ? E_OK
                    : buf_printf(&p->page, err, "%s %s\n", is_made ? "made " : "fine ", path);
}

enum exit_code cmd_prepare(struct cli *cli, int argc, char **argv)
{
    struct prepare p = { .quiet = false };
    struct err err = { .code = E_OK }, ignored;
    size_t n_words = 0;
    buf_init(&p.page, 64 * 1024);
    enum errc rc = opt_read(specs, ARRAY_LEN(specs), argc, argv, take_option, &p, &n_words, &err);
    if (rc == E_OK && n_words > 0 && !p.wants_help)
        rc = err_set(&err, E_ARGUMENT, "takes no words");
    if (rc == E_OK) {
        cli->line_makes_sense = true;
        rc = p.wants_help ? add_help(&p.page, &err)
                          : folders_prepare(cli->platform, say_folder, &p, &err);
    }
    const enum errc said = cli_write(&p.page, rc == E_OK ? &err : &ignored);
    buf_fini(&p.page);
    return rc == E_OK && said == E_OK ? EXIT_DONE : cli_fail(cli, &err);
}
