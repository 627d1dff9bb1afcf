// Loads TypeScript in tests: types are blanked, not compiled, so that every line and column of the code that runs is that of the
// source, which is what tap's coverage and stack traces speak of. Tap's own ts-node transpiles every file anew in every process
// and in every thread that hashes passwords: measured, a test file that starts the service costs half the CPU this way.
import { register } from 'node:module'

process.env.TAP_TYPE_STRIP_ONLY = '1' // tap then leaves loading to others
register('./quick-hooks.mjs', import.meta.url)
