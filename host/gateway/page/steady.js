// Keeps what a person is reading as it is.

/** Holds on to a list while the pointer or the focus is on it, and for a while anyway. */
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
    /** The list, or the one before it. */
    take(list) {
      const now = performance.now();
      if (taken.length && (this.isHeld() || now - takenAt < pause)) return taken;
      takenAt = now;
      return (taken = list);
    },
  };
}
