#include "installer/cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "installer/cli/commands.h"
#include "platform/base/text.h"

#define VERSION "0.1.0"

static const struct {
    enum exit_code code;
    const char *meaning;
} exit_codes[] = {
    { EXIT_DONE, "done, or nothing to do" },
    { EXIT_FAILED, "could not find out or could not do it (I/O, network, internal)" },
    { EXIT_USAGE, "wrong usage, or a broken local product file" },
    { EXIT_REFUSED, "refused: something did not prove genuine" },
    { EXIT_ABORTED, "UpgradeAborted*: temporary, try again later" },
    { EXIT_NOT_SUPPORTED, "UpgradeNotSupported*: this machine's configuration blocks it" },
    { EXIT_ROLLED_BACK, "UpgradeFailedRollbackSuccess*: the old version runs again" },
    { EXIT_ROLLBACK_FAILED, "UpgradeFailedRollbackFailed*: needs a person" },
    { EXIT_NO_SIGNABLE_KIND,
      "verify, inspect: of no kind that can carry a signature, and none is beside it" },
    { EXIT_RESTART_NEEDED, "upgraded, a restart of the machine is needed" },
    { EXIT_NEWER_AVAILABLE, "check --exit-code: a newer release is available" },
};

enum errc cli_write(const struct buf *b, struct err *err)
{
    if (b->len > 0 && fwrite(b->ptr, 1, b->len, stdout) != b->len)
        return err_set(err, E_IO, "cannot write to standard output");
    if (fflush(stdout) != 0)
        return err_set(err, E_IO, "cannot write to standard output");
    return E_OK;
}

enum exit_code cli_fail(const struct cli *cli, const struct err *err)
{
    bool is_usage = err->code == E_ARGUMENT;
    (void)fprintf(stderr, "surefoot %s: %s\n", cli->command, err->text);
    if (is_usage && !cli->line_makes_sense)
        (void)fprintf(stderr, "See: surefoot %s --help\n", cli->command);
    return is_usage ? EXIT_USAGE : EXIT_FAILED;
}

static void print_usage(FILE *to)
{
    (void)fprintf(to, "usage: surefoot COMMAND [options] ...\n\n%s\n\ncommands:\n", commands_about);
    for (size_t i = 0; i < n_commands; i++)
        (void)fprintf(to, "  %-10s %-18s %s\n", commands[i].name, commands[i].arguments,
                      commands[i].help);
    (void)fprintf(to, "  %-10s %-18s %s\n", "help", "exit-codes", "what each exit code means");
    (void)fprintf(to, "\nEvery command has --help. surefoot --version prints the version.\n");
}

static enum exit_code print_exit_codes(void)
{
    for (size_t i = 0; i < ARRAY_LEN(exit_codes); i++)
        (void)printf("%2d  %s\n", (int)exit_codes[i].code, exit_codes[i].meaning);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < n_commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static enum exit_code help(struct cli *cli, int argc, char **argv)
{
    static char ask[] = "--help";
    char *words[] = { ask };
    if (argc > 0 && strcmp(argv[0], "exit-codes") == 0)
        return print_exit_codes();
    const struct command *command = argc > 0 ? find_command(argv[0]) : NULL;
    if (command != NULL) {
        cli->command = command->name;
        return command->run(cli, 1, words);
    }
    if (argc > 0) {
        char shown[60];
        (void)fprintf(stderr, "surefoot help: there is no help on %s\n",
                      text_printable(span_text(argv[0]), shown, sizeof(shown)));
        return EXIT_USAGE;
    }
    print_usage(stdout);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_code run_command(struct cli *cli, int argc, char **argv)
{
    const struct command *command = find_command(argv[0]);
    if (command == NULL) {
        char shown[60];
        (void)fprintf(stderr, "surefoot: there is no command %s\nSee: surefoot --help\n",
                      text_printable(span_text(argv[0]), shown, sizeof(shown)));
        return EXIT_USAGE;
    }
    cli->command = command->name;
    return command->run(cli, argc - 1, argv + 1);
}

int cli_main(struct cli *cli, int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        (void)printf("surefoot %s\n", VERSION);
        return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return (int)help(cli, 0, NULL);
    if (strcmp(argv[1], "help") == 0)
        return (int)help(cli, argc - 2, argv + 2);
    return (int)run_command(cli, argc - 1, argv + 1);
}
