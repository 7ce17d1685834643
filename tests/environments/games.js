/**
 * Small problems of chance from the books, each a finite model, so that its optimum is known exactly.
 *
 *   gambler    stakes on a coin until `goal` or ruin (S&B example 4.3); a stake beyond what is allowed is cut to it
 *   riverSwim  swimming right against the current for a large reward, or drifting left for a small one (Strehl & Littman 2008);
 *              it never ends by itself, episodes are truncated
 *   blackjack  hit or stick with an infinite deck (S&B example 5.1; Gymnasium `Blackjack`), naturals count as 21
 *   racetrack  a small right turn driven with bounded speed (S&B exercise 5.12), the push failing with some probability
 */

import { defineModel } from './finite-model.js';

const { min, max, floor, sign } = Math;

/** State: the capital 0..goal; action a stakes a + 1. @param {{ goal?: number, heads?: number }} [options] */
export function gambler({ goal = 16, heads = 0.4 } = {}) {
    const outcome = (probability, next) => ({ probability, next, reward: next === goal ? 1 : 0, terminated: next === 0 || next === goal });
    return defineModel({
        name: `Gambler, goal ${goal}`,
        states: goal + 1,
        actions: floor(goal / 2),
        starts: Array.from({ length: goal - 1 }, (_, i) => [1 / (goal - 1), i + 1]),
        terminal: [0, goal],
        outcomes: (capital, action) => {
            const stake = min(action + 1, capital, goal - capital);
            return [outcome(heads, capital + stake), outcome(1 - heads, capital - stake)];
        },
    });
}

/** Actions 0 left, 1 right. @param {{ states?: number, limit?: number }} [options] */
export function riverSwim({ states = 6, limit = 50 } = {}) {
    const last = states - 1;
    const stay = (probability, next, reward = 0) => ({ probability, next, reward, terminated: false });
    return defineModel({
        name: `RiverSwim of ${states}`,
        states,
        actions: 2,
        starts: [[0.5, 0], [0.5, min(1, last)]],
        limit,
        outcomes: (state, action) => {
            if (action === 0) return [stay(1, max(state - 1, 0), state === 0 ? 0.005 : 0)];
            if (state === 0) return [stay(0.7, 0), stay(0.3, 1)];
            if (state === last) return [stay(0.7, last - 1), stay(0.3, last, 1)];
            return [stay(0.1, state - 1), stay(0.6, state), stay(0.3, state + 1)];
        },
    });
}

const CARDS = Array.from({ length: 10 }, (_, i) => [i + 1, i === 9 ? 4 / 13 : 1 / 13]);
const addCard = ({ sum, usable }, card) => {
    const total = sum + (card === 1 && sum + 11 <= 21 ? 11 : card);
    const ace = usable || (card === 1 && sum + 11 <= 21);
    return total > 21 && ace ? { sum: total - 10, usable: false } : { sum: total, usable: ace };
};

/** How the dealer ends who stands on 17: probabilities by final sum, 22 for a bust. */
function dealerEnds(hand, memo) {
    if (hand.sum > 21) return new Map([[22, 1]]);
    if (hand.sum >= 17) return new Map([[hand.sum, 1]]);
    const key = `${hand.sum} ${hand.usable}`;
    if (!memo.has(key)) {
        const ends = new Map();
        for (const [card, p] of CARDS)
            for (const [end, q] of dealerEnds(addCard(hand, card), memo)) ends.set(end, (ends.get(end) ?? 0) + p * q);
        memo.set(key, ends);
    }
    return memo.get(key);
}

/** State ((sum - 12) * 10 + dealer's card - 1) * 2 + usable ace; actions 0 stick, 1 hit; the last state is the end. */
export function blackjack() {
    const END = 200;
    const encode = ({ sum, usable }, dealer) => ((sum - 12) * 10 + dealer - 1) * 2 + (usable ? 1 : 0);
    const decode = (state) => [{ sum: floor(state / 20) + 12, usable: state % 2 === 1 }, (floor(state / 2) % 10) + 1];
    const memo = new Map();
    const stick = ({ sum }, dealer) => [...dealerEnds(addCard({ sum: 0, usable: false }, dealer), memo)]
        .map(([end, probability]) => ({ probability, next: END, reward: end === 22 ? 1 : sign(sum - end), terminated: true }));
    const hit = (hand, dealer) => CARDS.map(([card, probability]) => {
        const after = addCard(hand, card);
        if (after.sum > 21) return { probability, next: END, reward: -1, terminated: true };
        return { probability, next: encode(after, dealer), reward: 0, terminated: false };
    });
    return defineModel({
        name: 'Blackjack',
        states: 201,
        actions: 2,
        starts: Array.from({ length: 200 }, (_, state) => [1 / 200, state]),
        terminal: [END],
        outcomes: (state, action) => (action === 0 ? stick : hit)(...decode(state)),
    });
}

const TURN = ['   GG', '   GG', '  ###', 'SS###', 'SS###'];

/** Every action pushes each speed by -1, 0 or +1, speeds stay within 0..2 (rows upward, columns rightward); leaving the track
 * leads back to the start at rest. @param {{ slip?: number }} [options] probability that a push does nothing */
export function racetrack({ slip = 0.1 } = {}) {
    const rows = TURN;
    const [height, width] = [rows.length, rows[0].length];
    const END = height * width * 9;
    const encode = (row, column, up, right) => ((row * width + column) * 3 + up) * 3 + right;
    const starts = [[4, 0], [4, 1]];
    const clamp = (speed) => min(max(speed, 0), 2);
    const drive = (state, push) => {
        const [right, up] = [state % 3, floor(state / 3) % 3];
        const [column, row] = [floor(state / 9) % width, floor(state / 9 / width)];
        const [faster, aside] = [clamp(up + (floor(push / 3) - 1)), clamp(right + ((push % 3) - 1))];
        return { row: row - faster, column: column + aside, up: faster, right: aside };
    };
    const arrive = (probability, { row, column, up, right }) => {
        const cell = rows[max(row, 0)]?.[min(column, width - 1)];
        if (cell === 'G') return [{ probability, next: END, reward: -1, terminated: true }];
        if (row >= 0 && column < width && cell !== '#') return [{ probability, next: encode(row, column, up, right), reward: -1, terminated: false }];
        return starts.map(([r, c]) => ({ probability: probability / starts.length, next: encode(r, c, 0, 0), reward: -1, terminated: false }));
    };
    return defineModel({
        name: 'Racetrack',
        states: END + 1,
        actions: 9,
        starts: starts.map(([r, c]) => [1 / starts.length, encode(r, c, 0, 0)]),
        terminal: [END],
        outcomes: (state, action) => [...arrive(1 - slip, drive(state, action)), ...(slip > 0 ? arrive(slip, drive(state, 4)) : [])],
    });
}
