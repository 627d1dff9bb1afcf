// Loads TypeScript through tsx instead of tap's ts-node, which transpiles every file anew in every process: two seconds a
// test file less. Only where no coverage is measured: tap's coverage does not see what tsx loads.
process.env.TAP_TYPE_STRIP_ONLY = '1' // tap then leaves loading to others
await import('tsx')
