// Room `embedded`: what an update makes of a document. The operators are mingo's; this file adds what MongoDB does and
// mingo does not: refusals where mingo would silently change nothing, $push modifiers on a missing array, upserts.
import { isDeepStrictEqual } from 'node:util'
import { updateOne, type Modifier } from 'mingo/updater'
import { resolve, setValue } from 'mingo/util'
import { mingoOptions, pipelineIn, runPipeline, speak } from './query-language.ts'
import { badRequest } from './store-error.ts'
import { copyIn, copyOut, type Doc, type StoredDoc } from './value-codec.ts'

/** An update ready to be applied to any number of documents, each time to a copy. */
export interface Update {
  /** @param filter the query that found `doc`, for the positional operator `$`. @returns the new document; `doc` itself if nothing changes */
  change: (doc: StoredDoc, filter: Doc) => StoredDoc
  /** The document that an upsert inserts: the equalities of `filter`, then the update, then `$setOnInsert`. */
  create: (filter: Doc) => StoredDoc
}

const updateStages = new Set(['$set', '$addFields', '$unset', '$project', '$replaceRoot', '$replaceWith'])

/**
 * @param update operators, or an array of stages
 * @param options.now what `$$NOW` means in a pipeline
 * @throws StoreError for a replacement document, unknown stages and anything that mingo cannot run
 */
export function updateIn (update: unknown, { now, arrayFilters }: { now: () => Date, arrayFilters?: unknown }): Update {
  const apply = Array.isArray(update) ? pipelineUpdate(update, now) : operatorUpdate(copyIn(update), copyIn(arrayFilters ?? []) as Doc[])
  const run = (doc: Doc, filter: Doc, inserting: boolean): StoredDoc =>
    // once more through copyIn: mingo leaves undefined fields, and parts of the update itself, in what it returns
    copyIn(apply(copyOut(doc), filter, inserting)) as StoredDoc
  return {
    change (doc, filter) {
      const next = run(doc, filter, false)
      if (next._id !== doc._id) throw badRequest('an update may not change _id', 66)
      return isDeepStrictEqual(next, doc) ? doc : next
    },
    create: (filter) => run(speak('upsert', () => seedOf(filter)), {}, true)
  }
}

type Apply = (doc: Doc, filter: Doc, inserting: boolean) => Doc

function pipelineUpdate (update: readonly unknown[], now: () => Date): Apply {
  const stages = pipelineIn(update, now)
  if (!stages.every((stage) => Object.keys(stage).every((name) => updateStages.has(name)))) throw badRequest('an update pipeline takes $set, $unset, $project, $replaceWith and their like', 72)
  return (doc) => runPipeline([doc], stages)[0] as Doc
}

function operatorUpdate (update: unknown, arrayFilters: Doc[]): Apply {
  const names = Object.keys(update as Doc)
  if (names.length === 0 || !names.every((name) => name.startsWith('$'))) throw badRequest('an update consists of operators', 9)
  const { $setOnInsert = {}, ...operators } = update as Record<string, Doc>
  // mingo would ask the system's clock
  if (operators['$currentDate']) throw badRequest('the embedded store has no $currentDate: use $$NOW in a pipeline')
  return (doc, filter, inserting) => {
    const modifier = inserting ? { ...operators, $set: firstFields(doc, { ...operators['$set'], ...$setOnInsert }) } : operators
    const positional = Object.values(modifier).some((fields) => Object.keys(fields).some((path) => /\.\$(\.|$)/.test(path)))
    speak('update', () => {
      prepare(doc, modifier)
      updateOne([doc], positional ? filter : {}, modifier as Modifier<Doc>, { arrayFilters, cloneMode: 'none' }, mingoOptions)
    })
    return doc
  }
}

// mingo lets nobody set _id; an upsert may, if its filter does not say it.
function firstFields (doc: Doc, { _id, ...others }: Doc): Doc {
  if (_id !== undefined) doc['_id'] ??= _id
  return others
}

const needsNumber = new Set(['$inc', '$mul'])
const needsArray = new Set(['$push', '$addToSet', '$pull', '$pullAll', '$pop'])
const beginsArray = new Set(['$push', '$addToSet'])

// Where MongoDB refuses, mingo changes nothing and says nothing; and where there is no array yet, it forgets $sort and
// $slice and adds duplicates to a set.
function prepare (doc: Doc, modifier: Record<string, Doc>): void {
  for (const [name, fields] of Object.entries(modifier)) {
    for (const path of Object.keys(fields)) {
      if (path.includes('$')) continue
      if (name !== '$unset' && !leadsThroughObjects(doc, path)) throw badRequest(`${path} leads through something that is not an object`, 28)
      const found = resolve(doc, path)
      if (found === undefined) {
        if (beginsArray.has(name)) setValue(doc, path, [])
        continue
      }
      if (needsNumber.has(name) && typeof found !== 'number') throw badRequest(`${name} needs a number at ${path}`, 14)
      if (needsArray.has(name) && !Array.isArray(found)) throw badRequest(`${name} needs an array at ${path}`, 14)
    }
  }
}

function leadsThroughObjects (doc: Doc, path: string): boolean {
  const fields = path.split('.')
  return fields.slice(1).every((field, i) => {
    const parent = resolve(doc, fields.slice(0, i + 1).join('.'))
    if (Array.isArray(parent)) return /^\d+$/.test(field)
    return parent === undefined || (parent !== null && typeof parent === 'object' && !(parent instanceof Date))
  })
}

function seedOf (filter: Doc): Doc {
  const seed: Doc = {}
  for (const [field, condition] of Object.entries(filter)) {
    if (field === '$and') for (const part of condition as Doc[]) Object.assign(seed, seedOf(part))
    if (field.startsWith('$')) continue
    const operators = condition !== null && typeof condition === 'object' && Object.keys(condition).some((name) => name.startsWith('$'))
    const value = operators ? (condition as Doc)['$eq'] : condition
    if (value !== undefined && !(value instanceof RegExp)) setValue(seed, field, value)
  }
  return seed
}
