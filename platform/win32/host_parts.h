#ifndef SUREFOOT_WIN32_HOST_PARTS_H
#define SUREFOOT_WIN32_HOST_PARTS_H

/* host_parts.h: operations of host_ops that have a file of their own; platform.h says what they do.
 */

#include "platform/platform.h"

/* host_named.c */
enum errc host_group_exists(void *self, const char *name, bool *out_exists, struct err *err);
enum errc host_sid_exists(void *self, const char *sid, bool *out_exists, struct err *err);
enum errc host_mutex_held(void *self, const char *name, bool *out_held, struct err *err);

/* host_places.c */
enum errc host_config_folder(void *self, char *to, size_t room, struct err *err);
enum errc host_usual_folder(void *self, enum host_folder which, char *to, size_t room,
                            struct err *err);
enum errc host_absolute_path(void *self, const char *path, char *to, size_t room, struct err *err);
enum errc host_temp_folder(void *self, char *to, size_t room, struct err *err);

/* host_os.c */
enum errc host_os(void *self, struct host_os *out, struct err *err);
enum errc host_name(void *self, char *to, size_t room, struct err *err);
enum errc host_machine_id(void *self, uint8_t to[HOST_MACHINE_ID_LEN], struct err *err);
enum errc host_boot_id(void *self, char to[HOST_BOOT_ID_ROOM], struct err *err);

/* host_proxy.c */
enum errc host_proxy_for(void *self, const char *scheme, const char *host, enum host_proxy *out,
                         char to[HOST_PROXY_ROOM], struct err *err);

/* host_proxy_choose reads a list of proxies and one of exceptions as Windows keeps them
 * (WINHTTP_PROXY_INFO): "proxy:8080" or "http=one:80;https=two:8080", and
 * "*.example.org;10.*;<local>", where <local> is every name without a dot. */
enum errc host_proxy_choose(const char *proxies, const char *exceptions, const char *scheme,
                            const char *host, enum host_proxy *out, char to[HOST_PROXY_ROOM],
                            struct err *err);

/* host_log.c */
enum errc host_log_event(void *self, int id, enum host_level level, const char *source,
                         const char *text, struct err *err);

#endif
