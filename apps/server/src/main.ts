#!/usr/bin/env node
/** The program: runs the server and ends the process with its exit code. */
import { main } from './run.js';

process.exit(await main());
