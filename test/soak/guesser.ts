// Somebody who tries passwords, from an address that nobody else comes from.
import type { Random } from './random.ts'
import type { Client } from './workload.ts'
import type { User } from './world.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms) })

/** Wrong passwords for one account from one address, several at a time, by way of both instances. */
export async function guess ({ caller }: Pick<Client, 'caller'>, user: User, random: Random, isOver: () => boolean): Promise<void> {
  const from = '127.0.0.9'
  while (!isOver()) {
    await Promise.all(Array.from({ length: 6 }, (_, i) => caller.send('guess', i % 2 === 0 ? 'a' : 'b', {
      method: 'POST', path: '/api/auth/login', from, body: { email: user.email, password: `wrong-${random.int(0, 1e9)}` }, about: { user: user.id, from }
    })))
    await pause(random.int(1000, 2500))
  }
}
