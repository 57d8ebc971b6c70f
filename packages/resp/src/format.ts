/**
 * The bytes that RESP2 and RESP3 are made of. Sources: https://redis.io/docs/latest/develop/reference/protocol-spec/
 *
 *     *<n>\r\n  array      $<n>\r\n<bytes>\r\n  bulk       +<text>\r\n  simple    -<text>\r\n  error
 *     :<n>\r\n  integer    RESP3: % map  ~ set  > push  | attribute  , double  # boolean  _ null
 *                          ( big number  ! bulk error  = verbatim
 */
export const CR = 0x0d;
export const LF = 0x0a;
export const SPACE = 0x20;
export const MINUS = 0x2d;
export const DIGIT_0 = 0x30;
export const DIGIT_9 = 0x39;
export const BACKSLASH = 0x5c;
export const QUOTE_DOUBLE = 0x22;
export const QUOTE_SINGLE = 0x27;

export const ARRAY = 0x2a; // *
export const BULK = 0x24; // $
export const SIMPLE = 0x2b; // +
export const ERROR = 0x2d; // -
export const INTEGER = 0x3a; // :
export const MAP = 0x25; // %
export const SET = 0x7e; // ~
export const PUSH = 0x3e; // >
export const ATTRIBUTE = 0x7c; // |
export const DOUBLE = 0x2c; // ,
export const BOOLEAN = 0x23; // #
export const NULL = 0x5f; // _
export const BIG_NUMBER = 0x28; // (
export const BULK_ERROR = 0x21; // !
export const VERBATIM = 0x3d; // =

/** Bytes that end a line or a bulk string. */
export const CRLF_BYTES = 2;

/** The protocol that a connection speaks; HELLO changes it. */
export type Protocol = 2 | 3;
