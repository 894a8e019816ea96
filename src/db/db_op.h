/* What the drivers share about ops. */
#ifndef GRANTD_DB_OP_H
#define GRANTD_DB_OP_H

#include "db.h"

/* Empties the results of an op before it runs. */
void op_start(struct db_op *op, struct db_session *session);

/* Keeps a fault, and this thread's detail of it for the thread that will hear of it. */
void op_keep_fault(struct db_op *op, struct rc rc);

/* Calls done; inside it, rc_detail() is the op's. */
void op_finish(struct db_op *op);

#endif
