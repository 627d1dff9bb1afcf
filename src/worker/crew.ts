// Room `worker`: several processes of one program on one port, by Node's own cluster: started one before the others, so that
// whatever keeps them from starting is said once; replaced when they die, after a pause that grows; ended together. The
// program needs to listen, and to end at `endMessage`: src/serve.ts does, and so may a server under measurement.
import cluster, { type Address, type Worker } from 'node:cluster'
import type { Clock } from '../clock.ts'
import { keepUntaken, type Handle } from './handover.ts'
import { connectionMessage, createLine, endMessage, seatVariable, type Line } from './line.ts'
import { createPauses } from './pauses.ts'

export interface CrewOptions {
  /** Path of the module that each of them runs. */
  file: string
  count: number
  log: Record<'warn' | 'error', (fields: object, line: string) => void>
  clock: Clock
  /** Milliseconds that they are given to end. */
  drainMs: number
}

export interface Crew {
  /** Where they listen, once all of them do, such as `http://127.0.0.1:3000`. */
  ready: Promise<string>
  /** The exit code, once the last one has ended: after `end`, or because none of them can listen. */
  ended: Promise<number>
  /** Nothing new is accepted, what is in flight is answered, and all of them end. */
  end: () => void
  /** Ends all of them where they stand. */
  kill: () => void
}

interface Place { worker: Worker, line: Line, /** Since when it listens, by `mono`. */ since?: number }

/** Milliseconds that another worker is given to say what it shows. */
const patienceMs = 600

export function createCrew ({ file, count, log, clock, drainMs }: CrewOptions): Crew {
  const places = new Map<number, Place>()
  const pauses = createPauses(clock)
  const empty = new Set<NodeJS.Timeout>()
  let isReady = (_origin: string): void => { /* set below */ }
  let isOver = (_exitCode: number): void => { /* set below */ }
  const ready = new Promise<string>((resolve) => { isReady = resolve })
  const ended = new Promise<number>((resolve) => { isOver = resolve })
  let [hasBegun, isEnding, exitCode] = [false, false, 0]

  const listening = (): [number, Place][] => [...places].filter(([, { since }]) => since !== undefined)

  /** What all but this one show. */
  async function textsBeside (number: number): Promise<string[]> {
    const others = listening().filter(([other]) => other !== number)
    return (await Promise.all(others.map(([, { line }]) => line.ask(patienceMs)))).flat()
  }

  function start (number: number): void {
    const worker = cluster.fork({ [seatVariable]: String(number) })
    const line = createLine({
      send (message) { worker.send(message, () => { /* its end is noticed by itself */ }) },
      hear (listener) { worker.on('message', listener) }
    }, () => textsBeside(number))
    const place: Place = { worker, line }
    places.set(number, place)
    keepUntaken(worker.process, passOn)
    worker.once('listening', (address) => { begin(place, address) })
    worker.once('exit', (code, signal) => { leave(number, { code, signal }) })
    worker.on('error', () => { // of sending to one that has died, or that there is no process at all
      if (worker.process.pid === undefined && places.get(number) === place) leave(number, { code: null, signal: null })
    })
  }

  /** A connection that a worker has left behind. */
  function passOn (handle: Handle): void {
    const [next] = listening()
    const done = () => { handle.close() }
    if (next === undefined) done()
    else next[1].worker.send(connectionMessage, handle as never, done)
  }

  function begin (place: Place, address: Address): void {
    place.since = clock.mono()
    if (!hasBegun) for (let number = 2; number <= count; number++) start(number)
    hasBegun = true
    if (listening().length === count) isReady(originOf(address))
  }

  function leave (number: number, how: { code: number | null, signal: string | null }): void {
    const { worker, since } = places.get(number) as Place
    places.delete(number)
    if (isEnding) exitCode ||= since !== undefined && how.code !== 0 ? 1 : 0
    else if (since === undefined && listening().length === 0) { // it has said why it cannot start, and nobody else serves
      exitCode = how.code ?? 1
      kill()
    } else {
      const pauseMs = pauses.after(number, since)
      log.warn({ worker: number, workerPid: worker.process.pid, ...how, pauseMs }, 'a worker has died; another one takes its place')
      const pause = setTimeout(() => {
        empty.delete(pause)
        start(number)
      }, pauseMs)
      empty.add(pause)
    }
    if (isEnding && places.size === 0) isOver(exitCode)
  }

  function stopReplacing (): void {
    isEnding = true
    for (const pause of empty) clearTimeout(pause)
    if (places.size === 0) isOver(exitCode)
  }

  function kill (): void {
    stopReplacing()
    for (const { worker } of places.values()) worker.process.kill('SIGKILL')
  }

  cluster.setupPrimary({ exec: file, args: [], execArgv: [...process.execArgv, '--enable-source-maps'] })
  start(1)

  return {
    ready,
    ended,
    end () {
      stopReplacing()
      setTimeout(() => {
        log.error({ workers: [...places.keys()] }, 'workers have not ended in time: they are killed')
        kill()
      }, drainMs).unref()
      for (const { worker, since } of places.values()) {
        if (since === undefined) worker.process.kill('SIGKILL') // it has accepted nothing
        else {
          // in this order, and all of them at once: what they were dealt comes before it, and nothing is dealt after it
          worker.send(endMessage, () => { /* its end is noticed by itself */ })
          worker.disconnect()
        }
      }
    },
    kill
  }
}

const originOf = ({ address, port, addressType }: Address): string => `http://${addressType === 6 ? `[${address}]` : address}:${port}`
