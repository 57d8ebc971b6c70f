/** The families, in the order in which COMMAND lists them. A new family is one folder and one line. */
import { bitmapCommands } from '../bitmaps/commands.js';
import { connectionCommands } from '../connection/commands.js';
import { expiryCommands } from '../expiry/commands.js';
import { genericCommands } from '../generic/commands.js';
import { hashCommands } from '../hashes/commands.js';
import { serverCommands } from '../server/commands.js';
import { stringCommands } from '../strings/commands.js';
import { transactionCommands } from '../transactions/commands.js';
import { CommandTable } from './table.js';

export const commandTable = new CommandTable([
  ...connectionCommands,
  ...stringCommands,
  ...bitmapCommands,
  ...genericCommands,
  ...expiryCommands,
  ...hashCommands,
  ...transactionCommands,
  ...serverCommands,
]);
