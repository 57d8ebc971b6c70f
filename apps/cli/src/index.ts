/** `nen` is a program (`bin/nen.js`); what it consists of is `@nendb/cli`. */
export { run } from '@nendb/cli';
