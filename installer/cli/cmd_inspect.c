#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/cli/beside.h"
#include "installer/cli/cli.h"
#include "installer/cli/inspect.h"
#include "installer/cli/opt.h"
#include "platform/base/text.h"
#include "verify/catalog.h"
#include "verify/detached.h"
#include "verify/judge.h"

#define PATH_ROOM 4096

static const struct opt_spec specs[] = {
    { "format", "text|json", "how to report (default: text)", 0 },
    { "quiet", NULL, "leave out what the file does not say", 'q' },
    { "verbose", NULL, "chains, serial numbers, thumbprints", 'v' },
    { "help", NULL, "this text", 'h' },
};

struct run {
    struct cli *cli;
    struct inspect_style style;
    bool as_json, wants_help;
    struct policy policy; /* trusts nobody */
    struct err err;
};

static enum errc take_option(void *ctx, const char *name, const char *value, struct err *err)
{
    struct run *run = ctx;
    if (strcmp(name, "quiet") == 0)
        run->style.quiet = true;
    else if (strcmp(name, "verbose") == 0)
        run->style.verbose = true;
    else if (strcmp(name, "help") == 0)
        run->wants_help = true;
    else if (strcmp(value, "text") == 0)
        run->as_json = false;
    else if (strcmp(value, "json") == 0)
        run->as_json = true;
    else
        return err_set(err, E_ARGUMENT, "--format is text or json");
    return E_OK;
}

/* What only an installer package or only a catalog has. Caller frees in->msi. */
static enum errc look_inside(struct run *run, struct source *src, struct inspect_input *in,
                             struct inspect_msi **out_msi)
{
    if (strcmp(in->verdict->type, "msi") == 0) {
        *out_msi = calloc(1, sizeof(**out_msi));
        in->msi = *out_msi;
        return *out_msi == NULL ? err_nomem(&run->err) : inspect_read_msi(src, *out_msi, &run->err);
    }
    if (strcmp(in->verdict->type, "cat") != 0)
        return E_OK;
    struct catalog *catalog = NULL;
    enum errc rc = catalog_open(src, &run->policy, &catalog, &run->err);
    if (rc == E_OK) {
        in->n_members = catalog_n_members(catalog);
        in->has_members = in->n_members > 0;
    }
    catalog_free(catalog);
    return errc_is_about_bytes(rc) ? E_OK : rc;
}

static enum errc show(struct run *run, const char *file, struct source *src,
                      const struct verdict *v)
{
    struct inspect_input in = { .file = file, .verdict = v };
    struct inspect_msi *msi = NULL;
    struct buf page;
    buf_init(&page, 16 * 1024 * 1024);
    enum errc rc = look_inside(run, src, &in, &msi);
    if (rc == E_OK)
        rc = run->as_json ? inspect_print_json(&in, &page, &run->err)
                          : inspect_print_text(&in, &run->style, &page, &run->err);
    if (rc == E_OK)
        rc = cli_write(&page, &run->err);
    buf_fini(&page);
    free(msi);
    return rc;
}

/* Reads and shows one file. The verdict is made only for the facts in it: with nobody trusted it
 * accepts nothing. */
static enum errc inspect_file(struct run *run, const char *file, enum outcome *out_outcome)
{
    struct platform *platform = run->cli->platform;
    struct source *src = NULL;
    struct beside beside = { .n = 0 };
    struct verdict v = { .outcome = OUTCOME_NONE };
    enum errc rc = platform->fs->open_source(platform->self, file, &src, &run->err);
    if (rc == E_OK)
        rc = beside_find(platform, file, NULL, 0, &beside, &run->err);
    if (rc == E_OK) {
        struct judge_ask ask = { &run->policy, beside.list, beside.n };
        rc = judge_file(src, &ask, &v, &run->err);
    }
    if (rc == E_OK)
        rc = show(run, file, src, &v);
    *out_outcome = v.outcome;
    beside_fini(&beside);
    verdict_fini(&v);
    source_close(src);
    return rc;
}

/* Every file is shown; 1 before 8. */
static enum exit_code inspect_files(struct run *run, char **files, size_t n)
{
    enum exit_code code = EXIT_DONE;
    for (size_t i = 0; i < n; i++) {
        enum outcome outcome;
        if (inspect_file(run, files[i], &outcome) != E_OK) {
            char shown[200];
            (void)err_prefix(&run->err,
                             "%s: ", text_printable(span_text(files[i]), shown, sizeof(shown)));
            run->err.code = E_IO; /* a bad file is no wrong usage */
            code = cli_fail(run->cli, &run->err);
        } else if (outcome == OUTCOME_UNSUPPORTED && code == EXIT_DONE) {
            code = EXIT_NO_SIGNABLE_KIND;
        }
    }
    return code;
}

static enum exit_code print_help(struct run *run)
{
    struct buf page;
    buf_init(&page, 64 * 1024);
    enum errc rc = buf_add_text(
        &page,
        "usage: surefoot inspect [--format text|json] FILE...\n\n"
        "Shows what a file says of itself: kind, signers, times, what an installer package\n"
        "says it installs. Trusts nothing and proves nothing: use surefoot verify for that.\n\n"
        "options:\n",
        &run->err);
    if (rc == E_OK)
        rc = opt_help(specs, ARRAY_LEN(specs), &page, &run->err);
    if (rc == E_OK)
        rc = cli_write(&page, &run->err);
    buf_fini(&page);
    return rc == E_OK ? EXIT_DONE : cli_fail(run->cli, &run->err);
}

enum exit_code cmd_inspect(struct cli *cli, int argc, char **argv)
{
    struct run run = { .cli = cli, .style = { .colour = cli->colour } };
    struct trust *nobody = NULL;
    size_t n_files = 0;
    enum exit_code code;
    enum errc rc =
        opt_read(specs, ARRAY_LEN(specs), argc, argv, take_option, &run, &n_files, &run.err);
    if (rc == E_OK && run.wants_help)
        return print_help(&run);
    if (rc == E_OK && n_files == 0)
        rc = err_set(&run.err, E_ARGUMENT, "no FILE was named");
    if (rc == E_OK)
        rc = trust_new(&nobody, &run.err);
    if (rc == E_OK) {
        run.policy = (struct policy){ .profile = PROFILE_WINDOWS,
                                      .trust = nobody,
                                      .now = cli->platform->host->now(cli->platform->self) };
        code = inspect_files(&run, argv, n_files);
    } else {
        code = cli_fail(cli, &run.err);
    }
    trust_free(nobody);
    return code;
}
