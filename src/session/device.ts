// Room `session`: what a person would call the device behind a User-Agent header. For lists only; nothing is decided by it.
import Bowser from 'bowser'
import type { Device } from './session-rules.ts'

/** Characters of a User-Agent that are looked at and kept. */
export const mostUserAgentLength = 512

/** @param userAgent at most `mostUserAgentLength` characters */
export function deviceOf (userAgent: string): Device {
  if (userAgent === '') return { type: 'unknown', os: null, browser: null }
  const { platform, os, browser } = Bowser.parse(userAgent)
  return { type: platform.type || 'unknown', os: os.name || null, browser: browser.name || null }
}
