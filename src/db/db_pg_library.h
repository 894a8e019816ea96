/* libpq, loaded when the store is a PostgreSQL. It brings a dozen libraries along (LDAP, Kerberos, GnuTLS ...), which have no business in a
 * process that keeps its state in SQLite: 3 MB of memory, and what they may do wrong. */
#ifndef GRANTD_DB_PG_LIBRARY_H
#define GRANTD_DB_PG_LIBRARY_H

#include <libpq-fe.h>

#include "rc.h"

/* What the driver uses of it, without "PQ". */
#define PG_FUNCTIONS(F)                                                                                                \
    F(clear)                                                                                                           \
    F(cmdTuples)                                                                                                       \
    F(connectdbParams)                                                                                                 \
    F(conninfoFree)                                                                                                    \
    F(conninfoParse)                                                                                                   \
    F(consumeInput)                                                                                                    \
    F(describePrepared)                                                                                                \
    F(enterPipelineMode)                                                                                               \
    F(errorMessage)                                                                                                    \
    F(exec)                                                                                                            \
    F(exitPipelineMode)                                                                                                \
    F(finish)                                                                                                          \
    F(flush)                                                                                                           \
    F(freemem)                                                                                                         \
    F(ftype)                                                                                                           \
    F(getResult)                                                                                                       \
    F(getisnull)                                                                                                       \
    F(getlength)                                                                                                       \
    F(getvalue)                                                                                                        \
    F(isBusy)                                                                                                          \
    F(nfields)                                                                                                         \
    F(notifies)                                                                                                        \
    F(nparams)                                                                                                         \
    F(ntuples)                                                                                                         \
    F(paramtype)                                                                                                       \
    F(pipelineSync)                                                                                                    \
    F(putCopyData)                                                                                                     \
    F(putCopyEnd)                                                                                                      \
    F(resultErrorField)                                                                                                \
    F(resultStatus)                                                                                                    \
    F(sendPrepare)                                                                                                     \
    F(sendQueryParams)                                                                                                 \
    F(sendQueryPrepared)                                                                                               \
    F(serverVersion)                                                                                                   \
    F(setNoticeReceiver)                                                                                               \
    F(setSingleRowMode)                                                                                                \
    F(setnonblocking)                                                                                                  \
    F(socket)                                                                                                          \
    F(status)

struct pg_library {
#define F(name) __typeof__(PQ##name) *name;
    PG_FUNCTIONS(F)
#undef F
};
extern struct pg_library pg_library;

/* Fills pg_library; may be called many times, by any thread. FAULT_INTERNAL when libpq is not installed. */
RC pg_library_load(void);

/* Under their own names from here on. */
#define PQclear             pg_library.clear
#define PQcmdTuples         pg_library.cmdTuples
#define PQconnectdbParams   pg_library.connectdbParams
#define PQconninfoFree      pg_library.conninfoFree
#define PQconninfoParse     pg_library.conninfoParse
#define PQconsumeInput      pg_library.consumeInput
#define PQdescribePrepared  pg_library.describePrepared
#define PQenterPipelineMode pg_library.enterPipelineMode
#define PQerrorMessage      pg_library.errorMessage
#define PQexec              pg_library.exec
#define PQexitPipelineMode  pg_library.exitPipelineMode
#define PQfinish            pg_library.finish
#define PQflush             pg_library.flush
#define PQfreemem           pg_library.freemem
#define PQftype             pg_library.ftype
#define PQgetResult         pg_library.getResult
#define PQgetisnull         pg_library.getisnull
#define PQgetlength         pg_library.getlength
#define PQgetvalue          pg_library.getvalue
#define PQisBusy            pg_library.isBusy
#define PQnfields           pg_library.nfields
#define PQnotifies          pg_library.notifies
#define PQnparams           pg_library.nparams
#define PQntuples           pg_library.ntuples
#define PQparamtype         pg_library.paramtype
#define PQpipelineSync      pg_library.pipelineSync
#define PQputCopyData       pg_library.putCopyData
#define PQputCopyEnd        pg_library.putCopyEnd
#define PQresultErrorField  pg_library.resultErrorField
#define PQresultStatus      pg_library.resultStatus
#define PQsendPrepare       pg_library.sendPrepare
#define PQsendQueryParams   pg_library.sendQueryParams
#define PQsendQueryPrepared pg_library.sendQueryPrepared
#define PQserverVersion     pg_library.serverVersion
#define PQsetNoticeReceiver pg_library.setNoticeReceiver
#define PQsetSingleRowMode  pg_library.setSingleRowMode
#define PQsetnonblocking    pg_library.setnonblocking
#define PQsocket            pg_library.socket
#define PQstatus            pg_library.status

#endif
