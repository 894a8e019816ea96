/* JSON writer onto a buf: commas, quoting and escaping are its business. Sticky like the buf. Our answers only; JSON
 * that others send is parsed by jansson. */
#ifndef GRANTD_JSON_WRITE_H
#define GRANTD_JSON_WRITE_H

#include "buf.h"

struct json {
    struct buf *out;
    bool comma; /* a value stands before this place in the open object or array */
};

static inline struct json json_on(struct buf *out) { return (struct json){out, false}; }

void json_open(struct json *j);  /* {  as a value */
void json_close(struct json *j); /* } */
void json_open_array(struct json *j);
void json_close_array(struct json *j);

/* A member name; the value is written next. `name` is a plain literal that needs no escape. */
void json_key(struct json *j, str name);

/* Values. Bytes that are not UTF-8 are written as U+FFFD; control characters, '"', '\\', '<', '>', '&', U+2028 and
 * U+2029 are escaped, so that an answer is harmless in a page as well. */
void json_str(struct json *j, str s);
void json_int(struct json *j, int64_t v);
void json_bool(struct json *j, bool v);
void json_nil(struct json *j); /* null; jansson owns the other name */

/* Key and value at once. */
void json_member_str(struct json *j, str name, str value);
void json_member_int(struct json *j, str name, int64_t value);
void json_member_bool(struct json *j, str name, bool value);

#endif
