// Keeps a list unchanged while a person reads it.

/** Holds a list while the pointer or the focus is on it, and at least for `pause` milliseconds. */
export function createSteady(pause = 0) {
  let element = null;
  let taken = [];
  let takenAt = -Infinity;
  return {
    mount(made) {
      element = made;
      return () => { element = null; };
    },
    isHeld: () => element?.matches(':hover, :focus-within') ?? false,
    /** Returns the list, or the held one. */
    take(list) {
      const now = performance.now();
      if (taken.length && (this.isHeld() || now - takenAt < pause)) return taken;
      takenAt = now;
      return (taken = list);
    },
  };
}
