// The two distances, of two lists of numbers; figures that compare them import it.

export const KINDS = ["L1", "L2"];

// The mean absolute difference, and the root of the mean squared one
export const DISTANCE = {
  L1: (a, b) => a.reduce((sum, x, i) => sum + Math.abs(x - b[i]), 0) / a.length,
  L2: (a, b) => Math.sqrt(a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0) / a.length),
};
