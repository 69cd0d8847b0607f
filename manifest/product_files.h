#ifndef SUREFOOT_MANIFEST_PRODUCT_FILES_H
#define SUREFOOT_MANIFEST_PRODUCT_FILES_H

/* product_files.h: what an upgrade does with files that are not simply the release's.
 *
 *   <files unlisted="stop">
 *     <configuration path="conf/orchard.ini" action="merge"/>
 *     <data path="data" protect="snapshot"/>
 *     <data folder="/var/lib/orchard" protect="command">
 *       <backup>...</backup> <restore>...</restore>
 *     </data>
 *     <unlisted path="plugins" action="carry"/>
 *   </files>
 *
 * A `path` is inside the install folder (path.h), a `folder` outside of it.
 *
 * What it does not check: whether they are there. */

#include <stdbool.h>

#include "manifest/product_command.h"
#include "manifest/schema.h"

enum configuration_action {
    CONFIGURATION_KEEP,    /* the installed file stays */
    CONFIGURATION_REPLACE, /* the release's file comes, whatever was changed */
    CONFIGURATION_MERGE,   /* three-way; a conflict stops before any downtime */
};

struct files_configuration {
    const char *path;
    int action; /* enum configuration_action */
};

enum data_protection {
    DATA_SNAPSHOT, /* copied after the stop, put back on rollback */
    DATA_COMMAND,  /* by the commands */
    DATA_NONE,     /* not rolled back, and the plan says so */
};

struct files_data {
    const char *path, *folder;              /* one of them is NULL */
    int protect;                            /* enum data_protection */
    struct product_command backup, restore; /* of DATA_COMMAND */
};

enum unlisted_action {
    UNLISTED_STOP,         /* the upgrade does not begin */
    UNLISTED_CARRY,        /* taken along into the new tree */
    UNLISTED_LEAVE_BEHIND, /* stays in the old tree */
};

/* Of two that hold for a file, the one with the longer path does. */
struct files_unlisted {
    const char *path; /* a file, or a folder and all in it */
    int action;       /* enum unlisted_action */
};

struct product_files {
    int unlisted; /* enum unlisted_action, where none of `exceptions` says otherwise */
    LIST_OF(struct files_configuration) configuration;
    LIST_OF(struct files_data) data;
    LIST_OF(struct files_unlisted) exceptions;
};

/* product_files_is_in: does the path lie in the folder? Both are as path_check wants them; a folder
 * does not lie in itself. */
bool product_files_is_in(const char *path, const char *folder);

/* product_files_find_configuration and _data are what is said of exactly this path, NULL where
 * nothing is. */
const struct files_configuration *
product_files_find_configuration(const struct product_files *files, const char *path);
const struct files_data *product_files_find_data(const struct product_files *files,
                                                 const char *path);

#endif
