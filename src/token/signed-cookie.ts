// Room `token`: cookies that only this service can have written. The MAC binds what a cookie is for, its name and its
// version, so one that was signed for another purpose, or under another name, is worth nothing (DESIGN 6).
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { Keyring } from './keyring.ts'

export interface SignedCookie {
  /** @param value letters, digits, `-`, `_` and `.` */
  sign: (value: string) => string
  /** @returns undefined for a text that we did not write; `isOld` if a key signed it that does not sign any more */
  read: (text: string) => { value: string, isOld: boolean } | undefined
}

/** RFC 6265 section 6.1: what a browser keeps of a cookie in all. */
const mostBytes = 4096

const form = /^v1\.([A-Za-z0-9_.-]*)\.([A-Za-z0-9_-]{43})$/

/** @param purpose what it is for. @param name as it is on the wire */
export function createSignedCookie (keyring: Keyring, purpose: string, name: string): SignedCookie {
  const keys = keyring.keys.map(({ secret }) => Buffer.from(hkdfSync('sha256', secret, '', `latchkey cookie ${purpose}`, 32)))
  const mac = (key: Buffer, value: string): string => createHmac('sha256', key).update(`${name}\0v1\0${value}`).digest('base64url')
  return {
    sign: (value) => `v1.${value}.${mac(keys[0] as Buffer, value)}`,
    read (text) {
      if (text.length > mostBytes) return undefined
      const [, value, given] = form.exec(text) ?? []
      if (value === undefined || given === undefined) return undefined
      const at = keys.findIndex((key) => timingSafeEqual(Buffer.from(mac(key, value)), Buffer.from(given)))
      return at < 0 ? undefined : { value, isOld: at > 0 }
    }
  }
}
