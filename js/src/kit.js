/**
 * What the code for threads uses of the main file: it is a chunk of its own, and a second copy of these would be a second class of errors.
 */
import { checkBoundary } from './boundary.js';
import { describe, invalid, number, object, oneOf } from './check.js';
import { Core } from './core.js';
import { codeOf, QhiveError } from './errors.js';
import { resourceProblem } from './failure.js';
import { tagOf } from './given.js';

export const kit = { Core, QhiveError, checkBoundary, codeOf, describe, invalid, number, object, oneOf, resourceProblem, tagOf };
