#ifndef SUREFOOT_BASE_CC_H
#define SUREFOOT_BASE_CC_H

/* cc.h names what a compiler can check for us. It is the only place that spells compiler
 * attributes. */

#define MUST_USE __attribute__((warn_unused_result))
#ifdef __MINGW32__
#define PRINTF_FORMAT(fmt_at, args_at) __attribute__((format(gnu_printf, fmt_at, args_at)))
#else
#define PRINTF_FORMAT(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))
#endif
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define UNUSED(x) ((void)(x))

#endif
