#include "platform/native.h"

#include "platform/posix/posix.h"

struct platform *platform_native(void)
{
    static struct platform native = { .fs = &posix_fs_ops,
                                      .proc = &posix_proc_ops,
                                      .host = &posix_host_ops,
                                      .service = &native_service_ops,
                                      .db = &native_db_ops,
                                      .registry = &native_registry_ops,
                                      .msi = &native_msi_ops,
                                      .task = &native_task_ops,
                                      .witness = &native_witness_ops };
    return &native;
}
