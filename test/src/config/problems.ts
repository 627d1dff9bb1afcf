import { ConfigError } from '../../../src/config/environment.ts'

/** The reasons of a refused start; none if it was not refused. */
export function problemsOf (read: () => unknown): readonly string[] {
  try {
    read()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}
