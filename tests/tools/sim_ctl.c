/* sim_ctl COMMAND HOME [DATA]: the program bin/ctl of the simulator's product
 * (tests/sim/releases.sh) where there is no shell. */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static FILE *open_below(const char *folder, const char *name, const char *how)
{
    char path[1024];
    const int n = snprintf(path, sizeof(path), "%s/%s", folder, name);
    return n > 0 && (size_t)n < sizeof(path) ? fopen(path, how) : NULL;
}

static bool has(const char *folder, const char *name)
{
    FILE *f = open_below(folder, name, "rb");
    return f != NULL && fclose(f) == 0;
}

static bool read_line(const char *folder, const char *name, char to[64])
{
    FILE *f = open_below(folder, name, "rb");
    const bool is_read = f != NULL && fgets(to, 64, f) != NULL;
    if (f != NULL)
        (void)fclose(f);
    to[is_read ? strcspn(to, "\r\n") : 0] = '\0';
    return is_read;
}

static bool write_line(const char *folder, const char *name, const char *word, const char *rest)
{
    FILE *f = open_below(folder, name, "wb");
    return f != NULL && fprintf(f, "%s%s\n", word, rest) > 0 && fclose(f) == 0;
}

static bool take_away(const char *folder, const char *name)
{
    char path[1024];
    const int n = snprintf(path, sizeof(path), "%s/%s", folder, name);
    return n > 0 && (size_t)n < sizeof(path) && (remove(path) == 0 || !has(folder, name));
}

static bool start(const char *tree, const char *home, const char *data)
{
    char schema[64], version[64];
    if (has(tree, "behave/dead") || !read_line(tree, "lib/schema", schema) ||
        !read_line(tree, "lib/version", version))
        return false;
    return (strcmp(schema, "1") == 0 || write_line(data, "db", "schema ", schema)) &&
           write_line(home, "running", version, "");
}

int main(int argc, char **argv)
{
    char tree[512], data[512];
    if (argc < 3)
        return 2;
    const char *word = argv[1], *home = argv[2];
    const size_t len = strlen(argv[0]);
    if (len <= strlen("bin/ctl"))
        return 2;
    (void)snprintf(tree, sizeof(tree), "%.*s", (int)(len - strlen("bin/ctl")), argv[0]);
    (void)snprintf(data, sizeof(data), "%s%s", argc > 3 ? argv[3] : home, argc > 3 ? "" : "/data");
    bool is_well = true;
    if (strcmp(word, "start") == 0)
        is_well = start(tree, home, data);
    else if (strcmp(word, "stop") == 0)
        is_well = take_away(home, "running");
    else if (strcmp(word, "status") == 0)
        return has(home, "running") ? 0 : 3;
    else if (strcmp(word, "health") == 0)
        is_well = has(home, "running") && !has(tree, "behave/ill");
    else if (strcmp(word, "scheduler") == 0)
        is_well = !has(home, "scheduler-off");
    else if (strcmp(word, "suspend") == 0)
        is_well = write_line(home, "scheduler-off", "", "");
    else if (strcmp(word, "resume") == 0)
        is_well = take_away(home, "scheduler-off");
    else
        return 2;
    return is_well ? 0 : 1;
}
