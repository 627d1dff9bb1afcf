// Room `worker`: what a primary and its workers say to each other over the channel that Node opens between them: one question
// and its answer, and two wishes. Any other message is somebody else's and left alone; an answer that never comes is empty.
import { within } from '../clock.ts'

/** The variable by which a primary tells a worker its number. */
export const seatVariable = 'LATCHKEY_WORKER'

/** To a worker that shall answer what is in flight and end. */
export const endMessage = Object.freeze({ latchkey: 'end' })

/** To a worker that shall take a connection, which comes with it. */
export const connectionMessage = Object.freeze({ latchkey: 'connection' })

/** One end of the channel. */
export interface Wire {
  /** What cannot be sent, because the other process has gone, is lost. */
  send: (message: object) => void
  hear: (listener: (message: unknown) => void) => void
}

export interface Line {
  /** @param patienceMs after these milliseconds the answer is that there is nothing */
  ask: (patienceMs: number) => Promise<readonly string[]>
}

interface Message { latchkey: 'question' | 'answer', id: number, texts: readonly string[] }

const isMessage = (message: unknown): message is Message =>
  typeof message === 'object' && message !== null && ['question', 'answer'].includes((message as Partial<Message>).latchkey ?? '')

/** @param answer what this end says when the other one asks */
export function createLine ({ send, hear }: Wire, answer: () => Promise<readonly string[]>): Line {
  const open = new Map<number, (texts: readonly string[]) => void>()
  let asked = 0

  hear((message) => {
    if (!isMessage(message)) return
    const { latchkey, id, texts } = message
    const reply = (own: readonly string[]): void => { send({ latchkey: 'answer', id, texts: own } satisfies Message) }
    if (latchkey === 'answer') open.get(id)?.(texts)
    else answer().then(reply, () => { reply([]) })
  })

  return {
    async ask (patienceMs) {
      const id = ++asked
      const answered = new Promise<readonly string[]>((resolve) => { open.set(id, resolve) })
      send({ latchkey: 'question', id, texts: [] } satisfies Message)
      return await within(patienceMs, answered, () => []).finally(() => { open.delete(id) })
    }
  }
}
