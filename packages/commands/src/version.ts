/** The release of NenDB, as INFO's `nendb_version` and `nen version` say it. */
export const NENDB_VERSION = '0.0.0';

/** The Redis whose behaviour clients may count on: they choose features by it. */
export const REDIS_VERSION = '7.4.0';
