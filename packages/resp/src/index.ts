export * from './request-parser.js';
