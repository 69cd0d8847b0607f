#ifndef SUREFOOT_CORE_TRUST_FILES_H
#define SUREFOOT_CORE_TRUST_FILES_H

/* trust_files.h: from names of files to what is trusted: anchors, keys and revocation lists, named
 * on a command line, in a policy document or in a product file.
 *
 * What it does not check: to whom the files belong. */

#include "platform/platform.h"
#include "verify/trust.h"

#define TRUST_PATH_ROOM 4096

enum trust_file {
    TRUST_FILE_ANCHORS,           /* a file, or a folder of *.pem, *.crt, *.cer, *.der */
    TRUST_FILE_TIMESTAMP_ANCHORS, /* likewise */
    TRUST_FILE_CRL,
    TRUST_FILE_KEY,
};

struct trust_files {
    struct platform *platform;
    const char
        *base; /* put before relative paths: a folder with its "/" at the end; NULL: nothing */
};

/* trust_files_resolve writes the path that a name stands for. E_ARGUMENT where it is too long. */
MUST_USE enum errc trust_files_resolve(const struct trust_files *f, const char *name,
                                       char to[TRUST_PATH_ROOM], struct err *err);

/* trust_files_add adds what a name stands for. A file that is missing, may not be read or does not
 * read is the user's to mend: E_ARGUMENT; trouble with the machine (E_IO, E_NOMEM) stays what it
 * is. The error's text begins with what the file in the folder is called, not with `name`. */
MUST_USE enum errc trust_files_add(const struct trust_files *f, enum trust_file what,
                                   const char *name, struct trust *trust, struct err *err);

/* trust_files_add_default_anchors adds those of the configuration folder's anchors.d, and of the
 * system's own store where it has one. */
MUST_USE enum errc trust_files_add_default_anchors(const struct trust_files *f, struct trust *trust,
                                                   struct err *err);

/* trust_files_folder_of writes "dir/" of "dir/name", so that a relative name can be put behind it.
 */
void trust_files_folder_of(const struct platform *p, const char *path, char to[TRUST_PATH_ROOM]);

#endif
