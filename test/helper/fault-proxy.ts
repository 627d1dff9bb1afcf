// A network that a story may break: a TCP proxy in this process, between an instance and a store. Bytes are delayed, held or
// cut off, and never lost, changed or put in another order on a connection that stays open, as with TCP itself: what was held
// arrives when the fault is over. A reader that is slow slows its sender.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/**
 * `delay`: bytes of a direction arrive `ms` late. `mute`: those of a direction do not arrive, of both with `blackhole`. `cut`:
 * each connection ends after `bytes` more of a direction. `reset`: each ends with its next byte, and new ones at once.
 * `refuse`: new ones end at once, open ones go on.
 */
export type FaultMode = 'pass' | 'delay' | 'mute' | 'blackhole' | 'cut' | 'reset' | 'refuse'
/** From the server to the client, or from the client to the server. */
export type Direction = 's2c' | 'c2s'

export interface FaultProxy {
  port: number
  /** From now on, for open connections and new ones. Direction: s2c unless given. */
  set: (mode: FaultMode, options?: { ms?: number, bytes?: number, dir?: Direction }) => void
  /** Ends the open connections, as a middlebox does that has forgotten them. */
  drop: () => void
  /** Open connections of clients. */
  live: () => number
  close: () => Promise<void>
}

interface Fault { mode: FaultMode, ms: number, bytes: number, dir: Direction }

interface Line { flush: () => void, countAnew: () => void }

/** Held bytes above which a sender has to wait. */
const heldAtMost = 256 * 1024

const host = '127.0.0.1'

/** One direction of a connection. `fault` says what holds at the moment. */
function createLine (from: Socket, to: Socket, dir: Direction, fault: () => Fault): Line {
  const held: { bytes: Buffer | undefined, at: number }[] = [] // the end of the stream has no bytes
  let [size, passed] = [0, 0]
  let timer: NodeJS.Timeout | undefined

  function flush (): void {
    clearTimeout(timer)
    for (let head = held[0]; head !== undefined && !to.destroyed; head = held[0]) {
      const { mode, ms, bytes, dir: struck } = fault()
      if (mode === 'blackhole' || (mode === 'mute' && struck === dir)) return
      if (mode === 'reset') return resetBoth(from, to)
      const waitMs = mode === 'delay' && struck === dir ? head.at + ms - performance.now() : 0
      if (waitMs > 0) {
        timer = setTimeout(flush, waitMs)
        return
      }
      if (to.writableNeedDrain) return
      held.shift()
      if (head.bytes === undefined) to.end()
      else if (mode === 'cut' && struck === dir && passed + head.bytes.length >= bytes) return cutAfter(head.bytes.subarray(0, Math.max(0, bytes - passed)))
      else send(head.bytes)
    }
    if (size < heldAtMost) from.resume()
  }

  function send (bytes: Buffer): void {
    size -= bytes.length
    passed += bytes.length
    to.write(bytes)
  }

  function cutAfter (last: Buffer): void {
    held.length = 0
    from.pause()
    to.write(last, () => { resetBoth(from, to) })
  }

  function hold (bytes?: Buffer): void {
    held.push({ bytes, at: performance.now() })
    size += bytes?.length ?? 0
    if (size >= heldAtMost) from.pause()
    flush()
  }

  from.on('data', hold)
  from.on('end', () => { hold() })
  from.on('close', () => { clearTimeout(timer) })
  to.on('drain', flush)
  return { flush, countAnew () { passed = 0 } }
}

/** Not a socket whose end is on its way: libuv refuses to reset that one, and Node then never closes it. */
function resetBoth (...ends: Socket[]): void {
  for (const end of ends) {
    if (end.destroyed) continue
    if (end.writableEnded || end.connecting) end.destroy()
    else end.resetAndDestroy()
  }
}

export async function startFaultProxy (target: { host: string, port: number }): Promise<FaultProxy> {
  let fault: Fault = { mode: 'pass', ms: 0, bytes: 0, dir: 's2c' }
  const open = new Map<Socket, { server: Socket, lines: Line[] }>()

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    client.on('error', () => { /* its end follows */ })
    if (fault.mode === 'refuse' || fault.mode === 'reset') return client.resetAndDestroy()
    const server = connect({ ...target, allowHalfOpen: true, noDelay: true })
    open.set(client, { server, lines: [createLine(client, server, 'c2s', () => fault), createLine(server, client, 's2c', () => fault)] })
    server.on('error', () => { resetBoth(client) })
    client.on('close', () => {
      open.delete(client)
      server.destroy()
    })
    server.on('close', () => { if (!isHeld()) client.destroy() })
  })
  /** A network that is silent does not tell of an end either. */
  const isHeld = (): boolean => fault.mode === 'blackhole' || (fault.mode === 'mute' && fault.dir === 's2c')
  const drop = (): void => { for (const [client, { server }] of open) resetBoth(client, server) }
  await new Promise<void>((resolve) => { listener.listen(0, host, resolve) })

  return {
    port: (listener.address() as AddressInfo).port,
    set (mode, { ms = 0, bytes = 0, dir = 's2c' } = {}) {
      fault = { mode, ms, bytes, dir }
      for (const [client, { server, lines }] of open) {
        for (const line of lines) {
          line.countAnew()
          line.flush()
        }
        if (server.destroyed && !isHeld()) client.destroy()
      }
    },
    drop,
    live: () => open.size,
    async close () {
      const closed = new Promise((resolve) => { listener.close(resolve) })
      drop()
      await closed
    }
  }
}
