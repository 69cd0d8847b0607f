#ifndef SUREFOOT_ODBC_ODBC_H
#define SUREFOOT_ODBC_ODBC_H

/* odbc.h: ODBC's own headers, with texts of bytes: on Windows these are UTF-8 as our programs'
 * manifests say (win32/surefoot.manifest). */

#define SQL_NOUNICODEMAP

#ifdef _WIN32
#include <windows.h>
#define ODBC_CALL WINAPI
#else
#define ODBC_CALL
#endif

#include <sql.h>
#include <sqlext.h>

#endif
