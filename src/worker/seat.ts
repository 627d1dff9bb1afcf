// Room `worker`: what a process knows of itself as one of several workers: its number, what its primary wants of it, and the
// numbers of the others. Should the primary die, Node ends this process at once, and the port is free with it.
import cluster from 'node:cluster'
import type { Server } from 'node:net'
import type { WorkerPlace } from '../meter/scrape.ts'
import { takeConnection, type Handle } from './handover.ts'
import { connectionMessage, createLine, endMessage, seatVariable } from './line.ts'

export interface Seat extends WorkerPlace {
  /**
   * Does from now on what the primary wants.
   * @param server that listens, or will
   * @param end answers what is in flight and ends the process
   */
  serve: (server: Server, end: () => void) => void
}

/** Milliseconds that the primary is given to collect what the others show: below a second with the rest of a scrape. */
const patienceMs = 800

/** @returns undefined if this process is not a worker of ours */
export function takeSeat (environment: NodeJS.ProcessEnv): Seat | undefined {
  const number = Number(environment[seatVariable])
  if (!cluster.isWorker || !(number > 0)) return undefined

  let show = async (): Promise<string> => ''
  const line = createLine({
    send (message) { process.send?.(message, undefined, undefined, () => { /* the primary has gone, and so will this process */ }) },
    hear (listener) { process.on('message', listener) }
  }, async () => [await show()])

  return {
    number,
    showBy (text) { show = text },
    askOthers: () => line.ask(patienceMs),
    serve (server, end) {
      process.on('message', (message, handle) => {
        const wish = (message as { latchkey?: string } | null)?.latchkey
        if (wish === endMessage.latchkey) end()
        if (wish === connectionMessage.latchkey) takeConnection(server, handle as unknown as Handle)
      })
    }
  }
}
