/** Oracles with a hole each, which the serializability checker must find. */
import { type BeginOptions, Oracle, type OracleTransaction } from '../../src/index.js';

/** An oracle whose transactions are changed as they begin. */
function weakened(weaken: (transaction: OracleTransaction) => void): new () => Oracle {
  return class extends Oracle {
    override begin(options?: BeginOptions): OracleTransaction {
      const transaction = super.begin(options);
      weaken(transaction);
      return transaction;
    }
  };
}

/** Write skew: what is read counts only if it is written as well, as under snapshot isolation. */
export const LetsWriteSkewThrough = weakened((transaction) => {
  const { read, write, sawNewer } = bound(transaction);
  const readKeys = new Set<string>();
  const overtakenKeys = new Set<string>();
  let lastRead = '';
  transaction.readRange = () => {
    lastRead = '';
  };
  transaction.read = (key) => {
    lastRead = name(key);
    readKeys.add(lastRead);
  };
  transaction.sawNewer = () => {
    overtakenKeys.add(lastRead);
  };
  transaction.write = (key) => {
    if (readKeys.has(name(key))) read(key);
    if (overtakenKeys.has(name(key))) sawNewer();
    write(key);
  };
});

/** Phantoms: what was read by range is not remembered. */
export const LetsPhantomsThrough = weakened((transaction) => {
  transaction.readRange = () => {};
});

/** Lost updates: keys are not remembered, ranges are. */
export const LetsUpdatesBeLost = weakened((transaction) => {
  transaction.read = () => {};
});

/** Lost updates as well: a read that comes after the commit that it should have seen. */
export const ForgivesLateReads = weakened((transaction) => {
  transaction.sawNewer = () => {};
});

/** Changes outside of transactions hit nobody. */
export class OverlooksLoneWrites extends Oracle {
  override noteWrite(): void {}
  override noteRange(): void {}
}

/** Range writes hit points, and not ranges: their bounds count as single keys. */
export const TakesRangesForKeys = weakened((transaction) => {
  transaction.writeRange = (gte) => transaction.write(gte);
});

/** Lets versions be dropped that an open transaction reads. */
export class DropsTooEarly extends Oracle {
  override get oldestActive(): number {
    return this.lastCommitted;
  }
}

function bound(transaction: OracleTransaction) {
  return {
    read: transaction.read.bind(transaction),
    write: transaction.write.bind(transaction),
    sawNewer: transaction.sawNewer.bind(transaction),
  };
}

function name(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1');
}
