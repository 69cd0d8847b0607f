#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/cli/beside.h"
#include "installer/cli/cli.h"
#include "installer/cli/opt.h"
#include "installer/cli/print.h"
#include "installer/cli/verify_setup.h"
#include "platform/base/text.h"
#include "platform/work.h"
#include "verify/detached.h"
#include "verify/judge.h"

static const struct opt_spec own_specs[] = {
    { "format", "text|json|junit|sarif|github", "how to report (default: text)", 0 },
    { "quiet", NULL, "only what was not accepted", 'q' },
    { "verbose", NULL, "chains, serial numbers, thumbprints, all ranges", 'v' },
    { "help", NULL, "this text", 'h' },
};

/* One file: its verdict as shown, or why it could not be shown. */
struct shown {
    struct buf text;
    enum outcome outcome;
};

struct run {
    struct cli *cli;
    struct verify_setup setup;
    const struct printer *printer;
    struct print_style style;
    char **files;
    size_t n_files;
    struct shown *shown;
    struct print_counts counts;
    struct buf held; /* for forms that wait for the counts */
    bool wants_help;
    enum errc rc; /* the first failure to write */
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
    else if (strcmp(name, "format") == 0) {
        run->printer = printer_find(value);
        if (run->printer == NULL)
            return err_set(err, E_ARGUMENT, "--format is text, json, junit, sarif or github");
    } else {
        return verify_setup_option(&run->setup, name, value, err);
    }
    return E_OK;
}

/* end_with_error makes an error the verdict's outcome, where judge_file has not. */
static void end_with_error(const struct run *run, struct verdict *v, const struct err *err)
{
    if (v->outcome == OUTCOME_ERROR)
        return;
    findings_add(&v->report.findings, REASON_READ_ERROR, WEIGHT_FATAL, NO_OFFSET, "%s", err->text);
    verdict_settle(v, &run->setup.policy);
}

static enum errc judge_path(struct run *run, const char *file, struct verdict *v, struct err *err)
{
    struct platform *platform = run->cli->platform;
    struct verify_setup *setup = &run->setup;
    struct source *src = NULL;
    struct beside beside = { .n = 0 };
    v->type = "other";
    enum errc rc = platform->fs->open_source(platform->self, file, &src, err);
    if (rc == E_OK) {
        v->size = src->size;
        rc = beside_find(platform, file, setup->signatures, setup->n_signatures, &beside, err);
    }
    if (rc == E_OK) {
        struct judge_ask ask = { &setup->policy, beside.list, beside.n };
        rc = revocation_judge_file(setup->revocation, setup->trust, src, &ask, v, err);
    }
    if (rc != E_OK)
        end_with_error(run, v, err);
    beside_fini(&beside);
    source_close(src);
    return rc;
}

static void verify_piece(void *ctx, size_t i)
{
    struct run *run = ctx;
    struct shown *shown = &run->shown[i];
    struct verdict v = { .outcome = OUTCOME_NONE };
    struct err err = { .code = E_OK };
    (void)judge_path(run, run->files[i], &v, &err); /* an error is the verdict's outcome too */
    struct print_input in = { run->files[i], &v, &run->setup.policy };
    buf_init(&shown->text, PRINT_FILE_MAX);
    shown->outcome = v.outcome;
    if (run->printer->file(&in, &run->style, &shown->text, &err) != E_OK) {
        buf_clear(&shown->text);
        shown->outcome = OUTCOME_NONE;
    }
    verdict_fini(&v);
}

static void show_piece(void *ctx, size_t i)
{
    struct run *run = ctx;
    struct shown *shown = &run->shown[i];
    run->counts.n_files++;
    run->counts.n[shown->outcome]++;
    if (shown->outcome == OUTCOME_NONE && run->rc == E_OK)
        run->rc = err_set(&run->err, E_NOMEM, "no memory for the report");
    if (run->rc == E_OK && run->printer->waits) {
        if (run->held.len > 0 && shown->text.len > 0)
            run->rc = buf_add_text(&run->held, run->printer->between, &run->err);
        if (run->rc == E_OK)
            run->rc = buf_add(&run->held, buf_span(&shown->text), &run->err);
    } else if (run->rc == E_OK) {
        run->rc = cli_write(&shown->text, &run->err);
    }
    buf_fini(&shown->text);
}

static enum errc show_ends(struct run *run)
{
    struct buf page;
    buf_init(&page, SIZE_MAX / 2);
    enum errc rc = run->rc;
    if (rc == E_OK && run->printer->head != NULL)
        rc = run->printer->head(&run->counts, &page, &run->err);
    if (rc == E_OK)
        rc = buf_add(&page, buf_span(&run->held), &run->err);
    if (rc == E_OK && run->printer->tail != NULL)
        rc = run->printer->tail(&run->counts, &run->style, &page, &run->err);
    if (rc == E_OK)
        rc = cli_write(&page, &run->err);
    buf_fini(&page);
    return rc;
}

/* 1 before 3 before 8. */
static enum exit_code exit_of(const struct print_counts *c)
{
    if (c->n[OUTCOME_ERROR] > 0 || c->n[OUTCOME_NONE] > 0)
        return EXIT_FAILED;
    if (c->n[OUTCOME_REFUSED] > 0 || c->n[OUTCOME_UNSIGNED] > 0)
        return EXIT_REFUSED;
    return c->n[OUTCOME_UNSUPPORTED] > 0 ? EXIT_NO_SIGNABLE_KIND : EXIT_DONE;
}

static enum exit_code verify_files(struct run *run)
{
    run->shown = calloc(run->n_files, sizeof(*run->shown));
    if (run->shown == NULL) {
        (void)err_nomem(&run->err);
        return cli_fail(run->cli, &run->err);
    }
    buf_init(&run->held, SIZE_MAX / 2);
    work_run_ordered(run->n_files, verify_piece, show_piece, run);
    enum errc rc = show_ends(run);
    buf_fini(&run->held);
    free(run->shown);
    return rc == E_OK ? exit_of(&run->counts) : cli_fail(run->cli, &run->err);
}

static enum exit_code print_help(struct run *run)
{
    struct buf page;
    buf_init(&page, 64 * 1024);
    enum errc rc =
        buf_add_text(&page,
                     "usage: surefoot verify [trust] [--signature FILE] [--format FORM] FILE...\n\n"
                     "Checks the signatures of PE, MSI, CAB, CAT and script files (Authenticode) "
                     "and of any file with a\n"
                     "detached CMS (FILE.p7s) or minisign (FILE.minisig) signature. Nothing is "
                     "unpacked or run.\n\ntrust:\n",
                     &run->err);
    if (rc == E_OK)
        rc = opt_help(verify_setup_specs, verify_setup_n_specs, &page, &run->err);
    if (rc == E_OK)
        rc = buf_add_text(&page, "\nreport:\n", &run->err);
    if (rc == E_OK)
        rc = opt_help(own_specs, ARRAY_LEN(own_specs), &page, &run->err);
    if (rc == E_OK)
        rc = buf_add_text(
            &page,
            "\nexit codes: 0 all accepted, 1 could not find out, 2 usage, 3 refused or unsigned,\n"
            "8 of no kind that can carry a signature\n\n"
            "example: surefoot verify --anchors roots.pem --publisher \"Example Corp\" "
            "dist/*.msi\n",
            &run->err);
    if (rc == E_OK)
        rc = cli_write(&page, &run->err);
    buf_fini(&page);
    return rc == E_OK ? EXIT_DONE : cli_fail(run->cli, &run->err);
}

static enum errc check_words(const struct run *run, struct err *err)
{
    if (run->n_files == 0)
        return err_set(err, E_ARGUMENT, "no FILE was named");
    if (run->n_files > 1 && run->setup.n_signatures > 0)
        return err_set(err, E_ARGUMENT, "--signature speaks of one file, and %zu were named",
                       run->n_files);
    if (run->n_files > 1 && run->setup.policy.has_sha256)
        return err_set(err, E_ARGUMENT, "--sha256 speaks of one file, and %zu were named",
                       run->n_files);
    return E_OK;
}

static enum exit_code verify_with(struct run *run, int argc, char **argv)
{
    struct opt_spec specs[64];
    size_t n = 0;
    for (size_t i = 0; i < verify_setup_n_specs; i++)
        specs[n++] = verify_setup_specs[i];
    for (size_t i = 0; i < ARRAY_LEN(own_specs); i++)
        specs[n++] = own_specs[i];
    enum errc rc = opt_read(specs, n, argc, argv, take_option, run, &run->n_files, &run->err);
    if (rc == E_OK && run->wants_help)
        return print_help(run);
    if (rc == E_OK)
        rc = check_words(run, &run->err);
    if (rc == E_OK)
        rc = verify_setup_finish(&run->setup, &run->err);
    run->cli->line_makes_sense = rc == E_OK || run->setup.blames_file;
    if (rc != E_OK)
        return cli_fail(run->cli, &run->err);
    run->files = argv;
    return verify_files(run);
}

enum exit_code cmd_verify(struct cli *cli, int argc, char **argv)
{
    struct run run = { .cli = cli, .printer = &print_text, .style = { .colour = cli->colour } };
    enum exit_code code;
    if (verify_setup_init(&run.setup, cli->platform, &run.err) == E_OK)
        code = verify_with(&run, argc, argv);
    else
        code = cli_fail(cli, &run.err);
    verify_setup_fini(&run.setup);
    return code;
}
