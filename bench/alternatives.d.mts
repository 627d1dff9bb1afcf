import type { BarRow } from './charts.mjs'

export interface Alternative { name: string, what: string, file: string, variant?: string, ours?: boolean, signOut: string }
export interface Sample { perSecond: number, cpuMicros: number, p50: number, p99: number }
export interface Share { share: number, spread: [number, number] }
export interface Result extends Share {
  name: string
  what: string
  ours: boolean
  signOut: string
  operations: { redis: number, mongo: number }
  ofItsOwn: Share
  control: number
  cpu: { aboveItsOwn: number, aboveReference: number }
  guarded: Sample
  unguarded: Sample
  reference: Sample
}

export const alternatives: Alternative[]
export const heads: string[]
export function resultOf (alternative: Alternative, samples: Record<'guarded' | 'unguarded' | 'reference' | 'control', Sample[]>, operations: Result['operations']): Result
export function cellsOf (result: Result): Array<string | number>
export function barsOf (results: Result[]): BarRow[]
