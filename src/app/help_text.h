/* help_text: help that fits a terminal. */
#ifndef GRANTD_HELP_TEXT_H
#define GRANTD_HELP_TEXT_H

#include "buf.h"

#define HELP_COLUMNS    110
#define HELP_ROW_COLUMN 33 /* where the sentence of a row begins */

/* The words of a text from column `at` on, broken before HELP_COLUMNS, further lines indented by `indent`; ends the line. */
void help_add_wrapped(struct buf *out, str text, size_t at, size_t indent);

/* "  --flag VALUE         What it does." */
void help_add_row(struct buf *out, str left, str text);

#endif
