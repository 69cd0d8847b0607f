#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "installer/cli/exit_code.h"
#include "installer/core/recover.h"
#include "installer/core/rollback.h"
#include "platform/base/text.h"
#include "verify/msi_package.h"

#define TRACE_MAX (1024 * 1024)
#define PRODUCT_FILE "/etc/app/app.xml"
#define HOME "/home/app"

void world_path(const struct world *w, const char *path, char to[400])
{
    (void)snprintf(to, 400, "%s%s", w->root, path);
}

void world_tree(const struct world *w, char to[400])
{
    struct platform *p = w->mock != NULL ? mock_platform(w->mock) : w->platform;
    struct fs_info info;
    struct err err;
    world_path(w, "/opt/app/current", to);
    if (p->fs->stat_link(p->self, to, &info, &err) != E_OK || info.kind != FS_LINK)
        world_path(w, "/opt/app", to);
}

/* ------------------------------------------------------- the product's service, as a program */

static bool read_text(struct platform *p, const char *folder, const char *name, char to[64])
{
    char path[500];
    struct buf bytes;
    struct err err;
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (platform_read_file(p, path, 63, &bytes, &err) != E_OK)
        return false;
    (void)snprintf(to, 64, "%.*s", (int)bytes.len, (const char *)bytes.ptr);
    to[strcspn(to, "\n")] = '\0';
    buf_fini(&bytes);
    return true;
}

static bool has(struct platform *p, const char *folder, const char *name)
{
    char path[500];
    enum fs_kind kind = FS_ABSENT;
    struct err err;
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return p->fs->kind(p->self, path, &kind, &err) == E_OK && kind != FS_ABSENT;
}

/* Every part must be of the version that the tree says. */
static bool is_whole(struct platform *p, const char *tree, const char *version)
{
    static const char *const parts[] = { "lib/part-a", "lib/part-b", "lib/part-c",
                                         "lib/deep/part-d" };
    char text[64];
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (!read_text(p, tree, parts[i], text) || strncmp(text, version, strlen(version)) != 0)
            return false;
    return true;
}

static bool holds_text(struct platform *p, const char *path, const char *text)
{
    struct buf bytes;
    struct err err;
    if (platform_read_file(p, path, 100, &bytes, &err) != E_OK)
        return false;
    const bool holds = span_equal(buf_span(&bytes), span_text(text));
    buf_fini(&bytes);
    return holds;
}

static int start(struct world *w, struct platform *p, const char *tree, const char *data)
{
    char version[64], schema[64], text[80], path[500];
    struct err err;
    if (!read_text(p, tree, "lib/version", version) || !read_text(p, tree, "lib/schema", schema))
        return 1;
    w->saw_mixed |= !is_whole(p, tree, version);
    if (has(p, tree, "behave/dead"))
        return 1;
    (void)snprintf(path, sizeof(path), "%s/db", data);
    (void)snprintf(text, sizeof(text), "schema %s\n", schema);
    if (strcmp(schema, "1") != 0 && !holds_text(p, path, text) &&
        platform_write_file(p, path, span_text(text), 0, &err) != E_OK)
        return 1;
    (void)text_copy(w->running, sizeof(w->running), version);
    return 0;
}

static int turn_scheduler(struct platform *p, const char *home, bool on)
{
    char path[500];
    struct err err;
    (void)snprintf(path, sizeof(path), "%s/scheduler-off", home);
    enum errc rc = on ? p->fs->remove(p->self, path, &err)
                      : platform_write_file(p, path, span_text(""), 0, &err);
    if (rc == E_OK)
        rc = p->fs->sync_folder(p->self, home, &err);
    return rc == E_OK || rc == E_ABSENT ? 0 : 1;
}

/* What the sample's bin/ctl does (releases.sh). */
static enum errc ctl(void *ctx, struct mock *m, const struct proc_command *command,
                     struct proc_result *out, struct err *err)
{
    struct world *w = ctx;
    struct platform *p = mock_platform(m);
    char tree[400];
    const char *word = command->argv[1], *home = command->argv[2];
    (void)text_copy(tree, sizeof(tree), command->argv[0]);
    tree[strlen(tree) - strlen("/bin/ctl")] = '\0';
    if (!has(p, tree, "bin/ctl"))
        return err_set(err, E_ABSENT, "cannot be run: there is no such program");
    (void)snprintf(w->data, sizeof(w->data), "%.150s%s",
                   command->argv[3] != NULL ? command->argv[3] : home,
                   command->argv[3] != NULL ? "" : "/data");
    if (strcmp(word, "start") == 0)
        out->code = start(w, p, tree, w->data);
    else if (strcmp(word, "stop") == 0)
        w->running[0] = '\0';
    else if (strcmp(word, "status") == 0)
        out->code = w->running[0] != '\0' ? 0 : 3;
    else if (strcmp(word, "health") == 0)
        out->code = w->running[0] != '\0' && !has(p, tree, "behave/ill") ? 0 : 1;
    else if (strcmp(word, "scheduler") == 0)
        out->code = has(p, home, "scheduler-off") ? 1 : 0;
    else
        out->code = turn_scheduler(p, home, strcmp(word, "resume") == 0);
    return E_OK;
}

/* --------------------------------------------------------------------------------- the machine */

static void put(struct world *w, const char *path, struct span bytes, unsigned mode)
{
    struct platform *p = w->platform;
    struct err err;
    char to[400], parent[SETUP_PATH_ROOM];
    world_path(w, path, to);
    if (w->mock != NULL) {
        mock_put_file(w->mock, to, bytes, mode);
        return;
    }
    setup_parent(to, parent);
    if (setup_make_folders(p, parent, false, &err) != E_OK ||
        platform_write_file(p, to, bytes, 0, &err) != E_OK)
        sim_fail("%s: %s", to, err.text);
}

/* What is on the real disk comes to the machine. */
struct loading {
    struct world *w;
    const char *from, *to;
};

static enum errc load_name(void *ctx, const char *name, struct err *err)
{
    const struct loading *l = ctx;
    struct platform *p = platform_native();
    char from[400], to[400];
    struct fs_info info;
    struct buf bytes;
    (void)snprintf(from, sizeof(from), "%s/%s", l->from, name);
    (void)snprintf(to, sizeof(to), "%s/%s", l->to, name);
    if (p->fs->stat_link(p->self, from, &info, err) != E_OK)
        sim_fail("%s: %s", from, err->text);
    if (info.kind == FS_FOLDER) {
        struct loading inner = { l->w, from, to };
        return p->fs->list(p->self, from, load_name, &inner, err);
    }
    if (platform_read_file(p, from, 1 << 24, &bytes, err) != E_OK)
        sim_fail("%s: %s", from, err->text);
    put(l->w, to, buf_span(&bytes), 0644);
    buf_fini(&bytes);
    return E_OK;
}

/* --- what Windows Installer makes of the packages: the files of the maker's folder */

struct packing {
    struct mock_package *package;
    const char *from, *rel;
};

static enum errc pack_name(void *ctx, const char *name, struct err *err)
{
    const struct packing *l = ctx;
    struct platform *p = platform_native();
    char from[400], rel[400];
    struct fs_info info;
    struct buf bytes;
    (void)snprintf(from, sizeof(from), "%s/%s", l->from, name);
    (void)snprintf(rel, sizeof(rel), "%s/%s", l->rel, name);
    if (p->fs->stat_link(p->self, from, &info, err) != E_OK)
        sim_fail("%s: %s", from, err->text);
    if (info.kind == FS_FOLDER) {
        struct packing inner = { l->package, from, rel };
        return p->fs->list(p->self, from, pack_name, &inner, err);
    }
    if (info.kind != FS_FILE)
        return E_OK;
    if (platform_read_file(p, from, 1 << 20, &bytes, err) != E_OK)
        sim_fail("%s: %s", from, err->text);
    mock_add_package_file(l->package, rel, buf_span(&bytes));
    buf_fini(&bytes);
    return E_OK;
}

static void know_package(struct world *w, const char *releases, const char *path)
{
    struct platform *p = platform_native();
    struct msi_package *said = calloc(1, sizeof(*said));
    struct source *source = NULL;
    struct buf bytes;
    char tree[400];
    struct err err;
    if (said == NULL || platform_read_file(p, path, 1 << 24, &bytes, &err) != E_OK ||
        source_memory_new(buf_span(&bytes), &source, &err) != E_OK ||
        msi_package_read(source, said, &err) != E_OK)
        sim_fail("%s: %s", path, err.text);
    struct mock_package *package = mock_add_package(w->mock, buf_span(&bytes));
    (void)text_copy(package->code, sizeof(package->code), said->product_code);
    (void)text_copy(package->upgrade_code, sizeof(package->upgrade_code), said->upgrade_code);
    (void)text_copy(package->version, sizeof(package->version), said->version);
    (void)text_copy(package->folder, sizeof(package->folder), "/opt/app");
    for (size_t i = 0; i < w->scenario->n_packages; i++)
        if (strcmp(w->scenario->packages[i].version, said->version) == 0) {
            package->install = w->scenario->packages[i].install;
            package->remove = w->scenario->packages[i].remove;
        }
    (void)snprintf(tree, sizeof(tree), "%s/trees/%s", releases, said->version);
    struct packing packing = { package, tree, "/opt/app" };
    if (p->fs->list(p->self, tree, pack_name, &packing, &err) != E_OK)
        sim_fail("%s: %s", tree, err.text);
    source_close(source);
    buf_fini(&bytes);
    free(said);
}

struct finding_packages {
    struct world *w;
    const char *releases, *folder;
};

static enum errc find_package(void *ctx, const char *name, struct err *err)
{
    const struct finding_packages *f = ctx;
    struct platform *p = platform_native();
    const size_t len = strlen(name);
    enum fs_kind kind = FS_ABSENT;
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    if (p->fs->kind(p->self, path, &kind, err) != E_OK)
        sim_fail("%s: %s", path, err->text);
    struct finding_packages inner = { f->w, f->releases, path };
    if (kind == FS_FOLDER)
        return p->fs->list(p->self, path, find_package, &inner, err);
    if (len > 4 && strcmp(name + len - 4, ".msi") == 0)
        know_package(f->w, f->releases, path);
    return E_OK;
}

void world_load(struct world *w, const char *from, const char *to)
{
    struct loading l = { w, from, to };
    struct err err;
    if (platform_native()->fs->list(NULL, from, load_name, &l, &err) != E_OK)
        sim_fail("%s: %s", from, err.text);
}

/* A word of the product file, and what it stands for on this machine. */
struct spot {
    const char *word, *path;
};

static bool put_place(const struct spot *places, size_t n, struct span *rest, struct buf *to)
{
    size_t len = 1;
    struct span put = span_of(rest->ptr, 1);
    for (size_t i = 0; i < n; i++)
        if (span_equal(span_sub(*rest, 0, strlen(places[i].word)), span_text(places[i].word))) {
            len = strlen(places[i].word);
            put = span_text(places[i].path);
        }
    *rest = span_of(rest->ptr + len, rest->len - len);
    return buf_add(to, put, NULL) == E_OK;
}

/* The product file, with the places of this machine. */
static void put_product(struct world *w)
{
    const struct spot places[] = { { "@ROOT@", w->root }, { "@SITE@", w->site } };
    struct span rest = buf_span(&w->scenario->product);
    struct buf page;
    buf_init(&page, 1 << 20);
    while (rest.len > 0)
        if (!put_place(places, ARRAY_LEN(places), &rest, &page))
            abort();
    put(w, PRODUCT_FILE, buf_span(&page), 0644);
    buf_fini(&page);
}

/* Documents have their own time: the machine's clock is that of the day they were made. */
int64_t world_clock(const char *releases)
{
    char path[400];
    struct fs_info info;
    struct err err;
    (void)snprintf(path, sizeof(path), "%s/site/feed.xml", releases);
    if (platform_native()->fs->stat_link(NULL, path, &info, &err) != E_OK || info.kind != FS_FILE)
        sim_fail("%s: there is no feed", path);
    return info.mtime_ns / 1000000000 + 60;
}

/* As a URL has it: a drive has a stroke before it, a space is "%20". */
static void find_site(struct world *w, const char *root)
{
    const char *from = root != NULL ? root : w->scenario->is_windows ? "C:" : "";
    size_t n = 0;
    if (w->scenario->is_windows)
        w->site[n++] = '/';
    for (; *from != '\0' && n + 20 < sizeof(w->site); from++)
        n += (size_t)snprintf(w->site + n, 4, *from == ' ' ? "%%20" : "%c", *from);
    (void)snprintf(w->site + n, sizeof(w->site) - n, "/srv/site");
}

void world_new(struct world *w, const struct scenario *s, const char *releases, const char *root)
{
    char path[400], offered[300];
    struct buf key;
    struct err err;
    memset(w, 0, sizeof(*w));
    w->scenario = s;
    (void)snprintf(offered, sizeof(offered), "%s/%s", releases,
                   s->releases != NULL ? s->releases : "");
    w->mock = root == NULL ? mock_new(s->is_windows) : NULL;
    w->platform = root == NULL ? mock_platform(w->mock) : platform_native();
    (void)text_copy(w->root, sizeof(w->root), root == NULL ? "" : root);
    find_site(w, root);
    buf_init(&w->trace, TRACE_MAX);
    if (w->mock != NULL) {
        mock_add_program(w->mock, "/bin/ctl", ctl, w);
        mock_set_clock(w->mock, world_clock(offered));
        mock_put_folder(w->mock, "/tmp", 01777);
        mock_put_folder(w->mock, "/opt", 0755);
        mock_set_elevated(w->mock, s->is_msi);
    } else {
        world_path(w, "/opt", path);
        if (setup_make_folders(w->platform, path, false, &err) != E_OK)
            sim_fail("%s: %s", path, err.text);
    }
    (void)snprintf(path, sizeof(path), "%s/site", offered);
    world_load(w, path, w->mock != NULL ? w->site : "/srv/site");
    struct finding_packages finding = { w, releases, path };
    if (w->mock != NULL && s->is_msi &&
        platform_native()->fs->list(NULL, path, find_package, &finding, &err) != E_OK)
        sim_fail("%s: %s (is wixl installed?)", path, err.text);
    (void)snprintf(path, sizeof(path), "%s/maker.pub", offered);
    if (platform_read_file(platform_native(), path, 1000, &key, &err) != E_OK)
        sim_fail("%s: %s", path, err.text);
    put(w, "/etc/app/maker.pub", buf_span(&key), 0644);
    buf_fini(&key);
    put(w, HOME "/data/db", span_text("schema 1\n"), 0644);
    put_product(w);
}

void world_fini(struct world *w)
{
    mock_free(w->mock);
    free(w->base);
    buf_fini(&w->trace);
}

/* ---------------------------------------------------------------------------------- its steps */

static void note_event(void *ctx, const struct event *event)
{
    struct world *w = ctx;
    if (event->kind == EVENT_PROGRESS)
        return;
    if (buf_printf(&w->trace, NULL, "%d %s %s %s\n", event_id(event->kind),
                   event->result != NULL ? event->result : "-",
                   event->from != NULL && event->from->text[0] != '\0' ? event->from->text : "-",
                   event->to != NULL && event->to->text[0] != '\0' ? event->to->text : "-") != E_OK)
        sim_fail("the trace is too long");
}

static enum errc take(struct world *w, const struct setup *setup, const struct deed_of *deed,
                      struct upgrade_outcome *out, struct err *err)
{
    static const enum upgrade_mode modes[] = {
        [DO_INSTALL] = MODE_INSTALL, [DO_UPGRADE] = MODE_UPGRADE, [DO_RUN] = MODE_RUN
    };
    struct events events = { .platform = w->platform };
    struct version to;
    events_listen(&events, note_event, w);
    if (deed->to != NULL && version_read(span_text(deed->to), &to, err) != E_OK)
        sim_fail("%s is no version", deed->to);
    const struct version *named = deed->to != NULL ? &to : NULL;
    if (deed->deed == DO_RECOVER)
        return recover_do(setup, setup->path, &events, out, err);
    if (deed->deed == DO_ROLLBACK)
        return rollback_do(setup, setup->path, &events, named, false, out, err);
    const struct upgrade_ask ask = { .setup = setup,
                                     .word = setup->path,
                                     .events = &events,
                                     .mode = modes[deed->deed],
                                     .to = named,
                                     .no_rollback = w->no_rollback };
    return upgrade_do(&ask, out, err);
}

static void put_text(struct world *w, const struct deed_of *deed)
{
    char path[400], tree[400];
    const char *rest = deed->path;
    (void)text_copy(path, sizeof(path), deed->path);
    if (strncmp(deed->path, "@TREE@", 6) == 0) {
        rest = deed->path + 6;
        world_tree(w, tree);
        (void)snprintf(path, sizeof(path), "%.200s%.150s", tree + strlen(w->root), rest);
    }
    put(w, path, span_text(deed->text), 0644);
}

void world_do(struct world *w, const struct deed_of *deed, char result[RUN_RESULT_ROOM])
{
    struct upgrade_outcome *out = calloc(1, sizeof(*out));
    struct setup *setup = calloc(1, sizeof(*setup));
    char path[400];
    struct err err = { .text = "" };
    result[0] = '\0';
    w->exit_code = -1;
    if (out == NULL || setup == NULL)
        abort();
    if (deed->deed == DO_PUT) {
        put_text(w, deed);
    } else if (deed->deed == DO_BOOT) {
        const struct disk_loss none = { LOSS_NONE, 0 };
        mock_power_cut(w->mock, &none);
        w->running[0] = '\0';
    } else {
        world_path(w, PRODUCT_FILE, path);
        enum errc rc = setup_load(w->platform, path, setup, &err);
        if (rc == E_OK)
            rc = take(w, setup, deed, out, &err);
        if (rc != E_OK)
            (void)snprintf(result, RUN_RESULT_ROOM, "error: %s", err.text);
        else
            (void)snprintf(result, RUN_RESULT_ROOM, "%s", out->result);
        if (rc == E_OK)
            w->exit_code = (int)exit_code_of(out, deed->deed == DO_RECOVER, false);
        (void)text_copy(w->said, sizeof(w->said), rc != E_OK ? err.text : out->why);
    }
    setup_fini(setup);
    free(setup);
    free(out);
}

void world_prepare(struct world *w)
{
    for (size_t i = 0; i < w->scenario->n_before; i++) {
        char result[RUN_RESULT_ROOM];
        const struct deed_of *deed = &w->scenario->before[i];
        world_do(w, deed, result);
        if (deed->result != NULL && strcmp(result, deed->result) != 0)
            sim_fail("%s, step %zu before: %s instead of %s (%s)\n%.*s", w->scenario->name, i + 1,
                     result, deed->result, w->said, (int)w->trace.len, (const char *)w->trace.ptr);
        if (deed->is_base) {
            free(w->base);
            w->base = world_picture(w);
            (void)text_copy(w->base_version, sizeof(w->base_version), w->running);
        }
    }
    buf_clear(&w->trace);
}

void world_boot(struct world *w)
{
    char tree[400];
    if (w->running[0] != '\0')
        return;
    world_tree(w, tree);
    if (has(mock_platform(w->mock), tree, "bin/ctl"))
        (void)start(w, mock_platform(w->mock), tree, w->data);
}

/* ----------------------------------------------------------------------------------- pictures */

struct picturing {
    struct platform *p;
    const char *folder, *shown;
    struct buf *to;
};

static void picture_folder(const struct picturing *pic);

static enum errc picture_name(void *ctx, const char *name, struct err *err)
{
    const struct picturing *pic = ctx;
    char path[400], shown[400];
    struct fs_info info;
    struct buf bytes;
    if (strcmp(name, ".surefoot") == 0)
        return E_OK; /* the store of a pointer's trees, before the first is in place */
    (void)snprintf(path, sizeof(path), "%.200s/%.190s", pic->folder, name);
    (void)snprintf(shown, sizeof(shown), "%.200s/%.190s", pic->shown, name);
    buf_init(&bytes, 1 << 20);
    if (pic->p->fs->stat_link(pic->p->self, path, &info, err) != E_OK)
        sim_fail("%s: %s", path, err->text);
    if (info.kind == FS_FILE && platform_fill_from_file(pic->p, path, 1 << 20, &bytes, err) != E_OK)
        sim_fail("%s: %s", path, err->text);
    if (info.kind == FS_LINK && pic->p->fs->read_link(pic->p->self, path, &bytes, err) != E_OK)
        sim_fail("%s: %s", path, err->text);
    if (buf_printf(pic->to, err, "%s %d %o [%.*s]\n", shown, (int)info.kind, info.mode,
                   (int)bytes.len, (const char *)bytes.ptr) != E_OK)
        abort();
    buf_fini(&bytes);
    const struct picturing inner = { pic->p, path, shown, pic->to };
    if (info.kind == FS_FOLDER)
        picture_folder(&inner);
    return E_OK;
}

static void picture_folder(const struct picturing *pic)
{
    struct picturing copy = *pic;
    struct err err;
    if (pic->p->fs->list(pic->p->self, pic->folder, picture_name, &copy, &err) != E_OK &&
        err.code != E_ABSENT)
        sim_fail("%s: %s", pic->folder, err.text);
}

char *world_picture(struct world *w)
{
    char tree[400], data[400];
    struct platform *p = w->mock != NULL ? mock_platform(w->mock) : w->platform;
    struct buf page;
    world_tree(w, tree);
    world_path(w, HOME "/data", data);
    buf_init(&page, 1 << 24);
    picture_folder(&(struct picturing){ p, tree, "tree", &page });
    picture_folder(&(struct picturing){ p, data, "data", &page });
    if (buf_add_byte(&page, 0, NULL) != E_OK)
        abort();
    return (char *)page.ptr;
}
