/**
 * The focus stays where a person is, although what had it was drawn away, moved, or switched off for a moment: it goes
 * back there, or to what is nearest. Whoever clicks or tabs away from it is left alone.
 */

/** Not a message: that may be far from the one that went. */
const STOPS = ":is(a[href], button, input, select, textarea):not([tabindex='-1'], :disabled, [role=log] *)";

/** @type {EventTarget[]} what has the focus, and whatever that is in */
let path = [];
let isDue = false;

/** @param {Event} event */
const remember = (event) => {
  path = event.composedPath();
};

const forget = () => {
  path = [];
};

addEventListener("focusin", remember);
addEventListener("pointerdown", forget, true);
addEventListener("keydown", ({ key }) => key === "Tab" && forget(), true);

/** See after a drawing whether the focus was lost by it; a screen that puts it somewhere does that before. */
export function keepFocus() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    const [last, ...around] = path;
    if (document.activeElement !== document.body || !(last instanceof HTMLElement)) return;
    if (last.isConnected) return last.focus();
    for (const one of around) {
      if (!(one instanceof HTMLElement) || !one.isConnected) continue;
      for (const stop of [...one.querySelectorAll("textarea:enabled"), ...one.querySelectorAll(STOPS)]) {
        if (stop instanceof HTMLElement && stop.checkVisibility()) return stop.focus();
      }
    }
  });
}
