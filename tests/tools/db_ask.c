/* db_ask: asks a database as an upgrade does. The connection string comes by a file.
 *
 *   db_ask FILE TIMEOUT_MS [kind | size | right NAME | right-of ACCOUNT NAME | wait]...
 *
 * Prints a line for each, "open" first: "ok VALUE" or "CODE: text". `wait` says "waiting" and goes
 * on when standard input has a line. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/platform.h"

static const char *const kinds[] = { "localdb", "sqlserver", "postgresql",
                                     "mysql",   "sqlite",    "other" };

static bool say(enum errc rc, const struct err *err)
{
    if (rc != E_OK)
        (void)printf("%s: %s\n", errc_name(rc), err->text);
    (void)fflush(stdout);
    return rc == E_OK;
}

static void ask_right(struct platform *p, struct db *db, const char *name, const char *account)
{
    struct err err = { .code = E_OK };
    bool has = false;
    if (say(p->db->has_right(p->self, db, name, account, &has, &err), &err))
        (void)printf("ok %s\n", has ? "yes" : "no");
}

/* How many words the question has. */
static int ask(struct platform *p, struct db *db, char **words)
{
    struct err err = { .code = E_OK };
    enum db_kind kind = DB_OTHER;
    uint64_t size = 0;
    if (strcmp(words[0], "kind") == 0) {
        if (say(p->db->kind(p->self, db, &kind, &err), &err))
            (void)printf("ok %s\n", kinds[kind]);
    } else if (strcmp(words[0], "size") == 0) {
        if (say(p->db->size(p->self, db, &size, &err), &err))
            (void)printf("ok %" PRIu64 "\n", size);
    } else if (strcmp(words[0], "right") == 0 && words[1] != NULL) {
        ask_right(p, db, words[1], NULL);
        return 2;
    } else if (strcmp(words[0], "right-of") == 0 && words[1] != NULL && words[2] != NULL) {
        ask_right(p, db, words[2], words[1]);
        return 3;
    } else {
        char line[16];
        (void)printf("waiting\n");
        (void)fflush(stdout);
        (void)!fgets(line, sizeof(line), stdin);
    }
    return 1;
}

int main(int argc, char **argv)
{
    struct platform *p = platform_native();
    struct err err = { .code = E_OK };
    struct db *db = NULL;
    struct buf text;
    if (argc < 3)
        return 2;
    if (platform_read_file(p, argv[1], 65536, &text, &err) != E_OK ||
        buf_add_byte(&text, '\0', &err) != E_OK)
        return 2;
    enum errc rc =
        p->db->open(p->self, (const char *)text.ptr, strtoll(argv[2], NULL, 10), &db, &err);
    buf_fini(&text);
    if (!say(rc, &err))
        return 1;
    (void)printf("ok\n");
    for (char **words = argv + 3; *words != NULL;)
        words += ask(p, db, words);
    p->db->close(p->self, db);
    return 0;
}
