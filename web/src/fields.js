/** Layout of the tables that the worker posts. */

/** Figures of a cell in `frame.cells`, in this order. */
export const CELL_FIELDS = Object.freeze(['load', 'offered', 'users', 'asleep', 'watts', 'reward']);
/** Figures of a user in `frame.users`: x and y in metres, and what it is (`UserState`). */
export const USER_FIELDS = 3;
export const UserState = Object.freeze({ AWAY: 0, BROADBAND: 1, PRIORITY: 2, REFUSED: 3 });
/** Blocks of memory, grouped as the picture shows them. */
export const GROUPS = Object.freeze(['agents', 'tables', 'encoders', 'batch', 'shared', 'runtime', 'withdrawn']);
export const Group = Object.freeze({ AGENTS: 0, TABLES: 1, ENCODERS: 2, BATCH: 3, SHARED: 4, RUNTIME: 5, WITHDRAWN: 6 });
