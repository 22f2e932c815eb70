/** Theme and text size, which belong to this browser and not to the home; `look.js` applies them at the start. */

/** @returns {string} `light`, `dark`, or empty: as the system says */
export function chosenTheme() {
  return localStorage.getItem("skvoz.theme") ?? "";
}

/** @returns {string} `small`, `large`, `larger`, or empty: as the browser says */
export function chosenTextSize() {
  return localStorage.getItem("skvoz.text-size") ?? "";
}

/** @param {string} theme */
export function chooseTheme(theme) {
  keep("skvoz.theme", "theme", theme);
}

/** @param {string} size */
export function chooseTextSize(size) {
  keep("skvoz.text-size", "textSize", size);
}

/**
 * @param {string} key
 * @param {string} attribute
 * @param {string} value
 */
function keep(key, attribute, value) {
  const { dataset } = document.documentElement;
  if (value) {
    localStorage.setItem(key, value);
    dataset[attribute] = value;
  } else {
    localStorage.removeItem(key);
    delete dataset[attribute];
  }
}
