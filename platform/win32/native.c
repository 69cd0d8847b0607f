#include "platform/win32/w32.h"

struct platform *platform_native(void)
{
    static struct platform native = { .fs = &win32_fs_ops,
                                      .proc = &win32_proc_ops,
                                      .host = &win32_host_ops,
                                      .service = &win32_service_ops,
                                      .db = &win32_db_ops };
    return &native;
}
