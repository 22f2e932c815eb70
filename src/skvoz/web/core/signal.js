/**
 * Values that parts of the page watch.
 *
 * @template T
 */
export class Signal {
  /** @param {T} value */
  constructor(value) {
    /** @private */
    this.held = value;
    /** @private @type {Set<() => void>} */
    this.watchers = new Set();
  }

  get value() {
    return this.held;
  }

  set value(value) {
    if (Object.is(value, this.held)) return;
    this.held = value;
    this.touch();
  }

  /** Tell everybody who watches that the value changed inside. */
  touch() {
    for (const watcher of [...this.watchers]) watcher();
  }

  /**
   * Call `watcher` after each change, until the returned function is called.
   *
   * @param {() => void} watcher
   * @returns {() => void}
   */
  watch(watcher) {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }
}
