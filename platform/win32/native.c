#include "platform/native.h"
#include "platform/win32/w32.h"

struct platform *platform_native(void)
{
    static struct platform native = { .fs = &win32_fs_ops,
                                      .proc = &win32_proc_ops,
                                      .host = &win32_host_ops,
                                      .service = &native_service_ops,
                                      .db = &native_db_ops,
                                      .registry = &native_registry_ops,
                                      .msi = &native_msi_ops,
                                      .task = &native_task_ops,
                                      .witness = &native_witness_ops,
                                      .paths = OS_PATH_WINDOWS };
    return &native;
}
