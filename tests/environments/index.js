/** The environments and exact methods of the tests, in one import. */

export { createRandom } from './random.js';
export { defineModel, outcomesOf, Simulation } from './finite-model.js';
export { cliffWalking, pathPolicy } from './cliff-walking.js';
export { frozenLake } from './frozen-lake.js';
export { blackjack, gambler, racetrack, riverSwim } from './games.js';
export { windyGridworld } from './windy-gridworld.js';
export { maze, dynaMaze, blockingMaze } from './mazes.js';
export { maximisationBias } from './maximisation-bias.js';
export { randomWalk, randomWalkValues } from './random-walk.js';
export { taxi, encodeTaxi } from './taxi.js';
export { MountainCar, POSITION, VELOCITY } from './mountain-car.js';
export {
    valueIteration, actionValues, firstBest, bestActions, deterministic, uniform, epsilonGreedy, reachable,
    evaluatePolicy, expectedSteps, evaluateWithin, successWithin, onlineReturn, bestEpsilonSoft,
} from './dynamic-programming.js';
