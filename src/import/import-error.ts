// Room `import`: the import cannot go on for a reason that a person can mend; the message says which and what to do, and
// repeats nothing of a document.

export class ImportError extends Error {
  constructor (message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ImportError'
  }
}
