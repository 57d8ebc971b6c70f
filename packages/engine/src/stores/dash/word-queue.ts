/** A queue of pairs of 32-bit words, outside V8's heap; it grows and never shrinks. */

const WORDS_FIRST = 1024;

export class WordQueue {
  #words = new Uint32Array(WORDS_FIRST);
  #from = 0;
  #to = 0;

  /** Words that are in. */
  get length(): number {
    return this.#to - this.#from;
  }

  get bytes(): number {
    return this.#words.byteLength;
  }

  push(first: number, second: number): void {
    if (this.#to + 2 > this.#words.length) this.#makeRoom();
    this.#words[this.#to++] = first;
    this.#words[this.#to++] = second;
  }

  /** Takes one word; there is one. */
  shift(): number {
    const word = this.#words[this.#from++];
    if (this.#from === this.#to) {
      this.#from = 0;
      this.#to = 0;
    }
    return word;
  }

  #makeRoom(): void {
    const { length } = this;
    if (length * 2 > this.#words.length) {
      const longer = new Uint32Array(this.#words.length * 2);
      longer.set(this.#words.subarray(this.#from, this.#to));
      this.#words = longer;
    } else {
      this.#words.copyWithin(0, this.#from, this.#to);
    }
    this.#from = 0;
    this.#to = length;
  }
}
