#include <stdio.h>
#include <string.h>

#include "keys/publish/publish.h"
#include "platform/base/text.h"
#include "platform/console.h"
#include "verify/digest.h"

#define VERSION "0.1.0"

static const struct command {
    const char *name, *arguments, *help;
    publish_fn run;
} commands[] = {
    { "keygen", "--out NAME", "make a key pair for signing", cmd_keygen },
    { "sign", "FILE...", "sign files, with the signature beside each", cmd_sign },
    { "release", "SOURCE", "put a payload and its document into a release folder", cmd_release },
    { "feed", "DIR", "make and sign the folder's next feed", cmd_feed },
    { "verify", "DOCUMENT...", "prove documents as clients do", cmd_verify },
    { "verify-release", "DIR", "the gate: all that a client checks, and more", cmd_verify_release },
};

static const struct {
    enum publish_exit code;
    const char *meaning;
} exit_codes[] = {
    { PUBLISH_DONE, "done, or nothing to do" },
    { PUBLISH_FAILED, "could not find out or could not do it (I/O, internal, wrong passphrase)" },
    { PUBLISH_USAGE, "wrong usage, or a broken key or certificate file" },
    { PUBLISH_REFUSED, "refused: what was made or given does not prove genuine" },
};

static void print_usage(FILE *to)
{
    (void)fprintf(to, "usage: surefoot-publish COMMAND [options] ...\n\n"
                      "The maker's side of Surefoot: keys, documents and signatures.\n\n"
                      "commands:\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        (void)fprintf(to, "  %-15s %-18s %s\n", commands[i].name, commands[i].arguments,
                      commands[i].help);
    (void)fprintf(to, "  %-15s %-18s %s\n", "help", "exit-codes", "what each exit code means");
    (void)fprintf(to,
                  "\nEvery command has --help. surefoot-publish --version prints the version.\n");
}

static enum publish_exit end_of_output(void)
{
    return fflush(stdout) == 0 ? PUBLISH_DONE : PUBLISH_FAILED;
}

static enum publish_exit print_exit_codes(void)
{
    for (size_t i = 0; i < ARRAY_LEN(exit_codes); i++)
        (void)printf("%2d  %s\n", (int)exit_codes[i].code, exit_codes[i].meaning);
    return end_of_output();
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static enum publish_exit help(struct publish *p, int argc, char **argv)
{
    static char ask[] = "--help";
    char *words[] = { ask };
    if (argc == 0) {
        print_usage(stdout);
        return end_of_output();
    }
    if (strcmp(argv[0], "exit-codes") == 0)
        return print_exit_codes();
    const struct command *command = find_command(argv[0]);
    if (command == NULL) {
        char shown[60];
        (void)fprintf(stderr, "surefoot-publish help: there is no help on %s\n",
                      text_printable(span_text(argv[0]), shown, sizeof(shown)));
        return PUBLISH_USAGE;
    }
    p->command = command->name;
    return command->run(p, 1, words);
}

static enum publish_exit run_command(struct publish *p, int argc, char **argv)
{
    const struct command *command = find_command(argv[0]);
    if (command == NULL) {
        char shown[60];
        (void)fprintf(stderr,
                      "surefoot-publish: there is no command %s\nSee: surefoot-publish --help\n",
                      text_printable(span_text(argv[0]), shown, sizeof(shown)));
        return PUBLISH_USAGE;
    }
    p->command = command->name;
    return command->run(p, argc - 1, argv + 1);
}

static enum publish_exit run(struct publish *p, int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return PUBLISH_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        (void)printf("surefoot-publish %s\n", VERSION);
        return end_of_output();
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return help(p, 0, NULL);
    if (strcmp(argv[1], "help") == 0)
        return help(p, argc - 2, argv + 2);
    return run_command(p, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    struct err err = { .code = E_OK };
    struct publish p = { .platform = platform_native(), .command = "" };
    const struct console before = console_init();
    enum publish_exit code = PUBLISH_FAILED;
    digest_init_library();
    if (console_arguments(argc, argv, &argc, &argv, &err) != E_OK)
        (void)fprintf(stderr, "surefoot-publish: %s\n", err.text);
    else
        code = run(&p, argc, argv);
    console_fini(&before);
    return (int)code;
}
