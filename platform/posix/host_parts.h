#ifndef SUREFOOT_POSIX_HOST_PARTS_H
#define SUREFOOT_POSIX_HOST_PARTS_H

/* host_parts.h: operations of host_ops that have files of their own; platform.h says what they do.
 */

#include "platform/platform.h"

/* host_os.c */
enum errc host_os(void *self, struct host_os *out, struct err *err);
enum errc host_name(void *self, char *to, size_t room, struct err *err);
enum errc host_machine_id(void *self, uint8_t to[HOST_MACHINE_ID_LEN], struct err *err);
enum errc host_boot_id(void *self, char to[HOST_BOOT_ID_ROOM], struct err *err);

/* host_log.c */
enum errc host_log_event(void *self, int id, enum host_level level, const char *source,
                         const char *text, struct err *err);

/* host_log_format makes the record: for the journal's own socket, or for syslog's. */
enum host_log_kind { HOST_LOG_JOURNAL, HOST_LOG_SYSLOG };
MUST_USE enum errc host_log_format(enum host_log_kind kind, int id, enum host_level level,
                                   const char *source, const char *text, struct buf *out,
                                   struct err *err);

/* host_log_send hands one record to the datagram socket at `path`. */
MUST_USE enum errc host_log_send(const char *path, struct span record, struct err *err);

#endif
