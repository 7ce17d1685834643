import { jest } from '@jest/globals';

// Some tests train agents for many episodes; a hung test still ends.
jest.setTimeout(120_000);
