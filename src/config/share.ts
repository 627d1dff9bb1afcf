// Room `config`: the configuration of one of several workers. What a machine has once is divided among them, so that the
// passwords of four workers take no more cores and are no longer waited for than those of one.
import type { Config } from './config.ts'

/** @param number of the worker, from 1 */
export function shareOf (config: Config, number: number): Config {
  const { workers, bcryptConcurrency, bcryptQueue } = config
  /** 7 among 4 is 2, 2, 2, 1. */
  const part = (whole: number): number => Math.floor(whole / workers) + (number <= whole % workers ? 1 : 0)
  return Object.freeze({ ...config, bcryptConcurrency: Math.max(1, part(bcryptConcurrency)), bcryptQueue: part(bcryptQueue) })
}
