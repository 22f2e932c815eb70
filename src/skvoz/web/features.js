/**
 * The features of the page beyond its frame. Each is a module that adds itself to the places of `core/places.js`
 * when it is loaded, and may export `begin`, which is called once the home is known.
 */

/** @type {(() => void)[]} */
export const features = [];
