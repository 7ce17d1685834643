/**
 * Taxi (Dietterich 2000; Gymnasium `Taxi-v3`): fetch a passenger at one of four places and deliver him at another.
 *
 *     +---------+
 *     |R: | : :G|      state = ((row * 5 + column) * 5 + passenger) * 4 + destination
 *     | : | : : |      passenger 0 R, 1 G, 2 Y, 3 B, 4 in the taxi
 *     | : : : : |      actions 0 south, 1 north, 2 east, 3 west, 4 pick up, 5 drop off
 *     | | : | : |
 *     |Y| : |B: |
 *     +---------+
 *
 * Every step costs 1, a wrong pick-up or drop-off 10, the delivery earns 20 and terminates. A passenger may also
 * be set down at another of the four places. Time limit 200 steps. A passenger waits at his destination only once
 * he was delivered, so those states are the terminal ones.
 */

import { defineModel } from './finite-model.js';

const PLACES = [[0, 0], [0, 4], [4, 0], [4, 3]];
const IN_TAXI = 4;
const WALLS_EAST_OF = new Set(['0,1', '1,1', '3,0', '4,0', '3,2', '4,2']);
const [SOUTH, NORTH, EAST, WEST, PICK_UP] = [0, 1, 2, 3, 4];

export function encodeTaxi(row, column, passenger, destination) {
    return ((row * 5 + column) * 5 + passenger) * 4 + destination;
}

function decodeTaxi(state) {
    return { destination: state % 4, passenger: Math.floor(state / 4) % 5, column: Math.floor(state / 20) % 5, row: Math.floor(state / 100) };
}

function drive({ row, column, ...rest }, action) {
    const wallEast = WALLS_EAST_OF.has(`${row},${column}`);
    const wallWest = WALLS_EAST_OF.has(`${row},${column - 1}`);
    if (action === SOUTH) return { row: Math.min(row + 1, 4), column, ...rest };
    if (action === NORTH) return { row: Math.max(row - 1, 0), column, ...rest };
    if (action === EAST) return { row, column: wallEast ? column : Math.min(column + 1, 4), ...rest };
    return { row, column: wallWest ? column : Math.max(column - 1, 0), ...rest };
}

function serve(taxi, action) {
    const place = PLACES.findIndex(([row, column]) => row === taxi.row && column === taxi.column);
    if (action === PICK_UP) {
        const here = taxi.passenger < IN_TAXI && place === taxi.passenger;
        return here ? { ...taxi, passenger: IN_TAXI, reward: -1 } : { ...taxi, reward: -10 };
    }
    if (taxi.passenger !== IN_TAXI || place < 0) return { ...taxi, reward: -10 };
    const delivered = place === taxi.destination;
    return { ...taxi, passenger: place, reward: delivered ? 20 : -1, terminated: delivered };
}

function act(state, action) {
    const taxi = decodeTaxi(state);
    const after = action <= WEST ? { ...drive(taxi, action), reward: -1 } : serve(taxi, action);
    const next = encodeTaxi(after.row, after.column, after.passenger, after.destination);
    return [{ probability: 1, next, reward: after.reward, terminated: after.terminated ?? false }];
}

export function taxi() {
    const all = Array.from({ length: 500 }, (_, state) => state);
    const starting = all.filter((state) => {
        const { passenger, destination } = decodeTaxi(state);
        return passenger < IN_TAXI && passenger !== destination;
    });
    return defineModel({
        name: 'Taxi',
        states: 500,
        actions: 6,
        starts: starting.map((state) => [1 / starting.length, state]),
        limit: 200,
        terminal: all.filter((state) => decodeTaxi(state).passenger === decodeTaxi(state).destination),
        outcomes: act,
    });
}
