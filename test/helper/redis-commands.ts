// What a Redis is asked to do, by whomever, as its MONITOR tells; also what its scripts do.
import { Redis } from 'ioredis'

export interface RedisCommands {
  /** Since the beginning: command and arguments, the command in lower case. */
  seen: string[][]
  stop: () => void
}

export async function watchRedis (url: string): Promise<RedisCommands> {
  const client = new Redis(url)
  const monitor = await client.monitor()
  const seen: string[][] = []
  monitor.on('monitor', (_time: string, [name = '', ...args]: string[]) => { seen.push([name.toLowerCase(), ...args]) })
  return {
    seen,
    stop () {
      monitor.disconnect()
      client.disconnect()
    }
  }
}

/** Whether a command looks at every key, or at every member of one: what a request must never wait for. */
export const looksAtAll = ([name = '']: string[]): boolean => /^(keys|[hsz]?scan|smembers|randomkey|sort)$/.test(name)
