/** What if memory were withdrawn, or a parameter forbidden? */
import { KNOBS, PAGE_BYTES } from './facts.js';
import { byId, element, say } from './dom.js';
import { bytes, capital, pages } from './format.js';

export class WhatIf {
    /** @param {{ withdraw: (pages: number) => void, forbid: (knob: string, forbidden: boolean) => void }} options */
    constructor({ withdraw, forbid }) {
        this.slider = byId('withdraw');
        this.slider.addEventListener('input', () => withdraw(Number(this.slider.value)));
        this.boxes = KNOBS.map((knob) => {
            const box = element('input', { type: 'checkbox', name: knob.name });
            box.addEventListener('change', () => forbid(knob.name, box.checked));
            byId('forbid').append(element('label', {}, [box, capital(knob.title)]));
            return box;
        });
    }

    /** For a run that begins. */
    reset() {
        this.slider.value = 0;
        for (const box of this.boxes) box.checked = false;
    }

    /** Gives everything back. */
    giveBack() {
        this.slider.value = 0;
    }

    get forbidden() {
        return this.boxes.filter(({ checked }) => checked).map(({ name }) => name);
    }

    update({ maxPages, withdrawnBytes, memory }) {
        this.slider.max = maxPages;
        const wanted = Number(this.slider.value);
        if (wanted === 0) {
            say(byId('withdraw-text'), `Nothing is withdrawn: the budget is ${pages(maxPages)}.`);
            return;
        }
        const less = wanted * PAGE_BYTES - withdrawnBytes > PAGE_BYTES;
        const free = memory ? memory.free : 0;
        say(byId('withdraw-text'), less
            ? `${bytes(withdrawnBytes)} are withdrawn: all that was free. The next table that has to grow will fail.`
            : `${bytes(withdrawnBytes)} are withdrawn${free ? `; ${bytes(free)} are left to learn in` : ''}.`);
    }
}
